package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// WebhookKind is what a webhook understands.
type WebhookKind string

// The kinds of webhooks.
const (
	SlackWebhook   WebhookKind = "slack"   // Block Kit
	TeamsWebhook   WebhookKind = "teams"   // an Adaptive Card, as the Workflows app takes it
	GenericWebhook WebhookKind = "generic" // our JSON, signed
)

// Webhook is an address that takes what was approved.
type Webhook struct {
	Name    string
	URL     string
	Kind    WebhookKind
	Secret  string // key of the signature; generic ones only
	Private bool   // may be inside the network, and without TLS
}

// Print names kind and address of a webhook without telling them.
func (w *Webhook) Print() string {
	return advisory.ContentHash("sekisho.webhook/v1", []byte(w.Kind), []byte(w.URL))[:16]
}

// Notifier hands notices to webhooks.
type Notifier interface {
	// Notify hands over a notice once. An answer of the server, whatever its
	// status, is a value; the error is an [*Error] that says why there is none, of
	// kind Unavailable where another try may help.
	Notify(ctx context.Context, w *Webhook, n *Notification) (*Notified, error)
}

// Notified is the answer of a webhook.
type Notified struct {
	Status     int           // of HTTP
	RetryAfter time.Duration // how long the server asks to wait; 0 if it does not
}

// OK reports whether the notice was taken.
func (n *Notified) OK() bool { return n.Status >= 200 && n.Status <= 299 }

// Again reports whether another try may help.
func (n *Notified) Again() bool { return n.Status == 408 || n.Status == 429 || n.Status >= 500 }

// NotificationSchema names the JSON form of a [Notification].
const NotificationSchema = "sekisho.notification/v1"

// Notification is what a webhook gets: an approved advisory, the drafts that are for it.
type Notification struct {
	Schema    string              `json:"schema"`
	Key       string              `json:"key"` // the same for each try
	ID        string              `json:"id"`
	Subject   string              `json:"subject"`
	Version   int                 `json:"version"`
	Hash      string              `json:"hash"` // of the content that was approved
	At        time.Time           `json:"at"`   // of this try
	Grade     string              `json:"grade"`
	Label     lang.Text           `json:"label"`
	Due       string              `json:"due,omitempty"`
	Title     lang.Text           `json:"title"`
	Approved  lang.Text           `json:"approved"` // by whom and when, in words
	Approvals []Approval          `json:"approvals"`
	Drafts    []NotificationDraft `json:"drafts"`
}

// NotificationDraft is a draft as text.
type NotificationDraft struct {
	Audience advisory.Audience `json:"audience"`
	Lang     lang.Language     `json:"lang"`
	Subject  string            `json:"subject"`
	Body     string            `json:"body"`
}
