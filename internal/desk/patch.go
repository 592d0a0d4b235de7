package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	packs "github.com/sekisho/sekisho/packs/patch"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
	"github.com/sekisho/sekisho/patch/inventory"
	"github.com/sekisho/sekisho/triage"
)

// The schemas of the records about updates, in docs/schema.
const (
	PatchSchema       = "sekisho.patch/v1"
	PatchResultSchema = "sekisho.patch-result/v1"
)

// PatchStore keeps the facts about updates that were fetched, one set for each
// source.
type PatchStore interface {
	// LoadPatchFacts returns all sets, by source.
	LoadPatchFacts(ctx context.Context) (map[string]*patch.Facts, error)
	// SavePatchFacts puts a set in the place of the one before.
	SavePatchFacts(ctx context.Context, source string, f *patch.Facts) error
}

// PatchDeps is what the use cases of updates need from outside.
type PatchDeps struct {
	Store PatchStore // nil: only what the program ships with
	Fetch Fetcher    // nil: the network is not used
	Facts org.Facts
	Words *lang.Catalogue // nil: the built-in one
	Now   func() time.Time
	Table *triage.Table // nil: the built-in one
}

func (d *PatchDeps) words() *lang.Catalogue {
	if d.Words == nil {
		return lang.Default()
	}
	return d.Words
}

// PatchFile is an inventory as a user gives it.
type PatchFile struct {
	Name string
	Data []byte
}

// PatchInput is what to compare.
type PatchInput struct {
	Files      []PatchFile
	Device     string // whose programs a winget export lists
	SilentDays int    // 0 is the default of [patch.Options]
}

// PatchReport is an inventory compared with what was released.
type PatchReport struct {
	Schema      string             `json:"schema"`
	AsOf        time.Time          `json:"as_of"`
	Files       []PatchFileRecord  `json:"files"`
	Entries     int                `json:"entries"`
	Devices     int                `json:"devices"`
	Unread      int                `json:"unread"`
	SilentDays  int                `json:"silent_days"`
	Counts      []PatchCount       `json:"counts"`
	Exploited   int                `json:"exploited"` // entries that lack an update against a weakness that is exploited
	Overdue     int                `json:"overdue"`   // entries whose date has passed
	Products    []PatchProduct     `json:"products"`
	Story       *PatchStory        `json:"story,omitempty"`
	Cautions    []PatchCaution     `json:"cautions"`
	Results     []PatchResult      `json:"results"`
	Clashes     []patch.Clash      `json:"clashes"`
	Corrections []patch.Correction `json:"corrections"` // that had an effect
	Doubts      []patch.Doubt      `json:"doubts"`
	Sources     []patch.Source     `json:"sources"`
	Newest      patch.Date         `json:"newest"` // the newest update of Windows that is known
	Old         bool               `json:"old"`    // a planned day has passed since
}

// PatchFileRecord is how an inventory was read.
type PatchFileRecord struct {
	File    string           `json:"file"`
	Format  inventory.Format `json:"format"`
	Charset string           `json:"charset"`
	Entries int              `json:"entries"`
	Unread  []PatchUnread    `json:"unread"`
	Doubts  []PatchUnread    `json:"doubts"` // entries of which something was not understood
	Ignored []string         `json:"ignored_columns"`
	Error   *Failure         `json:"error,omitempty"`
}

// PatchUnread is a row that is named.
type PatchUnread struct {
	Line   int              `json:"line"`
	Reason inventory.Reason `json:"reason"`
	Text   lang.Text        `json:"text"`
	Row    string           `json:"row"` // how it begins
}

// PatchCount is how many entries have a status.
type PatchCount struct {
	Status patch.Status `json:"status"`
	N      int          `json:"n"`
}

// PatchProduct is a branch of a product with those who have it.
type PatchProduct struct {
	Product   string       `json:"product"`
	Vendor    string       `json:"vendor"`
	Version   string       `json:"version,omitempty"` // that is required
	KB        string       `json:"kb,omitempty"`
	Released  patch.Date   `json:"released,omitzero"`
	Exploited []string     `json:"exploited"` // CVEs of what somebody here lacks
	Entries   int          `json:"entries"`
	Counts    []PatchCount `json:"counts"`
	Due       patch.Date   `json:"due,omitzero"` // the earliest
}

// PatchStory is the newest planned day of Microsoft.
type PatchStory struct {
	Vendor     string     `json:"vendor"`
	Released   patch.Date `json:"released"` // in the United States
	Here       patch.Date `json:"here"`     // where the organisation is
	Population lang.Text  `json:"population"`
	Total      int        `json:"total,omitempty"`
	Critical   int        `json:"critical"`
	Exploited  []string   `json:"exploited"`
	Sources    []string   `json:"sources"`
	Next       patch.Date `json:"next,omitzero"` // the next planned day, where the organisation is
}

// PatchCaution is something to know about the updates of what is there.
type PatchCaution struct {
	Product string    `json:"product"`
	Kind    string    `json:"kind"`
	KB      string    `json:"kb,omitempty"`
	Text    lang.Text `json:"text"`
	URL     string    `json:"url,omitempty"`
	Devices []string  `json:"devices"` // on which the program was not started lately
}

// PatchResult is what became of an entry.
type PatchResult struct {
	Schema     string         `json:"schema"`
	File       string         `json:"file"`
	Line       int            `json:"line"`
	Kind       inventory.Kind `json:"kind"`
	Device     string         `json:"device,omitempty"`
	User       string         `json:"user,omitempty"`
	Product    string         `json:"product"`
	Branch     string         `json:"branch,omitempty"`
	Version    string         `json:"version"`
	Status     patch.Status   `json:"status"`
	AsLastSeen patch.Status   `json:"as_last_seen,omitempty"` // what it would be, had the device reported
	Reason     lang.Text      `json:"reason"`
	Remarks    []PatchRemark  `json:"remarks"`
	Needed     *PatchUpdate   `json:"needed,omitempty"`
	Missing    []PatchUpdate  `json:"missing"`
	Exploited  []string       `json:"exploited"`
	KEV        []string       `json:"kev,omitempty"` // exploited weaknesses of a product whose updates are not known
	Ends       patch.Date     `json:"ends,omitzero"`
	Extended   patch.Date     `json:"extended_until,omitzero"`
	Grade      triage.Grade   `json:"grade,omitempty"`
	Row        string         `json:"row,omitempty"` // of the table
	Due        patch.Date     `json:"due,omitzero"`
	Overdue    int            `json:"overdue_days"`
	LastSeen   *time.Time     `json:"last_seen,omitempty"`
	Silent     int            `json:"silent_days"`
	Clash      *patch.Clash   `json:"clash,omitempty"`
}

// PatchRemark is what else is to be known of a result.
type PatchRemark struct {
	Code patch.Remark `json:"code"`
	Text lang.Text    `json:"text"`
}

// PatchUpdate is an update.
type PatchUpdate struct {
	Version   string            `json:"version"`
	Name      string            `json:"name,omitempty"`
	KB        string            `json:"kb,omitempty"`
	Released  patch.Date        `json:"released"`
	Kind      patch.ReleaseKind `json:"kind"`
	Days      int               `json:"days"`
	Exploited []string          `json:"exploited"`
	Critical  int               `json:"critical,omitempty"`
	URL       string            `json:"url,omitempty"`
	Sources   []string          `json:"sources"`
}

// PatchBook merges what the program ships with and what was fetched.
func PatchBook(ctx context.Context, store PatchStore) (*patch.Book, error) {
	builtin, err := patch.ParseFacts(packs.Facts())
	if err != nil {
		return nil, fmt.Errorf("reading the facts of the program: %w", err)
	}
	list := []*patch.Facts{builtin}
	if store != nil {
		kept, err := store.LoadPatchFacts(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(kept)) {
			list = append(list, kept[id])
		}
	}
	return patch.NewBook(list...), nil
}

// PatchCalendar returns the rules by which vendors release.
func PatchCalendar() (*calendar.Calendar, error) {
	c, err := calendar.Parse(packs.Calendar())
	if err != nil {
		return nil, fmt.Errorf("reading the calendar of the program: %w", err)
	}
	return c, nil
}

// CheckPatches compares inventories with what was released up to now. An
// inventory that cannot be read is in the report with the reason.
func CheckPatches(ctx context.Context, in *PatchInput, deps *PatchDeps) (*PatchReport, error) {
	book, err := PatchBook(ctx, deps.Store)
	if err != nil {
		return nil, err
	}
	now := deps.Now()
	cal := triage.CalendarFor(&deps.Facts)
	checker := patch.NewChecker(book, now, &patch.Options{SilentDays: in.SilentDays, Triage: &triage.Options{Table: deps.Table, Calendar: &cal}})
	out := &PatchReport{
		Schema: PatchSchema, AsOf: now.UTC(), Files: []PatchFileRecord{}, SilentDays: cmp.Or(in.SilentDays, patch.DefaultSilentDays), Counts: []PatchCount{},
		Products: []PatchProduct{}, Cautions: []PatchCaution{}, Results: []PatchResult{}, Sources: book.Sources(),
		Clashes: nonNil(book.Clashes()), Corrections: nonNil(book.Applied()), Doubts: nonNil(book.Doubts()),
	}
	w := patchWriter{words: deps.words(), out: out, now: now}
	var results []patch.Result
	files := map[int]string{}
	for _, f := range in.Files {
		inv, err := inventory.Read(f.Data, &inventory.Options{Location: now.Location(), Device: in.Device})
		if err != nil {
			out.Files = append(out.Files, PatchFileRecord{File: f.Name, Unread: []PatchUnread{}, Doubts: []PatchUnread{}, Ignored: []string{}, Format: inventory.Unknown, Error: w.failure(err)})
			continue
		}
		out.Files = append(out.Files, w.file(f.Name, inv))
		for _, e := range inv.Entries {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			r, err := checker.Check(e)
			if err != nil {
				return nil, fmt.Errorf("comparing line %d of %s: %w", e.Line, f.Name, err)
			}
			results = append(results, r)
		}
		files[len(results)] = f.Name
	}
	w.results(book, results, files, in.Files)
	w.story(book, deps)
	w.cautions(book, results)
	out.Newest = book.Newest("windows", now)
	if c, err := PatchCalendar(); err == nil {
		if last, ok := c.Last("microsoft-security", now); ok {
			out.Old = out.Newest.Before(last.Date)
		}
	}
	return out, nil
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// patchWriter turns results into records.
type patchWriter struct {
	words *lang.Catalogue
	out   *PatchReport
	now   time.Time
}

func (w *patchWriter) say(key string, pairs ...any) lang.Text {
	return w.words.Render(lang.M(key, pairs...))
}

func (w *patchWriter) failure(err error) *Failure {
	m, hint := lang.M("patch.error.read", "error", err.Error()), lang.M("patch.hint.formats")
	switch {
	case errors.Is(err, inventory.ErrNoHeader):
		m, hint = lang.M("patch.error.no-header"), lang.M("patch.hint.header")
	case errors.Is(err, inventory.ErrEmpty):
		m = lang.M("patch.error.empty")
	case errors.Is(err, inventory.ErrBinary):
		m, hint = lang.M("patch.error.binary"), lang.M("patch.hint.binary")
	case errors.Is(err, inventory.ErrTooLarge):
		m = lang.M("patch.error.large", "mib", inventory.MaxBytes>>20)
	case errors.Is(err, inventory.ErrJSON):
		m = lang.M("patch.error.json")
	}
	return &Failure{Kind: Invalid, Text: w.words.Render(m), Hint: w.words.Render(hint)}
}

func (w *patchWriter) file(name string, inv *inventory.Inventory) PatchFileRecord {
	named := func(list []inventory.Unread) []PatchUnread {
		out := []PatchUnread{}
		for _, u := range list {
			out = append(out, PatchUnread{Line: u.Line, Reason: u.Reason, Text: w.say("patch.unread." + string(u.Reason)), Row: u.Text})
		}
		return out
	}
	w.out.Unread += len(inv.Unread)
	return PatchFileRecord{
		File: name, Format: inv.Format, Charset: inv.Charset, Entries: len(inv.Entries), Unread: named(inv.Unread), Doubts: named(inv.Doubts), Ignored: nonNil(inv.Ignored),
	}
}

// results writes the results in the order in which people look at them.
func (w *patchWriter) results(book *patch.Book, list []patch.Result, ends map[int]string, in []PatchFile) {
	type placed struct {
		r    patch.Result
		file string
	}
	all := make([]placed, len(list))
	name := ""
	if len(in) > 0 {
		name = in[0].Name
	}
	limits := make([]int, 0, len(ends))
	for n := range ends {
		limits = append(limits, n)
	}
	slices.Sort(limits)
	at := 0
	for i, r := range list {
		for at < len(limits) && i >= limits[at] {
			at++
		}
		if at < len(limits) {
			name = ends[limits[at]]
		}
		all[i] = placed{r, name}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return patch.Compare(&a.r, &b.r) })
	counts := map[patch.Status]int{}
	devices := map[string]bool{}
	products := map[string]*PatchProduct{}
	perProduct := map[string]map[patch.Status]int{}
	for _, p := range all {
		rec := w.result(&p.r, p.file)
		w.out.Results = append(w.out.Results, rec)
		counts[rec.Status]++
		if rec.Device != "" {
			devices[rec.Device] = true
		}
		if len(rec.Exploited) > 0 {
			w.out.Exploited++
		}
		if rec.Overdue > 0 {
			w.out.Overdue++
		}
		if p.r.ID == "" {
			continue
		}
		label := cmp.Or(rec.Branch, rec.Product)
		if rec.Branch != "" && p.r.ID == "office" {
			label = rec.Product + " " + rec.Branch
		}
		pp := products[label]
		if pp == nil {
			known, _ := book.Product(p.r.ID)
			pp = &PatchProduct{Product: label, Vendor: known.Vendor, Exploited: []string{}, Counts: []PatchCount{}}
			products[label], perProduct[label] = pp, map[patch.Status]int{}
		}
		pp.Entries++
		perProduct[label][rec.Status]++
		if rec.Needed != nil && rec.Needed.Released.After(pp.Released.Time) {
			pp.Version, pp.KB, pp.Released = rec.Needed.Version, rec.Needed.KB, rec.Needed.Released
		}
		for _, id := range rec.Exploited {
			if !slices.Contains(pp.Exploited, id) {
				pp.Exploited = append(pp.Exploited, id)
			}
		}
		if !rec.Due.IsZero() && (pp.Due.IsZero() || rec.Due.Before(pp.Due.Time)) {
			pp.Due = rec.Due
		}
	}
	w.out.Entries, w.out.Devices = len(all), len(devices)
	w.out.Counts = countsOf(counts)
	for _, label := range slices.Sorted(maps.Keys(products)) {
		pp := products[label]
		pp.Counts = countsOf(perProduct[label])
		w.out.Products = append(w.out.Products, *pp)
	}
}

func countsOf(m map[patch.Status]int) []PatchCount {
	out := []PatchCount{}
	for _, s := range patch.Statuses() {
		if m[s] > 0 {
			out = append(out, PatchCount{s, m[s]})
		}
	}
	return out
}

func (w *patchWriter) update(r *patch.Release, exploited []string, days int) PatchUpdate {
	return PatchUpdate{
		Version: r.Version, Name: r.Name, KB: r.KB, Released: r.Date, Kind: r.Kind, Days: days, Exploited: nonNil(exploited), Critical: r.Critical, URL: r.URL, Sources: nonNil(r.Sources),
	}
}

func (w *patchWriter) result(r *patch.Result, file string) PatchResult {
	e := &r.Entry
	out := PatchResult{
		Schema: PatchResultSchema, File: file, Line: e.Line, Kind: e.Kind, Device: e.Device, User: e.User, Product: r.Product, Branch: r.Branch, Version: e.Version,
		Status: r.Status, AsLastSeen: r.AsLastSeen, Remarks: []PatchRemark{}, Missing: []PatchUpdate{}, Exploited: nonNil(r.Exploited), KEV: r.KEV,
		Ends: r.Ends, Extended: r.Extended, Grade: r.Grade, Row: r.Row, Overdue: r.Overdue, Silent: r.Silent, Clash: r.Clash,
	}
	if !e.LastSeen.IsZero() {
		t := e.LastSeen.UTC()
		out.LastSeen = &t
	}
	if !r.Due.IsZero() {
		out.Due = patch.Day(r.Due)
	}
	if r.Needed != nil {
		u := w.update(r.Needed, nil, max(0, int(w.now.Sub(r.Needed.Date.Time).Hours()/24)))
		out.Needed = &u
	}
	for _, m := range r.Missing {
		out.Missing = append(out.Missing, w.update(&m.Release, m.Exploited, m.Days))
	}
	for _, m := range r.Remarks {
		out.Remarks = append(out.Remarks, PatchRemark{m, w.say("patch.remark."+string(m), "days", patch.DefaultNotStartedDays, "until", r.Extended.Time, "ends", r.Ends.Time, "cves", r.KEV)})
	}
	out.Reason = w.reason(r, &out)
	return out
}

// reason is one sentence about a result.
func (w *patchWriter) reason(r *patch.Result, out *PatchResult) lang.Text {
	switch r.Status {
	case patch.Behind:
		if label := cmp.Or(r.Needed.KB, r.Needed.Name); label != "" && label != r.Needed.Version {
			return w.say("patch.reason.behind", "n", len(out.Missing), "update", label, "version", r.Needed.Version)
		}
		return w.say("patch.reason.behind-version", "n", len(out.Missing), "version", r.Needed.Version)
	case patch.OK:
		return w.say("patch.reason.ok")
	case patch.EndOfLife:
		return w.say("patch.reason.end-of-life", "ends", r.Ends.Time)
	case patch.NotReported:
		return w.say("patch.reason.not-reported", "days", r.Silent, "then", lang.M("patch.status."+string(r.AsLastSeen)))
	case patch.UnknownVersion:
		for _, m := range []patch.Remark{patch.NoRevision, patch.OtherBranch, patch.NoFacts} {
			if slices.Contains(r.Remarks, m) {
				return w.say("patch.reason.unknown-revision." + string(m))
			}
		}
		return w.say("patch.reason.unknown-revision", "version", r.Entry.Version)
	case patch.Disagreeing:
		return w.say("patch.reason.sources-disagree", "kb", r.Clash.KB, "a", r.Clash.Says[0].Version, "b", r.Clash.Says[len(r.Clash.Says)-1].Version)
	case patch.NoVersion:
		return w.say("patch.reason.no-version")
	case patch.UnknownProduct:
		return w.say("patch.reason.unknown-product")
	}
	return lang.Text{}
}

func (w *patchWriter) story(book *patch.Book, deps *PatchDeps) {
	m, ok := book.Month("Microsoft", w.now)
	if !ok {
		return
	}
	s := &PatchStory{
		Vendor: m.Vendor, Released: m.Released, Here: patch.Day(m.Released.Add(18 * time.Hour).In(w.now.Location())), Population: m.Population, Total: m.Total, Critical: m.Critical,
		Exploited: nonNil(m.Exploited), Sources: m.Sources,
	}
	if c, err := PatchCalendar(); err == nil {
		if e, ok := c.Next("microsoft-security", w.now); ok {
			s.Next = patch.Day(e.At.In(w.now.Location()))
		}
		// A story of an older month would pass for this one's.
		if last, ok := c.Last("microsoft-security", w.now); ok && m.Released.Before(last.Date) {
			return
		}
	}
	w.out.Story = s
}

// cautions are those about products that are there.
func (w *patchWriter) cautions(book *patch.Book, results []patch.Result) {
	type use struct {
		branches map[string]bool
		idle     []string
	}
	uses := map[string]*use{}
	for i := range results {
		r := &results[i]
		if r.ID == "" {
			continue
		}
		u := uses[r.ID]
		if u == nil {
			u = &use{branches: map[string]bool{}}
			uses[r.ID] = u
		}
		u.branches[r.Branch] = true
		if slices.Contains(r.Remarks, patch.NotStarted) && r.Entry.Device != "" {
			u.idle = append(u.idle, r.Entry.Device)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		for _, c := range book.Cautions(id, w.now) {
			product := id
			if c.Branch != "" {
				br, ok := book.Branch(id, c.Branch)
				if !ok || !uses[id].branches[br.Name] {
					continue
				}
				product = br.Name
			} else if p, ok := book.Product(id); ok {
				product = p.Name
			}
			out := PatchCaution{Product: product, Kind: c.Kind, KB: c.KB, Text: c.Text, URL: c.URL, Devices: []string{}}
			if c.Kind == patch.AutomaticUpdate {
				out.Devices = nonNil(uses[id].idle)
			}
			w.out.Cautions = append(w.out.Cautions, out)
		}
	}
}
