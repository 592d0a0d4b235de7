package desk

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// sharedData is a folder of data by others; the test is skipped without it.
func sharedData(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	p := filepath.Join(append([]string{root, "data"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		tb.Skipf("%v: set SEKISHO_SHARED", err)
	}
	return p
}

// atDesk are the facts of an invented organisation.
func atDesk() org.Facts {
	return org.Facts{
		Domains: org.Of([]string{"desk.example", "desk.onmicrosoft.com"}),
		People: org.Of([]org.Person{
			{DisplayName: "Aoi Tanaka", Address: "aoi.tanaka@desk.example", Role: "vip"}, {DisplayName: "田中 葵", Address: "aoi.tanaka@desk.example"},
		}),
	}
}

var testNow = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func share(seed int, s string) uint32 {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d %s", seed, s)
	return h.Sum32() % 100
}

// invented is the history of an organisation that got half of the good mail:
// that of half of its senders, chosen by a hash. It had written to a third of
// those before. Beside, it has exchanged mail with a partner for as long as any
// mail here is old, so that the history reaches back.
func invented(tb testing.TB, seed int, folder string) *history.Book {
	tb.Helper()
	b := history.NewBuilder(nil)
	facts := atDesk()
	for t := time.Date(1990, 1, 2, 9, 0, 0, 0, time.UTC); t.Before(testNow); t = t.AddDate(0, 0, 5) {
		id := history.ID(t.Unix())
		b.Add(history.Message{ID: id, Time: t, Direction: history.Inbound, Addresses: []string{"keiri@partner.example"}})
		b.Add(history.Message{ID: id + 1, Time: t.Add(time.Hour), Direction: history.Outbound, Addresses: []string{"keiri@partner.example"}})
	}
	met := map[string]bool{}
	for _, f := range mailFiles(tb, folder) {
		raw, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		m, ok := history.Read(eml.Parse(headerOf(raw), nil), &facts, testNow)
		if !ok || m.Direction != history.Inbound || share(seed, m.Addresses[0]) >= 50 {
			continue
		}
		b.Add(m)
		if who := m.Addresses[0]; !met[who] && share(seed+1, who) < 33 {
			met[who] = true
			b.Add(history.Message{ID: m.ID, Time: m.Time.AddDate(0, 0, -10), Direction: history.Outbound, Addresses: m.Addresses})
		}
	}
	return b.Book()
}

func mailFiles(tb testing.TB, folder string) []string {
	tb.Helper()
	var out []string
	err := filepath.WalkDir(sharedData(tb, "mail", folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.HasSuffix(path, ".eml") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// publicRules are the published rules with the published lists.
func publicRules(tb testing.TB, facts *org.Facts) *ruleBook {
	tb.Helper()
	set, err := LoadRules(tb.Context(), []string{sharedData(tb, "mql", "rules")}, true, nil)
	if err != nil {
		tb.Fatal(err)
	}
	lists, err := feeds.OpenLists(sharedData(tb, "mql", "lists"))
	if err != nil {
		tb.Fatal(err)
	}
	return newRuleBook(set, facts, lists)
}

// outcome is what all rules came to on one mail.
func (b *ruleBook) outcome(raw []byte, facts *org.Facts, visit func(place int, res eval.Result)) {
	m := eml.Parse(raw, nil)
	path := m365.NewPath(m.Header(), facts)
	in, named := mdm.Input{Mail: m, Path: path, Org: facts, Budget: budget.New(nil)}, b.lists
	if b.seen != nil {
		p := &past{view: b.seen.book.At(history.TimeOf(m, path, testNow), history.IDOf(m)), sent: b.seen.book.HasSent()}
		in.History, named = p, b.seen.lists(p.view, named)
	}
	run := b.set.Compiled.Start(messageEnv(in, named))
	for i := range b.set.Usable {
		visit(i, run.Rule(i))
	}
}

// TestDecided counts the public detection rules that are decided on every mail
// with the facts of an organisation, the published lists and a history, and says
// what the others lack. SEKISHO_MAILS=all takes every mail.
func TestDecided(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	facts := atDesk()
	book := publicRules(t, &facts)
	book.seen = newSeen(invented(t, 7, "ham"))
	step := 151
	if os.Getenv("SEKISHO_MAILS") == "all" {
		step = 1
	}
	var files []string
	for _, folder := range []string{"phish", "ham", "commercial", "torture"} {
		all := mailFiles(t, folder)
		for i := 0; i < len(all); i += step {
			files = append(files, all[i])
		}
	}
	undecided := map[int]map[value.Gap]bool{}
	var mu sync.Mutex
	each(t.Context(), files, func(f string) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Error(err)
			return
		}
		book.outcome(raw, &facts, func(i int, res eval.Result) {
			if res.Verdict != eval.Undecided {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if undecided[i] == nil {
				undecided[i] = map[value.Gap]bool{}
			}
			for _, g := range res.Missing {
				undecided[i][g] = true
			}
		})
	})
	total, decided, needs := 0, 0, map[string]int{}
	for i, at := range book.set.Usable {
		r := &book.set.Rules[at]
		if !strings.Contains(filepath.ToSlash(r.File), "/detection-rules/") {
			continue
		}
		total++
		if undecided[i] == nil {
			decided++
		}
		for g := range undecided[i] {
			needs[g.String()]++
			if g.Capability == "history" || g.Capability == "list" && g.Cause != finding.NotConfigured {
				t.Errorf("%s lacks %v", filepath.Base(r.File), g)
			}
		}
	}
	t.Logf("%d of %d detection rules are decided on each of %d mails", decided, total, len(files))
	t.Logf("the others need: %s", counts(needs))
	if decided < 481 {
		t.Errorf("%d detection rules are decided, want 481", decided)
	}
	var states []string
	for _, x := range ListRules(book.set, Means{Facts: &facts, History: book.seen.book}, lang.Default()) {
		if x.Type == rule.Detection && x.State == RuleUsable {
			states = append(states, x.File)
		}
	}
	t.Logf("usable without published lists: %d", len(states))
}

// each calls do for every file, some at a time.
func each(ctx context.Context, files []string, do func(string)) {
	queue := make(chan string)
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() {
			for f := range queue {
				do(f)
			}
		})
	}
	for _, f := range files {
		if ctx.Err() != nil {
			break
		}
		queue <- f
	}
	close(queue)
	wait.Wait()
}

// counts writes the largest counts.
func counts(m map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], strings.Compare(a, b)) })
	var out []string
	for _, k := range keys {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(out, ", ")
}
