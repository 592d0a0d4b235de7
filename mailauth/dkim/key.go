package dkim

import (
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Errors of [ParseKey].
var (
	ErrKeySyntax   = errors.New("dkim: not a key record")
	ErrKeyTooLarge = errors.New("dkim: key too large")
)

// Bounds on a key.
const (
	minRSABits  = 1024 // RFC 8301 section 3.2
	goodRSABits = 2048 // what RFC 8301 section 3.2 advises
	maxRSABits  = 8192
	maxExponent = 1<<31 - 1

	maxRecord = 16 << 10 // octets of a key record; its notes count
	// maxKeyDER is more than any RSA key of maxRSABits takes. A larger one is
	// refused before its numbers are read, since arithmetic on them takes
	// time that grows faster than their length.
	maxKeyDER = maxRSABits/8 + 64
)

// Key is a key record (RFC 6376 section 3.6.1).
type Key struct {
	Type     string   // k=: "rsa", "ed25519", or one that nobody knows
	Bits     int      // of the RSA modulus, 256 for Ed25519, 0 where there is no key
	Revoked  bool     // p= is empty
	Hashes   []string // h=, nil where every hash is allowed
	Services []string // s=, nil where every service is allowed
	Flags    []string // t=
	Notes    string   // n=, as it stands

	rsa *rsa.PublicKey
	ed  ed25519.PublicKey
}

// Testing reports whether the domain only tries out DKIM (t=y).
func (k *Key) Testing() bool { return slices.Contains(k.Flags, "y") }

// Strict reports whether i= must name d= itself and no subdomain (t=s).
func (k *Key) Strict() bool { return slices.Contains(k.Flags, "s") }

// keyError says which tag of a record is wrong.
type keyError struct {
	tag string
	err error
}

func (e *keyError) Error() string {
	if e.tag == "" {
		return e.err.Error()
	}
	return fmt.Sprintf("%s: tag %s", e.err, e.tag)
}

func (e *keyError) Unwrap() error { return e.err }

// ParseKey reads the text of a key record. The error wraps [ErrKeySyntax] for
// what is no key record, and [ErrKeyTooLarge] for an RSA key over 8192 bits. A
// record that is well formed and still useless, because the key is revoked, too
// small, or of an unknown type, is returned without an error.
//
// An RSA key may be a SubjectPublicKeyInfo, as everybody publishes it, or the
// bare RSAPublicKey that RFC 6376 section 3.6.1 describes.
func ParseKey(record string) (*Key, error) {
	if len(record) > maxRecord {
		return nil, &keyError{err: ErrKeyTooLarge}
	}
	tags, wrong := parseTags(record)
	if wrong != nil {
		return nil, &keyError{tag: wrong.name, err: ErrKeySyntax}
	}
	for i, t := range tags {
		if t.name == "v" && (i > 0 || t.value != "DKIM1") {
			return nil, &keyError{tag: "v", err: ErrKeySyntax}
		}
	}
	k := &Key{Type: "rsa"}
	if t, ok := tags.get("k"); ok {
		k.Type = t.value
	}
	if t, ok := tags.get("h"); ok {
		k.Hashes = splitColons(t.value)
	}
	if t, ok := tags.get("s"); ok {
		k.Services = splitColons(t.value)
	}
	if t, ok := tags.get("t"); ok {
		k.Flags = splitColons(t.value)
	}
	if t, ok := tags.get("n"); ok {
		k.Notes = t.value
	}
	p, ok := tags.get("p")
	if !ok {
		return nil, &keyError{tag: "p", err: ErrKeySyntax}
	}
	if p.value == "" {
		k.Revoked = true
		return k, nil
	}
	if err := k.read(p.value); err != nil {
		return nil, &keyError{tag: "p", err: err}
	}
	return k, nil
}

// read reads p=.
func (k *Key) read(p string) error {
	if k.Type != "rsa" && k.Type != "ed25519" {
		return nil
	}
	text := appendUnspaced(make([]byte, 0, len(p)), p)
	if len(text) > base64.StdEncoding.EncodedLen(maxKeyDER) {
		return ErrKeyTooLarge
	}
	n, err := base64.StdEncoding.Decode(text, text)
	if err != nil {
		return ErrKeySyntax
	}
	data := text[:n]
	if k.Type == "ed25519" {
		if len(data) != ed25519.PublicKeySize {
			return ErrKeySyntax
		}
		k.ed, k.Bits = ed25519.PublicKey(data), 8*ed25519.PublicKeySize
		return nil
	}
	modulus, exponent, ok := rsaNumbers(data)
	if !ok {
		return ErrKeySyntax
	}
	key := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus)}
	k.Bits = key.N.BitLen()
	if k.Bits > maxRSABits {
		return ErrKeyTooLarge
	}
	// An even modulus is no product of two primes. With the exponent 1 anybody
	// can write signatures; an even one belongs to no private key.
	for _, c := range exponent {
		if key.E > maxExponent>>8 {
			return ErrKeySyntax
		}
		key.E = key.E<<8 | int(c)
	}
	if key.N.Bit(0) == 0 || key.E < 3 || key.E&1 == 0 {
		return ErrKeySyntax
	}
	k.rsa = key
	return nil
}

// splitColons reads a list of names that colons part. Empty names are left
// out: "t=:s" is written where one was forgotten.
func splitColons(s string) []string {
	out := []string{}
	for v := range strings.SplitSeq(s, ":") {
		if v = trimFWS(v); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// Tags of DER (X.690).
const (
	derInteger   = 0x02
	derBitString = 0x03
	derNull      = 0x05
	derOID       = 0x06
	derSequence  = 0x30
)

// rsaEncryption is the content of the object identifier 1.2.840.113549.1.1.1
// (RFC 8017 appendix C).
const rsaEncryption = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"

// rsaNumbers reads modulus and exponent, without leading zeros, of a
// SubjectPublicKeyInfo (RFC 5280 section 4.1) or an RSAPublicKey (RFC 8017
// appendix A.1.1). Nothing may follow either.
func rsaNumbers(b []byte) (modulus, exponent []byte, ok bool) {
	seq, rest, ok := derValue(b, derSequence)
	if !ok || len(rest) > 0 {
		return nil, nil, false
	}
	if alg, key, isSPKI := derValue(seq, derSequence); isSPKI {
		oid, params, ok := derValue(alg, derOID)
		if !ok || string(oid) != rsaEncryption {
			return nil, nil, false
		}
		if null, rest, ok := derValue(params, derNull); len(params) > 0 && (!ok || len(null) > 0 || len(rest) > 0) {
			return nil, nil, false
		}
		bits, rest, ok := derValue(key, derBitString)
		if !ok || len(rest) > 0 || len(bits) == 0 || bits[0] != 0 {
			return nil, nil, false
		}
		if seq, rest, ok = derValue(bits[1:], derSequence); !ok || len(rest) > 0 {
			return nil, nil, false
		}
	}
	modulus, seq, ok = derValue(seq, derInteger)
	if !ok {
		return nil, nil, false
	}
	exponent, seq, ok = derValue(seq, derInteger)
	if !ok || len(seq) > 0 {
		return nil, nil, false
	}
	if modulus, ok = positive(modulus); !ok {
		return nil, nil, false
	}
	exponent, ok = positive(exponent)
	return modulus, exponent, ok
}

// derValue reads one element of that tag and returns its content and what
// follows.
func derValue(b []byte, tag byte) (content, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	n, b := int(b[1]), b[2:]
	if n >= 0x80 {
		digits := n & 0x7f
		if digits == 0 || digits > 2 || digits > len(b) {
			return nil, nil, false // no key within our bounds is longer than two octets can say
		}
		n = 0
		for _, c := range b[:digits] {
			n = n<<8 | int(c)
		}
		b = b[digits:]
	}
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// positive reads the content of an INTEGER that is greater than zero.
func positive(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0]&0x80 != 0 {
		return nil, false
	}
	for len(b) > 0 && b[0] == 0 {
		b = b[1:]
	}
	return b, len(b) > 0
}
