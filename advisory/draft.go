package advisory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

// page is a draft in both languages, line by line.
type page struct {
	audience Audience
	subject  lang.Text
	lines    []pageLine
}

type pageLine struct {
	id   string
	kind Kind
	text lang.Text
	url  string
}

func (p *page) add(id string, kind Kind, text lang.Text) {
	p.lines = append(p.lines, pageLine{id: id, kind: kind, text: text})
}

func (p *page) addAll(kind Kind, prefix string, lines []spoken) {
	for _, s := range lines {
		p.add(prefix+s.id, kind, s.text)
	}
}

// draft renders a page in one language.
func (p *page) draft(l lang.Language) Draft {
	d := Draft{Audience: p.audience, Lang: l, Subject: clean(p.subject.In(l))}
	for _, s := range p.lines {
		d.Lines = append(d.Lines, Line{ID: s.id, Kind: s.kind, Text: s.text.In(l), URL: s.url})
	}
	d.BodyText = bodyText(d.Lines)
	d.BodyHTML = bodyHTML(d.Lines, l)
	return d
}

// phrase is a sentence of the catalogue of package lang with slots of ours.
func (w *writer) phrase(key string) lang.Text {
	t, _ := w.words.Template("advisory." + key)
	return w.fill(t, false)
}

// tagged puts the mark of the mail before its subject. Only grade A is called
// urgent.
func (w *writer) tagged(tag string, subject lang.Text) lang.Text {
	if w.d.Grade == triage.A {
		tag = "urgent"
	}
	t := w.label("tag." + tag)
	return lang.Text{JA: t.JA + subject.JA, EN: t.EN + " " + subject.EN}
}

// seenHere says what is known of our own mailboxes.
func (w *writer) seenHere() []spoken {
	if w.d.Facts.Kind != triage.Campaign || !slices.Contains(w.t.Kinds, string(triage.Campaign)) {
		return nil
	}
	switch {
	case w.slots.holds["found"]:
		return []spoken{{"found", w.phrase("found")}}
	case w.slots.holds["not-found"]:
		return []spoken{{"not-found", w.phrase("not-found")}}
	}
	return nil
}

// staff writes the notice to staff: why, at most three requests, until when,
// whom to ask.
func (w *writer) staff() *page {
	t := &w.t.Staff
	p := &page{audience: Staff, subject: w.tagged(t.Tag, w.fill(t.Subject.text(), true))}
	p.add("review", KindReview, w.doc.Review)
	greeting := w.phrase("greeting.staff")
	if t.To != nil {
		to, from := w.fill(t.To.text(), true), w.phrase("greeting.from")
		greeting = lang.Text{JA: to.JA + "\n" + from.JA, EN: to.EN + "\n" + from.EN}
	}
	p.add("greeting", KindGreeting, greeting)
	p.addAll(KindText, "why.", append(w.say(t.Why, true), w.seenHere()...))
	p.add("asks", KindHeading, w.phrase("heading.asks"))
	for _, id := range t.Asks {
		p.add(id, KindNumber, w.fill(w.c.actions[id].text(), true))
	}
	switch {
	case t.Deadline == "due" && w.slots.holds["has-due"]:
		p.add("deadline", KindDeadline, w.phrase("deadline.due"))
	case t.Deadline == "check" && w.slots.holds["has-due"]:
		p.add("deadline", KindDeadline, w.phrase("deadline.check"))
	case t.Deadline == "concerned":
		p.add("deadline", KindDeadline, w.phrase("deadline.concerned"))
	default:
		p.add("deadline", KindDeadline, w.phrase("deadline.none"))
	}
	p.add("contact", KindContact, w.phrase("contact"))
	return p
}

// admin writes the mail to those who look after the systems.
func (w *writer) admin() *page {
	t := &w.t.Admin
	p := &page{audience: Admin, subject: w.tagged("share", w.fill(t.Subject.text(), false))}
	p.add("review", KindReview, w.doc.Review)
	greeting := "greeting.admin"
	if w.d.Grade == triage.D {
		greeting = "greeting.admin-info"
	}
	p.add("greeting", KindGreeting, w.phrase(greeting))
	p.add("overview", KindHeading, w.phrase("heading.overview"))
	w.linesOrLists(p, "overview.", t.Overview)
	p.addAll(KindText, "overview.", w.seenHere())
	p.add("scope", KindHeading, w.phrase("heading.scope"))
	p.add("scope.text", KindText, w.doc.Scope)
	p.add("steps", KindHeading, w.phrase("heading.steps"))
	w.numbered(p)
	p.add("reason", KindHeading, w.phrase("heading.reason"))
	p.add("reason.text", KindText, w.reasonText(true))
	if len(w.doc.Sources) > 0 || !w.t.Own {
		p.add("sources", KindHeading, w.phrase("heading.sources"))
		w.addSources(p)
	}
	p.add("priority", KindPriority, w.labelled("priority", w.doc.Priority))
	p.add("deadline", KindDeadline, w.labelled("deadline", w.deadlines()))
	p.add("contact", KindContact, w.phrase("contact"))
	return p
}

// maxPlan is how many steps the manager's page lists, so that it stays one sheet
// of A4.
const maxPlan = 5

// manager writes the page for who decides: what happened, what it means, what
// is decided by when.
func (w *writer) manager() *page {
	t := &w.t.Manager
	p := &page{audience: Manager, subject: w.doc.Title}
	p.add("review", KindReview, w.doc.Review)
	p.add("grade", KindPriority, w.labelled("grade", lang.Text{
		JA: fmt.Sprintf("%s(%s)", w.d.Grade, w.d.Label.JA), EN: fmt.Sprintf("%s (%s)", w.d.Grade, w.d.Label.EN),
	}))
	if w.slots.holds["has-due"] {
		p.add("deadline", KindDeadline, w.phrase("deadline.due"))
	} else {
		p.add("deadline", KindDeadline, w.phrase("deadline.none"))
	}
	p.add("happened", KindHeading, w.phrase("heading.happened"))
	w.linesOrLists(p, "happened.", t.Happened)
	p.addAll(KindText, "happened.", w.seenHere())
	p.add("means", KindHeading, w.phrase("heading.means"))
	p.addAll(KindText, "means.", w.concerns())
	w.linesOrLists(p, "means.", t.Means)
	p.add("decide", KindHeading, w.phrase("heading.decide"))
	p.addAll(KindNumber, "decide.", w.say(t.Decide, false))
	p.add("plan", KindHeading, w.phrase("heading.plan"))
	steps := w.plan()
	for _, s := range steps[:min(len(steps), maxPlan)] {
		p.add("plan."+s.ID, KindItem, w.planned(s))
	}
	if more := len(steps) - maxPlan; more > 0 {
		p.add("plan.more", KindItem, w.label("plan-more", "n", more))
	}
	p.add("reason", KindHeading, w.phrase("heading.grounds"))
	p.add("reason.text", KindText, w.reasonText(false))
	p.add("contact", KindContact, w.phrase("contact"))
	return p
}

// labelled puts the name of a field before its value.
func (w *writer) labelled(field string, value lang.Text) lang.Text {
	l := w.label("field." + field)
	return lang.Text{JA: l.JA + ": " + value.JA, EN: l.EN + ": " + value.EN}
}

// linesOrLists adds lines, where one that is nothing but a slot with a list
// becomes a list with an item for each.
func (w *writer) linesOrLists(p *page, prefix string, lines []line) {
	for _, l := range lines {
		if !w.slots.all(l.When) {
			continue
		}
		items := w.listOf(l)
		if items == nil {
			p.add(prefix+l.ID, KindText, w.fill(l.text(), false))
			continue
		}
		for i, v := range items {
			p.add(fmt.Sprintf("%s%s.%d", prefix, l.ID, i+1), KindItem, lang.Text{JA: v.say(lang.JA, false, &w.rec), EN: v.say(lang.EN, false, &w.rec)})
		}
	}
}

func (w *writer) listOf(l line) List {
	name, ok := strings.CutPrefix(l.JA, "{")
	if !ok || l.JA != l.EN || !strings.HasSuffix(name, "}") {
		return nil
	}
	name = strings.TrimSuffix(name, "}")
	items, _ := w.slots.values[name].(List)
	if items != nil {
		w.used[name] = true
	}
	return items
}

// numbered adds the steps with their notes and commands.
func (w *writer) numbered(p *page) {
	for _, s := range w.doc.Steps {
		p.add(s.ID, KindNumber, s.Text)
		if s.Note != (lang.Text{}) {
			p.add(s.ID+".note", KindNote, s.Note)
		}
		for i, c := range s.Commands {
			p.add(fmt.Sprintf("%s.command.%d", s.ID, i+1), KindCommand, lang.Text{JA: c, EN: c})
		}
	}
}

func (w *writer) addSources(p *page) {
	for i, s := range w.doc.Sources {
		text := s.line(w.words)
		p.lines = append(p.lines, pageLine{id: "source." + strconv.Itoa(i+1), kind: KindSource, text: text, url: s.URL})
	}
	if len(w.doc.Sources) == 0 {
		h := Hole{What: w.label("no-source")}
		p.add("source.none", KindSource, lang.Text{JA: h.say(lang.JA, false, &w.rec), EN: h.say(lang.EN, false, &w.rec)})
	}
}

// line is a source in words: publisher, title, date.
func (s Source) line(words *lang.Catalogue) lang.Text {
	t := lang.Text{JA: s.Publisher, EN: s.Publisher}
	if s.Own {
		t = words.Render(lang.M("advisory.own-source"))
	}
	if s.Title != "" && t != (lang.Text{}) {
		t.JA, t.EN = t.JA+": "+s.Title, t.EN+": "+s.Title
	} else if s.Title != "" {
		t = lang.Text{JA: s.Title, EN: s.Title}
	}
	if at, err := time.Parse(isoDate, s.Published); err == nil {
		t.JA += "(" + lang.DateRange(lang.JA, at, at) + ")"
		t.EN += " (" + lang.DateRange(lang.EN, at, at) + ")"
	}
	return t
}

// reasonText is the reason as the card has it: the facts, the row of the table,
// what would change it and, for those who can look it up, what has to be
// confirmed.
func (w *writer) reasonText(confirm bool) lang.Text {
	r := &w.doc.Reason
	row := w.label("row", "row", r.Row)
	t := lang.Text{JA: grounds(lang.JA, r.Why.JA, row.JA), EN: grounds(lang.EN, r.Why.EN, row.EN)}
	if r.Changes.JA != "" {
		t.JA += r.Changes.JA
		t.EN += " " + r.Changes.EN
	}
	if confirm && r.Confirm.JA != "" {
		c := w.label("field.confirm")
		t.JA += c.JA + ": " + r.Confirm.JA + "。"
		t.EN += " " + c.EN + ": " + r.Confirm.EN + "."
	}
	return t
}

// grounds puts the row of the table before the full stop of the reason.
func grounds(l lang.Language, why, row string) string {
	stop, gap := ".", " "
	if l == lang.JA {
		stop, gap = "。", ""
	}
	return strings.TrimSuffix(why, stop) + gap + row + stop
}

// plan is the core steps in the order of their dates.
func (w *writer) plan() []Step {
	var steps []Step
	for _, s := range w.doc.Steps {
		if s.Core {
			steps = append(steps, s)
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return a.rank().Compare(b.rank()) })
	return steps
}

// rank orders steps by when they are due: at once, the dates, then what has none.
func (s *Step) rank() time.Time {
	switch {
	case s.Now || s.Found:
		return time.Time{}
	case s.date.IsZero():
		return time.Unix(1<<40, 0)
	}
	return s.date
}

// planned is a step with its date, for the manager.
func (w *writer) planned(s Step) lang.Text {
	when := lang.Text{}
	switch {
	case s.Now:
		when = w.label("at-once")
	case s.Found:
		when = w.label("if-found")
	case !s.date.IsZero():
		when = lang.Text{JA: lang.Date(lang.JA, s.date), EN: lang.Date(lang.EN, s.date)}
	default:
		return s.plan
	}
	return lang.Text{JA: when.JA + ": " + s.plan.JA, EN: capital(lang.EN, when.EN) + ": " + s.plan.EN}
}

// deadlines says which steps are due when.
func (w *writer) deadlines() lang.Text {
	type group struct {
		first Step
		steps []int
	}
	var groups []group
	for i, s := range w.doc.Steps {
		if !s.Now && !s.Found && s.date.IsZero() {
			continue
		}
		at := slices.IndexFunc(groups, func(g group) bool {
			return g.first.Now == s.Now && g.first.Found == s.Found && g.first.date.Equal(s.date)
		})
		if at < 0 {
			groups = append(groups, group{first: s})
			at = len(groups) - 1
		}
		groups[at].steps = append(groups[at].steps, i+1)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return a.first.rank().Compare(b.first.rank()) })
	if w.d.Due.IsZero() && !slices.ContainsFunc(groups, func(g group) bool { return g.first.Now }) {
		return w.label("no-deadline")
	}
	var ja, en []string
	for _, g := range groups {
		var when lang.Text
		switch {
		case g.first.Now:
			when = w.label("at-once")
		case g.first.Found:
			when = w.label("if-found")
		default:
			when = lang.Text{JA: lang.Date(lang.JA, g.first.date), EN: lang.Date(lang.EN, g.first.date)}
		}
		if len(groups) == 1 {
			return when
		}
		ja = append(ja, "手順"+runs(g.steps, "~", "・")+"は"+when.JA)
		noun := "steps "
		if len(g.steps) == 1 {
			noun = "step "
		}
		en = append(en, noun+runs(g.steps, "–", ", ")+": "+when.EN)
	}
	return lang.Text{JA: strings.Join(ja, "、"), EN: capital(lang.EN, strings.Join(en, "; "))}
}

// runs writes ascending numbers with runs of three and more shortened.
func runs(ns []int, to, and string) string {
	var parts []string
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		switch {
		case j-i >= 2:
			parts = append(parts, strconv.Itoa(ns[i])+to+strconv.Itoa(ns[j]))
		default:
			for k := i; k <= j; k++ {
				parts = append(parts, strconv.Itoa(ns[k]))
			}
		}
		i = j + 1
	}
	return strings.Join(parts, and)
}
