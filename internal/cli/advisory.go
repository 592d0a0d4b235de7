package cli

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type advisoryCmd struct {
	List      advisoryListCmd      `cmd:""`
	Show      advisoryShowCmd      `cmd:""`
	Edit      advisoryEditCmd      `cmd:""`
	Submit    advisorySubmitCmd    `cmd:""`
	Return    advisoryReturnCmd    `cmd:""`
	Approve   advisoryApproveCmd   `cmd:""`
	Export    advisoryExportCmd    `cmd:""`
	Send      advisorySendCmd      `cmd:""`
	Supersede advisorySupersedeCmd `cmd:""`
	Withdraw  advisoryWithdrawCmd  `cmd:""`
	History   advisoryHistoryCmd   `cmd:""`
}

// approvalDeps opens the store for a command about approvals.
func (r *run) approvalDeps() (*desk.ApprovalDeps, Store, error) {
	newsDeps, s, err := r.newsDeps()
	if err != nil {
		return nil, nil, err
	}
	deps := &desk.ApprovalDeps{
		Store: s, Audit: s, News: newsDeps, Facts: r.config.Facts, Rules: r.config.Approval, Webhooks: r.config.Webhooks, Words: r.words, Now: r.Now,
	}
	if !r.flags.Offline && r.Notifier != nil {
		deps.Notifier = r.Notifier()
	}
	return deps, s, nil
}

// actor is who says to be at the terminal. Without a name it is the user of the
// system.
func (r *run) actor(as string) desk.Actor {
	for _, name := range []string{"USER", "LOGNAME", "USERNAME"} {
		if as == "" {
			as = r.getenv(name)
		}
	}
	return desk.Actor{Who: desk.WhoTerminal, Name: as}
}

type advisoryListCmd struct {
	State []string `enum:"draft,in-review,approved,sent,superseded,withdrawn" placeholder:"STATE"`
}

// Run lists the newest version of each advisory.
func (c *advisoryListCmd) Run(r *run) error {
	list, err := c.list(r)
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		if len(list) == 0 {
			fmt.Fprintln(r.Stdout, r.say("cli.advisory.none"))
		}
		for i := range list {
			v := &list[i]
			fmt.Fprintf(r.Stdout, "%s  %s  %s  %s\n", r.style.Paint(term.Bold, v.ID), r.state(v), v.Grade, term.Clean(v.Title.In(r.lang)))
			line := r.say("cli.advisory.line", "version", v.Version, "at", v.At.In(r.Now().Location()), "subject", v.Subject, "hash", v.Hash[:12])
			fmt.Fprintln(r.Stdout, strings.Repeat(" ", len(v.ID)+2)+r.style.Paint(term.Dim, line))
			r.faultLine(v, strings.Repeat(" ", len(v.ID)+2))
		}
	})
}

// list returns the advisories that are kept here, or by a server that is asked.
func (c *advisoryListCmd) list(r *run) (list []desk.AdvisoryReview, err error) {
	if r.server != nil {
		err = r.server.Ask(r.ctx, &Question{Path: "/advisories", Query: url.Values{"state": c.State}}, &list)
		return list, err
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return nil, err
	}
	defer func() { err = closed(s, err) }()
	f := &desk.ReviewFilter{}
	for _, x := range c.State {
		f.States = append(f.States, workflow.State(x))
	}
	return desk.ListReviews(r.ctx, f, deps)
}

// state is the word for a state, as wide as the widest.
func (r *run) state(v *desk.AdvisoryReview) string {
	width := 0
	for _, s := range workflow.States() {
		width = max(width, term.Width(r.say("approval.state."+string(s))))
	}
	word := term.Pad(v.Word.In(r.lang), width)
	switch {
	case v.MayGo:
		return r.style.Paint(term.Harmless, word)
	case v.State == workflow.InReview:
		return r.style.Paint(term.Suspicious, word)
	}
	return word
}

func (r *run) faultLine(v *desk.AdvisoryReview, indent string) {
	if v.Fault != nil {
		fmt.Fprintln(r.Stdout, indent+r.style.Paint(term.Malicious, term.Clean(v.Fault.Text.In(r.lang))))
	}
}

// review prints where a version stands.
func (r *run) review(v *desk.AdvisoryReview) {
	row := func(key, value string) {
		head := term.Pad(r.say("cli.advisory.row."+key), 14)
		for _, l := range term.Wrap(term.Clean(value), max(40, r.columns()-17)) {
			fmt.Fprintln(r.Stdout, head+"   "+l)
			head = strings.Repeat(" ", 14)
		}
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(v.Title.In(r.lang))))
	row("id", v.ID+" "+r.say("cli.advisory.line", "version", v.Version, "at", v.At.In(r.Now().Location()), "subject", v.Subject, "hash", v.Hash[:12]))
	row("state", v.Word.In(r.lang))
	if v.Newest != v.ID {
		row("newest", v.Newest)
	}
	row("hash", v.Hash)
	r.faultLine(v, strings.Repeat(" ", 17))
	if len(v.Authors) > 0 {
		row("authors", strings.Join(v.Authors, ", "))
	}
	for _, a := range v.Approvals {
		key := "cli.advisory.approval"
		if a.Own {
			key = "cli.advisory.approval-own"
		}
		line := r.say(key, "name", a.Name, "at", a.At.In(r.Now().Location()).Format("2006-01-02 15:04"))
		if len(a.Acknowledged) > 0 {
			line += " " + r.say("cli.advisory.acknowledged", "rules", a.Acknowledged)
		}
		if a.Comment != "" {
			line += " " + a.Comment
		}
		row("approved", line)
	}
	if v.Needed > len(v.Approvals) && v.State == workflow.InReview {
		row("needed", r.say("cli.advisory.needed", "n", v.Needed-len(v.Approvals)))
	}
	for _, to := range v.Recipients {
		line := string(to.Audience)
		if to.Lang != "" {
			line += "." + to.Lang
		}
		if to.Webhook != "" {
			row("to", line+" → webhook:"+to.Webhook)
			continue
		}
		row("to", line+" → "+to.Address)
	}
	if len(v.Unfilled) > 0 {
		row("unfilled", strings.Join(v.Unfilled, " "))
	}
	if len(v.Errors) > 0 {
		row("lint", r.say("cli.advisory.lint", "rules", v.Errors))
	}
}

// reviewed prints a version after something was done to it.
func (r *run) reviewed(v *desk.AdvisoryReview, err error) error {
	if err != nil {
		return err
	}
	if r.flags.Output != "text" {
		return r.writeRecord(v)
	}
	r.review(v)
	return nil
}

type advisoryShowCmd struct {
	ID    string `arg:"" name:"id"`
	Draft string `enum:"all,none,staff.ja,staff.en,admin.ja,admin.en,manager.ja,manager.en" default:"all" placeholder:"DRAFT"`
	As    string `placeholder:"NAME"`
}

// Run shows a version: where it stands, and its words.
func (c *advisoryShowCmd) Run(r *run) error {
	v, doc, err := c.show(r)
	if err != nil {
		return err
	}
	if r.flags.Output != "text" {
		return r.writeRecord(v)
	}
	if c.Draft != "all" && c.Draft != "none" { // as "edit --file" reads it
		if m := doc.Draft(desk.DraftName(c.Draft)); m != nil {
			fmt.Fprintf(r.Stdout, "%s\n\n%s", m.Subject, m.BodyText)
		}
		return nil
	}
	r.review(v)
	if c.Draft == "none" {
		return nil
	}
	fmt.Fprintln(r.Stdout)
	doc = doc.Clone()
	doc.Lint = v.Remarks
	return (&adviseWriteCmd{Audience: "all"}).write(r, doc, desk.AdviseDeps{Facts: r.config.Facts, Words: r.words, Now: r.Now})
}

// show returns an advisory that is kept here, or by a server that is asked.
func (c *advisoryShowCmd) show(r *run) (v *desk.AdvisoryReview, doc *advisory.Document, err error) {
	if r.server != nil {
		if err := r.notElsewhere(map[string]bool{"--as": c.As != ""}); err != nil {
			return nil, nil, err
		}
		path := "/advisories/" + url.PathEscape(c.ID)
		if err := r.server.Ask(r.ctx, &Question{Path: path}, &v); err != nil {
			return nil, nil, err
		}
		err = r.server.Ask(r.ctx, &Question{Path: path + "/draft"}, &doc)
		return v, doc, err
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = closed(s, err) }()
	return desk.ShowReview(r.ctx, c.ID, r.actor(c.As), deps)
}

type advisoryEditCmd struct {
	ID      string   `arg:"" name:"id"`
	File    string   `placeholder:"FILE"`
	Draft   string   `enum:"auto,staff.ja,staff.en,admin.ja,admin.en,manager.ja,manager.en" default:"auto" placeholder:"DRAFT"`
	To      []string `sep:"none" placeholder:"WHO=WHERE"`
	Comment string   `placeholder:"TEXT"`
	As      string   `placeholder:"NAME"`
}

// Run keeps a new version with the words or the recipients changed.
func (c *advisoryEditCmd) Run(r *run) (err error) {
	if c.File == "" && len(c.To) == 0 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.advisory.error.edit"), Hint: lang.M("cli.hint.advisory.edit")}
	}
	in := &desk.EditInput{Ref: c.ID, Actor: r.actor(c.As), Comment: c.Comment}
	if c.File != "" {
		data, err := r.article(c.File)
		if err != nil {
			return err
		}
		in.Draft = desk.ReadDraft(data)
		if a, l := desk.DraftName(filepath.Base(c.File)); in.Draft.Audience == "" {
			in.Draft.Audience, in.Draft.Lang = a, l
		}
		if c.Draft != "auto" {
			in.Draft.Audience, in.Draft.Lang = desk.DraftName(c.Draft)
		}
		if in.Draft.Audience == "" {
			return lintError("whose", c.File, nil)
		}
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	if len(c.To) > 0 {
		if in.To, err = desk.ParseRecipients(c.To, deps.Webhooks); err != nil {
			return err
		}
	}
	return r.reviewed(desk.EditAdvisory(r.ctx, in, deps))
}

// step does one thing to an advisory and prints where it stands then.
func (r *run) step(in *desk.ReviewInput) (err error) {
	deps, s, err := r.approvalDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	return r.reviewed(desk.Review(r.ctx, in, deps))
}

type advisorySubmitCmd struct {
	ID      string `arg:"" name:"id"`
	Comment string `placeholder:"TEXT"`
	As      string `placeholder:"NAME"`
}

// Run asks for review.
func (c *advisorySubmitCmd) Run(r *run) error {
	return r.step(&desk.ReviewInput{Ref: c.ID, Act: workflow.Submit, Actor: r.actor(c.As), Comment: c.Comment})
}

type advisoryReturnCmd struct {
	ID      string `arg:"" name:"id"`
	Comment string `placeholder:"TEXT"`
	As      string `placeholder:"NAME"`
}

// Run sends a version back to who wrote it.
func (c *advisoryReturnCmd) Run(r *run) error {
	return r.step(&desk.ReviewInput{Ref: c.ID, Act: workflow.Return, Actor: r.actor(c.As), Comment: c.Comment})
}

type advisoryApproveCmd struct {
	ID      string   `arg:"" name:"id"`
	Hash    string   `placeholder:"HASH"`
	Ack     []string `placeholder:"RULE"`
	Comment string   `placeholder:"TEXT"`
	As      string   `placeholder:"NAME"`
}

// Run approves a version. The name is never taken from the system: who approves
// types it.
func (c *advisoryApproveCmd) Run(r *run) error {
	return r.step(&desk.ReviewInput{
		Ref: c.ID, Act: workflow.Approve, Actor: desk.Actor{Who: desk.WhoTerminal, Name: c.As}, Hash: c.Hash, Ack: c.Ack, Comment: c.Comment,
	})
}

type advisoryWithdrawCmd struct {
	ID      string `arg:"" name:"id"`
	Comment string `placeholder:"TEXT"`
	As      string `placeholder:"NAME"`
}

// Run withdraws a version.
func (c *advisoryWithdrawCmd) Run(r *run) error {
	return r.step(&desk.ReviewInput{Ref: c.ID, Act: workflow.Withdraw, Actor: r.actor(c.As), Comment: c.Comment})
}

type advisorySupersedeCmd struct {
	ID      string `arg:"" name:"id"`
	By      string `placeholder:"ID"`
	Comment string `placeholder:"TEXT"`
	As      string `placeholder:"NAME"`
}

// Run puts another advisory in the place of one that was sent.
func (c *advisorySupersedeCmd) Run(r *run) error {
	return r.step(&desk.ReviewInput{Ref: c.ID, Act: workflow.Supersede, Actor: r.actor(c.As), Comment: c.Comment, By: c.By})
}

type advisorySendCmd struct {
	ID      string `arg:"" name:"id"`
	Webhook string `placeholder:"NAME"`
	ByHand  bool
	Comment string `placeholder:"TEXT"`
	As      string `placeholder:"NAME"`
}

// Run hands an approved advisory to a webhook, or notes that a person sent it.
func (c *advisorySendCmd) Run(r *run) (err error) {
	if (c.Webhook == "") == !c.ByHand {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.advisory.error.send"), Hint: lang.M("cli.hint.advisory.send")}
	}
	if c.ByHand {
		return r.step(&desk.ReviewInput{Ref: c.ID, Act: workflow.Send, Actor: r.actor(c.As), Comment: c.Comment})
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	out, err := desk.Send(r.ctx, &desk.SendInput{Ref: c.ID, Actor: r.actor(c.As), Webhook: c.Webhook}, deps)
	if out == nil {
		return err
	}
	if r.flags.Output != "text" {
		if e := r.writeRecord(out); err == nil {
			err = e
		}
	} else {
		for i, t := range out.Tries {
			what := t.Error.In(r.lang)
			if t.Status > 0 {
				what = fmt.Sprintf("HTTP %d", t.Status)
			}
			fmt.Fprintln(r.Stdout, r.say("cli.advisory.try", "n", i+1, "at", t.At.In(r.Now().Location()).Format(time.DateTime), "what", what))
		}
		switch {
		case out.Already:
			fmt.Fprintln(r.Stdout, r.say("cli.advisory.already", "name", out.Webhook))
		case out.Delivered:
			fmt.Fprintln(r.Stdout, r.say("cli.advisory.delivered", "name", out.Webhook, "key", out.Key))
		}
	}
	if err == nil && !out.Delivered && !out.Already {
		r.warn(&desk.Error{Kind: desk.Unavailable, Message: lang.M("cli.advisory.undelivered", "name", out.Webhook), Hint: lang.M("cli.hint.advisory.undelivered")})
		return statusError(exitUnread)
	}
	return err
}

type advisoryExportCmd struct {
	ID       string `arg:"" name:"id"`
	Format   string `enum:"eml,md,html,text,csaf,json" default:"text" placeholder:"FORM"`
	Audience string `enum:"all,staff,admin" default:"all" placeholder:"WHO"`
	Language string `enum:"all,ja,en" default:"all" placeholder:"LANG"`
	TLP      string `name:"tlp" enum:",WHITE,GREEN,AMBER,RED" default:"" placeholder:"LABEL"`
	Out      string `placeholder:"DIR"`
	As       string `placeholder:"NAME"`
}

// Run writes an approved advisory in its final form.
func (c *advisoryExportCmd) Run(r *run) (err error) {
	in := &desk.ExportInput{Ref: c.ID, Actor: r.actor(c.As), Form: c.Format, TLP: c.TLP}
	if c.Audience != "all" {
		in.Audience = advisory.Audience(c.Audience)
	}
	switch {
	case c.Language != "all":
		in.Lang = lang.Language(c.Language)
	case c.Format != desk.FormEML:
		in.Lang = r.lang
	}
	if c.Out == "" && c.Format == desk.FormEML && (in.Audience == "" || in.Lang == "") {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.advisory.error.one-mail"), Hint: lang.M("cli.hint.advisory.one-mail")}
	}
	deps, s, err := r.approvalDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	files, err := desk.Export(r.ctx, in, deps)
	if err != nil {
		return err
	}
	if c.Out != "" {
		byName := map[string][]byte{}
		for _, f := range files {
			byName[f.Name] = f.Data
		}
		return r.writeFiles(c.Out, byName)
	}
	for _, f := range files {
		if _, err := r.Stdout.Write(f.Data); err != nil {
			return err
		}
	}
	return nil
}

type advisoryHistoryCmd struct {
	ID string `arg:"" name:"id"`
}

// Run tells what was done to all versions of an advisory.
func (c *advisoryHistoryCmd) Run(r *run) (err error) {
	deps, s, err := r.approvalDeps()
	if err != nil {
		return err
	}
	defer func() { err = closed(s, err) }()
	list, fault, err := desk.AdvisoryHistory(r.ctx, c.ID, deps)
	if err != nil {
		return err
	}
	err = writeRecords(r, list, func() {
		for i := range list {
			x := &list[i]
			line := []string{r.say("cli.advisory.step", "n", x.Number, "at", x.At.In(r.Now().Location()).Format(time.DateTime), "version", x.Version, "who", or(x.Name, x.Who), "what", x.Word.In(r.lang))}
			for _, more := range []string{x.Target, x.Outcome} {
				if more != "" && x.Act != workflow.Send {
					line = append(line, more)
				}
			}
			fmt.Fprintln(r.Stdout, term.Clean(strings.Join(line, "  ")))
			var under []string
			if len(x.Acknowledged) > 0 {
				under = append(under, r.say("cli.advisory.acknowledged", "rules", x.Acknowledged))
			}
			under = append(under, "sha256:"+x.Hash[:min(12, len(x.Hash))], r.say("cli.advisory.audit", "n", x.Audit))
			if x.Comment != "" {
				under = slices.Insert(under, 0, x.Comment)
			}
			for _, l := range term.Wrap(term.Clean(strings.Join(under, "  ")), max(40, r.columns()-6)) {
				fmt.Fprintln(r.Stdout, "      "+r.style.Paint(term.Dim, l))
			}
		}
	})
	if err == nil && fault != nil {
		r.warn(&desk.Error{Kind: desk.Conflict, Message: lang.M("cli.advisory.fault", "why", fault.Text.In(r.lang))})
		return statusError(exitFindings)
	}
	return err
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
