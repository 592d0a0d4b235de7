// Package triage turns what is known of an item of news or of a finding into a
// grade, A to D, with a deadline and the reason for both.
//
// The facts are a handful of decision points, as in SSVC (CERT/CC's
// Stakeholder-Specific Vulnerability Categorization): does it concern us, is it
// going on, how near is it, what does the attacker gain. A [Table] of rows, data that a
// user may replace, names the grade; the first row that matches decides.
// The calendar of the organisation's country then gives the date. A severity
// score never sets a grade: the one exploited vulnerability of a month is often
// not among the critical ones.
//
// The package is pure. Today is passed in, and every answer can say which row,
// which facts and what else would have changed it.
package triage

import (
	"slices"
	"time"
)

// Grade is how soon the organisation has to act.
type Grade string

// The grades, from the most urgent to the one without a deadline.
const (
	A Grade = "A" // today, weekends and holidays included
	B Grade = "B" // within seven days
	C Grade = "C" // within the month
	D Grade = "D" // for information
)

var grades = []Grade{A, B, C, D}

// above reports whether g is more urgent than h.
func (g Grade) above(h Grade) bool { return slices.Index(grades, g) < slices.Index(grades, h) }

// Kind is what an item is about.
type Kind string

// The kinds.
const (
	Vulnerability Kind = "vuln"     // a weakness in a product
	Campaign      Kind = "campaign" // an attack that many receive
	Scam          Kind = "scam"     // fraud by telephone, text or voice
	Policy        Kind = "policy"   // a requirement that a vendor or authority sets
	Info          Kind = "info"     // all else
)

// Relevance is whether an item concerns the organisation.
type Relevance string

// The relevances. Unknown is computed as Exact and marked to be confirmed:
// SSVC's practice of assuming the worse where nobody knows.
const (
	RelevanceNone     Relevance = "none"     // we do not have it
	RelevanceCategory Relevance = "category" // we have something of the same kind
	RelevanceExact    Relevance = "exact"    // we have the very product, bank or role
	RelevanceUnknown  Relevance = "unknown"  // nobody said
)

// Activity is whether the attack is going on.
type Activity string

// The activities. Ended lies outside the order of the other three.
const (
	ActivityNone   Activity = "none"   // nobody uses it
	ActivityPoC    Activity = "poc"    // an attack is published or likely
	ActivityEnded  Activity = "ended"  // it was used, and the observation is over
	ActivityActive Activity = "active" // it is used
)

// Proximity is how near the attack has come.
type Proximity string

// The proximities.
const (
	Elsewhere Proximity = "elsewhere" // abroad, or nobody said where
	Japan     Proximity = "japan"     // reported in the organisation's country; the word in the table stays "japan"
	Tenant    Proximity = "tenant"    // found in our own mail, logs or devices
)

// Impact is what the attacker gains.
type Impact string

// The impacts.
const (
	ImpactLow      Impact = "low"
	ImpactPartial  Impact = "partial"
	ImpactTakeover Impact = "takeover" // credentials, tokens, money or total control
)

// Exposure is whether the door that the attack uses is open: a service reachable
// from the internet, a setting that lets it through.
type Exposure string

// The exposures. The zero value is for attacks to which the question does not
// apply, such as a telephone call, and counts as no. Unknown counts as yes and is
// marked to be confirmed.
const (
	ExposedNo      Exposure = "no"
	ExposedYes     Exposure = "yes"
	ExposedUnknown Exposure = "unknown"
)

// Answer is yes, no or not known, for the inputs of [BOD]. The zero value is
// not known.
type Answer string

// The answers.
const (
	Yes Answer = "yes"
	No  Answer = "no"
)

// Facts is what is known of an item. The zero value of a decision point is its
// lowest value, except that of Relevance, which is unknown: an item that
// nobody compared with the organisation may well concern it.
type Facts struct {
	Kind      Kind
	Relevance Relevance
	Activity  Activity
	Proximity Proximity
	Impact    Impact
	Exposure  Exposure

	EndedOn time.Time // last day on which an ended attack was seen; may be zero

	// VendorDate is the first day on which a vendor or authority enforces what
	// it announced; zero if there is none.
	VendorDate time.Time

	// What lifts the activity of a vulnerability.
	KEV  Answer // in CISA's catalogue of known exploited vulnerabilities
	MSRC string // exploitability as Microsoft words it: "Exploitation More Likely", "Exploitation Detected"
	EPSS EPSS

	Ransomware bool // KEV knows of its use for ransom

	// The two inputs of BOD 26-04 that are not among the decision points.
	Automatable     Answer
	TechnicalImpact TechnicalImpact
}

// EPSS is a score of FIRST's Exploit Prediction Scoring System.
type EPSS struct {
	Probability float64 // of use within 30 days, 0 to 1
	Percentile  float64 // 0 to 1
	Date        time.Time
}

// TechnicalImpact is SSVC's decision point. The zero value is not known.
type TechnicalImpact string

// The technical impacts.
const (
	ImpactOfPart  TechnicalImpact = "partial"
	ImpactOfWhole TechnicalImpact = "total"
)

// point is a decision point of the table.
type point string

const (
	pKind      point = "kind"
	pRelevance point = "relevance"
	pActivity  point = "activity"
	pProximity point = "proximity"
	pImpact    point = "impact"
	pExposed   point = "exposed"
)

// points are the columns of the table between id and grade, in their order,
// and the values of each from the least to the most urgent.
var points = []struct {
	name   point
	values []string
}{
	{pKind, []string{string(Info), string(Policy), string(Scam), string(Campaign), string(Vulnerability)}},
	{pRelevance, []string{string(RelevanceNone), string(RelevanceCategory), string(RelevanceExact), string(RelevanceUnknown)}},
	{pActivity, []string{string(ActivityNone), string(ActivityPoC), string(ActivityEnded), string(ActivityActive)}},
	{pProximity, []string{string(Elsewhere), string(Japan), string(Tenant)}},
	{pImpact, []string{string(ImpactLow), string(ImpactPartial), string(ImpactTakeover)}},
	{pExposed, []string{string(ExposedNo), string(ExposedYes)}},
}

// combination is a value for each of the points, in their order.
type combination [6]string

// all calls f with every combination, 1,440 with unknown relevance counted as a
// value of its own, until f says no.
func all(f func(combination) bool) {
	var c combination
	var walk func(i int) bool
	walk = func(i int) bool {
		if i == len(points) {
			return f(c)
		}
		for _, v := range points[i].values {
			c[i] = v
			if !walk(i + 1) {
				return false
			}
		}
		return true
	}
	walk(0)
}

// normal returns the combination as rows see it: unknown relevance is exact.
func (c combination) normal() combination {
	if c[1] == string(RelevanceUnknown) {
		c[1] = string(RelevanceExact)
	}
	return c
}
