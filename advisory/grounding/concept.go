package grounding

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed concepts.tsv
var conceptText string

// concept is something that a sentence may say, in the words of both languages.
type concept struct {
	kind  string // subject, state, harm
	id    string
	minus bool // says the opposite by itself
	words []string
}

var dictionary = sync.OnceValue(func() []concept {
	var out []concept
	for line := range strings.SplitSeq(conceptText, "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 5 || strings.HasPrefix(line, "#") {
			continue
		}
		c := concept{kind: f[0], id: f[1], minus: f[2] == "-"}
		for _, list := range f[3:] {
			for w := range strings.SplitSeq(list, "|") {
				c.words = append(c.words, strings.ToLower(w))
			}
		}
		out = append(out, c)
	}
	return out
})

// said is a concept in a sentence.
type said struct {
	kind, id string
	negated  bool
	hedged   bool
	open     bool // the sentence says that nobody knows
	at       int
	clause   int
}

// clause is a stretch of a sentence in which a number belongs to its words.
type clause struct {
	from, to int
	text     string // folded
}

var separators = []string{", ", "、", ";", "。", ". ", "，", " and ", " but ", " while ", " although ", " whereas ", ": ", "ますが", "したが", "ものの", "一方"}

// clauses parts a sentence. The offsets are those of the folded text.
func clauses(text string) []clause {
	s := fold(text)
	var out []clause
	from := 0
	for i := 0; i < len(s); {
		n := 0
		for _, sep := range separators {
			if strings.HasPrefix(s[i:], sep) {
				n = len(sep)
				break
			}
		}
		// A topic belongs to what is said of it.
		if n == 0 || s[i] >= 0x80 && strings.HasSuffix(s[from:i], "は") {
			i++
			continue
		}
		out = append(out, clause{from, i + n, s[from : i+n]})
		i += n
		from = i
	}
	return append(out, clause{from, len(s), s[from:]})
}

var (
	negationsJA = []string{"ない", "ません", "なく", "なし", "せず", "されず", "れず", "ていず", "不可", "まだ", "なかった"}
	negationsEN = []string{"not", "no", "never", "without", "cannot", "neither", "nor", "none", "nobody", "only if", "isn't", "aren't", "don't", "doesn't", "can't", "won't", "wasn't", "weren't", "hasn't"}
	unknowns    = []string{"明らかになってい", "分かってい", "わかってい", "決まってい", "不明", "未定", "not known", "unknown", "unclear", "undecided", "do not know", "not clear", "not been determined"}
	hedges      = []string{"可能性", "おそれ", "恐れ", "懸念", "疑", "とみられ", "かもしれ", "推測", "見込", " may ", " might ", "could", "possibl", "likely", "suspect", "appear", "believed", "assess", "potential"}
)

// concepts returns what a folded sentence says.
func concepts(s string) []said {
	var out []said
	parts := clauses(s)
	for k, p := range parts {
		t := " " + p.text + " "
		open := containsAny(t, unknowns)
		for _, c := range dictionary() {
			at := find(t, c.words)
			if at < 0 {
				continue
			}
			x := said{kind: c.kind, id: c.id, negated: c.minus, at: p.from + at, clause: k}
			if attributive(t[at:]) {
				continue // of "messages that do not comply" nothing is said yet
			}
			// "It is not known when ..." takes back that it is known, not what follows.
			if !c.minus && (!open || c.id == "known") && negated(t, at) {
				x.negated = true
			}
			x.open = open
			x.hedged = containsAny(t, hedges)
			// A word that says the opposite by itself holds the plain one inside it.
			if i := lastOf(out, c.id, k); i >= 0 {
				if c.minus {
					out[i].negated = true
				}
				continue
			}
			out = append(out, x)
		}
	}
	return out
}

func lastOf(out []said, id string, clause int) int {
	for i := len(out) - 1; i >= 0 && out[i].clause == clause; i-- {
		if out[i].id == id {
			return i
		}
	}
	return -1
}

func containsAny(s string, list []string) bool {
	for _, w := range list {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

var relative = strings.NewReplacer("that do not ", "", "that does not ", "", "that did not ", "", "who do not ", "", "who cannot ", "", "which do not ", "", "if you do not ", "", "if not ", "", "not only ", "")

// find returns where the first of the words stands, -1 for nowhere.
func find(t string, words []string) int {
	for _, w := range words {
		stem := strings.HasSuffix(w, "*")
		w = strings.TrimSuffix(w, "*")
		latin := w[0] < 0x80
		for from := 0; ; {
			i := strings.Index(t[from:], w)
			if i < 0 {
				break
			}
			i += from
			from = i + len(w)
			if !latin || !isLetter(t[i-1]) && (stem || !isLetter(t[from])) {
				return i
			}
		}
	}
	return -1
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c == '-' }

// attributive reports whether a Japanese negation belongs to the noun behind it.
func attributive(after string) bool {
	after = after[:cut(after, 48)]
	i := strings.Index(after, "ない")
	if i < 0 {
		return false
	}
	r, _ := utf8.DecodeRuneInString(after[i+len("ない"):])
	return unicode.In(r, unicode.Han, unicode.Katakana)
}

// negated reports whether the words of a clause take back what stands at a
// place: in Japanese what follows it, in English what comes before it.
func negated(t string, at int) bool {
	after := t[at:]
	if n := 120; len(after) > n {
		after = after[:cut(after, n)]
	}
	ja := 0
	for _, w := range negationsJA {
		if strings.Contains(after, w) {
			ja++
			break
		}
	}
	if ja > 0 && !containsAny(after, []string{"ないでください", "ばなら", "なければ"}) {
		return true
	}
	// "Messages that do not comply go to junk" says that they go.
	before := relative.Replace(t[max(0, at-48):at])
	for _, w := range negationsEN {
		for from := 0; ; {
			i := strings.Index(before[from:], w)
			if i < 0 {
				break
			}
			i += from
			from = i + len(w)
			if i > 0 && !isLetter(before[i-1]) && before[i-1] != '=' && (from >= len(before) || !isLetter(before[from])) {
				return true
			}
		}
	}
	return false
}
