package cli

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"

	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/internal/desk"
)

// dmarcPage is one self-contained page: no script, no request, readable on a
// telephone, on paper and in the dark.
const dmarcPage = `<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
:root{--bg:#fff;--fg:#1b1f24;--dim:#5b6470;--line:#d5dae0;--own:#2b6cb0;--service:#2f855a;--forwarder:#8a8f98;--unknown:#b7791f;--threat:#c53030}
@media(prefers-color-scheme:dark){:root{--bg:#15181c;--fg:#e6e9ee;--dim:#9aa4b1;--line:#333a43;--own:#63a4e8;--service:#5fbf8a;--forwarder:#9aa1ab;--unknown:#e0b25a;--threat:#f07878}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1.5rem 1rem;background:var(--bg);color:var(--fg);font:16px/1.6 "Hiragino Sans","Yu Gothic UI","Noto Sans JP","Noto Sans CJK JP","Segoe UI",system-ui,sans-serif}
html[lang=ja] body{line-height:1.7}
h1{font-size:1.5rem;margin:2rem 0 .25rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.25rem 0}.dim{color:var(--dim)}
svg{width:100%;height:auto;display:block}svg text{fill:var(--dim);font-size:11px}
.own{fill:var(--own)}.service{fill:var(--service)}.forwarder{fill:var(--forwarder)}.unknown{fill:var(--unknown)}.threat{fill:var(--threat)}
.grid{stroke:var(--line);stroke-width:1}.share{fill:none;stroke:var(--service);stroke-width:2}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:.5rem 0;list-style:none}
.key svg{display:inline-block;width:.8rem;height:.8rem;margin-right:.35rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--dim);font-weight:600;white-space:nowrap}.n{text-align:right;white-space:nowrap}.d{white-space:nowrap}
td ul{margin:0;padding:0;list-style:none;color:var(--dim);font-size:.85em}
@media(max-width:40rem){.wide{display:none}}
@media print{@page{size:A4;margin:15mm}body{max-width:none;padding:0;font-size:10pt}tr,svg{break-inside:avoid}}
</style>
</head>
<body>
{{range .Reports}}<h1>{{.Title}}</h1>
<p class="dim">{{.Period}}</p>
<p>{{.Summary}}</p>
{{range .Notes}}<p class="dim">{{.}}</p>
{{end}}{{if .Volume}}<h2>{{$.Say "html.volume"}}</h2>
{{.Volume}}
<ul class="key">{{range .Classes}}<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{{.Class}}" width="10" height="10"/></svg>{{.Name}} {{.Messages}}</li>{{end}}</ul>
<h2>{{$.Say "html.share"}}</h2>
{{.Share}}
{{end}}<h2>{{$.Say "html.sources"}}</h2>
<div class="scroll"><table>
<thead><tr><th>{{$.Say "column.class"}}</th><th>{{$.Say "column.source"}}</th><th class="n">{{$.Say "column.messages"}}</th><th class="n">{{$.Say "column.pass"}}</th><th class="n wide">SPF</th><th class="n wide">DKIM</th><th class="wide">{{$.Say "column.trend"}}</th><th class="wide">{{$.Say "column.first"}}</th><th class="wide">{{$.Say "column.last"}}</th></tr></thead>
<tbody>
{{range .Sources}}<tr><td class="d">{{.Class}}</td><td>{{.Name}}{{with .Reasons}}<ul>{{range .}}<li>{{.}}</li>{{end}}</ul>{{end}}</td><td class="n">{{.Messages}}</td><td class="n">{{.Pass}}</td><td class="n wide">{{.SPF}}</td><td class="n wide">{{.DKIM}}</td><td class="wide">{{.Trend}}</td><td class="d wide">{{.First}}</td><td class="d wide">{{.Last}}</td></tr>
{{end}}</tbody></table></div>
{{with .More}}<p class="dim">{{.}}</p>
{{end}}<h2>{{$.Say "html.reporters"}}</h2>
<div class="scroll"><table>
<thead><tr><th></th><th class="n">{{$.Say "html.days"}}</th><th class="n">{{$.Say "column.messages"}}</th><th>{{$.Say "column.last"}}</th></tr></thead>
<tbody>
{{range .Reporters}}<tr><td>{{.Name}}</td><td class="n">{{.Days}}</td><td class="n">{{.Messages}}</td><td class="d">{{.Last}}</td></tr>
{{end}}</tbody></table></div>
{{end}}<p class="dim">{{.Footer}}</p>
</body>
</html>
`

// htmlSources and htmlReporters are the rows that a page shows.
const (
	htmlSources   = 200
	htmlReporters = 50
)

type htmlPage struct {
	Lang, Title, Footer string
	Reports             []htmlReport

	say func(key string) string
}

// Say returns the words of a key below cli.dmarcpolicy.
func (p *htmlPage) Say(key string) string { return p.say(key) }

type htmlReport struct {
	Title, Period, Summary, More string
	Notes                        []string
	Volume, Share                template.HTML
	Classes                      []htmlClass
	Sources                      []htmlSource
	Reporters                    []desk.DMARCReporter
}

type htmlClass struct{ Class, Name, Messages string }

type htmlSource struct {
	Class, Name, Messages, Pass, SPF, DKIM, Trend, First, Last string
	Reasons                                                    []string
}

// dmarcHTML writes the page.
func (r *run) dmarcHTML(out *bytes.Buffer, list []desk.DMARCReport) error {
	t, err := template.New("dmarc").Parse(dmarcPage)
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	page := &htmlPage{
		Lang: string(r.lang), Footer: r.say("cli.dmarcpolicy.html.written", "date", r.Now()),
		say: func(key string) string { return r.say("cli.dmarcpolicy." + key) },
	}
	for i := range list {
		page.Reports = append(page.Reports, r.htmlReport(&list[i]))
	}
	page.Title = page.Reports[0].Title
	if err := t.Execute(out, page); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

func (r *run) htmlReport(d *desk.DMARCReport) htmlReport {
	out := htmlReport{
		Title:   r.say("cli.dmarcpolicy.html.title", "domain", d.Domain.Unicode()),
		Period:  r.say("cli.dmarcpolicy.period", "from", d.From, "until", d.Until, "reporters", len(d.Reporters)),
		Summary: d.Summary.In(r.lang), Reporters: d.Reporters[:min(len(d.Reporters), htmlReporters)],
	}
	if d.Unproven > 0 {
		out.Notes = append(out.Notes, r.say("cli.dmarcpolicy.unproven", "n", d.Unproven))
	}
	for _, s := range d.Unchecked {
		out.Notes = append(out.Notes, s.In(r.lang))
	}
	for _, c := range d.Classes {
		out.Classes = append(out.Classes, htmlClass{string(c.Class), r.say("cli.dmarcpolicy.class." + string(c.Class)), r.thousands(c.Messages)})
	}
	rest, messages := 0, int64(0)
	for i := range d.Sources {
		s := &d.Sources[i]
		if i >= htmlSources {
			rest++
			messages += s.Messages
			continue
		}
		h := htmlSource{
			Class: classSymbol(s.Class) + " " + r.say("cli.dmarcpolicy.class."+string(s.Class)), Name: s.Name, Messages: r.thousands(s.Messages),
			Pass: shareText(s.Pass, s.Messages), SPF: shareText(s.SPF, s.Messages), DKIM: shareText(s.DKIM, s.Messages),
			Trend: r.say("cli.dmarcpolicy.trend." + string(s.Trend)), First: s.First, Last: s.Last,
		}
		for _, x := range s.Reasons {
			h.Reasons = append(h.Reasons, x.Text.In(r.lang))
		}
		out.Sources = append(out.Sources, h)
	}
	if rest > 0 {
		out.More = r.say("cli.dmarcpolicy.html.more", "n", rest, "messages", messages)
	}
	if len(d.Days) > 0 {
		label := func(key string) string {
			return r.say("cli.dmarcpolicy.html.chart", "title", r.say("cli.dmarcpolicy.html."+key), "from", d.From, "until", d.Until)
		}
		out.Volume = volumeChart(d.Days, label("volume"), r.thousands)
		out.Share = shareChart(d.Days, label("share"))
	}
	return out
}

// The measures of a chart, in its own units.
const (
	chartWidth, chartHeight = 800, 220
	chartLeft, chartBottom  = 56, 24
	chartTop                = 10
	maxBars                 = 120
)

// bar is one or more days.
type bar struct {
	first   string
	n       map[source.Class]int64
	pass    int64
	total   int64
	ofOwner int64
}

// bars joins days so that a chart has at most maxBars.
func bars(days []desk.DMARCDay) []bar {
	each := (len(days) + maxBars - 1) / maxBars
	var out []bar
	for i := range days {
		if i%each == 0 {
			out = append(out, bar{first: days[i].Date, n: map[source.Class]int64{}})
		}
		b := &out[len(out)-1]
		for _, c := range source.Classes() {
			n := days[i].Of(c)
			b.n[c] += n
			b.total += n
		}
		b.ofOwner += days[i].Wanted()
		b.pass += days[i].WantedPass
	}
	return out
}

// niceCeil is the next number that is easy to read: 1, 2 or 5 with zeros.
func niceCeil(n int64) int64 {
	for unit := int64(1); unit > 0 && unit < 1<<60; unit *= 10 {
		for _, m := range []int64{1, 2, 5} {
			if m*unit >= n {
				return m * unit
			}
		}
	}
	return n
}

// chart begins a chart with its lines. All that stands in it are numbers,
// dates and the escaped label.
func chart(b *strings.Builder, label, top string, list []bar) (step float64) {
	fmt.Fprintf(b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, chartWidth, chartHeight, template.HTMLEscapeString(label))
	for _, y := range []int{chartTop, (chartTop + chartHeight - chartBottom) / 2, chartHeight - chartBottom} {
		fmt.Fprintf(b, `<line class="grid" x1="%d" x2="%d" y1="%d" y2="%d"/>`, chartLeft, chartWidth, y, y)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><text x="%d" y="%d" text-anchor="end">0</text>`, chartLeft-6, chartTop+4, template.HTMLEscapeString(top), chartLeft-6, chartHeight-chartBottom+4)
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, chartLeft, chartHeight-6, template.HTMLEscapeString(list[0].first))
	if n := len(list); n > 1 {
		fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, chartWidth, chartHeight-6, template.HTMLEscapeString(list[n-1].first))
	}
	return float64(chartWidth-chartLeft) / float64(len(list))
}

// volumeChart stacks the messages of each day by class.
func volumeChart(days []desk.DMARCDay, label string, number func(int64) string) template.HTML {
	list := bars(days)
	most := int64(1)
	for i := range list {
		most = max(most, list[i].total)
	}
	most = niceCeil(most)
	var b strings.Builder
	step := chart(&b, label, number(most), list)
	scale := float64(chartHeight-chartBottom-chartTop) / float64(most)
	for i := range list {
		y := float64(chartHeight - chartBottom)
		for _, c := range source.Classes() {
			h := float64(list[i].n[c]) * scale
			if h == 0 {
				continue
			}
			y -= h
			fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, c, chartLeft+float64(i)*step, y, max(step*0.85, 0.5), h)
		}
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // #nosec G203 -- made of numbers and escaped words
}

// shareChart draws how much of the owner's mail passed; days without any leave
// a gap.
func shareChart(days []desk.DMARCDay, label string) template.HTML {
	list := bars(days)
	var b strings.Builder
	step := chart(&b, label, "100 %", list)
	b.WriteString(`<path class="share" d="`)
	pen := "M"
	for i := range list {
		if list[i].ofOwner == 0 {
			pen = "M"
			continue
		}
		y := float64(chartHeight-chartBottom) - float64(list[i].pass)/float64(list[i].ofOwner)*float64(chartHeight-chartBottom-chartTop)
		x := chartLeft + (float64(i)+0.5)*step
		fmt.Fprintf(&b, "%s%.1f %.1f", pen, x, y)
		if pen == "M" { // a day alone is a dot
			fmt.Fprintf(&b, "L%.1f %.1f", x+0.5, y)
		}
		pen = "L"
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()) // #nosec G203 -- made of numbers
}
