package desk

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory/digest"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
)

// DigestInput says which issue of the newsletter to make.
type DigestInput struct {
	From, To   time.Time // days where the organisation is; both included
	Number     int       // 0: that of the issue of the same period, else the next one
	Title      string    // of the newsletter; "" for the usual one
	Entries    []digest.Entry
	Stories    []string // ids, told after the entries
	Most       int      // items that are chosen if none are named; 0 for the usual number
	Commentary map[string]digest.Commentary
	Home       string // address of the newsletter, for RSS; "" for that of the organisation
	Replace    bool   // also where the issue that was kept has more items
}

// DigestDeps is what the use cases about the newsletter need from outside.
type DigestDeps struct {
	Store DigestStore
	News  *NewsDeps
	Patch *PatchDeps
}

// usualItems is how many items are chosen.
const usualItems = 6

// MakeDigest makes an issue of the newsletter, renders it and keeps it.
func MakeDigest(ctx context.Context, in *DigestInput, deps *DigestDeps) (*DigestRecord, error) {
	kept, err := deps.Store.Digests(ctx)
	if err != nil {
		return nil, err
	}
	want, err := digestContent(ctx, in, kept, deps)
	if err != nil {
		return nil, err
	}
	x, err := digest.New(want)
	if err != nil {
		return nil, digestError(err)
	}
	chosen := len(in.Entries)+len(in.Stories) == 0
	for i := range kept {
		// A bad day of the sources must not replace a good issue.
		if k := kept[i].Issue; chosen && !in.Replace && k.Number == x.Number && len(k.Items) > len(x.Items) {
			return nil, &Error{
				Kind: Conflict, Message: lang.M("digest.error.fuller", "n", number(x.Number), "have", len(k.Items), "now", len(x.Items)), Hint: lang.M("digest.hint.fuller"),
			}
		}
	}
	out := &DigestRecord{At: deps.News.Now(), Issue: x}
	if out.Forms, err = digestForms(x, deps.home(in)); err != nil {
		return nil, err
	}
	out.Hash = digestHash(out.Forms)
	if out.Version, err = deps.Store.KeepDigest(ctx, out); err != nil {
		return nil, err
	}
	return out, nil
}

func number(n int) string { return strconv.Itoa(n) }

func digestError(err error) error {
	switch {
	case errors.Is(err, digest.ErrEmpty):
		return &Error{Kind: NotFound, Message: lang.M("digest.error.empty"), Hint: lang.M("digest.hint.empty"), Err: err}
	case errors.Is(err, digest.ErrTooMany):
		return &Error{Kind: Invalid, Message: lang.M("digest.error.many", "n", digest.MaxItems), Hint: lang.M("digest.hint.many"), Err: err}
	case errors.Is(err, digest.ErrPeriod):
		return &Error{Kind: Invalid, Message: lang.M("digest.error.period"), Hint: lang.M("digest.hint.period"), Err: err}
	case errors.Is(err, digest.ErrCommentary):
		return &Error{Kind: Invalid, Message: lang.M("digest.error.commentary"), Hint: lang.M("digest.hint.commentary"), Err: err}
	}
	return err
}

// digestContent gathers what an issue is made from.
func digestContent(ctx context.Context, in *DigestInput, kept []DigestRecord, deps *DigestDeps) (*digest.Input, error) {
	now := deps.News.Now()
	out := &digest.Input{
		Number: in.Number, Title: lang.Text{JA: in.Title, EN: in.Title}, From: in.From, To: in.To, Now: now, Commentary: in.Commentary,
		OurProducts: deps.News.Facts.Products.Value(), Words: deps.News.words(), Entries: in.Entries,
	}
	if out.Number == 0 {
		out.Number = digestNumber(in, kept)
	}
	for i := range kept {
		if kept[i].Issue.Number < out.Number {
			out.Earlier = append(out.Earlier, kept[i].Issue)
		}
	}
	stories := in.Stories
	if len(in.Entries)+len(in.Stories) == 0 {
		var err error
		if stories, out.LeftOut, err = digestStories(ctx, in, deps.News); err != nil {
			return nil, err
		}
		if out.Missing, err = digestGaps(ctx, in, deps.News); err != nil {
			return nil, err
		}
	}
	for _, id := range stories {
		e, err := storyEntry(ctx, id, deps.News)
		if err != nil {
			return nil, err
		}
		out.Entries = append(out.Entries, *e)
	}
	var err error
	if deps.Patch != nil {
		if out.Book, err = PatchBook(ctx, deps.Patch.Store); err != nil {
			return nil, err
		}
		if out.Calendar, err = PatchCalendar(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// digestNumber is the number of the issue of the same period, or the next one.
func digestNumber(in *DigestInput, kept []DigestRecord) int {
	from, to := in.From.Format(time.DateOnly), in.To.Format(time.DateOnly)
	next := 1
	for i := range kept {
		x := kept[i].Issue
		if x.From == from && x.To == to {
			return x.Number
		}
		next = max(next, x.Number+1)
	}
	return next
}

// digestStories chooses stories whose newest report is of the period.
func digestStories(ctx context.Context, in *DigestInput, deps *NewsDeps) (ids []string, left int, err error) {
	from, to := lang.StartOfDay(in.From), lang.StartOfDay(in.To).AddDate(0, 0, 1)
	all, err := deps.Store.Stories(ctx, &StoryQuery{Since: from})
	if err != nil {
		return nil, 0, err
	}
	var list []digest.Candidate
	for i := range all {
		if s := &all[i]; s.Last.Before(to) {
			list = append(list, digest.Candidate{ID: s.ID, Grade: s.Grade, Sources: len(s.Sources), Last: s.Last, Roundup: s.Roundup})
		}
	}
	most := in.Most
	if most <= 0 {
		most = usualItems
	}
	chosen, left := digest.Choose(list, min(most, digest.MaxItems))
	for _, c := range chosen {
		ids = append(ids, c.ID)
	}
	return ids, left, nil
}

// digestGaps says which sources may have had news of the period that are not
// here.
func digestGaps(ctx context.Context, in *DigestInput, deps *NewsDeps) ([]lang.Text, error) {
	sources, err := ListSources(ctx, deps)
	if err != nil {
		return nil, err
	}
	out := []lang.Text{}
	var never lang.Text
	end := lang.StartOfDay(in.To).AddDate(0, 0, 1)
	for _, s := range sources {
		switch {
		case !s.On:
		case s.Health == source.Unknown:
			never = lang.Text{JA: strings.TrimPrefix(never.JA+"、"+s.Name.JA, "、"), EN: strings.TrimPrefix(never.EN+", "+s.Name.EN, ", ")}
		case s.MissedFrom != nil && s.MissedFrom.Before(end):
			out = append(out, deps.words().Render(lang.M("digest.missing.source", "source", s.Name, "from", s.MissedFrom.In(deps.Now().Location()), "why", s.Message)))
		}
	}
	if never != (lang.Text{}) {
		out = append(out, deps.words().Render(lang.M("digest.missing.never", "sources", never)))
	}
	return out, nil
}

// home is the address of the newsletter: that of the user, else that of the
// organisation's first domain. A feed without any is about:blank.
func (d *DigestDeps) home(in *DigestInput) string {
	if in.Home != "" {
		return in.Home
	}
	if list := d.News.Facts.Domains.Value(); len(list) > 0 {
		return "https://" + list[0] + "/"
	}
	return "about:blank"
}

// digestForms renders an issue in every form, by name.
func digestForms(x *digest.Issue, home string) (map[string][]byte, error) {
	data, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the issue: %w", err)
	}
	out := map[string][]byte{"digest.json": append(data, '\n')}
	for _, l := range []lang.Language{lang.JA, lang.EN} {
		page, err := x.HTML(l)
		if err != nil {
			return nil, err
		}
		rss, err := x.RSS(l, home)
		if err != nil {
			return nil, err
		}
		name := "digest." + string(l) + "."
		out[name+"html"], out[name+"rss"] = []byte(page), []byte(rss)
		out[name+"txt"], out[name+"md"] = []byte(x.Text(l)), []byte(x.Markdown(l))
	}
	return out, nil
}

// digestHash is over the names and the bytes of all forms, each with its length
// in front, so that no two sets read the same.
func digestHash(forms map[string][]byte) string {
	h := sha256.New()
	h.Write([]byte("sekisho.digest/v1\n"))
	part := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		part([]byte(name))
		part(forms[name])
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// Check reports whether what was rendered is what the hash was made of.
func (r *DigestRecord) Check() bool { return r.Hash == digestHash(r.Forms) }

// FindDigest returns an issue that was kept, the newest version for version 0.
// One whose forms are not those of its hash is an error of kind Invalid.
func FindDigest(ctx context.Context, n, version int, store DigestStore) (*DigestRecord, error) {
	r, err := store.Digest(ctx, n, version)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &Error{Kind: NotFound, Message: lang.M("digest.error.none", "n", number(n)), Hint: lang.M("digest.hint.none")}
	}
	if !r.Check() {
		return nil, &Error{Kind: Invalid, Message: lang.M("digest.error.changed", "n", number(n)), Hint: lang.M("digest.hint.changed")}
	}
	return r, nil
}

// DigestSummarySchema names the JSON form of a [DigestSummary].
const DigestSummarySchema = "sekisho.digest-summary/v1"

// DigestSummary is an issue in a list.
type DigestSummary struct {
	Schema  string              `json:"schema"`
	Number  int                 `json:"number"`
	Version int                 `json:"version"`
	Title   lang.Text           `json:"title"`
	Name    lang.Text           `json:"name"`
	From    string              `json:"from"`
	To      string              `json:"to"`
	Issued  string              `json:"issued"`
	At      time.Time           `json:"at"` // when it was kept
	Hash    string              `json:"hash"`
	Items   []DigestSummaryItem `json:"items"`
	Updates bool                `json:"updates"`
	Open    int                 `json:"open"` // points to settle before approval
}

// DigestSummaryItem is an item of an issue in a list.
type DigestSummaryItem struct {
	Number   int       `json:"number"`
	ID       string    `json:"id"`
	Headline lang.Text `json:"headline"`
}

func summaryOf(r *DigestRecord) DigestSummary {
	x := r.Issue
	s := DigestSummary{
		Schema: DigestSummarySchema, Number: x.Number, Version: r.Version, Title: x.Title, Name: x.Name, From: x.From, To: x.To, Issued: x.Issued, At: r.At.UTC(), Hash: r.Hash,
		Items: []DigestSummaryItem{}, Updates: x.Updates != nil, Open: len(x.Open),
	}
	for i := range x.Items {
		it := &x.Items[i]
		s.Items = append(s.Items, DigestSummaryItem{Number: it.Number, ID: it.ID, Headline: lang.Text{JA: it.Headline.JA.Text, EN: it.Headline.EN.Text}})
	}
	return s
}

// ListDigests returns the issues, the newest first.
func ListDigests(ctx context.Context, store DigestStore) ([]DigestSummary, error) {
	kept, err := store.Digests(ctx)
	if err != nil {
		return nil, err
	}
	out := []DigestSummary{}
	for i := range kept {
		out = append(out, summaryOf(&kept[i]))
	}
	slices.Reverse(out)
	return out, nil
}

// DigestView is what a page of the console shows of the newsletter: the issues,
// and one of them as it will go out, with what there is to settle before.
type DigestView struct {
	Issues  []DigestSummary
	Issue   *digest.Issue // nil if there is none yet
	Version int
	Hash    string // what an approval is bound to
	Page    string // the issue in HTML, a document of its own: show it in a frame
	Open    []digest.Open
	Offers  []DigestOffers // facts to comment on, of the items without commentary
}

// DigestOffers are facts of an item on which a person could comment.
type DigestOffers struct {
	Item   int
	Offers []digest.Offer
}

// DigestPage returns what a page about the newsletter shows in a language. Number
// 0 is the newest issue.
func DigestPage(ctx context.Context, n int, l lang.Language, store DigestStore) (*DigestView, error) {
	list, err := ListDigests(ctx, store)
	if err != nil {
		return nil, err
	}
	out := &DigestView{Issues: list}
	if n == 0 {
		if len(list) == 0 {
			return out, nil
		}
		n = list[0].Number
	}
	r, err := FindDigest(ctx, n, 0, store)
	if err != nil {
		return nil, err
	}
	out.Issue, out.Version, out.Hash, out.Open = r.Issue, r.Version, r.Hash, r.Issue.Open
	out.Page = string(r.Forms["digest."+string(l)+".html"])
	out.Offers = OffersOf(r.Issue)
	return out, nil
}

// OffersOf lists facts to comment on, of the items without commentary.
func OffersOf(x *digest.Issue) []DigestOffers {
	var out []DigestOffers
	for i := range x.Items {
		if it := &x.Items[i]; it.Commentary.JA == "" && it.Commentary.EN == "" && len(it.Offers) > 0 {
			out = append(out, DigestOffers{it.Number, it.Offers})
		}
	}
	return out
}
