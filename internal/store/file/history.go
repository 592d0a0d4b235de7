package file

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// HistoryName is the file of the history in the data directory.
const HistoryName = "history.jsonl"

var _ desk.HistoryStore = (*Store)(nil)

// LoadHistory implements [desk.HistoryStore]. A damaged file is an error of kind
// Invalid that names the line.
func (s *Store) LoadHistory(context.Context) (*history.Book, error) {
	b, err := s.read(HistoryName, history.MaxFile)
	if err != nil {
		return nil, s.historyError(err)
	}
	return s.parseHistory(b)
}

// ChangeHistory implements [desk.HistoryStore].
func (s *Store) ChangeHistory(ctx context.Context, edit func(*history.Book) (*history.Book, error)) error {
	err := s.change(ctx, HistoryName, history.MaxFile, func(b []byte) ([]byte, error) {
		old, err := s.parseHistory(b)
		if err != nil {
			return nil, err
		}
		book, err := edit(old)
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		if err := book.Encode(&out); err != nil {
			return nil, err
		}
		return out.Bytes(), nil
	})
	return s.historyError(err)
}

func (s *Store) parseHistory(b []byte) (*history.Book, error) {
	if b == nil {
		return nil, nil
	}
	book, err := history.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, &desk.Error{
			Kind: desk.Invalid, Message: lang.M("history.damaged", "file", filepath.Join(s.dir, HistoryName), "error", err.Error()), Hint: lang.M("history.hint.rebuild"), Err: err,
		}
	}
	return book, nil
}

// historyError replaces the advice about exceptions by one that helps.
func (s *Store) historyError(err error) error {
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind == desk.Limit {
		return &desk.Error{Kind: desk.Limit, Message: e.Message, Hint: lang.M("history.hint.rebuild"), Err: err}
	}
	return err
}
