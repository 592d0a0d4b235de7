package dnsclient_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/sekisho/sekisho/internal/dnsclient"
	"github.com/sekisho/sekisho/resolve"
)

// handler answers a question; nil is silence. Further messages of the slice are
// sent after the first.
type handler func(q *dns.Msg, tcp bool) []*dns.Msg

// serve starts a server on a loopback address, for UDP and TCP.
func serve(t *testing.T, h handler) string {
	t.Helper()
	var packet net.PacketConn
	var listener net.Listener
	var err error
	for range 20 { // the port of the one may be taken for the other
		if packet, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if listener, err = net.Listen("tcp", packet.LocalAddr().String()); err == nil {
			break
		}
		packet.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: packet}, {Listener: listener}} {
		tcp := s.Listener != nil
		s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			for _, m := range h(q, tcp) {
				if err := w.WriteMsg(m); err != nil {
					t.Logf("answering: %v", err)
				}
			}
		})
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		var wg sync.WaitGroup
		wg.Go(func() { s.ActivateAndServe() })
		<-started
		t.Cleanup(func() { s.Shutdown(); wg.Wait() })
	}
	return packet.LocalAddr().String()
}

// reply returns an answer to q with records in zone file format; those after
// "--" go into the authority section.
func reply(t *testing.T, q *dns.Msg, rcode int, records ...string) []*dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	m.SetRcode(q, rcode)
	m.RecursionAvailable = true
	to := &m.Answer
	for _, s := range records {
		if s == "--" {
			to = &m.Ns
			continue
		}
		rr, err := dns.NewRR(s)
		if err != nil {
			t.Error(err)
			return nil
		}
		*to = append(*to, rr)
	}
	return []*dns.Msg{m}
}

const soa = "example. 300 IN SOA ns.example. h.example. 1 7200 600 86400 60"

func client(t *testing.T, opts dnsclient.Options) *dnsclient.Client {
	t.Helper()
	if opts.Timeout == 0 {
		opts.Timeout = 2 * time.Second
	}
	c, err := dnsclient.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func lookup(t *testing.T, c resolve.Resolver, name string, typ resolve.Type) resolve.Answer {
	t.Helper()
	a, err := c.Lookup(context.Background(), name, typ)
	if err != nil {
		t.Fatalf("%s %s: %v", name, typ, err)
	}
	return a
}

// summary writes an answer on one line.
func summary(a resolve.Answer) string {
	s := fmt.Sprintf("%s %s", a.RCode, a.TTL)
	if a.AD {
		s += " AD"
	}
	if len(a.Chain) > 0 {
		s += " via " + strings.Join(a.Chain, " ")
	}
	parts := []string{s}
	for _, r := range a.Records {
		parts = append(parts, r.Data())
	}
	return strings.Join(parts, "; ")
}

func TestLookup(t *testing.T) {
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		ok := func(records ...string) []*dns.Msg { return reply(t, q, dns.RcodeSuccess, records...) }
		switch name := strings.ToLower(q.Question[0].Name); name {
		case "a.example.":
			switch q.Question[0].Qtype {
			case dns.TypeA:
				return ok("a.example. 300 IN A 192.0.2.1", "A.Example. 60 IN A 192.0.2.2", "b.example. 1 IN A 192.0.2.3", "a.example. 1 IN AAAA 2001:db8::1")
			case dns.TypeAAAA:
				return ok("a.example. 300 IN AAAA 2001:db8::1")
			case dns.TypeMX:
				return ok("a.example. 300 IN MX 10 MX.example.", "a.example. 300 IN MX 0 .")
			case dns.TypeTXT:
				return ok(`a.example. 300 IN TXT "v=spf1 " "-all"`, `a.example. 300 IN TXT "a\"b\\c\228\186\186" ""`)
			case dns.TypeNS:
				return ok("a.example. 300 IN NS ns.example.")
			case dns.TypeSOA:
				return ok("a.example. 300 IN SOA ns.example. h.example. 1 7200 600 86400 60")
			case dns.TypeDS:
				return ok("a.example. 300 IN DS 1 8 2 0102")
			case dns.TypeTLSA:
				return ok("a.example. 300 IN TLSA 3 1 1 0102")
			}
		case "1.2.0.192.in-addr.arpa.":
			return ok("1.2.0.192.in-addr.arpa. 300 IN PTR a.example.")
		case "nodata.example.":
			return ok("--", soa)
		case "nothing.example.":
			return ok()
		case "gone.example.":
			return reply(t, q, dns.RcodeNameError, "--", soa)
		case "alias.example.":
			if q.Question[0].Qtype == dns.TypeCNAME {
				return ok("alias.example. 30 IN CNAME b.example.")
			}
			return ok("c.example. 300 IN A 192.0.2.9", "alias.example. 30 IN CNAME b.example.", "b.example. 90 IN CNAME c.example.")
		case "dangling.example.":
			return reply(t, q, dns.RcodeNameError, "dangling.example. 30 IN CNAME gone.example.", "--", soa)
		case "aliasnodata.example.":
			return ok("aliasnodata.example. 30 IN CNAME b.example.", "--", soa)
		case "handover.example.":
			return ok("handover.example. 30 IN CNAME a.example.")
		case "loop.example.":
			return ok("loop.example. 30 IN CNAME b.loop.example.", "b.loop.example. 30 IN CNAME loop.example.")
		case "self.example.":
			return ok("self.example. 30 IN CNAME self.example.")
		case "ping.example.":
			return ok("ping.example. 30 IN CNAME pong.example.")
		case "pong.example.":
			return ok("pong.example. 30 IN CNAME ping.example.")
		case "auth.example.":
			m := ok("auth.example. 300 IN A 192.0.2.1")
			m[0].AuthenticatedData = true
			return m
		case "authalias.example.": // the alias is signed, where it leads is not
			m := ok("authalias.example. 300 IN CNAME a.example.")
			m[0].AuthenticatedData = true
			return m
		case `a\.b\@\;c\233.example.`:
			return ok(`a\.b\@\;c\233.example. 300 IN A 192.0.2.7`)
		case ".":
			return ok(". 300 IN NS a.root.example.")
		case "ttl.example.":
			return ok("ttl.example. 4294967295 IN A 192.0.2.1")
		case "servfail.example.":
			return reply(t, q, dns.RcodeServerFailure)
		case "refused.example.":
			return reply(t, q, dns.RcodeRefused)
		case "notimp.example.":
			return reply(t, q, dns.RcodeNotImplemented)
		case "formerr.example.":
			return reply(t, q, dns.RcodeFormatError)
		case "yxdomain.example.":
			return reply(t, q, dns.RcodeYXDomain)
		case "referral.example.":
			m := ok("--", "example. 300 IN NS ns.example.")
			m[0].RecursionAvailable = false
			return m
		default:
			for i := range 40 {
				if name == fmt.Sprintf("n%d.long.example.", i) {
					if i == 16 {
						return ok(name + " 300 IN A 192.0.2.1")
					}
					return ok(fmt.Sprintf("%s 300 IN CNAME n%d.long.example.", name, i+1))
				}
				if name == fmt.Sprintf("n%d.endless.example.", i) {
					return ok(fmt.Sprintf("%s 300 IN CNAME n%d.endless.example.", name, i+1))
				}
			}
		}
		t.Errorf("asked for %s", q.Question[0].Name)
		return nil
	})
	c := client(t, dnsclient.Options{Servers: []string{address}})
	for _, tc := range []struct {
		name, ask string
		typ       resolve.Type
		want      string
	}{
		{"Addresses", "A.EXAMPLE.", resolve.TypeA, "NOERROR 1m0s; 192.0.2.1; 192.0.2.2"},
		{"IPv6", "a.example", resolve.TypeAAAA, "NOERROR 5m0s; 2001:db8::1"},
		{"MX", "a.example", resolve.TypeMX, "NOERROR 5m0s; 10 mx.example.; 0 ."},
		{"TXT", "a.example", resolve.TypeTXT, `NOERROR 5m0s; "v=spf1 -all"; "a\"b\\c\228\186\186"`},
		{"NS", "a.example", resolve.TypeNS, "NOERROR 5m0s; ns.example."},
		{"SOA", "a.example", resolve.TypeSOA, "NOERROR 5m0s; ns.example. h.example. 1 7200 600 86400 60"},
		{"DS", "a.example", resolve.TypeDS, "NOERROR 5m0s; 1 8 2 0102"},
		{"TLSA", "a.example", resolve.TypeTLSA, "NOERROR 5m0s; 3 1 1 0102"},
		{"PTR", "1.2.0.192.in-addr.arpa", resolve.TypePTR, "NOERROR 5m0s; a.example."},
		{"NoData", "nodata.example", resolve.TypeA, "NOERROR 1m0s"},
		{"NoDataWithoutSOA", "nothing.example", resolve.TypeA, "NOERROR 0s"},
		{"NXDomain", "gone.example", resolve.TypeA, "NXDOMAIN 1m0s"},
		{"Alias", "alias.example", resolve.TypeA, "NOERROR 30s via b.example c.example; 192.0.2.9"},
		{"AliasItself", "alias.example", resolve.TypeCNAME, "NOERROR 30s; b.example."},
		{"AliasToNothing", "dangling.example", resolve.TypeA, "NXDOMAIN 30s via gone.example"},
		{"AliasToNoData", "aliasnodata.example", resolve.TypeA, "NOERROR 30s via b.example"},
		{"AliasThatTheServerDoesNotFollow", "handover.example", resolve.TypeA, "NOERROR 30s via a.example; 192.0.2.1; 192.0.2.2"},
		{"Loop", "loop.example", resolve.TypeA, "LOOP 0s via b.loop.example"},
		{"LoopOfOne", "self.example", resolve.TypeA, "LOOP 0s"},
		{"LoopOverMessages", "ping.example", resolve.TypeA, "LOOP 0s via pong.example"},
		{"SixteenAliases", "n0.long.example", resolve.TypeA, "NOERROR 5m0s via " + chain("long", 16) + "; 192.0.2.1"},
		{"TooManyAliases", "n0.endless.example", resolve.TypeA, "LOOP 0s via " + chain("endless", 16)},
		{"Authenticated", "auth.example", resolve.TypeA, "NOERROR 5m0s AD; 192.0.2.1"},
		{"AuthenticatedInPart", "authalias.example", resolve.TypeA, "NOERROR 1m0s via a.example; 192.0.2.1; 192.0.2.2"},
		{"Escapes", `a\.b@;c\233.example`, resolve.TypeA, "NOERROR 5m0s; 192.0.2.7"},
		{"Root", ".", resolve.TypeNS, "NOERROR 5m0s; a.root.example."},
		{"TTLOverTheLimit", "ttl.example", resolve.TypeA, "NOERROR 0s; 192.0.2.1"},
		{"ServFail", "servfail.example", resolve.TypeA, "SERVFAIL 0s"},
		{"Refused", "refused.example", resolve.TypeA, "REFUSED 0s"},
		{"NotImp", "notimp.example", resolve.TypeA, "NOTIMP 0s"},
		{"FormErrOfTheServer", "formerr.example", resolve.TypeA, "SERVFAIL 0s"},
		{"OtherCode", "yxdomain.example", resolve.TypeA, "RCODE6 0s"},
		{"Referral", "referral.example", resolve.TypeA, "SERVFAIL 0s"},
		{"BadName", "a..example", resolve.TypeA, "FORMERR 0s"},
		{"LabelTooLong", strings.Repeat("a", 64) + ".example", resolve.TypeA, "FORMERR 0s"},
		{"NoName", "", resolve.TypeA, "FORMERR 0s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := lookup(t, c, tc.ask, tc.typ)
			if diff := cmp.Diff(tc.want, summary(a)); diff != "" {
				t.Error(diff)
			}
			if a.RCode != resolve.FormErr && (a.Source != address || a.At.IsZero()) {
				t.Errorf("source %q at %v", a.Source, a.At)
			}
			for _, r := range a.Records {
				if r.Name != a.Final() || r.Type != tc.typ {
					t.Errorf("a record %s %s", r.Name, r.Type)
				}
			}
		})
	}
}

func chain(zone string, n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("n%d.%s.example", i+1, zone))
	}
	return strings.Join(names, " ")
}

func TestQuestion(t *testing.T) {
	questions := make(chan *dns.Msg, 10)
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		questions <- q
		return reply(t, q, dns.RcodeSuccess, "--", soa)
	})
	lookup(t, client(t, dnsclient.Options{Servers: []string{address}}), "a.example", resolve.TypeTXT)
	q := <-questions
	opt := q.IsEdns0()
	if opt == nil || opt.UDPSize() != 1232 || !opt.Do() || !q.RecursionDesired || q.CheckingDisabled {
		t.Errorf("question: %v", q)
	}
}

// TestTruncated has answers that do not fit into a packet, one of them cut in
// the middle of a record.
func TestTruncated(t *testing.T) {
	long := strings.Repeat(`"`+strings.Repeat("x", 200)+`" `, 100)
	var overTCP atomic.Int32
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		if tcp {
			overTCP.Add(1)
			return reply(t, q, dns.RcodeSuccess, "big.example. 300 IN TXT "+long)
		}
		m := reply(t, q, dns.RcodeSuccess, `big.example. 300 IN TXT "part"`)
		m[0].Truncated = true
		return m
	})
	a := lookup(t, client(t, dnsclient.Options{Servers: []string{address}}), "big.example", resolve.TypeTXT)
	if a.RCode != resolve.NoError || len(a.Texts()) != 1 || len(a.Texts()[0]) != 20_000 || overTCP.Load() != 1 {
		t.Errorf("%s, %d records, %d questions over TCP", a.RCode, len(a.Records), overTCP.Load())
	}
}

// TestTruncatedWithoutTCP must not take the part for the whole.
func TestTruncatedWithoutTCP(t *testing.T) {
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: packet, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := reply(t, q, dns.RcodeSuccess, `big.example. 300 IN TXT "part"`)[0]
		m.Truncated = true
		b, err := m.Pack()
		if err != nil {
			t.Error(err)
		}
		w.Write(b[:len(b)-3])
	})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	a := lookup(t, client(t, dnsclient.Options{Servers: []string{packet.LocalAddr().String()}}), "big.example", resolve.TypeTXT)
	if a.RCode != resolve.Unreachable || len(a.Records) != 0 {
		t.Errorf("%s with %d records", a.RCode, len(a.Records))
	}
}

func silent(*dns.Msg, bool) []*dns.Msg { return nil }

func TestNextServer(t *testing.T) {
	good := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		return reply(t, q, dns.RcodeSuccess, q.Question[0].Name+" 300 IN A 192.0.2.1")
	})
	var broken atomic.Int32
	failing := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		broken.Add(1)
		return reply(t, q, dns.RcodeServerFailure)
	})
	refusing := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg { return reply(t, q, dns.RcodeRefused) })
	mute := serve(t, silent)
	closed := unused(t)
	for _, tc := range []struct {
		name    string
		servers []string
		want    resolve.RCode
	}{
		{"Silent", []string{mute, good}, resolve.NoError},
		{"Failing", []string{failing, good}, resolve.NoError},
		{"Refusing", []string{refusing, good}, resolve.NoError},
		{"Closed", []string{closed, good}, resolve.NoError},
		{"NoneSpeaks", []string{mute, closed}, resolve.Timeout},
		{"NoneIsThere", []string{closed}, resolve.Unreachable},
		{"WhatWasSaidCounts", []string{mute, refusing, closed}, resolve.Refused},
		{"FailureSaysMost", []string{refusing, failing, mute}, resolve.ServFail},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, dnsclient.Options{Servers: tc.servers, Timeout: 200 * time.Millisecond})
			a := lookup(t, c, "a.example", resolve.TypeA)
			if a.RCode != tc.want || a.RCode == resolve.NoError && a.Source != good {
				t.Errorf("%s from %s", a.RCode, a.Source)
			}
		})
	}
	t.Cleanup(func() {
		if n := broken.Load(); n != 2 {
			t.Errorf("the failing server was asked %d times by two lookups", n)
		}
	})
}

// unused returns an address at which nobody listens.
func unused(t *testing.T) string {
	t.Helper()
	p, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	return p.LocalAddr().String()
}

// TestForgedAnswers sends answers that do not belong to the question before the
// right one, as somebody would who cannot see it.
func TestForgedAnswers(t *testing.T) {
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		forge := func(change func(*dns.Msg)) *dns.Msg {
			m := reply(t, q, dns.RcodeSuccess, q.Question[0].Name+" 300 IN A 203.0.113.66")[0]
			change(m)
			return m
		}
		return []*dns.Msg{
			forge(func(m *dns.Msg) { m.Id++ }),
			forge(func(m *dns.Msg) { m.Response = false }),
			forge(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }),
			forge(func(m *dns.Msg) { m.Question = nil }),
			forge(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }),
			forge(func(m *dns.Msg) { m.Question[0].Name = "other.example." }),
			forge(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }),
			forge(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }),
			forge(func(m *dns.Msg) { m.Answer[0].Header().Name = "other.example."; m.Id += 2 }),
			reply(t, q, dns.RcodeSuccess, q.Question[0].Name+" 300 IN A 192.0.2.1")[0],
		}
	})
	a := lookup(t, client(t, dnsclient.Options{Servers: []string{address}}), "a.example", resolve.TypeA)
	if got := summary(a); got != "NOERROR 5m0s; 192.0.2.1" {
		t.Error(got)
	}
}

// TestServerThatSendsNoise answers with packets that are no DNS.
func TestServerThatSendsNoise(t *testing.T) {
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { packet.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			_, from, err := packet.ReadFrom(b)
			if err != nil {
				return
			}
			for i := range 200 {
				packet.WriteTo(b[:i], from)
			}
		}
	}()
	c := client(t, dnsclient.Options{Servers: []string{packet.LocalAddr().String()}, Timeout: 200 * time.Millisecond, Tries: 1})
	if a := lookup(t, c, "a.example", resolve.TypeA); !a.Temporary() {
		t.Errorf("%s", a.RCode)
	}
}

// TestServerWithoutEDNS answers FORMERR to what it does not know (RFC 6891
// section 7).
func TestServerWithoutEDNS(t *testing.T) {
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		if q.IsEdns0() != nil {
			m := reply(t, q, dns.RcodeFormatError)
			m[0].Question = nil
			return m
		}
		return reply(t, q, dns.RcodeSuccess, "a.example. 300 IN A 192.0.2.1")
	})
	a := lookup(t, client(t, dnsclient.Options{Servers: []string{address}}), "a.example", resolve.TypeA)
	if got := summary(a); got != "NOERROR 5m0s; 192.0.2.1" {
		t.Error(got)
	}
}

func TestContextEnds(t *testing.T) {
	c := client(t, dnsclient.Options{Servers: []string{serve(t, silent)}, Timeout: time.Minute, Concurrency: 1})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	if _, err := c.Lookup(ctx, "a.example", resolve.TypeA); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v to notice", d)
	}
	if _, err := c.Lookup(ctx, "a.example", resolve.TypeA); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// The place of the one that gave up is free again.
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Lookup(ctx, "a.example", resolve.TypeA); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTotal(t *testing.T) {
	c := client(t, dnsclient.Options{Servers: []string{serve(t, silent)}, Timeout: time.Minute, Total: 100 * time.Millisecond})
	start := time.Now()
	if a := lookup(t, c, "a.example", resolve.TypeA); a.RCode != resolve.Timeout {
		t.Errorf("%s", a.RCode)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	var now, most atomic.Int32
	address := serve(t, func(q *dns.Msg, tcp bool) []*dns.Msg {
		n := now.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
		return reply(t, q, dns.RcodeSuccess, "--", soa)
	})
	c := client(t, dnsclient.Options{Servers: []string{address}, Concurrency: 3, Timeout: 10 * time.Second, Total: time.Minute})
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			if a, err := c.Lookup(context.Background(), fmt.Sprintf("a%d.example", i), resolve.TypeA); err != nil || !a.NoData() {
				t.Errorf("%s %v", a.RCode, err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 3 {
		t.Errorf("%d questions at the same time", most.Load())
	}
}
