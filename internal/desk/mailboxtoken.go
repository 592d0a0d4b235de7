package desk

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"

	"github.com/sekisho/sekisho/lang"
)

// MailboxTokens keeps the token of one mailbox. What the store gets is sealed
// with AES-256-GCM for that mailbox: a token cannot be moved to another one, and
// the database alone opens nothing.
type MailboxTokens struct {
	Store TokenStore
	Name  string
	Key   [32]byte
	Rand  io.Reader
}

// Load returns the token, nil if there is none. A token that this key does not
// open is an [*Error] of kind Invalid.
func (t *MailboxTokens) Load(ctx context.Context) ([]byte, error) {
	sealed, err := t.Store.MailboxToken(ctx, t.Name)
	if err != nil || sealed == nil {
		return nil, err
	}
	c, err := t.cipher()
	if err != nil {
		return nil, err
	}
	var token []byte
	if n := c.NonceSize(); len(sealed) < n {
		err = errSealed
	} else {
		token, err = c.Open(nil, sealed[:n], sealed[n:], []byte(t.Name))
	}
	if err != nil {
		return nil, &Error{Kind: Invalid, Message: lang.M("mailboxes.error.key", "name", t.Name), Hint: lang.M("mailboxes.hint.key"), Err: err}
	}
	return token, nil
}

// Save keeps the token; nil deletes it.
func (t *MailboxTokens) Save(ctx context.Context, token []byte) error {
	if token == nil {
		return t.Store.SaveMailboxToken(ctx, t.Name, nil)
	}
	c, err := t.cipher()
	if err != nil {
		return err
	}
	nonce := make([]byte, c.NonceSize())
	if _, err := io.ReadFull(t.Rand, nonce); err != nil {
		return fmt.Errorf("desk: sealing a token: %w", err)
	}
	return t.Store.SaveMailboxToken(ctx, t.Name, c.Seal(nonce, nonce, token, []byte(t.Name)))
}

func (t *MailboxTokens) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(t.Key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
