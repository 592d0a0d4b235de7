package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

type adviseLintCmd struct {
	Path     string   `arg:"" name:"file"`
	Advisory string   `placeholder:"FILE"`
	Draft    string   `enum:"auto,staff.ja,staff.en,admin.ja,admin.en,manager.ja,manager.en" default:"auto" placeholder:"DRAFT"`
	Source   []string `sep:"none" placeholder:"FILE"`
	FailOn   string   `enum:"never,error,warning,note" default:"never" placeholder:"SEVERITY"`
}

// Run holds an advisory, or a draft that a person changed, against its sources.
func (c *adviseLintCmd) Run(r *run) error {
	data, err := r.article(c.Path)
	if err != nil {
		return err
	}
	doc, whole, err := desk.ReadAdvisory(data)
	if err != nil {
		return lintError("broken", c.Path, err)
	}
	var draft *desk.EditedDraft
	if !whole {
		if draft, doc, err = c.draft(r, data); err != nil {
			return err
		}
	}
	items, err := c.items(r, doc)
	if err != nil {
		return err
	}
	deps := &desk.AdviseDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	rep := desk.LintAdvisory(doc, draft, items, deps)
	// What a person set when it was written is confirmed.
	if rec, err := c.kept(r, doc.ID); err != nil {
		return err
	} else if rec != nil {
		known := *rec
		known.Document = doc
		rep = desk.LintKept(&known, draft, items, deps)
	}
	rep.File = c.Path
	if r.flags.Output == "text" {
		c.text(r, rep)
	} else if err := r.writeRecord(rep); err != nil {
		return err
	}
	bad := rep.Errors
	switch c.FailOn {
	case "never":
		return nil
	case "warning":
		bad += rep.Warnings
	case "note":
		bad += rep.Warnings + rep.Notes
	}
	if bad > 0 {
		return statusError(exitFindings)
	}
	return nil
}

func lintError(key, file string, err error) *desk.Error {
	e := &desk.Error{Kind: desk.Invalid, Message: lang.M("advise.lint.error."+key, "file", file), Hint: lang.M("advise.lint.hint." + key), Err: err}
	if err != nil {
		e.Message = lang.M("advise.lint.error."+key, "file", file, "error", err.Error())
	}
	return e
}

// draft reads the file as a draft, and finds whose draft of which advisory it
// is.
func (c *adviseLintCmd) draft(r *run, data []byte) (*desk.EditedDraft, *advisory.Document, error) {
	d := desk.ReadDraft(data)
	if a, l := desk.DraftName(filepath.Base(c.Path)); d.Audience == "" {
		d.Audience, d.Lang = a, l
	}
	if c.Draft != "auto" {
		d.Audience, d.Lang = desk.DraftName(c.Draft)
	}
	if d.Audience == "" {
		return nil, nil, lintError("whose", c.Path, nil)
	}
	file := c.Advisory
	if file == "" {
		file = filepath.Join(filepath.Dir(c.Path), "advisory.json")
		if _, err := os.Stat(file); err != nil {
			if rec, err := c.kept(r, d.Advisory); err != nil || rec != nil {
				if rec == nil {
					return nil, nil, err
				}
				return d, rec.Document, err
			}
			return nil, nil, lintError("which", c.Path, nil)
		}
	}
	b, err := r.article(file)
	if err != nil {
		return nil, nil, err
	}
	doc, ok, err := desk.ReadAdvisory(b)
	if err != nil || !ok {
		return nil, nil, lintError("no-advisory", file, err)
	}
	if doc.Draft(d.Audience, d.Lang) == nil {
		return nil, nil, lintError("no-draft", file, nil)
	}
	return d, doc, nil
}

// kept returns the advisory of that id, nil if it is not in the store.
func (c *adviseLintCmd) kept(r *run, id string) (rec *desk.AdvisoryRecord, err error) {
	if id == "" || !r.hasStore() {
		return nil, nil
	}
	s, err := r.store()
	if err != nil {
		return nil, err
	}
	defer func() { err = closed(s, err) }()
	return s.Advisory(r.ctx, id)
}

// items are the articles that an advisory rests on: those that the user names,
// else those of its story.
func (c *adviseLintCmd) items(r *run, doc *advisory.Document) (items []news.Item, err error) {
	for _, path := range c.Source {
		data, err := r.article(path)
		if err != nil {
			return nil, err
		}
		in, err := desk.ReadArticle(data, filepath.Base(path), r.words)
		if err != nil {
			return nil, err
		}
		items = append(items, in.Items...)
	}
	if len(items) > 0 || !r.hasStore() {
		return items, nil
	}
	deps, s, err := r.newsDeps()
	if err != nil {
		return nil, err
	}
	defer func() { err = closed(s, err) }()
	return desk.AdvisedItems(r.ctx, doc.ID, s, deps)
}

func (c *adviseLintCmd) text(r *run, rep *desk.LintReport) {
	for _, m := range rep.Remarks {
		where := ""
		if m.Audience != "" && m.Lang != "" && rep.Audience == "" {
			where = r.say("advise.draft."+string(m.Audience)+"."+string(m.Lang)) + ": "
		}
		word := r.say("advise.lint.severity." + m.Severity)
		switch m.Severity {
		case "error":
			word = r.style.Paint(term.Malicious, word)
		case "warning":
			word = r.style.Paint(term.Suspicious, word)
		}
		fmt.Fprintln(r.Stdout, m.Rule+"  "+word)
		r.within("     ", term.Clean(where+m.Message.In(r.lang)))
	}
	if len(rep.Remarks) > 0 {
		fmt.Fprintln(r.Stdout)
	}
	held := r.say("advise.lint.held", "n", rep.Sources)
	if rep.Sources == 0 {
		held = r.say("advise.lint.held-facts")
	}
	fmt.Fprintln(r.Stdout, strings.TrimSpace(r.say("advise.lint.total", "errors", rep.Errors, "warnings", rep.Warnings, "notes", rep.Notes)))
	r.within("", held)
}
