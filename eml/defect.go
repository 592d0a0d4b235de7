package eml

import "strings"

// DefectCode names a way in which a message departs from the standards.
type DefectCode string

// The defects. A message with defects is still read as far as it goes; some of
// them are signs of their own, since programs disagree about what they mean.
const (
	MboxFromLine           DefectCode = "mbox-from-line"             // a "From " line stands above the header
	LeadingBlankLines      DefectCode = "leading-blank-lines"        // blank lines stand above the header
	MalformedHeaderLine    DefectCode = "malformed-header-line"      // a line of the header is no field
	MissingSeparator       DefectCode = "missing-separator"          // no blank line between header and body
	SpaceBeforeColon       DefectCode = "space-before-colon"         // RFC 5322 section 4.5 (obsolete syntax)
	TooManyFields          DefectCode = "too-many-fields"            // the rest of the header was not read
	NoHeader               DefectCode = "no-header"                  // there is no header at all
	DuplicateField         DefectCode = "duplicate-field"            // a field that may occur once occurs again (RFC 5322 section 3.6)
	BareCR                 DefectCode = "bare-cr"                    // lines end in CR alone, or a CR stands inside a header line
	LongField              DefectCode = "long-field"                 // a field of which only the first 256 KiB are decoded
	MalformedContentType   DefectCode = "malformed-content-type"     // read as text/plain (RFC 2045 section 5.2)
	MissingBoundary        DefectCode = "missing-boundary"           // a multipart names no boundary
	GuessedBoundary        DefectCode = "guessed-boundary"           // the boundary was taken from the body
	BoundaryNotFound       DefectCode = "boundary-not-found"         // the boundary does not occur in the body
	UnclosedMultipart      DefectCode = "unclosed-multipart"         // the closing delimiter is missing
	EncodedMultipart       DefectCode = "encoded-multipart"          // a multipart in base64 or quoted-printable (RFC 2045 section 6.4)
	UnknownEncoding        DefectCode = "unknown-encoding"           // the Content-Transfer-Encoding is unknown, read as it is
	MalformedBase64        DefectCode = "malformed-base64"           // characters outside the alphabet, or a wrong length
	MalformedQuoted        DefectCode = "malformed-quoted-printable" // "=" not followed by two hex digits
	MalformedUUEncode      DefectCode = "malformed-uuencode"         // a line of the wrong length
	UnknownCharset         DefectCode = "unknown-charset"            // the charset is unknown, guessed instead
	MalformedCharset       DefectCode = "malformed-charset"          // bytes that do not exist in the charset
	TooManyParts           DefectCode = "too-many-parts"             // parts that were not read
	TooDeep                DefectCode = "too-deep"                   // nested parts that were not read
	TooLarge               DefectCode = "too-large"                  // cut or not decoded at the size limit
	BudgetExhausted        DefectCode = "budget-exhausted"           // the message used up its budget
	EncodedWordUndecodable DefectCode = "encoded-word-undecodable"   // an encoded word was left as it is (RFC 2047 section 6.3)
)

// Defect is one departure from the standards and where it is.
type Defect struct {
	Code   DefectCode
	Part   string // ID of the part
	Offset int    // in the bytes that the part's spans count in, see [Part.Quote]
}

// Lost reports whether the defect means that something of the message was not
// read, so that nothing can be said about it.
func (d Defect) Lost() bool {
	switch d.Code {
	case TooManyFields, LongField, TooManyParts, TooDeep, TooLarge, BudgetExhausted:
		return true
	default:
		return false
	}
}

// onceFields may occur once in a message (RFC 5322 section 3.6).
var onceFields = []string{"Date", "From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject"}

// fieldDefects looks at the fields themselves, for which they are decoded.
func (p *Part) fieldDefects(out []Defect) []Defect {
	var seen uint
	duplicate, undecodable, long := false, false, false
	for _, f := range p.header.fields {
		if p.message && !duplicate {
			for i, name := range onceFields {
				if len(name) != len(f.name) || !strings.EqualFold(name, f.name) {
					continue
				}
				if duplicate = seen&(1<<i) != 0; duplicate {
					out = append(out, Defect{Code: DuplicateField, Part: p.id, Offset: f.start})
				}
				seen |= 1 << i
			}
		}
		if !long && len(f.value) > maxFieldText {
			long = true
			out = append(out, Defect{Code: LongField, Part: p.id, Offset: f.start})
		}
		if !undecodable && strings.Contains(f.value, "=?") && brokenWord(f.unfolded().Text) {
			undecodable = true
			out = append(out, Defect{Code: EncodedWordUndecodable, Part: p.id, Offset: f.start})
		}
	}
	return out
}
