package feed

import (
	"bytes"
	"encoding/json"
	"strings"
)

// json tells the formats in JSON apart and reads them.
func (r *reader) json(text []byte) error {
	if err := jsonDepth(text); err != nil {
		return err
	}
	if text[0] == '[' {
		return fault(Unrecognised, "a JSON array")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(text, &top); err != nil {
		return &Error{Fault: Malformed, err: err}
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if _, ok := top[k]; !ok {
				return false
			}
		}
		return true
	}
	var version str
	_ = json.Unmarshal(top["version"], &version) // absent or odd: no version
	switch {
	case has("items") && strings.Contains(string(version), "jsonfeed.org/version/"):
		return r.jsonFeed(text)
	case has("vulnerabilities") && (has("catalogVersion") || has("dateReleased")):
		return r.kev(text)
	case has("DocumentTracking"), has("DocumentTitle", "Vulnerability"):
		return r.cvrf(text)
	case has("document") && !has("feed"):
		return r.csaf(text)
	case has("distributions") || has("canonical_url", "publisher"):
		return r.provider(text)
	case has("feed"):
		return r.feedObject(top["feed"], top)
	case has("value"):
		return r.odata(text)
	case has("error"):
		return fault(Unrecognised, "an error: %s", clip(string(top["error"]), 200))
	}
	return fault(Unrecognised, "a JSON document")
}

// jsonDepth refuses a document that is nested too deeply.
func jsonDepth(text []byte) error {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > maxDepth {
				return fault(TooDeep, "more than %d values", maxDepth)
			}
		case '}', ']':
			depth--
		}
	}
	return nil
}

// unmarshal decodes text into v.
func unmarshal(text []byte, v any) error {
	if err := json.Unmarshal(text, v); err != nil {
		return &Error{Fault: Malformed, err: err}
	}
	return nil
}

// jsonFeed reads a JSON feed with the parser of feeds.
func (r *reader) jsonFeed(text []byte) error {
	f, err := parseFeed(text)
	if err != nil {
		return &Error{Fault: Malformed, err: err}
	}
	r.doc.Format = JSONFeed
	r.doc.Title = line(visible(f.Title))
	r.doc.Link = r.link(f.Link, "")
	if r.doc.Lang == "" {
		r.doc.Lang = language(f.Language)
	}
	r.feedItems(f, "")
	return nil
}

// str is a string that some programs write as a number, a truth value, or an
// object with a Value.
type str string

// UnmarshalJSON implements [json.Unmarshaler].
func (s *str) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || bytes.Equal(b, []byte("null")):
		*s = ""
	case b[0] == '"':
		var v string
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		*s = str(v)
	case b[0] == '{':
		var v struct {
			Value json.RawMessage `json:"value"` // in any case of letters
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		if len(v.Value) > 0 && v.Value[0] == '{' {
			return nil // deeper than any program writes
		}
		return s.UnmarshalJSON(v.Value)
	case b[0] == '[':
		*s = ""
	default:
		*s = str(b)
	}
	return nil
}

// String returns the text on one line, without what has no shape.
func (s str) String() string { return line(clean(string(s))) }

// list is an array that some programs write as a single value. An element of
// another type than expected is left out.
type list[T any] []T

// UnmarshalJSON implements [json.Unmarshaler].
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	b = bytes.TrimSpace(b)
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return nil
	}
	if b[0] != '[' {
		var v T
		if err := json.Unmarshal(b, &v); err == nil {
			*l = list[T]{v}
		}
		return nil
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	out := make(list[T], 0, len(raw))
	for _, e := range raw {
		var v T
		if err := json.Unmarshal(e, &v); err == nil {
			out = append(out, v)
		}
	}
	*l = out
	return nil
}

// object is a value of which another type than an object is left out.
type object[T any] struct{ v T }

// UnmarshalJSON implements [json.Unmarshaler].
func (o *object[T]) UnmarshalJSON(b []byte) error {
	var v T
	if err := json.Unmarshal(b, &v); err == nil {
		o.v = v
	}
	return nil
}
