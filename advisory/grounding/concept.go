package grounding

import (
	_ "embed"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed concepts.tsv
var conceptText string

// concept is something that a sentence may say, in the words of both languages.
type concept struct {
	kind  string // subject, state, verb, harm, topic, group
	id    string
	minus bool // says the opposite by itself
}

// entry is a word of the dictionary with all that it may stand for.
type entry struct {
	word string
	stem bool // any ending
	of   []concept
}

// prefixLen is how many bytes of a word of the dictionary are looked up at once:
// a character of Japanese.
const prefixLen = 3

// words are the entries by their first bytes, the longest first.
type words map[string][]entry

// dictionary are the words for what may be so, and those for what it is about.
var dictionary = sync.OnceValue(func() [2]words {
	return [2]words{
		readWords(conceptText, func(kind string) bool { return kind != "topic" && kind != "group" }),
		readWords(conceptText, func(kind string) bool { return kind == "topic" || kind == "group" }),
	}
})

func readWords(text string, is func(kind string) bool) words {
	all := map[string]*entry{}
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 5 || strings.HasPrefix(line, "#") || !is(f[0]) {
			continue
		}
		c := concept{kind: f[0], id: f[1], minus: f[2] == "-"}
		for _, list := range f[3:] {
			for w := range strings.SplitSeq(strings.ToLower(list), "|") {
				if w == "" {
					continue
				}
				if all[w] == nil {
					all[w] = &entry{word: strings.TrimSuffix(w, "*"), stem: strings.HasSuffix(w, "*")}
				}
				all[w].of = append(all[w].of, c)
			}
		}
	}
	out := words{}
	for _, w := range slices.Sorted(maps.Keys(all)) {
		e := all[w]
		key := e.word[:min(len(e.word), prefixLen)]
		out[key] = append(out[key], *e)
	}
	for _, list := range out {
		slices.SortStableFunc(list, func(a, b entry) int { return len(b.word) - len(a.word) })
	}
	return out
}

// occurrence is a concept in a text.
type occurrence struct {
	concept
	at, to int
}

// occurrences returns the concepts of a folded text The longest word counts
// where several begin: 使えなく, not 使え.
func occurrences(t string) []occurrence {
	d := dictionary()
	return append(d[0].in(t), d[1].in(t)...)
}

func (d words) in(t string) []occurrence {
	var out []occurrence
	for i := 0; i < len(t); {
		latin := t[i] < 0x80
		if latin && (!isLetter(t[i]) && !isWord(t[i]) || i > 0 && (isLetter(t[i-1]) || isWord(t[i-1]))) {
			i++
			continue
		}
		if !latin && !utf8.RuneStart(t[i]) {
			i++
			continue
		}
		longest, first := 0, len(out)
		for n := min(prefixLen, len(t)-i); n > 0; n-- {
			for _, e := range d[t[i:i+n]] {
				if n < prefixLen && len(e.word) >= prefixLen || !strings.HasPrefix(t[i:], e.word) {
					continue
				}
				end := i + len(e.word)
				if e.word[0] < 0x80 && !e.stem && end < len(t) && (isLetter(t[end]) || isWord(t[end]) && !isWord(e.word[len(e.word)-1])) {
					continue
				}
				for e.stem && end < len(t) && isLetter(t[end]) {
					end++
				}
				if end-i < longest {
					continue
				}
				if end-i > longest {
					longest, out = end-i, out[:first]
				}
				for _, c := range e.of {
					out = append(out, occurrence{c, i, end})
				}
			}
		}
		if longest == 0 {
			_, n := utf8.DecodeRuneInString(t[i:])
			longest = n
		}
		i += longest
	}
	return out
}

// said is a concept in a sentence.
type said struct {
	kind, id string
	negated  bool
	hedged   bool
	open     bool // the sentence says that nobody knows
	at       int
	clause   int
	future   bool // will be so
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
	negationsEN = []string{"not", "no", "never", "without", "cannot", "neither", "nor", "none", "nobody", "nothing", "only if", "isn't", "aren't", "don't", "doesn't", "can't", "won't", "wasn't", "weren't", "hasn't", "lack", "lacks", "lacked", "lacking"}
	unknowns    = []string{"明らかになってい", "分かってい", "わかってい", "決まってい", "不明", "未定", "not known", "unknown", "unclear", "undecided", "do not know", "not clear", "not been determined"}
	futures     = []string{"予定", "見通し", "めど", "準備中", "promise", "今後", "する計画", " will ", "planned", "scheduled", "expected", " plans to"}
	hedges      = []string{"可能性", "おそれ", "恐れ", "懸念", "疑", "とみられ", "かもしれ", "推測", "見込", "はっきりし", "断定でき", "確認中", "調査中", "検証中", "being examined", "being investigated", "と見て", "と考え", " might ", "could", "possibl", "likely", "probabl", "presumabl", "apparently", "confidence", "suspected", "suspects that", "suspicion", "appear", "believed", "assess", "potential", "not certain", "uncertain", "points to", "under investigation", "investigating", "whether"}
)

// concepts returns what a folded sentence says.
func concepts(s string) []said {
	var out []said
	parts := clauses(s)
	for k, p := range parts {
		t := " " + p.text + " "
		open := containsAny(t, unknowns)
		hedged, future := hedgedText(t), containsAny(t, futures)
		for _, c := range occurrences(t) {
			if slices.ContainsFunc(out, func(x said) bool { return x.clause == k && x.id == c.id && x.kind == c.kind }) {
				continue
			}
			x := said{kind: c.kind, id: c.id, negated: c.minus, at: p.from + c.at, clause: k, open: open, hedged: hedged, future: future}
			if c.kind == "group" {
				x.negated = negated(t, c.at, c.to)
			} else if c.kind != "topic" {
				if attributive(t[c.at:]) {
					continue // of "messages that do not comply" nothing is said yet
				}
				// "It is not known when ..." takes back that it is known, not what follows.
				if (!open || c.id == "known") && negated(t, c.at, c.to) {
					x.negated = true
				}
			}
			out = append(out, x)
		}
	}
	return out
}

// hedgedText reports whether a folded text in spaces expresses a doubt.
func hedgedText(t string) bool { return containsAny(t, hedges) || may(t) }

// may reports whether "may" stands in a text and is not the month.
func may(t string) bool {
	for from := 0; ; {
		i := strings.Index(t[from:], " may ")
		if i < 0 {
			return false
		}
		i += from
		from = i + len(" may")
		before := t[:i]
		before = before[strings.LastIndexByte(before, ' ')+1:]
		next := t[from+1:]
		word, _, _ := strings.Cut(next, " ")
		verb := slices.Contains([]string{"be", "have", "not", "also", "still", "no"}, word)
		if next != "" && next[0] >= '0' && next[0] <= '9' || before != "" && isDigit(before[len(before)-1]) && !verb {
			continue
		}
		switch before {
		case "in", "of", "early", "late", "mid", "until", "from", "since":
			continue
		}
		return true
	}
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
func negated(t string, at, to int) bool {
	after := t[to:]
	if strings.HasPrefix(after, " not ") || strings.HasPrefix(after, " no ") || strings.HasPrefix(after, " nothing") {
		return true // "need not"
	}
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
