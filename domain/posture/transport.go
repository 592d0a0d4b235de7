package posture

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// Bounds of RFC 8461: on the policy file (section 3.2, here generous) and on
// max_age, in seconds.
const (
	maxPolicy = 64 << 10
	maxMaxAge = 31557600
	dayLong   = 86400
)

// mtaSTS finds out whether senders must use TLS.
func (s *section) mtaSTS() {
	f := &s.out.MTASTS
	name := "_mta-sts." + string(s.d)
	a := s.ask(AreaMTASTS, name, resolve.TypeTXT)
	f.State, f.Fetch = stateOf(a), NotAsked
	list := texts(a, "STSv1")
	f.Records = len(list)
	switch {
	case f.State != Present:
		return
	case len(list) == 0:
		f.State = Absent
		return
	case len(list) > 1:
		f.Record = list[0]
		s.fault("mta-sts.multiple", finding.Medium, name, strings.Join(list, "\n"), "n", len(list))
		return
	}
	f.Record = list[0]
	t, whole := tags(f.Record)
	f.ID, _ = valueOf(t, "id")
	if !whole || !isID(f.ID) || !strings.HasPrefix(f.Record, "v=STSv1") {
		s.fault("mta-sts.syntax", finding.Medium, name, f.Record)
	}
	f.URL = "https://mta-sts." + string(s.d) + "/.well-known/mta-sts.txt"
	if s.o.Fetch == nil {
		s.needs = append(s.needs, Need{AreaMTASTS, finding.NotConfigured, f.URL, lang.M("posture.need.fetch", "url", f.URL)})
		return
	}
	got, err := s.o.Fetch.Get(s.ctx, f.URL, maxPolicy)
	switch {
	case s.ctx.Err() != nil:
		s.ended.Store(true)
	case err != nil:
		f.Fetch = Unknown
		s.fault("mta-sts.unreachable", finding.Medium, f.URL, "", "url", f.URL)
	case got.Status != 200:
		f.Fetch = Absent
		s.fault("mta-sts.status", finding.Medium, f.URL, strconv.Itoa(got.Status), "url", f.URL, "status", strconv.Itoa(got.Status))
	default:
		f.Fetch = Present
		p := ParseSTSPolicy(string(got.Body))
		f.Policy = &p
		kind, _, _ := strings.Cut(got.ContentType, ";")
		if !strings.EqualFold(strings.TrimSpace(kind), "text/plain") {
			s.fault("mta-sts.content-type", finding.Low, f.URL, got.ContentType)
		}
	}
}

// isID reports whether s is an id of RFC 8461 section 3.1.
func isID(s string) bool {
	const longest = 32
	return s != "" && len(s) <= longest && strings.IndexFunc(s, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// ParseSTSPolicy reads a policy file (RFC 8461 section 3.2). It reads at most
// 100 MX patterns.
func ParseSTSPolicy(text string) STSPolicy {
	const maxPatterns = 100
	p := STSPolicy{MaxAge: -1}
	wrong := func(word string) {
		if !slices.Contains(p.Errors, word) {
			p.Errors = append(p.Errors, word)
		}
	}
	seen := map[string]bool{}
	for line := range strings.SplitSeq(text[:min(len(text), maxPolicy)], "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if !ok {
			wrong("line")
			continue
		}
		if key != "mx" && seen[key] {
			continue // the first one counts (RFC 8461 section 3.2)
		}
		seen[key] = true
		switch key {
		case "version":
			p.Version = clip(value)
		case "mode":
			p.Mode = clip(value)
		case "max_age":
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 0 || n > maxMaxAge {
				wrong("max-age")
				continue
			}
			p.MaxAge = n
		case "mx":
			if len(p.MX) < maxPatterns {
				p.MX = append(p.MX, strings.ToLower(clip(value)))
			}
		}
	}
	if p.Version != "STSv1" {
		wrong("version")
	}
	if p.Mode != "enforce" && p.Mode != "testing" && p.Mode != "none" {
		wrong("mode")
	}
	if p.MaxAge < 0 {
		p.MaxAge = 0
		wrong("max-age")
	}
	if len(p.MX) == 0 && p.Mode != "none" {
		wrong("mx")
	}
	return p
}

// covers reports whether a pattern of a policy allows a host (RFC 8461 section
// 4.1).
func covers(pattern, host string) bool {
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, ok := strings.Cut(host, ".")
		return ok && parent == rest
	}
	return pattern == host
}

// judgeSTS says what is wrong with the policy, once the MX hosts are known.
func (s *section) judgeSTS() {
	f := &s.out.MTASTS
	if f.State == Absent && s.out.Use == UseMail {
		s.fault("mta-sts.none", finding.Info, "_mta-sts."+string(s.d), "")
	}
	p := f.Policy
	if p == nil {
		return
	}
	for _, e := range p.Errors {
		s.fault("mta-sts.policy", finding.Medium, f.URL, e, "key", e)
	}
	for _, h := range s.out.MX.Hosts {
		if !slices.ContainsFunc(p.MX, func(pattern string) bool { return covers(pattern, h.Host) }) {
			p.Uncover = append(p.Uncover, h.Host)
		}
	}
	if len(p.Uncover) > 0 && p.Mode != "none" {
		sev := finding.Medium
		if p.Mode == "enforce" {
			sev = finding.High
		}
		s.fault("mta-sts.uncovered", sev, f.URL, strings.Join(p.Uncover, " "), "hosts", p.Uncover)
	}
	switch p.Mode {
	case "testing":
		s.fault("mta-sts.testing", finding.Info, f.URL, "mode: testing")
	case "none":
		s.fault("mta-sts.off", finding.Low, f.URL, "mode: none")
	}
	if p.MaxAge > 0 && p.MaxAge < dayLong {
		s.fault("mta-sts.short", finding.Low, f.URL, fmt.Sprintf("max_age: %d", p.MaxAge), "n", int(p.MaxAge))
	}
}

// tlsRPT finds out where reports on TLS go.
func (s *section) tlsRPT() {
	f := &s.out.TLSRPT
	name := "_smtp._tls." + string(s.d)
	a := s.ask(AreaTLSRPT, name, resolve.TypeTXT)
	f.State = stateOf(a)
	list := texts(a, "TLSRPTv1")
	f.Records = len(list)
	if f.State == Present && len(list) == 0 {
		f.State = Absent
	}
	if len(list) == 0 {
		return
	}
	f.Record = list[0]
	if len(list) > 1 {
		s.fault("tls-rpt.multiple", finding.Medium, name, strings.Join(list, "\n"), "n", len(list))
		return
	}
	t, whole := tags(f.Record)
	rua, ok := valueOf(t, "rua")
	if !whole || !ok || !strings.HasPrefix(f.Record, "v=TLSRPTv1") {
		s.fault("tls-rpt.syntax", finding.Medium, name, f.Record)
	}
	for u := range strings.SplitSeq(rua, ",") {
		if u = strings.TrimSpace(u); u == "" || len(f.RUA) == maxTexts {
			continue
		}
		f.RUA = append(f.RUA, clip(u))
		parsed, err := url.Parse(u)
		if err != nil || parsed.Scheme != "mailto" && parsed.Scheme != "https" {
			s.fault("tls-rpt.uri", finding.Medium, name, u, "uri", u)
		}
	}
}

// dnssec finds out whether the domain is signed.
func (s *section) dnssec() {
	f := &s.out.DNSSEC
	f.Trusted = s.o.TrustAD
	soa := s.ask(AreaDNSSEC, string(s.d), resolve.TypeSOA)
	f.Validated = f.Trusted && soa.AD && !soa.Temporary()
	ds := s.ask(AreaDNSSEC, string(s.d), resolve.TypeDS)
	if org := domain.Organizational(s.d); stateOf(ds) == Absent && org != s.d {
		ds = s.ask(AreaDNSSEC, string(org), resolve.TypeDS)
	}
	f.DS = stateOf(ds)
	switch {
	case f.Validated:
		f.State = Present
	default:
		f.State = f.DS
	}
	switch {
	case f.Trusted && f.DS == Present && !f.Validated && !soa.Temporary():
		s.fault("dnssec.unvalidated", finding.Low, string(s.d), "")
	case f.State == Absent && !soa.NXDomain():
		s.fault("dnssec.unsigned", finding.Info, string(s.d), "")
	}
	if !f.Trusted && f.State == Present {
		s.needs = append(s.needs, Need{AreaDNSSEC, finding.NotConfigured, string(s.d), lang.M("posture.need.trust")})
	}
}

// dane finds out which certificates the hosts must have.
func (s *section) dane() {
	f := &s.out.DANE
	f.State = Absent
	if st := s.out.MX.State; st != Present {
		f.State = st
		return
	}
	for _, h := range s.out.MX.Hosts {
		if h.Literal {
			continue
		}
		d := DANEHost{Host: h.Host, Name: "_25._tcp." + h.Host, Secure: Unknown}
		a := s.ask(AreaDANE, d.Name, resolve.TypeTLSA)
		d.State = stateOf(a)
		if s.o.TrustAD {
			d.Secure = Absent
			if a.AD {
				d.Secure = Present
			}
		}
		for _, r := range a.Records[:min(len(a.Records), maxTexts)] {
			if r.TLSA != nil {
				s.tlsa(&d, r.TLSA)
			}
		}
		switch {
		case d.State == Present && d.Secure == Absent:
			s.fault("dane.insecure", finding.Medium, d.Name, "", "host", h.Host)
		case d.State == Present && d.Secure == Unknown:
			s.needs = append(s.needs, Need{AreaDANE, finding.NotConfigured, d.Name, lang.M("posture.need.trust")})
		}
		f.Hosts = append(f.Hosts, d)
	}
	has := func(st State) bool {
		return slices.ContainsFunc(f.Hosts, func(h DANEHost) bool { return h.State == st })
	}
	switch {
	case has(Present):
		f.State = Present
		if i := slices.IndexFunc(f.Hosts, func(h DANEHost) bool { return h.State == Absent }); i >= 0 {
			s.fault("dane.partial", finding.Low, f.Hosts[i].Name, "", "host", f.Hosts[i].Host)
		}
	case has(Unknown):
		f.State = Unknown
	case has(NotAsked):
		f.State = NotAsked
	}
}

// tlsa reads one record. For SMTP only the usages DANE-TA and DANE-EE count
// (RFC 7672 section 3.1).
func (s *section) tlsa(d *DANEHost, r *resolve.TLSA) {
	const shown = 8
	words := fmt.Sprintf("%d %d %d", r.Usage, r.Selector, r.MatchingType)
	d.Records = append(d.Records, words+" "+hex.EncodeToString(r.Data[:min(len(r.Data), shown)])+"…")
	lengths := map[uint8]int{1: 32, 2: 64} // SHA-256, SHA-512
	n, hashed := lengths[r.MatchingType]
	switch {
	case r.Usage < 2 || r.Usage > 3:
		s.fault("dane.usage", finding.Medium, d.Name, words, "host", d.Host)
	case r.Selector > 1 || r.MatchingType > 2 || hashed && len(r.Data) != n || len(r.Data) == 0:
		s.fault("dane.syntax", finding.Medium, d.Name, words, "host", d.Host)
	default:
		if s.pins == nil {
			s.pins = map[string][]*resolve.TLSA{}
		}
		s.pins[d.Host] = append(s.pins[d.Host], r)
	}
}
