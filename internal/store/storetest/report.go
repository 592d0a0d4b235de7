package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
)

// ReportStore is a store of reports that can be closed.
type ReportStore interface {
	desk.ReportStore
	Close() error
}

// aggregate is a report about a domain for the day that begins at hours.
func aggregate(org, id, about string, hours int, counts ...int64) desk.StoredReport {
	a := &dmarcreport.Aggregate{
		Version: "1.0", OrgName: org, Email: "r@receiver.example", ReportID: id, Begin: at(hours), End: at(hours + 24),
		Policy: dmarcreport.Policy{Domain: about, ADKIM: "r", P: "none"}, Faults: []dmarcreport.Fault{{Code: dmarcreport.FaultTime, Detail: "begin", Count: 1}},
	}
	for i, n := range counts {
		a.Records = append(a.Records, dmarcreport.Record{
			Source: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Count: n, Disposition: "none", DKIM: "pass", SPF: "fail", HeaderFrom: "mail." + about, EnvelopeFrom: "bounce.example", EnvelopeTo: "receiver.example", //nolint:gosec // few
			DKIMResults: []dmarcreport.DKIMResult{{Domain: about, Selector: "s1", Result: "pass", HumanResult: "ok"}}, SPFResults: []dmarcreport.SPFResult{{Domain: "bounce.example", Scope: "mfrom", Result: "pass"}},
			Reasons: []dmarcreport.Reason{{Type: "forwarded", Comment: "転送"}},
		})
	}
	return desk.StoredReport{Aggregate: a, Hash: sha256.Sum256(fmt.Append(nil, org, id, about, hours, counts)), Carrier: dmarcreport.CarrierUnknown, Added: at(hours + 30)}
}

func addReports(t *testing.T, s ReportStore, reports ...desk.StoredReport) []desk.ReportState {
	t.Helper()
	kept, err := s.AddReports(t.Context(), reports)
	noErr(t, err)
	var out []desk.ReportState
	for _, k := range kept {
		out = append(out, k.State)
	}
	return out
}

func rows(t *testing.T, s ReportStore, q desk.ReportQuery) []dmarcreport.Row {
	t.Helper()
	var out []dmarcreport.Row
	for r, err := range s.ReportRows(t.Context(), q) {
		noErr(t, err)
		out = append(out, r)
	}
	return out
}

func messages(rows []dmarcreport.Row) int64 {
	n := int64(0)
	for i := range rows {
		n += rows[i].Count
	}
	return n
}

var comparable = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

// Reports is the suite of [desk.ReportStore].
func Reports(t *testing.T, open func(t *testing.T, dir string) ReportStore) {
	t.Run("RowsComeBack", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		r := aggregate("Receiver", "1", "kiso-works.example", 0, make([]int64, 70)...)
		r.Carrier, r.CarrierDomain = dmarcreport.CarrierPass, "receiver.example"
		empty := aggregate("Quiet", "1", "kiso-works.example", 0)
		if got := addReports(t, s, r, empty); got[0] != desk.ReportNew || got[1] != desk.ReportNew {
			t.Fatal(got)
		}
		noErr(t, s.Close())
		s = open(t, dir)
		defer func() { noErr(t, s.Close()) }()
		var want []dmarcreport.Row
		for row := range r.Aggregate.Rows(nil) {
			row.Carrier, row.CarrierDomain = r.Carrier, r.CarrierDomain
			want = append(want, row)
		}
		if d := cmp.Diff(want, rows(t, s, desk.ReportQuery{}), comparable); d != "" {
			t.Error(d)
		}
		if !want[0].Aligned.DKIM || want[0].Aligned.SPF {
			t.Errorf("aligned: %+v", want[0].Aligned)
		}
	})

	t.Run("OneReportCountsOnce", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer func() { noErr(t, s.Close()) }()
		first, corrected := aggregate("R", "1", "a.example", 0, 5), aggregate("R", "1", "a.example", 0, 7, 1)
		otherDay, otherDomain := aggregate("R", "1", "a.example", 24, 1), aggregate("R", "1", "b.example", 0, 1)
		got := addReports(t, s, first, first, corrected, otherDay, otherDomain)
		if d := cmp.Diff([]desk.ReportState{desk.ReportNew, desk.ReportDuplicate, desk.ReportReplaced, desk.ReportNew, desk.ReportNew}, got); d != "" {
			t.Error(d)
		}
		if n := messages(rows(t, s, desk.ReportQuery{})); n != 10 {
			t.Errorf("%d messages", n)
		}
		kept, err := s.AddReports(t.Context(), []desk.StoredReport{aggregate("R", "1", "a.example", 0, 9)})
		noErr(t, err)
		if d := cmp.Diff([]desk.ReportKept{{State: desk.ReportReplaced, OldRecords: 2, OldMessages: 8, OldPassing: 8}}, kept); d != "" {
			t.Error(d)
		}
		// What was replaced does not come back when everything is read again.
		if got := addReports(t, s, first, corrected); got[0] != desk.ReportDuplicate || got[1] != desk.ReportDuplicate {
			t.Error(got)
		}
	})

	t.Run("ForgeryDoesNotReplace", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer func() { noErr(t, s.Close()) }()
		genuine, forged, bare := aggregate("R", "1", "a.example", 0, 5), aggregate("R", "1", "a.example", 0, 1000), aggregate("R", "2", "a.example", 0, 3)
		genuine.Carrier, forged.Carrier = dmarcreport.CarrierPass, dmarcreport.CarrierFail
		if got := addReports(t, s, genuine, forged, bare); got[1] != desk.ReportOutranked {
			t.Error(got)
		}
		if n := messages(rows(t, s, desk.ReportQuery{})); n != 8 {
			t.Errorf("%d messages", n)
		}
		// A mail that brings what a file brought before says how far to trust it.
		bare.Carrier, bare.CarrierDomain = dmarcreport.CarrierPass, "receiver.example"
		addReports(t, s, bare)
		for _, r := range rows(t, s, desk.ReportQuery{}) {
			if r.Carrier != dmarcreport.CarrierPass {
				t.Errorf("report %s: %s", r.ReportID, r.Carrier)
			}
		}
	})

	t.Run("Questions", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer func() { noErr(t, s.Close()) }()
		addReports(t, s, aggregate("R", "3", "sub.a.example", 48, 4), aggregate("R", "1", "a.example", 0, 1), aggregate("R", "2", "a.example", 24, 2), aggregate("Q", "1", "ba.example", 0, 8), aggregate("Q", "2", "a.example", 24))
		for _, tc := range []struct {
			name string
			q    desk.ReportQuery
			want int64
		}{
			{"All", desk.ReportQuery{}, 15},
			{"Domain", desk.ReportQuery{Domains: []domain.Name{"a.example"}}, 7},
			{"Subdomain", desk.ReportQuery{Domains: []domain.Name{"sub.a.example"}}, 4},
			{"None", desk.ReportQuery{Domains: []domain.Name{}}, 0},
			{"From", desk.ReportQuery{From: at(24)}, 6},
			{"Until", desk.ReportQuery{Until: at(24)}, 9},
			{"Between", desk.ReportQuery{From: at(24), Until: at(48), Domains: []domain.Name{"a.example"}}, 2},
		} {
			if n := messages(rows(t, s, tc.q)); n != tc.want {
				t.Errorf("%s: %d messages, want %d", tc.name, n, tc.want)
			}
		}
		var order []string
		for _, r := range rows(t, s, desk.ReportQuery{Domains: []domain.Name{"a.example"}}) {
			order = append(order, r.ReportID)
		}
		if d := cmp.Diff([]string{"1", "2", "3"}, order); d != "" {
			t.Error(d)
		}
		days, err := s.ReporterDays(t.Context(), desk.ReportQuery{Domains: []domain.Name{"a.example"}, From: at(24)})
		noErr(t, err)
		u := dmarcreport.CarrierUnknown
		if d := cmp.Diff([]desk.ReporterDay{
			{Day: at(24), Org: "Q", Domain: "a.example", Carrier: u, Reports: 1},
			{Day: at(24), Org: "R", Domain: "a.example", Carrier: u, Reports: 1, Messages: 2},
			{Day: at(48), Org: "R", Domain: "sub.a.example", Carrier: u, Reports: 1, Messages: 4},
		}, days); d != "" {
			t.Error(d)
		}
		domains, err := s.ReportDomains(t.Context())
		noErr(t, err)
		want := []desk.ReportDomain{
			{Domain: "a.example", Reports: 3, Records: 2, Messages: 3, First: at(0), Last: at(48)},
			{Domain: "ba.example", Reports: 1, Records: 1, Messages: 8, First: at(0), Last: at(24)},
			{Domain: "sub.a.example", Reports: 1, Records: 1, Messages: 4, First: at(48), Last: at(72)},
		}
		if d := cmp.Diff(want, domains); d != "" {
			t.Error(d)
		}
		n := 0
		for _, err := range s.ReportRows(t.Context(), desk.ReportQuery{}) {
			noErr(t, err)
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("%d rows after the end", n)
		}
	})

	t.Run("OtherKinds", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer func() { noErr(t, s.Close()) }()
		failure := desk.StoredReport{Hash: [32]byte{1}, Carrier: dmarcreport.CarrierPass, CarrierDomain: "receiver.example", Added: at(9), Failure: &dmarcreport.Failure{
			FeedbackType: "auth-failure", Domain: "a.example", Source: netip.MustParseAddr("192.0.2.1"), Arrival: at(5), Incidents: 2, Results: []string{"spf=fail"}, Redacted: true,
		}}
		tls := desk.StoredReport{Hash: [32]byte{2}, Carrier: dmarcreport.CarrierUnknown, Added: at(9), TLS: &dmarcreport.TLS{
			OrgName: "R", ReportID: "1", Begin: at(0), End: at(24), Policies: []dmarcreport.TLSPolicy{{Type: "sts", Domain: "b.example", MXHosts: []string{"*.b.example"}, Succeeded: 3, Failed: 1,
				Failures: []dmarcreport.TLSFailure{{ResultType: "certificate-expired", SendingIP: netip.MustParseAddr("192.0.2.1"), Sessions: 1}}}},
		}}
		corrected := tls
		corrected.Hash = [32]byte{3}
		got := addReports(t, s, failure, tls, failure, corrected)
		if d := cmp.Diff([]desk.ReportState{desk.ReportNew, desk.ReportNew, desk.ReportDuplicate, desk.ReportReplaced}, got); d != "" {
			t.Error(d)
		}
		read := func(q desk.ReportQuery) (out []desk.StoredReport) {
			for r, err := range s.OtherReports(t.Context(), q) {
				noErr(t, err)
				out = append(out, r)
			}
			return out
		}
		if d := cmp.Diff([]desk.StoredReport{corrected, failure}, read(desk.ReportQuery{}), comparable); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff([]desk.StoredReport{failure}, read(desk.ReportQuery{Domains: []domain.Name{"a.example"}, From: at(1)}), comparable); d != "" {
			t.Error(d)
		}
	})

	t.Run("AllOrNone", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer func() { noErr(t, s.Close()) }()
		if _, err := s.AddReports(t.Context(), []desk.StoredReport{aggregate("R", "1", "a.example", 0, 5), {Hash: [32]byte{9}}}); err == nil {
			t.Error("a report of no kind was kept")
		}
		if _, err := s.AddReports(cancelled(t), []desk.StoredReport{aggregate("R", "1", "a.example", 0, 5)}); err == nil {
			t.Error("kept after the end")
		}
		if got := rows(t, s, desk.ReportQuery{}); len(got) != 0 {
			t.Errorf("%d rows of what failed", len(got))
		}
		if got := addReports(t, s, aggregate("R", "1", "a.example", 0, 5)); got[0] != desk.ReportNew {
			t.Error(got)
		}
	})

	t.Run("AtTheSameTime", func(t *testing.T) {
		dir := t.TempDir()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				s := open(t, dir)
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				for i := range 10 {
					if _, err := s.AddReports(ctx, []desk.StoredReport{aggregate("R", strconv.Itoa(i), "a.example", 0, 1)}); err != nil {
						t.Error(err)
					}
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		s := open(t, dir)
		defer func() { noErr(t, s.Close()) }()
		if n := messages(rows(t, s, desk.ReportQuery{})); n != 10 {
			t.Errorf("%d messages", n)
		}
	})
}
