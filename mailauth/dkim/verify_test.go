package dkim_test

import (
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
)

// brief is what a table says about a result.
type brief struct {
	Status   dkim.Status
	Reason   dkim.Reason
	Warnings []dkim.Warning
}

func briefly(s dkim.Signature) brief { return brief{s.Status, s.Reason, s.Warnings} }

func TestPositives(t *testing.T) {
	weak := []dkim.Warning{dkim.WeakKey}
	for _, tc := range []struct {
		name     string
		key      dkimtest.Key
		opts     *dkimtest.Options
		old, new string
		record   string
		want     []dkim.Warning
	}{
		{name: "Default", key: key(), want: weak},
		{name: "RSA2048", key: dkimtest.RSA2048("sender.example", "s1")},
		{name: "Ed25519", key: edKey()},
		{name: "BareRSAPublicKey", key: key(), record: "v=DKIM1; p=" + key().BarePublic(), want: weak},
		{name: "RecordWithoutVersion", key: edKey(), record: "k=ed25519; p=" + edKey().Public()},
		{name: "RecordFolded", key: edKey(), record: "v = DKIM1 ; k = ed25519 ; p = " + edKey().Public()[:20] + " " + edKey().Public()[20:] + " ;"},
		{name: "RecordUnknownTags", key: edKey(), record: "v=DKIM1; zz=1; k=ed25519; g=*; p=" + edKey().Public()},
		{name: "RecordAllows", key: edKey(), record: "v=DKIM1; k=ed25519; h=sha1:sha256; s=tlsrpt:email; n=a note; p=" + edKey().Public()},
		{name: "RecordAnyService", key: edKey(), record: "v=DKIM1; k=ed25519; s=*; p=" + edKey().Public()},
		{name: "RecordTesting", key: edKey(), record: "v=DKIM1; k=ed25519; t=y; p=" + edKey().Public(), want: []dkim.Warning{dkim.TestingKey}},
		{name: "RecordStrict", key: edKey(), record: "v=DKIM1; k=ed25519; t=s; p=" + edKey().Public()},
		{name: "SimpleSimple", key: edKey(), opts: &dkimtest.Options{Canon: "simple/simple"}},
		{name: "SimpleRelaxed", key: edKey(), opts: &dkimtest.Options{Canon: "simple/relaxed"}},
		{name: "RelaxedSimple", key: edKey(), opts: &dkimtest.Options{Canon: "relaxed/simple"}},
		{name: "RelaxedAlone", key: edKey(), opts: &dkimtest.Options{Canon: "relaxed"}},
		{name: "NoCanon", key: edKey(), opts: &dkimtest.Options{Canon: "simple/simple", Set: map[string]string{"c": "-"}}},
		{name: "IdentitySubdomain", key: edKey(), opts: &dkimtest.Options{Tags: []string{"i=a=20b@mail.sender.example"}}},
		{name: "QueryList", key: edKey(), opts: &dkimtest.Options{Tags: []string{"q=other:dns/txt"}}},
		{name: "TagsFolded", key: edKey(), opts: &dkimtest.Options{Set: map[string]string{"h": "From :\r\n\tTo : Subject"}, Headers: []string{"From", "To", "Subject"}}},
		{name: "FinalSemicolon", key: edKey(), opts: &dkimtest.Options{Change: func(f string) string { return strings.TrimSuffix(f, "\r\n") + " ;\r\n" }}, old: " ;\r\n", new: "\r\n"},
		{name: "NotYetExpired", key: edKey(), opts: &dkimtest.Options{Tags: []string{"t=1795000000", "x=1895000000"}}},
		{name: "ExpirationBeyondInteger", key: edKey(), opts: &dkimtest.Options{Tags: []string{"x=" + strings.Repeat("9", 70)}}},
		{name: "Future", key: edKey(), opts: &dkimtest.Options{Tags: []string{"t=1895000000"}}, want: []dkim.Warning{dkim.FutureTimestamp}},
		{name: "Oversigned", key: edKey(), opts: &dkimtest.Options{Headers: []string{"From", "From", "Subject", "Subject", "Reply-To"}}},
		{name: "AbsentFieldSigned", key: edKey(), opts: &dkimtest.Options{Headers: []string{"From", "List-Id"}}},
		{name: "FieldAddedOnTop", key: edKey(), old: "To: bob", new: "X-Seen: yes\r\nTo: bob"},
		{name: "FieldRefolded", key: edKey(), old: "bob@rcpt.example,\r\n\t", new: "bob@rcpt.example, "},
		{name: "FieldNameCase", key: edKey(), old: "\r\nSubject:", new: "\r\nSUBJECT :"},
		{name: "FieldSpaces", key: edKey(), old: "Quarterly  numbers", new: "Quarterly \t numbers \t"},
		{name: "BodySpaces", key: edKey(), old: "the  numbers are\tin. ", new: "the numbers\t\tare in."},
		{name: "BodyLinesAdded", key: edKey(), old: "Aiko\r\n\r\n", new: "Aiko\r\n\t\r\n \r\n\r\n"},
		{name: "Length", key: edKey(), opts: &dkimtest.Options{Length: 10, Headers: []string{"From", "Content-Type"}}, want: []dkim.Warning{dkim.PartOfBody}},
		{name: "LengthThenMore", key: edKey(), opts: &dkimtest.Options{Length: 10}, old: "numbers are", new: "payment is", want: []dkim.Warning{dkim.PartOfBody, dkim.UnsignedType}},
		{name: "LengthZero", key: edKey(), opts: &dkimtest.Options{Length: -1}, want: []dkim.Warning{dkim.PartOfBody, dkim.UnsignedType}},
		{name: "LengthAll", key: edKey(), opts: &dkimtest.Options{Length: 43}},
		{name: "SecondSubjectOnTop", key: edKey(), old: "DKIM-Signature:", new: "Subject: Pay\r\nDKIM-Signature:", want: []dkim.Warning{dkim.UnsignedDuplicate}},
		{name: "SecondFromOnTop", key: edKey(), old: "DKIM-Signature:", new: "From: mallory@attack.example\r\nDKIM-Signature:", want: []dkim.Warning{dkim.UnsignedDuplicate}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := string(dkimtest.Sign([]byte(plain), tc.key, tc.opts))
			if !strings.Contains(raw, tc.old) {
				t.Fatalf("%q is not in the message", tc.old)
			}
			raw = strings.Replace(raw, tc.old, tc.new, 1)
			r := keys(t, tc.key)
			if tc.record != "" {
				r = records(t, map[string]string{tc.key.Name(): tc.record})
			}
			want := brief{Status: dkim.StatusPass, Warnings: tc.want}
			if diff := cmp.Diff(want, briefly(one(t, r, []byte(raw), nil))); diff != "" {
				t.Error(diff)
			}
			// A file whose lines end in LF is the same mail.
			lf := strings.ReplaceAll(raw, "\r\n", "\n")
			if diff := cmp.Diff(want, briefly(one(t, r, []byte(lf), nil))); diff != "" {
				t.Errorf("with LF: %s", diff)
			}
		})
	}
}

func TestSignatureFields(t *testing.T) {
	k := dkimtest.RSA1024("sender.example", "s1")
	raw := dkimtest.Sign([]byte(plain), k, &dkimtest.Options{
		Headers: []string{"from", "Subject", "From", "To"},
		Length:  12,
		Tags:    []string{"i=a=40b@mail.Sender.example", "t=1795000000", "x=1895000000"},
	})
	s := one(t, keys(t, k), raw, nil)
	type view struct {
		Domain, Selector, Identity, Algorithm, Query string
		Header, Body                                 dkim.Canonicalization
		Headers                                      []dkim.Covered
		Length, Total                                int64
		Signed, Expires                              time.Time
		Bits                                         int
		BodyHash, HeaderHash                         dkim.Outcome
		Rcode                                        resolve.RCode
		Froms                                        int
	}
	got := view{
		string(s.Domain), s.Selector, s.Identity, s.Algorithm, s.QueryName(), s.HeaderCanon, s.BodyCanon, s.Headers,
		s.BodyLength, s.BodyTotal, s.Timestamp, s.Expiration, s.KeyBits, s.BodyHash, s.HeaderHash, s.Answer.RCode, s.Covers("FROM"),
	}
	want := view{
		"sender.example", "s1", "a@b@mail.sender.example", "rsa-sha256", "s1._domainkey.sender.example", dkim.Relaxed, dkim.Relaxed,
		[]dkim.Covered{{Name: "from", Index: 2}, {Name: "Subject", Index: 4}, {Name: "From"}, {Name: "To", Index: 3}},
		12, 43, time.Unix(1795000000, 0).UTC(), time.Unix(1895000000, 0).UTC(), 1024, dkim.Match, dkim.Match, resolve.NoError, 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v, ok := s.Tag("d"); !ok || v != "sender.example" {
		t.Errorf("tag d is %q, %v", v, ok)
	}
	if s.Key == nil || s.Key.Type != "rsa" {
		t.Errorf("key %+v", s.Key)
	}
}

// TestWhichHash tells a changed body from a changed header, also where the
// signature has expired since.
func TestWhichHash(t *testing.T) {
	raw := string(dkimtest.Sign([]byte(plain), edKey(), &dkimtest.Options{Tags: []string{"x=1"}}))
	for _, tc := range []struct {
		name, old, new string
		body, header   dkim.Outcome
		reason         dkim.Reason
	}{
		{"Neither", "", "", dkim.Match, dkim.Match, dkim.Expired},
		{"Body", "Hello", "Hullo", dkim.Mismatch, dkim.Match, dkim.BodyHashMismatch},
		{"Header", "Quarterly", "Yearly", dkim.Match, dkim.Mismatch, dkim.SignatureMismatch},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := one(t, keys(t, edKey()), []byte(strings.Replace(raw, tc.old, tc.new, 1)), nil)
			if s.BodyHash != tc.body || s.HeaderHash != tc.header || s.Reason != tc.reason {
				t.Errorf("body %s, header %s, %s", s.BodyHash, s.HeaderHash, s.Reason)
			}
		})
	}
}

// TestInternationalized is RFC 8616: names in UTF-8 are asked for as A-labels.
func TestInternationalized(t *testing.T) {
	k := dkimtest.Ed25519("xn--r8jz45g.example", "xn--zckzah")
	raw := dkimtest.Sign([]byte(plain), k, &dkimtest.Options{
		Tags: []string{"i=愛子@例え.example"}, Set: map[string]string{"d": "例え.example", "s": "テスト"},
	})
	s := one(t, keys(t, k), raw, nil)
	if s.Status != dkim.StatusPass || s.Domain != "xn--r8jz45g.example" || s.Selector != "xn--zckzah" || s.Identity != "愛子@xn--r8jz45g.example" {
		t.Errorf("%s %s: d=%s s=%s i=%s", s.Status, s.Reason, s.Domain, s.Selector, s.Identity)
	}
}

func TestSeveralKeys(t *testing.T) {
	raw := dkimtest.Sign([]byte(plain), edKey(), nil)
	r := answers(func(name string) resolve.Answer {
		a := resolve.Answer{Name: name, Type: resolve.TypeTXT}
		for _, text := range []string{"v=spf1 -all", "hello", "v=DKIM1; p=", key().Record(), edKey().Record()} {
			a.Records = append(a.Records, resolve.Record{Name: name, Type: resolve.TypeTXT, Text: text})
		}
		return a
	})
	want := brief{Status: dkim.StatusPass, Warnings: []dkim.Warning{dkim.SeveralKeys}}
	if diff := cmp.Diff(want, briefly(one(t, r, raw, nil))); diff != "" {
		t.Error(diff)
	}
}

// answers is a resolver made of a function.
type answers func(name string) resolve.Answer

func (f answers) Lookup(_ context.Context, name string, _ resolve.Type) (resolve.Answer, error) {
	return f(name), nil
}

// ending answers one question, and then the context ends.
type ending struct {
	resolve.Resolver
	asked *int
}

func (e ending) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	if *e.asked++; *e.asked > 1 {
		return resolve.Answer{}, context.Canceled
	}
	return e.Resolver.Lookup(ctx, name, t)
}

func TestContextEnds(t *testing.T) {
	raw := dkimtest.Sign([]byte(plain), key(), nil)
	raw = dkimtest.Sign(raw, key(), set("a", "rsa-sha1"))
	raw = dkimtest.Sign(raw, dkimtest.Ed25519("other.example", "ed"), nil)
	raw = dkimtest.Sign(raw, edKey(), nil)
	asked := 0
	res, err := dkim.Verify(context.Background(), ending{keys(t, key(), edKey()), &asked}, eml.Parse(raw, nil), now(), nil)
	if !errors.Is(err, context.Canceled) || asked != 2 {
		t.Fatalf("error %v after %d questions", err, asked)
	}
	var got []brief
	for _, s := range res.Signatures {
		got = append(got, brief{Status: s.Status, Reason: s.Reason})
	}
	want := []brief{
		{Status: dkim.StatusPass},
		{Status: dkim.StatusTempError, Reason: dkim.KeyUnavailable},
		{Status: dkim.StatusPolicy, Reason: dkim.AlgorithmSHA1},
		{Status: dkim.StatusTempError, Reason: dkim.KeyUnavailable},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestAttached verifies a message that was forwarded as an attachment, as it
// is and in base64, in both canonicalizations that can tell.
func TestAttached(t *testing.T) {
	for _, canon := range []string{"simple/simple", "relaxed/relaxed"} {
		inner := string(dkimtest.Sign([]byte(strings.Replace(plain, "Subject:", "Subject :", 1)), edKey(), &dkimtest.Options{Canon: canon}))
		for name, body := range map[string]string{
			"Plain":  "\r\n" + inner,
			"Base64": "Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(inner)),
		} {
			t.Run(canon+name, func(t *testing.T) {
				raw := "From: bob@rcpt.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlook\r\n--b\r\n" +
					"Content-Type: message/rfc822\r\n" + body + "\r\n--b--\r\n"
				part := eml.Parse([]byte(raw), nil).Part("1.2")
				if part == nil || part.Embedded() == nil {
					t.Fatal("no attached message")
				}
				res, err := dkim.Verify(context.Background(), keys(t, edKey()), part.Embedded(), now(), nil)
				if err != nil || len(res.Signatures) != 1 || res.Signatures[0].Status != dkim.StatusPass {
					t.Errorf("%+v, error %v", res, err)
				}
			})
		}
	}
}

// TestOneQuestionPerKey checks that signatures with the same key share it.
func TestOneQuestionPerKey(t *testing.T) {
	raw := []byte(plain)
	for range 3 {
		raw = dkimtest.Sign(raw, edKey(), nil)
	}
	n := 0
	r := answers(func(name string) resolve.Answer {
		n++
		return resolve.Answer{Records: []resolve.Record{{Type: resolve.TypeTXT, Text: edKey().Record()}}}
	})
	for _, s := range verify(t, r, raw, nil) {
		if s.Status != dkim.StatusPass {
			t.Errorf("%s %s", s.Status, s.Reason)
		}
	}
	if n != 1 {
		t.Errorf("%d questions, want 1", n)
	}
}

// TestConformanceDKIM verifies messages that others signed: the example of RFC
// 8463 appendix A, whose second signature uses the key of RFC 6376 appendix C
// as a bare RSAPublicKey or in SubjectPublicKeyInfo, and real ones. Each file
// is key records, an empty line, and a message.
func TestConformanceDKIM(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "dkim"), "*.txt"))
	if err != nil || len(files) == 0 {
		t.Skipf("no messages: %v", err)
	}
	passed := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			zone, msg, _ := strings.Cut(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n\n")
			m := map[string]string{}
			for line := range strings.Lines(zone) {
				name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
				m[name] = text
			}
			ok := true
			for _, s := range verify(t, records(t, m), []byte(msg), nil) {
				t.Logf("%s %s %s: %s %s (body %s, header %s)", s.Domain, s.Selector, s.Algorithm, s.Status, s.Reason, s.BodyHash, s.HeaderHash)
				expired := s.Reason == dkim.Expired && s.BodyHash == dkim.Match && s.HeaderHash == dkim.Match
				ok = ok && (s.Status == dkim.StatusPass || expired)
			}
			if !ok {
				t.Error("not all signatures hold")
				return
			}
			passed++
		})
	}
	t.Logf("DKIM positives: %d of %d messages", passed, len(files))
}
