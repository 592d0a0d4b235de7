package cli

import (
	"fmt"
	"path/filepath"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type backupCmd struct {
	File string `arg:"" name:"file"`
}

type restoreCmd struct {
	File string `arg:"" name:"file"`
}

// backupSchema names the record about a backup, in docs/schema.
const backupSchema = "sekisho.backup/v1"

// Backup is what a backup holds, and where it is: the record of "sekisho backup"
// and "sekisho restore".
type Backup struct {
	Schema string `json:"schema"`
	File   string `json:"file"`
	Data   string `json:"data"` // the folder
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
}

// Run writes a backup.
func (c *backupCmd) Run(r *run) error {
	if !r.hasStore() {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("backup.error.nothing", "dir", r.dataDir()), Hint: lang.M("backup.hint.nothing")}
	}
	files, bytes, err := r.Backup(r.ctx, r.dataDir(), filepath.Clean(c.File), r.Now())
	if err != nil {
		return err
	}
	return r.backup(&Backup{File: c.File, Data: r.dataDir(), Files: files, Bytes: bytes}, "backup.done", c.File)
}

// Run brings a backup back.
func (c *restoreCmd) Run(r *run) error {
	if r.dataDir() == "" {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("store.error.no-folder"), Hint: lang.M("store.hint.no-folder")}
	}
	files, bytes, err := r.Restore(r.ctx, filepath.Clean(c.File), r.dataDir())
	if err != nil {
		return err
	}
	return r.backup(&Backup{File: c.File, Data: r.dataDir(), Files: files, Bytes: bytes}, "backup.restored", r.dataDir())
}

func (r *run) backup(b *Backup, key, where string) error {
	b.Schema = backupSchema
	if r.flags.Output != "text" {
		return r.writeRecord(b)
	}
	mib := fmt.Sprintf("%.1f", float64(b.Bytes)/(1<<20))
	if key == "backup.restored" {
		fmt.Fprintln(r.Stdout, r.say("backup.restored", "files", b.Files, "mib", mib, "dir", term.Clean(where)))
		return nil
	}
	fmt.Fprintln(r.Stdout, r.say("backup.done", "files", b.Files, "mib", mib, "file", term.Clean(where)))
	return nil
}
