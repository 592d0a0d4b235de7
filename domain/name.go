// Package domain knows the names of hosts: how to read one that a stranger
// wrote, which part of it somebody registered, and whether it imitates another
// name.
//
// A [Name] is always the form that goes on the wire: lower case, A-labels, no
// trailing dot. What a person sees is [Name.Unicode]. Who registered a name is
// answered by [Organizational], from the Public Suffix List and from a list of
// our own of the suffixes under which Microsoft gives names to tenants. Whether
// a name was chosen to be mistaken for another is answered by [Lookalike].
//
// Everything here is a pure function of its arguments. The length of a name is
// bounded, and with it the work: comparing one with a target takes microseconds
// at the worst.
package domain

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Errors of [Parse]. They arrive wrapped with the reason.
var (
	ErrIP     = errors.New("domain: an address, not a name")
	ErrSyntax = errors.New("domain: not a host name")
	ErrLength = errors.New("domain: too long")
)

// Limits of RFC 1035 section 2.3.4, in bytes of the A-label form.
const (
	maxName  = 253 // without the trailing dot
	maxLabel = 63

	// maxInput bounds what is read at all. A name of 253 bytes cannot come
	// from more than 253 code points, save for those that IDNA drops.
	maxInput = 1024
)

// Name is the name of a host or of a domain: lower case, A-labels (RFC 5890
// section 2.3.2.1) separated by dots, without a trailing dot. It may consist of
// a single label. The zero Name is no name.
//
// Convert a string to a Name only if it came from [Parse].
type Name string

// lookup maps as UTS #46 asks of lookups, without the rules that real mail
// breaks: underscores (RFC 8552) are let through, and so are hyphens in the
// third and fourth place or at an end, which content networks use. The Bidi
// rule (RFC 5893) is left out because resolvers do not apply it.
var lookup = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
)

// Parse reads the name in s, which may be in any case, end in a dot, and hold
// U-labels (IDNA 2008 with the mapping of UTS #46). Underscores are allowed
// wherever a letter is.
//
// The error is [ErrIP] for an address, in brackets or bare; a name that ends in
// a number counts as one, as it does for browsers (WHATWG URL, "ends in a
// number checker"). It is [ErrLength] for a label over 63 or a name over 253
// bytes, and [ErrSyntax] for everything else that is no name. An A-label that
// does not decode is kept as it stands, because a resolver would ask for it.
func Parse(s string) (Name, error) {
	if len(s) > maxInput {
		return "", fmt.Errorf("reading a name of %d bytes: %w", len(s), ErrLength)
	}
	if strings.HasPrefix(s, "[") {
		return "", fmt.Errorf("reading %q: %w", s, ErrIP)
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return "", fmt.Errorf("reading %q: %w", s, ErrIP)
	}
	n := s
	if !isASCII(n) {
		if !utf8.ValidString(n) {
			return "", fmt.Errorf("reading %q: %w", s, ErrSyntax)
		}
		// UTS #46 section 4.5 reads these three as dots.
		n = dots.Replace(n)
	}
	n = strings.TrimSuffix(n, ".")
	if n == "" {
		return "", fmt.Errorf("reading an empty name: %w", ErrSyntax)
	}
	var b strings.Builder
	var last string
	for label := range strings.SplitSeq(n, ".") {
		label, err := parseLabel(label)
		if err != nil {
			return "", fmt.Errorf("reading %q: %w", s, err)
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(label)
		if b.Len() > maxName {
			return "", fmt.Errorf("reading %q: %w", s, ErrLength)
		}
		last = label
	}
	if isNumber(last) {
		return "", fmt.Errorf("reading %q: %w", s, ErrIP)
	}
	return Name(b.String()), nil
}

var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// parseLabel returns the A-label of one label.
func parseLabel(label string) (string, error) {
	if !isASCII(label) {
		a, err := lookup.ToASCII(label)
		if err != nil {
			return "", fmt.Errorf("label %q: %w", label, ErrSyntax)
		}
		label = a
	} else {
		label = strings.ToLower(label)
	}
	if label == "" {
		return "", fmt.Errorf("empty label: %w", ErrSyntax)
	}
	if len(label) > maxLabel {
		return "", fmt.Errorf("label %q: %w", label, ErrLength)
	}
	for i := range len(label) {
		if c := label[i]; !isLetterDigit(c) && c != '-' && c != '_' {
			return "", fmt.Errorf("label %q: %w", label, ErrSyntax)
		}
	}
	return label, nil
}

// Unicode returns n for people to read, with its A-labels as U-labels. A label
// that only pretends to be an A-label, because it does not decode or because
// encoding it again gives another one, stays as it is.
func (n Name) Unicode() string {
	if !strings.Contains(string(n), "xn--") {
		return string(n)
	}
	labels := n.Labels()
	for i, l := range labels {
		labels[i] = unicodeLabel(l)
	}
	return strings.Join(labels, ".")
}

func unicodeLabel(label string) string {
	if !strings.HasPrefix(label, "xn--") {
		return label
	}
	u, err := lookup.ToUnicode(label)
	if err != nil || isASCII(u) {
		return label
	}
	if back, err := lookup.ToASCII(u); err != nil || back != label {
		return label
	}
	return u
}

// Labels returns the labels of n, leftmost first.
func (n Name) Labels() []string {
	if n == "" {
		return nil
	}
	return strings.Split(string(n), ".")
}

// Parent returns n without its leftmost label, and no name for a single label.
func (n Name) Parent() Name {
	_, rest, _ := strings.Cut(string(n), ".")
	return Name(rest)
}

// IsSubdomainOf reports whether n is parent or a name below it, which is what
// RFC 1034 section 3.1 calls a subdomain. Nothing is a subdomain of no name.
func (n Name) IsSubdomainOf(parent Name) bool {
	if parent == "" || !strings.HasSuffix(string(n), string(parent)) {
		return false
	}
	rest := len(n) - len(parent)
	return rest == 0 || n[rest-1] == '.'
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isLetterDigit(c byte) bool { return 'a' <= c && c <= 'z' || isDigit(c) }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isNumber reports whether a browser would read label, in last place, as a
// number: all decimal digits, or "0x" and hexadecimal digits.
func isNumber(label string) bool {
	hex, found := strings.CutPrefix(label, "0x")
	for i := range len(hex) {
		c := hex[i]
		if !isDigit(c) && (!found || c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
