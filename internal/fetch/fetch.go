// Package fetch gets what others publish: over HTTP, and with git. It implements
// [desk.Fetcher] and [desk.GitFetcher].
//
// An address may come from a mail, a feed or an article that an attacker wrote.
// So a connection goes to the public Internet only. What counts is the address
// that is connected to, looked up once, and not the name: a name that changes its
// mind between a check and the connection gains nothing, and every redirection is
// checked like the first address. Ports other than those of the scheme, http
// without TLS, passwords in an address and redirections from https to http are
// refused. Bytes, before and after decompression, and time are bounded. Cookies
// are not kept.
//
// A proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) is used,
// because there are offices without another way out. It looks names up itself:
// with a proxy, keeping away from private addresses is the proxy's job, and only
// addresses in figures are refused here.
package fetch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/sekisho/sekisho/internal/desk"
)

// Defaults of [Options].
const (
	DefaultUserAgent     = "sekisho (+https://github.com/sekisho/sekisho)"
	DefaultMaxBytes      = 16 << 20
	DefaultTimeout       = time.Minute
	DefaultHeaderTimeout = 15 * time.Second
)

const (
	maxRedirects   = 3
	maxHeader      = 64 << 10 // bytes of the head of an answer
	maxURL         = 8 << 10  // bytes of an address
	maxValue       = 1 << 10  // bytes of a field that is passed on
	maxAddresses   = 4        // of a host that are tried
	dialTimeout    = 10 * time.Second
	maxRetryAfter  = 31 * 24 * time.Hour
	maxHostsPaced  = 10_000
	handshakeLimit = 10 * time.Second
)

// Options changes a [Client]. A zero field is the default.
type Options struct {
	UserAgent     string
	Hello         string        // what a mail server is greeted as; "localhost"
	MaxBytes      int64         // of a body
	Timeout       time.Duration // for one Get, redirections and body included
	HeaderTimeout time.Duration // for the head of an answer, once the request is sent
	HostDelay     time.Duration // between the beginnings of two requests to one host

	HTTP    bool // addresses without TLS are allowed
	AnyPort bool // ports other than 80 and 443 are allowed

	// AllowLoopback lets an address that is given to Get lead to this machine.
	// A redirection does so only if it stays at that host and port. It is for
	// servers that the user names and for tests, and never for a client that is
	// given addresses out of mail, feeds or pages.
	AllowLoopback bool

	RootCAs *x509.CertPool // who may vouch for servers; nil: those of the system
	CAFile  string         // the same for git, as a file in PEM; "": those of git

	// Lookup finds the addresses of a host; nil asks the system.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Dial connects to an address that was found to be allowed; nil uses the
	// network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Environ is what a proxy is named in, as [os.Environ] has it, and what git
	// gets a few variables of. Nil: no proxy.
	Environ []string

	Now func() time.Time // for Fetched.At; nil: the system's clock
}

// Client fetches. It is safe for concurrent use.
type Client struct {
	o       Options
	proxy   func(*url.URL) (*url.URL, error)
	direct  *http.Transport
	proxied *http.Transport

	mu   sync.Mutex
	next map[string]time.Time // when a host may be asked again
}

var _ desk.Fetcher = (*Client)(nil)

// New returns a client.
func New(o *Options) *Client {
	c := &Client{next: map[string]time.Time{}}
	if o != nil {
		c.o = *o
	}
	c.o.UserAgent = cmp.Or(c.o.UserAgent, DefaultUserAgent)
	c.o.Hello = cmp.Or(c.o.Hello, "localhost")
	c.o.MaxBytes = cmp.Or(c.o.MaxBytes, DefaultMaxBytes)
	c.o.Timeout = cmp.Or(c.o.Timeout, DefaultTimeout)
	c.o.HeaderTimeout = cmp.Or(c.o.HeaderTimeout, DefaultHeaderTimeout)
	if c.o.Lookup == nil {
		c.o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.o.Dial == nil {
		c.o.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	c.proxy = proxyOf(c.o.Environ)
	c.direct = c.transport()
	c.direct.DialContext = c.dial
	// The user named the proxy; it is mostly at a private address.
	c.proxied = c.transport()
	c.proxied.DialContext = c.o.Dial
	c.proxied.Proxy = func(r *http.Request) (*url.URL, error) { return c.proxy(r.URL) }
	return c
}

// transport leaves HTTP/2 out: nothing here needs it, and it is a lot of code to
// show to strangers. Decompression is done in [Client.Get], where both sides of
// it are counted.
func (c *Client) transport() *http.Transport {
	return &http.Transport{
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.o.RootCAs},
		TLSHandshakeTimeout:    handshakeLimit,
		ResponseHeaderTimeout:  c.o.HeaderTimeout,
		MaxResponseHeaderBytes: maxHeader,
		DisableKeepAlives:      true, // what a connection may lead to is decided for each Get
		DisableCompression:     true,
	}
}

// proxyOf reads the environment as Go and curl do.
func proxyOf(environ []string) func(*url.URL) (*url.URL, error) {
	either := func(name string) string {
		return cmp.Or(getenv(environ, name), getenv(environ, strings.ToLower(name)))
	}
	f := &httpproxy.Config{HTTPProxy: either("HTTP_PROXY"), HTTPSProxy: either("HTTPS_PROXY"), NoProxy: either("NO_PROXY")}
	return f.ProxyFunc()
}

func getenv(environ []string, name string) string {
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok && (k == name || runtime.GOOS == "windows" && strings.EqualFold(k, name)) && v != "" {
			return v
		}
	}
	return ""
}

// Get implements [desk.Fetcher].
func (c *Client) Get(ctx context.Context, address string, o *desk.FetchOptions) (*desk.Fetched, error) {
	if o == nil {
		o = &desk.FetchOptions{}
	}
	u, err := c.parse(address)
	if err != nil {
		return nil, failure(address, err)
	}
	start := c.o.Now()
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, cmp.Or(o.Timeout, c.o.Timeout))
	defer cancel()
	out, err := c.get(limited, u, o)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failure(address, err)
	}
	out.Took = time.Since(began)
	out.At = start.Add(out.Took)
	return out, nil
}

func (c *Client) get(ctx context.Context, u *url.URL, o *desk.FetchOptions) (*desk.Fetched, error) {
	ctx = context.WithValue(ctx, givenKey{}, hostPort(u))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	set := func(name, value string) {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	set("User-Agent", c.o.UserAgent)
	set("Accept", o.Accept)
	set("Accept-Encoding", "gzip")
	set("If-None-Match", o.ETag)
	set("If-Modified-Since", o.LastModified)
	client := http.Client{Transport: c, CheckRedirect: c.checkRedirect}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	out := &desk.Fetched{
		URL: resp.Request.URL.String(), Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), c.o.Now()),
		ETag: short(resp.Header.Get("ETag")), LastModified: short(resp.Header.Get("Last-Modified")), ContentType: short(resp.Header.Get("Content-Type")),
	}
	if !out.OK() {
		return out, nil
	}
	if out.Body, err = readBody(resp, cmp.Or(o.MaxBytes, c.o.MaxBytes), o.Progress); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(out.Body)
	out.SHA256 = hex.EncodeToString(sum[:])
	return out, nil
}

// short keeps what is passed on in bounds; a field that is cut would mean
// something else.
func short(s string) string {
	if len(s) > maxValue {
		return ""
	}
	return s
}

// retryAfter reads a number of seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	var d time.Duration
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		d = time.Duration(min(n, int(maxRetryAfter/time.Second))) * time.Second
	} else if t, err := http.ParseTime(s); err == nil {
		d = t.Sub(now)
	}
	return max(0, min(d, maxRetryAfter))
}
