package feeds_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/sekisho/sekisho/internal/feeds"
)

func TestKnownFeeds(t *testing.T) {
	for _, kind := range []feeds.Kind{feeds.RulesFeed, feeds.ListsFeed} {
		all := feeds.KnownFeeds(kind)
		if len(all) == 0 {
			t.Errorf("no feed of %s", kind)
		}
		for _, k := range all {
			u, err := url.Parse(k.URL)
			if err != nil || u.Scheme != "https" || k.Licence == "" || k.Home == "" || k.Publisher == "" || !feeds.ValidName(k.Name) || k.Kind != kind {
				t.Errorf("%+v", k)
			}
		}
	}
	if k, ok := feeds.LookupKnown(feeds.RulesFeed, "sublime"); !ok || k.Licence != "MIT" {
		t.Errorf("%+v %v", k, ok)
	}
	if _, ok := feeds.LookupKnown(feeds.RulesFeed, "nobody"); ok {
		t.Error("nobody is known")
	}
}

func TestNameOf(t *testing.T) {
	for _, tc := range []struct{ ref, want string }{
		{"sublime", "^sublime$"},
		{"our-rules-2", "^our-rules-2$"},
		{"https://rules.example/mail.git", "^mail-[0-9a-f]{8}$"},
		{"https://rules.example/a/Mail_Rules.tar.gz", "^mail-rules-[0-9a-f]{8}$"},
		{"https://rules.example/x.tgz", "^x-[0-9a-f]{8}$"},
		{"https://rules.example", "^[0-9a-f]{8}$"},
		{"https://rules.example/日本.zip", "^[0-9a-f]{8}$"},
		{"https://rules.example/../../con", "^con-[0-9a-f]{8}$"},
		{"", "^$"}, {"sekisho", "^$"}, {"Sublime", "^$"}, {"-x", "^$"}, {"x-", "^$"}, {"a/b", "^$"}, {"..", "^$"}, {"rules.yml", "^$"}, {"con", "^$"}, {"com1", "^$"},
		{"日本", "^$"}, {"://", "^$"}, {"https:///x", "^$"},
	} {
		got := feeds.NameOf(tc.ref)
		if !regexp.MustCompile(tc.want).MatchString(got) {
			t.Errorf("%q: got %q", tc.ref, got)
		}
		if got != "" && !feeds.ValidName(got) {
			t.Errorf("%q: %q is no name", tc.ref, got)
		}
	}
	if feeds.NameOf("https://a.example/rules.git") == feeds.NameOf("https://b.example/rules.git") {
		t.Error("two addresses have one name")
	}
}

func TestIsGit(t *testing.T) {
	for ref, want := range map[string]bool{
		"https://rules.example/x.git": true, "https://rules.example/x.git/": true, "https://rules.example/x.git?y": true,
		"https://rules.example/x": false, "https://rules.example/x.tar.gz": false, "https://x.git/": false,
	} {
		if got := feeds.IsGit(ref); got != want {
			t.Errorf("%s: got %v", ref, got)
		}
	}
}
