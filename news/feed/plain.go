package feed

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/fact"
)

// text reads an article in plain text or Markdown.
func (r *reader) text(raw []byte) error {
	if r.changes(raw) {
		return nil
	}
	if r.o.Want == Feed {
		return fault(Unrecognised, "plain text")
	}
	if len(raw) > MaxPage {
		return fault(TooLarge, "a text of %d bytes", len(raw))
	}
	s := string(raw)
	head, s := frontMatter(s)
	if hasMarkup(s) {
		// Markdown may hold HTML, and HTML may hide words.
		s = r.shown(strings.ReplaceAll(s, "\n", "<br>\n"))
	} else {
		s = clean(s)
	}
	it := news.Item{Kind: news.Article, Title: head["title"], Published: r.pageDate(head["date"])}
	it.Title, it.Text = plainArticle(it.Title, s)
	if it.Published.IsZero() {
		it.Published = dateline(it.Text)
	}
	if it.Text == "" && it.Title == "" {
		return fault(Empty, "a text that shows nothing")
	}
	if r.doc.Lang == "" {
		r.doc.Lang = language(head["lang"])
	}
	if it.Link = r.link(cmp.Or(head["url"], head["link"]), ""); it.Link == "" && strings.HasPrefix(r.o.URL, "http") {
		it.Link = r.link(r.o.URL, "")
	}
	r.doc.Format, r.doc.Title, r.doc.Link = Plain, it.Title, it.Link
	r.add(it, cmp.Or(news.CanonicalLink(it.Link), r.o.URL))
	return nil
}

// hasMarkup reports whether a text holds tags or character references.
func hasMarkup(s string) bool {
	for i := 0; ; i++ {
		n := strings.IndexAny(s[i:], "<&")
		if n < 0 || i+n+1 >= len(s) {
			return false
		}
		i += n
		c := s[i+1]
		if s[i] == '<' && (c == '!' || c == '/' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') || s[i] == '&' && (c == '#' || c >= 'a' && c <= 'z') {
			return true
		}
	}
}

// frontMatter reads the lines "key: value" between two lines "---" at the top.
func frontMatter(s string) (map[string]string, string) {
	head := map[string]string{}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	rest, ok := strings.CutPrefix(s, "---\n")
	if !ok {
		return head, s
	}
	block, body, ok := strings.Cut(rest, "\n---")
	if !ok || len(block) > 4000 {
		return head, s
	}
	for l := range strings.SplitSeq(block, "\n") {
		k, v, ok := strings.Cut(l, ":")
		if !ok {
			continue
		}
		k = strings.ToLower(strings.TrimSpace(k))
		if k == "published" {
			k = "date"
		}
		head[k] = line(clean(strings.Trim(strings.TrimSpace(v), `"'`)))
	}
	return head, strings.TrimLeft(body, "-\n ")
}

// plainArticle takes the title off a text if it has none yet, and joins the
// lines of its paragraphs.
func plainArticle(title, s string) (string, string) {
	var out []string
	open := false // the last line may go on
	for l := range strings.SplitSeq(s, "\n") {
		l = strings.TrimSpace(l)
		bare := strings.TrimSpace(strings.TrimLeft(l, "#"))
		heading := bare != l && strings.HasPrefix(l, "#")
		switch {
		case l == "" || strings.Trim(l, "=-*_") == "":
			open = false
			continue
		case title == "" && (heading || len(out) == 0 && len(l) <= 300):
			title, open = plainLine(bare), false
			continue
		}
		item := strings.HasPrefix(l, "- ") || strings.HasPrefix(l, "* ") || strings.HasPrefix(l, "・") || strings.HasPrefix(l, "■") || numbered(l)
		l = plainLine(bare)
		if open && !item && !heading && len(out) > 0 && len(out[len(out)-1]) < 2000 {
			last := out[len(out)-1]
			a, _ := utf8.DecodeLastRuneInString(last)
			b, _ := utf8.DecodeRuneInString(l)
			gap := " "
			if a >= 0x2e80 && b >= 0x2e80 {
				gap = ""
			}
			out[len(out)-1] = last + gap + l
		} else {
			out = append(out, l)
		}
		open = !heading
	}
	return title, strings.Join(out, "\n")
}

// numbered reports whether a line is an entry of a numbered list.
func numbered(l string) bool {
	rest := strings.TrimLeft(l, "0123456789")
	return len(rest) < len(l) && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

// plainLine takes emphasis and links out of a line of Markdown.
func plainLine(l string) string {
	l = strings.NewReplacer("**", "", "__", "", "`", "").Replace(l)
	if !strings.Contains(l, "](") {
		return l
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(l, "](")
		if !ok {
			b.WriteString(l)
			return b.String()
		}
		i := strings.LastIndexByte(before, '[')
		end := strings.IndexByte(rest, ')')
		if i < 0 || end < 0 {
			b.WriteString(before + "](")
			l = rest
			continue
		}
		if i > 0 && before[i-1] == '!' {
			b.WriteString(before[:i-1]) // an image: its text is not shown
		} else {
			b.WriteString(before[:i] + before[i+1:])
		}
		l = rest[end+1:]
	}
}

// dateline returns the date that a short line at the top of an article gives, as
// in "Example News, 2 April 2025", or the zero time.
func dateline(text string) time.Time {
	for range 4 {
		first, rest, more := strings.Cut(text, "\n")
		facts := fact.Extract(&fact.Input{Text: cut(first, 400)}, nil)
		for _, d := range facts.Of(fact.Date) {
			n := d.Evidence[0].Sentence
			short := n == 1 && utf8.RuneCountInString(facts.Sentences[n]) <= 60
			if short && !d.From.IsZero() && d.From.Equal(d.To) && d.Role != fact.Deadline && d.Role != fact.Effective {
				return d.From
			}
		}
		if !more {
			break
		}
		text = rest
	}
	return time.Time{}
}
