package readiness_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/readiness"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

var now = time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)

const services = `id,name,kind,dkim,spf,ptr,networks,source,date
letters,Letters,sender,letters.example,letters.example,,,,
`

// history is what is planted: reports of some reporters on some days.
type history struct {
	rows      []*dmarcreport.Row
	published string
	reporters int
}

// on adds count messages on each day from so many days ago until so many days
// ago, every so many days, spread over the reporters.
func (h *history) on(from, until, every int, ip string, count int, what string) {
	for ago := from; ago >= until; ago -= every {
		for k := range min(h.reporters, count) {
			n := count / h.reporters
			if k < count%h.reporters {
				n++
			}
			h.rows = append(h.rows, row(ago, fmt.Sprintf("receiver%d", k), ip, n, h.publishedOn(ago), what))
		}
	}
}

func (h *history) publishedOn(ago int) string {
	// "none@60 quarantine@10": from so many days ago.
	p := ""
	for w := range strings.FieldsSeq(h.published) {
		name, day, _ := strings.Cut(w, "@")
		var d int
		if _, err := fmt.Sscan(day, &d); err != nil {
			panic(w)
		}
		if ago <= d {
			p = name
		}
	}
	return p
}

func row(ago int, org, ip string, n int, policy, what string) *dmarcreport.Row {
	r := &dmarcreport.Row{Domain: "kiso.example", Org: org, Carrier: dmarcreport.CarrierUnknown}
	r.Begin = now.Truncate(24*time.Hour).AddDate(0, 0, -ago)
	r.End = r.Begin.Add(24*time.Hour - time.Second)
	r.Policy.Domain = "kiso.example"
	r.Policy.P, r.Policy.Testing, _ = strings.Cut(policy, "/")
	r.Source, r.Count, r.HeaderFrom = netip.MustParseAddr(ip), int64(n), "kiso.example"
	r.DKIM, r.SPF, r.Disposition = "fail", "fail", "none"
	for w := range strings.FieldsSeq(what) {
		k, v, _ := strings.Cut(w, "=")
		result, name, _ := strings.Cut(v, ":")
		d, sel, _ := strings.Cut(name, "/")
		ours := strings.HasSuffix(d, "kiso.example")
		switch k {
		case "from":
			r.HeaderFrom = v
		case "carrier":
			r.Carrier = dmarcreport.Carrier(v)
		case "disposition":
			r.Disposition = v
		case "override":
			r.Reasons = append(r.Reasons, dmarcreport.Reason{Type: v})
		case "spf":
			r.SPFResults = append(r.SPFResults, dmarcreport.SPFResult{Domain: d, Scope: "mfrom", Result: result})
			r.EnvelopeFrom = d
			if result == "pass" && ours {
				r.SPF = "pass"
			}
		case "dkim":
			r.DKIMResults = append(r.DKIMResults, dmarcreport.DKIMResult{Domain: d, Selector: sel, Result: result})
			if result == "pass" && ours {
				r.DKIM = "pass"
			}
		default:
			panic(w)
		}
	}
	r.Aligned = (&dmarcreport.Aligner{}).Align(&r.Policy, &r.Record)
	return r
}

// What senders do, in short.
const (
	server    = "192.0.2.10"
	healthy   = "spf=pass:kiso.example dkim=pass:kiso.example/s1"
	esp       = "spf=pass:letters.example dkim=pass:letters.example/k"
	espSigned = "spf=pass:letters.example dkim=pass:kiso.example/l dkim=pass:letters.example/k"
	forged    = "spf=fail:kiso.example"
	passedOn  = "spf=fail:kiso.example dkim=pass:kiso.example/s1"
	list      = "spf=pass:club.example dkim=fail:kiso.example/s1"
)

// bots forge from one address after the other, a day each.
func (h *history) bots(from, until, count int, what string) {
	for ago := from; ago >= until; ago-- {
		h.on(ago, ago, 1, fmt.Sprintf("198.51.%d.9", ago), count, what)
	}
}

func yes() *bool { b := true; return &b }
func no() *bool  { b := false; return &b }

// TestHistories plants what reports would show over months and holds the answer
// to what a careful postmaster would say.
func TestHistories(t *testing.T) {
	office := func(h *history) { h.on(90, 1, 1, server, 60, healthy) }
	const rua = "; rua=mailto:r@kiso.example"
	for _, tc := range []struct {
		name, record string
		published    string
		reporters    int
		people       *bool
		missing      string
		plant        func(h *history)
		want         string // answer verdict next | blockers | cautions | lost forwarded threat
	}{
		// Sound domains, step by step.
		{"CleanNone", "p=none" + rua, "none@99", 4, yes(), "", office,
			"yes ready p=quarantine; t=y | | testing yearly | 0 0 0"},
		{"CleanTest", "p=quarantine; t=y" + rua, "none@99 quarantine/y@20", 4, yes(), "", office,
			"yes ready p=quarantine | | yearly | 0 0 0"},
		{"CleanQuarantine", "p=quarantine" + rua, "none@99 quarantine@40", 4, no(), "", office,
			"yes ready p=reject; t=y | | testing yearly | 0 0 0"},
		{"CleanQuarantinePeople", "p=quarantine" + rua, "none@99 quarantine@40", 4, yes(), "", office,
			"yes ready p=reject; t=y | | people testing yearly | 0 0 0"},
		{"CleanRejectTest", "p=reject; t=y" + rua, "quarantine@99 reject/y@20", 4, no(), "", office,
			"yes ready p=reject | | yearly | 0 0 0"},
		{"FewFailures", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(20, 17, 1, server, 1, forged) },
			"yes ready p=quarantine; t=y | | testing yearly | 4 0 0"},
		{"YearSeen", "p=none" + rua, "none@420", 4, no(), "", func(h *history) { h.on(400, 1, 1, server, 60, healthy) },
			"yes ready p=quarantine; t=y | | testing | 0 0 0"},
		{"ServiceSigned", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, espSigned) },
			"yes ready p=quarantine; t=y | | testing yearly | 0 0 0"},
		{"Done", "p=reject" + rua, "reject@99", 4, no(), "", office,
			"finished done p=reject | | | 0 0 0"},

		// Under attack: nine forged mails for each real one, and still ready.
		{"AttackClean", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.bots(25, 6, 1000, forged) },
			"yes ready-under-attack p=quarantine; t=y | | testing yearly | 0 0 20000"},
		{"AttackSmallDomain", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(90, 1, 1, server, 5, healthy); h.bots(25, 6, 10, forged) },
			"yes ready-under-attack p=quarantine; t=y | | testing yearly | 0 0 200"},
		{"AttackStopped", "p=quarantine" + rua, "quarantine@99", 4, no(), "", func(h *history) { office(h); h.bots(25, 6, 1000, forged+" disposition=quarantine") },
			"yes ready p=reject; t=y | | testing yearly | 0 0 20000"},
		{"AttackAndForgotten", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			office(h)
			h.bots(25, 6, 1000, forged)
			h.on(90, 1, 7, "203.0.113.5", 100, esp)
		}, "no not-ready p=quarantine; t=y | forgotten-service | attack | 400 0 20000"},

		// Forgotten senders.
		{"ForgottenNewsletter", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, esp) },
			"no not-ready p=quarantine; t=y | forgotten-service | | 1200 0 0"},
		{"ForgottenMonthly", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(85, 5, 28, "203.0.113.5", 15, esp) },
			"no not-ready p=quarantine; t=y | forgotten-service | | 15 0 0"},
		{"ForgottenServer", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 1, "203.0.113.77", 8, forged) },
			"no not-ready p=quarantine; t=y | unknown-source | | 240 0 0"},
		{"TwoForgotten", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			office(h)
			h.on(90, 1, 7, "203.0.113.5", 300, esp)
			h.on(90, 1, 2, "203.0.113.77", 8, "spf=pass:supplier.example dkim=pass:supplier.example/q")
		}, "no not-ready p=quarantine; t=y | forgotten-service unknown-source | | 1320 0 0"},
		{"HalfSigned", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			office(h)
			h.on(90, 1, 2, "203.0.113.5", 60, espSigned)
			h.on(89, 1, 2, "203.0.113.5", 20, esp)
		}, "no not-ready p=quarantine; t=y | failing-source | | 300 0 0"},
		{"TolerableBeforeReject", "p=quarantine" + rua, "quarantine@99", 4, no(), "", func(h *history) { office(h); h.on(30, 1, 1, server, 1, forged) },
			"no not-ready p=reject; t=y | failing-source | | 30 0 0"},
		{"KeyBroke", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			h.on(90, 6, 1, server, 60, "spf=fail:kiso.example dkim=pass:kiso.example/s1")
			h.on(5, 1, 1, server, 60, "spf=fail:kiso.example dkim=fail:kiso.example/s2")
		}, "no not-ready p=quarantine; t=y | failing-source regression | | 300 0 0"},

		// Only mail that others pass on fails.
		{"ForwardersQuarantine", "p=none" + rua, "none@99", 4, yes(), "", func(h *history) {
			office(h)
			h.on(90, 1, 1, "203.0.113.60", 6, passedOn)
			h.on(90, 1, 1, "203.0.113.61", 4, list)
		}, "yes forwarders-only p=quarantine; t=y | | forwarded testing yearly | 0 120 0"},
		{"ForwardersReject", "p=quarantine" + rua, "quarantine@99", 4, yes(), "", func(h *history) { office(h); h.on(90, 1, 1, "203.0.113.61", 4, list) },
			"no forwarders-only p=reject; t=y | forwarded | forwarded people | 0 120 0"},
		{"ForwardersRejectMachine", "p=quarantine" + rua, "quarantine@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 1, "203.0.113.61", 4, list) },
			"yes forwarders-only p=reject; t=y | | forwarded testing yearly | 0 120 0"},
		{"ForwardedSurvives", "p=quarantine" + rua, "quarantine@99", 4, yes(), "", func(h *history) { office(h); h.on(90, 1, 1, "203.0.113.60", 20, passedOn) },
			"yes ready p=reject; t=y | | people testing yearly | 0 0 0"},
		{"ReporterSaysForwarded", "p=none" + rua, "none@99", 4, yes(), "", func(h *history) {
			office(h)
			h.on(90, 1, 1, "203.0.113.60", 5, forged+" override=forwarded")
		}, "yes forwarders-only p=quarantine; t=y | | forwarded testing yearly | 0 150 0"},

		// Reports that cannot be trusted, are about others, or are not there.
		{"ForgedReports", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(90, 1, 1, server, 600, healthy+" carrier=fail") },
			"cannot-tell no-data p=quarantine; t=y | only-unproven | | 0 0 0"},
		{"ForgedCleanRealDirty", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			office(h)
			h.on(90, 1, 7, "203.0.113.5", 300, esp)
			h.on(90, 1, 1, "203.0.113.5", 90000, espSigned+" carrier=other")
		}, "no not-ready p=quarantine; t=y | forgotten-service | unproven | 1200 0 0"},
		{"ForgedBlockers", "p=none" + rua, "none@99", 4, no(), "", func(h *history) {
			office(h)
			h.on(90, 1, 7, "203.0.113.5", 300, esp+" carrier=fail")
		}, "yes ready p=quarantine; t=y | | unproven testing yearly | 0 0 0"},
		{"ForeignDomains", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(90, 1, 1, server, 60, healthy+" from=other.example") },
			"cannot-tell no-data p=quarantine; t=y | silence | | 0 0 0"},
		{"ForeignBesideOurs", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 1, "203.0.113.5", 900, esp+" from=other.example") },
			"yes ready p=quarantine; t=y | | testing yearly | 0 0 0"},
		{"Silence", "p=none" + rua, "", 4, no(), "", func(*history) {},
			"cannot-tell no-data p=quarantine; t=y | silence | | 0 0 0"},
		{"SilenceAtReject", "p=reject; t=y" + rua, "", 4, no(), "", func(*history) {},
			"cannot-tell no-data p=reject | silence | | 0 0 0"},
		{"Stopped", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(90, 12, 1, server, 60, healthy) },
			"cannot-tell no-data p=quarantine; t=y | stopped | | 0 0 0"},
		{"FewReporters", "p=none" + rua, "none@99", 2, no(), "", office,
			"cannot-tell no-data p=quarantine; t=y | few-reporters | | 0 0 0"},
		{"FewDays", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(90, 1, 3, server, 60, healthy) },
			"cannot-tell no-data p=quarantine; t=y | few-days | | 0 0 0"},
		{"FewMessages", "p=none" + rua, "none@99", 3, no(), "", func(h *history) { h.on(90, 1, 1, server, 1, healthy); h.bots(28, 1, 3, forged) },
			"cannot-tell no-data p=quarantine; t=y | few-messages | | 0 0 84"},
		{"SendsNothing", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.bots(90, 1, 30, forged) },
			"cannot-tell no-data p=quarantine; t=y | sends-nothing | attack | 0 0 900"},
		{"NoRecord", "", "", 4, no(), "", func(*history) {},
			"yes begin p=none | | | 0 0 0"},

		// Time: senders that come seldom, new ones, steps too young.
		{"HistoryShort", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { h.on(25, 1, 1, server, 60, healthy) },
			"cannot-tell no-data p=quarantine; t=y | short | | 0 0 0"},
		{"HistoryShortForReject", "p=quarantine" + rua, "quarantine@99", 4, no(), "", func(h *history) { h.on(45, 1, 1, server, 60, healthy) },
			"cannot-tell no-data p=reject; t=y | short | | 0 0 0"},
		{"YearlyPeak", "p=none" + rua, "none@420", 4, no(), "", func(h *history) {
			h.on(400, 1, 1, server, 60, healthy)
			h.on(350, 344, 1, "203.0.113.5", 400, esp)
		}, "no not-ready p=quarantine; t=y | seasonal | | 0 0 0"},
		{"YearlyPeakSigned", "p=none" + rua, "none@420", 4, no(), "", func(h *history) {
			h.on(400, 1, 1, server, 60, healthy)
			h.on(350, 344, 1, "203.0.113.5", 400, espSigned)
		}, "yes ready p=quarantine; t=y | | testing | 0 0 0"},
		{"Quarterly", "p=quarantine" + rua, "quarantine@199", 4, no(), "", func(h *history) {
			h.on(190, 1, 1, server, 60, healthy)
			h.on(135, 45, 90, "203.0.113.5", 80, esp)
		}, "no not-ready p=reject; t=y | seasonal | | 0 0 0"},
		{"NewService", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(5, 1, 1, "203.0.113.5", 50, espSigned) },
			"no too-early p=quarantine; t=y | new-source | | 0 0 0"},
		{"StepYoung", "p=quarantine" + rua, "none@99 quarantine@10", 4, no(), "", office,
			"no too-early p=reject; t=y | step-young | | 0 0 0"},
		{"TestYoung", "p=quarantine; t=y" + rua, "none@99 quarantine/y@5", 4, no(), "", office,
			"no too-early p=quarantine | step-young | | 0 0 0"},
		{"TestWasFull", "p=quarantine" + rua, "none@99 quarantine/y@60 quarantine@10", 4, no(), "", office,
			"no too-early p=reject; t=y | step-young | | 0 0 0"},
		{"NotYetSeen", "p=quarantine" + rua, "none@99", 4, no(), "", office,
			"no too-early p=reject; t=y | step-young | | 0 0 0"},

		// Sub-domains.
		{"SubdomainGap", "p=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, esp+" from=news.kiso.example") },
			"no not-ready p=quarantine; t=y | sub-domain | | 1200 0 0"},
		{"SubdomainApart", "p=none; sp=none" + rua, "none@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, esp+" from=news.kiso.example") },
			"yes ready p=quarantine; t=y | | testing yearly | 0 0 0"},
		{"SubdomainOpen", "p=reject; sp=none" + rua, "reject@99", 4, no(), "", func(h *history) { office(h); h.bots(25, 6, 100, forged+" from=hr.kiso.example") },
			"finished done p=reject | | sp-weaker | 0 0 0"},
		{"InventedNames", "p=quarantine" + rua, "quarantine@99", 4, no(), "ceo.kiso.example", func(h *history) { office(h); h.bots(25, 6, 100, forged+" from=ceo.kiso.example") },
			"yes ready-under-attack p=reject; t=y | | testing yearly np | 0 0 2000"},
		{"LosingAtReject", "p=reject" + rua, "reject@99", 4, no(), "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, esp+" disposition=reject") },
			"finished losing p=reject | forgotten-service | | 1200 0 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &history{published: tc.published, reporters: tc.reporters}
			tc.plant(h)
			if diff := cmp.Diff(tc.want, told(decide(t, h, tc.record, tc.people, tc.missing))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func decide(t *testing.T, h *history, record string, people *bool, missing string) *readiness.Advice {
	t.Helper()
	catalogue, err := source.ParseCatalogue(strings.NewReader(services))
	if err != nil {
		t.Fatal(err)
	}
	in := &readiness.Input{Domain: "kiso.example", Now: now, Known: true, People: people}
	if record != "" {
		if in.Record, _, err = dmarc.ParseRecord("v=DMARC1; " + record); err != nil {
			t.Fatal(err)
		}
	}
	if missing != "" {
		in.Existence, in.Missing = true, map[domain.Name]bool{domain.Name(missing): true}
	}
	c := source.NewCollector("kiso.example")
	for _, r := range h.rows {
		c.Add(r)
	}
	in.Report = c.Classify(&source.Options{Services: catalogue, Missing: in.Missing})
	return readiness.Decide(in)
}

// TestRecord holds the record to publish: what is there now with the next step,
// without gaps that can be closed, and never with pct.
func TestRecord(t *testing.T) {
	office := func(h *history) { h.on(90, 1, 1, server, 60, healthy) }
	const rua = "; rua=mailto:r@kiso.example"
	for _, tc := range []struct {
		name, record, published, missing string
		plant                            func(h *history)
		want                             string
	}{
		{"FromNone", "p=none" + rua, "none@99", "", office, "v=DMARC1; p=quarantine; rua=mailto:r@kiso.example; t=y"},
		{"PercentGoes", "p=none; pct=50" + rua, "none@99", "", office, "v=DMARC1; p=quarantine; rua=mailto:r@kiso.example; t=y"},
		{"TestEnds", "p=quarantine; t=y; adkim=s" + rua, "quarantine/y@99", "", office, "v=DMARC1; p=quarantine; adkim=s; rua=mailto:r@kiso.example"},
		{"None", "", "", "", func(*history) {}, "v=DMARC1; p=none"},
		{"SPClosed", "p=reject; sp=none" + rua, "reject@99", "", office, "v=DMARC1; p=reject; rua=mailto:r@kiso.example"},
		{"SPStays", "p=none; sp=none" + rua, "none@99", "", func(h *history) { office(h); h.on(90, 1, 7, "203.0.113.5", 300, esp+" from=news.kiso.example") }, "v=DMARC1; p=quarantine; sp=none; rua=mailto:r@kiso.example; t=y"},
		{"NP", "p=quarantine" + rua, "quarantine@99", "ceo.kiso.example", func(h *history) { office(h); h.bots(25, 6, 100, forged+" from=ceo.kiso.example") }, "v=DMARC1; p=reject; np=reject; rua=mailto:r@kiso.example; t=y"},
		{"Silence", "p=none" + rua, "", "", func(*history) {}, ""},
		{"DoneWhole", "p=reject" + rua, "reject@99", "", office, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := &history{published: tc.published, reporters: 4}
			tc.plant(h)
			got := ""
			if a := decide(t, h, tc.record, no(), tc.missing); a.Publish != nil {
				got = a.Publish.String()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is published is asked from DNS or the owner: what reports say about it
// is no ground to stand on.
func TestPolicyUnknown(t *testing.T) {
	h := &history{published: "none@99", reporters: 4}
	h.on(90, 1, 1, server, 60, healthy)
	c := source.NewCollector("kiso.example")
	for _, r := range h.rows {
		c.Add(r)
	}
	got := told(readiness.Decide(&readiness.Input{Domain: "kiso.example", Now: now, Report: c.Classify(nil)}))
	if diff := cmp.Diff("cannot-tell no-data p=quarantine; t=y | policy-unknown | | 0 0 0", got); diff != "" {
		t.Error(diff)
	}
}

// TestLadder walks from no record to the last step.
func TestLadder(t *testing.T) {
	var got []string
	for s, more := (readiness.Step{}).Next(); more; s, more = s.Next() {
		got = append(got, s.String())
	}
	want := []string{"p=none", "p=quarantine; t=y", "p=quarantine", "p=reject; t=y", "p=reject"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// told is an answer in a line.
func told(a *readiness.Advice) string {
	codes := func(list []readiness.Reason) string {
		var out []string
		for _, r := range list {
			out = append(out, r.Code)
		}
		return strings.Join(out, " ")
	}
	s := fmt.Sprintf("%s %s %s | %s | %s | %d %d %d", a.Answer, a.Verdict, a.Next, codes(a.Blockers), codes(a.Cautions), a.WantedFailing, a.ForwardedFailing, a.Threat)
	return strings.Join(strings.Fields(s), " ")
}
