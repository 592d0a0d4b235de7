package desk_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/org"
)

var update = flag.Bool("update", false, "write the golden files")

var digestFolder = filepath.Join("..", "..", "examples", "digest")

func digestDay(s string) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, s, time.FixedZone("JST", 9*60*60))
	if err != nil {
		panic(err)
	}
	return t
}

// digestDesk opens a store of its own.
func digestDesk(t *testing.T, now string) (*desk.DigestDeps, *sqlite.DB) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	clock := func() time.Time { return digestDay(now).Add(9 * time.Hour) }
	facts := org.Facts{Domains: org.Of([]string{"kiso-works.example"}), Products: org.Of([]string{"microsoft-365", "windows-11"}), Country: org.Of("JP")}
	return &desk.DigestDeps{
		Store: db, News: &desk.NewsDeps{Store: db, Facts: facts, Now: clock, Sources: []source.Source{{ID: "a", Name: source.Text{JA: "情報源A", EN: "Source A"}, URL: "https://a.example/", On: true, Every: 6}}},
		Patch: &desk.PatchDeps{Facts: facts, Now: clock},
	}, db
}

func digestOpen(name string) ([]byte, error) { return os.ReadFile(filepath.Join(digestFolder, name)) }

func aprilInput(t *testing.T, deps *desk.DigestDeps) *desk.DigestInput {
	t.Helper()
	list, err := digestOpen("april-2025.yaml")
	if err != nil {
		t.Fatal(err)
	}
	in := &desk.DigestInput{From: digestDay("2025-04-01"), To: digestDay("2025-04-30")}
	if in.Entries, err = desk.ReadDigestFile(t.Context(), &desk.DigestFile{Name: "april-2025.yaml", Data: list, Open: digestOpen}, deps.News); err != nil {
		t.Fatal(err)
	}
	said, err := digestOpen("commentary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if in.Commentary, err = desk.ReadDigestCommentary("commentary.yaml", said); err != nil {
		t.Fatal(err)
	}
	return in
}

// TestDigestGolden is the issue of April 2025 in every form.
func TestDigestGolden(t *testing.T) {
	deps, _ := digestDesk(t, "2025-05-01")
	r, err := desk.MakeDigest(t.Context(), aprilInput(t, deps), deps)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Forms) != 9 {
		t.Errorf("%d forms", len(r.Forms))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Forms)) {
		path := filepath.Join("testdata", "digest", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, r.Forms[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(r.Forms[name])); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	// What the newsletter has to say of that month, wherever it stands.
	for _, name := range []string{"digest.ja.txt", "digest.en.txt", "digest.ja.html", "digest.en.html", "digest.ja.md", "digest.en.md"} {
		for _, s := range []string{"KB5055518", "19045.5737", "KB5055528", "22631.5189", "KB5055523", "26100.3775", "6.4.3", "550 5.7.515", "news-ja.example", "CVE-2025-29824"} {
			if !strings.Contains(string(r.Forms[name]), s) && s != "550 5.7.515" {
				t.Errorf("%s lacks %s", name, s)
			}
		}
	}
}

// The number stays with the period, and the same content with its version.
func TestDigestNumbers(t *testing.T) {
	deps, db := digestDesk(t, "2025-05-01")
	in := aprilInput(t, deps)
	run := func(number, version int) *desk.DigestRecord {
		t.Helper()
		r, err := desk.MakeDigest(t.Context(), in, deps)
		if err != nil {
			t.Fatal(err)
		}
		if r.Issue.Number != number || r.Version != version {
			t.Errorf("number %d version %d, want %d and %d", r.Issue.Number, r.Version, number, version)
		}
		return r
	}
	first := run(1, 1)
	if again := run(1, 1); again.Hash != first.Hash {
		t.Error("the same content has another hash")
	}
	in.Title = "木曽だより"
	edited := run(1, 2)
	if edited.Hash == first.Hash {
		t.Error("another content has the same hash")
	}
	in.From, in.To = digestDay("2025-04-15"), digestDay("2025-04-30")
	second := run(2, 1)
	var seen []string
	for i := range second.Issue.Items {
		for _, r := range second.Issue.Items[i].SeeAlso {
			seen = append(seen, fmt.Sprintf("%d: %d/%d %s", i+1, r.Issue, r.Item, r.Relation))
		}
	}
	if d := cmp.Diff([]string{"1: 1/1 same-story", "2: 1/2 same-story", "3: 1/3 same-story"}, seen); d != "" {
		t.Error(d)
	}
	if a := second.Issue.Advice; a[0].LastUsed != "2025-05-01" || a[2].ID == first.Issue.Advice[2].ID {
		t.Errorf("%+v", a)
	}
	list, err := desk.ListDigests(t.Context(), db)
	if err != nil || len(list) != 2 || list[0].Number != 2 || list[1].Version != 2 || list[1].Hash != edited.Hash {
		t.Errorf("%v %+v", err, list)
	}
	v, err := desk.DigestPage(t.Context(), 0, lang.JA, db)
	if err != nil || v.Issue.Number != 2 || v.Hash != second.Hash || !strings.Contains(v.Page, "木曽だより 第2号") || len(v.Open) == 0 || len(v.Offers) == 0 {
		t.Errorf("%v %+v", err, v)
	}
	old, err := desk.FindDigest(t.Context(), 1, 1, db)
	if err != nil || string(old.Forms["digest.ja.html"]) != string(first.Forms["digest.ja.html"]) {
		t.Errorf("the first version is not as it was kept: %v", err)
	}
	if _, err := desk.FindDigest(t.Context(), 9, 0, db); kindOf(err) != desk.NotFound {
		t.Error(err)
	}
}

// changed is a store in which somebody changed what was rendered.
type changed struct{ desk.DigestStore }

func (c changed) Digest(ctx context.Context, n, version int) (*desk.DigestRecord, error) {
	r, err := c.DigestStore.Digest(ctx, n, version)
	if r != nil {
		r.Forms["digest.ja.html"] = append(r.Forms["digest.ja.html"], ' ')
	}
	return r, err
}

func TestDigestChanged(t *testing.T) {
	deps, db := digestDesk(t, "2025-05-01")
	if _, err := desk.MakeDigest(t.Context(), aprilInput(t, deps), deps); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.FindDigest(t.Context(), 1, 0, changed{db}); kindOf(err) != desk.Invalid {
		t.Errorf("a changed page was shown: %v", err)
	}
}

// Without names, the stories of the period are chosen, what could not be fetched
// is said, and a thin issue does not replace a full one.
func TestDigestStories(t *testing.T) {
	deps, db := digestDesk(t, "2025-05-01")
	in := &desk.DigestInput{From: digestDay("2025-04-01"), To: digestDay("2025-04-30")}
	for _, f := range []string{"outlook-senders.ja.txt", "voice-calls.ja.txt", "april-updates.ja.txt"} {
		data, err := digestOpen(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := desk.AddNews(t.Context(), data, f, "https://news.example/"+f, "", deps.News); err != nil {
			t.Fatal(err)
		}
	}
	r, err := desk.MakeDigest(t.Context(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Issue.Items) != 3 || r.Issue.Items[0].Grade == "" {
		t.Errorf("%d items", len(r.Issue.Items))
	}
	for i := 1; i < len(r.Issue.Items); i++ {
		if r.Issue.Items[i].Grade < r.Issue.Items[i-1].Grade {
			t.Error("the most urgent is not first")
		}
	}
	if s := string(r.Forms["digest.ja.txt"]); !strings.Contains(s, "一度も取得していない情報源: 情報源A") {
		t.Error(s)
	}
	in.Most = 1
	if _, err := desk.MakeDigest(t.Context(), in, deps); kindOf(err) != desk.Conflict {
		t.Errorf("a thin issue replaced a full one: %v", err)
	}
	in.Replace = true
	thin, err := desk.MakeDigest(t.Context(), in, deps)
	if err != nil || len(thin.Issue.Items) != 1 || thin.Version != 2 {
		t.Errorf("%v %+v", err, thin)
	}
	if !slices.ContainsFunc(thin.Issue.Open, func(o digest.Open) bool { return o.Code == digest.NotChosen }) {
		t.Error("nobody is told of what was left out")
	}
	// A story by its id.
	stories, err := db.Stories(t.Context(), &desk.StoryQuery{})
	if err != nil {
		t.Fatal(err)
	}
	one, err := desk.MakeDigest(t.Context(), &desk.DigestInput{From: in.From, To: in.To, Number: 5, Stories: []string{stories[0].ID}}, deps)
	if err != nil || len(one.Issue.Items) != 1 || one.Issue.Items[0].ID != stories[0].ID {
		t.Errorf("%v", err)
	}
}

func TestDigestInputs(t *testing.T) {
	deps, _ := digestDesk(t, "2025-05-01")
	for _, tc := range []struct{ name, file, says string }{
		{"NoItems", "items: []", "no items"},
		{"UnknownKey", "items:\n  - {sources: [{file: x.txt, colour: red}]}", "colour"},
		{"NoYAML", "items: [", "yaml"},
		{"NoSource", "items:\n  - {headline: x}", "neither sources"},
		{"NoAddress", "items:\n  - {sources: [{url: 'javascript:alert(1)'}]}", "no http address"},
		{"NoDate", "items:\n  - {sources: [{title: x, date: 2025-13-01}]}", "2025-13-01"},
		{"Reuse", "items:\n  - {sources: [{file: voice-calls.ja.txt, reuse: mine}]}", "mine"},
		{"EmptySource", "items:\n  - {sources: [{publisher: x}]}", "needs a file"},
		{"NoStory", "items:\n  - {story: s0000000000000000}", "s0000000000000000"},
		{"TooMany", "items:\n" + strings.Repeat("  - {sources: [{title: x}]}\n", 21), "more than 20"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := desk.ReadDigestFile(t.Context(), &desk.DigestFile{Name: "list.yaml", Data: []byte(tc.file), Open: digestOpen}, deps.News)
			if kindOf(err) == "" || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
	for _, tc := range []struct{ name, file, says string }{
		{"UnknownKey", "items: {1: {ja: x, opinion: y}}", "opinion"},
		{"NoMapping", "items: {1: x}", "item 1"},
		{"NoYAML", "{", "yaml"},
	} {
		t.Run("Commentary"+tc.name, func(t *testing.T) {
			_, err := desk.ReadDigestCommentary("c.yaml", []byte(tc.file))
			if kindOf(err) == "" || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v", err)
			}
		})
	}
	got, err := desk.ReadDigestCommentary("c.yaml", []byte("by: 山田\nitems:\n  01: {ja: あ}\n  updates: {by: {ja: 佐藤, en: Sato}, en: b}\n"))
	want := map[string]digest.Commentary{"1": {By: lang.Text{JA: "山田", EN: "山田"}, JA: "あ"}, "updates": {By: lang.Text{JA: "佐藤", EN: "Sato"}, EN: "b"}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
}
