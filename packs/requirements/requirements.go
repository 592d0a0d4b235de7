// Package requirements holds what the big receivers of mail ask of senders, and
// what their refusals mean, as data for package requirement.
//
// A file for each receiver names its rules; bounces.yaml names replies of
// servers. Every rule has the address of its source and the date of the version
// that we read, or says that we know it from others only. The texts are ours: they say what the source asks for in
// plain words, and do not quote it.
package requirements

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/requirement"
)

//go:embed *.yaml
var files embed.FS

// order is how receivers stand in the table.
var order = [...]string{"outlook", "gmail", "yahoo", "apple", "docomo", "kddi"}

var table = sync.OnceValue(func() *requirement.Table {
	t, err := load()
	if err != nil {
		panic(err) // the embedded files are checked by a test
	}
	return t
})

// Table returns the table that sekisho ships with. It must not be changed.
func Table() *requirement.Table { return table() }

func load() (*requirement.Table, error) {
	t := &requirement.Table{}
	for _, id := range order {
		b, err := files.ReadFile(id + ".yaml")
		if err != nil {
			return nil, fmt.Errorf("requirements: %w", err)
		}
		r, err := ParseReceiver(b)
		if err != nil {
			return nil, fmt.Errorf("requirements: reading %s.yaml: %w", id, err)
		}
		t.Receivers = append(t.Receivers, *r)
	}
	b, err := files.ReadFile("bounces.yaml")
	if err != nil {
		return nil, fmt.Errorf("requirements: %w", err)
	}
	if t.Replies, err = ParseReplies(b); err != nil {
		return nil, fmt.Errorf("requirements: reading bounces.yaml: %w", err)
	}
	for i := range t.Replies {
		p := &t.Replies[i]
		r := t.Receiver(p.Receiver)
		if r == nil && p.System == (lang.Text{}) {
			return nil, fmt.Errorf("requirements: reply %s: nobody is named %q", p.ID, p.Receiver)
		}
		for _, id := range p.Rules {
			if r == nil || r.Rule(id) == nil {
				return nil, fmt.Errorf("requirements: reply %s: %s has no rule %q", p.ID, p.Receiver, id)
			}
		}
	}
	return t, nil
}

// ParseReceiver reads the file of a receiver. It refuses unknown keys, unknown
// checks and rules without text or source.
func ParseReceiver(b []byte) (*requirement.Receiver, error) {
	var r requirement.Receiver
	if err := decode(b, &r); err != nil {
		return nil, err
	}
	if r.ID == "" || !both(r.Name) {
		return nil, errors.New("a receiver needs an id and a name in ja and en")
	}
	if err := sourced(r.Source, r.Read); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range r.Rules {
		x := &r.Rules[i]
		if x.Source == "" {
			x.Source = r.Source
		}
		if x.Read == "" {
			x.Read = r.Read
		}
		switch {
		case x.ID == "" || seen[x.ID]:
			return nil, fmt.Errorf("rule %d: needs an id of its own", i+1)
		case !slices.Contains(requirement.Checks(), x.Check):
			return nil, fmt.Errorf("rule %s: no such check: %q", x.ID, x.Check)
		case x.Scope != requirement.All && x.Scope != requirement.Mass:
			return nil, fmt.Errorf("rule %s: the scope is all or bulk, not %q", x.ID, x.Scope)
		case x.Level != requirement.Required && x.Level != requirement.Advised:
			return nil, fmt.Errorf("rule %s: the level is required or advised, not %q", x.ID, x.Level)
		case !both(x.Text):
			return nil, fmt.Errorf("rule %s: needs a text in ja and en", x.ID)
		case x.Find != (lang.Text{}) && !both(x.Find):
			return nil, fmt.Errorf("rule %s: find needs ja and en", x.ID)
		}
		if err := sourced(x.Source, x.Read); err != nil {
			return nil, fmt.Errorf("rule %s: %w", x.ID, err)
		}
		seen[x.ID] = true
	}
	return &r, nil
}

// ParseReplies reads a file of replies.
func ParseReplies(b []byte) ([]requirement.Reply, error) {
	var list []requirement.Reply
	if err := decode(b, &list); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for i := range list {
		p := &list[i]
		switch {
		case p.ID == "" || seen[p.ID]:
			return nil, fmt.Errorf("reply %d: needs an id of its own", i+1)
		case p.Receiver == "":
			return nil, fmt.Errorf("reply %s: needs a receiver", p.ID)
		case len(p.Codes) == 0 && len(p.Words) == 0:
			return nil, fmt.Errorf("reply %s: needs codes or words", p.ID)
		case !both(p.Meaning) || !both(p.Fix):
			return nil, fmt.Errorf("reply %s: needs meaning and fix in ja and en", p.ID)
		}
		for _, w := range p.Words {
			if w != strings.ToLower(w) {
				return nil, fmt.Errorf("reply %s: %q is not in lower case", p.ID, w)
			}
		}
		if err := sourced(p.Source, p.Read); err != nil {
			return nil, fmt.Errorf("reply %s: %w", p.ID, err)
		}
		seen[p.ID] = true
	}
	return list, nil
}

func decode(b []byte, v any) error {
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func both(t lang.Text) bool { return t.JA != "" && t.EN != "" }

// sourced accepts a source that nobody could read, if it says so.
func sourced(source, read string) error {
	if !strings.HasPrefix(source, "https://") {
		return fmt.Errorf("the source is no https address: %q", source)
	}
	if read == requirement.Unconfirmed {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, read); err != nil {
		return fmt.Errorf("the day of reading is no date: %q", read)
	}
	return nil
}
