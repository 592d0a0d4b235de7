package mqltest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/match"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/value"
)

// expectation is one line below an eval.
type expectation struct {
	line, column int
	text         string // without "expect"
	verdict      eval.Verdict
	check        func(t *Test, rule *subject) lang.Message // zero: holds
}

// subject is what is asked: a rule or an expression.
type subject struct {
	path     string // "" for an expression
	severity finding.Severity
}

// expect reads an expectation.
func (p *parser) expect(first word, args []word) {
	if p.eval == nil {
		return // its line has a mistake, which was told
	}
	if j, ok := valueText(p.text); ok {
		p.expectValue(first, j)
		return
	}
	if p.below != nil || len(args) == 0 {
		p.fail(first, lang.M("mqltest.error.expect"))
		return
	}
	e := expectation{line: p.line, column: first.column, text: strings.TrimSpace(p.text[first.offset+len(first.text):])}
	no := args[0].is("no")
	if no {
		args = args[1:]
	}
	var what string
	if len(args) > 0 && !args[0].quoted {
		what = args[0].text
		args = args[1:]
	}
	ok := true
	switch {
	case what == "match" && len(args) == 0:
		e.verdict = eval.Match
		if no {
			e.verdict = eval.NoMatch
		}
	case what == "undecided" && len(args) == 0 && !no:
		e.verdict = eval.Undecided
	case what == "severity" && len(args) == 1 && !no:
		ok = p.expectSeverity(&e, args[0])
	case what == "evidence" && (len(args) == 1 || len(args) == 3 && args[1].is("in") && !no):
		ok = p.expectEvidence(&e, args, no)
	case what == "needs" && (len(args) == 1 || len(args) == 2) && !no:
		ok = p.expectNeeds(&e, args)
	case what == "cost" && len(args) == 2 && args[0].is("<=") && !no:
		most, err := strconv.ParseInt(strings.ReplaceAll(args[1].text, ",", ""), 10, 64)
		if err != nil || most < 0 {
			p.fail(args[1], lang.M("mqltest.error.cost", "word", args[1].text))
			return
		}
		e.check = func(t *Test, _ *subject) lang.Message {
			if t.Cost <= most {
				return lang.Message{}
			}
			return lang.M("mqltest.got.cost", "cost", t.Cost)
		}
	default:
		p.fail(first, lang.M("mqltest.error.expect"))
		return
	}
	if !ok {
		return
	}
	for _, other := range p.eval.expects {
		if e.verdict != "" && other.verdict != "" && e.verdict != other.verdict {
			p.fail(first, lang.M("mqltest.error.contradiction", "line", other.line))
			return
		}
	}
	if e.check == nil {
		e.check = verdict(e.verdict)
	}
	p.eval.expects = append(p.eval.expects, e)
}

// verdict wants a verdict.
func verdict(want eval.Verdict) func(*Test, *subject) lang.Message {
	return func(t *Test, _ *subject) lang.Message {
		if t.Verdict == want {
			return lang.Message{}
		}
		return t.came()
	}
}

// came says what a test came to.
func (t *Test) came() lang.Message {
	switch t.Verdict {
	case eval.Match:
		if quotes := t.quotes(); len(quotes) > 0 {
			return lang.M("mqltest.got.match-on", "quotes", quotes)
		}
		return lang.M("mqltest.got.match")
	case eval.Undecided:
		return lang.M("mqltest.got.undecided", "needs", needs(t.Missing))
	}
	return lang.M("mqltest.got.no-match")
}

// Bounds on the quotes that a failure names.
const (
	maxQuotes = 8
	maxQuoted = 60 // code points
)

// quotes are the words that made the rule match, for a sentence.
func (t *Test) quotes() []string {
	var out []string
	for _, e := range t.Evidence {
		q := []rune(strings.Join(strings.Fields(e.Quote), " "))
		if len(q) > maxQuoted {
			q = append(q[:maxQuoted], '…')
		}
		if s := strconv.Quote(string(q)); len(q) > 0 && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if len(out) > maxQuotes {
		out = append(out[:maxQuotes], "…")
	}
	return out
}

// needs are missing values in the words of the language of tests.
func needs(gaps []value.Gap) []string {
	var out []string
	for _, g := range gaps {
		s := g.Capability
		if g.Capability == "list" || g.Capability == "function" {
			s += " " + g.Name
		}
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (p *parser) expectSeverity(e *expectation, w word) bool {
	want, err := finding.ParseSeverity(w.text)
	if err != nil || w.text == "" {
		p.fail(w, lang.M("mqltest.error.choice", "word", w.text, "known", "info, low, medium, high, critical"))
		return false
	}
	if p.eval.pattern.text == "" {
		p.fail(w, lang.M("mqltest.error.no-rule"))
		return false
	}
	e.check = func(_ *Test, s *subject) lang.Message {
		if s.severity == want {
			return lang.Message{}
		}
		return lang.M("mqltest.got.severity", "severity", s.severity.String())
	}
	return true
}

func (p *parser) expectEvidence(e *expectation, args []word, no bool) bool {
	want := args[0].text
	if strings.TrimSpace(want) == "" {
		p.fail(args[0], lang.M("mqltest.error.empty-evidence"))
		return false
	}
	in := ""
	if len(args) == 3 {
		in = args[2].text
	}
	if !no {
		e.verdict = eval.Match
	}
	e.check = func(t *Test, _ *subject) lang.Message {
		if !no && t.Verdict != eval.Match {
			return t.came()
		}
		elsewhere := ""
		for _, ev := range t.Evidence {
			if _, _, ok := match.IndexFold(ev.Quote, want); !ok {
				continue
			}
			if in == "" || strings.EqualFold(ev.Where.Header, in) || in == "body" && ev.Where.Header == "" {
				if no {
					return lang.M("mqltest.got.evidence", "quotes", t.quotes())
				}
				return lang.Message{}
			}
			if elsewhere = ev.Where.Header; elsewhere == "" {
				elsewhere = "body"
			}
		}
		switch {
		case no:
			return lang.Message{}
		case elsewhere != "":
			return lang.M("mqltest.got.elsewhere", "place", elsewhere)
		case len(t.quotes()) == 0:
			return lang.M("mqltest.got.no-evidence")
		}
		return lang.M("mqltest.got.evidence", "quotes", t.quotes())
	}
	return true
}

// capabilities are what a rule can lack.
func capabilities() []string {
	return []string{
		"history", "list", "files", "ocr", "qr", "screenshot", "classifier", "logo", "macro_classifier", "translation", "link_analysis", "whois", "sensitive_data",
		"attack_score", "budget", "function",
	}
}

func (p *parser) expectNeeds(e *expectation, args []word) bool {
	what, name := args[0].text, ""
	if !p.choice(args[0], capabilities()...) {
		return false
	}
	named := what == "list" || what == "function"
	if named != (len(args) == 2) {
		p.fail(args[0], lang.M("mqltest.error.needs"))
		return false
	}
	if named {
		name = strings.TrimPrefix(args[1].text, "$")
	}
	e.verdict = eval.Undecided
	e.check = func(t *Test, _ *subject) lang.Message {
		if t.Verdict == eval.Undecided && slices.ContainsFunc(t.Missing, func(g value.Gap) bool { return g.Capability == what && (!named || g.Name == name) }) {
			return lang.Message{}
		}
		return t.came()
	}
	return true
}

// expectValue reads the JSON at the end of a line.
func (p *parser) expectValue(first word, text string) {
	var want any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		p.at(p.line, first.column, len(first.text), lang.M("mqltest.error.json"))
		return
	}
	p.eval.expects = append(p.eval.expects, expectation{
		line: p.line, column: first.column, text: "value " + text,
		check: func(t *Test, _ *subject) lang.Message {
			if t.Value.IsMissing() {
				return lang.M("mqltest.got.undecided", "needs", needs(t.Value.Gaps()))
			}
			b := t.Value.AppendJSON(nil)
			var got any
			if json.Unmarshal(b, &got) == nil && reflect.DeepEqual(got, want) {
				return lang.Message{}
			}
			if r := []rune(string(b)); len(r) > maxValue {
				b = []byte(string(r[:maxValue]) + "…")
			}
			return lang.M("mqltest.got.value", "value", string(b))
		},
	})
}

// maxValue bounds the value that a failure shows, in code points.
const maxValue = 400
