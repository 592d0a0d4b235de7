package desk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// MailDeps is what the use cases about kept mails need from outside.
type MailDeps struct {
	Mails MailStore
	Blobs Blobs
	Audit AuditStore
	Now   func() time.Time

	// Judge returns what judging needs, as it is now: exceptions change while the
	// program runs.
	Judge func(ctx context.Context) (JudgeDeps, error)
}

// KeepMailInput is mail that somebody hands in.
type KeepMailInput struct {
	Items    iter.Seq[Item]
	Source   Source
	Envelope *MailEnvelope // of all items; nil where nobody told
	Who      string        // for the audit log; "" for mail that came in by itself, which nobody did
}

// KeptMail is what became of one mail.
type KeptMail struct {
	ID      MailID   // "" where it could not be read
	New     bool     // it was not there before
	Verdict *Verdict // with its Error where it could not be read
}

// maxKeptAtOnce bounds the mails of one input, such as a mailbox that was
// dropped on a page.
const maxKeptAtOnce = 1000

// KeepMail judges mails as the command line does and keeps each with its bytes
// and its verdict. What is returned is on the disk. A mail that is there already
// is not judged again. An input that gives more than 1,000 mails ends there with
// an [*Error] of kind Limit; those before are kept.
func KeepMail(ctx context.Context, in KeepMailInput, deps MailDeps) ([]KeptMail, error) {
	judging, err := deps.Judge(ctx)
	if err != nil {
		return nil, err
	}
	judging = judging.keeping()
	var out []KeptMail
	for it := range in.Items {
		if len(out) == maxKeptAtOnce {
			return out, &Error{Kind: Limit, Message: lang.M("mails.error.many", "n", maxKeptAtOnce), Hint: lang.M("mails.hint.many")}
		}
		k, err := keepOne(ctx, it, in, judging, deps)
		if err != nil {
			return out, err
		}
		out = append(out, k)
	}
	return out, ctx.Err()
}

func keepOne(ctx context.Context, it Item, in KeepMailInput, judging JudgeDeps, deps MailDeps) (KeptMail, error) {
	if it.Err == nil {
		old, err := deps.Mails.Mail(ctx, MailIDOf(it.Raw, in.Envelope))
		if err != nil {
			return KeptMail{}, err
		}
		if old != nil {
			return KeptMail{ID: old.ID, Verdict: old.Judged}, nil
		}
	}
	var v *Verdict
	for v = range Judge(ctx, func(yield func(Item) bool) { yield(it) }, judging) {
		break
	}
	if v == nil {
		return KeptMail{}, ctx.Err()
	}
	if v.Error != nil {
		return KeptMail{Verdict: v}, nil
	}
	return keepJudged(ctx, it, v, in, judging, deps)
}

// keepJudged keeps a mail that was judged.
func keepJudged(ctx context.Context, it Item, v *Verdict, in KeepMailInput, judging JudgeDeps, deps MailDeps) (KeptMail, error) {
	raw := it.Raw
	// The bytes come first: a mail of which there is a row can always be read.
	blob, err := deps.Blobs.PutBlob(ctx, raw)
	if err != nil {
		return KeptMail{}, err
	}
	r := NewMailRecord(v, blob, in.Source, in.Envelope, deps.Now())
	r.Rules, r.Traits, r.Handover = judging.withDefaults().digest(), v.Traits, it.Handover
	added, err := deps.Mails.KeepMail(ctx, r)
	if err != nil {
		return KeptMail{}, err
	}
	// Between the two, whoever deleted another mail of the same bytes may have
	// deleted them. From now on nobody can.
	if _, err := deps.Blobs.PutBlob(ctx, raw); err != nil {
		return KeptMail{}, err
	}
	if added && in.Who != "" {
		err = deps.Audit.AppendAudit(ctx, AuditEntry{At: deps.Now(), Who: in.Who, Act: ActMailKept, Object: string(r.ID)})
	}
	return KeptMail{ID: r.ID, New: added, Verdict: v}, err
}

// MailIDOf returns the identity of a mail with these bytes.
func MailIDOf(raw []byte, e *MailEnvelope) MailID {
	sum := sha256.Sum256(raw)
	return mailID(hex.EncodeToString(sum[:]), e)
}

func mailID(blob string, e *MailEnvelope) MailID {
	if e == nil {
		return MailID(blob)
	}
	h := sha256.New()
	for _, s := range append([]string{blob, e.From}, e.To...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	return MailID(hex.EncodeToString(h.Sum(nil)))
}

// NewMailRecord returns what a store keeps of a mail with that verdict, whose
// bytes are in blob.
func NewMailRecord(v *Verdict, blob string, source Source, e *MailEnvelope, now time.Time) *MailRecord {
	r := &MailRecord{Envelope: e, Judged: v, MailRow: MailRow{
		ID: mailID(blob, e), Blob: blob, Kept: now, At: now, To: v.To, Subject: v.Subject, Size: v.Size,
		Verdict: v.Verdict, Score: v.Score, Reason: v.Reason, Source: source,
	}}
	if v.From != nil {
		r.From = *v.From
	}
	// A date that the sender made up must not keep a mail on top of the list.
	if v.Date != nil && v.Date.Before(now) && v.Date.Year() > 1970 {
		r.At = *v.Date
	}
	return r
}

// LabelMail keeps what somebody says of a mail.
func LabelMail(ctx context.Context, id MailID, l Label, who string, deps MailDeps) error {
	act := ActMailUnlabelled
	switch l {
	case LabelPhish:
		act = ActMailPhish
	case LabelNotPhish:
		act = ActMailNotPhish
	case "":
	default:
		return &Error{Kind: Invalid, Message: lang.M("mails.error.label", "label", string(l))}
	}
	if err := deps.Mails.LabelMail(ctx, id, l); err != nil {
		return err
	}
	return deps.Audit.AppendAudit(ctx, AuditEntry{At: deps.Now(), Who: who, Act: act, Object: string(id)})
}

// DeleteMail deletes a mail, its verdict and its bytes. That it was there stays
// in the audit log, as a hash.
func DeleteMail(ctx context.Context, id MailID, who string, deps MailDeps) error {
	old, err := deps.Mails.Mail(ctx, id)
	if err != nil || old == nil {
		return err
	}
	if err := deps.drop(ctx, id); err != nil {
		return err
	}
	return deps.Audit.AppendAudit(ctx, AuditEntry{At: deps.Now(), Who: who, Act: ActMailDeleted, Object: string(id)})
}

// drop deletes a mail and its bytes.
func (d *MailDeps) drop(ctx context.Context, id MailID) error {
	return d.Mails.DeleteMail(ctx, id, func(blob string) error { return d.Blobs.DeleteBlob(ctx, blob) })
}

// orphanAge is how long bytes without a mail stay: their mail may be about to be
// kept by another process.
const orphanAge = time.Hour

// SweepBlobs deletes bytes that belong to no mail, which a crash between
// keeping the bytes and keeping the mail leaves behind. It returns how many.
func SweepBlobs(ctx context.Context, deps MailDeps) (int, error) {
	n := 0
	for b, err := range deps.Blobs.AllBlobs(ctx) {
		if err != nil {
			return n, err
		}
		if deps.Now().Sub(b.Kept) < orphanAge {
			continue
		}
		gone, err := deps.Mails.ReleaseBlob(ctx, b.Name, func(blob string) error { return deps.Blobs.DeleteBlob(ctx, blob) })
		if err != nil {
			return n, err
		}
		if gone {
			n++
		}
	}
	return n, nil
}
