package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Why something is not fetched. The errors of [Client.Get] wrap them.
var (
	ErrURL      = errors.New("fetch: no address that can be fetched")
	ErrScheme   = errors.New("fetch: not https")
	ErrPort     = errors.New("fetch: a port other than that of the scheme")
	ErrAddress  = errors.New("fetch: not an address of the public Internet")
	ErrRedirect = errors.New("fetch: too many redirections, or one from https to http")
	ErrTooLarge = errors.New("fetch: larger than what was asked for")
	ErrEncoding = errors.New("fetch: a content coding that was not asked for, or a damaged one")
	ErrNoHost   = errors.New("fetch: no such host")
)

// parse checks an address as far as that goes without looking its host up.
func (c *Client) parse(address string) (*url.URL, error) {
	if len(address) > maxURL || strings.ContainsFunc(address, unicode.IsControl) {
		return nil, ErrURL
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, ErrURL
	}
	if err := c.check(u); err != nil {
		return nil, err
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func (c *Client) check(u *url.URL) error {
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !c.o.HTTP):
		return ErrScheme
	case u.Hostname() == "" || u.Opaque != "" || u.User != nil:
		return ErrURL
	case !c.o.AnyPort && u.Port() != "" && u.Port() != "80" && u.Port() != "443":
		return ErrPort
	}
	return nil
}

// givenKey is the key under which a context has the host and port that Get was
// called with.
type givenKey struct{}

// allowed reports whether addr, which host and port led to, may be connected to.
func (c *Client) allowed(ctx context.Context, hostPort string, a netip.Addr) bool {
	if Public(a) {
		return true
	}
	given, _ := ctx.Value(givenKey{}).(string)
	return c.o.AllowLoopback && a.Unmap().IsLoopback() && hostPort == given
}

// hostPort names the server of an address.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// dial connects to a host. Its addresses are looked up once and all of them are
// checked; one that leads inside is enough to refuse the host.
func (c *Client) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, ErrURL
	}
	addrs, err := c.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	server := net.JoinHostPort(strings.ToLower(host), port)
	if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !c.allowed(ctx, server, a) }) {
		return nil, ErrAddress
	}
	for _, a := range addrs[:min(len(addrs), maxAddresses)] {
		var conn net.Conn
		if conn, err = c.o.Dial(ctx, network, net.JoinHostPort(a.String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

func (c *Client) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := c.o.Lookup(ctx, host)
	if err != nil {
		if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
			return nil, ErrNoHost
		}
		return nil, fmt.Errorf("looking up %s: %w", host, err)
	}
	if len(addrs) == 0 {
		return nil, ErrNoHost
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	return addrs, nil
}

func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects || via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return ErrRedirect
	}
	if len(r.URL.String()) > maxURL {
		return ErrURL
	}
	r.Header.Del("Referer") // who asks is nobody's business
	return c.check(r.URL)
}

// RoundTrip implements [http.RoundTripper] for the redirections of one Get: each
// goes through the proxy or not, and waits for its host.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	proxy, err := c.proxy(r.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the proxy of the environment: %w", err)
	}
	if err := c.pace(r.Context(), hostPort(r.URL)); err != nil {
		return nil, err
	}
	if proxy == nil {
		return c.direct.RoundTrip(r)
	}
	if a, err := netip.ParseAddr(r.URL.Hostname()); err == nil && !c.allowed(r.Context(), hostPort(r.URL), a) {
		return nil, ErrAddress
	}
	return c.proxied.RoundTrip(r)
}

// pace waits until a host may be asked again.
func (c *Client) pace(ctx context.Context, host string) error {
	if c.o.HostDelay <= 0 {
		return nil
	}
	c.mu.Lock()
	now := time.Now()
	if len(c.next) >= maxHostsPaced {
		for h, t := range c.next {
			if t.Before(now) {
				delete(c.next, h)
			}
		}
	}
	at := c.next[host]
	if at.Before(now) {
		at = now
	}
	c.next[host] = at.Add(c.o.HostDelay)
	c.mu.Unlock()
	if !at.After(now) {
		return nil
	}
	wait := time.NewTimer(at.Sub(now))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
