package dmarc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
)

// TestExternalDestinations follows RFC 9990 section 4, whose example is the
// first case, and RFC 9989 appendix B.2.3 and B.2.4.
func TestExternalDestinations(t *testing.T) {
	for _, tc := range []struct {
		name   string
		world  world
		at     domain.Name
		record string
		want   []string // tag, URI, consent, what was asked, override
	}{
		{
			"Example", world{txt: txt{"blue.example.com._report._dmarc.red.example.net": {"v=DMARC1"}}}, "blue.example.com",
			"v=DMARC1; p=none; rua=mailto:reports@red.example.net",
			[]string{"rua mailto:reports@red.example.net given blue.example.com._report._dmarc.red.example.net"},
		},
		{
			"Missing", world{}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net",
			[]string{"rua mailto:a@example.net missing example.com._report._dmarc.example.net"},
		},
		{
			"SameOrganization", world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none"}}}, "test.example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.com,mailto:b@test.example.com,mailto:c@reports.example.com",
			[]string{"rua mailto:a@example.com own ", "rua mailto:b@test.example.com own ", "rua mailto:c@reports.example.com own "},
		},
		{
			"B23ThirdParty", world{txt: txt{"example.com._report._dmarc.thirdparty.example.net": {"v=DMARC1;"}}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; ruf=mailto:auth-reports@thirdparty.example.net",
			[]string{"rua mailto:dmarc-feedback@example.com own ", "ruf mailto:auth-reports@thirdparty.example.net given example.com._report._dmarc.thirdparty.example.net"},
		},
		{
			"B24Override", world{txt: txt{"example.com._report._dmarc.thirdparty.example.net": {
				"v=DMARC1; rua=mailto:aggregate-reports@thirdparty.example.net; ruf=mailto:failure-reports@thirdparty.example.net",
			}}}, "example.com",
			"v=DMARC1; p=none; ruf=mailto:auth-reports@thirdparty.example.net",
			[]string{"ruf mailto:auth-reports@thirdparty.example.net given example.com._report._dmarc.thirdparty.example.net > mailto:failure-reports@thirdparty.example.net"},
		},
		{
			"OverrideElsewhere", world{txt: txt{"example.com._report._dmarc.example.net": {"v=DMARC1; rua=mailto:x@victim.example"}}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net; ruf=mailto:b@example.net",
			[]string{"rua mailto:a@example.net elsewhere example.com._report._dmarc.example.net", "ruf mailto:b@example.net given example.com._report._dmarc.example.net"},
		},
		{
			"Wildcard", world{txt: txt{"*._report._dmarc.example.net": {"v=DMARC1"}}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net",
			[]string{"rua mailto:a@example.net given example.com._report._dmarc.example.net"},
		},
		{
			"OtherTextsBesideIt", world{txt: txt{"example.com._report._dmarc.example.net": {"v=spf1 -all", "v=DMARC1", "v=DMARC1"}}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net",
			[]string{"rua mailto:a@example.net given example.com._report._dmarc.example.net"},
		},
		{
			"NoVersion", world{txt: txt{"example.com._report._dmarc.example.net": {"yes", "v=dmarc1"}}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net",
			[]string{"rua mailto:a@example.net missing example.com._report._dmarc.example.net"},
		},
		{
			"DNSFails", world{faults: map[string]resolve.RCode{"example.com._report._dmarc.example.net": resolve.ServFail}}, "example.com",
			"v=DMARC1; p=none; rua=mailto:a@example.net",
			[]string{"rua mailto:a@example.net unknown example.com._report._dmarc.example.net"},
		},
		{
			"OrganizationUnknown", world{faults: map[string]resolve.RCode{"_dmarc.com": resolve.ServFail}}, "a.example.com",
			"v=DMARC1; p=none; rua=mailto:a@b.example.com",
			[]string{"rua mailto:a@b.example.com unknown a.example.com._report._dmarc.b.example.com"},
		},
		{
			"NoHost", world{}, "example.com",
			"v=DMARC1; p=none; rua=urn:x",
			[]string{"rua urn:x no-host "},
		},
		{
			"TooLong", world{}, domain.Name(strings.Repeat("abcdefghi.", 20) + "com"),
			"v=DMARC1; p=none; rua=mailto:a@" + strings.Repeat("x", 60) + ".example.net",
			[]string{"rua mailto:a@" + strings.Repeat("x", 60) + ".example.net missing "},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, _, err := dmarc.ParseRecord(tc.record)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range dmarc.ExternalDestinations(context.Background(), tc.world.zone(t), tc.at, r, nil) {
				parts := []string{fmt.Sprintf("%s %s %s %s", d.Tag, d.URI.Text, d.Consent, d.Name)}
				for _, u := range d.Override {
					parts = append(parts, u.Text)
				}
				got = append(got, strings.Join(parts, " > "))
				checkSpeech(t, string(d.Consent), d.Message())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExternalDestinationsAreBounded(t *testing.T) {
	var uris []string
	for i := range 20 {
		uris = append(uris, fmt.Sprintf("mailto:a@a.b.c.d.e.f.g%d.example", i))
	}
	r, _, err := dmarc.ParseRecord("v=DMARC1; p=none; rua=" + strings.Join(uris, ",") + "; ruf=" + strings.Join(uris, ","))
	if err != nil {
		t.Fatal(err)
	}
	limit := resolve.NewLimit(world{}.zone(t), 1_000_000)
	ds := dmarc.ExternalDestinations(context.Background(), limit, "example.com", r, nil)
	if len(ds) != 40 || limit.Asked() > 100 {
		t.Errorf("%d destinations, %d questions", len(ds), limit.Asked())
	}
	if got := ds[39].Consent; got != dmarc.ConsentUnknown {
		t.Errorf("the last is %s", got)
	}
	if got := dmarc.ExternalDestinations(context.Background(), limit, "", nil, nil); got != nil {
		t.Errorf("without a record: %v", got)
	}
}
