package grounding

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/fact"
)

// standing are technical terms that need no source.
var standing = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq("mfa spf dkim dmarc arc qr pdf url sms vpn pc it id cve kb captcha aitm bec html os ip dns cvss csirt soc ai faq excel word outlook teams microsoft windows entra exchange online defender office sharepoint onedrive webauthn fido fido2 p=none p=quarantine p=reject url csv vba ssl tls ssl-vpn smtp oauth usb lan wi-fi chat app apps security team i we ps") {
		m[w] = true
	}
	return m
}()

// names are products, makers, and what is written like a name.
func (c *check) names() {
	for _, f := range c.facts {
		if f.Type != fact.Product {
			continue
		}
		c.use(f.from, f.to)
		word := c.folded[f.from:f.to]
		if c.known(word) || strings.Contains(c.g.texts, word) || strings.Contains(c.g.own, word) || c.hasProduct(&f.Fact) {
			continue
		}
		if c.advice && f.Vendor == "Microsoft" {
			continue // advice names the means of Microsoft 365
		}
		c.flag(Name, word, "")
	}
	c.organisations()
	c.capitals()
}

func (c *check) hasProduct(p *fact.Fact) bool {
	for _, list := range [][]fact.Fact{c.g.facts, c.g.ownFacts} {
		for i := range list {
			f := &list[i]
			if f.Type == fact.Product && (f.Value == p.Value || p.Group == "vendor" && strings.EqualFold(f.Vendor, p.Vendor)) {
				return true
			}
		}
	}
	return false
}

// organisations are Japanese names with the word that ends them.
func (c *check) organisations() {
	if c.lang != lang.JA {
		return
	}
	if !c.g.langs[lang.JA] {
		// Another language has the name in other letters, but tells what it is.
		for _, end := range endings {
			i := strings.Index(c.folded, end.ja)
			if i <= 0 || containsAny(c.g.texts, end.en) || strings.Contains(c.g.own, end.ja) {
				continue
			}
			if r, _ := lastRune(c.folded[:i]); unicode.In(r, unicode.Han, unicode.Katakana, unicode.Hiragana) && !strings.ContainsRune("のはがをにでともやか引", r) {
				c.flag(Name, end.ja, "")
			}
		}
		return
	}
	for _, end := range []string{"銀行", "信用金庫", "信用組合", "研究所", "株式会社", "財団", "協会", "大学", "県警", "警察", "庁", "委員会", "機構", "協議会", "研究会", "学会"} {
		i := strings.Index(c.folded, end)
		if i <= 0 {
			continue
		}
		from := i
		for from > 0 {
			r, n := lastRune(c.folded[:from])
			if !unicode.In(r, unicode.Han, unicode.Katakana) && !(r >= 'ぁ' && r <= 'ん' && !strings.ContainsRune("のはがをにでともやか", r)) {
				break
			}
			from -= n
		}
		name := c.folded[from : i+len(end)]
		if from == i && strings.HasSuffix(end, "行") {
			continue
		}
		if !strings.Contains(c.g.texts, name) && !strings.Contains(c.g.own, name) && !slices.Contains([]string{"取引銀行", "金融機関"}, name) {
			c.flag(Name, name, "")
		}
	}
}

func lastRune(s string) (rune, int) {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < 0x80 || s[i] >= 0xc0 {
			for _, r := range s[i:] {
				return r, len(s) - i
			}
		}
	}
	return 0, 1
}

// capitals are English words with an upper-case letter where none is due.
func (c *check) capitals() {
	if strings.Contains(c.text, " > ") {
		return // a path through menus
	}
	words := strings.FieldsFunc(c.text, func(r rune) bool { return r > 0x7f || unicode.IsSpace(r) || strings.ContainsRune(",;()\"", r) })
	for i, w := range words {
		first := i == 0 || strings.HasSuffix(words[i-1], ":") || strings.HasSuffix(words[i-1], ".") || strings.HasSuffix(words[i-1], "]")
		w = strings.Trim(w, ".:!?'’[]")
		w = strings.TrimSuffix(w, "'s")
		if len(w) < 3 || w[0] < 'A' || w[0] > 'Z' {
			continue
		}
		if first && i == 0 && len(words) > 1 && slices.Contains([]string{"confirmed", "announced", "said", "reports", "reported", "released", "warns", "published"}, words[1]) && !strings.HasSuffix(w, "s") && len(w) > 3 {
			first = false // "Example confirmed ..."
		}
		if first && c.lang == lang.EN && (i+1 >= len(words) || !isCapital(words[i+1])) && w != strings.ToUpper(w) {
			continue // the first word of a sentence
		}
		f := strings.ToLower(w)
		if plural := strings.TrimSuffix(f, "s"); c.speaksOf(f) || w == strings.ToUpper(w) && initials(c.g.texts, f) || c.g.langs[lang.JA] && (f == "japan" || f == "japanese") || plural != f && standing[plural] {
			continue
		}
		if standing[f] || c.g.texts == "" || strings.Contains(c.g.texts, f) || strings.Contains(c.g.own, f) || isMonth(f) || c.isPart(f) {
			continue
		}
		if ja, ok := placeName(f); ok && strings.Contains(c.g.texts+c.g.own, ja) {
			continue
		}
		if c.g.langs[lang.JA] && !c.g.langs[lang.EN] {
			if strings.Contains(c.g.romaji, f) {
				continue
			}
			// Only what sounds Japanese can be compared with its kana.
			if w == strings.ToUpper(w) && c.lang == lang.EN && !c.advice && allLetters(f) {
				c.flag(Name, w, "")
				continue
			}
			if !soundsJapanese(f) || c.lang == lang.JA {
				if c.lang != lang.JA || c.isPart(f) {
					continue
				}
			}
			if soundsJapanese(f) && hasNeighbourSounding(c.g.romaji, f, words) {
				continue
			}
		}
		if c.advice {
			continue
		}
		c.flag(Name, w, "")
	}
}

// initials reports whether words in a row in a folded text begin with the letters of
// an acronym: "extended security updates" for ESU.
func initials(text, acronym string) bool {
	if len(acronym) < 3 || len(acronym) > 6 || !allLetters(acronym) {
		return false
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return r > 0x7f || !isLetter(byte(r)) && !isDigit(byte(r)) })
	for i := range max(0, len(words)-len(acronym)+1) {
		n := 0
		for n < len(acronym) && words[i+n][0] == acronym[n] {
			n++
		}
		if n == len(acronym) {
			return true
		}
	}
	return false
}

// speaksOf reports whether the lexicon has a word, so that it is no name.
func (c *check) speaksOf(word string) bool {
	return slices.ContainsFunc(c.st.view.marks, func(m mark) bool { return len(m.ids) > 0 && m.word == word && m.kind == "thing" })
}

// hasNeighbourSounding reports whether another word of the name is in the
// source: of "Minato Chuo Bank" only the kana can be compared.
func hasNeighbourSounding(source, f string, words []string) bool {
	for _, w := range words {
		w = strings.ToLower(w)
		if w != f && len(w) > 3 && soundsJapanese(w) && strings.Contains(source, w) {
			return true
		}
	}
	return false
}

func soundsJapanese(w string) bool {
	for i := 0; i < len(w); {
		if w[i] == 'n' && (i+1 == len(w) || strings.IndexByte("aiueoy", w[i+1]) < 0) {
			i++
			continue
		}
		j := i
		for j < len(w) && j < i+3 && strings.IndexByte("aiueo", w[j]) < 0 {
			j++
		}
		if j == len(w) || strings.IndexByte("aiueo", w[j]) < 0 || strings.ContainsAny(w[i:j], "lvxqc") && w[i:j] != "ch" {
			return false
		}
		if j-i > 1 && !slices.Contains([]string{"sh", "ch", "ts", "ky", "gy", "ry", "ny", "hy", "my", "by", "py", "kk", "tt", "pp", "ss"}, w[i:j]) {
			return false
		}
		i = j + 1
	}
	return true
}

func isCapital(w string) bool { return w != "" && w[0] >= 'A' && w[0] <= 'Z' }

func isMonth(w string) bool {
	for m := time.January; m <= time.December; m++ {
		if strings.HasPrefix(strings.ToLower(m.String()), w) {
			return true
		}
	}
	for _, d := range weekdays {
		if strings.HasPrefix(d.en, w) {
			return true
		}
	}
	return false
}

func (c *check) isMonth(f fact.Fact) bool {
	return f.From.Day() == 1 && f.From.Month() == f.To.Month() && f.To.Sub(f.From) >= 27*24*time.Hour
}

func (c *check) inMonth(t time.Time) bool {
	return c.anyDate(func(f *fact.Fact) bool {
		return f.From.Year() == t.Year() && f.From.Month() == t.Month() || f.To.Year() == t.Year() && f.To.Month() == t.Month()
	})
}

// isPart reports whether a word belongs to a fact that was read.
func (c *check) isPart(w string) bool {
	for _, f := range c.facts {
		if strings.Contains(c.folded[f.from:f.to], w) {
			return true
		}
	}
	return false
}

func (c *check) places() {
	for _, f := range c.facts {
		if f.Type != fact.Place {
			continue
		}
		home := c.folded[f.from:f.to] == "国内" && containsAny(c.g.texts, []string{"the country", "national", "domestic"})
		if f.Value == "JP" && (c.g.langs[lang.JA] || c.advice || home) {
			continue
		}
		for _, list := range [][]fact.Fact{c.g.facts, c.g.ownFacts} {
			if slices.ContainsFunc(list, func(x fact.Fact) bool { return x.Type == fact.Place && x.Value == f.Value || x.Place == f.Value }) {
				f.Value = ""
				break
			}
		}
		if f.Value != "" {
			c.flag(Place, c.folded[f.from:f.to], "")
		}
	}
}
