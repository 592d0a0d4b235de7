package dkim

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
)

// canonBody returns what hashBody hashes.
func canonBody(body []byte, c Canonicalization) string {
	var out bytes.Buffer
	s := newSink([]*bodyHash{{limit: whole}})
	s.h = &tee{Hash: s.h, w: &out}
	if c == Relaxed {
		s.relaxed(body)
	} else {
		s.simple(body)
	}
	s.close()
	return out.String()
}

func TestCanonicalBody(t *testing.T) {
	for _, tc := range []struct{ name, body, simple, relaxed string }{
		{"Empty", "", "\r\n", ""},
		{"OnlyLineEnds", "\r\n\r\n", "\r\n", ""},
		{"OnlySpaces", "  \t", "  \t\r\n", ""},
		{"SpacesAndLineEnds", " \r\n\t\r\n", " \r\n\t\r\n", ""},
		{"RFC6376Section345", " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"},
		{"NoLineEnd", "a", "a\r\n", "a\r\n"},
		{"LF", "a\nb \n\n", "a\r\nb \r\n", "a\r\nb\r\n"},
		{"MixedLineEnds", "a\r\nb\nc\r\n", "a\r\nb\r\nc\r\n", "a\r\nb\r\nc\r\n"},
		{"LeadingSpaces", "  a\r\n", "  a\r\n", " a\r\n"},
		{"LineOfSpaces", "a\r\n  \r\nb\r\n", "a\r\n  \r\nb\r\n", "a\r\n\r\nb\r\n"},
		{"Tab", "a\tb\r\n", "a\tb\r\n", "a b\r\n"},
		{"LoneCR", "a\rb\r\n", "a\rb\r\n", "a\rb\r\n"},
		{"LoneCRAtEnd", "a\r", "a\r\r\n", "a\r\r\n"},
		{"LoneCRBeforeCRLF", "a\r\r\n", "a\r\r\n", "a\r\r\n"},
		{"LoneCRLine", "a\r\n\r\r\n", "a\r\n\r\r\n", "a\r\n\r\r\n"},
		{"SpaceBeforeLoneCR", "a \r b\r\n", "a \r b\r\n", "a \r b\r\n"},
		{"SpaceAfterLoneCR", "a\r \n", "a\r \r\n", "a\r\r\n"},
		{"VerticalTabIsContent", "a\v \fb\r\n", "a\v \fb\r\n", "a\v \fb\r\n"},
		{"NUL", "a\x00b", "a\x00b\r\n", "a\x00b\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.simple, canonBody([]byte(tc.body), Simple)); diff != "" {
				t.Errorf("simple: %s", diff)
			}
			if diff := cmp.Diff(tc.relaxed, canonBody([]byte(tc.body), Relaxed)); diff != "" {
				t.Errorf("relaxed: %s", diff)
			}
		})
	}
}

func TestCanonicalField(t *testing.T) {
	for _, tc := range []struct{ name, field, simple, relaxed string }{
		{"RFC6376Section345A", "A: X\r\n", "A: X\r\n", "a:X\r\n"},
		{"RFC6376Section345B", "B : Y\t\r\n\tZ  \r\n", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n"},
		{"TabBeforeColon", "B\t: Y\r\n", "B\t: Y\r\n", "b:Y\r\n"},
		{"Empty", "A:\r\n", "A:\r\n", "a:\r\n"},
		{"OnlySpaces", "A: \t \r\n", "A: \t \r\n", "a:\r\n"},
		{"FoldedAtOnce", "A:\r\n b\r\n", "A:\r\n b\r\n", "a:b\r\n"},
		{"FoldedBlankLine", "A: b\r\n \r\n c\r\n", "A: b\r\n \r\n c\r\n", "a:b c\r\n"},
		{"LF", "A: b\n c\n", "A: b\r\n c\r\n", "a:b c\r\n"},
		{"LoneCR", "A: b\rc\r\n", "A: b\rc\r\n", "a:b\rc\r\n"},
		{"LoneCRAndSpace", "A: b\r c\r\n", "A: b\r c\r\n", "a:b\r c\r\n"},
		{"UTF8", "A: ÄÖ  Ü\r\n", "A: ÄÖ  Ü\r\n", "a:ÄÖ Ü\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := eml.Parse([]byte(tc.field+"\r\nbody"), nil)
			f := m.Header().Fields()[0]
			if diff := cmp.Diff(tc.simple, string(AppendField(nil, m, f, Simple))); diff != "" {
				t.Errorf("simple: %s", diff)
			}
			if diff := cmp.Diff(tc.relaxed, string(AppendField(nil, m, f, Relaxed))); diff != "" {
				t.Errorf("relaxed: %s", diff)
			}
		})
	}
}

// TestStrayLine keeps a line end that is no folding, so that text which merely
// looks like a folded field cannot stand in for what was signed.
func TestStrayLine(t *testing.T) {
	if got := string(appendRelaxed(nil, "b \r\nstray\n\t c")); got != "b\r\nstray c" {
		t.Errorf("got %q", got)
	}
}

// bodyText draws bodies dense in what canonicalization is about.
func bodyText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{" ", "  ", "\t", "\r\n", "\r\n", "a", "word", ".", "\r\n\r\n", strings.Repeat("x", 1023), strings.Repeat("y z ", 300)}), 0, 40)
		return strings.Join(words.Draw(t, "words"), "")
	})
}

// TestCanonicalBodyTwice compares with the plain rendering of the rules in
// package dkimtest, with bodies longer than any buffer here.
func TestCanonicalBodyTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := bodyText().Draw(t, "body")
		for _, c := range []Canonicalization{Simple, Relaxed} {
			want := dkimtest.CanonBody(body, string(c))
			if got := canonBody([]byte(body), c); got != want {
				t.Fatalf("%s of %q\n got %q\nwant %q", c, body, got, want)
			}
			if got := canonBody([]byte(strings.ReplaceAll(body, "\r\n", "\n")), c); got != want {
				t.Fatalf("%s of %q with LF\n got %q\nwant %q", c, body, got, want)
			}
		}
	})
}

// TestBodyHashLengths takes hashes at many lengths in one reading.
func TestBodyHashLengths(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := bodyText().Draw(t, "body")
		c := rapid.SampledFrom([]Canonicalization{Simple, Relaxed}).Draw(t, "canon")
		canonical := canonBody([]byte(body), c)
		v := &Verifier{msg: eml.Parse([]byte("A: b\r\n\r\n"+body), nil)}
		for range rapid.IntRange(1, 6).Draw(t, "hashes") {
			v.body(&Signature{BodyCanon: c, BodyLength: rapid.Int64Range(-1, int64(len(canonical)+3)).Draw(t, "limit")})
		}
		if !v.hashBodies(c) {
			t.Fatal("no budget")
		}
		for _, b := range v.bodies {
			n := b.limit
			if n == whole {
				n = int64(len(canonical))
			}
			if b.total != int64(len(canonical)) || !b.done {
				t.Fatalf("limit %d: total %d, want %d", b.limit, b.total, len(canonical))
			}
			if b.short != (n > int64(len(canonical))) {
				t.Fatalf("limit %d of %d: short is %v", b.limit, len(canonical), b.short)
			}
			if !b.short && b.sum != sha256.Sum256([]byte(canonical[:n])) {
				t.Fatalf("limit %d of %q: wrong hash", b.limit, canonical)
			}
		}
	})
}

// FuzzCanonicalBody checks what holds for every body: a canonical body is its
// own canonical form, LF and CR LF are the same, and relaxed has no white space
// before a line end.
func FuzzCanonicalBody(f *testing.F) {
	f.Add([]byte("a  b \r\n\r\n"))
	f.Add([]byte("a\rb\n \r \r\n"))
	f.Add([]byte(" \t\r\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range []Canonicalization{Simple, Relaxed} {
			once := canonBody(body, c)
			if twice := canonBody([]byte(once), c); once != twice {
				t.Errorf("%s of %q: once %q, twice %q", c, body, once, twice)
			}
			if once != "" && !strings.HasSuffix(once, "\r\n") {
				t.Errorf("%s of %q: %q", c, body, once)
			}
			if n := strings.Count(once, "\n"); n != strings.Count(once, "\r\n") {
				t.Errorf("%s of %q: a bare LF in %q", c, body, once)
			}
			if !bytes.ContainsRune(body, '\r') {
				if crlf := canonBody(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), c); once != crlf {
					t.Errorf("%s of %q: %q with LF, %q with CR LF", c, body, once, crlf)
				}
			}
		}
		relaxed := canonBody(body, Relaxed)
		for _, bad := range []string{"  ", "\t", " \r\n"} {
			if strings.Contains(relaxed, bad) {
				t.Errorf("relaxed of %q has %q: %q", body, bad, relaxed)
			}
		}
	})
}

// FuzzCanonicalField checks that a relaxed field is its own relaxed form.
func FuzzCanonicalField(f *testing.F) {
	f.Add("a  b\r\n c ")
	f.Add("a\r\nb\n\t\rc")
	f.Add("\n\n")
	f.Add("0\n\n 0")
	f.Fuzz(func(t *testing.T, value string) {
		once := string(appendRelaxed(nil, value))
		if twice := string(appendRelaxed(nil, once)); once != twice {
			t.Errorf("%q: once %q, twice %q", value, once, twice)
		}
		if strings.Contains(once, "  ") || strings.ContainsRune(once, '\t') || strings.HasPrefix(once, " ") || strings.HasSuffix(once, " ") {
			t.Errorf("%q: %q", value, once)
		}
		if lines := appendLines(nil, value); bytes.Count(lines, []byte("\n")) != bytes.Count(lines, []byte("\r\n")) {
			t.Errorf("%q: %q", value, lines)
		}
	})
}
