package digest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory/grounding"
	"github.com/sekisho/sekisho/lang"
)

// OpenCode is what there is to settle.
type OpenCode string

// The codes.
const (
	NoCommentary  OpenCode = "no-commentary"  // in neither language
	OneCommentary OpenCode = "one-commentary" // in one language only
	Unsigned      OpenCode = "unsigned"       // commentary of nobody
	OtherLanguage OpenCode = "other-language" // an edition quotes another language
	NoPoints      OpenCode = "no-points"      // nothing could be quoted
	Unsupported   OpenCode = "unsupported"    // a person's sentence that no source bears out
	Unread        OpenCode = "unread"         // a source whose text was not read
	NoPublisher   OpenCode = "no-publisher"
	NoDate        OpenCode = "no-date"
	OutOfPeriod   OpenCode = "out-of-period" // no source of the item is from the period
	Disagree      OpenCode = "disagree"      // sources give different versions of an update
	UnknownDays   OpenCode = "unknown-days"  // planned days of whose updates nothing is known
	NotChosen     OpenCode = "left-out"      // stories of the period
)

// open lists what there is to settle, and adds to what is missing what the facts
// lack.
func (w *writer) open() {
	x := w.issue
	add := func(code OpenCode, item int, text lang.Text) {
		x.Open = append(x.Open, Open{Code: code, Item: item, Text: text})
	}
	for i := range x.Items {
		w.openItem(&x.Items[i], add)
	}
	if u := x.Updates; u != nil {
		n := x.UpdatesNumber()
		// The item that tells of the updates has the commentary.
		if u.Item == 0 || u.Commentary.JA+u.Commentary.EN != "" {
			w.openCommentary(&u.Commentary, n, add)
		}
		for i := range u.Rows {
			if r := &u.Rows[i]; len(r.Disagree) > 0 {
				add(Disagree, n, w.say("digest.open.disagree", "product", r.Product, "versions", append([]string{r.Version}, r.Disagree...)))
			}
		}
		if len(u.Unknown) > 0 {
			var names []string
			for _, d := range u.Unknown {
				if !slices.Contains(names, d.Vendor) {
					names = append(names, d.Vendor)
				}
			}
			add(UnknownDays, n, w.say("digest.open.unknown-days", "vendors", names))
		}
	}
	if last, ok := w.old(); ok {
		x.Missing = append(x.Missing, w.say("digest.missing.facts", "date", last.Date))
	}
	if w.in.LeftOut > 0 {
		add(NotChosen, 0, w.say("digest.open.left-out", "n", w.in.LeftOut))
	}
}

func (w *writer) openCommentary(c *Commentary, n int, add func(OpenCode, int, lang.Text)) {
	switch {
	case c.JA == "" && c.EN == "":
		add(NoCommentary, n, w.say("digest.open.no-commentary"))
		return
	case c.JA == "":
		add(OneCommentary, n, w.say("digest.open.one-commentary", "language", lang.M("digest.language.ja")))
	case c.EN == "":
		add(OneCommentary, n, w.say("digest.open.one-commentary", "language", lang.M("digest.language.en")))
	}
	if c.By == (lang.Text{}) {
		add(Unsigned, n, w.say("digest.open.unsigned"))
	}
}

func (w *writer) openItem(x *Item, add func(OpenCode, int, lang.Text)) {
	w.openCommentary(&x.Commentary, x.Number, add)
	for _, l := range languages {
		name := lang.M("digest.language." + string(l))
		list := append([]Point{x.Headline.In(l)}, x.Points.In(l)...)
		if slices.ContainsFunc(list, func(p Point) bool { return p.Lang != l }) {
			add(OtherLanguage, x.Number, w.say("digest.open.other-language", "language", name))
		}
		if len(list) == 1 {
			add(NoPoints, x.Number, w.say("digest.open.no-points", "language", name))
		}
		for _, p := range list {
			if len(p.Problems) > 0 {
				add(Unsupported, x.Number, w.say("digest.open.unsupported", "text", p.Text, "problems", strings.Join(p.Problems, "; ")))
			}
		}
	}
	w.openWords(x, add)
	inPeriod := false
	for i := range x.Sources {
		s := &x.Sources[i]
		if !s.Read {
			add(Unread, x.Number, w.say("digest.open.unread", "source", s.Title))
		}
		if s.Publisher == "" {
			add(NoPublisher, x.Number, w.say("digest.open.no-publisher", "source", s.Title))
		}
		if s.Published == "" {
			add(NoDate, x.Number, w.say("digest.open.no-date", "source", s.Title))
		}
		// An item of the last days before is not old.
		early := w.in.From.AddDate(0, 0, -7).Format(time.DateOnly)
		inPeriod = inPeriod || s.Published == "" || s.Published >= early && s.Published <= w.in.To.Format(time.DateOnly)
	}
	if !inPeriod && len(x.Sources) > 0 {
		add(OutOfPeriod, x.Number, w.say("digest.open.out-of-period"))
	}
}

// openWords holds the hard facts of a commentary against the sources. Its
// opinions are its author's.
func (w *writer) openWords(x *Item, add func(OpenCode, int, lang.Text)) {
	if x.Commentary.JA+x.Commentary.EN == "" {
		return
	}
	g := grounding.New(&grounding.Options{Sources: groundsOf(w.in.Entries[x.Number-1].Sources)})
	for _, l := range languages {
		for _, r := range g.Draft(x.Commentary.In(l), l) {
			var bad []string
			for _, p := range r.Problems {
				if p.Kind.Hard() {
					bad = append(bad, fmt.Sprintf("%s %s", p.Kind, p.Quote))
				}
			}
			if len(bad) > 0 {
				add(Unsupported, x.Number, w.say("digest.open.commentary", "text", r.Sentence, "problems", strings.Join(bad, "; ")))
			}
		}
	}
}
