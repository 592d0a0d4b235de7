package arc

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/resolve"
)

// Validate validates the chain of m. Signatures expire against now. The error
// is not nil only if the context ended before DNS answered.
func Validate(ctx context.Context, r resolve.Resolver, m *eml.Message, now time.Time, o *Options) (Chain, error) {
	return ValidateWith(ctx, dkim.NewVerifier(r, m, now, nil), o)
}

// ValidateWith validates the chain of the message of v, and shares with it what
// was hashed and asked already. The error is that of [Validate].
func ValidateWith(ctx context.Context, v *dkim.Verifier, o *Options) (Chain, error) {
	var c Chain
	sets := c.collect(v.Message().Header().Fields())
	if len(sets) == 0 && c.Reason == "" {
		c.Status = StatusNone
		return c, nil
	}
	c.complete(sets)
	c.describe(sets, o)
	if c.Reason != "" {
		return c, nil
	}
	c.claims()
	if c.Reason == SealedAsFailed {
		// Such a seal covers its own set only (RFC 8617 section 5.1.2); there
		// is no chain any more that could be checked.
		return c, nil
	}
	err := c.check(ctx, v)
	slices.SortStableFunc(c.Violations, func(a, b Violation) int { return a.Instance - b.Instance })
	if err != nil {
		c.fail(KeyUnavailable, 0, "")
		return c, fmt.Errorf("validating the ARC chain: %w", err)
	}
	c.judge()
	return c, nil
}

// collect sorts the fields of ARC into sets, by instance less one.
func (c *Chain) collect(fields []eml.Field) []*set {
	var sets []*set
	n := 0
	for _, f := range fields {
		kind := kindOf(f)
		if kind < 0 {
			continue
		}
		if n++; n > 3*MaxSets {
			c.fail(TooManySets, 0, "")
			return sets
		}
		var s dkim.Signature
		var instance int
		switch kind {
		case results:
			instance = resultsInstance(f.Raw())
		case message:
			s = dkim.Parse(f, dkim.ARCMessageSignature)
			instance = signatureInstance(&s)
		default:
			s = dkim.Parse(f, dkim.ARCSeal)
			instance = signatureInstance(&s)
		}
		if instance == 0 {
			c.fail(BadInstance, 0, f.Name())
			continue
		}
		for len(sets) < instance {
			sets = append(sets, &set{})
		}
		if set := sets[instance-1]; set.has[kind] {
			c.fail(DuplicateField, instance, kindNames()[kind])
		} else {
			set.add(kind, f, s)
		}
	}
	return sets
}

// The kinds of fields of a set, in the order in which they are sealed.
const (
	results = iota
	message
	seal
)

func kindNames() [3]string { return [3]string{ResultsField, MessageField, SealField} }

func kindOf(f eml.Field) int {
	if len(f.Name()) < len(SealField) || !strings.EqualFold(f.Name()[:4], "ARC-") {
		return -1
	}
	for kind, name := range kindNames() {
		if f.Is(name) {
			return kind
		}
	}
	return -1
}

func (s *set) add(kind int, f eml.Field, sig dkim.Signature) {
	s.has[kind] = true
	switch kind {
	case results:
		s.results = f
	case message:
		s.message = sig
	default:
		s.seal = sig
	}
}

// signatureInstance returns i= of a signature, 0 if it is none.
func signatureInstance(s *dkim.Signature) int {
	i, _ := s.Tag("i")
	return parseInstance(i)
}

// parseInstance reads 1*2DIGIT from 1 to 50 (RFC 8617 section 4.2.1).
func parseInstance(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' || len(s) > 2 {
			return 0
		}
		n = n*10 + int(s[i]-'0')
	}
	if n > MaxSets {
		return 0
	}
	return n
}

// resultsInstance returns the instance that an ARC-Authentication-Results field
// begins with (RFC 8617 section 4.1.1), 0 if it begins with something else:
//
//	instance = [CFWS] %s"i" [CFWS] "=" [CFWS] 1*2DIGIT [CFWS] ";"
func resultsInstance(v string) int {
	v = skipCFWS(v)
	for _, token := range []string{"i", "="} {
		rest, ok := strings.CutPrefix(v, token)
		if !ok {
			return 0
		}
		v = skipCFWS(rest)
	}
	n := 0
	for n < len(v) && n < 3 && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	if !strings.HasPrefix(skipCFWS(v[n:]), ";") {
		return 0
	}
	return parseInstance(v[:n])
}

// skipCFWS drops white space and comments at the start (RFC 5322 section 3.2.2).
func skipCFWS(v string) string {
	for v != "" {
		switch v[0] {
		case ' ', '\t', '\r', '\n':
			v = v[1:]
		case '(':
			v = v[eml.SkipComment(v, 0):]
		default:
			return v
		}
	}
	return ""
}

// complete checks that there is every set from 1 on, with every field once.
func (c *Chain) complete(sets []*set) {
	for i, s := range sets {
		if s.has == [3]bool{} {
			c.fail(MissingSet, i+1, "")
			return
		}
		for kind, ok := range s.has {
			if !ok {
				c.fail(MissingField, i+1, kindNames()[kind])
				return
			}
		}
	}
}

// describe fills in the sets and finds what cannot be read in them.
func (c *Chain) describe(sets []*set, o *Options) {
	for i, s := range sets {
		if s.has == [3]bool{} {
			continue // of a chain with a gap
		}
		out := Set{Instance: i + 1, Seal: s.seal, Message: s.message, Sealer: s.seal.Domain, Selector: s.seal.Selector}
		out.CV, _ = s.seal.Tag("cv")
		out.Trusted = out.Sealer != "" && o.trusts(out.Sealer)
		if s.has[results] {
			if len(s.results.Raw()) > maxResults {
				c.fail(BadResults, i+1, ResultsField)
			}
			out.Results, out.ResultsError = authres.Parse(s.results)
		}
		c.read(&out)
		c.Sets = append(c.Sets, out)
	}
}

// read finds what cannot be read in a set, or should not be there.
func (c *Chain) read(s *Set) {
	_, hasH := s.Seal.Tag("h")
	switch {
	case s.Seal.Reason != "", hasH:
		c.fail(BadSeal, s.Instance, SealField)
	case s.Message.Reason != "":
		c.fail(BadMessage, s.Instance, MessageField)
	}
	from := false
	for _, h := range s.Message.Headers {
		switch {
		case strings.EqualFold(h.Name, SealField):
			// A seal in the signature that it seals in turn never comes from
			// an honest forwarder; unlike the other fields of ARC, no draft
			// allowed it.
			c.fail(BadMessage, s.Instance, MessageField)
		case strings.EqualFold(h.Name, MessageField), strings.EqualFold(h.Name, ResultsField):
			c.violate(s, CoversARC, h.Name)
		case strings.EqualFold(h.Name, "Authentication-Results"):
			c.violate(s, CoversResults, h.Name)
		case strings.EqualFold(h.Name, "From"):
			from = true
		}
	}
	if !from {
		c.violate(s, FromNotCovered, "From")
	}
	if h, ok := s.Message.Tag("h"); ok && strings.Count(h, ":")+1 != len(s.Message.Headers) {
		c.violate(s, EmptyHeaders, "h")
	}
	if _, ok := s.Message.Tag("v"); ok {
		c.violate(s, VersionTag, "v")
	}
	for _, name := range []string{"bh", "c", "l", "q", "v", "x", "z"} {
		if _, ok := s.Seal.Tag(name); ok {
			c.violate(s, SealTag, name)
		}
	}
	if s.ResultsError != nil {
		c.violate(s, ResultsSyntax, ResultsField)
	}
}

func (c *Chain) violate(s *Set, r Rule, detail string) {
	for i := len(c.Violations) - 1; i >= 0 && c.Violations[i].Instance == s.Instance; i-- {
		if c.Violations[i].Rule == r {
			return // one of a kind for each set says enough
		}
	}
	c.Violations = append(c.Violations, Violation{Instance: s.Instance, Rule: r, Detail: detail})
}

// claims checks what each seal says of the sets below it (RFC 8617 section 5.2
// steps 2 and 3).
func (c *Chain) claims() {
	if n := c.Newest(); n.CV == "fail" {
		c.fail(SealedAsFailed, n.Instance, SealField)
		return
	}
	for _, s := range c.Sets {
		want := "pass"
		if s.Instance == 1 {
			want = "none"
		}
		if s.CV != want {
			c.fail(WrongCV, s.Instance, SealField)
			return
		}
	}
}

// check checks every signature, also those that no longer matter, because
// whoever looks at a broken chain wants to know where it broke.
func (c *Chain) check(ctx context.Context, v *dkim.Verifier) error {
	signatures := make([]*dkim.Signature, len(c.Sets))
	for i := range c.Sets {
		signatures[i] = &c.Sets[i].Message
	}
	if err := v.Check(ctx, signatures...); err != nil {
		return err
	}
	for i := range c.Sets {
		if err := c.retry(ctx, v, &c.Sets[i]); err != nil {
			return err
		}
	}
	// A seal covers the sets up to its own, each in the order results, message
	// signature, seal (RFC 8617 section 5.1.1). They are hashed once for all
	// seals.
	all := sha256.New()
	var buf []byte
	m := v.Message()
	for i := range c.Sets {
		s := &c.Sets[i]
		buf = dkim.AppendField(buf[:0], m, s.Results.Source, dkim.Relaxed)
		buf = dkim.AppendField(buf, m, s.Message.Field, dkim.Relaxed)
		all.Write(buf)
		up, err := all.(hash.Cloner).Clone()
		if err != nil {
			return fmt.Errorf("hashing: %w", err)
		}
		buf = s.Seal.AppendSelf(buf[:0], m)
		up.Write(buf)
		if err := v.CheckDigest(ctx, &s.Seal, [sha256.Size]byte(up.Sum(nil))); err != nil {
			return err
		}
		all.Write(dkim.AppendField(buf[:0], m, s.Seal.Field, dkim.Relaxed))
	}
	return nil
}

// retry checks a message signature without c= that does not hold once more as
// relaxed. Sealers that know no other canonicalization leave the tag out.
func (c *Chain) retry(ctx context.Context, v *dkim.Verifier, s *Set) error {
	if _, ok := s.Message.Tag("c"); ok || s.Message.Status != dkim.StatusFail {
		return nil
	}
	again := dkim.Parse(s.Message.Field, dkim.ARCMessageSignature)
	again.HeaderCanon, again.BodyCanon = dkim.Relaxed, dkim.Relaxed
	if err := v.Check(ctx, &again); err != nil {
		return err
	}
	if again.Status == dkim.StatusPass {
		s.Message = again
		c.violate(s, CanonDefault, "c")
	}
	return nil
}

// judge joins the results of the signatures (RFC 8617 section 5.2 steps 4 to 6).
func (c *Chain) judge() {
	newest := c.Newest()
	c.signature(&newest.Message, MessageFails, newest.Instance, MessageField)
	for i := len(c.Sets) - 1; i >= 0; i-- {
		c.signature(&c.Sets[i].Seal, SealFails, i+1, SealField)
	}
	if c.Reason != "" {
		return
	}
	c.Status = StatusPass
	for i := len(c.Sets) - 2; i >= 0; i-- {
		if c.Sets[i].Message.Status != dkim.StatusPass {
			c.OldestPass = i + 2
			break
		}
	}
	for i := len(c.Sets) - 1; i >= 0 && c.Sets[i].Trusted; i-- {
		c.TrustedFrom = i + 1
	}
}

// signature lets the chain fail if the signature did.
func (c *Chain) signature(s *dkim.Signature, r Reason, instance int, field string) {
	switch s.Reason {
	case "":
		return
	case dkim.KeyUnavailable:
		r = KeyUnavailable
	case dkim.NotAsked:
		r = NotAsked
	case dkim.OutOfBudget:
		r = OutOfBudget
	default: // it does not hold, for which r is the word
	}
	// What is certain outweighs what could not be checked.
	if r.Status() == StatusFail && c.Status == StatusTempError {
		c.Reason = ""
	}
	c.fail(r, instance, field)
}
