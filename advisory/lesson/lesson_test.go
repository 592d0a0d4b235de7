package lesson_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory/lesson"
	"github.com/sekisho/sekisho/lang"
)

var update = flag.Bool("update", false, "write the golden files")

var issued = time.Date(2026, 5, 8, 9, 0, 0, 0, time.UTC)

func catalogue(tb testing.TB) *lesson.Catalogue {
	tb.Helper()
	c, err := lesson.Default()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// live is what a mail program or a browser makes a link of.
var live = regexp.MustCompile(`(?i)https?://|www\.|mailto:|<a\b|href=|src=|[a-z0-9._-]+@[a-z0-9-]+\.[a-z]`)

// TestTopics writes every topic in every form: it is there in both languages,
// nothing in it is a link, and the page needs nothing from outside.
func TestTopics(t *testing.T) {
	c := catalogue(t)
	for _, key := range c.Topics() {
		t.Run(key, func(t *testing.T) {
			x, err := c.Write(&lesson.Input{Topic: key, Issued: issued, Report: lang.Text{JA: "Outlook の「報告」ボタンでお知らせください。", EN: "Use the Report button in Outlook."}})
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range []lang.Language{lang.JA, lang.EN} {
				page, err := x.HTML(l)
				if err != nil {
					t.Fatal(err)
				}
				for form, text := range map[string]string{"text": x.Text(l), "md": x.Markdown(l), "html": page} {
					if m := live.FindString(text); m != "" {
						t.Errorf("%s %s has the link %q", l, form, m)
					}
					if strings.Contains(text, "lesson.") {
						t.Errorf("%s %s shows a key", l, form)
					}
					for _, must := range []string{x.Title.In(l), x.Quiz[2].Why.In(l)} {
						if form == "text" && !strings.Contains(text, must) {
							t.Errorf("%s %s lacks %q", l, form, must)
						}
					}
				}
				golden := filepath.Join("testdata", key+"."+string(l)+".txt")
				if *update {
					if err := os.WriteFile(golden, []byte(x.Text(l)), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), x.Text(l)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
	if _, err := c.Write(&lesson.Input{Topic: "none", Issued: issued}); !errors.Is(err, lesson.ErrTopic) {
		t.Errorf("an unknown topic: %v", err)
	}
}

func TestHole(t *testing.T) {
	x, err := catalogue(t).Write(&lesson.Input{Topic: "qr-code", Issued: issued})
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Holes) != 1 || !strings.Contains(x.Text(lang.JA), "【要記入") || !strings.Contains(x.Text(lang.EN), "[FILL IN") {
		t.Errorf("how to report was not said: %+v", x.Holes)
	}
}

// TestOccasion takes the links out of what an advisory says.
func TestOccasion(t *testing.T) {
	c := catalogue(t)
	for _, tc := range []struct{ name, in, want string }{
		{"URL", "Mails lead to https://login.kiso-works.example/a now.", "Mails lead to hxxps://login[.]kiso-works[.]example/a now."},
		{"Host", "Beware of kiso-login.example, it is new.", "Beware of kiso-login[.]example, it is new."},
		{"Address", "Sent by clerk@kiso-works.example.", "Sent by clerk[@]kiso-works[.]example."},
		{"Numbers", "About 92.5 % in 26 countries, version 6.4.3.", "About 92.5 % in 26 countries, version 6.4.3."},
		{"Defanged", "See hxxps://a[.]example/ and b[.]example.", "See hxxps://a[.]example/ and b[.]example."},
		{"Japanese", "偽の画面(https://a.example)へ誘導します。", "偽の画面(hxxps://a[.]example)へ誘導します。"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x, err := c.Write(&lesson.Input{Topic: "token-theft", Issued: issued, Occasion: lang.Text{JA: tc.in, EN: tc.in}})
			if err != nil {
				t.Fatal(err)
			}
			if x.Occasion.EN != tc.want {
				t.Errorf("got  %q\nwant %q", x.Occasion.EN, tc.want)
			}
		})
	}
}

// TestSeenOf shows ordinary words of a subject and nothing that names anybody.
func TestSeenOf(t *testing.T) {
	c := catalogue(t)
	for _, tc := range []struct{ name, subject, want string }{
		{"Lure", "【重要】パスワードの有効期限について", "【重要】パスワードの有効期限について"},
		{"Name", "佐藤様 給与明細のご確認", "●●●様 給与明細のご確認"},
		{"KanaName", "ももちゃんへのお知らせ", "●●●お知らせ"},
		{"MixedName", "本田 花子様: 請求書", "●●● 様: 請求書"},
		{"Latin", "Hanako Sato, your password expires today", "●●● your password expires today"},
		{"Address", "Action required for hanako.sato@kiso-works.example", "Action required for ●●●"},
		{"AddressInWord", "password:hanako@kiso-works.example", ""},
		{"Link", "verify https://kiso-works.example/?u=hanako now", "verify ●●●"},
		{"Base64", "document aGFuYWtvQGtpc28= shared", "document ●●● shared"},
		{"Number", "Invoice 4711-0815", "Invoice ●●●"},
		{"Hidden", "pass\u200bword Sa\u200bto", "password ●●●"},
		{"Bidi", "\u202eotaS\u202c invoice", "●●● invoice"},
		{"OnlyName", "Hanako Sato", ""},
		{"Apostrophe", "O'Brien's invoice", "●●● invoice"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := ""
			if s := c.SeenOf(tc.subject, "", ""); s != nil {
				got = s.Subject
			}
			if got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
	s := c.SeenOf("", "co.jp", "html")
	if s == nil || s.Link != "hxxps://●●●[.]co[.]jp/●●●" || s.File != "●●●.html" {
		t.Errorf("%+v", s)
	}
	if s := c.SeenOf("", "kiso-works.example", "sato hanako"); s != nil {
		t.Errorf("%+v", s)
	}
}

func FuzzSeenOf(f *testing.F) {
	c := catalogue(f)
	for _, s := range []string{"【重要】パスワード", "Sato@example.com invoice", "ももの木", "a\u0301b", "\xff\xfe"} {
		f.Add(s, "com", "pdf")
	}
	f.Fuzz(func(t *testing.T, subject, suffix, extension string) {
		// Nobody is called so, and no ordinary word holds it.
		const name = "Zqxwvk"
		s := c.SeenOf(subject+" "+name+" "+subject, suffix, extension)
		if s == nil {
			return
		}
		for _, shown := range []string{s.Subject, s.Link} {
			if strings.Contains(shown, name) || live.MatchString(shown) {
				t.Errorf("%q shows %q", subject, shown)
			}
		}
		if strings.ContainsAny(s.Subject+s.Link+s.File, "<>@\x00\u202e\u200b") {
			t.Errorf("%q shows %+v", subject, s)
		}
	})
}

func TestFor(t *testing.T) {
	c := catalogue(t)
	for _, tc := range []struct{ name, got, want string }{
		{"Template", c.ForAdvisory("direct-send", nil), "own-domain"},
		{"Technique", c.ForAdvisory("lure-wave", []string{"captcha", "qr-phishing"}), "qr-code"},
		{"Other", c.ForAdvisory("notice", nil), "sign-in-lure"},
		{"Finding", c.ForFindings([]string{"sekisho/ds-1", "mail.direct-send-spoof"}), "own-domain"},
		{"Rule", c.ForFindings([]string{"sekisho/lure/callback"}), "voice-call"},
		{"Nothing", c.ForFindings(nil), "sign-in-lure"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, not %q", tc.name, tc.got, tc.want)
		}
	}
}

// TestPlan covers what a year has to cover, on days on which people work.
func TestPlan(t *testing.T) {
	c := catalogue(t)
	cal := lang.CalendarOf("JP")
	for year := 2026; year <= 2030; year++ {
		p := c.Plan(year, cal)
		seen := map[string]bool{}
		for _, x := range p.Lessons {
			seen[x.Topic] = true
			day, err := time.Parse(time.DateOnly, x.Day)
			if err != nil || !cal.Open(day) || day.Year() != year {
				t.Errorf("%d: %s", year, x.Day)
			}
		}
		for _, must := range []string{"own-domain", "qr-code", "token-theft", "voice-call", "updates"} {
			if !seen[must] {
				t.Errorf("%d lacks %s", year, must)
			}
		}
		if len(p.Lessons) != 12 {
			t.Errorf("%d has %d lessons", year, len(p.Lessons))
		}
		for line := range strings.SplitSeq(p.ICS(lang.JA), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\n") {
				t.Errorf("%d: a line of %d bytes", year, len(line))
			}
		}
	}
	if s := c.Plan(2027, cal).Text(lang.JA); !strings.HasPrefix(s, "2027年の教育計画\n") {
		t.Error(s)
	}
}

func TestLoad(t *testing.T) {
	good := `key: a
title: {ja: a, en: a}
what: {ja: a, en: a}
mock: {from: {ja: a, en: a}, subject: {ja: a, en: a}, lines: [{ja: a, en: a, tell: 1}]}
tells: [{ja: a, en: a}]
rule: {ja: a, en: a}
steps: [{ja: a, en: a}]
quiz:
  - {q: {ja: a, en: a}, why: {ja: a, en: a}, choices: [{ja: a, en: a, right: true}, {ja: b, en: b}, {ja: c, en: c}]}
  - {q: {ja: a, en: a}, why: {ja: a, en: a}, choices: [{ja: a, en: a, right: true}, {ja: b, en: b}, {ja: c, en: c}]}
  - {q: {ja: a, en: a}, why: {ja: a, en: a}, choices: [{ja: a, en: a, right: true}, {ja: b, en: b}, {ja: c, en: c}]}
`
	for _, tc := range []struct{ name, from, to, want string }{
		{"Good", "", "", ""},
		{"OneLanguage", "rule: {ja: a, en: a}", "rule: {ja: a}", "lacks a language"},
		{"TwoRight", "{ja: b, en: b}", "{ja: b, en: b, right: true}", "right ones"},
		{"NoSuchTell", "tell: 1", "tell: 2", "number 2"},
		{"Unknown", "key: a", "key: a\ncolour: red", "colour"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := lesson.Load(fstest.MapFS{
				"topics/a.yaml": {Data: []byte(strings.Replace(good, tc.from, tc.to, 1))},
				"plan.yaml":     {Data: []byte("months: [{topic: a, why: {ja: a, en: a}}]\n")},
				"words.txt":     {Data: []byte("invoice\n")},
			})
			switch {
			case tc.want == "" && err != nil, tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%v, want %q", err, tc.want)
			}
		})
	}
}
