package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
)

var _ desk.ReportStore = (*DB)(nil)

// AddReports implements [desk.ReportStore].
func (db *DB) AddReports(ctx context.Context, reports []desk.StoredReport) ([]desk.ReportKept, error) {
	out := make([]desk.ReportKept, len(reports))
	err := db.update(ctx, func(tx *sql.Tx) error {
		w := reportWriter{ctx: ctx, tx: tx, organisation: db.organisation}
		defer w.close()
		for i := range reports {
			var err error
			if out[i], err = w.add(&reports[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// reportWriter keeps reports within one transaction.
type reportWriter struct {
	ctx          context.Context //nolint:containedctx // lives as long as the call that it belongs to
	tx           *sql.Tx
	organisation string
	statements   map[string]*sql.Stmt
	aligner      dmarcreport.Aligner
}

func (w *reportWriter) close() {
	for _, s := range w.statements {
		_ = s.Close() // the transaction ends them anyway
	}
}

// prepared returns a statement, prepared once.
func (w *reportWriter) prepared(text string) (*sql.Stmt, error) {
	if s := w.statements[text]; s != nil {
		return s, nil
	}
	s, err := w.tx.PrepareContext(w.ctx, text)
	if err != nil {
		return nil, err
	}
	if w.statements == nil {
		w.statements = map[string]*sql.Stmt{}
	}
	w.statements[text] = s
	return s, nil
}

func (w *reportWriter) exec(text string, args ...any) (sql.Result, error) {
	s, err := w.prepared(text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return nil, err
	}
	return s.ExecContext(w.ctx, args...)
}

// row reads the one row of a question; it reports false if there is none.
func (w *reportWriter) row(text string, args []any, to ...any) (bool, error) {
	s, err := w.prepared(text) //nolint:sqlclosecheck // the transaction closes it
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(w.ctx, args...).Scan(to...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func (w *reportWriter) add(r *desk.StoredReport) (desk.ReportKept, error) {
	seen, err := w.exec(`INSERT INTO report_seen (organisation, hash) VALUES (?, ?) ON CONFLICT DO NOTHING`, w.organisation, r.Hash[:])
	if err != nil {
		return desk.ReportKept{}, err
	}
	n, err := seen.RowsAffected()
	if err != nil {
		return desk.ReportKept{}, err
	}
	if n == 0 {
		return desk.ReportKept{State: desk.ReportDuplicate}, w.again(r)
	}
	if r.Aggregate != nil {
		return w.aggregate(r)
	}
	return w.other(r)
}

// again notes what is known better now of how a report came that was there.
func (w *reportWriter) again(r *desk.StoredReport) error {
	if r.Carrier != dmarcreport.CarrierPass {
		return nil
	}
	for _, table := range []string{"dmarc_report", "report_other"} {
		_, err := w.exec(`UPDATE `+table+` SET carrier = ?, carrier_domain = ? WHERE organisation = ? AND hash = ? AND carrier <> ?`,
			r.Carrier, r.CarrierDomain, w.organisation, r.Hash[:], r.Carrier)
		if err != nil {
			return err
		}
	}
	return nil
}

// outranked reports whether a report may not replace one that is there.
func outranked(carrier, old dmarcreport.Carrier) bool {
	return old == dmarcreport.CarrierPass && carrier != dmarcreport.CarrierPass
}

// reportHead is what a row keeps of a report as JSON.
type reportHead struct {
	Version, Namespace string              `json:",omitempty"`
	RFC9990            bool                `json:",omitempty"`
	Email, ContactInfo string              `json:",omitempty"`
	ReportErrors       []string            `json:",omitempty"`
	Generator          string              `json:",omitempty"`
	Policy             dmarcreport.Policy  `json:",omitzero"`
	Faults             []dmarcreport.Fault `json:",omitempty"`
}

// recordResults is what a row keeps of a record as JSON.
type recordResults struct {
	DKIM    []dmarcreport.DKIMResult `json:",omitempty"`
	SPF     []dmarcreport.SPFResult  `json:",omitempty"`
	Reasons []dmarcreport.Reason     `json:",omitempty"`
}

func (w *reportWriter) aggregate(r *desk.StoredReport) (desk.ReportKept, error) {
	a := r.Aggregate
	key := []any{w.organisation, a.OrgName, a.ReportID, a.Policy.Domain, unix(a.Begin), unix(a.End)}
	kept := desk.ReportKept{State: desk.ReportNew}
	var id int64
	var carrier dmarcreport.Carrier
	found, err := w.row(`SELECT id, carrier, records, messages, passing FROM dmarc_report
		WHERE organisation = ? AND org = ? AND report_id = ? AND domain = ? AND begin = ? AND until = ?`, key, &id, &carrier, &kept.OldRecords, &kept.OldMessages, &kept.OldPassing)
	if err != nil {
		return kept, err
	}
	if found {
		if outranked(r.Carrier, carrier) {
			return desk.ReportKept{State: desk.ReportOutranked}, nil
		}
		kept.State = desk.ReportReplaced
		if _, err := w.exec(`DELETE FROM dmarc_report WHERE id = ?`, id); err != nil {
			return kept, err
		}
	}
	head, err := json.Marshal(&reportHead{a.Version, a.Namespace, a.RFC9990, a.Email, a.ContactInfo, a.ReportErrors, a.Generator, a.Policy, a.Faults})
	if err != nil {
		return kept, err
	}
	result, err := w.exec(`INSERT INTO dmarc_report (organisation, org, report_id, domain, begin, until, hash, carrier, carrier_domain, added, records, messages, passing, head)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(key, r.Hash[:], r.Carrier, r.CarrierDomain, unix(r.Added), len(a.Records), a.Messages(), a.Passing(), string(head))...)
	if err != nil {
		return kept, err
	}
	if id, err = result.LastInsertId(); err != nil {
		return kept, err
	}
	return kept, w.records(id, a)
}

// rowsAtOnce is how many records one statement inserts.
const rowsAtOnce = 32

func (w *reportWriter) records(id int64, a *dmarcreport.Aggregate) error {
	const columns = 14
	one, many := insertRecords(1), insertRecords(rowsAtOnce)
	args := make([]any, 0, columns*rowsAtOnce)
	for i := range a.Records {
		x := &a.Records[i]
		al := w.aligner.Align(&a.Policy, x)
		results, err := json.Marshal(&recordResults{x.DKIMResults, x.SPFResults, x.Reasons})
		if err != nil {
			return err
		}
		args = append(args, id, i, w.organisation, x.Source.String(), x.Count, x.Disposition, x.DKIM, x.SPF, al.DKIM, al.SPF, x.HeaderFrom, x.EnvelopeFrom, x.EnvelopeTo, string(results))
		if len(args) == columns*rowsAtOnce {
			if _, err := w.exec(many, args...); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	for ; len(args) > 0; args = args[columns:] {
		if _, err := w.exec(one, args[:columns]...); err != nil {
			return err
		}
	}
	return nil
}

func insertRecords(n int) string {
	const row = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	return `INSERT INTO dmarc_record (report, n, organisation, ip, count, disposition, dkim, spf, dkim_aligned, spf_aligned, header_from, envelope_from, envelope_to, results) VALUES ` +
		row + strings.Repeat(`, `+row, n-1)
}

// The kinds of reports in report_other.
const (
	kindFailure = "failure"
	kindTLS     = "tls"
)

func (w *reportWriter) other(r *desk.StoredReport) (desk.ReportKept, error) {
	kept := desk.ReportKept{State: desk.ReportNew}
	kind, key, doc := kindFailure, hex.EncodeToString(r.Hash[:]), any(r.Failure)
	var at time.Time
	switch {
	case r.TLS != nil:
		k, err := json.Marshal(r.TLS.Key())
		if err != nil {
			return kept, err
		}
		kind, key, at, doc = kindTLS, string(k), r.TLS.Begin, r.TLS
	case r.Failure != nil:
		at = r.Failure.Arrival
	default:
		return kept, errors.New("sqlite: a report of no kind")
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return kept, err
	}
	var id int64
	var carrier dmarcreport.Carrier
	found, err := w.row(`SELECT id, carrier FROM report_other WHERE organisation = ? AND kind = ? AND key = ?`, []any{w.organisation, kind, key}, &id, &carrier)
	if err != nil {
		return kept, err
	}
	if found {
		if outranked(r.Carrier, carrier) {
			return desk.ReportKept{State: desk.ReportOutranked}, nil
		}
		kept.State = desk.ReportReplaced
		if _, err := w.exec(`DELETE FROM report_other WHERE id = ?`, id); err != nil {
			return kept, err
		}
	}
	_, err = w.exec(`INSERT INTO report_other (organisation, kind, key, at, hash, carrier, carrier_domain, added, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.organisation, kind, key, unix(at), r.Hash[:], r.Carrier, r.CarrierDomain, unix(r.Added), string(text))
	return kept, err
}

// errEnough ends a question whose asker has had enough.
var errEnough = errors.New("sqlite: enough")

// period is a condition on a column of times, with its arguments.
func period(column string, q desk.ReportQuery) (string, []any) {
	where, args := "", []any(nil)
	if !q.From.IsZero() {
		where, args = where+` AND `+column+` >= ?`, append(args, unix(q.From))
	}
	if !q.Until.IsZero() {
		where, args = where+` AND `+column+` < ?`, append(args, unix(q.Until))
	}
	return where, args
}

// within is a condition on the domains of reports, with its arguments.
func (db *DB) within(ctx context.Context, q desk.ReportQuery) (string, []any, error) {
	if q.Domains == nil {
		return "", nil, nil
	}
	names := []string{}
	err := db.query(ctx, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if isBelow(name, q.Domains) {
			names = append(names, name)
		}
		return nil
	}, `SELECT DISTINCT domain FROM dmarc_report WHERE organisation = ?`, db.organisation)
	if err != nil {
		return "", nil, err
	}
	list, err := json.Marshal(names)
	return ` AND r.domain IN (SELECT value FROM json_each(?))`, []any{string(list)}, err
}

func isBelow(name string, parents []domain.Name) bool {
	return slices.ContainsFunc(parents, domain.Name(name).IsSubdomainOf)
}

// ReportRows implements [desk.ReportStore].
func (db *DB) ReportRows(ctx context.Context, q desk.ReportQuery) iter.Seq2[dmarcreport.Row, error] {
	return func(yield func(dmarcreport.Row, error) bool) {
		where, args := period("r.begin", q)
		domains, more, err := db.within(ctx, q)
		if err != nil {
			yield(dmarcreport.Row{}, err)
			return
		}
		var head struct {
			id  int64
			row dmarcreport.Row
		}
		known := map[string]recordResults{} // most records have the results of another
		err = db.query(ctx, func(scan func(...any) error) error {
			var id, begin, until int64
			var domain, org, reportID, carrier, carrierDomain, text, ip, results sql.RawBytes
			var x dmarcreport.Record
			var al dmarcreport.Alignment
			if err := scan(&id, &domain, &org, &reportID, &begin, &until, &carrier, &carrierDomain, &text,
				&ip, &x.Count, &x.Disposition, &x.DKIM, &x.SPF, &al.DKIM, &al.SPF, &x.HeaderFrom, &x.EnvelopeFrom, &x.EnvelopeTo, &results); err != nil {
				return err
			}
			if id != head.id {
				var h reportHead
				if err := json.Unmarshal(text, &h); err != nil {
					return fmt.Errorf("report %d: %w", id, err)
				}
				head.id = id
				head.row = dmarcreport.Row{
					Domain: string(domain), Org: string(org), ReportID: string(reportID), Begin: timeOf(begin), End: timeOf(until),
					Policy: h.Policy, Carrier: dmarcreport.Carrier(carrier), CarrierDomain: string(carrierDomain),
				}
			}
			r, ok := known[string(results)]
			if !ok {
				if err := json.Unmarshal(results, &r); err != nil {
					return fmt.Errorf("a record of report %d: %w", id, err)
				}
				if len(known) > 10_000 {
					clear(known)
				}
				known[string(results)] = r
			}
			x.Source, _ = netip.ParseAddr(string(ip)) // was written by us
			x.DKIMResults, x.SPFResults, x.Reasons = r.DKIM, r.SPF, r.Reasons
			row := head.row
			row.Record, row.Aligned = x, al
			if !yield(row, nil) {
				return errEnough
			}
			return nil
		}, `SELECT r.id, r.domain, r.org, r.report_id, r.begin, r.until, r.carrier, r.carrier_domain, r.head,
			x.ip, x.count, x.disposition, x.dkim, x.spf, x.dkim_aligned, x.spf_aligned, x.header_from, x.envelope_from, x.envelope_to, x.results
			FROM dmarc_report AS r JOIN dmarc_record AS x ON x.report = r.id
			WHERE r.organisation = ?`+where+domains+` ORDER BY r.begin, r.id, x.n`, append(append([]any{db.organisation}, args...), more...)...)
		if err != nil && !errors.Is(err, errEnough) {
			yield(dmarcreport.Row{}, err)
		}
	}
}

const day = 24 * time.Hour

// ReporterDays implements [desk.ReportStore].
func (db *DB) ReporterDays(ctx context.Context, q desk.ReportQuery) ([]desk.ReporterDay, error) {
	where, args := period("r.begin", q)
	domains, more, err := db.within(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []desk.ReporterDay
	err = db.query(ctx, func(scan func(...any) error) error {
		var days int64
		var d desk.ReporterDay
		if err := scan(&days, &d.Org, &d.Domain, &d.Carrier, &d.Reports, &d.Messages); err != nil {
			return err
		}
		d.Day = timeOf(days * day.Milliseconds())
		out = append(out, d)
		return nil
	}, `SELECT r.begin / ?, r.org, r.domain, r.carrier, count(*), sum(r.messages) FROM dmarc_report AS r
		WHERE r.organisation = ?`+where+domains+` GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`, append(append([]any{day.Milliseconds(), db.organisation}, args...), more...)...)
	return out, err
}

// ReportDomains implements [desk.ReportStore].
func (db *DB) ReportDomains(ctx context.Context) ([]desk.ReportDomain, error) {
	var out []desk.ReportDomain
	err := db.query(ctx, func(scan func(...any) error) error {
		var d desk.ReportDomain
		var first, last int64
		if err := scan(&d.Domain, &d.Reports, &d.Records, &d.Messages, &first, &last); err != nil {
			return err
		}
		d.First, d.Last = timeOf(first), timeOf(last)
		out = append(out, d)
		return nil
	}, `SELECT domain, count(*), sum(records), sum(messages), min(begin), max(until) FROM dmarc_report WHERE organisation = ? GROUP BY domain ORDER BY domain`, db.organisation)
	return out, err
}

// OtherReports implements [desk.ReportStore].
func (db *DB) OtherReports(ctx context.Context, q desk.ReportQuery) iter.Seq2[desk.StoredReport, error] {
	return func(yield func(desk.StoredReport, error) bool) {
		where, args := period("at", q)
		err := db.query(ctx, func(scan func(...any) error) error {
			var kind string
			var added int64
			var hash, text sql.RawBytes
			var r desk.StoredReport
			if err := scan(&kind, &hash, &r.Carrier, &r.CarrierDomain, &added, &text); err != nil {
				return err
			}
			copy(r.Hash[:], hash)
			r.Added = timeOf(added)
			var err error
			switch kind {
			case kindTLS:
				r.TLS = &dmarcreport.TLS{}
				err = json.Unmarshal(text, r.TLS)
			default:
				r.Failure = &dmarcreport.Failure{}
				err = json.Unmarshal(text, r.Failure)
			}
			if err != nil {
				return fmt.Errorf("a report of kind %s: %w", kind, err)
			}
			if q.Domains != nil && !aboutAny(&r, q.Domains) {
				return nil
			}
			if !yield(r, nil) {
				return errEnough
			}
			return nil
		}, `SELECT kind, hash, carrier, carrier_domain, added, report FROM report_other WHERE organisation = ?`+where+` ORDER BY at, id`, append([]any{db.organisation}, args...)...)
		if err != nil && !errors.Is(err, errEnough) {
			yield(desk.StoredReport{}, err)
		}
	}
}

func aboutAny(r *desk.StoredReport, domains []domain.Name) bool {
	if r.Failure != nil {
		return isBelow(r.Failure.Domain, domains)
	}
	for i := range r.TLS.Policies {
		if isBelow(r.TLS.Policies[i].Domain, domains) {
			return true
		}
	}
	return false
}
