package dmarcreport

import (
	"bytes"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The reasons for which an aggregate report is refused.
var (
	ErrNotReport = errors.New("dmarcreport: no aggregate report: there is no feedback element")
	ErrNoPolicy  = errors.New("dmarcreport: the report ends before the policy that it is about")
	ErrNoID      = errors.New("dmarcreport: the report has neither an identifier nor a period")
)

// element is an element whose content matters. Its number is a place in the
// table of names, so that a switch on it is cheap. A switch names those that can
// stand where it asks.
type element = uint8

const (
	eOther element = iota
	eFeedback
	eVersion
	eMetadata
	eOrgName
	eEmail
	eContact
	eReportID
	eDateRange
	eBegin
	eEnd
	eError
	eGenerator
	ePolicy
	eDomain
	eADKIM
	eASPF
	eP
	eSP
	eNP
	ePct
	eFo
	eTesting
	eDiscovery
	eRecord
	eRow
	eSource
	eCount
	eEvaluated
	eDisposition
	eDKIM
	eSPF
	eReason
	eType
	eComment
	eIdentifiers
	eHeaderFrom
	eEnvelopeFrom
	eEnvelopeTo
	eAuth
	eSelector
	eResult
	eHuman
	eScope

	nElements = iota
)

// names says which elements matter.
var names = [...]struct {
	name string
	is   element
}{
	{"feedback", eFeedback},
	{"version", eVersion},
	{"report_metadata", eMetadata},
	{"org_name", eOrgName},
	{"email", eEmail},
	{"extra_contact_info", eContact},
	{"report_id", eReportID},
	{"date_range", eDateRange},
	{"begin", eBegin},
	{"end", eEnd},
	{"error", eError},
	{"generator", eGenerator},
	{"policy_published", ePolicy},
	{"domain", eDomain},
	{"adkim", eADKIM},
	{"aspf", eASPF},
	{"p", eP},
	{"sp", eSP},
	{"np", eNP},
	{"pct", ePct},
	{"fo", eFo},
	{"testing", eTesting},
	{"discovery_method", eDiscovery},
	{"record", eRecord},
	{"row", eRow},
	{"source_ip", eSource},
	{"count", eCount},
	{"policy_evaluated", eEvaluated},
	{"disposition", eDisposition},
	{"dkim", eDKIM},
	{"spf", eSPF},
	{"reason", eReason},
	{"type", eType},
	{"comment", eComment},
	{"identifiers", eIdentifiers},
	{"identities", eIdentifiers},
	{"header_from", eHeaderFrom},
	{"envelope_from", eEnvelopeFrom},
	{"envelope_to", eEnvelopeTo},
	{"auth_results", eAuth},
	{"selector", eSelector},
	{"result", eResult},
	{"human_result", eHuman},
	{"scope", eScope},
}

// buckets is names by a hash that costs next to nothing: a report is a thousand
// tags and hardly a byte of anything else. An entry is the place of a name, from
// 1, and of the next one with the same hash. Nothing writes to it.
var buckets, nextInBucket = func() (t [256]uint8, next [len(names) + 1]uint8) {
	for i := range names {
		h, n := hashName([]byte(names[i].name)), uint8(i+1) //nolint:gosec // far below 256
		t[h], next[n] = n, t[h]
	}
	return t, next
}()

func hashName(name []byte) uint8 {
	return uint8(len(name))*37 + name[0]*5 + name[len(name)-1]*11 //nolint:gosec // a hash
}

func elementOf(name []byte) element {
	if len(name) == 0 {
		return eOther
	}
	for i := buckets[hashName(name)]; i != 0; i = nextInBucket[i] {
		if n := &names[i-1]; n.name == string(name) {
			return n.is
		}
	}
	return eOther
}

// reader fills a report from a scanner.
type reader struct {
	s     *scanner
	out   *Aggregate
	words map[string]string // texts that were met, so that each is kept once

	stack []element
	value []byte            // the text of the element that is open
	leaf  bool              // the element on top was opened last and nothing was closed since
	last  [nElements]string // the text that each element had before: most come again

	record   Record
	opened   int // where in the document the record begins
	badCount bool
	badIP    bool
	hasIP    bool
	hasCount bool
	policies int
	dkim     DKIMResult
	spf      SPFResult
	reason   Reason

	dkims   []DKIMResult // slabs
	spfs    []SPFResult
	reasons []Reason
}

// ParseAggregate reads an aggregate report. What can be read of one that is cut
// off or faulty is returned with its faults. The error is [ErrNotXML],
// [ErrDoctype], [ErrDeep], [ErrCharset], [ErrNotReport], [ErrNoPolicy] or
// [ErrNoID].
func ParseAggregate(data []byte) (*Aggregate, error) {
	return new(reader).parse(data)
}

// maxWords bounds the texts that a reader remembers from one report to the next.
const maxWords = 20_000

// parse reads a report. A reader is used for one after the other, since what they
// say is much the same.
func (r *reader) parse(data []byte) (*Aggregate, error) {
	s, bad, err := newScanner(data)
	if err != nil {
		return nil, err
	}
	words := r.words
	if words == nil || len(words) > maxWords {
		words = map[string]string{}
	}
	x := &r.record
	*r = reader{
		s: s, out: &Aggregate{}, words: words, stack: r.stack[:0],
		record: Record{DKIMResults: x.DKIMResults[:0], SPFResults: x.SPFResults[:0], Reasons: x.Reasons[:0]},
		dkims:  r.dkims, spfs: r.spfs, reasons: r.reasons,
	}
	if bad {
		r.out.fault(FaultEncoding, "")
	}
	if err := r.run(); err != nil {
		return nil, err
	}
	return r.finish()
}

func (r *reader) run() error {
	found := false
	for {
		k, err := r.s.next()
		if err != nil {
			return err
		}
		switch k {
		case end:
			if !found {
				return ErrNotReport
			}
			return nil
		case text:
			if len(r.value) > 0 {
				r.value = append(append(make([]byte, 0, len(r.value)+len(r.s.text)), r.value...), r.s.text...)
			} else {
				r.value = r.s.text
			}
		case startTag, emptyTag:
			e := elementOf(r.s.name)
			if !found {
				// Some reporters wrap the report in an element of their own.
				if e != eFeedback {
					if k == startTag && len(r.s.name) > 0 && r.depth() > 4 {
						return ErrNotReport
					}
					if k == startTag {
						r.stack = append(r.stack, eOther)
					}
					continue
				}
				found = true
				r.stack = r.stack[:0]
				r.out.Namespace = r.namespace()
			}
			if len(r.stack) >= MaxDepth {
				return ErrDeep
			}
			r.value = nil
			r.stack = append(r.stack, e)
			r.open(e)
			r.leaf = true
			if k == emptyTag {
				r.close(e)
				r.stack = r.stack[:len(r.stack)-1]
				r.leaf = false
			}
		case endTag:
			if !found {
				continue
			}
			var e element
			if n := len(r.stack); n > 0 && r.leaf && r.s.same {
				e = r.stack[n-1]
			} else {
				e = elementOf(r.s.name)
			}
			r.leaf = false
			if !r.unwind(e) {
				continue
			}
			if e == eFeedback && len(r.stack) == 0 {
				return nil
			}
		}
	}
}

func (r *reader) depth() int { return len(r.stack) }

// unwind closes the element e and those inside of it that were left open. It
// reports false for an end tag without a beginning.
func (r *reader) unwind(e element) bool {
	n := len(r.stack)
	if n > 0 && r.stack[n-1] == e {
		r.close(e)
		r.stack = r.stack[:n-1]
		r.value = nil
		return true
	}
	r.out.fault(FaultMarkup, "")
	at := n - 1
	for at >= 0 && (r.stack[at] != e || e == eOther) {
		at--
	}
	if at < 0 {
		return false
	}
	for len(r.stack) > at {
		top := r.stack[len(r.stack)-1]
		r.close(top)
		r.stack = r.stack[:len(r.stack)-1]
		r.value = nil
	}
	return true
}

// namespace is the default namespace of the root element, or that of a prefix.
func (r *reader) namespace() string {
	return string(attribute(r.s.attrs, "xmlns"))
}

// parent is the element around the one on top.
func (r *reader) parent(n int) element {
	if i := len(r.stack) - 1 - n; i >= 0 {
		return r.stack[i]
	}
	return eOther
}

func (r *reader) open(e element) {
	switch e {
	case eRecord:
		x := &r.record
		*x = Record{DKIMResults: x.DKIMResults[:0], SPFResults: x.SPFResults[:0], Reasons: x.Reasons[:0]}
		r.opened = r.s.at
		r.badCount, r.badIP, r.hasIP, r.hasCount = false, false, false, false
	case ePolicy:
		if r.policies++; r.policies > 1 {
			r.out.fault(FaultRepeated, "policy_published")
		}
	case eDKIM:
		r.dkim = DKIMResult{}
	case eSPF:
		r.spf = SPFResult{}
	case eReason:
		r.reason = Reason{}
	case eIdentifiers:
		if string(r.s.name) == "identities" {
			r.out.fault(FaultMisspelled, "identities")
		}
	}
}

// word returns the text of the element, kept once for a report.
func (r *reader) word() string {
	v := r.value
	if len(v) == 0 {
		return ""
	}
	if len(v) > MaxText {
		r.out.fault(FaultLong, "")
		v = bytes.ToValidUTF8(v[:MaxText], nil)
	}
	last := &r.last[r.parent(0)]
	if *last == string(v) {
		return *last
	}
	s, ok := r.words[string(v)]
	if !ok {
		s = string(v)
		r.words[s] = s
	}
	*last = s
	return s
}

// lower is a word in lower case.
func (r *reader) lower() string {
	for _, c := range r.value {
		if c >= 'A' && c <= 'Z' {
			r.value = bytes.ToLower(r.value)
			break
		}
	}
	return r.word()
}

// first sets a text that stands once.
func (r *reader) first(to *string, s, name string) {
	if *to != "" && s != "" && *to != s {
		r.out.fault(FaultRepeated, name)
		return
	}
	if *to == "" {
		*to = s
	}
}

// places says what is done with the content of an element when it closes. What is
// not in it does not matter to anybody.
var places = []struct {
	in, is element
	take   func(*reader)
}{
	{eFeedback, eVersion, func(r *reader) { r.first(&r.out.Version, r.word(), "version") }},
	{eFeedback, eRecord, (*reader).closeRecord},

	{eMetadata, eOrgName, func(r *reader) { r.first(&r.out.OrgName, r.word(), "org_name") }},
	{eMetadata, eEmail, func(r *reader) { r.first(&r.out.Email, r.word(), "email") }},
	{eMetadata, eContact, func(r *reader) { r.first(&r.out.ContactInfo, r.word(), "extra_contact_info") }},
	{eMetadata, eReportID, func(r *reader) { r.first(&r.out.ReportID, r.word(), "report_id") }},
	{eMetadata, eError, (*reader).reportError},
	{eMetadata, eGenerator, func(r *reader) { r.out.Generator, r.out.RFC9990 = r.word(), true }},
	{eDateRange, eBegin, func(r *reader) { r.time(&r.out.Begin, "begin") }},
	{eDateRange, eEnd, func(r *reader) { r.time(&r.out.End, "end") }},

	{ePolicy, eDomain, policy(func(r *reader, p *Policy) { r.first(&p.Domain, r.host(), "domain") })},
	{ePolicy, eADKIM, policy(func(r *reader, p *Policy) { p.ADKIM = r.lower() })},
	{ePolicy, eASPF, policy(func(r *reader, p *Policy) { p.ASPF = r.lower() })},
	{ePolicy, eP, policy(func(r *reader, p *Policy) { r.first(&p.P, r.lower(), "p") })},
	{ePolicy, eSP, policy(func(r *reader, p *Policy) { p.SP = r.lower() })},
	{ePolicy, eNP, policy(func(r *reader, p *Policy) { p.NP, r.out.RFC9990 = r.lower(), true })},
	{ePolicy, ePct, policy(func(r *reader, p *Policy) { p.Percent = r.word() })},
	{ePolicy, eFo, policy(func(r *reader, p *Policy) { p.FailureOptions = r.word() })},
	{ePolicy, eTesting, policy(func(r *reader, p *Policy) { p.Testing, r.out.RFC9990 = r.lower(), true })},
	{ePolicy, eDiscovery, policy(func(r *reader, p *Policy) { p.DiscoveryMethod, r.out.RFC9990 = r.lower(), true })},

	{eRow, eSource, (*reader).source},
	{eRow, eCount, (*reader).count},
	{eEvaluated, eDisposition, func(r *reader) { r.record.Disposition = r.lower() }},
	{eEvaluated, eDKIM, func(r *reader) { r.record.DKIM = r.lower() }},
	{eEvaluated, eSPF, func(r *reader) { r.record.SPF = r.lower() }},
	{eEvaluated, eReason, func(r *reader) { keep(r, &r.record.Reasons, r.reason) }},
	{eReason, eType, func(r *reader) { r.reason.Type = r.lower() }},
	{eReason, eComment, func(r *reader) { r.reason.Comment = r.word() }},

	{eIdentifiers, eHeaderFrom, func(r *reader) { r.record.HeaderFrom = r.host() }},
	{eIdentifiers, eEnvelopeFrom, func(r *reader) { r.record.EnvelopeFrom = r.host() }},
	{eIdentifiers, eEnvelopeTo, func(r *reader) { r.record.EnvelopeTo = r.host() }},

	{eAuth, eDKIM, func(r *reader) { keep(r, &r.record.DKIMResults, r.dkim) }},
	{eAuth, eSPF, func(r *reader) { keep(r, &r.record.SPFResults, r.spf) }},
	{eDKIM, eDomain, func(r *reader) { r.dkim.Domain = r.host() }},
	{eDKIM, eSelector, func(r *reader) { r.dkim.Selector = r.word() }},
	{eDKIM, eResult, func(r *reader) { r.dkim.Result = r.lower() }},
	{eDKIM, eHuman, func(r *reader) { r.dkim.HumanResult = r.word() }},
	{eSPF, eDomain, func(r *reader) { r.spf.Domain = r.host() }},
	{eSPF, eScope, func(r *reader) { r.spf.Scope = r.lower() }},
	{eSPF, eResult, func(r *reader) { r.spf.Result = r.lower() }},
	{eSPF, eHuman, func(r *reader) { r.spf.HumanResult = r.word() }},
}

// takes is places by their elements. Nothing writes to it.
var takes = func() (t [nElements][nElements]func(*reader)) {
	for _, p := range places {
		t[p.in][p.is] = p.take
	}
	return t
}()

// policy takes of the first policy alone: a second one is no part of the format
// and nobody knows which of them is meant.
func policy(take func(*reader, *Policy)) func(*reader) {
	return func(r *reader) {
		if r.policies == 1 {
			take(r, &r.out.Policy)
		}
	}
}

// keep adds a result that says something.
func keep[T comparable](r *reader, list *[]T, x T) {
	var empty T
	if x != empty && r.room(len(*list)) {
		*list = append(*list, x)
	}
}

// close takes the content of the element on top of the stack.
func (r *reader) close(e element) {
	if take := takes[r.parent(1)][e]; take != nil {
		take(r)
	}
}

func (r *reader) room(n int) bool {
	if n < MaxResults {
		return true
	}
	r.out.fault(FaultTooMany, "results")
	return false
}

// host is the name of a host: lower case, without the root's dot.
func (r *reader) host() string {
	for len(r.value) > 0 && r.value[len(r.value)-1] == '.' {
		r.value = r.value[:len(r.value)-1]
	}
	return r.lower()
}

func (r *reader) reportError() {
	if s := r.word(); s != "" && len(r.out.ReportErrors) < MaxResults {
		r.out.ReportErrors = append(r.out.ReportErrors, s)
	}
}

// The years in which a report can be: DMARC is younger than the first, and the
// clocks of reporters are less than a century ahead.
const (
	minTime = 1072915200 // 2004-01-01
	maxTime = 4102444800 // 2100-01-01
)

// time reads seconds since 1970. Some write a fraction.
func (r *reader) time(to *time.Time, name string) {
	s := r.word()
	if !to.IsZero() {
		r.out.fault(FaultRepeated, name)
		return
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		whole, _, ok := strings.Cut(s, ".")
		if n, err = strconv.ParseInt(whole, 10, 64); !ok || err != nil {
			r.out.fault(FaultTime, name)
			return
		}
		r.out.fault(FaultTime, name)
	}
	if n < minTime || n > maxTime {
		r.out.fault(FaultTime, name)
		if n <= 0 || n > maxTime {
			return
		}
	}
	*to = time.Unix(n, 0).UTC()
}

func (r *reader) source() {
	r.hasIP = true
	ip, err := netip.ParseAddr(string(bytes.TrimSpace(r.value)))
	if err != nil || ip.Zone() != "" {
		r.badIP = true
		r.out.fault(FaultSource, r.word())
		return
	}
	r.record.Source = ip.Unmap()
}

func (r *reader) count() {
	r.hasCount = true
	n, ok := parseCount(r.value)
	if !ok {
		r.badCount = true
		r.out.fault(FaultCount, r.word())
		return
	}
	r.record.Count = n
}

// parseCount reads a number of messages.
func parseCount(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	return n, err == nil && n >= 0 && n <= MaxCount
}

// closeRecord keeps a record that says something that can be true.
func (r *reader) closeRecord() {
	switch {
	case r.badIP || r.badCount:
		return
	case !r.hasIP:
		r.out.fault(FaultSource, "")
		return
	case !r.hasCount:
		r.out.fault(FaultCount, "")
		return
	case len(r.out.Records) >= MaxRecords:
		r.out.fault(FaultTooMany, "records")
		return
	}
	x := &r.record
	switch x.Disposition {
	case "none", "pass", "quarantine", "reject":
	default:
		r.out.fault(FaultValue, "disposition")
	}
	for _, v := range []string{x.DKIM, x.SPF} {
		if v != "pass" && v != "fail" {
			r.out.fault(FaultValue, "policy_evaluated")
		}
	}
	if r.out.Records == nil {
		r.out.Records = make([]Record, 0, r.expected())
	}
	kept := *x
	more := min(64, cap(r.out.Records)-len(r.out.Records)) // records that may come
	kept.DKIMResults, kept.SPFResults, kept.Reasons = settle(&r.dkims, x.DKIMResults, 2*more), settle(&r.spfs, x.SPFResults, more), settle(&r.reasons, x.Reasons, more)
	r.out.Records = append(r.out.Records, kept)
}

// minRecord is less than the length of any record that says something.
const minRecord = 100

// expected guesses from the length of the first record how many there are: to
// count them would be a second reading.
func (r *reader) expected() int {
	length := max(r.s.at-r.opened, minRecord)
	return min((len(r.s.data)-r.s.at)/length+2, MaxRecords)
}

// settle moves results from where the next record will overwrite them to a slab
// that they share with those of other records, of the size given if a new one is
// needed.
func settle[T any](slab *[]T, list []T, size int) []T {
	if len(list) == 0 {
		return nil
	}
	if cap(*slab)-len(*slab) < len(list) {
		*slab = make([]T, 0, max(size, len(list)))
	}
	from := len(*slab)
	*slab = append(*slab, list...)
	return (*slab)[from:len(*slab):len(*slab)]
}

// finish judges the report as a whole.
func (r *reader) finish() (*Aggregate, error) {
	o := r.out
	if r.s.odd {
		o.fault(FaultMarkup, "")
	}
	if len(r.stack) > 0 {
		o.fault(FaultTruncated, "")
		// What the end cut through was closed by no tag.
		if o.Policy.Domain == "" {
			return nil, ErrNoPolicy
		}
	}
	if strings.Contains(o.Namespace, "dmarc-2.0") {
		o.RFC9990 = true
	}
	if o.ReportID == "" && o.Begin.IsZero() {
		return nil, ErrNoID
	}
	for _, x := range []struct{ name, value string }{{"org_name", o.OrgName}, {"email", o.Email}, {"report_id", o.ReportID}, {"domain", o.Policy.Domain}, {"p", o.Policy.P}} {
		if x.value == "" {
			o.fault(FaultMissing, x.name)
		}
	}
	if o.Policy.Domain == "" {
		// A report without a domain is about that of its rows, if they agree.
		for i := range o.Records {
			d := o.Records[i].HeaderFrom
			if i > 0 && d != o.Policy.Domain {
				return nil, ErrNoPolicy
			}
			o.Policy.Domain = d
		}
		if o.Policy.Domain == "" {
			return nil, ErrNoPolicy
		}
	}
	switch {
	case o.Begin.IsZero() || o.End.IsZero():
		o.fault(FaultMissing, "date_range")
	case !o.End.After(o.Begin), o.End.Sub(o.Begin) > MaxSpan:
		o.fault(FaultSpan, "")
	}
	if len(o.Records) == 0 {
		o.fault(FaultNoRecord, "")
	}
	return o, nil
}
