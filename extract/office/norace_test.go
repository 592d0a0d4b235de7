//go:build !race

package office_test

// raceEnabled says that the race detector slows the test down.
const raceEnabled = false

// rounds is how often a test that is timed runs; the best time counts.
const rounds = 3
