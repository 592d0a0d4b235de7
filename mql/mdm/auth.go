package mdm

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	resultsShape  = value.NewShape("AuthResults", "type", "server", "instance", "dkim", "dkim_details", "spf", "spf_details", "dmarc", "dmarc_details", "compauth")
	compauthShape = value.NewShape("CompAuth", "reason", "verdict")
	dmarcShape    = value.NewShape("DMARC", "action", "disposition", "from", "policy", "sub_policy", "verdict", "version")
	spfShape      = value.NewShape("SPF", "client_ip", "description", "designator", "helo", "server", "verdict")
	summaryShape  = value.NewShape("AuthSummary", "dmarc", "spf")
	outcomeShape  = value.NewShape("AuthOutcome", "pass", "error", "details", "received_hop")
)

// result is a field that says what a server found, and at which hop.
type result struct {
	hop     int
	kind    string // standard or arc
	trusted bool   // whoever received the message wrote it
	field   authres.Field
}

// resultFields are the fields that are read as results, and their types.
var resultFields = map[string]string{
	"authentication-results":               "standard",
	"x-original-authentication-results":    "original",
	"x-ms-exchange-authentication-results": "microsoft",
	"x-agari-authentication-results":       "agari",
	"authentication-results-original":      "original",
	"arc-authentication-results":           "arc",
}

// results are the fields with results from the sender to the recipient.
func (m *Model) results() []result {
	if m.authed != nil {
		return m.authed
	}
	out := []result{}
	for i, b := range m.hopBlocks() {
		for j, f := range b.fields {
			kind := resultFields[lower(f.Name())]
			if kind == "" {
				continue
			}
			r, err := authres.Parse(f)
			if err != nil {
				continue
			}
			out = append(out, result{hop: i, kind: kind, field: r, trusted: kind != "arc" && m.trusts(f, r, i > 0 || j > b.received)})
		}
	}
	m.authed = out
	return out
}

// trusts reports whether a field was written by whoever received the message.
// In a file from an Exchange Online mailbox its place tells. Elsewhere, anybody
// can have written what stands below the earliest Received field, unless it
// carries the name of the host that wrote the latest one: receivers remove such
// a field when it comes from outside (RFC 8601 section 5).
func (m *Model) trusts(f eml.Field, r authres.Field, above bool) bool {
	p := m.way()
	if p.Exported {
		return p.Provenance(f).Trusted()
	}
	if above || len(p.Hops) == 0 {
		return true
	}
	return r.ServID != "" && m365.Aligned(r.ServID, p.Hops[0].By)
}

func (m *Model) hopResults(hop int) value.Value {
	all := m.results() // in the order of the hops
	from, _ := slices.BinarySearchFunc(all, hop, func(r result, hop int) int { return r.hop - hop })
	to := from
	for to < len(all) && all[to].hop == hop {
		to++
	}
	of := all[from:to]
	if len(of) == 0 {
		return value.Null
	}
	i := max(slices.IndexFunc(of, func(r result) bool { return r.kind == "standard" }), 0)
	return m.resultValue(of[i])
}

func (m *Model) resultValue(r result) value.Value {
	f := r.field
	server, instance := value.Null, value.Null
	if f.ServID != "" {
		server = domainValue(f.ServID, m.fieldPlace(f.Source, eml.Span{}))
	}
	if f.Instance > 0 {
		instance = value.Int(int64(f.Instance))
	}
	return value.Of(resultsShape.Lazy(func(name string) value.Value {
		switch name {
		case "type":
			return value.String(r.kind)
		case "server":
			return server
		case "instance":
			return instance
		case "dkim":
			all := f.All(authres.DKIM)
			if len(all) == 0 {
				return value.Null
			}
			// One signature that holds is enough (RFC 6376 section 6.1).
			i := max(slices.IndexFunc(all, func(r authres.Result) bool { return r.Value.Text == "pass" }), 0)
			return m.word(f.Source, all[i].Value)
		case "dkim_details":
			var out []value.Value
			for _, d := range f.All(authres.DKIM) {
				prop := func(name string) value.Value {
					if v, ok := d.Prop(name); ok {
						return m.word(f.Source, v)
					}
					return value.Null
				}
				dom := prop("header.d")
				if i, ok := d.Prop("header.i"); ok && dom.IsNull() {
					_, host, _ := strings.Cut(i.Text, "@")
					dom = value.Text(lower(host), m.fieldPlace(f.Source, i.Span))
				}
				out = append(out, value.Of(signShape.New(value.Null, value.Null, dom, value.Null, value.Null, prop("header.s"), prop("header.b"), value.String("dkim"), value.Null)))
			}
			return value.Array(out...)
		case "spf", "dmarc":
			if all := f.All(name); len(all) > 0 {
				return m.word(f.Source, all[0].Value)
			}
		case "spf_details":
			if all := f.All(authres.SPF); len(all) > 0 {
				return m.spfResult(f.Source, all[0])
			}
		case "dmarc_details":
			if all := f.All(authres.DMARC); len(all) > 0 {
				return m.dmarcResult(f.Source, all[0])
			}
		case "compauth":
			if all := f.All(authres.CompAuth); len(all) > 0 {
				return value.Of(compauthShape.New(m.word(f.Source, all[0].Reason), m.word(f.Source, all[0].Value)))
			}
		}
		return value.Null
	}).At(m.fieldPlace(f.Source, eml.Span{})))
}

// word is a word of a field, null where it is not there.
func (m *Model) word(f eml.Field, v authres.Value) value.Value {
	if v.Text == "" {
		return value.Null
	}
	return value.Text(v.Text, m.fieldPlace(f, v.Span))
}

func (m *Model) dmarcResult(f eml.Field, r authres.Result) value.Value {
	prop := func(names ...string) value.Value {
		for _, n := range names {
			if v, ok := r.Prop(n); ok {
				return m.word(f, v)
			}
		}
		return value.Null
	}
	from := value.Null
	if v, ok := r.Prop("header.from"); ok {
		from = domainValue(v.Text, m.fieldPlace(f, v.Span))
	}
	// Gmail writes the policy into a comment: "(p=REJECT sp=NONE dis=NONE)".
	said := map[string]value.Value{}
	for _, c := range r.Comments {
		for w := range strings.FieldsSeq(strings.Trim(c.Text, "()")) {
			if k, v, ok := strings.Cut(w, "="); ok {
				said[lower(k)] = value.Text(v, m.fieldPlace(f, c.Span))
			}
		}
	}
	return value.Of(dmarcShape.New(prop("action", "policy.action"), said["dis"], from, value.Coalesce(said["p"], prop("policy.dmarc")), said["sp"], m.word(f, r.Value), value.Null))
}

type spfDetails struct {
	verdict, comment, designator, helo string
	ip                                 netip.Addr
}

func (m *Model) spfResult(f eml.Field, r authres.Result) value.Value {
	d := spfDetails{verdict: r.Value.Text}
	if len(r.Comments) > 0 {
		d.comment = strings.Trim(r.Comments[0].Text, "()")
	}
	if v, ok := r.Prop("smtp.mailfrom"); ok {
		d.designator = v.Text
	}
	if v, ok := r.Prop("smtp.helo"); ok {
		d.helo = v.Text
	}
	if ip, _, ok := r.SenderIP(); ok {
		d.ip = ip
	} else {
		d.ip = designated(d.comment)
	}
	return m.spfValue(f, d)
}

// designated finds the address in "domain of a@b designates 192.0.2.1 as
// permitted sender".
func designated(comment string) netip.Addr {
	words := strings.Fields(comment)
	for i, w := range words {
		if (w == "designates" || w == "designate") && i+1 < len(words) {
			if a, err := netip.ParseAddr(words[i+1]); err == nil {
				return a
			}
		}
	}
	return netip.Addr{}
}

func (m *Model) spfValue(f eml.Field, d spfDetails) value.Value {
	o := m.fieldPlace(f, eml.Span{})
	text := func(s string) value.Value {
		if s == "" {
			return value.Null
		}
		return value.Text(s, o)
	}
	name := func(s string) value.Value {
		if s == "" {
			return value.Null
		}
		return domainValue(s, o)
	}
	server, _, ok := strings.Cut(d.comment, ": ")
	if !ok || strings.ContainsAny(server, " \t") {
		server = ""
	}
	return value.Of(spfShape.New(ipValue(d.ip, o), text(d.comment), text(d.designator), name(d.helo), name(server), text(d.verdict)).At(o))
}

// authSummary gives the results of the lowest hop at which whoever received the
// message checked it. What could have been written by the sender does not
// count; see trusts.
func (m *Model) authSummary() value.Value {
	return value.Of(summaryShape.Lazy(func(name string) value.Value {
		for _, r := range m.results() {
			if !r.trusted {
				continue
			}
			all := r.field.All(name)
			if len(all) == 0 {
				continue
			}
			v := m.resultValue(r)
			o := m.fieldPlace(r.field.Source, all[0].Span)
			verdict := all[0].Value.Text
			failed := verdict == "temperror" || verdict == "permerror"
			return value.Of(outcomeShape.New(value.Bool(verdict == "pass").At(o), value.Bool(failed).At(o), v.Field(name+"_details"), value.Int(int64(r.hop))).At(o))
		}
		return m.ownResult(name)
	}))
}

// ownResult is what we verified ourselves, for a message in which nobody wrote
// results that count. Its fields are null where that was not done.
func (m *Model) ownResult(name string) value.Value {
	rep := m.in.Auth
	if rep == nil {
		return value.Of(outcomeShape.New())
	}
	var status string
	details := value.Null
	switch name {
	case "dmarc":
		status = string(rep.DMARC.Status)
		from := value.Null
		if rep.DMARC.Author != "" {
			from = nameValue(rep.DMARC.Author, nil)
		}
		details = value.Of(dmarcShape.New(value.Null, value.String(string(rep.DMARC.Disposition)), from, value.Null, value.Null, value.String(status), value.Null))
	case "spf":
		if rep.SPF == nil {
			return value.Of(outcomeShape.New())
		}
		status = string(rep.SPF.Status)
		details = value.Of(spfShape.New(ipValue(rep.SPF.IP, nil), value.Null, value.OptString(rep.SPF.Domain), value.Null, value.Null, value.String(status)))
	}
	if status == "" {
		return value.Of(outcomeShape.New())
	}
	failed := status == "temperror" || status == "permerror"
	return value.Of(outcomeShape.New(value.Bool(status == "pass"), value.Bool(failed), details, value.Null))
}

// authenticated reports whether SPF or DKIM passed for a domain aligned with
// that of From.
func (m *Model) authenticated(from string) bool {
	for _, r := range m.results() {
		if !r.trusted {
			continue
		}
		for _, d := range r.field.Results {
			if d.Value.Text != "pass" {
				continue
			}
			var v authres.Value
			switch d.Method {
			case authres.SPF:
				v, _ = d.Prop("smtp.mailfrom")
			case authres.DKIM:
				v, _ = d.Prop("header.d")
			default:
				continue
			}
			host := lower(v.Text[strings.LastIndexByte(v.Text, '@')+1:])
			if host != "" && m365.Aligned(host, from) {
				return true
			}
		}
	}
	if rep := m.in.Auth; rep != nil {
		for _, a := range rep.DMARC.Alignments {
			if a.Counts() {
				return true
			}
		}
	}
	return false
}
