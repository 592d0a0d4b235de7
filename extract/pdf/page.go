package pdf

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
)

// sortStreams puts the streams that stand last in the file first.
func sortStreams(list []*stream, data []byte) {
	place := func(s *stream) int {
		if len(s.raw) == 0 {
			return 0
		}
		return cap(data) - cap(s.raw) // raw is a part of data
	}
	slices.SortFunc(list, func(a, b *stream) int {
		return cmp.Or(cmp.Compare(place(b), place(a)), cmp.Compare(b.id.num, a.id.num))
	})
}

// sorted returns the numbers of all objects in order, so that a run repeats.
func (f *file) sorted() []ref {
	return slices.SortedFunc(maps.Values(f.latest), func(a, b ref) int { return cmp.Compare(a.num, b.num) })
}

// pages reads the tree of pages (7.7.3), or without a usable one every page
// object.
func (f *file) pages() {
	root := f.dictOf(f.trailer["Root"])
	if root == nil || root["Pages"] == nil {
		for _, id := range f.sorted() {
			if d := f.dictOf(id); d != nil && f.resolve(d["Type"]) == name("Catalog") {
				root = d
			}
		}
	}
	seen := map[ref]bool{}
	f.tree(root["Pages"], dict{}, 0, seen)
	if f.doc.Pages == 0 {
		for _, id := range f.sorted() {
			if d := f.dictOf(id); d != nil && f.resolve(d["Type"]) == name("Page") {
				f.page(d, dict{}, id)
			}
		}
	}
}

// tree reads a node of the tree of pages with what it inherits.
func (f *file) tree(v any, inherited dict, depth int, seen map[ref]bool) {
	id, _ := v.(ref)
	if id.num > 0 {
		if seen[id] {
			return
		}
		seen[id] = true
	}
	d := f.dictOf(v)
	if d == nil || depth > maxNesting || !f.budget.Spend(1) {
		return
	}
	kids, isNode := f.resolve(d["Kids"]).(array)
	if !isNode {
		f.page(d, inherited, id)
		return
	}
	below := inherited
	if r, ok := d["Resources"]; ok {
		below = dict{"Resources": r}
	}
	for _, k := range kids {
		f.tree(k, below, depth+1, seen)
	}
}

func (f *file) page(d, inherited dict, id ref) {
	f.doc.Pages++
	if f.doc.Pages > MaxPages {
		f.doc.Truncated = true
		return
	}
	resources := f.dictOf(d["Resources"])
	if resources == nil {
		resources = f.dictOf(inherited["Resources"])
	}
	var content bytes.Buffer
	for _, x := range f.list(d["Contents"]) {
		if s, ok := f.resolve(x).(*stream); ok {
			data, _ := f.decode(s)
			content.Write(data)
			content.WriteByte('\n')
		}
	}
	t := &painter{file: f, page: f.doc.Pages, fonts: map[ref]*font{}}
	t.run(content.Bytes(), resources, identity, 0)
	f.doc.Text = append(f.doc.Text, t.text())
	for _, x := range f.list(d["Annots"]) {
		a := f.dictOf(x)
		if a == nil {
			continue
		}
		f.action(a["A"], owner(x, id), 0)
		more := f.dictOf(a["AA"])
		for _, event := range slices.Sorted(maps.Keys(more)) {
			f.action(more[event], owner(x, id), 0)
		}
		if f.resolve(a["Subtype"]) == name("FileAttachment") {
			f.attach(a["FS"], owner(x, id))
		}
	}
}

// action reads what happens at a click (12.6), and what follows.
func (f *file) action(v any, id ref, depth int) {
	a := f.dictOf(v)
	if a == nil || depth > 8 {
		return
	}
	id = owner(v, id)
	if a["URI"] != nil {
		f.link(f.text(a["URI"], owner(a["URI"], id)), f.doc.Pages)
	}
	for _, next := range f.list(a["Next"]) {
		f.action(next, id, depth+1)
	}
}

// link adds a place unless it is known; one on a page counts more than one that
// was found without.
func (f *file) link(url string, page int) {
	url = strings.TrimSpace(url)
	if url == "" || len(url) > 8192 {
		return
	}
	for i := range f.doc.Links {
		if l := &f.doc.Links[i]; l.URL == url && (l.Page == page || page == 0) {
			return
		}
	}
	if len(f.doc.Links) >= MaxLinks {
		f.doc.Truncated = true
		return
	}
	f.doc.Links = append(f.doc.Links, Link{url, page})
}

// actions looks at every object for what leads out of the document or starts
// something, wherever it hides.
func (f *file) actions() {
	root := f.dictOf(f.trailer["Root"])
	if root["OpenAction"] != nil {
		if _, jump := f.resolve(root["OpenAction"]).(array); !jump {
			f.doc.OpenAction = true
		}
	}
	for _, id := range f.sorted() {
		f.walk(f.objects[id], id, 0)
	}
}

func (f *file) walk(v any, id ref, depth int) {
	if depth > maxNesting || !f.budget.Spend(1) {
		return
	}
	switch v := v.(type) {
	case array:
		for _, x := range v {
			f.walk(x, id, depth+1)
		}
	case *stream:
		f.walk(v.dict, id, depth)
	case dict:
		switch f.resolve(v["S"]) {
		case name("JavaScript"):
			f.doc.JavaScript = true
		case name("Launch"), name("GoToR"), name("GoToE"), name("ImportData"):
			f.doc.Launch = true
		case name("SubmitForm"):
			f.doc.Form = true
			if target := f.dictOf(v["F"]); target != nil {
				f.link(f.text(target["F"], id), 0)
			} else {
				f.link(f.text(v["F"], id), 0)
			}
		}
		if v["JS"] != nil {
			f.doc.JavaScript = true
		}
		if v["AA"] != nil && v["Type"] == name("Catalog") {
			f.doc.OpenAction = true
		}
		if fields, ok := f.resolve(v["Fields"]).(array); ok && len(fields) > 0 {
			f.doc.Form = true
		}
		if !f.doc.Locked {
			if v["URI"] != nil && v["S"] == name("URI") {
				f.link(f.text(v["URI"], owner(v["URI"], id)), 0)
			}
			if v["EF"] != nil {
				f.attachDict(v, id)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if key != "Parent" {
				f.walk(v[key], id, depth+1)
			}
		}
	}
}

func (f *file) attach(v any, id ref) {
	if d := f.dictOf(v); d != nil {
		f.attachDict(d, owner(v, id))
	}
}

// attachDict reads an embedded file (7.11.4).
func (f *file) attachDict(d dict, id ref) {
	n := f.text(d["UF"], id)
	if n == "" {
		n = f.text(d["F"], id)
	}
	ef := f.dictOf(d["EF"])
	for _, key := range []name{"UF", "F"} {
		s, ok := f.resolve(ef[key]).(*stream)
		if !ok {
			continue
		}
		for _, have := range f.doc.Files {
			if have.Name == n {
				return
			}
		}
		if len(f.doc.Files) >= MaxFiles {
			f.doc.Truncated = true
			return
		}
		data, _ := f.decode(s)
		f.doc.Files = append(f.doc.Files, File{n, data})
		return
	}
}
