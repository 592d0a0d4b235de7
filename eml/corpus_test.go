package eml_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"mime"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"

	"github.com/sekisho/sekisho/eml"
)

func TestCorpusReads(t *testing.T) {
	var slowest time.Duration
	var which string
	codes := map[eml.DefectCode]int{}
	files := corpusFiles(t)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		readAll(raw)
		if d := time.Since(start); d > slowest {
			slowest, which = d, f
		}
		m := eml.Parse(raw, nil)
		checkMessage(t, m, raw)
		for _, d := range m.Defects() {
			codes[d.Code]++
			if d.Lost() {
				t.Errorf("%s: something was lost: %v", which, d)
			}
		}
	}
	if slowest > time.Second && !raceEnabled {
		t.Errorf("%s took %v", which, slowest)
	}
	t.Logf("%d files read; slowest %v; defects %v", len(files), slowest, codes)
}

// decodeIndependently reads raw header bytes with the standard library's
// decoder of encoded words.
func decodeIndependently(raw string) (string, bool) {
	known := true
	d := mime.WordDecoder{CharsetReader: func(label string, r io.Reader) (io.Reader, error) {
		e, _ := charset.Lookup(label)
		if e == nil || e == encoding.Replacement {
			known = false
			return r, nil
		}
		return e.NewDecoder().Reader(r), nil
	}}
	raw = strings.NewReplacer("\r", "", "\n", "").Replace(raw)
	text, err := d.DecodeHeader(raw)
	return text, err == nil && known && utf8.ValidString(text)
}

// TestCorpusSpans draws random stretches of header texts and of names. What
// is exact must stand in the raw message byte for byte; what is not must
// decode to a text that holds it, by a decoder that is not ours.
func TestCorpusSpans(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	exact, decoded, undecodable, names := 0, 0, 0, 0
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for _, path := range corpusFiles(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for p := range eml.Parse(raw, nil).AllParts() {
			if !bytes.Equal(p.Body(), []byte(p.Quote(p.BodySpan()))) {
				t.Fatalf("%s: body of %s", path, p.ID())
			}
			for _, f := range p.Header().Fields() {
				text := f.Text()
				for range 4 {
					if len(text.Text) == 0 {
						break
					}
					from := rnd.IntN(len(text.Text))
					n := 1 + rnd.IntN(min(40, len(text.Text)-from))
					got, quoted := text.Text[from:from+n], p.Quote(text.Span(from, n))
					if text.Exact(from, n) {
						exact++
						if got != quoted {
							t.Errorf("%s: %s: %q stands at %q", path, f.Name(), got, quoted)
						}
						continue
					}
					want, ok := decodeIndependently(quoted)
					switch {
					case ok && strings.Contains(squeeze(want), squeeze(strings.ToValidUTF8(got, ""))):
						decoded++
					case !ok || strings.Contains(got, "\uFFFD"):
						undecodable++ // raw 8-bit text and mistakes the standard library gives up on
					case strings.Contains(quoted, "=?") && strings.Contains(want, "=?"):
						undecodable++ // the standard library left a word as it is
					default:
						t.Errorf("%s: %s: %q stands at %q, which reads %q", path, f.Name(), got, quoted, want)
					}
				}
				if !isAddressField(f) {
					continue
				}
				for _, a := range f.Addresses() {
					if a.Name == "" {
						continue
					}
					quoted := p.Quote(a.NameSpan)
					want, ok := decodeIndependently(strings.NewReplacer(`\`, "", `"`, "").Replace(quoted))
					name := strings.NewReplacer(`\`, "", `"`, "").Replace(a.Name)
					switch {
					case squeeze(want) == squeeze(name):
						names++
					case !ok || strings.Contains(name, "\uFFFD") || strings.Contains(want, "=?") || strings.Contains(quoted, "(") || strings.Contains(quoted, "\x1b"):
						undecodable++
					default:
						t.Errorf("%s: %s: name %q stands at %q, which reads %q", path, f.Name(), a.Name, quoted, want)
					}
				}
			}
		}
	}
	t.Logf("%d exact spans, %d decoded spans, %d names; %d that only eml decodes", exact, decoded, names, undecodable)
	if exact < 10_000 || decoded < 100 || names < 1000 {
		t.Error("too few to prove anything")
	}
}

func isAddressField(f eml.Field) bool {
	return slices.ContainsFunc([]string{"From", "To", "Cc", "Reply-To", "Sender"}, f.Is)
}
