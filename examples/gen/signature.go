package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

const (
	selector     = "s2026"            // of every signature but Microsoft's seals
	sealSelector = "arcselector10001" // as Exchange Online names it
)

// signer signs for every domain with one key, which is derived from a constant
// and therefore no secret.
type signer struct {
	key    *rsa.PrivateKey
	public string // SubjectPublicKeyInfo in base64
}

func newSigner() (*signer, error) {
	e := big.NewInt(65537)
	one := big.NewInt(1)
	for salt := 0; ; salt++ {
		p, q := prime(salt, "p"), prime(salt, "q")
		n := new(big.Int).Mul(p, q)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		d := new(big.Int).ModInverse(e, phi)
		if d == nil {
			continue
		}
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: 65537}, D: d, Primes: []*big.Int{p, q}}
		if err := key.Validate(); err != nil {
			return nil, fmt.Errorf("deriving the key: %w", err)
		}
		key.Precompute()
		der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("encoding the key: %w", err)
		}
		return &signer{key: key, public: base64.StdEncoding.EncodeToString(der)}, nil
	}
}

// prime returns the first prime of 1024 bits in a stream of hashes.
func prime(salt int, name string) *big.Int {
	buf := make([]byte, 0, 128)
	for i := uint64(0); len(buf) < 128; i++ {
		h := sha256.Sum256(binary.BigEndian.AppendUint64(fmt.Appendf(nil, "sekisho example key %d %s ", salt, name), i))
		buf = append(buf, h[:]...)
	}
	// Two high bits make the product 2048 bits long, whatever the rest is.
	buf[0] |= 0xc0
	buf[127] |= 1
	p := new(big.Int).SetBytes(buf)
	for two := big.NewInt(2); !p.ProbablyPrime(20); {
		p.Add(p, two)
	}
	return p
}

// record is the key record of RFC 6376 section 3.6.1.
func (s *signer) record() string { return "v=DKIM1; k=rsa; p=" + s.public }

func (s *signer) sign(data []byte) string {
	h := sha256.Sum256(data)
	sig, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, h[:])
	if err != nil {
		panic(err) // only a key that is too short for the hash fails
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// signedFields are those that a signature covers where they exist.
var signedFields = [...]string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}

// dkim returns the DKIM-Signature of domain over fields and body (RFC 6376).
func (s *signer) dkim(domain string, fields []field, body []byte) field {
	value := fmt.Sprintf("v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=%s; b=",
		domain, selector, strings.ToLower(strings.Join(present(fields), ":")), bodyHash(body))
	return s.complete("DKIM-Signature", value, fields, present(fields))
}

// sealFields are those that Exchange Online's ARC-Message-Signature names.
var sealFields = [...]string{
	"From", "Date", "Subject", "Message-ID", "Content-Type", "MIME-Version",
	"X-MS-Exchange-AntiSpam-MessageData-ChunkCount", "X-MS-Exchange-AntiSpam-MessageData-0", "X-MS-Exchange-AntiSpam-MessageData-1",
}

// arc returns the ARC set number len(earlier)/3+1 of domain (RFC 8617): seal,
// message signature and results. The sets before it are in earlier, oldest
// first, each in the order results, signature, seal.
func (s *signer) arc(domain, sel, results string, earlier, fields []field, body []byte) []field {
	i := len(earlier)/3 + 1
	cv := "none"
	if i > 1 {
		cv = "pass"
	}
	aar := field{"ARC-Authentication-Results", fmt.Sprintf("i=%d; %s", i, results)}
	value := fmt.Sprintf("i=%d; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=%s; b=",
		i, domain, sel, strings.Join(sealFields[:], ":"), bodyHash(body))
	ams := s.complete("ARC-Message-Signature", value, fields, sealFields[:])
	seal := field{"ARC-Seal", fmt.Sprintf("i=%d; a=rsa-sha256; s=%s; d=%s; cv=%s; b=", i, sel, domain, cv)}
	var b bytes.Buffer
	for _, f := range slices.Concat(earlier, []field{aar, ams}) {
		b.WriteString(relaxed(f) + "\r\n")
	}
	b.WriteString(relaxed(seal))
	seal.value += s.sign(b.Bytes())
	return []field{aar, ams, seal}
}

// complete appends the signature to value, which ends with "b=".
func (s *signer) complete(name, value string, fields []field, names []string) field {
	var b bytes.Buffer
	for _, n := range names {
		for _, f := range fields {
			if strings.EqualFold(f.name, n) {
				b.WriteString(relaxed(f) + "\r\n")
				break
			}
		}
	}
	b.WriteString(relaxed(field{name, value}))
	return field{name, value + s.sign(b.Bytes())}
}

func present(fields []field) []string {
	var names []string
	for _, n := range signedFields {
		for _, f := range fields {
			if strings.EqualFold(f.name, n) {
				names = append(names, n)
				break
			}
		}
	}
	return names
}

// relaxed is the header canonicalization of RFC 6376 section 3.4.2.
func relaxed(f field) string {
	value := strings.Join(strings.FieldsFunc(f.value, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
	return strings.ToLower(f.name) + ":" + value
}

// bodyHash hashes body in the relaxed form of RFC 6376 section 3.4.4.
func bodyHash(body []byte) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSuffix(string(body), "\r\n"), "\r\n") {
		var b strings.Builder
		space := false
		for _, c := range []byte(line) {
			if c == ' ' || c == '\t' {
				space = true
				continue
			}
			if space {
				b.WriteByte(' ')
				space = false
			}
			b.WriteByte(c)
		}
		lines = append(lines, b.String())
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	text := ""
	if len(lines) > 0 {
		text = strings.Join(lines, "\r\n") + "\r\n"
	}
	h := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(h[:])
}
