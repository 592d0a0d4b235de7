package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
)

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "ordner 100%?#", FileName) }

// tables returns the tables and indexes of a database as SQL.
func tables(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// From every earlier version the tables become those of a new database.
func TestMigrateFromEveryVersion(t *testing.T) {
	whole := file(t)
	db, err := Open(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	want := tables(t, whole)
	list, err := migrations()
	if err != nil {
		t.Fatal(err)
	}
	for n := range list {
		t.Run(list[n].name, func(t *testing.T) {
			path := file(t)
			if err := prepare(path); err != nil {
				t.Fatal(err)
			}
			w, err := sql.Open("sqlite", dsn(path))
			if err != nil {
				t.Fatal(err)
			}
			if err := migrate(t.Context(), w, list[:n+1]); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			db, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, tables(t, path)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Every table names the organisation, or belongs to a row of a table that does.
func TestEveryTableHasAnOrganisation(t *testing.T) {
	path := file(t)
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, s := range tables(t, path) {
		words := strings.Join(strings.Fields(s), " ")
		// In quotes are the parts of a full-text index.
		if !strings.HasPrefix(words, "CREATE TABLE ") || strings.HasPrefix(words, "CREATE TABLE '") || strings.HasPrefix(words, "CREATE TABLE migration ") {
			continue
		}
		checked++
		if !strings.Contains(words, " organisation TEXT ") && !strings.Contains(words, " REFERENCES ") {
			t.Errorf("no organisation in %s", s)
		}
	}
	if checked < 5 {
		t.Errorf("%d tables", checked)
	}
}

func TestMigrateAtTheSameTime(t *testing.T) {
	path := file(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := Open(context.Background(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A step that fails leaves nothing of itself.
func TestMigrateAllOrNothing(t *testing.T) {
	path := file(t)
	if err := prepare(path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	list := []migration{{1, "0001_a.sql", `CREATE TABLE a (x TEXT)`}, {2, "0002_b.sql", `CREATE TABLE b (x TEXT); CREATE TABLE a (x TEXT)`}}
	if err := migrate(t.Context(), db, list); err == nil {
		t.Fatal("no error")
	}
	if got := tables(t, path); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "TABLE b") }) || len(got) != 2 {
		t.Errorf("tables: %v", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(t *testing.T, path string)
		kind desk.ErrorKind
		want string
	}{
		{"NewerTables", func(t *testing.T, path string) {
			db, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.write.ExecContext(t.Context(), `INSERT INTO migration (version, name) VALUES (9999, 'later')`); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}, desk.Conflict, "newer sekisho"},
		{"NoDatabase", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, desk.Invalid, "no database"},
		{"Folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, desk.Unavailable, "does not work"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := file(t)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			tc.make(t, path)
			db, err := Open(t.Context(), path)
			if err == nil {
				_ = db.Close()
				t.Fatal("opened")
			}
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.kind || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the error is %v (%s)", err, e.Kind)
			}
			if e.Hint.Key == "" {
				t.Error("no hint")
			}
		})
	}
}

// What SQLite says when the disk is full or the file is locked becomes words.
func TestFailures(t *testing.T) {
	path := file(t)
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var pages int
	if err := db.write.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA max_page_count = %d`, pages+2)); err != nil {
		t.Fatal(err)
	}
	err = db.update(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO news_snapshot VALUES ('', 'x', 0, zeroblob(1000000))`)
		return err
	})
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Limit {
		t.Errorf("a full disk: %v", err)
	}
	other, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := db.write.ExecContext(t.Context(), `PRAGMA busy_timeout = 10`); err != nil {
		t.Fatal(err)
	}
	err = db.update(t.Context(), func(*sql.Tx) error { return nil })
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Unavailable || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a locked file: %v", err)
	}
}
