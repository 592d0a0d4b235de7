package m365

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/authres"
)

// Value is one value that Exchange Online stamped, and the field it came from.
// The zero Value was not stamped.
type Value struct {
	Text  string
	Field eml.Field
	Span  eml.Span // of Text in the raw message, as it stands there
}

// Is reports whether the value is there and equals s in any case.
func (v Value) Is(s string) bool { return v.Text != "" && strings.EqualFold(v.Text, s) }

// Given reports whether the value was stamped.
func (v Value) Given() bool { return v.Text != "" }

// Int returns the value as a number and whether it is one.
func (v Value) Int() (int, bool) {
	n, err := strconv.Atoi(v.Text)
	return n, err == nil
}

// Stamps is what the recipient's Exchange Online wrote about a message. Only
// fields that [Path.Provenance] trusts are in it.
type Stamps struct {
	// X-MS-Exchange-Organization-*
	AuthAs                Value // Anonymous, Internal, External, Partner
	AuthSource            Value // the server that authenticated
	AuthMechanism         Value // a number, not documented
	Directionality        Value // Incoming or Originating
	InternalOrgSender     Value // True: From is an accepted domain; not documented
	ASDirectionalityType  Value // not documented
	IsAnonymousDirectSend Value // True: Microsoft's own label; not documented
	MxPointsToUs          Value // False: the MX is not Exchange Online; not documented
	NetworkMessageID      Value // key to EmailEvents
	SCL                   Value // spam confidence level
	PCL                   Value // phishing confidence level, no longer written

	// X-MS-Exchange-CrossTenant-*
	CrossTenantAuthAs     Value
	CrossTenantAuthSource Value
	CrossTenantID         Value // GUID of the tenant that wrote the fields
	FromEntity            Value // Hosted, HybridOnPrem or Internet

	// X-Forefront-Antispam-Report and X-Microsoft-Antispam
	CIP, Country, Direction, Helo, PTR, Language, IPV, CAT, SFV, SFTY, ReportSCL, BCL Value

	// X-Microsoft-Antispam-Mailbox-Delivery
	Dest     Value // I: inbox, J: junk
	Decision Value // OFR: why

	SkipListed       Value // X-MS-Exchange-SkipListedInternetSender: the source that Enhanced Filtering found
	ExternalOriginal Value // X-MS-Exchange-ExternalOriginalInternetSender
	TenantID         Value // GUID from X-EOPTenantAttributedMessage: the tenant that took the message
	OriginatorOrg    Value
	SenderIP         Value // X-Sender-IP
	CrossPremises    Value // any of the fields that a hybrid path leaves

	Tampered []Tamper
}

// Tamper is a contradiction among what should be written by one hand.
type Tamper struct {
	Message  lang.Message
	Evidence []finding.Evidence
}

// maxTampered bounds how many contradictions are told.
const maxTampered = 10

// ReadStamps reads the stamps of m along its path.
func ReadStamps(m *eml.Message, p *Path) *Stamps {
	s := &Stamps{}
	plain := s.plain()
	for _, f := range m.Header().Fields() {
		name := strings.ToLower(f.Name())
		if !strings.HasPrefix(name, "x-") || !p.Provenance(f).Trusted() {
			continue
		}
		if dst := plain[name]; dst != nil {
			s.set(dst, f, m)
			continue
		}
		switch name {
		case "x-forefront-antispam-report":
			s.report(f, map[string]*Value{
				"cip": &s.CIP, "ctry": &s.Country, "dir": &s.Direction, "h": &s.Helo, "ptr": &s.PTR, "lang": &s.Language,
				"ipv": &s.IPV, "cat": &s.CAT, "sfv": &s.SFV, "sfty": &s.SFTY, "scl": &s.ReportSCL,
			})
		case "x-microsoft-antispam":
			s.report(f, map[string]*Value{"bcl": &s.BCL, "sfty": &s.SFTY})
		case "x-microsoft-antispam-mailbox-delivery":
			s.report(f, map[string]*Value{"dest": &s.Dest, "ofr": &s.Decision})
		case "x-eoptenantattributedmessage":
			if v := valueOf(f); v.Text != "" && s.TenantID.Text == "" {
				guid, _, _ := strings.Cut(v.Text, ":")
				s.TenantID = Value{Text: strings.ToLower(guid), Field: f, Span: eml.Span{Offset: v.Span.Offset, Length: len(guid)}}
			}
		default:
			if strings.HasPrefix(name, "x-crosspremisesheaders") || strings.HasPrefix(name, "x-ms-exchange-crosspremises-") {
				if s.CrossPremises.Text == "" {
					s.CrossPremises = valueOf(f)
					if s.CrossPremises.Text == "" {
						s.CrossPremises = Value{Text: f.Name(), Field: f, Span: f.Span()}
					}
				}
			}
		}
	}
	return s
}

// plain maps the names of fields with a single value to where it goes.
func (s *Stamps) plain() map[string]*Value {
	return map[string]*Value{
		organizationPrefix + "authas":                  &s.AuthAs,
		organizationPrefix + "authsource":              &s.AuthSource,
		organizationPrefix + "authmechanism":           &s.AuthMechanism,
		organizationPrefix + "messagedirectionality":   &s.Directionality,
		organizationPrefix + "internalorgsender":       &s.InternalOrgSender,
		organizationPrefix + "asdirectionalitytype":    &s.ASDirectionalityType,
		organizationPrefix + "isanonymousdirectsend":   &s.IsAnonymousDirectSend,
		organizationPrefix + "mxpointstous":            &s.MxPointsToUs,
		organizationPrefix + "network-message-id":      &s.NetworkMessageID,
		organizationPrefix + "scl":                     &s.SCL,
		organizationPrefix + "pcl":                     &s.PCL,
		crossTenantPrefix + "authas":                   &s.CrossTenantAuthAs,
		crossTenantPrefix + "authsource":               &s.CrossTenantAuthSource,
		crossTenantPrefix + "id":                       &s.CrossTenantID,
		crossTenantPrefix + "fromentityheader":         &s.FromEntity,
		"x-ms-exchange-skiplistedinternetsender":       &s.SkipListed,
		"x-ms-exchange-externaloriginalinternetsender": &s.ExternalOriginal,
		"x-originatororg":                              &s.OriginatorOrg,
		"x-sender-ip":                                  &s.SenderIP,
	}
}

// set takes the value of f. Where a field stands twice with two values, one of
// them is forged or stale: the one that accuses counts, and the contradiction
// is noted.
func (s *Stamps) set(dst *Value, f eml.Field, m *eml.Message) {
	v := valueOf(f)
	if v.Text == "" {
		return
	}
	if dst.Text == "" {
		*dst = v
		return
	}
	if strings.EqualFold(dst.Text, v.Text) {
		return
	}
	switch dst {
	case &s.AuthAs, &s.CrossTenantAuthAs, &s.Directionality, &s.IsAnonymousDirectSend, &s.InternalOrgSender:
		if len(s.Tampered) < maxTampered {
			s.Tampered = append(s.Tampered, Tamper{
				Message:  lang.M("m365.tamper.twice", "field", f.Name(), "a", dst.Text, "b", v.Text),
				Evidence: []finding.Evidence{fieldEvidence(m, dst.Field), fieldEvidence(m, f)},
			})
		}
		if !excuses(v.Text) {
			*dst = v
		}
	}
}

// excuses reports whether a value would make a message look like one of ours.
func excuses(v string) bool {
	switch strings.ToLower(v) {
	case "internal", "partner", "originating", "false":
		return true
	}
	return false
}

// report reads a field of "KEY:value;" pairs. The topmost value of a key
// counts.
func (s *Stamps) report(f eml.Field, want map[string]*Value) {
	raw := f.Raw()
	raw = raw[:min(len(raw), 16<<10)]
	at := f.ValueSpan().Offset
	for start := 0; start < len(raw); {
		end := strings.IndexByte(raw[start:], ';')
		if end < 0 {
			end = len(raw)
		} else {
			end += start
		}
		key, val, ok := strings.Cut(raw[start:end], ":")
		if ok {
			if dst := want[strings.ToLower(strings.TrimSpace(key))]; dst != nil && dst.Text == "" {
				trimmed := strings.TrimSpace(val)
				if trimmed != "" {
					off := start + len(key) + 1 + strings.Index(val, trimmed)
					*dst = Value{Text: trimmed, Field: f, Span: eml.Span{Offset: at + off, Length: len(trimmed)}}
				}
			}
		}
		start = end + 1
	}
}

// valueOf returns the whole value of f without the white space around it.
func valueOf(f eml.Field) Value {
	raw := f.Raw()
	trimmed := strings.Trim(raw, " \t\r\n")
	off := 0
	if trimmed != "" {
		off = strings.Index(raw, trimmed)
	}
	return Value{Text: f.Value(), Field: f, Span: eml.Span{Offset: f.ValueSpan().Offset + off, Length: len(trimmed)}}
}

// SourceIP returns the address that Enhanced Filtering for Connectors found
// behind a gateway: "ip=[192.0.2.1];domain=host.example".
func (s *Stamps) SourceIP() (netip.Addr, Value, bool) {
	for _, v := range []Value{s.SkipListed, s.ExternalOriginal} {
		for part := range strings.SplitSeq(v.Text, ";") {
			key, val, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(key, "ip") {
				continue
			}
			if ip, err := netip.ParseAddr(strings.Trim(val, "[] ")); err == nil {
				return ip.Unmap().WithZone(""), v, true
			}
		}
	}
	return netip.Addr{}, Value{}, false
}

// checkAddresses notes where the fields that all name the connecting client
// disagree.
func (s *Stamps) checkAddresses(m *eml.Message, p *Path, a *Authentication) {
	type named struct {
		ip netip.Addr
		ev finding.Evidence
	}
	var all []named
	if hop, ok := p.IngressHop(); ok {
		all = append(all, named{hop.FromIP, evidence(m, hop.Field, hop.FromIPSpan)})
	}
	if a.ClientIP.IsValid() {
		all = append(all, named{a.ClientIP, a.clientEvidence})
	}
	if a.receivedSPF.ClientIP.IsValid() {
		all = append(all, named{a.receivedSPF.ClientIP, evidence(m, a.receivedSPF.Source, a.receivedSPF.IPSpan)})
	}
	for _, v := range []Value{s.CIP, s.SenderIP} {
		ip, err := netip.ParseAddr(v.Text)
		// 255.255.255.255 is what is written for mail from inside.
		if err == nil && v.Text != "255.255.255.255" {
			all = append(all, named{ip.Unmap(), evidence(m, v.Field, v.Span)})
		}
	}
	if len(all) < 2 {
		return
	}
	// Enhanced Filtering replaces the gateway by the source in some fields.
	source, _, enhanced := s.SourceIP()
	var ev []finding.Evidence
	seen := map[netip.Addr]bool{}
	for _, n := range all {
		if enhanced && (n.ip == source || n.ip == p.ClientIP()) || seen[n.ip] {
			continue
		}
		seen[n.ip] = true
		ev = append(ev, n.ev)
	}
	if len(seen) > 1 || enhanced && len(seen) > 0 {
		s.Tampered = append(s.Tampered, Tamper{Message: lang.M("m365.tamper.addresses"), Evidence: ev})
	}
}

// evidence quotes a span of a field.
func evidence(m *eml.Message, f eml.Field, s eml.Span) finding.Evidence {
	return finding.Evidence{
		Where: finding.Where{Part: m.Root().ID(), Header: f.Name(), Index: f.Index(), Offset: s.Offset, Length: s.Length},
		Quote: m.Quote(s),
	}
}

// maxQuote bounds what is quoted of a field as a whole.
const maxQuote = 300

// fieldEvidence quotes a field from its name on.
func fieldEvidence(m *eml.Message, f eml.Field) finding.Evidence {
	s := f.Span()
	s.Length = min(s.Length, maxQuote)
	return evidence(m, f, s)
}

// valueEvidence quotes a stamped value together with its field name if the
// field holds nothing else.
func valueEvidence(m *eml.Message, v Value) finding.Evidence {
	if whole := valueOf(v.Field); whole.Span == v.Span {
		return fieldEvidence(m, v.Field)
	}
	return evidence(m, v.Field, v.Span)
}

func resultEvidence(m *eml.Message, f eml.Field, r authres.Result) finding.Evidence {
	s := r.Span
	s.Length = min(s.Length, maxQuote)
	return evidence(m, f, s)
}
