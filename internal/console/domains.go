package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/requirement"
)

// Bounds of the pages of domains.
const (
	domainTime   = 90 * time.Second
	maxRecords   = 64 << 10 // bytes of records that are not published yet
	shownSources = 15
	chartDays    = 90
)

func (c *Console) domainRoutes() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: "/domains", Rule: web.Login, Handler: c.domains},
		{Method: http.MethodPost, Pattern: "/domains", Rule: web.Login, Body: maxRecords, Time: domainTime, Handler: c.checkDomain},
	}
}

// domainsPage is the organisation's domains, and who sends as them.
type domainsPage struct {
	Domains []string
	Reports []dmarcView
	Form    *form
	Checked []*domainView
}

// dmarcView is who sends as a domain, with its chart.
type dmarcView struct {
	desk.DMARCReport

	Chart *chart // nil without days
	Rest  int    // sources that are not shown
}

// domainView is a domain held against what receivers require.
type domainView struct {
	*desk.DomainReport

	Rows []requirementRow
}

// requirementRow is one requirement across the receivers.
type requirementRow struct {
	Label  lang.Text
	Cells  []*desk.CellView // one for each receiver; nil where it asks nothing
	Mend   lang.Text
	Reason lang.Text
	Source string
}

func (c *Console) domains(w http.ResponseWriter, r *http.Request) { c.showDomains(w, r, nil, nil) }

func (c *Console) showDomains(w http.ResponseWriter, r *http.Request, f *form, checked []*domainView) {
	p := &domainsPage{Domains: c.Config.Facts.Domains.Value(), Form: f, Checked: checked}
	list, err := desk.ReportDMARC(r.Context(), &desk.DMARCReportInput{}, &desk.DMARCDeps{Store: c.Reports, Facts: c.Config.Facts, Words: c.Words, Now: c.Now})
	if e, ok := errors.AsType[*desk.Error](err); err != nil && (!ok || e.Kind != desk.NotFound) { // there may be no reports yet
		c.fail(w, r, err)
		return
	}
	for _, d := range list {
		if d.Messages == 0 {
			continue
		}
		v := dmarcView{DMARCReport: d, Chart: volume(d.Days)}
		if n := len(v.Sources) - shownSources; n > 0 {
			v.Sources, v.Rest = v.Sources[:shownSources], n
		}
		p.Reports = append(p.Reports, v)
	}
	status := http.StatusOK
	if f != nil && f.Error != nil {
		status = http.StatusUnprocessableEntity
	}
	c.pageStatus(w, r, status, "domains", p)
}

// checkDomain asks DNS what a domain publishes.
func (c *Console) checkDomain(w http.ResponseWriter, r *http.Request) {
	f := newForm(r, "domain", "records")
	judging, err := c.Mail.Judge(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	seq, err := desk.DomainCheck(r.Context(), desk.DomainInput{Domains: strings.Fields(f.Values["domain"]), Records: f.Values["records"], Volume: -1}, desk.DomainDeps{
		Resolver: judging.Resolver, Reports: c.Reports, Facts: c.Config.Facts, Words: c.Words, Now: c.Now,
	})
	if err != nil {
		if !f.refuse(err) {
			c.fail(w, r, err)
			return
		}
		c.showDomains(w, r, f, nil)
		return
	}
	var out []*domainView
	for d := range seq {
		out = append(out, &domainView{d, requirementRows(d.Requirements)})
	}
	c.showDomains(w, r, f, out)
}

// requirementRows turns the list of each receiver into a table.
func requirementRows(v *desk.RequirementsView) []requirementRow {
	if v == nil {
		return nil
	}
	var out []requirementRow
	at := map[requirement.Check]int{}
	for i := range v.Receivers {
		for j := range v.Receivers[i].Cells {
			cell := &v.Receivers[i].Cells[j]
			k, known := at[cell.Check]
			if !known {
				k = len(out)
				at[cell.Check] = k
				out = append(out, requirementRow{Label: cell.Label, Cells: make([]*desk.CellView, len(v.Receivers))})
			}
			if old := out[k].Cells[i]; old == nil || worse(cell.State, old.State) {
				out[k].Cells[i] = cell
			}
			if cell.State == requirement.Unmet || cell.State == requirement.Unknown {
				if out[k].Reason == (lang.Text{}) {
					out[k].Reason, out[k].Mend, out[k].Source = cell.Reason, cell.Mend, cell.Source
					if out[k].Mend == (lang.Text{}) {
						out[k].Mend = cell.Find
					}
				}
			}
		}
	}
	return out
}

// worse orders states by how much they ask for.
func worse(a, b requirement.State) bool {
	order := []requirement.State{requirement.Exempt, requirement.Met, requirement.Unknown, requirement.Unmet}
	return slices.Index(order, a) > slices.Index(order, b)
}

// chart is the messages of each day, the newest at the right, as stacked bars.
type chart struct {
	Most        int64
	First, Last string
	End         float64 // where the last day ends
	Bars        []bar
}

// bar is the messages of one day and class.
type bar struct {
	Class      string
	X, Y, W, H float64
}

// Both reports whether there is room to name the last day too.
func (c *chart) Both() bool { return c.End > 200 }

// The chart's size, in its own units.
const (
	chartWidth  = 720.0
	chartHeight = 120.0
)

// volume draws the days, nil if there are none.
func volume(days []desk.DMARCDay) *chart {
	days = days[max(0, len(days)-chartDays):]
	if len(days) == 0 {
		return nil
	}
	out := &chart{Most: 1, First: days[0].Date, Last: days[len(days)-1].Date}
	for i := range days {
		d := &days[i]
		out.Most = max(out.Most, d.Own+d.Service+d.Forwarder+d.Unknown+d.Threat)
	}
	step := min(chartWidth/float64(len(days)), 24)
	out.End = step * float64(len(days))
	for i := range days {
		d, y := &days[i], chartHeight
		for _, part := range []struct {
			class string
			n     int64
		}{{"own", d.Own}, {"service", d.Service}, {"forwarder", d.Forwarder}, {"unknown", d.Unknown}, {"threat", d.Threat}} {
			if part.n == 0 {
				continue
			}
			h := chartHeight * float64(part.n) / float64(out.Most)
			y -= h
			out.Bars = append(out.Bars, bar{part.class, float64(i) * step, y, max(step-1, 1), h})
		}
	}
	return out
}
