package posture

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
)

// How receivers take an SPF record.
const (
	statusOK        = "ok"
	statusNone      = "none"
	statusPermerror = "permerror"
	statusTemperror = "temperror"
)

// Limits of RFC 7208 section 4.6.4, and when to speak of them.
const (
	spfLookups = 10
	spfVoids   = 2
	nearLimit  = 9
)

// The cost of a record is what the check of an unknown host spends: it goes
// through every term. The limits are raised, so that one sees how far a record
// is over them, and stay far below what a hostile tree could make us ask.
const (
	probeLookups   = 60
	probeQuestions = 200
)

// spf finds out who may send.
func (s *section) spf() {
	f := &s.out.SPF
	a := s.apex
	f.State, f.Sends, f.Status = Absent, Absent, statusNone
	if a.Temporary() {
		f.State, f.Sends, f.Status = stateOf(a), stateOf(a), statusTemperror
		return
	}
	for _, t := range a.Texts() {
		switch {
		case len(f.Records)+len(f.Similar) >= maxTexts:
		case spf.IsRecord(t):
			f.Records = append(f.Records, clip(t))
		case resemblesSPF(t):
			f.Similar = append(f.Similar, clip(t))
		}
	}
	for _, t := range f.Similar {
		code, sev := "spf.similar", finding.Low
		if len(f.Records) == 0 {
			sev = finding.High
		}
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(t)), "spf2.0") {
			code, sev = "spf.sender-id", finding.Low
		}
		s.fault(code, sev, string(s.d), t)
	}
	switch len(f.Records) {
	case 0:
		return
	case 1:
		f.Record = f.Records[0]
	default:
		f.State, f.Status, f.Sends = Present, statusPermerror, Unknown
		s.fault("spf.multiple", finding.High, string(s.d), strings.Join(f.Records, "\n"), "n", len(f.Records))
		return
	}
	f.State = Present
	record, err := spf.ParseRecord(f.Record)
	if list, ok := errors.AsType[spf.SyntaxErrors](err); ok {
		f.Status, f.Sends = statusPermerror, Unknown
		for _, e := range list {
			s.faultSaid("spf.syntax", finding.High, string(s.d), e.Term, e.Message())
		}
		s.ownTerms(record)
		return
	}
	s.evaluate(record)
	s.ownTerms(record)
}

// resemblesSPF reports whether a text was probably meant to be an SPF record.
func resemblesSPF(t string) bool {
	const enough = 40
	t = strings.ToLower(t[:min(len(t), enough)])
	t = strings.Trim(t, " \t\"'“”")
	return strings.HasPrefix(t, "v=spf") || strings.HasPrefix(t, "spf1 ") || strings.HasPrefix(t, "v = spf") ||
		strings.HasPrefix(t, "v=spf1") || strings.HasPrefix(t, "v:spf1") || strings.HasPrefix(t, "spf2.0/") || strings.HasPrefix(t, "vspf1") || strings.HasPrefix(t, "include:")
}

// evaluate goes through the whole record as a receiver does for a host that
// nobody lists.
func (s *section) evaluate(record *spf.Record) {
	f := &s.out.SPF
	p := &probe{next: s.r, root: string(s.d), missing: map[string]resolve.Answer{}, failed: map[string]resolve.Answer{}}
	res := spf.Check(s.ctx, p, spf.Input{IP: probeAddr(), MailFrom: probeLocal + "@" + string(s.d), Helo: probeHost}, &spf.Options{
		MaxLookups: probeLookups, MaxVoids: probeLookups, MaxQuestions: probeQuestions, NoExplanation: true,
	})
	f.Lookups, f.Voids, f.Depends = res.Lookups, res.Voids, p.depends
	w := spfWalk{probe: p, seen: map[string]int{}}
	f.Tree = w.node(res.Trace, 0, 0, true)
	f.Depends = f.Depends || w.depends
	f.All, f.AllAt = p.lastWord(res.Trace)
	f.Sends = p.sends(res.Trace)
	s.networks(w.networks)
	f.Providers = w.providers

	f.Status = statusOK
	if len(p.failed) > 0 || res.Status == spf.StatusTemperror {
		f.Status = statusTemperror
	}
	for _, n := range sortedKeys(p.failed) {
		s.needDNS(AreaSPF, p.failed[n])
	}
	s.trouble(record, res, p)
	if f.Lookups > spfLookups || f.Voids > spfVoids || res.Status == spf.StatusPermerror || len(p.missing) > 0 {
		f.Status = statusPermerror
	}
	s.limits()
	if t := strings.ToLower(strings.TrimLeft(res.Term, "+")); res.Status == spf.StatusPass && (t == "all" || strings.HasPrefix(t, "include:") || strings.HasPrefix(t, "exists:")) {
		s.fault("spf.plus-all", finding.High, cmp.Or(res.TermDomain, string(s.d)), res.Term, "term", res.Term)
	}
	for _, n := range sortedKeys(w.seen) {
		if w.seen[n] > 1 {
			s.fault("spf.duplicate-include", finding.Low, string(s.d), n, "name", n, "n", w.seen[n])
		}
	}
	for _, e := range w.empty {
		s.fault("spf.void-term", finding.Low, e.domain, e.term, "term", e.term)
	}
}

// limits says how near the record is to what receivers allow.
func (s *section) limits() {
	f := &s.out.SPF
	switch {
	case f.Lookups > spfLookups:
		s.fault("spf.lookups", finding.High, string(s.d), "", "n", f.Lookups)
	case f.Lookups >= nearLimit:
		s.fault("spf.lookups-near", finding.Low, string(s.d), "", "n", f.Lookups)
	}
	if f.Voids > spfVoids {
		s.fault("spf.voids", finding.High, string(s.d), "", "n", f.Voids)
	}
	if f.Depends {
		s.fault("spf.macro", finding.Info, string(s.d), "")
	}
}

// trouble says what ended the evaluation.
func (s *section) trouble(record *spf.Record, res spf.Result, p *probe) {
	for _, n := range sortedKeys(p.missing) {
		code := "spf.include-missing"
		if t, ok := record.Find(spf.KindRedirect); ok && strings.EqualFold(strings.TrimSuffix(t.Target.String(), "."), n) {
			code = "spf.redirect-missing"
		}
		if p.missing[n].NXDomain() && s.free(n) {
			code = "spf.include-free"
		}
		s.fault(code, finding.High, string(s.d), n, "name", n)
	}
	q := res.Problem
	if q == nil {
		return
	}
	name := cmp.Or(q.Domain, string(s.d))
	switch q.Kind {
	case spf.ProblemDNS:
		if q.Question != nil {
			s.needDNS(AreaSPF, *q.Question)
		}
	case spf.ProblemCancelled:
		s.ended.Store(true)
	case spf.ProblemLoop:
		s.faultSaid("spf.loop", finding.High, name, q.Term, q.Message())
	case spf.ProblemMX:
		s.faultSaid("spf.mx-limit", finding.High, name, q.Term, q.Message())
	case spf.ProblemMultiple:
		s.faultSaid("spf.below-multiple", finding.High, name, q.Term, q.Message())
	case spf.ProblemSyntax:
		s.faultSaid("spf.below-syntax", finding.High, name, q.Term, q.Message())
	case spf.ProblemTarget:
		s.faultSaid("spf.include-name", finding.High, name, q.Term, q.Message())
	default:
		s.faultSaid("spf.too-much", finding.High, name, q.Term, q.Message())
	}
}

// free reports whether nobody owns the domain of a name, so that whoever
// registers it may send for all who include it.
func (s *section) free(name string) bool {
	n, err := domain.Parse(name)
	if err != nil {
		return false
	}
	org := domain.Organizational(n)
	if org == domain.PublicSuffix(n) || s.d.IsSubdomainOf(org) {
		return false
	}
	return s.ask(AreaSPF, string(org), resolve.TypeNS).NXDomain()
}

// ownTerms looks at the terms of the domain's own record.
func (s *section) ownTerms(record *spf.Record) {
	if record == nil {
		return
	}
	name := string(s.d)
	const longRecord = 450 // with the rest of the answer it should fit in 512 octets (RFC 7208 section 3.4)
	if len(record.Text) > longRecord {
		s.fault("spf.long", finding.Low, name, "", "n", len(record.Text))
	}
	all := ""
	var nets []netip.Prefix
	seen := map[string]bool{}
	for i := range record.Terms {
		t := &record.Terms[i]
		if all != "" && !t.Modifier() {
			s.fault("spf.after-all", finding.Low, name, t.Text, "term", t.Text, "all", all)
			continue
		}
		switch t.Kind {
		case spf.KindAll:
			all = t.Text
		case spf.KindPTR:
			s.fault("spf.ptr", finding.Low, name, t.Text, "term", t.Text)
		case spf.KindUnknown:
			s.fault("spf.modifier", finding.Low, name, t.Text, "term", t.Text)
		case spf.KindA, spf.KindMX:
			if t.Bits4 < 16 || t.Bits6 < 32 {
				s.fault("spf.wide", finding.High, name, t.Text, "term", t.Text)
			}
		default: // nothing to say of the term by itself
		}
		if seen[t.String()] {
			s.fault("spf.repeated", finding.Low, name, t.Text, "term", t.Text)
			continue
		}
		seen[t.String()] = true
		if !t.Prefix.IsValid() || t.Qualifier != spf.QualifierPass {
			continue
		}
		for _, old := range nets {
			if old.Overlaps(t.Prefix) && old.Bits() <= t.Prefix.Bits() {
				s.fault("spf.covered", finding.Info, name, t.Text, "term", t.Text, "by", old.String())
				break
			}
		}
		if len(nets) < maxNetworks {
			nets = append(nets, t.Prefix)
		}
		ip := t.Prefix.Addr()
		if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			s.fault("spf.private", finding.Low, name, t.Text, "term", t.Text)
		}
	}
	s.own = nets
	if redirect, ok := record.Find(spf.KindRedirect); ok && all != "" {
		s.fault("spf.redirect-ignored", finding.Low, name, redirect.Text, "term", redirect.Text, "all", all)
	}
	f := &s.out.SPF
	switch {
	case f.Tree == nil || f.Status == statusPermerror && f.All == "":
	case f.All == "?":
		s.fault("spf.neutral-all", finding.Medium, cmp.Or(f.AllAt, name), "?all")
	case f.All == "~":
		s.fault("spf.soft-all", finding.Info, cmp.Or(f.AllAt, name), "~all")
	case f.All == "" && !f.Depends:
		s.fault("spf.no-all", finding.Medium, name, "")
	}
}

// network is one ip4 or ip6 term.
type network struct {
	prefix netip.Prefix
	domain string
	term   string
}

// networks lists the networks that may send, and counts the addresses.
func (s *section) networks(list []network) {
	const wide4, wide6, broad4 = 8, 28, 15
	f := &s.out.SPF
	var nets []netip.Prefix
	for _, n := range list {
		bits := n.prefix.Bits()
		is4 := n.prefix.Addr().Is4()
		switch {
		case is4 && bits <= wide4 || !is4 && bits < wide6:
			s.fault("spf.wide", finding.High, n.domain, n.term, "term", n.term)
		case is4 && bits <= broad4:
			s.fault("spf.broad", finding.Low, n.domain, n.term, "term", n.term)
		}
		nets = append(nets, n.prefix)
		if len(f.Networks) < maxNetworks {
			f.Networks = append(f.Networks, n.prefix.String())
		}
	}
	f.Addresses = countAddresses(nets)
}

// countAddresses counts the IPv4 addresses in networks, each once.
func countAddresses(nets []netip.Prefix) uint64 {
	type span struct{ from, to uint64 } // to is not in it
	var spans []span
	for _, p := range nets {
		p = p.Masked()
		if !p.Addr().Is4() {
			continue
		}
		b := p.Addr().As4()
		from := uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
		spans = append(spans, span{from, from + 1<<(32-p.Bits())})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var n, end uint64
	for _, s := range spans {
		if s.to > end {
			n += s.to - max(s.from, end)
			end = s.to
		}
	}
	return n
}

// spfWalk turns the trace of an evaluation into a tree.
type spfWalk struct {
	probe     *probe
	depends   bool
	seen      map[string]int // includes, by target
	networks  []network
	providers []string
	empty     []emptyTerm
}

type emptyTerm struct{ domain, term string }

// node turns one record, before which lookups and voids were spent. pass says
// that whoever matches in it may send.
func (w *spfWalk) node(n *spf.Node, lookups, voids int, pass bool) *SPFNode {
	if n == nil {
		return nil
	}
	out := &SPFNode{Domain: n.Domain, Status: string(n.Status), Lookups: n.Lookups, Voids: n.Voids, Terms: []SPFTerm{}}
	if w.probe.made(n.Domain) {
		out.Status = statusNone
		if _, ok := w.probe.failed[n.Domain]; ok {
			out.Status = statusTemperror
		}
		return out
	}
	if n.Record != nil {
		out.Record = clip(n.Record.Text)
	}
	for i := range n.Steps {
		st := &n.Steps[i]
		t := SPFTerm{Text: clip(st.Term.Text), Target: st.Target, Reached: st.Outcome != spf.OutcomeNotReached && st.Outcome != spf.OutcomeIgnored || st.Term.Modifier()}
		if letters := macroLetters(st.Term.Target.String()); strings.ContainsAny(letters, "slihptcrv") {
			t.Depends, w.depends = true, true
		}
		passes := pass && st.Term.Qualifier == spf.QualifierPass
		if st.Term.Kind == spf.KindRedirect {
			passes = pass
		}
		if st.Outcome == spf.OutcomeMatch || st.Outcome == spf.OutcomeNoMatch || st.Outcome == spf.OutcomeError {
			t.Cost, t.Void = st.Lookups-lookups, st.Voids-voids
			t.Include = w.node(st.Include, lookups+st.Cost, voids, passes)
			if st.Term.Kind == spf.KindInclude && st.Include != nil {
				w.seen[st.Include.Domain]++
				if id := spfProvider(st.Include.Domain); id != "" && passes && !slices.Contains(w.providers, id) {
					w.providers = append(w.providers, id)
				}
			}
			if t.Void > 0 && t.Include == nil {
				w.empty = append(w.empty, emptyTerm{n.Domain, t.Text})
			}
			lookups, voids = st.Lookups, st.Voids
		}
		if st.Term.Prefix.IsValid() && passes && t.Reached {
			w.networks = append(w.networks, network{st.Term.Prefix.Masked(), n.Domain, clip(st.Term.Text)})
		}
		out.Terms = append(out.Terms, t)
	}
	return out
}

// macroLetters returns the macro letters of a domain-spec, lower case.
func macroLetters(s string) string {
	var out []byte
	for i := 0; i+2 < len(s); i++ {
		if s[i] == '%' && s[i+1] == '{' {
			out = append(out, s[i+2]|0x20)
		}
	}
	return string(out)
}

// lastWord returns the qualifier of the "all" that decides about everybody
// else, and whose record holds it.
func (p *probe) lastWord(n *spf.Node) (qualifier, at string) {
	for n != nil && n.Record != nil && !p.made(n.Domain) {
		if t, ok := n.Record.Find(spf.KindAll); ok {
			return string(t.Qualifier), n.Domain
		}
		var next *spf.Node
		for i := range n.Steps {
			if n.Steps[i].Term.Kind == spf.KindRedirect {
				next = n.Steps[i].Include
			}
		}
		n = next
	}
	return "", ""
}

// sends reports whether a record lets any host send.
func (p *probe) sends(n *spf.Node) State {
	if n == nil || n.Record == nil || p.made(n.Domain) {
		return Unknown
	}
	for i := range n.Record.Terms {
		t := &n.Record.Terms[i]
		if !t.Modifier() && t.Qualifier == spf.QualifierPass {
			return Present
		}
	}
	for i := range n.Steps {
		if st := &n.Steps[i]; st.Term.Kind == spf.KindRedirect && st.Include != nil {
			return p.sends(st.Include)
		}
	}
	return Absent
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// The delivery that stands for a host that nobody lists: an address that is in
// use nowhere (RFC 1112 section 4), and names that do not exist.
const (
	probeLocal = "sekisho-probe"
	probeHost  = "sekisho-probe.invalid"
)

func probeAddr() netip.Addr { return netip.AddrFrom4([4]byte{240, 0, 0, 1}) }

// probe stands between the evaluation and DNS. What only a message can fill is
// not asked for and costs no void lookup; a record that is missing or was not
// answered does not end the evaluation, so that the rest is seen as well.
type probe struct {
	next    resolve.Resolver
	root    string
	depends bool
	missing map[string]resolve.Answer
	failed  map[string]resolve.Answer
	faked   []string
}

// made reports whether the record of a name is our own.
func (p *probe) made(name string) bool { return slices.Contains(p.faked, name) }

// neutral answers with a record that decides nothing.
func (p *probe) neutral(name string) resolve.Answer {
	p.faked = append(p.faked, name)
	return resolve.Answer{Name: name, Type: resolve.TypeTXT, Records: []resolve.Record{{Name: name, Type: resolve.TypeTXT, Text: "v=spf1 ?all"}}}
}

// Lookup implements [resolve.Resolver].
func (p *probe) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	switch {
	case name == resolve.Reverse(probeAddr()):
		return resolve.Answer{Name: name, Type: t, Records: []resolve.Record{{Name: name, Type: resolve.TypePTR, Host: probeHost}}}, nil
	case name == probeHost || strings.HasSuffix(name, "."+probeHost):
		return resolve.Answer{Name: name, Type: t, RCode: resolve.FormErr}, nil
	case strings.Contains(name, "240.0.0.1") || strings.Contains(name, "1.0.0.240") || strings.Contains(name, probeLocal):
		p.depends = true
		if t == resolve.TypeTXT {
			return p.neutral(name), nil
		}
		return resolve.Answer{Name: name, Type: t, RCode: resolve.FormErr}, nil
	}
	a, err := p.next.Lookup(ctx, name, t)
	if err != nil || name == p.root && t == resolve.TypeTXT {
		return a, err
	}
	if a.Temporary() {
		p.failed[name] = a
		if t == resolve.TypeTXT {
			return p.neutral(name), nil
		}
		return resolve.Answer{Name: name, Type: t, RCode: resolve.FormErr}, nil
	}
	if t == resolve.TypeTXT && !slices.ContainsFunc(a.Texts(), spf.IsRecord) {
		p.missing[name] = a
		return p.neutral(name), nil
	}
	return a, nil
}
