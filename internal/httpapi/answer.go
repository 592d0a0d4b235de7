package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Failure is the body of every answer that is none: schema api-error.
type Failure struct {
	Error FailureError `json:"error"`
}

// FailureError says what happened and the way out.
type FailureError struct {
	Kind    desk.ErrorKind `json:"kind"`
	Message lang.Text      `json:"message"`
	Hint    *lang.Text     `json:"hint,omitempty"`
}

// write answers with a record.
func write(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // nobody reads any more if it fails
	return nil
}

// Refuse is for [web.Options]: it answers what is not allowed, not there or does
// not work, below [Base].
func Refuse(words *lang.Catalogue) func(w http.ResponseWriter, r *http.Request, status int, err error) {
	a := &api{Deps: Deps{Words: words}}
	if words == nil {
		a.Words = lang.Default()
	}
	return func(w http.ResponseWriter, _ *http.Request, status int, err error) { a.refuse(w, status, err) }
}

// refuse answers with an error. What went wrong inside is not told.
func (a *api) refuse(w http.ResponseWriter, status int, err error) {
	_ = write(w, status, a.failure(status, err))
}

func (a *api) failure(status int, err error) *Failure {
	f := &Failure{}
	e, ok := errors.AsType[*desk.Error](err)
	if !ok || e.Kind == desk.Internal {
		switch status {
		case http.StatusNotFound:
			e = &desk.Error{Kind: desk.NotFound, Message: lang.M("api.error.no-route"), Hint: lang.M("api.hint.document")}
		case http.StatusForbidden:
			e = &desk.Error{Kind: desk.Denied, Message: lang.M("api.error.forbidden")}
		case http.StatusRequestEntityTooLarge:
			e = &desk.Error{Kind: desk.Limit, Message: lang.M("api.error.large"), Hint: lang.M("api.hint.document")}
		default:
			e = &desk.Error{Kind: desk.Internal, Message: lang.M("api.error.internal"), Hint: lang.M("api.hint.internal")}
		}
	}
	f.Error.Kind, f.Error.Message = e.Kind, a.Words.Render(e.Message)
	if e.Hint.Key != "" {
		hint := a.Words.Render(e.Hint)
		f.Error.Hint = &hint
	}
	return f
}
