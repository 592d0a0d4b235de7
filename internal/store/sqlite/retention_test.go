package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// What was deleted is in no file any more, neither in the table nor in the index.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	at := time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)
	var secret desk.MailID
	for i := range 60 {
		subject, from := fmt.Sprintf("plain %d", i), "somebody@supplier.test"
		if i == 30 {
			subject, from = "罠龘鑫 zzqqx", "secret-sender@supplier.test"
		}
		v := &desk.Verdict{Verdict: desk.Malicious, Subject: subject, From: &desk.Mailbox{Address: from}, Date: &at, Reason: lang.Text{EN: "x"}}
		r := desk.NewMailRecord(v, string(desk.MailIDOf(fmt.Append(nil, i), nil)), desk.SourceUpload, nil, at)
		if i == 30 {
			secret = r.ID
		}
		if _, err := db.KeepMail(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	holds := func() (found []string) {
		for _, name := range []string{sqlite.FileName, sqlite.FileName + "-wal"} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{"罠龘鑫", "zzqqx", "zqq", "secret-sender"} {
				if bytes.Contains(b, []byte(s)) {
					found = append(found, name+": "+s)
				}
			}
		}
		return found
	}
	if len(holds()) == 0 {
		t.Fatal("the test looks in the wrong place")
	}
	if err := db.DeleteMail(t.Context(), secret, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := holds(); len(found) > 0 {
		t.Errorf("it is still there: %v", found)
	}
	if rows, err := db.Mails(t.Context(), &desk.MailQuery{Text: "plain 31"}); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
}

func TestDropNews(t *testing.T) {
	db := open(t, t.TempDir())
	defer func() { _ = db.Close() }()
	at := func(day int) time.Time { return time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC) }
	version := func(id news.ItemID, v, day int, snapshot string) desk.NewsVersion {
		return desk.NewsVersion{Version: v, At: at(day), Item: news.Item{ID: id, Source: "s", Snapshot: snapshot}}
	}
	for _, v := range []desk.NewsVersion{version("old", 1, 1, "one"), version("old", 2, 2, "two"), version("kept", 1, 1, "three"), version("kept", 2, 9, "four"), version("new", 1, 9, "four")} {
		if err := db.KeepNews(t.Context(), &desk.NewsPull{Source: "s", Snapshots: map[string][]byte{v.Item.Snapshot: []byte(v.Item.Snapshot)}, Items: []desk.NewsVersion{v}}); err != nil {
			t.Fatal(err)
		}
	}
	story := func(id string, day int, items ...news.ItemID) desk.StoryRecord {
		s := desk.StoryRecord{Schema: desk.StorySchema, ID: id, First: at(day), Last: at(day)}
		for _, it := range items {
			s.Items = append(s.Items, desk.StoryItem{ID: it})
		}
		return s
	}
	if err := db.KeepStories(t.Context(), []desk.StoryRecord{story("gone", 2, "old"), story("stays", 9, "kept", "new")}, nil); err != nil {
		t.Fatal(err)
	}
	if n, err := db.For("other").DropNews(t.Context(), at(20)); err != nil || n != 0 {
		t.Errorf("another organisation's: %d %v", n, err)
	}
	for i, want := range []int{1, 0} {
		if n, err := db.DropNews(t.Context(), at(5)); err != nil || n != want {
			t.Errorf("run %d: %d, want %d: %v", i, n, want, err)
		}
	}
	items, err := db.NewsItems(t.Context(), &desk.NewsQuery{})
	if err != nil || len(items) != 2 {
		t.Errorf("%d items: %v", len(items), err)
	}
	if h, err := db.NewsHistory(t.Context(), "kept"); err != nil || len(h) != 2 {
		t.Errorf("%d versions: %v", len(h), err)
	}
	stories, err := db.Stories(t.Context(), &desk.StoryQuery{})
	if err != nil || len(stories) != 1 || stories[0].ID != "stays" {
		t.Errorf("%v %v", stories, err)
	}
	for snapshot, want := range map[string]bool{"one": false, "two": false, "three": true, "four": true} {
		if b, err := db.NewsSnapshot(t.Context(), snapshot); err != nil || (b != nil) != want {
			t.Errorf("%s: %q %v", snapshot, b, err)
		}
	}
}

func TestSnapshot(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir)
	defer func() { _ = db.Close() }()
	if err := db.AppendAudit(t.Context(), desk.AuditEntry{At: time.Now(), Who: desk.WhoTerminal, Act: desk.ActBackup}); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "copy"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "copy", sqlite.FileName)
	if err := db.Snapshot(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	other := open(t, filepath.Join(dir, "copy"))
	defer func() { _ = other.Close() }()
	if err := other.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if r, err := desk.VerifyAudit(t.Context(), other); err != nil || r.Entries != 1 {
		t.Errorf("%v %v", r, err)
	}
	if err := db.Snapshot(t.Context(), path); err == nil {
		t.Error("a file was replaced")
	}
}
