package m365

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// IngressKind says from where Exchange Online took the message over.
type IngressKind string

// The kinds of ingress.
const (
	IngressNone      IngressKind = ""          // no such hop
	IngressInternet  IngressKind = "internet"  // from an address outside Microsoft
	IngressMicrosoft IngressKind = "microsoft" // from Exchange Online's own outbound servers: another tenant, or mail that comes back
)

// Path is the way that a message took, and what can be believed of its header
// because of it.
type Path struct {
	Hops    []Hop // newest first
	Ingress int   // index in Hops of the hop at which Exchange Online took over; -1 if there is none
	Kind    IngressKind

	// Exported means that the file comes from an Exchange Online mailbox (or
	// from a server of the organisation behind it): the newest hop says so.
	Exported bool
	// Intra means that every hop lies inside Exchange Online: nothing came from
	// outside.
	Intra bool

	header   eml.Header
	ingress  int  // index in the header of the ingress field, 1-based; 0 if there is none
	tail     int  // index of the first field of the tail; beyond the last field if there is none
	stamped  bool // Organization fields stand above the ingress
	gateway  int  // index of the last field that the gateway wrote; 0 if there is none
	source   int  // index in Hops of the hop at which the gateway took over; -1 if there is none
	firewall int  // index of the first Organization field of the tail
	// returnPath is the index of the Return-Path that was written on delivery:
	// the only one there is, since Exchange Online replaces what the sender
	// wrote. 0 if there are none or several.
	returnPath int
}

// NewPath reads the path of a message from its header. Facts may be nil; they
// name the organisation's own servers and gateways.
func NewPath(h eml.Header, facts *org.Facts) *Path {
	p := &Path{Hops: Hops(h), Ingress: -1, source: -1, header: h, tail: h.Len() + 1, firewall: h.Len() + 1}
	if all := h.All("Return-Path"); len(all) == 1 {
		p.returnPath = all[0].Index()
	}
	p.findIngress(facts)
	if p.Exported {
		p.findTail()
	}
	if p.Ingress >= 0 && facts != nil && within(p.ClientIP(), facts.Gateways.Value()) {
		p.findGateway(facts.Gateways.Value())
	}
	return p
}

// findIngress walks down from the newest hop as long as Exchange Online, or a
// server of the organisation behind it, wrote the field. A field counts only
// because everything above it does: what stands under the ingress is the
// sender's, whatever it says.
func (p *Path) findIngress(facts *org.Facts) {
	seen := false // a field by Exchange Online
	for i, hop := range p.Hops {
		if !IsMicrosoftHost(hop.By) {
			if _, own := facts.Owns(hop.By); own && !seen {
				continue // an Exchange server of our own, to which Exchange Online delivered
			}
			// An internal hop without a name: Exchange notes handing over to
			// itself as "by X with mapi".
			break
		}
		seen = true
		if !hop.FromIP.IsValid() || isMicrosoftInternal(hop.FromIP) {
			if i == len(p.Hops)-1 {
				p.Intra = true
			}
			continue
		}
		out := IsMicrosoftOutbound(hop.FromIP)
		if out && !IsProtectionHost(hop.By) {
			continue // a step inside of Exchange Online over its public addresses
		}
		p.Ingress, p.Kind = i, IngressInternet
		if out {
			p.Kind = IngressMicrosoft
		}
		p.ingress = hop.Field.Index()
		break
	}
	p.Exported = seen && (p.Ingress >= 0 || p.Intra)
	p.Intra = p.Intra && p.Ingress < 0
}

// IngressHop returns the hop at which Exchange Online took the message over.
func (p *Path) IngressHop() (Hop, bool) {
	if p.Ingress < 0 {
		return Hop{}, false
	}
	return p.Hops[p.Ingress], true
}

// ClientIP returns the address from which Exchange Online took the message,
// invalid if that is not known.
func (p *Path) ClientIP() netip.Addr {
	if p.Ingress < 0 {
		return netip.Addr{}
	}
	return p.Hops[p.Ingress].FromIP
}

// SourceHop returns the hop at which the organisation's gateway took the
// message over, and whether there is one.
func (p *Path) SourceHop() (Hop, bool) {
	if p.source < 0 {
		return Hop{}, false
	}
	return p.Hops[p.source], true
}

// Field names that only Exchange Online's own fields have, in lower case.
const (
	organizationPrefix = "x-ms-exchange-organization-"
	crossTenantPrefix  = "x-ms-exchange-crosstenant-"
)

// receiptPrefixes and receiptNames are what Exchange Online writes at the end
// of a header when it receives a message, in lower case.
func isReceiptName(name string) bool {
	for _, prefix := range []string{
		"x-ms-", "x-microsoft-", "x-eop", "x-forefront-", "x-exchange-", "x-sid-", "x-crosspremisesheaders",
		"x-message-", "x-incoming", "x-externalrecipient", "x-ld-", "x-customspam",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"x-sender-ip", "x-originatororg", "x-tmn", "x-store-info", "x-ipas", "x-auto-response-suppress",
		"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-language",
		"importance", "x-priority", "priority", "x-msmail-priority", "x-originalarrivaltime",
	}, name)
}

// anchors are fields that Exchange Online writes into every message that it
// receives. A tail without any is not one.
func isAnchor(name string) bool {
	if !strings.HasPrefix(name, organizationPrefix) {
		return slices.Contains([]string{
			"x-eopattributedmessage", "x-eoptenantattributedmessage", "x-ms-office365-filtering-correlation-id",
			"x-forefront-antispam-report", "x-microsoft-antispam-mailbox-delivery", "x-microsoft-antispam",
			"x-ms-publictraffictype", "x-ms-traffictypediagnostic",
		}, name) || strings.HasPrefix(name, crossTenantPrefix)
	}
	switch strings.TrimPrefix(name, organizationPrefix) {
	case "authas", "scl", "internalorgsender", "isanonymousdirectsend":
		return false // what a forger would write
	}
	return true
}

// findTail finds the tail of the header. See the package comment.
func (p *Path) findTail() {
	fields := p.header.Fields()
	if p.ingress > 0 {
		for _, f := range fields[:p.ingress] {
			if strings.HasPrefix(strings.ToLower(f.Name()), organizationPrefix) {
				p.stamped = true // whoever writes above the ingress does not write at the end
				return
			}
		}
	}
	start := len(fields)
	anchors, first := 0, len(fields)
	for start > p.ingress {
		name := strings.ToLower(fields[start-1].Name())
		if !isReceiptName(name) {
			break
		}
		start--
		if isAnchor(name) {
			anchors++
		}
		if strings.HasPrefix(name, organizationPrefix) {
			first = start
		}
	}
	afterReturnPath := start > p.ingress && start > 0 && fields[start-1].Is("Return-Path")
	switch {
	case afterReturnPath && anchors >= 1:
		p.tail = start + 1
	case anchors >= 2 && first < len(fields):
		// The sender wrote a Return-Path of his own, in the place of which
		// Exchange Online put the real one, or the file has none. Then the
		// sender's last fields may adjoin the tail; what is certain begins with
		// the first field that the header firewall keeps out.
		p.tail = first + 1
	}
	if p.tail <= len(fields) {
		p.firewall = first + 1
	}
}

// findGateway finds how far down the organisation's gateway wrote: from the
// ingress through its own hops to the one at which it took the message.
func (p *Path) findGateway(gateways []netip.Prefix) {
	for i := p.Ingress + 1; i < len(p.Hops); i++ {
		ip := p.Hops[i].FromIP
		if ip.IsValid() && !within(ip, gateways) && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() {
			p.source = i
			p.gateway = p.Hops[i].Field.Index()
			return
		}
	}
}

// Writer is who wrote a header field.
type Writer string

// The writers.
const (
	ByTenant  Writer = "tenant"  // Exchange Online on behalf of the recipient
	ByOther   Writer = "other"   // Exchange Online on behalf of another tenant, as far as the field itself says
	ByGateway Writer = "gateway" // the filter in front of Exchange Online
	BySender  Writer = "sender"  // the sender, or a server before ours
	ByUnknown Writer = "unknown" // cannot be told from this file
)

// Stamp says who wrote a header field and what that is worth.
type Stamp struct {
	By        Writer
	Forgeable bool // the sender could have written it
	Reason    lang.Message
}

// Trusted reports whether the recipient's own Exchange Online wrote the field.
func (s Stamp) Trusted() bool { return s.By == ByTenant && !s.Forgeable }

// Provenance says who wrote f, a field of the header that the path was read
// from.
func (p *Path) Provenance(f eml.Field) Stamp {
	i, name := f.Index(), strings.ToLower(f.Name())
	microsoft := isReceiptName(name) && strings.HasPrefix(name, "x-")
	switch {
	case !p.Exported:
		return Stamp{ByUnknown, true, lang.M("m365.provenance.not-exported")}
	case p.Intra:
		if microsoft || name == "received" || name == "return-path" {
			return Stamp{ByTenant, false, lang.M("m365.provenance.intra")}
		}
		return Stamp{BySender, true, lang.M("m365.provenance.author")}
	case i < p.ingress:
		return Stamp{ByTenant, false, lang.M("m365.provenance.above")}
	case i == p.ingress:
		return Stamp{ByTenant, false, lang.M("m365.provenance.ingress")}
	case i >= p.tail && microsoft:
		return Stamp{ByTenant, false, lang.M("m365.provenance.tail")}
	case name == "return-path" && i == p.returnPath:
		return Stamp{ByTenant, false, lang.M("m365.provenance.return-path")}
	case i <= p.gateway:
		return Stamp{ByGateway, false, lang.M("m365.provenance.gateway")}
	case p.Kind == IngressMicrosoft && microsoft:
		return Stamp{ByOther, true, lang.M("m365.provenance.other")}
	case strings.HasPrefix(name, organizationPrefix):
		return Stamp{BySender, true, lang.M("m365.provenance.below")}
	}
	return Stamp{BySender, true, lang.M("m365.provenance.sender")}
}

// guarded reports whether f stands where the header firewall lets nothing of
// the sender stand: above the ingress, or in the tail from its first
// Organization field on.
func (p *Path) guarded(f eml.Field) bool {
	i := f.Index()
	return p.Intra || i < p.ingress || i >= p.firewall
}
