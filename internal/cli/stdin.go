package cli

import (
	"context"
	"io"
	"sync"
)

// interruptible reads from r until ctx ends. A read from a terminal or a pipe
// cannot be called off; it is left behind.
type interruptible struct {
	ctx    context.Context
	r      io.Reader
	begin  sync.Once
	chunks chan chunk
	rest   []byte
	err    error
}

type chunk struct {
	b   []byte
	err error
}

func newInterruptible(ctx context.Context, r io.Reader) io.Reader {
	if r == nil {
		return nil
	}
	return &interruptible{ctx: ctx, r: r, chunks: make(chan chunk)}
}

// Read implements [io.Reader]. It returns the error of the context once that
// has ended.
func (i *interruptible) Read(p []byte) (int, error) {
	i.begin.Do(func() { go i.pump() })
	if len(i.rest) == 0 && i.err == nil {
		select {
		case c := <-i.chunks:
			i.rest, i.err = c.b, c.err
		case <-i.ctx.Done():
			i.err = i.ctx.Err()
		}
	}
	if len(i.rest) > 0 {
		n := copy(p, i.rest)
		i.rest = i.rest[n:]
		return n, nil
	}
	return 0, i.err
}

func (i *interruptible) pump() {
	for {
		b := make([]byte, 64<<10)
		n, err := i.r.Read(b)
		select {
		case i.chunks <- chunk{b[:n], err}:
		case <-i.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}
