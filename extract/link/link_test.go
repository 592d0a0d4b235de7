package link_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/extract/link"
)

func TestParse(t *testing.T) {
	ip := netip.MustParseAddr
	tests := []struct {
		name string
		in   string
		want link.URL
	}{
		{"Plain", "https://kiso.example/a?b=c#d", link.URL{Scheme: "https", Host: "kiso.example", Path: "/a", Query: "b=c", Fragment: "d"}},
		{"Case", "HTTPS://KISO.Example", link.URL{Scheme: "https", Host: "kiso.example", Path: "/"}},
		{"DefaultPort", "https://kiso.example:443/", link.URL{Scheme: "https", Host: "kiso.example", Path: "/"}},
		{"Port", "http://kiso.example:8080/", link.URL{Scheme: "http", Host: "kiso.example", Port: 8080, Path: "/"}},
		{"LineBreakInside", "ht\ntps://kiso\t.example/", link.URL{Scheme: "https", Host: "kiso.example", Path: "/", Oddities: []link.Oddity{link.Whitespace}}},
		{"Backslashes", `https:\\kiso.example\a\b?x=\`, link.URL{Scheme: "https", Host: "kiso.example", Path: "/a/b", Query: `x=\`, Oddities: []link.Oddity{link.Backslash}}},
		{"BackslashEndsHost", `https://kiso.example\@evil.example/`, link.URL{Scheme: "https", Host: "kiso.example", Path: "/@evil.example/", Oddities: []link.Oddity{link.Backslash}}},
		{"OneSlash", "https:/kiso.example", link.URL{Scheme: "https", Host: "kiso.example", Path: "/", Oddities: []link.Oddity{link.MissingSlash}}},
		{"ThreeSlashes", "https:///kiso.example", link.URL{Scheme: "https", Host: "kiso.example", Path: "/", Oddities: []link.Oddity{link.ExtraSlash}}},
		{"User", "https://microsoft.com@evil.example/x", link.URL{Scheme: "https", User: "microsoft.com", Host: "evil.example", Path: "/x", Oddities: []link.Oddity{link.HasUser}}},
		{"TwoAts", "https://a@b@evil.example/", link.URL{Scheme: "https", User: "a@b", Host: "evil.example", Path: "/", Oddities: []link.Oddity{link.HasUser}}},
		{"EncodedHost", "https://%65vil.example/", link.URL{Scheme: "https", Host: "evil.example", Path: "/", Oddities: []link.Oddity{link.EncodedHost}}},
		{"IDN", "https://日本語.example/", link.URL{Scheme: "https", Host: "xn--wgv71a119e.example", Path: "/", Oddities: []link.Oddity{link.UnicodeHost}}},
		{"FullWidth", "https://ｋｉｓｏ．example/", link.URL{Scheme: "https", Host: "kiso.example", Path: "/", Oddities: []link.Oddity{link.UnicodeHost}}},
		{"IPv4", "http://192.0.2.1/", link.URL{Scheme: "http", IP: ip("192.0.2.1"), Path: "/"}},
		{"DecimalIP", "http://3221225985/", link.URL{Scheme: "http", IP: ip("192.0.2.1"), Path: "/", Oddities: []link.Oddity{link.NumericHost}}},
		{"HexIP", "http://0xc0000201/", link.URL{Scheme: "http", IP: ip("192.0.2.1"), Path: "/", Oddities: []link.Oddity{link.NumericHost}}},
		{"OctalIP", "http://0300.0.02.01/", link.URL{Scheme: "http", IP: ip("192.0.2.1"), Path: "/", Oddities: []link.Oddity{link.NumericHost}}},
		{"TwoPartIP", "http://192.513/", link.URL{Scheme: "http", IP: ip("192.0.2.1"), Path: "/", Oddities: []link.Oddity{link.NumericHost}}},
		{"IPv6", "http://[2001:db8::1]:81/", link.URL{Scheme: "http", IP: ip("2001:db8::1"), Port: 81, Path: "/"}},
		{"SchemeRelative", "//kiso.example/a", link.URL{Scheme: "https", Host: "kiso.example", Path: "/a", Oddities: []link.Oddity{link.MissingScheme}}},
		{"NetworkShare", `\\kiso.example\share`, link.URL{Scheme: "file", Host: "kiso.example", Path: "/share", Oddities: []link.Oddity{link.Backslash}}},
		{"NoScheme", "www.kiso.example/a", link.URL{Scheme: "http", Host: "www.kiso.example", Path: "/a", Oddities: []link.Oddity{link.MissingScheme}}},
		{"HostAndPort", "kiso.example:8080/a", link.URL{Scheme: "http", Host: "kiso.example", Port: 8080, Path: "/a", Oddities: []link.Oddity{link.MissingScheme}}},
		{"Defanged", "hxxps://kiso[.]example/a", link.URL{Scheme: "https", Host: "kiso.example", Path: "/a", Oddities: []link.Oddity{link.Defanged}}},
		{"DotSegments", "https://kiso.example/a/./b/../c/%2e%2e/d", link.URL{Scheme: "https", Host: "kiso.example", Path: "/a/d"}},
		{"Mailto", "mailto:clerk@kiso.example?subject=x", link.URL{Scheme: "mailto", Path: "clerk@kiso.example", Query: "subject=x"}},
		{"Script", "JavaScript:alert(1)", link.URL{Scheme: "javascript", Path: "alert(1)"}},
		{"Data", "data:text/html;base64,PGI+", link.URL{Scheme: "data", Path: "text/html;base64,PGI+"}},
		{"UnknownSchemeWithHost", "teams://kiso.example/x", link.URL{Scheme: "teams", Host: "kiso.example", Path: "/x"}},
		{"UnknownSchemeWithoutHost", "app://!!/x", link.URL{Scheme: "app", Path: "//!!/x"}},
		{"File", "file:///C:/a.exe", link.URL{Scheme: "file", Path: "/C:/a.exe"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := link.Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got, cmpopts.EquateComparable(netip.Addr{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want error
	}{
		{"Empty", "", link.ErrRelative},
		{"Fragment", "#top", link.ErrRelative},
		{"Path", "/a/b", link.ErrRelative},
		{"FileName", "image001.png", link.ErrRelative},
		{"NoHost", "https://", link.ErrHost},
		{"SpaceInHost", "https://ki so.example/", link.ErrHost},
		{"NumberTooLarge", "http://4294967296/", link.ErrHost},
		{"BadPort", "http://kiso.example:99999/", link.ErrPort},
		{"BadIPv6", "http://[::g]/", link.ErrHost},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if u, err := link.Parse(tt.in); !errors.Is(err, tt.want) {
				t.Errorf("Parse(%q) = %+v, %v, want %v", tt.in, u, err, tt.want)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	base, err := link.Parse("https://kiso.example/a/b?q#f")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"c":                  "https://kiso.example/a/c",
		"../c":               "https://kiso.example/c",
		"/c":                 "https://kiso.example/c",
		"?x":                 "https://kiso.example/a/b?x",
		"#g":                 "https://kiso.example/a/b?q#g",
		"//evil.example/":    "https://evil.example/",
		"http://kiso.test/x": "http://kiso.test/x",
	}
	got := map[string]string{}
	for ref := range tests {
		u, err := link.Join(base, ref)
		if err != nil {
			t.Errorf("Join(%q): %v", ref, err)
		}
		got[ref] = u.String()
	}
	if d := cmp.Diff(tests, got); d != "" {
		t.Error(d)
	}
}

func TestUnwrap(t *testing.T) {
	tests := []struct {
		name     string
		in       string
		inner    string
		rewriter link.Rewriter
	}{
		{"SafeLinks", "https://jpn01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example%2Flogin%3Fa%3D1&data=05%7C02%7Cx&reserved=0", "https://evil.example/login?a=1", link.SafeLinks},
		{"SafeLinksGovernment", "https://usg01.safelinks.protection.office365.us/?url=https%3A%2F%2Fevil.example%2F&data=x", "https://evil.example/", link.SafeLinks},
		{"SafeLinksEscapedAmpersand", "https://nam02.safelinks.protection.outlook.com/?data=x&amp;url=https%3A%2F%2Fevil.example%2F", "https://evil.example/", link.SafeLinks},
		{"ProofpointV1", "https://urldefense.proofpoint.com/v1/url?u=http://evil.example/a&k=x", "http://evil.example/a", link.Proofpoint},
		{"ProofpointV2", "https://urldefense.proofpoint.com/v2/url?u=http-3A__evil.example_a-5Fb-3Fc-3Dd&d=DwMF", "http://evil.example/a_b?c=d", link.Proofpoint},
		{"ProofpointV3", "https://urldefense.com/v3/__https://evil.example/a__;!!AbC!x$", "https://evil.example/a", link.Proofpoint},
		{"ProofpointV3Characters", "https://urldefense.com/v3/__https://evil.example/a*b**Dc__;IyEhISEh!!AbC!x$", "https://evil.example/a#b!!!!!c", link.Proofpoint},
		{"ProofpointV3OneSlash", "https://urldefense.com/v3/__https:/evil.example/a__;!!AbC!x$", "https://evil.example/a", link.Proofpoint},
		{"ProofpointV3Encoded", "https://urldefense.com/v3/__http:/evil.example/a__;%21fqW%219UA$", "http://evil.example/a", link.Proofpoint},
		{"Mimecast", "https://protect-eu.mimecast.com/s/AbCdE?domain=evil.example", "", link.Mimecast},
		{"Barracuda", "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fevil.example%2fa&c=E,1,x", "https://evil.example/a", link.Barracuda},
		{"Cisco", "https://secure-web.cisco.com/1AbC-dEf/https%3A%2F%2Fevil.example%2Fa", "https://evil.example/a", link.Cisco},
		{"TrendMicro", "https://imsva91-ctp.trendmicro.com:443/wis/clicktime/v1/query?url=https%3a%2f%2fevil.example&umid=x&auth=y", "https://evil.example", link.TrendMicro},
		{"Symantec", "https://clicktime.symantec.com/3AbC/7Vc?u=https%3A%2F%2Fevil.example%2F", "https://evil.example/", link.Symantec},
		{"SymantecPath", "https://clicktime.symantec.com/15tSt/h/abc=/https%3A%2F%2Fevil.example%2F", "https://evil.example/", link.Symantec},
		{"Sophos", "https://eu-west-1.protection.sophos.com/?d=evil.example&u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUvYQ==&i=x", "https://evil.example/a", link.Sophos},
		{"Checkpoint", "https://protect.checkpoint.com/v2/___https://evil.example/a___.YzJ1Om", "https://evil.example/a", link.Checkpoint},
		{"CheckpointShifted", "https://protect.checkpoint.com/v2/r01/___myyux://janq.jcfruqj/f___.YzJ1Om", "", link.Checkpoint},
		{"Google", "https://www.google.co.jp/url?sa=t&q=https://evil.example/", "https://evil.example/", link.Google},
		{"GoogleAMP", "https://www.google.com/amp/s/evil.example/a", "https://evil.example/a", link.GoogleAMP},
		{"AMPCache", "https://evil-example.cdn.ampproject.org/c/s/evil.example/a?x=1", "https://evil.example/a?x=1", link.GoogleAMP},
		{"DoubleClick", "https://adclick.g.doubleclick.net/pcs/click?x=1&adurl=https://evil.example/", "https://evil.example/", link.DoubleClick},
		{"Bing", "https://www.bing.com/ck/a?!&&p=x&u=a1aHR0cHM6Ly9ldmlsLmV4YW1wbGUv&ntb=1", "https://evil.example/", link.Bing},
		{"LinkedIn", "https://www.linkedin.com/redir/redirect?url=https%3A%2F%2Fevil%2Eexample&urlhash=x", "https://evil.example", link.LinkedIn},
		{"LinkedInShort", "https://www.linkedin.com/slink?code=abc", "", link.Shortener},
		{"Facebook", "https://l.facebook.com/l.php?u=https%3A%2F%2Fevil.example%2F&h=x", "https://evil.example/", link.Facebook},
		{"YouTube", "https://www.youtube.com/redirect?q=https%3A%2F%2Fevil.example", "https://evil.example", link.YouTube},
		{"SES", "https://abc.r.eu-west-1.awstrack.me/L0/https:%2F%2Fevil.example%2Fa/1/0102/x=1", "https://evil.example/a", link.AmazonSES},
		{"Postmark", "https://click.pstmrk.it/3s/evil.example%2Fa/abc/def/ghi", "https://evil.example/a", link.Postmark},
		{"Mandrill", "https://mandrillapp.com/track/click/1/evil.example?p=eyJzIjoieCIsInAiOiJ7XCJ1XCI6MSxcInVybFwiOlwiaHR0cHM6XFxcL1xcXC9ldmlsLmV4YW1wbGVcXFwvYVwiLFwiaWRcIjpcInhcIn0ifQ", "https://evil.example/a", link.Mandrill},
		{"SendGrid", "https://u1.ct.sendgrid.net/ls/click?upn=abc", "", link.SendGrid},
		{"Mailchimp", "https://kiso.us1.list-manage.com/track/click?u=1&id=2&e=3", "", link.Mailchimp},
		{"Shortener", "https://bit.ly/abc", "", link.Shortener},
		{"TrackerHost", "https://r20.rs6.net/tn.jsp?f=1", "", link.Tracker},
		{"TrackerOwnPages", "https://www.constantcontact.com/", "", ""},
		{"OpenRedirect", "https://kiso.example/out?url=https%3A%2F%2Fevil.example", "https://evil.example", link.OpenRedirect},
		{"OpenRedirectBase64", "https://kiso.example/out?u=aHR0cHM6Ly9ldmlsLmV4YW1wbGUv", "https://evil.example/", link.OpenRedirect},
		{"WithinASite", "https://login.kiso.example/?url=https%3A%2F%2Fwww.kiso.example", "", ""},
		{"SignIn", "https://login.microsoftonline.com/common/oauth2/authorize?client_id=1&redirect_uri=https%3A%2F%2Fkiso.example", "", ""},
		{"Plain", "https://kiso.example/a?b=c", "", ""},
		{"LookAlikeHost", "https://safelinks.protection.outlook.com.evil.example/?url=https://microsoft.com", "https://microsoft.com", link.OpenRedirect},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := link.Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			inner, rewriter, ok := link.Unwrap(u)
			if inner != tt.inner || rewriter != tt.rewriter || ok != (tt.inner != "") {
				t.Errorf("Unwrap = %q, %q, %v", inner, rewriter, ok)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	wrap := func(s string) string {
		return "https://nam02.safelinks.protection.outlook.com/?url=" + strings.NewReplacer("%", "%25", "&", "%26").Replace(s)
	}
	u, err := link.Parse(wrap("https://urldefense.com/v3/__https://www.google.com/url?q=https://bit.ly/x__;!!a!b$"))
	if err != nil {
		t.Fatal(err)
	}
	r := link.Resolve(u)
	var got []link.Rewriter
	for _, s := range r.Steps {
		got = append(got, s.Rewriter)
	}
	if d := cmp.Diff([]link.Rewriter{link.SafeLinks, link.Proofpoint, link.Google}, got); d != "" {
		t.Error(d)
	}
	if r.Target.String() != "https://bit.ly/x" || r.Opaque != link.Shortener || r.Loop {
		t.Errorf("target %s, opaque %q, loop %v", r.Target, r.Opaque, r.Loop)
	}

	s := "https://evil.example/"
	for range 12 {
		s = wrap(s)
	}
	if u, err = link.Parse(s); err != nil {
		t.Fatal(err)
	}
	if r = link.Resolve(u); len(r.Steps) != 8 || !r.Loop {
		t.Errorf("%d steps, loop %v, want 8 and a loop", len(r.Steps), r.Loop)
	}
}

func TestDefang(t *testing.T) {
	tests := map[string]string{
		"https://kiso-works.example/a.b?c.d": "hxxps://kiso-works[.]example/a.b?c.d",
		"HTTP://kiso.example":                "hxxp://kiso[.]example",
		"ftp://kiso.example":                 "fxp://kiso[.]example",
		"kiso.example":                       "kiso[.]example",
		"clerk@mail.kiso.example":            "clerk[@]mail[.]kiso[.]example",
		"mailto:clerk@kiso.example?cc=x":     "mailto:clerk[@]kiso[.]example?cc=x",
		"http://192.0.2.1/":                  "hxxp://192[.]0[.]2[.]1/",
		"hxxps://kiso[.]example":             "hxxps://kiso[.]example",
	}
	for in, want := range tests {
		if got := link.Defang(in); got != want {
			t.Errorf("Defang(%q) = %q, want %q", in, got, want)
		}
		if got := link.Defang(link.Defang(in)); got != want {
			t.Errorf("twice: %q", got)
		}
	}
	for in, want := range map[string]string{
		"hxxps://kiso[.]example/a":   "https://kiso.example/a",
		"hxxp[:]//kiso(.)example":    "http://kiso.example",
		"clerk[@]kiso[.]example":     "clerk@kiso.example",
		"meow://kiso[dot]example":    "http://kiso.example",
		"https://kiso.example/plain": "https://kiso.example/plain",
	} {
		if got := link.Refang(in); got != want {
			t.Errorf("Refang(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://kiso.example/a/../b?c#d", `https:\\a@b@kiso.example:81\`, "http://0x7f.1/", "//[::1]", "hxxp://a[.]example", "mailto:a@b",
		"https://x.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example", "https://urldefense.com/v3/__https://a.example/**A*__;aa!!", "\\\\a\\b",
		"https://www.bing.com/ck/a?u=a1aHR0", "https://mandrillapp.com/track/click/1/x?p=e30",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := link.Parse(s)
		if err != nil {
			return
		}
		_ = link.Resolve(u)
		if !u.IsWeb() {
			return
		}
		// The one form reads as itself.
		again, err := link.Parse(u.String())
		if err != nil {
			t.Fatalf("Parse(%q) = %q, which does not parse: %v", s, u, err)
		}
		if again.String() != u.String() || again.Host != u.Host || again.IP != u.IP {
			t.Fatalf("Parse(%q) = %q, and that reads as %q", s, u, again)
		}
		if d := link.Defang(u.String()); strings.HasPrefix(d, "http") {
			t.Fatalf("Defang(%q) = %q", u, d)
		}
	})
}
