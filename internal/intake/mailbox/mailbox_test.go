package mailbox_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/lang"
)

const (
	mail      = "From: sato@kiso-works.example\nTo: keiri@kiso-works.example\nSubject: one\nMessage-ID: <1@kiso-works.example>\n\nHello.\n"
	separator = "From sato@kiso-works.example Fri Jul  8 12:08:34 2011\n"
	mailboxOf = separator + mail + "\n" + separator + mail + "\n"
)

// list walks paths and describes each item in one line.
func list(t *testing.T, paths []string, stdin io.Reader, opts *mailbox.Options) []string {
	t.Helper()
	var got []string
	for item := range mailbox.Walk(t.Context(), paths, stdin, opts) {
		got = append(got, describe(t, item))
	}
	return got
}

func describe(t *testing.T, item desk.Item) string {
	t.Helper()
	s := filepath.ToSlash(item.File)
	if item.Index > 0 {
		s += fmt.Sprintf(" #%d", item.Index)
	}
	if item.Err == nil {
		return fmt.Sprintf("%s: %s, %d bytes", s, item.Form, len(item.Raw))
	}
	e, ok := errors.AsType[*desk.Error](item.Err)
	if !ok || item.Raw != nil {
		t.Fatalf("%s: a bad item: %v", s, item.Err)
	}
	for _, m := range []lang.Message{e.Message, e.Hint} {
		if text := lang.Default().Render(m); strings.ContainsAny(text.EN+text.JA, "[{") || text.EN == "" || text.JA == "" {
			t.Errorf("%s: message %+v renders as %+v", s, m, text)
		}
	}
	return fmt.Sprintf("%s: %s: %s", s, e.Kind, lang.Default().Say(lang.EN, e.Message))
}

// write puts files into a new folder and makes it the current one.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

type entry struct{ name, content string }

func zipped(t *testing.T, entries ...entry) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err == nil {
			_, err = io.WriteString(w, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// encrypted marks the entries of a zip as encrypted, in their headers and in
// the directory.
func encrypted(archive string) string {
	b := []byte(archive)
	for i := range b {
		switch {
		case bytes.HasPrefix(b[i:], []byte("PK\x03\x04")):
			b[i+6] |= 1
		case bytes.HasPrefix(b[i:], []byte("PK\x01\x02")):
			b[i+8] |= 1
		}
	}
	return string(b)
}

func utf16File(s string, bigEndian bool) string {
	var b []byte
	for _, u := range append([]uint16{0xFEFF}, utf16.Encode([]rune(s))...) {
		if bigEndian {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	return string(b)
}

var outlookItem = string(outlooktest.MSG(outlooktest.Message{Subject: "x", Text: "y"}))

// TestNamedInput names one file; the last item of a mailbox shows its length.
func TestNamedInput(t *testing.T) {
	message := fmt.Sprintf("in: message, %d bytes", len(mail))
	item := func(s string, n int) string { return fmt.Sprintf("in%s: message, %d bytes", s, n) }
	head, _, _ := strings.Cut(mail, "\n\n")
	tests := []struct {
		name, content string
		want          []string
	}{
		{"Message", mail, []string{message}},
		{"MessageCRLF", strings.ReplaceAll(mail, "\n", "\r\n"), []string{item("", len(mail)+6)}},
		{"LeadingBlankLines", "\r\n \n\n" + mail, []string{message}},
		{"ByteOrderMark", "\xEF\xBB\xBF" + mail, []string{message}},
		{"ByteOrderMarkAndBlankLine", "\xEF\xBB\xBF\r\n" + mail, []string{message}},
		{"UTF16", utf16File(mail, false), []string{message}},
		{"UTF16BigEndian", utf16File(mail, true), []string{message}},
		{"Header", head, []string{fmt.Sprintf("in: header, %d bytes", len(head))}},
		{"HeaderAndBlankLines", head + "\n\n\n", []string{fmt.Sprintf("in: header, %d bytes", len(head)+3)}},
		{"OneField", "Subject: x", []string{"in: header, 10 bytes"}},
		{"Mbox", mailboxOf, []string{item(" #1", len(mail)), item(" #2", len(mail))}},
		{"MboxOfOne", separator + mail, []string{message}},
		{"Outlook", outlookItem, []string{"in: msg, 122 bytes"}},
		{"TNEF", string(outlooktest.TNEF(outlooktest.Message{Subject: "x", Text: "y"})), []string{"in: msg, 122 bytes"}},
		{"Gzip", gzipped(t, mail), []string{message}},
		{"GzipOfMbox", gzipped(t, mailboxOf), []string{item(" #1", len(mail)), item(" #2", len(mail))}},
		{"Zip", zipped(t, entry{"b.eml", mail}, entry{"d/a", mailboxOf}), []string{
			item("!b.eml", len(mail)), item("!d/a #1", len(mail)), item("!d/a #2", len(mail))}},
		{"ZipOfGzip", zipped(t, entry{"b.gz", gzipped(t, mail)}), []string{item("!b.gz", len(mail))}},
		{"ZipInZipInZip", zipped(t, entry{"b", zipped(t, entry{"c", zipped(t, entry{"d", mail})})}), []string{item("!b!c!d", len(mail))}},
		{"ZipTooDeep", zipped(t, entry{"b", zipped(t, entry{"c", zipped(t, entry{"d", zipped(t, entry{"e", mail})})})}),
			[]string{"in!b!c!d: limit: archives are packed into each other more than 3 deep"}},
		{"ZipOfOther", zipped(t, entry{"readme.txt", "hello"}, entry{".hidden.eml", mail}, entry{"__MACOSX/x.eml", mail}),
			[]string{"in: not_found: there is no mail in it"}},
		{"ZipEmpty", zipped(t), []string{"in: not_found: there is no mail in it"}},
		{"ZipBadMail", zipped(t, entry{"a.eml", "%PDF-1.7"}, entry{"b", mail}),
			[]string{"in!a.eml: invalid: not a mail (PDF document)", item("!b", len(mail))}},
		{"ZipEncrypted", encrypted(zipped(t, entry{"a.eml", mail}, entry{"b.eml", mail})),
			[]string{"in!a.eml: invalid: protected with a password", "in!b.eml: invalid: protected with a password"}},
		{"ZipNameForTheTerminal", zipped(t, entry{"a\x1b[2J.eml", mail}), []string{item("!a\uFFFD[2J.eml", len(mail))}},
		{"ZipNameInShiftJIS", zipped(t, entry{"\x90\xBF\x8B\x81.eml", mail}), []string{item("!請求.eml", len(mail))}},
		{"ZipCut", zipped(t, entry{"a.eml", mail})[:100], []string{"in: invalid: damaged or cut off"}},
		{"GzipCut", gzipped(t, mail)[:60], []string{"in: invalid: damaged or cut off"}},
		{"GzipHeaderCut", gzipped(t, mail)[:5], []string{"in: invalid: damaged or cut off"}},
		{"Empty", "", []string{"in: invalid: there is nothing in it (0 bytes)"}},
		{"OnlyByteOrderMark", "\xEF\xBB\xBF", []string{"in: invalid: there is nothing in it (0 bytes)"}},
		{"GzipOfNothing", gzipped(t, ""), []string{"in: invalid: there is nothing in it (0 bytes)"}},
		{"PDF", "%PDF-1.7\n", []string{"in: invalid: not a mail (PDF document)"}},
		{"OfficeOOXML", zipped(t, entry{"[Content_Types].xml", "<x/>"}), []string{"in: invalid: not a mail (Office document)"}},
		{"OfficeOLE", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 2000), []string{"in: invalid: not a mail (Office document)"}},
		{"Binary", "\x00\x01\x02\x03", []string{"in: invalid: not a mail (unknown data)"}},
		{"Text", "Dear all,\n\nFrom: here\n", []string{"in: invalid: not a mail (text)"}},
		{"BMWText", "BMW is a car maker, and this is a text about it which is a little longer", []string{"in: invalid: not a mail (text)"}},
		{"HTML", "<!DOCTYPE html><p>From: x</p>", []string{"in: invalid: not a mail (web page)"}},
		{"JSON", "{\"from\": 1}", []string{"in: invalid: not a mail (JSON file)"}},
		{"Tar", strings.Repeat("x", 257) + "ustar\x00", []string{"in: invalid: not a mail (archive of another kind)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			write(t, map[string]string{"in": tt.content})
			if diff := cmp.Diff(tt.want, list(t, []string{"in"}, nil, nil)); diff != "" {
				t.Error(diff)
			}
			// From standard input the same, under another name.
			want := make([]string, len(tt.want))
			for i, s := range tt.want {
				want[i] = "-" + strings.TrimPrefix(s, "in")
			}
			if diff := cmp.Diff(want, list(t, []string{"-"}, strings.NewReader(tt.content), nil)); diff != "" {
				t.Error("standard input:", diff)
			}
		})
	}
}

// TestPaste checks what becomes of header blocks that people copy from a mail
// program or from web mail.
func TestPaste(t *testing.T) {
	block := "Received: from a.example (192.0.2.1)\n by b.example; Fri, 29 May 2026 09:00:00 +0900\nFrom: a@a.example\nSubject: x\nMessage-ID: <1@a.example>\n"
	body := "\nHello.\n"
	gmail := "Original Message\nMessage ID\t<1@a.example>\nCreated at:\tFri, May 29\nFrom:\ta\nSPF:\tPASS with IP 192.0.2.1\n\nDownload Original\nCopy to clipboard\n"
	spaced := strings.ReplaceAll(strings.ReplaceAll(block, "\n ", " "), "\n", "\n\n")
	tests := []struct {
		name, in, want string
		form           desk.Form
	}{
		{"Block", block, block, desk.FormHeader},
		{"BlankLinesAround", "\n \n" + block + "\n\n", block + "\n\n", desk.FormHeader},
		{"Indented", "    " + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n    ") + "\n", block, desk.FormHeader},
		{"Quoted", "> " + strings.ReplaceAll(strings.TrimSuffix(block, "\n"), "\n", "\n> ") + "\n", block, desk.FormHeader},
		{"ShowOriginal", gmail + block + body, block + body, desk.FormMessage},
		{"ShowOriginalSummaryFirst", "From:\ta\nTo:\tb\nSPF:\tPASS\nDKIM:\tPASS\n\nDownload\n\n" + block + body, block + body, desk.FormMessage},
		{"DoubleSpaced", spaced, strings.ReplaceAll(block, "\n ", " "), desk.FormHeader},
		{"BodyQuotesFields", block + "\n" + block, block + "\n" + block, desk.FormMessage},
		{"DraftQuotesFields", "From: a\nTo: b\nSubject: x\n\n" + block, "From: a\nTo: b\nSubject: x\n\n" + block, desk.FormMessage},
		{"ShortMessageWithText", "Subject: x\n\nReceived: from a\n\nand some text\n", "Subject: x\n\nReceived: from a\n\nand some text\n", desk.FormMessage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for item := range mailbox.Walk(t.Context(), []string{"-"}, strings.NewReader(tt.in), nil) {
				if item.Err != nil || item.Form != tt.form {
					t.Errorf("form %q, error %v", item.Form, item.Err)
				}
				if diff := cmp.Diff(tt.want, string(item.Raw)); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestFolder(t *testing.T) {
	write(t, map[string]string{
		"in/b.eml":                 mail,
		"in/a.mail":                mail,
		"in/sub/c":                 mailboxOf,
		"in/sub/d.msg":             outlookItem,
		"in/README":                "Note: this is no mail\n",
		"in/settings.yaml":         "name: x\nfrom: y\n",
		"in/list.tsv":              "a\tb\n",
		"in/model.json":            "{\"a\": 1}",
		"in/.DS_Store":             "x",
		"in/.hidden.eml":           mail,
		"in/.git/x.eml":            mail,
		"in/picture.png":           "\x89PNG\r\n\x1a\n",
		"in/contract.doc":          "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600),
		"in/broken.eml":            "\x00\x00",
		"in/empty.eml":             "",
		"in/old.zip":               zipped(t, entry{"x.eml", mail}),
		"in/photos.zip":            zipped(t, entry{"x.png", "\x89PNG\r\n\x1a\n"}),
		"in/Maildir/cur/1.a:2,S":   mail,
		"in/Maildir/new/2.b":       mail,
		"in/Maildir/tmp/3.c":       mail,
		"in/Maildir/dovecot.index": mail,
		"in/Maildir/.Sent/cur/4.d": mail,
		"in/Maildir/.Sent/new/5.e": "no mail, though it stands where one should",
		"outside/y.eml":            mail,
	})
	if err := os.Symlink("../outside", "in/link"); err != nil {
		t.Logf("no links here: %v", err)
	}
	_ = os.Symlink("../outside/y.eml", "in/link.eml")
	n := len(mail)
	want := []string{
		fmt.Sprintf("in/Maildir/.Sent/cur/4.d: message, %d bytes", n),
		"in/Maildir/.Sent/new/5.e: invalid: not a mail (text)",
		fmt.Sprintf("in/Maildir/cur/1.a:2,S: message, %d bytes", n),
		fmt.Sprintf("in/Maildir/new/2.b: message, %d bytes", n),
		fmt.Sprintf("in/a.mail: message, %d bytes", n),
		fmt.Sprintf("in/b.eml: message, %d bytes", n),
		"in/broken.eml: invalid: not a mail (unknown data)",
		"in/empty.eml: invalid: there is nothing in it (0 bytes)",
		fmt.Sprintf("in/old.zip!x.eml: message, %d bytes", n),
		fmt.Sprintf("in/sub/c #1: message, %d bytes", n),
		fmt.Sprintf("in/sub/c #2: message, %d bytes", n),
		"in/sub/d.msg: msg, 122 bytes",
	}
	if diff := cmp.Diff(want, list(t, []string{"in"}, nil, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestUnreadableInputs(t *testing.T) {
	write(t, map[string]string{"a.eml": mail, "empty/README": "x", "z.eml": mail})
	if err := os.Mkdir("none", 0o755); err != nil {
		t.Fatal(err)
	}
	want := []string{
		fmt.Sprintf("a.eml: message, %d bytes", len(mail)),
		"missing: not_found: no such file or folder",
		"empty: not_found: there is no mail in it",
		"none: not_found: there is no mail in it",
		"-: invalid: there is nothing in it (0 bytes)",
		fmt.Sprintf("z.eml: message, %d bytes", len(mail)),
	}
	if diff := cmp.Diff(want, list(t, []string{"a.eml", "missing", "empty", "none", "-", "z.eml"}, nil, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestDeniedFolder(t *testing.T) {
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("this user may read everything")
	}
	write(t, map[string]string{"in/a/x.eml": mail, "in/b.eml": mail})
	if err := os.Chmod("in/a", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod("in/a", 0o755)
	want := []string{"in/a: denied: you are not allowed to read it", fmt.Sprintf("in/b.eml: message, %d bytes", len(mail))}
	if diff := cmp.Diff(want, list(t, []string{"in"}, nil, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestDeviceIsNotOpened(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	want := []string{"/dev/zero: invalid: not a file (a device, pipe or socket)"}
	if diff := cmp.Diff(want, list(t, []string{"/dev/zero"}, nil, nil)); diff != "" {
		t.Error(diff)
	}
}

func TestMessageLimit(t *testing.T) {
	large := mail + strings.Repeat(strings.Repeat("x", 99)+"\n", 30)
	write(t, map[string]string{
		"in/a.eml":  large,
		"in/b.mbox": separator + mail + "\n" + separator + large + "\n" + separator + mail,
		"in/c.zip":  zipped(t, entry{"x.eml", large}, entry{"y.eml", mail}),
		"in/d.gz":   gzipped(t, large),
	})
	n := len(mail)
	want := []string{
		"in/a.eml: limit: larger than 2 KiB, so it was not read",
		fmt.Sprintf("in/b.mbox #1: message, %d bytes", n),
		"in/b.mbox #2: limit: larger than 2 KiB, so it was not read",
		fmt.Sprintf("in/b.mbox #3: message, %d bytes", n),
		"in/c.zip!x.eml: limit: larger than 2 KiB, so it was not read",
		fmt.Sprintf("in/c.zip!y.eml: message, %d bytes", n),
		"in/d.gz: limit: larger than 2 KiB, so it was not read",
	}
	if diff := cmp.Diff(want, list(t, []string{"in"}, nil, &mailbox.Options{MaxMessage: 2048})); diff != "" {
		t.Error(diff)
	}
}

// TestLargeMessageIsNotRead hands in 60 MiB between two small messages, as a
// stream, and 10 GiB in one file, which must not be read at all.
func TestLargeMessageIsNotRead(t *testing.T) {
	filler := io.LimitReader(repeating(strings.Repeat("x", 99)+"\n"), 60<<20)
	in := io.MultiReader(strings.NewReader(separator+mail+"\n"+separator+mail), filler, strings.NewReader("\n\n"+separator+mail))
	want := []string{
		fmt.Sprintf("- #1: message, %d bytes", len(mail)),
		"- #2: limit: larger than 48 MiB, so it was not read",
		fmt.Sprintf("- #3: message, %d bytes", len(mail)),
	}
	if diff := cmp.Diff(want, list(t, []string{"-"}, in, nil)); diff != "" {
		t.Error(diff)
	}

	write(t, map[string]string{"huge.eml": mail})
	if err := os.Truncate("huge.eml", 10<<30); err != nil {
		t.Skip("no sparse files here")
	}
	var read int64
	opts := &mailbox.Options{Progress: func(n int64) {
		if n < 10<<30 {
			read = n
		}
	}}
	if diff := cmp.Diff([]string{"huge.eml: limit: larger than 48 MiB, so it was not read"}, list(t, []string{"huge.eml"}, nil, opts)); diff != "" {
		t.Error(diff)
	}
	if read > 1<<20 {
		t.Errorf("%d bytes were read", read)
	}
}

type repeating string

func (r repeating) Read(p []byte) (int, error) {
	n := 0
	for n+len(r) <= len(p) {
		n += copy(p[n:], r)
	}
	if n == 0 {
		n = copy(p, r)
	}
	return n, nil
}

// TestBombs hands in archives that unpack to far more than they are.
func TestBombs(t *testing.T) {
	bomb := func(start string) string {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(z, start)
		line := bytes.Repeat([]byte{'x'}, 1<<20)
		for range 40 {
			_, _ = z.Write(line)
		}
		_ = z.Close()
		return b.String()
	}
	const tooMuch = "limit: unpacks to far more than its size allows; it may be made to fill the disk (zip bomb)"
	mboxBomb := bomb(separator + mail + "\n" + separator + mail)
	write(t, map[string]string{
		"zeros.gz":  bomb(""),
		"mail.gz":   bomb(mail),
		"mbox.gz":   mboxBomb,
		"mbox.zip":  zipped(t, entry{"a", mboxBomb}),
		"total.zip": zipped(t, entry{"a.eml", mail}, entry{"b.eml", mail}, entry{"c.eml", mail}),
		"many.zip":  zipped(t, entry{"a.eml", mail}, entry{"b.eml", mail}, entry{"c.eml", mail}),
		"share.zip": sharing(t),
	})
	first := fmt.Sprintf(" #1: message, %d bytes", len(mail))
	tests := []struct {
		name string
		opts mailbox.Options
		want []string
	}{
		{"zeros.gz", mailbox.Options{}, []string{"zeros.gz: invalid: not a mail (text)"}},
		{"mail.gz", mailbox.Options{MaxMessage: 8 << 20}, []string{"mail.gz: limit: larger than 8 MiB, so it was not read"}},
		{"mbox.gz", mailbox.Options{}, []string{"mbox.gz" + first, "mbox.gz #2: " + tooMuch}},
		{"mbox.zip", mailbox.Options{}, []string{"mbox.zip!a" + first, "mbox.zip!a #2: " + tooMuch}},
		{"total.zip", mailbox.Options{MaxArchiveBytes: int64(len(mail)) + 20}, []string{
			fmt.Sprintf("total.zip!a.eml: message, %d bytes", len(mail)), "total.zip!b.eml: " + tooMuch}},
		{"many.zip", mailbox.Options{MaxEntries: 2}, []string{"many.zip: " + tooMuch}},
		{"share.zip", mailbox.Options{}, []string{"share.zip: " + tooMuch}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, list(t, []string{tt.name}, nil, &tt.opts)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sharing makes a zip whose directory names the same data many times.
func sharing(t *testing.T) string {
	b := zipped(t, entry{"a.eml", mail + strings.Repeat("0123456789abcdef", 200)})
	at := strings.Index(b, "PK\x01\x02")
	end := strings.Index(b, "PK\x05\x06")
	const n = 50
	out := []byte(b[:at] + strings.Repeat(b[at:end], n) + b[end:])
	tail := out[len(out)-22:]
	tail[8], tail[10] = n, n
	size := (end - at) * n
	tail[12], tail[13] = byte(size), byte(size>>8)
	return string(out)
}

func TestProgressAddsUpToSize(t *testing.T) {
	write(t, map[string]string{
		"in/a.eml": mail, "in/b.zip": zipped(t, entry{"x", mail}, entry{"y", mail}), "in/c.png": strings.Repeat("x", 100_000),
		"in/d.mbox": mailboxOf, "in/.hidden": "xxx", "e.gz": gzipped(t, mail),
	})
	paths := []string{"in", "e.gz", "missing"}
	size, known := mailbox.Size(paths)
	if !known {
		t.Error("the size is not known")
	}
	var last int64
	opts := &mailbox.Options{Progress: func(n int64) {
		if n < last {
			t.Errorf("progress went from %d back to %d", last, n)
		}
		last = n
	}}
	list(t, paths, nil, opts)
	if last != size || size == 0 {
		t.Errorf("progress ended at %d, the size is %d", last, size)
	}
	if _, known := mailbox.Size([]string{"e.gz", "-"}); known {
		t.Error("the size of standard input is known")
	}
}

func TestWalkStops(t *testing.T) {
	n := 0
	for range mailbox.Walk(t.Context(), []string{"-", "missing"}, strings.NewReader(mailboxOf+mailboxOf), nil) {
		if n++; n == 3 {
			break
		}
	}
	if n != 3 {
		t.Errorf("%d items before the break", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n = 0
	for item := range mailbox.Walk(ctx, []string{"-", "missing"}, strings.NewReader(strings.Repeat(mailboxOf, 5000)), nil) {
		if item.Err != nil {
			t.Errorf("the end of the context became %v", item.Err)
		}
		n++
		cancel()
	}
	if n != 1 {
		t.Errorf("%d items after the context ended", n)
	}
}

// TestStreamedArchiveLimit hands in a large zip where it cannot be read from
// its end.
func TestStreamedArchiveLimit(t *testing.T) {
	in := zipped(t, entry{"a.eml", mail})
	opts := &mailbox.Options{MaxMessage: 100}
	for item := range mailbox.Walk(t.Context(), []string{"-"}, strings.NewReader(in), opts) {
		e, ok := errors.AsType[*desk.Error](item.Err)
		if !ok || e.Kind != desk.Limit || e.Hint.Key != "mailbox.unpack_hint" {
			t.Errorf("got %+v", item)
		}
	}
}

// TestKeysAreInTheCatalogue asks for both languages of every kind of input that can be
// named in an error.
func TestKeysAreInTheCatalogue(t *testing.T) {
	source, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`"(mailbox\.[a-z_]+)"`)
	kinds := regexp.MustCompile(`kind[A-Z]\w+ +kind = "(\w+)"`)
	n := 0
	for _, name := range source {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, m := range used.FindAllStringSubmatch(string(b), -1) {
			keys = append(keys, m[1])
		}
		_, named, _ := strings.Cut(string(b), "only named")
		for _, m := range kinds.FindAllStringSubmatch(named, -1) {
			keys = append(keys, "mailbox.kind_"+m[1])
		}
		for _, key := range keys {
			if key == "mailbox.kind_" {
				continue
			}
			n++
			if text, ok := lang.Default().Template(key); !ok || text.EN == "" || text.JA == "" {
				t.Errorf("%s: %s has %+v", name, key, text)
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d keys found in the source", n)
	}
}

func FuzzWalk(f *testing.F) {
	for _, s := range []string{mail, mailboxOf, outlookItem, utf16File(mail, false), "\xEF\xBB\xBF\n> Received: x", "\n\nFrom x\nA:b\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		opts := &mailbox.Options{MaxMessage: 1 << 16, MaxArchiveBytes: 1 << 20, MaxEntries: 100}
		n := 0
		for item := range mailbox.Walk(t.Context(), []string{"-"}, bytes.NewReader(b), opts) {
			n++
			if (item.Err == nil) != (item.Raw != nil) || item.Err == nil && item.Form == "" {
				t.Fatalf("an item that is neither a message nor an error: %+v", item)
			}
			if len(item.Raw) > 2<<16 {
				t.Fatalf("a message of %d bytes", len(item.Raw))
			}
		}
		if n == 0 {
			t.Fatal("an input that the user named gave nothing")
		}
	})
}
