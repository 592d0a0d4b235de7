package advisory

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/lang"
)

// Value is a fact that can stand in a sentence of either language. The types
// are [Words], [Name], [Count], [Share], [Period], [Day], [List] and [Hole].
type Value interface {
	// say returns the words for the value and notes in r what a reviewer should
	// know of them. brief asks for the form that suits a notice to staff.
	say(l lang.Language, brief bool, r *record) string
	kind() string
}

// Words are a fact in words of each language. Where one language is missing,
// the words of the other stand in both and the document notes it.
type Words lang.Text

// Name is a fact that is the same in both languages: a product, a CVE, a
// build.
type Name string

// Unit is what a [Count] counts. The words are those of the facts that are
// extracted from news.
type Unit string

// The units.
const (
	People          Unit = "people"
	Accounts        Unit = "accounts"
	Organisations   Unit = "organizations"
	Countries       Unit = "countries"
	Mails           Unit = "mails"
	Vulnerabilities Unit = "vulnerabilities"
	Products        Unit = "products"
	Devices         Unit = "devices"
	Domains         Unit = "domains"
	Records         Unit = "records"
	Cases           Unit = "cases"
)

// Approx is how exact a number is said to be.
type Approx string

// The approximations. The zero value is an exact number.
const (
	Exact   Approx = ""
	About   Approx = "about"
	Over    Approx = "over"    // more than
	AtLeast Approx = "atleast" // that many or more
	Under   Approx = "under"
	UpTo    Approx = "upto"
)

// Claim is what a source says of those whom it counts. They are ordered from
// weak to strong, and a text must not claim more than its source.
type Claim string

// The claims.
const (
	Targeted    Claim = "targeted"    // the attack was aimed at them
	Received    Claim = "received"    // it reached them
	Clicked     Claim = "clicked"     // they opened it
	Entered     Claim = "entered"     // they gave something away
	Affected    Claim = "affected"    // it did something to them
	Leaked      Claim = "leaked"      // data of theirs got out
	Compromised Claim = "compromised" // the attacker got in
)

// Count is a number with what it counts.
type Count struct {
	N      int
	Unit   Unit
	Approx Approx
	Claim  Claim
}

// Share is a part in percent.
type Share struct {
	Percent float64
	Of      lang.Text // 米国 / in the United States
}

// Period is when something was seen. To may be zero: "since". Month says that
// the days are not known.
type Period struct {
	From, To time.Time
	Month    bool
}

// Day is a date. Deadlines and dates to come are shown with the weekday.
type Day time.Time

// List is several values in a row.
type List []Value

// Hole is a fact of the organisation that nobody gave. It is shown as a visible
// mark and listed in the document, and the linter refuses a draft that still has
// one.
type Hole struct {
	Field string    // the setting in sekisho.yaml, such as "organisation.contacts.it"
	What  lang.Text // what is missing, in words
}

// The marks around a hole.
const (
	holeJA = "【要記入: "
	holeEN = "[FILL IN: "
)

// Rounding is a number that a text shows less exactly than the source.
type Rounding struct {
	Exact string    `json:"exact"` // as the source has it: "92%"
	Shown lang.Text `json:"shown"` // "約9割", "about 90%"
}

// record notes what the values that were said have to be judged by.
type record struct {
	holes        []Hole
	roundings    []Rounding
	untranslated []string
}

func (w Words) kind() string  { return "words" }
func (n Name) kind() string   { return "name" }
func (c Count) kind() string  { return "count." + string(c.Unit) }
func (s Share) kind() string  { return "share" }
func (p Period) kind() string { return "period" }
func (d Day) kind() string    { return "date" }
func (l List) kind() string   { return "list" }
func (h Hole) kind() string   { return "hole" }

func (w Words) say(l lang.Language, _ bool, r *record) string {
	s := lang.Text(w).In(l)
	if strings.TrimSpace(s) == "" {
		s = w.JA + w.EN // one of them is empty
		r.untranslated = append(r.untranslated, clean(s))
	}
	return clean(s)
}

func (n Name) say(lang.Language, bool, *record) string { return clean(string(n)) }

func (h Hole) say(l lang.Language, _ bool, r *record) string {
	r.holes = append(r.holes, h)
	if l == lang.JA {
		return holeJA + h.What.JA + "】"
	}
	return holeEN + h.What.EN + "]"
}

func (l List) say(language lang.Language, brief bool, r *record) string {
	var parts []string
	for _, v := range l {
		parts = append(parts, v.say(language, brief, r))
	}
	if language == lang.JA {
		return strings.Join(parts, "、")
	}
	return joinEN(parts)
}

// joinEN joins with commas and "and".
func joinEN(parts []string) string {
	switch len(parts) {
	case 0:
		return ""
	case 1:
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func (d Day) say(l lang.Language, _ bool, _ *record) string { return lang.Date(l, time.Time(d)) }

func (p Period) say(l lang.Language, _ bool, _ *record) string {
	if p.Month {
		return p.sayMonths(l)
	}
	if p.To.IsZero() {
		if l == lang.JA {
			return lang.DateRange(l, p.From, p.From) + "以降"
		}
		return "since " + lang.DateRange(l, p.From, p.From)
	}
	return lang.DateRange(l, p.From, p.To)
}

func (p Period) sayMonths(l lang.Language) string {
	month := func(t time.Time) string {
		if l == lang.JA {
			return strconv.Itoa(t.Year()) + "年" + strconv.Itoa(int(t.Month())) + "月"
		}
		return t.Format("January 2006")
	}
	from := month(p.From)
	switch {
	case p.To.IsZero() && l == lang.JA:
		return from + "以降"
	case p.To.IsZero():
		return "since " + from
	case month(p.To) == from:
		return from
	case l == lang.JA:
		return from + "~" + month(p.To)
	}
	return from + " – " + month(p.To)
}

// number writes n with a comma between thousands.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

var counters = map[Unit]struct{ ja, one, many string }{
	People:          {"人", "person", "people"},
	Organisations:   {"組織", "organisation", "organisations"},
	Countries:       {"カ国", "country", "countries"},
	Mails:           {"通", "mail", "mails"},
	Vulnerabilities: {"件", "vulnerability", "vulnerabilities"},
	Products:        {"製品", "product", "products"},
	Devices:         {"台", "device", "devices"},
	Accounts:        {"アカウント", "account", "accounts"},
	Domains:         {"ドメイン", "domain", "domains"},
	Records:         {"件", "record", "records"},
	Cases:           {"件", "case", "cases"},
}

// approximations are put around a number with its counter.
var approximations = map[Approx]struct{ jaBefore, jaAfter, en string }{
	About:   {"約", "", "about "},
	Over:    {"", "以上", "more than "},
	AtLeast: {"", "以上", "at least "},
	Under:   {"", "未満", "fewer than "},
	UpTo:    {"最大", "", "up to "},
}

func (c Count) say(l lang.Language, _ bool, _ *record) string {
	u, around := counters[c.Unit], approximations[c.Approx]
	if l == lang.JA {
		return around.jaBefore + number(c.N) + u.ja + around.jaAfter
	}
	noun := u.many
	if c.N == 1 {
		noun = u.one
	}
	return strings.TrimSpace(around.en + number(c.N) + " " + noun)
}

// percent returns the words for the number of a share. In brief form, what is
// within three points of a multiple of ten is rounded to it, and r says so.
func (s Share) percent(brief bool, r *record) lang.Text {
	exact := strconv.FormatFloat(s.Percent, 'f', -1, 64) + "%"
	tens := int(math.Round(s.Percent / 10))
	off := math.Abs(s.Percent - float64(tens)*10)
	if !brief || off == 0 || off > 3 || tens < 1 || tens > 9 {
		return lang.Text{JA: exact, EN: exact}
	}
	shown := lang.Text{JA: "約" + strconv.Itoa(tens) + "割", EN: "about " + strconv.Itoa(tens*10) + "%"}
	r.roundings = append(r.roundings, Rounding{Exact: exact, Shown: shown})
	return shown
}

func (s Share) say(l lang.Language, brief bool, r *record) string {
	p := s.percent(brief, r).In(l)
	if l == lang.JA {
		return p + "は" + clean(s.Of.JA)
	}
	return p + " of them " + clean(s.Of.EN)
}

// maxWords bounds a single value: what comes from an article is hostile, and
// no slot is a place for a paragraph.
const maxWords = 400

// clean makes words of an article fit to stand in a sentence: one line, no
// control, bidirectional, zero-width or tag characters, in composed form, and not too long.
func clean(s string) string {
	if len(s) > 8*maxWords {
		s = s[:8*maxWords]
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.IsControl(r), unicode.Is(unicode.Co, r), r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(norm.NFC.String(s)), " ")
	if utf8.RuneCountInString(s) > maxWords {
		s = string([]rune(s)[:maxWords-1]) + "…"
	}
	return s
}
