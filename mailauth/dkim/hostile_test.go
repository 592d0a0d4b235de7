package dkim_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
)

// within fails if f takes longer, which is a sign of time that grows faster
// than the input.
func within(t *testing.T, d time.Duration, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > d {
		t.Errorf("took %s, limit %s", took, d)
	}
}

func TestManySignatures(t *testing.T) {
	good := dkimtest.Sign([]byte(plain), edKey(), nil)
	field := good[:bytes.Index(good, []byte("\r\nFrom:"))+2]
	raw := append(bytes.Repeat(field, 9_999), good...)
	n := 0
	r := answers(func(string) resolve.Answer {
		n++
		return resolve.Answer{Records: []resolve.Record{{Type: resolve.TypeTXT, Text: edKey().Record()}}}
	})
	m := eml.Parse(raw, nil)
	within(t, 5*time.Second, func() {
		res, err := dkim.Verify(context.Background(), r, m, now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.Found != 10_000 || len(res.Signatures) != dkim.DefaultMaxSignatures || n != 1 {
			t.Errorf("%d found, %d checked, %d questions", res.Found, len(res.Signatures), n)
		}
	})
	res, err := dkim.Verify(context.Background(), r, m, now(), &dkim.Options{MaxSignatures: 3})
	if err != nil || len(res.Signatures) != 3 {
		t.Errorf("%d checked, error %v", len(res.Signatures), err)
	}
}

// TestManyLengths has a different l= in each signature: the body is still read
// once.
func TestManyLengths(t *testing.T) {
	body := strings.Repeat("0123456789abcdef \r\n", 1<<16)
	raw := []byte(plain + body)
	signed := raw
	for i := range dkim.DefaultMaxSignatures {
		one := dkimtest.Sign(raw, edKey(), &dkimtest.Options{Length: 1000 * (i + 1)})
		signed = append(append([]byte(nil), one[:bytes.Index(one, []byte("\r\nFrom:"))+2]...), signed...)
	}
	m := eml.Parse(signed, nil)
	within(t, 5*time.Second, func() {
		res, err := dkim.Verify(context.Background(), keys(t, edKey()), m, now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range res.Signatures {
			if s.Status != dkim.StatusPass || s.BodyLength <= 0 {
				t.Errorf("l=%d: %s %s", s.BodyLength, s.Status, s.Reason)
			}
		}
	})
}

// TestLongHeaderList names fields that are there, that are not, and the same
// ones again and again, in a header of many fields.
func TestLongHeaderList(t *testing.T) {
	var msg strings.Builder
	for i := range 15_000 {
		fmt.Fprintf(&msg, "X-F%d: %d\n", i, i)
	}
	msg.WriteString(plain)
	opts := &dkimtest.Options{Headers: []string{"From"}, Set: map[string]string{"h": "From" + strings.Repeat(":to:x-f7:x-f9999:nosuch", 2_500)}}
	raw := dkimtest.Sign([]byte(msg.String()), edKey(), opts)
	within(t, 5*time.Second, func() {
		if s := one(t, keys(t, edKey()), raw, nil); s.Reason != dkim.SignatureMismatch {
			t.Errorf("%s %s", s.Status, s.Reason)
		}
	})
}

// TestAcrossBuffers puts what canonicalization changes at every place around
// the sizes at which readers like to cut.
func TestAcrossBuffers(t *testing.T) {
	r := keys(t, edKey())
	for _, size := range []int{1024, 4096, 8192, 32768} {
		for shift := -4; shift <= 4; shift++ {
			msg := plain + strings.Repeat("x", size-97+shift) + " \t \r\n\r\n  y\r\n\r\n" + strings.Repeat("z", size) + " \r\n"
			for _, canon := range []string{"relaxed/relaxed", "simple/simple"} {
				raw := dkimtest.Sign([]byte(msg), edKey(), &dkimtest.Options{Canon: canon})
				if s := one(t, r, raw, nil); s.Status != dkim.StatusPass {
					t.Errorf("%s, size %d%+d: %s %s", canon, size, shift, s.Status, s.Reason)
				}
			}
		}
	}
}

// TestNoFieldInjection tries to make a signed value end where it does not, so
// that a part of it is read as a field that the signature covers.
func TestNoFieldInjection(t *testing.T) {
	r := keys(t, edKey())
	raw := string(dkimtest.Sign([]byte(plain), edKey(), nil))
	for _, tc := range []struct{ name, old, new string }{
		{"LoneCR", "Subject: Quarterly  numbers\r\n", "X: 1\rSubject: Quarterly  numbers\r\n"},
		{"LoneCRAfter", "Subject: Quarterly  numbers\r\n", "Subject: Quarterly  numbers\rX: 1\r\n"},
		{"StrayLine", "Subject: Quarterly  numbers\r\n", "Subject: Quarterly\r\nno field\r\n  numbers\r\n"},
		{"FormFeed", "Subject: Quarterly  numbers\r\n", "Subject: Quarterly\fnumbers\r\n"},
		{"NUL", "Subject: Quarterly  numbers\r\n", "Subject: Quarterly \x00numbers\r\n"},
		{"NoBreakSpace", "Subject: Quarterly  numbers\r\n", "Subject: Quarterly\u00a0numbers\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(raw, tc.old) {
				t.Fatalf("%q is not in the message", tc.old)
			}
			if s := one(t, r, []byte(strings.Replace(raw, tc.old, tc.new, 1)), nil); s.Reason != dkim.SignatureMismatch {
				t.Errorf("%s %s", s.Status, s.Reason)
			}
		})
	}
	// What a stranger wrote into tags comes back without line ends, so that it
	// can be stamped into a field of ours.
	for _, opts := range []*dkimtest.Options{
		{Tags: []string{"i=a=0D=0AX:=20y@sender.example"}},
		{Set: map[string]string{"s": "a\r\n\tb"}},
		{Set: map[string]string{"a": "rsa-sha256\r\n\tx"}},
		{Tags: []string{"e\r\n\tf=1"}},
	} {
		s := one(t, r, dkimtest.Sign([]byte(plain), edKey(), opts), nil)
		for _, text := range []string{s.Identity, s.Selector, string(s.Domain), s.Algorithm, s.Detail} {
			if strings.ContainsAny(text, "\r\n\x00") {
				t.Errorf("%+v: %q", opts, text)
			}
		}
	}
}

// FuzzVerify checks what holds for every message: nothing passes under a key
// that signed nothing, and what is said of a signature fits together.
func FuzzVerify(f *testing.F) {
	f.Add(dkimtest.Sign([]byte(plain), edKey(), nil))
	f.Add(dkimtest.Sign([]byte(plain), edKey(), &dkimtest.Options{Canon: "simple/simple", Length: 5, Tags: []string{"x=9", "i=@sender.example"}}))
	f.Add([]byte("DKIM-Signature: v=1; a=ed25519-sha256; d=a.example; s=s; h=from; bh=" + strings.Repeat("A", 43) + "=; b=AAAA\n\n"))
	const other = "v=DKIM1; k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
	r := answers(func(string) resolve.Answer {
		return resolve.Answer{Records: []resolve.Record{{Type: resolve.TypeTXT, Text: other}}}
	})
	f.Fuzz(func(t *testing.T, raw []byte) {
		m := eml.Parse(raw, nil)
		res, err := dkim.Verify(context.Background(), r, m, now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range res.Signatures {
			if s.Status == dkim.StatusPass {
				t.Errorf("a signature by nobody passes: %q", raw)
			}
			if s.Status != s.Reason.Status() {
				t.Errorf("status %q, reason %q", s.Status, s.Reason)
			}
			for _, c := range s.Headers {
				if c.Index < 0 || c.Index > m.Header().Len() {
					t.Errorf("field %d of %d", c.Index, m.Header().Len())
				}
			}
		}
	})
}

// FuzzParse checks that a field is read or refused, and that one which was read
// has all that checking it needs.
func FuzzParse(f *testing.F) {
	f.Add("v=1; a=rsa-sha256; c=relaxed/simple; d=a.example; s=s1; t=1; x=2; l=3; i=@b.a.example; q=dns/txt; h=From : to; bh=" + strings.Repeat("A", 43) + "=; b=AAAA")
	f.Add("v=1;;")
	f.Add("d=例え.example; s=テスト")
	f.Add(" b = A\r\n\tA A\r\n A ; b=")
	f.Fuzz(func(t *testing.T, value string) {
		fields := eml.Parse([]byte("DKIM-Signature:"+value+"\n\n"), nil).Header().All(dkim.FieldName)
		if len(fields) == 0 {
			return
		}
		for _, form := range []dkim.Form{dkim.DKIMSignature, dkim.ARCMessageSignature, dkim.ARCSeal} {
			s := dkim.Parse(fields[0], form)
			if s.Reason != "" {
				if s.Status != s.Reason.Status() {
					t.Errorf("status %q, reason %q", s.Status, s.Reason)
				}
				continue
			}
			if s.Domain == "" || s.Selector == "" || s.QueryName() != s.Selector+"._domainkey."+string(s.Domain) || len(s.QueryName()) > 253 {
				t.Errorf("%q: domain %q, selector %q, name %q", value, s.Domain, s.Selector, s.QueryName())
			}
			if form == dkim.DKIMSignature && (len(s.Headers) == 0 || !strings.HasSuffix(s.Identity, string(s.Domain))) {
				t.Errorf("%q: headers %v, identity %q", value, s.Headers, s.Identity)
			}
			if !s.Timestamp.IsZero() && !s.Expiration.IsZero() && s.Expiration.Before(s.Timestamp) {
				t.Errorf("%q: from %s to %s", value, s.Timestamp, s.Expiration)
			}
		}
	})
}
