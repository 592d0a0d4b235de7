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

// errNoAnswer means that a server sent something that is no answer to the
// question.
var errNoAnswer = errors.New("dnsclient: no answer to the question")

const (
	// udpSize is the size that passes every network without fragments, as DNS
	// Flag Day 2020 recommends. Longer answers come over TCP.
	udpSize = 1232
	// maxStray is how many packets that do not belong to the question are
	// passed over.
	maxStray = 100
)

// exchange puts one question to one server: over UDP, without EDNS where the
// server does not know that (RFC 6891 section 7), and over TCP where the answer
// does not fit (RFC 7766 section 5).
func (c *Client) exchange(ctx context.Context, s server, name string, t resolve.Type) (*dns.Msg, error) {
	q := query(name, t)
	m, err := c.udp(ctx, s, q)
	if err == nil && q.IsEdns0() != nil && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeBadVers || m.Rcode == dns.RcodeNotImplemented) {
		q.Extra, q.Id = nil, dns.Id()
		m, err = c.udp(ctx, s, q)
	}
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", s.address, err)
	}
	if m.Truncated {
		q.Id = dns.Id()
		if m, err = c.tcp(ctx, s, q); err != nil {
			return nil, fmt.Errorf("asking %s over TCP: %w", s.address, err)
		}
		if m.Truncated {
			return nil, fmt.Errorf("asking %s over TCP: %w", s.address, errNoAnswer)
		}
	}
	return m, nil
}

// query returns the question for a normalized name.
func query(name string, t resolve.Type) *dns.Msg {
	fqdn := name
	if name != resolve.Root {
		fqdn += "."
	}
	q := new(dns.Msg)
	q.Id = dns.Id()
	q.RecursionDesired = true
	q.AuthenticatedData = true
	q.Question = []dns.Question{{Name: fqdn, Qtype: uint16(t), Qclass: dns.ClassINET}}
	q.SetEdns0(udpSize, true)
	return q
}

func (c *Client) udp(ctx context.Context, s server, q *dns.Msg) (*dns.Msg, error) {
	conn, done, err := c.dial(ctx, "udp", s)
	if err != nil {
		return nil, err
	}
	defer done()
	conn.UDPSize = dns.DefaultMsgSize // some servers send more than was asked for
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	for range maxStray {
		m, err := conn.ReadMsg()
		if _, ok := errors.AsType[net.Error](err); ok {
			return nil, err
		}
		switch {
		case m == nil:
		case err != nil && m.Response && m.Id == q.Id && m.Truncated:
			return m, nil // cut in the middle of a record
		case err == nil && answers(m, q):
			return m, nil
		}
	}
	return nil, errNoAnswer
}

func (c *Client) tcp(ctx context.Context, s server, q *dns.Msg) (*dns.Msg, error) {
	conn, done, err := c.dial(ctx, "tcp", s)
	if err != nil {
		return nil, err
	}
	defer done()
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	m, err := conn.ReadMsg()
	if _, ok := errors.AsType[net.Error](err); ok {
		return nil, err
	}
	if err != nil || !answers(m, q) {
		return nil, errNoAnswer
	}
	return m, nil
}

// dial connects to a server for at most the time that it has to answer. Reading
// and writing end when ctx does.
func (c *Client) dial(ctx context.Context, network string, s server) (*dns.Conn, func(), error) {
	until := time.Now().Add(c.timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	bounded, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	conn, err := c.dialer.DialContext(bounded, network, s.address)
	if err != nil {
		return nil, nil, err
	}
	if err := conn.SetDeadline(until); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	// Neither failure matters: the connection is of no use any more.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	return &dns.Conn{Conn: conn}, func() { stop(); _ = conn.Close() }, nil
}

// answers reports whether m belongs to the question q. A forger who cannot see
// the question has to guess its number and its port; one who sends an answer to
// another question does not get this one answered.
func answers(m, q *dns.Msg) bool {
	if !m.Response || m.Id != q.Id || m.Opcode != dns.OpcodeQuery {
		return false
	}
	if len(m.Question) == 0 {
		// Servers that could not read the question do not repeat it.
		return m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented || m.Rcode == dns.RcodeServerFailure || m.Rcode == dns.RcodeRefused
	}
	want, got := q.Question[0], m.Question[0]
	if len(m.Question) != 1 || got.Qtype != want.Qtype || got.Qclass != want.Qclass {
		return false
	}
	a, ok := resolve.Normalize(got.Name)
	b, _ := resolve.Normalize(want.Name)
	return ok && a == b
}

// isReferral reports whether a server sends us to other servers, as those do
// that answer for their own zones only.
func isReferral(m *dns.Msg) bool {
	if len(m.Answer) > 0 || m.Authoritative || m.RecursionAvailable {
		return false
	}
	ns := false
	for _, r := range m.Ns {
		switch r.(type) {
		case *dns.SOA:
			return false
		case *dns.NS:
			ns = true
		}
	}
	return ns
}
