// Package lint reads an advisory as a careful colleague would before it goes out:
// does a word or a date contradict the grade, is the advice any good against this
// attack, is every claim borne out, is something missing, do the two languages
// say the same, would the notice itself look like phishing.
//
// Each rule has an id, a reason and an example that it finds ([Rules]). Rules
// are literal, and so are their limits: a linter that is silent has proved
// nothing, and a person still reads the draft.
package lint

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// Severity is how much a problem matters. The words are those of
// [advisory.Remark].
type Severity string

// The severities.
const (
	Error   Severity = "error"   // must not go out like this
	Warning Severity = "warning" // look at it
	Note    Severity = "note"    // good to know
)

// Options are what a document is held against. All may be zero.
type Options struct {
	Org     *org.Facts
	Sources []grounding.Source // the articles; without them, the facts of the document count as confirmed
	Own     []string           // what a person confirmed, in words

	Today     time.Time       // zero: the day on which the document was issued
	Calendar  *lang.Calendar  // nil: that of the organisation's country
	Words     *lang.Catalogue // nil: [lang.Default]
	DueClosed bool            // the date of the decision is a closed day on purpose
}

// Problem is what a rule found.
type Problem struct {
	Rule     string
	Severity Severity
	Audience advisory.Audience // empty: the document as a whole
	Lang     lang.Language
	Line     string // id of the line, "subject" for the subject
	Quote    string // the words it is about; empty for something that is missing
	From, To int    // bytes of the line; both zero if the whole line is meant
	Message  lang.Message
	More     lang.Text // further words, from the dictionary of techniques; may be zero
	Fix      string    // words to put in place of Quote where that is safe
}

// Check returns what the rules find in a document, by draft and line.
func Check(doc *advisory.Document, o *Options) []Problem {
	l := newLinter(doc, o)
	l.document()
	for _, list := range [][]advisory.Draft{doc.Drafts, doc.Manager} {
		for i := range list {
			l.draft(&list[i], list[i].Lines)
		}
	}
	for _, a := range []advisory.Audience{advisory.Staff, advisory.Admin, advisory.Manager} {
		if ja, en := doc.Draft(a, lang.JA), doc.Draft(a, lang.EN); ja != nil && en != nil {
			l.parity(ja, en)
		}
	}
	return l.sorted()
}

// maxBody bounds the text that a person hands in.
const maxBody = 256 << 10

// Edited returns what the rules find in the text of a draft that a person
// changed: the subject, and the body as plain text. The other language is that of
// the document.
func Edited(doc *advisory.Document, a advisory.Audience, in lang.Language, subject, body string, o *Options) []Problem {
	l := newLinter(doc, o)
	if len(body) > maxBody {
		body = strings.ToValidUTF8(body[:maxBody], "")
	}
	d := advisory.Draft{Audience: a, Lang: in, Subject: subject, BodyText: body, Lines: Lines(body, doc.Draft(a, in))}
	l.draft(&d, d.Lines)
	other := lang.JA
	if in == lang.JA {
		other = lang.EN
	}
	if was := doc.Draft(a, other); was != nil {
		if in == lang.JA {
			l.parity(&d, was)
		} else {
			l.parity(was, &d)
		}
	}
	return l.sorted()
}

// Remarks are the problems in the words of a document.
func Remarks(list []Problem, words *lang.Catalogue) []advisory.Remark {
	if words == nil {
		words = lang.Default()
	}
	out := make([]advisory.Remark, 0, len(list))
	for _, p := range list {
		text := words.Render(p.Message)
		if p.More != (lang.Text{}) {
			text = lang.Text{JA: text.JA + p.More.JA, EN: text.EN + " " + p.More.EN}
		}
		text = lang.Text{JA: strings.TrimSpace(text.JA), EN: strings.TrimSpace(text.EN)}
		out = append(out, advisory.Remark{Rule: p.Rule, Severity: string(p.Severity), Audience: p.Audience, Lang: p.Lang, Line: p.Line, Message: text})
	}
	return out
}

// linter is the state of one run.
type linter struct {
	doc    *advisory.Document
	o      Options
	words  *lang.Catalogue
	cal    lang.Calendar
	today  time.Time
	issued time.Time
	due    time.Time
	ground *grounding.Ground
	with   bool // there are sources
	hosts  []string

	found []Problem
}

func newLinter(doc *advisory.Document, o *Options) *linter {
	l := &linter{doc: doc}
	if o != nil {
		l.o = *o
	}
	if l.words = l.o.Words; l.words == nil {
		l.words = lang.Default()
	}
	l.cal = triage.CalendarFor(cmp.Or(l.o.Org, &org.Facts{}))
	if l.o.Calendar != nil {
		l.cal = *l.o.Calendar
	}
	l.issued = day(doc.Issued)
	l.today = l.issued
	if !l.o.Today.IsZero() {
		y, m, d := l.o.Today.Date()
		l.today = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	l.due = day(doc.Due)
	l.base()
	return l
}

func day(iso string) time.Time {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return time.Time{}
	}
	return t
}

// base builds what claims are held against.
func (l *linter) base() {
	g := &grounding.Options{Own: slices.Clone(l.o.Own)}
	g.Sources = slices.Clone(l.o.Sources)
	l.with = len(g.Sources) > 0
	own := func(s ...string) { g.Own = append(g.Own, s...) }
	for _, d := range []string{l.doc.Issued, l.doc.Due, l.doc.Clocks.StaffNotice, l.doc.Clocks.AdminCheck, l.doc.Clocks.SettingChange} {
		if t := day(d); !t.IsZero() {
			own(d, lang.Date(lang.JA, t))
		}
	}
	for _, s := range l.doc.Steps {
		own(s.Due)
	}
	for _, f := range l.doc.Facts {
		if !l.with || f.Type == "date" || f.Type == "route" {
			own(f.Words.JA, f.Words.EN)
		}
		if f.Type == "report" {
			g.Phrases = append(g.Phrases, f.Words) // as the organisation set it up
		}
	}
	// A rounding that the writer noted is as good as the number itself.
	for _, r := range l.doc.Roundings {
		own(r.Shown.JA, r.Shown.EN)
	}
	for _, s := range l.doc.Sources {
		own(s.Title, s.Publisher, s.URL, s.Published)
		l.hosts = append(l.hosts, host(s.URL))
	}
	for _, e := range l.doc.Excerpts {
		own(e.Text)
	}
	for _, t := range []lang.Text{l.doc.Reason.Why, l.doc.Reason.Changes, l.doc.Reason.Confirm} {
		own(t.JA, t.EN)
		g.Phrases = append(g.Phrases, t)
	}
	confirm := l.words.Render(lang.M("advisory.field.confirm"))
	g.Phrases = append(g.Phrases, lang.Text{
		JA: confirm.JA + ": " + l.doc.Reason.Confirm.JA + "。", EN: confirm.EN + ": " + l.doc.Reason.Confirm.EN + ".",
	})
	own(l.doc.Reason.Row)
	own("Microsoft 365", "Microsoft Entra ID", "Exchange Online", "Outlook", "日本", "Japan")
	if f := l.o.Org; f != nil {
		own(f.Name.Value())
		own(f.Domains.Value()...)
		l.hosts = append(l.hosts, f.Domains.Value()...)
		own(f.Banks.Value()...)
		own(f.Products.Value()...)
		own(f.Systems.Value()...)
		own(f.Report.Value().To)
		for _, c := range f.Contacts.Value() {
			own(c.Name, c.Extension, c.Mail)
		}
	}
	g.Phrases = append(g.Phrases, advisory.Default().Phrases()...)
	for _, k := range l.words.Keys() {
		if strings.HasPrefix(k, "advisory.") || strings.HasPrefix(k, "triage.") {
			t, _ := l.words.Template(k)
			g.Phrases = append(g.Phrases, t)
		}
	}
	l.ground = grounding.New(g)
}

// at is a place in a draft.
type at struct {
	draft *advisory.Draft
	line  string
	text  string
}

// report adds a problem. quote is a part of the line.
func (l *linter) report(rule string, where at, quote, fix string, pairs ...any) {
	r, _ := ruleOf(rule)
	args := lang.Args{"quote": quote}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok {
			args[name] = pairs[i+1]
		}
	}
	p := Problem{Rule: rule, Severity: r.Severity, Line: where.line, Quote: quote, Fix: fix, Message: lang.Message{Key: "lint." + rule, Args: args}}
	if where.draft != nil {
		p.Audience, p.Lang = where.draft.Audience, where.draft.Lang
	}
	if i := strings.Index(strings.ToLower(where.text), strings.ToLower(quote)); i >= 0 && quote != "" && i+len(quote) <= len(where.text) {
		p.From, p.To = i, i+len(quote)
	}
	same := func(x Problem) bool {
		return x.Rule == p.Rule && x.Audience == p.Audience && x.Lang == p.Lang && x.Line == p.Line && x.Quote == p.Quote
	}
	if !slices.ContainsFunc(l.found, same) {
		l.found = append(l.found, p)
	}
}

// more adds words to the problem that was reported last.
func (l *linter) more(t lang.Text) {
	if n := len(l.found); n > 0 {
		l.found[n-1].More = t
	}
}

func (l *linter) sorted() []Problem {
	rank := map[Severity]int{Error: 0, Warning: 1, Note: 2}
	slices.SortStableFunc(l.found, func(a, b Problem) int { return cmp.Compare(rank[a.Severity], rank[b.Severity]) })
	return l.found
}

// draft runs the rules for one draft.
func (l *linter) draft(d *advisory.Draft, lines []advisory.Line) {
	subject := at{d, "subject", d.Subject}
	l.grade(subject, advisory.KindHeading)
	l.claims(subject)
	l.wording(subject, advisory.KindHeading)
	for _, x := range lines {
		where := at{d, x.ID, x.Text}
		l.holes(where)
		l.grade(where, x.Kind)
		l.dates(where, x.Kind)
		l.links(where, x)
		l.privacy(where)
		l.wording(where, x.Kind)
		switch x.Kind {
		case advisory.KindText, advisory.KindItem, advisory.KindNumber, advisory.KindNote, advisory.KindContact:
			l.claims(where)
			l.remedies(where)
		default:
		}
	}
	l.parts(d, lines)
	l.measure(d, lines)
}

// Lines reads a plain text into lines. Those that stand in was keep their ids.
func Lines(body string, was *advisory.Draft) []advisory.Line {
	var out []advisory.Line
	number := 0
	var numbers, rest []advisory.Line
	if was != nil {
		for _, x := range was.Lines {
			if x.Kind == advisory.KindNumber {
				numbers = append(numbers, x)
			} else {
				rest = append(rest, x)
			}
		}
	}
	for raw := range strings.SplitSeq(body, "\n") {
		text := strings.TrimSpace(raw)
		if text == "" || len(out) >= 2000 {
			continue
		}
		x := advisory.Line{Kind: kindOf(text), Text: text}
		switch x.Kind {
		case advisory.KindHeading:
			number = 0
		case advisory.KindNumber:
			number++
			_, x.Text, _ = strings.Cut(text, ".")
			x.Text = strings.TrimSpace(x.Text)
			if number <= len(numbers) {
				x.ID = numbers[number-1].ID
			}
		case advisory.KindItem:
			x.Text = strings.TrimSpace(strings.TrimPrefix(text, "-"))
		default:
		}
		if x.ID == "" {
			for _, r := range rest {
				if r.Text == x.Text || (r.Kind == x.Kind && (r.Kind == advisory.KindDeadline || r.Kind == advisory.KindPriority || r.Kind == advisory.KindContact)) {
					x.ID, x.Kind = r.ID, r.Kind
					break
				}
			}
		}
		out = append(out, x)
	}
	return out
}

func kindOf(text string) advisory.Kind {
	low := strings.ToLower(text)
	starts := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(low, w) })
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		digits++
	}
	switch {
	case starts("対応期限", "期限", "deadline", "due"):
		return advisory.KindDeadline
	case starts("対応優先度", "優先度", "priority", "判定:", "grade:"):
		return advisory.KindPriority
	case starts("問い合わせ先", "連絡先", "contact"):
		return advisory.KindContact
	case starts("【下書き】", "[draft]"):
		return advisory.KindReview
	case starts("■", "ご協力を", "please:"):
		return advisory.KindHeading
	case digits > 0 && digits < 3 && strings.HasPrefix(text[digits:], "."):
		return advisory.KindNumber
	case starts("- "):
		return advisory.KindItem
	case starts("http://", "https://"):
		return advisory.KindSource
	case starts("お疲れさま", "お疲れ様", "dear "):
		return advisory.KindGreeting
	}
	return advisory.KindText
}
