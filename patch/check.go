package patch

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/patch/inventory"
	"github.com/sekisho/sekisho/triage"
)

// Status is what became of a comparison.
type Status string

// The statuses.
const (
	OK             Status = "ok"
	Behind         Status = "behind"
	UnknownVersion Status = "unknown-revision" // the version is in no list: it may be a hotpatch, or lacks a part
	EndOfLife      Status = "end-of-life"
	NotReported    Status = "not-reported" // not lately, so what is known is old
	UnknownProduct Status = "unknown-product"
	Disagreeing    Status = "sources-disagree"
	NoVersion      Status = "no-version"
)

// Statuses returns all of them, the more pressing first.
func Statuses() []Status {
	return []Status{Behind, EndOfLife, Disagreeing, UnknownVersion, NotReported, NoVersion, UnknownProduct, OK}
}

// Remark is what else is to be known of a result.
type Remark string

// The remarks.
const (
	Hotpatched      Remark = "hotpatched"       // it carries the newest hotpatch
	NewerThanKnown  Remark = "newer-than-known" // no list has its version yet
	ExtendedUpdates Remark = "extended-updates" // it gets updates beyond the end
	ExtendedOffered Remark = "extended-offered" // it could get them
	EditionUnknown  Remark = "edition-unknown"  // the end depends on it; the earlier one counts
	ChannelUnknown  Remark = "channel-unknown"  // of Office
	Preliminary     Remark = "preliminary"      // the newest statements may still change
	NotStarted      Remark = "not-started"      // it updates only while it runs, and was not started lately
	FactsOld        Remark = "facts-old"        // a planned day has passed since the newest fact
	ExploitedInKEV  Remark = "exploited-in-kev" // no release facts, but exploited weaknesses
	EndsSoon        Remark = "ends-soon"        // within 90 days
	NoRevision      Remark = "no-revision"      // the version lacks the part that tells
	NoFacts         Remark = "no-facts"         // the product is known, its releases are not
	OtherBranch     Remark = "other-branch"     // no such branch is known
)

// Missing is an update that something lacks.
type Missing struct {
	Release
	Exploited []string // CVEs that it mends and that are exploited
	Days      int      // since it was released
}

// Result is what became of an entry.
type Result struct {
	Entry   inventory.Entry
	Product string // as facts name it, or as the inventory does
	ID      string // of the product in the facts; "" for none
	Branch  string // name of the branch, or ""
	Status  Status
	// AsLastSeen is what the status would be if the device had reported; only
	// with NotReported.
	AsLastSeen Status
	Remarks    []Remark
	Needed     *Release  // the newest update that is required; nil where none is known
	Missing    []Missing // exploited ones first, then the newest first
	Exploited  []string  // all exploited CVEs of what is missing
	Ends       Date      // the end of the branch, if it is known
	Extended   Date      // the end with extended updates
	Clash      *Clash    // what sources disagree about
	KEV        []string  // exploited weaknesses of a product without release facts

	Grade   triage.Grade // of what is missing; "" if nothing is
	Row     string       // of the table
	Due     time.Time    // start of the day; zero without a grade
	Overdue int          // days since Due
	Silent  int          // days since the device reported, if that is known
}

// Options are what an organisation may set. A nil *Options is the default.
type Options struct {
	SilentDays     int // without a report, after which a device counts as not reported; 0 is [DefaultSilentDays]
	NotStartedDays int // after which a program counts as not started lately; 0 is [DefaultNotStartedDays]
	Triage         *triage.Options
}

// Defaults of [Options].
const (
	DefaultSilentDays     = 14
	DefaultNotStartedDays = 30
)

const (
	endsSoon   = 90 // days
	maxMissing = 60 // updates that are listed of one entry
	maxCVEs    = 40 // exploited CVEs that are listed
	oldFacts   = 36 // days after which a planned day has surely passed
)

// Checker compares entries with facts as of a moment. It is not safe for
// concurrent use.
type Checker struct {
	book *Book
	now  time.Time
	o    Options
	memo map[memoKey]verdict
	due  map[string]deadline
}

// memoKey is all of an entry that its version's verdict rests on.
type memoKey struct {
	product, version, channel, hotpatch, exposed string
	server, generic                              bool
	kind                                         inventory.Kind
	edition                                      Edition
}

// verdict is the part of a result that many entries share.
type verdict struct {
	r Result
}

// NewChecker returns a checker. Now is in the organisation's time zone.
func NewChecker(b *Book, now time.Time, o *Options) *Checker {
	c := &Checker{book: b, now: now, memo: map[memoKey]verdict{}, due: map[string]deadline{}}
	if o != nil {
		c.o = *o
	}
	c.o.SilentDays = cmp.Or(c.o.SilentDays, DefaultSilentDays)
	c.o.NotStartedDays = cmp.Or(c.o.NotStartedDays, DefaultNotStartedDays)
	return c
}

// Check compares one entry. The error is of the triage table.
func (c *Checker) Check(e inventory.Entry) (Result, error) {
	r, err := c.compare(&e)
	if err != nil {
		return Result{}, err
	}
	r.Entry = e
	if !e.LastSeen.IsZero() {
		r.Silent = max(0, days(e.LastSeen, c.now))
		if r.Silent > c.o.SilentDays && r.Status != UnknownProduct {
			r.AsLastSeen, r.Status = r.Status, NotReported
		}
	}
	if !e.LastStarted.IsZero() && days(e.LastStarted, c.now) > c.o.NotStartedDays && r.ID != "" && c.selfUpdating(r.ID) {
		r.remark(NotStarted)
	}
	return r, nil
}

func days(from, to time.Time) int { return int(to.Sub(from).Hours() / 24) }

func (r *Result) remark(m Remark) {
	if !slices.Contains(r.Remarks, m) {
		r.Remarks = append(slices.Clip(r.Remarks), m)
	}
}

// selfUpdating reports whether a product updates itself only while it runs.
func (c *Checker) selfUpdating(product string) bool {
	return slices.ContainsFunc(c.book.Cautions(product, c.now), func(x Caution) bool { return x.Kind == AutomaticUpdate })
}

func (c *Checker) compare(e *inventory.Entry) (Result, error) {
	p := c.find(e)
	if p == nil {
		return Result{Product: cmp.Or(e.Product, e.ID), Status: UnknownProduct}, nil
	}
	k := memoKey{product: p.ID, version: e.Version, channel: e.Channel, hotpatch: e.Hotpatch, exposed: e.Exposed, server: isServer(e), generic: fold(e.Product) == "windows" || fold(e.Product) == "microsoft windows", kind: e.Kind, edition: editionOf(e)}
	if v, ok := c.memo[k]; ok {
		return v.r, nil
	}
	r := Result{Product: p.Name, ID: p.ID}
	if strings.TrimSpace(e.Version) == "" {
		r.Status = NoVersion
		return r, nil
	}
	switch p.Scheme {
	case SchemeWindows:
		c.windows(&r, e)
	case SchemeOffice:
		c.office(&r, e)
	case SchemePlain, SchemeJava, SchemeZoom:
		c.plain(&r, p, e)
	}
	if err := c.deadline(&r, e); err != nil {
		return Result{}, err
	}
	c.memo[k] = verdict{r}
	return r, nil
}

// find returns the product of an entry.
func (c *Checker) find(e *inventory.Entry) *Product {
	if e.Kind == inventory.System && isWindows(e.Product) {
		return c.book.products[windowsClient]
	}
	if p := c.book.product(e.Vendor, e.Product, e.ID); p != nil {
		return p
	}
	if isWindows(e.Product) {
		return c.book.products[windowsClient]
	}
	return nil
}

// release returns the entry's releases up to now.
func (c *Checker) releases(product, branch string) []*entry {
	var out []*entry
	for _, e := range c.book.releases[key{product, branch}] {
		if !e.Date.at().After(c.now) {
			out = append(out, e)
		}
	}
	return out
}

// required returns the newest update of a branch that secures it.
func required(list []*entry, extended bool) *entry {
	var best *entry
	for _, e := range list {
		if e.Kind.secures() && (extended || !e.Extended) && (best == nil || e.v.Compare(best.v) > 0) {
			best = e
		}
	}
	return best
}

// missing lists the updates that v lacks.
func (c *Checker) missing(r *Result, list []*entry, v Version, extended bool) {
	for _, e := range list {
		if !e.Kind.secures() || e.Extended && !extended || e.v.Compare(v) <= 0 {
			continue
		}
		c.addMissing(r, e)
	}
	c.sortMissing(r)
}

func (c *Checker) addMissing(r *Result, e *entry) {
	m := Missing{Release: e.Release, Days: max(0, days(e.Date.at(), c.now))}
	for _, id := range e.CVEs {
		if w := c.book.weak[id]; w != nil && c.exploited(w) {
			m.Exploited = append(m.Exploited, id)
		}
	}
	if e.KB == "" || !slices.ContainsFunc(r.Missing, func(o Missing) bool { return o.KB == e.KB && o.Version == e.Version }) {
		r.Missing = append(r.Missing, m)
	}
}

func (c *Checker) exploited(w *Vulnerability) bool {
	return w.Exploited || !w.KEVAdded.IsZero() && !w.KEVAdded.at().After(c.now)
}

func (c *Checker) sortMissing(r *Result) {
	slices.Reverse(r.Missing)
	slices.SortStableFunc(r.Missing, func(a, b Missing) int {
		x, y := len(a.Exploited) > 0, len(b.Exploited) > 0
		if x != y {
			if x {
				return -1
			}
			return 1
		}
		return b.Date.Compare(a.Date.Time)
	})
	for _, m := range r.Missing {
		for _, id := range m.Exploited {
			if len(r.Exploited) < maxCVEs && !slices.Contains(r.Exploited, id) {
				r.Exploited = append(r.Exploited, id)
			}
		}
	}
	r.Missing = r.Missing[:min(len(r.Missing), maxMissing)]
}

// clash returns what sources disagree about if that decides over v: it lies
// between what they say.
func (c *Checker) clash(e *entry, v Version) *Clash {
	if e == nil || len(e.rivals) < 2 {
		return nil
	}
	lowest, highest := e.rivals[0], e.rivals[len(e.rivals)-1]
	if v.Compare(highest.v) >= 0 || v.Compare(lowest.v) < 0 {
		return nil
	}
	for _, x := range c.book.clashes {
		if x.Product == e.Product && x.Branch == e.Branch && x.KB == e.KB {
			return &x
		}
	}
	return nil
}

// plain compares a version component by component.
func (c *Checker) plain(r *Result, p *Product, e *inventory.Entry) {
	text, vague := p.Scheme.canonical(e.Version)
	v, ok := ParseVersion(text)
	if !ok {
		r.Status = NoVersion
		return
	}
	br := c.book.branch(p, text)
	if br == nil {
		c.noFacts(r, p)
		return
	}
	r.Branch = br.Name
	list := c.releases(p.ID, br.ID)
	ended := c.ended(r, br, EditionAny)
	need := required(list, true)
	if need == nil {
		if ended {
			r.Status = EndOfLife
			return
		}
		c.noFacts(r, p)
		return
	}
	r.Needed = &need.Release
	c.old(r, need, list)
	cut := need.v
	if vague {
		// The version says 6.4 and a build. What is older or newer in 6.4 is certain.
		short, _ := ParseVersion(firstTwo(need.Version))
		if v.Compare(short) == 0 {
			r.Status = UnknownVersion
			r.remark(NoRevision)
			return
		}
	}
	if ended && c.getsExtended(r, list, v) {
		r.Remarks = slices.DeleteFunc(slices.Clone(r.Remarks), func(m Remark) bool { return m == ExtendedOffered })
		r.remark(ExtendedUpdates)
		ended = false
	}
	switch {
	case ended:
		r.Status = EndOfLife
	case v.Compare(cut) >= 0:
		r.Status = OK
		if len(list) > 0 && v.Compare(list[len(list)-1].v) > 0 {
			r.remark(NewerThanKnown)
		}
	default:
		if r.Clash = c.clash(need, v); r.Clash != nil {
			r.Status = Disagreeing
			return
		}
		r.Status = Behind
		c.missing(r, list, v, true)
	}
}

// getsExtended reports whether a version shows that it gets extended updates: it
// was released after the end of the regular ones.
func (c *Checker) getsExtended(r *Result, list []*entry, v Version) bool {
	if !slices.Contains(r.Remarks, ExtendedOffered) {
		return false
	}
	return slices.ContainsFunc(list, func(e *entry) bool { return e.v.Compare(v) <= 0 && e.Date.After(r.Ends.Time) })
}

// firstTwo returns the first two components.
func firstTwo(s string) string {
	parts := strings.SplitN(s, ".", 3)
	return strings.Join(parts[:min(len(parts), 2)], ".")
}

// noFacts is for a product of which no release is known.
func (c *Checker) noFacts(r *Result, p *Product) {
	r.Status = UnknownProduct
	r.remark(NoFacts)
	for _, name := range p.KEV {
		for _, w := range c.book.kev[strings.ToLower(name)] {
			if c.exploited(w) && len(r.KEV) < maxCVEs {
				r.KEV = append(r.KEV, w.CVE)
			}
		}
	}
	if len(r.KEV) > 0 {
		r.remark(ExploitedInKEV)
	}
}

// ended looks at the end of a branch, and reports whether it is over.
func (c *Checker) ended(r *Result, br *Branch, ed Edition) bool {
	var end *End
	differ := false
	for i := range br.Ends {
		x := &br.Ends[i]
		switch {
		case x.Edition == ed:
			end, differ = x, false
		case end == nil:
			end = x
		}
		if end != nil && end.Edition == ed {
			continue
		}
		// The edition is not known: the earlier end of those for usual editions.
		if x.Edition != EditionLTSC {
			if x != end && !x.Date.Equal(end.Date.Time) {
				differ = true
			}
			if end.Edition == EditionLTSC || x.Date.Before(end.Date.Time) {
				end = x
			}
		}
	}
	if end == nil {
		return false
	}
	if slices.ContainsFunc(br.Ends, func(x End) bool { return x.Edition == ed }) {
		differ = false
	}
	r.Ends, r.Extended = end.Date, end.Extended
	over := dayAfter(end.Date, c.now)
	if over && differ {
		r.remark(EditionUnknown)
	}
	if over && !end.Extended.IsZero() && !dayAfter(end.Extended, c.now) {
		r.remark(ExtendedOffered)
	}
	if !over && days(c.now, end.Date.Time) < endsSoon {
		r.remark(EndsSoon)
	}
	return over
}

// dayAfter reports whether a day is over.
func dayAfter(d Date, now time.Time) bool { return Day(now).After(d.Time) }

// old remarks on facts that may be too old to say ok, and on young ones.
func (c *Checker) old(r *Result, need *entry, list []*entry) {
	newest := need.Date
	for _, e := range list {
		if e.Kind.secures() || e.Kind == Hotpatch {
			newest = later(newest, e.Date)
		}
	}
	if c.rhythm(r.ID) && days(newest.at(), c.now) > oldFacts {
		r.remark(FactsOld)
	}
	if len(need.Sources) > 0 && !slices.ContainsFunc(need.Sources, func(id string) bool { return !c.book.sources[id].Preliminary }) {
		r.remark(Preliminary)
	}
}

// rhythm reports whether a product gets security updates every month.
func (c *Checker) rhythm(product string) bool {
	switch c.book.schemeOf(product) {
	case SchemeWindows, SchemeOffice:
		return true
	case SchemePlain, SchemeJava, SchemeZoom:
	}
	return false
}

// Compare orders results as people look at them: the more pressing status, exploited weaknesses,
// the earlier date, then the device.
func Compare(a, b *Result) int {
	order := Statuses()
	return cmp.Or(
		cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status)),
		-cmp.Compare(min(len(a.Exploited), 1), min(len(b.Exploited), 1)),
		compareDue(a, b),
		cmp.Compare(a.Product, b.Product), cmp.Compare(a.Branch, b.Branch), cmp.Compare(a.Entry.Device, b.Entry.Device), cmp.Compare(a.Entry.Line, b.Entry.Line),
	)
}

func compareDue(a, b *Result) int {
	if a.Due.IsZero() != b.Due.IsZero() {
		if a.Due.IsZero() {
			return 1
		}
		return -1
	}
	return a.Due.Compare(b.Due)
}
