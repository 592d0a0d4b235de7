package console

import (
	"errors"
	"fmt"
	"html/template"
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

	Chart template.HTML
	Rest  int // sources that are not shown
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
		v := dmarcView{DMARCReport: d, Chart: c.volume(c.language(r), d.Days)}
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

// volume draws the messages of each day, the newest at the right, as stacked
// bars.
func (c *Console) volume(l lang.Language, days []desk.DMARCDay) template.HTML {
	days = days[max(0, len(days)-chartDays):]
	most := int64(1)
	total := func(d *desk.DMARCDay) int64 { return d.Own + d.Service + d.Forwarder + d.Unknown + d.Threat }
	for i := range days {
		most = max(most, total(&days[i]))
	}
	if len(days) == 0 {
		return ""
	}
	const width, height = 720.0, 120.0
	step := min(width/float64(len(days)), 24)
	var b strings.Builder
	e := template.HTMLEscapeString
	fmt.Fprintf(&b, `<svg class="chart" viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height+18, e(c.say(l, "domains.chart", "from", days[0].Date, "until", days[len(days)-1].Date, "n", int(most))))
	fmt.Fprintf(&b, `<line class="axis" x1="0" y1="%g" x2="%g" y2="%g"/>`, height, width, height)
	for i := range days {
		d, y := &days[i], height
		for _, part := range []struct {
			class string
			n     int64
		}{{"own", d.Own}, {"service", d.Service}, {"forwarder", d.Forwarder}, {"unknown", d.Unknown}, {"threat", d.Threat}} {
			if part.n == 0 {
				continue
			}
			h := height * float64(part.n) / float64(most)
			y -= h
			fmt.Fprintf(&b, `<rect class="c-%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, part.class, float64(i)*step, y, max(step-1, 1), h)
		}
	}
	fmt.Fprintf(&b, `<text x="0" y="%g">%s</text>`, height+14, e(days[0].Date))
	if end := step * float64(len(days)); end > 200 { // both have room
		fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="end">%s</text>`, end, height+14, e(days[len(days)-1].Date))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, and words that were escaped
}
