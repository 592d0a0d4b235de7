package desk

import (
	"bufio"
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/requirement"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// DomainSchema names the record of [DomainCheck].
const DomainSchema = "sekisho.domain/v1"

// Bounds on one run of [DomainCheck].
const (
	maxDomains       = 10_000
	domainWorkers    = 12
	maxReportDays    = 90
	maxReportRows    = 500_000
	maxSeenSelectors = 20
	maxBusiest       = 1 << 30
	fetchLimit       = 15 * time.Second
)

// DomainInput says which domains to look at, and what is known of them that DNS
// does not tell.
type DomainInput struct {
	Domains    []string // as the user wrote them; empty means the organisation's
	Selectors  []string // of DKIM
	Subdomains []string // whole names, or what stands before the domain
	Samples    []Item   // mails that the domains sent
	Records    string   // records that are not published yet, as values or lines of a zone file
	Volume     int      // mails that a domain sends in a day; negative: unknown
	Questions  int      // to DNS, for each domain; 0 is the engine's default
}

// DomainDeps is what [DomainCheck] needs from outside.
type DomainDeps struct {
	Resolver resolve.Resolver  // nil asks nothing
	TrustAD  bool              // the resolver's word on DNSSEC counts: it is ours, or the user named it
	Fetch    Fetcher           // nil: nothing is fetched over HTTP
	TLS      posture.TLSProber // nil: no mail server is asked for TLS
	Reports  ReportStore       // nil: no DMARC reports are at hand
	Facts    org.Facts
	Words    *lang.Catalogue       // nil: the built-in one
	Now      func() time.Time      // nil: the system's clock
	Progress func(done, total int) // may be nil; called by one goroutine at a time
}

// DomainReport is what a domain publishes about its mail and what is wrong with
// it.
type DomainReport struct {
	Schema  string          `json:"schema"`
	Domain  string          `json:"domain"`
	Unicode string          `json:"unicode"` // for people to read
	Org     string          `json:"org"`     // the organizational domain; empty if unknown
	Use     posture.Use     `json:"use"`
	Worst   string          `json:"worst"` // the highest severity of Faults; empty without any
	Summary lang.Text       `json:"summary"`
	Faults  []DomainFault   `json:"faults"`
	Unknown []DomainUnknown `json:"not_checked"`
	Preview []string        `json:"preview"` // records that were taken as published

	Requirements *RequirementsView `json:"requirements,omitempty"`

	MX         posture.MX          `json:"mx"`
	Reverse    []posture.Reverse   `json:"reverse"`
	SPF        posture.SPF         `json:"spf"`
	DKIM       posture.DKIM        `json:"dkim"`
	DMARC      posture.DMARC       `json:"dmarc"`
	MTASTS     posture.MTASTS      `json:"mta_sts"`
	TLSRPT     posture.TLSRPT      `json:"tls_rpt"`
	TLS        posture.TLS         `json:"tls"`
	DNSSEC     posture.DNSSEC      `json:"dnssec"`
	DANE       posture.DANE        `json:"dane"`
	BIMI       posture.BIMI        `json:"bimi"`
	Subdomains []posture.Subdomain `json:"subdomains"`

	Questions int      `json:"questions"` // to DNS
	Error     *Failure `json:"error,omitempty"`
}

// DomainFault is something wrong with what is published.
type DomainFault struct {
	Area     posture.Area     `json:"area"`
	Code     string           `json:"code"`
	Severity finding.Severity `json:"severity"`
	Name     string           `json:"name"`  // in DNS, or an address
	Quote    string           `json:"quote"` // the words at fault
	Text     lang.Text        `json:"text"`
	Mend     lang.Text        `json:"mend"`
}

// DomainUnknown is something that could not be found out.
type DomainUnknown struct {
	Area  posture.Area  `json:"area"`
	Cause finding.Cause `json:"cause"`
	Name  string        `json:"name"`
	Text  lang.Text     `json:"text"`
}

// DomainCheck looks at what domains publish about their mail and yields one
// report for each, in order. The error says why there is nothing to look at.
func DomainCheck(ctx context.Context, in DomainInput, deps DomainDeps) (iter.Seq[*DomainReport], error) {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Resolver == nil {
		deps.Resolver = resolve.Offline()
	}
	names := in.Domains
	if len(names) == 0 {
		names = deps.Facts.Domains.Value()
	}
	switch {
	case len(names) == 0:
		return nil, &Error{Kind: Invalid, Message: lang.M("domain.error.none"), Hint: lang.M("domain.hint.none")}
	case len(names) > maxDomains:
		return nil, &Error{Kind: Limit, Message: lang.M("domain.error.many", "n", len(names), "max", maxDomains), Hint: lang.M("domain.hint.many")}
	}
	d := &domainDesk{in: in, deps: deps, r: renderer{words: deps.Words, now: deps.Now()}, samples: readSamples(in.Samples)}
	return func(yield func(*DomainReport) bool) { d.run(ctx, names, yield) }, nil
}

// domainDesk is one call of [DomainCheck].
type domainDesk struct {
	in      DomainInput
	deps    DomainDeps
	r       renderer
	samples []domainSample

	mu    sync.Mutex
	facts map[domain.Name]reportedFacts
}

// run looks at several domains at a time and keeps their order.
func (d *domainDesk) run(ctx context.Context, names []string, yield func(*DomainReport) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make([]chan *DomainReport, len(names))
	for i := range results {
		results[i] = make(chan *DomainReport, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	defer wg.Wait()
	for range min(domainWorkers, len(names)) {
		wg.Go(func() {
			for i := range next {
				results[i] <- d.safely(ctx, names[i])
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range names {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	defer cancel() // before waiting
	for i := range names {
		select {
		case rep := <-results[i]:
			if rep == nil || !yield(rep) { // nil: the caller's time is over
				return
			}
			if d.deps.Progress != nil {
				d.deps.Progress(i+1, len(names))
			}
		case <-ctx.Done():
			return
		}
	}
}

// safely turns a panic into an error about that domain, as [Judge] does.
func (d *domainDesk) safely(ctx context.Context, name string) (out *DomainReport) {
	defer func() {
		if p := recover(); p != nil {
			out = emptyDomain(name)
			out.Error = d.r.failure(internalError(name, p))
		}
	}()
	return d.check(ctx, name)
}

func emptyDomain(name string) *DomainReport {
	return &DomainReport{
		Schema: DomainSchema, Domain: name, Unicode: name, Use: posture.UseUnknown,
		Faults: []DomainFault{}, Unknown: []DomainUnknown{}, Preview: []string{},
		MX:      posture.MX{State: posture.NotAsked, Hosts: []posture.MXHost{}, Implicit: []string{}},
		Reverse: []posture.Reverse{}, Subdomains: []posture.Subdomain{},
		SPF:    posture.SPF{State: posture.NotAsked, Sends: posture.NotAsked, Records: []string{}, Similar: []string{}, Networks: []string{}, Providers: []string{}},
		DKIM:   posture.DKIM{State: posture.NotAsked, Keys: []posture.DKIMKey{}, Tried: []string{}},
		DMARC:  posture.DMARC{State: posture.NotAsked, Records: []string{}, Similar: []string{}, Reports: []posture.Destination{}, Walk: []posture.WalkStep{}},
		MTASTS: posture.MTASTS{State: posture.NotAsked, Fetch: posture.NotAsked}, TLSRPT: posture.TLSRPT{State: posture.NotAsked, RUA: []string{}},
		TLS:    posture.TLS{State: posture.NotAsked, Hosts: []posture.TLSHost{}},
		DNSSEC: posture.DNSSEC{State: posture.NotAsked, DS: posture.NotAsked}, DANE: posture.DANE{State: posture.NotAsked, Hosts: []posture.DANEHost{}},
		BIMI: posture.BIMI{State: posture.NotAsked, Fetch: posture.NotAsked, SVG: []string{}},
	}
}

// check looks at one domain. It returns nil if ctx ended.
func (d *domainDesk) check(ctx context.Context, name string) *DomainReport {
	out := emptyDomain(name)
	n, err := domain.Parse(strings.TrimSpace(name))
	if err != nil {
		out.Error = d.r.failure(&Error{Kind: Invalid, Message: lang.M("domain.error.name", "name", name), Hint: lang.M("domain.hint.name"), Err: err})
		return out
	}
	o := &posture.Options{TrustAD: d.deps.TrustAD, MaxQuestions: d.in.Questions, Now: d.deps.Now(), Selectors: d.selectors(ctx, n)}
	for _, s := range d.in.Subdomains {
		if sub, ok := subdomainOf(s, n); ok {
			o.Subdomains = append(o.Subdomains, sub)
		}
	}
	o.TLS = d.deps.TLS
	if d.deps.Fetch != nil {
		o.Fetch = postureFetcher{d.deps.Fetch}
	}
	dns := d.deps.Resolver
	if d.in.Records != "" {
		over, preview, err := d.overlay(n)
		if err != nil {
			out.Error = d.r.failure(err)
			return out
		}
		dns, out.Preview = posture.Overlay(dns, over), preview
	}
	rep, err := posture.Check(ctx, dns, n, o)
	if err != nil {
		return nil
	}
	d.render(out, rep)
	view, err := Requirements(ctx, d.requirementInput(ctx, rep), RequirementDeps{Resolver: dns, Facts: d.deps.Facts, Words: d.deps.Words, Now: d.deps.Now})
	if err != nil {
		return nil
	}
	out.Requirements = view
	return out
}

// requirementInput is what is known of a domain as a sender.
func (d *domainDesk) requirementInput(ctx context.Context, rep *posture.Report) RequirementInput {
	in := RequirementInput{Posture: rep, Volume: requirement.Volume{AtLeast: d.reported(ctx, rep.Domain).busiest}}
	if d.in.Volume >= 0 {
		in.Volume.Known, in.Volume.PerDay = true, d.in.Volume
	}
	for _, s := range d.samples {
		// A sample of another domain is handed on if it is the only one, so that
		// the user is told that it counts for nothing.
		if s.from == rep.Domain || len(d.samples) == 1 && len(d.in.Domains) == 1 {
			in.Sample = s.item.Raw
			break
		}
	}
	return in
}

// subdomainOf reads a sub-domain as a user writes it.
func subdomainOf(s string, n domain.Name) (domain.Name, bool) {
	sub, err := domain.Parse(s)
	if err == nil && sub.IsSubdomainOf(n) {
		return sub, sub != n
	}
	if strings.Contains(s, ".") && domain.Organizational(sub) != domain.PublicSuffix(sub) && domain.PublicSuffix(sub) == domain.PublicSuffix(n) {
		return "", false // of another of the domains
	}
	sub, err = domain.Parse(strings.TrimSuffix(s, ".") + "." + string(n))
	return sub, err == nil
}

// render fills the record for users.
func (d *domainDesk) render(out *DomainReport, rep *posture.Report) {
	out.Domain, out.Unicode, out.Org, out.Use = string(rep.Domain), rep.Domain.Unicode(), string(rep.Org), rep.Use
	out.MX, out.Reverse, out.SPF, out.DKIM, out.DMARC = rep.MX, rep.Reverse, rep.SPF, rep.DKIM, rep.DMARC
	out.MTASTS, out.TLSRPT, out.TLS, out.DNSSEC, out.DANE, out.BIMI = rep.MTASTS, rep.TLSRPT, rep.TLS, rep.DNSSEC, rep.DANE, rep.BIMI
	out.Subdomains, out.Questions = rep.Subdomains, rep.Questions
	count := map[finding.Severity]int{}
	worst := finding.Info
	for _, f := range rep.Faults {
		count[f.Severity]++
		worst = max(worst, f.Severity)
		out.Faults = append(out.Faults, DomainFault{f.Area, f.Code, f.Severity, f.Name, f.Quote, d.r.words.Render(f.Message), d.r.words.Render(f.Mend)})
	}
	if len(rep.Faults) > 0 {
		out.Worst = worst.String()
	}
	for _, n := range rep.Unchecked {
		out.Unknown = append(out.Unknown, DomainUnknown{n.Area, n.Cause, n.Name, d.r.words.Render(n.Message)})
	}
	bad := count[finding.Critical] + count[finding.High]
	switch {
	case bad+count[finding.Medium]+count[finding.Low] == 0 && len(rep.Unchecked) == 0:
		out.Summary = d.r.words.Render(lang.M("domain.summary.fine"))
	case bad+count[finding.Medium]+count[finding.Low] == 0:
		out.Summary = d.r.words.Render(lang.M("domain.summary.unknown", "unknown", len(rep.Unchecked)))
	default:
		out.Summary = d.r.words.Render(lang.M("domain.summary.faults", "high", bad, "medium", count[finding.Medium], "low", count[finding.Low], "unknown", len(rep.Unchecked)))
	}
}

// overlay reads the records that are to be looked at before they are published.
func (d *domainDesk) overlay(n domain.Name) (*zone.Zone, []string, error) {
	selector := ""
	if len(d.in.Selectors) > 0 {
		selector = d.in.Selectors[0]
	}
	text, ok := posture.ZoneText(d.in.Records, n, selector)
	if !ok {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("domain.error.record"), Hint: lang.M("domain.hint.record")}
	}
	z, err := zone.ParseString(text)
	if err != nil {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("domain.error.record-syntax", "error", err.Error()), Hint: lang.M("domain.hint.record"), Err: err}
	}
	var b strings.Builder
	if err := z.Write(&b); err != nil {
		return nil, nil, err
	}
	preview := []string{}
	for s := bufio.NewScanner(strings.NewReader(b.String())); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != ';' && line[0] != '$' && len(preview) < 100 {
			preview = append(preview, line)
		}
	}
	if len(preview) == 0 {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("domain.error.record"), Hint: lang.M("domain.hint.record")}
	}
	return z, preview, nil
}

// domainSample is a mail that a domain sent.
type domainSample struct {
	item Item
	msg  *eml.Message
	from domain.Name
}

// readSamples reads the mails whose author is one domain.
func readSamples(items []Item) []domainSample {
	var out []domainSample
	for _, it := range items {
		if it.Err != nil {
			continue
		}
		m := eml.Parse(it.Raw, nil)
		s := domainSample{item: it, msg: m}
		if from := m.From(); len(from) > 0 {
			_, host, _ := strings.Cut(from[0].Addr(), "@")
			s.from, _ = domain.Parse(host)
		}
		out = append(out, s)
	}
	return out
}

// selectors returns those that the user named, those of the samples, and those
// that DMARC reports show.
func (d *domainDesk) selectors(ctx context.Context, n domain.Name) []posture.Selector {
	var out []posture.Selector
	add := func(name string, source posture.SelectorSource) {
		if name != "" && !slices.ContainsFunc(out, func(s posture.Selector) bool { return strings.EqualFold(s.Name, name) }) {
			out = append(out, posture.Selector{Name: name, Source: source})
		}
	}
	for _, s := range d.in.Selectors {
		add(s, posture.SelectorGiven)
	}
	for _, s := range d.samples {
		for _, f := range s.msg.Header().All(dkim.FieldName) {
			if sig := dkim.Parse(f, dkim.DKIMSignature); sig.Domain == n {
				add(sig.Selector, posture.SelectorSample)
			}
		}
	}
	for _, s := range d.reported(ctx, n).selectors {
		add(s, posture.SelectorReport)
	}
	return out
}

// reportedFacts is what DMARC reports of the last months show of a domain.
type reportedFacts struct {
	selectors []string // with which mail passed, the most used first
	busiest   int      // mails on the day with the most; reporters see a part of them
}

// reported reads the reports about a domain.
func (d *domainDesk) reported(ctx context.Context, n domain.Name) reportedFacts {
	if d.deps.Reports == nil {
		return reportedFacts{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f, ok := d.facts[n]; ok {
		return f
	}
	seen, days, rows := map[string]int64{}, map[string]int64{}, 0
	for row, err := range d.deps.Reports.ReportRows(ctx, ReportQuery{Domains: []domain.Name{n}, From: d.deps.Now().AddDate(0, 0, -maxReportDays)}) {
		if rows++; err != nil || rows > maxReportRows {
			break
		}
		for _, k := range row.DKIMResults {
			if k.Result == "pass" && strings.EqualFold(k.Domain, string(n)) && k.Selector != "" {
				seen[strings.ToLower(k.Selector)] += row.Count
			}
		}
		// What failed may be forged; what passed is ours.
		if row.Pass() && strings.EqualFold(row.HeaderFrom, string(n)) {
			days[row.Begin.UTC().Format(time.DateOnly)] += row.Count
		}
	}
	var f reportedFacts
	for s := range seen {
		f.selectors = append(f.selectors, s)
	}
	slices.SortFunc(f.selectors, func(a, b string) int { return cmp.Or(cmp.Compare(seen[b], seen[a]), strings.Compare(a, b)) })
	f.selectors = f.selectors[:min(len(f.selectors), maxSeenSelectors)]
	for _, c := range days {
		f.busiest = max(f.busiest, int(min(c, maxBusiest)))
	}
	if d.facts == nil {
		d.facts = map[domain.Name]reportedFacts{}
	}
	d.facts[n] = f
	return f
}

// postureFetcher fetches for the engine.
type postureFetcher struct{ next Fetcher }

// Get implements [posture.Fetcher]. A redirection that was followed is told as
// one, since it must not be (RFC 8461 section 3.3).
func (f postureFetcher) Get(ctx context.Context, url string, maxBytes int64) (posture.Fetched, error) {
	const moved = 302
	got, err := f.next.Get(ctx, url, &FetchOptions{MaxBytes: maxBytes, Timeout: fetchLimit})
	if err != nil {
		return posture.Fetched{}, err
	}
	out := posture.Fetched{Status: got.Status, ContentType: got.ContentType, Body: got.Body}
	if got.URL != "" && got.URL != url {
		out.Status = moved
	}
	return out, nil
}
