package arc_test

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

const plain = `From: Aiko Sato <aiko@sender.example>
To: list@lists.example
Subject: Quarterly  numbers
Date: Tue, 24 Nov 2026 09:00:00 +0900
Message-ID: <1@sender.example>

Hello,

the numbers  are in.
`

const authResults = "mx.lists.example; spf=pass smtp.mailfrom=sender.example; dkim=pass header.d=sender.example"

func now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func listKey() dkimtest.Key { return dkimtest.Ed25519("lists.example", "a1") }

func relayKey() dkimtest.Key { return dkimtest.RSA1024("relay.example", "a2") }

// records is a zone with a TXT record at each name.
func records(t testing.TB, m map[string]string) resolve.Resolver {
	t.Helper()
	all := map[string][]string{}
	for name, text := range m {
		all[name] = []string{"TXT " + text}
	}
	z, err := zone.FromMap(all)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func keys(t testing.TB) resolve.Resolver {
	t.Helper()
	return records(t, map[string]string{listKey().Name(): listKey().Record(), relayKey().Name(): relayKey().Record()})
}

// chain seals the message n times, by the list and the relay in turn.
func chain(n int) []byte {
	raw := []byte(plain)
	for i := 1; i <= n; i++ {
		cv, k := "pass", relayKey()
		if i == 1 {
			cv = "none"
		}
		if i%2 == 1 {
			k = listKey()
		}
		raw = dkimtest.Seal(raw, k, i, cv, authResults, nil)
	}
	return raw
}

func validate(t testing.TB, r resolve.Resolver, raw []byte, o *arc.Options) arc.Chain {
	t.Helper()
	c, err := arc.Validate(context.Background(), r, eml.Parse(raw, nil), now(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChains(t *testing.T) {
	for _, n := range []int{1, 2, 3, 49, 50} {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			raw := chain(n)
			for _, raw := range [][]byte{raw, bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))} {
				c := validate(t, keys(t), raw, nil)
				if !c.Strict() || len(c.Sets) != n || c.OldestPass != 0 || c.TrustedFrom != 0 {
					t.Errorf("%s %s (set %d %s), %d sets, violations %v", c.Status, c.Reason, c.Instance, c.Field, len(c.Sets), c.Violations)
				}
			}
		})
	}
	if c := validate(t, keys(t), []byte(plain), nil); c.Status != arc.StatusNone || c.Reason != "" || c.Newest() != nil {
		t.Errorf("no sets: %s %s", c.Status, c.Reason)
	}
}

func TestSetFields(t *testing.T) {
	c := validate(t, keys(t), chain(2), &arc.Options{Trusted: []domain.Name{"relay.example"}})
	type view struct {
		Instance             int
		Sealer               domain.Name
		Selector, CV, ServID string
		Trusted              bool
		Seal, Message        dkim.Status
		DKIM                 string
	}
	var got []view
	for _, s := range c.Sets {
		d := s.Results.All("dkim")
		if len(d) != 1 {
			t.Fatalf("results %+v", s.Results)
		}
		got = append(got, view{s.Instance, s.Sealer, s.Selector, s.CV, s.Results.ServID, s.Trusted, s.Seal.Status, s.Message.Status, d[0].Value.Text})
	}
	want := []view{
		{1, "lists.example", "a1", "none", "mx.lists.example", false, dkim.StatusPass, dkim.StatusPass, "pass"},
		{2, "relay.example", "a2", "pass", "mx.lists.example", true, dkim.StatusPass, dkim.StatusPass, "pass"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTrust(t *testing.T) {
	for _, tc := range []struct {
		name    string
		trusted []domain.Name
		want    int
	}{
		{"Nobody", nil, 0},
		{"Newest", []domain.Name{"lists.example"}, 3},
		{"NotNewest", []domain.Name{"relay.example"}, 0},
		{"All", []domain.Name{"relay.example", "lists.example"}, 1},
		{"ParentDomain", []domain.Name{"example"}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if c := validate(t, keys(t), chain(3), &arc.Options{Trusted: tc.trusted}); c.TrustedFrom != tc.want {
				t.Errorf("trusted from %d, want %d", c.TrustedFrom, tc.want)
			}
		})
	}
	broken := bytes.Replace(chain(3), []byte("Hello"), []byte("Hullo"), 1)
	if c := validate(t, keys(t), broken, &arc.Options{Trusted: []domain.Name{"relay.example", "lists.example"}}); c.TrustedFrom != 0 {
		t.Errorf("a broken chain is trusted from %d", c.TrustedFrom)
	}
}

// TestOldestPass changes the message between two seals.
func TestOldestPass(t *testing.T) {
	for n := 2; n <= 4; n++ {
		raw := bytes.Replace(chain(n-1), []byte("Hello"), []byte("[list] Hello"), 1)
		k := relayKey()
		if n%2 == 1 {
			k = listKey()
		}
		c := validate(t, keys(t), dkimtest.Seal(raw, k, n, "pass", authResults, nil), nil)
		if c.Status != arc.StatusPass || c.OldestPass != n {
			t.Errorf("%d sets: %s %s, oldest pass %d", n, c.Status, c.Reason, c.OldestPass)
		}
	}
}

// TestNegatives is every way for a chain of two to be wrong, one at a time.
func TestNegatives(t *testing.T) {
	const as2, ams2, aar2 = "ARC-Seal: i=2", "ARC-Message-Signature: i=2", "ARC-Authentication-Results: i=2"
	const as1, ams1, aar1 = "ARC-Seal: i=1", "ARC-Message-Signature: i=1", "ARC-Authentication-Results: i=1"
	second := func(cv string, o *dkimtest.Options) []byte {
		return dkimtest.Seal(chain(1), relayKey(), 2, cv, authResults, o)
	}
	for _, tc := range []struct {
		name     string
		raw      []byte // chain(2) where nil
		old, new string
		zone     map[string][]string
		want     arc.Reason
		instance int
		field    string
	}{
		{name: "BodyChanged", old: "Hello", new: "Hullo", want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "SubjectChanged", old: "Quarterly", new: "Yearly", want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "NewestResultsChanged", old: aar2 + "; mx.lists", new: aar2 + "; mx.other", want: arc.SealFails, instance: 2, field: arc.SealField},
		{name: "OldestResultsChanged", old: aar1 + "; mx.lists", new: aar1 + "; mx.other", want: arc.SealFails, instance: 2, field: arc.SealField},
		{name: "OldestMessageChanged", old: ams1, new: ams1 + "; zz=1", want: arc.SealFails, instance: 2, field: arc.SealField},
		{name: "SealChanged", old: as2, new: as2 + "; zz=1", want: arc.SealFails, instance: 2, field: arc.SealField},
		{name: "SealsOfNoChain", raw: dkimtest.Seal(bytes.Replace(chain(1), []byte(as1), []byte(as1+"; zz=1"), 1), relayKey(), 2, "pass", authResults, nil), want: arc.SealFails, instance: 1, field: arc.SealField},
		{name: "NoSealOfNewest", old: as2, new: "X-Seal: i=2", want: arc.MissingField, instance: 2, field: arc.SealField},
		{name: "NoMessageOfNewest", old: ams2, new: "X-Sig: i=2", want: arc.MissingField, instance: 2, field: arc.MessageField},
		{name: "NoResultsOfNewest", old: aar2, new: "X-Res: i=2", want: arc.MissingField, instance: 2, field: arc.ResultsField},
		{name: "NoSealOfOldest", old: as1, new: "X-Seal: i=1", want: arc.MissingField, instance: 1, field: arc.SealField},
		{name: "Gap", raw: dkimtest.Seal([]byte(plain), relayKey(), 2, "pass", authResults, nil), want: arc.MissingSet, instance: 1},
		{name: "SealTwice", old: as2, new: as2 + "; a=x\r\n" + as2, want: arc.DuplicateField, instance: 2, field: arc.SealField},
		{name: "ResultsTwice", old: aar1, new: aar1 + "; x\r\n" + aar1, want: arc.DuplicateField, instance: 1, field: arc.ResultsField},
		{name: "Instance0", old: as2, new: "ARC-Seal: i=0", want: arc.BadInstance, field: arc.SealField},
		{name: "Instance51", old: as2, new: "ARC-Seal: i=51", want: arc.BadInstance, field: arc.SealField},
		{name: "InstanceHuge", old: as2, new: "ARC-Seal: i=4294967298", want: arc.BadInstance, field: arc.SealField},
		{name: "InstanceWord", old: ams2, new: "ARC-Message-Signature: i=two", want: arc.BadInstance, field: arc.MessageField},
		{name: "InstanceMissing", old: ams2, new: "ARC-Message-Signature: j=2", want: arc.BadInstance, field: arc.MessageField},
		{name: "ResultsInstanceLate", old: aar2 + ";", new: "ARC-Authentication-Results: x; i=2;", want: arc.BadInstance, field: arc.ResultsField},
		{name: "ResultsInstanceInComment", old: aar2 + ";", new: "ARC-Authentication-Results: (i=2;", want: arc.BadInstance, field: arc.ResultsField},
		{name: "ResultsInstanceUpperCase", old: aar2, new: "ARC-Authentication-Results: I=2", want: arc.BadInstance, field: arc.ResultsField},
		{name: "SealedAsFailed", raw: second("fail", nil), want: arc.SealedAsFailed, instance: 2, field: arc.SealField},
		{name: "NoneInTheMiddle", raw: second("none", nil), want: arc.WrongCV, instance: 2, field: arc.SealField},
		{name: "PassAtTheStart", raw: dkimtest.Seal([]byte(plain), relayKey(), 1, "pass", authResults, nil), want: arc.WrongCV, instance: 1, field: arc.SealField},
		{name: "CVUnknown", raw: second("maybe", nil), want: arc.WrongCV, instance: 2, field: arc.SealField},
		{name: "CVEmpty", raw: second("", nil), want: arc.WrongCV, instance: 2, field: arc.SealField},
		{name: "SealWithHeaders", old: as2, new: as2 + "; h=from", want: arc.BadSeal, instance: 2, field: arc.SealField},
		{name: "SealNoTags", old: as2 + ";", new: as2 + ";;", want: arc.BadInstance, field: arc.SealField},
		{name: "SealAlgorithm", old: as2 + "; a=rsa-sha256", new: as2 + "; a=rsa-sha1", want: arc.BadSeal, instance: 2, field: arc.SealField},
		{name: "MessageAlgorithm", old: ams2 + ";\r\n\ta=rsa-sha256", new: ams2 + ";\r\n\ta=rsa-sha1", want: arc.BadMessage, instance: 2, field: arc.MessageField},
		{name: "MessageCoversSeals", raw: second("pass", &dkimtest.Options{Headers: []string{"From", "ARC-Seal"}}), want: arc.BadMessage, instance: 2, field: arc.MessageField},
		{name: "MessageExpired", raw: second("pass", &dkimtest.Options{Tags: []string{"x=1700000000"}}), want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "MessageTooShort", raw: second("pass", &dkimtest.Options{Length: 5000}), want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "ResultsTooLong", raw: dkimtest.Seal([]byte(plain), relayKey(), 1, "none", authResults+strings.Repeat(" (x)", 20_000), nil), want: arc.BadResults, instance: 1, field: arc.ResultsField},
		{name: "KeyGone", zone: map[string][]string{listKey().Name(): {"TXT " + listKey().Record()}}, want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "OldestKeyGone", zone: map[string][]string{relayKey().Name(): {"TXT " + relayKey().Record()}}, want: arc.SealFails, instance: 1, field: arc.SealField},
		{name: "KeyOfAnother", zone: map[string][]string{listKey().Name(): {"TXT " + listKey().Record()}, relayKey().Name(): {"TXT " + dkimtest.RSA2048("", "").Record()}}, want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "ServFail", zone: map[string][]string{listKey().Name(): {"TXT " + listKey().Record()}, relayKey().Name(): {"SERVFAIL"}}, want: arc.KeyUnavailable, instance: 2, field: arc.MessageField},
		{name: "ServFailAndBroken", old: "Hello", new: "Hullo", zone: map[string][]string{listKey().Name(): {"SERVFAIL"}, relayKey().Name(): {"TXT " + relayKey().Record()}}, want: arc.MessageFails, instance: 2, field: arc.MessageField},
		{name: "TimeoutThenBroken", old: as2, new: as2 + "; zz=1", zone: map[string][]string{relayKey().Name(): {"TXT " + relayKey().Record()}, listKey().Name(): {"TIMEOUT"}}, want: arc.SealFails, instance: 2, field: arc.SealField},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := tc.raw
			if raw == nil {
				raw = chain(2)
			}
			if !bytes.Contains(raw, []byte(tc.old)) {
				t.Fatalf("%q is not in the message", tc.old)
			}
			raw = bytes.Replace(raw, []byte(tc.old), []byte(tc.new), 1)
			r := keys(t)
			if tc.zone != nil {
				z, err := zone.FromMap(tc.zone)
				if err != nil {
					t.Fatal(err)
				}
				r = z
			}
			c := validate(t, r, raw, nil)
			if c.Reason != tc.want || c.Instance != tc.instance || c.Field != tc.field || c.Status != tc.want.Status() {
				t.Errorf("got %s %s, set %d %s; want %s, set %d %s", c.Status, c.Reason, c.Instance, c.Field, tc.want, tc.instance, tc.field)
			}
			if c.OldestPass != 0 || c.TrustedFrom != 0 {
				t.Errorf("oldest pass %d, trusted from %d", c.OldestPass, c.TrustedFrom)
			}
		})
	}
}

func TestNotChecked(t *testing.T) {
	if c := validate(t, resolve.Offline(), chain(2), nil); c.Status != arc.StatusTempError || c.Reason != arc.NotAsked {
		t.Errorf("offline: %s %s", c.Status, c.Reason)
	}
	spent := budget.New(nil)
	spent.Cost = 5
	v := dkim.NewVerifier(keys(t), eml.Parse(chain(2), nil), now(), &dkim.Options{Budget: spent})
	if c, err := arc.ValidateWith(context.Background(), v, nil); err != nil || c.Reason != arc.OutOfBudget || c.Status != arc.StatusTempError {
		t.Errorf("budget: %s %s, error %v", c.Status, c.Reason, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if c, err := arc.Validate(ctx, keys(t), eml.Parse(chain(2), nil), now(), nil); !errors.Is(err, context.Canceled) || c.Status != arc.StatusTempError {
		t.Errorf("context: %s %s, error %v", c.Status, c.Reason, err)
	}
}

func TestViolations(t *testing.T) {
	seal := func(results string, o *dkimtest.Options) []byte {
		return dkimtest.Seal([]byte(plain), listKey(), 1, "none", results, o)
	}
	for _, tc := range []struct {
		name string
		raw  []byte
		want []arc.Violation
	}{
		{"None", seal(authResults, nil), nil},
		{"CoversARC", dkimtest.Seal(chain(1), relayKey(), 2, "pass", authResults, &dkimtest.Options{Headers: []string{"From", "arc-authentication-results"}}), []arc.Violation{{2, arc.CoversARC, "arc-authentication-results"}}},
		{"CoversResults", dkimtest.Seal([]byte("Authentication-Results: a; none\n"+plain), listKey(), 1, "none", authResults, &dkimtest.Options{Headers: []string{"From", "Authentication-Results"}}), []arc.Violation{{1, arc.CoversResults, "Authentication-Results"}}},
		{"NoFrom", seal(authResults, &dkimtest.Options{Headers: []string{"Subject"}}), []arc.Violation{{1, arc.FromNotCovered, "From"}}},
		{"NoHeaders", seal(authResults, &dkimtest.Options{Headers: []string{}}), []arc.Violation{{1, arc.FromNotCovered, "From"}, {1, arc.EmptyHeaders, "h"}}},
		{"EmptyName", seal(authResults, &dkimtest.Options{Headers: []string{"From", "", "To"}}), []arc.Violation{{1, arc.EmptyHeaders, "h"}}},
		{"Version", seal(authResults, &dkimtest.Options{Tags: []string{"v=1"}}), []arc.Violation{{1, arc.VersionTag, "v"}}},
		{"CanonDefault", seal(authResults, &dkimtest.Options{Set: map[string]string{"c": "-"}}), []arc.Violation{{1, arc.CanonDefault, "c"}}},
		{"ResultsSyntax", seal("mx.lists.example; hello", nil), []arc.Violation{{1, arc.ResultsSyntax, arc.ResultsField}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := validate(t, keys(t), tc.raw, nil)
			if c.Status != arc.StatusPass || c.Strict() != (tc.want == nil) {
				t.Errorf("%s %s, strict %v", c.Status, c.Reason, c.Strict())
			}
			if diff := cmp.Diff(tc.want, c.Violations); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestViolationsOfBroken lists them also where the chain does not hold.
func TestViolationsOfBroken(t *testing.T) {
	raw := bytes.Replace(chain(2), []byte("ARC-Seal: i=2"), []byte("ARC-Seal: i=2; c=relaxed; bh=AAAA"), 1)
	c := validate(t, keys(t), raw, nil)
	want := []arc.Violation{{2, arc.SealTag, "bh"}}
	if diff := cmp.Diff(want, c.Violations); diff != "" || c.Reason != arc.SealFails {
		t.Errorf("%s: %s", c.Reason, diff)
	}
}

// TestSharedWork checks that a verifier which has checked DKIM asks nothing
// again for ARC with the same key.
func TestSharedWork(t *testing.T) {
	raw := chain(2)
	raw = dkimtest.Sign(raw, listKey(), nil)
	n := 0
	under := keys(t)
	r := counting{under, &n}
	v := dkim.NewVerifier(r, eml.Parse(raw, nil), now(), nil)
	res, err := v.Verify(context.Background())
	if err != nil || len(res.Signatures) != 1 || res.Signatures[0].Status != dkim.StatusPass {
		t.Fatalf("%+v, error %v", res, err)
	}
	c, err := arc.ValidateWith(context.Background(), v, nil)
	if err != nil || c.Status != arc.StatusPass {
		t.Fatalf("%s %s, error %v", c.Status, c.Reason, err)
	}
	if n != 2 {
		t.Errorf("%d questions, want 2", n)
	}
}

type counting struct {
	resolve.Resolver
	n *int
}

func (c counting) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	*c.n++
	return c.Resolver.Lookup(ctx, name, t)
}

func TestHostile(t *testing.T) {
	field := func(name string, n int) string {
		return strings.Repeat(name+": i=1; a=rsa-sha256; b=AAAA; cv=none; d=a.example; s=b\n", n)
	}
	for _, tc := range []struct {
		name string
		raw  string
		want arc.Reason
	}{
		{"ManySeals", field("ARC-Seal", 15_000) + plain, arc.DuplicateField},
		{"ManyOfAll", field("ARC-Seal", 5_000) + field("ARC-Message-Signature", 5_000) + field("ARC-Authentication-Results", 5_000) + plain, arc.DuplicateField},
		{"DeepComment", "ARC-Authentication-Results: " + strings.Repeat("(", 60_000) + "i=1;\n" + plain, arc.BadInstance},
		{"LongSeal", "ARC-Seal: i=1; zz=" + strings.Repeat("a", 200_000) + "\n" + plain, arc.BadInstance},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := eml.Parse([]byte(tc.raw), nil)
			start := time.Now()
			c, err := arc.Validate(context.Background(), keys(t), m, now(), nil)
			if err != nil || c.Reason != tc.want {
				t.Errorf("%s %s, error %v", c.Status, c.Reason, err)
			}
			if took := time.Since(start); took > 5*time.Second && !testing.Short() {
				t.Errorf("took %s", took)
			}
		})
	}
}

// FuzzValidate checks what holds for every message: nothing passes under a key
// that sealed nothing, and what is said of a chain fits together.
func FuzzValidate(f *testing.F) {
	f.Add(chain(1))
	f.Add(chain(3))
	f.Add([]byte("ARC-Seal: i=1\nARC-Message-Signature: i=1\nARC-Authentication-Results: i=1;\n\n"))
	f.Add([]byte("ARC-Authentication-Results: (a(b)\\)) i = 50 (c);\n\n"))
	other := dkimtest.RSA2048("", "").Record()
	r := answers(func() resolve.Answer {
		return resolve.Answer{Records: []resolve.Record{{Type: resolve.TypeTXT, Text: other}}}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := arc.Validate(context.Background(), r, eml.Parse(raw, nil), now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.Status == arc.StatusPass {
			t.Errorf("a chain by nobody passes: %q", raw)
		}
		if c.Status != arc.StatusNone && c.Status != c.Reason.Status() || len(c.Sets) > arc.MaxSets {
			t.Errorf("%s %q, %d sets", c.Status, c.Reason, len(c.Sets))
		}
	})
}

type answers func() resolve.Answer

func (f answers) Lookup(context.Context, string, resolve.Type) (resolve.Answer, error) {
	return f(), nil
}
