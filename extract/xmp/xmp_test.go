package xmp_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/extract/xmp"
)

const packet = `%PDF-1.4 <?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Toolkit 5.6">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Writer &amp; Co"
  pdf:Producer='Maker'>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">請求書</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>2026-01-02T03:04:05+09:00</xmp:CreateDate>
</rdf:Description></rdf:RDF></x:xmpmeta> trailer`

func TestRead(t *testing.T) {
	want := []xmp.Property{{"XMPToolkit", "Toolkit 5.6"}, {"CreatorTool", "Writer & Co"}, {"Producer", "Maker"}, {"Title", "請求書"}, {"CreateDate", "2026-01-02T03:04:05+09:00"}}
	if diff := cmp.Diff(want, xmp.Read(xmp.Find([]byte(packet)))); diff != "" {
		t.Error(diff)
	}
}

func TestFind(t *testing.T) {
	for _, s := range []string{"", "no packet", "<x:xmpmeta unfinished", "<x:xmpmeta" + strings.Repeat(" ", xmp.MaxPacket) + "</x:xmpmeta>"} {
		if p := xmp.Find([]byte(s)); p != nil {
			t.Errorf("found %q", p)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(packet))
	f.Add([]byte(`<a:b c="`))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := xmp.Read(in)
		if len(out) > xmp.MaxProperties {
			t.Errorf("%d properties", len(out))
		}
		for _, p := range out {
			if p.Name == "" || p.Value == "" || !utf8.ValidString(p.Name+p.Value) {
				t.Errorf("%q", p)
			}
		}
	})
}
