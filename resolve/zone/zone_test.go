package zone_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func mustParse(t testing.TB, text string) *zone.Zone {
	t.Helper()
	z, err := zone.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// ask writes an answer on one line: code, chain, records, TTL, AD.
func ask(t testing.TB, z *zone.Zone, question string) string {
	t.Helper()
	name, typ, _ := strings.Cut(question, " ")
	rt, ok := resolve.ParseType(typ)
	if !ok {
		t.Fatalf("no type: %q", typ)
	}
	a, err := z.Lookup(t.Context(), name, rt)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	s.WriteString(a.RCode.String())
	for _, c := range a.Chain {
		s.WriteString(" -> " + c)
	}
	for _, r := range a.Records {
		if r.Name != a.Final() || r.Type != rt {
			t.Errorf("%s: a record of %s %s", question, r.Name, r.Type)
		}
		s.WriteString(" " + r.Data())
	}
	fmt.Fprintf(&s, " %d", a.TTL/time.Second)
	if a.AD {
		s.WriteString(" ad")
	}
	return s.String()
}

const zones = `
; two zones in one file
$ORIGIN kiso.example.
$TTL 1h
@           IN SOA ns.kiso.example. hostmaster 2026110201 1d 2h 4w 5m
            IN NS  ns
            IN TXT "v=spf1 mx -all" ; a comment
            IN TXT ( "a long text in "
                     "two \"strings\"\; \065\\" )
            IN MX 10 mail
            IN MX 20 mail.sato.example.
ns      60  IN A   192.0.2.53
mail    IN 120 A   192.0.2.25
mail        AAAA   2001:db8::25
www         CNAME  mail
old         CNAME  www.kiso.example.
away        CNAME  gone.sato.example.
a.b.c       TXT    deep
*.wild      TXT    any
*.wild      MX     5 mail
x.wild      A      192.0.2.1
*.cn        CNAME  mail
1w2d.ttl    1w2d IN A 192.0.2.9
srv         IN SRV 0 0 443 www
odd         IN TYPE65280 \# 4 0A000001
esc\.aped   IN TXT plain\ token
loop1       CNAME loop2
loop2       CNAME loop3
loop3       CNAME loop1
self        CNAME self
_25._tcp.mail TLSA 3 1 1 ABCD EF01
child       DS 12345 13 2 ABCD
            NS ns.child
; !servfail dead
; !timeout slow
; !timeout half TXT
half        A 192.0.2.2
; !nxdomain mail.kiso.example. TXT 77
; !ad ns A
;;  !nodata forced TXT
forced      TXT here

$ORIGIN sato.example.
@       300 IN SOA ns.kiso.example. hostmaster.kiso.example. 1 2 3 4 10
mail        IN A 198.51.100.25
`

func TestLookup(t *testing.T) {
	z := mustParse(t, zones)
	for _, tc := range []struct{ name, question, want string }{
		{"Texts", "kiso.example TXT", `NOERROR "v=spf1 mx -all" "a long text in two \"strings\"; A\\" 3600`},
		{"CaseAndDot", "KISO.Example. MX", "NOERROR 10 mail.kiso.example. 20 mail.sato.example. 3600"},
		{"SOA", "kiso.example SOA", "NOERROR ns.kiso.example. hostmaster.kiso.example. 2026110201 86400 7200 2419200 300 3600"},
		{"TTLFirst", "ns.kiso.example A", "NOERROR 192.0.2.53 60 ad"},
		{"ClassFirst", "mail.kiso.example A", "NOERROR 192.0.2.25 120"},
		{"AAAA", "mail.kiso.example AAAA", "NOERROR 2001:db8::25 3600"},
		{"UnitsOfTTL", "1w2d.ttl.kiso.example A", "NOERROR 192.0.2.9 777600"},
		{"NoData", "mail.kiso.example MX", "NOERROR 300"},
		{"NXDomain", "nobody.kiso.example A", "NXDOMAIN 300"},
		{"EmptyNonTerminal", "c.kiso.example TXT", "NOERROR 300"},
		{"EmptyNonTerminal2", "b.c.kiso.example TXT", "NOERROR 300"},
		{"BelowARecord", "x.a.b.c.kiso.example TXT", "NXDOMAIN 300"},
		{"TopLevelExists", "example TXT", "NOERROR 0"},
		{"RootExists", ". TXT", "NOERROR 0"},
		{"OtherTopLevel", "kiso.test TXT", "NXDOMAIN 0"},
		{"Alias", "www.kiso.example A", "NOERROR -> mail.kiso.example 192.0.2.25 120"},
		{"AliasOfAlias", "old.kiso.example A", "NOERROR -> www.kiso.example -> mail.kiso.example 192.0.2.25 120"},
		{"AliasItself", "old.kiso.example CNAME", "NOERROR www.kiso.example. 3600"},
		{"AliasNoData", "www.kiso.example MX", "NOERROR -> mail.kiso.example 300"},
		{"AliasToNothing", "away.kiso.example A", "NXDOMAIN -> gone.sato.example 10"},
		{"AliasToFault", "www.kiso.example TXT", "NXDOMAIN -> mail.kiso.example 77"},
		{"Loop", "loop1.kiso.example A", "LOOP -> loop2.kiso.example -> loop3.kiso.example 3600"},
		{"LoopOfOne", "self.kiso.example A", "LOOP 3600"},
		{"Wildcard", "any.wild.kiso.example TXT", `NOERROR "any" 3600`},
		{"WildcardDeep", "a.b.wild.kiso.example TXT", `NOERROR "any" 3600`},
		{"WildcardNoData", "any.wild.kiso.example A", "NOERROR 300"},
		{"WildcardItself", "*.wild.kiso.example TXT", `NOERROR "any" 3600`},
		{"WildcardNotOverExisting", "x.wild.kiso.example TXT", "NOERROR 300"},
		{"WildcardNotBelowExisting", "y.x.wild.kiso.example TXT", "NXDOMAIN 300"},
		{"WildcardNotItsParent", "wild.kiso.example TXT", "NOERROR 300"},
		{"WildcardAlias", "q.cn.kiso.example A", "NOERROR -> mail.kiso.example 192.0.2.25 120"},
		{"SkippedTypeExists", "srv.kiso.example A", "NOERROR 300"},
		{"UnknownTypeExists", "odd.kiso.example A", "NOERROR 300"},
		{"EscapedDot", `esc\.aped.kiso.example TXT`, `NOERROR "plain token" 3600`},
		{"DotIsNotEscapedDot", "esc.aped.kiso.example TXT", "NXDOMAIN 300"},
		{"TLSA", "_25._tcp.mail.kiso.example TLSA", "NOERROR 3 1 1 abcdef01 3600"},
		{"DS", "child.kiso.example DS", "NOERROR 12345 13 2 abcd 3600"},
		{"OwnerOfLineBefore", "child.kiso.example NS", "NOERROR ns.child.kiso.example. 3600"},
		{"ServFail", "dead.kiso.example A", "SERVFAIL 0"},
		{"FaultMakesNoName", "x.dead.kiso.example A", "NXDOMAIN 300"},
		{"Timeout", "slow.kiso.example MX", "TIMEOUT 0"},
		{"TimeoutOfType", "half.kiso.example TXT", "TIMEOUT 0"},
		{"OtherTypeAnswers", "half.kiso.example A", "NOERROR 192.0.2.2 3600"},
		{"ForcedNXDomain", "mail.kiso.example TXT", "NXDOMAIN 77"},
		{"ForcedNoData", "forced.kiso.example TXT", "NOERROR 0"},
		{"SecondZone", "mail.sato.example A", "NOERROR 198.51.100.25 3600"},
		{"SecondZoneSOA", "x.sato.example A", "NXDOMAIN 10"},
		{"NoName", "a..example A", "FORMERR 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ask(t, z, tc.question)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	for _, tc := range []struct{ name, text, question, want string }{
		{"NoTTLAnywhere", "a.example IN A 192.0.2.1", "a.example A", "NOERROR 192.0.2.1 3600"},
		{"TTLOfRecordBefore", "a.example 5 IN A 192.0.2.1\nb.example IN A 192.0.2.2", "b.example A", "NOERROR 192.0.2.2 5"},
		{"TTLOfSOA", "@ IN SOA a.example. b.example. 1 2 3 4 55", ". SOA", "NOERROR a.example. b.example. 1 2 3 4 55 55"},
		{"AllAuthenticated", "; !ad\na.example 5 IN A 192.0.2.1", "a.example A", "NOERROR 192.0.2.1 5 ad"},
		{"AuthenticatedName", "; !ad a.example\na.example 5 IN A 192.0.2.1", "a.example A", "NOERROR 192.0.2.1 5 ad"},
		{"ExclamationIsNoDirective", "; !!! do not edit !!!\n;!\n; !Note\na.example 5 IN A 192.0.2.1", "a.example A", "NOERROR 192.0.2.1 5"},
		{"DirectiveAfterRecordIsComment", "a.example 5 IN A 192.0.2.1 ; !servfail a.example", "a.example A", "NOERROR 192.0.2.1 5"},
		{"CarriageReturns", "$TTL 5\r\na.example IN TXT \"x\" \r\n\r\nb.example IN A 192.0.2.1\r\n", "a.example TXT", `NOERROR "x" 5`},
		{"ByteOrderMark", "\ufeffa.example 5 IN A 192.0.2.1", "a.example A", "NOERROR 192.0.2.1 5"},
		{"DuplicateOnce", "a.example 5 IN TXT x\na.example 5 IN TXT x", "a.example TXT", `NOERROR "x" 5`},
		{"LongestString", "a.example 5 IN TXT " + strings.Repeat("x", 255), "a.example TXT", `NOERROR "` + strings.Repeat("x", 255) + `" 5`},
		{"EmptyString", `a.example 5 IN TXT ""`, "a.example TXT", `NOERROR "" 5`},
		{"ChainAtLimit", chain(resolve.MaxChain), "n0.example A", "NOERROR" + arrows(resolve.MaxChain) + " 192.0.2.1 5"},
		{"ChainOverLimit", chain(resolve.MaxChain + 1), "n0.example A", "LOOP" + arrows(resolve.MaxChain) + " 5"},
		{"Nothing", "", "a.example A", "NXDOMAIN 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ask(t, mustParse(t, tc.text), tc.question)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func chain(n int) string {
	var s strings.Builder
	fmt.Fprintf(&s, "$TTL 5\nn%d.example. A 192.0.2.1\n", n)
	for i := range n {
		fmt.Fprintf(&s, "n%d.example. CNAME n%d.example.\n", i, i+1)
	}
	return s.String()
}

func arrows(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, " -> n%d.example", i+1)
	}
	return s.String()
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"Address", "a.example. IN A 192.0.2", `zone: 1:17: no address for A: "192.0.2"`},
		{"WrongFamily", "a.example. IN AAAA 192.0.2.1", `zone: 1:20: no address for AAAA: "192.0.2.1"`},
		{"Zone", "a.example. IN AAAA fe80::1%eth0", `zone: 1:20: no address for AAAA: "fe80::1%eth0"`},
		{"SecondLine", "a.example. IN A 192.0.2.1\n  IN MX ten mail", `zone: 2:9: no number up to 65535: "ten"`},
		{"TooFew", "a.example. IN MX 10", "zone: 1:15: MX takes 2 values, and there are 1"},
		{"TooMany", "a.example. IN A 192.0.2.1 192.0.2.2", "zone: 1:15: A takes 1 value, and there are 2"},
		{"Type", "a.example. IN AA 192.0.2.1", `zone: 1:15: no such type: "AA"`},
		{"TypeNumber", "a.example. IN TYPE70000 x", `zone: 1:15: no such type: "TYPE70000"`},
		{"NoType", "a.example. 60 IN", `zone: 1:15: no type after "IN"`},
		{"NoRecord", "a.example.", "zone: 1:1: no record after the owner"},
		{"NoOwner", "  IN A 192.0.2.1", "zone: 1:3: the first record has no owner"},
		{"Class", "a.example. CH TXT x", "zone: 1:12: only class IN is read, not CH"},
		{"Owner", "a..example. IN A 192.0.2.1", `zone: 1:1: not a name: "a..example."`},
		{"QuotedOwner", `"a.example." IN A 192.0.2.1`, "zone: 1:1: a name is not quoted"},
		{"OpenQuote", "a.example. IN TXT \"x\n", "zone: 1:19: a quoted string is not closed on its line"},
		{"OpenParenthesis", "a.example. IN TXT (\nx", "zone: 1:19: a parenthesis is not closed"},
		{"ClosingParenthesis", "a.example. IN TXT x)", "zone: 1:20: a parenthesis closes that was not opened"},
		{"InParentheses", "a.example. IN MX (\n 10\n a..b )", `zone: 3:2: not a name: "a..b"`},
		{"Backslash", "a.example. IN TXT x\\", "zone: 1:19: a backslash ends the line"},
		{"Escape", `a.example. IN TXT \300`, `zone: 1:19: an escape is "\X" or three digits up to 255`},
		{"LongString", "a.example. IN TXT " + strings.Repeat("x", 256), "zone: 1:19: a string of 256 bytes: split it into strings of at most 255"},
		{"LongText", "a.example. IN TXT" + strings.Repeat(" "+strings.Repeat("x", 255), 258), "zone: 1:65811: a text of over 65535 bytes"},
		{"Hex", "a.example. IN TLSA 3 1 1 xyz", `zone: 1:26: no hexadecimal digits: "xyz"`},
		{"OwnForm", `a.example. IN A \# 4 C0000201`, "zone: 1:17: write A in its own form, not as in RFC 3597"},
		{"TTL", "$TTL never", `zone: 1:6: no TTL: "never"`},
		{"BigTTL", "$TTL 4294967296", `zone: 1:6: no TTL: "4294967296"`},
		{"Include", "$INCLUDE other.zone", "zone: 1:1: $INCLUDE is not supported: write the records out"},
		{"Control", "$NOTHING x", `zone: 1:1: no such entry: "$NOTHING"`},
		{"ControlArguments", "$ORIGIN", "zone: 1:1: $ORIGIN takes one argument"},
		{"Directive", "; !servfial a.example.", `zone: 1:4: no such directive: "servfial"`},
		{"DirectiveName", "x.example. IN A 192.0.2.1\n;   !timeout a..b", `zone: 2:14: not a name: "a..b"`},
		{"DirectiveType", "; !timeout a.example. MUCH", `zone: 1:23: no such type: "MUCH"`},
		{"DirectiveTTL", "; !timeout a.example. A soon", `zone: 1:25: no TTL: "soon"`},
		{"DirectiveArguments", "; !timeout", "zone: 1:4: !timeout takes a name, and perhaps a type and a TTL"},
		{"TwoMistakes", "a.example. IN A x\nb.example. IN A y", `zone: 1:17: no address for A: "x" (and 1 more)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			z, err := zone.ParseString(tc.text)
			if err == nil || z != nil {
				t.Fatalf("no error, zone %v", z)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			if _, ok := errors.AsType[*zone.Error](err); !ok {
				t.Error("no *zone.Error in the chain")
			}
		})
	}
}

func TestParseStopsAtManyErrors(t *testing.T) {
	_, err := zone.ParseString(strings.Repeat("a.example. IN A x\n", 1000))
	errs, ok := errors.AsType[zone.Errors](err)
	if !ok || len(errs) != 20 {
		t.Errorf("%d errors: %v", len(errs), err)
	}
}

func TestParseReportsTheReader(t *testing.T) {
	if _, err := zone.Parse(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	z, err := zone.Parse(strings.NewReader("a.example. 5 A 192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("NOERROR 192.0.2.1 5", ask(t, z, "a.example A")); diff != "" {
		t.Error(diff)
	}
}

// TestManyRecords: a set is not searched once for each record of it.
func TestManyRecords(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "a.example. 5 TXT t%d\na.example. 5 TXT t%d\n", i, i)
	}
	began := time.Now()
	a, err := mustParse(t, b.String()).Lookup(t.Context(), "a.example", resolve.TypeTXT)
	if err != nil || len(a.Records) != 20_000 {
		t.Errorf("%d records, %v", len(a.Records), err)
	}
	if took := time.Since(began); took > 2*time.Second && !testing.Short() {
		t.Errorf("took %v", took)
	}
}

func TestFromMap(t *testing.T) {
	z, err := zone.FromMap(map[string][]string{
		"kiso.example":        {"TXT v=spf1 mx -all", `TXT "raw" \text; `, "MX 10 mail.kiso.example", "AD"},
		"mail.kiso.example":   {"A 192.0.2.25", "AAAA 2001:db8::25"},
		"Dead.kiso.example.":  {"SERVFAIL"},
		"slow.kiso.example":   {"timeout TXT", "A 192.0.2.1"},
		"a b\".kiso.example":  {"TXT odd"},
		"empty.kiso.example":  {"TXT"},
		"refuse.kiso.example": {"REFUSED"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ name, question, want string }{
		{"RawText", "kiso.example TXT", `NOERROR "v=spf1 mx -all" "\"raw\" \\text; " 3600 ad`},
		{"MX", "kiso.example MX", "NOERROR 10 mail.kiso.example. 3600 ad"},
		{"A", "mail.kiso.example A", "NOERROR 192.0.2.25 3600"},
		{"Fault", "dead.kiso.example A", "SERVFAIL 0"},
		{"FaultOfType", "slow.kiso.example TXT", "TIMEOUT 0"},
		{"EmptyText", "empty.kiso.example TXT", `NOERROR "" 3600`},
		{"Refused", "refuse.kiso.example TXT", "REFUSED 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, ask(t, z, tc.question)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, tc := range []struct{ name, owner, record, want string }{
		{"Owner", "a..b", "A 192.0.2.1", `zone: "A 192.0.2.1" of a..b: the owner is no name`},
		{"OwnerOfText", "a..b", "TXT x", `zone: "TXT x" of a..b: zone: the owner "a..b" is no name`},
		{"Word", "a.example", "SERVFIAL", `zone: "SERVFIAL" of a.example: zone: 1:1: no such directive: "servfial"`},
		{"Data", "a.example", "A x", `zone: "A x" of a.example: zone: 1:3: no address for A: "x"`},
		{"Nothing", "a.example", "", `zone: "" of a.example: no record`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := zone.FromMap(map[string][]string{tc.owner: {tc.record}})
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddRefuses(t *testing.T) {
	z := zone.New()
	if err := z.Add(resolve.Record{Name: "", Type: resolve.TypeA}); err == nil {
		t.Error("no owner is taken")
	}
	if err := z.Add(resolve.Record{Name: "a.example", Type: resolve.TypeMX, Host: "a..b"}); err == nil {
		t.Error("a bad host is taken")
	}
	if z.Fail("a..b", 0, resolve.Timeout) || z.Fail("a.example", 0, resolve.FormErr) {
		t.Error("a fault is taken that cannot be")
	}
}

func TestWriteIsStable(t *testing.T) {
	z := mustParse(t, zones)
	text := written(t, z)
	again := mustParse(t, text)
	if diff := cmp.Diff(text, written(t, again)); diff != "" {
		t.Error(diff)
	}
	for _, q := range []string{"srv.kiso.example A", "c.kiso.example TXT", "q.cn.kiso.example A", "half.kiso.example TXT", "mail.kiso.example TXT", "ns.kiso.example A", "nobody.kiso.example A"} {
		if diff := cmp.Diff(ask(t, z, q), ask(t, again, q)); diff != "" {
			t.Errorf("%s: %s", q, diff)
		}
	}
}

func written(t testing.TB, z *zone.Zone) string {
	t.Helper()
	var b strings.Builder
	if err := z.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// FuzzParse: what is read and written reads as the same.
func FuzzParse(f *testing.F) {
	f.Add(zones)
	f.Add("; !ad\n; !nodata a.example TXT 5\n* TXT (\n\"\\000\" )\n")
	f.Add("$ORIGIN .\n@ SOA . . 1 1 1 1 1\n\\@\\$\\\"\\( TXT x\n")
	f.Add("a TYPE1 \\# 0\n $TTL\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		z, err := zone.ParseString(text)
		if err != nil {
			if z != nil {
				t.Fatal("an error and a zone")
			}
			return
		}
		first := written(t, z)
		again, err := zone.ParseString(first)
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if diff := cmp.Diff(first, written(t, again)); diff != "" {
			t.Fatal(diff)
		}
		for _, name := range []string{"a.example", "kiso.example", "*", "x", "."} {
			for _, typ := range []resolve.Type{resolve.TypeTXT, resolve.TypeA} {
				a, _ := z.Lookup(t.Context(), name, typ)
				b, _ := again.Lookup(t.Context(), name, typ)
				if diff := cmp.Diff(a, b, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Fatalf("%s %s: %s", name, typ, diff)
				}
			}
		}
	})
}
