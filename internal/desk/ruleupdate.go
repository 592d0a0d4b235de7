package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/lang"
)

// The schemas of the records about feeds, in docs/schema.
const (
	FeedSchema       = "sekisho.feed/v1"
	FeedUpdateSchema = "sekisho.feed-update/v1"
)

// FeedDeps is what the use cases of feeds need from outside.
type FeedDeps struct {
	Fetch   Fetcher    // nil: the network is not used
	Git     GitFetcher // nil: the same
	DataDir string
	Words   *lang.Catalogue // nil: the built-in one
	Now     func() time.Time
}

// FeedUpdateInput says which feed to bring up to date, and how.
type FeedUpdateInput struct {
	Kind feeds.Kind
	Feed string // a name or an address
	Name string // what to call a feed that is given by its address or a file; "" is what its address says
	File string // an archive that was downloaded before, instead of the network
	Pin  string // the digest that it must have; "" for any

	DryRun bool
	// Confirm is asked before the new version counts; nil says yes.
	Confirm func(*FeedUpdate) bool
	// Progress is called with the bytes fetched so far; may be nil.
	Progress func(bytes int64)

	// Mails are judged with the rules before and after, and what changes is told.
	// It is called twice; nil: none.
	Mails func() iter.Seq[Item]
	Judge JudgeDeps // for Mails; Rules is set here
	// Load has the names of the lists that rules may name, and Beside the other
	// rules of the user, which the mails are judged with too.
	Load   feeds.Options
	Beside []string
}

// FeedStatus is what became of an update.
type FeedStatus string

// The outcomes of an update.
const (
	FeedUpdated    FeedStatus = "updated"
	FeedUnchanged  FeedStatus = "unchanged" // it was the newest already
	FeedDeclined   FeedStatus = "declined"  // nobody said yes; nothing changed
	FeedDryRun     FeedStatus = "dry-run"   // nothing changed because it was only a look
	FeedRolledBack FeedStatus = "rolled-back"
)

// FeedUpdate is what an update brings.
type FeedUpdate struct {
	Schema   string        `json:"schema"`
	Kind     feeds.Kind    `json:"kind"`
	Name     string        `json:"name"`
	Status   FeedStatus    `json:"status"`
	Source   string        `json:"source"`
	Commit   string        `json:"commit,omitempty"`
	Licence  string        `json:"licence,omitempty"`
	Digest   string        `json:"digest"`
	Previous string        `json:"previous,omitempty"` // the digest of the version that counted before
	Pin      string        `json:"pin,omitempty"`      // that was asked for
	Fetched  time.Time     `json:"fetched"`
	Files    int           `json:"files"`
	Bytes    int64         `json:"bytes"`
	LeftOut  int           `json:"left_out"` // links
	Entries  int           `json:"entries"`  // rules or lists
	Broken   int           `json:"broken"`   // rules with errors
	Never    int           `json:"never"`    // rules that can never fire
	Problems []RuleProblem `json:"problems"`
	Added    []FeedChange  `json:"added"`
	Changed  []FeedChange  `json:"changed"`
	Removed  []FeedChange  `json:"removed"`
	Mails    *FeedMails    `json:"mails,omitempty"`
}

// FeedChange is a rule or a list that is new, changed or gone.
type FeedChange struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	File   string `json:"file"`
	Before int    `json:"entries_before,omitempty"` // of a list
	After  int    `json:"entries,omitempty"`
}

// FeedMails is what an update changes for some mails.
type FeedMails struct {
	Judged  int          `json:"judged"`
	Unread  int          `json:"unread"`
	Changed []MailChange `json:"changed"`
}

// MailChange is a mail that other rules match, or that gets another verdict.
type MailChange struct {
	File   string   `json:"file"`
	Index  int      `json:"index,omitempty"`
	Before Word     `json:"before"`
	After  Word     `json:"after"`
	Gained []string `json:"gained"` // names of rules that match now
	Lost   []string `json:"lost"`   // and of those that no longer do
}

// UpdateFeed fetches a feed, checks it, says what it would change, and makes it
// count if that is confirmed. Before that moment, and after any error, the version
// before counts.
func UpdateFeed(ctx context.Context, in FeedUpdateInput, deps FeedDeps) (*FeedUpdate, error) {
	u, err := newFeedUpdate(in, deps)
	if err != nil {
		return nil, err
	}
	out, err := u.run(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, feedStoreError(u.out.Name, ctx.Err())
	}
	return out, err
}

// feedUpdate is an update on its way.
type feedUpdate struct {
	in    FeedUpdateInput
	deps  FeedDeps
	store *feeds.Store
	now   *feeds.Version // that counts; nil for none
	out   FeedUpdate
	note  feeds.Version // what will be known of the new version
	data  []byte
	same  bool // the server says that nothing changed
}

func newFeedUpdate(in FeedUpdateInput, deps FeedDeps) (*feedUpdate, error) {
	deps.Words = cmp.Or(deps.Words, lang.Default())
	if deps.Now == nil {
		deps.Now = time.Now
	}
	u := &feedUpdate{in: in, deps: deps}
	u.out = FeedUpdate{
		Schema: FeedUpdateSchema, Kind: in.Kind, Pin: in.Pin, Problems: []RuleProblem{}, Added: []FeedChange{}, Changed: []FeedChange{}, Removed: []FeedChange{},
	}
	if deps.DataDir == "" {
		return nil, noDataDir()
	}
	if in.Pin != "" && !feeds.ValidDigest(in.Pin) {
		return nil, &Error{Kind: Invalid, Message: lang.M("feeds.error.pin-form", "pin", in.Pin), Hint: lang.M("feeds.hint.pin-form")}
	}
	if err := u.name(); err != nil {
		return nil, err
	}
	u.store = feeds.NewStore(deps.DataDir, in.Kind, u.out.Name)
	var err error
	if u.now, err = u.store.Current(); err != nil && !errors.Is(err, feeds.ErrNotFetched) {
		return nil, feedStoreError(u.out.Name, err)
	}
	if err := u.source(); err != nil {
		return nil, err
	}
	return u, nil
}

func noDataDir() *Error {
	return &Error{Kind: Invalid, Message: lang.M("feeds.error.no-data"), Hint: lang.M("feeds.hint.no-data")}
}

// name finds out what the feed is called.
func (u *feedUpdate) name() error {
	in := &u.in
	known, isKnown := feeds.LookupKnown(in.Kind, in.Feed)
	switch {
	case in.Name != "":
		if !feeds.ValidName(in.Name) {
			return &Error{Kind: Invalid, Message: lang.M("feeds.error.name", "name", in.Name), Hint: lang.M("feeds.hint.name")}
		}
		if _, taken := feeds.LookupKnown(in.Kind, in.Name); taken && feeds.IsURL(in.Feed) {
			return &Error{Kind: Conflict, Message: lang.M("feeds.error.name-taken", "name", in.Name), Hint: lang.M("feeds.hint.name-taken")}
		}
		if in.Feed != "" && !feeds.IsURL(in.Feed) && in.Feed != in.Name {
			return &Error{Kind: Invalid, Message: lang.M("feeds.error.two-names", "name", in.Name, "feed", in.Feed), Hint: lang.M("feeds.hint.name-taken")}
		}
		u.out.Name = in.Name
	case isKnown:
		u.out.Name, u.out.Licence = known.Name, known.Licence
	case feeds.IsURL(in.Feed):
		if u.out.Name = feeds.NameFetchedFrom(u.deps.DataDir, in.Feed); u.out.Name == "" || in.Kind != feeds.RulesFeed {
			u.out.Name = feeds.NameOf(in.Feed)
		}
	default:
		u.out.Name = feeds.NameOf(in.Feed)
	}
	switch {
	case in.Feed == "" && in.Name == "":
		return &Error{Kind: Invalid, Message: lang.M("feeds.error.no-name"), Hint: lang.M("feeds.hint.no-name")}
	case u.out.Name == "":
		return unknownFeed(in.Kind, in.Feed)
	}
	return nil
}

func unknownFeed(kind feeds.Kind, ref string) *Error {
	var names []string
	for _, k := range feeds.KnownFeeds(kind) {
		names = append(names, k.Name)
	}
	return &Error{Kind: NotFound, Message: lang.M("feeds.error.unknown", "feed", ref), Hint: lang.M("feeds.hint.unknown", "names", strings.Join(names, ", "))}
}

// source finds out where the feed comes from.
func (u *feedUpdate) source() error {
	in := &u.in
	known, isKnown := feeds.LookupKnown(in.Kind, u.out.Name)
	switch {
	case in.File != "":
		u.note.Source = in.File
		if feeds.IsURL(in.Feed) {
			u.note.Source = in.Feed // it is that feed, and the next update may fetch it
		}
	case feeds.IsURL(in.Feed):
		u.note.Source = in.Feed
	case isKnown:
		u.note.Source = known.URL
	case u.now != nil && feeds.IsURL(u.now.Source):
		u.note.Source = u.now.Source
	case u.now != nil:
		return &Error{Kind: Invalid, Message: lang.M("feeds.error.from-file", "feed", u.out.Name), Hint: lang.M("feeds.hint.from-file", "command", u.command())}
	default:
		return unknownFeed(in.Kind, in.Feed)
	}
	u.out.Source = u.note.Source
	return nil
}

// command is what brings a feed up to date on the command line.
func (u *feedUpdate) command() string { return updateCommand(u.in.Kind, cmp.Or(u.in.Feed, u.out.Name)) }

func updateCommand(kind feeds.Kind, feed string) string {
	return fmt.Sprintf("sekisho %s update %s", kind, feed)
}

func (u *feedUpdate) run(ctx context.Context) (*FeedUpdate, error) {
	if err := u.fetch(ctx); err != nil {
		return nil, err
	}
	if u.same {
		u.unchanged()
		if err := u.checkPin(); err != nil {
			return nil, err
		}
		return &u.out, nil
	}
	c, err := u.open()
	if err != nil {
		return nil, err
	}
	u.out.Digest, u.out.Files, u.out.Bytes, u.out.LeftOut = c.Digest, len(c.Files), c.Bytes, c.Links
	u.note.Commit = cmp.Or(u.note.Commit, c.Commit)
	u.out.Commit = u.note.Commit
	if u.now != nil {
		u.out.Previous = u.now.Digest
	}
	if err := u.checkPin(); err != nil {
		return nil, err
	}
	if u.now != nil && u.now.Digest == c.Digest && u.store.Intact(c.Digest) {
		u.unchanged()
		return &u.out, nil
	}
	staged, err := u.store.Stage(c.Files)
	if err != nil {
		return nil, feedStoreError(u.out.Name, err)
	}
	defer staged.Discard()
	c.Files = nil
	if err := u.look(ctx, staged.Dir); err != nil {
		return nil, err
	}
	if u.in.DryRun {
		u.out.Status = FeedDryRun
		return &u.out, nil
	}
	if u.in.Confirm != nil && !u.in.Confirm(&u.out) {
		u.out.Status = FeedDeclined
		return &u.out, nil
	}
	u.note.Licence = u.out.Licence
	u.note.Digest, u.note.Fetched, u.note.Files, u.note.Bytes, u.note.Entries = u.out.Digest, u.out.Fetched, u.out.Files, u.out.Bytes, u.out.Entries
	if err := staged.Commit(ctx, u.note, u.out.Previous); err != nil {
		return nil, feedStoreError(u.out.Name, err)
	}
	u.out.Status = FeedUpdated
	return &u.out, nil
}

// unchanged fills in what is known of the version that counts.
func (u *feedUpdate) unchanged() {
	u.out.Status = FeedUnchanged
	u.out.Licence = cmp.Or(u.out.Licence, u.now.Licence)
	u.out.Digest, u.out.Commit, u.out.Files, u.out.Bytes, u.out.Entries = u.now.Digest, u.now.Commit, u.now.Files, u.now.Bytes, u.now.Entries
	u.out.Previous = u.now.Previous
	if u.same {
		u.out.Fetched = u.now.Fetched.UTC()
	}
}

func (u *feedUpdate) checkPin() error {
	// A look at what the pin does not allow is how to decide about a new one.
	if u.in.Pin == "" || u.in.Pin == u.out.Digest || u.in.DryRun {
		return nil
	}
	return &Error{
		Kind: Conflict, Message: lang.M("feeds.error.pin", "feed", u.out.Name, "digest", u.out.Digest, "pin", u.in.Pin), Hint: lang.M("feeds.hint.pin"),
		Err: &feeds.PinError{Pin: u.in.Pin, Digest: u.out.Digest},
	}
}

// fetch gets the archive from the file, with git or over HTTP.
func (u *feedUpdate) fetch(ctx context.Context) error {
	u.out.Fetched = u.deps.Now().UTC()
	address := u.note.Source
	switch {
	case u.in.File != "":
		return u.readFile()
	case u.deps.Fetch == nil:
		return &Error{Kind: Unavailable, Message: lang.M("feeds.error.offline", "feed", u.out.Name), Hint: lang.M("feeds.hint.offline", "command", u.command())}
	case feeds.IsGit(address):
		if u.deps.Git == nil {
			return &Error{Kind: Unavailable, Message: lang.M("feeds.error.offline", "feed", u.out.Name), Hint: lang.M("feeds.hint.offline", "command", u.command())}
		}
		var err error
		u.data, u.note.Commit, err = u.deps.Git.Export(ctx, address, feeds.MaxArchive)
		return err
	}
	o := &FetchOptions{Accept: "application/gzip, application/x-gzip, application/zip, application/octet-stream, */*;q=0.1", MaxBytes: feeds.MaxArchive, Timeout: feedTimeout, Progress: u.in.Progress}
	if u.now != nil && u.now.Source == address && u.store.Intact(u.now.Digest) {
		o.ETag, o.LastModified = u.now.ETag, u.now.LastModified
	}
	f, err := u.deps.Fetch.Get(ctx, address, o)
	switch {
	case err != nil:
		return err
	case f.NotModified() && (o.ETag != "" || o.LastModified != ""):
		u.same = true
		return nil
	case !f.OK():
		return u.statusError(f)
	}
	u.data, u.note.ETag, u.note.LastModified = f.Body, f.ETag, f.LastModified
	return nil
}

// feedTimeout bounds the download of a feed, which is larger than most pages.
const feedTimeout = 10 * time.Minute

func (u *feedUpdate) statusError(f *Fetched) *Error {
	e := &Error{Kind: Unavailable, Message: lang.M("feeds.error.status", "feed", u.out.Name, "url", u.note.Source, "status", f.Status)}
	switch {
	case f.Status == 404 || f.Status == 410:
		e.Kind, e.Hint = NotFound, lang.M("feeds.hint.address")
	case f.RetryAfter > 0:
		e.Hint = lang.M("feeds.hint.later", "time", u.deps.Now().Add(f.RetryAfter).Format("2006-01-02 15:04"))
	case f.Status == 401 || f.Status == 403:
		e.Kind, e.Hint = Denied, lang.M("feeds.hint.password")
	}
	return e
}

// open unpacks what was fetched, or reads what was unpacked before.
func (u *feedUpdate) open() (c *feeds.Contents, err error) {
	if u.data == nil && u.in.File != "" {
		c, err = feeds.OpenFolder(u.in.File, u.in.Kind)
	} else {
		c, err = feeds.Open(u.data, u.in.Kind)
	}
	u.data = nil
	if _, system := errors.AsType[*fs.PathError](err); system {
		return nil, fileError(u.in.File, err)
	}
	if err != nil {
		return nil, u.archiveError(err)
	}
	return c, nil
}

// readFile reads an archive; a folder is left to open.
func (u *feedUpdate) readFile() error {
	st, err := os.Stat(u.in.File)
	if err == nil && st.IsDir() {
		return nil
	}
	f, err := os.Open(u.in.File)
	if err != nil {
		return fileError(u.in.File, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	if u.data, err = io.ReadAll(io.LimitReader(f, feeds.MaxArchive+1)); err != nil {
		return fileError(u.in.File, err)
	}
	return nil
}

func fileError(file string, err error) *Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Error{Kind: NotFound, Message: lang.M("rules.error.missing", "path", file), Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &Error{Kind: Denied, Message: lang.M("rules.error.denied", "path", file), Err: err}
	}
	return &Error{Kind: Unavailable, Message: lang.M("rules.error.read", "path", file, "error", err.Error()), Err: err}
}

func (u *feedUpdate) archiveError(err error) *Error {
	from := u.out.Source
	e := &Error{Kind: Invalid, Err: err}
	switch {
	case errors.Is(err, feeds.ErrNoArchive):
		e.Message, e.Hint = lang.M("feeds.error.no-archive", "from", from), lang.M("feeds.hint.no-archive")
	case errors.Is(err, feeds.ErrUnsafe), errors.Is(err, feeds.ErrTwice):
		e.Kind, e.Message, e.Hint = Denied, lang.M("feeds.error.unsafe", "from", from, "error", err.Error()), lang.M("feeds.hint.unsafe")
	case errors.Is(err, feeds.ErrBomb), errors.Is(err, feeds.ErrTooMuch):
		e.Kind, e.Message, e.Hint = Limit, lang.M("feeds.error.bomb", "from", from), lang.M("feeds.hint.unsafe")
	case errors.Is(err, feeds.ErrNothing):
		e.Message, e.Hint = lang.M("feeds.error.nothing."+string(u.in.Kind), "from", from), lang.M("feeds.hint.nothing")
	default:
		e.Message, e.Hint = lang.M("feeds.error.damaged", "from", from, "error", err.Error()), lang.M("feeds.hint.damaged")
	}
	return e
}

// look reads the new version and says what it would change.
func (u *feedUpdate) look(ctx context.Context, dir string) error {
	if u.in.Kind == feeds.ListsFeed {
		return u.lookAtLists(dir)
	}
	after, err := LoadRules(ctx, []string{dir}, true, &u.in.Load)
	if err != nil {
		return err
	}
	u.out.Entries = len(after.Rules)
	if len(after.Usable) == 0 {
		return &Error{Kind: Invalid, Message: lang.M("feeds.error.no-rules", "from", u.out.Source), Hint: lang.M("feeds.hint.nothing")}
	}
	check := CheckRules(after, u.deps.Words)
	u.out.Broken, u.out.Never, u.out.Problems = len(after.Rules)-len(after.Usable), check.Never, check.Problems
	for i := range u.out.Problems {
		u.out.Problems[i].File = below(dir, u.out.Problems[i].File)
	}
	var before *feeds.Set
	old := ""
	if u.now != nil {
		old = u.store.Dir(u.now.Digest)
		if before, err = LoadRules(ctx, []string{old}, false, &u.in.Load); err != nil {
			return err
		}
	}
	u.changes(feeds.CompareRules(before, after, old, dir))
	if u.in.Mails == nil {
		return nil
	}
	return u.lookAtMails(ctx, old, dir)
}

func (u *feedUpdate) lookAtLists(dir string) error {
	after, err := OpenLists([]string{dir})
	if err != nil {
		return err
	}
	if u.out.Entries = len(after.Files()); u.out.Entries == 0 {
		return &Error{Kind: Invalid, Message: lang.M("feeds.error.nothing.lists", "from", u.out.Source), Hint: lang.M("feeds.hint.nothing")}
	}
	var before *feeds.Lists
	if u.now != nil {
		// A copy that cannot be read is put right by this update.
		before, _ = OpenLists([]string{u.store.Dir(u.now.Digest)})
	}
	u.changes(feeds.CompareLists(before, after))
	return nil
}

func (u *feedUpdate) changes(c *feeds.Changes) {
	turn := func(list []feeds.Change) []FeedChange {
		out := make([]FeedChange, 0, len(list))
		for _, x := range list {
			out = append(out, FeedChange(x))
		}
		return out
	}
	u.out.Added, u.out.Changed, u.out.Removed = turn(c.Added), turn(c.Changed), turn(c.Removed)
}

// lookAtMails judges mails with the rules before and after.
func (u *feedUpdate) lookAtMails(ctx context.Context, before, after string) error {
	type key struct {
		file  string
		index int
	}
	type result struct {
		word Word
		hits []string
	}
	judge := func(dir string, each func(key, result, bool)) error {
		paths := slices.Clone(u.in.Beside)
		if dir != "" {
			paths = append(paths, dir)
		}
		deps := u.in.Judge
		set, err := LoadRules(ctx, paths, false, &u.in.Load)
		if err != nil {
			return err
		}
		deps.Rules = set
		for v := range Judge(ctx, u.in.Mails(), deps) {
			r := result{word: v.Verdict}
			for _, f := range v.Findings {
				if f.Kind == RuleMatch {
					r.hits = append(r.hits, f.Rule.Name)
				}
			}
			slices.Sort(r.hits)
			each(key{v.File, v.Index}, r, v.Error == nil)
		}
		return ctx.Err()
	}
	old := map[key]result{}
	if err := judge(before, func(k key, r result, _ bool) { old[k] = r }); err != nil {
		return err
	}
	m := &FeedMails{Changed: []MailChange{}}
	err := judge(after, func(k key, r result, ok bool) {
		if !ok {
			m.Unread++
			return
		}
		m.Judged++
		was := old[k]
		if r.word == was.word && slices.Equal(r.hits, was.hits) {
			return
		}
		m.Changed = append(m.Changed, MailChange{k.file, k.index, was.word, r.word, without(r.hits, was.hits), without(was.hits, r.hits)})
	})
	u.out.Mails = m
	return err
}

// without returns the elements of a that are not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(append([]string{}, a...), func(s string) bool { return slices.Contains(b, s) })
}

func below(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// RollbackFeed makes the version before count again.
func RollbackFeed(ctx context.Context, kind feeds.Kind, name string, deps FeedDeps) (*FeedUpdate, error) {
	if deps.DataDir == "" {
		return nil, noDataDir()
	}
	known := name
	if feeds.IsURL(name) {
		known = cmp.Or(feeds.NameFetchedFrom(deps.DataDir, name), feeds.NameOf(name))
	}
	if !feeds.ValidName(known) {
		return nil, unknownFeed(kind, name)
	}
	v, err := feeds.NewStore(deps.DataDir, kind, known).Rollback(ctx)
	if err != nil {
		return nil, feedStoreError(known, err)
	}
	return &FeedUpdate{
		Schema: FeedUpdateSchema, Kind: kind, Name: known, Status: FeedRolledBack, Source: v.Source, Commit: v.Commit, Licence: v.Licence, Digest: v.Digest, Previous: v.Previous,
		Fetched: v.Fetched.UTC(), Files: v.Files, Bytes: v.Bytes, Entries: v.Entries,
		Problems: []RuleProblem{}, Added: []FeedChange{}, Changed: []FeedChange{}, Removed: []FeedChange{},
	}, nil
}

func feedStoreError(name string, err error) *Error {
	e := &Error{Kind: Unavailable, Message: lang.M("feeds.error.store", "feed", name, "error", err.Error()), Hint: lang.M("feeds.hint.store"), Err: err}
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e.Message, e.Hint = lang.M("feeds.error.stopped", "feed", name), lang.Message{}
	case errors.Is(err, feeds.ErrNotFetched):
		e.Kind, e.Message, e.Hint = NotFound, lang.M("feeds.error.not-fetched", "feed", name), lang.M("feeds.hint.list")
	case errors.Is(err, feeds.ErrNoPrevious):
		e.Kind, e.Message, e.Hint = NotFound, lang.M("feeds.error.no-previous", "feed", name), lang.M("feeds.hint.list")
	case errors.Is(err, feeds.ErrChanged), errors.Is(err, feeds.ErrLocked):
		e.Kind, e.Message, e.Hint = Conflict, lang.M("feeds.error.changed", "feed", name), lang.M("feeds.hint.changed")
	case errors.Is(err, fs.ErrPermission):
		e.Kind = Denied
	}
	return e
}

// feedError says why the rules of a feed are not there.
func feedError(feed string, err error) *Error {
	if p, ok := errors.AsType[*feeds.PinError](err); ok {
		return &Error{
			Kind: Conflict, Message: lang.M("feeds.error.pin-stored", "feed", feed, "digest", p.Digest, "pin", p.Pin),
			Hint: lang.M("feeds.hint.update", "command", updateCommand(feeds.RulesFeed, feed)), Err: err,
		}
	}
	return &Error{
		Kind: NotFound, Message: lang.M("feeds.error.not-fetched", "feed", feed), Hint: lang.M("feeds.hint.update", "command", updateCommand(feeds.RulesFeed, feed)), Err: err,
	}
}
