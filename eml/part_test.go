package eml_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// tree writes one line for every part: its ID, type and, of leaves, the text
// or content.
func tree(m *eml.Message) []string {
	var out []string
	for p := range m.AllParts() {
		switch {
		case !p.IsLeaf():
			out = append(out, p.ID()+" "+p.MediaType())
		case p.IsText():
			out = append(out, fmt.Sprintf("%s %s %q", p.ID(), p.MediaType(), p.Text()))
		default:
			out = append(out, fmt.Sprintf("%s %s %q", p.ID(), p.MediaType(), p.Content()))
		}
	}
	return out
}

func codes(m *eml.Message) []eml.DefectCode {
	var out []eml.DefectCode
	for _, d := range m.Defects() {
		out = append(out, d.Code)
	}
	return out
}

func TestTree(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n"
	for _, c := range []struct {
		name, in string
		want     []string
		defects  []eml.DefectCode
	}{
		{"Plain", "A: b\n\nhello", []string{`1 text/plain "hello"`}, nil},
		{"Two", mixed + "--b\n\none\n--b\nContent-Type: text/html\n\ntwo\n--b--\n", []string{"1 multipart/mixed", `1.1 text/plain "one"`, `1.2 text/html "two"`}, nil},
		{"CRLF", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--\r\n", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"BareCR", "Content-Type: multipart/mixed; boundary=b\r\r--b\r\rone\r--b--\r", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, []eml.DefectCode{eml.BareCR}},
		{"PreambleAndEpilogue", mixed + "preamble\n--b\n\none\n--b--\nepilogue\n--b\n\ntwo", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"SpaceAfterBoundary", mixed + "--b \t\n\none\n--b-- \n", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"TextAfterClosing", mixed + "--b\n\none\n--b--and more\n", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"SpaceInParameter", "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b\n\none\n--b--\n", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, nil},
		{"PrefixOfAnother", mixed + "--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\none\n--bb--\n\n--b\n\ntwo\n--b--\n",
			[]string{"1 multipart/mixed", "1.1 multipart/alternative", `1.1.1 text/plain "one"`, `1.2 text/plain "two"`}, nil},
		{"NotAtLineStart", mixed + "--b\n\none --b two\n--b--\n", []string{"1 multipart/mixed", `1.1 text/plain "one --b two"`}, nil},
		{"NestedSameBoundary", mixed + "--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n",
			[]string{"1 multipart/mixed", `1.1 multipart/alternative ""`, `1.2 text/plain "one"`}, []eml.DefectCode{eml.BoundaryNotFound}},
		{"Unclosed", mixed + "--b\n\none\n--b\n\ntwo", []string{"1 multipart/mixed", `1.1 text/plain "one"`, `1.2 text/plain "two"`}, []eml.DefectCode{eml.UnclosedMultipart}},
		{"ClosingLostItsDashes", mixed + "--b\n\none\n--b\n", []string{"1 multipart/mixed", `1.1 text/plain "one"`}, []eml.DefectCode{eml.UnclosedMultipart}},
		{"CutInHeader", mixed + "--b\nContent-Type: text/ht", []string{"1 multipart/mixed", `1.1 text/ht ""`}, []eml.DefectCode{eml.UnclosedMultipart}},
		{"MissingBoundary", "Content-Type: multipart/mixed\n\n--x\nContent-Type: text/html\n\none\n--x--\n", []string{"1 multipart/mixed", `1.1 text/html "one"`}, []eml.DefectCode{eml.MissingBoundary, eml.GuessedBoundary}},
		{"WrongBoundary", "Content-Type: multipart/mixed; boundary=y\n\n--x\nContent-Type: text/html\n\none\n--x--\n", []string{"1 multipart/mixed", `1.1 text/html "one"`}, []eml.DefectCode{eml.BoundaryNotFound, eml.GuessedBoundary}},
		{"NoBoundaryAtAll", "Content-Type: multipart/mixed\n\nhello", []string{`1 multipart/mixed "hello"`}, []eml.DefectCode{eml.MissingBoundary}},
		{"Digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\none\n--b--\n",
			[]string{"1 multipart/digest", "1.1 message/rfc822", `1.1.1 text/plain "one"`}, nil},
		{"Attached", mixed + "--b\nContent-Type: message/rfc822\n\nSubject: s\n\none\n--b--\n",
			[]string{"1 multipart/mixed", "1.1 message/rfc822", `1.1.1 text/plain "one"`}, nil},
		{"AttachedInBase64", mixed + "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + b64("Subject: s\n\none") + "\n--b--\n",
			[]string{"1 multipart/mixed", "1.1 message/rfc822", `1.1.1 text/plain "one"`}, nil},
		{"AttachedHeaderAlone", "Content-Type: text/rfc822-headers\n\nSubject: s\n", []string{"1 text/rfc822-headers", `1.1 text/plain ""`}, nil},
		{"MultipartInBase64", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n" + b64("--b\n\none\n--b--\n"),
			[]string{"1 multipart/mixed", `1.1 text/plain "one"`}, []eml.DefectCode{eml.EncodedMultipart}},
		{"MultipartNotReallyInBase64", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\none\n--b--\n",
			[]string{"1 multipart/mixed", `1.1 text/plain "one"`}, []eml.DefectCode{eml.EncodedMultipart}},
		{"TypeWithoutSlash", "Content-Type: html\n\n<p>", []string{`1 text/html "<p>"`}, []eml.DefectCode{eml.MalformedContentType}},
		{"TypeOfSpaces", "Content-Type: not a type\n\nx", []string{`1 text/plain "x"`}, []eml.DefectCode{eml.MalformedContentType}},
		{"EmptyType", "Content-Type:\n\nx", []string{`1 text/plain "x"`}, []eml.DefectCode{eml.MalformedContentType}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := eml.Parse([]byte(c.in), nil)
			if diff := cmp.Diff(c.want, tree(m)); diff != "" {
				t.Errorf("tree differs (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.defects, codes(m)); diff != "" {
				t.Errorf("defects differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTransferEncodings(t *testing.T) {
	for _, c := range []struct {
		name, encoding, in string
		want               string
		defect             eml.DefectCode
	}{
		{"None", "7bit", "a=41", "a=41", ""},
		{"Base64", "base64", "YWJj\r\nZGVm\r\n", "abcdef", ""},
		{"Base64UpperCase", "BASE64", "YWJj", "abc", ""},
		{"Base64Quoted", `"base64"`, "YWJj", "abc", ""},
		{"Base64Comment", "base64 (binary)", "YWJj", "abc", ""},
		{"Base64Spaces", "base64", " YW Jj\t", "abc", ""},
		{"Base64Concatenated", "base64", "YQ==\nYmM=\n", "abc", eml.MalformedBase64},
		{"Base64Junk", "base64", "YW!*Jj", "abc", eml.MalformedBase64},
		{"Base64NoPadding", "base64", "YWI", "ab", eml.MalformedBase64},
		{"Base64Cut", "base64", "YWJjZ", "abc", eml.MalformedBase64},
		{"Base64Padding", "base64", "YWJj====", "abc", ""},
		{"Base64Mislabelled", "base64", "<p>Hello, this is <b>not</b> base64, whatever the header says (really).</p>", "<p>Hello, this is <b>not</b> base64, whatever the header says (really).</p>", eml.MalformedBase64},
		{"Base64TextAfter", "base64", "YWJj\n\n-- \n", "abc", eml.MalformedBase64},
		{"Quoted", "quoted-printable", "a=41=\r\nb\r\nc", "aAb\r\nc", ""},
		{"QuotedLowerCase", "quoted-printable", "=c3=a9", "é", ""},
		{"QuotedSoftBreakWithSpace", "quoted-printable", "a= \r\nb", "ab", ""},
		{"QuotedSpaceAtLineEnd", "quoted-printable", "a \t\nb", "a\nb", ""},
		{"QuotedBroken", "quoted-printable", "a=ZZ b=4", "a=ZZ b=4", eml.MalformedQuoted},
		{"QuotedSoftBreakAtEnd", "quoted-printable", "a=", "a", ""},
		{"QuotedName", "quoted_printable", "a=41", "a=41", eml.UnknownEncoding},
		{"QP", "qp", "a=41", "aA", ""},
		{"UUEncode", "x-uuencode", "begin 644 a\n#86)C\n`\nend\n", "abc", ""},
		{"UUEncodeShortLine", "uuencode", "begin 644 a\n&86)C\nend\n", "abc", eml.MalformedUUEncode},
		{"UUEncodeWithoutBegin", "x-uue", "#86)C\n", "", eml.MalformedUUEncode},
		{"Unknown", "x-rot13", "abc", "abc", eml.UnknownEncoding},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := eml.Parse([]byte("Content-Type: application/octet-stream\nContent-Transfer-Encoding: "+c.encoding+"\n\n"+c.in), nil)
			if diff := cmp.Diff(c.want, string(m.Root().Content())); diff != "" {
				t.Errorf("content differs (-want +got):\n%s", diff)
			}
			var want []eml.DefectCode
			if c.defect != "" {
				want = []eml.DefectCode{c.defect}
			}
			if diff := cmp.Diff(want, codes(m)); diff != "" {
				t.Errorf("defects differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	for _, c := range []struct{ name, in, param, want string }{
		{"Token", "text/plain; charset=utf-8", "charset", "utf-8"},
		{"Quoted", `text/plain; charset="utf-8"`, "charset", "utf-8"},
		{"SingleQuoted", `text/plain; charset='utf-8'`, "charset", "utf-8"},
		{"UpperCaseName", "text/plain; CharSet=utf-8", "charset", "utf-8"},
		{"SpacesAroundEquals", "text/plain ; charset = utf-8", "charset", "utf-8"},
		{"TwoEquals", "text/plain; charset==utf-8", "charset", "utf-8"},
		{"EmptyParameters", "text/plain;; ;charset=utf-8;", "charset", "utf-8"},
		{"NoValue", "text/plain; a; charset=utf-8", "charset", "utf-8"},
		{"MissingSemicolon", "text/plain charset=utf-8", "charset", "utf-8"},
		{"CommaForSemicolon", "text/plain, charset=utf-8", "charset", "utf-8"},
		{"MissingSecondSemicolon", "text/plain; charset=utf-8 format=flowed", "format", "flowed"},
		{"MissingSemicolonAfterQuote", `text/plain; charset="utf-8" format=flowed`, "format", "flowed"},
		{"UnclosedQuote", `text/plain; charset="utf-8`, "charset", "utf-8"},
		{"Comment", "text/plain (x; charset=a); charset=utf-8 (y)", "charset", "utf-8"},
		{"UnclosedComment", "text/plain; name=a(b", "name", "a(b"},
		{"FirstCounts", "text/plain; charset=a; charset=b", "charset", "a"},
		{"SpacesInFileName", "text/plain; name=my file = a.txt; x=y", "name", "my file = a.txt"},
		{"Semicolon", `text/plain; name="a;b.txt"`, "name", "a;b.txt"},
		{"EscapedQuote", `text/plain; name="a\"b.txt"`, "name", `a"b.txt`},
		{"WindowsPath", `text/plain; name="C:\tmp\a.txt"`, "name", `C:\tmp\a.txt`},
		{"EncodedWord", `text/plain; name="=?utf-8?Q?=E8=AB=8B.txt?="`, "name", "請.txt"},
		{"EncodedWordUnquoted", `text/plain; name==?utf-8?Q?=E8=AB=8B.txt?=`, "name", "請.txt"},
		{"EncodedWordsFolded", "text/plain; name=\"=?utf-8?Q?=E8=AB=8B?=\n =?utf-8?Q?.txt?=\"", "name", "請.txt"},
		{"BoundaryIsNoEncodedWord", `multipart/mixed; boundary="=?utf-8?Q?a?="`, "boundary", "=?utf-8?Q?a?="},
		{"Charset", "text/plain; name*=utf-8'en'%E8%AB%8B.txt", "name", "請.txt"},
		{"CharsetUpperCase", "text/plain; NAME*=UTF-8''%e8%ab%8b.txt", "name", "請.txt"},
		{"CharsetShiftJIS", "text/plain; name*=shift_jis'ja'%90%BF.txt", "name", "請.txt"},
		{"CharsetMissing", "text/plain; name*=%E8%AB%8B.txt", "name", "請.txt"},
		{"CharsetWinsOverPlain", "text/plain; name=\"a.txt\"; name*=utf-8''b.txt", "name", "b.txt"},
		{"CharsetQuoted", "text/plain; name*=\"utf-8''%E8%AB%8B.txt\"", "name", "請.txt"},
		{"Continuation", "text/plain; name*0=a; name*1=b; name*2=.txt", "name", "ab.txt"},
		{"ContinuationOutOfOrder", "text/plain; name*1=b; name*0=a", "name", "ab"},
		{"ContinuationOfTen", "text/plain; name*10=k; name*9=j; name*0=a", "name", "ajk"},
		{"ContinuationWithGap", "text/plain; name*0=a; name*2=c", "name", "ac"},
		{"ContinuationTwice", "text/plain; name*0=a; name*0=x; name*1=b", "name", "ab"},
		{"ContinuationMixed", "text/plain; name*0*=utf-8''%E8%AB; name*1*=%8B; name*2=\" %41.txt\"", "name", "請 %41.txt"},
		{"ContinuationEncodedWords", "text/plain; name*0=\"=?utf-8?Q?=E8=AB\"; name*1=\"=8B.txt?=\"", "name", "請.txt"},
		{"ContinuationNumberBroken", "text/plain; name*x=a", "name", ""},
		{"PercentBroken", "text/plain; name*=utf-8''a%ZZ%4", "name", "a%ZZ%4"},
		{"RawUTF8", `text/plain; name="請.txt"`, "name", "請.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := eml.Parse([]byte("Content-Type: "+c.in+"\n\n"), nil).Root()
			if got := p.Param(c.param); got != c.want {
				t.Errorf("%s is %q, want %q", c.param, got, c.want)
			}
			if mt, _, _ := strings.Cut(c.in, "/"); !strings.HasPrefix(p.MediaType(), mt) {
				t.Errorf("media type %s", p.MediaType())
			}
		})
	}
}

func TestFilename(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"Disposition", "Content-Disposition: attachment; filename=a.txt", "a.txt"},
		{"MissingSemicolon", "Content-Disposition: attachment filename=a.txt", "a.txt"},
		{"Type", "Content-Type: text/plain; name=a.txt", "a.txt"},
		{"Both", "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=b.txt", "b.txt"},
		{"Folders", "Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd"},
		{"WindowsFolders", `Content-Disposition: attachment; filename="..\\..\\a.txt"`, "a.txt"},
		{"OnlyFolders", "Content-Disposition: attachment; filename=/", ""},
		{"Raw8Bit", "Content-Disposition: attachment; filename=\"J\xfcrgen.txt\"", "Jürgen.txt"},
		{"None", "X: y", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eml.Parse([]byte(c.header+"\n\n"), nil).Root().Filename(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPart(t *testing.T) {
	m := eml.Parse([]byte("Content-Type: multipart/mixed; boundary=b\n\n"+
		"--b\n\ntext\n"+
		"--b\nContent-Type: text/html; name=a.html\n\n<p>\n"+
		"--b\nContent-Type: image/png\nContent-Disposition: INLINE\nContent-ID: <c@d.example>\n\nx\n"+
		"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"+b64("Subject: inner\n\ninner text")+"\n"+
		"--b--\n"), nil)
	kids := m.Root().Children()
	var attached []bool
	for _, p := range kids {
		attached = append(attached, p.IsAttachment())
		if p.Parent() != m.Root() {
			t.Errorf("part %s has another parent", p.ID())
		}
	}
	if diff := cmp.Diff([]bool{false, true, true, true}, attached); diff != "" {
		t.Errorf("attachments differ (-want +got):\n%s", diff)
	}
	if p := kids[2]; p.ContentID() != "c@d.example" || p.Disposition() != "inline" || p.Encoding() != "" {
		t.Errorf("content ID %q, disposition %q", p.ContentID(), p.Disposition())
	}
	inner := kids[3].Embedded()
	if inner == nil || inner.Subject().Text != "inner" || string(inner.Raw()) != "Subject: inner\n\ninner text" {
		t.Fatalf("inner message %v", inner)
	}
	f, _ := inner.Header().First("Subject")
	if got := inner.Root().Quote(f.Span()); got != "Subject: inner" || inner.Quote(f.Span()) != got {
		t.Errorf("quote %q", got)
	}
	if m.Part("1.4.1") != inner.Root() || m.Part("1.9") != nil {
		t.Error("parts are not found by ID")
	}
	var ids []string
	for p := range m.Parts() {
		ids = append(ids, p.ID())
	}
	if diff := cmp.Diff([]string{"1", "1.1", "1.2", "1.3", "1.4"}, ids); diff != "" {
		t.Errorf("parts differ (-want +got):\n%s", diff)
	}
}

func TestBudget(t *testing.T) {
	raw := []byte("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n")
	for _, c := range []struct {
		name   string
		change func(*budget.Budget)
		want   eml.DefectCode
	}{
		{"Bytes", func(b *budget.Budget) { b.Bytes = len(raw) - 1 }, eml.TooLarge},
		{"Parts", func(b *budget.Budget) { b.Parts = 1 }, eml.TooManyParts},
		{"Depth", func(b *budget.Budget) { b.Depth = 0 }, eml.TooDeep},
		{"Cost", func(b *budget.Budget) { b.Cost = 50 }, eml.BudgetExhausted},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := budget.New(nil)
			c.change(b)
			got := eml.Parse(raw, &eml.Options{Budget: b}).Defects()
			if !slices.ContainsFunc(got, func(d eml.Defect) bool { return d.Code == c.want && d.Lost() }) {
				t.Errorf("defects %v", got)
			}
		})
	}
}
