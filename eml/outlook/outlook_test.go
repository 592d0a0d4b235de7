package outlook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/richardlehane/mscfb"

	"github.com/sekisho/sekisho/eml/outlook"
	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

// outline parses a message with the standard library and shows its parts, one a
// line: indentation, type, name, content-id and decoded content.
func outline(t *testing.T, raw []byte) string {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a line ends with LF alone")
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("reading the message: %v\n%s", err, raw)
	}
	var b strings.Builder
	entity(t, &b, m.Header.Get, m.Body, "")
	return b.String()
}

func entity(t *testing.T, b *strings.Builder, get func(string) string, body io.Reader, indent string) {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(get("Content-Type"))
	if err != nil {
		t.Fatalf("content type %q: %v", get("Content-Type"), err)
	}
	_, disposition, _ := mime.ParseMediaType(get("Content-Disposition"))
	fmt.Fprintf(b, "%s%s", indent, mediaType)
	if name := disposition["filename"]; name != "" {
		fmt.Fprintf(b, " name=%s", name)
	}
	if id := get("Content-ID"); id != "" {
		fmt.Fprintf(b, " id=%s", id)
	}
	switch {
	case strings.HasPrefix(mediaType, "multipart/"):
		b.WriteString("\n")
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			entity(t, b, p.Header.Get, p, indent+"  ")
		}
	case mediaType == "message/rfc822":
		m, err := mail.ReadMessage(body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(b, " subject=%s\n", decoded(m.Header.Get("Subject")))
		entity(t, b, m.Header.Get, m.Body, indent+"  ")
		return
	}
	switch get("Content-Transfer-Encoding") {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(mediaType, "text/") && !utf8.Valid(content) {
		t.Errorf("%s is no UTF-8", mediaType)
	}
	if len(content) > 200 {
		fmt.Fprintf(b, ": %d bytes\n", len(content))
		return
	}
	fmt.Fprintf(b, ": %s\n", strings.TrimRight(string(content), "\r\n"))
}

func decoded(s string) string {
	d, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		return err.Error()
	}
	return d
}

func convert(t *testing.T, m outlooktest.Message) *outlook.Item {
	t.Helper()
	b := outlooktest.MSG(m)
	if !outlook.IsMSG(b) {
		t.Error("not seen as an Outlook item")
	}
	item, err := outlook.Convert(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func tnef(t *testing.T, m outlooktest.Message) *outlook.Item {
	t.Helper()
	item, err := outlook.TNEF(outlooktest.TNEF(m), nil)
	if err != nil {
		t.Fatal(err)
	}
	return item
}

const received = "Received: from a.example (192.0.2.1) by b.example\r\n\twith SMTP; Fri, 29 May 2026 09:00:00 +0900\r\n" +
	"DKIM-Signature: v=1; a=rsa-sha256;  d=a.example;\r\n  b=abc\r\nFROM : =?iso-2022-jp?B?GyRCOjRGIxsoQg==?= <sato@a.example>\r\nSubject: x\r\n"

func TestHeadersAreKept(t *testing.T) {
	structure := "MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"x\"\r\ncontent-transfer-encoding : 7bit\r\nContent-Disposition: attachment\r\n"
	last := "X-Last: 1\r\n"
	tests := []struct{ name, in, want string }{
		{"AsReceived", received + structure + last, received + last},
		{"NoLineEndAtEnd", strings.TrimSuffix(received, "\r\n"), received},
		{"LFOnly", strings.ReplaceAll(received, "\r\n", "\n"), received},
		{"StopgapLine", "Microsoft Mail Internet Headers Version 2.0\r\n" + received, received},
		{"BlankLineAbove", "\r\n" + received, received},
		{"HeadersOfPartsBelow", received + "\r\n--x\r\nContent-Type: text/plain\r\nX-Inner: 1\r\n", received},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			item := convert(t, outlooktest.Message{Headers: tt.in, Text: "hello", Subject: "other", From: outlooktest.Address{SMTP: "other@b.example"}})
			want := tt.want + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nhello\r\n"
			if diff := cmp.Diff(want, string(item.RFC822)); diff != "" {
				t.Error(diff)
			}
			if len(item.Notes) > 0 {
				t.Errorf("notes %v", item.Notes)
			}
		})
	}
}

func TestHeadersAreBuilt(t *testing.T) {
	m := outlooktest.Message{
		Subject: "未払い請求書の確認",
		From:    outlooktest.Address{Name: "佐藤 \"太郎\"", SMTP: "sato@kiso-works.example", EX: "/o=Kiso/ou=x/cn=sato"},
		Sender:  outlooktest.Address{Name: "Assistant", SMTP: "hisho@kiso-works.example"},
		To:      []outlooktest.Address{{Name: "経理部", SMTP: "keiri@kiso-works.example"}, {Name: "Inside, Only", EX: "/o=Kiso/cn=inside"}},
		Cc:      []outlooktest.Address{{SMTP: "cc@kiso-works.example"}},
		Date:    time.Date(2026, 5, 29, 0, 30, 0, 0, time.UTC), MessageID: "<1@kiso-works.example>", Text: "x",
	}
	for name, item := range map[string]*outlook.Item{"MSG": convert(t, m), "TNEF": tnef(t, m)} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]outlook.Note{outlook.NoteHeadersMissing}, item.Notes); diff != "" {
				t.Error(diff)
			}
			parsed, err := mail.ReadMessage(bytes.NewReader(item.RFC822))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]string{}
			for field := range parsed.Header {
				got[field] = decoded(parsed.Header.Get(field))
			}
			for _, field := range []string{"Mime-Version", "Content-Type", "Content-Transfer-Encoding"} {
				delete(got, field)
			}
			want := map[string]string{
				"From":       "佐藤 \"太郎\" <sato@kiso-works.example>",
				"Sender":     "\"Assistant\" <hisho@kiso-works.example>",
				"To":         "経理部 <keiri@kiso-works.example>, \"Inside, Only\":;",
				"Cc":         "<cc@kiso-works.example>",
				"Subject":    "未払い請求書の確認",
				"Date":       "Fri, 29 May 2026 00:30:00 +0000",
				"Message-Id": "<1@kiso-works.example>",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPropertiesCannotAddFields puts line breaks into everything that becomes
// part of a header.
func TestPropertiesCannotAddFields(t *testing.T) {
	evil := "x\r\nX-Evil: 1\r\n\r\nbody\x00\n"
	m := outlooktest.Message{
		Subject: evil, From: outlooktest.Address{Name: evil, SMTP: "a@a.example" + evil}, To: []outlooktest.Address{{Name: evil, SMTP: evil}}, MessageID: evil, Text: "t",
		Attachments: []outlooktest.Attachment{
			{Name: evil, Type: "text/plain" + evil, ContentID: evil, Data: []byte("data")},
			{Name: "b", Type: "multipart/mixed; boundary=x", Data: []byte("--x\r\n")},
			{Name: "c", URL: "https://a.example/" + evil},
		},
	}
	for name, item := range map[string]*outlook.Item{"MSG": convert(t, m), "TNEF": tnef(t, m)} {
		t.Run(name, func(t *testing.T) {
			if bytes.Contains(item.RFC822, []byte("\nX-Evil")) {
				t.Errorf("a field was added:\n%s", item.RFC822)
			}
			got := outline(t, item.RFC822)
			if !strings.Contains(got, "application/octet-stream name=b: --x\n") {
				t.Errorf("an attachment kept its multipart type:\n%s", got)
			}
		})
	}
}

func TestParts(t *testing.T) {
	inner := outlooktest.Message{Headers: "From: in@a.example\r\nSubject: inner\r\n", Text: "inner text"}
	tests := []struct {
		name  string
		m     outlooktest.Message
		want  string
		notes []outlook.Note
	}{
		{"Nothing", outlooktest.Message{}, "text/plain: \n", nil},
		{"Text", outlooktest.Message{Text: "a=b\r\n\tこ"}, "text/plain: a=b\r\n\tこ\n", nil},
		{"Japanese", outlooktest.Message{Text: "こんにちは"}, "text/plain: こんにちは\n", nil},
		{"HTML", outlooktest.Message{HTML: []byte("<p>x</p>")}, "text/html: <p>x</p>\n", nil},
		{"Both", outlooktest.Message{Text: "x", HTML: []byte("<p>x</p>")}, "multipart/alternative\n  text/plain: x\n  text/html: <p>x</p>\n", nil},
		{"HTMLInISO2022JP", outlooktest.Message{HTML: []byte("<p>\x1b$B@A5a\x1b(B</p>"), HTMLCodepage: 50220}, "text/html: <p>請求</p>\n", nil},
		{"HTMLInShiftJIS", outlooktest.Message{HTML: []byte("<p>\x90\xbf\x8b\x81</p>"), HTMLCodepage: 932}, "text/html: <p>請求</p>\n", nil},
		{"HTMLSaysItself", outlooktest.Message{HTML: []byte("<meta charset=shift_jis><p>\x90\xbf\x8b\x81</p>")}, "text/html: <meta charset=shift_jis><p>請求</p>\n", nil},
		{"HTMLAsString", outlooktest.Message{HTML: []byte("<p>請求</p>"), HTMLFormat: outlooktest.Text, HTMLCodepage: 932}, "text/html: <p>請求</p>\n", nil},
		{"StringsInShiftJIS", outlooktest.Message{Text: "請求", Codepage: 932, Attachments: []outlooktest.Attachment{{Name: "表.txt", Data: []byte("x")}}},
			"multipart/mixed\n  text/plain: 請求\n  application/octet-stream name=表.txt: x\n", nil},
		{"StringsInUTF8", outlooktest.Message{Text: "請求", Codepage: 65001}, "text/plain: 請求\n", nil},
		{"Attachment", outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "請求書.pdf", Type: "application/pdf", Data: []byte("%PDF")}}},
			"multipart/mixed\n  text/plain: x\n  application/pdf name=請求書.pdf: %PDF\n", nil},
		{"AttachmentAlone", outlooktest.Message{Attachments: []outlooktest.Attachment{{Name: "a", Data: []byte("x")}}}, "multipart/mixed\n  application/octet-stream name=a: x\n", nil},
		{"LargeAttachment", outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "a", Data: make([]byte, 100_000)}}},
			"multipart/mixed\n  text/plain: x\n  application/octet-stream name=a: 100000 bytes\n", nil},
		{"Inline", outlooktest.Message{HTML: []byte("<img src=cid:i>"), Attachments: []outlooktest.Attachment{{Name: "a.png", Type: "image/png", ContentID: "i", Inline: true, Data: []byte("x")}, {Name: "b", Data: []byte("y")}}},
			"multipart/mixed\n  multipart/related\n    text/html: <img src=cid:i>\n    image/png name=a.png id=<i>: x\n  application/octet-stream name=b: y\n", nil},
		{"Embedded", outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "m", Embedded: &inner}}},
			"multipart/mixed\n  text/plain: x\n  message/rfc822 subject=inner\n    text/plain: inner text\n", nil},
		{"Link", outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "Review", URL: "https://files.example/x"}}},
			"multipart/mixed\n  text/plain: x\n  text/uri-list name=Review: https://files.example/x\n", []outlook.Note{outlook.NoteReference}},
		{"RTFInsteadOfText", outlooktest.Message{RTF: `{\rtf1 plain}`}, "text/plain: plain\n", []outlook.Note{outlook.NoteBodyFromRTF}},
		{"RTFWithHTML", outlooktest.Message{Text: "x", RTF: `{\rtf1\fromhtml1 {\*\htmltag <b>}x{\*\htmltag </b>}}`},
			"multipart/alternative\n  text/plain: x\n  text/html: <b>x</b>\n", []outlook.Note{outlook.NoteBodyFromRTF}},
		{"RTFStored", outlooktest.Message{RTF: `{\rtf1 plain}`, RTFStored: true}, "text/plain: plain\n", []outlook.Note{outlook.NoteBodyFromRTF}},
		{"RTFDamaged", outlooktest.Message{Text: "x", Pack: []byte("rubbish that is long enough")}, "text/plain: x\n", []outlook.Note{outlook.NoteDamaged}},
	}
	for _, tt := range tests {
		for format, item := range map[string]*outlook.Item{"MSG": convert(t, tt.m), "TNEF": tnef(t, tt.m)} {
			t.Run(tt.name+"/"+format, func(t *testing.T) {
				if diff := cmp.Diff(tt.want, outline(t, item.RFC822)); diff != "" {
					t.Error(diff)
				}
				if diff := cmp.Diff(append([]outlook.Note{outlook.NoteHeadersMissing}, tt.notes...), item.Notes); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestOLEObject(t *testing.T) {
	item := convert(t, outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "o.pdf", Storage: []byte("%PDF")}}})
	if diff := cmp.Diff("multipart/mixed\n  text/plain: x\n  application/octet-stream name=o.pdf: %PDF\n", outline(t, item.RFC822)); diff != "" {
		t.Error(diff)
	}
}

func TestSignedMessage(t *testing.T) {
	signed := "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=\"s\"\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\nsigned\r\n--s\r\n" +
		"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nsignature\r\n--s--\r\n"
	item := convert(t, outlooktest.Message{Class: "IPM.Note.SMIME.MultipartSigned", Headers: received, Attachments: []outlooktest.Attachment{{Name: "smime.p7m", Type: "multipart/signed", Data: []byte(signed)}}})
	if diff := cmp.Diff(received+"MIME-Version: 1.0\r\n"+signed, string(item.RFC822)); diff != "" {
		t.Error(diff)
	}
}

func TestBoundariesCannotBeGuessed(t *testing.T) {
	m := outlooktest.Message{Headers: received, Text: "x", Attachments: []outlooktest.Attachment{{Name: "a", Data: []byte("y")}}}
	_, rest, _ := strings.Cut(string(convert(t, m).RFC822), `boundary="`)
	boundary, _, _ := strings.Cut(rest, `"`)
	m.Headers += "X-Evil: 1\r\n--" + boundary + "--\r\n"
	_, rest, _ = strings.Cut(string(convert(t, m).RFC822), `boundary="`)
	if second, _, _ := strings.Cut(rest, `"`); second == boundary {
		t.Error("a header block can hold the boundary of the message around it")
	}
}

// nested returns a message with depth messages inside each other.
func nested(depth int) outlooktest.Message {
	m := outlooktest.Message{Subject: "innermost", Text: "x"}
	for range depth {
		inner := m
		m = outlooktest.Message{Subject: "outer", Text: "x", Attachments: []outlooktest.Attachment{{Embedded: &inner}}}
	}
	return m
}

func TestLimits(t *testing.T) {
	var many []outlooktest.Attachment
	for i := range 30 {
		many = append(many, outlooktest.Attachment{Name: strconv.Itoa(i), Data: []byte("x")})
	}
	tests := []struct {
		name   string
		m      outlooktest.Message
		limits outlook.Limits
		has    string
		hasNot string
		note   outlook.Note
	}{
		{"DepthHeld", nested(3), outlook.Limits{Depth: 3}, "innermost", "", ""},
		{"DepthExceeded", nested(4), outlook.Limits{Depth: 3}, "outer", "innermost", outlook.NoteTooDeep},
		{"Attachments", outlooktest.Message{Attachments: many}, outlook.Limits{Attachments: 10}, "name=9:", "name=10:", outlook.NoteLeftOut},
		{"AttachmentsInEmbedded", outlooktest.Message{Attachments: []outlooktest.Attachment{{Embedded: &outlooktest.Message{Attachments: many}}}}, outlook.Limits{Attachments: 10}, "name=8:", "name=9:", outlook.NoteLeftOut},
		// Base64 makes the output larger than the input, which is what does not fit.
		{"Output", outlooktest.Message{Text: "the text", Attachments: []outlooktest.Attachment{{Name: "a", Data: make([]byte, 60_000)}}}, outlook.Limits{Bytes: 68 << 10}, "name=a: \n", "60000", outlook.NoteLeftOut},
		{"OutputText", outlooktest.Message{Text: strings.Repeat("請", 20_000)}, outlook.Limits{Bytes: 60 << 10}, "text/plain: ", "60000", outlook.NoteLeftOut},
	}
	for _, tt := range tests {
		for format, f := range map[string]func() (*outlook.Item, error){
			"MSG":  func() (*outlook.Item, error) { return outlook.Convert(outlooktest.MSG(tt.m), &tt.limits) },
			"TNEF": func() (*outlook.Item, error) { return outlook.TNEF(outlooktest.TNEF(tt.m), &tt.limits) },
		} {
			t.Run(tt.name+"/"+format, func(t *testing.T) {
				item, err := f()
				if err != nil {
					t.Fatal(err)
				}
				got := outline(t, item.RFC822)
				if !strings.Contains(got, tt.has) || tt.hasNot != "" && strings.Contains(got, tt.hasNot) {
					t.Errorf("got:\n%s", got)
				}
				if noted := slices.Contains(item.Notes, tt.note); noted != (tt.note != "") {
					t.Errorf("notes %v", item.Notes)
				}
				if tt.limits.Bytes > 0 && len(item.RFC822) > tt.limits.Bytes {
					t.Errorf("%d bytes", len(item.RFC822))
				}
			})
		}
	}
	if _, err := outlook.Convert(outlooktest.MSG(outlooktest.Message{}), &outlook.Limits{Bytes: 100}); !errors.Is(err, outlook.ErrTooLarge) {
		t.Errorf("a large .msg: %v", err)
	}
	if _, err := outlook.TNEF(outlooktest.TNEF(outlooktest.Message{}), &outlook.Limits{Bytes: 10}); !errors.Is(err, outlook.ErrTooLarge) {
		t.Errorf("a large TNEF stream: %v", err)
	}
}

func TestNoOutlookItem(t *testing.T) {
	for name, b := range map[string][]byte{
		"Empty": nil, "Text": []byte("From: a@a.example\r\n"), "MagicAlone": []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
		"Zeros":     append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 5000)...),
		"OtherOLE":  bytes.Replace(outlooktest.MSG(outlooktest.Message{}), []byte("_\x00_\x00p\x00r\x00o\x00p"), []byte("W\x00o\x00r\x00d\x00D\x00o"), 1),
		"TNEFMagic": []byte("\x78\x9f\x3e\x22"),
	} {
		if outlook.IsMSG(b) {
			t.Errorf("%s: seen as an Outlook item", name)
		}
		if _, err := outlook.Convert(b, nil); !errors.Is(err, outlook.ErrFormat) {
			t.Errorf("%s: error %v", name, err)
		}
		if _, err := outlook.TNEF(b, nil); !errors.Is(err, outlook.ErrFormat) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// full is a message that uses everything.
var full = outlooktest.Message{
	Headers: received, Subject: "件名", From: outlooktest.Address{Name: "A", SMTP: "a@a.example"}, To: []outlooktest.Address{{Name: "B", SMTP: "b@b.example"}},
	Text: "text", HTML: []byte("<p>html</p>"), RTF: `{\rtf1\ansi\fromhtml1 {\*\htmltag <b>}x}`,
	Attachments: []outlooktest.Attachment{{Name: "a", Data: make([]byte, 5000)}, {Embedded: &outlooktest.Message{Text: "inner"}}, {Storage: []byte("x"), Name: "o"}},
}

// TestTruncated cuts a good file at every byte.
func TestTruncated(t *testing.T) {
	for _, b := range [][]byte{outlooktest.MSG(full), outlooktest.TNEF(full)} {
		for i := range b {
			for _, f := range []func([]byte, *outlook.Limits) (*outlook.Item, error){outlook.Convert, outlook.TNEF} {
				if item, err := f(b[:i], nil); err == nil && len(item.RFC822) == 0 {
					t.Fatalf("cut at %d: neither message nor error", i)
				}
			}
		}
	}
}

// TestCycles sets every link of the directory and every entry of the FAT to
// each of a few places, which makes cycles of all kinds.
func TestCycles(t *testing.T) {
	good := outlooktest.MSG(outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "a", Data: make([]byte, 5000)}}})
	start := time.Now()
	for at := 512; at+4 <= len(good); at += 4 {
		for _, to := range []uint32{0, 1, 5, uint32(at-512) / 512, 0x7FFFFFFF} {
			b := bytes.Clone(good)
			binary.LittleEndian.PutUint32(b[at:], to)
			item, err := outlook.Convert(b, nil)
			if err == nil && len(item.RFC822) > 10*len(b) {
				t.Fatalf("%d at %d: %d bytes out of %d", to, at, len(item.RFC822), len(b))
			}
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestSharedSectors lets many attachments have the same large content.
func TestSharedSectors(t *testing.T) {
	var list []outlooktest.Attachment
	for i := range 200 {
		list = append(list, outlooktest.Attachment{Name: strconv.Itoa(i), Data: bytes.Repeat([]byte{byte(i)}, 4096)})
	}
	b := outlooktest.MSG(outlooktest.Message{Text: "x", Attachments: list})
	name := utf16le("__substg1.0_37010102")
	for at := 0; ; {
		i := bytes.Index(b[at:], name)
		if i < 0 {
			break
		}
		entry := b[at+i:]
		binary.LittleEndian.PutUint32(entry[116:], 0)
		binary.LittleEndian.PutUint32(entry[120:], uint32(len(b)))
		at += i + len(name)
	}
	limits := &outlook.Limits{Bytes: 2 << 20}
	item, err := outlook.Convert(b, limits)
	if err != nil {
		t.Fatal(err)
	}
	if len(item.RFC822) > limits.Bytes {
		t.Errorf("%d bytes", len(item.RFC822))
	}
}

func utf16le(s string) []byte {
	var b []byte
	for _, c := range []byte(s) {
		b = append(b, c, 0)
	}
	return b
}

// TestFixturesAreCompoundFiles holds the writer of fixtures, and with it our
// reader, to the reading of another library.
func TestFixturesAreCompoundFiles(t *testing.T) {
	large := outlooktest.Message{Text: "x", Attachments: []outlooktest.Attachment{{Name: "large", Data: make([]byte, 9<<20)}}}
	for _, m := range []outlooktest.Message{{}, full, large} {
		r, err := mscfb.New(bytes.NewReader(outlooktest.MSG(m)))
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]int{}
		for f, err := r.Next(); !errors.Is(err, io.EOF); f, err = r.Next() {
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, f)
			if err != nil || n != f.Size {
				t.Fatalf("%s: %d of %d bytes, %v", f.Name, n, f.Size, err)
			}
			names[f.Name]++
		}
		if want := len(m.Attachments); names["__substg1.0_37010102"] > want || names["__properties_version1.0"] < want {
			t.Errorf("streams %v", names)
		}
	}
	item := convert(t, large)
	if want := "multipart/mixed\n  text/plain: x\n  application/octet-stream name=large: 9437184 bytes\n"; outline(t, item.RFC822) != want {
		t.Error("the content of a large attachment is lost")
	}
}

func FuzzConvert(f *testing.F) {
	f.Add(outlooktest.MSG(full))
	f.Add(outlooktest.MSG(outlooktest.Message{Codepage: 932, Text: "請求"}))
	f.Fuzz(func(t *testing.T, b []byte) { invariant(t, outlook.Convert, b) })
}

func FuzzTNEF(f *testing.F) {
	f.Add(outlooktest.TNEF(full))
	f.Add(outlooktest.TNEF(outlooktest.Message{Codepage: 932, Text: "請求"}))
	f.Fuzz(func(t *testing.T, b []byte) { invariant(t, outlook.TNEF, b) })
}

func invariant(t *testing.T, f func([]byte, *outlook.Limits) (*outlook.Item, error), b []byte) {
	limits := &outlook.Limits{Bytes: 1 << 20, Depth: 3, Attachments: 20}
	item, err := f(b, limits)
	if err != nil {
		return
	}
	if len(item.RFC822) > limits.Bytes {
		t.Fatalf("%d bytes", len(item.RFC822))
	}
	if !bytes.Contains(item.RFC822, []byte("MIME-Version: 1.0\r\n")) {
		t.Fatal("no MIME header")
	}
}
