package dmarcreport_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
)

func TestTLS(t *testing.T) {
	got, err := dmarcreport.ParseTLS([]byte(tlsReport))
	if err != nil {
		t.Fatal(err)
	}
	want := &dmarcreport.TLS{
		OrgName: "Receiver", ContactInfo: "tls@receiver.example", ReportID: "7", Begin: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 23, 59, 59, 0, time.UTC),
		Policies: []dmarcreport.TLSPolicy{{
			Type: "sts", Domain: "kiso-works.example", Strings: []string{"version: STSv1", "mode: testing"}, MXHosts: []string{"*.kiso-works.example"}, Succeeded: 10, Failed: 2,
			Failures: []dmarcreport.TLSFailure{{ResultType: "certificate-expired", SendingIP: netip.MustParseAddr("192.0.2.1"), ReceivingMXHostname: "mx.kiso-works.example", Sessions: 2}},
		}},
	}
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
}

// What reporters write instead of what RFC 8460 says.
func TestTLSOdd(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"NoContact", `"contact-info":"tls@receiver.example",`, ``, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"NullContact", `"tls@receiver.example"`, `null`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"OneMX", `["*.kiso-works.example"]`, `"*.kiso-works.example"`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"PatternMX", `"mx-host"`, `"mx-host-pattern"`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"MXLine", `["*.kiso-works.example"]`, `["mx: *.kiso-works.example"]`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"CountInQuotes", `-count":10`, `-count":"10"`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"NoCount", `"total-successful-session-count":10,`, ``, "sts kiso-works.example [*.kiso-works.example] 0/2 !missing:total-successful-session-count"},
		{"NegativeCount", `-count":10`, `-count":-1`, "sts kiso-works.example [*.kiso-works.example] 0/2 !count:total-successful-session-count"},
		{"HugeCount", `-count":10`, `-count":1e300`, "sts kiso-works.example [*.kiso-works.example] 0/2 !count:total-successful-session-count"},
		{"OtherType", `"policy-type":"sts"`, `"policy-type":"unknown"`, "unknown kiso-works.example [*.kiso-works.example] 10/2 !value:policy-type"},
		{"NoDomain", `"policy-domain":"kiso-works.example",`, ``, "sts  [*.kiso-works.example] 10/2 !missing:policy-domain"},
		{"BadIP", `192.0.2.1`, `mx.receiver.example`, "sts kiso-works.example [*.kiso-works.example] 10/2 !source:mx.receiver.example"},
		{"BadTime", `2026-11-01T00:00:00Z`, `yesterday`, "sts kiso-works.example [*.kiso-works.example] 10/2 !time:start-datetime"},
		{"BOM", `{"organization`, "\ufeff{\"organization", "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"NumberID", `"report-id":"7"`, `"report-id":7`, "sts kiso-works.example [*.kiso-works.example] 10/2"},
		{"Cut", `"failed-session-count":2}]}]}`, ``, "damaged JSON"},
		{"ListForObject", `"policies":[`, `"policies":"none","x":[`, "JSON, but no report on SMTP TLS: it has neither policies nor an organization"},
		{"Other", tlsReport, `{"a":1}`, "JSON, but no report on SMTP TLS: it has neither policies nor an organization"},
		{"Deep", tlsReport, `{"policies":` + strings.Repeat("[", 100_000), "damaged JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := strings.Replace(tlsReport, tc.from, tc.to, 1)
			if data == tlsReport {
				t.Fatal("nothing replaced")
			}
			got := ""
			r, err := dmarcreport.ParseTLS([]byte(data))
			if err != nil {
				got = strings.TrimPrefix(err.Error(), "dmarcreport: ")
			} else {
				p := r.Policies[0]
				got = fmt.Sprintf("%s %s %v %d/%d%s", p.Type, p.Domain, p.MXHosts, p.Succeeded, p.Failed, faultText(r.Faults))
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzTLS(f *testing.F) {
	f.Add([]byte(tlsReport))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := dmarcreport.ParseTLS(data)
		if err != nil {
			return
		}
		if ok, bad := r.Sessions(); ok < 0 || bad < 0 {
			t.Errorf("%d, %d sessions", ok, bad)
		}
	})
}
