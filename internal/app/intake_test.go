package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	blobfs "github.com/sekisho/sekisho/internal/blob/fs"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/listen"
	"github.com/sekisho/sekisho/internal/intake/smtp"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

// disk notes what is asked of the disk, and fails the step with a number.
type disk struct {
	mu    sync.Mutex
	steps []string
	fail  int
}

var errDisk = errors.New("no such luck")

func (d *disk) step(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.steps = append(d.steps, name)
	if len(d.steps) == d.fail {
		return errDisk
	}
	return nil
}

func (d *disk) system() blobfs.System {
	return blobfs.System{
		Write: func(f *os.File, b []byte) (int, error) {
			if err := d.step("write"); err != nil {
				n, _ := f.Write(b[:len(b)/2])
				return n, err
			}
			return f.Write(b)
		},
		Sync: func(f *os.File) error {
			what := "sync folder"
			if st, err := f.Stat(); err == nil && !st.IsDir() {
				what = "sync"
			}
			if err := d.step(what); err != nil {
				return err
			}
			return f.Sync()
		},
		Rename: func(from, to string) error {
			if err := d.step("rename"); err != nil {
				return err
			}
			return os.Rename(from, to)
		},
	}
}

// queue notes when an entry is kept; a step is before and one after it.
type queue struct {
	desk.Queue
	disk *disk
}

func (q queue) Enqueue(ctx context.Context, e *desk.QueueEntry) (bool, error) {
	if err := q.disk.step("queue"); err != nil {
		return false, err
	}
	return q.Queue.Enqueue(ctx, e)
}

// intakeOn is an SMTP listener over real stores on a disk that may fail.
func intakeOn(t *testing.T, dir string, d *disk) (deps *desk.IntakeDeps, db *sqlite.DB, address string) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blobfs.OpenOn(d.system(), filepath.Join(dir, blobfs.DirName), 0)
	if err != nil {
		t.Fatal(err)
	}
	deps = &desk.IntakeDeps{
		MailDeps: desk.MailDeps{Mails: db, Blobs: blobs, Audit: db, Now: time.Now, Judge: func(context.Context) (desk.JudgeDeps, error) { return desk.JudgeDeps{}, nil }},
		Queue:    queue{db, d},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- smtp.Serve(ctx, l, &smtp.Options{
			Accept: func(ctx context.Context, m *desk.Delivery) (desk.MailID, error) { return desk.Accept(ctx, m, deps) },
			Name:   "mx.kiso-works.example", Recipients: []string{"report@kiso-works.example"}, MaxMessage: 1 << 20,
			Memory: listen.NewMemory(16 << 20), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, blobs.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return deps, db, l.Addr().String()
}

// send sends a mail and returns the answer.
func send(t *testing.T, address, text string) string {
	t.Helper()
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, _, err := c.ReadResponse(220); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"EHLO a.test", "MAIL FROM:<a@sender.test>", "RCPT TO:<report@kiso-works.example>"} {
		if err := c.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.ReadResponse(250); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.PrintfLine("DATA"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadResponse(354); err != nil {
		t.Fatal(err)
	}
	w := c.DotWriter()
	_, _ = io.WriteString(w, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	code, message, _ := c.ReadResponse(0)
	return fmt.Sprint(code, " ", message)
}

// work judges what is in the queue and returns how it then stands.
func work(t *testing.T, deps *desk.IntakeDeps) *desk.QueueState {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- desk.Work(ctx, deps) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for range 1000 {
		s, err := deps.Queue.State(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting+s.Leased == 0 {
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the queue is never empty")
	return nil
}

const mail = "From: a@sender.test\r\nTo: report@kiso-works.example\r\nSubject: hello\r\n\r\nhello\r\n"

// TestOrder holds intake to its promise: the bytes are written, synced and
// renamed, their folder is synced, then the place in the queue is kept, and only
// then the sender hears of it.
func TestOrder(t *testing.T) {
	d := &disk{}
	deps, _, address := intakeOn(t, t.TempDir(), d)
	answer := send(t, address, mail)
	_ = d.step("answer " + answer[:3])
	want := []string{"sync folder", "write", "sync", "rename", "sync folder", "queue", "sync folder", "answer 250"}
	if diff := cmp.Diff(want, d.steps); diff != "" {
		t.Error(diff)
	}
	s, err := deps.Queue.State(t.Context(), 0)
	if err != nil || s.Waiting != 1 {
		t.Errorf("%+v %v", s, err)
	}
}

// TestFaults fails each of these steps in turn: the sender is told to come
// again, and when it does there is one mail.
func TestFaults(t *testing.T) {
	for fail := 1; ; fail++ {
		d := &disk{fail: fail}
		deps, db, address := intakeOn(t, t.TempDir(), d)
		answer := send(t, address, mail)
		if len(d.steps) < fail {
			if answer[:3] != "250" || fail != 8 {
				t.Errorf("without a fault: %s, %d steps", answer, len(d.steps))
			}
			return
		}
		what := fmt.Sprintf("%d %s", fail, d.steps[fail-1])
		if answer[0] != '4' {
			t.Errorf("%s: answered %s", what, answer)
		}
		s := work(t, deps)
		rows, err := db.Mails(t.Context(), &desk.MailQuery{})
		// The last step makes sure of what is kept already; a mail of which there is
		// a record then is not lost, and is the same one when it comes again.
		if last := fail == 7; err != nil || s.Dead != 0 || !last && len(rows) != 0 {
			t.Errorf("%s: %d mails, %+v, %v", what, len(rows), s, err)
		}
		if answer := send(t, address, mail); answer[:3] != "250" {
			t.Errorf("%s, sent again: %s", what, answer)
		}
		work(t, deps)
		if rows, err = db.Mails(t.Context(), &desk.MailQuery{}); err != nil || len(rows) != 1 {
			t.Fatalf("%s, sent again: %d mails, %v", what, len(rows), err)
		}
		if b, err := deps.Blobs.Blob(t.Context(), rows[0].Blob); err != nil || !bytes.Equal(b, []byte(mail)) {
			t.Errorf("%s: %q %v", what, b, err)
		}
	}
}

// A database that cannot be written to is the sender's to wait for.
func TestFullDatabase(t *testing.T) {
	dir := t.TempDir()
	_, db, address := intakeOn(t, dir, &disk{})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if answer := send(t, address, mail); !strings.HasPrefix(answer, "451 4.3.0") {
		t.Error(answer)
	}
}
