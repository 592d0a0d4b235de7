package resolve

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Record is one record. Which fields are set depends on Type. Names are
// normalized (see [Normalize]).
type Record struct {
	Name string // the owner
	Type Type
	TTL  time.Duration

	Addr netip.Addr // A, AAAA
	Host string     // CNAME, MX, NS, PTR; [Root] for a null MX
	Pref uint16     // MX
	Text string     // TXT: the strings, joined without a space (RFC 7208 section 3.3)
	SOA  *SOA
	DS   *DS
	TLSA *TLSA
}

// SOA is the start of a zone of authority (RFC 1035 section 3.3.13).
type SOA struct {
	MName, RName                    string
	Serial                          uint32
	Refresh, Retry, Expire, Minimum time.Duration
}

// DS says which key signs a delegated zone (RFC 4034 section 5).
type DS struct {
	KeyTag                uint16
	Algorithm, DigestType uint8
	Digest                []byte
}

// TLSA binds a certificate to a name (RFC 6698 section 2).
type TLSA struct {
	Usage, Selector, MatchingType uint8
	Data                          []byte
}

// String writes the record in the master format of RFC 1035 section 5.1, with
// absolute names, on one line.
func (r Record) String() string {
	return FileName(r.Name) + " " + seconds(r.TTL) + " IN " + r.Type.String() + " " + r.Data()
}

// Data writes what the record says, without owner and type, as it stands in
// a zone file.
func (r Record) Data() string {
	switch r.Type {
	case TypeA, TypeAAAA:
		return r.Addr.String()
	case TypeCNAME, TypeNS, TypePTR:
		return FileName(r.Host)
	case TypeMX:
		return strconv.Itoa(int(r.Pref)) + " " + FileName(r.Host)
	case TypeTXT:
		return quoteText(r.Text)
	case TypeSOA:
		if s := r.SOA; s != nil {
			return fmt.Sprintf("%s %s %d %s %s %s %s", FileName(s.MName), FileName(s.RName), s.Serial,
				seconds(s.Refresh), seconds(s.Retry), seconds(s.Expire), seconds(s.Minimum))
		}
	case TypeDS:
		if d := r.DS; d != nil {
			return fmt.Sprintf("%d %d %d %s", d.KeyTag, d.Algorithm, d.DigestType, hex.EncodeToString(d.Digest))
		}
	case TypeTLSA:
		if d := r.TLSA; d != nil {
			return fmt.Sprintf("%d %d %d %s", d.Usage, d.Selector, d.MatchingType, hex.EncodeToString(d.Data))
		}
	}
	return `\# 0` // RFC 3597 section 5: nothing known about it
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// FileName writes a normalized name as a zone file wants it: with the trailing
// dot, and with a backslash before whatever has a meaning there.
func FileName(name string) string {
	if name == Root || name == "" {
		return Root
	}
	if !strings.ContainsAny(name, `";()@$`) {
		return name + "."
	}
	var b strings.Builder
	for i := range len(name) {
		if strings.IndexByte(`";()@$`, name[i]) >= 0 { // never escaped in a normalized name
			b.WriteByte('\\')
		}
		b.WriteByte(name[i])
	}
	return b.String() + "."
}

// quoteText writes a text as strings of at most 255 octets (RFC 1035 section
// 3.3), each in quotes.
func quoteText(s string) string {
	const maxString = 255
	var b strings.Builder
	b.Grow(len(s) + 2)
	for first := true; first || s != ""; first = false {
		if !first {
			b.WriteByte(' ')
		}
		n := min(len(s), maxString)
		b.WriteByte('"')
		for i := range n {
			switch c := s[i]; {
			case c == '"' || c == '\\':
				b.WriteByte('\\')
				b.WriteByte(c)
			case c < ' ' || c > '~':
				b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
			default:
				b.WriteByte(c)
			}
		}
		b.WriteByte('"')
		s = s[n:]
	}
	return b.String()
}
