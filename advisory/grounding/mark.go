package grounding

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

//go:embed lexicon.tsv
var lexiconText string

var lexicon = sync.OnceValue(func() words {
	return readWords(lexiconText, func(string) bool { return true })
})

// maxMarks is how many marks of a sentence are read.
const maxMarks = 120

// mark is something that a sentence speaks of: a word of the lexicon with all that
// it may stand for, or a word that is in no lexicon.
type mark struct {
	ids      []string // of the lexicon; empty for other words
	kind     string   // thing, soft, do, act, or word
	word     string   // as written, folded; a stem for English words
	minus    bool     // says the opposite by itself
	negated  bool     // with what the sentence says around it
	hedged   bool
	open     bool // nobody knows
	future   bool
	at, to   int
	clause   int
	japanese bool
	verbal   bool // a word of no lexicon that is used as a verb
	noun     bool // a verb that only names something: 配信停止のリンク, "the change"
	absent   bool // a thing of which the sentence says that there is none, or that there is
}

func (m *mark) predicate() bool { return m.kind == "do" || m.kind == "act" }

// class is what comes before the dot of an id.
func class(id string) string {
	c, _, ok := strings.Cut(id, ".")
	if !ok {
		return ""
	}
	return c
}

// marksOf reads a folded sentence.
func marksOf(s string) []mark {
	parts := phrasesOf(s)
	var out []mark
	for k, p := range parts {
		for _, o := range lexicon().in(p.text) {
			at, to := p.from+o.at, p.from+o.to
			if inside(s, at, to) {
				continue
			}
			if n := len(out); n > 0 && out[n-1].at == at && out[n-1].to == to && out[n-1].kind == o.kind && out[n-1].minus == o.minus {
				if !slices.Contains(out[n-1].ids, o.id) {
					out[n-1].ids = append(out[n-1].ids, o.id)
				}
				continue
			}
			out = append(out, mark{ids: []string{o.id}, kind: o.kind, word: s[at:to], minus: o.minus, at: at, to: to, clause: k, japanese: s[at] >= 0x80})
			if len(out) == maxMarks {
				break
			}
		}
		t := p.text
		open, hedged, future := containsAny(t, unknowns), hedgedText(t), containsAny(t, futures)
		off := negators(t, p.japanese)
		for i := range out {
			m := &out[i]
			if m.clause != k {
				continue
			}
			m.open, m.hedged, m.future = open, hedged, future
			switch m.kind {
			case "thing", "soft":
				m.absent = exists(t[m.to-p.from:], p.japanese)
				m.negated = none(t[:m.at-p.from], t[m.to-p.from:], p.japanese)
				m.absent = m.absent || m.negated
			default:
				m.negated = m.minus != negatedAt(t, m.at-p.from, m.to-p.from, off, p.japanese)
				m.noun = m.kind == "do" && names(t[:m.at-p.from], t[m.to-p.from:], p.japanese)
			}
		}
	}
	for _, w := range plainWords(s) {
		if len(out) >= maxMarks {
			break
		}
		if slices.ContainsFunc(out, func(m mark) bool { return m.at < w.to && w.at < m.to }) {
			continue
		}
		for k, p := range parts {
			if w.at >= p.from && w.at < p.to {
				w.clause = k
				rest := s[w.to:p.to]
				w.verbal = w.japanese && hasPrefix(rest, "さ", "し", "す", "でき") || !w.japanese && hasAnySuffix(s[w.at:w.to], "ed", "ing") && len(w.word) > 3
				if w.verbal {
					w.negated = negatedAt(p.text, w.at-p.from, w.to-p.from, negators(p.text, p.japanese), p.japanese)
				}
			}
		}
		out = append(out, w)
	}
	slices.SortStableFunc(out, func(a, b mark) int { return a.at - b.at })
	return out
}

// phraseOf is a stretch of a sentence over which a negation reaches.
type phraseOf struct {
	clause
	japanese bool
}

// breaks end the reach of a negation.
var breaks = []string{"、", "(", "。", ";", ". ", ", ", "，", " but ", " while ", " because ", " although ", " whereas ", " unless ", " so that ", ": ", " which ", " and "}

func phrasesOf(s string) []phraseOf {
	var out []phraseOf
	from := 0
	japanese := strings.ContainsFunc(s, func(r rune) bool { return r >= 0x3041 && r <= 0x30ff })
	add := func(to int) {
		out = append(out, phraseOf{clause{from, to, s[from:to]}, japanese})
		from = to
	}
	for i := 0; i < len(s); {
		n := 0
		for _, sep := range breaks {
			if strings.HasPrefix(s[i:], sep) {
				n = len(sep)
				break
			}
		}
		// "Neither A nor B" and a topic belong to what is said of them.
		if n == 0 || hasAnySuffix(s[from:i], "は", "も", "には", "では", "や", "と") && japanese || len(out) > 40 {
			i++
			continue
		}
		i += n
		add(i)
	}
	add(len(s))
	return out
}

var (
	noJA = []string{"ない", "ません", "なかった", "なく", "なし", "せず", "されず", "れず", "ておらず", "ず、", "ずに", "にならず", "までもな", "困難"}
	noEN = []string{"not", "no", "never", "without", "cannot", "neither", "nor", "none", "nobody", "nothing", "n't", "unlikely", "hardly", "rather than", "instead of", "fails to", "failed to", "yet to"}
	// noNo are negations that take nothing back.
	noNo   = []string{"かもしれない", "かもしれません", "なければな", "ないと困", "だけでな", "ばかりでな", "少なくない", "少なくとも", "間違いな", "ほかならない", "に過ぎない", "にすぎな", "にすぎませ", "に過ぎませ", "ないように", "ないよう", "なくては", "なくなる恐れ", "もれなく", "問題な", "問題ありません", "問題はありません", "限らな", "ほどな", "まもな", "間もな", "切れなく"}
	noNoEN = []string{"not only", "no doubt", "no later", "no longer than", "no fewer", "no less", "not least", "no more than", "without delay", "nothing but", "if you do not", "if not"}
)

// negators are the places of the negations of a phrase.
func negators(t string, japanese bool) []span {
	var out []span
	list, except := noEN, noNoEN
	if japanese {
		list, except = noJA, noNo
	}
	for _, w := range list {
		for from := 0; len(out) < 8; {
			i := strings.Index(t[from:], w)
			if i < 0 {
				break
			}
			i += from
			from = i + len(w)
			if !japanese && w != "n't" && (i > 0 && (isLetter(t[i-1]) || isWord(t[i-1]) || t[i-1] == '=') || from < len(t) && isLetter(t[from])) {
				continue
			}
			if slices.ContainsFunc(except, func(e string) bool {
				k := strings.Index(e, w)
				return k >= 0 && i-k >= 0 && strings.HasPrefix(t[i-k:], e)
			}) {
				continue
			}
			if japanese && strings.Contains(t[:i], "しか") {
				continue // only
			}
			out = append(out, span{i, from})
		}
	}
	return out
}

// negatedAt reports whether one of the negations of a phrase takes back what stands
// at a place: in Japanese what comes before it, in English what comes behind it, and
// what a negated verb is said of.
func negatedAt(t string, at, to int, off []span, japanese bool) bool {
	if japanese {
		if hasAnySuffix(t[:at], "未", "非", "不") {
			return true
		}
		n := 0
		for _, o := range off {
			if o.from >= to && o.from-to < 90 {
				n++
			}
		}
		return n == 1
	}
	n := 0
	for _, o := range off {
		switch {
		case o.to <= at && strings.Count(t[o.to:at], " ") <= reach(t[:o.from]):
			n++
		case o.from >= to && o.from-to < 40 && !strings.HasPrefix(t[o.from:], "without") && !strings.HasPrefix(t[o.from:], "rather") && !strings.HasPrefix(t[o.from:], "instead"):
			n++ // "the app was not", said of the app
		}
	}
	return n == 1
}

// empty are words that say nothing of what a sentence is about.
var empty = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("the a an and or of to in on at by for with from as is are was were be been being it its this that these those they them their there then than who whom whose which what when where while how why has have had do does did done will would can could may might must should shall not no nor none never also too only just even still yet already so such same other others another more most less least many much few some any all each every both either very well about around over under up down out off into onto through during before after since until between among within without against because if unless although though however therefore thus but he she his her him we our us you your i me my one two three four five six seven eight nine ten eleven twelve hundred thousand million billion percent per via etc said says mr ms new old now today current make makes made take takes took get gets got give gives given go goes went come comes came put use uses used using let lets like own first last next day days week weeks month months year years time times way part kind number far long short high low lower higher early late soon ago once twice again here people thing things place places case cases january february march april june july august september october november december monday tuesday wednesday thursday friday saturday sunday") {
		m[w] = true
	}
	return m
}()

// plainWords are the words that no lexicon has to know: Latin words by their stem,
// runs of kanji and katakana.
func plainWords(s string) []mark {
	var out []mark
	for i := 0; i < len(s) && len(out) < maxMarks; {
		if s[i] < 0x80 {
			j := i
			for j < len(s) && (isWord(s[j]) || j > i && (s[j] == '-' || s[j] == '.' || s[j] == '_' || s[j] == '/' || s[j] == '*') && j+1 < len(s) && isWord(s[j+1])) {
				j++
			}
			if j == i {
				i++
				continue
			}
			w := s[i:j]
			if len(w) == 4 && w[:2] == "20" && (j == len(s) || s[j] != '-') && strings.Trim(w, "0123456789") == "" && named(s[:i]) {
				out = append(out, mark{kind: "word", word: w, at: i, to: j})
			}
			if len(w) >= 3 && !empty[w] && strings.ContainsFunc(w, unicode.IsLetter) {
				out = append(out, mark{kind: "word", word: stem(w), at: i, to: j})
			}
			i = j
			continue
		}
		j, n := i, 0
		for j < len(s) {
			r, size := utf8.DecodeRuneInString(s[j:])
			if !unicode.In(r, unicode.Han, unicode.Katakana) && r != 'ー' {
				break
			}
			j += size
			n++
		}
		if j == i {
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
			continue
		}
		if n >= 2 {
			out = append(out, mark{kind: "word", word: s[i:j], at: i, to: j, japanese: true})
		}
		i = j
	}
	return out
}

// stem takes the usual endings off an English word.
func stem(w string) string {
	if containsDigitRun(w) || strings.ContainsAny(w, "./-") {
		return w
	}
	for _, end := range []string{"ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er", "ors", "or", "ed", "es", "s", "ly", "y", "e"} {
		if len(w)-len(end) >= 4 && strings.HasSuffix(w, end) {
			return w[:len(w)-len(end)]
		}
	}
	return w
}

// none reports whether a phrase says of a thing that there is none, by what stands
// before and behind it.
func none(before, after string, japanese bool) bool {
	if japanese {
		for _, p := range []string{"は", "が", "も", "の", "に"} {
			after = strings.TrimPrefix(after, p)
		}
		return hasPrefix(after, "ありません", "ない", "なく", "なし", "なかった", "存在しな")
	}
	return hasAnySuffix(before, " no ", "without ", "without a ", " nor ", "neither ", "lacked ", "lacks ", "lack ") || strings.HasSuffix(before, " or ") && containsAny(before[max(0, len(before)-32):], []string{" no ", " without "}) || before == "no "
}

// exists reports whether a thing is said to be there.
func exists(after string, japanese bool) bool {
	if !japanese {
		return false
	}
	for _, p := range []string{"が", "も"} {
		after = strings.TrimPrefix(after, p)
	}
	return hasPrefix(after, "ある", "あり", "見つか", "存在する", "存在し")
}

func hasPrefix(s string, list ...string) bool {
	for _, p := range list {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// named reports whether a name in Latin letters stands right before a number, as in
// "server 2016".
func named(before string) bool {
	t := strings.TrimRight(before, " ")
	i := len(t)
	for i > 0 && isLetter(t[i-1]) {
		i--
	}
	w := t[i:]
	return len(w) > 2 && !empty[w] && !isMonth(w)
}

// inside reports whether a short word in katakana is only a part of a longer one:
// ログ in プログラム.
func inside(s string, at, to int) bool {
	w := s[at:to]
	if utf8.RuneCountInString(w) > 3 || strings.ContainsFunc(w, func(r rune) bool { return !isKatakana(r) }) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:at])
	after, _ := utf8.DecodeRuneInString(s[to:])
	return isKatakana(before) || isKatakana(after) && after != 'ー'
}

func isKatakana(r rune) bool { return unicode.In(r, unicode.Katakana) || r == 'ー' }

// reach is over how many words an English negation reaches: in "messages that do not
// comply go to junk" not beyond the verb.
func reach(before string) int {
	if hasAnySuffix(before, "that do ", "that does ", "that did ", "who do ", "who does ", "who did ", "which do ", "which does ", "you do ", "that are ", "that is ", "who are ", "if ", "users who have ", "that have ") {
		return 2
	}
	return 7
}

// names reports whether a verb of the lexicon only names something.
func names(before, after string, japanese bool) bool {
	if !japanese {
		return hasAnySuffix(before, " the ", " a ", " an ", " this ", " its ", " of ") || before == "the " || before == "a "
	}
	if hasPrefix(after, "の", "な") && !hasPrefix(after, "の対", "のは", "なく", "ない", "なり", "なる", "なっ") {
		return true
	}
	for _, w := range []string{"すれば", "すると", "にすれば", "にすると", "することで", "にすることで", "した場合", "する場合", "している場合", "にした場合", "にしている場合"} {
		if strings.HasPrefix(after, w) {
			return true
		}
	}
	r, _ := utf8.DecodeRuneInString(after)
	return unicode.In(r, unicode.Han, unicode.Katakana) && !hasPrefix(after, "済", "中", "外", "可能", "不", "予定", "確認", "前", "後", "見")
}
