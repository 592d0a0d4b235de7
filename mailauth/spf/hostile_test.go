package spf_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// anyName answers every TXT question with one record and every other question
// with many records.
type anyName struct {
	txt   string
	hosts int
	asked int
}

func (r *anyName) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	r.asked++
	a := resolve.Answer{Name: name, Type: t}
	if t == resolve.TypeTXT {
		a.Records = []resolve.Record{{Type: t, Text: r.txt}}
		return a, ctx.Err()
	}
	for i := range r.hosts {
		a.Records = append(a.Records, resolve.Record{
			Type: t, Host: fmt.Sprintf("h%d.%d.example", i, r.asked), Addr: netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}),
		})
	}
	return a, ctx.Err()
}

// TestHostileRecords: whatever stands in a record, the check ends soon, asks
// little and keeps little.
func TestHostileRecords(t *testing.T) {
	fill := func(s string) string { return "v=spf1 " + strings.Repeat(s, 65_000/len(s)) }
	for _, tc := range []struct {
		name, txt string
		hosts     int
		want      string
	}{
		{"IncludeForEver", "v=spf1 include:a.%{d}", 0, "permerror lookup-limit"},
		{"RedirectForEver", "v=spf1 redirect=a.%{d}", 0, "permerror lookup-limit"},
		{"IncludeOfTwo", "v=spf1 include:a.%{d} include:b.%{d}", 0, "permerror lookup-limit"},
		{"IncludeItself", "v=spf1 include:%{d}", 0, "permerror loop"},
		{"ManyMX", "v=spf1 mx mx mx mx mx mx mx mx mx mx", 10, "neutral"},
		{"TooManyMX", "v=spf1 mx", 11, "permerror mx-limit"},
		{"ManyPTR", "v=spf1 ptr ptr ptr exists:%{p}.example", 1000, "pass exists:%{p}.example"},
		{"ManyAddresses", "v=spf1 a a a a a a a a a a", 10_000, "neutral"},
		{"ManyTerms", fill("ip4:192.0.2.9 "), 0, "neutral"},
		{"ManyTermsInIncludes", fill("ip4:192.0.2.9 ")[:64_000] + " include:a.%{d}", 0, "permerror lookup-limit"},
		{"ManyMistakes", fill("x "), 0, "permerror syntax"},
		{"ManyMacros", strings.TrimSpace(fill("exists:%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}.example ")), 0, "permerror lookup-limit"},
		{"LongMacro", "v=spf1 exists:" + strings.Repeat("%{l1r-}", 9000) + ".example -all", 0, "fail -all"},
		{"ExplanationForEver", "v=spf1 -all exp=a.%{d}", 0, "fail -all"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &anyName{txt: tc.txt, hosts: tc.hosts}
			began := time.Now()
			in := spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: strings.Repeat("a-", 2000) + "@kiso.example"}
			res := spf.Check(t.Context(), r, in, nil)
			if took := time.Since(began); took > 3*time.Second && !testing.Short() {
				t.Errorf("took %v", took)
			}
			if diff := gocmp.Diff(tc.want, brief(res)); diff != "" {
				t.Error(diff)
			}
			if r.asked > 250 || r.asked != res.Questions {
				t.Errorf("%d questions, and the result says %d", r.asked, res.Questions)
			}
			steps := 0
			var count func(n *spf.Node, depth int)
			count = func(n *spf.Node, depth int) {
				if depth > 12 {
					t.Fatal("too deep")
				}
				steps += len(n.Steps)
				for _, s := range n.Steps {
					if s.Include != nil {
						count(s.Include, depth+1)
					}
					if len(s.Target) > 2000 {
						t.Errorf("a target of %d bytes", len(s.Target))
					}
				}
			}
			count(res.Trace, 0)
			if steps > 1000 {
				t.Errorf("%d steps in the trace", steps)
			}
		})
	}
}

// TestOptions: whoever raises the limits of the RFC is still bounded.
func TestOptions(t *testing.T) {
	in := spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@kiso.example"}
	r := &anyName{txt: "v=spf1 " + strings.Repeat("mx ", 1000), hosts: 10}
	res := spf.Check(t.Context(), r, in, &spf.Options{MaxLookups: 1 << 30})
	if diff := gocmp.Diff("permerror question-limit", brief(res)); diff != "" || r.asked != 250 {
		t.Errorf("%s %d questions", diff, r.asked)
	}
	z, err := zone.FromMap(map[string][]string{"kiso.example": {"TXT v=spf1 a:x.example a:y.example a:z.example -all"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		opts *spf.Options
		want string
	}{
		{"Default", nil, "permerror void-limit"},
		{"MoreVoids", &spf.Options{MaxVoids: 3}, "fail -all"},
		{"FewerLookups", &spf.Options{MaxLookups: 1}, "permerror lookup-limit"},
		{"FewerQuestions", &spf.Options{MaxQuestions: 2}, "permerror question-limit"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := gocmp.Diff(tc.want, brief(spf.Check(t.Context(), z, in, tc.opts))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOmittedSteps: terms that the trace leaves out are counted, and evaluated.
func TestOmittedSteps(t *testing.T) {
	r := &anyName{txt: "v=spf1 " + strings.Repeat("ip4:203.0.113.9 ", 1500) + "ip4:192.0.2.1 -all"}
	res := spf.Check(t.Context(), r, spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: "u@kiso.example"}, nil)
	if diff := gocmp.Diff("pass ip4:192.0.2.1", brief(res)); diff != "" {
		t.Error(diff)
	}
	if n := len(res.Trace.Steps); n != 1000 || res.Trace.Omitted != 502 || len(res.Trace.Record.Terms) != 1000 {
		t.Errorf("%d steps, %d omitted, %d terms", n, res.Trace.Omitted, len(res.Trace.Record.Terms))
	}
}

// FuzzCheck: no record and no input makes a check panic, ask without bound or
// contradict itself.
func FuzzCheck(f *testing.F) {
	f.Add("v=spf1 include:%{l1r-}.%{d2} a:%{h}/24//64 exists:%{p}.x.example mx ptr ~all exp=%{d}", "a-b.c@kiso.example", "helo.example", uint8(3))
	f.Add("v=spf1 redirect=x.%{d}", "", "a.b", uint8(0))
	f.Add("v=spf1 -all exp=x.%{o}", "\xff@\\.example.", "[192.0.2.1]", uint8(11))
	f.Fuzz(func(t *testing.T, txt, from, helo string, hosts uint8) {
		r := &anyName{txt: txt, hosts: int(hosts)}
		in := spf.Input{IP: netip.MustParseAddr("192.0.2.1"), MailFrom: from, Helo: helo}
		res := spf.Check(t.Context(), r, in, nil)
		if r.asked > 250 || res.Lookups > 11 || res.Voids > 3 {
			t.Fatalf("%d questions, %d lookups, %d voids", r.asked, res.Lookups, res.Voids)
		}
		undecided := res.Status == spf.StatusNone || res.Status == spf.StatusTemperror || res.Status == spf.StatusPermerror
		if undecided != (res.Problem != nil) || res.Status == "" {
			t.Fatalf("%q with %+v", res.Status, res.Problem)
		}
		for _, c := range []byte(res.Explanation) {
			if c < ' ' || c > '~' {
				t.Fatalf("explanation %q", res.Explanation)
			}
		}
		again := spf.Check(t.Context(), &anyName{txt: txt, hosts: int(hosts)}, in, &spf.Options{NoTrace: true})
		if brief(again) != brief(res) || again.Explanation != res.Explanation {
			t.Fatalf("%q, and without a trace %q", brief(res), brief(again))
		}
	})
}
