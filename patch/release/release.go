// Package release reads what others publish about updates into facts: a month of
// MSRC's CVRF, Microsoft's CSAF, CISA's catalogue of exploited vulnerabilities,
// the titles of Microsoft's pages about updates, answers of endoflife.date, and
// files of facts.
//
// A statement about a build is believed only if the build belongs to the product
// that it is made about, and if most statements about the same update agree.
// The others are kept as doubts, so that a person can see them.
package release

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/patch"
)

// Kind is what a document was recognised as.
type Kind string

// The kinds.
const (
	Facts     Kind = "facts"     // of sekisho's own form
	EndOfLife Kind = "endoflife" // of endoflife.date
	Advisory  Kind = "advisory"  // CVRF or CSAF
	KEV       Kind = "kev"
	Titles    Kind = "titles" // a feed of pages about updates
)

// Document is a document that was read.
type Document struct {
	Kind  Kind
	Title string
	Facts patch.Facts
	// Pointers are further documents that it names.
	Pointers []feed.Pointer
}

// ErrUnknown is returned for a document that says nothing about updates.
var ErrUnknown = errors.New("release: nothing about updates")

// Options say what is known of a document beforehand.
type Options struct {
	ID      string // of the source; facts name it
	Name    string // of the source; "" is the title of the document
	URL     string
	Product string // in facts, which a document of endoflife.date is about; "" is what the document says
	Charset string
	Now     time.Time // when it was fetched or read
}

// Read reads a document. The book tells products by the names that MSRC gives
// them.
func Read(data []byte, b *patch.Book, o *Options) (*Document, error) {
	d := &Document{}
	src := patch.Source{ID: o.ID, Name: o.Name, URL: o.URL, AsOf: patch.Day(o.Now), Fetched: o.Now.UTC().Truncate(time.Second), Digest: news.Snapshot(data)}
	if strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 100)])), "{") {
		var head struct {
			Schema  string          `json:"schema"`
			Version string          `json:"schema_version"`
			Result  json.RawMessage `json:"result"`
		}
		switch err := json.Unmarshal(data, &head); {
		case err != nil:
		case head.Schema == patch.Schema:
			f, err := patch.ParseFacts(data)
			if err != nil {
				return nil, err
			}
			d.Kind, d.Facts = Facts, *f
			return d, nil
		case head.Version != "" && head.Result != nil:
			return d, d.endOfLife(data, src, b, o)
		}
	}
	if strings.HasPrefix(strings.TrimSpace(string(data[:min(len(data), 100)])), "[") {
		if err := d.endOfLife(data, src, b, o); err == nil {
			return d, nil
		}
	}
	r, err := feed.Parse(data, &feed.Options{Source: o.ID, URL: o.URL, Charset: o.Charset, Lang: lang.EN, Want: feed.Feed})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	d.Title, d.Pointers = r.Title, r.Pointers
	src.Name = cmp.Or(src.Name, r.Title, o.ID)
	switch r.Format {
	case feed.KEV:
		d.Kind = KEV
		d.kev(r, src)
	case feed.CVRF, feed.SUG, feed.CSAF:
		d.Kind = Advisory
		d.advisory(r, src, b, o)
	case feed.Atom, feed.RSS, feed.RDF, feed.JSONFeed:
		d.Kind = Titles
		d.titles(r, src, b)
		if len(d.Facts.Releases) == 0 {
			return nil, fmt.Errorf("%w: no title about an update", ErrUnknown)
		}
	case feed.CVRFIndex, feed.CSAFIndex, feed.CSAFProvider:
		if len(d.Pointers) == 0 {
			return nil, ErrUnknown
		}
	case feed.MyJVN, feed.Page, feed.Plain:
		return nil, ErrUnknown
	default:
		return nil, ErrUnknown
	}
	return d, nil
}

func (d *Document) begin(src patch.Source) {
	d.Facts.Schema = patch.Schema
	d.Facts.Sources = []patch.Source{src}
}

func (d *Document) kev(r *feed.Read, src patch.Source) {
	d.begin(src)
	for _, it := range r.Items {
		for _, cve := range it.CVEs {
			v := patch.Vulnerability{CVE: cve, Title: it.Title, Ransomware: it.Exploitation.Ransomware, Exploited: true, Sources: []string{src.ID}}
			if t := it.Exploitation.KEVAdded; !t.IsZero() {
				v.KEVAdded = patch.Day(t.UTC())
				// The day on which it came to be known says when, so that a check as of an
				// earlier day is right.
				v.Exploited = false
			}
			if len(it.Products) > 0 {
				v.Vendor, v.Product = it.Products[0].Vendor, it.Products[0].Name
			}
			d.Facts.Vulnerabilities = append(d.Facts.Vulnerabilities, v)
		}
	}
}

// place is an update of a branch.
type place struct{ product, branch, kb string }

// vote is what statements say about one update.
type vote struct {
	versions map[string]int // version, and how often it is said
	url      string
	cves     []string
	critical int
}

const maxCVEsOfRelease = 3000

// advisory reads vulnerabilities with their fixes.
func (d *Document) advisory(r *feed.Read, src patch.Source, b *patch.Book, o *Options) {
	d.begin(src)
	votes := map[place]*vote{}
	seen := map[place]map[string]bool{}
	doubts := map[patch.Doubt]int{}
	released := time.Time{}
	month := patch.Month{Vendor: "Microsoft", Sources: []string{src.ID}, Population: lang.Text{
		JA: "Microsoft製品の脆弱性(Azure Linux・Chromiumを除く)", EN: "vulnerabilities of Microsoft's own products, without Azure Linux and Chromium",
	}}
	for _, it := range r.Items {
		if it.Kind == news.Release && released.IsZero() {
			released = it.Published
		}
		if it.Kind != news.Vulnerability && r.Format == feed.CVRF || len(it.CVEs) == 0 {
			continue
		}
		exploited := strings.EqualFold(it.Exploitation.Exploited, "yes")
		if d.counts(&it) {
			month.Total++
			if it.Severity == "critical" {
				month.Critical++
			}
			if exploited {
				month.Exploited = append(month.Exploited, it.CVEs...)
			}
		}
		for _, cve := range it.CVEs[:min(len(it.CVEs), 50)] {
			v := patch.Vulnerability{
				CVE: cve, Title: strings.TrimSpace(strings.TrimPrefix(it.Title, cve)), Severity: it.Severity, Impact: impactOf(&it), Exploited: exploited,
				Likelihood: it.Exploitation.Likelihood, Ransomware: it.Exploitation.Ransomware, Sources: []string{src.ID},
			}
			for _, s := range it.Scores {
				v.Vector = cmp.Or(v.Vector, s.Vector)
			}
			d.Facts.Vulnerabilities = append(d.Facts.Vulnerabilities, v)
		}
		if released.IsZero() {
			released = it.Published
		}
		for _, f := range it.Fixes {
			br, ok := b.BranchOf(f.Product)
			if !ok || f.KB == "" {
				continue
			}
			p := place{br.Product, br.ID, f.KB}
			v := votes[p]
			if v == nil {
				v = &vote{versions: map[string]int{}}
				votes[p], seen[p] = v, map[string]bool{}
			}
			v.url = cmp.Or(v.url, f.URL)
			for _, cve := range it.CVEs {
				if !seen[p][cve] && len(v.cves) < maxCVEsOfRelease {
					seen[p][cve] = true
					v.cves = append(v.cves, cve)
					if it.Severity == "critical" {
						v.critical++
					}
				}
			}
			if f.Build == "" {
				continue
			}
			version, code := buildOf(f.Build, br.ID)
			if code != "" {
				doubts[patch.Doubt{Code: code, Product: f.Product, KB: f.KB, Says: f.Build, Source: src.ID}]++
				continue
			}
			v.versions[version]++
		}
	}
	day := patch.Day(released.UTC())
	if released.IsZero() {
		day = patch.Day(o.Now)
	}
	// A document of the first day may still change; see [patch.Source].
	d.Facts.Sources[0].AsOf = updated(r, o.Now)
	for _, p := range slices.SortedFunc(maps.Keys(votes), func(x, y place) int {
		return cmp.Or(cmp.Compare(x.product, y.product), cmp.Compare(x.branch, y.branch), cmp.Compare(x.kb, y.kb))
	}) {
		v := votes[p]
		version, losers := v.winner()
		for _, l := range losers {
			doubts[patch.Doubt{Code: patch.Outvoted, Product: p.product + " " + p.branch, KB: p.kb, Says: l, Source: src.ID}] += v.versions[l]
		}
		if version == "" {
			continue
		}
		d.Facts.Releases = append(d.Facts.Releases, patch.Release{
			Product: p.product, Branch: p.branch, Version: version, KB: p.kb, Date: day, Kind: patch.Security, CVEs: v.cves, Critical: v.critical, URL: v.url, Sources: []string{src.ID},
		})
	}
	for _, k := range slices.SortedFunc(maps.Keys(doubts), func(x, y patch.Doubt) int {
		return cmp.Or(cmp.Compare(x.KB, y.KB), cmp.Compare(x.Product, y.Product), cmp.Compare(x.Says, y.Says), cmp.Compare(x.Code, y.Code))
	}) {
		k.Times = doubts[k]
		d.Facts.Doubts = append(d.Facts.Doubts, k)
	}
	if r.Format == feed.CVRF && month.Total > 0 {
		month.Released = day
		d.Facts.Months = []patch.Month{month}
	}
}

// updated is the day of the newest statement.
func updated(r *feed.Read, now time.Time) patch.Date {
	var t time.Time
	for _, it := range r.Items {
		if it.Updated.After(t) {
			t = it.Updated
		}
	}
	if t.IsZero() {
		t = now
	}
	return patch.Day(t.UTC())
}

// winner is the version that most statements give, and those that it beats.
func (v *vote) winner() (string, []string) {
	order := slices.SortedFunc(maps.Keys(v.versions), func(x, y string) int {
		return cmp.Or(-cmp.Compare(v.versions[x], v.versions[y]), cmp.Compare(x, y))
	})
	switch {
	case len(order) == 0:
		return "", nil
	case len(order) > 1 && v.versions[order[0]] == v.versions[order[1]]:
		// A draw is a disagreement of the source with itself: nothing is believed.
		return "", order
	}
	return order[0], order[1:]
}

// counts reports whether a vulnerability is one of Microsoft's own products.
func (d *Document) counts(it *news.Item) bool {
	if strings.Contains(it.Title, "Chromium:") {
		return false
	}
	if len(it.Products) == 0 {
		return true
	}
	return slices.ContainsFunc(it.Products, func(p news.Product) bool {
		n := strings.ToLower(p.Name)
		return !strings.Contains(n, "azure linux") && !strings.Contains(n, "mariner") && !strings.HasPrefix(n, "azl") && !strings.HasPrefix(n, "cbl")
	})
}

// impacts are the words of Microsoft for what an attacker gains.
var impacts = [...]string{
	"Remote Code Execution", "Elevation of Privilege", "Information Disclosure", "Denial of Service", "Security Feature Bypass", "Spoofing", "Tampering",
}

func impactOf(it *news.Item) string {
	head := it.Title + "\n" + it.Text[:min(len(it.Text), 300)]
	for _, i := range impacts {
		if strings.Contains(head, i) {
			return i
		}
	}
	return ""
}

// buildOf brings a FixedBuild such as "10.0.26100.3775" to the version of a branch.
func buildOf(s, branch string) (version string, why patch.DoubtCode) {
	parts := strings.Split(strings.TrimSpace(s), ".")
	if len(parts) == 4 {
		parts = parts[2:]
	}
	if len(parts) != 2 || len(parts[1]) == 0 || len(parts[1]) > 6 || strings.Trim(parts[0]+parts[1], "0123456789") != "" {
		return "", patch.NotABuild
	}
	// Versions with an enablement package report a build of their own.
	if parts[0] != branch && !sharesUpdates(parts[0], branch) {
		return "", patch.WrongBranch
	}
	return branch + "." + parts[1], ""
}

// sharesUpdates reports whether two builds of Windows get the same updates with
// the same revision: the later one is the earlier with features turned on.
func sharesUpdates(a, b string) bool {
	for _, pair := range [...][2]string{{"19044", "19045"}, {"22621", "22631"}, {"26100", "26200"}} {
		if a == pair[0] && b == pair[1] || a == pair[1] && b == pair[0] {
			return true
		}
	}
	return false
}
