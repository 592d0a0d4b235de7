package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// KeyName is the file in the data folder with the key that seals secrets in the
// database. Whoever has one of the two cannot read them.
const KeyName = "secret.key"

const (
	keyBytes   = 32
	maxKeyFile = 1 << 10
)

var errKey = errors.New("file: not 64 hexadecimal digits")

// Key returns the key of the data folder, made from random if there is none, in
// a file for the user alone. A file that holds no key is an [*desk.Error] of kind
// Invalid and is never replaced: what it sealed could not be read any more.
func (s *Store) Key(ctx context.Context, random io.Reader) (key [keyBytes]byte, err error) {
	b, err := s.read(KeyName, maxKeyFile)
	if err == nil && b == nil {
		err = s.change(ctx, KeyName, maxKeyFile, func(old []byte) ([]byte, error) {
			if b = old; b != nil {
				return old, nil // another process was quicker
			}
			raw := make([]byte, keyBytes)
			if _, err := io.ReadFull(random, raw); err != nil {
				return nil, err
			}
			b = fmt.Appendf(nil, "%x\n", raw)
			return b, nil
		})
	}
	if err != nil {
		return key, err
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err == nil && len(raw) != keyBytes {
		err = errKey
	}
	if err != nil {
		return key, &desk.Error{Kind: desk.Invalid, Message: lang.M("account.error.key-file", "file", filepath.Join(s.dir, KeyName)), Hint: lang.M("account.hint.key"), Err: err}
	}
	return [keyBytes]byte(raw), nil
}
