package desk_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
)

// mboxReader is an mbox without an end to its size: mails of up to 1 MB until
// total bytes are out.
type mboxReader struct {
	total, out int64
	mails      int
	blob       []byte
	rest       []byte
}

func newMboxReader(total int64) *mboxReader {
	random := make([]byte, 700_000)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(random) // never fails
	return &mboxReader{total: total, blob: []byte(wrapped(base64.StdEncoding.EncodeToString(random)))}
}

func wrapped(s string) string {
	var b bytes.Buffer
	for len(s) > 76 {
		b.WriteString(s[:76] + "\n")
		s = s[76:]
	}
	b.WriteString(s + "\n")
	return b.String()
}

func (m *mboxReader) Read(p []byte) (int, error) {
	if len(m.rest) == 0 {
		if m.out >= m.total {
			return 0, io.EOF
		}
		m.mails++
		size := []int{2_000, 20_000, 200_000, len(m.blob)}[m.mails%4]
		m.rest = fmt.Appendf(nil, "From a@partner.example Tue Nov 10 09:00:00 2026\nFrom: A <a@partner.example>\nTo: b@kiso-works.example\n"+
			"Subject: mail %d\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html\n\n"+
			"<p>hello <a href=\"https://partner.example/%d\">link</a></p>\n--x\nContent-Type: application/pdf; name=a.pdf\n"+
			"Content-Transfer-Encoding: base64\n\n%s\n--x--\n\n", m.mails, m.mails, m.blob[:size])
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	m.out += int64(n)
	return n, nil
}

// TestCorpusTwoGigabytes judges a mailbox of 2 GB in less than 150 MB.
func TestCorpusTwoGigabytes(t *testing.T) {
	if testing.Short() {
		t.Skip("2 GB of mail: not in short runs")
	}
	debug.FreeOSMemory()
	var peak atomic.Uint64
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				var s runtime.MemStats
				runtime.ReadMemStats(&s)
				peak.Store(max(peak.Load(), s.Sys-s.HeapReleased))
			}
		}
	}()
	in := newMboxReader(2 << 30)
	start, n := time.Now(), 0
	for v := range desk.Judge(t.Context(), mailbox.Walk(t.Context(), []string{"-"}, in, nil), desk.JudgeDeps{Now: now}) {
		if v.Error != nil {
			t.Fatal(v.Error.Text.EN)
		}
		n++
	}
	close(done)
	if n != in.mails {
		t.Errorf("%d verdicts on %d mails", n, in.mails)
	}
	t.Logf("%d mails, %d MB, %v, peak memory %d MB", n, in.out>>20, time.Since(start).Round(time.Second), peak.Load()>>20)
	if peak.Load() > 150<<20 {
		t.Errorf("peak memory %d MB, want at most 150", peak.Load()>>20)
	}
}
