package grounding

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// maxAnchors is how many dates, numbers and identifiers of a sentence are compared.
const maxAnchors = 12

// anchor is a date, number or identifier in a sentence.
type anchor struct {
	kind  string
	value string
	at    int
}

func anchorsOf(facts []fact.Fact, numbers []numeral, at func(*fact.Fact) int) []anchor {
	var out []anchor
	for i := range facts {
		f := &facts[i]
		switch f.Type {
		case fact.Date, fact.CVE, fact.KB, fact.Build, fact.Version:
			out = append(out, anchor{string(f.Type), f.Value, at(f)})
		default:
		}
	}
	for i := range numbers {
		n := &numbers[i]
		kind := "number " + n.of
		if n.percent {
			kind = "percent"
		}
		if n.of == "" && n.value < 2 {
			continue
		}
		out = append(out, anchor{kind, n.text, n.from})
	}
	return out[:min(len(out), maxAnchors)]
}

// looseDates are months and days of a folded text that stand alone: "in October",
// 2日未明. They count as of the year and the month of the source.
func looseDates(s string, published time.Time) []anchor {
	if published.IsZero() {
		return nil
	}
	var out []anchor
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		for _, before := range []string{"in ", "since ", "until ", "from ", "by ", "early ", "late ", "mid-", "of "} {
			if i := strings.Index(s, before+name); i >= 0 && !(m == time.May && before == "from ") {
				rest := strings.TrimLeft(s[i+len(before)+len(name):], " ")
				if rest == "" || !isDigit(rest[0]) {
					out = append(out, anchor{"date", fmt.Sprintf("--%02d", m), i})
				}
			}
		}
	}
	for i := 0; i < len(s) && len(out) < 16; i++ {
		if !isDigit(s[i]) || i > 0 && (isDigit(s[i-1]) || s[i-1] == '.' || s[i-1] == ',') {
			continue
		}
		j := i
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		n, _ := strconv.Atoi(s[i:j])
		switch {
		case j-i > 2 || n == 0:
		case strings.HasPrefix(s[j:], "月") && n <= 12 && (j+3 >= len(s) || !isDigit(s[j+3])):
			out = append(out, anchor{"date", fmt.Sprintf("--%02d", n), i})
		case strings.HasPrefix(s[j:], "日") && n <= 31 && !strings.HasSuffix(s[:i], "月") && (len(s) <= j+3 || !isDigit(s[j+3])) && !hasPrefix(s[j+len("日"):], "間", "以内", "後", "前", "ほど", "程度", "で", "あたり", "1回", "に1", "当たり"):
			out = append(out, anchor{"date", time.Date(published.Year(), published.Month(), n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), i})
		}
		i = j - 1
	}
	return out
}

// anchors finds a date, a number or an identifier that the sources have beside
// something else than the draft.
func (a *alignment) anchors(x *[signs]float64) {
	c := a.c
	plain := make([]fact.Fact, len(c.facts))
	places := map[string]int{}
	for i := range c.facts {
		plain[i] = c.facts[i].Fact
		places[c.facts[i].ID] = c.facts[i].from
	}
	list := anchorsOf(plain, c.st.numbers, func(f *fact.Fact) int { return places[f.ID] })
	for _, m := range looseDates(c.folded, c.g.published) {
		if !strings.HasPrefix(m.value, "--") {
			list = append(list, m)
		}
	}
	for _, m := range list[:min(len(list), maxAnchors)] {
		if !a.beside(&m, func(v *mark) bool { return v.predicate() || v.verbal }) {
			continue
		}
		is := a.beside(&m, func(v *mark) bool { return v.kind == "thing" || v.kind == "word" && !v.verbal })
		switch {
		case m.kind == "date":
			x[sDateDoes] = 1
			if is {
				x[sDateIs] = 1
			}
		case m.kind == "percent" || strings.HasPrefix(m.kind, "number"):
			x[sCountDoes] = 1
			if is {
				x[sCountIs] = 1
			}
		case is:
			x[sNameIs] = 1
		}
	}
}

// beside reports whether all that the draft says beside an anchor stands beside
// another one in the sources.
func (a *alignment) beside(m *anchor, is func(*mark) bool) bool {
	list := func(all bool) (out []int) {
		for k := range a.v.marks {
			if v := &a.v.marks[k]; a.known[k] && is(v) && (all || !a.clauseAway(v, m.at)) && (v.at > m.at+len(m.value) || v.to <= m.at) {
				out = append(out, k)
			}
		}
		return out
	}
	marks := list(false)
	if len(marks) == 0 {
		marks = list(true)
	}
	rival, found := false, false
	for i := range a.c.g.sentences {
		st := &a.c.g.sentences[i]
		for _, y := range st.anchors {
			if y.kind != m.kind && !(strings.HasPrefix(y.kind, "number") && strings.HasPrefix(m.kind, "number")) {
				continue
			}
			if m.kind == "date" && strings.HasPrefix(y.value, "--") && strings.HasPrefix(m.value[min(4, len(m.value)):], y.value[1:]) {
				continue // the month of the day
			}
			same := a.equal(m, &y, st)
			found = found || same
			for _, k := range marks {
				switch {
				case !a.in[k][i]:
				case !same:
					rival = rival || y.kind == m.kind
				case st.nearest(&a.v.marks[k], &y):
					return false
				}
			}
		}
	}
	return found && rival
}

// clauseAway reports whether a mark stands in another phrase than an anchor.
func (a *alignment) clauseAway(m *mark, at int) bool {
	for _, p := range a.phrases {
		if at >= p.from && at < p.to {
			return m.at < p.from || m.at >= p.to
		}
	}
	return false
}

func (a *alignment) equal(m, y *anchor, st *statement) bool {
	if m.value == y.value {
		return true
	}
	if !strings.HasPrefix(m.kind, "number") && m.kind != "percent" {
		return m.kind == "date" && (strings.Contains(y.value, m.value) || strings.Contains(m.value, y.value))
	}
	for i := range a.c.st.numbers {
		n := &a.c.st.numbers[i]
		if n.from != m.at {
			continue
		}
		for j := range st.numbers {
			if o := &st.numbers[j]; o.from == y.at && o.percent == n.percent && (o.value == n.value || n.rounds(o.value, n.percent)) {
				return true
			}
		}
	}
	return false
}

// nearest reports whether an anchor is the nearest of its kind to where a sentence
// speaks of a mark.
func (st *statement) nearest(m *mark, y *anchor) bool {
	ok := false
	for j := range st.view.marks {
		o := &st.view.marks[j]
		if !sameID(m, o) && !(m.kind == "word" && o.word == m.word) {
			continue
		}
		best, most := "", 1<<30
		for _, z := range st.anchors {
			if z.kind != y.kind {
				continue
			}
			d := max(z.at-o.at, o.at-z.at)
			for _, b := range st.view.breaks {
				if b > min(z.at, o.at) && b <= max(z.at, o.at) {
					d += 60
				}
			}
			if d < most {
				best, most = z.value, d
			}
		}
		ok = ok || best == y.value
	}
	return ok
}

// places compares what numbers and dates stand beside.
func (a *alignment) places(x *[signs]float64) {
	c := a.c
	if a.best < 0 || a.total == 0 {
		return
	}
	gap := func(has func(*statement) bool) float64 {
		with, without := -1.0, 0.0
		for i := range c.g.sentences {
			own := a.cover[i] - 1.5*float64(c.shared(&c.g.sentences[i]))
			if has(&c.g.sentences[i]) {
				with = max(with, own)
			} else {
				without = max(without, own)
			}
		}
		if with < 0 || without <= with {
			return 0
		}
		return min(1, (without-with)/a.total)
	}
	for i := range c.facts {
		f := &c.facts[i]
		if f.Type != fact.Date && f.Type != fact.CVE && f.Type != fact.KB && f.Type != fact.Build && f.Type != fact.Version {
			continue
		}
		x[sPlace] = max(x[sPlace], gap(func(st *statement) bool {
			return slices.ContainsFunc(st.facts, func(y fact.Fact) bool {
				return y.Type == f.Type && (y.Value == f.Value || f.Type == fact.Date && (y.From.Equal(f.From) || y.To.Equal(f.To)))
			})
		}))
	}
}

// parts finds a number of a whole that is taken for the part, and one whose unit the
// source does not have beside it.
func (a *alignment) parts(x *[signs]float64) {
	c := a.c
	for i := range c.st.numbers {
		n := &c.st.numbers[i]
		if n.percent || n.value <= 1 || containsAny(c.folded, []string{"うち", " of ", "out of", "最大", "up to"}) {
			continue
		}
		found, weak, whole := false, true, true
		for k := range c.g.sentences {
			st := &c.g.sentences[k]
			for j := range st.numbers {
				y := &st.numbers[j]
				if y.percent || y.value != n.value && !n.rounds(y.value, false) {
					continue
				}
				found = true
				t := st.view.folded
				weak = weak && y.of == "" && counts(t[min(y.to, len(t)):])
				before := t[max(0, y.from-24):y.from]
				after := t[y.to:min(len(t), y.to+30)]
				whole = whole && a.saidBehind(&st.view, y.to) && (strings.Contains(after, "うち") || hasAnySuffix(strings.TrimRight(before, " "), " of", "of the", "out of", "of about", "of our", "of his") || strings.Contains(after, ", of wh"))
			}
		}
		if found && whole {
			x[sWhole] = 1
		}
		if found && weak && n.of != "" {
			x[sUnit] = 1
		}
	}
}

// saidBehind reports whether what the sentence says is said behind a place only.
func (a *alignment) saidBehind(v *view, at int) bool {
	behind := false
	for i := range a.v.marks {
		m := &a.v.marks[i]
		if !m.predicate() {
			continue
		}
		for j := range v.marks {
			if y := &v.marks[j]; sameID(m, y) {
				if y.at < at {
					return false
				}
				behind = true
			}
		}
	}
	return behind
}

// counts reports whether a word that is counted stands behind a number.
func counts(after string) bool {
	after = strings.TrimLeft(after, " ")
	after = strings.TrimPrefix(after, "such ")
	if after == "" {
		return false
	}
	if after[0] >= 0x80 {
		return !hasPrefix(after, "を", "に", "が", "は", "の", "、", "。", "と", "で", "も", "以上", "余")
	}
	n := 0
	for n < len(after) && isLetter(after[n]) {
		n++
	}
	return n > 2 && !empty[after[:n]]
}

var (
	universal = []string{"すべて", "全て", "全員", "あらゆる", "いずれも", " all ", " every ", " everyone", " each ", " both ", " any "}
	exclusive = []string{"のみ", "だけ", "に限", " only", "solely", "exclusively", "limited to"}
	notAll    = []string{"at all", "all of a", "すべてではな", "全てではな", "not all", "above all", "all the more", "after all", "first of all", "every day", "every week", "every month", "every quarter", "every year", "every six", "every time", "nearly all", "almost all", "virtually all", "ほぼすべて", "ほぼ全"}
	// excluded are the words that leave somebody out as well.
	excluded = []string{"対象外", "以外", "限", "変更がない", "影響はありません", "影響ありません", "影響を受けていません", "unaffected", "except", "other than", "not affected", "not concerned", "not targeted", "unless", "enrolled"}
	// passing are uses of "only" that limit no circle of people.
	passing = []string{"only for a", "only after", "only when", "only if", "not only", "only a ", "only about", "only once", "only in part", "だけで", "だけでな", "できるだけ", "だけ早", "にとどま"}
)

// quantities compares all and only, and on which side of a number the truth lies.
func (a *alignment) quantities(x *[signs]float64) {
	if a.best < 0 {
		return
	}
	c := a.c
	st := &c.g.sentences[a.best]
	f, t := " "+c.folded+" ", " "+st.view.folded+" "
	all := containsAny(f, universal) && !containsAny(f, notAll)
	if all && !containsAny(t, universal) && !containsAny(t, []string{" no ", "none", "whole", "entire", "両方", "常に", "always", "全", "each"}) {
		x[sAll] = 1
	}
	if containsAny(f, exclusive) && !containsAny(f, passing) && !containsAny(t, exclusive) && !containsAny(t, excluded) {
		x[sOnly] = 1
	}
	for i := range c.st.numbers {
		n := &c.st.numbers[i]
		for j := range st.numbers {
			y := &st.numbers[j]
			if n.value == y.value && n.percent == y.percent && (n.bound == atLeast && y.bound == under || n.bound == under && y.bound == atLeast) {
				if len(negators(c.folded, c.lang == lang.JA)) == 0 {
					x[sBound] = 1
				}
			}
		}
	}
}

// reversed finds what becomes what the other way round.
func (a *alignment) reversed(x *[signs]float64) {
	from, to, ok := becomes(a.v.folded, a.c.st.numbers)
	if !ok {
		return
	}
	for i := range a.c.g.sentences {
		st := &a.c.g.sentences[i]
		if f, t, ok := becomes(st.view.folded, st.numbers); ok && f == to && t == from {
			x[sReversed] = 1
		}
	}
}

// becomes returns the two numbers of "from 5 to 3".
func becomes(s string, numbers []numeral) (from, to float64, ok bool) {
	for i := range numbers[:max(0, len(numbers)-1)] {
		n, m := &numbers[i], &numbers[i+1]
		if n.percent != m.percent || n.token || m.token {
			continue
		}
		between := s[min(n.to, len(s)):min(m.from, len(s))]
		if strings.Contains(between, "から") || strings.Contains(between, " to ") && hasAnySuffix(s[:n.from], "from ", "from about ", "from the ") {
			return n.value, m.value, true
		}
	}
	return 0, 0, false
}

var mostly = []string{" most ", "mostly", "majority", "多く", "大半", "ほとんど", "大部分", "nearly all", "almost all", "chiefly", "mainly"}

// most finds "most" where the best sentence speaks of a smaller share.
func (a *alignment) most(x *[signs]float64) {
	if a.best < 0 || !containsAny(" "+a.v.folded+" ", mostly) || containsAny(a.v.folded, []string{"最も多く", "より多く", "数多く"}) {
		return
	}
	for i := range a.cover {
		if a.cover[i] < 0.7*a.cover[a.best] {
			continue
		}
		st := &a.c.g.sentences[i]
		if containsAny(" "+st.view.folded+" ", mostly) {
			return
		}
		numbers := slices.Clone(st.numbers)
		if i > 0 {
			numbers = append(numbers, a.c.g.sentences[i-1].numbers...)
		}
		for j := range numbers {
			n := &numbers[j]
			if n.percent && n.value >= 50 || slices.ContainsFunc(numbers, func(m numeral) bool { return m.value > n.value && 2*n.value > m.value && !m.percent && !n.percent }) {
				return
			}
		}
	}
	x[sMost] = 1
}

func (a *alignment) coverage(x *[signs]float64) {
	if a.total == 0 || a.best < 0 {
		return
	}
	gap := 1 - min(1, a.cover[a.best]/a.total)
	if a.c.g.langs[a.c.lang] {
		x[sUncovered] = gap
		n, hit := 0, 0
		for _, p := range pairs(a.v.folded) {
			n++
			if a.c.g.sentences[a.best].view.grams[p] {
				hit++
			}
		}
		if n > 0 {
			x[sLetters] = 1 - float64(hit)/float64(n)
		}
	} else {
		x[sUncoveredX] = gap
	}
}
