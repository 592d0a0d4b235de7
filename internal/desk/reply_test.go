package desk_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve/zone"
)

// evil is a mail that somebody reports; its subject and its names try to get
// into the reply as more than words.
const evil = "From: \"PayPal https://evil.example/x\" <a@login-verify.example>\r\nTo: sato@kiso-works.example\r\n" +
	"Subject: Pay now: https://evil.example/pay or www.evil.example, mail a@evil.example\r\nMessage-ID: <evil@login-verify.example>\r\n" +
	"Date: Mon, 23 Nov 2026 09:00:00 +0900\r\nReceived: from x (x.example [203.0.113.9]) by mx.kiso-works.example; Mon, 23 Nov 2026 09:00:00 +0900\r\n" +
	"\r\nSign in at https://evil.example/SECRET-BODY now.\r\n"

// report is a mail with which somebody hands another one in.
func report(header, text string) []byte {
	return []byte(header + "Subject: FW: report\r\nMessage-ID: <report@kiso-works.example>\r\nDate: Mon, 23 Nov 2026 10:00:00 +0900\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text + "\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + evil + "\r\n--b--\r\n")
}

const sato = "From: Sato <Sato@Kiso-Works.example>\r\nTo: report@kiso-works.example\r\n"

// replyDesk is a desk that answers reports. What became of each is told by the
// ID of the mail.
func replyDesk(t *testing.T, mode desk.ReplyMode) (*desk.IntakeDeps, *desk.ReplyDeps, func(desk.MailID) desk.Replied) {
	t.Helper()
	deps, db := intakeDesk(t)
	var mu sync.Mutex
	became := map[desk.MailID]desk.Replied{}
	facts := exampleFacts(t)
	facts.Country = org.Setting[string]{}
	deps.Judge = func(context.Context) (desk.JudgeDeps, error) { return desk.JudgeDeps{Facts: facts, Now: now}, nil }
	replies := &desk.ReplyDeps{
		Store: db, Blobs: deps.Blobs, Judge: func(ctx context.Context) (desk.JudgeDeps, error) { return deps.Judge(ctx) }, Rules: desk.ReplyRules{Mode: mode, PerReporter: 1000, PerHour: 1000},
		From: "sekisho@kiso-works.example", Own: []string{"report@kiso-works.example"}, Now: now,
	}
	deps.Kept = func(ctx context.Context, e *desk.QueueEntry, k *desk.KeptMail) {
		got, err := desk.ReplyToReporter(ctx, e, k, replies)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		// On a slow machine the quick clock ends the hold of a worker, and another
		// one is told of the same mail again.
		if got != desk.ReplyThere || became[e.ID] == "" {
			became[e.ID] = got
		}
	}
	return deps, replies, func(id desk.MailID) desk.Replied {
		mu.Lock()
		defer mu.Unlock()
		return became[id]
	}
}

func TestReply(t *testing.T) {
	deps, replies, became := replyDesk(t, desk.ReplyApprove)
	id := accept(t, deps, &desk.Delivery{Raw: report("Reply-To: victim@partner.example\r\nReferences: <a@b.example>\r\n"+sato, "怪しいメールです。"), Source: desk.SourceIMAP})
	work(t, deps)
	if got := became(id); got != desk.ReplyKept {
		t.Fatal(got)
	}
	list, err := replies.Store.Outs(t.Context(), desk.OutWaiting, 10)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	m, err := desk.ShowOut(t.Context(), list[0].ID, &desk.OutboxDeps{Store: replies.Store})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		t.Fatal(err)
	}
	h := parsed.Header
	got := []string{m.To, h.Get("To"), h.Get("From"), h.Get("Auto-Submitted"), h.Get("In-Reply-To"), h.Get("References"), h.Get("Message-Id"), h.Get("Content-Language"), h.Get("Reply-To")}
	want := []string{
		"sato@kiso-works.example", "<sato@kiso-works.example>", "<sekisho@kiso-works.example>", "auto-replied", "<report@kiso-works.example>",
		"<a@b.example> <report@kiso-works.example>", "<sekisho.reply." + m.ID + "@kiso-works.example>", "ja", "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text := m.Text
	for _, want := range []string{"ご報告いただき", "件名: Pay now", "evil[.]example", "判定: ", "お願い:"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	for _, never := range []string{"https://", "evil.example", "www.e", "a@", "SECRET-BODY"} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in\n%s", never, text)
		}
	}
}

// Who is answered and who is not.
func TestReplyTo(t *testing.T) {
	from := func(a string) string { return "From: " + a + "\r\nTo: report@kiso-works.example\r\n" }
	exo := "Received: from TYZPR01MB0001.apcprd01.prod.exchangelabs.com (2603:1096::1) by TYZPR01MB0002.apcprd01.prod.exchangelabs.com with HTTPS; Mon, 23 Nov 2026 01:00:00 +0000\r\n"
	for _, tc := range []struct {
		name   string
		raw    []byte
		source desk.Source
		env    *desk.MailEnvelope
		want   desk.Replied
	}{
		{"Mailbox", report(sato, "look"), "", nil, desk.ReplyKept},
		{"Graph", report(exo+sato, "look"), desk.SourceGraph, nil, desk.ReplyKept},
		{"SubDomain", report(from("x@tokyo.kiso-works.example"), "look"), "", nil, desk.ReplyKept},
		{"AutoSubmittedNo", report(sato+"Auto-Submitted: no\r\n", "look"), "", nil, desk.ReplyKept},
		{"PlainMail", []byte(sato + "Subject: hello\r\n\r\nhello\r\n"), "", nil, desk.ReplyNone},
		{"Watched", report(sato+"X: 1\r\n", "look"), desk.SourceWatch, nil, desk.ReplyNone},
		{"Milter", report(sato+"X: 2\r\n", "look"), desk.SourceMilter, nil, desk.ReplyNone},
		{"Journal", []byte("From: journal@kiso-works.example\r\nX-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=j\r\n\r\n--j\r\nContent-Type: text/plain\r\n\r\nSender: sato@kiso-works.example\r\nTo: x@kiso-works.example\r\n--j\r\nContent-Type: message/rfc822\r\n\r\n" +
			string(report(sato+"X: 3\r\n", "look")) + "\r\n--j--\r\n"), "", nil, desk.ReplyNone},
		{"Stranger", report(from("x@partner.example"), "look"), "", nil, desk.ReplyStranger},
		{"Lookalike", report(from("x@notkiso-works.example"), "look"), "", nil, desk.ReplyStranger},
		{"TwoAuthors", report(from("x@kiso-works.example, y@kiso-works.example"), "look"), "", nil, desk.ReplyStranger},
		{"TwoFroms", report(from("x@partner.example")+from("x@kiso-works.example"), "look"), "", nil, desk.ReplyNone},
		{"NameOnly", report(from("sato@kiso-works.example <x@partner.example>"), "look"), "", nil, desk.ReplyNone},
		{"QuotedLocal", report(from("\"a b\"@kiso-works.example"), "look"), "", nil, desk.ReplyStranger},
		{"EncodedInjection", report(from("=?utf-8?q?x=0D=0ABcc:_v@partner.example?= <\"x=?utf-8?q?=0D=0A?=\"@kiso-works.example>"), "look"), "", nil, desk.ReplyStranger},
		{"AutoReplied", report(sato+"Auto-Submitted: auto-replied\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"AutoGenerated", report(sato+"AUTO-SUBMITTED: Auto-Generated; x=y\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"AutoTwice", report(sato+"Auto-Submitted: no\r\nAuto-Submitted: auto-replied\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"Bulk", report(sato+"Precedence: bulk\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"Junk", report(sato+"Precedence: Junk (x)\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"List", report(sato+"List-Id: <staff.kiso-works.example>\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"NullReturnPath", report("Return-Path: <>\r\n"+sato, "look"), "", nil, desk.ReplyAutomatic},
		{"NullSender", report(sato+"X: 4\r\n", "look"), "", &desk.MailEnvelope{To: []string{"report@kiso-works.example"}}, desk.ReplyAutomatic},
		{"Rule", report(sato+"X-MS-Exchange-Inbox-Rules-Loop: sato@kiso-works.example\r\n", "look"), "", nil, desk.ReplyAutomatic},
		{"Daemon", report(from("MAILER-DAEMON@kiso-works.example"), "look"), "", nil, desk.ReplyAutomatic},
		{"NoReply", report(from("no-reply@kiso-works.example"), "look"), "", nil, desk.ReplyAutomatic},
		{"Own", report(from("sekisho@kiso-works.example"), "look"), "", nil, desk.ReplyAutomatic},
		{"OwnMailbox", report(from("Report@kiso-works.example"), "look"), "", nil, desk.ReplyAutomatic},
		{"SMTPUnproven", report(sato+"X: 5\r\n", "look"), desk.SourceSMTP, &desk.MailEnvelope{From: "sato@kiso-works.example", To: []string{"report@kiso-works.example"}}, desk.ReplyUnproven},
		{"SMTPClaim", report("Authentication-Results: mx.kiso-works.example; dmarc=pass header.from=kiso-works.example\r\n"+sato, "look"), desk.SourceSMTP, &desk.MailEnvelope{From: "sato@kiso-works.example", To: []string{"report@kiso-works.example"}}, desk.ReplyUnproven},
	} {
		t.Run(tc.name, func(t *testing.T) {
			deps, replies, became := replyDesk(t, desk.ReplyAuto)
			if tc.source == "" {
				tc.source = desk.SourceIMAP
			}
			id := accept(t, deps, &desk.Delivery{Raw: tc.raw, Source: tc.source, Envelope: tc.env})
			work(t, deps)
			if got := became(id); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
			list, err := replies.Store.Outs(t.Context(), "", 10)
			if err != nil {
				t.Fatal(err)
			}
			if want := map[bool]int{true: 1}[tc.want == desk.ReplyKept]; len(list) != want {
				t.Errorf("%d mails in the outbox", len(list))
			}
		})
	}
}

// Direct Send in the name of a colleague is no colleague.
func TestReplySpoofed(t *testing.T) {
	deps, _, became := replyDesk(t, desk.ReplyAuto)
	spoof := string(example(t, "directsend/ds1-high.eml"))
	head, _, _ := strings.Cut(strings.ReplaceAll(spoof, "\r\n", "\n"), "\n\n")
	var kept []string
	skip := false
	for line := range strings.SplitSeq(head, "\n") {
		if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			name, _, _ := strings.Cut(strings.ToLower(line), ":")
			skip = name == "subject" || name == "message-id" || name == "date" || strings.HasPrefix(name, "content-") || name == "mime-version"
		}
		if !skip {
			kept = append(kept, line)
		}
	}
	id := accept(t, deps, &desk.Delivery{Raw: report(strings.Join(kept, "\r\n")+"\r\n", "look"), Source: desk.SourceGraph})
	work(t, deps)
	if got := became(id); got != desk.ReplyUnproven && got != desk.ReplyNone {
		t.Errorf("a spoofed report: %s", got)
	}
}

// By SMTP, a report is answered that passes DMARC by our own verification.
func TestReplySigned(t *testing.T) {
	key := dkimtest.Ed25519("kiso-works.example", "s1")
	z, err := zone.Parse(strings.NewReader(key.Zone() + "\n_dmarc.kiso-works.example. TXT \"v=DMARC1; p=reject\"\nkiso-works.example. TXT \"v=spf1 -all\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, signed := range []bool{true, false} {
		deps, _, became := replyDesk(t, desk.ReplyAuto)
		old := deps.Judge
		deps.Judge = func(ctx context.Context) (desk.JudgeDeps, error) {
			j, err := old(ctx)
			j.Resolver = z
			return j, err
		}
		raw := report(sato, "look")
		if signed {
			raw = dkimtest.Sign(raw, key, nil)
		}
		id := accept(t, deps, &desk.Delivery{Raw: raw, Envelope: &desk.MailEnvelope{From: "sato@kiso-works.example", To: []string{"report@kiso-works.example"}}})
		work(t, deps)
		if got, want := became(id), map[bool]desk.Replied{true: desk.ReplyKept, false: desk.ReplyUnproven}[signed]; got != want {
			t.Errorf("signed %v: %s", signed, got)
		}
	}
}

func TestReplyStorm(t *testing.T) {
	deps, replies, became := replyDesk(t, desk.ReplyAuto)
	replies.Rules.PerReporter, replies.Rules.PerHour = 2, 3
	counts := map[desk.Replied]int{}
	raw := report(sato, "once")
	first := accept(t, deps, &desk.Delivery{Raw: raw, Source: desk.SourceIMAP, Key: "1"})
	work(t, deps)
	counts[became(first)]++
	// The same report again is no report more.
	accept(t, deps, &desk.Delivery{Raw: raw, Source: desk.SourceIMAP, Key: "2"})
	work(t, deps)
	for i := range 6 {
		who := sato
		if i >= 3 {
			who = "From: tanaka@kiso-works.example\r\n"
		}
		id := accept(t, deps, &desk.Delivery{Raw: report(who, fmt.Sprint("again ", i)), Source: desk.SourceIMAP})
		work(t, deps)
		counts[became(id)]++
	}
	if diff := cmp.Diff(map[desk.Replied]int{desk.ReplyKept: 3, desk.ReplyLimited: 4}, counts); diff != "" {
		t.Error(diff)
	}
}

func TestReplyLanguage(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		change     func(f *org.Facts, d *desk.ReplyDeps)
		want       string
	}{
		{"Kana", "これは怪しいです", nil, "ja"},
		{"Latin", "please look at this", nil, "en"},
		{"Configured", "please look at this", func(_ *org.Facts, d *desk.ReplyDeps) { d.Language = lang.JA }, "ja"},
		{"Country", "", func(f *org.Facts, _ *desk.ReplyDeps) { f.Country = org.Of("JP") }, "ja"},
		{"Person", "これは怪しいです", func(f *org.Facts, _ *desk.ReplyDeps) {
			f.People = org.Of([]org.Person{{DisplayName: "Sato", Address: "sato@kiso-works.example", Lang: "en"}})
		}, "en"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			deps, replies, _ := replyDesk(t, desk.ReplyAuto)
			facts := exampleFacts(t)
			facts.Country = org.Setting[string]{}
			if tc.change != nil {
				tc.change(&facts, replies)
			}
			deps.Judge = func(context.Context) (desk.JudgeDeps, error) { return desk.JudgeDeps{Facts: facts, Now: now}, nil }
			accept(t, deps, &desk.Delivery{Raw: report(sato, tc.text), Source: desk.SourceIMAP})
			work(t, deps)
			list, err := replies.Store.LeaseOut(t.Context(), 1, now().Add(time.Hour), now().Add(2*time.Hour))
			if err != nil || len(list) != 1 {
				t.Fatal(list, err)
			}
			m, err := mail.ReadMessage(bytes.NewReader(list[0].Raw))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(m.Body); err != nil || m.Header.Get("Content-Language") != tc.want {
				t.Errorf("%q, want %q", m.Header.Get("Content-Language"), tc.want)
			}
		})
	}
}

// Nothing that others wrote can be clicked on.
func FuzzInert(f *testing.F) {
	for _, s := range []string{"https://evil.example/a?b=c", "www.evil.example", "a@b.example", "mailto:a@b.example", "evil。example", "evil．example", "a\u200b.\u200bexample", "javascript:alert(1)", "tel:+81", "x.\u00adexample", "」.example", "://", "1://a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := desk.Inert(s)
		for _, never := range []string{"://", "\n", "\r", "\u202e", "\x00"} {
			if strings.Contains(out, never) {
				t.Errorf("%q from %q", out, s)
			}
		}
		if strings.Contains(strings.ReplaceAll(out, "[@]", ""), "@") {
			t.Errorf("%q from %q", out, s)
		}
		for i := 1; i+1 < len(out); i++ {
			letter := func(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' }
			if out[i] == '.' && letter(out[i-1]) && letter(out[i+1]) {
				t.Errorf("%q from %q", out, s)
			}
		}
		_ = eml.Parse([]byte("Subject: "+out+"\r\n\r\n"), nil)
	})
}
