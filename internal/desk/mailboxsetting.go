package desk

import "time"

// MailboxKind is the way in which a mailbox is read.
type MailboxKind string

// The kinds.
const (
	MailboxGraph MailboxKind = "graph" // Microsoft 365, by Microsoft Graph
	MailboxIMAP  MailboxKind = "imap"
)

// MailboxTLS says when a connection to an IMAP server is encrypted.
type MailboxTLS string

// The ways. Without encryption, only a server on this machine is read.
const (
	MailboxTLSImplicit MailboxTLS = "implicit" // from the first byte, mostly port 993
	MailboxStartTLS    MailboxTLS = "starttls" // before signing in, mostly port 143
	MailboxNoTLS       MailboxTLS = "none"
)

// MailboxAuth is how sekisho proves to an IMAP server who it is.
type MailboxAuth string

// The ways.
const (
	MailboxPassword MailboxAuth = "password"
	MailboxOAuth    MailboxAuth = "oauth" // XOAUTH2 with a token of Microsoft Entra ID
)

// Defaults and bounds of [MailboxSetting].
const (
	MailboxFolder   = "inbox"
	MailboxEvery    = time.Minute
	MinMailboxEvery = 10 * time.Second
	MaxMailboxEvery = 24 * time.Hour
	MailboxDays     = 7
	MaxMailboxDays  = 3650
	MaxMailboxes    = 50
)

// MailboxSetting is a mailbox that sekisho reads by itself.
type MailboxSetting struct {
	Name    string // by which sekisho remembers how far it was read
	Kind    MailboxKind
	Address string // of the mailbox
	Folder  string
	Every   time.Duration // between two looks, where the server doesn't tell of new mail
	Days    int           // that the first look reaches back

	Server string      // IMAP: host and port
	TLS    MailboxTLS  // IMAP
	User   string      // IMAP: "" is the address
	Auth   MailboxAuth // IMAP

	Tenant string // Graph and OAuth: the directory, as GUID or domain
	Client string // Graph and OAuth: the application (client) ID
	Cloud  string // Graph and OAuth: "" is the worldwide one

	// The password, or the secret of an application that signs in by itself.
	// Neither: somebody signs in with a code.
	SecretEnv  string // name of the variable
	SecretFile string
}

// SignsIn reports whether somebody signs in to the mailbox with a code, so that
// a token is kept.
func (s *MailboxSetting) SignsIn() bool {
	return s.UsesOAuth() && s.SecretEnv == "" && s.SecretFile == ""
}

// UsesOAuth reports whether tokens of Microsoft Entra ID are used.
func (s *MailboxSetting) UsesOAuth() bool { return s.Kind == MailboxGraph || s.Auth == MailboxOAuth }

// Login returns the user to sign in as.
func (s *MailboxSetting) Login() string {
	if s.User != "" {
		return s.User
	}
	return s.Address
}
