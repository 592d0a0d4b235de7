// Package inventory reads lists of devices and software: the device export of
// Intune in Japanese and English, tables with vendor, product and version, rows
// of firmware, the JSON that winget exports, and managedDevices of Microsoft
// Graph.
//
// What a file is, its content tells. Such files went through spreadsheets, other
// charsets and hands, so the reader is tolerant, and no row is lost in silence:
// each is an entry, or is named with its line and the reason.
package inventory

import (
	"errors"
	"fmt"
	"time"
)

// Format is what a file was recognised as.
type Format string

// The formats.
const (
	DeviceCSV   Format = "devices"  // a table with operating systems, such as Intune's export
	SoftwareCSV Format = "software" // a table with products and versions
	FirmwareCSV Format = "firmware" // a table with models and firmware versions
	Winget      Format = "winget"   // winget export, or Get-WinGetPackage as JSON
	Graph       Format = "graph"    // managedDevices of Microsoft Graph
	Mixed       Format = "mixed"    // a table with operating systems and products
	Unknown     Format = "unknown"  // none of them
)

// Kind is what an entry is.
type Kind string

// The kinds.
const (
	System   Kind = "system"   // the operating system of a device
	Software Kind = "software" // a program
	Firmware Kind = "firmware" // of a router, a store, a printer
)

// Entry is one thing with a version.
type Entry struct {
	Line    int // in the file, from 1
	Kind    Kind
	Device  string
	User    string // who mainly uses the device, as the file has it
	Vendor  string
	Product string // an operating system, a program, a model
	ID      string // of a package
	Version string
	Edition string // of Windows, as the file words it
	Channel string // of updates, as the file words it

	LastSeen    time.Time // when the device last reported; zero if the file does not say
	LastStarted time.Time // when the program was last started
	Hotpatch    string    // "yes" or "no" if the file says whether the device gets hotpatches
	Exposed     string    // "yes" or "no" if it says whether the device can be reached from the Internet
}

// Unread is a row that is no entry.
type Unread struct {
	Line   int
	Reason Reason
	Text   string // how it begins
}

// Reason is why a row is no entry, or what of an entry was not understood.
type Reason string

// The reasons.
const (
	TooFewFields  Reason = "too-few-fields"
	TooManyFields Reason = "too-many-fields"
	TooLong       Reason = "too-long"     // a field or a row longer than any real one
	NoProduct     Reason = "no-product"   // neither a product nor a device
	NotAnObject   Reason = "not-an-entry" // of a JSON file
	TooManyRows   Reason = "too-many-rows"
	BadDate       Reason = "bad-date"      // the entry counts, its date does not
	BrokenQuotes  Reason = "broken-quotes" // repaired; the entry counts
	NoVersion     Reason = "no-version"    // the entry counts
	BadBytes      Reason = "bad-bytes"     // bytes that are not of the charset were replaced; the entry counts
)

// Inventory is a file that was read.
type Inventory struct {
	Format    Format
	Charset   string // "utf-8", "utf-16le", "utf-16be", "shift_jis"
	Separator string // of a table
	Entries   []Entry
	Unread    []Unread
	Doubts    []Unread // entries of which something was not understood
	Ignored   []string // headings of columns that are of no use here
	Preamble  int      // lines before the headings
	Sources   bool     // of winget: packages without a source are missing from its export
}

// Errors of [Read].
var (
	ErrEmpty    = errors.New("inventory: the file is empty")
	ErrTooLarge = fmt.Errorf("inventory: more than %d MiB", MaxBytes>>20)
	ErrNoHeader = errors.New("inventory: no line with known headings")
	ErrBinary   = errors.New("inventory: not a text file")
	ErrJSON     = errors.New("inventory: JSON of an unknown kind")
)

// Limits.
const (
	MaxBytes   = 128 << 20
	MaxRows    = 1_000_000
	maxColumns = 300
	maxCell    = 4 << 10  // bytes
	maxRow     = 64 << 10 // bytes
	maxJoined  = 8        // lines of one row
	maxHead    = 30       // lines in which headings are looked for
	maxNamed   = 10_000   // rows that are named; the rest is one entry more
)

// Options say what a file does not. A nil *Options knows nothing.
type Options struct {
	Location *time.Location // of times without a zone; nil is UTC
	Device   string         // whose packages a winget export lists
}

func (o *Options) location() *time.Location {
	if o == nil || o.Location == nil {
		return time.UTC
	}
	return o.Location
}

// Read reads an inventory.
func Read(data []byte, o *Options) (*Inventory, error) {
	if len(data) > MaxBytes {
		return nil, ErrTooLarge
	}
	text, charset, err := decode(data)
	if err != nil {
		return nil, err
	}
	inv := &Inventory{Charset: charset}
	r := reader{inv: inv, o: o}
	switch first(text) {
	case 0:
		return nil, ErrEmpty
	case '{', '[':
		err = r.json(text)
	default:
		err = r.table(text)
	}
	if err != nil {
		return nil, err
	}
	return inv, nil
}

type reader struct {
	inv *Inventory
	o   *Options
}

func (r *reader) unread(line int, why Reason, text string) {
	if len(r.inv.Unread) < maxNamed {
		r.inv.Unread = append(r.inv.Unread, Unread{line, why, clip(text)})
	}
}

func (r *reader) doubt(line int, why Reason, text string) {
	if len(r.inv.Doubts) < maxNamed {
		r.inv.Doubts = append(r.inv.Doubts, Unread{line, why, clip(text)})
	}
}

// add keeps an entry that has what it needs.
func (r *reader) add(e Entry, text string) {
	if e.Product == "" && e.ID == "" {
		r.unread(e.Line, NoProduct, text)
		return
	}
	if e.Version == "" {
		r.doubt(e.Line, NoVersion, text)
	}
	r.inv.Entries = append(r.inv.Entries, e)
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
