package compound_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/sekisho/sekisho/eml/compound"
	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

func item() []byte {
	return outlooktest.MSG(outlooktest.Message{Subject: "x", Text: "hello there"})
}

// names lists what is in a file, storages with a slash.
func names(f *compound.File, at int, prefix string, out []string) []string {
	for name, i := range f.Children(at) {
		if f.IsStorage(i) {
			out = names(f, i, prefix+name+"/", append(out, prefix+name+"/"))
			continue
		}
		out = append(out, prefix+name)
	}
	return out
}

func TestOpen(t *testing.T) {
	f, err := compound.Open(item())
	if err != nil {
		t.Fatal(err)
	}
	all := names(f, compound.Root, "", nil)
	for _, want := range []string{"__PROPERTIES_VERSION1.0", "__NAMEID_VERSION1.0/", "__NAMEID_VERSION1.0/__SUBSTG1.0_00020102"} {
		if !slices.Contains(all, want) {
			t.Errorf("%s is not in %q", want, all)
		}
	}
	at := f.Children(compound.Root)["__SUBSTG1.0_1000001F"]
	if b := f.Stream(at); !bytes.Contains(b, []byte("h\x00e\x00l\x00l\x00o\x00")) || len(b) != f.Size(at) {
		t.Errorf("the body is %q of %d bytes", b, f.Size(at))
	}
	if !f.IsStorage(compound.Root) || f.IsStorage(at) {
		t.Error("storages are not told from streams")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(item())
	f.Add(item()[:600])
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := compound.Open(in)
		if err != nil {
			if !errors.Is(err, compound.ErrFormat) {
				t.Error(err)
			}
			return
		}
		todo, seen := []int{compound.Root}, 0
		for len(todo) > 0 {
			at := todo[0]
			todo = todo[1:]
			for _, i := range c.Children(at) {
				if seen++; seen > len(in) {
					t.Fatal("more entries than bytes")
				}
				if c.IsStorage(i) {
					todo = append(todo, i)
				} else if len(c.Stream(i)) > len(in) {
					t.Errorf("a stream of %d bytes in %d", len(c.Stream(i)), len(in))
				}
			}
		}
	})
}
