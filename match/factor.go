package match

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// Limits on the literals that are taken from one expression.
const (
	minLiteral = 2   // bytes; shorter ones are everywhere
	maxExact   = 24  // strings that are multiplied out
	maxNeed    = 400 // literals of which one is needed
	maxClass   = 6   // characters of a class that are multiplied out
	maxLength  = 64  // bytes of a literal
	maxRepeat  = 16  // bytes that a repetition is written out to
	maxClauses = 4   // choices of one expression
)

// factor is what is known of the strings that an expression matches, folded.
type factor struct {
	exact []string   // all of them; nil if they are too many
	need  [][]string // of each of these choices, every string contains one
}

// required returns choices of literals, folded: every text that matches the
// expression contains at least one of each. It is nil if no useful ones are
// known.
func required(re *syntax.Regexp) [][]string {
	f := analyse(re)
	return best(f.clauses())
}

// clauses returns the choices with the exact strings as one.
func (f factor) clauses() [][]string {
	if weight(f.exact) > 0 {
		return append(slices.Clip(f.need), f.exact)
	}
	return f.need
}

// best keeps the most telling choices, each once.
func best(clauses [][]string) [][]string {
	slices.SortStableFunc(clauses, func(a, b []string) int { return weight(b) - weight(a) })
	var out [][]string
	for _, c := range clauses {
		if weight(c) > 0 && len(out) < maxClauses && !slices.ContainsFunc(out, func(o []string) bool { return slices.Equal(o, c) }) {
			out = append(out, c)
		}
	}
	return out
}

var unknown = factor{}

var empty = factor{exact: []string{""}}

func analyse(re *syntax.Regexp) factor {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return empty
	case syntax.OpLiteral:
		s := Fold(string(re.Rune))
		if len(s) > maxLength {
			// Any stretch of it will do.
			s = s[:maxLength]
			for !utf8.ValidString(s) {
				s = s[:len(s)-1]
			}
			return factor{need: [][]string{{s}}}
		}
		return factor{exact: []string{s}}
	case syntax.OpCharClass:
		return class(re.Rune)
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpQuest:
		f := analyse(re.Sub[0])
		if f.exact == nil || len(f.exact) >= maxExact {
			return unknown
		}
		return factor{exact: add(slices.Clone(f.exact), "")}
	case syntax.OpPlus:
		return factor{need: best(analyse(re.Sub[0]).clauses())}
	case syntax.OpRepeat:
		if re.Min == 0 {
			return unknown
		}
		f := analyse(re.Sub[0])
		if re.Min == 1 && re.Max == 1 {
			return f
		}
		// As often as it must come, as far as that tells more.
		run := f.exact
		for n := 1; n < re.Min && run != nil; n++ {
			next := product(run, f.exact)
			if next == nil || len(next[0]) > maxRepeat {
				break
			}
			run = next
		}
		return factor{need: best(factor{run, f.need}.clauses())}
	case syntax.OpConcat:
		return concat(re.Sub)
	case syntax.OpAlternate:
		return alternate(re.Sub)
	}
	return unknown
}

func class(ranges []rune) factor {
	var out []string
	limit := maxClass
	if len(ranges) > 0 && ranges[0] >= utf8.RuneSelf {
		limit = maxExact // rare characters tell much
	}
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1]-ranges[i] > int32(2*limit) {
			return unknown
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if out = add(out, string(foldRune(r))); len(out) > limit {
				return unknown
			}
		}
	}
	if out == nil {
		return unknown
	}
	return factor{exact: out}
}

func concat(subs []*syntax.Regexp) factor {
	run, whole := []string{""}, true
	var need [][]string
	end := func() {
		if weight(run) > 0 {
			need = append(need, run)
		}
		run, whole = []string{""}, false
	}
	for _, sub := range subs {
		f := analyse(sub)
		if f.exact == nil {
			end()
			need = append(need, f.need...)
			continue
		}
		if next := product(run, f.exact); next != nil {
			run = next
			continue
		}
		end()
		run = f.exact
	}
	if whole {
		return factor{exact: run}
	}
	end()
	return factor{need: best(need)}
}

// product returns every string of a followed by every one of b, nil if that is
// too much.
func product(a, b []string) []string {
	if len(a)*len(b) > maxExact {
		return nil
	}
	var out []string
	for _, x := range a {
		for _, y := range b {
			if len(x)+len(y) > maxLength {
				return nil
			}
			out = add(out, x+y)
		}
	}
	return out
}

func alternate(subs []*syntax.Regexp) factor {
	exact, need := []string{}, []string{}
	for _, sub := range subs {
		f := analyse(sub)
		if exact != nil && f.exact != nil && len(exact)+len(f.exact) <= maxExact {
			for _, s := range f.exact {
				exact = add(exact, s)
			}
		} else {
			exact = nil
		}
		if c := best(f.clauses()); need != nil && len(c) > 0 && len(need)+len(c[0]) <= maxNeed {
			need = append(need, c[0]...)
		} else {
			need = nil
		}
	}
	if need == nil {
		return factor{exact: exact}
	}
	return factor{exact: exact, need: [][]string{need}}
}

// weight is higher the rarer a text is that holds one of the literals; 0 for a
// choice that is of no use.
func weight(set []string) int {
	if len(set) == 0 || len(set) > maxNeed {
		return 0
	}
	shortest := maxLength
	for _, s := range set {
		shortest = min(shortest, len(s))
	}
	if shortest < minLiteral {
		return 0
	}
	return 1 + 16*min(shortest, 12) + max(0, 15-len(set)/4)
}

func add(set []string, s string) []string {
	if slices.Contains(set, s) {
		return set
	}
	return append(set, s)
}
