// Package dmarcreport reads the reports that receivers of mail send to the owner
// of a domain: aggregate reports of DMARC (RFC 7489 appendix C and RFC 9990),
// failure reports (RFC 6591, RFC 9991) and reports on SMTP TLS (RFC 8460).
//
// Reporters are many and few of them keep to the letter, so that what is meant
// is read where it is certain, and what was wrong is told as a [Fault]. A row
// that cannot be true is set aside, never counted and never lost silently.
package dmarcreport

import (
	"net/netip"
	"time"
)

// Aggregate is one aggregate report.
type Aggregate struct {
	Version   string // of the format, as the reporter writes it; may be empty
	Namespace string // of the root element
	RFC9990   bool   // it has the namespace or a field of RFC 9990

	OrgName      string
	Email        string
	ContactInfo  string
	ReportID     string
	Begin, End   time.Time // UTC; zero if not given
	ReportErrors []string  // what the reporter says went wrong on its side
	Generator    string    // RFC 9990

	Policy  Policy
	Records []Record
	Faults  []Fault
}

// Policy is the policy that the reporter found published.
type Policy struct {
	Domain          string // lower case
	ADKIM, ASPF     string // r, s or empty
	P, SP, NP       string // none, quarantine, reject or empty
	Percent         string // pct, of RFC 7489
	FailureOptions  string // fo
	Testing         string // y, n or empty; RFC 9990
	DiscoveryMethod string // psl, treewalk or empty; RFC 9990
}

// Record is one row: messages of one source that were judged alike.
type Record struct {
	Source netip.Addr
	Count  int64

	Disposition string // none, pass, quarantine, reject
	DKIM, SPF   string // of the evaluation: pass says that it passed and is aligned
	Reasons     []Reason

	HeaderFrom   string
	EnvelopeFrom string
	EnvelopeTo   string

	DKIMResults []DKIMResult
	SPFResults  []SPFResult
}

// Pass reports whether the messages passed DMARC.
func (r *Record) Pass() bool { return r.DKIM == "pass" || r.SPF == "pass" }

// Reason is why the reporter did not apply the published policy.
type Reason struct {
	Type    string // forwarded, trusted_forwarder, mailing_list, local_policy, sampled_out, policy_test_mode, other
	Comment string
}

// DKIMResult is a signature that was checked.
type DKIMResult struct {
	Domain, Selector, Result, HumanResult string
}

// SPFResult is an SPF check.
type SPFResult struct {
	Domain, Scope, Result, HumanResult string
}

// Messages returns the sum of the counts.
func (a *Aggregate) Messages() int64 {
	n := int64(0)
	for i := range a.Records {
		n += a.Records[i].Count
	}
	return n
}

// Passing returns how many of the messages passed DMARC, as the reporter judged.
func (a *Aggregate) Passing() int64 {
	n := int64(0)
	for i := range a.Records {
		if a.Records[i].Pass() {
			n += a.Records[i].Count
		}
	}
	return n
}

// Key identifies a report, whoever delivered it and how often. Two reports with
// one key and different content are an original and its correction. Reporters
// reuse an identifier for other domains and other days, so that these belong
// to the key.
type Key struct {
	Org, ReportID, Domain string
	Begin, End            int64
}

// Key returns the identity of the report.
func (a *Aggregate) Key() Key {
	return Key{a.OrgName, a.ReportID, a.Policy.Domain, unix(a.Begin), unix(a.End)}
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// Code names a kind of fault. It is stable.
type Code string

// The faults of a report that was read all the same.
const (
	FaultTruncated  Code = "truncated"          // the report is cut off; complete records were kept
	FaultEncoding   Code = "encoding"           // bytes that are not of the declared charset
	FaultMarkup     Code = "markup"             // not well-formed; what is meant was clear
	FaultRepeated   Code = "repeated"           // an element that stands once came again: the first counts
	FaultTime       Code = "time"               // a time that is missing, written oddly or out of range
	FaultSpan       Code = "span"               // the period is empty, runs backwards or is longer than MaxSpan
	FaultCount      Code = "count"              // rows set aside: their count is not a whole number from 0 to MaxCount
	FaultSource     Code = "source"             // rows set aside: their source is no IP address
	FaultMissing    Code = "missing"            // an element that must be there
	FaultValue      Code = "value"              // a word that the format does not have
	FaultNoRecord   Code = "no-record"          // nothing was seen: the report says only that the reporter lives
	FaultTooMany    Code = "too-many"           // records or results over a bound were left out
	FaultLong       Code = "long"               // texts were cut
	FaultContainer  Code = "container"          // the file that the report is packed in is damaged
	FaultMisspelled Code = "element-misspelled" // an element under another name that can only mean the one
)

// Fault is something wrong with a report.
type Fault struct {
	Code   Code
	Detail string // the element or the words
	Count  int    // how often
}

// Bounds on one report.
const (
	MaxDepth   = 32
	MaxRecords = 200_000
	MaxResults = 100           // DKIM or SPF results, reasons or errors of one record
	MaxCount   = 1_000_000_000 // messages of one record
	MaxText    = 4 << 10       // bytes of one text
	MaxSpan    = 45 * 24 * time.Hour
)

func (a *Aggregate) fault(code Code, detail string) { a.Faults = addFault(a.Faults, code, detail) }

// addFault counts a fault. The list is short, whatever the report is like.
func addFault(list []Fault, code Code, detail string) []Fault {
	for i := range list {
		if f := &list[i]; f.Code == code && f.Detail == detail {
			f.Count++
			return list
		}
	}
	if len(list) < 50 {
		list = append(list, Fault{code, detail, 1})
	}
	return list
}
