package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

// MailboxOptions says which mailbox [Env.Mailbox] opens.
type MailboxOptions struct {
	DataDir    string
	Setting    desk.MailboxSetting
	Tenant     string // where the setting names none
	MaxMessage int
}

// MailboxAccess is a mailbox with what is kept of it.
type MailboxAccess struct {
	// SignIn lets somebody sign in with a code.
	SignIn func(ctx context.Context, show func(SignInCode)) error
	// Check connects, and returns what is in the folder and which permissions are
	// more than needed.
	Check func(ctx context.Context) (info *desk.MailboxFolderInfo, tooMuch []string, err error)
	// Forget deletes the token, and how far the mailbox was read.
	Forget func(ctx context.Context) error
	Close  func() error
}

// SignInCode is what a person types where.
type SignInCode struct {
	URL     string
	Code    string
	Expires time.Time
}

type intakeSetupCmd struct {
	Graph intakeSetupGraphCmd `cmd:""`
	IMAP  intakeSetupIMAPCmd  `cmd:"" name:"imap"`
}

// setupFlags are those of both kinds.
type setupFlags struct {
	Name       string `arg:"" default:"reports" optional:""`
	Address    string `placeholder:"ADDRESS"`
	Folder     string `placeholder:"FOLDER"`
	Tenant     string `placeholder:"TENANT"`
	Client     string `placeholder:"GUID"`
	Cloud      string `placeholder:"NAME"`
	SecretEnv  string `placeholder:"VARIABLE"`
	SecretFile string `placeholder:"FILE"`
	Check      bool
	Forget     bool
}

type intakeSetupGraphCmd struct {
	setupFlags
}

// Run sets up a mailbox of Microsoft 365.
func (c *intakeSetupGraphCmd) Run(r *run) error {
	e, configured := r.mailboxEntry(desk.MailboxGraph, &c.setupFlags)
	if !c.Forget && (e.Address == "" || e.Client == "" || e.Tenant == "" && !r.config.Facts.TenantID.Configured()) {
		return r.setupGuide("mailboxes.guide.graph", e)
	}
	return r.setUp(e, configured, &c.setupFlags)
}

type intakeSetupIMAPCmd struct {
	setupFlags

	Server string `name:"host" placeholder:"HOST:PORT"`
	TLS    string `name:"tls" placeholder:"WAY"`
	User   string `placeholder:"USER"`
	Auth   string `placeholder:"WAY"`
}

// Run sets up a mailbox on an IMAP server.
func (c *intakeSetupIMAPCmd) Run(r *run) error {
	e, configured := r.mailboxEntry(desk.MailboxIMAP, &c.setupFlags)
	e.Server, e.TLS, e.User, e.Auth = cmp.Or(c.Server, e.Server), cmp.Or(c.TLS, e.TLS), cmp.Or(c.User, e.User), cmp.Or(c.Auth, e.Auth)
	oauth := e.Auth == string(desk.MailboxOAuth)
	if !c.Forget && (e.Server == "" || e.Address == "" && e.User == "" || oauth && (e.Client == "" || e.Tenant == "" && !r.config.Facts.TenantID.Configured()) || !oauth && e.SecretEnv == "" && e.SecretFile == "") {
		guide := "mailboxes.guide.imap"
		if oauth {
			guide = "mailboxes.guide.imap-oauth"
		}
		return r.setupGuide(guide, e)
	}
	return r.setUp(e, configured, &c.setupFlags)
}

// mailboxEntry is an entry of intake.mailboxes as sekisho.yaml has it. What is
// left out is the default.
type mailboxEntry struct {
	Name       string `yaml:"name"`
	Kind       string `yaml:"kind"`
	Address    string `yaml:"address,omitempty"`
	Folder     string `yaml:"folder,omitempty"`
	Server     string `yaml:"server,omitempty"`
	TLS        string `yaml:"tls,omitempty"`
	User       string `yaml:"user,omitempty"`
	Auth       string `yaml:"auth,omitempty"`
	Tenant     string `yaml:"tenant,omitempty"`
	Client     string `yaml:"client,omitempty"`
	Cloud      string `yaml:"cloud,omitempty"`
	SecretEnv  string `yaml:"secret_env,omitempty"`
	SecretFile string `yaml:"secret_file,omitempty"`
	Every      string `yaml:"every,omitempty"`
	Days       *int   `yaml:"days,omitempty"`
}

// mailboxEntry returns the configured mailbox of that name and kind, if there is
// one, changed by the flags.
func (r *run) mailboxEntry(kind desk.MailboxKind, f *setupFlags) (e mailboxEntry, configured bool) {
	e.Name, e.Kind = f.Name, string(kind)
	if m, ok := r.config.MailboxAt(strings.ToLower(f.Name)); ok && m.Kind == kind {
		e, configured = entryOf(&m), true
	}
	set := func(place *string, value string) { *place = cmp.Or(value, *place) }
	set(&e.Address, f.Address)
	set(&e.Folder, f.Folder)
	set(&e.Tenant, f.Tenant)
	set(&e.Client, f.Client)
	set(&e.Cloud, f.Cloud)
	if f.SecretEnv != "" || f.SecretFile != "" {
		e.SecretEnv, e.SecretFile = f.SecretEnv, f.SecretFile
	}
	return e, configured
}

func entryOf(m *desk.MailboxSetting) mailboxEntry {
	e := mailboxEntry{
		Name: m.Name, Kind: string(m.Kind), Address: m.Address, Server: m.Server, User: m.User, Tenant: m.Tenant, Client: m.Client, Cloud: m.Cloud,
		SecretEnv: m.SecretEnv, SecretFile: m.SecretFile,
	}
	if m.Folder != desk.MailboxFolder {
		e.Folder = m.Folder
	}
	if m.Kind == desk.MailboxIMAP && m.TLS != desk.MailboxTLSImplicit {
		e.TLS = string(m.TLS)
	}
	if m.Kind == desk.MailboxIMAP && m.Auth != desk.MailboxPassword {
		e.Auth = string(m.Auth)
	}
	if m.Every != desk.MailboxEvery {
		e.Every = m.Every.String()
	}
	if m.Days != desk.MailboxDays {
		e.Days = &m.Days
	}
	return e
}

// setupGuide tells step by step what is to be done first.
func (r *run) setupGuide(key string, e mailboxEntry) error {
	if r.flags.Output != "text" {
		return formatError("intake setup", r.flags.Output)
	}
	address := term.Clean(cmp.Or(e.Address, "report@kiso-works.example"))
	text := r.say(key, "address", address, "filter", strings.ReplaceAll(address, "'", "''"), "name", term.Clean(e.Name),
		"tenant", term.Clean(cmp.Or(e.Tenant, r.config.Facts.TenantID.Value(), "TENANT")), "client", term.Clean(cmp.Or(e.Client, "CLIENT")))
	for line := range strings.SplitSeq(text, "\n") {
		body := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(body)]
		if strings.HasPrefix(indent, "     ") { // a command is not broken up
			fmt.Fprintln(r.Stdout, line)
			continue
		}
		for _, l := range term.Wrap(body, max(30, r.columns()-len(indent))) {
			fmt.Fprintln(r.Stdout, indent+l)
		}
	}
	return nil
}

// setUp checks the settings, signs in where that is needed, tries the mailbox
// and prints the lines for sekisho.yaml.
func (r *run) setUp(e mailboxEntry, configured bool, f *setupFlags) (err error) {
	if r.flags.Output != "text" {
		return formatError("intake setup", r.flags.Output)
	}
	m := desk.MailboxSetting{Name: strings.ToLower(e.Name)}
	if !f.Forget {
		if m, err = r.readEntry(e); err != nil {
			return err
		}
	}
	if r.dataDir() == "" {
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("store.error.no-folder"), Hint: lang.M("store.hint.no-folder")}
	}
	a, err := r.Mailbox(r.ctx, MailboxOptions{DataDir: r.dataDir(), Setting: m, Tenant: r.config.Facts.TenantID.Value(), MaxMessage: r.config.Limits.MessageSize})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := a.Close(); err == nil {
			err = closeErr
		}
	}()
	if f.Forget {
		if err := a.Forget(r.ctx); err != nil {
			return err
		}
		r.lines("cli.mailbox.forgotten", "name", m.Name)
		return nil
	}
	if m.SignsIn() && !f.Check {
		err := a.SignIn(r.ctx, func(c SignInCode) {
			r.lines("cli.mailbox.code", "url", c.URL, "minutes", max(1, int(time.Until(c.Expires).Minutes())))
			fmt.Fprintln(r.Stdout, "  "+term.Clean(c.URL))
			fmt.Fprintln(r.Stdout, "  "+r.style.Paint(term.Bold, term.Clean(c.Code)))
			r.lines("cli.mailbox.code-account", "address", m.Login())
		})
		if err != nil {
			return err
		}
		r.lines("cli.mailbox.signed-in")
	}
	info, tooMuch, err := a.Check(r.ctx)
	if err != nil {
		return err
	}
	r.lines("cli.mailbox.works", "address", term.Clean(m.Login()), "folder", term.Clean(info.Folder), "n", info.Mails)
	if len(tooMuch) > 0 {
		r.lines("cli.mailbox.too-much", "permissions", tooMuch)
	}
	if configured && f.Check {
		return nil
	}
	b, err := yaml.Marshal(map[string]any{"intake": map[string]any{"mailboxes": []mailboxEntry{entryOf(&m)}}})
	if err != nil {
		return err
	}
	r.lines("cli.mailbox.lines")
	fmt.Fprint(r.Stdout, "\n"+string(b)+"\n")
	r.lines("cli.mailbox.then")
	return nil
}

// lines prints a message over as many lines as it needs.
func (r *run) lines(key string, pairs ...any) {
	for _, l := range term.Wrap(r.say(key, pairs...), max(30, r.columns())) {
		fmt.Fprintln(r.Stdout, l)
	}
}

// readEntry reads an entry as it would be read from sekisho.yaml.
func (r *run) readEntry(e mailboxEntry) (desk.MailboxSetting, error) {
	b, err := yaml.Marshal([]mailboxEntry{e})
	if err != nil {
		return desk.MailboxSetting{}, err
	}
	c, err := config.Load(&config.Options{WorkDir: r.WorkDir, Overrides: []config.Override{{Key: "intake.mailboxes", Value: string(b), From: "sekisho intake setup"}}})
	if err != nil {
		return desk.MailboxSetting{}, err
	}
	return c.Intake.Mailboxes[0], nil
}

type intakeMailboxesCmd struct{}

// mailboxSchema names the record of a mailbox, in docs/schema.
const mailboxSchema = "sekisho.mailbox/v1"

// mailboxRecord is how far a mailbox was read.
type mailboxRecord struct {
	Schema   string          `json:"schema"`
	Name     string          `json:"name"`
	Kind     string          `json:"kind,omitempty"` // left out for one that is not configured any more
	Address  string          `json:"address,omitempty"`
	Mails    int             `json:"mails"`
	LastMail *time.Time      `json:"last_mail,omitempty"`
	LastRead *time.Time      `json:"last_read,omitempty"`
	Failed   *time.Time      `json:"failed,omitempty"`
	Problem  lang.Text       `json:"problem,omitzero"`
	Refused  int             `json:"refused"`
	Newest   []refusedRecord `json:"newest_refused,omitempty"`
}

// refusedRecord is a mail that could not be had.
type refusedRecord struct {
	Key string    `json:"key"`
	At  time.Time `json:"at"`
	Why lang.Text `json:"why"`
}

// maxRefused is how many mails that could not be had are listed of a mailbox.
const maxRefused = 20

// Run says how far each mailbox was read.
func (c *intakeMailboxesCmd) Run(r *run) error {
	list, err := r.mailboxRecords()
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		if len(list) == 0 {
			r.lines("cli.mailbox.none")
		}
		for _, m := range list {
			head := term.Clean(m.Name)
			if m.Address != "" {
				head += "  " + m.Kind + "  " + term.Clean(m.Address)
			}
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, head))
			say := func(key string, pairs ...any) { fmt.Fprintln(r.Stdout, "  "+r.say(key, pairs...)) }
			if m.LastRead == nil && m.Failed == nil {
				say("cli.mailbox.never")
				continue
			}
			if m.LastRead != nil {
				say("cli.mailbox.read", "n", m.Mails, "at", r.minute(*m.LastRead))
			}
			if m.Failed != nil {
				say("cli.mailbox.failed", "at", r.minute(*m.Failed), "problem", term.Clean(m.Problem.In(r.lang)))
			}
			if m.Refused > 0 {
				say("cli.mailbox.refused", "n", m.Refused)
			}
			for _, x := range m.Newest {
				fmt.Fprintln(r.Stdout, "    "+r.minute(x.At)+"  "+term.Clean(x.Why.In(r.lang))+"  "+term.Clean(x.Key))
			}
		}
	})
}

// mailboxRecords returns the mailboxes that are configured, and those of which
// something is kept.
func (r *run) mailboxRecords() (list []mailboxRecord, err error) {
	states := map[string]desk.MailboxState{}
	refused := map[string][]desk.MailboxMark{}
	var others []string
	if r.hasStore() {
		s, err := r.store()
		if err != nil {
			return nil, err
		}
		defer func() { _ = s.Close() }() // nothing was written
		all, err := s.MailboxStates(r.ctx)
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			states[m.Name] = m
			if refused[m.Name], err = s.MailboxRefused(r.ctx, m.Name, maxRefused); err != nil {
				return nil, err
			}
			if _, ok := r.config.MailboxAt(m.Name); !ok {
				others = append(others, m.Name)
			}
		}
	}
	add := func(out mailboxRecord) {
		s := states[out.Name]
		out.Schema, out.Mails, out.Refused, out.Problem = mailboxSchema, s.Mails, s.Refused, s.Problem
		out.LastMail, out.LastRead, out.Failed = timeOrNil(s.LastMail), timeOrNil(s.LastRead), timeOrNil(s.Failed)
		for _, m := range refused[out.Name] {
			out.Newest = append(out.Newest, refusedRecord{m.Key, m.At.UTC(), m.Why})
		}
		list = append(list, out)
	}
	for _, m := range r.config.Intake.Mailboxes {
		add(mailboxRecord{Name: m.Name, Kind: string(m.Kind), Address: m.Login()})
	}
	for _, name := range others {
		add(mailboxRecord{Name: name})
	}
	return list, nil
}

// timeOrNil is a time for JSON, nil for none.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
