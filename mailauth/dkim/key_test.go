package dkim_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/mailauth/dkim"
)

func TestParseKey(t *testing.T) {
	spki := key().Public()
	for _, tc := range []struct {
		name, record string
		want         *dkim.Key
		err          error
	}{
		{"Shortest", "p=" + spki, &dkim.Key{Type: "rsa", Bits: 1024}, nil},
		{"Bare", "p=" + key().BarePublic(), &dkim.Key{Type: "rsa", Bits: 1024}, nil},
		{"Ed25519", edKey().Record(), &dkim.Key{Type: "ed25519", Bits: 256}, nil},
		{"All", "v=DKIM1; h=sha256:sha1; k=rsa; n=Hello world; s=email : *; t=y:s; p=" + spki, &dkim.Key{
			Type: "rsa", Bits: 1024, Hashes: []string{"sha256", "sha1"}, Services: []string{"email", "*"}, Flags: []string{"y", "s"}, Notes: "Hello world",
		}, nil},
		{"FlagForgotten", "t=:s; p=" + spki, &dkim.Key{Type: "rsa", Bits: 1024, Flags: []string{"s"}}, nil},
		{"Revoked", "v=DKIM1; p=", &dkim.Key{Type: "rsa", Revoked: true}, nil},
		{"RevokedUnknownType", "k=pq; p=", &dkim.Key{Type: "pq", Revoked: true}, nil},
		{"UnknownType", "k=pq; p=!", &dkim.Key{Type: "pq"}, nil},
		{"Small", rsaRecord(odd(512), 3), &dkim.Key{Type: "rsa", Bits: 512}, nil},
		{"LargestAllowed", rsaRecord(odd(8192), 65537), &dkim.Key{Type: "rsa", Bits: 8192}, nil},
		{"OneBitTooLarge", rsaRecord(odd(8193), 65537), nil, dkim.ErrKeyTooLarge},
		{"Empty", "", nil, dkim.ErrKeySyntax},
		{"NoKey", "v=DKIM1", nil, dkim.ErrKeySyntax},
		{"EscapedSemicolons", `v=DKIM1\; p=` + spki, nil, dkim.ErrKeySyntax},
		{"NoPadding", "p=" + strings.TrimRight(edKey().Public(), "=") + "; k=ed25519", nil, dkim.ErrKeySyntax},
		{"EightMegabytes", "p=" + strings.Repeat("A", 8<<20), nil, dkim.ErrKeyTooLarge},
		{"LongNotes", "n=" + strings.Repeat("a", 15_000) + "; p=" + spki, &dkim.Key{Type: "rsa", Bits: 1024, Notes: strings.Repeat("a", 15_000)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := dkim.ParseKey(tc.record)
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(dkim.Key{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestKeyErrorNamesTheTag(t *testing.T) {
	_, err := dkim.ParseKey("v=DKIM1; p=***")
	if err == nil || err.Error() != "dkim: not a key record: tag p" {
		t.Errorf("error %v", err)
	}
}

// TestCraftedKeys hands in DER that lies about itself.
func TestCraftedKeys(t *testing.T) {
	good, err := base64.StdEncoding.DecodeString(key().Public())
	if err != nil {
		t.Fatal(err)
	}
	bare, err := base64.StdEncoding.DecodeString(key().BarePublic())
	if err != nil {
		t.Fatal(err)
	}
	splice := func(b []byte, at int, with ...byte) []byte {
		out := append([]byte(nil), b...)
		copy(out[at:], with)
		return out
	}
	for _, tc := range []struct {
		name string
		der  []byte
	}{
		{"Nothing", []byte{0x30}},
		{"EmptySequence", []byte{0x30, 0}},
		{"LengthBeyondEnd", splice(bare, 1, 0x82, 0xff, 0xff)},
		{"LengthOfEightOctets", splice(bare, 1, 0x88, 0, 0, 0)},
		{"LengthIndefinite", splice(bare, 1, 0x80)},
		{"TrailingByte", append(append([]byte(nil), good...), 0)},
		{"OtherAlgorithm", splice(good, 14, 0x02)},
		{"NoNull", splice(good, 16, 0x04)},
		{"UnusedBits", splice(good, 21, 3)},
		{"NegativeModulus", splice(bare, 6, 0xff)},
		{"ZeroModulus", []byte{0x30, 6, 2, 1, 0, 2, 1, 3}},
		{"EmptyModulus", []byte{0x30, 5, 2, 0, 2, 1, 3}},
		{"NoExponent", []byte{0x30, 3, 2, 1, 7}},
		{"ThirdNumber", []byte{0x30, 9, 2, 1, 7, 2, 1, 3, 2, 1, 1}},
		{"Cut", good[:len(good)-1]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, err := dkim.ParseKey("p=" + base64.StdEncoding.EncodeToString(tc.der))
			if !errors.Is(err, dkim.ErrKeySyntax) {
				t.Errorf("key %+v, error %v", k, err)
			}
		})
	}
}

// FuzzParseKey checks that a record is read or refused, never half of each,
// and that reading stays within its bounds.
func FuzzParseKey(f *testing.F) {
	f.Add(key().Record())
	f.Add(edKey().Record())
	f.Add("v=DKIM1; h=sha256; s=*; t=y:s; n=x; p=")
	f.Add("p=" + key().BarePublic())
	f.Fuzz(func(t *testing.T, record string) {
		k, err := dkim.ParseKey(record)
		switch {
		case err != nil:
			if k != nil || !errors.Is(err, dkim.ErrKeySyntax) && !errors.Is(err, dkim.ErrKeyTooLarge) {
				t.Errorf("key %+v, error %v", k, err)
			}
		case k.Bits < 0 || k.Bits > 8192 || k.Revoked && k.Bits > 0:
			t.Errorf("key %+v", k)
		}
	})
}
