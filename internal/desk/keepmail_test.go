package desk_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/blob/fs"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

// mailDesk is a desk over real stores in a folder of the test.
func mailDesk(t *testing.T) (desk.MailDeps, *sqlite.DB) {
	t.Helper()
	dir := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := fs.Open(filepath.Join(dir, fs.DirName), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(blobs.Close(), db.Close()) })
	return desk.MailDeps{
		Mails: db, Blobs: blobs, Audit: db, Now: now,
		Judge: func(context.Context) (desk.JudgeDeps, error) {
			return desk.JudgeDeps{Facts: exampleFacts(t), Now: now}, nil
		},
	}, db
}

func upload(items ...desk.Item) desk.KeepMailInput {
	return desk.KeepMailInput{Items: slices.Values(items), Source: desk.SourceUpload, Who: desk.WhoAdmin}
}

func acts(t *testing.T, s desk.AuditStore) []desk.Act {
	t.Helper()
	var out []desk.Act
	for e, err := range s.AuditChain(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Act)
	}
	return out
}

func TestKeepMail(t *testing.T) {
	deps, db := mailDesk(t)
	raw := example(t, "directsend/ds1-high.eml")
	want := judge(t, exampleFacts(t), raw)
	gone := &desk.Error{Kind: desk.Invalid, Message: lang.M("mailbox.empty")}
	items := []desk.Item{{File: "mail.eml", Raw: raw}, {File: "again.eml", Raw: raw}, {File: "x", Err: gone}}
	got, err := desk.KeepMail(t.Context(), upload(items...), deps)
	if err != nil || len(got) != 3 {
		t.Fatal(got, err)
	}
	if got[0].ID != desk.MailIDOf(raw, nil) || !got[0].New || got[1].ID != got[0].ID || got[1].New {
		t.Errorf("the same mail twice: %v %v", got[0], got[1])
	}
	if got[2].ID != "" || got[2].Verdict.Error == nil {
		t.Errorf("what could not be read: %v", got[2])
	}
	r, err := db.Mail(t.Context(), got[0].ID)
	if err != nil || r == nil {
		t.Fatal(err)
	}
	r.Judged.Timings = want.Timings
	if diff := cmp.Diff(want, r.Judged); diff != "" {
		t.Errorf("the command line judges another way (-want +got):\n%s", diff)
	}
	if r.Verdict != want.Verdict || r.Subject != want.Subject || !r.At.Equal(*want.Date) || !r.Kept.Equal(now()) {
		t.Errorf("the row is %+v", r.MailRow)
	}
	if b, err := deps.Blobs.Blob(t.Context(), r.Blob); err != nil || string(b) != string(raw) {
		t.Errorf("%d bytes came back as %d: %v", len(raw), len(b), err)
	}

	if err := desk.LabelMail(t.Context(), r.ID, desk.LabelNotPhish, desk.WhoAdmin, deps); err != nil {
		t.Error(err)
	}
	if err := desk.LabelMail(t.Context(), r.ID, "harmless?", desk.WhoAdmin, deps); err == nil {
		t.Error("any word is a label")
	}
	for range 2 { // the second time it is gone
		if err := desk.DeleteMail(t.Context(), r.ID, desk.WhoAdmin, deps); err != nil {
			t.Error(err)
		}
	}
	if _, err := deps.Blobs.Blob(t.Context(), r.Blob); err == nil {
		t.Error("the bytes of a deleted mail are there")
	}
	if diff := cmp.Diff([]desk.Act{desk.ActMailKept, desk.ActMailNotPhish, desk.ActMailDeleted}, acts(t, db)); diff != "" {
		t.Error(diff)
	}
}

// A date that the sender made up does not put a mail on top.
func TestMailDates(t *testing.T) {
	deps, db := mailDesk(t)
	for name, date := range map[string]string{"Future": "Mon, 24 Nov 2031 09:00:00 +0900", "Ancient": "Thu, 1 Jan 1970 00:00:00 +0000", "None": "soon"} {
		t.Run(name, func(t *testing.T) {
			raw := fmt.Appendf(nil, "From: a@supplier.test\r\nSubject: %s\r\nDate: %s\r\n\r\nhello\r\n", name, date)
			if _, err := desk.KeepMail(t.Context(), upload(desk.Item{Raw: raw}), deps); err != nil {
				t.Fatal(err)
			}
			r, err := db.Mail(t.Context(), desk.MailIDOf(raw, nil))
			if err != nil || !r.At.Equal(now()) {
				t.Errorf("%v %v", r.At, err)
			}
		})
	}
}

// failing is a store that cannot keep a mail, as after a crash between the bytes
// and the row.
type failing struct{ desk.MailStore }

func (failing) KeepMail(context.Context, *desk.MailRecord) (bool, error) {
	return false, errors.New("crash")
}

func TestSweepBlobs(t *testing.T) {
	deps, _ := mailDesk(t)
	kept := desk.Item{Raw: []byte("From: a@supplier.test\r\n\r\nkept\r\n")}
	lost := desk.Item{Raw: []byte("From: a@supplier.test\r\n\r\nlost\r\n")}
	if _, err := desk.KeepMail(t.Context(), upload(kept), deps); err != nil {
		t.Fatal(err)
	}
	broken := deps
	broken.Mails = failing{deps.Mails}
	if _, err := desk.KeepMail(t.Context(), upload(lost), broken); err == nil {
		t.Fatal("no error")
	}
	for _, tc := range []struct {
		after time.Duration
		want  int
	}{{0, 0}, {2 * time.Hour, 1}, {2 * time.Hour, 0}} {
		deps.Now = func() time.Time { return time.Now().Add(tc.after) }
		if n, err := desk.SweepBlobs(t.Context(), deps); err != nil || n != tc.want {
			t.Errorf("after %v: %d %v", tc.after, n, err)
		}
	}
	if _, err := deps.Blobs.Blob(t.Context(), string(desk.MailIDOf(kept.Raw, nil))); err != nil {
		t.Error(err)
	}
}

// The same bytes to two recipients, one deleted while the other is being kept:
// whatever comes first, the mail that is left has its bytes.
func TestDeleteWhileKept(t *testing.T) {
	deps, db := mailDesk(t)
	it := desk.Item{Raw: []byte("From: a@supplier.test\r\n\r\nshared\r\n")}
	for i := range 20 {
		one, two := upload(it), upload(it)
		one.Envelope = &desk.MailEnvelope{To: []string{"sato@kiso-works.example"}}
		two.Envelope = &desk.MailEnvelope{To: []string{fmt.Sprintf("%d@kiso-works.example", i)}}
		if _, err := desk.KeepMail(t.Context(), one, deps); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			done <- desk.DeleteMail(context.WithoutCancel(t.Context()), desk.MailIDOf(it.Raw, one.Envelope), desk.WhoAdmin, deps)
		}()
		if _, err := desk.KeepMail(t.Context(), two, deps); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		r, err := db.Mail(t.Context(), desk.MailIDOf(it.Raw, two.Envelope))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := deps.Blobs.Blob(t.Context(), r.Blob); err != nil {
			t.Fatal(err)
		}
		if err := desk.DeleteMail(t.Context(), r.ID, desk.WhoAdmin, deps); err != nil {
			t.Fatal(err)
		}
	}
}
