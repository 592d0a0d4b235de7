package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

// updateFlags are the flags that updates of rules and of lists share.
type updateFlags struct {
	File   string `placeholder:"ARCHIVE"`
	Pin    string `placeholder:"DIGEST"`
	DryRun bool
	Yes    bool `short:"y"`
}

type rulesUpdateCmd struct {
	Feeds []string `arg:"" name:"feed" optional:""`

	Update   updateFlags `embed:""`
	Name     string      `placeholder:"NAME"`
	Preview  []string    `sep:"none" placeholder:"PATH"`
	Rollback string      `placeholder:"NAME"`
	List     bool
}

// Run brings feeds of rules up to date, or does one of the things around it.
func (c *rulesUpdateCmd) Run(r *run) error {
	switch {
	case c.List && len(c.Feeds)+len(c.Rollback) > 0, c.Rollback != "" && len(c.Feeds) > 0:
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.update.one-thing"), Hint: lang.M("cli.hint.usage", "help", "sekisho help rules update")}
	case c.List:
		return c.list(r)
	case c.Rollback != "":
		out, err := desk.RollbackFeed(r.ctx, feeds.RulesFeed, c.Rollback, r.feedDeps())
		if err != nil {
			return err
		}
		return r.showRollback(out, "sekisho rules update --rollback "+out.Name, r.pinOf(c.Rollback, out.Name))
	}
	if err := r.openLists(nil); err != nil {
		return err
	}
	refs := c.Feeds
	if len(refs) == 0 && c.Update.File == "" {
		var err error
		if refs, err = r.feedsToUpdate(); err != nil {
			return err
		}
	}
	if len(refs) == 0 {
		refs = []string{""} // the name is in --name
	}
	if len(refs) > 1 && (c.Update.File != "" || c.Update.Pin != "" || c.Name != "") {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.update.one-feed"), Hint: lang.M("cli.hint.usage", "help", "sekisho help rules update")}
	}
	var in []desk.FeedUpdateInput
	for _, ref := range refs {
		x := desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: ref, Name: c.Name, File: c.Update.File, Load: feeds.Options{Lists: r.lists.Own()}}
		x.Pin = cmp.Or(c.Update.Pin, r.pinOf(ref, c.Name))
		if len(c.Preview) > 0 {
			if err := c.preview(r, &x); err != nil {
				return err
			}
		}
		in = append(in, x)
	}
	return r.updateFeeds(in, c.Update)
}

// preview has the mails of --preview judged, with the other rules of the user.
func (c *rulesUpdateCmd) preview(r *run, in *desk.FeedUpdateInput) error {
	deps, err := r.judgeDeps()
	if err != nil {
		return err
	}
	if slices.Contains(c.Preview, "-") {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.update.preview-stdin"), Hint: lang.M("cli.hint.usage", "help", "sekisho help rules update")}
	}
	deps.Lists = r.lists
	if deps.History, err = r.past(nil, false); err != nil {
		return err
	}
	in.Judge = deps
	in.Mails = func() iter.Seq[desk.Item] {
		return r.Walk(r.ctx, c.Preview, nil, WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	}
	builtin := true
	in.Load.DataDir = r.dataDir()
	for _, s := range r.config.Rules {
		switch {
		case s.Pack != "":
			builtin = builtin && !s.Off
		case s.Path != "":
			in.Beside = append(in.Beside, s.Path)
		}
	}
	if builtin {
		in.Beside = append(in.Beside, feeds.Builtin)
	}
	return nil
}

// feedsToUpdate are those of the configuration, or else those that were fetched
// before.
func (r *run) feedsToUpdate() ([]string, error) {
	var refs []string
	for _, f := range r.configuredFeeds() {
		refs = append(refs, f.Feed)
	}
	if len(refs) == 0 {
		var err error
		if refs, err = desk.UpdatableFeeds(r.dataDir()); err != nil {
			return nil, err
		}
	}
	if len(refs) == 0 {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.update.no-feeds"), Hint: lang.M("cli.update.no-feeds-hint")}
	}
	return refs, nil
}

func (r *run) configuredFeeds() []feeds.Ref {
	var out []feeds.Ref
	for _, s := range r.config.Rules {
		if s.Feed != "" {
			out = append(out, feeds.Ref{Feed: s.Feed, Pin: s.Pin})
		}
	}
	return out
}

// pinOf is the pin of the configuration for a feed, "" if there is none.
func (r *run) pinOf(ref, name string) string {
	for _, f := range r.configuredFeeds() {
		if f.Feed == ref || f.Feed == name || feeds.NameOf(f.Feed) == ref {
			return f.Pin
		}
	}
	return ""
}

// feedDeps is what feeds need; the network only without --offline.
func (r *run) feedDeps() desk.FeedDeps {
	d := desk.FeedDeps{DataDir: r.dataDir(), Words: r.words, Now: r.Now}
	if !r.flags.Offline && r.Fetch != nil {
		d.Fetch, d.Git = r.Fetch()
	}
	return d
}

// updateFeeds brings feeds up to date, one after the other. One that cannot be is
// named, and the others are still done.
func (r *run) updateFeeds(all []desk.FeedUpdateInput, flags updateFlags) error {
	deps := r.feedDeps()
	var done []*desk.FeedUpdate
	declined, failed := false, false
	for _, in := range all {
		bar := r.fetching(&in)
		in.DryRun = flags.DryRun
		asked := false
		in.Confirm = func(u *desk.FeedUpdate) bool {
			bar.Close()
			if r.flags.Output == "text" {
				r.showFeedUpdate(u)
			}
			asked = true
			return flags.Yes || r.confirm(u.Kind)
		}
		u, err := desk.UpdateFeed(r.ctx, in, deps)
		bar.Close()
		if err != nil {
			de, ok := errors.AsType[*desk.Error](err)
			if len(all) == 1 || !ok || r.ctx.Err() != nil {
				return err
			}
			r.warn(de)
			failed = true
			continue
		}
		declined = declined || u.Status == desk.FeedDeclined
		done = append(done, u)
		if r.flags.Output == "text" {
			if !asked && u.Status == desk.FeedDryRun {
				r.showFeedUpdate(u)
			}
			r.showOutcome(u, in.Feed)
		} else if u.Status == desk.FeedDeclined {
			r.warnDeclined(u)
		}
	}
	switch {
	case r.flags.Output == "text":
	case len(all) == 1 && len(done) == 1:
		if err := r.writeRecord(done[0]); err != nil {
			return err
		}
	default:
		if err := writeRecords(r, done, func() {}); err != nil {
			return err
		}
	}
	switch {
	case failed:
		return statusError(exitUnread)
	case declined:
		return statusError(exitFindings)
	}
	return nil
}

// fetching shows how far a download has come, if standard error is a terminal.
func (r *run) fetching(in *desk.FeedUpdateInput) *term.Progress {
	f, ok := r.Stderr.(*os.File)
	if !ok || !term.IsTerminal(f) || in.File != "" {
		return nil
	}
	bar := term.NewProgress(f, &term.ProgressOptions{Label: "KiB", Columns: term.Columns(f, r.getenv)})
	var kib int64
	in.Progress = func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	}
	return bar
}

// confirm asks on a terminal; where there is none, nobody said yes.
func (r *run) confirm(kind feeds.Kind) bool {
	f, ok := r.Stdin.(*os.File)
	if !ok || !term.IsTerminal(f) || r.flags.Output != "text" {
		return false
	}
	answer := strings.ToLower(r.ask(bufio.NewReader(newInterruptible(r.ctx, r.Stdin)), "cli.update.ask."+string(kind)))
	return slices.Contains([]string{"y", "yes", "はい"}, answer)
}

const (
	maxFeedChanges  = 20 // of each sort that are shown
	maxFeedProblems = 20
)

// showFeedUpdate says what a new version is and what it would change.
func (r *run) showFeedUpdate(u *desk.FeedUpdate) {
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, u.Name)+"  "+term.Clean(u.Source))
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(r.Stdout, "  %s  %s\n", r.style.Paint(term.Dim, term.Pad(r.say("cli.update.label."+label), r.labelWidth())), text)
		}
	}
	line("digest", u.Digest)
	if u.Pin != "" && u.Pin != u.Digest {
		line("pin", r.say("cli.update.pin-differs", "pin", u.Pin))
	}
	line("commit", u.Commit)
	line("licence", u.Licence)
	content := r.say("cli.update.rules", "n", u.Entries, "broken", u.Broken, "never", u.Never)
	if u.Kind == feeds.ListsFeed {
		content = r.say("cli.update.lists", "n", u.Entries)
	}
	line("content", content)
	if u.LeftOut > 0 {
		line("left-out", r.say("cli.update.left-out", "n", u.LeftOut))
	}
	if u.Previous == "" {
		line("changes", r.say("cli.update.first"))
	} else {
		line("changes", r.say("cli.update.changes", "added", len(u.Added), "changed", len(u.Changed), "removed", len(u.Removed)))
		r.feedChanges("+", u.Added)
		r.feedChanges("~", u.Changed)
		r.feedChanges("-", u.Removed)
	}
	r.feedProblems(u)
	r.feedMails(u.Mails)
}

func (r *run) labelWidth() int {
	width := 0
	for _, l := range []string{"digest", "pin", "commit", "licence", "content", "left-out", "changes", "problems", "mails"} {
		width = max(width, term.Width(r.say("cli.update.label."+l)))
	}
	return width
}

func (r *run) feedChanges(mark string, list []desk.FeedChange) {
	for _, c := range list[:min(len(list), maxFeedChanges)] {
		text := cmp.Or(c.Name, c.ID)
		if c.Before+c.After > 0 {
			text = c.ID + "  " + r.say("cli.update.entries", "before", c.Before, "after", c.After)
		}
		fmt.Fprintf(r.Stdout, "    %s %s  %s\n", mark, term.Truncate(term.Clean(text), maxRuleName), r.style.Paint(term.Dim, term.Clean(c.File)))
	}
	r.more(len(list) - maxFeedChanges)
}

// more says that a list goes on.
func (r *run) more(n int) {
	if n > 0 {
		fmt.Fprintln(r.Stdout, "    "+r.say("cli.update.more", "n", n))
	}
}

func (r *run) feedProblems(u *desk.FeedUpdate) {
	if len(u.Problems) == 0 {
		return
	}
	fmt.Fprintf(r.Stdout, "  %s\n", r.style.Paint(term.Dim, r.say("cli.update.label.problems")))
	for _, p := range u.Problems[:min(len(u.Problems), maxFeedProblems)] {
		text := p.Text.In(r.lang)
		if p.Level == syntax.Warning {
			text = r.say("cli.rules.warning") + ": " + text
		}
		fmt.Fprintf(r.Stdout, "    %s\n", term.Clean(fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, text)))
	}
	r.more(len(u.Problems) - maxFeedProblems)
}

func (r *run) feedMails(m *desk.FeedMails) {
	if m == nil {
		return
	}
	fmt.Fprintf(r.Stdout, "  %s  %s\n", r.style.Paint(term.Dim, term.Pad(r.say("cli.update.label.mails"), r.labelWidth())),
		r.say("cli.update.mails", "n", m.Judged, "changed", len(m.Changed)))
	for _, c := range m.Changed[:min(len(m.Changed), maxFeedChanges)] {
		word := r.say("cli.verdict." + string(c.After))
		if c.Before != c.After {
			word = r.say("cli.verdict."+string(c.Before)) + " → " + word
		}
		fmt.Fprintf(r.Stdout, "    %s  %s\n", word, term.Clean(placeOf(c.File, c.Index)))
		for _, name := range c.Gained {
			fmt.Fprintln(r.Stdout, "      + "+term.Clean(name))
		}
		for _, name := range c.Lost {
			fmt.Fprintln(r.Stdout, "      - "+term.Clean(name))
		}
	}
	r.more(len(m.Changed) - maxFeedChanges)
	if m.Unread > 0 {
		fmt.Fprintln(r.Stdout, "    "+r.say("cli.update.unread", "n", m.Unread))
	}
}

// showOutcome says what became of an update and what to do next.
func (r *run) showOutcome(u *desk.FeedUpdate, ref string) {
	switch u.Status {
	case desk.FeedUnchanged:
		fmt.Fprintln(r.Stdout, r.say("cli.update.unchanged", "feed", u.Name, "digest", u.Digest))
	case desk.FeedDryRun:
		fmt.Fprintln(r.Stdout, r.say("cli.update.dry-run"))
	case desk.FeedDeclined:
		r.warnDeclined(u)
		return
	case desk.FeedUpdated, desk.FeedRolledBack:
		fmt.Fprintln(r.Stdout, r.say("cli.update.done."+string(u.Kind), "feed", u.Name))
		if u.Previous != "" {
			fmt.Fprintln(r.Stdout, r.say("cli.update.kept", "command", rollbackCommand(u)))
		}
	}
	if u.Kind == feeds.RulesFeed {
		r.pinLine(u, cmp.Or(ref, u.Name))
	}
}

func rollbackCommand(u *desk.FeedUpdate) string {
	if u.Kind == feeds.ListsFeed {
		return "sekisho lists update --rollback"
	}
	return "sekisho rules update --rollback " + u.Name
}

// pinLine prints what to write into the configuration so that the next update
// brings this very content, unless it stands there.
func (r *run) pinLine(u *desk.FeedUpdate, ref string) {
	if r.pinOf(ref, u.Name) == u.Digest || u.Status == desk.FeedUnchanged && r.pinOf(ref, u.Name) == "" {
		return
	}
	fmt.Fprintln(r.Stdout, r.say("cli.update.pin"))
	fmt.Fprintf(r.Stdout, "  rules: [{feed: %s, pin: \"%s\"}]\n", yamlText(ref), u.Digest)
}

// yamlText quotes what YAML would not read as text inside of brackets.
func yamlText(s string) string {
	if feeds.ValidName(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// warnDeclined says that nothing changed, and how to say yes without a terminal.
func (r *run) warnDeclined(u *desk.FeedUpdate) {
	r.warn(&desk.Error{Kind: desk.Invalid, Message: lang.M("cli.update.declined", "feed", u.Name), Hint: lang.M("cli.update.declined-hint")})
}

// showRollback says which version counts again.
func (r *run) showRollback(u *desk.FeedUpdate, again, pin string) error {
	if r.flags.Output != "text" {
		return r.writeRecord(u)
	}
	fmt.Fprintln(r.Stdout, r.say("cli.update.rolled-back", "feed", u.Name, "digest", u.Digest))
	fmt.Fprintln(r.Stdout, r.say("cli.update.forward", "command", again))
	if pin != "" && pin != u.Digest {
		r.pinLine(u, u.Name)
	}
	return nil
}

// list shows the feeds of rules and their state.
func (c *rulesUpdateCmd) list(r *run) error {
	list, err := desk.ListFeeds(r.dataDir(), r.configuredFeeds())
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		for i := range list {
			r.showFeed(&list[i])
		}
	})
}

// showFeed shows one feed and its state.
func (r *run) showFeed(f *desk.FeedRecord) {
	state := r.say("cli.update.state." + string(f.State))
	if f.Configured {
		state += ", " + r.say("cli.update.configured")
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(f.Name))+"  "+state)
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(r.Stdout, "  %s  %s\n", r.style.Paint(term.Dim, term.Pad(r.say("cli.update.label."+label), r.feedLabelWidth())), term.Clean(text))
		}
	}
	line("from", f.Source)
	line("licence", f.Licence)
	if f.State == desk.FeedNotFetched {
		line("fetch", "sekisho "+string(f.Kind)+" update "+f.Name)
		return
	}
	line("digest", f.Digest)
	line("pin", f.Pin)
	if f.Fetched != nil {
		line("fetched", f.Fetched.In(r.Now().Location()).Format("2006-01-02 15:04"))
	}
	line("commit", f.Commit)
	line("content", r.say("cli.update.count."+string(f.Kind), "n", f.Entries))
	line("previous", f.Previous)
}

func (r *run) feedLabelWidth() int {
	width := 0
	for _, l := range []string{"from", "licence", "fetch", "digest", "pin", "fetched", "commit", "content", "previous"} {
		width = max(width, term.Width(r.say("cli.update.label."+l)))
	}
	return width
}
