package app

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"time"

	"github.com/sekisho/sekisho/internal/backup"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/file"
	"github.com/sekisho/sekisho/internal/store/sqlite"
)

// backUp writes the data folder dir into the file name. A desk that runs goes on.
func backUp(version string) func(ctx context.Context, dir, name string, now time.Time) (int, int64, error) {
	return func(ctx context.Context, dir, name string, now time.Time) (_ int, _ int64, err error) {
		db, err := sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
		if err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		s, err := backup.Write(ctx, backup.Source{Dir: dir, Database: sqlite.FileName, Snapshot: db.Snapshot, Now: now, Version: version}, name)
		if err != nil {
			return 0, 0, err
		}
		return s.Files, s.Bytes, db.AppendAudit(ctx, desk.AuditEntry{At: now, Who: desk.WhoTerminal, Act: desk.ActBackup})
	}
}

// restore brings the backup name back into the new data folder dir.
func restore(ctx context.Context, name, dir string) (int, int64, error) {
	s, err := backup.Restore(ctx, name, dir, checkFolder)
	if err != nil {
		return 0, 0, err
	}
	return s.Files, s.Bytes, nil
}

// checkFolder opens what was restored as the program would.
func checkFolder(ctx context.Context, dir string) (err error) {
	db, err := sqlite.Open(ctx, filepath.Join(dir, sqlite.FileName))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.Check(ctx); err != nil {
		return err
	}
	_, err = file.New(dir, nil).Key(ctx, rand.Reader)
	return err
}
