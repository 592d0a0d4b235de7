package digest

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// HTML is the issue in a language as one page for the screen, a telephone and
// A4. It has no script and asks for nothing from outside; its links lead to the
// sources.
func (x *Issue) HTML(l lang.Language) (string, error) {
	var b strings.Builder
	if err := page.Execute(&b, x.view(l)); err != nil {
		return "", fmt.Errorf("digest: writing the page: %w", err)
	}
	return b.String(), nil
}

// dict passes several values to a part of the page.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if k, ok := pairs[i].(string); ok {
			m[k] = pairs[i+1]
		}
	}
	return m
}

var page = template.Must(template.New("digest").Funcs(template.FuncMap{"dict": dict}).Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{{.Title}} {{.Name}}</title>
<style>
@page { size: A4; margin: 16mm 17mm 18mm; @bottom-center { content: counter(page) " / " counter(pages); font-size: 8pt; color: #555; } }
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #57606a; --line: #d3d8de; --paper: #fff; --tint: #f3f6f9; --bad: #b3261e; --accent: #17507c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a8b0ba; --line: #3b424c; --paper: #15181c; --tint: #1e2329; --bad: #ff8a80; --accent: #8cc4f2; } }
* { box-sizing: border-box; }
body { font-family: "Hiragino Sans","Yu Gothic UI","Noto Sans JP","Noto Sans CJK JP",Meiryo,"Segoe UI",sans-serif; font-size: 16px; line-height: 1.75; color: var(--ink); background: var(--paper); margin: 2em auto; max-width: 44rem; padding: 0 1em; overflow-wrap: anywhere; }
:lang(en) { line-height: 1.6; }
header { border-bottom: 3px solid var(--accent); padding-bottom: .7em; }
h1 { font-size: 1.6em; line-height: 1.3; margin: 0; }
header p { margin: .15em 0 0; } .name { font-size: 1.1em; font-weight: 600; }
h2 { font-size: 1.25em; line-height: 1.45; margin: 2.2em 0 .6em; padding-top: .8em; border-top: 1px solid var(--line); display: grid; grid-template-columns: 2.2em 1fr; }
h2 .no { color: var(--accent); font-variant-numeric: tabular-nums; }
h3 { font-size: 1em; margin: 1.3em 0 .3em; color: var(--accent); }
.soft { color: var(--soft); } small { font-size: .85em; color: var(--soft); font-weight: normal; }
ul { padding-left: 1.3em; margin: .4em 0; } li { margin: .35em 0; }
a { color: var(--accent); }
.advice { background: var(--tint); border-left: 4px solid var(--accent); margin: 1.2em 0; padding: .6em 1.1em; } .advice h3 { margin: 0 0 .2em; } .advice ul { margin: 0; }
nav ol { list-style: none; padding: 0; margin: .3em 0; } nav li { display: grid; grid-template-columns: 2.2em 1fr; margin: .2em 0; } nav a { color: inherit; text-decoration-color: var(--line); }
.no { font-weight: 600; } sup { line-height: 0; font-size: .75em; margin-left: .25em; } sup a { text-decoration: none; }
.sources { list-style: none; padding: 0; font-size: .9em; } .sources li { display: grid; grid-template-columns: 2.2em 1fr; margin: .25em 0; } .sources .url { display: block; overflow-wrap: anywhere; word-break: break-all; }
.view { background: var(--tint); border-radius: 6px; margin: 1.2em 0; padding: .6em 1.1em .7em; } .view h3 { margin: 0 0 .2em; } .view p { margin: .3em 0; }
.bad { color: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; margin: .8em 0; font-size: .9em; line-height: 1.5; }
th { text-align: left; color: var(--soft); font-weight: 600; white-space: nowrap; } td.p { overflow-wrap: normal; min-width: 8.5em; } th, td { padding: .35em .8em .35em 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td.v { font-variant-numeric: tabular-nums; overflow-wrap: normal; white-space: nowrap; }
footer { border-top: 1px solid var(--line); color: var(--soft); font-size: .85em; margin-top: 2.5em; padding-top: .6em; }
@media (max-width: 40em) {
  body { margin: 1em auto; } thead { display: none; } table, tbody, tr, td { display: block; width: 100%; } tr { border-bottom: 1px solid var(--line); padding: .4em 0; } td { border: 0; padding: 0; }
  td:empty { display: none; } td.p { font-weight: 600; } td[data-l]::before { content: attr(data-l) ": "; color: var(--soft); }
}
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --tint: #f3f6f9; --bad: #a01a13; --accent: #123f63; }
  body { margin: 0; padding: 0; max-width: none; font-size: 10pt; line-height: 1.6; orphans: 3; widows: 3; } :lang(en) { line-height: 1.5; }
  h2 { margin-top: 1.6em; } h1, h2, h3 { break-after: avoid; } li, tr, .advice, .count { break-inside: avoid; } .lead { break-inside: avoid; } thead { display: table-header-group; }
  .view, .advice { -webkit-print-color-adjust: exact; print-color-adjust: exact; } a { color: inherit; text-decoration: none; } .sources { font-size: 8.5pt; line-height: 1.45; } table { font-size: 8.5pt; }
}
</style>
</head>
<body>
<header>
<h1>{{.Title}}</h1>
<p class="name">{{.Name}}</p>
<p class="soft">{{.Period}}</p>
</header>
<section class="advice"><h3>{{.Label.advice}}</h3>
<ul>{{range .Advice}}<li>{{.}}</li>
{{end}}</ul></section>
<nav><h3>{{.Label.contents}}</h3>
<ol>{{range .Contents}}<li><span class="no">{{.Number}}</span><span><a href="#{{.Anchor}}">{{.Text}}</a>{{with .Note}} <small>{{.}}</small>{{end}}</span></li>
{{end}}</ol></nav>
<main>
{{range .Items}}{{$a := .Anchor}}<article>
<div class="lead">
<h2 id="{{.Anchor}}"><span class="no">{{.Number}}</span><span>{{.Headline.Text}}{{with .Headline.Note}} <small>{{.}}</small>{{end}}</span></h2>
<ul>{{range .Points}}<li>{{.Text}}{{with .Note}} <small>{{.}}</small>{{end}}{{range .Refs}}<sup><a href="#{{$a}}-source-{{.}}">[{{.}}]</a></sup>{{end}}</li>
{{end}}</ul>
</div>
{{template "sources" dict "Head" $.Label.sources "Anchor" $a "List" .Sources}}{{template "also" dict "Head" (index $.Label "see-also") "List" .SeeAlso}}{{with .Updates}}<h3 id="updates">{{.Head}}</h3>
{{template "updates" dict "U" . "Label" $.Label}}{{end}}{{template "view" .Commentary}}</article>
{{end}}{{with .Updates}}<article>
<h2 id="updates"><span class="no">{{.Number}}</span><span>{{.Head}}</span></h2>
{{template "updates" dict "U" . "Label" $.Label}}{{template "also" dict "Head" (index $.Label "see-also") "List" .SeeAlso}}{{template "view" .Commentary}}</article>
{{end}}{{with .Missing}}<section><h3>{{$.Label.missing}}</h3>
<ul>{{range .}}<li>{{.}}</li>
{{end}}</ul></section>
{{end}}</main>
<footer>{{.Foot}}</footer>
</body>
</html>
{{define "sources"}}{{if .List}}<h3>{{.Head}}</h3>
<ol class="sources">{{$a := .Anchor}}{{range .List}}<li id="{{$a}}-source-{{.N}}"><span>[{{.N}}]</span><span>{{.Title}}{{with .About}} <small>{{.}}</small>{{end}}{{with .URL}} <a class="url" rel="noopener noreferrer" href="{{.}}">{{.}}</a>{{end}}</span></li>
{{end}}</ol>
{{end}}{{end}}{{define "also"}}{{if .List}}<h3>{{.Head}}</h3>
<ul>{{range .List}}<li>{{.}}</li>
{{end}}</ul>
{{end}}{{end}}{{define "view"}}{{with .}}<section class="view"><h3>{{.Head}}</h3>
{{range .Paragraphs}}<p>{{.}}</p>
{{end}}</section>
{{end}}{{end}}{{define "refs"}}{{range .}}<sup><a href="#updates-source-{{.}}">[{{.}}]</a></sup>{{end}}{{end}}{{define "updates"}}{{$l := .Label}}{{with .U}}<p class="soft">{{.AsOf}}</p>
{{range .Counts}}<div class="count"><p>{{.Head}}{{template "refs" .Refs}}</p>
<ul>{{with .Exploited}}<li class="bad">{{.}}</li>
{{end}}<li>{{.Counted}}</li></ul></div>
{{end}}{{if .Rows}}<table><thead><tr>{{range .Columns}}<th>{{.}}</th>{{end}}</tr></thead>
<tbody>{{$c := .Columns}}{{range .Rows}}<tr><td class="p">{{.Product}}</td><td class="v"{{if .Update}} data-l="{{index $c 1}}"{{end}}>{{.Update}}</td><td class="v" data-l="{{index $c 2}}">{{.Version}}</td><td class="v" data-l="{{index $c 3}}">{{.Released}}</td><td>{{$bad := .Exploited}}{{range $i, $r := .Remarks}}{{if $i}}<br>{{end}}{{if and $bad (eq $i 0)}}<span class="bad">! {{$r}}</span>{{else}}{{$r}}{{end}}{{end}}{{template "refs" .Refs}}</td></tr>
{{end}}</tbody></table>
{{end}}{{if .Cautions}}<h3>{{$l.cautions}}</h3>
<ul>{{range .Cautions}}<li><b>{{.Head}}</b> {{.Text}}{{template "refs" .Refs}}{{with .URL}} <a class="url" rel="noopener noreferrer" href="{{.}}"><small>{{.}}</small></a>{{end}}</li>
{{end}}</ul>
{{end}}{{if .Notes}}<h3>{{$l.next}}</h3>
<ul>{{range .Notes}}<li>{{.}}</li>
{{end}}</ul>
{{end}}{{template "sources" dict "Head" $l.sources "Anchor" "updates" "List" .Sources}}{{end}}{{end}}`))
