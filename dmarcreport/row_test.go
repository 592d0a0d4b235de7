package dmarcreport_test

import (
	"testing"

	"github.com/sekisho/sekisho/dmarcreport"
)

func TestAlign(t *testing.T) {
	dkim := func(domain, result string) []dmarcreport.DKIMResult {
		return []dmarcreport.DKIMResult{{Domain: "other.example", Result: "pass"}, {Domain: domain, Result: result}}
	}
	for _, tc := range []struct {
		name       string
		policy     dmarcreport.Policy
		record     dmarcreport.Record
		dkim, spf  bool
		contradict bool
	}{
		{"Same", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "pass", SPF: "fail", HeaderFrom: "a.example", DKIMResults: dkim("a.example", "pass")}, true, false, false},
		{"Relaxed", dmarcreport.Policy{ADKIM: "r"}, dmarcreport.Record{DKIM: "pass", HeaderFrom: "mail.a.co.jp", DKIMResults: dkim("news.a.co.jp", "pass")}, true, false, false},
		{"PublicSuffix", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "fail", HeaderFrom: "a.co.jp", DKIMResults: dkim("b.co.jp", "pass")}, false, false, false},
		{"Strict", dmarcreport.Policy{ADKIM: "s"}, dmarcreport.Record{DKIM: "fail", HeaderFrom: "mail.a.example", DKIMResults: dkim("a.example", "pass")}, false, false, false},
		{"Failed", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "fail", HeaderFrom: "a.example", DKIMResults: dkim("a.example", "fail")}, false, false, false},
		{"SPF", dmarcreport.Policy{}, dmarcreport.Record{SPF: "pass", HeaderFrom: "a.example", SPFResults: []dmarcreport.SPFResult{{Domain: "bounce.a.example", Scope: "mfrom", Result: "pass"}}}, false, true, false},
		{"SPFStrict", dmarcreport.Policy{ASPF: "s"}, dmarcreport.Record{SPF: "fail", HeaderFrom: "a.example", SPFResults: []dmarcreport.SPFResult{{Domain: "bounce.a.example", Result: "pass"}}}, false, false, false},
		{"HELO", dmarcreport.Policy{}, dmarcreport.Record{SPF: "fail", HeaderFrom: "a.example", SPFResults: []dmarcreport.SPFResult{{Domain: "a.example", Scope: "helo", Result: "pass"}}}, false, false, false},
		{"NoAuthor", dmarcreport.Policy{Domain: "a.example"}, dmarcreport.Record{DKIM: "pass", DKIMResults: dkim("a.example", "pass")}, true, false, false},
		{"SaysFail", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "fail", HeaderFrom: "a.example", DKIMResults: dkim("a.example", "pass")}, true, false, true},
		{"SaysPass", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "pass", HeaderFrom: "a.example", DKIMResults: dkim("b.example", "pass")}, false, false, true},
		{"NotTold", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "pass", HeaderFrom: "a.example"}, false, false, false},
		{"NoName", dmarcreport.Policy{}, dmarcreport.Record{DKIM: "fail", HeaderFrom: "a b", DKIMResults: dkim("x y", "pass")}, false, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := new(dmarcreport.Aligner).Align(&tc.policy, &tc.record)
			if want := (dmarcreport.Alignment{DKIM: tc.dkim, SPF: tc.spf}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if c := got.Disagrees(&tc.record); c != tc.contradict {
				t.Errorf("disagrees: %v", c)
			}
		})
	}
}
