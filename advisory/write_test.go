package advisory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// everyInput is each template with every grade, with rich and with poor facts.
func everyInput(t *testing.T, f func(name string, in *advisory.Input)) {
	t.Helper()
	decisions := map[string]triage.Facts{
		"A": {Kind: triage.Campaign, Relevance: triage.RelevanceExact, Proximity: triage.Tenant},
		"B": {
			Kind: triage.Vulnerability, Relevance: triage.RelevanceUnknown, Activity: triage.ActivityActive, KEV: triage.Yes, Ransomware: true,
			Exposure: triage.ExposedUnknown, Impact: triage.ImpactPartial, VendorDate: on(2026, 6, 20),
		},
		"C": {Kind: triage.Policy, Relevance: triage.RelevanceExact, Exposure: triage.ExposedNo, VendorDate: on(2026, 8, 1)},
		"D": {Kind: triage.Info},
	}
	for _, key := range advisory.Default().Templates() {
		for grade, facts := range decisions {
			d := decide(t, facts, on(2026, 6, 5))
			if string(d.Grade) != grade {
				t.Fatalf("grade %s, want %s", d.Grade, grade)
			}
			for _, rich := range []bool{true, false} {
				in := &advisory.Input{Template: key, Decision: d}
				if rich {
					in.Org = kiso()
					in.Sources = []advisory.Source{{Title: "A notice", Publisher: "Kiso", URL: "https://news.example/x", Published: "2026-06-04"}}
					in.Subject = richSubject()
				}
				f(fmt.Sprintf("%s/%s/%v", key, grade, rich), in)
			}
		}
	}
}

func richSubject() advisory.Subject {
	s := advisory.Subject{
		Techniques: advisory.Default().Techniques(),
		Lure:       advisory.Words{JA: "請求書の確認", EN: "invoice checks"},
		Counts:     []advisory.Count{{N: 1200, Unit: advisory.People, Approx: advisory.About, Claim: advisory.Clicked}, {N: 3, Unit: advisory.Countries}},
		Share:      advisory.Share{Percent: 61, Of: lang.Text{JA: "日本", EN: "in Japan"}},
		Seen:       advisory.Period{From: on(2026, 5, 30), To: on(2026, 6, 2)},
		CVEs:       []string{"CVE-2031-10001", "CVE-2031-10002"},
		Products:   []advisory.Product{{Name: advisory.Words{JA: "Kiso Mail", EN: "Kiso Mail"}, Version: "2.1"}},
		Checked:    on(2026, 6, 5),
		Slots:      map[string]advisory.Value{},
	}
	for _, name := range []string{
		"poses", "asks_for", "effect", "released", "vendors", "population", "service", "threshold", "consequence", "lacking", "bank", "says", "never",
		"what_happened", "noticed", "subject_line", "status", "theme", "example", "tell", "gist", "earlier", "earlier_date", "was", "now", "examples",
	} {
		s.Slots[name] = advisory.Words{JA: "事実の" + name, EN: "fact " + name}
	}
	s.Slots["vendor_date"], s.Slots["vendor_day"] = advisory.Day(on(2026, 8, 1)), advisory.Period{From: on(2026, 8, 1), To: on(2026, 8, 1)}
	for _, name := range []string{"exploited_count", "critical_count"} {
		s.Slots[name] = advisory.Count{N: 2, Unit: advisory.Vulnerabilities}
	}
	return s
}

var dated = regexp.MustCompile(`(\d+)年(\d+)月(\d+)日\((.)\)`)

// jargon is what no notice to staff says.
var jargon = regexp.MustCompile(`(?i)AiTM|トークン|session token|EPSS|\bKEV\b|DMARC|\bDKIM\b|\bSPF\b|Direct Send|CVE-|CAPTCHA|条件付きアクセス|conditional access|\bMFA\b|多要素認証|multifactor`)

func TestEveryTemplate(t *testing.T) {
	everyInput(t, func(name string, in *advisory.Input) {
		t.Run(name, func(t *testing.T) {
			d := write(t, in)
			if len(d.Drafts) != 4 || len(d.Manager) != 2 {
				t.Fatalf("%d drafts, %d pages", len(d.Drafts), len(d.Manager))
			}
			for _, a := range []advisory.Audience{advisory.Staff, advisory.Admin, advisory.Manager} {
				ja, en := d.Draft(a, lang.JA), d.Draft(a, lang.EN)
				if diff := cmp.Diff(ids(ja), ids(en)); diff != "" {
					t.Errorf("%s: ja and en differ in their lines:\n%s", a, diff)
				}
				for _, m := range []*advisory.Draft{ja, en} {
					checkDraft(t, d, m)
				}
			}
			if n := numbers(d.Draft(advisory.Staff, lang.JA)); n < 1 || n > 3 {
				t.Errorf("staff are asked %d things", n)
			}
			if n := numbers(d.Draft(advisory.Admin, lang.JA)); n != len(d.Steps) || n == 0 {
				t.Errorf("%d steps in the mail, %d in the document", n, len(d.Steps))
			}
			want := map[triage.Grade]string{triage.A: "緊急", triage.B: "高", triage.C: "中", triage.D: "低(情報共有)"}[d.Grade]
			if d.Priority.JA != want {
				t.Errorf("priority %s, want %s", d.Priority.JA, want)
			}
			if got := strings.HasPrefix(d.Draft(advisory.Staff, lang.JA).Subject, "【緊急】"); got != (d.Grade == triage.A) {
				t.Errorf("grade %s has the subject %s", d.Grade, d.Draft(advisory.Staff, lang.JA).Subject)
			}
			if (len(d.Holes) == 0) != (in.Org != nil) {
				t.Errorf("holes: %+v", d.Holes)
			}
			again := write(t, in)
			if diff := cmp.Diff(marshal(t, d), marshal(t, again)); diff != "" {
				t.Errorf("not the same twice:\n%s", diff)
			}
		})
	})
}

func ids(m *advisory.Draft) []string {
	var out []string
	for _, l := range m.Lines {
		out = append(out, string(l.Kind)+" "+l.ID)
	}
	return out
}

func numbers(m *advisory.Draft) int {
	n := 0
	for _, l := range m.Lines {
		if l.Kind == advisory.KindNumber {
			n++
		}
	}
	return n
}

func marshal(t *testing.T, d *advisory.Document) string {
	t.Helper()
	b, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkDraft looks for what no draft may have, whatever the facts.
func checkDraft(t *testing.T, d *advisory.Document, m *advisory.Draft) {
	t.Helper()
	all := m.Subject + "\n" + m.BodyText
	for _, bad := range []string{"{", "}", "[advisory.", "[triage.", "  \n", "。。", "..\n", "()"} {
		if strings.Contains(all, bad) {
			t.Errorf("%s %s holds %q:\n%s", m.Audience, m.Lang, bad, all)
		}
	}
	if strings.ContainsAny(m.Subject, "\r\n") || m.Subject == "" {
		t.Errorf("subject %q", m.Subject)
	}
	if m.Audience == advisory.Staff && m.Lang == lang.JA && jargon.MatchString(all) {
		t.Errorf("staff read %q", jargon.FindString(all))
	}
	if m.Audience == advisory.Staff && m.Lang == lang.EN && jargon.MatchString(all) {
		t.Errorf("staff read %q", jargon.FindString(all))
	}
	if m.Audience == advisory.Staff && strings.Contains(all, "http") {
		t.Error("a link in a notice to staff")
	}
	if len(m.Lines) == 0 || m.Lines[0].Kind != advisory.KindReview {
		t.Error("the note to the reviewer is not first")
	}
	for _, g := range dated.FindAllStringSubmatch(all, -1) {
		day, err := time.Parse("2006-1-2", g[1]+"-"+g[2]+"-"+g[3])
		if err != nil || g[4] != string([]rune("日月火水木金土")[day.Weekday()]) {
			t.Errorf("the weekday of %s is wrong", g[0])
		}
	}
	if n := sheet(m); m.Audience == advisory.Manager && n > 52 {
		t.Errorf("the manager's page in %s takes %.1f lines, a sheet has 52", m.Lang, n)
	}
	kinds := map[advisory.Kind]bool{}
	for _, l := range m.Lines {
		kinds[l.Kind] = true
		if strings.TrimSpace(l.Text) == "" {
			t.Errorf("line %s is empty", l.ID)
		}
	}
	for _, k := range []advisory.Kind{advisory.KindDeadline, advisory.KindContact} {
		if !kinds[k] {
			t.Errorf("%s %s has no %s", m.Audience, m.Lang, k)
		}
	}
	wellFormed(t, m.BodyHTML)
}

// sheet estimates the lines that a page takes on A4 as it prints: 92 columns,
// and room around headings. Chromium put 51 such lines on one sheet.
func sheet(m *advisory.Draft) float64 {
	lines := 3.0 // the title
	for _, l := range m.Lines {
		columns := 0
		for _, r := range l.Text {
			columns++
			if r > 0x2e80 {
				columns++
			}
		}
		lines += float64((columns + 91) / 92)
		switch l.Kind {
		case advisory.KindHeading:
			lines++
		case advisory.KindReview:
			lines += 2
		default:
			lines += 0.3
		}
	}
	return lines
}

// wellFormed checks that every element that is opened is closed in order, and
// that none of them is active.
func wellFormed(t *testing.T, s string) {
	t.Helper()
	z := html.NewTokenizer(strings.NewReader(s))
	var open []string
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("not closed: %v\n%s", open, s)
			}
			return
		case html.StartTagToken:
			tok := z.Token()
			if tok.Data == "br" {
				continue
			}
			if !slices.Contains([]string{"div", "p", "h2", "ol", "ul", "li", "a", "mark"}, tok.Data) {
				t.Errorf("the element %s", tok.Data)
			}
			for _, a := range tok.Attr {
				if !slices.Contains([]string{"style", "lang", "href"}, a.Key) || a.Key == "href" && !strings.HasPrefix(a.Val, "https://news.example/") {
					t.Errorf("%s has %s=%q", tok.Data, a.Key, a.Val)
				}
			}
			open = append(open, tok.Data)
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v\n%s", tok.Data, open, s)
			}
			open = open[:len(open)-1]
		default:
		}
	}
}

func TestRemedies(t *testing.T) {
	has := func(d *advisory.Document, id string) bool {
		return slices.ContainsFunc(d.Steps, func(s advisory.Step) bool { return s.ID == id })
	}
	for _, tc := range []struct {
		name       string
		in         *advisory.Input
		want, not  []string
		techniques []string
	}{
		{name: "StolenTokens", in: tokenTheft(t), want: []string{"act.revoke-sessions", "act.require-phishing-resistant"}, not: []string{"act.block-device-code"}},
		{name: "DirectSend", in: directSend(t), want: []string{"act.list-direct-senders", "act.reject-direct-send", "act.dmarc-enforce"}},
		{name: "DirectSendRejected", in: directSendRejected(t), want: []string{"act.dmarc-enforce", "act.honour-dmarc"}, not: []string{"act.reject-direct-send"}},
		{name: "ForgedEnvelope", in: directSend(t), techniques: []string{"own-domain-spoof"}, want: []string{"act.dmarc-enforce", "act.honour-dmarc"}},
		{name: "SeveralTechniques", in: tokenTheft(t), techniques: []string{"aitm", "consent-phishing", "malware"}, want: []string{"act.check-consents", "act.isolate-device"}},
		{name: "TechniqueOfNoTemplate", in: lureFound(t), techniques: []string{"clickfix", "mfa-fatigue"}, want: []string{"act.isolate-device", "act.require-phishing-resistant"}},
		{name: "UnknownTechnique", in: tokenTheft(t), techniques: []string{"aitm", "witchcraft"}, want: []string{"act.revoke-sessions"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.techniques != nil {
				tc.in.Subject.Techniques = tc.techniques
			}
			d := write(t, tc.in)
			for _, id := range tc.want {
				if !has(d, id) {
					t.Errorf("it does not say %s", id)
				}
			}
			for _, id := range tc.not {
				if has(d, id) {
					t.Errorf("it says %s", id)
				}
			}
		})
	}
}

// TestNoPlainMFA holds for every technique that takes what comes after the
// second factor.
func TestNoPlainMFA(t *testing.T) {
	d := write(t, tokenTheft(t))
	for _, s := range d.Steps {
		if strings.Contains(s.Text.JA, "多要素認証を導入") || strings.Contains(s.Text.JA, "MFAの導入") {
			t.Errorf("%s recommends what does not stop it: %s", s.ID, s.Text.JA)
		}
	}
	for _, id := range []string{"aitm", "token-theft", "device-code"} {
		tech, ok := advisory.Default().Technique(id)
		if !ok || !slices.ContainsFunc(tech.NoRemedy, func(r advisory.Remedy) bool { return r.ID == "plain-mfa" }) {
			t.Errorf("%s does not know that plain MFA is no remedy", id)
		}
	}
	spoof, _ := advisory.Default().Technique("own-domain-spoof")
	if !slices.ContainsFunc(spoof.NoRemedy, func(r advisory.Remedy) bool { return r.ID == "reject-direct-send" }) {
		t.Error("a forged envelope does not know that RejectDirectSend is no remedy")
	}
}

func TestHoles(t *testing.T) {
	in := tokenTheft(t)
	in.Org = nil
	in.Subject.Lure = advisory.Words{}
	d := write(t, in)
	want := []advisory.Missing{
		{Field: "organisation.contacts.it", What: lang.Text{JA: "内線番号または連絡先", EN: "extension or address"}},
		{Field: "organisation.report", What: lang.Text{JA: "不審なメールの報告方法", EN: "how to report suspicious mail"}},
		{What: lang.Text{JA: "メールの名目", EN: "what the mail poses as"}},
	}
	if diff := cmp.Diff(want, d.Holes); diff != "" {
		t.Error(diff)
	}
	staff := d.Draft(advisory.Staff, lang.JA)
	for _, mark := range []string{"【要記入: 内線番号または連絡先】", "【要記入: メールの名目】"} {
		if !strings.Contains(staff.BodyText, mark) {
			t.Errorf("no mark %s in\n%s", mark, staff.BodyText)
		}
	}
	if n := strings.Count(staff.BodyHTML, "<mark "); n < 3 {
		t.Errorf("%d marks in the HTML", n)
	}
	if !strings.Contains(d.Draft(advisory.Staff, lang.EN).BodyText, "[FILL IN: extension or address]") {
		t.Error("no mark in English")
	}
}

func TestOrganisation(t *testing.T) {
	for _, tc := range []struct {
		name string
		org  *org.Facts
		want []string // in the Japanese and English notice to staff
		not  string
	}{
		{
			"ForwardAsAttachment", &org.Facts{Report: org.Of(org.Report{How: "forward-as-attachment", To: "soc@kiso-works.example"})},
			[]string{"「添付ファイルとして転送」で soc@kiso-works.example へ", "to soc@kiso-works.example with \"Forward as attachment\""}, "organisation.report",
		},
		{
			"MailInsteadOfExtension", &org.Facts{Contacts: org.Of(map[string]org.Contact{"it": {Mail: "it@kiso-works.example"}})},
			[]string{"情報システム担当(it@kiso-works.example)", "the IT team (it@kiso-works.example)"}, "organisation.contacts.it",
		},
		{
			"EnglishName", &org.Facts{Contacts: org.Of(map[string]org.Contact{"it": {Name: "IT Support", Extension: "99"}})},
			[]string{"IT Support(内線 99)", "IT Support (ext. 99)"}, "organisation.contacts.it",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := tokenTheft(t)
			in.Org = tc.org
			d := write(t, in)
			for i, l := range []lang.Language{lang.JA, lang.EN} {
				if body := d.Draft(advisory.Staff, l).BodyText; !strings.Contains(body, tc.want[i]) {
					t.Errorf("%q is not in\n%s", tc.want[i], body)
				}
			}
			if slices.ContainsFunc(d.Holes, func(m advisory.Missing) bool { return m.Field == tc.not }) {
				t.Errorf("holes: %+v", d.Holes)
			}
		})
	}
}

func TestFoundAndChecked(t *testing.T) {
	const found, none = "このメールは当社にも届いています。", "当社での受信は確認していません"
	for _, tc := range []struct {
		name        string
		proximity   triage.Proximity
		checked     time.Time
		found, none bool
	}{
		{"NobodyLooked", triage.Elsewhere, time.Time{}, false, false},
		{"Looked", triage.Elsewhere, on(2026, 5, 8), false, true},
		{"Found", triage.Tenant, on(2026, 5, 8), true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := tokenTheft(t)
			in.Decision = decide(t, triage.Facts{Kind: triage.Campaign, Relevance: triage.RelevanceExact, Proximity: tc.proximity, Impact: triage.ImpactTakeover}, on(2026, 5, 8))
			in.Subject.Checked = tc.checked
			d := write(t, in)
			for _, a := range []advisory.Audience{advisory.Staff, advisory.Admin, advisory.Manager} {
				body := d.Draft(a, lang.JA).BodyText
				if strings.Contains(body, found) != tc.found || strings.Contains(body, none) != tc.none {
					t.Errorf("%s:\n%s", a, body)
				}
			}
		})
	}
}

// TestHostileFacts feeds what an article may hold.
func TestHostileFacts(t *testing.T) {
	evil := "x\u202e\u200b\U000e0041\r\nBcc: a@kiso.example\n<script>alert(1)</script>{ask}【要記入: " + strings.Repeat("あ", 5000)
	in := tokenTheft(t)
	in.Subject.Lure = advisory.Words{JA: evil, EN: evil}
	in.Subject.Title = lang.Text{JA: evil, EN: evil}
	in.Subject.Slots["ask"] = advisory.Words{JA: "攻撃者(内線 666)", EN: "the attacker"}
	in.Subject.Slots["report"] = advisory.Words{JA: "攻撃者へ", EN: "to the attacker"}
	in.Sources = []advisory.Source{
		{Title: evil, URL: "javascript:alert(1)"}, {Title: "b", URL: "https://user:pw@news.example/"}, {Title: "c", URL: "https://news.example/\"onload=x"},
		{Title: "d", URL: "https://news.example/ok", Published: "tomorrow"},
	}
	in.Excerpts = []advisory.Excerpt{{Lang: "xx", Text: "a"}, {Lang: lang.JA, Text: evil, Source: 0}, {Lang: lang.JA, Text: "b", Source: 9}}
	d := write(t, in)
	for _, m := range slices.Concat(d.Drafts, d.Manager) {
		if strings.ContainsAny(m.Subject, "\r\n") || utf8.RuneCountInString(m.Subject) > 500 {
			t.Errorf("subject %q", m.Subject)
		}
		if strings.Contains(m.BodyHTML, "<script") || strings.Contains(m.BodyText, "\u202e") || strings.Contains(m.BodyText, "\u200b") || strings.Contains(m.BodyText, "\U000e0041") {
			t.Errorf("%s %s lets it through:\n%s", m.Audience, m.Lang, m.BodyHTML)
		}
		if strings.Contains(m.BodyText, "attacker (") || strings.Contains(m.BodyText, "666") || strings.Contains(m.BodyText, "to the attacker") {
			t.Errorf("an article replaced our own contact:\n%s", m.BodyText)
		}
		if strings.Contains(m.BodyText, "{ask}") == false && m.Audience == advisory.Staff {
			t.Error("the words of an article were taken for a template")
		}
		wellFormed(t, m.BodyHTML)
	}
	urls := []string{}
	for _, s := range d.Sources {
		urls = append(urls, s.URL)
	}
	if diff := cmp.Diff([]string{"", "", "https://news.example/%22onload=x", "https://news.example/ok"}, urls); diff != "" {
		t.Error(diff)
	}
	if d.Sources[3].Published != "" {
		t.Error("a date that is none")
	}
	if len(d.Excerpts) != 1 {
		t.Errorf("%d excerpts", len(d.Excerpts))
	}
	for _, page := range []string{advisory.HTML(d, lang.JA, nil), d.Manager[0].Page()} {
		if strings.Contains(page, "<script") || strings.Contains(page, "javascript:") {
			t.Error("a page has a script")
		}
	}
	if md := advisory.Markdown(d, lang.JA, nil); strings.Contains(strings.Split(md, "````")[0], "<script>") && !strings.Contains(md, `\<script\>`) {
		t.Error("Markdown has a tag")
	}
}

func TestRoundingIsRecorded(t *testing.T) {
	d := write(t, tokenTheft(t))
	want := []advisory.Rounding{{Exact: "92%", Shown: lang.Text{JA: "約9割", EN: "about 90%"}}}
	if diff := cmp.Diff(want, d.Roundings); diff != "" {
		t.Error(diff)
	}
}

func TestUntranslatedIsRecorded(t *testing.T) {
	in := tokenTheft(t)
	in.Subject.Lure = advisory.Words{EN: "code of conduct notices"}
	d := write(t, in)
	if diff := cmp.Diff([]string{"code of conduct notices"}, d.Untranslated); diff != "" {
		t.Error(diff)
	}
	if s := d.Draft(advisory.Staff, lang.JA).Subject; !strings.Contains(s, "「code of conduct notices」") {
		t.Errorf("subject %q", s)
	}
}

func TestWriteRefuses(t *testing.T) {
	in := tokenTheft(t)
	in.Template = "no-such"
	if _, err := advisory.Write(in); !errors.Is(err, advisory.ErrNoTemplate) {
		t.Errorf("%v", err)
	}
	if _, err := advisory.Write(&advisory.Input{}); err == nil {
		t.Error("no decision, no error")
	}
}

func TestChoose(t *testing.T) {
	for _, tc := range []struct {
		kind       triage.Kind
		techniques []string
		want       string
	}{
		{triage.Campaign, []string{"legit-service", "aitm"}, "token-theft"},
		{triage.Campaign, []string{"direct-send"}, "direct-send"},
		{triage.Campaign, []string{"own-domain-spoof"}, "direct-send"},
		{triage.Campaign, []string{"qr-phishing"}, "lure-wave"},
		{triage.Campaign, nil, "lure-wave"},
		{triage.Vulnerability, nil, "vulnerability"},
		{triage.Vulnerability, []string{"aitm"}, "vulnerability"},
		{triage.Scam, []string{"voice-phishing"}, "voice-phishing"},
		{triage.Policy, nil, "sender-requirement"},
		{triage.Info, nil, "notice"},
	} {
		if got := advisory.Default().Choose(tc.kind, tc.techniques); got != tc.want {
			t.Errorf("%s %v: %s, want %s", tc.kind, tc.techniques, got, tc.want)
		}
	}
}
