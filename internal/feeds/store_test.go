package feeds_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/feeds"
)

// contents are the files of a version.
func contents(texts ...string) []feeds.File {
	var files []feeds.File
	for i, text := range texts {
		files = append(files, feeds.File{Path: fmt.Sprintf("d/%d.yml", i), Data: []byte(text)})
	}
	return files
}

// commitTo makes files the version that counts after another.
func commitTo(t *testing.T, s *feeds.Store, before string, files []feeds.File) string {
	t.Helper()
	staged, err := s.Stage(files)
	if err != nil {
		t.Fatal(err)
	}
	digest := feeds.Digest(files)
	if err := staged.Commit(t.Context(), feeds.Version{Digest: digest, Source: "https://rules.example/x.tar.gz", Entries: len(files)}, before); err != nil {
		t.Fatal(err)
	}
	return digest
}

func current(t *testing.T, s *feeds.Store) string {
	t.Helper()
	v, err := s.Current()
	if errors.Is(err, feeds.ErrNotFetched) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.Digest
}

func TestStore(t *testing.T) {
	data := t.TempDir()
	s := feeds.NewStore(data, feeds.RulesFeed, "ours")
	if got := current(t, s); got != "" {
		t.Fatalf("a new store has %s", got)
	}
	if _, err := s.Rollback(t.Context()); !errors.Is(err, feeds.ErrNotFetched) {
		t.Errorf("rollback of nothing: %v", err)
	}
	first := commitTo(t, s, "", contents(good))
	if _, err := s.Rollback(t.Context()); !errors.Is(err, feeds.ErrNoPrevious) {
		t.Errorf("rollback of the first version: %v", err)
	}
	second := commitTo(t, s, first, contents(good, never))
	if now, err := s.Current(); err != nil || now.Digest != second || now.Previous != first || now.Entries != 2 {
		t.Errorf("%+v %v", now, err)
	}
	if b, err := os.ReadFile(filepath.Join(s.Dir(second), "d", "1.yml")); err != nil || string(b) != never {
		t.Errorf("%q %v", b, err)
	}
	for range 3 { // to and fro
		before := current(t, s)
		v, err := s.Rollback(t.Context())
		if err != nil || v.Digest == before || v.Previous != before || current(t, s) != v.Digest {
			t.Fatalf("%+v %v", v, err)
		}
	}
	// Now the first counts and the second is kept; the third puts that out.
	third := commitTo(t, s, first, contents(wrong))
	if s.Intact(second) || !s.Intact(first) || !s.Intact(third) {
		t.Error("the version before is kept, and none besides")
	}
	entries, err := os.ReadDir(filepath.Join(data, "rules", "ours"))
	if err != nil || len(entries) != 5 { // two versions, two notes, and the pointer
		t.Errorf("%v %v", entries, err)
	}
	if got, err := feeds.StoredFeeds(data); err != nil || len(got) != 1 || got[0] != "ours" {
		t.Errorf("%v %v", got, err)
	}
}

// TestStoreAfterCrash puts the folder into the state in which a crash can leave
// it, and holds the store to the old version or the new one.
func TestStoreAfterCrash(t *testing.T) {
	old, next := contents(good), contents(never)
	for _, tc := range []struct {
		name  string
		crash func(t *testing.T, s *feeds.Store, dir, first string)
		first bool // a version was there before
	}{
		{"HalfUnpacked", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(dir, ".incoming-1", "d", "0.yml"), "half")
		}, true},
		{"HalfUnpackedFirst", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(dir, ".incoming-1", "d", "0.yml"), "half")
		}, false},
		{"Renamed", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(s.Dir(feeds.Digest(next)), "d", "0.yml"), never)
		}, true},
		{"Noted", func(t *testing.T, s *feeds.Store, dir, first string) {
			write(t, filepath.Join(s.Dir(feeds.Digest(next)), "d", "0.yml"), never)
			write(t, s.Dir(feeds.Digest(next))+".json", `{"digest":"`+feeds.Digest(next)+`","previous":"`+first+`"}`)
		}, true},
		{"RenamedAndDamaged", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(s.Dir(feeds.Digest(next)), "d", "0.yml"), "")
		}, true},
		{"LockLeft", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(dir, "lock"), "1\n")
			then := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(dir, "lock"), then, then); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"PointerDamaged", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(dir, "current"), "../../etc\n")
		}, false},
		{"PointerLong", func(t *testing.T, s *feeds.Store, dir, _ string) {
			write(t, filepath.Join(dir, "current"), strings.Repeat("0", 64)+"\n")
		}, false},
		{"NoteDamaged", func(t *testing.T, s *feeds.Store, dir, first string) {
			write(t, s.Dir(first)+".json", "{")
		}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := t.TempDir()
			s := feeds.NewStore(data, feeds.RulesFeed, "ours")
			first := ""
			if tc.first {
				first = commitTo(t, s, "", old)
			}
			tc.crash(t, s, filepath.Join(data, "rules", "ours"), first)
			if got := current(t, s); got != first || first != "" && !s.Intact(first) {
				t.Fatalf("after the crash %q counts, want %q", got, first)
			}
			second := commitTo(t, s, first, next)
			if got := current(t, s); got != second || !s.Intact(second) {
				t.Errorf("after the next update %q counts, want %q", got, second)
			}
			if first != "" {
				if v, err := s.Rollback(t.Context()); err != nil || v.Digest != first {
					t.Errorf("rollback: %+v %v", v, err)
				}
			}
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// updaterVar names the folder in which a copy of this program updates a feed until
// it is killed.
const updaterVar = "SEKISHO_TEST_UPDATER"

func TestStoreKilled(t *testing.T) {
	versions := [][]feeds.File{contents(good, never), contents(never, wrong, good)}
	if dir := os.Getenv(updaterVar); dir != "" {
		s := feeds.NewStore(dir, feeds.RulesFeed, "ours")
		for i := 0; ; i++ {
			before := current(t, s)
			files := versions[i%2]
			if before == feeds.Digest(files) {
				continue
			}
			commitTo(t, s, before, files)
		}
	}
	data := t.TempDir()
	s := feeds.NewStore(data, feeds.RulesFeed, "ours")
	seen := map[string]int{}
	for i := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestStoreKilled$")
		cmd.Env = append(os.Environ(), updaterVar+"="+data)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Until its first version counts, and then some odd moments more.
		for stop := time.Now().Add(5 * time.Second); current(t, s) == "" && time.Now().Before(stop); {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(20+13*i) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.Remove(filepath.Join(data, "rules", "ours", "lock")) // as after a minute
		now := current(t, s)
		if now == "" || !s.Intact(now) {
			t.Fatalf("after kill %d %q counts and is not whole", i, now)
		}
		seen[now]++
	}
	t.Logf("versions after the kills: %v", seen)
}

func TestStoreTwoUpdaters(t *testing.T) {
	s := feeds.NewStore(t.TempDir(), feeds.RulesFeed, "ours")
	first := commitTo(t, s, "", contents(good))
	const n = 8
	results := make([]error, n)
	var wait sync.WaitGroup
	for i := range n {
		staged, err := s.Stage(contents(good, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			results[i] = staged.Commit(context.Background(), feeds.Version{Digest: feeds.Digest(contents(good, strconv.Itoa(i)))}, first)
		})
	}
	wait.Wait()
	won := 0
	for i, err := range results {
		switch {
		case err == nil:
			won++
			if got := current(t, s); got != feeds.Digest(contents(good, strconv.Itoa(i))) || !s.Intact(got) {
				t.Errorf("%d won, and %s counts", i, got)
			}
		case !errors.Is(err, feeds.ErrChanged):
			t.Errorf("%d: %v", i, err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestStoreLocked(t *testing.T) {
	data := t.TempDir()
	s := feeds.NewStore(data, feeds.RulesFeed, "ours")
	staged, err := s.Stage(contents(good))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "rules", "ours", "lock"), "1\n")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := staged.Commit(ctx, feeds.Version{Digest: feeds.Digest(contents(good))}, ""); !errors.Is(err, feeds.ErrLocked) {
		t.Errorf("got %v", err)
	}
	if got := current(t, s); got != "" {
		t.Errorf("%s counts", got)
	}
}

func TestLocate(t *testing.T) {
	data := t.TempDir()
	s := feeds.NewStore(data, feeds.RulesFeed, "ours")
	first := commitTo(t, s, "", contents(good))
	second := commitTo(t, s, first, contents(never))
	absent := feeds.Digest(contents(wrong))
	const address = "https://rules.example/x.tar.gz" // where commitTo says it came from
	for _, tc := range []struct {
		name, data, ref, pin, want string
		err                        error
	}{
		{"Current", data, "ours", "", second, nil},
		{"PinnedCurrent", data, "ours", second, second, nil},
		{"PinnedPrevious", data, "ours", first, first, nil},
		{"ByAddress", data, address, "", second, nil},
		{"Unknown", data, "others", "", "", feeds.ErrNotFetched},
		{"UnknownAddress", data, "https://rules.example/y.tar.gz", "", "", feeds.ErrNotFetched},
		{"NoName", data, "../ours", "", "", feeds.ErrNotFetched},
		{"NoData", "", "ours", "", "", feeds.ErrNotFetched},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, v, err := feeds.Locate(tc.data, tc.ref, tc.pin)
			if !errors.Is(err, tc.err) || err == nil && (dir != s.Dir(tc.want) || v.Digest != tc.want) {
				t.Errorf("got %s %+v %v", dir, v, err)
			}
		})
	}
	_, _, err := feeds.Locate(data, "ours", absent)
	e, ok := errors.AsType[*feeds.PinError](err)
	if !ok || e.Pin != absent || e.Digest != second {
		t.Errorf("got %v", err)
	}
}

func TestLoadFeed(t *testing.T) {
	data := t.TempDir()
	first := commitTo(t, feeds.NewStore(data, feeds.RulesFeed, "ours"), "", contents(good))
	type got struct {
		Sources []string
		Unread  []string
	}
	load := func(paths []string, o *feeds.Options) got {
		set, err := feeds.Load(t.Context(), paths, o)
		if err != nil {
			t.Fatal(err)
		}
		var g got
		for i := range set.Rules {
			g.Sources = append(g.Sources, set.Rules[i].Source)
		}
		for _, u := range set.Unread {
			g.Unread = append(g.Unread, u.Path)
		}
		return g
	}
	for _, tc := range []struct {
		name  string
		paths []string
		o     *feeds.Options
		want  got
	}{
		{"Name", []string{"ours"}, &feeds.Options{DataDir: data}, got{[]string{"ours"}, nil}},
		{"Configured", nil, &feeds.Options{DataDir: data, Feeds: []feeds.Ref{{Feed: "ours", Pin: first}}}, got{[]string{"ours"}, nil}},
		{"Twice", []string{"ours"}, &feeds.Options{DataDir: data, Feeds: []feeds.Ref{{Feed: "ours"}}}, got{[]string{"ours"}, nil}},
		{"OtherPin", nil, &feeds.Options{DataDir: data, Feeds: []feeds.Ref{{Feed: "ours", Pin: feeds.Digest(nil)}}}, got{nil, []string{"ours"}}},
		{"NotFetched", []string{"sublime"}, &feeds.Options{DataDir: data}, got{nil, []string{"sublime"}}},
		{"NoData", []string{"ours"}, nil, got{nil, []string{"ours"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, load(tc.paths, tc.o)); diff != "" {
				t.Error(diff)
			}
		})
	}
	// A folder of that name comes first.
	t.Chdir(folder(t, map[string]string{"ours/a.yml": never, "ours/b.yml": good}))
	if diff := cmp.Diff(got{[]string{"ours", "ours"}, nil}, load([]string{"ours"}, &feeds.Options{DataDir: data})); diff != "" {
		t.Error(diff)
	}
}

func TestFetchedLists(t *testing.T) {
	data := t.TempDir()
	if got := feeds.ListsDir(data); got != "" {
		t.Errorf("no lists were fetched, and they are in %s", got)
	}
	s := feeds.NewStore(data, feeds.ListsFeed, "whatever")
	digest := commitTo(t, s, "", []feeds.File{{Path: "url_shorteners.txt", Data: []byte("s.example\n")}})
	dir := feeds.ListsDir(data)
	if dir != s.Dir(digest) {
		t.Errorf("got %q", dir)
	}
	before, err := feeds.OpenLists(dir)
	if err != nil {
		t.Fatal(err)
	}
	after, err := feeds.OpenLists(folder(t, map[string]string{"url_shorteners.txt": "s.example\nt.example\n", "partner_domains.txt": "p.example\n"}))
	if err != nil {
		t.Fatal(err)
	}
	want := &feeds.Changes{
		Added:   []feeds.Change{{ID: "partner_domains", File: "partner_domains.txt", After: 1}},
		Changed: []feeds.Change{{ID: "url_shorteners", File: "url_shorteners.txt", Before: 1, After: 2}},
	}
	if diff := cmp.Diff(want, feeds.CompareLists(before, after)); diff != "" {
		t.Error(diff)
	}
	if c := feeds.CompareLists(before, before); !c.None() {
		t.Errorf("%+v", c)
	}
}

func TestCompareRules(t *testing.T) {
	const moved = "name: Moved\nid: m\nsource: type.inbound\n"
	one := folder(t, map[string]string{"a.yml": good, "b.yml": never, "old/m.yml": moved, "c.yml": "name: Gone\nsource: type.inbound\n"})
	two := folder(t, map[string]string{"a.yml": good + "# other\n", "b.yml": never, "new/m.yml": moved, "d.yml": "name: New\nsource: type.inbound\n"})
	load := func(dir string) *feeds.Set {
		set, err := feeds.Load(t.Context(), []string{dir}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	before, after := load(one), load(two)
	want := &feeds.Changes{
		Added:   []feeds.Change{{ID: "d", Name: "New", File: "d.yml"}},
		Changed: []feeds.Change{{ID: "good-1", Name: "Good", File: "a.yml"}},
		Removed: []feeds.Change{{ID: "c", Name: "Gone", File: "c.yml"}},
	}
	if diff := cmp.Diff(want, feeds.CompareRules(before, after, one, two)); diff != "" {
		t.Error(diff)
	}
	if c := feeds.CompareRules(nil, after, "", two); len(c.Added) != 4 || len(c.Changed)+len(c.Removed) != 0 {
		t.Errorf("%+v", c)
	}
}

// TestStoreFails has a step of a commit fail: the old version still counts.
func TestStoreFails(t *testing.T) {
	next := contents(never)
	for _, tc := range []struct {
		name string
		harm func(t *testing.T, s *feeds.Store, staged *feeds.Staged)
	}{
		{"FilesGone", func(_ *testing.T, _ *feeds.Store, staged *feeds.Staged) { staged.Discard() }},
		{"NoteCannotBeWritten", func(t *testing.T, s *feeds.Store, _ *feeds.Staged) {
			write(t, filepath.Join(s.Dir(feeds.Digest(next))+".json", "x"), "")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := feeds.NewStore(t.TempDir(), feeds.RulesFeed, "ours")
			first := commitTo(t, s, "", contents(good))
			staged, err := s.Stage(next)
			if err != nil {
				t.Fatal(err)
			}
			tc.harm(t, s, staged)
			if err := staged.Commit(t.Context(), feeds.Version{Digest: feeds.Digest(next)}, first); err == nil {
				t.Error("the commit says that all is well")
			}
			if got := current(t, s); got != first || !s.Intact(first) {
				t.Errorf("%q counts", got)
			}
		})
	}
}
