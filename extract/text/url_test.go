package text_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/extract/text"
)

func TestURLs(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want []string // URL, and after a blank the written form if it differs
	}{
		{"Plain", "see https://kiso.example/a?b=c#d now", []string{"https://kiso.example/a?b=c#d"}},
		{"EndOfSentence", "Go to https://kiso.example/a. Then (http://b.example/x), or http://c.example/!", []string{"https://kiso.example/a", "http://b.example/x", "http://c.example/"}},
		{"BalancedBrackets", "(https://kiso.example/a_(b))", []string{"https://kiso.example/a_(b)"}},
		{"Quoted", `"https://kiso.example/a" 'http://b.example/'`, []string{"https://kiso.example/a", "http://b.example/"}},
		{"Wrapped", "<https://kiso.example/a/\r\n  bc?d=1>", []string{"https://kiso.example/a/bc?d=1 https://kiso.example/a/\r\n  bc?d=1"}},
		{"AngleNotAWrap", "<https://kiso.example/a and more>", []string{"https://kiso.example/a"}},
		{"Mixed", "HTTPS://KISO.EXAMPLE/A", []string{"HTTPS://KISO.EXAMPLE/A"}},
		{"GluedLetters", "linkhttps://kiso.example/", []string{"https://kiso.example/"}},
		{"JapaneseAround", "詳細はhttps://kiso.example/aをご覧ください。（https://b.example/x）「http://c.example」", []string{"https://kiso.example/a", "https://b.example/x", "http://c.example"}},
		{"JapaneseAfterHost", "https://kiso.exampleをクリック", []string{"https://kiso.example"}},
		{"IDN", "http://例え.test/a", []string{"http://例え.test/a"}},
		{"IPv6", "http://[2001:db8::1]:80/a", []string{"http://[2001:db8::1]:80/a"}},
		{"User", "https://microsoft.com@evil.example/a", []string{"https://microsoft.com@evil.example/a"}},
		{"Defanged", "hxxps://evil[.]example/a", []string{"hxxps://evil[.]example/a"}},
		{"WWW", "www.kiso.example, or www.kiso.example/a.", []string{"http://www.kiso.example www.kiso.example", "http://www.kiso.example/a www.kiso.example/a"}},
		{"Bare", "kiso.example kiso-works.example/login 登録はkiso.exampleへ", []string{"http://kiso.example kiso.example", "http://kiso-works.example/login kiso-works.example/login", "http://kiso.example kiso.example"}},
		{"BarePort", "kiso.example:8443/a", []string{"http://kiso.example:8443/a kiso.example:8443/a"}},
		{"NotBare", "clerk@kiso.example a.kiso.example@x README.md setup.sh node.js e.g. U.S. 1.2.3 Thanks.Best file.txt 3.14 call.me www.x", nil},
		{"AmbiguousWithPath", "evil.sh/a login.evil.ml www.evil.ml", []string{"http://evil.sh/a evil.sh/a", "http://www.evil.ml www.evil.ml"}},
		{"Nothing", "http:// https://! ://x http:///", nil},
		{"InsidePath", "/a/kiso.example/b", nil},
		{"TwoInARow", "http://a.example/http://b.example/", []string{"http://a.example/http://b.example/"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, u := range text.URLs(tt.in) {
				s := u.URL
				if written := tt.in[u.Offset : u.Offset+u.Length]; written != s {
					s += " " + written
				}
				got = append(got, s)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestURLsTime reads what is built to be slow. The limit is far above what it
// takes, so that only a change of order is noticed.
func TestURLsTime(t *testing.T) {
	for _, unit := range []string{"<http://a", "<http://a.example/\n", "a.", "a.b@", "://", "http://a.", "www.", "..", "x:", "http://((((", "a.example/", "[.]", "あ.", "http://[[", "\u3000.a"} {
		s := strings.Repeat(unit, 512<<10/len(unit))
		start := time.Now()
		text.URLs(s)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q: %v for 512 KiB", unit, d)
		}
	}
}

func FuzzURLs(f *testing.F) {
	for _, s := range []string{"<https://kiso.example/a\n b>", "詳細はhttps://kiso.example/aを", "hxxp://a[.]example", "www.a.example/(x)", "http://[::1]/", "a.b.example@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		end := 0
		for _, u := range text.URLs(s) {
			if u.Offset < end || u.Length <= 0 || u.Offset+u.Length > len(s) {
				t.Fatalf("%q: %+v overlaps or leaves the text", s, u)
			}
			end = u.Offset + u.Length
			written := s[u.Offset:end]
			if u.Bare && u.URL != "http://"+written || !u.Bare && !strings.ContainsAny(written, "\n ") && u.URL != written {
				t.Fatalf("%q is not what is written: %q", u.URL, written)
			}
		}
	})
}
