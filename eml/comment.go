package eml

// SkipComment returns the offset after the comment of a structured field (RFC
// 5322 section 3.2.2) that starts at s[i]. One that never closes ends with s:
// what a forger leaves open must not be read as anything else.
func SkipComment(s string, i int) int {
	depth := 0
	for j := i; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return len(s)
}
