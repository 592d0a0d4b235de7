package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The bill of a binary names all modules that the go command says are in it.
func TestBill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	info.Main.Path = "example.test/x"
	b := newBill(info, "v1.2.3", time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC))
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"bomFormat":"CycloneDX","specVersion":"1.5"`, `"timestamp":"2026-05-08T00:00:00Z"`, `"purl":"pkg:golang/example.test/x@v1.2.3"`, `"name":"std","version":"go1.`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	if len(b.Parts) != len(info.Deps)+1 {
		t.Errorf("%d parts of %d modules and the standard library", len(b.Parts), len(info.Deps))
	}
}

// The same files packed twice are the same bytes.
func TestPack(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a")
	if err := os.WriteFile(name, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC)
	files := []packed{{"x/a", name, 0o755}}
	for kind, pack := range map[string]func(*bytes.Buffer) error{
		"tar": func(b *bytes.Buffer) error { return packTar(b, files, at) },
		"zip": func(b *bytes.Buffer) error { return packZip(b, files, at) },
	} {
		var one, two bytes.Buffer
		if err := pack(&one); err != nil {
			t.Fatal(kind, err)
		}
		if err := os.Chtimes(name, time.Now(), at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := pack(&two); err != nil {
			t.Fatal(kind, err)
		}
		if !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%s: two archives of the same file differ", kind)
		}
	}
}

// sha256sum itself accepts the checksums.
func TestChecksums(t *testing.T) {
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Skip("there is no sha256sum")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := checksums(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "-c", "SHA256SUMS")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "a b: OK") {
		t.Errorf("%v %s", err, out)
	}
}

// All that goes into an archive is there.
func TestBeside(t *testing.T) {
	for _, f := range beside {
		if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(f))); err != nil {
			t.Error(err)
		}
	}
}
