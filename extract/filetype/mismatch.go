package filetype

import (
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Flag is something about the name or the declared type of a file that serves
// to mislead.
type Flag string

// The flags.
const (
	WrongExtension  Flag = "wrong-extension"  // the content is of another type than the extension says
	WrongMediaType  Flag = "wrong-media-type" // the content is of another class than the declared type
	DoubleExtension Flag = "double-extension" // "invoice.pdf.exe"
	Reversed        Flag = "reversed-name"    // U+202E or another character that turns the name around
	Padded          Flag = "padded-name"      // blanks push the extension out of sight
	Dangerous       Flag = "dangerous"        // opening it runs something
	HTMLFile        Flag = "html-file"        // opens in a browser without an address to look at
)

// Extension returns the extension of name in lower case without its dot, empty
// where there is none. Trailing dots and blanks do not count: Windows drops
// them.
func Extension(name string) string {
	name = strings.TrimRight(name, ". \u00a0")
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i > 24 {
		return ""
	}
	return strings.ToLower(strings.TrimFunc(name[i+1:], func(r rune) bool { return unicode.Is(unicode.Cf, r) || unicode.IsSpace(r) }))
}

// dangerous are the extensions that Windows or a program that comes with it
// runs, mounts, or follows. The source is Outlook's list of blocked attachments
// (support.microsoft.com, "Blocked attachments in Outlook") and what attackers
// use beside it.
var dangerous = []string{
	"ade", "adp", "app", "appcontent-ms", "application", "appref-ms", "appx", "appxbundle", "asp", "aspx", "asx", "bas", "bat", "bgi", "cab", "cer", "chm", "cmd", "cnt", "com", "cpl", "crt", "csh",
	"der", "diagcab", "dll", "exe", "fxp", "gadget", "grp", "hlp", "hpj", "hta", "htc", "img", "inf", "ins", "iqy", "iso", "isp", "its", "jar", "jnlp", "js", "jse", "ksh", "library-ms", "lnk", "mad", "maf", "mag", "mam",
	"maq", "mar", "mas", "mat", "mau", "mav", "maw", "mcf", "mda", "mdb", "mde", "mdt", "mdw", "mdz", "msc", "msh", "msi", "msix", "msixbundle", "msp", "mst", "msu", "one", "ops", "osd", "pcd", "pif", "pl", "plg", "prf", "prg", "printerexport",
	"ps1", "ps1xml", "ps2", "ps2xml", "psc1", "psc2", "psd1", "psdm1", "psm1", "pst", "py", "pyc", "pyo", "pyw", "pyz", "pyzw", "rdp", "reg", "scf", "scr", "sct", "search-ms", "settingcontent-ms", "shb", "shs", "slk", "sys", "theme", "themepack", "tmp",
	"udl", "url", "vb", "vbe", "vbp", "vbs", "vhd", "vhdx", "vsmacros", "vsw", "webpnp", "website", "wll", "ws", "wsb", "wsc", "wsf", "wsh", "xbap", "xll", "xnk",
}

// IsDangerous reports whether opening a file with that extension runs
// something.
func IsDangerous(ext string) bool {
	_, found := slices.BinarySearch(dangerous, strings.ToLower(ext))
	return found
}

// covers are the extensions that a double extension shows to the reader.
var covers = []string{"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt", "jpg", "jpeg", "png", "gif", "mp3", "mp4", "wav", "csv", "rtf", "eml", "msg", "tif", "tiff", "zip", "htm", "html"}

// Mismatch compares name and declared media type with what a file was found to
// be.
func Mismatch(name, declared string, found Result) []Flag {
	var flags []Flag
	ext := Extension(name)
	class := found.Type.Class()
	known := found.Type != Unknown && found.Type != Empty
	if ext != "" && known && wrongExtension(ext, found.Type) {
		flags = append(flags, WrongExtension)
	}
	if known && wrongMediaType(strings.ToLower(declared), found.Type) {
		flags = append(flags, WrongMediaType)
	}
	if isDouble(name, ext) {
		flags = append(flags, DoubleExtension)
	}
	if strings.ContainsAny(name, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068") {
		flags = append(flags, Reversed)
	}
	if strings.Contains(name, "     ") || strings.Contains(name, "\u3000\u3000\u3000") || strings.Contains(name, "\u00a0\u00a0\u00a0\u00a0") || strings.Contains(name, "\u2800\u2800") || strings.Contains(name, "_______________") {
		flags = append(flags, Padded)
	}
	if IsDangerous(ext) || class == Executable || class == Script || class == Disk {
		flags = append(flags, Dangerous)
	}
	if found.Type == HTML || found.Type == SVG || ext == "html" || ext == "htm" || ext == "shtml" || ext == "xhtml" || ext == "svg" || ext == "mht" || ext == "mhtml" {
		flags = append(flags, HTMLFile)
	}
	return flags
}

// wrongExtension reports whether a program that goes by the extension is handed
// something else. Unknown extensions are not wrong, nor is any on plain text.
func wrongExtension(ext string, t Type) bool {
	if slices.Contains(t.Extensions(), ext) {
		return false
	}
	k, known := byExtension(ext)
	if !known {
		// "invoice.20260529" is no extension; a program without its own is.
		return t.Class() == Executable && t != "url" && !IsDangerous(ext)
	}
	switch {
	case t == Text:
		// A log, a mail, a signature: text in anything that is meant to be text.
		switch k {
		case Script, Markup, Mail, Other, Certs:
			return false
		default:
			return ext != "csv" && ext != "rtf"
		}
	case t == XML || t == "json":
		return k != Markup && k != Other && k != Script && k != Document
	case t == ZIP:
		return k != Archive && k != Document && k != Executable || ext == "pdf"
	case t == HTML && k == Script, t == EML && (k == Mail || k == Other || ext == "mht"):
		return false
	}
	// A picture that another picture's program opens misleads nobody.
	return k != t.Class() || k == Document || k == Executable || k == Script
}

func byExtension(ext string) (Class, bool) {
	c, ok := extensionClass()[ext]
	return c, ok
}

// extensionClass gives the class of every extension. Where types share one, a
// type of that name comes first, then the order of the alphabet.
var extensionClass = sync.OnceValue(func() map[string]Class {
	m := map[string]Class{}
	for _, t := range Types() {
		for e := range strings.FieldsSeq(types[t].extensions) {
			if _, ok := m[e]; !ok {
				m[e] = types[t].class
			}
		}
	}
	for t, k := range types {
		m[strings.ToLower(string(t))] = k.class
	}
	return m
})

func wrongMediaType(declared string, t Type) bool {
	switch declared {
	case "", "application/octet-stream", "application/unknown", "application/binary", "application/x-download", "application/force-download", "binary/octet-stream", "text/plain":
		// What senders write who do not know.
		return declared == "text/plain" && t.Class() != Other && t.Class() != Script && t.Class() != Certs && t.Class() != Markup && t.Class() != Mail && t != "csv"
	}
	if matchesMedia(declared, t) {
		return false
	}
	wrong := false
	for other, k := range types {
		if other == t || !matchesMedia(declared, other) {
			continue
		}
		if k.class == t.Class() && k.class != Document ||
			other == ZIP && zipped(t) ||
			t == ZIP && (k.class == Document || k.class == Executable) ||
			t == Text && k.class != Image && k.class != Document {
			return false
		}
		wrong = true
	}
	return wrong
}

// zipped reports whether files of type t are ZIP archives.
func zipped(t Type) bool {
	for _, m := range zipMembers {
		if m.t == t {
			return true
		}
	}
	return strings.HasPrefix(string(t), "od") || t == "epub"
}

func matchesMedia(declared string, t Type) bool {
	for m := range strings.FieldsSeq(types[t].media) {
		if prefix, ok := strings.CutSuffix(m, "*"); ok && strings.HasPrefix(declared, prefix) || m == declared {
			return true
		}
	}
	return false
}

// isDouble reports whether the name shows a harmless extension in front of one
// that runs something.
func isDouble(name, ext string) bool {
	if !IsDangerous(ext) && ext != "html" && ext != "htm" && ext != "svg" && ext != "shtml" {
		return false
	}
	i := strings.LastIndexByte(strings.TrimRight(name, ". \u00a0"), '.')
	if i < 0 {
		return false
	}
	return slices.Contains(covers, Extension(name[:i]))
}
