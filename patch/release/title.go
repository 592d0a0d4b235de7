package release

import (
	"regexp"
	"strings"
	"time"

	"github.com/sekisho/sekisho/news/feed"
	"github.com/sekisho/sekisho/patch"
)

// Title is what the title of one of Microsoft's pages about an update says:
// "July 28, 2026—KB5101684 (OS Builds 26200.8973 and 26100.8973) Preview".
type Title struct {
	Date   patch.Date // in the United States
	KB     string
	Builds []string // "26100.8973"
	Kind   patch.ReleaseKind
}

var (
	titleKB     = regexp.MustCompile(`\bKB ?([0-9]{6,8})\b`)
	titleBuilds = regexp.MustCompile(`\(OS [Bb]uilds? ([^)]{5,200})\)`)
	titleBuild  = regexp.MustCompile(`\b[0-9]{5}\.[0-9]{1,6}\b`)
)

const maxTitle = 400

// ParseTitle reads a title. It reports false for one of another kind. A title
// does not tell an out-of-band update for a weakness from one that mends an
// update; it counts as the latter, so that it never raises what is required.
func ParseTitle(s string) (Title, bool) {
	s = strings.TrimSpace(strings.ReplaceAll(s[:min(len(s), maxTitle)], "\u00a0", " "))
	kb := titleKB.FindStringSubmatchIndex(s)
	builds := titleBuilds.FindStringSubmatch(s)
	if kb == nil || builds == nil {
		return Title{}, false
	}
	head := strings.TrimRight(s[:kb[0]], " —–-:")
	lower := strings.ToLower(s)
	t := Title{KB: "KB" + s[kb[2]:kb[3]], Kind: patch.Security}
	// "May 13, 2025-Hotpatch KB5058497"
	if i := strings.Index(strings.ToLower(head), "hotpatch"); i >= 0 {
		head = strings.TrimRight(head[:i], " —–-:")
	}
	if i := strings.Index(strings.ToLower(head), "baseline"); i >= 0 {
		head = strings.TrimRight(head[:i], " —–-:")
	}
	day, err := time.Parse("January 2, 2006", strings.TrimSpace(head))
	if err != nil {
		return Title{}, false
	}
	t.Date = patch.Day(day)
	switch {
	case strings.Contains(lower, "preview"):
		t.Kind = patch.Preview
	case strings.Contains(lower, "out-of-band"), strings.Contains(lower, "out of band"):
		t.Kind = patch.OOB
	case strings.Contains(lower, "hotpatch"):
		t.Kind = patch.Hotpatch
	}
	t.Builds = titleBuild.FindAllString(builds[1], 10)
	return t, len(t.Builds) > 0
}

// titles reads a feed of pages about updates. A page about Windows Server says so
// in its title, its text or its address; the others are about clients.
func (d *Document) titles(r *feed.Read, src patch.Source, b *patch.Book) {
	d.begin(src)
	for _, it := range r.Items {
		t, ok := ParseTitle(it.Title)
		if !ok {
			continue
		}
		about := strings.ToLower(it.Title + " " + it.Link + " " + r.Title)
		server := strings.Contains(about, "server")
		for _, build := range t.Builds {
			branch, _, _ := strings.Cut(build, ".")
			for _, product := range []string{"windows", "windows-server"} {
				if _, known := b.Branch(product, branch); !known {
					continue
				}
				_, both := b.Branch("windows", branch)
				if both && server != (product == "windows-server") {
					continue
				}
				d.Facts.Releases = append(d.Facts.Releases, patch.Release{
					Product: product, Branch: branch, Version: build, KB: t.KB, Date: t.Date, Kind: t.Kind, URL: it.Link, Sources: []string{src.ID},
				})
			}
		}
	}
}
