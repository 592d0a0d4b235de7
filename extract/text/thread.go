package text

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// Limits on the messages below.
const (
	maxLines      = 50_000 // the rest of the text counts as one
	maxQuoted     = 100    // messages; what is below stays with the last
	maxLevel      = 32     // ">" in front of a line
	maxBlank      = 5      // lines between a marker and the header below it
	maxHeader     = 60     // lines of a header block
	maxFieldLines = 30     // lines of one field
	shortNote     = 800    // letters of a note above a forward
)

// Range is the stretch [From, To) of a text, in bytes.
type Range struct{ From, To int }

// Options is what is known about the message whose text is read. A nil *Options
// is the default: nothing.
type Options struct {
	// Subject is the decoded subject.
	Subject string

	// Reply says that the message answers another (In-Reply-To).
	Reply bool

	// Recipients are the addresses it is sent to. Whoever is being answered
	// is among them.
	Recipients []string

	// Quotes are stretches that are marked as quoted by something else than
	// ">", in order and apart from each other.
	Quotes []Range
}

// Thread is a text taken apart.
type Thread struct {
	// Current is what the sender wrote. Where nothing but quotations is left,
	// it is empty.
	Current eml.Mapped

	// Quoted are the messages below, the most recent first, each without what
	// it quotes itself.
	Quoted []Quote

	// Forward is set if the message hands on the first of Quoted rather than
	// answering it.
	Forward *Forward
}

// Quote is a message that another one quotes.
type Quote struct {
	Header  []Field    // in the order of the text; empty where only an introduction or ">" marks it
	From    Mailbox    // as the header or the introduction says; nobody has checked it
	Subject string     // as written, prefixes included
	Sent    string     // as written
	Body    eml.Mapped // without the ">" in front of its lines
	Program Program    // that wrote the header; empty if the layout does not tell

	marked  bool // a line above says "forwarded message"
	snippet bool // only ">" marks it
}

// Field is a line of a header block within a text.
type Field struct {
	Name  FieldName
	Value eml.Mapped
}

// Mailbox is a person as a header block names them.
type Mailbox struct {
	Name string
	Addr string // empty where only a name is given, as Outlook does
}

// Forward is a message that was handed on as text. Its real header is lost.
type Forward struct {
	Quote

	// Explicit says that the program marked the text or the subject as
	// forwarded; otherwise it was concluded.
	Explicit bool

	// Nested are the further messages that were handed on inside, the next
	// first. The last of them is the original.
	Nested []Quote

	// Rest is everything below the header, further messages included.
	Rest eml.Mapped
}

// Innermost returns the original message of a chain of forwards.
func (f *Forward) Innermost() Quote {
	if k := len(f.Nested); k > 0 {
		return f.Nested[k-1]
	}
	return f.Quote
}

// ReadThread takes m apart.
//
// A forward is told from an answer in this order: a line such as "Forwarded
// message" directly above the first header block; a subject that starts with
// FW:, WG:, TR: or the like (forward) or with RE:, AW:, 返信: or the like
// (answer); and where the subject says nothing, a header block with sender and
// subject under a short note, unless the message answers another or goes to the
// quoted sender.
func ReadThread(m eml.Mapped, o *Options) *Thread {
	if o == nil {
		o = &Options{}
	}
	s := &splitter{m: m, lines: lines(m.Text, o.Quotes)}
	s.split()
	t := &Thread{Current: s.body(s.current), Quoted: s.quotes}
	t.Forward = s.forward(t, o)
	return t
}

// line is a line of the text.
type line struct {
	from, to int // without prefix and line end
	end      int // with the line end
	level    int // how often it is quoted
}

// lines splits s, takes quote prefixes off, and counts the quotes around each.
func lines(s string, quotes []Range) []line {
	var out []line
	for at, q := 0, 0; at < len(s); {
		n := strings.IndexByte(s[at:], '\n')
		if len(out) == maxLines {
			n = -1
		}
		end := len(s)
		l := line{from: at, to: end}
		if n >= 0 {
			l.to, end = at+n, at+n+1
		}
		l.end = end
		if l.to > l.from && s[l.to-1] == '\r' {
			l.to--
		}
		for l.level < maxLevel {
			i := l.from
			for i < l.to && i < l.from+2 && s[i] == ' ' {
				i++
			}
			if i >= l.to || s[i] != '>' {
				break
			}
			l.level++
			l.from = i + 1
		}
		if l.level > 0 && l.from < l.to && s[l.from] == ' ' {
			l.from++
		}
		for q < len(quotes) && quotes[q].To <= at {
			q++
		}
		if q < len(quotes) && quotes[q].From < l.to && l.from < quotes[q].To {
			l.level++
		}
		out = append(out, l)
		at = end
	}
	return out
}

type splitter struct {
	m       eml.Mapped
	lines   []line
	current []int // lines of the sender
	quotes  []Quote
	starts  []int // where the body of each quote starts, by line
}

func (s *splitter) text(i int) string { return s.m.Text[s.lines[i].from:s.lines[i].to] }

func (s *splitter) blank(i int) bool { return strings.TrimSpace(s.text(i)) == "" }

// split goes through the lines once.
func (s *splitter) split() {
	var body []int // lines of the quote being read
	var open bool  // a quote is being read
	var inner int  // lines quoted as often or less belong to the sender again; -1 for never
	flush := func() {
		if open {
			s.quotes[len(s.quotes)-1].Body = s.body(body)
		}
		body = nil
	}
	start := func(q Quote, after, level int) {
		// Outlook draws a line above the header.
		if open {
			body = s.withoutRule(body)
		} else {
			s.current = s.withoutRule(s.current)
		}
		flush()
		s.quotes = append(s.quotes, q)
		s.starts = append(s.starts, after)
		open, inner = true, level
	}
	for i := 0; i < len(s.lines); {
		if len(s.quotes) < maxQuoted && !s.blank(i) {
			if q, next, ok := s.header(i); ok {
				start(q, next, -1)
				i = next
				continue
			}
			if q, next, quoted, ok := s.introduction(i); ok {
				level := -1
				if quoted {
					level = s.lines[i].level
				}
				start(q, next, level)
				i = next
				continue
			}
			if s.lines[i].level > 0 && !open {
				start(Quote{snippet: true}, i, 0)
			}
		}
		if open && inner >= 0 && s.lines[i].level <= inner && len(s.quotes) < maxQuoted && !s.blank(i) {
			flush()
			open = false
		}
		if open {
			body = append(body, i)
		} else {
			s.current = append(s.current, i)
		}
		i++
	}
	flush()
}

// withoutRule drops a line of underscores or dashes at the end.
func (s *splitter) withoutRule(lines []int) []int {
	k := len(lines)
	for k > 0 && len(lines)-k < maxBlank && s.blank(lines[k-1]) {
		k--
	}
	if k > 0 {
		if t := strings.TrimSpace(s.text(lines[k-1])); len(t) >= 10 && strings.Trim(t, "_-") == "" {
			return lines[:k-1]
		}
	}
	return lines
}

// body joins lines without their prefixes.
func (s *splitter) body(lines []int) eml.Mapped {
	for len(lines) > 0 && s.blank(lines[0]) {
		lines = lines[1:]
	}
	for len(lines) > 0 && s.blank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return eml.Mapped{}
	}
	var b eml.MapBuilder
	from := -1 // of a run of lines that stand together without prefixes
	to := 0
	for _, i := range lines {
		l := s.lines[i]
		if from >= 0 && l.from == to {
			to = l.end
			continue
		}
		if from >= 0 {
			b.Append(s.m.Slice(from, to))
		}
		from, to = l.from, l.end
	}
	b.Append(s.m.Slice(from, to))
	return b.Mapped().TrimSpace()
}

// header reads the header block that starts at line i, with the marker above it
// if there is one, and returns the line after it.
func (s *splitter) header(i int) (q Quote, next int, ok bool) {
	least := 3 // fields that make a block
	mk, marked := markerLine(s.text(i))
	if marked {
		q.Program, q.marked = mk.program, mk.forward
		least = 2
		below := i + maxBlank
		for i++; i < len(s.lines) && i < below && s.blank(i); i++ {
		}
		if i == len(s.lines) {
			return Quote{}, 0, false
		}
	}
	if _, _, ok := label(s.text(i)); !ok {
		return Quote{}, 0, false
	}
	seen := map[FieldName]bool{}
	end := i // line after the last field
	var pending []int
	for k, blanks := i, 0; k < len(s.lines) && k < i+maxHeader; k++ {
		if s.blank(k) {
			// Some programs set every field as a paragraph of its own.
			if blanks++; blanks > 1 || len(q.Header) == 0 {
				break
			}
			continue
		}
		name, value, isLabel := label(s.text(k))
		if isLabel && name != Other && seen[name] {
			break
		}
		if !isLabel {
			indented := strings.HasPrefix(s.text(k), " ") || strings.HasPrefix(s.text(k), "\t")
			if blanks > 0 || len(q.Header) == 0 || k-end >= maxFieldLines || !indented && !s.full(k-1) {
				break
			}
			// A line that only looks like a continuation is one if another
			// field follows; below the last field it is the text.
			pending = append(pending, k)
			if indented && len(pending) == 1 {
				s.extend(&q, pending)
				pending, end = pending[:0], k+1
			}
			continue
		}
		if len(pending) > 0 && (name != Other || !seen[name]) {
			s.extend(&q, pending)
		}
		pending = pending[:0]
		if len(q.Header) == 0 && name != From && !marked && name != Sent && name != Subject && name != To {
			return Quote{}, 0, false
		}
		blanks = 0
		seen[name] = true
		l := s.lines[k]
		q.Header = append(q.Header, Field{Name: name, Value: s.m.Slice(l.from+value, l.to).TrimSpace()})
		end = k + 1
	}
	known := 0
	for _, n := range []FieldName{From, Sent, To, Subject} {
		if seen[n] {
			known++
		}
	}
	if !seen[From] || known < least {
		return Quote{}, 0, false
	}
	for _, f := range q.Header {
		switch f.Name {
		case From:
			q.From = mailbox(f.Value.Text)
		case Sent:
			q.Sent = f.Value.Text
		case Subject:
			q.Subject = f.Value.Text
		default: // who received it says nothing of where it is from
		}
	}
	if q.Program == "" && !marked {
		q.Program = Outlook
	}
	return q, end, true
}

// full reports whether line k is so long that it may have been broken.
func (s *splitter) full(k int) bool {
	n := s.lines[k].to - s.lines[k].from
	return n >= 60 && n < 1000
}

// extend adds lines to the last field of a header.
func (s *splitter) extend(q *Quote, lines []int) {
	f := &q.Header[len(q.Header)-1]
	for _, k := range lines {
		f.Value = s.join(f.Value, k)
	}
}

// join adds line k to a value.
func (s *splitter) join(v eml.Mapped, k int) eml.Mapped {
	l := s.lines[k]
	var b eml.MapBuilder
	b.Append(v)
	at := s.m.Span(l.from, 0)
	b.Replace(" ", eml.Span{Offset: at.Offset})
	b.Append(s.m.Slice(l.from, l.to).TrimSpace())
	return b.Mapped()
}

// introduction reads "On ..., ... wrote:" at line i, which may run over three
// lines. quoted says that what is quoted is marked by ">".
func (s *splitter) introduction(i int) (q Quote, next int, quoted, ok bool) {
	first := s.text(i)
	if len(first) > 400 || s.blank(i) {
		return Quote{}, 0, false, false
	}
	joined := first
	end := i
	for !isAttribution(joined) {
		if end == i && !startsAttribution(first) {
			return Quote{}, 0, false, false
		}
		if end++; end > i+2 || end >= len(s.lines) || s.blank(end) || s.lines[end].level != s.lines[i].level {
			return Quote{}, 0, false, false
		}
		if joined += " " + strings.TrimSpace(s.text(end)); len(joined) > 400 {
			return Quote{}, 0, false, false
		}
	}
	next = end + 1
	below := next
	for below < len(s.lines) && below < next+3 && s.blank(below) {
		below++
	}
	if below == len(s.lines) {
		return Quote{}, 0, false, false
	}
	quoted = s.lines[below].level > s.lines[i].level
	q.From = introduced(joined)
	if !quoted && q.From.Addr == "" && !startsAttribution(first) {
		return Quote{}, 0, false, false
	}
	return q, next, quoted, true
}

// startsAttribution reports whether a line may be the first of an introduction
// that is broken over several.
func startsAttribution(s string) bool {
	s = strings.ToLower(strings.TrimSpace(s[:min(len(s), 40)]))
	for _, p := range []string{"on ", "am ", "le ", "el ", "em ", "il ", "op ", "den "} {
		if strings.HasPrefix(s, p) && strings.ContainsAny(s, "0123456789") {
			return true
		}
	}
	return len(s) > 4 && '1' <= s[0] && s[0] <= '2' && '0' <= s[1] && s[1] <= '9' && '0' <= s[3] && s[3] <= '9'
}

// introduced returns whom an introduction names.
func introduced(s string) Mailbox {
	i := strings.LastIndexByte(s, '<')
	if i < 0 {
		return Mailbox{}
	}
	j := strings.IndexByte(s[i:], '>')
	if j < 0 || !strings.Contains(s[i:i+j], "@") {
		return Mailbox{}
	}
	name := strings.TrimSpace(s[:i])
	if k := strings.LastIndexAny(name, ",:"); k >= 0 {
		// What is left of the time of day stands in front of the name.
		name = strings.TrimLeft(name[k+1:], "0123456789 \u202f")
		for _, half := range []string{"AM ", "PM ", "Uhr ", "Uhr, schrieb "} {
			name = strings.TrimPrefix(name, half)
		}
	}
	return Mailbox{Name: strings.TrimSpace(name), Addr: address(s[i+1 : i+j])}
}

// mailbox reads the value of a From line: "Name <addr>", "Name [mailto:addr]",
// "addr", or a name alone.
func mailbox(s string) Mailbox {
	s = strings.TrimSpace(s)
	for _, br := range []string{"<>", "[]", "()"} {
		i := strings.LastIndexByte(s, br[0])
		if i < 0 {
			continue
		}
		j := strings.IndexByte(s[i:], br[1])
		if j < 0 {
			j = len(s) - i
		}
		if a := address(s[i+1 : i+j]); a != "" {
			return Mailbox{Name: strings.Trim(strings.TrimSpace(s[:i]), "\"'“”*"), Addr: a}
		}
	}
	if a := address(s); a != "" {
		return Mailbox{Addr: a}
	}
	return Mailbox{Name: strings.Trim(s, "\"'“”* ")}
}

// address returns s without what surrounds an address, "" if it holds none.
func address(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "mailto:") {
		s = s[7:]
	}
	s, _, _ = strings.Cut(s, "<") // "a@b<mailto:a@b>"
	s, _, _ = strings.Cut(s, "?")
	i := strings.IndexByte(s, '@')
	if i <= 0 || i == len(s)-1 || strings.ContainsAny(s, " \t,;\"") {
		return ""
	}
	return s
}
