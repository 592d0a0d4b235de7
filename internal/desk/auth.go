package desk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/arc"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// AuthSchema names the shape of an [AuthReport] in JSON.
const AuthSchema = "sekisho.auth/v1"

// Bounds on the verification of one message.
const (
	maxQuestions  = 200              // DNS questions of one message
	verifyTimeout = 20 * time.Second // for all of them
	oldMail       = 7 * 24 * time.Hour
)

// AuthInput says what to verify.
type AuthInput struct {
	Items iter.Seq[Item]

	// The envelope, where the user knows it better than the header tells.
	IP       netip.Addr
	MailFrom string
	Helo     string

	Method     dmarc.Method
	StampAs    string // authserv-id under which to write Authentication-Results; empty writes none
	MaxMessage int
}

// AuthDeps is what [Auth] needs from outside.
type AuthDeps struct {
	Resolver resolve.Resolver
	Facts    org.Facts
	Words    *lang.Catalogue
	Now      func() time.Time
}

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

// Validate accepts every input; an envelope that is not given is read from the
// message.
func (in AuthInput) Validate() error { return nil }

// Auth verifies every item and yields one report for each, in order.
func Auth(ctx context.Context, in AuthInput, deps AuthDeps) iter.Seq[*AuthReport] {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Resolver == nil {
		deps.Resolver = resolve.Offline()
	}
	return func(yield func(*AuthReport) bool) {
		for it := range in.Items {
			if ctx.Err() != nil || !yield(authItem(ctx, it, in, deps)) {
				return
			}
		}
	}
}

func authItem(ctx context.Context, it Item, in AuthInput, deps AuthDeps) *AuthReport {
	r := renderer{words: deps.Words, now: deps.Now()}
	out := &AuthReport{
		Schema: AuthSchema, File: it.File, Index: it.Index, Form: it.Form,
		Claims: []Claimed{}, DKIM: []DKIMView{}, Differs: []Fact{}, DNS: []DNSView{},
		ARC: ARCView{Sets: []ARCSet{}}, DMARC: DMARCView{Walk: []DMARCStep{}, Alignments: []AlignmentView{}},
	}
	if it.Err != nil {
		e := asError(it.Err)
		out.Error = &Failure{Kind: e.Kind, Text: r.words.Render(e.Message), Hint: r.words.Render(e.Hint)}
		return out
	}
	sum := sha256.Sum256(it.Raw)
	out.SHA256 = hex.EncodeToString(sum[:])
	m := eml.Parse(it.Raw, &eml.Options{Budget: budget.New(nil)})
	v := verify(ctx, m, deps.Resolver, deps.Facts, deps.Now(), &in)
	out.Subject = m.Subject().Text
	if from := m.From(); len(from) > 0 {
		out.From = mailboxOf(from[0])
	}
	if t, ok := m.Date(); ok {
		utc := t.UTC()
		out.Date = &utc
		if deps.Now().Sub(t) > oldMail {
			out.Caution = r.words.Render(lang.M("auth.old", "date", t))
		}
	}
	out.Envelope = Envelope{Helo: v.in.Helo, MailFrom: v.in.MailFrom, Source: r.words.Render(v.source)}
	if v.in.IP.IsValid() {
		out.Envelope.IP = v.in.IP.String()
	}
	out.Claims = r.claims(m, v.path)
	r.report(out, v.report)
	out.Differs = r.facts(v.differs(it.Form))
	out.Summary = r.words.Render(v.summary())
	for _, a := range v.asked {
		out.DNS = append(out.DNS, dnsView(a))
	}
	if in.StampAs != "" {
		if s, err := v.stamp(in.StampAs); err == nil {
			out.Stamp = s
		} else {
			out.Error = &Failure{Kind: Invalid, Text: r.words.Render(lang.M("auth.error.stamp", "id", in.StampAs))}
		}
	}
	return out
}

// verification is our own verification of a message and what it rests on.
type verification struct {
	msg    *eml.Message
	path   *m365.Path
	stamps *m365.Authentication
	in     mailauth.Input
	source lang.Message
	report *mailauth.Report
	asked  []resolve.Answer
	ended  bool // the time for DNS was over
}

// verify verifies a message. The envelope is what the receiving server wrote
// into the header, unless the caller knows it.
func verify(ctx context.Context, m *eml.Message, r resolve.Resolver, facts org.Facts, now time.Time, in *AuthInput) *verification {
	v := &verification{msg: m, path: m365.NewPath(m.Header(), &facts), source: lang.M("auth.envelope.none")}
	v.stamps = m365.Authenticate(m, v.path)
	v.in = mailauth.Input{Message: m, Now: now}
	v.envelope(&facts)
	if in != nil && in.IP.IsValid() {
		v.in.IP, v.in.Helo, v.in.MailFrom = in.IP, in.Helo, in.MailFrom
		v.source = lang.M("auth.envelope.given")
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	trace := resolve.NewTrace(resolve.NewLimit(r, maxQuestions))
	o := &mailauth.Options{Budget: budget.New(nil)}
	if in != nil {
		o.Method = in.Method
	}
	for _, s := range facts.ARCSealers.Value() {
		if n, err := domain.Parse(s); err == nil {
			o.TrustedSealers = append(o.TrustedSealers, n)
		}
	}
	if !facts.ARCSealers.Configured() {
		o.TrustedSealers = []domain.Name{"microsoft.com"} // as Exchange Online does between its tenants
	}
	var err error
	v.report, err = mailauth.Verify(ctx, trace, v.in, o)
	v.ended = err != nil
	v.asked = trace.Answers()
	return v
}

// envelope reads client, HELO and MAIL FROM as the receiving system wrote them.
func (v *verification) envelope(facts *org.Facts) {
	d := m365.DirectSend(m365.Input{Message: v.msg, Facts: facts})
	v.in.MailFrom, v.in.Helo = d.MailFrom, d.Helo
	switch {
	case d.SourceIP.IsValid():
		v.in.IP, v.source = d.SourceIP, lang.M("auth.envelope.gateway")
	case d.ClientIP.IsValid():
		v.in.IP, v.source = d.ClientIP, lang.M("auth.envelope.ingress")
	default:
		// Another receiver: its Received-SPF names the client, if the sender
		// did not write it himself, which cannot be told.
		for _, f := range v.msg.Header().All("Received-SPF") {
			if rs, err := authres.ParseReceivedSPF(f); err == nil && rs.ClientIP.IsValid() {
				v.in.IP, v.in.Helo = rs.ClientIP, rs.Helo
				v.source = lang.M("auth.envelope.received-spf")
				break
			}
		}
	}
	if f, ok := v.msg.Header().First("Return-Path"); ok {
		if a := f.Addresses(); len(a) > 0 {
			v.in.MailFrom = a[0].Addr()
		}
	}
}

// verified is what the Direct Send decision takes from our own verification.
func (v *verification) verified() *m365.Verified {
	out := &m365.Verified{}
	for i := range v.report.DKIM.Signatures {
		s := &v.report.DKIM.Signatures[i]
		out.DKIM = append(out.DKIM, m365.VerifiedSignature{
			Domain: string(s.Domain), Pass: s.Status == dkim.StatusPass, KeyBits: rsaBits(s), FromSigned: s.Covers("From") > 0,
			Evidence: fieldPlace(v.msg, s.Field),
		})
	}
	if c := &v.report.ARC; c.Status == arc.StatusPass {
		out.ARC.Pass = true
		for _, s := range c.Sets {
			out.ARC.Sealers = append(out.ARC.Sealers, string(s.Sealer))
		}
		if len(c.Sets) > 0 {
			out.ARC.Evidence = fieldPlace(v.msg, c.Sets[0].Seal.Field)
			for _, res := range c.Sets[0].Results.All(authres.DMARC) {
				if from, ok := res.Prop("header.from"); ok && res.Value.Text == "pass" {
					out.ARC.Origin = from.Text
				}
			}
		}
	}
	return out
}

func rsaBits(s *dkim.Signature) int {
	if s.Key != nil && s.Key.Type == "rsa" {
		return s.KeyBits
	}
	return 0
}

func fieldPlace(m *eml.Message, f eml.Field) finding.Evidence {
	s := f.Span()
	return finding.Evidence{
		Where: finding.Where{Part: m.Root().ID(), Header: f.Name(), Index: f.Index(), Offset: s.Offset, Length: s.Length},
		Quote: strings.Join(strings.Fields(m.Quote(s)), " "),
	}
}

// difference is a claim that our own verification does not confirm.
type difference struct {
	message  lang.Message
	evidence []finding.Evidence
}

// differs compares what was stamped on arrival with what we verified, and says
// what the difference may come from.
func (v *verification) differs(form Form) []difference {
	var out []difference
	for _, claim := range v.stamps.DKIM {
		if claim.Result != "pass" || claim.Domain == "" {
			continue
		}
		i := slices.IndexFunc(v.report.DKIM.Signatures, func(s dkim.Signature) bool { return strings.EqualFold(string(s.Domain), claim.Domain) })
		ev := []finding.Evidence{claim.Evidence}
		if i < 0 {
			out = append(out, difference{lang.M("auth.differs.signature-gone", "domain", claim.Domain), ev})
			continue
		}
		s := &v.report.DKIM.Signatures[i]
		ev = append(ev, fieldPlace(v.msg, s.Field))
		switch {
		case s.Status == dkim.StatusPass, s.Status == dkim.StatusTempError, s.Reason == dkim.NotAsked, s.Reason == dkim.OutOfBudget:
		case s.Reason == dkim.KeyNotFound || s.Reason == dkim.KeyRevoked:
			out = append(out, difference{lang.M("auth.differs.key-rotated", "domain", claim.Domain, "selector", s.Selector), ev})
		case s.Reason == dkim.Expired:
			out = append(out, difference{lang.M("auth.differs.expired", "domain", claim.Domain), ev})
		case s.BodyHash == dkim.Mismatch && form == FormOutlook:
			out = append(out, difference{lang.M("auth.differs.outlook", "domain", claim.Domain), ev})
		case s.BodyHash == dkim.Mismatch:
			out = append(out, difference{lang.M("auth.differs.body", "domain", claim.Domain), ev})
		default:
			out = append(out, difference{lang.M("auth.differs.header", "domain", claim.Domain), ev})
		}
	}
	if c := v.stamps.SPF; v.report.SPF != nil && c.Result != "" && settled(string(v.report.SPF.Status)) && c.Result != string(v.report.SPF.Status) {
		out = append(out, difference{lang.M("auth.differs.spf", "then", c.Result, "now", string(v.report.SPF.Status), "domain", v.report.SPF.Domain), []finding.Evidence{c.Evidence}})
	}
	if c := v.stamps.DMARC; c.Result != "" && settled(string(v.report.DMARC.Status)) && (c.Result == "pass") != (v.report.DMARC.Status == dmarc.StatusPass) {
		out = append(out, difference{lang.M("auth.differs.dmarc", "then", c.Result, "now", string(v.report.DMARC.Status)), []finding.Evidence{c.Evidence}})
	}
	return out
}

// settled reports whether a result is an answer rather than a failure to get
// one.
func settled(s string) bool { return s != "" && s != "temperror" }

func (v *verification) summary() lang.Message {
	spfWord := "-"
	if v.report.SPF != nil {
		spfWord = string(v.report.SPF.Status)
	}
	pass := 0
	for _, s := range v.report.DKIM.Signatures {
		if s.Status == dkim.StatusPass {
			pass++
		}
	}
	return lang.M("auth.summary", "spf", spfWord, "pass", pass, "signatures", v.report.DKIM.Found,
		"arc", string(v.report.ARC.Status), "dmarc", string(v.report.DMARC.Status))
}

// stamp writes what was verified as an Authentication-Results field.
func (v *verification) stamp(servID string) (string, error) {
	var stamps []authres.Stamp
	if s := v.report.SPF; s != nil {
		stamps = append(stamps, authres.SPFStamp(string(s.Status), v.in.MailFrom, v.in.Helo))
	}
	raw := make([]string, 0, len(v.report.DKIM.Signatures))
	for i := range v.report.DKIM.Signatures {
		b, _ := v.report.DKIM.Signatures[i].Tag("b")
		raw = append(raw, b)
	}
	fragments := authres.Fragments(raw)
	for i := range v.report.DKIM.Signatures {
		s := &v.report.DKIM.Signatures[i]
		stamps = append(stamps, authres.DKIMStamp(string(s.Status), string(s.Domain), s.Selector, s.Algorithm, fragments[i]))
	}
	d := v.report.DMARC
	stamps = append(stamps, authres.DMARCStamp(string(d.Status), string(d.Author), string(d.Disposition)))
	if c := v.report.ARC; c.Status == arc.StatusPass || c.Status == arc.StatusFail {
		stamps = append(stamps, authres.ARCStamp(string(c.Status), "", ""))
	}
	s, err := authres.Format(servID, stamps)
	if err != nil {
		return "", errors.Join(err)
	}
	return s, nil
}
