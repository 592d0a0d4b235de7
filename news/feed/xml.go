package feed

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	ext "github.com/mmcdole/gofeed/extensions"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news"
)

// xml reads RSS, RDF and Atom.
func (r *reader) xml(text []byte) error {
	g, err := guard(text)
	if err != nil {
		return err
	}
	if g.cutOff {
		r.defect(CutOff, "")
	}
	root := local(elementName(g.text))
	switch root {
	case "rss", "rdf", "feed":
	case "channel": // RSS 0.90 without its root
		g.text = slices.Concat([]byte("<rss>"), g.text, []byte("</rss>"))
	default:
		return fault(Unrecognised, "an XML document <%s>", clip(root, 40))
	}
	f, err := parseFeed(g.text)
	if err != nil {
		return &Error{Fault: Malformed, err: err}
	}
	switch {
	case f.FeedType == "atom":
		r.doc.Format = Atom
	case root == "rdf":
		r.doc.Format = RDF
	default:
		r.doc.Format = RSS
	}
	r.doc.Title = line(visible(f.Title))
	r.doc.Link = r.link(f.Link, "")
	if r.doc.Lang == "" {
		r.doc.Lang = language(cmp.Or(f.Language, attribute(string(g.text[:min(len(g.text), 2000)]), "xml:lang")))
	}
	r.feedItems(f, g.jvn)
	return nil
}

// parseFeed runs the parser. A panic in it is a fault of the document: the
// bytes are anybody's, and the parser is not ours.
func parseFeed(text []byte) (f *gofeed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the parser failed: %v", p)
		}
	}()
	f, err = gofeed.NewParser().Parse(bytes.NewReader(text))
	if err == nil && f == nil {
		err = errors.New("no feed")
	}
	return f, err
}

// feedItems turns the items of a feed into ours. jvn is the prefix of JVN's module.
func (r *reader) feedItems(f *gofeed.Feed, jvn string) {
	for _, in := range f.Items {
		if in == nil {
			continue
		}
		it := news.Item{Kind: news.Article, Title: line(r.shown(in.Title))}
		it.Link = r.link(in.Link, f.Link)
		if it.Link == "" && len(in.Links) > 0 {
			it.Link = r.link(in.Links[0], f.Link)
		}
		body, summary := r.shown(in.Content), r.shown(in.Description)
		if it.Text = body; len(body) < len(summary) {
			it.Text = summary
		}
		it.Published = r.date(in.PublishedParsed, in.Published)
		it.Updated = r.date(in.UpdatedParsed, in.Updated)
		if in.DublinCoreExt != nil && it.Published.IsZero() {
			for _, s := range in.DublinCoreExt.Date {
				it.Published = r.date(nil, s)
				break
			}
		}
		for _, c := range in.Categories[:min(len(in.Categories), 20)] {
			if c = line(visible(c)); c != "" {
				it.Labels = append(it.Labels, c)
			}
		}
		sec := r.security(&it, in.Extensions, jvn)
		// RSS 1.0 has no guid, and its rdf:about is not mapped: an identifier
		// of JVN, else the link, is what stays the same.
		key := cmp.Or(sec, strings.TrimSpace(in.GUID), news.CanonicalLink(it.Link))
		r.add(it, key)
	}
}

// isSec reports whether a prefix or name space is JVN's security module, whose
// address is written in three ways.
func isSec(space string) bool {
	switch strings.TrimSuffix(space, "/") {
	case "sec", "http://jvn.jp/rss/mod_sec", "http://jvn.jp/rss/mod_sec/3.0", "https://jvn.jp/rss/mod_sec", "https://jvn.jp/rss/mod_sec/3.0":
		return true
	}
	return false
}

// security reads the elements of JVN's module and returns the identifier.
func (r *reader) security(it *news.Item, all ext.Extensions, jvn string) string {
	id := ""
	spaces := make([]string, 0, len(all))
	for space := range all {
		spaces = append(spaces, space)
	}
	slices.Sort(spaces)
	for _, space := range spaces {
		if space == "dcterms" && it.Published.IsZero() {
			for _, e := range all[space]["issued"] {
				it.Published = r.date(nil, e.Value)
			}
		}
		if space == "dcterms" {
			for _, e := range all[space]["modified"] {
				it.Updated = r.date(nil, e.Value)
			}
		}
		if !isSec(space) && (jvn == "" || space != jvn) {
			continue
		}
		sec := all[space]
		for _, e := range sec["identifier"] {
			id = line(clean(e.Value))
		}
		for _, e := range sec["cvss"] {
			base, err := strconv.ParseFloat(strings.TrimSpace(e.Attrs["score"]), 64)
			if err != nil || base < 0 || base > 10 {
				continue
			}
			it.Scores = append(it.Scores, news.Score{Version: line(e.Attrs["version"]), Base: base, Vector: line(e.Attrs["vector"])})
			if s := severity(e.Attrs["severity"]); s != "" {
				it.Severity = s
			}
		}
		for _, e := range sec["cpe"] { // its version is that of CPE
			r.product(it, news.Product{Vendor: line(clean(e.Attrs["vendor"])), Name: line(clean(e.Attrs["product"])), CPE: line(clean(cmp.Or(e.Value, e.Attrs["name"])))})
		}
		for _, e := range sec["references"] {
			if u := r.link(e.Value, ""); u != "" {
				r.reference(it, news.Reference{Title: line(clean(cmp.Or(e.Attrs["title"], e.Attrs["id"]))), URL: u})
			}
			it.CVEs = append(it.CVEs, news.CVEs(e.Attrs["id"])...)
		}
		it.Kind = news.Advisory
	}
	return id
}

// severity brings the letters of CVSS into words.
func severity(s string) string {
	switch s = strings.ToLower(line(clean(s))); s {
	case "c":
		return "critical"
	case "h":
		return "high"
	case "m":
		return "medium"
	case "l":
		return "low"
	case "none", "n":
		return ""
	}
	return s
}

// layouts are forms of dates that the parser of feeds does not know, or that
// other formats use.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02", "2006/01/02", "2006/1/2", "20060102",
	"2006-01-02T15:04:05.999999999", "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -0700",
}

// date returns a time that was read, or reads s. What cannot be read is a
// defect and the zero time.
func (r *reader) date(t *time.Time, s string) time.Time {
	if t != nil && !t.IsZero() {
		return sane(t.UTC())
	}
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}
	}
	if len(s) <= 60 {
		for _, l := range layouts {
			if t, err := time.Parse(l, s); err == nil {
				return sane(t.UTC())
			}
		}
	}
	r.defect(BadDate, clip(s, 60))
	return time.Time{}
}

// sane drops times that no news is from.
func sane(t time.Time) time.Time {
	if t.Year() < 1980 || t.Year() > 2200 {
		return time.Time{}
	}
	return t
}

// language reads "ja", "ja-JP", "en-us". What sekisho does not speak is left to
// the text.
func language(tag string) lang.Language {
	tag = strings.ToLower(strings.TrimSpace(tag))
	switch {
	case tag == "ja", strings.HasPrefix(tag, "ja-"):
		return lang.JA
	case tag == "en", strings.HasPrefix(tag, "en-"):
		return lang.EN
	}
	return ""
}
