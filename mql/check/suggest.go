package check

import (
	"strings"
)

// nearest returns the candidate that name was most probably meant to be, ""
// if none is near.
func nearest(name string, candidates []string) string {
	const longest = 64 // what is longer was never a name
	if name == "" || len(name) > longest {
		return ""
	}
	low := strings.ToLower(name)
	best, least := "", max(1, min(len(name)/3, 3))+1
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		if d := distance(low, strings.ToLower(c), least); d < least || d == least-1 && best == "" {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of characters to insert, delete, change or exchange
// with their neighbour, or at least most.
func distance(a, b string, most int) int {
	if d := len(a) - len(b); d >= most || -d >= most {
		return most
	}
	older, old, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range old {
		old[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(old[j]+1, cur[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, old, cur = old, cur, older
	}
	return old[len(b)]
}
