package console

import (
	"fmt"
	"html/template"
	"net/url"
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/internal/console/safeview"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// pageFuncs are further functions of templates: those for words that others
// wrote.
//
//	seen .Subject      text with what cannot be seen written as its code
//	address .URL       an address that nothing makes a link of
//	word .Verdict      the word of a verdict alone
//	minus 5 3          a difference
//	named "SPF" .SPF   a result of authentication under a name
//	of .ID .           something with the ID of what it belongs to
//	day .Due           a deadline as a date, nil for none
//	web .Link          whether a browser may follow a link
//	lint .Severity     symbol and word of a remark
//	acting "approve" .Form   the field in which somebody gives a name
//	langs              both languages
//	K "patch.status" .Status  words of the catalogue below a key that is not the console's
//	state .State, class .Class  symbol of a requirement's state, symbol and word of a sender
//	number .N, share .N .Of     numbers of 64 bits
func (c *Console) pageFuncs(l lang.Language) template.FuncMap {
	say := func(m lang.Message) string { return c.Words.Say(l, m) }
	shown := func(s string) template.HTML {
		return safeview.Text(cutText(s), &safeview.Options{Say: say}).HTML
	}
	return template.FuncMap{
		"seen":    shown,
		"address": func(s string) template.HTML { return shown(safeview.Address(s)) },
		"word":    func(w desk.Word) string { return say(lang.M("cli.verdict." + string(w))) },
		"minus":   func(a, b int) int { return a - b },
		"named":   named,
		"day": func(s string) *time.Time {
			if t := c.dueDay(s); !t.IsZero() {
				return &t
			}
			return nil
		},
		"web":    isWeb,
		"lint":   func(severity string) string { return lintSymbols[severity] + " " + c.say(l, "lint."+severity) },
		"acting": func(act string, f *form) acting { return acting{act, f} },
		"K":      func(key string, value any) string { return say(lang.M(fmt.Sprint(key, ".", value))) },
		"state":  desk.StateSymbol,
		"class": func(k source.Class) string {
			return classSymbols[k] + " " + say(lang.M("cli.dmarcpolicy.class."+string(k)))
		},
		"plus":   func(a, b int) int { return a + b },
		"number": func(n int64) string { return c.Words.Say(l, lang.M(lang.LiteralKey, "text", n)) },
		"share": func(n, of int64) string {
			if of == 0 {
				return "–"
			}
			return fmt.Sprintf("%d%%", n*100/of)
		},
		"langs":  func() []lang.Language { return []lang.Language{lang.JA, lang.EN} },
		"quotes": func(id desk.MailID, list []quote) quoteList { return quoteList{id, list} },
		"of":     func(id desk.MailID, r reason) ownedReason { return ownedReason{r, id} },
	}
}

// lintSymbols say how bad a remark is, for those who do not see colours.
var lintSymbols = map[string]string{"error": "✕", "warning": "▲", "note": "ℹ"}

// classSymbols say who a sender is without colour.
var classSymbols = map[source.Class]string{source.Own: "■", source.Service: "◆", source.Forwarder: "→", source.Unknown: "?", source.Threat: "●"}

// acting is the field for the name of whoever does something.
type acting struct {
	Act  string
	Form *form
}

// isWeb reports whether a link of an article leads to a page.
func isWeb(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// maxShownText is how many bytes of a subject, a name or an address a page shows.
const maxShownText = 500

func cutText(s string) string {
	if len(s) <= maxShownText {
		return s
	}
	return s[:cutAt(s, maxShownText)] + "…"
}

// quoteList is evidence of a mail.
type quoteList struct {
	ID   desk.MailID
	List []quote
}

// ownedReason is a reason of a mail.
type ownedReason struct {
	reason

	ID desk.MailID
}

// namedResult is a result of authentication under its name; R is nil for none.
type namedResult struct {
	Name string
	R    *desk.AuthResult
}

func named(name string, r any) namedResult {
	switch r := r.(type) {
	case *desk.AuthResult:
		return namedResult{name, r}
	case desk.AuthResult:
		return namedResult{name, &r}
	}
	return namedResult{Name: name}
}
