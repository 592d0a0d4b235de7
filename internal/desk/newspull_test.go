package desk_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// entry is an item of a feed.
type entry struct {
	id, title, text string
	at              time.Time
}

func rss(list ...entry) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Test</title>`)
	for _, e := range list {
		fmt.Fprintf(&b, "<item><title>%s</title><guid>%s</guid><link>https://news.example/%s</link><pubDate>%s</pubDate><description>%s</description></item>",
			html.EscapeString(e.title), e.id, e.id, e.at.Format(time.RFC1123Z), html.EscapeString("<p>"+html.EscapeString(e.text)+"</p>"))
	}
	b.WriteString("</channel></rss>")
	return b.String()
}

// web answers from a table, and notes what it was asked.
type web struct {
	mu      sync.Mutex
	answers map[string][]any // string: a body; int: a status; error. The last one stays
	asked   []string
	etags   []string
}

func (w *web) Get(_ context.Context, address string, o *desk.FetchOptions) (*desk.Fetched, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked, w.etags = append(w.asked, address), append(w.etags, o.ETag)
	list := w.answers[address]
	if len(list) == 0 {
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("fetch.error.host", "url", address)}
	}
	if len(list) > 1 {
		w.answers[address] = list[1:]
	}
	switch a := list[0].(type) {
	case int:
		f := &desk.Fetched{URL: address, Status: a}
		if a == 429 {
			f.RetryAfter = time.Hour
		}
		return f, nil
	case error:
		return nil, a
	case string:
		etag := strconv.Quote(strconv.Itoa(len(a)))
		if o.ETag == etag {
			return &desk.Fetched{URL: address, Status: 304, ETag: etag}, nil
		}
		return &desk.Fetched{URL: address, Status: 200, Body: []byte(a), ETag: etag, ContentType: "text/xml; charset=utf-8"}, nil
	}
	panic("no answer")
}

type bench struct {
	*web
	deps  *desk.NewsDeps
	db    *sqlite.DB
	now   time.Time
	slept []time.Duration
}

func newBench(t testing.TB, answers map[string][]any, ids ...string) *bench {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	b := &bench{web: &web{answers: answers}, db: db, now: time.Date(2026, 5, 8, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))}
	b.deps = &desk.NewsDeps{
		Store: db, Fetch: b.web, Now: func() time.Time { return b.now },
		Facts: org.Facts{Products: org.Of([]string{"windows-11", "microsoft-365"}), Country: org.Of("JP"), Domains: org.Of([]string{"kiso-works.example"})},
		Sleep: func(_ context.Context, d time.Duration) error { b.slept = append(b.slept, d); return nil },
	}
	for _, id := range ids {
		b.deps.Sources = append(b.deps.Sources, source.Source{ID: id, Name: source.Text{JA: id, EN: id}, URL: "https://" + id + ".example/feed", Format: feed.RSS, On: true, Every: 6, Kind: "article"})
	}
	return b
}

func (b *bench) pull(t testing.TB, in desk.PullInput) *desk.Pulled {
	t.Helper()
	out, err := desk.PullNews(t.Context(), &in, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (b *bench) list(t *testing.T, f desk.NewsFilter) []desk.StoryRecord {
	t.Helper()
	out, _, err := desk.ListNews(t.Context(), &f, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func outcomes(p *desk.Pulled) map[string]source.Outcome {
	out := map[string]source.Outcome{}
	for _, s := range p.Sources {
		out[s.ID] = s.Pull.Outcome
	}
	return out
}

func windowsEntry() entry {
	return entry{"w1", "Vulnerability in Windows 11 (CVE-2031-10001)", "A vulnerability in Windows 11, CVE-2031-10001, lets an attacker run code. An update is available.", time.Date(2026, 5, 7, 3, 0, 0, 0, time.UTC)}
}

// One source that fails in any way leaves the others alone, and is said.
func TestPullNewsOutcomes(t *testing.T) {
	b := newBench(t, map[string][]any{
		"https://good.example/feed":    {rss(windowsEntry())},
		"https://flaky.example/feed":   {500, rss(entry{"f1", "Update of a printer driver", "A printer driver of Northwind has an update.", windowsEntry().at})},
		"https://broken.example/feed":  {503},
		"https://busy.example/feed":    {429},
		"https://moved.example/feed":   {"<!DOCTYPE html><html><body><h1>We moved</h1></body></html>"},
		"https://private.example/feed": {&desk.Error{Kind: desk.Denied, Message: lang.M("fetch.error.address", "url", "x")}},
		"https://big.example/feed":     {&desk.Error{Kind: desk.Limit, Message: lang.M("fetch.error.large", "url", "x")}},
		"https://atomic.example/feed":  {`{"title":"x","vulnerabilities":[]}`},
	}, "good", "flaky", "broken", "busy", "moved", "private", "big", "atomic", "gone")
	p := b.pull(t, desk.PullInput{})
	want := map[string]source.Outcome{
		"good": source.Fetched, "flaky": source.Fetched, "broken": source.BadStatus, "busy": source.BadStatus, "moved": source.BadDocument, "private": source.Refused,
		"big": source.BadDocument, "atomic": source.BadDocument, "gone": source.Unreachable,
	}
	if d := cmp.Diff(want, outcomes(p)); d != "" {
		t.Error(d)
	}
	if !p.First || p.New != 2 || p.Items != 2 || p.Stories != 2 || p.Stopped {
		t.Errorf("the pull says %+v", p)
	}
	slices.Sort(b.slept)
	if d := cmp.Diff([]time.Duration{2 * time.Second, 2 * time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second}, b.slept); d != "" {
		t.Errorf("pauses: %s", d)
	}
	_, gaps, err := desk.ListNews(t.Context(), &desk.NewsFilter{}, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, g := range gaps {
		missing = append(missing, g.ID)
		if g.MissedFrom == nil || g.Message.EN == "" || g.Message.JA == "" {
			t.Errorf("%+v", g)
		}
	}
	if d := cmp.Diff([]string{"broken", "busy", "moved", "private", "big", "atomic", "gone"}, missing); d != "" {
		t.Error(d)
	}

	// What is not due is not asked; who asked for patience gets it even with force.
	asked := len(b.asked)
	b.now = b.now.Add(time.Minute)
	if p = b.pull(t, desk.PullInput{}); len(b.asked) != asked || p.First || outcomes(p)["good"] != source.Waiting {
		t.Errorf("asked too early: %v", b.asked[asked:])
	}
	p = b.pull(t, desk.PullInput{Sources: []string{"good", "busy"}, Force: true})
	if d := cmp.Diff(map[string]source.Outcome{"good": source.NotModified, "busy": source.Waiting}, outcomes(p)); d != "" {
		t.Error(d)
	}
	if b.etags[len(b.etags)-1] == "" {
		t.Error("the request was not conditional")
	}
	_, err = desk.PullNews(t.Context(), &desk.PullInput{Sources: []string{"unknown"}}, b.deps)
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.NotFound {
		t.Errorf("an unknown source: %v", err)
	}
	b.deps.Fetch = nil
	_, err = desk.PullNews(t.Context(), &desk.PullInput{}, b.deps)
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Unavailable || !strings.Contains(err.Error(), "9") {
		t.Errorf("offline: %v", err)
	}
}

// A source that publishes an index is followed to its newest documents.
func TestPullNewsFollows(t *testing.T) {
	doc := func(id string) string {
		return `{"document":{"category":"csaf_security_advisory","csaf_version":"2.0","title":"Northwind Router ` + id + `","lang":"en","publisher":{"category":"vendor","name":"Northwind","namespace":"https://northwind.example"},
		"tracking":{"id":"` + id + `","status":"final","version":"1","current_release_date":"2026-05-07T00:00:00Z","initial_release_date":"2026-05-07T00:00:00Z","revision_history":[]}},"vulnerabilities":[{"cve":"CVE-2031-1000` + id[len(id)-1:] + `"}]}`
	}
	index := `"2026/nw-3.json","2026-05-07T00:00:00Z"` + "\n" + `"2026/nw-2.json","2026-05-06T00:00:00Z"` + "\n" + `"2026/nw-1.json","2026-05-05T00:00:00Z"` + "\n"
	b := newBench(t, map[string][]any{
		"https://index.example/csaf/changes.csv":    {index},
		"https://index.example/csaf/2026/nw-3.json": {doc("nw-3")},
		"https://index.example/csaf/2026/nw-2.json": {404},
	}, "index")
	s := &b.deps.Sources[0]
	s.URL, s.Format, s.Follow = "https://index.example/csaf/changes.csv", feed.CSAFIndex, 2
	p := b.pull(t, desk.PullInput{})
	if p.New != 1 || outcomes(p)["index"] != source.Fetched || len(p.Sources[0].Pull.Defects) != 1 {
		t.Errorf("%+v", p.Sources)
	}
	if d := cmp.Diff([]string{"https://index.example/csaf/changes.csv", "https://index.example/csaf/2026/nw-3.json", "https://index.example/csaf/2026/nw-2.json"}, b.asked); d != "" {
		t.Error(d)
	}
}

// A change in what an item says opens its grade again and keeps the version
// before; a change of wording keeps a version and leaves the grade alone.
func TestPullNewsReopens(t *testing.T) {
	first, reworded, exploited := windowsEntry(), windowsEntry(), windowsEntry()
	reworded.text = "A vulnerability in Windows 11, CVE-2031-10001, allows an attacker to run code. An update is available."
	exploited.text = "A vulnerability in Windows 11, CVE-2031-10001, is being exploited in attacks in Japan. An update is available."
	b := newBench(t, map[string][]any{"https://a.example/feed": {rss(first), rss(reworded), rss(exploited)}}, "a")
	if p := b.pull(t, desk.PullInput{}); p.Stories != 1 || len(p.Reopened) != 0 {
		t.Fatalf("%+v", p)
	}
	before := b.list(t, desk.NewsFilter{})[0]
	if before.Grade != triage.C || before.Due == "" || len(before.Why) == 0 || before.Reopened != nil {
		t.Errorf("%+v", before)
	}

	b.now = b.now.AddDate(0, 0, 1)
	if p := b.pull(t, desk.PullInput{}); p.Changed != 1 || p.New != 0 || p.Stories != 0 || len(p.Reopened) != 0 {
		t.Errorf("%+v", p)
	}
	if got := b.list(t, desk.NewsFilter{})[0]; got.Reopened != nil || got.Due != before.Due || !got.GradedAt.Equal(before.GradedAt) || got.Items[0].Version != 2 {
		t.Errorf("a change of wording: %+v", got)
	}

	b.now = b.now.AddDate(0, 0, 1)
	p := b.pull(t, desk.PullInput{})
	if p.Changed != 1 || len(p.Reopened) != 1 {
		t.Fatalf("%+v", p)
	}
	got := b.list(t, desk.NewsFilter{})[0]
	if got.ID != before.ID || got.Grade >= before.Grade || got.Due >= before.Due || got.Reopened == nil || got.Reopened.Cause != desk.ItemChanged || got.Reopened.Was != triage.C ||
		!slices.Contains(got.Reopened.Fields, "facts") {
		t.Errorf("%+v, reopened %+v", got, got.Reopened)
	}
	detail, err := desk.ShowNews(t.Context(), got.ID, b.db, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	v := detail.Items[0].Versions
	if len(v) != 3 || v[1].Material || !v[2].Material || len(v[2].Added) == 0 || !detail.Items[0].Grades || v[0].Snapshot == v[2].Snapshot {
		t.Errorf("%+v", v)
	}
	for _, x := range v {
		if body, err := b.db.NewsSnapshot(t.Context(), x.Snapshot); err != nil || len(body) == 0 {
			t.Errorf("the document of version %d: %d bytes, %v", x.Version, len(body), err)
		}
	}

	// Nothing new: nothing is said to be reopened again.
	b.now = b.now.AddDate(0, 0, 1)
	if p := b.pull(t, desk.PullInput{}); len(p.Reopened) != 0 || outcomes(p)["a"] != source.NotModified {
		t.Errorf("%+v", p)
	}
	// The organisation has other products.
	b.deps.Facts.Products = org.Of([]string{"acrobat"})
	if p := b.pull(t, desk.PullInput{Force: true}); len(p.Reopened) != 1 || p.Reopened[0].Grade != triage.D || p.Reopened[0].Reopened.Cause != desk.OrgChanged {
		t.Errorf("%+v", p)
	}
}

// Another source that knows more raises the grade; one that knows the same does
// not move the deadline. The story keeps its name although the other item was
// published before.
func TestPullNewsJoins(t *testing.T) {
	a, same, more := windowsEntry(), windowsEntry(), windowsEntry()
	same.id, same.at = "x1", same.at.Add(-time.Hour)
	more.id, more.title = "y1", "Windows 11 CVE-2031-10001 exploited"
	more.text = "CVE-2031-10001 in Windows 11 is being exploited in attacks on companies in Japan."
	b := newBench(t, map[string][]any{"https://a.example/feed": {rss(a)}, "https://b.example/feed": {rss(same), rss(same, more)}}, "a", "b")
	b.pull(t, desk.PullInput{Sources: []string{"a"}})
	before := b.list(t, desk.NewsFilter{})[0]

	b.now = b.now.AddDate(0, 0, 3)
	if p := b.pull(t, desk.PullInput{Sources: []string{"b"}}); len(p.Reopened) != 0 || p.Stories != 0 {
		t.Errorf("%+v", p)
	}
	list := b.list(t, desk.NewsFilter{})
	if len(list) != 1 || list[0].ID != before.ID || list[0].Due != before.Due || len(list[0].Items) != 2 || !slices.Equal(list[0].Sources, []string{"a", "b"}) {
		t.Fatalf("%+v", list)
	}
	p := b.pull(t, desk.PullInput{Sources: []string{"b"}, Force: true})
	if len(p.Reopened) != 1 {
		t.Fatalf("%+v", p)
	}
	got := p.Reopened[0]
	if got.Grade >= before.Grade || got.Reopened.Cause != desk.ItemCame || got.Reopened.Item != got.GradedBy || got.ID != before.ID {
		t.Errorf("%+v %+v", got, got.Reopened)
	}
	// The advisory is about the item that gave the grade.
	in, s, err := desk.StoryInput(t.Context(), got.ID, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	doc, tri, err := desk.Advise(in, desk.AdviseDeps{Facts: b.deps.Facts, Now: b.deps.Now})
	if err != nil {
		t.Fatal(err)
	}
	if tri.Decision.Grade != s.Grade || doc.Due != s.Due || len(doc.Sources) != 3 {
		t.Errorf("the advisory has grade %s and date %s, the story %s and %s", tri.Decision.Grade, doc.Due, s.Grade, s.Due)
	}
	for _, f := range []desk.NewsFilter{{Grades: []triage.Grade{triage.D}}, {Since: b.now.AddDate(0, 1, 0)}} {
		if list := b.list(t, f); len(list) != 0 {
			t.Errorf("%+v lets %v through", f, list)
		}
	}
	if list := b.list(t, desk.NewsFilter{Grades: []triage.Grade{got.Grade}, Source: "b"}); len(list) != 1 {
		t.Errorf("the filter has %v", list)
	}
}

// Two pulls at the same time keep each item once.
func TestPullNewsAtTheSameTime(t *testing.T) {
	b := newBench(t, map[string][]any{"https://a.example/feed": {rss(windowsEntry())}}, "a")
	var wg sync.WaitGroup
	added := make([]int, 4)
	for i := range added {
		wg.Go(func() {
			p, err := desk.PullNews(t.Context(), &desk.PullInput{Force: true}, b.deps)
			if err != nil {
				t.Error(err)
				return
			}
			added[i] = p.New
		})
	}
	wg.Wait()
	slices.Sort(added)
	if d := cmp.Diff([]int{0, 0, 0, 1}, added); d != "" {
		t.Error(d)
	}
}

// An interruption keeps what was read.
func TestPullNewsInterrupted(t *testing.T) {
	b := newBench(t, map[string][]any{"https://a.example/feed": {rss(windowsEntry())}, "https://b.example/feed": {rss(windowsEntry())}}, "a", "b", "c", "d", "e", "f", "g", "h")
	ctx, cancel := context.WithCancel(t.Context())
	b.deps.Progress = func(done, total int) {
		if total != 8 {
			t.Errorf("of %d sources", total)
		}
		cancel()
	}
	b.deps.Sleep = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
	p, err := desk.PullNews(ctx, &desk.PullInput{}, b.deps)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Stopped || p.New == 0 || len(p.Sources) == 0 || len(p.Sources) == 8 || p.Stories == 0 {
		t.Errorf("%+v", p)
	}
}

// What a person adds is an item like others, and adding it again is no news.
func TestAddNews(t *testing.T) {
	b := newBench(t, nil)
	article := []byte("<!DOCTYPE html><html lang=en><head><title>Windows 11 attacked</title></head><body><article><h1>Windows 11 attacked</h1><p>CVE-2031-10001 in Windows 11 is being exploited in attacks on companies in Japan. Install the update.</p></article></body></html>")
	out, err := desk.AddNews(t.Context(), article, "page.html", "", "", b.deps)
	if err != nil {
		t.Fatal(err)
	}
	if out.New != 1 || len(out.Stories) != 1 || !slices.Equal(out.Stories[0].Sources, []string{"added"}) || out.Stories[0].Grade > triage.B {
		t.Errorf("%+v", out)
	}
	again, err := desk.AddNews(t.Context(), article, "page.html", "", "", b.deps)
	if err != nil {
		t.Fatal(err)
	}
	if again.New != 0 || again.Changed != 0 || again.Stories[0].ID != out.Stories[0].ID {
		t.Errorf("%+v", again)
	}
	if _, err := desk.AddNews(t.Context(), []byte(" \n"), "empty", "", "", b.deps); err == nil {
		t.Error("an empty file was added")
	}
	b.answers = map[string][]any{"https://a.example/post": {string(article)}, "https://a.example/gone": {404}}
	far, err := desk.AddNewsFrom(t.Context(), "https://a.example/post", b.deps)
	if err != nil || far.New != 1 {
		t.Errorf("%+v %v", far, err)
	}
	if _, err := desk.AddNewsFrom(t.Context(), "https://a.example/gone", b.deps); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a page that is gone: %v", err)
	}
	b.deps.Fetch = nil
	if _, err := desk.AddNewsFrom(t.Context(), "https://a.example/post", b.deps); err == nil {
		t.Error("fetched offline")
	}
}
