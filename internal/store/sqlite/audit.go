package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.AuditStore = (*DB)(nil)

// AppendAudit implements [desk.AuditStore].
func (db *DB) AppendAudit(ctx context.Context, e desk.AuditEntry) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := db.appendAudit(ctx, tx, &e)
		return err
	})
}

// appendAudit keeps an entry within a transaction of what it is about, and
// returns its number.
func (db *DB) appendAudit(ctx context.Context, tx *sql.Tx, e *desk.AuditEntry) (int64, error) {
	var before [32]byte
	var hash []byte
	err := tx.QueryRowContext(ctx, `SELECT number, hash FROM audit WHERE organisation = ? ORDER BY number DESC LIMIT 1`, db.organisation).Scan(&e.Number, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		e.Number, err = 0, nil
	}
	if err != nil {
		return 0, err
	}
	copy(before[:], hash)
	e.Number++
	e.Hash = e.Seal(before)
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (organisation, number, at, who, act, object, hash) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		db.organisation, e.Number, unix(e.At), e.Who, string(e.Act), e.Object, e.Hash[:])
	return e.Number, err
}

// Audit implements [desk.AuditStore].
func (db *DB) Audit(ctx context.Context, before int64, limit int) ([]desk.AuditEntry, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return db.audit(ctx, `organisation = ? AND number < ? ORDER BY number DESC LIMIT ?`, db.organisation, before, limit)
}

func (db *DB) audit(ctx context.Context, where string, args ...any) ([]desk.AuditEntry, error) {
	var out []desk.AuditEntry
	err := db.query(ctx, func(scan func(...any) error) error {
		var e desk.AuditEntry
		var at int64
		var hash []byte
		if err := scan(&e.Number, &at, &e.Who, &e.Act, &e.Object, &hash); err != nil {
			return err
		}
		e.At = timeOf(at)
		copy(e.Hash[:], hash)
		out = append(out, e)
		return nil
	}, `SELECT number, at, who, act, object, hash FROM audit WHERE `+where, args...)
	return out, err
}

// auditPage is how many entries are in memory at once.
const auditPage = 1000

// AuditChain implements [desk.AuditStore].
func (db *DB) AuditChain(ctx context.Context) iter.Seq2[desk.AuditEntry, error] {
	return func(yield func(desk.AuditEntry, error) bool) {
		last := int64(-1 << 63)
		for {
			page, err := db.audit(ctx, `organisation = ? AND number > ? ORDER BY number LIMIT ?`, db.organisation, last, auditPage)
			if err != nil {
				yield(desk.AuditEntry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				last = e.Number
			}
			if len(page) < auditPage {
				return
			}
		}
	}
}
