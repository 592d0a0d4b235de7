package desk_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
)

var builtinSet = sync.OnceValues(func() (*feeds.Set, error) { return feeds.Load(context.Background(), []string{feeds.Builtin}, nil) })

// builtin returns the rules that sekisho ships with.
func builtin(t testing.TB) *feeds.Set {
	t.Helper()
	set, err := builtinSet()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// outside is a mail as Exchange Online hands it over that came from outside and
// could not be authenticated.
func outside(header, body string) []byte {
	return []byte(strings.ReplaceAll("Authentication-Results: spf=none (sender IP is 203.0.113.7) smtp.mailfrom=sender.test; dkim=none (message not signed)\n"+
		" header.d=none;dmarc=none action=none header.from=sender.test;compauth=fail reason=001\n"+
		"Received: from mail.sender.test (203.0.113.7) by OS1PR01FT001.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP Server id 15.20.1.1 via Frontend Transport; Mon, 23 Nov 2026 00:00:00 +0000\n"+
		"X-MS-Exchange-Organization-AuthAs: Anonymous\n"+header+"To: sato@kiso-works.example\nMessage-ID: <1@sender.test>\nMIME-Version: 1.0\n\n"+body, "\n", "\r\n"))
}

// ruleIDs are the rules that matched, sorted.
func ruleIDs(v *desk.Verdict) []string {
	out := []string{}
	for _, f := range v.Findings {
		if f.Kind == desk.RuleMatch {
			out = append(out, string(f.Rule.ID))
		}
	}
	slices.Sort(out)
	return out
}

// TestBuiltinRules has the verdict that the signs of built-in rules come to.
func TestBuiltinRules(t *testing.T) {
	const html = "Content-Type: text/html; charset=utf-8\n"
	const stopped = "<p>アカウントの利用を停止しました。</p><a href=\"https://landing.test/\">確認</a>\n"
	type want struct {
		Verdict desk.Word
		Row     string
		Rules   []string
	}
	for _, tc := range []struct {
		name string
		mail []byte
		want want
	}{
		{"OneSign", outside("From: Desk <a@sender.test>\nSubject: x\n"+html, stopped),
			want{desk.Suspicious, "medium", []string{"sekisho/lure/account-locked"}}},
		{"TwoSigns", outside("From: メルカリ <a@sender.test>\nSubject: x\n"+html, stopped),
			want{desk.Malicious, "signs-together", []string{"sekisho/lure/account-locked", "sekisho/sender/jp-shop"}}},
		{"TwoRulesOfOneSign", outside("From: Desk <a@sender.test>\nSubject: x\n"+html, "<p>還付金の申請手続き</p>"+stopped),
			want{desk.Suspicious, "medium", []string{"sekisho/lure/account-locked", "sekisho/lure/refund"}}},
		{"Severe", outside("From: Boss <a@sender.test>\nSubject: x\n", "LINEグループを作成し、QRコードを送ってください。\n"),
			want{desk.Malicious, "high", []string{"sekisho/lure/line-group"}}},
		{"Forwarded", outside("From: Sato <sato@partner.example>\nSubject: Fwd: x\n", "---------- Forwarded message ---------\nFrom: Boss <a@sender.test>\nDate: Mon, Nov 23, 2026 at 9:00 AM\nSubject: x\nTo: <sato@kiso-works.example>\n\nLINEグループを作成し、QRコードを送ってください。\n"),
			want{desk.Malicious, "high", []string{"sekisho/lure/line-group"}}},
		{"Harmless", outside("From: Desk <a@sender.test>\nSubject: x\n", "Hello.\n"), want{desk.Clean, "none", []string{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := judgeWith(t, desk.JudgeDeps{Facts: exampleFacts(t), Now: now, Rules: builtin(t)}, desk.Item{File: "mail.eml", Raw: tc.mail})
			if diff := cmp.Diff(tc.want, want{v.Verdict, v.Row, ruleIDs(v)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if v.Rules == nil || v.Rules.Builtin != v.Rules.Total || v.Rules.Total < 50 {
				t.Errorf("coverage %+v, want all of the pack", v.Rules)
			}
		})
	}
}

// TestBuiltinRuleWords holds a match of a built-in rule to both languages.
func TestBuiltinRuleWords(t *testing.T) {
	mail := outside("From: Boss <a@sender.test>\nSubject: x\n", "LINEグループを作成し、QRコードを送ってください。\n")
	v := judgeWith(t, desk.JudgeDeps{Now: now, Rules: builtin(t)}, desk.Item{File: "mail.eml", Raw: mail})
	f := v.Findings[0]
	if !strings.Contains(f.Title.JA, "グループ") || !strings.Contains(f.Title.EN, "chat group") || f.Rule.Source != feeds.Builtin {
		t.Errorf("the finding is %q of %q", f.Title, f.Rule.Source)
	}
	if n := f.Evidence[0].Note; !strings.Contains(n.JA, "送金") || !strings.Contains(n.EN, "Orders to pay") {
		t.Errorf("the explanation is %q", n)
	}
}

// TestBuiltinRulesOwnMail has mails of the house that read like lures.
func TestBuiltinRulesOwnMail(t *testing.T) {
	for _, name := range []string{"directsend/saas-allowed.eml", "directsend/via-connector.eml", "directsend/internal.eml", "ham/password-change-ja.eml"} {
		v := judgeWith(t, desk.JudgeDeps{Facts: exampleFacts(t), Now: now, Rules: builtin(t)}, desk.Item{File: name, Raw: example(t, name)})
		if v.Verdict != desk.Clean || v.Rules.Total != 0 {
			t.Errorf("%s is %s, and %d rules were asked", name, v.Verdict, v.Rules.Total)
		}
	}
}
