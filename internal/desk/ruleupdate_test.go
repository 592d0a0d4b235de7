package desk_test

import (
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

const (
	ruleInvoice = "name: Invoice\nid: invoice\nseverity: high\nsource: strings.icontains(subject.subject, \"invoice\")\n"
	ruleParcel  = "name: Parcel\nid: parcel\nseverity: low\nsource: strings.icontains(subject.subject, \"parcel\")\n"
	ruleNever   = "name: Never\nid: never\nsource: \"false\"\n"
	ruleBroken  = "name: Broken\nid: broken\nsource: |\n  sender.emial == \"x\"\n"
)

// feedFolder writes the files of a feed and returns their folder.
func feedFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func digestOf(t *testing.T, dir string, kind feeds.Kind) string {
	t.Helper()
	c, err := feeds.OpenFolder(dir, kind)
	if err != nil {
		t.Fatal(err)
	}
	return c.Digest
}

// stored is the digest of the version of a feed that counts, "" for none.
func stored(t *testing.T, data, name string) string {
	t.Helper()
	v, err := feeds.NewStore(data, feeds.RulesFeed, name).Current()
	if errors.Is(err, feeds.ErrNotFetched) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	return v.Digest
}

func kindOf(err error) desk.ErrorKind {
	if e, ok := errors.AsType[*desk.Error](err); ok {
		return e.Kind
	}
	return ""
}

func TestUpdateFeed(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.FixedZone("JST", 9*3600))
	data := t.TempDir()
	deps := desk.FeedDeps{DataDir: data, Now: func() time.Time { return now }}
	one := feedFolder(t, map[string]string{"a.yml": ruleInvoice, "sub/b.yml": ruleNever, "LICENSE": "free"})
	two := feedFolder(t, map[string]string{"a.yml": ruleInvoice + "# more\n", "c.yml": ruleBroken, "d.yml": ruleParcel})
	first, second := digestOf(t, one, feeds.RulesFeed), digestOf(t, two, feeds.RulesFeed)
	update := func(dir string, edit func(*desk.FeedUpdateInput)) *desk.FeedUpdate {
		t.Helper()
		in := desk.FeedUpdateInput{Kind: feeds.RulesFeed, Name: "ours", File: dir}
		if edit != nil {
			edit(&in)
		}
		u, err := desk.UpdateFeed(t.Context(), in, deps)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	// Looking and saying no change nothing.
	other := "sha256:" + strings.Repeat("0", 64)
	if u := update(one, func(in *desk.FeedUpdateInput) { in.DryRun, in.Pin = true, other }); u.Pin != other || u.Status != desk.FeedDryRun || stored(t, data, "ours") != "" {
		t.Errorf("dry run: %s", u.Status)
	}
	asked := 0
	no := func(in *desk.FeedUpdateInput) {
		in.Confirm = func(u *desk.FeedUpdate) bool {
			if asked++; stored(t, data, "ours") != "" || u.Digest != first {
				t.Errorf("asked about %s when %q counts", u.Digest, stored(t, data, "ours"))
			}
			return false
		}
	}
	if u := update(one, no); u.Status != desk.FeedDeclined || stored(t, data, "ours") != "" || asked != 1 {
		t.Errorf("declined: %s", u.Status)
	}
	want := &desk.FeedUpdate{
		Schema: "sekisho.feed-update/v1", Kind: feeds.RulesFeed, Name: "ours", Status: desk.FeedUpdated, Source: one, Digest: first, Pin: first, Fetched: now.UTC(),
		Files: 3, Bytes: int64(len(ruleInvoice + ruleNever + "free")), Entries: 2, Never: 1,
		Added:   []desk.FeedChange{{ID: "invoice", Name: "Invoice", File: "a.yml"}, {ID: "never", Name: "Never", File: "sub/b.yml"}},
		Changed: []desk.FeedChange{}, Removed: []desk.FeedChange{},
	}
	got := update(one, func(in *desk.FeedUpdateInput) { in.Pin = first })
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(desk.FeedUpdate{}, "Problems")); diff != "" {
		t.Error(diff)
	}
	if len(got.Problems) != 1 || got.Problems[0].File != "sub/b.yml" {
		t.Errorf("problems %+v", got.Problems)
	}
	if u := update(one, no); u.Status != desk.FeedUnchanged || u.Digest != first || asked != 1 {
		t.Errorf("unchanged: %+v", u)
	}
	got = update(two, nil)
	want = &desk.FeedUpdate{
		Schema: "sekisho.feed-update/v1", Kind: feeds.RulesFeed, Name: "ours", Status: desk.FeedUpdated, Source: two, Digest: second, Previous: first, Fetched: now.UTC(),
		Files: 3, Bytes: int64(len(ruleInvoice + "# more\n" + ruleBroken + ruleParcel)), Entries: 3, Broken: 1,
		Added:   []desk.FeedChange{{ID: "broken", Name: "Broken", File: "c.yml"}, {ID: "parcel", Name: "Parcel", File: "d.yml"}},
		Changed: []desk.FeedChange{{ID: "invoice", Name: "Invoice", File: "a.yml"}},
		Removed: []desk.FeedChange{{ID: "never", Name: "Never", File: "sub/b.yml"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(desk.FeedUpdate{}, "Problems")); diff != "" {
		t.Error(diff)
	}
	back, err := desk.RollbackFeed(t.Context(), feeds.RulesFeed, "ours", deps)
	if err != nil || back.Status != desk.FeedRolledBack || back.Digest != first || back.Previous != second || stored(t, data, "ours") != first {
		t.Errorf("%+v %v", back, err)
	}
}

func TestUpdateFeedRefuses(t *testing.T) {
	good := feedFolder(t, map[string]string{"a.yml": ruleInvoice})
	broken := feedFolder(t, map[string]string{"a.yml": ruleBroken})
	empty := feedFolder(t, map[string]string{"LICENSE": "free", "a.txt": "x"})
	page := filepath.Join(feedFolder(t, map[string]string{"page.tar.gz": "<html>"}), "page.tar.gz")
	other := "sha256:" + strings.Repeat("0", 64)
	rules := func(in desk.FeedUpdateInput) desk.FeedUpdateInput { in.Kind = feeds.RulesFeed; return in }
	for _, tc := range []struct {
		name string
		in   desk.FeedUpdateInput
		kind desk.ErrorKind
		says string
	}{
		{"Offline", rules(desk.FeedUpdateInput{Feed: "sublime"}), desk.Unavailable, "--offline"},
		{"OfflineGit", rules(desk.FeedUpdateInput{Feed: "https://rules.example/x.git"}), desk.Unavailable, "--offline"},
		{"Unknown", rules(desk.FeedUpdateInput{Feed: "sublimes"}), desk.NotFound, "sublimes"},
		{"NotAName", rules(desk.FeedUpdateInput{Feed: "../x", File: good}), desk.NotFound, "../x"},
		{"NoName", rules(desk.FeedUpdateInput{File: good}), desk.Invalid, "needs a name"},
		{"BadName", rules(desk.FeedUpdateInput{File: good, Name: "../x"}), desk.Invalid, "../x"},
		{"BuiltinName", rules(desk.FeedUpdateInput{File: good, Name: "sekisho"}), desk.Invalid, "sekisho"},
		{"NameTaken", rules(desk.FeedUpdateInput{Feed: "https://rules.example/x.git", Name: "sublime"}), desk.Conflict, "sublime"},
		{"TwoNames", rules(desk.FeedUpdateInput{Feed: "sublime", Name: "ours", File: good}), desk.Invalid, "ours"},
		{"PinForm", rules(desk.FeedUpdateInput{Name: "ours", File: good, Pin: "sha256:12"}), desk.Invalid, "sha256:12"},
		{"Pin", rules(desk.FeedUpdateInput{Name: "ours", File: good, Pin: other}), desk.Conflict, other},
		{"PinSaysBoth", rules(desk.FeedUpdateInput{Name: "ours", File: good, Pin: other}), desk.Conflict, digestOf(t, good, feeds.RulesFeed)},
		{"NoFile", rules(desk.FeedUpdateInput{Name: "ours", File: filepath.Join(good, "missing.tar.gz")}), desk.NotFound, "missing.tar.gz"},
		{"NoArchive", rules(desk.FeedUpdateInput{Name: "ours", File: page}), desk.Invalid, "no archive"},
		{"NoRules", rules(desk.FeedUpdateInput{Name: "ours", File: empty}), desk.Invalid, "no rules"},
		{"NoUsableRules", rules(desk.FeedUpdateInput{Name: "ours", File: broken}), desk.Invalid, "no rule that can be used"},
		{"NoLists", desk.FeedUpdateInput{Kind: feeds.ListsFeed, Name: "lists", File: good}, desk.Invalid, "no lists"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			data := t.TempDir()
			tc.in.Confirm = func(*desk.FeedUpdate) bool { t.Error("asked about what is refused"); return true }
			u, err := desk.UpdateFeed(t.Context(), tc.in, desk.FeedDeps{DataDir: data})
			if kindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %+v %v", u, err)
			}
			left, err := filepath.Glob(filepath.Join(data, "*", "*", ".incoming-*"))
			if err != nil || len(left) > 0 || stored(t, data, "ours") != "" {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
	if _, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: "sublime"}, desk.FeedDeps{}); kindOf(err) != desk.Invalid {
		t.Errorf("without a folder for data: %v", err)
	}
	data := t.TempDir()
	if _, err := desk.RollbackFeed(t.Context(), feeds.RulesFeed, "ours", desk.FeedDeps{DataDir: data}); kindOf(err) != desk.NotFound {
		t.Errorf("rollback of nothing: %v", err)
	}
	if _, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Name: "ours", File: good}, desk.FeedDeps{DataDir: data}); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Feed: "ours"}, desk.FeedDeps{DataDir: data}); kindOf(err) != desk.Invalid || !strings.Contains(err.Error(), "from a file") {
		t.Errorf("a feed without an address: %v", err)
	}
}

// TestUpdateFeedMails holds the preview to the verdicts of judge.
func TestUpdateFeedMails(t *testing.T) {
	data := t.TempDir()
	deps := desk.FeedDeps{DataDir: data}
	mail := func(subject string) []byte {
		return []byte("From: a@sender.test\r\nTo: b@kiso-works.example\r\nSubject: " + subject + "\r\nDate: Wed, 25 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@sender.test>\r\n\r\nHello\r\n")
	}
	items := []desk.Item{{File: "invoice.eml", Raw: mail("your invoice")}, {File: "parcel.eml", Raw: mail("your parcel")}, {File: "plain.eml", Raw: mail("hello")}, {File: "bad", Err: errors.New("unreadable")}}
	in := desk.FeedUpdateInput{
		Kind: feeds.RulesFeed, Name: "ours", Judge: desk.JudgeDeps{Facts: org.Facts{}},
		Mails: func() iter.Seq[desk.Item] { return slices.Values(items) },
	}
	in.File = feedFolder(t, map[string]string{"a.yml": ruleInvoice})
	first, err := desk.UpdateFeed(t.Context(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	invoice := desk.MailChange{File: "invoice.eml", Before: desk.Clean, After: desk.Malicious, Gained: []string{"Invoice"}, Lost: []string{}}
	if diff := cmp.Diff(&desk.FeedMails{Judged: 3, Unread: 1, Changed: []desk.MailChange{invoice}}, first.Mails); diff != "" {
		t.Error(diff)
	}
	in.File = feedFolder(t, map[string]string{"b.yml": ruleParcel})
	second, err := desk.UpdateFeed(t.Context(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	invoice.Before, invoice.After, invoice.Gained, invoice.Lost = desk.Malicious, desk.Clean, []string{}, []string{"Invoice"}
	if len(second.Mails.Changed) != 2 || second.Mails.Changed[1].File != "parcel.eml" || !slices.Equal(second.Mails.Changed[1].Gained, []string{"Parcel"}) {
		t.Errorf("%+v", second.Mails)
	} else if diff := cmp.Diff(invoice, second.Mails.Changed[0]); diff != "" {
		t.Error(diff)
	}
	// Other rules of the user that find the same leave the verdict as it is.
	in.Beside = []string{feedFolder(t, map[string]string{"x.yml": strings.ReplaceAll(ruleInvoice, "Invoice", "Own invoice")})}
	in.File = feedFolder(t, map[string]string{"a.yml": ruleInvoice})
	in.DryRun = true
	third, err := desk.UpdateFeed(t.Context(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	if c := third.Mails.Changed; len(c) != 2 || c[0].Before != desk.Malicious || c[0].After != desk.Malicious || !slices.Equal(c[0].Gained, []string{"Invoice"}) {
		t.Errorf("%+v", third.Mails)
	}
}

func TestListFeeds(t *testing.T) {
	data := t.TempDir()
	deps := desk.FeedDeps{DataDir: data}
	dir := feedFolder(t, map[string]string{"a.yml": ruleInvoice})
	const address = "https://rules.example/x.tar.gz"
	for _, in := range []desk.FeedUpdateInput{{Name: "ours", File: dir}, {Feed: address, File: dir}} {
		in.Kind = feeds.RulesFeed
		if _, err := desk.UpdateFeed(t.Context(), in, deps); err != nil {
			t.Fatal(err)
		}
	}
	pin := "sha256:" + strings.Repeat("0", 64)
	list, err := desk.ListFeeds(data, []feeds.Ref{{Feed: "ours", Pin: pin}, {Feed: address}, {Feed: "https://rules.example/y.git"}})
	if err != nil {
		t.Fatal(err)
	}
	type short struct {
		Name, Source string
		State        desk.FeedState
		Configured   bool
		Entries      int
	}
	var got []short
	for _, f := range list {
		got = append(got, short{f.Name, f.Source, f.State, f.Configured, f.Entries})
	}
	sublime, _ := feeds.LookupKnown(feeds.RulesFeed, "sublime")
	want := []short{
		{"ours", dir, desk.FeedNotPinned, true, 1},
		{"sublime", sublime.URL, desk.FeedNotFetched, false, 0},
		{feeds.NameOf(address), address, desk.FeedReady, true, 1},
		{feeds.NameOf("https://rules.example/y.git"), "https://rules.example/y.git", desk.FeedNotFetched, true, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	names, err := desk.UpdatableFeeds(data)
	if diff := cmp.Diff([]string{feeds.NameOf(address)}, names); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestLoadRulesOfFeeds holds what judge says of a feed that it cannot use.
func TestLoadRulesOfFeeds(t *testing.T) {
	data := t.TempDir()
	dir := feedFolder(t, map[string]string{"a.yml": ruleInvoice})
	if _, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.RulesFeed, Name: "ours", File: dir}, desk.FeedDeps{DataDir: data}); err != nil {
		t.Fatal(err)
	}
	other := "sha256:" + strings.Repeat("0", 64)
	for _, tc := range []struct {
		name  string
		paths []string
		feeds []feeds.Ref
		kind  desk.ErrorKind // "" if they load
		hint  string
	}{
		{"Fetched", []string{"ours"}, nil, "", ""},
		{"Configured", nil, []feeds.Ref{{Feed: "ours", Pin: digestOf(t, dir, feeds.RulesFeed)}}, "", ""},
		{"NotFetched", []string{"sublime"}, nil, desk.NotFound, "sekisho rules update sublime"},
		{"AddressNotFetched", []string{"https://rules.example/x.git"}, nil, desk.NotFound, "sekisho rules update https://rules.example/x.git"},
		{"ConfiguredNotFetched", nil, []feeds.Ref{{Feed: "theirs"}}, desk.NotFound, "sekisho rules update theirs"},
		{"OtherPin", nil, []feeds.Ref{{Feed: "ours", Pin: other}}, desk.Conflict, "sekisho rules update ours"},
		{"Misspelt", []string{"oors"}, nil, desk.NotFound, "--list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, err := desk.LoadRules(t.Context(), tc.paths, true, &feeds.Options{DataDir: data, Feeds: tc.feeds})
			if kindOf(err) != tc.kind || tc.kind == "" && (err != nil || len(set.Rules) != 1) {
				t.Fatalf("got %v", err)
			}
			if tc.kind == "" {
				return
			}
			e, _ := errors.AsType[*desk.Error](err)
			if hint := lang.Default().Say(lang.EN, e.Hint); !strings.Contains(hint, tc.hint) {
				t.Errorf("hint %q", hint)
			}
		})
	}
}

func TestListLists(t *testing.T) {
	data := t.TempDir()
	fetched := feedFolder(t, map[string]string{"url_shorteners.txt": "a.example\nb.example\n", "tranco_top_10k.csv": "1,c.example\n"})
	if _, err := desk.UpdateFeed(t.Context(), desk.FeedUpdateInput{Kind: feeds.ListsFeed, Feed: "sublime", File: fetched}, desk.FeedDeps{DataDir: data}); err != nil {
		t.Fatal(err)
	}
	open, err := desk.OpenLists([]string{feeds.ListsDir(data), feedFolder(t, map[string]string{"partner_domains.txt": "p.example\n"})})
	if err != nil {
		t.Fatal(err)
	}
	facts := org.Facts{Domains: org.Of([]string{"kiso-works.example"})}
	type short struct {
		From    desk.ListFrom
		Entries int
		Licence string
	}
	got := map[string]short{}
	for _, l := range desk.ListLists(data, open, &facts) {
		got[l.Name] = short{l.From, l.Entries, l.Licence}
	}
	for name, want := range map[string]short{
		"url_shorteners":   {desk.FromFetched, 2, "MIT"},
		"partner_domains":  {desk.FromFolder, 1, ""},
		"org_domains":      {desk.FromOrganisation, 1, ""},
		"sender_emails":    {desk.FromHistory, 0, ""},
		"majestic_million": {desk.FromNobody, 0, ""},
	} {
		if got[name] != want {
			t.Errorf("%s: got %+v, want %+v", name, got[name], want)
		}
	}
	if f := got["free_email_providers"]; f.From != desk.FromSekisho || f.Entries == 0 {
		t.Errorf("free_email_providers: %+v", f)
	}
}
