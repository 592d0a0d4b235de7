package grounding

import (
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
	case "please", "never", "always", "do", "don't", "check", "keep", "update", "install", "look", "require", "revoke", "block", "search", "ask", "tell", "confirm", "hang", "change", "use", "start", "review", "remove", "make", "report", "contact", "call", "verify", "apply", "turn", "enable", "disable", "delete", "set", "save", "restart", "test", "plan", "find", "consider", "treat", "stay", "be", "if":
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
	var out []related
	for i := range c.g.sentences {
		st := &c.g.sentences[i]
		if score := c.overlap(st, without); score > 0 || without != "" {
			out = append(out, related{st, score})
		}
	}
	slices.SortStableFunc(out, func(a, b related) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return 0
	})
	return out
}

// impact are states that one word may stand for.
var impact = map[string]bool{"impacted": true, "suspended": true, "affected": true, "rejected": true}

// overlap is how much a sentence has in common with one of a source: concepts,
// facts and words.
func (c *check) overlap(st *statement, without string) float64 {
	score := 0.0
	seen := map[string]bool{}
	for _, x := range c.says {
		if x.id == without || impact[x.id] && impact[without] || seen[x.id] {
			continue
		}
		seen[x.id] = true
		is := func(y said) bool { return y.id == x.id }
		switch {
		case slices.ContainsFunc(st.says, is):
			score++
		case x.kind == "subject" && slices.ContainsFunc(st.before, is):
			score += 0.5
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
		if st.words[w] && (w[0] > 0x7f || len(w) > 3) {
			score += 0.5
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
		if x.kind == "subject" || x.open && x.id != "known" {
			continue
		}
		if (x.id == "fixed" || x.id == "exploited") && !x.hedged && c.never(x) {
			c.flag(Opposite, c.text, "")
			continue
		}
		with := c.related(x.id)
		with = slices.DeleteFunc(with, func(r related) bool {
			return !slices.ContainsFunc(r.st.says, func(y said) bool { return y.id == x.id })
		})
		if len(with) == 0 {
			if x.kind == "harm" && !x.negated && !x.hedged && !x.open && !c.anywhere(x.id) {
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
		if least > 0 && vague[x.id] {
			least++
		}
		if top < least && !(len(with) == 1 && rare[x.id] && (!c.g.langs[c.lang] || top >= 1)) {
			continue
		}
		agrees, hedged, plain := false, false, false
		for _, r := range with {
			if r.score < top {
				break
			}
			for _, y := range r.st.says {
				if y.id != x.id {
					continue
				}
				if y.negated == x.negated {
					agrees = true
				}
				if y.hedged {
					hedged = true
				} else if y.negated == x.negated {
					plain = true
				}
			}
		}
		switch {
		case !agrees && !x.hedged && !(hedged && !x.negated):
			c.flag(Opposite, c.text, with[0].st.text)
		case x.kind == "harm" && !x.negated && !x.hedged && hedged && !plain:
			c.flag(Certainty, c.text, with[0].st.text)
		}
	}
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
		if slices.ContainsFunc(c.g.sentences[i].says, func(y said) bool { return y.id == id || id == "lost" && y.kind == "harm" }) {
			return true
		}
	}
	return false
}

// support flags a statement of which nothing is in a source, where both are in
// one language and words can be compared.
func (c *check) support() {
	if c.advice || !c.g.langs[c.lang] || len(c.words) < 3 || len(c.problems) > 0 {
		return
	}
	known := 0
	for _, w := range c.words {
		for i := range c.g.sentences {
			if c.g.sentences[i].words[w] {
				known++
				break
			}
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
