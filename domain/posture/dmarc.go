package posture

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
)

// dmarc finds the policy for the domain.
func (s *section) dmarc() {
	f := &s.out.DMARC
	res := dmarc.Evaluate(s.ctx, s.r, dmarc.Input{From: []string{string(s.d)}}, nil)
	s.rule = &res
	f.State = Absent
	if res.Walk == nil {
		return
	}
	s.out.Org = res.Org
	for i := range res.Walk.Steps {
		s.walkStep(&res.Walk.Steps[i])
	}
	if res.Walk.Stop == dmarc.StopDNS {
		f.State = Unknown
		if a := res.Failed; a != nil && a.RCode == resolve.NotAsked || res.Reason == dmarc.ReasonNotAsked {
			f.State = NotAsked
		}
		if n := len(res.Walk.Steps); n > 0 {
			s.needDNS(AreaDMARC, res.Walk.Steps[n-1].Answer)
		}
		// What stands at the domain itself is known all the same.
		if len(f.Record) == 0 {
			return
		}
	}
	if res.Reason == dmarc.ReasonEnded {
		s.ended.Store(true)
		return
	}
	a := res.Applied
	if a == nil {
		s.unapplied(&res)
		return
	}
	f.State, f.At, f.Source, f.Record = Present, string(a.Domain), string(a.Source), clip(a.Record.Text)
	f.Published, f.Policy = string(a.Published), string(a.Policy)
	f.set(a.Record)
	s.warnings(&res)
	s.destinations(a.Domain, a.Record)
}

// set takes the tags of the record.
func (f *DMARC) set(r *dmarc.Record) {
	f.P, f.SP, f.NP = string(r.P), string(r.SP), string(r.NP)
	f.Testing, f.ADKIM, f.ASPF, f.PSD = r.Test, string(r.ADKIM), string(r.ASPF), string(r.PSD)
	for _, list := range []struct {
		tag string
		to  []dmarc.URI
	}{{"rua", r.RUA}, {"ruf", r.RUF}} {
		for _, u := range list.to[:min(len(list.to), maxTexts)] {
			f.Reports = append(f.Reports, Destination{Tag: list.tag, URI: u.String()})
		}
	}
}

func (s *section) walkStep(st *dmarc.Step) {
	f := &s.out.DMARC
	w := WalkStep{Name: st.Name, Outcome: string(st.Outcome)}
	if st.Record != nil {
		w.Record = clip(st.Record.Text)
	}
	f.Walk = append(f.Walk, w)
	if st.Domain != s.d {
		return
	}
	if st.Record != nil {
		f.Record = clip(st.Record.Text)
	}
	for _, t := range st.Rejected {
		f.Similar = append(f.Similar, clip(t))
		s.fault("dmarc.similar", finding.High, st.Name, t)
	}
	for _, t := range st.Answer.Texts() {
		if len(f.Similar) < maxTexts && st.Outcome == dmarc.OutcomeNone && !hasVersion(t, "DMARC1") && strings.HasPrefix(strings.ToLower(strings.TrimSpace(t)), "v=dmarc") && !slices.Contains(st.Rejected, t) {
			f.Similar = append(f.Similar, clip(t))
			s.fault("dmarc.similar", finding.High, st.Name, t)
		}
	}
	if st.Outcome == dmarc.OutcomeMultiple {
		f.Records = texts(st.Answer, "DMARC1")
		s.fault("dmarc.multiple", finding.High, st.Name, strings.Join(f.Records, "\n"), "n", len(f.Records))
	}
	if len(st.Answer.Chain) > 0 && st.Answer.NXDomain() {
		s.fault("dmarc.dangling", finding.High, st.Name, st.Answer.Final(), "target", st.Answer.Final())
	}
}

// unapplied says why no record applies.
func (s *section) unapplied(res *dmarc.Result) {
	f := &s.out.DMARC
	if res.Reason != dmarc.ReasonDefective {
		return
	}
	f.State = Present // it is there, and nobody applies it
	for i := range res.Walk.Steps {
		if st := &res.Walk.Steps[i]; st.Record != nil {
			f.At, f.Record = string(st.Domain), clip(st.Record.Text)
			f.set(st.Record)
			for _, w := range st.Warnings {
				s.warning(st.Name, w)
			}
			s.fault("dmarc.defective", finding.High, st.Name, f.Record)
			return
		}
	}
}

func (s *section) warnings(res *dmarc.Result) {
	name := "_dmarc." + string(res.Applied.Domain)
	for _, w := range res.Warnings {
		s.warning(name, w)
	}
	if res.Applied.Record.Defective() {
		s.fault("dmarc.read-as-none", finding.High, name, res.Applied.Record.Text)
	}
}

func (s *section) warning(name string, w dmarc.Warning) {
	sev := finding.Low
	switch w.Code {
	case dmarc.WarnPolicy, dmarc.WarnNoPolicy, dmarc.WarnURI:
		sev = finding.Medium
	case dmarc.WarnPosition, dmarc.WarnUnusedFO, dmarc.WarnSizeLimit:
		sev = finding.Info
	default: // the record is read as it was meant, or nearly
	}
	code := "dmarc." + string(w.Code)
	if w.Code == dmarc.WarnRemovedTag && w.Tag == "pct" {
		code = "dmarc.pct"
	}
	s.faultSaid(code, sev, name, w.Text, w.Message())
}

// destinations finds out which addresses will get reports.
func (s *section) destinations(at domain.Name, r *dmarc.Record) {
	f := &s.out.DMARC
	f.Reports = nil
	name := "_dmarc." + string(at)
	asked := map[string]bool{}
	for _, d := range dmarc.ExternalDestinations(s.ctx, s.r, at, r, nil) {
		f.Reports = append(f.Reports, Destination{Tag: d.Tag, URI: d.URI.String(), Consent: string(d.Consent), Name: d.Name})
		switch d.Consent {
		case dmarc.ConsentMissing:
			s.fault("dmarc.external", finding.Medium, d.Name, d.URI.String(), "uri", d.URI.String(), "name", d.Name)
		case dmarc.ConsentElsewhere:
			s.fault("dmarc.elsewhere", finding.Medium, d.Name, d.URI.String(), "uri", d.URI.String(), "name", d.Name)
		case dmarc.ConsentUnknown:
			if d.Question != nil {
				s.needDNS(AreaDMARC, *d.Question)
			}
		default: // reports will be sent, or nobody can be asked
		}
		host := string(d.URI.Host)
		if d.URI.Scheme != "mailto" || host == "" || asked[host] || len(asked) == 4 {
			continue
		}
		asked[host] = true
		if s.ask(AreaDMARC, host, resolve.TypeMX).Void() && s.ask(AreaDMARC, host, resolve.TypeA).Void() {
			s.fault("dmarc.rua-no-mx", finding.Medium, name, d.URI.String(), "uri", d.URI.String(), "host", host)
		}
	}
	if !slices.ContainsFunc(f.Reports, func(d Destination) bool { return d.Tag == "rua" }) {
		s.fault("dmarc.no-rua", finding.Medium, name, "")
	}
}

// nameless is a name that no domain has, to find the policy for names that do
// not exist.
const nameless = "sekisho-no-such-name"

// policies finds out what applies below the domain.
func (s *section) policies() {
	f := &s.out.DMARC
	sub, err := domain.Parse(nameless + "." + string(s.d))
	if err != nil || f.State != Present || s.rule == nil || s.rule.Walk == nil {
		return
	}
	res := dmarc.Evaluate(s.ctx, s.r, dmarc.Input{From: []string{string(sub)}}, nil)
	if res.Reason == dmarc.ReasonEnded {
		s.ended.Store(true)
		return
	}
	if res.Applied == nil {
		if n := len(res.Walk.Steps); res.Failed != nil {
			s.needDNS(AreaDMARC, *res.Failed)
		} else if n > 0 && res.Walk.Stop == dmarc.StopDNS {
			s.needDNS(AreaDMARC, res.Walk.Steps[n-1].Answer)
		}
		return
	}
	f.Subdomains, f.Nonexistent = belowRecord(res.Applied.Record)
}

// belowRecord returns the policies that a record has for names below it: those that
// exist and those that do not (RFC 9989 section 4.10.1).
func belowRecord(r *dmarc.Record) (existing, missing string) {
	if r.Defective() {
		return string(dmarc.PolicyNone), string(dmarc.PolicyNone)
	}
	sp := r.SP
	if sp == "" {
		sp = r.P
	}
	np := r.NP
	if np == "" {
		np = sp
	}
	if r.Test {
		sp, np = sp.Lowered(), np.Lowered()
	}
	return string(sp), string(np)
}

// subdomains looks at those that the caller names.
func (s *section) subdomains() {
	for _, n := range s.o.Subdomains[:min(len(s.o.Subdomains), maxSubdomains)] {
		sub := Subdomain{Name: n}
		res := dmarc.Evaluate(s.ctx, s.r, dmarc.Input{From: []string{string(n)}}, nil)
		if res.Applied != nil {
			sub.Policy, sub.From = string(res.Applied.Policy), string(res.Applied.Domain)
		} else if res.Failed != nil {
			s.needDNS(AreaDMARC, *res.Failed)
		}
		txt := s.ask(AreaSPF, string(n), resolve.TypeTXT)
		sub.State = Present
		switch {
		case txt.NXDomain():
			sub.State = Absent
		case txt.Temporary():
			sub.State = stateOf(txt)
		}
		sub.SPF = stateOf(txt)
		if sub.SPF == Present && !slices.ContainsFunc(txt.Texts(), spf.IsRecord) {
			sub.SPF = Absent
		}
		sub.MX = stateOf(s.ask(AreaMX, string(n), resolve.TypeMX))
		s.out.Subdomains = append(s.out.Subdomains, sub)
	}
}

// judgeDMARC says what is wrong with the policy, once everything is known.
func (s *section) judgeDMARC() {
	f, out := &s.out.DMARC, s.out
	name := "_dmarc." + string(s.d)
	mail := out.Use == UseMail || out.Use == UseSend
	if f.State == Absent && len(f.Records) == 0 && len(f.Similar) == 0 && mail {
		s.fault("dmarc.none", finding.High, name, "")
	}
	if t := texts(s.apex, "DMARC1"); len(t) > 0 {
		s.fault("dmarc.apex", finding.High, string(s.d), t[0])
	}
	if f.State != Present || s.rule == nil || s.rule.Applied == nil {
		return
	}
	own := f.At == string(s.d)
	at := "_dmarc." + f.At
	if f.Testing && f.Published != string(dmarc.PolicyNone) {
		s.fault("dmarc.testing", finding.Medium, at, "t=y", "published", f.Published, "policy", f.Policy)
	}
	if f.Published == string(dmarc.PolicyNone) {
		s.fault("dmarc.monitoring", finding.Low, at, "p=none")
	}
	if own && f.SP != "" && s.out.Org != "" && s.out.Org != s.d {
		s.fault("dmarc.sp-unused", finding.Low, at, "sp="+f.SP, "org", string(s.out.Org))
	}
	if own && strictness(f.SP) < strictness(f.P) && f.SP != "" {
		s.fault("dmarc.sp-weaker", finding.Medium, at, "sp="+f.SP, "sp", f.SP, "p", f.P)
	}
	if own && f.NP != "" && strictness(f.NP) < max(strictness(f.SP), strictness(f.P)) {
		s.fault("dmarc.np-weaker", finding.Medium, at, "np="+f.NP, "np", f.NP)
	}
	if own && f.PSD == string(dmarc.PSDYes) && domain.PublicSuffix(s.d) != s.d {
		s.fault("dmarc.psd", finding.Medium, at, "psd=y")
	}
	if f.Policy == string(dmarc.PolicyReject) && mail && out.DKIM.State == Absent {
		s.fault("dmarc.spf-alone", finding.Medium, at, f.Record)
	}
	for _, sub := range out.Subdomains {
		if strictness(sub.Policy) < strictness(f.Policy) {
			s.fault("dmarc.subdomain-gap", finding.Medium, string(sub.Name), sub.Policy, "name", string(sub.Name), "policy", policyWord(sub.Policy))
		}
	}
}

func policyWord(p string) string {
	if p == "" {
		return "none"
	}
	return p
}

// strictness orders policies.
func strictness(p string) int {
	return slices.Index([]string{"", string(dmarc.PolicyNone), string(dmarc.PolicyQuarantine), string(dmarc.PolicyReject)}, p)
}
