package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/triage"
)

type newsCmd struct {
	Pull    newsPullCmd    `cmd:""`
	List    newsListCmd    `cmd:""`
	Show    newsShowCmd    `cmd:""`
	Add     newsAddCmd     `cmd:""`
	Sources newsSourcesCmd `cmd:""`
}

// newsDeps opens the store for a command about news.
func (r *run) newsDeps() (*desk.NewsDeps, Store, error) {
	s, err := r.store()
	if err != nil {
		return nil, nil, err
	}
	deps := &desk.NewsDeps{Store: s, Sources: r.config.News, Facts: r.config.Facts, Words: r.words, Now: r.Now}
	if !r.flags.Offline {
		deps.Fetch, _ = r.Fetch()
	}
	return deps, s, nil
}

type newsPullCmd struct {
	Sources []string `arg:"" name:"source" optional:""`
	Force   bool
	DryRun  bool
}

// Run reads the sources.
func (c *newsPullCmd) Run(r *run) (err error) {
	deps, s, err := r.newsDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	if c.DryRun {
		return c.dry(r, deps)
	}
	if f, ok := r.Stderr.(*os.File); ok && term.IsTerminal(f) {
		bar := term.NewProgress(f, &term.ProgressOptions{Columns: term.Columns(f, r.getenv)})
		defer bar.Close()
		deps.Progress = func(done, total int) {
			if done == 1 {
				bar.SetTotal(total)
			}
			bar.Add(1)
		}
	}
	out, err := desk.PullNews(r.ctx, &desk.PullInput{Sources: c.Sources, Force: c.Force}, deps)
	if err != nil {
		return err
	}
	failed := 0
	for i := range out.Sources {
		x := &out.Sources[i]
		switch x.Pull.Outcome {
		case source.Fetched, source.NotModified, source.Waiting:
		default:
			failed++
			message, hint := lang.M("cli.news.failed", "source", x.Name, "why", x.Message), lang.M("cli.hint.news.failed", "detail", x.Detail)
			r.warnText(r.words.Render(message), r.words.Render(hint))
		}
	}
	if r.flags.Output == "text" {
		c.text(r, out)
	} else if err := r.writeRecord(out); err != nil {
		return err
	}
	if failed > 0 || out.Stopped {
		return statusError(exitUnread)
	}
	return nil
}

// dry says what would be asked.
func (c *newsPullCmd) dry(r *run, deps *desk.NewsDeps) error {
	list, err := desk.DueSources(r.ctx, &desk.PullInput{Sources: c.Sources, Force: c.Force}, deps)
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		for i := range list {
			x := &list[i]
			when := r.say("cli.news.dry")
			if x.Next != nil && x.Next.After(r.Now()) && !c.Force {
				when = r.say("cli.news.waiting-until", "at", x.Next.In(r.Now().Location()).Format("2006-01-02 15:04"))
			}
			fmt.Fprintln(r.Stdout, term.Clean(x.Name.In(r.lang))+": "+when)
			fmt.Fprintln(r.Stdout, "   "+r.style.Paint(term.Dim, term.Clean(x.URL)))
		}
	})
}

// closed closes a store after its use; an error before says more.
func closed(s Store, err error) error {
	if e := s.Close(); err == nil {
		return e
	}
	return err
}

func (c *newsPullCmd) text(r *run, out *desk.Pulled) {
	width := 0
	for i := range out.Sources {
		width = max(width, term.Width(term.Clean(out.Sources[i].Name.In(r.lang))))
	}
	for i := range out.Sources {
		x := &out.Sources[i]
		line := ""
		switch x.Pull.Outcome {
		case source.Fetched:
			line = r.say("cli.news.fetched", "items", x.Pull.Items, "new", x.Pull.New, "changed", x.Pull.Changed)
		case source.NotModified:
			line = r.say("cli.news.not-modified")
		case source.Waiting:
			line = r.say("cli.news.waiting")
			if x.Next != nil {
				line = r.say("cli.news.waiting-until", "at", x.Next.In(r.Now().Location()).Format("2006-01-02 15:04"))
			}
		default: // on standard error, with the reason
			line = r.style.Paint(term.Suspicious, r.say("cli.news.unread"))
		}
		fmt.Fprintln(r.Stdout, term.Pad(term.Clean(x.Name.In(r.lang)), width)+"   "+line)
		for _, d := range x.Pull.Defects {
			r.within(strings.Repeat(" ", width+3), r.style.Paint(term.Dim, d.In(r.lang)))
		}
	}
	fmt.Fprintln(r.Stdout)
	if out.Stopped {
		fmt.Fprintln(r.Stdout, r.say("cli.stopped"))
	}
	counts := make([]string, 0, len(out.Graded))
	for _, g := range out.Graded {
		counts = append(counts, g.Grade+" "+strconv.Itoa(g.N))
	}
	fmt.Fprintln(r.Stdout, r.say("cli.news.pulled", "new", out.New, "changed", out.Changed, "stories", out.Stories, "grades", strings.Join(counts, ", ")))
	if len(out.Reopened) > 0 {
		fmt.Fprintln(r.Stdout)
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("cli.news.reopened", "n", len(out.Reopened))))
		for i := range out.Reopened {
			r.story(&out.Reopened[i])
		}
	}
	if out.First && out.New > 0 {
		r.within("", r.say("cli.news.first"))
	}
	if out.Stories+len(out.Reopened) > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.news.next"))
	}
}

// within prints a text with a margin.
func (r *run) within(margin, s string) {
	for _, l := range term.Wrap(s, max(40, r.columns()-len(margin))) {
		fmt.Fprintln(r.Stdout, margin+l)
	}
}

// story prints a story in a few lines.
func (r *run) story(s *desk.StoryRecord) {
	fmt.Fprintln(r.Stdout, r.gradeLine(s))
	r.within("   ", term.Clean(s.Title))
	names := make([]string, 0, len(s.Sources))
	for _, id := range s.Sources {
		names = append(names, r.sourceName(id))
	}
	fmt.Fprintln(r.Stdout, "   "+r.style.Paint(term.Dim, s.ID+"  "+strings.Join(names, ", ")+"  "+s.Last.In(r.Now().Location()).Format(time.DateOnly)))
	if s.Reopened != nil {
		r.within("   ", r.reopened(s))
	}
	r.within("   ", r.joined(s.Why))
	fmt.Fprintln(r.Stdout)
}

func (r *run) gradeLine(s *desk.StoryRecord) string {
	line := r.grade(s.Grade) + "  " + r.style.Paint(term.Bold, s.Label.In(r.lang))
	if due, err := time.ParseInLocation(time.DateOnly, s.Due, r.Now().Location()); err == nil {
		line += "   " + r.say("cli.news.due", "date", due)
	}
	return line
}

func (r *run) grade(g triage.Grade) string {
	switch g {
	case triage.A:
		return r.style.Paint(term.Malicious, string(g))
	case triage.B:
		return r.style.Paint(term.Suspicious, string(g))
	case triage.C:
		return r.style.Paint(term.Bold, string(g))
	case triage.D:
	}
	return r.style.Paint(term.Dim, string(g))
}

// joined writes sentences as one text.
func (r *run) joined(list []lang.Text) string {
	var out []string
	for _, t := range list {
		out = append(out, t.In(r.lang))
	}
	if r.lang == lang.JA {
		return strings.Join(out, "")
	}
	return strings.Join(out, " ")
}

func (r *run) reopened(s *desk.StoryRecord) string {
	return r.say("cli.news.reopened."+string(s.Reopened.Cause), "at", s.Reopened.At.In(r.Now().Location()), "was", string(s.Reopened.Was), "fields", r.fieldNames(s.Reopened.Fields))
}

func (r *run) fieldNames(list []string) []string {
	out := make([]string, 0, len(list))
	for _, f := range list {
		out = append(out, r.say("cli.news.field."+f))
	}
	return out
}

func (r *run) sourceName(id string) string {
	for _, s := range r.config.News {
		if s.ID == id {
			return lang.Text(s.Name).In(r.lang)
		}
	}
	if id == "added" {
		return r.say("news.added")
	}
	return id
}

type newsListCmd struct {
	Since  string   `default:"30d" placeholder:"WHEN"`
	Grade  []string `enum:"A,B,C,D" placeholder:"GRADE"`
	Source string   `placeholder:"SOURCE"`
}

// since reads "7d" or a date.
func since(s string, now time.Time) (time.Time, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if days, err := strconv.Atoi(n); err == nil && days >= 0 && days <= 36_500 {
			return now.AddDate(0, 0, -days), nil
		}
	}
	t, err := time.ParseInLocation(time.DateOnly, s, now.Location())
	if err != nil {
		return t, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.since", "value", s), Hint: lang.M("cli.hint.since")}
	}
	return t, nil
}

// Run lists stories.
func (c *newsListCmd) Run(r *run) (err error) {
	f := &desk.NewsFilter{Source: c.Source}
	if f.Since, err = since(c.Since, r.Now()); err != nil {
		return err
	}
	for _, g := range c.Grade {
		f.Grades = append(f.Grades, triage.Grade(g))
	}
	list, gaps, err := r.listNews(f)
	if err != nil {
		return err
	}
	err = writeRecords(r, list, func() {
		for i := range list {
			r.story(&list[i])
		}
		if len(list) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.news.none"))
		} else {
			fmt.Fprintln(r.Stdout, r.say("cli.news.listed", "n", len(list)))
		}
	})
	r.gaps(gaps)
	return err
}

// listNews returns the stories that are kept here, or by a server that is asked.
func (r *run) listNews(f *desk.NewsFilter) (list []desk.StoryRecord, gaps []desk.SourceRecord, err error) {
	if r.server != nil {
		return r.askNews(f)
	}
	deps, s, err := r.newsDeps()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = closed(s, err) }()
	return desk.ListNews(r.ctx, f, deps)
}

// gaps says what is not in the list because it could not be read.
func (r *run) gaps(list []desk.SourceRecord) {
	to, start := r.Stdout, ""
	if r.flags.Output != "text" {
		to, start = r.Stderr, "sekisho: "
	}
	var never []string
	for i := range list {
		if g := &list[i]; g.Health == source.Unknown {
			never = append(never, g.Name.In(r.lang))
		} else {
			fmt.Fprintln(to, start+r.say("cli.news.gap", "source", term.Clean(g.Name.In(r.lang)), "from", g.MissedFrom.In(r.Now().Location()), "why", g.Message.In(r.lang)))
		}
	}
	if len(never) > 0 {
		fmt.Fprintln(to, start+r.say("cli.news.never", "sources", strings.Join(never, ", ")))
	}
}

type newsShowCmd struct {
	Story string `arg:"" name:"story"`
}

// Run shows a story with all that is kept of it.
func (c *newsShowCmd) Run(r *run) (err error) {
	deps, s, err := r.newsDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	d, err := desk.ShowNews(r.ctx, c.Story, s, deps)
	if err != nil {
		return err
	}
	if r.flags.Output != "text" {
		return r.writeRecord(d)
	}
	r.story(&d.Story)
	for _, t := range d.Story.Confirm {
		r.within("   ", r.say("cli.news.confirm", "what", t))
	}
	fmt.Fprintln(r.Stdout, "   "+r.say("cli.news.row", "row", d.Story.Row, "at", d.Story.GradedAt.In(r.Now().Location())))
	if len(d.Story.CVEs) > 0 {
		r.within("   ", strings.Join(d.Story.CVEs, ", "))
	}
	if len(d.Story.Related) > 0 {
		r.within("   ", r.say("cli.news.related", "ids", d.Story.Related))
	}
	for i := range d.Items {
		r.item(&d.Items[i])
	}
	if len(d.Advisories) > 0 {
		fmt.Fprintln(r.Stdout)
	}
	for _, a := range d.Advisories {
		fmt.Fprintln(r.Stdout, r.say("cli.news.advisory", "version", a.Version, "grade", a.Grade, "at", a.At.In(r.Now().Location()), "id", a.ID))
	}
	return nil
}

func (r *run) item(it *desk.ItemDetail) {
	fmt.Fprintln(r.Stdout)
	head := term.Clean(it.SourceName.In(r.lang))
	if it.Published != nil {
		head += "  " + it.Published.In(r.Now().Location()).Format(time.DateOnly)
	}
	if it.Grades {
		head += "  " + r.say("cli.news.grades")
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, head))
	r.within("  ", term.Clean(it.Title))
	if it.Link != "" {
		fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Dim, term.Clean(it.Link)))
	}
	for _, v := range it.Versions {
		at := v.At.In(r.Now().Location())
		switch {
		case v.Version == 1:
			r.within("  ", r.say("cli.news.version.first", "at", at))
		case v.Material:
			r.within("  ", r.say("cli.news.version.material", "n", v.Version, "at", at, "fields", r.fieldNames(v.Fields)))
		default:
			r.within("  ", r.say("cli.news.version.wording", "n", v.Version, "at", at, "fields", r.fieldNames(v.Fields)))
		}
		for _, f := range v.Added {
			r.within("    ", "+ "+term.Clean(f))
		}
		for _, f := range v.Removed {
			r.within("    ", "- "+term.Clean(f))
		}
	}
}

type newsAddCmd struct {
	Places []string `arg:"" name:"file-or-url"`
}

// Run adds what a person names. What cannot be read is named, and the others are
// added.
func (c *newsAddCmd) Run(r *run) (err error) {
	deps, s, err := r.newsDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	all, failed := &desk.Added{}, false
	for _, place := range c.Places {
		out, err := c.add(r, place, deps)
		if err != nil {
			if len(c.Places) == 1 || r.ctx.Err() != nil {
				return err
			}
			_ = r.fail(err)
			failed = true
			continue
		}
		all.New, all.Changed = all.New+out.New, all.Changed+out.Changed
		for _, story := range out.Stories {
			// A later report can join the story of an earlier one.
			all.Stories = append(slices.DeleteFunc(all.Stories, func(have desk.StoryRecord) bool { return have.ID == story.ID }), story)
		}
	}
	err = writeRecords(r, all.Stories, func() {
		for i := range all.Stories {
			r.story(&all.Stories[i])
		}
		fmt.Fprintln(r.Stdout, r.say("cli.news.added", "new", all.New, "changed", all.Changed))
		if len(all.Stories) == 1 {
			fmt.Fprintln(r.Stdout, r.say("cli.news.advise", "id", all.Stories[0].ID))
		}
	})
	if err == nil && failed {
		return statusError(exitUnread)
	}
	return err
}

func (c *newsAddCmd) add(r *run, place string, deps *desk.NewsDeps) (*desk.Added, error) {
	if low := strings.ToLower(place); strings.HasPrefix(low, "https://") || strings.HasPrefix(low, "http://") {
		return desk.AddNewsFrom(r.ctx, place, deps)
	}
	data, err := r.article(place)
	if err != nil {
		return nil, err
	}
	return desk.AddNews(r.ctx, data, filepath.Base(place), "", "", deps)
}

// article reads a file that the user names, or standard input.
func (r *run) article(path string) ([]byte, error) {
	var from io.Reader
	if path == "-" {
		from = newInterruptible(r.ctx, r.Stdin)
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, articleError(path, err)
		}
		defer func() { _ = f.Close() }() // nothing was written
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, maxArticle+1))
	if err != nil {
		return nil, articleError(path, err)
	}
	return data, nil
}

type newsSourcesCmd struct{}

// Run lists the sources.
func (c *newsSourcesCmd) Run(r *run) (err error) {
	deps, s, err := r.newsDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	list, err := desk.ListSources(r.ctx, deps)
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		id, name := 0, 0
		for i := range list {
			id, name = max(id, term.Width(list[i].ID)), max(name, term.Width(term.Clean(list[i].Name.In(r.lang))))
		}
		for i := range list {
			x := &list[i]
			message := x.Message.In(r.lang)
			switch x.Health {
			case source.Failing, source.Dead, source.Stale:
				message = r.style.Paint(term.Suspicious, message)
			case source.Unknown, source.Disabled:
				message = r.style.Paint(term.Dim, message)
			case source.Good:
			}
			fmt.Fprintln(r.Stdout, term.Pad(x.ID, id)+"  "+term.Pad(term.Clean(x.Name.In(r.lang)), name)+"  "+message)
		}
	})
}
