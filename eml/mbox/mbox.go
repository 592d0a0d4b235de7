// Package mbox reads mailboxes in the mbox format (RFC 4155) message by
// message, in memory bounded by one message.
//
// A message begins after a separator line such as
//
//	From sato@kiso-works.example Fri Jul  8 12:08:34 2011
//
// that follows a blank line or begins the file. Only a line with a date at its
// end counts as one, since writers exist that leave a line of text such as
// "From here on we..." as it is.
//
// Lines that would look like separators are written with ">" in front. The
// variant mboxrd puts one more ">" before each line of the shape ">*From ", and
// the reader takes one away. The older mboxo quotes "From " alone, so there a
// line ">From " of the sender's own cannot be told from a quoted one; it is read
// as quoted, which is what it nearly always is. Either way the bytes of such a
// message may differ from what was signed. The Content-Length of mboxcl is not
// used: it is a header field that anybody can write.
package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// ErrTooLarge says that a message is larger than [Options.MaxMessage]. The
// reader goes on with the next message.
var ErrTooLarge = errors.New("mbox: message larger than the limit")

// ErrFormat says that the input does not begin with a separator line.
var ErrFormat = errors.New("mbox: no separator line at the start")

const (
	// DefaultMaxMessage is the size in bytes up to which messages are read.
	DefaultMaxMessage = 48 << 20

	bufferSize   = 64 << 10
	maxSeparator = 1 << 10 // longest separator line
	keep         = 1 << 20 // largest message buffer kept for the next one
)

// Options of [NewReader]. A nil *Options means the defaults.
type Options struct {
	MaxMessage int // bytes; 0 means [DefaultMaxMessage]
}

// Reader reads the messages of a mailbox.
type Reader struct {
	r       *bufio.Reader
	max     int
	buf     []byte
	started bool // the separator of the next message has been read
	err     error
}

// NewReader returns a reader of the mailbox r.
func NewReader(r io.Reader, opts *Options) *Reader {
	m := &Reader{r: bufio.NewReaderSize(r, bufferSize), max: DefaultMaxMessage}
	if opts != nil && opts.MaxMessage > 0 {
		m.max = opts.MaxMessage
	}
	return m
}

// Is reports whether b, the start of a file, is that of a mailbox. Blank lines
// at the start are skipped.
func Is(b []byte) bool {
	b = bytes.TrimLeft(b, "\r\n")
	line, _, _ := bytes.Cut(b[:min(len(b), maxSeparator)], []byte("\n"))
	return isSeparator(line)
}

// Next returns the next message without its separator line and without the
// blank line that the format puts behind each message. The slice is the
// caller's to keep. The error is [io.EOF] after the last message, and
// [ErrTooLarge], wrapped, for a message that was skipped because of its size;
// any other is final.
func (m *Reader) Next() ([]byte, error) {
	if m.err != nil {
		return nil, m.err
	}
	if !m.started {
		if m.err = m.start(); m.err != nil {
			return nil, m.err
		}
	}
	m.started = false
	buf, size := m.buf[:0], 0
	lineStart, afterBlank := true, false
	for {
		part, err := m.r.ReadSlice('\n')
		more := errors.Is(err, bufio.ErrBufferFull)
		whole := lineStart && !more
		if whole && afterBlank && isSeparator(part) {
			m.started = true
			break
		}
		afterBlank = whole && len(bytes.TrimRight(part, "\r\n")) == 0
		if lineStart && isQuoted(part) {
			part = part[1:]
		}
		size += len(part)
		if size <= m.max {
			buf = append(buf, part...)
		} else {
			buf = buf[:0]
		}
		lineStart = err == nil
		if err != nil && !more {
			m.err = err
			break
		}
	}
	if m.err != nil && !errors.Is(m.err, io.EOF) {
		return nil, m.err
	}
	if size > m.max {
		m.buf = nil
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, size)
	}
	if rest, ok := bytes.CutSuffix(buf, []byte("\n")); ok {
		rest = bytes.TrimSuffix(rest, []byte("\r"))
		if len(rest) == 0 || rest[len(rest)-1] == '\n' {
			buf = rest
		}
	}
	if len(buf) > keep {
		m.buf = nil
		return slices.Clip(buf), nil
	}
	m.buf = buf
	return bytes.Clone(buf), nil
}

// start reads up to the first separator line.
func (m *Reader) start() error {
	for {
		line, err := m.r.ReadSlice('\n')
		switch {
		case isSeparator(line):
			return nil
		case errors.Is(err, io.EOF) && len(line) == 0:
			return io.EOF
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return err
		case len(bytes.TrimRight(line, "\r\n")) > 0:
			return ErrFormat
		}
	}
}

// isQuoted reports whether line is ">", any number of times, before "From ".
func isQuoted(line []byte) bool {
	return len(line) > 0 && line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From "))
}

// isSeparator reports whether line is "From ", a sender and a date. The date is
// that of asctime (RFC 4155 appendix A), with the additions found in the wild:
// a time zone before or after the year, no seconds, "remote from HOST" at the
// end, or an ISO 8601 date instead. The sender may be anything, even nothing.
func isSeparator(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok || len(line) > maxSeparator {
		return false
	}
	words := strings.Fields(string(rest))
	for i := range words {
		if isDate(words[i:]) {
			return true
		}
	}
	return false
}

// isDate reports whether words are a date and nothing else.
func isDate(words []string) bool {
	if isISODate(words[0]) {
		words = words[1:]
		if len(words) > 0 && isClock(words[0]) {
			words = words[1:]
		}
		return len(words) == 0 || len(words) == 1 && isZone(words[0])
	}
	if len(words) < 5 || !isOneOf(words[0], weekdays) || !isOneOf(words[1], months) || !isNumber(words[2], 1, 31) || !isClock(words[3]) {
		return false
	}
	words = words[4:]
	year := false
	for i := 0; i < len(words) && i < 3; i++ {
		switch {
		case !year && isNumber(words[i], 1970, 9999):
			year = true
		case isZone(words[i]):
		default:
			return year && words[i] == "remote" && i+1 < len(words) && words[i+1] == "from"
		}
	}
	return year && len(words) <= 3
}

const (
	weekdays = "Mon Tue Wed Thu Fri Sat Sun"
	months   = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
)

// isOneOf reports whether word is one of the three-letter names in list.
func isOneOf(word, list string) bool {
	return len(word) == 3 && strings.Index(list, word)%4 == 0
}

func isNumber(s string, low, high int) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && int(n) >= low && int(n) <= high
}

// isClock reports whether s is a time of day, with seconds or without.
func isClock(s string) bool {
	fields := strings.Split(s, ":")
	if len(fields) < 2 || len(fields) > 3 {
		return false
	}
	for _, f := range fields {
		if len(f) > 2 || !isNumber(f, 0, 60) {
			return false
		}
	}
	return true
}

// isZone reports whether s is an offset such as +0900 or a name such as JST.
func isZone(s string) bool {
	if s[0] == '+' || s[0] == '-' {
		return len(s) == 5 && isNumber(s[1:], 0, 9999)
	}
	if len(s) > 5 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// isISODate reports whether s begins like 2011-07-08, alone or with a time.
func isISODate(s string) bool {
	return len(s) >= 10 && s[4] == '-' && s[7] == '-' && (len(s) == 10 || s[10] == 'T') &&
		isNumber(s[:4], 1970, 9999) && isNumber(s[5:7], 1, 12) && isNumber(s[8:10], 1, 31)
}
