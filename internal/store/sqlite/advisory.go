package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.AdvisoryStore = (*DB)(nil)

// KeepAdvisory implements [desk.AdvisoryStore].
func (db *DB) KeepAdvisory(ctx context.Context, r *desk.AdvisoryRecord) (int, error) {
	text, err := json.Marshal(r.Document)
	if err != nil {
		return 0, fmt.Errorf("advisory %s: %w", r.Document.ID, err)
	}
	version := 0
	err = db.update(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT version FROM advisory WHERE organisation = ? AND id = ?`, db.organisation, r.Document.ID).Scan(&version)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) + 1 FROM advisory WHERE organisation = ? AND subject = ?`, db.organisation, r.Subject).Scan(&version)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO advisory (organisation, id, subject, version, at, document) VALUES (?, ?, ?, ?, ?, ?)`,
			db.organisation, r.Document.ID, r.Subject, version, unix(r.At), string(text))
		return err
	})
	return version, err
}

// Advisory implements [desk.AdvisoryStore].
func (db *DB) Advisory(ctx context.Context, id string) (*desk.AdvisoryRecord, error) {
	list, err := db.advisories(ctx, `SELECT subject, version, at, document FROM advisory WHERE organisation = ? AND id = ?`, db.organisation, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Advisories implements [desk.AdvisoryStore].
func (db *DB) Advisories(ctx context.Context, subject string) ([]desk.AdvisoryRecord, error) {
	return db.advisories(ctx, `SELECT subject, version, at, document FROM advisory WHERE organisation = ? AND subject = ? ORDER BY version`, db.organisation, subject)
}

func (db *DB) advisories(ctx context.Context, question string, args ...any) ([]desk.AdvisoryRecord, error) {
	var out []desk.AdvisoryRecord
	err := db.query(ctx, func(scan func(...any) error) error {
		var at int64
		var text sql.RawBytes
		r := desk.AdvisoryRecord{Document: &advisory.Document{}}
		if err := scan(&r.Subject, &r.Version, &at, &text); err != nil {
			return err
		}
		r.At = timeOf(at)
		if err := json.Unmarshal(text, r.Document); err != nil {
			return fmt.Errorf("an advisory about %s: %w", r.Subject, err)
		}
		out = append(out, r)
		return nil
	}, question, args...)
	return out, err
}
