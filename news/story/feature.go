package story

import (
	_ "embed" // the words that say nothing
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/sentence"
)

//go:embed words.txt
var wordList string

// commonWords are the words and phrases that say nothing.
var commonWords = sync.OnceValue(func() (w struct {
	words   map[string]bool
	phrases []string
}) {
	w.words = map[string]bool{}
	for l := range strings.Lines(wordList) {
		if strings.HasPrefix(l, "#") {
			continue
		}
		for s := range strings.FieldsSeq(l) {
			if s[0] < utf8.RuneSelf {
				w.words[s] = true
			} else {
				w.phrases = append(w.phrases, norm.NFKC.String(s))
			}
		}
	}
	return w
})

// How much of a text takes part in the comparison, in bytes.
const maxCompared = 1500

// features are what of an item is compared.
type features struct {
	item    *news.Item
	at      time.Time
	title   []feature // words of the title, sorted
	body    []feature // words of title and text, sorted
	typed   []feature // facts: products, numbers, dates, techniques; sorted
	concept []feature // typed, and what else is the same in both languages; sorted

	cves     []string // of title and text, sorted
	primary  []string // what the item is about: those of the title, else the first of the text
	notices  []string // numbers of advisories in the title
	names    []string // banks, firms and the like, in Japanese
	products []string // in the title, without makers

	folded string // title and text of a Japanese item, NFKC

	release string // "microsoft 2031-03" for the updates of a month
	edition string // a day or month that the title carries
	roundup bool
}

// feature is a word or concept by its number in the vocabulary.
type feature = uint32

// vocabulary numbers words and counts in how many items each stands.
type vocabulary struct {
	number map[string]feature
	count  []int32 // items that have it, by number
}

func newVocabulary() *vocabulary { return &vocabulary{number: map[string]feature{}} }

func (v *vocabulary) of(words []string) []feature {
	out := make([]feature, 0, len(words))
	for _, w := range words {
		n, ok := v.number[w]
		if !ok {
			n = feature(len(v.count))
			v.number[w] = n
			v.count = append(v.count, 0)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *vocabulary) add(f []feature) {
	for _, n := range f {
		v.count[n]++
	}
}

// Small corpora do not tell what is rare: this many items without a word are
// assumed.
const background = 400

// weights returns the weight of each feature: rare ones weigh more.
func (v *vocabulary) weights(items int) []float64 {
	w := make([]float64, len(v.count))
	for i, n := range v.count {
		w[i] = rarity(items+background, int(n))
	}
	return w
}

// tokens returns the words of a text without phrases and words that say nothing.
func tokens(s string) []string {
	common := commonWords()
	s = norm.NFKC.String(s)
	for _, p := range common.phrases {
		s = strings.ReplaceAll(s, p, " ")
	}
	out := sentence.Words(s)
	for i, w := range out {
		if n := len(w); n > 4 && w[n-1] == 's' && w[n-2] != 's' && w[0] < utf8.RuneSelf && !strings.ContainsAny(w, "0123456789") && !common.words[w] {
			out[i] = w[:n-1]
		}
	}
	return slices.DeleteFunc(out, func(w string) bool { return common.words[w] })
}

// extract returns the features of an item. The numbers in them are those of v.
func extract(it *news.Item, v *vocabulary) *features {
	f := &features{item: it, at: it.Published}
	if f.at.IsZero() {
		f.at = it.Updated
	}
	text := it.Text
	if len(text) > maxCompared {
		text = text[:maxCompared]
	}
	in := &fact.Input{Title: it.Title, Text: text, Published: f.at}
	facts := fact.Extract(in, nil)

	titleWords := tokens(it.Title)
	f.roundup = isRoundup(it, facts)
	f.cves = news.CVEs(it.Title, it.Text)
	var typed, inTitle []string
	for i := range facts.List {
		c := &facts.List[i]
		title := c.Evidence[0].Sentence == 0
		key := conceptOf(c)
		if c.Type == fact.Product && title && c.Group != "vendor" && !everywhere[c.Value] {
			f.products = append(f.products, c.Value)
		}
		if c.Type == fact.Notice && title {
			f.notices = append(f.notices, c.Value)
		}
		if key == "" {
			continue
		}
		typed = append(typed, key)
		if title {
			inTitle = append(inTitle, key)
		}
	}
	f.primary = primary(it, f, facts)
	bodyWords := append(slices.Clone(titleWords), tokens(text)...)
	concepts := append(slices.Clone(typed), glossaryTerms(it.Lang, it.Title+"\n"+text)...)
	known := map[string]bool{} // words of the products that are found anyway
	for _, p := range facts.Of(fact.Product) {
		for _, w := range tokens(p.Vendor + " " + p.EN + " " + facts.Quote(p.Evidence[0])) {
			known[w] = true
		}
	}
	for _, w := range bodyWords {
		// A Latin word in a Japanese text is a name, which is worth looking for in
		// English ones.
		if w[0] < utf8.RuneSelf && len(w) >= 3 && strings.ContainsAny(w, "abcdefghijklmnopqrstuvwxyz") && !strings.HasPrefix(w, "cve-") && !known[w] {
			concepts = append(concepts, "name "+w)
		}
	}
	f.title = v.of(append(titleWords, inTitle...))
	f.body = v.of(slices.Concat(bodyWords, concepts))
	f.typed = v.of(typed)
	f.concept = v.of(concepts)
	if it.Lang == lang.JA {
		f.names = organizations(it.Title)
		if len(f.names) == 0 {
			first, _, _ := strings.Cut(text, "。")
			f.names = organizations(first)
		}
		f.folded = norm.NFKC.String(it.Title + "\n" + text)
	}
	f.release, f.edition = releaseOf(it, facts)
	v.add(f.body)
	return f
}

// everywhere are products that say little of what an item is about.
var everywhere = map[string]bool{"microsoft-365": true, "windows": true, "office": true, "azure": true, "android": true, "chromium": true}

// conceptOf names a fact in a form that is the same in every language, "" for
// facts that say nothing of the story.
func conceptOf(c *fact.Fact) string {
	switch c.Type {
	case fact.Product:
		if c.Group == "vendor" {
			return "vendor " + c.Vendor
		}
		return "product " + c.Value
	case fact.Notice, fact.CVE, fact.KB, fact.Build, fact.Version, fact.Technique:
		return string(c.Type) + " " + c.Value
	case fact.Place:
		if c.Value != "JP" && c.Value != "US" && c.Value != "world" {
			return "place " + c.Value
		}
	case fact.Count:
		if c.Number >= 5 && c.Unit != fact.Days && c.Unit != fact.Hours && c.Unit != fact.Minutes {
			return "count " + c.Value
		}
	case fact.Date:
		if len(c.Value) >= 10 && c.Role != fact.Published {
			return "date " + c.Value[:10]
		}
	default:
	}
	return ""
}

// gloss is an entry of the glossary.
type gloss struct {
	ja, en []string
}

//go:embed glossary.tsv
var glossaryText string

var glossary = sync.OnceValue(func() []gloss {
	var list []gloss
	for l := range strings.Lines(glossaryText) {
		l = strings.TrimSpace(l)
		ja, en, ok := strings.Cut(l, "\t")
		if !ok || l[0] == '#' {
			continue
		}
		g := gloss{ja: strings.Split(ja, "|")}
		for e := range strings.SplitSeq(en, "|") {
			g.en = append(g.en, " "+strings.ReplaceAll(e, "-", " ")+" ")
		}
		list = append(list, g)
	}
	return list
})

// glossaryTerms returns the entries of the glossary that a text holds.
func glossaryTerms(l lang.Language, text string) []string {
	s := strings.ToLower(norm.NFKC.String(text))
	if l != lang.JA {
		s = " " + strings.Join(strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
	}
	var out []string
	for i, g := range glossary() {
		aliases := g.en
		if l == lang.JA {
			aliases = g.ja
		}
		if slices.ContainsFunc(aliases, func(a string) bool { return strings.Contains(s, a) }) {
			out = append(out, "term "+strconv.Itoa(i))
		}
	}
	return out
}

// aside begins sentences that mention another vulnerability, folded.
var aside = []string{"unlike", "in contrast", "compared", "similar to", "we recall", "as with", "after the fix for", "とは異なり", "に続き", "に続く", "とは別", "別の脆弱性"}

// primary returns the vulnerabilities that an item is about: those of its title,
// else the first of its text, unless it stands in a sentence about something
// else.
func primary(it *news.Item, f *features, facts *fact.Facts) []string {
	if p := news.CVEs(it.Title); len(p) > 0 {
		return p
	}
	for _, c := range facts.Of(fact.CVE) {
		n := c.Evidence[0].Sentence
		s := strings.ToLower(facts.Sentences[n])
		if slices.ContainsFunc(aside, func(w string) bool { return strings.Contains(s, w) }) {
			continue
		}
		if len(f.products) > 0 {
			var here []string
			for _, p := range facts.Of(fact.Product) {
				if p.Group != "vendor" && !everywhere[p.Value] && slices.ContainsFunc(p.Evidence, func(e fact.Evidence) bool { return e.Sentence == n }) {
					here = append(here, p.Value)
				}
			}
			if len(here) > 0 && !shares(here, f.products) {
				continue
			}
		}
		return []string{c.Value}
	}
	if len(f.cves) == 0 && len(it.CVEs) == 1 {
		return it.CVEs
	}
	return nil
}

// suffixes end the names of organisations in Japanese.
var suffixes = []string{"信用金庫", "信用組合", "銀行", "証券", "信金", "労働金庫", "生命", "損保", "病院", "大学", "株式会社", "カード", "電力", "運輸", "急便", "市役所", "県警", "郵便"}

// organizations returns the names of organisations in a Japanese text, sorted.
func organizations(s string) []string {
	s = norm.NFKC.String(s)
	var out []string
	for _, suf := range suffixes {
		for i := 0; ; {
			n := strings.Index(s[i:], suf)
			if n < 0 {
				break
			}
			at := i + n
			i = at + len(suf)
			name := nameBefore(s, at)
			if name == "" && suf == "株式会社" {
				if name = nameBehind(s, i); name != "" {
					out = append(out, name)
				}
				continue
			}
			if name != "" && suf != "株式会社" {
				name += suf
			}
			if name != "" {
				out = append(out, name)
			}
		}
	}
	// Whose name is borrowed: 「…をかたるフィッシング」.
	for _, w := range [...]string{"をかたる", "を騙", "を名乗", "をかたり", "かたる", "を装う", "を装い"} {
		if i := strings.Index(s, w); i > 0 {
			if name := nameBefore(s, i); name != "" && !slices.Contains(suffixes, name) {
				out = append(out, name)
			}
		}
	}
	// Whose news it is: 「東都ロジ、…」.
	if i := strings.Index(s, "、"); i > 0 && back(s, i, nameLetter, 12) == 0 && utf8.RuneCountInString(s[:i]) >= 3 {
		out = append(out, s[:i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func nameLetter(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 'ァ' && r <= 'ヺ' || r == 'ー' || r < 0x250 && unicode.IsLetter(r)
}

// nameBefore returns the kanji, katakana or Latin letters in front of i, else the
// hiragana.
func nameBefore(s string, i int) string {
	j := back(s, i, nameLetter, 12)
	if j == i {
		j = back(s, i, func(r rune) bool { return unicode.Is(unicode.Hiragana, r) }, 6)
	}
	if utf8.RuneCountInString(s[j:i]) < 2 {
		return ""
	}
	return s[j:i]
}

func back(s string, i int, ok func(rune) bool, limit int) int {
	for range limit {
		r, n := utf8.DecodeLastRuneInString(s[:i])
		if n == 0 || !ok(r) {
			break
		}
		i -= n
	}
	return i
}

func nameBehind(s string, i int) string {
	j := i
	for range 12 {
		r, n := utf8.DecodeRuneInString(s[j:])
		if n == 0 || !unicode.Is(unicode.Han, r) && (r < 'ァ' || r > 'ヺ') && r != 'ー' && (r >= 0x250 || !unicode.IsLetter(r)) {
			break
		}
		j += n
	}
	if utf8.RuneCountInString(s[i:j]) < 2 {
		return ""
	}
	return s[i:j]
}
