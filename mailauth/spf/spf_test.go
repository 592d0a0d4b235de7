package spf_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

var update = flag.Bool("update", false, "rewrite golden files")

const records = `
$TTL 300
$ORIGIN example.
kiso        TXT "v=spf1 mx a:web.kiso.example ip4:203.0.113.0/24 ip6:2001:db8:1::/48 include:_spf.sato.example -all exp=why.kiso.example"
kiso        TXT "unrelated"
kiso        MX  10 mail.kiso
kiso        MX  20 mail2.kiso
mail.kiso   A   192.0.2.10
mail.kiso   AAAA 2001:db8::10
mail2.kiso  A   192.0.2.11
mail2.kiso  AAAA 2001:db8::11
web.kiso    CNAME www.kiso
www.kiso    A   192.0.2.80
why.kiso    TXT "%{i} may not send as %{s}; see https://kiso.example/spf?ip=%{I}&s=%{S} (%{c} %{r} %{t})"
_spf.sato   TXT "v=spf1 ip4:198.51.100.0/24 ?ip4:192.0.2.200 ~all exp=never.sato.example"
helo.kiso   TXT "v=spf1 a -all"
helo.kiso   A   192.0.2.20

redir       TXT "v=spf1 ip4:192.0.2.1 redirect=kiso.example"
redirnone   TXT "v=spf1 redirect=none.example"
redirall    TXT "v=spf1 redirect=none.example ~all"
redirbad    TXT "v=spf1 redirect=%{l}.example"
none        TXT "nothing of ours"
neutral     TXT "v=spf1 ip4:192.0.2.1"
soft        TXT "v=spf1 ~all"
allow       TXT "v=spf1 +all"
question    TXT "v=spf1 ?all"
two         TXT "v=spf1 -all"
two         TXT "v=spf1 +all"
syntax      TXT "v=spf1 ip4:192.0.2.1 include -all"
incl-none   TXT "v=spf1 include:none.example -all"
incl-temp   TXT "v=spf1 include:temp.example -all"
incl-perm   TXT "v=spf1 include:syntax.example -all"
incl-soft   TXT "v=spf1 include:soft.example -all"
incl-pass   TXT "v=spf1 -include:allow.example +all"
; !timeout temp TXT
; !servfail broken
temp-a      TXT "v=spf1 a:broken.example -all"
temp-mx     TXT "v=spf1 mx -all"
temp-mx     MX  10 broken
temp-ptr    TXT "v=spf1 ptr ~all"
loop        TXT "v=spf1 include:loop2.example -all"
loop2       TXT "v=spf1 redirect=loop.example"
self        TXT "v=spf1 include:self.example -all"
limit       TXT "v=spf1 a a a a a a a a a a ip4:192.0.2.1 -all"
limit       A   192.0.2.99
over        TXT "v=spf1 a a a a a a a a a a a ip4:192.0.2.1 -all"
over        A   192.0.2.99
voids       TXT "v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all"
voids3      TXT "v=spf1 a:v1.example a:v2.example a:v3.example ip4:192.0.2.1 -all"
voidnodata  TXT "v=spf1 a a a ip4:192.0.2.1 -all"
nullmx      TXT "v=spf1 mx -all"
nullmx      MX  0 .
exists      TXT "v=spf1 exists:%{ir}.%{v}.list.example -all"
1.2.0.192.in-addr.list A 127.0.0.2
exists-l    TXT "v=spf1 exists:%{l}.u.example -all"
a\032b.u    A   127.0.0.2
back\\slash.u A 127.0.0.2
ptr         TXT "v=spf1 ptr -all"
ptr-other   TXT "v=spf1 ptr:kiso.example -all"
ptr-not     TXT "v=spf1 ptr:so.example -all"
pmacro      TXT "v=spf1 exists:%{p}.p.example -all"
mail.kiso.example.p A 127.0.0.2
unknown.p   A   127.0.0.2
badlabel    TXT "v=spf1 a:%{l}.example -all"
cidr        TXT "v=spf1 a:www.kiso.example/24 a:mail.kiso.example//64 -all"
mapped      TXT "v=spf1 ip6:::ffff:192.0.2.1/96 -ip4:192.0.2.1 +all"
xn--caf-dma TXT "v=spf1 -all"
upper       TXT "V=SPF1 IP4:192.0.2.1 -ALL"
expvoid     TXT "v=spf1 -all exp=gone.example"
exputf8     TXT "v=spf1 -all exp=utf8.example"
utf8        TXT "d\195\169sol\195\169"
exp-p       TXT "v=spf1 -all exp=p-text.example"
p-text      TXT "you are %{p}"
incl-twice  TXT "v=spf1 include:soft.example include:soft.example -all"
exp-two     TXT "v=spf1 -all exp=two-texts.example"
two-texts   TXT "one"
two-texts   TXT "two"
exp-limit   TXT "v=spf1 a a a a a a a a a a -all exp=p-text.example"
exp-limit   A   192.0.2.99
exists-h    TXT "v=spf1 exists:%{h}.h.example -all"
helo.kiso.example.h A 127.0.0.2
xn--caf-dma.example.h A 127.0.0.2
postmaster.u A  127.0.0.2
m12.kiso    A   192.0.2.12
eq          TXT "v=spf1 exists:%{p}.p.example -all"
eq          A   192.0.2.13
x.eq        A   192.0.2.13
eq.example.p A  127.0.0.2
$ORIGIN 2.0.192.in-addr.arpa.
12          PTR broken.example.
12          PTR m12.kiso.example.
13          PTR x.eq.example.
13          PTR eq.example.
10          PTR mail.kiso.example.
10          PTR liar.kiso.example.
11          PTR liar.kiso.example.
; !servfail 66.2.0.192.in-addr.arpa.
$ORIGIN 0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.
0.1.0.0     PTR mail.kiso.example.
`

func mustZone(t testing.TB, text string) *zone.Zone {
	t.Helper()
	z, err := zone.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestCheck(t *testing.T) {
	z := mustZone(t, records)
	for _, tc := range []struct{ name, ip, from, want string }{
		{"MX", "192.0.2.11", "u@kiso.example", "pass mx"},
		{"MXIPv6", "2001:db8::11", "u@kiso.example", "pass mx"},
		{"AThroughAlias", "192.0.2.80", "u@kiso.example", "pass a:web.kiso.example"},
		{"IP4", "203.0.113.77", "u@kiso.example", "pass ip4:203.0.113.0/24"},
		{"IP4Mapped", "::ffff:203.0.113.77", "u@kiso.example", "pass ip4:203.0.113.0/24"},
		{"IP6", "2001:db8:1:2::3", "u@kiso.example", "pass ip6:2001:db8:1::/48"},
		{"Include", "198.51.100.9", "u@kiso.example", "pass include:_spf.sato.example"},
		{"IncludeNeutralGoesOn", "192.0.2.200", "u@kiso.example", "fail -all"},
		{"Fail", "192.0.2.99", "u@kiso.example", "fail -all"},
		{"CaseOfDomain", "192.0.2.99", "u@KISO.Example", "fail -all"},
		{"TrailingDot", "192.0.2.99", "u@kiso.example.", "fail -all"},
		{"Brackets", "192.0.2.99", "<u@kiso.example>", "fail -all"},
		{"QuotedLocalPart", "192.0.2.99", `"a@b c"@kiso.example`, "fail -all"},
		{"NoLocalPart", "192.0.2.99", "@kiso.example", "fail -all"},
		{"OnlyDomain", "192.0.2.99", "kiso.example", "fail -all"},
		{"NullSenderIsHelo", "192.0.2.20", "", "pass a"},
		{"NullSenderInBrackets", "192.0.2.21", "<>", "fail -all"},
		{"RedirectNotNeeded", "192.0.2.1", "u@redir.example", "pass ip4:192.0.2.1"},
		{"Redirect", "192.0.2.11", "u@redir.example", "pass mx in kiso.example"},
		{"RedirectNone", "192.0.2.1", "u@redirnone.example", "permerror target"},
		{"RedirectBehindAll", "192.0.2.1", "u@redirall.example", "softfail ~all"},
		{"RedirectNoName", "192.0.2.1", "a..b@redirbad.example", "permerror target"},
		{"NoRecord", "192.0.2.1", "u@none.example", "none no-record"},
		{"NoSuchDomain", "192.0.2.1", "u@gone.example", "none no-record"},
		{"Neutral", "192.0.2.2", "u@neutral.example", "neutral"},
		{"Softfail", "192.0.2.2", "u@soft.example", "softfail ~all"},
		{"Question", "192.0.2.2", "u@question.example", "neutral ?all"},
		{"UpperCase", "192.0.2.2", "u@upper.example", "fail -ALL"},
		{"TwoRecords", "192.0.2.2", "u@two.example", "permerror multiple"},
		{"SyntaxBehindMatch", "192.0.2.1", "u@syntax.example", "permerror syntax"},
		{"IncludeNone", "192.0.2.1", "u@incl-none.example", "permerror target"},
		{"IncludeTemperror", "192.0.2.1", "u@incl-temp.example", "temperror dns"},
		{"IncludePermerror", "192.0.2.1", "u@incl-perm.example", "permerror syntax"},
		{"IncludeSoftfail", "192.0.2.1", "u@incl-soft.example", "fail -all"},
		{"IncludePassQualified", "192.0.2.1", "u@incl-pass.example", "fail -include:allow.example"},
		{"RecordTimeout", "192.0.2.1", "u@temp.example", "temperror dns"},
		{"AddressServFail", "192.0.2.1", "u@temp-a.example", "temperror dns"},
		{"MXHostServFail", "192.0.2.1", "u@temp-mx.example", "temperror dns"},
		{"PTRServFail", "192.0.2.66", "u@temp-ptr.example", "softfail ~all"},
		{"Loop", "192.0.2.1", "u@loop.example", "permerror loop"},
		{"LoopOfOne", "192.0.2.1", "u@self.example", "permerror loop"},
		{"TenLookups", "192.0.2.1", "u@limit.example", "pass ip4:192.0.2.1"},
		{"ElevenLookups", "192.0.2.1", "u@over.example", "permerror lookup-limit"},
		{"TwoVoids", "192.0.2.1", "u@voids.example", "pass ip4:192.0.2.1"},
		{"ThreeVoids", "192.0.2.1", "u@voids3.example", "permerror void-limit"},
		{"NoDataIsVoid", "192.0.2.1", "u@voidnodata.example", "permerror void-limit"},
		{"NullMX", "192.0.2.1", "u@nullmx.example", "fail -all"},
		{"Exists", "192.0.2.1", "u@exists.example", "pass exists:%{ir}.%{v}.list.example"},
		{"ExistsNot", "192.0.2.2", "u@exists.example", "fail -all"},
		{"LocalPartWithSpace", "192.0.2.2", "a b@exists-l.example", "pass exists:%{l}.u.example"},
		{"LocalPartWithBackslash", "192.0.2.2", `back\slash@exists-l.example`, "pass exists:%{l}.u.example"},
		{"LocalPartNotASCII", "192.0.2.2", "é@exists-l.example", "fail -all"},
		{"LocalPartEndless", "192.0.2.2", strings.Repeat("a", 100_000) + "@exists-l.example", "fail -all"},
		{"LocalPartDots", "192.0.2.2", "a..b@badlabel.example", "fail -all"},
		{"PTR", "192.0.2.10", "u@ptr-other.example", "pass ptr:kiso.example"},
		{"PTRIPv6", "2001:db8::10", "u@ptr-other.example", "pass ptr:kiso.example"},
		{"PTRNotImplicit", "192.0.2.10", "u@ptr.example", "fail -all"},
		{"PTRLabelBoundary", "192.0.2.10", "u@ptr-not.example", "fail -all"},
		{"PTRLiar", "192.0.2.11", "u@ptr-other.example", "fail -all"},
		{"PTRSkipsServFail", "192.0.2.12", "u@ptr-other.example", "pass ptr:kiso.example"},
		{"SameIncludeTwiceIsNoLoop", "192.0.2.1", "u@incl-twice.example", "fail -all"},
		{"NoLocalPartIsPostmaster", "192.0.2.1", "@exists-l.example", "pass exists:%{l}.u.example"},
		{"HeloWithDot", "192.0.2.1", "u@exists-h.example", "pass exists:%{h}.h.example"},
		{"MacroPPrefersTheDomain", "192.0.2.13", "u@eq.example", "pass exists:%{p}.p.example"},
		{"MacroP", "192.0.2.10", "u@pmacro.example", "pass exists:%{p}.p.example"},
		{"MacroPUnknown", "192.0.2.11", "u@pmacro.example", "pass exists:%{p}.p.example"},
		{"CIDR4", "192.0.2.250", "u@cidr.example", "pass a:www.kiso.example/24"},
		{"CIDR6", "2001:db8::ffff", "u@cidr.example", "pass a:mail.kiso.example//64"},
		{"CIDR6Not", "2001:db8:0:1::ffff", "u@cidr.example", "fail -all"},
		{"MappedNetworkIsIPv6", "192.0.2.1", "u@mapped.example", "fail -ip4:192.0.2.1"},
		{"ULabel", "192.0.2.1", "u@café.example", "fail -all"},
		{"OneLabel", "192.0.2.1", "u@example", "none no-domain"},
		{"AddressLiteral", "192.0.2.1", "u@[192.0.2.1]", "none no-domain"},
		{"BareAddress", "192.0.2.1", "u@192.0.2.1", "none no-domain"},
		{"EmptyLabel", "192.0.2.1", "u@kiso..example", "none no-domain"},
		{"TwoTrailingDots", "192.0.2.1", "u@kiso.example..", "none no-domain"},
		{"LongLabel", "192.0.2.1", "u@" + strings.Repeat("a", 64) + ".example", "none no-domain"},
		{"NoDomain", "192.0.2.1", "u@", "none no-domain"},
		{"NotUTF8", "192.0.2.1", "u@\xff.example", "none no-domain"},
		{"NoAddress", "", "u@kiso.example", "none no-address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := spf.Input{MailFrom: tc.from, Helo: "helo.kiso.example."}
			if tc.ip != "" {
				in.IP = netip.MustParseAddr(tc.ip)
			}
			r := spf.Check(t.Context(), z, in, nil)
			if diff := gocmp.Diff(tc.want, brief(r)); diff != "" {
				t.Error(diff)
			}
			text := lang.Default().Render(r.Reason())
			if text.EN == "" || text.JA == "" || text.EN[0] == '[' || strings.Contains(text.EN, "{n}") {
				t.Errorf("reason %q %q", text.EN, text.JA)
			}
			if (r.Problem != nil) != (r.Status == spf.StatusNone || r.Status == spf.StatusTemperror || r.Status == spf.StatusPermerror) {
				t.Errorf("%s with the problem %+v", r.Status, r.Problem)
			}
		})
	}
}

// brief is the status with what decided.
func brief(r spf.Result) string {
	s := string(r.Status)
	if r.Problem != nil {
		return s + " " + string(r.Problem.Kind)
	}
	if r.Term != "" {
		s += " " + r.Term
	}
	if r.TermDomain != r.Domain && r.Term != "" {
		s += " in " + r.TermDomain
	}
	return s
}

func TestIdentity(t *testing.T) {
	z := mustZone(t, records)
	for _, tc := range []struct {
		name, from, helo string
		identity         spf.Identity
		want             string
	}{
		{"MailFrom", "u@soft.example", "helo.kiso.example", "", "mailfrom soft.example softfail"},
		{"Null", "", "helo.kiso.example", "", "helo helo.kiso.example fail"},
		{"NullCase", "", "HELO.kiso.example.", "", "helo helo.kiso.example fail"},
		{"Helo", "u@soft.example", "helo.kiso.example", spf.IdentityHelo, "helo helo.kiso.example fail"},
		{"NullAndNoHelo", "", "", "", "helo  none"},
		{"NullAndLiteral", "", "[192.0.2.1]", "", "helo [192.0.2.1] none"},
		{"NullAndNetBIOSName", "", "OFFICE-PC", "", "helo OFFICE-PC none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := spf.Check(t.Context(), z, spf.Input{IP: netip.MustParseAddr("192.0.2.66"), MailFrom: tc.from, Helo: tc.helo}, &spf.Options{Identity: tc.identity})
			if diff := gocmp.Diff(tc.want, fmt.Sprintf("%s %s %s", r.Identity, r.Domain, r.Status)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestExplanation(t *testing.T) {
	z := mustZone(t, records)
	now := time.Date(2026, time.November, 2, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct{ name, from, ip, want string }{
		{"Macros", "a b@kiso.example", "192.0.2.99", "192.0.2.99 may not send as a b@kiso.example; see https://kiso.example/spf?ip=192.0.2.99&s=a%20b%40kiso.example (192.0.2.99 rx.sato.example 1793610000)"},
		{"ThroughRedirect", "u@redir.example", "192.0.2.99", "192.0.2.99 may not send as u@redir.example; see https://kiso.example/spf?ip=192.0.2.99&s=u%40redir.example (192.0.2.99 rx.sato.example 1793610000)"},
		{"IPv6", "u@kiso.example", "2001:db8::1", "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1 may not send as u@kiso.example; see https://kiso.example/spf?ip=2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1&s=u%40kiso.example (2001:db8::1 rx.sato.example 1793610000)"},
		{"NotFail", "u@kiso.example", "192.0.2.10", ""},
		{"Void", "u@expvoid.example", "192.0.2.1", ""},
		{"NotASCII", "u@exputf8.example", "192.0.2.1", ""},
		{"NotASCIIByMacro", "é@kiso.example", "192.0.2.99", ""},
		{"MacroP", "u@exp-p.example", "192.0.2.10", "you are mail.kiso.example"},
		{"MacroPUnknown", "u@exp-p.example", "192.0.2.1", "you are unknown"},
		{"TwoTexts", "u@exp-two.example", "192.0.2.1", ""},
		{"NoLimitsAfterTheResult", "u@exp-limit.example", "192.0.2.10", "you are mail.kiso.example"},
		{"Long", strings.Repeat("a", 5000) + "@kiso.example", "192.0.2.99", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := spf.Input{IP: netip.MustParseAddr(tc.ip), MailFrom: tc.from, Receiver: "rx.sato.example", Now: now}
			r := spf.Check(t.Context(), z, in, nil)
			if diff := gocmp.Diff(tc.want, r.Explanation); diff != "" {
				t.Error(diff)
			}
			if q := spf.Check(t.Context(), z, in, &spf.Options{NoExplanation: true}); q.Explanation != "" || q.Status != r.Status {
				t.Errorf("%q %s", q.Explanation, q.Status)
			}
		})
	}
	r := spf.Check(t.Context(), z, spf.Input{IP: netip.MustParseAddr("192.0.2.99"), MailFrom: "u@kiso.example"}, nil)
	if !strings.HasSuffix(r.Explanation, "(192.0.2.99 unknown 0)") {
		t.Errorf("without receiver and time: %q", r.Explanation)
	}
}

// TestTrace shows the tree of a check as a person would read it.
func TestTrace(t *testing.T) {
	z := mustZone(t, records)
	for _, tc := range []struct{ name, ip, from string }{
		{"fail", "192.0.2.99", "u@kiso.example"},
		{"redirect", "198.51.100.9", "u@redir.example"},
		{"loop", "192.0.2.1", "u@loop.example"},
		{"voids", "192.0.2.1", "u@voids3.example"},
		{"ptr", "192.0.2.10", "u@ptr-other.example"},
		{"macro-p", "192.0.2.10", "u@pmacro.example"},
		{"include-syntax", "192.0.2.1", "u@incl-perm.example"},
		{"temperror", "192.0.2.1", "u@incl-temp.example"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := spf.Check(t.Context(), z, spf.Input{IP: netip.MustParseAddr(tc.ip), MailFrom: tc.from, Helo: "helo.kiso.example"}, nil)
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s from %s: %s, lookups %d, voids %d, questions %d\n", r.Identity, r.Domain, tc.ip, r.Status, r.Lookups, r.Voids, r.Questions)
			fmt.Fprintf(&b, "%s\n", lang.Default().Say(lang.EN, r.Reason()))
			printNode(&b, r.Trace, "")
			golden(t, filepath.Join("testdata", "trace", tc.name+".txt"), b.String())
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func printNode(b *strings.Builder, n *spf.Node, indent string) {
	fmt.Fprintf(b, "%s%s: %s, lookups %d, voids %d\n", indent, n.Domain, n.Status, n.Lookups, n.Voids)
	if n.Question != nil {
		printAnswer(b, *n.Question, indent+"  ")
	}
	for _, s := range n.Steps {
		fmt.Fprintf(b, "%s  [%s] %s", indent, s.Outcome, s.Term.Text)
		if s.Target != "" && s.Target != s.Term.Target.String() {
			fmt.Fprintf(b, " (%s)", s.Target)
		}
		if s.Outcome != spf.OutcomeNotReached && s.Outcome != spf.OutcomeIgnored {
			fmt.Fprintf(b, " cost %d, lookups %d, voids %d", s.Cost, s.Lookups, s.Voids)
		}
		if s.Problem != nil {
			fmt.Fprintf(b, " problem %s", s.Problem.Kind)
		}
		b.WriteString("\n")
		for _, a := range s.Questions {
			printAnswer(b, a, indent+"    ")
		}
		if s.Include != nil {
			printNode(b, s.Include, indent+"    ")
		}
	}
}

func printAnswer(b *strings.Builder, a resolve.Answer, indent string) {
	fmt.Fprintf(b, "%s? %s %s: %s", indent, a.Name, a.Type, a.RCode)
	for _, c := range a.Chain {
		fmt.Fprintf(b, " -> %s", c)
	}
	for _, r := range a.Records {
		fmt.Fprintf(b, " %s", r.Data())
	}
	b.WriteString("\n")
}

// TestTraceAddsUp: the numbers of the tree are those of the result.
func TestTraceAddsUp(t *testing.T) {
	z := mustZone(t, records)
	for _, from := range []string{"kiso", "redir", "loop", "voids3", "ptr-other", "pmacro", "incl-pass", "limit", "over", "syntax", "two", "none", "temp-mx", "expvoid"} {
		trace := resolve.NewTrace(z)
		r := spf.Check(t.Context(), trace, spf.Input{IP: netip.MustParseAddr("192.0.2.99"), MailFrom: "u@" + from + ".example", Helo: "helo.kiso.example"}, nil)
		cost, questions := 0, 0
		var count func(n *spf.Node)
		count = func(n *spf.Node) {
			if n.Question != nil {
				questions++
			}
			for _, s := range n.Steps {
				cost += s.Cost
				questions += len(s.Questions)
				if s.Include != nil {
					count(s.Include)
				}
			}
		}
		count(r.Trace)
		got := []int{cost, questions, r.Questions, r.Trace.Lookups, r.Trace.Voids}
		want := []int{r.Lookups, trace.Len(), trace.Len(), r.Lookups, r.Voids}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", from, diff)
		}
		if r.Trace.Status != r.Status {
			t.Errorf("%s: %s and %s", from, r.Status, r.Trace.Status)
		}
		quiet := spf.Check(t.Context(), z, spf.Input{IP: netip.MustParseAddr("192.0.2.99"), MailFrom: "u@" + from + ".example", Helo: "helo.kiso.example"}, &spf.Options{NoTrace: true})
		if quiet.Trace != nil {
			t.Errorf("%s: a trace that nobody wants", from)
		}
		if cmp.Or(cmp.Compare(quiet.Status, r.Status), cmp.Compare(quiet.Lookups, r.Lookups), cmp.Compare(quiet.Questions, r.Questions)) != 0 {
			t.Errorf("%s: without a trace %+v", from, quiet)
		}
	}
}

func TestHeloULabel(t *testing.T) {
	r := spf.Check(t.Context(), mustZone(t, records), spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@exists-h.example", Helo: "Café.example"}, nil)
	if diff := gocmp.Diff("pass exists:%{h}.h.example", brief(r)); diff != "" {
		t.Error(diff)
	}
}

// TestNullMX: there is no host to ask about, and nothing void.
func TestNullMX(t *testing.T) {
	r := spf.Check(t.Context(), mustZone(t, records), spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@nullmx.example"}, nil)
	if r.Questions != 2 || r.Voids != 0 {
		t.Errorf("%d questions, %d voids", r.Questions, r.Voids)
	}
}

func TestCheckWithoutDNS(t *testing.T) {
	in := spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@kiso.example"}
	r := spf.Check(t.Context(), resolve.Offline(), in, nil)
	if r.Status != spf.StatusTemperror || r.Problem.Question.RCode != resolve.NotAsked {
		t.Errorf("%s %+v", r.Status, r.Problem)
	}
	if diff := gocmp.Diff("DNS was not asked about kiso.example.", lang.Default().Say(lang.EN, r.Reason())); diff != "" {
		t.Error(diff)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	r = spf.Check(ended, mustZone(t, records), in, nil)
	if diff := gocmp.Diff("temperror cancelled", brief(r)); diff != "" {
		t.Error(diff)
	}
}
