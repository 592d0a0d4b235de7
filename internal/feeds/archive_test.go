package feeds_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/feeds"
)

// entry is an entry of an archive that a test packs.
type entry struct {
	name string
	text string
	kind byte   // of tar; 0 is a file
	link string // of a link
	pax  map[string]string
}

func packTar(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Mode: 0o644, Size: int64(len(e.text)), PAXRecords: e.pax}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if e.kind == tar.TypeXGlobalHeader {
			h = &tar.Header{Typeflag: e.kind, Name: e.name, PAXRecords: e.pax}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func packGzip(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func packZip(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o644)
		if e.link != "" {
			h.SetMode(0o777 | fs.ModeSymlink)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(e.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func names(c *feeds.Contents) []string {
	var out []string
	for _, f := range c.Files {
		out = append(out, f.Path)
	}
	return out
}

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestOpen(t *testing.T) {
	repo := []entry{
		{name: "pax_global_header", kind: tar.TypeXGlobalHeader, pax: map[string]string{"comment": commit}},
		{name: "rules-main/", kind: tar.TypeDir},
		{name: "rules-main/LICENSE", text: "free"},
		{name: "rules-main/README.md", text: "words"},
		{name: "rules-main/.github/workflows/ci.yml", text: "on: push"},
		{name: "rules-main/run.sh", text: "rm -rf /"},
		{name: "rules-main/detection/b.yml", text: good},
		{name: "rules-main/detection/a.YAML", text: never},
		{name: "rules-main/detection/a.mqltest", text: "test"},
		{name: "rules-main/link.yml", kind: tar.TypeSymlink, link: "/etc/passwd"},
		{name: "rules-main/hard.yml", kind: tar.TypeLink, link: "rules-main/LICENSE"},
		{name: "rules-main/pipe.yml", kind: tar.TypeFifo},
	}
	kept := []string{"LICENSE", "detection/a.YAML", "detection/a.mqltest", "detection/b.yml"}
	flat := func(entries []entry) []entry {
		var out []entry
		for _, e := range entries {
			e.name = strings.TrimPrefix(e.name, "rules-main/")
			if e.kind == 0 && e.name != "" {
				out = append(out, e)
			}
		}
		return out
	}(repo)
	lists := []entry{
		{name: "files/manifest.json", text: "{}"}, {name: "files/a.txt", text: "x"}, {name: "files/b.csv", text: "1,x"},
		{name: "files/scripts/c.txt", text: "x"}, {name: "files/scripts/run.py", text: "x"}, {name: "files/other.json", text: "{}"},
	}
	zipped := append(slices.Clone(flat), entry{name: "link.yml", text: "/etc/passwd", link: "x"})
	for _, tc := range []struct {
		name  string
		data  []byte
		kind  feeds.Kind
		files []string
		from  string
		links int
	}{
		{"TarGzip", packGzip(t, packTar(t, repo...)), feeds.RulesFeed, kept, commit, 3},
		{"Tar", packTar(t, repo...), feeds.RulesFeed, kept, commit, 3},
		{"NoFolderAround", packGzip(t, packTar(t, flat...)), feeds.RulesFeed, kept, "", 0},
		{"DotFolderAround", packTar(t, entry{name: "./", kind: tar.TypeDir}, entry{name: "./a.yml", text: good}, entry{name: "./b.yml", text: good}), feeds.RulesFeed, []string{"a.yml", "b.yml"}, "", 0},
		{"OneFile", packTar(t, entry{name: "a.yml", text: good}), feeds.RulesFeed, []string{"a.yml"}, "", 0},
		{"Zip", packZip(t, zipped...), feeds.RulesFeed, kept, "", 1},
		{"Lists", packGzip(t, packTar(t, lists...)), feeds.ListsFeed, []string{"a.txt", "b.csv", "manifest.json"}, "", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := feeds.Open(tc.data, tc.kind)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.files, names(c)); diff != "" {
				t.Error(diff)
			}
			if c.Commit != tc.from || c.Links != tc.links {
				t.Errorf("commit %q, %d links, want %q, %d", c.Commit, c.Links, tc.from, tc.links)
			}
		})
	}
}

// TestDigest holds the digest to what anybody can compute, however the files were
// packed.
func TestDigest(t *testing.T) {
	files := []entry{{name: "r/b.yml", text: good}, {name: "r/LICENSE", text: "free"}, {name: "r/a/x.yml", text: never}, {name: "r/note.md", text: "left out"}}
	lines := fmt.Sprintf("%x  LICENSE\n%x  a/x.yml\n%x  b.yml\n", sha256.Sum256([]byte("free")), sha256.Sum256([]byte(never)), sha256.Sum256([]byte(good)))
	want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(lines)))
	dir := folder(t, map[string]string{"b.yml": good, "LICENSE": "free", "a/x.yml": never, "note.md": "left out", ".git/config.yml": "x"})
	reversed := slices.Clone(files)
	slices.Reverse(reversed)
	for name, open := range map[string]func() (*feeds.Contents, error){
		"TarGzip": func() (*feeds.Contents, error) { return feeds.Open(packGzip(t, packTar(t, files...)), feeds.RulesFeed) },
		"Reversed": func() (*feeds.Contents, error) {
			return feeds.Open(packTar(t, reversed...), feeds.RulesFeed)
		},
		"Zip":    func() (*feeds.Contents, error) { return feeds.Open(packZip(t, files...), feeds.RulesFeed) },
		"Folder": func() (*feeds.Contents, error) { return feeds.OpenFolder(dir, feeds.RulesFeed) },
	} {
		c, err := open()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if c.Digest != want {
			t.Errorf("%s: %s, want %s", name, c.Digest, want)
		}
	}
	// A name and a text must not run into each other.
	a, b := feeds.Digest([]feeds.File{{"a.yml", []byte("x")}}), feeds.Digest([]feeds.File{{"a.ym", []byte("lx")}})
	if a == b || !feeds.ValidDigest(a) {
		t.Errorf("%s and %s", a, b)
	}
	for _, s := range []string{"", "sha256:", want[:len(want)-1], want + "0", strings.ToUpper(want), "sha512:" + want[7:], "sha256:" + strings.Repeat("g", 64)} {
		if feeds.ValidDigest(s) {
			t.Errorf("%q is a digest", s)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	rule := entry{name: "r/a.yml", text: good}
	zeros := func(n int) string { return string(make([]byte, n)) }
	const many = 100_002
	head := packTar(t, entry{name: "r/x.txt"})[:512]
	whole := packGzip(t, packTar(t, rule, entry{name: "r/b.yml", text: never}))
	damaged := slices.Clone(whole)
	damaged[len(damaged)-6] ^= 1
	for _, tc := range []struct {
		name string
		data []byte
		want error
	}{
		{"Nothing", nil, feeds.ErrNoArchive},
		{"WebPage", []byte("<!DOCTYPE html><title>Sign in</title>"), feeds.ErrNoArchive},
		{"CutShort", whole[:len(whole)/2], feeds.ErrDamaged},
		{"Damaged", damaged, feeds.ErrDamaged},
		{"GzipOfText", packGzip(t, []byte("name: x\n")), feeds.ErrDamaged},
		{"CutZip", packZip(t, rule)[:60], feeds.ErrDamaged},
		{"Absolute", packTar(t, entry{name: "/etc/a.yml", text: good}), feeds.ErrUnsafe},
		{"Up", packTar(t, rule, entry{name: "r/../../a.yml", text: good}), feeds.ErrUnsafe},
		{"UpOfNoUse", packTar(t, rule, entry{name: "../.bashrc", text: "x"}), feeds.ErrUnsafe},
		{"UpInZip", packZip(t, rule, entry{name: "../a.yml", text: good}), feeds.ErrUnsafe},
		{"Backslash", packTar(t, rule, entry{name: `r\..\..\a.yml`, text: good}), feeds.ErrUnsafe},
		{"Drive", packTar(t, rule, entry{name: "C:/a.yml", text: good}), feeds.ErrUnsafe},
		{"Stream", packTar(t, rule, entry{name: "r/a.yml:hidden.yml", text: good}), feeds.ErrUnsafe},
		{"Device", packTar(t, rule, entry{name: "r/aux.yml", text: good}), feeds.ErrUnsafe},
		{"DeviceFolder", packTar(t, rule, entry{name: "r/Com1/a.yml", text: good}), feeds.ErrUnsafe},
		{"Control", packTar(t, rule, entry{name: "r/a\x1b[2J.yml", text: good}), feeds.ErrUnsafe},
		{"TurnedAround", packTar(t, rule, entry{name: "r/\u202elmy.exe.yml", text: good}), feeds.ErrUnsafe},
		{"Deep", packTar(t, rule, entry{name: strings.Repeat("d/", 20) + "a.yml", text: good}), feeds.ErrUnsafe},
		{"LongName", packTar(t, rule, entry{name: "r/" + strings.Repeat("n", 250) + ".yml", text: good}), feeds.ErrUnsafe},
		{"SameName", packTar(t, rule, rule), feeds.ErrTwice},
		{"NameDiffersInCase", packTar(t, rule, entry{name: "r/A.YML", text: good}), feeds.ErrTwice},
		{"Bomb", packGzip(t, packTar(t, rule, entry{name: "r/zero.bin", text: zeros(20 << 20)})), feeds.ErrBomb},
		{"BombInZip", packZip(t, rule, entry{name: "r/zero.yml", text: zeros(20 << 20)}), feeds.ErrBomb},
		{"LargeLicence", packTar(t, rule, entry{name: "r/LICENSE", text: zeros(2 << 20)}), feeds.ErrTooMuch},
		{"ManyEntries", bytes.Repeat(head, many), feeds.ErrTooMuch},
		{"ManyEntriesInZip", append(packZip(t, rule), bytes.Repeat([]byte("PK\x01\x02"), many)...), feeds.ErrTooMuch},
		{"NoRules", packTar(t, entry{name: "r/README.md", text: "x"}, entry{name: "r/LICENSE", text: "x"}), feeds.ErrNothing},
		{"OnlyHidden", packTar(t, entry{name: "r/.github/ci.yml", text: "x"}), feeds.ErrNothing},
		{"OnlyLinks", packTar(t, entry{name: "r/a.yml", kind: tar.TypeSymlink, link: "/etc/passwd"}), feeds.ErrNothing},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if c, err := feeds.Open(tc.data, feeds.RulesFeed); !errors.Is(err, tc.want) {
				t.Errorf("got %v and %v, want %v", c, err, tc.want)
			}
		})
	}
}

func TestOpenFolder(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": good, "sub/b.yaml": never, "LICENSE": "free", "x.txt": "no", ".git/c.yml": "no"})
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "link.yml")); err != nil {
		t.Skip(err)
	}
	c, err := feeds.OpenFolder(dir, feeds.RulesFeed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"LICENSE", "a.yml", "sub/b.yaml"}, names(c)); diff != "" || c.Links != 1 {
		t.Errorf("%d links\n%s", c.Links, diff)
	}
	if _, err := feeds.OpenFolder(filepath.Join(dir, "missing"), feeds.RulesFeed); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// FuzzOpen holds archives to their promise: what is kept has a name that stays in
// its folder, and the digest is that of the files.
func FuzzOpen(f *testing.F) {
	f.Add(packGzip(f, packTar(f, entry{name: "r/a.yml", text: good}, entry{name: "r/LICENSE", text: "x"})))
	f.Add(packTar(f, entry{name: "a.yml", text: good}, entry{name: "l.yml", kind: tar.TypeSymlink, link: "../x"}))
	f.Add(packZip(f, entry{name: "r/a.yml", text: good}, entry{name: "../b.yml", text: good}))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []feeds.Kind{feeds.RulesFeed, feeds.ListsFeed} {
			c, err := feeds.Open(data, kind)
			if err != nil {
				continue
			}
			for i, file := range c.Files {
				if !fs.ValidPath(file.Path) || strings.ContainsAny(file.Path, `\:`) || !filepath.IsLocal(filepath.FromSlash(file.Path)) {
					t.Errorf("kept %q", file.Path)
				}
				if i > 0 && c.Files[i-1].Path >= file.Path {
					t.Errorf("%q before %q", c.Files[i-1].Path, file.Path)
				}
			}
			if c.Digest != feeds.Digest(c.Files) {
				t.Error("the digest is another's")
			}
		}
	})
}
