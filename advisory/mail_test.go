package advisory_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory"
)

func reply() *advisory.Mail {
	return &advisory.Mail{
		From: "情報システム <sekisho@kiso-works.example>", To: "sato@kiso-works.example", Subject: "ご報告のメールの判定", Text: "ありがとうございます。\n次へ\n",
		Date: time.Date(2026, 5, 8, 9, 30, 0, 0, time.FixedZone("", 9*3600)), MessageID: "reply.0123@kiso-works.example",
		InReplyTo: "report@kiso-works.example", References: []string{"first@kiso-works.example"}, Lang: "ja", Submitted: advisory.AutoReplied,
	}
}

func TestWriteMail(t *testing.T) {
	var b bytes.Buffer
	if err := advisory.WriteMail(&b, reply()); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ご報告のメールの判定", "ありがとうございます。\r\n次へ\r\n", "Fri, 08 May 2026 09:30:00 +0900", "<reply.0123@kiso-works.example>",
		"<report@kiso-works.example>", "<first@kiso-works.example> <report@kiso-works.example>", "auto-replied", "All", "ja", "<sato@kiso-works.example>",
	}
	got := []string{
		subject, string(body), m.Header.Get("Date"), m.Header.Get("Message-Id"), m.Header.Get("In-Reply-To"), m.Header.Get("References"),
		m.Header.Get("Auto-Submitted"), m.Header.Get("X-Auto-Response-Suppress"), m.Header.Get("Content-Language"), m.Header.Get("To"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	checkMail(t, b.Bytes())
}

// What others wrote cannot become a field, a second recipient or a line of its
// own.
func TestWriteMailHostile(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(m *advisory.Mail)
		bad    bool
	}{
		{"SubjectLine", func(m *advisory.Mail) { m.Subject = "x\r\nBcc: victim@partner.example" }, false},
		{"SubjectNewline", func(m *advisory.Mail) { m.Subject = "x\nBcc: victim@partner.example\n\nbody" }, false},
		{"SubjectEncodedWord", func(m *advisory.Mail) { m.Subject = "=?utf-8?q?x=0D=0ABcc:_victim@partner.example?=" }, false},
		{"SubjectLong", func(m *advisory.Mail) { m.Subject = strings.Repeat("長い件名", 500) }, false},
		{"SubjectBidi", func(m *advisory.Mail) { m.Subject = "a\u202eb\u200bc\x00d" }, false},
		{"InReplyToLine", func(m *advisory.Mail) { m.InReplyTo = "a@b.example>\r\nBcc: victim@partner.example" }, false},
		{"ReferencesLine", func(m *advisory.Mail) { m.References = []string{"a@b.example\nX: y", "c@d.example> <e@f.example"} }, false},
		{"ReferencesMany", func(m *advisory.Mail) { m.References = slices.Repeat([]string{"a@b.example", "c@d.example"}, 500) }, false},
		{"LangLine", func(m *advisory.Mail) { m.Lang = "ja\r\nBcc: victim@partner.example" }, false},
		{"ToLine", func(m *advisory.Mail) { m.To = "a@kiso-works.example\r\nBcc: victim@partner.example" }, true},
		{"ToTwo", func(m *advisory.Mail) { m.To = "a@kiso-works.example, victim@partner.example" }, true},
		{"ToNone", func(m *advisory.Mail) { m.To = "" }, true},
		{"IDLine", func(m *advisory.Mail) { m.MessageID = "a@b.example>\r\nX: y" }, true},
		{"FromLine", func(m *advisory.Mail) { m.From = "a@b.example\r\nX: y" }, true},
		{"NoKeyword", func(m *advisory.Mail) { m.Submitted = "no" }, true},
		{"NoDate", func(m *advisory.Mail) { m.Date = time.Time{} }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := reply()
			tc.change(m)
			var b bytes.Buffer
			err := advisory.WriteMail(&b, m)
			if tc.bad {
				if !errors.Is(err, advisory.ErrEnvelope) || b.Len() > 0 {
					t.Errorf("%v, %d bytes", err, b.Len())
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkMail(t, b.Bytes())
		})
	}
}

// checkMail holds what is true of every mail that is written: the fields are the
// known ones and once each, the bytes are ASCII in lines of CRLF that any server
// takes, and there is one recipient.
func checkMail(t *testing.T, raw []byte) {
	t.Helper()
	for line := range bytes.SplitAfterSeq(raw, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsAny(line[:len(line)-2], "\r\n") || len(line) > 300 {
			t.Errorf("the line %q", line)
		}
		if bytes.ContainsFunc(line, func(r rune) bool { return r > 0x7e || r < ' ' && r != '\r' && r != '\n' }) {
			t.Errorf("not ASCII: %q", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range m.Header {
		if len(values) != 1 || !slices.Contains([]string{
			"From", "To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Auto-Submitted", "X-Auto-Response-Suppress",
			"Mime-Version", "Content-Language", "Content-Type", "Content-Transfer-Encoding",
		}, name) {
			t.Errorf("%s: %q", name, values)
		}
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 {
		t.Errorf("To: %v %v", to, err)
	}
	subject, err := (&mime.WordDecoder{}).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || strings.ContainsAny(subject, "\r\n\u202e\u200b\x00") {
		t.Errorf("Subject: %q %v", subject, err)
	}
}

func FuzzWriteMail(f *testing.F) {
	f.Add("sato@kiso-works.example", "subject", "text", "a@b.example", "c@d.example")
	f.Add("\"a\r\n\"@kiso-works.example", "x\r\nBcc: y@z.example", "\r\n.\r\n", "a@b.example>\r\nX: y", "=?utf-8?b?AA==?=")
	f.Add("a@b.example,c@d.example", "=?utf-8?q?=0A?=", "\xff", "<a@b>", "é@é.example")
	f.Fuzz(func(t *testing.T, to, subject, text, reply, reference string) {
		var b bytes.Buffer
		err := advisory.WriteMail(&b, &advisory.Mail{
			From: "sekisho@kiso-works.example", To: to, Subject: subject, Text: text, Date: time.Unix(1778200000, 0).UTC(), MessageID: "x@kiso-works.example",
			InReplyTo: reply, References: []string{reference, reply}, Lang: reference, Submitted: advisory.AutoReplied,
		})
		if err != nil {
			return
		}
		checkMail(t, b.Bytes())
	})
}
