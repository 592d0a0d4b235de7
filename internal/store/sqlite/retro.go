package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
)

var (
	_ desk.RetroStore   = (*DB)(nil)
	_ desk.SimilarStore = (*DB)(nil)
)

// staleWhere asks for mails that were judged by other rules.
func (db *DB) staleWhere(q *desk.StaleQuery) (string, []any) {
	where, args := `organisation = ? AND kept >= ? AND rules <> ?`, []any{db.organisation, unix(q.Since), q.Rules}
	if a := q.After; a != nil {
		where += ` AND kept <= ? AND (kept < ? OR id > ?)`
		args = append(args, unix(a.Kept), unix(a.Kept), string(a.ID))
	}
	return where, args
}

// StaleMails implements [desk.RetroStore].
func (db *DB) StaleMails(ctx context.Context, q *desk.StaleQuery) ([]desk.StaleMail, error) {
	where, args := db.staleWhere(q)
	return db.stale(ctx, `SELECT id, blob, kept, rules FROM mail INDEXED BY mail_by_rules WHERE `+where+` ORDER BY kept DESC, id LIMIT ?`, append(args, q.Limit)...)
}

func (db *DB) stale(ctx context.Context, question string, args ...any) ([]desk.StaleMail, error) {
	var out []desk.StaleMail
	err := db.query(ctx, func(scan func(...any) error) error {
		var m desk.StaleMail
		var kept int64
		if err := scan(&m.ID, &m.Blob, &kept, &m.Rules); err != nil {
			return err
		}
		m.Kept = timeOf(kept)
		out = append(out, m)
		return nil
	}, question, args...)
	return out, err
}

// StaleCount implements [desk.RetroStore].
func (db *DB) StaleCount(ctx context.Context, q *desk.StaleQuery) (int, error) {
	where, args := db.staleWhere(q)
	n := 0
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&n) }, `SELECT count(*) FROM mail INDEXED BY mail_by_rules WHERE `+where, args...)
	return n, err
}

// KeepRejudged implements [desk.RetroStore].
func (db *DB) KeepRejudged(ctx context.Context, r *desk.Rejudged, run *desk.RetroRun) (bool, error) {
	var verdict, change, reason []byte
	var err error
	if r.Change != nil {
		if verdict, err = pack(r.Verdict); err == nil {
			change, err = json.Marshal(r.Change)
		}
		if err == nil {
			reason, err = json.Marshal(r.Verdict.Reason)
		}
		if err != nil {
			return false, fmt.Errorf("mail %s: %w", r.ID, err)
		}
	}
	kept := false
	err = db.update(ctx, func(tx *sql.Tx) error {
		var row int64
		err := tx.QueryRowContext(ctx, `SELECT row FROM mail WHERE organisation = ? AND id = ? AND rules = ?`, db.organisation, string(r.ID), r.Was).Scan(&row)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		kept = true
		if _, err := tx.ExecContext(ctx, `UPDATE mail SET rules = ? WHERE row = ?`, r.Rules, row); err != nil {
			return err
		}
		if c := r.Change; c != nil {
			v := r.Verdict
			if _, err := tx.ExecContext(ctx, `INSERT INTO mail_change (mail, run, at, before, after, worse, change, old)
				SELECT mail, ?, ?, ?, ?, ?, ?, verdict FROM mail_verdict WHERE mail = ?`,
				run.Number, unix(c.At), string(c.Before), string(c.After), c.Direction(), string(change), row); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE mail_verdict SET verdict = ? WHERE mail = ?`, verdict, row); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE mail SET verdict = ?, score = ?, reason = ? WHERE row = ?`, string(v.Verdict), v.Score, string(reason), row); err != nil {
				return err
			}
		}
		if err := db.keepTraits(ctx, tx, row, r.Traits); err != nil {
			return err
		}
		return db.saveRun(ctx, tx, run)
	})
	return kept && err == nil, err
}

// SaveRetroRun implements [desk.RetroStore].
func (db *DB) SaveRetroRun(ctx context.Context, run *desk.RetroRun) error {
	number := run.Number
	err := db.update(ctx, func(tx *sql.Tx) error {
		if run.Number == 0 {
			if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(run), 0) + 1 FROM retro_run WHERE organisation = ?`, db.organisation).Scan(&run.Number); err != nil {
				return err
			}
		}
		return db.saveRun(ctx, tx, run)
	})
	if err != nil {
		run.Number = number
	}
	return err
}

func (db *DB) saveRun(ctx context.Context, tx *sql.Tx, r *desk.RetroRun) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO retro_run (organisation, run, rules, who, started, ended, judged, failed, changed, worse, better) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		db.organisation, r.Number, r.Rules, r.Who, unix(r.Started), unix(r.Ended), r.Judged, r.Failed, r.Changed, r.Worse, r.Better)
	return err
}

// RetroRuns implements [desk.RetroStore].
func (db *DB) RetroRuns(ctx context.Context, limit int) ([]desk.RetroRun, error) {
	var out []desk.RetroRun
	err := db.query(ctx, func(scan func(...any) error) error {
		var r desk.RetroRun
		var started, ended int64
		if err := scan(&r.Number, &r.Rules, &r.Who, &started, &ended, &r.Judged, &r.Failed, &r.Changed, &r.Worse, &r.Better); err != nil {
			return err
		}
		r.Started, r.Ended = timeOf(started), timeOf(ended)
		out = append(out, r)
		return nil
	}, `SELECT run, rules, who, started, ended, judged, failed, changed, worse, better FROM retro_run WHERE organisation = ? ORDER BY run DESC LIMIT ?`, db.organisation, limit)
	return out, err
}

// RetroChanges implements [desk.RetroStore].
func (db *DB) RetroChanges(ctx context.Context, q *desk.RetroQuery) ([]desk.RetroChange, error) {
	where, args := []string{"m.organisation = ?"}, []any{db.organisation}
	and := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if !q.Since.IsZero() {
		and("c.at >= ?", unix(q.Since))
	}
	if q.Run != 0 {
		and("c.run = ?", q.Run)
	}
	if q.Mail != "" {
		and("m.id = ?", string(q.Mail))
	}
	if q.Worse {
		and("c.worse > 0")
	} else if !q.All {
		and("c.worse <> 0")
	}
	if q.Open {
		and("m.label = ''")
	}
	var out []desk.RetroChange
	err := db.query(ctx, func(scan func(...any) error) error {
		var change, name, address string
		var kept int64
		var r desk.RetroChange
		var label desk.Label
		var run int64
		if err := scan(&change, &run, &name, &address, &r.Subject, &kept, &label); err != nil {
			return err
		}
		subject := r.Subject
		if err := json.Unmarshal([]byte(change), &r); err != nil {
			return fmt.Errorf("a change: %w", err)
		}
		r.Run, r.From, r.Subject, r.Received, r.Label = run, desk.Mailbox{Name: name, Address: address}.String(), subject, timeOf(kept), label
		out = append(out, r)
		return nil
	}, `SELECT c.change, c.run, m.from_name, m.from_address, m.subject, m.kept, m.label FROM mail_change AS c JOIN mail AS m ON m.row = c.mail
		WHERE `+strings.Join(where, " AND ")+` ORDER BY c.at DESC, c.row DESC LIMIT ?`, append(args, q.Limit)...)
	return out, err
}

// key is a key as the tables have it. Each organisation has its own, so that none
// takes the place of another's mails among the first.
func (db *DB) key(k campaign.Key) int64 {
	sum := k.Sum
	if db.organisation != "" {
		h := fnv.New64a()
		_, _ = h.Write([]byte(db.organisation)) // a hash never fails
		sum ^= h.Sum64()
	}
	return int64(sum) //nolint:gosec // the bits are what counts
}

// keepTraits keeps by what a mail is compared; nil leaves it as it is.
func (db *DB) keepTraits(ctx context.Context, tx *sql.Tx, row int64, t *desk.MailTraits) error {
	if t == nil {
		return nil
	}
	facts, err := json.Marshal(t.Mails)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO mail_facts (mail, facts) VALUES (?, ?)`, row, facts); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM mail_key WHERE mail = ?`, row); err != nil {
		return err
	}
	if len(t.Keys) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(t.Keys))
	for _, k := range t.Keys {
		args = append(args, db.key(k), row)
	}
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO mail_key (key, mail) VALUES (?, ?)`+strings.Repeat(`, (?, ?)`, len(t.Keys)-1), args...)
	return err
}

// KeepTraits implements [desk.SimilarStore].
func (db *DB) KeepTraits(ctx context.Context, id desk.MailID, t *desk.MailTraits) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		var row int64
		err := tx.QueryRowContext(ctx, `SELECT row FROM mail WHERE organisation = ? AND id = ?`, db.organisation, string(id)).Scan(&row)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return db.keepTraits(ctx, tx, row, t)
	})
}

// BareMails implements [desk.SimilarStore].
func (db *DB) BareMails(ctx context.Context, limit int) ([]desk.StaleMail, error) {
	return db.stale(ctx, `SELECT id, blob, kept, rules FROM mail INDEXED BY mail_by_rules WHERE organisation = ? AND NOT EXISTS (SELECT 1 FROM mail_facts AS f WHERE f.mail = mail.row)
		ORDER BY kept DESC, id LIMIT ?`, db.organisation, limit)
}

// SimilarMails implements [desk.SimilarStore].
func (db *DB) SimilarMails(ctx context.Context, keys []campaign.Key, limit int, found func(id desk.MailID, mails []desk.IndexedMail) bool) (int, error) {
	total := 0
	if err := db.query(ctx, func(scan func(...any) error) error { return scan(&total) }, `SELECT count(*) FROM mail WHERE organisation = ?`, db.organisation); err != nil || len(keys) == 0 {
		return total, err
	}
	args := make([]any, 0, 2*len(keys)+2)
	for _, k := range keys {
		args = append(args, db.key(k), k.Weight)
	}
	args = append(args, limit, db.organisation)
	stop := errors.New("enough")
	err := db.query(ctx, func(scan func(...any) error) error {
		var id desk.MailID
		var facts []byte
		if err := scan(&id, &facts); err != nil {
			return err
		}
		var mails []desk.IndexedMail
		if err := json.Unmarshal(facts, &mails); err != nil {
			return fmt.Errorf("mail %s: %w", id, err)
		}
		if !found(id, mails) {
			return stop
		}
		return nil
	}, `WITH asked (key, weight) AS (VALUES (?, ?)`+strings.Repeat(`, (?, ?)`, len(keys)-1)+`),
		best (mail, weight) AS MATERIALIZED (SELECT k.mail, sum(a.weight) AS weight FROM asked AS a CROSS JOIN mail_key AS k ON k.key = a.key GROUP BY k.mail ORDER BY weight DESC, k.mail DESC LIMIT ?)
		SELECT m.id, f.facts FROM best AS b CROSS JOIN mail AS m ON m.row = b.mail CROSS JOIN mail_facts AS f ON f.mail = b.mail
		WHERE m.organisation = ? ORDER BY b.weight DESC, b.mail DESC`, args...)
	if errors.Is(err, stop) {
		err = nil
	}
	return total, err
}
