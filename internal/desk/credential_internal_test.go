package desk

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// The codes of RFC 6238, appendix B, for SHA-1; the last six of eight digits.
func TestTOTP(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := totpAt(secret, at/totpPeriod); got != want {
			t.Errorf("at %d the code is %s, want %s", at, got, want)
		}
	}
	now := time.Unix(1111111109, 0)
	step := now.Unix() / totpPeriod
	for _, tc := range []struct {
		name, code string
		last       int64
		ok         bool
	}{
		{"Now", "081804", 0, true},
		{"Blanks", " 081 804 ", 0, true},
		{"FullWidth", "\uFF10\uFF18\uFF11\uFF18\uFF10\uFF14", 0, true},
		{"NextStep", totpAt(secret, step+1), 0, true},
		{"StepBefore", totpAt(secret, step-1), 0, true},
		{"TooOld", totpAt(secret, step-2), 0, false},
		{"TooNew", totpAt(secret, step+2), 0, false},
		{"UsedBefore", "081804", step, false},
		{"EarlierThanUsed", totpAt(secret, step-1), step, false},
		{"LaterThanUsed", totpAt(secret, step+1), step, true},
		{"Empty", "", 0, false},
		{"Short", "81804", 0, false},
		{"Letters", "O81804", 0, false},
		{"Long", strings.Repeat("0", 1000), 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, ok := totpCheck(secret, tc.code, now, tc.last); ok != tc.ok {
				t.Errorf("accepted is %v, want %v", ok, tc.ok)
			}
		})
	}
}

func TestPasswordHash(t *testing.T) {
	hash := hashPassword("correct horse", []byte("0123456789abcdef"))
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is %s", hash)
	}
	for p, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if got := checkPassword(p, hash); got != want {
			t.Errorf("%q: %v, want %v", p, got, want)
		}
	}
	for _, hash := range []string{"", "$", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=19456,t=2,p=1$!!$!!"} {
		if checkPassword("", hash) {
			t.Errorf("no password fits %q", hash)
		}
	}
}

func TestSeal(t *testing.T) {
	d := &AccountDeps{Key: [32]byte{1}}
	sealed, err := d.seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := d.seal([]byte("secret"))
	if err != nil || string(again) == string(sealed) || strings.Contains(string(sealed), "secret") {
		t.Errorf("%q and %q: %v", sealed, again, err)
	}
	if got, err := d.unseal(sealed); err != nil || string(got) != "secret" {
		t.Errorf("%q %v", got, err)
	}
	changed := append([]byte{}, sealed...)
	changed[len(changed)-1] ^= 1
	for name, x := range map[string]struct {
		key [32]byte
		b   []byte
	}{"OtherKey": {[32]byte{2}, sealed}, "Changed": {[32]byte{1}, changed}, "Short": {[32]byte{1}, sealed[:5]}, "Empty": {[32]byte{1}, nil}} {
		t.Run(name, func(t *testing.T) {
			if got, err := (&AccountDeps{Key: x.key}).unseal(x.b); !errors.Is(err, errSealed) || got != nil {
				t.Errorf("%q %v", got, err)
			}
		})
	}
}

func TestTooSimple(t *testing.T) {
	for p, want := range map[string]bool{
		"aaaaaaaaaaaa": true, "abababababab": true, "123412341234": true, "123456789012": true, "qwertyuiopas": true, "ABCDEFGHIJKL": true,
		"correct horse battery": false, "パスワードは長い文にする": false,
	} {
		if got := tooSimple(p); got != want {
			t.Errorf("%q: %v", p, got)
		}
	}
}

func TestThrottle(t *testing.T) {
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	th := NewThrottle()
	wait := func(name string) time.Duration {
		w, ok := errors.AsType[*WaitError](th.Check(now, name))
		if !ok {
			return 0
		}
		return w.Wait
	}
	var waits []time.Duration
	for range 8 {
		th.Failed(now, "192.0.2.7")
		waits = append(waits, wait("192.0.2.7"))
	}
	for i, want := range []time.Duration{0, 0, 0, 0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		if waits[i] != want {
			t.Errorf("after %d failures: %v, want %v", i+1, waits[i], want)
		}
	}
	if wait("192.0.2.8") != 0 {
		t.Error("another address has to wait")
	}
	for range 40 {
		th.Failed(now, "192.0.2.7", failuresForAll)
	}
	if wait("192.0.2.7") != longestLock || wait(failuresForAll) != longestForAll {
		t.Errorf("%v and %v", wait("192.0.2.7"), wait(failuresForAll))
	}
	th.Passed("192.0.2.7")
	if wait("192.0.2.7") != 0 {
		t.Error("it waits after it passed")
	}
	// Whoever has many addresses does not fill the memory, nor does it make the
	// account forget.
	for i := range 3 * maxFailures {
		th.Failed(now, string(rune(0x4e00+i%20000))+string(rune(0x41+i/20000)))
	}
	if len(th.failures) > maxFailures {
		t.Errorf("%d names are remembered", len(th.failures))
	}
	if wait(failuresForAll) == 0 {
		t.Error("the account was forgotten")
	}
	// A clock that jumps back does not lock anybody out for ever.
	now = now.Add(-48 * time.Hour)
	th.Failed(now, "192.0.2.9")
	if wait("192.0.2.9") != 0 {
		t.Error("it waits")
	}
	ctx, cancel := context.WithCancel(t.Context())
	for range hashesAtOnce {
		if err := th.enter(ctx); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := th.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
