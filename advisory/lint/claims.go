package lint

import (
	"net/url"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/sentence"
)

// claims holds each sentence against the sources: L08 what is nowhere, L09 what
// is stronger than the source, L20 what is about ourselves, L25 what its words
// seem to contradict.
func (l *linter) claims(where at) {
	for _, text := range l.statements(where) {
		r := l.ground.Check(text, where.draft.Lang)
		for _, p := range r.Problems {
			rule := "L08"
			switch p.Kind {
			case grounding.Weekday:
				continue // L03
			case grounding.Claim, grounding.Mixed:
				rule = "L09"
			case grounding.Certainty, grounding.Opposite, grounding.Nowhere, grounding.Scope, grounding.Elsewhere:
				rule = "L25"
			case grounding.Ours:
				rule = "L20"
			case grounding.Address:
				if strings.Contains(p.Quote, "://") {
					continue // L13
				}
			default:
			}
			if rule == "L08" && strings.Contains(where.text, "【要記入") || strings.Contains(where.text, "[FILL IN") {
				continue
			}
			l.report(rule, where, p.Quote, "", "kind", lang.M("lint.kind."+string(p.Kind)), "source", p.Want)
		}
	}
}

// statements are the sentences of a line: the line as a whole where it is a
// standing one, without the tag of a subject, the date of a plan and the row of the
// decision table.
func (l *linter) statements(where at) []string {
	text := strings.TrimSpace(where.text)
	if where.line == "subject" {
		for _, end := range [][2]string{{"【", "】"}, {"[", "]"}} {
			if rest, ok := strings.CutPrefix(text, end[0]); ok {
				if _, after, ok := strings.Cut(rest, end[1]); ok {
					text = strings.TrimSpace(after)
				}
			}
		}
	}
	row := l.words.Say(where.draft.Lang, lang.M("advisory.row", "row", l.doc.Reason.Row))
	text = strings.Replace(strings.Replace(text, " "+row, "", 1), row, "", 1)
	var out []string
	if head, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(where.line, "plan.") {
		out, text = append(out, head), rest
	}
	if l.ground.Check(text, where.draft.Lang).By == grounding.ByPhrase {
		return append(out, text)
	}
	for _, s := range sentence.Split(text) {
		out = append(out, s.Text)
	}
	return out
}

// scope compares who is affected on the card and in the mail to administrators:
// L21.
func (l *linter) scope() {
	for _, in := range []lang.Language{lang.JA, lang.EN} {
		d := l.doc.Draft(advisory.Admin, in)
		if d == nil {
			continue
		}
		for _, x := range d.Lines {
			if x.ID != "scope.text" {
				continue
			}
			card, mail := values(l.doc.Scope.In(in)), values(x.Text)
			if diff := different(card, mail); diff != "" {
				l.report("L21", at{d, x.ID, x.Text}, diff, "")
			}
		}
	}
}

func host(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// vendors are hosts to which a mail to administrators may lead.
var vendors = []string{"microsoft.com", "office.com", "jpcert.or.jp", "ipa.go.jp", "jvn.jp", "cisa.gov", "nist.gov", "aka.ms"}

// links finds addresses that a reader could open: L13.
func (l *linter) links(where at, x advisory.Line) {
	texts := []string{where.text}
	if x.URL != "" {
		texts = append(texts, x.URL)
	}
	for _, t := range texts {
		for _, link := range linksIn(t) {
			h := host(link)
			if l.allowed(h, where.draft.Audience, x.Kind) {
				continue
			}
			l.report("L13", where, link, defanged(link))
		}
	}
}

func (l *linter) allowed(h string, a advisory.Audience, k advisory.Kind) bool {
	is := func(list []string) bool {
		for _, o := range list {
			if o != "" && (h == o || strings.HasSuffix(h, "."+o)) {
				return true
			}
		}
		return false
	}
	if l.o.Org != nil && is(l.o.Org.Domains.Value()) {
		return true
	}
	if a == advisory.Staff {
		return false
	}
	return k == advisory.KindSource || is(l.hosts) || is(vendors)
}

func linksIn(s string) []string {
	var out []string
	low := strings.ToLower(s)
	for from := 0; len(out) < 50; {
		i := strings.Index(low[from:], "http")
		if i < 0 {
			return out
		}
		i += from
		from = i + 4
		if !strings.HasPrefix(low[from:], "://") && !strings.HasPrefix(low[from:], "s://") {
			continue
		}
		j := i
		for j < len(s) && s[j] > ' ' && s[j] < 0x7f && strings.IndexByte("\"<>()", s[j]) < 0 {
			j++
		}
		out = append(out, strings.TrimRight(s[i:j], ".,;:!?"))
		from = j
	}
	return out
}

// defanged writes an address so that no program opens it.
func defanged(link string) string {
	scheme, rest, _ := strings.Cut(link, "://")
	h, path, slash := strings.Cut(rest, "/")
	out := strings.Replace(scheme, "http", "hxxp", 1) + "://" + strings.ReplaceAll(h, ".", "[.]")
	if slash {
		out += "/" + path
	}
	return out
}

// privacy finds people: L14.
func (l *linter) privacy(where at) {
	low := strings.ToLower(where.text)
	for from := 0; ; {
		i := strings.IndexByte(low[from:], '@')
		if i < 0 {
			break
		}
		i += from
		from = i + 1
		a, b := i, i+1
		for a > 0 && mailByte(low[a-1]) {
			a--
		}
		for b < len(low) && mailByte(low[b]) {
			b++
		}
		addr := strings.Trim(low[a:b], ".-")
		if a < i && b > i+1 && strings.Contains(addr[i-a:], ".") && !l.published(addr) {
			l.report("L14", where, where.text[a:a+len(addr)], "")
		}
	}
	if l.o.Org == nil {
		return
	}
	for _, p := range l.o.Org.People.Value() {
		if len([]rune(p.DisplayName)) > 2 && strings.Contains(where.text, p.DisplayName) && !strings.Contains(p.DisplayName, "担当") {
			l.report("L14", where, p.DisplayName, "")
		}
	}
}

func mailByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("._-+", c) >= 0
}

// published are the addresses that the organisation gave as contacts.
func (l *linter) published(addr string) bool {
	if l.o.Org == nil {
		return false
	}
	if strings.EqualFold(l.o.Org.Report.Value().To, addr) {
		return true
	}
	for _, c := range l.o.Org.Contacts.Value() {
		if strings.EqualFold(c.Mail, addr) {
			return true
		}
	}
	return false
}
