package feed

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// msrcAddress is where Microsoft shows a vulnerability.
const msrcAddress = "https://msrc.microsoft.com/update-guide/vulnerability/"

// The types of CVRF 1.1 as Microsoft numbers them in JSON. In XML they have
// names.
const (
	threatImpact      = "0"
	threatExploit     = "1"
	threatSeverity    = "3"
	remedyVendorFix   = "2"
	remedyKnownIssue  = "5"
	noteDescription   = "2"
	noteFAQ           = "4"
	noteTag           = "7"
	statusKnownAffect = "3"
)

type branch struct {
	Items json.RawMessage `json:"Items"`
	ID    str             `json:"ProductID"`
	Value str             `json:"Value"`
	Name  str             `json:"Name"`
	Full  list[struct {
		ID    str `json:"ProductID"`
		Value str `json:"Value"`
	}] `json:"FullProductName"`
}

// cvrf reads a month of updates from Microsoft's CVRF API in JSON. The month is
// an item, and so is each vulnerability. The names of those who found them are
// personal data and are not read.
// https://api.msrc.microsoft.com/cvrf/v3.0/swagger/index
func (r *reader) cvrf(text []byte) error {
	var doc struct {
		Title    str `json:"DocumentTitle"`
		Tracking struct {
			Identification struct {
				ID    str `json:"ID"`
				Alias str `json:"Alias"`
			} `json:"Identification"`
			Version str `json:"Version"`
			Initial str `json:"InitialReleaseDate"`
			Current str `json:"CurrentReleaseDate"`
			Status  str `json:"Status"`
		} `json:"DocumentTracking"`
		Notes list[struct {
			Title str `json:"Title"`
			Value str `json:"Value"`
		}] `json:"DocumentNotes"`
		Tree object[struct {
			Branch list[branch] `json:"Branch"`
			Full   list[struct {
				ID    str `json:"ProductID"`
				Value str `json:"Value"`
			}] `json:"FullProductName"`
		}] `json:"ProductTree"`
		Vulnerabilities list[struct {
			Title str `json:"Title"`
			CVE   str `json:"CVE"`
			Notes list[struct {
				Title str `json:"Title"`
				Type  str `json:"Type"`
				Value str `json:"Value"`
			}] `json:"Notes"`
			Statuses list[struct {
				ID   list[str] `json:"ProductID"`
				Type str       `json:"Type"`
			}] `json:"ProductStatuses"`
			Threats list[struct {
				Text str       `json:"Description"`
				ID   list[str] `json:"ProductID"`
				Type str       `json:"Type"`
			}] `json:"Threats"`
			Scores list[struct {
				Base   str `json:"BaseScore"`
				Vector str `json:"Vector"`
			}] `json:"CVSSScoreSets"`
			Remediations list[struct {
				Text    str       `json:"Description"`
				URL     str       `json:"URL"`
				ID      list[str] `json:"ProductID"`
				Type    str       `json:"Type"`
				SubType str       `json:"SubType"`
				Build   str       `json:"FixedBuild"`
			}] `json:"Remediations"`
			Revisions list[struct {
				Number str `json:"Number"`
				Date   str `json:"Date"`
			}] `json:"RevisionHistory"`
		}] `json:"Vulnerability"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	names := map[string]string{}
	for _, p := range doc.Tree.v.Full {
		names[string(p.ID)] = p.Value.String()
	}
	for _, b := range doc.Tree.v.Branch {
		branches(names, b, 0)
	}
	r.doc.Format, r.doc.Title = CVRF, doc.Title.String()
	r.doc.Lang = cmp.Or(r.doc.Lang, lang.EN)
	id := doc.Tracking.Identification.ID.String()
	initial, current := r.date(nil, string(doc.Tracking.Initial)), r.date(nil, string(doc.Tracking.Current))

	release := news.Item{
		Kind: news.Release, Title: doc.Title.String(), Published: initial, Updated: current, Revision: doc.Tracking.Version.String(),
		Link: "https://msrc.microsoft.com/update-guide/releaseNote/" + id,
	}
	for _, n := range doc.Notes {
		if strings.EqualFold(n.Title.String(), "Release Notes") || release.Text == "" {
			release.Text = r.shown(string(n.Value))
		}
	}
	place := len(r.doc.Items)
	r.add(release, "release "+id)

	var all []string
	for _, v := range doc.Vulnerabilities {
		cve := strings.ToUpper(v.CVE.String())
		it := news.Item{Kind: news.Vulnerability, Title: line(cve + " " + v.Title.String()), Published: initial, Updated: current, Link: msrcAddress + cve}
		if len(news.CVEs(cve)) == 1 {
			it.CVEs = []string{cve}
			all = append(all, cve)
		}
		var body []string
		for _, n := range v.Notes {
			switch n.Type.String() {
			case noteDescription, noteFAQ, "Description", "FAQ":
				body = append(body, r.shown(string(n.Value)))
			case noteTag, "Tag":
				if t := n.Value.String(); t != "" {
					it.Labels = append(it.Labels, t)
				}
			}
		}
		for _, t := range v.Threats {
			switch t.Type.String() {
			case threatSeverity, "Severity":
				it.Severity = worse(it.Severity, strings.ToLower(t.Text.String()))
			case threatImpact, "Impact":
				if s := t.Text.String(); s != "" && !slices.Contains(body, s) {
					body = append([]string{s}, body...)
				}
			case threatExploit, "Exploit Status":
				exploitStatus(&it.Exploitation, t.Text.String())
			}
		}
		it.Text = paragraphs(body...)
		for _, s := range v.Scores {
			r.score(&it, string(s.Base), s.Vector.String())
		}
		for _, s := range v.Statuses {
			if t := s.Type.String(); t != statusKnownAffect && t != "Known Affected" {
				continue
			}
			for _, p := range s.ID {
				r.product(&it, news.Product{Vendor: "Microsoft", Name: cmp.Or(names[string(p)], string(p))})
			}
		}
		for _, f := range v.Remediations {
			if t := f.Type.String(); t != remedyVendorFix && t != "Vendor Fix" {
				continue
			}
			fix := news.Fix{Build: f.Build.String(), URL: r.link(string(f.URL), ""), Text: f.SubType.String()}
			if kb := strings.TrimPrefix(strings.ToUpper(f.Text.String()), "KB"); len(kb) >= 6 && len(kb) <= 8 && digitsOnly(kb) {
				fix.KB = "KB" + kb
			} else if fix.Text == "" {
				fix.Text = cut(f.Text.String(), 200)
			}
			if len(f.ID) == 0 {
				r.fix(&it, fix)
			}
			for _, p := range f.ID {
				fix.Product = cmp.Or(names[string(p)], string(p))
				r.fix(&it, fix)
			}
		}
		for _, rev := range v.Revisions {
			it.Revision = rev.Number.String()
			if t := r.date(nil, string(rev.Date)); t.After(it.Published) {
				it.Updated = t
			}
		}
		r.add(it, cmp.Or(cve, v.Title.String()))
	}
	if place < len(r.doc.Items) {
		slices.Sort(all)
		all = slices.Compact(all)
		r.doc.Items[place].CVEs = all[:min(len(all), maxCVEs)]
	}
	return nil
}

func digitsOnly(s string) bool { return strings.Trim(s, "0123456789") == "" }

// branches collects the names of products in a tree.
func branches(names map[string]string, b branch, depth int) {
	if b.ID != "" {
		names[string(b.ID)] = b.Value.String()
	}
	for _, p := range b.Full {
		names[string(p.ID)] = p.Value.String()
	}
	if len(b.Items) == 0 || depth > 20 {
		return
	}
	var items list[branch]
	if err := json.Unmarshal(b.Items, &items); err != nil {
		return
	}
	for _, c := range items {
		branches(names, c, depth+1)
	}
}

// exploitStatus reads "Publicly Disclosed:No;Exploited:Yes;Latest Software
// Release:Exploitation Detected". Any part may be missing.
func exploitStatus(e *news.Exploitation, s string) {
	for part := range strings.SplitSeq(s, ";") {
		name, value, _ := strings.Cut(part, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "exploited":
			e.Exploited = value
		case "publicly disclosed":
			e.Disclosed = value
		case "latest software release":
			e.Likelihood = value
		case "older software release":
			e.Likelihood = cmp.Or(e.Likelihood, value)
		}
	}
}

// severities are the words of Microsoft and CVSS from mild to bad.
var severities = []string{"", "none", "low", "moderate", "medium", "important", "high", "critical"}

// worse returns the worse of two severities. A word that nobody knows counts as
// mild.
func worse(a, b string) string {
	if slices.Index(severities, b) > slices.Index(severities, a) || a == "" {
		return b
	}
	return a
}

// score adds a CVSS score, once.
func (r *reader) score(it *news.Item, base, vector string) {
	n, err := strconv.ParseFloat(strings.TrimSpace(base), 64)
	if err != nil || n < 0 || n > 10 || n == 0 && vector == "" {
		return
	}
	s := news.Score{Base: n, Vector: cut(vector, 200), Version: "2.0"}
	if v, ok := strings.CutPrefix(vector, "CVSS:"); ok {
		s.Version, _, _ = strings.Cut(v, "/")
	} else if vector == "" {
		s.Version = ""
	}
	if len(it.Scores) < 20 && !slices.Contains(it.Scores, s) {
		it.Scores = append(it.Scores, s)
	}
}

func (r *reader) fix(it *news.Item, f news.Fix) {
	if f == (news.Fix{}) || len(it.Fixes) >= maxProducts {
		return
	}
	it.Fixes = append(it.Fixes, f)
}

// odata reads an answer of MSRC's APIs: the list of months, or rows of the
// Security Update Guide.
func (r *reader) odata(text []byte) error {
	var doc struct {
		Next  str               `json:"@odata.nextLink"`
		Value []json.RawMessage `json:"value"`
	}
	if err := unmarshal(text, &doc); err != nil {
		return err
	}
	if next := r.link(string(doc.Next), ""); next != "" {
		r.doc.Pointers = append(r.doc.Pointers, Pointer{URL: next, Rel: "next"})
	}
	r.doc.Lang = cmp.Or(r.doc.Lang, lang.EN)
	if len(doc.Value) == 0 {
		r.doc.Format = SUG
		return nil
	}
	var first map[string]json.RawMessage
	if err := unmarshal(doc.Value[0], &first); err != nil {
		return err
	}
	_, months := first["CvrfUrl"]
	_, cves := first["cveNumber"]
	_, deployments := first["downloadName"]
	switch {
	case months:
		return r.months(doc.Value)
	case cves, deployments:
		return r.guide(doc.Value)
	}
	return fault(Unrecognised, "rows of an unknown table")
}

// months reads https://api.msrc.microsoft.com/cvrf/v3.0/updates.
func (r *reader) months(rows []json.RawMessage) error {
	r.doc.Format, r.doc.Title = CVRFIndex, "Microsoft Security Updates"
	for _, raw := range rows[:min(len(rows), MaxItems)] {
		var m struct {
			Title   str `json:"DocumentTitle"`
			Current str `json:"CurrentReleaseDate"`
			URL     str `json:"CvrfUrl"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			continue
		}
		if u := r.link(string(m.URL), ""); u != "" {
			r.doc.Pointers = append(r.doc.Pointers, Pointer{URL: u, Title: m.Title.String(), Updated: r.date(nil, string(m.Current)), Rel: "document"})
		}
	}
	return nil
}

// guide reads rows of the Security Update Guide: vulnerabilities, the products
// that one affects, deployments of updates, or advisories. Rows about one
// vulnerability become one item.
func (r *reader) guide(rows []json.RawMessage) error {
	r.doc.Format, r.doc.Title = SUG, "Microsoft Security Update Guide"
	type row struct {
		CVE         str `json:"cveNumber"`
		Title       str `json:"cveTitle"`
		Released    str `json:"releaseDate"`
		Revised     str `json:"latestRevisionDate"`
		Published   str `json:"publishDate"`
		Severity    str `json:"severity"`
		Impact      str `json:"impact"`
		Tag         str `json:"tag"`
		Exploited   str `json:"exploited"`
		Disclosed   str `json:"publiclyDisclosed"`
		Latest      str `json:"latestSoftwareRelease"`
		Base        str `json:"baseScore"`
		Vector      str `json:"vectorString"`
		Description str `json:"description"`
		Plain       str `json:"unformattedDescription"`
		Revision    str `json:"revisionNumber"`
		Product     str `json:"product"`
		Article     str `json:"articleName"`
		ArticleURL  str `json:"articleUrl"`
		Download    str `json:"downloadName"`
		Build       str `json:"fixedBuildNumber"`
		Updates     list[struct {
			Article str `json:"articleName"`
			URL     str `json:"articleUrl"`
			Build   str `json:"fixedBuildNumber"`
		}] `json:"kbArticles"`
	}
	var order []string
	items := map[string]*news.Item{}
	for _, raw := range rows[:min(len(rows), 4*MaxItems)] {
		var v row
		if err := json.Unmarshal(raw, &v); err != nil {
			continue
		}
		key := strings.ToUpper(cmp.Or(v.CVE.String(), v.Article.String()))
		if key == "" {
			continue
		}
		it := items[key]
		if it == nil {
			it = &news.Item{Kind: news.Vulnerability}
			items[key] = it
			order = append(order, key)
		}
		if v.CVE == "" {
			// A deployment: an update and what it is for.
			it.Kind = news.Release
			it.Title = cmp.Or(it.Title, line("KB"+strings.TrimPrefix(key, "KB")+" "+v.Download.String()))
			it.Link = cmp.Or(it.Link, r.link(string(v.ArticleURL), ""))
			r.fix(it, news.Fix{Product: v.Product.String(), KB: knowledgeBase(v.Article.String()), Build: v.Build.String(), URL: r.link(string(v.ArticleURL), "")})
		} else {
			it.Title = cmp.Or(it.Title, line(key+" "+v.Title.String()))
			if strings.HasPrefix(key, "CVE-") {
				it.Link = msrcAddress + key
			} else {
				it.Kind = news.Advisory
				it.Link = "https://msrc.microsoft.com/update-guide/advisory/" + key
			}
			it.CVEs = append(it.CVEs, news.CVEs(key)...)
		}
		if v.Product != "" && v.CVE != "" {
			r.product(it, news.Product{Vendor: "Microsoft", Name: v.Product.String()})
		}
		for _, u := range v.Updates {
			r.fix(it, news.Fix{Product: v.Product.String(), KB: knowledgeBase(u.Article.String()), Build: u.Build.String(), URL: r.link(string(u.URL), "")})
		}
		if it.Published.IsZero() {
			it.Published = r.date(nil, cmp.Or(string(v.Released), string(v.Published)))
		}
		if t := r.date(nil, string(v.Revised)); t.After(it.Updated) {
			it.Updated = t
		}
		it.Revision = cmp.Or(v.Revision.String(), it.Revision)
		it.Severity = worse(it.Severity, strings.ToLower(v.Severity.String()))
		e := &it.Exploitation
		e.Exploited, e.Disclosed, e.Likelihood = cmp.Or(e.Exploited, v.Exploited.String()), cmp.Or(e.Disclosed, v.Disclosed.String()), cmp.Or(e.Likelihood, v.Latest.String())
		r.score(it, string(v.Base), v.Vector.String())
		if t := v.Tag.String(); t != "" && !slices.Contains(it.Labels, t) {
			it.Labels = append(it.Labels, t)
		}
		if it.Text == "" {
			it.Text = paragraphs(v.Impact.String(), r.shown(cmp.Or(string(v.Plain), string(v.Description))))
		}
	}
	for _, key := range order {
		r.add(*items[key], key)
	}
	return nil
}

// knowledgeBase returns "KB5055523" for an article that is a number, else "".
func knowledgeBase(s string) string {
	if s = strings.TrimPrefix(strings.ToUpper(s), "KB"); len(s) >= 6 && len(s) <= 8 && digitsOnly(s) {
		return "KB" + s
	}
	return ""
}
