package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

// soaking is sekisho serve while it is killed again and again.
type soaking struct {
	c       *check
	dir     string
	program string
	smtp    string
	http    string
	args    []string // beside those that every run has

	mu      sync.Mutex
	serve   *exec.Cmd
	answers map[int]string // ID by number of the mail: those that were answered with 250
	lost    int            // times that no answer came
	again   int            // mails that were sent though they had been answered
}

// newSoaking builds the program into a folder of its own and finds ports for it.
func newSoaking(ctx context.Context, c *check) (*soaking, error) {
	dir, err := os.MkdirTemp("", "sekisho-soak-")
	if err != nil {
		return nil, err
	}
	s := &soaking{c: c, dir: dir, program: filepath.Join(dir, "sekisho"), answers: map[int]string{}}
	err = c.command(ctx, "go", "build", "-o", s.program, "./cmd/sekisho").Run()
	if err == nil {
		s.smtp, err = freePort()
	}
	if err == nil {
		s.http, err = freePort()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// soak kills sekisho serve while it takes mail in, and counts at the end: every
// mail that was answered with 250 is stored and judged once.
func soak(ctx context.Context, c *check) error {
	if runtime.GOOS == "windows" {
		fmt.Fprintln(c.out, "   not on Windows")
		return nil
	}
	s, err := newSoaking(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(s.dir) }()
	settings := fmt.Sprintf("organisation:\n  domains: [kiso-works.example]\nintake:\n  smtp:\n    listen: %s\n    recipients: [report@kiso-works.example]\ndata: data\n", s.smtp)
	if err := os.WriteFile(filepath.Join(s.dir, "sekisho.yaml"), []byte(settings), 0o600); err != nil {
		return err
	}
	err = s.run(ctx)
	if err != nil {
		if b, readErr := os.ReadFile(filepath.Join(s.dir, "log")); readErr == nil {
			fmt.Fprintf(c.out, "   the last words of sekisho serve:\n%s", b[max(0, len(b)-4000):])
		}
	}
	return err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (s *soaking) run(ctx context.Context) error {
	mails, kills := s.c.opts.mails, s.c.opts.kills
	random := rand.New(rand.NewPCG(1, uint64(mails)))
	if err := s.start(ctx); err != nil {
		return err
	}
	defer func() { _ = s.serve.Process.Kill() }()
	// The mails are shared out between two senders; whoever kills waits for their
	// share to come in, and then a little.
	var sent sync.WaitGroup
	senders, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, 2)
	for i := range errs {
		seed := random.Uint64()
		sent.Go(func() { errs[i] = s.send(senders, i, len(errs), mails, rand.New(rand.NewPCG(2, seed))) })
	}
	start := time.Now()
	for k := range kills {
		for until := (k + 1) * mails / (kills + 1); s.answered() < until; time.Sleep(5 * time.Millisecond) {
			if ctx.Err() != nil || time.Since(start) > 30*time.Minute {
				return errors.New("mails do not come in")
			}
		}
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		s.mu.Lock()
		err := errors.Join(s.serve.Process.Kill(), ignoreExit(s.serve.Wait()))
		s.mu.Unlock()
		if err != nil {
			return err
		}
		if err := s.start(ctx); err != nil {
			return err
		}
	}
	sent.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	dead, err := s.settled(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(s.serve.Process.Signal(os.Interrupt), ignoreExit(s.serve.Wait())); err != nil {
		return err
	}
	fmt.Fprintf(s.c.out, "   %d mails in %v, %d kills, %d answers lost, %d mails sent again after 250, %d set aside and tried again\n",
		mails, time.Since(start).Round(time.Second), kills, s.lost, s.again, dead)
	return s.count(ctx, mails)
}

func ignoreExit(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}

func (s *soaking) answered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.answers)
}

func (s *soaking) start(ctx context.Context) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the program has its own
	cmd := exec.CommandContext(ctx, s.program, append([]string{"serve", "--listen", s.http}, s.args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	s.serve = cmd
	for range 600 {
		if c, err := net.Dial("tcp", s.smtp); err == nil {
			return c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("sekisho serve does not answer")
}

// send sends every mail of its share until it is answered, and some once more.
func (s *soaking) send(ctx context.Context, first, step, mails int, random *rand.Rand) error {
	var c *textproto.Conn
	defer func() {
		if c != nil {
			_ = c.Close()
		}
	}()
	for i := first; i < mails; i += step {
		repeat := random.IntN(20) == 0
		for {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			var err error
			if c == nil {
				if c, err = hello(s.smtp); err != nil {
					time.Sleep(20 * time.Millisecond)
					continue
				}
			}
			id, err := deliver(c, soakMail(i))
			if err != nil {
				s.mu.Lock()
				s.lost++
				s.mu.Unlock()
				_ = c.Close()
				c = nil
				continue
			}
			s.mu.Lock()
			old, known := s.answers[i]
			s.answers[i] = id
			if known {
				s.again++
			}
			s.mu.Unlock()
			if known && old != id {
				return fmt.Errorf("mail %d is %s and %s", i, old, id)
			}
			if known || !repeat {
				break
			}
		}
	}
	return nil
}

func hello(address string) (*textproto.Conn, error) {
	raw, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return nil, err
	}
	_ = raw.SetDeadline(time.Now().Add(10 * time.Minute))
	c := textproto.NewConn(raw)
	if _, _, err = c.ReadResponse(220); err == nil {
		err = say(c, 250, "EHLO soak.test")
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func say(c *textproto.Conn, want int, line string) error {
	if err := c.PrintfLine("%s", line); err != nil {
		return err
	}
	_, _, err := c.ReadResponse(want)
	return err
}

// deliver returns the ID of the mail that was accepted.
func deliver(c *textproto.Conn, text string) (string, error) {
	for _, l := range []string{"MAIL FROM:<a@sender.test>", "RCPT TO:<report@kiso-works.example>"} {
		if err := say(c, 250, l); err != nil {
			return "", err
		}
	}
	if err := say(c, 354, "DATA"); err != nil {
		return "", err
	}
	w := c.DotWriter()
	if _, err := io.WriteString(w, text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	_, message, err := c.ReadResponse(250)
	if err != nil {
		return "", err
	}
	_, id, _ := strings.Cut(message, "kept as ")
	return id, nil
}

// soakMail is a mail of its own for each number.
func soakMail(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "From: Accounts %d <a%d@sender%d.test>\nTo: report@kiso-works.example\nSubject: invoice %d\nMessage-ID: <%d@sender.test>\nDate: Wed, 25 Nov 2026 10:%02d:%02d +0900\n\n", i, i, i%97, i, i, i/60%60, i%60)
	for line := range i % 40 {
		fmt.Fprintf(&b, "line %d of mail %d: https://sender%d.test/pay?x=%d\n", line, i, i%97, line*i)
	}
	return b.String()
}

// settled waits until nothing waits. A mail that happened to be in work at three
// kills was set aside, as it has to be; it is tried again.
func (s *soaking) settled(ctx context.Context) (dead int, err error) {
	for range 600 {
		state, err := s.state(ctx)
		if err != nil {
			return dead, err
		}
		switch {
		case state.Waiting+state.InWork > 0:
		case state.Dead > 0:
			dead += state.Dead
			retry := exec.CommandContext(ctx, s.program, "intake", "retry", "--all")
			retry.Dir = s.dir
			if err := retry.Run(); err != nil {
				return dead, err
			}
		default:
			return dead, nil
		}
		time.Sleep(500 * time.Millisecond)
	}
	return dead, errors.New("the queue is never empty")
}

// soakState is what "sekisho intake status" says.
type soakState struct {
	Waiting int        `json:"waiting"`
	InWork  int        `json:"in_work"`
	Dead    int        `json:"dead"`
	Oldest  *time.Time `json:"oldest"`
}

func (s *soaking) state(ctx context.Context) (*soakState, error) {
	cmd := exec.CommandContext(ctx, s.program, "intake", "status", "--output", "json")
	cmd.Dir = s.dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("sekisho intake status: %w", err)
	}
	state := &soakState{}
	return state, json.Unmarshal(out, state)
}

// count looks into the database.
func (s *soaking) count(ctx context.Context, mails int) (err error) {
	db, err := sqlite.Open(ctx, filepath.Join(s.dir, "data", sqlite.FileName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	stored := map[string]int{}
	q := &desk.MailQuery{Limit: desk.MaxMailPage}
	for {
		page, err := db.Mails(ctx, q)
		if err != nil {
			return err
		}
		for _, m := range page {
			stored[string(m.ID)]++
			if m.Verdict == "" {
				return fmt.Errorf("mail %s has no verdict", m.ID)
			}
			q.After = &desk.MailCursor{At: m.At, ID: m.ID}
		}
		if len(page) < q.Limit {
			break
		}
	}
	missing := 0
	for id := range maps.Values(s.answers) {
		if stored[id] != 1 {
			missing++
		}
	}
	fmt.Fprintf(s.c.out, "   %d answered with 250, %d stored and judged, %d of the answered not there once\n", len(s.answers), len(stored), missing)
	if missing > 0 || len(stored) != mails || len(s.answers) != mails {
		return errors.New("mails were lost or doubled")
	}
	return nil
}
