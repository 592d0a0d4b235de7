package history

import (
	"cmp"
	"slices"
	"strings"
)

const (
	day = 24 * 60 * 60 // seconds

	// keptWhole is how many events of an address are kept one by one, so that
	// they can be counted as far as it matters. After them, one a day is.
	keptWhole = 24
	// packAt is when the events of an address are packed while more come.
	packAt = 4 * 1024
	// maxJudged bounds the judgements of one address that are kept.
	maxJudged = 1_000

	// MaxAddresses is how many addresses a book has at the most.
	MaxAddresses = 2_000_000
)

// Builder makes a [Book]. It is not safe for concurrent use.
type Builder struct {
	records map[string]*record
	sent    bool
	Left    int // messages left out because of [MaxAddresses]
}

// NewBuilder returns a builder that goes on from a book; nil begins one. The
// same message may be added again.
func NewBuilder(b *Book) *Builder {
	out := &Builder{records: map[string]*record{}}
	if b == nil {
		return out
	}
	out.Merge(b)
	return out
}

// Add takes a message in.
func (b *Builder) Add(m Message) {
	e := event{m.Time.Unix(), m.ID}
	b.sent = b.sent || m.Direction == Outbound
	for _, addr := range m.Addresses {
		r := b.records[addr]
		if r == nil {
			if len(b.records) >= MaxAddresses {
				b.Left++
				return
			}
			r = &record{}
			b.records[addr] = r
		}
		r.add(m.Direction, m.Judgement, e)
	}
}

// Merge takes a whole book in. Where both have a judgement of a message, that
// of the book counts.
func (b *Builder) Merge(o *Book) {
	b.sent = b.sent || o.sent
	for addr, r := range o.addresses {
		have := b.records[addr]
		if have == nil {
			if len(b.records) >= MaxAddresses {
				b.Left++
				continue
			}
			have = &record{}
			b.records[addr] = have
		}
		have.own()
		have.in, have.out, have.forged = append(have.in, r.in...), append(have.out, r.out...), append(have.forged, r.forged...)
		for _, e := range r.good {
			have.judge(Benign, e)
		}
		for _, e := range r.bad {
			have.judge(Malicious, e)
		}
	}
}

// own makes the record the builder's, to be changed.
func (r *record) own() {
	if r.packed {
		*r = record{in: slices.Clone(r.in), out: slices.Clone(r.out), forged: slices.Clone(r.forged), good: slices.Clone(r.good), bad: slices.Clone(r.bad)}
	}
}

func (r *record) add(d Direction, j Judgement, e event) {
	r.own()
	push := func(list *[]event) {
		if *list = append(*list, e); len(*list) >= packAt {
			*list = pack(*list)
		}
	}
	switch d {
	case Inbound:
		push(&r.in)
	case Outbound:
		push(&r.out)
		return
	case Forged:
		push(&r.forged)
	}
	r.judge(j, e)
}

// judge keeps a judgement. A message has one, the last.
func (r *record) judge(j Judgement, e event) {
	is := func(o event) bool { return o.id == e.id }
	switch j {
	case Benign:
		r.bad = slices.DeleteFunc(r.bad, is)
		r.good = append(slices.DeleteFunc(r.good, is), e)
	case Malicious, Spam:
		r.good = slices.DeleteFunc(r.good, is)
		r.bad = append(slices.DeleteFunc(r.bad, is), e)
	default:
		return
	}
	r.good, r.bad = latest(r.good), latest(r.bad)
}

func latest(list []event) []event { return list[max(0, len(list)-maxJudged):] }

func byTime(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) }

// pack sorts events, drops those that are there already, and of days after the
// first events all but the first of the day. What is left does not depend on
// the order in which events came.
func pack(list []event) []event {
	slices.SortFunc(list, byTime)
	seen := make(map[ID]bool, len(list))
	out := list[:0]
	for _, e := range list {
		if seen[e.id] {
			continue
		}
		seen[e.id] = true
		if len(out) >= keptWhole && out[len(out)-1].at/day == e.at/day {
			continue
		}
		out = append(out, e)
	}
	return slices.Clip(out)
}

// Book returns the history. The builder can go on.
func (b *Builder) Book() *Book {
	out := &Book{addresses: make(map[string]*record, len(b.records)), domains: map[string]*record{}, sent: b.sent}
	var times []int64
	for addr, r := range b.records {
		p := r
		if !r.packed {
			p = &record{in: pack(slices.Clone(r.in)), out: pack(slices.Clone(r.out)), forged: pack(slices.Clone(r.forged)), good: slices.Clone(r.good), bad: slices.Clone(r.bad), packed: true}
			slices.SortFunc(p.good, byTime)
			slices.SortFunc(p.bad, byTime)
		}
		out.addresses[addr] = p
		for _, list := range [][]event{p.in, p.out} {
			for _, e := range list {
				times = append(times, e.at)
			}
		}
		host := addr[strings.LastIndexByte(addr, '@')+1:]
		d := out.domains[host]
		if d == nil {
			out.domains[host] = p // most domains have one address
			continue
		}
		if d.packed {
			d = &record{in: slices.Clone(d.in), out: slices.Clone(d.out), forged: slices.Clone(d.forged), good: slices.Clone(d.good), bad: slices.Clone(d.bad)}
			out.domains[host] = d
		}
		d.in, d.out, d.forged = append(d.in, p.in...), append(d.out, p.out...), append(d.forged, p.forged...)
		d.good, d.bad = append(d.good, p.good...), append(d.bad, p.bad...)
	}
	for _, d := range out.domains {
		if d.packed {
			continue
		}
		d.in, d.out, d.forged = pack(d.in), pack(d.out), pack(d.forged)
		slices.SortFunc(d.good, byTime)
		slices.SortFunc(d.bad, byTime)
	}
	out.span(times)
	return out
}

// span finds from when to when the mail is. One mail with an old date, which a
// sender can choose, does not make the history reach back: the first hundredth
// does not count.
func (b *Book) span(times []int64) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	b.from, b.until = times[len(times)/100], times[len(times)-1]
	for i, t := range times {
		if i == 0 || times[i-1]/day != t/day {
			b.days++
		}
	}
}

// Days returns on how many days mail came or went.
func (b *Book) Days() int { return b.days }
