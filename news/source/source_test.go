package source_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

func TestDefault(t *testing.T) {
	on := 0
	for _, s := range source.Default() {
		if s.Name.JA == "" || s.Name.EN == "" || s.Format == "" || s.Lang == "" || s.Reuse.Terms == "" {
			t.Errorf("%s is incomplete: %+v", s.ID, s)
		}
		if !s.Reuse.Checked && s.Reuse.Class != source.Quote {
			t.Errorf("%s: terms that nobody read allow %s", s.ID, s.Reuse.Class)
		}
		if s.On {
			on++
		}
	}
	if on < 6 {
		t.Errorf("%d sources are on, want at least 6", on)
	}
	for _, id := range []string{"jpcert", "ipa", "jvn", "msrc", "kev", "cisa"} {
		if !slices.ContainsFunc(source.Default(), func(s source.Source) bool { return s.ID == id && s.On }) {
			t.Errorf("%s is missing or off", id)
		}
	}
}

func TestParse(t *testing.T) {
	list, err := source.Parse([]byte("sources:\n  - id: own\n    url: https://own.example/feed\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Source{{
		ID: "own", Name: source.Text{JA: "own", EN: "own"}, URL: "https://own.example/feed", Kind: news.Article, Every: 6, Reuse: source.Reuse{Class: source.Quote},
	}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct{ yaml, want string }{
		"NotYAML":     {"sources: [", "source:"},
		"NoID":        {"sources:\n  - url: https://a.example/\n", "line 2"},
		"OddID":       {"sources:\n  - id: A B\n    url: https://a.example/\n", "an id is"},
		"HTTP":        {"sources:\n  - id: a\n    url: http://a.example/\n", "must be https"},
		"File":        {"sources:\n  - id: a\n    url: file:///etc/passwd\n", "must be https"},
		"UnknownKey":  {"sources:\n  - id: a\n    urls: https://a.example/\n", `line 3: no such key: "urls"`},
		"Twice":       {"sources:\n  - id: a\n    url: https://a.example/\n  - id: a\n    url: https://b.example/\n", "twice"},
		"OddFormat":   {"sources:\n  - id: a\n    url: https://a.example/\n    format: pdf\n", "no such format"},
		"OddLanguage": {"sources:\n  - id: a\n    url: https://a.example/\n    lang: fr\n", "no such language"},
		"OddReuse":    {"sources:\n  - id: a\n    url: https://a.example/\n    reuse: {class: all}\n", "no such class"},
		"TooOften":    {"sources:\n  - id: a\n    url: https://a.example/\n    every: -1\n", "every is up to"},
		"NoMapping":   {"sources:\n  - just words\n", "a source is a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := source.Parse([]byte(tt.yaml)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	s := source.Source{Kind: news.Advisory, Include: []string{"脆弱性", "Update"}, Exclude: []string{"ICS Advisory"}}
	got := s.Keep([]news.Item{
		{Title: "脆弱性があります", Kind: news.Article},
		{Title: "ＵＰＤＡＴＥ now", Kind: news.Vulnerability},
		{Title: "Seminar"},
		{Title: "Update for a valve", Labels: []string{"ics advisory"}},
	})
	want := []news.Item{{Title: "脆弱性があります", Kind: news.Advisory}, {Title: "ＵＰＤＡＴＥ now", Kind: news.Vulnerability}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
}

func TestAs(t *testing.T) {
	s := source.Source{Format: feed.RSS}
	if !s.As(feed.Atom) || s.As(feed.KEV) || s.As(feed.Page) {
		t.Error("feeds of news should pass for one another and for nothing else")
	}
}

func TestState(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2031, 3, n, 9, 0, 0, 0, time.UTC) }
	ok := func(n, items, fresh int) source.Pull {
		return source.Pull{At: day(n), Outcome: source.Fetched, Status: 200, Items: items, New: fresh, Format: feed.RSS, ETag: "e", Newest: day(n)}
	}
	html := func(n int) source.Pull {
		return source.Pull{At: day(n), Outcome: source.BadDocument, Status: 200, Fault: feed.HTMLInstead}
	}
	same := func(n int) source.Pull { return source.Pull{At: day(n), Outcome: source.NotModified, Status: 304} }
	tests := []struct {
		name  string
		pulls []source.Pull
		now   time.Time
		want  source.Health
		etag  string
	}{
		{"Never", nil, day(1), source.Unknown, ""},
		{"Good", []source.Pull{ok(1, 3, 3)}, day(1), source.Good, "e"},
		{"EmptyDocument", []source.Pull{{At: day(1), Outcome: source.Fetched, Status: 200, ETag: "e"}}, day(1), source.Good, "e"},
		{"NotModifiedAfterGood", []source.Pull{ok(1, 3, 3), same(2)}, day(2), source.Good, "e"},
		{"PageInstead", []source.Pull{ok(1, 3, 3), html(2)}, day(2), source.Failing, ""},
		{"NotModifiedAfterFailure", []source.Pull{ok(1, 3, 3), html(2), same(3)}, day(3), source.Failing, ""},
		{"GoodAfterFailure", []source.Pull{ok(1, 3, 3), html(2), ok(3, 3, 0)}, day(3), source.Good, "e"},
		{"DeadAfterAWeek", []source.Pull{ok(1, 3, 3), html(2), html(3), html(4), html(5), html(6)}, day(10), source.Dead, ""},
		{"NotDeadAfterADay", []source.Pull{html(2), html(2), html(2), html(2), html(2)}, day(3), source.Failing, ""},
		{"NotModifiedDoesNotHideDeath", []source.Pull{html(2), html(3), html(4), html(5), html(6), same(10)}, day(11), source.Dead, ""},
		{"Stale", []source.Pull{ok(1, 3, 3), ok(2, 3, 0)}, day(1).AddDate(0, 3, 0), source.Stale, "e"},
		{"NotStaleIfUsual", []source.Pull{ok(1, 3, 3), {At: day(1).AddDate(0, 2, 0), Outcome: source.Fetched, New: 1, ETag: "e"}}, day(1).AddDate(0, 6, 0), source.Good, "e"},
		{"WaitingSaysNothing", []source.Pull{ok(1, 3, 3), {At: day(2), Outcome: source.Waiting}}, day(2), source.Good, "e"},
		{"Unreachable", []source.Pull{{At: day(1), Outcome: source.Unreachable}}, day(1), source.Failing, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s source.State
			for _, p := range tt.pulls {
				s = s.After(p)
			}
			if got := s.Health(tt.now); got != tt.want {
				t.Errorf("health %s, want %s: %+v", got, tt.want, s)
			}
			if s.ETag != tt.etag {
				t.Errorf("validator %q, want %q", s.ETag, tt.etag)
			}
			m := s.Message(tt.now)
			text := lang.Default().Render(m)
			if !lang.Default().Has(m.Key) || strings.ContainsAny(text.JA+text.EN, "{}[]") {
				t.Errorf("words for %s: %+v", tt.want, text)
			}
		})
	}
}

func TestDue(t *testing.T) {
	at := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	var s source.State
	if ok, _ := s.Due(at, time.Hour); !ok {
		t.Error("a new source is due")
	}
	s = s.After(source.Pull{At: at, Outcome: source.Fetched})
	if ok, next := s.Due(at.Add(59*time.Minute), time.Hour); ok || !next.Equal(at.Add(time.Hour)) {
		t.Errorf("due %v, next %v", ok, next)
	}
	if ok, _ := s.Due(at.Add(time.Hour), time.Hour); !ok {
		t.Error("it is due after an hour")
	}
	s = s.After(source.Pull{At: at, Outcome: source.BadStatus, Status: 503, RetryAfter: 5 * time.Hour})
	if ok, next := s.Due(at.Add(2*time.Hour), time.Hour); ok || !next.Equal(at.Add(5*time.Hour)) {
		t.Errorf("with patience asked for: due %v, next %v", ok, next)
	}
	for range 20 {
		s = s.After(source.Pull{At: at, Outcome: source.Unreachable})
	}
	if _, next := s.Due(at, time.Hour); next.After(at.Add(24 * time.Hour)) {
		t.Errorf("a failing source waits until %v", next)
	}
	s = s.After(source.Pull{At: at, Outcome: source.BadStatus, Status: 429, RetryAfter: 1e6 * time.Hour})
	if _, next := s.Due(at, time.Hour); next.After(at.Add(8 * 24 * time.Hour)) {
		t.Errorf("a server can put it off until %v", next)
	}
}

func TestMissed(t *testing.T) {
	at := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	s := source.State{}.After(source.Pull{At: at, Outcome: source.Fetched})
	if _, _, any := s.Missed(at); any {
		t.Error("nothing is missing")
	}
	s = s.After(source.Pull{At: at.AddDate(0, 0, 2), Outcome: source.Unreachable})
	from, to, any := s.Missed(at.AddDate(0, 0, 3))
	if !any || !from.Equal(at) || !to.Equal(at.AddDate(0, 0, 3)) {
		t.Errorf("missing from %v to %v, %v", from, to, any)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("sources:\n  - id: a\n    url: https://a.example/\n"))
	f.Add([]byte("sources: {}"))
	f.Add([]byte("- a\n- &x [*x]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := source.Parse(data)
		if err != nil {
			return
		}
		for _, s := range list {
			if s.ID == "" || !strings.HasPrefix(s.URL, "https://") || s.Every <= 0 {
				t.Fatalf("an incomplete source: %+v", s)
			}
		}
	})
}
