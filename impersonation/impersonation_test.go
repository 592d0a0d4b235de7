package impersonation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/org"
)

func brand(name string, own ...domain.Name) impersonation.Brand {
	owns := func(n domain.Name) bool {
		return slices.ContainsFunc(own, func(d domain.Name) bool { return n.IsSubdomainOf(d) })
	}
	return impersonation.Brand{
		Name: name, Words: []string{name}, Names: []string{"Teams"}, Sends: owns, Shows: owns,
		Hosts:    func(n domain.Name) bool { return n.IsSubdomainOf("tenants.test") },
		Imitated: domain.NewTargets(own...),
	}
}

func facts() org.Facts {
	return org.Facts{
		Name:    org.Of("木曽工業株式会社"),
		Domains: org.Of([]string{"kiso-works.example"}),
		People: org.Of([]org.Person{
			{DisplayName: "木曽太郎", Address: "kiso@kiso-works.example", Role: "vip"},
			{DisplayName: "Hanako Tanaka", Address: "tanaka@kiso-works.example", Role: "finance"},
		}),
		Allow: org.Of([]org.AllowPair{{From: "survey.example"}}),
	}
}

type found struct {
	Kind     finding.Kind
	Severity finding.Severity
}

func check(t *testing.T, from string, edit func(*impersonation.Input)) []found {
	t.Helper()
	m := eml.Parse([]byte("From: "+from+"\r\nReply-To: x@kiso-w0rks.example\r\n\r\n"), nil)
	in := impersonation.Input{
		Part: "1", Message: m, From: m.From(), Own: []string{"kiso-works.example"}, Facts: facts(),
		FromWhere: func(s eml.Span) finding.Where {
			return finding.Where{Part: "1", Header: "From", Offset: s.Offset, Length: s.Length}
		},
		Brands:   []impersonation.Brand{brand("Contoso", "contoso.example")},
		FreeMail: func(n domain.Name) bool { return n == "freemail.example" },
	}
	if edit != nil {
		edit(&in)
	}
	var out []found
	for _, f := range impersonation.Check(in) {
		out = append(out, found{f.Kind, f.Severity})
		if len(f.Evidence) == 0 {
			t.Errorf("%s has no evidence", f.Kind)
		}
		for _, e := range f.Evidence {
			if e.Where.Header == "From" && e.Where.Length == 0 {
				t.Errorf("%s: evidence %q stands nowhere", f.Kind, e.Quote)
			}
		}
	}
	return out
}

func TestSender(t *testing.T) {
	failed := func(in *impersonation.Input) { in.AuthFailed = true }
	aligned := func(in *impersonation.Input) { in.Aligned = true }
	for _, tc := range []struct {
		name string
		from string
		edit func(*impersonation.Input)
		want []found
	}{
		{"OrdinaryPartner", `Sato <sato@partner.example>`, nil, nil},
		{"OwnDomainIsAnotherJudge", `木曽太郎 <boss@kiso-works.example>`, failed, nil},
		{"DigitForLetter", `Accounts <a@kiso-w0rks.example>`, nil, []found{{impersonation.LookalikeSender, finding.High}}},
		{"WordsAdded", `Accounts <a@kiso-works-login.test>`, nil, []found{{impersonation.LookalikeSender, finding.Medium}}},
		{"WordsAddedAndFailed", `Accounts <a@kiso-works-login.test>`, failed, []found{{impersonation.LookalikeSender, finding.High}}},
		{"OwnNameInFrontOfAnother", `Accounts <a@kiso-works.example.login.test>`, nil, []found{{impersonation.LookalikeSender, finding.High}}},
		{"SameNameOtherSuffixProven", `Accounts <a@kiso-works.test>`, aligned, nil},
		{"TenantOfTheBrand", `Accounts <a@kisoworks.tenants.test>`, nil, nil},
		{"PersonFromElsewhere", `木曽太郎 <taro@elsewhere.example>`, nil, []found{{impersonation.PersonName, finding.Medium}}},
		{"PersonWithTitleAndSpace", `代表取締役 木曽　太郎 <taro@elsewhere.example>`, nil, []found{{impersonation.PersonName, finding.Medium}}},
		{"VIPFromFreeMail", `木曽 太郎 <ceo@freemail.example>`, nil, []found{{impersonation.PersonName, finding.High}}},
		{"PersonInOtherOrder", `"Tanaka, Hanako" <h@elsewhere.example>`, nil, []found{{impersonation.PersonName, finding.Medium}}},
		{"SameFirstNameOnly", `Hanako Suzuki <h@elsewhere.example>`, nil, nil},
		{"OrganisationName", `木曽工業 情報システム部 <it@elsewhere.example>`, nil, []found{{impersonation.OrganisationName, finding.Medium}}},
		{"OrganisationNameAllowed", `木曽工業アンケート <no-reply@survey.example>`, aligned, nil},
		{"Brand", `Contoso Security <alert@elsewhere.example>`, nil, []found{{impersonation.BrandName, finding.Medium}}},
		{"BrandFailed", `Contoso Security <alert@elsewhere.example>`, failed, []found{{impersonation.BrandName, finding.High}}},
		{"BrandDisguised", `C0ntos0 Security <alert@elsewhere.example>`, nil, []found{{impersonation.BrandName, finding.High}}},
		{"BrandItself", `Contoso Security <alert@mail.contoso.example>`, nil, nil},
		{"PartOfAnotherWord", `Contosoville Tourist Board <a@elsewhere.example>`, nil, nil},
		{"OrdinaryWordAlone", `Teams <a@elsewhere.example>`, nil, []found{{impersonation.BrandName, finding.Medium}}},
		{"OrdinaryWordAmongOthers", `Sales Teams Weekly <a@elsewhere.example>`, nil, nil},
		{"OwnAddressAsName", `"tanaka@kiso-works.example" <x@elsewhere.example>`, nil,
			[]found{{impersonation.AddressInName, finding.High}, {impersonation.OrganisationName, finding.Medium}}},
		{"OtherAddressAsName", `"info@shop.example" <x@mailer.test>`, nil, []found{{impersonation.AddressInName, finding.Low}}},
		{"SameDomainAsName", `"info@shop.example" <x@mail.shop.example>`, nil, nil},
		{"FullWidthAt", `"tanaka＠kiso-works.example" <x@elsewhere.example>`, nil,
			[]found{{impersonation.AddressInName, finding.High}, {impersonation.OrganisationName, finding.Medium}}},
		{"SeveralAuthors", `a@one.example, b@two.example`, nil, []found{{impersonation.SeveralFrom, finding.Medium}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, check(t, tc.from, tc.edit)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReplyTo(t *testing.T) {
	got := check(t, "Sato <sato@partner.example>", func(in *impersonation.Input) { in.ReplyTo = in.Message.Addresses("Reply-To") })
	if diff := cmp.Diff([]found{{impersonation.LookalikeReplyTo, finding.High}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLinks(t *testing.T) {
	link := func(host, shown domain.Name) impersonation.Link {
		return impersonation.Link{URL: "https://" + string(host) + "/", Host: host, Actual: string(host), Shown: shown, Visible: "x", Where: finding.Where{Part: "1"}}
	}
	for _, tc := range []struct {
		name    string
		link    impersonation.Link
		aligned bool
		want    []found
	}{
		{"Plain", link("shop.example", ""), false, nil},
		{"Lookalike", link("kiso-w0rks.example", ""), false, []found{{impersonation.LookalikeLink, finding.High}}},
		{"OwnHost", link("portal.kiso-works.example", ""), false, nil},
		{"TextNamesOwnDomain", link("evil.test", "portal.kiso-works.example"), true, []found{{impersonation.DeceptiveLink, finding.High}}},
		{"TextNamesBrand", link("evil.test", "login.contoso.example"), true, []found{{impersonation.DeceptiveLink, finding.High}}},
		{"TextNamesOther", link("evil.test", "shop.example"), false, []found{{impersonation.DeceptiveLink, finding.Medium}}},
		{"SenderCountsItsClicks", link("click.mailer.test", "partner.example"), true, nil},
		{"SenderLinksThroughItself", link("track.partner.example", "other.example"), true, nil},
		{"SenderNotProven", link("click.mailer.test", "partner.example"), false, []found{{impersonation.DeceptiveLink, finding.Medium}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := check(t, "Sato <sato@partner.example>", func(in *impersonation.Input) {
				in.Links, in.Aligned = []impersonation.Link{tc.link}, tc.aligned
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyForgedLinksAreFewFindings(t *testing.T) {
	got := check(t, "Sato <sato@partner.example>", func(in *impersonation.Input) {
		for i := range 200 {
			host := domain.Name(strings.Repeat("a", i%50+1) + ".kiso-w0rks.example")
			in.Links = append(in.Links, impersonation.Link{URL: "https://" + string(host), Host: host, Actual: string(host), Shown: "kiso-works.example", Where: finding.Where{Part: "1"}})
		}
	})
	if len(got) != 6 {
		t.Errorf("%d findings, want 3 of each kind", len(got))
	}
}
