package patch

import (
	"cmp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	maxVersion = 256 // bytes of a version that are read
	maxTokens  = 32  // of a version
)

// Version is a version in a form that can be compared. The zero Version is none.
type Version struct {
	tokens []token
}

// token is a run of digits, without its leading zeros, or of letters. Its rank
// comes first in an order of tokens: words for what comes before a release, the
// end of the version, other words, numbers.
type token struct {
	rank int
	text string
}

const (
	rankBefore = iota // beta, rc: older than the version without it
	rankEnd
	rankWord   // update, a: newer than the version without it
	rankNumber // a further component
)

// ParseVersion reads a version as makers write them: "10.0.19045.5737",
// "25.001.20432", "Rev.15.02.33", "v7.4.7 build2731", "7.2.2-72806 Update 3". Text
// without a digit is no version.
func ParseVersion(s string) (Version, bool) {
	s = strings.ToLower(norm.NFKC.String(s[:min(len(s), maxVersion)]))
	var all []token
	digits := false
	for i := 0; i < len(s) && len(all) < maxTokens; {
		start := i
		switch {
		case isDigit(s[i]):
			for i < len(s) && isDigit(s[i]) {
				i++
			}
			digits = true
			all = append(all, token{rankNumber, strings.TrimLeft(s[start:i], "0")})
		case isLetter(s[i:]):
			for i < len(s) && isLetter(s[i:]) {
				i++
				for i < len(s) && s[i]&0xc0 == 0x80 {
					i++
				}
			}
			word := s[start:i]
			if len(all) == 0 {
				continue // "Rev.", "v", "Version"
			}
			if word == "build" {
				continue // stands between two numbers of one version
			}
			all = append(all, token{rankOf(word), word})
		default:
			i++
		}
	}
	if !digits {
		return Version{}, false
	}
	// "1.0" is "1", and "1.0a" is "1a".
	out := all[:0]
	zeros := 0
	for _, t := range all {
		if t.rank == rankNumber && t.text == "" {
			zeros++
			continue
		}
		if t.rank == rankNumber {
			for range zeros {
				out = append(out, token{rank: rankNumber})
			}
		}
		zeros = 0
		out = append(out, t)
	}
	return Version{out}, true
}

func rankOf(word string) int {
	switch word {
	case "alpha", "beta", "rc", "pre", "preview", "dev", "ea", "snapshot", "insider":
		return rankBefore
	}
	return rankWord
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(s string) bool {
	for _, r := range s {
		return unicode.IsLetter(r)
	}
	return false
}

// Compare is negative if v is older than w, positive if it is newer.
func (v Version) Compare(w Version) int {
	for i := range max(len(v.tokens), len(w.tokens)) {
		if c := compareTokens(v.at(i), w.at(i)); c != 0 {
			return c
		}
	}
	return 0
}

func (v Version) at(i int) token {
	if i < len(v.tokens) {
		return v.tokens[i]
	}
	return token{rank: rankEnd}
}

func compareTokens(a, b token) int {
	if a.rank != b.rank {
		return cmp.Compare(a.rank, b.rank)
	}
	if a.rank == rankNumber && len(a.text) != len(b.text) {
		return cmp.Compare(len(a.text), len(b.text))
	}
	return strings.Compare(a.text, b.text)
}

// Scheme is how the versions of a product are written.
type Scheme string

// The schemes. The zero Scheme compares component by component.
const (
	SchemePlain   Scheme = ""
	SchemeWindows Scheme = "windows" // 10.0.BUILD.REVISION; the build is the branch
	SchemeOffice  Scheme = "office"  // 16.0.BUILD.REVISION; the build belongs to channels
	SchemeJava    Scheme = "java"    // 8u441, 1.8.0_441 and 8.0.4410.7 are one version
	SchemeZoom    Scheme = "zoom"    // 6.4.3 or 6.4.63669: a third component may be a build
)

// canonical rewrites a version in the way that release facts write it. vague
// is for one that lacks what a comparison needs.
func (s Scheme) canonical(text string) (out string, vague bool) {
	text = strings.TrimSpace(norm.NFKC.String(text[:min(len(text), maxVersion)]))
	switch s {
	case SchemePlain:
	case SchemeJava:
		return javaVersion(text), false
	case SchemeZoom:
		// "6.4.3 (63669)": the number in brackets is the build of 6.4.3.
		text, _, _ = strings.Cut(text, "(")
		text = strings.TrimSpace(text)
		parts := strings.Split(text, ".")
		if len(parts) == 3 && len(parts[2]) >= 5 {
			return parts[0] + "." + parts[1], true
		}
		return text, false
	case SchemeWindows, SchemeOffice:
		b, ok := parseBuild(text)
		if !ok {
			return text, false
		}
		if b.revision == "" {
			return b.branch, true
		}
		return b.branch + "." + b.revision, false
	}
	return text, false
}

// javaVersion brings the ways in which Oracle writes a version of Java to one:
// for Java 8 "8.0.441", for later ones "17.0.15".
// https://www.java.com/releases/
func javaVersion(s string) string {
	s = strings.ToLower(s)
	for _, word := range []string{"java", "jdk", "jre", "se", "-"} {
		s = strings.TrimSpace(strings.TrimPrefix(s, word))
	}
	s, _, _ = strings.Cut(s, "+") // the build: 17.0.15+9
	s = strings.NewReplacer(" update ", "u", " ", "").Replace(s)
	if rest, ok := strings.CutPrefix(s, "1.8.0"); ok {
		s = "8u" + strings.TrimLeft(rest, "_.")
	}
	if update, ok := strings.CutPrefix(s, "8u"); ok {
		update, _, _ = strings.Cut(update, "-")
		return "8.0." + update
	}
	// The installers for Windows say 8.0.4410.7 for 8u441.
	if parts := strings.Split(s, "."); len(parts) >= 3 && parts[0] == "8" && len(parts[2]) >= 4 {
		return "8.0." + parts[2][:len(parts[2])-1]
	}
	return s
}

// build is a version of Windows or Office taken apart.
type build struct {
	branch   string // "26100"
	revision string // "3775"; "" if it was not said
}

// parseBuild reads "10.0.26100.3775", "26100.3775", "10.0 (19045)", "16.0.18623.20178"
// and "10.0.22631".
func parseBuild(s string) (build, bool) {
	var numbers []string
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r < '0' || r > '9' }) {
		if f = strings.TrimLeft(f, "0"); len(numbers) == 4 || len(f) > 9 {
			return build{}, false
		}
		numbers = append(numbers, f)
	}
	if len(numbers) > 0 && (numbers[0] == "10" || numbers[0] == "16") {
		if len(numbers) < 2 || numbers[1] != "" {
			return build{}, false
		}
		numbers = numbers[2:]
	}
	if len(numbers) == 0 || len(numbers) > 2 || len(numbers[0]) < 4 {
		return build{}, false
	}
	b := build{branch: numbers[0]}
	if len(numbers) == 2 {
		b.revision = cmp.Or(numbers[1], "0")
	}
	return b, true
}
