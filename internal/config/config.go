// Package config reads what a user configured: the file sekisho.yaml, the
// environment and the flags of the command line, in this order, the later
// winning. Nothing else in sekisho reads configuration.
//
// The file is YAML. Every key is a [Setting]; a key that is none, a value of
// the wrong kind and a key given twice are errors that name file, line and
// column. Everything has a default, so that no file and an empty file are both
// valid. What the organisation says about itself becomes [org.Facts], where a
// setting that is left out stays "not configured".
package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/org"
)

// FileName is the name under which the configuration is looked for.
const FileName = "sekisho.yaml"

const (
	maxFile   = 1 << 20 // bytes of sekisho.yaml
	maxPeople = 8 << 20 // bytes of the list of people
	maxItems  = 10_000  // entries of one list

	appDir = "sekisho" // below the user's folders for configuration and state
)

// Config is the whole configuration.
type Config struct {
	Facts    org.Facts
	Language lang.Language // "": as the system says
	DataDir  string        // folder for what sekisho keeps; "" if nobody knows one
	DNS      DNS
	DMARC    DMARC
	Rules    []RuleSource
	Lists    []string // folders with lists, joined with the folder of the configuration file
	Limits   Limits
	Keep     desk.Retention
	Retro    Retro
	Intake   Intake
	Server   Server
	Outgoing Outgoing
	Replies  desk.ReplyRules
	Summary  desk.SummaryRules
	News     []source.Source // those that sekisho ships with, as the user changed them, and the user's own
	Approval desk.ApprovalRules
	Webhooks []desk.Webhook
	File     string // the file that was read; "" if there was none

	sources map[string]string
	written map[string]string
}

// DNS says whom to ask.
type DNS struct {
	Server  string        // host and port; "" is the system's resolver
	Timeout time.Duration // for one question
}

// DMARC says what the user knows about reports.
type DMARC struct {
	Sources string // file with what the user knows of senders, joined with the folder of the configuration file
}

// RuleSource is where rules come from: a file or folder, a feed, or the pack
// that sekisho ships with.
type RuleSource struct {
	Path string // joined with the folder of the configuration file
	Feed string // a name, or an https URL
	Pin  string // "sha256:" and 64 hex digits; "" if the feed is not pinned
	Pack string // "sekisho"
	Off  bool   // the pack is not used
}

// Limits bound what is read.
type Limits struct {
	MessageSize int // bytes of one message
}

// Source returns where the setting of that key was given, such as
// "sekisho.yaml:3:12" or "SEKISHO_DNS_SERVER", and "" where it was not.
func (c *Config) Source(key string) string { return c.sources[key] }

// maxWritten bounds how much of one value [Config.Written] repeats.
const maxWritten = 4 << 10

// Written returns the value of the setting of that key as YAML in one line, and
// "" where it was not given. A long one is cut off.
func (c *Config) Written(key string) string { return c.written[key] }

// Options says where to look. A nil *Options finds nothing.
type Options struct {
	Path      string     // the file to read; "" searches
	WorkDir   string     // where the search starts; also the folder of relative paths in Environ and Overrides
	Environ   []string   // NAME=value as [os.Environ] has them
	Overrides []Override // flags, which win over everything
	ConfigDir string     // the user's configuration folder, as [Dirs] returns it; "" is not searched
	StateDir  string     // the user's folder for state, as [Dirs] returns it
}

// Override is a setting from a flag.
type Override struct {
	Key   string // as in [Setting]
	Value string // as the environment spells it
	From  string // what the user wrote, such as "--dns", for errors
}

// Load reads the configuration. The file is Options.Path, else what
// SEKISHO_CONFIG names, else sekisho.yaml in the working folder, else
// sekisho/sekisho.yaml in the user's configuration folder, else none.
//
// Errors are [*desk.Error]: NotFound for a file that was named and is not
// there, Denied for one that must not be read, Invalid for what it says, with
// the place of the first mistake.
func Load(o *Options) (*Config, error) {
	if o == nil {
		o = &Options{}
	}
	c := newConfig()
	raw, err := c.open(o)
	if err != nil {
		return nil, err
	}
	l := &loader{config: c, settings: settings()}
	if c.File != "" {
		l.readFile(c.File, raw)
	}
	l.readEnviron(o.WorkDir, o.Environ)
	for _, v := range o.Overrides {
		l.readOverride(o.WorkDir, v)
	}
	if err := l.finish(); err != nil {
		return nil, err
	}
	if c.DataDir == "" && o.StateDir != "" {
		c.DataDir = filepath.Join(o.StateDir, appDir)
	}
	return c, nil
}

func newConfig() *Config {
	return &Config{
		DNS:      DNS{Timeout: 3 * time.Second},
		Limits:   Limits{MessageSize: budget.DefaultBytes},
		News:     source.Default(),
		Intake:   defaultIntake(),
		Retro:    Retro{Days: desk.DefaultRetroDays},
		sources:  map[string]string{},
		written:  map[string]string{},
		Outgoing: Outgoing{TLS: SMTPStartTLS},
		Summary:  desk.SummaryRules{At: 8*60 + 30},
	}
}

// open finds the file, notes its name and returns its bytes.
func (c *Config) open(o *Options) ([]byte, error) {
	named := o.Path
	if named == "" {
		if v, _ := lookupEnv(o.Environ, envConfig); v != "" {
			named = v
		}
	}
	if named != "" {
		raw, err := readLimited(inDir(o.WorkDir, named), maxFile)
		if err != nil {
			return nil, fileError(named, maxFile, err)
		}
		c.File = inDir(o.WorkDir, named)
		return raw, nil
	}
	candidates := []string{inDir(o.WorkDir, FileName)}
	if o.ConfigDir != "" {
		candidates = append(candidates, filepath.Join(o.ConfigDir, appDir, FileName))
	}
	for _, name := range candidates {
		raw, err := readLimited(name, maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fileError(name, maxFile, err)
		}
		c.File = name
		return raw, nil
	}
	return nil, nil
}

// inDir returns name as seen from dir. The working folder itself is left out,
// so that errors show the path as the user wrote it.
func inDir(dir, name string) string {
	if dir == "" || dir == "." || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

var errTooBig = errors.New("config: file is too big")

func readLimited(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, errTooBig
	}
	return b, nil
}

// fileError says why the file name could not be read.
func fileError(name string, limit int, err error) *desk.Error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("config.no-file", "file", name), Hint: lang.M("config.hint.init"), Err: err}
	case errors.Is(err, fs.ErrPermission):
		return &desk.Error{Kind: desk.Denied, Message: lang.M("config.denied", "file", name), Hint: lang.M("config.hint.permission"), Err: err}
	case errors.Is(err, errTooBig):
		return &desk.Error{Kind: desk.Limit, Message: lang.M("config.too-big", "file", name, "mib", limit>>20), Err: err}
	default:
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("config.unreadable", "file", name), Hint: lang.M("config.hint.is-file"), Err: err}
	}
}

// Dirs returns the folders in which a program keeps the configuration and the
// state of the user on the system goos, from the environment: on Unix those of
// the XDG Base Directory Specification, on macOS Application Support, on
// Windows the roaming and the local application data. A folder is "" if the
// environment does not tell.
func Dirs(goos string, env func(string) string) (configDir, stateDir string) {
	switch goos {
	case "windows":
		return env("AppData"), env("LocalAppData")
	case "darwin", "ios":
		if home := env("HOME"); home != "" {
			dir := filepath.Join(home, "Library", "Application Support")
			return dir, dir
		}
		return "", ""
	}
	return xdg(env, "XDG_CONFIG_HOME", ".config"), xdg(env, "XDG_STATE_HOME", filepath.Join(".local", "state"))
}

// xdg ignores a relative path, as the specification asks.
func xdg(env func(string) string, name, below string) string {
	if dir := env(name); filepath.IsAbs(dir) {
		return dir
	}
	if home := env("HOME"); home != "" {
		return filepath.Join(home, below)
	}
	return ""
}
