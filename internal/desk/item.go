package desk

import "net/netip"

// Item is one message handed to the desk, or the reason why an input gave
// none.
type Item struct {
	File  string // the input as the user named it; members of archives as "a.zip!b.eml"
	Index int    // 1-based position in a mailbox; 0 where the file is one message
	Raw   []byte // the message in RFC 5322 form
	Form  Form   // what the input was before it was brought into that form
	Err   error  // a *Error where the input could not be read; Raw is then nil

	// Handover is what the server saw that took the message from its sender's
	// server; nil where that is read from the header.
	Handover *Handover
}

// Handover is who handed a message in by SMTP.
type Handover struct {
	IP       netip.Addr `json:"ip,omitzero"`
	HELO     string     `json:"helo,omitempty"`
	MailFrom string     `json:"mail_from,omitempty"` // "" for the null sender

	// StampAs is the authserv-id under which [Verdict.Stamp] is written; "" writes
	// none.
	StampAs string `json:"-"`
}

// Form is what an input was.
type Form string

// The forms of input.
const (
	FormMessage Form = "message" // RFC 5322, byte for byte as received
	FormHeader  Form = "header"  // a header block alone, as pasted from a mail program
	FormOutlook Form = "msg"     // an Outlook item, rewritten into RFC 5322
)
