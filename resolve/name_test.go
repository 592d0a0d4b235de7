package resolve_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/resolve"
)

func TestNormalize(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	name253 := strings.Repeat(label63+".", 3) + strings.Repeat("b", 61)
	for _, tc := range []struct{ name, in, want string }{
		{"Normal", "mail.kiso.example", "mail.kiso.example"},
		{"Case", "MAIL.Kiso.Example", "mail.kiso.example"},
		{"TrailingDot", "kiso.example.", "kiso.example"},
		{"Root", ".", "."},
		{"OneLabel", "localhost", "localhost"},
		{"Underscore", "_dmarc.kiso.example", "_dmarc.kiso.example"},
		{"Wildcard", "*.kiso.example", "*.kiso.example"},
		{"Punctuation", `foo:bar/baz"%.example`, `foo:bar/baz"%.example`},
		{"EscapedDot", `a\.b.example`, `a\.b.example`},
		{"EscapedBackslash", `a\\.b.example`, `a\\.b.example`},
		{"NeedlessEscape", `\k\;\049.example`, `k;1.example`},
		{"EscapedUpper", `\065.example`, `a.example`},
		{"Space", "a b.example", `a\032b.example`},
		{"Control", "a\x00b.example", `a\000b.example`},
		{"Octets", "\xe3\x81\x82.example", `\227\129\130.example`},
		{"LongestLabel", label63 + ".example", label63 + ".example"},
		{"LongestName", name253, name253},
		{"LongestNameDot", name253 + ".", name253},
		{"LongestEscaped", strings.Repeat(`\001`, 63) + ".example", strings.Repeat(`\001`, 63) + ".example"},
		{"Empty", "", ""},
		{"EmptyLabel", "a..example", ""},
		{"LeadingDot", ".example", ""},
		{"TwoDots", "example..", ""},
		{"LabelTooLong", label63 + "a.example", ""},
		{"EscapedLabelTooLong", strings.Repeat(`\001`, 64) + ".example", ""},
		{"NameTooLong", name253 + "b", ""},
		{"BackslashAtEnd", `a\`, ""},
		{"ShortEscape", `a\12`, ""},
		{"BigEscape", `a\256.example`, ""},
		{"Endless", strings.Repeat("a.", 100_000), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := resolve.Normalize(tc.in)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if ok != (tc.want != "") {
				t.Errorf("ok is %v", ok)
			}
		})
	}
}

func TestParent(t *testing.T) {
	for _, tc := range []struct {
		name, in, want string
		ok             bool
	}{
		{"Name", "a.kiso.example", "kiso.example", true},
		{"TopLevel", "example", ".", true},
		{"Root", ".", "", false},
		{"EscapedDot", `a\.b.example`, "example", true},
		{"EscapedBackslash", `a\\.example`, "example", true},
		{"OnlyEscapedDot", `a\.b`, ".", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := resolve.Parent(tc.in)
			if got != tc.want || ok != tc.ok {
				t.Errorf("got %q %v, want %q %v", got, ok, tc.want, tc.ok)
			}
		})
	}
}

func TestReverse(t *testing.T) {
	for _, tc := range []struct {
		name string
		ip   netip.Addr
		want string
	}{
		{"IPv4", netip.MustParseAddr("192.0.2.10"), "10.2.0.192.in-addr.arpa"},
		{"IPv6", netip.MustParseAddr("2001:db8::1"), "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"},
		{"Mapped", netip.MustParseAddr("::ffff:192.0.2.10"), "10.2.0.192.in-addr.arpa"},
		{"Invalid", netip.Addr{}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, resolve.Reverse(tc.ip)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzNormalize: what comes out stays as it is, is short enough, and leads to
// the root label by label.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", ".", "A.Kiso.example.", `a\.b\\.\255x.example`, "a..b", "\x00. .\xff", `\`, `\25`, `a\256`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := resolve.Normalize(s)
		if !ok {
			if n != "" {
				t.Fatalf("%q is refused and yet %q", s, n)
			}
			return
		}
		if again, ok := resolve.Normalize(n); !ok || again != n {
			t.Fatalf("%q becomes %q becomes %q", s, n, again)
		}
		if len(n) > 4*253 {
			t.Fatalf("%d bytes", len(n))
		}
		labels := 0
		for up, ok := n, true; ok; up, ok = resolve.Parent(up) {
			if labels++; labels > 128 {
				t.Fatalf("%q has no end", n)
			}
		}
		if back, ok := resolve.Normalize(strings.TrimSuffix(resolve.FileName(n), ".") + "."); n != resolve.Root && (!ok || back != n) {
			t.Fatalf("%q written as %q reads as %q", n, resolve.FileName(n), back)
		}
	})
}
