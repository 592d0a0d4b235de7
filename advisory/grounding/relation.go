package grounding

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/news/fact"
)

// classes are harms that people tell of in each other's words.
var classes = map[string]string{
	"compromised": "access", "infected": "access", "exploited": "access",
	"lost": "money", "withdrawn": "money", "paid": "money",
}

func sameHarm(a, b string) bool {
	return a == b || a == "lost" || b == "lost" || classes[a] != "" && classes[a] == classes[b]
}

// reach reports whether what a clause of a sentence says may be said of a number
// in it: in its own clause, in those behind it as far as the next number of the
// kind, and in those before it if its own clause says nothing.
func (st *statement) reach(n *numeral, clause int) bool {
	own := st.clauseOf(n.from)
	if clause == own {
		return true
	}
	if clause < own {
		// Back to the last clause that says anything.
		for k := own; k > clause; k-- {
			if slices.ContainsFunc(st.says, func(x said) bool { return x.clause == k && x.predicate() }) {
				return false
			}
		}
		return true
	}
	for i := range st.numbers {
		m := &st.numbers[i]
		if m.percent || m.token || m.value == n.value || m.counter() == "" && m.value < 2 && !strings.HasPrefix(m.unit, " of ") || inDays[m.counter()] > 0 {
			continue
		}
		// A number without a word of its own ("96 of them") counts the same.
		if k := st.clauseOf(m.from); k > own && k <= clause && (m.counter() == n.counter() || m.counter() == "") {
			return false
		}
	}
	return true
}

// predicate reports whether it is something that may be so or not.
func (x *said) predicate() bool {
	return x.kind == "harm" || x.kind == "verb" || x.kind == "state" && x.id != "all" && x.id != "some"
}

func (st *statement) clauseOf(at int) int {
	for i, p := range st.parts {
		if at >= p.from && at < p.to {
			return i
		}
	}
	return len(st.parts) - 1
}

// loose are groups whose things are named in passing, so that the absence of one
// means nothing.
var loose = map[string]bool{
	"via.mail": true, "via.phone": true, "secret.name": true, "who.employee": true, "who.customer": true, "who.admin": true, "who.partner": true,
	"file.word": true, "secret.password": true, "every.day": true, "part.some": true, "part.full": true,
	"client.corporate": true, "step.first": true, "cause.attack": true, "severity.low": true, "severity.important": true, "times.two": true,
	"secret.token": true, "via.sms": true, "locus.home": true, "how.auto": true, "secret.bank": true, "dept.sales": true, "half.am": true, "half.pm": true, "plan.free": true, "ip.shared": true,
}

// groups finds one thing of a group where the source has another.
func (c *check) groups() {
	var with []related
	for i, x := range c.says {
		if x.kind != "group" || x.negated {
			continue
		}
		group, _, _ := strings.Cut(x.id, ".")
		if slices.ContainsFunc(c.says[:i], func(y said) bool { return y.id == x.id }) {
			continue
		}
		if with == nil {
			with = c.related("")
		}
		if len(with) == 0 || with[0].score < 1.5 {
			return
		}
		others := func(st *statement) (same, other bool) {
			for _, y := range append(slices.Clone(st.says), st.before...) {
				if y.kind != "group" {
					continue
				}
				if y.id == x.id {
					same = true
				} else if strings.HasPrefix(y.id, group+".") {
					other = true
				}
			}
			return same, other
		}
		if c.g.spread[x.id] == 0 && !loose[x.id] {
			for _, r := range with[:min(len(with), 3)] {
				if r.score < 0.75*with[0].score {
					break
				}
				if _, other := others(r.st); other {
					c.flag(Nowhere, c.text, r.st.text)
					return
				}
			}
			continue
		}
		// The sentence that speaks of the matter has another one, and those that have
		// this one are about something else.
		if c.g.spread[x.id] == 0 || group == "via" || group == "file" || group == "who" || group == "step" || group == "half" {
			continue
		}
		if same, other := others(with[0].st); same || !other || with[0].score < 3 {
			continue
		}
		if !slices.ContainsFunc(with, func(r related) bool { same, _ := others(r.st); return same && r.score > 0.6*with[0].score }) {
			c.flag(Mixed, c.text, with[0].st.text)
			return
		}
	}
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

// scope finds "all" and "only" that no sentence of the source about the matter
// bears out.
func (c *check) scope() {
	f := " " + c.folded + " "
	all := containsAny(f, universal) && !containsAny(f, notAll)
	only := containsAny(f, exclusive) && !containsAny(f, passing)
	if !all && !only {
		return
	}
	with := c.related("")
	if len(with) == 0 || with[0].score < 2 {
		return
	}
	for _, r := range with {
		if r.score < 0.75*with[0].score {
			break
		}
		t := " " + fold(r.st.text) + " "
		// "No ransom was paid" is about all of them, too.
		if all && (containsAny(t, universal) || containsAny(t, []string{"完了", " no ", " none", "ありません", "whole", "entire", "両方", "always", "常に", "than"})) {
			return
		}
		if only && (containsAny(t, exclusive) || containsAny(t, excluded)) {
			return
		}
	}
	t := " " + fold(with[0].st.text) + " "
	switch {
	case all && (containsAny(t, []string{"一部", " some ", "several", "うち", " of ", "part of", "少数", "だけ", "のみ", "に限", "only"}) || len(with[0].st.numbers) > 0):
		c.flag(Scope, c.text, with[0].st.text)
	case only && c.limitsWhom():
		c.flag(Scope, c.text, with[0].st.text)
	}
}

// limitsWhom reports whether the sentence names who or where it is about.
func (c *check) limitsWhom() bool {
	for _, f := range c.facts {
		if f.Type == fact.Place || f.Type == fact.Product {
			return true
		}
	}
	return slices.ContainsFunc(c.says, func(x said) bool {
		return x.kind == "group" && !strings.HasPrefix(x.id, "via.") && !strings.HasPrefix(x.id, "secret.") && !strings.HasPrefix(x.id, "file.")
	})
}

// denied finds something that the source names only to say that it is not so.
func (c *check) denied() {
	if c.unsure() {
		return
	}
	var bad bool
	for i := range c.says {
		x := &c.says[i]
		if x.predicate() && x.negated {
			return
		}
		bad = bad || x.kind == "harm" || strings.HasPrefix(x.id, "cause.") || slices.Contains([]string{"affected", "targeted", "included", "suspended", "rejected", "changed", "required", "stored", "happens"}, x.id)
	}
	if !bad {
		return
	}
	for _, x := range c.says {
		if x.kind != "group" || x.negated || c.g.spread[x.id] == 0 || c.g.spread[x.id] > 2 || !c.saysOf(&x) {
			continue
		}
		only, line := true, ""
		for i := range c.g.sentences {
			st := &c.g.sentences[i]
			for _, y := range st.says {
				if y.id != x.id {
					continue
				}
				line = st.text
				only = only && (y.negated || st.takenBack(y.clause)) &&
					!slices.ContainsFunc(st.says, func(z said) bool { return z.clause == y.clause && z.predicate() && !z.negated && c.asserts(z.id) })
			}
		}
		if only && line != "" {
			c.flag(Opposite, c.text, line)
			return
		}
	}
}

// takenBack reports whether a clause, or the one that ends its enumeration, says
// that something is not so.
func (st *statement) takenBack(clause int) bool {
	for k := clause; k < len(st.parts); k++ {
		any := false
		for _, z := range st.says {
			if z.clause == k && z.predicate() {
				if z.negated {
					return true
				}
				any = true
			}
		}
		if any {
			return false
		}
	}
	return false
}

// saysOf reports whether the clause of a thing states something of it.
func (c *check) saysOf(x *said) bool {
	return strings.HasPrefix(x.id, "cause.") || slices.ContainsFunc(c.says, func(y said) bool { return y.clause == x.clause && y.predicate() && !y.negated })
}

// asserts reports whether the sentence says so.
func (c *check) asserts(id string) bool {
	return slices.ContainsFunc(c.says, func(x said) bool { return x.id == id && !x.negated })
}

// doubted finds a name of which the source speaks with doubt only, in a sentence
// that has no doubt.
func (c *check) doubted() {
	if c.unsure() {
		return
	}
	for _, w := range c.latinNames() {
		seen, sure := 0, false
		var line string
		for i := range c.g.sentences {
			st := &c.g.sentences[i]
			if !bounded(fold(st.text), w) {
				continue
			}
			seen++
			line = st.text
			sure = sure || !hedgedText(" "+fold(st.text)+" ") && !containsAny(fold(st.text), unknowns)
		}
		if seen > 0 && !sure {
			c.flag(Certainty, c.text, line)
			return
		}
	}
}

func (c *check) unsure() bool {
	f := " " + c.folded + " "
	return hedgedText(f) || containsAny(f, unknowns) || containsAny(f, []string{"ない", "ません", " not ", " no ", "予定", "planned", "expected", "resembl", "similar", "似て", "場合", " can ", "できます", "することがあ", "見通し", "めど", "見込"})
}

// latinNames are the names of a sentence in Latin letters: words with a capital where
// none is due.
func (c *check) latinNames() []string {
	var out []string
	words := strings.FieldsFunc(c.text, func(r rune) bool { return r > 0x7f || strings.ContainsRune(" ,;()\"", r) })
	for i, w := range words {
		w = strings.TrimSuffix(strings.Trim(w, ".:!?'’[]"), "'s")
		if len(w) < 4 || !isCapital(w) || i == 0 && strings.ToUpper(w) != w && strings.HasPrefix(c.text, w) && (len(words) < 2 || !isCapital(words[1])) {
			continue
		}
		f := strings.ToLower(w)
		if standing[f] || isMonth(f) || containsDigitRun(f) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// reversed finds "from A to B" where the source has "from B to A".
func (c *check) reversed() {
	mine, ok := change(c.folded, &c.st)
	if !ok {
		return
	}
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		theirs, ok := change(fold(st.text), st)
		if ok && mine[0] == theirs[1] && mine[1] == theirs[0] {
			c.flag(Opposite, c.text, st.text)
			return
		}
	}
}

// change returns what becomes what in a text, as far as both are of one group.
func change(s string, st *statement) ([2]string, bool) {
	var at []said
	for _, x := range st.says {
		if x.kind == "group" && strings.HasPrefix(x.id, "every.") && !slices.ContainsFunc(at, func(y said) bool { return y.id == x.id }) {
			at = append(at, x)
		}
	}
	for _, n := range st.numbers {
		if days := inDays[n.counter()]; days > 0 && !n.token {
			at = append(at, said{id: strconv.FormatFloat(n.value*days, 'f', -1, 64), at: n.from})
		}
	}
	if len(at) != 2 {
		return [2]string{}, false
	}
	slices.SortFunc(at, func(a, b said) int { return a.at - b.at })
	out := [2]string{at[0].id, at[1].id}
	between := s[min(at[0].at, len(s)):min(at[1].at, len(s))]
	switch {
	case strings.Contains(between, "から") || strings.Contains(" "+s, " from ") && strings.Contains(between, " to "):
		return out, true
	case strings.Contains(between, "instead of") || strings.Contains(between, "rather than"):
		return [2]string{out[1], out[0]}, true
	}
	return out, false
}
