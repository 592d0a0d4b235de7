// Package apiclient asks a sekisho elsewhere over its API.
//
// The token leaves over TLS only, unless the server is this very machine, and to
// no other host: redirects are not followed. What comes back is bounded.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/cli"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const (
	base       = "/api/v1"
	maxAnswer  = 32 << 20 // bytes
	answerTime = 3 * time.Minute
)

// Client asks one server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	agent string
	http  *http.Client
}

var _ cli.Server = (*Client)(nil)

// New returns a client of the server at address, such as
// "https://desk.example/". An [*desk.Error] of kind Invalid for an address without
// TLS that is not this machine's own, and for one that is none.
func New(address, token, agent string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.address", "address", address), Hint: lang.M("server.hint.address"), Err: err}
	}
	if a, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (err != nil || !a.IsLoopback()) {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.plain", "address", address), Hint: lang.M("server.hint.address")}
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), base) + base
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if u.Scheme == "http" {
		transport.Proxy = nil // this machine is asked, and nobody in between reads the token
	}
	return &Client{base: u, token: token, agent: agent, http: &http.Client{
		Transport: transport, Timeout: answerTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// failure is what the server says where it does not do what was asked for.
type failure struct {
	Error struct {
		Kind    desk.ErrorKind `json:"kind"`
		Message lang.Text      `json:"message"`
		Hint    lang.Text      `json:"hint"`
	} `json:"error"`
}

// Ask implements [cli.Server].
func (c *Client) Ask(ctx context.Context, q *cli.Question, to any) error {
	u := c.base.String() + q.Path // escaped by who asks
	if len(q.Query) > 0 {
		u += "?" + q.Query.Encode()
	}
	method := q.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, u, bytes.NewReader(q.Body))
	if err != nil {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("server.error.address", "address", c.base.Host), Hint: lang.M("server.hint.address"), Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if q.Type != "" {
		req.Header.Set("Content-Type", q.Type)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return c.silent(err)
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.silent(err)
	case len(b) > maxAnswer:
		return c.strange(errors.New("apiclient: the answer is too large"))
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		var f failure
		if err := json.Unmarshal(b, &f); err != nil || f.Error.Message.EN == "" {
			return c.strange(errors.New("apiclient: " + resp.Status))
		}
		e := &desk.Error{Kind: f.Error.Kind, Message: lang.M("server.error.said", "server", c.base.Host, "text", f.Error.Message)}
		if f.Error.Hint.EN != "" {
			e.Hint = lang.M("server.hint.said", "text", f.Error.Hint)
		}
		return e
	}
	if err := json.Unmarshal(b, to); err != nil {
		return c.strange(err)
	}
	return nil
}

func (c *Client) silent(err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("server.error.silent", "server", c.base.Host), Hint: lang.M("server.hint.silent"), Err: err}
}

// strange is for an answer that no sekisho gives, or one of another version.
func (c *Client) strange(err error) error {
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("server.error.strange", "server", c.base.Host), Hint: lang.M("server.hint.strange"), Err: err}
}
