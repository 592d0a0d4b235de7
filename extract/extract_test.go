package extract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/finding"
)

// message joins header and body lines to a message.
func message(lines ...string) *eml.Message {
	return eml.Parse([]byte(strings.Join(lines, "\r\n")), nil)
}

// alternative is a mail in text and HTML with a file beside both.
var alternative = []string{
	"From: Support <support@evil.example>", "To: sato@kiso.example", "Subject: see https://subject.example/", "List-Unsubscribe: <https://list.example/u>, <mailto:u@list.example>",
	"MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=m", "",
	"--m", "Content-Type: multipart/alternative; boundary=a", "",
	"--a", "Content-Type: text/plain; charset=utf-8", "", "Sign in: https://evil.example/login", "",
	"--a", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
	`<p>Sign in <a href=3D"https://nam02.safelinks.protection.outlook.com/?url=3Dhttps%3A%2F%2Fevil.example%2Flogin&amp;data=3Dx">www.kiso.example</a> or kiso.test/x.</p>`, "",
	"--a--",
	"--m", "Content-Type: text/html; name=open.html", "Content-Disposition: attachment; filename=open.html", "", `<html><form action="https://post.example/"><input type=password name=p></form></html>`,
	"--m", "Content-Type: application/pdf", `Content-Disposition: attachment; filename="invoice.pdf.exe"`, "Content-Transfer-Encoding: base64", "", "JVBERi0xLjQK",
	"--m--", "",
}

func TestLinks(t *testing.T) {
	m := message(alternative...)
	type row struct {
		URL, Target, Visible, Part string
		Source                     extract.Source
		Name, Tag                  string
	}
	var got []row
	for _, l := range extract.Links(m, budget.New(nil)) {
		got = append(got, row{l.URL, l.Target.String(), l.Visible, l.Part, l.Source, l.Name, l.Tag})
		w := l.Where()
		text := string(m.Raw())
		if l.Source != extract.FromHeader {
			text = m.Part(w.Part).Text()
		}
		quoted := strings.ReplaceAll(text[w.Offset:w.Offset+w.Length], "&amp;", "&")
		if quoted != l.URL && "http://"+quoted != l.URL {
			t.Errorf("%q stands at %+v, not %q", quoted, w, l.URL)
		}
	}
	want := []row{
		{"https://evil.example/login", "https://evil.example/login", "https://evil.example/login", "1.1.1", extract.FromText, "", ""},
		{"https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2Flogin&data=x", "https://evil.example/login", "www.kiso.example", "1.1.2", extract.FromHTML, "", "a"},
		{"http://kiso.test/x", "http://kiso.test/x", "kiso.test/x", "1.1.2", extract.FromHTML, "", ""},
		{"https://post.example/", "https://post.example/", "", "1.2", extract.FromAttachment, "open.html", "form"},
		{"https://subject.example/", "https://subject.example/", "https://subject.example/", "1", extract.FromHeader, "Subject", ""},
		{"https://list.example/u", "https://list.example/u", "https://list.example/u", "1", extract.FromHeader, "List-Unsubscribe", ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestLinksOnce(t *testing.T) {
	m := message("Content-Type: text/html", "", `<base href="https://kiso.example/d/"><a href="a">x</a><a href="a">x</a><a href="a">y</a><a href="#top">z</a><a href="https://kiso.example/d/a">x</a>`)
	var got []string
	for _, l := range extract.Links(m, nil) {
		got = append(got, l.Target.String()+" "+l.Visible+" "+strings.Repeat("+", l.Count))
	}
	if d := cmp.Diff([]string{"https://kiso.example/d/a x +++", "https://kiso.example/d/a y +"}, got); d != "" {
		t.Error(d)
	}
}

func TestAttachments(t *testing.T) {
	got := extract.Attachments(message(alternative...))
	want := []extract.Attachment{
		{Part: "1.2", Name: "open.html", Declared: "text/html", Type: filetype.HTML, Size: 85, SHA256: "970c81c2d536593d0ca3b2ad12286a9d6051397fb523089a99f742ea922755cf", Flags: []filetype.Flag{filetype.HTMLFile}},
		{Part: "1.3", Name: "invoice.pdf.exe", Declared: "application/pdf", Type: filetype.PDF, Size: 9, SHA256: "e5c62df5dab5c87b6a015ef3d43597074d1eec433b15f51aec63b8582d0e4ab4", Flags: []filetype.Flag{filetype.WrongExtension, filetype.DoubleExtension, filetype.Dangerous}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAttachedMessage(t *testing.T) {
	got := extract.Attachments(message("Content-Type: multipart/mixed; boundary=m", "", "--m", "", "look", "--m", "Content-Type: message/rfc822", "", "Subject: inner", "", "https://inner.example/", "--m--"))
	if len(got) != 1 || got[0].Type != filetype.EML || got[0].Message == nil || got[0].Message.Subject().Text != "inner" {
		t.Errorf("%+v", got)
	}
}

func TestBody(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		part  string
		text  string
		html  bool
		more  []string
	}{
		{"Plain", []string{"", "hello"}, "1", "hello", false, nil},
		{"Alternative", alternative, "1.1.2", "Sign in www.kiso.example or kiso.test/x.", true, nil},
		{"AlternativeInTheWrongOrder", []string{"Content-Type: multipart/alternative; boundary=m", "", "--m", "Content-Type: text/html", "", "<b>html</b>", "--m", "Content-Type: text/plain", "", "plain", "--m--"}, "1.1", "html", true, nil},
		{"EmptyFirst", []string{"Content-Type: multipart/mixed; boundary=m", "", "--m", "", " ", "--m", "Content-Type: text/html", "", "<b>html</b>", "--m", "", "below", "--m--"}, "1.2", "html", true, []string{"below"}},
		{"Related", []string{"Content-Type: multipart/related; boundary=m", "", "--m", "Content-Type: text/html", "", "<b>html</b>", "--m", "Content-Type: image/png", "Content-ID: <a>", "", "x", "--m--"}, "1.1", "html", true, nil},
		{"NothingShown", []string{"Content-Type: application/pdf", "", "%PDF-1.4"}, "", "", false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := extract.ReadBody(message(tt.lines...), nil)
			if b.Part != tt.part || strings.TrimSpace(b.Text.Text) != tt.text || b.HTML != tt.html || (b.Page != nil) != tt.html {
				t.Errorf("part %q, text %q, HTML %v", b.Part, b.Text.Text, b.HTML)
			}
			var more []string
			for _, f := range b.Further {
				more = append(more, strings.TrimSpace(f.Text.Text))
			}
			if d := cmp.Diff(tt.more, more); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestForward reads forwards as Outlook and Gmail write them in HTML.
func TestForward(t *testing.T) {
	outlook := `<div>Is this real?</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr"><font><b>From:</b> Kiso Support &lt;support@evil.example&gt;<br><b>Sent:</b> Friday, May 29, 2026 9:12 AM<br><b>To:</b> Sato &lt;sato@kiso.example&gt;<br><b>Subject:</b> Your password expires</font></div><div><p>Dear Sato,</p><a href="https://evil.example/login">sign in</a></div>`
	japanese := `<div><p>確認してください。<o:p></o:p></p><div style="border-top:solid #E1E1E1 1.0pt"><p><b>差出人:</b> Kiso Support &lt;support@evil.example&gt;<br><b>送信日時:</b> 2026年5月29日 9:12<br><b>宛先:</b> 佐藤<br><b>件名:</b> Your password expires</p></div><p>Dear Sato,</p><p>sign in</p></div>`
	gmail := `<div dir="ltr">fyi<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <strong>Kiso Support</strong> <span>&lt;<a href="mailto:support@evil.example">support@evil.example</a>&gt;</span><br>Date: Fri, May 29, 2026 at 9:12 AM<br>Subject: Your password expires<br>To:  &lt;<a href="mailto:sato@kiso.example">sato@kiso.example</a>&gt;<br></div><br><br>Dear Sato,<br>sign in</div></div>`
	tests := []struct{ name, subject, html, current string }{
		{"Outlook", "Fw: Your password expires", outlook, "Is this real?"},
		{"OutlookJapanese", "FW: Your password expires", japanese, "確認してください。"},
		{"Gmail", "Fwd: Your password expires", gmail, "fyi"},
		{"GmailWithoutMark", "look", gmail, "fyi"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := message("From: Sato <sato@kiso.example>", "To: it@kiso.example", "Subject: "+tt.subject, "Content-Type: text/html; charset=utf-8", "", tt.html)
			b := extract.ReadBody(m, nil)
			f := b.Thread.Forward
			if f == nil {
				t.Fatalf("no forward in %q", b.Text.Text)
			}
			if f.From.Addr != "support@evil.example" || f.From.Name != "Kiso Support" || f.Subject != "Your password expires" {
				t.Errorf("from %+v, subject %q", f.From, f.Subject)
			}
			if b.Thread.Current.Text != tt.current {
				t.Errorf("current %q", b.Thread.Current.Text)
			}
			if !strings.HasPrefix(f.Body.Text, "Dear Sato,") || !strings.HasSuffix(f.Body.Text, "sign in") {
				t.Errorf("body %q", f.Body.Text)
			}
			at := f.Body.Span(0, len("Dear Sato,"))
			if got := m.Root().Text()[at.Offset:at.End()]; got != "Dear Sato," {
				t.Errorf("the body starts at %q", got)
			}
		})
	}
}

func TestDeceptive(t *testing.T) {
	tests := []struct {
		name, html string
		want       extract.Deception
		ok         bool
	}{
		{"Same", `<a href="https://kiso.example/x">https://www.kiso.example/</a>`, extract.Deception{}, false},
		{"SameOrganization", `<a href="https://login.kiso.example/x">www.kiso.example</a>`, extract.Deception{}, false},
		{"NoAddressShown", `<a href="https://evil.example/x">Sign in to kiso.example now</a>`, extract.Deception{}, false},
		{"Elsewhere", `<a href="https://evil.example/x">https://kiso.test/login</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"ElsewhereBare", `<a href="https://evil.example/x"> Kiso.test </a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"ElsewhereInSentence", `<a href="https://evil.example/x">sign in at https://kiso.test/ now</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"ToAddress", `<a href="http://192.0.2.1/x">www.kiso.test</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "www.kiso.test", Actual: "192.0.2.1"}, true},
		{"BehindRewriter", `<a href="https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example">kiso.test/a</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"RewrittenSame", `<a href="https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Fkiso.test">kiso.test/a</a>`, extract.Deception{}, false},
		{"ShownRewritten", `<a href="https://kiso.test/">https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Fkiso.test</a>`, extract.Deception{}, false},
		{"Tracker", `<a href="https://u1.ct.sendgrid.net/ls/click?upn=x">kiso.test/a</a>`, extract.Deception{Kind: extract.Unverifiable, Shown: "kiso.test", Actual: "u1.ct.sendgrid.net"}, false},
		{"Detour", `<a href="https://evil.example/?url=https%3A%2F%2Fkiso.test">kiso.test/a</a>`, extract.Deception{Kind: extract.Detour, Shown: "kiso.test", Actual: "evil.example"}, false},
		{"UserName", `<a href="https://kiso.test@evil.example/">https://kiso.test/</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"BrokenUpByInvisible", `<a href="https://evil.example/">ki&#8203;so.test</a>`, extract.Deception{Kind: extract.Elsewhere, Shown: "kiso.test", Actual: "evil.example"}, true},
		{"Mailto", `<a href="mailto:a@evil.example">kiso.test</a>`, extract.Deception{}, false},
		{"PlainText", `https://kiso.test/`, extract.Deception{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			links := extract.Links(message("Content-Type: text/html", "", tt.html), nil)
			if len(links) != 1 {
				t.Fatalf("%d links", len(links))
			}
			got, ok := links[0].Deceptive()
			if d := cmp.Diff(tt.want, got); d != "" || ok != tt.ok {
				t.Error(ok, d)
			}
		})
	}
}

func TestWhere(t *testing.T) {
	links := extract.Links(message("Subject: =?utf-8?q?see_https=3A//kiso.example/?=", "", "x"), nil)
	if len(links) != 1 {
		t.Fatalf("%d links", len(links))
	}
	want := finding.Where{Part: "1", Header: "Subject", Index: 1, Offset: 9, Length: 39, URL: "https://kiso.example/"}
	if d := cmp.Diff(want, links[0].Where()); d != "" {
		t.Error(d)
	}
}

func TestExhausted(t *testing.T) {
	b := budget.New(nil)
	b.Cost = 10
	c := extract.Read(message(alternative...), b)
	if !b.Exhausted() || c.Body == nil || len(c.Attachments) != 2 {
		t.Errorf("exhausted %v, %d attachments", b.Exhausted(), len(c.Attachments))
	}
}
