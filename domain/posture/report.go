package posture

import (
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// State says what is known of a record or of a host. What DNS did not answer is
// never taken for absent.
type State string

// The states.
const (
	Present  State = "present"
	Absent   State = "absent"    // certainly not there
	Unknown  State = "unknown"   // DNS or the server did not answer, or what is there cannot be told from outside
	NotAsked State = "not-asked" // the caller wants no such question, or no more of them
)

// Use says what a domain is for, as far as its records tell.
type Use string

// The uses.
const (
	UseMail    Use = "mail"    // it has servers that receive mail
	UseSend    Use = "send"    // it receives none, and its SPF record lets hosts send
	UseParked  Use = "parked"  // it says that it receives and sends nothing
	UseNone    Use = "none"    // it says nothing about mail
	UseMissing Use = "missing" // the name does not exist
	UseUnknown Use = "unknown" // DNS did not answer
	UseUnasked Use = "unasked" // no questions were wanted
)

// Report is what a domain publishes about its mail.
type Report struct {
	Domain domain.Name
	Org    domain.Name // the organizational domain by the walk of RFC 9989; empty if unknown
	Use    Use

	MX         MX
	Reverse    []Reverse // of the hosts that receive and of the few addresses that SPF names
	SPF        SPF
	DKIM       DKIM
	DMARC      DMARC
	MTASTS     MTASTS
	TLSRPT     TLSRPT
	TLS        TLS
	DNSSEC     DNSSEC
	DANE       DANE
	BIMI       BIMI
	Subdomains []Subdomain

	Faults    []Fault // the worst first within an area, in the order of the areas
	Unchecked []Need  // what could not be found out, and why

	Questions int // DNS questions, those answered from memory included
	Refused   int // questions over Options.MaxQuestions, which were not asked
}

// Area says what part of the posture a fault is about.
type Area string

// The areas, in the order of a report.
const (
	AreaMX     Area = "mx"
	AreaPTR    Area = "ptr"
	AreaSPF    Area = "spf"
	AreaDKIM   Area = "dkim"
	AreaDMARC  Area = "dmarc"
	AreaMTASTS Area = "mta-sts"
	AreaTLSRPT Area = "tls-rpt"
	AreaDNSSEC Area = "dnssec"
	AreaDANE   Area = "dane"
	AreaTLS    Area = "tls"
	AreaBIMI   Area = "bimi"
	AreaParked Area = "parked"
)

// Areas returns the areas in the order of a report.
func Areas() []Area {
	return []Area{AreaMX, AreaPTR, AreaSPF, AreaDKIM, AreaDMARC, AreaMTASTS, AreaTLSRPT, AreaTLS, AreaDNSSEC, AreaDANE, AreaBIMI, AreaParked}
}

// Fault is something wrong with what is published, or missing from it.
type Fault struct {
	Area     Area
	Code     string // stable: "spf.multiple"; see Codes
	Severity finding.Severity
	Name     string       // the name in DNS that it is about, or the address
	Quote    string       // the words at fault; may be empty
	Message  lang.Message // what it is and what follows from it
	Mend     lang.Message // how to mend it
}

// Need is something that could not be found out.
type Need struct {
	Area    Area
	Cause   finding.Cause
	Name    string // what was asked for
	Message lang.Message
}

// MX is who receives mail for the domain (RFC 5321 section 5.1).
type MX struct {
	State    State    `json:"state"`
	Null     bool     `json:"null"` // "MX 0 .": nobody does (RFC 7505)
	Hosts    []MXHost `json:"hosts"`
	Implicit []string `json:"implicit"` // addresses of the domain itself, where it has no MX record
	// Provider is who runs the hosts, by their names: "microsoft-365",
	// "google", ...; empty if nobody known does.
	Provider string `json:"provider"`
}

// MXHost is one MX record.
type MXHost struct {
	Host       string   `json:"host"`
	Preference int      `json:"preference"`
	State      State    `json:"state"`     // whether the host has an address
	Alias      []string `json:"alias"`     // where CNAME records lead, which RFC 2181 section 10.3 forbids
	Addresses  []string `json:"addresses"` // IPv4 and IPv6
	Literal    bool     `json:"literal"`   // it is an address in place of a name
}

// Reverse is the name of an address, and whether the name leads back to it
// (forward-confirmed reverse DNS).
type Reverse struct {
	Address   string   `json:"address"`
	Role      string   `json:"role"` // "mx" or "spf": where the address comes from
	Host      string   `json:"host"` // the MX host, or the term of the SPF record
	State     State    `json:"state"`
	Names     []string `json:"names"`
	Confirmed State    `json:"confirmed"` // Present: a name leads back to the address
}

// SPF is what the SPF record says to a host that nobody knows (RFC 7208).
type SPF struct {
	State   State    `json:"state"`
	Record  string   `json:"record"`  // the only one; empty otherwise
	Records []string `json:"records"` // all that begin with v=spf1
	Similar []string `json:"similar"` // that were probably meant to be one
	Status  string   `json:"status"`  // ok, none, permerror, temperror: how receivers take it

	Lookups int      `json:"lookups"` // terms that ask, of everything there is; receivers allow 10
	Voids   int      `json:"voids"`   // lookups without an answer; receivers allow 2
	Tree    *SPFNode `json:"tree,omitempty"`

	All     string `json:"all"`     // the last word on everybody else: -, ~, ?, + or nothing
	AllAt   string `json:"all_at"`  // the domain whose record says so, where a redirect may have led
	Depends bool   `json:"depends"` // terms have macros that only a message fills: what they cost cannot be told
	Sends   State  `json:"sends"`   // whether it lets any host send

	Networks  []string `json:"networks"`  // ip4 and ip6 terms of the record and those included
	Addresses uint64   `json:"addresses"` // IPv4 addresses in these networks, those in several counted once
	// Providers are who may send, by the names that are included.
	Providers []string `json:"providers"`
}

// SPFNode is a record in the tree.
type SPFNode struct {
	Domain  string    `json:"domain"`
	Record  string    `json:"record"`
	Status  string    `json:"status"`
	Lookups int       `json:"lookups"` // of this record and those below
	Voids   int       `json:"voids"`
	Terms   []SPFTerm `json:"terms"`
}

// SPFTerm is a term of a record.
type SPFTerm struct {
	Text    string   `json:"text"`
	Target  string   `json:"target"`  // the name that was asked for
	Cost    int      `json:"cost"`    // lookups, what is below included
	Void    int      `json:"void"`    // lookups without an answer, likewise
	Reached bool     `json:"reached"` // false for what stands after "all"
	Depends bool     `json:"depends"` // on the message
	Include *SPFNode `json:"include,omitempty"`
}

// DKIM is which keys of the domain were found (RFC 6376). DNS tells nobody
// which selectors there are.
type DKIM struct {
	// State is Present if a usable key was found, Absent if there certainly is
	// none, and Unknown otherwise.
	State State     `json:"state"`
	Keys  []DKIMKey `json:"keys"`
	// Tried are the selectors that were asked for, found or not.
	Tried []string `json:"tried"`
	// None says that DNS has nothing below "_domainkey", so that no selector
	// can exist (RFC 8020).
	None bool `json:"none"`
	// Wildcard is the record that every selector without one of its own has,
	// such as "v=DKIM1; p=" of a domain that sends nothing.
	Wildcard string `json:"wildcard"`
}

// SelectorSource says how a selector came to be tried.
type SelectorSource string

// The sources.
const (
	SelectorGiven    SelectorSource = "given"    // by the user
	SelectorSample   SelectorSource = "sample"   // in a signature of a sample mail
	SelectorReport   SelectorSource = "report"   // in a DMARC report
	SelectorProvider SelectorSource = "provider" // the custom of a provider in MX or SPF
	SelectorCommon   SelectorSource = "common"   // often used
)

// DKIMKey is what stands at one selector.
type DKIMKey struct {
	Selector string         `json:"selector"`
	Name     string         `json:"name"`
	Source   SelectorSource `json:"source"`
	Provider string         `json:"provider"` // for SelectorProvider
	State    State          `json:"state"`
	Usable   bool           `json:"usable"` // a verifier would take it
	Alias    []string       `json:"alias"`  // where CNAME records lead
	Record   string         `json:"record"`
	Records  int            `json:"records"` // TXT records at the name
	Type     string         `json:"type"`
	Bits     int            `json:"bits"`
	Revoked  bool           `json:"revoked"`
	Testing  bool           `json:"testing"` // t=y
	Strict   bool           `json:"strict"`  // t=s
	Hashes   []string       `json:"hashes"`
	Services []string       `json:"services"`
}

// DMARC is the policy for the domain (RFC 9989).
type DMARC struct {
	State   State    `json:"state"`   // of a record that applies to the domain
	At      string   `json:"at"`      // the domain at which it stands
	Source  string   `json:"source"`  // author, organizational, psd
	Record  string   `json:"record"`  // that applies
	Records []string `json:"records"` // at the domain itself, where there are several
	Similar []string `json:"similar"` // that were probably meant to be one

	P  string `json:"p"` // as the record has them; empty where it does not
	SP string `json:"sp"`
	NP string `json:"np"`

	Published   string `json:"published"`   // none, quarantine, reject: what the record says for this domain
	Policy      string `json:"policy"`      // what receivers apply: a step less with t=y
	Subdomains  string `json:"subdomains"`  // likewise for those that exist
	Nonexistent string `json:"nonexistent"` // likewise for those that do not
	Testing     bool   `json:"testing"`     // t=y
	ADKIM       string `json:"adkim"`
	ASPF        string `json:"aspf"`
	PSD         string `json:"psd"`

	Reports []Destination `json:"reports"` // rua and ruf
	Walk    []WalkStep    `json:"walk"`
}

// Destination is an address for reports.
type Destination struct {
	Tag     string `json:"tag"` // rua or ruf
	URI     string `json:"uri"`
	Consent string `json:"consent"` // own, given, missing, elsewhere, unknown, no-host
	Name    string `json:"name"`    // what was asked for to know
}

// WalkStep is one question of the walk up the tree.
type WalkStep struct {
	Name    string `json:"name"`
	Outcome string `json:"outcome"` // record, none, multiple, bad-name, failed, not-asked
	Record  string `json:"record"`
}

// MTASTS says whether senders must use TLS (RFC 8461).
type MTASTS struct {
	State   State      `json:"state"` // of the record in DNS
	Record  string     `json:"record"`
	Records int        `json:"records"` // that begin with v=STSv1
	ID      string     `json:"id"`
	URL     string     `json:"url"` // of the policy
	Policy  *STSPolicy `json:"policy,omitempty"`
	// Fetch is what became of fetching the policy: Present, Absent (the server
	// refuses or has none), Unknown (no answer), NotAsked.
	Fetch State `json:"fetch"`
}

// STSPolicy is the policy file.
type STSPolicy struct {
	Version string   `json:"version"`
	Mode    string   `json:"mode"` // enforce, testing, none
	MaxAge  int64    `json:"max_age"`
	MX      []string `json:"mx"`
	Uncover []string `json:"uncovered"` // MX hosts that no pattern covers
	Errors  []string `json:"errors"`    // stable words: "version", "mode", "max-age", "mx", "line"
}

// TLSRPT says where reports on TLS go (RFC 8460).
type TLSRPT struct {
	State   State    `json:"state"`
	Record  string   `json:"record"`
	Records int      `json:"records"`
	RUA     []string `json:"rua"`
}

// DNSSEC says whether the domain's records are signed. The name of a resolver
// that validates is needed to know that the chain holds.
type DNSSEC struct {
	State State `json:"state"` // Present: signed
	// Trusted says that the resolver's word (the AD bit) was taken: it runs on
	// this machine or the user named it.
	Trusted   bool  `json:"trusted"`
	Validated bool  `json:"validated"` // the resolver says that the chain holds
	DS        State `json:"ds"`        // whether the parent zone names a key
}

// DANE says which certificates the hosts use (RFC 7672).
type DANE struct {
	State State      `json:"state"`
	Hosts []DANEHost `json:"hosts"`
}

// DANEHost is one MX host.
type DANEHost struct {
	Host    string   `json:"host"`
	Name    string   `json:"name"` // "_25._tcp." and the host
	State   State    `json:"state"`
	Secure  State    `json:"secure"`  // whether the answer was validated, without which senders ignore it
	Records []string `json:"records"` // usage, selector, type and the beginning of the data
}

// BIMI is which logo belongs to the domain
// (draft-brand-indicators-for-message-identification).
type BIMI struct {
	State       State     `json:"state"`
	Record      string    `json:"record"`
	Records     int       `json:"records"`
	Declined    bool      `json:"declined"` // l= and a= are empty: no logo is wanted
	Logo        string    `json:"logo"`
	Certificate string    `json:"certificate"`
	Fetch       State     `json:"fetch"` // of the logo
	SVG         []string  `json:"svg"`   // what is wrong with the logo, stable words
	Mark        *BIMIMark `json:"mark,omitempty"`
}

// BIMIMark is the certificate for a logo.
type BIMIMark struct {
	Subject string   `json:"subject"`
	Issuer  string   `json:"issuer"`
	Until   string   `json:"until"`  // RFC 3339
	Errors  []string `json:"errors"` // stable words
}

// Subdomain is what applies below the domain.
type Subdomain struct {
	Name   domain.Name `json:"name"`
	State  State       `json:"state"`
	Policy string      `json:"policy"` // of DMARC that applies; empty for none
	From   string      `json:"from"`   // the domain whose record that is
	SPF    State       `json:"spf"`
	MX     State       `json:"mx"`
}

// settle makes lists that are empty so, and not missing, for JSON.
func (r *Report) settle() {
	list(&r.Reverse)
	list(&r.Subdomains)
	list(&r.Faults)
	list(&r.Unchecked)
	list(&r.MX.Hosts)
	list(&r.MX.Implicit)
	for i := range r.MX.Hosts {
		list(&r.MX.Hosts[i].Alias)
		list(&r.MX.Hosts[i].Addresses)
	}
	for i := range r.Reverse {
		list(&r.Reverse[i].Names)
	}
	list(&r.SPF.Records)
	list(&r.SPF.Similar)
	list(&r.SPF.Networks)
	list(&r.SPF.Providers)
	list(&r.DKIM.Keys)
	list(&r.DKIM.Tried)
	for i := range r.DKIM.Keys {
		list(&r.DKIM.Keys[i].Alias)
		list(&r.DKIM.Keys[i].Hashes)
		list(&r.DKIM.Keys[i].Services)
	}
	list(&r.DMARC.Records)
	list(&r.DMARC.Similar)
	list(&r.DMARC.Reports)
	list(&r.DMARC.Walk)
	if p := r.MTASTS.Policy; p != nil {
		list(&p.MX)
		list(&p.Uncover)
		list(&p.Errors)
	}
	list(&r.TLSRPT.RUA)
	list(&r.DANE.Hosts)
	for i := range r.DANE.Hosts {
		list(&r.DANE.Hosts[i].Records)
	}
	list(&r.BIMI.SVG)
	if m := r.BIMI.Mark; m != nil {
		list(&m.Errors)
	}
}

func list[T any](p *[]T) {
	if *p == nil {
		*p = []T{}
	}
}
