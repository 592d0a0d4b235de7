package desk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func lookalikeZone(t *testing.T) *zone.Zone {
	t.Helper()
	f, err := os.Open("../../examples/lookalikes.zone")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	z, err := zone.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func lookalikes(t *testing.T, in desk.LookalikesInput, r resolve.Resolver, facts org.Facts) *desk.LookalikesReport {
	t.Helper()
	list, err := desk.Lookalikes(context.Background(), in, desk.LookalikesDeps{Resolver: r, Facts: facts, Now: func() time.Time { return end }})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d reports, %v", len(list), err)
	}
	return list[0]
}

func TestLookalikes(t *testing.T) {
	rep := lookalikes(t, desk.LookalikesInput{}, lookalikeZone(t), kiso)
	var got []string
	for _, v := range rep.Lookalikes {
		got = append(got, fmt.Sprintf("%s %s %s ours=%v receives=%s sends=%s do=%d", v.Name, v.State, v.Severity, v.Ours, v.Receives, v.Sends, len(v.Actions)))
	}
	want := []string{
		"kiso-vvorks.example registered high ours=false receives=yes sends=yes do=2",
		"kiso-works-login.example registered medium ours=false receives=possible sends=possible do=2",
		"kiso-wroks.example registered medium ours=false receives=yes sends=no do=2",
		"kiso-workss.example registered low ours=false receives=no sends=no do=1",
		"kisoworks.example registered info ours=true receives=yes sends=possible do=1",
		"kis0-works.example unknown info ours=false receives= sends= do=0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rep.Registered != 5 || rep.Mail != 2 || rep.Unknown != 1 || rep.NotAsked != 0 || rep.Free+6 != rep.Candidates || rep.Checked == nil {
		t.Errorf("%+v", rep)
	}
	if len(rep.NotChecked) != 1 || rep.NotChecked[0].Cause != finding.Failed {
		t.Errorf("not checked: %+v", rep.NotChecked)
	}
}

func TestLookalikesOwn(t *testing.T) {
	rep := lookalikes(t, desk.LookalikesInput{Own: []string{"kiso-vvorks.example", "KISO-WROKS.example."}}, lookalikeZone(t), kiso)
	for _, v := range rep.Lookalikes {
		if v.Name == "kiso-vvorks.example" || v.Name == "kiso-wroks.example" {
			t.Errorf("%s is ours", v.Name)
		}
	}
	if rep.Registered != 3 {
		t.Errorf("%d registered", rep.Registered)
	}
}

func TestLookalikesOffline(t *testing.T) {
	rep := lookalikes(t, desk.LookalikesInput{Domains: []string{"kiso-works.example"}, Max: 50}, nil, org.Facts{})
	if rep.Candidates != 50 || rep.NotAsked != 50 || len(rep.Lookalikes) != 50 || rep.Checked != nil || rep.NotChecked[0].Cause != finding.NotConfigured {
		t.Errorf("%+v", rep)
	}
}

func TestLookalikesQuestions(t *testing.T) {
	rep := lookalikes(t, desk.LookalikesInput{Domains: []string{"kiso-works.example"}, Questions: 30}, lookalikeZone(t), org.Facts{})
	if rep.NotAsked < 500 || rep.NotAsked == rep.Candidates {
		t.Errorf("%d of %d not asked", rep.NotAsked, rep.Candidates)
	}
	if !slices.ContainsFunc(rep.NotChecked, func(u desk.Unchecked) bool { return u.Cause == finding.Budget }) {
		t.Errorf("%+v", rep.NotChecked)
	}
}

// TestLookalikesProof tells what proves that a name is ours from what does not.
func TestLookalikesProof(t *testing.T) {
	for _, tc := range []struct {
		name    string
		records []string // of kisoworks.example
		ours    bool
		note    string
	}{
		{"OwnMailHost", []string{"MX 10 mx.kiso-works.example"}, true, "Its mail goes to your server"},
		{"HostNamedAfterUs", []string{"MX 10 kiso-works-example.mail.protection.outlook.com"}, true, "Its mail goes to your server"},
		{"OwnNameServer", []string{"NS ns.kiso-works.example"}, true, "answers for it"},
		{"SharedMail", []string{"NS ns9.host.test", "MX 10 mx.shared.test"}, false, "same mail servers"},
		{"SharedDNS", []string{"NS ns.dns.test", "MX 10 mx.host.test"}, false, "same name servers"},
		{"Stranger", []string{"NS ns9.host.test", "MX 10 mx.host.test"}, false, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			mx := "MX 10 kiso-works-example.mail.protection.outlook.com"
			if tc.name == "SharedMail" {
				mx = "MX 10 mx.shared.test"
			}
			z, err := zone.FromMap(map[string][]string{"kiso-works.example": {"NS ns.dns.test", mx}, "kisoworks.example": tc.records})
			if err != nil {
				t.Fatal(err)
			}
			rep := lookalikes(t, desk.LookalikesInput{}, z, kiso)
			if len(rep.Lookalikes) != 1 {
				t.Fatalf("%+v", rep.Lookalikes)
			}
			v := rep.Lookalikes[0]
			if v.Ours != tc.ours || !strings.Contains(v.Note.EN, tc.note) || tc.note == "" && v.Note.EN != "" {
				t.Errorf("ours %v, %q", v.Ours, v.Note.EN)
			}
		})
	}
}

func TestLookalikesErrors(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   desk.LookalikesInput
		kind desk.ErrorKind
	}{
		{"None", desk.LookalikesInput{}, desk.Invalid},
		{"NoName", desk.LookalikesInput{Domains: []string{"not a name"}}, desk.Invalid},
		{"Suffix", desk.LookalikesInput{Domains: []string{"co.jp"}}, desk.Invalid},
		{"OwnNoName", desk.LookalikesInput{Domains: []string{"kiso-works.example"}, Own: []string{"?"}}, desk.Invalid},
		{"Many", desk.LookalikesInput{Domains: make([]string, 51)}, desk.Limit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := desk.Lookalikes(context.Background(), tc.in, desk.LookalikesDeps{})
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.kind || e.Hint.IsZero() {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestLookalikesStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := desk.Lookalikes(ctx, desk.LookalikesInput{}, desk.LookalikesDeps{Resolver: lookalikeZone(t), Facts: kiso, Progress: func(int, int) {}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
