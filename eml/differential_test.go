package eml_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"
	"github.com/jhillyerd/enmime/v2"

	"github.com/sekisho/sekisho/eml"
)

// view is what one reader sees of a mail. Attached messages are leaves.
type view struct {
	err     error
	types   []string // media type of each leaf
	texts   []string // of leaves that are text: decoded; of others: empty
	subject string
	from    string // first address
}

func viewEML(m *eml.Message) view {
	var v view
	for p := range m.Parts() {
		if len(p.Children()) > 0 {
			continue
		}
		v.add(p.MediaType(), p.Text())
	}
	v.subject = m.Subject().Text
	for _, a := range m.From() {
		v.from = a.Addr()
		break
	}
	return v
}

func (v *view) add(mediaType, text string) {
	if mediaType == "" {
		mediaType = "text/plain"
	}
	if !strings.HasPrefix(mediaType, "text/") || mediaType == "text/rfc822-headers" {
		text = ""
	}
	v.types = append(v.types, strings.ToLower(mediaType))
	v.texts = append(v.texts, text)
}

func viewGoMessage(raw []byte) (v view) {
	e, err := message.Read(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		v.err = err
		return v
	}
	h := mail.Header{Header: e.Header}
	v.subject, _ = h.Subject()
	if list, err := h.AddressList("From"); err == nil && len(list) > 0 {
		v.from = list[0].Address
	}
	v.err = v.walkGoMessage(e)
	return v
}

func (v *view) walkGoMessage(e *message.Entity) error {
	mr := e.MultipartReader()
	if mr == nil {
		mt, _, _ := e.Header.ContentType()
		b, err := io.ReadAll(e.Body)
		v.add(mt, string(b))
		return err
	}
	for {
		child, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !message.IsUnknownCharset(err) {
			return err
		}
		if err := v.walkGoMessage(child); err != nil {
			return err
		}
	}
}

func viewEnmime(raw []byte) (v view) {
	env, err := enmime.NewParser(enmime.DisableCharacterDetection(true), enmime.DisableTextConversion(true)).ReadEnvelope(bytes.NewReader(raw))
	if err != nil {
		v.err = err
		return v
	}
	env.Root.DepthMatchAll(func(p *enmime.Part) bool {
		if p.FirstChild == nil {
			v.add(p.ContentType, string(p.Content))
		}
		return false
	})
	v.subject = env.GetHeader("Subject")
	if list, err := env.AddressList("From"); err == nil && len(list) > 0 {
		v.from = list[0].Address
	}
	return v
}

// squeeze leaves white space out: the readers differ in line ends and folds.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// compare names every aspect in which the other reader sees another mail.
func compare(ours, theirs view) []string {
	if theirs.err != nil {
		return []string{"unreadable"}
	}
	var out []string
	switch {
	case len(ours.types) != len(theirs.types):
		out = append(out, "number of leaves")
	default:
		if !slices.Equal(ours.types, theirs.types) {
			out = append(out, "media type")
		}
		for i := range ours.texts {
			if squeeze(ours.texts[i]) != squeeze(theirs.texts[i]) {
				out = append(out, "text")
				break
			}
		}
	}
	if squeeze(ours.subject) != squeeze(theirs.subject) {
		out = append(out, "subject")
	}
	if !strings.EqualFold(ours.from, theirs.from) {
		out = append(out, "from")
	}
	return out
}

// reason says why the other reader sees another mail; the empty reason is a
// disagreement that nobody has looked at. docs/eml.md says who is right.
func reason(aspect string, m *eml.Message, ours, theirs view) string {
	broken := slices.ContainsFunc(m.Defects(), func(d eml.Defect) bool {
		switch d.Code {
		case eml.UnclosedMultipart, eml.MissingBoundary, eml.BoundaryNotFound, eml.GuessedBoundary, eml.MissingSeparator,
			eml.MalformedHeaderLine, eml.MalformedBase64, eml.MalformedQuoted, eml.MalformedContentType, eml.NoHeader:
			return true
		default:
			return false
		}
	})
	subject, from := squeeze(ours.subject), ours.from
	switch aspect {
	case "unreadable":
		return "gives up on the whole mail"
	case "from":
		switch {
		case theirs.from == "":
			return "gives up on the field"
		case strings.Contains(theirs.from, "'"):
			return "takes a stray quote into the domain"
		case from != "" && slices.ContainsFunc(m.From(), func(a eml.Address) bool { return strings.Contains(a.Name, theirs.from) }):
			return "takes an address in the display name for the sender"
		}
	case "subject":
		switch {
		case !utf8.ValidString(theirs.subject):
			return "leaves raw 8-bit text undecoded"
		case strings.Contains(theirs.subject, "=?"):
			return "leaves an encoded word undecoded"
		case subject == "" || broken:
			return "reads a broken header or body otherwise"
		}
	case "media type":
		switch {
		case slices.ContainsFunc(theirs.types, func(s string) bool { return strings.ContainsAny(s, ";<>=") || s == "" }):
			return "takes parameters for the type"
		case slices.Contains(ours.types, "message/rfc822"):
			return "does not know multipart/digest"
		case slices.Contains(theirs.types, "application/octet-stream"):
			return "does not read the type"
		case broken:
			return "reads a broken header or body otherwise"
		}
	case "number of leaves":
		switch {
		case slices.ContainsFunc(ours.types, func(s string) bool { return strings.HasPrefix(s, "multipart/") }):
			return "leaves out a multipart without parts"
		case broken:
			return "reads a broken header or body otherwise"
		case strings.Contains(string(m.Raw()), "\r\n"):
			return "misses a delimiter after a line that ends in LF alone"
		}
	case "text":
		for i := range ours.texts {
			a, b := squeeze(ours.texts[i]), squeeze(theirs.texts[i])
			switch {
			case a == b:
			case a == strings.TrimPrefix(b, "\uFEFF"):
				return "keeps the byte order mark"
			case !utf8.ValidString(b):
				return "leaves raw 8-bit text undecoded"
			case strings.ContainsFunc(b, func(r rune) bool { return r >= 0x80 && r < 0xa0 }):
				return "reads windows-1252 as ISO-8859-1"
			case slices.Contains(ours.types, "message/rfc822"):
				return "does not know multipart/digest"
			case broken || strings.Contains(b, "begin600"):
				return "reads a broken header or body otherwise"
			case strings.Contains(b, "+A") && !strings.Contains(a, "+A"), strings.Contains(b, "+XKM-"):
				return "does not know UTF-7"
			case strings.Contains(b, "â") && !strings.Contains(a, "â"):
				return "believes a label that the bytes contradict"
			case a == strings.TrimSuffix(b, "="):
				return "keeps a soft line break at the end of a part"
			case strings.HasPrefix(a, b):
				return "cuts text at a delimiter inside a line"
			}
		}
	}
	return ""
}

// TestCorpusDifferential compares eml with two other readers. The others get
// the mail without the "From " line of a mailbox, which go-message does not
// read.
func TestCorpusDifferential(t *testing.T) {
	counts := map[string]int{}
	same := map[string]int{}
	unexplained := 0
	files := corpusFiles(t)
	for _, path := range files {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(raw, []byte("From ")) {
			_, raw, _ = bytes.Cut(raw, []byte("\n"))
		}
		m := eml.Parse(raw, nil)
		ours := viewEML(m)
		for reader, theirs := range map[string]view{"go-message": viewGoMessage(raw), "enmime": viewEnmime(raw)} {
			aspects := compare(ours, theirs)
			if len(aspects) == 0 {
				same[reader]++
			}
			for _, a := range aspects {
				why := reason(a, m, ours, theirs)
				if why == "" {
					unexplained++
					t.Logf("%s: %s: %s", reader, a, path)
				}
				counts[fmt.Sprintf("%-10s  %-16s  %s", reader, a, why)]++
			}
		}
	}
	t.Logf("%d mails; the same: %v", len(files), same)
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d  %s", counts[k], k)
	}
	if unexplained > 10 {
		t.Errorf("%d disagreements without a reason", unexplained)
	}
}
