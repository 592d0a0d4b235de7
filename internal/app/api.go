package app

import (
	"context"
	"io"
	"iter"
	"os"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/httpapi"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// programs is what the API needs.
func (s *server) programs() httpapi.Deps {
	d := httpapi.Deps{
		Mail: s.mail, Intake: s.intakeDeps(), Similar: s.db, News: s.db, Advisories: s.db, Reports: s.db, Digests: s.db, Patch: s.files,
		Read: readItems, ReadReports: readReports, DNS: s.DNS, Fetch: s.Fetch,
		Config: s.Config, Words: s.Words, Now: s.Now, Metrics: s.metrics, Version: s.Version,
	}
	if d.DNS == nil {
		d.DNS = func() (resolve.Resolver, bool, error) { return nil, false, nil }
	}
	if file := s.Config.DMARC.Sources; file != "" {
		d.Senders = func() ([]source.Verdict, error) { return senders(file) }
	}
	return d
}

// senders reads what the user knows of sources of mail.
func senders(file string) ([]source.Verdict, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("api.error.senders"), Hint: lang.M("api.hint.senders"), Err: err}
	}
	return desk.ReadSources(file, string(text))
}

// readReports reads what somebody hands in.
func readReports(ctx context.Context, r io.Reader) iter.Seq[desk.ReportFile] {
	return mailbox.Files(ctx, []string{mailbox.Stdin}, r, func(int64) {})
}
