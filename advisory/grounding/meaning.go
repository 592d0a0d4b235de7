package grounding

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// isAdvice reports whether a folded sentence asks for something and states
// nothing.
func isAdvice(s string) bool {
	t := strings.TrimRight(s, "。.!）) ")
	for _, end := range []string{"ください", "ましょう", "します", "お願いします", "お願いいたします", "おすすめします", "推奨します", "検討を", "確認を"} {
		if end != "します" && strings.HasSuffix(t, end) {
			return true
		}
	}
	if containsAny(t, []string{"てください", "でください", "おすすめ", "推奨", "お願い", "必ず"}) && !containsAny(t, []string{"当社"}) {
		return true
	}
	first, rest, _ := strings.Cut(t, " ")
	first = strings.Trim(first, ",:")
	switch first {
	case "please", "never", "always", "do", "don't", "check", "keep", "update", "install", "look", "require", "revoke", "block", "search", "ask", "tell", "confirm", "hang", "change", "use", "start", "review", "remove", "make", "report", "contact", "call", "verify", "apply", "turn", "enable", "disable", "delete", "set", "save", "open", "close", "go", "read", "write", "note", "forward", "avoid", "agree", "allow", "approve", "compare", "consult", "copy", "create", "decide", "deploy", "discuss", "document", "download", "educate", "ensure", "enforce", "exclude", "explain", "export", "follow", "forbid", "give", "hold", "identify", "inform", "instruct", "introduce", "investigate", "leave", "let", "limit", "list", "log", "measure", "migrate", "monitor", "move", "notify", "obtain", "prepare", "prevent", "prohibit", "protect", "provide", "record", "register", "replace", "request", "reset", "respond", "restrict", "rotate", "run", "schedule", "secure", "see", "select", "send", "share", "show", "sign", "stop", "store", "switch", "take", "teach", "train", "uninstall", "upgrade", "visit", "wait", "warn", "watch", "restart", "test", "plan", "find", "consider", "treat", "stay", "be", "if":
		if first == "if" {
			_, main, ok := strings.Cut(rest, ", ")
			return ok && isAdvice(main)
		}
		return true
	}
	return false
}

// meaning compares what the sentence says with what the sources say.
func (c *check) meaning() {
	c.own()
	if len(c.g.sentences) == 0 {
		return
	}
	if !c.advice {
		c.polarity()
	}
	if !c.advice && len(c.problems) == 0 {
		c.groups()
		c.denied()
		c.scope()
		c.doubted()
		c.reversed()
		c.parity()
		c.bindIdentifier()
	}
	c.support()
}

// own looks for statements about ourselves.
func (c *check) own() {
	f := " " + c.folded + " "
	mine := containsAny(f, []string{"当社", "弊社", "わが社", "我が社", "自社では", " our ", " we have ", " we received ", " we found "})
	if !mine || c.advice {
		return
	}
	if containsAny(f, []string{"ください", "ご連絡", "おそれ", "場合は", "possible", " if "}) {
		return
	}
	// What the organisation told may bear it out.
	for part := range strings.SplitSeq(c.g.own, "\n") {
		if part != "" && len(part) > 12 && strings.Contains(c.folded, strings.TrimSpace(part)) {
			c.ours = true
			return
		}
	}
	c.flag(Ours, c.text, "")
}

// related are the sentences of the sources that speak of the same, best first.
type related struct {
	st    *statement
	score float64
}

func (c *check) related(without string) []related {
	if c.scores == nil {
		c.scores = make([]float64, len(c.g.sentences))
		for i := range c.g.sentences {
			c.scores[i] = c.overlap(&c.g.sentences[i])
		}
	}
	var out []related
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		if score := c.scores[i] - c.owed(st, without); score > 0.001 || without != "" {
			out = append(out, related{st, score})
		}
	}
	slices.SortStableFunc(out, func(a, b related) int { return cmp.Compare(b.score, a.score) })
	return out
}

// weight is how much it counts that a sentence of a source says the same.
func (c *check) weight(x *said, st *statement) float64 {
	weight := 1.0
	switch x.kind {
	case "topic", "verb":
		weight = 0.5
	case "group":
		weight = 0.75
	}
	if c.g.spread[x.id] > 4 {
		weight /= 2
	}
	is := func(y said) bool { return y.id == x.id && y.kind == x.kind }
	switch {
	case slices.ContainsFunc(st.says, is):
		return weight
	case (x.kind == "subject" || x.kind == "topic" || x.kind == "group") && slices.ContainsFunc(st.before, is):
		return weight / 2
	}
	return 0
}

// owed is what of the overlap with a sentence is due to a concept that is left
// out.
func (c *check) owed(st *statement, without string) float64 {
	if without == "" {
		return 0
	}
	sum := 0.0
	for i, x := range c.says {
		if x.id != without && !(impact[x.id] && impact[without]) || slices.ContainsFunc(c.says[:i], func(y said) bool { return y.id == x.id }) {
			continue
		}
		sum += c.weight(&x, st)
	}
	return sum
}

// impact are states that one word may stand for.
var impact = map[string]bool{"impacted": true, "suspended": true, "affected": true, "rejected": true}

// overlap is how much a sentence has in common with one of a source: concepts,
// facts and words. What many sentences have counts less.
func (c *check) overlap(st *statement) float64 {
	score := 0.0
	for i, x := range c.says {
		if !slices.ContainsFunc(c.says[:i], func(y said) bool { return y.id == x.id }) {
			score += c.weight(&x, st)
		}
	}
	for _, f := range c.facts {
		for i := range st.facts {
			s := &st.facts[i]
			if s.Type == f.Type && s.Value == f.Value {
				score += 1.5
				break
			}
		}
	}
	for _, w := range c.words {
		switch {
		case !st.words[w]:
		case w[0] < 0x80 && isModel(w):
			score += 1.5
		case w[0] > 0x7f || len(w) > 3:
			score += 0.5
		}
	}
	for _, p := range c.cities {
		if slices.Contains(st.cities, p) {
			score += 1.5
		}
	}
	mine := tokens(c.folded)
	for _, t := range tokens(fold(st.text)) {
		if slices.Contains(mine, t) {
			score += 1.5
		}
	}
	return score
}

// isModel reports whether a word is letters and digits, such as the name of a
// model.
func isModel(w string) bool {
	return containsDigitRun(w) && strings.ContainsFunc(w, func(r rune) bool { return r >= 'a' && r <= 'z' })
}

func (c *check) best() (string, float64) {
	if list := c.related(""); len(list) > 0 {
		return list[0].st.text, list[0].score
	}
	return "", 0
}

// polarity looks for states that the sources have the other way round, for
// doubts that are gone, and for harm that no source tells of.
func (c *check) polarity() {
	for _, x := range c.says {
		if x.kind != "state" && x.kind != "harm" && x.kind != "verb" || x.open && x.id != "known" {
			continue
		}
		if (x.id == "fixed" || x.id == "exploited") && !x.hedged && c.never(x) {
			c.flag(Opposite, c.text, "")
			continue
		}
		done := containsAny(" "+c.folded+" ", done) && !x.future
		with := c.related(x.id)
		most := 0.0
		if len(with) > 0 {
			most = with[0].score
		}
		with = slices.DeleteFunc(with, func(r related) bool {
			return !slices.ContainsFunc(r.st.says, func(y said) bool { return y.id == x.id })
		})
		if len(with) == 0 {
			if x.kind == "harm" && !x.negated && !x.hedged && !x.open && !c.anywhere(x.id) {
				c.flag(Nowhere, c.text, "")
			}
			if settled[x.id] && !x.negated && !x.hedged && !x.open && c.g.spread[x.id] == 0 {
				c.flag(Nowhere, c.text, "")
			}
			continue
		}
		least := 1.0
		if named := c.naming(with); len(named) > 0 && vague[x.id] {
			with, least = named, 0
		}
		top := with[0].score
		if least > 0 && c.g.langs[c.lang] {
			least = 2
		}
		if least > 0 && (vague[x.id] || x.kind == "verb") {
			least++
		}
		if done && x.id == "released" && !x.negated {
			least = min(least, 1.5)
		}
		if !x.negated && !x.hedged && x.kind != "state" && top >= max(1, 0.6*most) && c.never(x) {
			c.flag(Opposite, c.text, with[0].st.text)
			continue
		}
		once := len(with) == 1 && (rare[x.id] || x.kind == "state" && !vague[x.id] && c.g.spread[x.id] == 1 || (x.kind == "verb" || vague[x.id]) && c.g.spread[x.id] == 1 && top >= 1 || x.kind == "harm" && !x.negated)
		// What contradicts it must be the sentence that speaks of the matter.
		if least > 0 && top < 0.6*most && !rare[x.id] && !(once && x.kind == "harm") {
			continue
		}
		if top < least && !(once && (!c.g.langs[c.lang] || top >= 1)) {
			continue
		}
		agrees, hedged, plain := false, false, false
		for _, r := range with {
			if r.score < top {
				break
			}
			near := c.nearest(r.st, &x)
			for _, y := range r.st.says {
				if y.id != x.id || near >= 0 && y.clause != near {
					continue
				}
				if y.negated == x.negated {
					agrees = true
				}
				if y.hedged || y.open || y.future && done && x.id != "resumed" {
					hedged = true
				} else if y.negated == x.negated {
					plain = true
				}
			}
		}
		switch {
		case !agrees && !x.hedged && !(hedged && !x.negated) && (least == 0 || !c.elsewhereDated(x.id, with[0].st)):
			c.flag(Opposite, c.text, with[0].st.text)
		case !x.negated && !x.hedged && hedged && !plain && (x.kind == "harm" || x.kind == "state" && (top >= 2 || once && top >= 1) && !c.unsure() || done && x.id == "released" && top >= 1.5):
			c.flag(Certainty, c.text, with[0].st.text)
		}
	}
}

// nearest is the clause of a sentence of a source that speaks of the same as
// the sentence, where several say something; -1 if none is nearer.
func (c *check) nearest(st *statement, x *said) int {
	id, own := x.id, c.parts[min(x.clause, len(c.parts)-1)].text
	best, most, tie := -1, -1.0, false
	seen := 0
	for _, y := range st.says {
		if y.id != id {
			continue
		}
		seen++
		score := 0.0
		t := st.parts[min(y.clause, len(st.parts)-1)].text
		lead := "" // what the clause before is about goes on after "and"
		if y.clause > 0 && strings.HasSuffix(st.parts[y.clause-1].text, " and ") {
			lead = st.parts[y.clause-1].text
		}
		for _, z := range st.says {
			if z.clause == y.clause && z.id != id && slices.ContainsFunc(c.says, func(o said) bool { return o.clause == x.clause && o.id == z.id && o.kind == z.kind }) {
				score++
			}
		}
		for _, w := range c.words {
			if w[0] < 0x80 && len(w) > 3 && (bounded(t, w) || bounded(lead, w)) && bounded(own, w) {
				score++
				if isModel(w) {
					score++
				}
			}
		}
		for _, f := range c.facts {
			if f.Type != fact.Count && f.from >= c.parts[x.clause].from && f.from < c.parts[x.clause].to && slices.ContainsFunc(st.facts, func(s fact.Fact) bool {
				return s.Type == f.Type && s.Value == f.Value && strings.Contains(t, fold(s.EN))
			}) {
				score++
			}
		}
		switch {
		case score > most:
			best, most, tie = y.clause, score, false
		case score == most:
			tie = true
		}
	}
	if tie || seen < 2 {
		return -1
	}
	return best
}

// never reports whether the sources speak of a state, and always the other way
// round.
func (c *check) never(x said) bool {
	spoken := false
	for i := range c.g.sentences {
		for _, y := range c.g.sentences[i].says {
			if y.id != x.id {
				continue
			}
			if y.negated == x.negated || y.hedged {
				return false
			}
			spoken = true
		}
	}
	return spoken
}

// until are states that end on a date: what works until a day fails from the
// next.
var until = map[string]bool{"suspended": true, "impacted": true, "supported": true, "ongoing": true, "extended": true, "resumed": true, "permitted": true, "earlier": true, "online": true, "released": true}

// elsewhereDated reports whether the dates of the sentence stand in the way of taking a
// sentence of a source for its opposite: another one has them, or it is about what
// ends on a day.
func (c *check) elsewhereDated(id string, st *statement) bool {
	dated := false
	shares := func(st *statement) bool {
		return slices.ContainsFunc(c.facts, func(f placed) bool {
			return f.Type == fact.Date && slices.ContainsFunc(st.facts, func(x fact.Fact) bool { return x.Type == fact.Date && x.Value == f.Value })
		})
	}
	for _, f := range c.facts {
		dated = dated || f.Type == fact.Date
	}
	if !dated {
		return false
	}
	if until[id] && (shares(st) || containsAny(fold(st.text)+c.folded, []string{"まで", "until", "ends", "終了", "through "})) {
		return true
	}
	return !shares(st) && slices.ContainsFunc(c.g.sentences, func(o statement) bool { return shares(&o) })
}

// settled are states that close a matter, so that they are news if they are so.
var settled = map[string]bool{"fixed": true, "resumed": true, "refunded": true, "called-off": true}

// rare are states of which a text speaks once, if at all.
var rare = map[string]bool{"on": true, "enough": true, "extended": true, "reboot": true, "resumed": true, "protects": true, "arrested": true}

// vague are states that much may be in, so that more has to agree before two
// sentences are taken to speak of the same.
var vague = map[string]bool{"known": true, "announced": true, "received": true, "all": true, "some": true, "required": true, "targeted": true, "attached": true, "asks": true}

// naming are the sentences that name the same maker.
func (c *check) naming(list []related) []related {
	var out []related
	for _, r := range list {
		if slices.ContainsFunc(c.facts, func(f placed) bool {
			return f.Type == fact.Product && f.Group == "vendor" && slices.ContainsFunc(r.st.facts, func(s fact.Fact) bool { return s.Type == fact.Product && s.Value == f.Value })
		}) {
			out = append(out, r)
		}
	}
	return out
}

func (c *check) anywhere(id string) bool {
	for i := range c.g.sentences {
		if slices.ContainsFunc(c.g.sentences[i].says, func(y said) bool { return y.kind == "harm" && sameHarm(y.id, id) }) {
			return true
		}
	}
	return false
}

// knows reports whether a word, another form of it or what it means is in a
// source.
func (c *check) knows(w string) bool {
	stem := w
	if w[0] < 0x80 && len(w) > 5 {
		stem = w[:5]
	}
	for i := range c.g.sentences {
		if c.g.sentences[i].words[w] {
			return true
		}
	}
	if stem != w && strings.Contains(c.g.texts, stem) {
		return true
	}
	return w[0] < 0x80 && slices.ContainsFunc(occurrences(w), func(o occurrence) bool { return c.g.spread[o.id] > 0 })
}

// support flags a statement of which nothing is in a source, where both are in
// one language and words can be compared.
func (c *check) support() {
	if c.advice || !c.g.langs[c.lang] || len(c.words) < 3 || len(c.problems) > 0 {
		return
	}
	known := 0
	for _, w := range c.words {
		if c.knows(w) {
			known++
		}
	}
	share := float64(known) / float64(len(c.words))
	limit := 0.25
	if c.lang == lang.EN {
		limit = 0.34
	}
	if share < limit && len(c.facts) == 0 {
		c.flag(Nowhere, c.text, "")
	}
}
