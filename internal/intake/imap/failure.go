package imap

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// failure says to a person what went wrong.
func (o *Options) failure(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if _, ok := errors.AsType[*desk.Error](err); ok {
		return err
	}
	e := &desk.Error{Kind: desk.Unavailable, Hint: lang.M("imap.hint.network"), Err: err}
	say := func(kind desk.ErrorKind, key, hint string) {
		e.Kind, e.Message, e.Hint = kind, lang.M("imap.error."+key, "server", o.Server, "user", o.User, "folder", o.Folder), lang.M("imap.hint."+hint)
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, address := errors.AsType[*net.AddrError](err)
	switch {
	case address:
		say(desk.Invalid, "server", "server")
	case errors.Is(err, errPlain):
		say(desk.Denied, "plain", "tls")
	case errors.Is(err, errNoMechanism):
		say(desk.Denied, "mechanism", "tls")
	case errors.Is(err, errPassword):
		say(desk.Denied, "password", "password")
	case errors.Is(err, errRefusedToken):
		say(desk.Denied, "token", "token")
	case errors.Is(err, errFolder):
		say(desk.NotFound, "folder", "folder")
	case errors.Is(err, errNoUIDs):
		say(desk.Invalid, "uids", "network")
	case errors.Is(err, errBytes):
		say(desk.Limit, "bytes", "network")
	case unknown || verify:
		say(desk.Unavailable, "certificate", "certificate")
	case record || strings.Contains(err.Error(), "STARTTLS"):
		say(desk.Unavailable, "tls", "tls")
	case errors.Is(err, errSlow) || errors.Is(err, context.DeadlineExceeded):
		say(desk.Unavailable, "slow", "network")
	default:
		e.Message = lang.M("imap.error.other", "server", o.Server, "error", clip(err.Error()))
	}
	return e
}

// clip keeps what a server says short and in one line.
func clip(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
