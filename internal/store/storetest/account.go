package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/internal/desk"
)

// AccountStore is a store of the account and its sessions that can be closed.
type AccountStore interface {
	desk.AccountStore
	desk.SessionStore
	Close() error
}

// Accounts is the suite of [desk.AccountStore] and [desk.SessionStore].
func Accounts(t *testing.T, open func(t *testing.T, dir string) AccountStore) {
	t.Run("Account", func(t *testing.T) { accounts(t, open) })
	t.Run("Sessions", func(t *testing.T) { sessions(t, open) })
}

func accounts(t *testing.T, open func(t *testing.T, dir string) AccountStore) {
	dir := t.TempDir()
	s := open(t, dir)
	want := &desk.Account{InviteHash: sha256.Sum256([]byte("token")), InviteSecret: []byte{1, 2}, InviteExpires: at(1)}
	change := func(expect, to *desk.Account, err error) {
		t.Helper()
		got := s.ChangeAccount(t.Context(), func(a *desk.Account) (*desk.Account, error) {
			if diff := cmp.Diff(expect, a); diff != "" {
				t.Error(diff)
			}
			return to, err
		})
		if !errors.Is(got, err) {
			t.Errorf("the error is %v, want %v", got, err)
		}
	}
	refused := &desk.Error{Kind: desk.Invalid}
	change(nil, nil, nil)
	change(nil, want, refused)
	change(nil, want, nil)
	noErr(t, s.Close())
	s = open(t, dir)
	next := &desk.Account{Password: "hash", Secret: []byte{3}, Step: 7, Made: at(2)}
	change(want, next, nil)
	change(next, nil, nil)
	change(next, next, nil)

	// Changes at the same time come one after the other.
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := s.ChangeAccount(t.Context(), func(a *desk.Account) (*desk.Account, error) {
				a.Step++
				return a, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	next.Step = 17
	change(next, nil, nil)
	noErr(t, s.Close())
}

func sessions(t *testing.T, open func(t *testing.T, dir string) AccountStore) {
	dir := t.TempDir()
	s := open(t, dir)
	var want []desk.Session
	for i := range 3 {
		one := desk.Session{Hash: sha256.Sum256(fmt.Append(nil, i)), Made: at(1), Seen: at(10 - i), Address: netip.MustParseAddr("192.0.2.7"), Agent: "ブラウザー"}
		noErr(t, s.AddSession(t.Context(), &one))
		want = append(want, one)
	}
	wantKind(t, s.AddSession(t.Context(), &want[0]), desk.Conflict)
	noErr(t, s.Close())
	s = open(t, dir)
	equal := func(want []desk.Session) {
		t.Helper()
		got, err := s.Sessions(t.Context())
		noErr(t, err)
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Error(diff)
		}
	}
	equal(want)
	noErr(t, s.TouchSession(t.Context(), want[2].Hash, at(20)))
	noErr(t, s.TouchSession(t.Context(), [32]byte{}, at(20))) // of nobody
	want[2].Seen = at(20)
	equal([]desk.Session{want[2], want[0], want[1]})
	one, err := s.SessionOf(t.Context(), want[1].Hash)
	noErr(t, err)
	if diff := cmp.Diff(&want[1], one, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Error(diff)
	}
	n, err := s.RemoveSessions(t.Context(), func(x *desk.Session) bool { return x.Seen.After(at(9)) })
	if err != nil || n != 2 {
		t.Errorf("%d %v", n, err)
	}
	equal(want[1:2])
	if one, err := s.SessionOf(t.Context(), want[0].Hash); err != nil || one != nil {
		t.Errorf("%v %v", one, err)
	}
	anonymous := desk.Session{Hash: [32]byte{9}, Made: at(1), Seen: at(2).Add(time.Millisecond)}
	noErr(t, s.AddSession(t.Context(), &anonymous))
	equal([]desk.Session{want[1], anonymous})
	noErr(t, s.Close())
}
