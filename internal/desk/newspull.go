package desk

import (
	"context"
	"errors"
	"maps"
	"mime"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/news/source"
)

// PullInput says which sources to read.
type PullInput struct {
	Sources []string // ids; nil: all that are on
	Force   bool     // also those that are not due yet
}

// PullSchema names the JSON form of a [Pulled].
const PullSchema = "sekisho.news-pull/v1"

// Pulled is what came of reading the sources.
type Pulled struct {
	Schema   string         `json:"schema"`
	At       time.Time      `json:"at"`
	First    bool           `json:"first"`   // nothing was ever read before: what is older than the feeds reach is not there
	Stopped  bool           `json:"stopped"` // the user interrupted it
	Sources  []SourceRecord `json:"sources"`
	Items    int            `json:"items"` // in the documents
	New      int            `json:"new"`
	Changed  int            `json:"changed"` // new versions
	Stories  int            `json:"stories"` // that are new
	Reopened []StoryRecord  `json:"reopened"`
	Graded   []GradeCount   `json:"graded"` // the new stories by grade
}

// GradeCount counts stories of a grade.
type GradeCount struct {
	Grade string `json:"grade"`
	N     int    `json:"n"`
}

const (
	pullWorkers  = 4
	pullAttempts = 3
	pullPause    = 2 * time.Second  // before the second attempt; it doubles
	pullPatience = 30 * time.Second // the longest pause that a server may ask for within a pull
)

// PullNews reads the sources that are due, keeps what is new, and grades it. A
// source that fails does not stop the others; its record says why. What was
// kept before ctx ended stays kept.
func PullNews(ctx context.Context, in *PullInput, deps *NewsDeps) (*Pulled, error) {
	chosen, err := deps.choose(in.Sources)
	if err != nil {
		return nil, err
	}
	if deps.Fetch == nil {
		return nil, &Error{Kind: Unavailable, Message: lang.M("news.error.offline", "n", len(chosen)), Hint: lang.M("news.hint.offline")}
	}
	states, err := deps.Store.NewsSources(ctx)
	if err != nil {
		return nil, err
	}
	out := &Pulled{Schema: PullSchema, At: deps.Now().UTC(), First: len(states) == 0, Sources: []SourceRecord{}, Reopened: []StoryRecord{}}
	records := map[string]SourceRecord{}
	done := 0
	for r := range deps.readAll(ctx, chosen, states, in.Force) {
		rec, err := deps.keep(ctx, r, states[r.source.ID])
		if err != nil {
			return nil, err
		}
		records[r.source.ID] = rec
		out.Items += rec.Pull.Items
		out.New += rec.Pull.New
		out.Changed += rec.Pull.Changed
		done++
		if deps.Progress != nil {
			deps.Progress(done, len(chosen))
		}
	}
	for i := range chosen {
		if r, ok := records[chosen[i].ID]; ok {
			out.Sources = append(out.Sources, r)
		}
	}
	out.Stopped = ctx.Err() != nil
	// What was kept is graded even if the user does not want to wait for more.
	g, err := deps.regroup(context.WithoutCancel(ctx), out.New+out.Changed > 0)
	if err != nil {
		return nil, err
	}
	out.Stories, out.Reopened, out.Graded = g.added, g.reopened, g.counts()
	return out, nil
}

// choose returns the sources of those ids, nil for those that are on.
func (d *NewsDeps) choose(ids []string) ([]source.Source, error) {
	if ids == nil {
		return slices.DeleteFunc(slices.Clone(d.Sources), func(s source.Source) bool { return !s.On }), nil
	}
	var out []source.Source
	for _, id := range ids {
		i := slices.IndexFunc(d.Sources, func(s source.Source) bool { return s.ID == id })
		if i < 0 {
			return nil, d.noSource(id)
		}
		out = append(out, d.Sources[i])
	}
	return out, nil
}

// DueSources returns the sources that [PullNews] would look at, with the time
// before which each is not asked.
func DueSources(ctx context.Context, in *PullInput, deps *NewsDeps) ([]SourceRecord, error) {
	chosen, err := deps.choose(in.Sources)
	if err != nil {
		return nil, err
	}
	states, err := deps.Store.NewsSources(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]SourceRecord, 0, len(chosen))
	for i := range chosen {
		out = append(out, deps.sourceRecord(&chosen[i], states[chosen[i].ID]))
	}
	return out, nil
}

// reading is what one source gave.
type reading struct {
	source    source.Source
	pull      source.Pull
	items     []news.Item
	snapshots map[string][]byte
	defects   []feed.Defect
}

// readAll reads sources, a few at the same time, each in its turn. After ctx
// ended no further source is begun, and what was cut off is left out.
func (d *NewsDeps) readAll(ctx context.Context, list []source.Source, states map[string]source.State, force bool) func(yield func(*reading) bool) {
	return func(yield func(*reading) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		jobs, results := make(chan source.Source), make(chan *reading)
		var wg sync.WaitGroup
		for range min(pullWorkers, len(list)) {
			wg.Go(func() {
				for s := range jobs {
					if r := d.read(ctx, s, states[s.ID], force); ctx.Err() == nil {
						select {
						case results <- r:
						case <-ctx.Done():
						}
					}
				}
			})
		}
		go func() {
			defer close(results)
			defer wg.Wait()
			defer close(jobs)
			for _, s := range list {
				select {
				case jobs <- s:
				case <-ctx.Done():
					return
				}
			}
		}()
		for r := range results {
			if !yield(r) {
				cancel()
				for range results { //nolint:revive // the workers end
				}
				return
			}
		}
	}
}

// read reads one source, and the documents that it names if it is an index.
func (d *NewsDeps) read(ctx context.Context, s source.Source, st source.State, force bool) *reading {
	r := &reading{source: s, snapshots: map[string][]byte{}, pull: source.Pull{At: d.Now(), Outcome: source.Waiting}}
	due, _ := st.Due(r.pull.At, s.Interval())
	if st.NotBefore.After(r.pull.At) || !due && !force {
		return r
	}
	resp := d.get(ctx, &r.pull, s.URL, &FetchOptions{ETag: st.ETag, LastModified: st.Modified, Accept: s.Accept, MaxBytes: feed.MaxBytes})
	if resp == nil {
		return r
	}
	doc := r.parse(resp, "")
	if doc == nil {
		return r
	}
	if !s.As(doc.Format) {
		r.items, r.snapshots = nil, map[string][]byte{}
		r.pull.Outcome, r.pull.Fault, r.pull.Detail = source.BadDocument, feed.Unrecognised, "it is of the format "+string(doc.Format)
		return r
	}
	r.pull.Outcome, r.pull.Format, r.pull.ETag, r.pull.Modified = source.Fetched, doc.Format, resp.ETag, resp.LastModified
	d.follow(ctx, r, doc.Pointers)
	r.items = s.Keep(r.items)
	r.pull.Items = len(r.items)
	for i := range r.items {
		if t := r.items[i].Published; t.After(r.pull.Newest) && !t.After(r.pull.At) {
			r.pull.Newest = t
		}
	}
	return r
}

// maxIndexes bounds the lists of documents that one source leads to.
const maxIndexes = 3

// follow reads the newest of the documents that an index names.
func (d *NewsDeps) follow(ctx context.Context, r *reading, pointers []feed.Pointer) {
	indexes, left := 0, r.source.Follow
	seen := map[string]bool{r.source.URL: true}
	for len(pointers) > 0 && left > 0 && ctx.Err() == nil {
		slices.SortStableFunc(pointers, func(a, b feed.Pointer) int { return b.Updated.Compare(a.Updated) })
		p := pointers[0]
		pointers = pointers[1:]
		index := p.Rel != "document"
		if seen[p.URL] || index && indexes == maxIndexes {
			continue
		}
		seen[p.URL] = true
		if index {
			indexes++
		} else {
			left--
		}
		var one source.Pull
		resp := d.get(ctx, &one, p.URL, &FetchOptions{Accept: r.source.Accept, MaxBytes: feed.MaxBytes})
		if resp == nil {
			// The index was read, so that the source works; this one is said.
			r.defects = append(r.defects, feed.Defect{Code: feed.Incomplete, Detail: p.URL})
			continue
		}
		before := r.pull
		doc := r.parse(resp, p.URL)
		r.pull = before
		if doc == nil {
			r.defects = append(r.defects, feed.Defect{Code: feed.Incomplete, Detail: p.URL})
			continue
		}
		pointers = append(pointers, doc.Pointers...)
	}
}

// parse takes the items of a document. A document that cannot be read is noted
// in the pull, and nil returned.
func (r *reading) parse(resp *Fetched, address string) *feed.Read {
	charset := ""
	if _, params, err := mime.ParseMediaType(resp.ContentType); err == nil {
		charset = params["charset"]
	}
	o := r.source.Options(resp.URL, charset)
	if address != "" {
		o.Want = feed.Anything
	}
	doc, err := feed.Parse(resp.Body, o)
	if err != nil {
		r.pull.Outcome, r.pull.Detail = source.BadDocument, err.Error()
		if f, ok := errors.AsType[*feed.Error](err); ok {
			r.pull.Fault = f.Fault
		}
		return nil
	}
	r.items = append(r.items, doc.Items...)
	r.defects = append(r.defects, doc.Defects...)
	r.snapshots[doc.Snapshot] = resp.Body
	return doc
}

// get asks for an address, again after a pause where that may help, and notes
// in the pull what came of it. It returns an answer with a body, or nil.
func (d *NewsDeps) get(ctx context.Context, pull *source.Pull, address string, o *FetchOptions) *Fetched {
	pause := pullPause
	for attempt := 1; ; attempt++ {
		resp, err := d.Fetch.Get(ctx, address, o)
		again := false
		switch {
		case err != nil:
			pull.Outcome, pull.Detail = source.Unreachable, err.Error()
			e, ok := errors.AsType[*Error](err)
			switch {
			case ok && (e.Kind == Denied || e.Kind == Invalid):
				pull.Outcome = source.Refused
			case ok && e.Kind == Limit:
				pull.Outcome, pull.Fault = source.BadDocument, feed.TooLarge
			default:
				again = true
			}
		case resp.NotModified():
			pull.Outcome, pull.Status = source.NotModified, resp.Status
		case resp.OK():
			pull.Status = resp.Status
			return resp
		default:
			pull.Outcome, pull.Status, pull.RetryAfter, pull.Detail = source.BadStatus, resp.Status, resp.RetryAfter, ""
			again = resp.Status >= 500 || resp.Status == http.StatusTooManyRequests || resp.Status == http.StatusRequestTimeout
			pause = max(pause, resp.RetryAfter)
		}
		if !again || attempt == pullAttempts || pause > pullPatience || d.sleep(ctx, pause) != nil {
			return nil
		}
		pull.RetryAfter = 0
		pause *= 2
	}
}

// keep keeps what a source gave, and says what was new.
func (d *NewsDeps) keep(ctx context.Context, r *reading, st source.State) (SourceRecord, error) {
	// What was read is kept even if the user interrupts meanwhile.
	ctx = context.WithoutCancel(ctx)
	var kept keptItems
	var state source.State
	for attempt := 1; ; attempt++ {
		var err error
		if kept, err = d.versions(ctx, r.items, r.pull.At); err != nil {
			return SourceRecord{}, err
		}
		r.pull.New = kept.added
		state = st.After(r.pull)
		if r.pull.Outcome == source.Waiting {
			break
		}
		err = d.Store.KeepNews(ctx, &NewsPull{Source: r.source.ID, State: state, Items: kept.list, Snapshots: kept.named(r.snapshots)})
		if err == nil {
			break
		}
		// Somebody else read the same source at the same time.
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Conflict || attempt == pullAttempts {
			return SourceRecord{}, err
		}
	}
	rec := d.sourceRecord(&r.source, state)
	rec.Pull = &PullRecord{Outcome: r.pull.Outcome, Items: r.pull.Items, New: kept.added, Changed: len(kept.list) - kept.added}
	said := map[feed.DefectCode]bool{}
	for _, f := range r.defects {
		if !said[f.Code] {
			said[f.Code] = true
			rec.Pull.Defects = append(rec.Pull.Defects, d.words().Render(f.Message()))
		}
	}
	return rec, nil
}

// keptItems are the versions to keep.
type keptItems struct {
	list  []NewsVersion
	added int // items that were not there before
}

// named returns those of the documents that a version names.
func (k *keptItems) named(docs map[string][]byte) map[string][]byte {
	out := map[string][]byte{}
	for i := range k.list {
		if s := k.list[i].Item.Snapshot; docs[s] != nil {
			out[s] = docs[s]
		}
	}
	return out
}

// versions compares items with what is kept.
func (d *NewsDeps) versions(ctx context.Context, items []news.Item, at time.Time) (keptItems, error) {
	var out keptItems
	ids := make([]news.ItemID, 0, len(items))
	for i := range items {
		ids = append(ids, items[i].ID)
	}
	have, err := d.Store.NewsItems(ctx, &NewsQuery{IDs: ids})
	if err != nil {
		return out, err
	}
	old := map[news.ItemID]*NewsVersion{}
	for i := range have {
		old[have[i].Item.ID] = &have[i]
	}
	seen := map[news.ItemID]bool{}
	for _, it := range items {
		if seen[it.ID] {
			continue
		}
		seen[it.ID] = true
		v := NewsVersion{Version: 1, At: at, Item: it}
		if was, ok := old[it.ID]; ok {
			if v.Change = news.Compare(&was.Item, &it); !v.Change.Any() {
				continue
			}
			v.Version = was.Version + 1
		} else {
			out.added++
		}
		out.list = append(out.list, v)
	}
	return out, nil
}

// addedSource is the source of what a person added.
const addedSource = "added"

// Added is what came of adding a document.
type Added struct {
	Stories []StoryRecord // that its items belong to
	New     int
	Changed int
}

// AddNews adds a document that a person names: an article, an advisory, a feed.
// Address is where it came from, "" for a file of the user's.
func AddNews(ctx context.Context, data []byte, name, address, charset string, deps *NewsDeps) (*Added, error) {
	doc, err := feed.Parse(data, &feed.Options{Source: addedSource, URL: address, Charset: charset})
	if err != nil {
		e := &Error{Kind: Invalid, Message: lang.M("advise.error.read", "file", name), Hint: lang.M("advise.hint.read"), Err: err}
		if f, ok := errors.AsType[*feed.Error](err); ok {
			e.Message = lang.M("advise.error.fault", "file", name, "why", f.Message())
		}
		return nil, e
	}
	if len(doc.Items) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("advise.error.no-item", "file", name), Hint: lang.M("advise.hint.read")}
	}
	states, err := deps.Store.NewsSources(ctx)
	if err != nil {
		return nil, err
	}
	r := &reading{
		source: source.Source{ID: addedSource}, items: doc.Items, snapshots: map[string][]byte{doc.Snapshot: data},
		pull: source.Pull{At: deps.Now(), Outcome: source.Fetched, Format: doc.Format, Items: len(doc.Items)},
	}
	rec, err := deps.keep(ctx, r, states[addedSource])
	if err != nil {
		return nil, err
	}
	if _, err := deps.group(ctx); err != nil {
		return nil, err
	}
	ids := map[news.ItemID]bool{}
	for i := range doc.Items {
		ids[doc.Items[i].ID] = true
	}
	out := &Added{New: rec.Pull.New, Changed: rec.Pull.Changed}
	out.Stories, err = deps.Store.Stories(ctx, &StoryQuery{Items: slices.Sorted(maps.Keys(ids))})
	return out, err
}

// AddNewsFrom is [AddNews] of what is at an address.
func AddNewsFrom(ctx context.Context, address string, deps *NewsDeps) (*Added, error) {
	if deps.Fetch == nil {
		return nil, &Error{Kind: Unavailable, Message: lang.M("news.error.offline-add", "url", address), Hint: lang.M("news.hint.offline-add")}
	}
	resp, err := deps.Fetch.Get(ctx, address, &FetchOptions{MaxBytes: feed.MaxBytes})
	if err != nil {
		return nil, err
	}
	if !resp.OK() {
		return nil, &Error{Kind: Unavailable, Message: lang.M("news.error.status", "url", address, "status", resp.Status), Hint: lang.M("news.hint.status")}
	}
	charset := ""
	if _, params, err := mime.ParseMediaType(resp.ContentType); err == nil {
		charset = params["charset"]
	}
	return AddNews(ctx, resp.Body, address, resp.URL, charset, deps)
}
