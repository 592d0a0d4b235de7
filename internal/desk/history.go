package desk

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// HistoryStore keeps the history of mail.
type HistoryStore interface {
	// LoadHistory returns the history, nil if there is none.
	LoadHistory(ctx context.Context) (*history.Book, error)

	// ChangeHistory replaces the history by what edit makes of it, while nobody
	// else does. edit gets nil where there is none.
	ChangeHistory(ctx context.Context, edit func(*history.Book) (*history.Book, error)) error
}

// Gathering says how to take mail into a history.
type Gathering struct {
	Facts     org.Facts
	Judgement history.Judgement // of all the mail
	Now       time.Time
	Words     *lang.Catalogue // nil: the built-in one

	// Unread is told of each input that could not be read. It may be nil.
	Unread func(file string, index int, f *Failure)
}

// Gathered counts what was taken in.
type Gathered struct {
	Messages int `json:"messages"` // read
	Inbound  int `json:"inbound"`
	Outbound int `json:"outbound"`
	Forged   int `json:"forged"`   // in the name of somebody else; counts for nobody
	Unusable int `json:"unusable"` // without an author or a date
	Unread   int `json:"unread"`   // inputs that could not be read
}

// Gather takes the mail of items into a history. The header of a message is all
// that is looked at.
func Gather(ctx context.Context, items iter.Seq[Item], into *history.Builder, g Gathering) Gathered {
	words := g.Words
	if words == nil {
		words = lang.Default()
	}
	var out Gathered
	for it := range items {
		if ctx.Err() != nil {
			break
		}
		f := onItem(it, words, func() {
			m, ok := history.Read(eml.Parse(headerOf(it.Raw), nil), &g.Facts, g.Now)
			out.Messages++
			if !ok {
				out.Unusable++
				return
			}
			switch m.Direction {
			case history.Inbound:
				out.Inbound++
			case history.Outbound:
				out.Outbound++
			case history.Forged:
				out.Forged++
			}
			m.Judgement = g.Judgement
			into.Add(m)
		})
		if f != nil {
			out.Unread++
			if g.Unread != nil {
				g.Unread(it.File, it.Index, f)
			}
		}
	}
	return out
}

// headerOf returns a message up to the first empty line.
func headerOf(raw []byte) []byte {
	end := len(raw)
	for _, empty := range []string{"\n\n", "\n\r\n"} {
		if i := bytes.Index(raw[:end], []byte(empty)); i >= 0 {
			end = i + 1
		}
	}
	return raw[:end]
}

// SenderHistory is what was known of the sender of a message before it.
type SenderHistory struct {
	Address      string             `json:"address"`
	Domain       string             `json:"domain,omitempty"`     // where it is about everybody at a domain
	Complete     bool               `json:"complete"`             // the history reaches far enough: what is not in it did not happen
	Prevalence   history.Prevalence `json:"prevalence,omitempty"` // absent where it is not known
	Solicited    history.Answer     `json:"solicited,omitempty"`  // somebody here had written to the sender; absent where it is not known
	Messages     int                `json:"messages"`             // received before; many of one day count once
	FirstInbound *time.Time         `json:"first_inbound,omitempty"`
	LastInbound  *time.Time         `json:"last_inbound,omitempty"`
	LastOutbound *time.Time         `json:"last_outbound,omitempty"`
	Benign       bool               `json:"benign"`    // people judged a mail of the sender benign
	Malicious    bool               `json:"malicious"` // or malicious, or spam
}

// senderHistory renders a profile.
func senderHistory(address, domain string, p history.Profile) *SenderHistory {
	return &SenderHistory{
		Address: address, Domain: domain, Complete: p.Full, Prevalence: p.Prevalence, Solicited: p.Solicited, Messages: p.Messages,
		FirstInbound: timeOf(p.FirstInbound), LastInbound: timeOf(p.LastInbound), LastOutbound: timeOf(p.LastOutbound), Benign: p.Benign, Malicious: p.Malicious,
	}
}

// past is the history as it was when a message came.
type past struct {
	view    *history.View
	trusted string // address that an exception of the user vouches for
	sent    bool
}

var _ mdm.History = (*past)(nil)

// Address implements [mdm.History].
func (p *past) Address(addr string) (mdm.Profile, bool) {
	return p.profile(p.view.Address(addr), p.trusted != "" && addr == p.trusted), true
}

// Domain implements [mdm.History].
func (p *past) Domain(name string) (mdm.Profile, bool) {
	_, host := cutAddress(p.trusted)
	return p.profile(p.view.Domain(name), p.trusted != "" && name == host), true
}

func (p *past) profile(from history.Profile, trusted bool) mdm.Profile {
	since := func(t time.Time) float64 {
		if t.IsZero() {
			return -1
		}
		return p.view.Time().Sub(t).Hours() / 24
	}
	return mdm.Profile{
		Prevalence: mdm.Prevalence(from.Prevalence), Solicited: from.Solicited == history.Yes, DaysKnown: max(0, since(from.FirstInbound)),
		AnyBenign: from.Benign || trusted, AnyMaliciousOrSpam: from.Malicious, Unjudged: established(from),
		LastInbound: since(from.LastInbound), LastOutbound: since(from.LastOutbound),
		Short: !from.Full, NoSent: !p.sent,
	}
}

// established reports whether people here know a sender well enough that it
// means something when nobody complains. Few organisations judge good mail, so
// that "no mail was judged benign" would hold for all their partners; of a
// sender that hardly anybody has heard of it holds all the same.
func established(p history.Profile) bool {
	return p.Solicited == history.Yes || p.Prevalence == history.Uncommon || p.Prevalence == history.Common
}

// seen are the lists that follow from a history, whole.
type seen struct {
	book                     *history.Book
	senders, senderDomains   *value.List
	recipients, recipDomains *value.List
}

// newSeen returns nil without a history.
func newSeen(b *history.Book) *seen {
	if b == nil {
		return nil
	}
	return &seen{
		book: b, senders: value.NewSet(b.Senders()), senderDomains: value.NewSet(b.SenderDomains()),
		recipients: value.NewSet(b.Recipients()), recipDomains: value.NewSet(b.RecipientDomains()),
	}
}

// lists adds the lists of a view to named ones. A history that is too short has
// none: who is not in a short list may be an old acquaintance. Asking whether
// somebody is in a list is relative to the message; going through a list shows
// it whole.
func (s *seen) lists(v *history.View, named map[string]*value.List) map[string]*value.List {
	if !v.Full() {
		return named
	}
	out := maps.Clone(named)
	ask := func(has func(string) bool) func(string, bool) bool {
		return func(who string, fold bool) bool {
			if fold {
				who = strings.ToLower(who)
			}
			return has(who)
		}
	}
	out["sender_emails"] = value.NewView(s.senders, ask(v.WroteHere))
	out["sender_domains"] = value.NewView(s.senderDomains, ask(v.WroteHere))
	if s.book.HasSent() {
		out["recipient_emails"] = value.NewView(s.recipients, ask(v.WrittenTo))
		out["recipient_domains"] = value.NewView(s.recipDomains, ask(v.WrittenTo))
	}
	return out
}

// recall looks up the sender of the message. Nothing is known of the authors of
// a mail that is quoted in another.
func (a *assessment) recall(deps JudgeDeps) {
	from := a.msg.From()
	if deps.History == nil || a.forward != nil || len(from) == 0 {
		return
	}
	addr := history.AddressOf(from[0])
	if addr == "" {
		return
	}
	a.past = &past{view: deps.History.At(history.TimeOf(a.msg, a.path, deps.Now()), history.IDOf(a.msg)), sent: deps.History.HasSent()}
	if _, own := deps.Facts.Owns(from[0].Domain); own {
		return // colleagues are not met by mail
	}
	if a.excepted(deps) {
		a.past.trusted = addr
	}
	p, of := a.past.view.Address(addr), ""
	if _, host := cutAddress(addr); p.FirstInbound.IsZero() && p.LastOutbound.IsZero() && !freeMail(host) {
		if d := a.past.view.Domain(host); !d.FirstInbound.IsZero() || !d.LastOutbound.IsZero() {
			p, of = d, host
		}
	}
	a.sender = senderHistory(addr, of, p)
}

func freeMail(host string) bool {
	n, err := domain.Parse(host)
	return err != nil || lists.FreeMail().Has(n)
}

// excepted reports whether an exception in force vouches for the sender,
// whatever kind of finding it is about.
func (a *assessment) excepted(deps JudgeDeps) bool {
	claim := a.claim()
	return slices.ContainsFunc(deps.Exceptions, func(e Exception) bool {
		claim.Kind = e.Kind
		return e.From != "" && e.Active(deps.Now()) && e.Matches(claim)
	})
}

// familiar says in one sentence what the history knows of the sender of a mail
// in which no sign of danger was found. Familiarity counts only where it is
// proven that the mail comes from the sender's domain.
func (a *assessment) familiar(where *time.Location) (lang.Message, bool) {
	s := a.sender
	if s == nil {
		return lang.Message{}, false
	}
	_, host := cutAddress(s.Address)
	aligned, _ := a.authenticated(host)
	met := s.FirstInbound != nil && s.Prevalence != history.New
	switch {
	case s.Malicious:
		return lang.M("verdict.reason.clean.judged"), true
	case met && !aligned:
		return lang.M("verdict.reason.clean.unproven", "since", s.FirstInbound.In(where)), true
	case met && s.Domain != "":
		return lang.M("verdict.reason.clean.known-domain", "since", s.FirstInbound.In(where), "domain", s.Domain), true
	case met && s.Solicited == history.Yes:
		return lang.M("verdict.reason.clean.known-both", "since", s.FirstInbound.In(where)), true
	case met:
		return lang.M("verdict.reason.clean.known", "since", s.FirstInbound.In(where)), true
	case s.Solicited == history.Yes && s.Domain == "" && aligned:
		return lang.M("verdict.reason.clean.written"), true
	case s.Complete && s.Domain == "":
		return lang.M("verdict.reason.clean.new"), true
	}
	return lang.Message{}, false
}

// LookUpSender returns what a history knows at the time now of an address, or of
// everybody at a domain; ok is false for what is neither.
func LookUpSender(b *history.Book, who string, now time.Time) (s *SenderHistory, ok bool) {
	local, host := cutAddress(strings.ToLower(strings.TrimSpace(who)))
	n, err := domain.Parse(host)
	if err != nil || n.Parent() == "" || local == "" && strings.Contains(who, "@") {
		return nil, false
	}
	// The end of a saved history is as good as now.
	v := b.At(now, 0)
	if !v.Full() {
		v = b.At(time.Time{}, 0)
	}
	if local == "" {
		return senderHistory("", string(n), v.Domain(string(n))), true
	}
	addr := local + "@" + string(n)
	return senderHistory(addr, "", v.Address(addr)), true
}
