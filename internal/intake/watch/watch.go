// Package watch takes in the mails that are put into a folder: files with one
// message each, whatever their form. A file that was taken in moves to done/, one
// that is no mail to bad/, beside a text that says why.
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// The folders into which files move.
const (
	DoneDir = "done"
	BadDir  = "bad"
)

const (
	// DefaultEvery is how often a folder is looked at.
	DefaultEvery = 5 * time.Second

	maxFiles = 10_000 // that are looked at in one round
)

// Options says which folder to watch.
type Options struct {
	Dir   string
	Every time.Duration // 0 is [DefaultEvery]

	// Read returns the messages of a file.
	Read func(ctx context.Context, path string) iter.Seq[desk.Item]
	// Accept takes responsibility for a mail.
	Accept func(ctx context.Context, d *desk.Delivery) (desk.MailID, error)
	// Problem is told what went wrong. It may be nil.
	Problem func(err error)
}

// state is what a file looked like in the last round.
type state struct {
	size     int64
	modified time.Time
}

type watcher struct {
	o    *Options
	seen map[string]state
}

// Run watches the folder until ctx ends. The error is that the folder is not
// there or cannot be written to.
func Run(ctx context.Context, o *Options) error {
	for _, d := range []string{DoneDir, BadDir} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o700); err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	every := o.Every
	if every <= 0 {
		every = DefaultEvery
	}
	w := &watcher{o: o}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		if err := w.round(ctx); err != nil && ctx.Err() == nil && o.Problem != nil {
			o.Problem(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// round takes in the files that have not changed since the last one: whoever
// writes one is done with it. What begins with a dot and what ends in .tmp or
// .part is not looked at; that is how others mark a file that is not whole.
func (w *watcher) round(ctx context.Context) error {
	d, err := os.Open(w.o.Dir)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	list, err := d.ReadDir(maxFiles)
	_ = d.Close() // it was only read
	if err != nil && len(list) == 0 && !strings.Contains(err.Error(), "EOF") {
		return fmt.Errorf("watch: %w", err)
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	now := map[string]state{}
	for _, f := range list {
		name := f.Name()
		if !f.Type().IsRegular() || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".tmp") || strings.HasSuffix(name, ".part") {
			continue
		}
		info, err := f.Info()
		if err != nil {
			continue // it is gone
		}
		s := state{info.Size(), info.ModTime()}
		if old, ok := w.seen[name]; !ok || old != s {
			now[name] = s
			continue
		}
		if err := w.take(ctx, name); err != nil {
			now[name] = s // again in the next round
			w.seen = now
			return err
		}
	}
	w.seen = now
	return nil
}

// take takes one file in. The error is not the file's fault.
func (w *watcher) take(ctx context.Context, name string) error {
	path := filepath.Join(w.o.Dir, name)
	var wrong error
	n := 0
	for it := range w.o.Read(ctx, path) {
		err := it.Err
		if err == nil {
			n++
			_, err = w.o.Accept(ctx, &desk.Delivery{Raw: it.Raw, Source: desk.SourceWatch})
			if e, ok := errors.AsType[*desk.Error](err); err != nil && (!ok || e.Kind != desk.Invalid || e.Err != nil) {
				return err // the disk is full, say: the file stays
			}
		}
		if err != nil && wrong == nil {
			wrong = err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if wrong == nil && n > 0 {
		return w.move(path, DoneDir, name)
	}
	why := "no mail in it"
	if wrong != nil {
		why = wrong.Error()
		if e, ok := errors.AsType[*desk.Error](wrong); ok {
			t := lang.Default().Render(e.Message)
			why = t.EN + "\n" + t.JA
		}
	}
	if err := os.WriteFile(w.free(BadDir, name+".txt"), []byte(why+"\n"), 0o600); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return w.move(path, BadDir, name)
}

func (w *watcher) move(path, dir, name string) error {
	if err := os.Rename(path, w.free(dir, name)); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	return nil
}

// free returns a name in dir that nothing has.
func (w *watcher) free(dir, name string) string {
	for i := 0; ; i++ {
		p := filepath.Join(w.o.Dir, dir, name)
		if i > 0 {
			p = filepath.Join(w.o.Dir, dir, fmt.Sprintf("%d-%s", i, name))
		}
		if _, err := os.Lstat(p); errors.Is(err, fs.ErrNotExist) || i == maxFiles {
			return p
		}
	}
}
