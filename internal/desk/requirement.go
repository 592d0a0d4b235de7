package desk

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/packs/requirements"
	"github.com/sekisho/sekisho/requirement"
	"github.com/sekisho/sekisho/resolve"
)

// RequirementInput is what is known of a sender.
type RequirementInput struct {
	Posture *posture.Report
	Sample  []byte // a message that the domain sent; nil: none
	// Volume is what the domain sends in a day. Where the user did not declare
	// whether it is a bulk sender, the organisation's setting counts.
	Volume requirement.Volume
}

// RequirementDeps is what [Requirements] needs from outside.
type RequirementDeps struct {
	Table    *requirement.Table // nil: the one that ships with sekisho
	Resolver resolve.Resolver   // for the sample; nil asks nothing
	Facts    org.Facts
	Words    *lang.Catalogue  // nil: the built-in one
	Now      func() time.Time // nil: the system's clock
}

// RequirementsView is what the receivers of mail require of a domain, and
// whether it does so. It is a part of the record of "sekisho domain check".
type RequirementsView struct {
	Domain    string         `json:"domain"`
	Sample    string         `json:"sample"` // none, used, or foreign: sent by another domain
	Volume    VolumeView     `json:"volume"`
	Receivers []ReceiverView `json:"receivers"`
	Records   []RecordView   `json:"records"` // to publish, of all receivers
	Request   RequestView    `json:"request"` // to whoever runs the DNS; empty without records
}

// VolumeView is how much the domain sends in a day.
type VolumeView struct {
	PerDay   *int   `json:"per_day"`  // null: not known
	AtLeast  int    `json:"at_least"` // by DMARC reports; 0 without any
	Declared string `json:"declared"` // yes, no or unknown
}

// ReceiverView is one receiver.
type ReceiverView struct {
	ID        string            `json:"id"`
	Name      lang.Text         `json:"name"`
	State     requirement.State `json:"state"`
	Sentence  lang.Text         `json:"sentence"`
	Threshold int               `json:"threshold"` // mails a day from which a sender is a bulk sender; 0: no number is named
	Cells     []CellView        `json:"cells"`
}

// CellView is one requirement of one receiver.
type CellView struct {
	ID       string            `json:"id"`
	Check    requirement.Check `json:"check"`
	Label    lang.Text         `json:"label"`
	Text     lang.Text         `json:"text"`
	State    requirement.State `json:"state"`
	Scope    requirement.Scope `json:"scope"`
	Level    requirement.Level `json:"level"`
	IfBulk   bool              `json:"if_bulk"` // counts only for a bulk sender, and whether this is one is not known
	Since    string            `json:"since,omitempty"`
	Reason   lang.Text         `json:"reason"`
	Find     lang.Text         `json:"find,omitzero"`
	Mend     lang.Text         `json:"mend,omitzero"`
	Evidence []ProofView       `json:"evidence"`
	Records  []RecordView      `json:"records"`
	Source   string            `json:"source"`
	Read     string            `json:"read"`
}

// ProofView is a fact that a cell rests on.
type ProofView struct {
	Name  string `json:"name"`
	Quote string `json:"quote"`
}

// RecordView is a DNS record to publish.
type RecordView struct {
	Host     string    `json:"host"`
	Type     string    `json:"type"`
	Value    string    `json:"value"` // empty where only the user can copy it; see where
	TTL      int       `json:"ttl"`   // seconds
	Replaces []string  `json:"replaces"`
	Where    lang.Text `json:"where,omitzero"`
	Note     lang.Text `json:"note,omitzero"`
}

// RequestView is a letter to whoever runs the DNS.
type RequestView struct {
	Subject lang.Text `json:"subject"`
	Body    lang.Text `json:"body"`
}

// Requirements holds a domain against what the receivers require. The error is
// that of ctx.
func Requirements(ctx context.Context, in RequirementInput, deps RequirementDeps) (*RequirementsView, error) {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Table == nil {
		deps.Table = requirements.Table()
	}
	if in.Volume.Declared == "" {
		if word := deps.Facts.BulkSender.Value(); word == "yes" || word == "no" {
			in.Volume.Declared = word
		}
	}
	eval := requirement.Input{Posture: in.Posture, Volume: in.Volume, FreeMail: lists.FreeMail().Has}
	sample := "none"
	if in.Sample != nil {
		s, err := readSample(ctx, in.Sample, deps)
		if err != nil {
			return nil, err
		}
		eval.Sample, sample = s, "used"
	}
	res := deps.Table.Evaluate(eval)
	if res.Foreign {
		sample = "foreign"
	}
	return renderer{words: deps.Words, now: deps.Now()}.requirements(res, sample), nil
}

// readSample verifies a message and reads what it shows of its sender.
func readSample(ctx context.Context, raw []byte, deps RequirementDeps) (*requirement.Sample, error) {
	r := deps.Resolver
	if r == nil {
		r = resolve.Offline()
	}
	r = bounded(r)
	b := budget.New(nil)
	m := eml.Parse(raw, &eml.Options{Budget: b})
	v := verify(ctx, m, r, deps.Facts, deps.Now(), nil, b)
	var d requirement.Delivery
	hop := deliveryHop(v)
	if hop.Field.Name() != "" {
		d.Received = hop.Field.Value()
	}
	ip := v.in.IP
	if !ip.IsValid() && publicAddress(hop.FromIP) {
		ip = hop.FromIP
	}
	if ip.IsValid() && publicAddress(ip) {
		rev, err := reverse(ctx, r, ip)
		if err != nil {
			return nil, err
		}
		d.Reverse = rev
	}
	d.BodyLink = offersUnsubscribe(extract.Read(m, b))
	return requirement.ReadSample(m, v.report, d), ctx.Err()
}

// deliveryHop is the hop at which the receiving system took the message over:
// that of Exchange Online, else the newest one whose client has a public
// address.
func deliveryHop(v *verification) m365.Hop {
	if h, ok := v.path.IngressHop(); ok {
		return h
	}
	for _, h := range v.path.Hops {
		if publicAddress(h.FromIP) {
			return h
		}
	}
	return m365.Hop{}
}

func publicAddress(ip netip.Addr) bool {
	return ip.IsValid() && !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified()
}

// reverse looks the name of an address up, and whether it leads back.
func reverse(ctx context.Context, r resolve.Resolver, ip netip.Addr) (*posture.Reverse, error) {
	out := &posture.Reverse{Address: ip.String(), Role: "sample", State: posture.Unknown, Confirmed: posture.Unknown}
	a, err := r.Lookup(ctx, resolve.Reverse(ip), resolve.TypePTR)
	if err != nil {
		return nil, err
	}
	switch {
	case a.RCode == resolve.NotAsked:
		out.State, out.Confirmed = posture.NotAsked, posture.NotAsked
		return out, nil
	case a.Temporary():
		return out, nil
	case len(a.Hosts()) == 0:
		out.State, out.Confirmed = posture.Absent, posture.Absent
		return out, nil
	}
	out.State, out.Confirmed, out.Names = posture.Present, posture.Absent, a.Hosts()[:min(len(a.Hosts()), 5)]
	t := resolve.TypeA
	if ip.Is6() {
		t = resolve.TypeAAAA
	}
	for _, name := range out.Names {
		back, err := r.Lookup(ctx, name, t)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(back.Addrs(), ip):
			out.Confirmed = posture.Present
			return out, nil
		case back.Temporary():
			out.Confirmed = posture.Unknown
		}
	}
	return out, nil
}

// offersUnsubscribe reports whether the text of a message offers a way out.
func offersUnsubscribe(c *extract.Content) bool {
	words := []string{"unsubscribe", "opt out", "opt-out", "optout", "配信停止", "配信解除", "配信を停止", "購読解除", "登録解除", "メルマガ解除", "受信停止"}
	has := func(s string) bool {
		s = strings.ToLower(s)
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
	}
	for i := range c.Links {
		if l := &c.Links[i]; has(l.URL) || has(l.Visible) {
			return true
		}
	}
	return false
}

func (r renderer) requirements(res *requirement.Result, sample string) *RequirementsView {
	out := &RequirementsView{
		Domain: string(res.Domain), Sample: sample, Receivers: []ReceiverView{}, Records: r.records(res.Records),
		Volume: VolumeView{AtLeast: res.Volume.AtLeast, Declared: res.Volume.Declared},
	}
	if res.Volume.Known {
		out.Volume.PerDay = &res.Volume.PerDay
	}
	if out.Volume.Declared == "" {
		out.Volume.Declared = "unknown"
	}
	for _, v := range res.Verdicts {
		rv := ReceiverView{
			ID: v.Receiver.ID, Name: v.Receiver.Name, State: v.State, Sentence: r.words.Render(v.Sentence),
			Threshold: v.Receiver.Bulk.PerDay, Cells: []CellView{},
		}
		for i := range v.Cells {
			rv.Cells = append(rv.Cells, r.cell(&v.Cells[i]))
		}
		out.Receivers = append(out.Receivers, rv)
	}
	if len(res.Records) > 0 {
		out.Request = r.request(res.Domain, out.Records)
	}
	return out
}

func (r renderer) cell(c *requirement.Cell) CellView {
	out := CellView{
		ID: c.Rule.ID, Check: c.Rule.Check, Label: r.words.Render(lang.M("requirement.check." + string(c.Rule.Check))), Text: c.Rule.Text, State: c.State,
		Scope: c.Rule.Scope, Level: c.Rule.Level, IfBulk: c.IfBulk, Since: c.Rule.Since, Reason: r.words.Render(c.Reason),
		Mend: r.words.Render(c.Mend), Evidence: []ProofView{}, Records: r.records(c.Records), Source: c.Rule.Source, Read: c.Rule.Read,
	}
	if c.State == requirement.Unknown {
		if out.Find = r.words.Render(c.Find); c.Find.IsZero() {
			out.Find = c.Rule.Find
		}
	}
	for _, e := range c.Evidence {
		out.Evidence = append(out.Evidence, ProofView{Name: e.Name, Quote: e.Quote})
	}
	return out
}

func (r renderer) records(list []requirement.Record) []RecordView {
	out := make([]RecordView, 0, len(list))
	for _, x := range list {
		v := RecordView{Host: x.Host, Type: x.Type, Value: x.Value, TTL: x.TTL, Replaces: slices.Clone(x.Replaces), Where: r.words.Render(x.Where), Note: r.words.Render(x.Note)}
		if v.Replaces == nil {
			v.Replaces = []string{}
		}
		out = append(out, v)
	}
	return out
}

// request writes to whoever runs the DNS. PTR records belong to somebody else
// and are left out.
func (r renderer) request(d domain.Name, records []RecordView) RequestView {
	const indent = "   "
	body := func(l lang.Language) string {
		say := func(key string, pairs ...any) string { return r.words.Say(l, lang.M(key, pairs...)) }
		lines := []string{say("requirement.request.opening", "domain", d.Unicode()), ""}
		n := 0
		for _, x := range records {
			if x.Type == "PTR" {
				continue
			}
			n++
			// The type counts in seconds as zone files do, without commas.
			lines = append(lines, say("requirement.request.record", "n", n, "host", x.Host), indent+say("requirement.request.type", "type", x.Type, "ttl", plain(x.TTL)))
			if x.Value != "" {
				lines = append(lines, indent+say("requirement.request.value", "value", x.Value))
			} else {
				lines = append(lines, indent+say("requirement.request.open", "where", x.Where.In(l)))
			}
			for _, old := range x.Replaces {
				lines = append(lines, indent+say("requirement.request.replaces", "value", old))
			}
			lines = append(lines, "")
		}
		if n == 0 {
			return ""
		}
		return strings.Join(append(lines, say("requirement.request.closing")), "\n")
	}
	out := RequestView{Body: lang.Text{JA: body(lang.JA), EN: body(lang.EN)}}
	if out.Body.EN != "" {
		out.Subject = r.words.Render(lang.M("requirement.request.subject", "domain", d.Unicode()))
	}
	return out
}
