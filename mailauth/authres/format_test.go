package authres_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/authres"
)

func TestFormat(t *testing.T) {
	got, err := authres.Format("mx.kiso.example", []authres.Stamp{
		authres.SPFStamp("pass", "bounce@a.example", "mx1.a.example"),
		authres.DKIMStamp("pass", "a.example", "s1", "rsa-sha256", "Zm9vYmFy"),
		func() authres.Stamp {
			s := authres.DKIMStamp("fail", "b.example", "2026/a", "ed25519-sha256", "a+b/cd==")
			s.Reason, s.Comment = "body hash did not verify", "the body (all of it) was changed"
			return s
		}(),
		authres.DMARCStamp("fail", "kiso.example", "reject"),
		authres.ARCStamp("pass", "0", "2001:db8::1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"mx.kiso.example;",
		"\tspf=pass smtp.mailfrom=bounce@a.example smtp.helo=mx1.a.example;",
		"\tdkim=pass header.d=a.example header.s=s1 header.a=rsa-sha256",
		"\theader.b=Zm9vYmFy;",
		"\tdkim=fail (the body [all of it] was changed)",
		"\treason=\"body hash did not verify\" header.d=b.example header.s=\"2026/a\"",
		"\theader.a=ed25519-sha256 header.b=\"a+b/cd==\";",
		"\tdmarc=fail header.from=kiso.example policy.dmarc=reject;",
		"\tarc=pass header.oldest-pass=0 smtp.remote-ip=\"2001:db8::1\"",
	}, "\r\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, f := field(t, "Authentication-Results", got)
	read, err := authres.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"serv mx.kiso.example",
		"spf=pass smtp.mailfrom:bounce@a.example smtp.helo:mx1.a.example",
		"dkim=pass header.d:a.example header.s:s1 header.a:rsa-sha256 header.b:Zm9vYmFy",
		"dkim=fail reason:body hash did not verify (the body [all of it] was changed) header.d:b.example header.s:2026/a header.a:ed25519-sha256 header.b:a+b/cd==",
		"dmarc=fail header.from:kiso.example policy.dmarc:reject",
		"arc=pass header.oldest-pass:0 smtp.remote-ip:2001:db8::1",
	}, show(read)); diff != "" {
		t.Error(diff)
	}
}

func TestFormatNothing(t *testing.T) {
	got, err := authres.Format("mx.kiso.example", nil)
	if err != nil || got != "mx.kiso.example;\r\n\tnone" {
		t.Errorf("%q %v", got, err)
	}
}

// TestFormatHostile has values that try to leave their place: a line of their
// own, a result of their own, an end of the quotes or of the comment.
func TestFormatHostile(t *testing.T) {
	for _, tc := range []struct {
		name  string
		stamp authres.Stamp
		want  string
	}{
		{"LineEnd", authres.SPFStamp("fail", "a@b.example\r\nX-Injected: yes", "h.example"), "spf=fail smtp.helo=h.example"},
		{"BareLF", authres.SPFStamp("fail", "a\nb", "h.example"), "spf=fail smtp.helo=h.example"},
		{"BareCR", authres.SPFStamp("fail", "a\rb", "h.example"), "spf=fail smtp.helo=h.example"},
		{"NUL", authres.SPFStamp("fail", "a\x00b", ""), "spf=fail"},
		{"LineSeparator", authres.SPFStamp("fail", "a\u2028b", ""), "spf=fail"},
		{"NextLine", authres.SPFStamp("fail", "a\u0085b", ""), "spf=fail"},
		{"NotUTF8", authres.SPFStamp("fail", "a\xffb@c.example", ""), "spf=fail"},
		{"TooLong", authres.SPFStamp("fail", strings.Repeat("a", 401), ""), "spf=fail"},
		{"Semicolon", authres.SPFStamp("fail", "x;dmarc=pass@b.example", ""), `spf=fail smtp.mailfrom="x;dmarc=pass@b.example"`},
		{"Space", authres.SPFStamp("fail", "x dmarc=pass  header.from=b.example", ""), `spf=fail smtp.mailfrom="x dmarc=pass header.from=b.example"`},
		{"Quotes", authres.SPFStamp("fail", `"x"; dmarc=pass; "@b.example`, ""), `spf=fail smtp.mailfrom="\"x\"; dmarc=pass; \"@b.example"`},
		{"Backslash", authres.SPFStamp("fail", `x\`, "h.example"), `spf=fail smtp.mailfrom="x\\" smtp.helo=h.example`},
		{"OpenComment", authres.SPFStamp("fail", "x(", "h.example"), `spf=fail smtp.mailfrom="x(" smtp.helo=h.example`},
		{"CloseComment", authres.Stamp{Method: "spf", Value: "fail", Comment: `no) dmarc=pass (\`}, "spf=fail (no] dmarc=pass [/)"},
		{"CommentLineEnd", authres.Stamp{Method: "spf", Value: "fail", Comment: "a\r\n b"}, "spf=fail"},
		{"Reason", authres.Stamp{Method: "spf", Value: "fail", Reason: `x" dmarc=pass`}, `spf=fail reason="x\" dmarc=pass"`},
		{"SelectorOfNoise", authres.DKIMStamp("fail", "a.example; dkim=pass", "s header.d=bank.example", "rsa\tsha256", ""), `dkim=fail header.d="a.example; dkim=pass" header.s="s header.d=bank.example" header.a="rsa sha256"`},
		{"UTF8", authres.SPFStamp("fail", "木曽@例.example", ""), `spf=fail smtp.mailfrom="木曽@例.example"`},
		{"NullSender", authres.SPFStamp("pass", "<>", ""), `spf=pass smtp.mailfrom="<>"`},
		{"NoLocalPart", authres.Stamp{Method: "dkim", Value: "pass", Props: []authres.StampProp{{Type: "header", Name: "i", Value: "@a.example"}}}, "dkim=pass header.i=@a.example"},
		{"SRS", authres.SPFStamp("pass", "SRS0=ab=CD=a.example=u@fwd.example", ""), `spf=pass smtp.mailfrom="SRS0=ab=CD=a.example=u@fwd.example"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := authres.Format("mx.example", []authres.Stamp{tc.stamp})
			if err != nil {
				t.Fatal(err)
			}
			got = strings.ReplaceAll(strings.TrimPrefix(got, "mx.example;\r\n\t"), "\r\n\t", " ")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormatRefuses(t *testing.T) {
	ok := authres.Stamp{Method: "spf", Value: "pass"}
	for name, tc := range map[string]struct {
		id    string
		stamp authres.Stamp
	}{
		"NoID":        {"", ok},
		"IDLine":      {"mx.example\r\nX: y", ok},
		"IDSemicolon": {"mx.example;", ok},
		"IDSpace":     {"mx example", ok},
		"IDLong":      {strings.Repeat("a", 401), ok},
		"Method":      {"mx.example", authres.Stamp{Method: "SPF", Value: "pass"}},
		"MethodLine":  {"mx.example", authres.Stamp{Method: "spf\n", Value: "pass"}},
		"NoMethod":    {"mx.example", authres.Stamp{Value: "pass"}},
		"Value":       {"mx.example", authres.Stamp{Method: "spf", Value: "pass;"}},
		"NoValue":     {"mx.example", authres.Stamp{Method: "spf"}},
		"PropType":    {"mx.example", authres.Stamp{Method: "spf", Value: "pass", Props: []authres.StampProp{{Type: "s p", Name: "x", Value: "y"}}}},
		"PropName":    {"mx.example", authres.Stamp{Method: "spf", Value: "pass", Props: []authres.StampProp{{Type: "smtp", Name: "x=", Value: "y"}}}},
	} {
		if got, err := authres.Format(tc.id, []authres.Stamp{tc.stamp}); !errors.Is(err, authres.ErrUnwritable) || got != "" {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}

func TestFragments(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in, want []string
	}{
		{"None", nil, []string{}},
		{"Eight", []string{"abcdefghijk"}, []string{"abcdefgh"}},
		{"Short", []string{"abc", ""}, []string{"abc", ""}},
		{"Different", []string{"abcdefghijk", "bbcdefghijk"}, []string{"abcdefgh", "bbcdefgh"}},
		{"AlikeAtFirst", []string{"abcdefghij1x", "zzzzzzzzzzzz", "abcdefghij2x"}, []string{"abcdefghij1", "zzzzzzzz", "abcdefghij2"}},
		{"Same", []string{"abcdefghijk", "abcdefghijk"}, []string{"abcdefgh", "abcdefgh"}},
		{"Folded", []string{"abcd\r\n efghijk", "abcdefgh jkl"}, []string{"abcdefghi", "abcdefghj"}},
		{"StartOfAnother", []string{"abcdefghij", "abcdefghijk"}, []string{"abcdefghij", "abcdefghijk"}},
	} {
		if diff := cmp.Diff(tc.want, authres.Fragments(tc.in)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
}

// FuzzFormat writes what came from a message and reads it again: nothing may
// leave its place.
func FuzzFormat(f *testing.F) {
	f.Add("a@b.example", "h.example", "because", "a comment")
	f.Add("x\r\nSubject: y", `"`, `\`, "(")
	f.Add(`"a b"@c.example`, "; dmarc=pass", "a  b", ") dkim=pass (")
	f.Add("=?utf-8?q?x?=", "a=b", "none", "木曽")
	f.Add(strings.Repeat(`"`, 400), strings.Repeat(`\`, 400), strings.Repeat("(", 400), strings.Repeat(")", 400))
	f.Fuzz(func(t *testing.T, mailFrom, helo, reason, comment string) {
		spf := authres.SPFStamp("fail", mailFrom, helo)
		spf.Reason, spf.Comment = reason, comment
		value, err := authres.Format("mx.example", []authres.Stamp{spf, authres.DMARCStamp("fail", helo, "reject")})
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(value, "\r\n") {
			if len(line) > 900 || strings.ContainsAny(line, "\r\n\x00") || strings.Trim(line, " \t") == "" {
				t.Errorf("line %q", line)
			}
		}
		m := eml.Parse([]byte("Authentication-Results: "+value+"\r\nSubject: x\r\n\r\nbody\r\n"), nil)
		if n := len(m.Header().Fields()); n != 2 {
			t.Fatalf("%d fields in %q", n, value)
		}
		field, _ := m.Header().First("Authentication-Results")
		got, err := authres.Parse(field)
		if err != nil {
			t.Fatal(err)
		}
		keep := func(s string) string {
			if len(s) > 400 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
				return r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0) || r == '\u2028' || r == '\u2029'
			}) {
				return ""
			}
			return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' }), " ")
		}
		if got.ServID != "mx.example" || len(got.Results) != 2 || len(got.Tokens) != 0 || got.None {
			t.Fatalf("%q reads as %v", value, show(got))
		}
		s, d := got.Results[0], got.Results[1]
		at := func(r authres.Result, name string) string { v, _ := r.Prop(name); return v.Text }
		want := []string{"spf", "fail", keep(mailFrom), keep(helo), keep(reason), "dmarc", "fail", keep(helo), "reject"}
		have := []string{s.Method, s.Value.Text, at(s, "smtp.mailfrom"), at(s, "smtp.helo"), s.Reason.Text, d.Method, d.Value.Text, at(d, "header.from"), at(d, "policy.dmarc")}
		if diff := cmp.Diff(want, have); diff != "" {
			t.Errorf("%q: %s", value, diff)
		}
		if len(s.Props) > 2 || len(s.Comments) > 1 || len(d.Props) > 2 || len(d.Comments) > 0 {
			t.Errorf("%q reads as %v", value, show(got))
		}
	})
}
