package feed

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/news"
)

// add completes an item and keeps it. key identifies it within its source; an
// item without one is known by what it says.
func (r *reader) add(it news.Item, key string) {
	if len(r.doc.Items) >= MaxItems {
		r.defect(ItemsDropped, strconv.Itoa(MaxItems))
		return
	}
	if it.Title == "" {
		it.Title = firstLine(it.Text)
	}
	if it.Title == "" {
		r.defect(NoTitle, "")
		return
	}
	if len(it.Title) > maxTitle {
		it.Title = cut(it.Title, maxTitle) + "…"
	}
	if len(it.Text) > maxText {
		it.Text = cut(it.Text, maxText)
		r.defect(TextCut, it.Title)
	}
	if key = line(clean(key)); key == "" {
		key = news.Snapshot([]byte(it.Title + "\n" + it.Text))
	}
	if len(key) > 500 {
		key = news.Snapshot([]byte(key))
	}
	it.Source, it.Key, it.Snapshot = r.o.Source, key, r.doc.Snapshot
	it.ID = news.NewItemID(it.Source, it.Key)
	if r.seen[it.ID] {
		r.defect(Doubled, cut(key, 100))
		return
	}
	r.seen[it.ID] = true
	if it.Lang = r.doc.Lang; it.Lang == "" || r.o.Lang == "" {
		if own := news.LanguageOf(it.Title + "\n" + cut(it.Text, 2000)); it.Lang == "" || own != it.Lang {
			it.Lang = own
		}
	}
	it.CVEs = append(it.CVEs, news.CVEs(it.Title, it.Text)...)
	slices.Sort(it.CVEs)
	it.CVEs = slices.Compact(it.CVEs)
	it.CVEs = it.CVEs[:min(len(it.CVEs), maxCVEs)]
	if len(it.CVEs) == 0 {
		it.CVEs = nil
	}
	r.doc.Items = append(r.doc.Items, it)
}

// product adds a product that an item concerns, once.
func (r *reader) product(it *news.Item, p news.Product) {
	if p.Name == "" && p.CPE == "" || len(it.Products) >= maxProducts {
		return
	}
	if p.Name == "" {
		p.Name = p.CPE
	}
	// The list is short or sorted by the source; equal entries are neighbours.
	if n := len(it.Products); n > 0 && it.Products[n-1] == p {
		return
	}
	it.Products = append(it.Products, p)
}

func (r *reader) reference(it *news.Item, ref news.Reference) {
	if len(it.References) < maxRefs && !slices.ContainsFunc(it.References, func(o news.Reference) bool { return o.URL == ref.URL }) {
		it.References = append(it.References, ref)
	}
}

// link returns an absolute http or https address, resolved against base or the
// address of the document, or "".
func (r *reader) link(s, base string) string {
	s = strings.TrimSpace(clean(s))
	if s == "" || len(s) > 4000 {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil {
		r.defect(BadLink, cut(s, 100))
		return ""
	}
	for _, b := range [...]string{base, r.o.URL} {
		if u.IsAbs() {
			break
		}
		if bu, err := url.Parse(strings.TrimSpace(b)); err == nil && bu.IsAbs() && bu.Host != "" {
			u = bu.ResolveReference(u)
		}
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		r.defect(BadLink, cut(s, 100))
		return ""
	}
	return u.String()
}

// shown is [visible] that notes when something was hidden.
func (r *reader) shown(s string) string {
	text, hidden := visibleText(s)
	if hidden {
		r.defect(HiddenText, "")
	}
	return text
}

// visible returns what a reader sees of s, which may be HTML.
func visible(s string) string {
	text, _ := visibleText(s)
	return text
}

// visibleText returns what a reader sees of s, and whether there was more.
func visibleText(s string) (text string, hidden bool) {
	if s == "" {
		return "", false
	}
	if len(s) > MaxPage {
		s = cut(s, MaxPage)
	}
	if !strings.ContainsAny(s, "<&") {
		return clean(s), false
	}
	return fragment(s)
}

// budgetFor bounds the work on an HTML text.
func budgetFor(s string) *budget.Budget {
	b := budget.New(nil)
	b.Cost = int64(len(s))*64 + 1<<20
	return b
}

// clean takes out of a text what has no shape and could carry words that nobody
// sees: zero-width and bidirectional controls, tags, variation selectors, and
// control characters. Lines stay lines.
func clean(s string) string {
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' || c == 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSpace(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	blank := 0
	for _, r := range strings.ReplaceAll(s, "\r\n", "\n") {
		switch {
		case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			if blank++; blank <= 2 {
				b.WriteByte('\n')
			}
			continue
		case r == '\t' || r == '\u00a0':
			r = ' '
		case unicode.Is(unicode.Cc, r), shapeless(r):
			continue
		}
		if r != ' ' {
			blank = 0
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// shapeless reports whether r is drawn as nothing: Unicode's
// Default_Ignorable_Code_Point and the other format characters.
func shapeless(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), unicode.Is(unicode.Co, r):
		return true
	case r == 0x34f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r >= 0x17b4 && r <= 0x17b5, r >= 0x2060 && r <= 0x206f, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// line makes one line of a text.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// firstLine returns the first line of a text, cut to the length of a title.
func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if len(s) > 200 {
		s = cut(s, 200) + "…"
	}
	return line(s)
}

// cut returns at most n bytes of s, cut at a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
