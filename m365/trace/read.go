package trace

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Reader reads an export row by row.
type Reader struct {
	Format    Format
	Knows     Knows
	Separator string // of a table; empty for JSON

	Rows     int       // read so far
	Lost     int       // rows that were not read
	Doubtful int       // rows of which something was not understood
	Problems []Problem // some of both

	o       Options
	l       layout
	lines   *lines
	sep     byte
	objects *objects
	charset string
	clock   *clock
	named   map[Reason]int
}

// Charset is that of what was read so far: "utf-8", "utf-16le", "utf-16be" or
// "shift_jis".
func (r *Reader) Charset() string {
	switch {
	case r.charset != "":
		return r.charset
	case r.lines != nil && r.lines.charset != "":
		return r.lines.charset
	}
	return "utf-8"
}

// NewReader recognises an export. It reads the beginning only; the rows are read
// by [Reader.All].
func NewReader(from io.Reader, o *Options) (*Reader, error) {
	r := &Reader{named: map[Reason]int{}}
	if o != nil {
		r.o = *o
	}
	if r.o.Location == nil {
		r.o.Location = time.UTC
	}
	raw := bufio.NewReaderSize(from, 64<<10)
	head, err := raw.Peek(64 << 10)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, fmt.Errorf("trace: reading: %w", err)
	}
	if len(head) == 0 {
		return nil, ErrEmpty
	}
	text, charset, err := decoded(raw, head)
	if err != nil {
		return nil, err
	}
	r.charset = charset
	buf, ok := text.(*bufio.Reader)
	if !ok {
		buf = bufio.NewReaderSize(text, 64<<10)
	}
	head, _ = buf.Peek(64 << 10) // an error shows again when the rows are read
	first := strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n")
	switch {
	case first == "":
		return nil, ErrEmpty
	case first[0] == '{', first[0] == '[':
		err = r.openJSON(buf, head)
	default:
		err = r.openTable(buf)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// openTable finds the headings.
func (r *Reader) openTable(buf *bufio.Reader) error {
	r.lines = &lines{r: buf}
	known := headings()
	for range maxHead {
		x, ok := r.lines.next()
		if !ok {
			break
		}
		if x.long {
			continue
		}
		for _, sep := range []byte{',', '\t', ';'} {
			if l, ok := layoutOf(lenient(x.text, sep, nil), known); ok {
				r.l, r.sep, r.Separator = l, sep, string(sep)
				r.Format, r.Knows = l.format(), l.knows()
				r.clock = newClock(r.o.Location, r.lookAhead())
				return nil
			}
		}
	}
	if r.lines.err != nil {
		return fmt.Errorf("trace: reading: %w", r.lines.err)
	}
	return ErrNoHeader
}

// lookAhead reads some rows and gives them back, to see how dates are written.
func (r *Reader) lookAhead() bool {
	var seen []line
	var dates []string
	for range 2000 {
		x, ok := r.lines.next()
		if !ok {
			break
		}
		seen = append(seen, x)
		if !x.long {
			dates = append(dates, r.l.get(lenient(x.text, r.sep, nil), cTime))
		}
	}
	r.lines.unread(seen...)
	return daysFirst(dates)
}

// All returns the rows. It can be called once. The row is valid until the next
// one.
func (r *Reader) All() iter.Seq[*Row] {
	return func(yield func(*Row) bool) {
		if r.objects != nil {
			r.allObjects(yield)
			return
		}
		var fields []string
		for {
			x, ok := r.lines.next()
			if !ok {
				if r.lines.err != nil {
					r.problem(r.lines.n+1, Unreadable, r.lines.err.Error())
				}
				return
			}
			if strings.Trim(x.text, ",;\t \u3000") == "" {
				continue
			}
			if r.Rows+r.Lost >= MaxRows {
				r.problem(x.n, TooManyRows, x.text)
				return
			}
			if x.long {
				r.problem(x.n, TooLong, x.text)
				continue
			}
			var broken bool
			fields, broken = r.lines.record(x, r.sep, fields)
			if len(fields) > r.l.width && strings.Join(fields[r.l.width:], "") != "" {
				r.problem(x.n, TooManyFields, x.text)
				continue
			}
			if len(fields) < 2 || len(fields) < r.l.width && r.needs(len(fields)) {
				r.problem(x.n, TooFewFields, x.text)
				continue
			}
			var doubt Reason
			switch {
			case broken:
				doubt = BrokenQuotes
			case x.bad:
				doubt = BadBytes
			}
			if !r.row(x.n, fields, x.text, doubt, yield) {
				return
			}
		}
	}
}

// needs reports whether a column that matters lies behind n fields.
func (r *Reader) needs(n int) bool {
	for _, c := range []column{cMailFrom, cFrom, cSender, cReturnPath, cIP, cOriginalIP, cRecipient} {
		if r.l.at[c] >= n {
			return true
		}
	}
	return false
}

func (r *Reader) problem(n int, why Reason, text string) {
	if why.Lost() {
		r.Lost++
	} else {
		r.Doubtful++
	}
	if r.named[why]++; r.named[why] <= maxNamed {
		r.Problems = append(r.Problems, Problem{n, why, clip(text)})
	}
}

// row makes a row of fields and hands it on; it reports whether to go on.
func (r *Reader) row(n int, fields []string, text string, doubt Reason, yield func(*Row) bool) bool {
	l := &r.l
	get := func(c column) string { return l.get(fields, c) }
	event := strings.ToUpper(get(cEvent))
	if l.has(cEvent) && !r.o.Keep && event != "RECEIVE" && event != "DELIVER" {
		return true
	}
	row := Row{
		Line: n, Subject: get(cSubject), Name: get(cName), Host: get(cHost), MessageID: strings.Trim(get(cMessageID), "<> "), NetworkID: guid(get(cNetworkID)),
		Connector: get(cConnector), Event: event, Sender: addressOf(get(cSender)),
	}
	mailFrom := get(cMailFrom)
	if l.has(cReturnPath) {
		mailFrom = get(cReturnPath)
	}
	row.MailFrom, row.From = addressOf(mailFrom), addressOf(get(cFrom))
	if d := get(cMailFromDomain); row.MailFrom == "" && d != "" {
		row.MailFrom = "@" + strings.ToLower(d)
	}
	if d := get(cFromDomain); row.From == "" && d != "" {
		row.From = "@" + strings.ToLower(d)
	}
	if l.has(cReturnPath) && row.From == "" {
		// The extended report: the sender is that of the header where the envelope
		// has its own column.
		row.From, row.Sender = row.Sender, ""
	}
	r.where(&row, get, text, &doubt)
	row.Null = mailFrom == "<>" || (l.has(cMailFrom) || l.has(cReturnPath)) && row.MailFrom == "" && row.IP.IsValid()
	if row.MailFrom == "" && row.From == "" && row.Sender == "" && !row.Null {
		if !l.has(cSender) || get(cSender) != "<>" {
			r.problem(n, NoSender, text)
			return true
		}
		row.Null = true
	}
	if s := get(cTime); s != "" {
		when, ok := r.clock.parse(s)
		if !ok {
			doubt = BadDate
		}
		row.Time = when
	}
	row.Direction = direction(get(cDirection))
	row.Authentication = authentication(get(cAuthentication))
	row.Size, _ = strconv.Atoi(get(cSize)) // of no use where it is no number
	r.recipients(&row, get)
	if doubt != "" {
		r.problem(n, doubt, text)
	}
	r.Rows++
	return yield(&row)
}

// where reads the address that handed the mail in.
func (r *Reader) where(row *Row, get func(column) string, text string, doubt *Reason) {
	for _, c := range []column{cOriginalIP, cIP, cIP6} {
		s := get(c)
		if s == "" || c == cIP && r.l.has(cOriginalIP) && r.Format == Extended && row.IP.IsValid() {
			continue
		}
		ip, err := netip.ParseAddr(strings.Trim(s, "[]"))
		if err != nil {
			*doubt = BadAddress
			continue
		}
		if ip = ip.Unmap().WithZone(""); !ip.IsUnspecified() {
			row.IP = ip
			return
		}
	}
}

// recipients reads who got it, and what became of it.
func (r *Reader) recipients(row *Row, get func(column) string) {
	if s := get(cRecipientStatus); strings.Contains(s, "##") {
		for part := range strings.SplitSeq(s, ";") {
			who, status, _ := strings.Cut(part, "##")
			if who = addressOf(who); who != "" && len(row.Recipients) < maxPeople {
				row.Recipients = append(row.Recipients, Recipient{who, outcome(status)})
			}
		}
		if len(row.Recipients) > 0 {
			return
		}
	}
	to := outcome(get(cStatus))
	if o := outcome(get(cAction)); o != "" {
		to = o
	}
	if o := outcome(get(cLocation)); o != "" {
		to = o
	}
	if row.Event == "DELIVER" {
		to = Delivered
	}
	s := get(cRecipient)
	if strings.IndexByte(s, ';') < 0 && strings.IndexByte(s, ',') < 0 {
		if who := addressOf(s); who != "" {
			row.Recipients = []Recipient{{who, to}}
		}
		return
	}
	for who := range strings.FieldsFuncSeq(s, func(c rune) bool { return c == ';' || c == ',' }) {
		if who = addressOf(who); who != "" && len(row.Recipients) < maxPeople {
			row.Recipients = append(row.Recipients, Recipient{who, to})
		}
	}
}

// direction understands the words of the exports; the summary of the admin
// centre writes numbers.
func direction(s string) Direction {
	switch strings.ToLower(s) {
	case "1", "inbound", "incoming", "受信":
		return Inbound
	case "2", "outbound", "originating", "送信":
		return Outbound
	case "intra-org", "intraorg", "internal", "組織内":
		return Intra
	}
	return DirectionUnknown
}

// outcome understands statuses, actions and places.
func outcome(s string) Outcome {
	if s == "" {
		return OutcomeUnknown
	}
	s = strings.ToLower(s)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(s, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("quarantine", "検疫"):
		return Quarantined
	case has("junk", "filteredasspam", "迷惑"):
		return Junked
	case has("fail", "block", "drop", "reject", "replaced", "失敗", "ブロック", "拒否"):
		return Blocked
	case has("deliver", "inbox", "folder", "resolved", "expanded", "配信済み", "配信", "受信トレイ"):
		return Delivered
	}
	return OutcomeUnknown
}

// authentication reads the column AuthenticationDetails, which is JSON.
func authentication(s string) (a Authentication) {
	if s == "" || len(s) > 4<<10 || s[0] != '{' {
		return a
	}
	var m map[string]json.RawMessage
	if json.Unmarshal([]byte(s), &m) != nil {
		return a
	}
	for k, v := range m {
		var text string
		if json.Unmarshal(v, &text) != nil {
			continue
		}
		text = strings.ToLower(strings.TrimSpace(text))
		switch strings.ToLower(k) {
		case "spf":
			a.SPF = text
		case "dkim":
			a.DKIM = text
		case "dmarc":
			a.DMARC = text
		case "compauth", "compositeauthentication":
			a.CompAuth = text
		}
	}
	return a
}
