package mdm

import (
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mql/value"
)

// Prevalence says how usual a sender is.
type Prevalence string

// The prevalences, from never seen to usual. The empty one is not known.
const (
	PrevalenceNew      Prevalence = "new"
	PrevalenceOutlier  Prevalence = "outlier"
	PrevalenceRare     Prevalence = "rare"
	PrevalenceUncommon Prevalence = "uncommon"
	PrevalenceCommon   Prevalence = "common"
)

// Profile is what is known of a sender from the mail before this one.
type Profile struct {
	Prevalence Prevalence
	Solicited  bool    // somebody here wrote to the sender before
	DaysKnown  float64 // since the first message; 0 for a new sender

	// Whether a message of the sender was judged by people: it was "explicitly
	// labeled", in the words of the published model. Unjudged means that nobody
	// judged any and that this says nothing; then both are null.
	AnyBenign          bool
	AnyMaliciousOrSpam bool
	Unjudged           bool

	// Days since; negative: never.
	LastInbound, LastOutbound float64
	AuthFailed                bool // a result of this message is no pass

	// Short means that the history does not reach far enough: what it does not
	// have may have happened all the same. NoSent means that it has no mail
	// that somebody here sent. Both make unknown what would be a no.
	Short, NoSent bool
}

// History knows who wrote before.
type History interface {
	// Address returns the profile of an address, in small letters, and whether
	// the history reaches far enough to say.
	Address(addr string) (Profile, bool)
	// Domain returns the profile of everybody at a domain.
	Domain(name string) (Profile, bool)
}

// FreeMail reports whether anybody can have a mailbox at a domain, so that its
// users have nothing in common.
type FreeMail func(domain string) bool

var (
	profileShape = value.NewShape("SenderProfile", "prevalence", "solicited", "any_messages_benign", "any_false_positives", "any_messages_malicious_or_spam", "days_known", "days_since", "auth_failed")
	sinceShape   = value.NewShape("DaysSince", "first_contact", "last_contact", "last_inbound", "last_outbound")
)

// What a profile lacks: a history, one that reaches far enough, and one of the
// mail that somebody here sent.
var (
	noHistory    = value.Gap{Capability: "history", Cause: finding.NotConfigured}
	shortHistory = value.Gap{Capability: "history", Name: "reach", Cause: finding.NotConfigured}
	noSentMail   = value.Gap{Capability: "history", Name: "sent", Cause: finding.NotConfigured}
)

// profiles returns the functions profile.*.
func (m *Model) profiles(free FreeMail) map[string]value.Func {
	byEmail := func(box value.Value) value.Value {
		if m.in.History == nil {
			return value.Missing(noHistory)
		}
		addr, _ := box.Field("email").Field("email").Str()
		return m.profile(m.in.History.Address(addr))
	}
	byDomain := func(box value.Value) value.Value {
		if m.in.History == nil {
			return value.Missing(noHistory)
		}
		name, _ := box.Field("email").Field("domain").Field("domain").Str()
		return m.profile(m.in.History.Domain(name))
	}
	either := func(box value.Value) value.Value {
		name, _ := box.Field("email").Field("domain").Field("domain").Str()
		if free != nil && free(name) || name == "" {
			return byEmail(box)
		}
		return byDomain(box)
	}
	sender := func(f func(value.Value) value.Value) value.Func {
		return func(*value.Call) value.Value { return f(m.root.Field("sender")) }
	}
	return map[string]value.Func{
		"profile.by_sender":        sender(either),
		"profile.by_sender_email":  sender(byEmail),
		"profile.by_sender_domain": sender(byDomain),
		"beta.profile.by_reply_to": func(*value.Call) value.Value {
			l := m.root.Field("headers").Field("reply_to").List()
			if l.Len() == 0 {
				return value.Null
			}
			return either(l.At(0))
		},
	}
}

// profile adds what this message says itself.
func (m *Model) profile(p Profile, known bool) value.Value {
	p.AuthFailed = p.AuthFailed || known && m.authFailed()
	return profileValue(p, known)
}

// authFailed reports whether a receiving server found SPF, DKIM or DMARC to
// fail.
func (m *Model) authFailed() bool {
	for _, r := range m.results() {
		if !r.trusted {
			continue
		}
		for _, method := range []string{authres.SPF, authres.DKIM, authres.DMARC} {
			for _, x := range r.field.All(method) {
				switch x.Value.Text {
				case "fail", "softfail", "permerror":
					return true
				}
			}
		}
	}
	return false
}

func profileValue(p Profile, known bool) value.Value {
	if !known {
		return value.Missing(noHistory)
	}
	prevalence := value.Missing(shortHistory)
	if p.Prevalence != "" {
		prevalence = value.String(strings.ToLower(string(p.Prevalence)))
	}
	solicited := value.Bool(p.Solicited)
	switch {
	case p.Solicited:
	case p.NoSent:
		solicited = value.Missing(noSentMail)
	case p.Short:
		solicited = value.Missing(shortHistory)
	}
	first := value.Float(p.DaysKnown)
	if p.Short {
		first = value.Missing(shortHistory)
	}
	benign, malicious := value.Bool(p.AnyBenign), value.Bool(p.AnyMaliciousOrSpam)
	if p.Unjudged && !p.AnyBenign && !p.AnyMaliciousOrSpam {
		benign, malicious = value.Null, value.Null
	}
	return value.Of(profileShape.New(prevalence, solicited, benign, benign, malicious,
		first, value.Of(p.since(first)), value.Bool(p.AuthFailed)))
}

// since returns the days since each kind of contact, null for never.
func (p *Profile) since(first value.Value) *value.Object {
	days := func(d float64, unknown bool, gap value.Gap) value.Value {
		switch {
		case d >= 0:
			return value.Float(d)
		case unknown:
			return value.Missing(gap)
		}
		return value.Null
	}
	in := days(p.LastInbound, p.Short, shortHistory)
	outGap := shortHistory
	if p.NoSent {
		outGap = noSentMail
	}
	out := days(p.LastOutbound, p.Short || p.NoSent, outGap)
	contact := in
	if p.LastOutbound >= 0 && (p.LastInbound < 0 || p.LastOutbound < p.LastInbound) {
		contact = out
	}
	if p.LastInbound < 0 && p.LastOutbound < 0 {
		contact = out // null, or what it would take to know
	}
	return sinceShape.New(first, contact, in, out)
}
