package lookalike

import (
	"strings"

	"github.com/sekisho/sekisho/domain"
)

// suffixes puts the label under other suffixes, and makes a word of its own.
func (m *maker) suffixes() {
	for i, s := range commonSuffixes() {
		if s != m.suffix {
			// The list begins with those that are taken for the original first.
			m.add(m.label+"."+s, Suffix, max(60, 98-2*i)-restricted(s), s, m.suffix)
		}
	}
	if !strings.Contains(m.suffix, ".") {
		for _, s := range []string{"com", "net", "jp"} {
			m.add(m.label+"-"+m.suffix+"."+s, SuffixAsWord, 72, m.suffix, "")
			m.add(m.label+m.suffix+"."+s, SuffixAsWord, 74, m.suffix, "")
		}
		return
	}
	first, last := m.suffix[:strings.LastIndexByte(m.suffix, '.')], m.suffix[strings.LastIndexByte(m.suffix, '.')+1:]
	dashed, joined := strings.ReplaceAll(m.suffix, ".", "-"), strings.ReplaceAll(m.suffix, ".", "")
	for _, s := range []string{"com", "net", "jp", "info"} {
		m.add(m.label+"-"+dashed+"."+s, SuffixAsWord, 82, dashed, "")
		m.add(m.label+"-"+joined+"."+s, SuffixAsWord, 82, joined, "")
		m.add(m.label+joined+"."+s, SuffixAsWord, 84, joined, "")
	}
	m.add(m.label+first+"."+last, SuffixAsWord, 88, first+"."+last, m.suffix) // kisoco.jp: a dot left out
	m.add(m.label+"-"+first+"."+last, SuffixAsWord, 86, "-"+first+"."+last, m.suffix)
}

// restricted is how much less likely a suffix is because its registry asks who
// wants the name.
func restricted(suffix string) int {
	switch suffix {
	case "co.jp", "or.jp", "ne.jp":
		return 20
	}
	return 0
}

// commonSuffixes are those that anybody can register under, or nearly anybody,
// ordered by how readily a Japanese reader takes the name for the original.
// Written by us, 2026-11-25.
func commonSuffixes() []string {
	return []string{
		"com", "jp", "co.jp", "net", "co", "cm", "jp.net", "ne.jp", "org", "or.jp", "info", "biz", "cc",
		"cn", "com.cn", "com.co", "co.com", "jpn.com", "asia", "tokyo", "shop", "store", "online", "site",
		"xyz", "top", "icu", "vip", "club", "work", "works", "support", "services", "group", "company",
		"inc", "ltd", "cloud", "app", "dev", "io", "ai", "me", "tv", "us", "uk", "co.uk", "eu", "de", "fr",
		"in", "kr", "co.kr", "tw", "com.tw", "hk", "com.hk", "sg", "com.sg", "my", "vn", "th", "id", "ru",
		"su", "pw", "ws", "live", "life", "world", "global", "email", "link", "click", "page", "web",
		"tech", "digital", "systems", "solutions", "international", "agency", "center", "center.jp", "osaka", "nagoya",
		"bond", "sbs", "cfd", "cyou", "lol", "buzz", "fun", "monster", "rest", "quest", "today", "space", "website", "pro", "name", "mobi", "one", "win", "bid", "loan", "men",
	}
}

// addedWords are what is put before or after a name to make a page to sign in,
// an invoice or a help desk of it, English first and then Japanese in Latin
// letters. Written by us, 2026-11-25.
func addedWords() []string {
	return []string{
		"login", "secure", "support", "mail", "account", "portal", "signin", "auth", "verify", "online",
		"jp", "japan", "security", "helpdesk", "m365", "office365", "microsoft", "office", "sso", "mfa",
		"sharepoint", "webmail", "owa", "vpn", "hr", "payroll", "invoice", "billing", "pay", "payment",
		"docs", "file", "share", "cloud", "web", "app", "info", "service", "services", "center", "group",
		"corp", "inc", "ltd", "holdings", "global", "official", "system", "admin", "it", "id", "my",
		"shop", "store", "recruit", "careers", "news", "update", "notice", "tokyo", "asia", "net",
		"kk", "seikyu", "keiri", "jinji", "saiyo", "kakunin", "shiharai", "toiawase", "koushiki", "kaiin",
	}
}

// words puts a word before or behind the label, with a hyphen and without.
func (m *maker) words() {
	for i, w := range addedWords() {
		weight := max(52, 80-i)
		m.sub(m.label+"-"+w, AddedWord, weight, w, "")
		m.sub(w+"-"+m.label, AddedWord, weight-2, w, "")
		m.sub(m.label+w, AddedWord, weight-6, w, "")
		m.sub(w+m.label, AddedWord, weight-12, w, "")
		if i < 12 && m.suffix != "com" {
			m.add(m.label+"-"+w+".com", AddedWord, weight-8, w, "")
		}
	}
}

// squashes leave out the dot behind the name of a host, as in
// "wwwkiso-works.example", and the dots of the target itself.
func (m *maker) squashes(target domain.Name) {
	hosts := []string{"www", "mail", "m", "ftp", "smtp", "login", "portal", "autodiscover"}
	left := strings.TrimSuffix(strings.TrimSuffix(string(target), string(m.target)), ".")
	if left != "" {
		hosts = append([]string{strings.ReplaceAll(left, ".", "-"), strings.ReplaceAll(left, ".", "")}, hosts...)
	}
	for i, h := range hosts {
		m.sub(h+m.label, Squash, 68-i, h+m.label, h+"."+m.label)
		m.sub(h+"-"+m.label, Squash, 66-i, h+"-"+m.label, h+"."+m.label)
	}
}

// hyphens leaves hyphens out, adds one between words, and puts one elsewhere.
func (m *maker) hyphens() {
	if strings.HasPrefix(m.label, "xn--") {
		return
	}
	if flat := strings.ReplaceAll(m.label, "-", ""); flat != m.label {
		m.sub(flat, Hyphenation, 92, flat, m.label)
	}
	for i := range len(m.label) {
		if m.label[i] == '-' {
			m.sub(m.label[:i]+m.label[i+1:], Hyphenation, 88, "", "-")
			continue
		}
		// A hyphen is noticed least between a letter and a digit and near the
		// middle, where a word may end.
		if i > 1 && i < len(m.label)-1 && m.label[i-1] != '-' && len(m.label) >= longEnough {
			weight := 46
			if isDigit(m.label[i]) != isDigit(m.label[i-1]) {
				weight = 70
			}
			m.sub(m.label[:i]+"-"+m.label[i:], Hyphenation, weight, "-", "")
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
