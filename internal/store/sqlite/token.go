package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.APITokenStore = (*DB)(nil)

// AddToken implements [desk.APITokenStore].
func (db *DB) AddToken(ctx context.Context, t *desk.APIToken) error {
	scopes := make([]string, 0, len(t.Scopes))
	for _, s := range t.Scopes {
		scopes = append(scopes, string(s))
	}
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO api_token (organisation, hash, name, scopes, made, made_by, used, expires, revoked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			db.organisation, t.Hash[:], t.Name, strings.Join(scopes, " "), unix(t.Made), t.By, unix(t.Used), unix(t.Expires), unix(t.Revoked))
		return err
	})
}

// TokenOf implements [desk.APITokenStore].
func (db *DB) TokenOf(ctx context.Context, hash [32]byte) (*desk.APIToken, error) {
	list, err := db.tokens(ctx, `organisation = ? AND hash = ?`, db.organisation, hash[:])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

// Tokens implements [desk.APITokenStore].
func (db *DB) Tokens(ctx context.Context) ([]desk.APIToken, error) {
	return db.tokens(ctx, `organisation = ? ORDER BY name`, db.organisation)
}

func (db *DB) tokens(ctx context.Context, where string, args ...any) ([]desk.APIToken, error) {
	var out []desk.APIToken
	err := db.query(ctx, func(scan func(...any) error) error {
		var t desk.APIToken
		var hash []byte
		var scopes string
		var made, used, expires, revoked int64
		if err := scan(&hash, &t.Name, &scopes, &made, &t.By, &used, &expires, &revoked); err != nil {
			return err
		}
		copy(t.Hash[:], hash)
		for s := range strings.FieldsSeq(scopes) {
			t.Scopes = append(t.Scopes, desk.Scope(s))
		}
		t.Made, t.Used, t.Expires, t.Revoked = timeOf(made), timeOf(used), timeOf(expires), timeOf(revoked)
		out = append(out, t)
		return nil
	}, `SELECT hash, name, scopes, made, made_by, used, expires, revoked FROM api_token WHERE `+where, args...)
	return out, err
}

// TouchToken implements [desk.APITokenStore].
func (db *DB) TouchToken(ctx context.Context, hash [32]byte, at time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE api_token SET used = ? WHERE organisation = ? AND hash = ?`, unix(at), db.organisation, hash[:])
		return err
	})
}

// RevokeToken implements [desk.APITokenStore].
func (db *DB) RevokeToken(ctx context.Context, name string, at time.Time) (revoked bool, err error) {
	err = db.update(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE api_token SET revoked = ? WHERE organisation = ? AND name = ? AND revoked = 0`, unix(at), db.organisation, name)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		revoked = n > 0
		return err
	})
	return revoked, err
}
