package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// builder makes the mails.
type builder struct{ signer *signer }

// person is a display name, which may be empty, with an address.
type person struct{ name, addr string }

func (p person) domain() string {
	_, d, _ := strings.Cut(p.addr, "@")
	return d
}

// path is how a mail reached the mailbox from which it was exported.
type path int

const (
	inbound   path = iota // from another server, through Exchange Online Protection
	submitted             // sent by a signed-in user of the tenant
	elsewhere             // not through Exchange Online at all
)

// mail is one message with what happened to it on its way.
type mail struct {
	seed string // makes the identifiers; the file name
	at   time.Time
	path path

	// The session that handed the mail to Exchange Online.
	ip, helo, ptr string
	country       string
	tls           bool
	mailFrom      string // empty is the null sender
	rcpt          person
	stamps        stamps

	// What the sender wrote.
	hops    []string // Received fields, the latest first
	from    person
	to      []person // rcpt where it is nil
	cc      []person
	subject string
	charset string // of the header fields
	lang    string // where the subject does not tell
	zone    int    // hours east of UTC in the Date field
	mailer  string
	before  []field // before From
	above   []field // above hops: what the last server wrote on top of its Received field
	extra   []field // after Date
	noID    bool    // has no Message-ID of its own
	body    part

	sign   []string // domains that signed
	signed *part    // what they signed, where a later hop changed the body
	sealer string   // domain of an earlier ARC sealer
	sealed string   // its results
}

// stamps is what Exchange Online writes and a mail does not decide.
type stamps struct {
	compauth    string // "fail reason=601"
	authAs      string // default Anonymous, for a submitted mail Internal
	direction   string // default Incoming, for a submitted mail Originating
	ownFrom     bool   // InternalOrgSender
	directSend  bool   // IsAnonymousDirectSend
	mxElsewhere bool   // MxPointsToUs: false
	sfv, cat    string // default NSPM and NONE
	scl         int    // default 1
	safety      string // SFTY
	junk        bool
	crossTenant string // default our tenant
	extra       []field
	skipped     []field // above Authentication-Results: what Enhanced Filtering found
	hosted      bool    // another tenant sent it from Exchange Online
}

// hash gives an identifier that depends on the mail and on what it is for.
func (m *mail) hash(what string) string {
	h := sha256.Sum256([]byte(m.seed + "\x00" + what))
	return hex.EncodeToString(h[:])
}

func (m *mail) guid(what string) string {
	h := m.hash(what)
	return fmt.Sprintf("%s-%s-4%s-9%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:32])
}

// number is a small number between lo and hi.
func (m *mail) number(what string, lo, hi int) int {
	h := sha256.Sum256([]byte(m.seed + "\x00" + what))
	return lo + (int(h[0])<<8|int(h[1]))%(hi-lo+1)
}

// boundary names a MIME boundary of the mail.
func boundary(seed string, n int) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s boundary %d", seed, n))
	return fmt.Sprintf("----=_Part_%d_%s", n, hex.EncodeToString(h[:6]))
}

// address writes p for a header field.
func (m *mail) address(p person) string {
	switch {
	case p.name == "":
		return p.addr
	case !isASCII(p.name):
		return words(m.charset, p.name) + " <" + p.addr + ">"
	}
	return `"` + p.name + `" <` + p.addr + ">"
}

func (m *mail) addresses(list []person) string {
	var out []string
	for _, p := range list {
		out = append(out, m.address(p))
	}
	return strings.Join(out, ", ")
}

// sentAt writes the time of the Date field: seconds before arrival.
func (m *mail) sentAt() string {
	return m.at.Add(-4 * time.Second).In(time.FixedZone("", m.zone*3600)).Format(time.RFC1123Z)
}

// written returns the fields that the sender's side wrote around body.
func (m *mail) written(body part) []field {
	var f []field
	if m.to == nil {
		m.to = []person{m.rcpt}
	}
	f = append(f, m.before...)
	f = append(f, field{"From", m.address(m.from)}, field{"To", m.addresses(m.to)})
	if m.cc != nil {
		f = append(f, field{"Cc", m.addresses(m.cc)})
	}
	f = append(f, field{"Subject", words(m.charset, m.subject)}, field{"Date", m.sentAt()})
	if !m.noID {
		f = append(f, field{"Message-ID", m.messageID()})
	}
	f = append(f, field{"X-Synthetic-Example", "written for sekisho, not a real message"})
	f = append(f, m.extra...)
	if m.mailer != "" {
		f = append(f, field{"X-Mailer", m.mailer})
	}
	f = append(f, field{"MIME-Version", "1.0"})
	return append(f, body.fields...)
}

func (m *mail) messageID() string {
	if m.path == submitted || m.stamps.hosted {
		box := m.mailboxServer("sender")
		return "<" + strings.ToUpper(strings.SplitN(box, ".", 2)[0]+m.hash("id")[:20]) + "@" + box + ">"
	}
	return "<" + m.hash("id")[:24] + "@" + m.from.domain() + ">"
}

// headBody writes the mail and returns its two halves.
func (b *builder) headBody(m *mail) (head, body []byte) {
	if m.charset == "" {
		m.charset = utf8
	}
	fields := m.written(m.body)
	signedBody := m.body
	if m.signed != nil {
		signedBody = *m.signed
	}
	for _, d := range m.sign {
		fields = append([]field{b.signer.dkim(d, m.written(signedBody), signedBody.body)}, fields...)
	}
	var sets []field
	for _, h := range slices.Backward(m.hops) {
		fields = append([]field{{"Received", h}}, fields...)
	}
	fields = slices.Concat(m.above, fields)
	if m.sealer != "" {
		sel := selector
		if m.sealer == "microsoft.com" {
			sel = sealSelector
		}
		sets = b.signer.arc(m.sealer, sel, m.sealed, nil, fields, m.body.body)
		fields = append([]field{sets[2], sets[1], sets[0]}, fields...)
	}
	switch m.path {
	case inbound:
		fields = b.arrive(m, fields, sets)
	case submitted:
		fields = m.submit(fields)
	case elsewhere:
	}
	var w bytes.Buffer
	writeFields(&w, fields)
	return w.Bytes(), m.body.body
}

// write returns the whole mail.
func (b *builder) write(m *mail) []byte {
	head, body := b.headBody(m)
	return bytes.Join([][]byte{head, []byte("\r\n"), body}, nil)
}

// authentication is what a receiver finds out about the mail.
type authentication struct {
	spf, spfDomain string
	dkim           string // result with its comment and domain
	dmarc, action  string
}

func (m *mail) authenticate() authentication {
	a := authentication{spfDomain: m.helo}
	if m.mailFrom != "" {
		a.spfDomain = person{addr: m.mailFrom}.domain()
	}
	a.spf = spf(a.spfDomain, m.ip)
	org := organizational(m.from.domain())
	aligned := a.spf == "pass" && organizational(a.spfDomain) == org
	for _, d := range m.sign {
		if m.signed != nil {
			a.dkim = "dkim=fail (body hash did not verify) header.d=" + d
			continue
		}
		a.dkim = "dkim=pass (signature was verified) header.d=" + d
		if organizational(d) == org {
			aligned = true
			break
		}
	}
	if a.dkim == "" {
		a.dkim = "dkim=none (message not signed) header.d=none"
	}
	policy := find(m.from.domain()).dmarc
	if policy == "" {
		policy = find(org).dmarc
	}
	a.action = "none"
	switch {
	case policy == "" && aligned:
		a.dmarc = "bestguesspass"
	case policy == "":
		a.dmarc = "none"
	case aligned:
		a.dmarc = "pass"
	default:
		a.dmarc = "fail"
		if policy != "none" {
			a.action = policy
		}
	}
	return a
}
