package web

import (
	"errors"
	"net/http"

	"github.com/sekisho/sekisho/internal/desk"
)

// StatusOf maps what went wrong to a status of HTTP. An upload that was cut off
// because it is larger than its route allows is too large.
func StatusOf(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	e, ok := errors.AsType[*desk.Error](err)
	if !ok {
		return http.StatusInternalServerError
	}
	switch e.Kind {
	case desk.Invalid:
		return http.StatusUnprocessableEntity
	case desk.NotFound:
		return http.StatusNotFound
	case desk.Conflict:
		return http.StatusConflict
	case desk.Denied:
		return http.StatusForbidden
	case desk.Limit:
		return http.StatusRequestEntityTooLarge
	case desk.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}
