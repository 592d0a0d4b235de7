package dmarc_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// txt maps names to the texts of their TXT records.
type txt map[string][]string

// world is what stands in DNS.
type world struct {
	txt    txt
	hosts  []string                 // names that exist, with an address
	alias  map[string]string        // CNAME records
	faults map[string]resolve.RCode // for every type
}

func (w world) zone(t testing.TB) *zone.Zone {
	t.Helper()
	z := zone.New()
	add := func(r resolve.Record) {
		if err := z.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	for name, texts := range w.txt {
		for _, s := range texts {
			add(resolve.Record{Name: name, Type: resolve.TypeTXT, Text: s})
		}
	}
	for _, name := range w.hosts {
		add(resolve.Record{Name: name, Type: resolve.TypeMX, Host: "mx.example.net"})
	}
	for name, to := range w.alias {
		add(resolve.Record{Name: name, Type: resolve.TypeCNAME, Host: to})
	}
	for name, code := range w.faults {
		if !z.Fail(name, 0, code) {
			t.Fatalf("no fault for %s", name)
		}
	}
	return z
}

// mail is what the table says about a message.
type mail struct {
	from string   // domains, separated by commas
	spf  string   // "domain" for a pass, or "domain status"; empty: not checked
	dkim []string // likewise
}

func (m mail) input() dmarc.Input {
	id := func(s string) dmarc.Identifier {
		name, status, ok := strings.Cut(s, " ")
		if !ok {
			status = "pass"
		}
		return dmarc.Identifier{Domain: name, Status: status}
	}
	var in dmarc.Input
	if m.from != "" {
		in.From = strings.Split(m.from, ",")
	}
	if m.spf != "" {
		spf := id(m.spf)
		in.SPF = &spf
	}
	for _, d := range m.dkim {
		in.DKIM = append(in.DKIM, id(d))
	}
	return in
}

// summary writes a result the way the tables do:
//
//	status reason; org; policy source:domain tag=published>applied; identifiers; then disposition
func summary(r dmarc.Result) string {
	parts := []string{string(r.Status) + " " + string(r.Reason)}
	if r.Org != "" {
		parts = append(parts, "org "+string(r.Org))
	}
	if a := r.Applied; a != nil {
		s := fmt.Sprintf("%s:%s %s=%s", a.Source, a.Domain, a.Tag, a.Published)
		if a.Policy != a.Published {
			s += ">" + string(a.Policy)
		}
		parts = append(parts, s)
	}
	for _, a := range r.Alignments {
		s := fmt.Sprintf("%s %s", a.Mechanism, a.Reason)
		if a.Aligned != (a.Reason == dmarc.AlignIdentical || a.Reason == dmarc.AlignSameOrg) {
			s += " BUT ALIGNED IS " + strconv.FormatBool(a.Aligned)
		}
		if a.Org != "" {
			s += " " + string(a.Org)
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, "; ") + "; then " + string(r.Disposition)
}

// conformance are the rules and examples of RFC 9989. The strict cases stand
// first: they are where evaluators were found to be wrong.
var conformance = []struct {
	section, name string
	world         world
	mail          mail
	want          string
}{
	// Section 4.4: strict and relaxed alignment.
	{
		"4.4", "StrictDKIMSubdomainOfAuthorFails",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s"}}},
		mail{from: "example.com", dkim: []string{"mail.example.com"}},
		"fail not-aligned; org example.com; author:example.com p=reject; dkim strict; then reject",
	},
	{
		"4.4", "StrictDKIMParentOfAuthorFails",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s"}}, hosts: []string{"mail.example.com"}},
		mail{from: "mail.example.com", dkim: []string{"example.com"}},
		"fail not-aligned; org example.com; organizational:example.com p=reject; dkim strict; then reject",
	},
	{
		"4.4", "StrictSPFSubdomainFails",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=quarantine; aspf=s"}}},
		mail{from: "example.com", spf: "bounce.example.com"},
		"fail not-aligned; org example.com; author:example.com p=quarantine; spf strict; then quarantine",
	},
	{
		"4.4", "StrictUpperCaseIsStrict",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=S"}}},
		mail{from: "example.com", dkim: []string{"mail.example.com"}},
		"fail not-aligned; org example.com; author:example.com p=reject; dkim strict; then reject",
	},
	{
		"4.4", "StrictIsPerMechanism",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s"}}},
		mail{from: "example.com", spf: "bounce.example.com", dkim: []string{"mail.example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; dkim strict; then none",
	},
	{
		"4.4", "StrictOfTheOrganizationHoldsForSubdomains",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; aspf=s"}}},
		mail{from: "a.example.com", spf: "b.example.com"},
		"fail not-aligned; org example.com; organizational:example.com p=reject; spf strict; then reject",
	},
	{
		"4.4", "StrictIgnoresCaseAndTrailingDot",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; aspf=s"}}},
		mail{from: "Example.COM.", spf: "EXAMPLE.com"},
		"pass aligned; org example.com; author:example.com p=reject; spf identical example.com; then none",
	},
	{
		"4.4", "TableRelaxed",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "news.example.com", dkim: []string{"foo.example.com"}},
		"pass aligned; org example.com; organizational:example.com p=reject; dkim same-org example.com; then none",
	},
	{
		"4.4", "TableNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "news.example.com", dkim: []string{"foo.example.net"}},
		"fail not-aligned; org example.com; organizational:example.com p=reject; dkim other-org foo.example.net; then reject",
	},
	{
		"4.4.1", "AnyAlignedSignatureIsEnough",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", spf: "example.net fail", dkim: []string{"example.net", "example.com fail", "example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; spf other-org; dkim other-org example.net; dkim identical example.com; dkim identical example.com; then none",
	},
	{
		"4.4.1", "ASignatureThatFailedDoesNotCount",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", dkim: []string{"example.com fail"}},
		"fail unauthenticated; org example.com; author:example.com p=reject; dkim identical example.com; then reject",
	},
	{
		"4.4.2", "SoftfailDoesNotCount",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", spf: "example.com softfail"},
		"fail unauthenticated; org example.com; author:example.com p=reject; spf identical example.com; then reject",
	},
	{
		"4.4.2", "NullReversePathCountsByHelo",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", spf: "mx1.example.com"},
		"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; then none",
	},

	// Section 4.5 and 4.7: the record.
	{
		"4.7", "VersionIsCaseSensitive",
		world{txt: txt{"_dmarc.example.com": {"v=dmarc1; p=reject"}}},
		mail{from: "example.com", spf: "example.com"},
		"none no-record; org example.com; then none",
	},
	{
		"4.7", "VersionMatchesPrecisely",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1x; p=reject"}}},
		mail{from: "example.com", spf: "example.com"},
		"none no-record; org example.com; then none",
	},
	{
		"4.7", "VersionIsFirst",
		world{txt: txt{"_dmarc.example.com": {"p=reject; v=DMARC1"}}},
		mail{from: "example.com", spf: "example.com"},
		"none no-record; org example.com; then none",
	},
	{
		"4.8", "SpaceAroundEquals",
		world{txt: txt{"_dmarc.example.com": {"v = DMARC1 ;p = reject ; adkim\t=\ts"}}},
		mail{from: "example.com", dkim: []string{"a.example.com"}},
		"fail not-aligned; org example.com; author:example.com p=reject; dkim strict; then reject",
	},
	{
		"4.8", "PolicyInAnyCase",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; P=Reject"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=reject; then reject",
	},
	{
		"4.7", "UnknownTagsAreIgnored",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; x=y; p=reject; zz=1"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=reject; then reject",
	},
	{
		"4.7", "SyntaxErrorsLeaveTheDefault",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=strict; fo; =x; psd=maybe"}}},
		mail{from: "example.com", dkim: []string{"a.example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; dkim same-org example.com; then none",
	},
	{
		"4.7", "OrderIsFree",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; aspf=s; rua=mailto:a@example.com; p=quarantine"}}},
		mail{from: "example.com", spf: "a.example.com"},
		"fail not-aligned; org example.com; author:example.com p=quarantine; spf strict; then quarantine",
	},
	{
		"A.6", "PctChangesNothing",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; pct=0"}}},
		mail{from: "example.com", spf: "example.net"},
		"fail not-aligned; org example.com; author:example.com p=reject; spf other-org example.net; then reject",
	},
	{
		"4.7", "TestLowersReject",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; t=y"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=reject>quarantine; then quarantine",
	},
	{
		"4.7", "TestLowersQuarantine",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=quarantine; t=Y"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=quarantine>none; then none",
	},
	{
		"4.7", "TestLeavesNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; t=y"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=none; then none",
	},
	{
		"4.7", "TestLowersSP",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; sp=reject; t=y"}}, hosts: []string{"a.example.com"}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com sp=reject>quarantine; then quarantine",
	},
	{
		"4.7", "TestWithAnotherValueIsNoTest",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; t=yes"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=reject; then reject",
	},

	// Section 4.10: the walk.
	{
		"4.10", "SeveralRecordsAreNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject", "v=DMARC1; p=none"}}},
		mail{from: "example.com", spf: "example.com"},
		"none no-record; org example.com; then none",
	},
	{
		"4.10", "SeveralRecordsDoNotEndTheWalk",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=reject; psd=n", "v=DMARC1; p=quarantine"},
			"_dmarc.example.com":      {"v=DMARC1; p=none; sp=quarantine"},
		}},
		mail{from: "mail.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com sp=quarantine; then quarantine",
	},
	{
		"4.10", "OtherTextsDoNotCount",
		world{txt: txt{
			"_dmarc.mail.example.com": {"something", "v=spf1 -all"},
			"_dmarc.example.com":      {"v=spf1 -all", "v=DMARC1; p=quarantine"},
		}},
		mail{from: "mail.example.com", dkim: []string{"example.com"}},
		"pass aligned; org example.com; organizational:example.com p=quarantine; dkim same-org example.com; then none",
	},
	{
		"4.10", "RecordOfAnotherVersion",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC2; p=reject"}}},
		mail{from: "example.com", spf: "example.com"},
		"none no-record; org example.com; then none",
	},
	{
		"5.1.7", "ZoneCutTooDeepIsNotFound",
		world{txt: txt{
			"_dmarc.b.c.d.e.f.g.example.com": {"v=DMARC1; p=reject; psd=n"},
			"_dmarc.example.com":             {"v=DMARC1; p=none"},
		}},
		mail{from: "mail.a.b.c.d.e.f.g.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=none; then none",
	},
	{
		"5.1.7", "RecordAtADeepAuthorIsFound",
		world{txt: txt{
			"_dmarc.mail.a.b.c.d.e.f.g.example.com": {"v=DMARC1; p=reject"},
			"_dmarc.example.com":                    {"v=DMARC1; p=none"},
		}},
		mail{from: "mail.a.b.c.d.e.f.g.example.com"},
		"fail unauthenticated; org example.com; author:mail.a.b.c.d.e.f.g.example.com p=reject; then reject",
	},

	// Section 4.10.1: the policy.
	{
		"4.10.1", "AuthorBeforeOrganization",
		world{txt: txt{
			"_dmarc.a.example.com": {"v=DMARC1; p=none; sp=reject"},
			"_dmarc.example.com":   {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; author:a.example.com p=none; then none",
	},
	{
		"4.10.1", "OrganizationBeforeWhatLiesBetween",
		world{txt: txt{
			"_dmarc.b.example.com": {"v=DMARC1; p=none"},
			"_dmarc.example.com":   {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.b.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=reject; then reject",
	},
	{
		"4.10.1", "SPForASubdomainThatExists",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=none; np=quarantine"}}, hosts: []string{"a.example.com"}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com sp=none; then none",
	},
	{
		"4.10.1", "NPForASubdomainThatDoesNotExist",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=none; np=quarantine"}}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com np=quarantine; then quarantine",
	},
	{
		"4.10.1", "NPAbsentFallsToSP",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=quarantine"}}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com sp=quarantine; then quarantine",
	},
	{
		"4.10.1", "SPAndNPAbsentFallToP",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=quarantine"}}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=quarantine; then quarantine",
	},
	{
		"4.10.1", "SPAbsentFallsToPWhereTheNameExists",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=quarantine; np=reject"}}, hosts: []string{"a.example.com"}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=quarantine; then quarantine",
	},
	{
		"4.10.1", "NPIsNotForTheDomainItself",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; np=reject; sp=reject"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=none; then none",
	},
	{
		"3.2.13", "AnEmptyNonTerminalExists",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; np=reject"}}, hosts: []string{"b.a.example.com"}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=none; then none",
	},
	{
		"3.2.13", "AnAliasExistsWhereverItLeads",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; np=reject"}}, alias: map[string]string{"a.example.com": "gone.example.net"}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=none; then none",
	},
	{
		"4.10.1", "NoPolicyWithRUAIsNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; rua=mailto:d@example.com"}}},
		mail{from: "example.com", spf: "example.net"},
		"fail not-aligned; org example.com; author:example.com =none; spf other-org example.net; then none",
	},
	{
		"4.10.1", "NoPolicyWithRUAMayPass",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; rua=mailto:d@example.com"}}},
		mail{from: "example.com", spf: "example.com"},
		"pass aligned; org example.com; author:example.com =none; spf identical example.com; then none",
	},
	{
		"4.10.1", "NoPolicyWithoutRUAIsNoDMARC",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; adkim=s"}}},
		mail{from: "example.com", spf: "example.com"},
		"none defective; org example.com; then none",
	},
	{
		"4.10.1", "BadPolicyWithRUAKeepsTheOtherTags",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=block; adkim=s; rua=mailto:d@example.com!10m"}}},
		mail{from: "example.com", dkim: []string{"a.example.com"}},
		"fail not-aligned; org example.com; author:example.com =none; dkim strict; then none",
	},
	{
		"4.10.1", "BadSPWithRUAIsNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=bogus; rua=mailto:d@example.com"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com =none; then none",
	},
	{
		"4.10.1", "EmptyNPWithRUAIsNone",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; np=; rua=mailto:d@example.com"}}},
		mail{from: "a.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com =none; then none",
	},
	{
		"4.10.1", "BadSPWithoutAValidRUAIsNoDMARC",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; sp=bogus; rua=d@example.com, mailto:"}}},
		mail{from: "example.com", spf: "example.com"},
		"none defective; org example.com; then none",
	},
	{
		"4.10.1", "ADefectiveRecordDoesNotGiveWay",
		world{txt: txt{
			"_dmarc.a.example.com": {"v=DMARC1; adkim=s"},
			"_dmarc.example.com":   {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.example.com"},
		"none defective; org example.com; then none",
	},
	{
		"4.10.1", "NoRecordAnywhere",
		world{hosts: []string{"example.com"}},
		mail{from: "a.example.com", spf: "a.example.com", dkim: []string{"example.com"}},
		"none no-record; org a.example.com; then none",
	},
	{
		"4.10.1", "PSDPolicyGivesWayToTheOrganization",
		world{txt: txt{
			"_dmarc.example":     {"v=DMARC1; p=reject; psd=y; rua=mailto:psd@example"},
			"_dmarc.foo.example": {"v=DMARC1; p=none"},
		}},
		mail{from: "foo.example"},
		"fail unauthenticated; org foo.example; author:foo.example p=none; then none",
	},
	{
		"4.10.1", "PSDPolicyWhereTheOrganizationHasNone",
		world{txt: txt{"_dmarc.bank.example": {"v=DMARC1; p=reject; sp=quarantine; psd=y"}}, hosts: []string{"mail.giant.bank.example"}},
		mail{from: "mail.giant.bank.example", dkim: []string{"giant.bank.example"}},
		"pass aligned; org giant.bank.example; psd:bank.example sp=quarantine; dkim same-org giant.bank.example; then none",
	},
	{
		"4.10.1", "PSDPolicyForANameThatDoesNotExist",
		world{txt: txt{"_dmarc.gov.example": {"v=DMARC1; p=none; sp=none; np=reject; psd=y"}}},
		mail{from: "fake-agency.gov.example"},
		"fail unauthenticated; org fake-agency.gov.example; psd:gov.example np=reject; then reject",
	},

	// Section 4.10.2: the organizational domain.
	{
		"4.10.2", "ExampleFewestLabels",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=none"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.mail.example.com"},
		"fail unauthenticated; org example.com; organizational:example.com p=reject; then reject",
	},
	{
		"4.10.2", "ExamplePSDNo",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=quarantine; psd=n"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.mail.example.com", dkim: []string{"example.com", "b.mail.example.com"}},
		"pass aligned; org mail.example.com; organizational:mail.example.com p=quarantine; dkim other-org example.com; dkim same-org mail.example.com; then none",
	},
	{
		"4.10.2", "ExamplePSDYesAtTheTop",
		world{txt: txt{"_dmarc.com": {"v=DMARC1; p=none; psd=y"}}},
		mail{from: "a.mail.example.com", spf: "example.com"},
		"pass aligned; org example.com; psd:com p=none; spf same-org example.com; then none",
	},
	{
		"4.10.2", "NoRecordAboveTheAuthor",
		world{txt: txt{"_dmarc.mail.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "mail.example.com", spf: "bounce.example.com", dkim: []string{"example.com"}},
		"fail not-aligned; org mail.example.com; author:mail.example.com p=reject; spf other-org bounce.example.com; dkim other-org example.com; then reject",
	},
	{
		"4.10.2", "PSDNoAtTheAuthorShutsOutTheParent",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=reject; psd=n"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}},
		mail{from: "mail.example.com", dkim: []string{"example.com"}},
		"fail not-aligned; org mail.example.com; author:mail.example.com p=reject; dkim other-org example.com; then reject",
	},
	{
		"4.10.2", "PSDYesAtTheStartIsItsOwnOrganization",
		world{txt: txt{"_dmarc.bank.example": {"v=DMARC1; p=reject; sp=none; psd=y"}}},
		mail{from: "bank.example", spf: "mail.bank.example"},
		"fail not-aligned; org bank.example; author:bank.example p=reject; spf other-org mail.bank.example; then reject",
	},
	{
		"4.10.2", "TwoRegistrantsOfOnePSD",
		world{txt: txt{"_dmarc.bank.example": {"v=DMARC1; p=reject; psd=y"}}},
		mail{from: "giant.bank.example", spf: "bank.example", dkim: []string{"mega.bank.example"}},
		"fail not-aligned; org giant.bank.example; psd:bank.example p=reject; spf other-org bank.example; dkim other-org mega.bank.example; then reject",
	},
	{
		"4.10.2", "EachIdentifierHasItsOwnWalk",
		world{txt: txt{
			"_dmarc.dept.example.com": {"v=DMARC1; p=none; psd=n"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}},
		mail{from: "example.com", spf: "mail.dept.example.com"},
		"fail not-aligned; org example.com; author:example.com p=reject; spf other-org dept.example.com; then reject",
	},
	{
		"4.10.2", "CommonDomainWithARecordNeedsNoWalk",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=reject"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}, faults: map[string]resolve.RCode{"_dmarc.example.com": resolve.ServFail}},
		mail{from: "mail.example.com", spf: "mail.example.com", dkim: []string{"mail.example.com"}},
		"pass aligned; author:mail.example.com p=reject; spf identical; dkim identical; then none",
	},
	{
		"11.8", "AnAttackerBelowAnotherOrganizationalDomain",
		world{txt: txt{
			"_dmarc.mail.example.com": {"v=DMARC1; p=reject; psd=n"},
			"_dmarc.example.com":      {"v=DMARC1; p=reject"},
		}},
		mail{from: "a.mail.example.com", spf: "evil.example.com"},
		"fail not-aligned; org mail.example.com; organizational:mail.example.com p=reject; spf other-org example.com; then reject",
	},

	// Section 5.3: what a receiver does.
	{
		"5.3.1", "ULabelsBecomeALabels",
		world{txt: txt{"_dmarc.xn--fsq.example": {"v=DMARC1; p=reject"}}},
		mail{from: "例.example", dkim: []string{"xn--fsq.example"}},
		"pass aligned; org xn--fsq.example; author:xn--fsq.example p=reject; dkim identical xn--fsq.example; then none",
	},
	{
		"5.3.1", "NoDomain",
		world{},
		mail{spf: "example.com"},
		"none no-from; then none",
	},
	{
		"5.3.1", "OneDomainTwice",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com,Example.com.", spf: "example.com"},
		"pass aligned; org example.com; author:example.com p=reject; spf identical example.com; then none",
	},
	{
		"11.5", "SeveralDomains",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}, "_dmarc.example.net": {"v=DMARC1; p=none"}}},
		mail{from: "example.net,example.com", spf: "example.net"},
		"none many-from; then reject",
	},
	{
		"5.3.1", "AddressLiteral",
		world{},
		mail{from: "[192.0.2.1]", spf: "example.com"},
		"none bad-from; then none",
	},
	{
		"5.3.6", "DNSErrorAtTheAuthor",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.a.example.com": resolve.ServFail}},
		mail{from: "a.example.com", dkim: []string{"a.example.com"}},
		"temperror dns; then none",
	},
	{
		"5.3.6", "DNSErrorAboveTheAuthor",
		world{faults: map[string]resolve.RCode{"_dmarc.example.com": resolve.Timeout}},
		mail{from: "a.example.com", dkim: []string{"a.example.com"}},
		"temperror dns; then none",
	},
	{
		"5.3.6", "DNSErrorAboveTheAuthorsRecordMatters",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.com": resolve.ServFail}},
		mail{from: "example.com", dkim: []string{"mail.example.com"}},
		"temperror dns; author:example.com p=reject; dkim unknown; then none",
	},
	{
		"5.3.6", "DNSErrorAboveTheAuthorsRecordDoesNotHelpAnotherTree",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.com": resolve.ServFail}},
		mail{from: "example.com", dkim: []string{"attacker.example"}},
		"fail not-aligned; author:example.com p=reject; dkim other-org attacker.example; then reject",
	},
	{
		"5.3.6", "DNSErrorOfAnIdentifier",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.mail.example.com": resolve.ServFail}},
		mail{from: "example.com", dkim: []string{"mail.example.com"}},
		"temperror dns; org example.com; author:example.com p=reject; dkim unknown; then none",
	},
	{
		"5.3.6", "DNSErrorOfAnIdentifierBesideAnAlignedOne",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.mail.example.com": resolve.ServFail}},
		mail{from: "example.com", spf: "bounce.example.com", dkim: []string{"mail.example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; dkim unknown; then none",
	},
	{
		"5.3.6", "DNSErrorDoesNotMatterForStrict",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s"}}, faults: map[string]resolve.RCode{"_dmarc.mail.example.com": resolve.ServFail}},
		mail{from: "example.com", dkim: []string{"mail.example.com"}},
		"fail not-aligned; org example.com; author:example.com p=reject; dkim strict; then reject",
	},
	{
		"5.3.6", "TemporaryErrorOfAnAlignedSignature",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", spf: "example.net", dkim: []string{"mail.example.com temperror"}},
		"temperror identifier; org example.com; author:example.com p=reject; spf other-org example.net; dkim same-org example.com; then none",
	},
	{
		"5.3.6", "TemporaryErrorOfAnotherDomainDoesNotMatter",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", dkim: []string{"example.net temperror"}},
		"fail unauthenticated; org example.com; author:example.com p=reject; dkim other-org; then reject",
	},
	{
		"5.3.6", "ExistenceUnknown",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; np=reject"}}, faults: map[string]resolve.RCode{"a.example.com": resolve.ServFail}},
		mail{from: "a.example.com", dkim: []string{"example.net"}},
		"temperror existence; org example.com; organizational:example.com p=none; dkim other-org example.net; then none",
	},
	{
		"5.3.6", "ExistenceDoesNotMatterForAPass",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; np=reject"}}, faults: map[string]resolve.RCode{"a.example.com": resolve.ServFail}},
		mail{from: "a.example.com", dkim: []string{"example.com"}},
		"pass aligned; org example.com; organizational:example.com p=none; dkim same-org example.com; then none",
	},
	{
		"5.3.6", "PermanentDNSError",
		world{faults: map[string]resolve.RCode{"_dmarc.example.com": resolve.Loop}},
		mail{from: "example.com", dkim: []string{"example.com"}},
		"permerror dns; then none",
	},

	// Appendix B.
	{
		"B.1.1", "Example1Strict",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; aspf=s"}}},
		mail{from: "example.com", spf: "example.com"},
		"pass aligned; org example.com; author:example.com p=reject; spf identical example.com; then none",
	},
	{
		"B.1.1", "Example2Relaxed",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "example.com", spf: "child.example.com"},
		"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; then none",
	},
	{
		"B.1.1", "Example3None",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "child.example.com", spf: "example.net"},
		"fail not-aligned; org example.com; organizational:example.com p=reject; spf other-org example.net; then reject",
	},
	{
		"B.1.2", "Example1Strict",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s"}}},
		mail{from: "example.com", dkim: []string{"example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; dkim identical example.com; then none",
	},
	{
		"B.1.2", "Example2Relaxed",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "child.example.com", dkim: []string{"example.com"}},
		"pass aligned; org example.com; organizational:example.com p=reject; dkim same-org example.com; then none",
	},
	{
		"B.1.2", "Example3None",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}},
		mail{from: "child.example.com", dkim: []string{"example.net"}},
		"fail not-aligned; org example.com; organizational:example.com p=reject; dkim other-org example.net; then reject",
	},
	{
		"B.2.1", "MonitoringMode",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com"}}},
		mail{from: "example.com"},
		"fail unauthenticated; org example.com; author:example.com p=none; then none",
	},
	{
		"B.2.5", "SubdomainInTestMode",
		world{txt: txt{
			"_dmarc.test.example.com": {"v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net; t=y"},
			"_dmarc.example.com":      {"v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com"},
		}},
		mail{from: "test.example.com"},
		"fail unauthenticated; org example.com; author:test.example.com p=quarantine>none; then none",
	},
	{
		"B.3.1", "SMTPSession",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com"}}},
		mail{from: "example.com", spf: "mail.example.com", dkim: []string{"example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; dkim identical example.com; then none",
	},
	{
		"B.4.1", "Simple",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}, "_dmarc.signing.example.com": {"v=DMARC1; p=none"}}},
		mail{from: "example.com", spf: "example.com", dkim: []string{"signing.example.com"}},
		"pass aligned; org example.com; author:example.com p=reject; spf identical example.com; dkim same-org example.com; then none",
	},
	{
		"B.4.2", "Deep",
		world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}, "_dmarc.signing.example.com": {"v=DMARC1; p=none"}}},
		mail{from: "a.b.c.d.e.f.g.h.i.j.k.example.com", spf: "example.com", dkim: []string{"signing.example.com"}},
		"pass aligned; org example.com; organizational:example.com p=reject; spf same-org example.com; dkim same-org example.com; then none",
	},
	{
		"B.4.3", "PSD",
		world{txt: txt{"_dmarc.bank.example": {"v=DMARC1; p=reject; psd=y"}, "_dmarc.giant.bank.example": {"v=DMARC1; p=quarantine"}}},
		mail{from: "giant.bank.example", spf: "mail.giant.bank.example", dkim: []string{"mail.mega.bank.example"}},
		"pass aligned; org giant.bank.example; author:giant.bank.example p=quarantine; spf same-org giant.bank.example; dkim other-org mega.bank.example; then none",
	},
}

func TestConformanceRFC9989(t *testing.T) {
	passed := 0
	for _, tc := range conformance {
		ok := t.Run(tc.section+"/"+tc.name, func(t *testing.T) {
			got := summary(dmarc.Evaluate(context.Background(), tc.world.zone(t), tc.mail.input(), nil))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
		if ok {
			passed++
		}
	}
	t.Logf("RFC 9989 rules and examples: %d of %d", passed, len(conformance))
}

// TestConformanceRFC9989Walk checks the names that a walk asks for, in order.
func TestConformanceRFC9989Walk(t *testing.T) {
	asks := func(domains ...string) []string {
		for i, d := range domains {
			domains[i] = "_dmarc." + d
		}
		return domains
	}
	for _, tc := range []struct {
		section, name string
		world         world
		from          string
		want          []string
		stop          dmarc.Stop
		why           dmarc.OrgReason
	}{
		{
			"4.10", "Example", world{}, "a.b.c.d.e.f.g.h.i.j.mail.example.com",
			asks("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgStart,
		},
		{
			"4.10", "EightLabels", world{}, "a.b.c.d.e.f.example.com",
			asks("a.b.c.d.e.f.example.com", "b.c.d.e.f.example.com", "c.d.e.f.example.com", "d.e.f.example.com", "e.f.example.com", "f.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgStart,
		},
		{
			"4.10", "NineLabels", world{}, "x.a.b.c.d.e.f.example.com",
			asks("x.a.b.c.d.e.f.example.com", "b.c.d.e.f.example.com", "c.d.e.f.example.com", "d.e.f.example.com", "e.f.example.com", "f.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgStart,
		},
		{
			"4.10", "SevenLabels", world{}, "b.c.d.e.f.example.com",
			asks("b.c.d.e.f.example.com", "c.d.e.f.example.com", "d.e.f.example.com", "e.f.example.com", "f.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgStart,
		},
		{"4.10", "OneLabel", world{}, "localhost", asks("localhost"), dmarc.StopTop, dmarc.OrgStart},
		{
			"5.1.7", "ZoneCut", world{txt: txt{"_dmarc.b.c.d.e.f.g.example.com": {"v=DMARC1; psd=n; p=none"}}}, "mail.a.b.c.d.e.f.g.example.com",
			asks("mail.a.b.c.d.e.f.g.example.com", "c.d.e.f.g.example.com", "d.e.f.g.example.com", "e.f.g.example.com", "f.g.example.com", "g.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgStart,
		},
		{
			"4.10", "StopsAtPSDYes", world{txt: txt{"_dmarc.bank.example": {"v=DMARC1; p=reject; psd=y"}, "_dmarc.example": {"v=DMARC1; p=none"}}}, "mail.giant.bank.example",
			asks("mail.giant.bank.example", "giant.bank.example", "bank.example"), dmarc.StopPSD, dmarc.OrgPSDYes,
		},
		{
			"4.10", "StopsAtPSDNoAtTheStart", world{txt: txt{"_dmarc.a.example": {"v=DMARC1; p=reject; psd=n"}}}, "a.example",
			asks("a.example"), dmarc.StopPSD, dmarc.OrgPSDNo,
		},
		{
			"4.10", "PSDUnknownDoesNotStop", world{txt: txt{"_dmarc.a.example": {"v=DMARC1; p=reject; psd=u"}}}, "a.example",
			asks("a.example", "example"), dmarc.StopTop, dmarc.OrgFewest,
		},
		{
			"4.10", "StopsWhereDNSFails", world{faults: map[string]resolve.RCode{"_dmarc.example.com": resolve.Refused}}, "a.example.com",
			asks("a.example.com", "example.com"), dmarc.StopDNS, "",
		},
		{
			"B.4.2", "Deep", world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=none"}}}, "a.b.c.d.e.f.g.h.i.j.k.example.com",
			asks("a.b.c.d.e.f.g.h.i.j.k.example.com", "g.h.i.j.k.example.com", "h.i.j.k.example.com", "i.j.k.example.com", "j.k.example.com", "k.example.com", "example.com", "com"),
			dmarc.StopTop, dmarc.OrgFewest,
		},
	} {
		t.Run(tc.section+"/"+tc.name, func(t *testing.T) {
			trace := resolve.NewTrace(tc.world.zone(t))
			r := dmarc.Evaluate(context.Background(), trace, dmarc.Input{From: []string{tc.from}}, nil)
			var asked, steps []string
			for _, a := range trace.Answers() {
				asked = append(asked, a.Name)
			}
			for _, s := range r.Walk.Steps {
				steps = append(steps, s.Name)
			}
			if diff := cmp.Diff(tc.want, steps); diff != "" {
				t.Error(diff)
			}
			if !slices.Equal(steps, asked) {
				t.Errorf("steps %v, asked %v", steps, asked)
			}
			if r.Walk.Stop != tc.stop || r.Walk.OrgReason != tc.why {
				t.Errorf("stop %q because of %q, want %q %q", r.Walk.Stop, r.Walk.OrgReason, tc.stop, tc.why)
			}
		})
	}
}
