package spf

import (
	"net/netip"
	"strconv"
	"strings"
)

// Kind says what a term of a record is.
type Kind string

// The mechanisms (RFC 7208 section 5) and modifiers (section 6).
const (
	KindAll      Kind = "all"
	KindInclude  Kind = "include"
	KindA        Kind = "a"
	KindMX       Kind = "mx"
	KindPTR      Kind = "ptr"
	KindIP4      Kind = "ip4"
	KindIP6      Kind = "ip6"
	KindExists   Kind = "exists"
	KindRedirect Kind = "redirect"
	KindExp      Kind = "exp"
	KindUnknown  Kind = "unknown" // a modifier that RFC 7208 does not define, which is ignored
)

// Qualifier is the result that a mechanism gives when it matches (RFC 7208
// section 4.6.2).
type Qualifier string

// The qualifiers.
const (
	QualifierPass     Qualifier = "+"
	QualifierFail     Qualifier = "-"
	QualifierSoftfail Qualifier = "~"
	QualifierNeutral  Qualifier = "?"
)

// Status returns the result that the qualifier stands for.
func (q Qualifier) Status() Status {
	switch q {
	case QualifierFail:
		return StatusFail
	case QualifierSoftfail:
		return StatusSoftfail
	case QualifierNeutral:
		return StatusNeutral
	default:
		return StatusPass
	}
}

// Term is a directive or a modifier of a record.
type Term struct {
	Text      string // as it was written
	Offset    int    // of Text in the record, in bytes
	Kind      Kind
	Name      string    // lower case
	Qualifier Qualifier // of a directive; empty for a modifier

	// Target is the domain-spec, or the value of an unknown modifier. It is
	// empty where the term has none, which means the domain of the record.
	Target Macro

	Prefix       netip.Prefix // ip4, ip6
	Bits4, Bits6 int          // a, mx: 32 and 128 unless the term says otherwise
}

// Modifier reports whether the term is a modifier.
func (t Term) Modifier() bool {
	return t.Kind == KindRedirect || t.Kind == KindExp || t.Kind == KindUnknown
}

// Counts reports whether evaluating the term counts as one of the ten lookups
// of RFC 7208 section 4.6.4.
func (t Term) Counts() bool {
	switch t.Kind {
	case KindInclude, KindA, KindMX, KindPTR, KindExists, KindRedirect:
		return true
	default:
		return false
	}
}

// String writes the term in its shortest form: names in lower case, and nothing
// that is a default.
func (t Term) String() string {
	s := t.Name
	if t.Qualifier != QualifierPass {
		s = string(t.Qualifier) + s
	}
	if t.Modifier() {
		return s + "=" + t.Target.String()
	}
	if t.Kind == KindIP4 || t.Kind == KindIP6 {
		s += ":" + t.Prefix.Addr().String()
		if t.Prefix.Bits() < t.Prefix.Addr().BitLen() {
			s += "/" + strconv.Itoa(t.Prefix.Bits())
		}
		return s
	}
	if target := t.Target.String(); target != "" {
		s += ":" + target
	}
	if t.Kind == KindA || t.Kind == KindMX {
		if t.Bits4 < 32 {
			s += "/" + strconv.Itoa(t.Bits4)
		}
		if t.Bits6 < 128 {
			s += "//" + strconv.Itoa(t.Bits6)
		}
	}
	return s
}

// Record is an SPF record.
type Record struct {
	Text  string // as it was published
	Terms []Term
}

const version = "v=spf1"

// IsRecord reports whether a TXT record is an SPF record, whether or not the
// rest of it can be read (RFC 7208 section 4.5).
func IsRecord(txt string) bool {
	return len(txt) >= len(version) && strings.EqualFold(txt[:len(version)], version) &&
		(len(txt) == len(version) || txt[len(version)] == ' ')
}

// maxRecord is the size of the largest TXT record that DNS can carry.
const maxRecord = 65535

// ParseRecord reads an SPF record (RFC 7208 section 12). For a record with
// mistakes the error is of type [SyntaxErrors], and the Record has the terms
// that could be read; such a record must not be evaluated.
func ParseRecord(txt string) (*Record, error) {
	r := &Record{Text: txt}
	if !IsRecord(txt) {
		return r, SyntaxErrors{*syntaxError(CodeVersion, 0, clip(txt))}
	}
	if len(txt) > maxRecord {
		return r, SyntaxErrors{*syntaxError(CodeTooLong, 0, "")}
	}
	var errs SyntaxErrors
	fail := func(e *SyntaxError) {
		if len(errs) < maxSyntaxErrors {
			errs = append(errs, *e)
		}
	}
	r.Terms = make([]Term, 0, min(strings.Count(txt, " "), 32))
	redirect, exp := false, false
	for offset := len(version); offset < len(txt); {
		if txt[offset] == ' ' {
			offset++
			continue
		}
		end := offset + len(txt[offset:])
		if i := strings.IndexByte(txt[offset:], ' '); i >= 0 {
			end = offset + i
		}
		t := Term{Text: txt[offset:end], Offset: offset}
		err := t.parse()
		offset = end
		if err == nil && (t.Kind == KindRedirect && redirect || t.Kind == KindExp && exp) {
			err = syntaxError(CodeDuplicate, 0, t.Name)
		}
		if err != nil {
			err.Offset += t.Offset
			err.Term = clip(t.Text)
			fail(err)
			continue
		}
		redirect = redirect || t.Kind == KindRedirect
		exp = exp || t.Kind == KindExp
		r.Terms = append(r.Terms, t)
	}
	if len(errs) > 0 {
		return r, errs
	}
	return r, nil
}

// String writes the record in its shortest form, with one space between terms.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString(version)
	for _, t := range r.Terms {
		b.WriteByte(' ')
		b.WriteString(t.String())
	}
	return b.String()
}

// Find returns the first term of a kind.
func (r *Record) Find(k Kind) (*Term, bool) {
	for i := range r.Terms {
		if r.Terms[i].Kind == k {
			return &r.Terms[i], true
		}
	}
	return nil, false
}

// parse fills in t from its Text. The offset of the error is within Text.
func (t *Term) parse() *SyntaxError {
	s := t.Text
	at := 0
	if strings.IndexByte("+-~?", s[0]) >= 0 {
		t.Qualifier = Qualifier(s[:1])
		at = 1
	}
	end := at
	for end < len(s) && isNameByte(s[end], end == at) {
		end++
	}
	t.Name = strings.ToLower(s[at:end])
	if end < len(s) && s[end] == '=' {
		return t.parseModifier(at, end)
	}
	if i := strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }); i >= 0 {
		return syntaxError(CodeCharacter, i, s[i:i+1])
	}
	switch t.Kind = Kind(t.Name); t.Kind {
	case KindAll, KindInclude, KindA, KindMX, KindPTR, KindIP4, KindIP6, KindExists:
	case KindRedirect, KindExp:
		return syntaxError(CodeEquals, at, t.Name)
	default:
		return syntaxError(CodeMechanism, at, clip(s[at:]))
	}
	if t.Qualifier == "" {
		t.Qualifier = QualifierPass
	}
	return t.parseArgument(end)
}

func isNameByte(c byte, first bool) bool {
	if 'a' <= c|0x20 && c|0x20 <= 'z' {
		return true
	}
	return !first && ('0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
}

func (t *Term) parseModifier(at, equals int) *SyntaxError {
	if equals == at {
		return syntaxError(CodeModifierName, at, clip(t.Text))
	}
	if at > 0 {
		return syntaxError(CodeQualifier, 0, t.Name)
	}
	where := inDomain
	switch t.Kind = Kind(t.Name); t.Kind {
	case KindRedirect, KindExp:
	default:
		t.Kind = KindUnknown
		where = inModifier
	}
	return t.parseTarget(t.Text[equals+1:], equals+1, where)
}

// parseTarget reads a macro-string that starts at offset.
func (t *Term) parseTarget(s string, offset int, where place) *SyntaxError {
	var err *SyntaxError
	if t.Target, err = parseMacro(s, where); err != nil {
		err.Offset += offset
		if err.Code == CodeNoDomain {
			err.Detail = t.Name
		}
	}
	return err
}

// parseArgument reads what follows the name of a mechanism, from offset on.
func (t *Term) parseArgument(offset int) *SyntaxError {
	arg, colon := strings.CutPrefix(t.Text[offset:], ":")
	body := offset
	if colon {
		body++
	}
	switch t.Kind {
	case KindAll:
		if t.Text[offset:] != "" {
			return syntaxError(CodeArgument, offset, t.Name)
		}
		return nil
	case KindInclude, KindExists:
		if !colon {
			return syntaxError(CodeNoDomain, offset, t.Name)
		}
		return t.parseTarget(arg, body, inDomain)
	case KindIP4, KindIP6:
		if !colon {
			return syntaxError(CodeNoAddress, offset, t.Name)
		}
		return t.parseNetwork(arg, body)
	case KindPTR:
		if !colon {
			if arg != "" {
				return syntaxError(CodeArgument, offset, t.Name)
			}
			return nil
		}
		return t.parseTarget(arg, body, inDomain)
	default: // a and mx
		rest, err := t.parseDualCIDR(arg)
		if err != nil {
			err.Offset += body
			return err
		}
		if colon {
			return t.parseTarget(rest, body, inDomain)
		}
		if rest != "" {
			return syntaxError(CodeCIDR, offset, clip(arg))
		}
		return nil
	}
}

// parseDualCIDR takes a dual-cidr-length off the end of s. A domain-spec may
// hold slashes, but must not end in one and digits.
func (t *Term) parseDualCIDR(s string) (rest string, _ *SyntaxError) {
	t.Bits4, t.Bits6 = 32, 128
	digits := len(strings.TrimRight(s, "0123456789"))
	if digits == 0 || s[digits-1] != '/' {
		return s, nil
	}
	var ok bool
	if digits > 1 && s[digits-2] == '/' {
		if t.Bits6, ok = prefixLength(s[digits:], 128); !ok {
			return s, syntaxError(CodeCIDR, digits-2, clip(s[digits-2:]))
		}
		s = s[:digits-2]
		if digits = len(strings.TrimRight(s, "0123456789")); digits == 0 || digits == len(s) || s[digits-1] != '/' {
			return s, nil
		}
	}
	if t.Bits4, ok = prefixLength(s[digits:], 32); !ok {
		return s, syntaxError(CodeCIDR, digits-1, clip(s[digits-1:]))
	}
	return s[:digits-1], nil
}

// prefixLength reads the digits of a prefix length. A leading zero is refused
// as in an address.
func prefixLength(s string, limit int) (int, bool) {
	if s == "" || len(s) > 3 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && n <= limit
}

// parseNetwork reads the argument of ip4 and ip6.
func (t *Term) parseNetwork(s string, offset int) *SyntaxError {
	addr, length, cidr := strings.Cut(s, "/")
	if s == "" {
		return syntaxError(CodeNoAddress, offset, t.Name)
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil || ip.Zone() != "" || ip.Is4() != (t.Kind == KindIP4) {
		return syntaxError(CodeNetwork, offset, clip(s))
	}
	bits := ip.BitLen()
	if cidr {
		n, ok := prefixLength(length, bits)
		if !ok {
			return syntaxError(CodeCIDR, offset+len(addr), clip(s[len(addr):]))
		}
		bits = n
	}
	t.Prefix = netip.PrefixFrom(ip, bits)
	return nil
}
