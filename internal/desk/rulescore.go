package desk

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// RuleScoreSchema names the JSON form of a [RuleScore].
const RuleScoreSchema = "sekisho.rule-score/v1"

// MaxScored bounds the mails of each label that rules are counted over.
const MaxScored = 5000

// RuleScore is how often a rule was right, as far as somebody said.
type RuleScore struct {
	Schema      string         `json:"schema"`
	ID          finding.RuleID `json:"id"`
	Title       lang.Text      `json:"title"`
	Source      string         `json:"source"`
	Caught      int            `json:"caught"`       // mails that it matched and somebody said to be dangerous
	FalseAlarms int            `json:"false_alarms"` // and harmless
}

// RuleScores counts, over the mails that somebody labelled, which rules matched
// dangerous ones and which harmless ones: those with the most false alarms first.
// Of each label it takes the newest mails, at most so many, and returns how many
// they were.
func RuleScores(ctx context.Context, most int, mails MailStore) (scores []RuleScore, phish, harmless int, err error) {
	byID := map[finding.RuleID]*RuleScore{}
	for _, label := range []Label{LabelPhish, LabelNotPhish} {
		n := 0
		most = min(most, MaxScored)
		q := MailQuery{Label: label, Limit: min(MaxMailPage, most)}
		for n < most {
			rows, err := mails.Mails(ctx, &q)
			if err != nil {
				return nil, 0, 0, err
			}
			for i := range rows {
				m, err := mails.Mail(ctx, rows[i].ID)
				if err != nil {
					return nil, 0, 0, err
				}
				if m == nil || m.Judged == nil {
					continue
				}
				n++
				seen := map[finding.RuleID]bool{}
				for _, h := range ruleHits(m.Judged) {
					s := byID[h.rule.ID]
					if s == nil {
						s = &RuleScore{Schema: RuleScoreSchema, ID: h.rule.ID, Title: h.rule.Title, Source: h.rule.Source}
						byID[h.rule.ID] = s
					}
					switch {
					case seen[h.rule.ID]:
					case label == LabelPhish:
						s.Caught++
					default:
						s.FalseAlarms++
					}
					seen[h.rule.ID] = true
				}
			}
			if len(rows) < q.Limit {
				break
			}
			last := rows[len(rows)-1]
			q.After = &MailCursor{At: last.At, ID: last.ID}
		}
		if label == LabelPhish {
			phish = n
		} else {
			harmless = n
		}
	}
	scores = []RuleScore{}
	for _, s := range byID {
		scores = append(scores, *s)
	}
	slices.SortFunc(scores, func(a, b RuleScore) int {
		return cmp.Or(cmp.Compare(b.FalseAlarms, a.FalseAlarms), cmp.Compare(b.Caught, a.Caught), cmp.Compare(a.ID, b.ID))
	})
	return scores, phish, harmless, nil
}

// SenderCover is what an exception for a sender would have covered of the mails
// that are kept.
type SenderCover struct {
	Mails  int
	Alarms int  // of those, the ones with an alarm
	More   bool // there are further ones that were not looked at
}

// CoverSender counts the newest mails of an address or a domain.
func CoverSender(ctx context.Context, from string, mails MailStore) (*SenderCover, error) {
	out := &SenderCover{}
	if from == "" {
		return out, nil
	}
	rows, err := mails.Mails(ctx, &MailQuery{Text: from, Limit: MaxMailPage})
	if err != nil {
		return nil, err
	}
	out.More = len(rows) == MaxMailPage
	for i := range rows {
		if address := rows[i].From.Address; !strings.EqualFold(address, from) && !strings.HasSuffix(strings.ToLower(address), "@"+strings.ToLower(from)) {
			continue
		}
		out.Mails++
		if rankOf(rows[i].Verdict) >= rankOf(Suspicious) {
			out.Alarms++
		}
	}
	return out, nil
}
