package eml_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
)

// checkMessage checks what holds for every message, whatever its bytes.
func checkMessage(t *testing.T, m *eml.Message, raw []byte) {
	t.Helper()
	sizes := map[*eml.Part]int{m.Root(): len(raw)} // of the buffer that a part counts in
	for p := range m.AllParts() {
		size, ok := sizes[p]
		if !ok {
			t.Fatalf("part %s is not below a part that was read", p.ID())
		}
		body := p.BodySpan()
		if body.Offset < 0 || body.Length < 0 || body.End() > size {
			t.Fatalf("part %s: body %+v of %d bytes", p.ID(), body, size)
		}
		if string(p.Body()) != p.Quote(body) {
			t.Fatalf("part %s: body is not what its span holds", p.ID())
		}
		last := 0
		for _, f := range p.Header().Fields() {
			s, v := f.Span(), f.ValueSpan()
			if s.Offset < last || v.End() != s.End() || v.Offset <= s.Offset || s.End() > size {
				t.Fatalf("part %s: field %q at %+v, value %+v", p.ID(), f.Name(), s, v)
			}
			last = s.End()
			if p.Quote(v) != f.Raw() || !strings.HasPrefix(p.Quote(s), f.Name()) {
				t.Fatalf("part %s: field %q is not what its span holds", p.ID(), f.Name())
			}
			checkField(t, p, f, size)
		}
		encoded := body.Length > 0 && (p.Embedded() != nil || len(p.Children()) > 0) && len(p.Content()) != body.Length
		for _, c := range p.Children() {
			sizes[c] = size
			switch {
			case p.Encoding() == "base64" || p.Encoding() == "quoted-printable":
				sizes[c] = len(p.Content())
			case !within(c.BodySpan(), body):
				t.Fatalf("part %s at %+v is not within %s at %+v", c.ID(), c.BodySpan(), p.ID(), body)
			}
		}
		if e := p.Embedded(); e != nil {
			sizes[e.Root()] = size
			if encoded || p.Encoding() == "base64" || p.Encoding() == "quoted-printable" || p.Encoding() == "x-uuencode" {
				sizes[e.Root()] = len(p.Content())
			} else if !within(e.Root().BodySpan(), body) {
				t.Fatalf("message in %s is not within it", p.ID())
			}
		}
		if p.IsLeaf() && !utf8.ValidString(p.Text()) {
			t.Fatalf("part %s: text is not UTF-8", p.ID())
		}
	}
}

func within(in, out eml.Span) bool { return in.Offset >= out.Offset && in.End() <= out.End() }

func checkField(t *testing.T, p *eml.Part, f eml.Field, size int) {
	t.Helper()
	text := f.Text()
	if !utf8.ValidString(text.Text) {
		t.Fatalf("field %q: text is not UTF-8", f.Name())
	}
	if s := text.Span(0, len(text.Text)); !within(s, f.ValueSpan()) && text.Text != "" {
		t.Fatalf("field %q: text at %+v, value at %+v", f.Name(), s, f.ValueSpan())
	}
	for i := range len(text.Text) {
		if text.Exact(i, 1) && p.Quote(text.Span(i, 1)) != text.Text[i:i+1] {
			t.Fatalf("field %q: byte %d stands elsewhere", f.Name(), i)
		}
	}
	for _, a := range f.Addresses() {
		if !within(a.Span, f.ValueSpan()) || !within(a.NameSpan, f.ValueSpan()) {
			t.Fatalf("field %q: mailbox at %+v, name at %+v", f.Name(), a.Span, a.NameSpan)
		}
		if !utf8.ValidString(a.Name + a.Local + a.Domain) {
			t.Fatalf("field %q: mailbox is not UTF-8: %q", f.Name(), a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	for _, c := range hostile {
		if raw := c.make(600); len(raw) < 2000 { // small seeds make a quick search
			f.Add([]byte(raw))
		}
	}
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n" + b64("--b\n\none\n--b--\n")))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\r\r--b\r\rA: b\r\rone\r--b--\r"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := eml.Parse(raw, nil)
		checkMessage(t, m, raw)
		again := eml.Parse(raw, nil)
		if diff := cmp.Diff(tree(m), tree(again)); diff != "" {
			t.Fatalf("read twice, the tree differs:\n%s", diff)
		}
		if diff := cmp.Diff(m.Defects(), again.Defects()); diff != "" {
			t.Fatalf("read twice, the defects differ:\n%s", diff)
		}
	})
}

// oneField reads a message whose only field has that value.
func oneField(name, value string) (*eml.Message, eml.Field, bool) {
	m := eml.Parse([]byte(name+": "+value+"\r\n\r\n"), nil)
	f, ok := m.Header().First(name)
	return m, f, ok
}

func FuzzAddresses(f *testing.F) {
	for _, s := range []string{
		`"Doe, Jane" <jane@kiso.example>, group: a@b.example (A), b@c.example;`, `Doe, J <"a>b"@c.example`, `<@a,@b:c@d.example>`,
		"=?utf-8?q?ceo=40kiso.example?= <a@evil.example>", "\x1b$B;3ED\x1b(B <a@b.example>", `"\"\"\"`, "((((()", "<<<<", `a@b.example <>`, "J\xfcrgen <\xff@\xfe>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, field, ok := oneField("From", s)
		if !ok {
			return
		}
		checkField(t, m.Root(), field, len(m.Raw()))
		// An address written by us is read as it is.
		for _, a := range field.Addresses() {
			if a.Domain == "" || strings.ContainsAny(a.Addr(), " \t\r\n\"'(),:;<>@\\[]\x1b\x00=?") {
				continue
			}
			again := eml.Parse([]byte("From: <"+a.Addr()+">\r\n\r\n"), nil).From()
			if len(again) != 1 || !again[0].Equal(a) {
				t.Fatalf("%q read again is %q", a.Addr(), again)
			}
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{
		"=?utf-8?Q?a?= =?utf-8?Q?b?=", "=?iso-2022-jp?B?" + b64("\x1b$B;3E\x1b(B") + "?= =?iso-2022-jp?B?" + b64("\x1b$BD\x1b(B") + "?=",
		"=?utf-7?Q?+2EDcAA-?=", "=?utf-8?B?5pc=?= =?utf-8?B?pQ==?=", "=?a?q?x=?a?q?x", "\x93\xfa\x96{ =?x?q?=ff?=", "=?gb18030?b?gTCBMA==?=", "\xff\xfea\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, field, ok := oneField("Subject", s)
		if !ok {
			return
		}
		checkField(t, m.Root(), field, len(m.Raw()))
		if text := field.Text().Text; !strings.Contains(s, "=?") && isPlain(s) && text != strings.Trim(s, " \t") {
			t.Fatalf("plain text %q read as %q", s, text)
		}
	})
}

func isPlain(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 && c != '\t' || c > 0x7e {
			return false
		}
	}
	return true
}

func FuzzParams(f *testing.F) {
	for _, s := range []string{
		"text/plain; charset=utf-8", `a/b; name*0*=utf-8''%E8%AB; name*1*=%8B; name*2=" %41.txt"`, "a/b charset==x y=z", `a/b; name="C:\tmp\"x`, "(((a/b);x=(y", "a/b; a*0*=x; a*=y''z; a=q",
		`a/b; name==?utf-8?Q?=E8=AB=8B.txt?=`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := eml.Parse([]byte("Content-Type: "+s+"\r\n\r\n"), nil).Root()
		for _, name := range []string{"charset", "name", "a", "boundary"} {
			if v := p.Param(name); name != "boundary" && !utf8.ValidString(v) {
				t.Fatalf("parameter %s is not UTF-8: %q", name, v)
			}
		}
		if mt := p.MediaType(); mt != strings.ToLower(mt) || strings.Count(mt, "/") != 1 || strings.ContainsAny(mt, " \t;\"") {
			t.Fatalf("media type %q", mt)
		}
		if strings.ContainsAny(p.Filename(), `/\`) {
			t.Fatalf("file name %q", p.Filename())
		}
	})
}
