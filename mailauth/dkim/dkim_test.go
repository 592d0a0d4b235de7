package dkim_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth/dkim"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

const plain = `From: Aiko Sato <aiko@sender.example>
To: bob@rcpt.example,
	carol@rcpt.example
Subject: Quarterly  numbers
Date: Tue, 24 Nov 2026 09:00:00 +0900
Message-ID: <1@sender.example>
Content-Type: text/plain; charset=utf-8

Hello Bob,

the  numbers are	in. 

Aiko


`

func now() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

func key() dkimtest.Key { return dkimtest.RSA1024("sender.example", "s1") }

func edKey() dkimtest.Key { return dkimtest.Ed25519("sender.example", "ed") }

// records is a zone with a TXT record at each name.
func records(t testing.TB, m map[string]string) resolve.Resolver {
	t.Helper()
	all := map[string][]string{}
	for name, text := range m {
		all[name] = []string{"TXT " + text}
	}
	z, err := zone.FromMap(all)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func keys(t testing.TB, ks ...dkimtest.Key) resolve.Resolver {
	t.Helper()
	m := map[string]string{}
	for _, k := range ks {
		m[k.Name()] = k.Record()
	}
	return records(t, m)
}

func verify(t testing.TB, r resolve.Resolver, raw []byte, o *dkim.Options) []dkim.Signature {
	t.Helper()
	res, err := dkim.Verify(context.Background(), r, eml.Parse(raw, nil), now(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res.Signatures
}

// one verifies a message that has one signature.
func one(t testing.TB, r resolve.Resolver, raw []byte, o *dkim.Options) dkim.Signature {
	t.Helper()
	s := verify(t, r, raw, o)
	if len(s) != 1 {
		t.Fatalf("%d signatures, want 1", len(s))
	}
	return s[0]
}

// shared returns the path of a file of the data that is kept outside of the
// repository.
func shared(t testing.TB, elem ...string) string {
	t.Helper()
	dir := os.Getenv("SEKISHO_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	p := filepath.Join(append([]string{dir, "data"}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("no test data: %v", err)
	}
	return p
}
