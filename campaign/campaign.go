// Package campaign tells which mails belong together: those that one sender sent
// to many, with changes from mail to mail.
//
// A [Mail] holds the few facts that survive such changes. [Probe.Compare] weighs
// what two mails have in common. What everybody has (an address of a big mail
// service, a host where anybody can put files, a subject of two words) weighs
// little, and what one sender has to himself weighs much. Two kinds of evidence
// are told apart: where a mail comes from, and what it says. A sender in common
// makes no campaign by itself, since partners whose mailbox was taken over wrote
// before; that is the level [SameSender].
//
// Facts that one of the two lacks count neither for nor against, so that a mail
// can be compared with a row of a message trace.
package campaign

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
)

// Mail is what of a mail is compared.
type Mail struct {
	Time       time.Time
	IP         netip.Addr // from which the receiving system took it
	Helo       string
	MailFrom   string // address of the envelope
	From       string // address of the author
	Name       string // of the author
	Signers    []domain.Name
	Subject    string
	Recipients []string // addresses; their names in the subject do not count
	Links      []Link
	Files      []File
	MessageID  string // without < >
	Proven     bool   // DMARC passed: From says the truth
	Inside     bool   // somebody of the organisation sent it, signed in
}

// Link is where a mail leads.
type Link struct {
	Host  domain.Name
	Path  string
	Query string
}

// File is an attached file.
type File struct {
	Name   string
	SHA256 string // hexadecimal; empty where it says nothing, as of a picture in a signature
}

// Options say what many have in common. Functions may be nil.
type Options struct {
	Own           func(name domain.Name) bool // a domain of the organisation, which attackers write in From
	SharedDomain  func(name domain.Name) bool // a domain under which anybody sends
	SharedHost    func(name domain.Name) bool // a host where anybody can put pages, files or short links
	SharedAddress func(ip netip.Addr) bool    // an address from which a service sends for many
}

// Level is how sure it is that two mails belong together.
type Level string

// The levels, the surest first.
const (
	Same       Level = "same"        // one campaign
	Alike      Level = "alike"       // most likely one campaign
	SameSender Level = "same-sender" // another mail of the same sender
	Different  Level = "different"
)

// Code names what two mails have in common.
type Code string

// The codes.
const (
	FileContent  Code = "file-content"
	FileName     Code = "file-name" // apart from numbers and names
	LinkWhole    Code = "link-whole"
	LinkHost     Code = "link-host"
	LinkDomain   Code = "link-domain"
	LinkShape    Code = "link-shape" // the same path on another host
	SubjectSame  Code = "subject-same"
	SubjectAlike Code = "subject-alike"
	Address      Code = "address"  // IP address
	Network      Code = "network"  // /24 or /64
	Envelope     Code = "envelope" // MAIL FROM
	Author       Code = "author"   // From
	AuthorName   Code = "author-name"
	Signer       Code = "signer" // DKIM
	Helo         Code = "helo"
)

// Codes returns all codes.
func Codes() []Code {
	return []Code{FileContent, FileName, LinkWhole, LinkHost, LinkDomain, LinkShape, SubjectSame, SubjectAlike, Address, Network, Envelope, Author, AuthorName, Signer, Helo}
}

// Reason is something in common.
type Reason struct {
	Code   Code
	Value  string  // what it is, as the mail that is compared has it
	Weight float64 // from 0 to 1
}

// Likeness is what comparing found.
type Likeness struct {
	Level   Level
	Score   int // from 0 to 100
	Reasons []Reason
}

// The bounds of the levels, and how much a sender in common counts at the most.
const (
	sameFrom    = 0.80
	alikeFrom   = 0.60
	senderFrom  = 0.45
	mostSender  = 0.55
	leastSaying = 0.25
)

// Bounds of what is looked at.
const (
	maxLinks      = 50
	maxFiles      = 20
	maxSigners    = 10
	maxSubject    = 400 // bytes
	maxRecipients = 20
)

// Probe is a mail that others are compared with. It must not be used by several
// goroutines at once.
type Probe struct {
	o       Options
	m       Mail
	subject shape
	envelop party
	author  party
	name    string
	helo    string
	links   []linkKey
	files   []fileKey
	cache   map[string]shape // of subjects; campaigns and newsletters repeat them
}

// NewProbe prepares a mail for comparing. A nil *Options shares nothing.
func NewProbe(m *Mail, o *Options) *Probe {
	p := &Probe{m: *m, cache: map[string]shape{}}
	if o != nil {
		p.o = *o
	}
	p.subject = shapeOf(m.Subject, m.Recipients)
	p.envelop, p.author = p.party(m.MailFrom), p.party(m.From)
	p.name, p.helo = foldName(m.Name), helo(m.Helo)
	p.links, p.files = p.linkKeys(m.Links), fileKeys(m.Files, m.Recipients)
	return p
}

// Mail returns the mail of the probe.
func (p *Probe) Mail() *Mail { return &p.m }

// Compare weighs what m has in common with the probe.
func (p *Probe) Compare(m *Mail) Likeness {
	var sender, saying []Reason
	sender = p.compareSender(m, sender)
	saying = p.compareSubject(m, saying)
	saying = p.compareLinks(m, saying)
	saying = p.compareFiles(m, saying)
	from, says := min(combine(sender), mostSender), combine(saying)
	total := 1 - (1-from)*(1-says)
	// A sender who is proven to be another than one that is not: the real service
	// whose mail the campaign copies. And mail that staff pass on.
	switch {
	case m.Inside && !p.m.Inside:
		total *= 0.7
	case m.Proven && !p.m.Proven && from < 0.4 && p.author.org != "" && p.orgOf(m.From) != p.author.org:
		total *= 0.7
	}
	out := Likeness{Level: Different, Score: int(math.Round(total * 100)), Reasons: slices.Concat(saying, sender)}
	slices.SortStableFunc(out.Reasons, func(a, b Reason) int { return cmp.Compare(b.Weight, a.Weight) })
	switch {
	case total >= sameFrom && says >= leastSaying:
		out.Level = Same
	case total >= alikeFrom && says >= leastSaying:
		out.Level = Alike
	case from >= senderFrom:
		out.Level = SameSender
	}
	return out
}

// combine is the weight of several reasons together.
func combine(list []Reason) float64 {
	left := 1.0
	for _, r := range list {
		left *= 1 - r.Weight
	}
	return 1 - left
}

// party is a sender taken apart.
type party struct {
	address string
	host    string
	org     domain.Name
	own     bool
	shared  bool
}

func (p *Probe) party(address string) party {
	address = strings.ToLower(address)
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return party{}
	}
	out := party{address: address, host: address[i+1:]}
	n, err := domain.Parse(out.host)
	if err != nil {
		return out
	}
	out.org = domain.Organizational(n)
	out.own, out.shared = call(p.o.Own, n), call(p.o.SharedDomain, n)
	return out
}

func (p *Probe) orgOf(address string) domain.Name { return p.party(address).org }

func call[T any](f func(T) bool, v T) bool { return f != nil && f(v) }

// weigh compares two senders of the same role.
func (a *party) weigh(address string, whole, org float64) float64 {
	if a.address == "" || address == "" {
		return 0
	}
	address = strings.ToLower(address)
	same := a.address == address && !strings.HasPrefix(address, "@")
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return 0
	}
	host := address[i+1:]
	if !same && host != a.host && (a.org == "" || host != string(a.org) && !strings.HasSuffix(host, "."+string(a.org))) {
		return 0
	}
	switch {
	case a.own: // anybody may write it
		if same {
			return 0.15
		}
		return 0.05
	case same:
		return whole
	case a.shared:
		return 0.03
	}
	return org
}

func (p *Probe) compareSender(m *Mail, out []Reason) []Reason {
	add := func(c Code, value string, w float64) {
		if w > 0 {
			out = append(out, Reason{c, value, w})
		}
	}
	if a, b := p.m.IP, m.IP; a.IsValid() && b.IsValid() {
		shared := call(p.o.SharedAddress, b)
		bits := 24
		if b.Is6() {
			bits = 64
		}
		near, err := a.Prefix(bits)
		switch {
		case a == b && shared:
			add(Address, b.String(), 0.08)
		case a == b:
			add(Address, b.String(), 0.5)
		case err == nil && near.Contains(b) && !shared:
			add(Network, near.String(), 0.35)
		}
	}
	if h := helo(m.Helo); h != "" && h == p.helo {
		add(Helo, m.Helo, 0.25)
	}
	add(Envelope, m.MailFrom, p.envelop.weigh(m.MailFrom, 0.5, 0.4))
	add(Author, m.From, p.author.weigh(m.From, 0.5, 0.4))
	if n := foldName(m.Name); n != "" && n == p.name {
		add(AuthorName, m.Name, 0.2)
	}
	for _, s := range m.Signers[:min(len(m.Signers), maxSigners)] {
		if slices.Contains(p.m.Signers, s) && !call(p.o.SharedDomain, s) && !call(p.o.Own, s) {
			add(Signer, string(s), 0.3)
			break
		}
	}
	return out
}

func foldName(s string) string {
	s = fold(s)
	if len(s) < 4 {
		return ""
	}
	return s
}

// helo returns what a client called itself, if it is a name that few have.
func helo(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) < 4 || s == "localhost" || strings.HasPrefix(s, "[") || s == "localhost.localdomain" {
		return ""
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return ""
	}
	return s
}
