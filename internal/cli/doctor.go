package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
)

type doctorCmd struct{}

// Run prints what is configured and what is missing.
func (c *doctorCmd) Run(r *run) error {
	conf, err := config.Load(r.configOptions())
	in := desk.DoctorInput{ConfigError: err}
	deps := desk.DoctorDeps{Words: r.words, Now: r.Now}
	if err == nil { // else it is not known which folder
		in.Writable = writable
		in.ConfigFile, in.Facts, in.DataDir, in.Mailboxes = conf.File, conf.Facts, conf.DataDir, conf.Intake.Mailboxes
		deps.Exceptions = r.Exceptions(conf.DataDir)
		if r.History != nil {
			deps.History = r.History(conf.DataDir)
		}
		deps.ListsError = r.openLists(nil)
		deps.Lists = r.lists
	}
	if len(in.Mailboxes) > 0 && r.hasStore() {
		s, err := r.store()
		if err != nil {
			return err
		}
		defer func() { _ = s.Close() }() // nothing was written
		deps.Mailboxes = s
	}
	checks := desk.Doctor(r.ctx, in, deps)
	wrong := false
	for _, k := range checks {
		wrong = wrong || k.Status == desk.CheckWrong
	}
	err = writeRecords(r, checks, func() {
		marks := map[desk.CheckStatus]string{
			desk.CheckOK: r.style.Paint(term.Harmless, "✓"), desk.CheckMissing: r.style.Paint(term.Suspicious, "–"), desk.CheckWrong: r.style.Paint(term.Malicious, "✕"), desk.CheckInfo: r.style.Paint(term.Dim, "i"),
		}
		width := 0
		for s := range marks {
			width = max(width, term.Width(r.say("cli.doctor.status."+string(s))))
		}
		for _, k := range checks {
			head := "  " + marks[k.Status] + " " + term.Pad(r.say("cli.doctor.status."+string(k.Status)), width) + "  "
			indent := 2 + 1 + 1 + width + 2
			for i, l := range term.Wrap(term.Clean(k.Text.In(r.lang)), max(30, r.columns()-indent)) {
				if i > 0 {
					head = term.Pad("", indent)
				}
				fmt.Fprintln(r.Stdout, head+l)
			}
			if h := k.Hint.In(r.lang); h != "" {
				fmt.Fprintln(r.Stdout, term.Pad("", indent)+r.style.Paint(term.Dim, term.Clean(h)))
			}
		}
	})
	if err == nil && wrong {
		return statusError(exitUsage)
	}
	return err
}

// writable tries to write in dir, or in the folder that it would be made in.
func writable(dir string) error {
	for {
		st, err := os.Stat(dir)
		if err == nil && !st.IsDir() {
			return fmt.Errorf("%s is no folder", dir)
		}
		if err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if !os.IsNotExist(err) || parent == dir {
			return err
		}
		dir = parent
	}
	f, err := os.CreateTemp(dir, ".sekisho-*")
	if err != nil {
		return err
	}
	name := f.Name()
	if err := f.Close(); err != nil {
		return err
	}
	return os.Remove(name)
}
