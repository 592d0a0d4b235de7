package desk

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/org"
)

// ListSchema names the shape of a [ListRecord] in JSON.
const ListSchema = "sekisho.list/v1"

// FeedState says whether a feed can be used.
type FeedState string

// The states.
const (
	FeedReady      FeedState = "ready"
	FeedNotFetched FeedState = "not-fetched"
	FeedNotPinned  FeedState = "pin-mismatch" // none of the versions at hand is the one that the configuration pins
)

// FeedRecord is one feed and its state.
type FeedRecord struct {
	Schema     string     `json:"schema"`
	Kind       feeds.Kind `json:"kind"`
	Name       string     `json:"name"`
	State      FeedState  `json:"state"`
	Configured bool       `json:"configured"` // named in the configuration
	Source     string     `json:"source"`     // where it came from, or would come from
	Home       string     `json:"home,omitempty"`
	Licence    string     `json:"licence,omitempty"`
	Digest     string     `json:"digest,omitempty"`
	Commit     string     `json:"commit,omitempty"`
	Fetched    *time.Time `json:"fetched,omitempty"`
	Entries    int        `json:"entries"`            // rules or lists
	Previous   string     `json:"previous,omitempty"` // the version that is kept
	Pin        string     `json:"pin,omitempty"`
}

// ListFeeds lists the feeds of rules: those of the configuration, those that were
// fetched, and those that have a name.
func ListFeeds(dataDir string, configured []feeds.Ref) ([]FeedRecord, error) {
	byName := map[string]*FeedRecord{}
	at := func(name string) *FeedRecord {
		if byName[name] == nil {
			byName[name] = &FeedRecord{Schema: FeedSchema, Kind: feeds.RulesFeed, Name: name, State: FeedNotFetched}
		}
		return byName[name]
	}
	for _, k := range feeds.KnownFeeds(feeds.RulesFeed) {
		r := at(k.Name)
		r.Source, r.Home, r.Licence = k.URL, k.Home, k.Licence
	}
	names, err := feeds.StoredFeeds(dataDir)
	if err != nil {
		return nil, feedStoreError(string(feeds.RulesFeed), err)
	}
	for _, name := range names {
		s := feeds.NewStore(dataDir, feeds.RulesFeed, name)
		v, err := s.Current()
		if err != nil {
			continue // it was removed meanwhile
		}
		at(name).fill(s, v)
	}
	for _, c := range configured {
		name := c.Feed
		if feeds.IsURL(c.Feed) {
			name = cmp.Or(feeds.NameFetchedFrom(dataDir, c.Feed), feeds.NameOf(c.Feed))
		}
		r := at(name)
		r.Configured, r.Pin = true, c.Pin
		if r.Source == "" {
			r.Source = c.Feed
		}
		if _, _, err := feeds.Locate(dataDir, c.Feed, c.Pin); err != nil && r.State == FeedReady {
			r.State = FeedNotPinned
		}
	}
	out := make([]FeedRecord, 0, len(byName))
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, *byName[name])
	}
	return out, nil
}

func (r *FeedRecord) fill(s *feeds.Store, v *feeds.Version) {
	r.State, r.Digest, r.Commit, r.Entries = FeedReady, v.Digest, v.Commit, v.Entries
	r.Source, r.Licence = cmp.Or(v.Source, r.Source), cmp.Or(v.Licence, r.Licence)
	r.Fetched = timeOf(v.Fetched)
	if p, err := s.Previous(v); err == nil {
		r.Previous = p.Digest
	}
}

// ListFrom says who fills a list.
type ListFrom string

// Where lists come from, the most telling first.
const (
	FromOrganisation ListFrom = "organisation" // the configuration
	FromFolder       ListFrom = "folder"       // a folder of the user
	FromFetched      ListFrom = "fetched"      // the lists that were fetched
	FromSekisho      ListFrom = "sekisho"      // the program carries it
	FromHistory      ListFrom = "history"      // who wrote to whom; see sekisho history
	FromNobody       ListFrom = "nobody"       // rules that need it are undecided
)

// ListRecord is a list that rules may name.
type ListRecord struct {
	Schema  string     `json:"schema"`
	Name    string     `json:"name"`
	Title   string     `json:"title,omitempty"` // of the publisher, in the publisher's language
	Origin  string     `json:"origin"`          // who is meant to fill it: published, organisation, history, feed; "" for a list of the user
	From    ListFrom   `json:"from"`
	Entries int        `json:"entries"`
	File    string     `json:"file,omitempty"`
	Source  string     `json:"source,omitempty"` // where it was fetched from
	Date    *time.Time `json:"date,omitempty"`   // when it was fetched
	Licence string     `json:"licence,omitempty"`
}

// ListLists lists the lists that rules may name, sorted by name. The lists are
// those that were opened: the fetched ones and those in folders of the user.
func ListLists(dataDir string, open *feeds.Lists, facts *org.Facts) []ListRecord {
	fetchedDir := feeds.ListsDir(dataDir)
	var version *feeds.Version
	if fetchedDir != "" {
		version, _ = feeds.NewStore(dataDir, feeds.ListsFeed, "").Current()
	}
	carried, told := ruleLists(facts), mdm.Lists(facts)
	files := map[string]feeds.ListFile{}
	for _, f := range open.Files() {
		files[f.Name] = f
	}
	names := append(schema.ListNames(), slices.Collect(maps.Keys(files))...)
	slices.Sort(names)
	var out []ListRecord
	for _, name := range slices.Compact(names) {
		r := ListRecord{Schema: ListSchema, Name: name, From: FromNobody}
		f, isFile := files[name]
		n := open.Count(name)
		s, ok := schema.LookupList(name)
		if ok {
			r.Origin = string(s.Origin)
		}
		switch {
		case told[name] != nil:
			r.From, r.Entries = FromOrganisation, told[name].Len()
		case isFile && (n > 0 || s == nil || s.Origin == schema.Published):
			r.From, r.Entries, r.File, r.Title = FromFolder, n, f.Path, f.Title
			if fetchedDir != "" && filepath.Dir(f.Path) == filepath.Clean(fetchedDir) {
				r.From = FromFetched
				r.provenance(version)
			}
		case carried[name] != nil:
			r.From, r.Entries, r.Licence = FromSekisho, carried[name].Len(), "Apache-2.0"
		case s != nil && s.Origin == schema.Seen:
			r.From = FromHistory
		}
		out = append(out, r)
	}
	return out
}

func (r *ListRecord) provenance(v *feeds.Version) {
	if v == nil {
		return
	}
	r.Source, r.Date, r.Licence = v.Source, timeOf(v.Fetched), v.Licence
}

// UpdatableFeeds returns the feeds of rules that were fetched and can be fetched
// again.
func UpdatableFeeds(dataDir string) ([]string, error) {
	all, err := ListFeeds(dataDir, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range all {
		if _, known := feeds.LookupKnown(feeds.RulesFeed, f.Name); f.State == FeedReady && (known || feeds.IsURL(f.Source)) {
			names = append(names, f.Name)
		}
	}
	return names, nil
}

// IsFeed reports whether text may name a feed: a name, or an https address.
func IsFeed(text string) bool { return feeds.NameOf(text) != "" }
