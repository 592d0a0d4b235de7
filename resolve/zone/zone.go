// Package zone answers DNS questions from text: a zone file that somebody wrote
// for a test, or the answers of an earlier run.
//
// The text is the master format of RFC 1035 section 5, and one file may hold
// several zones. There are no servers and no delegations: everything is one
// tree of names. A name that has records or has names below it exists, and a
// question for a type that it lacks is answered with no data; any other name
// does not exist (RFC 8020). Wildcards follow RFC 4592, CNAME records are
// followed.
//
// What no record can say stands in comments on lines of their own:
//
//	; !servfail NAME [TYPE [TTL]]      the server fails
//	; !timeout NAME [TYPE [TTL]]       nobody answers
//	; !refused, !unreachable, !loop    likewise
//	; !nxdomain NAME [TYPE [TTL]]      the name does not exist, whatever else is here
//	; !nodata NAME [TYPE [TTL]]        the name has no such record
//	; !ad [NAME [TYPE]]                answers are authenticated
//
// Such a line wins over records and wildcards, and the one with a type over the
// one without. It makes no name exist. [resolve.Recorder] writes such files.
package zone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/resolve"
)

// ErrTooLarge means that a zone has more bytes, records or names than this
// package reads.
var ErrTooLarge = errors.New("zone: too large")

// Bounds on what is read.
const (
	maxBytes   = 64 << 20
	maxRecords = 1_000_000
	maxNames   = 2_000_000 // empty non-terminals included
)

// defaultTTL is for records where nothing says how long they may be kept.
const defaultTTL = time.Hour

// Zone is a tree of names with their records. It implements
// [resolve.Resolver] and may be asked concurrently, but not while it is being
// added to.
type Zone struct {
	// Source is the Source of every answer; "zone" unless changed.
	Source string

	nodes   map[string]*node
	faults  map[question]fault
	ad      map[question]bool
	adAll   bool
	records int

	maxRecords, maxNames int
}

type question struct {
	name string
	t    resolve.Type // 0 for every type
}

// fault is the answer of a directive.
type fault struct {
	code resolve.RCode // NoError for "nodata"
	ttl  time.Duration
}

// node is a name that exists.
type node struct {
	sets  []rrset
	other bool // it has records of types that are not read
}

// rrset is the records of one type at one name.
type rrset struct {
	t       resolve.Type
	records []resolve.Record
	seen    map[string]bool // built once there are many
}

// New returns an empty zone.
func New() *Zone {
	return &Zone{
		Source: "zone", nodes: map[string]*node{}, faults: map[question]fault{}, ad: map[question]bool{},
		maxRecords: maxRecords, maxNames: maxNames,
	}
}

// Add adds a record. One that is there already is not added again (RFC 2181
// section 5). The error is [ErrTooLarge], or says which name is none.
func (z *Zone) Add(r resolve.Record) error {
	owner, ok := resolve.Normalize(r.Name)
	if !ok {
		return fmt.Errorf("zone: the owner %q is no name", r.Name)
	}
	r.Name = owner
	if r.Host != "" {
		host, ok := resolve.Normalize(r.Host)
		if !ok {
			return fmt.Errorf("zone: the host %q is no name", r.Host)
		}
		r.Host = host
	}
	n, err := z.node(r.Name)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(n.sets, func(s rrset) bool { return s.t == r.Type })
	if i < 0 {
		n.sets = append(n.sets, rrset{t: r.Type})
		i = len(n.sets) - 1
	}
	if n.sets[i].has(r) {
		return nil
	}
	if z.records++; z.records > z.maxRecords {
		return ErrTooLarge
	}
	n.sets[i].records = append(n.sets[i].records, r)
	return nil
}

// has reports whether a record with the data of r is in the set.
func (s *rrset) has(r resolve.Record) bool {
	data := r.Data()
	if s.seen == nil {
		if len(s.records) < 16 {
			return slices.ContainsFunc(s.records, func(o resolve.Record) bool { return o.Data() == data })
		}
		s.seen = make(map[string]bool, 2*len(s.records))
		for _, o := range s.records {
			s.seen[o.Data()] = true
		}
	}
	if s.seen[data] {
		return true
	}
	s.seen[data] = true
	return false
}

// Fail makes every question for name and t answer code, as the directives of
// the package comment do: [resolve.NoError] stands for no data. A t of 0 means
// every type. It reports false if name is none, or if there is no directive for
// the code.
func (z *Zone) Fail(name string, t resolve.Type, code resolve.RCode) bool {
	if _, ok := faultCode(faultWord(code)); !ok {
		return false
	}
	return z.setFault(name, t, fault{code: code})
}

func (z *Zone) setFault(name string, t resolve.Type, f fault) bool {
	name, ok := resolve.Normalize(name)
	if ok {
		z.faults[question{name, t}] = f
	}
	return ok
}

// node returns the node of a normalized name and makes its ancestors exist.
func (z *Zone) node(name string) (*node, error) {
	n, ok := z.nodes[name]
	if ok {
		return n, nil
	}
	n = &node{}
	z.nodes[name] = n
	for up, ok := resolve.Parent(name); ok; up, ok = resolve.Parent(up) {
		if _, ok := z.nodes[up]; ok {
			break
		}
		z.nodes[up] = &node{}
	}
	if len(z.nodes) > z.maxNames {
		return nil, ErrTooLarge
	}
	return n, nil
}

// Lookup implements [resolve.Resolver].
func (z *Zone) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	if err := ctx.Err(); err != nil {
		return resolve.Answer{}, err
	}
	a := resolve.Answer{Name: name, Type: t, Source: z.Source}
	n, ok := resolve.Normalize(name)
	if !ok {
		a.RCode = resolve.FormErr
		return a, nil
	}
	a.Name = n
	a.AD = z.adAll || len(z.ad) > 0 && (z.ad[question{n, t}] || z.ad[question{n, 0}])
	z.follow(&a)
	return a, nil
}

// follow fills in the answer, going from alias to alias.
func (z *Zone) follow(a *resolve.Answer) {
	ttl := time.Duration(-1)
	keep := func(d time.Duration) {
		if ttl < 0 || d < ttl {
			ttl = d
		}
		a.TTL = ttl
	}
	for name := a.Name; ; {
		if f, ok := z.fault(name, a.Type); ok {
			a.RCode = f.code
			keep(f.ttl)
			return
		}
		n, synthesized := z.find(name)
		if n == nil {
			a.RCode = resolve.NXDomain
			keep(z.negativeTTL(name))
			return
		}
		if set := n.set(a.Type); set != nil {
			a.Records = set
			if synthesized {
				a.Records = slices.Clone(set)
				for i := range a.Records {
					a.Records[i].Name = name
				}
			}
			for _, r := range set {
				keep(r.TTL)
			}
			return
		}
		alias := n.set(resolve.TypeCNAME)
		if len(alias) == 0 {
			keep(z.negativeTTL(name))
			return
		}
		to := alias[0].Host
		keep(alias[0].TTL)
		if to == a.Name || slices.Contains(a.Chain, to) || len(a.Chain) == resolve.MaxChain {
			a.RCode = resolve.Loop
			return
		}
		a.Chain = append(a.Chain, to)
		name = to
	}
}

func (z *Zone) fault(name string, t resolve.Type) (fault, bool) {
	if len(z.faults) == 0 {
		return fault{}, false
	}
	f, ok := z.faults[question{name, t}]
	if !ok {
		f, ok = z.faults[question{name, 0}]
	}
	return f, ok
}

// find returns the node for name: its own, or the wildcard's below the closest
// name that exists (RFC 4592 section 3.3.1).
func (z *Zone) find(name string) (n *node, synthesized bool) {
	if n, ok := z.nodes[name]; ok {
		return n, false
	}
	for up, ok := resolve.Parent(name); ok; up, ok = resolve.Parent(up) {
		if _, exists := z.nodes[up]; !exists {
			continue
		}
		wild := "*." + up
		if up == resolve.Root {
			wild = "*"
		}
		return z.nodes[wild], true
	}
	return nil, false
}

func (n *node) set(t resolve.Type) []resolve.Record {
	for _, s := range n.sets {
		if s.t == t {
			return s.records
		}
	}
	return nil
}

// negativeTTL is how long the absence of something at name may be kept, from
// the SOA record of the zone around it (RFC 2308 section 5).
func (z *Zone) negativeTTL(name string) time.Duration {
	for up, ok := name, true; ok; up, ok = resolve.Parent(up) {
		if n := z.nodes[up]; n != nil {
			if soa := n.set(resolve.TypeSOA); soa != nil && soa[0].SOA != nil {
				return min(soa[0].TTL, soa[0].SOA.Minimum)
			}
		}
	}
	return 0
}

// Write writes the zone as text that [Parse] reads, ordered by name. Types that
// are not read leave a record of a private type behind, so that their names
// still exist.
func (z *Zone) Write(w io.Writer) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(z.nodes)) {
		n := z.nodes[name]
		if n.other {
			fmt.Fprintf(&b, "%s 0 IN TYPE65280 \\# 0\n", resolve.FileName(name))
		}
		for _, s := range n.sets {
			for _, r := range s.records {
				b.WriteString(r.String())
				b.WriteByte('\n')
			}
		}
	}
	order := func(a, b question) int { return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.t, b.t)) }
	for _, q := range slices.SortedFunc(maps.Keys(z.faults), order) {
		f := z.faults[q]
		fmt.Fprintf(&b, "; !%s %s", faultWord(f.code), resolve.FileName(q.name))
		if q.t != 0 {
			fmt.Fprintf(&b, " %s %d", q.t, f.ttl/time.Second)
		}
		b.WriteByte('\n')
	}
	if z.adAll {
		b.WriteString("; !ad\n")
	}
	for _, q := range slices.SortedFunc(maps.Keys(z.ad), order) {
		fmt.Fprintf(&b, "; !ad %s", resolve.FileName(q.name))
		if q.t != 0 {
			fmt.Fprintf(&b, " %s", q.t)
		}
		b.WriteByte('\n')
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing a zone: %w", err)
	}
	return nil
}

// faultWord is the word of the directive for code.
func faultWord(code resolve.RCode) string {
	if code == resolve.NoError {
		return "nodata"
	}
	return strings.ToLower(code.String())
}

// faultCode returns the code of a directive's word.
func faultCode(word string) (resolve.RCode, bool) {
	for _, c := range []resolve.RCode{
		resolve.NoError, resolve.NXDomain, resolve.ServFail, resolve.Refused, resolve.NotImp,
		resolve.Timeout, resolve.Unreachable, resolve.Loop, resolve.NotAsked,
	} {
		if faultWord(c) == word {
			return c, true
		}
	}
	return 0, false
}
