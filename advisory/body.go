package advisory

import (
	"html"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// bodyText is a draft as plain text. Lines are as long as their sentences: mail
// programs wrap them to the window, and a telephone has another width.
func bodyText(lines []Line) string {
	var b strings.Builder
	n := 0
	for i, l := range lines {
		var before Kind
		if i > 0 {
			before = lines[i-1].Kind
			if gap(before, l.Kind) {
				b.WriteString("\n")
			}
		}
		switch l.Kind {
		case KindHeading:
			n = 0
			b.WriteString(l.Text)
		case KindNumber:
			n++
			b.WriteString(strconv.Itoa(n) + ". " + l.Text)
		case KindNote, KindCommand:
			b.WriteString("   " + l.Text)
		case KindItem:
			b.WriteString("- " + l.Text)
		case KindSource:
			b.WriteString("- " + l.Text)
			if l.URL != "" {
				b.WriteString("\n  " + l.URL)
			}
		default:
			b.WriteString(l.Text)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// gap reports whether an empty line parts two lines.
func gap(before, now Kind) bool {
	switch now {
	case KindHeading:
		return true
	case KindNumber, KindItem, KindSource, KindNote, KindCommand:
		return false
	case KindText:
		return before == KindGreeting || before == KindReview
	case KindDeadline, KindContact:
		return before == KindNumber || before == KindItem || before == KindSource || before == KindText || before == KindNote || before == KindCommand
	case KindPriority:
		return true
	default:
		return true
	}
}

// The styles stand in the elements, for a mail program keeps nothing else of
// what is pasted. The fonts are those that the systems have for Japanese.
const (
	styleBody    = `font-family:'Hiragino Sans','Yu Gothic UI','Noto Sans JP',Meiryo,'Segoe UI',sans-serif;font-size:14px;line-height:1.7;color:#1a1a1a;max-width:42em`
	styleP       = `margin:0 0 .6em`
	styleHeading = `margin:1.2em 0 .4em;font-size:15px;font-weight:bold`
	styleList    = `margin:0 0 .6em;padding-left:1.8em`
	styleItem    = `margin:0 0 .35em`
	styleNote    = `margin:.2em 0 0;color:#555;font-size:13px`
	styleCode    = `margin:.2em 0 0;font-family:Consolas,Menlo,monospace;font-size:13px;background:#f3f3f3;padding:.1em .4em`
	styleReview  = `margin:0 0 1em;padding:.5em .8em;border:1px solid #b26a00;background:#fff7e6;color:#5c3700`
	styleField   = `margin:0 0 .2em`
	styleHole    = `background:#ffe08a;color:#000;padding:0 .2em`
)

// bodyHTML is a draft as an HTML fragment with inline styles.
func bodyHTML(lines []Line, l lang.Language) string {
	var b strings.Builder
	b.WriteString(`<div lang="` + string(l) + `" style="` + styleBody + `">`)
	open := "" // the list that is open
	item := false
	closeItem := func() {
		if item {
			b.WriteString("</li>\n")
			item = false
		}
	}
	list := func(tag string) {
		closeItem()
		if open == tag {
			return
		}
		if open != "" {
			b.WriteString("</" + open + ">\n")
		}
		if open = tag; tag != "" {
			b.WriteString("<" + tag + ` style="` + styleList + `">` + "\n")
		}
	}
	for _, s := range lines {
		text := escape(s.Text)
		switch s.Kind {
		case KindNumber, KindItem, KindSource:
			tag := "ul"
			if s.Kind == KindNumber {
				tag = "ol"
			}
			list(tag)
			b.WriteString(`<li style="` + styleItem + `">` + text)
			if s.URL != "" {
				u := html.EscapeString(s.URL)
				b.WriteString(`<br><a href="` + u + `">` + u + `</a>`)
			}
			item = true
			continue
		case KindNote, KindCommand:
			style := styleNote
			if s.Kind == KindCommand {
				style = styleCode
			}
			b.WriteString(`<div style="` + style + `">` + text + `</div>`)
			continue
		default:
			list("")
		}
		style := styleP
		tag := "p"
		switch s.Kind {
		case KindHeading:
			tag, style = "h2", styleHeading
		case KindReview:
			style = styleReview
		case KindPriority, KindDeadline, KindContact:
			style = styleField
		default:
		}
		b.WriteString("<" + tag + ` style="` + style + `">` + text + "</" + tag + ">\n")
	}
	list("")
	b.WriteString("</div>\n")
	return b.String()
}

// escape makes text safe for HTML, keeps its line breaks, and marks its holes.
func escape(s string) string {
	s = html.EscapeString(s)
	s = strings.ReplaceAll(s, "\n", "<br>\n")
	for _, m := range []struct{ from, to string }{{html.EscapeString(holeJA), "】"}, {html.EscapeString(holeEN), "]"}} {
		s = markHoles(s, m.from, m.to)
	}
	return s
}

func markHoles(s, from, to string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, from)
		if i < 0 {
			break
		}
		j := strings.Index(s[i:], to)
		if j < 0 {
			break
		}
		j += i + len(to)
		b.WriteString(s[:i] + `<mark style="` + styleHole + `">` + s[i:j] + `</mark>`)
		s = s[j:]
	}
	b.WriteString(s)
	return b.String()
}
