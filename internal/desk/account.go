package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

// AccountStore keeps the account of the administrator.
type AccountStore interface {
	// ChangeAccount hands the account to change, nil if there is none, and keeps
	// what that returns, all in one step: nobody else changes it meanwhile. An
	// error of change is returned and nothing is kept; nil keeps what was there.
	ChangeAccount(ctx context.Context, change func(*Account) (*Account, error)) error
}

// SessionStore keeps who is signed in. A session is named by the hash of its
// token; the token itself is nowhere but in the browser.
type SessionStore interface {
	// AddSession keeps a session.
	AddSession(ctx context.Context, s *Session) error

	// SessionOf returns a session by its hash, nil if it is not there.
	SessionOf(ctx context.Context, hash [32]byte) (*Session, error)

	// Sessions returns all sessions, the last used first.
	Sessions(ctx context.Context) ([]Session, error)

	// TouchSession keeps when a session was used last.
	TouchSession(ctx context.Context, hash [32]byte, at time.Time) error

	// RemoveSessions removes those for which remove returns true, and returns how
	// many.
	RemoveSessions(ctx context.Context, remove func(*Session) bool) (int, error)
}

// Account is the account of the administrator. One without a password was not
// set up yet.
type Account struct {
	Password string // as [hashPassword] writes it; "" before the set-up
	Secret   []byte // of the one-time codes, sealed with the key of the data folder
	Step     int64  // of the last code that was accepted; no code of this step or before is accepted again
	Made     time.Time

	// What a one-time link would put in the place of the above. It is void once
	// it was used.
	InviteHash    [32]byte // of the token
	InviteSecret  []byte   // sealed
	InviteExpires time.Time
}

// Session is somebody who signed in.
type Session struct {
	Hash    [32]byte // SHA-256 of the token
	Made    time.Time
	Seen    time.Time  // to the minute
	Address netip.Addr // from where
	Agent   string     // what the browser calls itself
}

// ID names a session to people.
func (s *Session) ID() string { return hex.EncodeToString(s.Hash[:8]) }

// How long things hold.
const (
	InviteFor      = time.Hour          // a one-time link
	SessionIdle    = 8 * time.Hour      // a session that nobody uses
	SessionFor     = 7 * 24 * time.Hour // any session
	seenPrecision  = time.Minute
	maxAgent       = 200 // bytes
	maxSessions    = 100 // the oldest gives way
	MinPassword    = 12  // characters; NIST SP 800-63B-4 asks for 8 beside a second factor
	MaxPassword    = 256 // characters
	tokenBytes     = 32
	accountLabel   = "sekisho"
	failuresForAll = "account"
	failuresOfCode = "code"
)

// AccountDeps is what the use cases about signing in need from outside.
type AccountDeps struct {
	Accounts AccountStore
	Sessions SessionStore
	Audit    AuditStore
	Key      [32]byte // seals secrets at rest
	Throttle *Throttle
	Now      func() time.Time
	Rand     io.Reader // nil: crypto/rand
}

func (d *AccountDeps) random(n int) ([]byte, error) {
	r := d.Rand
	if r == nil {
		r = rand.Reader
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func (d *AccountDeps) audit(ctx context.Context, who string, act Act, object string) error {
	return d.Audit.AppendAudit(ctx, AuditEntry{At: d.Now(), Who: who, Act: act, Object: object})
}

// HasAdmin reports whether the account is set up.
func HasAdmin(ctx context.Context, deps AccountDeps) (bool, error) {
	has := false
	err := deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		has = a != nil && a.Password != ""
		return nil, nil
	})
	return has, err
}

// InviteAdmin returns the token of a one-time link with which somebody sets the
// account up, also one that is there already. The link before becomes void. The
// account stays as it is until the new link is used.
func InviteAdmin(ctx context.Context, deps AccountDeps) (token string, expires time.Time, err error) {
	b, err := deps.random(tokenBytes)
	if err != nil {
		return "", time.Time{}, err
	}
	secret, err := deps.random(totpSecretBytes)
	if err != nil {
		return "", time.Time{}, err
	}
	sealed, err := deps.seal(secret)
	if err != nil {
		return "", time.Time{}, err
	}
	token, expires = base64.RawURLEncoding.EncodeToString(b), deps.Now().Add(InviteFor)
	err = deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		if a == nil {
			a = &Account{}
		}
		a.InviteHash, a.InviteSecret, a.InviteExpires = sha256.Sum256([]byte(token)), sealed, expires
		return a, nil
	})
	if err == nil {
		err = deps.audit(ctx, WhoTerminal, ActAdminInvited, WhoAdmin)
	}
	return token, expires, err
}

// Invitation is what the page behind a one-time link shows.
type Invitation struct {
	Secret  string // of the one-time codes, in base32
	URI     string // the same as authenticator apps read it
	Expires time.Time
}

// errNoInvitation is for a link that is wrong, was used or has expired. Which of
// these is nobody's business.
func errNoInvitation() error {
	return &Error{Kind: NotFound, Message: lang.M("account.error.link"), Hint: lang.M("account.hint.link")}
}

func (a *Account) invites(token string, now time.Time) bool {
	sum := sha256.Sum256([]byte(token))
	return a != nil && a.InviteSecret != nil && now.Before(a.InviteExpires) && subtle.ConstantTimeCompare(sum[:], a.InviteHash[:]) == 1
}

// InvitationOf returns what is behind a one-time link, without using it up. An
// [*Error] of kind NotFound for a link that holds no more.
func InvitationOf(ctx context.Context, token string, deps AccountDeps) (*Invitation, error) {
	var inv *Invitation
	err := deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		if !a.invites(token, deps.Now()) {
			return nil, errNoInvitation()
		}
		secret, err := deps.unseal(a.InviteSecret)
		if err != nil {
			return nil, err
		}
		inv = &Invitation{Secret: base32Secret(secret), URI: totpURI(secret, WhoAdmin), Expires: a.InviteExpires}
		return nil, nil
	})
	return inv, err
}

// SetUpInput sets the account up.
type SetUpInput struct {
	Token    string // of the one-time link
	Password string
	Repeated string
	Code     string // of the authenticator
	Visit    Visit
}

// Visit is who asks.
type Visit struct {
	Address netip.Addr
	Agent   string
	Token   string // of the session that the browser has already; "" for none
}

// The fields of forms that an error can be about.
const (
	FieldPassword = "password"
	FieldRepeated = "repeated"
	FieldCode     = "code"
)

// FieldError is an error about a field of a form.
type FieldError struct {
	Field string
	Err   *Error
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns the error without the field.
func (e *FieldError) Unwrap() error { return e.Err }

func fieldError(field string, kind ErrorKind, m lang.Message) error {
	return &FieldError{Field: field, Err: &Error{Kind: kind, Message: m}}
}

// SetUpAdmin uses a one-time link: it sets password and second factor, ends all
// sessions and signs in. It returns the token of the session. Errors are
// [*FieldError] for what was typed wrongly, and [*Error] of kind NotFound for a
// link that holds no more, Limit for too many attempts.
func SetUpAdmin(ctx context.Context, in SetUpInput, deps AccountDeps) (string, error) {
	if err := deps.Throttle.Check(deps.Now(), in.Visit.Address.String()); err != nil {
		return "", err
	}
	if _, err := InvitationOf(ctx, in.Token, deps); err != nil {
		deps.Throttle.Failed(deps.Now(), in.Visit.Address.String())
		return "", err
	}
	switch n := utf8.RuneCountInString(in.Password); {
	case n < MinPassword:
		return "", fieldError(FieldPassword, Invalid, lang.M("account.error.short", "n", MinPassword))
	case n > MaxPassword:
		return "", fieldError(FieldPassword, Invalid, lang.M("account.error.long", "n", MaxPassword))
	case tooSimple(in.Password):
		return "", fieldError(FieldPassword, Invalid, lang.M("account.error.simple"))
	case in.Password != in.Repeated:
		return "", fieldError(FieldRepeated, Invalid, lang.M("account.error.repeated"))
	}
	salt, err := deps.random(saltBytes)
	if err != nil {
		return "", err
	}
	hash, err := deps.Throttle.hashPassword(ctx, in.Password, salt)
	if err != nil {
		return "", err
	}
	err = deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		if !a.invites(in.Token, deps.Now()) { // somebody else was quicker
			return nil, errNoInvitation()
		}
		secret, err := deps.unseal(a.InviteSecret)
		if err != nil {
			return nil, err
		}
		step, ok := totpCheck(secret, in.Code, deps.Now(), 0)
		if !ok {
			return nil, fieldError(FieldCode, Invalid, lang.M("account.error.code"))
		}
		return &Account{Password: hash, Secret: a.InviteSecret, Step: step, Made: deps.Now()}, nil
	})
	if err != nil {
		return "", err
	}
	if err := deps.audit(ctx, WhoAdmin, ActAdminMade, WhoAdmin); err != nil {
		return "", err
	}
	if _, err := deps.Sessions.RemoveSessions(ctx, func(*Session) bool { return true }); err != nil {
		return "", err
	}
	return openSession(ctx, in.Visit, deps)
}

// tooSimple reports a password that is one character, or a short run of them,
// again and again, or counts on.
func tooSimple(p string) bool {
	for n := 1; n <= 4; n++ {
		if len(p) > n && p[:len(p)-n] == p[n:] {
			return true
		}
	}
	const rows = "0123456789012345678901234567890 abcdefghijklmnopqrstuvwxyz qwertyuiopasdfghjklzxcvbnm"
	return strings.Contains(rows, strings.ToLower(p))
}

// LoginInput signs in.
type LoginInput struct {
	Password string
	Code     string
	Visit    Visit
}

// errLogin does not say which of password and code was wrong.
func errLogin() error {
	return &Error{Kind: Denied, Message: lang.M("account.error.login"), Hint: lang.M("account.hint.login")}
}

// Login signs in and returns the token of a new session; the one that the
// browser had ends, so that a session which somebody slipped in is worth
// nothing. Errors are [*Error]: Denied for a wrong password or code, Limit for
// too many attempts.
func Login(ctx context.Context, in LoginInput, deps AccountDeps) (string, error) {
	from := in.Visit.Address.String()
	if err := deps.Throttle.Check(deps.Now(), from, failuresForAll, failuresOfCode); err != nil {
		return "", err
	}
	var hash string
	err := deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		if a != nil {
			hash = a.Password
		}
		return nil, nil
	})
	if err != nil {
		return "", err
	}
	// Attempts that come at the same time count before they are known to fail.
	deps.Throttle.Failed(deps.Now(), from, failuresForAll)
	ok, err := deps.Throttle.checkPassword(ctx, in.Password, hash)
	if err != nil {
		return "", err
	}
	if ok {
		ok, err = useCode(ctx, in.Code, hash, deps)
		if err != nil {
			return "", err
		}
		if !ok { // somebody knows the password
			deps.Throttle.Failed(deps.Now(), failuresOfCode)
		}
	}
	if !ok {
		if err := deps.audit(ctx, WhoNobody, ActLoginRefused, WhoAdmin); err != nil {
			return "", err
		}
		return "", errLogin()
	}
	deps.Throttle.Passed(from, failuresForAll, failuresOfCode)
	return openSession(ctx, in.Visit, deps)
}

// useCode accepts a code once. hash is that of the password which was checked:
// the account may be another one by now.
func useCode(ctx context.Context, code, hash string, deps AccountDeps) (bool, error) {
	accepted := false
	err := deps.Accounts.ChangeAccount(ctx, func(a *Account) (*Account, error) {
		if a == nil || a.Password != hash {
			return nil, nil
		}
		secret, err := deps.unseal(a.Secret)
		if err != nil {
			return nil, err
		}
		step, ok := totpCheck(secret, code, deps.Now(), a.Step)
		if !ok {
			return nil, nil
		}
		accepted, a.Step = true, step
		return a, nil
	})
	return accepted, err
}

// OpenDemo signs in without a password, to a desk of examples that nobody else
// reaches, and returns the token of a new session.
func OpenDemo(ctx context.Context, v Visit, deps AccountDeps) (string, error) {
	return openSession(ctx, v, deps)
}

func openSession(ctx context.Context, v Visit, deps AccountDeps) (string, error) {
	now := deps.Now()
	old := sha256.Sum256([]byte(v.Token))
	all, err := deps.Sessions.Sessions(ctx)
	if err != nil {
		return "", err
	}
	var last time.Time // used at the same time or before: gives way
	if len(all) >= maxSessions {
		last = all[maxSessions-1].Seen
	}
	_, err = deps.Sessions.RemoveSessions(ctx, func(s *Session) bool {
		return s.Hash == old || !s.holds(now) || !s.Seen.After(last)
	})
	if err != nil {
		return "", err
	}
	b, err := deps.random(tokenBytes)
	if err != nil {
		return "", err
	}
	token := base64.RawURLEncoding.EncodeToString(b)
	agent := strings.ToValidUTF8(v.Agent[:min(len(v.Agent), maxAgent)], "")
	s := &Session{Hash: sha256.Sum256([]byte(token)), Made: now, Seen: now, Address: v.Address, Agent: agent}
	if err := deps.Sessions.AddSession(ctx, s); err != nil {
		return "", err
	}
	return token, deps.audit(ctx, WhoAdmin, ActLogin, s.ID())
}

func (s *Session) holds(now time.Time) bool {
	return now.Sub(s.Seen) < SessionIdle && now.Sub(s.Made) < SessionFor && !now.Add(seenPrecision).Before(s.Made)
}

// Authenticate returns the session of a token, nil if it holds no more.
func Authenticate(ctx context.Context, token string, deps AccountDeps) (*Session, error) {
	if token == "" || len(token) > 2*tokenBytes {
		return nil, nil
	}
	s, err := deps.Sessions.SessionOf(ctx, sha256.Sum256([]byte(token)))
	if err != nil || s == nil {
		return nil, err
	}
	now := deps.Now()
	if !s.holds(now) {
		_, err := deps.Sessions.RemoveSessions(ctx, func(x *Session) bool { return x.Hash == s.Hash })
		return nil, err
	}
	if now.Sub(s.Seen) >= seenPrecision {
		s.Seen = now
		return s, deps.Sessions.TouchSession(ctx, s.Hash, now)
	}
	return s, nil
}

// Logout ends a session.
func Logout(ctx context.Context, s *Session, deps AccountDeps) error {
	if _, err := deps.Sessions.RemoveSessions(ctx, func(x *Session) bool { return x.Hash == s.Hash }); err != nil {
		return err
	}
	return deps.audit(ctx, WhoAdmin, ActLogout, s.ID())
}

// ListSessions returns the sessions that hold, the last used first.
func ListSessions(ctx context.Context, deps AccountDeps) ([]Session, error) {
	all, err := deps.Sessions.Sessions(ctx)
	var out []Session
	for _, s := range all {
		if s.holds(deps.Now()) {
			out = append(out, s)
		}
	}
	return out, err
}

// RevokeSession ends the session of that ID. One that is not there is no error.
func RevokeSession(ctx context.Context, id string, deps AccountDeps) error {
	n, err := deps.Sessions.RemoveSessions(ctx, func(s *Session) bool { return s.ID() == id })
	if err != nil || n == 0 {
		return err
	}
	return deps.audit(ctx, WhoAdmin, ActSessionRevoked, id)
}

// RevokeOthers ends all sessions but this one.
func RevokeOthers(ctx context.Context, this *Session, deps AccountDeps) error {
	n, err := deps.Sessions.RemoveSessions(ctx, func(s *Session) bool { return s.Hash != this.Hash })
	if err != nil || n == 0 {
		return err
	}
	return deps.audit(ctx, WhoAdmin, ActSessionsRevoked, this.ID())
}
