package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// APITokenStore keeps the tokens with which programs ask. A token is named by its
// hash; the token itself is nowhere but where it was put.
type APITokenStore interface {
	// AddToken keeps a token. An [*Error] of kind Conflict if there is one of that
	// name, revoked or not.
	AddToken(ctx context.Context, t *APIToken) error

	// TokenOf returns a token by its hash, nil if it is not there.
	TokenOf(ctx context.Context, hash [32]byte) (*APIToken, error)

	// Tokens returns all tokens by name, with those that were revoked.
	Tokens(ctx context.Context) ([]APIToken, error)

	// TouchToken keeps when a token was used last.
	TouchToken(ctx context.Context, hash [32]byte, at time.Time) error

	// RevokeToken ends a token. It reports whether there was one that held.
	RevokeToken(ctx context.Context, name string, at time.Time) (bool, error)
}

// Scope is something that a token lets a program do. None lets it approve or
// send an advisory: that is for people.
type Scope string

// The scopes.
const (
	MailRead      Scope = "mail:read"      // judge; read the mails that are kept
	MailWrite     Scope = "mail:write"     // keep, label and delete mails
	AdvisoryRead  Scope = "advisory:read"  // advisories and the newsletter
	AdvisoryWrite Scope = "advisory:write" // write drafts
	DomainRead    Scope = "domain:read"    // what domains publish
	NewsRead      Scope = "news:read"
	NewsWrite     Scope = "news:write" // read the sources now
	ReportRead    Scope = "report:read"
	ReportWrite   Scope = "report:write"
	PatchRead     Scope = "patch:read"
	IntakeWrite   Scope = "intake:write" // hand mail in to the queue
	MetricsRead   Scope = "metrics"
)

// Scopes returns all scopes in the order in which they are shown.
func Scopes() []Scope {
	return []Scope{MailRead, MailWrite, IntakeWrite, DomainRead, ReportRead, ReportWrite, NewsRead, NewsWrite, AdvisoryRead, AdvisoryWrite, PatchRead, MetricsRead}
}

// Word says what a scope allows.
func (s Scope) Word() lang.Message {
	return lang.M("token.scope." + strings.ReplaceAll(string(s), ":", "-"))
}

// APIToken is a token with which a program asks.
type APIToken struct {
	Name    string
	Hash    [32]byte // SHA-256 of the token
	Scopes  []Scope
	Made    time.Time
	By      string    // who made it, as in the audit log
	Used    time.Time // to the minute; zero for never
	Expires time.Time // zero for never
	Revoked time.Time // zero for not
}

// Holds reports whether a token lets anybody in.
func (t *APIToken) Holds(now time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}

// Has reports whether a token has a scope.
func (t *APIToken) Has(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Who is how the audit log names who acts with the token.
func (t *APIToken) Who() string { return "token:" + t.Name }

// Bounds of tokens.
const (
	TokenPrefix   = "sekisho_" // by which programs that look for secrets know one
	TokenFor      = 90 * 24 * time.Hour
	TokenLongest  = 400 * 24 * time.Hour
	maxTokens     = 1000
	maxTokenName  = 40
	tokenLength   = len(TokenPrefix) + (tokenBytes*8+5)/6
	failedTokenOf = "token " // of an address, beside its failures to sign in
)

// TokenDeps is what the use cases about tokens need from outside.
type TokenDeps struct {
	Tokens   APITokenStore
	Audit    AuditStore
	Throttle *Throttle // for [UseToken]
	Now      func() time.Time
	Rand     io.Reader // nil: crypto/rand
}

// The fields of a form that makes a token.
const (
	FieldName   = "name"
	FieldScopes = "scopes"
	FieldFor    = "for"
)

// MakeTokenInput says which token to make.
type MakeTokenInput struct {
	Name   string
	Scopes []Scope
	For    time.Duration // how long it holds; 0 for ever
	Who    string        // for the audit log
}

// MakeToken makes a token and returns it, which is the only time that anybody
// sees it. Errors are [*FieldError] for what was typed wrongly, and [*Error] of
// kind Conflict for a name that is taken, Limit for too many tokens.
func MakeToken(ctx context.Context, in MakeTokenInput, deps TokenDeps) (token string, t *APIToken, err error) {
	if err := in.check(); err != nil {
		return "", nil, err
	}
	all, err := deps.Tokens.Tokens(ctx)
	switch {
	case err != nil:
		return "", nil, err
	case len(all) >= maxTokens:
		return "", nil, &Error{Kind: Limit, Message: lang.M("token.error.many", "n", maxTokens)}
	case slices.ContainsFunc(all, func(x APIToken) bool { return x.Name == in.Name }):
		return "", nil, fieldError(FieldName, Conflict, lang.M("token.error.taken", "name", in.Name))
	}
	from := deps.Rand
	if from == nil {
		from = rand.Reader
	}
	b := make([]byte, tokenBytes)
	if _, err := io.ReadFull(from, b); err != nil {
		return "", nil, err
	}
	token = TokenPrefix + base64.RawURLEncoding.EncodeToString(b)
	t = &APIToken{Name: in.Name, Hash: sha256.Sum256([]byte(token)), Made: deps.Now(), By: in.Who}
	for _, s := range Scopes() {
		if slices.Contains(in.Scopes, s) {
			t.Scopes = append(t.Scopes, s)
		}
	}
	if in.For > 0 {
		t.Expires = t.Made.Add(in.For)
	}
	if err := deps.Tokens.AddToken(ctx, t); err != nil {
		return "", nil, err
	}
	return token, t, deps.Audit.AppendAudit(ctx, AuditEntry{At: t.Made, Who: in.Who, Act: ActTokenMade, Object: t.Name})
}

func (in *MakeTokenInput) check() error {
	if in.Name == "" || len(in.Name) > maxTokenName || strings.Trim(in.Name, "-") != in.Name ||
		strings.ContainsFunc(in.Name, func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') }) {
		return fieldError(FieldName, Invalid, lang.M("token.error.name", "n", maxTokenName))
	}
	if len(in.Scopes) == 0 {
		return fieldError(FieldScopes, Invalid, lang.M("token.error.no-scope"))
	}
	for _, s := range in.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fieldError(FieldScopes, Invalid, lang.M("token.error.scope", "scope", string(s)))
		}
	}
	if in.For < 0 || in.For > TokenLongest {
		return fieldError(FieldFor, Invalid, lang.M("token.error.for", "n", int(TokenLongest/(24*time.Hour))))
	}
	return nil
}

// ListTokens returns all tokens by name, with those that were revoked.
func ListTokens(ctx context.Context, deps TokenDeps) ([]APIToken, error) {
	return deps.Tokens.Tokens(ctx)
}

// RevokeToken ends a token at once. An [*Error] of kind NotFound if no token of
// that name holds.
func RevokeToken(ctx context.Context, name, who string, deps TokenDeps) error {
	ok, err := deps.Tokens.RevokeToken(ctx, name, deps.Now())
	if err != nil {
		return err
	}
	if !ok {
		return &Error{Kind: NotFound, Message: lang.M("token.error.none", "name", name), Hint: lang.M("token.hint.none")}
	}
	return deps.Audit.AppendAudit(ctx, AuditEntry{At: deps.Now(), Who: who, Act: ActTokenRevoked, Object: name})
}

// ErrToken is the cause of an error about a token that is missing, wrong, expired
// or revoked. Which of these is nobody's business.
var ErrToken = errors.New("desk: no token that holds")

// UseToken returns the token of a program that asks for something. Errors are
// [*Error] of kind Denied, with [ErrToken] as the cause where the token is worth
// nothing and without where it lacks the scope, and [*WaitError] after many
// failures from one address. A token that holds never waits: nobody can guess
// one, so that all programs behind one proxy need not suffer for one of them.
func UseToken(ctx context.Context, token string, scope Scope, from netip.Addr, deps TokenDeps) (*APIToken, error) {
	now := deps.Now()
	var t *APIToken
	if len(token) == tokenLength && strings.HasPrefix(token, TokenPrefix) {
		var err error
		if t, err = deps.Tokens.TokenOf(ctx, sha256.Sum256([]byte(token))); err != nil {
			return nil, err
		}
	}
	if t == nil || !t.Holds(now) {
		if err := deps.Throttle.Check(now, failedTokenOf+from.String()); err != nil {
			return nil, err
		}
		if token != "" {
			deps.Throttle.Failed(now, failedTokenOf+from.String())
		}
		return nil, &Error{Kind: Denied, Message: lang.M("token.error.refused"), Hint: lang.M("token.hint.refused"), Err: ErrToken}
	}
	if !t.Has(scope) {
		return nil, ScopeError(scope)
	}
	if now.Sub(t.Used) >= seenPrecision {
		t.Used = now
		return t, deps.Tokens.TouchToken(ctx, t.Hash, now)
	}
	return t, nil
}

// ScopeError says that a token lacks a scope.
func ScopeError(s Scope) error {
	return &Error{Kind: Denied, Message: lang.M("token.error.lacks", "scope", string(s)), Hint: lang.M("token.hint.lacks", "scope", string(s))}
}
