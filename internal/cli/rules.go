package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

type rulesCmd struct {
	Check  rulesCheckCmd  `cmd:""`
	Update rulesUpdateCmd `cmd:""`
	List   rulesListCmd   `cmd:""`
	Show   rulesShowCmd   `cmd:""`
	Bench  rulesBenchCmd  `cmd:""`
	Test   rulesTestCmd   `cmd:""`
	Fmt    rulesFmtCmd    `cmd:""`
	Score  rulesScoreCmd  `cmd:""`
}

type rulesCheckCmd struct {
	Paths []string `arg:"" name:"path"`
	Lists []string `sep:"none" placeholder:"DIR"`
}

// Run says what is wrong with the rules of the named files and folders.
func (c *rulesCheckCmd) Run(r *run) error {
	if err := r.openLists(c.Lists); err != nil {
		return err
	}
	set, err := desk.LoadRules(r.ctx, c.Paths, false, r.ruleOptions())
	if err != nil {
		return err
	}
	out := desk.CheckRules(set, r.words)
	for _, u := range out.Unread {
		r.warnText(u.Text, u.Hint)
	}
	switch r.flags.Output {
	case "text":
		for _, p := range out.Problems {
			r.problem(p)
		}
		n := strconv.Itoa // scripts read this line: digits are not grouped
		fmt.Fprintln(r.Stdout, r.say("cli.rules.summary", "rules", n(out.Rules), "parsed", n(out.Parsed), "typed", n(out.Typed), "never", n(out.Never)))
	default:
		if err := r.writeRecord(out); err != nil {
			return err
		}
	}
	switch {
	case len(out.Unread) > 0:
		return statusError(exitUnread)
	case out.Errors() > 0:
		return statusError(exitFindings)
	}
	return nil
}

// Bounds on the line of a rule that is shown.
const (
	maxSourceColumns = 100
	sourceBefore     = 60 // code points before the place, where the line is long
)

// problem prints a mistake, the line it is in with a mark under the place, and
// the way out.
func (r *run) problem(p desk.RuleProblem) {
	text := term.Clean(p.Text.In(r.lang))
	if p.Level == syntax.Warning {
		text = r.say("cli.rules.warning") + ": " + text
	}
	place := fmt.Sprintf("%d:%d: ", p.Line, p.Column)
	if p.File != "" {
		place = term.Clean(p.File) + ":" + place
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, place)+text)
	if strings.TrimSpace(p.Source) != "" {
		line, mark := marked(p.Source, p.Column, p.Length)
		fmt.Fprintln(r.Stdout, "    "+line)
		fmt.Fprintln(r.Stdout, "    "+r.style.Paint(term.Suspicious, mark))
	}
	if hint := p.Hint.In(r.lang); hint != "" {
		fmt.Fprintln(r.Stdout, "    "+r.say("cli.rules.hint", "text", term.Clean(hint)))
	}
}

// marked returns a line as it is shown and the mark that stands under length
// code points from column on.
func marked(source string, column, length int) (line, mark string) {
	runes := []rune(strings.ReplaceAll(source, "\t", " "))
	from := min(max(column-1, 0), len(runes))
	to := min(from+max(length, 1), len(runes))
	lead := ""
	if term.Width(string(runes[:from])) > maxSourceColumns-20 {
		cut := from - sourceBefore
		runes, from, to, lead = runes[cut:], sourceBefore, to-cut, "…"
	} else if trimmed := len(runes) - len([]rune(strings.TrimLeft(string(runes), " "))); trimmed > 0 {
		cut := min(trimmed, from)
		runes, from, to = runes[cut:], from-cut, to-cut
	}
	before := lead + term.Clean(string(runes[:from]))
	line = term.Truncate(lead+term.Clean(string(runes)), maxSourceColumns)
	width := max(1, term.Width(term.Clean(string(runes[from:to]))))
	width = max(1, min(width, maxSourceColumns-term.Width(before)))
	return line, strings.Repeat(" ", term.Width(before)) + strings.Repeat("^", width)
}

type rulesListCmd struct {
	Paths []string `arg:"" name:"path"`

	Means meansFlags `embed:""`
}

// Run lists the rules of the named files and folders.
func (c *rulesListCmd) Run(r *run) error {
	if err := r.openLists(c.Means.Lists); err != nil {
		return err
	}
	past, err := r.past(c.Means.History, c.Means.NoHistory)
	if err != nil {
		return err
	}
	set, err := desk.LoadRules(r.ctx, c.Paths, false, r.ruleOptions())
	if err != nil {
		return err
	}
	for _, u := range desk.CheckRules(&feeds.Set{Unread: set.Unread}, r.words).Unread {
		r.warnText(u.Text, u.Hint)
	}
	r.warnLists(set.ListNames())
	list := desk.ListRules(set, desk.Means{Facts: &r.config.Facts, Lists: r.lists, History: past}, r.words)
	if err := writeRecords(r, list, func() { r.ruleTable(list) }); err != nil {
		return err
	}
	if len(set.Unread) > 0 {
		return statusError(exitUnread)
	}
	return nil
}

const maxRuleName = 60 // columns

func (r *run) ruleTable(list []desk.RuleRecord) {
	if len(list) == 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.rules.none"))
		return
	}
	name := 0
	for _, x := range list {
		name = max(name, min(term.Width(term.Clean(x.Title.In(r.lang))), maxRuleName))
	}
	for _, x := range list {
		state := r.say("cli.rules.state." + string(x.State))
		if x.State == desk.RuleNeeds {
			var words []string
			for _, n := range x.Needs {
				w := r.say("cli.rules.need." + n.Capability)
				if n.Name != "" {
					w = "$" + n.Name
				}
				words = append(words, w)
			}
			state += " " + r.join(words)
		}
		fmt.Fprintf(r.Stdout, "%s  %s  %s  %s\n", term.Pad(term.Truncate(term.Clean(x.Title.In(r.lang)), name), name), term.Pad(x.Severity.String(), 8), state,
			r.style.Paint(term.Dim, term.Clean(x.File)))
	}
}

// ruleSet loads the built-in rules, if they are wanted, and those of the flag
// and the configuration; nil without any.
func (r *run) ruleSet(named []string, builtin bool) (*feeds.Set, error) {
	paths := slices.Clone(named)
	for _, s := range r.config.Rules {
		if s.Pack != "" {
			builtin = builtin && !s.Off
			continue
		}
		if s.Path != "" {
			paths = append(paths, s.Path)
		}
	}
	if builtin {
		paths = append(paths, feeds.Builtin)
	}
	o := r.ruleOptions()
	o.Feeds = r.configuredFeeds()
	if len(paths)+len(o.Feeds) == 0 {
		return nil, nil
	}
	set, err := desk.LoadRules(r.ctx, paths, true, o)
	if err != nil {
		return nil, err
	}
	broken, first := 0, ""
	for i := range set.Rules {
		if x := &set.Rules[i]; !x.OK() {
			if broken++; broken == 1 {
				first = x.Source
			}
		}
	}
	if broken > 0 {
		r.warn(&desk.Error{Kind: desk.Invalid, Message: lang.M("rules.error.broken", "n", broken), Hint: lang.M("rules.hint.broken", "path", first)})
	}
	return set, nil
}

// maxRuleNeeds bounds the capabilities that a line of coverage names.
const maxRuleNeeds = 4

// ruleNeeds names the capabilities that the most rules lack.
func (r *run) ruleNeeds(needs []desk.RulesNeed) string {
	var words []string
	for _, n := range needs[:min(len(needs), maxRuleNeeds)] {
		words = append(words, r.say("cli.rules.need."+n.Capability))
	}
	return r.join(words)
}

// ruleCoverage says how far the rules got with one message.
func (r *run) ruleCoverage(c *desk.RuleCoverage) string {
	line := r.say("cli.rules.coverage", "n", c.Total, "matched", c.Matched, "no", c.NoMatch, "undecided", c.Undecided)
	if len(c.Needs) == 0 {
		return line
	}
	return r.say("cli.rules.coverage-needs", "coverage", line, "needs", r.ruleNeeds(c.Needs))
}

// ruleCount adds up how far the rules got with all messages.
type ruleCount struct {
	mails int
	last  *desk.RuleCoverage
	all   desk.RuleCoverage // Undecided is the most of one message
}

func (n *ruleCount) add(c *desk.RuleCoverage) {
	if c == nil || c.Total == c.Builtin {
		return // only those that sekisho ships with
	}
	n.mails++
	n.last = c
	n.all.Total, n.all.Matched, n.all.Undecided = c.Total, n.all.Matched+c.Matched, max(n.all.Undecided, c.Undecided)
	for _, x := range c.Needs {
		i := slices.IndexFunc(n.all.Needs, func(have desk.RulesNeed) bool { return have.Capability == x.Capability })
		if i < 0 {
			i, n.all.Needs = len(n.all.Needs), append(n.all.Needs, desk.RulesNeed{Capability: x.Capability})
		}
		n.all.Needs[i].Rules += x.Rules
	}
}

// ruleSummary says how far the rules got; nothing where there were none.
func (r *run) ruleSummary(n *ruleCount) {
	switch {
	case n.mails == 0:
		return
	case n.mails == 1:
		fmt.Fprintln(r.Stdout, r.ruleCoverage(n.last))
		return
	case n.all.Undecided == 0:
		fmt.Fprintln(r.Stdout, r.say("cli.rules.coverage-decided", "n", n.all.Total, "mails", n.mails, "matched", n.all.Matched))
		return
	}
	line := r.say("cli.rules.coverage-all", "n", n.all.Total, "mails", n.mails, "matched", n.all.Matched, "undecided", n.all.Undecided)
	if len(n.all.Needs) > 0 {
		slices.SortStableFunc(n.all.Needs, func(a, b desk.RulesNeed) int { return b.Rules - a.Rules })
		line = r.say("cli.rules.coverage-needs", "coverage", line, "needs", r.ruleNeeds(n.all.Needs))
	}
	fmt.Fprintln(r.Stdout, line)
}
