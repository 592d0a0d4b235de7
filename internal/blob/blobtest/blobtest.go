// Package blobtest says as tests what every store of blobs has to do.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
)

// Max is how many bytes the stores that are tested take at most.
const Max = 1 << 20

// Run is the suite. open opens the store in a folder, with at most [Max] bytes
// for a blob; the suite opens the same folder more than once.
func Run(t *testing.T, open func(t *testing.T, dir string) desk.Blobs) {
	dir := t.TempDir()
	s := open(t, dir)
	noise := make([]byte, Max)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // it never fails
	for _, tc := range []struct {
		name string
		b    []byte
	}{
		{"Mail", []byte("From: a@supplier.test\r\n\r\nbody\r\n")},
		{"Empty", nil},
		{"Zeros", make([]byte, Max)},
		{"Noise", noise},
	} {
		t.Run(tc.name, func(t *testing.T) {
			name := put(t, s, tc.b)
			if sum := sha256.Sum256(tc.b); name != hex.EncodeToString(sum[:]) {
				t.Errorf("the name is %s", name)
			}
			if again := put(t, s, tc.b); again != name {
				t.Errorf("the same bytes are %s and %s", name, again)
			}
			for _, s := range []desk.Blobs{s, open(t, dir)} {
				b, err := s.Blob(t.Context(), name)
				if err != nil || !bytes.Equal(b, tc.b) {
					t.Errorf("%d bytes came back as %d: %v", len(tc.b), len(b), err)
				}
			}
		})
	}
	t.Run("TooLarge", func(t *testing.T) {
		_, err := s.PutBlob(t.Context(), make([]byte, Max+1))
		wantKind(t, err, desk.Limit)
	})
	t.Run("Names", func(t *testing.T) {
		for _, name := range []string{"", "..", "../../etc/passwd", strings.Repeat("A", 64), strings.Repeat("a", 63) + "/", strings.Repeat("a", 65)} {
			_, err := s.Blob(t.Context(), name)
			wantKind(t, err, desk.Invalid)
			wantKind(t, s.DeleteBlob(t.Context(), name), desk.Invalid)
		}
		_, err := s.Blob(t.Context(), strings.Repeat("a", 64))
		wantKind(t, err, desk.NotFound)
	})
	t.Run("DeleteAndList", func(t *testing.T) {
		s := open(t, t.TempDir())
		one, two := put(t, s, []byte("one")), put(t, s, []byte("two"))
		if err := s.DeleteBlob(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteBlob(t.Context(), one); err != nil {
			t.Errorf("deleting what is gone: %v", err)
		}
		_, err := s.Blob(t.Context(), one)
		wantKind(t, err, desk.NotFound)
		var names []string
		for b, err := range s.AllBlobs(t.Context()) {
			if err != nil || b.Kept.IsZero() {
				t.Fatalf("%v %v", b, err)
			}
			names = append(names, b.Name)
		}
		if diff := cmp.Diff([]string{two}, names); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Together", func(t *testing.T) {
		s := open(t, t.TempDir())
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				b := fmt.Appendf(nil, "mail %d", i%4)
				name, err := s.PutBlob(t.Context(), b)
				got, readErr := s.Blob(t.Context(), name)
				if err != nil || readErr != nil || !bytes.Equal(got, b) {
					t.Errorf("%q came back as %q: %v %v", b, got, err, readErr)
				}
			})
		}
		wg.Wait()
	})
	t.Run("Cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.PutBlob(ctx, []byte("late")); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}

func put(t *testing.T, s desk.Blobs, b []byte) string {
	t.Helper()
	name, err := s.PutBlob(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func wantKind(t *testing.T, err error, kind desk.ErrorKind) {
	t.Helper()
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != kind {
		t.Fatalf("the error is %v, want one of kind %s", err, kind)
	}
}
