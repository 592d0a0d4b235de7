package mdm

import (
	"bytes"
	"strings"

	"github.com/sekisho/sekisho/extract/file"
	"github.com/sekisho/sekisho/extract/filetype"
)

// flavor is how the tools that the published rules were written for call a
// type: libmagic its media type, and the rules of Strelka its flavor.
type flavor struct{ mime, yara string }

var flavorsOf = map[filetype.Type]flavor{
	filetype.Text: {"text/plain", ""}, filetype.HTML: {"text/html", "html_file"}, filetype.SVG: {"image/svg+xml", "svg_file"}, filetype.XML: {"text/xml", "xml_file"},
	filetype.PDF: {"application/pdf", "pdf_file"}, filetype.RTF: {"text/rtf", "rtf_file"}, filetype.ZIP: {"application/zip", "zip_file"},
	filetype.DOC: {"application/msword", "olecf_file"}, filetype.XLS: {"application/vnd.ms-excel", "olecf_file"}, filetype.PPT: {"application/vnd.ms-powerpoint", "olecf_file"},
	filetype.OLE: {"application/CDFV2", "olecf_file"}, filetype.MSG: {"application/vnd.ms-outlook", "olecf_file"}, filetype.MSI: {"application/x-msi", "olecf_file"}, "ooxml": {"application/encrypted", "olecf_file"},
	filetype.DOCX: {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "ooxml_file"},
	filetype.XLSX: {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "ooxml_file"},
	filetype.PPTX: {"application/vnd.openxmlformats-officedocument.presentationml.presentation", "ooxml_file"}, "xlsb": {"application/vnd.ms-excel.sheet.binary.macroEnabled.12", "ooxml_file"},
	"odt": {"application/vnd.oasis.opendocument.text", "zip_file"}, "ods": {"application/vnd.oasis.opendocument.spreadsheet", "zip_file"}, "jar": {"application/java-archive", "zip_file"}, "apk": {"application/vnd.android.package-archive", "zip_file"},
	filetype.EML: {"message/rfc822", "email_file"}, "mht": {"message/rfc822", "mhtml_file"}, filetype.TNEF: {"application/vnd.ms-tnef", "tnef_file"}, filetype.ICS: {"text/calendar", ""}, filetype.VCF: {"text/vcard", ""},
	filetype.JPEG: {"image/jpeg", "jpeg_file"}, filetype.PNG: {"image/png", "png_file"}, filetype.GIF: {"image/gif", "gif_file"}, "bmp": {"image/bmp", "bmp_file"}, "webp": {"image/webp", ""}, "tif": {"image/tiff", ""}, "psd": {"image/vnd.adobe.photoshop", "psd_file"},
	filetype.EXE: {"application/x-dosexec", "mz_file"}, "dll": {"application/x-dosexec", "mz_file"}, "elf": {"application/x-executable", "elf_file"}, "macho": {"application/x-mach-binary", "macho_file"}, filetype.LNK: {"application/x-ms-shortcut", "lnk_file"},
	filetype.ISO: {"application/x-iso9660-image", "iso_file"}, "cab": {"application/vnd.ms-cab-compressed", "cab_file"}, "7z": {"application/x-7z-compressed", "_7zip_file"}, "rar": {"application/x-rar", "rar_file"},
	"gz": {"application/gzip", "gzip_file"}, "bz2": {"application/x-bzip2", "bzip2_file"}, "xz": {"application/x-xz", "xz_file"}, "tar": {"application/x-tar", "tar_file"}, "xar": {"application/x-xar", "xar_file"}, "arj": {"application/x-arj", "arj_file"}, "rpm": {"application/x-rpm", "rpm_file"},
	"js": {"application/javascript", "javascript_file"}, "vbs": {"text/plain", "vb_file"}, "bat": {"text/x-msdos-batch", "batch_file"}, "hta": {"text/html", "hta_file"}, "php": {"text/x-php", "php_file"}, "ps1": {"text/plain", ""}, "wsf": {"text/xml", "javascript_file"},
	"json": {"application/json", "json_file"}, "csv": {"text/csv", ""}, "ps": {"application/postscript", "postscript_file"}, "swf": {"application/x-shockwave-flash", "cws_file"}, "mp3": {"audio/mpeg", "mp3_file"}, "avi": {"video/x-msvideo", "avi_file"}, "wmv": {"video/x-ms-asf", "wmv_file"},
	filetype.P7S: {"application/pkcs7-signature", "pkcs7_file"}, "pem": {"text/plain", "x509_pem_file"}, "cer": {"application/octet-stream", "x509_der_file"}, "asc": {"text/PGP", "pgp_file"}, "plist": {"text/xml", "plist_file"}, "url": {"application/x-mswinurl", "ini_file"},
	filetype.Empty: {"application/x-empty", ""},
}

func mimeOf(f *file.File) string {
	if x, ok := flavorsOf[f.Type]; ok {
		return x.mime
	}
	return "application/octet-stream"
}

// flavors are the rules of Strelka that the file fits.
func flavors(f *file.File) []string {
	var out []string
	x := flavorsOf[f.Type]
	if x.yara != "" {
		out = append(out, x.yara)
	}
	if x.yara == "ooxml_file" {
		out = append(out, "zip_file")
	}
	if a := f.Archive(); a != nil && a.Encrypted && strings.HasPrefix(string(f.Data[:min(2, len(f.Data))]), "PK") {
		out = append(out, "encrypted_zip")
	}
	if d := f.Office(); d != nil && d.Encrypted {
		out = append(out, "encrypted_word_document")
	}
	if hasEncodedProgram(f) {
		out = append(out, "base64_pe")
	}
	return out
}

// encodedPrograms are how a program for Windows begins in base64: "MZ" and the
// usual bytes that follow.
var encodedPrograms = [][]byte{[]byte("TVqQAAMAAAAEAAAA"), []byte("TVpQAAIAAAAEAA8A"), []byte("TVoAAAAAAAAAAAAA"), []byte("TVpBUlVIieVIgewg"), []byte("TVqAAAEAAAAEABAA"), []byte("TVpAAAAAAAAAAAAA")}

func hasEncodedProgram(f *file.File) bool {
	if !f.IsText() {
		return false
	}
	b := f.Data
	if f.Kind == file.Script {
		b = []byte(f.Raw())
	}
	for _, p := range encodedPrograms {
		if bytes.Contains(b, p) {
			return true
		}
	}
	return false
}
