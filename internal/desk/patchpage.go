package desk

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
)

// PatchAudience is for whom a page about updates is.
type PatchAudience string

// The audiences.
const (
	PatchManager PatchAudience = "manager" // one sheet: how we stand, what is due
	PatchAdmin   PatchAudience = "admin"   // every entry that needs work
)

// maxPageRows is how many entries a page lists; the rest is counted.
const maxPageRows = 3000

const patchPageText = `<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
@page { size: A4; margin: 12mm 14mm; }
:root { --ink: #1a1a1a; --soft: #5a6472; --line: #d8dce2; --paper: #fff; --bad: #b3261e; --warn: #b45309; --good: #1b6e3c; --tint: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a5adb8; --line: #3b424c; --paper: #15181c; --bad: #ff8a80; --warn: #ffb95c; --good: #7ddba0; --tint: #1e2329; } }
* { box-sizing: border-box; }
body { font-family: "Hiragino Sans","Yu Gothic UI","Noto Sans JP",Meiryo,"Segoe UI",sans-serif; font-size: 15px; line-height: 1.7; color: var(--ink); background: var(--paper); margin: 2em auto; max-width: 62em; padding: 0 1em; }
li { margin: .2em 0; } h1 { font-size: 1.4em; line-height: 1.4; margin: 0 0 .2em; } h2 { font-size: 1.05em; margin: 1.6em 0 .4em; }
.soft { color: var(--soft); } .bad { color: var(--bad); } .warn { color: var(--warn); } .good { color: var(--good); }
.boxes { display: flex; flex-wrap: wrap; gap: .7em; margin: 1em 0; padding: 0; list-style: none; }
.box { flex: 1 1 8em; border: 1px solid var(--line); border-radius: 6px; padding: .5em .9em; background: var(--tint); }
.box b { display: block; font-size: 1.7em; line-height: 1.3; font-variant-numeric: tabular-nums; }
svg { display: block; width: 100%; height: 14px; margin: .4em 0; }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; color: var(--soft); } th, td { padding: .35em .9em .35em 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.m { overflow-wrap: anywhere; }
ul.plain { padding-left: 1.2em; margin: .3em 0; }
@media print { :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --bad: #b3261e; --warn: #8a4106; --good: #14532d; --tint: #f4f6f9; } body { margin: 0; max-width: none; font-size: 9.5pt; line-height: 1.5; } h2 { margin-top: .9em; } .box { flex-basis: 5.5em; padding: .2em .7em; } th, td { padding-top: .15em; padding-bottom: .15em; } td, th { font-size: 8.5pt; } tr, .box { break-inside: avoid; } }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p class="soft">{{.AsOf}}</p>
<ul class="boxes">{{range .Boxes}}<li class="box {{.Class}}"><b>{{.N}}</b>{{.Label}}</li>{{end}}</ul>
{{if .Bar}}<svg viewBox="0 0 1000 14" preserveAspectRatio="none" role="img" aria-label="{{.BarLabel}}">{{range .Bar}}<rect x="{{.X}}" y="0" width="{{.W}}" height="14" fill="{{.Fill}}"><title>{{.Label}}</title></rect>{{end}}</svg>{{end}}
{{if .Decide}}<h2>{{.DecideHead}}</h2><ul class="plain">{{range .Decide}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{if .Story}}<h2>{{.StoryHead}}</h2><ul class="plain">{{range .Story}}<li>{{.}}</li>{{end}}</ul>{{end}}
{{if .Products}}<h2>{{.ProductsHead}}</h2>
<div class="wide"><table><tr>{{range .ProductColumns}}<th>{{.}}</th>{{end}}</tr>
{{range .Products}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table></div>{{end}}
{{if .Rows}}<h2>{{.RowsHead}}</h2>
<div class="wide"><table><tr>{{range .Columns}}<th>{{.}}</th>{{end}}</tr>
{{range .Rows}}<tr><td class="{{.Class}}">{{.Status}}</td><td class="m">{{.Device}}</td><td>{{.Product}}</td><td class="m">{{.Version}}</td><td class="m">{{.Reason}}</td><td>{{.Due}}</td></tr>
{{end}}</table></div>{{end}}
{{if .More}}<p class="soft">{{.More}}</p>{{end}}
{{if .Notes}}<h2>{{.NotesHead}}</h2><ul class="plain">{{range .Notes}}<li>{{.}}</li>{{end}}</ul>{{end}}
</body>
</html>
`

type patchBox struct {
	N     int
	Label string
	Class string
}

type patchBar struct {
	X, W  int
	Fill  template.CSS
	Label string
}

type patchRow struct {
	Status, Class, Device, Product, Version, Reason, Due string
}

type patchPage struct {
	Lang                                                                        lang.Language
	Title, AsOf, StoryHead, DecideHead, ProductsHead, RowsHead, NotesHead, More string
	BarLabel                                                                    string
	Boxes                                                                       []patchBox
	Bar                                                                         []patchBar
	Story, Decide, Notes                                                        []string
	ProductColumns, Columns                                                     []string
	Products                                                                    [][]string
	Rows                                                                        []patchRow
}

// PatchPage writes a report as a page of its own in HTML: without a script and
// without anything from outside, for A4 and for a telephone.
func PatchPage(p *PatchReport, to PatchAudience, l lang.Language, words *lang.Catalogue) (string, error) {
	if words == nil {
		words = lang.Default()
	}
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	page := patchPage{
		Lang: l, Title: say("patch.page.title." + string(to)), AsOf: say("patch.page.as-of", "date", p.AsOf, "entries", p.Entries, "devices", p.Devices),
		StoryHead: say("patch.page.story"), DecideHead: say("patch.page.decide"), ProductsHead: say("patch.page.products"), RowsHead: say("patch.page.rows"), NotesHead: say("patch.page.notes"),
	}
	var said []string
	x := 0
	for _, c := range p.Counts {
		label := say("patch.status." + string(c.Status))
		page.Boxes = append(page.Boxes, patchBox{N: c.N, Label: label, Class: patchClass(c.Status)})
		said = append(said, fmt.Sprintf("%s %d", label, c.N))
		if p.Entries > 0 {
			w := 1000 * c.N / p.Entries
			page.Bar = append(page.Bar, patchBar{X: x, W: w, Fill: patchFill(c.Status), Label: label})
			x += w
		}
	}
	page.BarLabel = strings.Join(said, ", ")
	// The sheet for the management has no names of devices, and no advice to those
	// who install.
	page.Story = storyLines(p, l, say, to == PatchAdmin)
	page.Decide = patchDecisions(p, say)
	page.ProductColumns = []string{say("patch.column.product"), say("patch.column.needed"), say("patch.column.state"), say("patch.column.exploited"), say("patch.column.due")}
	for i := range p.Products {
		q := &p.Products[i]
		if to == PatchManager && len(q.Counts) == 1 && q.Counts[0].Status == patch.OK {
			continue // nothing to decide
		}
		page.Products = append(page.Products, []string{q.Product, strings.TrimSpace(q.Version + " " + q.KB), patchCounts(q.Counts, say), strings.Join(q.Exploited, ", "), patchDate(q.Due, l)})
	}
	if to == PatchAdmin {
		page.Columns = []string{say("patch.column.state"), say("patch.column.device"), say("patch.column.product"), say("patch.column.version"), say("patch.column.reason"), say("patch.column.due")}
		left := 0
		for i := range p.Results {
			r := &p.Results[i]
			if r.Status == patch.OK {
				continue
			}
			if len(page.Rows) == maxPageRows {
				left++
				continue
			}
			reasons := []string{r.Reason.In(l)}
			for _, m := range r.Remarks {
				if m.Text != r.Reason {
					reasons = append(reasons, m.Text.In(l))
				}
			}
			if len(r.Exploited) > 0 {
				reasons = append(reasons, say("patch.exploited", "cves", r.Exploited))
			}
			due := patchDate(r.Due, l)
			if r.Overdue > 0 {
				due += " " + say("patch.overdue", "days", r.Overdue)
			}
			page.Rows = append(page.Rows, patchRow{
				Status: say("patch.status." + string(r.Status)), Class: patchClass(r.Status), Device: r.Device, Product: PatchLabel(r), Version: r.Version, Reason: strings.Join(reasons, " "), Due: due,
			})
		}
		if left > 0 {
			page.More = say("patch.more", "n", left)
		}
	}
	page.Notes = PatchNotes(p, l, words)
	t, err := template.New("patch").Parse(patchPageText)
	if err != nil {
		return "", fmt.Errorf("reading the page: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, page); err != nil {
		return "", fmt.Errorf("writing the page: %w", err)
	}
	return b.String(), nil
}

// PatchLabel is the product of a result with its branch.
func PatchLabel(r *PatchResult) string {
	switch {
	case r.Branch == "":
		return r.Product
	case strings.HasPrefix(r.Branch, strings.SplitN(r.Product, " ", 2)[0]):
		return r.Branch
	}
	return r.Product + " (" + r.Branch + ")"
}

func patchClass(s patch.Status) string {
	switch s {
	case patch.Behind, patch.EndOfLife:
		return "bad"
	case patch.OK:
		return "good"
	case patch.UnknownVersion, patch.Disagreeing, patch.NotReported, patch.NoVersion:
		return "warn"
	case patch.UnknownProduct:
	}
	return "soft"
}

func patchFill(s patch.Status) template.CSS {
	switch patchClass(s) {
	case "bad":
		return "var(--bad)"
	case "good":
		return "var(--good)"
	case "warn":
		return "var(--warn)"
	}
	return "var(--soft)"
}

func patchDate(d patch.Date, l lang.Language) string {
	if d.IsZero() {
		return ""
	}
	return lang.Date(l, d.Time)
}

func patchCounts(list []PatchCount, say func(string, ...any) string) string {
	var out []string
	for _, c := range list {
		out = append(out, fmt.Sprintf("%s %d", say("patch.status."+string(c.Status)), c.N))
	}
	return strings.Join(out, " / ")
}

// patchDecisions is what a manager has to see to.
func patchDecisions(p *PatchReport, say func(string, ...any) string) []string {
	var out []string
	n := map[patch.Status]int{}
	for _, c := range p.Counts {
		n[c.Status] = c.N
	}
	var first time.Time
	for i := range p.Results {
		r := &p.Results[i]
		if d := r.Due; r.Status == patch.Behind && !d.IsZero() && r.Overdue == 0 && (first.IsZero() || d.Before(first)) {
			first = d.Time
		}
	}
	if p.Exploited > 0 {
		out = append(out, say("patch.decide.exploited", "n", p.Exploited))
	}
	if !first.IsZero() {
		out = append(out, say("patch.decide.behind", "n", n[patch.Behind], "due", first))
	}
	if p.Overdue > 0 {
		out = append(out, say("patch.decide.overdue", "n", p.Overdue))
	}
	if n[patch.EndOfLife] > 0 {
		out = append(out, say("patch.decide.end-of-life", "n", n[patch.EndOfLife]))
	}
	if n[patch.NotReported] > 0 {
		out = append(out, say("patch.decide.not-reported", "n", n[patch.NotReported], "days", p.SilentDays))
	}
	if m := n[patch.UnknownVersion] + n[patch.UnknownProduct] + n[patch.NoVersion] + n[patch.Disagreeing]; m > 0 {
		out = append(out, say("patch.decide.unknown", "n", m))
	}
	return out
}

// PatchStoryLines tells of the newest planned day: counts with what was counted,
// exploited ones first, then known problems and how programs update themselves.
func PatchStoryLines(p *PatchReport, l lang.Language, words *lang.Catalogue) []string {
	if words == nil {
		words = lang.Default()
	}
	return storyLines(p, l, func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }, true)
}

func storyLines(p *PatchReport, l lang.Language, say func(string, ...any) string, cautions bool) []string {
	var out []string
	if s := p.Story; s != nil {
		if len(s.Exploited) > 0 {
			out = append(out, say("patch.story.exploited", "date", s.Here.Time, "n", len(s.Exploited), "cves", s.Exploited))
		} else {
			out = append(out, say("patch.story.released", "date", s.Here.Time))
		}
		if s.Total > 0 {
			out = append(out, say("patch.story.counts", "total", s.Total, "critical", s.Critical, "population", s.Population.In(l)))
		} else {
			out = append(out, say("patch.story.critical", "critical", s.Critical, "population", s.Population.In(l)))
		}
		if !s.Next.IsZero() {
			out = append(out, say("patch.story.next", "date", s.Next.Time))
		}
	}
	if !cautions {
		return out
	}
	for i := range p.Cautions {
		c := &p.Cautions[i]
		if i > 0 && c.Text == p.Cautions[i-1].Text {
			continue // told with the one before
		}
		var heads []string
		for _, same := range p.Cautions[i:] {
			if same.Text == c.Text {
				heads = append(heads, strings.TrimSpace(same.Product+" "+same.KB))
			}
		}
		out = append(out, say("patch.caution."+c.Kind, "product", heads, "text", c.Text.In(l)))
		if len(c.Devices) > 0 {
			out = append(out, say("patch.caution.idle", "n", len(c.Devices), "devices", c.Devices[:min(len(c.Devices), 10)]))
		}
	}
	return out
}

// PatchNotes tells what the report rests on, and what could not be read.
func PatchNotes(p *PatchReport, l lang.Language, words *lang.Catalogue) []string {
	if words == nil {
		words = lang.Default()
	}
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	var out []string
	if p.Old {
		out = append(out, say("patch.note.old", "newest", p.Newest.Time))
	} else if !p.Newest.IsZero() {
		out = append(out, say("patch.note.newest", "newest", p.Newest.Time))
	}
	for i := range p.Clashes {
		c := &p.Clashes[i]
		var says []string
		for _, s := range c.Says {
			says = append(says, s.Version+" ("+strings.Join(s.Sources, ", ")+")")
		}
		out = append(out, say("patch.note.clash", "kb", c.KB, "says", says))
	}
	for i := range p.Corrections {
		c := &p.Corrections[i]
		to := c.To
		if to == "" {
			to = "-"
		}
		out = append(out, say("patch.note.correction", "kb", c.KB, "from", c.From, "to", to, "reason", c.Reason))
	}
	if n := len(p.Doubts); n > 0 {
		out = append(out, say("patch.note.doubts", "n", n))
	}
	for i := range p.Files {
		f := &p.Files[i]
		if f.Error != nil {
			out = append(out, f.File+": "+f.Error.Text.In(l))
		}
		for j := range f.Unread {
			if j == 10 {
				out = append(out, say("patch.note.more-unread", "file", f.File, "n", len(f.Unread)-j))
				break
			}
			out = append(out, say("patch.note.unread", "file", f.File, "line", strconv.Itoa(f.Unread[j].Line), "why", f.Unread[j].Text.In(l)))
		}
		if n := len(f.Doubts); n > 0 {
			out = append(out, say("patch.note.doubtful", "file", f.File, "n", n, "line", strconv.Itoa(f.Doubts[0].Line), "why", f.Doubts[0].Text.In(l)))
		}
	}
	return out
}
