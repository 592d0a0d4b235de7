package app

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

const password = "correct horse battery staple"

var secretWords = regexp.MustCompile(`<span>([A-Z2-7]{4})</span>`)

// setUp sets the administrator up as a person does, and returns the secret of
// the authenticator.
func setUp(t testing.TB, c *http.Client, link string, now func() time.Time) string {
	t.Helper()
	status, page := get(t, c, link)
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, page)
	}
	var groups strings.Builder
	for _, m := range secretWords.FindAllStringSubmatch(page, -1) {
		groups.WriteString(m[1])
	}
	secret := groups.String()
	status, page = post(t, c, link, url.Values{"password": {password}, "repeated": {password}, "code": {code(t, secret, now())}})
	if status != http.StatusSeeOther {
		t.Fatalf("status %d: %s", status, page)
	}
	return secret
}

// code is the one-time code of a secret, as an authenticator app computes it (RFC
// 6238), apart from the code under test.
func code(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimSpace(secret))
	if err != nil || len(key) != 20 {
		t.Fatalf("the secret is %q: %v", secret, err)
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	n := binary.BigEndian.Uint32(sum[sum[19]&0xf:]) & 0x7fff_ffff
	return fmt.Sprintf("%06d", n%1_000_000)
}
