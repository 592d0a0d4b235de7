package grounding

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// numeral is a number in a folded text.
type numeral struct {
	value    float64
	percent  bool
	token    bool // such as "7.6.10": compared as it stands
	text     string
	from, to int
	unit     string // what follows, up to a few characters
	bound    bound
	of       string // what is counted, "" if that can't be told
}

// bound is on which side of the exact number a rounded one may lie.
type bound int8

const (
	exact bound = iota
	about
	atLeast // more than, 以上
	under   // nearly, 弱
)

var smallNumbers = map[string]float64{
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
	"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
	"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	"one": 1, "hundred": 100, "half": 50, "dozen": 12,
}

var scales = []struct {
	text string
	by   float64
}{{"兆", 1e12}, {"億", 1e8}, {"万", 1e4}, {"千", 1e3}, {" million", 1e6}, {" billion", 1e9}, {" thousand", 1e3}, {" hundred", 1e2}}

const maxNumerals = 4000

// numerals returns the numbers of a folded text.
func numerals(s string) []numeral {
	var out []numeral
	for i := 0; i < len(s) && len(out) < maxNumerals; {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n := digits(s, i)
			if i > 0 && (isWord(s[i-1]) || s[i-1] == '.' && i > 1 && isWord(s[i-2])) {
				i = n.to
				continue
			}
			n.finish(s)
			out = append(out, n)
			i = n.to
		case c >= 'a' && c <= 'z':
			j := i
			for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
				j++
			}
			n, ok := wordNumber(s, i, j)
			if !ok {
				i = j
				continue
			}
			n.finish(s)
			out = append(out, n)
			i = max(n.to, j)
		default:
			i++
		}
	}
	for _, w := range []string{"過半数", "半数", "半分"} {
		if i := strings.Index(s, w); i >= 0 {
			n := numeral{value: 50, percent: true, from: i, to: i + len(w), bound: about}
			if w == "過半数" {
				n.bound = atLeast
			}
			n.finish(s)
			out = append(out, n)
			break
		}
	}
	return out
}

func isWord(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' }

// digits reads a number that is written in digits, with its scales: 1万4千.
func digits(s string, i int) numeral {
	n := numeral{from: i}
	for {
		j, dots := i, 0
		for j < len(s) && (s[j] >= '0' && s[j] <= '9' || (s[j] == ',' || s[j] == '.') && j+1 < len(s) && s[j+1] >= '0' && s[j+1] <= '9') {
			if s[j] == '.' {
				dots++
			}
			j++
		}
		if j == i {
			break
		}
		raw := strings.ReplaceAll(s[i:j], ",", "")
		v, err := strconv.ParseFloat(raw, 64)
		n.token = dots > 1 || err != nil
		n.to = j
		// An answer of a mail server: "550 5.7.515".
		if k := j + 1; !n.token && j-i == 3 && k+2 < len(s) && s[j] == ' ' && s[k] >= '2' && s[k] <= '5' && s[k+1] == '.' {
			if code := digits(s, k); code.token {
				n.token, n.to = true, code.to
			}
		}
		if n.token || math.IsInf(v, 0) {
			n.token = true
			break
		}
		by := 1.0
		for more := true; more; {
			more = false
			for _, m := range scales {
				if strings.HasPrefix(s[n.to:], m.text) {
					by, n.to, more = by*m.by, n.to+len(m.text), true
				}
			}
		}
		n.value += v * by
		if by == 1 || n.to >= len(s) || s[n.to] < '0' || s[n.to] > '9' {
			break
		}
		i = n.to
	}
	return n
}

// wordNumber reads an English number in words, or a fraction as a share.
func wordNumber(s string, i, j int) (numeral, bool) {
	v, ok := smallNumbers[s[i:j]]
	if strings.HasPrefix(s[j:], " third part") || strings.HasPrefix(s[j:], " third-part") {
		return numeral{}, false // a third party
	}
	if s[i:j] == "a" && (strings.HasPrefix(s[j:], " third") || strings.HasPrefix(s[j:], " quarter") || strings.HasPrefix(s[j:], " fifth")) {
		v, ok = 1, true
	}
	if !ok || i > 0 && s[i-1] == '-' {
		return numeral{}, false
	}
	n := numeral{value: v, from: i, to: j}
	if s[i:j] == "half" {
		n.percent, n.bound = true, about
		return n, true
	}
	if v >= 20 && j < len(s) && s[j] == '-' {
		k := j + 1
		for k < len(s) && s[k] >= 'a' && s[k] <= 'z' {
			k++
		}
		if w, ok := smallNumbers[s[j+1:k]]; ok && w < 10 {
			n.value, n.to = v+w, k
		}
	}
	for _, m := range scales[4:] {
		if strings.HasPrefix(s[n.to:], m.text) {
			n.value, n.to = n.value*m.by, n.to+len(m.text)
		}
	}
	// "nine in ten", "one in six".
	for _, in := range []string{" in every ", " in ", " out of "} {
		if rest, ok := strings.CutPrefix(s[n.to:], in); ok {
			k := 0
			for k < len(rest) && isWord(rest[k]) {
				k++
			}
			d, known := smallNumbers[rest[:k]]
			if !known {
				d, _ = strconv.ParseFloat(rest[:k], 64)
			}
			if d >= 2 && d <= 100 && n.value < d {
				return numeral{value: 100 * n.value / d, percent: true, from: i, to: n.to + len(in) + k, bound: about}, true
			}
		}
	}
	for _, part := range []struct {
		text string
		of   float64
	}{{"third", 3}, {"quarter", 4}, {"fifth", 5}, {"tenth", 10}} {
		if rest := s[n.to:]; rest != "" && (rest[0] == ' ' || rest[0] == '-') && strings.HasPrefix(rest[1:], part.text) && n.value < part.of {
			return numeral{value: 100 * n.value / part.of, percent: true, from: i, to: n.to + 1 + len(part.text), bound: about}, true
		}
	}
	return n, true
}

// finish reads what stands around a number.
func (n *numeral) finish(s string) {
	rest := s[n.to:]
	switch {
	case strings.HasPrefix(rest, "割"):
		n.value, n.percent, n.to = n.value*10, true, n.to+len("割")
		if n.bound == exact {
			n.bound = about
		}
	case strings.HasPrefix(rest, "分の"):
		if d := digits(s, n.to+len("分の")); d.to > 0 && n.value > d.value && d.value > 0 {
			n.value, n.percent, n.to, n.bound = 100*d.value/n.value, true, d.to, about
		}
	case strings.HasPrefix(rest, "%"), strings.HasPrefix(rest, " %"):
		n.percent, n.to = true, n.to+1+strings.Index(rest, "%")
	case strings.HasPrefix(rest, " percent"):
		n.percent, n.to = true, n.to+len(" percent")
	}
	rest = s[n.to:]
	n.unit = rest[:cut(rest, 24)]
	n.of = n.readCounter()
	before := s[:n.from]
	before = before[max(0, len(before)-40):]
	tail := strings.TrimRight(before, " ")
	switch {
	case hasAnySuffix(tail, "no more than", "not more than"):
		n.bound = under
	case hasAnySuffix(tail, "more than", "over", "at least", "exceeding", "upwards of", "少なくとも"):
		n.bound = atLeast
	case hasAnySuffix(tail, "nearly", "almost", "close to", "just under", "up to", "fewer than", "less than", "under", "最大"):
		n.bound = under
	case hasAnySuffix(tail, "about", "around", "roughly", "approximately", "some", "約", "およそ", "ほぼ"):
		n.bound = about
	}
	after := n.unit
	for _, w := range []string{"以上", "超", "を超え", "余り", "あまり", "強", "or more", "+"} {
		if i := strings.Index(after, w); i >= 0 && i <= 16 {
			n.bound = atLeast
		}
	}
	for _, w := range []string{"近く", "弱", "未満", "以下", "ほど", "程度", "にとどまる"} {
		// 弱 also ends 脆弱.
		if i := strings.Index(after, w); i >= 0 && i <= 12 && !strings.HasSuffix(after[:i], "脆") {
			n.bound = under
			if w == "ほど" || w == "程度" {
				n.bound = about
			}
		}
	}
	n.text = s[n.from:n.to]
}

func hasAnySuffix(s string, suffixes ...string) bool {
	for _, x := range suffixes {
		if strings.HasSuffix(s, x) {
			return true
		}
	}
	return false
}

// cut returns the length of at most n bytes of s that end between characters.
func cut(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// figures counts the significant digits of a number.
func figures(v float64) int {
	if v == 0 {
		return 1
	}
	s := strings.TrimRight(strconv.FormatFloat(v, 'f', -1, 64), "0")
	s = strings.Trim(strings.ReplaceAll(s, ".", ""), "0")
	return max(1, len(s))
}

// rounds reports whether n is an honest rounding of an exact number.
func (n *numeral) rounds(exactly float64, percent bool) bool {
	d := n.value
	if d == exactly {
		return true
	}
	if percent {
		off := exactly - d
		switch n.bound {
		case exact:
			return false
		case about:
			return math.Abs(off) <= 3.5 && (figures(d) < figures(exactly) || math.Mod(d, 10) == 0 || d != math.Trunc(d) || d == 25 || d == 75)
		case atLeast:
			return off >= 0 && (off < 10 || d == 50)
		case under:
			return off <= 0 && off > -7
		}
		return false
	}
	if exactly == 0 || figures(d) >= figures(exactly) || n.bound == exact {
		return false
	}
	off := (exactly - d) / exactly
	limit := 0.05
	if figures(d) == 1 {
		limit = 0.07
	}
	switch n.bound {
	case atLeast:
		return off >= 0 && off <= limit+0.01
	case under:
		return off <= 0 && off >= -limit
	case about:
		return math.Abs(off) <= limit
	default:
		return false
	}
}

// kana by their sound, as names are romanised.
var kana = map[rune]string{
	'あ': "a", 'い': "i", 'う': "u", 'え': "e", 'お': "o", 'か': "ka", 'き': "ki", 'く': "ku", 'け': "ke", 'こ': "ko",
	'が': "ga", 'ぎ': "gi", 'ぐ': "gu", 'げ': "ge", 'ご': "go", 'さ': "sa", 'し': "shi", 'す': "su", 'せ': "se", 'そ': "so",
	'ざ': "za", 'じ': "ji", 'ず': "zu", 'ぜ': "ze", 'ぞ': "zo", 'た': "ta", 'ち': "chi", 'つ': "tsu", 'て': "te", 'と': "to",
	'だ': "da", 'ぢ': "ji", 'づ': "zu", 'で': "de", 'ど': "do", 'な': "na", 'に': "ni", 'ぬ': "nu", 'ね': "ne", 'の': "no",
	'は': "ha", 'ひ': "hi", 'ふ': "fu", 'へ': "he", 'ほ': "ho", 'ば': "ba", 'び': "bi", 'ぶ': "bu", 'べ': "be", 'ぼ': "bo",
	'ぱ': "pa", 'ぴ': "pi", 'ぷ': "pu", 'ぺ': "pe", 'ぽ': "po", 'ま': "ma", 'み': "mi", 'む': "mu", 'め': "me", 'も': "mo",
	'や': "ya", 'ゆ': "yu", 'よ': "yo", 'ら': "ra", 'り': "ri", 'る': "ru", 'れ': "re", 'ろ': "ro", 'わ': "wa", 'を': "o", 'ん': "n",
}

// romaji writes the kana of a text in Latin letters, a space for all else.
func romaji(s string) string {
	var b strings.Builder
	space := true
	for _, r := range s {
		if r >= 'ァ' && r <= 'ン' {
			r -= 'ァ' - 'ぁ'
		}
		if x, ok := kana[r]; ok {
			b.WriteString(x)
			space = false
		} else if !space {
			b.WriteByte(' ')
			space = true
		}
	}
	return b.String()
}
