package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

var (
	_ desk.AccountStore = (*DB)(nil)
	_ desk.SessionStore = (*DB)(nil)
)

// ChangeAccount implements [desk.AccountStore].
func (db *DB) ChangeAccount(ctx context.Context, change func(*desk.Account) (*desk.Account, error)) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		a := &desk.Account{}
		var made, expires int64
		var hash []byte
		err := tx.QueryRowContext(ctx, `SELECT password, secret, step, made, invite_hash, invite_secret, invite_expires FROM account WHERE organisation = ?`, db.organisation).
			Scan(&a.Password, &a.Secret, &a.Step, &made, &hash, &a.InviteSecret, &expires)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			a = nil
		case err != nil:
			return err
		default:
			a.Made, a.InviteExpires = timeOf(made), timeOf(expires)
			copy(a.InviteHash[:], hash)
			if len(a.InviteSecret) == 0 {
				a.InviteSecret = nil
			}
			if len(a.Secret) == 0 {
				a.Secret = nil
			}
		}
		b, err := change(a)
		if err != nil || b == nil {
			return err
		}
		secret, invite := b.Secret, b.InviteSecret
		if secret == nil {
			secret = []byte{}
		}
		if invite == nil {
			invite = []byte{}
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO account (organisation, password, secret, step, made, invite_hash, invite_secret, invite_expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			db.organisation, b.Password, secret, b.Step, unix(b.Made), b.InviteHash[:], invite, unix(b.InviteExpires))
		return err
	})
}

// AddSession implements [desk.SessionStore].
func (db *DB) AddSession(ctx context.Context, s *desk.Session) error {
	address := ""
	if s.Address.IsValid() {
		address = s.Address.String()
	}
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO session (organisation, hash, made, seen, address, agent) VALUES (?, ?, ?, ?, ?, ?)`,
			db.organisation, s.Hash[:], unix(s.Made), unix(s.Seen), address, s.Agent)
		return err
	})
}

const sessionColumns = `hash, made, seen, address, agent`

func scanSession(scan func(...any) error) (desk.Session, error) {
	var s desk.Session
	var made, seen int64
	var hash []byte
	var address string
	if err := scan(&hash, &made, &seen, &address, &s.Agent); err != nil {
		return s, err
	}
	copy(s.Hash[:], hash)
	s.Made, s.Seen = timeOf(made), timeOf(seen)
	s.Address, _ = netip.ParseAddr(address) // the zero one where it was none
	return s, nil
}

// SessionOf implements [desk.SessionStore].
func (db *DB) SessionOf(ctx context.Context, hash [32]byte) (*desk.Session, error) {
	list, err := db.sessions(ctx, `organisation = ? AND hash = ?`, db.organisation, hash[:])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Sessions implements [desk.SessionStore].
func (db *DB) Sessions(ctx context.Context) ([]desk.Session, error) {
	return db.sessions(ctx, `organisation = ? ORDER BY seen DESC, hash`, db.organisation)
}

func (db *DB) sessions(ctx context.Context, where string, args ...any) ([]desk.Session, error) {
	var out []desk.Session
	err := db.query(ctx, func(scan func(...any) error) error {
		s, err := scanSession(scan)
		out = append(out, s)
		return err
	}, `SELECT `+sessionColumns+` FROM session WHERE `+where, args...)
	return out, err
}

// TouchSession implements [desk.SessionStore].
func (db *DB) TouchSession(ctx context.Context, hash [32]byte, at time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE session SET seen = ? WHERE organisation = ? AND hash = ?`, unix(at), db.organisation, hash[:])
		return err
	})
}

// RemoveSessions implements [desk.SessionStore].
func (db *DB) RemoveSessions(ctx context.Context, remove func(*desk.Session) bool) (int, error) {
	n := 0
	err := db.update(ctx, func(tx *sql.Tx) error {
		n = 0
		rows, err := tx.QueryContext(ctx, `SELECT `+sessionColumns+` FROM session WHERE organisation = ?`, db.organisation)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }() // rows.Err has its error
		var gone [][32]byte
		for rows.Next() {
			s, err := scanSession(rows.Scan)
			if err != nil {
				return err
			}
			if remove(&s) {
				gone = append(gone, s.Hash)
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if err := rows.Close(); err != nil {
			return err
		}
		for _, h := range gone {
			if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE organisation = ? AND hash = ?`, db.organisation, h[:]); err != nil {
				return err
			}
		}
		n = len(gone)
		return nil
	})
	return n, err
}
