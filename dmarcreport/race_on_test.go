//go:build race

package dmarcreport_test

// raceEnabled says that everything takes ten times as long.
const raceEnabled = true
