package text_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/text"
)

// outlook is the header block that Outlook writes above a message.
const outlook = `From: Kiso Support <support@evil.example>
Sent: Friday, May 29, 2026 9:12 AM
To: Sato <sato@kiso.example>
Subject: Your password expires

Dear Sato, click https://evil.example/login
`

type quote struct {
	From, Addr, Subject, Body string
}

type thread struct {
	Current string
	Quoted  []quote
	Forward string // address of the innermost sender; "-" if it is no forward
}

func summary(th *text.Thread) thread {
	s := thread{Current: th.Current.Text, Forward: "-"}
	for _, q := range th.Quoted {
		s.Quoted = append(s.Quoted, quote{q.From.Name, q.From.Addr, q.Subject, q.Body.Text})
	}
	if f := th.Forward; f != nil {
		from := f.Innermost().From
		s.Forward = from.Addr
		if from.Addr == "" {
			s.Forward = from.Name
		}
	}
	return s
}

func TestReadThread(t *testing.T) {
	support := quote{"Kiso Support", "support@evil.example", "Your password expires", "Dear Sato, click https://evil.example/login"}
	tests := []struct {
		name string
		in   string
		o    text.Options
		want thread
	}{
		{"Plain", "Hello,\n\nFrom: here to there.\n", text.Options{}, thread{Current: "Hello,\n\nFrom: here to there.", Forward: "-"}},
		{"OutlookForward", "Is this real?\n\n" + outlook, text.Options{Subject: "FW: Your password expires"}, thread{"Is this real?", []quote{support}, "support@evil.example"}},
		{"OutlookForwardWithoutNote", outlook, text.Options{Subject: "Fwd: Your password expires"}, thread{"", []quote{support}, "support@evil.example"}},
		{"OutlookLine", "Hi\n________________________________\n" + outlook, text.Options{Subject: "Fw: x"}, thread{"Hi", []quote{support}, "support@evil.example"}},
		{"OutlookReply", "No, it is fine.\n\n" + outlook, text.Options{Subject: "RE: Your password expires"}, thread{"No, it is fine.", []quote{support}, "-"}},
		{"ReplyByHeader", "No, it is fine.\n\n" + outlook, text.Options{Subject: "Your password expires", Reply: true}, thread{"No, it is fine.", []quote{support}, "-"}},
		{"ReplyToTheQuoted", "No, it is fine.\n\n" + outlook, text.Options{Subject: "Your password expires", Recipients: []string{"Support@evil.example"}}, thread{"No, it is fine.", []quote{support}, "-"}},
		{"ForwardUnmarked", "Please look.\n\n" + outlook, text.Options{Subject: "strange mail"}, thread{"Please look.", []quote{support}, "support@evil.example"}},
		{"LongTextUnmarked", strings.Repeat("A real answer. ", 80) + "\n\n" + outlook, text.Options{Subject: "strange mail"}, thread{strings.TrimSpace(strings.Repeat("A real answer. ", 80)), []quote{support}, "-"}},
		{"OriginalMessage", "see\n\n-----Original Message-----\n" + outlook, text.Options{Subject: "FW: x"}, thread{"see", []quote{support}, "support@evil.example"}},
		{
			"Gmail", "fyi\n\n---------- Forwarded message ---------\nFrom: Kiso Support <support@evil.example>\nDate: Fri, May 29, 2026 at 9:12 AM\nSubject: Your password expires\nTo: <sato@kiso.example>\n\n\nDear Sato\n", text.Options{},
			thread{"fyi", []quote{{"Kiso Support", "support@evil.example", "Your password expires", "Dear Sato"}}, "support@evil.example"},
		},
		{
			"GmailBold", "---------- Forwarded message ---------\n*From:* *Kiso Support* <support@evil.example>\n*Date:* Fri\n*Subject:* Your password expires\n*To:* sato@kiso.example\n\nDear Sato\n", text.Options{},
			thread{"", []quote{{"Kiso Support", "support@evil.example", "Your password expires", "Dear Sato"}}, "support@evil.example"},
		},
		{
			"AppleMail", "fyi\n\nBegin forwarded message:\n\n> From: Kiso Support <support@evil.example>\n> Subject: Your password expires\n> Date: 29 May 2026 at 09:12:00 JST\n> To: sato@kiso.example\n> \n> Dear Sato,\n> click\n", text.Options{Subject: "Fwd: x"},
			thread{"fyi", []quote{{"Kiso Support", "support@evil.example", "Your password expires", "Dear Sato,\nclick"}}, "support@evil.example"},
		},
		{
			"Japanese", "確認してください。\n\n差出人: 木曽商事 <keiri@evil.example>\n送信日時: 2026年5月29日 9:12\n宛先: 佐藤 <sato@kiso.example>\n件名: 請求書の件\n\nお世話になっております。\n", text.Options{Subject: "転送: 請求書の件"},
			thread{"確認してください。", []quote{{"木曽商事", "keiri@evil.example", "請求書の件", "お世話になっております。"}}, "keiri@evil.example"},
		},
		{
			"JapaneseFullWidthColon", "差出人： 木曽商事 <keiri@evil.example>\n送信日時： 2026年5月29日\n件名： 請求書の件\n\n本文\n", text.Options{Subject: "FW: 請求書の件"},
			thread{"", []quote{{"木曽商事", "keiri@evil.example", "請求書の件", "本文"}}, "keiri@evil.example"},
		},
		{
			"JapaneseMarker", "どうでしょう\n\n---------- 転送されたメッセージ ---------\n差出人: <keiri@evil.example>\n日付: 2026年5月29日\n件名: 請求書\n宛先: <sato@kiso.example>\n\n本文\n", text.Options{},
			thread{"どうでしょう", []quote{{"", "keiri@evil.example", "請求書", "本文"}}, "keiri@evil.example"},
		},
		{
			"German", "Bitte prüfen\n\nVon: Support <support@evil.example>\nGesendet: Freitag, 29. Mai 2026 09:12\nAn: Sato\nBetreff: Passwort\n\nHallo\n", text.Options{Subject: "WG: Passwort"},
			thread{"Bitte prüfen", []quote{{"Support", "support@evil.example", "Passwort", "Hallo"}}, "support@evil.example"},
		},
		{
			"French", "De : Support <support@evil.example>\nEnvoyé : vendredi 29 mai 2026 09:12\nÀ : Sato\nObjet : Mot de passe\n\nBonjour\n", text.Options{Subject: "TR: Mot de passe"},
			thread{"", []quote{{"Support", "support@evil.example", "Mot de passe", "Bonjour"}}, "support@evil.example"},
		},
		{
			"Spanish", "De: Support <support@evil.example>\nEnviado el: viernes, 29 de mayo de 2026\nPara: Sato\nAsunto: Clave\n\nHola\n", text.Options{Subject: "RV: Clave"},
			thread{"", []quote{{"Support", "support@evil.example", "Clave", "Hola"}}, "support@evil.example"},
		},
		{
			"Portuguese", "De: Support <support@evil.example>\nEnviado: sexta-feira\nPara: Sato\nAssunto: Senha\n\nOlá\n", text.Options{Subject: "ENC: Senha"},
			thread{"", []quote{{"Support", "support@evil.example", "Senha", "Olá"}}, "support@evil.example"},
		},
		{
			"NameOnly", "From: Kiso Support\nSent: Friday\nTo: Sato\nSubject: x\n\nbody", text.Options{Subject: "FW: x"},
			thread{"", []quote{{"Kiso Support", "", "x", "body"}}, "Kiso Support"},
		},
		{
			"MailtoAddress", "From: Kiso Support [mailto:support@evil.example]\nSent: Friday\nTo: Sato\nSubject: x\n\nbody", text.Options{Subject: "FW: x"},
			thread{"", []quote{{"Kiso Support", "support@evil.example", "x", "body"}}, "support@evil.example"},
		},
		{
			"BlankLinesInHeader", "From: a@evil.example\n\nSent: Friday\n\nTo: Sato\n\nSubject: x\n\nbody", text.Options{Subject: "FW: x"},
			thread{"", []quote{{"", "a@evil.example", "x", "body"}}, "a@evil.example"},
		},
		{
			"FoldedRecipients", "From: a@evil.example\nSent: Friday\nTo: Sato <sato@kiso.example>; Suzuki <suzuki@kiso.example>; Ito\n <ito@kiso.example>\nSubject: x\n\nbody", text.Options{Subject: "FW: x"},
			thread{"", []quote{{"", "a@evil.example", "x", "body"}}, "a@evil.example"},
		},
		{
			"LongSubjectThenText", "From: a@evil.example\nSent: Friday\nTo: Sato <sato@kiso.example>; Suzuki <suzuki@kiso.example>; Ito\nand others; x\nSubject: a subject that is so long that it reaches the end of the line\nHello,", text.Options{Subject: "FW: x"},
			thread{"", []quote{{"", "a@evil.example", "a subject that is so long that it reaches the end of the line", "Hello,"}}, "a@evil.example"},
		},
		{
			"ChainOfForwards", "see below\n\nFrom: boss@kiso.example\nSent: Friday\nTo: it@kiso.example\nSubject: FW: x\n\n\nFrom: a@evil.example\nSent: Thursday\nTo: boss@kiso.example\nSubject: x\n\nbody", text.Options{Subject: "FW: FW: x"},
			thread{"see below", []quote{{"", "boss@kiso.example", "FW: x", ""}, {"", "a@evil.example", "x", "body"}}, "a@evil.example"},
		},
		{
			"ForwardOfAThread", "fyi\n\nFrom: a@evil.example\nSent: Friday\nTo: boss@kiso.example\nSubject: RE: x\n\nPlease pay today.\n\nFrom: boss@kiso.example\nSent: Thursday\nTo: a@evil.example\nSubject: x\n\nold", text.Options{Subject: "FW: x"},
			thread{"fyi", []quote{{"", "a@evil.example", "RE: x", "Please pay today."}, {"", "boss@kiso.example", "x", "old"}}, "a@evil.example"},
		},
		{
			"OnWrote", "Yes.\n\nOn Fri, May 29, 2026 at 9:12 AM Sato <sato@kiso.example> wrote:\n> Are you there?\n> Sato\n\nBest", text.Options{Subject: "Re: x"},
			thread{"Yes.\n\nBest", []quote{{"Sato", "sato@kiso.example", "", "Are you there?\nSato"}}, "-"},
		},
		{
			"OnWroteBroken", "Yes.\n\nOn Fri, May 29, 2026 at 9:12 AM Sato the first of his name\n<sato@kiso.example> wrote:\n\n> Are you there?\n", text.Options{},
			thread{"Yes.", []quote{{"Sato the first of his name", "sato@kiso.example", "", "Are you there?"}}, "-"},
		},
		{
			"JapaneseGmailReply", "はい。\n\n2026年5月29日(金) 9:12 佐藤 <sato@kiso.example>:\n\n> いますか\n", text.Options{},
			thread{"はい。", []quote{{"佐藤", "sato@kiso.example", "", "いますか"}}, "-"},
		},
		{
			"Interleaved", "> one\n1\n> two\n2\n", text.Options{},
			thread{"1\n2", []quote{{Body: "one"}, {Body: "two"}}, "-"},
		},
		{
			"FakeThread", "Please see the new account.\n\nOn Fri, May 29, 2026, Sato <sato@kiso.example> wrote:\n\nok\n", text.Options{Subject: "RE: x"},
			thread{"Please see the new account.", []quote{{"Sato", "sato@kiso.example", "", "ok"}}, "-"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summary(text.ReadThread(eml.Identity(tt.in, 0), &tt.o))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			crlf := summary(text.ReadThread(eml.Identity(strings.ReplaceAll(tt.in, "\n", "\r\n"), 0), &tt.o))
			for i := range crlf.Quoted {
				crlf.Quoted[i].Body = strings.ReplaceAll(crlf.Quoted[i].Body, "\r", "")
			}
			crlf.Current = strings.ReplaceAll(crlf.Current, "\r", "")
			if d := cmp.Diff(tt.want, crlf); d != "" {
				t.Error("with CRLF: ", d)
			}
		})
	}
}

func TestForwardDetail(t *testing.T) {
	in := "fyi\n\n" + outlook
	th := text.ReadThread(eml.Identity(in, 100), &text.Options{Subject: "FW: x"})
	f := th.Forward
	if f == nil || !f.Explicit || f.Program != text.Outlook {
		t.Fatalf("forward: %+v", f)
	}
	var names []text.FieldName
	for _, h := range f.Header {
		names = append(names, h.Name)
		s := h.Value.Span(0, len(h.Value.Text))
		if got := in[s.Offset-100 : s.End()-100]; got != h.Value.Text {
			t.Errorf("%s: %q stands there, not %q", h.Name, got, h.Value.Text)
		}
	}
	if d := cmp.Diff([]text.FieldName{text.From, text.Sent, text.To, text.Subject}, names); d != "" {
		t.Error(d)
	}
	if f.Sent != "Friday, May 29, 2026 9:12 AM" || f.Rest.Text != f.Body.Text {
		t.Errorf("sent %q, rest %q", f.Sent, f.Rest.Text)
	}
}

func TestQuotes(t *testing.T) {
	in := "Yes\nOn Fri, May 29, 2026 Sato <sato@kiso.example> wrote:\nAre you there?\nafter"
	from := strings.Index(in, "Are")
	th := text.ReadThread(eml.Identity(in, 0), &text.Options{Quotes: []text.Range{{From: from, To: from + len("Are you there?")}}})
	want := thread{"Yes\nafter", []quote{{"Sato", "sato@kiso.example", "", "Are you there?"}}, "-"}
	if d := cmp.Diff(want, summary(th)); d != "" {
		t.Error(d)
	}
}

func TestSubjectMark(t *testing.T) {
	tests := []struct {
		in, base string
		mark     text.Mark
	}{
		{"Hello", "Hello", text.MarkNone},
		{"RE: FW: Hello", "Hello", text.MarkReply},
		{"Fwd: Re: Hello", "Hello", text.MarkForward},
		{"[EXTERNAL] FW: Hello", "Hello", text.MarkForward},
		{"FW: [EXTERNAL] Re: Hello", "Hello", text.MarkForward},
		{"[list] Hello", "[list] Hello", text.MarkNone},
		{"転送： 請求書", "請求書", text.MarkForward},
		{"返信: 請求書", "請求書", text.MarkReply},
		{"Re[2]: Hello", "Hello", text.MarkReply},
		{"Note: Hello", "Note: Hello", text.MarkNone},
		{"", "", text.MarkNone},
	}
	for _, tt := range tests {
		if mark, base := text.SubjectMark(tt.in); mark != tt.mark || base != tt.base {
			t.Errorf("SubjectMark(%q) = %q, %q", tt.in, mark, base)
		}
	}
}

// TestThreadTime reads what is built to be slow. The limit is far above what it
// takes, so that only a change of order is noticed.
func TestThreadTime(t *testing.T) {
	for _, unit := range []string{
		"From: a\n", "From: a\nTo: b\n", "-----Original Message-----\n", "-----Original Message-----\n\n", "> ", ">", "> a\nb\n", "On 1\n", "\n", "From: a\nSent: b\nSubject: c\n",
		"From: a@b\nSent: x\nTo: y\nSubject: z\n\nbody\n\n", "to: a\nbcc: b\nbcc: c\n", "[", "1999",
	} {
		s := strings.Repeat(unit, 512<<10/len(unit))
		start := time.Now()
		text.ReadThread(eml.Identity(s, 0), &text.Options{Subject: s[:min(len(s), 1000)]})
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q: %v for 512 KiB", unit, d)
		}
	}
}

func FuzzReadThread(f *testing.F) {
	f.Add("fyi\n\n"+outlook, "FW: x")
	f.Add("Begin forwarded message:\n\n> From: a@b\n> Subject: c\n", "")
	f.Add("On 1 May a <b@c> wrote:\n> d\n>> e\nf", "Re: x")
	f.Add("差出人： a\n件名： b\n日時： c\n", "転送：")
	f.Fuzz(func(t *testing.T, s, subject string) {
		th := text.ReadThread(eml.Identity(s, 0), &text.Options{Subject: subject})
		check := func(m eml.Mapped) {
			for i := 0; i < len(m.Text); i += 1 + len(m.Text)/50 {
				n := min(5, len(m.Text)-i)
				if !m.Exact(i, n) {
					continue
				}
				if sp := m.Span(i, n); s[sp.Offset:sp.End()] != m.Text[i:i+n] {
					t.Fatalf("%q stands at %v, not %q", s[sp.Offset:sp.End()], sp, m.Text[i:i+n])
				}
			}
		}
		check(th.Current)
		for _, q := range th.Quoted {
			check(q.Body)
			for _, h := range q.Header {
				check(h.Value)
			}
		}
		if th.Forward != nil {
			check(th.Forward.Rest)
		}
	})
}
