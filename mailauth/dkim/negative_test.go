package dkim_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// rsaRecord is a key record of any modulus and exponent.
func rsaRecord(n *big.Int, e int) string {
	return "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: n, E: e}))
}

// odd is an odd number of that many bits.
func odd(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return n.Add(n, big.NewInt(0xc0ffee|1))
}

func set(name, value string) *dkimtest.Options {
	return &dkimtest.Options{Set: map[string]string{name: value}}
}

func change(old, new string) *dkimtest.Options {
	return &dkimtest.Options{Change: func(f string) string { return strings.Replace(f, old, new, 1) }}
}

// TestNegatives is every way to be wrong, one at a time: what is signed is
// right but for the one thing that the case names.
func TestNegatives(t *testing.T) {
	type testCase struct {
		name     string
		opts     *dkimtest.Options
		old, new string // replaced in the signed message
		zone     map[string][]string
		verify   *dkim.Options
		reason   dkim.Reason
		detail   string
		status   dkim.Status
	}
	record := func(text string) map[string][]string {
		return map[string][]string{key().Name(): {"TXT " + text}}
	}
	twice := "X-Step: one\r\nX-Step: two\r\n"
	spent := budget.New(nil)
	spent.Cost = 10
	for _, tc := range []testCase{
		// The message was changed.
		{name: "BodyChanged", old: "Hello Bob", new: "Hello Rob", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyAppended", old: "Aiko\r\n\r\n", new: "Aiko\r\nPS: pay\r\n", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyCut", old: "the  numbers are	in. \r\n", new: "", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyEmptied", old: "Hello Bob,\r\n\r\nthe  numbers are	in. \r\n\r\nAiko\r\n", new: "", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodySpaceInSimple", opts: &dkimtest.Options{Canon: "relaxed/simple"}, old: "the  numbers", new: "the numbers", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyWordsJoined", old: "Hello Bob", new: "HelloBob", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyLineEndLost", old: "Bob,\r\n\r\nthe", new: "Bob,\r\nthe", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyLoneCR", old: "Hello Bob", new: "Hello\rBob", reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyHashOfAnother", opts: set("bh", base64.StdEncoding.EncodeToString(make([]byte, 32))), reason: dkim.BodyHashMismatch, detail: "bh", status: dkim.StatusFail},
		{name: "BodyTooShort", opts: &dkimtest.Options{Length: 99_999}, reason: dkim.BodyTooShort, detail: "l", status: dkim.StatusFail},
		{name: "SubjectChanged", old: "Quarterly", new: "Monthly", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FromChanged", old: "aiko@", new: "mallory@", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldRemoved", old: "Date: Tue, 24 Nov 2026 09:00:00 +0900\r\n", new: "", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldAppendedBelow", old: "Message-ID: <1", new: "From: mallory@attack.example\r\nMessage-ID: <1", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "OversignedFieldAdded", opts: &dkimtest.Options{Headers: []string{"From", "From", "Subject"}}, old: "To: bob", new: "From: mallory@attack.example\r\nTo: bob", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "AbsentFieldAdded", opts: &dkimtest.Options{Headers: []string{"From", "Reply-To"}}, old: "To: bob", new: "Reply-To: mallory@attack.example\r\nTo: bob", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldsSwapped", opts: &dkimtest.Options{Headers: []string{"From", "X-Step", "X-Step"}}, old: twice, new: "X-Step: two\r\nX-Step: one\r\n", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldRefoldedInSimple", opts: &dkimtest.Options{Canon: "simple/simple"}, old: "bob@rcpt.example,\r\n\t", new: "bob@rcpt.example, ", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldNameCaseInSimple", opts: &dkimtest.Options{Canon: "simple/simple"}, old: "\r\nSubject:", new: "\r\nSUBJECT:", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "FieldLoneCR", old: "Quarterly ", new: "Quarterly\r ", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "TagChanged", opts: &dkimtest.Options{Tags: []string{"t=1700000000"}}, old: "t=1700000000", new: "t=1700000001", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "HeaderListCut", old: ":To:Subject", new: ":To", reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "SignatureOfAnotherKey", zone: record(dkimtest.RSA2048("", "").Record()), reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},
		{name: "SignatureCut", opts: &dkimtest.Options{Change: func(f string) string { return f[:len(f)-6] + "\r\n" }}, reason: dkim.SignatureMismatch, detail: "b", status: dkim.StatusFail},

		// The signature is not acceptable.
		{name: "SHA1", opts: set("a", "rsa-sha1"), reason: dkim.AlgorithmSHA1, detail: "a", status: dkim.StatusPolicy},
		{name: "Expired", opts: &dkimtest.Options{Tags: []string{"t=1700000000", "x=1700086400"}}, reason: dkim.Expired, detail: "x", status: dkim.StatusPolicy},
		{name: "ExpiredWithoutTimestamp", opts: &dkimtest.Options{Tags: []string{"x=1"}}, reason: dkim.Expired, detail: "x", status: dkim.StatusPolicy},
		{name: "KeyOf512Bits", zone: record(rsaRecord(odd(512), 65537)), reason: dkim.KeyTooSmall, detail: "p", status: dkim.StatusPolicy},
		{name: "KeyOf1023Bits", zone: record(rsaRecord(odd(1023), 65537)), reason: dkim.KeyTooSmall, detail: "p", status: dkim.StatusPolicy},
		{name: "KeyOf8200Bits", zone: record(rsaRecord(odd(8200), 65537)), reason: dkim.KeyTooLarge, detail: "p", status: dkim.StatusPolicy},
		{name: "KeyOf16384Bits", zone: record(rsaRecord(odd(16384), 65537)), reason: dkim.KeyTooLarge, detail: "p", status: dkim.StatusPolicy},
		{name: "LengthRefused", opts: &dkimtest.Options{Length: 10}, verify: &dkim.Options{RefuseBodyLength: true}, reason: dkim.BodyLengthTag, detail: "l", status: dkim.StatusPolicy},

		// The signature cannot be read.
		{name: "NoTagList", opts: &dkimtest.Options{Change: func(string) string { return "DKIM-Signature: hello\r\n" }}, reason: dkim.SyntaxError, detail: "hello", status: dkim.StatusNeutral},
		{name: "Empty", opts: &dkimtest.Options{Change: func(string) string { return "DKIM-Signature:\r\n" }}, reason: dkim.SyntaxError, status: dkim.StatusNeutral},
		{name: "EmptyTag", opts: &dkimtest.Options{Tags: []string{""}}, reason: dkim.SyntaxError, status: dkim.StatusNeutral},
		{name: "LineEndWithoutFold", opts: &dkimtest.Options{Change: func(f string) string { return strings.Replace(f, ";\r\n\tb=", ";\r\nb=", 1) }}, reason: dkim.SyntaxError, status: dkim.StatusNeutral},
		{name: "LoneCRInTag", opts: &dkimtest.Options{Tags: []string{"e=a\rb"}}, reason: dkim.SyntaxError, status: dkim.StatusNeutral},
		{name: "DuplicateTag", opts: &dkimtest.Options{Tags: []string{"d=attack.example"}}, reason: dkim.DuplicateTag, detail: "d", status: dkim.StatusNeutral},
		{name: "DuplicateUnknownTag", opts: &dkimtest.Options{Tags: []string{"zz=1", "zz=1"}}, reason: dkim.DuplicateTag, detail: "zz", status: dkim.StatusNeutral},
		{name: "TagNameDigit", opts: &dkimtest.Options{Tags: []string{"1a=2"}}, reason: dkim.SyntaxError, detail: "1a", status: dkim.StatusNeutral},
		{name: "TagNameSpace", opts: &dkimtest.Options{Tags: []string{"e f=2"}}, reason: dkim.SyntaxError, detail: "e f", status: dkim.StatusNeutral},
		{name: "TagValueControl", opts: &dkimtest.Options{Tags: []string{"e=\x01"}}, reason: dkim.SyntaxError, detail: "e", status: dkim.StatusNeutral},
		{name: "TagNameCase", opts: &dkimtest.Options{Change: func(f string) string { return strings.Replace(f, "d=sender", "D=sender", 1) }}, reason: dkim.MissingTag, detail: "d", status: dkim.StatusNeutral},
		{name: "TooManyTags", opts: &dkimtest.Options{Tags: strings.Split(strings.TrimSuffix(manyTags(100), ";"), ";")}, reason: dkim.SyntaxError, detail: "t59", status: dkim.StatusNeutral},
		{name: "FieldTooLong", opts: &dkimtest.Options{Tags: []string{"z=" + strings.Repeat("a", 70_000)}}, reason: dkim.SyntaxError, status: dkim.StatusNeutral},
		{name: "MissingVersion", opts: set("v", "-"), reason: dkim.MissingTag, detail: "v", status: dkim.StatusNeutral},
		{name: "MissingAlgorithm", opts: set("a", "-"), reason: dkim.MissingTag, detail: "a", status: dkim.StatusNeutral},
		{name: "MissingSignature", opts: change(";\r\n\tb=", ";\r\n\txb="), reason: dkim.MissingTag, detail: "b", status: dkim.StatusNeutral},
		{name: "MissingBodyHash", opts: set("bh", "-"), reason: dkim.MissingTag, detail: "bh", status: dkim.StatusNeutral},
		{name: "MissingDomain", opts: set("d", "-"), reason: dkim.MissingTag, detail: "d", status: dkim.StatusNeutral},
		{name: "MissingHeaders", opts: set("h", "-"), reason: dkim.MissingTag, detail: "h", status: dkim.StatusNeutral},
		{name: "MissingSelector", opts: set("s", "-"), reason: dkim.MissingTag, detail: "s", status: dkim.StatusNeutral},
		{name: "Version2", opts: set("v", "2"), reason: dkim.VersionUnknown, detail: "v", status: dkim.StatusNeutral},
		{name: "Version01", opts: set("v", "01"), reason: dkim.VersionUnknown, detail: "v", status: dkim.StatusNeutral},
		{name: "AlgorithmUnknown", opts: set("a", "rsa-sha512"), reason: dkim.AlgorithmUnknown, detail: "a", status: dkim.StatusNeutral},
		{name: "AlgorithmEmpty", opts: set("a", ""), reason: dkim.AlgorithmUnknown, detail: "a", status: dkim.StatusNeutral},
		{name: "CanonUnknownHeader", opts: set("c", "nofws/simple"), reason: dkim.CanonUnknown, detail: "c", status: dkim.StatusNeutral},
		{name: "CanonUnknownBody", opts: set("c", "relaxed/nofws"), reason: dkim.CanonUnknown, detail: "c", status: dkim.StatusNeutral},
		{name: "CanonEmpty", opts: set("c", ""), reason: dkim.CanonUnknown, detail: "c", status: dkim.StatusNeutral},
		{name: "CanonThree", opts: set("c", "relaxed/simple/simple"), reason: dkim.CanonUnknown, detail: "c", status: dkim.StatusNeutral},
		{name: "QueryUnknown", opts: &dkimtest.Options{Tags: []string{"q=http/well-known"}}, reason: dkim.QueryUnknown, detail: "q", status: dkim.StatusNeutral},
		{name: "ExpiresFirst", opts: &dkimtest.Options{Tags: []string{"t=1900000000", "x=1900000000"}}, reason: dkim.ExpiresFirst, detail: "x", status: dkim.StatusNeutral},
		{name: "TimestampWords", opts: &dkimtest.Options{Tags: []string{"t=today"}}, reason: dkim.SyntaxError, detail: "t", status: dkim.StatusNeutral},
		{name: "TimestampNegative", opts: &dkimtest.Options{Tags: []string{"t=-1"}}, reason: dkim.SyntaxError, detail: "t", status: dkim.StatusNeutral},
		{name: "TimestampSpace", opts: &dkimtest.Options{Tags: []string{"t=17 00"}}, reason: dkim.SyntaxError, detail: "t", status: dkim.StatusNeutral},
		{name: "ExpirationEmpty", opts: &dkimtest.Options{Tags: []string{"x="}}, reason: dkim.SyntaxError, detail: "x", status: dkim.StatusNeutral},
		{name: "LengthWords", opts: &dkimtest.Options{Tags: []string{"l=all"}}, reason: dkim.SyntaxError, detail: "l", status: dkim.StatusNeutral},
		{name: "SignatureNoBase64", opts: &dkimtest.Options{Change: func(f string) string { return f[:strings.LastIndex(f, "b=")] + "b=???\r\n" }}, reason: dkim.SyntaxError, detail: "b", status: dkim.StatusNeutral},
		{name: "SignatureEmpty", opts: &dkimtest.Options{Change: func(f string) string { return f[:strings.LastIndex(f, "b=")] + "b=\r\n" }}, reason: dkim.SyntaxError, detail: "b", status: dkim.StatusNeutral},
		{name: "SignatureHuge", opts: &dkimtest.Options{Change: func(f string) string {
			return f[:strings.LastIndex(f, "b=")] + "b=" + strings.Repeat("A", 40_000) + "\r\n"
		}}, reason: dkim.SyntaxError, detail: "b", status: dkim.StatusNeutral},
		{name: "BodyHashNoBase64", opts: set("bh", "!"), reason: dkim.SyntaxError, detail: "bh", status: dkim.StatusNeutral},
		{name: "BodyHashLength", opts: set("bh", "AAAA"), reason: dkim.SyntaxError, detail: "bh", status: dkim.StatusNeutral},
		{name: "DomainEmpty", opts: set("d", ""), reason: dkim.SyntaxError, detail: "d", status: dkim.StatusNeutral},
		{name: "DomainDots", opts: set("d", "sender..example"), reason: dkim.SyntaxError, detail: "d", status: dkim.StatusNeutral},
		{name: "DomainAddress", opts: set("d", "192.0.2.1"), reason: dkim.SyntaxError, detail: "d", status: dkim.StatusNeutral},
		{name: "DomainFolded", opts: set("d", "sender.\r\n\texample"), reason: dkim.SyntaxError, detail: "d", status: dkim.StatusNeutral},
		{name: "SelectorEmpty", opts: set("s", ""), reason: dkim.SyntaxError, detail: "s", status: dkim.StatusNeutral},
		{name: "SelectorSlash", opts: set("s", "a/b"), reason: dkim.SyntaxError, detail: "s", status: dkim.StatusNeutral},
		{name: "NameTooLong", opts: set("s", strings.Repeat("a.", 120)+"a"), reason: dkim.SyntaxError, detail: "s", status: dkim.StatusNeutral},
		{name: "HeadersEmpty", opts: set("h", ""), reason: dkim.SyntaxError, detail: "h", status: dkim.StatusNeutral},
		{name: "HeadersEmptyName", opts: set("h", "From::To"), reason: dkim.SyntaxError, detail: "h", status: dkim.StatusNeutral},
		{name: "IdentityWithoutAt", opts: &dkimtest.Options{Tags: []string{"i=sender.example"}}, reason: dkim.SyntaxError, detail: "i", status: dkim.StatusNeutral},
		{name: "IdentityNoDomain", opts: &dkimtest.Options{Tags: []string{"i=aiko@"}}, reason: dkim.SyntaxError, detail: "i", status: dkim.StatusNeutral},

		// The signature can never hold.
		{name: "FromNotSigned", opts: &dkimtest.Options{Headers: []string{"To", "Subject"}}, reason: dkim.FromNotSigned, detail: "h", status: dkim.StatusPermError},
		{name: "IdentityElsewhere", opts: &dkimtest.Options{Tags: []string{"i=aiko@other.example"}}, reason: dkim.DomainMismatch, detail: "i", status: dkim.StatusPermError},
		{name: "IdentityAbove", opts: &dkimtest.Options{Tags: []string{"i=@example"}}, reason: dkim.DomainMismatch, detail: "i", status: dkim.StatusPermError},
		{name: "IdentityEndsAlike", opts: &dkimtest.Options{Tags: []string{"i=@notsender.example"}}, reason: dkim.DomainMismatch, detail: "i", status: dkim.StatusPermError},

		// The key is no use.
		{name: "NoSuchName", zone: map[string][]string{"sender.example": {"TXT v=spf1 -all"}}, reason: dkim.KeyNotFound, status: dkim.StatusPermError},
		{name: "NoText", zone: map[string][]string{key().Name(): {"A 192.0.2.1"}}, reason: dkim.KeyNotFound, status: dkim.StatusPermError},
		{name: "KeyRevoked", zone: record("v=DKIM1; k=rsa; p="), reason: dkim.KeyRevoked, detail: "p", status: dkim.StatusPermError},
		{name: "KeyWithoutData", zone: record("v=DKIM1; k=rsa"), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyOfAnotherKind", zone: record("v=spf1 -all"), reason: dkim.KeySyntax, detail: "v", status: dkim.StatusPermError},
		{name: "KeyNoTagList", zone: record("hello"), reason: dkim.KeySyntax, detail: "hello", status: dkim.StatusPermError},
		{name: "KeyVersionLate", zone: record("k=rsa; v=DKIM1; p=" + key().Public()), reason: dkim.KeySyntax, detail: "v", status: dkim.StatusPermError},
		{name: "KeyVersion2", zone: record("v=DKIM2; p=" + key().Public()), reason: dkim.KeySyntax, detail: "v", status: dkim.StatusPermError},
		{name: "KeyDuplicateTag", zone: record("v=DKIM1; p=" + key().Public() + "; p="), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyNoBase64", zone: record("v=DKIM1; p=***"), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyNoDER", zone: record("v=DKIM1; p=aGVsbG8gd29ybGQ="), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyEvenModulus", zone: record(rsaRecord(new(big.Int).Lsh(big.NewInt(1), 1023), 65537)), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyExponent1", zone: record(rsaRecord(odd(1024), 1)), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyExponentEven", zone: record(rsaRecord(odd(1024), 4)), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyExponentHuge", zone: record(rsaRecord(odd(1024), 1<<40+1)), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyEd25519Length", zone: record("v=DKIM1; k=ed25519; p=AAAA"), reason: dkim.KeySyntax, detail: "p", status: dkim.StatusPermError},
		{name: "KeyTypeMismatch", zone: record(edKey().Record()), reason: dkim.KeyTypeMismatch, detail: "k", status: dkim.StatusPermError},
		{name: "KeyTypeUnknown", zone: record("v=DKIM1; k=pq; p=AAAA"), reason: dkim.KeyTypeMismatch, detail: "k", status: dkim.StatusPermError},
		{name: "KeyHashRefused", zone: record("v=DKIM1; h=sha1; p=" + key().Public()), reason: dkim.KeyHashRefused, detail: "h", status: dkim.StatusPermError},
		{name: "KeyServiceRefused", zone: record("v=DKIM1; s=tlsrpt; p=" + key().Public()), reason: dkim.KeyServiceRefused, detail: "s", status: dkim.StatusPermError},
		{name: "KeyStrictMismatch", opts: &dkimtest.Options{Tags: []string{"i=@sub.sender.example"}}, zone: record("v=DKIM1; t=s; p=" + key().Public()), reason: dkim.KeyStrictMismatch, detail: "t", status: dkim.StatusPermError},
		{name: "ServFail", zone: map[string][]string{key().Name(): {"SERVFAIL"}}, reason: dkim.KeyUnavailable, status: dkim.StatusTempError},
		{name: "Timeout", zone: map[string][]string{key().Name(): {"TIMEOUT"}}, reason: dkim.KeyUnavailable, status: dkim.StatusTempError},
		{name: "AliasLoop", zone: map[string][]string{key().Name(): {"CNAME b.example."}, "b.example": {"CNAME " + key().Name() + "."}}, reason: dkim.KeyUnavailable, status: dkim.StatusTempError},
		{name: "OutOfBudget", verify: &dkim.Options{Budget: spent}, reason: dkim.OutOfBudget, status: dkim.StatusNeutral},
	} {
		t.Run(tc.name, func(t *testing.T) {
			msg := strings.Replace(plain, "Subject:", strings.ReplaceAll(twice, "\r\n", "\n")+"Subject:", 1)
			raw := dkimtest.Sign([]byte(msg), key(), tc.opts)
			if s := one(t, keys(t, key()), raw, nil); tc.opts == nil && s.Status != dkim.StatusPass {
				t.Fatalf("before the change: %s %s", s.Status, s.Reason)
			}
			if tc.old != "" {
				if !bytes.Contains(raw, []byte(tc.old)) {
					t.Fatalf("%q is not in the message", tc.old)
				}
				raw = bytes.Replace(raw, []byte(tc.old), []byte(tc.new), 1)
			}
			r := keys(t, key())
			if tc.zone != nil {
				z, err := zone.FromMap(tc.zone)
				if err != nil {
					t.Fatal(err)
				}
				r = z
			}
			s := one(t, r, raw, tc.verify)
			if s.Reason != tc.reason || s.Detail != tc.detail || s.Status != tc.status {
				t.Errorf("got %s %s (%q), want %s %s (%q)", s.Status, s.Reason, s.Detail, tc.status, tc.reason, tc.detail)
			}
		})
	}
	t.Run("NotAsked", func(t *testing.T) {
		s := one(t, resolve.Offline(), dkimtest.Sign([]byte(plain), key(), nil), nil)
		if s.Reason != dkim.NotAsked || s.Status != dkim.StatusNeutral {
			t.Errorf("got %s %s", s.Status, s.Reason)
		}
	})
}

func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("t")
		b.WriteString(big.NewInt(int64(i)).String())
		b.WriteString("=1;")
	}
	return b.String()
}
