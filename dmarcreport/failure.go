package dmarcreport

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
)

// ErrNotFailure means that a message is no failure report.
var ErrNotFailure = errors.New("dmarcreport: no failure report")

// Failure is a report on one message that failed (RFC 6591, RFC 9991), in the
// Abuse Reporting Format of RFC 5965. Addresses and the subject in it are those
// of people: see [Failure.Redact].
type Failure struct {
	FeedbackType string // auth-failure
	AuthFailure  string // dmarc, spf, dkim, signature, bodyhash, revoked, adsp; RFC 6591 section 3.1
	UserAgent    string
	Reporter     string // domain of the author of the report
	Domain       string // about which the report is, lower case
	Source       netip.Addr
	Arrival      time.Time // UTC; zero if not given
	Incidents    int64     // how many messages it stands for; 1 if not given

	MailFrom, RcptTo  string // of the envelope
	DeliveryResult    string // delivered, spam, policy, reject, other
	IdentityAlignment string // RFC 9991 section 4: none, or which of dkim and spf were aligned
	Results           []string
	DKIMDomain        string
	DKIMSelector      string
	DKIMIdentity      string
	SPFRecord         string

	// Of the message, as far as the report holds it.
	From, Subject, MessageID string

	Redacted bool
	Faults   []Fault
}

// ParseFailure reads the failure report that a message is. Reports without the
// part for programs are read from their text where it says the domain and the
// source. The error is [ErrNotFailure].
func ParseFailure(m *eml.Message) (*Failure, error) {
	var feedback, original, plain *eml.Part
	for p := range m.Parts() {
		switch {
		case p.MediaType() == "message/feedback-report":
			feedback = first(feedback, p)
		case p.Embedded() != nil || p.MediaType() == "text/rfc822-headers" || p.MediaType() == "message/rfc822-headers":
			original = first(original, p)
		case p.MediaType() == "text/plain" && p.IsLeaf():
			plain = first(plain, p)
		}
	}
	f := &Failure{Incidents: 1}
	if from := m.From(); len(from) > 0 {
		f.Reporter = from[0].Domain
	}
	switch {
	case feedback != nil:
		f.feedback(eml.Parse(feedback.Content(), nil).Header())
	case plain != nil:
		rest, ok := f.text(plain.Text())
		if !ok {
			return nil, ErrNotFailure
		}
		if original == nil {
			f.original(eml.Parse([]byte(rest), nil))
		}
	default:
		return nil, ErrNotFailure
	}
	if original != nil {
		if e := original.Embedded(); e != nil {
			f.original(e)
		} else {
			f.original(eml.Parse(original.Content(), nil))
		}
	}
	if f.Domain == "" && f.From != "" {
		_, f.Domain = cutAddress(f.From)
	}
	for _, x := range []struct {
		name  string
		empty bool
	}{{"Reported-Domain", f.Domain == ""}, {"Source-IP", !f.Source.IsValid()}, {"Arrival-Date", f.Arrival.IsZero()}} {
		if x.empty {
			f.Faults = append(f.Faults, Fault{FaultMissing, x.name, 1})
		}
	}
	if f.Domain == "" && !f.Source.IsValid() {
		return nil, ErrNotFailure
	}
	return f, nil
}

func first(old, p *eml.Part) *eml.Part {
	if old != nil {
		return old
	}
	return p
}

// feedback takes the fields of RFC 5965 section 3 and RFC 6591 section 3.
func (f *Failure) feedback(h eml.Header) {
	word := func(name string) string { return strings.ToLower(clip(h.Value(name))) }
	f.FeedbackType, f.AuthFailure = word("Feedback-Type"), word("Auth-Failure")
	f.UserAgent = clip(h.Value("User-Agent"))
	f.Domain = strings.TrimSuffix(word("Reported-Domain"), ".")
	f.MailFrom = strings.Trim(clip(h.Value("Original-Mail-From")), "<>")
	f.RcptTo = strings.Trim(clip(h.Value("Original-Rcpt-To")), "<>")
	f.DeliveryResult, f.IdentityAlignment = word("Delivery-Result"), word("Identity-Alignment")
	f.DKIMDomain, f.DKIMSelector, f.DKIMIdentity = word("DKIM-Domain"), clip(h.Value("DKIM-Selector")), clip(h.Value("DKIM-Identity"))
	f.SPFRecord = clip(h.Value("SPF-DNS"))
	for _, r := range h.All("Authentication-Results") {
		if len(f.Results) < MaxResults {
			f.Results = append(f.Results, clip(r.Value()))
		}
	}
	f.source(h.Value("Source-IP"))
	for _, name := range []string{"Arrival-Date", "Received-Date"} { // the second is of the first versions of the format
		if t, ok := eml.ParseDate(h.Value(name)); ok && f.Arrival.IsZero() {
			f.Arrival = t.UTC()
		}
	}
	if s := h.Value("Incidents"); s != "" {
		if n, ok := parseCount([]byte(s)); ok && n > 0 {
			f.Incidents = n
		} else {
			f.Faults = append(f.Faults, Fault{FaultCount, "Incidents", 1})
		}
	}
}

func (f *Failure) source(s string) {
	s = strings.Trim(strings.TrimSpace(s), "[]")
	ip, err := netip.ParseAddr(strings.TrimPrefix(s, "IPv6:"))
	if err != nil || ip.Zone() != "" {
		if s != "" {
			f.Faults = append(f.Faults, Fault{FaultSource, clip(s), 1})
		}
		return
	}
	f.Source = ip.Unmap()
}

// maxText is how much of the text of a report for people is read.
const maxText = 64 << 10

// text reads a report that is only for people, as gateways write it: lines such
// as "Sender Domain: kiso-works.example". It returns what follows them, in which
// the header of the message may stand.
func (f *Failure) text(s string) (rest string, ok bool) {
	s = s[:min(len(s), maxText)]
	for rest = s; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if strings.HasPrefix(line, "------") {
			break
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "sender domain", "reported domain", "reported-domain":
			f.Domain = strings.ToLower(clip(value))
		case "sender ip address", "source ip", "source-ip":
			f.source(value)
		case "received date", "arrival date", "arrival-date":
			if t, ok := eml.ParseDate(value); ok {
				f.Arrival = t.UTC()
			}
		}
	}
	if f.Domain == "" || !f.Source.IsValid() {
		return "", false
	}
	f.Faults = append(f.Faults, Fault{FaultMissing, "message/feedback-report", 1})
	return strings.TrimLeft(rest, "\r\n"), true
}

func (f *Failure) original(m *eml.Message) {
	if from := m.From(); len(from) > 0 {
		f.From = clip(from[0].Addr())
	}
	f.Subject, f.MessageID = clip(m.Subject().Text), clip(m.MessageID())
}

// Redact takes out what is personal: the local parts of addresses (RFC 6590
// gives the reasons) and the subject. Domains, sources and the Message-ID, by
// which the message is found again, stay.
func (f *Failure) Redact() {
	for _, s := range []*string{&f.MailFrom, &f.RcptTo, &f.From, &f.DKIMIdentity} {
		*s = redact(*s, false)
	}
	for i := range f.Results {
		f.Results[i] = redact(f.Results[i], true)
	}
	f.Subject, f.Redacted = "", true
}

// redact replaces what stands left of each "@" in a text. property says that the
// name of a property and "=" may stand in front of an address.
func redact(s string, property bool) string {
	var out strings.Builder
	for {
		at := strings.IndexByte(s, '@')
		if at < 0 {
			break
		}
		var from int
		if at > 0 && s[at-1] == '"' { // a quoted local part
			from = max(0, strings.LastIndexByte(s[:at-1], '"'))
		} else {
			from = strings.LastIndexAny(s[:at], " \t<>()[],;:\"") + 1
			// "smtp.mailfrom=bounce+sato=kiso-works.example@list.example": all but
			// the name of the property is the address.
			if i := strings.IndexByte(s[from:at], '='); i >= 0 && property {
				from += i + 1
			}
		}
		out.WriteString(s[:from])
		if from < at {
			out.WriteString("***")
		}
		out.WriteByte('@')
		s = s[at+1:]
	}
	out.WriteString(s)
	return out.String()
}

func cutAddress(addr string) (local, host string) {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return addr, ""
	}
	return addr[:i], strings.ToLower(addr[i+1:])
}

// clip bounds a text and makes it valid.
func clip(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	return strings.Clone(strings.ToValidUTF8(s, "\uFFFD"))
}

// hasFeedback reports whether a message is made like a failure report.
func hasFeedback(m *eml.Message) bool {
	for p := range m.Parts() {
		if p.MediaType() == "message/feedback-report" {
			return true
		}
	}
	return false
}

// saysFailure reports whether the subject of a message is that of a failure
// report, which may be one for people only.
func saysFailure(m *eml.Message) bool {
	s := bytes.ToLower([]byte(clip(m.Subject().Text)))
	if !bytes.Contains(s, []byte("dmarc")) {
		return false
	}
	return bytes.Contains(s, []byte("forensic")) || bytes.Contains(s, []byte("failure"))
}
