package fact

import (
	"slices"
	"time"
)

// Reading is what the facts of a text add up to: the decision points of a
// triage as far as the text itself can tell them, each with the facts behind it.
// Whether it concerns the organisation is not among them.
//
// It is a proposal. A person may correct any point, and what a text leaves out
// stays at its lowest value.
type Reading struct {
	Kind      Kind      `json:"kind"`
	Activity  Activity  `json:"activity"`
	Proximity Proximity `json:"proximity"`
	Impact    Impact    `json:"impact"`

	EndedOn    time.Time `json:"ended_on,omitzero"`    // last day on which an ended attack was seen
	VendorDate time.Time `json:"vendor_date,omitzero"` // first day on which what was announced applies

	Products   []string `json:"products,omitempty"`   // ids of the dictionary, the most specific ones
	CVEs       []string `json:"cves,omitempty"`       // all that are named
	Exploited  []string `json:"exploited,omitempty"`  // those that the text says are used in attacks
	Techniques []string `json:"techniques,omitempty"` // in the order of the text

	// Because are the ids of the facts behind each point, by its JSON name.
	Because map[string][]string `json:"because,omitempty"`
}

// Kind is what a text is about. The words are those of the decision table.
type Kind string

// The kinds.
const (
	Vulnerability Kind = "vuln"     // a weakness in a product
	Campaign      Kind = "campaign" // an attack that many receive
	Scam          Kind = "scam"     // fraud by telephone, text or voice
	Policy        Kind = "policy"   // a requirement that a vendor or authority sets
	Info          Kind = "info"     // all else
)

// Activity is whether an attack is going on. The words are those of the
// decision table.
type Activity string

// The activities.
const (
	ActivityNone   Activity = "none"
	ActivityPoC    Activity = "poc"
	ActivityEnded  Activity = "ended"
	ActivityActive Activity = "active"
)

// Proximity is how near an attack has come. The words are those of the decision
// table.
type Proximity string

// The proximities.
const (
	Elsewhere Proximity = "elsewhere"
	Japan     Proximity = "japan"
)

// Impact is what the attacker gains. The words are those of the decision table.
type Impact string

// The impacts.
const (
	ImpactLow      Impact = "low"
	ImpactPartial  Impact = "partial"
	ImpactTakeover Impact = "takeover"
)

// An attack of which nothing was seen for this long before the text was
// published counts as ended.
const quiet = 7 * 24 * time.Hour

// Read returns what the facts of a text add up to.
func Read(in *Input, facts *Facts) *Reading {
	r := &Reading{
		Kind: Info, Activity: ActivityNone, Proximity: Elsewhere, Impact: ImpactLow,
		CVEs: facts.Values(CVE), Because: map[string][]string{},
	}
	because := func(point string, f *Fact) {
		if len(r.Because[point]) < 10 {
			r.Because[point] = append(r.Because[point], f.ID)
		}
	}
	r.Kind = kindOf(facts, because)
	r.readTechniques(facts, because)
	r.Products = productsOf(facts)
	r.readActivity(in, facts, because)
	r.readProximity(in, facts, because)
	r.readDates(in, facts, because)
	if len(r.Because) == 0 {
		r.Because = nil
	}
	return r
}

// kindOf weighs the words that show what a text is about. The title counts four
// times, the first sentences twice.
func kindOf(facts *Facts, because func(string, *Fact)) Kind {
	lex := builtin()
	cues := lex.words[tCue]
	weights := map[Kind]int{}
	for i, s := range facts.Sentences {
		w := 1
		switch {
		case i == 0:
			w = 4
		case i <= 3:
			w = 2
		case i > 40:
			w = 0
		}
		if w == 0 {
			break
		}
		seen := map[string]bool{}
		for _, h := range cues.find.find(fold(s), s) {
			v := cues.entries[h.entry].value
			if !seen[v] {
				seen[v] = true
				weights[Kind(v)] += w
			}
		}
	}
	var cve, voice, senders, date *Fact
	for i := range facts.List {
		f := &facts.List[i]
		switch {
		case f.Type == CVE && cve == nil:
			cve = f
			weights[Vulnerability] += 3
		case f.Type == Technique && (f.Value == "voice-phishing" || f.Value == "callback-phishing") && voice == nil:
			voice = f
			weights[Scam] += 3
		case f.Type == Technique && (f.Value == "direct-send" || f.Value == "aitm" || f.Value == "device-code") && senders == nil:
			senders = f
			weights[Campaign] += 3
		case f.Type == Date && (f.Role == Deadline || f.Role == Effective) && date == nil:
			date = f
			weights[Policy]++
		}
	}
	best, points := Info, 2 // fewer points than this say nothing
	for _, k := range [...]Kind{Vulnerability, Campaign, Scam, Policy, Info} {
		if weights[k] > points {
			best, points = k, weights[k]
		}
	}
	for k, f := range map[Kind]*Fact{Vulnerability: cve, Scam: voice, Campaign: senders, Policy: date} {
		if k == best && f != nil {
			because("kind", f)
		}
	}
	return best
}

// readTechniques notes the techniques and what they yield.
func (r *Reading) readTechniques(facts *Facts, because func(string, *Fact)) {
	for i := range facts.List {
		f := &facts.List[i]
		if f.Type != Technique {
			continue
		}
		if !slices.Contains(r.Techniques, f.Value) {
			r.Techniques = append(r.Techniques, f.Value)
		}
		switch {
		case f.Takes:
			r.Impact = ImpactTakeover
			because("impact", f)
		case r.Impact == ImpactLow:
			r.Impact = ImpactPartial
			because("impact", f)
		}
	}
	if r.Impact == ImpactLow && r.Kind == Vulnerability && len(r.CVEs) > 0 {
		// A vulnerability of which the text says no more is not harmless.
		r.Impact = ImpactPartial
	}
}

// productsOf returns the products that are named, leaving out a maker of whom a
// product is named and "Windows" where a version of it is.
func productsOf(facts *Facts) []string {
	var list []string
	makers := map[string]bool{}
	windows := false
	for _, f := range facts.Of(Product) {
		if f.Group != "vendor" {
			makers[f.Vendor] = true
		}
		windows = windows || f.Value == "windows-10" || f.Value == "windows-11" || f.Value == "windows-server"
	}
	for _, f := range facts.Of(Product) {
		if f.Group == "vendor" && makers[f.Vendor] || f.Value == "windows" && windows || slices.Contains(list, f.Value) {
			continue
		}
		list = append(list, f.Value)
	}
	return list
}

// readActivity says whether the attack is going on.
func (r *Reading) readActivity(in *Input, facts *Facts, because func(string, *Fact)) {
	var exploited, poc, ended, ongoing, seen *Fact
	inUse := map[int]bool{} // sentences that say so
	first := func(p **Fact, f *Fact) {
		if *p == nil {
			*p = f
		}
	}
	for i := range facts.List {
		f := &facts.List[i]
		if !f.Certain() {
			continue
		}
		switch {
		case f.Type == Status && f.Value == Exploited:
			first(&exploited, f)
			for _, e := range f.Evidence {
				inUse[e.Sentence] = true
			}
		case f.Type == Status && f.Value == PoC:
			first(&poc, f)
		case f.Type == Status && f.Value == Ended:
			first(&ended, f)
		case f.Type == Status && f.Value == Ongoing:
			first(&ongoing, f)
		case f.Type == Status && f.Value == Detected, f.Type == Count && f.Claim.Strength() > 0 && f.Unit != Percent:
			first(&seen, f)
		}
	}
	for _, f := range facts.Of(CVE) {
		if slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return inUse[e.Sentence] }) {
			r.Exploited = append(r.Exploited, f.Value)
		}
	}
	if r.Kind == Vulnerability && exploited != nil && len(r.Exploited) == 0 && len(r.CVEs) == 1 {
		r.Exploited = slices.Clone(r.CVEs)
	}
	last := r.lastSeen(facts)
	over := last != nil && !in.Published.IsZero() && in.Published.Sub(last.To) > quiet
	set := func(a Activity, why *Fact) {
		r.Activity = a
		because("activity", why)
	}
	switch {
	case r.Kind == Policy || r.Kind == Info:
	case r.Kind == Vulnerability:
		switch {
		case exploited != nil:
			set(ActivityActive, exploited)
		case poc != nil:
			set(ActivityPoC, poc)
		}
	case ongoing != nil && (ended == nil || ended.Evidence[0].Sentence != ongoing.Evidence[0].Sentence):
		set(ActivityActive, ongoing)
	case ended != nil:
		set(ActivityEnded, ended)
	case over:
		set(ActivityEnded, last)
	case seen != nil:
		set(ActivityActive, seen)
	case exploited != nil:
		set(ActivityActive, exploited)
	case last != nil:
		set(ActivityActive, last)
	}
	if r.Activity == ActivityEnded && last != nil {
		r.EndedOn = last.To
	}
}

// lastSeen returns the last date on which the attack was seen, nil if the text
// gives only beginnings or none.
func (r *Reading) lastSeen(facts *Facts) *Fact {
	var last *Fact
	for i := range facts.List {
		f := &facts.List[i]
		if f.Type == Date && f.Role == Observed && !f.To.IsZero() && !f.From.Equal(f.To) && (last == nil || f.To.After(last.To)) {
			last = f
		}
	}
	return last
}

// readProximity says whether the attack was seen in Japan: the text says so, or
// a Japanese authority warns of an attack.
func (r *Reading) readProximity(in *Input, facts *Facts, because func(string, *Fact)) {
	for i := range facts.List {
		f := &facts.List[i]
		if f.Type == Place && f.Value == "JP" && f.Certain() {
			r.Proximity = Japan
			because("proximity", f)
			return
		}
	}
	for i := range facts.List {
		f := &facts.List[i]
		if f.Type == Product && f.Group == "bank" && r.Kind == Scam && slices.ContainsFunc(builtin().products, func(p ProductName) bool { return p.ID == f.Value }) {
			// The banks of the dictionary are Japanese.
			r.Proximity = Japan
			because("proximity", f)
			return
		}
	}
	if in.Origin == "JP" && (r.Kind == Campaign || r.Kind == Scam) {
		r.Proximity = Japan
	}
}

// readDates finds the first day on which what was announced applies: for a
// requirement only, since a vulnerability is there whether or not its update has
// a date.
func (r *Reading) readDates(in *Input, facts *Facts, because func(string, *Fact)) {
	if r.Kind != Policy {
		return
	}
	var best *Fact
	for i := range facts.List {
		f := &facts.List[i]
		if f.Type != Date || f.From.IsZero() || f.Negated || f.Role != Deadline && f.Role != Effective {
			continue
		}
		if !in.Published.IsZero() && f.From.Before(in.Published.AddDate(0, 0, -1)) {
			continue // what applied before is history
		}
		if best == nil || f.From.Before(best.From) {
			best = f
		}
	}
	if best != nil {
		r.VendorDate = best.From
		because("vendor_date", best)
	}
}
