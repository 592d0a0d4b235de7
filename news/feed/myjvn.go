package feed

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/sekisho/sekisho/news"
)

// feedObject tells the two formats with a "feed" apart: a ROLIE feed of CSAF
// documents (RFC 8322), and an answer of MyJVN.
func (r *reader) feedObject(feed json.RawMessage, top map[string]json.RawMessage) error {
	var probe struct {
		Category list[struct {
			Scheme str `json:"scheme"`
		}] `json:"category"`
		Entry list[struct {
			Content object[struct {
				Src str `json:"src"`
			}] `json:"content"`
			Format object[struct {
				Schema str `json:"schema"`
			}] `json:"format"`
		}] `json:"entry"`
	}
	if err := unmarshal(feed, &probe); err != nil {
		return err
	}
	rolie := false
	for _, c := range probe.Category {
		rolie = rolie || strings.Contains(string(c.Scheme), "rolie")
	}
	for _, e := range probe.Entry {
		rolie = rolie || e.Content.v.Src != "" || strings.Contains(string(e.Format.v.Schema), "csaf")
		break
	}
	if rolie {
		return r.rolie(feed)
	}
	return r.myjvn(feed, top)
}

// rolie reads a ROLIE feed of CSAF documents.
func (r *reader) rolie(feed json.RawMessage) error {
	var doc struct {
		Title str `json:"title"`
		Entry list[struct {
			Title   str `json:"title"`
			Updated str `json:"updated"`
			Content object[struct {
				Src str `json:"src"`
			}] `json:"content"`
			Link list[struct {
				Rel  str `json:"rel"`
				Href str `json:"href"`
			}] `json:"link"`
		}] `json:"entry"`
	}
	if err := unmarshal(feed, &doc); err != nil {
		return err
	}
	r.doc.Format, r.doc.Title = CSAFIndex, doc.Title.String()
	for _, e := range doc.Entry[:min(len(doc.Entry), MaxItems)] {
		u := r.link(string(e.Content.v.Src), "")
		for _, l := range e.Link {
			if u == "" && l.Rel.String() == "self" {
				u = r.link(string(l.Href), "")
			}
		}
		if u != "" {
			r.doc.Pointers = append(r.doc.Pointers, Pointer{URL: u, Title: e.Title.String(), Updated: r.date(nil, string(e.Updated)), Rel: "document"})
		}
	}
	return nil
}

// jvnEntry is an entry of both generations of the API: HND (3.x) with "sec:"
// names, OKA (4.0) with plain ones. Names that differ by document, such as
// "update" and "updated", are all read.
type jvnEntry struct {
	Title     str               `json:"title"`
	ID        str               `json:"id"`
	Summary   str               `json:"summary"`
	Link      list[str]         `json:"link"`
	Category  list[jvnCategory] `json:"category"`
	Public    str               `json:"public"`
	Created   str               `json:"created"`
	Published str               `json:"published"`
	Modified  str               `json:"modified"`
	Updated   str               `json:"updated"`
	Update    str               `json:"update"`
	Products  list[jvnProduct]  `json:"products"`
	Items     list[jvnEntry]    `json:"items"`
	Refs      list[struct {
		Summary str `json:"summary"`
		URL     str `json:"url"`
	}] `json:"references"`
	Metrics list[struct {
		Content object[csafScores] `json:"content"`
	}] `json:"metrics"`

	SecItems     list[json.RawMessage] `json:"sec:items"`
	SecTitle     str                   `json:"sec:title"`
	SecID        str                   `json:"sec:identifier"`
	SecLink      str                   `json:"sec:link"`
	SecCPE       list[jvnCPE]          `json:"sec:cpe"`
	SecPublished str                   `json:"sec:published"`
}

type jvnCategory struct {
	Term  str `json:"term"`
	Label str `json:"label"`
}

type jvnProduct struct {
	Vendor  str `json:"vname"`
	Name    str `json:"pname"`
	Version str `json:"version"`
	IDs     object[struct {
		CPE str `json:"cpe"`
	}] `json:"product_ids"`
}

type jvnCPE struct {
	Value   str `json:"value"`
	Vendor  str `json:"vendor"`
	Product str `json:"product"`
	Version str `json:"version"`
}

// myjvn reads the lists that the MyJVN API answers in JSON: warnings and
// overviews of vulnerabilities.
// https://jvndb.jvn.jp/apis/myjvn/
func (r *reader) myjvn(feed json.RawMessage, top map[string]json.RawMessage) error {
	var doc struct {
		Title  str               `json:"title"`
		Link   list[str]         `json:"link"`
		Lang   str               `json:"lang"`
		Entry  list[jvnEntry]    `json:"entry"`
		Status object[jvnStatus] `json:"status:Status"`
	}
	if err := unmarshal(feed, &doc); err != nil {
		return err
	}
	status := doc.Status.v
	if raw, ok := top["status"]; ok {
		var s object[jvnStatus]
		if json.Unmarshal(raw, &s) == nil {
			status = s.v
		}
	}
	if len(doc.Entry) == 0 && status.Method == "" {
		return fault(Unrecognised, "a JSON document with a feed of an unknown kind")
	}
	r.doc.Format, r.doc.Title = MyJVN, doc.Title.String()
	for _, l := range doc.Link {
		r.doc.Link = r.link(string(l), "")
		break
	}
	if r.doc.Lang == "" {
		r.doc.Lang = language(string(doc.Lang))
	}
	if c := status.Return.String(); c != "" && c != "0" {
		r.defect(Incomplete, line("retCd "+c+" "+status.Error.String()))
	}
	for _, e := range doc.Entry {
		r.jvnItem(e)
	}
	return nil
}

type jvnStatus struct {
	Method str `json:"method"`
	Return str `json:"retCd"`
	Error  str `json:"errMsg"`
}

func (r *reader) jvnItem(e jvnEntry) {
	it := news.Item{
		Kind: news.Advisory, Title: e.Title.String(),
		Published: r.date(nil, cmp.Or(string(e.Public), string(e.Published), string(e.Created))),
		Updated:   r.date(nil, cmp.Or(string(e.Modified), string(e.Updated), string(e.Update))),
	}
	for _, l := range e.Link {
		if it.Link = r.link(string(l), ""); it.Link != "" {
			break
		}
	}
	for _, c := range e.Category {
		if s := cmp.Or(c.Label.String(), c.Term.String()); s != "" {
			it.Labels = append(it.Labels, s)
		}
	}
	body := []string{r.shown(string(e.Summary))}
	parts := e.Items
	for _, raw := range e.SecItems[:min(len(e.SecItems), maxRefs)] {
		// Each is an object with one "sec:item" in it.
		var in struct {
			Item object[jvnEntry] `json:"sec:item"`
		}
		if json.Unmarshal(raw, &in) == nil {
			parts = append(parts, in.Item.v)
		}
	}
	r.jvnProducts(&it, &e)
	for _, p := range parts[:min(len(parts), maxRefs)] {
		name := cmp.Or(p.Title.String(), p.SecTitle.String())
		body = append(body, paragraphs(name, r.shown(string(p.Summary))))
		link := p.SecLink
		for _, l := range p.Link {
			link = cmp.Or(link, l)
		}
		if u := r.link(string(link), ""); u != "" {
			r.reference(&it, news.Reference{Title: name, URL: u})
			it.Link = cmp.Or(it.Link, u)
		}
		r.jvnProducts(&it, &p)
	}
	for _, ref := range e.Refs {
		if u := r.link(string(ref.URL), ""); u != "" {
			r.reference(&it, news.Reference{Title: ref.Summary.String(), URL: u})
		}
		it.CVEs = append(it.CVEs, news.CVEs(string(ref.Summary))...)
	}
	for _, m := range e.Metrics {
		for _, c := range [...]csafScore{m.Content.v.V4.v, m.Content.v.V3.v, m.Content.v.V2.v} {
			r.score(&it, c.Base.String(), c.Vector.String())
			it.Severity = worse(it.Severity, strings.ToLower(c.Severity.String()))
		}
	}
	it.Text = paragraphs(dedupe(body)...)
	r.add(it, cmp.Or(e.ID.String(), e.SecID.String(), news.CanonicalLink(it.Link)))
}

func (r *reader) jvnProducts(it *news.Item, e *jvnEntry) {
	for _, p := range e.Products {
		r.product(it, news.Product{Vendor: p.Vendor.String(), Name: p.Name.String(), Version: p.Version.String(), CPE: p.IDs.v.CPE.String()})
	}
	for _, c := range e.SecCPE {
		r.product(it, news.Product{Vendor: c.Vendor.String(), Name: c.Product.String(), Version: c.Version.String(), CPE: c.Value.String()})
	}
}
