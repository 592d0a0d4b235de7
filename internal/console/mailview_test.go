package console

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const viewMail = "Received: from evil.example (198.51.100.7) by mx.kiso-works.example; Tue, 24 Nov 2026 09:00:00 +0900\r\n" +
	"From: =?UTF-8?B?57WM55CG6YOo?= <keiri@kiso-works.example>\r\n" +
	"To: sato@kiso-works.example\r\n" +
	"Subject: =?UTF-8?B?6Iez5oCl?= invoice\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nPay now\r\n" +
	"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Pay <b>now</b> <a href=\"https://evil.example/x\">here</a></p><p style=\"display:none\">hidden salt words</p><script>x</script>\r\n--b--\r\n"

// spanOf returns the place of words in a text.
func spanOf(t *testing.T, s, words string) (offset, length int) {
	t.Helper()
	i := strings.Index(s, words)
	if i < 0 {
		t.Fatalf("%q is not in the text", words)
	}
	return i, len(words)
}

func sayEnglish(m lang.Message) string { return lang.Default().Say(lang.EN, m) }

func viewVerdict(t *testing.T) *desk.Verdict {
	t.Helper()
	evidence := func(where finding.Where, in, words string) desk.Evidence {
		where.Offset, where.Length = spanOf(t, in, words)
		return desk.Evidence{Where: where, Quote: words}
	}
	html := eml.Parse([]byte(viewMail), nil).Part("1.2").Text()
	return &desk.Verdict{Form: desk.FormMessage, Judged: desk.Judged{Part: "1"}, Findings: []desk.Finding{
		{Title: lang.Text{EN: "From is your own"}, Evidence: []desk.Evidence{evidence(finding.Where{Part: "1", Header: "From", Index: 2}, viewMail, "=?UTF-8?B?57WM55CG6YOo?= <keiri@kiso-works.example>")}},
		{Title: lang.Text{EN: "A link"}, Evidence: []desk.Evidence{
			evidence(finding.Where{Part: "1.2"}, html, "https://evil.example/x"),
			evidence(finding.Where{Part: "1.2"}, html, "Pay <b>now"),
			{Where: finding.Where{Part: "1.3", Inside: "a.zip/b.pdf", Offset: 1, Length: 3}, Quote: "in a file"},
		}},
	}}
}

func TestLookSafe(t *testing.T) {
	v := look([]byte(viewMail), viewVerdict(t), nil, "", sayEnglish)
	want := []partView{
		{ID: "1.2", Type: "text/html", Open: true, HTML: `<p><mark class="sv-mark e2" id="e2-2" data-n="2">Pay </mark><strong><mark class="sv-mark e2">now</mark></strong> ` +
			`<span class="sv-link">here <mark class="sv-mark e2" id="e2-1" data-n="2"><span class="sv-url">hxxps://evil[.]example/x</span></mark></span></p>` +
			`<p><span class="sv-hidden">hidden salt words</span></p>`},
		{ID: "1.1", Type: "text/plain", Plain: true, Alternative: true, HTML: "Pay now"},
	}
	if d := cmp.Diff(want, v.Parts); d != "" {
		t.Error(d)
	}
	if v.Scripts != 1 || v.Links != 1 || v.Hidden != 1 {
		t.Errorf("%d scripts, %d links, %d hidden", v.Scripts, v.Links, v.Hidden)
	}
	var places []string
	for _, r := range v.Reasons {
		for _, q := range r.Quotes {
			places = append(places, q.View+"#"+q.ID+" "+string(q.Words))
		}
	}
	if d := cmp.Diff([]string{"headers#e1-1 経理部 &lt;keiri@kiso-works.example&gt;", "safe#e2-1 hxxps://evil[.]example/x", "safe#e2-2 Pay &lt;b&gt;now", "# in a file"}, places); d != "" {
		t.Error(d)
	}
}

func TestLookHeaders(t *testing.T) {
	v := look([]byte(viewMail), viewVerdict(t), nil, viewHeaders, sayEnglish)
	if len(v.Headers) != 1 || len(v.Headers[0].Fields) != 6 {
		t.Fatalf("%+v", v.Headers)
	}
	f := v.Headers[0].Fields[1]
	if want := `<mark class="sv-mark e1" id="e1-1" data-n="1">経理部 &lt;keiri@kiso-works.example&gt;</mark>`; string(f.Value) != want || f.Name != "From" || f.Index != 2 {
		t.Errorf("%+v, want %s", f, want)
	}
	for _, f := range v.Headers[0].Fields {
		if f.Writer == "" {
			t.Errorf("nobody wrote %s", f.Name)
		}
	}
	if len(v.Writers) == 0 {
		t.Error("no writers")
	}
}

func TestLookSource(t *testing.T) {
	v := look([]byte(viewMail), viewVerdict(t), nil, viewSource, sayEnglish)
	if !strings.Contains(string(v.Source), `From: <mark class="sv-mark e1" id="e1-1" data-n="1">=?UTF-8?B?57WM55CG6YOo?= &lt;keiri@`) || strings.Contains(string(v.Source), "<script") {
		t.Error(v.Source)
	}
}

func TestLookText(t *testing.T) {
	v := look([]byte(viewMail), viewVerdict(t), nil, viewText, sayEnglish)
	if got := string(v.Parts[0].HTML); got != `<mark class="sv-mark e2" id="e2-2" data-n="2">Pay now</mark> here` {
		t.Error(got)
	}
}

func FuzzLook(f *testing.F) {
	f.Add(viewMail, "1", "", 3, 20, "From")
	f.Add(viewMail, "1.2", "text", 0, 9, "")
	f.Fuzz(func(t *testing.T, raw, part, tab string, offset, length int, header string) {
		v := &desk.Verdict{Judged: desk.Judged{Part: part}, Findings: []desk.Finding{{Evidence: []desk.Evidence{
			{Where: finding.Where{Part: part, Header: header, Offset: offset, Length: length}, Quote: raw},
		}}}}
		got := look([]byte(raw), v, nil, tab, sayEnglish)
		for _, p := range got.Parts {
			if strings.Contains(strings.ToLower(string(p.HTML)), "<script") {
				t.Errorf("%s", p.HTML)
			}
		}
	})
}
