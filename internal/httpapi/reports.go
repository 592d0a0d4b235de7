package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
)

var domainsParam = param{name: "domain", kind: "string", many: true, about: "Only that domain; without it, those of the organisation."}

func reportEndpoints() []endpoint {
	return []endpoint{
		{
			id: "ingestReports", method: http.MethodPost, path: "/dmarc/reports", scope: desk.ReportWrite, summary: "Take reports on DMARC and TLS in",
			about:  "What is there already counts once.",
			params: []param{nameParam},
			body: &body{
				about: "A report (.xml, .xml.gz, .zip, .json), or mails and mailboxes that bring some.",
				types: []string{"application/octet-stream", "message/rfc822", "application/zip", "application/gzip", "application/xml"}, parts: true,
			},
			answer: answer{schema: "dmarc-ingest.v1", events: true}, size: maxUpload, time: longest, heavy: true, handle: (*api).ingest,
		},
		{
			id: "reportDMARC", method: http.MethodGet, path: "/dmarc/report", scope: desk.ReportRead, summary: "Who sends as the organisation's domains",
			params: []param{
				domainsParam,
				{name: "since", kind: "string", form: "date", about: "First day of reports."},
				{name: "until", kind: "string", form: "date", about: "Last day of reports."},
			},
			answer: answer{schema: "dmarc-report.v1", list: true}, time: domainTime, heavy: true, handle: (*api).reportDMARC,
		},
		{
			id: "adviseDMARC", method: http.MethodGet, path: "/dmarc/advice", scope: desk.ReportRead, summary: "Whether the next step of a DMARC policy is safe",
			params: []param{
				domainsParam,
				{name: "policy", kind: "string", about: "The policy that is published, such as quarantine; without it, DNS is asked."},
				{name: "people", kind: "boolean", about: "Whether people write from the domains."},
			},
			answer: answer{schema: "dmarc-advice.v1", list: true}, time: domainTime, heavy: true, handle: (*api).adviseDMARC,
		},
	}
}

func (a *api) ingest(w http.ResponseWriter, r *http.Request) error {
	files, err := received(r)
	if err != nil {
		return err
	}
	return a.long(w, r, func(ctx context.Context, report func(done, total int)) (any, error) {
		done := 0
		counted := func(yield func(desk.ReportFile) bool) {
			for f := range a.reports(ctx, files) {
				if !yield(f) {
					return
				}
				done++
				report(done, 0)
			}
		}
		return desk.IngestReports(ctx, counted, desk.ReportIntake{Store: a.Reports, Facts: a.Config.Facts, Now: a.Now(), Words: a.Words})
	})
}

func (a *api) dmarcDeps() (*desk.DMARCDeps, error) {
	deps := &desk.DMARCDeps{Store: a.Reports, Facts: a.Config.Facts, Words: a.Words, Now: a.Now}
	var err error
	if deps.Resolver, _, err = a.DNS(); err != nil {
		return nil, err
	}
	if a.Senders != nil {
		deps.Verdicts, err = a.Senders()
	}
	return deps, err
}

func domainsOf(q url.Values) ([]domain.Name, error) {
	var out []domain.Name
	for _, s := range q["domain"] {
		n, err := domain.Parse(s)
		if err != nil {
			return nil, noDomain(s, err)
		}
		out = append(out, n)
	}
	return out, nil
}

func (a *api) reportDMARC(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	in := &desk.DMARCReportInput{}
	var err error
	if in.Domains, err = domainsOf(q); err != nil {
		return err
	}
	if in.Since, err = instant(q, "since", time.UTC); err != nil {
		return err
	}
	if in.Until, err = instant(q, "until", time.UTC); err != nil {
		return err
	}
	if !in.Until.IsZero() {
		in.Until = in.Until.AddDate(0, 0, 1)
	}
	deps, err := a.dmarcDeps()
	if err != nil {
		return err
	}
	list, err := desk.ReportDMARC(r.Context(), in, deps)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, list)
}

func (a *api) adviseDMARC(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	in := &desk.DMARCAdviseInput{Policy: q.Get("policy")}
	var err error
	if in.Domains, err = domainsOf(q); err != nil {
		return err
	}
	if q.Has("people") {
		people, err := flag(q, "people")
		if err != nil {
			return err
		}
		in.People = &people
	}
	deps, err := a.dmarcDeps()
	if err != nil {
		return err
	}
	list, err := desk.AdviseDMARC(r.Context(), in, deps)
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, list)
}
