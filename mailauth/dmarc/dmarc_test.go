package dmarc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/publicsuffix"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
)

// TestQuestionsAreShared follows B.4.1 and B.4.2: a walk does not repeat what
// another walk for the message has asked.
func TestQuestionsAreShared(t *testing.T) {
	w := world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}, "_dmarc.signing.example.com": {"v=DMARC1; p=none"}}}
	trace := resolve.NewTrace(w.zone(t))
	r := dmarc.Evaluate(context.Background(), trace, mail{from: "example.com", spf: "example.com", dkim: []string{"signing.example.com", "signing.example.com"}}.input(), nil)
	var got []string
	for _, a := range trace.Answers() {
		got = append(got, a.Name)
	}
	if diff := cmp.Diff([]string{"_dmarc.example.com", "_dmarc.com", "_dmarc.signing.example.com"}, got); diff != "" {
		t.Error(diff)
	}
	var steps []string
	for _, s := range r.Alignments[1].Walk.Steps {
		steps = append(steps, fmt.Sprintf("%s %s %v", s.Domain, s.Outcome, s.Again))
	}
	want := []string{"signing.example.com record false", "example.com record true", "com none true"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Error(diff)
	}
}

func TestExistenceIsAskedOnlyWhereItMatters(t *testing.T) {
	for _, tc := range []struct {
		name, record, from string
		asked              bool
	}{
		{"NoNP", "v=DMARC1; p=none; sp=reject", "a.example.com", false},
		{"DomainItself", "v=DMARC1; p=none; np=reject", "example.com", false},
		{"Subdomain", "v=DMARC1; p=none; np=reject", "a.example.com", true},
		{"Defective", "v=DMARC1; p=x; np=reject; rua=mailto:a@example.com", "a.example.com", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := dmarc.Evaluate(context.Background(), world{txt: txt{"_dmarc.example.com": {tc.record}}}.zone(t), dmarc.Input{From: []string{tc.from}}, nil)
			if got := r.Applied.Question != nil; got != tc.asked {
				t.Errorf("asked: %v", got)
			}
		})
	}
}

func TestSeveralAuthors(t *testing.T) {
	w := world{txt: txt{}}
	var from []string
	for i := range 10 {
		d := fmt.Sprintf("d%d.example", i)
		from = append(from, d)
		w.txt["_dmarc."+d] = []string{"v=DMARC1; p=quarantine"}
	}
	w.txt["_dmarc.d2.example"] = []string{"v=DMARC1; p=reject"}
	r := dmarc.Evaluate(context.Background(), w.zone(t), dmarc.Input{From: from, SPF: &dmarc.Identifier{Domain: "d0.example", Status: "pass"}}, nil)
	var got []string
	for _, e := range r.Each {
		got = append(got, summary(e))
	}
	want := []string{
		"pass aligned; org d0.example; author:d0.example p=quarantine; spf identical d0.example; then none",
		"fail not-aligned; org d1.example; author:d1.example p=quarantine; spf other-org d0.example; then quarantine",
		"fail not-aligned; org d2.example; author:d2.example p=reject; spf other-org d0.example; then reject",
		"fail not-aligned; org d3.example; author:d3.example p=quarantine; spf other-org d0.example; then quarantine",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Status != dmarc.StatusNone || r.Disposition != dmarc.PolicyReject || r.Authors != 10 || !r.Incomplete || r.Author != "" {
		t.Errorf("%s, %s, %d authors, incomplete %v, author %q", r.Status, r.Disposition, r.Authors, r.Incomplete, r.Author)
	}
}

func TestSeveralAuthorsOneOfThemNoName(t *testing.T) {
	w := world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}}
	r := dmarc.Evaluate(context.Background(), w.zone(t), dmarc.Input{From: []string{"[192.0.2.1]", "", "example.com", "[192.0.2.1]"}}, nil)
	if r.Reason != dmarc.ReasonManyFrom || r.Authors != 2 || len(r.Each) != 2 || r.Each[0].Reason != dmarc.ReasonBadFrom || r.Disposition != dmarc.PolicyReject {
		t.Errorf("%+v", r)
	}
}

// TestPublicSuffixMethod compares what the two methods find.
func TestPublicSuffixMethod(t *testing.T) {
	for _, tc := range []struct {
		name      string
		world     world
		mail      mail
		psl, tree string
	}{
		{
			"RecordBetweenIsSkipped",
			world{txt: txt{"_dmarc.b.example.com": {"v=DMARC1; p=reject"}}},
			mail{from: "a.b.example.com", dkim: []string{"b.example.com"}},
			"none no-record; org example.com; then none",
			"pass aligned; org b.example.com; organizational:b.example.com p=reject; dkim same-org b.example.com; then none",
		},
		{
			"ParentWithoutARecordAligns",
			world{txt: txt{"_dmarc.mail.example.com": {"v=DMARC1; p=reject"}}},
			mail{from: "mail.example.com", dkim: []string{"example.com"}},
			"pass aligned; org example.com; author:mail.example.com p=reject; dkim same-org example.com; then none",
			"fail not-aligned; org mail.example.com; author:mail.example.com p=reject; dkim other-org example.com; then reject",
		},
		{
			"TenantsOfASuffixDoNotAlign",
			world{txt: txt{"_dmarc.github.io": {"v=DMARC1; p=reject"}}},
			mail{from: "kiso.github.io", dkim: []string{"sato.github.io"}},
			"none no-record; org kiso.github.io; then none",
			"pass aligned; org github.io; organizational:github.io p=reject; dkim same-org github.io; then none",
		},
		{
			"TwoLabelSuffix",
			world{txt: txt{"_dmarc.kiso.co.jp": {"v=DMARC1; p=quarantine; sp=reject"}}},
			mail{from: "a.b.kiso.co.jp", spf: "c.kiso.co.jp"},
			"pass aligned; org kiso.co.jp; organizational:kiso.co.jp sp=reject; spf same-org kiso.co.jp; then none",
			"pass aligned; org kiso.co.jp; organizational:kiso.co.jp sp=reject; spf same-org kiso.co.jp; then none",
		},
		{
			"SuffixItself",
			world{txt: txt{"_dmarc.co.jp": {"v=DMARC1; p=reject"}}},
			mail{from: "co.jp", spf: "kiso.co.jp"},
			"fail not-aligned; org co.jp; author:co.jp p=reject; spf other-org kiso.co.jp; then reject",
			"pass aligned; org co.jp; author:co.jp p=reject; spf same-org co.jp; then none",
		},
		{
			"StrictIsStrict",
			world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; adkim=s; aspf=s"}}},
			mail{from: "example.com", spf: "a.example.com", dkim: []string{"b.example.com"}},
			"fail not-aligned; org example.com; author:example.com p=reject; spf strict; dkim strict; then reject",
			"fail not-aligned; org example.com; author:example.com p=reject; spf strict; dkim strict; then reject",
		},
		{
			"DNSFails",
			world{faults: map[string]resolve.RCode{"_dmarc.example.com": resolve.Timeout}},
			mail{from: "a.example.com", spf: "a.example.com"},
			"temperror dns; org example.com; then none",
			"temperror dns; then none",
		},
		{
			"DNSAboveDoesNotMatter",
			world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}, faults: map[string]resolve.RCode{"_dmarc.com": resolve.Timeout}},
			mail{from: "example.com", spf: "a.example.com"},
			"pass aligned; org example.com; author:example.com p=reject; spf same-org example.com; then none",
			"temperror dns; author:example.com p=reject; spf unknown; then none",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for method, want := range map[dmarc.Method]string{dmarc.MethodPSL: tc.psl, dmarc.MethodTreeWalk: tc.tree} {
				r := dmarc.Evaluate(context.Background(), tc.world.zone(t), tc.mail.input(), &dmarc.Options{Method: method})
				if diff := cmp.Diff(want, summary(r)); diff != "" {
					t.Errorf("%s: %s", method, diff)
				}
				if r.Method != method || r.Walk.Method != method {
					t.Errorf("method %q, walk %q", r.Method, r.Walk.Method)
				}
			}
		})
	}
}

type suffixes map[string]string

func (s suffixes) PublicSuffix(name string) string { return s[name] }

// TestOtherSuffixList uses lists that a user might load, broken ones included.
func TestOtherSuffixList(t *testing.T) {
	for suffix, want := range map[string]domain.Name{
		"example.com": "a.example.com", "com": "example.com", "": "b.a.example.com",
		"other.example": "b.a.example.com", "ample.com": "b.a.example.com", "b.a.example.com": "b.a.example.com",
	} {
		r := dmarc.Evaluate(context.Background(), resolve.Offline(), dmarc.Input{From: []string{"b.a.example.com"}},
			&dmarc.Options{Method: dmarc.MethodPSL, Suffixes: suffixes{"b.a.example.com": suffix}})
		if r.Org != want {
			t.Errorf("suffix %q: organizational domain %q, want %q", suffix, r.Org, want)
		}
	}
}

// TestSuffixMethodIsThatOfRFC7489 draws names and compares with the definition.
func TestSuffixMethodIsThatOfRFC7489(t *testing.T) {
	label := rapid.SampledFrom([]string{"a", "kiso", "co", "jp", "com", "github", "io", "uk", "www", "tokyo", "xn--wgv71a", "ck"})
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(rapid.SliceOfN(label, 1, 6).Draw(t, "labels"), ".")
		want, err := publicsuffix.EffectiveTLDPlusOne(name)
		if err != nil {
			want = name
		}
		r := dmarc.Evaluate(context.Background(), resolve.Offline(), dmarc.Input{From: []string{name}}, &dmarc.Options{Method: dmarc.MethodPSL})
		if string(r.Org) != want {
			t.Fatalf("%s: %s, want %s", name, r.Org, want)
		}
	})
}

func TestNoQuestions(t *testing.T) {
	r := dmarc.Evaluate(context.Background(), resolve.Offline(), mail{from: "example.com", spf: "example.com"}.input(), nil)
	if got := summary(r); got != "temperror not-asked; then none" {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r = dmarc.Evaluate(ctx, world{}.zone(t), mail{from: "example.com", spf: "example.com"}.input(), nil)
	if got := summary(r); got != "temperror ended; then none" {
		t.Error(got)
	}
}

// TestQuestionsAreBounded sends what asks for the most.
func TestQuestionsAreBounded(t *testing.T) {
	w := world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject; np=reject"}}}
	in := dmarc.Input{From: []string{"a.b.c.d.e.f.g.h.i.j.k.example.com"}, SPF: &dmarc.Identifier{Domain: "x.y.z.example.com", Status: "fail"}}
	for i := range 10_000 {
		in.DKIM = append(in.DKIM, dmarc.Identifier{Domain: fmt.Sprintf("a%d.b%d.c%d.d%d.e%d.f%d.g%d.h%d.example.com", i, i, i, i, i, i, i, i), Status: "pass"})
	}
	limit := resolve.NewLimit(w.zone(t), 1_000_000)
	r := dmarc.Evaluate(context.Background(), limit, in, nil)
	if n := limit.Asked(); n > 100 {
		t.Errorf("%d questions", n)
	}
	if r.Status != dmarc.StatusPass || !r.Incomplete || len(r.Alignments) > 50 {
		t.Errorf("%s, incomplete %v, %d identifiers", r.Status, r.Incomplete, len(r.Alignments))
	}
}

// TestStrangersDoNotUseUpTheWalks has signatures of other domains in front of
// the one that counts.
func TestStrangersDoNotUseUpTheWalks(t *testing.T) {
	w := world{txt: txt{"_dmarc.example.com": {"v=DMARC1; p=reject"}}}
	in := dmarc.Input{From: []string{"example.com"}}
	for i := range 30 {
		in.DKIM = append(in.DKIM, dmarc.Identifier{Domain: fmt.Sprintf("d%d.example.net", i), Status: "pass"})
	}
	in.DKIM = append(in.DKIM, dmarc.Identifier{Domain: "mail.example.com", Status: "pass"})
	r := dmarc.Evaluate(context.Background(), w.zone(t), in, nil)
	if r.Status != dmarc.StatusPass || r.Incomplete {
		t.Errorf("%s, incomplete %v", r.Status, r.Incomplete)
	}
}

// TestWhatLooksLikeARecord checks what the step says about near misses.
func TestWhatLooksLikeARecord(t *testing.T) {
	w := world{txt: txt{"_dmarc.example.com": {"v=dmarc1; p=reject", "google-site-verification=x", "p=none", "v=DMARC1 p=none"}}}
	r := dmarc.Evaluate(context.Background(), w.zone(t), dmarc.Input{From: []string{"example.com"}}, nil)
	s := r.Walk.Steps[0]
	if len(s.Rejected) != 3 || s.Outcome != dmarc.OutcomeNone {
		t.Errorf("%s, %q", s.Outcome, s.Rejected)
	}
}

func TestNameTooLongToAsk(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4) + "com" // 247: "_dmarc." does not fit
	w := world{txt: txt{"_dmarc.com": {"v=DMARC1; p=quarantine"}}}
	r := dmarc.Evaluate(context.Background(), w.zone(t), dmarc.Input{From: []string{long}}, nil)
	if got := summary(r); r.Walk.Steps[0].Outcome != dmarc.OutcomeBadName || got != "fail unauthenticated; org com; organizational:com p=quarantine; then quarantine" {
		t.Errorf("%s %s", r.Walk.Steps[0].Outcome, got)
	}
}

// TestMessages checks that everything in every result of the tables says
// something.
func TestMessages(t *testing.T) {
	var check func(r dmarc.Result)
	check = func(r dmarc.Result) {
		checkSpeech(t, string(r.Reason), r.Message())
		if r.Applied != nil {
			checkSpeech(t, "policy", r.Applied.Message(r.Author))
		}
		walks := []*dmarc.Walk{r.Walk}
		for _, a := range r.Alignments {
			checkSpeech(t, string(a.Reason), a.Message(r.Author))
			walks = append(walks, a.Walk)
		}
		for _, w := range walks {
			if w == nil {
				continue
			}
			checkSpeech(t, "walk of "+string(w.Start), w.Message())
			for _, s := range w.Steps {
				checkSpeech(t, s.Name, s.Message())
			}
		}
		for _, e := range r.Each {
			check(e)
		}
	}
	for _, tc := range conformance {
		for _, m := range []dmarc.Method{dmarc.MethodTreeWalk, dmarc.MethodPSL} {
			check(dmarc.Evaluate(context.Background(), tc.world.zone(t), tc.mail.input(), &dmarc.Options{Method: m}))
		}
		check(dmarc.Evaluate(context.Background(), resolve.Offline(), tc.mail.input(), nil))
	}
}

// FuzzEvaluate draws names and a record and checks what must always hold.
func FuzzEvaluate(f *testing.F) {
	f.Add("a.example.com", "v=DMARC1; p=reject; np=none", "b.example.com", true, false)
	f.Add("例.example", "v=DMARC1; p=reject; adkim=s; psd=y", "xn--fsq.example", true, true)
	f.Add("[192.0.2.1]", "v=DMARC1", "..", false, false)
	f.Add("a.b.c.d.e.f.g.h.i.example", "v=DMARC1; psd=n; p=x; rua=mailto:a@b.example", "i.example", true, false)
	f.Fuzz(func(t *testing.T, from, record, signer string, pass, psl bool) {
		w := world{txt: txt{}}
		if n, err := domain.Parse(from); err == nil {
			for up := n; up != ""; up = up.Parent().Parent() {
				if _, ok := resolve.Normalize("_dmarc." + string(up)); ok {
					w.txt["_dmarc."+string(up)] = []string{record}
				}
			}
		}
		in := dmarc.Input{From: []string{from}, DKIM: []dmarc.Identifier{{Domain: signer, Status: map[bool]string{true: "pass", false: "fail"}[pass]}}}
		opts := &dmarc.Options{Method: map[bool]dmarc.Method{true: dmarc.MethodPSL, false: dmarc.MethodTreeWalk}[psl]}
		limit := resolve.NewLimit(w.zone(t), 1000)
		r := dmarc.Evaluate(context.Background(), limit, in, opts)
		if limit.Asked() > 17 {
			t.Errorf("%d questions", limit.Asked())
		}
		if r.Status == dmarc.StatusPass && !pass {
			t.Error("passes without anything that passed")
		}
		if r.Status != dmarc.StatusFail && r.Disposition != dmarc.PolicyNone {
			t.Errorf("%s asks for %s", r.Status, r.Disposition)
		}
		if r.Org != "" && !r.Author.IsSubdomainOf(r.Org) {
			t.Errorf("%s is not below %s", r.Author, r.Org)
		}
		if r.Status == dmarc.StatusPass {
			a := r.Alignments[0]
			if a.Mode == dmarc.ModeStrict && a.Domain != r.Author || !a.Domain.IsSubdomainOf(r.Org) {
				t.Errorf("%s passes for %s", a.Domain, r.Author)
			}
		}
		checkSpeech(t, string(r.Reason), r.Message())
	})
}
