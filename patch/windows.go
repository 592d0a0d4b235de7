package patch

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/patch/inventory"
)

// The products of Windows in facts. Their branches are builds.
const (
	windowsClient = "windows"
	windowsServer = "windows-server"
)

func isWindows(name string) bool {
	n := fold(name)
	return n == "windows" || n == "microsoft windows" || strings.HasPrefix(n, "windows 1") || strings.HasPrefix(n, "microsoft windows 1") ||
		strings.HasPrefix(n, "windows server") || strings.HasPrefix(n, "microsoft windows server")
}

func isServer(e *inventory.Entry) bool {
	s := fold(e.Product + " " + e.Edition)
	return strings.Contains(s, "server") || strings.Contains(s, "datacenter")
}

// editionOf puts the words for editions into the groups with one end. Education
// and Enterprise go together, and so do Home and Pro, and Pro for Workstations.
func editionOf(e *inventory.Entry) Edition {
	s := fold(e.Edition + " " + e.Product)
	switch {
	case strings.Contains(s, "ltsc"), strings.Contains(s, "ltsb"):
		return EditionLTSC
	case strings.Contains(s, "enterprise"), strings.Contains(s, "education") && !strings.Contains(s, "pro education"), strings.Contains(s, "エンタープライズ"):
		return EditionEnterprise
	case strings.Contains(s, "home"), strings.Contains(s, "professional"), strings.Contains(" "+s+" ", " pro "), strings.Contains(s, "pro education"), strings.Contains(s, "core"):
		return EditionHomePro
	}
	return EditionAny
}

// windows compares a version of Windows.
func (c *Checker) windows(r *Result, e *inventory.Entry) {
	b, ok := parseBuild(e.Version)
	if !ok {
		r.Status = NoVersion
		return
	}
	r.ID = c.family(e, b)
	r.Product = c.book.products[r.ID].Name
	br := c.book.branches[key{r.ID, b.branch}]
	if br == nil {
		r.Status = UnknownVersion
		r.remark(OtherBranch)
		return
	}
	r.Branch = br.Name
	list := c.releases(r.ID, b.branch)
	v, _ := ParseVersion(b.branch + "." + b.revision)
	over := c.ended(r, br, editionOf(e))
	need := required(list, false)
	if over {
		// A revision beyond the last free update shows that extended updates come.
		switch more := required(list, true); {
		case slices.Contains(r.Remarks, ExtendedOffered) && need != nil && more != nil && b.revision != "" && v.Compare(need.v) > 0 && more.Extended:
			r.Remarks = slices.DeleteFunc(slices.Clone(r.Remarks), func(m Remark) bool { return m == ExtendedOffered })
			r.remark(ExtendedUpdates)
			need = more
		default:
			r.Status = EndOfLife
			if need != nil {
				r.Needed = &need.Release
				if b.revision != "" {
					c.missing(r, list, v, false)
				}
			}
			return
		}
	}
	if need == nil {
		r.Status = UnknownVersion
		r.remark(NoFacts)
		return
	}
	r.Needed = &need.Release
	c.old(r, need, list)
	if b.revision == "" {
		r.Status = UnknownVersion
		r.remark(NoRevision)
		return
	}
	extended := slices.Contains(r.Remarks, ExtendedUpdates)
	switch same := exact(list, v); {
	case v.Compare(need.v) >= 0:
		r.Status = OK
		if len(list) > 0 && v.Compare(list[len(list)-1].v) > 0 {
			r.remark(NewerThanKnown)
		}
	case same != nil && same.Kind == Hotpatch:
		c.hotpatched(r, list, same)
	case c.clash(need, v) != nil:
		r.Status, r.Clash = Disagreeing, c.clash(need, v)
	case same == nil && br.Hotpatch && e.Hotpatch != "no" && mayBeHotpatch(list, v):
		r.Status = UnknownVersion
	default:
		r.Status = Behind
		c.missing(r, list, v, extended)
	}
}

// family tells a server from a client. Where the name does not say, what only one
// of them has decides: the build, or the revision.
func (c *Checker) family(e *inventory.Entry, b build) string {
	client, server := c.book.branches[key{windowsClient, b.branch}], c.book.branches[key{windowsServer, b.branch}]
	switch {
	case isServer(e):
		return windowsServer
	case server == nil:
		return windowsClient
	case client == nil:
		return windowsServer
	}
	if n := fold(e.Product); n != "windows" && n != "microsoft windows" {
		return windowsClient // it says Windows 10 or 11
	}
	if rev, err := strconv.Atoi(b.revision); err == nil {
		if server.RevisionFrom > 0 && rev >= server.RevisionFrom {
			return windowsServer
		}
	}
	return windowsClient
}

func exact(list []*entry, v Version) *entry {
	var found *entry
	for _, e := range list {
		if e.v.Compare(v) == 0 && (found == nil || e.Kind.secures()) {
			found = e
		}
	}
	return found
}

// hotpatched compares a device that carries a hotpatch: it needs the hotpatches
// after it, and the baselines, which all devices get.
func (c *Checker) hotpatched(r *Result, list []*entry, have *entry) {
	var newest *entry
	for _, e := range list {
		if (e.Kind == Hotpatch || e.Baseline) && e.Date.After(have.Date.Time) {
			c.addMissing(r, e)
			if newest == nil || e.Date.After(newest.Date.Time) {
				newest = e
			}
		}
	}
	if newest == nil {
		r.Status = OK
		r.Needed = &have.Release
		r.remark(Hotpatched)
		// A planned day without a hotpatch in the facts is one that nobody told of.
		if need := required(list, false); need != nil && need.Date.After(have.Date.Time) {
			r.Status, r.Needed = UnknownVersion, &need.Release
		}
		return
	}
	r.Status, r.Needed = Behind, &newest.Release
	c.sortMissing(r)
}

// mayBeHotpatch reports whether a revision that is in no list could be a hotpatch
// upon the newest baseline. One below that baseline lacks it, whatever it is.
func mayBeHotpatch(list []*entry, v Version) bool {
	var base *entry
	for _, e := range list {
		if e.Baseline && (base == nil || e.Date.After(base.Date.Time)) {
			base = e
		}
	}
	return base == nil || v.Compare(base.v) > 0
}

// office compares a version of Office with its channel, or with all channels if
// the inventory does not say which it is.
func (c *Checker) office(r *Result, e *inventory.Entry) {
	b, ok := parseBuild(e.Version)
	if !ok {
		r.Status = NoVersion
		return
	}
	if b.revision == "" {
		r.Status = UnknownVersion
		r.remark(NoRevision)
		return
	}
	v, _ := ParseVersion(b.branch + "." + b.revision)
	channel := channelOf(e.Channel)
	var results []Result
	best := lineUnknown
	for _, br := range c.book.lines[r.ID] {
		if channel != "" && br.ID != channel {
			continue
		}
		x := Result{Product: r.Product, ID: r.ID, Branch: br.Name}
		known := c.channel(&x, br, b, v)
		// A version that one channel alone has tells the channel.
		if channel == "" && known > best {
			best, results = known, nil
		}
		if known != lineUnknown && known >= best {
			results = append(results, x)
		}
	}
	agree := !slices.ContainsFunc(results, func(x Result) bool { return x.Status != results[0].Status })
	switch {
	case len(results) == 0:
		r.Status = UnknownVersion
		r.remark(OtherBranch)
	case agree:
		*r = results[0]
	default:
		// One channel is content with it and another is not.
		r.Status = UnknownVersion
		r.Needed = results[0].Needed
	}
	if channel == "" {
		r.remark(ChannelUnknown)
		if len(results) > 1 {
			r.Branch = ""
		}
	}
}

// channelOf puts the words for channels into the identifiers of branches.
// https://learn.microsoft.com/microsoft-365-apps/updates/overview-update-channels
func channelOf(s string) string {
	switch n := fold(s); {
	case n == "":
		return ""
	case strings.Contains(n, "preview") && strings.Contains(n, "semi"), strings.Contains(n, "targeted") && strings.Contains(n, "semi"), strings.Contains(n, "firstreleasedeferred"), strings.Contains(n, "半期") && strings.Contains(n, "プレビュー"):
		return "semi-annual-preview"
	case strings.Contains(n, "semi"), n == "deferred", strings.Contains(n, "半期"):
		return "semi-annual"
	case strings.Contains(n, "monthly enterprise"), n == "monthlyenterprise", strings.Contains(n, "月次エンタープライズ"):
		return "monthly-enterprise"
	case strings.Contains(n, "preview"), strings.Contains(n, "beta"), strings.Contains(n, "insider"):
		return "current-preview"
	case strings.Contains(n, "current"), strings.Contains(n, "monthly"), strings.Contains(n, "最新"):
		return "current"
	}
	return strings.ReplaceAll(fold(s), " ", "-")
}

// familiarity is how well a channel knows a version.
type familiarity int

const (
	lineUnknown familiarity = iota
	lineOlder               // it has only newer builds
	lineSeen                // it has or had the build
	versionSeen             // it has or had the very version
)

// channel compares a build with what a channel has on its newest planned day,
// which may be several builds side by side.
func (c *Checker) channel(r *Result, br *Branch, b build, v Version) familiarity {
	list := c.releases(br.Product, br.ID)
	need := required(list, false)
	if need == nil {
		return lineUnknown
	}
	var same *entry // the newest of the same build
	known := lineOlder
	for _, e := range list {
		if line, _ := parseBuild(e.Version); line.branch == b.branch {
			known = max(known, lineSeen)
			if e.Kind.secures() && (same == nil || e.v.Compare(same.v) > 0) {
				same = e
			}
		}
		if e.v.Compare(v) == 0 {
			known = versionSeen
		}
	}
	day := newestDay(list)
	c.ended(r, br, EditionAny)
	c.old(r, need, list)
	r.Needed = &need.Release
	switch {
	case same != nil && same.Date.Equal(day.Time):
		r.Needed = &same.Release
		if v.Compare(same.v) >= 0 {
			r.Status = OK
			return known
		}
		r.Status = Behind
		c.missingLine(r, list, b.branch, v)
		return known
	case v.Compare(need.v) > 0 && known == lineOlder:
		return lineUnknown // of another channel, or newer than the facts
	}
	// A build that got nothing on the newest day is no longer looked after.
	for _, e := range list {
		if e.Kind.secures() && e.Date.Equal(day.Time) && e.v.Compare(v) > 0 {
			c.addMissing(r, e)
		}
	}
	r.Status = Behind
	if len(r.Missing) == 0 {
		r.Status = OK
		r.remark(NewerThanKnown)
	}
	c.sortMissing(r)
	return known
}

// missingLine lists the updates of one build.
func (c *Checker) missingLine(r *Result, list []*entry, branch string, v Version) {
	for _, e := range list {
		if line, _ := parseBuild(e.Version); line.branch == branch && e.Kind.secures() && e.v.Compare(v) > 0 {
			c.addMissing(r, e)
		}
	}
	c.sortMissing(r)
}

func newestDay(list []*entry) Date {
	var d Date
	for _, e := range list {
		if e.Kind.secures() {
			d = later(d, e.Date)
		}
	}
	return d
}
