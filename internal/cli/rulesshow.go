package cli

import (
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type rulesShowCmd struct {
	Name  string   `arg:"" name:"name"`
	Rules []string `sep:"none" placeholder:"PATH"`
}

// maxRuleChoices bounds the rules that an unclear name lists.
const maxRuleChoices = 10

// Run shows one rule: what it looks for, what it reads, and what it lacks here.
func (c *rulesShowCmd) Run(r *run) error {
	paths := c.Rules
	if len(paths) == 0 && oneFile([]string{c.Name}) {
		paths = []string{c.Name}
	}
	set, err := r.ruleSet(paths, len(paths) == 0)
	if err != nil {
		return err
	}
	if set == nil {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("cli.rules.none"), Hint: lang.M("cli.rules.show.hint-rules")}
	}
	found := desk.FindRules(set, c.Name)
	switch {
	case len(found) == 0:
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("cli.rules.show.missing", "name", c.Name), Hint: lang.M("cli.rules.show.hint-list")}
	case len(found) > 1:
		var names []string
		for _, i := range found[:min(len(found), maxRuleChoices)] {
			names = append(names, set.Rules[i].File)
		}
		return &desk.Error{
			Kind: desk.Invalid, Message: lang.M("cli.rules.show.many", "name", c.Name, "n", len(found)), Hint: lang.M("cli.rules.show.hint-many", "files", strings.Join(names, ", ")),
		}
	}
	d := desk.ShowRule(set, found[0], desk.Means{Facts: &r.config.Facts}, r.words)
	if r.flags.Output != "text" {
		return r.writeRecord(d)
	}
	r.showRule(d)
	return nil
}

func (r *run) showRule(d *desk.RuleDetail) {
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(d.Title.In(r.lang))))
	state := r.say("cli.rules.state." + string(d.State))
	var needs []string
	for _, n := range d.Needs {
		needs = append(needs, n.Text.In(r.lang))
	}
	if len(needs) > 0 {
		state += ": " + r.join(needs)
	}
	if d.Never != nil {
		state += ": " + d.Never.In(r.lang)
	}
	rows := [][2]string{
		{"severity", d.Severity.String()}, {"type", string(d.Type)}, {"id", d.ID}, {"file", d.File + " (" + d.Version + ")"}, {"state", state},
		{"attack", r.join(d.AttackTypes)}, {"tags", r.join(d.Tags)}, {"authors", r.join(d.Authors)},
		{"reads", strings.Join(d.Reads, ", ")}, {"functions", strings.Join(d.Functions, ", ")}, {"lists", lists(d.Lists)},
	}
	label := 0
	for _, x := range rows {
		label = max(label, term.Width(r.say("cli.rules.show."+x[0])))
	}
	for _, x := range rows {
		if x[1] == "" {
			continue
		}
		for i, line := range term.Wrap(term.Clean(x[1]), max(30, r.columns()-label-4)) {
			head := ""
			if i == 0 {
				head = r.say("cli.rules.show." + x[0])
			}
			fmt.Fprintf(r.Stdout, "  %s  %s\n", r.style.Paint(term.Dim, term.Pad(head, label)), line)
		}
	}
	about := d.Description
	if why := d.Why.In(r.lang); why != "" {
		about = why
	}
	for _, text := range []string{about, strings.Join(d.FalsePositives, "\n")} {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintln(r.Stdout)
			for para := range strings.SplitSeq(text, "\n") {
				for _, line := range term.Wrap(term.Clean(para), max(30, r.columns()-2)) {
					fmt.Fprintln(r.Stdout, "  "+line)
				}
			}
		}
	}
	if d.Source != "" {
		fmt.Fprintln(r.Stdout)
		for line := range strings.SplitSeq(d.Source, "\n") {
			fmt.Fprintln(r.Stdout, "  "+term.Clean(strings.ReplaceAll(line, "\t", "  ")))
		}
	}
	for i, u := range d.References {
		if i == 0 {
			fmt.Fprintln(r.Stdout)
		}
		fmt.Fprintln(r.Stdout, "  "+term.Clean(u))
	}
	for _, p := range d.Problems {
		r.problem(p)
	}
}

func lists(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, "$"+n)
	}
	return strings.Join(out, ", ")
}
