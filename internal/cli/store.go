package cli

import (
	"os"
	"path/filepath"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Store is the database of a data folder.
type Store interface {
	desk.NewsStore
	desk.AdvisoryStore
	desk.DigestStore
	desk.ReportStore
	desk.AuditStore
	desk.MailboxStore
	desk.APITokenStore

	Close() error
}

// store opens the database of the data folder. Whoever opens it closes it.
func (r *run) store() (Store, error) {
	if r.dataDir() == "" {
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("store.error.no-folder"), Hint: lang.M("store.hint.no-folder")}
	}
	return r.Store(r.ctx, r.dataDir())
}

// hasStore reports whether there is a database. A command that only looks
// something up does not create one.
func (r *run) hasStore() bool {
	if r.dataDir() == "" || r.Store == nil {
		return false
	}
	_, err := os.Stat(filepath.Join(r.dataDir(), storeFile))
	return err == nil
}

// storeFile is the database in the data folder.
const storeFile = "sekisho.db"
