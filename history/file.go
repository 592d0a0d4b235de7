package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// FileSchema names the shape of the file in its first line.
const FileSchema = "sekisho.history-file/v1"

const (
	// MaxFile is the size of a file in bytes at the most.
	MaxFile   = 512 << 20
	maxLine   = 16 << 20
	maxEvents = 16_000_000
)

// ErrNoHistory means that what is read is no file of a history at all.
var ErrNoHistory = errors.New("history: this is no file of a history")

type fileHead struct {
	Schema string `json:"schema"`
	Sent   bool   `json:"sent"` // sent mail was read
}

// fileLine is an address with its messages, each as "UNIXTIME:ID".
type fileLine struct {
	Address   string `json:"address"`
	Inbound   string `json:"inbound,omitempty"`
	Outbound  string `json:"outbound,omitempty"`
	Forged    string `json:"forged,omitempty"`
	Benign    string `json:"benign,omitempty"`
	Malicious string `json:"malicious,omitempty"`
}

// Encode writes a book: JSON lines, a head and then one for each address, in
// their order.
func (b *Book) Encode(w io.Writer) error {
	out := bufio.NewWriter(w)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(fileHead{FileSchema, b.sent}); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	for _, addr := range slices.Sorted(maps.Keys(b.addresses)) {
		r := b.addresses[addr]
		if err := e.Encode(fileLine{addr, joined(r.in), joined(r.out), joined(r.forged), joined(r.good), joined(r.bad)}); err != nil {
			return fmt.Errorf("writing the history: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the history: %w", err)
	}
	return nil
}

func joined(list []event) string {
	var b []byte
	for i, e := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, e.at, 10)
		b = append(b, ':')
		b = strconv.AppendUint(b, uint64(e.id), 16)
	}
	return string(b)
}

// IsFile reports whether data begins as [Book.Encode] writes.
func IsFile(data []byte) bool {
	return bytes.HasPrefix(data, []byte(`{"schema":"`+FileSchema+`"`))
}

// Decode reads what [Book.Encode] wrote. The error is [ErrNoHistory], or names
// the line that is damaged: with half of a history, old acquaintances would
// look new.
func Decode(r io.Reader) (*Book, error) {
	in := bufio.NewScanner(io.LimitReader(r, MaxFile))
	in.Buffer(nil, maxLine)
	if !in.Scan() || !IsFile(in.Bytes()) {
		return nil, ErrNoHistory
	}
	var head fileHead
	if err := json.Unmarshal(in.Bytes(), &head); err != nil {
		return nil, ErrNoHistory
	}
	b := &Builder{records: map[string]*record{}, sent: head.Sent}
	events := 0
	for n := 2; in.Scan(); n++ {
		var l fileLine
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
		if err := b.take(l, &events); err != nil {
			return nil, fmt.Errorf("history: line %d: %w", n, err)
		}
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return b.Book(), nil
}

func (b *Builder) take(l fileLine, events *int) error {
	if !strings.Contains(l.Address, "@") || len(l.Address) > maxAddress || l.Address != strings.ToLower(l.Address) {
		return fmt.Errorf("%.40q is no address", l.Address)
	}
	if b.records[l.Address] != nil {
		return fmt.Errorf("%s stands there twice", l.Address)
	}
	if len(b.records) >= MaxAddresses {
		return errors.New("too many addresses")
	}
	r := &record{packed: true}
	for _, f := range []struct {
		text string
		list *[]event
	}{{l.Inbound, &r.in}, {l.Outbound, &r.out}, {l.Forged, &r.forged}, {l.Benign, &r.good}, {l.Malicious, &r.bad}} {
		for s := range strings.FieldsSeq(f.text) {
			at, id, _ := strings.Cut(s, ":")
			t, err := strconv.ParseInt(at, 10, 64)
			n, err2 := strconv.ParseUint(id, 16, 64)
			if err := errors.Join(err, err2); err != nil || t < earliest.Unix() || n == 0 {
				return fmt.Errorf("%.40q is no message", s)
			}
			if *events++; *events > maxEvents {
				return errors.New("too many messages")
			}
			e := event{t, ID(n)}
			if had := len(*f.list); had > 0 && byTime((*f.list)[had-1], e) >= 0 {
				r.packed = false
			}
			*f.list = append(*f.list, e)
		}
		*f.list = slices.Clip(*f.list)
	}
	b.records[l.Address] = r
	return nil
}
