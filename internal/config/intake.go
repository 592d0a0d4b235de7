package config

import (
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Intake says how mail comes in by itself.
type Intake struct {
	SMTP   SMTPIntake
	Milter MilterIntake
	Watch  []string // folders, joined with the folder of the configuration file

	Mailboxes []desk.MailboxSetting // that are read by themselves
}

// SMTPIntake is a listener to which other servers deliver.
type SMTPIntake struct {
	Listen     string         // host and port, or "unix:" and a path; "" for none
	Recipients []string       // addresses, or "@" and a domain
	Allow      []netip.Prefix // who may connect; none is this machine alone
	Cert, Key  string         // files of a certificate for STARTTLS, joined with the folder of the configuration file
}

// MilterIntake is a listener that Postfix and Sendmail ask.
type MilterIntake struct {
	Listen     string // host and port, or "unix:" and a path; "" for none
	Name       string // authserv-id of RFC 8601
	Malicious  string // tag, quarantine or reject
	Suspicious string
	OnFailure  string        // accept or tempfail
	Keep       string        // none, malicious, suspicious or all
	Timeout    time.Duration // for one mail
	Allow      []netip.Prefix
}

// What a milter may do.
const (
	MilterTag        = "tag"
	MilterQuarantine = "quarantine"
	MilterReject     = "reject"

	MilterAccept   = "accept"
	MilterTempfail = "tempfail"

	KeepNone       = "none"
	KeepMalicious  = "malicious"
	KeepSuspicious = "suspicious"
	KeepAll        = "all"
)

func defaultIntake() Intake {
	return Intake{Milter: MilterIntake{Malicious: MilterTag, Suspicious: MilterTag, OnFailure: MilterAccept, Keep: KeepSuspicious, Timeout: 10 * time.Second}}
}

// listen reads where to listen.
func (v value) listen() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	if path, found := strings.CutPrefix(s, "unix:"); found && path != "" {
		return "unix:" + inDir(v.dir, filepath.FromSlash(path)), true
	}
	if host, port, err := net.SplitHostPort(s); err == nil && !strings.ContainsAny(host, "/ ") {
		if _, err := strconv.ParseUint(port, 10, 16); err == nil {
			return s, true
		}
	}
	v.bad(lang.M("config.why.no-listen"), lang.M("config.hint.listen"))
	return "", false
}

// recipient reads an address, or a domain with "@" in front of it.
func (v value) recipient() (string, bool) {
	if strings.HasPrefix(strings.TrimSpace(v.node.Value), "@") {
		n := *v.node
		n.Value = strings.TrimPrefix(strings.TrimSpace(n.Value), "@")
		d, ok := value{v.reader, &n, v.key}.domain()
		return "@" + d, ok
	}
	return v.mail()
}

// CheckIntake finds what has to be said together and was not. It is asked where mail is
// to come in; other commands need not mind. The error is an [*desk.Error] of kind
// Invalid with the place of the setting.
func (c *Config) CheckIntake() error {
	in := &c.Intake
	for _, x := range []struct {
		have    string
		missing bool
		section string
		field   string
		hint    string
	}{
		{"intake.smtp.listen", len(in.SMTP.Recipients) == 0, "intake.smtp", "recipients", "recipients"},
		{"intake.smtp.tls.cert", in.SMTP.Key == "", "intake.smtp.tls", "key", "tls"},
		{"intake.smtp.tls.key", in.SMTP.Cert == "", "intake.smtp.tls", "cert", "tls"},
		{"intake.milter.listen", in.Milter.Name == "", "intake.milter", "name", "milter-name"},
	} {
		if at := c.Source(x.have); at != "" && x.missing {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("config.lacks", "at", at, "key", x.section, "field", x.field), Hint: lang.M("config.hint." + x.hint)}
		}
	}
	return nil
}
