package cli

import (
	"cmp"
	"context"
	"encoding/csv"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type judgeCmd struct {
	Paths          []string `arg:"" name:"path"`
	Explain        bool     `short:"e"`
	Rules          []string `sep:"none" placeholder:"PATH"`
	NoBuiltinRules bool
	Redact         bool
	FailOn         string `enum:"never,malicious,suspicious,spam,undecided" default:"never" placeholder:"VERDICT"`
	Only           string `enum:"all,malicious,suspicious,spam,undecided" default:"all" placeholder:"VERDICT"`
	Index          int    `placeholder:"N"`

	Means meansFlags `embed:""`
}

// severe orders verdicts for --fail-on and --only.
func severe(w desk.Word) int {
	switch w {
	case desk.Malicious:
		return 4
	case desk.Suspicious:
		return 3
	case desk.Spam:
		return 2
	case desk.Undecided:
		return 1
	default: // clean
		return 0
	}
}

// atLeast reports whether w is at or above the level that a flag names.
func atLeast(w desk.Word, level string) bool {
	switch level {
	case "never":
		return false
	case "all":
		return true
	}
	return severe(w) >= severe(desk.Word(level))
}

// presenter writes verdicts as they come.
type presenter interface {
	verdict(v *desk.Verdict) error
	end(s *summary) error
}

// summary counts what was judged.
type summary struct {
	words    map[desk.Word]int
	messages int
	unread   int
	elapsed  time.Duration
	presumed []string // commands that confirm presumed domains
	worst    *desk.Verdict
	needs    []need
	rules    ruleCount
	stopped  bool
}

// need is something that was not looked at, in how many messages.
type need struct {
	capability string
	messages   int
}

// confirms reports whether a command that confirms a domain confirms that of
// another command too: the same domain, or one below it.
func confirms(command, other string) bool {
	domain := command[strings.LastIndexByte(command, ' ')+1:]
	name := other[strings.LastIndexByte(other, ' ')+1:]
	return name == domain || strings.HasSuffix(name, "."+domain)
}

// maxPresumed bounds the presumed domains that a summary names.
const maxPresumed = 3

func (s *summary) add(v *desk.Verdict) {
	if v.Error != nil {
		s.unread++
		return
	}
	s.messages++
	s.words[v.Verdict]++
	if s.worst == nil || severe(v.Verdict) > severe(s.worst.Verdict) {
		s.worst = v
	}
	if o := v.Organisation; o != nil && o.Confirm != "" && !slices.ContainsFunc(s.presumed, func(c string) bool { return confirms(c, o.Confirm) }) && len(s.presumed) < maxPresumed {
		s.presumed = append(slices.DeleteFunc(s.presumed, func(c string) bool { return confirms(o.Confirm, c) }), o.Confirm)
	}
	s.rules.add(v.Rules)
	for _, n := range v.NotChecked {
		i := slices.IndexFunc(s.needs, func(have need) bool { return have.capability == n.Capability })
		if i < 0 {
			i, s.needs = len(s.needs), append(s.needs, need{capability: n.Capability})
		}
		s.needs[i].messages++
	}
}

// Run judges every message of the named inputs.
func (c *judgeCmd) Run(r *run) error {
	if c.Index < 0 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--index"), Hint: lang.M("cli.hint.usage", "help", "sekisho help judge")}
	}
	judge, err := c.judge(r)
	if err != nil {
		return err
	}
	p := c.presenter(r)
	start := time.Now()
	bar := r.progress(c.Paths)
	defer bar.Close()
	s := &summary{words: map[desk.Word]int{}}
	failed := false
	// Reading stops at a signal; what was read so far is judged and shown.
	for v, failure := range judge(c.read(r, bar)) {
		if failure != nil {
			return failure
		}
		if c.Redact {
			desk.Redact(v, &r.config.Facts)
		}
		s.add(v)
		failed = failed || v.Error == nil && atLeast(v.Verdict, c.FailOn)
		bar.Interrupt(func() {
			if v.Error != nil {
				r.warnAbout(place(v), v.Error)
			}
			if v.Error != nil || atLeast(v.Verdict, c.Only) {
				err = p.verdict(v)
			}
		})
		if err = cmp.Or(err, r.out.err); err != nil {
			return err
		}
	}
	bar.Close()
	s.elapsed, s.stopped = time.Since(start), r.ctx.Err() != nil
	if c.Index > 0 && s.messages+s.unread == 0 && !s.stopped {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("cli.error.no-index", "n", c.Index), Hint: lang.M("cli.hint.no-index")}
	}
	if err := p.end(s); err != nil {
		return err
	}
	switch {
	case failed:
		return statusError(exitFindings)
	case s.unread > 0 || s.stopped:
		return statusError(exitUnread)
	}
	return nil
}

// judge returns what gives verdicts on messages: this program, or a server that is
// asked. An error beside a verdict ends it.
func (c *judgeCmd) judge(r *run) (func(iter.Seq[desk.Item]) iter.Seq2[*desk.Verdict, error], error) {
	if r.server != nil {
		err := r.notElsewhere(map[string]bool{
			"--rules": len(c.Rules) > 0, "--no-builtin-rules": c.NoBuiltinRules, "--lists": len(c.Means.Lists) > 0,
			"--history": len(c.Means.History) > 0, "--no-history": c.Means.NoHistory, "--dns": r.flags.DNS != "", "--dns-zone": r.flags.DNSZone != "",
		})
		return r.askVerdicts, err
	}
	deps, err := r.judgeDeps()
	if err != nil {
		return nil, err
	}
	if err = r.openLists(c.Means.Lists); err != nil {
		return nil, err
	}
	if deps.Rules, err = r.ruleSet(c.Rules, !c.NoBuiltinRules); err != nil {
		return nil, err
	}
	if deps.Lists = r.lists; deps.Rules != nil {
		r.warnLists(deps.Rules.ListNames())
	}
	if deps.History, err = r.past(c.Means.History, c.Means.NoHistory); err != nil {
		return nil, err
	}
	return func(items iter.Seq[desk.Item]) iter.Seq2[*desk.Verdict, error] {
		return func(yield func(*desk.Verdict, error) bool) {
			for v := range desk.Judge(context.WithoutCancel(r.ctx), items, deps) {
				if !yield(v, nil) {
					return
				}
			}
		}
	}, nil
}

// read reads the inputs and shows how far that has come.
func (c *judgeCmd) read(r *run, bar *term.Progress) iter.Seq[desk.Item] {
	var kib int64
	items := r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize, Progress: func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	}})
	if c.Index == 0 {
		return items
	}
	return func(yield func(desk.Item) bool) {
		for it := range items {
			if (it.Index == c.Index || it.Err != nil && it.Index == 0) && !yield(it) {
				return
			}
		}
	}
}

// warnAbout names an input that could not be read on standard error.
func (r *run) warnAbout(place string, f *desk.Failure) {
	text := f.Text
	if !strings.HasPrefix(text.EN, place+":") {
		text = lang.Text{EN: place + ": " + text.EN, JA: place + ": " + text.JA}
	}
	r.warnText(text, f.Hint)
}

// place names a message so that it can be asked for again.
func place(v *desk.Verdict) string { return placeOf(v.File, v.Index) }

func placeOf(file string, index int) string {
	if index > 0 {
		return file + " --index " + strconv.Itoa(index)
	}
	return file
}

func (r *run) judgeDeps() (desk.JudgeDeps, error) {
	deps := desk.JudgeDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	var err error
	if deps.Resolver, err = r.resolver(false); err != nil {
		return deps, err
	}
	if r.Exceptions != nil {
		list, err := r.Exceptions(r.dataDir()).List(r.ctx)
		if err != nil {
			return deps, err
		}
		deps.Exceptions = list
	}
	return deps, nil
}

func (c *judgeCmd) presenter(r *run) presenter {
	switch r.flags.Output {
	case "json":
		return &jsonPresenter{r: r, list: !c.oneMessage()}
	case "ndjson":
		return &jsonPresenter{r: r, lines: true}
	case "csv":
		return &csvPresenter{r: r, w: csv.NewWriter(r.Stdout)}
	}
	if c.Explain {
		return &explainPresenter{r: r, redact: c.Redact}
	}
	return &tablePresenter{r: r, redact: c.Redact}
}

// oneMessage reports whether the input is a single file, whose JSON is one
// object rather than an array.
func (c *judgeCmd) oneMessage() bool { return oneFile(c.Paths) }
