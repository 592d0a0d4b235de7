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
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
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
func LoadRules(ctx context.Context, paths []string, strict bool, o *feeds.Options) (*feeds.Set, error) {
	set, err := feeds.Load(ctx, paths, o)
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
	_, pinned := errors.AsType[*feeds.PinError](u.Err)
	switch {
	case pinned || errors.Is(u.Err, feeds.ErrNotFetched):
		return feedError(u.Path, u.Err)
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
	seen  *seen // the lists of a history; nil without
}

// newRuleBook returns nil where there are no rules.
func newRuleBook(set *feeds.Set, facts *org.Facts, more *feeds.Lists) *ruleBook {
	if set == nil {
		return nil
	}
	b := &ruleBook{set: set, lists: namedLists(facts, more, set.ListNames())}
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

// namedLists are [ruleLists] and those of the names that more has. What the
// organisation told itself wins; a list that was published wins over the
// shorter one that sekisho carries.
func namedLists(facts *org.Facts, more *feeds.Lists, names []string) map[string]*value.List {
	out := ruleLists(facts)
	told := mdm.Lists(facts)
	// Whether a domain is anybody's decides how senders are counted.
	for name, l := range more.Load(append(slices.Clone(names), "free_email_providers")...) {
		if told[name] == nil {
			out[name] = l
		}
	}
	return out
}

// messageEnv is what rules see of a message.
func messageEnv(in mdm.Input, named map[string]*value.List) eval.Env {
	model := mdm.New(in)
	free := func(d string) bool {
		if l := named["free_email_providers"]; l != nil {
			has, _ := l.Has(d)
			return has
		}
		n, err := domain.Parse(d)
		return err == nil && lists.FreeMail().Has(n)
	}
	return eval.Env{Root: model.Root(), Lists: named, Functions: model.Functions(free), Budget: in.Budget}
}

// coverage counts what the rules came to on one message.
type coverage struct {
	matched, noMatch, undecided int
	builtin                     int            // of all
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
	// Rules must not take what other checks need.
	share, settle := b.Share(eval.MessageCost)
	defer settle()
	in, named := mdm.Input{Mail: a.msg, Content: a.content, Path: a.path, Auth: auth, Org: &deps.Facts, Budget: share}, book.lists
	if a.past != nil {
		in.History, named = a.past, book.seen.lists(a.past.view, named)
	}
	run := book.set.Compiled.Start(messageEnv(in, named))
	defer run.Done()
	var inner *eval.Run
	if a.forward != nil {
		// Whoever hands a mail on asks what to make of the mail inside.
		in.Quoted, in.History = true, nil
		inner = book.set.Compiled.Start(messageEnv(in, book.lists))
		defer inner.Done()
	}
	a.coverage = &coverage{needs: map[string]int{}}
	own := a.proven()
	for _, i := range book.used {
		r := &book.set.Rules[book.set.Usable[i]]
		if r.Builtin() && own {
			continue
		}
		on, res := run, run.Rule(i)
		if inner != nil && res.Verdict != eval.Match {
			if x := inner.Rule(i); x.Verdict == eval.Match {
				on, res = inner, x
			}
		}
		if r.Builtin() {
			a.coverage.builtin++
		}
		switch res.Verdict {
		case eval.Match:
			a.coverage.matched++
			a.findings = append(a.findings, a.ruleFinding(r, on.Explain(i)))
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

// proven reports whether the mail is the organisation's own, as the way it took
// proves. The built-in rules are about what comes from outside, and what the
// house writes to itself reads much the same: pay, scans, passwords.
func (a *assessment) proven() bool { return a.forward == nil && a.decision.Verdict.IsOwn() }

// ruleSeverity is what a rule may weigh: nobody but the desk itself says that
// an attack is under way.
func ruleSeverity(s finding.Severity) finding.Severity { return min(s, finding.High) }

func (a *assessment) ruleFinding(r *feeds.Rule, reasons []eval.Reason) finding.Finding {
	f := finding.Finding{
		Kind: RuleMatch, Severity: ruleSeverity(r.Rule.Severity), Title: ruleTitle(r), Subject: a.subject(),
		Rule: finding.Rule{ID: finding.RuleID(r.ID()), Name: r.Name(), Source: r.Source, Version: r.Version},
	}
	explained := ruleWhy(r)
	seen := map[finding.Where]int{}
	for _, why := range reasons {
		for _, e := range why.Evidence {
			if e.Quote == "" {
				continue
			}
			if explained.IsZero() {
				e.Note = lang.M("rules.evidence", "expr", shortExpr(why.Expr))
			}
			if i, ok := seen[e.Where]; ok {
				// A part of a link stands where the link does; the whole says more.
				if len(e.Quote) > len(f.Evidence[i].Quote) {
					f.Evidence[i] = e
				}
				continue
			}
			if len(f.Evidence) == maxRuleEvidence {
				break
			}
			seen[e.Where] = len(f.Evidence)
			f.Evidence = append(f.Evidence, e)
		}
	}
	if len(f.Evidence) == 0 {
		f.Evidence = []finding.Evidence{{Where: finding.Where{Part: a.part}, Quote: r.Name(), Note: lang.M("rules.evidence.file", "file", r.File)}}
	}
	if !explained.IsZero() {
		f.Evidence[0].Note = explained
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

// ruleTitle is what a rule is called. Those of others keep the name that their
// author gave them.
func ruleTitle(r *feeds.Rule) lang.Message {
	if r.Builtin() {
		return lang.M("rules." + strings.ReplaceAll(r.ID(), "/", "."))
	}
	return lang.Literal(r.Name())
}

// ruleWhy is what a match of a built-in rule means; zero for a rule of others,
// whose condition speaks for itself.
func ruleWhy(r *feeds.Rule) lang.Message {
	if r.Builtin() {
		return lang.M("rules." + strings.ReplaceAll(r.ID(), "/", ".") + ".why")
	}
	return lang.Message{}
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
	Builtin   int         `json:"builtin"` // of those, the ones that sekisho ships with
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
	v := &RuleCoverage{Total: c.matched + c.noMatch + c.undecided, Builtin: c.builtin, Matched: c.matched, NoMatch: c.noMatch, Undecided: c.undecided, Needs: []RulesNeed{}}
	for _, name := range slices.Sorted(maps.Keys(c.needs)) {
		v.Needs = append(v.Needs, RulesNeed{name, c.needs[name]})
	}
	slices.SortStableFunc(v.Needs, func(a, b RulesNeed) int { return cmp.Compare(b.Rules, a.Rules) })
	return v
}
