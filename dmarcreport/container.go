package dmarcreport

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/eml/mbox"
	"github.com/sekisho/sekisho/eml/outlook"
	"github.com/sekisho/sekisho/extract/archive"
)

// The reasons for which a file, or something in it, gives no report.
var (
	ErrEmpty     = errors.New("dmarcreport: empty")
	ErrUnknown   = errors.New("dmarcreport: neither a report nor something that reports are packed in")
	ErrNoReport  = errors.New("dmarcreport: no report in it")
	ErrTooLarge  = errors.New("dmarcreport: too large")
	ErrBomb      = errors.New("dmarcreport: unpacks to far more than a report would")
	ErrDepth     = errors.New("dmarcreport: packed too many times over")
	ErrEntries   = errors.New("dmarcreport: too many files packed into one")
	ErrEncrypted = errors.New("dmarcreport: a password is needed")
	ErrDamaged   = errors.New("dmarcreport: damaged file")
)

// Limits bounds what is read of one file, or of one message of a mailbox. Zero
// fields and a nil *Limits mean the defaults.
type Limits struct {
	File    int // bytes of a file that is not a mailbox; 64 MiB
	Entry   int // bytes that one packed file may unpack to; 50 MiB
	Total   int // bytes that all of them may; 256 MiB
	Entries int // packed files and attached ones; 2,000
	Depth   int // of archives in archives; 2
	Nested  int // of messages in messages; 4
}

// The ratio of unpacked to packed size that no report reaches, and the bytes up
// to which it is not looked at. DEFLATE can do 1,032.
const (
	maxRatio  = 250
	freeBytes = 8 << 20
)

func (l *Limits) orDefault() Limits {
	var out Limits
	if l != nil {
		out = *l
	}
	for _, x := range []struct {
		field *int
		value int
	}{{&out.File, 64 << 20}, {&out.Entry, 50 << 20}, {&out.Total, 256 << 20}, {&out.Entries, 2000}, {&out.Depth, 2}, {&out.Nested, 4}} {
		if *x.field <= 0 {
			*x.field = x.value
		}
	}
	return out
}

// Found is a report in a file, or why there is none. Mail may be used until the
// next Found is asked for; the reports may be kept.
type Found struct {
	Where string // path inside of the file, its steps set apart by "!"; empty for the file itself
	Index int    // 1-based message of a mailbox; 0 if the file is none

	Aggregate *Aggregate
	Failure   *Failure
	TLS       *TLS
	Err       error // why there is none

	Hash [sha256.Size]byte // of the report as written, unpacked
	Mail *eml.Message      // that the report is attached to; nil for a bare file
}

// Reader finds reports in files: XML and JSON, packed with ZIP, gzip, zlib or tar,
// attached to messages (RFC 5322 and those that Outlook saved), in mailboxes. What
// a file is is told by its content alone. A Reader keeps its buffers from file to
// file and is not safe for concurrent use.
type Reader struct {
	limits  Limits
	in      *bufio.Reader
	file    []byte   // the content of the file
	packed  [][]byte // what was unpacked, by depth
	gzip    *gzip.Reader
	section bytes.Reader
	xml     reader
}

// NewReader returns a Reader with limits, which may be nil.
func NewReader(limits *Limits) *Reader {
	r := &Reader{limits: limits.orDefault(), in: bufio.NewReaderSize(nil, 64<<10)}
	r.packed = make([][]byte, r.limits.Depth+1)
	return r
}

// Read returns what is found in a file. Something is always found: there is an
// error in place of a report that should be there.
func (r *Reader) Read(file io.Reader) iter.Seq[Found] {
	return func(yield func(Found) bool) {
		r.in.Reset(file)
		j := &job{r: r, yield: yield}
		head, err := r.in.Peek(4 << 10)
		if err != nil && !errors.Is(err, io.EOF) {
			j.fail("", err)
			return
		}
		switch k := sniff(head); k {
		case kindMbox:
			j.mbox("", r.in)
			return
		case kindUnknown:
			j.fail("", ErrUnknown)
			return
		default:
		}
		if f, ok := file.(fs.File); ok {
			// What is too large need not be read first.
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > int64(r.limits.File) {
				j.fail("", ErrTooLarge)
				return
			}
		}
		data, err := readInto(r.file[:0], r.in, r.limits.File, nil)
		r.file = keepBuffer(data)
		if err != nil {
			j.fail("", err)
			return
		}
		j.read(source{data: data})
	}
}

// keepBuffer is what is kept of a buffer for the next file: one file that was
// large is no reason to hold its memory.
func keepBuffer(b []byte) []byte {
	if cap(b) > freeBytes {
		return nil
	}
	return b[:0]
}

// readInto reads r to its end into buf. The error is [ErrTooLarge] if there is
// more than limit, and [ErrBomb] if what was read so far is far more than used
// says went in; used may be nil.
func readInto(buf []byte, r io.Reader, limit int, used func() int) ([]byte, error) {
	if cap(buf) == 0 {
		buf = make([]byte, 0, 64<<10)
	}
	for {
		if len(buf) == cap(buf) {
			// Never more than what may come, and a byte to see that more does.
			grown := make([]byte, len(buf), min(2*cap(buf), max(limit, len(buf))+1))
			copy(grown, buf)
			buf = grown
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > limit:
			return buf[:limit], ErrTooLarge
		case used != nil && len(buf) > freeBytes && len(buf)/maxRatio > used():
			return buf, ErrBomb
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// format is what a file is by its content.
type format uint8

const (
	kindUnknown format = iota
	kindEmpty
	kindXML
	kindJSON
	kindGzip
	kindZlib
	kindZIP
	kindTar
	kindMbox
	kindOutlook
	kindTNEF
	kindMail
)

// sniff tells what a file is by its beginning.
func sniff(b []byte) format {
	text := bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(text) == 0:
		return kindEmpty
	case text[0] == '<', bytes.HasPrefix(b, []byte("\xff\xfe<\x00")), bytes.HasPrefix(b, []byte("\xfe\xff\x00<")), bytes.HasPrefix(b, []byte("<\x00")), bytes.HasPrefix(b, []byte("\x00<")):
		return kindXML
	case text[0] == '{':
		return kindJSON
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return kindGzip
	case bytes.HasPrefix(b, []byte("PK\x03\x04")), bytes.HasPrefix(b, []byte("PK\x05\x06")), bytes.HasPrefix(b, []byte("PK00PK\x03\x04")):
		return kindZIP
	case len(b) > 2 && b[0] == 0x78 && (b[1] == 0x01 || b[1] == 0x9c || b[1] == 0xda):
		return kindZlib
	case len(b) >= 262 && string(b[257:262]) == "ustar":
		return kindTar
	case bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return kindOutlook
	case outlook.IsTNEF(b):
		return kindTNEF
	case mbox.Is(b):
		return kindMbox
	case isMail(text):
		return kindMail
	}
	return kindUnknown
}

// isMail reports whether a text begins like a message: with a header that has a
// field of mail.
func isMail(b []byte) bool {
	known := false
	for n := 0; n < 200 && len(b) > 0; n++ {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line = b[:i]
			b = b[i+1:]
		} else {
			b = nil
		}
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			break
		}
		if n > 0 && (line[0] == ' ' || line[0] == '\t') {
			continue
		}
		i := bytes.IndexByte(line, ':')
		if i <= 0 || bytes.ContainsAny(line[:i], " \t\"{<") {
			return known && n > 3
		}
		switch strings.ToLower(string(line[:min(i, 40)])) {
		case "from", "to", "date", "subject", "received", "return-path", "message-id", "mime-version", "content-type", "delivered-to", "dkim-signature":
			known = true
		}
	}
	return known
}

// source is something that may be a report or hold some.
type source struct {
	where string
	data  []byte
	mail  *eml.Message // that it is attached to
	depth int          // of archives around it
	nest  int          // of messages around it
	worn  bool         // the archive around it is damaged
	quiet bool         // nothing is said if it is no report
}

// job is the reading of one file.
type job struct {
	r       *Reader
	yield   func(Found) bool
	index   int
	total   int // bytes unpacked
	entries int
	found   int // reports, and errors told
	stopped bool
}

func (j *job) emit(f Found) {
	if !j.stopped {
		j.found++
		f.Index = j.index
		j.stopped = !j.yield(f)
	}
}

func (j *job) fail(where string, err error) { j.emit(Found{Where: where, Err: err}) }

func (j *job) refuse(s source, err error) { j.emit(Found{Where: s.where, Err: err, Mail: s.mail}) }

func (j *job) read(s source) {
	if j.stopped {
		return
	}
	if j.entries++; j.entries > j.r.limits.Entries {
		j.refuse(s, ErrEntries)
		j.stopped = true
		return
	}
	switch sniff(s.data) {
	case kindXML:
		j.aggregate(s)
	case kindJSON:
		t, err := ParseTLS(s.data)
		if err != nil {
			if !s.quiet {
				j.refuse(s, err)
			}
			return
		}
		j.emit(Found{Where: s.where, TLS: t, Hash: sha256.Sum256(s.data), Mail: s.mail})
	case kindGzip, kindZlib:
		j.stream(s)
	case kindZIP:
		j.archive(s, archive.ZIP)
	case kindTar:
		j.archive(s, archive.Tar)
	case kindMbox:
		j.mbox(s.where, bytes.NewReader(s.data))
	case kindOutlook:
		item, err := outlook.Convert(s.data, nil)
		j.item(s, item, err)
	case kindTNEF:
		item, err := outlook.TNEF(s.data, nil)
		j.item(s, item, err)
	case kindMail:
		j.message(s.where, eml.Parse(s.data, nil), s.depth, s.nest)
	case kindEmpty:
		if !s.quiet {
			j.refuse(s, ErrEmpty)
		}
	case kindUnknown:
		if !s.quiet {
			j.refuse(s, ErrUnknown)
		}
	}
}

func (j *job) aggregate(s source) {
	a, err := j.r.xml.parse(s.data)
	if err != nil {
		if !s.quiet || !errors.Is(err, ErrNotReport) {
			j.refuse(s, err)
		}
		return
	}
	if s.worn {
		a.fault(FaultContainer, "")
	}
	j.emit(Found{Where: s.where, Aggregate: a, Hash: sha256.Sum256(s.data), Mail: s.mail})
}

// room is how many bytes the next packed file may unpack to.
func (j *job) room() int { return min(j.r.limits.Entry, j.r.limits.Total-j.total) }

// stream unpacks gzip (RFC 1952), all members of it, and zlib (RFC 1950). What
// came out before a damage is read: it may be all there was.
func (j *job) stream(s source) {
	if s.depth >= j.r.limits.Depth {
		j.refuse(s, ErrDepth)
		return
	}
	r := j.r
	var z io.Reader
	var err error
	r.section.Reset(s.data)
	switch {
	case s.data[0] == 0x78:
		z, err = zlib.NewReader(&r.section)
	case r.gzip == nil:
		r.gzip, err = gzip.NewReader(&r.section)
		z = r.gzip
	default:
		err = r.gzip.Reset(&r.section)
		z = r.gzip
	}
	if err != nil {
		j.refuse(s, ErrDamaged)
		return
	}
	buf := r.packed[s.depth]
	if buf == nil {
		buf = make([]byte, 0, 64<<10)
	}
	// What begins like nothing that is read need not be unpacked.
	n, err := io.ReadFull(z, buf[:4<<10])
	buf = buf[:n]
	if n > 0 && sniff(buf) == kindUnknown {
		if !s.quiet {
			j.refuse(s, ErrUnknown)
		}
		return
	}
	if err == nil {
		buf, err = readInto(buf, z, j.room(), func() int { return len(s.data) - r.section.Len() })
	} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && whole(z) {
		err = nil
	}
	if err == nil && len(buf) > j.room() {
		err = ErrTooLarge
	}
	r.packed[s.depth] = keepBuffer(buf)
	j.total += len(buf)
	in := source{where: s.where, data: buf, mail: s.mail, depth: s.depth + 1, nest: s.nest, quiet: s.quiet}
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrBomb):
		j.refuse(s, err)
		return
	case errors.Is(err, gzip.ErrHeader) && len(buf) > 0:
		// Zeros or other padding behind the last member.
	case err != nil && len(buf) == 0:
		j.refuse(s, ErrDamaged)
		return
	case err != nil:
		in.worn = true
	}
	j.read(in)
}

// whole reports whether a stream ended where it should: ReadFull says the same
// of one that is short and of one that is cut off.
func whole(z io.Reader) bool {
	var one [1]byte
	_, err := z.Read(one[:])
	return errors.Is(err, io.EOF)
}

// archive reads the files in an archive.
func (j *job) archive(s source, f archive.Format) {
	if s.depth >= j.r.limits.Depth {
		j.refuse(s, ErrDepth)
		return
	}
	a, err := archive.Read(s.data, f, nil)
	if err != nil {
		j.refuse(s, ErrDamaged)
		return
	}
	before := j.found
	files := 0
	for i := range a.Entries {
		if j.stopped {
			return
		}
		e := &a.Entries[i]
		if e.Folder || e.Link || bookkeeping(e.Name) {
			continue
		}
		files++
		in := source{where: join(s.where, e.Name), mail: s.mail, depth: s.depth + 1, nest: s.nest}
		if e.Encrypted {
			j.refuse(in, ErrEncrypted)
			continue
		}
		switch room := int64(j.room()); {
		case room <= 0:
			j.refuse(in, ErrTooLarge)
			return
		case e.Size > freeBytes && e.Size/maxRatio > min(e.Packed, int64(len(s.data))):
			// It says so itself; one that lies costs no more than Entry.
			j.refuse(in, ErrBomb)
			continue
		}
		in.data, err = e.Content(j.room(), nil)
		j.total += len(in.data)
		switch {
		case errors.Is(err, archive.ErrLimit):
			j.refuse(in, ErrTooLarge)
			continue
		case err != nil && len(in.data) == 0:
			j.refuse(in, ErrDamaged)
			continue
		}
		in.worn = err != nil
		// A read-me beside the reports is none of them.
		in.quiet = sniff(in.data[:min(len(in.data), 4<<10)]) == kindUnknown
		j.read(in)
	}
	switch {
	case a.Truncated:
		j.refuse(s, ErrEntries)
	case j.found == before && files == 0:
		j.refuse(s, ErrEmpty)
	case j.found == before && !s.quiet:
		j.refuse(s, ErrNoReport)
	}
}

// bookkeeping reports whether a file of an archive was put there by a program
// for itself.
func bookkeeping(name string) bool {
	for step := range strings.SplitSeq(strings.ReplaceAll(name, `\`, "/"), "/") {
		if step == "__MACOSX" || len(step) > 1 && step[0] == '.' && step != ".." {
			return true
		}
	}
	return false
}

func join(where, name string) string {
	name = clip(name)
	if where == "" {
		return name
	}
	return where + "!" + name
}

func (j *job) item(s source, item *outlook.Item, err error) {
	switch {
	case err != nil && s.quiet:
	case errors.Is(err, outlook.ErrTooLarge):
		j.refuse(s, ErrTooLarge)
	case err != nil:
		j.refuse(s, ErrDamaged)
	default:
		j.message(s.where, eml.Parse(item.RFC822, nil), s.depth, s.nest)
	}
}

// mbox reads the messages of a mailbox, each under the limits for itself.
func (j *job) mbox(where string, in io.Reader) {
	m := mbox.NewReader(in, nil)
	for j.index = 1; !j.stopped; j.index++ {
		raw, err := m.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, mbox.ErrTooLarge):
			j.fail(where, ErrTooLarge)
			continue
		case err != nil:
			j.fail(where, err)
			return
		}
		j.total, j.entries = 0, 0
		j.message(where, eml.Parse(raw, nil), 0, 0)
	}
}

// message reads the reports that a message carries, or says that it has none.
func (j *job) message(where string, m *eml.Message, depth, nest int) {
	before := j.found
	j.attached(where, m, depth, nest)
	if j.found == before {
		j.emit(Found{Where: where, Err: ErrNoReport, Mail: m})
	}
}

func (j *job) attached(where string, m *eml.Message, depth, nest int) {
	if nest > j.r.limits.Nested {
		j.emit(Found{Where: where, Err: ErrDepth, Mail: m})
		return
	}
	// What the failed message carried is nobody's report to us.
	if hasFeedback(m) || saysFailure(m) {
		if f, err := ParseFailure(m); err == nil {
			j.emit(Found{Where: where, Failure: f, Hash: hashFailure(m), Mail: m})
			return
		}
	}
	for p := range m.Parts() {
		if j.stopped {
			return
		}
		if e := p.Embedded(); e != nil {
			j.attached(where, e, depth, nest+1)
			continue
		}
		if !p.IsLeaf() {
			continue
		}
		data, k := unwrapped(p)
		named := namedAsReport(p)
		switch k {
		case kindXML, kindJSON:
			if !named && !mentions(data) {
				continue // the HTML of the message
			}
		case kindUnknown, kindEmpty, kindMail, kindMbox:
			if !named {
				continue
			}
		case kindGzip, kindZlib, kindZIP, kindTar, kindOutlook, kindTNEF:
		}
		name := p.Filename()
		if name == "" {
			name = p.ID()
		}
		j.read(source{where: join(where, name), data: data, mail: m, depth: depth, nest: nest + 1, quiet: !named})
	}
}

// unwrapped is the content of a part. Some declare no transfer encoding, or a
// wrong one: the base64 of an archive cannot be mistaken for anything else.
func unwrapped(p *eml.Part) ([]byte, format) {
	data := p.Content()
	k := sniff(data[:min(len(data), 4<<10)])
	if k != kindUnknown {
		return data, k
	}
	text := bytes.TrimLeft(data, " \t\r\n")
	if !bytes.HasPrefix(text, []byte("H4sI")) && !bytes.HasPrefix(text, []byte("UEsDB")) {
		return data, k
	}
	text = bytes.Map(func(r rune) rune {
		if r == ' ' || r == '\t' || r == '\r' || r == '\n' {
			return -1
		}
		return r
	}, text)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, _ := base64.StdEncoding.Decode(out, text) // up to the first mistake
	if n == 0 {
		return data, k
	}
	return out[:n], sniff(out[:n])
}

// namedAsReport reports whether the type or the name of a part says that it is a
// report or one packed.
func namedAsReport(p *eml.Part) bool {
	switch p.MediaType() {
	case "text/xml", "application/xml", "application/dmarc+xml", "application/tlsrpt", "application/tlsrpt+json", "application/tlsrpt+gzip",
		"application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed", "application/x-zip", "application/json":
		return true
	}
	switch strings.ToLower(path.Ext(p.Filename())) {
	case ".xml", ".gz", ".zip", ".json":
		return true
	}
	return false
}

// mentions reports whether a text is a report, whatever its part is called.
func mentions(data []byte) bool {
	head := data[:min(len(data), 4<<10)]
	return bytes.Contains(head, []byte("feedback")) && bytes.Contains(head, []byte("report_metadata")) || bytes.Contains(head, []byte(`"report-id"`))
}

// hashFailure is the hash of what a failure report says, which is not that of the
// message: each delivery writes other lines above it.
func hashFailure(m *eml.Message) [sha256.Size]byte {
	h := sha256.New()
	for p := range m.Parts() {
		if p.IsLeaf() || p.Embedded() != nil {
			h.Write(bytes.ReplaceAll(p.Content(), []byte("\r"), nil))
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
