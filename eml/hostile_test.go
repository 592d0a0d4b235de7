package eml_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
)

// readAll does everything that a caller can do with a message and returns the
// number of parts.
func readAll(raw []byte) int {
	m := eml.Parse(raw, nil)
	m.From()
	m.Subject()
	m.Date()
	m.MessageID()
	n := 0
	for p := range m.AllParts() {
		n++
		for _, f := range p.Header().Fields() {
			f.Addresses()
			f.Text()
		}
		p.Filename()
		if p.IsLeaf() {
			p.Content()
			p.Text()
		}
	}
	m.Defects()
	return n
}

// peakHeap runs f and returns the largest size of the heap while it ran,
// garbage included, and how long it took.
func peakHeap(f func()) (peak uint64, took time.Duration) {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64())
			select {
			case <-stop:
				return
			case <-time.After(500 * time.Microsecond):
			}
		}
	}()
	start := time.Now()
	f()
	took = time.Since(start)
	close(stop)
	<-done
	return peak, took
}

func fill(s string, size int) string { return strings.Repeat(s, size/len(s)) }

// nested returns messages attached to each other in the given transfer
// encoding, whose innermost has the given text.
func nested(depth int, text string, encoding func(string) (string, string)) string {
	for range depth {
		name, body := encoding(text)
		text = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: " + name + "\r\n\r\n" + body
	}
	return text
}

// hostile are messages that try to take time or memory, of about the given
// size.
var hostile = []struct {
	name string
	make func(size int) string
}{
	{"Empty", func(int) string { return "" }},
	{"Zeros", func(n int) string { return fill("\x00", n) }},
	{"Binary", func(n int) string { return fill("\x00\xff\x80\x7f\r\n:\t\x1b$B\x81\x40=?", n) }},
	{"EndlessHeader", func(n int) string { return "Subject: " + fill("a", n) }},
	{"EndlessName", func(n int) string { return fill("a", n) }},
	{"EndlessFoldedHeader", func(n int) string { return "Subject: a" + fill("\n b", n) }},
	{"EndlessAddresses", func(n int) string { return "From: " + fill("a@b.example,", n) }},
	{"EndlessNames", func(n int) string { return "From: " + fill("a,", n) }},
	{"FoldedNames", func(n int) string { return "From: " + fill("a,\r\n ", n) }},
	{"Colons", func(n int) string { return "From: " + fill(":", n) }},
	{"Parentheses", func(n int) string { return "From: " + fill("(", n) + "\r\nContent-Type: " + fill("(", n/4) }},
	{"NestedParentheses", func(n int) string {
		return "From: " + fill("(((((((()()()()()()()()()()()()()", n) + "\r\nContent-Type: " + fill("(()", n/4)
	}},
	{"Comments", func(n int) string { return "Content-Type: " + fill("a()", n) + "\r\nFrom: " + fill("()", n) }},
	{"EscapedParentheses", func(n int) string { return "From: (" + fill(`\(`, n) + "\r\nContent-Type: (" + fill(`\(`, n/4) }},
	{"Words", func(n int) string { return "Subject: " + fill("=?a?q?x", n) + "\r\nFrom: " + fill("=?a?q?x", n/2) }},
	{"WordStarts", func(n int) string { return "Subject: " + fill("=?", n) }},
	{"WordsOfOneLetter", func(n int) string { return "Subject: " + fill("=?utf-8?q?=e3?= ", n) }},
	{"WordsOfManyCharsets", func(n int) string { return "Subject: " + fill("=?gb18030?q?=e3?==?utf-8?b?44GC?= ", n) }},
	{"AngleBrackets", func(n int) string { return "From: " + fill("<", n) }},
	{"AnglesAndQuotes", func(n int) string { return "From: " + fill(`<"`, n) }},
	{"AngleCommas", func(n int) string { return "From: " + fill(`<@,`, n) }},
	{"Quotes", func(n int) string { return "From: " + fill(`"`, n) }},
	{"OddQuotes", func(n int) string { return `From: "` + fill(`"`, n) + "\r\nContent-Type: a/b; " + fill(`a="`, n/4) }},
	{"EscapedQuotes", func(n int) string { return `From: "` + fill(`\"`, n) }},
	{"Backslashes", func(n int) string { return `From: "` + fill(`\`, n) }},
	{"Escapes", func(n int) string { return "From: " + fill("\x1b$", n) }},
	{"HighHeader", func(n int) string { return "Subject: " + fill("\x80", n) }},
	{"ManyLongHeaders", func(n int) string { return fill("From: "+fill("=?a?q?x(<\" ", 1<<16)+"\n", n) }},
	{"ManyHeaderLines", func(n int) string { return fill("A: b\n", min(n, 5<<20)) }},
	{"StrayLines", func(n int) string { return fill("A: b\nstray line\n", n) }},
	{"BlankLines", func(n int) string { return fill("\r\n", n) }},
	{"BlankContinuations", func(n int) string { return "A: b\n" + fill(" \n", n) }},
	{"FromLines", func(n int) string { return fill("From a\n", n) }},
	{"Parameters", func(n int) string { return "Content-Type: a/b" + fill(";a=b", n) }},
	{"Continuations", func(n int) string {
		var b strings.Builder
		b.WriteString("Content-Disposition: attachment")
		for i := 0; b.Len() < n; i++ {
			b.WriteString("; filename*" + strconv.Itoa(i) + "*=a")
		}
		return b.String()
	}},
	{"ManyParts", func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", min(100_000, n/7))
	}},
	{"ManyPartsWithParameters", func(n int) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n" + fill("--b\nContent-Type: a/b"+fill(";aaa=b", 4000)+"\n\nx\n", n)
	}},
	{"DeepMultiparts", func(n int) string {
		var b strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return b.String() + "\n" + fill("text\n", n)
	}},
	{"DeepMultipartsOfDashes", func(n int) string {
		var b strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=------------b%d\n\n--------------b%d\n", i, i)
		}
		return b.String() + "\n" + fill("-", n/2) + fill("\n--------------", n/2)
	}},
	{"DeepMultipartsOneBoundary", func(n int) string {
		return strings.Repeat("Content-Type: multipart/mixed; boundary=b\n\n--b\n", min(n/47, 1_000_000)) + "\ntext"
	}},
	{"DeepMessages", func(n int) string {
		return strings.Repeat("Content-Type: message/rfc822\n\n", 1000) + "\n" + fill("text\n", n)
	}},
	{"DeepBase64", func(n int) string {
		return nested(100, fill("text\r\n", min(n, 1)+8), func(s string) (string, string) {
			if len(s) > n {
				return "base64", s
			}
			return "base64", base64.StdEncoding.EncodeToString([]byte(s))
		})
	}},
	{"BigBase64InBase64", func(n int) string {
		text := "\r\n" + fill("text\r\n", n/4)
		return nested(3, text, func(s string) (string, string) {
			return "base64", base64.StdEncoding.EncodeToString([]byte(s))
		})
	}},
	{"DeepQuotedPrintable", func(n int) string {
		return nested(60, "\r\n"+fill("text\r\n", n), func(s string) (string, string) { return "quoted-printable", s })
	}},
	{"Base64OfOneLine", func(n int) string { return "Content-Transfer-Encoding: base64\n\n" + fill("QUJD", n) }},
	{"Base64Junk", func(n int) string { return "Content-Transfer-Encoding: base64\n\n" + fill("QU!=JD=\n", n) }},
	{"QuotedPrintableJunk", func(n int) string { return "Content-Transfer-Encoding: quoted-printable\n\n" + fill("==\n=4", n) }},
	{"UUEncodeJunk", func(n int) string { return "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n" + fill("M\n", n) }},
	{"GuessedBoundary", func(n int) string {
		return "Content-Type: multipart/mixed\n\n" + fill("--x\nContent-Type: multipart/mixed\n\n", n)
	}},
	{"Euro", func(n int) string { return "Content-Type: text/plain; charset=windows-1252\n\n" + fill("\x80", n) }},
	{"HalfWidthKana", func(n int) string { return "Content-Type: text/plain; charset=shift_jis\n\n" + fill("\xb1", n) }},
	{"BrokenUTF8", func(n int) string { return "Content-Type: text/plain; charset=utf-8\n\n" + fill("\x80a", n) }},
	{"BrokenISO2022JP", func(n int) string { return "Content-Type: text/plain; charset=iso-2022-jp\n\n" + fill("\x1b$\xff", n) }},
	{"GB18030", func(n int) string {
		return "Content-Type: text/plain; charset=gb18030\n\n" + fill("\x81\x30\x81\x30", n)
	}},
	{"UTF7", func(n int) string { return "Content-Type: text/plain; charset=utf-7\n\n" + fill("+a", n) }},
	{"UTF7OfOneRun", func(n int) string { return "Content-Type: text/plain; charset=utf-7\n\n+" + fill("2ADcAN", n) }},
	{"UTF16", func(n int) string { return "Content-Type: text/plain; charset=utf-16\n\n" + fill("\x30\x42", n) }},
	{"Unlabelled8Bit", func(n int) string { return "\n" + fill("\x93\xfa\x96{", n) }},
	{"MetaCharsets", func(n int) string { return "Content-Type: text/html\n\n<meta " + fill("charset ", n) }},
}

// TestHostile holds each message to 1 second and 200 MB, the message itself
// included.
func TestHostile(t *testing.T) {
	size := 48 << 20
	if testing.Short() || raceEnabled {
		size = 256 << 10
	}
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			raw := []byte(c.make(size))
			parts := 0
			peak, took := peakHeap(func() { parts = readAll(raw) })
			for range 2 { // another program may hold the processor
				if took > time.Second {
					again, d := peakHeap(func() { parts = readAll(raw) })
					peak, took = max(peak, again), min(took, d)
				}
			}
			runtime.KeepAlive(raw)
			t.Logf("%d bytes, %d parts: %v, %d MB", len(raw), parts, took.Round(time.Millisecond), peak>>20)
			if parts == 0 {
				t.Error("not even a root part")
			}
			if took > time.Second && !raceEnabled {
				t.Errorf("took %v", took)
			}
			if peak > 200<<20 {
				t.Errorf("took %d MB", peak>>20)
			}
		})
	}
}

func TestLimitsAreDefects(t *testing.T) {
	for _, c := range []struct {
		name string
		raw  string
		want eml.DefectCode
	}{
		{"TooManyParts", "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 10_001), eml.TooManyParts},
		{"TooDeep", strings.Repeat("Content-Type: message/rfc822\n\n", 100), eml.TooDeep},
		{"TooManyFields", strings.Repeat("A: b\n", 20_001) + "\n", eml.TooManyFields},
		{"LongField", "Subject: " + strings.Repeat("a", 256<<10+1) + "\n\n", eml.LongField},
		{"TooMuchDecoded", nested(60, "\r\n"+fill("text\r\n", 1<<20), func(s string) (string, string) { return "quoted-printable", s }), eml.TooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, d := range eml.Parse([]byte(c.raw), nil).Defects() {
				if d.Code == c.want && d.Lost() {
					return
				}
			}
			t.Errorf("no defect %s that says that something was lost", c.want)
		})
	}
}

// TestTruncated reads a message that has most features, cut at every byte.
func TestTruncated(t *testing.T) {
	raw := []byte(sample)
	for i := range len(raw) + 1 {
		m := eml.Parse(raw[:i], nil)
		readAll(raw[:i])
		for p := range m.AllParts() {
			if p.IsLeaf() && !utf8.ValidString(p.Text()) {
				t.Fatalf("cut at %d: part %s is not UTF-8", i, p.ID())
			}
		}
		if !bytes.Equal(m.Raw(), raw[:i]) {
			t.Fatalf("cut at %d: Raw returns other bytes", i)
		}
	}
}

// sample is a message that has most features.
const sample = "From: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <taro@kiso.example>\r\n" +
	"To: \"Doe, Jane\" <jane@kiso.example>, group: a@kiso.example (A), b@kiso.example;\r\n" +
	"Subject: =?utf-8?Q?=E6=97=A5?=\r\n =?utf-8?Q?=E6=9C=AC?= and more\r\n" +
	"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\n" +
	"Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\n" +
	"preamble\r\n--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n" +
	"--in\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B;3ED\x1b(B\r\n" +
	"--in\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E5=B1=B1=\r\n</p>\r\n--in--\r\n" +
	"--out\r\nContent-Type: application/pdf; name*0*=utf-8''%E8%AB%8B;\r\n name*1=.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n" +
	"--out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+ZeVnLA-\r\n" +
	"--out--\r\nepilogue\r\n"
