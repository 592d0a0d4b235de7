package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

const ordinary = "From: a@partner.example\r\nTo: b@kiso-works.example\r\nSubject: Hello\r\nDate: Mon, 9 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@partner.example>\r\n\r\nHello\r\n"

// TestInterrupted stops reading after three messages, as Ctrl-C does.
func TestInterrupted(t *testing.T) {
	for _, tc := range []struct {
		name, format string
		lines        int // of standard error
		check        func(t *testing.T, out string)
	}{
		{"Text", "text", 0, func(t *testing.T, out string) {
			if !strings.Contains(out, "3 messages: 3 clean\nStopped by you; the rest was not read.\n") {
				t.Errorf("got %s", out)
			}
		}},
		{"JSON", "json", 1, func(t *testing.T, out string) {
			var list []desk.Verdict
			if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 3 {
				t.Errorf("%d verdicts, error %v", len(list), err)
			}
		}},
		{"NDJSON", "ndjson", 1, func(t *testing.T, out string) {
			if n := strings.Count(out, "\n"); n != 3 {
				t.Errorf("%d lines", n)
			}
		}},
		{"CSV", "csv", 1, func(t *testing.T, out string) {
			if n := strings.Count(out, "\n"); n != 4 {
				t.Errorf("%d lines", n)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			walk := func(ctx context.Context, _ []string, _ io.Reader, _ WalkOptions) iter.Seq[desk.Item] {
				return func(yield func(desk.Item) bool) {
					for i := range 10 {
						if i == 3 {
							interrupt()
						}
						if ctx.Err() != nil || !yield(desk.Item{File: "box", Index: i + 1, Raw: []byte(ordinary)}) {
							return
						}
					}
				}
			}
			var stdout, stderr bytes.Buffer
			status := Main(ctx, []string{"judge", "--output", tc.format, "box"}, Env{Stdout: &stdout, Stderr: &stderr, Now: clock, Walk: walk})
			if status != exitUnread {
				t.Errorf("exit status %d", status)
			}
			if n := strings.Count(stderr.String(), "\n"); n != tc.lines {
				t.Errorf("standard error: %s", stderr.String())
			}
			tc.check(t, stdout.String())
		})
	}
}

// TestInterruptedWhileReading stops a read that would never end: standard
// input that nobody writes to.
func TestInterruptedWhileReading(t *testing.T) {
	never, _ := io.Pipe()
	ctx, interrupt := context.WithCancel(t.Context())
	r := newInterruptible(ctx, io.MultiReader(strings.NewReader(ordinary), never))
	b := make([]byte, len(ordinary))
	if _, err := io.ReadFull(r, b); err != nil || string(b) != ordinary {
		t.Errorf("got %q, %v", b, err)
	}
	time.AfterFunc(10*time.Millisecond, interrupt)
	if _, err := r.Read(b); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); err == nil {
		t.Error("it goes on")
	}
	if newInterruptible(ctx, nil) != nil {
		t.Error("no input became one")
	}
}

func TestInterruptibleReadsWhole(t *testing.T) {
	want := strings.Repeat("0123456789", 50_000)
	b, err := io.ReadAll(newInterruptible(t.Context(), strings.NewReader(want)))
	if err != nil || string(b) != want {
		t.Errorf("%d of %d bytes, %v", len(b), len(want), err)
	}
}

// failing takes some bytes and then fails.
type failing struct {
	room int
	err  error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, f.err
	}
	return len(p), nil
}

// TestOutputFails tells a full disk and not a reader that has seen enough, for
// every command that writes.
func TestOutputFails(t *testing.T) {
	walk := func(context.Context, []string, io.Reader, WalkOptions) iter.Seq[desk.Item] {
		return func(yield func(desk.Item) bool) {
			for i := range 1000 {
				if !yield(desk.Item{File: "box", Index: i + 1, Raw: []byte(ordinary)}) {
					return
				}
			}
			t.Error("judged all for nobody")
		}
	}
	for _, args := range [][]string{
		{"judge", "box"}, {"judge", "-e", "box"}, {"judge", "--output", "json", "box"}, {"judge", "--output", "ndjson", "box"}, {"judge", "--output", "csv", "box"},
		{"help"}, {"version"}, {"version", "--output", "json"}, {"doctor"}, {"completion", "bash"}, {},
	} {
		t.Run(strings.Join(args, "_"), func(t *testing.T) {
			for _, tc := range []struct {
				err    error
				status int
				told   bool
			}{{syscall.EPIPE, exitOK, false}, {syscall.ENOSPC, exitUsage, true}} {
				var stderr bytes.Buffer
				env := Env{
					Stdout: &failing{10, tc.err}, Stderr: &stderr, Now: clock, Walk: walk, StateDir: t.TempDir(),
					Exceptions: func(string) desk.ExceptionStore { return noExceptions{} },
				}
				if status := Main(t.Context(), args, env); status != tc.status {
					t.Errorf("%v: exit status %d, want %d", tc.err, status, tc.status)
				}
				if told := strings.HasPrefix(stderr.String(), "sekisho: error: the output could not be written: "); told != tc.told {
					t.Errorf("%v: standard error: %q", tc.err, stderr.String())
				}
			}
		})
	}
}

type noExceptions struct{}

func (noExceptions) List(context.Context) ([]desk.Exception, error) { return nil, nil }
func (noExceptions) Add(context.Context, desk.Exception) error      { return nil }
func (noExceptions) Remove(context.Context, string) error           { return desk.ErrNoException }
