package config

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// The clouds in which Microsoft runs tenants, by the names that sekisho gives
// them.
const (
	cloudGlobal = "global"
	cloudUSGov  = "us-gov"
	cloudUSDoD  = "us-dod"
	cloudChina  = "china"
)

// mailboxes reads the mailboxes that are read by themselves. Each has a name of
// its own, by which sekisho remembers how far it was read.
func (v value) mailboxes() ([]desk.MailboxSetting, bool) {
	all, ok := list(value.mailbox)(v)
	if !ok {
		return nil, false
	}
	if len(all) > desk.MaxMailboxes {
		v.fail(v.node, lang.M("config.too-many", "at", v.at(v.node), "key", show(v.key), "max", desk.MaxMailboxes), lang.Message{})
		return nil, false
	}
	seen := map[string]bool{}
	for i, m := range all {
		if seen[m.Name] {
			entry := value{v.reader, v.node.Content[i], v.key}
			entry.bad(lang.M("config.why.mailbox-twice", "name", m.Name), lang.Message{})
			return nil, false
		}
		seen[m.Name] = true
	}
	return all, true
}

func (v value) mailbox() (desk.MailboxSetting, bool) {
	m := desk.MailboxSetting{Folder: desk.MailboxFolder, Every: desk.MailboxEvery, Days: desk.MailboxDays, TLS: desk.MailboxTLSImplicit, Auth: desk.MailboxPassword}
	var kind, tls, auth string
	if !v.entry(map[string]func(value){
		"name": into(&m.Name, value.slug), "kind": into(&kind, choice(string(desk.MailboxGraph), string(desk.MailboxIMAP))),
		"address": into(&m.Address, value.mail), "folder": into(&m.Folder, value.text),
		"every": into(&m.Every, value.every), "days": into(&m.Days, value.dayCount),
		"server": into(&m.Server, value.imapServer), "user": into(&m.User, value.text),
		"tls":    into(&tls, choice(string(desk.MailboxTLSImplicit), string(desk.MailboxStartTLS), string(desk.MailboxNoTLS))),
		"auth":   into(&auth, choice(string(desk.MailboxPassword), string(desk.MailboxOAuth))),
		"tenant": into(&m.Tenant, value.tenant), "client": into(&m.Client, value.guid),
		"cloud":      into(&m.Cloud, choice(cloudGlobal, cloudUSGov, cloudUSDoD, cloudChina)),
		"secret_env": into(&m.SecretEnv, value.variable), "secret_file": into(&m.SecretFile, value.path),
	}) {
		return m, false
	}
	m.Kind = desk.MailboxKind(kind)
	m.TLS, m.Auth = cmp.Or(desk.MailboxTLS(tls), m.TLS), cmp.Or(desk.MailboxAuth(auth), m.Auth)
	return m, v.mailboxComplete(&m)
}

// mailboxComplete checks what the fields say together.
func (v value) mailboxComplete(m *desk.MailboxSetting) bool {
	hint := lang.M("config.hint.mailbox")
	lacks := func(field string, missing bool) bool {
		if missing {
			v.lacks(field, hint)
		}
		return missing
	}
	if lacks("name", m.Name == "") || lacks("kind", m.Kind == "") || lacks("address", m.Address == "" && m.User == "") ||
		lacks("address", m.Address == "" && m.Kind == desk.MailboxGraph) || lacks("client", m.UsesOAuth() && m.Client == "") {
		return false
	}
	if m.SecretEnv != "" && m.SecretFile != "" {
		v.bad(lang.M("config.why.two-secrets"), hint)
		return false
	}
	if m.Kind == desk.MailboxGraph {
		if m.Cloud == cloudChina {
			v.bad(lang.M("config.why.no-delta"), lang.M("config.hint.imap-oauth"))
			return false
		}
		return true
	}
	if lacks("server", m.Server == "") || lacks("secret_env", m.Auth == desk.MailboxPassword && m.SecretEnv == "" && m.SecretFile == "") {
		return false
	}
	if _, _, err := net.SplitHostPort(m.Server); err != nil {
		port := "993"
		if m.TLS == desk.MailboxStartTLS || m.TLS == desk.MailboxNoTLS {
			port = "143"
		}
		m.Server = net.JoinHostPort(strings.Trim(m.Server, "[]"), port)
	}
	if host, _, err := net.SplitHostPort(m.Server); err == nil && m.TLS == desk.MailboxNoTLS && !isLoopback(host) {
		v.bad(lang.M("config.why.imap-plain"), lang.M("config.hint.imap-plain"))
		return false
	}
	return true
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// imapServer reads a host with or without port.
func (v value) imapServer() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	host, port := s, ""
	if h, p, err := net.SplitHostPort(s); err == nil {
		host, port = h, p
	}
	_, ipErr := netip.ParseAddr(strings.Trim(host, "[]"))
	_, nameErr := domain.Parse(host)
	n, portErr := strconv.ParseUint(port, 10, 16)
	if ipErr != nil && nameErr != nil && host != "localhost" || port != "" && (portErr != nil || n == 0) {
		v.bad(lang.M("config.why.no-imap-server"), lang.M("config.hint.imap-server"))
		return "", false
	}
	return s, true
}

// tenant reads a GUID or a domain.
func (v value) tenant() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	if strings.Contains(s, ".") {
		return v.domain()
	}
	return v.guid()
}

// every reads the time between two looks.
func (v value) every() (time.Duration, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < desk.MinMailboxEvery || d > desk.MaxMailboxEvery {
		v.bad(lang.M("config.why.every"), lang.M("config.hint.every"))
		return 0, false
	}
	return d, true
}

func (v value) dayCount() (int, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > desk.MaxMailboxDays {
		v.bad(lang.M("config.why.days", "max", desk.MaxMailboxDays), lang.Message{})
		return 0, false
	}
	return n, true
}

// variable reads the name of an environment variable. A secret that was put in
// its place is not repeated in the error.
func (v value) variable() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			v.fail(v.node, lang.M("config.bad-value", "at", v.at(v.node), "key", show(v.key), "value", "…", "why", lang.M("config.why.no-variable")), lang.M("config.hint.secret"))
			return "", false
		}
	}
	return s, true
}

// MailboxAt returns the mailbox of that name.
func (c *Config) MailboxAt(name string) (desk.MailboxSetting, bool) {
	for _, m := range c.Intake.Mailboxes {
		if m.Name == name {
			return m, true
		}
	}
	return desk.MailboxSetting{}, false
}
