package desk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"time"
)

// AuditStore keeps who did what. Entries are never changed and never removed.
type AuditStore interface {
	// AppendAudit keeps an entry as the next one of the chain; the store sets its
	// number and its hash.
	AppendAudit(ctx context.Context, e AuditEntry) error

	// Audit returns up to limit entries with a number below before, the newest
	// first; before 0 is the newest of all.
	Audit(ctx context.Context, before int64, limit int) ([]AuditEntry, error)

	// AuditChain returns all entries, the oldest first.
	AuditChain(ctx context.Context) iter.Seq2[AuditEntry, error]
}

// AuditEntry is one act. It holds no text and no address of any mail.
type AuditEntry struct {
	Number int64     // from 1, without gaps
	At     time.Time // to the millisecond
	Who    string    // account, or "terminal" for somebody at the machine itself
	Act    Act
	Object string   // what it was done to: an identity, never a content
	Hash   [32]byte // of the entry before and this one; see [AuditEntry.Seal]
}

// Act is what was done.
type Act string

// The acts.
const (
	ActAdminInvited     Act = "admin.invited"
	ActAdminMade        Act = "admin.made"
	ActLogin            Act = "login"
	ActLoginRefused     Act = "login.refused"
	ActLogout           Act = "logout"
	ActSessionRevoked   Act = "session.revoked"
	ActSessionsRevoked  Act = "sessions.revoked"
	ActMailKept         Act = "mail.kept"
	ActMailDeleted      Act = "mail.deleted"
	ActMailPhish        Act = "mail.phish"
	ActMailNotPhish     Act = "mail.not-phish"
	ActMailUnlabelled   Act = "mail.unlabelled"
	ActExceptionAdded   Act = "exception.added"
	ActExceptionRemoved Act = "exception.removed"
	ActRetention        Act = "retention" // what was older than its time was deleted
	ActBackup           Act = "backup"
	ActLetterRetried    Act = "letter.retried"
	ActLetterDropped    Act = "letter.dropped"
	ActRetro            Act = "retro" // mails were judged again by other rules
	ActTokenMade        Act = "token.made"
	ActTokenRevoked     Act = "token.revoked"
)

// Who acts.
const (
	WhoAdmin    = "admin"    // the one account of the console
	WhoTerminal = "terminal" // somebody who started the program
	WhoNobody   = "-"        // somebody who did not sign in
	WhoProgram  = "program"  // nobody: it was time
)

// Seal returns the hash of the entry as the successor of one with the hash
// before, which is zero for the first: SHA-256 over that hash and the fields,
// each with its length in front, so that no two entries read the same.
func (e AuditEntry) Seal(before [32]byte) [32]byte {
	b := append([]byte("sekisho.audit/v1\n"), before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Number))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, s := range []string{e.Who, string(e.Act), e.Object} {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return sha256.Sum256(b)
}

// AuditReport is the outcome of [VerifyAudit].
type AuditReport struct {
	Entries int64
	Head    [32]byte // hash of the last entry; whoever wrote it down can tell later that nothing before was changed or cut off
	Broken  int64    // number that the first entry should have which does not continue the one before; 0 if all do
}

// VerifyAudit follows the chain from its beginning.
func VerifyAudit(ctx context.Context, store AuditStore) (*AuditReport, error) {
	r := &AuditReport{}
	for e, err := range store.AuditChain(ctx) {
		if err != nil {
			return nil, err
		}
		r.Entries++
		if r.Broken == 0 && (e.Number != r.Entries || e.Hash != e.Seal(r.Head)) {
			r.Broken = r.Entries
		}
		r.Head = e.Hash
	}
	return r, nil
}
