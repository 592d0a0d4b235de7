package file

import (
	"strings"

	"golang.org/x/net/html"
)

// Bounds on what is read of one page.
const (
	maxPage    = 8 << 20
	maxScripts = 100
	maxTags    = 20_000
	maxInlines = 30
)

// Markup is what a page consists of, shown or not.
type Markup struct {
	Title   string
	Scripts []PageScript
	Tags    []string // of the elements, each name once, in order
	Styles  []string // of span elements
	Inline  [][]byte // pictures that stand in the page
}

// PageScript is a script element.
type PageScript struct {
	Language string
	Type     string
	Src      string
	Source   string
}

// Markup returns what the page consists of, nil if the file is none.
func (f *File) Markup() *Markup {
	if f.once("markup") && (f.isMarkup() || f.Type == "xml") {
		s := f.text()
		if len(s) > maxPage || !f.tree.budget.Spend(4*len(s)) {
			f.memo.cut = true
			return nil
		}
		f.memo.markup = readMarkup(s)
	}
	return f.memo.markup
}

func readMarkup(s string) *Markup {
	m := &Markup{}
	z := html.NewTokenizer(strings.NewReader(s))
	z.SetMaxBuf(maxPage)
	seen := map[string]bool{}
	inScript, inTitle := false, false
	for range 50 * maxTags {
		switch z.Next() {
		case html.ErrorToken:
			return m
		case html.TextToken:
			if inScript && len(m.Scripts) > 0 {
				m.Scripts[len(m.Scripts)-1].Source += string(z.Text())
			}
			if inTitle && len(m.Title) < 4<<10 {
				m.Title += string(z.Text())
			}
		case html.EndTagToken:
			inScript, inTitle = false, false
		case html.StartTagToken, html.SelfClosingTagToken:
			raw, more := z.TagName()
			name := string(raw)
			if !seen[name] && len(m.Tags) < maxTags && len(name) < 100 {
				seen[name] = true
				m.Tags = append(m.Tags, name)
			}
			var p PageScript
			for more {
				var key, value []byte
				key, value, more = z.TagAttr()
				switch k := string(key); {
				case name == "script" && k == "language":
					p.Language = string(value)
				case name == "script" && k == "type":
					p.Type = string(value)
				case name == "script" && (k == "src" || k == "href" || k == "xlink:href"):
					p.Src = string(value)
				case name == "span" && k == "style" && len(m.Styles) < 1000:
					m.Styles = append(m.Styles, string(value))
				case (k == "src" || k == "href" || k == "xlink:href") && len(m.Inline) < maxInlines && len(value) > 100:
					if b := inline(string(value)); b != nil {
						m.Inline = append(m.Inline, b)
					}
				}
			}
			inTitle = name == "title" && m.Title == ""
			inScript = false
			if name == "script" && len(m.Scripts) < maxScripts {
				m.Scripts = append(m.Scripts, p)
				inScript = true
			}
		}
	}
	return m
}
