package eml_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
)

// reading is what the header tests compare.
type reading struct {
	Fields  []string // "name=value"
	Body    string
	Defects []eml.DefectCode
}

func read(raw string) reading {
	m := eml.Parse([]byte(raw), nil)
	var r reading
	for _, f := range m.Header().Fields() {
		r.Fields = append(r.Fields, f.Name()+"="+f.Value())
	}
	r.Body = string(m.Root().Body())
	for _, d := range m.Defects() {
		r.Defects = append(r.Defects, d.Code)
	}
	return r
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     reading
	}{
		{"CRLF", "A: b\r\nC: d\r\n\r\nbody\r\n", reading{[]string{"A=b", "C=d"}, "body\r\n", nil}},
		{"LF", "A: b\nC: d\n\nbody\n", reading{[]string{"A=b", "C=d"}, "body\n", nil}},
		{"CR", "A: b\rC: d\r\rbody\r", reading{[]string{"A=b", "C=d"}, "body\r", []eml.DefectCode{eml.BareCR}}},
		{"MixedLineEnds", "A: b\r\nC: d\n\r\nbody", reading{[]string{"A=b", "C=d"}, "body", nil}},
		{"CRInsideLine", "A: b\rC: d\r\n\r\nbody", reading{[]string{"A=b C: d"}, "body", []eml.DefectCode{eml.BareCR}}},
		{"Folded", "A: b\r\n c\r\n\td\r\n\r\n", reading{[]string{"A=b c\td"}, "", nil}},
		{"FoldedAfterColon", "A:\r\n b\r\n\r\n", reading{[]string{"A=b"}, "", nil}},
		{"BlankFold", "A: b\r\n \r\n c\r\n\r\nbody", reading{[]string{"A=b  c"}, "body", nil}},
		{"NoSpaceAfterColon", "A:b\r\n\r\n", reading{[]string{"A=b"}, "", nil}},
		{"SpaceBeforeColon", "A : b\r\n\r\n", reading{[]string{"A=b"}, "", []eml.DefectCode{eml.SpaceBeforeColon}}},
		{"EmptyValue", "A:\r\nB: c\r\n\r\n", reading{[]string{"A=", "B=c"}, "", nil}},
		{"NoBody", "A: b", reading{[]string{"A=b"}, "", nil}},
		{"NoBodyButLineEnd", "A: b\r\n", reading{[]string{"A=b"}, "", nil}},
		{"JunkLine", "A: b\r\njunk here\r\nC: d\r\n\r\nbody", reading{[]string{"A=b junk here", "C=d"}, "body", []eml.DefectCode{eml.MalformedHeaderLine}}},
		{"JunkAtEnd", "A: b\r\njunk here", reading{[]string{"A=b junk here"}, "", []eml.DefectCode{eml.MalformedHeaderLine}}},
		{"FoldsLost", "Received: from a\nby b\nid c\nX-Y: z\n\nbody", reading{[]string{"Received=from a by b id c", "X-Y=z"}, "body", []eml.DefectCode{eml.MalformedHeaderLine}}},
		{"TextThenField", "A: b\nHello\nthere\nNote: c\n\nbody", reading{[]string{"A=b"}, "Hello\nthere\nNote: c\n\nbody", []eml.DefectCode{eml.MissingSeparator}}},
		{"TextThenDelimiter", "A: b\nThis is\na multipart\n--b\nContent-Type: c\n", reading{[]string{"A=b"}, "This is\na multipart\n--b\nContent-Type: c\n", []eml.DefectCode{eml.MissingSeparator}}},
		{"MissingSeparator", "A: b\r\nHello there,\r\nhow are you\r\n", reading{[]string{"A=b"}, "Hello there,\r\nhow are you\r\n", []eml.DefectCode{eml.MissingSeparator}}},
		{"LeadingBlankLines", "\r\n \r\nA: b\r\n\r\nbody", reading{[]string{"A=b"}, "body", []eml.DefectCode{eml.LeadingBlankLines}}},
		{"LeadingSpace", " \nA: b\n\nbody", reading{[]string{"A=b"}, "body", []eml.DefectCode{eml.LeadingBlankLines}}},
		{"FromLine", "From a@b.example Tue Nov 24 10:00:00 2026\nA: b\n\nbody", reading{[]string{"A=b"}, "body", []eml.DefectCode{eml.MboxFromLine}}},
		{"QuotedFromLine", ">From a@b.example Tue Nov 24 10:00:00 2026\nA: b\n\nbody", reading{[]string{"A=b"}, "body", []eml.DefectCode{eml.MboxFromLine}}},
		{"FromLineInside", "A: b\n>From a@b.example Tue Nov 24 10:00:00 2026\nC: d\n\nbody", reading{[]string{"A=b", "C=d"}, "body", []eml.DefectCode{eml.MalformedHeaderLine}}},
		{"ByteOrderMark", "\xef\xbb\xbfA: b\n\nbody", reading{[]string{"A=b"}, "body", nil}},
		{"NoHeader", "Hello there,\nhow are you\n", reading{nil, "Hello there,\nhow are you\n", []eml.DefectCode{eml.MissingSeparator, eml.NoHeader}}},
		{"Empty", "", reading{nil, "", []eml.DefectCode{eml.NoHeader}}},
		{"Duplicate", "Subject: a\nSubject: b\n\n", reading{[]string{"Subject=a", "Subject=b"}, "", []eml.DefectCode{eml.DuplicateField}}},
		{"DuplicateInOtherCase", "FROM: a\nfrom: b\n\n", reading{[]string{"FROM=a", "from=b"}, "", []eml.DefectCode{eml.DuplicateField}}},
		{"ReceivedMayRepeat", "Received: a\nReceived: b\n\n", reading{[]string{"Received=a", "Received=b"}, "", nil}},
		{"UndecodableWord", "Subject: =?utf-8?Q?abc\n\n", reading{[]string{"Subject==?utf-8?Q?abc"}, "", []eml.DefectCode{eml.EncodedWordUndecodable}}},
		{"UnknownCharsetWord", "Subject: =?x-none?Q?abc?=\n\n", reading{[]string{"Subject==?x-none?Q?abc?="}, "", []eml.DefectCode{eml.EncodedWordUndecodable}}},
		{"QuestionInURL", "X: http://a.example/=?b=c?d=e\n\n", reading{[]string{"X=http://a.example/=?b=c?d=e"}, "", nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, read(c.in)); diff != "" {
				t.Errorf("reading differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFieldPlaces(t *testing.T) {
	raw := "From x\r\nReceived: one\r\n two\r\nSubject : =?utf-8?q?caf=C3=A9?= au\r\n lait\r\n\r\n"
	m := eml.Parse([]byte(raw), nil)
	f, ok := m.Header().First("subject")
	if !ok || !f.Is("SUBJECT") || f.Index() != 2 || m.Header().Len() != 2 {
		t.Fatalf("field %q at %d of %d", f.Name(), f.Index(), m.Header().Len())
	}
	if diff := cmp.Diff("Subject : =?utf-8?q?caf=C3=A9?= au\r\n lait", m.Quote(f.Span())); diff != "" {
		t.Errorf("field differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(f.Raw(), m.Quote(f.ValueSpan())); diff != "" {
		t.Errorf("value differs (-want +got):\n%s", diff)
	}
	text := f.Text()
	if text.Text != "café au lait" || m.Header().Text("Subject") != text.Text {
		t.Fatalf("text %q", text.Text)
	}
	for _, c := range []struct {
		from, to int
		want     string
		exact    bool
	}{
		{0, 1, "=?utf-8?q?caf=C3=A9?=", false},
		{6, 8, "au", true},
		{6, 13, "au\r\n lait", false},
		{4, 8, "=?utf-8?q?caf=C3=A9?= au", false},
		{9, 13, "lait", true},
	} {
		if got := m.Quote(text.Span(c.from, c.to-c.from)); got != c.want {
			t.Errorf("%q stands at %q, want %q", text.Text[c.from:c.to], got, c.want)
		}
		if got := text.Exact(c.from, c.to-c.from); got != c.exact {
			t.Errorf("%q exact: %v", text.Text[c.from:c.to], got)
		}
	}
}

func TestMessageFields(t *testing.T) {
	m := eml.Parse([]byte("Message-ID: <a@b.example> (x)\nDate: Tue, 24 Nov 2026 10:00:00 +0900\nFrom: a@b.example\nFrom: c@d.example\n\n"), nil)
	if m.MessageID() != "a@b.example" || m.HasBody() || len(m.From()) != 2 || m.Header().Value("Nothing") != "" {
		t.Errorf("id %q, body %v, from %v", m.MessageID(), m.HasBody(), m.From())
	}
	if d, ok := m.Date(); !ok || !d.Equal(time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("date %v %v", d, ok)
	}
	if _, ok := eml.Parse(nil, nil).Date(); ok {
		t.Error("no field has a date")
	}
}

func TestParseDate(t *testing.T) {
	want := time.Date(2026, 11, 4, 1, 2, 3, 0, time.UTC)
	for _, c := range []struct {
		name, in string
		ok       bool
	}{
		{"RFC5322", "Wed, 4 Nov 2026 10:02:03 +0900", true},
		{"NoDay", "4 Nov 2026 10:02:03 +0900", true},
		{"Comment", "Wed, 4 Nov 2026 10:02:03 +0900 (JST)", true},
		{"Zone", "Wed, 04 Nov 2026 01:02:03 GMT", true},
		{"WrongDayName", "Mi, 4 Nov 2026 10:02:03 +0900", true},
		{"LongMonth", "4 November 2026 10:02:03 +0900", true},
		{"RFC3339", "2026-11-04T10:02:03+09:00", true},
		{"SQL", "2026-11-04 10:02:03 +0900", true},
		{"ANSIC", "Wed Nov  4 01:02:03 2026", true},
		{"Words", "yesterday", false},
		{"Empty", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := eml.ParseDate(c.in)
			if ok != c.ok || ok && !got.Equal(want) {
				t.Errorf("got %v, %v", got, ok)
			}
		})
	}
}
