package eval_test

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// shared is a folder of data by others; the test is skipped without it.
func shared(tb testing.TB, elem ...string) string {
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

// corpus is all public rules, compiled.
type corpus struct {
	rules *eval.Rules
	files []string
	kinds []rule.Type
	parse time.Duration // reading, parsing and checking
	graph time.Duration // compiling
}

func loadRules(tb testing.TB) *corpus {
	tb.Helper()
	if loaded == nil {
		loaded = readRules(tb)
	}
	return loaded
}

// loaded keeps the rules for all tests.
var loaded *corpus

func readRules(tb testing.TB) *corpus {
	tb.Helper()
	root := shared(tb, "mql", "rules")
	c := &corpus{}
	var programs []*check.Program
	start := time.Now()
	checker := check.New(nil)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := rule.Parse(data)
		if err != nil {
			tb.Logf("%s: %v", filepath.Base(path), err)
			return nil
		}
		p := r.Check(checker)
		if !p.OK() {
			tb.Logf("%s is refused: %v", filepath.Base(path), p.Diagnostics[0].Message)
			return nil
		}
		programs = append(programs, p)
		c.files = append(c.files, filepath.Base(path))
		c.kinds = append(c.kinds, r.Type)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	c.parse = time.Since(start)
	start = time.Now()
	if c.rules, err = eval.Compile(programs); err != nil {
		tb.Fatal(err)
	}
	c.graph = time.Since(start)
	return c
}

// loadLists reads the published lists.
func loadLists(tb testing.TB) map[string]*value.List {
	tb.Helper()
	out := map[string]*value.List{}
	root := shared(tb, "mql", "lists")
	files, _ := filepath.Glob(filepath.Join(root, "*"))
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), filepath.Ext(f))
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		var entries []string
		switch filepath.Ext(f) {
		case ".txt":
			for l := range strings.Lines(string(data)) {
				if l = strings.TrimSpace(l); l != "" && l != "entry" {
					entries = append(entries, l)
				}
			}
		case ".csv":
			rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
			if err != nil {
				tb.Fatal(err)
			}
			for _, r := range rows {
				entries = append(entries, r[len(r)-1])
			}
			name = strings.Replace(name, "_top_", "_", 1)
		default:
			continue
		}
		out[name] = value.NewSet(entries)
	}
	return out
}

func run(rules *eval.Rules, lists map[string]*value.List, m *eml.Message) *eval.Run {
	model := mdm.New(mdm.Input{Mail: m})
	return rules.Start(eval.Env{Root: model.Root(), Lists: lists, Functions: model.Functions(nil)})
}

// mails returns every step-th mail of a folder.
func mails(tb testing.TB, folder string, step int) []string {
	tb.Helper()
	var files []string
	err := filepath.WalkDir(shared(tb, "mail", folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	var out []string
	for i := 0; i < len(files); i += step {
		out = append(out, files[i])
	}
	return out
}

func TestCorpusMail(t *testing.T) {
	c := loadRules(t)
	lists := loadLists(t)
	t.Logf("%d rules: parsed and checked in %v, compiled in %v; %d nodes", c.rules.Len(), c.parse, c.graph, c.rules.Nodes())
	step := 300
	switch {
	case testing.Short():
		step = 1000
	case os.Getenv("SEKISHO_MAILS") != "":
		step = 10
	}
	// With a history, a classifier that sees the worst, and the facts of an
	// organisation, more rules match and are explained.
	for _, f := range mails(t, "phish", step) {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m := eml.Parse(raw, nil)
		model := mdm.New(mdm.Input{Mail: m, History: seen{}})
		e := eval.Env{Root: model.Root(), Lists: maps.Clone(lists), Functions: model.Functions(nil)}
		e.Functions["ml.nlu_classifier"] = intent
		maps.Copy(e.Lists, mdm.Lists(&org.Facts{Domains: org.Of([]string{"kiso.example"}), People: org.Of([]org.Person{{DisplayName: "Hanako Sato", Role: "vip"}})}))
		r := c.rules.Start(e)
		for i := range c.rules.Len() {
			if r.Rule(i).Verdict == eval.Match {
				explained(t, m, c.files[i], r.Explain(i))
			}
		}
	}
	for _, folder := range []string{"phish", "ham", "commercial", "torture"} {
		var times []time.Duration
		counts := map[eval.Verdict]int{}
		needs := map[string]int{}
		hits := map[string]int{}
		flagged, decidedLeast := 0, c.rules.Len()
		files := mails(t, folder, map[string]int{"phish": step, "ham": step, "commercial": max(1, step/20), "torture": max(1, step/4)}[folder])
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			m := eml.Parse(raw, nil)
			start := time.Now()
			r := run(c.rules, lists, m)
			hit := false
			decided := 0
			for i := range c.rules.Len() {
				res := r.Rule(i)
				if c.kinds[i] != rule.Detection {
					continue
				}
				counts[res.Verdict]++
				switch res.Verdict {
				case eval.Match:
					hit = true
					hits[c.files[i]]++
					explained(t, m, c.files[i], r.Explain(i))
				case eval.Undecided:
					for _, g := range res.Missing {
						needs[g.Capability]++
					}
				}
				if res.Verdict != eval.Undecided {
					decided++
				}
			}
			decidedLeast = min(decidedLeast, decided)
			times = append(times, time.Since(start))
			if hit {
				flagged++
			}
		}
		slices.Sort(times)
		n := len(files)
		t.Logf("%s: %d mails, %d with a match; per mail %.1f match, %.0f no, %.0f undecided (at least %d decided); median %v, p99 %v, most %v", folder, n, flagged,
			float64(counts[eval.Match])/float64(n), float64(counts[eval.NoMatch])/float64(n), float64(counts[eval.Undecided])/float64(n), decidedLeast, times[n/2], times[n*99/100], times[n-1])
		t.Logf("%s: needs %s", folder, top(needs, n, 12))
		t.Logf("%s: matches %s", folder, top(hits, 1, 12))
	}
}

// explained checks that a match has reasons, and that what they quote stands in
// the message.
func explained(t *testing.T, m *eml.Message, name string, reasons []eval.Reason) {
	t.Helper()
	if len(reasons) == 0 {
		t.Errorf("%s matches for no reason", name)
	}
	for _, r := range reasons {
		for _, e := range r.Evidence {
			size := len(m.Raw())
			if e.Where.Header == "" {
				p := m.Part(e.Where.Part)
				if p == nil {
					t.Errorf("%s: %s is evidence in part %q", name, r.Expr, e.Where.Part)
					continue
				}
				size = len(p.Text())
			}
			if e.Where.Offset < 0 || e.Where.Length < 0 || e.Where.Offset+e.Where.Length > size {
				t.Errorf("%s: %s is evidence at %+v of %d bytes", name, r.Expr, e.Where, size)
			}
		}
	}
}

// top writes the largest counts, each divided by n.
func top(m map[string]int, n, limit int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int { return cmp.Or(m[b]-m[a], strings.Compare(a, b)) })
	var out []string
	for _, k := range keys[:min(limit, len(keys))] {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]/n))
	}
	return strings.Join(out, ", ")
}
