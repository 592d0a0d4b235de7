package advisory_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

// shown is how a value stands in the one sentence of a catalogue made for it.
func shown(t *testing.T, v advisory.Value) lang.Text {
	t.Helper()
	c, err := advisory.Load(small(nil))
	if err != nil {
		t.Fatal(err)
	}
	d := write(t, &advisory.Input{
		Catalogue: c, Template: "small", Decision: decide(t, triage.Facts{Kind: triage.Info}, on(2026, 5, 8)),
		Subject: advisory.Subject{Slots: map[string]advisory.Value{"fact": v}},
	})
	return lang.Text{JA: strings.TrimSuffix(strings.TrimPrefix(d.Summary.JA, "<"), ">"), EN: strings.TrimSuffix(strings.TrimPrefix(d.Summary.EN, "<"), ">")}
}

const smallTemplate = `key: small
kinds: [info]
slots: [{id: fact, ja: 事実, en: the fact}]
title: {id: title, ja: 題, en: Title}
summary: [{id: a, ja: "<{fact}>", en: "<{fact}>"}]
scope: [{id: a, ja: 範囲, en: Scope}]
staff:
  tag: notice
  subject: {id: subject, ja: 件名, en: Subject}
  why: [{id: a, ja: 理由, en: Why}]
  asks: [ask.a]
  deadline: none
admin:
  subject: {id: subject, ja: 件名, en: Subject}
  overview: [{id: a, ja: 概要, en: Overview}]
  steps: [{act: act.a, core: true}]
manager:
  happened: [{id: a, ja: 何, en: What}]
  means: [{id: a, ja: 意味, en: Meaning}]
  decide: [{id: a, ja: 判断, en: Decision}]
`

// small is a catalogue with one template, with texts replaced in its files.
func small(replace map[string]string) fstest.MapFS {
	files := map[string]string{
		"actions.yaml":         "- {id: ask.a, clock: none, ja: 依頼, en: Ask}\n- {id: act.a, clock: check, ja: 手順, en: Step}\n",
		"techniques.yaml":      "- {id: trick, ja: 手口, en: trick, requires: [act.a]}\n",
		"templates/small.yaml": smallTemplate,
	}
	m := fstest.MapFS{}
	for name, text := range files {
		for from, to := range replace {
			text = strings.ReplaceAll(text, from, to)
		}
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestValues(t *testing.T) {
	us := lang.Text{JA: "米国", EN: "in the United States"}
	for _, tc := range []struct {
		name   string
		v      advisory.Value
		ja, en string
	}{
		{"Words", advisory.Words{JA: "請求書", EN: "invoice"}, "請求書", "invoice"},
		{"Name", advisory.Name("CVE-2031-10001"), "CVE-2031-10001", "CVE-2031-10001"},
		{"Exact", advisory.Count{N: 11, Unit: advisory.Vulnerabilities}, "11件", "11 vulnerabilities"},
		{"One", advisory.Count{N: 1, Unit: advisory.Vulnerabilities}, "1件", "1 vulnerability"},
		{"About", advisory.Count{N: 35000, Unit: advisory.People, Approx: advisory.About}, "約35,000人", "about 35,000 people"},
		{"AtLeast", advisory.Count{N: 1234567, Unit: advisory.Mails, Approx: advisory.Over}, "1,234,567通以上", "more than 1,234,567 mails"},
		{"ExactlyAtLeast", advisory.Count{N: 70, Unit: advisory.Organisations, Approx: advisory.AtLeast}, "70組織以上", "at least 70 organisations"},
		{"UpTo", advisory.Count{N: 70, Unit: advisory.Accounts, Approx: advisory.UpTo}, "最大70アカウント", "up to 70 accounts"},
		{"Under", advisory.Count{N: 70, Unit: advisory.Cases, Approx: advisory.Under}, "70件未満", "fewer than 70 cases"},
		{"UnknownUnit", advisory.Count{N: 70, Unit: "sheep"}, "70", "70"},
		{"Countries", advisory.Count{N: 26, Unit: advisory.Countries}, "26カ国", "26 countries"},
		{"Share", advisory.Share{Percent: 92, Of: us}, "92%は米国", "92% of them in the United States"},
		{"ShareWithFraction", advisory.Share{Percent: 12.5, Of: us}, "12.5%は米国", "12.5% of them in the United States"},
		{"Day", advisory.Day(on(2026, 5, 29)), "2026年5月29日(金)", "Friday, 29 May 2026"},
		{"Period", advisory.Period{From: on(2026, 4, 14), To: on(2026, 4, 16)}, "2026年4月14日~16日", "14–16 April 2026"},
		{"Since", advisory.Period{From: on(2026, 4, 14)}, "2026年4月14日以降", "since 14 April 2026"},
		{"SinceMonth", advisory.Period{From: on(2025, 5, 1), Month: true}, "2025年5月以降", "since May 2025"},
		{"OneMonth", advisory.Period{From: on(2025, 5, 1), To: on(2025, 5, 31), Month: true}, "2025年5月", "May 2025"},
		{"Months", advisory.Period{From: on(2025, 5, 1), To: on(2025, 7, 31), Month: true}, "2025年5月~2025年7月", "May 2025 – July 2025"},
		{"List", advisory.List{advisory.Name("a"), advisory.Name("b"), advisory.Name("c")}, "a、b、c", "a, b and c"},
		{"ListOfOne", advisory.List{advisory.Name("a")}, "a", "a"},
		{"Hole", advisory.Hole{What: lang.Text{JA: "担当者", EN: "who"}}, "【要記入: 担当者】", "[FILL IN: who]"},
		{"Missing", nil, "【要記入: 事実】", "[FILL IN: the fact]"},
		{"OneLine", advisory.Name("a\r\nb\u2028c\td"), "a b c d", "a b c d"},
		{"NoHiddenCharacters", advisory.Name("a\u200bb\u202ec\ufeffd\U000e0041\u00ade"), "abcde", "abcde"},
		{"Composed", advisory.Name("か\u3099"), "が", "が"},
		{"NotUTF8", advisory.Name("a\xffb"), "ab", "ab"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(lang.Text{JA: tc.ja, EN: tc.en}, shown(t, tc.v)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBriefShare looks at what a notice to staff makes of a share.
func TestBriefShare(t *testing.T) {
	for _, tc := range []struct {
		percent float64
		want    string
	}{
		{92, "約9割は米国"}, {88, "約9割は米国"}, {93, "約9割は米国"}, {90, "90%は米国"}, {86, "86%は米国"}, {94, "94%は米国"}, {12, "約1割は米国"}, {4, "4%は米国"}, {97, "97%は米国"}, {100, "100%は米国"},
	} {
		in := tokenTheft(t)
		in.Subject.Share.Percent = tc.percent
		d := write(t, in)
		if body := d.Draft(advisory.Staff, lang.JA).BodyText; !strings.Contains(body, "標的、"+tc.want) {
			t.Errorf("%v: no %s in\n%s", tc.percent, tc.want, body)
		}
		if rounded := strings.HasPrefix(tc.want, "約"); rounded != (len(d.Roundings) == 1) {
			t.Errorf("%v: roundings %v", tc.percent, d.Roundings)
		}
		if !strings.Contains(d.Scope.JA, "%は米国") {
			t.Errorf("the card rounds: %s", d.Scope.JA)
		}
	}
}

// TestLongLists keeps a month's worth of CVEs from filling a sentence.
func TestLongLists(t *testing.T) {
	for _, tc := range []struct {
		n      int
		ja, en string
	}{
		{6, "CVE-2031-00001、CVE-2031-00002、CVE-2031-00003、CVE-2031-00004、CVE-2031-00005、CVE-2031-00006", "CVE-2031-00005 and CVE-2031-00006"},
		{30, "CVE-2031-00004、CVE-2031-00005、ほか25件", "CVE-2031-00005 and 25 more"},
	} {
		in := patchDay(t)
		in.Subject.CVEs = nil
		for i := range tc.n {
			in.Subject.CVEs = append(in.Subject.CVEs, fmt.Sprintf("CVE-2031-%05d", i+1))
		}
		d := write(t, in)
		if body := d.Draft(advisory.Admin, lang.JA).BodyText; !strings.Contains(body, tc.ja+"\n") {
			t.Errorf("%d: no %s in\n%s", tc.n, tc.ja, body)
		}
		if body := d.Draft(advisory.Admin, lang.EN).BodyText; !strings.Contains(body, tc.en+"\n") {
			t.Errorf("%d: no %s in\n%s", tc.n, tc.en, body)
		}
	}
}

// TestLatinInJapanese parts Latin names from Japanese words, and no numbers.
func TestLatinInJapanese(t *testing.T) {
	in := senderRequirement(t)
	in.Subject.Slots["service"] = advisory.Name("Kiso Mail 2")
	d := write(t, in)
	for _, want := range []string{"、Kiso Mail 2 あてのメール", "2025年5月5日(月)から、Kiso"} {
		if !strings.Contains(d.Summary.JA, want) {
			t.Errorf("no %q in %s", want, d.Summary.JA)
		}
	}
	if d.Title.JA != "Kiso Mail 2 のメール送信者要件(2025年5月5日から適用)" {
		t.Errorf("title %q", d.Title.JA)
	}
}

func TestExtent(t *testing.T) {
	people := func(c advisory.Claim) advisory.Count { return advisory.Count{N: 500, Unit: advisory.People, Claim: c} }
	seen := advisory.Period{From: on(2026, 4, 14), To: on(2026, 4, 14)}
	for _, tc := range []struct {
		name   string
		counts []advisory.Count
		seen   advisory.Period
		ja, en string
	}{
		{"Compromised", []advisory.Count{people(advisory.Compromised)}, seen, "2026年4月14日に500人が侵害されました。", "500 people were compromised on 14 April 2026."},
		{"TwoClaims", []advisory.Count{people(advisory.Targeted), {N: 20, Unit: advisory.People, Claim: advisory.Entered}}, seen, "2026年4月14日に500人が標的になりました。20人が情報を入力しました。", "500 people were targeted; 20 people entered their credentials on 14 April 2026."},
		{"CountriesOnly", []advisory.Count{{N: 3, Unit: advisory.Countries}}, seen, "2026年4月14日に3カ国で確認。", "It was reported in 3 countries on 14 April 2026."},
		{"TimeOnly", nil, seen, "2026年4月14日に観測。", "It was seen on 14 April 2026."},
		{"SinceOnly", nil, advisory.Period{From: on(2026, 4, 1), Month: true}, "2026年4月以降に観測。", "It has been seen since April 2026."},
		{"Received", []advisory.Count{people(advisory.Received)}, advisory.Period{From: on(2026, 4, 1), Month: true}, "2026年4月以降、500人に届いています。", "500 people have received it since April 2026."},
		{"UnknownClaim", []advisory.Count{people("enchanted")}, advisory.Period{}, "500人で確認されました。", "500 people were reported."},
		{"NoClaim", []advisory.Count{people("")}, advisory.Period{}, "500人で確認されました。", "500 people were reported."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := tokenTheft(t)
			in.Subject.Counts, in.Subject.Seen, in.Subject.Share = tc.counts, tc.seen, advisory.Share{}
			d := write(t, in)
			if !strings.Contains(d.Scope.JA, tc.ja) || !strings.Contains(d.Scope.EN, tc.en) {
				t.Errorf("want %s %s in\n%s\n%s", tc.ja, tc.en, d.Scope.JA, d.Scope.EN)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	if _, err := advisory.Load(small(nil)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, from, to, want string
	}{
		{"UnknownKey", "kinds: [info]", "kinds: [info]\nkind: info", "field kind not found"},
		{"OtherKey", "key: small", "key: large", `the key is "large"`},
		{"NoEnglish", "en: Title", `en: ""`, "title lacks a language"},
		{"SlotsDiffer", `en: "<{fact}>"`, `en: "<>"`, "ja names [fact], en names []"},
		{"UnknownSlot", `"<{fact}>"`, `"<{facts}>"`, `no such slot: "facts"`},
		{"OpenBrace", `"<{fact}>"`, `"<{fact"`, "a brace is not closed"},
		{"UnknownCondition", "{id: a, ja: 範囲", "{id: a, when: [!!str sunny], ja: 範囲", `no such condition: "sunny"`},
		{"UnknownTag", "tag: notice", "tag: shout", `no such tag: "shout"`},
		{"UnknownDeadline", "deadline: none", "deadline: soon", `no such deadline: "soon"`},
		{"FourAsks", "asks: [ask.a]", "asks: [ask.a, ask.a, ask.a, ask.a]", "staff are asked 4 things"},
		{"UnknownAsk", "asks: [ask.a]", "asks: [ask.b]", `no such action: "ask.b"`},
		{"UnknownStep", "{act: act.a, core: true}", "{act: act.b}", `no such action: "act.b"`},
		{"UnknownClock", "clock: check", "clock: noon", `no such clock: "noon"`},
		{"UnknownRequirement", "requires: [act.a]", "requires: [act.b]", "requires act.b, which is no action"},
		{"RemedyMissing", "kinds: [info]", "kinds: [info]\ntechniques: [trick2]", `no such technique: "trick2"`},
		{"EmptySection", "overview: [{id: a, ja: 概要, en: Overview}]", "overview: []", "a section is empty"},
		{"SlotOfEveryTemplate", "{id: fact, ja: 事実, en: the fact}", "{id: fact, ja: 事実, en: the fact}, {id: ask, ja: あ, en: a}", `slot "ask"`},
		{"TwoActions", "- {id: act.a, clock: check, ja: 手順, en: Step}\n", "- {id: act.a, clock: check, ja: 手順, en: Step}\n- {id: act.a, clock: check, ja: 手順, en: Step}\n", "act.a stands there twice"},
		{"NotYAML", "- {id: trick", "- {{id: trick", "techniques.yaml"},
		{"TooLong", "key: small", "key: small #" + strings.Repeat("x", 300<<10), "is longer than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := advisory.Load(small(map[string]string{tc.from: tc.to}))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, want %s", err, tc.want)
			}
		})
	}
	// A template for a technique has to say what stops it.
	files := small(map[string]string{"kinds: [info]": "kinds: [info]\ntechniques: [trick]", "steps: [{act: act.a, core: true}]": "steps: [{act: ask.a}]"})
	if _, err := advisory.Load(files); err == nil || !strings.Contains(err.Error(), "it is for trick and never says act.a") {
		t.Errorf("%v", err)
	}
}

// FuzzWords puts any words into a slot: they stay on one line, carry nothing
// hidden, and never become markup.
func FuzzWords(f *testing.F) {
	f.Add("行動規範", "code of conduct")
	f.Add("</p><script>", "{ask} [FILL IN: ")
	f.Add("\u202e\r\n\x00", "\xff\U000e0041")
	f.Fuzz(func(t *testing.T, ja, en string) {
		in := tokenTheft(t)
		in.Subject.Lure = advisory.Words{JA: ja, EN: en}
		d := write(t, in)
		for _, m := range d.Drafts {
			if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.ContainsAny(m.BodyText, "\u202e\u200b\x00\r") {
				t.Errorf("%q", m.Subject)
			}
			wellFormed(t, m.BodyHTML)
		}
	})
}
