package feed

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/news"
)

type csafBranch struct {
	Category str                 `json:"category"`
	Name     str                 `json:"name"`
	Branches list[csafBranch]    `json:"branches"`
	Product  object[csafProduct] `json:"product"`
}

type csafProduct struct {
	ID     str `json:"product_id"`
	Name   str `json:"name"`
	Helper object[struct {
		CPE str `json:"cpe"`
	}] `json:"product_identification_helper"`
}

type csafNote struct {
	Category str `json:"category"`
	Title    str `json:"title"`
	Text     str `json:"text"`
}

type csafRef struct {
	Category str `json:"category"`
	Summary  str `json:"summary"`
	URL      str `json:"url"`
}

type csafScore struct {
	Base     json.Number `json:"baseScore"`
	Severity str         `json:"baseSeverity"`
	Vector   str         `json:"vectorString"`
}

type csafScores struct {
	V2 object[csafScore] `json:"cvss_v2"`
	V3 object[csafScore] `json:"cvss_v3"`
	V4 object[csafScore] `json:"cvss_v4"`
}

// csaf reads a CSAF document: version 2.0 (OASIS, November 2022), what of 2.1
// has the same shape, and the answers of MyJVN in that shape. It is lenient: a
// document that fails the schema is read as far as it goes.
// https://docs.oasis-open.org/csaf/csaf/v2.0/os/csaf-v2.0-os.html
func (r *reader) csaf(text []byte) error {
	var doc struct {
		Document struct {
			Category str `json:"category"`
			Version  str `json:"csaf_version"`
			Title    str `json:"title"`
			Lang     str `json:"lang"`
			Severity object[struct {
				Text str `json:"text"`
			}] `json:"aggregate_severity"`
			Notes     list[csafNote] `json:"notes"`
			Refs      list[csafRef]  `json:"references"`
			Publisher object[struct {
				Name str `json:"name"`
			}] `json:"publisher"`
			Tracking struct {
				ID      str `json:"id"`
				Current str `json:"current_release_date"`
				Initial str `json:"initial_release_date"`
				Public  str `json:"public_date"`
				Status  str `json:"status"`
				Version str `json:"version"`
			} `json:"tracking"`
		} `json:"document"`
		Tree object[struct {
			Branches  list[csafBranch]  `json:"branches"`
			Full      list[csafProduct] `json:"full_product_names"`
			Relations list[struct {
				Product object[csafProduct] `json:"full_product_name"`
			}] `json:"relationships"`
		}] `json:"product_tree"`
		Vulnerabilities list[struct {
			CVE     str                  `json:"cve"`
			Title   str                  `json:"title"`
			Notes   list[csafNote]       `json:"notes"`
			Refs    list[csafRef]        `json:"references"`
			Status  map[string]list[str] `json:"product_status"`
			Scores  list[csafScores]     `json:"scores"`
			Metrics list[struct {
				Content object[csafScores] `json:"content"`
			}] `json:"metrics"`
			Threats list[struct {
				Category str `json:"category"`
				Details  str `json:"details"`
			}] `json:"threats"`
			Remediations list[struct {
				Category str       `json:"category"`
				Details  str       `json:"details"`
				URL      str       `json:"url"`
				IDs      list[str] `json:"product_ids"`
			}] `json:"remediations"`
		}] `json:"vulnerabilities"`
		JVN json.RawMessage `json:"jvn_extension"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	d := &doc.Document
	if d.Version == "" && d.Tracking.ID == "" {
		return fault(Unrecognised, "a JSON document with no CSAF version and no identifier")
	}
	if v := d.Version.String(); v != "2.0" {
		r.defect(OddVersion, clip(v, 20))
	}
	r.doc.Format, r.doc.Title = CSAF, d.Title.String()
	if r.doc.Lang == "" {
		r.doc.Lang = language(string(d.Lang))
	}
	tree := products{}
	for _, b := range doc.Tree.v.Branches {
		tree.walk(b, news.Product{}, 0)
	}
	for _, p := range doc.Tree.v.Full {
		tree.put(p, news.Product{})
	}
	for _, rel := range doc.Tree.v.Relations {
		tree.put(rel.Product.v, news.Product{})
	}
	it := news.Item{
		Kind: news.Advisory, Title: d.Title.String(), Revision: d.Tracking.Version.String(), Status: strings.ToLower(d.Tracking.Status.String()),
		Published: r.date(nil, cmp.Or(string(d.Tracking.Public), string(d.Tracking.Initial))), Updated: r.date(nil, string(d.Tracking.Current)),
		Severity: strings.ToLower(d.Severity.v.Text.String()),
	}
	if it.Status == "draft" || it.Status == "interim" {
		r.defect(Preliminary, it.Status)
	}
	var body []string
	for _, n := range d.Notes {
		if c := n.Category.String(); c != "legal_disclaimer" && c != "other" {
			body = append(body, r.shown(string(n.Text)))
		}
	}
	r.csafRefs(&it, d.Refs)
	for _, v := range doc.Vulnerabilities {
		it.CVEs = append(it.CVEs, news.CVEs(string(v.CVE))...)
		if t := v.Title.String(); t != "" && t != it.Title {
			body = append(body, line(v.CVE.String()+" "+t))
		}
		for _, n := range v.Notes {
			if strings.HasPrefix(string(n.Text), "SSVC") {
				ssvc(&it.Exploitation, string(n.Text))
				continue
			}
			if c := n.Category.String(); c == "summary" || c == "description" || c == "general" {
				body = append(body, r.shown(string(n.Text)))
			}
		}
		for _, t := range v.Threats {
			if s := t.Details.String(); t.Category.String() == "exploit_status" {
				exploitStatus(&it.Exploitation, s)
				body = append(body, s)
			} else if t.Category.String() == "impact" && len(s) > 20 {
				body = append(body, s)
			}
		}
		scores := v.Scores
		for _, m := range v.Metrics {
			scores = append(scores, m.Content.v)
		}
		for _, s := range scores {
			for _, c := range [...]csafScore{s.V4.v, s.V3.v, s.V2.v} {
				r.score(&it, c.Base.String(), c.Vector.String())
				it.Severity = worse(it.Severity, strings.ToLower(c.Severity.String()))
			}
		}
		for _, id := range v.Status["known_affected"] {
			if p, ok := tree[string(id)]; ok {
				r.product(&it, p)
			}
		}
		for _, f := range v.Remediations {
			if c := f.Category.String(); c != "vendor_fix" && c != "mitigation" && c != "workaround" {
				continue
			}
			fix := news.Fix{Text: cut(f.Details.String(), 500), URL: r.link(string(f.URL), "")}
			if len(f.IDs) > 0 {
				fix.Product = tree[string(f.IDs[0])].Name
			}
			if n := len(it.Fixes); n == 0 || it.Fixes[n-1] != fix {
				r.fix(&it, fix)
			}
		}
		r.csafRefs(&it, v.Refs)
	}
	if len(it.Products) == 0 && len(doc.Vulnerabilities) == 0 {
		for _, id := range slices.Sorted(maps.Keys(tree)) {
			r.product(&it, tree[id])
		}
	}
	it.Text = paragraphs(dedupe(body)...)
	r.doc.Link = it.Link
	r.add(it, cmp.Or(d.Tracking.ID.String(), news.CanonicalLink(r.o.URL)))
	return nil
}

// dedupe leaves out texts that were there before.
func dedupe(texts []string) []string {
	seen := map[string]bool{}
	out := texts[:0:0]
	for _, s := range texts {
		if s = strings.TrimSpace(s); s != "" && !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// ssvc reads "SSVCv2/E:A/A:Y/T:T/...", as CISA writes it into its notes.
func ssvc(e *news.Exploitation, s string) {
	for part := range strings.SplitSeq(s, "/") {
		switch strings.ToUpper(part) {
		case "E:N":
			e.SSVC = "none"
		case "E:P":
			e.SSVC = "poc"
		case "E:A":
			e.SSVC = "active"
		}
	}
}

func (r *reader) csafRefs(it *news.Item, refs []csafRef) {
	for _, ref := range refs {
		u := r.link(string(ref.URL), "")
		if u == "" {
			continue
		}
		// A document that names itself at its publisher has a page beside it.
		if ref.Category.String() == "self" && it.Link == "" && path.Ext(u) != ".json" {
			it.Link = u
		}
		r.reference(it, news.Reference{Title: cut(ref.Summary.String(), 200), URL: u})
	}
}

// products are the products of a tree by their id.
type products map[string]news.Product

func (t products) put(p csafProduct, in news.Product) {
	if p.ID == "" || len(t) > 20_000 {
		return
	}
	in.CPE = p.Helper.v.CPE.String()
	in.Name = cmp.Or(in.Name, p.Name.String())
	t[string(p.ID)] = in
}

// walk flattens a branch: the vendor, the product and the version stand on the
// way to a leaf.
func (t products) walk(b csafBranch, in news.Product, depth int) {
	switch b.Category.String() {
	case "vendor":
		in.Vendor = b.Name.String()
	case "product_name", "product_family":
		in.Name = b.Name.String()
	case "product_version", "product_version_range":
		in.Version = b.Name.String()
	}
	if b.Product.v.ID != "" {
		t.put(b.Product.v, in)
	}
	if depth > 30 {
		return
	}
	for _, c := range b.Branches {
		t.walk(c, in, depth+1)
	}
}

// provider reads a provider-metadata.json: where a publisher of CSAF keeps its
// documents.
func (r *reader) provider(text []byte) error {
	var doc struct {
		URL       str `json:"canonical_url"`
		Updated   str `json:"last_updated"`
		Publisher object[struct {
			Name str `json:"name"`
		}] `json:"publisher"`
		Distributions list[struct {
			Directory str `json:"directory_url"`
			Rolie     object[struct {
				Feeds list[struct {
					URL     str `json:"url"`
					Summary str `json:"summary"`
					TLP     str `json:"tlp_label"`
				}] `json:"feeds"`
			}] `json:"rolie"`
		}] `json:"distributions"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	r.doc.Format, r.doc.Title = CSAFProvider, doc.Publisher.v.Name.String()
	r.doc.Link = r.link(string(doc.URL), "")
	updated := r.date(nil, string(doc.Updated))
	for _, d := range doc.Distributions {
		if u := r.link(string(d.Directory), ""); u != "" {
			// changes.csv has the newest first, which index.txt does not.
			r.doc.Pointers = append(r.doc.Pointers, Pointer{URL: strings.TrimSuffix(u, "/") + "/changes.csv", Updated: updated, Rel: "directory"})
		}
		for _, f := range d.Rolie.v.Feeds {
			if tlp := f.TLP.String(); tlp != "" && tlp != "WHITE" && tlp != "CLEAR" && tlp != "UNLABELED" {
				continue // not for everybody
			}
			if u := r.link(string(f.URL), ""); u != "" {
				r.doc.Pointers = append(r.doc.Pointers, Pointer{URL: u, Title: f.Summary.String(), Updated: updated, Rel: "rolie"})
			}
		}
	}
	return nil
}

// changes reads changes.csv (a path and a time in quotes) or index.txt (a path
// a line), relative to the address of the file. It reports whether text is one.
func (r *reader) changes(text []byte) bool {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	first = bytes.TrimSpace(first)
	if !bytes.HasSuffix(first, []byte(".json")) && !bytes.Contains(first, []byte(`.json"`)) && !bytes.Contains(first, []byte(`.json,`)) || bytes.ContainsAny(first, " \t<") {
		return false
	}
	c := csv.NewReader(bytes.NewReader(text))
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	for len(r.doc.Pointers) < MaxItems {
		rec, err := c.Read()
		if err != nil {
			break // the end, or a line that nobody can read
		}
		p := Pointer{Rel: "document"}
		if len(rec) == 0 || !strings.HasSuffix(rec[0], ".json") || strings.Contains(rec[0], "..") {
			continue
		}
		if p.URL = r.link(rec[0], ""); p.URL == "" {
			continue
		}
		if len(rec) > 1 {
			p.Updated = r.date(nil, rec[1])
		}
		r.doc.Pointers = append(r.doc.Pointers, p)
	}
	r.doc.Format = CSAFIndex
	return true
}
