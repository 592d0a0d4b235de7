package dmarcreport_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
)

const (
	head = `<?xml version="1.0"?><feedback><version>1.0</version><report_metadata><org_name>Receiver</org_name><email>r@receiver.example</email><report_id>1</report_id>` +
		`<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>`
	policy = `<policy_published><domain>kiso-works.example</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><sp>none</sp><pct>100</pct></policy_published>`
	row    = `<record><row><source_ip>192.0.2.1</source_ip><count>2</count><policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>` +
		`<identifiers><header_from>kiso-works.example</header_from></identifiers><auth_results><dkim><domain>kiso-works.example</domain><selector>s1</selector><result>pass</result></dkim>` +
		`<spf><domain>mail-service.example</domain><result>pass</result></spf></auth_results></record>`
	tail = `</feedback>`
	good = head + policy + row + tail
)

// summary is a report in one line: what a test looks at.
func summary(a *dmarcreport.Aggregate, err error) string {
	if err != nil {
		return strings.TrimPrefix(err.Error(), "dmarcreport: ")
	}
	var s strings.Builder
	s.WriteString(a.OrgName + " " + a.Policy.Domain + " " + a.Policy.P)
	for i := range a.Records {
		r := &a.Records[i]
		s.WriteString("; " + r.Source.String() + " " + strings.Repeat("+", int(min(r.Count, 9))) + " " + r.Disposition + " " + r.DKIM + "/" + r.SPF)
	}
	for _, f := range a.Faults {
		s.WriteString(" !" + string(f.Code))
		if f.Detail != "" {
			s.WriteString(":" + f.Detail)
		}
	}
	return s.String()
}

func before(s, mark string) string {
	s, _, _ = strings.Cut(s, mark)
	return s
}

func TestAggregate(t *testing.T) {
	const ok = "Receiver kiso-works.example none; 192.0.2.1 ++ none pass/fail"
	replace := func(from, to string) string {
		s := strings.Replace(good, from, to, 1)
		if s == good {
			panic(from)
		}
		return s
	}
	utf16le := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	for _, tc := range []struct{ name, data, want string }{
		{"Good", good, ok},
		{"BOM", "\ufeff" + good, ok},
		{"LeadingSpace", "\n\n " + good, ok},
		{"UTF16", utf16le(good), ok},
		{"Latin1", strings.Replace(replace("Receiver", "Soci\xe9t\xe9"), `<?xml version="1.0"?>`, `<?xml version="1.0" encoding="ISO-8859-1"?>`, 1), strings.Replace(ok, "Receiver", "Société", 1)},
		{"Windows1252", strings.Replace(replace("Receiver", "\x93R\x94"), `<?xml version="1.0"?>`, `<?xml version="1.0" encoding="windows-1252"?>`, 1), strings.Replace(ok, "Receiver", "“R”", 1)},
		{"WrongBytes", replace("Receiver", "Soci\xe9t\xe9"), strings.Replace(ok, "Receiver", "Soci\ufffdt\ufffd", 1) + " !encoding"},
		{"UnknownCharset", strings.Replace(replace("Receiver", "\xe9"), `<?xml version="1.0"?>`, `<?xml version="1.0" encoding="klingon"?>`, 1), "unknown charset"},
		{"Prefix", strings.NewReplacer("</", "</d:", "<", "<d:").Replace(strings.TrimPrefix(good, `<?xml version="1.0"?>`)), ok},
		{"Namespace", replace("<feedback>", `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">`), ok},
		{"Wrapped", `<?xml version="1.0"?><xs:schema xmlns:xs="x" a="1 > 0">` + strings.TrimPrefix(good, `<?xml version="1.0"?>`), ok},
		{"Comments", replace("<row>", "<!-- <count>7</count> --><row>"), ok},
		{"CDATA", replace("<count>2</count>", "<count><![CDATA[2]]></count>"), ok},
		{"References", replace("Receiver", "R&amp;D &#x41;&#66; &unknown;"), strings.Replace(ok, "Receiver", "R&D AB &unknown;", 1)},
		{"Capitals", replace("<dkim>pass</dkim><spf>fail</spf>", "<dkim>Pass</dkim><spf>FAIL</spf>"), ok},
		{"IPv6", replace("192.0.2.1", "2001:0db8:0000::0001"), strings.Replace(ok, "192.0.2.1", "2001:db8::1", 1)},
		{"MappedIPv4", replace("192.0.2.1", "::ffff:192.0.2.1"), ok},
		{"Spaces", replace("<count>2</count>", "<count> 2\n</count>"), ok},
		{"Float", replace("1700000000", "1700000000.0"), ok + " !time:begin"},
		{"NegativeCount", replace("<count>2</count>", "<count>-5</count>"), "Receiver kiso-works.example none !count:-5 !no-record"},
		{"HugeCount", replace("<count>2</count>", "<count>99999999999999999999</count>"), "Receiver kiso-works.example none !count:99999999999999999999 !no-record"},
		{"OneBadRow", head + policy + strings.Replace(row, "192.0.2.1", "not-an-ip", 1) + row + tail, ok + " !source:not-an-ip"},
		{"NoRecord", head + policy + tail, "Receiver kiso-works.example none !no-record"},
		{"TwoPolicies", head + policy + strings.NewReplacer("kiso-works.example", "evil.example", "none", "reject").Replace(policy) + row + tail, ok + " !repeated:policy_published"},
		{"TwoDomains", replace("<domain>kiso-works.example</domain>", "<domain>kiso-works.example</domain><domain>evil.example</domain>"), ok + " !repeated:domain"},
		{"Identities", strings.NewReplacer("identifiers>", "identities>").Replace(good), ok + " !element-misspelled:identities"},
		{"Pass9990", replace("<disposition>none", "<disposition>pass"), strings.Replace(ok, "++ none", "++ pass", 1)},
		{"OddDisposition", replace("<disposition>none", "<disposition>discard"), strings.Replace(ok, "++ none", "++ discard", 1) + " !value:disposition"},
		{"CutInRecord", before(good, "</auth_results>"), "Receiver kiso-works.example none !truncated !no-record"},
		{"CutInSecond", head + policy + row + row[:40], ok + " !truncated"},
		{"CutInPolicy", head + policy[:30], "the report ends before the policy that it is about"},
		{"MissingEnd", strings.Replace(good, "</row>", "", 1), ok + " !markup"},
		{"AddressInBrackets", replace("r@receiver.example", "R <r@receiver.example>"), ok + " !markup"},
		{"BackwardPeriod", replace("1700086399", "1600000000"), ok + " !span"},
		{"NoOrg", replace("<org_name>Receiver</org_name>", ""), " kiso-works.example none; 192.0.2.1 ++ none pass/fail !missing:org_name"},
		{"Doctype", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + good, "a document type declaration, which reports do not have"},
		{"DoctypeInside", replace("<row>", `<!ENTITY x "y"><row>`), "a document type declaration, which reports do not have"},
		{"Deep", strings.Repeat("<feedback>", 200_000), "elements nested too deeply"},
		{"DeepOther", strings.Repeat("<a>", 200_000), "no aggregate report: there is no feedback element"},
		{"Empty", "", "not XML"},
		{"JSON", "{}", "not XML"},
		{"HTML", "<html><body>hello</body></html>", "no aggregate report: there is no feedback element"},
		{"NoID", "<feedback>" + policy + row + tail, "the report has neither an identifier nor a period"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, summary(dmarcreport.ParseAggregate([]byte(tc.data)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The fields of RFC 9990, and what one of them alone says about the format.
func TestRFC9990(t *testing.T) {
	data := strings.NewReplacer(
		"</email>", "</email><generator>receiver 1.0</generator>",
		"<pct>100</pct>", "<np>reject</np><testing>y</testing><discovery_method>treewalk</discovery_method>",
		"</spf></policy_evaluated>", "</spf><reason><type>policy_test_mode</type><comment>t=y</comment></reason></policy_evaluated>",
	).Replace(good)
	a, err := dmarcreport.ParseAggregate([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	want := dmarcreport.Policy{Domain: "kiso-works.example", ADKIM: "r", ASPF: "r", P: "none", SP: "none", NP: "reject", Testing: "y", DiscoveryMethod: "treewalk"}
	if diff := cmp.Diff(want, a.Policy); diff != "" {
		t.Error(diff)
	}
	if !a.RFC9990 || a.Generator != "receiver 1.0" {
		t.Errorf("got %v, %q", a.RFC9990, a.Generator)
	}
	if diff := cmp.Diff([]dmarcreport.Reason{{Type: "policy_test_mode", Comment: "t=y"}}, a.Records[0].Reasons); diff != "" {
		t.Error(diff)
	}
}

func TestBounds(t *testing.T) {
	many := head + policy + strings.Replace(row, "<auth_results>", "<auth_results>"+strings.Repeat("<dkim><domain>a.example</domain><result>fail</result></dkim>", 1000), 1) + tail
	a, err := dmarcreport.ParseAggregate([]byte(many))
	if err != nil || len(a.Records[0].DKIMResults) != dmarcreport.MaxResults {
		t.Errorf("%d results, %v", len(a.Records[0].DKIMResults), err)
	}
	long := strings.Replace(good, "Receiver", strings.Repeat("x", 1<<20), 1)
	if a, err = dmarcreport.ParseAggregate([]byte(long)); err != nil || len(a.OrgName) != dmarcreport.MaxText {
		t.Errorf("%d bytes, %v", len(a.OrgName), err)
	}
}

// TestCorpusSamples reads the samples of other programs and the reports that
// one of them gave up on: each is read, or refused for a reason that is named.
func TestCorpusSamples(t *testing.T) {
	read, refused := 0, map[string]int{}
	for _, dir := range []string{"parsedmarc/aggregate", "parsedmarc/aggregate_invalid", "parsedmarc/extract_report", "dmarc-report-viewer/dmarc-reports", "known-invalid"} {
		files, err := filepath.Glob(filepath.Join(shared(t, "dmarc"), filepath.FromSlash(dir), "*.xml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			a, err := dmarcreport.ParseAggregate(data)
			if err != nil {
				refused[err.Error()]++
				if dir != "known-invalid" {
					t.Errorf("%s: %v", filepath.Base(f), err)
				}
				continue
			}
			read++
			if a.Policy.Domain == "" || a.Key() == (dmarcreport.Key{}) {
				t.Errorf("%s: %+v", filepath.Base(f), a.Key())
			}
		}
	}
	t.Logf("%d read, refused %v", read, refused)
	if read < 25 {
		t.Error("too few")
	}
}

func FuzzAggregate(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(head + policy + row + row[:40]))
	f.Add([]byte("\xff\xfe<\x00a\x00"))
	f.Add([]byte(strings.NewReplacer("</", "</d:", "<", "<d:").Replace(good)))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := dmarcreport.ParseAggregate(data)
		if err != nil {
			for _, known := range []error{
				dmarcreport.ErrNotXML, dmarcreport.ErrDoctype, dmarcreport.ErrDeep, dmarcreport.ErrCharset, dmarcreport.ErrNotReport, dmarcreport.ErrNoPolicy, dmarcreport.ErrNoID,
			} {
				if errors.Is(err, known) {
					return
				}
			}
			t.Fatal(err)
		}
		for i := range a.Records {
			if r := &a.Records[i]; !r.Source.IsValid() || r.Count < 0 || r.Count > dmarcreport.MaxCount {
				t.Errorf("row %+v", r)
			}
		}
	})
}
