package dkim

import (
	"crypto/sha256"
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// names finds fields by name from the bottom up, however many there are.
type names struct {
	ids   map[string]int // of lower-case names
	last  []int          // by id: the lowest field of that name
	above []int          // by field: the next one of that name upwards, -1 for none
	shown []int          // ids of shownFields, -1 for those the message lacks
}

// shownFields are what mail programs show or act on. One that stands above
// those that a signature covers is shown in their place by many of them.
func shownFields() []string {
	return []string{"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding"}
}

func newNames(fields []eml.Field) names {
	n := names{ids: make(map[string]int, 32), above: make([]int, len(fields))}
	var buf [256]byte
	for i, f := range fields {
		key := lowerASCII(buf[:0], f.Name())
		id, ok := n.ids[string(key)]
		if !ok {
			id = len(n.last)
			n.ids[string(key)] = id
			n.last = append(n.last, -1)
		}
		n.above[i] = n.last[id]
		n.last[id] = i
	}
	for _, name := range shownFields() {
		id, ok := n.ids[strings.ToLower(name)]
		if !ok {
			id = -1
		}
		n.shown = append(n.shown, id)
	}
	return n
}

// digest hashes the fields that s covers and the field of s itself (RFC 6376
// section 3.7), and notes which they are.
func (v *Verifier) digest(s *Signature) ([sha256.Size]byte, bool) {
	var sum [sha256.Size]byte
	if v.names.ids == nil {
		v.names = newNames(v.fields)
	}
	// Fields are selected from the bottom up; a name that occurs in h= more
	// often than in the header covers the absence of another field (RFC 6376
	// section 5.4.2).
	v.queue = append(v.queue[:0], v.names.last...)
	size := 0
	h := sha256.New()
	v.buf = v.buf[:0]
	var lower [256]byte
	for i := range s.Headers {
		c := &s.Headers[i]
		if len(c.Name) > len(lower) {
			continue
		}
		id, ok := v.names.ids[string(lowerASCII(lower[:0], c.Name))]
		if !ok || v.queue[id] < 0 {
			continue
		}
		f := v.fields[v.queue[id]]
		v.queue[id] = v.names.above[v.queue[id]]
		c.Index = f.Index()
		size += len(f.Raw())
		v.buf = AppendField(v.buf, v.msg, f, s.HeaderCanon)
		if len(v.buf) >= 16<<10 {
			h.Write(v.buf)
			v.buf = v.buf[:0]
		}
	}
	for i, id := range v.names.shown {
		if id >= 0 && v.queue[id] >= 0 && v.queue[id] != v.names.last[id] {
			s.Unsigned = append(s.Unsigned, shownFields()[i])
		}
	}
	v.buf = s.AppendSelf(v.buf, v.msg)
	h.Write(v.buf)
	h.Sum(sum[:0])
	return sum, v.opts.Budget.Spend(size + len(s.Field.Raw()))
}

// AppendSelf appends the canonical form of the signature's own field as it is
// signed: with the value of b= taken out and without the final CR LF (RFC 6376
// section 3.7).
func (s *Signature) AppendSelf(dst []byte, m *eml.Message) []byte {
	dst = appendName(dst, m, s.Field, s.HeaderCanon)
	raw := s.Field.Raw()
	if b, ok := s.tags.get("b"); ok {
		raw = raw[:b.start] + raw[b.end:]
	}
	return appendValue(dst, raw, s.HeaderCanon)
}
