package dkim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
)

// TestExplain renders every reason and warning in both languages.
func TestExplain(t *testing.T) {
	s := one(t, keys(t, key()), dkimtest.Sign([]byte(plain), key(), &dkimtest.Options{Tags: []string{"t=1795000000", "x=1795000001"}}), nil)
	check := func(m lang.Message) {
		t.Helper()
		for _, l := range []lang.Language{lang.EN, lang.JA} {
			if text := lang.Default().Say(l, m); text == "" || strings.ContainsAny(text, "{}[]") {
				t.Errorf("%s in %s: %q", m.Key, l, text)
			}
		}
	}
	for _, r := range []dkim.Reason{
		dkim.BodyHashMismatch, dkim.SignatureMismatch, dkim.BodyTooShort, dkim.KeyTooSmall, dkim.KeyTooLarge, dkim.AlgorithmSHA1, dkim.Expired,
		dkim.BodyLengthTag, dkim.SyntaxError, dkim.DuplicateTag, dkim.MissingTag, dkim.VersionUnknown, dkim.AlgorithmUnknown, dkim.CanonUnknown,
		dkim.QueryUnknown, dkim.ExpiresFirst, dkim.NotAsked, dkim.OutOfBudget, dkim.FromNotSigned, dkim.DomainMismatch, dkim.KeyNotFound, dkim.KeySyntax,
		dkim.KeyRevoked, dkim.KeyTypeMismatch, dkim.KeyHashRefused, dkim.KeyServiceRefused, dkim.KeyStrictMismatch, dkim.KeyUnavailable,
	} {
		s.Reason = r
		s.Detail = "d"
		check(s.Explain())
		s.Detail = ""
		s.HeaderHash = dkim.Mismatch
		check(s.Explain())
	}
	for _, w := range []dkim.Warning{
		dkim.WeakKey, dkim.PartOfBody, dkim.UnsignedType, dkim.UnsignedDuplicate, dkim.TestingKey, dkim.FutureTimestamp, dkim.SeveralKeys,
	} {
		check(w.Explain(&s))
	}
	s.Reason, s.Status, s.Expiration = dkim.Expired, dkim.StatusPolicy, time.Date(2026, 5, 29, 0, 0, 0, 0, time.UTC)
	want := "The signature of sender.example is right, but was valid only until Friday, 29 May 2026."
	if got := lang.Default().Say(lang.EN, s.Explain()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.Reason, s.Status = "", dkim.StatusPass
	if got, want := lang.Default().Say(lang.JA, s.Explain()), "sender.example の署名は有効です(rsa-sha256)。"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	unchecked := dkim.Signature{}
	if m := unchecked.Explain(); !m.IsZero() {
		t.Errorf("an unchecked signature says %v", m)
	}
}
