package eval_test

import (
	"encoding/base64"
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"regexp/syntax"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	mql "github.com/sekisho/sekisho/mql/syntax"
)

// TestHostile runs all public rules on mails that are made to cost much. The
// budget bounds the work whatever they hold: each unit stands for a bounded
// time, so that a mail that is cut short has not taken long.
func TestHostile(t *testing.T) {
	c := loadRules(t)
	lists := loadLists(t)
	n := 200
	if os.Getenv("SEKISHO_MAILS") != "" {
		n = 5000
	}
	for _, tt := range hostile(c.rules, n) {
		t.Run(tt.name, func(t *testing.T) {
			whole := budget.New(nil)
			m := eml.Parse([]byte(tt.raw), &eml.Options{Budget: whole})
			content := extract.Read(m, whole)
			before := whole.Cost
			start := time.Now()
			b, settle := whole.Share(eval.MessageCost)
			model := mdm.New(mdm.Input{Mail: m, Content: content, Budget: b})
			r := c.rules.Start(eval.Env{Root: model.Root(), Lists: lists, Functions: model.Functions(nil), Budget: b})
			counts := map[eval.Verdict]int{}
			short := 0
			for i := range c.rules.Len() {
				res := r.Rule(i)
				counts[res.Verdict]++
				for _, g := range res.Missing {
					if g.Capability == "budget" {
						short++
					}
				}
			}
			r.Done()
			settle()
			d := time.Since(start)
			units := before - whole.Cost
			t.Logf("%d bytes in %v, %d thousand units, %.1f ns each; %v, %d for want of budget", len(tt.raw), d.Round(time.Millisecond), units/1000, float64(d)/float64(units), counts, short)
			if units > eval.MessageCost {
				t.Errorf("%d units were spent", units)
			}
			if d > 15*time.Second && !raceEnabled {
				t.Errorf("%d bytes took %v", len(tt.raw), d)
			}
		})
	}
}

type hostileMail struct{ name, raw string }

// hostile makes mails that hold n of everything.
func hostile(rules *eval.Rules, n int) []hostileMail {
	header := "From: a@kiso.test\nSubject: x\nMIME-Version: 1.0\n"
	page := header + "To: b@kiso.example\nContent-Type: text/html; charset=utf-8\n\n"
	repeat := func(n int, format string) string {
		var b strings.Builder
		args := strings.Count(format, "%d")
		for i := range n {
			list := make([]any, args)
			for j := range list {
				list[j] = i
			}
			fmt.Fprintf(&b, format, list...)
		}
		return b.String()
	}
	links := repeat(n, "<a href='https://h%d.kiso.test/p?q=%d&u=a%d@kiso.example' class='c%d'>text %d</a> ")
	lookalikes := repeat(n, "<a href='https://kisomicrosoft%d.test/'>Microsoft %d</a> ")
	recipients := repeat(n, "To: \"Person %d\" <r%d@kiso%d.example>\n")
	words := tempting(rules, 200*n)
	r := rand.New(rand.NewPCG(5, 6))
	random := make([]byte, 100*n)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	return []hostileMail{
		{"Links", page + links},
		{"Lookalikes", page + lookalikes},
		{"Recipients", header + recipients + "Content-Type: text/html\n\n" + links},
		{"Deep", page + strings.Repeat("<div><a href=x>", 4*n)},
		{"Nested", page + strings.Repeat(strings.Repeat("<div style='background-color:red'>verify ", 60)+strings.Repeat("</div>", 60), n/50)},
		{"Table", page + "<table>" + repeat(n, "<tr><td class='c%d' style='background-color:#fff'>%d <b>Important</b> <span id='s%d'>Company</span></td></tr>") + "</table>"},
		{"Long", page + strings.Repeat("verify your account ", 10*n)},
		{"Digits", header + "\n" + strings.Repeat("1 800 555 0100 ", 10*n)},
		{"Parameters", page + "<a href='https://kiso.test/?" + repeat(n, "k%d=aHR0cHM6Ly9raXNvLnRlc3Q=%d&") + "'>x</a>"},
		{"LongLink", page + "<a href='https://kiso.test/" + strings.Repeat("a%20/", 20*n) + "'>x</a>"},
		{"Hops", strings.Repeat("Received: from a.test (a.test [192.0.2.1]) by b.test with ESMTP; Tue, 2 Jun 2026 09:00:00 +0900\nAuthentication-Results: b.test; spf=pass smtp.mailfrom=a.test\n", n) + header + "\nx"},
		{"References", header + "References:" + repeat(n, "\n <r%d@kiso%d.test>") + "\nReply-To:" + strings.TrimSuffix(repeat(n, "\n r%d@kiso%d.test,"), ",") + "\nIn-Reply-To: <a@kiso.test>\n\nx"},
		{"Quotes", header + "\n" + strings.Repeat("From: a <a@kiso.test>\nSent: today\nTo: b\nSubject: c\n\ntext https://kiso.test/x\n\n", n)},
		{"Spaces", page + strings.Repeat(" &nbsp;\t", 12*n)},
		{"Base64", header + "\n" + base64.StdEncoding.EncodeToString(random)},
		{"Attachments", header + "Content-Type: multipart/mixed; boundary=b\n\n" + repeat(n, "--b\nContent-Type: text/html; name=f%d.html\nContent-Disposition: attachment\n\n<a href=https://kiso.test/%d>x</a>\n")},
		{"Subject", "From: \"" + strings.ReplaceAll(words, `"`, "'")[:100*n] + "\" <a@kiso.test>\nSubject: " + words + "\n\nx"},
		{"Tempting", header + "\n" + words},
		{"TemptingPage", page + html.EscapeString(words)},
		{"TemptingRaw", page + "<p>" + words},
		{"TemptingLinks", page + "<a href='https://kiso.test/" + strings.Join(strings.Fields(html.EscapeString(words)), "'>x</a> <a href='https://kiso.test/") + "'>x</a>"},
	}
}

// tempting returns a text of beginnings of what the expressions of rules match,
// so that they are asked and busy.
func tempting(rules *eval.Rules, size int) string {
	seen := map[string]bool{}
	var progs []*syntax.Prog
	for i := range rules.Len() {
		mql.Walk(rules.Program(i).File.Root, func(x mql.Expr) bool {
			call, ok := x.(*mql.Call)
			if !ok || !strings.HasPrefix(call.Func, "regex.") {
				return true
			}
			for _, a := range call.Args[1:] {
				if s, ok := a.(*mql.String); ok && !seen[s.Value] {
					seen[s.Value] = true
					if re, err := syntax.Parse(s.Value, syntax.Perl); err == nil {
						if p, err := syntax.Compile(re.Simplify()); err == nil {
							progs = append(progs, p)
						}
					}
				}
			}
			return true
		})
	}
	r := rand.New(rand.NewPCG(7, 8))
	var b strings.Builder
	for b.Len() < size {
		p := progs[r.IntN(len(progs))]
		pc := p.Start
	walk:
		for range 300 {
			inst := &p.Inst[pc]
			pc = int(inst.Out)
			switch inst.Op {
			case syntax.InstAlt, syntax.InstAltMatch:
				if r.IntN(2) == 0 {
					pc = int(inst.Arg)
				}
			case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			case syntax.InstMatch, syntax.InstFail:
				break walk
			case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				b.WriteByte("aeinorst 0123<>=/."[r.IntN(18)])
			default:
				at := r.IntN(len(inst.Rune)/2+1) * 2 % max(1, len(inst.Rune)-1)
				if c := inst.Rune[at]; c != '\n' && c != '\r' && c != 0 {
					b.WriteRune(c)
				}
				if r.IntN(40) == 0 {
					break walk
				}
			}
		}
	}
	return strings.ToValidUTF8(b.String(), "?")
}
