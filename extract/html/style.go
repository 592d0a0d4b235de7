package html

import (
	"strconv"
	"strings"
)

// property is a CSS property that decides whether text is seen.
type property int8

const (
	display property = iota
	visibility
	opacity
	msoHide
	fontSize
	overflow
	height // height or max-height, width or max-width: whichever is none
	width
	whiteSpace
	colour
	properties
)

// Values of a property, as far as they matter here.
const (
	unset   int8 = iota
	hides        // none, hidden, zero, transparent; pre for white-space
	shows        // any other value
	block        // of display: starts and ends a line
	depends      // of font-size: a factor of what is inherited
)

type value struct {
	v         int8
	important bool
}

// declarations are the values that one rule or one style attribute sets.
type declarations [properties]value

// add lets those of later override, as the cascade does for equal or rising
// specificity.
func (d *declarations) add(later *declarations) {
	for p, v := range later {
		if v.v != unset && (v.important || !d[p].important) {
			d[p] = v
		}
	}
}

// showing returns d without what hides.
func (d declarations) showing() declarations {
	for p := range d {
		if d[p].v == hides {
			d[p] = value{}
		}
	}
	return d
}

// parseDeclarations reads the inside of a rule or of a style attribute.
func parseDeclarations(s string) (d declarations, set bool) {
	if strings.Contains(s, "/*") {
		s = withoutComments(s)
	}
	for decl := range strings.SplitSeq(s, ";") {
		name, val, ok := strings.Cut(decl, ":")
		if !ok {
			continue
		}
		name = strings.ToLower(trim(name))
		if len(val) > 200 || !known(name) {
			continue
		}
		val = strings.ToLower(trim(val))
		important := false
		if i := strings.IndexByte(val, '!'); i >= 0 {
			important = strings.Contains(val[i:], "important")
			val = trim(val[:i])
		}
		p, v := read(name, val)
		if v != unset && (important || !d[p].important) {
			d[p] = value{v: v, important: important}
			set = true
		}
	}
	return d, set
}

func known(name string) bool {
	switch name {
	case "display", "visibility", "opacity", "mso-hide", "font-size", "font", "overflow", "overflow-x", "overflow-y",
		"height", "max-height", "width", "max-width", "white-space", "color":
		return true
	}
	return false
}

func read(name, val string) (property, int8) {
	choose := func(p property, hidden bool) (property, int8) {
		if hidden {
			return p, hides
		}
		return p, shows
	}
	switch name {
	case "display":
		switch val {
		case "block", "table", "list-item", "flex", "grid", "table-row", "flow-root":
			return display, block
		}
		return choose(display, val == "none")
	case "visibility":
		if val == "inherit" {
			return visibility, unset
		}
		return choose(visibility, val == "hidden" || val == "collapse")
	case "opacity":
		n, unit, ok := length(val)
		return choose(opacity, ok && (unit == "" || unit == "%") && n == 0)
	case "mso-hide":
		return choose(msoHide, val == "all")
	case "font-size":
		return fontSize, size(val)
	case "font":
		for word := range strings.FieldsSeq(val) {
			word, _, _ = strings.Cut(word, "/")
			// A bare number other than zero is a weight.
			if n, unit, ok := length(word); ok && (unit != "" || n == 0) {
				return fontSize, size(word)
			}
		}
		return fontSize, unset
	case "overflow", "overflow-x", "overflow-y":
		return choose(overflow, val == "hidden" || val == "clip")
	case "height", "max-height":
		n, _, ok := length(val)
		if !ok && strings.HasPrefix(name, "max") {
			return height, unset
		}
		return choose(height, ok && n <= 0)
	case "width", "max-width":
		n, _, ok := length(val)
		if !ok && strings.HasPrefix(name, "max") {
			return width, unset
		}
		return choose(width, ok && n <= 0)
	case "white-space":
		return choose(whiteSpace, strings.HasPrefix(val, "pre") || val == "break-spaces")
	default:
		if val == "inherit" || val == "currentcolor" {
			return colour, unset
		}
		return choose(colour, val == "transparent" || strings.HasPrefix(val, "rgba(") && transparent(val))
	}
}

// size reads a font-size. One pixel or point cannot be read by anybody.
func size(val string) int8 {
	n, unit, ok := length(val)
	if !ok {
		switch val {
		case "inherit", "unset", "":
			return unset
		case "larger", "smaller":
			return depends
		}
		return shows
	}
	switch unit {
	case "em", "%", "ex", "ch":
		if n <= 0 {
			return hides
		}
		return depends
	}
	if n <= 1 && (n <= 0 || unit == "px" || unit == "pt") {
		return hides
	}
	return shows
}

// length reads a number and its unit.
func length(s string) (n float64, unit string, ok bool) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.' || i == 0 && (s[i] == '-' || s[i] == '+')) {
		i++
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	return n, s[i:], err == nil
}

func transparent(rgba string) bool {
	i := strings.LastIndexAny(rgba, ",/")
	if i < 0 || strings.Count(rgba, ",") == 2 {
		return false
	}
	n, _, ok := length(trim(rgba[i+1:]))
	return ok && n == 0
}

func withoutComments(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "/*")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		if _, s, found = strings.Cut(rest, "*/"); !found {
			return b.String()
		}
	}
}

// sheet is the simple part of the style elements: what holds for an element
// name, a class or an id, alone or an element name with one of both. A selector
// that asks for more is obeyed only where it shows text, since it is not known
// whether it applies.
type sheet struct {
	rules map[string]*declarations
	full  bool
}

// read adds the rules of one style element.
func (s *sheet) read(css string) {
	css = strings.NewReplacer("<!--", "", "-->", "").Replace(withoutComments(css))
	for css != "" && !s.full {
		i := strings.IndexAny(css, "{;}")
		if i < 0 {
			return
		}
		prelude := trim(css[:i])
		if css[i] != '{' {
			css = css[i+1:]
			continue
		}
		css = css[i+1:]
		if strings.HasPrefix(prelude, "@") {
			if !always(prelude) {
				css = css[blockEnd(css):]
			}
			// The rules of a block that always applies are read as if they
			// stood outside; its closing brace is passed over above.
			continue
		}
		body, rest, _ := strings.Cut(css, "}")
		css = rest
		d, set := parseDeclarations(body)
		if !set {
			continue
		}
		for sel := range strings.SplitSeq(prelude, ",") {
			s.add(trim(sel), d)
		}
	}
}

// always reports whether a block of that name applies to a screen of any size.
func always(prelude string) bool {
	p := strings.ToLower(prelude)
	if !strings.HasPrefix(p, "@media") {
		return false
	}
	switch trim(strings.TrimPrefix(p, "@media")) {
	case "screen", "all", "only screen", "":
		return true
	}
	return false
}

// blockEnd returns where css continues after the block whose inside it starts
// with.
func blockEnd(css string) int {
	depth := 1
	for i := range len(css) {
		switch css[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(css)
}

func (s *sheet) add(sel string, d declarations) {
	key := sel
	if i := strings.LastIndexAny(sel, " >+~\t\n\r"); i >= 0 {
		key = sel[i+1:]
		d = d.showing()
	}
	if i := strings.IndexAny(key, ":["); i >= 0 {
		key = key[:i]
		d = d.showing()
	}
	dots := strings.Count(key, ".") + strings.Count(key, "#")
	if dots > 1 {
		key = key[strings.LastIndexAny(key, ".#"):]
		d = d.showing()
	}
	if d == (declarations{}) || key == "" {
		return
	}
	if i := strings.IndexAny(key, ".#"); i > 0 {
		key = strings.ToLower(key[:i]) + key[i:]
	} else if i < 0 {
		key = strings.ToLower(key)
	}
	if key[0] == '*' && len(key) > 1 {
		key = key[1:]
	}
	if old := s.rules[key]; old != nil {
		old.add(&d)
		return
	}
	if len(s.rules) >= maxRules {
		s.full = true
		return
	}
	if s.rules == nil {
		s.rules = map[string]*declarations{}
	}
	s.rules[key] = &d
}

// match adds what the rules say of an element to d.
func (s *sheet) match(d *declarations, tag, classes, id string) {
	if len(s.rules) == 0 {
		return
	}
	use := func(key string) {
		if r := s.rules[key]; r != nil {
			d.add(r)
		}
	}
	use("*")
	use(tag)
	for class := range strings.FieldsSeq(classes) {
		use("." + class)
		use(tag + "." + class)
	}
	if id != "" {
		use("#" + id)
		use(tag + "#" + id)
	}
}
