package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sekisho/sekisho/patch"
)

// cycle is a line of versions as endoflife.date has it, in the older form of its
// answers (https://endoflife.date/docs/api) and in the newer one
// (https://endoflife.date/docs/api/v1/).
type cycle struct {
	// older
	Cycle    text `json:"cycle"`
	EOL      text `json:"eol"`
	Extended text `json:"extendedSupport"`
	Latest   any  `json:"latest"`
	Link     text `json:"link"`
	// newer
	Name  text `json:"name"`
	Label text `json:"label"`
	From  text `json:"eolFrom"`
	EOES  text `json:"eoesFrom"`

	LatestDate text `json:"latestReleaseDate"`
}

// text takes false, true and null for "".
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = text(s)
	}
	return nil
}

// endOfLife reads an answer of endoflife.date about one product.
func (d *Document) endOfLife(data []byte, src patch.Source, b *patch.Book, o *Options) error {
	var list []cycle
	product := o.Product
	if data[len(data)-len(strings.TrimLeft(string(data), " \t\r\n"))] == '[' {
		if err := json.Unmarshal(data, &list); err != nil {
			return fmt.Errorf("%w: %w", ErrUnknown, err)
		}
	} else {
		var doc struct {
			Result struct {
				Name     string  `json:"name"`
				Label    string  `json:"label"`
				Releases []cycle `json:"releases"`
			} `json:"result"`
		}
		if err := json.Unmarshal(data, &doc); err != nil {
			return fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		list = doc.Result.Releases
		product = cmp.Or(product, doc.Result.Name)
		d.Title = doc.Result.Label
	}
	d.Kind = EndOfLife
	src.Name = cmp.Or(src.Name, "endoflife.date: "+cmp.Or(d.Title, product))
	src.Licence = "MIT"
	d.begin(src)
	for _, c := range list {
		id := string(cmp.Or(c.Cycle, c.Name))
		end, err := patch.ParseDate(string(cmp.Or(c.EOL, c.From)))
		if id == "" || err != nil {
			continue
		}
		e := patch.End{Date: end}
		if t, err := patch.ParseDate(string(cmp.Or(c.Extended, c.EOES))); err == nil && t.After(end.Time) {
			e.Extended = t
		}
		branch := id
		if product == "windows" || product == "windows-server" {
			branch = buildName(latest(c.Latest))
			if branch == "" {
				continue
			}
			e.Edition = editionOfCycle(id)
			if strings.Contains(id, "iot") {
				continue
			}
		}
		known, ok := b.Branch(product, branch)
		if !ok {
			continue // nothing would be compared with it
		}
		d.Facts.Branches = append(d.Facts.Branches, patch.Branch{
			Product: product, ID: branch, Name: known.Name, Prefix: known.Prefix, Ends: []patch.End{e}, Sources: []string{src.ID},
		})
	}
	if len(d.Facts.Branches) == 0 {
		return fmt.Errorf("%w: no known product", ErrUnknown)
	}
	return nil
}

// latest is a version in either form of the answers.
func latest(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		s, _ := v["name"].(string)
		return s
	}
	return ""
}

// buildName returns "26100" of "10.0.26100".
func buildName(s string) string {
	parts := strings.Split(s, ".")
	if len(parts) < 3 || len(parts[2]) != 5 {
		return ""
	}
	return parts[2]
}

// editionOfCycle reads how endoflife.date names editions of Windows:
// "11-24h2-w" is Home and Pro, "11-24h2-e" Enterprise and Education.
func editionOfCycle(id string) patch.Edition {
	switch {
	case strings.HasSuffix(id, "-lts"):
		return patch.EditionLTSC
	case strings.HasSuffix(id, "-w"):
		return patch.EditionHomePro
	case strings.HasSuffix(id, "-e"):
		return patch.EditionEnterprise
	}
	return patch.EditionAny
}
