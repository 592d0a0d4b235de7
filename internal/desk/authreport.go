package desk

import (
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
)

// AuthSchema names the shape of an [AuthReport] in JSON. The JSON Schema is
// docs/schema/auth.v1.json.
const AuthSchema = "sekisho.auth/v1"

// AuthReport is what was verified of one message, beside what its header
// claims. It is the JSON record of "sekisho auth".
type AuthReport struct {
	Schema    string     `json:"schema"`
	File      string     `json:"file"`
	Index     int        `json:"index,omitempty"`
	SHA256    string     `json:"sha256,omitempty"`
	Form      Form       `json:"form,omitempty"`
	From      *Mailbox   `json:"from,omitempty"`
	Subject   string     `json:"subject,omitempty"`
	Date      *time.Time `json:"date,omitempty"`
	Envelope  Envelope   `json:"envelope"`
	Summary   lang.Text  `json:"summary"`
	Caution   lang.Text  `json:"caution,omitzero"` // today's DNS is not the DNS of that day
	Claims    []Claimed  `json:"claims"`
	SPF       *SPFView   `json:"spf,omitempty"`
	DKIM      []DKIMView `json:"dkim"`
	DKIMFound int        `json:"dkim_found"` // signatures that the message carries; more than are listed where it has too many
	ARC       ARCView    `json:"arc"`
	DMARC     DMARCView  `json:"dmarc"`
	Differs   []Fact     `json:"differs"` // where claim and verification disagree, and why that may be
	Stamp     string     `json:"authentication_results,omitempty"`
	DNS       []DNSView  `json:"dns"`
	Error     *Failure   `json:"error,omitempty"`
}

// Envelope is the delivery that SPF was checked for.
type Envelope struct {
	IP       string    `json:"ip,omitempty"`
	Helo     string    `json:"helo,omitempty"`
	MailFrom string    `json:"mail_from"`
	Source   lang.Text `json:"source"` // where it was read
}

// Claimed is what one hop wrote about authentication.
type Claimed struct {
	Field   string     `json:"field"`
	Index   int        `json:"index"`
	By      string     `json:"by,omitempty"` // authserv-id, or the sealer of an ARC set
	Trusted bool       `json:"trusted"`
	Who     lang.Text  `json:"who"`
	Results []ClaimOne `json:"results"`
}

// ClaimOne is one result of a hop.
type ClaimOne struct {
	Method  string `json:"method"`
	Result  string `json:"result"`
	Domain  string `json:"domain,omitempty"`
	Comment string `json:"comment,omitempty"`
}

// SPFView is the result of SPF with its tree.
type SPFView struct {
	Result      spf.Status   `json:"result"`
	Identity    spf.Identity `json:"identity"`
	Domain      string       `json:"domain"`
	IP          string       `json:"ip"`
	Reason      lang.Text    `json:"reason"`
	Record      string       `json:"record,omitempty"`
	Term        string       `json:"term,omitempty"`
	Explanation string       `json:"explanation,omitempty"` // written by the domain's owner
	Lookups     int          `json:"lookups"`
	Voids       int          `json:"voids"`
	Tree        *SPFNode     `json:"tree,omitempty"`
}

// SPFNode is the evaluation of one record.
type SPFNode struct {
	Domain  string     `json:"domain"`
	Record  string     `json:"record,omitempty"`
	Result  spf.Status `json:"result"`
	Problem *lang.Text `json:"problem,omitempty"`
	Answer  *DNSView   `json:"answer,omitempty"`
	Terms   []SPFTerm  `json:"terms"`
}

// SPFTerm is the evaluation of one term.
type SPFTerm struct {
	Term    string      `json:"term"`
	Target  string      `json:"target,omitempty"`
	Outcome spf.Outcome `json:"outcome"`
	Cost    int         `json:"cost"`
	Lookups int         `json:"lookups"` // so far, out of 10
	Voids   int         `json:"voids"`   // so far, out of 2
	Problem *lang.Text  `json:"problem,omitempty"`
	Answers []DNSView   `json:"answers,omitempty"`
	Include *SPFNode    `json:"include,omitempty"`
}

// DKIMView is one signature.
type DKIMView struct {
	Index      int        `json:"index"` // of the field, from the top
	Result     string     `json:"result"`
	Reason     string     `json:"reason,omitempty"` // in a stable word
	Text       lang.Text  `json:"text"`
	Domain     string     `json:"domain"`
	Selector   string     `json:"selector"`
	Identity   string     `json:"identity,omitempty"`
	Algorithm  string     `json:"algorithm"`
	KeyBits    int        `json:"key_bits,omitempty"`
	Canon      string     `json:"canonicalization,omitempty"`
	BodyHash   string     `json:"body_hash,omitempty"`   // match or mismatch; empty if it was not compared
	HeaderHash string     `json:"header_hash,omitempty"` // likewise
	BodyLength *int64     `json:"body_length,omitempty"` // l=
	Headers    []string   `json:"headers"`
	Unsigned   []string   `json:"unsigned,omitempty"`
	Timestamp  *time.Time `json:"timestamp,omitempty"`
	Expires    *time.Time `json:"expires,omitempty"`
	Warnings   []Notice   `json:"warnings,omitempty"`
	Key        *DNSView   `json:"key,omitempty"`
}

// Notice is something to know, in a stable word and in a sentence.
type Notice struct {
	Code string    `json:"code"`
	Text lang.Text `json:"text"`
}

// ARCView is the chain.
type ARCView struct {
	Result      string    `json:"result"`
	Reason      string    `json:"reason,omitempty"`
	Text        lang.Text `json:"text"`
	OldestPass  int       `json:"oldest_pass,omitempty"`
	TrustedFrom int       `json:"trusted_from,omitempty"`
	Sets        []ARCSet  `json:"sets"`
	Violations  []Notice  `json:"violations,omitempty"` // what RFC 8617 forbids
}

// ARCSet is one set of the chain.
type ARCSet struct {
	Instance int      `json:"instance"`
	Sealer   string   `json:"sealer"`
	Trusted  bool     `json:"trusted"`
	CV       string   `json:"cv"`
	Seal     DKIMView `json:"seal"`
	Message  DKIMView `json:"message"`
}

// DMARCView is the result of DMARC with its walk.
type DMARCView struct {
	Result      dmarc.Status    `json:"result"`
	Reason      dmarc.Reason    `json:"reason"`
	Text        lang.Text       `json:"text"`
	Author      string          `json:"author,omitempty"`
	Org         string          `json:"organizational_domain,omitempty"`
	Method      dmarc.Method    `json:"discovery_method"`
	Walk        []DMARCStep     `json:"walk"`
	RecordAt    string          `json:"record_at,omitempty"`
	Record      string          `json:"record,omitempty"`
	Policy      string          `json:"policy,omitempty"`
	PolicyText  lang.Text       `json:"policy_text,omitzero"`
	Disposition dmarc.Policy    `json:"disposition,omitempty"`
	Alignments  []AlignmentView `json:"alignments"`
	Warnings    []lang.Text     `json:"warnings,omitempty"`
}

// DMARCStep is one question of the walk.
type DMARCStep struct {
	Domain string    `json:"domain"`
	Text   lang.Text `json:"text"`
	Answer DNSView   `json:"answer"`
}

// AlignmentView is the comparison of one identifier with the author domain.
type AlignmentView struct {
	Mechanism dmarc.Mechanism `json:"mechanism"`
	Domain    string          `json:"domain"`
	Mode      dmarc.Mode      `json:"mode"`
	Counts    bool            `json:"counts"`
	Text      lang.Text       `json:"text"`
	Walk      []DMARCStep     `json:"walk,omitempty"`
}

// DNSView is a question and its answer.
type DNSView struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	RCode   string   `json:"rcode"`
	Records []string `json:"records,omitempty"`
	Chain   []string `json:"chain,omitempty"`
	AD      bool     `json:"ad,omitempty"`
	TTL     int      `json:"ttl,omitempty"` // seconds
	Source  string   `json:"source,omitempty"`
}
