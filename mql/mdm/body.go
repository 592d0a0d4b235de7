package mdm

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	page "github.com/sekisho/sekisho/extract/html"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	bodyShape     = value.NewShape("Body", "current_thread", "previous_threads", "html", "plain", "links", "ips")
	htmlShape     = value.NewShape("BodyHTML", "raw", "display_text", "inner_text", "links", "charset", "content_transfer_encoding")
	plainShape    = value.NewShape("Plain", "raw", "links", "charset", "content_transfer_encoding")
	threadShape   = value.NewShape("Thread", "text", "links", "banners", "preamble")
	previousShape = value.NewShape("PreviousThread", "index", "text", "links", "banners", "preamble", "sender", "recipients", "subject", "date")
	bannerShape   = value.NewShape("Banner", "text", "links")
)

// body builds a member of body.
func (m *Model) body(name string) value.Value {
	switch name {
	case "current_thread":
		return m.currentThread()
	case "previous_threads":
		return value.Of(value.LazyList(m.previousThreads))
	case "html":
		if p := m.textPart(true); p != nil {
			return m.htmlValue(p)
		}
		return value.Null
	case "plain":
		p := m.textPart(false)
		if p == nil {
			return value.Null
		}
		return value.Of(plainShape.Lazy(func(name string) value.Value {
			switch name {
			case "raw":
				return partText(p.ID(), eml.Identity(p.Text(), 0))
			case "links":
				return m.links(func(l *extract.Link) bool { return l.Part == p.ID() })
			case "charset":
				return value.OptString(p.Charset())
			}
			return value.OptString(p.Encoding())
		}))
	case "links":
		return m.links(func(*extract.Link) bool { return true })
	}
	return value.Of(value.LazyList(m.bodyIPs))
}

// textPart returns the first part of the message that is shown as HTML, or as
// plain text; nil if there is none.
func (m *Model) textPart(isHTML bool) *eml.Part {
	for p := range m.in.Mail.Parts() {
		if p.IsLeaf() && p.IsText() && !p.IsAttachment() && (p.MediaType() == "text/html" || p.MediaType() == "application/xhtml+xml") == isHTML {
			if isHTML || p.MediaType() == "text/plain" {
				return p
			}
		}
	}
	return nil
}

// links returns the links of the body for which keep returns true.
func (m *Model) links(keep func(*extract.Link) bool) value.Value {
	return value.Of(value.LazyList(func() []value.Value {
		var out []value.Value
		all := m.read().Links
		for i := range all {
			if l := &all[i]; l.Source != extract.FromAttachment && keep(l) {
				if v, ok := m.linkValue(l); ok {
					out = append(out, v)
				}
			}
		}
		return out
	}))
}

// linkValue makes each link once, so that what is kept for a link is found
// again wherever a rule meets it.
func (m *Model) linkValue(l *extract.Link) (v value.Value, ok bool) {
	if v, ok = m.made[l]; ok {
		return v, !v.IsNull()
	}
	v, ok = linkValue(l)
	if m.made == nil {
		m.made = map[*extract.Link]value.Value{}
	}
	m.made[l] = v
	return v, ok
}

// currentThread is what the sender wrote. Its text is null if the message has
// no text at all.
func (m *Model) currentThread() value.Value {
	return value.Of(threadShape.Lazy(func(name string) value.Value {
		b := m.read().Body
		switch name {
		case "text":
			if b.Part == "" {
				return value.Null
			}
			_, t := banner(b.Thread.Current)
			return partText(b.Part, t)
		case "links":
			if b.Part == "" {
				return value.Array()
			}
			from, to := m.stretch(-1)
			return m.links(func(l *extract.Link) bool {
				s := at(l)
				return l.Part == b.Part && s.Offset >= from && s.Offset < to
			})
		case "banners":
			if w, _ := banner(b.Thread.Current); w.Text != "" {
				return value.Array(value.Of(bannerShape.New(partText(b.Part, w), value.Array())))
			}
			return value.Array()
		}
		return value.Null
	}))
}

// stretch returns the bytes of the body's part that belong to a quoted message,
// or to the current one for -1: from where it begins to where the next one does.
func (m *Model) stretch(i int) (from, to int) {
	b := m.read().Body
	start := func(q *text.Quote) int {
		s := q.Body.Span(0, len(q.Body.Text)).Offset
		for _, f := range q.Header {
			if v := f.Value.Span(0, len(f.Value.Text)); v.Offset > 0 {
				s = min(s, v.Offset)
			}
		}
		return s
	}
	to = len(m.in.Mail.Part(b.Part).Text()) + 1
	if i >= 0 {
		from = start(&b.Thread.Quoted[i])
	}
	if i+1 < len(b.Thread.Quoted) {
		to = max(from, start(&b.Thread.Quoted[i+1]))
	}
	return from, to
}

// banners of mail gateways: a first paragraph that begins like this warns and
// is not the sender's.
var bannerWords = []string{
	"[external", "external email", "external sender", "external message", "caution: external", "caution: this email originated",
	"caution: this message", "warning: external", "warning - external", "warning: this email", "this email originated from outside", "this message originated from outside",
	"you don't often get email from", "you don’t often get email from", "【外部", "[外部", "社外から", "このメールは組織外", "このメールは社外", "注意:外部", "注意：外部",
}

// maxBanner is the longest first paragraph that is read as a banner, in bytes.
const maxBanner = 600

// banner parts a warning that a gateway put above the text from the text.
func banner(t eml.Mapped) (warning, rest eml.Mapped) {
	s := strings.TrimLeft(t.Text, " \t\r\n*-_=")
	from := len(t.Text) - len(s)
	start := strings.ToLower(s[:min(len(s), 80)])
	found := false
	for _, w := range bannerWords {
		if found = strings.HasPrefix(start, w); found {
			break
		}
	}
	if !found {
		return eml.Mapped{}, t
	}
	end := strings.Index(s[:min(len(s), maxBanner)], "\n\n")
	if end < 0 {
		if end = strings.IndexByte(s[:min(len(s), maxBanner)], '\n'); end < 0 {
			return eml.Mapped{}, t
		}
	}
	return t.Slice(from, from+end), t.Slice(from+end, len(t.Text)).TrimSpace()
}

func (m *Model) previousThreads() []value.Value {
	b := m.read().Body
	out := make([]value.Value, len(b.Thread.Quoted))
	for i := range b.Thread.Quoted {
		q := &b.Thread.Quoted[i]
		out[i] = value.Of(previousShape.Lazy(func(name string) value.Value {
			switch name {
			case "index":
				return value.Int(int64(i))
			case "text":
				return partText(b.Part, q.Body)
			case "links":
				from, to := m.stretch(i)
				return m.links(func(l *extract.Link) bool {
					s := at(l)
					return l.Part == b.Part && s.Offset >= from && s.Offset < to
				})
			case "banners":
				return value.Array()
			case "preamble":
				return preamble(b.Part, q)
			case "sender":
				return quotedMailbox(q.From, nil)
			case "recipients":
				return value.Of(recipientsShape.New(quotedMailboxes(b.Part, q, text.To), quotedMailboxes(b.Part, q, text.Cc), value.Array()))
			case "subject":
				return quotedSubject(b.Part, q)
			case "date":
				return value.OptString(q.Sent)
			}
			return value.Null
		}))
	}
	return out
}

// preamble is the header of a quoted message as one text.
func preamble(part string, q *text.Quote) value.Value {
	if len(q.Header) == 0 {
		return value.Null
	}
	var b strings.Builder
	for i, f := range q.Header {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(f.Name) + ": " + f.Value.Text)
	}
	first, last := q.Header[0].Value, q.Header[len(q.Header)-1].Value
	from := first.Span(0, len(first.Text))
	to := last.Span(0, len(last.Text))
	return value.Text(b.String(), value.Place(finding.Where{Part: part, Offset: from.Offset, Length: max(0, to.End()-from.Offset)}))
}

func quotedMailbox(b text.Mailbox, o value.Origin) value.Value {
	if b.Name == "" && b.Addr == "" {
		return value.Null
	}
	name := value.Null
	if b.Name != "" {
		name = value.Text(b.Name, o)
	}
	i := strings.LastIndexByte(b.Addr, '@')
	email := emailValue("", "", o)
	if i > 0 {
		email = emailValue(b.Addr[:i], b.Addr[i+1:], o)
	}
	return value.Of(mailboxShape.New(name, email).At(o))
}

// maxQuotedMailboxes bounds the recipients that are read of one quoted header.
const maxQuotedMailboxes = 200

// quotedMailboxes reads "Name <address>; Name" as header blocks list people.
func quotedMailboxes(part string, q *text.Quote, field text.FieldName) value.Value {
	var out []value.Value
	for _, f := range q.Header {
		if f.Name != field {
			continue
		}
		sep := ";"
		if !strings.Contains(f.Value.Text, ";") {
			sep = ","
		}
		for s := range strings.SplitSeq(f.Value.Text, sep) {
			if s = strings.TrimSpace(s); s == "" || len(out) == maxQuotedMailboxes {
				continue
			}
			b := text.Mailbox{Name: strings.Trim(s, `"' `)}
			if i := strings.LastIndexByte(s, '<'); i >= 0 {
				b = text.Mailbox{Name: strings.Trim(s[:i], `"' `), Addr: strings.Trim(s[i:], "<> ")}
			} else if strings.Contains(s, "@") && !strings.Contains(s, " ") {
				b = text.Mailbox{Addr: strings.TrimPrefix(s, "mailto:")}
			}
			span := f.Value.Span(0, len(f.Value.Text))
			out = append(out, quotedMailbox(b, value.Place(finding.Where{Part: part, Offset: span.Offset, Length: span.Length})))
		}
	}
	return value.Array(out...)
}

func quotedSubject(part string, q *text.Quote) value.Value {
	for _, f := range q.Header {
		if f.Name == text.Subject {
			return subjectValue(f.Value, partText(part, f.Value), func(t eml.Mapped) value.Value { return partText(part, t) })
		}
	}
	if q.Subject == "" {
		return value.Of(subjectShape.New())
	}
	t := eml.Mapped{Text: q.Subject}
	return subjectValue(t, value.String(q.Subject), func(t eml.Mapped) value.Value { return value.String(t.Text) })
}

// htmlValue is the HTML of a part.
func (m *Model) htmlValue(p *eml.Part) value.Value {
	if v, ok := m.pages[p.ID()]; ok {
		return v
	}
	v := value.Of(htmlShape.Lazy(func(name string) value.Value {
		switch name {
		case "raw":
			return partText(p.ID(), eml.Identity(p.Text(), 0))
		case "display_text":
			var shown eml.Mapped
			if b := m.read().Body; b.Part == p.ID() && b.Page != nil {
				shown = b.Page.Text
			} else if m.in.Budget.Spend(pageCost * len(p.Text())) {
				shown = page.Read(p.Text(), m.in.Budget).Text
			}
			return asciiText(p.ID(), shown)
		case "inner_text":
			o := value.Place(finding.Where{Part: p.ID(), Length: len(p.Text())})
			return value.Text(m.innerText(p.Text()), o)
		case "links":
			return m.links(func(l *extract.Link) bool { return l.Part == p.ID() })
		case "charset":
			return value.OptString(p.Charset())
		}
		return value.OptString(p.Encoding())
	}).For(htmlSource{text: p.Text(), part: p.ID()}))
	if m.pages == nil {
		m.pages = map[string]value.Value{}
	}
	m.pages[p.ID()] = v
	return v
}

// htmlSource is what an HTML object was made from.
type htmlSource struct {
	text string
	part string // where it stands; empty if it was computed
}

// htmlOf reads a text that was computed as HTML.
func (m *Model) htmlOf(in value.Value, raw string) value.Value {
	var shown *page.Page
	return value.Of(htmlShape.Lazy(func(name string) value.Value {
		switch name {
		case "raw":
			return value.String(raw).From(in)
		case "display_text", "links":
			if shown == nil {
				if !m.in.Budget.Spend(pageCost * len(raw)) {
					return value.Missing(outOfBudget)
				}
				shown = page.Read(raw, m.in.Budget)
			}
			if name == "links" {
				return m.pageLinks(in, shown)
			}
			return value.String(toASCII(shown.Text.Text)).From(in)
		case "inner_text":
			return value.String(m.innerText(raw)).From(in)
		}
		return value.Null
	}).For(htmlSource{text: raw}))
}

// pageLinks lists what a page that is no part of the message leads to.
func (m *Model) pageLinks(in value.Value, p *page.Page) value.Value {
	return value.Of(value.LazyList(func() []value.Value {
		var out []value.Value
		for i := range p.Links {
			h := &p.Links[i]
			l := &extract.Link{URL: h.URL, Visible: h.Visible.Text, Source: extract.FromHTML, Tag: h.Tag, Image: h.Image, Hidden: h.Hidden}
			u, err := link.Parse(h.URL)
			if err != nil {
				continue
			}
			l.Parsed = u
			if v, ok := linkValue(l); ok {
				out = append(out, v)
			}
		}
		return out
	}))
}

// asciiText replaces each character beyond ASCII by a space, as the model
// describes display_text.
func asciiText(part string, t eml.Mapped) value.Value {
	s := toASCII(t.Text)
	if len(s) == len(t.Text) {
		return partText(part, eml.Mapped(t))
	}
	return value.Text(s, &asciiOrigin{part: part, shown: t})
}

func toASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return ' '
		}
		return r
	}, s)
}

// asciiOrigin leads from characters, each one byte, to the text that they were
// made from.
type asciiOrigin struct {
	part  string
	shown eml.Mapped
}

// Where implements [value.Origin].
func (o *asciiOrigin) Where(offset, length int) finding.Where {
	from, to, n := len(o.shown.Text), len(o.shown.Text), 0
	for i := range o.shown.Text {
		if n == offset {
			from = i
		}
		if n == offset+length {
			to = i
			break
		}
		n++
	}
	s := o.shown.Span(from, max(0, to-from))
	return finding.Where{Part: o.part, Offset: s.Offset, Length: s.Length}
}

// innerText is the text of an HTML document without its tags, scripts and style
// sheets, shown or not. White space is folded; a block begins a line.
func (m *Model) innerText(raw string) string {
	if !m.in.Budget.Spend(pageCost * len(raw)) {
		return ""
	}
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(raw))
	z.SetMaxBuf(1 << 20)
	skip := ""
	last := byte('\n')
	write := func(s string) {
		for w := range strings.FieldsSeq(s) {
			if last != '\n' && last != ' ' {
				b.WriteByte(' ')
			}
			b.WriteString(w)
			last = 'x'
		}
	}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			if skip == "" {
				t := string(z.Text())
				if last == 'x' && strings.TrimLeft(t, " \t\r\n\f") != t {
					b.WriteByte(' ')
					last = ' '
				}
				joined := last == 'x'
				if joined {
					// No white space between this text and the one before.
					last = ' '
				}
				write(t)
				if strings.TrimRight(t, " \t\r\n\f") != t && last == 'x' {
					b.WriteByte(' ')
					last = ' '
				} else if joined && last == ' ' {
					last = 'x'
				}
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch n := string(name); n {
			case "script", "style":
				skip = n
			default:
				if isBlock[n] && last != '\n' {
					b.WriteByte('\n')
					last = '\n'
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			n := string(name)
			if n == skip {
				skip = ""
			}
			if isBlock[n] && last != '\n' {
				b.WriteByte('\n')
				last = '\n'
			}
		}
	}
}

// isBlock are the elements that begin a line.
var isBlock = map[string]bool{
	"address": true, "article": true, "blockquote": true, "body": true, "br": true, "center": true, "dd": true, "div": true, "dl": true, "dt": true,
	"fieldset": true, "footer": true, "form": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "head": true, "header": true,
	"hr": true, "html": true, "li": true, "main": true, "nav": true, "ol": true, "p": true, "pre": true, "section": true, "table": true, "tbody": true,
	"td": true, "tfoot": true, "th": true, "thead": true, "title": true, "tr": true, "ul": true,
}

// maxIPs bounds the addresses that are read of one body.
const maxIPs = 200

// bodyIPs are the IPv4 addresses in the text of the body, each once.
func (m *Model) bodyIPs() []value.Value {
	var out []value.Value
	seen := map[netip.Addr]bool{}
	b := m.read().Body
	s := b.Text.Text
	for i := 0; i < len(s) && len(out) < maxIPs; {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		to := i
		for to < len(s) && (s[to] >= '0' && s[to] <= '9' || s[to] == '.') {
			to++
		}
		if word := strings.TrimRight(s[i:to], "."); len(word) <= 15 {
			if a, err := netip.ParseAddr(word); err == nil && !seen[a] {
				seen[a] = true
				span := b.Text.Span(i, len(word))
				out = append(out, ipValue(a, value.Place(finding.Where{Part: b.Part, Offset: span.Offset, Length: span.Length})))
			}
		}
		i = to
	}
	return out
}
