package m365

import (
	"net/netip"
	"strings"
	"time"

	"github.com/sekisho/sekisho/eml"
)

// Hop is one Received field (RFC 5321 section 4.4) as servers really write it.
type Hop struct {
	Field      eml.Field
	From       string     // what the client called itself (HELO or EHLO)
	FromIP     netip.Addr // the client's address; invalid if the field has none
	FromIPSpan eml.Span   // where it stands in the raw message
	By         string     // the server that wrote the field, lower case
	With       string     // the protocol, as written
	CertNames  []string   // subject names of a client certificate, lower case
	Time       time.Time  // zero if the field has no readable date
}

// maxReceived bounds what is read of one field.
const maxReceived = 8 << 10

// Hops reads every Received field of h, from the newest to the oldest.
func Hops(h eml.Header) []Hop {
	fields := h.All("Received")
	out := make([]Hop, 0, len(fields))
	for _, f := range fields {
		out = append(out, ParseReceived(f))
	}
	return out
}

// clauseWord is a word of a Received field outside of comments, or a comment.
type clauseWord struct {
	text    string
	at      int
	comment bool
}

// ParseReceived reads one Received field. What it does not find stays empty.
func ParseReceived(f eml.Field) Hop {
	hop := Hop{Field: f}
	s := f.Raw()
	s = s[:min(len(s), maxReceived)]
	date, clauses := "", -1 // the last semicolon parts the clauses from the date
	words := make([]clauseWord, 0, 32)
	for i := 0; i < len(s); {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
			i++
		case '(':
			to := eml.SkipComment(s, i)
			words = append(words, clauseWord{text: s[i:to], at: i, comment: true})
			i = to
		case ';':
			date, clauses = s[i+1:], len(words)
			i++
		default:
			to := i
			for to < len(s) && !strings.ContainsRune(" \t\r\n(;", rune(s[to])) {
				to++
			}
			words = append(words, clauseWord{text: s[i:to], at: i})
			i = to
		}
	}
	hop.Time = parseDate(date)
	if clauses >= 0 {
		words = words[:clauses]
	}

	// The last "by" counts: before it stands what the client said, which must
	// not pass for the server's own name.
	by := -1
	for i, w := range words {
		if !w.comment && strings.EqualFold(w.text, "by") && i+1 < len(words) {
			if by >= 0 && hop.endsClause(words, by, i) {
				break
			}
			by = i
		}
	}
	from := words
	if by >= 0 {
		from = words[:by]
		if !words[by+1].comment {
			hop.By = strings.ToLower(strings.TrimRight(words[by+1].text, ".;"))
		}
		for i, w := range words[by:] {
			if !w.comment && strings.EqualFold(w.text, "with") && by+i+1 < len(words) {
				hop.With = with(words[by+i+1:])
				break
			}
		}
	}
	base := f.ValueSpan().Offset
	if len(from) >= 2 && strings.EqualFold(from[0].text, "from") && !from[1].comment {
		hop.From = from[1].text
		hop.client(from[1:], base)
	}
	for _, w := range words {
		if w.comment {
			hop.CertNames = append(hop.CertNames, certNames(w.text)...)
		}
	}
	return hop
}

// endsClause reports whether a clause that only the server writes stands
// between two words "by": then the second one is part of something else.
func (Hop) endsClause(words []clauseWord, from, to int) bool {
	for _, w := range words[from:to] {
		if !w.comment && (strings.EqualFold(w.text, "with") || strings.EqualFold(w.text, "id")) {
			return true
		}
	}
	return false
}

// client finds the address of the client: the last one in a comment, because
// the server writes it after what the client said; in the word itself where
// the server had nothing else to say.
func (h *Hop) client(words []clauseWord, base int) {
	exim := false
	for _, w := range words[1:] {
		if !w.comment {
			continue
		}
		if strings.Contains(w.text, "helo=") { // Exim: from [IP] (helo=NAME)
			exim = true
			continue
		}
		if ip, at, n, ok := lastIP(w.text); ok {
			h.FromIP = ip
			h.FromIPSpan = eml.Span{Offset: base + w.at + at, Length: n}
		}
	}
	if h.FromIP.IsValid() {
		return
	}
	w := words[0]
	if exim || strings.HasPrefix(w.text, "[") {
		if ip, at, n, ok := lastIP(w.text); ok {
			h.FromIP = ip
			h.FromIPSpan = eml.Span{Offset: base + w.at + at, Length: n}
		}
	}
}

// lastIP finds the last IP address in s.
func lastIP(s string) (ip netip.Addr, at, length int, ok bool) {
	s = s[:min(len(s), 512)]
	end := len(s)
	for end > 0 {
		if !isIPByte(s[end-1]) {
			end--
			continue
		}
		start := end
		for start > 0 && isIPByte(s[start-1]) {
			start--
		}
		word := s[start:end]
		if strings.HasPrefix(word, "6:") && start >= 3 && strings.EqualFold(s[start-3:start], "IPv") {
			word = word[2:] // RFC 5321 section 4.1.3: "IPv6:" before the address
		}
		if a, err := netip.ParseAddr(word); err == nil {
			return a.Unmap().WithZone(""), end - len(word), len(word), true
		}
		end = start
	}
	return netip.Addr{}, 0, 0, false
}

func isIPByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' || c == ':' || c == '.'
}

func with(words []clauseWord) string {
	var out []string
	for _, w := range words {
		if w.comment || len(out) == 3 {
			break
		}
		switch strings.ToLower(w.text) {
		case "id", "for", "via":
			return strings.Join(out, " ")
		}
		out = append(out, w.text)
	}
	return strings.Join(out, " ")
}

// certNames reads the subject of a client certificate as Postfix (`Client CN
// "x"`), and Exchange and others (`CN=x`) write it.
func certNames(comment string) []string {
	var out []string
	for _, mark := range []string{`Client CN "`, `CN=`} {
		_, rest, ok := strings.Cut(comment, mark)
		if !ok {
			continue
		}
		name := rest
		if i := strings.IndexAny(rest, "\"',;) \t\r\n"); i >= 0 {
			name = rest[:i]
		}
		if name != "" {
			out = append(out, strings.ToLower(name))
		}
	}
	return out
}

// parseDate reads the date of a Received field (RFC 5322 section 3.3).
func parseDate(s string) time.Time {
	if i := strings.IndexByte(s, '('); i >= 0 {
		s = s[:i]
	}
	s = strings.Join(strings.Fields(s[:min(len(s), 128)]), " ")
	for _, layout := range []string{
		"Mon, 2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 -0700",
		"Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05.999999999 -0700",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
