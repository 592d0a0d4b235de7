package lesson

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// say is a word of the frame of a lesson.
func say(l lang.Language, key string, pairs ...any) string {
	return lang.Default().Say(l, lang.M("lesson."+key, pairs...))
}

// Text is the lesson in a language as plain text. The answers are at the end.
func (x *Lesson) Text(l lang.Language) string {
	var b strings.Builder
	head := func(key string) { fmt.Fprintf(&b, "\n■ %s\n", say(l, key)) }
	fmt.Fprintf(&b, "%s\n", x.Title.In(l))
	if s := x.Occasion.In(l); s != "" {
		fmt.Fprintf(&b, "\n%s\n", s)
	}
	head("what")
	fmt.Fprintf(&b, "%s\n", x.What.In(l))
	for _, s := range x.seen(l) {
		fmt.Fprintf(&b, "%s\n", s)
	}
	head("mock")
	for _, s := range x.Mock.text(l) {
		fmt.Fprintf(&b, "  | %s\n", s)
	}
	head("tells")
	for i, s := range x.Tells {
		fmt.Fprintf(&b, "(%d) %s\n", i+1, s.In(l))
	}
	head("rule")
	fmt.Fprintf(&b, "%s\n", x.Rule.In(l))
	head("steps")
	for i, s := range x.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s.In(l))
	}
	head("quiz")
	for i, q := range x.Quiz {
		fmt.Fprintf(&b, "%s %s\n", say(l, "question", "n", i+1), q.Text.In(l))
		for j, c := range q.Choices {
			fmt.Fprintf(&b, "   %s. %s\n", Letter(j), c.In(l))
		}
	}
	head("answers")
	for i, q := range x.Quiz {
		fmt.Fprintf(&b, "%s %s. %s\n", say(l, "question", "n", i+1), Letter(q.Answer), q.Why.In(l))
	}
	return b.String()
}

func (m *Mock) text(l lang.Language) []string {
	out := []string{say(l, "from") + " " + m.From.In(l), say(l, "subject") + " " + m.Subject.In(l), ""}
	number := func(x Line, s string) string {
		if x.Tell > 0 {
			s += " (" + strconv.Itoa(x.Tell) + ")"
		}
		return s
	}
	for _, x := range m.Lines {
		out = append(out, number(x, x.In(l)))
	}
	if m.Button != nil {
		out = append(out, number(*m.Button, "[ "+m.Button.In(l)+" ]"))
	}
	return out
}

// seen is what is shown of a mail that came to us.
func (x *Lesson) seen(l lang.Language) []string {
	if x.Seen == nil {
		return nil
	}
	out := []string{say(l, "seen")}
	for _, p := range []struct{ key, value string }{{"seen.subject", x.Seen.Subject}, {"seen.link", x.Seen.Link}, {"seen.file", x.Seen.File}} {
		if p.value != "" {
			out = append(out, say(l, p.key)+" "+p.value)
		}
	}
	return out
}

// escape keeps Markdown from reading a text as more than text.
var escape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "`", "\\`", "#", `\#`, "|", `\|`, "!", `\!`, "~", `\~`)

// Markdown is the lesson in a language as CommonMark.
func (x *Lesson) Markdown(l lang.Language) string {
	var b strings.Builder
	head := func(key string) { fmt.Fprintf(&b, "\n## %s\n\n", say(l, key)) }
	fmt.Fprintf(&b, "# %s\n", escape.Replace(x.Title.In(l)))
	if s := x.Occasion.In(l); s != "" {
		fmt.Fprintf(&b, "\n%s\n", escape.Replace(s))
	}
	head("what")
	fmt.Fprintf(&b, "%s\n", escape.Replace(x.What.In(l)))
	for i, s := range x.seen(l) {
		if i == 0 {
			fmt.Fprintf(&b, "\n%s\n\n", s)
			continue
		}
		fmt.Fprintf(&b, "- %s\n", escape.Replace(s))
	}
	head("mock")
	for _, s := range x.Mock.text(l) {
		fmt.Fprintf(&b, "> %s  \n", escape.Replace(s))
	}
	head("tells")
	for i, s := range x.Tells {
		fmt.Fprintf(&b, "%d. %s\n", i+1, escape.Replace(s.In(l)))
	}
	head("rule")
	fmt.Fprintf(&b, "**%s**\n", escape.Replace(x.Rule.In(l)))
	head("steps")
	for i, s := range x.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, escape.Replace(s.In(l)))
	}
	head("quiz")
	for i, q := range x.Quiz {
		fmt.Fprintf(&b, "%d. %s\n", i+1, escape.Replace(q.Text.In(l)))
		for j, c := range q.Choices {
			fmt.Fprintf(&b, "   - %s. %s\n", Letter(j), escape.Replace(c.In(l)))
		}
	}
	head("answers")
	for i, q := range x.Quiz {
		fmt.Fprintf(&b, "%d. %s — %s\n", i+1, Letter(q.Answer), escape.Replace(q.Why.In(l)))
	}
	return b.String()
}

// HTML is the lesson in a language as one page for the screen and for two sheets
// of A4: the lesson, and the quiz with its answers on the back. It has no script,
// no link and asks for nothing from outside.
func (x *Lesson) HTML(l lang.Language) (string, error) {
	type line struct {
		Text string
		Tell int
	}
	data := struct {
		Lang                                lang.Language
		Title, Occasion, What, Rule, Issued string
		Seen, Tells, Steps                  []string
		From, Subject                       string
		Lines                               []line
		Button                              *line
		Quiz                                []map[string]any
		Label                               map[string]string
	}{
		Lang: l, Title: x.Title.In(l), Occasion: x.Occasion.In(l), What: x.What.In(l), Rule: x.Rule.In(l), Issued: x.Issued, Seen: x.seen(l),
		From: x.Mock.From.In(l), Subject: x.Mock.Subject.In(l), Label: map[string]string{},
	}
	for _, k := range []string{"what", "mock", "tells", "rule", "steps", "quiz", "answers", "from", "subject", "example", "foot"} {
		data.Label[k] = say(l, k)
	}
	for _, s := range x.Tells {
		data.Tells = append(data.Tells, s.In(l))
	}
	for _, s := range x.Steps {
		data.Steps = append(data.Steps, s.In(l))
	}
	for _, m := range x.Mock.Lines {
		data.Lines = append(data.Lines, line{m.In(l), m.Tell})
	}
	if m := x.Mock.Button; m != nil {
		data.Button = &line{m.In(l), m.Tell}
	}
	for i, q := range x.Quiz {
		var choices []string
		for j, c := range q.Choices {
			choices = append(choices, Letter(j)+". "+c.In(l))
		}
		data.Quiz = append(data.Quiz, map[string]any{
			"N": say(l, "question", "n", i+1), "Text": q.Text.In(l), "Choices": choices, "Answer": Letter(q.Answer), "Why": q.Why.In(l),
		})
	}
	var b strings.Builder
	if err := page.Execute(&b, data); err != nil {
		return "", fmt.Errorf("lesson: writing the page: %w", err)
	}
	return b.String(), nil
}

var page = template.Must(template.New("lesson").Funcs(template.FuncMap{"inc": func(i int) int { return i + 1 }}).Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{{.Title}}</title>
<style>
@page { size: A4; margin: 15mm 18mm; }
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #555; --line: #cfd4da; --mark: #b3261e; --tint: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #16181b; --soft: #a8adb3; --line: #3a4048; --mark: #ff8a80; --tint: #1f2328; } }
body { font-family: 'Hiragino Sans','Yu Gothic UI','Noto Sans JP','Noto Sans CJK JP',Meiryo,'Segoe UI',sans-serif; font-size: 15px; line-height: 1.75; color: var(--ink); background: var(--paper); margin: 2em auto; max-width: 46rem; padding: 0 1em; }
h1 { font-size: 1.6em; line-height: 1.35; margin: 0 0 .6em; }
h2 { font-size: 1.05em; margin: 1.5em 0 .4em; }
p, ol, ul { margin: .3em 0; overflow-wrap: anywhere; }
.mail { border: 1px solid var(--line); border-radius: 6px; margin: .4em 0; }
.mail dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: 0; padding: .7em 1em; border-bottom: 1px solid var(--line); background: var(--tint); }
.mail dt { color: var(--soft); } .mail dd { margin: 0; }
.mail div { padding: .6em 1em 1em; }
.mail small { display: block; text-align: right; padding: .2em 1em 0; color: var(--soft); }
.button { display: inline-block; border: 1px solid var(--line); border-radius: 4px; padding: .3em 1.2em; margin-top: .4em; background: var(--tint); }
.n { display: inline-block; min-width: 1.5em; height: 1.5em; line-height: 1.5em; text-align: center; border-radius: 50%; background: var(--mark); color: var(--paper); font-size: .8em; font-weight: bold; }
ol.tells { list-style: none; padding: 0; } ol.tells li { display: grid; grid-template-columns: 2em 1fr; margin: .2em 0; } ol.tells .n { justify-self: start; margin-top: .3em; }
.rule { border-left: 5px solid var(--mark); padding: .5em 1em; font-size: 1.15em; font-weight: bold; background: var(--tint); }
.quiz li { margin: .7em 0; } .quiz ul { list-style: none; padding-left: .5em; }
footer { color: var(--soft); font-size: .85em; margin-top: 2em; }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt; line-height: 1.55; color: #000; background: #fff; } .sheet { break-before: page; } h2 { break-after: avoid; } .mail, li { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
{{with .Occasion}}<p>{{.}}</p>
{{end}}<h2>{{.Label.what}}</h2>
<p>{{.What}}</p>
{{range .Seen}}<p>{{.}}</p>
{{end}}<h2>{{.Label.mock}}</h2>
<section class="mail"><small>{{.Label.example}}</small>
<dl><dt>{{.Label.from}}</dt><dd>{{.From}}</dd><dt>{{.Label.subject}}</dt><dd>{{.Subject}}</dd></dl>
<div>{{range .Lines}}<p>{{.Text}}{{if .Tell}} <span class="n">{{.Tell}}</span>{{end}}</p>
{{end}}{{with .Button}}<p><span class="button">{{.Text}}</span>{{if .Tell}} <span class="n">{{.Tell}}</span>{{end}}</p>
{{end}}</div></section>
<h2>{{.Label.tells}}</h2>
<ol class="tells">{{range $i, $t := .Tells}}<li><span class="n">{{inc $i}}</span><span>{{$t}}</span></li>
{{end}}</ol>
<h2>{{.Label.rule}}</h2>
<p class="rule">{{.Rule}}</p>
<h2>{{.Label.steps}}</h2>
<ol>{{range .Steps}}<li>{{.}}</li>
{{end}}</ol>
<section class="sheet">
<h2>{{.Label.quiz}}</h2>
<ol class="quiz">{{range .Quiz}}<li>{{.Text}}<ul>{{range .Choices}}<li>{{.}}</li>{{end}}</ul></li>
{{end}}</ol>
</section>
<section class="sheet">
<h2>{{.Label.answers}}</h2>
<ol>{{range .Quiz}}<li><b>{{.Answer}}</b> — {{.Why}}</li>
{{end}}</ol>
</section>
</main>
<footer>{{.Label.foot}} {{.Issued}}</footer>
</body>
</html>
`))
