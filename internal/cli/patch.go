package cli

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/patch/calendar"
	"github.com/sekisho/sekisho/patch/inventory"
)

type patchCmd struct {
	Check    patchCheckCmd    `cmd:""`
	Update   patchUpdateCmd   `cmd:""`
	Calendar patchCalendarCmd `cmd:""`
}

type patchCheckCmd struct {
	Inventory []string `sep:"none" required:"" placeholder:"FILE"`
	Device    string   `placeholder:"NAME"`
	Silent    int      `default:"14" placeholder:"DAYS"`
	All       bool
	Format    string `enum:"text,html" default:"text" placeholder:"FORM"`
	Audience  string `enum:"manager,admin" default:"manager" placeholder:"WHO"`
	Drafts    string `placeholder:"DIR"`
	FailOn    string `enum:"never,behind,exploited" default:"never" placeholder:"STATE"`
}

const maxPatchRows = 200 // in text; other forms have them all

// Run compares inventories with what was released.
func (c *patchCheckCmd) Run(r *run) error {
	if c.Silent < 1 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--silent"), Hint: lang.M("cli.hint.usage", "help", "sekisho help patch check")}
	}
	in := &desk.PatchInput{Device: c.Device, SilentDays: c.Silent}
	for _, name := range c.Inventory {
		data, err := r.patchFile(name)
		if err != nil {
			return err
		}
		in.Files = append(in.Files, desk.PatchFile{Name: name, Data: data})
	}
	deps := r.patchDeps()
	report, err := desk.CheckPatches(r.ctx, in, deps)
	if err != nil {
		return err
	}
	unread := report.Unread > 0
	for i := range report.Files {
		if e := report.Files[i].Error; e != nil {
			unread = true
			r.warnAbout(report.Files[i].File, e)
		}
	}
	switch {
	case c.Drafts != "":
		doc, err := desk.AdvisePatches(report, deps)
		if err != nil {
			return err
		}
		if err := (&adviseWriteCmd{Out: c.Drafts}).files(r, doc, desk.AdviseDeps{Facts: deps.Facts, Words: r.words, Now: r.Now}); err != nil {
			return err
		}
	case c.Format == "html":
		page, err := desk.PatchPage(report, desk.PatchAudience(c.Audience), r.lang, r.words)
		if err != nil {
			return err
		}
		fmt.Fprint(r.Stdout, page)
	case r.flags.Output == "csv":
		if err := r.patchCSV(report); err != nil {
			return err
		}
	case r.flags.Output == "ndjson":
		for i := range report.Results {
			if err := r.writeRecord(&report.Results[i]); err != nil {
				return err
			}
		}
	case r.flags.Output == "json":
		if err := r.writeRecord(report); err != nil {
			return err
		}
	default:
		c.text(r, report)
	}
	if c.fails(report) {
		return statusError(exitFindings)
	}
	if unread {
		return statusError(exitUnread)
	}
	return nil
}

func (c *patchCheckCmd) fails(p *desk.PatchReport) bool {
	switch c.FailOn {
	case "exploited":
		return p.Exploited > 0
	case "behind":
		return slices.ContainsFunc(p.Counts, func(n desk.PatchCount) bool { return n.Status == patch.Behind || n.Status == patch.EndOfLife })
	}
	return false
}

func (r *run) patchDeps() *desk.PatchDeps {
	d := &desk.PatchDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now}
	if r.Patch != nil {
		d.Store = r.Patch(r.dataDir())
	}
	return d
}

// patchFile reads a file, or standard input.
func (r *run) patchFile(name string) ([]byte, error) {
	var from io.Reader
	if name == "-" {
		from = newInterruptible(r.ctx, r.Stdin)
	} else {
		f, err := os.Open(name)
		if err != nil {
			e := &desk.Error{Kind: desk.NotFound, Message: lang.M("patch.error.open", "file", name, "error", err.Error()), Hint: lang.M("patch.hint.formats"), Err: err}
			if errors.Is(err, fs.ErrNotExist) {
				e.Message = lang.M("patch.error.missing", "file", name)
			}
			return nil, e
		}
		defer func() { _ = f.Close() }() // nothing was written
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, inventory.MaxBytes+1))
	if err != nil {
		return nil, &desk.Error{Kind: desk.Unavailable, Message: lang.M("patch.error.open", "file", name, "error", err.Error()), Hint: lang.M("patch.hint.formats"), Err: err}
	}
	return data, nil
}

func patchSymbol(s patch.Status) (string, term.Role) {
	switch s {
	case patch.Behind:
		return "●", term.Malicious
	case patch.EndOfLife:
		return "×", term.Malicious
	case patch.OK:
		return "○", term.Harmless
	case patch.UnknownVersion, patch.Disagreeing, patch.NotReported, patch.NoVersion, patch.UnknownProduct:
	}
	return "?", term.Suspicious
}

// text writes a report for people: how many are how, what needs work, the newest
// planned day, and what the report rests on.
func (c *patchCheckCmd) text(r *run, p *desk.PatchReport) {
	here := r.Now()
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say("patch.page.as-of", "date", here, "entries", p.Entries, "devices", p.Devices)))
	var counts []string
	for _, n := range p.Counts {
		mark, role := patchSymbol(n.Status)
		counts = append(counts, r.style.Paint(role, fmt.Sprintf("%s %s %d", mark, r.say("patch.status."+string(n.Status)), n.N)))
	}
	if len(counts) > 0 {
		fmt.Fprintln(r.Stdout, "  "+strings.Join(counts, "   "))
	}
	fmt.Fprintln(r.Stdout)
	word := 0
	for _, s := range patch.Statuses() {
		word = max(word, term.Width(r.say("patch.status."+string(s))))
	}
	device, product := 6, 10
	for i := range p.Results {
		device = max(device, min(24, term.Width(term.Clean(p.Results[i].Device))))
		product = max(product, min(34, term.Width(term.Clean(desk.PatchLabel(&p.Results[i])))))
	}
	shown, left := 0, 0
	for i := range p.Results {
		x := &p.Results[i]
		if x.Status == patch.OK && !c.All {
			continue
		}
		if shown == maxPatchRows && !c.All {
			left++
			continue
		}
		shown++
		r.patchRow(x, word, device, product)
	}
	if left > 0 {
		fmt.Fprintln(r.Stdout, "  "+r.say("patch.more", "n", left))
	}
	if shown > 0 {
		fmt.Fprintln(r.Stdout)
	}
	r.patchLines("patch.page.story", desk.PatchStoryLines(p, r.lang, r.words))
	r.patchLines("patch.page.notes", desk.PatchNotes(p, r.lang, r.words))
	if len(p.Results) > shown && !c.All {
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, r.say("patch.all")))
	}
}

func (r *run) patchRow(x *desk.PatchResult, word, device, product int) {
	mark, role := patchSymbol(x.Status)
	name := term.Clean(x.Device)
	if name == "" {
		name = r.say("patch.line", "line", strconv.Itoa(x.Line))
	}
	head := "  " + r.style.Paint(role, mark+" "+term.Pad(r.say("patch.status."+string(x.Status)), word)) + "  " +
		term.Pad(term.Truncate(name, device), device) + "  " + term.Pad(term.Truncate(term.Clean(desk.PatchLabel(x)), product), product) + "  " + term.Clean(x.Version)
	fmt.Fprintln(r.Stdout, head)
	lines := []string{x.Reason.In(r.lang)}
	if len(x.Exploited) > 0 {
		lines = append(lines, r.say("patch.exploited", "cves", x.Exploited[:min(len(x.Exploited), 6)]))
	}
	if !x.Due.IsZero() {
		due := r.say("patch.due", "date", x.Due.Time, "grade", string(x.Grade))
		if x.Overdue > 0 {
			due += " " + r.say("patch.overdue", "days", x.Overdue)
		}
		lines = append(lines, due)
	}
	for _, m := range x.Remarks {
		if m.Text != x.Reason {
			lines = append(lines, m.Text.In(r.lang))
		}
	}
	indent := strings.Repeat(" ", 6+word)
	for _, s := range lines {
		for _, l := range term.Wrap(term.Clean(s), max(40, r.columns()-len(indent))) {
			fmt.Fprintln(r.Stdout, indent+l)
		}
	}
}

func (r *run) patchLines(head string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, r.say(head)))
	for _, s := range lines {
		for i, l := range term.Wrap(term.Clean(s), max(40, r.columns()-4)) {
			if i == 0 {
				fmt.Fprintln(r.Stdout, "  - "+l)
				continue
			}
			fmt.Fprintln(r.Stdout, "    "+l)
		}
	}
	fmt.Fprintln(r.Stdout)
}

// writeCSV writes a table that no spreadsheet reads as formulas.
func (r *run) writeCSV(rows [][]string) error {
	w := csv.NewWriter(r.Stdout)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, s := range row {
			cells[i] = cell(s)
		}
		if err := w.Write(cells); err != nil {
			return fmt.Errorf("writing CSV: %w", err)
		}
	}
	w.Flush()
	return w.Error()
}

func (r *run) patchCSV(p *desk.PatchReport) error {
	rows := [][]string{{
		"device", "user", "product", "branch", "version", "status", "as_last_seen", "needed_version", "needed_kb", "released", "missing", "exploited", "grade", "due", "overdue_days", "ends", "extended_until", "last_seen", "reason", "remarks", "file", "line",
	}}
	for i := range p.Results {
		x := &p.Results[i]
		row := []string{x.Device, x.User, x.Product, x.Branch, x.Version, string(x.Status), string(x.AsLastSeen)}
		if x.Needed != nil {
			row = append(row, x.Needed.Version, x.Needed.KB, x.Needed.Released.String())
		} else {
			row = append(row, "", "", "")
		}
		seen := ""
		if x.LastSeen != nil {
			seen = x.LastSeen.Format("2006-01-02T15:04:05Z")
		}
		var remarks []string
		for _, m := range x.Remarks {
			remarks = append(remarks, m.Text.In(r.lang))
		}
		rows = append(rows, append(row, strconv.Itoa(len(x.Missing)), strings.Join(x.Exploited, " "), string(x.Grade), x.Due.String(), strconv.Itoa(x.Overdue),
			x.Ends.String(), x.Extended.String(), seen, x.Reason.In(r.lang), strings.Join(remarks, " "), x.File, strconv.Itoa(x.Line)))
	}
	return r.writeCSV(rows)
}

type patchUpdateCmd struct {
	Sources []string `arg:"" name:"source" optional:""`
	File    []string `sep:"none" placeholder:"FILE"`
	Product string   `placeholder:"NAME"`
	DryRun  bool
	List    bool
}

// Run brings the facts about updates up to date.
func (c *patchUpdateCmd) Run(r *run) error {
	if r.flags.Output == "csv" {
		return formatError("patch update", "csv")
	}
	deps := r.patchDeps()
	if c.List {
		return c.list(r)
	}
	in := &desk.PatchUpdateInput{Sources: c.Sources, Product: c.Product, DryRun: c.DryRun}
	for _, name := range c.File {
		data, err := r.patchFile(name)
		if err != nil {
			return err
		}
		in.Files = append(in.Files, desk.PatchFile{Name: filepath.Base(name), Data: data})
	}
	if !r.flags.Offline && r.Fetch != nil {
		deps.Fetch, _ = r.Fetch()
	}
	list, err := desk.UpdatePatches(r.ctx, in, deps)
	if err != nil {
		return err
	}
	if err := writeRecords(r, list, func() { r.patchUpdates(list) }); err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(x desk.PatchUpdateRecord) bool { return x.Status == desk.PatchFailed }) {
		return statusError(exitUnread)
	}
	return nil
}

func (c *patchUpdateCmd) list(r *run) error {
	for _, s := range desk.PatchSources(r.Now()) {
		fmt.Fprintf(r.Stdout, "%s  %s  %s\n", term.Pad(s.ID, 26), term.Pad(term.Truncate(s.Name, 44), 44), r.style.Paint(term.Dim, s.URL))
	}
	return nil
}

func (r *run) patchUpdates(list []desk.PatchUpdateRecord) {
	for i := range list {
		x := &list[i]
		line := term.Pad(term.Clean(x.Source), 26) + "  " + r.say("patch.update."+string(x.Status))
		if x.Error != nil {
			line += "  " + term.Clean(x.Error.Text.In(r.lang))
			fmt.Fprintln(r.Stdout, line)
			if h := x.Error.Hint.In(r.lang); h != "" {
				fmt.Fprintln(r.Stdout, strings.Repeat(" ", 28)+term.Clean(h))
			}
			continue
		}
		if x.Status != desk.PatchNotYet {
			line += "  " + r.say("patch.update.counts", "releases", x.Releases, "vulnerabilities", x.Vulnerabilities, "branches", x.Branches)
		}
		if x.Doubts > 0 {
			line += "  " + r.say("patch.update.doubts", "n", x.Doubts)
		}
		if x.Preliminary {
			line += "  " + r.say("patch.update.preliminary")
		}
		fmt.Fprintln(r.Stdout, line)
	}
}

type patchCalendarCmd struct {
	Year   int      `placeholder:"YEAR"`
	Vendor []string `sep:"none" placeholder:"NAME"`
	Format string   `enum:"text,ics" default:"text" placeholder:"FORM"`
}

// Run lists the days on which vendors release updates.
func (c *patchCalendarCmd) Run(r *run) error {
	if c.Year != 0 && (c.Year < 2003 || c.Year > 2100) {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("patch.error.year", "year", strconv.Itoa(c.Year)), Hint: lang.M("cli.hint.usage", "help", "sekisho help patch calendar")}
	}
	days, events, err := desk.PatchDays(&desk.PatchDaysInput{Year: c.Year, Vendors: c.Vendor}, r.patchDeps())
	if err != nil {
		return err
	}
	if c.Format == "ics" {
		fmt.Fprint(r.Stdout, calendar.ICS(events, r.lang, r.Now()))
		return nil
	}
	if r.flags.Output == "csv" {
		rows := [][]string{{"here", "date", "vendor", "what", "certain", "at", "rule", "valid_from", "valid_to", "source"}}
		for _, d := range days {
			rows = append(rows, []string{d.Here.String(), d.Date.String(), d.Vendor, d.What.In(r.lang), strconv.FormatBool(d.Certain), d.At.Format("2006-01-02T15:04:05Z"), d.Rule, d.From, d.To, d.Source})
		}
		return r.writeCSV(rows)
	}
	return writeRecords(r, days, func() {
		usual := false
		for _, d := range days {
			mark := " "
			if !d.Certain {
				mark, usual = "*", true
			}
			fmt.Fprintf(r.Stdout, "%s  %s  %s%s %s\n", term.Pad(lang.Date(r.lang, d.Here.Time), 30), r.style.Paint(term.Dim, r.say("patch.there", "date", d.Date.String())), mark, term.Pad(d.Vendor, 10), d.What.In(r.lang))
		}
		fmt.Fprintln(r.Stdout)
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, r.say("patch.calendar.note")))
		if usual {
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, r.say("patch.calendar.usual")))
		}
	})
}
