package fact

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// numeral is a number in a sentence.
type numeral struct {
	value    float64
	from, to int
	approx   Approx // by what follows: a plus sign, 以上, 未満
	word     bool   // written as a word
}

// counts finds the numbers that count something.
func (x *extractor) counts() {
	s := x.f.text
	units := x.hits[tUnit]
	u := 0 // units that begin before i
	for i := 0; i < len(s); {
		_, n := utf8.DecodeRuneInString(s[i:])
		if x.used[i] {
			i += n
			continue
		}
		num, ok := x.numeral(i)
		if !ok {
			i += n
			continue
		}
		for u < len(units) && units[u].from < num.to {
			u++
		}
		end := x.count(num, units[u:])
		i = max(end, num.to)
	}
}

var numberWords = map[string]float64{
	"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
	"thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
}

var multipliers = []struct {
	text string
	by   float64
}{{"兆", 1e12}, {"億", 1e8}, {"万", 1e4}, {"千", 1e3}, {" million", 1e6}, {" billion", 1e9}, {" thousand", 1e3}, {"k", 1e3}, {"m", 1e6}}

// numeral reads a number at i.
func (x *extractor) numeral(i int) (numeral, bool) {
	s := x.f.text
	prev := before(s, i)
	num := numeral{from: i}
	if !isDigit(s[i]) {
		if s[i] < 'a' || s[i] > 'z' || isLatin(prev) {
			return num, false
		}
		j := i
		for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
			j++
		}
		v, ok := numberWords[s[i:j]]
		num.value, num.to, num.word = v, j, true
		return num, ok && !isLatin(after(s, j))
	}
	if isLatin(prev) || prev == '.' || prev == '#' || prev == '-' && isLatin(before(s, i-1)) {
		return num, false
	}
	total, j := 0.0, i
	for {
		v, k := plainNumber(s, j)
		if k == j {
			break
		}
		j = k
		by := 1.0
		for _, m := range multipliers {
			if strings.HasPrefix(s[j:], m.text) && (m.by >= 1e12 || m.text[0] >= utf8.RuneSelf || !isLatin(after(s, j+len(m.text)))) {
				by = m.by
				j += len(m.text)
				break
			}
		}
		// 3万5千: a smaller part may follow a bigger one.
		total += v * by
		if by == 1 || j >= len(s) || !isDigit(s[j]) {
			break
		}
	}
	// 億千万 may follow one another: 1千万.
	for strings.HasPrefix(s[j:], "万") {
		total *= 1e4
		j += len("万")
	}
	num.value, num.to = total, j
	if isLatin(after(s, j)) || total > 1e15 {
		return num, false
	}
	rest := strings.TrimLeft(s[j:], " ")
	if a, n := approxBehind(rest); n > 0 {
		rest = strings.TrimPrefix(rest[n:], "の")
		num.approx, num.to = a, len(s)-len(rest)
	}
	return num, true
}

// approxBehind reads the words behind a number that say how exact it is.
func approxBehind(s string) (Approx, int) {
	for _, w := range [...]struct {
		text   string
		approx Approx
	}{
		{"+", AtLeast}, {"以上", AtLeast}, {"or more", AtLeast}, {"を超える", Over}, {"を超え", Over}, {"超", Over}, {"余り", Over}, {"強", Over},
		{"未満", Under}, {"以下", UpTo}, {"or fewer", UpTo}, {"弱", Under},
	} {
		if strings.HasPrefix(s, w.text) && (w.text[0] >= utf8.RuneSelf || w.text == "+" || !isLatin(after(s, len(w.text)))) {
			return w.approx, len(w.text)
		}
	}
	return Exact, 0
}

// plainNumber reads digits with commas between thousands and a fraction.
func plainNumber(s string, i int) (float64, int) {
	j := i
	var b strings.Builder
	for j < len(s) && b.Len() < 20 {
		switch {
		case isDigit(s[j]):
			b.WriteByte(s[j])
		case s[j] == ',' && j > i && digits(s, j+1) == 3:
		case s[j] == '.' && j > i && j+1 < len(s) && isDigit(s[j+1]) && !strings.Contains(b.String(), "."):
			b.WriteByte('.')
		default:
			return number(b.String()), j
		}
		j++
	}
	return number(b.String()), j
}

// tenths are 割, of which ten make the whole.
const tenths Unit = "tenths"

// How far behind a number its unit may stand, in bytes.
const unitDistance = 48

// count adds the count of num, whose unit is one of units, and returns where its
// words end, 0 if num counts nothing.
func (x *extractor) count(num numeral, units []hit) int {
	s := x.f.text
	if r := before(s, num.from); r == '$' || r == '¥' {
		unit := Dollars
		if r == '¥' {
			unit = Yen
		}
		x.addCount(num, unit, num.from-1, num.to)
		return num.to
	}
	if num.from > 0 && s[num.from-1] == '-' && !strings.HasPrefix(s[num.to:], "%") {
		// the end of a range of versions or hours
		return 0
	}
	if len(units) == 0 || units[0].from-num.to > unitDistance {
		return 0
	}
	u := units[0]
	gap := s[num.to:u.from]
	if !x.bridges(gap, num.to) {
		return 0
	}
	unit := Unit(x.lex.words[tUnit].entries[u.entry].value)
	r, _ := utf8.DecodeRuneInString(s[u.from:])
	if r >= utf8.RuneSelf && strings.TrimSpace(gap) != "" {
		// A Japanese counter stands right behind the number.
		return 0
	}
	if u.to-u.from == len("人") && strings.ContainsAny(s[u.from:u.to], "名社人回件通台円") && strings.ContainsRune("前称目会内材信", after(s, u.to)) {
		return 0 // 名前, 社会, 人材: another word
	}
	if num.word && unit != Countries && unit != Vulnerabilities && unit != Products && unit != Packages && unit != Organizations && unit != Days {
		return 0
	}
	end := u.to
	rest := strings.TrimLeft(s[u.to:], " ")
	if a, n := approxBehind(rest); n > 0 {
		num.approx, end = a, len(s)-len(rest)+n
	}
	switch unit {
	case tenths:
		num.value *= 10
		if num.approx == Exact {
			num.approx = About
		}
		unit = Percent
	case Cases:
		if x.aboutVulnerabilities(num.from) {
			unit = Vulnerabilities
		}
	default:
	}
	x.addCount(num, unit, num.from, end)
	return end
}

// bridges reports whether gap, between a number and its unit, is a few words:
// "35,000 Microsoft 365 users".
func (x *extractor) bridges(gap string, at int) bool {
	words := 0
	for i, r := range gap {
		switch {
		case r == ' ':
			words++
		case r == '-' || r == '\'' || r == '.' && i > 0:
		case r >= 'a' && r <= 'z':
		case r >= '0' && r <= '9':
			if !x.used[at+i] {
				return false
			}
		default:
			return false
		}
	}
	for _, w := range [...]string{" and ", " or ", " in ", " of the ", " to ", " across ", " from ", " with ", " by ", " at "} {
		if strings.Contains(gap, w) || strings.HasSuffix(gap, strings.TrimRight(w, " ")) && gap != "" && strings.HasSuffix(gap+" ", w) {
			return false
		}
	}
	return words <= 6
}

// aboutVulnerabilities reports whether the clause of i speaks of
// vulnerabilities, for 件.
func (x *extractor) aboutVulnerabilities(i int) bool {
	from, to := x.clause(i)
	c := x.f.text[from:to]
	return strings.Contains(c, "脆弱性") || strings.Contains(c, "cve") || strings.Contains(c, "緊急") || strings.Contains(c, "深刻度")
}

// addCount adds a count that stands at [from, to).
func (x *extractor) addCount(num numeral, unit Unit, from, to int) {
	f := Fact{Type: Count, Number: num.value, Unit: unit, By: "count/1", Value: strconv.FormatFloat(num.value, 'f', -1, 64)}
	front := hit{from: from, to: to}
	for _, a := range x.hits[tApprox] {
		if gap := from - a.to; gap >= 0 && gap <= 1 {
			f.Approx = Approx(x.lex.words[tApprox].entries[a.entry].value)
			front.from = a.from
		}
	}
	if num.approx != Exact && (f.Approx == Exact || num.approx != About) {
		f.Approx = num.approx
	}
	a, b := x.clause(from)
	switch unit {
	case Days, Hours, Minutes, Yen, Dollars, Countries:
	default:
		f.Claim = x.claim(front, unit, a, b)
	}
	isPlace := func(h hit) bool { return x.lex.places[h.entry].code != "-" }
	var near []hit
	for _, p := range x.places {
		if p.from >= a && p.from < b {
			near = append(near, p)
		}
	}
	if p := nearest(near, front, isPlace); p != nil && unit != Countries && unit != Products {
		f.Place = x.lex.places[p.entry].code
	}
	f.Hedged, f.Negated = x.doubt(front)
	if f.Claim == "" {
		f.Hedged, f.Negated = false, false
	}
	f.JA, f.EN = WriteCount(f.Number, f.Unit, f.Approx)
	x.add(f, front.from, to)
	x.use(front.from, to)
}

// claim returns what is said of those who are counted: the nearest word of the
// clause, else of the sentence.
func (x *extractor) claim(h hit, unit Unit, from, to int) Claim {
	entries := x.lex.words[tClaim].entries
	fits := func(c hit) bool {
		if c.from < h.to && c.to > h.from {
			return false
		}
		v := Claim(entries[c.entry].value)
		if unit == Vulnerabilities || unit == Products {
			return v == ToFix || v == InUse || v == Affected
		}
		return v.Strength() > 0
	}
	if c := nearest(x.within(tClaim, from, to), h, fits); c != nil {
		return Claim(entries[c.entry].value)
	}
	if c := nearest(x.hits[tClaim], h, fits); c != nil {
		return Claim(entries[c.entry].value)
	}
	return ""
}

// counters are how a unit is written: behind the number in Japanese, one and
// many in English.
var counters = map[Unit][3]string{
	People:          {"人", "person", "people"},
	Accounts:        {"アカウント", "account", "accounts"},
	Organizations:   {"組織", "organization", "organizations"},
	Countries:       {"カ国", "country", "countries"},
	Vulnerabilities: {"件の脆弱性", "vulnerability", "vulnerabilities"},
	Products:        {"製品", "product", "products"},
	Packages:        {"個のパッケージ", "package", "packages"},
	Devices:         {"台", "device", "devices"},
	Mails:           {"通", "email", "emails"},
	Attempts:        {"件", "case", "cases"},
	Domains:         {"件のドメイン", "domain", "domains"},
	Records:         {"件の情報", "record", "records"},
	Cases:           {"件", "case", "cases"},
	Percent:         {"%", "%", "%"},
	Yen:             {"円", "yen", "yen"},
	Dollars:         {"ドル", "dollar", "dollars"},
	Days:            {"日間", "day", "days"},
	Hours:           {"時間", "hour", "hours"},
	Minutes:         {"分間", "minute", "minutes"},
}

// WriteCount writes a number with its unit as drafts do: "約35,000人", "about
// 35,000 people".
func WriteCount(n float64, u Unit, a Approx) (ja, en string) {
	c, ok := counters[u]
	if !ok {
		c = [3]string{string(u), string(u), string(u)}
	}
	digits := grouped(n)
	ja, en = digits+c[0], digits
	switch {
	case u == Percent:
		en += "%"
	case n == 1:
		en += " " + c[1]
	default:
		en += " " + c[2]
	}
	switch a {
	case About:
		return "約" + ja, "about " + en
	case Over, AtLeast:
		word := "more than "
		if a == AtLeast {
			word = "at least "
		}
		if u == Vulnerabilities || u == Domains || u == Records {
			return digits + "件以上" + strings.TrimPrefix(c[0], "件"), word + en
		}
		return ja + "以上", word + en
	case Under:
		return ja + "未満", "fewer than " + en
	case UpTo:
		return "最大" + ja, "up to " + en
	case Exact:
	}
	return ja, en
}

// grouped writes n with a comma between thousands.
func grouped(n float64) string {
	s := strconv.FormatFloat(n, 'f', -1, 64)
	whole, frac, point := strings.Cut(s, ".")
	if math.Abs(n) >= 1000 {
		for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if point {
		return whole + "." + frac
	}
	return whole
}
