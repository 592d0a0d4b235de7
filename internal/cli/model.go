package cli

import (
	"encoding/json"
	"os"

	"github.com/sekisho/sekisho/internal/desk"
)

type modelCmd struct {
	Paths []string `arg:"" name:"path"`
}

// Run prints the Message Data Model of every message of the named inputs: a
// document for a single mail, and else an array.
func (c *modelCmd) Run(r *run) error {
	items := r.Walk(r.ctx, c.Paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize})
	list := []json.RawMessage{}
	unread, mailbox := false, !oneFile(c.Paths)
	for m := range desk.Models(r.ctx, items, desk.QueryDeps{Facts: r.config.Facts, Words: r.words}) {
		switch {
		case m.Error != nil:
			unread = true
			r.warnAbout(placeOf(m.File, m.Index), m.Error)
		case r.flags.Output == "ndjson":
			if err := r.writeRecord(m.Model); err != nil {
				return err
			}
		default:
			mailbox = mailbox || m.Index > 0
			list = append(list, m.Model)
		}
	}
	if r.flags.Output != "ndjson" && (len(list) > 0 || !unread) {
		var v any = list
		if len(list) == 1 && !mailbox {
			v = list[0]
		}
		if err := r.writeRecord(v); err != nil {
			return err
		}
	}
	if unread || r.ctx.Err() != nil {
		return statusError(exitUnread)
	}
	return nil
}

// oneFile reports whether the input is a single file, whose JSON is one object
// rather than an array.
func oneFile(paths []string) bool {
	if len(paths) != 1 {
		return false
	}
	if paths[0] == "-" {
		return true
	}
	st, err := os.Stat(paths[0])
	return err == nil && st.Mode().IsRegular()
}
