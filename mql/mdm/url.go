package mdm

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	urlShape     = value.NewShape("URL", "url", "scheme", "username", "password", "domain", "ip", "port", "path", "query_params", "query_params_decoded", "fragment", "rewrite")
	rewriteShape = value.NewShape("RewriteDetails", "encoders", "original")
	linkShape    = value.NewShape("Link", "href_url", "display_text", "display_url", "mismatched", "parser", "visible")
)

// schemePorts are the ports that a URL without one is opened at.
var schemePorts = map[string]int64{"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443}

// maxShown is the longest text that is read as a URL, in bytes.
const maxShown = 4 << 10

// maxParams bounds the parameters of one URL.
const maxParams = 500

// resolved is a URL with the layers of rewriting taken off whose services are
// known to lead where they say. A redirect that nobody vouches for stays, since
// rules ask for its host, and is named among the encoders.
type resolved struct {
	url      link.URL
	encoders []string
}

func resolve(u link.URL) resolved {
	r := resolved{url: u}
	for _, s := range link.Resolve(u).Steps {
		r.encoders = append(r.encoders, string(s.Rewriter))
		if !s.Rewriter.Vouched() {
			break
		}
		r.url = s.URL
	}
	return r
}

// urlValue returns a URL as an object. What a URL does not have is null.
func urlValue(raw string, u link.URL, o value.Origin) value.Value {
	r := resolve(u)
	t := func(s string) value.Value {
		if s == "" {
			return value.Null
		}
		return value.Text(s, o)
	}
	return value.Of(urlShape.Lazy(func(name string) value.Value {
		u := r.url
		switch name {
		case "url":
			return t(u.String())
		case "scheme":
			return t(u.Scheme)
		case "username":
			user, _, _ := strings.Cut(u.User, ":")
			return t(link.Unescape(user))
		case "password":
			_, password, _ := strings.Cut(u.User, ":")
			return t(link.Unescape(password))
		case "domain":
			switch {
			case u.Host != "":
				return nameValue(u.Host, o)
			case u.IP.IsValid():
				return domainValue(u.IP.String(), o)
			}
			return value.Null
		case "ip":
			return ipValue(u.IP, o)
		case "port":
			switch p := schemePorts[u.Scheme]; {
			case u.Port != 0:
				return value.Int(int64(u.Port)).At(o)
			case p != 0:
				return value.Int(p).At(o)
			}
			return value.Null
		case "path":
			return t(u.Path)
		case "query_params":
			return t(u.Query)
		case "query_params_decoded":
			return params(u.Query, o)
		case "fragment":
			return t(u.Fragment)
		}
		return value.Of(rewriteShape.New(value.Strings(r.encoders...), t(raw)))
	}).At(o).For(u))
}

// params returns the parameters of a query, each with all its values.
func params(query string, o value.Origin) value.Value {
	var m value.Map
	lists := map[string][]value.Value{}
	n := 0
	for p := range strings.SplitSeq(query, "&") {
		if p == "" {
			continue
		}
		if n++; n > maxParams {
			break
		}
		k, v, _ := strings.Cut(p, "=")
		k, v = link.Unescape(strings.ReplaceAll(k, "+", " ")), link.Unescape(strings.ReplaceAll(v, "+", " "))
		lists[k] = append(lists[k], value.Text(v, o))
		m.Set(k, value.Null)
	}
	for k, l := range lists {
		m.Set(k, value.Array(l...))
	}
	return value.Of(&m)
}

// linkValue returns a link of a body. ok is false for what a rule does not know
// as one: forms, frames and other things that nobody clicks.
func linkValue(l *extract.Link) (v value.Value, ok bool) {
	switch l.Source {
	case extract.FromHTML, extract.FromText, extract.FromAttachment:
	default:
		return value.Null, false
	}
	switch l.Tag {
	case "", "a", "area":
	default:
		return value.Null, false
	}
	w := l.Where()
	o := value.Place(w)
	shown := value.Place(finding.Where{Part: l.Part, Offset: l.VisibleSpan.Offset, Length: l.VisibleSpan.Length, URL: w.URL})
	href := value.Null
	if !l.Parsed.IsZero() {
		href = urlValue(l.URL, l.Parsed, o)
	}
	displayText, displayURL, mismatched := value.Null, value.Null, value.Null
	visible := strings.TrimSpace(l.Visible)
	if !l.Image && visible != "" {
		if u, ok := shownURL(visible); ok {
			displayURL = urlValue(visible, u, shown)
		} else {
			displayText = value.Text(visible, shown)
		}
	}
	parser := "plain"
	if l.Tag != "" {
		parser = "hyperlink"
		a, b := href.Field("domain"), displayURL.Field("domain")
		if x, ok := a.Field("root_domain").Str(); ok {
			if y, ok := b.Field("root_domain").Str(); ok {
				mismatched = value.Bool(x != y).At(shown)
			}
		}
	}
	return value.Of(linkShape.New(href, displayText, displayURL, mismatched, value.String(parser), value.Bool(!l.Hidden).At(o)).At(o).For(l)), true
}

// shownURL reads a text that is a URL and nothing else.
func shownURL(s string) (link.URL, bool) {
	if strings.ContainsAny(s, " \t\r\n\u00a0") || len(s) < 4 || len(s) > maxShown {
		return link.URL{}, false
	}
	found := text.URLs(s)
	if len(found) != 1 || found[0].Offset != 0 || found[0].Length < len(strings.TrimRight(s, "/.")) {
		return link.URL{}, false
	}
	u, err := link.Parse(found[0].URL)
	if err != nil || u.Host == "" && !u.IP.IsValid() {
		return link.URL{}, false
	}
	return u, true
}

// at returns the place of a link in the text of its part: what is shown where
// something is, because that is what a thread is made of.
func at(l *extract.Link) eml.Span {
	if l.VisibleSpan.Length > 0 {
		return l.VisibleSpan
	}
	return l.Span
}
