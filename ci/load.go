package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-milter"
)

// The load that is put on the program.
const (
	loadSMTP   = 100 // mails in a second
	loadMilter = 20
	loadConns  = 8
	loadSeed   = 7
)

// load delivers real mail by SMTP at a rate, with all rules, and then asks as
// Postfix does, and prints what it takes.
func load(ctx context.Context, c *check) error {
	if c.corpus == "" || runtime.GOOS != "linux" {
		fmt.Fprintln(c.out, "   needs Linux and a collection of real mail and rules: set SEKISHO_SHARED")
		return nil
	}
	mails, err := loadMails(filepath.Join(c.corpus, "data", "mail"))
	if err != nil {
		return err
	}
	s, err := newSoaking(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	ask, err := freePort()
	if err != nil {
		return err
	}
	settings := fmt.Sprintf(`organisation:
  domains: [kiso-works.example]
rules: [{path: %q}]
lists: [%q]
intake:
  smtp: {listen: %q, recipients: [report@kiso-works.example]}
  milter: {listen: %q, name: mx.kiso-works.example, keep: none}
data: data
`, filepath.Join(c.corpus, "data", "mql", "rules"), filepath.Join(c.corpus, "data", "mql", "lists"), s.smtp, ask)
	if err := os.WriteFile(filepath.Join(s.dir, "sekisho.yaml"), []byte(settings), 0o600); err != nil {
		return err
	}
	// DNS stays out of it: what the network takes is no matter of ours.
	s.args = []string{"--offline"}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer func() {
		_ = s.serve.Process.Kill()
		_ = s.serve.Wait()
	}()
	if err := s.loadBySMTP(ctx, mails); err != nil {
		return err
	}
	return s.loadByMilter(ctx, ask, mails)
}

// loadMails returns the mails in an order that is always the same.
func loadMails(dir string) ([][]byte, error) {
	var mails [][]byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".eml" {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && len(b) > 0 && len(b) < 8<<20 {
			mails = append(mails, b)
		}
		return err
	})
	r := rand.New(rand.NewPCG(loadSeed, loadSeed))
	r.Shuffle(len(mails), func(i, j int) { mails[i], mails[j] = mails[j], mails[i] })
	if err == nil && len(mails) == 0 {
		err = errors.New("no mails")
	}
	return mails, err
}

// paced calls work n times a second, on so many connections at the same time, and
// returns how long each call took from the moment at which it was due.
func paced(ctx context.Context, d time.Duration, n int, connections int, work func(conn, i int) error) ([]time.Duration, error) {
	total := int(d.Seconds() * float64(n))
	due := make(chan int)
	times := make([]time.Duration, total)
	errs := make([]error, connections)
	start := time.Now()
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second / time.Duration(n)) }
	var wg sync.WaitGroup
	for c := range connections {
		wg.Go(func() {
			for i := range due {
				if errs[c] != nil {
					continue
				}
				errs[c] = work(c, i)
				times[i] = time.Since(at(i))
			}
		})
	}
	for i := range total {
		if time.Sleep(time.Until(at(i))); ctx.Err() != nil {
			break
		}
		due <- i
	}
	close(due)
	wg.Wait()
	slices.Sort(times)
	return times, errors.Join(append(errs, ctx.Err())...)
}

func percentile(times []time.Duration, p float64) time.Duration {
	return times[min(len(times)-1, int(float64(len(times))*p))].Round(time.Millisecond)
}

func (s *soaking) loadBySMTP(ctx context.Context, mails [][]byte) error {
	peak, stop := s.watchMemory()
	times, err := paced(ctx, s.c.opts.time, loadSMTP, loadConns, func(conn, i int) error {
		c, err := hello(s.smtp)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		// Every delivery is a mail of its own, though the collection is smaller.
		_, err = deliver(c, fmt.Sprintf("Received: from load.test; number %d\r\n", i)+string(mails[i%len(mails)]))
		return err
	})
	if err != nil {
		stop()
		return err
	}
	state, err := s.state(ctx)
	if err != nil {
		stop()
		return err
	}
	oldest := time.Duration(0)
	if state.Oldest != nil {
		oldest = time.Since(*state.Oldest).Round(100 * time.Millisecond)
	}
	at := time.Now()
	for state.Waiting+state.InWork > 0 && time.Since(at) < 10*time.Minute {
		time.Sleep(500 * time.Millisecond)
		var next *soakState
		if next, err = s.state(ctx); err != nil {
			break
		}
		state.Waiting, state.InWork, state.Dead = next.Waiting, next.InWork, next.Dead
	}
	empty := time.Since(at).Round(100 * time.Millisecond)
	stop()
	average, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(s.c.out, "   SMTP, %d mails in %v on %d processors (load %s): accepted in %v (p50), %v (p99), %v (most); oldest unjudged mail %v at the end, queue empty %v later; %d set aside; at most %d MiB\n",
		len(times), s.c.opts.time, runtime.NumCPU(), strings.Fields(string(average) + " ?")[0], percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1),
		oldest, empty, state.Dead, *peak>>20)
	return err
}

// watchMemory notes the most memory that the program has.
func (s *soaking) watchMemory() (peak *int64, stop func()) {
	peak = new(int64)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.serve.Process.Pid)); err == nil {
				if _, after, ok := bytes.Cut(b, []byte("VmRSS:")); ok {
					var kib int64
					if _, err := fmt.Sscan(string(after), &kib); err == nil {
						*peak = max(*peak, kib<<10)
					}
				}
			}
			select {
			case <-done:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	return peak, func() { close(done); <-ended }
}

func (s *soaking) loadByMilter(ctx context.Context, address string, mails [][]byte) error {
	client := milter.NewClientWithOptions("tcp", address, milter.ClientOptions{
		ActionMask: milter.OptAddHeader | milter.OptChangeHeader | milter.OptQuarantine, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
	})
	verdicts := make([]int, loadConns)
	times, err := paced(ctx, s.c.opts.time, loadMilter, loadConns, func(conn, i int) error {
		m, err := client.Session()
		if err != nil {
			return err
		}
		defer func() { _ = m.Close() }()
		ok, err := askMilter(m, mails[i%len(mails)])
		if ok {
			verdicts[conn]++
		}
		return err
	})
	if err != nil {
		return err
	}
	n := 0
	for _, v := range verdicts {
		n += v
	}
	fmt.Fprintf(s.c.out, "   milter, %d mails at %d a second: answered in %v (p50), %v (p99), %v (most); %d without a verdict\n",
		len(times), loadMilter, percentile(times, 0.5), percentile(times, 0.99), percentile(times, 1), len(times)-n)
	return nil
}

// askMilter reports whether there was a verdict.
func askMilter(m *milter.ClientSession, mail []byte) (bool, error) {
	head, body, _ := bytes.Cut(bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
	if _, err := m.Conn("load.test", milter.FamilyInet, 25, "192.0.2.7"); err != nil {
		return false, err
	}
	if _, err := m.Helo("load.test"); err != nil {
		return false, err
	}
	if _, err := m.Mail("a@sender.test", nil); err != nil {
		return false, err
	}
	if _, err := m.Rcpt("report@kiso-works.example", nil); err != nil {
		return false, err
	}
	for _, f := range unfold(head) {
		name, value, ok := strings.Cut(f, ":")
		if !ok || strings.Contains(f, "\x00") || len(f) > 60_000 {
			continue
		}
		if _, err := m.HeaderField(name, value); err != nil {
			return false, err
		}
	}
	if _, err := m.HeaderEnd(); err != nil {
		return false, err
	}
	mods, _, err := m.BodyReadFrom(bytes.NewReader(bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n"))))
	return slices.ContainsFunc(mods, func(a milter.ModifyAction) bool { return a.HeaderName == "X-Sekisho-Verdict" }), err
}

// unfold splits a header into its fields.
func unfold(head []byte) []string {
	var out []string
	for line := range strings.SplitSeq(string(head), "\n") {
		if len(out) > 0 && (strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")) {
			out[len(out)-1] += "\n" + line
		} else {
			out = append(out, line)
		}
	}
	return out
}
