package zone

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/resolve"
)

// Error is a mistake in a zone file.
type Error struct {
	Line, Col int // from 1; Col counts bytes
	Msg       string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("zone: %d:%d: %s", e.Line, e.Col, e.Msg) }

// Errors are the mistakes of a file in order, at most 20 of them.
type Errors []*Error

// Error implements error.
func (e Errors) Error() string {
	if len(e) == 0 {
		return "zone: no error"
	}
	s := e[0].Error()
	if n := len(e) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Unwrap gives the single mistakes to errors.Is and errors.AsType.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, err := range e {
		all[i] = err
	}
	return all
}

const maxErrors = 20

func errorAt(t token, format string, args ...any) *Error {
	return &Error{Line: t.line, Col: t.col, Msg: fmt.Sprintf(format, args...)}
}

// Parse reads a zone file. Names without a trailing dot are below $ORIGIN, and
// below the root where there was none. Records of types that sekisho does not
// ask for are skipped, but their names exist.
//
// The error is of type [Errors] for mistakes in the file, [ErrTooLarge] for a
// file over 64 MiB, 1,000,000 records or 2,000,000 names, or that of r.
func Parse(r io.Reader) (*Zone, error) {
	text, err := read(r, maxBytes)
	if err != nil {
		return nil, err
	}
	return ParseString(text)
}

// read reads at most limit bytes.
func read(r io.Reader, limit int64) (string, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return "", fmt.Errorf("reading a zone: %w", err)
	}
	if int64(len(b)) > limit {
		return "", ErrTooLarge
	}
	return string(b), nil
}

// ParseString reads a zone file from a string, as [Parse] does.
func ParseString(text string) (*Zone, error) {
	if len(text) > maxBytes {
		return nil, ErrTooLarge
	}
	return parse(New(), text)
}

// parse adds what text says to z.
func parse(z *Zone, text string) (*Zone, error) {
	// A file that an editor saved with a byte order mark would else start with
	// an odd name.
	text = strings.TrimPrefix(text, "\ufeff")
	p := parser{zone: z, origin: resolve.Root}
	lex := lexer{text: text, line: 1}
	var errs Errors
	for {
		e, err, ok := lex.next()
		if !ok {
			break
		}
		if err == nil {
			err = p.entry(e)
		}
		if p.tooLarge {
			return nil, ErrTooLarge
		}
		if err != nil {
			if errs = append(errs, err); len(errs) == maxErrors {
				break
			}
		}
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return p.zone, nil
}

// FromMap builds a zone from records by name, for tests: each a type and what
// stands after it in a zone file, "MX 10 mail.a.test", save that the text of a
// TXT record is taken as it is, "TXT v=DMARC1; p=none", without quotes and
// escapes. The words of the directives stand for themselves: "SERVFAIL",
// "TIMEOUT TXT", "AD". Names are absolute. The order within a name is kept.
func FromMap(m map[string][]string) (*Zone, error) {
	z := New()
	for _, name := range slices.Sorted(maps.Keys(m)) {
		for _, s := range m[name] {
			if err := z.addText(name, s); err != nil {
				return nil, fmt.Errorf("zone: %q of %s: %w", s, name, err)
			}
		}
	}
	return z, nil
}

func (z *Zone) addText(name, s string) error {
	word, rest, _ := strings.Cut(s, " ")
	if strings.EqualFold(word, "TXT") {
		return z.Add(resolve.Record{Name: name, Type: resolve.TypeTXT, TTL: defaultTTL, Text: rest})
	}
	owner, ok := resolve.Normalize(name)
	if !ok {
		return fmt.Errorf("the owner is no name")
	}
	p := parser{zone: z, origin: resolve.Root, ttl: defaultTTL, hasTTL: true}
	lex := lexer{text: s, line: 1}
	e, err, ok := lex.next()
	switch {
	case err != nil:
		return err
	case !ok || len(e.tokens) == 0:
		return fmt.Errorf("no record")
	}
	if _, known := resolve.ParseType(word); !known {
		args := append([]token{{text: resolve.FileName(owner)}}, e.tokens[1:]...)
		err = p.directive(token{text: strings.ToLower(word), line: 1, col: 1}, args)
	} else {
		err = p.record(owner, e.tokens)
	}
	if err != nil {
		return err
	}
	return nil
}

// parser is the state that one entry leaves to the next.
type parser struct {
	zone     *Zone
	origin   string
	owner    string
	ttl      time.Duration // $TTL, or that of the record before
	fixedTTL bool          // from $TTL
	hasTTL   bool
	tooLarge bool
}

func (p *parser) entry(e line) *Error {
	if len(e.tokens) == 0 {
		return p.comment(e.comment)
	}
	first := e.tokens[0]
	if !e.blank && !first.quoted && strings.HasPrefix(first.text, "$") {
		return p.control(e.tokens)
	}
	if !e.blank {
		owner, err := p.name(first)
		if err != nil {
			return err
		}
		p.owner = owner
		e.tokens = e.tokens[1:]
	} else if p.owner == "" {
		return errorAt(first, "the first record has no owner")
	}
	if len(e.tokens) == 0 {
		return errorAt(first, "no record after the owner")
	}
	return p.record(p.owner, e.tokens)
}

// comment obeys a directive. Other comments are skipped, such as "; !!!".
func (p *parser) comment(c token) *Error {
	text := strings.TrimLeft(strings.TrimLeft(c.text, ";"), " \t")
	text, ok := strings.CutPrefix(text, "!")
	if !ok || text == "" || text[0] < 'a' || text[0] > 'z' {
		return nil
	}
	lex := lexer{text: text, line: c.line}
	lex.lineStart = -(c.col - 1 + len(c.text) - len(text))
	e, err := lex.entry()
	if err != nil {
		return err
	}
	return p.directive(e.tokens[0], e.tokens[1:])
}

func (p *parser) directive(word token, args []token) *Error {
	if word.text == "ad" && len(args) == 0 {
		p.zone.adAll = true
		return nil
	}
	code, ok := faultCode(word.text)
	if !ok && word.text != "ad" {
		return errorAt(word, "no such directive: %q", word.text)
	}
	if len(args) == 0 || len(args) > 3 || word.text == "ad" && len(args) > 2 {
		return errorAt(word, "!%s takes a name, and perhaps a type and a TTL", word.text)
	}
	name, err := p.name(args[0])
	if err != nil {
		return err
	}
	var t resolve.Type
	if len(args) > 1 {
		if t, ok = resolve.ParseType(args[1].text); !ok {
			return errorAt(args[1], "no such type: %q", args[1].text)
		}
	}
	if word.text == "ad" {
		p.zone.ad[question{name, t}] = true
		return nil
	}
	f := fault{code: code}
	if len(args) > 2 {
		if f.ttl, ok = parseTTL(args[2].text); !ok {
			return errorAt(args[2], "no TTL: %q", args[2].text)
		}
	}
	p.zone.setFault(name, t, f)
	return nil
}

// control obeys $ORIGIN and $TTL.
func (p *parser) control(tokens []token) *Error {
	word := tokens[0]
	if len(tokens) != 2 {
		return errorAt(word, "%s takes one argument", word.text)
	}
	switch strings.ToUpper(word.text) {
	case "$ORIGIN":
		origin, err := p.name(tokens[1])
		if err != nil {
			return err
		}
		p.origin = origin
		return nil
	case "$TTL":
		ttl, ok := parseTTL(tokens[1].text)
		if !ok {
			return errorAt(tokens[1], "no TTL: %q", tokens[1].text)
		}
		p.ttl, p.fixedTTL, p.hasTTL = ttl, true, true
		return nil
	case "$INCLUDE", "$GENERATE":
		return errorAt(word, "%s is not supported: write the records out", word.text)
	default:
		return errorAt(word, "no such entry: %q", word.text)
	}
}

// record reads "[TTL] [class] type data" in either order of the first two.
func (p *parser) record(owner string, tokens []token) *Error {
	last := tokens[len(tokens)-1]
	ttl, explicit := time.Duration(0), false
	class := false
	for len(tokens) > 0 {
		t := tokens[0]
		if d, ok := parseTTL(t.text); ok && !explicit && !t.quoted {
			ttl, explicit = d, true
		} else if strings.EqualFold(t.text, "IN") && !class {
			class = true
		} else if c := strings.ToUpper(t.text); c == "CH" || c == "HS" || c == "CS" {
			return errorAt(t, "only class IN is read, not %s", c)
		} else {
			break
		}
		tokens = tokens[1:]
	}
	if len(tokens) == 0 {
		return errorAt(last, "no type after %q", last.text)
	}
	r := resolve.Record{Name: owner}
	typ := tokens[0]
	var ok bool
	if r.Type, ok = resolve.ParseType(typ.text); !ok || typ.quoted {
		if !isOtherType(typ.text) {
			return errorAt(typ, "no such type: %q", typ.text)
		}
		n, err := p.zone.node(owner)
		if err != nil {
			p.tooLarge = true
			return nil
		}
		n.other = true
		return nil
	}
	if err := p.data(&r, typ, tokens[1:]); err != nil {
		return err
	}
	switch {
	case explicit:
		r.TTL = ttl
	case p.hasTTL:
		r.TTL = p.ttl
	case r.SOA != nil:
		r.TTL = r.SOA.Minimum // RFC 1035 section 3.3.13, where no $TTL replaces it
	default:
		r.TTL = defaultTTL
	}
	if !p.fixedTTL {
		p.ttl, p.hasTTL = r.TTL, true // RFC 1035 section 5.1: omitted ones default to the last
	}
	if err := p.zone.Add(r); err != nil {
		p.tooLarge = true
	}
	return nil
}

// data reads what stands after the type.
func (p *parser) data(r *resolve.Record, typ token, args []token) *Error {
	if len(args) > 0 && args[0].text == `\#` {
		return errorAt(args[0], "write %s in its own form, not as in RFC 3597", r.Type)
	}
	want, open := 1, false // open: the last value may stand in several words
	switch r.Type {
	case resolve.TypeMX:
		want = 2
	case resolve.TypeSOA:
		want = 7
	case resolve.TypeDS, resolve.TypeTLSA:
		want, open = 4, true
	case resolve.TypeTXT:
		open = true
	default:
	}
	if len(args) < want || len(args) > want && !open {
		values := "values"
		if want == 1 {
			values = "value"
		}
		return errorAt(typ, "%s takes %d %s, and there are %d", r.Type, want, values, len(args))
	}
	var err *Error
	switch r.Type {
	case resolve.TypeA, resolve.TypeAAAA:
		ip, perr := netip.ParseAddr(args[0].text)
		if perr != nil || ip.Is4() != (r.Type == resolve.TypeA) || ip.Zone() != "" {
			return errorAt(args[0], "no address for %s: %q", r.Type, args[0].text)
		}
		r.Addr = ip
	case resolve.TypeCNAME, resolve.TypeNS, resolve.TypePTR:
		r.Host, err = p.name(args[0])
	case resolve.TypeMX:
		var pref uint64
		if pref, err = number(args[0], math.MaxUint16); err == nil {
			r.Pref = uint16(pref)
			r.Host, err = p.name(args[1])
		}
	case resolve.TypeTXT:
		r.Text, err = text(args)
	case resolve.TypeSOA:
		r.SOA, err = p.soa(args)
	case resolve.TypeDS, resolve.TypeTLSA:
		err = digest(r, args)
	}
	return err
}

func (p *parser) soa(args []token) (*resolve.SOA, *Error) {
	var s resolve.SOA
	var err *Error
	if s.MName, err = p.name(args[0]); err != nil {
		return nil, err
	}
	if s.RName, err = p.name(args[1]); err != nil {
		return nil, err
	}
	serial, err := number(args[2], math.MaxUint32)
	if err != nil {
		return nil, err
	}
	s.Serial = uint32(serial)
	for i, d := range []*time.Duration{&s.Refresh, &s.Retry, &s.Expire, &s.Minimum} {
		var ok bool
		if *d, ok = parseTTL(args[3+i].text); !ok {
			return nil, errorAt(args[3+i], "no number of seconds: %q", args[3+i].text)
		}
	}
	return &s, nil
}

// digest reads a DS or TLSA record: three numbers and hexadecimal digits, which
// may stand in several words.
func digest(r *resolve.Record, args []token) *Error {
	limits := [3]uint64{math.MaxUint8, math.MaxUint8, math.MaxUint8}
	if r.Type == resolve.TypeDS {
		limits[0] = math.MaxUint16
	}
	var n [3]uint64
	for i := range n {
		var err *Error
		if n[i], err = number(args[i], limits[i]); err != nil {
			return err
		}
	}
	var b []byte
	for _, t := range args[3:] {
		part, err := hex.DecodeString(t.text)
		if err != nil {
			return errorAt(t, "no hexadecimal digits: %q", t.text)
		}
		b = append(b, part...)
	}
	if r.Type == resolve.TypeDS {
		r.DS = &resolve.DS{KeyTag: uint16(n[0]), Algorithm: uint8(n[1]), DigestType: uint8(n[2]), Digest: b}
	} else {
		r.TLSA = &resolve.TLSA{Usage: uint8(n[0]), Selector: uint8(n[1]), MatchingType: uint8(n[2]), Data: b}
	}
	return nil
}

// text joins the strings of a TXT record.
func text(args []token) (string, *Error) {
	const (
		maxString = 255   // RFC 1035 section 3.3
		maxText   = 65535 // RDLENGTH
	)
	var b strings.Builder
	for _, t := range args {
		start := b.Len()
		for i := 0; i < len(t.text); i++ {
			c := t.text[i]
			if c == '\\' {
				var n int
				if c, n = resolve.Unescape(t.text[i:]); n == 0 {
					return "", errorAt(t, `an escape is "\X" or three digits up to 255`)
				}
				i += n - 1
			}
			b.WriteByte(c)
		}
		if n := b.Len() - start; n > maxString {
			return "", errorAt(t, "a string of %d bytes: split it into strings of at most %d", n, maxString)
		}
		if b.Len() > maxText {
			return "", errorAt(t, "a text of over %d bytes", maxText)
		}
	}
	return b.String(), nil
}

// name returns the absolute name of a token.
func (p *parser) name(t token) (string, *Error) {
	if t.quoted {
		return "", errorAt(t, "a name is not quoted")
	}
	if t.text == "@" {
		return p.origin, nil
	}
	s := t.text
	if s != resolve.Root && !absolute(s) && p.origin != resolve.Root {
		s += "." + p.origin
	}
	n, ok := resolve.Normalize(s)
	if !ok {
		return "", errorAt(t, "not a name: %q", t.text)
	}
	return n, nil
}

// absolute reports whether s ends in a dot that is not escaped.
func absolute(s string) bool {
	rest, ok := strings.CutSuffix(s, ".")
	if !ok {
		return false
	}
	return (len(rest)-len(strings.TrimRight(rest, `\`)))%2 == 0
}

func number(t token, limit uint64) (uint64, *Error) {
	n, err := strconv.ParseUint(t.text, 10, 64)
	if err != nil || n > limit || t.quoted {
		return 0, errorAt(t, "no number up to %d: %q", limit, t.text)
	}
	return n, nil
}

// parseTTL reads seconds, or the units that name servers take: "1h30m".
func parseTTL(s string) (time.Duration, bool) {
	const limit = math.MaxInt32 // RFC 2181 section 8
	if s == "" || len(s) > 20 || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	var total, n uint64
	digits := false
	for i := range len(s) {
		c := s[i]
		if '0' <= c && c <= '9' {
			if n = n*10 + uint64(c-'0'); n > limit {
				return 0, false
			}
			digits = true
			continue
		}
		if !digits {
			return 0, false
		}
		switch c | 0x20 {
		case 's':
			total += n
		case 'm':
			total += n * 60
		case 'h':
			total += n * 60 * 60
		case 'd':
			total += n * 24 * 60 * 60
		case 'w':
			total += n * 7 * 24 * 60 * 60
		default:
			return 0, false
		}
		n, digits = 0, false
	}
	if total += n; total > limit {
		return 0, false
	}
	return time.Duration(total) * time.Second, true
}

// isOtherType reports whether s is a type that exists and is skipped: one that
// IANA lists, or any in the form of RFC 3597 section 5.
func isOtherType(s string) bool {
	s = strings.ToUpper(s)
	if n, ok := strings.CutPrefix(s, "TYPE"); ok {
		v, err := strconv.ParseUint(n, 10, 16)
		return err == nil && v > 0
	}
	return slices.Contains([]string{
		"AFSDB", "AMTRELAY", "APL", "CAA", "CDNSKEY", "CDS", "CERT", "CSYNC", "DHCID", "DLV", "DNAME", "DNSKEY",
		"EUI48", "EUI64", "GPOS", "HINFO", "HIP", "HTTPS", "IPSECKEY", "ISDN", "KEY", "KX", "LOC", "MB", "MG",
		"MINFO", "MR", "NAPTR", "NSAP", "NSEC", "NSEC3", "NSEC3PARAM", "OPENPGPKEY", "PX", "RESINFO", "RP",
		"RRSIG", "RT", "SIG", "SMIMEA", "SPF", "SRV", "SSHFP", "SVCB", "TA", "TALINK", "URI", "WKS", "X25", "ZONEMD",
	}, s)
}
