package lookalike

import (
	"strings"
	"sync"
	"unicode"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/confusable"
)

// slips makes what hasty fingers make: a character left out, doubled, swapped
// with its neighbour or hit beside.
func (m *maker) slips() {
	l := m.label
	for i := range len(l) {
		at := position(i, len(l))
		m.sub(l[:i]+l[i+1:], Omission, 68+at, "", l[i:i+1])
		if l[i] != '-' {
			m.sub(l[:i+1]+l[i:], Repetition, 62+at, l[i:i+1]+l[i:i+1], l[i:i+1])
		}
		if i+1 < len(l) && l[i] != l[i+1] {
			m.sub(l[:i]+l[i+1:i+2]+l[i:i+1]+l[i+2:], Transposition, 74+at, l[i+1:i+2]+l[i:i+1], l[i:i+2])
		}
		for _, k := range neighbours(l[i]) {
			m.sub(l[:i]+string(k)+l[i+1:], Keyboard, 48+at, string(k), l[i:i+1])
		}
	}
}

// position is how much more a change at i goes unnoticed: readers look at the
// first character, less at the last, and least at the middle.
func position(i, n int) int {
	switch i {
	case 0:
		return -8
	case n - 1:
		return 0
	}
	return 4
}

// neighbours are the keys beside a key that can stand in a name. Letters and
// digits are the same on US and Japanese keyboards; the hyphen stands beside
// 0 and above p on both.
func neighbours(c byte) string {
	rows := [...]string{"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"}
	for r, row := range rows {
		i := strings.IndexByte(row, c)
		if i < 0 {
			continue
		}
		out := row[max(0, i-1):i] + row[i+1:min(len(row), i+2)]
		// The rows are shifted by about half a key: a key touches the one of
		// the same place and the one after it in the row above, the one of the
		// same place and the one before it in the row below.
		if r > 0 && !isDigit(c) {
			out += slice(rows[r-1], i, i+2)
		}
		if r+1 < len(rows) {
			out += slice(rows[r+1], i-1, i+1)
		}
		return out
	}
	return ""
}

func slice(s string, from, to int) string {
	from = min(max(from, 0), len(s))
	return s[from:min(max(to, from), len(s))]
}

// romanizations are other spellings of the same Japanese sounds: Hepburn,
// Kunrei and the long vowel that names leave out.
func (m *maker) romanizations() {
	pairs := [...][2]string{
		{"shi", "si"}, {"chi", "ti"}, {"tsu", "tu"}, {"fu", "hu"}, {"ji", "zi"},
		{"sha", "sya"}, {"shu", "syu"}, {"sho", "syo"}, {"cha", "tya"}, {"chu", "tyu"}, {"cho", "tyo"},
		{"ja", "jya"}, {"ju", "jyu"}, {"jo", "jyo"}, {"ja", "zya"}, {"ju", "zyu"}, {"jo", "zyo"},
		{"ou", "o"}, {"ou", "oh"}, {"oo", "o"}, {"uu", "u"}, {"mb", "nb"}, {"mp", "np"}, {"mm", "nm"}, {"cch", "tch"},
	}
	for _, p := range pairs {
		m.replace(p[0], p[1], Romanization, 78)
		m.replace(p[1], p[0], Romanization, 76)
	}
}

// replace puts one text for another at each place where it stands.
func (m *maker) replace(from, to string, way Way, weight int) {
	for i := 0; i+len(from) <= len(m.label); i++ {
		if m.label[i:i+len(from)] == from {
			m.sub(m.label[:i]+to+m.label[i+len(from):], way, weight, to, from)
		}
	}
}

// homoglyphs puts characters that are drawn alike: Latin letters and digits,
// which every registry takes, then letters of other scripts.
func (m *maker) homoglyphs() {
	for _, p := range [...]struct {
		from, to string
		weight   int
	}{
		{"m", "rn", 96}, {"rn", "m", 96}, {"l", "1", 94}, {"1", "l", 94}, {"l", "i", 93}, {"i", "l", 93}, {"i", "1", 90}, {"o", "0", 92}, {"0", "o", 92},
		{"w", "vv", 92}, {"vv", "w", 92}, {"d", "cl", 88}, {"cl", "d", 86}, {"n", "ri", 60}, {"u", "v", 62}, {"v", "u", 60}, {"g", "q", 78}, {"q", "g", 78},
		{"s", "5", 74}, {"e", "3", 70}, {"a", "4", 66}, {"b", "6", 62}, {"t", "7", 58}, {"z", "2", 66}, {"g", "9", 68}, {"b", "8", 64}, {"n", "m", 70}, {"m", "n", 70},
	} {
		m.replace(p.from, p.to, Homoglyph, p.weight)
	}
	for _, p := range [...]string{"o0", "l1", "i1", "e3", "s5"} { // all of them at once: 0ff1ce
		if strings.Count(m.label, p[:1]) > 1 {
			m.sub(strings.ReplaceAll(m.label, p[:1], p[1:]), Homoglyph, 76, p[1:], p[:1])
		}
	}
	m.scripts()
}

// scripts replaces letters by those of another script. Registries refuse most
// labels that mix scripts, so a whole label of one script counts for more.
// ".jp" takes kana and kanji beside ASCII and no other script.
func (m *maker) scripts() {
	japan := m.suffix == "jp" || strings.HasSuffix(m.suffix, ".jp")
	if strings.Contains(m.label, "-") {
		m.sub(strings.Replace(m.label, "-", "ー", 1), Homoglyph, 58, "ー", "-")
	}
	for _, t := range []*unicode.RangeTable{unicode.Cyrillic, unicode.Greek, unicode.Latin} {
		var whole strings.Builder
		complete := true
		for i := range len(m.label) {
			c := m.label[i]
			if c == '-' || isDigit(c) {
				whole.WriteByte(c)
				continue
			}
			first := rune(0)
			for _, r := range glyphs()[c] {
				if !unicode.Is(t, r) {
					continue
				}
				if first == 0 {
					first = r
				}
				if weight := 50; !japan {
					m.add(m.label[:i]+string(r)+m.label[i+1:]+"."+m.suffix, Homoglyph, weight, string(r), m.label[i:i+1])
				}
			}
			complete = complete && first != 0
			whole.WriteRune(first)
		}
		if complete && t != unicode.Latin && !japan {
			m.add(whole.String()+"."+m.suffix, Homoglyph, 80, whole.String(), m.label)
		}
	}
}

// glyphs are for each letter the letters of other alphabets that are drawn like
// it and survive the mapping of names to lower case, at most four of a script.
var glyphs = sync.OnceValue(func() map[byte][]rune {
	out := map[byte][]rune{}
	count := map[byte]map[string]int{}
	for _, span := range [...]struct {
		script   string
		from, to rune
	}{{"cyrillic", 0x430, 0x52F}, {"greek", 0x3AC, 0x3CE}, {"latin", 0xDF, 0x2AF}} {
		for r := span.from; r <= span.to; r++ {
			p, ok := confusable.Prototype(r)
			if !ok {
				p = domain.Skeleton(string(r)) // a letter with a mark
			}
			// What is left of a letter with a mark is the letter and the mark.
			c := []rune(p)[0]
			if c > unicode.MaxASCII || len([]rune(p)) > 2 || len([]rune(p)) == 2 && !unicode.Is(unicode.Mn, []rune(p)[1]) || p == "rn" {
				continue
			}
			if c = unicode.ToLower(c); c < 'a' || c > 'z' || unicode.IsUpper(r) {
				continue
			}
			n, err := domain.Parse(string(r))
			if err != nil || n.Unicode() != string(r) {
				continue
			}
			if count[byte(c)] == nil {
				count[byte(c)] = map[string]int{}
			}
			if count[byte(c)][span.script]++; count[byte(c)][span.script] <= 4 {
				out[byte(c)] = append(out[byte(c)], r)
			}
		}
	}
	return out
})

// bits flips one bit of one character, as a damaged memory does on the way.
func (m *maker) bits() {
	for i := range len(m.label) {
		for bit := range 8 {
			c := m.label[i] ^ 1<<bit
			if c >= 'a' && c <= 'z' || isDigit(c) || c == '-' {
				m.sub(m.label[:i]+string(rune(c))+m.label[i+1:], Bitsquat, 20, string(rune(c)), m.label[i:i+1])
			}
		}
	}
}
