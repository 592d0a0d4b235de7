package fetch

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// counter ends with ErrTooLarge after limit bytes. The limit holds on both sides
// of a decompression: a stream of nothing but empty blocks never yields a byte.
type counter struct {
	r        io.Reader
	left     int64
	read     int64
	progress func(int64)
}

func (c *counter) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	c.read += int64(n)
	if c.left -= int64(n); c.left < 0 {
		return 0, ErrTooLarge
	}
	if c.progress != nil {
		c.progress(c.read)
	}
	return n, err
}

// readBody reads a body of at most limit bytes.
func readBody(resp *http.Response, limit int64, progress func(int64)) ([]byte, error) {
	// A server that lies about the length is caught below.
	if resp.ContentLength > limit {
		return nil, ErrTooLarge
	}
	wire := &counter{r: resp.Body, left: limit, progress: progress}
	var r io.Reader = wire
	switch coding := strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding"))); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(wire)
		if err != nil {
			return nil, decoding(err)
		}
		r = &counter{r: z, left: limit}
	default:
		return nil, ErrEncoding
	}
	var b bytes.Buffer
	if resp.ContentLength > 0 {
		b.Grow(int(min(resp.ContentLength, 1<<20)))
	}
	if _, err := b.ReadFrom(r); err != nil {
		return nil, decoding(err)
	}
	return b.Bytes(), nil
}

// decoding tells damage of the coding from what the network does.
func decoding(err error) error {
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || isCorrupt(err) {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return err
}
