package spf_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/spf"
)

func TestParseRecord(t *testing.T) {
	for _, tc := range []struct{ name, record, want string }{
		{"Empty", "v=spf1", "v=spf1"},
		{"Spaces", "v=spf1   a    -all  ", "v=spf1 a -all"},
		{"Case", "V=SPF1 Include:Kiso.Example -ALL", "v=spf1 include:Kiso.Example -all"},
		{"Qualifiers", "v=spf1 +a ?mx ~ptr -all", "v=spf1 a ?mx ~ptr -all"},
		{"Networks", "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1/32 ip4:0.0.0.0/0 ip6:2001:DB8::/32 ip6:2001:db8::1/128", "v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.1 ip4:0.0.0.0/0 ip6:2001:db8::/32 ip6:2001:db8::1"},
		{"DualCIDR", "v=spf1 a/24 a//64 a/24//64 mx:kiso.example/24//64 mx/32//128", "v=spf1 a/24 a//64 a/24//64 mx:kiso.example/24//64 mx"},
		{"SlashesInDomain", "v=spf1 a:foo:bar/baz.kiso.example/24", "v=spf1 a:foo:bar/baz.kiso.example/24"},
		{"TrailingDot", "v=spf1 a:kiso.example.", "v=spf1 a:kiso.example."},
		{"MacroEnd", "v=spf1 exists:%{ir}.%{v}.x.%{d2} a:%{d}/24 include:%{h}%%", "v=spf1 exists:%{ir}.%{v}.x.%{d2} a:%{d}/24 include:%{h}%%"},
		{"Modifiers", "v=spf1 Redirect=kiso.example EXP=e.kiso.example", "v=spf1 redirect=kiso.example exp=e.kiso.example"},
		{"UnknownModifiers", "v=spf1 X-y_z.1=a/b:c empty= include=kiso.example", "v=spf1 x-y_z.1=a/b:c empty= include=kiso.example"},
		{"Hyphens", "v=spf1 a:x.xn--zckzah a:x.a-b", "v=spf1 a:x.xn--zckzah a:x.a-b"},
		{"EmptyLabels", "v=spf1 a:mail.kiso...example", "v=spf1 a:mail.kiso...example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := spf.ParseRecord(tc.record)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, r.String()); diff != "" {
				t.Error(diff)
			}
			for _, term := range r.Terms {
				if got := tc.record[term.Offset : term.Offset+len(term.Text)]; got != term.Text {
					t.Errorf("the record has %q where the term %q says to be", got, term.Text)
				}
			}
		})
	}
}

func TestParseRecordErrors(t *testing.T) {
	for _, tc := range []struct {
		name, record string
		code         spf.Code
		at           string // what stands at the offset
		en           string
	}{
		{"Version", "v=spf2 a", spf.CodeVersion, "v=spf2 a", `It begins with "v=spf2 a", not with "v=spf1" and a space.`},
		{"VersionTab", "v=spf1\ta", spf.CodeVersion, "v=spf1", `It begins with "v=spf1\009a", not with "v=spf1" and a space.`},
		{"Long", "v=spf1 " + strings.Repeat("a ", 50_000), spf.CodeTooLong, "v=spf1", "The record is longer than DNS can carry."},
		{"FullWidth", "v=spf1 ip4:192.0.2.1\u3000-all", spf.CodeCharacter, "\u3000", `"ip4:192.0.2.1\227\128\128-all" holds a character that is not visible ASCII.`},
		{"Control", "v=spf1 a\r\x00", spf.CodeCharacter, "\r", `"a\013\000" holds a character that is not visible ASCII.`},
		{"ControlInTarget", "v=spf1 x=\r", spf.CodeCharacter, "\r", `"x=\013" holds a character that is not visible ASCII.`},
		{"Mechanism", "v=spf1 -al", spf.CodeMechanism, "al", `SPF has nothing called "al".`},
		{"BareAddress", "v=spf1 192.0.2.1", spf.CodeMechanism, "192.0.2.1", `SPF has nothing called "192.0.2.1".`},
		{"AllDot", "v=spf1 -all.", spf.CodeMechanism, "all.", `SPF has nothing called "all.".`},
		{"RedirectColon", "v=spf1 redirect:kiso.example", spf.CodeEquals, "redirect:", `"redirect" is followed by "=", not by ":".`},
		{"NoModifierName", "v=spf1 =all", spf.CodeModifierName, "=all", `A name is missing before "=" in "=all".`},
		{"DigitFirst", "v=spf1 1up=x", spf.CodeMechanism, "1up=x", `SPF has nothing called "1up=x".`},
		{"QualifiedModifier", "v=spf1 -exp=e.kiso.example", spf.CodeQualifier, "-exp", `"exp=" cannot have a sign before it.`},
		{"Twice", "v=spf1 redirect=kiso.example redirect=sato.example", spf.CodeDuplicate, "redirect=sato", `"redirect=" stands there twice.`},
		{"AllArgument", "v=spf1 all:kiso.example", spf.CodeArgument, ":kiso", `"all" is followed by something that it cannot take.`},
		{"AllCIDR", "v=spf1 all/8", spf.CodeArgument, "/8", `"all" is followed by something that it cannot take.`},
		{"PTRCIDR", "v=spf1 ptr/0", spf.CodeArgument, "/0", `"ptr" is followed by something that it cannot take.`},
		{"IncludeBare", "v=spf1 include", spf.CodeNoDomain, "", `"include" needs a domain.`},
		{"IncludeEmpty", "v=spf1 include: -all", spf.CodeNoDomain, " -all", `"include" needs a domain.`},
		{"AEmpty", "v=spf1 a:/24", spf.CodeNoDomain, "/24", `"a" needs a domain.`},
		{"ExpEmpty", "v=spf1 exp= -all", spf.CodeNoDomain, " -all", `"exp" needs a domain.`},
		{"TopLabelOnly", "v=spf1 a:museum", spf.CodeDomain, "museum", `"a:museum" does not end in a full domain name.`},
		{"TopLabelDash", "v=spf1 a:kiso.-example", spf.CodeDomain, "kiso", `"a:kiso.-example" does not end in a full domain name.`},
		{"TopLabelNumber", "v=spf1 a:kiso.123", spf.CodeDomain, "kiso", `"a:kiso.123" does not end in a full domain name.`},
		{"Port", "v=spf1 a:kiso.example:25", spf.CodeDomain, "kiso", `"a:kiso.example:25" does not end in a full domain name.`},
		{"IncludeCIDR", "v=spf1 include:kiso.example/24", spf.CodeDomain, "kiso", `"include:kiso.example/24" does not end in a full domain name.`},
		{"AfterMacro", "v=spf1 a:%{d}x", spf.CodeDomain, "x", `"a:%{d}x" does not end in a full domain name.`},
		{"AddressAsDomain", "v=spf1 a:192.0.2.1", spf.CodeAddress, "192.0.2.1", "192.0.2.1 is an IP address where a domain belongs; write ip4:192.0.2.1."},
		{"IP4Bare", "v=spf1 ip4", spf.CodeNoAddress, "", `"ip4" needs an address after a colon.`},
		{"IP4Empty", "v=spf1 ip4: -all", spf.CodeNoAddress, " -all", `"ip4" needs an address after a colon.`},
		{"IP4Short", "v=spf1 ip4:192.0.2", spf.CodeNetwork, "192.0.2", `"192.0.2" in "ip4:192.0.2" is not an address of that kind.`},
		{"IP4Port", "v=spf1 ip4:192.0.2.1:25", spf.CodeNetwork, "192.0.2.1", `"192.0.2.1:25" in "ip4:192.0.2.1:25" is not an address of that kind.`},
		{"IP4LeadingZero", "v=spf1 ip4:192.0.2.01", spf.CodeNetwork, "192", `"192.0.2.01" in "ip4:192.0.2.01" is not an address of that kind.`},
		{"IP4WithIP6", "v=spf1 ip4:2001:db8::1", spf.CodeNetwork, "2001", `"2001:db8::1" in "ip4:2001:db8::1" is not an address of that kind.`},
		{"IP6WithIP4", "v=spf1 ip6:192.0.2.1", spf.CodeNetwork, "192", `"192.0.2.1" in "ip6:192.0.2.1" is not an address of that kind.`},
		{"IP6Zone", "v=spf1 ip6:fe80::1%eth0", spf.CodeNetwork, "fe80", `"fe80::1%eth0" in "ip6:fe80::1%eth0" is not an address of that kind.`},
		{"CIDR33", "v=spf1 ip4:192.0.2.1/33", spf.CodeCIDR, "/33", `"/33" in "ip4:192.0.2.1/33" is not a valid prefix length.`},
		{"CIDRLeadingZero", "v=spf1 ip4:192.0.2.1/032", spf.CodeCIDR, "/032", `"/032" in "ip4:192.0.2.1/032" is not a valid prefix length.`},
		{"CIDREmpty", "v=spf1 ip4:192.0.2.1/", spf.CodeCIDR, "/", `"/" in "ip4:192.0.2.1/" is not a valid prefix length.`},
		{"CIDR6", "v=spf1 mx//129", spf.CodeCIDR, "//129", `"//129" in "mx//129" is not a valid prefix length.`},
		{"CIDRSlash", "v=spf1 a/", spf.CodeCIDR, "/", `"/" in "a/" is not a valid prefix length.`},
		{"CIDRTwice", "v=spf1 a/24/64", spf.CodeCIDR, "/64", `"/64" in "a/24/64" is not a valid prefix length.`},
		{"CIDRGarbage", "v=spf1 a24", spf.CodeMechanism, "a24", `SPF has nothing called "a24".`},
		{"Percent", "v=spf1 exists:%(ir).kiso.example", spf.CodeMacro, "%(ir)", `"%(ir).kiso.example" is not a macro; a percent sign is written "%%".`},
		{"PercentAtEnd", "v=spf1 x=%", spf.CodeMacro, "%", `"%" is not a macro; a percent sign is written "%%".`},
		{"Letter", "v=spf1 a:%{a}.kiso.example", spf.CodeMacro, "%{a}", `"%{a}.kiso.example" is not a macro; a percent sign is written "%%".`},
		{"ZeroParts", "v=spf1 a:%{d0}", spf.CodeMacro, "%{d0}", `"%{d0}" is not a macro; a percent sign is written "%%".`},
		{"ExpLetter", "v=spf1 exp=%{r}.kiso.example", spf.CodeMacroLetter, "%{r}", `The macro "%{r}" is allowed in explanations only.`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := spf.ParseRecord(tc.record)
			errs, ok := errors.AsType[spf.SyntaxErrors](err)
			if !ok {
				t.Fatalf("error is %v", err)
			}
			e := errs[0]
			if e.Code != tc.code {
				t.Errorf("code %s, want %s", e.Code, tc.code)
			}
			if !strings.HasPrefix(tc.record[e.Offset:], tc.at) || tc.at == "" && e.Offset != len(tc.record) {
				t.Errorf("the offset %d is at %q, want %q", e.Offset, tc.record[e.Offset:], tc.at)
			}
			text := lang.Default().Render(e.Message())
			if diff := cmp.Diff(tc.en, text.EN); diff != "" {
				t.Error(diff)
			}
			if text.JA == "" || strings.ContainsAny(text.JA, "{}[]") && !strings.ContainsAny(tc.record, "{}[]") {
				t.Errorf("Japanese: %q", text.JA)
			}
		})
	}
}

// TestParseRecordReportsAll: the owner of a record wants to mend it once.
func TestParseRecordReportsAll(t *testing.T) {
	r, err := spf.ParseRecord("v=spf1 a:museum ip4:192.0.2.0/24 foo ip4:x -all")
	errs, _ := errors.AsType[spf.SyntaxErrors](err)
	var got []string
	for _, e := range errs {
		got = append(got, e.Term)
	}
	if diff := cmp.Diff([]string{"a:museum", "foo", "ip4:x"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("v=spf1 ip4:192.0.2.0/24 -all", r.String()); diff != "" {
		t.Error(diff)
	}
	_, err = spf.ParseRecord("v=spf1" + strings.Repeat(" foo", 1000))
	if errs, _ = errors.AsType[spf.SyntaxErrors](err); len(errs) != 20 {
		t.Errorf("%d errors", len(errs))
	}
	if diff := cmp.Diff(`spf: mechanism at byte 7: "foo" (and 19 more)`, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestIsRecord(t *testing.T) {
	for _, tc := range []struct {
		name, txt string
		want      bool
	}{
		{"Bare", "v=spf1", true}, {"Space", "v=spf1 ", true}, {"Case", "V=sPf1 -all", true},
		{"Ten", "v=spf10", false}, {"Tab", "v=spf1\t-all", false}, {"LeadingSpace", " v=spf1 -all", false}, {"Empty", "", false}, {"Short", "v=spf", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := spf.IsRecord(tc.txt); got != tc.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTermCounts(t *testing.T) {
	r, err := spf.ParseRecord("v=spf1 all include:a.example a mx ptr ip4:192.0.2.1 ip6:2001:db8::1 exists:a.example redirect=a.example exp=a.example x=y")
	if err != nil {
		t.Fatal(err)
	}
	var counts, modifiers []string
	for _, term := range r.Terms {
		if term.Counts() {
			counts = append(counts, term.Name)
		}
		if term.Modifier() {
			modifiers = append(modifiers, term.Name)
		}
	}
	if diff := cmp.Diff([]string{"include", "a", "mx", "ptr", "exists", "redirect"}, counts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"redirect", "exp", "x"}, modifiers); diff != "" {
		t.Error(diff)
	}
	if _, ok := r.Find(spf.KindRedirect); !ok {
		t.Error("redirect is not found")
	}
	if _, ok := (&spf.Record{}).Find(spf.KindAll); ok {
		t.Error("all is found in an empty record")
	}
}

func TestMacroStatic(t *testing.T) {
	for _, tc := range []struct {
		name, record, want string
		static             bool
	}{
		{"Plain", "v=spf1 include:kiso.example", "kiso.example", true},
		{"Escapes", "v=spf1 exists:a%%b%_c%-.kiso.example", "a%b c%20.kiso.example", true},
		{"Macro", "v=spf1 include:%{d}.kiso.example", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := spf.ParseRecord(tc.record)
			if err != nil {
				t.Fatal(err)
			}
			got, static := r.Terms[0].Target.Static()
			if got != tc.want || static != tc.static {
				t.Errorf("got %q %v", got, static)
			}
		})
	}
}

// FuzzParseRecord: a record that parses is written as one that parses the same,
// positions lie inside the record, and every message has words.
func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{
		"v=spf1", "v=spf1 a mx ptr -all", "v=spf1 a:foo:bar/baz.kiso.example/24//64 ?all", "v=spf1 exists:%{l1r-+}.%{d2} redirect=%{o}",
		"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 exp=%{i}.e.example x=%%%_%-", "v=spf1 a/24/64 =x 1=2 -exp=a.b %", "V=SPF1 ip6:::ffff:192.0.2.1/96", "v=spf1 \x00\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := spf.ParseRecord(s)
		for _, term := range r.Terms {
			if s[term.Offset:term.Offset+len(term.Text)] != term.Text {
				t.Fatalf("%q is not at %d", term.Text, term.Offset)
			}
		}
		if err != nil {
			errs, ok := errors.AsType[spf.SyntaxErrors](err)
			if !ok || len(errs) == 0 || len(errs) > 20 {
				t.Fatalf("error is %T of %d", err, len(errs))
			}
			for _, e := range errs {
				if e.Offset < 0 || e.Offset > len(s) {
					t.Fatalf("offset %d of %d", e.Offset, len(s))
				}
				if text := lang.Default().Say(lang.EN, e.Message()); text == "" || text[0] == '[' {
					t.Fatalf("no words for %+v", e)
				}
			}
			return
		}
		written := r.String()
		again, err := spf.ParseRecord(written)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", s, written, err)
		}
		if diff := cmp.Diff(written, again.String()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestParseRecordIsLinear: each of these is the longest record that is read.
func TestParseRecordIsLinear(t *testing.T) {
	for _, tc := range []struct{ name, unit string }{
		{"Terms", "a "}, {"Slashes", "/1"}, {"Digits", "1"}, {"Macros", "%{d}"}, {"Percent", "%"}, {"OpenMacro", "%{d1"}, {"Delimiters", "%{d-------"}, {"Spaces", " "}, {"Dots", "."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := "v=spf1 a:" + strings.Repeat(tc.unit, 65_000/len(tc.unit))
			began := time.Now()
			_, _ = spf.ParseRecord(s)
			if took := time.Since(began); took > 2*time.Second && !testing.Short() {
				t.Errorf("took %v", took)
			}
		})
	}
}
