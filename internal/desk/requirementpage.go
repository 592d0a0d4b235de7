package desk

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/requirement"
)

// ManagerSheet is what somebody who decides has to know of a domain, in one
// language: what is lacking, what that means, and what is to be decided by when.
// Printed it is one page of A4.
type ManagerSheet struct {
	Lang     lang.Language
	Title    string
	Labels   ManagerLabels
	Rows     []ManagerRow // one for each receiver
	Lack     []string
	Means    []string
	Decide   []string
	Records  []ManagerRecord
	More     int // records left out, so that the page stays one
	Footnote string
}

// ManagerLabels are the headings of a [ManagerSheet].
type ManagerLabels struct {
	State, Lack, Means, Decide, Records string
}

// ManagerRow is the state of one receiver.
type ManagerRow struct {
	Symbol, Word, Name, Sentence string
	State                        requirement.State
}

// ManagerRecord is a DNS record in short.
type ManagerRecord struct {
	Host, Type, Value string
}

// Bounds that keep the sheet on one page.
const (
	maxSheetLines   = 7
	maxSheetRecords = 4
	maxSheetValue   = 120 // bytes
)

// StateSymbol carries the state of a requirement without colour.
func StateSymbol(s requirement.State) string {
	switch s {
	case requirement.Met:
		return "✓"
	case requirement.Unmet:
		return "✕"
	case requirement.Exempt:
		return "－"
	default: // unknown
		return "?"
	}
}

// Manager sums the requirements up for a manager, in language l.
func (v *RequirementsView) Manager(l lang.Language, now time.Time, words *lang.Catalogue) *ManagerSheet {
	if words == nil {
		words = lang.Default()
	}
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	name := domain.Name(v.Domain).Unicode()
	s := &ManagerSheet{
		Lang: l, Title: say("requirement.manager.title", "domain", name),
		Labels: ManagerLabels{
			State: say("requirement.manager.state"), Lack: say("requirement.manager.lack"), Means: say("requirement.manager.means"), Decide: say("requirement.manager.decide"),
			Records: say("requirement.manager.records"),
		},
	}
	add := func(list *[]string, line string) {
		if line != "" && len(*list) < maxSheetLines && !slices.Contains(*list, line) {
			*list = append(*list, line)
		}
	}
	var sources, open []string
	checked := false
	for i := range v.Receivers {
		r := &v.Receivers[i]
		sentence := r.Sentence.In(l)
		for _, sep := range []string{": ", ":"} { // the name has a column of its own
			sentence = strings.TrimPrefix(sentence, r.Name.In(l)+sep)
		}
		s.Rows = append(s.Rows, ManagerRow{Symbol: StateSymbol(r.State), Word: say("requirement.state." + string(r.State)), Name: r.Name.In(l), Sentence: sentence, State: r.State})
		refused, ifBulk := false, false
		for j := range r.Cells {
			c := &r.Cells[j]
			if !slices.Contains(sources, host(c.Source)) {
				sources = append(sources, host(c.Source))
			}
			checked = checked || c.State != requirement.Unknown
			switch {
			case c.State == requirement.Unmet && c.Level == requirement.Required:
				add(&s.Lack, c.Label.In(l)+" – "+c.Reason.In(l))
				refused, ifBulk = refused || !c.IfBulk, ifBulk || c.IfBulk
			case c.State == requirement.Unknown && c.Level == requirement.Required && !slices.Contains(open, c.Label.In(l)):
				open = append(open, c.Label.In(l))
			}
		}
		switch {
		case refused:
			add(&s.Means, say("requirement.manager.unmet.refused", "receiver", r.Name))
		case ifBulk && r.Threshold > 0:
			add(&s.Means, say("requirement.manager.unmet.if-bulk", "receiver", r.Name, "threshold", r.Threshold))
		}
	}
	lack, means := "requirement.manager.none", "requirement.manager.means.ok"
	switch {
	case !checked:
		lack, means = "requirement.manager.unchecked", "requirement.manager.means.unchecked"
	case len(open) > 0:
		means = "requirement.manager.means.open"
	}
	if len(s.Lack) == 0 {
		s.Lack = []string{words.Say(l, lang.Message{Key: lack})}
	}
	if len(s.Means) == 0 {
		s.Means = []string{words.Say(l, lang.Message{Key: means})}
	}
	v.decisions(s, l, now, words, open)
	for _, r := range v.Records {
		if len(s.Records) == maxSheetRecords {
			s.More = len(v.Records) - maxSheetRecords
			break
		}
		value := r.Value
		if value == "" {
			value = say("requirement.manager.copy")
		} else if len(value) > maxSheetValue {
			value = strings.ToValidUTF8(value[:maxSheetValue], "") + "…"
		}
		s.Records = append(s.Records, ManagerRecord{Host: r.Host, Type: r.Type, Value: value})
	}
	s.Footnote = say("requirement.manager.made", "date", now, "sources", sources)
	return s
}

// decisions are what the manager has to say, with dates.
func (v *RequirementsView) decisions(s *ManagerSheet, l lang.Language, now time.Time, words *lang.Catalogue, open []string) {
	r := renderer{words: words, now: now}
	add := func(m lang.Message, within finding.Within) {
		due, err := time.ParseInLocation(time.DateOnly, r.due(within), now.Location())
		if err != nil {
			return
		}
		line := words.Say(l, m)
		by := words.Say(l, lang.M("requirement.manager.by", "date", due))
		if l == lang.JA {
			s.Decide = append(s.Decide, by+": "+line)
		} else {
			s.Decide = append(s.Decide, strings.ToUpper(by[:1])+by[1:]+": "+line)
		}
	}
	if n := len(v.Records); n > 0 {
		add(lang.M("requirement.manager.decide.records", "n", n), finding.Week)
		add(lang.M("requirement.manager.decide.owner"), finding.Week)
	}
	if v.Volume.PerDay == nil && v.Volume.Declared == "unknown" {
		add(lang.M("requirement.manager.decide.volume"), finding.Month)
	}
	if len(open) > 0 {
		add(lang.M("requirement.manager.decide.open", "which", open), finding.Month)
	}
	if len(s.Decide) == 0 {
		s.Decide = []string{words.Say(l, lang.M("requirement.manager.decide.none"))}
	}
}

// host is the host of a URL, for a footnote.
func host(url string) string {
	h, _, _ := strings.Cut(strings.TrimPrefix(url, "https://"), "/")
	return h
}

// Text is the sheet as plain text.
func (s *ManagerSheet) Text() string {
	var b strings.Builder
	b.WriteString(s.Title + "\n")
	section := func(title string, lines []string) {
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, line := range lines {
			b.WriteString("  - " + line + "\n")
		}
	}
	fmt.Fprintf(&b, "\n%s\n", s.Labels.State)
	for _, r := range s.Rows {
		fmt.Fprintf(&b, "  %s %s: %s\n", r.Symbol, r.Name, r.Sentence)
	}
	section(s.Labels.Lack, s.Lack)
	section(s.Labels.Means, s.Means)
	section(s.Labels.Decide, s.Decide)
	if len(s.Records) > 0 {
		fmt.Fprintf(&b, "\n%s\n", s.Labels.Records)
		for _, r := range s.Records {
			fmt.Fprintf(&b, "  %s  %s  %s\n", r.Host, r.Type, r.Value)
		}
		if s.More > 0 {
			fmt.Fprintf(&b, "  + %d\n", s.More)
		}
	}
	b.WriteString("\n" + s.Footnote + "\n")
	return b.String()
}

// sheetTemplate is the page: no script, no request, one sheet of A4.
const sheetTemplate = `<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<style>
@page { size: A4; margin: 14mm 16mm; }
:root { --ink: #1a1a1a; --dim: #5a5a5a; --line: #d6d6d6; --paper: #fff; --bad: #a31d16; --good: #1d6b36; --wait: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --dim: #a8a8a8; --line: #444; --paper: #16181b; --bad: #ff8a80; --good: #7fd69b; --wait: #e8b860; } }
* { box-sizing: border-box; }
body { font-family: 'Hiragino Sans','Noto Sans JP','Yu Gothic UI',Meiryo,'Segoe UI',sans-serif; font-size: 15px; line-height: 1.6; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 50rem; padding: 1rem; }
h1 { font-size: 1.35rem; line-height: 1.35; margin: 0 0 .8rem; }
h2 { font-size: 1rem; margin: 1.1rem 0 .3rem; border-bottom: 1px solid var(--line); padding-bottom: .15rem; }
ul { margin: 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { white-space: nowrap; font-weight: 600; }
.word { white-space: nowrap; }
.not-met { color: var(--bad); } .met { color: var(--good); } .unknown, .not-applicable { color: var(--wait); }
code { font-family: ui-monospace, Consolas, Menlo, monospace; font-size: .85em; overflow-wrap: anywhere; }
footer { margin-top: 1.2rem; color: var(--dim); font-size: .8rem; overflow-wrap: anywhere; }
@media (max-width: 30rem) { .word { white-space: normal; } body { font-size: 14px; } }
@media print { :root { --ink: #000; --dim: #444; --line: #bbb; --paper: #fff; --bad: #a31d16; --good: #1d6b36; --wait: #6a4500; } body { max-width: none; padding: 0; font-size: 10pt; line-height: 1.45; } h1 { font-size: 14pt; } h2 { font-size: 11pt; margin-top: .7rem; } h2, tr, li { break-inside: avoid; } footer { font-size: 8pt; margin-top: .6rem; } }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<h2>{{.Labels.State}}</h2>
<table>
<tbody>
{{- range .Rows}}
<tr><th scope="row">{{.Name}}</th><td class="word {{.State}}">{{.Symbol}} {{.Word}}</td><td>{{.Sentence}}</td></tr>
{{- end}}
</tbody>
</table>
<h2>{{.Labels.Lack}}</h2>
<ul>{{range .Lack}}<li>{{.}}</li>{{end}}</ul>
<h2>{{.Labels.Means}}</h2>
<ul>{{range .Means}}<li>{{.}}</li>{{end}}</ul>
<h2>{{.Labels.Decide}}</h2>
<ul>{{range .Decide}}<li>{{.}}</li>{{end}}</ul>
{{- if .Records}}
<h2>{{.Labels.Records}}</h2>
<table>
<tbody>
{{- range .Records}}
<tr><td><code>{{.Host}}</code></td><td>{{.Type}}</td><td><code>{{.Value}}</code></td></tr>
{{- end}}
{{- if .More}}
<tr><td colspan="3">+ {{.More}}</td></tr>
{{- end}}
</tbody>
</table>
{{- end}}
<footer>{{.Footnote}}</footer>
</main>
</body>
</html>
`

// HTML is the sheet as a page of its own.
func (s *ManagerSheet) HTML() (string, error) {
	t, err := template.New("sheet").Parse(sheetTemplate)
	if err != nil {
		return "", fmt.Errorf("reading the template of the sheet: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, s); err != nil {
		return "", fmt.Errorf("writing the sheet: %w", err)
	}
	return b.String(), nil
}
