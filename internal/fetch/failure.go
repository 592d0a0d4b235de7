package fetch

import (
	"compress/flate"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

func isCorrupt(err error) bool {
	_, ok := errors.AsType[flate.CorruptInputError](err)
	return ok
}

// failure says to a person why an address was not fetched.
func failure(address string, err error) *desk.Error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // it repeats the address
	}
	e := &desk.Error{Kind: desk.Invalid, Err: err}
	say := func(kind desk.ErrorKind, key string) {
		e.Kind, e.Message = kind, lang.M(key, "url", clip(address))
	}
	hint := func(key string) { e.Hint = lang.M(key) }
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, ErrURL):
		say(desk.Invalid, "fetch.error.url")
		hint("fetch.hint.url")
	case errors.Is(err, ErrScheme):
		say(desk.Invalid, "fetch.error.scheme")
		hint("fetch.hint.url")
	case errors.Is(err, ErrPort):
		say(desk.Denied, "fetch.error.port")
	case errors.Is(err, ErrAddress):
		say(desk.Denied, "fetch.error.address")
		hint("fetch.hint.address")
	case errors.Is(err, ErrRedirect):
		say(desk.Denied, "fetch.error.redirect")
	case errors.Is(err, ErrTooLarge):
		say(desk.Limit, "fetch.error.large")
	case errors.Is(err, ErrEncoding):
		say(desk.Unavailable, "fetch.error.encoding")
	case errors.Is(err, ErrNoHost):
		say(desk.NotFound, "fetch.error.host")
		hint("fetch.hint.spelling")
	case unknown || verify:
		say(desk.Unavailable, "fetch.error.certificate")
		hint("fetch.hint.certificate")
	case errors.Is(err, context.DeadlineExceeded) || timeout != nil && timeout.Timeout():
		say(desk.Unavailable, "fetch.error.timeout")
		hint("fetch.hint.network")
	default:
		e.Kind, e.Message = desk.Unavailable, lang.M("fetch.error.failed", "url", clip(address), "error", err.Error())
		hint("fetch.hint.network")
	}
	return e
}

// clip keeps an address in a sentence short, and a password out of it.
func clip(s string) string {
	const most = 200
	if before, after, ok := strings.Cut(s, "@"); ok {
		if scheme, _, ok := strings.Cut(before, "//"); ok {
			s = scheme + "//…@" + after
		}
	}
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
