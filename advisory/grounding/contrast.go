package grounding

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// harms finds what no source tells of, or only to deny or to doubt it.
func (a *alignment) harms(x *[signs]float64) {
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "act" || m.negated || m.hedged || m.open {
			continue
		}
		if !a.known[k] {
			if !a.kin(m) {
				x[sHarm] = 1
			}
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
		switch {
		case plain == 0 && doubted > 0:
			x[sHarmDoubted] = 1
		case plain == 0 && denied > 0:
			x[sHarmDenied] = 1
		}
	}
}

// harmful is what befalls people, of which they tell in each other's words.
var harmful = []string{"stolen", "compromised", "exploited"}

// kin reports whether a source tells of another harm than a mark does.
func (a *alignment) kin(m *mark) bool {
	if !slices.ContainsFunc(m.ids, func(id string) bool { return slices.Contains(harmful, id) }) {
		return false
	}
	for i := range a.c.g.sentences {
		st := &a.c.g.sentences[i].view
		for j := range st.marks {
			if y := &st.marks[j]; y.kind == "act" && !y.negated && slices.ContainsFunc(y.ids, func(id string) bool { return slices.Contains(harmful, id) }) {
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

func sameMark(a, b *mark) bool { return sameID(a, b) || len(a.ids) == 0 && a.word == b.word }

// stated reports whether a mark is something that may be so or not.
func (m *mark) stated() bool { return m.predicate() && !m.noun || m.verbal || m.absent }

// things finds what no source speaks of.
func (a *alignment) things(x *[signs]float64) {
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind != "thing" || m.negated || a.known[k] {
			continue
		}
		// Another reading of the same words may be known.
		other := false
		for q := range a.v.marks {
			o := &a.v.marks[q]
			other = other || o.at == m.at && o.kind != "thing" && a.known[q]
		}
		if other {
			continue
		}
		x[sInvented] = 1
		if a.rival(m) {
			x[sRival] = 1
		}
	}
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

// strangers finds names in katakana that a source in Japanese does not have.
func (a *alignment) strangers(x *[signs]float64) {
	for k := range a.v.marks {
		m := &a.v.marks[k]
		if m.kind == "word" && m.japanese && !a.known[k] && a.comparable(m, false) && utf8.RuneCountInString(m.word) > 3 && !strings.ContainsFunc(m.word, func(r rune) bool { return !isKatakana(r) }) {
			x[sStranger] = 1
		}
	}
}

// denied finds things of which the sources speak only to say that they are not so,
// or that nobody is sure.
func (a *alignment) denied(x *[signs]float64) {
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
			x[sDenied] = 1
		}
		if plain == 0 && doubted > 0 {
			x[sDoubted] = 1
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

var additive = []string{" too", " also ", " as well", " either."}

// too finds "this one as well" where a source takes it out.
func (a *alignment) too(x *[signs]float64) {
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
		}
	}
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
				topic := a.cover[i] - a.weight[k]
				if i > 1 {
					topic = max(topic, 0.9*a.cover[i-1]) // what the sentence before is about
				}
				score := max(0, min(1, (0.5*topic+a.inClause(i, y.clause)-0.5*a.weight[k])/(other+0.15)))
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
	best, least := -1, 3
	for q := range a.v.marks {
		o := &a.v.marks[q]
		if o.at == m.at || o.kind == "do" || !a.known[q] || sameMark(m, o) {
			continue
		}
		n, both := 0, false
		for i, in := range a.in[q] {
			if in {
				n++
				both = both || a.in[k][i] || i > 0 && i+1 < len(a.in[k]) && a.in[k][i+1]
			}
		}
		if both && n < least {
			best, least = q, n
		}
	}
	if best < 0 {
		return nil
	}
	out := map[int]bool{}
	for i, in := range a.in[best] {
		if in {
			out[i] = true
			out[i+1] = out[i+1] || i > 0
		}
	}
	return out
}

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

// inClause is half of how much of the sentence a phrase of a source has.
func (a *alignment) inClause(i, clause int) float64 {
	if a.clauses[i] == nil {
		st := &a.c.g.sentences[i].view
		sums := make([]float64, len(st.breaks)+1)
		for k := range a.v.marks {
			if !a.in[k][i] {
				continue
			}
			seen := make([]bool, len(sums))
			for j := range st.marks {
				if y := &st.marks[j]; !seen[y.clause] && sameMark(&a.v.marks[k], y) {
					seen[y.clause] = true
					sums[y.clause] += 0.5 * a.weight[k]
				}
			}
		}
		a.clauses[i] = sums
	}
	return a.clauses[i][clause]
}

// mood compares whether the last phrase of the sentence and the phrases of the
// sources that are nearest to it take back what they say.
func (a *alignment) mood() float64 {
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

// doubt compares how sure the sentence and the best one of the sources are.
func (a *alignment) doubt(x *[signs]float64) {
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
