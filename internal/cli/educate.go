package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/lesson"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type educateCmd struct {
	Lesson lessonCmd     `cmd:"" default:"withargs"`
	Plan   lessonPlanCmd `cmd:""`
}

type lessonCmd struct {
	Path   string `arg:"" name:"file" optional:""`
	Topic  string `placeholder:"NAME"`
	Format string `enum:"text,md,html" default:"text" placeholder:"FORM"`
	Out    string `placeholder:"DIR"`
}

// Run makes a lesson of an advisory, of a mail or about a topic.
func (c *lessonCmd) Run(r *run) error {
	in, err := c.input(r)
	if err != nil {
		return err
	}
	in.Topic = c.Topic
	x, remarks, err := desk.Educate(in, desk.EducateDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now})
	if err != nil {
		return err
	}
	if c.Out != "" {
		err = c.files(r, x)
	} else {
		err = c.print(r, x)
	}
	for _, m := range remarks {
		fmt.Fprintln(r.Stderr, "sekisho: "+m.Rule+": "+term.Clean(m.Message.In(r.lang)))
	}
	return err
}

// input reads an advisory or verdicts; anything else is judged as mail.
func (c *lessonCmd) input(r *run) (*desk.EducateInput, error) {
	if c.Path == "" {
		return &desk.EducateInput{}, nil
	}
	if st, err := os.Stat(c.Path); err == nil && st.Mode().IsRegular() && st.Size() <= maxArticle {
		data, err := os.ReadFile(c.Path)
		if err != nil {
			return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("advise.error.open", "file", c.Path, "error", err.Error()), Hint: lang.M("advise.hint.open"), Err: err}
		}
		if in, ok, err := desk.ReadLessonSource(data, filepath.Base(c.Path)); ok || err != nil {
			if err == nil && in.Advisory != nil {
				_, err = c.kept(r, in.Advisory.ID, in.Advisory)
			}
			return c.found(in, err)
		}
	}
	if _, err := os.Stat(c.Path); err != nil && (desk.IsAdvisoryID(c.Path) || desk.IsStoryID(c.Path)) {
		doc, err := c.kept(r, c.Path, nil)
		return c.found(&desk.EducateInput{Advisory: doc}, err)
	}
	deps, err := r.judgeDeps()
	if err != nil {
		return nil, err
	}
	if deps.Rules, err = r.ruleSet(nil, true); err != nil {
		return nil, err
	}
	deps.Lists = r.lists
	in := &desk.EducateInput{}
	items := r.Walk(r.ctx, []string{c.Path}, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	for v := range desk.Judge(context.WithoutCancel(r.ctx), items, deps) {
		if v.Error != nil {
			r.warnAbout(place(v), v.Error)
		}
		in.Worst(v)
	}
	return c.found(in, nil)
}

// kept returns an advisory of the store, and warns of one that is not approved. Of
// a document from a file it only looks whether it is the one that was approved.
func (c *lessonCmd) kept(r *run, id string, doc *advisory.Document) (out *advisory.Document, err error) {
	unapproved := func(state string) {
		fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.advisory.unapproved", "id", id, "state", state))
	}
	if doc != nil && !r.hasStore() {
		unapproved(r.say("approval.state.draft"))
		return doc, nil
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return nil, err
	}
	defer func() { err = closed(s, err) }()
	k, err := desk.FindAdvisory(r.ctx, id, deps)
	if e, ok := errors.AsType[*desk.Error](err); ok && e.Kind == desk.NotFound && doc != nil {
		unapproved(r.say("approval.state.draft"))
		return doc, nil
	}
	if err != nil {
		return nil, err
	}
	if !k.Approved || doc != nil && !k.SameAdvisory(doc) {
		state := k.State
		if k.Approved {
			state = workflow.Draft // of what the file says
		}
		unapproved(r.say("approval.state." + string(state)))
	}
	if doc != nil {
		return doc, nil
	}
	return k.Record.Document, nil
}

func (c *lessonCmd) found(in *desk.EducateInput, err error) (*desk.EducateInput, error) {
	if err == nil && in.Verdict == nil && in.Advisory == nil && c.Topic == "" {
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("educate.error.harmless", "file", c.Path), Hint: lang.M("educate.hint.harmless")}
	}
	return in, err
}

func (c *lessonCmd) print(r *run, x *lesson.Lesson) error {
	if r.flags.Output != "text" {
		return r.writeRecord(x)
	}
	switch c.Format {
	case "md":
		fmt.Fprint(r.Stdout, x.Markdown(r.lang))
	case "html":
		page, err := x.HTML(r.lang)
		if err != nil {
			return err
		}
		fmt.Fprint(r.Stdout, page)
	default:
		r.indented("", strings.TrimSuffix(x.Text(r.lang), "\n"))
	}
	return nil
}

// files writes every form into a folder.
func (c *lessonCmd) files(r *run, x *lesson.Lesson) error {
	record, err := marshal(x, "", "  ")
	if err != nil {
		return err
	}
	files := map[string][]byte{"lesson.json": append(record, '\n')}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		page, err := x.HTML(l)
		if err != nil {
			return err
		}
		files["lesson."+string(l)+".html"] = []byte(page)
		files["lesson."+string(l)+".md"] = []byte(x.Markdown(l))
		files["lesson."+string(l)+".txt"] = []byte(x.Text(l))
	}
	return r.writeFiles(c.Out, files)
}

type lessonPlanCmd struct {
	Year   int    `placeholder:"YEAR"`
	Format string `enum:"text,md,ics" default:"text" placeholder:"FORM"`
}

// Run prints the plan of a year.
func (c *lessonPlanCmd) Run(r *run) error {
	year := c.Year
	if year == 0 {
		year = r.Now().Year() + 1
	}
	if year < 2000 || year > 2099 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("educate.error.year", "year", strconv.Itoa(year)), Hint: lang.M("educate.hint.year")}
	}
	p, err := desk.PlanLessons(year, &r.config.Facts)
	if err != nil {
		return err
	}
	if r.flags.Output != "text" {
		return r.writeRecord(p)
	}
	switch c.Format {
	case "md":
		fmt.Fprint(r.Stdout, p.Markdown(r.lang))
	case "ics":
		fmt.Fprint(r.Stdout, p.ICS(r.lang))
	default:
		r.indented("", strings.TrimSuffix(p.Text(r.lang), "\n"))
	}
	return nil
}

// writeFiles writes files into a folder, in the order of their names, and prints
// where they are.
func (r *run) writeFiles(dir string, files map[string][]byte) error {
	fail := func(err error) error {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("advise.error.out", "dir", dir, "error", err.Error()), Hint: lang.M("advise.hint.out"), Err: err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if err := atomicfile.Replace(path, files[name]); err != nil {
			return fail(err)
		}
		fmt.Fprintln(r.Stdout, path)
	}
	return nil
}
