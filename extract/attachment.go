package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/filetype"
)

// Attachment is a part that a mail program shows as a file or as an image.
type Attachment struct {
	Part      string // ID of the part
	Name      string // file name as the sender gave it, decoded; empty where there is none
	Declared  string // media type as the sender gave it, lower case
	Type      filetype.Type
	Size      int    // bytes, decoded
	SHA256    string // of the decoded content, lower-case hex
	Inline    bool   // shown within the text rather than below it
	ContentID string // without angle brackets
	Encrypted bool   // some of it needs a password
	Macros    bool   // an Office document with a macro project
	Flags     []filetype.Flag

	// Message is the attached message where the part is one.
	Message *eml.Message
}

type fileResult = filetype.Result

// attached reports whether p is a file. A multipart that could not be taken
// apart is text, as mail programs show it.
func attached(p *eml.Part) bool {
	return p.IsAttachment() && !strings.HasPrefix(p.MediaType(), "multipart/")
}

func (r *reader) detect(p *eml.Part) filetype.Result {
	res, ok := r.found[p]
	if !ok {
		r.budget.Spend(len(p.Content()))
		res = filetype.Detect(p.Content(), p.Filename())
		r.found[p] = res
	}
	return res
}

func (r *reader) attachments() []Attachment {
	var out []Attachment
	for p := range r.m.Parts() {
		if !attached(p) {
			continue
		}
		content := p.Content()
		sum := sha256.Sum256(content)
		a := Attachment{
			Part: p.ID(), Name: p.Filename(), Declared: p.MediaType(), Size: len(content), SHA256: hex.EncodeToString(sum[:]),
			Inline: p.Disposition() == "inline" || p.Disposition() == "" && p.ContentID() != "", ContentID: p.ContentID(), Message: p.Embedded(),
		}
		if a.Message != nil {
			// That it could be read as a message is the better answer.
			a.Type = filetype.EML
			out = append(out, a)
			continue
		}
		res := r.detect(p)
		a.Type, a.Encrypted, a.Macros = res.Type, res.Encrypted, res.Macros
		a.Flags = filetype.Mismatch(a.Name, a.Declared, res)
		out = append(out, a)
	}
	return out
}
