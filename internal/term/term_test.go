package term_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for _, p := range pairs {
		k, v, _ := strings.Cut(p, "=")
		m[k] = v
	}
	return func(k string) string { return m[k] }
}

func file(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFileIsNoTerminal(t *testing.T) {
	f := file(t)
	if term.IsTerminal(f) || term.IsTerminal(nil) {
		t.Error("a file is a terminal")
	}
	restore, escapes := term.Prepare(f)
	restore()
	if escapes {
		t.Error("a file understands escape sequences")
	}
}

func TestColumns(t *testing.T) {
	f := file(t)
	for _, tc := range []struct {
		name string
		env  func(string) string
		want int
	}{
		{"Default", env(), 100},
		{"Environment", env("COLUMNS=72"), 72},
		{"TooNarrow", env("COLUMNS=3"), 20},
		{"TooWide", env("COLUMNS=999999"), 1000},
		{"Zero", env("COLUMNS=0"), 100},
		{"Word", env("COLUMNS=wide"), 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := term.Columns(f, tc.env); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
	if got := term.Columns(nil, env()); got != 100 {
		t.Errorf("without a file: %d", got)
	}
}

func TestHasColor(t *testing.T) {
	f := file(t)
	for _, tc := range []struct {
		name string
		env  func(string) string
		want bool
	}{
		{"File", env("TERM=xterm"), false},
		{"Forced", env("FORCE_COLOR=1"), true},
		{"ForcedAgainstNoColor", env("FORCE_COLOR=true", "NO_COLOR=1", "TERM=dumb"), true},
		{"ForcedOff", env("FORCE_COLOR=0"), false},
		{"NoColor", env("NO_COLOR=1"), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := term.HasColor(f, tc.env); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestLanguage(t *testing.T) {
	for _, tc := range []struct {
		name string
		env  func(string) string
		want lang.Language
	}{
		{"Lang", env("LANG=ja_JP.UTF-8"), lang.JA},
		{"English", env("LANG=en_GB.UTF-8"), lang.EN},
		{"Other", env("LANG=de_DE"), lang.EN},
		{"C", env("LC_ALL=C", "LANG=ja_JP.UTF-8"), lang.EN},
		{"AllWins", env("LC_ALL=ja_JP", "LC_MESSAGES=en_US", "LANG=en_US"), lang.JA},
		{"MessagesWin", env("LC_MESSAGES=ja", "LANG=en_US"), lang.JA},
		{"EmptyIsUnset", env("LC_ALL=", "LANG=ja_JP"), lang.JA},
		{"Hyphen", env("LANG=ja-JP"), lang.JA},
		{"Modifier", env("LANG=ja@x"), lang.JA},
		{"Javanese", env("LANG=jav_ID"), lang.EN},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := term.Language(tc.env); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestPaint(t *testing.T) {
	color := term.Style{Color: true}
	got := []string{
		color.Paint(term.Malicious, "x"), color.Paint(term.Suspicious, "x"), color.Paint(term.Harmless, "x"), color.Paint(term.Dim, "x"), color.Paint(term.Bold, "x"),
		color.Paint("undecided", "x"), color.Paint(term.Bold, ""), term.Style{}.Paint(term.Malicious, "x"),
	}
	want := []string{"\x1b[1;31mx\x1b[0m", "\x1b[33mx\x1b[0m", "\x1b[32mx\x1b[0m", "\x1b[2mx\x1b[0m", "\x1b[1mx\x1b[0m", "x", "", "x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// screen plays what was written, as a terminal of one line would show it.
func screen(out string) string {
	var line []rune
	at := 0
	for _, r := range out {
		if r == '\r' {
			at = 0
			continue
		}
		if at < len(line) {
			line[at] = r
		} else {
			line = append(line, r)
		}
		at++
	}
	return strings.TrimRight(string(line), " ")
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	now := time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)
	p := term.NewProgress(&b, &term.ProgressOptions{Label: "mail\x1b", Columns: 60, Now: func() time.Time { return now }})
	p.SetTotal(5000)
	p.Add(1)
	if b.Len() != 0 {
		t.Errorf("drawn at once: %q", b.String())
	}
	now = now.Add(time.Second)
	p.Add(1233)
	if diff := cmp.Diff("mail\ufffd [####................] 1,234/5,000  24%  1234/s  0:03", screen(b.String())); diff != "" {
		t.Error(diff)
	}
	drawn := b.Len()
	now = now.Add(50 * time.Millisecond)
	p.Add(1)
	if b.Len() != drawn {
		t.Error("drawn again within 100 ms")
	}
	p.Interrupt(func() {
		if got := screen(b.String()); got != "" {
			t.Errorf("left on the screen: %q", got)
		}
	})
	now = now.Add(time.Hour)
	p.Add(5000)
	if diff := cmp.Diff("mail\ufffd [#####################] 5,000/5,000 100%  1.7/s  0:00", screen(b.String())); diff != "" {
		t.Error(diff)
	}
	p.Close()
	if got := screen(b.String()); got != "" {
		t.Errorf("left on the screen: %q", got)
	}
	closed := b.Len()
	now = now.Add(time.Minute)
	p.Add(1)
	p.Close()
	if b.Len() != closed {
		t.Error("drawn after the end")
	}
}

func TestProgressLayouts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		columns int
		total   int
		done    int
		after   time.Duration
		want    string
	}{
		{"NoTotal", 80, 0, 1234567, 75 * time.Second, "メール 1,234,567  16460/s  1:15"},
		{"NothingDone", 60, 10, 0, time.Second, "メール [...........................] 0/10   0%  0.0/s  -:--"},
		{"Narrow", 30, 1000, 10, time.Second, "メール 10/1,000   1%  10/s  …"},
		{"Long", 70, 1000000, 10, time.Hour, "メール [.........................] 10/1,000,000   0%  0.0/s  99:59:59"},
		{"Hours", 70, 20, 10, 2 * time.Hour, "メール [###############...............] 10/20  50%  0.0/s  2:00:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			now := time.Date(2026, 5, 29, 12, 0, 0, 0, time.UTC)
			p := term.NewProgress(&b, &term.ProgressOptions{Label: "メール", Total: tc.total, Columns: tc.columns, Now: func() time.Time { return now }})
			now = now.Add(tc.after)
			p.Add(tc.done)
			got := screen(b.String())
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if w := term.Width(got); w >= tc.columns {
				t.Errorf("%d of %d columns", w, tc.columns)
			}
		})
	}
}

func TestNoProgress(t *testing.T) {
	var p *term.Progress
	p.SetTotal(3)
	p.Add(1)
	called := false
	p.Interrupt(func() { called = true })
	p.Close()
	if !called {
		t.Error("Interrupt did not call")
	}
}
