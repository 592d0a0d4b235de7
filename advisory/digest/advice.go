package digest

import (
	"cmp"
	_ "embed" // the advice
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Advice is a line of the standing header.
type Advice struct {
	ID       string    `json:"id"`
	Text     lang.Text `json:"text"`
	LastUsed string    `json:"last_used,omitempty"` // RFC 3339 date of the issue that had it last before
}

// rotated is how many lines change from issue to issue, beside those that always
// stand there.
const rotated = 2

//go:embed advice.json
var adviceFile []byte

type standing struct {
	ID     string `json:"id"`
	Always bool   `json:"always"`
	Months []int  `json:"months"` // in which it comes first; in others it does not come
	JA     string `json:"ja"`
	EN     string `json:"en"`
}

var adviceList = sync.OnceValues(func() ([]standing, error) {
	var list []standing
	err := json.Unmarshal(adviceFile, &list)
	return list, err
})

// advise chooses the lines of the header: those that always stand there, one of
// the season, and those that were not used for the longest time.
func advise(from time.Time, earlier []*Issue) []Advice {
	list, err := adviceList()
	if err != nil {
		return []Advice{} // a test reads the list
	}
	used := map[string]string{}
	for _, x := range earlier {
		for _, a := range x.Advice {
			used[a.ID] = max(used[a.ID], x.Issued)
		}
	}
	out := []Advice{}
	add := func(s *standing) {
		out = append(out, Advice{ID: s.ID, Text: lang.Text{JA: s.JA, EN: s.EN}, LastUsed: used[s.ID]})
	}
	var season, rest []*standing
	for i := range list {
		switch s := &list[i]; {
		case s.Always:
			add(s)
		case slices.Contains(s.Months, int(from.Month())):
			season = append(season, s)
		case len(s.Months) == 0:
			rest = append(rest, s)
		}
	}
	longest := func(a, b *standing) int { return cmp.Compare(used[a.ID], used[b.ID]) } // never used comes first
	slices.SortStableFunc(season, longest)
	slices.SortStableFunc(rest, longest)
	season = season[:min(len(season), 1)]
	for _, s := range slices.Concat(season, rest)[:rotated] {
		add(s)
	}
	return out
}
