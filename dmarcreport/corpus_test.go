package dmarcreport_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sekisho/sekisho/dmarcreport"
)

// shared is a folder of data by others; the test is skipped without it.
func shared(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	p := filepath.Join(append([]string{root, "data"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		tb.Skipf("%v: set SEKISHO_SHARED", err)
	}
	return p
}

func aggregates(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(shared(tb, "dmarc", "aggregate"), "*"))
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

// TestCorpusTotals counts what an independent parser counted.
func TestCorpusTotals(t *testing.T) {
	var reports, records, messages, pass, dkim, spf int64
	reporters, keys := map[string]bool{}, map[dmarcreport.Key]bool{}
	for name, data := range aggregates(t) {
		a, err := dmarcreport.ParseAggregate(data)
		if err != nil {
			t.Errorf("%.40s: %v", name, err)
			continue
		}
		reports++
		reporters[a.OrgName] = true
		keys[a.Key()] = true
		for i := range a.Records {
			r := &a.Records[i]
			records++
			messages += r.Count
			if r.Pass() {
				pass += r.Count
			}
			if r.DKIM == "pass" {
				dkim += r.Count
			}
			if r.SPF == "pass" {
				spf += r.Count
			}
		}
	}
	t.Logf("%d reports of %d reporters, %d keys: %d records, %d messages, %d pass, %d by DKIM, %d by SPF", reports, len(reporters), len(keys), records, messages, pass, dkim, spf)
	for _, x := range []struct {
		name      string
		got, want int64
	}{{"reports", reports, 1363}, {"records", records, 19602}, {"messages", messages, 79402}, {"pass", pass, 75590}, {"DKIM", dkim, 73636}, {"SPF", spf, 13119}, {"keys", int64(len(keys)), 1362}} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.got, x.want)
		}
	}
}
