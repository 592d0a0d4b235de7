package desk

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/rule"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

// RuleMatch is the kind of finding that a rule of the user makes.
const RuleMatch finding.Kind = "mail.rule"

// Bounds on what a finding shows of a rule that matched.
const (
	maxRuleEvidence   = 12
	maxRuleReferences = 5
	maxRuleQuote      = 120 // code points of the part of the rule
)

// LoadRules loads the rules at paths, files and folders. What cannot be read
// is an error if strict, and else a part of the set.
func LoadRules(ctx context.Context, paths []string, strict bool) (*feeds.Set, error) {
	set, err := feeds.Load(ctx, paths)
	switch {
	case errors.Is(err, feeds.ErrTooMuch):
		return nil, &Error{Kind: Limit, Message: lang.M("rules.error.limit", "files", feeds.MaxFiles), Hint: lang.M("rules.hint.limit"), Err: err}
	case err != nil:
		return nil, &Error{Kind: Internal, Message: lang.M("rules.error.load", "error", err.Error()), Err: err}
	case strict && len(set.Unread) > 0:
		return nil, unreadRules(set.Unread[0])
	}
	return set, nil
}

func unreadRules(u feeds.Unread) *Error {
	e := &Error{Kind: Invalid, Message: lang.M("rules.error.read", "path", u.Path, "error", u.Err.Error()), Err: u.Err}
	switch {
	case errors.Is(u.Err, fs.ErrNotExist):
		e.Kind, e.Message, e.Hint = NotFound, lang.M("rules.error.missing", "path", u.Path), lang.M("rules.hint.missing")
	case errors.Is(u.Err, fs.ErrPermission):
		e.Kind, e.Message = Denied, lang.M("rules.error.denied", "path", u.Path)
	}
	return e
}

// ruleBook is rules ready for all messages, with the lists that they name.
type ruleBook struct {
	set   *feeds.Set
	used  []int // places in the compiled rules of those that judge a mail
	lists map[string]*value.List
}

// newRuleBook returns nil where there are no rules.
func newRuleBook(set *feeds.Set, facts *org.Facts) *ruleBook {
	if set == nil {
		return nil
	}
	b := &ruleBook{set: set, lists: ruleLists(facts)}
	for i, at := range set.Usable {
		if r := set.Rules[at].Rule; r.Type == rule.Detection && !r.Inactive {
			b.used = append(b.used, i)
		}
	}
	return b
}

// ruleLists are the lists that rules may name: what the organisation told, and
// those that the program carries.
func ruleLists(facts *org.Facts) map[string]*value.List {
	out := mdm.Lists(facts)
	add := func(name string, d lists.Domains) {
		entries := make([]string, 0, d.Len())
		for n := range d.All() {
			entries = append(entries, string(n))
		}
		out[name] = value.NewSet(entries)
	}
	add("free_email_providers", lists.FreeMail())
	add("url_shorteners", lists.URLShorteners())
	add("free_file_hosts", lists.FileHosts())
	return out
}

// ruleEnv is what rules see of a message. Everything but the message may be
// nil.
func ruleEnv(m *eml.Message, content *extract.Content, path *m365.Path, auth *mailauth.Report, facts *org.Facts, named map[string]*value.List, b *budget.Budget) eval.Env {
	model := mdm.New(mdm.Input{Mail: m, Content: content, Path: path, Auth: auth, Org: facts, Budget: b})
	free := func(d string) bool {
		n, err := domain.Parse(d)
		return err == nil && lists.FreeMail().Has(n)
	}
	return eval.Env{Root: model.Root(), Lists: named, Functions: model.Functions(free), Budget: b}
}

// coverage counts what the rules came to on one message.
type coverage struct {
	matched, noMatch, undecided int
	needs                       map[string]int // rules that lack a capability
}

// applyRules asks every rule about the message.
func (a *assessment) applyRules(b *budget.Budget, deps JudgeDeps) {
	book := deps.rules
	if book == nil || a.form == FormHeader {
		return
	}
	var auth *mailauth.Report
	if a.verification != nil {
		auth = a.verification.report
	}
	run := book.set.Compiled.Start(ruleEnv(a.msg, a.content, a.path, auth, &deps.Facts, book.lists, b))
	a.coverage = &coverage{needs: map[string]int{}}
	for _, i := range book.used {
		res := run.Rule(i)
		switch res.Verdict {
		case eval.Match:
			a.coverage.matched++
			a.findings = append(a.findings, a.ruleFinding(&book.set.Rules[book.set.Usable[i]], run.Explain(i)))
		case eval.NoMatch:
			a.coverage.noMatch++
		case eval.Undecided:
			a.coverage.undecided++
			seen := map[string]bool{}
			for _, g := range res.Missing {
				if !seen[g.Capability] {
					seen[g.Capability] = true
					a.coverage.needs[g.Capability]++
				}
			}
		}
	}
}

// ruleSeverity is what a rule may weigh: nobody but the desk itself says that
// an attack is under way.
func ruleSeverity(s finding.Severity) finding.Severity { return min(s, finding.High) }

func (a *assessment) ruleFinding(r *feeds.Rule, reasons []eval.Reason) finding.Finding {
	f := finding.Finding{
		Kind: RuleMatch, Severity: ruleSeverity(r.Rule.Severity), Title: lang.Literal(r.Name()), Subject: a.subject(),
		Rule: finding.Rule{ID: finding.RuleID(r.ID()), Name: r.Name(), Source: r.Source, Version: r.Version},
	}
	seen := map[finding.Where]bool{}
	for _, why := range reasons {
		for _, e := range why.Evidence {
			if len(f.Evidence) == maxRuleEvidence {
				break
			}
			if seen[e.Where] || e.Quote == "" {
				continue
			}
			seen[e.Where] = true
			e.Note = lang.M("rules.evidence", "expr", shortExpr(why.Expr))
			f.Evidence = append(f.Evidence, e)
		}
	}
	if len(f.Evidence) == 0 {
		f.Evidence = []finding.Evidence{{Where: finding.Where{Part: a.part}, Quote: r.Name(), Note: lang.M("rules.evidence.file", "file", r.File)}}
	}
	for _, u := range r.Rule.References {
		if strings.HasPrefix(u, "https://") && len(f.References) < maxRuleReferences {
			f.References = append(f.References, finding.Reference{Title: r.Name(), URL: u})
		}
	}
	if f.Severity >= finding.Medium {
		f.Actions = []finding.Action{
			{Message: lang.M("rules.do.staff"), Audience: finding.Staff, Within: finding.Now},
			{Message: lang.M("rules.do.admin"), Audience: finding.Admin, Within: finding.Today},
		}
	}
	return f
}

// shortExpr is a part of a rule on one line.
func shortExpr(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= maxRuleQuote {
		return string(r)
	}
	return string(r[:maxRuleQuote-1]) + "…"
}

// RuleCoverage says how far the rules got with a message. A rule that lacks
// several capabilities counts under each.
type RuleCoverage struct {
	Total     int         `json:"total"`
	Matched   int         `json:"matched"`
	NoMatch   int         `json:"no_match"`
	Undecided int         `json:"undecided"`
	Needs     []RulesNeed `json:"needs"` // the most wanted first
}

// RulesNeed is a capability and the number of rules that it would decide.
type RulesNeed struct {
	Capability string `json:"capability"`
	Rules      int    `json:"rules"`
}

// view returns nil where no rules were asked.
func (c *coverage) view() *RuleCoverage {
	if c == nil {
		return nil
	}
	v := &RuleCoverage{Total: c.matched + c.noMatch + c.undecided, Matched: c.matched, NoMatch: c.noMatch, Undecided: c.undecided, Needs: []RulesNeed{}}
	for _, name := range slices.Sorted(maps.Keys(c.needs)) {
		v.Needs = append(v.Needs, RulesNeed{name, c.needs[name]})
	}
	slices.SortStableFunc(v.Needs, func(a, b RulesNeed) int { return cmp.Compare(b.Rules, a.Rules) })
	return v
}
