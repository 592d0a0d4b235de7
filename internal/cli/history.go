package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/history"
	"github.com/sekisho/sekisho/internal/atomicfile"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type historyCmd struct {
	Build historyBuildCmd `cmd:""`
	Show  historyShowCmd  `cmd:""`
}

type historyBuildCmd struct {
	Paths  []string `arg:"" name:"path"`
	Judged string   `enum:"none,benign,malicious,spam" default:"none" placeholder:"WORD"`
	Fresh  bool
	Save   string `placeholder:"FILE"`
}

// The schemas of the records about the history, in docs/schema.
const (
	historySchema = "sekisho.history/v1"
	senderSchema  = "sekisho.sender/v1"
)

// historyRecord is how much a history knows.
type historyRecord struct {
	Schema     string         `json:"schema"`
	File       string         `json:"file,omitempty"` // where it was saved
	Senders    int            `json:"senders"`
	Recipients int            `json:"recipients"`
	Sent       bool           `json:"sent"`   // sent mail was read
	Judged     int            `json:"judged"` // mails that people judged
	From       *time.Time     `json:"from,omitempty"`
	Until      *time.Time     `json:"until,omitempty"`
	Read       *desk.Gathered `json:"read,omitempty"` // by this command
}

// senderRecord is what a history knows of a sender.
type senderRecord struct {
	Schema string `json:"schema"`
	desk.SenderHistory
}

// Run reads mail into the history.
func (c *historyBuildCmd) Run(r *run) error {
	judged := history.Judgement("")
	if c.Judged != "none" {
		judged = history.Judgement(c.Judged)
	}
	if len(r.config.Facts.Domains.Value()) == 0 {
		r.warn(&desk.Error{Kind: desk.Invalid, Message: lang.M("history.error.own-unknown"), Hint: lang.M("history.hint.own")})
	}
	// What takes long is done before the file is locked.
	added := history.NewBuilder(nil)
	read := r.gather(c.Paths, added, judged)
	out := historyRecord{Schema: historySchema, Read: &read}
	if added.Book().Len() == 0 && read.Outbound == 0 {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("history.error.empty"), Hint: lang.M("history.hint.build")}
	}
	var book *history.Book
	merge := func(old *history.Book) (*history.Book, error) {
		if c.Fresh {
			old = nil
		}
		b := history.NewBuilder(old)
		b.Merge(added.Book())
		book = b.Book()
		return book, nil
	}
	var err error
	if c.Save != "" {
		out.File = c.Save
		err = r.saveHistory(c.Save, merge)
	} else {
		out.File = filepath.Join(r.dataDir(), "history.jsonl")
		err = r.History(r.dataDir()).ChangeHistory(r.ctx, merge)
	}
	if err != nil {
		return err
	}
	out.fill(book)
	if r.flags.Output == "text" {
		fmt.Fprintln(r.Stdout, r.say("cli.history.added", "n", read.Messages, "inbound", read.Inbound, "outbound", read.Outbound, "forged", read.Forged, "unusable", read.Unusable))
		r.historyText(&out)
		fmt.Fprintln(r.Stdout, r.say("cli.history.saved", "file", term.Clean(out.File)))
	} else if err := r.writeRecord(out); err != nil {
		return err
	}
	if read.Unread > 0 || r.ctx.Err() != nil {
		return statusError(exitUnread)
	}
	return nil
}

func (h *historyRecord) fill(b *history.Book) {
	h.Senders, h.Recipients, h.Sent, h.Judged = len(b.Senders()), len(b.Recipients()), b.HasSent(), b.Judged()
	if from, until := b.Span(); !from.IsZero() {
		h.From, h.Until = &from, &until
	}
}

func (r *run) historyText(h *historyRecord) {
	if h.From != nil {
		here := r.Now().Location()
		fmt.Fprintln(r.Stdout, r.say("cli.history.total", "senders", h.Senders, "recipients", h.Recipients, "from", h.From.In(here), "until", h.Until.In(here)))
	}
	if !h.Sent {
		fmt.Fprintln(r.Stdout, r.say("cli.history.written-unknown"))
	}
	if h.Judged > 0 {
		fmt.Fprintln(r.Stdout, r.say("cli.history.judged", "n", h.Judged))
	}
}

// gather reads the mail of paths into a history.
func (r *run) gather(paths []string, into *history.Builder, judged history.Judgement) desk.Gathered {
	bar := r.progress(paths)
	defer bar.Close()
	var kib int64
	items := r.Walk(r.ctx, paths, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize, Progress: func(n int64) {
		bar.Add(int(n>>10 - kib))
		kib = n >> 10
	}})
	return desk.Gather(r.ctx, items, into, desk.Gathering{
		Facts: r.config.Facts, Judgement: judged, Now: r.Now(), Words: r.words,
		Unread: func(file string, index int, f *desk.Failure) {
			bar.Interrupt(func() { r.warnAbout(placeOf(file, index), f) })
		},
	})
}

// saveHistory changes a history in a file of the user's.
func (r *run) saveHistory(name string, edit func(*history.Book) (*history.Book, error)) error {
	old, err := readHistory(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return historyFileError(name, err)
	}
	book, err := edit(old)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := book.Encode(&out); err != nil {
		return err
	}
	if err := atomicfile.Replace(name, []byte(out.String())); err != nil {
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("cli.error.write", "error", err.Error()), Hint: lang.M("cli.hint.write"), Err: err}
	}
	return nil
}

func readHistory(name string) (*history.Book, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return history.Decode(f)
}

func historyFileError(name string, err error) *desk.Error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("history.error.file", "file", name, "error", err.Error()), Hint: lang.M("history.hint.file"), Err: err}
}

// isHistoryFile reports whether a file is a saved history rather than mail.
func isHistoryFile(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // nothing was written
	head := make([]byte, 64)
	n, _ := io.ReadFull(f, head)
	return history.IsFile(head[:n])
}

// past returns the history that a command asked for: saved histories, mail,
// or, if it named neither, what is in the data folder. It is nil if there is
// none.
func (r *run) past(paths []string, off bool) (*history.Book, error) {
	switch {
	case off:
		return nil, nil
	case len(paths) == 0 && r.History == nil:
		return nil, nil
	case len(paths) == 0:
		return r.History(r.dataDir()).LoadHistory(r.ctx)
	}
	b := history.NewBuilder(nil)
	var mail []string
	for _, p := range paths {
		if !isHistoryFile(p) {
			mail = append(mail, p)
			continue
		}
		book, err := readHistory(p)
		if err != nil {
			return nil, historyFileError(p, err)
		}
		b.Merge(book)
	}
	if len(mail) > 0 {
		if slices.Contains(mail, "-") {
			return nil, historyFileError("-", errors.New("standard input"))
		}
		if len(r.config.Facts.Domains.Value()) == 0 {
			r.warn(&desk.Error{Kind: desk.Invalid, Message: lang.M("history.error.own-unknown"), Hint: lang.M("history.hint.own")})
		}
		r.gather(mail, b, history.NotJudged)
	}
	book := b.Book()
	if book.Len() == 0 {
		return nil, &desk.Error{Kind: desk.NotFound, Message: lang.M("history.error.empty"), Hint: lang.M("history.hint.file")}
	}
	return book, nil
}

// meansFlags are the flags for what rules are decided with.
type meansFlags struct {
	Lists     []string `sep:"none" placeholder:"DIR"`
	History   []string `sep:"none" placeholder:"PATH"`
	NoHistory bool
}

// openLists opens the folders with lists: that of the lists that were fetched,
// those of the configuration and those of a flag.
func (r *run) openLists(named []string) error {
	var dirs []string
	if d := feeds.ListsDir(r.dataDir()); d != "" {
		dirs = append(dirs, d)
	}
	dirs = append(append(dirs, r.config.Lists...), named...)
	var err error
	if len(dirs) > 0 {
		r.lists, err = desk.OpenLists(dirs)
	}
	return err
}

// ruleOptions says which lists rules may name beside those of the language, and
// where feeds are that were fetched.
func (r *run) ruleOptions() *feeds.Options {
	return &feeds.Options{Lists: r.lists.Own(), DataDir: r.dataDir()}
}

// warnLists says which lists that rules name cannot be used as they are.
func (r *run) warnLists(names []string) {
	for _, e := range desk.ListProblems(r.lists, names) {
		r.warn(e)
	}
}

type historyShowCmd struct {
	Sender  string   `placeholder:"ADDRESS"`
	History []string `sep:"none" placeholder:"PATH"`
}

// Run shows how much the history knows, or what it knows of a sender.
func (c *historyShowCmd) Run(r *run) error {
	book, err := r.past(c.History, false)
	if err != nil {
		return err
	}
	if book == nil {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("history.error.none"), Hint: lang.M("history.hint.build")}
	}
	if c.Sender == "" {
		out := historyRecord{Schema: historySchema}
		out.fill(book)
		if r.flags.Output == "text" {
			r.historyText(&out)
			return nil
		}
		return r.writeRecord(out)
	}
	s, ok := desk.LookUpSender(book, c.Sender, r.Now())
	if !ok {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("history.error.sender", "sender", c.Sender), Hint: lang.M("history.hint.sender")}
	}
	if r.flags.Output == "text" {
		for _, l := range r.senderText(s) {
			fmt.Fprintln(r.Stdout, l)
		}
		return nil
	}
	return r.writeRecord(senderRecord{senderSchema, *s})
}

// senderText is what a history knows of a sender, in lines.
func (r *run) senderText(s *desk.SenderHistory) []string {
	who := term.Clean(s.Address)
	if s.Domain != "" {
		who = r.say("cli.history.everybody", "domain", term.Clean(s.Domain))
	}
	prevalence := "unknown"
	if s.Prevalence != "" {
		prevalence = string(s.Prevalence)
	}
	out := []string{who + ": " + r.say("cli.history.prevalence."+prevalence)}
	here := r.Now().Location()
	if s.FirstInbound != nil {
		out = append(out, r.say("cli.history.first", "date", s.FirstInbound.In(here), "last", s.LastInbound.In(here), "n", s.Messages))
	}
	switch {
	case s.LastOutbound != nil:
		out = append(out, r.say("cli.history.written", "date", s.LastOutbound.In(here)))
	case s.Solicited == history.No:
		out = append(out, r.say("cli.history.not-written"))
	default:
		out = append(out, r.say("cli.history.written-unknown"))
	}
	if s.Benign {
		out = append(out, r.say("cli.history.benign"))
	}
	if s.Malicious {
		out = append(out, r.say("cli.history.malicious"))
	}
	return out
}

// sender says what the history knows of the sender.
func (p *explainPresenter) sender(v *desk.Verdict) {
	if v.Sender == nil {
		return
	}
	p.section("cli.section.sender")
	for _, l := range p.r.senderText(v.Sender) {
		p.text(2, "  ", l)
	}
}
