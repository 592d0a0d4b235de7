package feed_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/sekisho/sekisho/news/feed"
)

// shared returns the folder with data by others, or skips the test.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	dir := filepath.Join(append([]string{root, "data", "advisory"}, parts...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the data by others is not here; set SEKISHO_SHARED")
	}
	return dir
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) == ".gz" {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestSharedKEV(t *testing.T) {
	doc, err := feed.Parse(read(t, shared(t, "kev", "known_exploited_vulnerabilities.json")), &feed.Options{Source: "kev"})
	if err != nil {
		t.Fatal(err)
	}
	if doc.Format != feed.KEV || len(doc.Items) != 1404 || len(doc.Defects) != 0 {
		t.Errorf("%s with %d items and defects %v, want kev with 1404 and none", doc.Format, len(doc.Items), doc.Defects)
	}
	ransom := 0
	for _, it := range doc.Items {
		if len(it.CVEs) == 0 || it.Published.IsZero() || it.Exploitation.KEVDue.IsZero() || it.Text == "" || len(it.Products) != 1 {
			t.Errorf("%s is incomplete: %+v", it.Title, it)
		}
		if it.Exploitation.Ransomware {
			ransom++
		}
	}
	if ransom == 0 {
		t.Error("no entry is known for ransom")
	}
}

func TestSharedMSRC(t *testing.T) {
	doc, err := feed.Parse(read(t, shared(t, "msrc", "2021-jan.json.gz")), &feed.Options{Source: "msrc"})
	if err != nil {
		t.Fatal(err)
	}
	if doc.Format != feed.CVRF || len(doc.Items) != 84 {
		t.Fatalf("%s with %d items, want cvrf with 84", doc.Format, len(doc.Items))
	}
	exploited := 0
	for _, it := range doc.Items[1:] {
		if it.Severity == "" || len(it.CVEs) != 1 || len(it.Products) == 0 {
			t.Errorf("%s is incomplete", it.Title)
		}
		if it.Exploitation.Exploited == "Yes" {
			exploited++
			if !slices.Equal(it.CVEs, []string{"CVE-2021-1647"}) {
				t.Errorf("%v counts as exploited", it.CVEs)
			}
		}
	}
	if exploited != 1 {
		t.Errorf("%d are exploited, want 1", exploited)
	}
}

func TestSharedCSAF(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(shared(t, "csaf"), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no documents", err)
	}
	for _, p := range paths {
		doc, err := feed.Parse(read(t, p), &feed.Options{Source: "cisa", Want: feed.Document})
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(p), err)
			continue
		}
		it := doc.Items[0]
		if it.Title == "" || len(it.CVEs) == 0 || len(it.Scores) == 0 || len(it.Products) == 0 || it.Published.IsZero() || it.Status != "final" || len(it.Fixes) == 0 || len(doc.Defects) != 0 {
			t.Errorf("%s is incomplete: cves %v, scores %v, %d products, status %q, %d fixes, defects %v", filepath.Base(p), it.CVEs, it.Scores, len(it.Products), it.Status, len(it.Fixes), doc.Defects)
		}
	}
}
