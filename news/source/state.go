package source

import (
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/feed"
)

// Health is whether a source can be relied on.
type Health string

// The states.
const (
	Unknown  Health = "unknown"  // never pulled
	Good     Health = "good"     // the last document could be read
	Failing  Health = "failing"  // it could not, once or more since the last good one
	Dead     Health = "dead"     // failing for long: somebody should look at its address
	Stale    Health = "stale"    // it answers, and has had no news for much longer than usual
	Disabled Health = "disabled" // switched off
)

// Outcome is what came of one pull. The zero value is no outcome.
type Outcome string

// The outcomes.
const (
	Fetched     Outcome = "fetched"      // a document that could be read, with or without items
	NotModified Outcome = "not-modified" // the server says that nothing changed (304)
	BadDocument Outcome = "bad-document" // an answer that could not be read: see [Pull.Fault]
	BadStatus   Outcome = "bad-status"   // another answer of the server
	Unreachable Outcome = "unreachable"  // no answer
	Refused     Outcome = "refused"      // not asked, because the address is not allowed
	Waiting     Outcome = "waiting"      // not asked, because the server asked for patience
)

// Pull is one attempt to read a source.
type Pull struct {
	At         time.Time
	Outcome    Outcome
	Status     int           // of HTTP; 0 without an answer
	Fault      feed.Fault    // of a bad document
	Detail     string        // for the log of whoever runs the source
	RetryAfter time.Duration // that the server asked for
	Items      int           // in the document
	New        int           // of them not seen before
	Newest     time.Time     // the latest time of publication in the document
	Format     feed.Format
	ETag       string
	Modified   string // the Last-Modified header
}

// State is what is known of a source from all its pulls. It is a value: [State.After]
// returns the next one. The zero State is a source that was never pulled.
type State struct {
	First       time.Time     `json:"first,omitzero"`        // first pull
	Last        time.Time     `json:"last,omitzero"`         // last pull
	LastGood    time.Time     `json:"last_good,omitzero"`    // last document that could be read
	LastNew     time.Time     `json:"last_new,omitzero"`     // last time that an item was new
	Newest      time.Time     `json:"newest,omitzero"`       // latest time of publication seen
	Failures    int           `json:"failures,omitempty"`    // since the last good one
	FailingFrom time.Time     `json:"failing_from,omitzero"` // first failure since the last good one
	Outcome     Outcome       `json:"outcome,omitempty"`     // of the last pull that was one
	Status      int           `json:"status,omitempty"`
	Fault       feed.Fault    `json:"fault,omitempty"`
	Detail      string        `json:"detail,omitempty"`
	Format      feed.Format   `json:"format,omitempty"`
	NotBefore   time.Time     `json:"not_before,omitzero"` // the server asked for patience until then
	ETag        string        `json:"etag,omitempty"`      // of the last document that could be read
	Modified    string        `json:"modified,omitempty"`
	Gap         time.Duration `json:"gap,omitempty"` // longest time without news that was followed by some
}

// When a source is called dead or stale.
const (
	deadAfter   = 7 * 24 * time.Hour // of failures only
	deadPulls   = 5                  // and so many of them
	staleAfter  = 60 * 24 * time.Hour
	staleFactor = 3 // times the longest gap before
)

// Longest wait that a server can ask for, and between retries of a failing
// source.
const (
	maxWait    = 7 * 24 * time.Hour
	maxBackoff = 24 * time.Hour
)

// After returns the state after a pull.
//
//   - An empty document that could be read is no failure.
//   - "Not modified" after a failure does not make the source good again: the
//     server says that the document is the one we have, which may be the one
//     that could not be read, and nothing was proven. Validators are kept from
//     good documents only, so that the next answer is a whole one.
//   - Waiting and refusals that are ours say nothing about the source.
func (s State) After(p Pull) State {
	if p.Outcome == Waiting || p.Outcome == "" {
		return s
	}
	if s.First.IsZero() {
		s.First = p.At
	}
	s.Last = p.At
	if p.RetryAfter > 0 {
		s.NotBefore = p.At.Add(min(p.RetryAfter, maxWait))
	}
	switch p.Outcome {
	case Fetched:
		s.Failures, s.FailingFrom = 0, time.Time{}
		s.LastGood, s.Fault, s.Detail, s.Format = p.At, "", "", p.Format
		s.ETag, s.Modified = p.ETag, p.Modified
		if p.New > 0 {
			if !s.LastNew.IsZero() {
				s.Gap = max(s.Gap, p.At.Sub(s.LastNew))
			}
			s.LastNew = p.At
		}
		if p.Newest.After(s.Newest) {
			s.Newest = p.Newest
		}
	case NotModified:
		if s.Failures > 0 {
			// Ask for the whole document next time.
			s.ETag, s.Modified = "", ""
			return s
		}
		s.LastGood = p.At
	default:
		if s.Failures == 0 {
			s.FailingFrom = p.At
		}
		s.Failures++
		s.Fault, s.Detail = p.Fault, p.Detail
		// A document that could not be read must not be answered with 304.
		s.ETag, s.Modified = "", ""
	}
	s.Outcome, s.Status = p.Outcome, p.Status
	return s
}

// Health returns the state of the source at a time.
func (s State) Health(now time.Time) Health {
	switch {
	case s.First.IsZero():
		return Unknown
	case s.Failures >= deadPulls && now.Sub(s.FailingFrom) >= deadAfter:
		return Dead
	case s.Failures > 0:
		return Failing
	}
	quiet := s.LastNew
	if quiet.IsZero() {
		quiet = s.Newest
	}
	if !quiet.IsZero() && now.Sub(quiet) > max(staleAfter, staleFactor*s.Gap) {
		return Stale
	}
	return Good
}

// Due reports whether the source should be pulled at a time, and when it will
// be if not. A failing source is asked less and less often, at least once a day.
func (s State) Due(now time.Time, every time.Duration) (bool, time.Time) {
	if s.Last.IsZero() {
		return true, now
	}
	wait := every
	for range min(s.Failures, 6) {
		wait *= 2
	}
	if s.Failures > 0 {
		wait = min(wait, max(maxBackoff, every))
	}
	next := s.Last.Add(wait)
	if s.NotBefore.After(next) {
		next = s.NotBefore
	}
	return !next.After(now), next
}

// Missed returns the stretch of time whose news may be missing: from the last
// good document to now if the source is failing, and all before the first pull.
func (s State) Missed(now time.Time) (from, to time.Time, any bool) {
	if s.Failures == 0 {
		return time.Time{}, time.Time{}, false
	}
	from = s.LastGood
	if from.IsZero() {
		from = s.First
	}
	return from, now, true
}

// Message says for people in what state a source is and why.
func (s State) Message(now time.Time) lang.Message {
	switch h := s.Health(now); h {
	case Failing, Dead:
		why := lang.M("news.outcome."+string(s.Outcome), "status", s.Status)
		if s.Outcome == BadDocument && s.Fault != "" {
			why = lang.M("news.fault." + string(s.Fault))
		}
		return lang.M("news.health."+string(h), "why", why, "n", s.Failures, "since", s.FailingFrom)
	case Stale:
		quiet := s.LastNew
		if quiet.IsZero() {
			quiet = s.Newest
		}
		return lang.M("news.health.stale", "since", quiet)
	case Good:
		return lang.M("news.health.good", "at", s.LastGood)
	default:
		return lang.M("news.health." + string(h))
	}
}
