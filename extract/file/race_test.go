//go:build race

package file_test

// raceEnabled says that the race detector slows the test down.
const raceEnabled = true

// rounds is how often a test that is timed runs; the best time counts.
const rounds = 1
