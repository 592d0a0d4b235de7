package mdm

import (
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/office"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	docxShape = value.NewShape("StrelkaDocX", "author", "category", "comments", "created", "font_colors", "image_count", "keywords", "last_printed", "modified", "revision", "subject", "title", "word_count")
	pptxShape = value.NewShape("StrelkaPPTX", "author", "category", "comments", "created", "image_count", "invalid_urls", "keywords", "last_modified_by", "last_printed", "modified", "revision",
		"slide_count", "subject", "title", "urls", "word_count")
	vbaShape = value.NewShape("StrelkaVBA", "auto_exec", "base64", "dridex", "hex", "ioc", "suspicious", "total_extracted", "total_files", "vba_obfuscated")

	oletoolsShape   = value.NewShape("OletoolsResult", "error", "indicators", "macros", "relationships")
	indicatorsShape = value.NewShape("OletoolsIndicators", "container_format", "encryption", "external_relationships", "file_format", "flash_objects", "object_pool", "vba_macros")
	boolShape       = value.NewShape("OletoolsBoolIndicator", "exists", "risk")
	countShape      = value.NewShape("OletoolsIntIndicator", "count", "risk")
	wordShape       = value.NewShape("OletoolsStringIndicator", "risk", "value")
	macrosShape     = value.NewShape("OletoolsVBAMacros", "keywords", "modules", "vba_code_all_modules")
	keywordShape    = value.NewShape("OletoolsMacroKeyword", "description", "keyword", "type")
	moduleShape     = value.NewShape("OletoolsVBAModule", "form_string", "form_variables", "ole_stream", "vba_code", "vba_file_name")
	relationShape   = value.NewShape("OletoolsObjRelationship", "name", "target", "target_url")

	exifShape = value.NewShape("StrelkaExifTool", "author", "command_line_arguments", "create_date", "creator", "exif_tool_version", "fields", "file_permissions", "file_type", "file_type_extension", "flags",
		"hot_key", "image_height", "image_width", "linearized", "local_base_path", "modify_date", "page_count", "pdf_version", "producer", "relative_path", "run_window", "source_file",
		"target_file_dos_name", "title", "zip_bit_flag", "zip_compressed_size", "zip_file_name", "zip_modify_date", "zip_uncompressed_size")
	keyValueShape = value.NewShape("StrelkaKeyVal", "key", "value")
)

// exifNames are the members that are fields by another name.
var exifNames = map[string]string{
	"author": "Author", "create_date": "CreateDate", "creator": "Creator", "linearized": "Linearized", "modify_date": "ModifyDate", "pdf_version": "PDFVersion", "producer": "Producer",
	"title": "Title", "zip_bit_flag": "ZipBitFlag", "zip_compressed_size": "ZipCompressedSize", "zip_file_name": "ZipFileName", "zip_uncompressed_size": "ZipUncompressedSize",
	"image_height": "ImageHeight", "image_width": "ImageWidth",
}

// exiftool is what the file tells about its making, in the words of ExifTool.
// Of a picture in a document nothing is known but its size.
func (n *node) exiftool() value.Value {
	// What a shortcut does stands in a format that is not read here.
	if n.Type == filetype.LNK {
		return value.Missing(noScanner)
	}
	return value.Of(exifShape.Lazy(func(name string) value.Value {
		switch name {
		case "fields":
			return value.Of(value.LazyList(n.exifFields))
		case "file_type":
			return n.text(strings.ToUpper(string(n.Type)))
		case "file_type_extension":
			return n.text(string(n.Type))
		case "page_count":
			if p := n.Pages(); p > 0 {
				return value.Int(int64(p)).At(n.origin())
			}
			return value.Null
		case "flags":
			return value.Array()
		case "pdf_version":
			if f, err := strconv.ParseFloat(n.Field("PDFVersion"), 64); err == nil {
				return n.text(strconv.FormatFloat(f, 'f', -1, 64))
			}
			return value.Null
		case "image_height", "image_width", "zip_bit_flag", "zip_compressed_size", "zip_uncompressed_size":
			if i, err := strconv.ParseInt(n.Field(exifNames[name]), 10, 64); err == nil {
				return value.Int(i).At(n.origin())
			}
			return value.Null
		}
		if key := exifNames[name]; key != "" {
			return n.text(n.Field(key))
		}
		return value.Null
	}).At(n.origin()))
}

func (n *node) exifFields() []value.Value {
	out := []value.Value{n.keyValue("FileType", strings.ToUpper(string(n.Type))), n.keyValue("MIMEType", mimeOf(n.File)), n.keyValue("FileSize", strconv.Itoa(n.Size))}
	for _, f := range n.Metadata() {
		out = append(out, n.keyValue(f.Key, f.Value))
	}
	return n.known(out)
}

func (n *node) keyValue(key, v string) value.Value {
	return value.Of(keyValueShape.New(value.String(key), value.Text(v, n.origin())).At(n.origin()))
}

// office is what a scanner of Office documents tells.
func (n *node) office(scanner string) value.Value {
	d := n.Office()
	locked := n.PDF() != nil && n.PDF().Locked
	if scanner == "encrypted_doc" && (locked || d != nil && d.Encrypted) {
		// Passwords are not guessed.
		return value.Of(crackedShape.New(value.Missing(noScanner)).At(n.origin()))
	}
	if d == nil {
		return value.Null
	}
	number := func(i int) value.Value { return value.Int(int64(i)).At(n.origin()) }
	property := func(name string) value.Value { return n.text(d.Property(name)) }
	revision := value.Null
	if i, err := strconv.Atoi(d.Property("RevisionNumber")); err == nil {
		revision = number(i)
	}
	words := len(strings.Fields(d.Text))
	switch {
	case scanner == "docx" && n.Type == filetype.DOCX:
		return value.Of(docxShape.New(property("Creator"), property("Category"), property("Description"), property("CreateDate"), value.Array(), number(d.Images), property("Keywords"), property("LastPrinted"),
			property("ModifyDate"), revision, property("Subject"), property("Title"), number(words)).At(n.origin()))
	case scanner == "pptx" && n.Type == filetype.PPTX:
		good, bad := n.urls(n.written())
		return value.Of(pptxShape.New(property("Creator"), property("Category"), property("Description"), property("CreateDate"), number(d.Images), bad, property("Keywords"), property("LastModifiedBy"),
			property("LastPrinted"), property("ModifyDate"), revision, number(d.Slides), property("Subject"), property("Title"), good, number(words)).At(n.origin()))
	case scanner == "vba" && d.Macros != nil:
		list := func(kind office.KeywordKind) value.Value {
			var out []string
			for _, k := range d.Macros.Keywords {
				if k.Kind == kind {
					out = append(out, k.Word)
				}
			}
			return n.texts(out)
		}
		files := number(len(d.Macros.Modules))
		return value.Of(vbaShape.New(list(office.AutoExec), list(office.Base64), value.Array(), list(office.Hex), list(office.IOC), list(office.Suspicious), files, files, value.Array()).At(n.origin()))
	case scanner == "rtf" && n.Type == filetype.RTF, scanner == "ole" && (n.Type == filetype.DOC || n.Type == filetype.XLS || n.Type == filetype.PPT || n.Type == filetype.OLE):
		return value.Of(extractedShape[scanner].New(number(len(n.Children()))).At(n.origin()))
	}
	return value.Null
}

// oletools is what the tools of that name tell about an Office document: null
// for a file that is none.
func oletools(n *node) value.Value {
	d := n.Office()
	if d == nil {
		return value.Null
	}
	if n.Exhausted() {
		return value.Missing(outOfBudget)
	}
	o := n.origin()
	yes := func(b bool) value.Value { return value.Bool(b).At(o) }
	word := func(s string) value.Value { return value.Text(s, o) }
	risk := func(is bool, s string) value.Value {
		if is {
			return word(s)
		}
		return word("none")
	}
	container := "OLE"
	switch {
	case n.Type == filetype.RTF:
		container = "RTF"
	case len(n.Data) > 1 && n.Data[0] == 'P' && n.Data[1] == 'K':
		container = "OpenXML"
	}
	// The names that oleid gives to formats.
	format := map[filetype.Type]string{
		filetype.DOC: "MS Word 97-2003 Document or Template", filetype.XLS: "MS Excel 97-2003 Workbook or Template", filetype.PPT: "MS PowerPoint 97-2003 Presentation or Template",
		filetype.DOCX: "MS Word 2007+ Document (.docx)", filetype.XLSX: "MS Excel 2007+ Workbook (.xlsx)", filetype.PPTX: "MS PowerPoint 2007+ Presentation (.pptx)", filetype.RTF: "RTF",
	}[n.Type]
	macroRisk := "none"
	suspicious := false
	var keywords, modules, relations []value.Value
	source := ""
	if d.Macros != nil {
		var all strings.Builder
		for _, k := range d.Macros.Keywords {
			suspicious = suspicious || k.Kind == office.Suspicious
			keywords = append(keywords, value.Of(keywordShape.New(value.Null, word(k.Word), word(string(k.Kind))).At(o)))
		}
		for _, s := range d.Macros.Modules {
			all.WriteString(s.Source + "\n")
			modules = append(modules, value.Of(moduleShape.New(value.Null, value.Null, word(s.Name), word(s.Source), word(s.Name)).At(o)))
		}
		source = all.String()
		if macroRisk = "medium"; suspicious {
			macroRisk = "high"
		}
	}
	for _, r := range d.Relationships {
		u, _ := n.url(r.Target)
		relations = append(relations, value.Of(relationShape.New(word(r.Name), word(r.Target), u).At(o)))
	}
	external := len(d.Relationships)
	indicators := indicatorsShape.New(
		value.Of(wordShape.New(word("info"), word(container))),
		value.Of(boolShape.New(yes(d.Encrypted), risk(d.Encrypted, "low")).At(o)),
		value.Of(countShape.New(value.Int(int64(external)).At(o), risk(external > 0, "high")).At(o)),
		value.Of(wordShape.New(word("info"), n.text(format))),
		value.Null, value.Null,
		value.Of(boolShape.New(yes(d.Macros != nil), word(macroRisk)).At(o)),
	)
	return value.Of(oletoolsShape.New(value.Null, value.Of(indicators), value.Of(macrosShape.New(value.Array(keywords...), value.Array(modules...), n.text(source)).At(o)), value.Array(n.known(relations)...)).At(o))
}
