package desk

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/packs/requirements"
	"github.com/sekisho/sekisho/requirement"
)

// BounceSchema names the record of [Bounces].
const BounceSchema = "sekisho.bounce/v1"

// Bounced is the finding that a mail is a bounce and what it means.
const Bounced finding.Kind = "mail.bounce"

// maxBounceFindings bounds what a verdict says of one bounce.
const maxBounceFindings = 3

// BounceDeps is what [Bounces] needs from outside.
type BounceDeps struct {
	Table *requirement.Table // nil: the one that ships with sekisho
	Words *lang.Catalogue    // nil: the built-in one
	Now   func() time.Time   // nil: the system's clock
}

// BounceView is one refusal and what it means.
type BounceView struct {
	Schema    string       `json:"schema"`
	Code      string       `json:"code,omitempty"`   // of SMTP
	Status    string       `json:"status,omitempty"` // RFC 3463
	Temporary bool         `json:"temporary"`
	Text      string       `json:"text"`
	Recipient string       `json:"recipient,omitempty"`
	Remote    string       `json:"remote,omitempty"` // the server that refused
	Domain    string       `json:"domain,omitempty"` // whose mail was refused
	Receiver  string       `json:"receiver,omitempty"`
	System    lang.Text    `json:"system,omitzero"`
	Known     bool         `json:"known"` // the table explains it
	Meaning   lang.Text    `json:"meaning"`
	Fix       lang.Text    `json:"fix,omitzero"`
	Final     lang.Text    `json:"final"` // whether the mail may still arrive
	Failed    []string     `json:"failed"`
	Rules     []BounceRule `json:"rules"` // of the receiver, that are not met
	Source    string       `json:"source,omitempty"`
	Read      string       `json:"read,omitempty"`
}

// BounceRule is a requirement that a refusal is about.
type BounceRule struct {
	ID    string            `json:"id"`
	Check requirement.Check `json:"check"`
	Label lang.Text         `json:"label"`
	Text  lang.Text         `json:"text"`
}

// Bounces explains a bounce: a message, or text pasted from one. The error is
// an [Error] of kind [NotFound] if there is no refusal in it.
func Bounces(file string, raw []byte, deps BounceDeps) ([]BounceView, error) {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Table == nil {
		deps.Table = requirements.Table()
	}
	refusals := requirement.ReadBounce(eml.Parse(raw, nil))
	if len(refusals) == 0 && !looksLikeMail(raw) {
		refusals = requirement.ReadRefusals(strings.ToValidUTF8(string(raw), "\ufffd"))
	}
	if len(refusals) == 0 {
		return nil, &Error{Kind: NotFound, Message: lang.M("requirement.error.no-bounce", "file", file), Hint: lang.M("requirement.hint.no-bounce")}
	}
	r := renderer{words: deps.Words, now: deps.Now()}
	out := make([]BounceView, 0, len(refusals))
	for _, x := range refusals {
		out = append(out, r.bounce(deps.Table.Explain(x)))
	}
	return out, nil
}

// looksLikeMail reports whether raw begins with the fields of a message rather
// than with pasted words.
func looksLikeMail(raw []byte) bool {
	head, _, _ := bytes.Cut(bytes.ReplaceAll(raw[:min(len(raw), 64<<10)], []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	h := eml.Parse(head, nil).Header()
	return len(h.All("From")) > 0 && (len(h.All("Received")) > 0 || len(h.All("Message-ID")) > 0 || len(h.All("Content-Type")) > 0)
}

func (r renderer) bounce(x requirement.Explanation) BounceView {
	out := BounceView{
		Schema: BounceSchema, Code: x.Code, Status: x.Status, Temporary: x.Temporary(), Text: x.Text, Recipient: x.Recipient, Remote: x.Remote,
		Domain: string(x.Sender), Failed: []string{}, Rules: []BounceRule{}, Known: x.Reply != nil,
		Meaning: r.words.Render(lang.M("requirement.bounce.unknown")), Final: r.words.Render(lang.M("requirement.bounce.permanent")),
	}
	if out.Temporary {
		out.Final = r.words.Render(lang.M("requirement.bounce.temporary"))
	}
	if x.Receiver != nil {
		out.Receiver, out.System = x.Receiver.ID, x.Receiver.Name
	}
	if x.Reply != nil {
		out.Receiver, out.Meaning, out.Fix, out.Source, out.Read = x.Reply.Receiver, x.Reply.Meaning, x.Reply.Fix, x.Reply.Source, x.Reply.Read
		if x.Receiver == nil {
			out.System = x.Reply.System
		}
	}
	for _, res := range x.Results {
		if !res.Pass {
			out.Failed = append(out.Failed, strings.ToUpper(res.Mechanism))
		}
	}
	for _, rule := range x.Rules {
		out.Rules = append(out.Rules, BounceRule{ID: rule.ID, Check: rule.Check, Label: r.words.Render(lang.M("requirement.check." + string(rule.Check))), Text: rule.Text})
	}
	return out
}

// bounces finds what a report of delivery says of our own mail. It is worth
// knowing and no sign of danger.
func (a *assessment) bounces() {
	if a.decision.Verdict.IsSpoof() || !isDeliveryReport(a.msg) {
		return
	}
	table := requirements.Table()
	seen := map[string]bool{}
	for _, refusal := range requirement.ReadBounce(a.msg) {
		x := table.Explain(refusal)
		if x.Reply == nil || seen[x.Reply.ID] || len(seen) == maxBounceFindings {
			continue
		}
		seen[x.Reply.ID] = true
		system := x.Reply.System
		if x.Receiver != nil {
			system = x.Receiver.Name
		}
		f := finding.Finding{
			Kind: Bounced, Severity: finding.Info, Subject: a.subject(),
			Title:      lang.M("requirement.bounce.title", "system", system, "code", strings.TrimSpace(x.Code+" "+x.Status), "meaning", x.Reply.Meaning),
			Evidence:   []finding.Evidence{{Where: finding.Where{Part: a.part}, Quote: x.Text}},
			Actions:    []finding.Action{{Message: lang.M("requirement.bounce.fix", "fix", x.Reply.Fix), Audience: finding.Admin, Within: finding.Week}},
			Rule:       finding.Rule{ID: finding.RuleID("sekisho/bounce/" + x.Reply.ID), Name: x.Reply.ID, Source: "sekisho"},
			References: []finding.Reference{{Title: x.Reply.ID, URL: x.Reply.Source}},
		}
		if x.Sender != "" && len(x.Rules) > 0 {
			f.Actions = append(f.Actions, finding.Action{
				Message: lang.M("requirement.bounce.check", "domain", x.Sender.Unicode()), Audience: finding.Admin, Within: finding.Week,
				Commands: []string{"sekisho domain check " + string(x.Sender)},
			})
		}
		a.findings = append(a.findings, f)
	}
}

// plain writes a number as programs read it, without commas.
func plain(n int) string { return strconv.Itoa(n) }
