//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestInterrupt sends what Ctrl-C sends to a program that waits for more of a
// mailbox. What came before is judged and the program ends by itself.
func TestInterrupt(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sekisho", "judge", "--output", "ndjson", "-")
	cmd.Env = append(os.Environ(), surroundings(t.TempDir())...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	one := "From a@partner.example Mon Nov  9 10:00:00 2026\nFrom: a@partner.example\nTo: b@kiso-works.example\nSubject: Hello\nDate: Mon, 9 Nov 2026 10:00:00 +0900\nMessage-ID: <1@partner.example>\n\n" + strings.Repeat("Hello\n", 20_000) + "\n"
	if _, err := io.WriteString(in, strings.Repeat(one, 4)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("no verdict before the end: %v", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != 3 {
		t.Errorf("ended with %v, want exit status 3", err)
	}
	for line := range strings.Lines(first + string(rest)) {
		if !strings.HasPrefix(line, `{"schema":"sekisho.verdict/v1"`) || !strings.HasSuffix(line, "}\n") {
			t.Errorf("not a whole record: %.100q", line)
		}
	}
	if want := "sekisho: Stopped by you; the rest was not read.\n"; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
}
