package dkim

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
)

// Bounds on what is read of one field.
const (
	maxField     = 64 << 10
	maxSignature = 4096 // octets of b= and bh= in base64, white space left out
)

// Algorithms by name (RFC 6376 section 3.3, RFC 8463).
const (
	rsaSHA256     = "rsa-sha256"
	rsaSHA1       = "rsa-sha1"
	ed25519SHA256 = "ed25519-sha256"
)

// FieldName is the name of the field that holds a DKIM signature.
const FieldName = "DKIM-Signature"

// Parse reads a field as a signature of the form, without checking it. What is
// wrong with it is in Reason, and Status is set only then. What could be read
// is there in any case.
func Parse(f eml.Field, form Form) Signature {
	s := Signature{Field: f, Form: form, BodyLength: whole, HeaderCanon: Simple, BodyCanon: Simple}
	if form == ARCSeal {
		s.HeaderCanon = Relaxed
	}
	s.parse()
	return s
}

func (s *Signature) parse() {
	if len(s.Field.Raw()) > maxField {
		s.refuse(SyntaxError, "")
		return
	}
	tags, wrong := parseTags(s.Field.Raw())
	switch {
	case wrong != nil && wrong.duplicate:
		s.refuse(DuplicateTag, wrong.name)
		return
	case wrong != nil:
		s.refuse(SyntaxError, wrong.name)
		return
	}
	s.tags = tags
	// The first mistake is the one to report. The rest is read all the same,
	// because whoever looks at the result wants to know whose signature it is.
	s.first(s.parseVersion())
	s.first(s.parseNames())
	s.first(s.parseAlgorithm())
	s.first(s.parseRequired())
	s.first(s.parseCanon())
	s.first(s.parseHeaders())
	s.first(s.parseIdentity())
	s.first(s.parseTimes())
	s.first(s.parseLength())
	s.first(s.parseQuery())
	s.first(s.parseHashes())
}

func (s *Signature) first(r Reason, detail string) {
	if r != "" && s.Reason == "" {
		s.refuse(r, detail)
	}
}

func (s *Signature) parseVersion() (Reason, string) {
	if s.Form != DKIMSignature {
		return "", "" // RFC 8617 section 4.1.2: a version tag is ignored
	}
	v, ok := s.Tag("v")
	if !ok {
		return MissingTag, "v"
	}
	if v != "1" {
		return VersionUnknown, "v"
	}
	return "", ""
}

func (s *Signature) parseNames() (Reason, string) {
	d, hasD := s.Tag("d")
	sel, hasS := s.Tag("s")
	if !hasD {
		return MissingTag, "d"
	}
	name, err := domain.Parse(d)
	if err != nil || strings.HasSuffix(d, ".") {
		return SyntaxError, "d"
	}
	s.Domain = name
	if !hasS {
		return MissingTag, "s"
	}
	const under = "._domainkey."
	if sel == "" || strings.HasSuffix(sel, ".") || len(sel) > 255 {
		return SyntaxError, "s"
	}
	query, err := domain.Parse(sel + under + string(name))
	if err != nil {
		return SyntaxError, "s"
	}
	s.query = string(query)
	s.Selector = strings.TrimSuffix(s.query, under+string(name))
	return "", ""
}

func (s *Signature) parseAlgorithm() (Reason, string) {
	a, ok := s.Tag("a")
	if !ok {
		return MissingTag, "a"
	}
	s.Algorithm = short(a)
	switch a {
	case rsaSHA256, ed25519SHA256:
		return "", ""
	case rsaSHA1:
		return AlgorithmSHA1, "a"
	}
	return AlgorithmUnknown, "a"
}

// parseRequired looks for the tags that must be there and that the other
// functions would not miss.
func (s *Signature) parseRequired() (Reason, string) {
	for _, name := range []string{"b", "bh", "h"} {
		if s.Form == ARCSeal && name != "b" {
			continue
		}
		if _, ok := s.Tag(name); !ok {
			return MissingTag, name
		}
	}
	return "", ""
}

func (s *Signature) parseCanon() (Reason, string) {
	c, ok := s.Tag("c")
	if !ok || s.Form == ARCSeal {
		return "", ""
	}
	header, body, both := strings.Cut(c, "/")
	if !both {
		body = string(Simple)
	}
	for _, c := range []string{header, body} {
		if c != string(Simple) && c != string(Relaxed) {
			return CanonUnknown, "c"
		}
	}
	s.HeaderCanon, s.BodyCanon = Canonicalization(header), Canonicalization(body)
	return "", ""
}

func (s *Signature) parseHeaders() (Reason, string) {
	h, ok := s.Tag("h")
	if !ok || s.Form == ARCSeal {
		return "", ""
	}
	s.Headers = make([]Covered, 0, strings.Count(h, ":")+1)
	from := false
	for name := range strings.SplitSeq(h, ":") {
		name = trimFWS(name)
		if !isFieldName(name) {
			// Chains of ARC that hold have an empty h=, or an empty name in it.
			if name == "" && s.Form == ARCMessageSignature {
				continue
			}
			return SyntaxError, "h"
		}
		from = from || equalFold(name, "from")
		s.Headers = append(s.Headers, Covered{Name: name})
	}
	if !from && s.Form == DKIMSignature {
		return FromNotSigned, "h"
	}
	return "", ""
}

// isFieldName reports whether s is a field name of RFC 5322 section 3.6.8.
func isFieldName(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' || s[i] == ':' {
			return false
		}
	}
	return s != ""
}

func (s *Signature) parseIdentity() (Reason, string) {
	if s.Form != DKIMSignature {
		return "", ""
	}
	i, ok := s.Tag("i")
	if !ok {
		if s.Domain != "" {
			s.Identity = "@" + string(s.Domain)
		}
		return "", ""
	}
	// The local part is quoted-printable (RFC 6376 section 2.11) and may hold
	// an "@" in quotes; a domain cannot.
	at := strings.LastIndexByte(i, '@')
	if at < 0 || len(i) > 1024 {
		return SyntaxError, "i"
	}
	name, err := domain.Parse(trimFWS(i[at+1:]))
	if err != nil {
		return SyntaxError, "i"
	}
	s.Identity = unquote(i[:at]) + "@" + string(name)
	if s.Domain != "" && name != s.Domain && !strings.HasSuffix(string(name), "."+string(s.Domain)) {
		return DomainMismatch, "i"
	}
	return "", ""
}

// unquote undoes dkim-quoted-printable: white space is dropped, "=3D" is an
// octet.
func unquote(v string) string {
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		switch {
		case isFWS(v[i]):
		case v[i] == '=' && i+2 < len(v) && isHex(v[i+1]) && isHex(v[i+2]):
			b.WriteByte(unhex(v[i+1])<<4 | unhex(v[i+2]))
			i += 2
		default:
			b.WriteByte(v[i])
		}
	}
	return printable(b.String())
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'F' }

func unhex(c byte) byte {
	if c >= 'A' {
		return c - 'A' + 10
	}
	return c - '0'
}

func (s *Signature) parseTimes() (Reason, string) {
	signed, expires := int64(0), int64(0)
	if t, ok := s.Tag("t"); ok {
		n, ok := number(t)
		if !ok {
			return SyntaxError, "t"
		}
		signed = n
		s.Timestamp = seconds(n)
	}
	x, ok := s.Tag("x")
	if !ok || s.Form == ARCSeal {
		return "", ""
	}
	expires, ok = number(x)
	if !ok {
		return SyntaxError, "x"
	}
	s.Expiration = seconds(expires)
	if !s.Timestamp.IsZero() && expires <= signed {
		return ExpiresFirst, "x"
	}
	return "", ""
}

// seconds returns the time of a Unix time, at most of the year 9999, so that
// every format of output can write it.
func seconds(n int64) time.Time {
	const last = 253402300799
	return time.Unix(min(n, last), 0).UTC()
}

func (s *Signature) parseLength() (Reason, string) {
	l, ok := s.Tag("l")
	if !ok || s.Form == ARCSeal {
		return "", ""
	}
	n, ok := number(l)
	if !ok {
		return SyntaxError, "l"
	}
	s.BodyLength = n
	return "", ""
}

func (s *Signature) parseQuery() (Reason, string) {
	q, ok := s.Tag("q")
	if !ok || s.Form == ARCSeal {
		return "", ""
	}
	for method := range strings.SplitSeq(q, ":") {
		if trimFWS(method) == "dns/txt" {
			return "", ""
		}
	}
	return QueryUnknown, "q"
}

func (s *Signature) parseHashes() (Reason, string) {
	b, ok := decodeBase64(s, "b")
	if !ok {
		return SyntaxError, "b"
	}
	s.sig = b
	if s.Form == ARCSeal {
		return "", ""
	}
	bh, ok := decodeBase64(s, "bh")
	if !ok || len(bh) != len(s.bh) {
		return SyntaxError, "bh"
	}
	copy(s.bh[:], bh)
	return "", ""
}

func decodeBase64(s *Signature, name string) ([]byte, bool) {
	v, _ := s.Tag(name)
	if len(v) > 4*maxSignature {
		return nil, false
	}
	text := appendUnspaced(make([]byte, 0, len(v)), v)
	if len(text) > maxSignature {
		return nil, false
	}
	n, err := base64.StdEncoding.Decode(text, text)
	if err != nil || n == 0 {
		return nil, false
	}
	return text[:n], true
}
