package posture_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// examples returns the zone file of the examples and the domains in it.
func examples(t testing.TB) (*zone.Zone, []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "domains.zone"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+\.example)\. IN SOA`).FindAllStringSubmatch(string(b), -1) {
		names = append(names, m[1])
	}
	return parse(t, string(b)), append(names, "dead.example", "missing.example")
}

func parse(t testing.TB, text string) *zone.Zone {
	t.Helper()
	z, err := zone.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func check(t testing.TB, r resolve.Resolver, name string, o *posture.Options) *posture.Report {
	t.Helper()
	rep, err := posture.Check(context.Background(), r, domain.Name(name), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func codes(rep *posture.Report) []string {
	var out []string
	for _, f := range rep.Faults {
		out = append(out, f.Code)
	}
	return out
}

// TestGolden holds everything that is said of every example domain to a file.
func TestGolden(t *testing.T) {
	z, names := examples(t)
	const least = 60
	if len(names) < least {
		t.Fatalf("%d domains", len(names))
	}
	var b strings.Builder
	for _, name := range names {
		write(&b, check(t, z, name, &posture.Options{TrustAD: true, Subdomains: []domain.Name{domain.Name("news." + name)}}))
	}
	file := filepath.Join("testdata", "domains.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Error(diff)
	}
}

// write says a report in lines.
func write(b *strings.Builder, r *posture.Report) {
	words := lang.Default()
	fmt.Fprintf(b, "%s: use=%s org=%s questions=%d\n", r.Domain, r.Use, r.Org, r.Questions)
	fmt.Fprintf(b, "  mx %s null=%t provider=%q", r.MX.State, r.MX.Null, r.MX.Provider)
	for _, h := range r.MX.Hosts {
		fmt.Fprintf(b, " %d/%s/%s%v", h.Preference, h.Host, h.State, h.Addresses)
	}
	fmt.Fprintf(b, "\n  spf %s %s lookups=%d voids=%d all=%q sends=%s depends=%t addresses=%d providers=%v\n", r.SPF.State, r.SPF.Status, r.SPF.Lookups, r.SPF.Voids, r.SPF.All, r.SPF.Sends, r.SPF.Depends, r.SPF.Addresses, r.SPF.Providers)
	tree(b, r.SPF.Tree, "    ")
	fmt.Fprintf(b, "  dkim %s none=%t", r.DKIM.State, r.DKIM.None)
	for _, k := range r.DKIM.Keys {
		fmt.Fprintf(b, " %s/%s/%s/%d/usable=%t", k.Selector, k.Source, k.Type, k.Bits, k.Usable)
	}
	d := r.DMARC
	fmt.Fprintf(b, "\n  dmarc %s at=%s published=%s policy=%s sub=%s np=%s test=%t", d.State, d.At, d.Published, d.Policy, d.Subdomains, d.Nonexistent, d.Testing)
	for _, x := range d.Reports {
		fmt.Fprintf(b, " %s=%s/%s", x.Tag, x.URI, x.Consent)
	}
	fmt.Fprintf(b, "\n  mta-sts %s tls-rpt %s dnssec %s validated=%t dane %s bimi %s\n", r.MTASTS.State, r.TLSRPT.State, r.DNSSEC.State, r.DNSSEC.Validated, r.DANE.State, r.BIMI.State)
	for _, f := range r.Faults {
		fmt.Fprintf(b, "  %s %s [%s] %s | %s\n", f.Severity, f.Code, f.Name, words.Say(lang.EN, f.Message), words.Say(lang.EN, f.Mend))
	}
	for _, n := range r.Unchecked {
		fmt.Fprintf(b, "  ? %s %s [%s] %s\n", n.Area, n.Cause, n.Name, words.Say(lang.EN, n.Message))
	}
}

func tree(b *strings.Builder, n *posture.SPFNode, indent string) {
	if n == nil {
		return
	}
	for _, t := range n.Terms {
		fmt.Fprintf(b, "%s%d/%d %s reached=%t\n", indent, t.Cost, t.Void, t.Text, t.Reached)
		tree(b, t.Include, indent+"  ")
	}
}

// TestFaultClasses names for each example what must be found in it. The golden
// file may be rewritten in one go; this table is not.
func TestFaultClasses(t *testing.T) {
	z, names := examples(t)
	want := map[string]string{
		"spf-none": "spf.none", "spf-two": "spf.multiple", "spf-typo": "spf.similar", "spf-quote": "spf.similar", "spf-senderid": "spf.sender-id",
		"spf-plusall": "spf.plus-all", "spf-plusall-below": "spf.plus-all", "spf-neutral": "spf.neutral-all", "spf-softfail": "spf.soft-all",
		"spf-noall": "spf.no-all", "spf-afterall": "spf.after-all", "spf-redirect-all": "spf.redirect-ignored", "spf-redirect-missing": "spf.redirect-missing",
		"spf-include-missing": "spf.include-missing", "spf-include-free": "spf.include-free", "spf-include-norecord": "spf.include-missing",
		"spf-loop": "spf.loop", "spf-eleven": "spf.lookups", "spf-ten": "spf.lookups-near", "spf-voids": "spf.voids spf.void-term", "spf-void": "spf.void-term",
		"spf-syntax": "spf.syntax", "spf-below-syntax": "spf.below-syntax", "spf-below-two": "spf.below-multiple", "spf-ptr": "spf.ptr",
		"spf-mx11": "spf.mx-limit mx.many", "spf-wide": "spf.wide", "spf-broad": "spf.broad", "spf-a0": "spf.wide", "spf-private": "spf.private",
		"spf-redundant": "spf.covered spf.repeated spf.duplicate-include", "spf-macro": "spf.macro", "spf-modifier": "spf.modifier", "spf-long": "spf.long",
		"dkim-absent": "dmarc.spf-alone", "dkim-short": "dkim.short", "dkim-weak": "dkim.weak", "dkim-testing": "dkim.testing", "dkim-revoked": "dkim.revoked",
		"dkim-syntax": "dkim.syntax", "dkim-type": "dkim.type", "dkim-sha1": "dkim.hash", "dkim-service": "dkim.service", "dkim-two": "dkim.multiple",
		"dkim-dangling": "dkim.dangling", "dkim-microsoft": "dkim.microsoft", "dkim-wildcard": "dmarc.spf-alone",
		"dmarc-none": "dmarc.none", "dmarc-monitoring": "dmarc.monitoring", "dmarc-two": "dmarc.multiple", "dmarc-typo": "dmarc.similar",
		"dmarc-case": "dmarc.similar", "dmarc-apex": "dmarc.apex dmarc.none", "dmarc-testing": "dmarc.testing", "dmarc-pct": "dmarc.pct dmarc.removed-tag",
		"dmarc-sp": "dmarc.sp-weaker dmarc.subdomain-gap", "dmarc-np": "dmarc.np-weaker", "dmarc-norua": "dmarc.no-rua", "dmarc-external": "dmarc.external",
		"dmarc-rua-nomx": "dmarc.rua-no-mx", "dmarc-badpolicy": "dmarc.policy dmarc.read-as-none", "dmarc-defective": "dmarc.defective",
		"dmarc-nop": "dmarc.no-policy", "dmarc-values": "dmarc.duplicate dmarc.unknown-tag dmarc.value dmarc.syntax dmarc.uri dmarc.scheme dmarc.size-limit",
		"dmarc-psd": "dmarc.psd", "dmarc-spf-alone": "dmarc.spf-alone", "dmarc-dangling": "dmarc.dangling",
		"mx-alias": "mx.alias", "mx-literal": "mx.literal", "mx-noaddress": "mx.no-address", "mx-null-mixed": "mx.null-mixed", "mx-private": "mx.private",
		"mx-verification": "mx.verification", "mx-none": "mx.none", "ptr-missing": "ptr.missing", "ptr-unconfirmed": "ptr.unconfirmed",
		"sts-two": "mta-sts.multiple", "sts-noid": "mta-sts.syntax", "tlsrpt-syntax": "tls-rpt.syntax", "tlsrpt-uri": "tls-rpt.uri",
		"dane-insecure": "dane.insecure", "dane-usage": "dane.usage", "dane-length": "dane.syntax", "dnssec-broken": "dnssec.unvalidated",
		"bimi-policy": "bimi.policy bimi.no-certificate", "bimi-http": "bimi.uri", "bimi-syntax": "bimi.syntax",
		"parked-half": "parked.dmarc parked.mx", "parked-bare": "parked.spf parked.dmarc parked.mx", "parked-sub": "dmarc.sp-weaker",
	}
	bad := 0
	for _, name := range names {
		rep := check(t, z, name, &posture.Options{TrustAD: true, Subdomains: []domain.Name{domain.Name("news." + name)}})
		got := codes(rep)
		short := strings.TrimSuffix(name, ".example")
		for code := range strings.FieldsSeq(want[short]) {
			if !slices.Contains(got, code) {
				t.Errorf("%s: %s was not found in %v", name, code, got)
			}
		}
		if want[short] != "" {
			bad++
		}
		if strings.HasPrefix(name, "good") || name == "agreed.example" || name == "spf-redirect.example" {
			for _, f := range rep.Faults {
				if f.Severity >= finding.Medium {
					t.Errorf("%s: %s", name, f.Code)
				}
			}
		}
	}
	if bad != len(want) {
		t.Errorf("%d of %d broken domains are in the zone", bad, len(want))
	}
}

// TestEveryFaultIsExplained renders what is said in both languages.
func TestEveryFaultIsExplained(t *testing.T) {
	z, names := examples(t)
	words := lang.Default()
	for _, name := range names {
		for _, f := range check(t, z, name, &posture.Options{TrustAD: true}).Faults {
			for _, m := range []lang.Message{f.Message, f.Mend} {
				for _, l := range []lang.Language{lang.JA, lang.EN} {
					if s := words.Say(l, m); s == "" || strings.ContainsAny(s, "{}") || strings.HasPrefix(s, "posture.") {
						t.Errorf("%s: %s: %q", name, f.Code, s)
					}
				}
			}
			if !slices.Contains(posture.Areas(), f.Area) {
				t.Errorf("%s: no such area: %s", f.Code, f.Area)
			}
		}
	}
}

// TestCostIsThatOfTheEvaluator compares with what a receiver spends on a host
// that no record names.
func TestCostIsThatOfTheEvaluator(t *testing.T) {
	z, names := examples(t)
	compared := 0
	for _, name := range names {
		rep := check(t, z, name, nil)
		if rep.SPF.Tree == nil || rep.SPF.Depends {
			continue
		}
		res := spf.Check(context.Background(), z, spf.Input{IP: netip.MustParseAddr("240.0.0.1"), MailFrom: "a@" + name, Helo: "h.invalid"}, &spf.Options{NoExplanation: true})
		switch {
		case rep.SPF.Status == "temperror" || slices.ContainsFunc(codes(rep), func(c string) bool {
			return strings.HasPrefix(c, "spf.") && strings.HasSuffix(c, "missing") || c == "spf.include-free"
		}):
			continue // the evaluator stops at what is missing; we go on
		case res.Status == spf.StatusPermerror && rep.SPF.Status != "permerror":
			t.Errorf("%s: %s, and the evaluator says %s", name, rep.SPF.Status, res.Status)
		case res.Problem != nil && (res.Problem.Kind == spf.ProblemLookups || res.Problem.Kind == spf.ProblemVoids):
			if rep.SPF.Lookups < res.Lookups || rep.SPF.Voids < res.Voids {
				t.Errorf("%s: %d lookups and %d voids, the evaluator stopped at %d and %d", name, rep.SPF.Lookups, rep.SPF.Voids, res.Lookups, res.Voids)
			}
			continue
		}
		// The probe has a name in reverse DNS, so that ptr costs no void lookup.
		voids := res.Voids
		if slices.Contains(codes(rep), "spf.ptr") {
			voids = 0
		}
		compared++
		if diff := cmp.Diff([]int{res.Lookups, voids}, []int{rep.SPF.Lookups, rep.SPF.Voids}); diff != "" {
			t.Errorf("%s: lookups, voids of the evaluator (-) and ours (+):\n%s", name, diff)
		}
		if rep.SPF.Tree.Lookups != rep.SPF.Lookups {
			t.Errorf("%s: the tree says %d, the total %d", name, rep.SPF.Tree.Lookups, rep.SPF.Lookups)
		}
	}
	const least = 60
	if compared < least {
		t.Errorf("only %d records were compared", compared)
	}
}

// TestNotAnsweredIsNotAbsent keeps a server that fails from looking like a
// domain without records.
func TestNotAnsweredIsNotAbsent(t *testing.T) {
	for _, fault := range []string{"servfail", "timeout", "refused", "unreachable"} {
		t.Run(fault, func(t *testing.T) {
			names := []string{"x.example", "_dmarc.x.example", "_domainkey.x.example", "_mta-sts.x.example", "_smtp._tls.x.example", "default._bimi.x.example"}
			var text strings.Builder
			for _, n := range names {
				text.WriteString("; !" + fault + " " + n + "\n")
			}
			rep := check(t, parse(t, text.String()), "x.example", &posture.Options{TrustAD: true})
			for what, got := range map[string]posture.State{
				"MX": rep.MX.State, "SPF": rep.SPF.State, "DKIM": rep.DKIM.State, "DMARC": rep.DMARC.State, "MTA-STS": rep.MTASTS.State,
				"TLS-RPT": rep.TLSRPT.State, "DNSSEC": rep.DNSSEC.State, "DANE": rep.DANE.State, "BIMI": rep.BIMI.State, "sends": rep.SPF.Sends,
			} {
				if got != posture.Unknown {
					t.Errorf("%s is %s", what, got)
				}
			}
			if rep.Use != posture.UseUnknown {
				t.Errorf("use is %s", rep.Use)
			}
			if len(rep.Faults) > 0 {
				t.Errorf("faults: %v", codes(rep))
			}
			if len(rep.Unchecked) < len(names) {
				t.Errorf("only %d needs", len(rep.Unchecked))
			}
		})
	}
}

func TestOffline(t *testing.T) {
	rep := check(t, resolve.Offline(), "x.example", nil)
	if rep.Use != posture.UseUnasked || len(rep.Faults) > 0 {
		t.Errorf("%s, %v", rep.Use, codes(rep))
	}
	for _, n := range rep.Unchecked {
		if n.Cause != finding.NotConfigured || n.Message.Key != "posture.need.offline" {
			t.Errorf("%+v", n)
		}
	}
	if len(rep.Unchecked) == 0 {
		t.Error("nothing is said")
	}
}

func TestBudget(t *testing.T) {
	z, names := examples(t)
	for _, name := range names {
		for _, n := range []int{1, 5, 12, 20} {
			rep := check(t, z, name, &posture.Options{MaxQuestions: n})
			if rep.Questions > n {
				t.Errorf("%s: %d questions of %d", name, rep.Questions, n)
			}
			if rep.Refused > 0 && !slices.ContainsFunc(rep.Unchecked, func(n posture.Need) bool { return n.Cause == finding.Budget }) {
				t.Errorf("%s: %d questions were not asked, and nothing says so", name, rep.Refused)
			}
		}
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	z, _ := examples(t)
	if rep, err := posture.Check(ctx, z, "good.example", nil); !errors.Is(err, context.Canceled) || rep != nil {
		t.Errorf("%v, %v", rep, err)
	}
}

// TestRepeats holds the order of what is found, although parts run at the same
// time.
func TestRepeats(t *testing.T) {
	z, _ := examples(t)
	first := check(t, z, "spf-redundant.example", nil)
	for range 20 {
		if diff := cmp.Diff(first, check(t, z, "spf-redundant.example", nil)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestSelectors(t *testing.T) {
	z, _ := examples(t)
	for _, tc := range []struct {
		name, domain string
		given        []posture.Selector
		want         posture.State
		keys         string
	}{
		{"Given", "dkim-hidden.example", []posture.Selector{{Name: "X7F3Q", Source: posture.SelectorGiven}}, posture.Present, "x7f3q/given"},
		{"GivenMissing", "dkim-hidden.example", []posture.Selector{{Name: "gone", Source: posture.SelectorGiven}}, posture.Unknown, "gone/given"},
		{"Reported", "dkim-hidden.example", []posture.Selector{{Name: "x7f3q", Source: posture.SelectorReport}}, posture.Present, "x7f3q/report"},
		{"Provider", "good-google.example", nil, posture.Present, "google/provider"},
		{"ProviderAlias", "good.example", nil, posture.Present, "selector1/provider selector2/provider"},
		{"Common", "spf-none.example", nil, posture.Present, "default/common"},
		{"Hidden", "dkim-hidden.example", nil, posture.Unknown, ""},
		{"CertainlyNone", "dkim-absent.example", nil, posture.Absent, ""},
		{"AllRevoked", "dkim-wildcard.example", nil, posture.Absent, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rep := check(t, z, tc.domain, &posture.Options{Selectors: tc.given})
			var keys []string
			for _, k := range rep.DKIM.Keys {
				keys = append(keys, k.Selector+"/"+string(k.Source))
			}
			if diff := cmp.Diff([]string{string(tc.want), tc.keys}, []string{string(rep.DKIM.State), strings.Join(keys, " ")}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestTrust holds that the word of a resolver that nobody vouches for makes no
// difference.
func TestTrust(t *testing.T) {
	z, _ := examples(t)
	for _, tc := range []struct {
		name             string
		trust            bool
		dnssec, dane     posture.State
		validated        bool
		unvalidatedNeeds int
	}{
		{"Trusted", true, posture.Present, posture.Present, true, 0},
		{"NotTrusted", false, posture.Present, posture.Unknown, false, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rep := check(t, z, "good-own.example", &posture.Options{TrustAD: tc.trust})
			needs := 0
			for _, n := range rep.Unchecked {
				if n.Message.Key == "posture.need.trust" {
					needs++
				}
			}
			if rep.DNSSEC.State != tc.dnssec || rep.DNSSEC.Validated != tc.validated || rep.DANE.Hosts[0].Secure != tc.dane || needs != tc.unvalidatedNeeds {
				t.Errorf("DNSSEC %+v, DANE %+v, %d needs", rep.DNSSEC, rep.DANE, needs)
			}
		})
	}
}

func TestSubdomainPolicy(t *testing.T) {
	z, _ := examples(t)
	rep := check(t, z, "sub.dmarc-sp-unused.example", nil)
	if !slices.Contains(codes(rep), "dmarc.sp-unused") || rep.Org != "dmarc-sp-unused.example" {
		t.Errorf("org %s, %v", rep.Org, codes(rep))
	}
	rep = check(t, z, "mail.good.example", nil)
	if diff := cmp.Diff([]string{"good.example", "organizational", "reject"}, []string{rep.DMARC.At, rep.DMARC.Source, rep.DMARC.Policy}); diff != "" {
		t.Error(diff)
	}
}

// TestHostile gives a domain that leads everywhere little to work with.
func TestHostile(t *testing.T) {
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "x.example. IN MX %d mx%d.x.example.\nx.example. IN TXT \"v=spf1 include:%d.x.example -all\"\n", i, i, i)
	}
	for i := range 20 {
		var terms strings.Builder
		for j := range 9 {
			fmt.Fprintf(&terms, " include:%d.%d.y.example", j, i)
		}
		fmt.Fprintf(&b, "%d.y.example. IN TXT \"v=spf1%s -all\"\n*.%d.y.example. IN TXT \"v=spf1 include:%d.y.example ?all\"\n", i, terms.String(), i, (i+1)%20)
	}
	b.WriteString("y.example. IN TXT \"v=spf1 include:0.y.example -all\"\n")
	z := parse(t, b.String())
	start := time.Now()
	for _, name := range []string{"x.example", "y.example"} {
		rep := check(t, z, name, nil)
		if rep.Questions > 400 {
			t.Errorf("%s: %d questions", name, rep.Questions)
		}
		if rep.SPF.Status != "permerror" {
			t.Errorf("%s: %s", name, rep.SPF.Status)
		}
		if len(rep.MX.Hosts) > 10 {
			t.Errorf("%d hosts", len(rep.MX.Hosts))
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("it took %s", d)
	}
}

// FuzzCheck looks at domains whose records anybody wrote.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		"v=spf1 a mx include:b.example ~all", "v=DMARC1; p=reject; rua=mailto:a@b.example!10m", "v=DKIM1; k=rsa; p=AAAA", "v=STSv1; id=1;",
		"v=TLSRPTv1;rua=https:", "v=BIMI1;l=;a=", "v=spf1 redirect=%{l1r+-/}.b.example", "v=spf1 exists:%{i}.%{d} ip4:0.0.0.0/0", "spf2.0/pra", "v = spf1",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		z, err := zone.ParseString("")
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"a.example", "_dmarc.a.example", "default._domainkey.a.example", "*._domainkey.a.example", "_mta-sts.a.example", "_smtp._tls.a.example", "default._bimi.a.example"} {
			_ = z.Add(resolve.Record{Name: n, Type: resolve.TypeTXT, Text: a, TTL: time.Hour})
		}
		for _, n := range []string{"b.example", "*.a.example", "default._domainkey.a.example"} {
			_ = z.Add(resolve.Record{Name: n, Type: resolve.TypeTXT, Text: b, TTL: time.Hour})
		}
		rep := check(t, z, "a.example", &posture.Options{MaxQuestions: 200})
		if rep.Questions > 200 {
			t.Errorf("%d questions", rep.Questions)
		}
		for _, x := range rep.Faults {
			if x.Message.IsZero() || x.Mend.IsZero() || len(x.Quote) > 60_000 {
				t.Errorf("%+v", x)
			}
		}
		if rep.SPF.Status == "ok" && (rep.SPF.Lookups > 10 || rep.SPF.Voids > 2) {
			t.Errorf("%+v", rep.SPF)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	z, names := examples(b)
	for i := 0; b.Loop(); i++ {
		check(b, z, names[i%len(names)], nil)
	}
}
