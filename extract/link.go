package extract

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/html"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
)

// Source says where a link stands.
type Source string

// The sources.
const (
	FromHTML       Source = "html"
	FromText       Source = "text"
	FromHeader     Source = "header"
	FromAttachment Source = "attachment" // an attached file, or one inside it
	FromCode       Source = "qr"         // a QR code
)

// Link is one place that a message leads to. Two that lead to the same and show
// the same are one.
type Link struct {
	URL    string      // as written, relative to a base element where the page has one
	Parsed link.URL    // zero if no browser could follow it
	Steps  []link.Step // layers of rewriting that were taken off
	Target link.URL    // where it leads as far as it says so itself
	Opaque link.Rewriter
	Loop   bool // the layers contain each other

	Visible     string   // what a person sees in its place
	VisibleSpan eml.Span // of Visible in the part's text
	Title       string   // shown when the pointer rests on it

	Part   string   // ID of the part that it stands in; for a header the root's
	Span   eml.Span // of URL: in the part's text, or for a header in the raw message
	Source Source
	Name   string // the header field's name or the attachment's file name
	Inside string // the file within the attachment, where it is not the attachment itself
	Page   int    // of a document, from 1; 0: unknown
	Index  int    // the header field's place from the top, counted from 1
	Tag    string // the HTML element; empty for an address in plain text

	Image   bool // an image is what is clicked
	Hidden  bool // nobody sees it
	Outlook bool // only classic Outlook shows it
	Count   int  // how often it stands there
}

// Where returns the place as evidence names it.
func (l *Link) Where() finding.Where {
	w := finding.Where{Part: l.Part, Offset: l.Span.Offset, Length: l.Span.Length, URL: l.Parsed.String()}
	switch l.Source {
	case FromHeader:
		w.Header, w.Index = l.Name, l.Index
	case FromAttachment, FromCode:
		w.Inside = l.In()
	default: // the part says it
	}
	return w
}

// In names the attached file that the link stands in and, behind a slash, the
// one inside it; empty for what stands in the mail itself.
func (l *Link) In() string {
	switch {
	case l.Source != FromAttachment && l.Source != FromCode:
		return ""
	case l.Inside != "" && l.Name != "":
		return l.Name + "/" + l.Inside
	}
	return l.Name + l.Inside
}

// Limits on the links of one message.
const (
	maxLinks      = 20_000
	maxAttachment = 8 << 20 // bytes of a file of text that is searched
)

// headerFields are the fields whose addresses a person sees or clicks.
var headerFields = []string{"Subject", "From", "Reply-To", "List-Unsubscribe", "List-Help", "List-Archive", "List-Post", "List-Owner", "List-Subscribe", "Content-Base", "Content-Location"}

// collector gathers links, each once.
type collector struct {
	links []Link
	known map[linkKey]int
}

type linkKey struct {
	target, visible string
	source          Source
}

func (c *collector) add(l Link) {
	target := l.URL
	if u, err := link.Parse(l.URL); err == nil {
		l.Parsed = u
		res := link.Resolve(u)
		l.Steps, l.Target, l.Opaque, l.Loop = res.Steps, res.Target, res.Opaque, res.Loop
		target = l.Target.String()
	}
	l.Count = 1
	key := linkKey{target, l.Visible, ""}
	if l.Source == FromHeader {
		key.source = FromHeader // a header is not a place to click
	}
	if i, ok := c.known[key]; ok {
		c.links[i].Count++
		return
	}
	if len(c.links) >= maxLinks {
		return
	}
	c.known[key] = len(c.links)
	c.links = append(c.links, l)
}

func (r *reader) links() []Link {
	c := &collector{known: map[linkKey]int{}}
	for p := range r.m.Parts() {
		if !p.IsLeaf() {
			continue
		}
		l := Link{Part: p.ID()}
		isFile := attached(p)
		if isFile {
			l.Source, l.Name = FromAttachment, p.Filename()
			if !r.searchable(p) {
				r.fromFile(c, l, p)
				continue
			}
		}
		switch {
		case isFile && (r.detect(p).Type == filetype.HTML || r.detect(p).Type == filetype.SVG) || !isFile && isHTML(p):
			if !isFile {
				l.Source = FromHTML
			}
			r.fromPage(c, l, r.page(p))
			if isFile {
				r.fromFile(c, l, p)
			} else {
				r.drawn(c, l, p)
			}
		case isFile || p.IsText():
			if !isFile {
				l.Source = FromText
			}
			if !r.budget.Spend(len(p.Text())) {
				return c.links
			}
			fromText(c, l, eml.Identity(p.Text(), 0), nil)
			if isFile {
				r.fromFile(c, l, p)
			} else {
				r.drawn(c, l, p)
			}
		}
	}
	r.fromHeader(c)
	return c.links
}

// searchable reports whether an attached file is text.
func (r *reader) searchable(p *eml.Part) bool {
	if len(p.Content()) > maxAttachment {
		return false
	}
	t := r.detect(p).Type
	switch t {
	case filetype.Text, filetype.SVG, filetype.ICS, filetype.VCF, "url", "csv", "json":
		return true
	default:
		return t.Class() == filetype.Markup || t.Class() == filetype.Script
	}
}

// fromPage lists the links of a page, and the addresses in its text that are no
// links.
func (r *reader) fromPage(c *collector, l Link, p *html.Page) {
	base, err := link.Parse(p.Base)
	based := err == nil && base.IsWeb()
	var covered []eml.Span
	for i := range p.Links {
		h := &p.Links[i]
		if h.Tag == "base" || h.URL == "" || h.URL[0] == '#' {
			continue
		}
		n := l
		n.URL, n.Span, n.Tag, n.Title = h.URL, h.Where, h.Tag, h.Title
		n.Visible, n.VisibleSpan = h.Visible.Text, h.Visible.Span(0, len(h.Visible.Text))
		n.Image, n.Hidden, n.Outlook = h.Image, h.Hidden, h.Outlook
		if based {
			if _, err := link.Parse(h.URL); err != nil {
				if u, err := link.Join(base, h.URL); err == nil {
					n.URL = u.String()
				}
			}
		}
		c.add(n)
		if n.VisibleSpan.Length > 0 {
			covered = append(covered, n.VisibleSpan)
		}
	}
	slices.SortFunc(covered, func(a, b eml.Span) int { return a.Offset - b.Offset })
	fromText(c, l, p.Text, covered)
}

// fromText lists the addresses in a text but for those that stand in one of the
// covered stretches of its source, which are sorted.
func fromText(c *collector, l Link, m eml.Mapped, covered []eml.Span) {
	for _, u := range text.URLs(m.Text) {
		l.URL, l.Span = u.URL, m.Span(u.Offset, u.Length)
		i, exact := slices.BinarySearchFunc(covered, l.Span.Offset, func(s eml.Span, at int) int { return s.Offset - at })
		if exact || i > 0 && covered[i-1].End() > l.Span.Offset {
			continue
		}
		l.Visible, l.VisibleSpan = m.Text[u.Offset:u.Offset+u.Length], l.Span
		c.add(l)
	}
}

func (r *reader) fromHeader(c *collector) {
	for _, name := range headerFields {
		for i, f := range r.m.Header().All(name) {
			if i == 20 {
				break
			}
			fromText(c, Link{Part: r.m.Root().ID(), Source: FromHeader, Name: f.Name(), Index: f.Index()}, f.Text(), nil)
		}
	}
}

// DeceptionKind says how sure a deception is.
type DeceptionKind string

// The kinds.
const (
	// Elsewhere: the text shows an address and the link leads to another
	// organisation.
	Elsewhere DeceptionKind = "elsewhere"

	// Unverifiable: the link leads to a service that knows the target and
	// does not tell it, such as a tracker or a shortener.
	Unverifiable DeceptionKind = "unverifiable"

	// Detour: the link leads to somebody else, who is told to lead on to what
	// is shown. Mail tracking works like this, and so do traps.
	Detour DeceptionKind = "detour"
)

// Deception is a difference between what a link shows and where it leads.
type Deception struct {
	Kind   DeceptionKind
	Shown  string // host that the text shows
	Actual string // host that the link leads to
}

// Deceptive compares the address that a person reads in the link's text with
// where it leads. ok is true only for [Elsewhere]; for the other kinds nobody
// can tell.
//
// A text shows an address if it holds one with a scheme or "www.", or consists
// of a host name. Hosts are the same if one organisation registered both.
func (l *Link) Deceptive() (d Deception, ok bool) {
	if l.Source == FromHeader || l.Tag == "" || !l.Target.IsWeb() {
		return Deception{}, false
	}
	shown, found := shownURL(l.Visible)
	if !found {
		return Deception{}, false
	}
	visible := link.Resolve(shown)
	shown = visible.Target
	d = Deception{Shown: shown.Hostname(), Actual: l.Target.Hostname()}
	same := sameOrganization(shown, l.Target)
	switch {
	case same && !l.detour(shown, &d):
		return Deception{}, false
	case same:
		d.Kind = Detour
		return d, false
	case l.Opaque != "" || visible.Opaque != "":
		d.Kind = Unverifiable
		return d, false
	}
	d.Kind = Elsewhere
	return d, true
}

// detour looks for a host on the way that is neither known nor shown.
func (l *Link) detour(shown link.URL, d *Deception) bool {
	from := l.Parsed
	for _, s := range l.Steps {
		if !s.Rewriter.Vouched() && !sameOrganization(shown, from) {
			d.Actual = from.Hostname()
			return true
		}
		from = s.URL
	}
	return false
}

func sameOrganization(a, b link.URL) bool {
	if a.IP.IsValid() || b.IP.IsValid() {
		return a.IP == b.IP
	}
	return a.Organizational() == b.Organizational()
}

// maxVisible is how much of a link's text is searched for an address.
const maxVisible = 2 << 10

// shownURL returns the first address that a link's text shows.
func shownURL(visible string) (link.URL, bool) {
	visible = strings.TrimSpace(visible[:min(len(visible), maxVisible)])
	for _, u := range text.URLs(visible) {
		whole := u.Offset <= 1 && u.Offset+u.Length >= len(visible)-2
		written := visible[u.Offset : u.Offset+u.Length]
		if u.Bare && !whole && !strings.HasPrefix(strings.ToLower(written), "www.") {
			continue
		}
		if p, err := link.Parse(u.URL); err == nil && p.IsWeb() {
			return p, true
		}
	}
	return link.URL{}, false
}
