package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

var (
	_ desk.OutboxStore = (*DB)(nil)
	_ desk.KeptCounter = (*DB)(nil)
)

// AddOut implements [desk.OutboxStore].
func (db *DB) AddOut(ctx context.Context, m *desk.OutMail, limits ...desk.OutLimit) (desk.OutAdded, error) {
	added := desk.OutNew
	err := db.update(ctx, func(tx *sql.Tx) error {
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM outbox WHERE organisation = ? AND key = ?)`, db.organisation, m.Key).Scan(&there); err != nil {
			return err
		}
		if there {
			added = desk.OutThere
			return nil
		}
		for _, l := range limits {
			n := 0
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM outbox WHERE organisation = ?1 AND kind = ?2 AND added > ?3 AND (?4 = '' OR recipient = ?4)`,
				db.organisation, string(l.Kind), unix(l.Since), l.To).Scan(&n); err != nil {
				return err
			}
			if n >= l.Most {
				added = desk.OutLimited
				return nil
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (organisation, id, key, kind, state, recipient, subject, about, verdict, made, added, due, attempts, answer, settled, raw)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			db.organisation, m.ID, m.Key, string(m.Kind), string(m.State), m.To, m.Subject, string(m.About), string(m.Verdict),
			unix(m.Made), unix(m.Made), unix(m.Due), m.Attempts, m.Answer, unix(m.Settled), m.Raw)
		return err
	})
	if err != nil {
		return "", err
	}
	return added, nil
}

// outFields are what a list shows of a mail.
const outFields = `id, key, kind, state, recipient, subject, about, verdict, made, due, attempts, answer, settled`

func scanOut(scan func(...any) error, m *desk.OutMail, more ...any) error {
	var made, due, settled int64
	into := []any{&m.ID, &m.Key, &m.Kind, &m.State, &m.To, &m.Subject, &m.About, &m.Verdict, &made, &due, &m.Attempts, &m.Answer, &settled}
	if err := scan(append(into, more...)...); err != nil {
		return err
	}
	m.Made, m.Due, m.Settled = timeOf(made), timeOf(due), timeOf(settled)
	return nil
}

// Out implements [desk.OutboxStore].
func (db *DB) Out(ctx context.Context, id string) (*desk.OutMail, error) {
	var out *desk.OutMail
	err := db.query(ctx, func(scan func(...any) error) error {
		out = &desk.OutMail{}
		return scanOut(scan, out, &out.Raw)
	}, `SELECT `+outFields+`, raw FROM outbox WHERE organisation = ? AND id = ?`, db.organisation, id)
	return out, err
}

// Outs implements [desk.OutboxStore].
func (db *DB) Outs(ctx context.Context, state desk.OutState, limit int) ([]desk.OutMail, error) {
	var out []desk.OutMail
	err := db.query(ctx, func(scan func(...any) error) error {
		var m desk.OutMail
		if err := scanOut(scan, &m); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	}, `SELECT `+outFields+` FROM outbox WHERE organisation = ?1 AND (?2 = '' OR state = ?2) ORDER BY made DESC, row DESC LIMIT ?3`,
		db.organisation, string(state), max(0, min(limit, desk.MaxOuts)))
	return out, err
}

// OutCounts implements [desk.OutboxStore].
func (db *DB) OutCounts(ctx context.Context) (map[desk.OutState]int, error) {
	out := map[desk.OutState]int{}
	err := db.query(ctx, func(scan func(...any) error) error {
		var s desk.OutState
		n := 0
		if err := scan(&s, &n); err != nil {
			return err
		}
		out[s] = n
		return nil
	}, `SELECT state, count(*) FROM outbox WHERE organisation = ? GROUP BY state`, db.organisation)
	return out, err
}

// LeaseOut implements [desk.OutboxStore].
func (db *DB) LeaseOut(ctx context.Context, n int, now, until time.Time) ([]desk.OutMail, error) {
	// Whoever looks often must not write each time.
	due := false
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&due) },
		`SELECT EXISTS (SELECT 1 FROM outbox WHERE organisation = ? AND state = ? AND due <= ?)`, db.organisation, string(desk.OutReady), unix(now))
	if err != nil || !due || n <= 0 {
		return nil, err
	}
	var out []desk.OutMail
	err = db.update(ctx, func(tx *sql.Tx) error {
		out = nil
		rows, err := tx.QueryContext(ctx, `UPDATE outbox SET due = ?, attempts = attempts + 1
			WHERE row IN (SELECT row FROM outbox WHERE organisation = ? AND state = ? AND due <= ? ORDER BY due, row LIMIT ?)
			RETURNING `+outFields+`, raw`, unix(until), db.organisation, string(desk.OutReady), unix(now), n)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err has its error
		for rows.Next() {
			var m desk.OutMail
			if err := scanOut(rows.Scan, &m, &m.Raw); err != nil {
				return err
			}
			out = append(out, m)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// SettleOut implements [desk.OutboxStore].
func (db *DB) SettleOut(ctx context.Context, old, m *desk.OutMail) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		n, err := changed(tx.ExecContext(ctx, `UPDATE outbox SET state = ?, made = ?, due = ?, attempts = ?, answer = ?, settled = ?
			WHERE organisation = ? AND id = ? AND state = ? AND attempts = ?`,
			string(m.State), unix(m.Made), unix(m.Due), m.Attempts, m.Answer, unix(m.Settled), db.organisation, old.ID, string(old.State), old.Attempts))
		if err == nil && n == 0 {
			return errConflict
		}
		return err
	})
}

// DropOuts implements [desk.OutboxStore].
func (db *DB) DropOuts(ctx context.Context, before time.Time) (int, error) {
	return db.drop(ctx, func(tx *sql.Tx) (int64, error) {
		return changed(tx.ExecContext(ctx, `DELETE FROM outbox WHERE organisation = ? AND settled > 0 AND settled < ?`, db.organisation, unix(before)))
	})
}

// OutMark implements [desk.OutboxStore].
func (db *DB) OutMark(ctx context.Context, name string) (int64, time.Time, error) {
	var number, at int64
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&number, &at) },
		`SELECT number, at FROM outbox_mark WHERE organisation = ? AND name = ?`, db.organisation, name)
	return number, timeOf(at), err
}

// SetOutMark implements [desk.OutboxStore].
func (db *DB) SetOutMark(ctx context.Context, name string, number int64, at time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO outbox_mark (organisation, name, number, at) VALUES (?, ?, ?, ?)`, db.organisation, name, number, unix(at))
		return err
	})
}

// KeptCounts implements [desk.KeptCounter].
func (db *DB) KeptCounts(ctx context.Context, from, until time.Time) (map[desk.Word]int, error) {
	out := map[desk.Word]int{}
	err := db.query(ctx, func(scan func(...any) error) error {
		var w desk.Word
		n := 0
		if err := scan(&w, &n); err != nil {
			return err
		}
		out[w] = n
		return nil
	}, `SELECT verdict, count(*) FROM mail WHERE organisation = ? AND kept >= ? AND kept < ? GROUP BY verdict`, db.organisation, unix(from), unix(until))
	return out, err
}
