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
	{"people", []string{"人", "名", "user", "people", "person", "recipient", "employee", "victim", "customer", "client", "patient", "student", "member", "顧客", "利用者", "会員"}},
	{"organisations", []string{"組織", "社", "corporate ", "business customer", "organi", "compan", "firm", "団体", "法人", "business"}},
	{"countries", []string{"カ国", "か国", "ヵ国", "countr"}},
	{"devices", []string{"台", "device", "server", "machine", "firewall", "router", "computer", "printer", "terminal", "pcs", "端末", "ルーター", "サーバー"}},
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
	{"tenants", []string{"テナント", "tenant"}},
	{"domains", []string{"ドメイン", "domain"}},
	{"seconds", []string{"秒", "second"}},
	{"items", []string{"件", "case", "report", "incident", "consultation", "complaint", "record", "vulnerabilit", "flaw", "bug", "脆弱性", "items"}},
	{"products", []string{"製品", "product"}},
	{"places", []string{"店舗", "拠点", "病院", "施設", "store", "branch", "hospital", "site"}},
	{"files", []string{"ファイル", "file"}},
	{"kinds", []string{"種類", "kinds", "types"}},
}

func (n *numeral) counter() string { return n.of }

func (n *numeral) readCounter() string {
	u := strings.NewReplacer("corporate customer", "company", "business customer", "company").Replace(strings.TrimLeft(n.unit, " 余超"))
	best, at := "", 1<<30
	// "The other eight the employee ..." counts no employees.
	stop := 16
	for _, w := range []string{" a ", " an ", " per ", " each ", " in ", " the ", " were ", " was ", " are ", " is ", " to ", " at ", " on ", " from ", " by ", " had ", " have ", " has ", " got ", " became ", " who ", " that ", " whose ", " with ", " and ", " or ", " which ", " when ", " because ", " for ", " after ", " before ", " could ", " can ", " may ", " will "} {
		if i := strings.Index(" "+u, w); i >= 0 && !strings.HasPrefix(u, "of the ") {
			stop = min(stop, i-1)
		}
	}
	head := -1
	for _, k := range counters {
		for _, w := range k.words {
			i := strings.Index(u, w)
			if i >= 0 && w[0] < 0x80 && i <= stop && head >= 0 && inDays[best] > 0 {
				continue // "eleven hours last week"
			}
			if i >= 0 && w[0] < 0x80 && i <= stop {
				// The last word of the phrase is what is counted: "customer companies".
				if i > head && !strings.ContainsAny(u[:i], "0123456789,;.") && (i == 0 || !isWord(u[i-1])) {
					head = i
					best, at = k.id, -1
				}
				continue
			}
			limit := 0
			if w[0] < 0x80 {
				limit = stop
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
		if c.advice && n.value <= 3 && !n.percent && (n.counter() == "" || n.counter() == "people") {
			continue // "ask a second person"
		}
		// A number in a list, a numbered step, "one of them".
		if n.value <= 3 && len(n.unit) > 1 && n.unit[0] == '-' && isLetter(n.unit[1]) {
			continue // two-step
		}
		if n.value <= 10 && strings.HasSuffix(c.folded[:n.from], "other ") {
			continue // what is left of a number
		}
		if n.value == 1 && !n.percent && strings.HasPrefix(n.unit, "日") {
			continue // per day
		}
		if strings.HasPrefix(n.unit, "日") && !strings.HasPrefix(n.unit, "日間") && c.dayOfMonth(int(n.value)) {
			continue
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
	case rounded == nil && wrong == nil && inDays[unit] > 0 && (c.lasts(n, unit) || !c.tells()):
	case rounded != nil:
		c.roundings = append(c.roundings, Rounding{Exact: strings.TrimSpace(rounded.text), Shown: strings.TrimSpace(n.text)})
	case wrong != nil:
		c.flag(Unit, n.text+firstWord(n.unit), wrong.text+firstWord(wrong.unit))
	case n.value == 4 && containsAny(c.folded, []string{"年4回", "four times a year"}) && containsAny(c.g.texts, []string{"四半期", "quarter"}):
	case strings.HasPrefix(n.unit, " and a half"):
	case c.times3(n):
	case n.percent && c.ratio(n):
		c.roundings = append(c.roundings, Rounding{Shown: strings.TrimSpace(n.text)})
	case n.percent:
		c.flag(Percent, n.text, "")
	default:
		c.flag(Number, n.text+firstWord(n.unit), "")
	}
}

// tells reports whether a source tells of a length of time, or how often, in a
// sentence that speaks of the same as the draft: one that follows from others is not
// an invented one.
func (c *check) tells() bool {
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		if slices.ContainsFunc(st.numbers, func(n numeral) bool {
			return inDays[n.of] > 0 && (!strings.HasPrefix(n.unit, "日") || strings.HasPrefix(n.unit, "日間"))
		}) && c.touches(st) {
			return true
		}
	}
	return false
}

// counted compares what a number counts with what the source counts by it: the
// subject of its clause must not be that of another number only.
func (c *check) counted(n *numeral) {
	unit := n.counter()
	if unit == "" || inDays[unit] > 0 {
		return
	}
	var mine []string
	theirs, others := map[string]bool{}, map[string]bool{}
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
		for k := range st.numbers {
			x := &st.numbers[k]
			if x.percent || x.token || x.counter() != unit && x.counter() != "" {
				continue
			}
			if x.value == n.value || n.rounds(x.value, false) {
				line = st.text
			}
			// What is said anywhere in the sentence may be said of the number, and what
			// its own clause says is said of it.
			for _, m := range mine {
				all, near := st.saysBeside(m, x)
				if x.value != n.value && !n.rounds(x.value, false) {
					others[m] = others[m] || near
				} else {
					theirs[m] = theirs[m] || all
				}
			}
		}
	}
	for _, m := range mine {
		if line != "" && !theirs[m] && others[m] {
			c.flag(Mixed, n.text+firstWord(n.unit), line)
			return
		}
	}
}

// saysBeside reports whether a sentence says something that belongs to a number,
// and whether its clause does. A place is written as "place" and its code.
func (st *statement) saysBeside(what string, n *numeral) (all, near bool) {
	if code, ok := strings.CutPrefix(what, "place "); ok {
		for i := range st.facts {
			f := &st.facts[i]
			if f.Type != fact.Place || f.Value != code {
				continue
			}
			here := st.near(f, n.from)
			all, near = all || here || len(st.numbers) < 2, near || here
		}
		return all, near
	}
	own := st.clauseOf(n.from)
	for _, y := range st.says {
		if y.id == what {
			all, near = true, near || y.clause == own
		}
	}
	return all || slices.ContainsFunc(st.before, func(y said) bool { return y.id == what }), near
}

// near reports whether a fact stands in the clause of a number.
func (st *statement) near(f *fact.Fact, at int) bool {
	t := st.parts[st.clauseOf(at)]
	for _, e := range f.Evidence {
		if e.Span[1] <= len(st.text) && e.Span[0] <= e.Span[1] {
			if word := fold(st.text[e.Span[0]:e.Span[1]]); word != "" && strings.Contains(t.text, word) {
				return true
			}
		}
	}
	return false
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
	return a == "accounts" && b == "people" || a == "items" && b == "organisations" || a == "items" && b == "mails" || a == "files" && b == "items" || a == "items" && b == "times"
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
				if ux == "" && uy != "" && c.beside(fold(c.g.sentences[i].text), x) {
					ux = uy // "1,300 users, of whom 400 are in Japan"
				}
				if ux == "" && uy == "" && x.value > 20 && c.beside(fold(c.g.sentences[i].text), x) {
					ux, uy = "items", "items"
				}
				if ux == "" || ux != uy || c.elsewhere(&c.g.sentences[i], x) {
					continue
				}
				if v := 100 * x.value / y.value; n.rounds(math.Round(v), true) || math.Abs(v-n.value) < 2 {
					return true
				}
			}
		}
	}
	return c.partOf(n) || c.ownRatio(n)
}

// ownRatio reports whether a share follows from two counts of the sentence itself, or
// from two of neighbouring sentences that speak of the same.
func (c *check) ownRatio(n *numeral) bool {
	fits := func(x, y *numeral) bool {
		if x.percent || y.percent || x.token || y.token || x.value < 1 || y.value <= x.value || inDays[x.of] > 0 || inDays[y.of] > 0 {
			return false
		}
		if x.of != "" && y.of != "" && x.of != y.of && !alike(x.of, y.of) {
			return false
		}
		v := 100 * x.value / y.value
		return math.Abs(v-n.value) < 2.5 || n.rounds(math.Round(v), true)
	}
	near := func(a, b []numeral) bool {
		for i := range a[:min(len(a), 12)] {
			for j := range b[:min(len(b), 12)] {
				if fits(&a[i], &b[j]) {
					return true
				}
			}
		}
		return false
	}
	if near(c.st.numbers, c.st.numbers) {
		return true
	}
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		for k := max(0, i-3); k <= i; k++ {
			if c.touches(st) && near(st.numbers, c.g.sentences[k].numbers) {
				return true
			}
		}
	}
	return false
}

// touches reports whether a sentence of a source speaks of at least two things of
// which the draft does.
func (c *check) touches(st *statement) bool {
	n := 0
	for i := range c.st.view.marks {
		if m := &c.st.view.marks[i]; m.kind != "soft" && st.view.has(m) {
			n++
		}
	}
	return n > 0
}

// times3 reports whether "three times as many" follows from two counts of a source.
func (c *check) times3(n *numeral) bool {
	if !strings.HasPrefix(n.unit, "倍") && !strings.HasPrefix(strings.TrimLeft(n.unit, " "), "times") && !strings.HasPrefix(n.unit, "-fold") {
		return false
	}
	for i := range c.g.sentences {
		list := c.g.sentences[i].numbers
		if i > 0 {
			list = append(slices.Clone(list), c.g.sentences[i-1].numbers...)
		}
		for _, x := range list[:min(len(list), 16)] {
			for _, y := range list[:min(len(list), 16)] {
				if x.value > 0 && y.value > x.value && x.percent == y.percent && (x.of == y.of || x.of == "" || y.of == "") && math.Abs(y.value/x.value-n.value) < 0.15*n.value/2+0.05 {
					return true
				}
			}
		}
	}
	return false
}

// partOf reports whether a share follows from a number of a sentence and the
// largest of its kind in the sentences before.
func (c *check) partOf(n *numeral) bool {
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		for k := range st.numbers {
			x := &st.numbers[k]
			if x.percent || x.token || x.value < 1 || c.elsewhere(st, x) || !c.beside(fold(st.text), x) {
				continue
			}
			for _, before := range c.g.sentences[max(0, i-6):i] {
				for j := range before.numbers {
					y := &before.numbers[j]
					if y.percent || y.token || y.value <= x.value || y.counter() == "" || inDays[y.counter()] > 0 || x.counter() != "" && x.counter() != y.counter() {
						continue
					}
					if v := 100 * x.value / y.value; n.rounds(math.Round(v), true) || math.Abs(v-n.value) < 2 {
						return true
					}
				}
			}
		}
	}
	return false
}

// elsewhere reports whether the sentence speaks of something that the source
// has in another clause than that of the number.
func (c *check) elsewhere(st *statement, n *numeral) bool {
	own := st.clauseOf(n.from)
	for _, x := range c.says {
		if x.kind != "subject" && x.kind != "group" {
			continue
		}
		here, there := false, false
		for _, y := range st.says {
			if y.id == x.id {
				here, there = here || y.clause == own, there || y.clause != own
			}
		}
		if there && !here {
			return true
		}
	}
	return false
}

// beside reports whether the clause around a number of a source is about the
// place or the thing of which the sentence speaks.
func (c *check) beside(s string, n *numeral) bool {
	for _, p := range clauses(s) {
		if n.from < p.from || n.from >= p.to {
			continue
		}
		for _, x := range concepts(p.text) {
			if slices.ContainsFunc(c.says, func(y said) bool { return x.id == y.id && x.kind == y.kind }) {
				return true
			}
		}
		for _, w := range c.words {
			if len(w) > 3 && strings.Contains(p.text, w) {
				return true
			}
		}
		for _, f := range fact.Extract(&fact.Input{Text: p.text}, nil).Of(fact.Place) {
			if slices.ContainsFunc(c.facts, func(g placed) bool { return g.Type == fact.Place && g.Value == f.Value }) {
				return true
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
