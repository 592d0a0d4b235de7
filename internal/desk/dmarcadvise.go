package desk

import (
	"context"
	"strings"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/readiness"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
)

// DMARCAdviceSchema names the JSON form of a [DMARCAdvice].
const DMARCAdviceSchema = "sekisho.dmarc-advice/v1"

// DMARCAdviseInput says about what advice is asked.
type DMARCAdviseInput struct {
	Domains []domain.Name // empty: the organisation's, or all if those are not known

	// Policy is what the owner says is published: a record, or only what it asks
	// for, such as "quarantine" or "p=quarantine; t=y". Empty: it is asked in DNS.
	Policy string
	People *bool // ordinary users write from the domains; nil is unknown
}

// PolicyFrom says from where a policy is known.
type PolicyFrom string

// From where a policy is known.
const (
	PolicyFromDNS  PolicyFrom = "dns"
	PolicyFromUser PolicyFrom = "user"
	PolicyUnknown  PolicyFrom = "unknown"
)

// DMARCAdvice is whether the next step of a domain's DMARC policy is safe.
type DMARCAdvice struct {
	Schema   string            `json:"schema"`
	Domain   domain.Name       `json:"domain"`
	Answer   readiness.Answer  `json:"answer"`
	Verdict  readiness.Verdict `json:"verdict"`
	Sentence lang.Text         `json:"sentence"`

	Current    string      `json:"current"` // "p=none"; empty if there is no record or it is not known
	Next       string      `json:"next"`
	PolicyFrom PolicyFrom  `json:"policy_from"`
	PolicySeen *DMARCSeen  `json:"policy_seen,omitempty"` // what reporters found last; never taken as what is published
	Window     DMARCWindow `json:"window"`
	WaitUntil  string      `json:"wait_until,omitempty"` // RFC 3339 date

	Wanted           int64 `json:"wanted"` // messages of the window that are the owner's or may be
	WantedFailing    int64 `json:"wanted_failing"`
	Forwarded        int64 `json:"forwarded"`
	ForwardedFailing int64 `json:"forwarded_failing"`
	Threat           int64 `json:"threat"`
	ThreatDelivered  int64 `json:"threat_delivered"`
	Unproven         int64 `json:"unproven"`

	Blockers  []DMARCPoint  `json:"blockers"`
	Cautions  []DMARCPoint  `json:"cautions"`
	Lost      []DMARCLoss   `json:"lost"`      // wanted mail that the next step would hit, by source
	LostOver  int64         `json:"lost_over"` // messages of further sources
	Forwards  []DMARCLoss   `json:"forwards"`  // mail passed on that it would hit
	Scopes    []DMARCScope  `json:"scopes"`
	Publish   *DMARCPublish `json:"publish,omitempty"`
	Unchecked []lang.Text   `json:"unchecked,omitempty"` // what was not asked, and what for
}

// DMARCSeen is a policy that reporters found.
type DMARCSeen struct {
	Policy string `json:"policy"` // "p=quarantine; t=y"
	Date   string `json:"date"`
}

// DMARCWindow is the time that an answer rests on.
type DMARCWindow struct {
	From      string `json:"from"`      // RFC 3339 dates, both included
	Until     string `json:"until"`     //
	Days      int    `json:"days"`      // with a report
	Reporters int    `json:"reporters"` // that reported
	First     string `json:"first,omitempty"`
}

// DMARCPoint is something that speaks against a step, or that one should know.
type DMARCPoint struct {
	Code   string     `json:"code"`
	Source string     `json:"source,omitempty"` // its name
	Text   lang.Text  `json:"text"`
	Fix    *lang.Text `json:"fix,omitempty"`
}

// DMARCLoss is a source whose mail a step would hit.
type DMARCLoss struct {
	Source   string       `json:"source"`
	Class    source.Class `json:"class"`
	Failing  int64        `json:"failing"`
	Messages int64        `json:"messages"`
}

// DMARCScope is an author domain and what it sends.
type DMARCScope struct {
	Name    domain.Name  `json:"name"`
	Policy  dmarc.Policy `json:"policy"` // that applies now; empty if that is not known
	Missing bool         `json:"missing"`
	Wanted  int64        `json:"wanted"`
	Failing int64        `json:"failing"`
	Threat  int64        `json:"threat"`
}

// DMARCPublish is a record to publish.
type DMARCPublish struct {
	Host     string    `json:"host"`
	Type     string    `json:"type"`
	Value    string    `json:"value"`
	TTL      int       `json:"ttl"`            // seconds
	Complete bool      `json:"complete"`       // else something has to be put in by hand, as the request says
	Back     string    `json:"back,omitempty"` // what is published now, for the way back
	Request  lang.Text `json:"request"`        // to whoever looks after the DNS
}

// AdviseDMARC says for each domain whether the next step is safe.
func AdviseDMARC(ctx context.Context, in *DMARCAdviseInput, deps *DMARCDeps) ([]DMARCAdvice, error) {
	said, err := sayPolicy(in.Policy)
	if err != nil {
		return nil, err
	}
	names, err := dmarcDomains(ctx, in.Domains, deps)
	if err != nil {
		return nil, err
	}
	out := make([]DMARCAdvice, 0, len(names))
	for _, n := range names {
		a, err := adviseDomain(ctx, n, in, said, deps)
		if err != nil {
			return nil, err
		}
		out = append(out, *a)
	}
	return out, nil
}

// saidPolicy is what is published, as far as that is known.
type saidPolicy struct {
	record  *dmarc.Record // nil: there is none
	known   bool
	partial bool // only the step is known, not the whole record
	from    PolicyFrom
}

// sayPolicy reads what the owner says.
func sayPolicy(s string) (saidPolicy, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return saidPolicy{from: PolicyUnknown}, nil
	}
	out := saidPolicy{known: true, from: PolicyFromUser}
	if strings.EqualFold(s, "absent") {
		return out, nil
	}
	text := s
	if !strings.HasPrefix(strings.ToLower(strings.ReplaceAll(s, " ", "")), "v=") {
		out.partial = true
		if !strings.Contains(s, "=") {
			text = "p=" + s
		}
		text = "v=DMARC1; " + text
	}
	r, _, err := dmarc.ParseRecord(text)
	if err != nil || r.P == "" {
		return out, &Error{Kind: Invalid, Message: lang.M("dmarcpolicy.error.policy", "policy", s), Hint: lang.M("dmarcpolicy.hint.policy"), Err: err}
	}
	out.record = r
	return out, nil
}

// askPolicy asks DNS for the record of the domain itself. Where DNS does not
// answer, or answers with several records, nothing is known.
func askPolicy(ctx context.Context, r resolve.Resolver, n domain.Name) (saidPolicy, error) {
	out := saidPolicy{from: PolicyUnknown}
	a, err := r.Lookup(ctx, "_dmarc."+string(n), resolve.TypeTXT)
	if err != nil {
		return out, err
	}
	if a.RCode != resolve.NoError && !a.NXDomain() {
		return out, nil
	}
	found := 0
	for _, txt := range a.Texts() {
		if rec, _, err := dmarc.ParseRecord(txt); err == nil {
			out.record = rec
			found++
		}
	}
	if found > 1 { // counts as none (RFC 9989 section 4.10), and has to be put right first
		out.record = nil
		return out, nil
	}
	out.known, out.from = true, PolicyFromDNS
	return out, nil
}

func adviseDomain(ctx context.Context, n domain.Name, in *DMARCAdviseInput, policy saidPolicy, deps *DMARCDeps) (*DMARCAdvice, error) {
	if !policy.known && deps.Resolver != nil {
		var err error
		if policy, err = askPolicy(ctx, deps.Resolver, n); err != nil {
			return nil, err
		}
	}
	now := deps.Now()
	// Rows about a sub-domain with a record of its own are not of this policy.
	own := func(row *dmarcreport.Row) bool { return row.Domain == string(n) }
	c, unchecked, err := classifyDMARC(ctx, n, ReportQuery{Domains: []domain.Name{n}, From: now.UTC().AddDate(-2, 0, 0)}, own, deps)
	if err != nil {
		return nil, err
	}
	a := readiness.Decide(&readiness.Input{
		Domain: n, Report: c.report, Now: now, Known: policy.known, Record: policy.record, Partial: policy.partial, People: in.People,
		Missing: c.missing, Existence: c.existence,
	})
	return adviceRecord(a, c.report, &policy, unchecked, deps.words()), nil
}

func adviceRecord(a *readiness.Advice, r *source.Report, policy *saidPolicy, unchecked []lang.Text, words *lang.Catalogue) *DMARCAdvice {
	out := &DMARCAdvice{
		Schema: DMARCAdviceSchema, Domain: a.Domain, Answer: a.Answer, Verdict: a.Verdict, Current: a.Current.String(), Next: a.Next.String(), PolicyFrom: policy.from,
		Window: DMARCWindow{From: a.From.Format(time.DateOnly), Until: a.Until.AddDate(0, 0, -1).Format(time.DateOnly), Days: a.Days, Reporters: a.Reporters},
		Wanted: a.Wanted, WantedFailing: a.WantedFailing, Forwarded: a.Forwarded, ForwardedFailing: a.ForwardedFailing, Threat: a.Threat,
		ThreatDelivered: a.ThreatDelivered, Unproven: a.Unproven, LostOver: a.LostOver, Unchecked: unchecked,
		Blockers: points(a.Blockers, words), Cautions: points(a.Cautions, words), Lost: losses(a.Lost), Forwards: losses(a.Forwards), Scopes: []DMARCScope{},
	}
	if !a.First.IsZero() {
		out.Window.First = a.First.Format(time.DateOnly)
	}
	if !a.WaitUntil.IsZero() {
		out.WaitUntil = a.WaitUntil.Format(time.DateOnly)
	}
	for _, s := range a.Scopes {
		out.Scopes = append(out.Scopes, DMARCScope(s))
	}
	if len(r.Policies) > 0 {
		last := r.Policies[len(r.Policies)-1]
		out.PolicySeen = &DMARCSeen{Policy: readiness.Step{P: dmarc.Policy(last.P), Test: last.Testing}.String(), Date: last.Date.Format(time.DateOnly)}
	}
	out.Sentence = words.Render(sentence(a))
	out.Publish = publish(a, policy, words)
	return out
}

// sentence is the answer in words.
func sentence(a *readiness.Advice) lang.Message {
	pairs := []any{
		"domain", string(a.Domain), "step", a.Next.String(), "n", a.WantedFailing, "of", a.Wanted, "sources", len(a.Lost), "forwarded", a.ForwardedFailing,
		"threat", a.Threat, "delivered", a.ThreatDelivered, "blockers", len(a.Blockers), "until", a.WaitUntil,
	}
	key := "dmarcpolicy.sentence." + string(a.Verdict)
	if a.Verdict == readiness.Forwarders {
		key += "." + string(a.Answer)
	}
	return lang.M(key, pairs...)
}

func points(list []readiness.Reason, words *lang.Catalogue) []DMARCPoint {
	out := []DMARCPoint{}
	for _, r := range list {
		p := DMARCPoint{Code: r.Code, Text: words.Render(r.Message)}
		if r.Source != nil {
			p.Source = r.Source.Name
		}
		if !r.Fix.IsZero() {
			fix := words.Render(r.Fix)
			p.Fix = &fix
		}
		out = append(out, p)
	}
	return out
}

func losses(list []readiness.Loss) []DMARCLoss {
	out := []DMARCLoss{}
	for _, l := range list {
		out = append(out, DMARCLoss{l.Source.Name, l.Source.Class, l.Failing, l.Messages})
	}
	return out
}

// recordTTL is an hour: short enough for the way back.
const recordTTL = 3600

// reportsTo stands for an address that only the owner knows.
const reportsTo = "mailto:REPORTS@"

// publish is the record for the next step.
func publish(a *readiness.Advice, policy *saidPolicy, words *lang.Catalogue) *DMARCPublish {
	if a.Publish == nil || a.Answer != readiness.Yes && a.Answer != readiness.Finished {
		return nil
	}
	out := &DMARCPublish{Host: "_dmarc." + string(a.Domain), Type: "TXT", TTL: recordTTL, Complete: true, Value: a.Publish.String()}
	key := "dmarcpolicy.request"
	switch {
	case policy.partial:
		out.Complete, key = false, "dmarcpolicy.request.partial"
	case len(a.Publish.RUA) == 0:
		out.Value += "; rua=" + reportsTo + string(a.Domain)
		out.Complete, key = false, "dmarcpolicy.request.address"
	}
	if policy.record != nil && !policy.partial {
		out.Back = policy.record.Text
	}
	out.Request = words.Render(lang.M(key, "host", out.Host, "type", out.Type, "value", out.Value, "ttl", out.TTL, "step", a.Next.String()))
	return out
}
