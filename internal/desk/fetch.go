package desk

import (
	"context"
	"time"
)

// Fetcher gets what others publish over HTTP. Addresses may come from hostile
// content: an implementation connects to public addresses only, and bounds
// bytes and time.
type Fetcher interface {
	// Get returns what is at an address. An answer of the server, whatever its
	// status, is a value; the error is an [*Error] that says why there is none.
	Get(ctx context.Context, address string, o *FetchOptions) (*Fetched, error)
}

// FetchOptions changes one request. Nil has the defaults.
type FetchOptions struct {
	ETag         string            // of the copy at hand; the server then answers 304 if it is still the newest
	LastModified string            // the same with a date, as the server wrote it
	Accept       string            // media types, as in RFC 9110, section 12.5.1
	MaxBytes     int64             // of the body, decoded; 0 is the default of the fetcher
	Timeout      time.Duration     // for all of it; 0 is the default of the fetcher
	Progress     func(bytes int64) // called with the bytes read so far; may be nil
}

// Fetched is an answer.
type Fetched struct {
	URL          string // where it came from in the end
	Status       int    // of HTTP
	ETag         string
	LastModified string
	ContentType  string
	RetryAfter   time.Duration // how long the server asks to wait; 0 if it does not
	Body         []byte        // of an answer with a status of 2xx; nil otherwise
	SHA256       string        // of Body, hexadecimal
	At           time.Time     // when it was there
	Took         time.Duration
}

// NotModified reports whether the copy at hand is still the newest.
func (f *Fetched) NotModified() bool { return f.Status == 304 }

// OK reports whether there is a body.
func (f *Fetched) OK() bool { return f.Status >= 200 && f.Status <= 299 }

// GitFetcher reads repositories over https.
type GitFetcher interface {
	// Export returns the files of the newest commit as a tar archive of at most
	// maxBytes, and the name of the commit. Nothing of the repository is run.
	Export(ctx context.Context, address string, maxBytes int64) (tar []byte, commit string, err error)
}
