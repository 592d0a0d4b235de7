package imap

import (
	"errors"

	"github.com/emersion/go-sasl"
)

// xoauth2 is the SASL mechanism with which Exchange Online takes tokens
// (https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
type xoauth2 struct{ user, token string }

var _ sasl.Client = (*xoauth2)(nil)

func (x *xoauth2) Start() (mech string, ir []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the description of an error with nothing, after which the server
// refuses.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

var errNoMechanism = errors.New("imap: the server takes no way of signing in that sekisho knows")
