package desk

import (
	"context"
	"time"

	"github.com/sekisho/sekisho/advisory/digest"
)

// DigestStore keeps issues of the newsletter, with what was rendered of them.
// Nothing that was kept is changed: an issue that is made anew is a further
// version under the same number.
type DigestStore interface {
	// KeepDigest keeps an issue as the newest version of its number and returns
	// that version, from 1. The same content as in the newest version keeps that
	// one.
	KeepDigest(ctx context.Context, r *DigestRecord) (int, error)

	// Digest returns an issue in a version, the newest one for version 0, nil if
	// it is not there.
	Digest(ctx context.Context, number, version int) (*DigestRecord, error)

	// Digests returns the newest version of each issue without its forms, by
	// number.
	Digests(ctx context.Context) ([]DigestRecord, error)
}

// DigestRecord is an issue that was kept.
type DigestRecord struct {
	Version int // set by the store
	At      time.Time
	Hash    string // "sha256:..." of all forms; what an approval is bound to
	Issue   *digest.Issue
	Forms   map[string][]byte // what was rendered, by name: "digest.ja.html"
}
