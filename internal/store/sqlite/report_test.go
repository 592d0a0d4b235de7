package sqlite_test

import (
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/internal/store/storetest"
)

func TestReports(t *testing.T) {
	storetest.Reports(t, func(t *testing.T, dir string) storetest.ReportStore { return open(t, dir) })
}

func filesIn(t *testing.T, dir string) iter.Seq[desk.ReportFile] {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(desk.ReportFile) bool) {
		for _, f := range list {
			name := filepath.Join(dir, f.Name())
			if !yield(desk.ReportFile{Name: name, Casual: true, Open: func() (io.ReadCloser, error) { return os.Open(name) }}) {
				return
			}
		}
	}
}

// TestCorpusReports takes real reports into a database, twice. An independent
// parser counted 1,363 reports, of which two have one identity and different
// content.
func TestCorpusReports(t *testing.T) {
	root := os.Getenv("SEKISHO_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "..", "shared")
	}
	dir := filepath.Join(root, "data", "dmarc", "aggregate")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("%v: set SEKISHO_SHARED", err)
	}
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ingest := func() *desk.Ingested {
		start := time.Now()
		got, err := desk.IngestReports(t.Context(), filesIn(t, dir), desk.ReportIntake{Store: db, Now: time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("%v, %d MiB from the system", time.Since(start).Round(time.Millisecond), m.Sys>>20)
		return got
	}
	type counts struct {
		Files, Reports, Replaced, Duplicates, Records int
		Messages, Pass                                int64
		Refused                                       int
	}
	of := func(g *desk.Ingested) counts {
		return counts{g.Files, g.Reports, g.Replaced, g.Duplicates, g.Records, g.Messages, g.Pass, g.Refused}
	}
	first := ingest()
	if got, want := of(first), (counts{1363, 1362, 1, 0, 19_587, 79_380, 75_574, 0}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := of(ingest()), (counts{Files: 1363, Duplicates: 1363}); got != want {
		t.Errorf("again: got %+v, want %+v", got, want)
	}
	domains, err := db.ReportDomains(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var reports, records int
	var messages int64
	for _, d := range domains {
		reports, records, messages = reports+d.Reports, records+d.Records, messages+d.Messages
	}
	if reports != 1362 || records != 19_587 || messages != 79_380 {
		t.Errorf("the store has %d reports, %d records, %d messages", reports, records, messages)
	}
	start, rows, disagree := time.Now(), 0, 0
	for r, err := range db.ReportRows(t.Context(), desk.ReportQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
		if r.Disagrees() {
			disagree++
		}
	}
	t.Logf("%d rows read in %v; the reporter contradicts itself in %d", rows, time.Since(start).Round(time.Millisecond), disagree)
	if rows != records {
		t.Errorf("%d rows of %d records", rows, records)
	}
}
