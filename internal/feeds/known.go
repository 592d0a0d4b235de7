package feeds

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Kind is what a feed brings.
type Kind string

// The kinds of feeds.
const (
	RulesFeed Kind = "rules"
	ListsFeed Kind = "lists" // lists that rules name
)

// Known is a feed that has a name without anybody having to say its address.
type Known struct {
	Name      string `json:"name"`
	Kind      Kind   `json:"kind"`
	URL       string `json:"url"`  // what is fetched
	Home      string `json:"home"` // a page for people
	Licence   string `json:"licence"`
	Publisher string `json:"publisher"`
}

//go:embed known.json
var knownJSON []byte

var known = sync.OnceValue(func() []Known {
	var out []Known
	if err := json.Unmarshal(knownJSON, &out); err != nil {
		panic(fmt.Sprintf("feeds: known.json: %v", err)) // a test reads it
	}
	return out
})

// KnownFeeds returns the feeds of a kind that have a name.
func KnownFeeds(kind Kind) []Known {
	return slices.DeleteFunc(slices.Clone(known()), func(k Known) bool { return k.Kind != kind })
}

// LookupKnown finds a feed by its name.
func LookupKnown(kind Kind, name string) (Known, bool) {
	all := KnownFeeds(kind)
	i := slices.IndexFunc(all, func(k Known) bool { return k.Name == name })
	if i < 0 {
		return Known{}, false
	}
	return all[i], true
}

const maxName = 60 // bytes

var feedName = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)

// ValidName reports whether a feed may be called that: small letters, digits and
// hyphens between them, and not the name of what sekisho ships with. It is the name
// of a folder too.
func ValidName(name string) bool {
	return len(name) <= maxName && feedName.MatchString(name) && !isDevice(name) && name != Builtin
}

// IsURL reports whether a feed is named by its address.
func IsURL(ref string) bool { return strings.Contains(ref, "://") }

// NameOf returns the name of a feed that is given by a name or an address: for an
// address, its last part and a few digits that tell it from others that end
// alike. It is "" for what is neither.
func NameOf(ref string) string {
	if !IsURL(ref) {
		if ValidName(ref) {
			return ref
		}
		return ""
	}
	u, err := url.Parse(ref)
	if err != nil || u.Host == "" {
		return ""
	}
	base := path.Base(u.Path)
	for _, ext := range []string{".git", ".zip", ".tgz", ".tar", ".gz", ".tar"} {
		base = strings.TrimSuffix(base, ext)
	}
	var slug strings.Builder
	for _, r := range strings.ToLower(base) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			slug.WriteRune(r)
		case slug.Len() > 0 && !strings.HasSuffix(slug.String(), "-"):
			slug.WriteByte('-')
		}
	}
	s := slug.String()
	sum := sha256.Sum256([]byte(ref))
	return strings.Trim(s[:min(len(s), 40)]+"-"+hex.EncodeToString(sum[:4]), "-")
}

// IsGit reports whether an address is that of a git repository.
func IsGit(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), ".git")
}
