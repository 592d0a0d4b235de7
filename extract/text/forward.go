package text

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
)

// Prefixes of subjects by which programs mark a forward and an answer, in lower
// case.
var (
	forwardPrefixes = []string{
		"fw", "fwd", "wg", "tr", "rv", "enc", "i", "doorst", "vb", "vl", "vid", "pd", "転送", "转发", "轉寄", "전달",
	}
	replyPrefixes = []string{
		"re", "aw", "antw", "sv", "rép", "res", "r", "odp", "ynt", "回复", "回覆", "答复", "返信", "회신",
	}
)

// Mark is what the start of a subject says about a message.
type Mark string

// The marks.
const (
	MarkNone    Mark = ""
	MarkForward Mark = "forward"
	MarkReply   Mark = "reply"
)

// SubjectMark returns what the outermost prefix of a subject says, and the
// subject without any prefixes. Tags in square brackets ("[EXTERNAL]") may stand
// in front and between.
func SubjectMark(subject string) (mark Mark, base string) {
	s := strings.TrimSpace(subject)
	for range 20 {
		if tag, ok := strings.CutPrefix(s, "["); ok {
			if _, rest, ok := strings.Cut(tag, "]"); ok && strings.TrimSpace(rest) != "" {
				if m, b := SubjectMark(rest); m != MarkNone {
					if mark == MarkNone {
						mark = m
					}
					return mark, b
				}
			}
			return mark, s
		}
		m, rest := cutMark(s)
		if m == MarkNone {
			break
		}
		if mark == MarkNone {
			mark = m
		}
		s = rest
	}
	return mark, s
}

func cutMark(s string) (Mark, string) {
	head := s[:min(len(s), 24)]
	i, n := strings.IndexByte(head, ':'), 1
	if w := strings.Index(head, "："); w >= 0 && (i < 0 || w < i) {
		i, n = w, len("：")
	}
	if i <= 0 {
		return MarkNone, s
	}
	word := strings.ToLower(strings.TrimSpace(head[:i]))
	// "RE[2]:" and "RE(2):".
	if k := strings.IndexAny(word, "[(^"); k > 0 {
		word = word[:k]
	}
	rest := strings.TrimSpace(s[i+n:])
	switch {
	case slices.Contains(forwardPrefixes, word):
		return MarkForward, rest
	case slices.Contains(replyPrefixes, word):
		return MarkReply, rest
	}
	return MarkNone, s
}

// forward decides whether the thread is a forward.
func (s *splitter) forward(t *Thread, o *Options) *Forward {
	// What stands above the header of a forward is a note; an answer between
	// quoted lines is none.
	k := slices.IndexFunc(s.quotes, func(q Quote) bool { return len(q.Header) > 0 })
	if k < 0 || k > 0 && !s.quotes[0].snippet {
		return nil
	}
	if k > 0 && (k > 1 || s.quotes[0].Body.Text != "") {
		return nil
	}
	q := s.quotes[k]
	mark, _ := SubjectMark(o.Subject)
	explicit := q.marked || mark == MarkForward
	switch {
	case q.marked:
	case mark == MarkForward:
		if q.Subject == "" && q.Sent == "" {
			return nil
		}
	case mark == MarkReply, o.Reply:
		return nil
	case q.Subject == "" || utf8.RuneCountInString(t.Current.Text) > shortNote:
		return nil
	case answered(q.From.Addr, o.Recipients):
		return nil
	}
	f := &Forward{Quote: q, Explicit: explicit}
	// The chain goes on as long as nobody answered in between: a header block
	// with nothing of substance above it, or one that is marked.
	for _, next := range s.quotes[k+1:] {
		above := f.Innermost().Body.Text
		innerMark, _ := SubjectMark(f.Innermost().Subject)
		if len(next.Header) == 0 || !next.marked && innerMark != MarkForward && strings.TrimSpace(above) != "" {
			break
		}
		f.Nested = append(f.Nested, next)
	}
	f.Rest = s.rest(s.starts[k])
	return f
}

// rest returns everything from a line on.
func (s *splitter) rest(from int) eml.Mapped {
	all := make([]int, 0, len(s.lines)-from)
	for i := from; i < len(s.lines); i++ {
		all = append(all, i)
	}
	return s.body(all)
}

func answered(addr string, recipients []string) bool {
	return addr != "" && slices.ContainsFunc(recipients, func(r string) bool { return strings.EqualFold(r, addr) })
}
