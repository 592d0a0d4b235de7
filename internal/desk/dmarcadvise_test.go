package desk_test

import (
	"context"
	"iter"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve/zone"
)

// plantedReports is a store that holds rows and nothing else.
type plantedReports struct {
	desk.ReportStore
	rows []dmarcreport.Row
}

func (p *plantedReports) ReportRows(_ context.Context, q desk.ReportQuery) iter.Seq2[dmarcreport.Row, error] {
	return func(yield func(dmarcreport.Row, error) bool) {
		for _, r := range p.rows {
			if !q.From.IsZero() && r.Begin.Before(q.From) || !q.Until.IsZero() && !r.Begin.Before(q.Until) {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (p *plantedReports) ReportDomains(context.Context) ([]desk.ReportDomain, error) {
	seen := map[string]bool{}
	var out []desk.ReportDomain
	for _, r := range p.rows {
		if !seen[r.Domain] {
			seen[r.Domain] = true
			out = append(out, desk.ReportDomain{Domain: r.Domain})
		}
	}
	return out, nil
}

var dmarcNow = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

// planted are reports of three receivers over 90 days about a server in SPF, a
// scanner that only has a name of ours, and a forger for a week.
func planted(also ...dmarcreport.Row) *plantedReports {
	p := &plantedReports{}
	for ago := 90; ago >= 1; ago-- {
		for _, receiver := range []string{"Receiver A", "Receiver B", "Receiver C"} {
			p.rows = append(p.rows, plantedRow(ago, receiver, "192.0.2.10", 20, "pass", "pass"))
		}
		if ago > 7 && ago <= 14 {
			p.rows = append(p.rows, plantedRow(ago, "Receiver A", "198.51.100.9", 200, "fail", "fail"))
		}
	}
	p.rows = append(p.rows, also...)
	return p
}

func plantedRow(ago int, org, ip string, n int64, spf, dkim string) dmarcreport.Row {
	begin := dmarcNow.Truncate(24*time.Hour).AddDate(0, 0, -ago)
	return dmarcreport.Row{
		Record: dmarcreport.Record{
			Source: netip.MustParseAddr(ip), Count: n, Disposition: "none", DKIM: dkim, SPF: spf, HeaderFrom: "kiso-works.example", EnvelopeFrom: "kiso-works.example",
			DKIMResults: []dmarcreport.DKIMResult{{Domain: "kiso-works.example", Selector: "s1", Result: dkim}},
			SPFResults:  []dmarcreport.SPFResult{{Domain: "kiso-works.example", Scope: "mfrom", Result: spf}},
		},
		Domain: "kiso-works.example", Begin: begin, End: begin.Add(24*time.Hour - time.Second), Org: org,
		Policy: dmarcreport.Policy{Domain: "kiso-works.example", P: "none"}, Carrier: dmarcreport.CarrierUnknown, Aligned: dmarcreport.Alignment{DKIM: dkim == "pass", SPF: spf == "pass"},
	}
}

func plantedZone(t *testing.T, record string) *zone.Zone {
	t.Helper()
	z, err := zone.Parse(strings.NewReader(`$TTL 3600
kiso-works.example. IN SOA ns.kiso-works.example. h.kiso-works.example. 1 3600 600 86400 300
kiso-works.example. IN TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.kiso-works.example. IN TXT "` + record + `"
scan.kiso-works.example. IN A 203.0.113.5
113.0.203.in-addr.arpa. IN SOA ns.kiso-works.example. h.kiso-works.example. 1 3600 600 86400 300
5.113.0.203.in-addr.arpa. IN PTR scan.kiso-works.example.
6.113.0.203.in-addr.arpa. IN PTR scan.kiso-works.example.
`))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func dmarcDeps(p *plantedReports) *desk.DMARCDeps {
	return &desk.DMARCDeps{Store: p, Now: func() time.Time { return dmarcNow }, Facts: org.Facts{Domains: org.Of([]string{"kiso-works.example"})}}
}

func TestAdviseDMARC(t *testing.T) {
	const rua = "v=DMARC1; p=none; rua=mailto:r@kiso-works.example"
	for _, tc := range []struct {
		name, zone, policy string
		want               string // answer, verdict, from where the policy is known, record to publish
	}{
		{"FromDNS", rua, "", "yes ready-under-attack dns v=DMARC1; p=quarantine; rua=mailto:r@kiso-works.example; t=y"},
		{"UserWins", rua, "v=DMARC1; p=reject; rua=mailto:r@kiso-works.example", "finished done user -"},
		{"Word", "", "none", "yes ready-under-attack user v=DMARC1; p=quarantine; t=y"},
		{"Offline", "", "", "cannot-tell no-data unknown -"},
		{"Absent", "", "absent", "yes begin user v=DMARC1; p=none; rua=mailto:REPORTS@kiso-works.example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			deps := dmarcDeps(planted())
			if tc.zone != "" {
				deps.Resolver = plantedZone(t, tc.zone)
			}
			list, err := desk.AdviseDMARC(t.Context(), &desk.DMARCAdviseInput{Policy: tc.policy}, deps)
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			a, record := &list[0], "-"
			if a.Publish != nil {
				record = a.Publish.Value
			}
			got := strings.Join([]string{string(a.Answer), string(a.Verdict), string(a.PolicyFrom), record}, " ")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if a.Sentence.EN == "" || a.Sentence.JA == "" || strings.ContainsAny(a.Sentence.EN+a.Sentence.JA, "{}") {
				t.Errorf("%+v", a.Sentence)
			}
			if a.PolicySeen == nil || a.PolicySeen.Policy != "p=none" {
				t.Errorf("%+v", a.PolicySeen)
			}
		})
	}
	for _, bad := range []string{"sometimes", "v=spf1 -all", "rua=mailto:a@b.example"} {
		if _, err := desk.AdviseDMARC(t.Context(), &desk.DMARCAdviseInput{Policy: bad}, dmarcDeps(planted())); err == nil {
			t.Errorf("%q is taken for a policy", bad)
		}
	}
}

func sourcesOf(t *testing.T, deps *desk.DMARCDeps, in *desk.DMARCReportInput) string {
	t.Helper()
	list, err := desk.ReportDMARC(t.Context(), in, deps)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	var out []string
	for i := range list[0].Sources {
		s := &list[0].Sources[i]
		out = append(out, string(s.Class)+" "+s.Name+" "+s.Reasons[0].Code)
	}
	return strings.Join(out, "; ")
}

// TestReportDMARCKnowledge holds what DNS, the configuration and the owner add
// to the reports. A name that does not lead back to its address proves nothing.
func TestReportDMARCKnowledge(t *testing.T) {
	scanner := plantedRow(3, "Receiver A", "203.0.113.5", 5, "fail", "fail")
	liar := plantedRow(3, "Receiver A", "203.0.113.6", 5, "fail", "fail")
	const own, forger = "own 192.0.2.0/24 spf-aligned; ", "threat 198.51.100.0/24 nothing"
	for _, tc := range []struct {
		name string
		set  func(*desk.DMARCDeps)
		also dmarcreport.Row
		want string
	}{
		{"Offline", func(*desk.DMARCDeps) {}, scanner, own + forger + "; threat 203.0.113.0/24 nothing"},
		{"Name", func(d *desk.DMARCDeps) { d.Resolver = plantedZone(t, "v=DMARC1; p=none") }, scanner, own + "threat 198.51.100.0/24 nameless; own kiso-works.example own-host"},
		{"NameLies", func(d *desk.DMARCDeps) { d.Resolver = plantedZone(t, "v=DMARC1; p=none") }, liar, own + "threat 198.51.100.0/24 nameless; threat 203.0.113.0/24 nameless"},
		{"Connector", func(d *desk.DMARCDeps) {
			d.Facts.Connectors = org.Of([]org.Connector{{Name: "scanner", IPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.5/32")}}})
		}, scanner, own + forger + "; own 203.0.113.0/24 own-network"},
		{"Owner", func(d *desk.DMARCDeps) {
			d.Verdicts = []source.Verdict{{By: source.ByAddress, Prefix: netip.MustParsePrefix("203.0.113.0/24"), Class: source.Own, Label: "Scanner"}}
		}, scanner, own + forger + "; own Scanner owner-says"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			deps := dmarcDeps(planted(tc.also))
			tc.set(deps)
			if diff := cmp.Diff(tc.want, sourcesOf(t, deps, &desk.DMARCReportInput{})); diff != "" {
				t.Error(diff)
			}
		})
	}
	// Between two dates.
	in := &desk.DMARCReportInput{Since: dmarcNow.Truncate(24*time.Hour).AddDate(0, 0, -5), Domains: []domain.Name{"kiso-works.example"}}
	if diff := cmp.Diff("own 192.0.2.0/24 spf-aligned", sourcesOf(t, dmarcDeps(planted()), in)); diff != "" {
		t.Error(diff)
	}
	if _, err := desk.ReportDMARC(t.Context(), &desk.DMARCReportInput{}, dmarcDeps(&plantedReports{})); err == nil {
		t.Error("no reports, and no error")
	}
}
