// Package desk holds sekisho's use cases: one function for each thing that a
// user can do, whichever door it comes through. The command line, the API and
// the console call the same function and add no logic of their own.
//
// The package owns the interfaces to the outside (stores, fetchers, the clock)
// and the error type that users see.
package desk
