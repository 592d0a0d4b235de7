package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

func TestNewsSources(t *testing.T) {
	dir := t.TempDir()
	known := func(id string) source.Source {
		all := source.Default()
		return all[slices.IndexFunc(all, func(s source.Source) bool { return s.ID == id })]
	}
	changed := func(id string, edit func(*source.Source)) source.Source {
		s := known(id)
		edit(&s)
		return s
	}
	for _, tc := range []struct {
		name, file string
		id         string
		want       source.Source
	}{
		{"Unset", "", "ipa", known("ipa")},
		{"Own", `news: {sources: [{id: northwind, name: Northwind, url: "https://northwind.example/x.xml", format: rss, every: 12}]}`, "northwind", source.Source{
			ID: "northwind", Name: source.Text{JA: "Northwind", EN: "Northwind"}, URL: "https://northwind.example/x.xml", Format: feed.RSS, On: true, Every: 12,
			Kind: news.Article, Reuse: source.Reuse{Class: source.Quote},
		}},
		{"SwitchedOff", `news: {sources: [{id: ipa, on: false}]}`, "ipa", changed("ipa", func(s *source.Source) { s.On = false })},
		{"SwitchedOnByName", `news: {sources: [{id: windows-11}]}`, "windows-11", changed("windows-11", func(s *source.Source) { s.On = true })},
		{"Interval", `news: {sources: [{id: ipa, every: 24}]}`, "ipa", changed("ipa", func(s *source.Source) { s.Every = 24 })},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "sekisho.yaml", tc.file)
			c, err := config.Load(&config.Options{WorkDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(c.News, func(s source.Source) bool { return s.ID == tc.id })
			if i < 0 || len(c.News) < len(source.Default()) {
				t.Fatalf("%d sources, %s at %d", len(c.News), tc.id, i)
			}
			if d := cmp.Diff(tc.want, c.News[i], cmpopts.EquateEmpty()); d != "" {
				t.Error(d)
			}
		})
	}
	for _, tc := range []struct{ name, file, want string }{
		{"PlainHTTP", `news: {sources: [{id: northwind, url: "http://northwind.example/"}]}`, "https"},
		{"NoAddress", `news: {sources: [{id: northwind}]}`, "https"},
		{"NoID", `news: {sources: [{url: "https://northwind.example/"}]}`, "id"},
		{"Twice", `news: {sources: [{id: ipa}, {id: ipa, on: false}]}`, "twice"},
		{"UnknownKey", `news: {sources: [{id: ipa, evry: 3}]}`, "every"},
		{"UnknownFormat", `news: {sources: [{id: northwind, url: "https://northwind.example/", format: gopher}]}`, "gopher"},
		{"WrongType", `news: {sources: [{id: ipa, every: often}]}`, "often"},
		{"NoList", `news: {sources: ipa}`, "list"},
		{"OwnTerms", `news: {sources: [{id: ipa, reuse: {class: free, checked: true}}]}`, "reuse"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "sekisho.yaml", tc.file)
			_, err := config.Load(&config.Options{WorkDir: dir})
			if err == nil {
				t.Fatal("no error")
			}
			if d := say(t, err, lang.EN, dir); !strings.Contains(d, tc.want) || !strings.Contains(d, "sekisho.yaml:1:") {
				t.Errorf("the error is %s", d)
			}
		})
	}
}
