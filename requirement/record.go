package requirement

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// ttl is the time to live of the records that are proposed, in seconds: the
// hour that Microsoft's pages use.
const ttl = 3600

// spfRecord is what to publish where there is no SPF record. Which services
// send for the domain only its owner knows; those that MX shows are put in.
func (e *evaluation) spfRecord() Record {
	r := Record{Host: string(e.p.Domain), Type: "TXT", TTL: ttl, Replaces: slices.Clone(e.p.SPF.Similar), Note: lang.M("requirement.record.spf-others")}
	switch {
	case e.provider() == microsoft365:
		// https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure
		r.Value = "v=spf1 include:spf.protection.outlook.com -all"
	case e.provider() == google:
		// https://support.google.com/a/answer/33786
		r.Value = "v=spf1 include:_spf.google.com ~all"
	case e.p.Use == posture.UseNone:
		r.Value, r.Note = "v=spf1 -all", lang.M("requirement.record.spf-parked")
	default:
		r.Where, r.Note = lang.M("requirement.where.spf"), lang.Message{}
	}
	return r
}

// dmarcRecord is the least that satisfies every receiver, and for a domain without
// mail, which has none to lose, the most that forgers can be refused. Where the
// reports go is for the owner to say.
func (e *evaluation) dmarcRecord(old ...string) Record {
	r := Record{
		Host: "_dmarc." + string(e.p.Domain), Type: "TXT", Value: "v=DMARC1; p=none", TTL: ttl,
		Replaces: slices.Clone(old), Note: lang.M("requirement.record.dmarc-rua"),
	}
	if e.p.Use == posture.UseNone || e.p.Use == posture.UseParked {
		r.Value, r.Note = "v=DMARC1; p=reject; sp=reject; np=reject", lang.M("requirement.record.dmarc-parked")
	}
	return r
}

// ptrRecord is the record that whoever runs the address has to make. The name
// is that of the sending host, which only its owner knows.
func ptrRecord(address string) Record {
	r := Record{Type: "PTR", TTL: ttl, Where: lang.M("requirement.where.ptr")}
	if ip, err := netip.ParseAddr(address); err == nil {
		r.Host = resolve.Reverse(ip)
	}
	return r
}

// mergeSPF makes one record of several: every term once, and the word on
// everybody else that refuses least, so that no mail is lost by it.
func mergeSPF(records []string) string {
	all := ""
	var terms []string
	for _, r := range records {
		for t := range strings.FieldsSeq(r) {
			low := strings.ToLower(t)
			switch {
			case low == "v=spf1":
			case low == "all" || len(low) == 4 && low[1:] == "all":
				if low == "all" {
					low = "+all"
				}
				if all == "" || strings.IndexByte("-~?", low[0]) > strings.IndexByte("-~?", all[0]) {
					all = low
				}
			case len(terms) < 50 && !slices.ContainsFunc(terms, func(have string) bool { return strings.EqualFold(have, t) }):
				terms = append(terms, t)
			}
		}
	}
	if all == "" || all == "+all" {
		all = "~all"
	}
	return strings.Join(append(append([]string{"v=spf1"}, terms...), all), " ")
}
