package lint

import (
	"maps"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// parity compares the two languages of a draft: L24.
func (l *linter) parity(ja, en *advisory.Draft) {
	where := at{draft: en}
	count := func(d *advisory.Draft) (n int) {
		for _, x := range d.Lines {
			if x.Kind == advisory.KindNumber {
				n++
			}
		}
		return n
	}
	if a, b := count(ja), count(en); a != b {
		l.report("L24", where, "", "", "what", lang.M("lint.parity.steps", "ja", a, "en", b))
	}
	if diff := different(values(ja.Subject), values(en.Subject)); diff != "" {
		l.report("L24", at{en, "subject", en.Subject}, diff, "", "what", lang.M("lint.parity.value", "value", diff))
	}
	// Lines with one id say the same; what has none is compared as a whole.
	other := map[string]string{}
	var restJA, restEN strings.Builder
	for _, x := range en.Lines {
		if x.ID != "" && has(ja, x.ID) {
			other[x.ID] = x.Text
		} else if x.Kind != advisory.KindReview && x.Kind != advisory.KindHeading {
			restEN.WriteString(x.Text + "\n")
		}
	}
	for _, x := range ja.Lines {
		text, ok := other[x.ID]
		if !ok || x.ID == "" {
			if x.Kind != advisory.KindReview && x.Kind != advisory.KindHeading {
				restJA.WriteString(x.Text + "\n")
			}
			continue
		}
		// Of two standing sentences, only what was put in has to agree.
		mine, theirs := x.Text, text
		if strings.HasPrefix(x.ID, "plan.") {
			dateJA, planJA, okJA := strings.Cut(mine, ": ")
			dateEN, planEN, okEN := strings.Cut(theirs, ": ")
			if okJA && okEN && different(values(dateJA), values(dateEN)) == "" {
				mine, theirs = planJA, planEN
			}
		}
		a, okA := l.ground.Slots(mine)
		b, okB := l.ground.Slots(theirs)
		if okA && okB {
			mine, theirs = strings.Join(a, "\n"), strings.Join(b, "\n")
		}
		if diff := different(values(mine), values(theirs)); diff != "" {
			l.report("L24", at{en, x.ID, text}, diff, "", "what", lang.M("lint.parity.value", "value", diff))
		}
	}
	if diff := different(values(restJA.String()), values(restEN.String())); diff != "" {
		l.report("L24", where, diff, "", "what", lang.M("lint.parity.value", "value", diff))
	}
}

func has(d *advisory.Draft, id string) bool {
	return slices.ContainsFunc(d.Lines, func(x advisory.Line) bool { return x.ID == id })
}

// values are the hard facts of a text in a form that both languages share.
func values(text string) map[string]bool {
	out := map[string]bool{}
	for _, f := range fact.Extract(&fact.Input{Text: text}, nil).List {
		switch f.Type {
		case fact.CVE, fact.KB, fact.Build, fact.Version, fact.Notice:
			out[f.Value] = true
		case fact.Date:
			for d := range strings.SplitSeq(f.Value, "/") {
				out[d] = true
			}
		case fact.Count:
			if f.Unit == fact.Days || f.Unit == fact.Hours || f.Unit == fact.Minutes {
				continue // 30日 may be a day of the month
			}
			out[f.Value+" "+string(f.Unit)] = true
		default:
		}
	}
	return out
}

// different returns the first value that only one side has.
func different(a, b map[string]bool) string {
	for _, pair := range [][2]map[string]bool{{a, b}, {b, a}} {
		for _, v := range slices.Sorted(maps.Keys(pair[0])) {
			if !pair[1][v] {
				return v
			}
		}
	}
	return ""
}
