package m365

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// The kinds of finding that this package makes.
const (
	KindDirectSend      finding.Kind = "mail.direct-send-spoof"      // DS-1
	KindOwnDomain       finding.Kind = "mail.own-domain-spoof"       // DS-2
	KindNullSender      finding.Kind = "mail.own-domain-null-sender" // DS-3
	KindThroughGateway  finding.Kind = "mail.spoof-through-gateway"  //
	KindGatewayBroke    finding.Kind = "mail.gateway-broke-auth"     // the gateway's own doing
	KindDevice          finding.Kind = "mail.direct-send-device"     // an inventory entry
	KindConnectorBroken finding.Kind = "mail.connector-broken"       //
	KindAllowList       finding.Kind = "mail.allow-list-bypass"      //
	KindContradiction   finding.Kind = "mail.header-contradiction"   // what one hand should have written disagrees
)

// source names the judge in the rule of a finding.
const source = "sekisho"

// Findings turns a decision into findings for the desk. A decision about
// ordinary mail has none.
func Findings(m *eml.Message, d *Decision) []finding.Finding {
	var out []finding.Finding
	if f, ok := spoof(m, d); ok {
		out = append(out, f)
	}
	switch {
	case d.Verdict == GatewayBrokeAuth:
		out = append(out, d.finding(m, KindGatewayBroke, finding.Info,
			lang.M("m365.title.gateway-broke", "domain", d.Domain), gatewayActions(), gatewayPages()))
	case d.Verdict == AuthorisedDevice:
		severity := finding.Info
		if d.Confidence == Low {
			severity = finding.Medium // anybody behind the shared addresses can do the same
		}
		out = append(out, d.finding(m, KindDevice, severity,
			lang.M("m365.title.device", "ip", d.ClientIP.String(), "domain", d.Domain), deviceActions(), devicePages()))
	case d.ConnectorBroken:
		out = append(out, d.finding(m, KindConnectorBroken, finding.Low,
			lang.M("m365.title.connector-broken", "name", d.Connector), connectorActions(), connectorPages()))
	}
	if len(d.Tampered) > 0 && d.Domain != "" {
		f := d.finding(m, KindContradiction, finding.Low, lang.M("m365.title.contradiction"), nil, headerPages())
		f.Evidence = nil
		for _, t := range d.Tampered {
			for _, e := range t.Evidence {
				e.Note = t.Message
				f.Evidence = append(f.Evidence, e)
			}
		}
		out = append(out, f)
	}
	return out
}

// AllowListFinding reports a mail that an allow list let past the filter, a
// setting worth mending whatever the mail is.
func AllowListFinding(m *eml.Message, s *Stamps) (finding.Finding, bool) {
	if !allowed(s.SFV) {
		return finding.Finding{}, false
	}
	why, _ := Explain(CodeSFV, s.SFV.Text)
	e := valueEvidence(m, s.SFV)
	e.Note = why
	return finding.Finding{
		Kind: KindAllowList, Severity: finding.Info,
		Title:      lang.M("m365.title.allow-list"),
		Subject:    subject(m),
		Evidence:   []finding.Evidence{e},
		Actions:    allowListActions(s.SFV),
		Rule:       finding.Rule{ID: "sekisho/allow-list", Name: "allow-list", Source: source},
		References: allowListPages(),
	}, true
}

func subject(m *eml.Message) finding.Subject {
	return finding.Subject{Type: "message", ID: m.MessageID()}
}

func (d *Decision) finding(m *eml.Message, kind finding.Kind, severity finding.Severity, title lang.Message, actions []finding.Action, pages []finding.Reference) finding.Finding {
	f := finding.Finding{
		Kind: kind, Severity: severity, Title: title, Subject: subject(m),
		Actions: actions, References: pages,
		Rule: finding.Rule{ID: finding.RuleID("sekisho/" + string(d.Verdict)), Name: string(d.Verdict), Source: source},
	}
	// The telling step is the last one; the claim of S1 says what it is about.
	for i, s := range d.Steps {
		if s.Step == "S1" || i == len(d.Steps)-1 {
			f.Evidence = append(f.Evidence, s.Evidence...)
		}
	}
	if hop, ok := d.Path.IngressHop(); ok {
		e := fieldEvidence(m, hop.Field)
		e.Note = d.Path.Provenance(hop.Field).Reason
		f.Evidence = append(f.Evidence, e)
	}
	for _, s := range d.Signals {
		if s.Weight > 0 {
			for _, e := range s.Evidence {
				e.Note = s.Message
				f.Evidence = append(f.Evidence, e)
			}
		}
	}
	f.Evidence = distinct(f.Evidence)
	return f
}

// distinct drops evidence that stands at the same place as one before it.
func distinct(all []finding.Evidence) []finding.Evidence {
	type place struct{ offset, length int }
	seen := map[place]bool{}
	out := all[:0:0]
	for _, e := range all {
		p := place{e.Where.Offset, e.Where.Length}
		if seen[p] && p.length > 0 {
			continue
		}
		seen[p] = true
		out = append(out, e)
	}
	return out
}

func spoof(m *eml.Message, d *Decision) (finding.Finding, bool) {
	severity := map[Confidence]finding.Severity{High: finding.High, Medium: finding.Medium, Low: finding.Low}[d.Confidence]
	switch d.Verdict {
	case DS1:
		actions := append(firstResponse(d), deviceCheck(d)...)
		actions = append(actions, restrict(d)...)
		return d.finding(m, KindDirectSend, severity, lang.M("m365.title.ds1", "domain", d.Domain), actions, spoofPages()), true
	case DS2:
		actions := append(firstResponse(d), senderCheck(d)...)
		actions = append(actions, closeOwnDomain(d)...)
		title := lang.M("m365.title.ds2", "domain", d.Domain, "sender", hostOf(d.MailFrom))
		return d.finding(m, KindOwnDomain, severity, title, actions, spoofPages()), true
	case DS3:
		actions := append(firstResponse(d), closeOwnDomain(d)...)
		return d.finding(m, KindNullSender, severity, lang.M("m365.title.ds3", "domain", d.Domain), actions, spoofPages()), true
	case SpoofThroughGateway:
		actions := append(firstResponse(d), gatewaySpoofActions()...)
		return d.finding(m, KindThroughGateway, severity, lang.M("m365.title.spoof-through-gateway", "domain", d.Domain), actions, gatewayPages()), true
	default:
		return finding.Finding{}, false
	}
}

// placeholderID stands in a command for an ID that the file does not hold.
const placeholderID = "<Network-Message-Id>"

// messageID returns the key of the message in Microsoft's logs, checked so
// that nothing of a sender's ends in a command.
func (d *Decision) messageID() string {
	id := d.Stamps.NetworkMessageID.Text
	if len(id) != 36 || strings.Trim(strings.ToLower(id), "0123456789abcdef-") != "" {
		return placeholderID
	}
	return strings.ToLower(id)
}

// domainName returns the own domain, checked in the same way. It comes from
// the configuration or, presumed, from the mail.
func (d *Decision) domainName() string {
	if d.Domain == "" || strings.Trim(d.Domain, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
		return "<your domain>"
	}
	return d.Domain
}
