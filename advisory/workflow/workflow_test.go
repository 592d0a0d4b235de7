package workflow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/lang"
)

// The table answers for every role, state and act, and no two rows answer.
func TestTableIsTotal(t *testing.T) {
	rows := map[string]int{}
	for _, r := range workflow.Table() {
		rows[string(r.From)+" "+string(r.Act)]++
		if !slices.Contains(workflow.States(), r.From) || !slices.Contains(workflow.States(), r.To) || !slices.Contains(workflow.Acts(), r.Act) || !slices.Contains(workflow.Roles(), r.Role) {
			t.Errorf("a row with a word that is not listed: %+v", r)
		}
	}
	allowed := 0
	for _, s := range workflow.States() {
		for _, a := range workflow.Acts() {
			n := rows[string(s)+" "+string(a)]
			if n > 1 {
				t.Errorf("%d rows for %s in %s", n, a, s)
			}
			before := workflow.NotYours
			for _, r := range append([]workflow.Role{"", "admin"}, workflow.Roles()...) {
				next, why := workflow.Next(s, a, r)
				switch {
				case n == 0 && why != workflow.NotInIt, n == 1 && why == workflow.NotInIt:
					t.Errorf("%s %s %s: %q", s, a, r, why)
				case why != workflow.Allowed && next != s:
					t.Errorf("%s %s %s is refused and leads to %s", s, a, r, next)
				case why == workflow.Allowed && (r == "" || r == "admin" || r == workflow.Reader):
					t.Errorf("%s may %s in %s", r, a, s)
				case before == workflow.Allowed && why != workflow.Allowed && r != "":
					t.Errorf("%s may not %s in %s, and a smaller role may", r, a, s)
				}
				before = why
				if why == workflow.Allowed {
					allowed++
				}
			}
		}
	}
	if allowed == 0 {
		t.Error("nothing is allowed")
	}
}

// What leaves leaves from two states only, and only an approval leads there.
func TestOnlyApprovalLeadsOut(t *testing.T) {
	for _, r := range workflow.Table() {
		switch r.Act {
		case workflow.Export, workflow.Try, workflow.Send:
			if r.From != workflow.Approved && r.From != workflow.Sent {
				t.Errorf("%s from %s", r.Act, r.From)
			}
		default:
		}
		if r.To == workflow.Approved && r.From != workflow.Approved && (r.Act != workflow.Approve || r.Role != workflow.Approver) {
			t.Errorf("%s leads from %s to %s", r.Act, r.From, r.To)
		}
		if r.To == workflow.Sent && r.From != workflow.Approved && r.From != workflow.Sent {
			t.Errorf("%s leads from %s to %s", r.Act, r.From, r.To)
		}
	}
}

// Every state, act and fault has its words.
func TestWords(t *testing.T) {
	words := lang.Default()
	var keys []string
	for _, s := range workflow.States() {
		keys = append(keys, "approval.state."+string(s))
	}
	for _, a := range workflow.Acts() {
		keys = append(keys, "approval.act."+string(a), "approval.do."+string(a))
	}
	for _, f := range workflow.Faults() {
		keys = append(keys, "approval.fault."+string(f))
	}
	for _, k := range keys {
		if !words.Has(k) {
			t.Errorf("no words for %s", k)
		}
	}
}

func start() time.Time { return time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC) }

// steps writes a record: "keep submit approve:tanaka".
func steps(list string) []workflow.Step {
	var out []workflow.Step
	for i, word := range strings.Fields(list) {
		act, name, _ := strings.Cut(word, ":")
		s := workflow.Step{Number: i + 1, ID: "a", Version: 1, At: start().Add(time.Duration(i) * time.Minute), Name: name, Role: workflow.Approver, Act: workflow.Act(act), Hash: "h", Needed: 1, Key: "k"}
		if rest, ok := strings.CutPrefix(act, "2"); ok { // by the next version
			s.Act, s.ID, s.Version = workflow.Act(rest), "b", 2
		}
		out = append(out, s)
	}
	return out
}

func TestFollow(t *testing.T) {
	for _, tc := range []struct {
		name, list string
		approvals  int
		state      workflow.State
		fault      workflow.Fault
		may        bool
	}{
		{"Nothing", "", 1, workflow.Draft, "", false},
		{"Kept", "keep", 1, workflow.Draft, "", false},
		{"Submitted", "keep submit:a", 1, workflow.InReview, "", false},
		{"Approved", "keep submit:a approve:b", 1, workflow.Approved, "", true},
		{"OneOfTwo", "keep submit:a approve:b", 2, workflow.InReview, "", false},
		{"TwoOfTwo", "keep submit:a approve:b approve:c", 2, workflow.Approved, "", true},
		{"SameTwice", "keep submit:a approve:b approve:B", 2, workflow.InReview, workflow.Forbidden, false},
		{"ReturnedForgets", "keep submit:a approve:b return:b submit:a approve:c", 2, workflow.InReview, "", false},
		{"Sent", "keep submit:a approve:b try:a deliver:a", 1, workflow.Sent, "", true},
		{"DeliveredWithoutTry", "keep submit:a approve:b deliver:a", 1, workflow.Approved, workflow.Forbidden, false},
		{"DeliveredAfterWithdrawal", "keep submit:a approve:b try:a withdraw:b deliver:a", 1, workflow.Withdrawn, "", false},
		{"ApprovedFromDraft", "keep approve:b", 1, workflow.Draft, workflow.Forbidden, false},
		{"ApprovedAfterWithdrawal", "keep withdraw:a approve:b", 1, workflow.Withdrawn, workflow.Forbidden, false},
		{"NextVersion", "keep submit:a approve:b 2edit:a", 1, workflow.Superseded, "", false},
		{"NextVersionOfOneThatLeft", "keep submit:a approve:b send:a 2edit:a", 1, workflow.Sent, "", true},
		{"NextVersionLeft", "keep submit:a approve:b send:a 2edit:a 2submit:a 2approve:b 2send:a", 1, workflow.Superseded, "", false},
		{"ApprovalOfTheNextVersion", "keep submit:a 2approve:b", 1, workflow.InReview, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := workflow.Follow(steps(tc.list), &workflow.Version{ID: "a", Number: 1, Hash: "h", Newest: 1}, start().Add(time.Hour), &workflow.Policy{Approvals: tc.approvals})
			type outcome struct {
				State workflow.State
				Fault workflow.Fault
				May   bool
			}
			if d := cmp.Diff(outcome{tc.state, tc.fault, tc.may}, outcome{st.State, st.Fault, st.May()}); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	v := func() *workflow.Version { return &workflow.Version{ID: "a", Number: 1, Hash: "h", Newest: 1} }
	for _, tc := range []struct {
		name  string
		spoil func(s []workflow.Step, v *workflow.Version, p *workflow.Policy) []workflow.Step
		now   time.Duration
		want  workflow.Fault
	}{
		{"Sound", func(s []workflow.Step, _ *workflow.Version, _ *workflow.Policy) []workflow.Step { return s }, time.Hour, ""},
		{"Gap", func(s []workflow.Step, _ *workflow.Version, _ *workflow.Policy) []workflow.Step { return s[1:] }, time.Hour, workflow.Gap},
		{"Backward", func(s []workflow.Step, _ *workflow.Version, _ *workflow.Policy) []workflow.Step {
			s[2].At = start().Add(-time.Hour)
			return s
		}, time.Hour, workflow.Backward},
		{"Content", func(s []workflow.Step, v *workflow.Version, _ *workflow.Policy) []workflow.Step {
			v.Hash = "g"
			return s
		}, time.Hour, workflow.Changed},
		{"Revoked", func(s []workflow.Step, _ *workflow.Version, p *workflow.Policy) []workflow.Step {
			p.MayApprove = func(string) bool { return false }
			return s
		}, time.Hour, workflow.Revoked},
		{"Expired", func(s []workflow.Step, _ *workflow.Version, p *workflow.Policy) []workflow.Step {
			p.Valid = time.Hour
			return s
		}, 2 * time.Hour, workflow.Expired},
		{"Ahead", func(s []workflow.Step, _ *workflow.Version, _ *workflow.Policy) []workflow.Step { return s }, -time.Hour, workflow.Ahead},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, version := &workflow.Policy{Approvals: 1}, v()
			list := tc.spoil(steps("keep submit:a approve:b"), version, p)
			st := workflow.Follow(list, version, start().Add(tc.now), p)
			if st.Fault != tc.want || st.May() != (tc.want == "") {
				t.Errorf("fault %q, may leave %t", st.Fault, st.May())
			}
		})
	}
}

// Whatever the record says, nothing may leave without as many approvals by
// different people, for this content, as are needed.
func TestNothingLeavesByAnyRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		needed := rapid.IntRange(1, 2).Draw(t, "needed")
		var list []workflow.Step
		for i := range n {
			list = append(list, workflow.Step{
				Number: i + 1, ID: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "id"), Version: rapid.IntRange(1, 2).Draw(t, "version"), At: start().Add(time.Duration(i) * time.Minute),
				Name: rapid.SampledFrom([]string{"x", "y", "Y"}).Draw(t, "name"), Role: rapid.SampledFrom(workflow.Roles()).Draw(t, "role"),
				Act: rapid.SampledFrom(workflow.Acts()).Draw(t, "act"), Hash: rapid.SampledFrom([]string{"h", "g"}).Draw(t, "hash"), Key: "k",
			})
		}
		st := workflow.Follow(list, &workflow.Version{ID: "a", Number: 1, Hash: "h", Newest: 1}, start().Add(time.Hour), &workflow.Policy{Approvals: needed})
		if !st.May() {
			return
		}
		people := map[string]bool{}
		for _, s := range list {
			if s.ID == "a" && s.Act == workflow.Approve && s.Role == workflow.Approver && s.Hash == "h" {
				people[strings.ToLower(s.Name)] = true
			}
		}
		if len(people) < needed {
			t.Fatalf("%d approvals of %d", len(people), needed)
		}
	})
}

// A step cannot be changed without its digest.
func TestDigest(t *testing.T) {
	s := steps("keep submit:a approve:b")[2]
	seen := map[string]bool{s.Digest(): true}
	for _, change := range []func(*workflow.Step){
		func(s *workflow.Step) { s.Number++ }, func(s *workflow.Step) { s.ID = "b" }, func(s *workflow.Step) { s.Version++ },
		func(s *workflow.Step) { s.At = s.At.Add(time.Millisecond) }, func(s *workflow.Step) { s.Who = "x" }, func(s *workflow.Step) { s.Name = "x" },
		func(s *workflow.Step) { s.Role = "x" }, func(s *workflow.Step) { s.Act = "x" }, func(s *workflow.Step) { s.Hash = "x" }, func(s *workflow.Step) { s.Needed++ },
		func(s *workflow.Step) { s.Acknowledged = []string{"x"} }, func(s *workflow.Step) { s.Comment = "x" }, func(s *workflow.Step) { s.Target = "x" },
		func(s *workflow.Step) { s.Key = "x" }, func(s *workflow.Step) { s.Outcome = "x" },
	} {
		c := s
		change(&c)
		if d := c.Digest(); seen[d] {
			t.Errorf("%+v has a digest that is taken", c)
		} else {
			seen[d] = true
		}
	}
}

func TestSamePerson(t *testing.T) {
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		{"Case", "Tanaka", "TANAKA", true},
		{"Width", "Tanaka", "Ｔａｎａｋａ", true},
		{"Space", "田中 美咲", "田中　美咲", true},
		{"NoSpace", "田中 美咲", "田中美咲", true},
		{"ZeroWidth", "Tanaka", "Tan\u200baka", true},
		{"Composed", "José", "Jose\u0301", true},
		{"Other", "Tanaka", "Tanaba", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := workflow.SamePerson(tc.a, tc.b); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
