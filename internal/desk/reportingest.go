package desk

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// ReportFile is a file in which there may be reports.
type ReportFile struct {
	Name   string // as the user named it
	Casual bool   // came along with others: no error if it is no report
	Open   func() (io.ReadCloser, error)
	Err    error // a *Error where the file cannot be read; Open is then nil
}

// ReportIntake says how to take reports in.
type ReportIntake struct {
	Store ReportStore
	Facts org.Facts
	Now   time.Time
	Words *lang.Catalogue // nil: the built-in one

	// KeepAddresses keeps the addresses and subjects of failure reports, which
	// are left out otherwise.
	KeepAddresses bool

	// Resolver verifies mails that bring reports where no server that we trust says
	// whether they are authentic, and Handover is how they came.
	// Without a resolver that stays unknown.
	Resolver resolve.Resolver
	Handover *Handover

	// Problem is told of each report that was refused or not read whole, at
	// once. It may be nil.
	Problem func(ReportProblem)
}

// IngestedSchema names the record about what was taken in.
const IngestedSchema = "sekisho.dmarc-ingest/v1"

// Ingested counts what was taken in.
type Ingested struct {
	Schema     string `json:"schema"`
	Files      int    `json:"files"`
	Reports    int    `json:"reports"`    // aggregate reports that are new
	Replaced   int    `json:"replaced"`   // aggregate reports that a later version replaced
	Duplicates int    `json:"duplicates"` // reports of any kind that were there before
	Outranked  int    `json:"outranked"`  // versions that did not replace an authentic report
	Records    int    `json:"records"`    // of new and replaced reports, less those that were replaced
	Messages   int64  `json:"messages"`
	Pass       int64  `json:"dmarc_pass"` // messages of these that passed DMARC
	Failures   int    `json:"failure_reports"`
	TLS        int    `json:"tls_reports"`
	Salvaged   int    `json:"salvaged"`  // reports of which something is missing
	Refused    int    `json:"refused"`   // files, messages and attachments that gave no report, for a fault of theirs
	NoReport   int    `json:"no_report"` // mail and other files that are no report

	OwnUnknown bool           `json:"own_domains_unknown"` // nobody said which domains are ours, so that all count
	Foreign    []ForeignCount `json:"foreign"`             // about domains that are not ours: kept, but never counted for ours
	Carriers   CarrierCounts  `json:"carriers"`            // of the new reports

	Problems []ReportProblem `json:"problems"`
	Unnamed  int             `json:"problems_not_listed"` // over the bound of the list
	Stopped  bool            `json:"stopped"`             // before the end; what was read is kept
}

// CarrierCounts counts reports by what is known of the mail that brought them.
type CarrierCounts struct {
	Pass    int `json:"pass"`
	Other   int `json:"other"`
	Fail    int `json:"fail"`
	Unknown int `json:"unknown"`
}

// ForeignCount is how many new reports are about a domain that is not ours.
type ForeignCount struct {
	Domain  string `json:"domain"`
	Reports int    `json:"reports"`
}

// ReportProblem is a report that was refused, or of which something is missing.
type ReportProblem struct {
	File   string             `json:"file"`
	Index  int                `json:"index,omitempty"` // message of a mailbox, from 1
	Where  string             `json:"where,omitempty"` // path inside of the file
	State  ReportProblemState `json:"state"`
	Reason lang.Text          `json:"reason"`
	Hint   lang.Text          `json:"hint,omitzero"`
}

// ReportProblemState says whether a report counts.
type ReportProblemState string

// Whether a report counts.
const (
	ReportRefused  ReportProblemState = "refused"
	ReportSalvaged ReportProblemState = "salvaged"
)

// What is kept in one transaction at most, and how many problems and domains of
// others are listed.
const (
	reportBatch     = 500
	recordBatch     = 50_000
	maxProblems     = 10_000
	maxForeignNames = 1000
)

// IngestReports takes the reports of files into a store. It may be run again on
// the same files, and after it was killed: what is there counts once. The error
// is that of the store; what was read before it is kept.
func IngestReports(ctx context.Context, files iter.Seq[ReportFile], in ReportIntake) (*Ingested, error) {
	if in.Words == nil {
		in.Words = lang.Default()
	}
	g := &ingester{in: in, r: renderer{words: in.Words}, reader: dmarcreport.NewReader(nil), foreign: map[string]int{}}
	g.out = Ingested{Schema: IngestedSchema, Foreign: []ForeignCount{}, Problems: []ReportProblem{}}
	for _, d := range in.Facts.Domains.Value() {
		g.own = append(g.own, domain.Name(d))
	}
	g.out.OwnUnknown = len(g.own) == 0
	for f := range files {
		if ctx.Err() != nil {
			break
		}
		if err := g.file(ctx, f); err != nil {
			return g.result(), err
		}
	}
	g.out.Stopped = ctx.Err() != nil
	// What was read by the time that the user had enough is no loss.
	err := g.flush(context.WithoutCancel(ctx))
	return g.result(), err
}

// ingester is one run of [IngestReports].
type ingester struct {
	in      ReportIntake
	r       renderer
	reader  *dmarcreport.Reader
	own     []domain.Name
	batch   []StoredReport
	records int // in batch
	foreign map[string]int
	out     Ingested
}

func (g *ingester) result() *Ingested {
	for _, name := range sortedNames(g.foreign) {
		g.out.Foreign = append(g.out.Foreign, ForeignCount{name, g.foreign[name]})
	}
	return &g.out
}

func sortedNames(m map[string]int) []string {
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	slices.Sort(list)
	return list[:min(len(list), maxForeignNames)]
}

// file reads one file. A mistake of ours on one must not cost the others.
func (g *ingester) file(ctx context.Context, f ReportFile) (err error) {
	g.out.Files++
	if f.Err != nil {
		g.refuse(f.Name, 0, "", asError(f.Err))
		return nil
	}
	in, openErr := f.Open()
	if openErr != nil {
		g.refuse(f.Name, 0, "", asError(openErr))
		return nil
	}
	defer func() { _ = in.Close() }() // nothing was written
	defer func() {
		if p := recover(); p != nil {
			g.refuse(f.Name, 0, "", internalError(f.Name, p))
		}
	}()
	for x := range g.reader.Read(in) {
		if ctx.Err() != nil {
			return nil
		}
		if x.Err != nil {
			g.refused(f, x)
			continue
		}
		g.found(ctx, f.Name, x)
		if len(g.batch) >= reportBatch || g.records >= recordBatch {
			if err := g.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// found takes a report into the batch.
func (g *ingester) found(ctx context.Context, file string, x dmarcreport.Found) {
	s := StoredReport{Aggregate: x.Aggregate, Failure: x.Failure, TLS: x.TLS, Hash: x.Hash, Added: g.in.Now}
	var reporter []string
	switch {
	case x.Aggregate != nil:
		reporter = []string{hostOf(x.Aggregate.Email), x.Aggregate.OrgName}
		g.records += len(x.Aggregate.Records)
		if x.Aggregate.Salvaged() {
			g.out.Salvaged++
			g.problem(ReportProblem{File: file, Index: x.Index, Where: x.Where, State: ReportSalvaged, Reason: g.faults(x.Aggregate.Faults)})
		}
	case x.Failure != nil:
		if !g.in.KeepAddresses {
			x.Failure.Redact()
		}
	case x.TLS != nil:
		reporter = []string{hostOf(x.TLS.ContactInfo), x.TLS.OrgName}
	}
	s.Carrier, s.CarrierDomain = g.carrierOf(ctx, x.Mail, reporter)
	g.batch = append(g.batch, s)
}

func hostOf(address string) string {
	_, host := cutAddress(strings.Trim(strings.TrimPrefix(address, "mailto:"), "<> "))
	return host
}

// carrierOf says how far the mail that brought a report can be trusted: only the
// results that the recipient's Exchange Online wrote count, and those of our own.
// reporter are names by which the reporter goes; none if the report names nobody.
func (g *ingester) carrierOf(ctx context.Context, m *eml.Message, reporter []string) (dmarcreport.Carrier, string) {
	if m == nil {
		return dmarcreport.CarrierUnknown, ""
	}
	from := m.From()
	if len(from) == 0 {
		return dmarcreport.CarrierUnknown, ""
	}
	host := strings.ToLower(from[0].Domain)
	if len(from) > 1 {
		return dmarcreport.CarrierFail, host // no author, no DMARC
	}
	d := m365.Authenticate(m, m365.NewPath(m.Header(), &g.in.Facts)).DMARC
	known, passed := d.Trusted && d.Result != "", d.Passed()
	if !known && g.in.Resolver != nil {
		v := verify(ctx, m, bounded(g.in.Resolver), g.in.Facts, g.in.Now, g.in.Handover.given(&g.in.Facts), budget.New(nil))
		// Without the client there is no SPF, and what is not signed may still be
		// authentic.
		passed = v.report.DMARC.Status == dmarc.StatusPass
		known = passed || v.report.SPF != nil && v.report.DMARC.Status == dmarc.StatusFail
	}
	switch {
	case !known:
		return dmarcreport.CarrierUnknown, host
	case !passed:
		return dmarcreport.CarrierFail, host
	case reporter == nil || slices.ContainsFunc(reporter, func(name string) bool { return sameOwner(name, host) }):
		return dmarcreport.CarrierPass, host
	}
	return dmarcreport.CarrierOther, host
}

// sameOwner reports whether two names lie in one registered domain.
func sameOwner(a, b string) bool {
	x, err := domain.Parse(a)
	if err != nil {
		return false
	}
	y, err := domain.Parse(b)
	return err == nil && domain.Organizational(x) == domain.Organizational(y)
}

// flush keeps the batch and counts what became of it.
func (g *ingester) flush(ctx context.Context) error {
	if len(g.batch) == 0 {
		return nil
	}
	kept, err := g.in.Store.AddReports(ctx, g.batch)
	if err != nil {
		if ctx.Err() != nil {
			return nil // it is kept at the end
		}
		return err
	}
	for i, k := range kept {
		g.count(&g.batch[i], k)
	}
	g.batch, g.records = g.batch[:0], 0
	return nil
}

func (g *ingester) count(s *StoredReport, k ReportKept) {
	switch k.State {
	case ReportDuplicate:
		g.out.Duplicates++
		return
	case ReportOutranked:
		g.out.Outranked++
		return
	case ReportNew, ReportReplaced:
	}
	switch s.Carrier {
	case dmarcreport.CarrierPass:
		g.out.Carriers.Pass++
	case dmarcreport.CarrierOther:
		g.out.Carriers.Other++
	case dmarcreport.CarrierFail:
		g.out.Carriers.Fail++
	case dmarcreport.CarrierUnknown:
		g.out.Carriers.Unknown++
	}
	switch {
	case s.Failure != nil:
		g.out.Failures++
		return
	case s.TLS != nil:
		g.out.TLS++
		return
	case k.State == ReportReplaced:
		g.out.Replaced++
	default:
		g.out.Reports++
		if name := s.Aggregate.Policy.Domain; len(g.own) > 0 && !slices.ContainsFunc(g.own, domain.Name(name).IsSubdomainOf) {
			g.foreign[name]++
		}
	}
	g.out.Records += len(s.Aggregate.Records) - k.OldRecords
	g.out.Messages += s.Aggregate.Messages() - k.OldMessages
	g.out.Pass += s.Aggregate.Passing() - k.OldPassing
}

// refused says why something gave no report. What is simply something else is
// counted, and no problem of anybody's.
func (g *ingester) refused(f ReportFile, x dmarcreport.Found) {
	switch {
	case errors.Is(x.Err, dmarcreport.ErrNoReport) && (x.Mail != nil || f.Casual),
		f.Casual && x.Where == "" && (errors.Is(x.Err, dmarcreport.ErrUnknown) || errors.Is(x.Err, dmarcreport.ErrNotReport) || errors.Is(x.Err, dmarcreport.ErrNotTLS)):
		g.out.NoReport++
		return
	}
	g.refuse(f.Name, x.Index, x.Where, reportError(x.Err))
}

func (g *ingester) refuse(file string, index int, where string, e *Error) {
	f := g.r.failure(e)
	g.out.Refused++
	g.problem(ReportProblem{File: file, Index: index, Where: where, State: ReportRefused, Reason: f.Text, Hint: f.Hint})
}

func (g *ingester) problem(p ReportProblem) {
	if len(g.out.Problems) < maxProblems {
		g.out.Problems = append(g.out.Problems, p)
	} else {
		g.out.Unnamed++
	}
	if g.in.Problem != nil {
		g.in.Problem(p)
	}
}

// reportReasons are the words for why something is no report.
var reportReasons = []struct {
	err  error
	kind ErrorKind
	key  string
	hint string
}{
	{dmarcreport.ErrEmpty, Invalid, "empty", ""},
	{dmarcreport.ErrUnknown, Invalid, "unknown", "kinds"},
	{dmarcreport.ErrNoReport, NotFound, "no-report", "kinds"},
	{dmarcreport.ErrTooLarge, Limit, "too-large", "split"},
	{dmarcreport.ErrBomb, Limit, "bomb", "bomb"},
	{dmarcreport.ErrDepth, Limit, "depth", "split"},
	{dmarcreport.ErrEntries, Limit, "entries", "split"},
	{dmarcreport.ErrEncrypted, Invalid, "encrypted", "split"},
	{dmarcreport.ErrDamaged, Invalid, "damaged", "again"},
	{dmarcreport.ErrDoctype, Invalid, "doctype", "bomb"},
	{dmarcreport.ErrDeep, Invalid, "deep", "bomb"},
	{dmarcreport.ErrCharset, Invalid, "charset", ""},
	{dmarcreport.ErrNotXML, Invalid, "unknown", "kinds"},
	{dmarcreport.ErrNotReport, Invalid, "not-report", "kinds"},
	{dmarcreport.ErrNoPolicy, Invalid, "no-policy", "again"},
	{dmarcreport.ErrNoID, Invalid, "no-id", ""},
	{dmarcreport.ErrJSON, Invalid, "json", "again"},
	{dmarcreport.ErrNotTLS, Invalid, "not-tls", "kinds"},
}

func reportError(err error) *Error {
	for _, x := range reportReasons {
		if errors.Is(err, x.err) {
			e := &Error{Kind: x.kind, Message: lang.M("dmarc.refused." + x.key), Err: err}
			if x.hint != "" {
				e.Hint = lang.M("dmarc.hint." + x.hint)
			}
			return e
		}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Unavailable, Message: lang.M("dmarc.refused.read", "error", err.Error()), Err: err}
}

// faults says in one line what was wrong with a report that was read.
func (g *ingester) faults(list []dmarcreport.Fault) lang.Text {
	counts := map[dmarcreport.Code]int{}
	var order []dmarcreport.Code
	for _, f := range list {
		if counts[f.Code] == 0 {
			order = append(order, f.Code)
		}
		counts[f.Code] += f.Count
	}
	var en, ja []string
	for _, c := range order {
		key := "dmarc.fault." + string(c)
		if !g.in.Words.Has(key) {
			continue // of no consequence for the numbers
		}
		t := g.in.Words.Render(lang.M(key, "n", counts[c]))
		en, ja = append(en, t.EN), append(ja, t.JA)
	}
	return lang.Text{EN: strings.Join(en, "; "), JA: strings.Join(ja, "、")}
}
