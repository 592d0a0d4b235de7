package desk

import (
	"errors"
	"fmt"

	"github.com/sekisho/sekisho/lang"
)

// ErrorKind says what sort of thing went wrong. Each door maps it once: to an
// exit status, an HTTP status, a log level.
type ErrorKind string

// The kinds of error.
const (
	Invalid     ErrorKind = "invalid"     // the input or the request is wrong
	NotFound    ErrorKind = "not_found"   // there is no such thing
	Conflict    ErrorKind = "conflict"    // it exists already, or changed meanwhile
	Denied      ErrorKind = "denied"      // the system refuses access
	Unavailable ErrorKind = "unavailable" // something needed does not answer
	Limit       ErrorKind = "limit"       // over a size, count or time limit
	Internal    ErrorKind = "internal"    // a mistake in sekisho
)

// Error is an error that a user may see. Message and Hint are for the user;
// Err is for the maintainer and is never shown as it is.
type Error struct {
	Kind    ErrorKind
	Message lang.Message // what happened
	Hint    lang.Message // the way out; may be zero
	Err     error        // the cause; may be nil
}

// Error implements error in English, for logs and tests.
func (e *Error) Error() string {
	s := lang.Default().Say(lang.EN, e.Message)
	if e.Err != nil {
		return s + ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// asError returns err as an *Error, wrapping one of another type as internal.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Internal, Message: lang.M("judge.error.read", "error", err.Error()), Err: err}
}

// internalError is what a user is told of a panic on one input.
func internalError(file string, panicked any) *Error {
	return &Error{
		Kind: Internal, Message: lang.M("judge.error.internal", "file", file), Hint: lang.M("judge.hint.internal"),
		Err: fmt.Errorf("panic: %v", panicked),
	}
}
