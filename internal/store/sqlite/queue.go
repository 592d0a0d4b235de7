package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

var _ desk.Queue = (*DB)(nil)

// queueSweep is how many rows are forgotten at once, so that no delivery waits
// for a long sweep.
const queueSweep = 100

// maxReason bounds what is kept of a failure.
const maxReason = 2000

// Enqueue implements [desk.Queue].
func (db *DB) Enqueue(ctx context.Context, e *desk.QueueEntry) (bool, error) {
	entry, err := json.Marshal(e)
	if err != nil {
		return false, fmt.Errorf("queue: %w", err)
	}
	added := false
	err = db.update(ctx, func(tx *sql.Tx) error {
		key := sql.NullString{String: e.Key, Valid: e.Key != ""}
		if key.Valid {
			var seen bool
			if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM queue WHERE organisation = ? AND key = ?)`, db.organisation, e.Key).Scan(&seen); err != nil || seen {
				return err
			}
		}
		// One that is done and comes again is done again, in case that the mail was
		// deleted meanwhile: its sender means it.
		res, err := tx.ExecContext(ctx, `INSERT INTO queue (organisation, id, key, state, due, token, attempts, held, received, blob, entry, reason)
			VALUES (?, ?, ?, 0, ?, 0, 0, 0, ?, ?, ?, '')
			ON CONFLICT (organisation, id) DO UPDATE SET key = coalesce(excluded.key, key), state = 0, due = excluded.due, attempts = 0, held = 0,
				received = excluded.received, blob = excluded.blob, entry = excluded.entry, reason = '' WHERE state = 1`,
			db.organisation, string(e.ID), key, unix(e.Received), unix(e.Received), e.Blob, string(entry))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		added = n > 0
		return err
	})
	return added && err == nil, err
}

// Lease implements [desk.Queue].
func (db *DB) Lease(ctx context.Context, n int, now, until time.Time) ([]desk.Lease, error) {
	// An idle worker asks often and must not write each time.
	due := false
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&due) },
		`SELECT EXISTS (SELECT 1 FROM queue WHERE organisation = ? AND state = 0 AND due <= ?)`, db.organisation, unix(now))
	if err != nil || !due || n <= 0 {
		return nil, err
	}
	var out []desk.Lease
	err = db.update(ctx, func(tx *sql.Tx) error {
		out = nil
		if _, err := tx.ExecContext(ctx, `UPDATE queue SET state = 2, held = 0, due = ?, reason = 'its worker ended without a word, each time'
			WHERE organisation = ? AND state = 0 AND held = 1 AND due <= ? AND attempts >= ?`,
			unix(now), db.organisation, unix(now), desk.MaxAttempts); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `UPDATE queue SET held = 1, due = ?, token = token + 1, attempts = attempts + 1
			WHERE row IN (SELECT row FROM queue WHERE organisation = ? AND state = 0 AND due <= ? ORDER BY due LIMIT ?)
			RETURNING token, attempts, entry`, unix(until), db.organisation, unix(now), n)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err has its error
		for rows.Next() {
			var l desk.Lease
			var token int64
			var entry string
			if err := rows.Scan(&token, &l.Attempt, &entry); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(entry), &l.QueueEntry); err != nil {
				return fmt.Errorf("queue: %w", err)
			}
			l.Token = strconv.FormatInt(token, 10)
			out = append(out, l)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Done implements [desk.Queue].
func (db *DB) Done(ctx context.Context, l *desk.Lease, now time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		if err := db.settleLease(ctx, tx, l, `state = 1, held = 0, due = ?, blob = '', entry = '', reason = ''`, unix(now)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM queue WHERE row IN (SELECT row FROM queue WHERE organisation = ? AND state = 1 AND due < ? LIMIT ?)`,
			db.organisation, unix(now.Add(-desk.QueueMemory)), queueSweep)
		return err
	})
}

// Fail implements [desk.Queue].
func (db *DB) Fail(ctx context.Context, l *desk.Lease, reason string, now, again time.Time) error {
	reason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
	return db.update(ctx, func(tx *sql.Tx) error {
		if again.IsZero() {
			return db.settleLease(ctx, tx, l, `state = 2, held = 0, due = ?, reason = ?`, unix(now), reason)
		}
		return db.settleLease(ctx, tx, l, `held = 0, due = ?, reason = ?, attempts = attempts - ?`, unix(again), reason, reason == "")
	})
}

// settleLease changes the row of a lease that still holds.
func (db *DB) settleLease(ctx context.Context, tx *sql.Tx, l *desk.Lease, set string, args ...any) error {
	res, err := tx.ExecContext(ctx, `UPDATE queue SET `+set+` WHERE organisation = ? AND id = ? AND state = 0 AND held = 1 AND token = ?`,
		append(args, db.organisation, string(l.ID), l.Token)...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return errConflict
}

// State implements [desk.Queue].
func (db *DB) State(ctx context.Context, limit int) (*desk.QueueState, error) {
	s := &desk.QueueState{Letters: []desk.DeadLetter{}}
	err := db.query(ctx, func(scan func(...any) error) error {
		var oldest int64
		err := scan(&s.Waiting, &s.Leased, &oldest)
		s.Oldest = timeOf(oldest)
		return err
	}, `SELECT coalesce(sum(held = 0), 0), coalesce(sum(held = 1), 0), coalesce(min(received), 0) FROM queue WHERE organisation = ? AND state = 0`, db.organisation)
	if err != nil {
		return nil, err
	}
	err = db.query(ctx, func(scan func(...any) error) error { return scan(&s.Dead) },
		`SELECT count(*) FROM queue WHERE organisation = ? AND state = 2`, db.organisation)
	if err != nil {
		return nil, err
	}
	err = db.query(ctx, func(scan func(...any) error) error {
		var d desk.DeadLetter
		var entry string
		var died int64
		if err := scan(&entry, &d.Attempts, &d.Reason, &died); err != nil {
			return err
		}
		d.Died = timeOf(died)
		s.Letters = append(s.Letters, d)
		return json.Unmarshal([]byte(entry), &s.Letters[len(s.Letters)-1].QueueEntry)
	}, `SELECT entry, attempts, reason, due FROM queue WHERE organisation = ? AND state = 2 ORDER BY due DESC, row DESC LIMIT ?`,
		db.organisation, max(0, min(limit, desk.MaxDeadLetters)))
	return s, err
}

// Settle implements [desk.Queue].
func (db *DB) Settle(ctx context.Context, id desk.MailID, how desk.Settlement, now time.Time) (*desk.QueueEntry, error) {
	e := &desk.QueueEntry{}
	err := db.update(ctx, func(tx *sql.Tx) error {
		var entry string
		err := tx.QueryRowContext(ctx, `SELECT entry FROM queue WHERE organisation = ? AND id = ? AND state = 2`, db.organisation, string(id)).Scan(&entry)
		if errors.Is(err, sql.ErrNoRows) {
			return &desk.Error{Kind: desk.NotFound, Message: lang.M("intake.error.no-letter"), Hint: lang.M("intake.hint.no-letter")}
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(entry), e); err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		set := `state = 0, due = ?, attempts = 0, held = 0`
		if how == desk.SettleDrop {
			set = `state = 1, due = ?, blob = '', entry = ''`
		}
		_, err = tx.ExecContext(ctx, `UPDATE queue SET `+set+` WHERE organisation = ? AND id = ?`, unix(now), db.organisation, string(id))
		return err
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}
