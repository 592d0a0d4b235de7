// Package dkimtest signs mails for tests: with DKIM, also in ways that a
// verifier must refuse, and with ARC sets.
//
// It shares no code with package dkim. Canonicalization is written here a
// second time, slowly and by the letter of RFC 6376 section 3.4, so that a
// mistake in one of the two shows.
package dkimtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Key signs for one selector of a domain. The private half is derived from a
// constant: it is the same in every run, and no secret.
type Key struct {
	Domain   string
	Selector string
	private  crypto.Signer
}

// Ed25519 returns an Ed25519 key.
func Ed25519(domain, selector string) Key {
	return Key{Domain: domain, Selector: selector, private: ed25519.NewKeyFromSeed([]byte("sekisho test key, not a secret!!"))}
}

// RSA1024 returns an RSA key of 1024 bits.
func RSA1024(domain, selector string) Key {
	return Key{Domain: domain, Selector: selector, private: rsa1024()}
}

// RSA2048 returns an RSA key of 2048 bits.
func RSA2048(domain, selector string) Key {
	return Key{Domain: domain, Selector: selector, private: rsa2048()}
}

var (
	rsa1024 = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(1024) })
	rsa2048 = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(2048) })
)

// rsaKey makes a key of a fixed source of numbers, which crypto/rsa does not
// offer.
func rsaKey(bits int) *rsa.PrivateKey {
	source := rand.New(rand.NewPCG(uint64(bits), 6376))
	one := big.NewInt(1)
	e := big.NewInt(65537)
	prime := func() *big.Int {
		for {
			b := make([]byte, bits/16)
			for i := range b {
				b[i] = byte(source.Uint32())
			}
			b[0] |= 0xc0 // the product of two such numbers has all its bits
			b[len(b)-1] |= 1
			p := new(big.Int).SetBytes(b)
			if p.ProbablyPrime(10) && new(big.Int).GCD(nil, nil, e, new(big.Int).Sub(p, one)).Cmp(one) == 0 {
				return p
			}
		}
	}
	p, q := prime(), prime()
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	k := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
		D:         new(big.Int).ModInverse(e, phi),
		Primes:    []*big.Int{p, q},
	}
	k.Precompute()
	return k
}

// Type returns the value of k= for the key.
func (k Key) Type() string {
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return "ed25519"
	}
	return "rsa"
}

// Public returns the value of p= for the key.
func (k Key) Public() string {
	if ed, ok := k.private.Public().(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(ed)
	}
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic(err) // the keys are those above
	}
	return base64.StdEncoding.EncodeToString(der)
}

// BarePublic returns p= of an RSA key as the bare RSAPublicKey.
func (k Key) BarePublic() string {
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(k.private.Public().(*rsa.PublicKey)))
}

// Record returns the key record.
func (k Key) Record() string { return "v=DKIM1; k=" + k.Type() + "; p=" + k.Public() }

// Name returns the name of the key record, without a final dot.
func (k Key) Name() string { return k.Selector + "._domainkey." + k.Domain }

// Zone returns the key record as a line of a zone file.
func (k Key) Zone() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. 3600 IN TXT", k.Name())
	for r := k.Record(); r != ""; {
		n := min(len(r), 255)
		fmt.Fprintf(&b, " %q", r[:n])
		r = r[n:]
	}
	return b.String() + "\n"
}

// sign signs a digest.
func (k Key) sign(digest [sha256.Size]byte) string {
	var opts crypto.SignerOpts = crypto.SHA256
	if k.Type() == "ed25519" {
		opts = crypto.Hash(0) // RFC 8463 section 3: the digest is the message
	}
	sig, err := k.private.Sign(nil, digest[:], opts)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

// Options changes how a message is signed. A nil *Options is the default.
type Options struct {
	Headers []string // h=; nil means From, To, Subject, Date and Message-ID, as far as they are there
	Canon   string   // c=; "" means "relaxed/relaxed"
	Length  int      // l= where it is over zero; -1 means l=0
	Tags    []string // more tags, such as "x=1800000000"
	// Set replaces the value of tags, and drops those whose value is "-". What
	// is signed is the field with its tags replaced.
	Set map[string]string
	// Change changes the field once it is signed.
	Change func(field string) string
}

// Sign returns the message with a DKIM-Signature on top. Line ends become CR
// LF.
func Sign(msg []byte, k Key, o *Options) []byte {
	if o == nil {
		o = &Options{}
	}
	text := CRLF(string(msg))
	fields, body := split(text)
	names := o.covered(fields)
	field := "DKIM-Signature: " + k.tags(o, names, body, []string{"v=1"})
	return []byte(seal(k, o, field, pick(fields, names), headerCanon(o)) + text)
}

// covered returns the names of the fields to sign of those that there are.
func (o *Options) covered(fields []string) []string {
	if o.Headers != nil {
		return o.Headers
	}
	var names []string
	for _, n := range []string{"From", "To", "Subject", "Date", "Message-ID"} {
		if len(pick(fields, []string{n})) > 0 {
			names = append(names, n)
		}
	}
	return names
}

// tags returns the tags of a signature, b= last and empty.
func (k Key) tags(o *Options, names []string, body string, before []string) string {
	canon := o.Canon
	if canon == "" {
		canon = "relaxed/relaxed"
	}
	_, bodyCanon, _ := strings.Cut(canon, "/")
	canonical := canonBody(body, bodyCanon)
	tags := append(slices.Clone(before), "a="+k.Type()+"-sha256", "c="+canon, "d="+k.Domain, "s="+k.Selector)
	if o.Length != 0 {
		n := min(max(o.Length, 0), len(canonical))
		tags = append(tags, fmt.Sprintf("l=%d", max(o.Length, 0)))
		canonical = canonical[:n]
	}
	sum := sha256.Sum256([]byte(canonical))
	tags = append(tags, o.Tags...)
	tags = append(tags, "h="+strings.Join(names, ":"), "bh="+base64.StdEncoding.EncodeToString(sum[:]))
	return join(tags, o.Set) + ";\r\n\tb="
}

// join joins tags with their values replaced.
func join(tags []string, set map[string]string) string {
	var out []string
	for _, t := range tags {
		name, _, _ := strings.Cut(t, "=")
		if v, ok := set[name]; ok {
			if v == "-" {
				continue
			}
			t = name + "=" + v
		}
		out = append(out, t)
	}
	return strings.Join(out, ";\r\n\t")
}

// seal signs the fields and the field itself, and returns it complete.
func seal(k Key, o *Options, field string, covered []string, canon string) string {
	var b strings.Builder
	for _, f := range covered {
		b.WriteString(canonField(f, canon) + "\r\n")
	}
	b.WriteString(canonField(field, canon))
	out := field + k.sign(sha256.Sum256([]byte(b.String()))) + "\r\n"
	if o.Change != nil {
		out = o.Change(out)
	}
	return out
}

func headerCanon(o *Options) string {
	if o.Canon == "" {
		return "relaxed"
	}
	h, _, _ := strings.Cut(o.Canon, "/")
	return h
}

// CRLF returns s with every LF as CR LF.
func CRLF(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// split parts fields and body.
func split(text string) (fields []string, body string) {
	head, body, _ := strings.Cut("\r\n"+text, "\r\n\r\n")
	for line := range strings.SplitSeq(strings.TrimPrefix(head, "\r\n"), "\r\n") {
		if len(fields) > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			fields[len(fields)-1] += "\r\n" + line
		} else if line != "" {
			fields = append(fields, line)
		}
	}
	return fields, body
}

// pick selects fields by name from the bottom up.
func pick(fields []string, names []string) []string {
	used := make([]bool, len(fields))
	var out []string
	for _, n := range names {
		for i := len(fields) - 1; i >= 0; i-- {
			name, _, _ := strings.Cut(fields[i], ":")
			if !used[i] && strings.EqualFold(strings.TrimRight(name, " \t"), n) {
				used[i] = true
				out = append(out, fields[i])
				break
			}
		}
	}
	return out
}

func canonField(f, canon string) string {
	if canon != "relaxed" {
		return f
	}
	name, value, _ := strings.Cut(f, ":")
	value = strings.ReplaceAll(strings.ReplaceAll(value, "\r\n ", " "), "\r\n\t", " ")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + strings.Trim(squeeze(value), " ")
}

// squeeze makes every run of white space one space.
func squeeze(s string) string {
	s = strings.ReplaceAll(s, "\t", " ")
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}

// CanonBody returns the canonical form of a body with CR LF line ends.
func CanonBody(body, canon string) string { return canonBody(body, canon) }

func canonBody(body, canon string) string {
	if canon == "relaxed" {
		var lines []string
		for line := range strings.SplitSeq(body, "\r\n") {
			lines = append(lines, strings.TrimRight(squeeze(line), " "))
		}
		body = strings.Join(lines, "\r\n")
	}
	for strings.HasSuffix(body, "\r\n") {
		body = strings.TrimSuffix(body, "\r\n")
	}
	if body == "" && canon == "relaxed" {
		return ""
	}
	return body + "\r\n"
}
