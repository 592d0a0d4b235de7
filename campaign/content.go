package campaign

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// linkKey is a link as it is compared.
type linkKey struct {
	host, org domain.Name
	shared    bool
	whole     string // host and path; empty where the path says nothing
	shape     string // of the path and the names in the query; empty for a plain one
}

func (p *Probe) linkKeys(list []Link) []linkKey {
	var out []linkKey
	for _, l := range list {
		if len(out) == maxLinks {
			break
		}
		if l.Host == "" || call(p.o.Own, l.Host) {
			continue
		}
		path := strings.TrimRight(clip(l.Path, 300), "/")
		if isFurniture(path) {
			continue
		}
		k := linkKey{host: l.Host, org: domain.Organizational(l.Host), shared: call(p.o.SharedHost, l.Host)}
		if k.org == "" {
			k.org = k.host
		}
		if len(path) > 6 {
			k.whole = string(k.host) + path
		}
		k.shape = pathShape(path, clip(l.Query, 300))
		out = append(out, k)
	}
	return out
}

// isFurniture reports whether a path leads to what stands below every mail.
func isFurniture(path string) bool {
	path = strings.ToLower(path)
	for _, w := range [...]string{"privacy", "unsubscribe", "optout", "opt-out", "/terms", "/legal", "/imprint", "/impressum", "preferences"} {
		if strings.Contains(path, w) {
			return true
		}
	}
	return false
}

// pathShape is a path with its identifiers masked, and the names of the query.
// A path of one short word is everybody's.
func pathShape(path, query string) string {
	var b strings.Builder
	plain := 0
	for seg := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		b.WriteByte('/')
		s := segment(seg)
		if s != string(mask) {
			plain += len(s)
		}
		b.WriteString(s)
	}
	for pair := range strings.SplitSeq(query, "&") {
		if name, _, ok := strings.Cut(pair, "="); ok && len(name) <= 20 {
			b.WriteByte('?')
			b.WriteString(strings.ToLower(name))
			plain++
		}
	}
	if plain < 10 || strings.Count(b.String(), "/")+strings.Count(b.String(), "?") < 2 {
		return ""
	}
	return b.String()
}

// segment masks a segment of a path that is an identifier.
func segment(s string) string {
	digits, upper, lower := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		}
	}
	name, ext, file := strings.Cut(s, ".")
	if file && len(ext) <= 5 && len(name) <= 24 && digits == 0 {
		return strings.ToLower(s)
	}
	if digits > 0 && digits+upper+lower >= 6 || len(s) > 24 || upper > 1 && lower > 1 && len(s) >= 8 {
		return string(mask)
	}
	if digits == len(s) && s != "" {
		return string(mask)
	}
	return strings.ToLower(s)
}

func (p *Probe) compareLinks(m *Mail, out []Reason) []Reason {
	if len(p.links) == 0 || len(m.Links) == 0 {
		return out
	}
	best := Reason{}
	theirs := p.linkKeys(m.Links)
	matched := make([]bool, len(p.links))
	alone := false // they have a link that we have nothing like
	for _, b := range theirs {
		found := false
		for i, a := range p.links {
			r := a.compare(&b)
			if r.Weight == 0 {
				continue
			}
			found, matched[i] = true, true
			if r.Weight > best.Weight {
				best = r
			}
		}
		alone = alone || !found
	}
	if best.Weight == 0 {
		return out
	}
	switch {
	case m.Proven && p.orgOf(m.From) == p.linkOrg(best):
		// The real links of the one that is imitated stand in its mail, too.
		best.Weight *= 0.3
	case alone && slices.Contains(matched, false):
		// What two mails link to beside what each of them is about is furniture:
		// the site of the one they imitate, a font, a social network.
		best.Weight *= 0.25
	}
	return append(out, best)
}

// compare weighs what two links have in common.
func (a *linkKey) compare(b *linkKey) Reason {
	switch {
	case a.whole != "" && a.whole == b.whole:
		return Reason{LinkWhole, b.whole, 0.8}
	case a.host == b.host && !a.shared:
		return Reason{LinkHost, string(b.host), 0.6}
	case a.shape != "" && a.shape == b.shape && a.org == b.org && !a.shared:
		return Reason{LinkShape, string(b.host) + b.shape, 0.65}
	case a.shape != "" && a.shape == b.shape:
		return Reason{LinkShape, string(b.host) + b.shape, 0.55}
	case a.org == b.org && !a.shared && !b.shared:
		return Reason{LinkDomain, string(b.org), 0.5}
	}
	return Reason{}
}

// linkOrg is the domain to which a link in common belongs.
func (p *Probe) linkOrg(r Reason) domain.Name {
	host, _, _ := strings.Cut(r.Value, "/")
	return domain.Organizational(domain.Name(host))
}

// fileKey is a file as it is compared.
type fileKey struct {
	hash, name string
	value      string
}

func fileKeys(list []File, recipients []string) []fileKey {
	var out []fileKey
	for _, f := range list[:min(len(list), maxFiles)] {
		k := fileKey{hash: f.SHA256, value: f.Name}
		base, ext := f.Name, ""
		if i := strings.LastIndexByte(f.Name, '.'); i > 0 {
			base, ext = f.Name[:i], strings.ToLower(f.Name[i:])
		}
		base = strings.Map(func(r rune) rune {
			if r == '_' || r == '-' || r == '.' {
				return ' '
			}
			return r
		}, base)
		if s := shapeOf(base, recipients); s.letters >= 8 {
			k.name = s.text + ext
		}
		out = append(out, k)
	}
	return out
}

func (p *Probe) compareFiles(m *Mail, out []Reason) []Reason {
	if len(p.files) == 0 || len(m.Files) == 0 {
		return out
	}
	best := Reason{}
	for _, b := range fileKeys(m.Files, m.Recipients) {
		for _, a := range p.files {
			var r Reason
			switch {
			case a.hash != "" && a.hash == b.hash:
				r = Reason{FileContent, b.value, 0.92}
			case a.name != "" && a.name == b.name:
				r = Reason{FileName, b.value, 0.35}
			}
			if r.Weight > best.Weight {
				best = r
			}
		}
	}
	if best.Weight > 0 {
		out = append(out, best)
	}
	return out
}
