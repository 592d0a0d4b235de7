package fetch_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/fetch"
)

// archive packs files as a forge does, in a folder of its own.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: "rules-main/" + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestUpdateFeed updates feeds over a network of this machine.
func TestUpdateFeed(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	files := map[string]string{"a.yml": "name: A\nid: a\nsource: type.inbound\n", "LICENSE": "free\n"}
	body := archive(t, files)
	etag := `"1"`
	var asked []string
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.Header.Get("If-None-Match"))
		switch r.URL.Path {
		case "/rules.tar.gz":
			w.Header().Set("ETag", etag)
			if r.Header.Get("If-None-Match") == etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = w.Write(body)
		case "/page.tar.gz":
			fmt.Fprint(w, "<!DOCTYPE html><title>Sign in</title>")
		case "/busy.tar.gz":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/secret.tar.gz":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			http.NotFound(w, r)
		}
	})
	data := t.TempDir()
	deps := desk.FeedDeps{Fetch: local(s, nil), DataDir: data, Now: func() time.Time { return now }}
	update := func(path string, edit func(*desk.FeedUpdateInput)) (*desk.FeedUpdate, error) {
		in := desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: s.URL + path}
		if edit != nil {
			edit(&in)
		}
		return desk.UpdateFeed(t.Context(), in, deps)
	}
	status := func(u *desk.FeedUpdate, err error) desk.FeedStatus {
		if err != nil {
			t.Error(err)
			return ""
		}
		return u.Status
	}
	first, err := update("/rules.tar.gz", nil)
	if status(first, err) != desk.FeedUpdated || first.Source != s.URL+"/rules.tar.gz" || first.Entries != 1 || first.Name != feeds.NameOf(first.Source) {
		t.Fatalf("%+v %v", first, err)
	}
	// Nothing new: the server says so, and nothing is sent.
	if got := status(update("/rules.tar.gz", nil)); got != desk.FeedUnchanged {
		t.Errorf("got %s", got)
	}
	// A pin holds although the server says that nothing changed.
	other := "sha256:" + strings.Repeat("0", 64)
	if _, err := update("/rules.tar.gz", func(in *desk.FeedUpdateInput) { in.Pin = other }); !isPin(err, other, first.Digest) {
		t.Errorf("got %v", err)
	}
	// A copy that was damaged is fetched again and put right.
	store := feeds.NewStore(data, feeds.RulesFeed, first.Name)
	if err := os.WriteFile(filepath.Join(store.Dir(first.Digest), "a.yml"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := status(update("/rules.tar.gz", nil)); got != desk.FeedUpdated || !store.Intact(first.Digest) {
		t.Errorf("got %s, intact %v", got, store.Intact(first.Digest))
	}
	files["b.yml"] = "name: B\nid: b\nsource: type.inbound\n"
	body, etag = archive(t, files), `"2"`
	second, err := update("/rules.tar.gz", nil)
	if status(second, err) != desk.FeedUpdated || second.Previous != first.Digest || len(second.Added) != 1 || second.Added[0].Name != "B" {
		t.Errorf("%+v %v", second, err)
	}
	want := []string{`/rules.tar.gz `, `/rules.tar.gz "1"`, `/rules.tar.gz "1"`, `/rules.tar.gz `, `/rules.tar.gz "1"`}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	for _, tc := range []struct {
		path, want string
		kind       desk.ErrorKind
	}{
		{"/page.tar.gz", "is no archive", desk.Invalid},
		{"/busy.tar.gz", "status 429", desk.Unavailable},
		{"/secret.tar.gz", "status 401", desk.Denied},
		{"/gone.tar.gz", "status 404", desk.NotFound},
	} {
		_, err := update(tc.path, nil)
		if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != tc.kind || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", tc.path, err)
		}
	}
	// Without leave, the same client does not even look at this machine.
	deps.Fetch = local(s, func(o *fetch.Options) { o.AllowLoopback = false })
	if _, err := update("/rules.tar.gz", nil); !errors.Is(err, fetch.ErrAddress) {
		t.Errorf("got %v", err)
	}
	if got, err := store.Current(); err != nil || got.Digest != second.Digest {
		t.Errorf("after what went wrong %+v counts: %v", got, err)
	}
}

func isPin(err error, pin, digest string) bool {
	e, ok := errors.AsType[*feeds.PinError](err)
	return ok && e.Pin == pin && e.Digest == digest && strings.Contains(err.Error(), pin) && strings.Contains(err.Error(), digest)
}

// TestUpdateFeedWithGit holds a repository to the digest of its archive.
func TestUpdateFeedWithGit(t *testing.T) {
	files := map[string]string{"rules/a.yml": "name: A\nid: a\nsource: type.inbound\n", "LICENSE": "free\n", "README.md": "x", ".github/ci.yml": "on: push\n"}
	s, commit := repository(t, files)
	c := fetch.New(&fetch.Options{AnyPort: true, AllowLoopback: true, CAFile: caFile(t, s)})
	deps := desk.FeedDeps{Fetch: c, Git: fetch.NewGit(c, ""), DataDir: t.TempDir()}
	got, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: s.URL + "/rules.git", Name: "ours"}, deps)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := feeds.Open(archive(t, files), feeds.RulesFeed)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != packed.Digest || got.Commit != commit || got.Files != 2 {
		t.Errorf("got %s of %s with %d files, want %s of %s with 2", got.Digest, got.Commit, got.Files, packed.Digest, commit)
	}
	again, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: "ours"}, deps)
	if err != nil || again.Status != desk.FeedUnchanged {
		t.Errorf("%+v %v", again, err)
	}
}
