package requirements_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/packs/requirements"
	"github.com/sekisho/sekisho/requirement"
)

// TestTableCells holds the table to what is known of the receivers: no cell may
// be lost.
func TestTableCells(t *testing.T) {
	want := map[string]string{
		"outlook": "spf dkim dmarc aligned aligned-both replies unsubscribe-link spam-rate ptr",
		"gmail":   "spf-or-dkim spf-and-dkim dkim-1024 dkim-2048 dmarc aligned ptr tls format own-from one-click unsubscribe-link spam-rate arc",
		"yahoo":   "spf-or-dkim spf-and-dkim dmarc dmarc-pass aligned ptr format own-from one-click unsubscribe-link spam-rate",
		"apple":   "spf dkim dmarc ptr format own-from unsubscribe-link spam-rate arc",
		"docomo":  "dmarc dmarc-pass spf dkim mx-or-a",
		"kddi":    "spf spf-ipv4 dmarc brand",
	}
	got := map[string]string{}
	for _, r := range requirements.Table().Receivers {
		var ids []string
		for _, x := range r.Rules {
			ids = append(ids, x.ID)
		}
		got[r.ID] = strings.Join(ids, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const (
	goodMail = "From: news@kiso-works.example\r\nTo: a@mail.test\r\nSubject: News\r\nDate: Mon, 23 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@kiso-works.example>\r\n" +
		"List-Unsubscribe: <https://kiso-works.example/u?1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nHello\r\n"
	badMail = "From: news@kiso-works.example, other@kiso-works.example\r\nList-Id: <news.kiso-works.example>\r\nSubject: a\r\nSubject: b\r\n\r\nHello\r\n"
)

// good is a domain that does what everybody asks for, and a newsletter of it.
func good() requirement.Input {
	s := requirement.ReadSample(eml.Parse([]byte(goodMail), nil), nil, requirement.Delivery{
		Received: "from mail.kiso-works.example (mail.kiso-works.example [192.0.2.25]) by mx.mail.test with ESMTPS id 1; Mon, 23 Nov 2026 09:00:00 +0900",
		BodyLink: true,
		Reverse:  &posture.Reverse{Address: "192.0.2.25", Role: "sample", State: posture.Present, Confirmed: posture.Present, Names: []string{"mail.kiso-works.example"}},
	})
	s.SPF, s.SPFDomain, s.IP, s.DMARC, s.AlignDKIM, s.AlignSPF, s.ARC = "pass", "kiso-works.example", "192.0.2.25", "pass", true, true, "pass"
	s.Signatures = []requirement.Signature{{Domain: "kiso-works.example", Selector: "s1", Pass: true, Type: "rsa", Bits: 2048}}
	s.Unsub.Covered, s.Unsub.CoveredBy = true, "kiso-works.example"
	return requirement.Input{
		Sample: s, Volume: requirement.Volume{Known: true, PerDay: 6000},
		FreeMail: func(n domain.Name) bool { return n == "free.test" },
		Posture: &posture.Report{
			Domain: "kiso-works.example", Org: "kiso-works.example", Use: posture.UseMail,
			MX:    posture.MX{State: posture.Present, Hosts: []posture.MXHost{{Host: "mx.kiso-works.example", State: posture.Present}}},
			SPF:   posture.SPF{State: posture.Present, Status: "ok", Record: "v=spf1 ip4:192.0.2.25 -all", Records: []string{"v=spf1 ip4:192.0.2.25 -all"}, Networks: []string{"192.0.2.25/32"}},
			DKIM:  posture.DKIM{State: posture.Present, Keys: []posture.DKIMKey{{Selector: "s1", Name: "s1._domainkey.kiso-works.example", State: posture.Present, Usable: true, Type: "rsa", Bits: 2048}}},
			DMARC: posture.DMARC{State: posture.Present, At: "kiso-works.example", Record: "v=DMARC1; p=reject", Published: "reject", Policy: "reject"},
			BIMI:  posture.BIMI{State: posture.Present, Logo: "https://kiso-works.example/l.svg", Record: "v=BIMI1; l=https://kiso-works.example/l.svg"},
		},
	}
}

// bad is a domain that does nothing of it.
func bad() requirement.Input {
	s := requirement.ReadSample(eml.Parse([]byte(badMail), nil), nil, requirement.Delivery{
		Received: "from mail.kiso-works.example ([192.0.2.25]) by mx.mail.test with ESMTP id 1; Mon, 23 Nov 2026 09:00:00 +0900",
		Reverse:  &posture.Reverse{Address: "192.0.2.25", Role: "sample", State: posture.Absent, Confirmed: posture.Absent},
	})
	s.SPF, s.SPFDomain, s.IP, s.DMARC, s.ARC = "fail", "kiso-works.example", "192.0.2.25", "fail", "fail"
	return requirement.Input{
		Sample: s, Volume: requirement.Volume{Known: true, PerDay: 6000},
		FreeMail: func(n domain.Name) bool { return n == "kiso-works.example" },
		Posture: &posture.Report{
			Domain: "kiso-works.example", Org: "kiso-works.example", Use: posture.UseNone,
			MX:    posture.MX{State: posture.Absent},
			SPF:   posture.SPF{State: posture.Absent, Status: "none"},
			DKIM:  posture.DKIM{State: posture.Absent, None: true},
			DMARC: posture.DMARC{State: posture.Absent},
			BIMI:  posture.BIMI{State: posture.Absent},
		},
	}
}

// TestCells tests every cell of the table with a sender that meets it and with
// one that does not.
func TestCells(t *testing.T) {
	table := requirements.Table()
	yes, no := table.Evaluate(good()), table.Evaluate(bad())
	weak := bad() // without any key there is no key to judge
	weak.Sample = nil
	weak.Posture.DKIM = posture.DKIM{State: posture.Present, Keys: []posture.DKIMKey{{Selector: "s1", State: posture.Present, Type: "rsa", Bits: 768}}}
	short := table.Evaluate(weak)
	for i, r := range table.Receivers {
		for j, rule := range r.Rules {
			t.Run(r.ID+"/"+rule.ID, func(t *testing.T) {
				wantMet, wantUnmet := requirement.Met, requirement.Unmet
				if rule.Check == requirement.CheckSpamRate {
					wantMet, wantUnmet = requirement.Unknown, requirement.Unknown
				}
				m, n := yes.Verdicts[i].Cells[j], no.Verdicts[i].Cells[j]
				if rule.Check == requirement.CheckKey1024 || rule.Check == requirement.CheckKey2048 {
					if n.State != requirement.Exempt {
						t.Errorf("without a key: %s", n.State)
					}
					n = short.Verdicts[i].Cells[j]
				}
				if m.State != wantMet || m.Reason.IsZero() {
					t.Errorf("good: %s (%s)", m.State, m.Reason.Key)
				}
				if n.State != wantUnmet || n.Reason.IsZero() {
					t.Errorf("bad: %s (%s)", n.State, n.Reason.Key)
				}
				if n.State == requirement.Unmet && n.Mend.IsZero() {
					t.Error("nothing says how to mend it")
				}
				if rule.Check == requirement.CheckSpamRate && rule.Find.JA == "" {
					t.Error("no page is named that shows it")
				}
			})
		}
		if yes.Verdicts[i].State != requirement.Met {
			t.Errorf("%s, good: %s", r.ID, yes.Verdicts[i].State)
		}
		if no.Verdicts[i].State != requirement.Unmet {
			t.Errorf("%s, bad: %s", r.ID, no.Verdicts[i].State)
		}
	}
	if len(yes.Records) > 0 {
		t.Errorf("records for a good domain: %+v", yes.Records)
	}
}

func TestVolume(t *testing.T) {
	for _, tc := range []struct {
		name   string
		volume requirement.Volume
		state  requirement.State // of the DMARC rule of Gmail
		ifBulk bool
		gmail  requirement.State
	}{
		{"Unknown", requirement.Volume{}, requirement.Unmet, true, requirement.Unmet},
		{"Small", requirement.Volume{Known: true, PerDay: 400}, requirement.Exempt, false, requirement.Unmet},
		{"JustUnder", requirement.Volume{Known: true, PerDay: 4999}, requirement.Exempt, false, requirement.Unmet},
		{"Threshold", requirement.Volume{Known: true, PerDay: 5000}, requirement.Unmet, false, requirement.Unmet},
		{"LowerBound", requirement.Volume{AtLeast: 7000}, requirement.Unmet, false, requirement.Unmet},
		{"LowerBoundSmall", requirement.Volume{AtLeast: 70}, requirement.Unmet, true, requirement.Unmet},
		{"ReportsAgainstTheWord", requirement.Volume{Known: true, PerDay: 10, AtLeast: 7000}, requirement.Unmet, false, requirement.Unmet},
		{"Declared", requirement.Volume{Declared: "yes"}, requirement.Unmet, false, requirement.Unmet},
		{"DeclaredNot", requirement.Volume{Declared: "no"}, requirement.Exempt, false, requirement.Unmet},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := bad()
			in.Volume = tc.volume
			v := requirements.Table().Evaluate(in).Verdicts[1]
			for _, c := range v.Cells {
				if c.Rule.Scope == requirement.All && c.State == requirement.Exempt && c.Reason.Key != "requirement.key.none" {
					t.Errorf("%s is for everybody and was not judged", c.Rule.ID)
				}
				if c.Rule.ID == "dmarc" && (c.State != tc.state || c.IfBulk != tc.ifBulk) {
					t.Errorf("dmarc: %s, if bulk %v", c.State, c.IfBulk)
				}
			}
			if v.State != tc.gmail {
				t.Errorf("gmail: %s", v.State)
			}
		})
	}
	in := bad()
	in.Volume = requirement.Volume{Known: true, PerDay: 400}
	if v := requirements.Table().Evaluate(in).Verdicts[0]; v.State != requirement.Exempt || v.Sentence.Key != "requirement.sentence.exempt" {
		t.Errorf("outlook for a small sender: %s, %s", v.State, v.Sentence.Key)
	}
}

func TestParseReceiverRefuses(t *testing.T) {
	const ok = "id: a\nname: {en: A, ja: A}\nsource: https://a.example/\nread: 2026-11-25\nrules:\n  - {id: spf, check: spf, scope: all, level: required, text: {en: T, ja: T}}\n"
	if _, err := requirements.ParseReceiver([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, from, to string }{
		{"Key", "id: a\n", "id: a\nextra: 1\n"},
		{"Check", "check: spf", "check: spx"},
		{"Scope", "scope: all", "scope: some"},
		{"Level", "level: required", "level: perhaps"},
		{"Text", "ja: T}}", "ja: ''}}"},
		{"Name", "ja: A}", "ja: ''}"},
		{"Source", "https://a.example/", "http://a.example/"},
		{"Day", "2026-11-25", "last week"},
		{"NoID", "id: spf", "id: ''"},
		{"YAML", "rules:", "rules: ["},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := requirements.ParseReceiver([]byte(strings.Replace(ok, tc.from, tc.to, 1))); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzParseReceiver(f *testing.F) {
	f.Add([]byte("id: a\nname: {en: A, ja: A}\nsource: https://a.example/\nread: 2026-11-25\n"))
	f.Add([]byte("rules: [{check: spf}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := requirements.ParseReceiver(b)
		if err == nil && (r.ID == "" || r.Source == "") {
			t.Fatalf("accepted: %+v", r)
		}
	})
}
