package source

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
)

// Options are what is known beside the reports. All of it may be missing.
type Options struct {
	Services *Catalogue
	Verdicts []Verdict      // of the owner; the first that matches decides
	Networks []netip.Prefix // the owner's

	// Authorised reports whether the domain's own SPF record names the address.
	Authorised func(netip.Addr) bool
	// Names are the hosts of addresses, where the name leads back to the
	// address. An empty name says that it was asked for and there is none.
	Names map[netip.Addr]domain.Name
	// Missing are author domains that do not exist in DNS.
	Missing map[domain.Name]bool
}

// classifier is a collection with what follows from all of it.
type classifier struct {
	*Collector

	opts     Options
	ips      map[netip.Addr]*tally
	groups   map[string]*tally // by who they are, whatever they do
	stray    map[string]*tally // the same, of mail that nothing of the owner vouches for
	selector map[string]*homes
}

// tally is what is known of an address, or of all that looks like one sender.
type tally struct {
	spf, dkim, failing int64
	forwards           int64 // passed on, as reporters say, or with a signature that survived
	home               int64 // with a signature of the owner that comes from nowhere else
	days               map[int64]bool
	first, last        int64
	ips                map[netip.Addr]bool
}

func (t *tally) add(k *kind) {
	t.spf += k.total.SPF
	t.dkim += k.total.DKIM
	t.failing += k.total.Failing()
	for d := range k.days {
		if len(t.days) == 0 || d < t.first {
			t.first = d
		}
		t.last = max(t.last, d)
		t.days[d] = true
	}
	if len(t.ips) < 1000 {
		t.ips[k.ip] = true
	}
}

// homes says from where a selector's signatures come.
type homes struct {
	total  int64
	groups map[string]int64
	direct map[string]int64 // groups whose SPF is aligned as well
}

// who is what a kind of rows says about the one who handed the mail over.
type who struct {
	entry  *Entry
	byName bool // by what it proved, and not by its network alone
	key    string
	name   string
	host   domain.Name // its confirmed name
	asked  bool        // the name was asked for
	signer domain.Name // organizational domain of a foreign signature that passed
	sender domain.Name // the same of a foreign envelope that passed SPF
}

// Classify tells who sent.
func (c *Collector) Classify(o *Options) *Report {
	x := &classifier{Collector: c, ips: map[netip.Addr]*tally{}, groups: map[string]*tally{}, stray: map[string]*tally{}, selector: map[string]*homes{}}
	if o != nil {
		x.opts = *o
	}
	if x.opts.Services == nil {
		x.opts.Services = &Catalogue{}
	}
	whos := make([]who, len(c.order))
	for i, k := range c.order {
		whos[i] = x.who(k)
		tallyOf(x.ips, k.ip).add(k)
		tallyOf(x.groups, whos[i].key).add(k)
		x.selectors(k, whos[i].key)
	}
	for i, k := range c.order {
		switch {
		case x.passedOn(k) || k.dkim && !k.spf && x.elsewhere(k, whos[i].key):
			x.ips[k.ip].forwards += k.total.Messages
			x.groups[whos[i].key].forwards += k.total.Messages
		case k.dkim && !k.spf:
			x.ips[k.ip].home += k.total.Messages
		}
	}
	for i, k := range c.order {
		if !k.spf && !k.dkim && x.ips[k.ip].spf+x.ips[k.ip].home == 0 {
			tallyOf(x.stray, whos[i].key).add(k)
		}
	}
	out := &Report{Domain: c.name, Unproven: c.unproven, Disagreeing: c.disagree, Left: c.left}
	sources := map[string]*building{}
	for i, k := range c.order {
		j := x.judge(k, &whos[i])
		key := string(j.class) + " " + cmp.Or(j.key, whos[i].key)
		b := sources[key]
		if b == nil {
			b = newBuilding(key, &j, &whos[i])
			sources[key] = b
		}
		b.add(k, &j)
		out.add(k.total)
	}
	for _, b := range sources {
		out.Sources = append(out.Sources, *b.finish())
	}
	slices.SortFunc(out.Sources, func(a, b Source) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Key, b.Key))
	})
	out.hear(c)
	return out
}

func (r *Report) add(c Counts) { r.Counts.add(c) }

// hear takes who reported and when.
func (r *Report) hear(c *Collector) {
	for name, x := range c.reporters {
		days := slices.Sorted(maps.Keys(x.days))
		if len(days) == 0 {
			continue
		}
		one := Reporter{Name: name, Messages: x.messages}
		for _, d := range days {
			one.Days = append(one.Days, dateOf(d))
		}
		r.Reporters = append(r.Reporters, one)
		if first := one.Days[0]; r.First.IsZero() || first.Before(r.First) {
			r.First = first
		}
		if last := one.Days[len(one.Days)-1]; last.After(r.Last) {
			r.Last = last
		}
	}
	for k, n := range c.policies {
		r.Policies = append(r.Policies, Published{dateOf(k.day), k.p, k.testing, n})
	}
	slices.SortFunc(r.Policies, func(a, b Published) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.P, b.P))
	})
	slices.SortFunc(r.Reporters, func(a, b Reporter) int {
		return cmp.Or(cmp.Compare(len(b.Days), len(a.Days)), cmp.Compare(a.Name, b.Name))
	})
}

func tallyOf[K comparable](m map[K]*tally, k K) *tally {
	t := m[k]
	if t == nil {
		t = &tally{days: map[int64]bool{}, ips: map[netip.Addr]bool{}}
		m[k] = t
	}
	return t
}

// who finds out who handed the mail over: first what it proved about itself,
// then whose address it is.
func (x *classifier) who(k *kind) who {
	cat := x.opts.Services
	w := who{}
	w.host, w.asked = x.opts.Names[k.ip]
	var named *Entry
	for _, s := range k.signers {
		n, err := domain.Parse(s.Domain)
		if err != nil || s.Result != "pass" || x.ours(s.Domain) {
			continue
		}
		if e := cat.find(cat.dkim, n); e != nil && named == nil {
			named = e
		} else if w.signer == "" {
			w.signer = domain.Organizational(n)
		}
	}
	for _, s := range k.spfs {
		n, err := domain.Parse(s.Domain)
		if err != nil || s.Result != "pass" || x.ours(s.Domain) {
			continue
		}
		if e := cat.find(cat.spf, n); e != nil {
			if named == nil {
				named = e
			}
		} else if w.sender == "" {
			w.sender = domain.Organizational(n)
		}
	}
	if named == nil && w.host != "" {
		named = cat.find(cat.ptr, w.host)
	}
	w.byName = named != nil
	if named == nil {
		named = cat.network(k.ip)
	}
	w.entry = named
	switch {
	case named != nil && named.Kind != Hosting:
		w.key, w.name = named.ID, named.Name
		// Whoever has a mailbox there can send; the envelope tells which of them.
		if named.Kind == Mailbox && w.sender != "" {
			w.key, w.name = named.ID+"/"+string(w.sender), named.Name+" ("+string(w.sender)+")"
		}
	case w.host != "" && named == nil:
		o := domain.Organizational(w.host)
		w.key, w.name = "host:"+string(o), string(o)
	case w.sender != "":
		w.key, w.name = "envelope:"+string(w.sender), string(w.sender)
	case w.signer != "":
		w.key, w.name = "signer:"+string(w.signer), string(w.signer)
	default:
		n := networkOf(k.ip)
		w.key, w.name = "net:"+n, n
		if named != nil {
			w.name = named.Name + " " + n
		}
	}
	return w
}

// networkOf is the /24 or /48 of an address.
func networkOf(ip netip.Addr) string {
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return ip.String()
	}
	return p.String()
}

// good are the selectors of the owner whose signatures passed.
func (x *classifier) good(k *kind) []string {
	var out []string
	for _, s := range k.signers {
		if s.Result == "pass" && x.ours(s.Domain) {
			out = append(out, s.Domain+" "+s.Selector)
		}
	}
	return out
}

func (x *classifier) selectors(k *kind, group string) {
	if !k.dkim {
		return
	}
	for _, s := range x.good(k) {
		h := x.selector[s]
		if h == nil {
			h = &homes{groups: map[string]int64{}, direct: map[string]int64{}}
			x.selector[s] = h
		}
		h.total += k.total.Messages
		h.groups[group] += k.total.Messages
		if k.spf {
			h.direct[group] += k.total.Messages
		}
	}
}

// passedOn reports whether reporters say that somebody passed the mail on.
func (x *classifier) passedOn(k *kind) bool {
	if k.spf {
		return false // it came straight from where the owner says
	}
	return k.arc || slices.ContainsFunc(k.overrides, func(s string) bool {
		return s == "forwarded" || s == "trusted_forwarder" || s == "mailing_list"
	})
}

// elsewhere reports whether the signatures of a kind have their home with
// somebody else: sent straight from there, or most of them seen there.
func (x *classifier) elsewhere(k *kind, group string) bool {
	for _, s := range x.good(k) {
		h := x.selector[s]
		if h.direct[group] > 0 {
			return false
		}
		if len(h.direct) > 0 || h.groups[group]*2 < h.total {
			return true
		}
	}
	return false
}

// judged is what one kind of rows was found to be.
type judged struct {
	class      Class
	confidence Confidence
	reason     Reason
	key, name  string // where they are not those of who
	byUser     bool
}

func why(code string, pairs ...any) Reason {
	return Reason{code, lang.M("dmarcpolicy.why."+code, pairs...)}
}

func (x *classifier) judge(k *kind, w *who) judged {
	if j, ok := x.owner(k, w); ok {
		return j
	}
	if x.passedOn(k) {
		return judged{class: Forwarder, confidence: High, reason: why("reporter-says", "types", slices.Clone(k.overrides))}
	}
	kind := Kind("")
	if w.entry != nil {
		kind = w.entry.Kind
	}
	ours := w.host != "" && x.ours(string(w.host))
	listed := slices.ContainsFunc(x.opts.Networks, func(p netip.Prefix) bool { return p.Contains(k.ip) })
	switch {
	case k.spf && (kind == "" || kind == Hosting || kind == List):
		return judged{class: Own, confidence: High, reason: why("spf-aligned")}
	case k.spf:
		return judged{class: Service, confidence: High, reason: why("service-aligned", "service", w.entry.Name)}
	case listed:
		return judged{class: Own, confidence: High, reason: why("own-network"), key: "own-network", name: networkOf(k.ip)}
	case ours:
		return judged{class: Own, confidence: High, reason: why("own-host", "host", string(w.host))}
	}
	if k.dkim {
		return x.signed(k, w, kind)
	}
	return x.failing(k, w, kind)
}

// owner is what the owner said.
func (x *classifier) owner(k *kind, w *who) (judged, bool) {
	for i := range x.opts.Verdicts {
		v := &x.opts.Verdicts[i]
		hit := false
		under := func(n domain.Name) bool { return n != "" && (n == v.Name || n.IsSubdomainOf(v.Name)) }
		switch v.By {
		case ByAddress:
			hit = v.Prefix.Contains(k.ip)
		case ByPTR:
			hit = under(w.host)
		case ByFrom:
			hit = under(k.from)
		case BySigner:
			for _, s := range k.signers {
				n, _ := domain.Parse(s.Domain)
				hit = hit || s.Result == "pass" && under(n)
			}
		case BySPF:
			for _, s := range k.spfs {
				n, _ := domain.Parse(s.Domain)
				hit = hit || s.Result == "pass" && under(n)
			}
		}
		if hit {
			label := cmp.Or(v.Label, w.name)
			return judged{class: v.Class, confidence: High, reason: why("owner-says"), key: "user:" + label, name: label, byUser: true}, true
		}
	}
	return judged{}, false
}

// signed judges mail that only a signature of the owner vouches for: sent by
// somebody who has the key, or passed on by anybody.
func (x *classifier) signed(k *kind, w *who, is Kind) judged {
	authorised := x.opts.Authorised != nil && x.opts.Authorised(k.ip)
	away := x.elsewhere(k, w.key)
	switch {
	case is == Sender:
		return judged{class: Service, confidence: High, reason: why("service-signs", "service", w.entry.Name)}
	case is == List:
		return judged{class: Forwarder, confidence: High, reason: why("list", "service", w.entry.Name)}
	case is == Mailbox || is == Gateway:
		// Its own customer's mail comes with an envelope of the owner or of the
		// service; what comes with somebody else's was passed on.
		if w.sender == "" && !away && !x.envelopeOurs(k) || authorised {
			return judged{class: Service, confidence: Medium, reason: why("service-signs", "service", w.entry.Name)}
		}
		return judged{class: Forwarder, confidence: Medium, reason: why("signature-survived")}
	case authorised:
		return judged{class: Own, confidence: High, reason: why("spf-names")}
	case away:
		return judged{class: Forwarder, confidence: Medium, reason: why("signature-survived")}
	case w.sender != "" || w.signer != "":
		return judged{class: Service, confidence: Medium, reason: why("unlisted-signs", "name", string(cmp.Or(w.sender, w.signer)))}
	}
	return judged{class: Own, confidence: Medium, reason: why("only-home")}
}

func (x *classifier) envelopeOurs(k *kind) bool {
	return k.envelope != "" && domain.Organizational(k.envelope) == domain.Organizational(x.name)
}

// From when on a source that comes again and again is no attack that passes by.
const (
	steadyDays = 8
	steadySpan = 21 // days from the first to the last
	returnSpan = 25 // days until one that was seen before comes again
	fewServers = 8
)

// failing judges mail that nothing of the owner vouches for.
func (x *classifier) failing(k *kind, w *who, is Kind) judged {
	ip, group := x.ips[k.ip], x.groups[w.key]
	foreign := w.sender != "" || w.signer != ""
	broken := x.broken(k)
	switch {
	case is == List:
		return judged{class: Forwarder, confidence: Medium, reason: why("list", "service", w.entry.Name)}
	case broken && (foreign || group.forwards > 0 || is == Mailbox || is == Gateway):
		return judged{class: Forwarder, confidence: Medium, reason: why("signature-broken")}
	case ip.forwards > 0 && ip.spf+ip.home == 0:
		return judged{class: Forwarder, confidence: Low, reason: why("passes-on")}
	case is == Sender && group.spf+group.dkim > 0:
		return judged{class: Service, confidence: High, reason: why("service-partly", "service", w.entry.Name)}
	case is == Sender && w.byName:
		return judged{class: Service, confidence: Medium, reason: why("service-never", "service", w.entry.Name)}
	case is == Sender:
		return judged{class: Service, confidence: Low, reason: why("service-never", "service", w.entry.Name)}
	case (is == Mailbox || is == Gateway) && w.sender == "" && x.envelopeOurs(k):
		// These services take an envelope only from whoever proved the domain.
		return judged{class: Service, confidence: Low, reason: why("service-envelope", "service", w.entry.Name)}
	case ip.spf+ip.home > 0 && !foreign:
		return judged{class: Own, confidence: Medium, reason: why("same-server")}
	case foreign && group.dkim > group.forwards:
		return judged{class: Service, confidence: Medium, reason: why("unlisted-partly", "name", w.name)}
	case x.opts.Authorised != nil && !foreign && x.opts.Authorised(k.ip):
		return judged{class: Own, confidence: Medium, reason: why("spf-names")}
	}
	return x.stranger(k, w, is, foreign)
}

// broken reports whether the mail carried a signature of the owner, with a
// selector that works elsewhere, that does not fit any more: what mailing lists
// and gateways do to a mail.
func (x *classifier) broken(k *kind) bool {
	for _, s := range k.signers {
		if s.Result == "pass" || s.Result == "none" || !x.ours(s.Domain) {
			continue
		}
		if x.selector[s.Domain+" "+s.Selector] != nil {
			return true
		}
	}
	return false
}

// stranger tells a sender that nobody knows from one who forges.
func (x *classifier) stranger(k *kind, w *who, is Kind, foreign bool) judged {
	g := tallyOf(x.stray, w.key)
	days, span, servers := len(g.days), int(g.last-g.first)+1, len(g.ips)
	nameless := w.asked && w.host == ""
	named := w.host != "" && is != Hosting
	switch {
	case x.opts.Missing[k.from]:
		return judged{class: Threat, confidence: High, reason: why("no-such-name", "name", string(k.from))}
	case days >= steadyDays && span >= steadySpan && servers <= fewServers:
		return judged{class: Unknown, confidence: Medium, reason: why("steady", "days", days, "span", span)}
	case days >= 2 && span >= returnSpan && servers <= fewServers/2 && (foreign || named):
		return judged{class: Unknown, confidence: Medium, reason: why("returns", "days", days, "span", span)}
	case w.sender != "" && w.sender == w.signer && !nameless:
		return judged{class: Unknown, confidence: Low, reason: why("authenticated", "name", string(w.sender))}
	case foreign && named:
		return judged{class: Unknown, confidence: Low, reason: why("authenticated", "name", w.name)}
	case foreign:
		return judged{class: Threat, confidence: Low, reason: why("foreign", "name", w.name)}
	case nameless:
		return judged{class: Threat, confidence: High, reason: why("nameless")}
	}
	return judged{class: Threat, confidence: Medium, reason: why("nothing")}
}

// building is a source that is put together.
type building struct {
	Source
	days      map[dayKey]*Counts
	overrides map[string]int64
	ips       map[netip.Addr]int64
	networks  map[string]bool
	signers   map[string]int64
	envelopes map[string]int64
	reporters map[string]int64
	reasons   map[string]int64
	said      map[string]judged
}

type dayKey struct {
	day  int64
	from domain.Name
}

func newBuilding(key string, j *judged, w *who) *building {
	b := &building{
		Source: Source{Key: key, Name: cmp.Or(j.name, w.name), Class: j.class, ByUser: j.byUser},
		days:   map[dayKey]*Counts{}, overrides: map[string]int64{}, ips: map[netip.Addr]int64{}, networks: map[string]bool{}, signers: map[string]int64{},
		envelopes: map[string]int64{}, reporters: map[string]int64{}, reasons: map[string]int64{}, said: map[string]judged{},
	}
	if w.entry != nil && w.entry.Kind != Hosting {
		b.Service = w.entry.ID
	}
	return b
}

func (b *building) add(k *kind, j *judged) {
	n := k.total.Messages
	b.Counts.add(k.total)
	for d, c := range k.days {
		key := dayKey{d, k.from}
		if b.days[key] == nil {
			b.days[key] = &Counts{}
		}
		b.days[key].add(*c)
	}
	for _, o := range k.overrides {
		b.overrides[o] += n
	}
	b.ips[k.ip] += n
	b.networks[networkOf(k.ip)] = true
	for _, s := range k.signers {
		if s.Result == "pass" {
			b.signers[s.Domain+" "+s.Selector] += n
		}
	}
	if k.envelope != "" {
		b.envelopes[string(k.envelope)] += n
	}
	for r := range k.reporters {
		b.reporters[r] += n
	}
	b.reasons[j.reason.Code] += n
	if _, ok := b.said[j.reason.Code]; !ok {
		b.said[j.reason.Code] = *j
	}
}

func (b *building) finish() *Source {
	s := &b.Source
	for k, c := range b.days {
		s.Days = append(s.Days, Day{dateOf(k.day), k.from, *c})
	}
	slices.SortFunc(s.Days, func(a, b Day) int { return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.From, b.From)) })
	s.First, s.Last = s.Days[0].Date, s.Days[len(s.Days)-1].Date
	for _, t := range most(b.overrides) {
		s.Overrides = append(s.Overrides, Override{t, b.overrides[t]})
	}
	s.Addresses = slices.SortedFunc(maps.Keys(b.ips), func(x, y netip.Addr) int {
		return cmp.Or(cmp.Compare(b.ips[y], b.ips[x]), x.Compare(y))
	})
	s.Addresses = slices.Clip(s.Addresses[:min(MaxListed, len(s.Addresses))])
	s.Networks = len(b.networks)
	s.Signers, s.Envelopes, s.Reporters = most(b.signers), most(b.envelopes), most(b.reporters)
	// The confidence is that of the reason which most of the messages have.
	for i, code := range most(b.reasons) {
		if i == 0 {
			s.Confidence = b.said[code].confidence
		}
		s.Reasons = append(s.Reasons, b.said[code].reason)
	}
	return s
}

// most are the keys with the highest numbers.
func most(m map[string]int64) []string {
	list := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), strings.Compare(a, b))
	})
	return slices.Clip(list[:min(MaxListed, len(list))])
}

// String names a source in a line.
func (s *Source) String() string {
	return fmt.Sprintf("%s %s %d/%d", s.Class, s.Name, s.Pass, s.Messages)
}

// Window returns the counts of the last days before until.
func (s *Source) Window(until time.Time, days int) Counts {
	return s.Between(until.AddDate(0, 0, -days), until, nil)
}
