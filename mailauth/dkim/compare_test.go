//go:build compare

package dkim_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	msgauth "github.com/emersion/go-msgauth/dkim"
	"pgregory.net/rapid"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
)

// These compare with go-msgauth, in runs with the tag "compare":
//
//	go test -tags compare -run Compare -bench Compare ./mailauth/dkim

func lookupTXT(ks ...dkimtest.Key) func(string) ([]string, error) {
	return func(name string) ([]string, error) {
		for _, k := range ks {
			if k.Name() == name {
				return []string{k.Record()}, nil
			}
		}
		return nil, os.ErrNotExist
	}
}

// TestCompareChanges changes signed messages at random and compares verdicts.
func TestCompareChanges(t *testing.T) {
	k := edKey()
	r := keys(t, k)
	opts := &msgauth.VerifyOptions{LookupTXT: lookupTXT(k)}
	passed, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		canon := rapid.SampledFrom([]string{"simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"}).Draw(t, "canon")
		raw := dkimtest.Sign([]byte(plain), k, &dkimtest.Options{Canon: canon})
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			at := rapid.IntRange(0, len(raw)).Draw(t, "at")
			with := rapid.SampledFrom([]string{" ", "  ", "\t", "\r\n", "\r\n ", "\r", "a", ":", ";", "\r\n\r\n"}).Draw(t, "with")
			raw = append(append(append([]byte(nil), raw[:at]...), with...), raw[at:]...)
		}
		theirs, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), opts)
		if err != nil || len(theirs) != 1 {
			t.Skip("they cannot read it")
		}
		m := eml.Parse(raw, nil)
		res, err := dkim.Verify(context.Background(), r, m, now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		// To eml a line that is no field ends the header, as it does for mail
		// programs; they go on to the first empty line.
		if len(res.Signatures) != 1 || m.Root().BodySpan().Offset != bytes.Index(raw, []byte("\r\n\r\n"))+4 {
			t.Skip("the header is another one to eml")
		}
		for line := range bytes.Lines(raw[:m.Root().BodySpan().Offset-2]) {
			if name, _, ok := bytes.Cut(line, []byte(":")); line[0] != ' ' && line[0] != '\t' && (!ok || bytes.ContainsAny(name, " \t")) {
				t.Skip("a line of the header is no field")
			}
		}
		if bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
			t.Skip("to them a CR alone is white space or a line end")
		}
		s := res.Signatures[0]
		all++
		if theirs[0].Err == nil {
			passed++
		}
		if theirs[0].Err == nil && s.Status == dkim.StatusNeutral {
			return // they take more for white space in tags than RFC 6376 section 2.8 does
		}
		if (theirs[0].Err == nil) != (s.Status == dkim.StatusPass) {
			t.Fatalf("go-msgauth: %v, sekisho: %s %s\n%q", theirs[0].Err, s.Status, s.Reason, raw)
		}
	})
	t.Logf("%d messages compared, %d pass", all, passed)
}

// TestCompareRealMail verifies real signatures with a key that cannot have
// signed them, and compares what the two say of the body hash.
func TestCompareRealMail(t *testing.T) {
	record := dkimtest.RSA2048("", "").Record()
	r := answers(func(string) resolve.Answer {
		return resolve.Answer{Records: []resolve.Record{{Type: resolve.TypeTXT, Text: record}}}
	})
	opts := &msgauth.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{record}, nil }}
	files, signatures, matches, unread, others := 0, 0, 0, 0, map[string]int{}
	err := filepath.WalkDir(shared(t, "mail"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".tsv" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(raw, []byte("DKIM-Signature:")) {
			return err
		}
		files++
		theirs, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), opts)
		res, err2 := dkim.Verify(context.Background(), r, eml.Parse(raw, nil), now(), nil)
		if err2 != nil {
			t.Fatal(err2)
		}
		if err != nil || len(theirs) != res.Found {
			unread++
			return nil
		}
		for i, s := range res.Signatures {
			signatures++
			verdict := "pass"
			if e := theirs[i].Err; e != nil {
				verdict = e.Error()
			}
			bodyFails, headerFails := strings.Contains(verdict, "body hash did not verify"), strings.Contains(verdict, "signature did not verify")
			switch {
			case bodyFails && s.Reason == dkim.BodyHashMismatch:
			case headerFails && s.Reason == dkim.SignatureMismatch:
				matches++
			case strings.Contains(verdict, "expired"): // they look no further
			case s.Reason == dkim.SyntaxError && s.Detail == "d" && strings.Contains(s.Field.Raw(), "d=*"): // redacted
			case !bodyFails && !headerFails && s.Status != dkim.StatusFail && s.Status != dkim.StatusPass:
				others[string(s.Reason)+" | "+verdict]++
			default:
				others["DISAGREE "+string(s.Reason)+" | "+verdict]++
				t.Errorf("%s #%d: go-msgauth %q, sekisho %s %s", filepath.Base(path), i, verdict, s.Status, s.Reason)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, %d signatures compared, %d body hashes match, %d files that go-msgauth cannot read", files, signatures, matches, unread)
	for k, n := range others {
		t.Logf("%5d %s", n, k)
	}
}

func BenchmarkCompare(b *testing.B) {
	ks := []dkimtest.Key{dkimtest.RSA2048("sender.example", "s1"), edKey()}
	r := keys(b, ks...)
	opts := &msgauth.VerifyOptions{LookupTXT: lookupTXT(ks...)}
	for name, raw := range benchmarks() {
		b.Run(name+"/sekisho", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := dkim.Verify(context.Background(), r, eml.Parse(raw, nil), now(), nil)
				if err != nil || res.Signatures[0].Status != dkim.StatusPass {
					b.Fatal(res, err)
				}
			}
		})
		b.Run(name+"/go-msgauth", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				v, err := msgauth.VerifyWithOptions(bytes.NewReader(raw), opts)
				if err != nil || v[0].Err != nil {
					b.Fatal(v, err)
				}
			}
		})
	}
}
