package requirement

import (
	"slices"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/lang"
)

// Evaluate holds what is known of a sender against every rule.
func (t *Table) Evaluate(in Input) *Result {
	out := &Result{Volume: in.Volume}
	if in.Posture == nil {
		in.Posture = &posture.Report{Use: posture.UseUnasked}
	}
	out.Domain = in.Posture.Domain
	e := &evaluation{Input: in, p: in.Posture}
	if in.Sample != nil && !in.Sample.by(in.Posture) {
		out.Foreign = true
		e.Sample = nil
	}
	for i := range t.Receivers {
		v := e.receiver(&t.Receivers[i])
		for _, c := range v.Cells {
			for _, r := range c.Records {
				if !slices.ContainsFunc(out.Records, func(o Record) bool { return o.Host == r.Host && o.Type == r.Type }) {
					out.Records = append(out.Records, r)
				}
			}
		}
		out.Verdicts = append(out.Verdicts, v)
	}
	return out
}

// evaluation is one call of Evaluate.
type evaluation struct {
	Input
	p    *posture.Report
	done map[Check]Cell // the outcome does not depend on the receiver
}

func (e *evaluation) receiver(r *Receiver) Verdict {
	v := Verdict{Receiver: r}
	bulk := e.Volume.bulk(r.Bulk)
	for i := range r.Rules {
		v.Cells = append(v.Cells, e.cell(r, &r.Rules[i], bulk))
	}
	v.State, v.Sentence = e.sentence(&v, bulk)
	return v
}

// cell decides one rule.
func (e *evaluation) cell(r *Receiver, rule *Rule, bulk answer) Cell {
	switch {
	case e.p.Use == posture.UseParked:
		return Cell{Rule: rule, State: Exempt, Reason: lang.M("requirement.exempt.parked")}
	case e.p.Use == posture.UseMissing:
		return Cell{Rule: rule, State: Unknown, Reason: lang.M("requirement.unknown.missing", "domain", e.p.Domain.Unicode()), Find: lang.M("requirement.find.name")}
	case rule.Scope == Mass && bulk == no:
		return Cell{Rule: rule, State: Exempt, Reason: e.small(r)}
	}
	c, ok := e.done[rule.Check]
	if !ok {
		c = e.check(rule.Check)
		if e.done == nil {
			e.done = map[Check]Cell{}
		}
		e.done[rule.Check] = c
	}
	c.Rule = rule
	c.IfBulk = rule.Scope == Mass && bulk == dontKnow
	if rule.Find != (lang.Text{}) {
		c.Find = lang.Message{}
	}
	return c
}

// small says why a rule for bulk senders is not for this one.
func (e *evaluation) small(r *Receiver) lang.Message {
	switch {
	case r.Bulk.PerDay == 0:
		return lang.M("requirement.exempt.not-bulk")
	case !e.Volume.Known && r.Bulk.Permanent:
		return lang.M("requirement.exempt.declared-permanent", "threshold", r.Bulk.PerDay)
	case !e.Volume.Known:
		return lang.M("requirement.exempt.declared", "threshold", r.Bulk.PerDay)
	case r.Bulk.Permanent:
		return lang.M("requirement.exempt.volume-permanent", "n", e.Volume.PerDay, "threshold", r.Bulk.PerDay)
	}
	return lang.M("requirement.exempt.volume", "n", e.Volume.PerDay, "threshold", r.Bulk.PerDay)
}

// tally counts the cells of a verdict that a sentence is made of.
type tally struct {
	met, exempt int
	unmet       []*Cell // required, for this sender
	unmetIfBulk []*Cell // required, if this is a bulk sender
	unknown     []*Cell // required, and something at hand would tell
	unseen      []*Cell // required, and only the receiver can tell, or the user's own records
	hasMass     bool
}

// sentence sums a receiver up.
func (e *evaluation) sentence(v *Verdict, bulk answer) (State, lang.Message) {
	var t tally
	for i := range v.Cells {
		c := &v.Cells[i]
		t.hasMass = t.hasMass || c.Rule.Scope == Mass
		if c.Rule.Level != Required {
			continue
		}
		switch {
		case c.State == Met:
			t.met++
		case c.State == Exempt:
			t.exempt++
		case c.State == Unmet && c.IfBulk:
			t.unmetIfBulk = append(t.unmetIfBulk, c)
		case c.State == Unmet:
			t.unmet = append(t.unmet, c)
		case c.Rule.Check.Seen() == ByReceiver || c.Rule.Check == CheckARC:
			t.unseen = append(t.unseen, c)
		default:
			t.unknown = append(t.unknown, c)
		}
	}
	name := v.Receiver.Name
	switch {
	case e.p.Use == posture.UseParked:
		return Exempt, lang.M("requirement.sentence.parked", "receiver", name)
	case e.p.Use == posture.UseMissing:
		return Unknown, lang.M("requirement.sentence.missing", "receiver", name, "domain", e.p.Domain.Unicode())
	case len(t.unmet) > 0:
		return Unmet, lang.M("requirement.sentence.unmet", "receiver", name, "n", len(t.unmet), "which", named(t.unmet))
	case t.met == 0 && len(t.unknown) == 0 && len(t.unmetIfBulk) == 0 && t.exempt > 0:
		return Exempt, lang.M("requirement.sentence.exempt", "receiver", name, "why", e.small(v.Receiver))
	case len(t.unmetIfBulk) > 0 && v.Receiver.Bulk.PerDay > 0:
		return Unmet, lang.M("requirement.sentence.unmet-if-bulk", "receiver", name, "threshold", v.Receiver.Bulk.PerDay, "n", len(t.unmetIfBulk), "which", named(t.unmetIfBulk))
	case len(t.unmetIfBulk) > 0:
		return Unmet, lang.M("requirement.sentence.unmet-if-many", "receiver", name, "n", len(t.unmetIfBulk), "which", named(t.unmetIfBulk))
	case len(t.unknown) > 0 && e.Sample == nil && !slices.ContainsFunc(t.unknown, func(c *Cell) bool { return !c.sampled() }):
		return Unknown, lang.M("requirement.sentence.unsampled", "receiver", name, "n", len(t.unknown), "which", named(t.unknown))
	case len(t.unknown) > 0:
		return Unknown, lang.M("requirement.sentence.unknown", "receiver", name, "n", len(t.unknown), "which", named(t.unknown), "need", e.need())
	case len(t.unseen) > 0:
		return Met, lang.M("requirement.sentence.met-unseen", "receiver", name, "which", named(t.unseen))
	case bulk == no && t.hasMass:
		return Met, lang.M("requirement.sentence.met-small", "receiver", name)
	}
	return Met, lang.M("requirement.sentence.met", "receiver", name)
}

// sampled reports whether a sample would decide a cell that is open.
func (c *Cell) sampled() bool {
	switch c.Reason.Key {
	case "requirement.ptr.unknown", "requirement.dkim.unknown":
		return true
	}
	return c.Rule.Check.Seen() == BySample
}

// need says what would decide the cells that are open.
func (e *evaluation) need() lang.Message {
	if e.p.Use == posture.UseUnasked {
		return lang.M("requirement.need.dns")
	}
	return lang.M("requirement.need.rows")
}

// named lists the checks of cells, each once, in words.
func named(cells []*Cell) lang.Message {
	var names []lang.Message
	seen := map[Check]bool{}
	for _, c := range cells {
		if !seen[c.Rule.Check] {
			seen[c.Rule.Check] = true
			names = append(names, lang.M("requirement.check."+string(c.Rule.Check)))
		}
	}
	if len(names) == 0 {
		return lang.Message{}
	}
	out := names[0]
	for _, n := range names[1:] {
		out = lang.M("requirement.and", "a", out, "b", n)
	}
	return out
}

// unmet, met and unknown make cells.
func met(reason lang.Message, ev ...Evidence) Cell {
	return Cell{State: Met, Reason: reason, Evidence: ev}
}

func unmet(reason, mend lang.Message, ev ...Evidence) Cell {
	return Cell{State: Unmet, Reason: reason, Mend: mend, Evidence: ev}
}

func unknown(reason, find lang.Message, ev ...Evidence) Cell {
	return Cell{State: Unknown, Reason: reason, Find: find, Evidence: ev}
}

// both is met if both are, and not met if one is not.
func both(a, b Cell) Cell {
	switch {
	case a.State == Unmet && b.State == Unmet:
		return Cell{
			State: Unmet, Reason: lang.M("requirement.two", "a", a.Reason, "b", b.Reason), Mend: lang.M("requirement.two", "a", a.Mend, "b", b.Mend),
			Evidence: slices.Concat(a.Evidence, b.Evidence), Records: slices.Concat(a.Records, b.Records),
		}
	case a.State == Unmet:
		return a
	case b.State == Unmet:
		return b
	case a.State == Unknown:
		return a
	case b.State == Unknown:
		return b
	}
	return Cell{State: Met, Reason: lang.M("requirement.two", "a", a.Reason, "b", b.Reason), Evidence: slices.Concat(a.Evidence, b.Evidence)}
}

// either is met if one is.
func either(a, b Cell) Cell {
	switch {
	case a.State == Met:
		return a
	case b.State == Met:
		return b
	case a.State == Unknown:
		return a
	case b.State == Unknown:
		return b
	}
	return both(a, b)
}

// check decides a check.
func (e *evaluation) check(c Check) Cell {
	switch c {
	case CheckSPF:
		return e.spf()
	case CheckSPFIPv4:
		return e.spfIPv4()
	case CheckDKIM:
		return e.dkim()
	case CheckSPFOrDKIM:
		return either(e.spf(), e.dkim())
	case CheckSPFAndDKIM:
		return both(e.spf(), e.dkim())
	case CheckKey1024:
		return e.keys(1024)
	case CheckKey2048:
		return e.keys(2048)
	case CheckDMARC:
		return e.dmarc()
	case CheckDMARCPass:
		return e.dmarcPass()
	case CheckAligned:
		return e.aligned()
	case CheckAlignedBoth:
		return e.alignedBoth()
	case CheckPTR:
		return e.ptr()
	case CheckTLS:
		return e.tls()
	case CheckFormat:
		return e.format()
	case CheckOwnFrom:
		return e.ownFrom()
	case CheckOneClick:
		return e.oneClick()
	case CheckUnsubscribe:
		return e.unsubscribe()
	case CheckARC:
		return e.arc()
	case CheckReplies, CheckMXOrA:
		return e.replies()
	case CheckBIMI:
		return e.bimi()
	case CheckSpamRate:
		return unknown(lang.M("requirement.spam-rate.unknown"), lang.M("requirement.spam-rate.find"))
	}
	return unknown(lang.M("requirement.unknown.check"), lang.M("requirement.find.name"))
}

// inOrg reports whether a name belongs to the organisation of the domain.
func inOrg(n domain.Name, p *posture.Report) bool {
	org := p.Org
	if org == "" {
		org = domain.Organizational(p.Domain)
	}
	return n.IsSubdomainOf(org) || n.IsSubdomainOf(p.Domain)
}
