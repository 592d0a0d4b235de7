package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/extract/link"
)

// Limits on the addresses of one text.
const (
	maxURLs   = 20_000
	maxLength = 8 << 10 // bytes of one address
	maxWrap   = 4 << 10 // bytes of one address in angle brackets, line breaks included
)

// URL is an address found in a text.
type URL struct {
	URL    string // as it is opened: line breaks taken out, "http://" put in front of a bare host
	Offset int    // place in the text
	Length int
	Bare   bool // it has no scheme: "www.kiso.example", "kiso.example/a"
}

// URLs finds the web addresses in s in the order of the text: with a scheme
// (http, https, ftp, and the defanged hxxp and hxxps), starting with "www.", or
// a bare host name. A bare name must lie under a suffix that exists, and under
// one that is also the end of file names or an English word it needs a path,
// since "setup.sh" and "call.me" are no addresses.
//
// An address ends at white space, quotes, angle brackets, Japanese punctuation
// and letters, and full-width brackets; trailing punctuation and a bracket that
// was opened before it are not part of it. Between angle brackets it may be
// broken over lines (RFC 3986 appendix C).
func URLs(s string) []URL {
	var out []URL
	next := 0 // nothing before it is looked at again
	for i := 0; i < len(s) && len(out) < maxURLs; {
		// Every address holds one of these: the colon after the scheme, or the
		// dot in the host.
		k := strings.IndexAny(s[i:], ":.")
		if k < 0 {
			break
		}
		k += i
		var u URL
		var ok bool
		if s[k] == ':' {
			u, ok = withScheme(s, next, k)
		} else {
			u, ok = bare(s, next, k)
		}
		if !ok {
			i = max(k+1, u.Offset+u.Length)
			next = max(next, u.Offset+u.Length)
			continue
		}
		out = append(out, u)
		i = u.Offset + u.Length
		next = i
	}
	return out
}

// withScheme reads the address whose scheme ends at the colon at k.
func withScheme(s string, from, k int) (URL, bool) {
	start := k
	for start > from && k-start < len("https")+1 && isAlpha(s[start-1]) {
		start--
	}
	rest := s[k:]
	if !strings.HasPrefix(rest, "://") && !strings.HasPrefix(rest, `:\\`) {
		return URL{}, false
	}
	scheme := strings.ToLower(s[start:k])
	for _, known := range []string{"https", "hxxps", "http", "hxxp", "ftp"} {
		if strings.HasSuffix(scheme, known) {
			// Letters glued to the front are text: "seehttp://".
			start = k - len(known)
			scheme = known
			break
		}
	}
	switch scheme {
	case "https", "hxxps", "http", "hxxp", "ftp":
	default:
		return URL{}, false
	}
	if u, ok := bracketed(s, start); ok {
		return u, true
	}
	end := k + len("://")
	hostEnd := host(s, end)
	if hostEnd == end {
		return URL{}, false
	}
	end = hostEnd
	if end < len(s) && strings.IndexByte("/?#\\:@", s[end]) >= 0 {
		end = tail(s, end)
	}
	end = start + trimmed(s[start:end])
	if end <= k+len("://") {
		return URL{}, false
	}
	return URL{URL: s[start:end], Offset: start, Length: end - start}, true
}

// bracketed reads "<https://...>", which may be broken over lines.
func bracketed(s string, start int) (URL, bool) {
	if start == 0 || s[start-1] != '<' {
		return URL{}, false
	}
	area := s[start:min(len(s), start+maxWrap)]
	end := strings.IndexAny(area, "<>\"")
	if end < 0 || area[end] != '>' {
		return URL{}, false
	}
	area = area[:end]
	u := area
	if strings.ContainsAny(area, " \t\r\n") {
		lines := strings.Split(area, "\n")
		for i, l := range lines {
			l = strings.TrimSpace(l)
			// A blank, or a blank line, inside is not a place to break.
			if l == "" || strings.ContainsAny(l, " \t\r") {
				return URL{}, false
			}
			lines[i] = l
		}
		u = strings.Join(lines, "")
	}
	return URL{URL: u, Offset: start, Length: len(area)}, true
}

// host returns where the host that starts at i ends, user name and port aside.
func host(s string, i int) int {
	start, last := i, i // last: start of the last label
	limit := min(len(s), i+maxLength)
	for i < limit {
		c := s[i]
		switch {
		case c == '.':
			if i+1 >= limit || !hostStart(s[i+1:]) {
				return lastLabel(s, last, i)
			}
			last = i + 1
			i++
		case isAlnum(c) || c == '-' || c == '_' || c == '%':
			i++
		case c == '[' && strings.HasPrefix(s[i:], "[.]"):
			i += len("[.]")
			last = i
		case c == '[' && i == start:
			n := strings.IndexByte(s[i:min(len(s), i+60)], ']')
			if n < 0 {
				return start
			}
			return i + n + 1
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) {
				return lastLabel(s, last, i)
			}
			i += n
		default:
			return lastLabel(s, last, i)
		}
	}
	return lastLabel(s, last, i)
}

func hostStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || r == '%' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// lastLabel returns where a host ends whose last label stands in s[from:to].
// No suffix mixes scripts, so that text which follows without a blank, as it
// does in Japanese, is cut off: "kiso.exampleをご覧ください".
func lastLabel(s string, from, to int) int {
	if from < to && s[from] < utf8.RuneSelf {
		for i := from; i < to; i++ {
			if s[i] >= utf8.RuneSelf {
				return i
			}
		}
	}
	return to
}

// tail returns where the path, query and fragment that start at i end.
func tail(s string, i int) int {
	limit := min(len(s), i+maxLength)
	for i < limit {
		c := s[i]
		if c < utf8.RuneSelf {
			if c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '`' {
				break
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if endsURL(r) {
			break
		}
		i += n
	}
	return i
}

// endsURL reports whether text continues with r: what Japanese and Chinese
// write without a blank in front, quotation marks, and characters without a
// shape or meaning.
func endsURL(r rune) bool {
	switch {
	case r >= 0x2000 && r <= 0x206f, // punctuation and invisible characters
		r >= 0x3000 && r <= 0x30ff, // CJK punctuation, hiragana, katakana
		r >= 0x3400 && r <= 0x9fff, // kanji
		r >= 0xff00 && r <= 0xffef, // full-width forms
		r == 0xa0, r == 0xab, r == 0xbb, r == 0xfeff, r == utf8.RuneError:
		return true
	}
	return unicode.IsSpace(r)
}

// trimmed returns the length of u without what belongs to the sentence around
// it: punctuation, and closing brackets without an opening one.
func trimmed(u string) int {
	var open [3]int // of (), [], {}: opening less closing
	for i := range len(u) {
		switch u[i] {
		case '(':
			open[0]++
		case ')':
			open[0]--
		case '[':
			open[1]++
		case ']':
			open[1]--
		case '{':
			open[2]++
		case '}':
			open[2]--
		}
	}
	n := len(u)
	for n > 0 {
		k := -1
		switch u[n-1] {
		case '.', ',', ';', ':', '!', '?', '\'', '*', '|', '^', '~':
			n--
			continue
		case ')':
			k = 0
		case ']':
			k = 1
		case '}':
			k = 2
		}
		if k < 0 || open[k] >= 0 {
			return n
		}
		open[k]++
		n--
	}
	return n
}

// bare reads the address without a scheme that has its first dot at k. Where
// there is none, it returns how far nothing needs to be looked at again.
func bare(s string, from, k int) (URL, bool) {
	start := k
	for start > from && k-start < 64 && (isAlnum(s[start-1]) || s[start-1] == '-') {
		start--
	}
	if start == k {
		return URL{}, false
	}
	hostEnd := start
	for hostEnd < len(s) && hostEnd-start < 256 && (isAlnum(s[hostEnd]) || s[hostEnd] == '-' || s[hostEnd] == '.') {
		hostEnd++
	}
	passed := URL{Offset: start, Length: hostEnd - start}
	name := strings.TrimRight(s[start:hostEnd], ".-")
	end := start + len(name)
	// Part of a mail address, of a path, or of a longer word.
	if start > 0 {
		before, _ := utf8.DecodeLastRuneInString(s[:start])
		if strings.ContainsRune("@/\\_=&%$#+~.-", before) || unicode.IsLetter(before) && !wide(before) {
			return passed, false
		}
	}
	if hostEnd < len(s) && (s[hostEnd] == '@' || s[hostEnd] == '_') {
		return passed, false
	}
	n, err := domain.Parse(name)
	if err != nil {
		return passed, false
	}
	hasPath := end < len(s) && s[end] == '/' || isPort(s[end:])
	if !plausible(n, name, hasPath) {
		return passed, false
	}
	if hasPath {
		end = start + trimmed(s[start:tail(s, end)])
	}
	return URL{URL: "http://" + s[start:end], Offset: start, Length: end - start, Bare: true}, true
}

// isPort reports whether s starts with a port and a path.
func isPort(s string) bool {
	if s == "" || s[0] != ':' {
		return false
	}
	i := 1
	for i < len(s) && i < 7 && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return i > 1 && i < len(s) && s[i] == '/'
}

// plausible reports whether a bare name is meant as an address.
func plausible(n domain.Name, written string, hasPath bool) bool {
	if !link.Registered(n) {
		return false
	}
	labels := n.Labels()
	if labels[0] == "www" {
		return len(labels) > 2
	}
	if hasPath {
		return true
	}
	// "Thanks.Best" and "U.S." are sentences.
	if written != strings.ToLower(written) && written != strings.ToUpper(written) && !strings.Contains(written, "-") {
		tld := written[strings.LastIndexByte(written, '.')+1:]
		if tld != strings.ToLower(tld) {
			return false
		}
	}
	if len(labels[0]) < 2 && len(labels) == 2 {
		return false
	}
	return !ambiguous[labels[len(labels)-1]]
}

// ambiguous are the top-level domains that are also the end of file names, of
// names of programs, or a word.
var ambiguous = map[string]bool{
	"ai": true, "al": true, "am": true, "app": true, "as": true, "at": true, "bat": true, "be": true, "best": true, "by": true, "call": true, "cc": true, "cf": true, "cfg": true, "click": true,
	"dev": true, "do": true, "doc": true, "es": true, "fm": true, "gs": true, "gz": true, "he": true, "help": true, "hs": true, "if": true, "in": true, "inc": true,
	"ini": true, "is": true, "it": true, "java": true, "js": true, "la": true, "link": true, "map": true, "md": true, "me": true, "mk": true, "ml": true, "mov": true,
	"ms": true, "my": true, "name": true, "new": true, "no": true, "now": true, "one": true, "pl": true, "pm": true, "pro": true, "prof": true, "ps": true, "py": true,
	"rs": true, "sc": true, "sh": true, "so": true, "st": true, "sv": true, "th": true, "to": true, "top": true, "tv": true, "us": true, "vi": true, "we": true, "work": true, "ws": true, "zip": true,
}

// wide reports whether words are written without blanks in the script of r.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0xff00 && r <= 0xffef
}

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isAlnum(c byte) bool { return isAlpha(c) || '0' <= c && c <= '9' }
