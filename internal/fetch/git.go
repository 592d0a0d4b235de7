package fetch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// ErrNoGit means that there is no program called git.
var ErrNoGit = errors.New("fetch: git is not installed")

const (
	gitTimeout  = 5 * time.Minute
	gitPoll     = 200 * time.Millisecond
	gitPatience = 3 * time.Second // until a program that was told to end is left behind
	maxGitSays  = 8 << 10         // bytes of what git writes about a failure
	maxGitLine  = 200             // code points of it that a person sees
)

// Git reads repositories with the program git. It fetches one commit into a bare
// repository in a folder of its own, which is removed afterwards, and has git
// write that commit as an archive: files of the repository never stand on the
// disk, no hook, filter or submodule is run, and the configuration and the
// passwords of the user are not used. Only https is spoken, through the checks of
// a [Client]; redirections are refused.
type Git struct {
	client  *Client
	program string
}

var _ desk.GitFetcher = (*Git)(nil)

// NewGit returns a Git that connects as c does. The program is "git" in the path
// if it is empty.
func NewGit(c *Client, program string) *Git {
	return &Git{client: c, program: cmp.Or(program, "git")}
}

// Export implements [desk.GitFetcher].
func (g *Git) Export(ctx context.Context, address string, maxBytes int64) (tar []byte, commit string, err error) {
	u, err := g.client.parse(address)
	if err == nil && u.Scheme != "https" {
		err = ErrScheme
	}
	if err != nil {
		return nil, "", failure(address, err)
	}
	program, err := exec.LookPath(g.program)
	if err != nil {
		return nil, "", &desk.Error{Kind: desk.Unavailable, Message: lang.M("fetch.error.no-git", "url", clip(address)), Hint: lang.M("fetch.hint.no-git"), Err: fmt.Errorf("%w: %w", ErrNoGit, err)}
	}
	dir, err := os.MkdirTemp("", "sekisho-git-")
	if err != nil {
		return nil, "", failure(address, err)
	}
	defer os.RemoveAll(dir)
	limited, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	w := &gitWork{program: program, dir: dir, max: maxBytes, env: g.environ(dir)}
	tar, commit, err = w.export(limited, g.client, u)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, "", ctx.Err()
	case err != nil:
		return nil, "", failure(address, err)
	}
	return tar, commit, nil
}

// environ is what git sees of the environment: what it takes to run, and who may
// vouch for servers. GIT_ALLOW_PROTOCOL holds for redirections and for whatever a
// repository names.
func (g *Git) environ(home string) []string {
	env := []string{
		"HOME=" + home, "USERPROFILE=" + home, "XDG_CONFIG_HOME=" + home, "LC_ALL=C", "LANGUAGE=",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=",
		"GIT_ALLOW_PROTOCOL=https", "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(home),
	}
	pass := []string{"PATH", "SystemRoot", "windir", "TEMP", "TMP", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_EXEC_PATH"}
	for _, name := range pass {
		if v := getenv(g.client.o.Environ, name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	if g.client.o.CAFile != "" {
		env = append(env, "GIT_SSL_CAINFO="+g.client.o.CAFile)
	}
	return env
}

// gitWork is one export.
type gitWork struct {
	program string
	dir     string
	env     []string
	max     int64
}

func (w *gitWork) export(ctx context.Context, c *Client, u *url.URL) ([]byte, string, error) {
	proxy, err := c.proxy(u)
	if err != nil {
		return nil, "", fmt.Errorf("reading the proxy of the environment: %w", err)
	}
	way, refused := "", func() error { return nil }
	if proxy != nil {
		way = proxy.String()
	} else {
		t, err := c.openTunnel(ctx, hostPort(u), w.max)
		if err != nil {
			return nil, "", fmt.Errorf("opening a way out for git: %w", err)
		}
		defer func() { _ = t.close() }()
		way, refused = t.url(), t.close
	}
	if err := w.clone(ctx, u, way); err != nil {
		// What git says of a connection that was refused is not the reason.
		return nil, "", cmp.Or(refused(), err)
	}
	return w.read(ctx)
}

func (w *gitWork) repo() string { return filepath.Join(w.dir, "repo.git") }

// clone fetches the newest commit of the main branch. While git works, the size
// of its folder is watched.
func (w *gitWork) clone(ctx context.Context, u *url.URL, proxy string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(gitPoll)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if size(w.dir) > w.max {
					cancel(ErrTooLarge)
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	_, err := w.run(ctx, 0,
		"-c", "http.proxy="+proxy, "-c", "http.followRedirects=false", "-c", "http.userAgent=git/2 (sekisho)",
		"-c", "core.hooksPath="+os.DevNull, "-c", "core.askPass=", "-c", "credential.helper=", "-c", "core.fsmonitor=false",
		"-c", "fetch.fsckObjects=false", "-c", "fetch.unpackLimit=1", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
		"clone", "--quiet", "--bare", "--template=", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", "--", u.String(), w.repo())
	cause := context.Cause(ctx)
	cancel(nil)
	<-done
	if err != nil && cause != nil {
		return cause
	}
	return err
}

// read has git write the commit as an archive.
func (w *gitWork) read(ctx context.Context) ([]byte, string, error) {
	commit, err := w.run(ctx, 1<<10, "--git-dir="+w.repo(), "rev-parse", "--verify", "HEAD^{commit}")
	if err != nil {
		return nil, "", err
	}
	tar, err := w.run(ctx, w.max, "--git-dir="+w.repo(), "-c", "core.attributesFile="+os.DevNull, "archive", "--format=tar", "HEAD")
	if err != nil {
		return nil, "", err
	}
	return tar, strings.TrimSpace(string(commit)), nil
}

// run runs git and returns the first most bytes of what it writes; more are an
// error.
func (w *gitWork) run(ctx context.Context, most int64, args ...string) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &bounded{max: most, full: cancel}
	says := &bounded{max: maxGitSays}
	cmd := exec.CommandContext(ctx, w.program, args...) //nolint:gosec // the program is the user's, the arguments are ours
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = w.dir, w.env, nil, out, says, gitPatience
	err := cmd.Run()
	switch {
	case out.over && most > 0:
		return nil, ErrTooLarge
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("git: %s: %w", lastLine(says.b.String()), err)
	}
	return out.b.Bytes(), nil
}

// lastLine is what git said in the end.
func lastLine(s string) string {
	last := ""
	for l := range strings.Lines(s) {
		if l = strings.TrimSpace(l); l != "" {
			last = l
		}
	}
	r := []rune(strings.ToValidUTF8(last, "\uFFFD"))
	return string(r[:min(len(r), maxGitLine)])
}

// bounded keeps the first max bytes.
type bounded struct {
	b    bytes.Buffer
	max  int64
	over bool
	full func() // called when there are more; may be nil
}

func (w *bounded) Write(p []byte) (int, error) {
	room := w.max - int64(w.b.Len())
	if int64(len(p)) > room {
		w.b.Write(p[:max(0, room)])
		w.over = true
		if w.full != nil && w.max > 0 {
			w.full()
			return 0, io.ErrShortWrite
		}
		return len(p), nil
	}
	return w.b.Write(p)
}

// size returns the bytes of the files below a folder. Files come and go while it
// looks.
func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
