package triage

import (
	"bytes"
	_ "embed" // the default tables
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// Limits of a decision table.
const (
	maxTableBytes = 64 << 10
	maxTableRows  = 500
)

// Error is a mistake in a decision table.
type Error struct {
	Line   int // 1-based; 0 for the table as a whole
	Column int // 1-based, in bytes
	Reason string
}

// Error implements error: "12:5: no such activity: \"on\"".
func (e *Error) Error() string {
	if e.Line == 0 {
		return "triage: " + e.Reason
	}
	return fmt.Sprintf("triage: %d:%d: %s", e.Line, e.Column, e.Reason)
}

// row is one line of a table.
type row struct {
	id    string
	cells [6][]string // allowed values; nil for any
	grade Grade
	line  int
}

func (r *row) matches(c combination) bool {
	for i, allowed := range r.cells {
		if allowed != nil && !slices.Contains(allowed, c[i]) {
			return false
		}
	}
	return true
}

// Table is a decision table that gives every combination a grade. It is
// immutable and safe for concurrent use.
type Table struct {
	rows     []row
	warnings []Warning
}

// Warning is a place where a table is not monotone: facts that are worse give
// a grade that is less urgent. It may be meant.
type Warning struct {
	Point        string // the decision point that was raised
	From, To     string
	Row, Other   string // ids of the rows that decided before and after
	Grade, Lower Grade
}

// String says the warning in English, for the log of whoever edits a table.
func (w Warning) String() string {
	return fmt.Sprintf("raising %s from %s to %s lowers the grade from %s (%s) to %s (%s)", w.Point, w.From, w.To, w.Grade, w.Row, w.Lower, w.Other)
}

// Warnings returns where the table is not monotone, one per pair of rows and
// decision point.
func (t *Table) Warnings() []Warning { return slices.Clone(t.warnings) }

//go:embed table.csv
var defaultTable []byte

// Default returns the table that is built in.
func Default() *Table { return parsedDefault() }

var parsedDefault = sync.OnceValue(func() *Table {
	t, err := Parse(bytes.NewReader(defaultTable))
	if err != nil {
		panic(err) // a test parses it
	}
	return t
})

// DefaultText returns the source of the built-in table, for a user to start
// from.
func DefaultText() []byte { return bytes.Clone(defaultTable) }

// Parse reads a decision table from CSV: a header line, then one row per line.
// It refuses, as an [*Error] with its place, a table with a mistake, one that
// leaves a combination without a grade, and one with a row that can never
// decide. Lines that start with # are comments.
func Parse(r io.Reader) (*Table, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxTableBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the decision table: %w", err)
	}
	if len(b) > maxTableBytes {
		return nil, &Error{Reason: fmt.Sprintf("the table is longer than %d bytes", maxTableBytes)}
	}
	c := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
	c.Comment = '#'
	c.FieldsPerRecord = -1
	c.TrimLeadingSpace = true
	t := &Table{}
	for first := true; ; first = false {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if p, ok := errors.AsType[*csv.ParseError](err); ok {
				return nil, &Error{Line: p.Line, Column: p.Column, Reason: p.Err.Error()}
			}
			return nil, fmt.Errorf("reading the decision table: %w", err)
		}
		place := func(i int) *Error {
			line, col := c.FieldPos(min(i, len(rec)-1))
			return &Error{Line: line, Column: col}
		}
		if first {
			if err := checkHeader(rec, place); err != nil {
				return nil, err
			}
			continue
		}
		rw, err := parseRow(rec, place)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(t.rows, func(o row) bool { return o.id == rw.id }) {
			return nil, because(place(0), "the id %q stands there twice", rw.id)
		}
		if len(t.rows) == maxTableRows {
			return nil, because(place(0), "the table has more than %d rows", maxTableRows)
		}
		t.rows = append(t.rows, rw)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	t.warnings = t.slopes()
	return t, nil
}

func because(e *Error, format string, args ...any) error {
	e.Reason = fmt.Sprintf(format, args...)
	return e
}

func checkHeader(rec []string, place func(int) *Error) error {
	want := []string{"id"}
	for _, p := range points {
		want = append(want, string(p.name))
	}
	want = append(want, "grade")
	if len(rec) != len(want) {
		return because(place(0), "the first line names %d columns, want %d: %s", len(rec), len(want), strings.Join(want, ","))
	}
	for i, w := range want {
		if strings.TrimSpace(rec[i]) != w {
			return because(place(i), "column %d is %q, want %q", i+1, rec[i], w)
		}
	}
	return nil
}

func parseRow(rec []string, place func(int) *Error) (row, error) {
	if len(rec) != len(points)+2 {
		return row{}, because(place(0), "the row has %d columns, want %d", len(rec), len(points)+2)
	}
	r := row{id: strings.TrimSpace(rec[0]), line: place(0).Line}
	if r.id == "" {
		return row{}, because(place(0), "the row has no id")
	}
	for i, p := range points {
		cell := strings.TrimSpace(rec[i+1])
		if cell == "*" {
			continue
		}
		for v := range strings.SplitSeq(cell, "|") {
			v = strings.TrimSpace(v)
			if p.name == pRelevance && v == string(RelevanceUnknown) {
				return row{}, because(place(i+1), "unknown relevance is always computed as exact")
			}
			if !slices.Contains(p.values, v) {
				return row{}, because(place(i+1), "no such %s: %q", p.name, v)
			}
			r.cells[i] = append(r.cells[i], v)
		}
	}
	r.grade = Grade(strings.TrimSpace(rec[len(rec)-1]))
	if !slices.Contains(grades, r.grade) {
		return row{}, because(place(len(rec)-1), "no such grade: %q", string(r.grade))
	}
	return r, nil
}

// find returns the row that decides a combination, nil for none.
func (t *Table) find(c combination) *row {
	c = c.normal()
	for i := range t.rows {
		if t.rows[i].matches(c) {
			return &t.rows[i]
		}
	}
	return nil
}

// check tries every combination: each needs a row, and each row a combination.
func (t *Table) check() error {
	reached := map[string]bool{}
	var gap *combination
	all(func(c combination) bool {
		r := t.find(c)
		if r == nil {
			gap = &c
			return false
		}
		reached[r.id] = true
		return true
	})
	if gap != nil {
		var facts []string
		for i, p := range points {
			facts = append(facts, string(p.name)+"="+gap[i])
		}
		return &Error{Reason: "no row gives a grade for " + strings.Join(facts, " ")}
	}
	for _, r := range t.rows {
		if !reached[r.id] {
			return &Error{Line: r.line, Column: 1, Reason: fmt.Sprintf("row %s can never decide: rows above it match everything that it does", r.id)}
		}
	}
	return nil
}

// slopes looks for facts that are worse and give a lower grade. What an ended
// attack is worth against one that is only possible is a matter of taste, so
// ended takes no part, and neither do the kinds.
func (t *Table) slopes() []Warning {
	order := map[point][]string{
		pRelevance: {string(RelevanceNone), string(RelevanceCategory), string(RelevanceExact)},
		pActivity:  {string(ActivityNone), string(ActivityPoC), string(ActivityActive)},
		pProximity: points[3].values,
		pImpact:    points[4].values,
		pExposed:   points[5].values,
	}
	var ws []Warning
	seen := map[[3]string]bool{}
	all(func(c combination) bool {
		for i, p := range points {
			steps := order[p.name]
			at := slices.Index(steps, c[i])
			if at < 0 || at == len(steps)-1 {
				continue
			}
			worse := c
			worse[i] = steps[at+1]
			before, after := t.find(c), t.find(worse)
			key := [3]string{string(p.name), before.id, after.id}
			if before.grade.above(after.grade) && !seen[key] {
				seen[key] = true
				ws = append(ws, Warning{Point: string(p.name), From: c[i], To: worse[i], Row: before.id, Other: after.id, Grade: before.grade, Lower: after.grade})
			}
		}
		return true
	})
	return ws
}
