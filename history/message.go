package history

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
)

// ID tells messages apart: it is made from the Message-ID, or where there is
// none from what else a header says of when and by whom a message was written.
// The zero ID is no message.
type ID uint64

// IDOf returns the ID of a message. It reads the header alone.
func IDOf(m *eml.Message) ID {
	b := []byte(m.MessageID())
	if len(b) == 0 {
		for _, name := range []string{"Date", "From", "To", "Subject", "Received"} {
			b = append(append(append(b, name...), m.Header().Value(name)...), '\n')
		}
	}
	sum := sha256.Sum256(b)
	return ID(max(1, binary.BigEndian.Uint64(sum[:8])))
}

// Direction says which way a message went.
type Direction string

// The directions.
const (
	Inbound  Direction = "inbound"  // from outside
	Outbound Direction = "outbound" // from somebody here
	Forged   Direction = "forged"   // with a name that was found not to be the sender's
)

// Judgement is what people say of a message.
type Judgement string

// The judgements. Spam counts as malicious, as upstream has it.
const (
	NotJudged Judgement = ""
	Benign    Judgement = "benign"
	Malicious Judgement = "malicious"
	Spam      Judgement = "spam"
)

// Message is what a history keeps of one message.
type Message struct {
	ID        ID
	Time      time.Time
	Direction Direction
	Addresses []string // in small letters: the author of mail that came in, else the recipients outside
	Judgement Judgement
}

const (
	maxAddress    = 320 // RFC 3696 erratum 1690: 64 + 1 + 255
	maxRecipients = 500 // of one message that are kept
)

// earliest is before the first mail that a mailbox of today can hold. A message
// with an earlier date has none that could be believed.
var earliest = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// TimeOf returns when a message came: the time that the newest Received field
// says, which the recipient's own server wrote, or that of Date in mail without
// any, such as a copy of sent mail. A time after now is now. It is zero where
// none can be believed.
func TimeOf(m *eml.Message, p *m365.Path, now time.Time) time.Time {
	t, ok := time.Time{}, false
	if len(p.Hops) > 0 {
		t = p.Hops[0].Time
	}
	if t.Before(earliest) {
		if t, ok = m.Date(); !ok || t.Before(earliest) {
			return time.Time{}
		}
	}
	if !now.IsZero() && t.After(now) {
		t = now
	}
	return t
}

// Read returns what a history keeps of a message; ok is false for one without
// an author or a time. Mail from an own domain is outbound only if it came from
// inside for certain: Exchange Online says that its author signed in, SPF, DKIM
// or DMARC vouches for the domain, or it never travelled, as the copy among
// sent mail. Else whoever forges the own domain would make friends of
// everybody in Cc.
func Read(m *eml.Message, facts *org.Facts, now time.Time) (out Message, ok bool) {
	from := m.From()
	if len(from) == 0 || from[0].Domain == "" {
		return out, false
	}
	p := m365.NewPath(m.Header(), facts)
	out.ID, out.Time = IDOf(m), TimeOf(m, p, now)
	if out.Time.IsZero() {
		return out, false
	}
	auth := m365.Authenticate(m, p)
	if _, own := facts.Owns(from[0].Domain); !own {
		out.Direction = Inbound
		if fails(auth) {
			out.Direction = Forged
		}
		out.Addresses = appendAddress(nil, from[0])
		return out, len(out.Addresses) > 0
	}
	if !inside(m, p, auth, from[0].Domain) {
		out.Direction = Forged
		out.Addresses = appendAddress(nil, from[0])
		return out, len(out.Addresses) > 0
	}
	out.Direction = Outbound
	for _, name := range []string{"To", "Cc", "Bcc"} {
		for _, a := range m.Addresses(name) {
			if _, own := facts.Owns(a.Domain); !own && len(out.Addresses) < maxRecipients {
				out.Addresses = appendAddress(out.Addresses, a)
			}
		}
	}
	return out, true
}

// fails reports whether the receiving system found the author to be forged. Of
// Exchange Online the last word is compauth: mailing lists break DMARC.
func fails(a *m365.Authentication) bool {
	if a.CompAuth.Trusted && a.CompAuth.Result != "" {
		return a.CompAuth.Result == "fail"
	}
	return a.DMARC.Trusted && a.DMARC.Result == "fail"
}

func inside(m *eml.Message, p *m365.Path, auth *m365.Authentication, host string) bool {
	if len(p.Hops) == 0 || p.Intra {
		return true
	}
	if m365.ReadStamps(m, p).AuthAs.Is("Internal") {
		return true
	}
	_, dkim := auth.AlignedDKIM(host)
	return auth.DMARC.Passed() || dkim || auth.SPF.Passed() && m365.Aligned(auth.SPF.Domain, host)
}

// AddressOf returns an address as a history has it, empty for what is none.
func AddressOf(a eml.Address) string {
	if a.Domain == "" || a.Local == "" || len(a.Local)+1+len(a.Domain) > maxAddress {
		return ""
	}
	return strings.ToLower(a.Local + "@" + a.Domain)
}

func appendAddress(list []string, a eml.Address) []string {
	s := AddressOf(a)
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return list
	}
	return append(list, s)
}
