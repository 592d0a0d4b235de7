package domain_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
)

func TestParse(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	for _, c := range []struct {
		name, in string
		want     domain.Name
		err      error
	}{
		{"Plain", "kiso-works.example", "kiso-works.example", nil},
		{"UpperCase", "Kiso-Works.EXAMPLE", "kiso-works.example", nil},
		{"TrailingDot", "kiso-works.example.", "kiso-works.example", nil},
		{"SingleLabel", "localhost", "localhost", nil},
		{"Underscores", "_dmarc.kiso_works.example", "_dmarc.kiso_works.example", nil},
		{"HyphensAtEnds", "-kiso-.example", "-kiso-.example", nil},
		{"HyphensInThirdPlace", "r3---kiso.example", "r3---kiso.example", nil},
		{"ULabel", "日本.example", "xn--wgv71a.example", nil},
		{"ALabelUpperCase", "XN--WGV71A.example", "xn--wgv71a.example", nil},
		{"ULabelWithUnderscore", "_kiso日本.example", "xn--_kiso-6e1k07e.example", nil},
		{"FullWidth", "ｋｉｓｏ。ｅｘａｍｐｌｅ．", "kiso.example", nil},
		{"SharpSIsKept", "straße.example", "xn--strae-oqa.example", nil},
		{"SoftHyphenIsDropped", "ki\u00adso.example", "kiso.example", nil},
		{"FakeALabel", "xn--a.example", "xn--a.example", nil},
		{"LongestLabel", label63 + ".example", domain.Name(label63 + ".example"), nil},
		{"LongestName", strings.Repeat(label63+".", 3) + strings.Repeat("a", 61), domain.Name(strings.Repeat(label63+".", 3) + strings.Repeat("a", 61)), nil},

		{"LabelTooLong", label63 + "a.example", "", domain.ErrLength},
		{"NameTooLong", strings.Repeat(label63+".", 3) + strings.Repeat("a", 62), "", domain.ErrLength},
		{"ULabelTooLong", strings.Repeat("日本", 30) + ".example", "", domain.ErrLength},
		{"Endless", strings.Repeat("a.", 1<<20), "", domain.ErrLength},
		{"Empty", "", "", domain.ErrSyntax},
		{"Root", ".", "", domain.ErrSyntax},
		{"EmptyLabel", "kiso..example", "", domain.ErrSyntax},
		{"LeadingDot", ".example", "", domain.ErrSyntax},
		{"TwoTrailingDots", "example..", "", domain.ErrSyntax},
		{"OnlySoftHyphen", "\u00ad.example", "", domain.ErrSyntax},
		{"Space", "kiso works.example", "", domain.ErrSyntax},
		{"SpaceBesideULabel", "日 本.example", "", domain.ErrSyntax},
		{"Address", "sato@kiso.example", "", domain.ErrSyntax},
		{"Port", "kiso.example:443", "", domain.ErrSyntax},
		{"Percent", "kiso%2eexample", "", domain.ErrSyntax},
		{"DotsInsideACharacter", "kiso…example", "", domain.ErrSyntax},
		{"BidiControl", "kiso\u202e.example", "", domain.ErrSyntax},
		{"InvalidUTF8", "kiso\xff.example", "", domain.ErrSyntax},
		{"ReplacementCharacter", "kiso\ufffd.example", "", domain.ErrSyntax},
		{"NUL", "kiso\x00.example", "", domain.ErrSyntax},

		{"IPv4", "192.0.2.1", "", domain.ErrIP},
		{"IPv4FullWidth", "１９２．0．2．1", "", domain.ErrIP},
		{"IPv4Number", "3221225985", "", domain.ErrIP},
		{"IPv4Hexadecimal", "0xC0.0x00.0x02.0x01", "", domain.ErrIP},
		{"EndsInNumber", "kiso.1", "", domain.ErrIP},
		{"IPv6", "2001:db8::1", "", domain.ErrIP},
		{"IPv6Bracket", "[2001:db8::1]", "", domain.ErrIP},
		{"AddressLiteral", "[IPv6:2001:db8::1]", "", domain.ErrIP},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := domain.Parse(c.in)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("Parse = %q, %v, want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

func TestUnicode(t *testing.T) {
	for _, c := range []struct {
		name string
		in   domain.Name
		want string
	}{
		{"Plain", "kiso-works.example", "kiso-works.example"},
		{"ALabel", "mail.xn--wgv71a.example", "mail.日本.example"},
		{"DoesNotDecode", "xn--zz--zz.example", "xn--zz--zz.example"},
		{"DecodesToASCII", "xn--microsoft-.example", "xn--microsoft-.example"},
		{"DecodesToBidiControl", "xn--zvg975y.example", "xn--zvg975y.example"},
		{"NotInFirstPlace", "axn--wgv71a.example", "axn--wgv71a.example"},
		{"None", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.in.Unicode(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLabelsAndParent(t *testing.T) {
	n := domain.Name("a.b.example")
	if d := cmp.Diff([]string{"a", "b", "example"}, n.Labels()); d != "" {
		t.Error(d)
	}
	var up []domain.Name
	for ; n != ""; n = n.Parent() {
		up = append(up, n)
	}
	if d := cmp.Diff([]domain.Name{"a.b.example", "b.example", "example"}, up); d != "" {
		t.Error(d)
	}
	if got := domain.Name("").Labels(); got != nil {
		t.Errorf("no name has labels: %q", got)
	}
}

func TestIsSubdomainOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		n, par domain.Name
		want   bool
	}{
		{"Below", "mail.kiso.example", "kiso.example", true},
		{"FarBelow", "a.b.c.example", "example", true},
		{"Same", "kiso.example", "kiso.example", true},
		{"Above", "example", "kiso.example", false},
		{"NotAtALabel", "xkiso.example", "kiso.example", false},
		{"Beside", "kiso.test", "kiso.example", false},
		{"OfNone", "kiso.example", "", false},
		{"None", "", "example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.n.IsSubdomainOf(c.par); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"kiso-works.example", "日本.example", "xn--wgv71a.example", "192.0.2.1", "[::1]", "a..b", "_x.example.", "xn--microsoft-.example", "\u202e.example", "ﷺ.example"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := domain.Parse(s)
		if err != nil {
			if n != "" {
				t.Fatalf("an error and a name: %q, %v", n, err)
			}
			return
		}
		if len(n) > 253 || strings.ToLower(string(n)) != string(n) {
			t.Fatalf("not a name: %q", n)
		}
		if _, err := netip.ParseAddr(string(n)); err == nil {
			t.Fatalf("an address: %q", n)
		}
		if again, err := domain.Parse(string(n)); again != n || err != nil {
			t.Fatalf("%q reads as %q, %v", n, again, err)
		}
		// What people see leads to the same host.
		if back, err := domain.Parse(n.Unicode()); back != n || err != nil {
			t.Fatalf("%q shows as %q, which reads as %q, %v", n, n.Unicode(), back, err)
		}
		if !n.IsSubdomainOf(domain.Organizational(n)) || !n.IsSubdomainOf(domain.PublicSuffix(n)) {
			t.Fatalf("%q is not in %q or %q", n, domain.Organizational(n), domain.PublicSuffix(n))
		}
		if _, ok := domain.Lookalike(n, n); ok {
			t.Fatalf("%q imitates itself", n)
		}
	})
}
