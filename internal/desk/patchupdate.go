package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/release"
)

// PatchUpdateSchema is the schema of a [PatchUpdateRecord], in docs/schema.
const PatchUpdateSchema = "sekisho.patch-update/v1"

// PatchSource is a place from which facts about updates are fetched.
type PatchSource struct {
	ID      string
	Name    string
	URL     string
	Product string // that a document of endoflife.date is about
	Accept  string
}

// monthsRead is how many months of MSRC are fetched.
const monthsRead = 3

// PatchSources returns the places as of now: some months of MSRC, Microsoft's feeds
// of pages about updates, CISA's catalogue, endoflife.date.
func PatchSources(now time.Time) []PatchSource {
	var out []PatchSource
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	for i := range monthsRead {
		m := month.AddDate(0, -i, 0)
		out = append(out, PatchSource{
			ID: "msrc-" + m.Format("2006-01"), Name: "MSRC " + m.Format("January 2006"), URL: "https://api.msrc.microsoft.com/cvrf/v3.0/cvrf/" + m.Format("2006-Jan"), Accept: "application/json",
		})
	}
	return append(out,
		PatchSource{ID: "ms-pages-windows11", Name: "Microsoft: Windows 11 update history", URL: "https://support.microsoft.com/en-us/feed/atom/4ec863cc-2ecd-e187-6cb3-b50c6545db92"},
		PatchSource{ID: "ms-pages-windows10", Name: "Microsoft: Windows 10 update history", URL: "https://support.microsoft.com/en-us/feed/atom/6ae59d69-36fc-8e4d-23dd-631d98bf74a9"},
		PatchSource{ID: "kev", Name: "CISA: Known Exploited Vulnerabilities", URL: "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json", Accept: "application/json"},
		PatchSource{ID: "endoflife-windows", Name: "endoflife.date: Microsoft Windows", URL: "https://endoflife.date/api/windows.json", Product: "windows"},
		PatchSource{ID: "endoflife-windows-server", Name: "endoflife.date: Microsoft Windows Server", URL: "https://endoflife.date/api/windows-server.json", Product: "windows-server"},
		PatchSource{ID: "endoflife-java", Name: "endoflife.date: Oracle JDK", URL: "https://endoflife.date/api/oracle-jdk.json", Product: "java"},
	)
}

// PatchUpdateInput says what to bring up to date.
type PatchUpdateInput struct {
	Files   []PatchFile // documents that were downloaded before, in place of the network
	Sources []string    // ids of [PatchSources]; nil for all
	Product string      // that a document of endoflife.date in Files is about
	DryRun  bool
	// Progress is called with how many sources are done; may be nil.
	Progress func(done, total int)
}

// PatchUpdateStatus is what became of a source.
type PatchUpdateStatus string

// The statuses.
const (
	PatchUpdated   PatchUpdateStatus = "updated"
	PatchUnchanged PatchUpdateStatus = "unchanged"
	PatchNotYet    PatchUpdateStatus = "not-yet" // there is no such month yet
	PatchFailed    PatchUpdateStatus = "failed"
	PatchDryRun    PatchUpdateStatus = "dry-run"
)

// PatchUpdateRecord is what a source brought.
type PatchUpdateRecord struct {
	Schema          string            `json:"schema"`
	Source          string            `json:"source"`
	Name            string            `json:"name"`
	From            string            `json:"from"` // an address or a file
	Status          PatchUpdateStatus `json:"status"`
	Kind            release.Kind      `json:"kind,omitempty"`
	Digest          string            `json:"digest,omitempty"`
	AsOf            patch.Date        `json:"as_of,omitzero"`
	Preliminary     bool              `json:"preliminary"` // read for the first time, and young
	Releases        int               `json:"releases"`
	Vulnerabilities int               `json:"vulnerabilities"`
	Branches        int               `json:"branches"`
	Corrections     int               `json:"corrections"`
	Doubts          int               `json:"doubts"` // statements that were not believed
	Error           *Failure          `json:"error,omitempty"`
}

const (
	// A document counts as settled when it reads the same after this long.
	settleAfter = 6 * time.Hour
	// One whose newest statement is older is settled at once.
	youngDays = 3

	maxPatchDocument = feed.MaxBytes
)

// UpdatePatches fetches facts about updates, or reads them from files, and keeps
// them. A source that fails does not stop the others; its record says why, and what
// was known of it before still counts.
func UpdatePatches(ctx context.Context, in *PatchUpdateInput, deps *PatchDeps) ([]PatchUpdateRecord, error) {
	book, err := PatchBook(ctx, nil)
	if err != nil {
		return nil, err
	}
	kept, err := deps.Store.LoadPatchFacts(ctx)
	if err != nil {
		return nil, err
	}
	u := patchUpdate{in: in, deps: deps, book: book, kept: kept, now: deps.Now()}
	out := []PatchUpdateRecord{}
	if len(in.Files) > 0 {
		for _, f := range in.Files {
			s := PatchSource{ID: fileSource(f.Name), Name: f.Name, URL: "", Product: in.Product}
			rec, err := u.take(ctx, s, f.Name, f.Data, "")
			if err != nil {
				return nil, err
			}
			out = append(out, rec)
		}
		return out, nil
	}
	sources := PatchSources(u.now)
	if in.Sources != nil {
		known := sources
		sources = nil
		for _, id := range in.Sources {
			i := slices.IndexFunc(known, func(s PatchSource) bool { return s.ID == id })
			if i < 0 {
				var ids []string
				for _, s := range known {
					ids = append(ids, s.ID)
				}
				return nil, &Error{Kind: NotFound, Message: lang.M("patch.error.source", "id", id), Hint: lang.M("patch.hint.sources", "ids", ids)}
			}
			sources = append(sources, known[i])
		}
	}
	if deps.Fetch == nil {
		return nil, &Error{Kind: Unavailable, Message: lang.M("patch.error.offline", "n", len(sources)), Hint: lang.M("patch.hint.offline")}
	}
	for i, s := range sources {
		rec, err := u.fetch(ctx, s)
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		out = append(out, rec)
		if in.Progress != nil {
			in.Progress(i+1, len(sources))
		}
	}
	return out, nil
}

// fileSource makes an identifier of a file's name.
func fileSource(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	id := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	return "file-" + cmp.Or(strings.Trim(id[:min(len(id), 60)], "-"), "facts")
}

type patchUpdate struct {
	in   *PatchUpdateInput
	deps *PatchDeps
	book *patch.Book
	kept map[string]*patch.Facts
	now  time.Time
}

// fetch reads one source over the network.
func (u *patchUpdate) fetch(ctx context.Context, s PatchSource) (PatchUpdateRecord, error) {
	rec := PatchUpdateRecord{Schema: PatchUpdateSchema, Source: s.ID, Name: s.Name, From: s.URL, Status: PatchFailed}
	got, err := u.deps.Fetch.Get(ctx, s.URL, &FetchOptions{Accept: s.Accept, MaxBytes: maxPatchDocument})
	if err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return rec, fmt.Errorf("fetching %s: %w", s.ID, err)
		}
		rec.Error = u.failure(e)
		return rec, nil
	}
	if got.Status == 404 && strings.HasPrefix(s.ID, "msrc-") {
		rec.Status = PatchNotYet
		return rec, nil
	}
	if !got.OK() {
		rec.Error = u.failure(&Error{Kind: Unavailable, Message: lang.M("patch.error.status", "status", got.Status), Hint: lang.M("patch.hint.file")})
		return rec, nil
	}
	return u.take(ctx, s, s.URL, got.Body, got.ContentType)
}

func (u *patchUpdate) failure(e *Error) *Failure {
	words := u.deps.words()
	return &Failure{Kind: e.Kind, Text: words.Render(e.Message), Hint: words.Render(e.Hint)}
}

// take reads a document and keeps its facts.
func (u *patchUpdate) take(ctx context.Context, s PatchSource, from string, data []byte, contentType string) (PatchUpdateRecord, error) {
	rec := PatchUpdateRecord{Schema: PatchUpdateSchema, Source: s.ID, Name: s.Name, From: from, Status: PatchFailed}
	charset := ""
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		charset = params["charset"]
	}
	doc, err := release.Read(data, u.book, &release.Options{ID: s.ID, Name: s.Name, URL: s.URL, Product: s.Product, Charset: charset, Now: u.now})
	if err != nil {
		rec.Error = u.failure(&Error{Kind: Invalid, Message: lang.M("patch.error.document", "error", err.Error()), Hint: lang.M("patch.hint.document")})
		return rec, nil
	}
	f := &doc.Facts
	if len(f.Sources) == 0 {
		rec.Error = u.failure(&Error{Kind: Invalid, Message: lang.M("patch.error.nothing"), Hint: lang.M("patch.hint.document")})
		return rec, nil
	}
	rec.Kind = doc.Kind
	rec.Releases, rec.Vulnerabilities, rec.Branches = len(f.Releases), len(f.Vulnerabilities), len(f.Branches)
	rec.Corrections, rec.Doubts = len(f.Corrections), len(f.Doubts)
	old := u.kept[s.ID]
	u.settle(f, old, doc.Kind)
	src := f.Sources[0]
	rec.Digest, rec.AsOf, rec.Preliminary = src.Digest, src.AsOf, src.Preliminary
	rec.Status = PatchUpdated
	if old != nil && len(old.Sources) > 0 && src.Digest != "" && old.Sources[0].Digest == src.Digest && old.Sources[0].Preliminary == src.Preliminary {
		rec.Status = PatchUnchanged
	}
	if u.in.DryRun {
		if rec.Status == PatchUpdated {
			rec.Status = PatchDryRun
		}
		return rec, nil
	}
	if rec.Status == PatchUpdated {
		return rec, u.deps.Store.SavePatchFacts(ctx, s.ID, f)
	}
	return rec, nil
}

// settle marks a young document as preliminary until it reads the same some hours
// later. The time of the first reading stays.
func (u *patchUpdate) settle(f, old *patch.Facts, kind release.Kind) {
	if kind != release.Advisory {
		return
	}
	src := &f.Sources[0]
	young := u.now.Sub(src.AsOf.Time) < youngDays*24*time.Hour
	if !young {
		return
	}
	if old == nil || len(old.Sources) == 0 || old.Sources[0].Digest != src.Digest {
		src.Preliminary = true
		return
	}
	src.Fetched = old.Sources[0].Fetched
	src.Preliminary = u.now.Sub(src.Fetched) < settleAfter
}
