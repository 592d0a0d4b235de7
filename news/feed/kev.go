package feed

import (
	"cmp"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// kevAddress is where CISA shows an entry of its catalogue.
const kevAddress = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog"

// kev reads CISA's catalogue of known exploited vulnerabilities. Fields that it
// does not know and fields that are missing are no fault: the schema has grown
// before.
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json
func (r *reader) kev(text []byte) error {
	var doc struct {
		Title           str `json:"title"`
		Version         str `json:"catalogVersion"`
		Released        str `json:"dateReleased"`
		Count           str `json:"count"`
		Vulnerabilities list[struct {
			CVE        str `json:"cveID"`
			Vendor     str `json:"vendorProject"`
			Product    str `json:"product"`
			Name       str `json:"vulnerabilityName"`
			Added      str `json:"dateAdded"`
			Text       str `json:"shortDescription"`
			Action     str `json:"requiredAction"`
			Due        str `json:"dueDate"`
			Ransomware str `json:"knownRansomwareCampaignUse"`
			Notes      str `json:"notes"`
		}] `json:"vulnerabilities"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	r.doc.Format, r.doc.Title, r.doc.Link = KEV, doc.Title.String(), kevAddress
	r.doc.Lang = cmp.Or(r.doc.Lang, lang.EN)
	released := r.date(nil, string(doc.Released))
	for _, v := range doc.Vulnerabilities {
		cve := strings.ToUpper(v.CVE.String())
		if len(news.CVEs(cve)) != 1 {
			r.defect(NoTitle, "an entry without a CVE number")
			continue
		}
		it := news.Item{
			Kind:      news.Vulnerability,
			Title:     line(cve + " " + cmp.Or(v.Name.String(), v.Product.String())),
			Link:      kevAddress + "?search_api_fulltext=" + cve,
			Published: r.date(nil, string(v.Added)),
			Updated:   released,
			CVEs:      []string{cve},
			Exploitation: news.Exploitation{
				InKEV: true, KEVAdded: r.date(nil, string(v.Added)), KEVDue: r.date(nil, string(v.Due)),
				Ransomware: strings.EqualFold(v.Ransomware.String(), "known"),
			},
		}
		// The catalogue's release is not a change of the entry.
		it.Updated = it.Published
		it.Text = paragraphs(v.Text.String(), v.Action.String())
		r.product(&it, news.Product{Vendor: v.Vendor.String(), Name: v.Product.String()})
		for part := range strings.FieldsSeq(strings.ReplaceAll(string(v.Notes), ";", " ")) {
			if strings.HasPrefix(part, "http") {
				if u := r.link(part, ""); u != "" {
					r.reference(&it, news.Reference{URL: u})
				}
			}
		}
		r.add(it, cve)
	}
	if n := doc.Count.String(); n != "" && n != "0" && len(doc.Vulnerabilities) == 0 {
		r.defect(Incomplete, "count "+n)
	}
	return nil
}

// paragraphs joins texts that are not empty.
func paragraphs(texts ...string) string {
	var list []string
	for _, s := range texts {
		if s = strings.TrimSpace(s); s != "" {
			list = append(list, s)
		}
	}
	return strings.Join(list, "\n\n")
}
