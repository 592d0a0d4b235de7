// Package fact takes the hard facts out of a text: the vulnerabilities,
// updates, products, dates, numbers, countries and techniques that an article
// names, and how sure it is of what it says.
//
// Everything that a draft states must lead back to such a fact, and every fact
// leads back to the words it was read from: the sentence, the bytes in it and
// the hash of the document. The extractors are dictionaries and small scanners
// for Japanese and English; there is no model behind them, and what they do not
// know they leave out. A fact says what the text claims and no more: 35,000
// people who were targeted are not 35,000 who were compromised, and "may be
// exploited" is not "is exploited".
//
// The package is pure and bounded: its work grows with the length of the text.
package fact

import (
	"time"

	"github.com/sekisho/sekisho/news/sentence"
)

// Type is what sort of fact it is.
type Type string

// The types.
const (
	CVE       Type = "cve"       // Value "CVE-2025-29824"
	Notice    Type = "notice"    // the number of an advisory: "JVNVU#91234567", "APSB25-15", "ICSA-25-100-01"
	KB        Type = "kb"        // Value "KB5055523"
	Build     Type = "build"     // of Windows: "26100.3775"
	Version   Type = "version"   // of anything else: "6.4.3"
	Product   Type = "product"   // Value is [ProductName.ID]
	Date      Type = "date"      // Value is ISO 8601, a range with a slash: "2026-04-14/2026-04-16"
	Count     Type = "count"     // Number of Unit
	Place     Type = "place"     // ISO 3166-1 alpha-2, or a region in lower case
	Status    Type = "status"    // one of the Status constants
	Technique Type = "technique" // "aitm", "direct-send", "voice-phishing", ...
	Score     Type = "score"     // a CVSS base score; Number
	Level     Type = "level"     // critical, important, high, ...
)

// The values of a fact of type [Status].
const (
	Exploited  = "exploited"  // used in attacks
	PoC        = "poc"        // code or a description that shows how is public, or use is likely
	Ended      = "ended"      // the attack is over
	Ongoing    = "ongoing"    // the attack goes on
	Fixed      = "fixed"      // there is an update
	Unfixed    = "unfixed"    // there is none
	Workaround = "workaround" // there is something else to do
	Detected   = "detected"   // seen by the source
)

// Claim is how far something went for those who are counted.
type Claim string

// The claims, from weak to strong for an attack; fixed and exploited speak of
// vulnerabilities.
const (
	Targeted    Claim = "targeted"
	Received    Claim = "received"
	Clicked     Claim = "clicked"
	Entered     Claim = "entered"
	Affected    Claim = "affected"
	Exposed     Claim = "exposed"
	Leaked      Claim = "leaked"
	Compromised Claim = "compromised"
	ToFix       Claim = "fixed"
	InUse       Claim = "exploited"
)

// Strength orders the claims about people and organisations: 1 for targeted, 8
// for compromised, 0 for a claim that is none of these. A draft must not be
// stronger than its source.
func (c Claim) Strength() int {
	for i, s := range []Claim{Targeted, Received, Clicked, Entered, Affected, Exposed, Leaked, Compromised} {
		if c == s {
			return i + 1
		}
	}
	return 0
}

// Unit is what a number counts.
type Unit string

// The units.
const (
	People          Unit = "people"
	Accounts        Unit = "accounts"
	Organizations   Unit = "organizations"
	Countries       Unit = "countries"
	Vulnerabilities Unit = "vulnerabilities"
	Products        Unit = "products"
	Packages        Unit = "packages" // of software
	Devices         Unit = "devices"
	Mails           Unit = "mails"
	Attempts        Unit = "attempts"
	Domains         Unit = "domains"
	Records         Unit = "records"
	Cases           Unit = "cases"
	Percent         Unit = "percent"
	Yen             Unit = "yen"
	Dollars         Unit = "dollars"
	Days            Unit = "days"
	Hours           Unit = "hours"
	Minutes         Unit = "minutes"
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

// Role is what happens on a date.
type Role string

// The roles. The zero value is a date of which the text does not say.
const (
	Deadline  Role = "deadline"  // until then
	Effective Role = "effective" // from then on
	Published Role = "published"
	Observed  Role = "observed" // when the attack was seen
)

// Evidence is where a fact stands.
type Evidence struct {
	Snapshot string `json:"snapshot,omitempty"` // "sha256:..." of the document
	Sentence int    `json:"sentence"`           // index into [Facts.Sentences]; 0 is the title
	Span     [2]int `json:"span"`               // bytes of the sentence, from and to
}

// Fact is one thing that a text says.
type Fact struct {
	ID    string `json:"id"` // "f1", "f2", ... in the order of the text
	Type  Type   `json:"type"`
	Value string `json:"value"`

	Number float64 `json:"number,omitempty"`
	Approx Approx  `json:"approx,omitempty"`
	Unit   Unit    `json:"unit,omitempty"`
	Claim  Claim   `json:"claim,omitempty"`
	Place  string  `json:"place,omitempty"` // of a count: the country that its clause names

	From time.Time `json:"from,omitzero"`  // of a date: its first day, midnight UTC; zero if the year is not known
	To   time.Time `json:"to,omitzero"`    // its last day
	Zone string    `json:"zone,omitempty"` // as written: "日本時間", "現地時間", "PT"
	Role Role      `json:"role,omitempty"`

	Vendor  string `json:"vendor,omitempty"`  // of a product
	Group   string `json:"group,omitempty"`   // of a product
	Takes   bool   `json:"takes,omitempty"`   // of a technique: it yields an account, a token, money or the machine
	Hedged  bool   `json:"hedged,omitempty"`  // the text says that it may be so
	Negated bool   `json:"negated,omitempty"` // the text says that it is not so

	JA string `json:"ja"` // how a draft writes it
	EN string `json:"en"`

	Evidence []Evidence `json:"evidence"`
	By       string     `json:"by"` // "extractor:cve/1"
}

// Certain reports whether the text states the fact without taking it back.
func (f *Fact) Certain() bool { return !f.Hedged && !f.Negated }

// Facts is what a text says.
type Facts struct {
	Sentences []string `json:"sentences"` // the title, then the sentences of the text
	List      []Fact   `json:"facts"`
	Truncated bool     `json:"truncated,omitempty"` // there was more than [MaxFacts] or [MaxText]
}

// Limits of [Extract].
const (
	MaxText     = 256 << 10 // bytes of the text that are read
	MaxFacts    = 2000      // facts of one text
	maxEvidence = 20        // places of one fact
)

// Input is a text and what its source says of it.
type Input struct {
	Title     string
	Text      string
	Published time.Time // for dates without a year; zero if unknown
	Snapshot  string    // "sha256:..."
	Origin    string    // country of a source that speaks for it, such as "JP" for JPCERT/CC; may be empty
}

// Options are the choices of [Extract].
type Options struct {
	// Products are known beside those built in, for what an organisation lists
	// as its own.
	Products []ProductName
}

// Of returns the facts of type t, in order.
func (f *Facts) Of(t Type) []Fact {
	var list []Fact
	for i := range f.List {
		if f.List[i].Type == t {
			list = append(list, f.List[i])
		}
	}
	return list
}

// Values returns the values of the facts of type t, in order, each once.
func (f *Facts) Values(t Type) []string {
	var list []string
	seen := map[string]bool{}
	for i := range f.List {
		if v := f.List[i].Value; f.List[i].Type == t && !seen[v] {
			seen[v] = true
			list = append(list, v)
		}
	}
	return list
}

// Get returns the fact with the given id, or nil.
func (f *Facts) Get(id string) *Fact {
	for i := range f.List {
		if f.List[i].ID == id {
			return &f.List[i]
		}
	}
	return nil
}

// Quote returns the words of an evidence, or "" if it leads nowhere.
func (f *Facts) Quote(e Evidence) string {
	if e.Sentence < 0 || e.Sentence >= len(f.Sentences) {
		return ""
	}
	s := f.Sentences[e.Sentence]
	if e.Span[0] < 0 || e.Span[1] > len(s) || e.Span[0] > e.Span[1] {
		return ""
	}
	return s[e.Span[0]:e.Span[1]]
}

// Names returns the dictionary of products that is built in.
func Names() []ProductName {
	list := builtin().products
	out := make([]ProductName, len(list))
	copy(out, list)
	return out
}

// sentences returns the title and the sentences of the text.
func (in *Input) sentences() (list []string, truncated bool) {
	text := in.Text
	if len(text) > MaxText {
		text, truncated = cut(text, MaxText), true
	}
	list = append(list, cut(in.Title, sentence.MaxBytes))
	for _, s := range sentence.Split(text) {
		list = append(list, s.Text)
	}
	return list, truncated
}
