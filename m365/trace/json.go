package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
)

// objects reads the objects of a JSON file one by one: of an array, of an array
// inside an object (as APIs answer), or one behind another. Each is bounded, so
// that a hostile file costs no more memory than a row.
type objects struct {
	r     *bufio.Reader
	n     int
	err   error
	first []byte // read already, to recognise the file
	known map[string]column
}

// openJSON finds the rows and learns the columns from the first.
func (r *Reader) openJSON(buf *bufio.Reader, head []byte) error {
	// Where the rows begin in an answer of the APIs of Microsoft Graph, Defender
	// XDR and Log Analytics.
	envelope := regexp.MustCompile(`(?i)"(results|value|rows|data)"\s*:\s*\[`)
	if at := envelope.FindIndex(head); at != nil {
		if _, err := buf.Discard(at[1]); err != nil {
			return ErrJSON
		}
	}
	r.objects = &objects{r: buf, known: headings()}
	r.clock = newClock(r.o.Location, false)
	r.l = newLayout(int(nColumns))
	for range maxHead {
		first, ok := r.objects.next()
		if !ok {
			break
		}
		if _, err := r.fields(first); err == nil && r.l.usable() {
			r.objects.first = first
			r.objects.n--
			r.Format = r.l.format()
			if r.Format == MessageTrace && r.l.has(cNetworkID) && r.l.has(cDirection) {
				r.Format = EmailEvents
			}
			return nil
		}
		r.l = newLayout(int(nColumns))
	}
	return ErrJSON
}

// allObjects hands on all rows.
func (r *Reader) allObjects(yield func(*Row) bool) {
	for {
		b, ok := r.objects.next()
		if !ok {
			if r.objects.err != nil {
				r.problem(r.objects.n+1, Unreadable, r.objects.err.Error())
			}
			return
		}
		if r.Rows+r.Lost >= MaxRows {
			r.problem(r.objects.n, TooManyRows, "")
			return
		}
		if b == nil {
			r.problem(r.objects.n, TooLong, "")
			continue
		}
		fields, err := r.fields(b)
		if err != nil {
			r.problem(r.objects.n, NotAnObject, string(b[:min(len(b), 400)]))
			continue
		}
		if !r.row(r.objects.n, fields, string(b[:min(len(b), 400)]), "", yield) {
			return
		}
	}
}

// fields returns the values of an object by column. Columns are learnt from every
// object, since some exports leave empty ones out.
func (r *Reader) fields(b []byte) ([]string, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	out := make([]string, nColumns)
	news := false
	for k, v := range m {
		c, ok := r.objects.known[k]
		if !ok {
			c = r.objects.known[plain(k)]
			if len(r.objects.known) < 4096 {
				r.objects.known[strings.Clone(k)] = c // also that it is of no use
			}
		}
		if c == cNone {
			continue
		}
		if !r.l.has(c) {
			r.l.at[c], news = int(c), true
		}
		var s string
		switch {
		case string(v) == "null":
		case v[0] == '"':
			if err := json.Unmarshal(v, &s); err != nil {
				return nil, err
			}
		case v[0] == '[':
			var list []string
			if json.Unmarshal(v, &list) == nil {
				s = strings.Join(list, ";")
			}
		default:
			s = string(v)
		}
		if out[c] == "" {
			out[c] = s
		}
	}
	if news {
		r.Knows = r.l.knows()
	}
	return out, nil
}

// next returns the next object, nil for one that is too long, false at the end.
func (o *objects) next() ([]byte, bool) {
	if b := o.first; b != nil {
		o.first = nil
		o.n++
		return b, true
	}
	for { // to the next brace; between objects there is nothing of interest
		c, err := o.r.ReadByte()
		if err != nil {
			return nil, o.end(err)
		}
		if c == '{' {
			break
		}
	}
	o.n++
	b := append(make([]byte, 0, 1024), '{')
	depth, quoted, escaped := 1, false, false
	for depth > 0 {
		c, err := o.r.ReadByte()
		if err != nil {
			o.end(err)
			return b, true // cut off: not JSON, and told as that
		}
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{':
			depth++
		case c == '}':
			depth--
		}
		if len(b) <= maxRow {
			b = append(b, c)
		}
	}
	if len(b) > maxRow {
		return nil, true
	}
	return b, true
}

func (o *objects) end(err error) bool {
	if !errors.Is(err, io.EOF) {
		o.err = err
	}
	return false
}
