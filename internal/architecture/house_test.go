package architecture

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// floors are the names of the sections in docs/architecture.md from the bottom
// up; a package imports what is further down.
var floors = []string{"ground", "first", "data", "second", "third", "top", "beside"}

// room is one line of the house block.
type room struct {
	pattern string
	floor   int      // index in floors
	uses    []string // patterns of rooms of its own floor
	planned bool
}

// house is what docs/architecture.md says.
type house struct {
	rooms   []room
	modules map[string][]string // import path to the patterns of rooms that may use it
	impure  map[string]string   // import path to the reason why engines do without it
}

var columns = regexp.MustCompile(` {2,}`)

// parseHouse reads the three blocks of the page.
func parseHouse(page string) (*house, error) {
	h := &house{modules: map[string][]string{}, impure: map[string]string{}}
	lines, err := block(page, "house")
	if err != nil {
		return nil, err
	}
	floor := -1
	seen := map[string]bool{}
	for _, line := range lines {
		if name, ok := strings.CutPrefix(line, "["); ok {
			name = strings.TrimSuffix(name, "]")
			floor = slices.Index(floors, name)
			if floor < 0 {
				return nil, fmt.Errorf("house: no such floor: %q", name)
			}
			continue
		}
		c := columns.Split(line, 3)
		if floor < 0 || len(c) != 3 {
			return nil, fmt.Errorf("house: a line needs a floor above it and three columns: %q", line)
		}
		if seen[c[0]] {
			return nil, fmt.Errorf("house: %s stands there twice", c[0])
		}
		seen[c[0]] = true
		h.rooms = append(h.rooms, room{
			pattern: c[0], floor: floor, uses: list(c[1]),
			planned: strings.HasPrefix(c[2], "planned: "),
		})
	}
	for _, r := range h.rooms {
		for _, u := range r.uses {
			if !slices.ContainsFunc(h.rooms, func(o room) bool { return o.floor == r.floor && overlap(o.pattern, u) }) {
				return nil, fmt.Errorf("house: %s may use %s, which is no room of the %s floor", r.pattern, u, floors[r.floor])
			}
		}
	}
	if lines, err = block(page, "modules"); err != nil {
		return nil, err
	}
	for _, line := range lines {
		c := columns.Split(line, 2)
		if len(c) != 2 {
			return nil, fmt.Errorf("modules: a line needs two columns: %q", line)
		}
		h.modules[c[0]] = list(c[1])
	}
	if lines, err = block(page, "impure"); err != nil {
		return nil, err
	}
	for _, line := range lines {
		c := columns.Split(line, 2)
		if len(c) != 2 {
			return nil, fmt.Errorf("impure: a line needs two columns: %q", line)
		}
		h.impure[c[0]] = c[1]
	}
	return h, nil
}

// block returns the lines of the fenced block named name.
func block(page, name string) ([]string, error) {
	_, rest, ok := strings.Cut(page, "\n```"+name+"\n")
	if !ok {
		return nil, fmt.Errorf("the page has no block %q", name)
	}
	body, _, ok := strings.Cut(rest, "\n```\n")
	if !ok {
		return nil, fmt.Errorf("the block %q does not end", name)
	}
	var lines []string
	for line := range strings.SplitSeq(body, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func list(s string) []string {
	if s == "-" {
		return nil
	}
	return strings.Split(s, ", ")
}

// matches reports whether pattern covers the room name.
func matches(pattern, name string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == base || strings.HasPrefix(name, base+"/")
	}
	return pattern == name
}

// overlap reports whether two patterns may name the same room.
func overlap(a, b string) bool {
	return matches(a, strings.TrimSuffix(b, "/...")) || matches(b, strings.TrimSuffix(a, "/..."))
}

// find returns the line for the package name: the exact one, else the longest
// pattern.
func (h *house) find(name string) (room, bool) {
	best := -1
	for i, r := range h.rooms {
		if r.pattern == name {
			return r, true
		}
		if matches(r.pattern, name) && (best < 0 || len(r.pattern) > len(h.rooms[best].pattern)) {
			best = i
		}
	}
	if best < 0 {
		return room{}, false
	}
	return h.rooms[best], true
}

// checkImport returns why the package from must not import path, or "".
func (h *house) checkImport(from, path string) string {
	f, ok := h.find(from)
	if !ok {
		return "" // checkPlaces reports it once
	}
	floor := floors[f.floor]
	if why := h.checkModule(from, path); why != "" {
		return why
	}
	name, own := strings.CutPrefix(path, module+"/")
	if !own {
		return h.checkOutside(from, floor, path)
	}
	t, ok := h.find(name)
	switch {
	case !ok:
		return "" // checkPlaces reports the room that has no place
	case floors[t.floor] == "beside":
		return fmt.Sprintf("%s imports %s: what stands beside the house is imported by nobody", from, name)
	case t.floor < f.floor:
		return ""
	case t.floor > f.floor && floors[t.floor] == "data":
		return fmt.Sprintf("%s imports %s: engines get lists and rules as values", from, name)
	case t.floor > f.floor:
		return fmt.Sprintf("%s (%s floor) imports %s (%s floor): a package imports lower floors only", from, floor, name, floors[t.floor])
	case slices.ContainsFunc(f.uses, func(p string) bool { return matches(p, name) }):
		return ""
	default:
		return fmt.Sprintf("%s imports %s, and both are on the %s floor: the table in docs/architecture.md does not list it", from, name, floor)
	}
}

// checkModule applies the modules block, which holds for every floor.
func (h *house) checkModule(from, path string) string {
	for _, m := range slices.Sorted(maps.Keys(h.modules)) {
		if path != m && !strings.HasPrefix(path, m+"/") {
			continue
		}
		if !slices.ContainsFunc(h.modules[m], func(p string) bool { return matches(p, from) }) {
			return fmt.Sprintf("%s imports %s: only %s may", from, path, strings.Join(h.modules[m], ", "))
		}
	}
	return ""
}

// checkOutside applies the rules for what is not ours.
func (h *house) checkOutside(from, floor, path string) string {
	if floor != "ground" && floor != "first" {
		return ""
	}
	if why, ok := h.impure[path]; ok {
		return fmt.Sprintf("%s (%s floor) imports %s: %s", from, floor, path, why)
	}
	first, _, _ := strings.Cut(path, "/")
	if floor == "ground" && strings.Contains(first, ".") && !strings.HasPrefix(path, "golang.org/x/") {
		return fmt.Sprintf("%s (ground floor) imports %s: the ground floor uses the standard library and golang.org/x only", from, path)
	}
	return ""
}

// checkPlaces compares the table with the packages that there are.
func (h *house) checkPlaces(packages []string) []string {
	var problems []string
	used := map[string]bool{}
	for _, p := range packages {
		r, ok := h.find(p)
		if !ok {
			problems = append(problems, fmt.Sprintf("%s has no line in docs/architecture.md: every package has a place", p))
			continue
		}
		used[r.pattern] = true
		if r.planned {
			problems = append(problems, fmt.Sprintf("%s exists: docs/architecture.md marks %s as planned", p, r.pattern))
		}
	}
	for _, r := range h.rooms {
		if !used[r.pattern] && !r.planned {
			problems = append(problems, fmt.Sprintf("docs/architecture.md lists %s, and there is no such package", r.pattern))
		}
	}
	return problems
}
