package trace

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
)

// line is one line of a file.
type line struct {
	n    int // from 1
	text string
	long bool // more than maxRow bytes; text is its beginning
	bad  bool // bytes of no charset were replaced
}

// lines reads lines of bounded length. Lines can be given back.
type lines struct {
	r       *bufio.Reader
	n       int
	back    []line // to be read again, the next one last
	charset string
	err     error // why reading ended early
	long    []byte
}

// next returns the next line without its end.
func (l *lines) next() (line, bool) {
	if n := len(l.back); n > 0 {
		x := l.back[n-1]
		l.back = l.back[:n-1]
		return x, true
	}
	b, err := l.r.ReadSlice('\n')
	cut := false
	if errors.Is(err, bufio.ErrBufferFull) {
		l.long = append(l.long[:0], b...)
		for errors.Is(err, bufio.ErrBufferFull) {
			b, err = l.r.ReadSlice('\n')
			if room := maxRow + 1 - len(l.long); room > 0 {
				l.long = append(l.long, b[:min(room, len(b))]...)
			} else if len(b) > 0 {
				cut = true
			}
		}
		b = l.long
	}
	if err != nil && len(b) == 0 {
		if !errors.Is(err, io.EOF) {
			l.err = err
		}
		return line{}, false
	}
	l.n++
	b = bytes.TrimRight(b, "\r\n")
	if l.n == 1 {
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	}
	x := line{n: l.n, long: cut || len(b) > maxRow}
	var charset string
	x.text, charset, x.bad = toUTF8(b[:min(len(b), maxRow)])
	if charset != "" && (l.charset == "" || l.charset == "utf-8" && charset != "utf-8") {
		l.charset = charset
	}
	return x, true
}

func (l *lines) unread(x ...line) {
	for _, one := range slices.Backward(x) {
		l.back = append(l.back, one)
	}
}

// record reads a row that begins with first, which may go on over a few lines
// inside quotation marks. If quotation marks do not close, the first line alone
// is read as well as can be.
func (l *lines) record(first line, sep byte, into []string) (row []string, broken bool) {
	row, state := strict(first.text, sep, into)
	if state == whole {
		return row, false
	}
	if state == open {
		var text strings.Builder
		text.WriteString(first.text)
		var more []line
		for len(more) < maxJoined-1 {
			x, ok := l.next()
			if !ok {
				break
			}
			more = append(more, x)
			text.WriteByte('\n')
			text.WriteString(x.text)
			if x.long || text.Len() > maxRow {
				break
			}
			if row, state = strict(text.String(), sep, into); state == whole {
				return row, false
			} else if state == wrong {
				break
			}
		}
		l.unread(more...)
	}
	return lenient(first.text, sep, into), true
}

type strictness int

const (
	whole strictness = iota
	open             // a quotation mark does not close
	wrong            // text after a closing quotation mark, or a quotation mark inside a bare field
)

// strict reads a row as RFC 4180 has it.
func strict(s string, sep byte, into []string) (row []string, state strictness) {
	row = into[:0]
	for {
		if !strings.HasPrefix(s, `"`) {
			end := strings.IndexByte(s, sep)
			field := s
			if end >= 0 {
				field = s[:end]
			}
			if strings.IndexByte(field, '"') >= 0 {
				return row, wrong
			}
			if row = append(row, field); end < 0 || len(row) > maxColumns {
				return row, whole
			}
			s = s[end+1:]
			continue
		}
		s = s[1:]
		field, ok := "", false
		end := strings.IndexByte(s, '"')
		if end < 0 {
			return row, open
		}
		if end+1 == len(s) || s[end+1] != '"' {
			field, s, ok = s[:end], s[end+1:], true
		}
		var b strings.Builder
		for !ok {
			b.WriteString(s[:end])
			s = s[end+1:]
			if !strings.HasPrefix(s, `"`) {
				field, ok = b.String(), true
				break
			}
			b.WriteByte('"')
			s = s[1:]
			if end = strings.IndexByte(s, '"'); end < 0 {
				return row, open
			}
		}
		row = append(row, field)
		if s == "" {
			return row, whole
		}
		if s[0] != sep {
			return row, wrong
		}
		if len(row) > maxColumns {
			return row, whole
		}
		s = s[1:]
	}
}

// lenient reads a line whose quotation marks are broken. One counts only at the
// start of a field that another ends; else it is a sign like any other.
func lenient(s string, sep byte, into []string) []string {
	row, ending := into[:0], `"`+string(sep)
	for len(row) <= maxColumns {
		if strings.HasPrefix(s, `"`) {
			if end := strings.Index(s[1:], ending); end >= 0 {
				row = append(row, strings.ReplaceAll(s[1:1+end], `""`, `"`))
				s = s[end+3:]
				continue
			}
		}
		end := strings.IndexByte(s, sep)
		if end < 0 {
			break
		}
		row = append(row, strings.Trim(s[:end], `"`))
		s = s[end+1:]
	}
	return append(row, strings.Trim(s, `"`))
}
