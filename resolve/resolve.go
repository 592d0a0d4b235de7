// Package resolve holds DNS questions and answers as values.
//
// A [Resolver] answers a question about a name. That a name does not exist,
// that it has no record of the type, that the server failed and that nobody
// answered in time are four different facts for whoever judges mail, so they
// are values of [RCode] and not errors. An error means that the caller's
// context ended.
//
// The package itself talks to no server. [Cache], [Recorder], [Trace] and
// [Limit] wrap a Resolver that does; package resolve/zone answers from text.
package resolve

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// MaxChain is how many CNAME records are followed for one question. More than
// that is answered with [Loop], as resolvers do with SERVFAIL.
const MaxChain = 16

// Resolver answers DNS questions. It is safe for concurrent use.
//
// Lookup follows CNAME records, at most [MaxChain]. It asks nothing for a name
// that [Normalize] refuses and answers [FormErr]; a server that says so itself
// has failed, which is [ServFail]. The error is not nil only if the context
// ended before there was an answer. The caller must not change what an Answer
// refers to.
type Resolver interface {
	Lookup(ctx context.Context, name string, t Type) (Answer, error)
}

// Type is the type of a record (RFC 1035 section 3.2.2), as IANA numbers it.
type Type uint16

// The types that sekisho asks for.
const (
	TypeA     Type = 1
	TypeNS    Type = 2
	TypeCNAME Type = 5
	TypeSOA   Type = 6
	TypePTR   Type = 12
	TypeMX    Type = 15
	TypeTXT   Type = 16
	TypeAAAA  Type = 28
	TypeDS    Type = 43
	TypeTLSA  Type = 52
)

// types lists the types with their mnemonics.
func types() []struct {
	t    Type
	name string
} {
	return []struct {
		t    Type
		name string
	}{
		{TypeA, "A"}, {TypeNS, "NS"}, {TypeCNAME, "CNAME"}, {TypeSOA, "SOA"}, {TypePTR, "PTR"},
		{TypeMX, "MX"}, {TypeTXT, "TXT"}, {TypeAAAA, "AAAA"}, {TypeDS, "DS"}, {TypeTLSA, "TLSA"},
	}
}

// String returns the mnemonic, or "TYPE99" as in RFC 3597 section 5.
func (t Type) String() string {
	for _, e := range types() {
		if e.t == t {
			return e.name
		}
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// ParseType returns the type of a mnemonic in any case. It knows only the types
// that have a constant here.
func ParseType(s string) (Type, bool) {
	for _, e := range types() {
		if strings.EqualFold(e.name, s) {
			return e.t, true
		}
	}
	return 0, false
}

// RCode says how a question ended: a response code of RFC 1035 section 4.1.1,
// or a code of our own, over 4095, where no server gave one.
type RCode uint16

// The codes.
const (
	NoError  RCode = 0 // answered; no records means that the type does not exist at the name
	FormErr  RCode = 1 // the name cannot be asked for; nothing was asked
	ServFail RCode = 2 // the server failed, also where DNSSEC validation did
	NXDomain RCode = 3 // the name does not exist, nor does any below it
	NotImp   RCode = 4 // the server does not do this
	Refused  RCode = 5 // the server does not do this for us

	Timeout     RCode = 4096 // nobody answered in time
	Unreachable RCode = 4097 // no server could be reached
	Loop        RCode = 4098 // CNAME records lead in a circle, or through more than MaxChain names
	NotAsked    RCode = 4099 // the caller wants no questions, or no more of them
)

// String returns the name of the code as tools print it, such as "NXDOMAIN".
func (c RCode) String() string {
	switch c {
	case NoError:
		return "NOERROR"
	case FormErr:
		return "FORMERR"
	case ServFail:
		return "SERVFAIL"
	case NXDomain:
		return "NXDOMAIN"
	case NotImp:
		return "NOTIMP"
	case Refused:
		return "REFUSED"
	case Timeout:
		return "TIMEOUT"
	case Unreachable:
		return "UNREACHABLE"
	case Loop:
		return "LOOP"
	case NotAsked:
		return "NOTASKED"
	default:
		return "RCODE" + strconv.Itoa(int(c))
	}
}

// Answer is what came back for one question.
type Answer struct {
	Name    string // the name asked for, normalized; as it was given where it is no name
	Type    Type
	RCode   RCode
	Records []Record // of the type asked for, all of the last name of the chain
	AD      bool     // authenticated with DNSSEC by a resolver that the user trusts

	// TTL is how long the answer may be kept, counted from At: the smallest of
	// the records and the chain, or for a negative answer what RFC 2308
	// section 5 says. Zero means not at all.
	TTL time.Duration

	Chain  []string  // names that CNAME records led to, in order
	Source string    // who answered: the address of a server, the name of a file
	At     time.Time // when; zero where nobody kept it
}

// NXDomain reports whether the name does not exist. Where the question led
// through an alias, it is the last name of the chain that does not.
func (a Answer) NXDomain() bool { return a.RCode == NXDomain }

// NoData reports whether the name exists and has no record of the type.
func (a Answer) NoData() bool { return a.RCode == NoError && len(a.Records) == 0 }

// Void reports whether there is certainly no record: a "void lookup" of RFC
// 7208 section 4.6.4.
func (a Answer) Void() bool { return a.NXDomain() || a.NoData() }

// Temporary reports whether nothing is known, so that asking again may tell:
// every code but [NoError], [NXDomain] and [FormErr].
func (a Answer) Temporary() bool {
	return a.RCode != NoError && a.RCode != NXDomain && a.RCode != FormErr
}

// Final returns the name that the records belong to: the end of the chain, or
// the name asked for.
func (a Answer) Final() string {
	if n := len(a.Chain); n > 0 {
		return a.Chain[n-1]
	}
	return a.Name
}

// Texts returns the text of each TXT record.
func (a Answer) Texts() []string {
	var out []string
	for _, r := range a.Records {
		if r.Type == TypeTXT {
			out = append(out, r.Text)
		}
	}
	return out
}

// Addrs returns the address of each A and AAAA record.
func (a Answer) Addrs() []netip.Addr {
	var out []netip.Addr
	for _, r := range a.Records {
		if r.Addr.IsValid() {
			out = append(out, r.Addr)
		}
	}
	return out
}

// Hosts returns the host of each CNAME, MX, NS and PTR record.
func (a Answer) Hosts() []string {
	var out []string
	for _, r := range a.Records {
		if r.Host != "" {
			out = append(out, r.Host)
		}
	}
	return out
}

// Offline returns a resolver that answers [NotAsked] to everything.
func Offline() Resolver { return offline{} }

type offline struct{}

func (offline) Lookup(ctx context.Context, name string, t Type) (Answer, error) {
	return unasked(ctx, name, t, NotAsked)
}

// unasked answers code without a question, or FormErr for what is no name.
func unasked(ctx context.Context, name string, t Type, code RCode) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	if n, ok := Normalize(name); ok {
		return Answer{Name: n, Type: t, RCode: code}, nil
	}
	return Answer{Name: name, Type: t, RCode: FormErr}, nil
}
