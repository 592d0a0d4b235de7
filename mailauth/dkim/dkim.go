// Package dkim checks DKIM signatures: RFC 6376 with the cryptographic limits
// of RFC 8301, Ed25519 keys (RFC 8463) and internationalized names (RFC 8616).
//
// A message carries any number of signatures, each by a domain that takes
// responsibility for it. A signature covers the fields that it names, selected
// from the bottom of the header upwards, and a hash of the body. The key to it
// stands in DNS below the signing domain. [Verify] says of each signature
// whether it holds, and if not, which of the many ways to fail it was: a body
// that a mailing list changed is another matter than a key that is gone.
//
// A failed signature is a value, a [Signature] with its [Status] and [Reason].
// An error means that the context ended before DNS answered.
//
// A [Verifier] holds what the signatures of one message share: the hashes of
// its body, its fields by name, and the keys. Package arc uses the same one,
// because ARC seals a message with signatures of the same make.
package dkim

import (
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/resolve"
)

// DefaultMaxSignatures is how many signatures of a message are checked where
// the caller does not say. Honest messages carry one to four.
const DefaultMaxSignatures = 16

// Status is the result for one signature, in the words of RFC 8601 section
// 2.7.1.
type Status string

// The results.
const (
	StatusNone      Status = "none"      // the message is not signed; never the result of a signature
	StatusPass      Status = "pass"      // the signature holds
	StatusFail      Status = "fail"      // the body or a covered field is not what was signed
	StatusPolicy    Status = "policy"    // not acceptable, whether it holds or not: weak, too old
	StatusNeutral   Status = "neutral"   // it has a mistake in its syntax, or was not checked
	StatusTempError Status = "temperror" // no answer from DNS; asking later may help
	StatusPermError Status = "permerror" // it can never be checked: no key, a key that is no key
)

// Reason says why a signature did not pass. It is empty for one that did.
type Reason string

// The reasons, each with the status it leads to.
const (
	BodyHashMismatch  Reason = "body-hash-mismatch"  // fail: the body was changed
	SignatureMismatch Reason = "signature-mismatch"  // fail: a covered field was changed, or another key signed
	BodyTooShort      Reason = "body-too-short"      // fail: the body has less octets than l= says
	KeyTooSmall       Reason = "key-too-small"       // policy: RSA under 1024 bits (RFC 8301 section 3.2)
	KeyTooLarge       Reason = "key-too-large"       // policy: RSA over 8192 bits, which nobody needs to verify
	AlgorithmSHA1     Reason = "algorithm-sha1"      // policy: rsa-sha1 must not be verified (RFC 8301 section 3.1)
	Expired           Reason = "expired"             // policy: it held until x=, which has passed
	BodyLengthTag     Reason = "body-length-tag"     // policy: l= leaves a part of the body unsigned and the caller refuses that
	SyntaxError       Reason = "syntax"              // neutral: Detail names the tag, if it is one
	DuplicateTag      Reason = "duplicate-tag"       // neutral: Detail names the tag (RFC 6376 section 3.2)
	MissingTag        Reason = "missing-tag"         // neutral: Detail names the tag
	VersionUnknown    Reason = "version-unknown"     // neutral: v= is not 1
	AlgorithmUnknown  Reason = "algorithm-unknown"   // neutral: a= names none that exists
	CanonUnknown      Reason = "canon-unknown"       // neutral: c= names none that exists
	QueryUnknown      Reason = "query-unknown"       // neutral: q= does not offer dns/txt
	ExpiresFirst      Reason = "expires-first"       // neutral: x= is not after t= (RFC 6376 section 3.5)
	NotAsked          Reason = "not-asked"           // neutral: the resolver asks no questions
	OutOfBudget       Reason = "budget"              // neutral: the message used up its budget
	FromNotSigned     Reason = "from-not-signed"     // permerror: h= lacks From (RFC 6376 section 5.4)
	DomainMismatch    Reason = "domain-mismatch"     // permerror: i= is not within d= (RFC 6376 section 3.5)
	KeyNotFound       Reason = "key-not-found"       // permerror: there is no key at that name
	KeySyntax         Reason = "key-syntax"          // permerror: what stands there is no key; Detail names the tag
	KeyRevoked        Reason = "key-revoked"         // permerror: p= is empty (RFC 6376 section 3.6.1)
	KeyTypeMismatch   Reason = "key-type-mismatch"   // permerror: k= is not the type that a= needs
	KeyHashRefused    Reason = "key-hash-refused"    // permerror: h= of the key does not allow the hash
	KeyServiceRefused Reason = "key-service-refused" // permerror: s= of the key does not allow mail
	KeyStrictMismatch Reason = "key-strict-mismatch" // permerror: t=s, and i= is a subdomain of d=
	KeyUnavailable    Reason = "key-unavailable"     // temperror: DNS did not answer; see Signature.Answer
)

// Status returns the status that a signature with this reason has.
func (r Reason) Status() Status {
	switch r {
	case "":
		return StatusPass
	case BodyHashMismatch, SignatureMismatch, BodyTooShort:
		return StatusFail
	case KeyTooSmall, KeyTooLarge, AlgorithmSHA1, Expired, BodyLengthTag:
		return StatusPolicy
	case FromNotSigned, DomainMismatch, KeyNotFound, KeySyntax, KeyRevoked, KeyTypeMismatch, KeyHashRefused, KeyServiceRefused, KeyStrictMismatch:
		return StatusPermError
	case KeyUnavailable:
		return StatusTempError
	default:
		return StatusNeutral
	}
}

// Warning is something to know about a signature whatever its status is.
type Warning string

// The warnings.
const (
	WeakKey           Warning = "weak-key"           // RSA under 2048 bits, which RFC 8301 section 3.2 advises against
	PartOfBody        Warning = "part-of-body"       // l= covers a part of the body; anything may follow it
	UnsignedType      Warning = "unsigned-type"      // l= without Content-Type in h=: what follows can replace all that is shown
	UnsignedDuplicate Warning = "unsigned-duplicate" // a field that programs show occurs again, unsigned; see Signature.Unsigned
	TestingKey        Warning = "testing-key"        // t=y: the domain only tries out DKIM (RFC 6376 section 3.6.1)
	FutureTimestamp   Warning = "future-timestamp"   // t= is more than a day ahead
	SeveralKeys       Warning = "several-keys"       // several keys stand at the name; the first of the right type was used
)

// Canonicalization is how small changes on the way are evened out before
// hashing (RFC 6376 section 3.4).
type Canonicalization string

// The canonicalizations.
const (
	Simple  Canonicalization = "simple"
	Relaxed Canonicalization = "relaxed"
)

// Form is a kind of field that is made like a DKIM signature.
type Form int

// The forms.
const (
	DKIMSignature       Form = iota // RFC 6376 section 3.5
	ARCMessageSignature             // RFC 8617 section 4.1.2: i= is a number, v= and From in h= are not needed
	ARCSeal                         // RFC 8617 section 4.1.3: no h= and no bh=
)

// Outcome is how one of the two hashes of a signature compares.
type Outcome string

// The outcomes. The zero Outcome means that it was not compared.
const (
	Match    Outcome = "match"
	Mismatch Outcome = "mismatch"
)

// Covered is one name of h= and the field that it selects.
type Covered struct {
	Name  string // as h= writes it
	Index int    // eml.Field.Index of the field; 0 where there is none, which the signature covers too
}

// Signature is one signature and what came of checking it.
type Signature struct {
	Field eml.Field
	Form  Form

	Status   Status
	Reason   Reason
	Detail   string // the tag that a Reason is about; empty if it is about none
	Warnings []Warning

	Domain                 domain.Name // d=
	Selector               string      // s=, A-labels
	Identity               string      // i=, or "@" and the domain where there is none; empty in the forms of ARC
	Algorithm              string      // a= as written, cut where it is long
	HeaderCanon, BodyCanon Canonicalization
	Headers                []Covered // h=; Index is set once the signature is checked
	BodyLength             int64     // l= in octets of the canonical body, -1 where there is none
	BodyTotal              int64     // octets of the canonical body where l= was compared with it, otherwise 0
	Timestamp, Expiration  time.Time // t= and x=, zero where there is none
	Unsigned               []string  // fields that occur more often than the signature covers; see UnsignedDuplicate

	KeyBits    int     // of an RSA modulus, 256 for Ed25519, 0 where there is no key
	Key        *Key    // the key record, nil where there is none that can be read
	BodyHash   Outcome // whether bh= is the hash of the body
	HeaderHash Outcome // whether b= signs the covered fields with the key
	Answer     resolve.Answer

	query string // the name of the key
	tags  tagList
	sig   []byte
	bh    [32]byte
}

// QueryName returns the name in DNS at which the key stands, empty if the
// signature does not say.
func (s *Signature) QueryName() string { return s.query }

// Tag returns the value of a tag of the field, as it stands and so maybe folded,
// and whether it is there.
func (s *Signature) Tag(name string) (string, bool) {
	t, ok := s.tags.get(name)
	return t.value, ok
}

// Covers returns how many fields of that name, in any case, the signature
// covers. Naming a field that is not there covers its absence and counts as
// none.
func (s *Signature) Covers(name string) int {
	n := 0
	for _, c := range s.Headers {
		if c.Index > 0 && equalFold(c.Name, name) {
			n++
		}
	}
	return n
}

func (s *Signature) warn(w Warning) { s.Warnings = append(s.Warnings, w) }

func (s *Signature) refuse(r Reason, detail string) {
	s.Reason, s.Detail, s.Status = r, detail, r.Status()
}

// Result is what came of checking a message.
type Result struct {
	// Signatures are the signatures that were looked at, in the order of the
	// header from the top.
	Signatures []Signature
	// Found is how many there are. It is more than len(Signatures) where the
	// message has more than are checked.
	Found int
}

// Options changes how signatures are checked. A nil *Options is the default.
type Options struct {
	// MaxSignatures is how many signatures are checked, from the top. Zero
	// means DefaultMaxSignatures.
	MaxSignatures int
	// RefuseBodyLength makes signatures with l= fail with BodyLengthTag.
	RefuseBodyLength bool
	// Budget pays one unit per byte hashed. Nil means no limit.
	Budget *budget.Budget
}
