package fact

import (
	"slices"
	"strings"
)

// idents finds what has a number of its own: vulnerabilities, updates,
// advisories, builds and versions.
func (x *extractor) idents() {
	s := x.f.text
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isDigit(c) && !isLatin(before(s, i)):
			i = x.dotted(i)
		case c >= 'a' && c <= 'z' && !isLatin(before(s, i)):
			if n := x.identifier(i); n > 0 {
				i += n
				continue
			}
			for i < len(s) && s[i] >= 'a' && s[i] <= 'z' {
				i++
			}
		default:
			i++
		}
	}
}

// digits returns the number of digits at s[i:].
func digits(s string, i int) int {
	n := 0
	for i+n < len(s) && isDigit(s[i+n]) {
		n++
	}
	return n
}

// pattern is the shape of an identifier: its fixed start, then groups of digits
// with what stands between them.
type pattern struct {
	prefix string // folded
	groups []group
	typ    Type
	by     string
	write  func(prefix string, groups []string) string
}

type group struct {
	min, max int
	sep      string // before the group
}

func joined(prefix, sep string) func(string, []string) string {
	return func(_ string, g []string) string { return prefix + strings.Join(g, sep) }
}

var patterns = []pattern{
	{"cve-", []group{{4, 4, ""}, {4, 7, "-"}}, CVE, "cve/1", joined("CVE-", "-")},
	{"kb", []group{{6, 8, ""}}, KB, "kb/1", joined("KB", "")},
	{"jvndb-", []group{{4, 4, ""}, {6, 6, "-"}}, Notice, "notice/1", joined("JVNDB-", "-")},
	{"jvnvu#", []group{{8, 8, ""}}, Notice, "notice/1", joined("JVNVU#", "")},
	{"jvnta#", []group{{8, 8, ""}}, Notice, "notice/1", joined("JVNTA#", "")},
	{"jvn#", []group{{8, 8, ""}}, Notice, "notice/1", joined("JVN#", "")},
	{"jpcert-at-", []group{{4, 4, ""}, {4, 4, "-"}}, Notice, "notice/1", joined("JPCERT-AT-", "-")},
	{"apsb", []group{{2, 2, ""}, {2, 3, "-"}}, Notice, "notice/1", joined("APSB", "-")},
	{"zsb-", []group{{5, 5, ""}}, Notice, "notice/1", joined("ZSB-", "")},
	{"icsa-", []group{{2, 2, ""}, {3, 3, "-"}, {2, 2, "-"}}, Notice, "notice/1", joined("ICSA-", "-")},
	{"icsma-", []group{{2, 2, ""}, {3, 3, "-"}, {2, 2, "-"}}, Notice, "notice/1", joined("ICSMA-", "-")},
	{"aa", []group{{2, 2, ""}, {3, 3, "-"}}, Notice, "notice/1", joined("AA", "-")},
	{"adv", []group{{6, 6, ""}}, Notice, "notice/1", joined("ADV", "")},
	{"fg-ir-", []group{{2, 2, ""}, {3, 4, "-"}}, Notice, "notice/1", joined("FG-IR-", "-")},
	{"vmsa-", []group{{4, 4, ""}, {4, 4, "-"}}, Notice, "notice/1", joined("VMSA-", "-")},
	{"bod ", []group{{2, 2, ""}, {2, 2, "-"}}, Notice, "notice/1", joined("BOD ", "-")},
}

// identifier reads an identifier at i and returns its length, 0 if there is
// none.
func (x *extractor) identifier(i int) int {
	s := x.f.text
	for _, p := range patterns {
		if !strings.HasPrefix(s[i:], p.prefix) {
			continue
		}
		j := i + len(p.prefix)
		if p.typ == KB && j < len(s) && s[j] == ' ' {
			j++ // "KB 5055523"
		}
		var groups []string
		for _, g := range p.groups {
			if !strings.HasPrefix(s[j:], g.sep) {
				break
			}
			j += len(g.sep)
			n := digits(s, j)
			if n < g.min || n > g.max {
				break
			}
			groups = append(groups, s[j:j+n])
			j += n
		}
		if len(groups) != len(p.groups) || isLatin(after(s, j)) {
			continue
		}
		v := p.write(p.prefix, groups)
		x.add(Fact{Type: p.typ, Value: v, JA: v, EN: v, By: p.by}, i, j)
		x.use(i, j)
		return j - i
	}
	return 0
}

// dotted reads a number with full stops at i, which is a build, a version or
// none of them, and returns where it ends.
func (x *extractor) dotted(i int) int {
	s := x.f.text
	j := i
	var parts []string
	for {
		n := digits(s, j)
		parts = append(parts, s[j:j+n])
		j += n
		if j+1 >= len(s) || s[j] != '.' || !isDigit(s[j+1]) || len(parts) == 6 {
			break
		}
		j++
	}
	if len(parts) < 2 || isLatin(after(s, j)) {
		return j
	}
	if r := after(s, j); r == '.' || r == '%' || r == '万' || r == '億' || r == '割' || r == ',' && j+1 < len(s) && isDigit(s[j+1]) {
		if r != '.' || j+1 < len(s) && isDigit(s[j+1]) {
			return j
		}
	}
	value := strings.Join(parts, ".")
	if n := digits(s, min(j+2, len(s))); n > 0 && strings.HasPrefix(s[j:], "-h") {
		// A hotfix as Palo Alto Networks counts them.
		value += s[j : j+2+n]
		j += 2 + n
	}
	build := parts
	if len(parts) == 4 && parts[0] == "10" && parts[1] == "0" {
		build = parts[2:] // 10.0.26100.3775
	}
	switch {
	case len(build) == 2 && len(build[0]) == 5 && len(build[1]) >= 1 && len(build[1]) <= 6 && build[0] >= "10000":
		value = strings.Join(build, ".")
		x.add(Fact{Type: Build, Value: value, JA: value, EN: value, By: "build/1"}, i, j)
	case isAddress(parts):
		// Four numbers below 256 are an address more often than a version.
	case len(parts) >= 3 || x.versionBefore(i):
		if x.scoreBefore(i) {
			return j
		}
		x.add(Fact{Type: Version, Value: value, JA: value, EN: value, By: "version/1"}, i, j)
	case x.scoreBefore(i):
		if n := number(value); n > 0 && n <= 10 {
			x.add(Fact{Type: Score, Value: value, Number: n, JA: value, EN: value, By: "score/1"}, i, j)
		}
	default:
		return j // a number with a fraction
	}
	x.use(i, j)
	return j
}

// isAddress reports whether parts look like an IPv4 address.
func isAddress(parts []string) bool {
	return len(parts) == 4 && !slices.ContainsFunc(parts, func(p string) bool { return len(p) > 3 || number(p) > 255 })
}

// versionBefore reports whether the words in front of i announce a version, or
// name a product.
func (x *extractor) versionBefore(i int) bool {
	w := strings.TrimRight(window(x.f.text, i, 24), " (")
	for _, s := range []string{"version", "versions", "ver", "ver.", " v", "バージョン", "prior to", "before", "build", "ビルド", "to", "release"} {
		if strings.HasSuffix(w, s) && s != "to" || s == "to" && (strings.HasSuffix(w, "update to") || strings.HasSuffix(w, "upgrade to")) {
			return true
		}
	}
	for _, h := range x.products {
		if h.to <= i && i-h.to <= 2 {
			return true
		}
	}
	return false
}

// scoreBefore reports whether the words in front of i speak of a CVSS score.
func (x *extractor) scoreBefore(i int) bool {
	w := window(x.f.text, i, 40)
	return strings.Contains(w, "cvss") && !strings.Contains(w, ":") || strings.HasSuffix(strings.TrimSpace(w), "base score") || strings.Contains(w, "スコア")
}

// window returns up to n bytes of s before i, cut at a character.
func window(s string, i, n int) string {
	from := max(i-n, 0)
	for from < i && s[from]&0xc0 == 0x80 {
		from++
	}
	return s[from:i]
}
