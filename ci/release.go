package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// released are the systems that a release is built for.
var released = []struct{ os, arch string }{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"darwin", "amd64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// beside is what lies in an archive beside the binary.
var beside = []string{
	"LICENSE", "NOTICE", "README.md", "README.ja.md", "CHANGELOG.md",
	"deploy/systemd/sekisho.service", "deploy/windows/README.md", "deploy/container/Containerfile",
}

// dist is the folder that a release is put into.
const dist = "dist"

var semantic = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// release builds the binaries of a version and packs each with its bill of
// materials. The same commit gives the same bytes, wherever it is built with the
// same Go.
func release(ctx context.Context, c *check) error {
	version := c.opts.version
	if !semantic.MatchString(version) {
		return errors.New("name the version, such as: go run ./ci release -version v1.2.3")
	}
	if changed, err := c.output(ctx, "git", "status", "--porcelain"); err != nil {
		return err
	} else if changed != "" {
		return errors.New("a release is made of a commit: commit or put away what is changed")
	}
	stamp, err := c.output(ctx, "git", "log", "-1", "--format=%ct")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("reading the time of the commit: %w", err)
	}
	at := time.Unix(seconds, 0).UTC()
	if err := os.RemoveAll(dist); err != nil {
		return err
	}
	if err := os.MkdirAll(dist, 0o750); err != nil {
		return err
	}
	for _, s := range released {
		name, err := c.releaseFor(ctx, s.os, s.arch, version, at)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", s.os, s.arch, err)
		}
		fmt.Fprintf(c.out, "   %s\n", name)
	}
	return checksums(dist)
}

// releaseFor builds, describes and packs for one system and returns the name of
// the archive.
func (c *check) releaseFor(ctx context.Context, system, arch, version string, at time.Time) (string, error) {
	base := fmt.Sprintf("sekisho_%s_%s_%s", version, system, arch)
	binary := "sekisho"
	if system == "windows" {
		binary += ".exe"
	}
	built := filepath.Join(dist, base, binary)
	cmd := c.command(ctx, "go", "build", "-trimpath", "-ldflags=-s -w -X main.version="+version, "-o", built, "./cmd/sekisho")
	cmd.Env = append(cmd.Env, "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	if err := cmd.Run(); err != nil {
		return "", err
	}
	info, err := buildinfo.ReadFile(built)
	if err != nil {
		return "", fmt.Errorf("reading what was built: %w", err)
	}
	bill, err := json.MarshalIndent(newBill(info, version, at), "", "  ")
	if err != nil {
		return "", fmt.Errorf("writing the bill of materials: %w", err)
	}
	bill = append(bill, '\n')
	if err := os.WriteFile(filepath.Join(dist, base+".cdx.json"), bill, 0o600); err != nil {
		return "", err
	}
	files := []packed{{name: base + "/" + binary, from: built, mode: 0o755}}
	for _, f := range beside {
		files = append(files, packed{name: base + "/" + f, from: f, mode: 0o644})
	}
	name, pack := base+".tar.gz", packTar
	if system == "windows" {
		name, pack = base+".zip", packZip
	}
	if err := writeWith(filepath.Join(dist, name), func(w io.Writer) error { return pack(w, files, at) }); err != nil {
		return "", err
	}
	return name, os.RemoveAll(filepath.Join(dist, base))
}

// packed is a file of an archive.
type packed struct {
	name string // in the archive, with slashes
	from string
	mode os.FileMode
}

func packTar(w io.Writer, files []packed, at time.Time) error {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	for _, f := range files {
		b, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: f.name, Size: int64(len(b)), Mode: int64(f.mode), ModTime: at, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), z.Close())
}

func packZip(w io.Writer, files []packed, at time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		b, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		h.SetMode(f.mode)
		part, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := part.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// checksums writes SHA256SUMS as sha256sum -c reads it.
func checksums(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var lines strings.Builder
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		fmt.Fprintf(&lines, "%s  %s\n", hex.EncodeToString(sum[:]), e.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(lines.String()), 0o600)
}

func writeWith(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// bill is a bill of materials as CycloneDX 1.5 has it
// (https://cyclonedx.org/docs/1.5/json/).
type bill struct {
	Format   string      `json:"bomFormat"`
	Spec     string      `json:"specVersion"`
	Version  int         `json:"version"`
	Metadata metadata    `json:"metadata"`
	Parts    []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type    string     `json:"type"`
	Name    string     `json:"name"`
	Version string     `json:"version,omitempty"`
	PURL    string     `json:"purl,omitempty"`
	Facts   []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// newBill describes a binary by what the Go command wrote into it.
func newBill(info *buildinfo.BuildInfo, version string, at time.Time) *bill {
	self := component{Type: "application", Name: info.Main.Path, Version: version, PURL: purl(info.Main.Path, version)}
	for _, s := range info.Settings {
		if slices.Contains([]string{"GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision"}, s.Key) {
			self.Facts = append(self.Facts, property{"go:build:" + s.Key, s.Value})
		}
	}
	b := &bill{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{at.Format(time.RFC3339), self}}
	b.Parts = append(b.Parts, component{Type: "library", Name: "std", Version: info.GoVersion, PURL: purl("std", strings.TrimPrefix(info.GoVersion, "go"))})
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		part := component{Type: "library", Name: m.Path, Version: m.Version, PURL: purl(m.Path, m.Version)}
		if m.Sum != "" {
			part.Facts = []property{{"go:sum", m.Sum}}
		}
		b.Parts = append(b.Parts, part)
	}
	return b
}

// purl is the package URL of a Go module
// (https://github.com/package-url/purl-spec).
func purl(path, version string) string {
	return "pkg:golang/" + path + "@" + url.PathEscape(version)
}
