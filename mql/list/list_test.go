package list_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/mql/list"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		file       list.File
		want       []string
		skipped    int
	}{
		{"Text", "\ufeff\n# comment\n b.example \r\na.example\n\n  # another\nb.example\n", list.File{}, []string{"b.example", "a.example", "b.example"}, 0},
		{"HashInside", "invoice #1\n", list.File{}, []string{"invoice #1"}, 0},
		{"CaseKept", "Your INVOICE\n", list.File{}, []string{"Your INVOICE"}, 0},
		{"Hosts", "A.Example.\nbücher.example\nb.example.\n*.Odd\n.\n", list.File{Hosts: true}, []string{"a.example", "xn--bcher-kva.example", "b.example", "*.odd"}, 0},
		{"Rank", "1,a.example\n2,b.example\n", list.File{Kind: list.CSV, Columns: []string{"x", "entry"}}, []string{"a.example", "b.example"}, 0},
		{"RankWithoutManifest", "1,a.example\n2,b.example\n", list.File{Kind: list.CSV}, []string{"a.example", "b.example"}, 0},
		{"MiddleColumn", "1,9,a.example,com\n2,8\n3,7,b.example,org\n", list.File{Kind: list.CSV, Columns: []string{"x1", "x2", "entry", "x3"}}, []string{"a.example", "b.example"}, 1},
		{"HeaderLine", "rank,Domain,tld\n1,a.example,example\n", list.File{Kind: list.CSV}, []string{"a.example"}, 0},
		{"HeaderLineWins", "entry,note\na.example,1\n", list.File{Kind: list.CSV, Columns: []string{"x", "entry"}}, []string{"a.example"}, 0},
		{"Quoted", "entry\n\"a, b\"\n\"say \"\"x\"\"\"\n", list.File{Kind: list.CSV}, []string{"a, b", `say "x"`}, 0},
		{"OneColumn", "a.example\n#b.example\n", list.File{Kind: list.CSV}, []string{"a.example"}, 0},
		{"TooLong", strings.Repeat("x", 2001) + "\ny\n", list.File{}, []string{"y"}, 1},
		{"Empty", "", list.File{}, []string{}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := list.Parse([]byte(tc.text), tc.file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&list.Content{Entries: tc.want, Skipped: tc.skipped}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{"UTF16": "\xff\xfea\x00", "Zero": "a\x00b", "Binary": "\x89PNG"} {
		if c, err := list.Parse([]byte(text), list.File{}); err == nil {
			t.Errorf("%s: %v", name, c.Entries)
		}
	}
	if _, err := list.Parse([]byte("\"a\n"), list.File{Kind: list.CSV}); err == nil {
		t.Error("CSV with an open quotation is read")
	}
}

func TestParseManifest(t *testing.T) {
	got, err := list.ParseManifest([]byte(`{"lists": [
		{"file": "tranco.csv", "identifier": "tranco_1m", "display_name": "Ranking", "headers": ["x", "entry"], "format": "hostname"},
		{"file": "words.txt", "identifier": "words", "headers": ["entry"], "other": 1},
		{"file": "../words.txt", "identifier": "up"}, {"file": "a\\b.txt", "identifier": "back"}, {"file": "c:x.txt", "identifier": "drive"},
		{"file": "x.json", "identifier": "kind"}, {"file": "y.txt", "identifier": "not a name"}, {"file": "", "identifier": "none"}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []list.Entry{
		{Name: "tranco_1m", Title: "Ranking", Base: "tranco.csv", File: list.File{Kind: list.CSV, Columns: []string{"x", "entry"}, Hosts: true}},
		{Name: "words", Base: "words.txt", File: list.File{Kind: list.Text, Columns: []string{"entry"}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "[]", `{"lists": 1}`} {
		if _, err := list.ParseManifest([]byte(bad)); err == nil {
			t.Errorf("%q is a manifest", bad)
		}
	}
}

func TestNameOf(t *testing.T) {
	got := map[string]string{}
	for _, f := range []string{"tranco.csv", "tranco_top_10k.csv", "umbrella_top_1m_tld.csv", "my_list.txt", "my list.txt", "1st.txt", "high_top_10.txt", ".txt"} {
		name, ok := list.NameOf(f)
		if !ok {
			name = "-"
		}
		got[f] = name
	}
	want := map[string]string{
		"tranco.csv": "tranco_1m", "tranco_top_10k.csv": "tranco_10k", "umbrella_top_1m_tld.csv": "umbrella_1m_tld",
		"my_list.txt": "my_list", "my list.txt": "-", "1st.txt": "-", "high_top_10.txt": "high_top_10", ".txt": "-",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a\nb\n", "1,a\n2,b", "entry,x\n\"a\",1\n", "\ufeff#\n", "A.EXAMPLE.\n", "rank,domain\n", "\"", ",,,\n"} {
		f.Add([]byte(s), true, false)
		f.Add([]byte(s), false, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, table, hosts bool) {
		file := list.File{Hosts: hosts}
		if table {
			file.Kind = list.CSV
		}
		c, err := list.Parse(data, file)
		if err != nil {
			return
		}
		for _, e := range c.Entries {
			if e == "" || e != strings.TrimSpace(e) {
				t.Fatalf("entry %q of %q", e, c.Entries)
			}
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"lists":[{"file":"a.txt","identifier":"a","headers":["entry"]}]}`))
	f.Add([]byte(`{"lists":[{"file":"../a.txt","identifier":"a"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := list.ParseManifest(data)
		if err != nil && !errors.Is(err, list.ErrTooMuch) && all != nil {
			t.Fatal("entries and an error")
		}
		for _, e := range all {
			if !list.ValidName(e.Name) || strings.ContainsAny(e.Base, `/\`) || e.Base == ".." {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// BenchmarkMillion reads a ranking as large as those that are published.
func BenchmarkMillion(b *testing.B) {
	var text []byte
	for i := range 1_000_000 {
		text = fmt.Appendf(text, "%d,name-%d.example\n", i+1, i)
	}
	text = slices.Clip(text)
	b.ReportAllocs()
	for b.Loop() {
		c, err := list.Parse(text, list.File{Kind: list.CSV, Columns: []string{"x", "entry"}, Hosts: true})
		if err != nil || len(c.Entries) != 1_000_000 {
			b.Fatal(err)
		}
	}
}
