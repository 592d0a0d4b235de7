package console

import (
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

func (c *Console) auditRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/audit", Rule: web.Admin, Handler: c.audit},
		{Method: http.MethodPost, Pattern: "/audit/verify", Rule: web.Admin, Handler: c.verifyAudit},
	}
}

// auditPage is a page of the audit log.
type auditPage struct {
	Entries []auditRow
	Pager   pager
	Report  *auditReport // nil where nobody asked
}

// auditRow is an entry in words.
type auditRow struct {
	desk.AuditEntry

	Short string // of the object
}

// auditReport is whether the log is whole.
type auditReport struct {
	desk.AuditReport

	Hash string
}

const auditPageSize = 50

func (c *Console) audit(w http.ResponseWriter, r *http.Request) { c.showAudit(w, r, nil) }

func (c *Console) showAudit(w http.ResponseWriter, r *http.Request, report *auditReport) {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	list, err := c.Account.Audit.Audit(r.Context(), before, auditPageSize+1)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	p := auditPage{Report: report}
	if len(list) > auditPageSize {
		list = list[:auditPageSize]
		p.Pager.Older = "/audit?before=" + strconv.FormatInt(list[auditPageSize-1].Number, 10)
	}
	if before > 0 {
		p.Pager.Newest = "/audit"
	}
	for _, e := range list {
		p.Entries = append(p.Entries, auditRow{e, e.Object[:min(len(e.Object), 16)]})
	}
	c.page(w, r, "audit", p)
}

func (c *Console) verifyAudit(w http.ResponseWriter, r *http.Request) {
	report, err := desk.VerifyAudit(r.Context(), c.Account.Audit)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showAudit(w, r, &auditReport{*report, hex.EncodeToString(report.Head[:])})
}
