package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// unreachable says why a host did not answer. Addresses are left out: those of
// pages are long, and say nothing to a person.
func unreachable(host string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, verify := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unknown || verify:
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.certificate", "host", host), Hint: lang.M("graph.hint.certificate"), Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.slow", "host", host), Hint: lang.M("graph.hint.network"), Err: err}
	}
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.unreachable", "host", host, "error", err.Error()), Hint: lang.M("graph.hint.network"), Err: err}
}

// The codes of Microsoft Entra ID that have a way out of their own
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func signInHint(code string) string {
	switch code {
	case "AADSTS7000215":
		return "graph.hint.secret-wrong"
	case "AADSTS7000222":
		return "graph.hint.secret-old"
	case "AADSTS700016", "AADSTS700038":
		return "graph.hint.client"
	case "AADSTS90002", "AADSTS900023":
		return "graph.hint.tenant"
	case "AADSTS7000218", "AADSTS70002":
		return "graph.hint.public-client"
	case "AADSTS65001", "AADSTS90094", "AADSTS65004":
		return "graph.hint.consent"
	case "AADSTS53003", "AADSTS530032", "AADSTS50105", "AADSTS53000", "AADSTS50199":
		return "graph.hint.conditional"
	}
	return "graph.hint.sign-in"
}

// signIn says why there is no token.
func signIn(host string, err error) error {
	e, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return unreachable(host, err)
	}
	code := aadCode(e.ErrorDescription)
	switch {
	case e.Response != nil && (e.Response.StatusCode >= 500 || e.Response.StatusCode == 429):
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.status", "host", host, "status", e.Response.StatusCode), Hint: lang.M("graph.hint.later"), Err: err}
	case e.ErrorCode == "expired_token":
		return &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.code-old"), Hint: lang.M("graph.hint.again"), Err: err}
	case e.ErrorCode == "authorization_declined" || e.ErrorCode == "access_denied":
		return &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.declined"), Hint: lang.M("graph.hint.again"), Err: err}
	}
	why := code
	if why == "" {
		why = clip(e.ErrorCode)
	}
	return &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.sign-in", "host", host, "code", why), Hint: lang.M(signInHint(code)), Err: err}
}

// aadCode finds the code in a description such as "AADSTS7000215: Invalid
// client secret provided.".
func aadCode(description string) string {
	const prefix = "AADSTS"
	rest, ok := strings.CutPrefix(description, prefix)
	if !ok {
		return ""
	}
	n := 0
	for n < len(rest) && n < 12 && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	return prefix + rest[:n]
}

// graphError is how Microsoft Graph says what is wrong
// (https://learn.microsoft.com/graph/errors).
type graphError struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// lostCursor are codes of a delta query whose link is too old.
func lostCursor(status int, code string) bool {
	if status == 410 {
		return true
	}
	switch strings.ToLower(code) {
	case "syncstatenotfound", "syncstateinvalid", "errorinvalidsyncstatedata", "resyncrequired", "resyncchangesapplydifferences", "resyncchangesuploaddifferences":
		return true
	}
	return false
}

// refused says what an answer means that is no success.
func (c *Client) refused(status int, code string) error {
	code = clip(code)
	cause := &statusError{status, code}
	switch {
	case lostCursor(status, code):
		return cause
	case status == 401:
		return &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.token", "host", c.root.Host), Hint: lang.M("graph.hint.again"), Err: cause}
	case status == 403:
		return &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.permission", "mailbox", c.mailbox, "code", code), Hint: lang.M("graph.hint.permission"), Err: cause}
	case status == 404:
		return &desk.Error{Kind: desk.NotFound, Message: lang.M("graph.error.missing", "mailbox", c.mailbox, "code", code), Hint: lang.M("graph.hint.missing"), Err: cause}
	case status == 429:
		return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.throttled", "host", c.root.Host), Hint: lang.M("graph.hint.later"), Err: cause}
	}
	return &desk.Error{Kind: desk.Unavailable, Message: lang.M("graph.error.status", "host", c.root.Host, "status", status), Hint: lang.M("graph.hint.later"), Err: cause}
}

// statusError is an answer with its code.
type statusError struct {
	status int
	code   string
}

func (e *statusError) Error() string { return fmt.Sprintf("graph: status %d %s", e.status, e.code) }

func (e *statusError) Unwrap() error {
	if lostCursor(e.status, e.code) {
		return desk.ErrCursor
	}
	return nil
}

// clip keeps what a server says short and in one line.
func clip(s string) string {
	const most = 100
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
