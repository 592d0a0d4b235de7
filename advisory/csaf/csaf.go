// Package csaf writes an advisory in the Common Security Advisory Framework,
// version 2.0 (OASIS Standard, 18 November 2022), for programs that collect
// advisories.
//
// The profile is the informational advisory (section 4.3): the text of the
// drafts as notes, the sources as references. It makes no statement on products or
// vulnerabilities as such, because those belong to who makes the products.
//
// [Check] holds a document against the mandatory tests of section 6.1 that
// apply to it, and against what the JSON schema asks for.
package csaf

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// Document is a CSAF document with the fields that an informational advisory of
// ours has (section 3.2).
type Document struct {
	Document Head `json:"document"`
}

// Head is the document level metadata (section 3.2.1).
type Head struct {
	Category     string        `json:"category"`
	CSAFVersion  string        `json:"csaf_version"`
	Distribution *Distribution `json:"distribution,omitempty"`
	Lang         string        `json:"lang,omitempty"`
	Notes        []Note        `json:"notes"`
	Publisher    Publisher     `json:"publisher"`
	References   []Reference   `json:"references"`
	Title        string        `json:"title"`
	Tracking     Tracking      `json:"tracking"`
}

// Distribution says who may see the document (section 3.2.1.5).
type Distribution struct {
	TLP TLP `json:"tlp"`
}

// TLP is a label of the Traffic Light Protocol, version 1, which is what CSAF
// 2.0 knows.
type TLP struct {
	Label string `json:"label"`
	URL   string `json:"url,omitempty"`
}

// Note is a text (section 3.1.5).
type Note struct {
	Audience string `json:"audience,omitempty"`
	Category string `json:"category"`
	Text     string `json:"text"`
	Title    string `json:"title,omitempty"`
}

// Publisher is who issues the document (section 3.2.1.8).
type Publisher struct {
	Category       string `json:"category"`
	ContactDetails string `json:"contact_details,omitempty"`
	Name           string `json:"name"`
	Namespace      string `json:"namespace"`
}

// Reference is a source (section 3.1.10).
type Reference struct {
	Category string `json:"category"`
	Summary  string `json:"summary"`
	URL      string `json:"url"`
}

// Tracking names the document and its revisions (section 3.2.1.12).
type Tracking struct {
	CurrentReleaseDate string     `json:"current_release_date"`
	Generator          *Generator `json:"generator,omitempty"`
	ID                 string     `json:"id"`
	InitialReleaseDate string     `json:"initial_release_date"`
	RevisionHistory    []Revision `json:"revision_history"`
	Status             string     `json:"status"`
	Version            string     `json:"version"`
}

// Generator is what wrote the document.
type Generator struct {
	Engine Engine `json:"engine"`
}

// Engine is a program.
type Engine struct {
	Name string `json:"name"`
}

// Revision is an entry of the history.
type Revision struct {
	Date    string `json:"date"`
	Number  string `json:"number"`
	Summary string `json:"summary"`
}

// The values that are used of those of the standard.
const (
	Informational = "csaf_informational_advisory"
	Version       = "2.0"
)

// Options is what a document needs beside the advisory.
type Options struct {
	Publisher Publisher
	Lang      lang.Language
	TLP       string // WHITE, GREEN, AMBER or RED; "" for no label
	Subject   string // names the advisory over all its versions
	Revisions []Released
}

// Released is a version of the advisory that left, the oldest first; the last
// one is this one.
type Released struct {
	At      time.Time
	Summary string
}

// Write writes an approved advisory, whose drafts have no mark of a draft any
// more.
func Write(d *advisory.Document, o *Options) *Document {
	h := Head{
		Category: Informational, CSAFVersion: Version, Lang: string(o.Lang), Publisher: o.Publisher, Title: d.Title.In(o.Lang),
		References: []Reference{}, Notes: []Note{},
	}
	if h.Publisher.Category == "" {
		h.Publisher.Category = "user"
	}
	if o.TLP != "" {
		h.Distribution = &Distribution{TLP{Label: o.TLP, URL: "https://www.first.org/tlp/"}}
	}
	note := func(category, title, text, audience string) {
		if text = strings.TrimSpace(text); text != "" {
			h.Notes = append(h.Notes, Note{Category: category, Title: title, Text: text, Audience: audience})
		}
	}
	note("summary", "", d.Summary.In(o.Lang), "")
	note("description", "", d.Scope.In(o.Lang), "")
	note("details", "", d.Response.In(o.Lang), "")
	for _, m := range d.Drafts {
		if m.Lang == o.Lang {
			note("general", m.Subject, m.BodyText, string(m.Audience))
		}
	}
	for _, s := range d.Sources {
		if s.URL != "" {
			h.References = append(h.References, Reference{Category: "external", Summary: firstOf(s.Title, s.Publisher, s.URL), URL: s.URL})
		}
	}
	h.Tracking = Tracking{
		ID: "sekisho-" + o.Subject, Status: "final", Generator: &Generator{Engine{"sekisho"}}, RevisionHistory: []Revision{},
	}
	for i, r := range o.Revisions {
		at := r.At.UTC().Format(time.RFC3339)
		if i == 0 {
			h.Tracking.InitialReleaseDate = at
		}
		h.Tracking.CurrentReleaseDate, h.Tracking.Version = at, strconv.Itoa(i+1)
		h.Tracking.RevisionHistory = append(h.Tracking.RevisionHistory, Revision{Date: at, Number: strconv.Itoa(i + 1), Summary: r.Summary})
	}
	return &Document{Document: h}
}

func firstOf(list ...string) string {
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			return s
		}
	}
	return ""
}

// JSON is the document as it goes into a file (section 5.1 names it), indented.
func (d *Document) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing CSAF: %w", err)
	}
	return append(b, '\n'), nil
}

// FileName is the name that section 5.1 asks for: the id in lower case, with an
// underscore for whatever is no letter, digit, plus or hyphen.
func (d *Document) FileName() string {
	var b strings.Builder
	under := false
	for _, r := range strings.ToLower(d.Document.Tracking.ID) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '+' || r == '-' {
			b.WriteRune(r)
			under = false
			continue
		}
		if !under {
			b.WriteByte('_')
		}
		under = true
	}
	return b.String() + ".json"
}
