package desk

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365/trace"
)

// TraceFileRecord is how an exported message trace was read.
type TraceFileRecord struct {
	File     string         `json:"file"`
	Format   trace.Format   `json:"format,omitempty"`
	Charset  string         `json:"charset,omitempty"`
	Rows     int            `json:"rows"`
	Unread   int            `json:"unread"`   // rows that were left out
	Doubtful int            `json:"doubtful"` // rows of which something was not understood
	Problems []TraceProblem `json:"problems"` // some of both
	Lacks    []TraceLack    `json:"lacks"`    // what such an export does not tell
	Error    *Failure       `json:"error,omitempty"`
}

// TraceProblem is a row with a fault.
type TraceProblem struct {
	Line   int          `json:"line"`
	Reason trace.Reason `json:"reason"`
	Text   lang.Text    `json:"text"`
	Row    string       `json:"row"` // how it begins
}

// TraceLack is something that an export does not tell.
type TraceLack struct {
	Code string    `json:"code"`
	Text lang.Text `json:"text"`
}

// maxTraceProblems are the rows of a file that a record names.
const maxTraceProblems = 100

// readTrace reads a file row by row and returns how it went. A file that is no
// trace is a value, too.
func readTrace(ctx context.Context, f ReportFile, words *lang.Catalogue, row func(*trace.Reader, *trace.Row)) *TraceFileRecord {
	out := &TraceFileRecord{File: f.Name, Problems: []TraceProblem{}, Lacks: []TraceLack{}}
	r, done, err := openTrace(f)
	if err != nil {
		out.Error = renderer{words: words}.failure(traceError(f.Name, err))
		return out
	}
	defer done()
	for x := range r.All() {
		if ctx.Err() != nil {
			break
		}
		row(r, x)
	}
	out.Format, out.Charset, out.Rows, out.Unread, out.Doubtful = r.Format, r.Charset(), r.Rows, r.Lost, r.Doubtful
	for _, p := range r.Problems[:min(len(r.Problems), maxTraceProblems)] {
		out.Problems = append(out.Problems, TraceProblem{p.Line, p.Reason, words.Render(lang.M("trace.row." + string(p.Reason))), p.Text})
	}
	for _, l := range []struct {
		code  string
		lacks bool
	}{
		{"mail-from", !r.Knows.MailFrom && !r.Knows.Sender}, {"sender-role", !r.Knows.MailFrom && r.Knows.Sender}, {"address", !r.Knows.IP},
		{"connector", !r.Knows.Connector}, {"authentication", !r.Knows.Authentication}, {"outcome", !r.Knows.Outcome}, {"network-id", !r.Knows.NetworkID},
	} {
		if l.lacks {
			out.Lacks = append(out.Lacks, TraceLack{l.code, words.Render(lang.M("trace.lacks." + l.code))})
		}
	}
	return out
}

// openTrace opens a file, packed with gzip or not.
func openTrace(f ReportFile) (*trace.Reader, func(), error) {
	if f.Err != nil {
		return nil, nil, f.Err
	}
	rc, err := f.Open()
	if err != nil {
		return nil, nil, err
	}
	done := func() { _ = rc.Close() } // nothing was written
	buf := bufio.NewReaderSize(rc, 64<<10)
	var from io.Reader = buf
	if head, _ := buf.Peek(2); bytes.Equal(head, []byte("\x1f\x8b")) {
		if from, err = gzip.NewReader(buf); err != nil {
			done()
			return nil, nil, fmt.Errorf("%w: %w", trace.ErrBinary, err)
		}
	}
	r, err := trace.NewReader(from, nil)
	if err != nil {
		done()
		return nil, nil, err
	}
	return r, done, nil
}

// traceError says why a file is not read.
func traceError(file string, err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	out := &Error{Kind: Invalid, Message: lang.M("trace.error.read", "file", file, "error", err.Error()), Hint: lang.M("trace.hint.formats"), Err: err}
	switch {
	case errors.Is(err, trace.ErrEmpty):
		out.Message = lang.M("trace.error.empty", "file", file)
	case errors.Is(err, trace.ErrBinary):
		out.Message = lang.M("trace.error.binary", "file", file)
	case errors.Is(err, trace.ErrNoHeader), errors.Is(err, trace.ErrJSON):
		out.Message = lang.M("trace.error.header", "file", file)
	}
	return out
}

// IsTrace reports whether a file is an exported message trace.
func IsTrace(f ReportFile) bool {
	_, done, err := openTrace(f)
	if err != nil {
		return false
	}
	done()
	return true
}
