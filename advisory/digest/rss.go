package digest

import (
	"encoding/xml"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// RSS is the issue in a language as RSS 2.0 (https://www.rssboard.org/rss-specification),
// an item of the feed for each of its own. home is the address of the newsletter,
// which a channel must have.
func (x *Issue) RSS(l lang.Language, home string) (string, error) {
	type guid struct {
		PermaLink bool   `xml:"isPermaLink,attr"`
		Text      string `xml:",chardata"`
	}
	type item struct {
		Title       string `xml:"title"`
		Link        string `xml:"link,omitempty"`
		Description string `xml:"description"`
		GUID        guid   `xml:"guid"`
		PubDate     string `xml:"pubDate"`
	}
	type channel struct {
		Title       string `xml:"title"`
		Link        string `xml:"link"`
		Description string `xml:"description"`
		Language    string `xml:"language"`
		PubDate     string `xml:"pubDate"`
		Generator   string `xml:"generator"`
		Items       []item `xml:"item"`
	}
	type rss struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Channel channel  `xml:"channel"`
	}
	v := x.view(l)
	day, err := time.Parse(time.DateOnly, x.Issued)
	if err != nil {
		return "", fmt.Errorf("digest: the date of issue: %w", err)
	}
	date := day.Format(time.RFC1123Z)
	feed := rss{Version: "2.0", Channel: channel{
		Title: v.Title + " " + v.Name, Link: home, Description: v.Period, Language: string(l), PubDate: date, Generator: "sekisho",
	}}
	add := func(anchor, number, title, body string, list []sourceView) {
		it := item{Title: number + ". " + title, Description: body, PubDate: date, GUID: guid{Text: fmt.Sprintf("sekisho:digest:%d:%s:%s", x.Number, anchor, l)}}
		for _, s := range list {
			if it.Link == "" {
				it.Link = s.URL
			}
		}
		feed.Channel.Items = append(feed.Channel.Items, it)
	}
	for i := range v.Items {
		it := &v.Items[i]
		add(it.Anchor, it.Number, join(it.Headline.Text, it.Headline.Note), it.summary(v), it.Sources)
	}
	if u := v.Updates; u != nil {
		add(u.Anchor, u.Number, u.Head, u.summary(), nil)
	}
	out, err := xml.MarshalIndent(&feed, "", "  ")
	if err != nil {
		return "", fmt.Errorf("digest: writing RSS: %w", err)
	}
	return xml.Header + string(out) + "\n", nil
}

// summary is an item as HTML for readers of feeds, which keep little of it.
func (it *itemView) summary(v *view) string {
	var b strings.Builder
	b.WriteString("<ul>")
	for _, p := range it.Points {
		b.WriteString("<li>" + html.EscapeString(join(p.Text, p.Note)+refs(p.Refs)) + "</li>")
	}
	b.WriteString("</ul>")
	if len(it.Sources) > 0 {
		b.WriteString("<p>" + html.EscapeString(v.Label["sources"]) + "</p><ul>")
	}
	for _, s := range it.Sources {
		text := html.EscapeString(fmt.Sprintf("[%d] %s", s.N, join(s.Title, s.About)))
		if s.URL != "" {
			u := html.EscapeString(s.URL)
			text += ` <a href="` + u + `">` + u + "</a>"
		}
		b.WriteString("<li>" + text + "</li>")
	}
	if len(it.Sources) > 0 {
		b.WriteString("</ul>")
	}
	if it.Updates != nil {
		b.WriteString(it.Updates.summary())
	}
	if c := it.Commentary; c != nil {
		b.WriteString("<p><b>" + html.EscapeString(c.Head) + "</b></p>")
		for _, p := range c.Paragraphs {
			b.WriteString("<p>" + html.EscapeString(p) + "</p>")
		}
	}
	return b.String()
}

func (u *updatesView) summary() string {
	var b strings.Builder
	b.WriteString("<p><b>" + html.EscapeString(u.Head) + "</b></p><ul>")
	for i := range u.Counts {
		c := &u.Counts[i]
		for _, s := range []string{c.Head, c.Exploited, c.Counted} {
			if s != "" {
				b.WriteString("<li>" + html.EscapeString(s) + "</li>")
			}
		}
	}
	for i := range u.Rows {
		r := &u.Rows[i]
		b.WriteString("<li>" + html.EscapeString(strings.Join(strings.Fields(strings.Join(append([]string{r.Product, r.Update, r.Version, r.Released}, r.Remarks...), " ")), " ")) + "</li>")
	}
	for _, c := range u.Cautions {
		b.WriteString("<li>" + html.EscapeString(c.Head+" "+c.Text) + "</li>")
	}
	b.WriteString("</ul>")
	return b.String()
}
