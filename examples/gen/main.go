// Command gen writes the example mails of the examples folder.
//
// The mails are invented. Their header blocks follow the order in which
// Exchange Online writes them, and what the receiving side states about SPF,
// DKIM and DMARC is computed from one table of invented domains, so that a
// mail, its stamps and the zone file beside it agree. Signatures are real ones
// by a key that anyone can derive.
//
// The output depends on nothing but this source: two runs give the same bytes.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

//go:generate go run github.com/sekisho/sekisho/examples/gen -o ..

// folders are those in which every file is written here.
var folders = [...]string{"directsend", "phish", "forward", "ham"}

func main() {
	out := flag.String("o", "examples", "the `folder` to write to")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	for _, name := range folders {
		if err := os.MkdirAll(filepath.Join(out, name), 0o755); err != nil {
			return err
		}
	}
	stale, err := onDisk(out)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(out, filepath.FromSlash(f.name)), f.data, 0o644); err != nil {
			return err
		}
		stale = slices.DeleteFunc(stale, func(n string) bool { return n == f.name })
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(out, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// onDisk lists the files of the generated folders.
func onDisk(out string) ([]string, error) {
	var names []string
	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(out, folder))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			names = append(names, folder+"/"+e.Name())
		}
	}
	return names, nil
}
