package m365

import (
	"net/netip"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// Verdict is the outcome of [DirectSend].
type Verdict string

// The verdicts.
const (
	// DS1: From and MAIL FROM in the own domain, from outside, not signed in,
	// not authenticated. RejectDirectSend stops it.
	DS1 Verdict = "ds-1"
	// DS2: From in the own domain, MAIL FROM in another. RejectDirectSend does
	// not look at From and does not stop it.
	DS2 Verdict = "ds-2"
	// DS3: From in the own domain with the null sender, and no bounce.
	DS3 Verdict = "ds-3"
	// Internal: somebody of the own tenant signed in to send it.
	Internal Verdict = "internal"
	// AuthenticatedExternal: from outside, and proven to be allowed to use the
	// own domain.
	AuthenticatedExternal Verdict = "authenticated-external"
	// ViaConnector: came through an inbound connector of the tenant.
	ViaConnector Verdict = "via-connector"
	// AuthorisedDevice: not signed in, from an address that the own SPF record
	// allows.
	AuthorisedDevice Verdict = "authorised-device"
	// GatewayBrokeAuth: authenticated when the gateway took it, no longer when
	// Exchange Online did.
	GatewayBrokeAuth Verdict = "gateway-broke-auth"
	// SpoofThroughGateway: not authenticated when the gateway took it.
	SpoofThroughGateway Verdict = "spoof-through-gateway"
	// ListOrForward: a colleague's mail that comes back through a mailing list
	// or a forwarder.
	ListOrForward Verdict = "list-or-forward"
	// NDR: a bounce.
	NDR Verdict = "ndr"
	// OutOfScope: From is not in the own domain.
	OutOfScope Verdict = "out-of-scope"
	// NotDecidable: the file does not show how the mail came in.
	NotDecidable Verdict = "not-decidable"
)

// IsSpoof reports whether the verdict is an attack rather than one of the
// explanations for mail that looks like one.
func (v Verdict) IsSpoof() bool {
	return v == DS1 || v == DS2 || v == DS3 || v == SpoofThroughGateway
}

// IsOwn reports whether the verdict says that the mail is the organisation's own
// and that the way it came proves it.
func (v Verdict) IsOwn() bool {
	return v == Internal || v == AuthenticatedExternal || v == ViaConnector || v == AuthorisedDevice || v == GatewayBrokeAuth
}

// Confidence says how sure a verdict is.
type Confidence string

// The levels of confidence.
const (
	High   Confidence = "high"
	Medium Confidence = "medium"
	Low    Confidence = "low"
)

// Input is what [DirectSend] decides from.
type Input struct {
	Message   *eml.Message
	Facts     *org.Facts // nil: nothing is known of the organisation
	Presumed  []string   // domains taken for own ones; see [PresumedDomain]
	Recipient string     // of the envelope; empty if not known
	Verified  *Verified  // our own verification; nil: only what Exchange Online wrote
}

// Verified is what our own verification of the message found, to be used
// beside what Exchange Online wrote.
type Verified struct {
	DKIM []VerifiedSignature
	ARC  VerifiedChain
}

// VerifiedSignature is a DKIM signature that was verified.
type VerifiedSignature struct {
	Domain     string
	Pass       bool
	KeyBits    int  // of an RSA key; 0 for other algorithms
	FromSigned bool // the signature covers From
	Evidence   finding.Evidence
}

// VerifiedChain is an ARC chain that was validated (RFC 8617 section 5.2).
type VerifiedChain struct {
	Pass     bool
	Sealers  []string // d= of every seal, from i=1
	Origin   string   // domain of From that passed DMARC according to the set i=1; empty if none
	Evidence finding.Evidence
}

// Step is one step of the decision.
type Step struct {
	Step     string // S0 to S8
	Result   lang.Message
	Evidence []finding.Evidence
}

// Signal is something that makes an attack more likely or less.
type Signal struct {
	Name     string // stable, such as "mx-bypass"
	Weight   int    // +1 or -1
	Message  lang.Message
	Evidence []finding.Evidence
}

// Decision is the outcome with everything that led to it.
type Decision struct {
	Verdict    Verdict
	Confidence Confidence
	Steps      []Step
	Signals    []Signal
	Tampered   []Tamper // contradictions in what Exchange Online should have written

	From      eml.Address // the mailbox of From that claims the own domain, otherwise the first
	MailFrom  string      // address or domain of MAIL FROM; empty for the null sender
	Null      bool        // the sender is null ("<>")
	Domain    string      // the own domain that From claims; empty if it claims none
	Presumed  bool        // nobody configured Domain
	Self      bool        // addressed to its own sender
	ClientIP  netip.Addr  // from which Exchange Online took the mail
	SourceIP  netip.Addr  // from which the gateway in front took it; invalid without a gateway
	Helo      string
	Connector string // name of the connector that it came through

	ConnectorBroken bool // the connector no longer vouches for what comes through it
	ConnectorWide   bool // the connector takes mail from a wide range of addresses
	MXBypass        bool // came past the filter in front of Exchange Online

	Path           *Path
	Stamps         *Stamps
	Authentication *Authentication
}

// Signal returns the signal of that name and whether there is one.
func (d *Decision) Signal(name string) (Signal, bool) {
	for _, s := range d.Signals {
		if s.Name == name {
			return s, true
		}
	}
	return Signal{}, false
}
