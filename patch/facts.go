package patch

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// Schema is the schema of [Facts] as a file.
const Schema = "sekisho.patch-facts/v1"

// Facts is what is known of updates: products, the branches that their makers
// look after, what was released when, and which weaknesses are exploited. Each
// fact names its sources. It is a value to be merged with others: those that the
// program ships with, those that were fetched, and those that a user writes.
type Facts struct {
	Schema          string          `json:"schema"`
	Sources         []Source        `json:"sources"`
	Products        []Product       `json:"products,omitempty"`
	Branches        []Branch        `json:"branches,omitempty"`
	Releases        []Release       `json:"releases,omitempty"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities,omitempty"`
	Corrections     []Correction    `json:"corrections,omitempty"`
	Months          []Month         `json:"months,omitempty"`
	Cautions        []Caution       `json:"cautions,omitempty"`
	Doubts          []Doubt         `json:"doubts,omitempty"`
}

// Source is where facts come from.
type Source struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	URL         string    `json:"url,omitempty"`
	AsOf        Date      `json:"as_of"`            // what it says was so on that day
	Fetched     time.Time `json:"fetched,omitzero"` // of a document that was fetched
	Digest      string    `json:"digest,omitempty"` // "sha256:..." of its bytes
	Licence     string    `json:"licence,omitempty"`
	Preliminary bool      `json:"preliminary,omitempty"` // young, and not yet read twice with the same content
}

// Product is something that gets updates.
type Product struct {
	ID     string   `json:"id"`
	Vendor string   `json:"vendor"`
	Name   string   `json:"name"`
	Scheme Scheme   `json:"scheme,omitempty"`
	Names  []string `json:"names,omitempty"`  // under which inventories list it
	Winget []string `json:"winget,omitempty"` // package identifiers
	KEV    []string `json:"kev,omitempty"`    // "vendor/product" as CISA's catalogue words it
}

// Branch is a line of versions that gets updates of its own.
type Branch struct {
	Product string `json:"product"`
	ID      string `json:"id"`   // of Windows the build, of Office the channel
	Name    string `json:"name"` // "Windows 11 24H2"
	// Prefix is how versions of the branch begin. Of a product's branches the
	// longest that fits counts; "" fits all.
	Prefix string   `json:"prefix,omitempty"`
	Names  []string `json:"names,omitempty"` // how MSRC's names of products begin
	// Hotpatch is set where devices may get updates that need no restart and carry
	// lower revisions than the ordinary ones.
	Hotpatch bool `json:"hotpatch,omitempty"`
	// RevisionFrom is the lowest revision that this branch alone uses, where another
	// product has the same build.
	RevisionFrom int      `json:"revision_from,omitempty"`
	Ends         []End    `json:"ends,omitempty"`
	Sources      []string `json:"sources"`
}

// Edition is a group of editions with one date of end.
type Edition string

// The editions.
const (
	EditionAny        Edition = ""
	EditionHomePro    Edition = "home-pro"
	EditionEnterprise Edition = "enterprise-education"
	EditionLTSC       Edition = "ltsc"
)

// End is the last day on which a branch gets updates.
type End struct {
	Edition  Edition `json:"edition,omitempty"`
	Date     Date    `json:"date"`
	Extended Date    `json:"extended,omitzero"` // with updates that are bought or signed up for
}

// ReleaseKind is what an update is for.
type ReleaseKind string

// The kinds. Only a security update raises what is required of a device.
const (
	Security  ReleaseKind = "security"   // of the planned day
	OOB       ReleaseKind = "oob"        // out of band, to mend the update before
	OOBSecure ReleaseKind = "oob-secure" // out of band, for a weakness
	Preview   ReleaseKind = "preview"
	Hotpatch  ReleaseKind = "hotpatch" // security, without a restart
	Ordinary  ReleaseKind = "ordinary" // not for security
)

func (k ReleaseKind) secures() bool { return k == Security || k == OOBSecure }

// Release is a version of a branch.
type Release struct {
	Product  string      `json:"product"`
	Branch   string      `json:"branch"`
	Version  string      `json:"version"` // of Windows "26100.3775"
	Name     string      `json:"name,omitempty"`
	KB       string      `json:"kb,omitempty"` // "KB5055523"
	Date     Date        `json:"date"`         // where its maker is
	Kind     ReleaseKind `json:"kind"`
	Baseline bool        `json:"baseline,omitempty"` // devices with hotpatches need it too
	Extended bool        `json:"extended,omitempty"` // only with extended updates
	CVEs     []string    `json:"cves,omitempty"`     // that it mends; not always all
	Critical int         `json:"critical,omitempty"` // of them; 0 also if nobody counted
	URL      string      `json:"url,omitempty"`
	Sources  []string    `json:"sources"`
}

// Vulnerability is what sources say of attacks on a weakness.
type Vulnerability struct {
	CVE        string   `json:"cve"`
	Title      string   `json:"title,omitempty"`
	Vendor     string   `json:"vendor,omitempty"`
	Product    string   `json:"product,omitempty"` // as the source words it
	Severity   string   `json:"severity,omitempty"`
	Impact     string   `json:"impact,omitempty"` // "Elevation of Privilege"
	Vector     string   `json:"vector,omitempty"` // CVSS
	Exploited  bool     `json:"exploited,omitempty"`
	Likelihood string   `json:"likelihood,omitempty"` // "Exploitation More Likely"
	KEVAdded   Date     `json:"kev_added,omitzero"`
	Ransomware bool     `json:"ransomware,omitempty"`
	Sources    []string `json:"sources"`
}

// Correction mends what a source says wrong. An empty To takes the release out.
type Correction struct {
	Product string   `json:"product"`
	Branch  string   `json:"branch"`
	KB      string   `json:"kb"`
	From    string   `json:"from"` // the wrong version
	To      string   `json:"to,omitempty"`
	Reason  string   `json:"reason"`
	Sources []string `json:"sources"`
}

// Month is how many weaknesses a vendor mended on a planned day, and what was
// counted.
type Month struct {
	Vendor     string    `json:"vendor"`
	Released   Date      `json:"released"`
	Population lang.Text `json:"population"`
	Total      int       `json:"total,omitempty"` // 0 if nobody counted
	Critical   int       `json:"critical"`
	Exploited  []string  `json:"exploited"`
	Sources    []string  `json:"sources"`
}

// Caution is something to know about the updates of a product: a known problem
// of one, or how it updates itself.
type Caution struct {
	Product string    `json:"product"`
	Branch  string    `json:"branch,omitempty"`
	KB      string    `json:"kb,omitempty"` // of the update that has the problem
	Kind    string    `json:"kind"`         // known-problem or automatic-update
	Text    lang.Text `json:"text"`
	URL     string    `json:"url,omitempty"`
	From    Date      `json:"from,omitzero"`
	To      Date      `json:"to,omitzero"`
	Sources []string  `json:"sources"`
}

// Doubt is a statement of a source that was not believed, and why.
type Doubt struct {
	Code    DoubtCode `json:"code"`
	Product string    `json:"product,omitempty"`
	KB      string    `json:"kb,omitempty"`
	Says    string    `json:"says"`
	Source  string    `json:"source"`
	Times   int       `json:"times"` // how often it says so
}

// DoubtCode is why a statement was not believed.
type DoubtCode string

// The reasons.
const (
	WrongBranch DoubtCode = "wrong-branch" // the build belongs to another product
	Outvoted    DoubtCode = "outvoted"     // more statements about the same update say something else
	NotABuild   DoubtCode = "not-a-build"  // it cannot be read
)

// Date is a day, written "2025-04-08".
type Date struct{ time.Time }

// Day returns the date of t, where t is.
func Day(t time.Time) Date {
	y, m, d := t.Date()
	return Date{time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

// ParseDate reads "2025-04-08".
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	return Date{t}, err
}

// String returns "2025-04-08", or "" for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// MarshalText implements [encoding.TextMarshaler].
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	t, err := ParseDate(string(b))
	if err != nil {
		return fmt.Errorf("patch: %q is no date", b[:min(len(b), 20)])
	}
	*d = t
	return nil
}

// MarshalJSON implements [json.Marshaler], in place of that of the time inside.
func (d Date) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON implements [json.Unmarshaler].
func (d *Date) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	return d.UnmarshalText([]byte(s))
}

// at is when an update of a day is to be had: Microsoft and Oracle release in
// the morning of the west coast of the United States, in the evening of UTC.
func (d Date) at() time.Time { return d.Add(18 * time.Hour) }

// ErrFacts is returned for a file of facts that cannot be used.
var ErrFacts = errors.New("patch: no file of facts")

// Limits of a file of facts.
const (
	MaxFacts   = 64 << 20 // bytes
	maxEntries = 300_000  // of a list
	maxField   = 2048     // bytes of a field that is compared
)

// ParseFacts reads a file of facts.
func ParseFacts(data []byte) (*Facts, error) {
	if len(data) > MaxFacts {
		return nil, fmt.Errorf("%w: more than %d MiB", ErrFacts, MaxFacts>>20)
	}
	var f Facts
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFacts, err)
	}
	if f.Schema != Schema {
		return nil, fmt.Errorf("%w: schema %.60q", ErrFacts, f.Schema)
	}
	return &f, f.validate()
}

func (f *Facts) validate() error {
	if max(len(f.Sources), len(f.Products), len(f.Branches), len(f.Releases), len(f.Vulnerabilities), len(f.Corrections), len(f.Months), len(f.Cautions)) > maxEntries {
		return fmt.Errorf("%w: too many entries", ErrFacts)
	}
	known := map[string]bool{}
	for _, s := range f.Sources {
		known[s.ID] = s.ID != ""
	}
	bad := func(what string, i int) error { return fmt.Errorf("%w: %s %d", ErrFacts, what, i+1) }
	sourced := func(ids []string) bool {
		return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !known[id] })
	}
	for i, p := range f.Products {
		if p.ID == "" || !slices.Contains([]Scheme{SchemePlain, SchemeWindows, SchemeOffice, SchemeJava, SchemeZoom}, p.Scheme) {
			return bad("product", i)
		}
	}
	for i, b := range f.Branches {
		if b.Product == "" || len(b.ID) > maxField || !sourced(b.Sources) {
			return bad("branch", i)
		}
	}
	kinds := []ReleaseKind{Security, OOB, OOBSecure, Preview, Hotpatch, Ordinary}
	for i, r := range f.Releases {
		if _, ok := ParseVersion(r.Version); !ok || r.Product == "" || r.Date.IsZero() || len(r.Version) > maxVersion || !slices.Contains(kinds, r.Kind) || !sourced(r.Sources) {
			return bad("release", i)
		}
	}
	for i, v := range f.Vulnerabilities {
		if !strings.HasPrefix(v.CVE, "CVE-") || !sourced(v.Sources) {
			return bad("vulnerability", i)
		}
	}
	for i, c := range f.Corrections {
		if c.From == "" || c.Reason == "" || !sourced(c.Sources) {
			return bad("correction", i)
		}
	}
	for i, m := range f.Months {
		if m.Population == (lang.Text{}) || m.Released.IsZero() || !sourced(m.Sources) {
			return bad("month", i)
		}
	}
	for i, c := range f.Cautions {
		if c.Text == (lang.Text{}) || c.Kind != KnownProblem && c.Kind != AutomaticUpdate || !sourced(c.Sources) {
			return bad("caution", i)
		}
	}
	return nil
}

// The kinds of [Caution].
const (
	KnownProblem    = "known-problem"
	AutomaticUpdate = "automatic-update"
)
