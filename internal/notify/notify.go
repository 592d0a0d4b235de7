// Package notify hands approved advisories to webhooks: Slack, Microsoft Teams by
// the Workflows app, and anything that takes signed JSON. It implements
// [desk.Notifier].
//
// A webhook is an address that the user wrote into the configuration, but a name
// may lead elsewhere tomorrow. So what counts is the address that is connected
// to: unless the webhook may be inside the network, it is one of the public
// Internet, reached by TLS. Redirections are not followed, and of an answer only
// the status counts.
//
// Nothing of what was approved is left out to make it fit: what is too long for
// a receiver is refused.
package notify

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const (
	timeout       = 20 * time.Second
	dialTimeout   = 10 * time.Second
	maxAnswer     = 4 << 10
	maxRetryAfter = time.Hour
)

// The header fields of a generic webhook.
const (
	HeaderKey       = "Idempotency-Key"
	HeaderSignature = "X-Sekisho-Signature"
	HeaderSchema    = "X-Sekisho-Schema"
)

// Why a notification is not handed over.
var (
	ErrAddress = errors.New("notify: not an address of the public Internet")
	ErrScheme  = errors.New("notify: not https")
)

// Options changes a [Client]. A zero field is the default.
type Options struct {
	UserAgent string
	// Allowed reports whether an address belongs to the public Internet; nil
	// refuses all that is not so by the standard library, which knows less.
	Allowed func(netip.Addr) bool
	Lookup  func(ctx context.Context, host string) ([]netip.Addr, error)
	Dial    func(ctx context.Context, network, address string) (net.Conn, error)
	RootCAs *x509.CertPool
	Environ []string // what a proxy is named in; nil: no proxy
}

// Client hands over. It is safe for concurrent use.
type Client struct {
	o     Options
	proxy func(*url.URL) (*url.URL, error)
}

var _ desk.Notifier = (*Client)(nil)

// New returns a client.
func New(o *Options) *Client {
	c := &Client{}
	if o != nil {
		c.o = *o
	}
	c.o.UserAgent = cmp.Or(c.o.UserAgent, "sekisho")
	if c.o.Allowed == nil {
		c.o.Allowed = func(a netip.Addr) bool { return a.IsGlobalUnicast() && !a.IsPrivate() }
	}
	if c.o.Lookup == nil {
		c.o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if c.o.Dial == nil {
		c.o.Dial = (&net.Dialer{Timeout: dialTimeout}).DialContext
	}
	env := func(name string) string {
		for _, e := range slices.Backward(c.o.Environ) {
			if k, v, ok := strings.Cut(e, "="); ok && strings.EqualFold(k, name) && v != "" {
				return v
			}
		}
		return ""
	}
	c.proxy = (&httpproxy.Config{HTTPProxy: env("HTTP_PROXY"), HTTPSProxy: env("HTTPS_PROXY"), NoProxy: env("NO_PROXY")}).ProxyFunc()
	return c
}

// Notify implements [desk.Notifier].
func (c *Client) Notify(ctx context.Context, w *desk.Webhook, n *desk.Notification) (*desk.Notified, error) {
	body, err := payload(w, n)
	if err != nil {
		return nil, failure(w, err)
	}
	got, err := c.post(ctx, w, n, body)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, failure(w, err)
	}
	return got, nil
}

func (c *Client) post(ctx context.Context, w *desk.Webhook, n *desk.Notification, body []byte) (*desk.Notified, error) {
	u, err := url.Parse(w.URL)
	if err != nil || u.Hostname() == "" {
		return nil, ErrScheme
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !w.Private) {
		return nil, ErrScheme
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, ErrScheme
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", c.o.UserAgent)
	req.Header.Set(HeaderKey, n.Key)
	if w.Kind == desk.GenericWebhook {
		req.Header.Set(HeaderSchema, desk.NotificationSchema)
		req.Header.Set(HeaderSignature, Sign(w.Secret, n.At, body))
	}
	transport, err := c.transport(u, w.Private)
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // of it nothing is used
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return &desk.Notified{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"))}, nil
}

// transport connects for one request. A proxy, which the user named, looks the
// name up itself.
func (c *Client) transport(u *url.URL, private bool) (*http.Transport, error) {
	t := &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.o.RootCAs}, TLSHandshakeTimeout: dialTimeout,
		DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
	}
	proxy, err := c.proxy(u)
	if err != nil {
		return nil, fmt.Errorf("reading the proxy of the environment: %w", err)
	}
	if proxy != nil {
		if a, err := netip.ParseAddr(u.Hostname()); err == nil && !private && !c.o.Allowed(a) {
			return nil, ErrAddress
		}
		t.Proxy, t.DialContext = http.ProxyURL(proxy), c.o.Dial
		return t, nil
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		addrs := []netip.Addr{}
		if a, err := netip.ParseAddr(host); err == nil {
			addrs = append(addrs, a)
		} else if addrs, err = c.o.Lookup(ctx, host); err != nil {
			return nil, fmt.Errorf("looking up %s: %w", host, err)
		}
		if len(addrs) == 0 || !private && slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !c.o.Allowed(a.Unmap()) }) {
			return nil, ErrAddress
		}
		var conn net.Conn
		for _, a := range addrs[:min(len(addrs), 4)] {
			if conn, err = c.o.Dial(ctx, network, net.JoinHostPort(a.Unmap().String(), port)); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
	return t, nil
}

// Sign returns the value of the signature field: the time in seconds since 1970,
// and HMAC-SHA-256 over that time, a dot and the body, in hex digits.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(t + "."))
	m.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(m.Sum(nil))
}

func retryAfter(s string) time.Duration {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(min(n, 86400))*time.Second, maxRetryAfter)
}

// failure says to a person why there is no answer. The address stays out of it:
// it is what lets anybody write into the channel.
func failure(w *desk.Webhook, err error) *desk.Error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	e := &desk.Error{Kind: desk.Unavailable, Message: lang.M("notify.error.failed", "name", w.Name), Hint: lang.M("notify.hint.failed"), Err: err}
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, ErrScheme):
		e.Kind, e.Message, e.Hint = desk.Invalid, lang.M("notify.error.scheme", "name", w.Name), lang.M("notify.hint.scheme")
	case errors.Is(err, ErrAddress):
		e.Kind, e.Message, e.Hint = desk.Denied, lang.M("notify.error.address", "name", w.Name), lang.M("notify.hint.address")
	case errors.Is(err, ErrTooLong):
		e.Kind, e.Message, e.Hint = desk.Limit, lang.M("notify.error.long", "name", w.Name), lang.M("notify.hint.long")
	case authority || verify:
		e.Kind, e.Message, e.Hint = desk.Denied, lang.M("notify.error.certificate", "name", w.Name), lang.Message{}
	}
	return e
}

// encode writes JSON in which no character has a second meaning in HTML.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the notification: %w", err)
	}
	return b, nil
}
