package eml_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset"
	"github.com/jhillyerd/enmime/v2"

	"github.com/sekisho/sekisho/eml"
)

// The benchmarks do the same work on the same mails, those that all three
// readers read without an error: the tree, and every leaf decoded to UTF-8
// where it is text.

func readEML(raw []byte) int {
	n := 0
	for p := range eml.Parse(raw, nil).AllParts() {
		switch {
		case p.IsText():
			n += len(p.Text())
		case p.IsLeaf():
			n += len(p.Content())
		}
	}
	return n
}

func readGoMessage(r io.Reader) (int, error) {
	e, err := message.Read(r)
	if err != nil && !message.IsUnknownCharset(err) {
		return 0, err
	}
	return readGoEntity(e)
}

func readGoEntity(e *message.Entity) (int, error) {
	if mr := e.MultipartReader(); mr != nil {
		n := 0
		for {
			child, err := mr.NextPart()
			if errors.Is(err, io.EOF) {
				return n, nil
			}
			if err != nil && !message.IsUnknownCharset(err) {
				return n, err
			}
			k, err := readGoEntity(child)
			if n += k; err != nil {
				return n, err
			}
		}
	}
	if mt, _, _ := e.Header.ContentType(); strings.EqualFold(mt, "message/rfc822") {
		return readGoMessage(e.Body)
	}
	b, err := io.ReadAll(e.Body)
	return len(b), err
}

var enmimeParser = enmime.NewParser(enmime.DisableCharacterDetection(true))

func readEnmime(raw []byte) (int, error) {
	root, err := enmimeParser.ReadParts(bytes.NewReader(raw))
	if err != nil {
		return 0, err
	}
	n := 0
	root.DepthMatchAll(func(p *enmime.Part) bool {
		n += len(p.Content)
		return false
	})
	return n, nil
}

// benchMails are the mails of the collection that all three read.
var benchMails = sync.OnceValues(func() ([][]byte, int64) {
	var out [][]byte
	var size int64
	for _, f := range corpusPaths() {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if _, err := readGoMessage(bytes.NewReader(raw)); err != nil {
			continue
		}
		if _, err := readEnmime(raw); err != nil {
			continue
		}
		out = append(out, raw)
		size += int64(len(raw))
	}
	return out, size
})

func benchmark(b *testing.B, read func([]byte)) {
	corpus(b)
	mails, size := benchMails()
	if len(mails) == 0 {
		b.Skip("no mail that all read")
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		for _, raw := range mails {
			read(raw)
		}
	}
	b.ReportMetric(float64(len(mails))*float64(b.N)/b.Elapsed().Seconds(), "mails/s")
}

func BenchmarkEML(b *testing.B) { benchmark(b, func(raw []byte) { readEML(raw) }) }

func BenchmarkGoMessage(b *testing.B) {
	benchmark(b, func(raw []byte) { _, _ = readGoMessage(bytes.NewReader(raw)) })
}

func BenchmarkEnmime(b *testing.B) { benchmark(b, func(raw []byte) { _, _ = readEnmime(raw) }) }
