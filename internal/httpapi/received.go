package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Bounds on what is handed in at once.
const (
	maxUpload = 64 << 20 // bytes of all files
	maxFiles  = 500
	maxItems  = 1000 // mails in them
	maxJSON   = 1 << 20
)

// file is a file that was handed in.
type file struct {
	name string // "" where nobody named it
	data []byte
}

// nameParam names the one file of a body.
var nameParam = param{name: "name", kind: "string", about: "What the file is called in the answer."}

// received reads the body of a request: one file, or several as
// multipart/form-data (RFC 7578).
func received(r *http.Request) ([]file, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "multipart/form-data" {
		b, err := whole(r.Body, r.ContentLength)
		if err != nil {
			return nil, err
		}
		if len(b) == 0 {
			return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.empty"), Hint: lang.M("api.hint.document")}
		}
		return []file{{r.URL.Query().Get(nameParam.name), b}}, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, formError(err)
	}
	var out []file
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, formError(err)
		}
		if p.FileName() == "" {
			continue // a field of a form is no file
		}
		if len(out) == maxFiles {
			return nil, &desk.Error{Kind: desk.Limit, Message: lang.M("api.error.files", "n", maxFiles)}
		}
		b, err := whole(p, 0)
		if err != nil {
			return nil, formError(err)
		}
		out = append(out, file{p.FileName(), b})
	}
	if len(out) == 0 {
		return nil, &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.empty"), Hint: lang.M("api.hint.document")}
	}
	return out, nil
}

// whole reads to the end. The route bounds how much that is.
func whole(from io.Reader, expected int64) ([]byte, error) {
	var b bytes.Buffer
	if expected > 0 && expected <= maxUpload {
		b.Grow(int(expected) + bytes.MinRead)
	}
	_, err := b.ReadFrom(from)
	return b.Bytes(), err
}

// formError says that a form is none, unless it was cut off for its size.
func formError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.form"), Err: err}
}

// read decodes a JSON body. A key that does not exist is an error: what it was
// meant to say would be lost.
func read(r *http.Request, to any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(to)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("more than one value")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("api.error.json"), Hint: lang.M("api.hint.document"), Err: err}
}

// items yields the mails of files under the names of the files. over is set where
// there are more than maxItems.
func (a *api) items(ctx context.Context, files []file, over *bool) iter.Seq[desk.Item] {
	return func(yield func(desk.Item) bool) {
		n := 0
		for _, f := range files {
			for it := range a.Read(ctx, bytes.NewReader(f.data)) {
				if n++; n > maxItems {
					*over = true
					return
				}
				it.File = named(f.name, it.File)
				if !yield(it) {
					return
				}
			}
		}
	}
}

// named puts the name of a file in the place of the "-" of standard input, as
// which it was read.
func named(name, file string) string {
	if name == "" {
		return file
	}
	return name + strings.TrimPrefix(file, "-")
}

// reports yields the files in which reports may be.
func (a *api) reports(ctx context.Context, files []file) iter.Seq[desk.ReportFile] {
	return func(yield func(desk.ReportFile) bool) {
		for _, f := range files {
			for x := range a.ReadReports(ctx, bytes.NewReader(f.data)) {
				x.Name = named(f.name, x.Name)
				if !yield(x) {
					return
				}
			}
		}
	}
}
