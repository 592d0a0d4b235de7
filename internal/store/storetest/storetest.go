// Package storetest says as tests what a store has to do, whatever it keeps
// things in.
//
// A store passes the suite of each noun that it implements:
//
//	storetest.News(t, func(t *testing.T, dir string) storetest.NewsStore { ... })
//
// The function that is passed opens the store in a folder. A suite opens the
// same folder more than once, one after the other and at the same time.
package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
)

// at is a fixed time that all suites count from, with the precision that a store
// has to keep.
func at(hours int) time.Time {
	return time.Date(2026, 5, 8, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
}

// noErr ends the test at an error.
func noErr(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantKind ends the test unless err is an error of that kind.
func wantKind(t *testing.T, err error, kind desk.ErrorKind) {
	t.Helper()
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != kind {
		t.Fatalf("the error is %v, want one of kind %s", err, kind)
	}
}

// cancelled is a context that has ended.
func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
