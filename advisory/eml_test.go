package advisory_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/jhillyerd/enmime/v2"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

var envelope = advisory.Envelope{
	From: "情報システム担当 <it@kiso-works.example>", To: "all@kiso-works.example, \"Sato, Taro\" <taro@kiso-works.example>",
	Date: time.Date(2026, 5, 8, 10, 0, 0, 0, jst),
}

func eml(t *testing.T, d *advisory.Document, m *advisory.Draft) []byte {
	t.Helper()
	e := envelope
	e.MessageID, e.Advisory = advisory.MessageIDFor(d, m, "kiso-works.example"), d.ID
	var b bytes.Buffer
	if err := advisory.WriteEML(&b, m, e); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEML(t *testing.T) {
	for _, in := range []*advisory.Input{tokenTheft(t), directSend(t), senderRequirement(t), voicePhishing(t), patchDay(t)} {
		d := write(t, in)
		for i := range d.Drafts {
			m := &d.Drafts[i]
			b := eml(t, d, m)
			if diff := cmp.Diff(b, eml(t, d, m)); diff != "" {
				t.Errorf("not the same bytes twice: %s", diff)
			}
			checkLines(t, b)
			byNetMail(t, m, b)
			byEnmime(t, m, b)
		}
	}
}

// checkLines holds the limits of RFC 5322 and of RFC 2047 over the bytes.
func checkLines(t *testing.T, b []byte) {
	t.Helper()
	if bytes.Count(b, []byte("\n")) != bytes.Count(b, []byte("\r\n")) {
		t.Error("a line ends without CR")
	}
	for line := range strings.SplitSeq(string(b), "\r\n") {
		if len(line) > 76 {
			t.Errorf("%d columns: %s", len(line), line)
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r == utf8.RuneError }) {
			t.Errorf("not ASCII: %s", line)
		}
		for word := range strings.FieldsSeq(line) {
			body, ok := strings.CutPrefix(word, "=?utf-8?b?")
			if !ok {
				continue
			}
			dec, err := base64.StdEncoding.DecodeString(strings.TrimRight(strings.TrimSuffix(strings.TrimRight(body, ","), "?="), " "))
			if err != nil || !utf8.Valid(dec) {
				t.Errorf("an encoded word splits a character: %s", word)
			}
		}
	}
}

func byNetMail(t *testing.T, m *advisory.Draft, b []byte) {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil || subject != m.Subject {
		t.Errorf("subject %q, %v, want %q", subject, err, m.Subject)
	}
	from, err := msg.Header.AddressList("From")
	if err != nil || from[0].Name != "情報システム担当" || from[0].Address != "it@kiso-works.example" {
		t.Errorf("from %v, %v", from, err)
	}
	to, err := msg.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Name != "Sato, Taro" {
		t.Errorf("to %v, %v", to, err)
	}
	if at, err := msg.Header.Date(); err != nil || !at.Equal(envelope.Date) {
		t.Errorf("date %v, %v", at, err)
	}
	if msg.Header.Get("X-Unsent") != "1" {
		t.Error("it is no draft")
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	var bodies []string
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, p))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, strings.ReplaceAll(string(text), "\r\n", "\n"))
	}
	if len(bodies) != 2 || bodies[0] != m.BodyText || !strings.Contains(bodies[1], m.BodyHTML) {
		t.Errorf("bodies %q", bodies)
	}
}

func byEnmime(t *testing.T, m *advisory.Draft, b []byte) {
	t.Helper()
	e, err := enmime.ReadEnvelope(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Errors) > 0 {
		t.Errorf("enmime: %v", e.Errors)
	}
	if got := e.GetHeader("Subject"); got != m.Subject {
		t.Errorf("enmime reads the subject %q", got)
	}
	if got := strings.ReplaceAll(e.Text, "\r\n", "\n"); got != m.BodyText {
		t.Errorf("enmime reads the text\n%s", cmp.Diff(m.BodyText, got))
	}
	if !strings.Contains(strings.ReplaceAll(e.HTML, "\r\n", "\n"), m.BodyHTML) {
		t.Error("enmime reads another HTML")
	}
}

// TestEMLByPython asks a third parser, where there is one.
func TestEMLByPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	d := write(t, tokenTheft(t))
	m := d.Draft(advisory.Staff, lang.JA)
	file := filepath.Join(t.TempDir(), "draft.eml")
	if err := os.WriteFile(file, eml(t, d, m), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys, email, email.policy
m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)
text = m.get_body(('plain',)).get_content()
defects = list(m.defects) + [d for p in m.walk() for d in p.defects] + [d for h in m.values() for d in h.defects]
sys.stdout.buffer.write((m['subject'] + '\n' + m['from'].addresses[0].display_name + '\n' + str(len(defects)) + '\n' + text).encode())`
	out, err := exec.Command(python, "-c", script, file).Output()
	if err != nil {
		t.Skipf("python3 does not run: %v", err)
	}
	want := m.Subject + "\n情報システム担当\n0\n" + m.BodyText
	if diff := cmp.Diff(want, strings.ReplaceAll(string(out), "\r\n", "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestWriteEMLRefuses(t *testing.T) {
	d := write(t, tokenTheft(t))
	good := envelope
	good.MessageID = "a.staff.ja@kiso-works.example"
	for _, tc := range []struct {
		name string
		set  func(*advisory.Envelope)
	}{
		{"NoMessageID", func(e *advisory.Envelope) { e.MessageID = "" }},
		{"MessageIDWithLine", func(e *advisory.Envelope) { e.MessageID = "a\r\nBcc: x@y" }},
		{"NoDate", func(e *advisory.Envelope) { e.Date = time.Time{} }},
		{"FromIsNone", func(e *advisory.Envelope) { e.From = "it" }},
		{"ToWithLine", func(e *advisory.Envelope) { e.To = "a@kiso-works.example\r\nBcc: b@kiso-works.example" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := good
			tc.set(&e)
			if err := advisory.WriteEML(io.Discard, &d.Drafts[0], e); !errors.Is(err, advisory.ErrEnvelope) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := advisory.WriteEML(io.Discard, &d.Drafts[0], good); err != nil {
		t.Error(err)
	}
}

func TestMailto(t *testing.T) {
	short := &advisory.Draft{Subject: "件名 & +", BodyText: "本文\n2行目\n"}
	link, whole, err := short.Mailto("all@kiso-works.example")
	if err != nil || !whole {
		t.Fatalf("%v, %v", whole, err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Opaque != "all@kiso-works.example" || q.Get("subject") != short.Subject || q.Get("body") != "本文\r\n2行目\r\n" || strings.Contains(link, "+") {
		t.Errorf("%s", link)
	}
	d := write(t, tokenTheft(t))
	link, whole, err = d.Draft(advisory.Staff, lang.JA).Mailto("")
	if err != nil || whole || strings.Contains(link, "body=") || len(link) > 2000 {
		t.Errorf("a long body: %v, %v, %s", whole, err, link)
	}
	if _, _, err := short.Mailto("nobody"); !errors.Is(err, advisory.ErrEnvelope) {
		t.Errorf("%v", err)
	}
}

func FuzzEML(f *testing.F) {
	f.Add("【注意喚起】「行動規範」を装う偽メールにご注意ください", "情報システム担当 <it@kiso-works.example>", "本文\n")
	f.Add(strings.Repeat("あ", 300), "", strings.Repeat("x", 2000))
	f.Add("=?utf-8?q?a?=", "\"a\r\n b\" <a@b.example>", "--=_sekisho.staff.ja--\n")
	f.Fuzz(func(t *testing.T, subject, from, body string) {
		m := &advisory.Draft{Audience: advisory.Staff, Lang: lang.JA, Subject: subject, BodyText: body, BodyHTML: "<p></p>"}
		if strings.ContainsAny(subject, "\r\n") || !utf8.ValidString(subject) || !utf8.ValidString(body) {
			return // Write makes one line of valid UTF-8
		}
		var b bytes.Buffer
		err := advisory.WriteEML(&b, m, advisory.Envelope{From: from, Date: envelope.Date, MessageID: "a@b"})
		if err != nil {
			return
		}
		checkLongest(t, b.String())
		msg, err := mail.ReadMessage(&b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
		if err != nil || got != strings.Trim(subject, " \t") && got != subject {
			t.Errorf("subject %q, %v, want %q", got, err, subject)
		}
		if len(msg.Header) > 10 {
			t.Errorf("a field slipped in: %v", msg.Header)
		}
	})
}

func checkLongest(t *testing.T, s string) {
	t.Helper()
	for line := range strings.SplitSeq(s, "\r\n") {
		if len(line) > 998 {
			t.Errorf("%d columns", len(line))
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	in := tokenTheft(&testing.T{})
	for b.Loop() {
		if _, err := advisory.Write(in); err != nil {
			b.Fatal(err)
		}
	}
}
