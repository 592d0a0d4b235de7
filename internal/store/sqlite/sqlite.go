// Package sqlite keeps what sekisho remembers in one SQLite database: the
// stores that package desk asks for, over one list of migrations.
//
// One connection writes and several read. Writers queue before they begin
// instead of failing in the middle, because SQLite does not wait for a lock that
// a transaction asks for after it has read. Every write is on the disk before a
// method returns.
//
// Every row belongs to an organisation. A database of one organisation has rows
// of the empty name; [DB.For] is the same database for another one.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// FileName is the name of the database in the data folder.
const FileName = "sekisho.db"

const (
	busyWait = 10 * time.Second // for a lock that another process holds
	readers  = 4                // connections that read
)

// DB is a database for one organisation. It is safe for concurrent use, by
// several processes as well.
type DB struct {
	write, read  *sql.DB
	path         string
	organisation string
}

// Open opens the database in the file path and brings its tables to the newest
// version. A file that is not there is created, with its folder, for the user
// alone. Errors are [*desk.Error] and name the file: Conflict for a database of
// a newer sekisho, Invalid for what is no database, Unavailable for one that
// another process keeps locked, Denied, and Limit for a full disk.
func Open(ctx context.Context, path string) (*DB, error) {
	db := &DB{path: path}
	if err := prepare(path); err != nil {
		return nil, db.failure(err)
	}
	var err error
	if db.write, err = sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)")); err != nil {
		return nil, db.failure(err)
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = sql.Open("sqlite", dsn(path, "query_only(1)")); err != nil {
		return nil, errors.Join(db.failure(err), db.write.Close())
	}
	db.read.SetMaxOpenConns(readers)
	list, err := migrations()
	if err == nil {
		err = migrate(ctx, db.write, list)
	}
	if err != nil {
		return nil, errors.Join(db.failure(err), db.Close())
	}
	return db, nil
}

// prepare creates the file before SQLite does, which would let others read it.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names a file to the driver, with what to set on each connection.
func dsn(path string, pragmas ...string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	q := url.Values{"_txlock": {"immediate"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyWait.Milliseconds())) // first: setting the journal waits too
	q.Add("_pragma", "foreign_keys(1)")
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String()
}

// Close ends the use of the database. Those that [DB.For] returned end with it.
func (db *DB) Close() error { return errors.Join(db.read.Close(), db.write.Close()) }

// For returns the database for another organisation.
func (db *DB) For(organisation string) *DB {
	other := *db
	other.organisation = organisation
	return &other
}

// update runs work in one transaction that is on the disk when it returns, or
// not at all.
func (db *DB) update(ctx context.Context, work func(tx *sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return db.failure(err)
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback() // the error of the work says more
		return db.failure(err)
	}
	return db.failure(tx.Commit())
}

// query calls row for each row of a question. What row keeps must be copied.
func (db *DB) query(ctx context.Context, row func(scan func(...any) error) error, question string, args ...any) error {
	rows, err := db.read.QueryContext(ctx, question, args...)
	if err != nil {
		return db.failure(err)
	}
	defer func() { _ = rows.Close() }() // rows.Err has its error
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return db.failure(err)
		}
	}
	return db.failure(rows.Err())
}

// The primary result codes of SQLite (https://sqlite.org/rescode.html) that a
// user can do something about.
const (
	codePerm       = 3
	codeBusy       = 5
	codeLocked     = 6
	codeReadonly   = 8
	codeIOErr      = 10
	codeCorrupt    = 11
	codeFull       = 13
	codeCantOpen   = 14
	codeConstraint = 19
	codeNotADB     = 26
)

// failure says what an error of the database means for the user. The end of the
// context stays what it is.
func (db *DB) failure(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*desk.Error](err); ok {
		return err
	}
	e := &desk.Error{Kind: desk.Unavailable, Message: lang.M("store.error.other", "file", db.path, "error", err.Error()), Hint: lang.M("store.hint.other"), Err: err}
	say := func(kind desk.ErrorKind, what string) *desk.Error {
		e.Kind, e.Message, e.Hint = kind, lang.M("store.error."+what, "file", db.path), lang.M("store.hint."+what)
		return e
	}
	newer, isNewer := errors.AsType[*newerError](err)
	switch {
	case isNewer:
		e.Kind, e.Hint = desk.Conflict, lang.M("store.hint.newer")
		e.Message = lang.M("store.error.newer", "file", db.path, "have", newer.have, "known", newer.known)
		return e
	case errors.Is(err, errConflict):
		return say(desk.Conflict, "conflict")
	case errors.Is(err, errDamaged):
		return say(desk.Invalid, "damaged")
	case errors.Is(err, fs.ErrPermission):
		return say(desk.Denied, "denied")
	}
	se, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return e
	}
	switch se.Code() & 0xff {
	case codeBusy, codeLocked:
		return say(desk.Unavailable, "locked")
	case codeFull:
		return say(desk.Limit, "full")
	case codeNotADB, codeCorrupt:
		return say(desk.Invalid, "damaged")
	case codePerm, codeReadonly, codeCantOpen:
		return say(desk.Denied, "denied")
	case codeConstraint:
		return say(desk.Conflict, "conflict")
	case codeIOErr:
		return e
	}
	return e
}

// errDamaged is for a database that says of itself that it is damaged.
var errDamaged = errors.New("sqlite: damaged")

// errConflict is for a write that rests on something that changed meanwhile.
var errConflict = errors.New("sqlite: changed meanwhile")

// unix is a time as the tables have it: milliseconds since 1970, 0 for none.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// timeOf is the time that the tables have as ms.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
