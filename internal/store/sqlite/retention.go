package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.RetentionStore = (*DB)(nil)

// DropReports implements [desk.RetentionStore]. That a report was read once stays
// known, by its hash.
func (db *DB) DropReports(ctx context.Context, before time.Time) (int, error) {
	return db.drop(ctx, func(tx *sql.Tx) (n int64, err error) {
		for _, statement := range []string{
			`DELETE FROM dmarc_report WHERE organisation = ? AND until < ?`,
			`DELETE FROM report_other WHERE organisation = ? AND at < ?`,
		} {
			gone, err := changed(tx.ExecContext(ctx, statement, db.organisation, unix(before)))
			if err != nil {
				return 0, err
			}
			n += gone
		}
		return n, nil
	})
}

// DropNews implements [desk.RetentionStore]. A story goes with its last item.
func (db *DB) DropNews(ctx context.Context, before time.Time) (int, error) {
	return db.drop(ctx, func(tx *sql.Tx) (int64, error) {
		org, ms := db.organisation, unix(before)
		n, err := changed(tx.ExecContext(ctx, `DELETE FROM news_item WHERE organisation = ? AND newest = 1 AND at < ?`, org, ms))
		if err != nil {
			return 0, err
		}
		for _, s := range []struct {
			statement string
			args      []any
		}{
			{`DELETE FROM news_item WHERE organisation = ?1 AND newest = 0 AND id NOT IN (SELECT id FROM news_item WHERE organisation = ?1 AND newest = 1)`, []any{org}},
			{`DELETE FROM news_snapshot WHERE organisation = ?1 AND at < ?2 AND id NOT IN (SELECT snapshot FROM news_item WHERE organisation = ?1)`, []any{org, ms}},
			{`DELETE FROM news_story_item WHERE organisation = ?1 AND item NOT IN (SELECT id FROM news_item WHERE organisation = ?1)`, []any{org}},
			{`DELETE FROM news_story WHERE organisation = ?1 AND last < ?2 AND id NOT IN (SELECT story FROM news_story_item WHERE organisation = ?1)`, []any{org, ms}},
		} {
			if _, err := tx.ExecContext(ctx, s.statement, s.args...); err != nil {
				return 0, err
			}
		}
		return n, nil
	})
}

func (db *DB) drop(ctx context.Context, work func(tx *sql.Tx) (int64, error)) (int, error) {
	var n int64
	err := db.update(ctx, func(tx *sql.Tx) (err error) {
		n, err = work(tx)
		return err
	})
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

func changed(r sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Compact implements [desk.RetentionStore]: the index of words is written anew
// without what was deleted, and the log of changes is emptied into the database,
// which overwrites what it frees (secure_delete).
func (db *DB) Compact(ctx context.Context) error {
	if _, err := db.write.ExecContext(ctx, `INSERT INTO mail_text (mail_text) VALUES ('optimize')`); err != nil {
		return db.failure(err)
	}
	// Others who read keep the log from being emptied whole; the next time will do.
	var busy, pages, moved int
	err := db.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
	return db.failure(err)
}

// Snapshot writes the database as it is at one moment into the file path, which
// must not be there. Others go on reading and writing meanwhile.
func (db *DB) Snapshot(ctx context.Context, path string) (err error) {
	// Connections that only read may not write another file either.
	own, err := sql.Open("sqlite", dsn(db.path))
	if err != nil {
		return db.failure(err)
	}
	defer func() { err = errors.Join(err, own.Close()) }()
	_, err = own.ExecContext(ctx, `VACUUM INTO ?`, path)
	return db.failure(err)
}

// Check reads the whole database and returns an [*desk.Error] of kind Invalid if
// it is damaged.
func (db *DB) Check(ctx context.Context) error {
	var said string
	err := db.read.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&said)
	if err == nil && said != "ok" {
		err = errDamaged
	}
	return db.failure(err)
}
