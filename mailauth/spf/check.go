package spf

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/resolve"
)

// Limits of RFC 7208 section 4.6.4 that no option changes.
const (
	maxMX  = 10
	maxPTR = 10
)

// check is one call of [Check].
type check struct {
	resolver resolve.Resolver
	in       Input
	opts     Options
	ip       netip.Addr

	local, domain string // of the sender
	helo          string

	path      []string // domains under evaluation, to find loops
	lookups   int
	voids     int
	questions int
	steps     int  // left for the trace
	explained bool // the result is there: limits do not apply any more

	ptrDone bool
	ptr     []string // names of the client that lead back to it
}

// outcome is the result of one check_host.
type outcome struct {
	status  Status
	problem *Problem

	first  *Record // of the domain asked for
	term   *Term   // the directive that matched
	domain string  // whose record holds term, and
	record *Record // that record
	exp    *Step   // of its exp modifier, in the trace
}

func permerror(p *Problem) outcome { return outcome{status: StatusPermerror, problem: p} }

// host evaluates the record of name, which queryName returned.
func (c *check) host(ctx context.Context, name string, trace **Node) (out outcome) {
	if !c.opts.NoTrace {
		n := &Node{Domain: name}
		*trace = n
		lookups, voids := c.lookups, c.voids
		defer func() {
			n.Status, n.Problem = out.status, out.problem
			n.Lookups, n.Voids = c.lookups-lookups, c.voids-voids
		}()
	}
	a, p := c.ask(ctx, name, resolve.TypeTXT, nil)
	if !c.opts.NoTrace {
		(*trace).Question = &a
	}
	if p != nil {
		return outcome{status: p.status(), problem: p}
	}
	text, n := "", 0
	for _, r := range a.Records {
		if r.Type == resolve.TypeTXT && IsRecord(r.Text) {
			if n++; n == 1 {
				text = r.Text
			}
		}
	}
	switch {
	case n == 0:
		return outcome{status: StatusNone, problem: &Problem{Kind: ProblemNoRecord, Domain: name}}
	case n > 1:
		return permerror(&Problem{Kind: ProblemMultiple, Domain: name, Count: n})
	}
	record, err := ParseRecord(text)
	if !c.opts.NoTrace {
		(*trace).Record = record
	}
	if err != nil {
		p := &Problem{Kind: ProblemSyntax, Domain: name}
		if errs, ok := errors.AsType[SyntaxErrors](err); ok && len(errs) > 0 {
			p.Syntax, p.Offset, p.Term = &errs[0], errs[0].Offset, errs[0].Term
		}
		out = permerror(p)
		out.first = record
		return out
	}
	c.path = append(c.path, name)
	out = c.evaluate(ctx, name, record, *trace)
	c.path = c.path[:len(c.path)-1]
	out.first = record
	return out
}

// status is the result that the problem stands for.
func (p *Problem) status() Status {
	if p.Kind == ProblemDNS || p.Kind == ProblemCancelled {
		return StatusTemperror
	}
	return StatusPermerror
}

// evaluate goes through the terms of a record (RFC 7208 section 4.6.2).
func (c *check) evaluate(ctx context.Context, name string, record *Record, node *Node) outcome {
	var steps []Step
	if node != nil {
		n := min(len(record.Terms), c.steps)
		c.steps -= n
		steps = make([]Step, n)
		kept := record.Terms
		if n < len(kept) {
			// The trace must not keep alive what it does not show.
			kept = slices.Clone(kept[:n])
			node.Record = &Record{Text: record.Text, Terms: kept}
		}
		for i := range steps {
			steps[i] = Step{Term: &kept[i], Outcome: OutcomeNotReached}
			if kept[i].Modifier() {
				steps[i].Outcome = OutcomeIgnored
			}
		}
		node.Steps, node.Omitted = steps, len(record.Terms)-n
	}
	redirect := -1
	for i := range record.Terms {
		t := &record.Terms[i]
		if t.Modifier() {
			if t.Kind == KindRedirect {
				redirect = i
			}
			continue
		}
		step := stepOf(steps, i)
		match, p := c.directive(ctx, name, t, step)
		c.finish(step, match, p)
		if p != nil {
			return outcome{status: p.status(), problem: p}
		}
		if match {
			out := outcome{status: t.Qualifier.Status(), term: t, domain: name, record: record}
			if i := slices.IndexFunc(record.Terms, func(t Term) bool { return t.Kind == KindExp }); i >= 0 {
				out.exp = stepOf(steps, i)
			}
			return out
		}
	}
	if redirect < 0 {
		return outcome{status: StatusNeutral, domain: name, record: record} // RFC 7208 section 4.7
	}
	t, step := &record.Terms[redirect], stepOf(steps, redirect)
	out := c.redirect(ctx, name, t, step)
	c.finish(step, true, out.problem)
	return out
}

// stepOf returns the step of a term, or nil where the trace has none.
func stepOf(steps []Step, i int) *Step {
	if i < len(steps) {
		return &steps[i]
	}
	return nil
}

func (c *check) finish(s *Step, match bool, p *Problem) {
	if s == nil {
		return
	}
	s.Lookups, s.Voids, s.Problem = c.lookups, c.voids, p
	switch {
	case p != nil:
		s.Outcome = OutcomeError
	case match:
		s.Outcome = OutcomeMatch
	default:
		s.Outcome = OutcomeNoMatch
	}
}

// directive reports whether a directive matches.
func (c *check) directive(ctx context.Context, name string, t *Term, step *Step) (bool, *Problem) {
	if t.Kind == KindAll {
		return true, nil
	}
	if t.Kind == KindIP4 || t.Kind == KindIP6 {
		return t.Prefix.Contains(c.ip), nil
	}
	if p := c.spend(name, t, step); p != nil {
		return false, p
	}
	target, valid, p := c.target(ctx, name, t, step)
	if p != nil {
		return false, p
	}
	if !valid && t.Kind != KindInclude {
		// RFC 7208 section 4.8 leaves open what a name that cannot be asked
		// for means; here it is one that does not exist.
		return false, nil
	}
	switch t.Kind {
	case KindInclude:
		return c.include(ctx, name, t, target, valid, step)
	case KindA:
		return c.addresses(ctx, name, t, target, step)
	case KindMX:
		return c.mx(ctx, name, t, target, step)
	case KindPTR:
		if p := c.reverse(ctx, name, t, step); p != nil {
			return false, p
		}
		return slices.ContainsFunc(c.ptr, func(n string) bool { return n == target || strings.HasSuffix(n, "."+target) }), nil
	default: // exists
		a, p := c.ask(ctx, target, resolve.TypeA, step)
		if p == nil {
			p = c.void(name, t, a)
		}
		return p == nil && len(a.Records) > 0, p
	}
}

// include evaluates another record (RFC 7208 section 5.2).
func (c *check) include(ctx context.Context, name string, t *Term, target string, valid bool, step *Step) (bool, *Problem) {
	out := c.below(ctx, name, t, target, valid, step)
	return out.status == StatusPass, out.problem
}

// redirect evaluates another record in place of this one (RFC 7208 section 6.1).
func (c *check) redirect(ctx context.Context, name string, t *Term, step *Step) outcome {
	if p := c.spend(name, t, step); p != nil {
		return permerror(p)
	}
	target, valid, p := c.target(ctx, name, t, step)
	if p != nil {
		return outcome{status: p.status(), problem: p}
	}
	return c.below(ctx, name, t, target, valid, step)
}

// below evaluates the record of target for t. For both include and redirect a
// domain without a record is a permerror.
func (c *check) below(ctx context.Context, name string, t *Term, target string, valid bool, step *Step) outcome {
	if !valid {
		return permerror(&Problem{Kind: ProblemTarget, Domain: name, Term: t.Text, Offset: t.Offset})
	}
	// Names and answers are the same on the second way round, so that a loop
	// would end at the limit of lookups and nowhere else.
	if slices.Contains(c.path, target) {
		return permerror(&Problem{Kind: ProblemLoop, Domain: name, Term: t.Text, Offset: t.Offset})
	}
	var node *Node
	out := c.host(ctx, target, &node)
	if step != nil {
		step.Include = node
	}
	if out.status == StatusNone {
		return permerror(&Problem{Kind: ProblemTarget, Domain: name, Term: t.Text, Offset: t.Offset})
	}
	return out
}

// addresses reports whether the client is among the addresses of host.
func (c *check) addresses(ctx context.Context, name string, t *Term, host string, step *Step) (bool, *Problem) {
	a, p := c.ask(ctx, host, c.addressType(), step)
	if p == nil {
		p = c.void(name, t, a)
	}
	if p != nil {
		return false, p
	}
	bits := t.Bits6
	if c.ip.Is4() {
		bits = t.Bits4
	}
	for _, r := range a.Records {
		if netip.PrefixFrom(r.Addr, bits).Contains(c.ip) {
			return true, nil
		}
	}
	return false, nil
}

func (c *check) addressType() resolve.Type {
	if c.ip.Is4() {
		return resolve.TypeA
	}
	return resolve.TypeAAAA
}

func (c *check) mx(ctx context.Context, name string, t *Term, target string, step *Step) (bool, *Problem) {
	a, p := c.ask(ctx, target, resolve.TypeMX, step)
	if p == nil {
		p = c.void(name, t, a)
	}
	if p != nil {
		return false, p
	}
	if n := len(a.Records); n > maxMX {
		return false, &Problem{Kind: ProblemMX, Domain: target, Term: t.Text, Offset: t.Offset, Count: n}
	}
	for _, r := range a.Records {
		if r.Host == resolve.Root || r.Host == "" {
			continue // RFC 7505: there is no mail server
		}
		if match, p := c.addresses(ctx, name, t, r.Host, step); match || p != nil {
			return match, p
		}
	}
	return false, nil
}

// reverse finds the names of the client that lead back to its address (RFC 7208
// section 5.5), once per check. Whoever holds the address writes these names,
// so that what is wrong with them never makes an error: only the absence of any
// counts as a void lookup, and failures count as no name.
func (c *check) reverse(ctx context.Context, name string, t *Term, step *Step) *Problem {
	if c.ptrDone {
		return nil
	}
	c.ptrDone = true
	a, p := c.ask(ctx, resolve.Reverse(c.ip), resolve.TypePTR, step)
	if p != nil {
		return p.unlessDNS()
	}
	if p := c.void(name, t, a); p != nil {
		return p
	}
	for _, r := range a.Records[:min(len(a.Records), maxPTR)] {
		host, ok := resolve.Normalize(r.Host)
		if !ok {
			continue
		}
		b, p := c.ask(ctx, host, c.addressType(), step)
		if p != nil {
			if p = p.unlessDNS(); p != nil {
				return p
			}
			continue
		}
		if slices.ContainsFunc(b.Records, func(r resolve.Record) bool { return r.Addr == c.ip }) {
			c.ptr = append(c.ptr, host)
		}
	}
	return nil
}

// unlessDNS drops a problem with DNS where it means that there is no name.
func (p *Problem) unlessDNS() *Problem {
	if p.Kind == ProblemDNS {
		return nil
	}
	return p
}

// spend counts a term that asks.
func (c *check) spend(name string, t *Term, step *Step) *Problem {
	if c.explained {
		return nil
	}
	c.lookups++
	if step != nil {
		step.Cost++
	}
	if c.lookups > c.opts.MaxLookups {
		return &Problem{Kind: ProblemLookups, Domain: name, Term: t.Text, Offset: t.Offset, Count: c.opts.MaxLookups}
	}
	return nil
}

// void counts an answer without records.
func (c *check) void(name string, t *Term, a resolve.Answer) *Problem {
	if c.explained || !a.Void() {
		return nil
	}
	if c.voids++; c.voids > c.opts.MaxVoids {
		return &Problem{Kind: ProblemVoids, Domain: name, Term: t.Text, Offset: t.Offset, Count: c.opts.MaxVoids}
	}
	return nil
}

// ask asks DNS. The problem is [ProblemDNS] if nothing is known afterwards.
func (c *check) ask(ctx context.Context, name string, t resolve.Type, step *Step) (resolve.Answer, *Problem) {
	a := resolve.Answer{Name: name, Type: t, RCode: resolve.NotAsked}
	if c.questions >= c.opts.MaxQuestions {
		return a, &Problem{Kind: ProblemQuestion, Domain: name, Count: c.opts.MaxQuestions}
	}
	c.questions++
	got, err := c.resolver.Lookup(ctx, name, t)
	if err != nil {
		return a, &Problem{Kind: ProblemCancelled, Domain: name}
	}
	a = got
	if step != nil {
		step.Questions = append(step.Questions, a)
	}
	if a.Temporary() {
		return a, &Problem{Kind: ProblemDNS, Domain: name, Question: &a}
	}
	return a, nil
}

// target returns the domain that a term is about, and whether it can be asked
// for.
func (c *check) target(ctx context.Context, name string, t *Term, step *Step) (string, bool, *Problem) {
	if t.Target.text == "" {
		if step != nil {
			step.Target = name
		}
		return name, true, nil
	}
	s, ok, p := c.expand(ctx, name, t, t.Target, step)
	if p != nil {
		return "", false, p
	}
	if ok {
		s, ok = queryName(truncate(trimDot(s)))
	}
	if step != nil {
		step.Target = clipName(s)
	}
	return s, ok, nil
}

// clipName shortens what is no name for the trace.
func clipName(s string) string {
	if len(s) > 4*253 {
		return clip(s)
	}
	return s
}

// truncate drops labels from the left until the name is short enough (RFC 7208
// section 7.3).
func truncate(s string) string {
	const maxName = 253
	if len(s) <= maxName {
		return s
	}
	// The first dot after which at most maxName octets are left.
	cut := len(s) - maxName - 1
	if i := strings.IndexByte(s[cut:], '.'); i >= 0 {
		return s[cut+i+1:]
	}
	return s
}

// expand writes a macro-string for the record of name.
func (c *check) expand(ctx context.Context, name string, t *Term, m Macro, step *Step) (string, bool, *Problem) {
	if m.parts == nil {
		return m.text, true, nil
	}
	if slices.ContainsFunc(m.parts, func(p part) bool { return p.letter == 'p' }) && !c.ptrDone {
		// RFC 7208 section 4.6.4 counts the macro as it does the mechanism.
		if p := c.spend(name, t, step); p != nil {
			return "", false, p
		}
		if p := c.reverse(ctx, name, t, step); p != nil {
			return "", false, p
		}
	}
	s, ok := m.expand(func(letter byte) string { return c.value(name, letter) })
	return s, ok, nil
}

// value returns the value of a macro letter (RFC 7208 section 7.2).
func (c *check) value(name string, letter byte) string {
	switch letter {
	case 's':
		return c.local + "@" + c.domain
	case 'l':
		return c.local
	case 'o':
		return c.domain
	case 'd':
		return name
	case 'i':
		return dotted(c.ip)
	case 'p':
		return c.clientName(name)
	case 'v':
		if c.ip.Is4() {
			return "in-addr"
		}
		return "ip6"
	case 'h':
		return c.helo
	case 'c':
		return c.ip.String()
	case 'r':
		if c.in.Receiver == "" {
			return "unknown"
		}
		return c.in.Receiver
	default: // t
		if c.in.Now.IsZero() {
			return "0"
		}
		return strconv.FormatInt(c.in.Now.Unix(), 10)
	}
}

// dotted writes an address in labels: an IPv6 address as its 32 digits.
func dotted(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, 64)
	for _, o := range ip.As16() {
		b = append(b, hex[o>>4], '.', hex[o&15], '.')
	}
	return string(b[:len(b)-1])
}

// clientName is the validated name of the client: the domain itself if it is
// among them, else one below it, else any.
func (c *check) clientName(name string) string {
	if slices.Contains(c.ptr, name) {
		return name
	}
	if i := slices.IndexFunc(c.ptr, func(n string) bool { return strings.HasSuffix(n, "."+name) }); i >= 0 {
		return c.ptr[i]
	}
	if len(c.ptr) > 0 {
		return c.ptr[0]
	}
	return "unknown"
}

// explain returns the explanation of a fail, or nothing if there is anything
// wrong with it (RFC 7208 section 6.2).
func (c *check) explain(ctx context.Context, out outcome) string {
	if out.record == nil {
		return ""
	}
	t, ok := out.record.Find(KindExp)
	if !ok {
		return ""
	}
	c.explained = true
	target, valid, p := c.target(ctx, out.domain, t, out.exp)
	if p != nil || !valid {
		return ""
	}
	a, p := c.ask(ctx, target, resolve.TypeTXT, out.exp)
	if p != nil || len(a.Records) != 1 {
		return ""
	}
	m, err := parseMacro(a.Records[0].Text, inExplanation)
	if err != nil {
		return ""
	}
	s, ok, p := c.expand(ctx, out.domain, t, m, out.exp)
	if p != nil || !ok || len(s) > maxExplanation {
		return ""
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return "" // from the local part, or the HELO name
		}
	}
	if out.exp != nil {
		out.exp.Outcome = OutcomeMatch
	}
	return s
}

// maxExplanation is more than anybody can put into an SMTP reply of a few lines.
const maxExplanation = 4096
