package digest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

const maxOffers = 8

// offers lists facts of the sources on which a person could comment: what
// happens when, how many, by what means, whether it is in use, what of it we
// have, and what earlier issues told. They are facts with their sentences and
// never an opinion.
func (w *writer) offers(x *Item, list []found) []Offer {
	out := []Offer{}
	seen := map[string]bool{}
	add := func(kind, value string, text lang.Text, quote string) {
		if k := kind + "\x00" + value; !seen[k] {
			seen[k] = true
			out = append(out, Offer{Kind: kind, Text: text, Quote: line(quote)})
		}
	}
	for i := range list {
		for j := range list[i].facts.List {
			f := &list[i].facts.List[j]
			kind := offerKind(f)
			if kind == "" || len(f.Evidence) == 0 {
				continue
			}
			what := lang.Text{JA: f.JA, EN: f.EN}
			add(kind, cmp.Or(f.Value, f.JA), w.say("digest.offer."+kind, "what", what), list[i].facts.Sentences[f.Evidence[0].Sentence])
		}
		for _, p := range list[i].facts.Of(fact.Product) {
			if p.Certain() && slices.ContainsFunc(w.in.OurProducts, func(ours string) bool { return same(ours, &p) }) {
				add("ours", p.Value, w.say("digest.offer.ours", "what", lang.Text{JA: p.JA, EN: p.EN}), "")
			}
		}
	}
	for _, r := range x.SeeAlso {
		add("earlier", number(r.Issue)+"/"+number(r.Item), w.say("digest.offer.earlier", "what", lang.Text{JA: seeAlso(w.words, &r, lang.JA), EN: seeAlso(w.words, &r, lang.EN)}), "")
	}
	order := []string{"earlier", "ours", "deadline", "effective", "status", "count", "technique"}
	slices.SortStableFunc(out, func(a, b Offer) int { return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)) })
	return out[:min(len(out), maxOffers)]
}

// offerKind says what a fact is offered as, "" for one that is of no use.
func offerKind(f *fact.Fact) string {
	if f.Negated {
		return ""
	}
	switch f.Type {
	case fact.Date:
		switch f.Role {
		case fact.Deadline, fact.Effective:
			return string(f.Role)
		case fact.Published, fact.Observed:
		}
	case fact.Count:
		if f.Unit != fact.Days && f.Unit != fact.Hours && f.Unit != fact.Minutes {
			return "count"
		}
	case fact.Technique:
		return "technique"
	case fact.Status:
		if f.Value == fact.Exploited && f.Certain() {
			return "status"
		}
	case fact.CVE, fact.Notice, fact.KB, fact.Build, fact.Version, fact.Product, fact.Place, fact.Score, fact.Level:
	}
	return ""
}

// same reports whether what the organisation calls a product is the one that a
// text names, or a part of it, as windows-11 is of windows.
func same(ours string, f *fact.Fact) bool {
	o, id := strings.ToLower(strings.TrimSpace(ours)), strings.ToLower(f.Value)
	return o != "" && f.Group != "vendor" && (o == id || strings.EqualFold(ours, f.JA) || strings.EqualFold(ours, f.EN) || strings.HasPrefix(o, id+"-") || strings.HasPrefix(id, o+"-"))
}
