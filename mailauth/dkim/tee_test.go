package dkim

import (
	"hash"
	"io"
)

// tee is a hash that also writes what it is given.
type tee struct {
	hash.Hash
	w io.Writer
}

func (t *tee) Write(b []byte) (int, error) {
	if _, err := t.w.Write(b); err != nil {
		return 0, err
	}
	return t.Hash.Write(b)
}
