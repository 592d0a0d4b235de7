package advisory

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

// ErrNoTemplate is returned for a template that the catalogue does not have.
var ErrNoTemplate = errors.New("advisory: no such template")

// Limits of what is quoted from sources.
const (
	maxSources  = 50
	maxExcerpts = 10
)

const isoDate = "2006-01-02"

// Write makes the advisory of an input. It returns [ErrNoTemplate] if a template was named
// that there is not. What is missing is a hole in the document and no error.
func Write(in *Input) (*Document, error) {
	if in.Decision == nil {
		return nil, errors.New("advisory: no decision")
	}
	c := in.Catalogue
	if c == nil {
		c = Default()
	}
	words := in.Words
	if words == nil {
		words = lang.Default()
	}
	key := in.Template
	if key == "" {
		key = c.Choose(in.Decision.Facts.Kind, in.Subject.Techniques)
	}
	t := c.templates[key]
	if t == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoTemplate, key)
	}
	w := &writer{in: in, c: c, t: t, words: words, slots: newSlots(in, t, c), d: in.Decision, used: map[string]bool{}}
	return w.document(), nil
}

// writer is the state of one document.
type writer struct {
	in    *Input
	c     *Catalogue
	t     *template
	words *lang.Catalogue
	slots *slots
	d     *triage.Decision

	rec  record
	used map[string]bool // slots that were said
	doc  *Document
}

func (w *writer) label(key string, pairs ...any) lang.Text {
	return w.words.Render(lang.M("advisory."+key, pairs...))
}

// has reports whether a slot is filled. Only the facts of the matter can be
// missing.
func (w *writer) has(name string) bool {
	if slices.Contains(given, name) {
		return true
	}
	return w.slots.holds[name]
}

// fill says a text with its slots.
func (w *writer) fill(t lang.Text, brief bool) lang.Text {
	return lang.Text{JA: w.fillIn(lang.JA, t.JA, brief), EN: w.fillIn(lang.EN, t.EN, brief)}
}

func (w *writer) fillIn(l lang.Language, text string, brief bool) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return capital(l, b.String())
		}
		name, after, _ := strings.Cut(rest, "}")
		v := w.slots.values[name]
		if v == nil {
			v = Hole{What: lang.Text{JA: name, EN: name}}
		}
		w.used[name] = true
		said := v.say(l, brief, &w.rec)
		if l == lang.JA {
			said = spaced(b.String(), said, after)
		}
		b.WriteString(said)
		text = after
	}
}

// spaced parts a Latin name from the Japanese words around it, as the texts of
// the catalogue do. A number with its counter stands close.
func spaced(before, said, after string) string {
	latin := func(r rune) bool { return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	japanese := func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }
	if !strings.ContainsFunc(said, func(r rune) bool { return latin(r) && unicode.IsLetter(r) }) {
		return said
	}
	first, _ := utf8.DecodeRuneInString(said)
	last, _ := utf8.DecodeLastRuneInString(said)
	prev, _ := utf8.DecodeLastRuneInString(before)
	next, _ := utf8.DecodeRuneInString(after)
	if unicode.IsLetter(first) && latin(first) && japanese(prev) {
		said = " " + said
	}
	if latin(last) && japanese(next) {
		said += " "
	}
	return said
}

// capital starts an English sentence in upper case where a slot came first.
func capital(l lang.Language, s string) string {
	if l != lang.EN || s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	// A name such as "sekisho.example" keeps its case: it is no plain word.
	first, _, _ := strings.Cut(s, " ")
	if strings.ContainsAny(first, ".@/-_=0123456789") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// say fills the lines whose conditions hold.
func (w *writer) say(lines []line, brief bool) []spoken {
	var out []spoken
	for _, l := range lines {
		if w.slots.all(l.When) {
			out = append(out, spoken{id: l.ID, text: w.fill(l.text(), brief)})
		}
	}
	return out
}

// spoken is a line in both languages.
type spoken struct {
	id   string
	text lang.Text
}

// paragraph joins lines to running text.
func paragraph(lines []spoken) lang.Text {
	var ja, en []string
	for _, s := range lines {
		ja, en = append(ja, s.text.JA), append(en, s.text.EN)
	}
	return lang.Text{JA: strings.Join(ja, ""), EN: strings.Join(en, " ")}
}

func (w *writer) document() *Document {
	d := w.d
	w.doc = &Document{
		Schema: Schema, Template: w.t.Key, Issued: d.Today.Format(isoDate), Grade: d.Grade, Label: d.Label, MadeWith: Extractive,
		Priority:   w.label("priority." + strings.ToLower(string(d.Grade))),
		Techniques: slices.Clone(w.in.Subject.Techniques),
		Due:        date(d.Due),
		Clocks:     Clocks{StaffNotice: date(d.Clocks.StaffNotice), AdminCheck: date(d.Clocks.AdminCheck), SettingChange: date(d.Clocks.SettingChange)},
		Review:     w.phrase("review"),
	}
	doc := w.doc
	doc.Reason = w.reason()
	if t := w.in.Subject.Title; t != (lang.Text{}) {
		doc.Title = lang.Text{JA: Words(t).say(lang.JA, false, &w.rec), EN: Words(t).say(lang.EN, false, &w.rec)}
	} else {
		doc.Title = w.fill(w.t.Title.text(), false)
	}
	doc.Summary = paragraph(w.say(w.t.Summary, false))
	doc.Scope = paragraph(append(w.concerns(), w.say(w.t.Scope, false)...))
	doc.Steps = w.steps()
	doc.Response = w.response()
	doc.Sources = sources(w.in.Sources)
	for _, e := range w.in.Excerpts[:min(len(w.in.Excerpts), maxExcerpts)] {
		if e.Text = clean(e.Text); e.Text != "" && (e.Lang == lang.JA || e.Lang == lang.EN) && e.Source >= 0 && e.Source < len(doc.Sources) {
			doc.Excerpts = append(doc.Excerpts, e)
		}
	}
	staff := w.staff()
	admin := w.admin()
	manager := w.manager()
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		doc.Drafts = append(doc.Drafts, staff.draft(l))
	}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		doc.Drafts = append(doc.Drafts, admin.draft(l))
	}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		doc.Manager = append(doc.Manager, manager.draft(l))
	}
	w.record()
	doc.ID = doc.hash()
	return doc
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(isoDate)
}

// hash is over the content in its JSON form, 16 hex digits.
func (d *Document) hash() string {
	b, err := json.Marshal(d)
	if err != nil {
		return "" // a document holds nothing that JSON cannot say
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// concerns says whether the matter is ours, as the first words of the scope.
func (w *writer) concerns() []spoken {
	if w.t.Own {
		return nil
	}
	return []spoken{{id: "concerns", text: w.label("concerns." + string(w.d.Facts.Relevance))}}
}

func (w *writer) reason() Reason {
	r := Reason{Row: w.d.Mark(), Facts: map[string]string{}}
	for _, f := range w.d.Points() {
		r.Facts[f.Point] = f.Value
	}
	join := func(ms []lang.Message, ja, en string) lang.Text {
		var j, e []string
		for _, m := range ms {
			t := w.words.Render(m)
			j, e = append(j, t.JA), append(e, t.EN)
		}
		return lang.Text{JA: strings.Join(j, ja), EN: strings.Join(e, en)}
	}
	r.Why = join(w.d.Why(), "", " ")
	var changes []lang.Message
	for _, c := range w.d.Changes {
		changes = append(changes, c.Message())
	}
	r.Changes = join(changes, "", " ")
	confirm := w.d.ToConfirm()
	own := lang.Text{}
	if w.t.Confirm != nil && w.slots.holds["exposure-unknown"] {
		// The template knows which setting it is about.
		confirm = slices.DeleteFunc(confirm, func(m lang.Message) bool { return m.Key == "triage.confirm.exposed" })
		own = w.fill(w.t.Confirm.text(), false)
	}
	r.Confirm = join(confirm, "、", "; ")
	if own != (lang.Text{}) {
		if r.Confirm.JA != "" {
			r.Confirm = lang.Text{JA: r.Confirm.JA + "、", EN: r.Confirm.EN + "; "}
		}
		r.Confirm = lang.Text{JA: r.Confirm.JA + own.JA, EN: r.Confirm.EN + own.EN}
	}
	return r
}

// steps are the actions of the template whose conditions hold, then those that
// further techniques require.
func (w *writer) steps() []Step {
	var out []Step
	add := func(id string, core bool) {
		if slices.ContainsFunc(out, func(s Step) bool { return s.ID == id }) {
			return
		}
		out = append(out, w.step(id, core))
	}
	for _, s := range w.t.Admin.Steps {
		if w.slots.all(s.When) && w.slots.all(w.c.actions[s.Act].When) {
			add(s.Act, s.Core)
		}
	}
	// A template for a technique that names an action and leaves it out has a
	// reason, such as a setting that is already on.
	left := func(technique, act string) bool {
		return slices.Contains(w.t.Techniques, technique) &&
			slices.ContainsFunc(w.t.Admin.Steps, func(s step) bool { return s.Act == act })
	}
	for _, id := range w.in.Subject.Techniques {
		if t := w.c.techniques[id]; t != nil {
			for _, a := range t.Requires {
				if !left(id, a) {
					add(a, true)
				}
			}
		}
	}
	return out
}

func (w *writer) step(id string, core bool) Step {
	a := w.c.actions[id]
	text := a.text()
	if a.Else != nil {
		named, _ := slotsIn(text.JA) // the catalogue was checked
		if slices.ContainsFunc(named, func(n string) bool { return !w.has(n) }) {
			text = *a.Else
		}
	}
	s := Step{ID: id, Text: w.fill(text, false), Core: core, Commands: slices.Clone(a.Commands)}
	s.plan = s.Text
	if a.PlanJA != "" {
		s.plan = w.fill(lang.Text{JA: a.PlanJA, EN: a.PlanEN}, false)
	}
	if a.NoteJA != "" {
		s.Note = w.fill(lang.Text{JA: a.NoteJA, EN: a.NoteEN}, false)
	}
	switch a.Clock {
	case clockNow:
		s.Now = true
	case clockFound:
		s.Found = true
	case clockCheck:
		s.date = w.d.Clocks.AdminCheck
	case clockNotice:
		s.date = w.d.Clocks.StaffNotice
	case clockSetting:
		s.date = w.d.Clocks.SettingChange
	case clockNone:
	}
	s.Due = date(s.date)
	return s
}

// response is the core steps as numbered lines.
func (w *writer) response() lang.Text {
	var ja, en []string
	for _, s := range w.doc.Steps {
		if s.Core {
			ja = append(ja, fmt.Sprintf("%d. %s", len(ja)+1, s.Text.JA))
			en = append(en, fmt.Sprintf("%d. %s", len(en)+1, s.Text.EN))
		}
	}
	return lang.Text{JA: strings.Join(ja, "\n"), EN: strings.Join(en, "\n")}
}

// record copies into the document what a reviewer should know of the values.
func (w *writer) record() {
	doc := w.doc
	doc.Holes, doc.Roundings, doc.Untranslated, doc.Facts, doc.Lint = []Missing{}, []Rounding{}, []string{}, []Fact{}, []Remark{}
	for _, h := range w.rec.holes {
		if m := Missing(h); !slices.Contains(doc.Holes, m) {
			doc.Holes = append(doc.Holes, m)
		}
	}
	for _, r := range w.rec.roundings {
		if !slices.Contains(doc.Roundings, r) {
			doc.Roundings = append(doc.Roundings, r)
		}
	}
	for _, u := range w.rec.untranslated {
		if !slices.Contains(doc.Untranslated, u) {
			doc.Untranslated = append(doc.Untranslated, u)
		}
	}
	var ignored record
	for name := range w.used {
		v := w.slots.values[name]
		if v == nil {
			continue
		}
		brief := name == "extent_short"
		doc.Facts = append(doc.Facts, Fact{Slot: name, Type: v.kind(), Words: lang.Text{JA: v.say(lang.JA, brief, &ignored), EN: v.say(lang.EN, brief, &ignored)}})
	}
	slices.SortFunc(doc.Facts, func(a, b Fact) int { return strings.Compare(a.Slot, b.Slot) })
	slices.SortFunc(doc.Holes, func(a, b Missing) int { return strings.Compare(a.Field+a.What.EN, b.Field+b.What.EN) })
}

// sources cleans what came with the items. A link is kept only if it is a web
// address without a name and password in it.
func sources(in []Source) []Source {
	out := []Source{}
	for _, s := range in[:min(len(in), maxSources)] {
		s.Title, s.Publisher = clean(s.Title), clean(s.Publisher)
		u, err := url.Parse(strings.TrimSpace(s.URL))
		if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || len(s.URL) > 2000 {
			s.URL = ""
		} else {
			s.URL = u.String()
		}
		if _, err := time.Parse(isoDate, s.Published); err != nil {
			s.Published = ""
		}
		out = append(out, s)
	}
	return out
}
