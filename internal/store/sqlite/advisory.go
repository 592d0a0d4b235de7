package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.AdvisoryStore = (*DB)(nil)

// KeepAdvisory implements [desk.AdvisoryStore].
func (db *DB) KeepAdvisory(ctx context.Context, r *desk.AdvisoryRecord) (int, error) {
	version := 0
	err := db.update(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT version FROM advisory WHERE organisation = ? AND id = ?`, db.organisation, r.Document.ID).Scan(&version)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		number, last, err := db.lastStep(ctx, tx, r.Subject)
		if err != nil {
			return err
		}
		at := r.At
		if at.Before(last) {
			at = last // a new draft is nothing that a clock can be cheated about
		}
		s := &workflow.Step{Number: number + 1, At: at, Who: desk.WhoTerminal, Name: r.Author, Role: workflow.Editor, Act: workflow.Keep}
		if version, err = db.addAdvisory(ctx, tx, s, r); err != nil {
			return err
		}
		return db.addStep(ctx, tx, r.Subject, s)
	})
	return version, err
}

// KeepAdvisoryStep implements [desk.AdvisoryStore].
func (db *DB) KeepAdvisoryStep(ctx context.Context, subject string, s *workflow.Step, next *desk.AdvisoryRecord) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		number, last, err := db.lastStep(ctx, tx, subject)
		if err != nil {
			return err
		}
		if s.Number != number+1 || s.At.UnixMilli() < unix(last) {
			return errConflict
		}
		if next != nil {
			if _, err := db.addAdvisory(ctx, tx, s, next); err != nil {
				return err
			}
		}
		return db.addStep(ctx, tx, subject, s)
	})
}

// addAdvisory adds the version that a step makes.
func (db *DB) addAdvisory(ctx context.Context, tx *sql.Tx, s *workflow.Step, r *desk.AdvisoryRecord) (int, error) {
	kept := *r
	err := tx.QueryRowContext(ctx, `SELECT coalesce(max(version), 0) + 1 FROM advisory WHERE organisation = ? AND subject = ?`, db.organisation, r.Subject).Scan(&kept.Version)
	if err != nil {
		return 0, err
	}
	if s.Hash, err = kept.Hash(); err != nil {
		return 0, err
	}
	s.ID, s.Version = r.Document.ID, kept.Version
	text := [3]string{}
	for i, v := range []any{r.Document, r.Corrections, append([]desk.Recipient{}, r.Recipients...)} {
		b, err := json.Marshal(v)
		if err != nil {
			return 0, fmt.Errorf("advisory %s: %w", r.Document.ID, err)
		}
		text[i] = string(b)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO advisory (organisation, id, subject, version, at, document, corrections, recipients, author) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		db.organisation, r.Document.ID, r.Subject, kept.Version, unix(r.At), text[0], text[1], text[2], r.Author)
	return kept.Version, err
}

// lastStep returns number and time of the last step of an advisory, zero if there
// is none.
func (db *DB) lastStep(ctx context.Context, tx *sql.Tx, subject string) (int, time.Time, error) {
	var number int
	var at int64
	err := tx.QueryRowContext(ctx, `SELECT number, at FROM advisory_step WHERE organisation = ? AND subject = ? ORDER BY number DESC LIMIT 1`, db.organisation, subject).Scan(&number, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return number, timeOf(at), err
}

func (db *DB) addStep(ctx context.Context, tx *sql.Tx, subject string, s *workflow.Step) error {
	s.At = timeOf(unix(s.At))
	entry := desk.AuditOf(s)
	number, err := db.appendAudit(ctx, tx, &entry)
	if err != nil {
		return err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("step %d of %s: %w", s.Number, s.ID, err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO advisory_step (organisation, subject, number, id, at, step, audit) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		db.organisation, subject, s.Number, s.ID, unix(s.At), string(text), number)
	return err
}

// AdvisorySteps implements [desk.AdvisoryStore].
func (db *DB) AdvisorySteps(ctx context.Context, subject string) ([]desk.AdvisoryStep, error) {
	var out []desk.AdvisoryStep
	err := db.query(ctx, func(scan func(...any) error) error {
		var s desk.AdvisoryStep
		var text sql.RawBytes
		if err := scan(&text, &s.Audit); err != nil {
			return err
		}
		if err := json.Unmarshal(text, &s.Step); err != nil {
			return fmt.Errorf("a step of %s: %w", subject, err)
		}
		out = append(out, s)
		return nil
	}, `SELECT step, audit FROM advisory_step WHERE organisation = ? AND subject = ? ORDER BY number`, db.organisation, subject)
	return out, err
}

// advisoryColumns are what an advisory is read from.
const advisoryColumns = `SELECT subject, version, at, document, corrections, recipients, author FROM advisory AS a WHERE organisation = ?`

// Advisory implements [desk.AdvisoryStore].
func (db *DB) Advisory(ctx context.Context, id string) (*desk.AdvisoryRecord, error) {
	list, err := db.advisories(ctx, advisoryColumns+` AND id = ?`, db.organisation, id)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Advisories implements [desk.AdvisoryStore].
func (db *DB) Advisories(ctx context.Context, subject string) ([]desk.AdvisoryRecord, error) {
	return db.advisories(ctx, advisoryColumns+` AND subject = ? ORDER BY version`, db.organisation, subject)
}

// NewestAdvisories implements [desk.AdvisoryStore].
func (db *DB) NewestAdvisories(ctx context.Context) ([]desk.AdvisoryRecord, error) {
	return db.advisories(ctx, advisoryColumns+` AND version = (SELECT max(version) FROM advisory AS b WHERE b.organisation = a.organisation AND b.subject = a.subject)
		ORDER BY at DESC, id`, db.organisation)
}

func (db *DB) advisories(ctx context.Context, question string, args ...any) ([]desk.AdvisoryRecord, error) {
	var out []desk.AdvisoryRecord
	err := db.query(ctx, func(scan func(...any) error) error {
		var at int64
		var text, corrections, recipients sql.RawBytes
		r := desk.AdvisoryRecord{Document: &advisory.Document{}}
		if err := scan(&r.Subject, &r.Version, &at, &text, &corrections, &recipients, &r.Author); err != nil {
			return err
		}
		r.At = timeOf(at)
		err := json.Unmarshal(text, r.Document)
		if err == nil {
			err = json.Unmarshal(corrections, &r.Corrections)
		}
		if err == nil {
			err = json.Unmarshal(recipients, &r.Recipients)
		}
		if err != nil {
			return fmt.Errorf("an advisory about %s: %w", r.Subject, err)
		}
		if len(r.Recipients) == 0 {
			r.Recipients = nil
		}
		out = append(out, r)
		return nil
	}, question, args...)
	return out, err
}
