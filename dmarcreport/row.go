package dmarcreport

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
)

// Carrier says what is known of the mail that brought a report. The address for
// reports stands in DNS, so that anybody can send one.
type Carrier string

// What is known of the mail that brought a report.
const (
	CarrierUnknown Carrier = "unknown" // a bare file, or a mail about which no trusted receiver wrote anything
	CarrierPass    Carrier = "pass"    // it passed DMARC for a domain of the reporter
	CarrierOther   Carrier = "other"   // it passed DMARC for a domain that is not the reporter's
	CarrierFail    Carrier = "fail"    // it did not pass DMARC
)

// Row is a record of an aggregate report together with what the report says
// about all of its records.
type Row struct {
	Record

	Domain     string // of the policy: that which was published at Domain applied to the messages
	Begin, End time.Time
	Org        string // who reports, as it names itself
	ReportID   string
	Policy     Policy

	Carrier       Carrier
	CarrierDomain string // author domain of the mail that brought the report; empty if unknown

	// Aligned is computed again from the results that the record gives. The
	// reporter's own evaluation is in Record.DKIM and Record.SPF.
	Aligned Alignment
}

// Disagrees reports whether the reporter's evaluation and the results that it
// gives for it cannot both be true. A record that passes by a result which is
// not told is no contradiction: reporters leave results out.
func (r *Row) Disagrees() bool { return r.Aligned.Disagrees(&r.Record) }

// Alignment says which mechanism passed for a domain that is aligned with that
// of the author (RFC 9989 section 4.4).
type Alignment struct {
	DKIM, SPF bool
}

// Pass reports whether the messages pass DMARC by it.
func (a Alignment) Pass() bool { return a.DKIM || a.SPF }

// Disagrees reports whether the evaluation of r contradicts its results: it
// says fail where a result is aligned and passed, or pass where all results of
// the mechanism are told and none of them can be the reason.
func (a Alignment) Disagrees(r *Record) bool {
	return contradicts(a.DKIM, r.DKIM, len(r.DKIMResults)) || contradicts(a.SPF, r.SPF, len(r.SPFResults))
}

func contradicts(aligned bool, evaluated string, results int) bool {
	return aligned && evaluated == "fail" || !aligned && evaluated == "pass" && results > 0
}

// Aligner computes alignment and remembers the domains that it met, which come
// again in report after report. The zero Aligner is ready to use; it is not safe
// for concurrent use.
type Aligner struct {
	organizational map[string]string
}

// maxAligned bounds the memory of an Aligner.
const maxAligned = 50_000

// Align computes which of the results of r passed for a domain aligned with that
// of the author, in the modes of p. Relaxed alignment compares organizational
// domains by the Public Suffix List: which records the tree walk of RFC 9989
// would have met on the day of the report cannot be known any more.
func (a *Aligner) Align(p *Policy, r *Record) Alignment {
	author := r.HeaderFrom
	if author == "" {
		author = p.Domain
	}
	var out Alignment
	for i := range r.DKIMResults {
		if x := &r.DKIMResults[i]; x.Result == "pass" && a.aligned(x.Domain, author, p.ADKIM) {
			out.DKIM = true
			break
		}
	}
	for i := range r.SPFResults {
		// The identity HELO does not count (RFC 9989 section 4.4.2).
		if x := &r.SPFResults[i]; x.Result == "pass" && x.Scope != "helo" && a.aligned(x.Domain, author, p.ASPF) {
			out.SPF = true
			break
		}
	}
	return out
}

func (a *Aligner) aligned(name, author, mode string) bool {
	switch {
	case name == "" || author == "":
		return false
	case name == author:
		return true
	case mode == "s" || mode == "strict":
		return false
	}
	o := a.org(name)
	return o != "" && o == a.org(author)
}

// org is the organizational domain; empty for what is no name.
func (a *Aligner) org(name string) string {
	if o, ok := a.organizational[name]; ok {
		return o
	}
	o := ""
	if n, err := domain.Parse(name); err == nil {
		o = string(domain.Organizational(n))
	}
	if a.organizational == nil || len(a.organizational) >= maxAligned {
		a.organizational = map[string]string{}
	}
	a.organizational[strings.Clone(name)] = o
	return o
}

// Rows returns the records of a report one by one. al may be nil.
func (a *Aggregate) Rows(al *Aligner) iter.Seq[Row] {
	if al == nil {
		al = &Aligner{}
	}
	return func(yield func(Row) bool) {
		row := Row{Domain: a.Policy.Domain, Begin: a.Begin, End: a.End, Org: a.OrgName, ReportID: a.ReportID, Policy: a.Policy, Carrier: CarrierUnknown}
		for i := range a.Records {
			row.Record = a.Records[i]
			row.Aligned = al.Align(&a.Policy, &row.Record)
			if !yield(row) {
				return
			}
		}
	}
}

// Salvaged reports whether something of the report is missing or was read in
// another way than it is written, so that a person should know.
func (a *Aggregate) Salvaged() bool {
	return slices.ContainsFunc(a.Faults, func(f Fault) bool {
		switch f.Code {
		case FaultTruncated, FaultEncoding, FaultCount, FaultSource, FaultTooMany, FaultRepeated:
			return true
		case FaultContainer, FaultMarkup, FaultTime, FaultSpan, FaultMissing, FaultValue, FaultNoRecord, FaultLong, FaultMisspelled:
		}
		return false
	})
}
