package desk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/lesson"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// EducateInput is what a lesson is asked for: a topic, or what tells the topic.
type EducateInput struct {
	Topic    string             // key of a topic; "" for that of the others
	Advisory *advisory.Document // or nil
	Verdict  *Verdict           // of a mail that came to us, or nil
}

// EducateDeps is what [Educate] needs from outside.
type EducateDeps struct {
	Facts org.Facts
	Words *lang.Catalogue // nil: the built-in one
	Now   func() time.Time
}

// ReadLessonSource reads a document for [Educate]: an advisory in JSON, or
// verdicts in JSON, of which it takes the worst. ok is false for a document that
// is something else, such as a mail.
func ReadLessonSource(data []byte, name string) (in *EducateInput, ok bool, err error) {
	bad := func(err error) error {
		return &Error{Kind: Invalid, Message: lang.M("educate.error.read", "file", name, "error", err.Error()), Hint: lang.M("educate.hint.read"), Err: err}
	}
	if verdicts, ok, err := ReadVerdicts(data); ok {
		if err != nil {
			return nil, true, bad(err)
		}
		in := &EducateInput{}
		for i := range verdicts {
			in.Worst(&verdicts[i])
		}
		return in, true, nil
	}
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || trimmed[0] != '{' || !bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte(advisory.Schema)) {
		return nil, false, nil
	}
	var doc advisory.Document
	if err := json.Unmarshal(trimmed, &doc); err != nil {
		return nil, true, bad(err)
	}
	if doc.Schema != advisory.Schema {
		return nil, true, bad(fmt.Errorf("schema %q", doc.Schema))
	}
	return &EducateInput{Advisory: &doc}, true, nil
}

// Worst takes a verdict for the lesson if it is worse than the one it has. One
// that could not be read, or that found nothing, is none.
func (in *EducateInput) Worst(v *Verdict) {
	if v.Error != nil || v.Verdict != Malicious && v.Verdict != Suspicious {
		return
	}
	if in.Verdict == nil || v.Score > in.Verdict.Score {
		in.Verdict = v
	}
}

// Educate makes a lesson, and says what the linter finds in it.
func Educate(in *EducateInput, deps EducateDeps) (*lesson.Lesson, []advisory.Remark, error) {
	topics, err := lesson.Default()
	if err != nil {
		return nil, nil, err
	}
	words := deps.Words
	if words == nil {
		words = lang.Default()
	}
	want := lesson.Input{Topic: in.Topic, Issued: deps.Now()}
	switch {
	case in.Advisory != nil:
		if want.Topic == "" {
			want.Topic = topics.ForAdvisory(in.Advisory.Template, in.Advisory.Techniques)
		}
		// What was written about our own mail may quote it.
		if !slices.ContainsFunc(in.Advisory.Sources, func(s advisory.Source) bool { return s.Own }) {
			want.Occasion = anonymous(in.Advisory.Summary, &deps.Facts)
		}
	case in.Verdict != nil:
		if want.Topic == "" {
			want.Topic = topics.ForFindings(foundIn(in.Verdict))
		}
		want.Seen = topics.SeenOf(in.Verdict.Subject, suffixOf(in.Verdict), extensionOf(in.Verdict))
	case in.Topic == "":
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("educate.error.nothing"), Hint: lang.M("educate.hint.topic", "topics", strings.Join(topics.Topics(), ", "))}
	}
	if how, ok := advisory.HowToReport(&deps.Facts); ok {
		want.Report = how
	}
	out, err := topics.Write(&want)
	if errors.Is(err, lesson.ErrTopic) {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("educate.error.topic", "topic", want.Topic), Hint: lang.M("educate.hint.topic", "topics", strings.Join(topics.Topics(), ", ")), Err: err}
	}
	if err != nil {
		return nil, nil, err
	}
	return out, lintLesson(out, &deps, words), nil
}

// PlanLessons plans the lessons of a year in the organisation's country.
func PlanLessons(year int, facts *org.Facts) (*lesson.Plan, error) {
	topics, err := lesson.Default()
	if err != nil {
		return nil, err
	}
	return topics.Plan(year, triage.CalendarFor(facts)), nil
}

// foundIn lists what was found in a mail, the worst first: kinds, and ids of
// rules.
func foundIn(v *Verdict) []string {
	var out []string
	for i := range v.Findings {
		f := &v.Findings[i]
		out = append(out, string(f.Rule.ID), string(f.Kind))
	}
	return out
}

// suffixOf is the public suffix of the first link that leads to another
// organisation.
func suffixOf(v *Verdict) string {
	for i := range v.Links {
		if n, err := domain.Parse(v.Links[i].Domain); err == nil {
			return string(domain.PublicSuffix(n))
		}
	}
	return ""
}

func extensionOf(v *Verdict) string {
	for i := range v.Attachments {
		if a := &v.Attachments[i]; !a.Inline {
			return strings.TrimPrefix(path.Ext(a.Name), ".")
		}
	}
	return ""
}

// anonymous takes the names and addresses of our people, and our own domains,
// out of a text.
func anonymous(t lang.Text, facts *org.Facts) lang.Text {
	replace := func(from, ja, en string) {
		if len([]rune(from)) < 2 {
			return
		}
		t.JA, t.EN = replaceFold(t.JA, from, ja), replaceFold(t.EN, from, en)
	}
	for _, p := range facts.People.Value() {
		replace(p.Address, "社員", "a colleague")
		replace(p.DisplayName, "社員", "a colleague")
	}
	for _, c := range facts.Contacts.Value() {
		replace(c.Mail, "担当者", "the contact")
		replace(c.Name, "担当者", "the contact")
	}
	replace(facts.Name.Value(), "当社", "our company")
	for _, d := range facts.Domains.Value() {
		replace(d, "自社のドメイン", "our own domain")
	}
	return t
}

// wordingRules are the rules of the linter that hold for every text to staff;
// the others are about the grade and the dates of an advisory.
var wordingRules = []string{"L10", "L12", "L13", "L14", "L16", "L18", "L19", "L21", "L22", "L23"}

// lintLesson reads a lesson as a notice to staff.
func lintLesson(x *lesson.Lesson, deps *EducateDeps, words *lang.Catalogue) []advisory.Remark {
	doc := &advisory.Document{Schema: advisory.Schema, Template: "education", Issued: x.Issued, Grade: "D"}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		d := advisory.Draft{Audience: advisory.Staff, Lang: l, Subject: x.Title.In(l)}
		line := func(id string, kind advisory.Kind, t lang.Text) {
			if s := t.In(l); s != "" {
				d.Lines = append(d.Lines, advisory.Line{ID: id, Kind: kind, Text: s})
			}
		}
		line("occasion", advisory.KindText, x.Occasion)
		line("what", advisory.KindText, x.What)
		for i, t := range x.Tells {
			line(fmt.Sprintf("tell.%d", i+1), advisory.KindItem, t)
		}
		line("rule", advisory.KindText, x.Rule)
		for i, t := range x.Steps {
			line(fmt.Sprintf("step.%d", i+1), advisory.KindNumber, t)
		}
		for i, q := range x.Quiz {
			line(fmt.Sprintf("question.%d", i+1), advisory.KindText, q.Text)
			line(fmt.Sprintf("why.%d", i+1), advisory.KindText, q.Why)
		}
		doc.Drafts = append(doc.Drafts, d)
	}
	problems := lint.Check(doc, &lint.Options{Org: &deps.Facts, Words: words, Own: []string{x.Occasion.JA, x.Occasion.EN}})
	problems = slices.DeleteFunc(problems, func(p lint.Problem) bool { return !slices.Contains(wordingRules, p.Rule) })
	return lint.Remarks(problems, words)
}
