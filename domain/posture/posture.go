// Package posture reads what a domain publishes about its mail: who receives it
// (MX), who may send it (SPF), which keys sign it (DKIM), what receivers do with
// forgeries (DMARC), and how it travels (MTA-STS, TLS-RPT, DANE, BIMI).
//
// [Check] returns facts as values, and what is wrong with them as [Fault], each
// with a sentence on how to mend it. What DNS did not answer is [Unknown] and
// never taken for absent. [Overlay] puts records that are not published yet in
// front of DNS, to see what they would do.
package posture

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
)

// Bounds on what one check asks and lists.
const (
	defaultQuestions = 400
	maxHosts         = 10 // MX hosts that are looked at
	maxAddresses     = 8  // addresses of one host
	maxReverse       = 16 // addresses whose names are asked for
	maxSelectors     = 40 // selectors that are tried
	maxSubdomains    = 50 //
	maxTexts         = 20 // records of one name that are kept
	maxText          = 4096
	maxNetworks      = 300 // of SPF that are listed
)

// Selector is a selector to try.
type Selector struct {
	Name   string
	Source SelectorSource
}

// Options changes a check. The zero value is the default.
type Options struct {
	Selectors  []Selector    // beside those of the providers that MX and SPF show
	Subdomains []domain.Name // whose policy is looked at as well
	Fetch      Fetcher       // nil fetches nothing over HTTP
	TLS        TLSProber     // nil asks no host for TLS
	TrustAD    bool          // the resolver's word on DNSSEC counts

	MaxQuestions int       // to DNS; 400
	Now          time.Time // for certificates; they are not judged by date if it is zero
}

// Fetcher gets a file over HTTPS. It follows no redirection (RFC 8461 section
// 3.3). It is safe for concurrent use.
type Fetcher interface {
	Get(ctx context.Context, url string, maxBytes int64) (Fetched, error)
}

// Fetched is an answer of a server, whatever its status.
type Fetched struct {
	Status      int
	ContentType string
	Body        []byte
}

// checker is one call of [Check].
type checker struct {
	ctx   context.Context
	r     resolve.Resolver
	limit *resolve.Limit
	o     Options
	d     domain.Name
	out   *Report

	ended atomic.Bool    // ctx ended
	apex  resolve.Answer // TXT of the domain itself
	own   []netip.Prefix // networks that its SPF record names itself
	rule  *dmarc.Result  // of the domain

	pins map[string][]*resolve.TLSA // by host, those that senders go by; written by dane alone
}

// section collects what one part of the check has to say. The parts run at the
// same time, so each has its own.
type section struct {
	*checker

	faults []Fault
	needs  []Need
}

// Check reads what d publishes. The error is not nil only if ctx ended.
func Check(ctx context.Context, r resolve.Resolver, d domain.Name, o *Options) (*Report, error) {
	c := &checker{ctx: ctx, d: d, out: &Report{Domain: d}}
	if o != nil {
		c.o = *o
	}
	n := c.o.MaxQuestions
	if n <= 0 {
		n = defaultQuestions
	}
	c.limit = resolve.NewLimit(r, n)
	c.r = c.limit
	var all []*section
	// stage runs parts at the same time, and returns when all are done.
	stage := func(parts ...func(*section)) {
		var wg sync.WaitGroup
		for _, part := range parts {
			s := &section{checker: c}
			all = append(all, s)
			wg.Go(func() { part(s) })
		}
		wg.Wait()
	}
	stage(
		func(s *section) { s.apex = s.ask(AreaSPF, string(d), resolve.TypeTXT); s.spf() },
		(*section).mx, (*section).dmarc, (*section).mtaSTS, (*section).tlsRPT, (*section).dnssec,
	)
	stage((*section).dkim, (*section).reverse, (*section).dane, (*section).bimi, (*section).policies, (*section).subdomains)
	stage((*section).tls)
	c.out.Use = c.use()
	stage((*section).judge)
	if err := ctx.Err(); err != nil || c.ended.Load() {
		return nil, cmp.Or(err, context.Canceled)
	}
	order := Areas()
	for _, s := range all {
		c.out.Faults = append(c.out.Faults, s.faults...)
		c.out.Unchecked = append(c.out.Unchecked, s.needs...)
	}
	slices.SortStableFunc(c.out.Faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Area), slices.Index(order, b.Area)), cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Code, b.Code))
	})
	slices.SortStableFunc(c.out.Unchecked, func(a, b Need) int {
		return cmp.Compare(slices.Index(order, a.Area), slices.Index(order, b.Area))
	})
	c.out.Unchecked = slices.CompactFunc(c.out.Unchecked, func(a, b Need) bool {
		return a.Area == b.Area && a.Name == b.Name && a.Cause == b.Cause && a.Message.Key == b.Message.Key
	})
	c.out.settle()
	c.out.Questions, c.out.Refused = c.limit.Asked(), c.limit.Refused()
	return c.out, nil
}

// use says what the domain is for.
func (c *checker) use() Use {
	mx, s := &c.out.MX, &c.out.SPF
	switch {
	case mx.State == Present && !mx.Null:
		return UseMail
	case mx.State == NotAsked:
		return UseUnasked
	case s.Sends == Present:
		return UseSend
	case mx.State == Unknown || s.State == Unknown || s.State == NotAsked || s.Status == statusPermerror || s.Status == statusTemperror:
		return UseUnknown
	case c.apex.NXDomain():
		return UseMissing
	case mx.Null || s.State == Present:
		return UseParked
	}
	return UseNone
}

// ask asks DNS, and notes what was not answered.
func (s *section) ask(area Area, name string, t resolve.Type) resolve.Answer {
	a, err := s.r.Lookup(s.ctx, name, t)
	if err != nil {
		s.ended.Store(true)
		return resolve.Answer{Name: name, Type: t, RCode: resolve.NotAsked}
	}
	if a.Temporary() {
		s.needDNS(area, a)
	}
	return a
}

// needDNS notes a question that was not answered.
func (s *section) needDNS(area Area, a resolve.Answer) {
	if a.RCode != resolve.NotAsked {
		s.needs = append(s.needs, Need{area, finding.Failed, a.Name, lang.M("posture.need.dns", "name", a.Name, "type", a.Type.String(), "code", a.RCode.String())})
		return
	}
	n := Need{area, finding.NotConfigured, "", lang.M("posture.need.offline")}
	if s.limit.Refused() > 0 {
		n.Cause, n.Message = finding.Budget, lang.M("posture.need.budget")
	}
	if !slices.ContainsFunc(s.needs, func(o Need) bool { return o.Area == area && o.Cause == n.Cause && o.Name == "" }) {
		s.needs = append(s.needs, n)
	}
}

// stateOf says what an answer tells of a record.
func stateOf(a resolve.Answer) State {
	switch {
	case len(a.Records) > 0:
		return Present
	case a.RCode == resolve.NotAsked:
		return NotAsked
	case a.Temporary():
		return Unknown
	}
	return Absent
}

// texts returns the TXT records that begin with a version, in any case, and
// takes white space around it.
func texts(a resolve.Answer, version string) []string {
	var out []string
	for _, t := range a.Texts() {
		if hasVersion(t, version) && len(out) < maxTexts {
			out = append(out, clip(t))
		}
	}
	return out
}

// hasVersion reports whether t begins with "v=" and the version, as a tag of
// its own.
func hasVersion(t, version string) bool {
	v, ok := strings.CutPrefix(strings.TrimLeft(t, " \t"), "v")
	if !ok {
		return false
	}
	v, ok = strings.CutPrefix(strings.TrimLeft(v, " \t"), "=")
	if !ok {
		return false
	}
	v = strings.TrimLeft(v, " \t")
	if len(v) < len(version) || !strings.EqualFold(v[:len(version)], version) {
		return false
	}
	rest := strings.TrimLeft(v[len(version):], " \t")
	return rest == "" || rest[0] == ';'
}

// clip shortens what a stranger wrote.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
}

// fault notes something wrong. The area is the first word of the code.
func (s *section) fault(code string, sev finding.Severity, name, quote string, pairs ...any) {
	area, _, _ := strings.Cut(code, ".")
	s.faults = append(s.faults, Fault{
		Area: Area(area), Code: code, Severity: sev, Name: name, Quote: clip(quote),
		Message: lang.M("posture.fault."+code, pairs...), Mend: lang.M("posture.mend."+code, pairs...),
	})
}

// faultSaid notes something for which another package has the sentence.
func (s *section) faultSaid(code string, sev finding.Severity, name, quote string, m lang.Message) {
	area, _, _ := strings.Cut(code, ".")
	s.faults = append(s.faults, Fault{
		Area: Area(area), Code: code, Severity: sev, Name: name, Quote: clip(quote), Message: m, Mend: lang.M("posture.mend." + code),
	})
}

// tag is a part of a record of the form "name=value".
type tag struct{ name, value string }

// tags reads a list of tags that semicolons part. Names are lower case. It
// reports false if a part is no tag.
func tags(record string) ([]tag, bool) {
	const maxTags = 100
	var out []tag
	whole := true
	for part := range strings.SplitSeq(record, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" || len(out) == maxTags {
			whole = false
			continue
		}
		out = append(out, tag{name, strings.TrimSpace(value)})
	}
	return out, whole
}

// valueOf returns the first tag of a name.
func valueOf(list []tag, name string) (string, bool) {
	for _, t := range list {
		if t.name == name {
			return t.value, true
		}
	}
	return "", false
}
