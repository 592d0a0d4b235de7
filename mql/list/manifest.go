package list

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
)

// ManifestName is the file that says which file is which list.
const ManifestName = "manifest.json"

const (
	maxManifest = 4 << 20 // bytes
	maxListed   = 10_000
	maxName     = 100
)

// Entry is a list that a manifest names.
type Entry struct {
	Name  string // as rules name it, without "$"
	Title string // for people; may be empty
	Base  string // name of the file, without a folder
	File  File
}

// ParseManifest reads a manifest. Entries that name no usable file or list are
// left out.
func ParseManifest(data []byte) ([]Entry, error) {
	if len(data) > maxManifest {
		return nil, ErrTooMuch
	}
	var in struct {
		Lists []struct {
			File       string   `json:"file"`
			Identifier string   `json:"identifier"`
			Title      string   `json:"display_name"`
			Headers    []string `json:"headers"`
			Format     string   `json:"format"`
		} `json:"lists"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("list: reading the manifest: %w", err)
	}
	if len(in.Lists) > maxListed {
		return nil, errors.New("list: the manifest names too many lists")
	}
	var out []Entry
	for _, l := range in.Lists {
		kind, ok := KindOf(l.File)
		// A manifest that was fetched must not lead out of its folder.
		if !ok || !ValidName(l.Identifier) || l.File != path.Base(l.File) || strings.ContainsAny(l.File, `/\:`) || len(l.Headers) > maxColumns {
			continue
		}
		out = append(out, Entry{Name: l.Identifier, Title: l.Title, Base: l.File, File: File{Kind: kind, Columns: l.Headers, Hosts: l.Format == "hostname"}})
	}
	return out, nil
}

// KindOf tells from the name of a file how it is written, and whether it can be
// a list.
func KindOf(name string) (Kind, bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".txt":
		return Text, true
	case ".csv":
		return CSV, true
	}
	return "", false
}

// NameOf returns the list that a file is without a manifest: its name without
// the extension, and the name that rules use for the rankings that are
// published under another.
func NameOf(file string) (string, bool) {
	name := strings.TrimSuffix(file, path.Ext(file))
	switch strings.ToLower(name) {
	case "tranco", "tranco_top_1m":
		name = "tranco_1m"
	case "tranco_top_10k", "tranco_top_50k", "alexa_top_1m", "umbrella_top_1m", "umbrella_top_1m_tld":
		name = strings.Replace(strings.ToLower(name), "_top_", "_", 1)
	}
	return name, ValidName(name)
}

// ValidName reports whether rules can write s behind "$".
func ValidName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		switch b := s[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', b == '_', i > 0 && '0' <= b && b <= '9':
		default:
			return false
		}
	}
	return true
}
