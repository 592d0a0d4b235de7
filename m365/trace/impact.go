package trace

import (
	"cmp"
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/org"
)

// Effect is what turning RejectDirectSend on would do to a mail. Exchange Online
// then refuses a mail that comes in anonymously, matches no inbound connector by
// address or certificate, and whose MAIL FROM has an accepted domain. What From
// says does not count.
// Source: https://techcommunity.microsoft.com/blog/exchange/introducing-more-control-over-direct-send-in-exchange-online/4408790.
type Effect string

// The effects.
const (
	Stopped      Effect = "stopped"        // all that is needed to tell is in the export
	Likely       Effect = "likely-stopped" // it would be stopped, if what the export leaves out is as usual; see [Doubt]
	CannotTell   Effect = "cannot-tell"
	NotStopped   Effect = "not-stopped"   // an own domain in From, but not in MAIL FROM
	ViaConnector Effect = "via-connector" // an own domain in MAIL FROM, through a connector
)

// Effects returns all effects in the order in which they matter.
func Effects() []Effect { return []Effect{Stopped, Likely, CannotTell, NotStopped, ViaConnector} }

// Doubt is a reason why an effect is not certain.
type Doubt string

// The doubts.
const (
	NoMailFrom    Doubt = "no-mail-from"    // the export has the author only
	SenderUnclear Doubt = "sender-unclear"  // it does not say whether the sender is that of the envelope
	NoConnector   Doubt = "no-connector"    // it does not name connectors
	ByCertificate Doubt = "by-certificate"  // a connector of ours goes by a certificate, which no export shows
	MaybeSignedIn Doubt = "maybe-signed-in" // filed as mail inside the organisation, and the export does not say whether somebody signed in
	NoAddress     Doubt = "no-address"      // it does not say where the mail came from
)

// Bounds of what is kept.
const (
	maxSources    = 100_000
	maxSenders    = 500  // of a source
	maxRecipients = 2000 // of a source that are told apart
	maxSubjects   = 5
	maxHosts      = 5
	maxSeen       = 8_000_000 // mails that are told apart
)

// Sender is an address that a source sent as.
type Sender struct {
	Address  string
	Messages int
	First    time.Time
	Last     time.Time
}

// Source is where mail came from, with one effect: an address, or for IPv6 a /64.
type Source struct {
	Network netip.Prefix // invalid where the export has no address
	Effect  Effect
	Doubts  []Doubt

	Messages   int
	Deliveries int // to recipients
	Recipients int // different ones
	First      time.Time
	Last       time.Time
	Self       int // mails to their own sender, as attackers like them
	Held       int // deliveries that a filter kept from the inbox
	Delivered  int
	Failing    int // mails that passed neither SPF, DKIM nor DMARC, as the export says
	Null       int // mails with an empty MAIL FROM

	Senders   []Sender // of the envelope as far as known; the busiest first
	Authors   []Sender // where they differ: of From
	Subjects  []string
	Hosts     []string
	Connector string // of ours, or that the export names

	senders    map[string]*Sender
	authors    map[string]*Sender
	recipients map[uint64]bool
	doubts     map[Doubt]bool
}

// Impact collects what turning RejectDirectSend on would do.
type Impact struct {
	facts *org.Facts
	by    map[key]*Source
	seen  map[uint64]bool
	seed  maphash.Seed

	Messages int // in the exports
	SignedIn int // in own name, by somebody who signed in
	Foreign  int // in the name of others
	Over     int // mails of sources beyond those that are kept
	First    time.Time
	Last     time.Time
}

type key struct {
	network netip.Prefix
	effect  Effect
}

// NewImpact returns an empty collection. Nothing is an own domain unless the
// facts say so.
func NewImpact(facts *org.Facts) *Impact {
	return &Impact{facts: facts, by: map[key]*Source{}, seen: map[uint64]bool{}, seed: maphash.MakeSeed()}
}

// Add takes a row in. An extended report counts with its RECEIVE events.
func (c *Impact) Add(k Knows, row *Row) {
	if row.Event == "DELIVER" {
		return
	}
	fresh := c.fresh(row)
	if fresh {
		c.Messages++
		if !row.Time.IsZero() {
			c.First, c.Last = earlier(c.First, row.Time), later(c.Last, row.Time)
		}
	}
	effect, doubts, connector := c.effect(k, row)
	switch effect {
	case "":
		if fresh {
			c.Foreign++
		}
		return
	case signedIn:
		if fresh {
			c.SignedIn++
		}
		return
	case Stopped, Likely, CannotTell, NotStopped, ViaConnector:
	}
	at := key{networkOf(row.IP), effect}
	s := c.by[at]
	if s == nil {
		if len(c.by) >= maxSources {
			if fresh {
				c.Over++
			}
			return
		}
		s = &Source{
			Network: at.network, Effect: effect, senders: map[string]*Sender{}, authors: map[string]*Sender{},
			recipients: map[uint64]bool{}, doubts: map[Doubt]bool{},
		}
		c.by[at] = s
	}
	for _, d := range doubts {
		s.doubts[d] = true
	}
	if s.Connector == "" {
		s.Connector = strings.Clone(connector)
	}
	s.add(row, fresh, c.seed)
}

// signedIn is the effect of mail that is none of Direct Send.
const signedIn Effect = "signed-in"

// fresh reports whether the mail of a row was not there yet; exports have a row
// for each recipient.
func (c *Impact) fresh(row *Row) bool {
	id := row.NetworkID
	if id == "" {
		id = row.MessageID
	}
	if id == "" || len(c.seen) >= maxSeen {
		return true
	}
	h := maphash.String(c.seed, id)
	if c.seen[h] {
		return false
	}
	c.seen[h] = true
	return true
}

// networkOf is what counts as one source: an address, or what an IPv6 host has
// to itself.
func networkOf(ip netip.Addr) netip.Prefix {
	switch {
	case !ip.IsValid():
		return netip.Prefix{}
	case ip.Is4():
		return netip.PrefixFrom(ip, 32)
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// effect decides about one row.
func (c *Impact) effect(k Knows, row *Row) (e Effect, doubts []Doubt, connector string) {
	own := func(address string) bool { _, ok := c.facts.Owns(DomainOf(address)); return ok }
	sender, unclear := row.MailFrom, false
	if sender == "" && !k.MailFrom {
		sender, unclear = row.Sender, row.Sender != ""
	}
	author := row.From
	if author == "" && !unclear {
		author = row.Sender
	}
	switch {
	case !own(sender) && !own(author):
		return "", nil, ""
	case row.Direction == Outbound,
		// An export with addresses has none for mail that began inside.
		k.IP && !row.IP.IsValid():
		return signedIn, nil, ""
	}
	if !own(sender) {
		if k.MailFrom || sender != "" || row.Null {
			if name, ok := c.connector(row); ok {
				return ViaConnector, nil, name
			}
			return NotStopped, nil, ""
		}
		if name, ok := c.connector(row); ok {
			return ViaConnector, nil, name
		}
		return CannotTell, []Doubt{NoMailFrom}, ""
	}
	if name, ok := c.connector(row); ok {
		return ViaConnector, nil, name
	}
	if !k.IP {
		return CannotTell, []Doubt{NoAddress}, ""
	}
	if row.Direction == Intra && !checked(row.Authentication) {
		return CannotTell, []Doubt{MaybeSignedIn}, ""
	}
	if unclear {
		doubts = append(doubts, SenderUnclear)
	}
	certificate := slices.ContainsFunc(c.facts.Connectors.Value(), func(x org.Connector) bool { return len(x.Certificates) > 0 })
	switch {
	case k.Connector:
	case !c.facts.Connectors.Configured():
		doubts = append(doubts, NoConnector)
	case certificate:
		doubts = append(doubts, ByCertificate)
	}
	if len(doubts) > 0 {
		return Likely, doubts, ""
	}
	return Stopped, nil, ""
}

// checked reports whether the receiving system checked the sender of a mail, as it
// does not for its own users.
func checked(a Authentication) bool {
	for _, r := range []string{a.SPF, a.DMARC} {
		switch r {
		case "pass", "fail", "softfail", "neutral", "temperror", "permerror", "bestguesspass":
			return true
		}
	}
	return false
}

// connector returns the inbound connector by which a mail came, or would come as
// the organisation's connectors are now.
func (c *Impact) connector(row *Row) (string, bool) {
	// SERVER\Default Frontend SERVER is what the servers of Exchange Online call
	// their own.
	if n := row.Connector; n != "" && n != "-" && n != "[]" && !strings.ContainsRune(n, '\\') {
		return n, true
	}
	if row.IP.IsValid() {
		for _, x := range c.facts.Connectors.Value() {
			if slices.ContainsFunc(x.IPs, func(p netip.Prefix) bool { return p.Contains(row.IP) }) {
				return x.Name, true
			}
		}
	}
	return "", false
}

func (s *Source) add(row *Row, fresh bool, seed maphash.Seed) {
	if !row.Time.IsZero() {
		s.First, s.Last = earlier(s.First, row.Time), later(s.Last, row.Time)
	}
	author := row.Author()
	for _, r := range row.Recipients {
		s.Deliveries++
		if r.Outcome.Held() {
			s.Held++
		} else if r.Outcome == Delivered {
			s.Delivered++
		}
		if len(s.recipients) < maxRecipients {
			s.recipients[maphash.String(seed, r.Address)] = true
		}
	}
	if !fresh {
		return
	}
	s.Messages++
	if slices.ContainsFunc(row.Recipients, func(r Recipient) bool { return r.Address == author }) {
		s.Self++
	}
	if row.Null {
		s.Null++
	}
	if a := row.Authentication; a.SPF != "" && a.SPF != "pass" && a.DKIM != "pass" && a.DMARC != "pass" && a.DMARC != "bestguesspass" {
		s.Failing++
	}
	envelope := row.MailFrom
	if envelope == "" {
		envelope = row.Sender
	}
	count(s.senders, envelope, row.Time)
	if row.From != "" && row.From != envelope {
		count(s.authors, row.From, row.Time)
	}
	keep(&s.Subjects, row.Subject, maxSubjects)
	keep(&s.Hosts, row.Host, maxHosts)
}

func count(in map[string]*Sender, address string, at time.Time) {
	if address == "" {
		return
	}
	x := in[address]
	if x == nil {
		if len(in) >= maxSenders {
			return
		}
		x = &Sender{Address: strings.Clone(address)} // not the whole row
		in[x.Address] = x
	}
	x.Messages++
	if !at.IsZero() {
		x.First, x.Last = earlier(x.First, at), later(x.Last, at)
	}
}

func keep(list *[]string, s string, most int) {
	if s == "" || len(*list) >= most || slices.Contains(*list, s) {
		return
	}
	if len(s) > 500 {
		s = clip(s)
	}
	*list = append(*list, strings.Clone(s))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Sources returns what was collected, by effect and then the busiest first.
func (c *Impact) Sources() []*Source {
	out := slices.Collect(maps.Values(c.by))
	rank := func(e Effect) int { return slices.Index(Effects(), e) }
	for _, s := range out {
		s.Recipients = len(s.recipients)
		s.Senders, s.Authors = busiest(s.senders), busiest(s.authors)
		s.Doubts = slices.Sorted(maps.Keys(s.doubts))
	}
	slices.SortFunc(out, func(a, b *Source) int {
		return cmp.Or(cmp.Compare(rank(a.Effect), rank(b.Effect)), cmp.Compare(b.Messages, a.Messages), a.Network.Compare(b.Network))
	})
	return out
}

func busiest(m map[string]*Sender) []Sender {
	var out []Sender
	for _, s := range m {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Sender) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Address, b.Address))
	})
	return out
}
