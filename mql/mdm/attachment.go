package mdm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/value"
)

var attachmentShape = value.NewShape("Attachment", "file_name", "file_extension", "file_type", "content_type", "content_transfer_encoding",
	"content_id", "content_disposition", "size", "md5", "sha1", "sha256", "raw")

// File is what an attachment was made from: see [value.Object.Source].
type File struct {
	Part    *eml.Part
	Name    string
	Type    filetype.Type
	Message *eml.Message // where the part is a message
}

// attachments are all leaves but the texts that stand for the body, so inline
// images, calendar entries and the parts of a bounce as well. An attached
// message is one attachment.
func (m *Model) attachments() []value.Value {
	known := map[string]extract.Attachment{}
	for _, a := range m.read().Attachments {
		known[a.Part] = a
	}
	body := map[string]bool{m.read().Body.Part: true}
	for _, html := range []bool{true, false} {
		if p := m.textPart(html); p != nil {
			body[p.ID()] = true
		}
	}
	for _, s := range m.read().Body.Further {
		body[s.Part] = true
	}
	var out []value.Value
	for p := range m.in.Mail.Parts() {
		a, is := known[p.ID()]
		if !is && (!p.IsLeaf() || body[p.ID()] || p.MediaType() == "text/plain" || p.MediaType() == "text/html") {
			continue
		}
		if !is && len(p.Content()) == 0 {
			continue
		}
		out = append(out, m.attachment(p, a, is))
	}
	return out
}

func (m *Model) attachment(p *eml.Part, a extract.Attachment, known bool) value.Value {
	f := &File{Part: p, Name: p.Filename(), Message: p.Embedded(), Type: a.Type}
	if !known {
		m.in.Budget.Spend(len(p.Content()))
		f.Type = filetype.Detect(p.Content(), p.Filename()).Type
	}
	o := value.Place(finding.Where{Part: p.ID()})
	text := func(s string) value.Value {
		if s == "" {
			return value.Null
		}
		return value.Text(s, o)
	}
	return value.Of(attachmentShape.Lazy(func(name string) value.Value {
		switch name {
		case "file_name":
			return text(f.Name)
		case "file_extension":
			return text(filetype.Extension(f.Name))
		case "file_type":
			if modelType(f.Type) {
				return text(string(f.Type))
			}
			return text("unknown")
		case "content_type":
			return text(p.MediaType())
		case "content_transfer_encoding":
			return text(p.Encoding())
		case "content_id":
			return text(p.ContentID())
		case "content_disposition":
			return text(p.Disposition())
		case "size":
			return value.Int(int64(len(p.Content()))).At(o)
		}
		if !m.in.Budget.Spend(len(p.Content())) {
			return value.Missing(outOfBudget)
		}
		switch name {
		case "md5":
			sum := md5.Sum(p.Content())
			return text(hex.EncodeToString(sum[:]))
		case "sha1":
			sum := sha1.Sum(p.Content())
			return text(hex.EncodeToString(sum[:]))
		case "sha256":
			sum := sha256.Sum256(p.Content())
			return text(hex.EncodeToString(sum[:]))
		}
		return text(base64.StdEncoding.EncodeToString(p.Content()))
	}).At(o).For(f))
}

// modelType reports whether the model has a name for the type (the enumeration
// of file_type in the published schema).
func modelType(t filetype.Type) bool {
	switch t {
	case "3gp", "7z", "Z", "aac", "aiff", "amr", "ar", "avi", "bmp", "bz2", "cab", "cr2", "crx", "dcm", "deb", "dex", "dey", "doc", "docx", "dwg",
		"elf", "eot", "epub", "exe", "flac", "flv", "gif", "gz", "heif", "html", "ico", "ics", "iso", "jp2", "jpg", "jxr", "lz", "m4a", "m4v", "macho",
		"mid", "mkv", "mov", "mp3", "mp4", "mpg", "nes", "ogg", "otf", "pdf", "png", "ppt", "pptx", "ps", "psd", "rar", "rpm", "rtf", "sqlite", "svg",
		"swf", "tar", "tif", "ttf", "wasm", "wav", "webm", "webp", "wmv", "woff", "woff2", "xls", "xlsx", "xz", "zip", "zst":
		return true
	}
	return false
}
