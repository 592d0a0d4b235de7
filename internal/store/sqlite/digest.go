package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.DigestStore = (*DB)(nil)

// KeepDigest implements [desk.DigestStore].
func (db *DB) KeepDigest(ctx context.Context, r *desk.DigestRecord) (int, error) {
	n := r.Issue.Number
	issue, err := json.Marshal(r.Issue)
	if err != nil {
		return 0, fmt.Errorf("issue %d: %w", n, err)
	}
	packed := map[string][]byte{}
	for name, body := range r.Forms {
		if packed[name], err = gzipped(body); err != nil {
			return 0, err
		}
	}
	version := 0
	err = db.update(ctx, func(tx *sql.Tx) error {
		var hash string
		err := tx.QueryRowContext(ctx, `SELECT version, hash FROM digest WHERE organisation = ? AND number = ? ORDER BY version DESC LIMIT 1`, db.organisation, n).Scan(&version, &hash)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil && hash == r.Hash {
			return nil
		}
		version++
		if _, err := tx.ExecContext(ctx, `INSERT INTO digest (organisation, number, version, at, hash, issue) VALUES (?, ?, ?, ?, ?, ?)`,
			db.organisation, n, version, unix(r.At), r.Hash, string(issue)); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(packed)) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO digest_form (organisation, number, version, name, body) VALUES (?, ?, ?, ?, ?)`,
				db.organisation, n, version, name, packed[name]); err != nil {
				return err
			}
		}
		return nil
	})
	return version, err
}

// Digest implements [desk.DigestStore].
func (db *DB) Digest(ctx context.Context, number, version int) (*desk.DigestRecord, error) {
	list, err := db.digests(ctx, `SELECT version, at, hash, issue FROM digest WHERE organisation = ? AND number = ? AND (version = ? OR ? = 0) ORDER BY version DESC LIMIT 1`,
		db.organisation, number, version, version)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	r := &list[0]
	r.Forms = map[string][]byte{}
	err = db.query(ctx, func(scan func(...any) error) error {
		var name string
		var packed []byte
		if err := scan(&name, &packed); err != nil {
			return err
		}
		body, err := gunzipped(packed)
		if err != nil {
			return fmt.Errorf("form %s of issue %d: %w", name, number, err)
		}
		r.Forms[name] = body
		return nil
	}, `SELECT name, body FROM digest_form WHERE organisation = ? AND number = ? AND version = ?`, db.organisation, number, r.Version)
	return r, err
}

// Digests implements [desk.DigestStore].
func (db *DB) Digests(ctx context.Context) ([]desk.DigestRecord, error) {
	return db.digests(ctx, `SELECT version, at, hash, issue FROM digest AS d WHERE organisation = ?
		AND version = (SELECT max(version) FROM digest AS o WHERE o.organisation = d.organisation AND o.number = d.number) ORDER BY number`, db.organisation)
}

func (db *DB) digests(ctx context.Context, question string, args ...any) ([]desk.DigestRecord, error) {
	var out []desk.DigestRecord
	err := db.query(ctx, func(scan func(...any) error) error {
		var at int64
		var text sql.RawBytes
		r := desk.DigestRecord{Issue: &digest.Issue{}}
		if err := scan(&r.Version, &at, &r.Hash, &text); err != nil {
			return err
		}
		r.At = timeOf(at)
		if err := json.Unmarshal(text, r.Issue); err != nil {
			return fmt.Errorf("an issue of the newsletter: %w", err)
		}
		out = append(out, r)
		return nil
	}, question, args...)
	return out, err
}
