package triage

import (
	"fmt"
	"slices"

	"github.com/sekisho/sekisho/lang"
)

// Fact is a decision point with a value.
type Fact struct {
	Point string
	Value string
}

// Points returns the values of all decision points as they were given, for the
// record.
func (d *Decision) Points() []Fact {
	var fs []Fact
	for i, v := range d.Facts.combination() {
		if points[i].name == pExposed {
			v = string(orFirst(d.Facts.Exposure, ExposedNo))
		}
		fs = append(fs, Fact{Point: string(points[i].name), Value: v})
	}
	return fs
}

// Why says the facts behind the grade, one sentence each: how it concerns us,
// what the attacker gains, whether it goes on, how near it came, what lifted it,
// and what moved the date.
func (d *Decision) Why() []lang.Message {
	f := &d.Facts
	say := func(p point, v string) lang.Message { return lang.M("triage.fact." + string(p) + "." + v) }
	ms := []lang.Message{say(pRelevance, string(f.Relevance))}
	if f.Kind == Vulnerability || f.Kind == Campaign || f.Kind == Scam {
		ms = append(ms, say(pImpact, string(f.Impact)))
		switch {
		case f.Activity == ActivityEnded && !f.EndedOn.IsZero():
			ms = append(ms, lang.M("triage.fact.activity.ended-on", "date", f.EndedOn))
		case f.Activity == ActivityNone && f.Proximity == Tenant:
			// That no attack is known would contradict what was found here.
		default:
			ms = append(ms, say(pActivity, string(f.Activity)))
		}
		if f.Proximity != Elsewhere || f.Kind != Vulnerability {
			ms = append(ms, say(pProximity, string(f.Proximity)))
		}
		if f.Exposure != "" {
			ms = append(ms, say(pExposed, string(f.Exposure)))
		}
	}
	for _, l := range d.Lifts {
		if l.By == LiftEPSS && !f.EPSS.Date.IsZero() {
			// The score drifts from day to day.
			ms = append(ms, lang.M("triage.lift.epss-on", "p", fmt.Sprintf("%.0f%%", 100*f.EPSS.Probability), "date", f.EPSS.Date))
			continue
		}
		ms = append(ms, lang.M("triage.lift."+string(l.By)))
	}
	if f.Kind == Vulnerability && f.Ransomware {
		ms = append(ms, lang.M("triage.ransomware"))
	}
	vendor := false
	for _, c := range d.Clamps {
		vendor = vendor || c.By == ClampVendor
		switch {
		case c.By == ClampBOD:
			ms = append(ms, lang.M("triage.clamp.bod", "n", c.Days))
		case !f.VendorDate.After(d.Today):
			ms = append(ms, lang.M("triage.clamp.vendor-passed", "date", f.VendorDate))
		default:
			ms = append(ms, lang.M("triage.clamp.vendor", "date", f.VendorDate))
		}
	}
	if !vendor && !f.VendorDate.IsZero() && d.Grade != D {
		ms = append(ms, lang.M("triage.vendor-date", "date", f.VendorDate))
	}
	if d.Forensic {
		ms = append(ms, lang.M("triage.forensic"))
	}
	if d.DueClosed {
		ms = append(ms, lang.M("triage.due-closed"))
	}
	if !d.Due.IsZero() && !d.calendar.Covers(d.Due.Year()) {
		ms = append(ms, lang.M("triage.weekends-only"))
	}
	return ms
}

// ToConfirm says what was assumed because nobody knows it. The items are shown
// under 要確認.
func (d *Decision) ToConfirm() []lang.Message {
	var ms []lang.Message
	if d.Facts.Relevance == RelevanceUnknown {
		ms = append(ms, lang.M("triage.confirm.relevance"))
	}
	if d.Facts.Exposure == ExposedUnknown {
		ms = append(ms, lang.M("triage.confirm.exposed"))
	}
	return ms
}

// Change is a set of facts that would give another grade.
type Change struct {
	Grade Grade
	Facts []Fact
	up    bool

	policy bool // of a requirement, which one meets
}

// Message says the change, such as "It becomes A if it is found in our own mail,
// logs or devices".
func (c Change) Message() lang.Message {
	clause := func(f Fact) lang.Message {
		if c.policy && f.Point == string(pRelevance) && f.Value == string(RelevanceNone) {
			return lang.M("triage.change.met")
		}
		return lang.M("triage.change." + f.Point + "." + f.Value)
	}
	when := clause(c.Facts[0])
	for _, f := range c.Facts[1:] {
		when = lang.M("triage.change.and", "a", when, "b", clause(f))
	}
	if c.up {
		return lang.M("triage.change.up", "when", when, "grade", string(c.Grade))
	}
	return lang.M("triage.change.down", "when", when, "grade", string(c.Grade))
}

// step is a fact that may turn out otherwise.
type step struct {
	fact Fact
	up   bool
	set  func(*Facts)
}

// steps are the ways in which a fact may turn out otherwise, the likelier
// first. What the attack is and what the attacker gains do not change. An attack that was
// found does not become unfound.
func (f *Facts) steps() []step {
	var ss []step
	proximity := func(v Proximity) {
		ss = append(ss, step{Fact{string(pProximity), string(v)}, true, func(f *Facts) { f.Proximity = v }})
	}
	activity := func(v Activity, up bool) {
		ss = append(ss, step{Fact{string(pActivity), string(v)}, up, func(f *Facts) { f.Activity = v }})
	}
	relevance := func(v Relevance, up bool) {
		ss = append(ss, step{Fact{string(pRelevance), string(v)}, up, func(f *Facts) { f.Relevance = v }})
	}
	attack := f.Kind == Vulnerability || f.Kind == Campaign || f.Kind == Scam
	if f.Proximity != Tenant && attack {
		proximity(Tenant)
	}
	if attack {
		switch f.Activity {
		case ActivityNone:
			activity(ActivityPoC, true)
			activity(ActivityActive, true)
		case ActivityPoC, ActivityEnded:
			activity(ActivityActive, true)
		case ActivityActive:
			activity(ActivityEnded, false)
		}
		if f.Proximity == Elsewhere {
			proximity(Japan)
		}
	}
	exposure := func(v Exposure, up bool) {
		ss = append(ss, step{Fact{string(pExposed), string(v)}, up, func(f *Facts) { f.Exposure = v }})
	}
	switch f.Exposure {
	case ExposedNo:
		exposure(ExposedYes, true)
	case ExposedYes, ExposedUnknown:
		exposure(ExposedNo, false)
	}
	switch f.Relevance {
	case RelevanceExact, RelevanceUnknown:
		relevance(RelevanceNone, false)
		relevance(RelevanceCategory, false)
	case RelevanceCategory:
		relevance(RelevanceExact, true)
		relevance(RelevanceNone, false)
	case RelevanceNone:
		relevance(RelevanceExact, true)
		relevance(RelevanceCategory, true)
	}
	return ss
}

// changes finds, for each other grade, the fewest facts that would give it: one,
// else two.
func changes(d *Decision, o *Options) []Change {
	ss := d.Facts.steps()
	found := map[Grade]Change{}
	try := func(steps ...step) {
		f := d.Facts
		c := Change{up: steps[0].up, policy: d.Facts.Kind == Policy}
		for _, s := range steps {
			s.set(&f)
			c.Facts = append(c.Facts, s.fact)
		}
		c.Grade = decide(f, d.Today, o).Grade
		if c.Grade == d.Grade || c.up != c.Grade.above(d.Grade) {
			return
		}
		if _, ok := found[c.Grade]; !ok {
			found[c.Grade] = c
		}
	}
	for _, s := range ss {
		try(s)
	}
	for i, a := range ss {
		for _, b := range ss[i+1:] {
			if a.up == b.up && a.fact.Point != b.fact.Point {
				try(a, b)
			}
		}
	}
	var cs []Change
	for _, g := range grades {
		if c, ok := found[g]; ok {
			cs = append(cs, c)
		}
	}
	return slices.Clip(cs)
}
