package syntax_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/mql/syntax"
)

func TestFormat(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"Short", `type.inbound`, "type.inbound\n"},
		{"Top", `type.inbound and length( attachments )>0`, "type.inbound\nand length(attachments) > 0\n"},
		{"Spaces", `a . b  in~( "x" ,'y', )or not  (c is   not null)`, "a.b in~ (\"x\", 'y')\nor not (c is not null)\n"},
		{"Long", `type.inbound and any(body.links, .href_url.domain.root_domain in ("one.example", "two.example") and .display_text is not null)`,
			`type.inbound
and any(body.links,
        .href_url.domain.root_domain in ("one.example", "two.example")
        and .display_text is not null
)
`},
		{"Group", `a and (bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb or ccccccccccccccccccccccccccccccc or dddddddddddddddddddd and e)`,
			`a
and (
  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  or ccccccccccccccccccccccccccccccc
  or dddddddddddddddddddd and e
)
`},
		{"Of", `2 of (strings.icontains(subject.subject, "invoice"), strings.icontains(subject.subject, "payment"))`,
			`2 of (
  strings.icontains(subject.subject, "invoice"),
  strings.icontains(subject.subject, "payment")
)
`},
		{"Keywords", `strings.scan_base64(body.current_thread.text,format="url",ignore_padding=true,encodings=["ascii"])`,
			`strings.scan_base64(body.current_thread.text,
                    format="url",
                    ignore_padding=true,
                    encodings=["ascii"]
)
`},
		{"Comments", "// head\n// more\na // why a\nand b // why b\n\n\n// above c\nand // before c\nc\n// end\n",
			"// head\n// more\na // why a\nand b // why b\n\n// above c\n// before c\nand c\n// end\n"},
		{"CommentsInside", "f( // open\n a, // one\n // two\n b\n // last\n)",
			"f( // open\n  a, // one\n  // two\n  b\n  // last\n)\n"},
		{"CommentBeforeComma", "x in (\"a\" // one\n, \"b\")", "x in (\n  \"a\", // one\n  \"b\"\n)\n"},
		{"CommentInComparison", "a == // odd\n b and c", "a == b\n// odd\nand c\n"},
		{"CommentNotMoved", "a and b // about b\nand c", "a\nand b // about b\nand c\n"},
		{"EmptyLines", "a\n\n\nand b\nand\n\nc", "a\n\nand b\n\nand c\n"},
		{"Broken", "a and", "a and"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := syntax.Parse(tc.src)
			got := syntax.Format(f)
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
			if again := syntax.Format(syntax.Parse(got)); again != got {
				t.Errorf("formatting again: %s", cmp.Diff(got, again))
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`type.inbound and any(attachments, .file_type in ("pdf", 'doc''x') and not ..x is null) // c`)
	f.Add("3 of ( // a\n a, -1 + 2.5 * b[0]['k'][1:], f(x, y=[1,]),\n// b\n)")
	f.Add("a =~ \"\\u{200F}\" or 0 < length(b) <= $list.c and d not in~ map(e, .f)")
	f.Add("((a == ) b] and [\"c\" 'd' \xff“ && ! = # x\n")
	f.Add("a // \r\n\u00a0and\tb //")
	f.Fuzz(func(t *testing.T, src string) {
		file := syntax.Parse(src)
		checkSpans(t, file)
		for _, d := range file.Diagnostics {
			if d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > len(src) {
				t.Fatalf("%s is at %v of %d", d.Message.Key, d.Span, len(src))
			}
		}
		if !file.OK() {
			if syntax.Format(file) != src {
				t.Fatal("a broken source was changed")
			}
			return
		}
		out := syntax.Format(file)
		again := syntax.Parse(out)
		if !again.OK() {
			t.Fatalf("%q\nbecame %q\n%s", src, out, describe(again))
		}
		if d := cmp.Diff(dump(file.Root), dump(again.Root)); d != "" {
			t.Fatalf("%q\nbecame %q\n%s", src, out, d)
		}
		if d := cmp.Diff(comments(file), comments(again)); d != "" {
			t.Fatalf("%q\nbecame %q\n%s", src, out, d)
		}
		if twice := syntax.Format(again); twice != out {
			t.Fatalf("%q\nbecame %q\nand then %q", src, out, twice)
		}
	})
}

// checkSpans fails unless every node lies in its parent and has an ID of its
// own.
func checkSpans(t *testing.T, f *syntax.File) {
	t.Helper()
	seen := map[int]bool{}
	var visit func(e syntax.Expr)
	visit = func(e syntax.Expr) {
		if seen[e.ID()] || e.ID() < 0 || e.ID() >= f.Nodes {
			t.Fatalf("ID %d of %d nodes is taken or out of range", e.ID(), f.Nodes)
		}
		seen[e.ID()] = true
		s, last := e.Span(), e.Span().Start
		if s.Start < 0 || s.End < s.Start || s.End > len(f.Source) {
			t.Fatalf("%T is at %v", e, s)
		}
		for c := range syntax.Children(e) {
			if f.OK() && (c.Span().Start < last || c.Span().End > s.End) {
				t.Fatalf("%T at %v has a child at %v", e, s, c.Span())
			}
			last = c.Span().End
			visit(c)
		}
	}
	visit(f.Root)
}

func comments(f *syntax.File) []string {
	var list []string
	for _, c := range f.Comments {
		list = append(list, strings.TrimSpace(f.Text(c)))
	}
	return list
}
