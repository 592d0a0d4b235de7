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

// finishIntake checks what settings say together.
func (l *loader) finishIntake() {
	in := &l.config.Intake
	lacks := func(have string, missing bool, section, field, hint string) {
		if at := l.config.Source(have); at != "" && missing {
			l.invalid(0, 0, lang.M("config.lacks", "at", at, "key", section, "field", field), lang.M("config.hint."+hint))
		}
	}
	lacks("intake.smtp.listen", len(in.SMTP.Recipients) == 0, "intake.smtp", "recipients", "recipients")
	lacks("intake.smtp.tls.cert", in.SMTP.Key == "", "intake.smtp.tls", "key", "tls")
	lacks("intake.smtp.tls.key", in.SMTP.Cert == "", "intake.smtp.tls", "cert", "tls")
	lacks("intake.milter.listen", in.Milter.Name == "", "intake.milter", "name", "milter-name")
}
