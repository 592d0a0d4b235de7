package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

var (
	_ desk.MailboxStore = (*DB)(nil)
	_ desk.TokenStore   = (*DB)(nil)
)

// MailboxState implements [desk.MailboxStore].
func (db *DB) MailboxState(ctx context.Context, name string) (*desk.MailboxState, error) {
	all, err := db.mailboxes(ctx, `organisation = ? AND name = ?`, db.organisation, name)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return &all[0], nil
}

// MailboxStates implements [desk.MailboxStore].
func (db *DB) MailboxStates(ctx context.Context) ([]desk.MailboxState, error) {
	return db.mailboxes(ctx, `organisation = ? ORDER BY name`, db.organisation)
}

func (db *DB) mailboxes(ctx context.Context, where string, args ...any) ([]desk.MailboxState, error) {
	var out []desk.MailboxState
	err := db.query(ctx, func(scan func(...any) error) error {
		var s desk.MailboxState
		var begun, mail, read, failed int64
		var problem string
		if err := scan(&s.Name, &s.Cursor, &begun, &s.Mails, &s.Refused, &mail, &read, &failed, &problem); err != nil {
			return err
		}
		s.Begun, s.LastMail, s.LastRead, s.Failed = timeOf(begun), timeOf(mail), timeOf(read), timeOf(failed)
		out = append(out, s)
		return readText(problem, &out[len(out)-1].Problem)
	}, `SELECT name, cursor, begun, mails, refused, last_mail, last_read, failed, problem FROM mailbox WHERE `+where, args...)
	return out, err
}

// readText reads what [writeText] wrote.
func readText(s string, into *lang.Text) error {
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), into)
}

// writeText writes a text for the database, "" for none.
func writeText(t lang.Text) (string, error) {
	if t == (lang.Text{}) {
		return "", nil
	}
	b, err := json.Marshal(t)
	return string(b), err
}

// SaveMailboxState implements [desk.MailboxStore].
func (db *DB) SaveMailboxState(ctx context.Context, s *desk.MailboxState, marks ...desk.MailboxMark) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		problem, err := writeText(s.Problem)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO mailbox (organisation, name, cursor, begun, mails, refused, last_mail, last_read, failed, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			db.organisation, s.Name, s.Cursor, unix(s.Begun), s.Mails, s.Refused, unix(s.LastMail), unix(s.LastRead), unix(s.Failed), problem); err != nil {
			return err
		}
		for _, m := range marks {
			why, err := writeText(m.Why)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO mailbox_mark (organisation, mailbox, key, hash, at, why) VALUES (?, ?, ?, ?, ?, ?)`,
				db.organisation, s.Name, m.Key, m.Hash, unix(m.At), why); err != nil {
				return err
			}
		}
		return nil
	})
}

// MailboxDone implements [desk.MailboxStore].
func (db *DB) MailboxDone(ctx context.Context, name, key, hash string) (bool, error) {
	n := 0
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&n) }, `SELECT
		EXISTS (SELECT 1 FROM mailbox_mark WHERE organisation = ?1 AND mailbox = ?2 AND key = ?3) OR
		?4 <> '' AND EXISTS (SELECT 1 FROM mailbox_mark WHERE organisation = ?1 AND mailbox = ?2 AND hash = ?4)`,
		db.organisation, name, key, hash)
	return n != 0, err
}

// MailboxRefused implements [desk.MailboxStore].
func (db *DB) MailboxRefused(ctx context.Context, name string, limit int) ([]desk.MailboxMark, error) {
	var out []desk.MailboxMark
	err := db.query(ctx, func(scan func(...any) error) error {
		var m desk.MailboxMark
		var at int64
		var why string
		if err := scan(&m.Key, &m.Hash, &at, &why); err != nil {
			return err
		}
		m.At = timeOf(at)
		out = append(out, m)
		return readText(why, &out[len(out)-1].Why)
	}, `SELECT key, hash, at, why FROM mailbox_mark WHERE organisation = ? AND mailbox = ? AND why <> '' ORDER BY at DESC, key LIMIT ?`, db.organisation, name, limit)
	return out, err
}

// DeleteMailbox implements [desk.MailboxStore].
func (db *DB) DeleteMailbox(ctx context.Context, name string) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{
			`DELETE FROM mailbox WHERE organisation = ? AND name = ?`,
			`DELETE FROM mailbox_mark WHERE organisation = ? AND mailbox = ?`,
			`DELETE FROM mailbox_token WHERE organisation = ? AND mailbox = ?`,
		} {
			if _, err := tx.ExecContext(ctx, q, db.organisation, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// MailboxToken implements [desk.TokenStore].
func (db *DB) MailboxToken(ctx context.Context, name string) ([]byte, error) {
	var sealed []byte
	err := db.query(ctx, func(scan func(...any) error) error { return scan(&sealed) },
		`SELECT token FROM mailbox_token WHERE organisation = ? AND mailbox = ?`, db.organisation, name)
	return sealed, err
}

// SaveMailboxToken implements [desk.TokenStore].
func (db *DB) SaveMailboxToken(ctx context.Context, name string, sealed []byte) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		if sealed == nil {
			_, err := tx.ExecContext(ctx, `DELETE FROM mailbox_token WHERE organisation = ? AND mailbox = ?`, db.organisation, name)
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO mailbox_token (organisation, mailbox, token) VALUES (?, ?, ?)`, db.organisation, name, sealed)
		return err
	})
}
