package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
)

// patchDir is the folder of facts about updates in the data directory, one file
// for each source.
const patchDir = "patch"

var _ desk.PatchStore = (*Store)(nil)

// LoadPatchFacts implements [desk.PatchStore]. A damaged file is an error of kind
// Invalid that names it.
func (s *Store) LoadPatchFacts(context.Context) (map[string]*patch.Facts, error) {
	dir := filepath.Join(s.dir, patchDir)
	list, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, ioError(dir, err)
	}
	out := map[string]*patch.Facts{}
	for _, e := range list {
		id, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok || e.IsDir() || strings.HasPrefix(id, ".") {
			continue
		}
		b, err := s.read(filepath.Join(patchDir, e.Name()), patch.MaxFacts)
		if err != nil {
			return nil, patchError(err)
		}
		f, err := patch.ParseFacts(b)
		if err != nil {
			return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("patch.error.damaged", "file", filepath.Join(dir, e.Name())), Hint: lang.M("patch.hint.damaged"), Err: err}
		}
		out[id] = f
	}
	return out, nil
}

// SavePatchFacts implements [desk.PatchStore].
func (s *Store) SavePatchFacts(ctx context.Context, source string, f *patch.Facts) error {
	if source == "" || strings.Trim(source, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(source) > 100 {
		return fmt.Errorf("file: %q is no name of a source", source)
	}
	b, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("writing facts: %w", err)
	}
	dir := filepath.Join(s.dir, patchDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return ioError(dir, err)
	}
	err = s.change(ctx, filepath.Join(patchDir, source+".json"), patch.MaxFacts, func([]byte) ([]byte, error) { return append(b, '\n'), nil })
	return patchError(err)
}

// patchError replaces the advice about exceptions by one that helps.
func patchError(err error) error {
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind == desk.Limit {
		return &desk.Error{Kind: desk.Limit, Message: e.Message, Hint: lang.M("patch.hint.damaged"), Err: err}
	}
	return err
}
