package storetest

import (
	"crypto/sha256"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
)

// TokenStore is a store of the tokens of programs that can be closed.
type TokenStore interface {
	desk.APITokenStore
	Close() error
}

// Tokens is the suite of [desk.APITokenStore].
func Tokens(t *testing.T, open func(t *testing.T, dir string) TokenStore) {
	dir := t.TempDir()
	s := open(t, dir)
	first := desk.APIToken{Name: "siem", Hash: sha256.Sum256([]byte("1")), Scopes: []desk.Scope{desk.MailRead, desk.NewsRead}, Made: at(1), By: desk.WhoAdmin, Expires: at(30)}
	second := desk.APIToken{Name: "backup", Hash: sha256.Sum256([]byte("2")), Scopes: []desk.Scope{desk.MetricsRead}, Made: at(2), By: desk.WhoTerminal}
	noErr(t, s.AddToken(t.Context(), &first))
	noErr(t, s.AddToken(t.Context(), &second))
	same := second
	same.Hash = sha256.Sum256([]byte("3"))
	wantKind(t, s.AddToken(t.Context(), &same), desk.Conflict)
	noErr(t, s.Close())
	s = open(t, dir)
	equal := func(want ...desk.APIToken) {
		t.Helper()
		got, err := s.Tokens(t.Context())
		noErr(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	equal(second, first)
	noErr(t, s.TouchToken(t.Context(), first.Hash, at(3)))
	noErr(t, s.TouchToken(t.Context(), [32]byte{}, at(3))) // of nobody
	first.Used = at(3)
	one, err := s.TokenOf(t.Context(), first.Hash)
	noErr(t, err)
	if diff := cmp.Diff(&first, one); diff != "" {
		t.Error(diff)
	}
	if one, err := s.TokenOf(t.Context(), same.Hash); err != nil || one != nil {
		t.Errorf("%v %v", one, err)
	}
	for i, want := range []bool{true, false} { // the first time counts
		if ok, err := s.RevokeToken(t.Context(), "siem", at(4+i)); err != nil || ok != want {
			t.Errorf("%v %v", ok, err)
		}
	}
	if ok, err := s.RevokeToken(t.Context(), "nobody", at(4)); err != nil || ok {
		t.Errorf("%v %v", ok, err)
	}
	first.Revoked = at(4)
	equal(second, first)
	noErr(t, s.Close())
}
