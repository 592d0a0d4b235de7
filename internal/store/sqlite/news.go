package sqlite

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

var _ desk.NewsStore = (*DB)(nil)

// NewsSources implements [desk.NewsStore].
func (db *DB) NewsSources(ctx context.Context) (map[string]source.State, error) {
	out := map[string]source.State{}
	err := db.query(ctx, func(scan func(...any) error) error {
		var id, text string
		var s source.State
		if err := scan(&id, &text); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			return fmt.Errorf("state of source %s: %w", id, err)
		}
		out[id] = s
		return nil
	}, `SELECT id, state FROM news_source WHERE organisation = ?`, db.organisation)
	return out, err
}

// KeepNews implements [desk.NewsStore].
func (db *DB) KeepNews(ctx context.Context, p *desk.NewsPull) error {
	state, err := json.Marshal(p.State)
	if err != nil {
		return fmt.Errorf("state of source %s: %w", p.Source, err)
	}
	// What takes time is done before others have to wait.
	packed := map[string][]byte{}
	for id, body := range p.Snapshots {
		if packed[id], err = gzipped(body); err != nil {
			return err
		}
	}
	return db.update(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO news_source (organisation, id, state) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET state = excluded.state`, db.organisation, p.Source, string(state)); err != nil {
			return err
		}
		at := time.Time{}
		for i := range p.Items {
			at = p.Items[i].At
		}
		for _, id := range slices.Sorted(maps.Keys(packed)) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO news_snapshot (organisation, id, at, body) VALUES (?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, db.organisation, id, unix(at), packed[id]); err != nil {
				return err
			}
		}
		return db.keepItems(ctx, tx, p.Items)
	})
}

func (db *DB) keepItems(ctx context.Context, tx *sql.Tx, list []desk.NewsVersion) (err error) {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO news_item (organisation, id, version, newest, source, at, snapshot, item, change) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, insert.Close()) }()
	for i := range list {
		v := &list[i]
		if v.Version > 1 {
			r, err := tx.ExecContext(ctx, `UPDATE news_item SET newest = 0 WHERE organisation = ? AND id = ? AND version = ? AND newest = 1`, db.organisation, v.Item.ID, v.Version-1)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n != 1 {
				return cmp.Or(err, errConflict)
			}
		}
		item, err := json.Marshal(&v.Item)
		if err != nil {
			return err
		}
		change, err := json.Marshal(&v.Change)
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, db.organisation, v.Item.ID, v.Version, v.Item.Source, unix(v.At), v.Item.Snapshot, string(item), string(change)); err != nil {
			return err // a constraint for a version that is there already
		}
	}
	return nil
}

// maxAsked bounds the ids of one question.
const maxAsked = 500

// NewsItems implements [desk.NewsStore].
func (db *DB) NewsItems(ctx context.Context, q *desk.NewsQuery) ([]desk.NewsVersion, error) {
	const columns = `SELECT version, at, item, change FROM news_item WHERE organisation = ? AND newest = 1 AND `
	if q.IDs == nil {
		return db.versions(ctx, columns+`(at >= ? OR id IN (
			SELECT other.item FROM news_item AS seen
			JOIN news_story_item AS own ON own.organisation = seen.organisation AND own.item = seen.id
			JOIN news_story_item AS other ON other.organisation = own.organisation AND other.story = own.story
			WHERE seen.organisation = ? AND seen.newest = 1 AND seen.at >= ?)) ORDER BY id`, db.organisation, unix(q.Since), db.organisation, unix(q.Since))
	}
	ids := slices.Clone(q.IDs)
	slices.Sort(ids)
	var out []desk.NewsVersion
	for part := range slices.Chunk(slices.Compact(ids), maxAsked) {
		marks, args := in(part)
		list, err := db.versions(ctx, columns+`id IN (`+marks+`) ORDER BY id`, append([]any{db.organisation}, args...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// NewsHistory implements [desk.NewsStore].
func (db *DB) NewsHistory(ctx context.Context, id news.ItemID) ([]desk.NewsVersion, error) {
	return db.versions(ctx, `SELECT version, at, item, change FROM news_item WHERE organisation = ? AND id = ? ORDER BY version`, db.organisation, id)
}

func (db *DB) versions(ctx context.Context, question string, args ...any) ([]desk.NewsVersion, error) {
	var out []desk.NewsVersion
	err := db.query(ctx, func(scan func(...any) error) error {
		var v desk.NewsVersion
		var at int64
		var item, change sql.RawBytes
		if err := scan(&v.Version, &at, &item, &change); err != nil {
			return err
		}
		v.At = timeOf(at)
		if err := json.Unmarshal(item, &v.Item); err != nil {
			return fmt.Errorf("an item of news: %w", err)
		}
		if err := json.Unmarshal(change, &v.Change); err != nil {
			return fmt.Errorf("the change of item %s: %w", v.Item.ID, err)
		}
		out = append(out, v)
		return nil
	}, question, args...)
	return out, err
}

// NewsSnapshot implements [desk.NewsStore].
func (db *DB) NewsSnapshot(ctx context.Context, id string) ([]byte, error) {
	var packed []byte
	err := db.read.QueryRowContext(ctx, `SELECT body FROM news_snapshot WHERE organisation = ? AND id = ?`, db.organisation, id).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, db.failure(err)
	}
	body, err := gunzipped(packed)
	return body, db.failure(err)
}

func gzipped(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func gunzipped(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("a snapshot: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(r, feed.MaxBytes+1))
	if err == nil && len(body) > feed.MaxBytes {
		err = errors.New("longer than any document that is kept")
	}
	if err != nil {
		return nil, fmt.Errorf("a snapshot: %w", err)
	}
	return body, nil
}

// KeepStories implements [desk.NewsStore].
func (db *DB) KeepStories(ctx context.Context, keep []desk.StoryRecord, remove []string) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		for _, id := range remove {
			if _, err := tx.ExecContext(ctx, `DELETE FROM news_story WHERE organisation = ? AND id = ?`, db.organisation, id); err != nil {
				return err
			}
		}
		for i := range keep {
			if err := db.keepStory(ctx, tx, &keep[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (db *DB) keepStory(ctx context.Context, tx *sql.Tx, s *desk.StoryRecord) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO news_story (organisation, id, grade, last, story) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET grade = excluded.grade, last = excluded.last, story = excluded.story`, db.organisation, s.ID, s.Grade, unix(s.Last), string(text)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM news_story_item WHERE organisation = ? AND story = ?`, db.organisation, s.ID); err != nil {
		return err
	}
	for _, it := range s.Items {
		if _, err := tx.ExecContext(ctx, `INSERT INTO news_story_item (organisation, item, story) VALUES (?, ?, ?)
			ON CONFLICT DO UPDATE SET story = excluded.story`, db.organisation, it.ID, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// Stories implements [desk.NewsStore].
func (db *DB) Stories(ctx context.Context, q *desk.StoryQuery) ([]desk.StoryRecord, error) {
	switch {
	case q.ID != "":
		return db.stories(ctx, nil, `SELECT id, story FROM news_story WHERE organisation = ? AND id = ?`, db.organisation, q.ID)
	case q.Items == nil:
		return db.stories(ctx, nil, `SELECT id, story FROM news_story WHERE organisation = ? AND last >= ? ORDER BY last DESC, id`, db.organisation, unix(q.Since))
	}
	seen := map[string]bool{}
	var out []desk.StoryRecord
	for part := range slices.Chunk(q.Items, maxAsked) {
		marks, args := in(part)
		list, err := db.stories(ctx, seen, `SELECT id, story FROM news_story WHERE organisation = ? AND id IN (
			SELECT story FROM news_story_item WHERE organisation = ? AND item IN (`+marks+`))`, append([]any{db.organisation, db.organisation}, args...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.SortFunc(out, func(a, b desk.StoryRecord) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// stories returns stories that are not seen yet. A nil seen has seen none.
func (db *DB) stories(ctx context.Context, seen map[string]bool, question string, args ...any) ([]desk.StoryRecord, error) {
	var out []desk.StoryRecord
	err := db.query(ctx, func(scan func(...any) error) error {
		var id string
		var text sql.RawBytes
		var s desk.StoryRecord
		if err := scan(&id, &text); err != nil || seen[id] {
			return err
		}
		if err := json.Unmarshal(text, &s); err != nil {
			return fmt.Errorf("story %s: %w", id, err)
		}
		out = append(out, s)
		if seen != nil {
			seen[id] = true
		}
		return nil
	}, question, args...)
	return out, err
}

// in writes a list of ids into a question.
func in(ids []news.ItemID) (marks string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return strings.TrimSuffix(strings.Repeat("?,", len(ids)), ","), args
}
