package desk

import (
	"slices"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// The schemas of the records about rules, in docs/schema.
const (
	RulesCheckSchema = "sekisho.rules-check/v1"
	RuleSchema       = "sekisho.rule/v1"
)

// RulesCheck is what is wrong with some rules.
type RulesCheck struct {
	Schema   string        `json:"schema"`
	Rules    int           `json:"rules"`
	Parsed   int           `json:"parsed"`
	Typed    int           `json:"typed"`
	Never    int           `json:"never"` // can never fire
	Problems []RuleProblem `json:"problems"`
	Unread   []Failure     `json:"unread"`
}

// RuleProblem is one mistake in a rule file.
type RuleProblem struct {
	Level  syntax.Level `json:"level"` // error, warning
	File   string       `json:"file"`
	Line   int          `json:"line"`
	Column int          `json:"column"` // in Unicode code points, from 1
	Length int          `json:"length"` // code points of the line that it is about
	Text   lang.Text    `json:"text"`
	Hint   lang.Text    `json:"hint,omitzero"`
	Source string       `json:"source"` // the line
}

// Errors returns the number of mistakes that keep a rule from running.
func (c *RulesCheck) Errors() int {
	n := 0
	for _, p := range c.Problems {
		if p.Level == syntax.Error {
			n++
		}
	}
	return n
}

// CheckRules says what is wrong with the rules of a set.
func CheckRules(set *feeds.Set, words *lang.Catalogue) *RulesCheck {
	r := renderer{words: words}
	out := &RulesCheck{Schema: RulesCheckSchema, Rules: len(set.Rules), Problems: []RuleProblem{}, Unread: []Failure{}}
	for i := range set.Rules {
		x := &set.Rules[i]
		if x.Parsed() {
			out.Parsed++
		}
		if x.OK() {
			out.Typed++
		}
		if !x.Never().IsZero() {
			out.Never++
		}
		for _, p := range x.Problems {
			out.Problems = append(out.Problems, RuleProblem{
				Level: p.Level, File: p.File, Line: p.Line, Column: p.Column, Length: p.Length,
				Text: words.Render(p.Message), Hint: words.Render(p.Hint), Source: p.Source,
			})
		}
	}
	for _, u := range set.Unread {
		out.Unread = append(out.Unread, *r.failure(unreadRules(u)))
	}
	return out
}

// RuleState says whether a rule takes part in judging.
type RuleState string

// The states, from best to worst.
const (
	RuleUsable   RuleState = "usable"   // can always be decided
	RuleNeeds    RuleState = "needs"    // cannot be decided on every mail
	RuleOther    RuleState = "other"    // is not about whether a mail that came in is dangerous
	RuleInactive RuleState = "inactive" // says so itself
	RuleNever    RuleState = "never"    // can never fire
	RuleBroken   RuleState = "broken"   // has errors
)

// RuleRecord is one rule of a list.
type RuleRecord struct {
	Schema   string           `json:"schema"`
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Title    lang.Text        `json:"title"` // the name, translated where sekisho ships with the rule
	From     string           `json:"from"`  // "sekisho" for those, or the path that was named
	Type     rule.Type        `json:"type,omitempty"`
	Severity finding.Severity `json:"severity"`
	State    RuleState        `json:"state"`
	Needs    []RuleNeed       `json:"needs"`
	File     string           `json:"file"`
	Version  string           `json:"version"`
}

// RuleNeed is something that a rule asks about and that nobody provides.
type RuleNeed struct {
	Capability string    `json:"capability"`
	Name       string    `json:"name,omitempty"` // of a list
	Text       lang.Text `json:"text"`
}

// Means is what there is for rules to be decided with.
type Means struct {
	Facts   *org.Facts
	Lists   *feeds.Lists
	History *history.Book
}

// ListRules lists the rules of a set with their state.
func ListRules(set *feeds.Set, with Means, words *lang.Catalogue) []RuleRecord {
	have := namedLists(with.Facts, with.Lists, set.ListNames())
	if with.History != nil {
		s := newSeen(with.History)
		have = s.lists(with.History.At(time.Time{}, 0), have)
	}
	out := make([]RuleRecord, 0, len(set.Rules))
	for i := range set.Rules {
		r := &set.Rules[i]
		x := RuleRecord{Schema: RuleSchema, ID: r.ID(), Name: r.Name(), Title: words.Render(ruleTitle(r)), From: r.Source, State: RuleBroken, Needs: []RuleNeed{}, File: r.File, Version: r.Version}
		if r.Rule != nil {
			x.Type, x.Severity = r.Rule.Type, r.Rule.Severity
		}
		if r.OK() {
			x.Needs = ruleNeeds(r, have, with.History, words)
			switch {
			case !r.Never().IsZero():
				x.State = RuleNever
			case r.Rule.Inactive:
				x.State = RuleInactive
			case r.Rule.Type != rule.Detection:
				x.State = RuleOther
			case len(x.Needs) > 0:
				x.State = RuleNeeds
			default:
				x.State = RuleUsable
			}
		}
		out = append(out, x)
	}
	return out
}

func ruleNeeds(r *feeds.Rule, have map[string]*value.List, past *history.Book, words *lang.Catalogue) []RuleNeed {
	out := []RuleNeed{}
	add := func(g value.Gap) {
		n := eval.Need(g)
		out = append(out, RuleNeed{Capability: g.Capability, Name: g.Name, Text: words.Render(n.Detail)})
	}
	for _, c := range r.Program.Needs {
		if c == schema.History && past != nil {
			switch {
			case !past.At(time.Time{}, 0).Full():
				add(value.Gap{Capability: string(c), Name: "reach", Cause: finding.NotConfigured})
			case !past.HasSent():
				add(value.Gap{Capability: string(c), Name: "sent", Cause: finding.NotConfigured})
			}
			continue
		}
		add(value.Gap{Capability: string(c), Cause: finding.NotConfigured})
	}
	for _, name := range slices.Clone(r.Program.Lists) {
		if have[name] == nil {
			add(value.Gap{Capability: "list", Name: name, Cause: finding.NotConfigured})
		}
	}
	return out
}
