package fetch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/fetch"
)

// local is a client that may go to the server.
func local(s *httptest.Server, edit func(*fetch.Options)) *fetch.Client {
	o := &fetch.Options{AnyPort: true, AllowLoopback: true, RootCAs: roots(s), Timeout: 5 * time.Second}
	if edit != nil {
		edit(o)
	}
	return fetch.New(o)
}

func roots(s *httptest.Server) *x509.CertPool {
	if s.Certificate() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

// serve starts a server with TLS that answers with h.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestGet(t *testing.T) {
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Referer") != "" {
			http.Error(w, "told too much", http.StatusTeapot)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "id", Value: "1"})
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/feed", http.StatusFound)
		case "/feed":
			w.Header().Set("ETag", `"1"`)
			w.Header().Set("Last-Modified", "Tue, 24 Nov 2026 00:00:00 GMT")
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			if r.Header.Get("If-None-Match") == `"1"` || r.Header.Get("If-Modified-Since") == "Tue, 24 Nov 2026 00:00:00 GMT" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			z := gzip.NewWriter(w)
			w.Header().Set("Content-Encoding", r.Header.Get("Accept-Encoding"))
			fmt.Fprintf(z, "for %s, %s", r.UserAgent(), r.Header.Get("Accept"))
			_ = z.Close()
		case "/busy":
			w.Header().Set("Retry-After", r.URL.Query().Get("after"))
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, "later")
		}
	})
	body := "for tester/1, text/plain"
	sum := sha256.Sum256([]byte(body))
	full := desk.Fetched{
		URL: s.URL + "/feed", Status: 200, ETag: `"1"`, LastModified: "Tue, 24 Nov 2026 00:00:00 GMT", ContentType: "text/plain; charset=utf-8",
		Body: []byte(body), SHA256: hex.EncodeToString(sum[:]),
	}
	same := full
	same.Status, same.Body, same.SHA256, same.ContentType = 304, nil, "", ""
	busy := func(path string, after time.Duration) desk.Fetched {
		return desk.Fetched{URL: s.URL + path, Status: 429, RetryAfter: after}
	}
	for _, tc := range []struct {
		name, path string
		o          *desk.FetchOptions
		want       desk.Fetched
	}{
		{"Body", "/feed", &desk.FetchOptions{Accept: "text/plain"}, full},
		{"Redirected", "/moved#part", &desk.FetchOptions{Accept: "text/plain"}, full},
		{"SameByETag", "/feed", &desk.FetchOptions{ETag: `"1"`}, same},
		{"SameByDate", "/feed", &desk.FetchOptions{LastModified: "Tue, 24 Nov 2026 00:00:00 GMT"}, same},
		{"RetryAfterSeconds", "/busy?after=120", nil, busy("/busy?after=120", 2*time.Minute)},
		{"RetryAfterDate", "/busy?after=Wed,+25+Nov+2026+00:01:00+GMT", nil, busy("/busy?after=Wed,+25+Nov+2026+00:01:00+GMT", time.Minute)},
		{"RetryAfterNever", "/busy?after=99999999999999", nil, busy("/busy?after=99999999999999", 31*24*time.Hour)},
		{"RetryAfterOverflow", "/busy?after=99999999999999999999", nil, busy("/busy?after=99999999999999999999", 0)},
		{"RetryAfterPast", "/busy?after=-5", nil, busy("/busy?after=-5", 0)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := local(s, func(o *fetch.Options) { o.UserAgent, o.Now = "tester/1", func() time.Time { return now } })
			got, err := c.Get(t.Context(), s.URL+tc.path, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			if got.Took <= 0 || got.At.Before(now) {
				t.Errorf("took %v, at %v", got.Took, got.At)
			}
			tc.want.Took, tc.want.At = got.Took, got.At
			if got.Status == 429 {
				got.ContentType = ""
			}
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGetRefuses(t *testing.T) {
	inside := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/up" {
			http.Redirect(w, r, inside.URL, http.StatusFound)
		}
	}))
	t.Cleanup(plain.Close)
	bomb := gzipped(make([]byte, 8<<20))
	var empty bytes.Buffer // a gzip stream that goes on and never has a byte of content
	empty.WriteString("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03")
	empty.Write(bytes.Repeat([]byte{0, 0, 0, 0xff, 0xff}, 1<<20))
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/inside":
			http.Redirect(w, r, inside.URL, http.StatusFound)
		case "/metadata":
			http.Redirect(w, r, "https://169.254.169.254/latest", http.StatusFound)
		case "/down":
			http.Redirect(w, r, plain.URL, http.StatusFound)
		case "/password":
			http.Redirect(w, r, "https://me:pw@"+r.Host+"/", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/hosts", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round?"+r.URL.RawQuery+"x", http.StatusFound)
		case "/head":
			w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		case "/long":
			w.Header().Set("Content-Length", "1073741824")
			fmt.Fprint(w, "x")
		case "/endless":
			for range 1 << 30 >> 16 {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "x")
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb)
		case "/empty":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(empty.Bytes())
		case "/damaged":
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "this is not gzip at all")
		case "/broken":
			w.Header().Set("Content-Encoding", "gzip")
			b := gzipped(bytes.Repeat([]byte("words and more words "), 50))
			b[len(b)-6] ^= 1
			_, _ = w.Write(b)
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "x")
		case "/silent":
			<-r.Context().Done()
		case "/slow":
			for r.Context().Err() == nil {
				fmt.Fprint(w, ".")
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}
	})
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	defaults := func(o *fetch.Options) { *o = fetch.Options{RootCAs: o.RootCAs} }
	hurry := func(o *fetch.Options) { o.Timeout = 300 * time.Millisecond }
	for _, tc := range []struct {
		name, url string
		edit      func(*fetch.Options)
		want      error
		kind      desk.ErrorKind
	}{
		{"OtherScheme", "ftp://server.example/", nil, fetch.ErrScheme, desk.Invalid},
		{"File", "file:///etc/hosts", nil, fetch.ErrScheme, desk.Invalid},
		{"HTTP", "http://server.example/", nil, fetch.ErrScheme, desk.Invalid},
		{"NoHost", "https:///x", nil, fetch.ErrURL, desk.Invalid},
		{"Words", "not an address", nil, fetch.ErrScheme, desk.Invalid},
		{"Control", "https://server.example/\r\nX: y", nil, fetch.ErrURL, desk.Invalid},
		{"Password", "https://me:secret@server.example/", nil, fetch.ErrURL, desk.Invalid},
		{"Long", "https://server.example/" + strings.Repeat("x", 9000), nil, fetch.ErrURL, desk.Invalid},
		{"Port", "https://server.example:8443/", defaults, fetch.ErrPort, desk.Denied},
		{"Loopback", s.URL, func(o *fetch.Options) { o.AllowLoopback = false }, fetch.ErrAddress, desk.Denied},
		{"LoopbackName", "https://localhost" + port, func(o *fetch.Options) { o.AllowLoopback = false }, fetch.ErrAddress, desk.Denied},
		{"Mapped", "https://[::ffff:127.0.0.1]" + port, func(o *fetch.Options) { o.AllowLoopback = false }, fetch.ErrAddress, desk.Denied},
		{"PrivateInFigures", "https://10.0.0.1/", nil, fetch.ErrAddress, desk.Denied},
		{"RedirectInside", s.URL + "/inside", nil, fetch.ErrAddress, desk.Denied},
		{"RedirectMetadata", s.URL + "/metadata", nil, fetch.ErrAddress, desk.Denied},
		{"RedirectToHTTP", s.URL + "/down", func(o *fetch.Options) { o.HTTP = true }, fetch.ErrRedirect, desk.Denied},
		{"RedirectPassword", s.URL + "/password", nil, fetch.ErrURL, desk.Invalid},
		{"RedirectFile", s.URL + "/file", nil, fetch.ErrRedirect, desk.Denied},
		{"RedirectEndless", s.URL + "/round", nil, fetch.ErrRedirect, desk.Denied},
		{"LongHead", s.URL + "/head", nil, nil, desk.Unavailable},
		{"SaysLong", s.URL + "/long", nil, fetch.ErrTooLarge, desk.Limit},
		{"IsLong", s.URL + "/endless", nil, fetch.ErrTooLarge, desk.Limit},
		{"IsShort", s.URL + "/cut", nil, io.ErrUnexpectedEOF, desk.Unavailable},
		{"GzipBomb", s.URL + "/bomb", nil, fetch.ErrTooLarge, desk.Limit},
		{"GzipOfNothing", s.URL + "/empty", nil, fetch.ErrTooLarge, desk.Limit},
		{"NoGzip", s.URL + "/damaged", nil, fetch.ErrEncoding, desk.Unavailable},
		{"BrokenGzip", s.URL + "/broken", nil, fetch.ErrEncoding, desk.Unavailable},
		{"OtherCoding", s.URL + "/brotli", nil, fetch.ErrEncoding, desk.Unavailable},
		{"Silent", s.URL + "/silent", hurry, context.DeadlineExceeded, desk.Unavailable},
		{"SilentHead", s.URL + "/silent", func(o *fetch.Options) { o.HeaderTimeout = 100 * time.Millisecond }, nil, desk.Unavailable},
		{"SlowLoris", s.URL + "/slow", hurry, context.DeadlineExceeded, desk.Unavailable},
		{"UnknownAuthority", s.URL, func(o *fetch.Options) { o.RootCAs = x509.NewCertPool() }, nil, desk.Unavailable},
		{"NoSuchHost", "https://nowhere.test/", lookup(nil), fetch.ErrNoHost, desk.NotFound},
		{"ProxyFigures", "https://10.0.0.1/", func(o *fetch.Options) { o.Environ = []string{"HTTPS_PROXY=" + plain.URL} }, fetch.ErrAddress, desk.Denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := local(s, func(o *fetch.Options) {
				o.MaxBytes = 1 << 20
				if tc.edit != nil {
					tc.edit(o)
				}
			})
			got, err := c.Get(t.Context(), tc.url, nil)
			if err == nil {
				t.Fatalf("got %+v", got)
			}
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.kind || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("got %v of kind %v, want %v of kind %v", err, e.Kind, tc.want, tc.kind)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells a secret: %v", err)
			}
		})
	}
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}

// lookup answers with these addresses, one after the other, and the last again.
func lookup(answers ...[]string) func(*fetch.Options) {
	var n atomic.Int64
	return func(o *fetch.Options) {
		o.Lookup = func(context.Context, string) ([]netip.Addr, error) {
			i := min(int(n.Add(1)), len(answers)) - 1
			if len(answers) == 0 || len(answers[i]) == 0 {
				return nil, &net.DNSError{IsNotFound: true}
			}
			var out []netip.Addr
			for _, s := range answers[i] {
				out = append(out, netip.MustParseAddr(s))
			}
			return out, nil
		}
	}
}

// global is an address of AS112 (RFC 7535): public, and nobody's.
const global = "192.31.196.1"

func TestGetLooksUpOnce(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	server := s.Listener.Addr().String()
	for _, tc := range []struct {
		name    string
		answers [][]string
		want    []string // dialled
		err     error
	}{
		{"Public", [][]string{{global}, {"127.0.0.1"}}, []string{global + ":443"}, nil},
		{"PrivateThenPublic", [][]string{{"10.0.0.1"}, {global}}, nil, fetch.ErrAddress},
		{"OneOfTwoPrivate", [][]string{{global, "192.168.0.1"}}, nil, fetch.ErrAddress},
		{"MappedPrivate", [][]string{{"::ffff:10.0.0.1"}}, nil, fetch.ErrAddress},
		{"LinkLocal", [][]string{{"fe80::1"}}, nil, fetch.ErrAddress},
		{"Translated", [][]string{{"64:ff9b::a00:1"}}, nil, fetch.ErrAddress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var dialled []string
			c := local(s, func(o *fetch.Options) {
				lookup(tc.answers...)(o)
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					dialled = append(dialled, address)
					return (&net.Dialer{}).DialContext(ctx, network, server)
				}
			})
			_, err := c.Get(t.Context(), "https://example.com/", nil) // the name in the certificate of httptest
			if !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, dialled); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGetCanceled(t *testing.T) {
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := local(s, nil).Get(ctx, s.URL, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	} else if _, ok := errors.AsType[*desk.Error](err); ok {
		t.Errorf("the end of the caller is told as a fault of the server: %v", err)
	}
}

func TestHostDelay(t *testing.T) {
	s := serve(t, func(http.ResponseWriter, *http.Request) {})
	other := serve(t, func(http.ResponseWriter, *http.Request) {})
	const delay = 150 * time.Millisecond
	c := local(s, func(o *fetch.Options) { o.HostDelay = delay; o.RootCAs.AddCert(other.Certificate()) })
	start := time.Now()
	took := func(u string) time.Duration {
		if _, err := c.Get(t.Context(), u, nil); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	took(s.URL)
	if d := took(other.URL); d >= delay {
		t.Errorf("another host waited: %v", d)
	}
	if d := took(s.URL); d < delay {
		t.Errorf("the same host was asked again after %v", d)
	}
}

func TestProxy(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		server, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(server, conn) }()
		_, _ = io.Copy(conn, server)
		_ = conn.Close()
	}))
	t.Cleanup(proxy.Close)
	c := fetch.New(&fetch.Options{RootCAs: roots(s), Environ: []string{"https_proxy=" + proxy.URL, "no_proxy=direct.example.com"}})
	got, err := c.Get(t.Context(), "https://example.com/", nil)
	if err != nil || string(got.Body) != "ok" {
		t.Fatalf("%v %v", got, err)
	}
	if diff := cmp.Diff([]string{"CONNECT example.com:443"}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestPublic(t *testing.T) {
	for _, tc := range []struct {
		addr string
		want bool
	}{
		{global, true}, {"::ffff:" + global, true}, {"2620:4f:8000::1", true}, {"64:ff9b::c01f:c401", true},
		{"0.0.0.0", false}, {"10.1.2.3", false}, {"100.64.0.1", false}, {"127.0.0.1", false}, {"127.8.8.8", false}, {"169.254.169.254", false},
		{"172.16.0.1", false}, {"172.31.255.255", false}, {"192.168.1.1", false}, {"192.0.0.1", false}, {"198.18.0.1", false},
		{"224.0.0.1", false}, {"240.0.0.1", false}, {"255.255.255.255", false}, {"168.63.129.16", false}, {"192.0.2.1", false},
		{"::", false}, {"::1", false}, {"::ffff:127.0.0.1", false}, {"::127.0.0.1", false}, {"fe80::1", false}, {"fe80::1%eth0", false},
		{"fc00::1", false}, {"fd00:ec2::254", false}, {"ff02::1", false}, {"2001::1", false}, {"2001:db8::1", false}, {"2002:7f00:1::", false},
		{"64:ff9b::7f00:1", false}, {"64:ff9b::a9fe:a9fe", false}, {"64:ff9b:1::1", false}, {"100::1", false},
	} {
		if got := fetch.Public(netip.MustParseAddr(tc.addr)); got != tc.want {
			t.Errorf("%s: got %v", tc.addr, got)
		}
	}
	if fetch.Public(netip.Addr{}) {
		t.Error("no address is public")
	}
}

// FuzzGet holds the checks of an address against each other: what is dialled is
// public, whatever the address looks like.
func FuzzGet(f *testing.F) {
	for _, s := range []string{
		"https://example.com/", "https://10.0.0.1:443/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/", "https://[fe80::1%25eth0]/",
		"HTTPS://EXAMPLE.COM", "https://a@b/", "https://server.example:80/#x", "https:server.example", "//x",
	} {
		f.Add(s)
	}
	stop := errors.New("no network")
	f.Fuzz(func(t *testing.T, address string) {
		c := fetch.New(&fetch.Options{
			Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
				if len(host)%2 == 0 {
					return []netip.Addr{netip.MustParseAddr("::ffff:10.0.0.1")}, nil
				}
				return []netip.Addr{netip.MustParseAddr(global)}, nil
			},
			Dial: func(_ context.Context, _, address string) (net.Conn, error) {
				a, err := netip.ParseAddrPort(address)
				if err != nil || !fetch.Public(a.Addr()) || a.Port() != 443 && a.Port() != 80 {
					t.Errorf("dialled %q", address)
				}
				return nil, stop
			},
		})
		if _, err := c.Get(t.Context(), address, nil); err == nil {
			t.Errorf("%q was fetched without a network", address)
		} else if u, perr := url.Parse(address); perr == nil && u.Scheme != "https" && errors.Is(err, stop) {
			t.Errorf("%q was dialled", address)
		}
	})
}
