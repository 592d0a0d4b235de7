package desk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/requirement"
	"github.com/sekisho/sekisho/resolve/zone"
)

// required checks kiso-works.example in a zone.
func required(t *testing.T, records map[string][]string, in desk.RequirementInput, facts org.Facts) *desk.RequirementsView {
	t.Helper()
	z, err := zone.FromMap(records)
	if err != nil {
		t.Fatal(err)
	}
	in.Posture, err = posture.Check(context.Background(), z, domain.Name("kiso-works.example"), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := desk.Requirements(context.Background(), in, desk.RequirementDeps{Resolver: z, Facts: facts, Now: func() time.Time { return end }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func states(v *desk.RequirementsView) string {
	var out []string
	for _, r := range v.Receivers {
		out = append(out, r.ID+"="+string(r.State))
	}
	return strings.Join(out, " ")
}

const microsoftMX = "MX 0 kiso-works-example.mail.protection.outlook.com"

func TestRequirementsRecords(t *testing.T) {
	for _, tc := range []struct {
		name    string
		records []string // of the domain
		want    []string // host, type and value
	}{
		{"MicrosoftWithoutAnything", []string{microsoftMX}, []string{
			"kiso-works.example TXT v=spf1 include:spf.protection.outlook.com -all",
			"selector1._domainkey.kiso-works.example CNAME ",
			"selector2._domainkey.kiso-works.example CNAME ",
			"_dmarc.kiso-works.example TXT v=DMARC1; p=none",
		}},
		{"TwoSPF", []string{microsoftMX, "TXT v=spf1 ip4:192.0.2.25 -all", "TXT v=spf1 a ip4:192.0.2.25 ~all"}, []string{
			"kiso-works.example TXT v=spf1 ip4:192.0.2.25 a ~all",
			"selector1._domainkey.kiso-works.example CNAME ",
			"selector2._domainkey.kiso-works.example CNAME ",
			"_dmarc.kiso-works.example TXT v=DMARC1; p=none",
		}},
		{"OtherProvider", []string{"MX 10 mx.host.test"}, []string{
			"kiso-works.example TXT ",
			"_dmarc.kiso-works.example TXT v=DMARC1; p=none",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := required(t, map[string][]string{"kiso-works.example": tc.records}, desk.RequirementInput{}, kiso)
			var got []string
			for _, r := range v.Records {
				got = append(got, r.Host+" "+r.Type+" "+r.Value)
				if r.Value == "" && r.Where.JA == "" {
					t.Errorf("%s: neither a value nor where to copy it", r.Host)
				}
				if r.Value != "" && !strings.Contains(v.Request.Body.JA, "値: "+r.Value) {
					t.Errorf("the request does not name %q", r.Value)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRequirementsVolume(t *testing.T) {
	nothing := map[string][]string{"kiso-works.example": {microsoftMX, "TXT v=spf1 -all"}}
	declared := func(word string) org.Facts { return org.Facts{BulkSender: org.Of(word)} }
	for _, tc := range []struct {
		name    string
		facts   org.Facts
		volume  requirement.Volume
		outlook requirement.State
		words   string
	}{
		{"Unknown", org.Facts{}, requirement.Volume{}, requirement.Unmet, "your volume is not known"},
		{"DeclaredNo", declared("no"), requirement.Volume{}, requirement.Exempt, "By your word"},
		{"DeclaredUnknown", declared("unknown"), requirement.Volume{}, requirement.Unmet, "your volume is not known"},
		{"Small", org.Facts{}, requirement.Volume{Known: true, PerDay: 300}, requirement.Exempt, "300 a day"},
		{"Reports", declared("no"), requirement.Volume{AtLeast: 9000}, requirement.Unmet, "not met, "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := required(t, nothing, desk.RequirementInput{Volume: tc.volume}, tc.facts)
			r := v.Receivers[0]
			if r.State != tc.outlook || !strings.Contains(r.Sentence.EN, tc.words) {
				t.Errorf("%s: %s", r.State, r.Sentence.EN)
			}
		})
	}
}

func TestRequirementsUses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		records map[string][]string
		want    string
	}{
		{"Parked", map[string][]string{"kiso-works.example": {"MX 0 .", "TXT v=spf1 -all"}, "_dmarc.kiso-works.example": {"TXT v=DMARC1; p=reject"}},
			"outlook=not-applicable gmail=not-applicable yahoo=not-applicable apple=not-applicable docomo=not-applicable kddi=not-applicable"},
		{"Missing", map[string][]string{"other.example": {"A 192.0.2.1"}}, "outlook=unknown gmail=unknown yahoo=unknown apple=unknown docomo=unknown kddi=unknown"},
		{"ServerFails", map[string][]string{"kiso-works.example": {"SERVFAIL"}, "_dmarc.kiso-works.example": {"SERVFAIL"}, "_domainkey.kiso-works.example": {"SERVFAIL"}},
			"outlook=unknown gmail=unknown yahoo=unknown apple=unknown docomo=unknown kddi=unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := required(t, tc.records, desk.RequirementInput{}, kiso)
			if diff := cmp.Diff(tc.want, states(v)); diff != "" {
				t.Error(diff)
			}
			if len(v.Records) > 0 {
				t.Errorf("records: %+v", v.Records)
			}
		})
	}
}

func TestRequirementsSample(t *testing.T) {
	const mail = "Received: from mail.kiso-works.example (mail.kiso-works.example [192.0.2.25]) by mx.mail.test with ESMTPS id 1; Mon, 25 May 2026 09:00:00 +0900\r\n" +
		"Received-SPF: pass (mx.mail.test) client-ip=192.0.2.25; envelope-from=news@kiso-works.example; helo=mail.kiso-works.example;\r\nReturn-Path: <news@kiso-works.example>\r\n" +
		"From: news@kiso-works.example\r\nTo: a@mail.test\r\nSubject: News\r\nDate: Mon, 25 May 2026 09:00:00 +0900\r\nMessage-ID: <1@kiso-works.example>\r\n\r\nHello\r\n"
	records := map[string][]string{
		"kiso-works.example": {microsoftMX, "TXT v=spf1 ip4:192.0.2.25 -all"}, "_dmarc.kiso-works.example": {"TXT v=DMARC1; p=none"},
		"25.2.0.192.in-addr.arpa": {"PTR mail.kiso-works.example"}, "mail.kiso-works.example": {"A 192.0.2.25"},
	}
	for _, tc := range []struct {
		name   string
		mail   string
		sample string
		want   string // of Gmail
	}{
		{"Ours", mail, "used", "spf-or-dkim=met spf-and-dkim=not-met dkim-1024=not-applicable dkim-2048=not-applicable dmarc=met aligned=met ptr=met tls=met format=met own-from=met one-click=unknown unsubscribe-link=unknown spam-rate=unknown arc=unknown"},
		{"WrongHost", strings.ReplaceAll(mail, "192.0.2.25", "192.0.2.99"), "used", "spf-or-dkim=not-met spf-and-dkim=not-met dkim-1024=not-applicable dkim-2048=not-applicable dmarc=met aligned=not-met ptr=not-met tls=met format=met own-from=met one-click=unknown unsubscribe-link=unknown spam-rate=unknown arc=unknown"},
		{"Foreign", strings.ReplaceAll(mail, "From: news@kiso-works", "From: news@other"), "foreign", "spf-or-dkim=met spf-and-dkim=not-met dkim-1024=not-applicable dkim-2048=not-applicable dmarc=met aligned=unknown ptr=met tls=unknown format=unknown own-from=met one-click=unknown unsubscribe-link=unknown spam-rate=unknown arc=unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := required(t, records, desk.RequirementInput{Sample: []byte(tc.mail)}, kiso)
			var got []string
			for _, c := range v.Receivers[1].Cells {
				got = append(got, c.ID+"="+string(c.State))
			}
			if tc.sample != v.Sample {
				t.Errorf("sample: %s", v.Sample)
			}
			if diff := cmp.Diff(strings.Fields(tc.want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManagerSheet(t *testing.T) {
	v := required(t, map[string][]string{"kiso-works.example": {microsoftMX}}, desk.RequirementInput{}, kiso)
	for _, tc := range []struct {
		l     lang.Language
		words []string
	}{
		{lang.EN, []string{"What we lack", "SPF record", "NTT docomo may refuse", "By Friday, 5 June 2026", "v=DMARC1; p=none"}},
		{lang.JA, []string{"不足していること", "SPFレコードがありません", "NTTドコモ 宛て", "2026年6月5日(金)まで", "v=DMARC1; p=none"}},
	} {
		t.Run(string(tc.l), func(t *testing.T) {
			s := v.Manager(tc.l, end, nil)
			page, err := s.HTML()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range tc.words {
				if !strings.Contains(s.Text(), w) || !strings.Contains(page, w) {
					t.Errorf("%q is missing in:\n%s", w, s.Text())
				}
			}
			for _, bad := range []string{"<script", "http://", "src=", "[requirement."} {
				if strings.Contains(page, bad) {
					t.Errorf("the page holds %q", bad)
				}
			}
			// One sheet of A4 holds about 60 lines of this size.
			lines := 0
			for line := range strings.SplitSeq(s.Text(), "\n") {
				lines += 1 + len([]rune(line))/80
			}
			if lines > 60 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

// TestManagerSheetEscapes keeps the words of strangers from becoming markup.
func TestManagerSheetEscapes(t *testing.T) {
	v := &desk.RequirementsView{Domain: "kiso-works.example", Records: []desk.RecordView{{Host: "<b>", Type: "TXT", Value: "<script>alert(1)</script>"}}}
	page, err := v.Manager(lang.EN, end, nil).HTML()
	if err != nil || strings.Contains(page, "<script>") || strings.Contains(page, "<b>") {
		t.Errorf("%v: %s", err, page)
	}
}

const bounceMail = "Received: from mx.mail.test (mx.mail.test [192.0.2.40]) by mx.kiso-works.example with ESMTPS id 1; Mon, 25 May 2026 09:00:00 +0900\r\n" +
	"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.mail.test\r\nTo: news@kiso-works.example\r\nSubject: Undelivered Mail\r\nDate: Mon, 25 May 2026 09:00:00 +0900\r\nMessage-ID: <9@mx.mail.test>\r\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n" +
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.mail.test\r\n\r\nFinal-Recipient: rfc822; a@outlook.com\r\nAction: failed\r\nStatus: 5.7.515\r\n" +
	"Remote-MTA: dns; outlook-com.olc.protection.outlook.com\r\nDiagnostic-Code: smtp; 550 5.7.515 Access denied, sending domain KISO-WORKS.EXAMPLE does not meet the required authentication level.\r\n--b--\r\n"

// TestJudgeBounce explains a bounce and does not call it dangerous for it.
func TestJudgeBounce(t *testing.T) {
	judge := func(raw string) *desk.Verdict {
		for v := range desk.Judge(context.Background(), messages(raw), desk.JudgeDeps{Facts: kiso, Now: func() time.Time { return end }}) {
			return v
		}
		t.Fatal("no verdict")
		return nil
	}
	v := judge(bounceMail)
	n := 0
	for _, f := range v.Findings {
		if f.Kind != desk.Bounced {
			continue
		}
		n++
		if !strings.Contains(f.Title.EN, "Outlook.com did not accept mail (550 5.7.515)") || len(f.Actions) != 2 || f.Actions[1].Commands[0] != "sekisho domain check kiso-works.example" {
			t.Errorf("%+v", f)
		}
	}
	if n != 1 {
		t.Errorf("%d findings about the bounce: %+v", n, v.Findings)
	}
	without := judge(strings.Replace(bounceMail, "5.7.515 Access", "5.1.1 Access", 1))
	if v.Verdict != without.Verdict || v.Score != without.Score || v.Verdict == desk.Malicious {
		t.Errorf("%s %d, and %s %d without the explanation", v.Verdict, v.Score, without.Verdict, without.Score)
	}
}

func TestBounces(t *testing.T) {
	list, err := desk.Bounces("a.eml", []byte(bounceMail), desk.BounceDeps{})
	if err != nil || len(list) != 1 || list[0].Receiver != "outlook" || list[0].Domain != "kiso-works.example" || len(list[0].Rules) != 4 || list[0].Temporary {
		t.Errorf("%+v, %v", list, err)
	}
	list, err = desk.Bounces("a.txt", []byte("421-4.7.26 This email has been rate limited because it is unauthenticated. - gsmtp"), desk.BounceDeps{})
	if err != nil || len(list) != 1 || list[0].Receiver != "gmail" || !list[0].Temporary {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = desk.Bounces("a.txt", []byte("Hello"), desk.BounceDeps{})
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.NotFound {
		t.Errorf("%v", err)
	}
}
