package mqltest

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
)

// senders is the history that a test tells.
type senders struct {
	known map[string]mdm.Profile // by address or domain
}

var _ mdm.History = (*senders)(nil)

// Days since the first and the last mail of somebody of whom nothing else is
// said.
const (
	defaultKnown = 90
	defaultLast  = 7
)

// nobody is somebody who never wrote.
func nobody() mdm.Profile {
	return mdm.Profile{Prevalence: mdm.PrevalenceNew, LastInbound: -1, LastOutbound: -1}
}

// prevalences from the least to the most usual.
func prevalences() []mdm.Prevalence {
	return []mdm.Prevalence{mdm.PrevalenceNew, mdm.PrevalenceOutlier, mdm.PrevalenceRare, mdm.PrevalenceUncommon, mdm.PrevalenceCommon}
}

// Address implements [mdm.History].
func (s *senders) Address(addr string) (mdm.Profile, bool) {
	if p, ok := s.known[addr]; ok {
		return p, true
	}
	_, host, _ := strings.Cut(addr, "@")
	if p, ok := s.known[host]; ok {
		return p, true
	}
	return nobody(), true
}

// Domain implements [mdm.History].
func (s *senders) Domain(name string) (mdm.Profile, bool) {
	if p, ok := s.known[name]; ok {
		return p, true
	}
	all, rank := nobody(), prevalences()
	for _, who := range slices.Sorted(maps.Keys(s.known)) {
		if !strings.HasSuffix(who, "@"+name) {
			continue
		}
		p := s.known[who]
		if slices.Index(rank, p.Prevalence) > slices.Index(rank, all.Prevalence) {
			all.Prevalence = p.Prevalence
		}
		all.Solicited = all.Solicited || p.Solicited
		all.AnyBenign = all.AnyBenign || p.AnyBenign
		all.AnyMaliciousOrSpam = all.AnyMaliciousOrSpam || p.AnyMaliciousOrSpam
		all.Unjudged = all.Unjudged || p.Unjudged
		all.DaysKnown = max(all.DaysKnown, p.DaysKnown)
		all.LastInbound, all.LastOutbound = sooner(all.LastInbound, p.LastInbound), sooner(all.LastOutbound, p.LastOutbound)
	}
	return all, true
}

// sooner returns the fewer days since, where a negative number is never.
func sooner(a, b float64) float64 {
	if a < 0 || b >= 0 && b < a {
		return b
	}
	return a
}

// lists are the lists that follow from the history.
func (s *senders) lists() map[string]*value.List {
	var from, fromDomains, to, toDomains []string
	for _, who := range slices.Sorted(maps.Keys(s.known)) {
		p := s.known[who]
		host := who
		if _, after, ok := strings.Cut(who, "@"); ok {
			host = after
		}
		if p.LastInbound >= 0 {
			if host != who {
				from = append(from, who)
			}
			fromDomains = append(fromDomains, host)
		}
		if p.Solicited {
			if host != who {
				to = append(to, who)
			}
			toDomains = append(toDomains, host)
		}
	}
	return map[string]*value.List{
		"sender_emails": value.NewSet(from), "sender_domains": value.NewSet(slices.Compact(slices.Sorted(slices.Values(fromDomains)))),
		"recipient_emails": value.NewSet(to), "recipient_domains": value.NewSet(slices.Compact(slices.Sorted(slices.Values(toDomains)))),
	}
}

func (p *parser) history(first word, args []word) {
	if len(args) == 1 && args[0].is("none") && p.below == nil {
		p.world.senders = nil
		return
	}
	p.world.senders = &senders{known: map[string]mdm.Profile{}}
	p.plain(first, args, 0, 0)
}

// sender reads what is known of somebody.
func (p *parser) sender(first word, args []word) {
	if !p.plain(first, args, 2, 8) {
		return
	}
	who := strings.ToLower(strings.Trim(args[0].text, "<>"))
	profile, met := nobody(), false
	known, last := -1.0, -1.0
	for _, w := range args[1:] {
		name, number, setting := strings.Cut(w.text, "=")
		switch {
		case setting && (name == "known" || name == "last"):
			n, err := strconv.ParseFloat(number, 64)
			if err != nil || !(n >= 0 && n < 1e6) {
				p.fail(w, lang.M("mqltest.error.days", "word", w.text))
				return
			}
			if name == "known" {
				known = n
			} else {
				last = n
			}
		case slices.Contains(prevalences(), mdm.Prevalence(w.text)):
			profile.Prevalence = mdm.Prevalence(w.text)
			met = profile.Prevalence != mdm.PrevalenceNew
		case w.is("solicited"):
			profile.Solicited = true
		case w.is("benign"):
			profile.AnyBenign = true
		case w.is("malicious"):
			profile.AnyMaliciousOrSpam = true
		default:
			p.choice(w, "new", "outlier", "rare", "uncommon", "common", "solicited", "benign", "malicious", "known=DAYS", "last=DAYS")
			return
		}
	}
	if met {
		profile.DaysKnown, profile.LastInbound = defaultKnown, defaultLast
		if known >= 0 {
			profile.DaysKnown = known
			profile.LastInbound = min(profile.LastInbound, known)
		}
		if last >= 0 {
			profile.LastInbound = last
			profile.DaysKnown = max(profile.DaysKnown, last)
		}
	}
	if profile.Solicited {
		profile.LastOutbound = max(profile.LastInbound, defaultLast)
	}
	// As a history that people hardly ever judge: that nobody judged a partner
	// says nothing.
	profile.Unjudged = profile.Solicited || profile.Prevalence == mdm.PrevalenceUncommon || profile.Prevalence == mdm.PrevalenceCommon
	p.world.senders.known[who] = profile
}
