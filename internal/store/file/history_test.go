package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/lang"
)

func TestHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := file.New(dir, nil)
	if b, err := s.LoadHistory(t.Context()); b != nil || err != nil {
		t.Fatalf("before the first: %v, %v", b, err)
	}
	add := func(id history.ID, who string) {
		t.Helper()
		err := s.ChangeHistory(t.Context(), func(old *history.Book) (*history.Book, error) {
			b := history.NewBuilder(old)
			b.Add(history.Message{ID: id, Time: noon, Direction: history.Inbound, Addresses: []string{who}})
			return b.Book(), nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(1, "a@partner.example")
	add(2, "b@partner.example")
	b, err := file.New(dir, nil).LoadHistory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a@partner.example", "b@partner.example"}, b.Senders()); diff != "" {
		t.Error(diff)
	}
	stop := errors.New("stop")
	if err := s.ChangeHistory(t.Context(), func(*history.Book) (*history.Book, error) { return nil, stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left over: %v", names)
	}
}

func TestDamagedHistory(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, file.HistoryName)
	text := `{"schema":"sekisho.history-file/v1","sent":false}` + "\n{\"address\":\"a@b.exa"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := file.New(dir, nil)
	_, err := s.LoadHistory(t.Context())
	e, ok := errors.AsType[*desk.Error](err)
	if !ok {
		t.Fatalf("got %v, want a desk.Error", err)
	}
	got := strings.TrimPrefix(lang.Default().Say(lang.EN, e.Message), dir+string(filepath.Separator))
	if diff := cmp.Diff("history.jsonl: the history is damaged (history: line 2: unexpected end of JSON input)", got); diff != "" {
		t.Error(diff)
	}
	// What cannot be read must not be written over.
	if err := s.ChangeHistory(t.Context(), func(*history.Book) (*history.Book, error) { return history.NewBuilder(nil).Book(), nil }); err == nil {
		t.Error("changed a damaged file")
	}
	if b, _ := os.ReadFile(name); string(b) != text {
		t.Error("the damaged file was changed")
	}
}
