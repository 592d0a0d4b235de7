// Package mailauth verifies who a message is from, all at once: SPF, DKIM, ARC
// and DMARC, joined in one report.
//
// The packages below it each verify one thing and can be used alone. Here they
// share what they have in common: one set of body hashes, one reading of the
// header, one resolver, and DMARC gets what SPF and DKIM found.
package mailauth

import (
	"context"
	"net/netip"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
)

// Input is a message and what is known of its delivery.
type Input struct {
	Message *eml.Message

	// The envelope, as the receiving host saw it. Without IP, SPF is not
	// checked. MailFrom is the address without angle brackets, empty for a
	// bounce.
	IP       netip.Addr
	MailFrom string
	Helo     string
	Receiver string // the host that checks

	Now time.Time // signatures expire against it
}

// Options changes how a message is verified. A nil *Options and zero fields are
// the defaults of the packages below.
type Options struct {
	Method         dmarc.Method     // how DMARC finds organizational domains
	Suffixes       dmarc.SuffixList // for dmarc.MethodPSL
	TrustedSealers []domain.Name    // of ARC chains
	MaxSignatures  int              // DKIM signatures that are checked
	NoTrace        bool             // leave the trace of SPF out
	Budget         *budget.Budget   // of the message; nil is no bound
}

// Report is what was verified.
type Report struct {
	SPF   *spf.Result // nil where the envelope is not known
	DKIM  dkim.Result
	ARC   arc.Chain
	DMARC dmarc.Result
	From  []string // domains of the From field, each once
}

// Verify verifies the message. What could not be verified is a value in the
// report; the error is not nil only if the context ended before DNS answered,
// and the report then holds what was found until then. A time limit belongs into
// the resolver, see [resolve.Deadline], so that the report is whole.
func Verify(ctx context.Context, r resolve.Resolver, in Input, o *Options) (*Report, error) {
	if o == nil {
		o = &Options{}
	}
	out := &Report{From: fromDomains(in.Message)}
	din := dmarc.Input{From: out.From}
	if in.IP.IsValid() {
		res := spf.Check(ctx, r, spf.Input{IP: in.IP, MailFrom: in.MailFrom, Helo: in.Helo, Receiver: in.Receiver, Now: in.Now},
			&spf.Options{NoTrace: o.NoTrace})
		out.SPF = &res
		din.SPF = &dmarc.Identifier{Domain: res.Domain, Status: string(res.Status)}
	}
	v := dkim.NewVerifier(r, in.Message, in.Now, &dkim.Options{MaxSignatures: o.MaxSignatures, Budget: o.Budget})
	var err error
	if out.DKIM, err = v.Verify(ctx); err != nil {
		return out, err
	}
	for i := range out.DKIM.Signatures {
		s := &out.DKIM.Signatures[i]
		din.DKIM = append(din.DKIM, dmarc.Identifier{Domain: string(s.Domain), Selector: s.Selector, Status: string(s.Status)})
	}
	if out.ARC, err = arc.ValidateWith(ctx, v, &arc.Options{Trusted: o.TrustedSealers}); err != nil {
		return out, err
	}
	out.DMARC = dmarc.Evaluate(ctx, r, din, &dmarc.Options{Method: o.Method, Suffixes: o.Suffixes})
	return out, nil
}

// fromDomains returns the domain of each mailbox in the From fields, each once.
func fromDomains(m *eml.Message) []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range m.From() {
		if a.Domain != "" && !seen[a.Domain] {
			seen[a.Domain] = true
			out = append(out, a.Domain)
		}
	}
	return out
}
