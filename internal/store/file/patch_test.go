package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/patch"
)

func TestPatchFacts(t *testing.T) {
	dir := t.TempDir()
	s := file.New(dir, nil)
	if m, err := s.LoadPatchFacts(t.Context()); err != nil || len(m) > 0 {
		t.Fatalf("%v, %v", m, err)
	}
	facts := &patch.Facts{Schema: patch.Schema, Sources: []patch.Source{{ID: "kev", Name: "KEV"}}}
	if err := s.SavePatchFacts(t.Context(), "kev", facts); err != nil {
		t.Fatal(err)
	}
	m, err := s.LoadPatchFacts(t.Context())
	if err != nil || len(m) != 1 || m["kev"].Sources[0].Name != "KEV" {
		t.Fatalf("%v, %v", m, err)
	}
	if err := s.SavePatchFacts(t.Context(), "../kev", facts); err == nil {
		t.Error("a source outside of the folder")
	}
	if err := os.WriteFile(filepath.Join(dir, "patch", "bad.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.LoadPatchFacts(t.Context())
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Invalid {
		t.Errorf("%v", err)
	}
}
