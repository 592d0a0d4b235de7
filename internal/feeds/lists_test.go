package feeds_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/schema"
)

// said are the notes as people read them, without the folder.
func said(notes []feeds.ListNote) []string {
	var out []string
	for _, n := range notes {
		out = append(out, filepath.Base(n.File)+": "+lang.Default().Say(lang.EN, n.Message))
	}
	return out
}

func TestLists(t *testing.T) {
	published := folder(t, map[string]string{
		"manifest.json": `{"lists": [
			{"file": "tranco.csv", "identifier": "tranco_1m", "display_name": "Ranking", "headers": ["x", "entry"], "format": "hostname"},
			{"file": "free_email_providers.txt", "identifier": "free_email_providers", "headers": ["entry"], "format": "hostname"}]}`,
		"tranco.csv":               "1,A.example\n2,b.example\n",
		"free_email_providers.txt": "\nmail.example\n",
		"tranco_1m.csv":            "1,other.example\n",
		"tenant_domains.txt":       "\n",
		"suspicious_tlds.txt":      "",
		"org_vips.txt":             "Hanako Sato\n",
		"sender list.txt":          "x\n",
		"words.doc":                "x\n",
		"LICENSE":                  "x\n",
		"README.md":                "x\n",
	})
	if err := os.Mkdir(filepath.Join(published, "folder.txt"), 0o700); err != nil {
		t.Fatal(err)
	}
	own := folder(t, map[string]string{
		"free_email_providers.txt": "freemail.test\n", "our_suppliers.txt": "# ours\nPartner.example\n" + strings.Repeat("x", 3000) + "\n", "broken.txt": "\xff\xfe",
		"recipient_emails.txt": "Yamada@Partner.example\n",
	})
	l, err := feeds.OpenLists(published, own)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range l.Files() {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"broken", "free_email_providers", "our_suppliers", "recipient_emails", "suspicious_tlds", "tenant_domains", "tranco_1m"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"broken", "our_suppliers"}, l.Own()); diff != "" {
		t.Error(diff)
	}
	got := map[string][]string{}
	for name, set := range l.Load(append(names, "url_shorteners")...) {
		got[name] = []string{}
		for _, item := range set.Items() {
			s, _ := item.Str()
			got[name] = append(got[name], s[:min(len(s), 40)])
		}
	}
	want := map[string][]string{
		"free_email_providers": {"freemail.test"}, "our_suppliers": {"Partner.example"}, "suspicious_tlds": {}, "tranco_1m": {"a.example", "b.example"},
		"recipient_emails": {"yamada@partner.example"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"org_vips.txt: $org_vips is made from the people in sekisho.yaml (organisation.people), not from a file of lists",
		"sender list.txt: rules cannot write this name behind $: only letters, digits and _ are possible",
		"tranco_1m.csv: there is $tranco_1m already, from tranco.csv",
		"words.doc: lists are files that end in .txt or .csv",
		"broken.txt: $broken cannot be read (list: the file is no text in UTF-8)",
		"our_suppliers.txt: 1 line of $our_suppliers cannot be an entry",
	}, said(l.Notes())); diff != "" {
		t.Error(diff)
	}
	if a, b := l.Load("tranco_1m"), l.Load("tranco_1m"); a["tranco_1m"] != b["tranco_1m"] {
		t.Error("a list is read twice")
	}
	if i := slices.IndexFunc(l.Files(), func(f feeds.ListFile) bool { return f.Name == "tranco_1m" }); l.Files()[i].Origin != schema.Published || l.Files()[i].Title != "Ranking" {
		t.Errorf("%+v", l.Files()[i])
	}
}

func TestListsMissing(t *testing.T) {
	if _, err := feeds.OpenLists(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	var none *feeds.Lists
	if len(none.Load("tranco_1m")) > 0 || none.Files() != nil || none.Own() != nil || none.Notes() != nil {
		t.Error("nil has lists")
	}
	broken := folder(t, map[string]string{"manifest.json": "{", "tranco.csv": "1,a.example\n"})
	l, err := feeds.OpenLists(broken)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Notes()) != 1 || l.Load("tranco_1m")["tranco_1m"] == nil {
		t.Errorf("without a manifest, names count: %v", said(l.Notes()))
	}
}

// TestOwnListsInRules type-checks rules that name a list of the user.
func TestOwnListsInRules(t *testing.T) {
	dir := folder(t, map[string]string{
		"a.yml": "name: Own\nsource: sender.email.domain.domain in $our_suppliers\n",
		"b.yml": "name: Unknown\nsource: sender.email.domain.domain in $our_supplier\n",
	})
	set, err := feeds.Load(t.Context(), []string{dir}, &feeds.Options{Lists: []string{"our_suppliers"}})
	if err != nil {
		t.Fatal(err)
	}
	if !set.Rules[0].OK() || set.Rules[1].OK() {
		t.Errorf("%v, %v", set.Rules[0].Problems, set.Rules[1].OK())
	}
	if got := lang.Default().Say(lang.EN, set.Rules[1].Problems[0].Hint); !strings.Contains(got, "$our_suppliers") {
		t.Errorf("hint %q", got)
	}
	if diff := cmp.Diff([]string{"our_suppliers"}, set.ListNames()); diff != "" {
		t.Error(diff)
	}
	if without, err := feeds.Load(t.Context(), []string{dir}, nil); err != nil || without.Rules[0].OK() {
		t.Error("a list that nobody made is known")
	}
}

// TestLargeList asks a list of a million names without making a value of each.
func TestLargeList(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a second")
	}
	var b strings.Builder
	for i := range 1_000_000 {
		fmt.Fprintf(&b, "%d,name-%d.example\n", i+1, i)
	}
	l, err := feeds.OpenLists(folder(t, map[string]string{"tranco.csv": b.String()}))
	if err != nil {
		t.Fatal(err)
	}
	set := l.Load("tranco_1m")["tranco_1m"]
	if has, _ := set.Has("name-999999.example"); !has || set.Len() != 1_000_000 {
		t.Errorf("%d entries", set.Len())
	}
}

func TestListsDir(t *testing.T) {
	data := t.TempDir()
	if got := feeds.ListsDir(data); got != "" {
		t.Errorf("without lists: %q", got)
	}
}
