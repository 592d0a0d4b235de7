// Package story joins items of news that tell the same story, in Japanese and in
// English, so that an administrator handles one matter once.
//
// The same vulnerability, the same advisory and the same month of updates of a
// maker join items whatever their words. Else titles and texts are compared:
// words and pairs of Japanese characters, rare ones weighing more. Between the
// languages, what is written alike in both carries: products, numbers, dates,
// names. Two items about different vulnerabilities, advisories, months or banks
// stay apart however alike they sound, and an item about many stories, such as
// a weekly report, belongs to none of them and only points to them.
//
// The result depends on the items alone and not on their order.
package story

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/news"
)

// Reason is why two items were joined.
type Reason string

// The reasons, from the surest.
const (
	ByHand       Reason = "hand"         // a person said so
	SameCVE      Reason = "same-cve"     // about the same vulnerability
	SameNotice   Reason = "same-notice"  // about the same advisory
	SameRelease  Reason = "same-release" // the same maker's updates of the same month
	SameName     Reason = "same-name"    // about the same organisation
	SimilarTitle Reason = "similar-title"
	SameProduct  Reason = "same-product" // titles about the same product, days apart, of which one names no vulnerability
	SimilarText  Reason = "similar-text"
	SharedFacts  Reason = "shared-facts" // products, numbers, dates and names in common
)

// Link is a pair of items that were joined, and why.
type Link struct {
	A      news.ItemID `json:"a"`
	B      news.ItemID `json:"b"`
	Reason Reason      `json:"reason"`
	Score  float64     `json:"score"` // above 0; comparable within a reason only
}

// Story is a set of items that belong together.
type Story struct {
	ID      string        `json:"id"`    // stays as long as its first item does
	Items   []news.ItemID `json:"items"` // by the time of publication
	Lead    news.ItemID   `json:"lead"`  // the item whose title stands for the story
	CVEs    []string      `json:"cves,omitempty"`
	First   time.Time     `json:"first,omitzero"`
	Last    time.Time     `json:"last,omitzero"`
	Roundup bool          `json:"roundup,omitempty"` // one item about many stories
	Related []string      `json:"related,omitempty"` // of a roundup: the stories that it mentions; of a story: roundups that mention it
	Links   []Link        `json:"links,omitempty"`   // why its items were joined
}

// Options are the choices of [Cluster].
type Options struct {
	// Together and Apart are pairs that a person joined or separated. They count
	// before everything else; a pair in both is apart.
	Together, Apart [][2]news.ItemID
}

// Thresholds, chosen on the labelled items of news/testdata/cluster.
const (
	likeTitle   = 0.42 // titles as alike as this join
	likeBody    = 0.13 // if their texts are as alike as this
	likeText    = 0.30 // texts as alike as this join
	oneSided    = 0.50 // titles, if one item is about a vulnerability that the other only mentions
	sharedMass  = 2.8  // weight of what two items of different languages share
	sharedSame  = 3.0  // weight of the facts that two items of one language share
	sharedPart  = 0.30 // and the part of it in the smaller one
	likeProduct = 0.22 // titles that name the same product and are as alike as this join, if one names no vulnerability
	productDays = 14   // and they are no further apart
	windowDays  = 40   // items further apart are joined by number only
)

// Cluster joins items into stories. Items with the same ID count once. A nil o
// means the defaults.
func Cluster(items []*news.Item, o *Options) []Story {
	if o == nil {
		o = &Options{}
	}
	c := newClusterer(items, o)
	c.candidates()
	c.join()
	return c.stories()
}

// clusterer holds one run.
type clusterer struct {
	items  []*features // sorted by time and ID
	index  map[news.ItemID]int
	vocab  *vocabulary
	weight []float64
	o      *Options

	pairs []pair
	group []int     // parent of each item; a root is its own
	about []summary // of each root
	links map[int][]Link
	apart map[[2]int]bool
}

type pair struct {
	a, b   int
	reason Reason
	score  float64
	rank   int
}

// summary is what a group of items is about.
type summary struct {
	members  []int
	primary  []string
	cves     []string
	notices  []string
	names    []string
	releases []string
}

func newClusterer(items []*news.Item, o *Options) *clusterer {
	sorted := slices.Clone(items)
	slices.SortFunc(sorted, func(a, b *news.Item) int {
		return cmp.Or(when(a).Compare(when(b)), cmp.Compare(a.ID, b.ID))
	})
	sorted = slices.CompactFunc(sorted, func(a, b *news.Item) bool { return a.ID == b.ID })
	c := &clusterer{o: o, index: make(map[news.ItemID]int, len(sorted)), links: map[int][]Link{}, apart: map[[2]int]bool{}}
	v := newVocabulary()
	c.vocab = v
	for i, it := range sorted {
		c.items = append(c.items, extract(it, v))
		c.index[it.ID] = i
		c.group = append(c.group, i)
	}
	c.weight = v.weights(len(sorted))
	for i, f := range c.items {
		s := summary{members: []int{i}, primary: f.primary, cves: f.cves, notices: f.notices, names: f.names}
		if f.release != "" {
			s.releases = []string{f.release}
		}
		c.about = append(c.about, s)
	}
	for _, p := range o.Apart {
		a, ok := c.index[p[0]]
		b, ok2 := c.index[p[1]]
		if ok && ok2 {
			c.apart[[2]int{min(a, b), max(a, b)}] = true
		}
	}
	return c
}

func when(it *news.Item) time.Time {
	if it.Published.IsZero() {
		return it.Updated
	}
	return it.Published
}

// rarity is near 1 for what stands in one item of many, and near 0 for what
// stands in all.
func rarity(all, with int) float64 {
	return max(math.Log(float64(all+1)/float64(with+1))/math.Log(float64(all+1)/3), 0.01)
}

// What keeps the search for pairs in proportion to the number of items.
const (
	maxShared     = 80  // a feature in more items than this brings none of them together
	maxProbes     = 40  // the rarest features of an item that are looked up
	maxCandidates = 300 // items with which one is compared
)

// candidates finds the pairs that are worth joining.
func (c *clusterer) candidates() {
	exact := map[string]int{} // the last item with a number
	posting := make([][]int32, len(c.weight))
	hits := make([]int32, len(c.items)) // by item, of the item that looks
	for i, f := range c.items {
		if f.roundup {
			continue
		}
		// All that share a number are a chain: comparing each with the one before
		// is enough, and keeps thousands of them linear.
		var same []int
		for _, k := range slices.Concat(f.primary, f.notices, []string{f.release}) {
			if k == "" {
				continue
			}
			if j, ok := exact[k]; ok && !slices.Contains(same, j) {
				same = append(same, j)
			}
			exact[k] = i
		}
		for _, j := range same {
			c.try(j, i)
		}
		var near []int32
		for _, n := range c.rarest(f) {
			for _, j := range slices.Backward(posting[n]) {
				if o := c.items[j].at; !o.IsZero() && !f.at.IsZero() && f.at.Sub(o) > windowDays*24*time.Hour {
					break // sorted by time
				}
				if hits[j]++; hits[j] == 1 {
					near = append(near, j)
				}
			}
		}
		slices.SortFunc(near, func(x, y int32) int { return cmp.Or(cmp.Compare(hits[y], hits[x]), cmp.Compare(y, x)) })
		for k, j := range near {
			if k < maxCandidates && !slices.Contains(same, int(j)) {
				c.try(int(j), i)
			}
			hits[j] = 0
		}
		for _, n := range f.body {
			if int(c.vocab.count[n]) <= maxShared {
				posting[n] = append(posting[n], int32(i))
			}
		}
	}
	for _, p := range c.o.Together {
		a, ok := c.index[p[0]]
		b, ok2 := c.index[p[1]]
		if ok && ok2 && a != b {
			c.pairs = append(c.pairs, pair{a: min(a, b), b: max(a, b), reason: ByHand, score: 1, rank: 0})
		}
	}
	slices.SortFunc(c.pairs, func(p, q pair) int {
		return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(q.score, p.score), cmp.Compare(p.a, q.a), cmp.Compare(p.b, q.b))
	})
}

// rarest returns the features by which an item looks for others.
func (c *clusterer) rarest(f *features) []feature {
	list := slices.Clone(f.body)
	list = slices.DeleteFunc(list, func(n feature) bool { return c.vocab.count[n] < 2 || c.vocab.count[n] > maxShared })
	slices.SortFunc(list, func(x, y feature) int {
		return cmp.Or(cmp.Compare(c.vocab.count[x], c.vocab.count[y]), cmp.Compare(x, y))
	})
	return list[:min(len(list), maxProbes)]
}

func (c *clusterer) try(a, b int) {
	if p, ok := c.compare(a, b); ok {
		c.pairs = append(c.pairs, p)
	}
}

// compare decides whether two items tell the same story.
func (c *clusterer) compare(i, j int) (pair, bool) {
	a, b := c.items[i], c.items[j]
	p := pair{a: i, b: j}
	if a.roundup || b.roundup {
		return p, false
	}
	found := func(r Reason, rank int, score float64) (pair, bool) {
		p.reason, p.rank, p.score = r, rank, score
		return p, true
	}
	if a.release != "" && a.release == b.release {
		return found(SameRelease, 3, 1)
	}
	if shares(a.notices, b.notices) {
		return found(SameNotice, 2, 1)
	}
	mutual := len(a.primary) > 0 && len(b.primary) > 0 && within(a.primary, b.cves) && within(b.primary, a.cves)
	if mutual && a.release == "" && b.release == "" {
		return found(SameCVE, 1, 1)
	}
	if c.contrary(&c.about[i], &c.about[j]) {
		return p, false
	}
	far := !a.at.IsZero() && !b.at.IsZero() && b.at.Sub(a.at).Abs() > windowDays*24*time.Hour
	if far {
		return p, false
	}
	title := c.jaccard(a.title, b.title)
	body := c.jaccard(a.body, b.body)
	limit := likeTitle
	if len(a.primary) > 0 && len(b.primary) > 0 {
		limit = oneSided
	}
	if len(a.products) > 0 && len(b.products) > 0 && !shares(a.products, b.products) {
		return p, false
	}
	switch {
	case title >= limit && body >= likeBody:
		return found(SimilarTitle, 4, title)
	case body >= likeText && limit == likeTitle:
		return found(SimilarText, 5, body)
	}
	if limit != likeTitle {
		return p, false
	}
	near := b.at.Sub(a.at).Abs() <= productDays*24*time.Hour
	if near && title >= likeProduct && shares(a.products, b.products) {
		return found(SameProduct, 5, title)
	}
	if a.item.Lang == b.item.Lang {
		if named(a, b) {
			return found(SameName, 4, 0.4+body)
		}
		mass, part := c.shared(a.typed, b.typed)
		if mass >= sharedSame && part >= sharedPart {
			return found(SharedFacts, 6, mass*part)
		}
		return p, false
	}
	if mass, part := c.shared(a.concept, b.concept); mass >= sharedMass && part >= sharedPart {
		return found(SharedFacts, 6, mass*part)
	}
	return p, false
}

// named reports whether two Japanese items name the same organisation as the one
// that they are about.
func named(a, b *features) bool {
	in := func(names []string, text string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return utf8.RuneCountInString(n) >= 3 && strings.Contains(text, n) })
	}
	return in(a.names, b.folded) || in(b.names, a.folded)
}

// contrary reports whether two groups are about different things for sure.
func (c *clusterer) contrary(a, b *summary) bool {
	if len(a.primary) > 0 && len(b.primary) > 0 && !shares(a.primary, b.cves) && !shares(b.primary, a.cves) {
		return true
	}
	if len(a.notices) > 0 && len(b.notices) > 0 && !shares(a.notices, b.notices) && sameSeries(a.notices[0], b.notices[0]) {
		return true
	}
	if len(a.releases) > 0 && len(b.releases) > 0 && !shares(a.releases, b.releases) {
		return true
	}
	// The updates of a month are one matter, a vulnerability among them that has
	// news of its own is another.
	if len(a.releases) > 0 && len(b.primary) > 0 || len(b.releases) > 0 && len(a.primary) > 0 {
		return true
	}
	return len(a.names) > 0 && len(b.names) > 0 && !shares(a.names, b.names)
}

// sameSeries reports whether two advisories are numbered by the same publisher.
func sameSeries(a, b string) bool {
	cut := func(s string) string { return strings.TrimRight(s, "0123456789-") }
	return cut(a) == cut(b)
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func within(a, b []string) bool { return shares(a, b) }

// jaccard returns the weight of what two sets share, by the weight of all.
func (c *clusterer) jaccard(a, b []feature) float64 {
	var both, all float64
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i] < b[j]:
			all += c.weight[a[i]]
			i++
		case i == len(a) || b[j] < a[i]:
			all += c.weight[b[j]]
			j++
		default:
			both += c.weight[a[i]]
			all += c.weight[a[i]]
			i++
			j++
		}
	}
	if all == 0 {
		return 0
	}
	return both / all
}

// shared returns the weight of what two sets share, and which part of the
// smaller set that is.
func (c *clusterer) shared(a, b []feature) (mass, part float64) {
	var x, y float64
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] < b[j]:
			i++
		case b[j] < a[i]:
			j++
		default:
			mass += c.weight[a[i]]
			i++
			j++
		}
	}
	for _, n := range a {
		x += c.weight[n]
	}
	for _, n := range b {
		y += c.weight[n]
	}
	if m := min(x, y); m > 0 {
		part = mass / m
	}
	return mass, part
}

func (c *clusterer) root(i int) int {
	for c.group[i] != i {
		c.group[i] = c.group[c.group[i]]
		i = c.group[i]
	}
	return i
}

// join joins the surest pairs first. Two groups that are about different things
// are not joined by a pair between them.
func (c *clusterer) join() {
	for _, p := range c.pairs {
		a, b := c.root(p.a), c.root(p.b)
		if a == b {
			continue
		}
		if c.separated(a, b) || p.reason != ByHand && p.rank > 3 && c.contrary(&c.about[a], &c.about[b]) {
			continue
		}
		if b < a {
			a, b = b, a
		}
		c.group[b] = a
		c.about[a] = merged(c.about[a], c.about[b])
		c.about[b] = summary{}
		c.links[a] = append(append(c.links[a], c.links[b]...), Link{A: c.items[p.a].item.ID, B: c.items[p.b].item.ID, Reason: p.reason, Score: math.Round(p.score*1000) / 1000})
		delete(c.links, b)
	}
}

func merged(a, b summary) summary {
	union := func(x, y []string) []string {
		if len(y) == 0 {
			return x
		}
		z := slices.Concat(x, y)
		slices.Sort(z)
		return slices.Compact(z)
	}
	return summary{
		members: append(a.members, b.members...), primary: union(a.primary, b.primary), cves: union(a.cves, b.cves),
		notices: union(a.notices, b.notices), names: union(a.names, b.names), releases: union(a.releases, b.releases),
	}
}

// separated reports whether a person keeps two groups apart.
func (c *clusterer) separated(a, b int) bool {
	if len(c.apart) == 0 {
		return false
	}
	for _, x := range c.about[a].members {
		for _, y := range c.about[b].members {
			if c.apart[[2]int{min(x, y), max(x, y)}] {
				return true
			}
		}
	}
	return false
}

// stories writes down the groups.
func (c *clusterer) stories() []Story {
	var out []Story
	at := map[int]int{} // root to its place in out
	byCVE := map[string][]int{}
	for i, f := range c.items {
		if c.root(i) != i {
			continue
		}
		members := slices.Clone(c.about[i].members)
		slices.Sort(members)
		s := Story{ID: "s" + string(f.item.ID), Roundup: f.roundup, First: f.at, Links: c.links[i]}
		for _, m := range members {
			s.Items = append(s.Items, c.items[m].item.ID)
			s.CVEs = append(s.CVEs, c.items[m].primary...)
			s.Last = c.items[m].at
		}
		slices.Sort(s.CVEs)
		s.CVEs = slices.Compact(s.CVEs)
		s.Lead = c.lead(members)
		slices.SortFunc(s.Links, func(x, y Link) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
		at[i] = len(out)
		if !f.roundup {
			for _, v := range s.CVEs {
				byCVE[v] = append(byCVE[v], len(out))
			}
		}
		out = append(out, s)
	}
	// A roundup points to the stories whose vulnerabilities it names.
	for i := range out {
		if !out[i].Roundup {
			continue
		}
		f := c.items[c.index[out[i].Items[0]]]
		for _, v := range f.cves {
			for _, k := range byCVE[v] {
				if !slices.Contains(out[i].Related, out[k].ID) && len(out[i].Related) < 200 {
					out[i].Related = append(out[i].Related, out[k].ID)
					out[k].Related = append(out[k].Related, out[i].ID)
				}
			}
		}
	}
	return out
}

// lead chooses the item whose title stands for the story: the first that is
// prose of a length that says something, else the first.
func (c *clusterer) lead(members []int) news.ItemID {
	best, points := members[0], -1
	for _, m := range members {
		it := c.items[m].item
		p := 0
		if it.Text != "" {
			p += 2
		}
		if n := len(it.Title); n >= 20 && n <= 240 {
			p++
		}
		if it.Kind == news.Advisory {
			p += 2
		}
		if p > points {
			best, points = m, p
		}
	}
	return c.items[best].item.ID
}
