package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

var _ desk.MailStore = (*DB)(nil)

const (
	maxWords   = 4096     // bytes of one mail that are searched
	maxTerms   = 8        // words of one search
	maxVerdict = 64 << 20 // bytes of a verdict, unpacked
	maxRuns    = 200      // of three characters, that a shorter word is looked up as
	trigram    = 3        // characters that the index needs at least
)

// KeepMail implements [desk.MailStore].
func (db *DB) KeepMail(ctx context.Context, r *desk.MailRecord) (bool, error) {
	verdict, err := pack(r.Judged)
	if err != nil {
		return false, fmt.Errorf("mail %s: %w", r.ID, err)
	}
	added := false
	err = db.update(ctx, func(tx *sql.Tx) error {
		added, err = db.insertMail(ctx, tx, r, verdict)
		return err
	})
	return added && err == nil, err
}

// insertMail keeps a mail, whose verdict is packed, if it is not there.
func (db *DB) insertMail(ctx context.Context, tx *sql.Tx, r *desk.MailRecord, verdict []byte) (bool, error) {
	to, err := json.Marshal(r.To)
	if err != nil {
		return false, fmt.Errorf("mail %s: %w", r.ID, err)
	}
	reason, err := json.Marshal(r.Reason)
	if err != nil {
		return false, fmt.Errorf("mail %s: %w", r.ID, err)
	}
	var envelope []byte
	if r.Envelope != nil {
		if envelope, err = json.Marshal(r.Envelope); err != nil {
			return false, fmt.Errorf("mail %s: %w", r.ID, err)
		}
	}
	var handover []byte
	if r.Handover != nil {
		if handover, err = json.Marshal(r.Handover); err != nil {
			return false, fmt.Errorf("mail %s: %w", r.ID, err)
		}
	}
	words := wordsOf(&r.MailRow)
	res, err := tx.ExecContext(ctx, `INSERT INTO mail (organisation, id, blob, kept, at, from_name, from_address, recipients, subject, size, verdict, score, reason, source, label, envelope, words, rules, handover)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organisation, id) DO NOTHING`,
		db.organisation, string(r.ID), r.Blob, unix(r.Kept), unix(r.At), r.From.Name, r.From.Address, string(to), r.Subject, r.Size,
		string(r.Verdict), r.Score, string(reason), string(r.Source), string(r.Label), string(envelope), words, r.Rules, string(handover))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	row, err := res.LastInsertId()
	if err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO mail_verdict (mail, verdict) VALUES (?, ?)`, row, verdict); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO mail_text (rowid, words) VALUES (?, ?)`, row, words); err != nil {
		return false, err
	}
	err = db.keepTraits(ctx, tx, row, r.Traits)
	return err == nil, err
}

func pack(v any) ([]byte, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(z).Encode(v); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(b []byte, into any) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return json.NewDecoder(&limited{z, maxVerdict}).Decode(into)
}

var errTooLong = errors.New("sqlite: a record is longer than any that was kept")

// limited is a reader that fails rather than ends where it is too long.
type limited struct {
	r    *gzip.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLong
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}

// fold brings words that a reader takes for the same to the same letters: full
// and half width, upper and lower case.
func fold(s string) string { return cases.Fold().String(norm.NFKC.String(s)) }

// wordsOf returns what a search looks at, folded. The control characters between
// the fields keep a search from matching across them.
func wordsOf(r *desk.MailRow) string {
	var b strings.Builder
	add := func(s string) {
		if b.Len() < maxWords && s != "" {
			b.WriteString(fold(strings.ToValidUTF8(s[:min(len(s), maxWords)], "")))
			b.WriteByte('\n')
		}
	}
	add(r.Subject)
	add(r.From.String())
	for _, m := range r.To {
		add(m.String())
	}
	words := b.String()
	// Every character begins a run of three, the last ones too.
	return strings.ToValidUTF8(words[:min(len(words), maxWords)], "") + "\n\n"
}

// mailColumns are those that [scanMail] reads.
const mailColumns = `id, blob, kept, at, from_name, from_address, recipients, subject, size, verdict, score, reason, source, label`

func scanMail(scan func(...any) error, r *desk.MailRow, more ...any) error {
	var kept, at int64
	var to, reason string
	fields := []any{&r.ID, &r.Blob, &kept, &at, &r.From.Name, &r.From.Address, &to, &r.Subject, &r.Size, &r.Verdict, &r.Score, &reason, &r.Source, &r.Label}
	if err := scan(append(fields, more...)...); err != nil {
		return err
	}
	r.Kept, r.At = timeOf(kept), timeOf(at)
	if err := json.Unmarshal([]byte(to), &r.To); err != nil {
		return fmt.Errorf("mail %s: %w", r.ID, err)
	}
	var text lang.Text
	if err := json.Unmarshal([]byte(reason), &text); err != nil {
		return fmt.Errorf("mail %s: %w", r.ID, err)
	}
	r.Reason = text
	return nil
}

// Mail implements [desk.MailStore].
func (db *DB) Mail(ctx context.Context, id desk.MailID) (*desk.MailRecord, error) {
	var out *desk.MailRecord
	err := db.query(ctx, func(scan func(...any) error) error {
		r := &desk.MailRecord{Judged: &desk.Verdict{}}
		var envelope, handover string
		var verdict []byte
		if err := scanMail(scan, &r.MailRow, &envelope, &r.Rules, &handover, &verdict); err != nil {
			return err
		}
		if handover != "" {
			r.Handover = &desk.Handover{}
			if err := json.Unmarshal([]byte(handover), r.Handover); err != nil {
				return fmt.Errorf("mail %s: %w", id, err)
			}
		}
		if envelope != "" {
			r.Envelope = &desk.MailEnvelope{}
			if err := json.Unmarshal([]byte(envelope), r.Envelope); err != nil {
				return fmt.Errorf("mail %s: %w", id, err)
			}
		}
		if err := unpack(verdict, r.Judged); err != nil {
			return fmt.Errorf("mail %s: %w", id, err)
		}
		out = r
		return nil
	}, `SELECT `+mailColumns+`, envelope, rules, handover, (SELECT v.verdict FROM mail_verdict AS v WHERE v.mail = mail.row) FROM mail WHERE organisation = ? AND id = ?`,
		db.organisation, string(id))
	return out, err
}

// Mails implements [desk.MailStore].
func (db *DB) Mails(ctx context.Context, q *desk.MailQuery) ([]desk.MailRow, error) {
	where := []string{"organisation = ?"}
	args := []any{db.organisation}
	and := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if q.Verdict != "" {
		and("verdict = ?", string(q.Verdict))
	}
	if q.Label != "" {
		and("label = ?", string(q.Label))
	}
	if q.Unlabelled {
		and("label = ''")
	}
	if !q.From.IsZero() {
		and("at >= ?", unix(q.From))
	}
	if !q.Until.IsZero() {
		and("at < ?", unix(q.Until))
	}
	if !q.KeptUntil.IsZero() {
		and("kept < ?", unix(q.KeptUntil))
	}
	terms := strings.Fields(fold(strings.ToValidUTF8(q.Text, "")))
	var match []string
	for _, t := range terms[:min(len(terms), maxTerms)] {
		if utf8.RuneCountInString(t) >= trigram {
			match = append(match, phrase(t))
			continue
		}
		runs, err := db.runs(ctx, t)
		if err != nil {
			return nil, err
		}
		switch n := len(runs); {
		case n == 0:
			return nil, nil
		case n <= maxRuns:
			match = append(match, "("+strings.Join(runs, " OR ")+")")
		default: // it is in so many mails that the newest ones come soon
			and("instr(words, ?) > 0", t)
		}
	}
	if len(match) > 0 {
		and("row IN (SELECT rowid FROM mail_text WHERE mail_text MATCH ?)", strings.Join(match, " AND "))
	}
	if q.After != nil {
		and("(at < ? OR at = ? AND id > ?)", unix(q.After.At), unix(q.After.At), string(q.After.ID))
		and("at <= ?", unix(q.After.At)) // lets the index begin there
	}
	var out []desk.MailRow
	err := db.query(ctx, func(scan func(...any) error) error {
		var r desk.MailRow
		if err := scanMail(scan, &r); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	}, `SELECT `+mailColumns+` FROM mail WHERE `+strings.Join(where, " AND ")+` ORDER BY at DESC, id LIMIT ?`, append(args, q.PageSize())...)
	return out, err
}

// phrase writes words for the index, none of them an operator.
func phrase(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// runs returns the runs of three characters that begin with a word of one or
// two, as phrases: at most one more than [maxRuns].
func (db *DB) runs(ctx context.Context, word string) ([]string, error) {
	var out []string
	err := db.query(ctx, func(scan func(...any) error) error {
		var run string
		if err := scan(&run); err != nil {
			return err
		}
		out = append(out, phrase(run))
		return nil
	}, `SELECT term FROM mail_run WHERE term >= ? AND term < ? LIMIT ?`, word, word+"\U0010ffff", maxRuns+1)
	return out, err
}

// MailCounts implements [desk.MailStore].
func (db *DB) MailCounts(ctx context.Context) (map[desk.Word]desk.MailCount, error) {
	out := map[desk.Word]desk.MailCount{}
	err := db.query(ctx, func(scan func(...any) error) error {
		var word desk.Word
		var c desk.MailCount
		if err := scan(&word, &c.Mails, &c.Open); err != nil {
			return err
		}
		out[word] = c
		return nil
	}, `SELECT verdict, count(*), sum(label = '') FROM mail INDEXED BY mail_by_verdict WHERE organisation = ? GROUP BY verdict`, db.organisation)
	return out, err
}

// LabelMail implements [desk.MailStore].
func (db *DB) LabelMail(ctx context.Context, id desk.MailID, l desk.Label) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE mail SET label = ? WHERE organisation = ? AND id = ?`, string(l), db.organisation, string(id))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			return err
		}
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("mails.error.gone"), Hint: lang.M("mails.hint.gone")}
	})
}

// DeleteMail implements [desk.MailStore].
func (db *DB) DeleteMail(ctx context.Context, id desk.MailID, drop func(blob string) error) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		var row int64
		var blob string
		err := tx.QueryRowContext(ctx, `SELECT row, blob FROM mail WHERE organisation = ? AND id = ?`, db.organisation, string(id)).Scan(&row, &blob)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, statement := range []string{`DELETE FROM mail_text WHERE rowid = ?`, `DELETE FROM mail WHERE row = ?`} {
			if _, err := tx.ExecContext(ctx, statement, row); err != nil {
				return err
			}
		}
		_, err = release(ctx, tx, blob, drop)
		return err
	})
}

// ReleaseBlob implements [desk.MailStore].
func (db *DB) ReleaseBlob(ctx context.Context, blob string, drop func(blob string) error) (bool, error) {
	dropped := false
	err := db.update(ctx, func(tx *sql.Tx) (err error) {
		dropped, err = release(ctx, tx, blob, drop)
		return err
	})
	return dropped && err == nil, err
}

// blobUsers are the tables with a column blob that names one. What is named in
// any of them stays, whichever organisation has it: the bytes lie together.
var blobUsers = [...]string{"mail", "queue"}

func release(ctx context.Context, tx *sql.Tx, blob string, drop func(blob string) error) (bool, error) {
	for _, table := range blobUsers {
		var used bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM `+table+` WHERE blob = ?)`, blob).Scan(&used); err != nil || used {
			return false, err
		}
	}
	return true, drop(blob)
}
