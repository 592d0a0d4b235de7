package desk

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/syntax"
)

// RuleDetailSchema names the shape of a [RuleDetail] in JSON.
const RuleDetailSchema = "sekisho.rule-detail/v1"

// RuleDetail is all there is to say about one rule.
type RuleDetail struct {
	RuleRecord                   // its Schema is RuleDetailSchema
	Never          *lang.Text    `json:"never,omitempty"` // why it can never match
	Description    string        `json:"description"`
	Why            lang.Text     `json:"why,omitzero"` // the description, translated where sekisho ships with the rule
	Authors        []string      `json:"authors"`
	References     []string      `json:"references"`
	Tags           []string      `json:"tags"`
	AttackTypes    []string      `json:"attack_types"`
	FalsePositives []string      `json:"false_positives"`
	Reads          []string      `json:"reads"`     // fields of the message
	Functions      []string      `json:"functions"` // functions that it calls
	Lists          []string      `json:"lists"`     // lists that it names
	Source         string        `json:"source"`    // as the formatter writes it, or as it is where it has errors
	Problems       []RuleProblem `json:"problems"`
}

// FindRules returns the places of the rules of a set that name means: an ID, a
// file or its name, a name. Without one, it is those with name in their name,
// whatever the case.
func FindRules(set *feeds.Set, name string) []int {
	var exact, like []int
	folded := strings.ToLower(name)
	for i := range set.Rules {
		r := &set.Rules[i]
		base := filepath.Base(r.File)
		switch {
		case r.ID() == name, r.ID() == feeds.Builtin+"/"+name, filepath.Clean(r.File) == filepath.Clean(name), base == name, strings.TrimSuffix(base, filepath.Ext(base)) == name, strings.EqualFold(r.Name(), name):
			exact = append(exact, i)
		case strings.Contains(strings.ToLower(r.Name()), folded):
			like = append(like, i)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return like
}

// ShowRule describes the rule at place i of a set.
func ShowRule(set *feeds.Set, i int, with Means, words *lang.Catalogue) *RuleDetail {
	r := &set.Rules[i]
	out := &RuleDetail{
		RuleRecord: ListRules(&feeds.Set{Rules: set.Rules[i : i+1]}, with, words)[0],
		Authors:    []string{}, References: []string{}, Tags: []string{}, AttackTypes: []string{}, FalsePositives: []string{},
		Reads: []string{}, Functions: []string{}, Lists: []string{}, Problems: CheckRules(&feeds.Set{Rules: []feeds.Rule{*r}}, words).Problems,
	}
	out.Schema = RuleDetailSchema
	if never := r.Never(); !never.IsZero() {
		t := words.Render(never)
		out.Never = &t
	}
	x := r.Rule
	if x == nil {
		return out
	}
	out.Description, out.Source = strings.TrimSpace(x.Description), strings.TrimSpace(x.Source)
	out.Authors, out.References, out.Tags = append(out.Authors, x.Authors...), append(out.References, x.References...), append(out.Tags, x.Tags...)
	out.AttackTypes, out.FalsePositives = append(out.AttackTypes, x.AttackTypes...), append(out.FalsePositives, x.FalsePositives...)
	out.Lists = append(out.Lists, r.Program.Lists...)
	if why := ruleWhy(r); !why.IsZero() {
		out.Why = words.Render(why)
	}
	if r.Parsed() {
		out.Source = strings.TrimSpace(syntax.Format(r.Program.File))
	}
	if r.OK() {
		out.Reads, out.Functions = ruleReads(r)
	}
	return out
}

// ruleReads returns the fields and the functions that a rule names, sorted.
func ruleReads(r *feeds.Rule) (fields, functions []string) {
	seen, called := map[string]bool{}, map[string]bool{}
	syntax.Walk(r.Program.File.Root, func(x syntax.Expr) bool {
		switch x := x.(type) {
		case *syntax.Field, *syntax.Name:
			path, ok := fieldPath(x)
			if ok {
				seen[path] = true
			}
			return !ok
		case *syntax.Call:
			if f := r.Program.Function(x); f != nil {
				called[f.Name] = true
			}
		}
		return true
	})
	return sortedKeys(seen), sortedKeys(called)
}

// fieldPath is a field of the message as it is written, without the items of
// arrays on its way.
func fieldPath(x syntax.Expr) (string, bool) {
	switch x := syntax.Unparen(x).(type) {
	case *syntax.Name:
		return x.Name, true
	case *syntax.Field:
		if p, ok := fieldPath(x.X); ok {
			return p + "." + x.Name, true
		}
	}
	return "", false
}

func sortedKeys(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
