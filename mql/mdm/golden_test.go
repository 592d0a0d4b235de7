package mdm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/mdm"
)

// shared is the folder of data by others; the test is skipped without it.
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

// flatten lists the leaves of a model by their paths.
func flatten(path string, x any, out map[string]string) {
	switch x := x.(type) {
	case map[string]any:
		for k, v := range x {
			flatten(path+"."+k, v, out)
		}
	case []any:
		for i, v := range x {
			flatten(fmt.Sprintf("%s[%d]", path, i), v, out)
		}
	default:
		out[strings.TrimPrefix(path, ".")] = fmt.Sprint(x)
	}
}

func model(tb testing.TB, raw []byte) map[string]string {
	tb.Helper()
	m := mdm.New(mdm.Input{Mail: eml.Parse(raw, nil)})
	var x any
	if err := json.Unmarshal(m.Root().AppendJSON(nil), &x); err != nil {
		tb.Fatal(err)
	}
	out := map[string]string{}
	flatten("", x, out)
	return out
}

// deliberate are the fields in which a published model of 2021 differs from
// today's on purpose, and why.
var deliberate = []struct{ prefix, why string }{
	{"_meta", "written by the platform"},
	{"headers.hops", "cut differently today, see TestGoldenHops"},
	{"body.links[0].mismatched", "null today where the text is no URL"},
	{"body.links[1].mismatched", "null today where the text is no URL"},
}

// TestGolden compares with the two published models. Values that they have must
// be ours.
func TestGolden(t *testing.T) {
	for _, name := range []string{"2-write/impersonation", "3-write/office365_covid_phish"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			base := shared(t, "mql", "vectors", "tutorial-files", name+".eml")
			raw, err := os.ReadFile(base)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(strings.TrimSuffix(base, ".eml") + ".mdm")
			if err != nil {
				t.Fatal(err)
			}
			var x any
			if err := json.Unmarshal(b, &x); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			flatten("", x, want)
			got := model(t, raw)
			same, skipped := 0, 0
			var paths []string
			for p := range want {
				paths = append(paths, p)
			}
			slices.Sort(paths)
			for _, p := range paths {
				if slices.ContainsFunc(deliberate, func(d struct{ prefix, why string }) bool { return strings.HasPrefix(p, d.prefix) }) {
					skipped++
					continue
				}
				if got[p] != want[p] {
					t.Errorf("%s: got %.80q, want %.80q", p, got[p], want[p])
					continue
				}
				same++
			}
			t.Logf("%d of %d fields agree, %d differ on purpose", same, len(want), skipped)
		})
	}
}

// TestGoldenHops compares what is read from the hops, wherever a hop begins:
// today the author's block belongs to the first one, and names of fields keep
// their case.
func TestGoldenHops(t *testing.T) {
	differs := []struct{ part, why string }{
		{"position", "counts the same, compared with the fields"},
		{"index", "hops are cut differently"},
		{"].received=", "an object today"},
		{"received_spf.designator=domain of", "the domain alone"},
		{"received_spf.designator=vps", "the domain alone"},
		{"received_spf.verdict", "small letters"},
		{"received_spf.client_ip.ip=", "null where there is none"},
		{"authentication_results.dmarc_details.action=", "null where there is none"},
		{"dmarc_details.version", "null: nobody writes it"},
		{"authentication_results.server", "2021 took the recipient's domain for a server"},
		{"dkim_details[0].domain=none", "none is no domain"},
		{"authentication_results.instance", "X-Received begins no hop: the ARC set shares one with the results above it"},
		{"authentication_results.type=arc", "the same"},
		{"signature.", "the same: the first signature of a hop counts"},
	}
	for _, name := range []string{"2-write/impersonation", "3-write/office365_covid_phish"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			base := shared(t, "mql", "vectors", "tutorial-files", name+".eml")
			raw, err := os.ReadFile(base)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(strings.TrimSuffix(base, ".eml") + ".mdm")
			if err != nil {
				t.Fatal(err)
			}
			var x any
			if err := json.Unmarshal(b, &x); err != nil {
				t.Fatal(err)
			}
			want := map[string]string{}
			flatten("", x, want)
			ours := map[string]bool{}
			for p, v := range model(t, raw) {
				ours[hopLeaf(p, v)] = true
			}
			same, skipped := 0, 0
		leaves:
			for p, v := range want {
				if !strings.HasPrefix(p, "headers.hops") {
					continue
				}
				leaf := hopLeaf(p, v)
				if ours[leaf] {
					same++
					continue
				}
				for _, d := range differs {
					if strings.Contains(p+"="+v, d.part) {
						skipped++
						continue leaves
					}
				}
				t.Errorf("%s is not ours", leaf)
			}
			t.Logf("%d agree, %d differ on purpose", same, skipped)
		})
	}
}

// hopLeaf is a leaf without the number of its hop.
func hopLeaf(path, v string) string {
	_, rest, ok := strings.Cut(path, "].")
	if !ok || !strings.HasPrefix(path, "headers.hops") {
		return path
	}
	if strings.HasPrefix(rest, "fields[") {
		_, member, _ := strings.Cut(rest, "].")
		rest = "fields." + member
	}
	if strings.HasSuffix(rest, ".name") {
		v = strings.ToLower(v)
	}
	return rest + "=" + strings.Join(strings.Fields(v), " ")
}
