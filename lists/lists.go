// Package lists holds the names that rules and judges of sekisho know: whose
// domains are Microsoft's, where anybody can have a mailbox or a page, which
// hosts hide where a link goes.
//
// Each list is a text file beside this package, built into the program. Who
// wrote it, from what and when is told in the README there. A list is data and
// grows old; it says what was known on its date.
package lists

import (
	"embed"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain"
)

//go:embed *.txt
var files embed.FS

// entries returns the lines of a list without its comments.
func entries(name string) ([]string, error) {
	text, err := files.ReadFile(name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("lists: %w", err)
	}
	var list []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list, nil
}

// Domains is an immutable set of domains. The zero Domains is empty.
type Domains struct {
	names map[domain.Name]struct{}
}

func newDomains(list []string) (Domains, error) {
	d := Domains{names: make(map[domain.Name]struct{}, len(list))}
	for _, s := range list {
		n, err := domain.Parse(s)
		if err != nil {
			return Domains{}, fmt.Errorf("lists: %w", err)
		}
		if _, dup := d.names[n]; dup {
			return Domains{}, fmt.Errorf("lists: %s stands there twice", n)
		}
		d.names[n] = struct{}{}
	}
	return d, nil
}

// Has reports whether n itself is an entry.
func (d Domains) Has(n domain.Name) bool { _, ok := d.names[n]; return ok }

// Match returns the longest entry that n is or lies below.
func (d Domains) Match(n domain.Name) (entry domain.Name, ok bool) {
	for ; n != ""; n = n.Parent() {
		if d.Has(n) {
			return n, true
		}
	}
	return "", false
}

// All yields the entries in order.
func (d Domains) All() iter.Seq[domain.Name] {
	return slices.Values(slices.Sorted(maps.Keys(d.names)))
}

// Len returns the number of entries.
func (d Domains) Len() int { return len(d.names) }

// Words is an immutable set of words and phrases for people. The zero Words is
// empty.
type Words struct {
	words []string // as written
	folds map[string]struct{}
}

func newWords(list []string) (Words, error) {
	w := Words{words: list, folds: make(map[string]struct{}, len(list))}
	for _, s := range list {
		f := foldWord(s)
		if _, dup := w.folds[f]; dup {
			return Words{}, fmt.Errorf("lists: %s stands there twice", s)
		}
		w.folds[f] = struct{}{}
	}
	return w, nil
}

// foldWord makes equal what differs in case, width and spaces.
func foldWord(s string) string {
	s = cases.Fold().String(norm.NFKC.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// Has reports whether s is an entry, in any case and width.
func (w Words) Has(s string) bool { _, ok := w.folds[foldWord(s)]; return ok }

// All yields the entries as written, in the order of the file: what contains
// another entry stands before it.
func (w Words) All() iter.Seq[string] { return slices.Values(w.words) }

// Len returns the number of entries.
func (w Words) Len() int { return len(w.words) }

// load returns a function that reads the named list once.
func load[T any](name string, parse func([]string) (T, error)) func() T {
	return sync.OnceValue(func() T {
		list, err := entries(name)
		if err != nil {
			panic(err) // the embedded files are checked by a test
		}
		v, err := parse(list)
		if err != nil {
			panic(err) // likewise
		}
		return v
	})
}

var (
	microsoftOwned    = load("microsoft_owned", newDomains)
	microsoftTenant   = load("microsoft_tenant", newDomains)
	microsoftProducts = load("microsoft_products", newWords)
	freeMail          = load("free_mail", newDomains)
	urlShorteners     = load("url_shorteners", newDomains)
	fileHosts         = load("file_hosts", newDomains)
	safeLinks         = load("safe_links", newDomains)
)

// MicrosoftProductNames returns the names of Microsoft and of its products that
// stand in a display name or subject that pretends to be from Microsoft, in
// English and Japanese. Some are ordinary words ("Teams"): by themselves they
// show nothing.
func MicrosoftProductNames() Words { return microsoftProducts() }

// FreeMail returns the domains under which anybody gets a mailbox without
// proving who they are, among them Microsoft's and those of Japanese providers.
// An entry stands for itself and not for what is below it.
func FreeMail() Domains { return freeMail() }

// URLShorteners returns the hosts whose links lead somewhere else, chosen by
// whoever made the link.
func URLShorteners() Domains { return urlShorteners() }

// FileHosts returns the domains where anybody can put a file, a form or a page,
// under a well-known name. An entry stands for itself and what is below it.
func FileHosts() Domains { return fileHosts() }

// SafeLinkHosts returns the hosts of Safe Links, by which Microsoft Defender
// for Office 365 replaces links. An entry stands for itself and what is below
// it, which names a region: nam01.safelinks.protection.outlook.com.
func SafeLinkHosts() Domains { return safeLinks() }
