package config

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// people reads the CSV file that the setting names.
func (v value) people() ([]org.Person, bool) {
	s, ok := v.text()
	if !ok {
		return nil, false
	}
	name := inDir(v.dir, filepath.FromSlash(s))
	raw, err := readLimited(name, maxPeople)
	if err != nil {
		e := fileError(name, maxPeople, err)
		if e.Kind == desk.NotFound {
			// The file that is wrong is the one that names it.
			e = &desk.Error{Kind: desk.Invalid, Message: lang.M("config.people.no-file", "at", v.at(v.node), "file", show(name)), Hint: lang.M("config.hint.people"), Err: err}
		}
		v.loader.problems = append(v.loader.problems, problem{v.node.Line, v.node.Column, e})
		return nil, false
	}
	all, e := parsePeople(name, raw)
	if e != nil {
		v.loader.problems = append(v.loader.problems, problem{v.node.Line, v.node.Column, e})
		return nil, false
	}
	return all, true
}

// parsePeople reads CSV (RFC 4180) with the columns display_name and email,
// and optionally role and language, in any order. Other columns are ignored, so that an
// export from the directory can be used as it is.
func parsePeople(name string, raw []byte) ([]org.Person, *desk.Error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return nil, peopleError(lang.M("config.people.not-utf8", "file", show(name), "line", invalidLine(raw)), lang.M("config.hint.people-utf8"))
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, csvError(name, err)
	}
	columns := map[string]int{}
	for i, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		if _, dup := columns[h]; dup && h != "" {
			return nil, peopleError(lang.M("config.people.column-twice", "file", show(name), "column", show(h)), lang.M("config.hint.people"))
		}
		columns[h] = i
	}
	for _, need := range []string{"display_name", "email"} {
		if _, ok := columns[need]; !ok {
			return nil, peopleError(lang.M("config.people.no-column", "file", show(name), "column", need), lang.M("config.hint.people"))
		}
	}
	all := []org.Person{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, csvError(name, err)
		}
		line, _ := r.FieldPos(0)
		if !slices.ContainsFunc(record, func(s string) bool { return strings.TrimSpace(s) != "" }) {
			continue
		}
		if len(all) == maxItems {
			return nil, peopleError(lang.M("config.people.too-many", "file", show(name), "max", maxItems), lang.Message{})
		}
		p, e := person(name, line, columns, record)
		if e != nil {
			return nil, e
		}
		all = append(all, p)
	}
}

// person reads one line. The address may be missing: a name alone is borrowed
// as well.
func person(name string, line int, columns map[string]int, record []string) (org.Person, *desk.Error) {
	field := func(column string) string {
		if i, ok := columns[column]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	p := org.Person{DisplayName: field("display_name"), Role: strings.ToLower(field("role"))}
	// The directory has "ja-JP" and, for several, "ja-JP, en-US".
	if l := strings.ToLower(cmp.Or(field("language"), field("preferredlanguage"))); strings.HasPrefix(l, "ja") {
		p.Lang = "ja"
	} else if strings.HasPrefix(l, "en") {
		p.Lang = "en"
	}
	if p.DisplayName == "" {
		return p, peopleError(lang.M("config.people.no-name", "file", show(name), "line", line), lang.M("config.hint.people"))
	}
	if s := field("email"); s != "" {
		a, ok := mailAddress(s)
		if !ok {
			return p, peopleError(lang.M("config.people.no-mail", "file", show(name), "line", line, "value", show(s)), lang.Message{})
		}
		p.Address = a
	}
	return p, nil
}

func csvError(name string, err error) *desk.Error {
	line := 0
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		line = e.Line
	}
	e := peopleError(lang.M("config.people.syntax", "file", show(name), "line", line), lang.M("config.hint.people-quotes"))
	e.Err = err
	return e
}

func peopleError(message, hint lang.Message) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: message, Hint: hint}
}
