// Package list reads the files in which the lists of the Message Query Language
// are published: plain text with one entry a line, comma-separated values with
// a rank, and the manifest that says which file is which list. The shapes are
// those of https://github.com/sublime-security/static-files.
//
// Reading is tolerant of what such files have (blank lines, comments, a byte
// order mark) and bounded in size, entries and length of an entry. A line that
// cannot be an entry is left out and counted.
package list

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/domain"
)

// The limits of one file.
const (
	MaxSize    = 128 << 20 // bytes
	MaxEntries = 4_000_000
	maxEntry   = 2_000 // bytes, which is what the language's own server allows
	maxColumns = 64
)

// ErrTooMuch means that a file is over [MaxSize] or has more than [MaxEntries]
// entries.
var ErrTooMuch = errors.New("list: too many entries")

// Kind is how a file is written.
type Kind string

// The kinds of files.
const (
	Text Kind = "txt" // one entry a line; "#" begins a comment
	CSV  Kind = "csv" // comma-separated values (RFC 4180)
)

// File says how to read a file.
type File struct {
	Kind Kind
	// Columns names the columns of a CSV without a header line. The column
	// "entry" has the entries; without one, "domain", and else the last. If
	// Columns is empty, the first line may name them.
	Columns []string
	// Hosts says that the entries are names of hosts, which are compared in
	// small letters.
	Hosts bool
}

// Content is what a file holds.
type Content struct {
	Entries []string // in the order of the file, as often as they stand there
	Skipped int      // lines that cannot be an entry
}

// Parse reads a file. The error is [ErrTooMuch], or says that data is no text
// or no CSV.
func Parse(data []byte, f File) (*Content, error) {
	if len(data) > MaxSize {
		return nil, ErrTooMuch
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return nil, errors.New("list: the file is no text in UTF-8")
	}
	// One string for all entries: a million strings of their own take twice
	// the memory.
	text := string(data)
	c := &collector{hosts: f.Hosts}
	c.out.Entries = make([]string, 0, min(strings.Count(text, "\n")+1, MaxEntries))
	var err error
	if f.Kind == CSV {
		err = c.csv(text, f.Columns)
	} else {
		err = c.text(text)
	}
	if err != nil {
		return nil, err
	}
	return &c.out, nil
}

type collector struct {
	hosts bool
	out   Content
}

// add takes one entry.
func (c *collector) add(s string) error {
	s = strings.TrimSpace(s)
	if len(s) > maxEntry {
		c.out.Skipped++
		return nil
	}
	if c.hosts {
		s = strings.TrimSpace(host(s))
	}
	if s == "" {
		return nil
	}
	if len(c.out.Entries) == MaxEntries {
		return ErrTooMuch
	}
	c.out.Entries = append(c.out.Entries, s)
	return nil
}

// host writes a name as the data model of a message does: in small letters and
// A-labels. What is no name stays as it is, since a list may hold what only
// looks like one.
func host(s string) string {
	plain := true
	for i := range len(s) {
		if b := s[i]; b >= utf8.RuneSelf || 'A' <= b && b <= 'Z' {
			plain = false
			break
		}
	}
	if plain {
		return strings.TrimSuffix(s, ".")
	}
	if n, err := domain.Parse(s); err == nil {
		return string(n)
	}
	return strings.ToLower(s)
}

func (c *collector) text(text string) error {
	for line := range strings.Lines(text) {
		// A "#" within an entry is part of it: lists of subjects have some.
		if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			continue
		}
		if err := c.add(line); err != nil {
			return err
		}
	}
	return nil
}

// csv reads comma-separated values. Without quotes, which hardly any such list
// has, lines are cut at commas without copying.
func (c *collector) csv(text string, columns []string) error {
	if strings.IndexByte(text, '"') >= 0 {
		return c.quoted(text, columns)
	}
	at, first := column(columns), true
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if first {
			first = false
			names := strings.SplitN(line, ",", maxColumns)
			if i := named(names); i >= 0 {
				at = i
				continue
			}
		}
		s, ok := cut(line, at)
		if !ok {
			c.out.Skipped++
			continue
		}
		if err := c.add(s); err != nil {
			return err
		}
	}
	return nil
}

// cut returns the field at a place of a line, or the last for a place below
// zero.
func cut(line string, at int) (string, bool) {
	if at < 0 {
		return line[strings.LastIndexByte(line, ',')+1:], true
	}
	for range at {
		i := strings.IndexByte(line, ',')
		if i < 0 {
			return "", false
		}
		line = line[i+1:]
	}
	s, _, _ := strings.Cut(line, ",")
	return s, true
}

func (c *collector) quoted(text string, columns []string) error {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.ReuseRecord, r.Comment = -1, true, '#'
	at, first := column(columns), true
	for {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("list: reading CSV: %w", err)
		}
		if first {
			first = false
			if i := named(record); i >= 0 {
				at = i
				continue
			}
		}
		i := at
		if i < 0 {
			i = len(record) - 1
		}
		if i >= len(record) {
			c.out.Skipped++
			continue
		}
		if err := c.add(record[i]); err != nil {
			return err
		}
	}
}

// entryColumns are the names of the column with the entries, in capital or
// small letters, the best first.
func entryColumns() []string { return []string{"entry", "domain"} }

// named returns the column that a header line names as the one with the
// entries, -1 if the line is none.
func named(header []string) int {
	for _, want := range entryColumns() {
		if i := slices.IndexFunc(header, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), want) }); i >= 0 {
			return i
		}
	}
	return -1
}

// column returns the place of the entries in columns that a manifest names, -1
// for the last.
func column(columns []string) int { return named(columns) }
