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
)

func elementOf(name []byte) element {
	switch string(name) {
	case "feedback":
		return eFeedback
	case "version":
		return eVersion
	case "report_metadata":
		return eMetadata
	case "org_name":
		return eOrgName
	case "email":
		return eEmail
	case "extra_contact_info":
		return eContact
	case "report_id":
		return eReportID
	case "date_range":
		return eDateRange
	case "begin":
		return eBegin
	case "end":
		return eEnd
	case "error":
		return eError
	case "generator":
		return eGenerator
	case "policy_published":
		return ePolicy
	case "domain":
		return eDomain
	case "adkim":
		return eADKIM
	case "aspf":
		return eASPF
	case "p":
		return eP
	case "sp":
		return eSP
	case "np":
		return eNP
	case "pct":
		return ePct
	case "fo":
		return eFo
	case "testing":
		return eTesting
	case "discovery_method":
		return eDiscovery
	case "record":
		return eRecord
	case "row":
		return eRow
	case "source_ip":
		return eSource
	case "count":
		return eCount
	case "policy_evaluated":
		return eEvaluated
	case "disposition":
		return eDisposition
	case "dkim":
		return eDKIM
	case "spf":
		return eSPF
	case "reason":
		return eReason
	case "type":
		return eType
	case "comment":
		return eComment
	case "identifiers", "identities":
		return eIdentifiers
	case "header_from":
		return eHeaderFrom
	case "envelope_from":
		return eEnvelopeFrom
	case "envelope_to":
		return eEnvelopeTo
	case "auth_results":
		return eAuth
	case "selector":
		return eSelector
	case "result":
		return eResult
	case "human_result":
		return eHuman
	case "scope":
		return eScope
	}
	return eOther
}

// reader fills a report from a scanner.
type reader struct {
	s     *scanner
	out   *Aggregate
	words map[string]string // texts that were met, so that each is kept once

	stack []element
	value []byte // the text of the element that is open

	record   Record
	badCount bool
	badIP    bool
	hasIP    bool
	hasCount bool
	policies int
	dkim     DKIMResult
	spf      SPFResult
	reason   Reason
}

// ParseAggregate reads an aggregate report. What can be read of one that is cut
// off or faulty is returned with its faults. The error is [ErrNotXML],
// [ErrDoctype], [ErrDeep], [ErrCharset], [ErrNotReport], [ErrNoPolicy] or
// [ErrNoID].
func ParseAggregate(data []byte) (*Aggregate, error) {
	s, bad, err := newScanner(data)
	if err != nil {
		return nil, err
	}
	r := &reader{s: s, out: &Aggregate{}, words: map[string]string{}, stack: make([]element, 0, MaxDepth)}
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
			if k == emptyTag {
				r.close(e)
				r.stack = r.stack[:len(r.stack)-1]
			}
		case endTag:
			if !found {
				continue
			}
			e := elementOf(r.s.name)
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
		r.record, r.badCount, r.badIP, r.hasIP, r.hasCount = Record{}, false, false, false, false
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
	if s, ok := r.words[string(v)]; ok {
		return s
	}
	s := string(v)
	r.words[s] = s
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

// close takes the content of the element on top of the stack.
func (r *reader) close(e element) {
	switch r.parent(1) {
	case eFeedback:
		switch e {
		case eVersion:
			r.first(&r.out.Version, r.word(), "version")
		case eRecord:
			r.closeRecord()
		}
	case eMetadata:
		r.metadata(e)
	case eDateRange:
		switch e {
		case eBegin:
			r.time(&r.out.Begin, "begin")
		case eEnd:
			r.time(&r.out.End, "end")
		}
	case ePolicy:
		if r.policies == 1 {
			r.policy(e)
		}
	case eRow:
		switch e {
		case eSource:
			r.source()
		case eCount:
			r.count()
		}
	case eEvaluated:
		r.evaluated(e)
	case eReason:
		switch e {
		case eType:
			r.reason.Type = r.lower()
		case eComment:
			r.reason.Comment = r.word()
		}
	case eIdentifiers:
		switch e {
		case eHeaderFrom:
			r.record.HeaderFrom = r.host()
		case eEnvelopeFrom:
			r.record.EnvelopeFrom = r.host()
		case eEnvelopeTo:
			r.record.EnvelopeTo = r.host()
		}
	case eAuth:
		switch e {
		case eDKIM:
			if r.dkim != (DKIMResult{}) && r.room(len(r.record.DKIMResults)) {
				r.record.DKIMResults = append(r.record.DKIMResults, r.dkim)
			}
		case eSPF:
			if r.spf != (SPFResult{}) && r.room(len(r.record.SPFResults)) {
				r.record.SPFResults = append(r.record.SPFResults, r.spf)
			}
		}
	case eDKIM:
		switch e {
		case eDomain:
			r.dkim.Domain = r.host()
		case eSelector:
			r.dkim.Selector = r.word()
		case eResult:
			r.dkim.Result = r.lower()
		case eHuman:
			r.dkim.HumanResult = r.word()
		}
	case eSPF:
		switch e {
		case eDomain:
			r.spf.Domain = r.host()
		case eScope:
			r.spf.Scope = r.lower()
		case eResult:
			r.spf.Result = r.lower()
		case eHuman:
			r.spf.HumanResult = r.word()
		}
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

func (r *reader) metadata(e element) {
	o := r.out
	switch e {
	case eOrgName:
		r.first(&o.OrgName, r.word(), "org_name")
	case eEmail:
		r.first(&o.Email, r.word(), "email")
	case eContact:
		r.first(&o.ContactInfo, r.word(), "extra_contact_info")
	case eReportID:
		r.first(&o.ReportID, r.word(), "report_id")
	case eError:
		if s := r.word(); s != "" && len(o.ReportErrors) < MaxResults {
			o.ReportErrors = append(o.ReportErrors, s)
		}
	case eGenerator:
		o.Generator, o.RFC9990 = r.word(), true
	}
}

func (r *reader) policy(e element) {
	p := &r.out.Policy
	switch e {
	case eDomain:
		r.first(&p.Domain, r.host(), "domain")
	case eADKIM:
		p.ADKIM = r.lower()
	case eASPF:
		p.ASPF = r.lower()
	case eP:
		r.first(&p.P, r.lower(), "p")
	case eSP:
		p.SP = r.lower()
	case eNP:
		p.NP, r.out.RFC9990 = r.lower(), true
	case ePct:
		p.Percent = r.word()
	case eFo:
		p.FailureOptions = r.word()
	case eTesting:
		p.Testing, r.out.RFC9990 = r.lower(), true
	case eDiscovery:
		p.DiscoveryMethod, r.out.RFC9990 = r.lower(), true
	}
}

func (r *reader) evaluated(e element) {
	switch e {
	case eDisposition:
		r.record.Disposition = r.lower()
	case eDKIM:
		r.record.DKIM = r.lower()
	case eSPF:
		r.record.SPF = r.lower()
	case eReason:
		if r.reason != (Reason{}) && r.room(len(r.record.Reasons)) {
			r.record.Reasons = append(r.record.Reasons, r.reason)
		}
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
	n, err := strconv.ParseInt(string(r.value), 10, 64)
	if err != nil || n < 0 || n > MaxCount {
		r.badCount = true
		r.out.fault(FaultCount, r.word())
		return
	}
	r.record.Count = n
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
	r.out.Records = append(r.out.Records, r.record)
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
