package posture_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func TestZoneText(t *testing.T) {
	const head = "$ORIGIN x.example.\n$TTL 3600\n"
	for _, tc := range []struct{ name, in, selector, want string }{
		{"SPF", "v=spf1 -all", "", `@ IN TXT "v=spf1 -all"`},
		{"Quoted", `"v=spf1 -all"`, "", `@ IN TXT "v=spf1 -all"`},
		{"Strings", `"v=DMARC1; " "p=none"`, "", `_dmarc IN TXT "v=DMARC1; p=none"`},
		{"Key", "v=DKIM1; p=", "s1", `s1._domainkey IN TXT "v=DKIM1; p="`},
		{"KeyWithoutVersion", "k=rsa; p=", "s1", `s1._domainkey IN TXT "k=rsa; p="`},
		{"KeyWithoutSelector", "v=DKIM1; p=", "", "refused"},
		{"STS", "v=STSv1; id=1", "", `_mta-sts IN TXT "v=STSv1; id=1"`},
		{"TLSRPT", "v=TLSRPTv1; rua=mailto:a@x.example", "", `_smtp._tls IN TXT "v=TLSRPTv1; rua=mailto:a@x.example"`},
		{"BIMI", "v=BIMI1; l=", "", `default._bimi IN TXT "v=BIMI1; l="`},
		{"Typo", "v=spf1", "", `@ IN TXT "v=spf1"`},
		{"Unknown", "v=other", "", "refused"},
		{"Line", `_dmarc IN TXT "v=DMARC1; p=none"`, "", `_dmarc IN TXT "v=DMARC1; p=none"`},
		{"Mail", `@ IN MX 0 .`, "", `@ IN MX 0 .`},
		{"Mark", "\ufeffv=spf1 -all", "", `@ IN TXT "v=spf1 -all"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := posture.ZoneText(tc.in, "x.example", tc.selector)
			if !ok {
				got = head + "refused\n"
			}
			if diff := cmp.Diff(head+tc.want+"\n", got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzZoneText(f *testing.F) {
	for _, s := range []string{"v=spf1 -all", `"v=DMARC1; p=none"`, `"a" "b\"c"`, "@ IN MX 0 .", "v=DKIM1; p=\n\n;x", "k=rsa;p=\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, ok := posture.ZoneText(s, "x.example", "s1")
		if !ok {
			return
		}
		if !strings.HasPrefix(text, "$ORIGIN x.example.\n") || !strings.HasSuffix(text, "\n") {
			t.Errorf("%q", text)
		}
		// One value of a line each must come out as it went in.
		if strings.HasPrefix(s, "v=spf1 ") && !strings.ContainsAny(s, "\r\n") && len(s) < 1000 {
			z, err := zone.ParseString(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			a, err := z.Lookup(context.Background(), "x.example", resolve.TypeTXT)
			if want := strings.TrimSpace(s); err != nil || len(a.Texts()) != 1 || a.Texts()[0] != want {
				t.Errorf("%q became %q, %v", want, a.Texts(), err)
			}
		}
	})
}

func TestOverlay(t *testing.T) {
	base := parse(t, "x.example. IN TXT \"v=spf1 +all\"\nx.example. IN TXT \"other=1\"\nx.example. IN MX 10 mx.x.example.\nmx.x.example. IN A 192.0.2.1\n")
	for _, tc := range []struct{ name, over, at, kind, want string }{
		{"Replaces", "x.example. IN TXT \"v=spf1 -all\"", "x.example", "TXT", "v=spf1 -all|other=1"},
		{"Adds", "_dmarc.x.example. IN TXT \"v=DMARC1; p=none\"", "_dmarc.x.example", "TXT", "v=DMARC1; p=none"},
		{"LeavesOthers", "_dmarc.x.example. IN TXT \"v=DMARC1; p=none\"", "x.example", "TXT", "v=spf1 +all|other=1"},
		{"OtherType", "x.example. IN MX 0 .", "x.example", "MX", "0 ."},
		{"Exists", "a.b.x.example. IN TXT \"t\"", "b.x.example", "A", "NOERROR"},
		{"Missing", "a.b.x.example. IN TXT \"t\"", "c.x.example", "A", "NXDOMAIN"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			kind, _ := resolve.ParseType(tc.kind)
			a, err := posture.Overlay(base, parse(t, tc.over)).Lookup(context.Background(), tc.at, kind)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range a.Records {
				if r.Type == resolve.TypeTXT {
					got = append(got, r.Text)
				} else {
					got = append(got, r.Data())
				}
			}
			if len(got) == 0 {
				got = []string{a.RCode.String()}
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, "|")); diff != "" {
				t.Error(diff)
			}
		})
	}
	rep := check(t, posture.Overlay(base, parse(t, "x.example. IN TXT \"v=spf1 -all\"")), "x.example", nil)
	if rep.SPF.Record != "v=spf1 -all" || len(rep.SPF.Records) != 1 {
		t.Errorf("%+v", rep.SPF)
	}
}
