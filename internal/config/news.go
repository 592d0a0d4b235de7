package config

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
)

// newsSources reads sources of news: an entry with the id of one that sekisho
// ships with changes that one, another is one more.
func (v value) newsSources() ([]source.Source, bool) {
	own, ok := list(value.newsSource)(v)
	if !ok {
		return nil, false
	}
	all := source.Default()
	seen := map[string]bool{}
	for _, s := range own {
		if seen[s.ID] {
			v.bad(lang.M("config.why.source-twice", "id", s.ID), lang.Message{})
			return nil, false
		}
		seen[s.ID] = true
		if i := slices.IndexFunc(all, func(o source.Source) bool { return o.ID == s.ID }); i >= 0 {
			all[i] = s
			continue
		}
		all = append(all, s)
	}
	return all, true
}

// newsSource reads one source. What an entry leaves out is as sekisho ships it;
// a source of the user's own is on unless it says otherwise.
func (v value) newsSource() (source.Source, bool) {
	var id string
	any := func(value) {} // read below, with the types of the source
	if !v.entry(map[string]func(value){
		"id": into(&id, value.slug), "name": any, "url": any, "format": any, "accept": any, "lang": any, "origin": any, "kind": any, "on": any,
		"every": any, "follow": any, "include": any, "exclude": any,
	}) {
		return source.Source{}, false
	}
	if id == "" {
		v.lacks("id", lang.M("config.hint.source"))
		return source.Source{}, false
	}
	s := source.Source{ID: id, On: true}
	if all := source.Default(); slices.ContainsFunc(all, func(o source.Source) bool { return o.ID == id }) {
		s = all[slices.IndexFunc(all, func(o source.Source) bool { return o.ID == id })]
		s.On = true // who names it wants it
	}
	// A name may be one for both languages.
	n := *v.node
	n.Content = slices.Clone(n.Content)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode {
			s.Name = source.Text{JA: n.Content[i+1].Value, EN: n.Content[i+1].Value}
			n.Content = slices.Delete(n.Content, i, i+2)
			break
		}
	}
	err := n.Decode(&s)
	if err == nil {
		var b []byte
		if b, err = yaml.Marshal(map[string][]source.Source{"sources": {s}}); err == nil {
			var checked []source.Source
			if checked, err = source.Parse(b); err == nil {
				return checked[0], true
			}
		}
	}
	v.bad(lang.M("config.why.source", "error", err.Error()), lang.M("config.hint.source"))
	return source.Source{}, false
}
