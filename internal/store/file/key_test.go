package file_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/file"
)

func TestKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	keys := make([][32]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = file.New(dir, nil).Key(t.Context(), rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == [32]byte{} {
			t.Errorf("%x and %x", k, keys[0])
		}
	}
	path := filepath.Join(dir, file.KeyName)
	if st, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
	for name, b := range map[string]string{"Empty": "", "Short": "00ff", "NoHex": "this is no key at all", "Long": string(bytes.Repeat([]byte("00"), 40))} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := file.New(dir, nil).Key(t.Context(), rand.Reader)
			if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Invalid {
				t.Errorf("the error is %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != b {
				t.Errorf("the file was replaced by %q", got)
			}
		})
	}
}
