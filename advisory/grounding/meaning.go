package grounding

import (
	"strings"
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

// meaning compares what the sentence says with what the sources say. It returns the
// sentence of a source that is nearest, if one has anything in common.
func (c *check) meaning() string {
	c.own()
	if len(c.g.sentences) == 0 {
		return ""
	}
	a := c.align()
	if !c.advice && len(c.problems) == 0 {
		a.weigh()
	}
	if a.best < 0 || a.cover[a.best] <= 0 {
		return ""
	}
	return c.g.sentences[a.best].text
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

func (c *check) unsure() bool {
	f := " " + c.folded + " "
	return hedgedText(f) || containsAny(f, unknowns) || containsAny(f, []string{"ない", "ません", " not ", " no ", "予定", "planned", "expected", "resembl", "similar", "似て", "場合", " can ", "できます", "することがあ", "見通し", "めど", "見込"})
}
