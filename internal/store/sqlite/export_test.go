package sqlite

import (
	"context"
	"database/sql"

	"github.com/sekisho/sekisho/internal/desk"
)

// Generate keeps n mails in few transactions, which no user has a need for.
func (db *DB) Generate(ctx context.Context, n int, mail func(i int) *desk.MailRecord) error {
	const batch = 5000
	for from := 0; from < n; from += batch {
		err := db.update(ctx, func(tx *sql.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				r := mail(i)
				verdict, err := pack(r.Judged)
				if err != nil {
					return err
				}
				if _, err := db.insertMail(ctx, tx, r, verdict); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
