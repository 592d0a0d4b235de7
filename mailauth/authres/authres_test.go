package authres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/authres"
)

func field(t testing.TB, name, value string) (*eml.Message, eml.Field) {
	t.Helper()
	m := eml.Parse([]byte("Subject: x\r\n"+name+": "+value+"\r\n\r\nbody\r\n"), nil)
	f, ok := m.Header().First(name)
	if !ok {
		t.Fatalf("no field %s", name)
	}
	return m, f
}

// show prints a field the way the tables below write it.
func show(f authres.Field) []string {
	var out []string
	if f.ServID != "" {
		out = append(out, "serv "+f.ServID)
	}
	if f.Instance != 0 {
		out = append(out, fmt.Sprintf("i %d", f.Instance))
	}
	if f.None {
		out = append(out, "none")
	}
	for _, r := range f.Results {
		var b strings.Builder
		b.WriteString(r.Method + "=" + r.Value.Text)
		if r.Reason.Text != "" {
			b.WriteString(" reason:" + r.Reason.Text)
		}
		for _, c := range r.Comments {
			b.WriteString(" (" + c.Text + ")")
		}
		for _, p := range r.Props {
			b.WriteString(" " + strings.TrimPrefix(p.Type+"."+p.Name, ".") + ":" + p.Value.Text)
		}
		out = append(out, b.String())
	}
	for _, v := range f.Tokens {
		out = append(out, "token "+v.Text)
	}
	return out
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, value string
		want        []string
	}{
		{
			"ExchangeOnline",
			"spf=pass (sender IP is 192.0.2.4)\r\n smtp.mailfrom=a.example; dkim=pass (signature was verified)\r\n header.d=a.example;dmarc=pass action=none header.from=a.example;compauth=pass\r\n reason=100",
			[]string{
				"spf=pass (sender IP is 192.0.2.4) smtp.mailfrom:a.example",
				"dkim=pass (signature was verified) header.d:a.example",
				"dmarc=pass action:none header.from:a.example",
				"compauth=pass reason:100",
			},
		},
		{
			"OlderLayout",
			"spf=fail (sender IP is 192.0.2.4) smtp.mailfrom=a.example; kiso.example; dkim=none (message not signed) header.d=none;kiso.example; dmarc=bestguesspass action=none header.from=a.example;",
			[]string{
				"spf=fail (sender IP is 192.0.2.4) smtp.mailfrom:a.example",
				"dkim=none (message not signed) header.d:none",
				"dmarc=bestguesspass action:none header.from:a.example",
				"token kiso.example", "token kiso.example",
			},
		},
		{
			"NoSemicolons",
			"spf=pass smtp.mailfrom=a.example dkim=fail (body hash did not verify) header.d=a.example compauth=fail reason=601",
			[]string{
				"spf=pass smtp.mailfrom:a.example",
				"dkim=fail (body hash did not verify) header.d:a.example",
				"compauth=fail reason:601",
			},
		},
		{
			"RFC8601",
			`mx.example 1; auth=pass (cram-md5) smtp.auth=a@b.example; spf=pass smtp.mailfrom="a;b=c"@b.example; dkim/1=fail reason="bad; signature" header.i=@b.example`,
			[]string{
				"serv mx.example",
				"auth=pass (cram-md5) smtp.auth:a@b.example",
				"spf=pass smtp.mailfrom:a;b=c@b.example",
				"dkim=fail reason:bad; signature header.i:@b.example",
			},
		},
		{"None", "mx.example; none", []string{"serv mx.example", "none"}},
		{
			"ARCInstance",
			"i=1; mx.microsoft.com 1; spf=pass smtp.mailfrom=a.example; dmarc=pass action=none header.from=a.example; dkim=pass header.d=a.example; arc=none",
			[]string{
				"serv mx.microsoft.com", "i 1",
				"spf=pass smtp.mailfrom:a.example",
				"dmarc=pass action:none header.from:a.example",
				"dkim=pass header.d:a.example",
				"arc=none",
			},
		},
		{
			"EncodedAsAWhole",
			"=?utf-8?B?c3BmPW5vbmUgKHNlbmRlciBJUCBpcyAxOTIuMC4yLjQpIHNtdHAu?=\r\n =?utf-8?B?aGVsbz3DoTsgZGtpbT1ub25l?=",
			[]string{"spf=none (sender IP is 192.0.2.4) smtp.helo:á", "dkim=none"},
		},
		{
			"EqualsInValue",
			"mx.example; spf=pass smtp.mailfrom=SRS0=ab=CD=a.example=u@fwd.example; dkim=pass header.b=YWJj==",
			[]string{
				"serv mx.example",
				"spf=pass smtp.mailfrom:SRS0=ab=CD=a.example=u@fwd.example",
				"dkim=pass header.b:YWJj==",
			},
		},
		{
			"NestedComment",
			"mx.example; dkim=pass (a (b; dmarc=pass) \\) c) header.d=a.example",
			[]string{"serv mx.example", "dkim=pass (a (b; dmarc=pass) \\) c) header.d:a.example"},
		},
		{
			"OpenCommentHidesTheRest",
			"mx.example; dkim=fail (oops; dmarc=pass header.from=a.example",
			[]string{"serv mx.example", "dkim=fail (oops; dmarc=pass header.from=a.example)"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, f := field(t, "Authentication-Results", tc.value)
			got, err := authres.Parse(f)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, show(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseNothing(t *testing.T) {
	for _, v := range []string{"", "   ", "mx.example", "header.d=a.example", ";;;", "(spf=pass)", "=pass"} {
		_, f := field(t, "Authentication-Results", v)
		if got, err := authres.Parse(f); err == nil {
			t.Errorf("%q reads as %v", v, show(got))
		}
	}
}

func TestSpansQuoteTheWords(t *testing.T) {
	m, f := field(t, "Authentication-Results",
		"spf=Fail (sender IP is\r\n 192.0.2.4) smtp.mailfrom=a.example; dkim=none;dmarc=fail\r\n action=quarantine header.from=b.example;compauth=fail reason=601")
	a, err := authres.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	ip, span, ok := a.Results[0].SenderIP()
	if !ok || ip.String() != "192.0.2.4" {
		t.Fatalf("sender IP %v %v", ip, ok)
	}
	mailfrom, _ := a.Results[0].Prop("smtp.mailfrom")
	action, _ := a.Results[2].Prop("action")
	got := []string{
		m.Quote(span), m.Quote(a.Results[0].Value.Span), m.Quote(mailfrom.Span),
		m.Quote(a.Results[2].Span), m.Quote(action.Span), m.Quote(a.Results[3].Span), m.Quote(a.Results[3].Reason.Span),
	}
	want := []string{
		"(sender IP is\r\n 192.0.2.4)", "Fail", "a.example",
		"dmarc=fail\r\n action=quarantine header.from=b.example", "quarantine", "compauth=fail reason=601", "601",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseReceivedSPF(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{
			"ExchangePass",
			"Pass (protection.outlook.com: domain of a.example designates\r\n 192.0.2.1 as permitted sender)\r\n receiver=protection.outlook.com; client-ip=192.0.2.1; helo=mx.a.example; pr=C",
			"pass protection.outlook.com a.example 192.0.2.1 mx.a.example protection.outlook.com",
		},
		{
			"ExchangeNone",
			"None (protection.outlook.com: a.example does not designate\r\n permitted sender hosts)",
			"none protection.outlook.com a.example invalid IP  ",
		},
		{
			"ExchangeSoftFail",
			"SoftFail (protection.outlook.com: domain of transitioning\r\n a.example discourages use of 192.0.2.1 as permitted sender)",
			"softfail protection.outlook.com a.example invalid IP  ",
		},
		{
			"RFC7208",
			`pass (mybox.example: domain of me@a.example designates 192.0.2.1 as permitted sender) receiver=mybox.example; client-ip=2001:db8::1; envelope-from="me@a.example"; helo=foo.example;`,
			"pass mybox.example a.example 2001:db8::1 foo.example mybox.example",
		},
		{"PairsOnly", `neutral client-ip=192.0.2.1; envelope-from="me@b.example"`, "neutral  b.example 192.0.2.1  "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, f := field(t, "Received-SPF", tc.value)
			r, err := authres.ParseReceivedSPF(f)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join([]string{r.Result.Text, r.Checker, r.Domain, r.ClientIP.String(), r.Helo, r.Receiver}, " ")
			if got != tc.want {
				t.Errorf("got  %q\nwant %q", got, tc.want)
			}
		})
	}
}

// check holds a parsed field to what must be true of any input: every span
// lies in the field, and what is not joined, folded or encoded is quoted exactly.
func check(t *testing.T, m *eml.Message, f eml.Field) {
	t.Helper()
	whole := f.ValueSpan()
	encoded := strings.HasPrefix(f.Value(), "=?") // words then stand for encoded words
	inside := func(s eml.Span) {
		if s.Offset < whole.Offset || s.End() > whole.End() || s.Length < 0 {
			t.Fatalf("span %v outside %v", s, whole)
		}
	}
	a, _ := authres.Parse(f)
	for _, r := range a.Results {
		inside(r.Span)
		inside(r.Value.Span)
		if q := m.Quote(r.Value.Span); !encoded && !strings.Contains(q, `"`) && !strings.EqualFold(q, r.Value.Text) {
			t.Fatalf("%q quoted as %q", r.Value.Text, q)
		}
		for _, p := range r.Props {
			inside(p.Span)
			inside(p.Value.Span)
			if !encoded && p.Type != "" && !strings.EqualFold(m.Quote(p.Span)[:1], p.Type[:1]) {
				t.Fatalf("%q begins otherwise than %s.%s", m.Quote(p.Span), p.Type, p.Name)
			}
		}
		for _, c := range r.Comments {
			inside(c.Span)
		}
		r.SenderIP()
	}
	r, err := authres.ParseReceivedSPF(f)
	if err == nil {
		inside(r.Result.Span)
		for _, p := range r.Pairs {
			inside(p.Span)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"spf=pass (sender IP is 192.0.2.4) smtp.mailfrom=a.example; dkim=pass header.d=a.example;dmarc=pass action=none",
		"i=1; mx.microsoft.com 1; spf=none; dmarc=none", "mx.example; none", `x; dkim=pass reason="a\"b" header.i=@b`,
		"Pass (protection.outlook.com: domain of x designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1;",
		"((((((", `""""""""`, "a=b=c=d==;;=;=", "dkim=\r\n pass (\\", "spf==pass", "=;a. =b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		m := eml.Parse([]byte("Authentication-Results:"+value+"\r\n\r\n"), nil)
		for _, field := range m.Header().Fields() {
			check(t, m, field)
		}
	})
}

func TestHostileSizes(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("(", 1<<20), strings.Repeat(`"`, 1<<20), strings.Repeat(`"\`, 1<<19), strings.Repeat("spf=pass ", 1<<17),
		strings.Repeat("a=", 1<<19), "spf=pass " + strings.Repeat("a.b=c ", 1<<17), strings.Repeat("x ", 1<<19),
	} {
		_, f := field(t, "Authentication-Results", s)
		a, _ := authres.Parse(f)
		if len(a.Results) > 100 || len(a.Tokens) > 100 {
			t.Errorf("%.10q: %d results, %d tokens", s, len(a.Results), len(a.Tokens))
		}
	}
}

func corpus(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("SEKISHO_SHARED"), "../../../shared"} {
		if dir == "" {
			continue
		}
		if st, err := os.Stat(filepath.Join(dir, "data", "mail")); err == nil && st.IsDir() {
			return filepath.Join(dir, "data", "mail")
		}
	}
	t.Skip("no mail collection: set SEKISHO_SHARED")
	return ""
}

// TestCorpusParses counts how many fields of real mail can be read. At least
// 98 in 100 must be: the rest are empty or cut.
func TestCorpusParses(t *testing.T) {
	if testing.Short() {
		t.Skip("reads thousands of mails")
	}
	dir := corpus(t)
	good, bad := map[string]int{}, map[string]int{}
	samples := map[string]bool{}
	for _, kind := range []string{"phish", "ham", "commercial"} {
		files, err := filepath.Glob(filepath.Join(dir, kind, "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			m := eml.Parse(raw, nil)
			for _, f := range m.Header().Fields() {
				var err error
				switch strings.ToLower(f.Name()) {
				case "authentication-results", "arc-authentication-results", "authentication-results-original":
					_, err = authres.Parse(f)
				case "received-spf":
					_, err = authres.ParseReceivedSPF(f)
				default:
					continue
				}
				check(t, m, f)
				key := strings.ToLower(f.Name())
				if err != nil {
					bad[key]++
					if len(samples) < 8 {
						samples[fmt.Sprintf("%.90q", f.Value())] = true
					}
				} else {
					good[key]++
				}
			}
		}
	}
	for k, n := range good {
		t.Logf("%s: %d read, %d not", k, n, bad[k])
		if bad[k]*50 > n {
			t.Errorf("%s: %d of %d not read: %v", k, bad[k], n+bad[k], samples)
		}
	}
	if len(good) == 0 {
		t.Error("no field found")
	}
	for s := range samples {
		t.Log("not read: ", s)
	}
}
