// Package mailbox reads the mail that a user names: files, folders, mailboxes,
// archives of them, and standard input.
//
// What an input is, is told by its content and never by its name. A folder may
// hold other things beside mail, which are passed over in silence; an input
// that the user named, and a file whose name says that it is mail, gives an
// item with an error instead. One bad input never stops the others.
//
// Input is hostile. Messages are read one at a time and up to a size, mailboxes
// and compressed files as a stream; what archives unpack to is bounded in
// bytes, ratio, entries and nesting.
package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"os"

	"github.com/sekisho/sekisho/eml/mbox"
	"github.com/sekisho/sekisho/eml/outlook"
	"github.com/sekisho/sekisho/internal/desk"
)

// Default limits.
const (
	DefaultMaxMessage      = 48 << 20
	DefaultMaxArchiveBytes = 8 << 30
	DefaultMaxEntries      = 50_000
	DefaultDepth           = 3
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Options of [Walk]. A nil *Options and zero fields mean the defaults.
type Options struct {
	MaxMessage      int   // largest message, and archive inside an archive, in bytes
	MaxArchiveBytes int64 // most bytes that one named input may unpack to
	MaxEntries      int   // most entries of one zip archive
	Depth           int   // archives inside each other; 1 allows no nesting

	// Progress, if not nil, is called with the bytes of all inputs that have
	// been dealt with so far, compressed where they are. It adds up to what
	// [Size] says.
	Progress func(bytesRead int64)
}

func (o *Options) orDefault() Options {
	var v Options
	if o != nil {
		v = *o
	}
	if v.MaxMessage <= 0 {
		v.MaxMessage = DefaultMaxMessage
	}
	if v.MaxArchiveBytes <= 0 {
		v.MaxArchiveBytes = DefaultMaxArchiveBytes
	}
	if v.MaxEntries <= 0 {
		v.MaxEntries = DefaultMaxEntries
	}
	if v.Depth <= 0 {
		v.Depth = DefaultDepth
	}
	if v.Progress == nil {
		v.Progress = func(int64) {}
	}
	return v
}

// Walk yields the messages in paths, in the order of paths and sorted by name
// inside folders. The path "-" is stdin, which may be nil if it is not used.
// An input that cannot be read yields an item whose error is a *[desk.Error].
// When ctx ends, the walk ends without a word.
func Walk(ctx context.Context, paths []string, stdin io.Reader, opts *Options) iter.Seq[desk.Item] {
	return func(yield func(desk.Item) bool) {
		w := &walker{ctx: ctx, opts: opts.orDefault(), yield: yield}
		for _, path := range paths {
			if w.done() {
				return
			}
			w.unpacked = 0
			if path == Stdin {
				w.stdin(stdin)
			} else {
				w.path(path)
			}
		}
	}
}

// walker is the state of one walk.
type walker struct {
	ctx      context.Context
	opts     Options
	yield    func(desk.Item) bool
	stopped  bool          // the caller has had enough
	items    int           // yielded, errors included
	unpacked int64         // bytes out of the archives of this path
	read     int64         // bytes of the inputs finished before
	told     int64         // the progress that was last reported
	buf      *bufio.Reader // of the file that is being read, reused for the next
}

// report tells the progress, which never goes back: an archive is first read
// from its start and then entry by entry.
func (w *walker) report(n int64) {
	if n > w.told {
		w.told = n
		w.opts.Progress(n)
	}
}

func (w *walker) done() bool { return w.stopped || w.ctx.Err() != nil }

func (w *walker) emit(item desk.Item) {
	if !w.done() {
		w.items++
		w.stopped = !w.yield(item)
	}
}

func (w *walker) fail(name string, index int, err *desk.Error) {
	w.emit(desk.Item{File: name, Index: index, Err: err})
}

// input is something to read: a file, standard input, a member of an archive.
type input struct {
	name    string
	r       *bufio.Reader
	casual  bool        // came along with others: no error if it is no mail
	archive int         // archives around it
	at      io.ReaderAt // for what needs more than a stream; nil if there is none
	size    int64       // of at, 0 if there is none
}

const (
	readSize = 64 << 10
	// headSize is how much of an input is looked at to tell what it is.
	headSize = 32 << 10
)

func (w *walker) stdin(r io.Reader) {
	if r == nil {
		w.fail(Stdin, 0, errEmpty())
		return
	}
	p := &progressReader{w: w, r: r}
	w.input(&input{name: Stdin, r: bufio.NewReaderSize(p, readSize)})
	w.read += p.n
}

// path reads a file or folder that the user named.
func (w *walker) path(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		w.fail(path, 0, errAccess(err))
	case info.IsDir():
		before := w.items
		w.folder(path)
		if w.items == before {
			w.fail(path, 0, errNoMailInside())
		}
	case !info.Mode().IsRegular():
		w.fail(path, 0, errDevice())
	default:
		w.file(path, false)
	}
}

// file reads one regular file.
func (w *walker) file(path string, casual bool) {
	f, err := os.Open(path)
	if err != nil {
		w.fail(path, 0, errAccess(err))
		return
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		w.fail(path, 0, errAccess(err))
		return
	}
	p := &progressReader{w: w, r: f}
	if w.buf == nil {
		w.buf = bufio.NewReaderSize(p, readSize)
	}
	w.buf.Reset(p)
	w.input(&input{name: path, r: w.buf, casual: casual, at: f, size: info.Size()})
	w.read += info.Size()
	w.report(w.read)
}

// progressReader counts what is read of an input from outside, and ends it with
// the context.
type progressReader struct {
	w *walker
	r io.Reader
	n int64
}

func (p *progressReader) Read(b []byte) (int, error) {
	if err := p.w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	p.n += int64(n)
	p.w.report(p.w.read + p.n)
	return n, err
}

// input finds out what in is and reads it.
func (w *walker) input(in *input) {
	head, err := in.r.Peek(headSize)
	if len(head) == 0 {
		switch {
		case errors.Is(err, io.EOF):
			w.fail(in.name, 0, errEmpty())
		default:
			w.fail(in.name, 0, w.errRead(err))
		}
		return
	}
	if text := decodedText(in.r); text != nil {
		in.r = bufio.NewReaderSize(text, readSize)
		in.at, in.size = nil, 0
		if head, _ = in.r.Peek(headSize); len(head) == 0 {
			w.fail(in.name, 0, errEmpty())
			return
		}
	}
	switch kind := sniff(head, in.casual); kind {
	case kindMail:
		w.message(in)
	case kindMbox:
		w.mailbox(in)
	case kindCompound, kindTNEF:
		w.outlook(in, kind)
	case kindZip:
		w.zip(in)
	case kindGzip:
		w.gzip(in)
	default:
		if !in.casual {
			w.fail(in.name, 0, errNotMail(kind))
		}
	}
}

// all reads the rest of in up to the size of a message. It reports an error
// itself, with hint where in is too large, and then returns nil.
func (w *walker) all(in *input, hint string) []byte {
	if in.at != nil && in.size > int64(w.opts.MaxMessage) {
		w.fail(in.name, 0, w.errTooLarge(hint))
		return nil
	}
	buf := bytes.NewBuffer(make([]byte, 0, in.size+bytes.MinRead)) // of the right size, where that is known
	_, err := buf.ReadFrom(io.LimitReader(in.r, int64(w.opts.MaxMessage)+1))
	b := buf.Bytes()
	switch {
	case err != nil:
		w.fail(in.name, 0, w.errRead(err))
		return nil
	case len(b) > w.opts.MaxMessage:
		w.fail(in.name, 0, w.errTooLarge(hint))
		return nil
	}
	return b
}

// message reads one message or a header block alone.
func (w *walker) message(in *input) {
	if b := w.all(in, hintMessage); b != nil {
		raw, form := tidy(b)
		w.emit(desk.Item{File: in.name, Raw: raw, Form: form})
	}
}

// mailbox reads an mbox. Many programs save a single message in that format,
// so the first message waits for the second before it gets its number.
func (w *walker) mailbox(in *input) {
	r := mbox.NewReader(in.r, &mbox.Options{MaxMessage: w.opts.MaxMessage})
	var first desk.Item
	for index := 1; !w.done(); index++ {
		item := desk.Item{File: in.name, Index: index, Form: desk.FormMessage}
		raw, err := r.Next()
		if errors.Is(err, io.EOF) {
			if index == 2 {
				first.Index = 0
				w.emit(first)
			}
			return
		}
		switch {
		case err == nil:
			item.Raw = raw
		case errors.Is(err, mbox.ErrTooLarge):
			item.Err, item.Form = w.errTooLarge(hintMessage), ""
		default:
			item.Err, item.Form = w.errRead(err), ""
		}
		final := item.Err != nil && !errors.Is(err, mbox.ErrTooLarge)
		if index == 1 && !final {
			first = item
			continue
		}
		if index == 2 {
			w.emit(first)
			first = desk.Item{}
		}
		w.emit(item)
		if final {
			return
		}
	}
}

// outlook reads a .msg file or a winmail.dat.
func (w *walker) outlook(in *input, kind kind) {
	// Word, Excel and PowerPoint files have the same container, and its
	// directory may stand anywhere, so the file is read before it is known.
	if in.casual && in.at != nil && in.size > int64(w.opts.MaxMessage) && !namedAsMail(in.name) {
		return
	}
	b := w.all(in, hintMessage)
	if b == nil {
		return
	}
	if kind == kindCompound && !outlook.IsMSG(b) {
		if !in.casual {
			w.fail(in.name, 0, errNotMail(kindOffice))
		}
		return
	}
	convert := outlook.Convert
	if kind == kindTNEF {
		convert = outlook.TNEF
	}
	item, err := convert(b, &outlook.Limits{Bytes: w.opts.MaxMessage})
	if err != nil {
		w.fail(in.name, 0, errOutlook(err))
		return
	}
	w.emit(desk.Item{File: in.name, Raw: item.RFC822, Form: desk.FormOutlook})
}
