package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/internal/store/storetest"
	"github.com/sekisho/sekisho/news"
)

func open(t *testing.T, dir string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestNews(t *testing.T) {
	storetest.News(t, func(t *testing.T, dir string) storetest.NewsStore { return open(t, dir) })
}

// Another organisation in the same database sees nothing of the first.
func TestOrganisations(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	if err := db.KeepNews(t.Context(), &desk.NewsPull{Source: "a", Items: []desk.NewsVersion{{Version: 1, Item: news.Item{ID: "x"}}}}); err != nil {
		t.Fatal(err)
	}
	if list, err := db.NewsItems(t.Context(), &desk.NewsQuery{}); err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if list, err := db.For("other").NewsItems(t.Context(), &desk.NewsQuery{}); err != nil || len(list) != 0 {
		t.Errorf("the other organisation sees %v %v", list, err)
	}
	if err := db.For("other").KeepNews(t.Context(), &desk.NewsPull{Source: "a", Items: []desk.NewsVersion{{Version: 1, Item: news.Item{ID: "x"}}}}); err != nil {
		t.Errorf("the same item of the other organisation: %v", err)
	}
}

func TestAdvisories(t *testing.T) {
	storetest.Advisories(t, func(t *testing.T, dir string) storetest.AdvisoryStore { return open(t, dir) })
}

func TestAdvisorySteps(t *testing.T) {
	storetest.AdvisorySteps(t, func(t *testing.T, dir string) storetest.ReviewStore { return open(t, dir) })
}

// The folder and all files in it are the user's alone.
func TestModes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "a", "b")
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m := info.Mode().Perm(); m != 0o700 {
		t.Errorf("the folder has mode %o", m)
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if m := info.Mode().Perm(); m != 0o600 {
			t.Errorf("%s has mode %o", e.Name(), m)
		}
	}
}

func TestAudit(t *testing.T) {
	storetest.Audit(t, func(t *testing.T, dir string) storetest.AuditStore { return open(t, dir) })
}

func TestDigests(t *testing.T) {
	storetest.Digests(t, func(t *testing.T, dir string) storetest.DigestStore { return open(t, dir) })
}

func TestMailbox(t *testing.T) {
	storetest.Mailbox(t, func(t *testing.T, dir string) storetest.MailboxStore { return open(t, dir) })
}

func TestOutbox(t *testing.T) {
	storetest.Outbox(t, func(t *testing.T, dir string) storetest.OutboxStore { return open(t, dir) })
}
