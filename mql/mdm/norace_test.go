//go:build !race

package mdm_test

// raceEnabled says that the race detector slows the test down.
const raceEnabled = false
