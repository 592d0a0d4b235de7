package html_test

import (
	"flag"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/html"
)

func TestText(t *testing.T) {
	tests := []struct {
		name, in     string
		text, hidden string
	}{
		{"Plain", "hello", "hello", ""},
		{"Fold", " a \r\n\t b<b> c</b>d ", "a b cd", ""},
		{"Blocks", "<div>a</div><div>b<div>c</div></div>d", "a\nb\nc\nd", ""},
		{"Paragraphs", "<p>a</p><p>b</p>c", "a\n\nb\n\nc", ""},
		{"Breaks", "a<br>b<br><br>c<br/><br/><br/>d", "a\nb\n\nc\n\nd", ""},
		{"Table", "<table><tr><td>a</td><td>b</td></tr><tr><td>c<td>d</table>e", "a b\nc d\ne", ""},
		{"List", "<ul><li>a<li>b</ul>c", "a\nb\nc", ""},
		{"Entities", "a&amp;b &lt;x&gt; &#65;&#x42;&nbsp;c &copy;d &notit; &copyx &bogus; & &#0; &#128;", "a&b <x> AB c ©d ¬it; ©x &bogus; & \ufffd €", ""},
		{"Invisible", "Mi\u200bcro&#8203;soft&shy;&zwnj; \u00ad x\x00y", "Microsoft xy", ""},
		{"Pre", "<pre>a  b\n  c\r\nd</pre>", "a  b\n  c\nd", ""},
		{"PreWrap", `<div style="white-space: pre-wrap">a` + "\nb</div>c\nd", "a\nb\nc d", ""},
		{"Head", "<head><title>T</title><style>p{}</style><script>x()</script></head><body>b", "b", ""},
		{"HeadText", "<head>seen", "seen", ""},
		{"Comment", "a<!-- b -->c<!doctype html><?x?>", "ac", ""},
		{"Script", "a<script>'<p>b</p>'</script>c", "ac", ""},
		{"Template", "a<template><p>b</p></template>c", "ac", "b"},
		{"NoScript", "a<noscript><b>b</b></noscript>c", "abc", ""},
		{"IFrame", "a<iframe>b</iframe>c", "ac", ""},
		{"Japanese", "<p>お世話に<b>なって</b>\nおります</p>", "お世話になって おります", ""},
		{"Button", `<form><input type=submit value="Sign &amp; in"></form>`, "Sign & in", ""},
		{"PlainText", "a<plaintext>&amp;<b>", "a\n&amp;<b>", ""},
		{"LessThan", "a < b <3 c", "a < b <3 c", ""},

		{"DisplayNone", `a<div style="display:none">b<p>c</p></div>d`, "ad", "b\n\nc"},
		{"DisplayNoneSpaces", `a<span STYLE=" Display : NONE !important ">b</span>d`, "ad", "b"},
		{"DisplayComment", `a<span style="display:/* x */none">b</span>d`, "ad", "b"},
		{"DisplayOverridden", `a<span style="display:none;display:inline">b</span>d`, "abd", ""},
		{"Visibility", `<div style="visibility:hidden">a<span style="visibility:visible">b</span></div>`, "b", "a"},
		{"FontSizeZero", `<td style="font-size:0">a<span style="font-size:14px">b</span><i style="font-size:1em">c</i></td>`, "b", "ac"},
		{"FontSizeOnePixel", `<span style="font-size:1px">a</span>b`, "b", "a"},
		{"FontShorthand", `<span style="font:0/0 a">a</span><span style="font: bold 12px/1.2 Arial">b</span>`, "b", "a"},
		{"FontTag", `<div style="font-size:0"><font size=3>b</font>c</div>`, "b", "c"},
		{"Opacity", `<p style="opacity:0.0">a</p><p style="opacity:.5">b</p>`, "b", "a"},
		{"MsoHide", `<div style="mso-hide:all">a</div>b`, "b", "a"},
		{"ZeroSize", `<div style="max-height:0px;overflow:hidden">a</div><div style="max-height:0">b</div><div style="overflow:hidden;height:10px">c</div>`, "b\nc", "a"},
		{"Transparent", `<span style="color:transparent">a</span><span style="color:rgba(0,0,0,0)">b</span><span style="color:rgb(0,0,0)">c</span>`, "c", "ab"},
		{"HiddenAttribute", `<div hidden>a</div>b`, "b", "a"},

		{"StyleClass", `<style>.x{display:none} .y,#z{visibility:hidden}</style><p class="q x">a</p><i class=y>b</i><i id=z>c</i>d`, "d", "a\n\nbc"},
		{"StyleMedia", `<style>@media (max-width:600px){.x{display:none}} .y{display:none}</style><i class=x>a</i><i class=y>b</i>`, "a", "b"},
		{"StyleMediaScreen", `<style>@media screen{.x{display:none}} .y{display:none}</style><i class=x>a</i><i class=y>b</i>c`, "c", "ab"},
		{"StyleShownLater", `<style>.x{display:none} .x{display:block}</style><i class=x>a</i>`, "a", ""},
		{"StyleShownByContext", `<style>.x{display:none} div .x{display:block}</style><i class=x>a</i>`, "a", ""},
		{"StyleHiddenByContext", `<style>div .x{display:none}</style><i class=x>a</i>`, "a", ""},
		{"StyleInlineWins", `<style>.x{display:none}</style><i class=x style="display:inline">a</i>`, "a", ""},
		{"StyleImportantWins", `<style>.x{display:none!important}</style><i class=x style="display:inline">a</i>b`, "b", "a"},

		// Where the rules of the tree decide what is seen.
		{"ParagraphClosedByBlock", `<p style="display:none">a<div>b</div>`, "b", "a"},
		{"SpanEndWithinBlock", `<span style="display:none"><div>a</span>b</div></span>c`, "c", "ab"},
		{"FormattingReopened", `<div><font style="display:none">a</div>b</font>c`, "c", "a\nb"},
		{"FormattingEndedInCell", `<table><tr><td><font style="display:none">a</td><td>b</td></tr></table>`, "b", "a"},
		{"FosteredText", `<table style="display:none">a<tr><td>b</td></tr></table>c`, "ac", "b"},
		{"FosteredBlock", `<table style="display:none"><div>a</div><tr><td>b</td></tr></table>c`, "a\nc", "b"},
		{"StrayEndTags", `</div><div style="display:none">a</p></b></td>b</div>c`, "c", "a\n\nb"},
		{"UnclosedHidden", `a<div style="display:none">b`, "a", "b"},
		{"SelfClosingDiv", `<div style="display:none"/>a</div>b`, "b", "a"},
		{"SelfClosingInSVG", `<svg><g style="display:none"/><text>a</text></svg>b`, "ab", ""},
		{"TooDeep", strings.Repeat("<div>", 400) + "a" + strings.Repeat("</div>", 400) + "b", "a\nb", ""},
		{"HiddenTooDeep", `<div style="display:none">` + strings.Repeat("<i>", 400) + "a", "", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := html.Read(tt.in, nil)
			if d := cmp.Diff(tt.text, p.Text.Text); d != "" {
				t.Error("shown: ", d)
			}
			if d := cmp.Diff(tt.hidden, p.Hidden.Text); d != "" {
				t.Error("hidden: ", d)
			}
		})
	}
}

type link struct {
	Tag, URL, Visible string
	Flags             string // h hidden, i image, o Outlook
}

func TestLinks(t *testing.T) {
	tests := []struct {
		name, in string
		want     []link
	}{
		{"Plain", `<a href="https://kiso.example/?a=1&amp;b=2&copy=3">go <b>there</b></a>`, []link{{"a", "https://kiso.example/?a=1&b=2&copy=3", "go there", ""}}},
		{"Unquoted", `<A HREF=https://kiso.example/a title=x>b</A>`, []link{{"a", "https://kiso.example/a", "b", ""}}},
		{"SpaceAround", `<a href = ' https://kiso.example/ '> b </a>`, []link{{"a", "https://kiso.example/", "b", ""}}},
		{"FirstWins", `<a href="https://a.example" href="https://b.example">x</a>`, []link{{"a", "https://a.example", "x", ""}}},
		{"AfterManyAttributes", "<a " + strings.Repeat("x=y ", 5000) + `href="https://a.example">x</a>`, []link{{"a", "https://a.example", "x", ""}}},
		{"Image", `<a href="https://a.example"><img src="cid:1" alt="Sign &amp; in"></a>`, []link{{"a", "https://a.example", "Sign & in", "i"}}},
		{"ImageWithoutAlt", `<a href="https://a.example"><img src="cid:1"></a>`, []link{{"a", "https://a.example", "", "i"}}},
		{"ImageAndText", `<a href="https://a.example"><img src="cid:1" alt="logo">go</a>`, []link{{"a", "https://a.example", "go", ""}}},
		{"Nested", `<a href="https://a.example">a<a href="https://b.example">b</a>c</a>`, []link{{"a", "https://a.example", "a", ""}, {"a", "https://b.example", "b", ""}}},
		{"AcrossBlocks", `<div><a href="https://a.example">a</div><div>b</div></a>c`, []link{{"a", "https://a.example", "a\nb", ""}}},
		{"Unclosed", `<a href="https://a.example">a`, []link{{"a", "https://a.example", "a", ""}}},
		{"Hidden", `<div style="display:none"><a href="https://a.example">a</a></div>`, []link{{"a", "https://a.example", "a", "h"}}},
		{"Area", `<map><area href="https://a.example" alt="go"></map>`, []link{{"area", "https://a.example", "go", "i"}}},
		{"Form", `<form action="https://a.example"><input name=p type=password><button formaction="https://b.example">go</button></form>`, []link{{"form", "https://a.example", "", ""}, {"button", "https://b.example", "go", ""}}},
		{"Refresh", `<meta http-equiv="Refresh" content="0; URL='https://a.example/x'">`, []link{{"meta", "https://a.example/x", "", ""}}},
		{"RefreshPlain", `<meta http-equiv=refresh content="5;https://a.example/x">`, []link{{"meta", "https://a.example/x", "", ""}}},
		{"Base", `<base href="https://a.example/"><a href="b">x</a>`, []link{{"base", "https://a.example/", "", ""}, {"a", "b", "x", ""}}},
		{"Frames", `<iframe src="https://a.example"></iframe><embed src="https://b.example"><object data="https://c.example"></object>`, []link{{"iframe", "https://a.example", "", ""}, {"embed", "https://b.example", "", ""}, {"object", "https://c.example", "", ""}}},
		{"SVG", `<svg><a xlink:href="https://a.example"><text>go</text></a></svg>`, []link{{"a", "https://a.example", "go", ""}}},
		{"Conditional", `<!--[if mso]><v:roundrect href="https://a.example"><center>Go</center></v:roundrect><![endif]--><!--[if !mso]><!--><a href="https://b.example">go</a><!--<![endif]-->`, []link{{"v:roundrect", "https://a.example", "Go", "o"}, {"a", "https://b.example", "go", ""}}},
		{"ConditionalForNobody", `<!--[if !mso]><a href="https://a.example">a</a><![endif]--><!--[if IE 6]>x<![endif]-->`, nil},
		{"BadMarkup", `<a href="https://a.example"">x</a><a/href="https://b.example">y</a>`, []link{{"a", "https://a.example", "x", ""}, {"a", "https://b.example", "y", ""}}},
		{"NoHref", `<a name=x>y</a>`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []link
			for _, l := range html.Read(tt.in, nil).Links {
				flags := ""
				if l.Hidden {
					flags += "h"
				}
				if l.Image {
					flags += "i"
				}
				if l.Outlook {
					flags += "o"
				}
				got = append(got, link{l.Tag, l.URL, l.Visible.Text, flags})
				if where := tt.in[l.Where.Offset:l.Where.End()]; !strings.Contains(strings.ReplaceAll(where, "&amp;", "&"), l.URL) {
					t.Errorf("%q stands where %q should", where, l.URL)
				}
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestPage(t *testing.T) {
	p := html.Read(`<title> Sign
in </title><base href="https://a.example/"><form action=x><input name=u><input type=PASSWORD name=p></form>
<img src="https://t.example/p.gif" width=1 height=1 alt="x"><p>answer</p><blockquote type="cite">old<blockquote type=cite>older</blockquote></blockquote>after
<!--[if gte mso 9]>only Outlook<![endif]-->`, nil)
	if p.Title != "Sign in" || p.Base != "https://a.example/" || p.Outlook.Text != "only Outlook" {
		t.Errorf("title %q, base %q, outlook %q", p.Title, p.Base, p.Outlook.Text)
	}
	if d := cmp.Diff([]html.Form{{Action: "x", Inputs: []html.Input{{Type: "text", Name: "u"}, {Type: "password", Name: "p"}}}}, p.Forms); d != "" {
		t.Error(d)
	}
	if len(p.Images) != 1 || p.Images[0].Src != "https://t.example/p.gif" || p.Images[0].Alt.Text != "x" {
		t.Errorf("images %+v", p.Images)
	}
	var quoted []string
	for _, q := range p.Quotes {
		quoted = append(quoted, strings.TrimSpace(p.Text.Text[q.From:q.To]))
	}
	if d := cmp.Diff([]string{"old\n\nolder"}, quoted); d != "" {
		t.Error(d)
	}
}

func TestBudget(t *testing.T) {
	b := budget.New(nil)
	b.Cost = 20
	p := html.Read("<p>hello</p><p>and much more</p>", b)
	if d := cmp.Diff([]html.Defect{{Code: html.BudgetExhausted, Offset: 15}}, p.Defects); d != "" {
		t.Error(d)
	}
	if p.Text.Text != "hello" {
		t.Errorf("text %q", p.Text.Text)
	}
}

var full = flag.Bool("full", false, "read hostile pages in their full size")

// hostile are pages that are built to be slow.
var hostile = map[string]string{
	"NestedTags":       strings.Repeat("<div>", 1_000_000),
	"NestedUnknown":    strings.Repeat("<x>", 1_000_000),
	"NestedFormat":     strings.Repeat("<b>", 1_000_000),
	"NestedTables":     strings.Repeat("<table><tr><td>", 300_000),
	"LessThan":         strings.Repeat("<", 10<<20),
	"Ampersands":       strings.Repeat("&", 10<<20),
	"LongReferences":   strings.Repeat("&notxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;", 300_000),
	"Attributes":       "<a " + strings.Repeat("a=b ", 2_500_000) + ">",
	"Names":            "<a " + strings.Repeat("href ", 2_000_000) + ">",
	"Classes":          `<style>.x{display:none}</style><p class="` + strings.Repeat("a ", 4_000_000) + `">`,
	"EndTags":          strings.Repeat("<p>", 250) + strings.Repeat("</li>", 2_000_000),
	"ScopedEndTags":    "<li><table><td>" + strings.Repeat("<div>", 240) + strings.Repeat("</li>", 2_000_000),
	"ScopedParagraph":  "<p><table><td>" + strings.Repeat("<div>", 240) + strings.Repeat("<hr>", 2_000_000),
	"FormattingAcross": strings.Repeat(strings.Repeat("<b>", 120)+strings.Repeat("<div>", 120)+strings.Repeat("</b>", 120)+strings.Repeat("</div>", 120), 4_000),
	"Comments":         strings.Repeat("<!--[if mso]><a href=x>x</a><![endif]-->", 250_000),
	"OpenComment":      "<!--" + strings.Repeat("-", 10<<20),
	"Rules":            "<style>" + strings.Repeat("a{", 5_000_000),
	"ManyRules":        "<style>" + strings.Repeat("a,b,c,d{display:none}", 400_000) + "</style>",
	"MediaRules":       "<style>" + strings.Repeat("@media x{", 1_000_000),
	"CSSComments":      "<style>" + strings.Repeat("/*", 5_000_000),
	"Styles":           strings.Repeat(`<i style="display:none">`, 400_000),
	"Links":            strings.Repeat(`<a href="https://a.example/">x</a>`, 300_000),
	"Declarations":     `<p style="` + strings.Repeat("a:b;", 2_500_000) + `">`,
	"Scripts":          strings.Repeat("<script>", 1_000_000),
	"Titles":           strings.Repeat("<title>x</title>", 600_000),
	"Breaks":           strings.Repeat("<br>", 2_500_000),
	"Inputs":           strings.Repeat("<input>", 1_400_000),
}

func TestHostile(t *testing.T) {
	for name, in := range hostile {
		t.Run(name, func(t *testing.T) {
			if !*full {
				in = in[:len(in)/40]
			}
			start := time.Now()
			html.Read(in, budget.New(nil))
			// Far more than it takes, so that only a change of order is
			// noticed on a busy machine with the race detector.
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%v for %d bytes", d, len(in))
			} else if testing.Verbose() {
				t.Logf("%v for %d bytes", d, len(in))
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		`<p style="display:none">a&amp;b<div>c</div>`, `<a href="x&#65;">b<img alt="c&lt;">`, `<!--[if mso]><a href=x>y</a><![endif]-->`,
		"<style>.a{display:none}</style><table><td class=a>x</table>", "<pre>a\r\nb</pre>", "<svg><title>x</svg>", "&notit;&#x80;&#0;\u200b\u00a0", "<plaintext><b>&amp;",
		"<blockquote type=cite>a<b>c</blockquote>d</b>", `<meta http-equiv=refresh content="0;url='a'">`, "<select><option>a<option>b", "<b><p>a</b>c</p>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd")
		p := html.Read(s, nil)
		for _, m := range []eml.Mapped{p.Text, p.Hidden, p.Outlook} {
			checkSpans(t, s, m)
		}
		for _, l := range p.Links {
			checkSpans(t, s, l.Visible)
			if l.Where.Offset < 0 || l.Where.End() > len(s) {
				t.Fatalf("link at %v of %d", l.Where, len(s))
			}
		}
		for _, q := range p.Quotes {
			if q.From < 0 || q.From >= q.To || q.To > len(p.Text.Text) {
				t.Fatalf("quote %v of %d", q, len(p.Text.Text))
			}
		}
	})
}

// checkSpans checks that exact stretches stand in the source and that others
// lie in it.
func checkSpans(t *testing.T, source string, m eml.Mapped) {
	t.Helper()
	for i := 0; i < len(m.Text); i += 1 + len(m.Text)/100 {
		n := min(7, len(m.Text)-i)
		sp := m.Span(i, n)
		if sp.Offset < 0 || sp.Length < 0 || sp.End() > len(source) {
			t.Fatalf("%q stands at %v of %d", m.Text[i:i+n], sp, len(source))
		}
		if m.Exact(i, n) && source[sp.Offset:sp.End()] != m.Text[i:i+n] {
			t.Fatalf("%q stands at %v, not %q", source[sp.Offset:sp.End()], sp, m.Text[i:i+n])
		}
	}
}
