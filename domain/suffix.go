package domain

import (
	_ "embed"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

//go:embed tenant_suffixes.txt
var tenantSuffixesText string

// tenantSuffixes holds the lines of tenant_suffixes.txt. A key that starts
// with "*." stands for any one label in front of the rest.
var tenantSuffixes = sync.OnceValue(func() map[string]bool {
	m := make(map[string]bool)
	for _, entry := range textEntries(tenantSuffixesText) {
		m[entry] = true
	}
	return m
})

// textEntries returns the lines of an embedded list without its comments.
func textEntries(text string) []string {
	var entries []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			entries = append(entries, line)
		}
	}
	return entries
}

// PublicSuffix returns the part of n under which anybody can get a name:
// "co.jp", "github.io", "onmicrosoft.com". It is n itself if n is such a
// suffix. The source is the Public Suffix List with its private section, and
// our list of suffixes that Microsoft gives to tenants.
func PublicSuffix(n Name) Name {
	if n == "" {
		return ""
	}
	suffix, _ := publicSuffix(n)
	return suffix
}

// publicSuffix also reports whether the suffix is a registry's and not that of
// a company.
func publicSuffix(n Name) (suffix Name, registry bool) {
	s, icann := publicsuffix.PublicSuffix(string(n))
	// Without a dot, the list's default rule has answered: a top-level domain
	// that it does not know, such as "example", is a registry's all the same.
	registry = icann || !strings.Contains(s, ".")
	suffixes := tenantSuffixes()
	// From the left, so that the longest suffix wins.
	for rest := n; len(rest) > len(s); rest = rest.Parent() {
		parent := rest.Parent()
		if suffixes[string(rest)] || (parent != "" && suffixes["*."+string(parent)]) {
			return rest, false
		}
	}
	return Name(s), registry
}

// Organizational returns the domain that somebody registered and n lies in: its
// public suffix and one label more. Where n is itself a public suffix, it is n.
//
// It is finer than the organizational domain of DMARC (RFC 7489 section 3.2),
// since it tells the tenants of one provider apart: "kiso.sharepoint.com" is
// not "sato.sharepoint.com". Do not look up a DMARC policy by it.
func Organizational(n Name) Name {
	suffix := PublicSuffix(n)
	if suffix == n {
		return n
	}
	return n[strings.LastIndexByte(string(n[:len(n)-len(suffix)-1]), '.')+1:]
}

// SLD returns the label of n that somebody chose when registering it, as an
// A-label: "kiso-works" of "mail.kiso-works.co.jp". Of a company's suffix it is
// the company's own label: "github" of "github.io". Of a registry's suffix it is
// empty.
func SLD(n Name) string {
	sld, _ := split(n)
	return sld
}

// split returns the registered label of n and the suffix to the right of it.
func split(n Name) (sld string, suffix Name) {
	if n == "" {
		return "", ""
	}
	suffix, registry := publicSuffix(n)
	if suffix != n {
		left := string(n[:len(n)-len(suffix)-1])
		return left[strings.LastIndexByte(left, '.')+1:], suffix
	}
	if registry {
		return "", n
	}
	// A company's suffix is a name that the company registered further up.
	parent := n.Parent()
	if sld, suffix = split(parent); sld != "" {
		return sld, suffix
	}
	return n.Labels()[0], parent
}
