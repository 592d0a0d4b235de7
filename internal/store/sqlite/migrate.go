package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// The migrations are files named NNNN_noun.sql, run in the order of their
// numbers, each in a transaction of its own. A number may be left out, and a
// file that was published never changes.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is a step from one version of the tables to the next.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations returns all steps, by version.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var list []migration
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		v, err := strconv.Atoi(number)
		if err != nil || len(number) != 4 || len(list) > 0 && list[len(list)-1].version >= v {
			return nil, fmt.Errorf("sqlite: the name of migration %s has no number of its own", name)
		}
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list = append(list, migration{v, path.Base(name), string(text)})
	}
	return list, nil
}

// newerError is a database that a newer program wrote.
type newerError struct{ have, known int }

func (e *newerError) Error() string {
	return fmt.Sprintf("sqlite: tables of version %d, known up to %d", e.have, e.known)
}

// migrate brings the tables to the version of the last step. Steps that were
// done are left out; two programs that start at the same time do each step once.
func migrate(ctx context.Context, db *sql.DB, list []migration) error {
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT`); err != nil {
		return err
	}
	var have int
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) FROM migration`).Scan(&have); err != nil {
		return err
	}
	if known := list[len(list)-1].version; have > known {
		return &newerError{have, known}
	}
	for _, m := range list {
		if err := step(ctx, db, m); err != nil {
			return fmt.Errorf("migration %s: %w", m.name, err)
		}
	}
	return nil
}

func step(ctx context.Context, db *sql.DB, m migration) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of what was not committed
	var done int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM migration WHERE version = ?`, m.version).Scan(&done); err != nil || done > 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO migration (version, name) VALUES (?, ?)`, m.version, m.name); err != nil {
		return err
	}
	return tx.Commit()
}
