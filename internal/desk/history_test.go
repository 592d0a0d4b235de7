package desk_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

var kiso = org.Facts{Domains: org.Of([]string{"kiso-works.example", "kiso.onmicrosoft.com"})}

// letter is a mail that Exchange Online took from a host that may use the domain
// of its author.
func letter(from string, n int, at time.Time) string {
	_, host, _ := strings.Cut(from, "@")
	day := at.UTC().Format(time.RFC1123Z)
	return fmt.Sprintf("Received: from AB1PR01MB0001.jpnprd01.prod.outlook.com (2603:1096:400:1::1) by AB1PR01MB0002.jpnprd01.prod.outlook.com with HTTPS; %[3]s\r\n"+
		"Authentication-Results: spf=pass smtp.mailfrom=%[2]s; dkim=pass header.d=%[2]s; dmarc=pass header.from=%[2]s; compauth=pass reason=100\r\n"+
		"Received: from mail.%[2]s (203.0.113.10) by TY2PEPF0001.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server; %[3]s\r\n"+
		"From: %[1]s\r\nTo: sato@kiso-works.example\r\nSubject: No. %[4]d\r\nMessage-ID: <%[4]d@%[2]s>\r\nDate: %[3]s\r\n\r\nHello\r\n", from, host, day, n)
}

func reply(to string, n int, at time.Time) string {
	return fmt.Sprintf("From: sato@kiso-works.example\r\nTo: %s\r\nSubject: Re\r\nMessage-ID: <%d@kiso-works.example>\r\nDate: %s\r\n\r\nHello\r\n", to, n, at.UTC().Format(time.RFC1123Z))
}

func messages(texts ...string) func(func(desk.Item) bool) {
	var items []desk.Item
	for i, s := range texts {
		items = append(items, desk.Item{File: "box", Index: i + 1, Raw: []byte(s)})
	}
	return slices.Values(items)
}

var end = time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)

// year is a mailbox: weekly mail of a partner with answers to some, and two
// newcomers at the end.
func year() []string {
	var all []string
	for w := range 52 {
		at := end.AddDate(0, 0, -7*(52-w))
		all = append(all, letter("yamada@partner.example", w, at))
		if w%10 == 3 {
			all = append(all, reply("yamada@partner.example", w, at.Add(time.Hour)))
		}
	}
	return append(all, letter("new@stranger.test", 900, end.Add(-time.Hour)), letter("someone@mail.test", 901, end.AddDate(0, 0, -2)), letter("someone@mail.test", 902, end))
}

func bookOf(t *testing.T, facts org.Facts, judged history.Judgement, texts ...string) *history.Book {
	t.Helper()
	b := history.NewBuilder(nil)
	desk.Gather(t.Context(), messages(texts...), b, desk.Gathering{Facts: facts, Now: end, Judgement: judged})
	return b.Book()
}

func TestGather(t *testing.T) {
	b := history.NewBuilder(nil)
	forged := strings.ReplaceAll(letter("yamada@partner.example", 7, end), "=pass", "=fail")
	unread := 0
	items := func(yield func(desk.Item) bool) {
		for it := range messages(append(year(), forged, "Subject: no author\r\n\r\n")...) {
			if !yield(it) {
				return
			}
		}
		yield(desk.Item{File: "bad.zip", Err: &desk.Error{Kind: desk.Invalid, Message: lang.Literal("bad")}})
	}
	got := desk.Gather(t.Context(), items, b, desk.Gathering{Facts: kiso, Now: end, Unread: func(string, int, *desk.Failure) { unread++ }})
	want := desk.Gathered{Messages: 62, Inbound: 55, Outbound: 5, Forged: 1, Unusable: 1, Unread: 1}
	if diff := cmp.Diff(want, got); diff != "" || unread != 1 {
		t.Errorf("unread %d: %s", unread, diff)
	}
}

// TestSenderInVerdict judges a mailbox with the history that was made from it.
func TestSenderInVerdict(t *testing.T) {
	box := year()
	forged := strings.ReplaceAll(letter("yamada@partner.example", 807, end), "=pass", "=none")
	texts := []string{box[0], box[len(box)-4], box[len(box)-3], box[len(box)-1], letter("tanaka@partner.example", 803, end), forged, letter("tanaka@kiso-works.example", 4, end)}
	type row struct {
		Prevalence history.Prevalence
		Solicited  history.Answer
		Messages   int
		Reason     string
		NotChecked bool
	}
	judge := func(deps desk.JudgeDeps) (out []row) {
		deps.Facts, deps.Now = kiso, func() time.Time { return end }
		for v := range desk.Judge(t.Context(), messages(texts...), deps) {
			r := row{Reason: strings.TrimPrefix(v.Reason.EN, "No sign of danger was found in what was checked.")}
			if v.Sender != nil {
				r.Prevalence, r.Solicited, r.Messages = v.Sender.Prevalence, v.Sender.Solicited, v.Sender.Messages
			}
			r.NotChecked = slices.ContainsFunc(v.NotChecked, func(u desk.Unchecked) bool { return u.Capability == "history" })
			if v.Verdict != desk.Clean {
				t.Errorf("%s is %s: %s", v.MessageID, v.Verdict, v.Reason.EN)
			}
			out = append(out, r)
		}
		return out
	}
	want := []row{
		{"", "", 0, "", true}, // the first mail of the book
		{history.Common, history.Yes, 51, " Known sender since Friday, 30 May 2025; you have written to them.", false},
		{history.New, history.No, 0, " First mail from this address.", false},
		{history.Outlier, history.No, 1, " Known sender since Wednesday, 27 May 2026.", false},
		{history.Common, history.Yes, 52, " The address is new; mail from partner.example has come since Friday, 30 May 2025.", false},
		{history.Common, history.Yes, 52, " The address has been in use since Friday, 30 May 2025, but nothing proves that this mail comes from there.", false},
		{"", "", 0, "", false}, // a colleague
	}
	if diff := cmp.Diff(want, judge(desk.JudgeDeps{History: bookOf(t, kiso, "", box...)})); diff != "" {
		t.Error(diff)
	}
	for _, r := range judge(desk.JudgeDeps{}) {
		if r.Reason != "" || !r.NotChecked || r.Messages != 0 {
			t.Errorf("without a history: %+v", r)
		}
	}
}

// TestProfileInRules asks for everything that a history answers.
func TestProfileInRules(t *testing.T) {
	box := year()
	known, stranger, first := box[len(box)-4], box[len(box)-3], box[0]
	book := bookOf(t, kiso, "", box...)
	labelled := bookOf(t, kiso, history.Malicious, box...)
	inbound := bookOf(t, kiso, "", slices.DeleteFunc(slices.Clone(box), func(s string) bool { return strings.HasPrefix(s, "From: sato") })...)
	reach, sent := "history reach", "history sent"
	for _, tc := range []struct {
		expr, mail string
		book       *history.Book
		want       string // the value, or what it needs
	}{
		{"profile.by_sender().prevalence", known, book, `"common"`},
		{"profile.by_sender().prevalence", stranger, book, `"new"`},
		{"profile.by_sender().prevalence", first, book, reach},
		{"profile.by_sender_email().solicited", known, book, "true"},
		{"profile.by_sender_domain().solicited", stranger, book, "false"},
		{"profile.by_sender().solicited", first, book, reach},
		{"profile.by_sender().solicited", known, inbound, sent},
		{"profile.by_sender().days_since.last_outbound", stranger, inbound, sent},
		{"profile.by_sender().days_known", known, book, "357"},
		{"profile.by_sender().days_known", stranger, book, "0"},
		{"profile.by_sender().days_since.last_inbound", known, book, "7"},
		{"profile.by_sender().days_since.last_inbound", stranger, book, "null"},
		{"profile.by_sender().any_messages_benign", stranger, book, "false"},
		{"profile.by_sender().any_messages_benign", known, book, "null"},
		{"profile.by_sender().any_messages_malicious_or_spam", known, labelled, "true"},
		{"profile.by_sender().any_messages_benign", known, labelled, "false"},
		{"profile.by_sender().auth_failed", known, book, "false"},
		{"beta.profile.by_reply_to().solicited", known, book, "null"},
		{"sender.email.email in $sender_emails", known, book, "true"},
		{"sender.email.email in $sender_emails", stranger, book, "false"},
		{"sender.email.domain.domain in~ $recipient_domains", known, book, "true"},
		{"sender.email.email in $recipient_emails", stranger, book, "false"},
		{"sender.email.email in $recipient_emails", stranger, inbound, "list recipient_emails"},
		{"sender.email.email in $sender_emails", first, book, "list sender_emails"},
		{"any($recipient_emails, . == sender.email.email)", known, book, "true"},
		{"length($sender_domains)", known, book, "3"},
		{"'kiso-my.sharepoint.com' in $tenant_domains", known, book, "true"},
		{"profile.by_sender().prevalence", known, nil, "history"},
		{"sender.email.email in $sender_emails", known, nil, "list sender_emails"},
	} {
		t.Run(tc.expr, func(t *testing.T) {
			q, problems := desk.ParseQuery(tc.expr, nil, lang.Default())
			if q == nil {
				t.Fatal(problems)
			}
			for v := range desk.Values(t.Context(), messages(tc.mail), q, desk.QueryDeps{Facts: kiso, History: tc.book, Now: func() time.Time { return end }}) {
				got := string(v.Value)
				if len(v.Needs) > 0 {
					got = strings.TrimSpace(v.Needs[0].Capability + " " + v.Needs[0].Name)
				}
				if got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
			}
		})
	}
}

// TestFreeMailByAddress keeps two users of one provider apart, by the list that
// was published as by the one that sekisho carries.
func TestFreeMailByAddress(t *testing.T) {
	box := append(year(), reply("old@freemail.test", 77, end.AddDate(0, 0, -60)))
	book := bookOf(t, kiso, "", box...)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "free_email_providers.txt"), []byte("freemail.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "our_suppliers.txt"), []byte("partner.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lists, err := desk.OpenLists([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(expr string, l *feeds.Lists) string {
		q, problems := desk.ParseQuery(expr, l.Own(), lang.Default())
		if q == nil {
			t.Fatal(problems)
		}
		for v := range desk.Values(t.Context(), messages(letter("other@freemail.test", 5, end)), q, desk.QueryDeps{Facts: kiso, History: book, Lists: l}) {
			return string(v.Value)
		}
		return ""
	}
	mention := " and sender.email.domain.domain in $free_email_providers or 'partner.example' not in $our_suppliers"
	if got := ask("profile.by_sender().solicited", nil); got != "true" {
		t.Errorf("an unknown provider is a company: %s", got)
	}
	if got := ask("profile.by_sender().solicited"+mention, lists); got != "false" {
		t.Errorf("by a published list it is a provider: %s", got)
	}
	if got := ask("profile.by_sender().solicited", lists); got != "false" {
		t.Errorf("also where the rule does not name the list: %s", got)
	}
}

// TestExceptionVouches lets an exception say that a sender is benign, as a
// judgement of a mail does.
func TestExceptionVouches(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yml"), []byte("name: New\nseverity: high\nsource: not profile.by_sender().any_messages_benign\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := desk.LoadRules(t.Context(), []string{dir}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	vouch := desk.Exception{ID: "ex-1", From: "stranger.test", DKIM: "stranger.test", Kind: "mail.brand-name", Owner: "o", Reason: "r", Created: end.Add(-time.Hour), Expires: end.Add(time.Hour)}
	for _, tc := range []struct {
		name       string
		exceptions []desk.Exception
		want       int
	}{{"Without", nil, 1}, {"With", []desk.Exception{vouch}, 0}} {
		deps := desk.JudgeDeps{Facts: kiso, Rules: set, History: bookOf(t, kiso, "", year()...), Exceptions: tc.exceptions, Now: func() time.Time { return end }}
		for v := range desk.Judge(t.Context(), messages(letter("new@stranger.test", 901, end)), deps) {
			if v.Rules.Matched != tc.want {
				t.Errorf("%s: %d rules match, want %d", tc.name, v.Rules.Matched, tc.want)
			}
		}
	}
}

func TestListRules(t *testing.T) {
	dir := t.TempDir()
	for name, source := range map[string]string{"1": "profile.by_sender().solicited", "2": "'x' in $sender_emails", "3": "'x' in $tranco_1m", "4": "length(file.explode(attachments[0])) > 0"} {
		if err := os.WriteFile(filepath.Join(dir, name+".yml"), []byte("name: "+name+"\nsource: |\n  "+source+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := desk.LoadRules(t.Context(), []string{dir}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	published := t.TempDir()
	if err := os.WriteFile(filepath.Join(published, "tranco.csv"), []byte("1,a.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lists, err := desk.OpenLists([]string{published})
	if err != nil {
		t.Fatal(err)
	}
	full := bookOf(t, kiso, "", year()...)
	short := bookOf(t, kiso, "", year()[60:]...)
	for _, tc := range []struct {
		name string
		with desk.Means
		want []string
	}{
		{"Nothing", desk.Means{}, []string{"history", "list sender_emails", "list tranco_1m", "files"}},
		{"Everything", desk.Means{Lists: lists, History: full}, []string{"", "", "", "files"}},
		{"ShortHistory", desk.Means{Lists: lists, History: short}, []string{"history reach", "list sender_emails", "", "files"}},
	} {
		var got []string
		for _, r := range desk.ListRules(set, tc.with, lang.Default()) {
			need := ""
			if len(r.Needs) > 0 {
				need = strings.TrimSpace(r.Needs[0].Capability + " " + r.Needs[0].Name)
			}
			if (need == "") != (r.State == desk.RuleUsable) {
				t.Errorf("%s: %s is %s and needs %q", tc.name, r.Name, r.State, need)
			}
			got = append(got, need)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}
