package domain

// Costs of slips. A substitution weighs half as much again as the others: with
// equal weights, two of them turn one ordinary word into another too often.
const (
	insertion     = 2 // also a deletion, and a swap of neighbours
	substitution  = 3
	oneSlip       = substitution
	maxComparison = maxLabel // characters
)

// distance is the Damerau-Levenshtein distance (optimal string alignment) of a
// and b with the costs above, or anything above limit if it exceeds limit.
func distance(a, b []rune, limit int) int {
	if insertion*max(len(a)-len(b), len(b)-len(a)) > limit || max(len(a), len(b)) > maxComparison {
		return limit + 1
	}
	var rows [3][maxComparison + 1]int
	before, prev, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = j * insertion
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i * insertion
		least := row[0]
		for j := 1; j <= len(b); j++ {
			cost := substitution
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(prev[j]+insertion, row[j-1]+insertion, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+insertion)
			}
			row[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}

// isSlip reports whether a is b with two neighbours swapped, a character
// doubled, or one of a double dropped.
func isSlip(a, b []rune) bool {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	switch len(a) - len(b) {
	case 0:
		return n+1 < len(a) && a[n] == b[n+1] && a[n+1] == b[n] && equal(a[n+2:], b[n+2:])
	case 1:
		return n > 0 && a[n] == a[n-1] && equal(a[n+1:], b[n:])
	case -1:
		return n > 0 && b[n] == b[n-1] && equal(a[n:], b[n+1:])
	}
	return false
}

func equal(a, b []rune) bool { return string(a) == string(b) }
