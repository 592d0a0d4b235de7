package desk

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// Bounds of what is kept of a mail for comparing.
const (
	maxTraitMails = 10 // in one input
	maxTraitLinks = 50
	maxTraitFiles = 20
	maxTraitText  = 400 // bytes
	maxTraitPath  = 300 // bytes
)

// maxCompared is how many of the mails that have something in common with
// another are compared with it, those with the most first.
const maxCompared = 1000

// keeping returns the same for whoever keeps mails.
func (d JudgeDeps) keeping() JudgeDeps {
	d = d.withDefaults()
	if d.traits == nil {
		d.traits = campaignOptions(&d.Facts)
	}
	return d
}

// traitsOf is by what the messages of an input are compared.
func traitsOf(it Item, hash string, all []*assessment, deps *JudgeDeps) *MailTraits {
	var mails []IndexedMail
	for i, a := range all[:min(len(all), maxTraitMails)] {
		content := a.content
		if content == nil {
			content = &extract.Content{}
		}
		x := IndexedMail{SHA256: hash}
		x.Mail, x.NetworkID = mailFacts(a.msg, content, &deps.Facts)
		if i > 0 {
			x.Part = a.part
		}
		mails = append(mails, x)
	}
	return newTraits(mails, it.Handover, deps.traits)
}

// readTraits reads an input for comparing only.
func readTraits(it Item, facts *org.Facts, o *campaign.Options) *MailTraits {
	var mails []IndexedMail
	for _, m := range mailsOf(it, facts) {
		if len(mails) < maxTraitMails {
			m.File, m.Index = "", 0
			mails = append(mails, *m)
		}
	}
	return newTraits(mails, it.Handover, o)
}

func newTraits(mails []IndexedMail, h *Handover, o *campaign.Options) *MailTraits {
	t := &MailTraits{Mails: mails}
	for i := range mails {
		m := &mails[i].Mail
		if i == 0 {
			handed(m, h)
		}
		m.Subject, m.Name, m.Helo = cutBytes(m.Subject, maxTraitText), cutBytes(m.Name, maxTraitText), cutBytes(m.Helo, maxTraitText)
		m.Links = slices.Clone(m.Links[:min(len(m.Links), maxTraitLinks)])
		for j := range m.Links {
			m.Links[j].Path, m.Links[j].Query = cutBytes(m.Links[j].Path, maxTraitPath), cutBytes(m.Links[j].Query, maxTraitPath)
		}
		m.Files = m.Files[:min(len(m.Files), maxTraitFiles)]
		t.Keys = append(t.Keys, campaign.Keys(m, o)...)
	}
	return t
}

// handed fills in what the server saw that took a mail in.
func handed(m *campaign.Mail, h *Handover) {
	if h == nil || m.IP.IsValid() {
		return
	}
	m.IP, m.Helo = h.IP, h.HELO
	if m.MailFrom == "" {
		m.MailFrom = h.MailFrom
	}
}

// cutBytes cuts text at the beginning of a character.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return string([]rune(s[:most])[:len([]rune(s[:most]))-1])
}

// StoreIndex is the mails that are kept.
type StoreIndex struct {
	Store SimilarStore
	Facts *org.Facts

	Mails int   // among how many was looked
	Err   error // that ended the search
}

// LikeMails implements [MailIndex]. It yields those that have something in
// common with one of the given ones.
func (x *StoreIndex) LikeMails(ctx context.Context, like []campaign.Mail) iter.Seq[*IndexedMail] {
	return func(yield func(*IndexedMail) bool) {
		o := campaignOptions(x.Facts)
		asked := map[uint64]bool{}
		seen := map[MailID]bool{}
		for i := range like {
			var keys []campaign.Key
			for _, k := range campaign.Keys(&like[i], o) {
				if !asked[k.Sum] {
					asked[k.Sum] = true
					keys = append(keys, k)
				}
			}
			more := true
			x.Mails, x.Err = x.Store.SimilarMails(ctx, keys, maxCompared, func(id MailID, mails []IndexedMail) bool {
				if seen[id] {
					return true
				}
				seen[id] = true
				for j := range mails {
					mails[j].File = string(id)
					if more = yield(&mails[j]); !more {
						return false
					}
				}
				return true
			})
			if x.Err != nil || !more {
				return
			}
		}
	}
}

// SimilarMails finds the mails that are kept and like one of them, and who got
// them.
func SimilarMails(ctx context.Context, id MailID, least campaign.Level, mails MailDeps, store SimilarStore, deps SimilarDeps) (*SimilarReport, error) {
	r, err := mails.Mails.Mail(ctx, id)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, &Error{Kind: NotFound, Message: lang.M("mails.error.gone"), Hint: lang.M("mails.hint.gone")}
	}
	raw, err := mails.Blobs.Blob(ctx, r.Blob)
	if err != nil {
		return nil, err
	}
	x := &StoreIndex{Store: store, Facts: &deps.Facts}
	out, err := FindSimilar(ctx, SimilarInput{
		Mails: slices.Values([]Item{{File: string(id), Raw: raw, Form: FormMessage, Handover: r.Handover}}), Indexes: []MailIndex{x}, Least: least,
	}, deps)
	if err == nil {
		err = x.Err
	}
	return out, err
}

// Traits of mails that were kept before there were any.
const bareBatch = 50

// ReadTraits finds out by what mails are compared of which it is not known, until
// none is left. It returns of how many it did. Busy may be nil.
func ReadTraits(ctx context.Context, deps RetroDeps) (int, error) {
	judging, err := deps.Judge(ctx)
	if err != nil {
		return 0, err
	}
	judging = judging.keeping()
	n := 0
	for ctx.Err() == nil {
		list, err := deps.Similar.BareMails(ctx, bareBatch)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, s := range list {
			if err := deps.rest(ctx); err != nil {
				return n, err
			}
			t := &MailTraits{}
			it, err := deps.item(ctx, s.ID)
			if err != nil && !isGone(err) {
				return n, err
			}
			if err == nil && it != nil {
				onItem(*it, lang.Default(), func() { t = readTraits(*it, &judging.Facts, judging.traits) })
			}
			// A mail that cannot be read has none, so that it is not tried for ever.
			if err := deps.Similar.KeepTraits(ctx, s.ID, t); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, ctx.Err()
}

// isGone reports that bytes are not there, or are not what they were.
func isGone(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Kind == NotFound || e.Kind == Invalid)
}
