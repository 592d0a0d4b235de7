package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
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
		"", r.Org, "", "", r.ReportID, parsedmarcTime(r.Begin), parsedmarcTime(r.End), "False", "", r.Domain, r.Policy.ADKIM, r.Policy.ASPF, r.Policy.P, r.Policy.SP, r.Policy.Percent, r.Policy.FailureOptions,
		r.Source.String(), "", "", "", "", "", strconv.FormatInt(r.Count, 10), yes(spf), yes(dkim), yes(spf || dkim), r.Disposition, join(types), join(comments),
		r.EnvelopeFrom, r.HeaderFrom, r.EnvelopeTo, join(dd), join(ds), join(dr), join(sd), join(ss), join(sr),
	}
}

// The shapes of parsedmarc's JSON for aggregate reports, as its documentation
// shows them. What the store does not keep is null there as well.
type (
	parsedmarcReport struct {
		Schema   string `json:"xml_schema"`
		Metadata struct {
			Org      string   `json:"org_name"`
			Email    *string  `json:"org_email"`
			Contact  *string  `json:"org_extra_contact_info"`
			ID       string   `json:"report_id"`
			Begin    string   `json:"begin_date"`
			End      string   `json:"end_date"`
			Normal   bool     `json:"timespan_requires_normalization"`
			Span     int64    `json:"original_timespan_seconds"`
			Problems []string `json:"errors"`
		} `json:"report_metadata"`
		Policy struct {
			Domain string `json:"domain"`
			ADKIM  string `json:"adkim"`
			ASPF   string `json:"aspf"`
			P      string `json:"p"`
			SP     string `json:"sp"`
			Pct    string `json:"pct"`
			Fo     string `json:"fo"`
		} `json:"policy_published"`
		Records []parsedmarcRecord `json:"records"`
	}
	parsedmarcRecord struct {
		Begin  string `json:"interval_begin"`
		End    string `json:"interval_end"`
		Normal bool   `json:"normalized_timespan"`
		Source struct {
			Address string  `json:"ip_address"`
			Country *string `json:"country"`
			Reverse *string `json:"reverse_dns"`
			Base    *string `json:"base_domain"`
			Name    *string `json:"name"`
			Type    *string `json:"type"`
		} `json:"source"`
		Count     int64 `json:"count"`
		Alignment struct {
			SPF   bool `json:"spf"`
			DKIM  bool `json:"dkim"`
			DMARC bool `json:"dmarc"`
		} `json:"alignment"`
		Evaluated struct {
			Disposition string             `json:"disposition"`
			DKIM        string             `json:"dkim"`
			SPF         string             `json:"spf"`
			Reasons     []parsedmarcReason `json:"policy_override_reasons"`
		} `json:"policy_evaluated"`
		Identifiers struct {
			HeaderFrom   string `json:"header_from"`
			EnvelopeFrom string `json:"envelope_from"`
			EnvelopeTo   string `json:"envelope_to"`
		} `json:"identifiers"`
		Auth struct {
			DKIM []parsedmarcDKIM `json:"dkim"`
			SPF  []parsedmarcSPF  `json:"spf"`
		} `json:"auth_results"`
	}
	parsedmarcReason struct {
		Type    string `json:"type"`
		Comment string `json:"comment"`
	}
	parsedmarcDKIM struct {
		Domain   string `json:"domain"`
		Selector string `json:"selector"`
		Result   string `json:"result"`
	}
	parsedmarcSPF struct {
		Domain string `json:"domain"`
		Scope  string `json:"scope"`
		Result string `json:"result"`
	}
)

// parsedmarcJSON writes reports as parsedmarc does: an array, one report after
// the other, so that no more than one is in memory beside what is written.
func parsedmarcJSON(ctx context.Context, out *bytes.Buffer, in *desk.DMARCReportInput, deps *desk.DMARCDeps) error {
	var open *parsedmarcReport
	var of dmarcreport.Row
	separator := "[\n"
	flush := func() error {
		if open == nil {
			return nil
		}
		b, err := json.MarshalIndent(open, "  ", "  ")
		if err != nil {
			return fmt.Errorf("writing JSON: %w", err)
		}
		out.WriteString(separator + "  ")
		out.Write(b)
		separator = ",\n"
		return nil
	}
	err := desk.DMARCRows(ctx, in, deps, func(row *dmarcreport.Row) error {
		if open == nil || row.Org != of.Org || row.ReportID != of.ReportID || row.Domain != of.Domain || !row.Begin.Equal(of.Begin) || !row.End.Equal(of.End) {
			if err := flush(); err != nil {
				return err
			}
			open, of = newParsedmarcReport(row), *row
		}
		open.Records = append(open.Records, newParsedmarcRecord(row))
		return nil
	})
	if err != nil {
		return err
	}
	if err := flush(); err != nil {
		return err
	}
	out.WriteString("\n]\n")
	return nil
}

func parsedmarcTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateTime)
}

func newParsedmarcReport(r *dmarcreport.Row) *parsedmarcReport {
	p := &parsedmarcReport{}
	m := &p.Metadata
	m.Org, m.ID, m.Begin, m.End, m.Problems = r.Org, r.ReportID, parsedmarcTime(r.Begin), parsedmarcTime(r.End), []string{}
	if !r.Begin.IsZero() && !r.End.IsZero() {
		m.Span = int64(r.End.Sub(r.Begin).Seconds())
	}
	q := &p.Policy
	q.Domain, q.ADKIM, q.ASPF, q.P, q.SP, q.Pct, q.Fo = r.Domain, r.Policy.ADKIM, r.Policy.ASPF, r.Policy.P, r.Policy.SP, r.Policy.Percent, r.Policy.FailureOptions
	return p
}

func newParsedmarcRecord(r *dmarcreport.Row) parsedmarcRecord {
	var p parsedmarcRecord
	p.Begin, p.End = parsedmarcTime(r.Begin), parsedmarcTime(r.End)
	p.Source.Address, p.Count = r.Source.String(), r.Count
	p.Alignment.SPF, p.Alignment.DKIM = r.SPF == "pass", r.DKIM == "pass"
	p.Alignment.DMARC = p.Alignment.SPF || p.Alignment.DKIM
	p.Evaluated.Disposition, p.Evaluated.DKIM, p.Evaluated.SPF, p.Evaluated.Reasons = r.Disposition, r.DKIM, r.SPF, []parsedmarcReason{}
	for _, x := range r.Reasons {
		p.Evaluated.Reasons = append(p.Evaluated.Reasons, parsedmarcReason{x.Type, x.Comment})
	}
	p.Identifiers.HeaderFrom, p.Identifiers.EnvelopeFrom, p.Identifiers.EnvelopeTo = r.HeaderFrom, r.EnvelopeFrom, r.EnvelopeTo
	p.Auth.DKIM, p.Auth.SPF = []parsedmarcDKIM{}, []parsedmarcSPF{}
	for _, x := range r.DKIMResults {
		p.Auth.DKIM = append(p.Auth.DKIM, parsedmarcDKIM{x.Domain, x.Selector, x.Result})
	}
	for _, x := range r.SPFResults {
		p.Auth.SPF = append(p.Auth.SPF, parsedmarcSPF{x.Domain, x.Scope, x.Result})
	}
	return p
}
