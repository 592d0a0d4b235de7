package desk

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/triage"
)

// LintSchema names the JSON form of a [LintReport].
const LintSchema = "sekisho.advisory-lint/v1"

// LintReport is what the linter says of an advisory or of a draft.
type LintReport struct {
	Schema   string            `json:"schema"`
	File     string            `json:"file"`
	Advisory string            `json:"advisory"` // its id
	Audience advisory.Audience `json:"audience,omitempty"`
	Lang     lang.Language     `json:"lang,omitempty"` // of the draft that was read; neither for an advisory as a whole
	Sources  int               `json:"sources"`        // articles that the sentences were held against; 0: only the facts in the advisory
	Errors   int               `json:"errors"`
	Warnings int               `json:"warnings"`
	Notes    int               `json:"notes"`
	Remarks  []advisory.Remark `json:"remarks"`
}

// EditedDraft is the text of a draft that a person changed.
type EditedDraft struct {
	Advisory string            // id of the advisory that it names, "" if it names none
	Audience advisory.Audience // "" if it does not say
	Lang     lang.Language     // the same
	Subject  string
	Body     string
}

// ReadAdvisory reads what "advise --output json" wrote. ok is false for a
// document that is something else.
func ReadAdvisory(data []byte) (doc *advisory.Document, ok bool, err error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || trimmed[0] != '{' || !bytes.Contains(trimmed, []byte(`"`+advisory.Schema+`"`)) {
		return nil, false, nil
	}
	doc = &advisory.Document{}
	if err := json.Unmarshal(trimmed, doc); err != nil {
		return nil, true, err
	}
	return doc, doc.Schema == advisory.Schema, nil
}

// ReadDraft reads a draft as a mail (.eml) or as a text: the subject, an empty
// line, the body.
func ReadDraft(data []byte) *EditedDraft {
	d := &EditedDraft{}
	if head, _, ok := bytes.Cut(data, []byte("\n")); ok && isField(string(head)) {
		m := eml.Parse(data, nil)
		d.Subject = m.Subject().Text
		d.Advisory = strings.TrimSpace(m.Header().Text("X-Sekisho-Draft"))
		if root := m.Root(); root != nil {
			d.Audience, d.Lang = draftName(strings.TrimPrefix(root.Param("boundary"), "=_sekisho."))
		}
		for p := range m.Parts() {
			if p.MediaType() == "text/plain" && !p.IsAttachment() {
				d.Body = strings.ReplaceAll(p.Text(), "\r\n", "\n")
				return d
			}
		}
		return d
	}
	text := strings.ReplaceAll(strings.TrimPrefix(strings.ToValidUTF8(string(data), "\ufffd"), "\ufeff"), "\r\n", "\n")
	d.Subject, d.Body, _ = strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	for _, label := range []string{"件名:", "件名:", "Subject:"} {
		d.Subject = strings.TrimSpace(strings.TrimPrefix(d.Subject, label))
	}
	d.Body = strings.TrimLeft(d.Body, "\n")
	return d
}

// isField reports whether a line is the first of a mail that is no draft in
// plain text, which may begin with its subject.
func isField(line string) bool {
	name, _, ok := strings.Cut(line, ":")
	switch strings.ToLower(name) {
	case "from", "to", "date", "received", "mime-version", "message-id", "x-unsent", "return-path", "content-type":
		return ok
	case "subject":
		return ok && strings.HasSuffix(line, "\r")
	}
	return false
}

// draftName reads "staff.ja".
func draftName(s string) (advisory.Audience, lang.Language) {
	a, l, _ := strings.Cut(s, ".")
	switch audience := advisory.Audience(a); audience {
	case advisory.Staff, advisory.Admin, advisory.Manager:
		if in := lang.Language(l); in == lang.JA || in == lang.EN {
			return audience, in
		}
	}
	return "", ""
}

// DraftName tells by the name of a file, such as staff.ja.txt, whose draft it
// is. Both are empty if it does not say.
func DraftName(file string) (advisory.Audience, lang.Language) {
	if parts := strings.Split(file, "."); len(parts) >= 2 {
		return draftName(parts[0] + "." + parts[1])
	}
	return "", ""
}

// LintAdvisory holds an advisory, or one draft of it that a person changed,
// against the rules of the linter and the text of its sources. Without items
// the facts in the advisory count as confirmed.
func LintAdvisory(doc *advisory.Document, edited *EditedDraft, items []news.Item, deps *AdviseDeps) *LintReport {
	return lintAdvisory(doc, edited, len(items), lintOptions(doc, items, deps), deps)
}

// LintKept is [LintAdvisory] for an advisory of the store, where the facts that a
// person set when it was written count as confirmed.
func LintKept(rec *AdvisoryRecord, edited *EditedDraft, items []news.Item, deps *AdviseDeps) *LintReport {
	o := lintOptions(rec.Document, items, deps)
	o.Own = append(o.Own, rec.Corrections.own()...)
	return lintAdvisory(rec.Document, edited, len(items), o, deps)
}

// lintOptions is what a document is held against.
func lintOptions(doc *advisory.Document, items []news.Item, deps *AdviseDeps) *lint.Options {
	facts := deps.Facts
	cal := triage.CalendarFor(&facts)
	return &lint.Options{
		Org: &facts, Sources: groundOf(items), Own: ourWords(doc), Today: localDay(deps.Now()), Calendar: &cal, Words: deps.Words,
		DueClosed: doc.Grade == triage.A,
	}
}

func lintAdvisory(doc *advisory.Document, edited *EditedDraft, sources int, o *lint.Options, deps *AdviseDeps) *LintReport {
	r := &LintReport{Schema: LintSchema, Advisory: doc.ID, Sources: sources}
	var problems []lint.Problem
	if edited == nil {
		problems = lint.Check(doc, o)
	} else {
		r.Audience, r.Lang = edited.Audience, edited.Lang
		problems = lint.Edited(doc, edited.Audience, edited.Lang, edited.Subject, edited.Body, o)
	}
	r.Remarks = lint.Remarks(problems, deps.Words)
	for _, p := range problems {
		switch p.Severity {
		case lint.Error:
			r.Errors++
		case lint.Warning:
			r.Warnings++
		case lint.Note:
			r.Notes++
		}
	}
	return r
}
