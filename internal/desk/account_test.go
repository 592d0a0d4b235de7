package desk_test

import (
	"encoding/base32"
	"errors"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

// door is a desk with an administrator, whose clock a test moves.
type door struct {
	desk.AccountDeps

	now    time.Time
	secret []byte
	visit  desk.Visit
}

const passphrase = "correct horse battery staple"

func openDoor(t *testing.T) *door {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &door{now: now(), visit: desk.Visit{Address: netip.MustParseAddr("192.0.2.7"), Agent: "browser"}}
	o.AccountDeps = desk.AccountDeps{Accounts: db, Sessions: db, Audit: db, Key: [32]byte{7}, Throttle: desk.NewThrottle(), Now: func() time.Time { return o.now }}
	return o
}

func (o *door) code() string { return desk.TOTPAt(o.secret, o.now) }

// setUp invites and sets up, and returns the token of the session.
func (o *door) setUp(t *testing.T) string {
	t.Helper()
	link, _, err := desk.InviteAdmin(t.Context(), o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	return o.accept(t, link)
}

func (o *door) accept(t *testing.T, link string) string {
	t.Helper()
	inv, err := desk.InvitationOf(t.Context(), link, o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	if o.secret, err = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(inv.Secret); err != nil {
		t.Fatal(err)
	}
	token, err := desk.SetUpAdmin(t.Context(), desk.SetUpInput{Token: link, Password: passphrase, Repeated: passphrase, Code: o.code(), Visit: o.visit}, o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (o *door) login(t *testing.T, password, code string) (string, error) {
	t.Helper()
	return desk.Login(t.Context(), desk.LoginInput{Password: password, Code: code, Visit: o.visit}, o.AccountDeps)
}

func (o *door) signedIn(t *testing.T, token string) bool {
	t.Helper()
	s, err := desk.Authenticate(t.Context(), token, o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	return s != nil
}

func kindIs(err error, kind desk.ErrorKind) bool {
	e, ok := errors.AsType[*desk.Error](err)
	return ok && e.Kind == kind
}

func TestSetUpAdmin(t *testing.T) {
	o := openDoor(t)
	if has, err := desk.HasAdmin(t.Context(), o.AccountDeps); err != nil || has {
		t.Fatal(has, err)
	}
	link, expires, err := desk.InviteAdmin(t.Context(), o.AccountDeps)
	if err != nil || !expires.Equal(o.now.Add(desk.InviteFor)) {
		t.Fatal(expires, err)
	}
	inv, err := desk.InvitationOf(t.Context(), link, o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	o.secret, _ = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(inv.Secret)
	for _, tc := range []struct {
		name                           string
		password, repeated, code, want string
	}{
		{"Short", "short", "short", o.code(), desk.FieldPassword},
		{"Simple", "aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", o.code(), desk.FieldPassword},
		{"Differ", passphrase, passphrase + "x", o.code(), desk.FieldRepeated},
		{"Code", passphrase, passphrase, "000000", desk.FieldCode},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := desk.SetUpAdmin(t.Context(), desk.SetUpInput{Token: link, Password: tc.password, Repeated: tc.repeated, Code: tc.code, Visit: o.visit}, o.AccountDeps)
			if e, ok := errors.AsType[*desk.FieldError](err); !ok || e.Field != tc.want {
				t.Errorf("the error is %v", err)
			}
		})
	}
	if token := o.accept(t, link); !o.signedIn(t, token) {
		t.Error("not signed in")
	}
	if _, err := desk.InvitationOf(t.Context(), link, o.AccountDeps); !kindIs(err, desk.NotFound) {
		t.Errorf("a link works twice: %v", err)
	}
	late, _, err := desk.InviteAdmin(t.Context(), o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := desk.InviteAdmin(t.Context(), o.AccountDeps)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.InvitationOf(t.Context(), late, o.AccountDeps); !kindIs(err, desk.NotFound) {
		t.Errorf("the link before a new one works: %v", err)
	}
	o.now = o.now.Add(desk.InviteFor)
	if _, err := desk.InvitationOf(t.Context(), first, o.AccountDeps); !kindIs(err, desk.NotFound) {
		t.Errorf("a link works for ever: %v", err)
	}
	if has, err := desk.HasAdmin(t.Context(), o.AccountDeps); err != nil || !has {
		t.Errorf("links that nobody used change the account: %v %v", has, err)
	}
}

func TestLogin(t *testing.T) {
	o := openDoor(t)
	if _, err := o.login(t, "", ""); !kindIs(err, desk.Denied) {
		t.Errorf("without an account: %v", err)
	}
	o.setUp(t)
	if _, err := o.login(t, passphrase, o.code()); !kindIs(err, desk.Denied) {
		t.Errorf("the code of the set-up works again: %v", err)
	}
	o.now = o.now.Add(time.Minute)
	planted := "planted-by-somebody-else"
	o.visit.Token = planted
	token, err := o.login(t, passphrase, o.code())
	if err != nil || token == planted || !o.signedIn(t, token) || o.signedIn(t, planted) {
		t.Fatalf("%q %v", token, err)
	}
	if _, err := o.login(t, passphrase, o.code()); !kindIs(err, desk.Denied) {
		t.Errorf("a code works twice: %v", err)
	}
	// Signing in again ends the session that the browser had.
	o.now = o.now.Add(time.Minute)
	o.visit.Token = token
	next, err := o.login(t, passphrase, o.code())
	if err != nil || o.signedIn(t, token) || !o.signedIn(t, next) {
		t.Errorf("%v", err)
	}
	want := []desk.Act{
		desk.ActLoginRefused, desk.ActAdminInvited, desk.ActAdminMade, desk.ActLogin, desk.ActLoginRefused, desk.ActLogin, desk.ActLoginRefused, desk.ActLogin,
	}
	if diff := cmp.Diff(want, acts(t, o.Audit)); diff != "" {
		t.Error(diff)
	}
}

// Whoever guesses waits longer and longer; the administrator elsewhere does not
// wait long.
func TestBruteForce(t *testing.T) {
	o := openDoor(t)
	o.setUp(t)
	refused, waits := 0, 0
	for range 30 {
		_, err := o.login(t, "guess", "123456")
		switch {
		case kindIs(err, desk.Limit):
			waits++
		case kindIs(err, desk.Denied):
			refused++
		default:
			t.Fatal(err)
		}
	}
	if refused > 5 || waits < 25 {
		t.Errorf("%d guesses in no time", refused)
	}
	o.now = o.now.Add(2 * time.Minute)
	o.visit.Address = netip.MustParseAddr("192.0.2.99")
	if _, err := o.login(t, passphrase, o.code()); err != nil {
		t.Errorf("the administrator is locked out: %v", err)
	}
	// Who knows the password and guesses codes waits long, wherever they come from.
	for i := range 40 {
		o.visit.Address = netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
		_, _ = o.login(t, passphrase, "000000")
		o.now = o.now.Add(time.Minute)
	}
	o.visit.Address = netip.MustParseAddr("203.0.113.1")
	if _, err := o.login(t, passphrase, "000000"); !kindIs(err, desk.Limit) {
		t.Errorf("the error is %v", err)
	}
}

func TestSessions(t *testing.T) {
	o := openDoor(t)
	first := o.setUp(t)
	o.now = o.now.Add(time.Minute)
	second, err := o.login(t, passphrase, o.code())
	if err != nil {
		t.Fatal(err)
	}
	list, err := desk.ListSessions(t.Context(), o.AccountDeps)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if err := desk.RevokeSession(t.Context(), list[1].ID(), o.AccountDeps); err != nil || o.signedIn(t, first) || !o.signedIn(t, second) {
		t.Errorf("%v", err)
	}
	// A session that is used goes on, until it is a week old; one that is not ends.
	started := o.now
	for o.now.Sub(started) < desk.SessionFor-time.Hour {
		o.now = o.now.Add(desk.SessionIdle - time.Minute)
		if !o.signedIn(t, second) && o.now.Sub(started) < desk.SessionFor {
			t.Fatalf("it ended after %v", o.now.Sub(started))
		}
	}
	o.now = started.Add(desk.SessionFor)
	if o.signedIn(t, second) {
		t.Error("a session lasts for ever")
	}
	third, err := o.login(t, passphrase, o.code())
	if err != nil {
		t.Fatal(err)
	}
	o.now = o.now.Add(desk.SessionIdle)
	if o.signedIn(t, third) {
		t.Error("a session that nobody used goes on")
	}
	// A clock that was wrong by a year when somebody signed in.
	fourth, err := o.login(t, passphrase, o.code())
	if err != nil {
		t.Fatal(err)
	}
	o.now = o.now.AddDate(-1, 0, 0)
	if o.signedIn(t, fourth) {
		t.Error("a session of the future holds")
	}
	for _, token := range []string{"", "x", string(make([]byte, 1<<20))} {
		if o.signedIn(t, token) {
			t.Errorf("%.10q signs in", token)
		}
	}
}
