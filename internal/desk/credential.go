package desk

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/sekisho/sekisho/lang"
)

// The parameters of Argon2id that the OWASP Password Storage Cheat Sheet
// recommends: 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32 // bytes
	saltBytes   = 16
)

// hashPassword writes the hash of a password as the PHC string format has it.
func hashPassword(password string, salt []byte) string {
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, enc.EncodeToString(salt), enc.EncodeToString(key))
}

// checkPassword reports whether a hash is that of a password. It takes the same
// time where there is no hash.
func checkPassword(password, hash string) bool {
	fields := strings.Split(hash, "$")
	var salt []byte
	if len(fields) == 6 {
		salt, _ = base64.RawStdEncoding.DecodeString(fields[4]) // a wrong one gives another hash
	}
	if len(salt) == 0 {
		salt = make([]byte, saltBytes)
	}
	return subtle.ConstantTimeCompare([]byte(hashPassword(password, salt)), []byte(hash)) == 1
}

// One-time codes by RFC 6238 with what all authenticator apps can do: SHA-1, six
// digits, 30 seconds, a secret of 160 bits (RFC 4226 section 4, R6).
const (
	totpSecretBytes = 20
	totpPeriod      = 30
	totpDigits      = 6
	totpModulus     = 1_000_000
	totpSkew        = 1 // steps that a clock may be off, RFC 6238 section 5.2
)

func base32Secret(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// totpURI is what authenticator apps read from a QR code
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
func totpURI(secret []byte, account string) string {
	q := url.Values{"secret": {base32Secret(secret)}, "issuer": {accountLabel}}
	return "otpauth://totp/" + url.PathEscape(accountLabel+":"+account) + "?" + q.Encode()
}

// totpAt is the code of a step, RFC 4226 section 5.3.
func totpAt(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fff_ffff
	return fmt.Sprintf("%0*d", totpDigits, n%totpModulus)
}

// totpCheck returns the step of which code is the code, if that is near now and
// after the step last, which was used before. Blanks in the code do not matter,
// nor does the width of its digits.
func totpCheck(secret []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	if len(code) > 64 {
		return 0, false
	}
	code = strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= '\uFF10' && r <= '\uFF19': // full width, as a Japanese keyboard gives them
			return r - '\uFF10' + '0'
		case r == ' ' || r == '\u3000' || r == '-':
			return -1
		}
		return 'x'
	}, code)
	at := now.Unix() / totpPeriod
	for s := at - totpSkew; s <= at+totpSkew; s++ {
		if subtle.ConstantTimeCompare([]byte(totpAt(secret, s)), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok
}

var errSealed = errors.New("desk: a secret cannot be opened with this key")

func (d *AccountDeps) cipher() (cipher.AEAD, error) {
	block, err := aes.NewCipher(d.Key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal encrypts a secret for the database; the key is in another file.
func (d *AccountDeps) seal(secret []byte) ([]byte, error) {
	c, err := d.cipher()
	if err != nil {
		return nil, err
	}
	nonce, err := d.random(c.NonceSize())
	if err != nil {
		return nil, err
	}
	return c.Seal(nonce, nonce, secret, nil), nil
}

func (d *AccountDeps) unseal(sealed []byte) ([]byte, error) {
	c, err := d.cipher()
	if err != nil {
		return nil, err
	}
	wrong := &Error{Kind: Invalid, Message: lang.M("account.error.key"), Hint: lang.M("account.hint.key"), Err: errSealed}
	if len(sealed) < c.NonceSize() {
		return nil, wrong
	}
	secret, err := c.Open(nil, sealed[:c.NonceSize()], sealed[c.NonceSize():], nil)
	if err != nil {
		return nil, wrong
	}
	return secret, nil
}

// hashPassword waits for its turn: each hash takes 19 MiB.
func (t *Throttle) hashPassword(ctx context.Context, password string, salt []byte) (string, error) {
	if err := t.enter(ctx); err != nil {
		return "", err
	}
	defer t.leave()
	return hashPassword(password, salt), nil
}

func (t *Throttle) checkPassword(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > 4*MaxPassword {
		return false, nil
	}
	if err := t.enter(ctx); err != nil {
		return false, err
	}
	defer t.leave()
	return checkPassword(password, hash), nil
}
