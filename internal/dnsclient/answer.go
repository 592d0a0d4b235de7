package dnsclient

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/sekisho/sekisho/resolve"
)

// follower puts one answer together from the messages of one lookup.
type follower struct {
	t         resolve.Type
	seen      map[string]bool // names that were led through
	chain     []string
	records   []resolve.Record
	code      resolve.RCode
	ttl       time.Duration
	limited   bool // ttl is set
	authentic bool
}

// keep lowers the time that the answer may be kept to d.
func (f *follower) keep(d time.Duration) {
	if !f.limited || d < f.ttl {
		f.ttl, f.limited = d, true
	}
}

// trust takes what a server says about DNSSEC. All messages of a lookup have to
// be authenticated, and by servers that are believed.
func (f *follower) trust(m *dns.Msg, from server) {
	f.authentic = f.authentic && m.AuthenticatedData && from.trusted
}

// read takes a message that answers for name. It reports whether the lookup is
// done, else the name to ask for next.
func (f *follower) read(m *dns.Msg, name string) (next string, done bool) {
	aliases := map[string]*dns.CNAME{}
	for _, r := range m.Answer {
		if c, ok := r.(*dns.CNAME); ok && c.Hdr.Class == dns.ClassINET {
			if owner, ok := resolve.Normalize(c.Hdr.Name); ok && aliases[owner] == nil {
				aliases[owner] = c
			}
		}
	}
	start := len(f.chain)
	for f.t != resolve.TypeCNAME {
		c := aliases[name]
		if c == nil {
			break
		}
		target, ok := resolve.Normalize(c.Target)
		if !ok {
			f.code = resolve.ServFail
			return "", true
		}
		if f.seen[target] || len(f.chain) == resolve.MaxChain {
			f.code = resolve.Loop
			return "", true
		}
		f.seen[target] = true
		f.chain = append(f.chain, target)
		f.keep(lifetime(c.Hdr.Ttl))
		name = target
	}
	for _, r := range m.Answer {
		owner, ok := resolve.Normalize(r.Header().Name)
		if !ok || owner != name || r.Header().Class != dns.ClassINET || r.Header().Rrtype != uint16(f.t) {
			continue
		}
		if rec, ok := record(owner, r); ok {
			f.keep(rec.TTL)
			f.records = append(f.records, rec)
		}
	}
	negative := -1
	for _, r := range m.Ns {
		if soa, ok := r.(*dns.SOA); ok {
			negative = int(min(soa.Hdr.Ttl, soa.Minttl, maxTTL)) // RFC 2308 section 5
			break
		}
	}
	switch {
	case m.Rcode == dns.RcodeNameError && len(f.records) == 0:
		f.code = resolve.NXDomain
	case len(f.records) > 0:
		f.code = resolve.NoError
		return "", true
	case len(f.chain) > start && negative < 0:
		return name, false // the server left the rest to us
	}
	f.keep(time.Duration(max(negative, 0)) * time.Second)
	return "", true
}

// maxTTL is the largest TTL of RFC 2181 section 8; what is over it means zero.
const maxTTL = 1<<31 - 1

func lifetime(ttl uint32) time.Duration {
	if ttl > maxTTL {
		return 0
	}
	return time.Duration(ttl) * time.Second
}

// record returns a record of a type that sekisho knows, and whether it can be
// used.
func record(owner string, r dns.RR) (resolve.Record, bool) {
	out := resolve.Record{Name: owner, Type: resolve.Type(r.Header().Rrtype), TTL: lifetime(r.Header().Ttl)}
	ok := true
	host := func(s string) (n string) {
		n, valid := resolve.Normalize(s)
		ok = ok && valid
		return n
	}
	switch r := r.(type) {
	case *dns.A:
		out.Addr, ok = netip.AddrFromSlice(r.A)
		out.Addr = out.Addr.Unmap()
	case *dns.AAAA:
		out.Addr, ok = netip.AddrFromSlice(r.AAAA)
	case *dns.CNAME:
		out.Host = host(r.Target)
	case *dns.NS:
		out.Host = host(r.Ns)
	case *dns.PTR:
		out.Host = host(r.Ptr)
	case *dns.MX:
		out.Host, out.Pref = host(r.Mx), r.Preference
	case *dns.TXT:
		out.Text = text(r.Txt)
	case *dns.SOA:
		out.SOA = &resolve.SOA{
			MName: host(r.Ns), RName: host(r.Mbox), Serial: r.Serial,
			Refresh: lifetime(r.Refresh), Retry: lifetime(r.Retry), Expire: lifetime(r.Expire), Minimum: lifetime(r.Minttl),
		}
	case *dns.DS:
		digest, err := hex.DecodeString(r.Digest)
		ok = err == nil
		out.DS = &resolve.DS{KeyTag: r.KeyTag, Algorithm: r.Algorithm, DigestType: r.DigestType, Digest: digest}
	case *dns.TLSA:
		data, err := hex.DecodeString(r.Certificate)
		ok = err == nil
		out.TLSA = &resolve.TLSA{Usage: r.Usage, Selector: r.Selector, MatchingType: r.MatchingType, Data: data}
	default:
		return out, false
	}
	return out, ok
}

// text joins the strings of a TXT record. The library writes quotes, backslashes
// and octets that are not visible as escapes.
func text(strs []string) string {
	s := strings.Join(strs, "")
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c, n := resolve.Unescape(s[i:])
		if n == 0 {
			b.WriteByte(s[i])
			continue
		}
		b.WriteByte(c)
		i += n - 1
	}
	return b.String()
}
