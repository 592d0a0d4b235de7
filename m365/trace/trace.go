// Package trace reads message traces as they are exported from Microsoft 365,
// and decides from them what turning RejectDirectSend on would stop.
//
// Four kinds are read: what Get-MessageTrace and Get-MessageTraceV2 return, the
// enhanced summary and the extended report of the Exchange admin centre, and the
// table EmailEvents of Microsoft Defender's advanced hunting, as CSV or JSON.
// They differ in what they know. Only the extended report and EmailEvents name
// both the sender of the envelope (MAIL FROM) and the author (From); only some
// know the connector; none knows what was refused before it was accepted.
// [Knows] says it, and what is decided from a row says what it could not see.
//
// Such files are large and went through spreadsheets and other charsets. Rows
// are read one by one, however many there are, and a row that cannot be read is
// named with its line and the reason.
//
// Sources: https://learn.microsoft.com/exchange/monitoring/trace-an-email-message/message-trace-modern-eac,
// https://learn.microsoft.com/powershell/module/exchange/get-messagetracev2,
// https://learn.microsoft.com/defender-xdr/advanced-hunting-emailevents-table.
package trace

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// Format is what an export was recognised as.
type Format string

// The formats.
const (
	MessageTrace Format = "message-trace" // Get-MessageTrace, Get-MessageTraceV2, the list of the admin centre
	Summary      Format = "summary"       // enhanced summary
	Extended     Format = "extended"      // one row for each event of a message
	EmailEvents  Format = "email-events"  // advanced hunting
)

// Knows says which facts an export holds at all.
type Knows struct {
	MailFrom       bool // the sender of the envelope
	From           bool // the author
	Sender         bool // a sender of which the export does not say which of the two it is
	IP             bool
	Connector      bool
	Direction      bool
	Authentication bool
	NetworkID      bool
	Outcome        bool // what became of the mail
}

// Direction is which way a mail went.
type Direction string

// The directions.
const (
	DirectionUnknown Direction = ""
	Inbound          Direction = "inbound"
	Outbound         Direction = "outbound" // somebody of the organisation sent it, signed in
	Intra            Direction = "intra-org"
)

// Outcome is what became of a mail for a recipient.
type Outcome string

// The outcomes.
const (
	OutcomeUnknown Outcome = ""
	Delivered      Outcome = "delivered" // to the inbox or another folder
	Junked         Outcome = "junk"
	Quarantined    Outcome = "quarantine"
	Blocked        Outcome = "blocked" // not delivered
)

// Held reports whether a filter kept the mail from the inbox.
func (o Outcome) Held() bool { return o == Junked || o == Quarantined || o == Blocked }

// Recipient is who a mail went to.
type Recipient struct {
	Address string
	Outcome Outcome
}

// Authentication is what the receiving system found, in the words of RFC 8601;
// empty where the export does not say.
type Authentication struct {
	SPF, DKIM, DMARC, CompAuth string
}

// Row is one row of an export. Strings are as the export has them; addresses are
// lower case.
type Row struct {
	Line       int // in the file, from 1; for JSON the number of the object
	Time       time.Time
	MailFrom   string // without < >; empty if not known, or if Null
	Null       bool   // MAIL FROM is <>
	From       string
	Sender     string // see [Knows.Sender]
	Name       string // display name of the author
	Recipients []Recipient
	Subject    string
	IP         netip.Addr // of the server that handed the mail in; invalid if there is none
	Host       string     // how that server called itself or is called, unproven
	MessageID  string     // as in the mail, without < >
	NetworkID  string     // GUID in lower case; empty if it is none
	Direction  Direction
	Connector  string // by which the mail came; empty for none
	Authentication
	Event string // of an extended report, upper case: RECEIVE, DELIVER, ...
	Size  int
}

// Author returns the address that a reader sees as the sender, as far as the
// export knows it.
func (r *Row) Author() string {
	switch {
	case r.From != "":
		return r.From
	case r.Sender != "":
		return r.Sender
	}
	return r.MailFrom
}

// Reason is why a row is not read, or what of it was not understood.
type Reason string

// The reasons.
const (
	TooFewFields  Reason = "too-few-fields"
	TooManyFields Reason = "too-many-fields"
	TooLong       Reason = "too-long"
	NoSender      Reason = "no-sender"
	NotAnObject   Reason = "not-an-object" // of a JSON file
	TooManyRows   Reason = "too-many-rows"
	Unreadable    Reason = "unreadable"    // reading the file failed here
	BadDate       Reason = "bad-date"      // the row counts, without its time
	BadAddress    Reason = "bad-address"   // the row counts, without the IP address
	BrokenQuotes  Reason = "broken-quotes" // repaired; the row counts
	BadBytes      Reason = "bad-bytes"     // bytes that are of no charset were replaced; the row counts
)

// Lost reports whether the row is not read at all.
func (r Reason) Lost() bool {
	return r != BadDate && r != BadAddress && r != BrokenQuotes && r != BadBytes
}

// Problem is a row with a fault.
type Problem struct {
	Line   int
	Reason Reason
	Text   string // how the row begins
}

// Errors of [NewReader].
var (
	ErrEmpty    = errors.New("trace: the file is empty")
	ErrNoHeader = errors.New("trace: no line with known headings")
	ErrBinary   = errors.New("trace: not a text file")
	ErrJSON     = errors.New("trace: JSON of an unknown kind")
)

// Limits.
const (
	MaxRows    = 20_000_000
	maxColumns = 300
	maxRow     = 256 << 10 // bytes
	maxJoined  = 8         // lines of one row
	maxHead    = 30        // lines in which headings are looked for
	maxNamed   = 1000      // rows that are named for each reason; more are counted
	maxPeople  = 5000      // recipients of one row
)

// Options say what a file does not. A nil *Options has the defaults.
type Options struct {
	Location *time.Location // of times without a zone; nil is UTC, in which Microsoft 365 exports
	Keep     bool           // also rows of an extended report that are no RECEIVE or DELIVER event
}

// addressOf cleans an address.
func addressOf(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndexByte(s, '<'); i >= 0 && strings.HasSuffix(s, ">") {
		s = s[i+1 : len(s)-1]
	}
	return strings.ToLower(strings.Trim(s, "<> \t"))
}

// DomainOf returns what stands behind the last @ of an address, lower case and
// without a trailing dot.
func DomainOf(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(address[i+1:]), ".")
}

// guid returns a GUID in lower case with hyphens, or nothing. The reports of the
// admin centre write it without hyphens.
func guid(s string) string {
	s = strings.Trim(strings.TrimSpace(s), "{}")
	if len(s) != 32 && len(s) != 36 {
		return ""
	}
	var out [36]byte
	n := 0
	for i := range len(s) {
		c := s[i]
		if c == '-' {
			if len(s) != 36 || i != 8 && i != 13 && i != 18 && i != 23 {
				return ""
			}
			continue
		}
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') || n == 36 {
			return ""
		}
		if n == 8 || n == 13 || n == 18 || n == 23 {
			out[n] = '-'
			n++
		}
		if n == 36 {
			return ""
		}
		out[n] = c
		n++
	}
	if n != 36 {
		return ""
	}
	return string(out[:])
}

// clip shortens a row for people, at a rune.
func clip(s string) string {
	const most = 80
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// String is a problem in English, for logs and tests.
func (p Problem) String() string { return fmt.Sprintf("line %d: %s: %s", p.Line, p.Reason, p.Text) }
