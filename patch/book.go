package patch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

// Book is facts made ready to look things up in. It is immutable and safe for
// concurrent use.
type Book struct {
	sources  map[string]Source
	products map[string]*Product
	byName   map[string]string // folded name or identifier to product
	names    []string          // folded names, the longest first
	branches map[key]*Branch
	lines    map[string][]*Branch // of a product
	releases map[key][]*entry     // sorted by version
	weak     map[string]*Vulnerability
	kev      map[string][]*Vulnerability // by "vendor/product" in small letters
	months   []Month
	cautions []Caution
	doubts   []Doubt
	clashes  []Clash
	applied  []Correction
}

type key struct{ product, branch string }

// entry is a release with its version ready to compare.
type entry struct {
	Release
	v Version
	// rivals are other versions that sources give for the same update.
	rivals []*entry
}

// Clash is an update about which sources disagree. Nothing is chosen: a device
// between the two versions gets no verdict.
type Clash struct {
	Product string        `json:"product"`
	Branch  string        `json:"branch"`
	KB      string        `json:"kb,omitempty"`
	Date    Date          `json:"date"`
	Says    []ClashSaying `json:"says"`
}

// ClashSaying is what some sources say.
type ClashSaying struct {
	Version string   `json:"version"`
	Sources []string `json:"sources"`
}

// NewBook merges facts. What several sources say alike becomes one fact with all
// of them; corrections are applied; what they say differently is kept as a [Clash].
func NewBook(list ...*Facts) *Book {
	b := &Book{
		sources: map[string]Source{}, products: map[string]*Product{}, byName: map[string]string{}, branches: map[key]*Branch{},
		lines: map[string][]*Branch{}, releases: map[key][]*entry{}, weak: map[string]*Vulnerability{}, kev: map[string][]*Vulnerability{},
	}
	type fix struct{ product, branch, kb, from string }
	fixes := map[fix]Correction{}
	for _, f := range list {
		for _, s := range f.Sources {
			if old, ok := b.sources[s.ID]; !ok || s.AsOf.After(old.AsOf.Time) {
				b.sources[s.ID] = s
			}
		}
		for _, p := range f.Products {
			b.addProduct(p)
		}
		for _, br := range f.Branches {
			b.addBranch(br)
		}
		for _, c := range f.Corrections {
			fixes[fix{c.Product, c.Branch, c.KB, c.From}] = c
		}
		for _, v := range f.Vulnerabilities {
			b.addWeakness(v)
		}
		for _, m := range f.Months {
			b.addMonth(m)
		}
		for _, c := range f.Cautions {
			if !slices.ContainsFunc(b.cautions, func(o Caution) bool { return o.Product == c.Product && o.KB == c.KB && o.Text == c.Text }) {
				b.cautions = append(b.cautions, c)
			}
		}
		b.doubts = append(b.doubts, f.Doubts...)
	}
	at := map[[4]string]*entry{}
	used := map[fix]bool{}
	for _, f := range list {
		for _, r := range f.Releases {
			k := fix{r.Product, r.Branch, r.KB, r.Version}
			if c, ok := fixes[k]; ok {
				used[k] = true
				if c.To == "" {
					continue
				}
				r.Version = c.To
				r.Sources = merged(r.Sources, c.Sources)
			}
			id := [4]string{r.Product, r.Branch, r.Version, r.KB}
			if old := at[id]; old != nil {
				old.absorb(&r)
				continue
			}
			v, ok := ParseVersion(r.Version)
			if !ok {
				continue
			}
			e := &entry{Release: r, v: v}
			e.Sources, e.CVEs = slices.Clone(r.Sources), slices.Clone(r.CVEs)
			at[id] = e
			b.releases[key{r.Product, r.Branch}] = append(b.releases[key{r.Product, r.Branch}], e)
		}
	}
	for k, c := range fixes {
		if used[k] {
			b.applied = append(b.applied, c)
		}
	}
	slices.SortFunc(b.applied, func(x, y Correction) int {
		return cmp.Or(cmp.Compare(x.KB, y.KB), cmp.Compare(x.Branch, y.Branch), cmp.Compare(x.From, y.From))
	})
	b.settle()
	b.names = slices.SortedFunc(maps.Keys(b.byName), func(x, y string) int { return cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)) })
	return b
}

func (e *entry) absorb(r *Release) {
	e.Sources, e.CVEs = merged(e.Sources, r.Sources), merged(e.CVEs, r.CVEs)
	e.Critical = max(e.Critical, r.Critical)
	e.Baseline = e.Baseline || r.Baseline
	e.Extended = e.Extended || r.Extended
	e.URL, e.Name = cmp.Or(e.URL, r.URL), cmp.Or(e.Name, r.Name)
	// A list of vulnerabilities does not tell an out-of-band update from the
	// planned one, nor a hotpatch; the vendor's own page does.
	switch {
	case e.Kind == Security && r.Kind != Security:
		e.Kind, e.Date = r.Kind, r.Date
	case e.Kind == r.Kind && r.Date.Before(e.Date.Time):
		e.Date = r.Date
	}
}

func merged(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(slices.Clip(a), s)
		}
	}
	return a
}

// settle sorts the releases of each branch and finds what sources disagree about.
func (b *Book) settle() {
	for _, k := range slices.SortedFunc(maps.Keys(b.releases), func(x, y key) int {
		return cmp.Or(cmp.Compare(x.product, y.product), cmp.Compare(x.branch, y.branch))
	}) {
		list := b.releases[k]
		slices.SortStableFunc(list, func(x, y *entry) int { return cmp.Or(x.v.Compare(y.v), x.Date.Compare(y.Date.Time)) })
		byKB := map[string][]*entry{}
		for _, e := range list {
			if e.KB != "" {
				byKB[e.KB] = append(byKB[e.KB], e)
			}
		}
		for _, kb := range slices.Sorted(maps.Keys(byKB)) {
			rivals := byKB[kb]
			// A channel of Office gets several versions in one update.
			if len(rivals) < 2 || b.schemeOf(k.product) == SchemeOffice {
				continue
			}
			c := Clash{Product: k.product, Branch: k.branch, KB: kb, Date: rivals[0].Date}
			for _, e := range rivals {
				c.Says = append(c.Says, ClashSaying{Version: e.Version, Sources: e.Sources})
				e.rivals = rivals
			}
			b.clashes = append(b.clashes, c)
		}
	}
}

func (b *Book) schemeOf(product string) Scheme {
	if p := b.products[product]; p != nil {
		return p.Scheme
	}
	return SchemePlain
}

func (b *Book) addProduct(p Product) {
	if old := b.products[p.ID]; old != nil {
		old.Names, old.Winget, old.KEV = merged(old.Names, p.Names), merged(old.Winget, p.Winget), merged(old.KEV, p.KEV)
	} else {
		b.products[p.ID] = &p
	}
	for _, n := range slices.Concat(p.Names, p.Winget, []string{p.Name}) {
		if n = fold(n); n != "" && b.byName[n] == "" {
			b.byName[n] = p.ID
		}
	}
}

func (b *Book) addBranch(br Branch) {
	k := key{br.Product, br.ID}
	old := b.branches[k]
	if old == nil {
		b.branches[k] = &br
		b.lines[br.Product] = append(b.lines[br.Product], &br)
		return
	}
	old.Names, old.Sources = merged(old.Names, br.Names), merged(old.Sources, br.Sources)
	old.Hotpatch = old.Hotpatch || br.Hotpatch
	for _, e := range br.Ends {
		i := slices.IndexFunc(old.Ends, func(o End) bool { return o.Edition == e.Edition })
		switch {
		case i < 0:
			old.Ends = append(slices.Clip(old.Ends), e)
		case e.Date.After(old.Ends[i].Date.Time) || e.Extended.After(old.Ends[i].Extended.Time):
			// Makers put an end off; they do not bring it forward.
			ends := slices.Clone(old.Ends)
			ends[i].Date, ends[i].Extended = later(e.Date, ends[i].Date), later(e.Extended, ends[i].Extended)
			old.Ends = ends
		}
	}
}

func later(a, b Date) Date {
	if a.After(b.Time) {
		return a
	}
	return b
}

func (b *Book) addWeakness(v Vulnerability) {
	old := b.weak[v.CVE]
	if old == nil {
		old = &v
		b.weak[v.CVE] = old
	} else {
		old.Title, old.Severity, old.Impact, old.Vector = cmp.Or(old.Title, v.Title), cmp.Or(old.Severity, v.Severity), cmp.Or(old.Impact, v.Impact), cmp.Or(old.Vector, v.Vector)
		old.Vendor, old.Product, old.Likelihood = cmp.Or(old.Vendor, v.Vendor), cmp.Or(old.Product, v.Product), cmp.Or(old.Likelihood, v.Likelihood)
		old.Exploited, old.Ransomware = old.Exploited || v.Exploited, old.Ransomware || v.Ransomware
		if old.KEVAdded.IsZero() {
			old.KEVAdded = v.KEVAdded
		}
		old.Sources = merged(old.Sources, v.Sources)
	}
	if !v.KEVAdded.IsZero() {
		name := strings.ToLower(v.Vendor + "/" + v.Product)
		if !slices.Contains(b.kev[name], old) {
			b.kev[name] = append(b.kev[name], old)
		}
	}
}

func (b *Book) addMonth(m Month) {
	i := slices.IndexFunc(b.months, func(o Month) bool { return o.Vendor == m.Vendor && o.Released.Equal(m.Released.Time) })
	switch {
	case i < 0:
		b.months = append(b.months, m)
	case b.months[i].Total == 0 && m.Total > 0:
		m.Exploited = merged(m.Exploited, b.months[i].Exploited)
		m.Sources = merged(m.Sources, b.months[i].Sources)
		b.months[i] = m
	default:
		b.months[i].Exploited = merged(b.months[i].Exploited, m.Exploited)
		b.months[i].Sources = merged(b.months[i].Sources, m.Sources)
	}
}

// fold makes names comparable.
func fold(s string) string {
	s = strings.ToLower(norm.NFKC.String(s[:min(len(s), maxField)]))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\u00a0-_,()®™\"'", r) }), " ")
}

// product finds the product that an inventory lists under a name or a package
// identifier. Of several names that it begins with, the longest counts.
func (b *Book) product(vendor, name, id string) *Product {
	if p := b.byName[fold(id)]; p != "" {
		return b.products[p]
	}
	n := fold(name)
	if n == "" {
		return nil
	}
	if v := fold(vendor); v != "" {
		if p := b.byName[v+" "+n]; p != "" {
			return b.products[p]
		}
	}
	if p := b.byName[n]; p != "" {
		return b.products[p]
	}
	for _, known := range b.names {
		if rest, ok := strings.CutPrefix(n, known); ok && strings.HasPrefix(rest, " ") {
			p := b.products[b.byName[known]]
			// The maker of a product with the same beginning is another.
			if v := fold(vendor); v != "" && !strings.Contains(v, fold(p.Vendor)) && !strings.Contains(fold(p.Vendor), v) {
				return nil
			}
			return p
		}
	}
	return nil
}

// branch returns the branch of a version, nil for none.
func (b *Book) branch(p *Product, version string) *Branch {
	var best *Branch
	for _, br := range b.lines[p.ID] {
		fits := br.Prefix == "" || strings.HasPrefix(version+".", br.Prefix)
		if fits && (best == nil || len(br.Prefix) > len(best.Prefix)) {
			best = br
		}
	}
	return best
}

// BranchOf returns the branch that MSRC means by the name of a product, such as
// "Windows 11 Version 24H2 for x64-based Systems".
func (b *Book) BranchOf(name string) (Branch, bool) {
	var best *Branch
	length := 0
	for _, k := range slices.SortedFunc(maps.Keys(b.branches), func(x, y key) int {
		return cmp.Or(cmp.Compare(x.product, y.product), cmp.Compare(x.branch, y.branch))
	}) {
		br := b.branches[k]
		for _, n := range br.Names {
			if strings.HasPrefix(name, n) && len(n) > length {
				best, length = br, len(n)
			}
		}
	}
	if best == nil {
		return Branch{}, false
	}
	return *best, true
}

// Branch returns a branch.
func (b *Book) Branch(product, id string) (Branch, bool) {
	if br := b.branches[key{product, id}]; br != nil {
		return *br, true
	}
	return Branch{}, false
}

// Product returns a product.
func (b *Book) Product(id string) (Product, bool) {
	if p := b.products[id]; p != nil {
		return *p, true
	}
	return Product{}, false
}

// Clashes returns what sources disagree about, in order.
func (b *Book) Clashes() []Clash { return slices.Clone(b.clashes) }

// Applied returns the corrections that had an effect.
func (b *Book) Applied() []Correction { return slices.Clone(b.applied) }

// Doubts returns the statements that were not believed.
func (b *Book) Doubts() []Doubt { return slices.Clone(b.doubts) }

// Sources returns all sources by identifier.
func (b *Book) Sources() []Source {
	return slices.SortedFunc(maps.Values(b.sources), func(x, y Source) int { return cmp.Compare(x.ID, y.ID) })
}

// Vulnerability returns what is known of a weakness.
func (b *Book) Vulnerability(cve string) (Vulnerability, bool) {
	if v := b.weak[cve]; v != nil {
		return *v, true
	}
	return Vulnerability{}, false
}

// Month returns the newest planned day of a vendor up to now with its counts.
func (b *Book) Month(vendor string, now time.Time) (Month, bool) {
	var best Month
	for _, m := range b.months {
		if m.Vendor == vendor && !m.Released.at().After(now) && m.Released.After(best.Released.Time) {
			best = m
		}
	}
	return best, !best.Released.IsZero()
}

// Cautions returns what to know about the updates of a product up to now.
func (b *Book) Cautions(product string, now time.Time) []Caution {
	var out []Caution
	for _, c := range b.cautions {
		if c.Product == product && !c.From.at().After(now) && (c.To.IsZero() || !c.To.Before(now.AddDate(0, 0, -1))) {
			out = append(out, c)
		}
	}
	return out
}

// Newest returns the date of the newest update of a product that was released
// up to now, zero for none.
func (b *Book) Newest(product string, now time.Time) Date {
	var newest Date
	for k, list := range b.releases {
		if k.product != product {
			continue
		}
		for _, e := range list {
			if e.Kind.secures() && !e.Date.at().After(now) && e.Date.After(newest.Time) {
				newest = e.Date
			}
		}
	}
	return newest
}
