package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
)

// Updates is the part of an issue about the updates of its period.
type Updates struct {
	Item     int         `json:"item"`  // number of the item that tells of them; 0 for none
	AsOf     string      `json:"as_of"` // RFC 3339 date: what was released up to then
	Days     []UpdateDay `json:"days"`  // planned ones in the period
	Counts   []Count     `json:"counts"`
	Rows     []Update    `json:"rows"`
	Cautions []Caution   `json:"cautions"`
	Unknown  []UpdateDay `json:"unknown"` // planned days of vendors of whose updates nothing is known
	Next     []UpdateDay `json:"next"`    // planned ones after the period
	Sources  []Source    `json:"sources"`

	SeeAlso    []Related  `json:"see_also"`
	Commentary Commentary `json:"commentary"`
}

// UpdateDay is a day on which a vendor releases updates.
type UpdateDay struct {
	Vendor  string    `json:"vendor"`
	What    lang.Text `json:"what"`
	There   string    `json:"there"` // RFC 3339 date, where the vendor is
	Here    string    `json:"here"`  // where the organisation is
	Certain bool      `json:"certain"`
}

// Count is how many weaknesses a vendor mended on a planned day.
type Count struct {
	Vendor     string    `json:"vendor"`
	There      string    `json:"there"`
	Here       string    `json:"here"`
	Population lang.Text `json:"population"` // what was counted
	Total      int       `json:"total"`      // 0 if nobody counted
	Critical   int       `json:"critical"`
	Exploited  []string  `json:"exploited"`
	Sources    []int     `json:"sources"` // numbers in those of the updates, from 1
}

// Update is the newest security update of a product in the period.
type Update struct {
	Vendor    string      `json:"vendor"`
	Product   string      `json:"product"` // with its branch
	KB        string      `json:"kb,omitempty"`
	Version   string      `json:"version"` // of Windows the build
	Name      string      `json:"name,omitempty"`
	Released  string      `json:"released"` // RFC 3339 date, where the vendor is
	Exploited []string    `json:"exploited"`
	Disagree  []string    `json:"disagree"` // other versions that sources give for it
	Ends      []UpdateEnd `json:"ends"`     // of support: soon, or past
	URL       string      `json:"url,omitempty"`
	Sources   []int       `json:"sources"`
	product   patch.Product
	branch    string
}

// UpdateEnd is when support ends.
type UpdateEnd struct {
	Edition  patch.Edition `json:"edition"`
	Date     string        `json:"date"`
	Past     bool          `json:"past"`
	Extended string        `json:"extended,omitempty"` // for those who pay or sign up
}

// Caution is something to know before updates are installed.
type Caution struct {
	Kind     string    `json:"kind"`     // known-problem or automatic-update
	Products []string  `json:"products"` // with the update that has the problem
	Text     lang.Text `json:"text"`
	URL      string    `json:"url,omitempty"`
	Sources  []int     `json:"sources"`
}

const (
	soon     = 200 * 24 * time.Hour // until an end of support that is told of
	ahead    = 31                   // days after the period
	maxRows  = 60
	maxOther = 12 // days, cautions
)

// mainVendors come first, in this order.
var mainVendors = []string{"Microsoft", "Adobe", "Oracle", "Zoom"}

func vendorRank(v string) int {
	if i := slices.Index(mainVendors, v); i >= 0 {
		return i
	}
	return len(mainVendors)
}

// updates makes the part about updates, if there is something to tell.
func (w *writer) updates() {
	if w.in.Book == nil {
		return
	}
	in := w.in
	from, to := lang.StartOfDay(in.From), lang.StartOfDay(in.To).AddDate(0, 0, 1)
	if in.Now.Before(to) {
		to = in.Now
	}
	u := &Updates{
		AsOf: to.Add(-time.Nanosecond).Format(time.DateOnly), Days: []UpdateDay{}, Counts: []Count{}, Rows: []Update{}, Cautions: []Caution{}, Unknown: []UpdateDay{}, Next: []UpdateDay{},
		Sources: []Source{}, SeeAlso: []Related{},
	}
	refs := w.references(u)
	here := func(d patch.Date) string {
		// Vendors on the west coast of the United States release in the evening of UTC.
		return d.Add(18 * time.Hour).In(in.Now.Location()).Format(time.DateOnly)
	}
	for _, m := range in.Book.Months(from, to) {
		c := Count{Vendor: m.Vendor, There: m.Released.String(), Here: here(m.Released), Population: m.Population, Total: m.Total, Critical: m.Critical, Exploited: nonNil(m.Exploited), Sources: refs(m.Sources)}
		u.Counts = append(u.Counts, c)
	}
	for _, r := range in.Book.Released(from, to) {
		u.Rows = append(u.Rows, w.update(&r, refs))
	}
	slices.SortStableFunc(u.Rows, func(a, b Update) int {
		return cmp.Or(cmp.Compare(min(1, len(b.Exploited)), min(1, len(a.Exploited))), cmp.Compare(vendorRank(a.Vendor), vendorRank(b.Vendor)))
	})
	u.Rows = u.Rows[:min(len(u.Rows), maxRows)]
	w.cautions(u, to, refs)
	w.days(u, from, to)
	if len(u.Rows) == 0 && len(u.Counts) == 0 && len(u.Days) == 0 {
		return
	}
	w.issue.Updates = u
	w.teller(u)
	for _, p := range in.Earlier {
		if p.Updates != nil && len(p.Updates.Rows) > 0 && (len(u.SeeAlso) == 0 || u.SeeAlso[0].Issue < p.Number) {
			u.SeeAlso = []Related{{Issue: p.Number, Name: p.Name, Issued: p.Issued, Item: p.UpdatesNumber(), Headline: w.say("digest.updates"), Relation: SameTopic}}
		}
	}
}

// UpdatesNumber is the number of the updates in the contents, 0 for none: that
// of the item that tells of them, else the one after the last item.
func (x *Issue) UpdatesNumber() int {
	switch {
	case x.Updates == nil:
		return 0
	case x.Updates.Item > 0:
		return x.Updates.Item
	}
	return len(x.Items) + 1
}

// teller finds the item that tells of the updates: the first that names one of
// the update numbers.
func (w *writer) teller(u *Updates) {
	for i := range w.issue.Items {
		it := &w.issue.Items[i]
		if slices.ContainsFunc(u.Rows, func(r Update) bool { return r.KB != "" && slices.Contains(it.Marks.KBs, r.KB) }) {
			u.Item = it.Number
			return
		}
	}
}

// references numbers the sources as they are named first.
func (w *writer) references(u *Updates) func(ids []string) []int {
	number := map[string]int{}
	all := w.in.Book.Sources()
	return func(ids []string) []int {
		out := []int{}
		for _, id := range ids {
			n := number[id]
			if i := slices.IndexFunc(all, func(s patch.Source) bool { return s.ID == id }); n == 0 && i >= 0 {
				s := &all[i]
				u.Sources = append(u.Sources, Source{Title: line(s.Name), URL: address(s.URL), Published: s.AsOf.String(), Lang: lang.EN, Read: true, Snapshot: s.Digest})
				n = len(u.Sources)
				number[id] = n
			}
			if n > 0 && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		slices.Sort(out)
		return out
	}
}

func (w *writer) update(r *patch.BranchRelease, refs func([]string) []int) Update {
	u := Update{
		Vendor: r.Product.Vendor, Product: productName(&r.Product, &r.Branch), KB: r.Release.KB, Version: r.Release.Version, Released: r.Release.Date.String(),
		Exploited: []string{}, Disagree: nonNil(r.Rivals), Ends: []UpdateEnd{}, URL: address(r.Release.URL), Sources: refs(r.Release.Sources), product: r.Product, branch: r.Branch.ID,
	}
	if r.Release.Name != r.Release.Version {
		u.Name = r.Release.Name
	}
	for _, id := range r.Release.CVEs {
		if v, ok := w.in.Book.Vulnerability(id); ok && (v.Exploited || !v.KEVAdded.IsZero() && !v.KEVAdded.After(w.in.Now)) {
			u.Exploited = append(u.Exploited, id)
		}
	}
	for _, e := range r.Branch.Ends {
		until := e.Date.Sub(w.in.To)
		if e.Edition == patch.EditionLTSC || until > soon {
			continue
		}
		end := UpdateEnd{Edition: e.Edition, Date: e.Date.String(), Past: e.Date.Before(w.in.To)}
		if e.Extended.After(w.in.To) {
			end.Extended = e.Extended.String()
		}
		u.Ends = append(u.Ends, end)
	}
	return u
}

// productName is the branch, with its product where the branch does not say it.
func productName(p *patch.Product, b *patch.Branch) string {
	if first, _, _ := strings.Cut(p.Name, " "); strings.HasPrefix(b.Name, first) {
		return b.Name
	}
	return p.Name + " " + b.Name
}

// cautions are those about the updates that are listed. What is known of several
// is told once.
func (w *writer) cautions(u *Updates, now time.Time, refs func([]string) []int) {
	asked := map[string]bool{}
	for i := range u.Rows {
		p := &u.Rows[i].product
		if asked[p.ID] {
			continue
		}
		asked[p.ID] = true
		for _, c := range w.in.Book.Cautions(p.ID, now) {
			label := p.Name
			if c.Branch != "" || c.KB != "" {
				at := slices.IndexFunc(u.Rows, func(r Update) bool {
					return r.product.ID == p.ID && (c.Branch == "" || r.branch == c.Branch) && (c.KB == "" || r.KB == c.KB)
				})
				if at < 0 {
					continue // about another update
				}
				label = strings.TrimSpace(u.Rows[at].Product + " " + c.KB)
			}
			if at := slices.IndexFunc(u.Cautions, func(o Caution) bool { return o.Kind == c.Kind && o.Text == c.Text }); at >= 0 {
				u.Cautions[at].Products = append(u.Cautions[at].Products, label)
				continue
			}
			u.Cautions = append(u.Cautions, Caution{Kind: c.Kind, Products: []string{label}, Text: c.Text, URL: address(c.URL), Sources: refs(c.Sources)})
		}
	}
	slices.SortStableFunc(u.Cautions, func(a, b Caution) int { return cmp.Compare(b.Kind, a.Kind) }) // known-problem before automatic-update
	for i := range u.Cautions {
		slices.Sort(u.Cautions[i].Products)
	}
	u.Cautions = u.Cautions[:min(len(u.Cautions), maxOther)]
}

// days are the planned days of the period, those of whose updates nothing is
// known, and those to come.
func (w *writer) days(u *Updates, from, to time.Time) {
	if w.in.Calendar == nil {
		return
	}
	end := lang.StartOfDay(w.in.To).AddDate(0, 0, 1)
	for _, e := range w.in.Calendar.Events(from.AddDate(0, 0, -2), end.AddDate(0, 0, ahead)) {
		if e.Rule.ID == "microsoft-preview" {
			continue // nothing for security
		}
		d := UpdateDay{Vendor: e.Rule.Vendor, What: e.Rule.What, There: e.Date.Format(time.DateOnly), Here: e.At.In(w.in.Now.Location()).Format(time.DateOnly), Certain: e.Rule.Certain}
		known := slices.ContainsFunc(u.Rows, func(r Update) bool { return r.Vendor == d.Vendor })
		switch {
		case e.At.Before(from):
		case e.At.Before(to):
			u.Days = append(u.Days, d)
			if !known {
				u.Unknown = append(u.Unknown, d)
			}
		case known || vendorRank(d.Vendor) < len(mainVendors):
			u.Next = append(u.Next, d)
		}
	}
	u.Days, u.Unknown, u.Next = u.Days[:min(len(u.Days), maxOther)], u.Unknown[:min(len(u.Unknown), maxOther)], u.Next[:min(len(u.Next), maxOther)]
}

// old reports whether a planned day of Microsoft passed of which nothing is
// known, and which.
func (w *writer) old() (calendar.Event, bool) {
	if w.in.Book == nil || w.in.Calendar == nil || w.issue.Updates == nil {
		return calendar.Event{}, false
	}
	to := lang.StartOfDay(w.in.To).AddDate(0, 0, 1)
	if w.in.Now.Before(to) {
		to = w.in.Now
	}
	last, ok := w.in.Calendar.Last("microsoft-security", to)
	return last, ok && !last.At.Before(lang.StartOfDay(w.in.From)) && w.in.Book.Newest("windows", to).Before(last.Date)
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
