package office

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/extract/archive"
)

// zip reads a document that is a ZIP archive.
func (r *reader) zip(a *archive.Archive) {
	d := r.doc
	d.Encrypted = a.Encrypted
	d.Truncated = a.Truncated
	parts := slices.Clone(a.Entries)
	// Slides and sheets in the order of their numbers.
	slices.SortStableFunc(parts, func(x, y archive.Entry) int { return numberIn(x.Name) - numberIn(y.Name) })
	targets := map[string]map[string]string{} // of the parts, by relationship
	read := 0
	for pass := range 2 {
		for i := range parts {
			e := &parts[i]
			name := strings.TrimPrefix(strings.ReplaceAll(e.Name, `\`, "/"), "/")
			kind := partKind(name)
			if e.Folder || (kind == partRelations) != (pass == 0) || kind == partOther {
				continue
			}
			if read++; read > maxParts {
				d.Truncated = true
				return
			}
			limit := maxPart
			if kind == partFile || kind == partPicture || kind == partMacros {
				limit = MaxFile
			}
			b, err := e.Content(limit, r.budget)
			if err != nil {
				d.Truncated = d.Truncated || !e.Encrypted
				if len(b) == 0 {
					continue
				}
			}
			if kind != partFile && kind != partPicture && kind != partMacros && !r.budget.Spend(2*len(b)) {
				d.Truncated = true
				return
			}
			r.part(kind, name, b, targets)
		}
	}
}

// part reads one part.
func (r *reader) part(kind, name string, b []byte, targets map[string]map[string]string) {
	switch kind {
	case partRelations:
		owner := path.Join(path.Dir(path.Dir(name)), strings.TrimSuffix(path.Base(name), ".rels"))
		targets[owner] = r.relations(owner, newScanner(b))
	case partText:
		if name == "content.xml" {
			r.openDocument(newScanner(b))
			return
		}
		r.body(newScanner(b), targets[name])
	case partStrings:
		r.strings(newScanner(b))
	case partSheet:
		r.sheet(newScanner(b), targets[name])
	case partCore:
		r.core(newScanner(b))
	case partApp:
		r.app(newScanner(b))
	case partCustom:
		r.custom(newScanner(b))
	case partData:
		r.connections(newScanner(b))
	case partPicture:
		r.doc.Images++
		r.file(name, b)
	case partMacros:
		r.macros(b)
		r.file(name, b)
	case partMacroSheet:
		r.macroSheet(b)
	case partFile:
		r.file(name, b)
	}
}

// What the parts of a document are.
const (
	partOther      = ""
	partRelations  = "relations"
	partText       = "text"
	partStrings    = "strings"
	partSheet      = "sheet"
	partCore       = "core"
	partApp        = "app"
	partCustom     = "custom"
	partData       = "data"
	partPicture    = "picture"
	partMacros     = "macros"
	partMacroSheet = "macro-sheet"
	partFile       = "file"
)

// partKind tells what a part is by its name. Programs find parts by their
// relationships and not by names, but every program gives these names, and
// viewers that scan mail rely on them too.
func partKind(name string) string {
	n := strings.ToLower(name)
	dir, base := path.Split(n)
	isXML := strings.HasSuffix(base, ".xml")
	switch {
	case strings.HasSuffix(base, ".rels"):
		return partRelations
	case base == "vbaproject.bin":
		return partMacros
	case strings.Contains(dir, "/macrosheets/") || strings.Contains(dir, "/dialogsheets/"):
		return partMacroSheet
	case dir == "docprops/" && base == "core.xml":
		return partCore
	case dir == "docprops/" && base == "app.xml":
		return partApp
	case dir == "docprops/" && base == "custom.xml", n == "meta.xml":
		return partCustom
	case dir == "word/" && isXML && (strings.HasPrefix(base, "document") || strings.HasPrefix(base, "header") || strings.HasPrefix(base, "footer") || base == "footnotes.xml" || base == "endnotes.xml" || base == "comments.xml"),
		strings.HasPrefix(dir, "ppt/slides/") && isXML, strings.HasPrefix(dir, "ppt/notesslides/") && isXML, n == "content.xml", strings.HasPrefix(dir, "xl/drawings/") && isXML:
		return partText
	case n == "xl/sharedstrings.xml":
		return partStrings
	case strings.HasPrefix(dir, "xl/worksheets/") && isXML:
		return partSheet
	case n == "xl/connections.xml" || strings.HasPrefix(dir, "xl/externallinks/") && isXML:
		return partData
	case strings.Contains(dir, "media/") || dir == "pictures/":
		return partPicture
	case strings.Contains(dir, "embeddings/") || strings.Contains(dir, "activex/") && strings.HasSuffix(base, ".bin"):
		return partFile
	}
	return partOther
}

// numberIn returns the number at the end of a part's name, 0 if there is none.
func numberIn(name string) int {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	n, _ := strconv.Atoi(strings.TrimLeft(base, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"))
	return max(0, n)
}

// relations reads the relationships of a part, and returns the targets outside
// by their names.
func (r *reader) relations(owner string, x *scanner) map[string]string {
	out := map[string]string{}
	for x.next() {
		if x.name != "Relationship" || x.end {
			continue
		}
		target := x.attr("Target")
		external := strings.EqualFold(x.attr("TargetMode"), "External")
		if !external || target == "" {
			continue
		}
		kind := x.attr("Type")
		kind = kind[strings.LastIndexByte(kind, '/')+1:]
		if len(r.doc.Relationships) >= MaxRelationships {
			r.doc.Truncated = true
			break
		}
		r.doc.Relationships = append(r.doc.Relationships, Relationship{Name: kind, Target: target, Part: owner})
		switch kind {
		case "hyperlink":
			out[x.attr("Id")] = target
		case "attachedTemplate":
			r.link(target, "", Template)
		case "image":
			r.link(target, "", Picture)
		case "externalLinkPath", "connections":
			r.link(target, "", Data)
		default:
			r.link(target, "", Object)
		}
	}
	return out
}

// body reads a part that shows text: of a Word document, a slide or a drawing.
func (r *reader) body(x *scanner, targets map[string]string) {
	w := bodyWalk{reader: r, targets: targets, used: map[string]bool{}}
	for x.next() {
		w.tag(x)
	}
	w.flush()
	w.endField()
	// Links of pictures and the like, which have no text.
	for _, id := range slices.Sorted(maps.Keys(targets)) {
		if !w.used[id] {
			r.link(targets[id], "", Hyperlink)
		}
	}
}

type bodyWalk struct {
	*reader
	targets map[string]string
	used    map[string]bool

	href    string          // of the link that the text belongs to
	until   string          // the element that ends it
	visible strings.Builder // its text
	inRun   bool
	code    strings.Builder // of a field
}

func (w *bodyWalk) begin(id, until string) {
	w.flush()
	w.href, w.until, w.used[id] = w.targets[id], until, true
}

func (w *bodyWalk) flush() {
	if w.href != "" {
		w.link(w.href, w.visible.String(), Hyperlink)
	}
	w.href, w.until = "", ""
	w.visible.Reset()
}

// maxCode bounds the code of a field and the text of a link, in bytes.
const maxCode = 4 << 10

func (w *bodyWalk) tag(x *scanner) {
	if x.end {
		switch x.name {
		case "p":
			w.line()
		case "r":
			w.inRun = false
		}
		if x.name == w.until || w.until == "sp" && (x.name == "pic" || x.name == "graphicFrame") {
			w.flush()
		}
		return
	}
	switch x.name {
	case "Fallback":
		x.inner() // the same again, for programs of long ago
	case "t":
		s := x.inner()
		w.write(s)
		if w.href != "" && w.visible.Len() < maxCode {
			w.visible.WriteString(s)
		}
	case "tab":
		w.write("\t")
	case "br", "cr":
		w.line()
	case "p":
		if x.empty {
			w.line()
		}
	case "r":
		w.inRun = !x.empty
	case "hyperlink":
		w.begin(x.attr("id"), x.name)
		if x.empty {
			w.flush()
		}
	case "hlinkClick":
		if w.inRun {
			w.begin(x.attr("id"), "r")
		} else {
			w.begin(x.attr("id"), "sp") // all of the shape
		}
	case "fldSimple":
		w.field(x.attr("instr"))
	case "fldChar":
		w.endField()
	case "instrText":
		if s := x.inner(); w.code.Len() < maxCode {
			w.code.WriteString(s)
		}
	}
}

func (w *bodyWalk) endField() {
	w.field(w.code.String())
	w.code.Reset()
}

// field reads the code of a field (ECMA-376 part 1, section 17.16.5).
func (r *reader) field(code string) {
	words := fieldWords(code)
	if len(words) == 0 {
		return
	}
	switch name := strings.ToUpper(words[0]); name {
	case "HYPERLINK", "INCLUDEPICTURE", "INCLUDETEXT", "IMPORT", "LINK":
		kind := map[string]LinkKind{"HYPERLINK": Hyperlink, "INCLUDEPICTURE": Picture, "IMPORT": Picture}[name]
		if kind == "" {
			kind = Object
		}
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, `\`) && (name != "LINK" || strings.Contains(w, "/")) {
				r.link(w, "", kind)
				break
			}
		}
	case "DDE", "DDEAUTO":
		r.doc.DDE = true
		r.property("DDE", strings.Join(words[1:], " "))
	}
}

// fieldWords takes the code of a field apart at blanks outside of quotes.
func fieldWords(code string) []string {
	const maxWords = 20
	var out []string
	for code = strings.TrimSpace(code); code != "" && len(out) < maxWords; code = strings.TrimSpace(code) {
		if code[0] == '"' || strings.HasPrefix(code, "\u201c") {
			code = strings.TrimLeft(code, "\"\u201c\u201d")
			i := strings.IndexAny(code, "\"\u201d")
			if i < 0 {
				i = len(code)
			}
			out = append(out, code[:i])
			code = strings.TrimLeft(code[i:], "\"\u201d")
			continue
		}
		i := strings.IndexAny(code, " \t\r\n\"")
		if i < 0 {
			i = len(code)
		}
		out = append(out, code[:i])
		code = code[i:]
	}
	return out
}

// openDocument reads the content of an OpenDocument (ODF 1.3 part 3).
func (r *reader) openDocument(x *scanner) {
	depth, href := 0, ""
	var visible strings.Builder
	for x.next() {
		switch x.name {
		case "":
			if depth > 0 {
				r.write(x.text)
				if href != "" && visible.Len() < maxCode {
					visible.WriteString(x.text)
				}
			}
		case "p", "h":
			switch {
			case x.end:
				depth = max(0, depth-1)
				r.line()
			case x.empty:
				r.line()
			default:
				depth++
			}
		case "tab", "s":
			r.write(" ")
		case "line-break":
			r.line()
		case "a":
			if href != "" {
				r.link(href, visible.String(), Hyperlink)
			}
			visible.Reset()
			href = ""
			if !x.end {
				href = x.attr("href")
			}
		case "image", "object":
			if u := x.attr("href"); strings.Contains(u, "://") {
				r.link(u, "", Picture)
			}
		}
	}
}

// strings reads the texts of the cells of a workbook.
func (r *reader) strings(x *scanner) {
	for x.next() {
		switch {
		case x.name == "t" && !x.end:
			r.write(x.inner())
		case x.name == "rPh" && !x.end:
			x.inner() // how it is read aloud
		case x.name == "si" && x.end:
			r.line()
		}
	}
}

// sheet reads a sheet: its formulas, links, and texts that stand in it.
func (r *reader) sheet(x *scanner, targets map[string]string) {
	used := map[string]bool{}
	for x.next() {
		if x.end {
			continue
		}
		switch x.name {
		case "is":
			r.write(strings.TrimSpace(x.inner()))
			r.line()
		case "f":
			r.formula(x.inner())
		case "hyperlink":
			id := x.attr("id")
			if t := targets[id]; t != "" {
				used[id] = true
				r.link(t, x.attr("display"), Hyperlink)
			}
		case "oddHeader", "oddFooter":
			r.write(x.inner())
			r.line()
		}
	}
	for _, id := range slices.Sorted(maps.Keys(targets)) {
		if !used[id] {
			r.link(targets[id], "", Hyperlink)
		}
	}
}

// formula reads what a formula fetches or opens.
func (r *reader) formula(f string) {
	upper := strings.ToUpper(f)
	for _, fn := range []struct {
		name string
		kind LinkKind
	}{{"HYPERLINK(", Hyperlink}, {"WEBSERVICE(", Data}, {"IMAGE(", Picture}} {
		i := strings.Index(upper, fn.name)
		if i < 0 {
			continue
		}
		if rest := strings.TrimSpace(f[i+len(fn.name):]); strings.HasPrefix(rest, `"`) {
			if url, after, ok := strings.Cut(rest[1:], `"`); ok {
				visible := ""
				if _, v, ok := strings.Cut(after, `"`); ok {
					visible, _, _ = strings.Cut(v, `"`)
				}
				r.link(url, visible, fn.kind)
			}
		}
	}
	// A program, a bar, a topic: =cmd|'/c calc'!A1
	if i := strings.IndexByte(f, '|'); i > 0 && strings.IndexByte(f[i:], '!') > 0 && !strings.ContainsAny(f[:i], `"{`) {
		r.doc.DDE = true
		r.property("DDE", f)
	}
}

// connections reads from where a workbook takes data.
func (r *reader) connections(x *scanner) {
	for x.next() {
		if x.end {
			continue
		}
		switch x.name {
		case "webPr":
			r.link(x.attr("url"), "", Data)
		case "ddeLink":
			r.doc.DDE = true
			r.property("DDE", x.attr("ddeService")+" "+x.attr("ddeTopic"))
		}
	}
}

// coreNames are the elements of docProps/core.xml, and of meta.xml of an
// OpenDocument, as ExifTool names them.
var coreNames = map[string]string{
	"title": "Title", "subject": "Subject", "creator": "Creator", "keywords": "Keywords", "description": "Description", "lastModifiedBy": "LastModifiedBy",
	"revision": "RevisionNumber", "created": "CreateDate", "modified": "ModifyDate", "lastPrinted": "LastPrinted", "category": "Category", "contentStatus": "ContentStatus",
	"language": "Language", "version": "Version",
	"initial-creator": "Initial-creator", "generator": "Generator", "creation-date": "Creation-date", "keyword": "Keyword",
}

func (r *reader) core(x *scanner) {
	for x.next() {
		if name := coreNames[x.name]; name != "" && !x.end {
			r.property(name, x.inner())
		}
	}
}

var appNames = map[string]string{
	"Template": "Template", "TotalTime": "TotalEditTime", "Pages": "Pages", "Words": "Words", "Characters": "Characters", "Application": "Application",
	"Company": "Company", "Manager": "Manager", "AppVersion": "AppVersion", "Slides": "Slides", "Lines": "Lines", "Paragraphs": "Paragraphs", "HyperlinkBase": "HyperlinkBase",
	"PresentationFormat": "PresentationTarget",
}

func (r *reader) app(x *scanner) {
	d := r.doc
	for x.next() {
		if x.end {
			continue
		}
		switch name := appNames[x.name]; {
		case x.name == "TitlesOfParts":
			r.property("TitlesOfParts", list(x))
		case x.name == "HLinks":
			r.property("Hyperlinks", list(x))
		case name != "":
			v := x.inner()
			n, _ := strconv.Atoi(strings.TrimSpace(v))
			switch name {
			case "Pages":
				d.Pages = max(0, n)
			case "Words":
				d.Words = max(0, n)
			case "Slides":
				d.Slides = max(0, n)
			}
			r.property(name, v)
		}
	}
}

// list returns the texts of a vector as ExifTool writes a list in JSON.
func list(x *scanner) string {
	const maxItems = 100
	var out []string
	for depth := 1; depth > 0 && !x.empty && x.next(); {
		switch {
		case x.name == "":
		case x.end:
			depth--
		case x.name == "lpstr" || x.name == "lpwstr":
			if s := x.inner(); len(out) < maxItems {
				out = append(out, strconv.Quote(s))
			}
		case !x.empty:
			depth++
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "[" + strings.Join(out, ",") + "]"
}

// custom reads properties that somebody defined, and the metadata of an
// OpenDocument.
func (r *reader) custom(x *scanner) {
	name := ""
	for x.next() {
		switch {
		case x.end:
		case x.name == "property":
			name = x.attr("name")
		case name != "" && (x.name == "lpwstr" || x.name == "lpstr" || x.name == "filetime" || x.name == "i4" || x.name == "bool"):
			r.property(name[:min(len(name), 100)], x.inner())
			name = ""
		case coreNames[x.name] != "":
			r.property(coreNames[x.name], x.inner())
		}
	}
}
