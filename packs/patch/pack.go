// Package patch holds what sekisho knows of updates before anything was fetched:
// facts about releases and ends of life, and the rules by which vendors release.
// The facts were written down by us from the pages that each names, with the day
// on which it said so; they are few and grow old, and "sekisho patch update"
// fetches more.
package patch

import _ "embed" // the data

//go:embed facts.json
var facts []byte

//go:embed calendar.json
var calendar []byte

// Facts returns the facts, in the form that [patch.ParseFacts] reads.
//
// [patch.ParseFacts]: https://pkg.go.dev/github.com/sekisho/sekisho/patch#ParseFacts
func Facts() []byte { return append([]byte(nil), facts...) }

// Calendar returns the rules of release.
func Calendar() []byte { return append([]byte(nil), calendar...) }
