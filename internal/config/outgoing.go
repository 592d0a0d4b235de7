package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Outgoing says how mails of ours leave.
type Outgoing struct {
	Server     string // host and port; "" sends nothing
	TLS        string // starttls, implicit or none
	User       string // "" does not log in
	SecretEnv  string // name of an environment variable
	SecretFile string // joined with the folder of the configuration file
	From       string // address
}

// Ways of TLS to the mail server.
const (
	SMTPStartTLS = "starttls"
	SMTPImplicit = "implicit"
	SMTPNoTLS    = "none"
)

// maxReplies bounds what somebody may set as a number of replies.
const maxReplies = 10_000

// smtpServer reads a host with its port.
func (v value) smtpServer() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	host, port, err := net.SplitHostPort(s)
	_, ipErr := netip.ParseAddr(host)
	_, nameErr := domain.Parse(host)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 || ipErr != nil && nameErr != nil && host != "localhost" {
		v.bad(lang.M("config.why.no-smtp-server"), lang.M("config.hint.smtp-server"))
		return "", false
	}
	return s, true
}

func (v value) count() (int, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxReplies {
		v.bad(lang.M("config.why.count", "max", maxReplies), lang.Message{})
		return 0, false
	}
	return n, true
}

func (v value) verdict() (desk.Word, bool) {
	s, ok := choice(string(desk.Malicious), string(desk.Suspicious), string(desk.Spam), string(desk.Clean), string(desk.Undecided))(v)
	return desk.Word(s), ok
}

func (v value) replyMode() (desk.ReplyMode, bool) {
	s, ok := choice(string(desk.ReplyOff), string(desk.ReplyApprove), string(desk.ReplyAuto))(v)
	return desk.ReplyMode(s), ok
}

// timeOfDay reads a time such as 08:30 as minutes after midnight.
func (v value) timeOfDay() (int, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	t, err := time.Parse("15:04", s)
	if err != nil {
		v.bad(lang.M("config.why.no-time"), lang.M("config.hint.no-time"))
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

// CheckOutgoing finds what has to be said together and was not. It is asked where
// mail is to leave. The error is an [*desk.Error] of kind Invalid with the place
// of the setting.
func (c *Config) CheckOutgoing() error {
	o := &c.Outgoing
	lacks := func(at, section, field, hint string) error {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("config.lacks", "at", at, "key", section, "field", field), Hint: lang.M("config.hint." + hint)}
	}
	if at := c.Source("replies.mode"); at != "" && c.Replies.Mode != desk.ReplyOff && o.Server == "" {
		return lacks(at, "outgoing.smtp", "server", "replies")
	}
	if at := c.Source("summary.to"); at != "" && o.Server == "" {
		return lacks(at, "outgoing.smtp", "server", "summary")
	}
	at := c.Source("outgoing.smtp.server")
	if at == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(o.Server)
	switch {
	case o.From == "":
		return lacks(at, "outgoing.smtp", "from", "outgoing")
	case o.User != "" && o.SecretEnv == "" && o.SecretFile == "":
		return lacks(at, "outgoing.smtp", "secret_env", "outgoing")
	case err == nil && o.TLS == SMTPNoTLS && !isLoopback(strings.Trim(host, "[]")):
		return &desk.Error{
			Kind: desk.Invalid, Hint: lang.M("config.hint.smtp-plain"),
			Message: lang.M("config.bad-value", "at", at, "key", "outgoing.smtp.server", "value", show(o.Server), "why", lang.M("config.why.smtp-plain")),
		}
	}
	return nil
}
