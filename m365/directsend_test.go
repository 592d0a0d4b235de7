package m365_test

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type decisionCase struct {
	name       string
	mail       string // attack unless given
	edits      []edit
	facts      func(*org.Facts)
	verdict    m365.Verdict
	confidence m365.Confidence
}

func (c decisionCase) text(t testing.TB) string {
	t.Helper()
	mail := c.mail
	if mail == "" {
		mail = attack
	}
	return apply(t, mail, c.edits...)
}

func (c decisionCase) org() *org.Facts {
	f := facts()
	if c.facts != nil {
		c.facts(f)
	}
	return f
}

const (
	unsigned   = "dkim=none (message not signed)\n header.d=none"
	dmarcFail  = "dmarc=fail action=none"
	dmarcPass  = "dmarc=pass action=none"
	spoofed    = "compauth=fail reason=601"
	ownSender  = "smtp.mailfrom=kiso-works.example"
	gatewayRow = "Received: from mx.sender.test (203.0.113.99) by gate.filter.test (192.0.2.9) with ESMTPS id 1; Mon, 2 Nov 2026 00:59:59 +0000"
	listFields = "List-Id: Talk <talk.lists.test>\nSender: talk-bounces@lists.test"
	report     = "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
	reportBody = "--b\nContent-Type: text/plain\n\nnot delivered\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.kiso-works.example\n\nFinal-Recipient: rfc822; x@partner.example\nAction: failed\nStatus: 5.1.1\n--b--"
)

// gateway makes the mail come through the organisation's filter, which wrote
// results of its own.
func gateway(behind string) []edit {
	return edits(
		client("192.0.2.9", "gate.filter.test"),
		edit{"From: \"Keiri\"", behind + "\n" + gatewayRow + "\nFrom: \"Keiri\""},
	)
}

var cases = []decisionCase{
	{name: "DirectSendAbuse", verdict: m365.DS1, confidence: m365.High},
	{
		name:    "UnknownDevice",
		edits:   edits(results("fail", ownSender, unsigned, dmarcFail, spoofed), below("X-Mailer: RICOH MP C3004")),
		verdict: m365.DS1, confidence: m365.Medium,
	},
	{
		name:    "UnknownDeviceWithoutCode",
		edits:   edits(results("softfail", ownSender, unsigned, dmarcFail, "compauth=none reason=301"), client("198.51.100.77", "mfp.kiso-works.example")),
		verdict: m365.DS1, confidence: m365.Medium,
	},
	{
		name:    "ForeignMailFrom",
		edits:   edits(results("none", "smtp.mailfrom=evil.test", unsigned, dmarcFail, spoofed), mailFrom("x@evil.test", "evil.test")),
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name:    "NullSender",
		edits:   edits(results("none", "smtp.helo=WIN-8K2", unsigned, dmarcFail, spoofed), mailFrom("<>", "WIN-8K2")),
		verdict: m365.DS3, confidence: m365.High,
	},
	{
		name:  "BypassedInComplexRouting",
		edits: results("fail", ownSender, unsigned, dmarcFail, "compauth=none reason=451"),
		facts: func(f *org.Facts) {
			f.MX = org.Of([]string{"mx.filter.test"})
		},
		verdict: m365.DS1, confidence: m365.High,
	},
	{
		name:    "MicrosoftsOwnLabel",
		edits:   edits(results("fail", ownSender, unsigned, dmarcFail, "compauth=none reason=301"), edit{"X-MS-Exchange-Organization-AuthAs", "X-MS-Exchange-Organization-IsAnonymousDirectSend: True\nX-MS-Exchange-Organization-AuthAs"}),
		verdict: m365.DS1, confidence: m365.High,
	},
	{name: "Internal", mail: internalMail, verdict: m365.Internal, confidence: m365.High},
	{
		name:    "InternalByTenant",
		edits:   []edit{{"X-MS-Exchange-CrossTenant-AuthAs: Anonymous", "X-MS-Exchange-CrossTenant-AuthAs: Internal"}},
		verdict: m365.Internal, confidence: m365.Medium,
	},
	{
		name:    "ScannerViaConnector",
		edits:   client("203.0.113.10", "scanner"),
		verdict: m365.ViaConnector, confidence: m365.High,
	},
	{
		name:    "ScannerViaConnectorInternal",
		edits:   edits(client("203.0.113.10", "scanner"), edit{"Organization-AuthAs: Anonymous", "Organization-AuthAs: Internal"}),
		verdict: m365.ViaConnector, confidence: m365.High,
	},
	{
		name:  "ConnectorByCertificate",
		edits: []edit{{"15.20.9000.1 via Frontend Transport; Mon, 2 Nov 2026 01:00:00", "15.20.9000.1 (Client CN \"mail.kiso-works.example\", Issuer \"x\") via Frontend Transport; Mon, 2 Nov 2026 01:00:00"}},
		facts: func(f *org.Facts) {
			f.Connectors = org.Of([]org.Connector{{Name: "hybrid", Type: "on-premises", Certificates: []string{"*.kiso-works.example"}}})
		},
		verdict: m365.ViaConnector, confidence: m365.High,
	},
	{
		name:    "AuthorisedDevice",
		edits:   results("pass", ownSender, unsigned, dmarcPass, "compauth=pass reason=100"),
		verdict: m365.AuthorisedDevice, confidence: m365.High,
	},
	{
		name:    "SignedService",
		edits:   edits(results("pass", "smtp.mailfrom=survey.example", "dkim=pass (signature was verified)\n header.d=kiso-works.example", dmarcPass, "compauth=pass reason=100"), mailFrom("b@survey.example", "survey.example")),
		verdict: m365.AuthenticatedExternal, confidence: m365.High,
	},
	{
		name:    "UnalignedService",
		edits:   edits(results("pass", "smtp.mailfrom=survey.example", "dkim=pass (signature was verified)\n header.d=survey.example", dmarcFail, spoofed), mailFrom("b@survey.example", "survey.example")),
		verdict: m365.DS2, confidence: m365.Medium,
	},
	{
		name:  "AllowedService",
		edits: edits(results("pass", "smtp.mailfrom=survey.example", "dkim=pass (signature was verified)\n header.d=survey.example", dmarcFail, spoofed), mailFrom("b@survey.example", "survey.example")),
		facts: func(f *org.Facts) {
			f.Allow = org.Of([]org.AllowPair{{From: "kiso-works.example", DKIM: "survey.example"}})
		},
		verdict: m365.AuthenticatedExternal, confidence: m365.High,
	},
	{
		name:    "ListPostWithTrustedARC",
		edits:   edits(results("pass", "smtp.mailfrom=lists.test", unsigned, dmarcFail, "compauth=pass reason=130"), mailFrom("b@lists.test", "lists.test"), below(listFields)),
		verdict: m365.ListOrForward, confidence: m365.High,
	},
	{
		name: "ListPostSignedByList",
		edits: edits(results("pass", "smtp.mailfrom=lists.test", "dkim=pass (signature was verified)\n header.d=lists.test", dmarcFail, spoofed),
			mailFrom("b@lists.test", "lists.test"), below(listFields), edit{"To: <sato@kiso-works.example>", "To: talk@lists.test"}),
		verdict: m365.ListOrForward, confidence: m365.Low,
	},
	{
		name: "ListPostWithChain",
		edits: edits(results("pass", "smtp.mailfrom=lists.test", unsigned, dmarcFail, "arc=pass (0 oda=1);compauth=none reason=405"),
			mailFrom("b@lists.test", "lists.test"), below(listFields),
			below("ARC-Seal: i=1; a=rsa-sha256; d=lists.test; s=a; cv=none; b=eA==\nARC-Authentication-Results: i=1; lists.test; dmarc=pass header.from=kiso-works.example")),
		facts:   func(f *org.Facts) { f.ARCSealers = org.Of([]string{"lists.test"}) },
		verdict: m365.ListOrForward, confidence: m365.Medium,
	},
	{
		name:    "ForgedList",
		edits:   edits(results("none", "smtp.mailfrom=evil.test", unsigned, dmarcFail, spoofed), mailFrom("x@evil.test", "evil.test"), below(listFields)),
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name: "ForgedChain",
		edits: edits(results("none", "smtp.mailfrom=evil.test", unsigned, dmarcFail, spoofed), mailFrom("x@evil.test", "evil.test"),
			below("ARC-Seal: i=1; a=rsa-sha256; d=microsoft.com; s=a; cv=none; b=eA==\nARC-Authentication-Results: i=1; mx.microsoft.com 1; arc=pass; dmarc=pass header.from=kiso-works.example")),
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name: "ChainOfAStranger",
		edits: edits(results("pass", "smtp.mailfrom=evil.test", unsigned, dmarcFail, "arc=pass (0 oda=1);compauth=none reason=405"), mailFrom("x@evil.test", "evil.test"),
			below("ARC-Seal: i=1; a=rsa-sha256; d=evil.test; s=a; cv=none; b=eA==\nARC-Authentication-Results: i=1; evil.test; dmarc=pass header.from=kiso-works.example")),
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name: "AutoForwardBack",
		edits: edits(results("pass", "smtp.mailfrom=forward.test", unsigned, dmarcFail, "compauth=fail reason=001"),
			mailFrom("SRS0=aB1=XY=kiso-works.example=keiri@forward.test", "forward.test")),
		verdict: m365.ListOrForward, confidence: m365.Low,
	},
	{
		name: "AutoForwardOfAnotherTenant",
		edits: edits(results("pass", "smtp.mailfrom=partner.example", unsigned, dmarcFail, "compauth=none reason=405"),
			mailFrom("taro+SRS=aB1cD=XY=kiso-works.example=keiri@partner.example", "partner.example"), client("40.107.1.2", "mail-ty.outbound.protection.outlook.com")),
		verdict: m365.ListOrForward, confidence: m365.Low,
	},
	{
		name: "ForgedForward",
		edits: edits(results("fail", "smtp.mailfrom=forward.test", unsigned, dmarcFail, spoofed),
			mailFrom("SRS0=aB1=XY=kiso-works.example=keiri@forward.test", "forward.test"), below("Resent-From: a@partner.example\nAuto-Submitted: auto-generated")),
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name: "HybridRelay",
		edits: edits(client("203.0.113.10", "mail.kiso-works.example"), edit{"Organization-AuthAs: Anonymous", "Organization-AuthAs: Internal"},
			edit{"FromEntityHeader: Internet", "FromEntityHeader: HybridOnPrem"}),
		verdict: m365.Internal, confidence: m365.High,
	},
	{
		name:    "HybridRelayBroken",
		edits:   edits(client("203.0.113.10", "mail.kiso-works.example"), edit{"FromEntityHeader: Internet", "FromEntityHeader: HybridOnPrem"}),
		verdict: m365.ViaConnector, confidence: m365.High,
	},
	{
		name:    "GatewayBrokeAuthentication",
		edits:   edits(results("fail", ownSender, unsigned, dmarcFail, "compauth=none reason=905"), gateway("Authentication-Results-Original: gate.filter.test; spf=pass smtp.mailfrom=kiso-works.example; dmarc=pass header.from=kiso-works.example")),
		verdict: m365.GatewayBrokeAuth, confidence: m365.High,
	},
	{
		name:    "SpoofThroughGateway",
		edits:   edits(results("fail", ownSender, unsigned, dmarcFail, "compauth=none reason=905"), gateway("Authentication-Results-Original: gate.filter.test; spf=fail smtp.mailfrom=kiso-works.example; dmarc=fail header.from=kiso-works.example")),
		verdict: m365.SpoofThroughGateway, confidence: m365.High,
	},
	{
		name:    "GatewayAddressInOwnSPF",
		edits:   edits(results("pass", ownSender, unsigned, dmarcPass, "compauth=pass reason=100"), gateway("Authentication-Results-Original: gate.filter.test; spf=fail smtp.mailfrom=kiso-works.example; dmarc=fail header.from=kiso-works.example")),
		verdict: m365.SpoofThroughGateway, confidence: m365.Medium,
	},
	{
		name:    "SilentGateway",
		edits:   edits(results("fail", ownSender, unsigned, dmarcFail, "compauth=none reason=905"), gateway("X-Filter: scanned")),
		verdict: m365.SpoofThroughGateway, confidence: m365.Low,
	},
	{
		name: "SkipListedSource",
		edits: edits(results("pass", ownSender, unsigned, dmarcPass, "compauth=pass reason=100"), gateway("X-Filter: scanned"),
			edit{"X-MS-Exchange-CrossTenant-Id", "X-MS-Exchange-SkipListedInternetSender: ip=[203.0.113.99];domain=mx.sender.test\nX-MS-Exchange-CrossTenant-Id"}),
		verdict: m365.AuthorisedDevice, confidence: m365.High,
	},
	{
		name:    "PastTheFilter",
		facts:   func(f *org.Facts) { f.MX = org.Of([]string{"mx.filter.test"}) },
		verdict: m365.DS1, confidence: m365.High,
	},
	{
		name: "CalendarForward",
		edits: edits(results("pass", "smtp.mailfrom=partner.example", unsigned, dmarcFail, "compauth=fail reason=601"), mailFrom("jiro@partner.example", "partner.example"),
			below("Sender: jiro@partner.example"), edit{"Content-Type: text/plain; charset=utf-8", "Content-Type: text/calendar; method=REQUEST; charset=utf-8"}),
		verdict: m365.DS2, confidence: m365.Low,
	},
	{
		name: "MicrosoftService",
		edits: edits(results("pass", "smtp.mailfrom=microsoft.com", "dkim=pass (signature was verified)\n header.d=microsoft.com", dmarcPass, "compauth=pass reason=100"),
			mailFrom("no-reply@microsoft.com", "microsoft.com"), edit{"<keiri@kiso-works.example>", "<no-reply@teams.mail.microsoft.com>"}),
		verdict: m365.OutOfScope, confidence: m365.High,
	},
	{
		name: "SharedTenant",
		edits: edits(results("none", ownSender, unsigned, dmarcFail, "compauth=pass reason=115"), client("40.107.1.2", "mail-ty.outbound.protection.outlook.com"),
			edit{"CrossTenant-Id: " + tenant, "CrossTenant-Id: " + sister}),
		facts:   func(f *org.Facts) { f.SharedTenants = org.Of([]string{sister}) },
		verdict: m365.AuthenticatedExternal, confidence: m365.High,
	},
	{
		name:    "BounceByCode",
		edits:   edits(results("none", "smtp.helo=mx.kiso-works.example", unsigned, dmarcFail, "compauth=pass reason=501"), mailFrom("<>", "mx.kiso-works.example")),
		verdict: m365.NDR, confidence: m365.High,
	},
	{
		name: "BounceByForm",
		edits: edits(results("none", "smtp.helo=mx.kiso-works.example", unsigned, dmarcFail, "compauth=none reason=301"), mailFrom("<>", "mx.kiso-works.example"),
			edit{"Content-Type: text/plain; charset=utf-8", report}, edit{"Please sign in.", reportBody}),
		verdict: m365.NDR, confidence: m365.Medium,
	},
	{
		name: "ForgedBounce",
		edits: edits(results("none", "smtp.helo=WIN-8K2", unsigned, dmarcFail, spoofed), mailFrom("<>", "WIN-8K2"),
			edit{"Content-Type: text/plain; charset=utf-8", report}, edit{"Please sign in.", reportBody}),
		verdict: m365.DS3, confidence: m365.High,
	},
	{
		name:    "SubdomainOfOurs",
		edits:   []edit{{"<keiri@kiso-works.example>", "<keiri@mail.kiso-works.example>"}},
		verdict: m365.DS1, confidence: m365.High,
	},
	{
		name:    "SecondFromAddress",
		edits:   []edit{{"From: \"Keiri\" <keiri@kiso-works.example>", "From: news@partner.example, \"Keiri\" <keiri@kiso-works.example>"}},
		verdict: m365.DS1, confidence: m365.High,
	},
	{
		name:    "SecondFromField",
		edits:   []edit{{"From: \"Keiri\"", "From: news@partner.example\nFrom: \"Keiri\""}},
		verdict: m365.DS1, confidence: m365.High,
	},
	{
		name:    "OwnAddressInTheNameOnly",
		edits:   []edit{{"From: \"Keiri\" <keiri@kiso-works.example>", "From: \"keiri@kiso-works.example\" <x@evil.test>"}},
		verdict: m365.OutOfScope, confidence: m365.High,
	},
	{
		name: "InternationalDomain",
		edits: edits(results("fail", "smtp.mailfrom=evil.test", unsigned, dmarcFail, spoofed), mailFrom("x@evil.test", "evil.test"),
			edit{"<keiri@kiso-works.example>", "<keiri@ウィキペディア.example>"}),
		facts:   func(f *org.Facts) { f.Domains = org.Of([]string{"xn--cckbak0byl6e.example"}) },
		verdict: m365.DS2, confidence: m365.High,
	},
	{
		name:    "NotExported",
		edits:   []edit{{"Received: from TY0PR01MB0001", "Received: from mail-ty.outbound.protection.outlook.com (40.107.1.2) by mx.elsewhere.test with ESMTPS id 2; Mon, 2 Nov 2026 01:00:05 +0000\nReceived: from TY0PR01MB0001"}},
		verdict: m365.NotDecidable, confidence: m365.High,
	},
	{name: "NoHeader", mail: "\nonly text\n", verdict: m365.NotDecidable, confidence: m365.High},
}

func TestDirectSend(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			mail := tc.text(t)
			m := parse(mail)
			d := m365.DirectSend(m365.Input{Message: m, Facts: tc.org()})
			got := fmt.Sprint(d.Verdict, " ", d.Confidence)
			if want := fmt.Sprint(tc.verdict, " ", tc.confidence); got != want {
				t.Errorf("got %s, want %s\n%s", got, want, steps(d))
			}
			for _, s := range d.Steps {
				for _, e := range s.Evidence {
					w := e.Where
					raw := string(m.Raw())
					if w.Length == 0 || raw[w.Offset:w.Offset+w.Length] != e.Quote || e.Note.IsZero() {
						t.Errorf("%s: evidence %+v does not stand there, or nobody says who wrote it", s.Step, e)
					}
				}
			}
			golden(t, tc.name, steps(d)+showFindings(m365.Findings(m, d)))
		})
	}
}

func steps(d *m365.Decision) string {
	var b strings.Builder
	c := lang.Default()
	fmt.Fprintf(&b, "%s, confidence %s, presumed %v, self %v\n", d.Verdict, d.Confidence, d.Presumed, d.Self)
	for _, s := range d.Steps {
		fmt.Fprintf(&b, "%s %s\n", s.Step, c.Say(lang.EN, s.Result))
		for _, e := range s.Evidence {
			fmt.Fprintf(&b, "     %s (%d) | %s\n", strings.Join(strings.Fields(e.Quote), " "), e.Where.Index, c.Say(lang.EN, e.Note))
		}
	}
	for _, s := range d.Signals {
		fmt.Fprintf(&b, "%+d %s: %s\n", s.Weight, s.Name, c.Say(lang.EN, s.Message))
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Error(diff)
	}
}

func TestBrokenConnector(t *testing.T) {
	for _, tc := range cases {
		if tc.verdict != m365.ViaConnector {
			continue
		}
		d := decide(tc.text(t), tc.org())
		if want := tc.name == "HybridRelayBroken" || tc.name == "ConnectorByCertificate"; d.ConnectorBroken != want {
			t.Errorf("%s: broken %v", tc.name, d.ConnectorBroken)
		}
	}
}

// TestNothingBelowTheIngress puts what would excuse a mail among the sender's
// fields, where it must change nothing.
func TestNothingBelowTheIngress(t *testing.T) {
	forged := map[string]string{
		"AuthAs":          "X-MS-Exchange-Organization-AuthAs: Internal",
		"Organization":    "X-MS-Exchange-Organization-AuthAs: Internal\nX-MS-Exchange-Organization-AuthSource: x.prod.outlook.com\nX-MS-Exchange-Organization-MessageDirectionality: Originating\nX-MS-Exchange-Organization-Network-Message-Id: 1",
		"CrossTenant":     "X-MS-Exchange-CrossTenant-AuthAs: Internal\nX-MS-Exchange-CrossTenant-Id: " + tenant,
		"Results":         "Authentication-Results: spf=pass (sender IP is 198.51.100.77) smtp.mailfrom=kiso-works.example; dkim=pass header.d=kiso-works.example;dmarc=pass action=none header.from=kiso-works.example;compauth=pass reason=100",
		"ReceivedSPF":     "Received-SPF: Pass (protection.outlook.com: domain of kiso-works.example designates 198.51.100.77 as permitted sender) client-ip=198.51.100.77;",
		"ConnectorHop":    "Received: from printer (203.0.113.10) by TY1PEPF00000004.mail.protection.outlook.com (10.167.241.4) with Microsoft SMTP Server id 1; Mon, 2 Nov 2026 00:59:00 +0000",
		"SkipListed":      "X-MS-Exchange-SkipListedInternetSender: ip=[203.0.113.10];domain=x.test",
		"OriginalResults": "Authentication-Results-Original: gate.filter.test; dmarc=pass header.from=kiso-works.example",
		"ReturnPath":      "Return-Path: <>",
		"CompAuth":        "Authentication-Results: compauth=pass reason=130",
		"Bounce":          "Authentication-Results: compauth=none reason=501",
		"AntispamReport":  "X-Forefront-Antispam-Report: CIP:203.0.113.10;SFV:SKI;DIR:INT;",
		"HybridPromotion": "X-CrossPremisesHeadersPromoted: x\nX-MS-Exchange-CrossPremises-AuthAs: Internal",
		"OriginatorOrg":   "X-OriginatorOrg: kiso-works.example",
		"TrustedChain":    "ARC-Seal: i=1; a=rsa-sha256; d=microsoft.com; s=a; cv=none; b=eA==\nARC-Authentication-Results: i=1; mx.microsoft.com 1; dmarc=pass header.from=kiso-works.example",
	}
	places := map[string]func(mail, fields string) string{
		"UnderIngress":     func(mail, f string) string { return strings.Replace(mail, "\nFrom: ", "\n"+f+"\nFrom: ", 1) },
		"AboveContentType": func(mail, f string) string { return strings.Replace(mail, "Content-Type:", f+"\nContent-Type:", 1) },
		"BeforeReturnPath": func(mail, f string) string { return strings.Replace(mail, "Return-Path:", f+"\nReturn-Path:", 1) },
	}
	spoofs := 0
	for _, tc := range cases {
		if !tc.verdict.IsSpoof() {
			continue
		}
		spoofs++
		mail := tc.text(t)
		for place, put := range places {
			for name, fields := range forged {
				changed := put(mail, fields)
				if changed == mail {
					t.Fatalf("%s: nothing put at %s", tc.name, place)
				}
				if d := decide(changed, tc.org()); d.Verdict != tc.verdict {
					t.Errorf("%s with forged %s at %s: %s, want %s\n%s", tc.name, name, place, d.Verdict, tc.verdict, steps(d))
				}
			}
		}
	}
	if spoofs < 10 {
		t.Errorf("only %d spoofs tried", spoofs)
	}
}

// TestMutations changes one header field of a case and expects the decision to
// follow.
func TestMutations(t *testing.T) {
	byName := map[string]decisionCase{}
	for _, c := range cases {
		byName[c.name] = c
	}
	const results = "Authentication-Results: "
	// move takes a field from where it stands to under the ingress hop.
	move := func(name string) func(testing.TB, string) string {
		return func(t testing.TB, mail string) string {
			start := strings.Index(mail, "\n"+name) + 1
			if start == 0 {
				t.Fatalf("no field %s", name)
			}
			end := start
			for {
				end += strings.IndexByte(mail[end:], '\n') + 1
				if mail[end] != ' ' {
					break
				}
			}
			field := mail[start:end]
			mail = mail[:start] + mail[end:]
			return strings.Replace(mail, "From: \"Keiri\"", field+"From: \"Keiri\"", 1)
		}
	}
	swap := func(old, changed string) func(testing.TB, string) string {
		return func(t testing.TB, mail string) string { return apply(t, mail, edit{old, changed}) }
	}
	drop := func(prefix string) func(testing.TB, string) string {
		return func(t testing.TB, mail string) string {
			moved := move(prefix)(t, mail)
			start := strings.Index(moved, prefix)
			end := strings.Index(moved, "From: \"Keiri\"")
			return moved[:start] + moved[end:]
		}
	}
	noIngress := drop(ingressLine)
	for _, tc := range []struct {
		from, name string
		change     func(testing.TB, string) string
		facts      func(*org.Facts)
		want       m365.Verdict
	}{
		{"DirectSendAbuse", "NoIngress", noIngress, nil, m365.NotDecidable},
		{"DirectSendAbuse", "SignedIn", swap("Organization-AuthAs: Anonymous", "Organization-AuthAs: Internal"), nil, m365.Internal},
		{"DirectSendAbuse", "Originating", swap("Directionality: Incoming", "Directionality: Originating"), nil, m365.Internal},
		{"DirectSendAbuse", "OwnTenant", swap("CrossTenant-AuthAs: Anonymous", "CrossTenant-AuthAs: Internal"), nil, m365.Internal},
		{"DirectSendAbuse", "DMARCPass", swap("dmarc=fail", "dmarc=pass"), nil, m365.AuthenticatedExternal},
		{"DirectSendAbuse", "DKIMPass", swap(unsigned, "dkim=pass (signature was verified)\n header.d=kiso-works.example"), nil, m365.AuthenticatedExternal},
		{"DirectSendAbuse", "DKIMPassElsewhere", swap(unsigned, "dkim=pass (signature was verified)\n header.d=evil.test"), nil, m365.DS1},
		{"DirectSendAbuse", "SPFPass", swap("spf=fail", "spf=pass"), nil, m365.AuthorisedDevice},
		{"DirectSendAbuse", "TrustedForwarder", swap("compauth=fail reason=601", "compauth=pass reason=130"), nil, m365.ListOrForward},
		{"DirectSendAbuse", "Bounce", swap("compauth=fail reason=601", "compauth=none reason=502"), nil, m365.NDR},
		{"DirectSendAbuse", "SharedTenant", swap("compauth=fail reason=601", "compauth=pass reason=115"), nil, m365.AuthenticatedExternal},
		{"DirectSendAbuse", "ForeignFrom", swap("<keiri@kiso-works.example>", "<a@partner.example>"), nil, m365.OutOfScope},
		{"DirectSendAbuse", "ForeignMailFrom", swap("smtp.mailfrom=kiso-works.example", "smtp.mailfrom=evil.test"), nil, m365.DS2},
		{"DirectSendAbuse", "FromConnector", swap("from WIN-8K2 (198.51.100.77)", "from WIN-8K2 (203.0.113.10)"), nil, m365.ViaConnector},
		{"DirectSendAbuse", "FromGateway", swap("from WIN-8K2 (198.51.100.77)", "from WIN-8K2 (192.0.2.5)"), nil, m365.SpoofThroughGateway},
		{"DirectSendAbuse", "ResultsBelow", move(results), nil, m365.DS1},
		{"DirectSendAbuse", "AuthAsBelow", move("X-MS-Exchange-Organization-AuthAs"), nil, m365.DS1},
		{"DirectSendAbuse", "ConnectorConfigured", swap("Please", "Please"), func(f *org.Facts) {
			f.Connectors = org.Of([]org.Connector{{Name: "new", IPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.77/32")}}})
		}, m365.ViaConnector},
		{"DirectSendAbuse", "NothingConfigured", swap("Please", "Please"), func(f *org.Facts) { *f = org.Facts{} }, m365.OutOfScope},
		{"ForeignMailFrom", "NoIngress", noIngress, nil, m365.NotDecidable},
		{"ForeignMailFrom", "OwnMailFrom", swap("smtp.mailfrom=evil.test", "smtp.mailfrom=kiso-works.example"), nil, m365.DS1},
		{"NullSender", "NoIngress", noIngress, nil, m365.NotDecidable},
		{"NullSender", "KnownBounce", swap("compauth=fail reason=601", "compauth=none reason=501"), nil, m365.NDR},
		{"Internal", "Anonymous", swap("AuthAs: Internal", "AuthAs: Anonymous"), nil, m365.NotDecidable},
		{"InternalByTenant", "AnotherTenant", swap("CrossTenant-Id: "+tenant, "CrossTenant-Id: "+sister), nil, m365.DS1},
		{"InternalByTenant", "Below", move("X-MS-Exchange-CrossTenant-AuthAs"), nil, m365.DS1},
		{"ScannerViaConnector", "OtherAddress", swap("from scanner (203.0.113.10)", "from scanner (203.0.113.11)"), nil, m365.DS1},
		{"HybridRelay", "Anonymous", swap("Organization-AuthAs: Internal", "Organization-AuthAs: Anonymous"), nil, m365.ViaConnector},
		{"HybridRelay", "NotHybrid", swap("HybridOnPrem", "Internet"), nil, m365.ViaConnector},
		{"ScannerViaConnector", "NoIngress", drop("Received: from scanner"), nil, m365.NotDecidable},
		{"ConnectorByCertificate", "OtherCertificate", swap("mail.kiso-works.example\"", "mail.evil.test\""), nil, m365.DS1},
		{"AuthorisedDevice", "SPFFail", swap("spf=pass", "spf=fail"), nil, m365.AuthenticatedExternal}, // dmarc=pass still stands
		{"AuthorisedDevice", "ResultsBelow", move(results), nil, m365.AuthorisedDevice},                // Received-SPF still stands
		{"AuthorisedDevice", "NoIngress", noIngress, nil, m365.NotDecidable},
		{"SignedService", "ResultsBelow", move(results), nil, m365.DS2},
		{"SignedService", "AnotherSigner", swap("header.d=kiso-works.example", "header.d=survey.example"), nil, m365.AuthenticatedExternal}, // dmarc=pass
		{"UnalignedService", "SignsForUs", swap("header.d=survey.example", "header.d=kiso-works.example"), nil, m365.AuthenticatedExternal},
		{"AllowedService", "SignatureBroken", swap("dkim=pass (signature was verified)", "dkim=fail (signature did not verify)"), nil, m365.DS2},
		{"AllowedService", "AnotherSigner", swap("header.d=survey.example", "header.d=evil.test"), nil, m365.DS2},
		{"ListPostWithTrustedARC", "Untrusted", swap("compauth=pass reason=130", "compauth=fail reason=601"), nil, m365.DS2},
		{"ListPostSignedByList", "SignatureBroken", swap("dkim=pass (signature was verified)", "dkim=fail (body hash did not verify)"), nil, m365.DS2},
		{"ListPostSignedByList", "AnotherList", swap("talk.lists.test", "talk.partner.example"), nil, m365.DS2},
		{"ListPostSignedByList", "ToOurselves", swap("To: talk@lists.test", "To: keiri@kiso-works.example"), nil, m365.DS2},
		{"ListPostWithChain", "ChainBroken", swap("arc=pass", "arc=fail"), nil, m365.DS2},
		{"ListPostWithChain", "SealerNotTrusted", swap("Please", "Please"), func(f *org.Facts) { f.ARCSealers = org.Of([]string{"else.test"}) }, m365.DS2},
		{"ListPostWithChain", "FailedAtTheList", swap("lists.test; dmarc=pass", "lists.test; dmarc=fail"), nil, m365.DS2},
		{"AutoForwardBack", "SPFFail", swap("spf=pass", "spf=fail"), nil, m365.DS2},
		{"AutoForwardBack", "OfAnotherDomain", swap("XY=kiso-works.example=", "XY=partner.example="), nil, m365.DS2},
		{"GatewayBrokeAuthentication", "FailedBefore", swap("spf=pass smtp.mailfrom=kiso-works.example; dmarc=pass", "spf=fail smtp.mailfrom=kiso-works.example; dmarc=fail"), nil, m365.SpoofThroughGateway},
		{"GatewayBrokeAuthentication", "ResultsBelow", move("Authentication-Results-Original"), nil, m365.SpoofThroughGateway},
		{"SpoofThroughGateway", "Signed", swap(unsigned, "dkim=pass (signature was verified)\n header.d=kiso-works.example"), nil, m365.AuthenticatedExternal},
		{"SharedTenant", "NotShared", swap("compauth=pass reason=115", "compauth=fail reason=601"), nil, m365.DS1},
		{"BounceByCode", "NoBounce", swap("compauth=pass reason=501", "compauth=fail reason=601"), nil, m365.DS3},
		{"BounceByForm", "NoReport", swap("Content-Type: message/delivery-status", "Content-Type: text/plain"), nil, m365.DS3},
		{"MicrosoftService", "OurFrom", swap("<no-reply@teams.mail.microsoft.com>", "<keiri@kiso-works.example>"), nil, m365.AuthenticatedExternal},
		{"SkipListedSource", "Below", move("X-MS-Exchange-SkipListedInternetSender"), nil, m365.SpoofThroughGateway},
	} {
		t.Run(tc.from+"/"+tc.name, func(t *testing.T) {
			c, ok := byName[tc.from]
			if !ok {
				t.Fatal("no such case")
			}
			f := c.org()
			if tc.facts != nil {
				tc.facts(f)
			}
			d := decide(tc.change(t, c.text(t)), f)
			if d.Verdict != tc.want {
				t.Errorf("got %s, want %s\n%s", d.Verdict, tc.want, steps(d))
			}
		})
	}
}
