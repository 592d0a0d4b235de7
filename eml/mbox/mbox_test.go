package mbox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml/mbox"
)

const line = "From sato@kiso-works.example Fri Jul  8 12:08:34 2011\n"

// readAll returns the messages, and errors as "error: ...".
func readAll(t *testing.T, r io.Reader, opts *mbox.Options) []string {
	t.Helper()
	var got []string
	m := mbox.NewReader(r, opts)
	for range 100 {
		raw, err := m.Next()
		switch {
		case errors.Is(err, io.EOF):
			return got
		case errors.Is(err, mbox.ErrTooLarge):
			got = append(got, "too large")
		case err != nil:
			return append(got, "error: "+err.Error())
		default:
			got = append(got, string(raw))
		}
	}
	t.Fatal("the reader does not end")
	return nil
}

func TestReader(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want []string
	}{
		{"Empty", "", nil},
		{"BlankLinesOnly", "\n\r\n\n", nil},
		{"One", line + "A: 1\n\nbody\n\n", []string{"A: 1\n\nbody\n"}},
		{"Two", line + "A: 1\n\none\n\n" + line + "B: 2\n\ntwo\n", []string{"A: 1\n\none\n", "B: 2\n\ntwo\n"}},
		{"CRLF", strings.ReplaceAll(line+"A: 1\n\none\n\n"+line+"B: 2\n\ntwo\n\n", "\n", "\r\n"), []string{"A: 1\r\n\r\none\r\n", "B: 2\r\n\r\ntwo\r\n"}},
		{"LeadingBlankLines", "\n\n" + line + "A: 1\n\nx\n", []string{"A: 1\n\nx\n"}},
		{"NoNewlineAtEnd", line + "A: 1\n\nx", []string{"A: 1\n\nx"}},
		{"OnlyOneBlankLineIsTheFormats", line + "A: 1\n\nx\n\n\n" + line + "B: 2\n", []string{"A: 1\n\nx\n\n", "B: 2\n"}},
		{"SeparatorNeedsBlankLine", line + "A: 1\n\nx\n" + line + "y\n", []string{"A: 1\n\nx\n" + line + "y\n"}},
		{"ProseIsNoSeparator", line + "A: 1\n\nx\n\nFrom here on we meet at 12:30 in 2011\n", []string{"A: 1\n\nx\n\nFrom here on we meet at 12:30 in 2011\n"}},
		{"MboxRD", line + "A: 1\n\n>From x\n>>From y\n> From z\n>from w\n", []string{"A: 1\n\nFrom x\n>From y\n> From z\n>from w\n"}},
		{"EmptyMessage", line + "\n" + line + "A: 1\n", []string{"", "A: 1\n"}},
		{"NoMailbox", "Subject: x\n\n" + line, []string{"error: " + mbox.ErrFormat.Error()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, readAll(t, strings.NewReader(tt.in), nil)); diff != "" {
				t.Error(diff)
			}
			// A reader that gives one byte at a time must make no difference.
			if diff := cmp.Diff(tt.want, readAll(t, oneByte{strings.NewReader(tt.in)}, nil)); diff != "" {
				t.Error("byte by byte:", diff)
			}
		})
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func TestSeparator(t *testing.T) {
	for _, s := range []string{
		"From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
		"From - Sat Jan  3 01:05:34 1996",
		"From ???@??? Mon Jan 01 00:00:00 1997",
		"From 1234567890@xxx Mon Jan 01 00:00:00 +0000 2018",
		"From a@b.example Fri Jul 8 12:08:34 2011 +0200",
		"From a@b.example Fri Jul 8 12:08:34 JST 2011",
		"From a@b.example Fri Jul 8 12:08 2011",
		"From a b c Fri Jul 8 12:08:34 2011",
		"From Fri Jul 8 12:08:34 2011",
		"From uucp Fri Jul 8 12:08:34 2011 remote from host",
		"From a@b.example 2011-07-08 12:08:34 +0200",
		"From a@b.example 2011-07-08T12:08:34Z",
	} {
		if !mbox.Is([]byte(s + "\r\nSubject: x\r\n")) {
			t.Errorf("not seen as a separator: %s", s)
		}
	}
	for _, s := range []string{
		"", "From", "From ", "From:", "From: a@b.example Fri Jul  8 12:08:34 2011", "from a Fri Jul  8 12:08:34 2011",
		"From here on we", "From Mon to Fri", "From 12:00 to 13:00 on Fri Jul 8 2011 we are closed",
		"From a Fri Jul 8 12:08:34 2011 we met again at noon", "From a Fri Jul 8 12:08:34", "From a Fri Jul 32 12:08:34 2011",
		"From a riJ Jul 8 12:08:34 2011", "From a 2011-07-08 we met", "From a " + strings.Repeat("x", 2000) + " Fri Jul 8 12:08:34 2011",
		">From a Fri Jul 8 12:08:34 2011",
	} {
		if mbox.Is([]byte(s)) {
			t.Errorf("seen as a separator: %s", s)
		}
	}
}

func TestTooLargeIsSkipped(t *testing.T) {
	large := "B: 2\n\n" + strings.Repeat(strings.Repeat("x", 99)+"\n", 30)
	in := line + "A: 1\n\none\n\n" + line + large + "\n" + line + "C: 3\n"
	want := []string{"A: 1\n\none\n", "too large", "C: 3\n"}
	if diff := cmp.Diff(want, readAll(t, strings.NewReader(in), &mbox.Options{MaxMessage: 2000})); diff != "" {
		t.Error(diff)
	}
	// One line alone may be too large as well.
	in = line + "A: 1\n\none\n\n" + line + strings.Repeat("x", 300_000) + "\n\n" + line + "C: 3\n"
	if diff := cmp.Diff(want, readAll(t, strings.NewReader(in), &mbox.Options{MaxMessage: 2000})); diff != "" {
		t.Error(diff)
	}
}

func TestLongLineIsKept(t *testing.T) {
	// The piece of a long line that starts a new buffer is no line start.
	body := strings.Repeat("x", 64<<10) + ">From x\n"
	in := line + "A: 1\n\n" + body
	if diff := cmp.Diff([]string{"A: 1\n\n" + body}, readAll(t, strings.NewReader(in), nil)); diff != "" {
		t.Error("differs")
	}
}

func TestReadErrorIsFinal(t *testing.T) {
	broken := errors.New("disk on fire")
	m := mbox.NewReader(io.MultiReader(strings.NewReader(line+"A: 1\n"), failing{broken}), nil)
	for range 2 {
		if raw, err := m.Next(); !errors.Is(err, broken) || raw != nil {
			t.Errorf("got %q, %v", raw, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestMessagesAreTheCallers(t *testing.T) {
	m := mbox.NewReader(strings.NewReader(line+"A: 1\n\n"+line+"B: 2\n\n"), nil)
	first, err := m.Next()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Next(); err != nil {
		t.Fatal(err)
	}
	if string(first) != "A: 1\n" {
		t.Errorf("the first message became %q", first)
	}
}

// repeat is a mailbox of n equal messages that is never in memory.
type repeat struct {
	message []byte
	left, i int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.message[r.i:])
	if r.i += n; r.i == len(r.message) {
		r.i, r.left = 0, r.left-1
	}
	return n, nil
}

func TestMemoryIsBounded(t *testing.T) {
	message := []byte(line + "A: 1\n\n" + strings.Repeat(strings.Repeat("x", 76)+"\n", 10_000) + "\n")
	m := mbox.NewReader(&repeat{message: message, left: 300}, nil)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var peak uint64
	n := 0
	for ; ; n++ {
		if _, err := m.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if n%50 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
	}
	if n != 300 {
		t.Errorf("%d messages, want 300", n)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("heap grew by %d bytes", grown)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte(line + "A: 1\n\none\n\n" + line + "B: 2\n\n>From x\n"))
	f.Add([]byte("\r\n" + line + "\n\n\n" + line))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := mbox.NewReader(bytes.NewReader(b), &mbox.Options{MaxMessage: 1000})
		total := 0
		for n := 0; ; n++ {
			raw, err := m.Next()
			if err != nil && !errors.Is(err, mbox.ErrTooLarge) {
				return
			}
			if len(raw) > 1000 {
				t.Fatalf("message of %d bytes", len(raw))
			}
			// Messages come from disjoint pieces of the input.
			if total += len(raw); total > len(b) || n > len(b) {
				t.Fatal("more came out than went in")
			}
		}
	})
}

func Example() {
	in := "From a@kiso-works.example Fri Jul  8 12:08:34 2011\nSubject: one\n\n" +
		"From b@kiso-works.example Fri Jul  8 12:09:00 2011\nSubject: two\n\n"
	r := mbox.NewReader(strings.NewReader(in), nil)
	for {
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		fmt.Printf("%q\n", raw)
	}
	// Output:
	// "Subject: one\n"
	// "Subject: two\n"
}
