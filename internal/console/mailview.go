package console

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/html"
	linktext "github.com/sekisho/sekisho/extract/link"
	plain "github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/console/safeview"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
)

// The tabs of a mail.
const (
	viewSafe    = "safe"    // what a reader sees, made harmless
	viewHeaders = "headers" // each field, with who wrote it
	viewText    = "text"    // the text alone
	viewSource  = "source"  // as it was received
)

var views = []string{viewSafe, viewHeaders, viewText, viewSource}

// Bounds on what a page shows of one mail; the file itself has everything.
const (
	maxFields     = 300
	maxValue      = 4 << 10 // bytes of a field
	maxParts      = 20
	maxSource     = 256 << 10
	maxProject    = 128 << 10 // bytes of text in which evidence is looked up
	maxQuoted     = 300       // runes of a quotation
	maxEvidence   = 8         // of one reason
	shownEvidence = 3         // of one reason, without asking
	longValue     = 300       // bytes of a field that are shown without asking
	maxReasons    = 100
	maxPlaces     = 400 // of hidden text
)

// mailView is a mail with the evidence of its verdict where it stands.
type mailView struct {
	Reasons []reason
	View    string // the tab that is shown

	Headers []headerGroup
	Writers []writer // who wrote the fields, each once
	More    int      // fields that are not shown
	Parts   []partView
	Hidden  int // stretches of text that nobody sees
	Source  template.HTML
	Cut     bool // of the source

	Scripts, Pictures, Links, Forms, Embedded int // left out of the safe view
}

// reason is a finding with its evidence.
type reason struct {
	desk.Finding

	N      int
	Quotes []quote
	Folded []quote // further ones
	More   int     // quotes that are not shown
}

// quote is a piece of evidence.
type quote struct {
	Words template.HTML
	Field string // name of the header field; "" for a body
	Index int    // its number
	Part  string // of a body
	File  string // in an attachment
	Note  lang.Text
	View  string // the tab on which it stands; "" where it is not shown
	ID    string // of the mark there
}

// headerGroup is the header of a part.
type headerGroup struct {
	Part   string // "" for the message's own
	Fields []headerField
}

// headerField is a field as the page shows it.
type headerField struct {
	Index  int
	Name   string
	Value  template.HTML
	Writer string // m365.Writer; "" for a part's own header, which is the sender's
	Trust  bool
	Cut    bool
	Start  string // of a value that is long and proves nothing; "" for others
}

// writer says who wrote fields, and why that is known.
type writer struct {
	Writer string
	Trust  bool
	Reason lang.Message
}

// partView is a part that a reader sees.
type partView struct {
	ID          string
	Type        string
	HTML        template.HTML
	Plain       bool // the text keeps its line breaks
	Alternative bool // a mail program shows another one in its place
	Open        bool // shown without asking
	Cut         bool
}

// look makes the view of a mail. say renders words of the catalogue.
func look(raw []byte, v *desk.Verdict, facts *org.Facts, tab string, say func(lang.Message) string) *mailView {
	if !slices.Contains(views, tab) {
		tab = viewSafe
	}
	o := desk.OpenMail(raw, v.Form, v.Judged.Part)
	l := &looker{view: &mailView{View: tab}, opened: o, say: say, header: map[string][]safeview.Mark{}, body: map[string][]safeview.Mark{}}
	l.shown(v)
	l.reasons(v)
	switch tab {
	case viewHeaders:
		l.headers(v, facts)
	case viewSource:
		l.source(raw)
	case viewText:
		l.text()
	default:
		l.safe()
	}
	return l.view
}

type looker struct {
	view   *mailView
	opened *desk.Opened
	say    func(lang.Message) string

	parts  []*eml.Part                // that a reader sees, the one that a mail program opens first
	main   string                     // its ID
	header map[string][]safeview.Mark // by part, in bytes of the raw message
	body   map[string][]safeview.Mark // by part, in bytes of its text
	noted  []string                   // notes that were said
}

// shown finds the parts that a reader sees.
func (l *looker) shown(v *desk.Verdict) {
	body := extract.ReadBody(l.opened.Message, budget.New(nil))
	l.main = body.Part
	order := []string{body.Part}
	for _, f := range body.Further {
		order = append(order, f.Part)
	}
	for p := range l.opened.Message.Parts() {
		if p.IsLeaf() && p.IsText() && !p.IsAttachment() && (p.MediaType() == "text/plain" || p.MediaType() == "text/html" || p.ID() == body.Part) {
			order = append(order, p.ID())
		}
	}
	for _, id := range order {
		p := l.opened.Part(id)
		if p == nil || len(l.parts) == maxParts || slices.Contains(l.parts, p) {
			continue
		}
		l.parts = append(l.parts, p)
	}
}

// reasons numbers the findings and remembers where their evidence stands.
func (l *looker) reasons(v *desk.Verdict) {
	for i := range v.Findings[:min(len(v.Findings), maxReasons)] {
		r := reason{Finding: v.Findings[i], N: i + 1}
		var seen []string
		for _, e := range r.Evidence {
			key := e.Quote + "\x00" + e.Where.Header + "\x00" + e.Where.Part + "\x00" + strconv.Itoa(e.Where.Index)
			if slices.Contains(seen, key) {
				continue
			}
			if len(seen) == maxEvidence {
				r.More++
				continue
			}
			seen = append(seen, key)
			q := l.quote(&e)
			l.place(&q, &e.Where, r.N, len(seen))
			if note := q.Note.EN; note != "" {
				if slices.Contains(l.noted, note) {
					q.Note = lang.Text{} // it was said
				}
				l.noted = append(l.noted, note)
			}
			if len(r.Quotes) < shownEvidence {
				r.Quotes = append(r.Quotes, q)
				continue
			}
			r.Folded = append(r.Folded, q)
		}
		l.view.Reasons = append(l.view.Reasons, r)
	}
}

// quote is evidence in words.
func (l *looker) quote(e *desk.Evidence) quote {
	words := e.Quote
	if strings.Contains(words, "=?") && e.Where.Header != "" {
		words = eml.Parse([]byte("X: "+strings.Join(strings.Fields(words), " ")+"\r\n\r\n"), nil).Header().Text("X")
	}
	if utf8.RuneCountInString(words) > maxQuoted {
		words = string([]rune(words)[:maxQuoted]) + "…"
	}
	return quote{
		Words: safeview.Text(defangLinks(words), &safeview.Options{Say: l.say}).HTML,
		Field: e.Where.Header, Index: e.Where.Index, Part: e.Where.Part, File: e.Where.Inside, Note: e.Note,
	}
}

// defangLinks defangs every link of a text and leaves the rest as it is.
func defangLinks(s string) string {
	var b strings.Builder
	at := 0
	for _, u := range plain.URLs(s) {
		if u.Bare || u.Offset < at {
			continue
		}
		b.WriteString(s[at:u.Offset])
		b.WriteString(linktext.Defang(s[u.Offset : u.Offset+u.Length]))
		at = u.Offset + u.Length
	}
	b.WriteString(s[at:])
	return b.String()
}

// place marks evidence where it stands, if the page shows that place.
func (l *looker) place(q *quote, w *finding.Where, n, k int) {
	m := safeview.Mark{
		Offset: w.Offset, Length: w.Length, Label: strconv.Itoa(n), Class: "e" + strconv.Itoa(n), ID: "e" + strconv.Itoa(n) + "-" + strconv.Itoa(k),
	}
	part := w.Part
	if part == "" {
		part = l.opened.Message.Root().ID()
	}
	switch {
	case w.Inside != "" || w.Length <= 0:
		return
	case w.Header != "":
		if l.opened.Part(part) == nil {
			return
		}
		l.header[part] = append(l.header[part], m)
		q.View = viewHeaders
	case slices.ContainsFunc(l.parts, func(p *eml.Part) bool { return p.ID() == part }):
		l.body[part] = append(l.body[part], m)
		q.View = viewSafe
	default:
		return
	}
	q.ID = m.ID
}

func (l *looker) options(marks []safeview.Mark) *safeview.Options {
	return &safeview.Options{Say: l.say, Marks: marks}
}

// headers shows the header of the message, and those of parts with evidence.
func (l *looker) headers(v *desk.Verdict, facts *org.Facts) {
	m := l.opened.Message
	root := m.Root().ID()
	path := m365.NewPath(m.Header(), facts)
	l.group(m.Root(), "", func(f eml.Field) m365.Stamp { return path.Provenance(f) })
	for _, id := range slices.Sorted(keysOf(l.header)) {
		if p := l.opened.Part(id); id != root && p != nil {
			l.group(p, id, nil)
		}
	}
}

func keysOf(m map[string][]safeview.Mark) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (l *looker) group(p *eml.Part, name string, provenance func(eml.Field) m365.Stamp) {
	g := headerGroup{Part: name}
	fields := p.Header().Fields()
	for _, f := range fields[:min(len(fields), maxFields)] {
		h := headerField{Index: f.Index(), Name: f.Name()}
		text := f.Text()
		if len(text.Text) > maxValue {
			text, h.Cut = text.Slice(0, cutAt(text.Text, maxValue)), true
		}
		marks := project(text, l.within(l.header[p.ID()], f.Span()))
		h.Value = safeview.Text(text.Text, l.options(marks)).HTML
		if len(text.Text) > longValue && len(marks) == 0 {
			h.Start = text.Text[:cutAt(text.Text, 80)]
		}
		if provenance != nil {
			s := provenance(f)
			h.Writer, h.Trust = string(s.By), s.Trusted()
			w := writer{h.Writer, h.Trust, s.Reason}
			if !slices.ContainsFunc(l.view.Writers, func(x writer) bool {
				return x.Writer == w.Writer && x.Trust == w.Trust && x.Reason.Key == w.Reason.Key
			}) {
				l.view.Writers = append(l.view.Writers, w)
			}
		}
		g.Fields = append(g.Fields, h)
	}
	l.view.More += max(0, len(fields)-maxFields)
	l.view.Headers = append(l.view.Headers, g)
}

// within returns the marks that meet a span. One that points at the name of the
// field alone points at its value: the name is not in the text.
func (l *looker) within(marks []safeview.Mark, s eml.Span) []safeview.Mark {
	var out []safeview.Mark
	for _, m := range marks {
		if m.Offset < s.End() && m.Offset+m.Length > s.Offset {
			out = append(out, m)
		}
	}
	return out
}

// cutAt returns the start of the character at offset n of s.
func cutAt(s string, n int) int {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return min(n, len(s))
}

// project turns marks of a source into marks of the text derived from it.
func project(m eml.Mapped, marks []safeview.Mark) []safeview.Mark {
	if len(marks) == 0 {
		return nil
	}
	from, to := make([]int, len(marks)), make([]int, len(marks))
	for i := range from {
		from[i] = -1
	}
	limit := min(len(m.Text), maxProject)
	for i := 0; i < limit; {
		_, size := utf8.DecodeRuneInString(m.Text[i:])
		s := m.Span(i, size)
		for k := range marks {
			if s.Length > 0 && s.Offset < marks[k].Offset+marks[k].Length && s.End() > marks[k].Offset {
				if from[k] < 0 {
					from[k] = i
				}
				to[k] = i + size
			}
		}
		i += size
	}
	var out []safeview.Mark
	for k, mark := range marks {
		if from[k] < 0 {
			continue
		}
		mark.Offset, mark.Length = from[k], to[k]-from[k]
		out = append(out, mark)
	}
	return out
}

// safe shows the parts as their reader sees them.
func (l *looker) safe() {
	for _, p := range l.parts {
		text, marks := p.Text(), l.body[p.ID()]
		out := partView{ID: p.ID(), Type: p.MediaType(), Open: p.ID() == l.main || len(marks) > 0}
		out.Alternative = p.ID() != l.main && p.Parent() != nil && p.Parent().MediaType() == "multipart/alternative"
		var s safeview.View
		if p.MediaType() == "text/html" {
			hidden := hiddenPlaces(text)
			l.view.Hidden += len(hidden)
			s = safeview.HTML(text, l.options(slices.Concat(marks, hidden)))
		} else {
			out.Plain = true
			s = safeview.Text(text, l.options(marks))
		}
		out.HTML, out.Cut = s.HTML, s.Cut
		l.view.Scripts += s.Scripts
		l.view.Pictures += s.Pictures
		l.view.Links += s.Links
		l.view.Forms += s.Forms
		l.view.Embedded += s.Embedded
		l.view.Parts = append(l.view.Parts, out)
	}
}

// hiddenPlaces returns where the text of a page stands that nobody sees.
func hiddenPlaces(source string) []safeview.Mark {
	hidden := html.Read(source[:min(len(source), safeview.MaxSource)], budget.New(nil)).Hidden
	var out []safeview.Mark
	for at := 0; at < len(hidden.Text) && len(out) < maxPlaces; {
		end := at + strings.IndexAny(hidden.Text[at:]+" ", " \n")
		if end > at {
			s := hidden.Span(at, end-at)
			last := len(out) - 1
			if last >= 0 && s.Offset >= out[last].Offset+out[last].Length && strings.TrimSpace(source[out[last].Offset+out[last].Length:s.Offset]) == "" {
				out[last].Length = s.End() - out[last].Offset
			} else if s.Length > 0 {
				out = append(out, safeview.Mark{Offset: s.Offset, Length: s.Length, Hidden: true})
			}
		}
		at = end + 1
	}
	return out
}

// text shows the text alone.
func (l *looker) text() {
	for _, p := range l.parts {
		text := eml.Identity(p.Text(), 0)
		if p.MediaType() == "text/html" {
			text = html.Read(p.Text(), budget.New(nil)).Text
		}
		s := safeview.Text(text.Text, l.options(project(text, l.body[p.ID()])))
		l.view.Parts = append(l.view.Parts, partView{
			ID: p.ID(), Type: p.MediaType(), HTML: s.HTML, Plain: true, Cut: s.Cut, Open: p.ID() == l.main || len(l.body[p.ID()]) > 0,
			Alternative: p.ID() != l.main && p.Parent() != nil && p.Parent().MediaType() == "multipart/alternative",
		})
	}
}

// source shows the bytes as they were received.
func (l *looker) source(raw []byte) {
	var marks []safeview.Mark
	if l.opened.Outer {
		for _, list := range l.header {
			marks = append(marks, list...)
		}
	}
	s := raw[:min(len(raw), maxSource)]
	l.view.Cut = len(s) < len(raw)
	l.view.Source = safeview.Text(string(s), l.options(marks)).HTML
}
