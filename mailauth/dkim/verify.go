package dkim

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/resolve"
)

const (
	maxKeys = 8              // key records read at one name
	skew    = 24 * time.Hour // by which the clock of a signer may be ahead without a warning
)

// Verifier checks the signatures of one message. It keeps what they share: the
// hashes of the body, the fields by name, the keys. It is not safe for
// concurrent use.
type Verifier struct {
	resolver resolve.Resolver
	msg      *eml.Message
	fields   []eml.Field
	now      time.Time
	opts     Options

	bodies []*bodyHash
	names  names
	keys   map[string]*keyLookup
	buf    []byte
	queue  []int // scratch memory of selecting fields
}

// NewVerifier returns a verifier for m. Signatures expire against now.
func NewVerifier(r resolve.Resolver, m *eml.Message, now time.Time, o *Options) *Verifier {
	v := &Verifier{resolver: r, msg: m, fields: m.Header().Fields(), now: now}
	if o != nil {
		v.opts = *o
	}
	if v.opts.MaxSignatures <= 0 {
		v.opts.MaxSignatures = DefaultMaxSignatures
	}
	return v
}

// Message returns the message that the verifier checks.
func (v *Verifier) Message() *eml.Message { return v.msg }

// Verify checks the DKIM signatures of m. See [Verifier.Verify].
func Verify(ctx context.Context, r resolve.Resolver, m *eml.Message, now time.Time, o *Options) (Result, error) {
	return NewVerifier(r, m, now, o).Verify(ctx)
}

// Verify checks the DKIM signatures of the message from the top. The error is
// not nil only if the context ended before DNS answered; what was found out
// until then is returned with it.
//
// Header and body are what package eml takes for them, since that is what a
// person is shown. A signature over what eml did not read, for which
// [eml.Defect.Lost] stands, does not match.
func (v *Verifier) Verify(ctx context.Context) (Result, error) {
	var out Result
	for _, f := range v.fields {
		if !equalFold(f.Name(), FieldName) {
			continue
		}
		out.Found++
		if len(out.Signatures) < v.opts.MaxSignatures {
			out.Signatures = append(out.Signatures, Parse(f, DKIMSignature))
		}
	}
	pointers := make([]*Signature, len(out.Signatures))
	for i := range out.Signatures {
		pointers[i] = &out.Signatures[i]
	}
	return out, v.Check(ctx, pointers...)
}

// Check checks signatures that [Parse] has read, of the forms DKIMSignature and
// ARCMessageSignature. Those that could not be read, or were checked before, are
// left as they are. It
// is better called once with all signatures than once for each, because then
// the body is read once. The error is that of [Verifier.Verify].
func (v *Verifier) Check(ctx context.Context, signatures ...*Signature) error {
	var err error
	for _, s := range signatures {
		if s.Reason != "" || s.Status != "" {
			continue
		}
		if err == nil {
			err = v.prepare(ctx, s)
		}
		switch {
		case err != nil:
			s.refuse(KeyUnavailable, "")
		case s.Reason == "":
			v.body(s)
		}
	}
	for _, s := range signatures {
		if s.Reason == "" && s.Status == "" {
			v.compare(s)
		}
	}
	return err
}

// CheckDigest checks a signature over header fields alone, as an ARC-Seal is:
// digest is the SHA-256 of their canonical form. The error is that of
// [Verifier.Verify].
func (v *Verifier) CheckDigest(ctx context.Context, s *Signature, digest [sha256.Size]byte) error {
	if s.Reason != "" || s.Status != "" {
		return nil
	}
	if err := v.prepare(ctx, s); err != nil {
		s.refuse(KeyUnavailable, "")
		return err
	}
	if s.Reason != "" {
		return nil
	}
	s.HeaderHash = outcome(s.Key.verify(s.Algorithm, digest[:], s.sig))
	if s.HeaderHash == Mismatch {
		s.refuse(SignatureMismatch, "b")
		return nil
	}
	s.Status = StatusPass
	return nil
}

// keyLookup is what stands at the name of a key.
type keyLookup struct {
	answer resolve.Answer
	keys   []*Key
	reason Reason
	detail string
}

// prepare finds the key and sees whether it may be used.
func (v *Verifier) prepare(ctx context.Context, s *Signature) error {
	if v.opts.RefuseBodyLength && s.BodyLength != whole {
		s.refuse(BodyLengthTag, "l")
		return nil
	}
	l, err := v.lookup(ctx, s.query)
	if err != nil {
		return fmt.Errorf("asking for the key %s: %w", s.query, err)
	}
	s.Answer = l.answer
	if len(l.keys) == 0 {
		s.refuse(l.reason, l.detail)
		return nil
	}
	want, hash, _ := strings.Cut(s.Algorithm, "-")
	s.Key = l.keys[0]
	if i := slices.IndexFunc(l.keys, func(k *Key) bool { return k.Type == want && !k.Revoked }); i >= 0 {
		s.Key = l.keys[i]
	}
	if len(l.keys) > 1 {
		s.warn(SeveralKeys)
	}
	k := s.Key
	s.KeyBits = k.Bits
	if k.Testing() {
		s.warn(TestingKey)
	}
	if !s.Timestamp.IsZero() && s.Timestamp.After(v.now.Add(skew)) {
		s.warn(FutureTimestamp)
	}
	switch {
	case k.Revoked:
		s.refuse(KeyRevoked, "p")
	case k.Type != want:
		s.refuse(KeyTypeMismatch, "k")
	case k.Hashes != nil && !slices.Contains(k.Hashes, hash):
		s.refuse(KeyHashRefused, "h")
	case k.Services != nil && !slices.Contains(k.Services, "*") && !slices.Contains(k.Services, "email"):
		s.refuse(KeyServiceRefused, "s")
	case k.Strict() && s.Form == DKIMSignature && !strings.HasSuffix(s.Identity, "@"+string(s.Domain)):
		s.refuse(KeyStrictMismatch, "t")
	case k.Type == "rsa" && k.Bits < minRSABits:
		s.refuse(KeyTooSmall, "p")
	case k.Type == "rsa" && k.Bits < goodRSABits:
		s.warn(WeakKey)
	}
	return nil
}

// lookup asks for the keys at name, once per message.
func (v *Verifier) lookup(ctx context.Context, name string) (*keyLookup, error) {
	if l, ok := v.keys[name]; ok {
		return l, nil
	}
	answer, err := v.resolver.Lookup(ctx, name, resolve.TypeTXT)
	if err != nil {
		return nil, err
	}
	l := &keyLookup{answer: answer}
	switch {
	case answer.RCode == resolve.NotAsked:
		l.reason = NotAsked
	case answer.Temporary():
		l.reason = KeyUnavailable
	case len(answer.Records) == 0:
		l.reason = KeyNotFound
	default:
		l.parse()
	}
	if v.keys == nil {
		v.keys = map[string]*keyLookup{}
	}
	v.keys[name] = l
	return l, nil
}

// parse reads the records of the answer. RFC 6376 section 3.6.2.2 leaves open
// what several mean; those that are no keys do no harm here.
func (l *keyLookup) parse() {
	n := 0
	for _, r := range l.answer.Records {
		if r.Type != resolve.TypeTXT {
			continue
		}
		if n++; n > maxKeys {
			return
		}
		k, err := ParseKey(r.Text)
		if err == nil {
			l.keys = append(l.keys, k)
			continue
		}
		if l.reason != "" {
			continue
		}
		l.reason = KeySyntax
		if errors.Is(err, ErrKeyTooLarge) {
			l.reason = KeyTooLarge
		}
		if e, ok := errors.AsType[*keyError](err); ok {
			l.detail = e.tag
		}
	}
	if n == 0 {
		l.reason = KeyNotFound
	}
}

// verify reports whether sig is the signature of digest.
func (k *Key) verify(algorithm string, digest, sig []byte) bool {
	switch {
	case algorithm == rsaSHA256 && k.rsa != nil:
		return rsa.VerifyPKCS1v15(k.rsa, crypto.SHA256, digest, sig) == nil
	case algorithm == ed25519SHA256 && k.ed != nil:
		return ed25519.Verify(k.ed, digest, sig)
	}
	return false
}

// body returns the hash of the body that s needs, which may not be computed
// yet.
func (v *Verifier) body(s *Signature) *bodyHash {
	for _, b := range v.bodies {
		if b.canon == s.BodyCanon && b.limit == s.BodyLength {
			return b
		}
	}
	b := &bodyHash{canon: s.BodyCanon, limit: s.BodyLength}
	v.bodies = append(v.bodies, b)
	return b
}

// hashBodies computes every hash that is waiting for that canonicalization.
func (v *Verifier) hashBodies(c Canonicalization) bool {
	var want []*bodyHash
	for _, b := range v.bodies {
		if b.canon == c && !b.done {
			want = append(want, b)
		}
	}
	slices.SortFunc(want, func(a, b *bodyHash) int {
		switch {
		case a.limit == b.limit:
			return 0
		case b.limit == whole, a.limit != whole && a.limit < b.limit:
			return -1
		}
		return 1
	})
	body := v.msg.Root().Body()
	if !v.opts.Budget.Spend(len(body)) {
		return false
	}
	hashBody(body, c, want)
	return true
}

// compare compares both hashes.
func (v *Verifier) compare(s *Signature) {
	b := v.body(s)
	if !b.done && !v.hashBodies(s.BodyCanon) {
		s.refuse(OutOfBudget, "")
		return
	}
	digest, ok := v.digest(s)
	if !ok {
		s.refuse(OutOfBudget, "")
		return
	}
	s.BodyHash = outcome(!b.short && b.sum == s.bh)
	s.HeaderHash = outcome(s.Key.verify(s.Algorithm, digest[:], s.sig))
	if s.BodyLength != whole {
		s.BodyTotal = b.total
		if b.total > s.BodyLength {
			s.warn(PartOfBody)
			if s.Covers("content-type") == 0 {
				s.warn(UnsignedType)
			}
		}
	}
	if len(s.Unsigned) > 0 {
		s.warn(UnsignedDuplicate)
	}
	switch {
	case b.short:
		s.refuse(BodyTooShort, "l")
	case s.BodyHash == Mismatch:
		s.refuse(BodyHashMismatch, "bh")
	case s.HeaderHash == Mismatch:
		s.refuse(SignatureMismatch, "b")
	case !s.Expiration.IsZero() && v.now.After(s.Expiration):
		s.refuse(Expired, "x")
	default:
		s.Status = StatusPass
	}
}

func outcome(match bool) Outcome {
	if match {
		return Match
	}
	return Mismatch
}
