// Package graph reads a mailbox of Microsoft 365 over Microsoft Graph, and gets
// the tokens for it and for IMAP. It only reads.
//
// Tokens and secrets go over HTTPS to the hosts of Microsoft's clouds and to no
// other: links in answers are followed only within the host that was asked, and
// redirections not at all. Bytes, pages, tries and time are bounded.
package graph

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Options changes how Microsoft's services are asked. A zero field is the
// default.
type Options struct {
	UserAgent  string
	Timeout    time.Duration // of one request with its answer; 2 minutes
	MaxMessage int64         // bytes of a mail; that of package budget

	// Loopback allows services on this machine, for tests.
	Loopback bool
	RootCAs  *x509.CertPool // who may vouch for servers; nil: those of the system

	// Environ is what a proxy is named in, as [os.Environ] has it.
	Environ []string

	Now   func() time.Time                                 // nil: the system's clock
	Sleep func(ctx context.Context, d time.Duration) error // nil: sleeps

	http *http.Client
}

const (
	defaultTimeout = 2 * time.Minute
	headerTimeout  = time.Minute
	maxPage        = 8 << 20   // bytes of one page of a list
	maxErrorBody   = 64 << 10  // bytes of an answer that is no success
	maxTries       = 4         // of one request
	maxLater       = time.Hour // that a server may ask to wait
	maxLink        = 16 << 10  // bytes of a link
)

func (o *Options) withDefaults() *Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	d.UserAgent = cmp.Or(d.UserAgent, "sekisho (+https://github.com/sekisho/sekisho)")
	d.Timeout = cmp.Or(d.Timeout, defaultTimeout)
	d.MaxMessage = cmp.Or(d.MaxMessage, budget.DefaultBytes)
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Sleep == nil {
		d.Sleep = Sleep
	}
	if d.http == nil {
		d.http = d.newClient()
	}
	return &d
}

// Sleep waits for d or the end of the context.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (o *Options) newClient() *http.Client {
	proxy := httpproxy.Config{HTTPSProxy: o.getenv("HTTPS_PROXY"), HTTPProxy: o.getenv("HTTP_PROXY"), NoProxy: o.getenv("NO_PROXY")}
	find := proxy.ProxyFunc()
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                  func(r *http.Request) (*url.URL, error) { return find(r.URL) },
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
			TLSHandshakeTimeout:    15 * time.Second,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: 64 << 10,
			IdleConnTimeout:        time.Minute,
			MaxIdleConnsPerHost:    1,
			DisableCompression:     true, // a bomb would not be counted
		},
		// A redirection would carry the token or the secret along.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       o.Timeout,
	}
}

func (o *Options) client() *http.Client { return o.http }

func (o *Options) getenv(name string) string {
	for _, e := range o.Environ {
		k, v, ok := strings.Cut(e, "=")
		if ok && v != "" && (k == name || k == strings.ToLower(name) || runtime.GOOS == "windows" && strings.EqualFold(k, name)) {
			return v
		}
	}
	return ""
}

// Client asks Microsoft Graph about one mailbox.
type Client struct {
	o       *Options
	tokens  *Tokens
	root    *url.URL
	mailbox string
}

// New returns a client for the mailbox of that address.
func New(cloud Cloud, mailbox string, tokens *Tokens, o *Options) (*Client, error) {
	o = o.withDefaults()
	if cloud.Graph == "" {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("graph.error.cloud", "cloud", cloud.Name), Hint: lang.M("graph.hint.imap")}
	}
	u, err := root(cloud.Graph, o.Loopback)
	if err != nil {
		return nil, err
	}
	return &Client{o: o, tokens: tokens, root: u, mailbox: mailbox}, nil
}

// address builds an address below the mailbox. Elements are escaped.
func (c *Client) address(query url.Values, elements ...string) string {
	var s strings.Builder
	s.WriteString(c.root.Scheme + "://" + c.root.Host + "/v1.0/users/" + url.PathEscape(c.mailbox))
	for _, e := range elements {
		s.WriteString("/" + url.PathEscape(e))
	}
	if len(query) > 0 {
		s.WriteString("?" + query.Encode())
	}
	return s.String()
}

// follow checks a link of an answer: it leads back to where it came from.
func (c *Client) follow(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil || len(link) > maxLink || u.Scheme != c.root.Scheme || u.Host != c.root.Host || u.User != nil {
		return "", c.badAnswer(fmt.Errorf("graph: a link leads elsewhere: %q", clip(link)))
	}
	return link, nil
}

func (c *Client) badAnswer(err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.answer", "host", c.root.Host), Hint: lang.M("graph.hint.network"), Err: err}
}

// json asks for a document.
func (c *Client) json(ctx context.Context, address string, into any) error {
	body, kind, err := c.get(ctx, address, maxPage)
	if err != nil {
		return err
	}
	if kind != "application/json" {
		return c.badAnswer(fmt.Errorf("graph: content type %q in place of JSON", clip(kind)))
	}
	if err := json.Unmarshal(body, into); err != nil {
		return c.badAnswer(err)
	}
	return nil
}

// errTooLarge is for an answer over its limit.
var errTooLarge = errors.New("graph: too many bytes")

// get asks until there is an answer: a refused token is renewed once; where the
// server is busy or fails, or the connection ends in the middle, it is asked
// again after the pause that it asks for.
func (c *Client) get(ctx context.Context, address string, limit int64) (body []byte, contentType string, err error) {
	renewed := false
	for try := 1; ; try++ {
		token, err := c.tokens.Token(ctx)
		if err != nil {
			return nil, "", err
		}
		a, err := c.ask(ctx, address, token, limit)
		pause := time.Duration(1<<try) * time.Second
		switch {
		case ctx.Err() != nil:
			return nil, "", ctx.Err()
		case errors.Is(err, errTooLarge):
			return nil, "", err
		case err != nil:
			err = unreachable(c.root.Host, err)
		case a.status == http.StatusOK:
			return a.body, a.contentType, nil
		case a.status == http.StatusUnauthorized && !renewed:
			renewed = true
			c.tokens.Renew(token)
			try--
			continue
		case a.status == http.StatusTooManyRequests || a.status >= 500:
			err = c.refused(a.status, a.code)
			if a.later > 0 {
				pause = min(a.later, maxLater)
			}
		default:
			return nil, "", c.refused(a.status, a.code)
		}
		if try >= maxTries {
			return nil, "", err
		}
		if err := c.o.Sleep(ctx, pause); err != nil {
			return nil, "", err
		}
	}
}

type answer struct {
	status      int
	body        []byte
	contentType string
	code        string        // of an error
	later       time.Duration // after which to ask again
}

func (c *Client) ask(ctx context.Context, address, token string, limit int64) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", c.o.UserAgent)
	// IDs that stay when a mail is moved to another folder
	// (https://learn.microsoft.com/graph/outlook-immutable-id).
	req.Header.Add("Prefer", `IdType="ImmutableId"`)
	req.Header.Add("Prefer", "odata.maxpagesize=100")
	resp, err := c.o.client().Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was only read
	a := &answer{status: resp.StatusCode, later: retryAfter(resp.Header.Get("Retry-After"), c.o.Now())}
	a.contentType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if a.status != http.StatusOK {
		limit = maxErrorBody
	}
	if resp.ContentLength > limit && a.status == http.StatusOK {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(resp.Body, limit+1))
	switch {
	case a.status != http.StatusOK:
		var e graphError
		if json.Unmarshal(b.Bytes(), &e) == nil {
			a.code = e.Error.Code
		}
		return a, nil
	case err != nil:
		return nil, err
	case n > limit:
		return nil, errTooLarge
	}
	a.body = b.Bytes()
	return a, nil
}

// retryAfter reads a number of seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return time.Duration(min(n, int(maxLater/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
