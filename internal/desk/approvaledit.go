package desk

import (
	"context"
	"net/mail"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/lang"
)

// EditInput is a change to an advisory that a person makes.
type EditInput struct {
	Ref     string
	Actor   Actor
	Draft   *EditedDraft // nil: the words stay
	To      []Recipient  // nil: the recipients stay; empty: none
	Comment string
}

// EditAdvisory keeps a new version of an advisory with the words or the
// recipients changed. It is a draft: an approval of the version before is not one
// of this.
func EditAdvisory(ctx context.Context, in *EditInput, deps *ApprovalDeps) (*AdvisoryReview, error) {
	x, err := deps.load(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	if x.rec.Version != x.newest.Version {
		return nil, &Error{Kind: Conflict, Message: lang.M("approval.error.old", "id", x.rec.Document.ID), Hint: lang.M("approval.hint.newer", "id", x.newest.Document.ID)}
	}
	s, err := deps.next(x, workflow.Edit, in.Actor)
	if err != nil {
		return nil, err
	}
	s.Comment = workflow.CleanComment(in.Comment)
	r := &AdvisoryRecord{
		Subject: x.rec.Subject, At: s.At, Author: s.Name, Corrections: x.rec.Corrections, Recipients: x.rec.Recipients, Document: x.rec.Document.Clone(),
	}
	if in.Draft != nil {
		e := in.Draft
		was := x.rec.Document.Draft(e.Audience, e.Lang)
		if was == nil {
			return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.draft"), Hint: lang.M("approval.hint.draft")}
		}
		if e.Advisory != "" && e.Advisory != x.rec.Document.ID {
			return nil, &Error{Kind: Conflict, Message: lang.M("approval.error.other-draft", "id", e.Advisory), Hint: lang.M("approval.hint.other-draft", "id", x.rec.Document.ID)}
		}
		if strings.TrimSpace(e.Subject) == "" || strings.TrimSpace(e.Body) == "" || len(e.Body) > maxDraft {
			return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.empty-draft"), Hint: lang.M("approval.hint.draft")}
		}
		r.Document, _ = advisory.Revise(x.rec.Document, e.Audience, e.Lang, e.Subject, draftLines(e.Body, was))
	} else {
		// The same words for others are another document.
		r.Document.Renew()
	}
	if in.To != nil {
		r.Recipients = in.To
	}
	next := *r
	next.Version = x.rec.Version
	if same, err := sameContent(x.rec, &next); err != nil || same {
		if err != nil {
			return nil, err
		}
		return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.unchanged")}
	}
	problems, err := deps.problems(ctx, r)
	if err != nil {
		return nil, err
	}
	r.Document.Lint = lint.Remarks(problems, deps.Words)
	if err := deps.Store.KeepAdvisoryStep(ctx, r.Subject, s, r); err != nil {
		return nil, meanwhile(err)
	}
	return deps.again(ctx, r.Document.ID, in.Actor, true)
}

// draftLines reads a text into lines. What stands there as it was keeps its id
// and its kind, also where it is more than one line.
func draftLines(body string, was *advisory.Draft) []advisory.Line {
	out := lint.Lines(body, was)
	from := 0
	for _, w := range was.Lines {
		parts := strings.Split(w.Text, "\n")
		if n, rest, ok := strings.Cut(w.Text, ". "); ok && w.Kind == advisory.KindHeading && strings.Trim(n, "0123456789") == "" {
			parts = []string{rest} // a heading with a number reads like a step
		}
		for i := from; i+len(parts) <= len(out); i++ {
			same := true
			for j, p := range parts {
				same = same && out[i+j].Text == strings.TrimSpace(p)
			}
			if same {
				w.URL = "" // comes with the line below it
				out = slices.Replace(out, i, i+len(parts), w)
				from = i + 1
				break
			}
		}
	}
	return out
}

// maxDraft bounds the text of a draft.
const maxDraft = 256 << 10

// sameContent reports whether two records say the same to the same people,
// whatever their ids are.
func sameContent(a, b *AdvisoryRecord) (bool, error) {
	x, y := *a, *b
	x.Document, y.Document = x.Document.Clone(), y.Document.Clone()
	x.Document.ID, y.Document.ID = "", ""
	x.Version, y.Version = 0, 0
	h, err := x.Hash()
	if err != nil {
		return false, err
	}
	g, err := y.Hash()
	return h == g, err
}

// KeptAdvisory is an advisory of the store for who makes something else of it,
// with whether it is approved.
type KeptAdvisory struct {
	Record   *AdvisoryRecord
	State    workflow.State
	Approved bool // as it is kept, and still
}

// FindAdvisory returns an advisory of the store.
func FindAdvisory(ctx context.Context, ref string, deps *ApprovalDeps) (*KeptAdvisory, error) {
	x, err := deps.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := deps.vouch(ctx, x); err != nil {
		return nil, err
	}
	return &KeptAdvisory{Record: x.rec, State: x.status.State, Approved: x.status.May()}, nil
}

// SameAdvisory reports whether a document says what the kept one says.
func (k *KeptAdvisory) SameAdvisory(d *advisory.Document) bool {
	same, err := sameContent(&AdvisoryRecord{Document: k.Record.Document}, &AdvisoryRecord{Document: d})
	return err == nil && same
}

// ParseRecipients reads recipients as "staff=all@kiso-works.example",
// "admin.ja=webhook:it-team". "none" alone is nobody.
func ParseRecipients(list []string, hooks []Webhook) ([]Recipient, error) {
	out := []Recipient{}
	if len(list) == 1 && list[0] == "none" {
		return out, nil
	}
	for _, s := range list {
		bad := func() ([]Recipient, error) {
			return nil, &Error{Kind: Invalid, Message: lang.M("approval.error.to", "to", s), Hint: lang.M("approval.hint.to")}
		}
		whose, to, ok := strings.Cut(s, "=")
		audience, in, _ := strings.Cut(whose, ".")
		r := Recipient{Audience: advisory.Audience(audience), Lang: in}
		if !ok || !slices.Contains([]advisory.Audience{advisory.Staff, advisory.Admin, advisory.Manager}, r.Audience) || !slices.Contains([]string{"", "ja", "en"}, in) {
			return bad()
		}
		if name, ok := strings.CutPrefix(to, "webhook:"); ok {
			i := slices.IndexFunc(hooks, func(w Webhook) bool { return w.Name == name })
			if i < 0 {
				return nil, noWebhook(name)
			}
			r.Webhook, r.Print = name, hooks[i].Print()
		} else {
			a, err := mail.ParseAddress(to)
			if err != nil || strings.ContainsFunc(a.Address, func(c rune) bool { return c <= ' ' || c > '~' }) {
				return bad()
			}
			r.Address = a.Address
		}
		out = append(out, r)
	}
	return out, nil
}

func noWebhook(name string) *Error {
	return &Error{Kind: NotFound, Message: lang.M("approval.error.webhook", "name", name), Hint: lang.M("approval.hint.webhook")}
}

// KeepDraft keeps what was written as the newest version about its subject.
// voided is the id of a version whose approval ended by that, "" for none.
func KeepDraft(ctx context.Context, r *AdvisoryRecord, deps *ApprovalDeps) (version int, voided string, err error) {
	all, err := deps.Store.Advisories(ctx, r.Subject)
	if err != nil {
		return 0, "", err
	}
	var before *reviewed
	if n := len(all); n > 0 && all[n-1].Document.ID != r.Document.ID {
		if before, err = deps.follow(ctx, &all[n-1]); err != nil {
			return 0, "", err
		}
	}
	if version, err = deps.Store.KeepAdvisory(ctx, r); err != nil {
		return 0, "", err
	}
	if before != nil && before.status.State == workflow.Approved && version > before.rec.Version {
		voided = before.rec.Document.ID
	}
	return version, voided, nil
}
