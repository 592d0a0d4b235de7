package fetch_test

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/fetch"
)

// repository makes a bare repository below a folder that it returns, with files
// of a name and a text, and the server of git over it.
func repository(t *testing.T, files map[string]string) (server *httptest.Server, commit string) {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("there is no git here")
	}
	out, err := exec.Command(git, "--exec-path").Output()
	if err != nil {
		t.Skipf("git --exec-path: %v", err)
	}
	backend := filepath.Join(strings.TrimSpace(string(out)), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		t.Skip("this git has no http-backend")
	}
	root := t.TempDir()
	work := filepath.Join(root, "work")
	run := func(args ...string) string {
		cmd := exec.Command(git, args...)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+root,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@rules.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@rules.example")
		b, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, b)
		}
		return strings.TrimSpace(string(b))
	}
	for name, text := range files {
		path := filepath.Join(work, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run("init", "--quiet", "--initial-branch=main")
	run("add", ".")
	run("commit", "--quiet", "-m", "first")
	run("commit", "--quiet", "--allow-empty", "-m", "second")
	run("clone", "--quiet", "--bare", work, filepath.Join(root, "rules.git"))
	h := &cgi.Handler{Path: backend, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_NOSYSTEM=1"}, Stderr: io.Discard, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if rest, ok := strings.CutPrefix(r.URL.Path, "/moved.git/"); ok {
			http.Redirect(w, r, "/rules.git/"+rest+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
			return
		}
		h.ServeHTTP(w, r)
	})
	return s, run("rev-parse", "HEAD")
}

// caFile is the certificate of the server as git reads it.
func caFile(t *testing.T, s *httptest.Server) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	b := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestExport(t *testing.T) {
	s, commit := repository(t, map[string]string{
		"rules/a.yml": "name: A\n", "LICENSE": "free\n", ".gitattributes": "*.yml filter=evil text eol=crlf\n",
		".gitmodules": "[submodule \"x\"]\n\tpath = x\n\turl = https://elsewhere.test/x.git\n",
	})
	git := fetch.NewGit(fetch.New(&fetch.Options{AnyPort: true, AllowLoopback: true, CAFile: caFile(t, s)}), "")
	b, got, err := git.Export(t.Context(), s.URL+"/rules.git", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if got != commit {
		t.Errorf("commit %s, want %s", got, commit)
	}
	files := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			files[h.Name] = string(text)
		}
	}
	delete(files, ".gitattributes")
	delete(files, ".gitmodules")
	if diff := cmp.Diff(map[string]string{"rules/a.yml": "name: A\r\n", "LICENSE": "free\n"}, files); diff != "" {
		t.Error(diff)
	}
}

func TestExportRefuses(t *testing.T) {
	s, _ := repository(t, map[string]string{"a.yml": "name: A\n", "big.bin": noise(1 << 20)})
	allowed := fetch.Options{AnyPort: true, AllowLoopback: true, CAFile: caFile(t, s)}
	inside := allowed
	inside.AllowLoopback = false
	untrusted := allowed
	untrusted.CAFile = ""
	missing := filepath.Join(t.TempDir(), "no-such-git")
	for _, tc := range []struct {
		name, url, program string
		o                  *fetch.Options
		max                int64
		want               error
		kind               desk.ErrorKind
	}{
		{"HTTP", "http://rules.example/rules.git", "", &allowed, 1 << 20, fetch.ErrScheme, desk.Invalid},
		{"SSH", "ssh://rules.example/rules.git", "", &allowed, 1 << 20, fetch.ErrScheme, desk.Invalid},
		{"Option", "--upload-pack=touch x", "", &allowed, 1 << 20, fetch.ErrScheme, desk.Invalid},
		{"Password", "https://me:pw@rules.example/rules.git", "", &allowed, 1 << 20, fetch.ErrURL, desk.Invalid},
		{"Private", s.URL + "/rules.git", "", &inside, 4 << 20, fetch.ErrAddress, desk.Denied},
		{"Redirect", s.URL + "/moved.git", "", &allowed, 4 << 20, nil, desk.Unavailable},
		{"Untrusted", s.URL + "/rules.git", "", &untrusted, 4 << 20, nil, desk.Unavailable},
		{"NoRepository", s.URL + "/nothing.git", "", &allowed, 4 << 20, nil, desk.Unavailable},
		{"TooLarge", s.URL + "/rules.git", "", &allowed, 256 << 10, fetch.ErrTooLarge, desk.Limit},
		{"NoGit", s.URL + "/rules.git", missing, &allowed, 4 << 20, fetch.ErrNoGit, desk.Unavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := fetch.NewGit(fetch.New(tc.o), tc.program).Export(t.Context(), tc.url, tc.max)
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.kind || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v of kind %v", err, tc.want, tc.kind)
			}
		})
	}
}

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint64(88172645463325252)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}
