package desk

import (
	"cmp"
	"slices"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
)

// row is one line of the verdict table. The first row whose condition holds
// decides; docs/verdict.md prints the table.
type row struct {
	name    string
	verdict Word
	score   int
	holds   func(*tally) bool
	reason  string // key of the sentence where no finding gives it
}

// tally is what the table looks at.
type tally struct {
	findings    []finding.Finding // those that no exception set aside, worst first
	counts      [finding.Critical + 1]int
	families    int  // distinct families among findings of medium severity and worse
	together    bool // two of sender, lure, link and attachment speak against it
	directSend  bool // one of them is about Direct Send or the own domain
	filterPhish bool // the receiving system itself called it phish or malware
	filterSpam  bool // it called it spam
	unread      bool // part of the message could not be read
	budget      bool // the message used up its budget
	forward     bool // what is judged is quoted in another mail, its header lost
	headerOnly  bool // a header block without a body
}

func (t *tally) atLeast(s finding.Severity) int {
	n := 0
	for i := s; i <= finding.Critical; i++ {
		n += t.counts[i]
	}
	return n
}

// verdictTable combines what was found into one word. Authentication alone
// never decides: two thirds of real phish pass it, and much good mail fails.
func verdictTable() []row {
	return []row{
		{"critical", Malicious, 95, func(t *tally) bool { return t.counts[finding.Critical] > 0 }, ""},
		{"own-domain-with-more", Malicious, 90, func(t *tally) bool { return t.directSend && t.families > 1 }, ""},
		{"high", Malicious, 85, func(t *tally) bool { return t.counts[finding.High] > 0 }, ""},
		{"filter-and-finding", Malicious, 80, func(t *tally) bool { return t.filterPhish && t.atLeast(finding.Medium) > 0 }, ""},
		{"signs-together", Malicious, 75, func(t *tally) bool { return t.together }, ""},
		{"several-medium", Suspicious, 65, func(t *tally) bool { return t.families > 1 }, ""},
		{"medium", Suspicious, 60, func(t *tally) bool { return t.counts[finding.Medium] > 0 }, ""},
		{"filter-phish", Suspicious, 55, func(t *tally) bool { return t.filterPhish }, "verdict.reason.filter-phish"},
		{"filter-spam", Spam, 40, func(t *tally) bool { return t.filterSpam }, "verdict.reason.filter-spam"},
		{"budget", Undecided, 30, func(t *tally) bool { return t.budget }, "verdict.reason.budget"},
		{"unread", Undecided, 30, func(t *tally) bool { return t.unread }, "verdict.reason.unread"},
		{"forward", Undecided, 30, func(t *tally) bool { return t.forward }, "verdict.reason.forward"},
		{"header-only", Undecided, 30, func(t *tally) bool { return t.headerOnly }, "verdict.reason.header-only"},
		{"low", Clean, 20, func(t *tally) bool { return t.counts[finding.Low] > 0 }, "verdict.reason.clean"},
		{"none", Clean, 5, func(*tally) bool { return true }, "verdict.reason.clean"},
	}
}

// family groups findings that say the same thing about a message, so that one
// fact seen twice does not count as two.
func family(f finding.Finding) string {
	switch k := f.Kind; k {
	case m365.KindDirectSend, m365.KindOwnDomain, m365.KindNullSender, m365.KindThroughGateway:
		return "own-domain"
	case impersonation.LookalikeSender, impersonation.LookalikeReplyTo, impersonation.PersonName, impersonation.OrganisationName,
		impersonation.BrandName, impersonation.AddressInName, impersonation.SeveralFrom:
		return "sender"
	case impersonation.ForeignReplyTo:
		return "reply"
	case impersonation.LookalikeLink, impersonation.DeceptiveLink:
		return "link"
	case DisguisedAttachment, DangerousAttachment:
		return "attachment"
	case RuleMatch:
		// Of others, however many match: authors of rules think alike.
		return cmp.Or(feeds.BuiltinSign(string(f.Rule.ID)), "rule")
	default:
		return string(k)
	}
}

func (t *tally) count() {
	families := map[string]bool{}
	for _, f := range t.findings {
		t.counts[f.Severity]++
		if f.Severity >= finding.Medium {
			fam := family(f)
			families[fam] = true
			t.directSend = t.directSend || fam == "own-domain"
		}
	}
	t.families = len(families)
	signs := 0
	for _, sign := range []string{feeds.SignSender, feeds.SignLure, feeds.SignLink, feeds.SignAttachment} {
		if families[sign] {
			signs++
		}
	}
	t.together = signs > 1
}

// decide returns the row that holds and the sentence that says why.
func decide(t *tally) (row, lang.Message) {
	slices.SortStableFunc(t.findings, func(a, b finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	t.count()
	for _, r := range verdictTable() {
		if !r.holds(t) {
			continue
		}
		if r.reason == "" {
			return r, t.findings[0].Title
		}
		return r, lang.M(r.reason)
	}
	return row{}, lang.Message{} // not reached: the last row always holds
}
