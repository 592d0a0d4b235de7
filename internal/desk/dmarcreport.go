package desk

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// DMARCReportSchema names the JSON form of a [DMARCReport].
const DMARCReportSchema = "sekisho.dmarc-report/v1"

// DMARCDeps is what the use cases about reports on DMARC need from outside.
type DMARCDeps struct {
	Store    ReportStore
	Facts    org.Facts
	Resolver resolve.Resolver // nil: nothing is asked
	Verdicts []source.Verdict // of the owner, on sources
	Words    *lang.Catalogue  // nil: the built-in one
	Now      func() time.Time
}

func (d *DMARCDeps) words() *lang.Catalogue {
	if d.Words == nil {
		return lang.Default()
	}
	return d.Words
}

// DMARCReportInput says what to report on.
type DMARCReportInput struct {
	Domains []domain.Name // empty: the organisation's, or all if those are not known
	Since   time.Time     // midnight UTC of the first day; zero for the first report
	Until   time.Time     // midnight UTC of the day after the last; zero for the last report
}

// DMARCReport is who sends as a domain.
type DMARCReport struct {
	Schema  string      `json:"schema"`
	Domain  domain.Name `json:"domain"`
	Summary lang.Text   `json:"summary"`
	From    string      `json:"from"`  // RFC 3339 date of the first day with a report
	Until   string      `json:"until"` // and of the last
	DMARCCounts
	Unproven    int64           `json:"unproven"`    // messages of reports that nobody vouches for; counted nowhere else
	Disagreeing int64           `json:"disagreeing"` // of which evaluation and results contradict each other
	Left        int64           `json:"left"`        // of rows over a bound
	Reporters   []DMARCReporter `json:"reporters"`   // those with the most days first
	Classes     []DMARCClass    `json:"classes"`
	Days        []DMARCDay      `json:"days"` // every day from the first to the last
	Sources     []DMARCSource   `json:"sources"`
	Unchecked   []lang.Text     `json:"unchecked,omitempty"` // what was not asked, and what for
}

// DMARCCounts are messages by what happened to them.
type DMARCCounts struct {
	Messages    int64 `json:"messages"`
	Pass        int64 `json:"pass"` // DMARC
	SPF         int64 `json:"spf"`  // passed and aligned
	DKIM        int64 `json:"dkim"`
	Quarantined int64 `json:"quarantined"`
	Rejected    int64 `json:"rejected"`
}

func dmarcCounts(c source.Counts) DMARCCounts {
	return DMARCCounts{c.Messages, c.Pass, c.SPF, c.DKIM, c.Quarantined, c.Rejected}
}

// DMARCReporter is a receiver that reports.
type DMARCReporter struct {
	Name     string `json:"name"`
	Days     int    `json:"days"`
	Messages int64  `json:"messages"`
	Last     string `json:"last"` // RFC 3339 date
}

// DMARCClass sums up the sources of a class.
type DMARCClass struct {
	Class    source.Class `json:"class"`
	Sources  int          `json:"sources"`
	Messages int64        `json:"messages"`
	Pass     int64        `json:"pass"`
}

// DMARCDay is a day: messages by class, and how many passed.
type DMARCDay struct {
	Date      string `json:"date"` // RFC 3339 date
	Own       int64  `json:"own"`
	Service   int64  `json:"service"`
	Forwarder int64  `json:"forwarder"`
	Unknown   int64  `json:"unknown"`
	Threat    int64  `json:"threat"`
	Pass      int64  `json:"pass"` // of all
	// Of the owner's mail, which is all but that of threats and forwarders.
	WantedPass int64 `json:"wanted_pass"`
}

// Wanted is how many messages of the day are the owner's or may be.
func (d *DMARCDay) Wanted() int64 { return d.Own + d.Service + d.Unknown }

// Of returns the messages of a class.
func (d *DMARCDay) Of(c source.Class) int64 {
	switch c {
	case source.Own:
		return d.Own
	case source.Service:
		return d.Service
	case source.Forwarder:
		return d.Forwarder
	case source.Unknown:
		return d.Unknown
	case source.Threat:
		return d.Threat
	}
	return 0
}

func (d *DMARCDay) add(c source.Class, n source.Counts) {
	switch c {
	case source.Own:
		d.Own += n.Messages
	case source.Service:
		d.Service += n.Messages
	case source.Forwarder:
		d.Forwarder += n.Messages
	case source.Unknown:
		d.Unknown += n.Messages
	case source.Threat:
		d.Threat += n.Messages
	}
	d.Pass += n.Pass
	if c == source.Own || c == source.Service || c == source.Unknown {
		d.WantedPass += n.Pass
	}
}

// DMARCTrend says how a source develops.
type DMARCTrend string

// The trends.
const (
	TrendNew    DMARCTrend = "new"  // first seen in the last 14 days
	TrendGone   DMARCTrend = "gone" // not seen in the last 14 days
	TrendUp     DMARCTrend = "up"   // more than half again in the second half
	TrendDown   DMARCTrend = "down" // less than two thirds in the second half
	TrendSteady DMARCTrend = "steady"
)

// DMARCSource is who sent some of the mail.
type DMARCSource struct {
	Key        string            `json:"key"`
	Name       string            `json:"name"`
	Service    string            `json:"service,omitempty"` // id in our list of services
	Class      source.Class      `json:"class"`
	Confidence source.Confidence `json:"confidence"`
	ByUser     bool              `json:"by_user"` // the owner said so
	DMARCCounts
	First     string          `json:"first"` // RFC 3339 dates
	Last      string          `json:"last"`
	Trend     DMARCTrend      `json:"trend"`
	Overrides []DMARCOverride `json:"overrides,omitempty"`
	Addresses []netip.Addr    `json:"addresses"` // those with the most messages
	Networks  int             `json:"networks"`
	Signers   []string        `json:"signers,omitempty"`   // domain and selector of signatures that passed
	Envelopes []string        `json:"envelopes,omitempty"` // domains of envelope senders
	From      []string        `json:"from"`                // author domains
	Reporters []string        `json:"reporters"`
	Reasons   []DMARCReason   `json:"reasons"`
	Days      []DMARCCount    `json:"days"`
}

// DMARCOverride is a reason for which reporters did not apply the policy.
type DMARCOverride struct {
	Type     string `json:"type"`
	Messages int64  `json:"messages"`
}

// DMARCCount is what was seen of a source on a day.
type DMARCCount struct {
	Date     string `json:"date"`
	Messages int64  `json:"messages"`
	Pass     int64  `json:"pass"`
}

// DMARCReason is why a source has its class.
type DMARCReason struct {
	Code string    `json:"code"`
	Text lang.Text `json:"text"`
}

// ReportDMARC tells who sends as the domains.
func ReportDMARC(ctx context.Context, in *DMARCReportInput, deps *DMARCDeps) ([]DMARCReport, error) {
	names, err := dmarcDomains(ctx, in.Domains, deps)
	if err != nil {
		return nil, err
	}
	var out []DMARCReport
	for _, n := range names {
		r, unchecked, err := classifyDMARC(ctx, n, ReportQuery{Domains: []domain.Name{n}, From: in.Since, Until: in.Until}, nil, deps)
		if err != nil {
			return nil, err
		}
		if r.report.First.IsZero() && r.report.Unproven.Messages == 0 {
			continue
		}
		out = append(out, *dmarcRecord(r.report, unchecked, deps.words()))
	}
	if len(out) == 0 {
		return nil, noReports()
	}
	return out, nil
}

func noReports() *Error {
	return &Error{Kind: NotFound, Message: lang.M("dmarcpolicy.error.none"), Hint: lang.M("dmarcpolicy.hint.none")}
}

// dmarcDomains are the domains that are meant: what was named, or the
// organisation's, or all about which there are reports. Of several one below
// the other only the highest stays.
func dmarcDomains(ctx context.Context, named []domain.Name, deps *DMARCDeps) ([]domain.Name, error) {
	if len(named) > 0 {
		return named, nil
	}
	known, err := deps.Store.ReportDomains(ctx)
	if err != nil {
		return nil, err
	}
	var all []domain.Name
	for _, k := range known {
		n, err := domain.Parse(k.Domain)
		if err != nil {
			continue
		}
		if len(deps.Facts.Domains.Value()) > 0 {
			accepted, ok := deps.Facts.Owns(string(n))
			if !ok {
				continue
			}
			n = domain.Name(accepted)
		} else {
			n = domain.Organizational(n)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	var out []domain.Name
	for _, n := range all {
		if !slices.ContainsFunc(all, func(o domain.Name) bool { return n != o && n.IsSubdomainOf(o) }) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return nil, noReports()
	}
	return out, nil
}

// Bounds on what is asked in DNS for one domain.
const (
	maxHosts      = 200 // addresses
	maxScopes     = 50  // author domains
	hostQuestions = 16  // at a time
)

// classified is a domain's mail with what DNS says about it.
type classified struct {
	report    *source.Report
	missing   map[domain.Name]bool
	existence bool // it was asked
}

// classifyDMARC reads the rows about a domain and tells who sent. accept says
// which rows to take; nil takes all.
func classifyDMARC(ctx context.Context, name domain.Name, q ReportQuery, accept func(*dmarcreport.Row) bool, deps *DMARCDeps) (*classified, []lang.Text, error) {
	c := source.NewCollector(name)
	for row, err := range deps.Store.ReportRows(ctx, q) {
		if err != nil {
			return nil, nil, err
		}
		if accept == nil || accept(&row) {
			c.Add(&row)
		}
	}
	o := &source.Options{Services: lists.MailServices(), Verdicts: slices.Concat(deps.Verdicts, allowedSources(&deps.Facts)), Networks: ownNetworks(&deps.Facts)}
	out := &classified{}
	var unchecked []lang.Text
	if deps.Resolver == nil {
		unchecked = append(unchecked, deps.words().Render(lang.M("dmarcpolicy.unchecked.dns")))
	} else {
		hosts := askHosts(ctx, deps.Resolver, name, c.Addresses(maxHosts), deps.Now())
		o.Names = hosts.names
		o.Authorised = func(ip netip.Addr) bool { return hosts.authorised[ip] }
		out.missing, out.existence = askExistence(ctx, deps.Resolver, name, c.From(maxScopes))
		o.Missing = out.missing
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	out.report = c.Classify(o)
	return out, unchecked, nil
}

// ownNetworks are the addresses that the organisation said are its own.
func ownNetworks(f *org.Facts) []netip.Prefix {
	out := slices.Clone(f.Gateways.Value())
	for _, c := range f.Connectors.Value() {
		out = append(out, c.IPs...)
	}
	return out
}

// allowedSources are the senders that the organisation lets use its name.
func allowedSources(f *org.Facts) []source.Verdict {
	var out []source.Verdict
	for _, a := range f.Allow.Value() {
		if n, err := domain.Parse(a.DKIM); err == nil {
			out = append(out, source.Verdict{By: source.BySigner, Name: n, Class: source.Service, Label: a.DKIM})
		}
		for _, p := range a.IPs {
			out = append(out, source.Verdict{By: source.ByAddress, Prefix: p, Class: source.Service, Label: a.DKIM})
		}
	}
	return out
}

type hostAnswers struct {
	names      map[netip.Addr]domain.Name
	authorised map[netip.Addr]bool
}

// askHosts asks for the names of addresses, confirmed forwards, and whether the
// domain's SPF record names them. Where DNS does not answer nothing is known.
func askHosts(ctx context.Context, r resolve.Resolver, name domain.Name, ips []netip.Addr, now time.Time) hostAnswers {
	out := hostAnswers{names: map[netip.Addr]domain.Name{}, authorised: map[netip.Addr]bool{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, hostQuestions)
	for _, ip := range ips {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			host, asked := confirmedName(ctx, r, ip)
			pass := spf.Check(ctx, r, spf.Input{IP: ip, MailFrom: "postmaster@" + string(name), Helo: string(name), Now: now}, nil).Status == spf.StatusPass
			mu.Lock()
			defer mu.Unlock()
			if asked {
				out.names[ip] = host
			}
			out.authorised[ip] = pass
		})
	}
	wg.Wait()
	return out
}

// maxNames bounds the PTR records of one address that are looked at.
const maxNames = 4

// confirmedName is a name of the host that leads back to its address. asked is
// false if DNS did not answer.
func confirmedName(ctx context.Context, r resolve.Resolver, ip netip.Addr) (name domain.Name, asked bool) {
	a, err := r.Lookup(ctx, resolve.Reverse(ip), resolve.TypePTR)
	if err != nil || a.RCode != resolve.NoError && !a.NXDomain() {
		return "", false
	}
	t := resolve.TypeAAAA
	if ip.Is4() {
		t = resolve.TypeA
	}
	for i, h := range a.Hosts() {
		if i == maxNames {
			break
		}
		n, err := domain.Parse(h)
		if err != nil {
			continue
		}
		back, err := r.Lookup(ctx, string(n), t)
		if err != nil || back.Temporary() {
			return "", false
		}
		if slices.Contains(back.Addrs(), ip) {
			return n, true
		}
	}
	return "", true
}

// askExistence says which author domains do not exist: NXDOMAIN, as np means it
// (RFC 9989 section 4.7).
func askExistence(ctx context.Context, r resolve.Resolver, name domain.Name, from []domain.Name) (map[domain.Name]bool, bool) {
	out := map[domain.Name]bool{}
	for _, n := range from {
		if n == name {
			continue
		}
		a, err := r.Lookup(ctx, string(n), resolve.TypeA)
		if err != nil || a.Temporary() {
			return out, false
		}
		if a.NXDomain() {
			out[n] = true
		}
	}
	return out, true
}

func dmarcRecord(r *source.Report, unchecked []lang.Text, words *lang.Catalogue) *DMARCReport {
	out := &DMARCReport{
		Schema: DMARCReportSchema, Domain: r.Domain, DMARCCounts: dmarcCounts(r.Counts), Unproven: r.Unproven.Messages, Disagreeing: r.Disagreeing, Left: r.Left,
		Reporters: []DMARCReporter{}, Classes: []DMARCClass{}, Days: []DMARCDay{}, Sources: []DMARCSource{}, Unchecked: unchecked,
	}
	if !r.First.IsZero() {
		out.From, out.Until = r.First.Format(time.DateOnly), r.Last.Format(time.DateOnly)
	}
	for i := range r.Reporters {
		x := &r.Reporters[i]
		out.Reporters = append(out.Reporters, DMARCReporter{x.Name, len(x.Days), x.Messages, x.Days[len(x.Days)-1].Format(time.DateOnly)})
	}
	for _, c := range source.Classes() {
		k := DMARCClass{Class: c}
		for _, s := range r.Of(c) {
			k.Sources++
			k.Messages += s.Messages
			k.Pass += s.Pass
		}
		out.Classes = append(out.Classes, k)
	}
	days := map[string]*DMARCDay{}
	for d := r.First; !d.After(r.Last) && !r.First.IsZero() && len(out.Days) < maxChartDays; d = d.AddDate(0, 0, 1) {
		out.Days = append(out.Days, DMARCDay{Date: d.Format(time.DateOnly)})
	}
	for i := range out.Days {
		days[out.Days[i].Date] = &out.Days[i]
	}
	for i := range r.Sources {
		s := &r.Sources[i]
		out.Sources = append(out.Sources, dmarcSource(s, r, words))
		for j := range s.Days {
			if d := days[s.Days[j].Date.Format(time.DateOnly)]; d != nil {
				d.add(s.Class, s.Days[j].Counts)
			}
		}
	}
	wanted, wantedPass := int64(0), int64(0)
	for i := range out.Days {
		wanted += out.Days[i].Wanted()
		wantedPass += out.Days[i].WantedPass
	}
	out.Summary = words.Render(lang.M("dmarcpolicy.summary", "domain", string(r.Domain), "n", r.Messages, "wanted", wanted, "pass", wantedPass,
		"unknown", len(r.Of(source.Unknown)), "threat", classMessages(out, source.Threat)))
	return out
}

func classMessages(r *DMARCReport, c source.Class) int64 {
	for _, k := range r.Classes {
		if k.Class == c {
			return k.Messages
		}
	}
	return 0
}

// maxChartDays bounds the days of a report: five years.
const maxChartDays = 5 * 366

func dmarcSource(s *source.Source, r *source.Report, words *lang.Catalogue) DMARCSource {
	out := DMARCSource{
		Key: s.Key, Name: s.Name, Service: s.Service, Class: s.Class, Confidence: s.Confidence, ByUser: s.ByUser, DMARCCounts: dmarcCounts(s.Counts),
		First: s.First.Format(time.DateOnly), Last: s.Last.Format(time.DateOnly), Trend: trendOf(s, r), Addresses: s.Addresses, Networks: s.Networks,
		Signers: s.Signers, Envelopes: s.Envelopes, From: []string{}, Reporters: s.Reporters, Reasons: []DMARCReason{}, Days: []DMARCCount{},
	}
	for _, o := range s.Overrides {
		out.Overrides = append(out.Overrides, DMARCOverride{o.Type, o.Messages})
	}
	for _, x := range s.Reasons {
		out.Reasons = append(out.Reasons, DMARCReason{x.Code, words.Render(x.Message)})
	}
	for i := range s.Days {
		d := &s.Days[i]
		if !slices.Contains(out.From, string(d.From)) && len(out.From) < source.MaxListed {
			out.From = append(out.From, string(d.From))
		}
		date := d.Date.Format(time.DateOnly)
		if n := len(out.Days); n > 0 && out.Days[n-1].Date == date {
			out.Days[n-1].Messages += d.Messages
			out.Days[n-1].Pass += d.Pass
			continue
		}
		out.Days = append(out.Days, DMARCCount{date, d.Messages, d.Pass})
	}
	return out
}

func trendOf(s *source.Source, r *source.Report) DMARCTrend {
	recent := r.Last.AddDate(0, 0, -13)
	span := r.Last.Sub(r.First)
	if span >= 28*24*time.Hour && !s.First.Before(recent) {
		return TrendNew
	}
	if span >= 28*24*time.Hour && s.Last.Before(recent) {
		return TrendGone
	}
	middle := r.First.Add(span / 2)
	early := s.Between(r.First, middle, nil).Messages
	late := s.Between(middle, r.Last.AddDate(0, 0, 1), nil).Messages
	switch {
	case early+late < 20:
		return TrendSteady // too few to say
	case late*2 > early*3:
		return TrendUp
	case late*3 < early*2:
		return TrendDown
	}
	return TrendSteady
}

// DMARCRows passes the rows that are meant to yield, as they were reported.
func DMARCRows(ctx context.Context, in *DMARCReportInput, deps *DMARCDeps, yield func(*dmarcreport.Row) error) error {
	names, err := dmarcDomains(ctx, in.Domains, deps)
	if err != nil {
		return err
	}
	n := 0
	for row, err := range deps.Store.ReportRows(ctx, ReportQuery{Domains: names, From: in.Since, Until: in.Until}) {
		if err != nil {
			return err
		}
		n++
		if err := yield(&row); err != nil {
			return err
		}
	}
	if n == 0 {
		return noReports()
	}
	return nil
}

// ReadSources reads what an owner says of sources; see [source.ParseVerdicts].
func ReadSources(name, text string) ([]source.Verdict, error) {
	v, err := source.ParseVerdicts(strings.NewReader(text))
	if err != nil {
		detail := strings.TrimPrefix(err.Error(), source.ErrCatalogue.Error()+": ")
		return nil, &Error{Kind: Invalid, Message: lang.M("dmarcpolicy.error.sources", "file", name, "error", detail), Hint: lang.M("dmarcpolicy.hint.sources"), Err: err}
	}
	return v, nil
}
