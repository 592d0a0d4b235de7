// Package link reads URLs as browsers and mail programs do, which is not as
// RFC 3986 does, and undoes what mail gateways and trackers made of them.
//
// [Parse] follows the URL standard of the WHATWG (url.spec.whatwg.org) for the
// parts that decide where a click goes: white space and backslashes inside,
// "https:host", user names in front of the host, hosts that are percent-encoded
// or numbers, internationalised names. What is odd about the writing is noted,
// because a writer who hides a host has a reason to.
//
// [Unwrap] takes off one layer of rewriting, [Resolve] all that there are.
// [Defang] writes an address so that no program makes a link of it.
package link

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// Errors of [Parse]. They arrive wrapped with the reason.
var (
	ErrRelative = errors.New("link: no scheme and no host")
	ErrHost     = errors.New("link: not a host")
	ErrPort     = errors.New("link: not a port")
)

// maxURL is how much of a URL is read, in bytes. Browsers take up to 2 MiB;
// what lies behind is data and not a place.
const maxURL = 64 << 10

// Oddity is a way of writing that a browser accepts and a person does not
// write.
type Oddity string

// The oddities.
const (
	Whitespace    Oddity = "whitespace"     // tabs, line breaks or control characters inside, which browsers drop
	Backslash     Oddity = "backslash"      // a backslash for a slash
	MissingSlash  Oddity = "missing-slash"  // "https:host" or "https:/host"
	ExtraSlash    Oddity = "extra-slash"    // "https:///host"
	MissingScheme Oddity = "missing-scheme" // "www.host" or "//host"
	Defanged      Oddity = "defanged"       // "hxxps://" or "host[.]example"
	HasUser       Oddity = "user"           // something in front of the host that looks like it
	EncodedHost   Oddity = "encoded-host"   // percent-encoding in the host
	NumericHost   Oddity = "numeric-host"   // an IPv4 address not written as four decimal numbers
	UnicodeHost   Oddity = "unicode-host"   // letters beyond ASCII in the host
	LongURL       Oddity = "long"           // the end was not read
)

// URL is a URL taken apart. The zero URL is none.
type URL struct {
	Scheme   string // lower case, without the colon
	User     string // user name and password as written, without the "@"
	Host     domain.Name
	IP       netip.Addr // where the host is an address; Host is empty then
	Port     int        // 0 where none is given or the scheme's own
	Path     string     // with its leading slash; all that follows the scheme where there is no host
	Query    string     // without the "?"
	Fragment string     // without the "#"
	Oddities []Oddity
}

// specialPorts are the schemes whose URLs have a host and take backslashes for
// slashes (URL standard section 3.1), and their ports.
var specialPorts = map[string]int{"http": 80, "https": 443, "ftp": 21, "ws": 80, "wss": 443, "file": 0}

// Parse reads raw. The error is [ErrRelative], [ErrHost] or [ErrPort]; a
// browser would go nowhere then, or stay in the place where the link stands.
func Parse(raw string) (URL, error) {
	var u URL
	s := u.clean(raw)
	scheme, rest, ok := cutScheme(s)
	switch {
	case ok:
		u.Scheme = scheme
		if real, defanged := strings.CutPrefix(scheme, "hxxp"); defanged && (real == "" || real == "s") {
			u.Scheme = "http" + real
			u.odd(Defanged)
		}
	case strings.HasPrefix(s, `\\`):
		// Outlook opens it as a network share, and Windows signs in to it.
		u.Scheme, rest = "file", s
	case len(s) > 1 && isSlash(s[0]) && isSlash(s[1]):
		u.Scheme, rest = "https", s
		u.odd(MissingScheme)
	case startsWithHost(s):
		u.Scheme, rest = "http", "//"+s
		u.odd(MissingScheme)
	default:
		return URL{}, fmt.Errorf("reading %q: %w", short(raw), ErrRelative)
	}
	_, special := specialPorts[u.Scheme]
	if !special && !strings.HasPrefix(rest, "//") {
		u.tail(rest, false)
		return u, nil
	}
	err := u.authority(rest, special)
	if err != nil && !special {
		// Only the program that owns the scheme knows what stands there.
		return URL{Scheme: u.Scheme, Path: rest, Oddities: u.Oddities}, nil
	}
	if err != nil {
		return URL{}, fmt.Errorf("reading %q: %w", short(raw), err)
	}
	return u, nil
}

func (u *URL) odd(o Oddity) {
	if !slices.Contains(u.Oddities, o) {
		u.Oddities = append(u.Oddities, o)
	}
}

// Odd reports whether u was written in that way.
func (u URL) Odd(o Oddity) bool { return slices.Contains(u.Oddities, o) }

// clean takes out what browsers take out before they look at a URL.
func (u *URL) clean(raw string) string {
	s := strings.TrimFunc(raw, func(r rune) bool { return r <= ' ' || r == '\u3000' || r == '\u00a0' || r == '\u200b' || r == '\ufeff' })
	if len(s) > maxURL {
		s = strings.ToValidUTF8(s[:maxURL], "")
		u.odd(LongURL)
	}
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) >= 0 {
		s = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, s)
		u.odd(Whitespace)
	}
	return s
}

// cutScheme splits s after its scheme. A host with a port looks like a scheme
// ("kiso.example:8080") and is none.
func cutScheme(s string) (scheme, rest string, ok bool) {
	i := 0
	for i < len(s) && (isAlpha(s[i]) || i > 0 && (isDigit(s[i]) || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
		i++
	}
	if i == 0 || i >= len(s) || s[i] != ':' || i > 40 {
		return "", "", false
	}
	scheme, rest = strings.ToLower(s[:i]), s[i+1:]
	if strings.Contains(scheme, ".") && rest != "" && isDigit(rest[0]) {
		return "", "", false
	}
	return scheme, rest, true
}

// startsWithHost reports whether mail programs take s for a web address although
// it has no scheme: a name with a known suffix in front of the path.
func startsWithHost(s string) bool {
	host := s
	if i := strings.IndexAny(s, "/?#\\"); i >= 0 {
		host = s[:i]
	}
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		return false
	}
	host, _, _ = strings.Cut(host, ":")
	n, err := domain.Parse(host)
	return err == nil && strings.Contains(string(n), ".") && Registered(n)
}

func (u *URL) authority(s string, special bool) error {
	slashes := 0
	for slashes < len(s) && (s[slashes] == '/' || special && s[slashes] == '\\') {
		if s[slashes] == '\\' {
			u.odd(Backslash)
		}
		if slashes == 2 && (!special || u.Scheme == "file") {
			break
		}
		slashes++
	}
	switch {
	case slashes < 2:
		u.odd(MissingSlash)
	case slashes > 2:
		u.odd(ExtraSlash)
	}
	s = s[slashes:]
	end := strings.IndexAny(s, "/?#")
	if special {
		end = strings.IndexAny(s, "/?#\\")
	}
	if end < 0 {
		end = len(s)
	}
	host, rest := s[:end], s[end:]
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		u.User, host = host[:i], host[i+1:]
		u.odd(HasUser)
	}
	if err := u.hostPort(host, special); err != nil {
		return err
	}
	u.tail(rest, special)
	return nil
}

func (u *URL) hostPort(s string, special bool) error {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && !strings.Contains(s[i:], "]") {
		host, port = s[:i], s[i+1:]
	}
	if port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 0 || n > 65535 || port[0] == '+' {
			return fmt.Errorf("port %q: %w", short(port), ErrPort)
		}
		if n != specialPorts[u.Scheme] {
			u.Port = n
		}
	}
	if host == "" {
		if u.Scheme == "file" || !special {
			return nil
		}
		return fmt.Errorf("no host: %w", ErrHost)
	}
	return u.host(host)
}

func (u *URL) host(s string) error {
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		ip, err := netip.ParseAddr(s[1 : len(s)-1])
		if err == nil && ip.Is6() && ip.Zone() == "" {
			u.IP = ip
			return nil
		}
		return fmt.Errorf("host %q: %w", short(s), ErrHost)
	}
	if strings.Contains(s, "%") {
		s = Unescape(s)
		u.odd(EncodedHost)
	}
	if strings.Contains(s, "[.]") {
		s = strings.ReplaceAll(s, "[.]", ".")
		u.odd(Defanged)
	}
	if !ascii(s) {
		u.odd(UnicodeHost)
	}
	n, err := domain.Parse(s)
	if err == nil {
		u.Host = n
		return nil
	}
	if errors.Is(err, domain.ErrIP) {
		if ip, plain, ok := parseIPv4(s); ok {
			u.IP = ip
			if !plain {
				u.odd(NumericHost)
			}
			return nil
		}
	}
	return fmt.Errorf("host %q: %w", short(s), ErrHost)
}

// tail reads path, query and fragment.
func (u *URL) tail(s string, special bool) {
	s, u.Fragment, _ = strings.Cut(s, "#")
	s, u.Query, _ = strings.Cut(s, "?")
	if special {
		if strings.Contains(s, "\\") {
			s = strings.ReplaceAll(s, "\\", "/")
			u.odd(Backslash)
		}
		s = cleanPath(s)
	}
	u.Path = s
}

// cleanPath takes out "." and ".." (URL standard section 4.4, path state).
func cleanPath(s string) string {
	if s == "" {
		return "/"
	}
	if !strings.Contains(s, "/.") && !strings.Contains(strings.ToLower(s), "/%2e") {
		return s
	}
	var out []string
	segments := strings.Split(s[1:], "/")
	for i, seg := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(seg), "%2e", ".") {
		case ".":
			if last {
				out = append(out, "")
			}
		case "..":
			if len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, seg)
		}
	}
	return "/" + strings.Join(out, "/")
}

// Hostname returns the name or the address of the host, empty where there is
// none.
func (u URL) Hostname() string {
	if u.IP.IsValid() {
		return u.IP.String()
	}
	return string(u.Host)
}

// Organizational returns the domain that somebody registered for the host, see
// [domain.Organizational]; empty for an address.
func (u URL) Organizational() domain.Name { return domain.Organizational(u.Host) }

// IsWeb reports whether u is opened by a browser over the network.
func (u URL) IsWeb() bool {
	return (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "ftp") && (u.Host != "" || u.IP.IsValid())
}

// IsZero reports whether u is no URL.
func (u URL) IsZero() bool { return u.Scheme == "" }

// Param returns the first value of a query parameter, decoded, by its name in
// any case.
func (u URL) Param(name string) (string, bool) {
	for pair := range strings.SplitSeq(u.Query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if strings.EqualFold(strings.TrimPrefix(k, "amp;"), name) {
			return Unescape(strings.ReplaceAll(v, "+", " ")), true
		}
	}
	return "", false
}

// String writes u in one form, whatever way it was written in: what two links
// to the same place have in common.
func (u URL) String() string {
	if u.IsZero() {
		return ""
	}
	var b strings.Builder
	b.WriteString(u.Scheme)
	b.WriteByte(':')
	_, special := specialPorts[u.Scheme]
	if host := u.Hostname(); host != "" || special {
		b.WriteString("//")
		if u.User != "" {
			b.WriteString(u.User)
			b.WriteByte('@')
		}
		if u.IP.Is6() {
			host = "[" + host + "]"
		}
		b.WriteString(host)
		if u.Port != 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(u.Port))
		}
	}
	b.WriteString(u.Path)
	if u.Query != "" {
		b.WriteByte('?')
		b.WriteString(u.Query)
	}
	if u.Fragment != "" {
		b.WriteByte('#')
		b.WriteString(u.Fragment)
	}
	return b.String()
}

// Join reads a reference that stands on a page with that base, as a browser
// does (URL standard section 4.4, relative state).
func Join(base URL, ref string) (URL, error) {
	if u, err := Parse(ref); err == nil || !errors.Is(err, ErrRelative) || !base.IsWeb() {
		return u, err
	}
	ref = strings.TrimSpace(ref)
	root := base
	root.Query, root.Fragment, root.Oddities = "", "", nil
	switch {
	case ref == "" || ref[0] == '#':
		root.Query = base.Query
	case ref[0] == '?':
	case isSlash(ref[0]):
		root.Path = ""
	default:
		root.Path = base.Path[:strings.LastIndexByte(base.Path, '/')+1]
	}
	return Parse(strings.TrimSuffix(root.String(), "#") + ref)
}

// Unescape undoes percent-encoding and leaves what is none as it is.
func Unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2]); hi < 16 && lo < 16 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func short(s string) string {
	if len(s) > 100 {
		return strings.ToValidUTF8(s[:100], "") + "..."
	}
	return s
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

func isAlpha(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func hexDigit(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return 16
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
