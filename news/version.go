package news

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/news/fact"
)

// Change is what differs between two versions of an item.
type Change struct {
	// Fields are what changed, sorted: "cves", "exploitation", "facts", "fixes",
	// "link", "published", "products", "scores", "severity", "status", "text",
	// "title", "updated", "wording". Empty where nothing did.
	Fields []string `json:"fields,omitempty"`

	// Material reports that the item must be graded anew: its title says
	// something else, or a hard fact, a vulnerability, a severity, a date that it
	// states, or the status of the attack or the document changed. Time stamps of
	// the feed, labels, links and wording are not material.
	Material bool `json:"material"`

	Added   []string `json:"added,omitempty"`   // hard facts that are new, as "cve CVE-2031-10001"
	Removed []string `json:"removed,omitempty"` // hard facts that are gone
}

// Any reports whether there is anything to keep as a new version.
func (c *Change) Any() bool { return len(c.Fields) > 0 }

// Compare tells what changed from old to its successor, two versions of the
// same item.
func Compare(old, successor *Item) Change {
	var c Change
	note := func(field string, changed, material bool) {
		if changed {
			c.Fields = append(c.Fields, field)
			c.Material = c.Material || material
		}
	}
	note("title", meaning(old.Title) != meaning(successor.Title), true)
	note("cves", !slices.Equal(old.CVEs, successor.CVEs), true)
	note("severity", !strings.EqualFold(old.Severity, successor.Severity), true)
	note("scores", !slices.Equal(old.Scores, successor.Scores), true)
	note("exploitation", old.Exploitation != successor.Exploitation, true)
	note("fixes", !slices.Equal(old.Fixes, successor.Fixes), true)
	note("products", !slices.Equal(old.Products, successor.Products), true)
	note("status", old.Status != successor.Status, true)
	note("published", !old.Published.Equal(successor.Published), false)
	note("updated", !old.Updated.Equal(successor.Updated) || old.Revision != successor.Revision, false)
	note("link", old.Link != successor.Link, false)
	if old.Title != successor.Title && !slices.Contains(c.Fields, "title") {
		note("wording", true, false)
	}
	if old.Text != successor.Text {
		note("text", true, false)
		c.Added, c.Removed = factChanges(old, successor)
		note("facts", len(c.Added)+len(c.Removed) > 0, true)
	}
	slices.Sort(c.Fields)
	return c
}

// meaning is a title without what an editor may change for looks: case, width,
// white space, punctuation. A full stop inside a number stays.
func meaning(title string) string {
	var b strings.Builder
	point := false // a full stop stands behind a digit
	for _, r := range norm.NFKC.String(title) {
		switch {
		case unicode.IsDigit(r):
			if point {
				b.WriteByte('.')
			}
			fallthrough
		case unicode.IsLetter(r), r == '%':
			b.WriteRune(unicode.ToLower(r))
			point = false
		default:
			last, _ := utf8.DecodeLastRuneInString(b.String())
			point = r == '.' && unicode.IsDigit(last) && !point
		}
	}
	return b.String()
}

// factChanges compares the hard facts of two versions.
func factChanges(old, successor *Item) (added, removed []string) {
	a, b := hardFacts(old), hardFacts(successor)
	for f := range b {
		if !a[f] {
			added = append(added, f)
		}
	}
	for f := range a {
		if !b[f] {
			removed = append(removed, f)
		}
	}
	slices.SortFunc(added, cmp.Compare)
	slices.SortFunc(removed, cmp.Compare)
	return added, removed
}

// hardFacts are the facts whose change makes another story of an item: all but
// the mention of products, techniques and of what was seen.
func hardFacts(it *Item) map[string]bool {
	_, facts := it.Facts("", nil)
	set := map[string]bool{}
	for i := range facts.List {
		f := &facts.List[i]
		key := string(f.Type) + " " + f.Value
		switch f.Type {
		case fact.Product, fact.Technique, fact.Notice:
			continue
		case fact.Status:
			if f.Value == fact.Detected || f.Value == fact.Ongoing {
				continue
			}
			key += doubt(f)
		case fact.Place:
			if f.Value != "JP" {
				continue
			}
			key += doubt(f)
		case fact.Count:
			key = "count " + strconv.FormatFloat(f.Number, 'f', -1, 64) + " " + string(f.Unit) + " " + string(f.Claim)
		case fact.Date:
			key += " " + string(f.Role)
		default:
		}
		set[key] = true
	}
	return set
}

func doubt(f *fact.Fact) string {
	switch {
	case f.Negated:
		return " (denied)"
	case f.Hedged:
		return " (possible)"
	}
	return ""
}
