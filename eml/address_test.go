package eml_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"

	"github.com/sekisho/sekisho/eml"
)

// addresses reads a To field and writes each mailbox as "name|addr".
func addresses(raw string) []string {
	var out []string
	for _, a := range eml.Parse([]byte("To: "+raw+"\r\n\r\n"), nil).Addresses("To") {
		out = append(out, a.Name+"|"+a.Addr())
	}
	return out
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"Bare", "a@b.example", []string{"|a@b.example"}},
		{"Angle", "<a@b.example>", []string{"|a@b.example"}},
		{"Name", "Jane Doe <a@b.example>", []string{"Jane Doe|a@b.example"}},
		{"NoSpace", "Jane<a@b.example>", []string{"Jane|a@b.example"}},
		{"Quoted", `"Doe, Jane" <a@b.example>`, []string{"Doe, Jane|a@b.example"}},
		{"QuotedEscapes", `"Jane \"J\" Doe" <a@b.example>`, []string{`Jane "J" Doe|a@b.example`}},
		{"QuotedAddressAsName", `"ceo@kiso.example" <a@evil.example>`, []string{"ceo@kiso.example|a@evil.example"}},
		{"QuotedAngleAsName", `"CEO <ceo@kiso.example>" <a@evil.example>`, []string{"CEO <ceo@kiso.example>|a@evil.example"}},
		{"UnquotedAddressAsName", `ceo@kiso.example <a@evil.example>`, []string{"ceo@kiso.example|a@evil.example"}},
		{"TwoAngles", `<ceo@kiso.example> <a@evil.example>`, []string{"<ceo@kiso.example>|a@evil.example"}},
		{"EmptySecondAngle", `<a@b.example> <>`, []string{"|a@b.example"}},
		{"EmptyAngleAfterAddress", `a@b.example <>`, []string{"|a@b.example"}},
		{"EncodedFakeAddress", "=?utf-8?q?ceo=40kiso=2Dworks=2Eexample?= <a@evil.example>", []string{"ceo@kiso-works.example|a@evil.example"}},
		{"EncodedFakeAngle", "=?utf-8?q?CEO_=3Cceo=40kiso.example=3E?= <a@evil.example>", []string{"CEO <ceo@kiso.example>|a@evil.example"}},
		{"EncodedFakeAddressAlone", "=?utf-8?q?ceo=40kiso.example?=", []string{"ceo@kiso.example|"}},
		{"EncodedInQuotes", `"=?utf-8?Q?J=C3=BCrgen?=" <a@b.example>`, []string{"Jürgen|a@b.example"}},
		{"EncodedWithComma", `=?utf-8?Q?Doe,_Jane?= <a@b.example>`, []string{"Doe, Jane|a@b.example"}},
		{"EncodedComment", `a@b.example (=?utf-8?Q?J=C3=BCrgen?=)`, []string{"Jürgen|a@b.example"}},
		{"UnquotedComma", `Doe, Jane <a@b.example>, c@d.example`, []string{"Doe, Jane|a@b.example", "|c@d.example"}},
		{"UnclosedQuote", `"Jane <a@b.example>`, []string{`"Jane|a@b.example`}},
		{"UnclosedAngle", `Jane <a@b.example`, []string{"Jane|a@b.example"}},
		{"UnclosedAngleInList", `Jane <a@b.example, c@d.example`, []string{"Jane|a@b.example", "|c@d.example"}},
		{"Comment", "a@b.example (Jane (J) Doe)", []string{"Jane Doe|a@b.example"}},
		{"CommentAfterAngle", "<a@b.example> (Jane)", []string{"Jane|a@b.example"}},
		{"CommentInName", "Jane (sales) <a@b.example>", []string{"Jane|a@b.example"}},
		{"CommentInAddress", "<a@b.example (home)>", []string{"|a@b.example"}},
		{"UnclosedComment", "a@b.example (Jane", []string{"|a@b.example"}},
		{"Group", "team: a@b.example, Jane <c@d.example>; e@f.example", []string{"|a@b.example", "Jane|c@d.example", "|e@f.example"}},
		{"EmptyGroup", "undisclosed-recipients:;", []string{"undisclosed-recipients|"}},
		{"EmptyGroupAndAddress", "team:; a@b.example", []string{"|a@b.example"}},
		{"Semicolons", "a@b.example; c@d.example;", []string{"|a@b.example", "|c@d.example"}},
		{"EmptyEntries", ", ,a@b.example,,", []string{"|a@b.example"}},
		{"Empty", "", nil},
		{"NameAlone", "Jane Doe", []string{"Jane Doe|"}},
		{"SourceRoute", "<@x.example,@y.example:a@b.example>", []string{"|a@b.example"}},
		{"QuotedLocal", `"john doe"@b.example`, []string{`|"john doe"@b.example`}},
		{"QuotedLocalInAngle", `Jane <"a>b, c"@b.example>`, []string{`Jane|"a>b, c"@b.example`}},
		{"AddressInQuotes", `<"a@b.example">`, []string{"|a@b.example"}},
		{"AddressInSingleQuotes", `'a@b.example'`, []string{"|a@b.example"}},
		{"SingleQuotedName", `"'a@b.example'" <a@b.example>`, []string{"'a@b.example'|a@b.example"}},
		{"Mailto", "<mailto:a@b.example>", []string{"|a@b.example"}},
		{"TrailingDot", "a@b.example.", []string{"|a@b.example"}},
		{"CaseOfDomain", "A.B@Kiso.EXAMPLE", []string{"|A.B@kiso.example"}},
		{"SpacesInAddress", "Jane < a @ b . example >", []string{"Jane|a@b.example"}},
		{"TwoAtSigns", "<a@b@c.example>", []string{"|a@b@c.example"}},
		{"IDN", "Jane <a@köln.example>", []string{"Jane|a@köln.example"}},
		{"IDNInUpperCase", "<a@KÖLN.example>", []string{"|a@köln.example"}},
		{"ALabel", "<a@xn--kln-sna.example>", []string{"|a@xn--kln-sna.example"}},
		{"EightBitLocal", "<\xe4@b.example>", []string{"|ä@b.example"}},
		{"EightBitName", "J\xfcrgen <a@b.example>", []string{"Jürgen|a@b.example"}},
		{"RawISO2022JP", "\x1b$B;3ED\x1b(B <a@b.example>", []string{"山田|a@b.example"}},
		{"RawISO2022JPWithBrackets", "\x1b$B%\"%\\%<%@\x1b(B <a@b.example>", []string{"アボゼダ|a@b.example"}},
		{"RawShiftJISBackslash", "\"" + encode(t, japanese.ShiftJIS, "予定表の共有表") + "\" <a@b.example>, \"B\" <c@d.example>", []string{"予定表の共有表|a@b.example", "B|c@d.example"}},
		{"IPLiteral", "<a@[192.0.2.1]>", []string{"|a@[192.0.2.1]"}},
		{"IPv6Literal", "a@[IPv6:2001:db8::1], c@d.example", []string{"|a@[ipv6:2001:db8::1]", "|c@d.example"}},
		{"Folded", "Jane\r\n Doe\r\n\t<a@b.example>,\r\n c@d.example", []string{"Jane Doe|a@b.example", "|c@d.example"}},
		{"LocalAlone", "Root <root>", []string{"Root|root"}},
		{"WideSpaceInName", "山田　太郎 <a@b.example>", []string{"山田　太郎|a@b.example"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, addresses(c.in)); diff != "" {
				t.Errorf("addresses differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAddressSpans(t *testing.T) {
	raw := "From: =?utf-8?q?ceo=40kiso.example?= \r\n <a@evil.example>, b@c.example (Bob)\r\n\r\n"
	m := eml.Parse([]byte(raw), nil)
	var got [][2]string
	for _, a := range m.From() {
		got = append(got, [2]string{m.Quote(a.Span), m.Quote(a.NameSpan)})
	}
	want := [][2]string{
		{"=?utf-8?q?ceo=40kiso.example?= \r\n <a@evil.example>", "=?utf-8?q?ceo=40kiso.example?="},
		{"b@c.example (Bob)", "Bob"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spans differ (-want +got):\n%s", diff)
	}
	if a := eml.Parse([]byte("From: a@b.example\r\n\r\n"), nil).From()[0]; a.NameSpan.Length != 0 || a.NameSpan.Offset != len("From: ") {
		t.Errorf("the span of no name is %+v", a.NameSpan)
	}
}

func TestAddressEqual(t *testing.T) {
	a := eml.Address{Local: "Jane", Domain: "kiso.example"}
	for _, c := range []struct {
		name string
		b    eml.Address
		want bool
	}{
		{"OtherCase", eml.Address{Local: "jane", Domain: "KISO.example"}, true},
		{"OtherLocal", eml.Address{Local: "joe", Domain: "kiso.example"}, false},
		{"OtherDomain", eml.Address{Local: "jane", Domain: "kiso.test"}, false},
		{"NoDomain", eml.Address{Local: "jane"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := a.Equal(c.b); got != c.want {
				t.Errorf("Equal is %v", got)
			}
		})
	}
	if got := (eml.Address{Name: "Jane", Local: "a", Domain: "b.example"}).String(); got != "Jane <a@b.example>" {
		t.Errorf("String is %q", got)
	}
}

func TestManyAddresses(t *testing.T) {
	raw := "To: " + strings.Repeat("Jane Doe <jane@kiso.example>,\r\n ", 9000) + "\r\n\r\n"
	if got := len(eml.Parse([]byte(raw), nil).Addresses("To")); got < 7000 {
		t.Errorf("%d addresses read", got)
	}
}
