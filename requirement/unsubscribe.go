package requirement

import (
	"strings"

	"github.com/sekisho/sekisho/eml"
)

// Unsubscribe is what a message offers to those who want no more of it (RFC
// 2369, RFC 8058).
type Unsubscribe struct {
	Field    string // List-Unsubscribe, unfolded; empty if there is none
	HTTPS    string // its https URI
	Mailto   string // its mailto URI
	Post     string // List-Unsubscribe-Post, unfolded
	OneClick bool   // Post says "List-Unsubscribe=One-Click", and stands there once
	// Covered reports whether a DKIM signature that holds covers both fields
	// (RFC 8058 section 4); CoveredBy is its domain.
	Covered   bool
	CoveredBy string
	// Open says that a signature covers them which could not be checked.
	Open bool
}

// maxUnsubscribe bounds a field that is read.
const maxUnsubscribe = 8192

func readUnsubscribe(h eml.Header, signatures []Signature) Unsubscribe {
	u := Unsubscribe{Field: h.Value("List-Unsubscribe"), Post: h.Value("List-Unsubscribe-Post")}
	u.Field = u.Field[:min(len(u.Field), maxUnsubscribe)]
	for _, uri := range angled(u.Field) {
		low := strings.ToLower(uri)
		switch {
		case strings.HasPrefix(low, "https://") && u.HTTPS == "":
			u.HTTPS = uri
		case strings.HasPrefix(low, "mailto:") && u.Mailto == "":
			u.Mailto = uri
		}
	}
	// RFC 8058 section 3.1: the one key and value, nothing else.
	u.OneClick = strings.EqualFold(strings.TrimSpace(u.Post), "List-Unsubscribe=One-Click") && len(h.All("List-Unsubscribe-Post")) == 1
	for _, s := range signatures {
		if s.covers["List-Unsubscribe"] == 0 || s.covers["List-Unsubscribe-Post"] == 0 {
			continue
		}
		if s.Pass {
			u.Covered, u.CoveredBy = true, string(s.Domain)
			break
		}
		u.Open = u.Open || s.Open
	}
	return u
}

// angled returns the texts in angle brackets, at most twenty.
func angled(s string) []string {
	var out []string
	for len(out) < 20 {
		_, rest, ok := strings.Cut(s, "<")
		if !ok {
			break
		}
		in, after, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		// White space inside is no part of the URI (RFC 2369 section 2).
		out = append(out, strings.Join(strings.Fields(in), ""))
		s = after
	}
	return out
}
