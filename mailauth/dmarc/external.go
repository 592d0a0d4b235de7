package dmarc

import (
	"context"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/resolve"
)

// Consent says whether reports may be sent to an address.
type Consent string

// The answers (RFC 9990 section 4, and RFC 9991 section 5 for ruf).
const (
	ConsentOwn       Consent = "own"       // it belongs to the organization that publishes the record
	ConsentGiven     Consent = "given"     // it belongs to others, who publish that they take the reports
	ConsentMissing   Consent = "missing"   // it belongs to others, who publish nothing: no reports are sent
	ConsentElsewhere Consent = "elsewhere" // others take them and name an address of yet others: no reports are sent
	ConsentUnknown   Consent = "unknown"   // DNS did not answer, or there were too many to ask for
	ConsentNoHost    Consent = "no-host"   // the URI names no host that could be asked
)

// Destination is one URI of rua or ruf and whether it will get reports.
type Destination struct {
	Tag      string // rua or ruf
	URI      URI
	Consent  Consent
	Name     string          // what was asked for; empty if nothing was
	Question *resolve.Answer // what came back; nil if nothing was asked
	Override []URI           // where the receiver of the reports wants them instead
}

// maxHosts bounds the hosts that are asked for their consent.
const maxHosts = 10

// ExternalDestinations tells which addresses of a record will get reports. at
// is the domain at which the record stands. An address of another organization
// needs that organization's consent in DNS, without which nobody sends to it:
// the usual reason for reports that never come.
func ExternalDestinations(ctx context.Context, r resolve.Resolver, at domain.Name, record *Record, opts *Options) []Destination {
	if record == nil || at == "" {
		return nil
	}
	w := newWalker(ctx, r, opts)
	own := w.walk(at, false)
	hosts := map[domain.Name]*consent{}
	var out []Destination
	add := func(tag string, uris []URI) {
		for _, u := range uris {
			d := Destination{Tag: tag, URI: u}
			switch u.Host {
			case "":
				d.Consent = ConsentNoHost
			case at:
				d.Consent = ConsentOwn
			default:
				c, ok := hosts[u.Host]
				if !ok {
					c = &consent{answer: ConsentUnknown}
					if len(hosts) < maxHosts {
						c = w.consent(own, u.Host)
					}
					hosts[u.Host] = c
				}
				c.fill(&d)
			}
			out = append(out, d)
		}
	}
	add("rua", record.RUA)
	add("ruf", record.RUF)
	return out
}

// consent is what a host publishes about reports for a domain.
type consent struct {
	answer   Consent
	name     string
	question *resolve.Answer
	records  []*Record
}

// consent does the steps of RFC 9990 section 4 for one host.
func (w *walker) consent(own *Walk, host domain.Name) *consent {
	theirs := w.walk(host, false)
	if own.Org != "" && own.Org == theirs.Org {
		return &consent{answer: ConsentOwn}
	}
	c := &consent{answer: ConsentUnknown, name: string(own.Start) + "._report._dmarc." + string(host)}
	if _, ok := resolve.Normalize(c.name); !ok {
		c.name, c.answer = "", ConsentMissing // too long to be published
		return c
	}
	a, err := w.resolver.Lookup(w.ctx, c.name, resolve.TypeTXT)
	if err != nil {
		return c
	}
	c.question = &a
	if a.Temporary() {
		return c
	}
	c.answer = ConsentMissing
	// Several records are no mistake here: one that reads is enough.
	for _, txt := range a.Texts() {
		if r, _, err := ParseRecord(txt); err == nil {
			c.answer = ConsentGiven
			c.records = append(c.records, r)
		}
		if len(c.records) == maxURIs {
			break
		}
	}
	// Where it is not known whether the organizations differ, a consent in DNS
	// settles it, and its absence does not.
	if c.answer == ConsentMissing && (own.Org == "" || theirs.Org == "") {
		c.answer = ConsentUnknown
	}
	return c
}

// fill writes into d what the host says about its kind of report.
func (c *consent) fill(d *Destination) {
	d.Consent, d.Name, d.Question = c.answer, c.name, c.question
	for _, r := range c.records {
		uris := r.RUA
		if d.Tag == "ruf" {
			uris = r.RUF
		}
		for _, u := range uris {
			if u.Host != d.URI.Host {
				d.Consent, d.Override = ConsentElsewhere, nil
				return
			}
			if len(d.Override) < maxURIs {
				d.Override = append(d.Override, u)
			}
		}
	}
}
