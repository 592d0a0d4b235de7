package desk_test

import (
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

func tokenDeps(t *testing.T, now *time.Time) (desk.TokenDeps, *sqlite.DB) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return desk.TokenDeps{Tokens: db, Audit: db, Throttle: desk.NewThrottle(), Now: func() time.Time { return *now }}, db
}

func TestTokenLife(t *testing.T) {
	now := time.Date(2026, 5, 8, 9, 0, 0, 0, time.UTC)
	deps, db := tokenDeps(t, &now)
	from := netip.MustParseAddr("192.0.2.7")
	in := desk.MakeTokenInput{Name: "siem", Scopes: []desk.Scope{desk.NewsRead, desk.MailRead, desk.MailRead}, For: desk.TokenFor, Who: desk.WhoTerminal}
	secret, made, err := desk.MakeToken(t.Context(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(secret, desk.TokenPrefix) || len(secret) != len(desk.TokenPrefix)+43 {
		t.Errorf("the token is %d characters: %.10s", len(secret), secret)
	}
	if diff := cmp.Diff([]desk.Scope{desk.MailRead, desk.NewsRead}, made.Scopes); diff != "" {
		t.Error(diff)
	}
	if _, _, err := desk.MakeToken(t.Context(), in, deps); !isKind(err, desk.Conflict) {
		t.Errorf("a second of that name: %v", err)
	}
	use := func(token string, scope desk.Scope) error {
		_, err := desk.UseToken(t.Context(), token, scope, from, deps)
		return err
	}
	if err := use(secret, desk.MailRead); err != nil {
		t.Error(err)
	}
	if err := use(secret, desk.MailWrite); !isKind(err, desk.Denied) || errors.Is(err, desk.ErrToken) {
		t.Errorf("without the scope: %v", err)
	}
	for _, bad := range []string{"", secret[:len(secret)-1] + "!", strings.ToUpper(secret), secret + "x"} {
		if err := use(bad, desk.MailRead); !isKind(err, desk.Denied) || !errors.Is(err, desk.ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	list, err := desk.ListTokens(t.Context(), deps)
	if err != nil || len(list) != 1 || !list[0].Used.Equal(now) {
		t.Errorf("%v %v", list, err)
	}
	now = now.Add(desk.TokenFor)
	if err := use(secret, desk.MailRead); !errors.Is(err, desk.ErrToken) {
		t.Errorf("expired: %v", err)
	}
	now = now.Add(-time.Hour)
	if err := desk.RevokeToken(t.Context(), "siem", desk.WhoAdmin, deps); err != nil {
		t.Error(err)
	}
	if err := use(secret, desk.MailRead); !errors.Is(err, desk.ErrToken) {
		t.Errorf("revoked: %v", err)
	}
	if err := desk.RevokeToken(t.Context(), "siem", desk.WhoAdmin, deps); !isKind(err, desk.NotFound) {
		t.Errorf("revoked twice: %v", err)
	}
	var acts []string
	for e, err := range db.AuditChain(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		acts = append(acts, e.Who+" "+string(e.Act)+" "+e.Object)
	}
	if diff := cmp.Diff([]string{"terminal token.made siem", "admin token.revoked siem"}, acts); diff != "" {
		t.Error(diff)
	}
}

func isKind(err error, k desk.ErrorKind) bool {
	e, ok := errors.AsType[*desk.Error](err)
	return ok && e.Kind == k
}

func TestMakeTokenRefuses(t *testing.T) {
	now := time.Date(2026, 5, 8, 9, 0, 0, 0, time.UTC)
	deps, _ := tokenDeps(t, &now)
	ok := []desk.Scope{desk.MailRead}
	for _, tc := range []struct {
		name  string
		in    desk.MakeTokenInput
		field string
	}{
		{"NoName", desk.MakeTokenInput{Scopes: ok}, desk.FieldName},
		{"Capital", desk.MakeTokenInput{Name: "SIEM", Scopes: ok}, desk.FieldName},
		{"Edge", desk.MakeTokenInput{Name: "-x", Scopes: ok}, desk.FieldName},
		{"Long", desk.MakeTokenInput{Name: strings.Repeat("a", 41), Scopes: ok}, desk.FieldName},
		{"NoScope", desk.MakeTokenInput{Name: "x"}, desk.FieldScopes},
		{"WrongScope", desk.MakeTokenInput{Name: "x", Scopes: []desk.Scope{"advisory:approve"}}, desk.FieldScopes},
		{"TooLong", desk.MakeTokenInput{Name: "x", Scopes: ok, For: desk.TokenLongest + 1}, desk.FieldFor},
		{"Negative", desk.MakeTokenInput{Name: "x", Scopes: ok, For: -1}, desk.FieldFor},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := desk.MakeToken(t.Context(), tc.in, deps)
			if e, ok := errors.AsType[*desk.FieldError](err); !ok || e.Field != tc.field {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestGuessedTokens(t *testing.T) {
	now := time.Date(2026, 5, 8, 9, 0, 0, 0, time.UTC)
	deps, _ := tokenDeps(t, &now)
	secret, _, err := desk.MakeToken(t.Context(), desk.MakeTokenInput{Name: "x", Scopes: []desk.Scope{desk.MailRead}}, deps)
	if err != nil {
		t.Fatal(err)
	}
	attacker, other := netip.MustParseAddr("203.0.113.9"), netip.MustParseAddr("192.0.2.7")
	guess := desk.TokenPrefix + strings.Repeat("A", 43)
	waited := false
	for range 6 {
		_, err = desk.UseToken(t.Context(), guess, desk.MailRead, attacker, deps)
		_, waited = errors.AsType[*desk.WaitError](err)
	}
	if !waited {
		t.Errorf("the sixth guess: %v", err)
	}
	if _, err := desk.UseToken(t.Context(), guess, desk.MailRead, other, deps); !errors.Is(err, desk.ErrToken) {
		t.Errorf("another address: %v", err)
	}
	if _, err := desk.UseToken(t.Context(), secret, desk.MailRead, attacker, deps); err != nil {
		t.Errorf("a token that holds: %v", err)
	}
	// Failures to ask are none to sign in.
	if err := deps.Throttle.Check(now, attacker.String()); err != nil {
		t.Error(err)
	}
}
