package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
)

// AdvisoryStore keeps what was written, and what was done to it. Neither is ever
// changed or removed.
type AdvisoryStore interface {
	// KeepAdvisory keeps a document as the newest version of what was written
	// about its subject and returns its version, from 1, with the step by which it
	// was kept and the entry of the audit log. The same document again keeps the
	// version that it had.
	KeepAdvisory(ctx context.Context, r *AdvisoryRecord) (int, error)

	// Advisory returns the document of that id, nil if it is not there.
	Advisory(ctx context.Context, id string) (*AdvisoryRecord, error)

	// Advisories returns all versions of what was written about a subject, the
	// first one first.
	Advisories(ctx context.Context, subject string) ([]AdvisoryRecord, error)

	// NewestAdvisories returns the newest version of each advisory, the one that
	// was kept last first.
	NewestAdvisories(ctx context.Context) ([]AdvisoryRecord, error)

	// KeepAdvisoryStep keeps a step together with its entry in the audit log and,
	// if next is not nil, with the version that the step makes, all or nothing. A
	// step whose number is not the next one is an [*Error] of kind Conflict:
	// somebody else did something meanwhile. Of a step that makes a version the
	// store sets id, version and hash.
	KeepAdvisoryStep(ctx context.Context, subject string, s *workflow.Step, next *AdvisoryRecord) error

	// AdvisorySteps returns what was done to an advisory, the first step first.
	AdvisorySteps(ctx context.Context, subject string) ([]AdvisoryStep, error)
}

// AdvisoryStep is a step as it is kept.
type AdvisoryStep struct {
	workflow.Step

	Audit int64 // number of its entry in the audit log
}

// AdvisoryRecord is an advisory that was kept. Its id is that of the document.
type AdvisoryRecord struct {
	Subject  string // id of the story, or what [FileSubject] makes of a document
	Version  int    // set by the store
	At       time.Time
	Document *advisory.Document

	Author      string      // who wrote it; "" for the program
	Corrections Corrections // what a person knew better
	Recipients  []Recipient // whom it is for
}

// Recipient is whom a draft goes to.
type Recipient struct {
	Audience advisory.Audience `json:"audience"`
	Lang     string            `json:"lang,omitempty"`    // one language; "" for both
	Address  string            `json:"address,omitempty"` // of mail
	Webhook  string            `json:"webhook,omitempty"` // name of one
	Print    string            `json:"print,omitempty"`   // of kind and address of the webhook when it was chosen
}

// Hash names the content that an approval is for: the card and the drafts, whom
// they are for, and of which version of which advisory they are. It is 64 hex
// digits.
func (r *AdvisoryRecord) Hash() (string, error) {
	doc, err := r.Document.Canonical()
	if err != nil {
		return "", fmt.Errorf("advisory %s: %w", r.Document.ID, err)
	}
	to, err := json.Marshal(append([]Recipient{}, r.Recipients...))
	if err != nil {
		return "", fmt.Errorf("advisory %s: %w", r.Document.ID, err)
	}
	return advisory.ContentHash("sekisho.advisory-content/v1", []byte(r.Subject), []byte(strconv.Itoa(r.Version)), doc, to), nil
}

// FileSubject names what was written from a document that is no story by what
// it was written from, so that writing again makes a new version.
func FileSubject(in *AdviseInput) string {
	if len(in.Items) == 0 {
		return ""
	}
	it := &in.Items[0]
	return "a" + advisory.ContentHash("sekisho.advisory-subject/v1", []byte(it.ID), []byte(it.Title), []byte(it.Link))[:16]
}

// AdvisoryAct is the act of a step in the audit log.
func AdvisoryAct(a workflow.Act) Act { return Act("advisory." + string(a)) }

// ActAdvisoryRefused is for what somebody wanted to do to an advisory and must
// not: to approve it, to write its final form, to send it.
const ActAdvisoryRefused Act = "advisory.refused"

// AuditOf is the entry of a step in the audit log.
func AuditOf(s *workflow.Step) AuditEntry {
	e := AuditEntry{At: s.At, Who: s.Who, Act: AdvisoryAct(s.Act), Object: s.Object()}
	if s.Name != "" {
		e.Object += " by " + s.Name
	}
	return e
}
