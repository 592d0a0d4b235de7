package dmarc

import (
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// WarningCode names something about a record that its owner should know.
type WarningCode string

// The warnings. None of them keeps a record from being applied by itself.
const (
	WarnLeadingSpace WarningCode = "leading-space" // white space before v=
	WarnSyntax       WarningCode = "syntax"        // a part that is no "tag=value"
	WarnUnknownTag   WarningCode = "unknown-tag"   // a tag that no RFC defines
	WarnRemovedTag   WarningCode = "removed-tag"   // pct, rf or ri, which RFC 9989 removed
	WarnDuplicate    WarningCode = "duplicate"     // a tag that was there already
	WarnPolicy       WarningCode = "policy"        // p, sp or np with a value that is no policy
	WarnNoPolicy     WarningCode = "no-policy"     // p is missing
	WarnPosition     WarningCode = "position"      // p does not follow v at once, as RFC 7489 wants
	WarnValue        WarningCode = "value"         // another tag with a value that it cannot have
	WarnURI          WarningCode = "uri"           // something in rua or ruf that is no URI
	WarnScheme       WarningCode = "scheme"        // a URI that is no mailto, which few receivers use
	WarnSizeLimit    WarningCode = "size-limit"    // "!10m" after a URI, which RFC 9989 removed
	WarnTooManyURIs  WarningCode = "too-many-uris" // more URIs than are read
	WarnUnusedFO     WarningCode = "unused-fo"     // fo without ruf
)

// Warning is something about a record that its owner should know.
type Warning struct {
	Code   WarningCode
	Tag    string // the tag that it is about, lower case
	Text   string // the words that it is about, shortened
	Offset int    // in the record, in bytes; its length where something is missing
}

// Message says the warning in a sentence.
func (w Warning) Message() lang.Message {
	text := show(w.Text)
	switch w.Code {
	case WarnLeadingSpace:
		return lang.M("dmarc.warning.leading-space")
	case WarnSyntax:
		return lang.M("dmarc.warning.syntax", "text", text)
	case WarnUnknownTag:
		return lang.M("dmarc.warning.unknown-tag", "text", text)
	case WarnRemovedTag:
		if w.Tag == "pct" {
			return lang.M("dmarc.warning.pct", "text", text)
		}
		return lang.M("dmarc.warning.removed-tag", "text", text)
	case WarnDuplicate:
		return lang.M("dmarc.warning.duplicate", "tag", w.Tag, "text", text)
	case WarnPolicy:
		return lang.M("dmarc.warning.policy", "tag", w.Tag, "text", text)
	case WarnNoPolicy:
		return lang.M("dmarc.warning.no-policy")
	case WarnPosition:
		return lang.M("dmarc.warning.position")
	case WarnValue:
		return lang.M("dmarc.warning.value", "tag", w.Tag, "text", text)
	case WarnURI:
		return lang.M("dmarc.warning.uri", "tag", w.Tag, "text", text)
	case WarnScheme:
		return lang.M("dmarc.warning.scheme", "tag", w.Tag, "text", text)
	case WarnSizeLimit:
		return lang.M("dmarc.warning.size-limit", "tag", w.Tag, "text", text)
	case WarnTooManyURIs:
		return lang.M("dmarc.warning.too-many-uris", "tag", w.Tag, "max", maxURIs)
	case WarnUnusedFO:
		return lang.M("dmarc.warning.unused-fo")
	}
	return lang.Message{}
}

// maxShown is how much of a stranger's text is kept for a sentence, in bytes.
const maxShown = 120

// clip shortens s.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// show makes a stranger's words fit to stand in a sentence: one line, no
// control characters.
func show(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' || 0x80 <= r && r < 0xa0 {
			return '�'
		}
		return r
	}, strings.ToValidUTF8(clip(s), "�"))
}
