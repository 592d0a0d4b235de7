package campaign

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
)

// Key is a trait of a mail by which an index finds it. Mails that have a trait in
// common have a key in common; what [Probe.Compare] makes of it is another
// matter.
type Key struct {
	Sum    uint64  // of the kind of trait and its value
	Weight float64 // of the trait, from 0 to 1; see [Reason]
}

// Bounds of the keys of one mail.
const (
	maxKeys    = 120
	edgeRunes  = 5  // of a subject that begin or end it
	leastEdges = 14 // letters of a subject whose ends say something
)

// Keys returns the keys of a mail, each once. Mails whose level is [Alike] or
// surer have one in common, unless it is only their subjects that are alike, with
// another beginning and another end. What many have in common, such as the
// domain of a big mail service, has no key.
func Keys(m *Mail, o *Options) []Key {
	p := NewProbe(m, o)
	b := keyBuilder{seen: map[uint64]bool{}}
	if p.subject.letters > 0 {
		b.add("subject", p.subject.text, 0.6)
		if r := p.subject.runes; p.subject.letters >= leastEdges && len(r) > edgeRunes {
			b.add("begin", string(r[:edgeRunes]), 0.2)
			b.add("end", string(r[len(r)-edgeRunes:]), 0.2)
		}
	}
	for _, f := range p.files {
		b.add("file", f.hash, 0.92)
		b.add("file-name", f.name, 0.35)
	}
	for _, l := range p.links {
		b.add("link", l.whole, 0.8)
		b.add("link-shape", l.shape, 0.55)
		if !l.shared {
			b.add("link-host", string(l.host), 0.6)
			b.add("link-domain", string(l.org), 0.5)
		}
	}
	if ip := m.IP; ip.IsValid() && !call(p.o.SharedAddress, ip) {
		bits := 24
		if ip.Is6() {
			bits = 64
		}
		if near, err := ip.Prefix(bits); err == nil {
			b.add("network", near.String(), 0.4)
		}
	}
	b.add("helo", p.helo, 0.25)
	b.party("sender", &p.envelop)
	b.party("sender", &p.author)
	b.add("name", p.name, 0.2)
	for _, s := range m.Signers[:min(len(m.Signers), maxSigners)] {
		if !call(p.o.SharedDomain, s) && !call(p.o.Own, s) {
			b.add("signer", string(s), 0.3)
		}
	}
	return b.keys
}

type keyBuilder struct {
	keys []Key
	seen map[uint64]bool
}

func (b *keyBuilder) add(kind, value string, weight float64) {
	if value == "" || len(b.keys) == maxKeys {
		return
	}
	h := fnv.New64a()
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(kind)))
	_, _ = h.Write(n[:]) // a hash never fails
	_, _ = h.Write([]byte(kind))
	_, _ = h.Write([]byte(value))
	if sum := h.Sum64(); !b.seen[sum] {
		b.seen[sum] = true
		b.keys = append(b.keys, Key{sum, weight})
	}
}

// party adds the address and the domain of a sender. Under a domain of the
// organisation anybody writes, and under that of a big service everybody.
func (b *keyBuilder) party(kind string, a *party) {
	if a.own {
		return
	}
	if !strings.HasPrefix(a.address, "@") {
		b.add(kind, a.address, 0.5)
	}
	if !a.shared {
		b.add(kind+"-domain", string(a.org), 0.4)
	}
}
