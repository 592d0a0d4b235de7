package grounding

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// sign is something about a sentence that speaks for or against its being borne
// out.
type sign int

// The signs.
const (
	sBias sign = iota
	sCross
	sAdvice
	sNumber
	sMixed
	sDate
	sIdentifier
	sName
	sClaim
	sOurs
	sActNowhere
	sActDenied
	sActDoubted
	sThing
	sThing2
	sThingAdvice
	sRival
	sRivalElsewhere
	sWordShare
	sWordCount
	sPolarity
	sPolarityAdvice
	sMissKnown
	sMissUnknown
	sUncovered
	sUncoveredCross
	sDoubt
	sFuture
	sAll
	sOnly
	sNumberPlace
	sDatePlace
	sPair
	sRoles
	sParity
	sBound
	sGrams
	sLeap
	sOnlyDenied
	sOnlyDoubted
	sAnchor
	sNearer
	sWhole
	sUnitWeak
	sOldOpposite
	sOldNowhere
	sOldScope
	sOldCertain
	sOldMixed
	sActOther
	sDateDoes
	sDateIs
	sCountDoes
	sCountIs
	sNameDoes
	sNameIs
	sReversed
	sMost
	sStranger
	sDoubtful
	sToo
	signs
)

var signNames = []string{"bias", "cross", "advice", "number", "mixed", "date", "identifier", "name", "claim", "ours", "actNowhere", "actDenied", "actDoubted", "thing", "thing2", "thingAdvice", "rival", "rivalElsewhere", "wordShare", "wordCount", "polarity", "polarityAdvice", "missKnown", "missUnknown", "uncovered", "uncoveredCross", "doubt", "future", "all", "only", "numberPlace", "datePlace", "pair", "roles", "parity", "bound", "grams", "leap", "onlyDenied", "onlyDoubted", "anchor", "nearer", "whole", "unitWeak", "oldOpposite", "oldNowhere", "oldScope", "oldCertain", "oldMixed", "actOther", "dateDoes", "dateIs", "countDoes", "countIs", "nameDoes", "nameIs", "reversed", "most", "stranger", "doubtful", "too"}

// Signs is for measurement.
func (g *Ground) Signs(s string, c *check) []float64 {
	x := make([]float64, signs)
	x[sBias] = 1
	cross := !g.langs[c.lang]
	if cross {
		x[sCross] = 1
	}
	for _, p := range c.problems {
		switch p.Kind {
		case Number, Unit, Percent:
			x[sNumber] = 1
		case Mixed:
			x[sMixed] = 1
		case Date, Weekday:
			x[sDate] = 1
		case Identifier, Address:
			x[sIdentifier] = 1
		case Name, Place:
			x[sName] = 1
		case Claim:
			x[sClaim] = 1
		case Ours:
			x[sOurs] = 1
		}
	}
	if len(g.sentences) == 0 {
		return x
	}
	a := c.align()
	defer func() { g.Notes = a.notes }()
	a.things(x)
	if c.advice {
		x[sAdvice] = 1
		return x
	}
	a.acts(x)
	a.words(x)
	x[sPolarity], x[sDoubtful] = a.polarity()
	a.coverage(x)
	a.doubt(x)
	a.quantities(x)
	a.places(x)
	a.pairs(x)
	a.denied(x)
	a.anchors(x)
	a.parts(x)
	a.reversed(x)
	a.too(x)
	a.most(x)
	o := *c
	o.problems = nil
	o.meaning()
	for _, p := range o.problems {
		switch p.Kind {
		case Opposite:
			x[sOldOpposite] = 1
		case Nowhere:
			x[sOldNowhere] = 1
		case Scope:
			x[sOldScope] = 1
		case Certainty:
			x[sOldCertain] = 1
		case Mixed:
			x[sOldMixed] = 1
		}
	}
	return x
}

func (a *alignment) acts(x []float64) {
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "act" || m.negated || m.hedged || m.open {
			continue
		}
		if !a.known[k] && a.kin(m) {
			x[sActOther] = 1
			continue
		}
		if !a.known[k] {
			a.notes = append(a.notes, "act:"+m.word)
			x[sActNowhere] = 1
			continue
		}
		plain, doubted, denied := 0, 0, 0
		for i := range a.c.g.sentences {
			for j := range a.c.g.sentences[i].view.marks {
				y := &a.c.g.sentences[i].view.marks[j]
				if !y.predicate() || !sameID(m, y) {
					continue
				}
				switch {
				case y.negated && a.cover[i] < 0.5*a.cover[a.best]:
				case y.negated:
					denied++
				case y.hedged || y.open || y.future && !m.future:
					doubted++
				default:
					plain++
				}
			}
		}
		if plain == 0 && denied > 0 && doubted == 0 {
			x[sActDenied] = 1
		}
		if plain == 0 && doubted > 0 {
			x[sActDoubted] = 1
		}
	}
}

// harms are what befalls people, of which they tell in each other's words.
var harms = []string{"stolen", "compromised", "exploited"}

// kin reports whether a source tells of another harm than a mark does.
func (a *alignment) kin(m *mark) bool {
	if !slices.ContainsFunc(m.ids, func(id string) bool { return slices.Contains(harms, id) }) {
		return false
	}
	for i := range a.c.g.sentences {
		st := &a.c.g.sentences[i].view
		for j := range st.marks {
			if y := &st.marks[j]; y.kind == "act" && !y.negated && slices.ContainsFunc(y.ids, func(id string) bool { return slices.Contains(harms, id) }) {
				return true
			}
		}
	}
	return false
}

func sameID(a, b *mark) bool {
	for _, id := range a.ids {
		if slices.Contains(b.ids, id) {
			return true
		}
	}
	return false
}

// things finds what no source speaks of.
func (a *alignment) things(x []float64) {
	nowhere := 0.0
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "thing" || m.negated {
			continue
		}
		// Another reading of the same words may be known.
		if slices.ContainsFunc(a.v.marks, func(o mark) bool { return o.at == m.at && o.kind != "thing" && a.knows(&o) }) && !a.known[k] {
			continue
		}
		rival := a.rival(m)
		if !a.known[k] {
			a.notes = append(a.notes, "thing:"+m.word)
			nowhere++
			if rival {
				x[sRival] = 1
			}
			continue
		}
		if rival && a.best >= 0 && !a.window(a.best, m) {
			a.notes = append(a.notes, "elsewhere:"+m.word)
			x[sRivalElsewhere] = 1
		}
	}
	if a.c.advice {
		x[sThingAdvice] = min(nowhere, 2)
		return
	}
	x[sThing] = min(nowhere, 1)
	x[sThing2] = max(0, min(nowhere, 3)-1)
}

func (a *alignment) knows(m *mark) bool {
	for i := range a.c.g.sentences {
		if a.c.g.sentences[i].view.has(m) {
			return true
		}
	}
	return false
}

// rival reports whether the best sentence has another thing of the class which the
// draft has not.
func (a *alignment) rival(m *mark) bool {
	if a.best < 0 {
		return false
	}
	st := &a.c.g.sentences[a.best].view
	for j := range st.marks {
		y := &st.marks[j]
		if y.kind != "thing" || sameID(m, y) {
			continue
		}
		for _, id := range y.ids {
			if a.v.ids[id] {
				continue
			}
			if slices.ContainsFunc(m.ids, func(o string) bool { return class(o) == class(id) && class(o) != "" }) {
				return true
			}
		}
	}
	return false
}

func (a *alignment) words(x []float64) {
	n, off := 0, 0
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "word" || !a.comparable(m, a.known[k]) {
			continue
		}
		n++
		if !a.known[k] {
			off++
			if m.japanese && utf8.RuneCountInString(m.word) > 3 && !strings.ContainsFunc(m.word, func(r rune) bool { return !unicode.In(r, unicode.Katakana) && r != 'ー' }) {
				x[sStranger] = 1
				a.notes = append(a.notes, "stranger:"+m.word)
			}
		}
	}
	if n > 0 {
		x[sWordShare] = float64(off) / float64(n)
	}
	x[sWordCount] = float64(min(off, 4)) / 4
}

// polarity returns how much speaks for it that the sentence says the opposite of
// one of a source, from 0 to 1.
func (a *alignment) polarity() (opposed, doubted float64) {
	about := a.about()
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if !m.stated() || m.open || m.future || !a.known[k] {
			continue
		}
		other := a.total - a.weight[k]
		if other <= 0.3 {
			continue
		}
		within, least := about, 0.0
		if within == nil {
			within = a.rarest(k)
		}
		if within != nil {
			least = 0.6
		}
		same, opposite, doubt := -1.0, -1.0, -1.0
		for i := range a.c.g.sentences {
			if within != nil && !within[i] {
				continue
			}
			st := &a.c.g.sentences[i]
			for j := range st.view.marks {
				y := &st.view.marks[j]
				if !sameMark(m, y) || !y.stated() && !(m.absent && m.negated) {
					continue
				}
				score := max(0, min(1, (0.5*(a.cover[i]-a.weight[k])+a.inClause(st, y.clause, k))/(other+0.15)))
				switch {
				case (y.hedged || y.open) && !m.hedged && !m.future && !m.negated:
					doubt = max(doubt, score)
				case y.negated == m.negated:
					same = max(same, score)
				case !y.open || m.negated:
					opposite = max(opposite, score)
				}
			}
		}
		if same < 0 && opposite >= 0.2 {
			opposite = max(opposite, least)
		}
		if same < 0 && doubt >= 0.2 {
			doubted = max(doubted, doubt, least)
		}
		if opposite > 0.3 && opposite > same {
			a.notes = append(a.notes, fmt.Sprintf("polarity:%s %.2f>%.2f", m.word, opposite, same))
		}
		if opposite > 0 && opposite > same {
			opposed = max(opposed, min(1, opposite-max(0, same)))
		}
	}
	return opposed, doubted
}

// rarest are the sentences of the sources that speak of the rarest thing beside a
// mark and of the mark, nil if there is none that is rare.
func (a *alignment) rarest(k int) map[int]bool {
	m := &a.v.marks[k]
	var best map[int]bool
	for q := range a.v.marks {
		o := &a.v.marks[q]
		if q == k || o.at == m.at || o.kind == "do" || !a.known[q] || sameMark(m, o) {
			continue
		}
		in, both := map[int]bool{}, false
		for i := range a.c.g.sentences {
			if v := &a.c.g.sentences[i].view; v.has(o) {
				in[i] = true
				both = both || v.has(m)
			}
		}
		if both && len(in) <= 2 && (best == nil || len(in) < len(best)) {
			best = in
		}
	}
	return best
}

// stated reports whether a mark is something that may be so or not.
func (m *mark) stated() bool { return m.predicate() && !m.noun || m.verbal || m.absent }

func sameMark(a, b *mark) bool { return sameID(a, b) || len(a.ids) == 0 && a.word == b.word }

// about are the sentences of the sources that speak of the same identifier, product
// or version, with those that follow them; nil if the sentence has none.
func (a *alignment) about() map[int]bool {
	var out map[int]bool
	for i := range a.c.st.numbers {
		n := &a.c.st.numbers[i]
		if n.percent || n.of != "" || !strings.Contains(n.text, ".") {
			continue
		}
		for k := range a.c.g.sentences {
			if slices.ContainsFunc(a.c.g.sentences[k].numbers, func(y numeral) bool { return y.text == n.text }) {
				if out == nil {
					out = map[int]bool{}
				}
				out[k] = true
			}
		}
	}
	for i := range a.c.facts {
		f := &a.c.facts[i]
		switch f.Type {
		case fact.CVE, fact.KB, fact.Version, fact.Build:
		default:
			continue
		}
		for k := range a.c.g.sentences {
			if slices.ContainsFunc(a.c.g.sentences[k].facts, func(y fact.Fact) bool { return y.Type == f.Type && y.Value == f.Value }) {
				if out == nil {
					out = map[int]bool{}
				}
				out[k] = true
				if k > 0 {
					out[k+1] = true
				}
			}
		}
	}
	return out
}

// inClause is how much of the sentence a clause of a source has.
func (a *alignment) inClause(st *statement, clause, without int) float64 {
	sum := 0.0
	for k := range a.v.marks {
		if k == without {
			continue
		}
		m := &a.v.marks[k]
		for j := range st.view.marks {
			y := &st.view.marks[j]
			if y.clause == clause && (sameID(m, y) || m.kind == "word" && m.word == y.word) {
				sum += 0.5 * a.weight[k]
				break
			}
		}
	}
	return sum
}

func (a *alignment) coverage(x []float64) {
	if a.total == 0 || a.best < 0 {
		return
	}
	known, unknown := 0.0, 0.0
	for k := range a.v.marks {
		m := &a.v.marks[k]
		switch {
		case !a.known[k]:
			unknown += a.weight[k]
		case !a.window(a.best, m):
			known += a.weight[k]
		}
	}
	x[sMissKnown], x[sMissUnknown] = known/a.total, unknown/a.total
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
			x[sGrams] = 1 - float64(hit)/float64(n)
		}
	} else {
		x[sUncoveredCross] = gap
	}
}

// doubt compares how sure the sentence and the best one of the sources are.
func (a *alignment) doubt(x []float64) {
	if a.best < 0 || a.c.unsure() {
		return
	}
	st := &a.c.g.sentences[a.best]
	cover := min(1, a.cover[a.best]/max(a.total, 1))
	doubted, plain, future, done := false, false, false, false
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if !m.predicate() || m.hedged || m.open {
			continue
		}
		for j := range st.view.marks {
			y := &st.view.marks[j]
			if !sameID(m, y) {
				continue
			}
			if y.hedged || y.open {
				doubted = true
			} else {
				plain = true
			}
			future = future || y.future && !m.future
			done = done || !y.future
		}
	}
	f := " " + st.view.folded + " "
	if doubted && !plain {
		x[sDoubt] = cover
	} else if !plain && (hedgedText(f) || containsAny(f, unknowns)) {
		x[sDoubt] = cover / 2
	}
	if future && !done && !containsAny(" "+a.c.folded+" ", futures) && containsAny(" "+a.c.folded+" ", past) {
		x[sFuture] = cover
	}
}

// past are words for what has happened.
var past = []string{"すでに", "既に", "済み", "ました", "現在", "already", " has ", " have ", " was ", " were ", " now "}

// quantities compares all and only, and on which side of a number the truth lies.
func (a *alignment) quantities(x []float64) {
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
				x[sBound] = 1
			}
		}
	}
}

// places compares what numbers and dates stand beside.
func (a *alignment) places(x []float64) {
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
	for i := range c.st.numbers {
		n := &c.st.numbers[i]
		if n.value <= 1 && !n.percent || c.isUsed(n.from) && !n.percent && false {
			continue
		}
		x[sNumberPlace] = max(x[sNumberPlace], gap(func(st *statement) bool {
			return slices.ContainsFunc(st.numbers, func(y numeral) bool {
				return y.percent == n.percent && (y.value == n.value || n.rounds(y.value, n.percent))
			})
		}))
	}
	for i := range c.facts {
		f := &c.facts[i]
		if f.Type != fact.Date && f.Type != fact.CVE && f.Type != fact.KB && f.Type != fact.Build && f.Type != fact.Version {
			continue
		}
		x[sDatePlace] = max(x[sDatePlace], gap(func(st *statement) bool {
			return slices.ContainsFunc(st.facts, func(y fact.Fact) bool {
				return y.Type == f.Type && (y.Value == f.Value || f.Type == fact.Date && (y.From.Equal(f.From) || y.To.Equal(f.To)))
			})
		}))
	}
}

// pairs compares who does what.
func (a *alignment) pairs(x []float64) {
	marks := a.v.marks
	for k := range marks {
		m := &marks[k]
		if m.kind != "thing" && m.kind != "word" || !a.known[k] || !agent(a.v.folded, marks, k) {
			continue
		}
		p := predicateOf(marks, k)
		if p < 0 || !a.known[p] {
			continue
		}
		together, acts, suffers := false, false, false
		for i := range a.c.g.sentences {
			st := &a.c.g.sentences[i].view
			if !st.has(m) || !st.has(&marks[p]) {
				continue
			}
			together = true
			for j := range st.marks {
				if y := &st.marks[j]; sameID(m, y) || m.kind == "word" && y.word == m.word {
					if q := predicateOf(st.marks, j); agent(st.folded, st.marks, j) {
						acts = acts || q >= 0
					} else {
						suffers = true
					}
				}
			}
		}
		if !together {
			x[sPair] = 1
		} else if suffers && !acts {
			x[sRoles] = 1
		}
	}
	x[sParity] = a.parity()
}

// parity compares whether the last phrase of the sentence and the phrases of the
// sources that are nearest to it take back what they say.
func (a *alignment) parity() float64 {
	parts := phrasesOf(a.v.folded)
	worst := 0.0
	for p := range parts {
		var mine []*mark
		sum := 0.0
		for k := range a.v.marks {
			if m := &a.v.marks[k]; m.clause == p && a.known[k] {
				mine = append(mine, m)
				sum += kindWeight[m.kind]
			}
		}
		no, says := moodOf(mine)
		if !says || sum < 1.5 {
			continue
		}
		best, same := 0.0, 0.0
		for i := range a.c.g.sentences {
			st := &a.c.g.sentences[i].view
			for q := range len(st.breaks) {
				var theirs []*mark
				for j := range st.marks {
					if st.marks[j].clause == q {
						theirs = append(theirs, &st.marks[j])
					}
				}
				off, says := moodOf(theirs)
				if !says {
					continue
				}
				score := 0.0
				for _, m := range mine {
					if slices.ContainsFunc(theirs, func(y *mark) bool { return sameID(m, y) || m.kind == "word" && m.word == y.word }) {
						score += kindWeight[m.kind]
					} else if st.has(m) {
						score += 0.3 * kindWeight[m.kind]
					}
				}
				if off == no {
					same = max(same, score)
				} else {
					best = max(best, score)
				}
			}
		}
		if best > same {
			worst = max(worst, (best-same)/sum)
		}
	}
	return worst
}

// moodOf reports whether marks of a phrase are taken back, and whether they state
// anything.
func moodOf(marks []*mark) (no, says bool) {
	for _, m := range marks {
		if m.predicate() {
			no, says = no || m.negated || m.open, true
		}
	}
	return no, says
}

// agent reports whether a mark is what acts: before が, は and も, before the verb of
// an English sentence, or behind "by".
func agent(s string, marks []mark, k int) bool {
	m := &marks[k]
	if m.japanese || k+1 < len(marks) && marks[k+1].japanese || strings.HasPrefix(s[m.to:], "は") || strings.HasPrefix(s[m.to:], "が") {
		rest := s[m.to:]
		for _, p := range []string{"が", "は", "も", "側は", "側が", "社は", "社が", "氏は", "氏が"} {
			if strings.HasPrefix(rest, p) {
				return true
			}
		}
		return false
	}
	if strings.HasSuffix(strings.TrimSuffix(strings.TrimSuffix(s[:m.at], "the "), "a "), " by ") {
		return true
	}
	for i := range k {
		if marks[i].predicate() && marks[i].clause == m.clause {
			return false
		}
	}
	return true
}

// predicateOf is what a mark does: the next that may be so.
func predicateOf(marks []mark, k int) int {
	for i := k + 1; i < len(marks); i++ {
		if marks[i].predicate() && marks[i].at != marks[k].at {
			return i
		}
	}
	return -1
}

// denied finds things of which the sources speak only to say that they are not so,
// or that nobody is sure.
func (a *alignment) denied(x []float64) {
	if a.c.unsure() {
		return
	}
	if len(negators(a.v.folded, a.c.lang == lang.JA)) > 0 || slices.ContainsFunc(a.v.marks, func(m mark) bool { return m.stated() && m.negated }) {
		return
	}
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "thing" && !(m.kind == "word" && len(m.word) > 3 && !isDigit(m.word[0])) || !a.known[k] {
			continue
		}
		denied, doubted, plain := 0, 0, 0
		for i := range a.c.g.sentences {
			st := &a.c.g.sentences[i].view
			for j := range st.marks {
				y := &st.marks[j]
				if !sameID(m, y) && !(m.kind == "word" && y.word == m.word) {
					continue
				}
				switch {
				case st.denies(y.clause) && a.cover[i] < 0.6*a.cover[a.best]:
					plain++
				case st.denies(y.clause):
					denied++
				case y.hedged || y.open:
					doubted++
				default:
					plain++
				}
			}
		}
		if plain == 0 && denied > 0 && doubted == 0 {
			x[sOnlyDenied] = 1
			a.notes = append(a.notes, "onlyDenied:"+m.word)
		}
		if plain == 0 && doubted > 0 {
			x[sOnlyDoubted] = 1
			a.notes = append(a.notes, "onlyDoubted:"+m.word)
		}
	}
}

// denies reports whether a phrase takes back all it says.
func (v *view) denies(clause int) bool {
	no, yes, last := false, false, false
	japanese := false
	for i := range v.marks {
		y := &v.marks[i]
		if y.clause != clause || !y.predicate() {
			continue
		}
		japanese = y.japanese
		last = y.negated
		no, yes = no || y.negated, yes || !y.negated
	}
	if japanese {
		return last // what comes last is said of all
	}
	return no && !yes
}

// anchor is a date, number or identifier in a sentence.
type anchor struct {
	kind  string
	value string
	at    int
}

func (a *alignment) anchorsOf(facts []fact.Fact, numbers []numeral, at func(*fact.Fact) int) []anchor {
	var out []anchor
	for i := range facts {
		f := &facts[i]
		switch f.Type {
		case fact.Date, fact.CVE, fact.KB, fact.Build, fact.Version:
			out = append(out, anchor{string(f.Type), f.Value, at(f)})
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
	return out[:min(len(out), 16)]
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
		case strings.HasPrefix(s[j:], "日") && n <= 31 && !strings.HasSuffix(s[:i], "月") && !hasPrefix(s[j+len("日"):], "間", "以内", "後", "前", "ほど", "程度", "で", "あたり", "1回", "に1", "当たり"):
			out = append(out, anchor{"date", time.Date(published.Year(), published.Month(), n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), i})
		}
		i = j - 1
	}
	return out
}

// anchors finds a date, a number or an identifier that the sources have beside
// something else than the draft.
func (a *alignment) anchors(x []float64) {
	c := a.c
	plain := make([]fact.Fact, len(c.facts))
	places := map[string]int{}
	for i := range c.facts {
		plain[i] = c.facts[i].Fact
		places[c.facts[i].ID] = c.facts[i].from
	}
	list := a.anchorsOf(plain, c.st.numbers, func(f *fact.Fact) int { return places[f.ID] })
	for _, m := range looseDates(c.folded, c.g.published) {
		if !strings.HasPrefix(m.value, "--") {
			list = append(list, m)
		}
	}
	for _, m := range list {
		does, is := sNameDoes, sNameIs
		switch {
		case m.kind == "date":
			does, is = sDateDoes, sDateIs
		case m.kind == "percent" || strings.HasPrefix(m.kind, "number"):
			does, is = sCountDoes, sCountIs
		}
		if a.beside(&m, func(v *mark) bool { return v.predicate() || v.verbal }) {
			x[does] = 1
			a.notes = append(a.notes, "does:"+m.value)
		}
		if x[does] == 1 && a.beside(&m, func(v *mark) bool { return v.kind == "thing" || v.kind == "word" && !v.verbal }) {
			x[is] = 1
			a.notes = append(a.notes, "is:"+m.value)
		}
	}
}

// beside reports whether all that the draft says beside an anchor stands beside
// another one in the sources.
func (a *alignment) beside(m *anchor, is func(*mark) bool) bool {
	list := func(all bool) (out []*mark) {
		for k := range a.v.marks {
			if v := &a.v.marks[k]; a.known[k] && is(v) && (all || !a.clauseAway(v, m.at)) && (v.at > m.at+len(m.value) || v.to <= m.at) {
				out = append(out, v)
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
			for _, v := range marks {
				switch {
				case !st.view.has(v):
				case !same:
					rival = rival || y.kind == m.kind
				case st.nearest(v, &y):
					return false
				}
			}
		}
	}
	return found && rival
}

// clauseAway reports whether a mark stands in another phrase than an anchor.
func (a *alignment) clauseAway(m *mark, at int) bool {
	for _, p := range phrasesOf(a.v.folded) {
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

// parts finds a number of a whole that is taken for the part, and one whose unit the
// source does not have beside it.
func (a *alignment) parts(x []float64) {
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
				whole = whole && (strings.Contains(after, "うち") || hasAnySuffix(strings.TrimRight(before, " "), " of", "of the", "out of", "of about", "of our", "of his") || strings.Contains(after, ", of wh"))
			}
		}
		if found && whole {
			x[sWhole] = 1
		}
		if found && weak && n.of != "" {
			x[sUnitWeak] = 1
		}
	}
}

// reversed finds what becomes what the other way round.
func (a *alignment) reversed(x []float64) {
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
func (a *alignment) most(x []float64) {
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

var additive = []string{" too", " also ", " as well", " either."}

// too finds "this one as well" where a source takes it out.
func (a *alignment) too(x []float64) {
	f := " " + a.v.folded + " "
	japanese := a.c.lang == lang.JA
	if len(negators(a.v.folded, japanese)) > 0 || !japanese && !containsAny(f, additive) {
		return
	}
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind == "soft" || m.predicate() || !a.known[k] {
			continue
		}
		if japanese {
			rest := a.v.folded[m.to:]
			i := strings.Index(rest, "も")
			if i < 0 || i > 24 || strings.ContainsAny(rest[:i], "、。はがをに") && !strings.HasSuffix(rest[:i], "に") {
				continue
			}
		}
		out, in := false, false
		for i := range a.c.g.sentences {
			st := &a.c.g.sentences[i].view
			for j := range st.marks {
				if y := &st.marks[j]; sameMark(m, y) {
					d := st.denies(y.clause)
					out, in = out || d, in || !d && a.cover[i] > 0.8*a.cover[a.best]
				}
			}
		}
		if out && !in {
			x[sToo] = 1
			a.notes = append(a.notes, "too:"+m.word)
		}
	}
}
