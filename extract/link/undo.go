package link

import (
	"encoding/base64"
	"strings"
)

// param undoes a service that names the target in one of these parameters.
func param(names ...string) func(URL) string {
	return func(u URL) string {
		for _, n := range names {
			if v, ok := u.Param(n); ok && v != "" {
				return v
			}
		}
		return ""
	}
}

// pathURL undoes a service that puts the target into the path behind one of
// these prefixes, without its scheme or percent-encoded.
func pathURL(prefixes ...string) func(URL) string {
	return func(u URL) string {
		for _, p := range prefixes {
			rest, ok := cutFold(u.Path, p)
			if !ok {
				continue
			}
			// Amazon SES appends its own segments to an encoded target.
			if strings.Contains(strings.ToLower(rest), "%2f") {
				rest, _, _ = strings.Cut(rest, "/")
				return Unescape(rest)
			}
			secure, isSecure := strings.CutPrefix(rest, "s/")
			if u.Query != "" {
				secure += "?" + u.Query
			}
			if hasWebScheme(secure) {
				return secure
			}
			if isSecure {
				return "https://" + secure
			}
			return "http://" + secure
		}
		return ""
	}
}

// lastSegment undoes secure-web.cisco.com/<signature>/<target, percent-encoded>.
func lastSegment(u URL) string {
	s := Unescape(u.Path[strings.LastIndexByte(u.Path, '/')+1:])
	if hasWebScheme(s) {
		return s
	}
	return ""
}

// wholeQuery undoes href.li/?<target>.
func wholeQuery(u URL) string { return u.Query }

// symantec undoes both layouts of Click-time URL Protection: a parameter u, and
// a path that ends in the encoded target.
func symantec(u URL) string {
	if v, ok := u.Param("u"); ok {
		return v
	}
	return lastSegment(u)
}

// sophos undoes d=<host>&u=<base64 of the target>.
func sophos(u URL) string {
	if v, ok := u.Param("u"); ok {
		return base64URL(v)
	}
	return ""
}

// checkpoint undoes /v2/___<target>___.<signature>, in which the letters of the
// newer layout (/v2/r01/) are shifted and only the service reads them.
func checkpoint(u URL) string {
	rest := u.Path
	if u.Query != "" {
		rest += "?" + u.Query
	}
	_, rest, ok := strings.Cut(rest, "___")
	if !ok || strings.HasPrefix(strings.ToLower(u.Path), "/v2/r0") {
		return ""
	}
	inner, _, ok := strings.Cut(rest, "___")
	if !ok || !hasWebScheme(inner) {
		return ""
	}
	return inner
}

// bing undoes /ck/a and /aclick: u is "a1" and the target in base64, or in the
// latter the target percent-encoded.
func bing(u URL) string {
	v, ok := u.Param("u")
	if !ok {
		return ""
	}
	if len(v) > 2 && v[0] == 'a' && isDigit(v[1]) {
		return base64URL(v[2:])
	}
	s := Unescape(base64URL(v))
	if hasWebScheme(s) {
		return s
	}
	return ""
}

// yahoo undoes a path of fields with the target in RU=<encoded>/.
func yahoo(u URL) string {
	_, rest, ok := strings.Cut(u.Path, "/RU=")
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, "/")
	return Unescape(rest)
}

// postmark undoes /3s/<target, encoded, without its scheme>/<ids>.
func postmark(u URL) string {
	for _, p := range []struct{ prefix, scheme string }{{"/3s/", "https://"}, {"/3/", "http://"}, {"/2s/", "https://"}, {"/2/", "http://"}} {
		if rest, ok := strings.CutPrefix(u.Path, p.prefix); ok {
			rest, _, _ = strings.Cut(rest, "/")
			if rest == "" {
				return ""
			}
			return p.scheme + Unescape(rest)
		}
	}
	return ""
}

// mandrill undoes p=<base64 of JSON that holds JSON with the url>.
func mandrill(u URL) string {
	v, ok := u.Param("p")
	if !ok {
		return ""
	}
	s := strings.ReplaceAll(strings.ReplaceAll(base64URL(v), `\`, ""), `"`, "")
	_, rest, ok := strings.Cut(s, "url:")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, ",}"); i >= 0 {
		rest = rest[:i]
	}
	return rest
}

// mailjet undoes /lnk/<ids>/<base64 of the target>.
func mailjet(u URL) string {
	s := base64URL(u.Path[strings.LastIndexByte(u.Path, '/')+1:])
	if hasWebScheme(s) {
		return s
	}
	return ""
}

// dynamics undoes Customer Insights: target=<JSON with TargetUrl>.
func dynamics(u URL) string {
	v, ok := u.Param("target")
	if !ok {
		return ""
	}
	_, rest, ok := strings.Cut(v, `"TargetUrl":"`)
	if !ok {
		return ""
	}
	rest, _, _ = strings.Cut(rest, `"`)
	return Unescape(strings.ReplaceAll(rest, `\u0026`, "&"))
}

// base64URL decodes s in either alphabet, padded or not, "" if it is none.
func base64URL(s string) string {
	s = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/", " ", "+").Replace(s), "=")
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

// proofpoint undoes URL Defense, versions 1 to 3
// (help.proofpoint.com, "URL Decoder API").
func proofpoint(u URL) string {
	switch path := u.Path; {
	case strings.HasPrefix(path, "/v1/"):
		v, _ := u.Param("u")
		return v
	case strings.HasPrefix(path, "/v2/"):
		v, _ := u.Param("u")
		return Unescape(strings.NewReplacer("-", "%", "_", "/").Replace(v))
	case strings.HasPrefix(path, "/v3/__"):
		return proofpoint3(u)
	}
	return ""
}

// runAlphabet are the characters that give the length of a run in version 3,
// from 2 on.
const runAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// proofpoint3 undoes /v3/__<target>__;<characters, base64>!!<signature>. In the
// target "*" stands for the next of the characters, "**" and a letter for a run
// of them.
func proofpoint3(u URL) string {
	s := u.Path[len("/v3/__"):]
	if u.Query != "" {
		s += "?" + u.Query
	}
	if u.Fragment != "" {
		s += "#" + u.Fragment
	}
	i := strings.LastIndex(s, "__;")
	if i < 0 {
		return ""
	}
	target, rest := s[:i], Unescape(s[i+len("__;"):])
	enc, _, ok := strings.Cut(rest, "!")
	if !ok {
		return ""
	}
	// Browsers fold "//" of the target's scheme in a path.
	if scheme, after, ok := strings.Cut(target, ":/"); ok && !strings.HasPrefix(after, "/") {
		target = scheme + "://" + after
	}
	chars := base64URL(enc)
	var b strings.Builder
	for target != "" {
		before, after, found := strings.Cut(target, "*")
		b.WriteString(before)
		if !found {
			break
		}
		n := 1
		if len(after) > 1 && after[0] == '*' {
			n = strings.IndexByte(runAlphabet, after[1]) + 2
			after = after[2:]
		}
		n = min(n, len(chars))
		b.WriteString(chars[:n])
		chars = chars[n:]
		target = after
	}
	return b.String()
}
