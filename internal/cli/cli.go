// Package cli is the command line: it reads flags, calls the desk, and writes
// what the desk returns to a terminal or a program. It decides nothing about
// mail.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/feeds"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// The exit statuses.
const (
	exitOK       = 0
	exitFindings = 1 // something was at or above --fail-on
	exitUsage    = 2 // wrong usage or configuration
	exitUnread   = 3 // some inputs could not be read
)

// Build says what this program was built from.
type Build struct {
	Version  string
	Revision string
	Time     string
	Go       string
	Platform string
}

// WalkOptions bounds what is read and reports how far reading has come.
type WalkOptions struct {
	MaxMessage int                   // bytes of one message; 0 is the reader's default
	Progress   func(bytesRead int64) // called with the bytes read so far
}

// Env is everything the command line takes from outside.
type Env struct {
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
	Environ   []string // NAME=value
	WorkDir   string
	ConfigDir string // the user's folder for configuration; "" if there is none
	StateDir  string // the user's folder for state
	Now       func() time.Time
	Build     Build

	// Walk reads the messages of the named inputs.
	Walk func(ctx context.Context, paths []string, stdin io.Reader, o WalkOptions) iter.Seq[desk.Item]
	// Size returns the bytes that Walk will read, and whether it can tell.
	Size func(paths []string) (int64, bool)
	// ReportFiles reads the files of the named inputs, whatever they are.
	ReportFiles func(ctx context.Context, paths []string, stdin io.Reader, progress func(bytesRead int64)) iter.Seq[desk.ReportFile]
	// DNS returns a resolver over the network.
	DNS func(o DNSOptions) (resolve.Resolver, error)
	// Exceptions opens the store of exceptions in a data folder.
	Exceptions func(dataDir string) desk.ExceptionStore
	// History opens the store of the history in a data folder.
	History func(dataDir string) desk.HistoryStore
	// Patch opens the store of facts about updates in a data folder.
	Patch func(dataDir string) desk.PatchStore
	// Fetch returns what reads from the Internet.
	Fetch func() (desk.Fetcher, desk.GitFetcher)
	// Notifier returns what hands notifications to webhooks.
	Notifier func() desk.Notifier

	// AskTLS returns what asks mail servers for TLS.
	AskTLS func() posture.TLSProber
	// Mailbox opens a mailbox with what is kept of it.
	Mailbox func(ctx context.Context, o MailboxOptions) (*MailboxAccess, error)
	// Store opens the database in a data folder.
	Store func(ctx context.Context, dataDir string) (Store, error)
	// Examples are the files of the folder examples.
	Examples fs.FS
	// Serve answers in a browser until ctx ends.
	Serve func(ctx context.Context, o ServeOptions) error
	// Backup writes a data folder into a file and returns how many files and bytes.
	Backup func(ctx context.Context, dataDir, file string, now time.Time) (files int, bytes int64, err error)
	// Restore brings a backup back into a new data folder.
	Restore func(ctx context.Context, file, dataDir string) (files int, bytes int64, err error)
	// Invite makes a one-time link for the administrator.
	Invite func(ctx context.Context, o ServeOptions) (Served, error)
	// Server returns a sekisho elsewhere. Errors say why the address cannot be one.
	Server func(address, token string) (Server, error)
	// Intake opens the queue of mail that comes in, in a data folder.
	Intake func(ctx context.Context, dataDir string, now func() time.Time) (*IntakeStore, error)
	// Outbox opens the mails that sekisho itself sends, in a data folder.
	Outbox func(ctx context.Context, dataDir string, now func() time.Time) (*OutboxAccess, error)
}

// grammar is the command line as kong reads it. What a command and a flag do
// is said in the catalogue, in both languages, under "cli.help.".
type grammar struct {
	Output    string `enum:"text,json,ndjson,csv" default:"text" placeholder:"FORMAT"`
	Lang      string `enum:"auto,en,ja" default:"auto" placeholder:"LANG"`
	Config    string `placeholder:"FILE"`
	Data      string `placeholder:"DIR"`
	Offline   bool
	DNS       string `name:"dns" placeholder:"ADDRESS"`
	DNSZone   string `name:"dns-zone" placeholder:"FILE"`
	DNSRecord string `name:"dns-record" placeholder:"FILE"`
	Now       string `placeholder:"RFC3339"`
	Server    string `placeholder:"URL"`
	Help      bool   `short:"h"`

	Judge      judgeCmd      `cmd:""`
	Auth       authCmd       `cmd:""`
	Rules      rulesCmd      `cmd:""`
	Lists      listsCmd      `cmd:""`
	MQL        mqlCmd        `cmd:"" name:"mql"`
	Model      modelCmd      `cmd:""`
	Similar    similarCmd    `cmd:""`
	DirectSend directSendCmd `cmd:"" name:"directsend-impact"`
	News       newsCmd       `cmd:""`
	DMARC      dmarcCmd      `cmd:"" name:"dmarc"`
	Domain     domainCmd     `cmd:""`
	Advise     adviseCmd     `cmd:""`
	Advisory   advisoryCmd   `cmd:""`
	Digest     digestCmd     `cmd:""`
	Patch      patchCmd      `cmd:""`
	Educate    educateCmd    `cmd:""`
	Serve      serveCmd      `cmd:""`
	Token      tokenCmd      `cmd:""`
	Backup     backupCmd     `cmd:""`
	Restore    restoreCmd    `cmd:""`
	Intake     intakeCmd     `cmd:""`
	Retro      retroCmd      `cmd:""`
	Outbox     outboxCmd     `cmd:""`
	Init       initCmd       `cmd:""`
	History    historyCmd    `cmd:""`
	Allow      allowCmd      `cmd:""`
	Doctor     doctorCmd     `cmd:""`
	Version    versionCmd    `cmd:""`
	Completion completionCmd `cmd:""`
	HelpCmd    helpCmd       `cmd:"" name:"help"`
}

// run is what every command gets.
type run struct {
	Env

	ctx    context.Context
	out    *output // what Stdout writes to
	parser *kong.Kong
	flags  *grammar
	lang   lang.Language
	words  *lang.Catalogue
	style  term.Style
	width  int // columns of the terminal, 0 where output is no terminal
	config *config.Config
	lists  *feeds.Lists // that rules may name; nil for none
	server Server       // that is asked instead of working here; nil for none

	recorder *resolve.Recorder // of --dns-record; nil without
}

// Main runs the command line args and returns the exit status. It never
// panics on what the user typed and writes errors as one line and a hint.
func Main(ctx context.Context, args []string, env Env) int {
	r := &run{Env: env, ctx: ctx, out: &output{w: env.Stdout}, words: lang.Default(), flags: &grammar{}}
	r.Stdout = r.out
	r.lang = r.language(flagValue(args, "--lang"))
	parser, err := kong.New(r.flags, kong.Name("sekisho"), kong.NoDefaultHelp(), kong.Exit(func(int) {}), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		return r.fail(fmt.Errorf("building the command line: %w", err))
	}
	r.parser = parser
	if f, ok := env.Stdout.(*os.File); ok {
		r.style.Color = term.HasColor(f, r.getenv)
		if term.IsTerminal(f) {
			restore, escapes := term.Prepare(f)
			defer restore()
			r.width = term.Columns(f, r.getenv)
			r.style.Color = r.style.Color && escapes
		}
	}
	err = r.execute(args)
	if r.out.err != nil && !isClosedPipe(r.out.err) {
		err = &desk.Error{Kind: desk.Unavailable, Message: lang.M("cli.error.write", "error", r.out.err.Error()), Hint: lang.M("cli.hint.write"), Err: r.out.err}
	} else if r.out.err != nil && errors.Is(err, r.out.err) {
		err = nil // nobody reads any more
	}
	if status, ok := errors.AsType[statusError](err); ok {
		return int(status)
	}
	if err != nil {
		return r.fail(err)
	}
	return exitOK
}

// execute does what the command line asks for.
func (r *run) execute(args []string) error {
	if len(args) == 0 {
		r.welcome()
		return nil
	}
	if node, ok := r.wantsHelp(args); ok {
		r.help(node)
		return nil
	}
	k, err := r.parser.Parse(args)
	if err != nil {
		return usageError(err, commandOf(err))
	}
	if err := r.prepare(k); err != nil {
		return err
	}
	return k.Run(r)
}

// statusError ends a command that has said all there is to say.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// prepare reads the configuration and the clock for commands that need them.
func (r *run) prepare(k *kong.Context) error {
	r.lang = r.language(r.flags.Lang)
	if r.flags.Now != "" {
		now, err := time.Parse(time.RFC3339, r.flags.Now)
		if err != nil {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.now", "value", r.flags.Now), Hint: lang.M("cli.hint.now"), Err: err}
		}
		r.Now = func() time.Time { return now }
	}
	command := strings.Fields(k.Command())[0]
	if r.flags.Output == "csv" && command != "judge" && command != "domain" && command != "patch" && command != "similar" && command != "directsend-impact" && !strings.HasPrefix(k.Command(), "dmarc report") {
		return formatError(command, r.flags.Output)
	}
	if err := r.mayAskServer(k); err != nil {
		return err
	}
	if command == "version" || command == "completion" || command == "help" || command == "init" {
		r.config = &config.Config{}
		return nil
	}
	c, err := config.Load(r.configOptions())
	if err != nil {
		if command == "doctor" { // the doctor reports it as one of its checks
			r.config = &config.Config{}
			return nil
		}
		return err
	}
	r.config = c
	if r.flags.Lang == "auto" {
		r.lang = r.language(string(c.Language))
	}
	return r.openServer(k)
}

func formatError(command, format string) error {
	return &desk.Error{
		Kind: desk.Invalid, Message: lang.M("cli.error.format", "command", command, "format", format),
		Hint: lang.M("cli.hint.format", "formats", "text, json, ndjson"),
	}
}

func (r *run) configOptions() *config.Options {
	o := &config.Options{Path: r.flags.Config, WorkDir: r.WorkDir, Environ: r.Environ, ConfigDir: r.ConfigDir, StateDir: r.StateDir}
	if r.flags.Data != "" {
		o.Overrides = append(o.Overrides, config.Override{Key: "data", Value: r.flags.Data, From: "--data"})
	}
	return o
}

// dataDir is where sekisho keeps what it remembers.
func (r *run) dataDir() string { return r.config.DataDir }

// getenv looks a variable up in the environment that was passed in.
func (r *run) getenv(name string) string {
	for _, e := range slices.Backward(r.Environ) {
		if k, v, ok := strings.Cut(e, "="); ok && k == name {
			return v
		}
	}
	return ""
}

func (r *run) language(choice string) lang.Language {
	switch choice {
	case "ja":
		return lang.JA
	case "en":
		return lang.EN
	}
	return term.Language(r.getenv)
}

// flagValue finds a flag before the command line is parsed, so that an error
// in parsing is told in the language asked for.
func flagValue(args []string, name string) string {
	for i, a := range args {
		if v, ok := strings.CutPrefix(a, name+"="); ok {
			return v
		}
		if a == name && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// say renders a message in the user's language.
func (r *run) say(key string, pairs ...any) string { return r.words.Say(r.lang, lang.M(key, pairs...)) }

// fail writes an error in one line, and its hint in another.
func (r *run) fail(err error) int {
	de, ok := errors.AsType[*desk.Error](err)
	if !ok {
		de = &desk.Error{Kind: desk.Internal, Message: lang.M("cli.error.internal", "error", err.Error()), Hint: lang.M("cli.hint.internal")}
	}
	r.warn(de)
	return exitUsage
}

// warn writes an error without ending.
func (r *run) warn(e *desk.Error) { r.warnText(r.words.Render(e.Message), r.words.Render(e.Hint)) }

func (r *run) warnText(message, hint lang.Text) {
	fmt.Fprintln(r.Stderr, "sekisho: error: "+term.Clean(message.In(r.lang)))
	if h := hint.In(r.lang); h != "" {
		fmt.Fprintln(r.Stderr, "sekisho: hint: "+term.Clean(h))
	}
}

// warnStopped says on standard error that there is more; the output for
// programs has no place for it.
func (r *run) warnStopped(s *summary) {
	if s.stopped {
		fmt.Fprintln(r.Stderr, "sekisho: "+r.say("cli.stopped"))
	}
}

// progress starts a line on standard error that says how far reading has come,
// if that is a terminal. Standard output of a terminal would mix with it only
// between lines.
func (r *run) progress(paths []string) *term.Progress {
	f, ok := r.Stderr.(*os.File)
	if !ok || !term.IsTerminal(f) {
		return nil
	}
	size, known := r.Size(paths)
	if !known || size < progressFrom {
		return nil
	}
	return term.NewProgress(f, &term.ProgressOptions{Label: "KiB", Total: int(size >> 10), Columns: term.Columns(f, r.getenv)})
}

// progressFrom is how many bytes of input are worth a progress line.
const progressFrom = 4 << 20
