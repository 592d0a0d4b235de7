package dmarc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

func TestParseRecord(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     string   // as String writes it
		warnings []string // code, tag, offset
	}{
		{"Plain", "v=DMARC1; p=none", "v=DMARC1; p=none", nil},
		{"NoSpaces", "v=DMARC1;p=reject;sp=quarantine;np=none", "v=DMARC1; p=reject; sp=quarantine; np=none", nil},
		{"TrailingSemicolons", "v=DMARC1; p=none;;; ;", "v=DMARC1; p=none", nil},
		{"DefaultsAreLeftOut", "v=DMARC1; p=none; adkim=r; aspf=r; psd=u; t=n; fo=0; ruf=mailto:a@b.example", "v=DMARC1; p=none; ruf=mailto:a@b.example", nil},
		{
			"AllTags", "v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=s; rua=mailto:a@b.example,mailto:c@d.example; ruf=mailto:e@f.example; fo=1:d:s; psd=n; t=y",
			"v=DMARC1; p=reject; sp=quarantine; np=reject; adkim=s; aspf=s; rua=mailto:a@b.example,mailto:c@d.example; ruf=mailto:e@f.example; fo=1:d:s; psd=n; t=y", nil,
		},
		{"AnyCase", "V=DMARC1; P=REJECT; ADKIM=S; FO=D:S; PSD=Y; T=Y; RUF=MAILTO:A@B.EXAMPLE", "v=DMARC1; p=reject; adkim=s; ruf=MAILTO:A@B.EXAMPLE; fo=d:s; psd=y; t=y", nil},
		{"SpaceInFront", "  v=DMARC1; p=none", "v=DMARC1; p=none", []string{"leading-space  0"}},
		{"OnlyVersion", "v=DMARC1", "v=DMARC1", []string{"no-policy p 8"}},
		{"OnlyVersionAndSemicolon", "v=DMARC1;", "v=DMARC1", []string{"no-policy p 9"}},
		{"NoPolicy", "v=DMARC1; rua=mailto:a@b.example", "v=DMARC1; rua=mailto:a@b.example", []string{"no-policy p 32"}},
		{"BadPolicy", "v=DMARC1; p=monitor; sp=reject", "v=DMARC1; p=; sp=reject", []string{"policy p 10"}},
		{"BadSubdomainPolicies", "v=DMARC1; p=none; np=x; sp=", "v=DMARC1; p=none; sp=; np=", []string{"policy np 18", "policy sp 24"}},
		{"Removed", "v=DMARC1; p=none; pct=50; rf=afrf; ri=3600", "v=DMARC1; p=none", []string{"removed-tag pct 18", "removed-tag rf 26", "removed-tag ri 35"}},
		{"Unknown", "v=DMARC1; p=none; bimi=1", "v=DMARC1; p=none", []string{"unknown-tag bimi 18"}},
		{"FirstOfTwoCounts", "v=DMARC1; p=none; p=reject; v=DMARC1", "v=DMARC1; p=none", []string{"duplicate p 18", "duplicate v 28"}},
		{"PolicyNotSecond", "v=DMARC1; sp=none; p=reject", "v=DMARC1; p=reject; sp=none", []string{"position p 19"}},
		{"NotATag", "v=DMARC1; p=none; fo:0; =x; r-a=1", "v=DMARC1; p=none", []string{"syntax  18", "syntax  24", "syntax  28"}},
		{"BadValues", "v=DMARC1; p=none; adkim=strict; aspf=; t=yes; psd=no", "v=DMARC1; p=none", []string{"value adkim 18", "value aspf 32", "value t 39", "value psd 46"}},
		{"FOWithoutRUF", "v=DMARC1; p=none; fo=1", "v=DMARC1; p=none; fo=1", []string{"unused-fo fo 22"}},
		{"FOPartlyBad", "v=DMARC1; p=none; ruf=mailto:a@b.example; fo=1:x:1", "v=DMARC1; p=none; ruf=mailto:a@b.example; fo=1", []string{"value fo 42"}},
		{"Size", "v=DMARC1; p=none; rua=mailto:a@b.example!10m", "v=DMARC1; p=none; rua=mailto:a@b.example!10m", []string{"size-limit rua 18"}},
		{"NoURI", "v=DMARC1; p=none; rua=a@b.example, mailto:c@d.example ,", "v=DMARC1; p=none; rua=mailto:c@d.example", []string{"uri rua 18", "uri rua 18"}},
		{"OtherScheme", "v=DMARC1; p=none; rua=https://b.example/x", "v=DMARC1; p=none; rua=https://b.example/x", []string{"scheme rua 18"}},
		{"FullWidth", "v=DMARC1; p=none; rua=mailto:a@b.example; ｔ=y", "v=DMARC1; p=none; rua=mailto:a@b.example", []string{"syntax  42"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, warnings, err := dmarc.ParseRecord(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, r.String()); diff != "" {
				t.Error(diff)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, fmt.Sprintf("%s %s %d", w.Code, w.Tag, w.Offset))
			}
			if diff := cmp.Diff(tc.warnings, got); diff != "" {
				t.Error(diff)
			}
			if r.Text != tc.in {
				t.Errorf("text %q", r.Text)
			}
		})
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, in := range []string{
		"", "v", "v=", "DMARC1", "v=dmarc1; p=none", "v=DMARC1 p=none", "v=DMARC1, p=none", "v=DMARC11; p=none",
		"v=DMARC2; p=none", "p=none; v=DMARC1", ";v=DMARC1; p=none", `"v=DMARC1; p=none"`, "v =\x00DMARC1; p=none",
	} {
		if _, _, err := dmarc.ParseRecord(in); !errors.Is(err, dmarc.ErrVersion) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, _, err := dmarc.ParseRecord("v=DMARC1;" + strings.Repeat(" ", 100_000)); !errors.Is(err, dmarc.ErrTooLong) {
		t.Errorf("a record of 100,000 bytes: %v", err)
	}
}

// TestParseRecordIsBounded reads the worst that fits into one record.
func TestParseRecordIsBounded(t *testing.T) {
	for name, in := range map[string]string{
		"Tags":       "v=DMARC1" + strings.Repeat(";a=b", 16_000),
		"Semicolons": "v=DMARC1" + strings.Repeat(";", 65_000),
		"URIs":       "v=DMARC1; p=none; rua=" + strings.Repeat("mailto:a@b.example,", 3_000),
		"BadURIs":    "v=DMARC1; p=none; rua=" + strings.Repeat(",", 65_000),
	} {
		r, warnings, err := dmarc.ParseRecord(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(warnings) > 50 || len(r.RUA) > 20 {
			t.Errorf("%s: %d warnings, %d URIs", name, len(warnings), len(r.RUA))
		}
	}
}

func TestApplicable(t *testing.T) {
	for _, tc := range []struct {
		in                    string
		defective, applicable bool
	}{
		{"v=DMARC1; p=none", false, true},
		{"v=DMARC1; p=none; sp=x", true, false},
		{"v=DMARC1; p=none; sp=x; rua=mailto:a@b.example", true, true},
		{"v=DMARC1; sp=none", true, false},
		{"v=DMARC1; ruf=mailto:a@b.example", true, false},
		{"v=DMARC1; p=x; rua=https://b.example/", true, true},
	} {
		r, _, err := dmarc.ParseRecord(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if r.Defective() != tc.defective || r.Applicable() != tc.applicable {
			t.Errorf("%s: defective %v, applicable %v", tc.in, r.Defective(), r.Applicable())
		}
	}
}

func TestParseURI(t *testing.T) {
	for _, tc := range []struct {
		in, want string // scheme, mail, host, size; empty: refused
	}{
		{"mailto:a@b.example", "mailto a@b.example b.example "},
		{"MailTo:A@B.Example", "mailto A@B.Example b.example "},
		{"mailto:a%2Bb@c.example", "mailto a+b@c.example c.example "},
		{"mailto:a%2Cb@c.example?subject=x", "mailto a,b@c.example c.example "},
		{"mailto:a@b.example!10", "mailto a@b.example b.example 10"},
		{"mailto:a@b.example!10M", "mailto a@b.example b.example 10M"},
		{"https://user@b.example:8443/x?y#z", "https  b.example "},
		{"https://192.0.2.1/", "https   "},
		{"urn:x", "urn   "},
		{"mailto:", ""},
		{"mailto:a", ""},
		{"mailto:@b.example", ""},
		{"mailto:a@", ""},
		{"mailto:a@[192.0.2.1]", ""},
		{"mailto:a@b..example", ""},
		{"mailto:a@b.example!", ""},
		{"mailto:a@b.example!m", ""},
		{"mailto:a@b.example!10mb", ""},
		{"mailto:a!b@c.example", ""},
		{"mailto:a%0d%0aBcc:x@b.example", ""},
		{"mailto:a%zz@b.example", ""},
		{"mailto:a%4", ""},
		{"mailto:a b@c.example", ""},
		{"mailto:あ@b.example", ""},
		{"a@b.example", ""},
		{"1x:y", ""},
		{"", ""},
	} {
		u, ok := dmarc.ParseURI(tc.in)
		got := ""
		if ok {
			got = strings.Join([]string{u.Scheme, u.Mail, string(u.Host), u.Size}, " ")
		}
		if got != tc.want {
			t.Errorf("%q: %q, want %q", tc.in, got, tc.want)
		}
	}
}

// TestWarningsSpeak checks that every warning says something in both languages
// and shows nothing that could break a line.
func TestWarningsSpeak(t *testing.T) {
	_, warnings, err := dmarc.ParseRecord(" v=DMARC1; zz=1\r\n\x1b[31m; pct=1; ri=2; p=x; p=y; sp; adkim=q; fo=1; rua=x,https://b.example,mailto:a@b.example!1" +
		strings.Repeat(",mailto:a@b.example", 20))
	if err != nil {
		t.Fatal(err)
	}
	_, more, err := dmarc.ParseRecord("v=DMARC1")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[dmarc.WarningCode]bool{}
	for _, w := range append(warnings, more...) {
		seen[w.Code] = true
		checkSpeech(t, string(w.Code), w.Message())
	}
	if len(seen) != 14 {
		t.Errorf("%d kinds of warnings: %v", len(seen), seen)
	}
}

func checkSpeech(t *testing.T, what string, m lang.Message) {
	t.Helper()
	for _, s := range []string{lang.Default().Say(lang.EN, m), lang.Default().Say(lang.JA, m)} {
		if s == "" || s[0] == '[' || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
			t.Errorf("%s says %q", what, s)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=r; rua=mailto:a@b.example!10m,https://c.example/; ruf=mailto:d%2C@e.example; fo=1:d; psd=y; t=y",
		"v=DMARC1;p=;sp=;np=;", " v = DMARC1 ; P = None", "v=DMARC1; pct=100; ri; =; p=none; p=none", "v=DMARC1; rua=,;ruf=,,", "v=dmarc1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, warnings, err := dmarc.ParseRecord(s)
		if err != nil {
			return
		}
		for _, w := range warnings {
			if w.Offset < 0 || w.Offset > len(s) {
				t.Errorf("offset %d of %d", w.Offset, len(s))
			}
			checkSpeech(t, string(w.Code), w.Message())
		}
		again, _, err := dmarc.ParseRecord(r.String())
		if err != nil {
			t.Fatalf("%q does not read: %v", r.String(), err)
		}
		again.Text = r.Text
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("%q: %s", r.String(), diff)
		}
	})
}
