package csaf

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Problem is a rule of the standard that a document breaks.
type Problem struct {
	Test string // section of the test, such as "6.1.16"; "schema" for the JSON schema
	Path string // JSON pointer
	What string
}

// Check returns what is wrong with an informational advisory: what the JSON
// schema asks for, and the mandatory tests of section 6.1 that can fail for a
// document without products and vulnerabilities.
func Check(d *Document) []Problem {
	c := &checker{h: &d.Document}
	c.schema()
	c.profile()
	c.tracking()
	return c.found
}

type checker struct {
	h     *Head
	found []Problem
}

func (c *checker) bad(test, path, what string) {
	c.found = append(c.found, Problem{test, "/document" + path, what})
}

// schema holds the values to the JSON schema of section 3.2.
func (c *checker) schema() {
	h := c.h
	text := func(path, s string) {
		if s == "" {
			c.bad("schema", path, "is empty")
		}
	}
	word := func(path, s string, choices ...string) {
		if !slices.Contains(choices, s) {
			c.bad("schema", path, "is none of the values of the standard: "+s)
		}
	}
	address := func(path, s string) {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || strings.ContainsAny(s, " \t\n") {
			c.bad("schema", path, "is no URI: "+s)
		}
	}
	date := func(path, s string) {
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			c.bad("schema", path, "is no date and time: "+s)
		}
	}
	word("/csaf_version", h.CSAFVersion, Version)
	if h.Category == "" || strings.Trim(h.Category, " -_.") != h.Category {
		c.bad("schema", "/category", "begins or ends with a space, a hyphen, a dot or an underscore, or is empty")
	}
	text("/title", h.Title)
	word("/publisher/category", h.Publisher.Category, "coordinator", "discoverer", "other", "translator", "user", "vendor")
	text("/publisher/name", h.Publisher.Name)
	address("/publisher/namespace", h.Publisher.Namespace)
	if h.Lang != "" {
		word("/lang", h.Lang, "ja", "en")
	}
	if h.Distribution != nil {
		word("/distribution/tlp/label", h.Distribution.TLP.Label, "AMBER", "GREEN", "RED", "WHITE")
		address("/distribution/tlp/url", h.Distribution.TLP.URL)
	}
	for i, n := range h.Notes {
		path := "/notes/" + strconv.Itoa(i)
		word(path+"/category", n.Category, "description", "details", "faq", "general", "legal_disclaimer", "other", "summary")
		text(path+"/text", n.Text)
	}
	for i, r := range h.References {
		path := "/references/" + strconv.Itoa(i)
		word(path+"/category", r.Category, "external", "self")
		text(path+"/summary", r.Summary)
		address(path+"/url", r.URL)
	}
	t := &h.Tracking
	if t.ID == "" || strings.TrimSpace(t.ID) != t.ID {
		c.bad("schema", "/tracking/id", "is empty or has white space at an end")
	}
	word("/tracking/status", t.Status, "draft", "final", "interim")
	date("/tracking/current_release_date", t.CurrentReleaseDate)
	date("/tracking/initial_release_date", t.InitialReleaseDate)
	if t.Version == "" {
		c.bad("schema", "/tracking/version", "is empty")
	}
	if len(t.RevisionHistory) == 0 {
		c.bad("schema", "/tracking/revision_history", "is empty")
	}
	for i, r := range t.RevisionHistory {
		path := "/tracking/revision_history/" + strconv.Itoa(i)
		date(path+"/date", r.Date)
		text(path+"/number", r.Number)
		text(path+"/summary", r.Summary)
	}
}

// profile is what the informational advisory asks for: sections 6.1.26 and
// 6.1.27.
func (c *checker) profile() {
	if c.h.Category != Informational {
		c.bad("6.1.26", "/category", "is not that of the profile")
	}
	if !slices.ContainsFunc(c.h.Notes, func(n Note) bool {
		return slices.Contains([]string{"description", "details", "general", "summary"}, n.Category)
	}) {
		c.bad("6.1.27.1", "/notes", "has no text of the category description, details, general or summary")
	}
	if !slices.ContainsFunc(c.h.References, func(r Reference) bool { return r.Category == "external" }) {
		c.bad("6.1.27.2", "/references", "has no external reference")
	}
}

// tracking is about versions: sections 6.1.14 and 6.1.16 to 6.1.22, for the
// whole numbers that we use (section 3.1.11.1).
func (c *checker) tracking() {
	t := &c.h.Tracking
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || strconv.Itoa(n) != s {
			return -1
		}
		return n
	}
	version := number(t.Version)
	if version < 0 {
		c.bad("6.1.30", "/tracking/version", "is no whole number as the others are")
	}
	if t.Status != "draft" && version == 0 {
		c.bad("6.1.17", "/tracking/status", "must be draft for version 0")
	}
	last, seen := -1, map[int]bool{}
	var before time.Time
	for i, r := range t.RevisionHistory {
		path := "/tracking/revision_history/" + strconv.Itoa(i) + "/number"
		n := number(r.Number)
		switch {
		case n < 0:
			c.bad("6.1.30", path, "is no whole number as the others are")
		case seen[n]:
			c.bad("6.1.22", path, "stands twice")
		case i > 0 && n != last+1:
			c.bad("6.1.21", path, "leaves a number out, or goes back")
		case i == 0 && n > 1:
			c.bad("6.1.21", path, "does not begin with 0 or 1")
		}
		if t.Status != "draft" && n == 0 {
			c.bad("6.1.18", path, "is of a version that was not released")
		}
		seen[n], last = true, n
		at, err := time.Parse(time.RFC3339, r.Date)
		if err == nil && at.Before(before) {
			c.bad("6.1.14", path, "is dated before the one in front of it")
		}
		if err == nil {
			before = at
		}
	}
	if n := len(t.RevisionHistory); n > 0 && last != version {
		c.bad("6.1.16", "/tracking/version", "is not that of the last revision")
	}
}
