// Package dnsclient asks DNS servers over the network. It implements
// [resolve.Resolver].
//
// The resolver of the standard library hides what judging mail needs: whether a
// name does not exist or only lacks a record of the type, whether a server
// failed or nobody answered, how long an answer may be kept, and whether it was
// authenticated with DNSSEC. So this package speaks the protocol itself, to the
// recursive servers of the system or to those that the user names.
//
// It does not cache; see [resolve.Cache]. It does not validate DNSSEC, and
// passes on what a server says about that only where the user chose the server
// or it runs on the same machine: anybody on the way could say it.
package dnsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/sekisho/sekisho/resolve"
)

// Defaults of [Options].
const (
	DefaultTimeout     = 3 * time.Second
	DefaultTotal       = 10 * time.Second
	DefaultTries       = 2
	DefaultConcurrency = 32
)

// maxServers is how many servers are used of those that are given.
const maxServers = 8

// Options changes how servers are asked. A zero field is the default.
type Options struct {
	// Servers are addresses as [ParseServer] returns them, asked in this order.
	// By default they are those of the system; see [System].
	Servers []string

	Timeout     time.Duration // for one server to answer; DefaultTimeout
	Total       time.Duration // for one Lookup, whatever it takes; DefaultTotal, or twice Timeout if that is more
	Tries       int           // times that a silent server is asked; DefaultTries
	Concurrency int           // lookups at the same time, others wait; DefaultConcurrency

	Now func() time.Time // for Answer.At; time.Now
}

// Client asks DNS servers. It is safe for concurrent use.
type Client struct {
	servers []server
	timeout time.Duration
	total   time.Duration
	tries   int
	slots   chan struct{}
	now     func() time.Time
	dialer  net.Dialer
}

type server struct {
	address string // host and port
	trusted bool   // what it says about DNSSEC is believed
}

// New returns a client. The error is [ErrServer] for an address that is none,
// or wraps [ErrNoServer] if the system names no server.
func New(opts *Options) (*Client, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	c := &Client{timeout: o.Timeout, total: o.Total, tries: o.Tries, now: o.Now}
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if c.total <= 0 {
		c.total = max(DefaultTotal, 2*c.timeout)
	}
	if c.tries <= 0 {
		c.tries = DefaultTries
	}
	if c.now == nil {
		c.now = time.Now
	}
	if o.Concurrency <= 0 {
		o.Concurrency = DefaultConcurrency
	}
	c.slots = make(chan struct{}, o.Concurrency)
	chosen := len(o.Servers) > 0
	if !chosen {
		var err error
		if o.Servers, err = System(); err != nil {
			return nil, fmt.Errorf("finding the system's DNS servers: %w", err)
		}
	}
	for _, s := range o.Servers[:min(len(o.Servers), maxServers)] {
		address, err := ParseServer(s)
		if err != nil {
			return nil, err
		}
		c.servers = append(c.servers, server{address: address, trusted: chosen || isLocal(address)})
	}
	return c, nil
}

// Servers returns the addresses that the client asks, in order.
func (c *Client) Servers() []string {
	var out []string
	for _, s := range c.servers {
		out = append(out, s.address)
	}
	return out
}

// Lookup implements [resolve.Resolver].
func (c *Client) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	if err := ctx.Err(); err != nil {
		return resolve.Answer{}, err
	}
	a := resolve.Answer{Name: name, Type: t}
	n, ok := resolve.Normalize(name)
	if !ok {
		a.RCode = resolve.FormErr
		return a, nil
	}
	a.Name = n
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return resolve.Answer{}, ctx.Err()
	}
	bounded, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	c.follow(bounded, &a)
	// A server that was asked in vain until the caller gave up is not slow.
	if err := ended(ctx); err != nil && a.Temporary() {
		return resolve.Answer{}, err
	}
	a.At = c.now()
	return a, nil
}

// ended returns why ctx ended. A connection can reach the deadline of ctx a
// moment before ctx itself does.
func ended(ctx context.Context) error {
	if at, ok := ctx.Deadline(); ok && ctx.Err() == nil && !time.Now().Before(at) {
		return context.DeadlineExceeded
	}
	return ctx.Err()
}

// follow answers the question in a, over as many names as CNAME records lead
// through. Servers follow them too; where one leaves off, the next name is asked
// for.
func (c *Client) follow(ctx context.Context, a *resolve.Answer) {
	f := follower{t: a.Type, seen: map[string]bool{a.Name: true}, authentic: true}
	for name := a.Name; ; {
		m, from, code := c.ask(ctx, name, a.Type)
		a.Source = from.address
		if m == nil {
			a.RCode, a.Chain = code, f.chain
			return
		}
		f.trust(m, from)
		next, done := f.read(m, name)
		if done {
			break
		}
		name = next
	}
	a.RCode, a.Records, a.Chain = f.code, f.records, f.chain
	if !a.Temporary() {
		a.TTL, a.AD = f.ttl, f.authentic
	}
}

// ask puts one question to the servers in turn until one answers. Without an
// answer the code says why: what a server said comes before that none did.
func (c *Client) ask(ctx context.Context, name string, t resolve.Type) (*dns.Msg, server, resolve.RCode) {
	code, from := resolve.Unreachable, c.servers[0]
	answered := make([]bool, len(c.servers))
	for range c.tries {
		for i, s := range c.servers {
			if answered[i] {
				continue
			}
			if ctx.Err() != nil {
				if code == resolve.Unreachable {
					code = resolve.Timeout
				}
				return nil, from, code
			}
			m, err := c.exchange(ctx, s, name, t)
			got := failure(m, err)
			if got == resolve.NoError {
				return m, s, got
			}
			answered[i] = err == nil
			if rank(got) > rank(code) {
				code, from = got, s
			}
		}
	}
	return nil, from, code
}

// failure returns NoError for a message that answers the question, else why
// there is none.
func failure(m *dns.Msg, err error) resolve.RCode {
	if err != nil {
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
			return resolve.Timeout
		}
		if errors.Is(err, errNoAnswer) {
			return resolve.ServFail
		}
		return resolve.Unreachable
	}
	switch m.Rcode {
	case dns.RcodeSuccess:
		if isReferral(m) {
			return resolve.ServFail
		}
		return resolve.NoError
	case dns.RcodeNameError:
		return resolve.NoError
	case dns.RcodeRefused:
		return resolve.Refused
	case dns.RcodeNotImplemented:
		return resolve.NotImp
	case dns.RcodeFormatError, dns.RcodeServerFailure:
		// FormErr is for names that cannot be asked for, and this one can.
		return resolve.ServFail
	}
	if m.Rcode > 0 && m.Rcode < 4096 {
		return resolve.RCode(m.Rcode)
	}
	return resolve.ServFail
}

// rank orders failures by how much they say.
func rank(c resolve.RCode) int {
	switch c {
	case resolve.Unreachable:
		return 0
	case resolve.Timeout:
		return 1
	case resolve.Refused, resolve.NotImp:
		return 2
	default:
		return 3
	}
}
