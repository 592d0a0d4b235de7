package source

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain"
)

// Collector takes rows and keeps what they have in common, so that millions of
// them need little room.
type Collector struct {
	name domain.Name

	kinds     map[kindKey]*kind
	order     []*kind
	reporters map[string]*reporter
	policies  map[policyKey]int64
	unproven  Counts
	disagree  int64
	left      int64
}

// NewCollector returns a collector of rows about a domain and all below it.
func NewCollector(name domain.Name) *Collector {
	return &Collector{name: name, kinds: map[kindKey]*kind{}, reporters: map[string]*reporter{}, policies: map[policyKey]int64{}}
}

type policyKey struct {
	day     int64
	p       string
	testing bool
}

type kindKey struct {
	ip        netip.Addr
	from      domain.Name
	spf, dkim bool
	auth      string // the results, written out
	reasons   string
}

// kind is rows that differ only in day, count, disposition and reporter.
type kind struct {
	kindKey

	signers   []dmarcreport.DKIMResult
	spfs      []dmarcreport.SPFResult
	envelope  domain.Name
	overrides []string
	arc       bool // a comment says that ARC passed
	days      map[int64]*Counts
	total     Counts
	reporters map[string]bool
}

type reporter struct {
	days     map[int64]bool
	messages int64
}

const daySeconds = 24 * 60 * 60

func dayOf(t time.Time) int64 { return t.Unix() / daySeconds }

func dateOf(day int64) time.Time { return time.Unix(day*daySeconds, 0).UTC() }

// Heard notes that a reporter sent a report for a time, even one without rows.
func (c *Collector) Heard(name string, begin, end time.Time) {
	r := c.reporters[name]
	if r == nil {
		r = &reporter{days: map[int64]bool{}}
		c.reporters[name] = r
	}
	for _, d := range span(begin, end) {
		r.days[d] = true
	}
}

// span are the days that a report is about. One of a day that does not begin
// at midnight counts for the day of its middle; a longer one for each of its
// days.
func span(begin, end time.Time) []int64 {
	if begin.IsZero() {
		return nil
	}
	length := end.Sub(begin)
	if length <= 36*time.Hour || length > dmarcreport.MaxSpan {
		return []int64{dayOf(begin.Add(min(max(length, 0), 24*time.Hour) / 2))}
	}
	var days []int64
	for d := dayOf(begin); d <= dayOf(end.Add(-time.Second)); d++ {
		days = append(days, d)
	}
	return days
}

// Add takes a row. One about another domain is not taken.
func (c *Collector) Add(row *dmarcreport.Row) {
	from, err := domain.Parse(cmp.Or(row.HeaderFrom, row.Domain))
	if err != nil || from != c.name && !from.IsSubdomainOf(c.name) || row.Count <= 0 {
		return
	}
	days := span(row.Begin, row.End)
	if len(days) == 0 {
		return
	}
	spf, dkim := evaluated(row)
	if row.Carrier == dmarcreport.CarrierFail || row.Carrier == dmarcreport.CarrierOther {
		c.unproven.add(counts(row.Count, spf, dkim, row.Disposition))
		return
	}
	c.Heard(row.Org, row.Begin, row.End)
	c.reporters[row.Org].messages += row.Count
	if row.Domain == string(c.name) && row.Policy.P != "" {
		c.policies[policyKey{days[0], row.Policy.P, row.Policy.Testing == "y"}] += row.Count
	}
	if row.Disagrees() {
		c.disagree += row.Count
	}
	k := c.kind(row, from, spf, dkim)
	if k == nil {
		c.left += row.Count
		return
	}
	if len(k.reporters) < MaxListed {
		k.reporters[row.Org] = true
	}
	// A long report spreads its messages; what does not divide goes to the
	// first days, so that the sum stays.
	share, rest := row.Count/int64(len(days)), row.Count%int64(len(days))
	for i, d := range days {
		n := share
		if int64(i) < rest {
			n++
		}
		if n == 0 {
			continue
		}
		one := counts(n, spf, dkim, row.Disposition)
		at := k.days[d]
		if at == nil {
			at = &Counts{}
			k.days[d] = at
		}
		at.add(one)
		k.total.add(one)
	}
}

func counts(n int64, spf, dkim bool, disposition string) Counts {
	c := Counts{Messages: n}
	if spf || dkim {
		c.Pass = n
	}
	if spf {
		c.SPF = n
	}
	if dkim {
		c.DKIM = n
	}
	switch disposition {
	case "quarantine":
		c.Quarantined = n
	case "reject":
		c.Rejected = n
	}
	return c
}

// evaluated is what the reporter evaluated. Where it does not say, the results
// are taken.
func evaluated(r *dmarcreport.Row) (spf, dkim bool) {
	spf, dkim = r.SPF == "pass", r.DKIM == "pass"
	if r.SPF != "pass" && r.SPF != "fail" {
		spf = r.Aligned.SPF
	}
	if r.DKIM != "pass" && r.DKIM != "fail" {
		dkim = r.Aligned.DKIM
	}
	return spf, dkim
}

func (c *Collector) kind(r *dmarcreport.Row, from domain.Name, spf, dkim bool) *kind {
	key := kindKey{ip: r.Source, from: from, spf: spf, dkim: dkim, auth: authText(&r.Record)}
	arc := false
	var overrides []string
	for _, x := range r.Reasons {
		overrides = append(overrides, x.Type)
		comment := strings.ToLower(x.Comment)
		arc = arc || strings.Contains(comment, "arc=pass") || strings.Contains(comment, "trusted arc")
	}
	slices.Sort(overrides)
	overrides = slices.Compact(overrides)
	key.reasons = strings.Join(overrides, ",")
	if arc {
		key.reasons += "+arc"
	}
	if k := c.kinds[key]; k != nil {
		return k
	}
	if len(c.kinds) >= MaxKinds {
		return nil
	}
	k := &kind{kindKey: key, signers: r.DKIMResults, spfs: r.SPFResults, overrides: overrides, arc: arc, days: map[int64]*Counts{}, reporters: map[string]bool{}}
	if n, err := domain.Parse(r.EnvelopeFrom); err == nil {
		k.envelope = n
	} else if len(r.SPFResults) > 0 && r.SPFResults[0].Scope != "helo" {
		k.envelope, _ = domain.Parse(r.SPFResults[0].Domain) // empty if it is no name
	}
	c.kinds[key] = k
	c.order = append(c.order, k)
	return k
}

// ours reports whether a name is of the same organization as the domain.
func (c *Collector) ours(name string) bool {
	n, err := domain.Parse(name)
	return err == nil && domain.Organizational(n) == domain.Organizational(c.name)
}

func authText(r *dmarcreport.Record) string {
	var b strings.Builder
	for i := range r.DKIMResults {
		x := &r.DKIMResults[i]
		b.WriteString(x.Domain + " " + x.Selector + " " + x.Result + "\n")
	}
	for i := range r.SPFResults {
		x := &r.SPFResults[i]
		b.WriteString(x.Domain + " " + x.Scope + " " + x.Result + "\n")
	}
	b.WriteString(r.EnvelopeFrom)
	return b.String()
}

// Addresses returns the addresses that sent, those with the most messages
// first, at most n: whose names are worth asking for.
func (c *Collector) Addresses(n int) []netip.Addr {
	total := map[netip.Addr]int64{}
	for _, k := range c.order {
		total[k.ip] += k.total.Messages
	}
	list := slices.SortedFunc(maps.Keys(total), func(a, b netip.Addr) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), a.Compare(b))
	})
	return list[:min(n, len(list))]
}

// From returns the author domains that were seen, those with the most messages
// first, at most n.
func (c *Collector) From(n int) []domain.Name {
	total := map[domain.Name]int64{}
	for _, k := range c.order {
		total[k.from] += k.total.Messages
	}
	list := slices.SortedFunc(maps.Keys(total), func(a, b domain.Name) int {
		return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b))
	})
	return list[:min(n, len(list))]
}
