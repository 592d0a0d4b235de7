// Package outlook rewrites what Outlook saves into RFC 5322 messages: an item
// saved as .msg ([MS-OXMSG], a tree of MAPI properties in a compound file) and
// the winmail.dat that Exchange attaches to mail for the outside ([MS-OXTNEF]).
//
// Neither format holds the MIME message that arrived. Outlook took it apart
// into properties, so the structure of the body is lost, and with it every
// DKIM body hash. What survives is the block of header fields as received
// (PidTagTransportMessageHeaders). It is kept byte for byte, apart from the
// fields that described the lost structure. Where there is no such block,
// which is the case for mail that never left an Exchange organisation and for
// drafts, the usual fields are built from properties and the result carries
// [NoteHeadersMissing].
//
// Input is hostile. Work and output are bounded by [Limits]; what does not fit
// is left out with a note rather than refused, so that the rest can be judged.
//
// [MS-OXMSG]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxmsg
// [MS-OXTNEF]: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxtnef
package outlook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/sekisho/sekisho/eml/compound"
)

// Errors of [Convert] and [TNEF].
var (
	// ErrFormat says that the input is not of the format asked for, or so
	// damaged that nothing can be read from it.
	ErrFormat = errors.New("outlook: not an Outlook item")
	// ErrTooLarge says that the input is larger than [Limits.Bytes].
	ErrTooLarge = errors.New("outlook: larger than the limit")
)

// Default limits.
const (
	DefaultBytes       = 48 << 20
	DefaultDepth       = 8
	DefaultAttachments = 1000
)

// Limits bounds one conversion. A nil *Limits and zero fields mean the
// defaults.
type Limits struct {
	Bytes       int // largest input, and largest output, in bytes
	Depth       int // nesting of embedded messages; the outermost is 0
	Attachments int // attachments in all, embedded messages included
}

func (l *Limits) orDefault() Limits {
	var v Limits
	if l != nil {
		v = *l
	}
	if v.Bytes <= 0 {
		v.Bytes = DefaultBytes
	}
	if v.Depth <= 0 {
		v.Depth = DefaultDepth
	}
	if v.Attachments <= 0 {
		v.Attachments = DefaultAttachments
	}
	return v
}

// Note says what the message lacks or what had to be made up.
type Note string

// The notes.
const (
	NoteHeadersMissing Note = "headers-missing"         // no header block as received; fields are built from properties
	NoteBodyFromRTF    Note = "body-from-rtf"           // the body was only there as RTF
	NoteReference      Note = "attachment-by-reference" // an attachment is a link to a file elsewhere
	NoteLeftOut        Note = "left-out"                // something is over a limit; an attachment's part is then empty
	NoteTooDeep        Note = "too-deep"                // an embedded message is nested deeper than the limit
	NoteDamaged        Note = "damaged"                 // something could not be read or ends early
)

// Item is a converted Outlook item.
type Item struct {
	RFC822 []byte // the message, with CRLF line ends
	Notes  []Note // each at most once, in order of appearance
}

// IsMSG reports whether b is an Outlook item saved as .msg: a compound file
// that has the property stream of a message at its root ([MS-OXMSG] 2.4).
func IsMSG(b []byte) bool {
	c, err := compound.Open(b)
	if err != nil {
		return false
	}
	_, ok := c.Children(compound.Root)[propertyStream]
	return ok
}

// Convert rewrites an Outlook item saved as .msg into an RFC 5322 message. Text
// bodies become UTF-8, attachments MIME parts, and embedded messages parts of
// type message/rfc822. The error is [ErrFormat] or [ErrTooLarge], wrapped.
func Convert(b []byte, limits *Limits) (*Item, error) {
	c := newConverter(b, limits)
	if len(b) > c.limits.Bytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(b))
	}
	file, err := compound.Open(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if _, ok := file.Children(compound.Root)[propertyStream]; !ok {
		return nil, fmt.Errorf("%w: a compound file without the properties of a message", ErrFormat)
	}
	c.file = file
	c.writeMessage(c.readMessage(compound.Root, 0), 0)
	return &Item{RFC822: c.out.Bytes(), Notes: c.notes}, nil
}

// converter is the state of one conversion.
type converter struct {
	limits      Limits
	file        *compound.File // nil for TNEF
	unread      int            // bytes that may still be taken from streams
	attachments int            // attachments that may still be written
	tail        int            // bytes of closing lines still owed to open multiparts
	boundary    string         // start of every boundary
	boundaries  int            // boundaries made
	out         bytes.Buffer   // the message
	notes       []Note
}

func newConverter(b []byte, limits *Limits) *converter {
	l := limits.orDefault()
	// Boundaries hold a hash of the input, so that nobody can write an input
	// whose content, in a header block or a signed part that is copied as it
	// is, imitates a boundary.
	sum := sha256.Sum256(b)
	return &converter{
		limits: l,
		// Streams of a hostile compound file may share sectors and so add up
		// to more than the file; honest ones do not, and are read once.
		unread:      2 * l.Bytes,
		attachments: l.Attachments,
		boundary:    "=_" + hex.EncodeToString(sum[:12]) + "_",
	}
}

func (c *converter) note(n Note) {
	if !slices.Contains(c.notes, n) {
		c.notes = append(c.notes, n)
	}
}

// take asks for n bytes of input to be read.
func (c *converter) take(n int) bool {
	if n > c.unread {
		c.note(NoteLeftOut)
		return false
	}
	c.unread -= n
	return true
}
