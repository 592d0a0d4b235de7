package syntax

import (
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/lang"
)

// The limits of what is parsed. What is over is a diagnostic.
const (
	MaxSize  = 1 << 20 // bytes of source
	MaxDepth = 200     // nesting of expressions
	MaxNodes = 200_000 // nodes of the tree
	MaxFound = 20      // diagnostics of one file
)

// Level says what a diagnostic means for a rule.
type Level string

// The levels.
const (
	Error   Level = "error"   // the rule cannot be run
	Warning Level = "warning" // the rule runs but does not do what it seems to
)

// Diagnostic is something wrong with a source and where it stands.
type Diagnostic struct {
	Level   Level
	Span    Span
	Message lang.Message
	Hint    lang.Message // what to do; may be zero
}

// Position is a place for people. Line and Column count from 1; a column is a
// Unicode code point.
type Position struct {
	Line   int
	Column int
}

// File is a source and what was read from it. It is immutable and safe for
// concurrent use.
type File struct {
	Source string
	// Root is the tree. It is nil only if nothing could be read at all.
	Root Expr
	// Nodes is the number of nodes ever made: every [Expr.ID] is below it.
	Nodes int
	// Comments are the comments in order, from "//" to the end of the line.
	Comments []Span
	// Diagnostics are the errors of syntax in order.
	Diagnostics []Diagnostic

	lines []int // offset of each line
}

// OK reports whether the source has no error.
func (f *File) OK() bool { return len(f.Diagnostics) == 0 }

// Text returns the source at s.
func (f *File) Text(s Span) string {
	start := min(max(s.Start, 0), len(f.Source))
	return f.Source[start:min(max(s.End, start), len(f.Source))]
}

// Line returns the source at s on one line, without comments.
func (f *File) Line(s Span) string {
	var b strings.Builder
	at := s.Start
	for _, c := range f.Comments {
		if c.Start >= at && c.End <= s.End {
			b.WriteString(f.Text(Span{at, c.Start}))
			at = c.End
		}
	}
	b.WriteString(f.Text(Span{at, s.End}))
	return strings.Join(strings.Fields(b.String()), " ")
}

// Position returns the place of a byte offset. An offset outside the source
// is moved to its nearer end.
func (f *File) Position(offset int) Position {
	offset = min(max(offset, 0), len(f.Source))
	line := sort.Search(len(f.lines), func(i int) bool { return f.lines[i] > offset })
	start := 0
	if line > 0 {
		start = f.lines[line-1]
	}
	return Position{Line: max(line, 1), Column: utf8.RuneCountInString(f.Source[start:offset]) + 1}
}
