package desk

import (
	"context"
	"iter"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain"
)

// ReportStore keeps reports on DMARC and TLS.
type ReportStore interface {
	// AddReports keeps reports, all of them or none, in their order. It returns
	// for each what became of it.
	AddReports(ctx context.Context, reports []StoredReport) ([]ReportKept, error)

	// ReportRows returns the records of aggregate reports that q asks for, by
	// begin of the period, then by report.
	ReportRows(ctx context.Context, q ReportQuery) iter.Seq2[dmarcreport.Row, error]

	// ReporterDays returns who reported on which day, reports without any record
	// included, by day, then by reporter.
	ReporterDays(ctx context.Context, q ReportQuery) ([]ReporterDay, error)

	// ReportDomains returns the domains about which there are aggregate reports,
	// and how much, by name.
	ReportDomains(ctx context.Context) ([]ReportDomain, error)

	// OtherReports returns the failure and TLS reports that q asks for, by time.
	OtherReports(ctx context.Context, q ReportQuery) iter.Seq2[StoredReport, error]
}

// StoredReport is a report and where it came from. One of Aggregate, Failure and
// TLS is set.
type StoredReport struct {
	Aggregate *dmarcreport.Aggregate
	Failure   *dmarcreport.Failure
	TLS       *dmarcreport.TLS

	Hash          [32]byte // SHA-256 of the report as it was written, unpacked
	Carrier       dmarcreport.Carrier
	CarrierDomain string
	Added         time.Time
}

// ReportKept says what became of a report that was handed to a store.
type ReportKept struct {
	State ReportState

	// What stood in the store under the same identity and was replaced.
	OldRecords              int
	OldMessages, OldPassing int64
}

// ReportState is what became of a report.
type ReportState string

// What becomes of a report.
const (
	ReportNew       ReportState = "new"
	ReportReplaced  ReportState = "replaced"  // another with the same identity was there
	ReportDuplicate ReportState = "duplicate" // these very bytes were there before
	// ReportOutranked means that another with the same identity is there, which
	// came by an authentic mail as this one did not: it may be a forgery.
	ReportOutranked ReportState = "outranked"
)

// ReportQuery says which reports are meant.
type ReportQuery struct {
	// Domains are those about which the reports are, with the names below them.
	// Reports about other domains are left out; nil means all.
	Domains []domain.Name

	// From and Until bound the period: a report counts if it begins at From or
	// later and before Until. Zero means no bound.
	From, Until time.Time
}

// ReporterDay says that a receiver of mail reported on a day.
type ReporterDay struct {
	Day      time.Time // midnight UTC of the day on which the period begins
	Org      string
	Domain   string
	Carrier  dmarcreport.Carrier
	Reports  int
	Messages int64
}

// ReportDomain says how much is known about a domain from aggregate reports.
type ReportDomain struct {
	Domain      string
	Reports     int
	Records     int
	Messages    int64
	First, Last time.Time // begin of the first period, end of the last
}
