package spf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// values are those of the example of RFC 7208 section 7.4.
func values(letter byte) string {
	return map[byte]string{
		's': "strong-bad@email.kiso.example", 'l': "strong-bad", 'o': "email.kiso.example", 'd': "email.kiso.example",
		'i': "192.0.2.3", 'v': "in-addr", 'h': "mail.kiso.example", 'p': "mx.kiso.example", 'c': "192.0.2.3", 'r': "rx.sato.example", 't': "1",
	}[letter]
}

func TestExpand(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"Sender", "%{s}", "strong-bad@email.kiso.example"},
		{"SenderDomain", "%{o}", "email.kiso.example"},
		{"Domain", "%{d}", "email.kiso.example"},
		{"RightFour", "%{d4}", "email.kiso.example"},
		{"RightThree", "%{d3}", "email.kiso.example"},
		{"RightTwo", "%{d2}", "kiso.example"},
		{"RightOne", "%{d1}", "example"},
		{"Reversed", "%{dr}", "example.kiso.email"},
		{"ReversedRightTwo", "%{d2r}", "kiso.email"},
		{"Local", "%{l}", "strong-bad"},
		{"LocalDash", "%{l-}", "strong.bad"},
		{"LocalReversed", "%{lr}", "strong-bad"},
		{"LocalReversedDash", "%{lr-}", "bad.strong"},
		{"LocalRightOneDash", "%{l1r-}", "strong"},
		{"ReverseAddress", "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.kiso.example"},
		{"Mixed", "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.kiso.example"},
		{"MixedTwice", "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.kiso.example"},
		{"UpperR", "%{dR}", "example.kiso.email"},
		{"DelimiterAt", "%{sr.-}", "example.kiso.bad@email.strong"},
		{"Escaped", "%{S}", "strong-bad%40email.kiso.example"},
		{"ManyDigits", "%{d99999999999999999999}", "email.kiso.example"},
		{"Literals", "a%%b%_c%-d", "a%b c%20d"},
		{"Plain", "kiso.example", "kiso.example"},
		{"Nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := parseMacro(tc.in, inModifier)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := m.expand(values)
			if !ok {
				t.Error("too long")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEscapeURL(t *testing.T) {
	if diff := cmp.Diff("a%00%20%25~b%C3%A9-._~Z9", escapeURL("a\x00 %~bé-._~Z9")); diff != "" {
		t.Error(diff)
	}
}

func TestExpandIsBounded(t *testing.T) {
	long := func(byte) string { return strings.Repeat("a.", 2000) }
	for _, tc := range []struct {
		name, in string
		ok       bool
	}{
		{"Fits", "%{d}%{d}%{d}", true},
		{"TooLong", strings.Repeat("%{d}", 10), false},
		{"MuchWorkShortResult", strings.Repeat("%{d1}", 10_000), false},
		{"LongLiteral", strings.Repeat("%%", maxExpansion+1), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := parseMacro(tc.in, inModifier)
			if err != nil {
				t.Fatal(err)
			}
			s, ok := m.expand(long)
			if ok != tc.ok || len(s) > maxExpansion {
				t.Errorf("ok is %v, %d bytes", ok, len(s))
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	label := strings.Repeat("x", 59) + "."
	for _, tc := range []struct{ name, in, want string }{
		{"Short", "a.example", "a.example"},
		{"Exact", strings.Repeat("a", 245) + ".example", strings.Repeat("a", 245) + ".example"},
		{"OneOver", "b." + strings.Repeat("a", 244) + ".example", strings.Repeat("a", 244) + ".example"},
		{"Labels", strings.Repeat(label, 10) + "example", strings.Repeat(label, 4) + "example"},
		{"NoDot", strings.Repeat("a", 300), strings.Repeat("a", 300)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, truncate(tc.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzMacro: what parses in a domain parses in an explanation, expands without
// a "%" that was not there, and stays within its bound.
func FuzzMacro(f *testing.F) {
	for _, s := range []string{"%{s}.%{l1r-}.%{D2}", "%%%_%-", "%{ir}.%{v}._spf.%{d2}", "a.example.", "%{d2r.-+,/_=}", "%", "%{", "%{d", "%{d-", "x%{h}"} {
		f.Add(s, "a-b.c@d.example")
	}
	f.Fuzz(func(t *testing.T, s, value string) {
		m, err := parseMacro(s, inDomain)
		if err != nil {
			if err.Offset < 0 || err.Offset > len(s) {
				t.Fatalf("offset %d of %d", err.Offset, len(s))
			}
			return
		}
		e, err := parseMacro(s, inExplanation)
		if err != nil {
			t.Fatalf("%q is no explanation: %v", s, err)
		}
		got, ok := m.expand(func(byte) string { return value })
		also, alsoOK := e.expand(func(byte) string { return value })
		if got != also || ok != alsoOK {
			t.Fatalf("%q and %q", got, also)
		}
		if len(got) > maxExpansion && m.parts != nil {
			t.Fatalf("%d bytes", len(got))
		}
		if static, isStatic := m.Static(); isStatic && ok && static != got {
			t.Fatalf("%q is %q and static %q", s, got, static)
		}
		if m.String() != s {
			t.Fatalf("%q is written as %q", s, m)
		}
	})
}
