package mdm

import (
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

// Prevalence says how usual a sender is.
type Prevalence string

// The prevalences, from never seen to usual. The empty one is not known: with
// too little history nothing can be said.
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

	// Whether a message of the sender was judged by people.
	AnyBenign          bool
	AnyMaliciousOrSpam bool

	// Days since; negative: never.
	LastInbound, LastOutbound float64
	AuthFailed                bool // this message has a result that is no pass
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

// noHistory is what a profile is without a history.
var noHistory = value.Gap{Capability: "history", Cause: finding.NotConfigured}

// profiles returns the functions profile.*.
func (m *Model) profiles(free FreeMail) map[string]value.Func {
	byEmail := func(box value.Value) value.Value {
		if m.in.History == nil {
			return value.Missing(noHistory)
		}
		addr, _ := box.Field("email").Field("email").Str()
		p, ok := m.in.History.Address(addr)
		return profileValue(p, ok)
	}
	byDomain := func(box value.Value) value.Value {
		if m.in.History == nil {
			return value.Missing(noHistory)
		}
		name, _ := box.Field("email").Field("domain").Field("domain").Str()
		p, ok := m.in.History.Domain(name)
		return profileValue(p, ok)
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

func profileValue(p Profile, known bool) value.Value {
	if !known {
		return value.Missing(noHistory)
	}
	days := func(d float64) value.Value {
		if d < 0 {
			return value.Null
		}
		return value.Float(d)
	}
	contact := p.LastInbound
	if p.LastOutbound >= 0 && (contact < 0 || p.LastOutbound < contact) {
		contact = p.LastOutbound
	}
	return value.Of(profileShape.New(value.OptString(strings.ToLower(string(p.Prevalence))), value.Bool(p.Solicited), value.Bool(p.AnyBenign), value.Bool(p.AnyBenign),
		value.Bool(p.AnyMaliciousOrSpam), value.Float(p.DaysKnown),
		value.Of(sinceShape.New(days(p.DaysKnown), days(contact), days(p.LastInbound), days(p.LastOutbound))), value.Bool(p.AuthFailed)))
}
