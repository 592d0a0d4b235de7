package advisory

import (
	"fmt"
	"io/fs"
	"strings"
)

// Lure is a pretext that mails use, and whom such mails pose as.
type Lure struct {
	Name  Words
	Poses Words // zero if that is not told
}

// lure is a [Lure] as the catalogue has it.
type lure struct {
	ID      string   `yaml:"id"`
	Words   []string `yaml:"words"` // any of them in a text, in lower case
	JA      string   `yaml:"ja"`
	EN      string   `yaml:"en"`
	PosesJA string   `yaml:"poses_ja"`
	PosesEN string   `yaml:"poses_en"`
}

// titleWeight is how often a word counts that stands in the title.
const titleWeight = 5

// readLures reads lures.yaml, which a catalogue may lack.
func (c *Catalogue) readLures(fsys fs.FS) error {
	const name = "lures.yaml"
	if _, err := fs.Stat(fsys, name); err != nil {
		return nil //nolint:nilerr // without it no pretext is told by name
	}
	if err := readYAML(fsys, name, &c.lures); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, l := range c.lures {
		switch {
		case l.ID == "" || seen[l.ID]:
			return fmt.Errorf("%w: %s: the id %q is missing or stands there twice", ErrTemplate, name, l.ID)
		case l.JA == "" || l.EN == "" || (l.PosesJA == "") != (l.PosesEN == ""):
			return fmt.Errorf("%w: %s: %s lacks a language", ErrTemplate, name, l.ID)
		case len(l.Words) == 0:
			return fmt.Errorf("%w: %s: %s has no words", ErrTemplate, name, l.ID)
		}
		for _, w := range l.Words {
			if w == "" || w != strings.ToLower(w) {
				return fmt.Errorf("%w: %s: %s: the word %q is empty or not in lower case", ErrTemplate, name, l.ID, w)
			}
		}
		seen[l.ID] = true
	}
	return nil
}

// Lure returns the pretext that a text tells of, in words of either language. ok
// is false if none is told by name.
func (c *Catalogue) Lure(title, text string) (found Lure, ok bool) {
	title, text = strings.ToLower(title), strings.ToLower(text)
	best := 0
	for i := range c.lures {
		l := &c.lures[i]
		n := 0
		for _, w := range l.Words {
			n += titleWeight*strings.Count(title, w) + strings.Count(text, w)
		}
		if n > best {
			best = n
			found = Lure{Name: Words{JA: l.JA, EN: l.EN}, Poses: Words{JA: l.PosesJA, EN: l.PosesEN}}
		}
	}
	return found, best > 0
}
