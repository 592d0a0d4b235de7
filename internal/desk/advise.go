package desk

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/advisory/lint"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// AdviseInput is what an advisory is asked for: some items of news about one
// matter, the main one first.
type AdviseInput struct {
	Items  []news.Item
	Origin string // country for which the source of the first item speaks, or ""

	// Corrections are what a person knows better than the reader of the text.
	Corrections Corrections
	Excerpts    []advisory.Excerpt // nil to quote from the first item
	Own         bool               // the items are what was found in our own mail
	Template    string             // "" to choose by what the matter is
	Techniques  []string           // of the catalogue, beside those that the text names
}

// Corrections are facts that a person sets. What is zero stays as it was read.
type Corrections struct {
	Kind      triage.Kind
	Relevance triage.Relevance
	Activity  triage.Activity
	Proximity triage.Proximity
	Impact    triage.Impact
	Exposure  triage.Exposure

	VendorDate time.Time
	EndedOn    time.Time
	Checked    time.Time // our own mailboxes were searched on that day without a hit

	Lure  string            // what the mails pose as
	Slots map[string]string // further facts, by the name that the template gives them
}

// AdviseDeps is what [Advise] needs from outside.
type AdviseDeps struct {
	Facts org.Facts
	Words *lang.Catalogue // nil: the built-in one
	Now   func() time.Time
	Table *triage.Table // nil: the built-in one
}

// Triage is an item with its grade and what that rests on.
type Triage struct {
	Reading  *fact.Reading
	Facts    *fact.Facts
	Decision *triage.Decision
}

// Grade reads an item and grades it for the organisation.
func Grade(it *news.Item, origin string, c *Corrections, deps *AdviseDeps) (*Triage, error) {
	in, found := it.Facts(origin, &fact.Options{})
	out := &Triage{Reading: fact.Read(in, found), Facts: found}
	if c == nil {
		c = &Corrections{}
	}
	cal := triage.CalendarFor(&deps.Facts)
	d, err := triage.Decide(triageFacts(it, out.Reading, found, c, &deps.Facts), localDay(deps.Now()), &triage.Options{Table: deps.Table, Calendar: &cal})
	if err != nil {
		return nil, fmt.Errorf("grading %q: %w", it.Title, err)
	}
	out.Decision = d
	return out, nil
}

// localDay is the day of t where t is.
func localDay(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// triageFacts joins what the text says, what the organisation told and what a
// person corrected.
func triageFacts(it *news.Item, r *fact.Reading, found *fact.Facts, c *Corrections, facts *org.Facts) triage.Facts {
	f := triage.Facts{
		Kind:       cmp.Or(c.Kind, triage.Kind(r.Kind)),
		Activity:   cmp.Or(c.Activity, triage.Activity(r.Activity)),
		Proximity:  cmp.Or(c.Proximity, triage.Proximity(r.Proximity)),
		Impact:     cmp.Or(c.Impact, triage.Impact(r.Impact)),
		EndedOn:    firstTime(c.EndedOn, r.EndedOn),
		VendorDate: firstTime(c.VendorDate, r.VendorDate),
		Ransomware: it.Exploitation.Ransomware,
	}
	if it.Exploitation.InKEV {
		f.KEV = triage.Yes
	}
	f.MSRC = it.Exploitation.Likelihood
	if f.MSRC == "" && it.Exploitation.Exploited == "Yes" {
		f.MSRC = "Exploitation Detected"
	}
	f.Relevance = cmp.Or(c.Relevance, relevance(f.Kind, it, r, found, facts))
	f.Exposure = cmp.Or(c.Exposure, exposure(r.Techniques, facts))
	return f
}

func firstTime(list ...time.Time) time.Time {
	for _, t := range list {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// relevance is whether a matter concerns the organisation: by its products, its
// banks, or for a requirement of senders by having a domain.
func relevance(kind triage.Kind, it *news.Item, r *fact.Reading, found *fact.Facts, facts *org.Facts) triage.Relevance {
	switch kind {
	case triage.Vulnerability, triage.Campaign: // by their products
	case triage.Scam:
		return bankRelevance(r, found, facts)
	case triage.Policy:
		if len(facts.Domains.Value()) > 0 {
			return triage.RelevanceExact
		}
		return triage.RelevanceUnknown
	case triage.Info:
		return triage.RelevanceCategory
	}
	named := namedProducts(it, r, found)
	if len(named) == 0 {
		return triage.RelevanceUnknown
	}
	ours, known := facts.Products.Get()
	if !known {
		return triage.RelevanceUnknown
	}
	for _, p := range named {
		if slices.ContainsFunc(ours, func(o string) bool { return sameProduct(o, p) }) {
			return triage.RelevanceExact
		}
	}
	// The makers of whom we have something of the same kind.
	for _, p := range named {
		if p.Group == "" || p.Group == "vendor" {
			continue
		}
		if slices.ContainsFunc(ours, func(o string) bool { return groupOf(o) == p.Group }) && kind == triage.Campaign {
			return triage.RelevanceCategory
		}
	}
	return triage.RelevanceNone
}

// bankRelevance is exact if one of the organisation's banks is named.
func bankRelevance(r *fact.Reading, found *fact.Facts, facts *org.Facts) triage.Relevance {
	banks, known := facts.Banks.Get()
	text := strings.Join(found.Sentences, "\n")
	for _, b := range banks {
		if b != "" && strings.Contains(text, b) {
			return triage.RelevanceExact
		}
		for _, n := range fact.Names() {
			if (n.ID == b || n.JA == b || n.EN == b) && slices.Contains(r.Products, n.ID) {
				return triage.RelevanceExact
			}
		}
	}
	if known {
		return triage.RelevanceCategory
	}
	return triage.RelevanceUnknown
}

// namedProducts are the products of an item: those of its text, and those that
// its source lists.
func namedProducts(it *news.Item, r *fact.Reading, found *fact.Facts) []fact.ProductName {
	var out []fact.ProductName
	names := fact.Names()
	for _, id := range r.Products {
		i := slices.IndexFunc(names, func(n fact.ProductName) bool { return n.ID == id })
		if i >= 0 {
			out = append(out, names[i])
			continue
		}
		out = append(out, fact.ProductName{ID: id})
	}
	for _, f := range found.Of(fact.Technique) {
		// These attack the sign-in and the mail of Microsoft 365 and nothing else.
		if f.Value == "direct-send" || f.Value == "device-code" {
			out = append(out, fact.ProductName{ID: "microsoft-365", Group: "mail"})
		}
	}
	for _, p := range it.Products {
		out = append(out, fact.ProductName{ID: strings.ToLower(strings.ReplaceAll(p.Name, " ", "-")), JA: p.Name, EN: p.Name, Vendor: strings.ToLower(p.Vendor)})
	}
	return out
}

// sameProduct reports whether what the organisation calls a product is the one
// that is named: by its id, its name, or as a part of the other, as windows-11
// is of windows.
func sameProduct(ours string, named fact.ProductName) bool {
	o := strings.ToLower(strings.TrimSpace(ours))
	if o == "" {
		return false
	}
	id := strings.ToLower(named.ID)
	if o == id || strings.EqualFold(ours, named.JA) || strings.EqualFold(ours, named.EN) {
		return true
	}
	if id != "" && (strings.HasPrefix(o, id+"-") || strings.HasPrefix(id, o+"-")) {
		return true
	}
	// Microsoft 365 is Exchange Online, Entra ID, Teams and the rest.
	suite := func(s string) bool {
		switch s {
		case "microsoft-365", "exchange-online", "entra-id", "microsoft-entra-id", "outlook", "teams", "microsoft-teams", "sharepoint-online", "onedrive":
			return true
		}
		return false
	}
	return o == "microsoft-365" && suite(id)
}

func groupOf(ours string) string {
	for _, n := range fact.Names() {
		if strings.EqualFold(n.ID, ours) {
			return n.Group
		}
	}
	return ""
}

// exposure is whether the door that an attack uses is open here, where the
// organisation's settings say so.
func exposure(techniques []string, facts *org.Facts) triage.Exposure {
	if !slices.Contains(techniques, "direct-send") {
		return ""
	}
	rejected, known := facts.RejectDirectSend.Get()
	switch {
	case !known:
		return triage.ExposedUnknown
	case rejected:
		return triage.ExposedNo
	}
	return triage.ExposedYes
}

// Advise writes an advisory about some items of news: the card, the drafts and
// what they rest on.
func Advise(in *AdviseInput, deps AdviseDeps) (*advisory.Document, *Triage, error) {
	if len(in.Items) == 0 {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("advise.error.empty"), Hint: lang.M("advise.hint.empty")}
	}
	it := &in.Items[0]
	tri, err := Grade(it, in.Origin, &in.Corrections, &deps)
	if err != nil {
		return nil, nil, err
	}
	facts := deps.Facts
	quotes := in.Excerpts
	if quotes == nil {
		quotes = excerpts(tri.Facts, it.Lang)
	}
	doc, err := advisory.Write(&advisory.Input{
		Decision: tri.Decision, Subject: subjectOf(it, tri, in, &facts), Org: &facts, Sources: sourcesOf(in),
		Excerpts: quotes, Template: in.Template, Words: deps.Words,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("writing the advisory: %w", err)
	}
	cal := triage.CalendarFor(&facts)
	doc.Lint = lint.Remarks(lint.Check(doc, &lint.Options{
		Org: &facts, Sources: groundOf(in.Items), Own: append(in.Corrections.own(), ourWords(doc)...), Today: tri.Decision.Today, Calendar: &cal,
		Words: deps.Words, DueClosed: tri.Decision.DueClosed,
	}), deps.Words)
	return doc, tri, nil
}

// groundOf is the text on which the sentences of an advisory have to stand.
func groundOf(items []news.Item) []grounding.Source {
	var out []grounding.Source
	for i := range items {
		it := &items[i]
		out = append(out, grounding.Source{Title: it.Title, Text: it.Text, URL: it.Link, Published: it.Published})
	}
	return out
}

// ourWords are the words of an advisory that come from the organisation and from
// our own dictionaries; numbers, dates and names of the matter are not among
// them.
func ourWords(doc *advisory.Document) []string {
	var out []string
	for _, f := range doc.Facts {
		switch f.Type {
		case "contact", "report", "route", "words":
			out = append(out, f.Words.JA, f.Words.EN)
		}
	}
	return out
}

// own are the words that a person confirmed.
func (c *Corrections) own() []string {
	out := slices.Sorted(maps.Values(c.Slots))
	if c.Lure != "" {
		out = append(out, c.Lure)
	}
	return out
}

// maxAdviceSources bounds the sources that an advisory names.
const maxAdviceSources = 8

func sourcesOf(in *AdviseInput) []advisory.Source {
	out := []advisory.Source{}
	for i := range in.Items[:min(len(in.Items), maxAdviceSources)] {
		it := &in.Items[i]
		s := advisory.Source{Title: it.Title, Publisher: it.Source, URL: it.Link, Own: in.Own}
		if !it.Published.IsZero() {
			s.Published = it.Published.Format(time.DateOnly)
		}
		out = append(out, s)
	}
	return out
}

// Bounds on what is quoted of a source.
const (
	maxExcerpts     = 3
	minExcerptRunes = 12
	maxExcerptRunes = 240
)

// excerpts are the sentences on which the grade rests most: those with the most
// facts that the grade uses, in their order.
func excerpts(found *fact.Facts, l lang.Language) []advisory.Excerpt {
	weight := map[int]int{}
	for i := range found.List {
		f := &found.List[i]
		w := 0
		switch f.Type {
		case fact.Count, fact.Status:
			w = 3
		case fact.Date, fact.Technique:
			w = 2
		case fact.CVE, fact.Product, fact.Place:
			w = 1
		case fact.Notice, fact.KB, fact.Build, fact.Version, fact.Score, fact.Level: // what a table shows
		}
		for _, e := range f.Evidence {
			if e.Sentence > 0 {
				weight[e.Sentence] += w
			}
		}
	}
	for i := range weight {
		if len([]rune(found.Sentences[i])) < minExcerptRunes {
			delete(weight, i) // a dateline
		}
	}
	order := sortedBy(weight, func(a, b int) int { return cmp.Or(cmp.Compare(weight[b], weight[a]), cmp.Compare(a, b)) })
	order = order[:min(len(order), maxExcerpts)]
	slices.Sort(order)
	var out []advisory.Excerpt
	for _, i := range order {
		s := strings.TrimSpace(found.Sentences[i])
		said := slices.ContainsFunc(out, func(e advisory.Excerpt) bool { return e.Text == s })
		if s != "" && !said && len([]rune(s)) <= maxExcerptRunes {
			out = append(out, advisory.Excerpt{Lang: l, Text: s})
		}
	}
	return out
}

func sortedBy(m map[int]int, compare func(a, b int) int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}

// subjectOf is what the text says of the matter, in the words of an advisory.
func subjectOf(it *news.Item, tri *Triage, in *AdviseInput, facts *org.Facts) advisory.Subject {
	r, found, c := tri.Reading, tri.Facts, &in.Corrections
	s := advisory.Subject{Techniques: techniquesFor(slices.Concat(in.Techniques, r.Techniques)), Checked: c.Checked, CVEs: cvesFor(r), Slots: map[string]advisory.Value{}}
	lure, ok := advisory.Default().Lure(it.Title, it.Text)
	if c.Lure != "" {
		lure, ok = advisory.Lure{Name: advisory.Words{JA: c.Lure, EN: c.Lure}}, true
	}
	if ok {
		s.Lure = lure.Name
		if lure.Poses != (advisory.Words{}) {
			s.Slots["poses"] = lure.Poses
		}
	}
	s.Counts, s.Share = countsFor(found)
	s.Seen = seenIn(found, r)
	s.Products = productsFor(it, r, found)
	for _, b := range facts.Banks.Value() {
		if b != "" && slices.ContainsFunc(found.Sentences, func(x string) bool { return strings.Contains(x, b) }) {
			s.Slots["bank"] = advisory.Words{JA: b, EN: b}
			break
		}
	}
	slotsFor(s.Slots, it, r, found)
	for k, v := range c.Slots {
		s.Slots[k] = advisory.Words{JA: v, EN: v}
	}
	return s
}

// techniquesFor are the techniques by the names of the catalogue.
func techniquesFor(list []string) []string {
	known := advisory.Default().Techniques()
	out := []string{}
	add := func(id string) {
		if slices.Contains(known, id) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	for _, t := range list {
		switch t {
		case "qr-phishing":
			add("qr")
		case "voice-phishing", "callback-phishing":
			add("voice")
		case "pdf-lure":
			add("pdf-link")
		case "phishing":
			add("credential-phishing")
		case "spoofed-internal":
			add("own-domain-spoof")
		case "malware", "ransomware", "html-smuggling":
			add("malware-attachment")
		default:
			add(t)
		}
	}
	return out
}

// cvesFor are the vulnerabilities that matter: those that are exploited, or else
// all.
func cvesFor(r *fact.Reading) []string {
	if len(r.Exploited) > 0 {
		return r.Exploited
	}
	return r.CVEs
}

func countsFor(found *fact.Facts) ([]advisory.Count, advisory.Share) {
	var out []advisory.Count
	var share advisory.Share
	units := map[fact.Unit]advisory.Unit{
		fact.People: advisory.People, fact.Organizations: advisory.Organisations, fact.Countries: advisory.Countries,
		fact.Mails: advisory.Mails, fact.Devices: advisory.Devices,
	}
	seen := map[advisory.Unit]bool{}
	for _, f := range found.Of(fact.Count) {
		if !f.Certain() {
			continue
		}
		if f.Unit == fact.Percent {
			if share.Percent == 0 && f.Place != "" && f.Number > 0 && f.Number <= 100 {
				share = advisory.Share{Percent: f.Number, Of: placeWords(f.Place)}
			}
			continue
		}
		u, ok := units[f.Unit]
		if !ok || seen[u] || f.Number < 1 || f.Number > math.MaxInt32 {
			continue
		}
		if u == advisory.People && f.Claim.Strength() == 0 {
			continue // whom it counts is not said
		}
		seen[u] = true
		out = append(out, advisory.Count{
			N: int(f.Number), Unit: u, Claim: advisory.Claim(f.Claim), Approx: advisory.Approx(f.Approx),
		})
	}
	if share.Of == (lang.Text{}) {
		share = advisory.Share{}
	}
	return out, share
}

// placeWords are the words for a country in "92 % ...".
func placeWords(code string) lang.Text {
	switch code {
	case "US":
		return lang.Text{JA: "米国", EN: "in the United States"}
	case "JP":
		return lang.Text{JA: "日本", EN: "in Japan"}
	case "GB":
		return lang.Text{JA: "英国", EN: "in the United Kingdom"}
	case "DE":
		return lang.Text{JA: "ドイツ", EN: "in Germany"}
	case "CN":
		return lang.Text{JA: "中国", EN: "in China"}
	case "KR":
		return lang.Text{JA: "韓国", EN: "in South Korea"}
	}
	return lang.Text{}
}

// seenIn is when the attack was seen.
func seenIn(found *fact.Facts, r *fact.Reading) advisory.Period {
	var p advisory.Period
	for _, f := range found.Of(fact.Date) {
		if f.Role != fact.Observed || f.From.IsZero() || f.Negated {
			continue
		}
		days := f.To.Sub(f.From).Hours() / 24
		month := days >= 27
		if p.From.IsZero() || f.From.Before(p.From) {
			p.From, p.Month = f.From, month
		}
		if !month && f.To.After(p.To) && r.Activity == fact.ActivityEnded {
			p.To = f.To
		}
	}
	return p
}

// productsFor are the products with the updates that mend them.
func productsFor(it *news.Item, r *fact.Reading, found *fact.Facts) []advisory.Product {
	if r.Kind != fact.Vulnerability {
		return nil
	}
	if out := updatesIn(found); len(out) > 0 {
		return out
	}
	var out []advisory.Product
	names := fact.Names()
	for _, id := range r.Products {
		i := slices.IndexFunc(names, func(n fact.ProductName) bool { return n.ID == id })
		if i < 0 {
			continue
		}
		out = append(out, advisory.Product{Name: advisory.Words{JA: names[i].JA, EN: names[i].EN}})
	}
	if len(out) == 0 {
		for _, p := range it.Products {
			if len(out) < 5 && p.Name != "" {
				out = append(out, advisory.Product{Name: advisory.Words{JA: p.Name, EN: p.Name}, Version: p.Version})
			}
		}
	}
	// A version or an update belongs to a product if a sentence names one of each.
	if len(out) == 1 {
		if v := found.Values(fact.KB); len(v) == 1 {
			out[0].KB = v[0]
		}
		if v := found.Values(fact.Build); len(v) == 1 {
			out[0].Build = v[0]
		}
		if v := found.Values(fact.Version); len(v) == 1 && out[0].Version == "" {
			out[0].Version = v[0]
		}
	}
	return out
}

// updatesIn pairs each update with the product that stands before it in its
// sentence, with its edition as it is written, and with the build behind it.
func updatesIn(found *fact.Facts) []advisory.Product {
	type place struct{ sentence, from, to int }
	at := func(t fact.Type) (out []place) {
		for _, f := range found.Of(t) {
			for _, e := range f.Evidence {
				out = append(out, place{e.Sentence, e.Span[0], e.Span[1]})
			}
		}
		slices.SortFunc(out, func(a, b place) int { return cmp.Or(cmp.Compare(a.sentence, b.sentence), cmp.Compare(a.from, b.from)) })
		return out
	}
	kbs, builds, products := at(fact.KB), at(fact.Build), at(fact.Product)
	const near = 60 // bytes between a product and its update
	var out []advisory.Product
	for i, kb := range kbs {
		sentence := found.Sentences[kb.sentence]
		from, next := 0, len(sentence)
		if i > 0 && kbs[i-1].sentence == kb.sentence {
			from = kbs[i-1].to
		}
		if i+1 < len(kbs) && kbs[i+1].sentence == kb.sentence {
			next = kbs[i+1].from
		}
		name := ""
		for _, p := range products {
			if p.sentence == kb.sentence && p.from >= from && p.to <= kb.from && kb.from-p.from <= near {
				name = strings.Trim(sentence[p.from:kb.from], " \t:：はがの,、(（-–—=")
				break
			}
		}
		if name == "" {
			continue
		}
		x := advisory.Product{Name: advisory.Words{JA: name, EN: name}, KB: strings.ToUpper(sentence[kb.from:kb.to])}
		for _, b := range builds {
			if b.sentence == kb.sentence && b.from >= kb.to && b.to <= next {
				x.Build = sentence[b.from:b.to]
				break
			}
		}
		out = append(out, x)
	}
	return out
}

// slotsFor fills what single templates ask for, where the text says it.
func slotsFor(slots map[string]advisory.Value, it *news.Item, r *fact.Reading, found *fact.Facts) {
	names := fact.Names()
	word := func(id string) (advisory.Words, bool) {
		i := slices.IndexFunc(names, func(n fact.ProductName) bool { return n.ID == id })
		if i < 0 {
			return advisory.Words{}, false
		}
		return advisory.Words{JA: names[i].JA, EN: names[i].EN}, true
	}
	for _, f := range found.Of(fact.Product) {
		w, ok := word(f.Value)
		if !ok {
			w = advisory.Words{JA: f.JA, EN: f.EN}
		}
		switch {
		case f.Group == "bank" && slots["bank"] == nil:
			slots["bank"] = w
		case f.Group == "mail" && r.Kind == fact.Policy && slots["service"] == nil:
			slots["service"] = w
		}
	}
	if r.Kind == fact.Policy {
		for _, f := range found.Of(fact.Count) {
			if f.Unit == fact.Mails && f.Number >= 100 {
				n := strconv.FormatInt(int64(f.Number), 10)
				slots["threshold"] = advisory.Words{JA: grouped(n) + "通以上", EN: grouped(n) + " or more mails"}
				break
			}
		}
	}
	if r.Kind == fact.Info && it.Title != "" {
		slots["gist"] = advisory.Words{JA: it.Title, EN: it.Title}
	}
}

// grouped writes digits in groups of three.
func grouped(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
