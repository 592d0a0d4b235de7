//go:build !windows

package dnsclient

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	for text, want := range map[string][]string{
		"nameserver 192.0.2.1\nsearch kiso.example\nnameserver 2001:db8::1 # second\n": {"192.0.2.1:53", "[2001:db8::1]:53"},
		"nameserver fe80::1%eth0\noptions ndots:5\n":                                   {"[fe80::1%eth0]:53"},
		"nameserver not.an.address!\nnameserver 192.0.2.1":                             {"192.0.2.1:53"},
		"# nothing\n": nil,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readConfig(path)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		if (err != nil) != (want == nil) || err != nil && !errors.Is(err, ErrNoServer) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := readConfig(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
