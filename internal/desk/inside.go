package desk

import (
	"slices"

	"github.com/sekisho/sekisho/extract/file"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
)

// Pictures that are smaller, in pixels, have no room for a text.
const (
	leastTextWidth  = 200
	leastTextHeight = 60
)

// maxClosed is how many files are named that could not be looked into.
const maxClosed = 3

// inside tells what in the attached files was not looked at.
func (a *assessment) inside() []finding.Need {
	if a.content == nil {
		return nil
	}
	pictures, cut := false, a.content.FilesCut()
	var closed []string
	for i := range a.files {
		p := a.msg.Part(a.files[i].Part)
		if p == nil || a.files[i].Message != nil {
			continue
		}
		for f := range a.content.File(p).All() {
			pictures, cut = pictures || showsText(f), cut || f.Cut()
			name := f.Path()
			if f.Parent != nil {
				name = a.files[i].Name + "/" + name
			}
			if isClosed(f) && !slices.Contains(closed, name) {
				closed = append(closed, name)
			}
		}
	}
	var out []finding.Need
	add := func(m lang.Message, cause finding.Cause) {
		out = append(out, finding.Need{Capability: "attachment_content", Detail: m, Cause: cause})
	}
	if pictures {
		add(lang.M("judge.need.attachment-pictures"), finding.NotConfigured)
	}
	if len(closed) > 0 {
		add(lang.M("judge.need.attachment-closed", "names", closed[:min(len(closed), maxClosed)]), finding.NotConfigured)
	}
	if cut {
		add(lang.M("judge.need.attachment-cut"), finding.Budget)
	}
	return out
}

// showsText reports whether the file is a picture with room for a text.
func showsText(f *file.File) bool {
	if f.Type.Class() != filetype.Image || f.Type == filetype.SVG || f.Kind == file.Page {
		return false
	}
	i := f.Picture()
	return i == nil || i.Width == 0 || i.Width >= leastTextWidth && i.Height >= leastTextHeight
}

// isClosed reports whether there is something in the file that cannot be had.
func isClosed(f *file.File) bool {
	if f.Packed {
		return false // the archive around it is named
	}
	if a := f.Archive(); a != nil {
		return a.Encrypted || a.Hidden || slices.ContainsFunc(f.Children(), func(c *file.File) bool { return c.Packed })
	}
	if d := f.PDF(); d != nil {
		return d.Locked
	}
	if d := f.Office(); d != nil {
		return d.Encrypted
	}
	// Archives of a kind that is not read here.
	return f.Encrypted || f.Type.Class() == filetype.Archive && len(f.Data) > 0
}
