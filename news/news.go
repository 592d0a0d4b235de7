// Package news holds the items that sekisho reads about threats: an article, an
// advisory, an entry of a catalogue, a month of updates.
//
// An [Item] keeps its identity when its publisher edits it. What changed decides
// what follows: [Compare] tells a material change, after which an item is graded
// anew, from one that is only kept.
//
// The rooms below it read feeds and documents (feed), take out facts (fact),
// summarise (summary), join items into stories (story), and know the sources
// and their state (source). All of it is pure: bytes in, values out.
package news

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// ItemID is the identity of an item: 16 hex digits that stay when it is edited.
type ItemID string

// NewItemID returns the identity of the item that its source knows by key.
func NewItemID(source, key string) ItemID {
	h := sha256.Sum256([]byte(source + "\x00" + key))
	return ItemID(hex.EncodeToString(h[:8]))
}

// Kind is what sort of document an item is.
type Kind string

// The kinds.
const (
	Article       Kind = "article"       // prose: press, a blog, a page that a user named
	Advisory      Kind = "advisory"      // a notice of an authority or a vendor
	Vulnerability Kind = "vulnerability" // the record of one vulnerability
	Release       Kind = "release"       // a month of updates as a whole
)

// Item is one piece of news in one version. Its text is what a reader sees;
// nothing hidden in the document is part of it.
type Item struct {
	ID     ItemID `json:"id"`
	Source string `json:"source"` // id of the source
	Key    string `json:"key"`    // how the source identifies it: an identifier, else the canonical link
	Kind   Kind   `json:"kind"`

	Title     string        `json:"title"`
	Link      string        `json:"link,omitempty"` // http or https
	Published time.Time     `json:"published,omitzero"`
	Updated   time.Time     `json:"updated,omitzero"`
	Lang      lang.Language `json:"lang"`
	Text      string        `json:"text,omitempty"`
	Labels    []string      `json:"labels,omitempty"` // categories that the source gave it

	CVEs         []string     `json:"cves,omitempty"`     // upper case, sorted, each once
	Severity     string       `json:"severity,omitempty"` // as the source words it, lower case
	Scores       []Score      `json:"scores,omitempty"`
	Products     []Product    `json:"products,omitempty"`
	Fixes        []Fix        `json:"fixes,omitempty"`
	Exploitation Exploitation `json:"exploitation,omitzero"`
	References   []Reference  `json:"references,omitempty"`
	Revision     string       `json:"revision,omitempty"` // of a document that counts its versions
	Status       string       `json:"status,omitempty"`   // of such a document: draft, interim, final

	Snapshot string `json:"snapshot"` // "sha256:..." of the bytes that it was read from
}

// Score is a CVSS base score.
type Score struct {
	Version string  `json:"version"` // "2.0", "3.0", "3.1", "4.0"
	Base    float64 `json:"base"`
	Vector  string  `json:"vector,omitempty"`
}

// Product is something that an item concerns, as its source names it.
type Product struct {
	Vendor  string `json:"vendor,omitempty"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // of the affected versions, in the source's words
	CPE     string `json:"cpe,omitempty"`
}

// Fix is an update that repairs something.
type Fix struct {
	Product string `json:"product,omitempty"`
	KB      string `json:"kb,omitempty"`    // "KB5055523"
	Build   string `json:"build,omitempty"` // as the vendor wrote it, which is sometimes wrong
	URL     string `json:"url,omitempty"`
	Text    string `json:"text,omitempty"`
}

// Exploitation is what a machine-readable source says about attacks. Values that
// the source did not give are empty.
type Exploitation struct {
	InKEV      bool      `json:"in_kev,omitempty"` // the item is an entry of CISA's catalogue
	KEVAdded   time.Time `json:"kev_added,omitzero"`
	KEVDue     time.Time `json:"kev_due,omitzero"` // shown as a fact; it binds nobody since BOD 26-04
	Ransomware bool      `json:"ransomware,omitempty"`
	Exploited  string    `json:"exploited,omitempty"` // Microsoft's "Yes" or "No"
	Disclosed  string    `json:"disclosed,omitempty"`
	Likelihood string    `json:"likelihood,omitempty"` // Microsoft's "Exploitation More Likely"
	SSVC       string    `json:"ssvc,omitempty"`       // exploitation as SSVC words it: none, poc, active
}

// Reference is something to read.
type Reference struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url"`
}

// Facts returns the facts of the item's title and text. origin is the country
// for which its source speaks, or "".
func (it *Item) Facts(origin string, o *fact.Options) (*fact.Input, *fact.Facts) {
	in := &fact.Input{Title: it.Title, Text: it.Text, Published: it.Published, Snapshot: it.Snapshot, Origin: origin}
	if in.Published.IsZero() {
		in.Published = it.Updated
	}
	return in, fact.Extract(in, o)
}

// Snapshot returns the name of a document by its content: "sha256:" and 64 hex
// digits.
func Snapshot(data []byte) string {
	h := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(h[:])
}

// tracking are parameters that tell where a reader came from and not what they
// read.
func tracking(name string) bool {
	switch name {
	case "fbclid", "gclid", "mc_cid", "mc_eid", "ref", "from", "cmpid", "ocid", "wt.mc_id":
		return true
	}
	return strings.HasPrefix(name, "utm_")
}

// CanonicalLink brings a link into the one form by which an item is known: no
// fragment, no parameters that only track, host in lower case, default port
// left out, parameters sorted. It returns "" for what is no http or https
// address.
func CanonicalLink(link string) string {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || u.Host == "" || u.User != nil {
		return ""
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port == "443" && u.Scheme == "https" || port == "80" && u.Scheme == "http" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Fragment, u.RawFragment = "", ""
	if u.RawQuery != "" {
		q := u.Query()
		for name := range q {
			if tracking(strings.ToLower(name)) {
				delete(q, name)
			}
		}
		u.RawQuery = q.Encode()
	}
	u.ForceQuery = false
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String()
}

// LanguageOf returns the language in which text is written: Japanese if it has
// kana, or several kanji, else English. An item without letters is English.
func LanguageOf(text string) lang.Language {
	kanji, latin := 0, 0
	for i, r := range text {
		if i > 4000 {
			break
		}
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return lang.JA
		case unicode.Is(unicode.Han, r):
			kanji++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	if kanji > 1 && kanji*4 > latin {
		return lang.JA
	}
	return lang.EN
}

// CVEs returns the numbers of vulnerabilities in texts, upper case, sorted, each
// once.
func CVEs(texts ...string) []string {
	var list []string
	for _, s := range texts {
		for i := 0; ; {
			n := indexCVE(s[i:])
			if n < 0 {
				break
			}
			i += n
			end := i + len("CVE-0000-")
			for end < len(s) && end < i+16 && s[end] >= '0' && s[end] <= '9' {
				end++
			}
			list = append(list, strings.ToUpper(s[i:end]))
			i = end
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// indexCVE returns where the first number of a vulnerability stands in s, or -1.
func indexCVE(s string) int {
	for i := 0; ; {
		n := strings.IndexByte(s[i:], '-')
		if n < 0 {
			return -1
		}
		i += n
		if i >= 3 && strings.EqualFold(s[i-3:i], "CVE") && (i == 3 || !letter(s[i-4])) && len(s) >= i+10 && s[i+5] == '-' &&
			numeric(s[i+1:i+5]) && numeric(s[i+6:i+10]) {
			end := i + 10
			for end < len(s) && s[end] >= '0' && s[end] <= '9' {
				end++
			}
			if end-i-6 <= 7 && (end == len(s) || !letter(s[end])) {
				return i - 3
			}
		}
		i++
	}
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func numeric(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
