package digest

import (
	"cmp"
	"slices"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
	"github.com/sekisho/sekisho/news/sentence"
)

// Marks are what an item is known by in later issues.
type Marks struct {
	CVEs       []string `json:"cves"`
	Techniques []string `json:"techniques"`
	KBs        []string `json:"kbs"`
	Words      []string `json:"words"` // of the headlines, sorted
}

// Related is an item of an earlier issue.
type Related struct {
	Issue    int       `json:"issue"`
	Name     lang.Text `json:"name"` // of the issue
	Issued   string    `json:"issued"`
	Item     int       `json:"item"`
	Headline lang.Text `json:"headline"`
	Relation Relation  `json:"relation"`
	Shared   lang.Text `json:"shared,omitzero"` // what they have in common
}

// Relation is what joins two items.
type Relation string

// The relations, the strongest first.
const (
	SameStory     Relation = "same-story"
	SameCVE       Relation = "same-cve"
	SameTechnique Relation = "same-technique"
	SameTopic     Relation = "same-topic"
)

func (r Relation) rank() int {
	return slices.Index([]Relation{SameStory, SameCVE, SameTechnique, SameTopic}, r)
}

const (
	maxRelated = 3
	maxMarks   = 40 // of a sort
	topicWords = 3  // that two headlines share at least
)

// wide are techniques that so many items share that they join nothing.
var wide = []string{
	"phishing", "credential-phishing", "malware", "account-takeover", "rce", "auth-bypass", "privilege-escalation", "pdf-lure", "spoofed-internal", "captcha", "xss",
	"sql-injection", "csrf", "path-traversal", "dos", "data-leak", "deserialization", "lookalike",
}

func marksOf(list []found, sources []Publication) Marks {
	m := Marks{CVEs: []string{}, Techniques: []string{}, KBs: []string{}, Words: []string{}}
	for i := range list {
		f := list[i].facts
		m.CVEs = append(m.CVEs, f.Values(fact.CVE)...)
		m.KBs = append(m.KBs, f.Values(fact.KB)...)
		m.Techniques = append(m.Techniques, list[i].reading.Techniques...)
		m.Words = append(m.Words, sentence.Words(sources[list[i].source-1].Item.Title)...)
	}
	for _, s := range []*[]string{&m.CVEs, &m.Techniques, &m.KBs, &m.Words} {
		slices.Sort(*s)
		*s = slices.Compact(*s)
		*s = (*s)[:min(len(*s), maxMarks)]
	}
	return m
}

// related finds the items of earlier issues that a reader may want to look up.
func (w *writer) related(x *Item, list []found) []Related {
	out := []Related{}
	for _, p := range w.in.Earlier {
		for i := range p.Items {
			o := &p.Items[i]
			r, shared := relation(x, o)
			if r == "" {
				continue
			}
			rel := Related{Issue: p.Number, Name: p.Name, Issued: p.Issued, Item: o.Number, Headline: lang.Text{JA: o.Headline.JA.Text, EN: o.Headline.EN.Text}, Relation: r}
			switch r {
			case SameCVE:
				rel.Shared = lang.Text{JA: shared, EN: shared}
			case SameTechnique:
				rel.Shared = techniqueName(shared, list)
			case SameStory, SameTopic:
			}
			out = append(out, rel)
		}
	}
	slices.SortStableFunc(out, func(a, b Related) int {
		return cmp.Or(cmp.Compare(a.Relation.rank(), b.Relation.rank()), cmp.Compare(b.Issue, a.Issue), cmp.Compare(a.Item, b.Item))
	})
	return out[:min(len(out), maxRelated)]
}

func relation(x, o *Item) (Relation, string) {
	if x.ID != "" && x.ID == o.ID {
		return SameStory, ""
	}
	for _, c := range x.Marks.CVEs {
		if slices.Contains(o.Marks.CVEs, c) {
			return SameCVE, c
		}
	}
	for _, t := range x.Marks.Techniques {
		if slices.Contains(o.Marks.Techniques, t) && !slices.Contains(wide, t) {
			return SameTechnique, t
		}
	}
	both := 0
	for _, s := range x.Marks.Words {
		if slices.Contains(o.Marks.Words, s) {
			both++
		}
	}
	if both >= topicWords && 2*both >= min(len(x.Marks.Words), len(o.Marks.Words)) {
		return SameTopic, ""
	}
	return "", ""
}

// techniqueName is the name of a technique as package fact writes it.
func techniqueName(id string, list []found) lang.Text {
	for i := range list {
		for _, f := range list[i].facts.Of(fact.Technique) {
			if f.Value == id {
				return lang.Text{JA: f.JA, EN: f.EN}
			}
		}
	}
	return lang.Text{JA: id, EN: id}
}
