package eval_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
)

// TestHostile runs all public rules on mails that are made to cost much. The
// budget bounds the work whatever they hold.
func TestHostile(t *testing.T) {
	c := loadRules(t)
	lists := loadLists(t)
	header := "From: a@kiso.test\nSubject: x\nMIME-Version: 1.0\n"
	html := header + "To: b@kiso.example\nContent-Type: text/html\n\n"
	var links, recipients, params strings.Builder
	n := 300
	if os.Getenv("SEKISHO_MAILS") != "" {
		n = 5000
	}
	for i := range n {
		fmt.Fprintf(&links, "<a href='https://h%d.kiso.test/p?q=%d' class='c%d'>text %d</a> ", i, i, i, i)
		fmt.Fprintf(&recipients, "To: r%d@kiso%d.example\n", i, i)
		fmt.Fprintf(&params, "k%d=%d&", i, i)
	}
	for _, tt := range []struct{ name, raw string }{
		{"Links", html + links.String()},
		{"Recipients", header + recipients.String() + "Content-Type: text/html\n\n" + links.String()},
		{"Deep", html + strings.Repeat("<div><a href=x>", 4*n)},
		{"Long", html + strings.Repeat("verify your account ", 10*n)},
		{"Digits", header + "\n" + strings.Repeat("1 800 555 0100 ", 10*n)},
		{"Parameters", html + "<a href='https://kiso.test/?" + params.String() + "'>x</a>"},
		{"Hops", strings.Repeat("Received: from a.test (a.test [192.0.2.1]) by b.test with ESMTP; Tue, 2 Jun 2026 09:00:00 +0900\nAuthentication-Results: b.test; spf=pass smtp.mailfrom=a.test\n", n) + header + "\nx"},
		{"Quotes", header + "\n" + strings.Repeat("From: a <a@kiso.test>\nSent: today\nTo: b\nSubject: c\n\ntext https://kiso.test/x\n\n", n)},
		{"Spaces", html + strings.Repeat(" &nbsp;\t", 12*n)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			b := budget.New(nil)
			b.Cost = 256 << 20
			model := mdm.New(mdm.Input{Mail: eml.Parse([]byte(tt.raw), &eml.Options{Budget: b}), Budget: b})
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
			d := time.Since(start)
			t.Logf("%d bytes in %v, %d MiB units left; %v, %d for want of budget", len(tt.raw), d, b.Cost>>20, counts, short)
			if d > 20*time.Second {
				t.Errorf("%d bytes took %v", len(tt.raw), d)
			}
		})
	}
}
