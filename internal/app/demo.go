package app

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
)

// fill puts the examples into the stores and returns how many mails.
func (s *server) fill(ctx context.Context) (int, error) {
	kept, err := desk.KeepMail(ctx, desk.KeepMailInput{Items: s.exampleMails(ctx), Source: desk.SourceDemo, Who: desk.WhoTerminal}, s.mail)
	if err != nil {
		return 0, err
	}
	reports := desk.ReportIntake{Store: s.db, Facts: s.Config.Facts, Words: s.Words, Now: s.Now()}
	if _, err := desk.IngestReports(ctx, s.exampleReports(), reports); err != nil {
		return 0, err
	}
	news := &desk.NewsDeps{Store: s.db, Sources: s.Config.News, Facts: s.Config.Facts, Words: s.Words, Now: s.Now}
	for name, data := range s.examples("news", ".html", ".md", ".txt") {
		if path.Base(name) == "README.md" {
			continue
		}
		if _, err := desk.AddNews(ctx, data, name, "", "", news); err != nil {
			return 0, err
		}
	}
	return len(kept), nil
}

// examples yields the files of a folder whose name ends so.
func (s *server) examples(folder string, ends ...string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		list, err := fs.ReadDir(s.Examples, folder)
		if err != nil {
			return // they are built in
		}
		for _, e := range list {
			name := path.Join(folder, e.Name())
			for _, end := range ends {
				if !strings.HasSuffix(name, end) {
					continue
				}
				b, err := fs.ReadFile(s.Examples, name)
				if err != nil || !yield(name, b) {
					return
				}
			}
		}
	}
}

func (s *server) exampleMails(ctx context.Context) iter.Seq[desk.Item] {
	return func(yield func(desk.Item) bool) {
		for _, folder := range []string{"directsend", "forward", "ham", "phish"} {
			for name, b := range s.examples(folder, ".eml") {
				for it := range mailbox.Walk(ctx, []string{mailbox.Stdin}, bytes.NewReader(b), nil) {
					it.File = name
					if !yield(it) {
						return
					}
				}
			}
		}
	}
}

func (s *server) exampleReports() iter.Seq[desk.ReportFile] {
	return func(yield func(desk.ReportFile) bool) {
		for name, b := range s.examples("dmarc", ".xml", ".gz", ".json") {
			if !yield(desk.ReportFile{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}) {
				return
			}
		}
	}
}
