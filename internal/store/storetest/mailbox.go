package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// MailboxStore is a store of mailboxes and their tokens that can be closed.
type MailboxStore interface {
	desk.MailboxStore
	desk.TokenStore
	Close() error
}

// Mailbox is the suite of [desk.MailboxStore] and [desk.TokenStore].
func Mailbox(t *testing.T, open func(t *testing.T, dir string) MailboxStore) {
	ctx, dir := t.Context(), t.TempDir()
	s := open(t, dir)
	none, err := s.MailboxState(ctx, "a")
	noErr(t, err)
	if none != nil {
		t.Errorf("a state of a mailbox never seen: %v", none)
	}
	why := lang.Text{JA: "大きすぎます", EN: "too large"}
	a := &desk.MailboxState{Name: "a", Cursor: "7:3", Begun: at(1), Mails: 2, Refused: 2, LastMail: at(2), LastRead: at(3), Failed: at(4), Problem: why}
	noErr(t, s.SaveMailboxState(ctx, &desk.MailboxState{Name: "b", Begun: at(0)}, desk.MailboxMark{Key: "other", Hash: "h9", At: at(1)}))
	noErr(t, s.SaveMailboxState(ctx, a,
		desk.MailboxMark{Key: "k1", Hash: "h1", At: at(1)}, desk.MailboxMark{Key: "k2", At: at(2), Why: why}, desk.MailboxMark{Key: "k3", At: at(3), Why: why}))
	noErr(t, s.SaveMailboxToken(ctx, "a", []byte("sealed")))
	noErr(t, s.SaveMailboxToken(ctx, "b", []byte("other")))
	noErr(t, s.Close())

	s = open(t, dir)
	got, err := s.MailboxStates(ctx)
	noErr(t, err)
	if diff := cmp.Diff([]desk.MailboxState{*a, {Name: "b", Begun: at(0)}}, got); diff != "" {
		t.Error(diff)
	}
	for _, tc := range []struct {
		key, hash string
		want      bool
	}{{"k1", "", true}, {"k1", "hx", true}, {"kx", "h1", true}, {"kx", "", false}, {"other", "h9", false}, {"k2", "", true}} {
		if got, err := s.MailboxDone(ctx, "a", tc.key, tc.hash); err != nil || got != tc.want {
			t.Errorf("done %s %s: %v %v", tc.key, tc.hash, got, err)
		}
	}
	refused, err := s.MailboxRefused(ctx, "a", 1)
	noErr(t, err)
	if diff := cmp.Diff([]desk.MailboxMark{{Key: "k3", At: at(3), Why: why}}, refused); diff != "" {
		t.Error(diff)
	}
	token, err := s.MailboxToken(ctx, "a")
	noErr(t, err)
	if string(token) != "sealed" {
		t.Errorf("token %q", token)
	}
	noErr(t, s.SaveMailboxToken(ctx, "b", nil))
	if token, err := s.MailboxToken(ctx, "b"); err != nil || token != nil {
		t.Errorf("a deleted token: %q %v", token, err)
	}
	noErr(t, s.DeleteMailbox(ctx, "a"))
	if got, err = s.MailboxStates(ctx); err != nil || len(got) != 1 {
		t.Errorf("after deleting: %v %v", got, err)
	}
	if done, err := s.MailboxDone(ctx, "a", "k1", "h1"); err != nil || done {
		t.Errorf("a mark of a deleted mailbox: %v %v", done, err)
	}
	if token, err := s.MailboxToken(ctx, "a"); err != nil || token != nil {
		t.Errorf("a token of a deleted mailbox: %q %v", token, err)
	}
	noErr(t, s.Close())
}
