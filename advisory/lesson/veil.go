package lesson

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/extract/link"
)

// Veil stands for what is not shown.
const Veil = "●●●"

// words are ordinary words, which name nobody.
type words struct {
	latin   map[string]bool // folded
	other   map[string]bool // of scripts that do not part their words
	longest int             // of other, in code points
}

func newWords(text string) words {
	w := words{latin: map[string]bool{}, other: map[string]bool{}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for x := range strings.FieldsSeq(line) {
			if isLatin(x) {
				w.latin[strings.ToLower(x)] = true
				continue
			}
			w.other[x] = true
			w.longest = max(w.longest, utf8.RuneCountInString(x))
		}
	}
	return w
}

func isLatin(s string) bool {
	for _, r := range s {
		if r > unicode.MaxLatin1 {
			return false
		}
	}
	return true
}

// maxSubject bounds what is shown of a subject, in code points.
const maxSubject = 120

// veil shows the ordinary words of s, and a mark for everything else between
// them. Numbers go too: they may be those of a customer.
func (w *words) veil(s string) string {
	var b strings.Builder
	shown, marked := 0, false
	word := false // the last thing shown is a word that a particle can follow
	show := func(x string) {
		b.WriteString(x)
		shown += utf8.RuneCountInString(x)
		marked = false
	}
	mark := func() {
		if !marked {
			show(Veil)
		}
		marked = true
	}
	// What is not seen parts no word.
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	for i := 0; i < len(runes) && shown < maxSubject; {
		r := runes[i]
		switch {
		case r <= unicode.MaxLatin1 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			j := wordEnd(runes, i)
			if x := string(runes[i:j]); w.latin[strings.ToLower(x)] {
				word = true
				show(x)
			} else {
				mark()
			}
			i = j
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			if n := w.match(runes[i:]); n > 0 && (word || !isParticle(runes[i:i+n])) && !w.goesOn(runes[i:], n) {
				word = !isParticle(runes[i : i+n])
				show(string(runes[i : i+n]))
				i += n
				continue
			}
			mark()
			word = false
			i++
		case r == ' ':
			b.WriteRune(r)
			i++
		case strings.ContainsRune("、。・:!?()[]「」『』【】《》〈〉!?:()[]-~〜", r):
			show(string(r))
			word = false
			i++
		default:
			mark()
			i++
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// wordEnd returns where the word ends that begins at i. What holds a sign of an
// address or a link is one word up to the next space.
func wordEnd(runes []rune, i int) int {
	j := i
	for j < len(runes) && runes[j] != ' ' && runes[j] <= unicode.MaxLatin1 {
		j++
	}
	if strings.ContainsAny(string(runes[i:j]), "@/\\=&%<>_") {
		return j
	}
	for j = i; j < len(runes) && (runes[j] <= unicode.MaxLatin1 && (unicode.IsLetter(runes[j]) || unicode.IsDigit(runes[j])) || isInside(runes, j)); {
		j++
	}
	return j
}

// isInside reports whether the sign at j holds a word together: the dot of a
// host, the sign of an address.
func isInside(runes []rune, j int) bool {
	return j+1 < len(runes) && strings.ContainsRune(".@_'’-+/\\&=%", runes[j]) && (unicode.IsLetter(runes[j+1]) || unicode.IsDigit(runes[j+1]))
}

// isParticle reports whether a word is one or two hiragana. Such syllables are
// particles after another word, and elsewhere as likely a part of a name.
func isParticle(runes []rune) bool {
	for _, r := range runes {
		if !unicode.Is(unicode.Hiragana, r) {
			return false
		}
	}
	return len(runes) <= 2
}

// goesOn reports whether a particle of n code points is followed by hiragana
// that are no word, and so is none.
func (w *words) goesOn(runes []rune, n int) bool {
	if !isParticle(runes[:n]) || n == len(runes) || !unicode.Is(unicode.Hiragana, runes[n]) {
		return false
	}
	next := w.match(runes[n:])
	return next == 0 || isParticle(runes[n:n+next])
}

// match returns how many code points of the text are an ordinary word, the
// longest.
func (w *words) match(runes []rune) int {
	for n := min(w.longest, len(runes)); n > 0; n-- {
		if w.other[string(runes[:n])] {
			return n
		}
	}
	return 0
}

// SeenOf returns what may be shown of a mail: the ordinary words of its subject,
// and the form of its link and of its file. suffix is the public suffix of the
// host that the link leads to, such as "com" or "co.jp"; extension that of the
// file. Both may be empty.
func (c *Catalogue) SeenOf(subject, suffix, extension string) *Seen {
	out := &Seen{Subject: c.words.veil(subject)}
	if suffix = plain(suffix); suffix != "" {
		out.Link = "hxxps://" + Veil + "[.]" + strings.ReplaceAll(suffix, ".", "[.]") + "/" + Veil
	}
	if extension = plain(extension); extension != "" && !strings.Contains(extension, ".") {
		out.File = Veil + "." + extension
	}
	if strings.Trim(out.Subject, "● ") == "" {
		out.Subject = ""
	}
	if *out == (Seen{}) {
		return nil
	}
	return out
}

// plain is s if it is short and nothing but ASCII letters, digits and dots.
func plain(s string) string {
	s = strings.ToLower(strings.Trim(s, "."))
	if len(s) > 12 {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; c != '.' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return s
}

// splitWords parts a text at what cannot stand in a host or an address: words
// are at the even places, what is between them at the odd ones.
func splitWords(s string) []string {
	var out []string
	from, word := 0, true
	for i, r := range s {
		if in := r < utf8.RuneSelf && !unicode.IsSpace(r) && !strings.ContainsRune("\"'()<>,;", r); in != word {
			out = append(out, s[from:i])
			from, word = i, in
		}
	}
	return append(out, s[from:])
}

func defangWord(s string) string {
	body := strings.TrimRight(s, ".:!?")
	if strings.Contains(s, "://") || strings.Contains(s, "@") {
		return link.Defang(body) + s[len(body):]
	}
	// A host: letters, a dot, and letters that could be a top-level domain.
	i := strings.LastIndexByte(body, '.')
	if i <= 0 {
		return s
	}
	last, _, _ := strings.Cut(body[i+1:], "/")
	if host, _, _ := strings.Cut(body, "/"); len(last) < 2 || strings.ContainsAny(last, "0123456789") || strings.ContainsAny(host, "[]") {
		if j := strings.IndexByte(body, '/'); j < 0 || !strings.Contains(body[:j], ".") || strings.ContainsAny(body[:j], "[]") {
			return s
		}
	}
	return link.Defang(body) + s[len(body):]
}
