package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/internal/desk"
)

// parsedmarcColumns are the columns of parsedmarc's CSV for aggregate reports,
// as its documentation shows them
// (https://domainaware.github.io/parsedmarc/output.html). Those about which the
// store keeps nothing stay empty.
var parsedmarcColumns = [...]string{
	"xml_schema", "org_name", "org_email", "org_extra_contact_info", "report_id", "begin_date", "end_date", "normalized_timespan", "errors", "domain", "adkim", "aspf",
	"p", "sp", "pct", "fo", "source_ip_address", "source_country", "source_reverse_dns", "source_base_domain", "source_name", "source_type", "count", "spf_aligned",
	"dkim_aligned", "dmarc_aligned", "disposition", "policy_override_reasons", "policy_override_comments", "envelope_from", "header_from", "envelope_to", "dkim_domains",
	"dkim_selectors", "dkim_results", "spf_domains", "spf_scopes", "spf_results",
}

// parsedmarcCSV writes rows as parsedmarc does.
func parsedmarcCSV(ctx context.Context, out io.Writer, in *desk.DMARCReportInput, deps *desk.DMARCDeps) error {
	w := csv.NewWriter(out)
	if err := w.Write(parsedmarcColumns[:]); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	err := desk.DMARCRows(ctx, in, deps, func(row *dmarcreport.Row) error {
		cells := parsedmarcRow(row)
		for i := range cells {
			cells[i] = cell(cells[i])
		}
		return w.Write(cells)
	})
	w.Flush()
	if err != nil {
		return err
	}
	return w.Error()
}

func parsedmarcRow(r *dmarcreport.Row) []string {
	yes := func(v bool) string {
		if v {
			return "True"
		}
		return "False"
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.DateTime)
	}
	spf, dkim := r.SPF == "pass", r.DKIM == "pass"
	var types, comments, dd, ds, dr, sd, ss, sr []string
	for _, x := range r.Reasons {
		types, comments = append(types, x.Type), append(comments, x.Comment)
	}
	for _, x := range r.DKIMResults {
		dd, ds, dr = append(dd, x.Domain), append(ds, x.Selector), append(dr, x.Result)
	}
	for _, x := range r.SPFResults {
		sd, ss, sr = append(sd, x.Domain), append(ss, x.Scope), append(sr, x.Result)
	}
	join := func(list []string) string { return strings.Join(list, ",") }
	return []string{
		"", r.Org, "", "", r.ReportID, at(r.Begin), at(r.End), "False", "", r.Domain, r.Policy.ADKIM, r.Policy.ASPF, r.Policy.P, r.Policy.SP, r.Policy.Percent, r.Policy.FailureOptions,
		r.Source.String(), "", "", "", "", "", strconv.FormatInt(r.Count, 10), yes(spf), yes(dkim), yes(spf || dkim), r.Disposition, join(types), join(comments),
		r.EnvelopeFrom, r.HeaderFrom, r.EnvelopeTo, join(dd), join(ds), join(dr), join(sd), join(ss), join(sr),
	}
}
