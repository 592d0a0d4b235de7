package config

import "strings"

// nearest returns the name that is spelled most like s, if one is so near that
// a slip of the keys explains the difference.
func nearest(s string, names []string) (string, bool) {
	const most = 64
	s = strings.ToLower(strings.ReplaceAll(s, "-", "_"))
	if len(s) > most {
		return "", false
	}
	best, name := 3, ""
	for _, n := range names {
		d := distance(s, strings.ToLower(n))
		// A third of a short word is another word.
		if d < best && d*3 <= len(n) {
			best, name = d, n
		}
	}
	return name, name != ""
}

// distance counts insertions, deletions, substitutions and swaps of neighbours
// that turn a into b (optimal string alignment).
func distance(a, b string) int {
	older, old, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(old[j+1]+1, row[j]+1, old[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
		older, old, row = old, row, older
	}
	return old[len(b)]
}
