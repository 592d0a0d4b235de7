package safeview_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/sekisho/sekisho/internal/console/safeview"
)

type payload struct{ name, source string }

// hostile returns the payloads: those of the file, and those too big or too odd
// to be written there.
func hostile(t testing.TB) []payload {
	t.Helper()
	b, err := os.ReadFile("testdata/hostile.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var out []payload
	for _, f := range txtar.Parse(b).Files {
		out = append(out, payload{f.Name, string(f.Data)})
	}
	row := `<tr><td onclick="RUN">cell</td><td background="LEAK/x">cell</td></tr>`
	out = append(out,
		payload{"TenMegabyteTable", "<table>" + strings.Repeat(row, 10<<20/len(row)) + "</table>"},
		payload{"DeepDivs", strings.Repeat("<div>", 100_000) + "<script>RUN</script>x"},
		payload{"DeepTables", strings.Repeat("<table><tr><td>", 20_000) + "x<img src=x onerror=RUN>"},
		payload{"DeepLists", strings.Repeat("<ul><li>", 20_000) + "x"},
		payload{"DeepFormatting", strings.Repeat("<b><i>", 20_000) + "x"},
		payload{"DeepDrawings", strings.Repeat("<svg><g>", 20_000) + "<script>RUN</script>"},
		payload{"ManyAttributes", "<p " + strings.Repeat(`a="b" `, 200_000) + `onclick="RUN">x</p>`},
		payload{"LongAttribute", `<a href="LEAK/` + strings.Repeat("x", 1<<20) + `">x</a>`},
		payload{"ManyEndTags", "<div>" + strings.Repeat("</p></b></table></li>", 50_000) + "x"},
		payload{"ManyOpenAngles", strings.Repeat("<", 500_000)},
		payload{"ManyComments", strings.Repeat("<!--><script>RUN</script>", 20_000)},
		payload{"ManyBidiControls", strings.Repeat("a\u202e", 50_000)},
		payload{"RawControls", "a\x00b<scr\x00ipt>RUN</scr\x00ipt>\x1b]0;x\x07<img \x00src=x onerror=RUN>"},
		payload{"InvalidUTF8", "a\xc0\xbcscript\xc0\xbeRUN\xff\xfe<p\xe3>\xe3\x81</p>"},
		payload{"OverlongQuote", "<img alt=\"\xc0\" src=x onerror=RUN //\">"},
		payload{"UTF16", "\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>\x00"},
		payload{"ByteOrderMark", "\ufeff<script>RUN</script>\ufeffx"},
		payload{"ISO2022JP", "\x1b$B<img alt=\"\x1b(B\" src=x onerror=RUN>"},
	)
	return out
}

// armed puts a script and an address into a payload that name it.
func armed(p payload) string {
	s := strings.ReplaceAll(p.source, "RUN", "document.documentElement.setAttribute('data-ran','"+p.name+"')")
	return strings.ReplaceAll(s, "LEAK", "http://leak.example/"+p.name)
}

// allowed are the elements of a view and their attributes.
var allowed = map[string][]string{
	"p": nil, "pre": nil, "blockquote": nil, "div": nil, "h3": nil, "h4": nil, "h5": nil, "h6": nil, "br": nil, "hr": nil,
	"ul": nil, "ol": nil, "li": nil, "table": nil, "thead": nil, "tbody": nil, "tfoot": nil, "tr": nil,
	"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"},
	"strong": nil, "em": nil, "u": nil, "s": nil, "sub": nil, "sup": nil, "small": nil, "code": nil,
	"span": {"class", "title"}, "mark": {"class", "id", "data-n"},
}

var (
	ourClass = regexp.MustCompile(`^(sv-(link|url|box|char|hidden)|sv-mark( e[0-9]+)?)$`)
	ourID    = regexp.MustCompile(`^e[0-9]+-[0-9]+$`)
	number   = regexp.MustCompile(`^[0-9]{1,3}$`)
)

// check says what in a view must not be there.
func check(view string) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	nodes, err := html.ParseFragment(strings.NewReader(view), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		bad("no browser reads it: %v", err)
		return problems
	}
	ids := map[string]bool{}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		switch n.Type {
		case html.ElementNode:
			attributes, known := allowed[n.Data]
			if !known || n.Namespace != "" {
				bad("element %s %s", n.Namespace, n.Data)
			}
			for _, a := range n.Attr {
				ok := slices.Contains(attributes, a.Key)
				switch a.Key {
				case "class":
					ok = ok && ourClass.MatchString(a.Val)
				case "id":
					ok = ok && ourID.MatchString(a.Val) && !ids[a.Val]
					ids[a.Val] = true
				case "colspan", "rowspan", "data-n":
					ok = ok && number.MatchString(a.Val)
				}
				if !ok {
					bad("attribute %s=%q of %s", a.Key, a.Val, n.Data)
				}
			}
		case html.TextNode:
			for _, r := range n.Data {
				if r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r == 0x200B || r == 0 || r == 0x1B {
					bad("character %U in the text", r)
				}
			}
		default:
			bad("a node of type %v", n.Type)
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	var again strings.Builder
	for _, n := range nodes {
		walk(n)
		if err := html.Render(&again, n); err != nil {
			bad("rendering: %v", err)
		}
	}
	// What a parser makes of the view is the view: there is nothing to mutate.
	if again.String() != view {
		bad("a parser reads another tree:\n%s", cmp.Diff(view, again.String()))
	}
	return problems
}

func TestHostile(t *testing.T) {
	all := hostile(t)
	if len(all) < 60 {
		t.Fatalf("%d payloads, want at least 60", len(all))
	}
	for _, p := range all {
		t.Run(p.name, func(t *testing.T) {
			start := time.Now()
			v := safeview.HTML(armed(p), nil)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			for _, s := range check(string(v.HTML)) {
				t.Error(s[:min(len(s), 2000)])
			}
			if len(v.HTML) > 8<<20 {
				t.Errorf("%d bytes of HTML", len(v.HTML))
			}
		})
	}
}

// TestCheck proves that the check finds what it looks for.
func TestCheck(t *testing.T) {
	for name, view := range map[string]string{
		"Script":    "<script>x</script>",
		"Handler":   `<p onclick="x">x</p>`,
		"Class":     `<span class="rail">x</span>`,
		"ID":        `<mark class="sv-mark" id="content">x</mark>`,
		"Link":      `<a href="https://kiso-works.example/">x</a>`,
		"Drawing":   "<svg></svg>",
		"Mutation":  "<p><div>x</div></p>",
		"Foster":    "<table>x</table>",
		"Bidi":      "<p>\u202e</p>",
		"Unclosed":  "<p>x",
		"Character": "<p>\u200b</p>",
	} {
		if len(check(view)) == 0 {
			t.Errorf("%s: the check finds nothing in %q", name, view)
		}
	}
}

func TestHTML(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"Plain", "Hello <b>you</b> &amp; me", "Hello <strong>you</strong> &amp; me"},
		{"Link", `<a href="https://kiso-works.example/in?a=1">Sign in</a>`, `<span class="sv-link">Sign in <span class="sv-url">hxxps://kiso-works[.]example/in?a=1</span></span>`},
		{"LinkAroundBlocks", `<a href="https://x.example"><p>a</p></a>b`, `<span class="sv-link"><p>a</p> <span class="sv-url">hxxps://x[.]example</span></span>b`},
		{"Picture", `<img src="https://x.example/a.png" alt="Invoice">`, `<span class="sv-box">picture: Invoice</span>`},
		{"PictureWithoutWords", `<img src="https://x.example/a.png">`, `<span class="sv-box">picture</span>`},
		{"Form", `<form action="https://x.example/p"><input type=password name=pw><input type=submit value=Go></form>`, `<div><span class="sv-box">form that sends to hxxps://x[.]example/p</span><span class="sv-box">password field: pw</span><span class="sv-box">button: Go</span></div>`},
		{"Button", `<button>Go <i>on</i></button>`, `<strong>Go <em>on</em></strong>`},
		{"Refresh", `<meta http-equiv=refresh content="0;url=https://x.example/">`, `<span class="sv-box">leads on by itself: hxxps://x[.]example/</span>`},
		{"TableParts", `<table>a<tr>b<td>c<td colspan=2>d</table>`, `<table><tbody><tr><td>a</td></tr><tr><td>b</td><td>c</td><td colspan="2">d</td></tr></tbody></table>`},
		{"NestedTable", `<table><tr><td><table><tr><td>a</table>b</table>c`, `<table><tbody><tr><td><table><tbody><tr><td>a</td></tr></tbody></table>b</td></tr></tbody></table>c`},
		{"CellWithoutTable", `<td>a</td><tr>b</tr>`, `<div>a</div><div>b</div>`},
		{"ListParts", `<ul>a<li>b<li>c</ul>`, `<ul><li>a</li><li>b</li><li>c</li></ul>`},
		{"ItemWithoutList", `<li>a</li>`, `<div>a</div>`},
		{"Headings", `<h1>a</h1><h3>b</h3><h6>c</h6>`, `<h3>a</h3><h5>b</h5><h6>c</h6>`},
		{"Paragraphs", `<p>a<p>b<div>c</div></p>d`, `<p>a</p><p>b</p><div>c</div>d`},
		{"Bidi", "<p>a\u202efdp.exe</p>", `<p>a<span class="sv-char" title="turns the direction of text round">U+202E</span>fdp.exe</p>`},
		{"Run", "a&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;b", `a<span class="sv-char" title="invisible character">U+200C ×3</span>b`},
		{"Emoji", "👩\u200d💻 ❤\ufe0f 葛\U000e0100 می\u200cخواهم", "👩\u200d💻 ❤\ufe0f 葛\U000e0100 می\u200cخواهم"},
		{"Noscript", `<noscript><p>a</p></noscript>`, `<p>a</p>`},
		{"DrawingThenText", `<svg><g></g></svg>after`, `<span class="sv-box">picture</span>after`},
		{"Empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(safeview.HTML(tt.source, nil).HTML)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			for _, s := range check(got) {
				t.Error(s)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	v := safeview.HTML(`<script>x</script><p onclick=x onload=y>a</p><img src=a><svg></svg><a href=b>c</a><form></form><iframe></iframe>`, nil)
	v.HTML = ""
	if d := cmp.Diff(safeview.View{Scripts: 3, Pictures: 2, Links: 1, Forms: 1, Embedded: 1}, v); d != "" {
		t.Error(d)
	}
}

func TestMarks(t *testing.T) {
	at := func(s, sub string) safeview.Mark {
		return safeview.Mark{Offset: strings.Index(s, sub), Length: len(sub), ID: "e1-1", Class: "e1", Label: "1"}
	}
	const source = `<p>Sign &amp; pay <b>now</b> <a href="https://x.example/a">here</a></p>`
	tests := []struct {
		name  string
		marks []safeview.Mark
		want  string
	}{
		{"Words", []safeview.Mark{at(source, "Sign &amp; pay")}, `<p><mark class="sv-mark e1" id="e1-1" data-n="1">Sign &amp; pay</mark> <strong>now</strong> <span class="sv-link">here <span class="sv-url">hxxps://x[.]example/a</span></span></p>`},
		{"AcrossElements", []safeview.Mark{at(source, "pay <b>now")}, `<p>Sign &amp; <mark class="sv-mark e1" id="e1-1" data-n="1">pay </mark><strong><mark class="sv-mark e1">now</mark></strong> <span class="sv-link">here <span class="sv-url">hxxps://x[.]example/a</span></span></p>`},
		{"Address", []safeview.Mark{at(source, "https://x.example/a")}, `<p>Sign &amp; pay <strong>now</strong> <span class="sv-link">here <mark class="sv-mark e1" id="e1-1" data-n="1"><span class="sv-url">hxxps://x[.]example/a</span></mark></span></p>`},
		{"Hidden", []safeview.Mark{{Offset: strings.Index(source, "now"), Length: 3, Hidden: true}}, `<p>Sign &amp; pay <strong><span class="sv-hidden">now</span></strong> <span class="sv-link">here <span class="sv-url">hxxps://x[.]example/a</span></span></p>`},
		{"Outside", []safeview.Mark{{Offset: 9999, Length: 5}, {Offset: -1, Length: 5}, {Offset: 3, Length: 0}}, `<p>Sign &amp; pay <strong>now</strong> <span class="sv-link">here <span class="sv-url">hxxps://x[.]example/a</span></span></p>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(safeview.HTML(source, &safeview.Options{Marks: tt.marks}).HTML)
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestText(t *testing.T) {
	const source = "至急: <b>支払い\u202e\r\n1 < 2"
	marks := []safeview.Mark{
		{Offset: 0, Length: len("至急"), ID: "e1-1", Class: "e1", Label: "1"},
		{Offset: 3, Length: len("急: <"), ID: "e2-1", Class: "e2", Label: "2"},
	}
	want := `<mark class="sv-mark e1" id="e1-1" data-n="1">至</mark><mark class="sv-mark e1"><mark class="sv-mark e2" id="e2-1" data-n="2">急</mark></mark>` +
		`<mark class="sv-mark e2">: &lt;</mark>b&gt;支払い<span class="sv-char" title="turns the direction of text round">U+202E</span>` + "\n1 &lt; 2"
	if d := cmp.Diff(want, string(safeview.Text(source, &safeview.Options{Marks: marks}).HTML)); d != "" {
		t.Error(d)
	}
}

func FuzzHTML(f *testing.F) {
	for _, p := range hostile(f) {
		if len(p.source) < 4096 {
			f.Add(p.source, 3, 7)
		}
	}
	f.Fuzz(func(t *testing.T, source string, offset, length int) {
		o := &safeview.Options{Marks: []safeview.Mark{
			{Offset: offset, Length: length % 1000, ID: "e1-1", Class: "e1", Label: "1"},
			{Offset: offset + 2, Length: length % 500, ID: "e2-1", Class: "e2", Label: "2"},
			{Offset: offset / 2, Length: length % 100, Hidden: true},
		}}
		if problems := check(string(safeview.HTML(source, o).HTML)); len(problems) > 0 {
			t.Fatalf("%q: %s", source, problems)
		}
		if problems := check(string(safeview.Text(source, o).HTML)); len(problems) > 0 {
			t.Fatalf("text %q: %s", source, problems)
		}
	})
}
