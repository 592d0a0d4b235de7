package digest

import (
	"fmt"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// view is an issue in one language as all forms show it.
type view struct {
	Lang     lang.Language
	Title    string // of the newsletter, with the number
	Name     string // of the issue
	Period   string
	Label    map[string]string
	Advice   []string
	Contents []contentView
	Items    []itemView
	Updates  *updatesView // with a number of its own
	Missing  []string
	Foot     string
}

type contentView struct {
	Number, Anchor, Text, Note string
}

type itemView struct {
	Number, Anchor string
	Headline       pointView
	Points         []pointView
	Sources        []sourceView
	SeeAlso        []string
	Commentary     *commentView
	Updates        *updatesView
}

type pointView struct {
	Text, Note string
	Refs       []int
}

type sourceView struct {
	N                 int
	Title, About, URL string
}

type commentView struct {
	Head       string
	Paragraphs []string
}

type updatesView struct {
	Number, Anchor, Head, AsOf string
	Counts                     []countView
	Rows                       []rowView
	Columns                    []string
	Cautions                   []cautionView
	Notes                      []string // days
	Sources                    []sourceView
	SeeAlso                    []string
	Commentary                 *commentView
}

type countView struct {
	Head, Exploited, Counted string
	Refs                     []int
}

type rowView struct {
	Product, Update, Version, Released string
	Remarks                            []string
	Exploited                          bool
	Refs                               []int
}

type cautionView struct {
	Head, Text, URL string
	Refs            []int
}

// viewer says things in one language.
type viewer struct {
	l     lang.Language
	words *lang.Catalogue
}

func (v viewer) say(key string, pairs ...any) string { return v.words.Say(v.l, lang.M(key, pairs...)) }

// between is what parts the members of a list.
func (v viewer) between(ja, en string) string { return lang.Text{JA: ja, EN: en}.In(v.l) }

// date writes a day with its weekday, "" for none.
func (v viewer) date(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return ""
	}
	return lang.Date(v.l, t)
}

// day writes a day without its year.
func (v viewer) day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return ""
	}
	return lang.Text{JA: t.Format("1月2日"), EN: t.Format("2 January")}.In(v.l)
}

var labels = []string{"advice", "contents", "sources", "see-also", "missing", "next", "cautions"}

// view is the issue in a language.
func (x *Issue) view(l lang.Language) *view {
	v := viewer{l, lang.Default()}
	from, _ := time.Parse(time.DateOnly, x.From)
	to, _ := time.Parse(time.DateOnly, x.To)
	out := &view{
		Lang: l, Title: v.say("digest.heading", "title", x.Title, "n", number(x.Number)), Name: x.Name.In(l),
		Period: v.say("digest.period", "period", lang.DateRange(l, from, to), "issued", v.date(x.Issued)), Label: map[string]string{},
	}
	for _, k := range labels {
		out.Label[k] = v.say("digest.label." + k)
	}
	for _, a := range x.Advice {
		out.Advice = append(out.Advice, a.Text.In(l))
	}
	var u *updatesView
	own := false
	if x.Updates != nil {
		own = x.Updates.Item == 0
		u = v.updates(x.Updates, x.UpdatesNumber(), own)
	}
	for i := range x.Items {
		it := &x.Items[i]
		iv := v.item(it)
		c := contentView{Number: iv.Number, Anchor: iv.Anchor, Text: iv.Headline.Text, Note: iv.Headline.Note}
		if u != nil && !own && x.Updates.Item == it.Number {
			iv.Updates = u
			c.Note = strings.TrimSpace(c.Note + " " + v.say("digest.with-updates"))
		}
		out.Items, out.Contents = append(out.Items, iv), append(out.Contents, c)
	}
	if own {
		out.Updates = u
		out.Contents = append(out.Contents, contentView{Number: u.Number, Anchor: u.Anchor, Text: u.Head})
	}
	for _, m := range x.Missing {
		out.Missing = append(out.Missing, m.In(l))
	}
	out.Foot = v.say("digest.foot", "id", x.ID)
	return out
}

func (v viewer) item(it *Item) itemView {
	out := itemView{Number: fmt.Sprintf("%02d", it.Number), Anchor: "item-" + number(it.Number), Headline: v.point(it.Headline.In(v.l)), Sources: v.sources(it.Sources, false), Commentary: v.comment(&it.Commentary)}
	out.Headline.Refs = nil
	for _, p := range it.Points.In(v.l) {
		out.Points = append(out.Points, v.point(p))
	}
	for i := range it.SeeAlso {
		out.SeeAlso = append(out.SeeAlso, seeAlso(v.words, &it.SeeAlso[i], v.l))
	}
	return out
}

func (v viewer) point(p Point) pointView {
	out := pointView{Text: p.Text}
	if p.Source > 0 {
		out.Refs = []int{p.Source}
	}
	if p.Lang != v.l {
		out.Note = v.say("digest.in." + string(p.Lang))
	}
	return out
}

// sources names sources: those of items by the day on which they were
// published, those of facts by the day up to which they tell.
func (v viewer) sources(list []Source, facts bool) []sourceView {
	var out []sourceView
	for i := range list {
		s := &list[i]
		var about []string
		date := v.date(s.Published)
		if facts && date != "" {
			date = v.say("digest.as-of", "date", date)
		}
		for _, a := range []string{s.Publisher, date} {
			if a != "" {
				about = append(about, a)
			}
		}
		if !s.Read {
			about = append(about, v.say("digest.unread"))
		}
		out = append(out, sourceView{N: i + 1, Title: s.Title, About: strings.Join(about, v.between("、", ", ")), URL: s.URL})
		if s.Title == s.URL {
			out[i].Title = ""
		}
	}
	return out
}

func (v viewer) comment(c *Commentary) *commentView {
	s := c.In(v.l)
	if s == "" {
		return nil
	}
	out := &commentView{Head: v.say("digest.commentary")}
	if c.By.In(v.l) != "" {
		out.Head = v.say("digest.commentary-by", "who", c.By)
	}
	for p := range strings.SplitSeq(s, "\n") {
		if p != "" {
			out.Paragraphs = append(out.Paragraphs, p)
		}
	}
	return out
}

// seeAlso names an item of an earlier issue.
func seeAlso(words *lang.Catalogue, r *Related, l lang.Language) string {
	v := viewer{l, words}
	why := v.say("digest.relation."+string(r.Relation), "what", r.Shared)
	return v.say("digest.see-also", "issue", number(r.Issue), "name", r.Name, "item", fmt.Sprintf("%02d", r.Item), "headline", r.Headline, "why", why)
}

func (v viewer) updates(u *Updates, n int, own bool) *updatesView {
	out := &updatesView{
		Number: fmt.Sprintf("%02d", n), Anchor: "updates", Head: v.say("digest.updates"), AsOf: v.say("digest.updates.as-of", "date", v.date(u.AsOf)), Sources: v.sources(u.Sources, true),
		Columns: []string{v.say("digest.column.product"), v.say("digest.column.update"), v.say("digest.column.version"), v.say("digest.column.released"), v.say("digest.column.remarks")},
	}
	if !own {
		out.Number = ""
	}
	for i := range u.Counts {
		c := &u.Counts[i]
		x := countView{Head: v.say("digest.count.head", "vendor", c.Vendor, "here", v.date(c.Here), "there", v.day(c.There)), Refs: c.Sources}
		if len(c.Exploited) > 0 {
			x.Exploited = v.say("digest.count.exploited", "n", len(c.Exploited), "cves", c.Exploited)
		}
		x.Counted = v.say("digest.count.critical", "critical", c.Critical, "population", c.Population)
		if c.Total > 0 {
			x.Counted = v.say("digest.count.total", "total", c.Total, "critical", c.Critical, "population", c.Population)
		}
		out.Counts = append(out.Counts, x)
	}
	for i := range u.Rows {
		out.Rows = append(out.Rows, v.row(&u.Rows[i]))
	}
	for _, c := range u.Cautions {
		out.Cautions = append(out.Cautions, cautionView{Head: v.say("digest.caution."+c.Kind, "products", c.Products), Text: c.Text.In(v.l), URL: c.URL, Refs: c.Sources})
	}
	if len(u.Unknown) > 0 {
		out.Notes = append(out.Notes, v.say("digest.unknown-days", "days", v.days(u.Unknown)))
	}
	if len(u.Next) > 0 {
		out.Notes = append(out.Notes, v.say("digest.next-days", "days", v.days(u.Next)))
	}
	for i := range u.SeeAlso {
		out.SeeAlso = append(out.SeeAlso, seeAlso(v.words, &u.SeeAlso[i], v.l))
	}
	out.Commentary = v.comment(&u.Commentary)
	return out
}

func (v viewer) row(r *Update) rowView {
	x := rowView{Product: r.Product, Update: r.KB, Version: r.Version, Released: v.day(r.Released), Exploited: len(r.Exploited) > 0, Refs: r.Sources}
	if r.KB == "" {
		x.Update = r.Name
	}
	if x.Exploited {
		x.Remarks = append(x.Remarks, v.say("digest.remark.exploited"))
	}
	if len(r.Disagree) > 0 {
		x.Remarks = append(x.Remarks, v.say("digest.remark.disagree", "versions", append([]string{r.Version}, r.Disagree...)))
	}
	for _, e := range r.Ends {
		date, edition := v.date(e.Date), ""
		if e.Edition != "" {
			edition = v.say("digest.edition." + string(e.Edition))
		}
		key := "digest.remark.ends"
		switch {
		case e.Past && e.Extended != "":
			key = "digest.remark.extended"
		case e.Past:
			key = "digest.remark.ended"
		}
		x.Remarks = append(x.Remarks, strings.TrimSpace(v.words.Say(v.l, lang.Message{Key: key, Args: lang.Args{"date": date, "edition": edition, "until": v.date(e.Extended)}})))
	}
	return x
}

func (v viewer) days(list []UpdateDay) string {
	var out []string
	for _, d := range list {
		key := "digest.day.certain"
		if !d.Certain {
			key = "digest.day.usual"
		}
		out = append(out, v.words.Say(v.l, lang.Message{Key: key, Args: lang.Args{"vendor": d.Vendor, "what": d.What, "day": v.day(d.Here)}}))
	}
	return strings.Join(out, v.between("、", "; "))
}
