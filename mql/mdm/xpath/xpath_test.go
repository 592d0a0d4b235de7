package xpath_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/mql/mdm/xpath"
)

const page = `<!doctype html><html><head><title>Kiso</title></head><body>
<!-- lure --><div class="a" style="color:#605E5C"><a href="#1"><img src="x.png" width="4"></a><a href="#2">two <b>bold</b></a></div>
<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td> four  words </td></tr></table>
<ul><li>a<li>b</ul><script>var x = "<a>";</script><script id="s">2</script><admin>z</admin></body></html>`

func find(t *testing.T, doc, expr string) []string {
	t.Helper()
	d, err := xpath.Parse(doc, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := xpath.Compile(expr)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := x.Find(d, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, n := range nodes {
		s := n.Name()
		if n.Kind() == xpath.Attribute {
			s = "@" + s
		}
		out = append(out, s+"="+strings.TrimSpace(n.Value()))
	}
	return out
}

func TestFind(t *testing.T) {
	for _, tt := range []struct {
		expr string
		want []string
	}{
		{`//a`, []string{"a=", "a=two bold"}},
		{`//a[@href="#2"]/b`, []string{"b=bold"}},
		{`/html/body/script[2]`, []string{"script=2"}},
		{`//td[1]`, []string{"td=1", "td=3"}},
		{`//tr[last()]/td[2]`, []string{"td=four  words"}},
		{`(//td)[3]`, []string{"td=3"}},
		{`//table/tbody/tr/td[normalize-space()="four words"]`, []string{"td=four  words"}},
		{`//comment()`, []string{"=lure"}},
		{`//title/text()`, []string{"=Kiso"}},
		{`//@href`, []string{"@href=#1", "@href=#2"}},
		{`//img/@src | //@id`, []string{"@src=x.png", "@id=s"}},
		{`//*[contains(translate(@style, 'ABCDEF', 'abcdef'), 'color:#605e5c')]/@class`, []string{"@class=a"}},
		{`//ul[count(li) = 2]/li`, []string{"li=a", "li=b"}},
		{`//*[local-name() = 'admin']`, []string{"admin=z"}},
		{`//b/ancestor::div/@class`, []string{"@class=a"}},
		{`//b/ancestor::*[1]`, []string{"a=two bold"}},
		{`//tr[td[text()="1"]]/following-sibling::tr//td[1]`, []string{"td=3"}},
		{`//td[preceding-sibling::td="3"]`, []string{"td=four  words"}},
		{`//a[img[@src] or .//img[@src]][not(b)]/@href`, []string{"@href=#1"}},
		{`//img[(number(@width) > 5 or not(@width))]`, nil},
		{`//img[number(@width) < 5]/..`, []string{"a="}},
		{`//td[@style[contains(., 'x')]]`, nil},
		{`//td[position() mod 2 = 0][. != "2"]`, []string{"td=four  words"}},
		{`//script[contains(text(), "var x")]`, []string{`script=var x = "<a>";`}},
		{`//li[string-length(.) = 1 and starts-with(., "b")]`, []string{"li=b"}},
		{`//td[substring(., 1, 1) = "3" or substring-before("a-b", "-") = .]`, []string{"td=3"}},
		{`//td[. = 1 or . = 3]`, []string{"td=1", "td=3"}},
		{`//*[text()[normalize-space()]][self::td]`, []string{"td=1", "td=2", "td=3", "td=four  words"}},
		{`//nothing`, nil},
		{`//tr[td[1]="3"]/td[2]]`, []string{"td=four  words"}},
	} {
		t.Run(tt.expr, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, find(t, page, tt.expr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHTML(t *testing.T) {
	d, err := xpath.Parse(page, nil)
	if err != nil {
		t.Fatal(err)
	}
	for expr, want := range map[string]string{
		`//b`: `<b>bold</b>`, `//@class`: `a`, `//comment()`: `<!-- lure -->`, `//title/text()`: `Kiso`,
	} {
		x, err := xpath.Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		nodes, err := x.Find(d, nil)
		if err != nil || len(nodes) == 0 || nodes[0].HTML() != want {
			t.Errorf("%s: %v (%v), want %q", expr, nodes, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, s := range []string{``, `//`, `//a[`, `//a]]`, `//a["x]`, `foo()`, `contains("a")`, `//a[@]`, `a::b`, `//a | `, `$x`, `1 +`, `processing-instruction()`, strings.Repeat("(", 500), strings.Repeat("-", 500) + "1", strings.Repeat("/a", 100)} {
		if _, err := xpath.Compile(s); !errors.Is(err, xpath.ErrSyntax) {
			t.Errorf("%.30q: %v", s, err)
		}
	}
	d, err := xpath.Parse(page, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := xpath.Compile(`count(//a)`)
	if _, err := x.Find(d, nil); !errors.Is(err, xpath.ErrNodes) {
		t.Errorf("got %v", err)
	}
	b := budget.New(nil)
	b.Cost = 50
	x, _ = xpath.Compile(`//*[.//*[.//*]]`)
	if _, err := x.Find(d, b); !errors.Is(err, xpath.ErrBudget) {
		t.Errorf("got %v", err)
	}
	if _, err := xpath.Parse(page, b); !errors.Is(err, xpath.ErrDocument) {
		t.Errorf("got %v", err)
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{`//a[@href][1]/b | //td`, `(//td)[2]/../following-sibling::*[last()-1]`, `//*[not(.//text())]/ancestor-or-self::node()`, `-1 div 0 + count(//@*)`} {
		f.Add(s, page)
	}
	f.Fuzz(func(t *testing.T, expr, doc string) {
		x, err := xpath.Compile(expr)
		if err != nil {
			return
		}
		b := budget.New(nil)
		b.Cost = 1 << 20
		d, err := xpath.Parse(doc, b)
		if err != nil {
			return
		}
		nodes, err := x.Find(d, b)
		if err != nil {
			return
		}
		for i, n := range nodes {
			_ = n.HTML()
			if i > 0 && nodes[i-1] == n {
				t.Fatal("a node was found twice")
			}
		}
	})
}
