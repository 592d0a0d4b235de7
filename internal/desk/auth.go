package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/netip"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// oldMail is how old a mail is whose DNS has probably changed since.
const oldMail = 7 * day

// AuthInput says what to verify.
type AuthInput struct {
	Items iter.Seq[Item]

	// The envelope, where the user knows it better than the header tells.
	IP       netip.Addr
	MailFrom string
	Helo     string
	unknown  bool // nobody knows the envelope, and the header must not be asked

	Method  dmarc.Method // how DMARC finds organizational domains
	StampAs string       // authserv-id under which to write Authentication-Results; empty writes none
}

// AuthDeps is what [Auth] needs from outside.
type AuthDeps struct {
	Resolver resolve.Resolver // nil asks nothing
	Facts    org.Facts
	Words    *lang.Catalogue  // nil: the built-in one
	Now      func() time.Time // nil: the system's clock
}

// Validate accepts every input; an envelope that is not given is read from the
// message.
func (in AuthInput) Validate() error { return nil }

// Auth verifies every item and yields one report for each, in order.
func Auth(ctx context.Context, in AuthInput, deps AuthDeps) iter.Seq[*AuthReport] {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Resolver == nil {
		deps.Resolver = resolve.Offline()
	}
	return func(yield func(*AuthReport) bool) {
		for it := range in.Items {
			report := authSafely(ctx, it, in, deps)
			if ctx.Err() != nil { // it may lack what was not answered any more
				return
			}
			if !yield(report) {
				return
			}
		}
	}
}

// authSafely turns a panic into an error about that message, as [Judge] does.
func authSafely(ctx context.Context, it Item, in AuthInput, deps AuthDeps) (out *AuthReport) {
	r := renderer{words: deps.Words, now: deps.Now()}
	defer func() {
		if p := recover(); p != nil {
			out = emptyReport(it)
			out.Error = r.failure(internalError(it.File, p))
		}
	}()
	if it.Err != nil {
		out = emptyReport(it)
		out.Error = r.failure(it.Err)
		return out
	}
	return r.authItem(ctx, it, in, deps)
}

// emptyReport is a report without any result.
func emptyReport(it Item) *AuthReport {
	return &AuthReport{
		Schema: AuthSchema, File: it.File, Index: it.Index, Form: it.Form,
		Claims: []Claimed{}, DKIM: []DKIMView{}, Differs: []Fact{}, DNS: []DNSView{},
		ARC: ARCView{Sets: []ARCSet{}}, DMARC: DMARCView{Walk: []DMARCStep{}, Alignments: []AlignmentView{}},
	}
}

func (r renderer) authItem(ctx context.Context, it Item, in AuthInput, deps AuthDeps) *AuthReport {
	out := emptyReport(it)
	sum := sha256.Sum256(it.Raw)
	out.SHA256 = hex.EncodeToString(sum[:])
	b := budget.New(nil)
	m := eml.Parse(it.Raw, &eml.Options{Budget: b})
	v := verify(ctx, m, bounded(deps.Resolver), deps.Facts, deps.Now(), &in, b)
	out.Subject = m.Subject().Text
	if from := m.From(); len(from) > 0 {
		out.From = mailboxOf(from[0])
	}
	if t, ok := m.Date(); ok {
		out.Date = timeOf(t)
		if deps.Now().Sub(t) > oldMail {
			out.Caution = r.words.Render(lang.M("auth.old", "date", t))
		}
	}
	out.Envelope = Envelope{Helo: v.in.Helo, MailFrom: v.in.MailFrom, Source: r.words.Render(v.source)}
	if v.in.IP.IsValid() {
		out.Envelope.IP = v.in.IP.String()
	}
	out.Claims = r.claims(m, v.path)
	r.report(out, v.report)
	out.Differs = r.facts(v.differs(it.Form))
	out.Summary = r.words.Render(v.summary())
	for _, a := range v.asked {
		out.DNS = append(out.DNS, dnsView(a))
	}
	if in.StampAs != "" {
		if s, err := v.stamp(in.StampAs); err == nil {
			out.Stamp = s
		} else {
			out.Error = &Failure{Kind: Invalid, Text: r.words.Render(lang.M("auth.error.stamp", "id", in.StampAs))}
		}
	}
	return out
}
