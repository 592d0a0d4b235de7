package readiness

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

// What has to be there before an answer can be given, and what a sound domain
// looks like.
const (
	window       = 30  // days
	minDays      = 21  // days of the window with a report
	minReporters = 3   // in the window
	minWanted    = 50  // messages of the owner's in the window
	minHistory   = 28  // days of reports before quarantine
	longHistory  = 56  // and before reject
	yearHistory  = 365 // after which yearly senders were seen
	stale        = 7   // days without any report after which they have stopped
	settle       = 14  // days that a new sender is watched
	fewMessages  = 10  // more than these matter
	season       = 400 // days that one looks back for senders that come once a year

	quarantineShare, rejectShare = 0.02, 0.005 // of one source that may fail
	quarantineTotal, rejectTotal = 0.01, 0.002 // of all wanted mail, with certainty of 95 %
	attackMany, attackSome       = 500, 100    // forged messages delivered in the window
	maxLosses                    = 30
)

type decision struct {
	*Advice

	in     *Input
	reject bool // the step is about reject
}

// Decide says whether the next step is safe.
func Decide(in *Input) *Advice {
	a := &Advice{Domain: in.Domain, Known: in.Known, First: in.Report.First, Unproven: in.Report.Unproven.Messages}
	d := &decision{Advice: a, in: in}
	a.Until = in.Now.UTC().Truncate(24 * time.Hour) // the reports of today come tomorrow
	a.From = a.Until.AddDate(0, 0, -window)
	a.Current = StepOf(in.Record)
	next, more := a.Current.Next()
	if !in.Known {
		a.Current, next = Step{}, Step{P: dmarc.PolicyQuarantine, Test: true}
	}
	a.Next = next
	d.reject = next.P == dmarc.PolicyReject
	d.count()
	d.scopes()
	switch {
	case !in.Known:
		d.block("policy-unknown", nil)
		d.answer(CannotTell, NoData)
	case in.Record == nil:
		a.Publish = &dmarc.Record{P: dmarc.PolicyNone}
		d.answer(Yes, Begin)
	case !more:
		d.finished()
	case d.silent():
		d.answer(CannotTell, NoData)
	default:
		d.step()
	}
	d.caution()
	return a
}

func (d *decision) answer(a Answer, v Verdict) { d.Answer, d.Verdict = a, v }

// block notes what speaks against the step. The sentences are
// dmarcpolicy.blocker.CODE and dmarcpolicy.fix.CODE.
func (d *decision) block(code string, s *source.Source, pairs ...any) {
	d.Blockers = append(d.Blockers, Reason{Code: code, Source: s, Message: lang.M("dmarcpolicy.blocker."+code, pairs...), Fix: lang.M("dmarcpolicy.fix."+code, pairs...)})
}

func (d *decision) warn(code string, pairs ...any) {
	d.Cautions = append(d.Cautions, Reason{Code: code, Message: lang.M("dmarcpolicy.caution."+code, pairs...)})
}

// hit reports whether the next record applies its policy to an author domain:
// one with a policy of its own for sub-domains does not.
func (d *decision) hit(name domain.Name) bool {
	r := d.in.Record
	if name == d.Domain || r == nil {
		return true
	}
	if d.in.Missing[name] && r.NP != "" {
		return false
	}
	return r.SP == ""
}

func wanted(c source.Class) bool {
	return c == source.Own || c == source.Service || c == source.Unknown
}

func (d *decision) count() {
	days, reporters := map[time.Time]bool{}, 0
	for i := range d.in.Report.Reporters {
		seen := false
		for _, day := range d.in.Report.Reporters[i].Days {
			if !day.Before(d.From) && day.Before(d.Until) {
				days[day], seen = true, true
			}
		}
		if seen {
			reporters++
		}
	}
	d.Days, d.Reporters = len(days), reporters
	for i := range d.in.Report.Sources {
		s := &d.in.Report.Sources[i]
		c := s.Between(d.From, d.Until, d.hit)
		if c.Messages == 0 {
			continue
		}
		switch {
		case wanted(s.Class):
			d.Wanted += c.Messages
			d.WantedFailing += c.Failing()
			if c.Failing() > 0 {
				d.Lost = append(d.Lost, Loss{s, c.Failing(), c.Messages})
			}
		case s.Class == source.Forwarder:
			d.Forwarded += c.Messages
			d.ForwardedFailing += c.Failing()
			if c.Failing() > 0 {
				d.Forwards = append(d.Forwards, Loss{s, c.Failing(), c.Messages})
			}
		case s.Class == source.Threat:
			d.Threat += c.Failing()
			d.ThreatDelivered += max(0, c.Failing()-c.Quarantined-c.Rejected)
		}
	}
	byLoss := func(a, b Loss) int {
		return cmp.Or(cmp.Compare(b.Failing, a.Failing), cmp.Compare(a.Source.Key, b.Source.Key))
	}
	slices.SortFunc(d.Lost, byLoss)
	slices.SortFunc(d.Forwards, byLoss)
}

// scopes counts by author domain, whatever the record says of sub-domains.
func (d *decision) scopes() {
	by := map[domain.Name]*Scope{}
	for i := range d.in.Report.Sources {
		s := &d.in.Report.Sources[i]
		for j := range s.Days {
			day := &s.Days[j]
			if day.Date.Before(d.From) || !day.Date.Before(d.Until) {
				continue
			}
			sc := by[day.From]
			if sc == nil {
				sc = &Scope{Name: day.From, Missing: d.in.Missing[day.From], Policy: d.policyOf(day.From)}
				by[day.From] = sc
			}
			switch {
			case wanted(s.Class):
				sc.Wanted += day.Messages
				sc.Failing += day.Failing()
			case s.Class == source.Threat:
				sc.Threat += day.Failing()
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(by)) {
		d.Scopes = append(d.Scopes, *by[n])
	}
	slices.SortStableFunc(d.Scopes, func(a, b Scope) int {
		if (a.Name == d.Domain) != (b.Name == d.Domain) {
			if a.Name == d.Domain {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Wanted+b.Threat, a.Wanted+a.Threat)
	})
}

// policyOf is the policy that applies to an author domain now (RFC 9989 section
// 4.10.1).
func (d *decision) policyOf(n domain.Name) dmarc.Policy {
	r := d.in.Record
	if r == nil {
		return ""
	}
	p := r.P
	if n != d.Domain {
		p = cmp.Or(r.SP, p)
		if d.in.Missing[n] {
			p = cmp.Or(r.NP, p)
		}
	}
	p = cmp.Or(p, dmarc.PolicyNone)
	if r.Test {
		p = p.Lowered()
	}
	return p
}

// silent reports whether there is too little to say anything, and notes why.
func (d *decision) silent() bool {
	r := d.in.Report
	span := 0
	if !r.First.IsZero() {
		span = int(r.Last.Sub(r.First).Hours()/24) + 1
	}
	need := minHistory
	if d.reject {
		need = longHistory
	}
	switch {
	case r.First.IsZero() && r.Unproven.Messages > 0:
		d.block("only-unproven", nil, "n", r.Unproven.Messages)
	case r.First.IsZero():
		d.block("silence", nil)
	case d.Until.Sub(r.Last) > (stale+1)*24*time.Hour:
		d.block("stopped", nil, "date", r.Last)
	case span < need:
		d.block("short", nil, "have", span, "need", need)
	case d.Days < minDays:
		d.block("few-days", nil, "have", d.Days, "need", minDays, "window", window)
	case d.Reporters < minReporters:
		d.block("few-reporters", nil, "have", d.Reporters, "need", minReporters)
	case d.Wanted == 0:
		d.block("sends-nothing", nil)
	case d.Wanted < minWanted:
		d.block("few-messages", nil, "have", d.Wanted, "need", minWanted)
	}
	return len(d.Blockers) > 0
}

// limit is the share of a source that may fail.
func (d *decision) limit() float64 {
	if d.reject {
		return rejectShare
	}
	return quarantineShare
}

// step decides about a step for which there is enough to see.
func (d *decision) step() {
	d.losers()
	d.newcomers()
	d.seasons()
	d.regression()
	total := quarantineTotal
	if d.reject {
		total = rejectTotal
	}
	if len(d.Blockers) == 0 && d.WantedFailing > 5 && upper(d.WantedFailing, d.Wanted) > total {
		d.block("share", nil, "n", d.WantedFailing, "of", d.Wanted)
	}
	only := func(codes ...string) bool {
		return !slices.ContainsFunc(d.Blockers, func(r Reason) bool { return !slices.Contains(codes, r.Code) })
	}
	d.young()
	many := d.ForwardedFailing > max(fewMessages, d.Wanted/200)
	switch {
	case len(d.Blockers) > 0 && only("new-source", "step-young"):
		d.answer(No, TooEarly)
	case len(d.Blockers) > 0:
		d.WaitUntil = time.Time{}
		d.answer(No, NotReady)
	case many && d.reject && (d.in.People == nil || *d.in.People):
		d.block("forwarded", nil, "n", d.ForwardedFailing, "sources", len(d.Forwards))
		d.answer(No, Forwarders)
	case many:
		d.answer(Yes, Forwarders)
	case d.attack():
		d.answer(Yes, UnderAttack)
	default:
		d.answer(Yes, Ready)
	}
	d.Publish = d.record(d.Next)
}

// material reports whether a source weighs enough to be waited for.
func (d *decision) material(c source.Counts) bool {
	return c.Messages > fewMessages && float64(c.Messages) >= 0.01*float64(d.Wanted)
}

// losers names the sources whose wanted mail would be lost.
func (d *decision) losers() {
	for _, l := range d.Lost {
		s := l.Source
		c := s.Between(d.From, d.Until, d.hit)
		share := float64(c.Failing()) / float64(c.Messages)
		sure := s.Class != source.Unknown && s.Confidence != source.Low
		home := s.Between(d.From, d.Until, func(n domain.Name) bool { return n == d.Domain })
		switch {
		case s.Class == source.Unknown && d.material(c) && share > d.limit():
			d.block("unknown-source", s, "name", s.Name, "n", c.Failing())
		case s.Class == source.Unknown:
		case home.Failing() == 0 && c.Failing() > fewMessages && share > d.limit():
			d.block("sub-domain", s, "name", s.Name, "n", c.Failing())
		case c.Pass == 0 && (sure && c.Messages >= fewMessages || d.material(c)):
			if s.Class == source.Service {
				d.block("forgotten-service", s, "name", s.Name, "n", c.Failing())
			} else {
				d.block("forgotten-own", s, "name", s.Name, "n", c.Failing(), "ip", s.Addresses[0].String())
			}
		case c.Failing() > 5 && d.material(c) && share > d.limit():
			d.block("failing-source", s, "name", s.Name, "n", c.Failing(), "of", c.Messages)
		}
	}
}

// newcomers names senders of the owner's that were not seen for long enough.
func (d *decision) newcomers() {
	settled := d.Until.AddDate(0, 0, -settle)
	if !d.in.Report.First.Before(settled.AddDate(0, 0, -settle)) {
		return
	}
	for i := range d.in.Report.Sources {
		s := &d.in.Report.Sources[i]
		if s.Class != source.Own && s.Class != source.Service || s.ByUser || s.First.Before(settled) {
			continue
		}
		if !d.material(s.Between(d.From, d.Until, d.hit)) || slices.ContainsFunc(d.Blockers, func(r Reason) bool { return r.Source == s }) {
			continue
		}
		until := s.First.AddDate(0, 0, settle)
		d.block("new-source", s, "name", s.Name, "first", s.First, "until", until)
		d.wait(until)
	}
}

func (d *decision) wait(until time.Time) {
	if until.After(d.WaitUntil) {
		d.WaitUntil = until
	}
}

// seasons names senders that are not here now and whose mail would be lost when
// they come again.
func (d *decision) seasons() {
	since := d.Until.AddDate(0, 0, -season)
	for i := range d.in.Report.Sources {
		s := &d.in.Report.Sources[i]
		if !wanted(s.Class) || s.Between(d.From, d.Until, d.hit).Messages > 0 {
			continue
		}
		c := s.Between(since, d.From, d.hit)
		if c.Messages <= fewMessages || float64(c.Failing()) <= d.limit()*float64(c.Messages) {
			continue
		}
		// Of what nobody knows only that which came more than once is a sender
		// that comes again.
		if s.Class == source.Unknown && s.Last.Sub(s.First) < 25*24*time.Hour {
			continue
		}
		d.block("seasonal", s, "name", s.Name, "n", c.Failing(), "last", s.Last)
	}
}

// regression says that something broke in the last week.
func (d *decision) regression() {
	week := d.Until.AddDate(0, 0, -7)
	var now, before source.Counts
	for i := range d.in.Report.Sources {
		s := &d.in.Report.Sources[i]
		if s.Class != source.Own && s.Class != source.Service {
			continue
		}
		n, b := s.Between(week, d.Until, d.hit), s.Between(d.From, week, d.hit)
		now.Messages, now.Pass = now.Messages+n.Messages, now.Pass+n.Pass
		before.Messages, before.Pass = before.Messages+b.Messages, before.Pass+b.Pass
	}
	if now.Failing() <= fewMessages || before.Messages == 0 {
		return
	}
	share := func(c source.Counts) float64 { return float64(c.Failing()) / float64(max(1, c.Messages)) }
	if share(now) > share(before)+0.15 {
		d.block("regression", nil, "percent", int(math.Round(100*share(now))), "before", int(math.Round(100*share(before))))
	}
}

// young says that the present step was not watched for long enough. When it
// began is told by what reporters found published.
func (d *decision) young() {
	need := d.Current.days()
	if need == 0 {
		return
	}
	begin := time.Time{}
	for _, day := range slices.Backward(d.in.Report.Policies) {
		// A reporter that keeps to RFC 7489 does not tell t=y; one that tells it
		// where there is none now saw the step before.
		if day.P != string(d.Current.P) || day.Testing && !d.Current.Test {
			if day.Messages > fewMessages {
				break
			}
			continue
		}
		begin = day.Date
	}
	if begin.IsZero() {
		d.block("step-young", nil, "step", d.Current.String(), "days", need, "until", d.Until.AddDate(0, 0, need))
		d.wait(d.Until.AddDate(0, 0, need))
		return
	}
	if until := begin.AddDate(0, 0, need); until.After(d.Until) {
		d.block("step-young", nil, "step", d.Current.String(), "days", need, "until", until)
		d.wait(until)
	}
}

// attack reports whether the name is forged so much that waiting is the larger
// risk. What was put into junk or refused did no harm.
func (d *decision) attack() bool {
	return d.ThreatDelivered >= attackMany || d.ThreatDelivered >= attackSome && d.ThreatDelivered*10 >= d.Wanted+d.Threat
}

// finished judges a domain at the last step.
func (d *decision) finished() {
	d.answer(Finished, Done)
	d.losers()
	if len(d.Blockers) > 0 {
		d.Verdict = Losing
	}
	if r := d.record(d.Current); r.String() != d.in.Record.String() {
		d.Publish = r
	}
}

// record is what to publish for a step: what is there now with the step, and
// without gaps that can be closed.
func (d *decision) record(s Step) *dmarc.Record {
	r := *d.in.Record
	r.P, r.Test, r.Text = s.P, s.Test, ""
	failing, threat, ghosts, ghostMail := int64(0), int64(0), int64(0), int64(0)
	for i := range d.Scopes {
		switch sc := &d.Scopes[i]; {
		case sc.Name == d.Domain:
		case sc.Missing:
			ghosts += sc.Threat
			ghostMail += sc.Wanted
		default:
			failing += sc.Failing
			threat += sc.Threat
		}
	}
	if r.SP != "" && strength(r.SP) < strength(r.P) && failing <= fewMessages && len(d.Scopes) > 0 {
		r.SP = "" // sub-domains follow
	}
	if d.in.Existence && ghostMail == 0 && ghosts > 0 && r.NP != dmarc.PolicyReject {
		r.NP = dmarc.PolicyReject
	}
	return &r
}

// caution notes what to know beside the answer.
func (d *decision) caution() {
	r := d.in.Report
	if d.Unproven > 0 && d.Verdict != NoData {
		d.warn("unproven", "n", d.Unproven)
	}
	if d.attack() && d.Verdict != UnderAttack && d.Verdict != Done && d.Verdict != Losing {
		d.warn("attack", "n", d.ThreatDelivered)
	}
	if d.ForwardedFailing > 0 {
		d.warn("forwarded", "n", d.ForwardedFailing)
	}
	if d.reject && (d.in.People == nil || *d.in.People) && d.Answer != Finished {
		d.warn("people")
	}
	if d.Next.Test && d.Answer == Yes {
		d.warn("testing")
	}
	if !r.First.IsZero() && r.Last.Sub(r.First) < yearHistory*24*time.Hour && d.Answer == Yes && d.Verdict != Begin {
		d.warn("yearly", "first", r.First)
	}
	if d.in.Record != nil && len(d.in.Record.RUA) == 0 && !d.in.Partial {
		d.warn("no-rua")
	}
	if d.in.Record != nil && d.in.Record.SP != "" && strength(d.in.Record.SP) < strength(d.in.Record.P) {
		n := int64(0)
		for i := range d.Scopes {
			if d.Scopes[i].Name != d.Domain {
				n += d.Scopes[i].Threat
			}
		}
		d.warn("sp-weaker", "sp", string(d.in.Record.SP), "p", string(d.in.Record.P), "n", n)
	}
	ghosts := int64(0)
	for i := range d.Scopes {
		if d.Scopes[i].Missing {
			ghosts += d.Scopes[i].Threat
		}
	}
	if ghosts > 0 && d.in.Record != nil && d.in.Record.NP == "" {
		d.warn("np", "n", ghosts)
	}
	if r.Disagreeing*100 > r.Messages && r.Messages > 0 {
		d.warn("disagree", "n", r.Disagreeing)
	}
	if len(d.Lost) > maxLosses {
		for _, l := range d.Lost[maxLosses:] {
			d.LostOver += l.Failing
		}
		d.Lost = d.Lost[:maxLosses]
	}
}

// upper is the upper bound of a share with one-sided certainty of 95 % (Wilson
// score), so that few messages do not look like certainty.
func upper(failing, n int64) float64 {
	if n == 0 {
		return 1
	}
	const z = 1.6449
	p, m := float64(failing)/float64(n), float64(n)
	return (p + z*z/(2*m) + z*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))) / (1 + z*z/m)
}
