package grounding

import (
	"math"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/news/fact"
)

var inDays = map[string]float64{"minutes": 1.0 / 1440, "hours": 1.0 / 24, "days": 1, "weeks": 7, "months": 30, "years": 365}

// counters are the units that can be told apart, by the words after a number.
var counters = []struct {
	id    string
	words []string
}{
	{"people", []string{"人", "名", "user", "people", "person", "recipient", "employee", "victim"}},
	{"organisations", []string{"組織", "社", "organi", "compan", "firm", "団体", "法人", "business"}},
	{"countries", []string{"カ国", "か国", "ヵ国", "countr"}},
	{"devices", []string{"台", "device", "server", "machine", "firewall"}},
	{"mails", []string{"通", "mail", "message"}},
	{"yen", []string{"円", "yen"}},
	{"dollars", []string{"ドル", "dollar"}},
	{"minutes", []string{"分", "minute"}},
	{"hours", []string{"時間", "hour"}},
	{"days", []string{"日", "day"}},
	{"weeks", []string{"週", "week"}},
	{"months", []string{"カ月", "か月", "ヶ月", "month"}},
	{"years", []string{"年", "year"}},
	{"times", []string{"回", "times"}},
	{"accounts", []string{"アカウント", "account"}},
	{"domains", []string{"ドメイン", "domain"}},
	{"seconds", []string{"秒", "second"}},
	{"items", []string{"件", "case", "report", "incident", "consultation", "complaint", "record", "vulnerabilit", "flaw", "bug", "脆弱性", "items"}},
	{"products", []string{"製品", "product"}},
	{"places", []string{"店舗", "拠点", "病院", "施設", "store", "branch", "hospital", "site"}},
	{"files", []string{"ファイル", "file"}},
	{"kinds", []string{"種類", "kinds", "types"}},
}

func (n *numeral) counter() string {
	u := strings.TrimLeft(n.unit, " 余超")
	best, at := "", 1<<30
	for _, k := range counters {
		for _, w := range k.words {
			i := strings.Index(u, w)
			limit := 0
			if w[0] < 0x80 {
				limit = 16
			}
			if i >= 0 && i <= limit && i < at {
				// An own word of another number in between ends the search.
				if !strings.ContainsAny(u[:i], "0123456789,;.") {
					best, at = k.id, i
				}
			}
		}
	}
	return best
}

// numbers compares what is left of the digits and number words.
func (c *check) numbers() {
	for _, n := range numerals(c.folded) {
		if c.isUsed(n.from) || n.token {
			continue
		}
		// A number in a list, a numbered step, "one of them".
		if n.value == 1 && !n.percent && strings.HasPrefix(n.unit, "日") {
			continue // per day
		}
		if n.from == 0 && strings.HasPrefix(c.folded[n.to:], ".") || n.value == 1 && n.text == "one" || n.percent && n.text == "half" && n.bound == exact && c.g.texts == "" {
			continue
		}
		c.number(&n)
	}
}

func (c *check) number(n *numeral) {
	if slices.ContainsFunc(c.g.ownNumber, func(o numeral) bool { return o.value == n.value && o.percent == n.percent }) || bounded(c.g.own, n.text) {
		return
	}
	unit := n.counter()
	var wrong, rounded *numeral
	for i := range c.g.numbers {
		s := &c.g.numbers[i]
		if s.percent != n.percent {
			continue
		}
		same := s.value == n.value || n.rounds(s.value, n.percent)
		u := s.counter()
		if !same && inDays[unit] > 0 && inDays[u] > 0 && unit != u {
			a, b := n.value*inDays[unit], s.value*inDays[u]
			if n.bound != exact && math.Abs(a-b) <= 0.05*b || a == b {
				same, u = true, unit
			}
		}
		if !same {
			continue
		}
		if unit != "" && u != "" && unit != u && !alike(unit, u) {
			wrong = s
			continue
		}
		if s.value != n.value {
			rounded = s
			continue
		}
		if n.percent {
			c.share(n)
		} else {
			c.counted(n)
		}
		return
	}
	switch {
	case rounded != nil:
		c.roundings = append(c.roundings, Rounding{Exact: strings.TrimSpace(rounded.text), Shown: strings.TrimSpace(n.text)})
	case wrong != nil:
		c.flag(Unit, n.text+firstWord(n.unit), wrong.text+firstWord(wrong.unit))
	case n.percent && c.ratio(n):
		c.roundings = append(c.roundings, Rounding{Shown: strings.TrimSpace(n.text)})
	case n.percent:
		c.flag(Percent, n.text, "")
	default:
		c.flag(Number, n.text+firstWord(n.unit), "")
	}
}

// counted compares what a number counts with what the source counts by it: the
// subject of its clause must not be that of another number only.
func (c *check) counted(n *numeral) {
	unit := n.counter()
	if unit == "" || inDays[unit] > 0 {
		return
	}
	var mine, theirs, others []string
	for _, x := range concepts(c.clauseAt(n.from)) {
		// What is counted is the unit's business.
		if x.kind == "subject" && !slices.Contains([]string{"corporate", "customer", "device", "employee", "vulnerability", "consultation"}, x.id) {
			mine = append(mine, x.id)
		}
	}
	for _, f := range c.facts {
		if f.Type == fact.Place && strings.Contains(c.clauseAt(n.from), c.folded[f.from:f.to]) {
			mine = append(mine, "place "+f.Value)
		}
	}
	if len(mine) == 0 {
		return
	}
	line := ""
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		for _, x := range st.numbers {
			if x.percent || x.token || x.counter() != unit && x.counter() != "" {
				continue
			}
			var all, near []string
			for _, y := range st.says {
				all = append(all, y.id)
				if y.clause < len(st.parts) && x.from >= st.parts[y.clause].from && x.from < st.parts[y.clause].to {
					near = append(near, y.id)
				}
			}
			for _, y := range st.before {
				all = append(all, y.id)
			}
			for _, f := range st.facts {
				if f.Type == fact.Place {
					all = append(all, "place "+f.Value)
				}
			}
			if x.value == n.value || n.rounds(x.value, false) {
				theirs, line = append(theirs, all...), st.text
			} else {
				others = append(others, near...)
			}
		}
	}
	for _, m := range mine {
		if len(theirs) > 0 && !slices.Contains(theirs, m) && slices.Contains(others, m) {
			c.flag(Mixed, n.text+firstWord(n.unit), line)
			return
		}
	}
}

func firstWord(s string) string {
	lead := ""
	if strings.HasPrefix(s, " ") {
		lead, s = " ", s[1:]
	}
	for i, r := range s {
		if r == ' ' || r == ',' || r == '.' || r == '、' || r == '。' || i > 12 {
			return lead + s[:i]
		}
	}
	return lead + s
}

func alike(a, b string) bool {
	if a > b {
		a, b = b, a
	}
	return a == "accounts" && b == "people" || a == "items" && b == "mails" || a == "files" && b == "items" || a == "items" && b == "times"
}

// ratio reports whether a share follows from two counts of one sentence.
func (c *check) ratio(n *numeral) bool {
	for i := range c.g.sentences {
		list := numerals(fold(c.g.sentences[i].text))
		for a := range min(len(list), 12) {
			for b := range min(len(list), 12) {
				x, y := &list[a], &list[b]
				if x.percent || y.percent || x.token || y.token || x.value >= y.value || y.value < 2 || y.value > 1900 && y.value < 2100 {
					continue
				}
				ux, uy := x.counter(), y.counter()
				if ux == "" && x.to < y.from && y.from-x.to < 40 {
					// "12 of the 70", 70社のうち12社.
					if between := fold(c.g.sentences[i].text)[x.to:y.from]; strings.Contains(between, " of ") {
						ux = uy
					}
				}
				if ux == "" || ux != uy {
					continue
				}
				if v := 100 * x.value / y.value; n.rounds(math.Round(v), true) || math.Abs(v-n.value) < 2 {
					return true
				}
			}
		}
	}
	return false
}

// share compares what a share is of with the source.
func (c *check) share(n *numeral) {
	mine := c.subjects(n.from)
	mine = append(mine, tokens(c.clauseAt(n.from))...)
	var theirs, others []string
	line := ""
	for i := range c.g.sentences {
		for _, p := range c.g.sentences[i].parts {
			for _, x := range numerals(p.text) {
				if !x.percent {
					continue
				}
				marks := append(says(p.text), tokens(p.text)...)
				if x.value == n.value {
					theirs, line = append(theirs, marks...), c.g.sentences[i].text
				} else {
					others = append(others, marks...)
				}
			}
		}
	}
	single := 0
	for _, x := range numerals(c.folded) {
		if x.percent {
			single++
		}
	}
	if single == 1 {
		for _, x := range c.says {
			if x.kind == "subject" {
				mine = append(mine, x.mark())
			}
		}
	}
	for _, m := range mine {
		if !slices.Contains(theirs, m) && slices.Contains(others, m) {
			c.flag(Mixed, n.text, line)
			return
		}
	}
}

func (c *check) clauseAt(at int) string {
	for _, p := range c.parts {
		if at >= p.from && at < p.to {
			return p.text
		}
	}
	return ""
}

// tokens are settings such as p=reject.
func tokens(s string) []string {
	if !strings.Contains(s, "=") {
		return nil
	}
	var out []string
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r > 0x7f || r != '=' && !isWord(byte(r)) }) {
		if strings.Contains(w, "=") {
			out = append(out, w)
		}
	}
	return out
}

// claims compares how far something went for those who are counted.
func (c *check) claims() {
	for _, f := range c.facts {
		if f.Type != fact.Count || f.Unit == fact.Percent || f.Claim.Strength() == 0 || f.Negated {
			continue
		}
		strongest, found := 0, false
		for _, list := range [][]fact.Fact{c.g.facts, c.g.ownFacts} {
			for i := range list {
				s := &list[i]
				if s.Type != fact.Count || s.Unit != f.Unit {
					continue
				}
				n := numeral{value: f.Number, bound: about}
				if s.Number == f.Number || n.rounds(s.Number, false) {
					found, strongest = true, max(strongest, s.Claim.Strength())
				}
			}
		}
		if found && strongest > 0 && f.Claim.Strength() > strongest {
			c.flag(Claim, c.folded[f.from:f.to], "")
		}
	}
	c.harmed()
}

// harmed compares what befell those who are counted: a number that a source
// gives for those who were asked or called must not become one of victims.
func (c *check) harmed() {
	if len(c.g.sentences) == 0 {
		return
	}
	for _, x := range c.says {
		if x.kind != "harm" || x.negated || x.hedged || x.open {
			continue
		}
		for _, n := range numerals(c.folded) {
			if n.percent || n.token || n.value < 2 || n.counter() == "" || inDays[n.counter()] > 0 || !c.together(x, n.from) || c.dated(n.from) {
				continue
			}
			counted, agrees := "", false
			for i := range c.g.sentences {
				st := &c.g.sentences[i]
				if !slices.ContainsFunc(st.numbers, func(s numeral) bool {
					return !s.percent && (s.value == n.value || n.rounds(s.value, false)) && (s.counter() == n.counter() || s.counter() == "" || alike(s.counter(), n.counter()))
				}) {
					continue
				}
				counted = st.text
				agrees = agrees || slices.ContainsFunc(st.says, func(y said) bool {
					return y.kind == "harm" && !y.negated && !y.open && (y.id == x.id || x.id == "lost" || y.id == "lost")
				})
			}
			if counted != "" && !agrees {
				c.flag(Claim, c.text, counted)
			}
		}
	}
}

// together reports whether a number stands in or beside the clause of what is
// said.
func (c *check) together(x said, at int) bool {
	for i, p := range c.parts {
		if at >= p.from && at < p.to {
			return i == x.clause || i == x.clause-1
		}
	}
	return false
}

func (c *check) dated(at int) bool {
	return slices.ContainsFunc(c.facts, func(f placed) bool { return f.Type == fact.Date && at >= f.from && at < f.to })
}
