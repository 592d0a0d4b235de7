package desk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/triage"
)

// maxVerdicts bounds the verdicts that are read of one file.
const maxVerdicts = 10_000

// ReadVerdicts reads what "judge --output json" or ndjson wrote. ok is false for
// a document that is something else.
func ReadVerdicts(data []byte) (list []Verdict, ok bool, err error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 || trimmed[0] != '{' && trimmed[0] != '[' || !bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte(VerdictSchema)) {
		return nil, false, nil
	}
	dec := json.NewDecoder(bytes.NewReader(trimmed))
	if trimmed[0] == '[' {
		if err := dec.Decode(&list); err != nil {
			return nil, true, err
		}
		return list, true, nil
	}
	for len(list) < maxVerdicts {
		var v Verdict
		if err := dec.Decode(&v); err != nil {
			if errors.Is(err, io.EOF) {
				return list, true, nil
			}
			return nil, true, err
		}
		list = append(list, v)
	}
	return list, true, nil
}

// ReadArticle reads a document for [Advise]: an article, a feed, or a verdict.
// Name is the file's, for the sources.
func ReadArticle(data []byte, name string, words *lang.Catalogue) (*AdviseInput, error) {
	verdicts, ok, err := ReadVerdicts(data)
	switch {
	case err != nil:
		return nil, &Error{Kind: Invalid, Message: lang.M("advise.error.verdict", "file", name, "error", err.Error()), Hint: lang.M("advise.hint.verdict"), Err: err}
	case ok:
		return fromVerdicts(verdicts, name, words)
	}
	doc, err := feed.Parse(data, &feed.Options{Source: name})
	if err != nil {
		e := &Error{Kind: Invalid, Message: lang.M("advise.error.read", "file", name), Hint: lang.M("advise.hint.read"), Err: err}
		if f, ok := errors.AsType[*feed.Error](err); ok {
			e.Message = lang.M("advise.error.fault", "file", name, "why", f.Message())
		}
		return nil, e
	}
	if len(doc.Items) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("advise.error.no-item", "file", name), Hint: lang.M("advise.hint.read")}
	}
	// A file has no publisher of its own; a feed names itself.
	it := doc.Items[0]
	it.Source = ""
	if doc.Title != it.Title {
		it.Source = doc.Title
	}
	return &AdviseInput{Items: []news.Item{it}}, nil
}

// fromVerdicts makes an advisory's input of what was found in our own mail: the
// worst of the verdicts decides what it is about.
func fromVerdicts(list []Verdict, name string, words *lang.Catalogue) (*AdviseInput, error) {
	var worst *Verdict
	for i := range list {
		v := &list[i]
		if (v.Verdict == Malicious || v.Verdict == Suspicious) && (worst == nil || v.Score > worst.Score) {
			worst = v
		}
	}
	if worst == nil {
		return nil, &Error{Kind: Invalid, Message: lang.M("advise.error.harmless", "file", name), Hint: lang.M("advise.hint.harmless")}
	}
	var text strings.Builder
	text.WriteString(worst.Reason.EN + "\n")
	direct := false
	if d := worst.DirectSend; d != nil {
		direct = d.Verdict == string(m365.DS1) || d.Verdict == string(m365.DS2) || d.Verdict == string(m365.DS3)
	}
	for _, f := range worst.Findings {
		text.WriteString(f.Title.EN + "\n")
	}
	it := news.Item{
		Key: worst.SHA256, Kind: news.Article,
		Title: cmp.Or(worst.Subject, worst.File), Text: text.String(), Lang: lang.EN,
	}
	it.ID = news.NewItemID("judge", worst.SHA256)
	if worst.Date != nil {
		it.Published = *worst.Date
	}
	in := &AdviseInput{Items: []news.Item{it}, Excerpts: findingExcerpts(worst), Own: true}
	in.Corrections = Corrections{
		Kind: triage.Campaign, Relevance: triage.RelevanceExact, Activity: triage.ActivityActive, Proximity: triage.Tenant, Impact: triage.ImpactTakeover,
		Lure: worst.Subject,
	}
	in.Template, in.Techniques = "lure-wave", []string{"credential-phishing"}
	if direct {
		in.Template, in.Techniques = "direct-send", []string{"direct-send", "own-domain-spoof"}
	}
	return in, nil
}

// findingExcerpts are the findings of a verdict that the advisory quotes, in both
// languages, without that which the verdict's reason already tells.
func findingExcerpts(v *Verdict) []advisory.Excerpt {
	out := []advisory.Excerpt{}
	for _, f := range v.Findings {
		if len(out) == 2*maxExcerpts {
			break
		}
		repeats := strings.Contains(v.Reason.EN, f.Title.EN) || strings.Contains(v.Reason.JA, f.Title.JA)
		said := slices.ContainsFunc(out, func(e advisory.Excerpt) bool { return e.Text == f.Title.JA || e.Text == f.Title.EN })
		if f.Title.JA == "" || f.Title.EN == "" || repeats || said {
			continue
		}
		out = append(out, advisory.Excerpt{Lang: lang.JA, Text: f.Title.JA}, advisory.Excerpt{Lang: lang.EN, Text: f.Title.EN})
	}
	return out
}

// DraftEnvelope is the sender and the recipient of a draft as far as the organisation
// told them.
func DraftEnvelope(doc *advisory.Document, m *advisory.Draft, deps *AdviseDeps) advisory.Envelope {
	host := "localhost.invalid"
	if d := deps.Facts.Domains.Value(); len(d) > 0 {
		host = d[0]
	}
	e := advisory.Envelope{Date: deps.Now(), MessageID: advisory.MessageIDFor(doc, m, host), Advisory: doc.ID}
	if c, ok := deps.Facts.Contacts.Value()["it"]; ok && c.Mail != "" {
		e.From = c.Mail
	}
	return e
}
