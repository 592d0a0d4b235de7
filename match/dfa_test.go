package match

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/budget"
)

// expressions of every kind of instruction; some have far more states than are
// remembered.
var expressions = []string{
	`abc`, `(?i)kiſs`, `a.b`, `(?s)a.b`, `^a|b$`, `(?m)^a$`, `\Aab*\z`, `\bfoo\b`, `\Bfoo\B`, `(?m)^$`, ``, `[^a]`, `[а-я]+ё`, `\p{Cf}{2,}`, `(?:ab|cd){3,}e`,
	`a.{0,40}b.{0,40}c`, `\b[A-Z0-9]{10,20}\b`, `(?i)(?:mailbox|account).{0,50}(?:at risk|storage)`, `(<p[^>]*>\s*<br\s*/?>\s*</p>\s*){5,}`, `[a-c]{3}x[^\x00-\x{10FFFF}]?`,
	`(?:\d{1,3}\.){3}\d{1,3}`, `x*`, `(a|b)*abb`, `\x{FFFD}`, `(?U)a+?b`,
}

// walk writes a text of which the expression likes much.
func walk(r *rand.Rand, prog *syntax.Prog, size int) string {
	var b strings.Builder
	for b.Len() < size {
		pc := prog.Start
	steps:
		for range 200 {
			inst := &prog.Inst[pc]
			pc = int(inst.Out)
			switch inst.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				if r.IntN(2) == 0 {
					pc = int(inst.Arg)
				}
			case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			case syntax.InstMatch, syntax.InstFail:
				b.WriteString([]string{" ", "\n", "", "é", "\xff"}[r.IntN(5)])
				break steps
			case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				b.WriteByte("ab c\nX0<"[r.IntN(8)])
			default:
				if len(inst.Rune) == 0 {
					break steps
				}
				b.WriteRune(inst.Rune[r.IntN(len(inst.Rune))])
				if r.IntN(12) == 0 {
					break steps
				}
			}
		}
		if r.IntN(8) == 0 {
			b.WriteByte(byte(r.IntN(256)))
		}
	}
	return b.String()[:size]
}

func programOf(tb testing.TB, expr string) *program {
	tb.Helper()
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		tb.Fatal(err)
	}
	p := newProgram(re)
	if p == nil {
		tb.Fatalf("%q is too large", expr)
	}
	return p
}

// TestDFA compares with package regexp, and checks that a text costs the same
// whatever was looked at before it.
func TestDFA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, expr := range expressions {
		p, want := programOf(t, expr), regexp.MustCompile(expr)
		d := newDFA(p)
		yes := 0
		for range 300 {
			text := walk(r, p.prog, r.IntN(400))
			b, fresh := budget.New(nil), budget.New(nil)
			got, ok := d.matches(text, b)
			if !ok || got != want.MatchString(text) {
				t.Fatalf("%q on %q: %v, %v", expr, text, got, ok)
			}
			newDFA(p).matches(text, fresh)
			if b.Cost != fresh.Cost {
				t.Fatalf("%q on %q costs %d after other texts, %d alone", expr, text, budget.DefaultCost-b.Cost, budget.DefaultCost-fresh.Cost)
			}
			if got {
				yes++
			}
			if max := int(stateFirst) + 2*d.most + 1; len(d.seen) > max {
				t.Fatalf("%q: %d states are remembered, more than %d", expr, len(d.seen), max)
			}
		}
		if yes == 0 {
			t.Errorf("%q never matches: the texts show nothing", expr)
		}
	}
}

// TestDFABudget checks that a text that cannot be paid for has no answer.
func TestDFABudget(t *testing.T) {
	d := newDFA(programOf(t, `a.{0,40}b.{0,40}c`))
	text := strings.Repeat("aab", 400)
	b := budget.New(nil)
	b.Cost = 2000
	if _, ok := d.matches(text, b); ok {
		t.Error("an answer that was not paid for")
	}
	if m, ok := d.matches(text+"c", nil); !m || !ok {
		t.Error("an unpaid text spoilt the next one")
	}
}

func FuzzDFA(f *testing.F) {
	for _, expr := range expressions {
		f.Add(expr, "aab\nfoo \u017f\xff")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := syntax.Parse(expr, syntax.Perl)
		if err != nil {
			return
		}
		p := newProgram(re)
		if p == nil {
			return
		}
		want := regexp.MustCompile(expr)
		d := newDFA(p)
		d.most = 3 // so that it forgets all the time
		for _, s := range []string{text, text + expr, text} {
			if got, ok := d.matches(s, nil); !ok || got != want.MatchString(s) {
				t.Fatalf("%q on %q: %v, %v", expr, s, got, ok)
			}
		}
	})
}

func BenchmarkDFA(b *testing.B) {
	for _, expr := range []string{`(?i)(?:mailbox|account).{0,50}(?:at risk|storage)`, `(<p[^>]*>\s*<br\s*/?>\s*</p>\s*){30,}`} {
		p := programOf(b, expr+`\x{10FFFE}`)
		r := rand.New(rand.NewPCG(3, 4))
		for _, text := range []struct{ name, text string }{
			{"Prose", strings.Repeat("We have received your order and thank you for it. ", 400)},
			{"Tempting", walk(r, p.prog, 20_000)},
		} {
			b.Run(text.name, func(b *testing.B) {
				d := newDFA(p)
				b.SetBytes(int64(len(text.text)))
				for b.Loop() {
					d.matches(text.text, nil)
				}
			})
		}
	}
}
