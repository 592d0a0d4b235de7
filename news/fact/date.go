package fact

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/lang"
)

// day is a date as written: a part that is not written is 0.
type day struct{ y, m, d int }

func (a day) valid() bool {
	if a.m < 1 || a.m > 12 || a.d < 0 || a.d > 31 || a.y != 0 && (a.y < 1990 || a.y > 2100) {
		return false
	}
	if a.d == 0 {
		return true
	}
	y := a.y
	if y == 0 {
		y = 2000 // 29 February may be right
	}
	return time.Date(y, time.Month(a.m), a.d, 0, 0, 0, 0, time.UTC).Day() == a.d
}

// first and last return the days that a spans; its year is known.
func (a day) first() time.Time {
	return time.Date(a.y, time.Month(a.m), max(a.d, 1), 0, 0, 0, 0, time.UTC)
}

func (a day) last() time.Time {
	if a.d == 0 {
		return time.Date(a.y, time.Month(a.m)+1, 0, 0, 0, 0, 0, time.UTC)
	}
	return a.first()
}

// iso writes a in ISO 8601; a date without a year begins with two hyphens.
func (a day) iso() string {
	var b strings.Builder
	if a.y == 0 {
		b.WriteByte('-')
	} else {
		fmt.Fprintf(&b, "%04d", a.y)
	}
	fmt.Fprintf(&b, "-%02d", a.m)
	if a.d != 0 {
		fmt.Fprintf(&b, "-%02d", a.d)
	}
	return b.String()
}

// span is a date or a range of dates in a sentence.
type span struct {
	a, b     day // b is zero for a single date
	from, to int // in the folded text
	zone     string
	ended    bool // the range says how it ends, so that what follows is not its beginning
}

// dates finds the dates of the sentence.
func (x *extractor) dates() {
	s := x.f.text
	var list []span
	for i := 0; i < len(s); i++ {
		c := s[i]
		prev := before(s, i)
		var d span
		ok := false
		switch {
		case isDigit(c) && !isLatin(prev) && prev != '.' && !x.used[i]:
			if d, ok = x.japaneseDate(i); !ok {
				if d, ok = isoDate(s, i); !ok {
					d, ok = x.dayFirst(i)
				}
			}
		case c >= 'a' && c <= 'z' && !isLatin(prev):
			d, ok = x.monthFirst(i)
		case strings.HasPrefix(s[i:], "令和"):
			d, ok = x.japaneseDate(i)
		}
		if ok && d.a.valid() && (d.b == day{} || d.b.valid()) {
			list = append(list, d)
			i = d.to - 1
		}
	}
	known := x.yearOfSentence(list)
	for _, d := range list {
		x.use(d.from, d.to)
		role := x.role(d)
		x.addDate(d, role, known)
	}
}

// yearOfSentence returns the first year that is written, or 0.
func (x *extractor) yearOfSentence(list []span) int {
	for _, d := range list {
		if y := max(d.a.y, d.b.y); y != 0 {
			return y
		}
	}
	return 0
}

func (x *extractor) addDate(d span, role Role, year int) {
	a, b := d.a, d.b
	if b != (day{}) {
		if b.y == 0 && a.y != 0 {
			b.y = a.y
			if b.m < a.m {
				b.y++
			}
		}
		if a.y == 0 && b.y != 0 {
			a.y = b.y
			if a.m > b.m {
				a.y--
			}
		}
	}
	if a.y == 0 {
		if a.y = year; a.y == 0 {
			a.y = x.inferYear(a, role)
		}
		if b != (day{}) && a.y != 0 {
			b.y = a.y
			if b.m < a.m {
				b.y++
			}
		}
	}
	f := Fact{Type: Date, Value: a.iso(), Role: role, Zone: d.zone, By: "date/1"}
	if b != (day{}) {
		f.Value += "/" + b.iso()
	}
	if a.y != 0 {
		f.From, f.To = a.first(), a.last()
		if b != (day{}) {
			f.To = b.last()
		}
		if f.To.Before(f.From) {
			return
		}
	}
	f.JA, f.EN = a.write(b)
	x.add(f, d.from, d.to)
}

// write writes a date, or the range from a to b, as a draft does.
func (a day) write(b day) (ja, en string) {
	month := func(d day) (string, string) {
		en := time.Month(d.m).String()
		ja := strconv.Itoa(d.m) + "月"
		if d.d != 0 {
			ja += strconv.Itoa(d.d) + "日"
			en = strconv.Itoa(d.d) + " " + en
		}
		if d.y != 0 {
			ja = strconv.Itoa(d.y) + "年" + ja
			en += " " + strconv.Itoa(d.y)
		}
		return ja, en
	}
	switch {
	case b != (day{}) && a.y != 0 && a.d != 0 && b.d != 0:
		return lang.DateRange(lang.JA, a.first(), b.first()), lang.DateRange(lang.EN, a.first(), b.first())
	case b != (day{}):
		ja, en = month(a)
		ja2, en2 := month(b)
		return ja + "~" + ja2, en + " – " + en2
	case a.y != 0 && a.d != 0:
		return lang.Date(lang.JA, a.first()), lang.Date(lang.EN, a.first())
	}
	return month(a)
}

// How far from the day of publication a date without a year may lie.
const (
	pastDays   = 270
	futureDays = 95
	// What is due lies ahead.
	duePastDays   = 45
	dueFutureDays = 320
)

// inferYear returns the year of a date that was written without one, from the
// day of publication, or 0 if that is not known.
func (x *extractor) inferYear(a day, role Role) int {
	p := x.in.Published
	if p.IsZero() {
		return 0
	}
	past, future := pastDays, futureDays
	if role == Deadline || role == Effective {
		past, future = duePastDays, dueFutureDays
	}
	for _, y := range [...]int{p.Year(), p.Year() + 1, p.Year() - 1} {
		a.y = y
		if !a.valid() {
			continue
		}
		if days := int(a.first().Sub(p).Hours() / 24); days >= -past && days <= future {
			return y
		}
	}
	return p.Year()
}

// japaneseDate reads a date with 年, 月 and 日 at i, and a range of two.
func (x *extractor) japaneseDate(i int) (span, bool) {
	s := x.f.text
	d := span{from: i}
	a, j, ok := japaneseDay(s, i, day{})
	if !ok {
		return d, false
	}
	d.a, d.to = a, j
	j = parenthesis(s, j, &d, true)
	for _, sep := range [...]string{"~", "-", "から ", "から", "より", " ~ ", " - ", "・"} {
		rest, found := strings.CutPrefix(s[j:], sep)
		if !found {
			continue
		}
		b, k, ok := japaneseDay(s, len(s)-len(rest), d.a)
		if !ok || b.d == 0 && d.a.d != 0 {
			break
		}
		if sep == "・" && (b.m != d.a.m || b.d != d.a.d+1) {
			break // two days that are no range
		}
		d.b, d.to, d.ended = b, k, true
		parenthesis(s, k, &d, true)
		break
	}
	return d, true
}

// sign reads 年, 月 or 日 at i, which some write with a space in front, and
// returns where the text goes on.
func sign(s string, i int, want string) (int, bool) {
	if i < len(s) && s[i] == ' ' {
		i++
	}
	if !strings.HasPrefix(s[i:], want) {
		return i, false
	}
	return i + len(want), true
}

// japaneseDay reads a year, a month and a day at i. What it does not write it has
// from like.
func japaneseDay(s string, i int, like day) (day, int, bool) {
	d := day{}
	j := i
	if rest, ok := strings.CutPrefix(s[j:], "令和"); ok {
		j = len(s) - len(rest)
		n := digits(s, j)
		switch {
		case n >= 1 && n <= 2:
			d.y = 2018 + atoi(s[j:j+n])
			j += n
		case strings.HasPrefix(rest, "元"):
			d.y = 2019
			j += len("元")
		default:
			return d, i, false
		}
		if j, ok = sign(s, j, "年"); !ok {
			return d, i, false
		}
	} else if n := digits(s, j); n == 4 {
		if k, ok := sign(s, j+n, "年"); ok {
			d.y = atoi(s[j : j+n])
			j = k
		}
	}
	if j < len(s) && s[j] == ' ' {
		j++
	}
	n := digits(s, j)
	if n == 0 || n > 2 {
		return d, i, false
	}
	if k, ok := sign(s, j+n, "月"); ok {
		d.m = atoi(s[j : j+n])
		j = k
		if k < len(s) && s[k] == ' ' {
			k++
		}
		n := digits(s, k)
		end, ok := sign(s, k+n, "日")
		switch {
		case n >= 1 && n <= 2 && ok:
			if strings.HasPrefix(s[end:], "間") {
				return d, i, false
			}
			d.d = atoi(s[k : k+n])
			j = end
		case d.y == 0 && like == (day{}) && strings.HasPrefix(s[j:], "号"):
			return d, i, false
		}
	} else {
		k, ok := sign(s, j+n, "日")
		if !ok || like.m == 0 || like.d == 0 || d.y != 0 || strings.HasPrefix(s[k:], "間") {
			return d, i, false
		}
		d.m, d.d = like.m, atoi(s[j:j+n])
		j = k
	}
	if d.y == 0 && like.y != 0 {
		d.y = like.y
		if d.m < like.m {
			d.y++
		}
	}
	return d, j, d.valid()
}

// zones are how texts name the clock that a date is of, folded.
var zones = []string{"日本時間", "現地時間", "米国時間", "米国東部時間", "太平洋時間", "太平洋標準時", "協定世界時", "jst", "utc", "pst", "pdt", "pt", "et", "est", "edt", "gmt", "japan time", "local time", "u.s. time", "us time"}

// parenthesis skips "(金)" and "(日本時間)" at j and notes the zone. It returns
// where the text goes on, and extends d over it if extend is true.
func parenthesis(s string, j int, d *span, extend bool) int {
	for range 2 {
		k := j
		if k < len(s) && s[k] == ' ' {
			k++
		}
		if k >= len(s) || s[k] != '(' {
			return j
		}
		end := strings.IndexByte(s[k:min(k+40, len(s))], ')')
		if end < 0 {
			return j
		}
		in := strings.TrimSpace(s[k+1 : k+end])
		switch {
		case slices.Contains(zones, in):
			d.zone = in
		case len(in) == len("金") && strings.ContainsAny(in, "日月火水木金土"), strings.HasSuffix(in, "曜日"), strings.HasSuffix(in, "曜"), strings.HasSuffix(in, "・祝"):
		case slices.ContainsFunc(zones, func(z string) bool { return strings.HasPrefix(in, z) }):
			d.zone = in
		default:
			return j
		}
		j = k + end + 1
		if extend {
			d.to = j
		}
	}
	return j
}

// isoDate reads 2026-05-08 or 2026/5/8 at i.
func isoDate(s string, i int) (span, bool) {
	if digits(s, i) != 4 || i+4 >= len(s) || s[i+4] != '-' && s[i+4] != '/' {
		return span{}, false
	}
	sep := s[i+4]
	m := digits(s, i+5)
	if m < 1 || m > 2 || i+5+m >= len(s) || s[i+5+m] != sep {
		return span{}, false
	}
	k := i + 6 + m
	n := digits(s, k)
	if n < 1 || n > 2 || isLatin(after(s, k+n)) && after(s, k+n) != 't' {
		return span{}, false
	}
	return span{a: day{atoi(s[i : i+4]), atoi(s[i+5 : i+5+m]), atoi(s[k : k+n])}, from: i, to: k + n}, true
}

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// month reads the English name of a month at i, which is written with a capital.
func (x *extractor) month(i int) (m, to int) {
	s := x.f.text
	j := i
	for j < len(s) && s[j] >= 'a' && s[j] <= 'z' {
		j++
	}
	w := s[i:j]
	if len(w) < 3 || isLatin(after(s, j)) {
		return 0, i
	}
	o := x.original[x.f.at[i]:]
	if o == "" || !unicode.IsUpper(rune(o[0])) {
		return 0, i
	}
	for k, name := range months {
		if w == name || len(w) <= 4 && strings.HasPrefix(name, w) && (len(w) == 3 || w == "sept") {
			if j < len(s) && s[j] == '.' && w != name {
				j++
			}
			return k + 1, j
		}
	}
	return 0, i
}

// separators stand between the days of an English range.
var separators = []string{"-", " - ", "~", " to ", " and ", " through ", " until "}

// monthFirst reads "April 14, 2026", "Apr. 14-16", "April 2026" at i.
func (x *extractor) monthFirst(i int) (span, bool) {
	s := x.f.text
	m, j := x.month(i)
	if m == 0 || j >= len(s) || s[j] != ' ' {
		return span{}, false
	}
	j++
	if n := digits(s, j); n == 4 && !isLatin(after(s, j+n)) {
		return span{a: day{y: atoi(s[j : j+n]), m: m}, from: i, to: j + n}, true
	}
	n, j := ordinal(s, j)
	if n == 0 {
		return span{}, false
	}
	d := span{a: day{m: m, d: n}, from: i, to: j}
	for _, sep := range separators {
		rest, ok := strings.CutPrefix(s[j:], sep)
		if !ok {
			continue
		}
		k := len(s) - len(rest)
		m2 := m
		if mm, kk := x.month(k); mm != 0 && kk < len(s) && s[kk] == ' ' {
			m2, k = mm, kk+1
		}
		if d2, kk := ordinal(s, k); d2 != 0 && (m2 > m || d2 > n || m2 != m) && !strings.HasPrefix(s[kk:], ":") {
			if sep == " and " && !rangeBefore(s, i) {
				break // "on April 14 and 16" is two days
			}
			d.b, d.to, d.ended = day{m: m2, d: d2}, kk, true
			j = kk
		}
		break
	}
	if y, k := yearAt(s, j); y != 0 {
		if d.b != (day{}) {
			d.b.y = y
		} else {
			d.a.y = y
		}
		d.to = k
		// "April 14, 2026 to April 16, 2026"
		if d.b == (day{}) {
			x.secondDate(&d, k)
		}
	}
	parenthesis(s, d.to, &d, true)
	return d, true
}

// secondDate reads the end of a range whose beginning has a year.
func (x *extractor) secondDate(d *span, j int) {
	s := x.f.text
	for _, sep := range separators {
		rest, ok := strings.CutPrefix(s[j:], sep)
		if !ok || sep == " and " && !rangeBefore(s, d.from) {
			continue
		}
		k := len(s) - len(rest)
		m, k := x.month(k)
		if m == 0 || k >= len(s) {
			return
		}
		n, k := ordinal(s, k+1)
		y, end := yearAt(s, k)
		if n == 0 || y == 0 {
			return
		}
		d.b, d.to, d.ended = day{y: y, m: m, d: n}, end, true
		return
	}
}

// dayFirst reads "14 April 2026" or "14-16 April" at i.
func (x *extractor) dayFirst(i int) (span, bool) {
	s := x.f.text
	n, j := ordinal(s, i)
	if n == 0 {
		return span{}, false
	}
	d := span{a: day{d: n}, from: i}
	for _, sep := range separators {
		rest, ok := strings.CutPrefix(s[j:], sep)
		if !ok {
			continue
		}
		if n2, k := ordinal(s, len(s)-len(rest)); n2 > n && (sep != " and " || rangeBefore(s, i)) {
			d.b, d.ended = day{d: n2}, true
			j = k
		}
		break
	}
	rest := strings.TrimPrefix(s[j:], " of")
	j = len(s) - len(rest)
	if j >= len(s) || s[j] != ' ' {
		return span{}, false
	}
	m, k := x.month(j + 1)
	if m == 0 {
		return span{}, false
	}
	d.a.m, d.to = m, k
	if d.b.d != 0 {
		d.b.m = m
	}
	if y, kk := yearAt(s, k); y != 0 {
		d.a.y, d.to = y, kk
		if d.b.d != 0 {
			d.b.y = y
		}
	} else if d.b.d == 0 {
		x.longRange(&d, k)
	}
	parenthesis(s, d.to, &d, true)
	return d, true
}

// longRange reads the end of "28 April to 3 May 2026".
func (x *extractor) longRange(d *span, j int) {
	s := x.f.text
	for _, sep := range separators {
		rest, ok := strings.CutPrefix(s[j:], sep)
		if !ok || sep == " and " && !rangeBefore(s, d.from) {
			continue
		}
		n, k := ordinal(s, len(s)-len(rest))
		if n == 0 || k >= len(s) || s[k] != ' ' {
			return
		}
		m, k := x.month(k + 1)
		if m == 0 {
			return
		}
		d.b, d.to, d.ended = day{m: m, d: n}, k, true
		if y, kk := yearAt(s, k); y != 0 {
			d.b.y, d.to = y, kk
		}
		return
	}
}

// rangeBefore reports whether "between" or "from" stands in front of i.
func rangeBefore(s string, i int) bool {
	w := strings.TrimRight(window(s, i, 10), " ")
	return strings.HasSuffix(w, "between") || strings.HasSuffix(w, "from")
}

// ordinal reads a day of a month at i: "5", "5th".
func ordinal(s string, i int) (n, to int) {
	k := digits(s, i)
	if k < 1 || k > 2 {
		return 0, i
	}
	n, to = atoi(s[i:i+k]), i+k
	for _, e := range [...]string{"st", "nd", "rd", "th"} {
		if strings.HasPrefix(s[to:], e) {
			to += 2
			break
		}
	}
	if n < 1 || n > 31 || isLatin(after(s, to)) {
		return 0, i
	}
	return n, to
}

// yearAt reads ", 2026" or " 2026" at i.
func yearAt(s string, i int) (y, to int) {
	rest := strings.TrimPrefix(s[i:], ",")
	rest, ok := strings.CutPrefix(rest, " ")
	if !ok || digits(rest, 0) != 4 || isLatin(after(rest, 4)) {
		return 0, i
	}
	if y = atoi(rest[:4]); y < 1990 || y > 2100 {
		return 0, i
	}
	return y, len(s) - len(rest) + 4
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
