package m365_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
)

func TestParseReceived(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{
			"ExchangeFrontEnd",
			"from WIN-8K2 (198.51.100.77) by\r\n TY1.mail.protection.outlook.com (10.1.2.3) with Microsoft SMTP\r\n Server (version=TLS1_2, cipher=X) id 15.20.1 via Frontend Transport; Mon, 2 Nov 2026 01:00:00 +0000",
			"WIN-8K2 198.51.100.77 ty1.mail.protection.outlook.com [Microsoft SMTP Server] [] 2026-11-02T01:00:00Z",
		},
		{
			"Mapi",
			"from A.prod.outlook.com ([fe80::1:2:3:4%7]) by A.prod.outlook.com ([fe80::1:2:3:4%7]) with mapi id 15.20.1; Mon, 2 Nov 2026 01:00:00 +0000",
			"A.prod.outlook.com fe80::1:2:3:4 a.prod.outlook.com [mapi] [] 2026-11-02T01:00:00Z",
		},
		{
			"Postfix",
			`from helo.test (rdns.test [192.0.2.7]) (using TLSv1.3) (Client CN "Mail.Kiso.example", Issuer "CA" (verified OK)) by mx.test (Postfix) with ESMTPS id 4 for <a@b.test>; Mon, 2 Nov 2026 10:00:00 +0900 (JST)`,
			"helo.test 192.0.2.7 mx.test [ESMTPS] [mail.kiso.example] 2026-11-02T01:00:00Z",
		},
		{"Exim", "from [192.0.2.7] (port=36464 helo=[198.51.100.1]) by mx.test with esmtp (Exim 4) id 1; 2 Nov 2026 01:00:00 +0000", "[192.0.2.7] 192.0.2.7 mx.test [esmtp] [] 2026-11-02T01:00:00Z"},
		{"IPv6Literal", "from x.test (x.test [IPv6:2001:db8::7]) by mx.test", "x.test 2001:db8::7 mx.test [] [] 0001-01-01T00:00:00Z"},
		{"MappedIPv4", "from x.test (::ffff:192.0.2.1) by mx.test", "x.test 192.0.2.1 mx.test [] [] 0001-01-01T00:00:00Z"},
		{"AddressInTheName", "from mail-192.0.2.200-x (198.51.100.1) by mx.test", "mail-192.0.2.200-x 198.51.100.1 mx.test [] [] 0001-01-01T00:00:00Z"},
		{"ForgedClient", "from x (40.107.1.1) (198.51.100.77) by mx.test", "x 198.51.100.77 mx.test [] [] 0001-01-01T00:00:00Z"},
		{"ForgedBy", "from x by y.mail.protection.outlook.com (198.51.100.77) by mx.test with SMTP", "x 198.51.100.77 mx.test [SMTP] [] 0001-01-01T00:00:00Z"},
		{"NoFrom", "by mx.test with HTTP; nonsense", " invalid IP mx.test [HTTP] [] 0001-01-01T00:00:00Z"},
		{"Empty", "", " invalid IP  [] [] 0001-01-01T00:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := eml.Parse([]byte("Received: "+tc.value+"\r\n\r\n"), nil)
			f, _ := m.Header().First("Received")
			h := m365.ParseReceived(f)
			got := fmt.Sprintf("%s %s %s [%s] %v %s", h.From, h.FromIP, h.By, h.With, h.CertNames, h.Time.UTC().Format("2006-01-02T15:04:05Z"))
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if h.FromIP.IsValid() && !strings.Contains(m.Quote(h.FromIPSpan), h.FromIP.String()) {
				t.Errorf("the span of %s quotes %q", h.FromIP, m.Quote(h.FromIPSpan))
			}
		})
	}
}

// TestProvenance says of every field of the model mail who wrote it.
func TestProvenance(t *testing.T) {
	mail := apply(t, attack,
		below("X-MS-Exchange-Organization-SCL: -1\nX-OriginatorOrg: kiso-works.example\nReceived: from x (203.0.113.10) by y.mail.protection.outlook.com (10.0.0.1)"))
	m := parse(mail)
	p := m365.NewPath(m.Header(), facts())
	got := map[m365.Writer][]string{}
	for _, f := range m.Header().Fields() {
		s := p.Provenance(f)
		if s.Reason.IsZero() || !lang.Default().Has(s.Reason.Key) {
			t.Errorf("%s: no reason", f.Name())
		}
		if s.Trusted() == s.Forgeable {
			t.Errorf("%s: trusted %v and forgeable %v", f.Name(), s.Trusted(), s.Forgeable)
		}
		got[s.By] = append(got[s.By], f.Name())
	}
	want := map[m365.Writer][]string{
		m365.ByTenant: {
			"Received", "Received", "Received", "Authentication-Results", "Received-SPF", "Received", "Return-Path",
			"X-EOPAttributedMessage", "X-EOPTenantAttributedMessage", "X-MS-PublicTrafficType", "X-MS-Office365-Filtering-Correlation-Id",
			"X-Forefront-Antispam-Report", "X-Microsoft-Antispam", "X-MS-Exchange-Organization-ExpirationStartTime",
			"X-MS-Exchange-Organization-Network-Message-Id", "X-MS-Exchange-Organization-MessageDirectionality",
			"X-MS-Exchange-Organization-AuthSource", "X-MS-Exchange-Organization-AuthAs", "X-MS-Exchange-CrossTenant-Id",
			"X-MS-Exchange-CrossTenant-AuthAs", "X-MS-Exchange-CrossTenant-FromEntityHeader", "X-Microsoft-Antispam-Mailbox-Delivery",
		},
		m365.BySender: {
			"X-MS-Exchange-Organization-SCL", "X-OriginatorOrg", "Received", "From", "To", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPlacesOfTheStamps moves what Exchange Online writes about the sign-in to
// every place where a file may have it.
func TestPlacesOfTheStamps(t *testing.T) {
	const org = "X-MS-Exchange-Organization-AuthAs: Internal\n"
	const anchors = "X-MS-Exchange-Organization-Network-Message-Id: 1\nX-MS-Exchange-Organization-AuthSource: x.prod.outlook.com\n"
	start, end := strings.Index(attack, "X-EOPAttributedMessage"), strings.Index(attack, "MIME-Version")
	bare := attack[:start] + attack[end:]
	for _, tc := range []struct {
		name, mail string
		want       string // AuthAs as believed
	}{
		{"Tail", strings.Replace(attack, "AuthAs: Anonymous", "AuthAs: Internal", 1), "Internal"},
		{"AboveTheIngress", strings.Replace(bare, "Authentication-Results:", org+"Authentication-Results:", 1), "Internal"},
		{"OnTop", org + bare, "Internal"},
		{"UnderTheIngress", strings.Replace(bare, "From:", org+anchors+"From:", 1), ""},
		{"AloneAfterReturnPath", strings.Replace(bare, "MIME-Version", org+"MIME-Version", 1), ""},
		{"AboveAndAtTheEnd", strings.Replace("X-MS-Exchange-Organization-AuthAs: Anonymous\n"+bare, "MIME-Version", org+anchors+"MIME-Version", 1), "Anonymous"},
		{"WithoutReturnPath", strings.Replace(strings.Replace(bare, "Return-Path: keiri@kiso-works.example\n", "", 1), "MIME-Version", anchors+org+"MIME-Version", 1), "Internal"},
		{"AloneWithoutReturnPath", strings.Replace(strings.Replace(bare, "Return-Path: keiri@kiso-works.example\n", "", 1), "MIME-Version", org+"MIME-Version", 1), ""},
		{"ReturnPathOfTheSender", strings.Replace(strings.Replace(attack, "Return-Path: keiri@kiso-works.example\n", "", 1), "From:", "Return-Path: keiri@kiso-works.example\n"+org+"From:", 1), "Anonymous"},
		{"TwiceInTheTail", strings.Replace(attack, "X-MS-Exchange-Organization-AuthAs", org+"X-MS-Exchange-Organization-AuthAs", 1), "Anonymous"},
		{"TwiceInTheTailReversed", strings.Replace(attack, "X-MS-Exchange-CrossTenant-Id", org+"X-MS-Exchange-CrossTenant-Id", 1), "Anonymous"},
		{"NotExported", "Received: from a.outbound.protection.outlook.com (40.107.1.2) by mx.elsewhere.test with ESMTP\n" + attack, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := parse(tc.mail)
			s := m365.ReadStamps(m, m365.NewPath(m.Header(), facts()))
			if s.AuthAs.Text != tc.want {
				t.Errorf("AuthAs %q, want %q", s.AuthAs.Text, tc.want)
			}
			if twice := strings.HasPrefix(tc.name, "Twice"); twice != (len(s.Tampered) > 0) {
				t.Errorf("contradictions: %v", s.Tampered)
			}
		})
	}
}

// TestForgedCrossTenantAtTheBorderOfTheTail lets a sender bring a Return-Path
// and what claims that our tenant signed him in, so that both adjoin the tail.
func TestForgedCrossTenantAtTheBorderOfTheTail(t *testing.T) {
	mail := apply(t, attack,
		edit{"X-MS-Exchange-CrossTenant-Id: " + tenant + "\nX-MS-Exchange-CrossTenant-AuthAs: Anonymous\n", ""},
		edit{"X-EOPAttributedMessage", "X-MS-Exchange-CrossTenant-Id: " + tenant + "\nX-MS-Exchange-CrossTenant-AuthAs: Internal\nX-EOPAttributedMessage"})
	if d := decide(mail, facts()); d.Verdict != m365.DS1 {
		t.Errorf("got %s\n%s", d.Verdict, steps(d))
	}
}

func TestIngress(t *testing.T) {
	for _, tc := range []struct {
		name  string
		edits []edit
		want  string
	}{
		{"Internet", nil, "internet 198.51.100.77 exported"},
		{"OtherTenant", client("40.107.1.2", "x.outbound.protection.outlook.com"), "microsoft 40.107.1.2 exported"},
		{"China", []edit{{"TY1PEPF00000004.mail.protection.outlook.com", "X.mail.protection.partner.outlook.cn"}}, "internet 198.51.100.77 exported"},
		{"ClientSubmission", []edit{{"TY1PEPF00000004.mail.protection.outlook.com", "TY1.jpnprd01.prod.outlook.com"}}, "internet 198.51.100.77 exported"},
		{"NamedLikeMicrosoft", []edit{{"TY1PEPF00000004.mail.protection.outlook.com", "mail.protection.outlook.com.evil.test"}}, " invalid IP"},
		{"OwnServerBehind", []edit{{"Received: from TY0PR01MB0001", "Received: from x.outbound.protection.outlook.com (40.107.1.2) by ex1.kiso-works.example (10.0.0.4) with Microsoft SMTP Server id 1\nReceived: from TY0PR01MB0001"}}, "internet 198.51.100.77 exported"},
		{"StrangeServerBehind", []edit{{"Received: from TY0PR01MB0001", "Received: from x.outbound.protection.outlook.com (40.107.1.2) by mx.test (10.0.0.4) with Microsoft SMTP Server id 1\nReceived: from TY0PR01MB0001"}}, " invalid IP"},
		{"ForgedOlderHop", []edit{below("Received: from printer (203.0.113.10) by X.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP Server id 1")}, "internet 198.51.100.77 exported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := m365.NewPath(parse(apply(t, attack, tc.edits...)).Header(), facts())
			got := fmt.Sprint(p.Kind, " ", p.ClientIP())
			if p.Exported {
				got += " exported"
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestStamps(t *testing.T) {
	m := parse(attack)
	s := m365.ReadStamps(m, m365.NewPath(m.Header(), nil))
	got := map[string]string{}
	for name, v := range map[string]m365.Value{
		"CIP": s.CIP, "CTRY": s.Country, "DIR": s.Direction, "H": s.Helo, "PTR": s.PTR, "LANG": s.Language, "IPV": s.IPV,
		"CAT": s.CAT, "SFV": s.SFV, "SCL": s.ReportSCL, "BCL": s.BCL, "dest": s.Dest, "tenant": s.TenantID, "id": s.NetworkMessageID,
		"directionality": s.Directionality, "ctid": s.CrossTenantID, "entity": s.FromEntity,
	} {
		got[name] = v.Text
		if m.Quote(v.Span) != v.Text {
			t.Errorf("%s: %q quoted as %q", name, v.Text, m.Quote(v.Span))
		}
	}
	want := map[string]string{
		"CIP": "198.51.100.77", "CTRY": "US", "DIR": "INB", "H": "WIN-8K2", "PTR": "InfoDomainNonexistent", "LANG": "en", "IPV": "NLI",
		"CAT": "NONE", "SFV": "NSPM", "SCL": "1", "BCL": "0", "dest": "I", "tenant": tenant, "id": "11111111-2222-4333-8444-555555555555",
		"directionality": "Incoming", "ctid": tenant, "entity": "Internet",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddressesThatDisagree(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit edit
		want bool
	}{
		{"Agree", edit{"Please", "Please"}, false},
		{"SenderIP", edit{"sender IP is 198.51.100.77", "sender IP is 203.0.113.1"}, true},
		{"ReceivedSPF", edit{"client-ip=198.51.100.77", "client-ip=203.0.113.1"}, true},
		{"CIP", edit{"CIP:198.51.100.77", "CIP:203.0.113.1"}, true},
		{"NoAddress", edit{"CIP:198.51.100.77", "CIP:255.255.255.255"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := decide(apply(t, attack, tc.edit), facts())
			got := slices.ContainsFunc(d.Tampered, func(x m365.Tamper) bool { return x.Message.Key == "m365.tamper.addresses" })
			if got != tc.want {
				t.Errorf("noted %v, want %v", got, tc.want)
			}
		})
	}
}

func TestPresumedDomain(t *testing.T) {
	self := edit{"To: <sato@kiso-works.example>", "To: <Keiri@KISO-works.example>"}
	quiet := edit{"compauth=fail reason=601", "compauth=none reason=301"}
	for _, tc := range []struct {
		name      string
		edits     []edit
		recipient string
		want      string
	}{
		{"Code601", nil, "", "kiso-works.example m365.presumed.compauth"},
		{"Code010", []edit{{"reason=601", "reason=010"}}, "", "kiso-works.example m365.presumed.compauth"},
		{"CodeOfTheSender", []edit{quiet, below("Authentication-Results: compauth=fail reason=601")}, "", ""},
		{"OrgSender", []edit{quiet, {"X-MS-Exchange-CrossTenant-Id", "X-MS-Exchange-Organization-InternalOrgSender: True\nX-MS-Exchange-CrossTenant-Id"}}, "", "kiso-works.example m365.presumed.org-sender"},
		{"ToItself", []edit{quiet, self}, "", "kiso-works.example m365.presumed.self"},
		{"ToItselfByEnvelope", []edit{quiet}, "keiri@kiso-works.example", "kiso-works.example m365.presumed.self"},
		{"ToItselfWithDMARC", []edit{quiet, self, {"dmarc=fail", "dmarc=pass"}}, "", ""},
		{"ToItselfWithSPF", []edit{quiet, self, {"spf=fail", "spf=pass"}}, "", ""},
		{"ToAColleague", []edit{quiet}, "", ""},
		{"Consumer", []edit{self, {"kiso-works.example", "gmail.com"}, {"KISO-works.example", "gmail.com"}}, "", ""},
		{"ConsumerInJapan", []edit{{"kiso-works.example", "ezweb.ne.jp"}}, "", ""},
		{"OneLabel", []edit{self, {"kiso-works.example", "pot"}, {"KISO-works.example", "pot"}}, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := parse(apply(t, attack, tc.edits...))
			p := m365.NewPath(m.Header(), nil)
			got, ok := m365.PresumedDomain(m, m365.Authenticate(m, p), m365.ReadStamps(m, p), tc.recipient)
			shown := ""
			if ok {
				shown = got.Domain + " " + got.Reason.Key
			}
			if shown != tc.want {
				t.Errorf("got %q, want %q", shown, tc.want)
			}
		})
	}
}

// TestPresumedDomainDecides runs without any configuration.
func TestPresumedDomainDecides(t *testing.T) {
	m := parse(attack)
	d := m365.DirectSend(m365.Input{Message: m, Presumed: []string{"kiso-works.example"}})
	if d.Verdict != m365.DS1 || !d.Presumed || d.Confidence != m365.High {
		t.Errorf("got %s %s, presumed %v", d.Verdict, d.Confidence, d.Presumed)
	}
}

func TestCompAuthReasons(t *testing.T) {
	c := lang.Default()
	for n := range 1000 {
		r := m365.ReasonOf(fmt.Sprintf("%03d", n))
		text := c.Render(r.Message)
		if strings.Contains(text.EN, "[") || strings.Contains(text.JA, "[") || strings.Contains(text.EN, "{") {
			t.Errorf("%03d: %+v", n, text)
		}
		if says := strings.Contains(text.EN, "not document"); says == r.Documented {
			t.Errorf("%03d: documented %v, yet %q", n, r.Documented, text.EN)
		}
	}
	for _, code := range []string{"105", "451", "604", "605", "703", "", "1000", "x", "803", "004"} {
		if m365.ReasonOf(code).Documented {
			t.Errorf("%s is not documented", code)
		}
	}
	for _, code := range []string{"000", "001", "002", "010", "100", "115", "130", "201", "202", "501", "502", "601", "701", "905"} {
		if !m365.ReasonOf(code).Documented {
			t.Errorf("%s is documented", code)
		}
	}
	if got := c.Say(lang.EN, m365.ReasonOf("451").Message); got != "Microsoft does not document code 451; codes from 400 mean that the check was bypassed." {
		t.Errorf("451: %s", got)
	}
}

func TestExplain(t *testing.T) {
	for code, values := range map[m365.Code][]string{
		m365.CodeSFV: {"SKA", "nspm"}, m365.CodeCAT: {"SPOOF", "HPHISH"}, m365.CodeSFTY: {"9.11", "9.25"},
		m365.CodeIPV: {"CAL"}, m365.CodeAuthAs: {"Anonymous", "Internal"}, m365.CodeDest: {"J"},
	} {
		for _, v := range values {
			msg, ok := m365.Explain(code, v)
			if text := lang.Default().Say(lang.EN, msg); !ok || strings.HasPrefix(text, "[") {
				t.Errorf("%s %s: %v %q", code, v, ok, text)
			}
		}
		if _, ok := m365.Explain(code, "ZZZ"); ok {
			t.Errorf("%s explains ZZZ", code)
		}
	}
}

// FuzzDirectSend reads any header and holds the decision to what must be true
// of every one: evidence stands where it says, and no verdict excuses a mail
// into which no Microsoft server's field comes first.
func FuzzDirectSend(f *testing.F) {
	f.Add(attack)
	f.Add(internalMail)
	for _, c := range cases {
		f.Add(c.text(f))
	}
	f.Add("Received: (((\nReceived: from ([IPv6:::]) by by by ;;;\nReturn-Path:\nX-Forefront-Antispam-Report: ;:;CIP:\nAuthentication-Results: spf=")
	org := facts()
	f.Fuzz(func(t *testing.T, mail string) {
		m := parse(mail)
		d := m365.DirectSend(m365.Input{Message: m, Facts: org, Presumed: []string{"x.test"}})
		if d.Verdict == "" || d.Confidence == "" || len(d.Steps) == 0 {
			t.Fatalf("undecided: %+v", d)
		}
		if !d.Path.Exported && d.Verdict != m365.NotDecidable {
			t.Fatalf("%s for a file that does not come from a mailbox", d.Verdict)
		}
		raw := string(m.Raw())
		for _, s := range d.Steps {
			for _, e := range s.Evidence {
				if w := e.Where; w.Offset < 0 || w.Offset+w.Length > len(raw) || w.Length > 0 && raw[w.Offset:w.Offset+w.Length] != e.Quote {
					t.Fatalf("%s: %+v", s.Step, e)
				}
			}
		}
		m365.Findings(m, d)
		m365.AllowListFinding(m, d.Stamps)
		m365.Delivery(m, d.Path, d.Stamps, d.Authentication)
		m365.PresumedDomain(m, d.Authentication, d.Stamps, "")
		for _, field := range m.Header().Fields() {
			if s := d.Path.Provenance(field); s.Trusted() && !d.Path.Exported {
				t.Fatalf("%s is trusted in a file that does not come from a mailbox", field.Name())
			}
		}
	})
}

func TestHostileHeaders(t *testing.T) {
	for name, field := range map[string]string{
		"Received":     "Received: from " + strings.Repeat("(", 1<<18) + "\n",
		"ReceivedBy":   strings.Repeat("Received: from a by b by c by d\n", 15_000),
		"Results":      strings.Repeat("Authentication-Results: spf=pass;dkim=pass\n", 15_000),
		"Organization": strings.Repeat("X-MS-Exchange-Organization-AuthAs: Internal\n", 15_000),
		"ReturnPath":   strings.Repeat("Return-Path: <a@b.test>\n", 15_000),
		"Twice":        strings.Repeat("X-MS-Exchange-Organization-AuthAs: Internal\nX-MS-Exchange-Organization-AuthAs: Anonymous\n", 7_000),
		"Original":     strings.Repeat("Authentication-Results-Original: x; spf=fail\n", 15_000),
		"Seals":        strings.Repeat("ARC-Seal: i=1; d=microsoft.com\nARC-Authentication-Results: i=1; x; spf=fail\n", 7_000),
		"From":         "From: " + strings.Repeat("<a@b.test>,", 1<<15) + "\n",
		"Report":       "X-Forefront-Antispam-Report: " + strings.Repeat("CIP:;", 1<<17) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			decide(field+attack, facts())
			decide(strings.Replace(attack, "MIME-Version", field+"MIME-Version", 1), facts())
			decide(strings.Replace(attack, "From:", field+"From:", 1), facts())
			if took := time.Since(start); took > 3*time.Second && !testing.Short() {
				t.Errorf("three decisions took %v", took)
			}
		})
	}
}

func corpus(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("SEKISHO_SHARED"), "../../shared"} {
		if dir == "" {
			continue
		}
		if st, err := os.Stat(filepath.Join(dir, "data", "mail")); err == nil && st.IsDir() {
			return filepath.Join(dir, "data", "mail")
		}
	}
	t.Skip("no mail collection: set SEKISHO_SHARED")
	return ""
}

// TestCorpus decides thousands of real mails. None of them uses a domain of
// the organisation of these tests, so none may be called a spoof of it. It
// also holds the layout that the package comment tells to the facts.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads thousands of mails")
	}
	dir := corpus(t)
	verdicts, presumed, domains, layout := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	files := 0
	for _, kind := range []string{"phish", "ham", "commercial"} {
		names, err := filepath.Glob(filepath.Join(dir, kind, "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files++
			m := eml.Parse(raw, nil)
			d := m365.DirectSend(m365.Input{Message: m, Facts: facts()})
			verdicts[kind+" "+string(d.Verdict)]++
			if d.Verdict.IsSpoof() || d.Verdict != m365.OutOfScope && d.Verdict != m365.NotDecidable {
				t.Errorf("%s: %s", filepath.Base(name), d.Verdict)
			}
			if d.Path.Exported {
				layout["exported"]++
				if d.Stamps.AuthAs.Given() {
					layout["AuthAs "+d.Stamps.AuthAs.Text]++
				} else {
					layout["no AuthAs"]++
				}
				if d.Authentication.SPF.Trusted {
					layout["SPF"]++
				}
				for _, x := range d.Tampered {
					layout[x.Message.Key]++
				}
			}
			if p, ok := m365.PresumedDomain(m, d.Authentication, d.Stamps, ""); ok {
				domains[kind]++
				d := m365.DirectSend(m365.Input{Message: m, Presumed: []string{p.Domain}})
				presumed[kind+" "+string(d.Verdict)+" "+string(d.Confidence)]++
				if kind != "phish" && d.Verdict.IsSpoof() {
					t.Errorf("%s: %s although legitimate", filepath.Base(name), d.Verdict)
				}
			}
		}
	}
	t.Logf("%d files; %v", files, verdicts)
	t.Logf("presumed domains %v; %v", domains, presumed)
	t.Logf("layout %v", layout)
	if layout["exported"] < 1000 || layout["no AuthAs"]*50 > layout["exported"] {
		t.Errorf("the tail was not found: %v", layout)
	}
}
