// Package architecture checks the repository itself: that packages import
// only what docs/architecture.md allows, that every package says what it is,
// that every sentence exists in both languages, that the documented
// dependencies are the real ones, and that nothing of a developer's machine or
// of real people is left in the files.
//
// It holds tests only.
package architecture
