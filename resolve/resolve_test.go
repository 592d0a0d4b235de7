package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// resolverFunc answers with a function.
type resolverFunc func(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error)

func (f resolverFunc) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	return f(ctx, name, t)
}

func mustZone(t testing.TB, text string) *zone.Zone {
	t.Helper()
	z, err := zone.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func lookup(t testing.TB, r resolve.Resolver, name string, typ resolve.Type) resolve.Answer {
	t.Helper()
	a, err := r.Lookup(t.Context(), name, typ)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnswer(t *testing.T) {
	records := []resolve.Record{{Type: resolve.TypeTXT, Text: "a"}, {Type: resolve.TypeTXT, Text: "b"}}
	for _, tc := range []struct {
		name                            string
		a                               resolve.Answer
		nxdomain, nodata, void, tempory bool
	}{
		{"Records", resolve.Answer{Records: records}, false, false, false, false},
		{"NoData", resolve.Answer{}, false, true, true, false},
		{"NXDomain", resolve.Answer{RCode: resolve.NXDomain}, true, false, true, false},
		{"ServFail", resolve.Answer{RCode: resolve.ServFail}, false, false, false, true},
		{"Refused", resolve.Answer{RCode: resolve.Refused}, false, false, false, true},
		{"Timeout", resolve.Answer{RCode: resolve.Timeout}, false, false, false, true},
		{"Unreachable", resolve.Answer{RCode: resolve.Unreachable}, false, false, false, true},
		{"Loop", resolve.Answer{RCode: resolve.Loop}, false, false, false, true},
		{"NotAsked", resolve.Answer{RCode: resolve.NotAsked}, false, false, false, true},
		{"NoName", resolve.Answer{RCode: resolve.FormErr}, false, false, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := []bool{tc.a.NXDomain(), tc.a.NoData(), tc.a.Void(), tc.a.Temporary()}
			if diff := cmp.Diff([]bool{tc.nxdomain, tc.nodata, tc.void, tc.tempory}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	a := resolve.Answer{Name: "a.example", Chain: []string{"b.example", "c.example"}, Records: []resolve.Record{
		{Type: resolve.TypeMX, Host: "mx.example", Pref: 10},
		{Type: resolve.TypeA, Addr: netip.MustParseAddr("192.0.2.1")},
		{Type: resolve.TypeTXT, Text: "text"},
	}}
	if diff := cmp.Diff([]string{"mx.example"}, a.Hosts()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"text"}, a.Texts()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("192.0.2.1", fmt.Sprint(a.Addrs()[0])); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("c.example", a.Final()); diff != "" {
		t.Error(diff)
	}
}

func TestTypeAndCodeNames(t *testing.T) {
	for n := range 70 {
		typ := resolve.Type(n)
		if back, ok := resolve.ParseType(strings.ToLower(typ.String())); ok != !strings.HasPrefix(typ.String(), "TYPE") || ok && back != typ {
			t.Errorf("%d is %q and back %d %v", n, typ, back, ok)
		}
	}
	seen := map[string]bool{}
	for _, c := range []resolve.RCode{0, 1, 2, 3, 4, 5, 9, resolve.Timeout, resolve.Unreachable, resolve.Loop, resolve.NotAsked} {
		if seen[c.String()] {
			t.Errorf("two codes are %s", c)
		}
		seen[c.String()] = true
	}
	if diff := cmp.Diff("RCODE9", resolve.RCode(9).String()); diff != "" {
		t.Error(diff)
	}
}

func TestRecordString(t *testing.T) {
	hour := time.Hour
	for _, tc := range []struct {
		name string
		r    resolve.Record
		want string
	}{
		{"A", resolve.Record{Name: "a.example", Type: resolve.TypeA, TTL: hour, Addr: netip.MustParseAddr("192.0.2.1")}, "a.example. 3600 IN A 192.0.2.1"},
		{"NullMX", resolve.Record{Name: "a.example", Type: resolve.TypeMX, Host: "."}, "a.example. 0 IN MX 0 ."},
		{"Root", resolve.Record{Name: ".", Type: resolve.TypeNS, Host: "ns.example"}, ". 0 IN NS ns.example."},
		{"SpecialOwner", resolve.Record{Name: `a;b"(@$)\\\.c.example`, Type: resolve.TypePTR, Host: "x.example"}, `a\;b\"\(\@\$\)\\\.c.example. 0 IN PTR x.example.`},
		{"Text", resolve.Record{Name: "a.example", Type: resolve.TypeTXT, Text: "v=\"1\"\\ \t\xff;"}, `a.example. 0 IN TXT "v=\"1\"\\ \009\255;"`},
		{"EmptyText", resolve.Record{Name: "a.example", Type: resolve.TypeTXT}, `a.example. 0 IN TXT ""`},
		{"LongText", resolve.Record{Name: "a.example", Type: resolve.TypeTXT, Text: strings.Repeat("x", 256)}, `a.example. 0 IN TXT "` + strings.Repeat("x", 255) + `" "x"`},
		{"SOA", resolve.Record{Name: "a.example", Type: resolve.TypeSOA, SOA: &resolve.SOA{MName: "ns.example", RName: "h.example", Serial: 1, Refresh: hour, Retry: time.Minute, Expire: hour, Minimum: time.Second}}, "a.example. 0 IN SOA ns.example. h.example. 1 3600 60 3600 1"},
		{"TLSA", resolve.Record{Name: "_25._tcp.a.example", Type: resolve.TypeTLSA, TLSA: &resolve.TLSA{Usage: 3, Selector: 1, MatchingType: 1, Data: []byte{0xab}}}, "_25._tcp.a.example. 0 IN TLSA 3 1 1 ab"},
		{"DS", resolve.Record{Name: "a.example", Type: resolve.TypeDS, DS: &resolve.DS{KeyTag: 1, Algorithm: 13, DigestType: 2, Digest: []byte{0xab}}}, "a.example. 0 IN DS 1 13 2 ab"},
		{"Nothing", resolve.Record{Name: "a.example", Type: resolve.TypeSOA}, `a.example. 0 IN SOA \# 0`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.r.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOfflineAndLimit(t *testing.T) {
	if got := lookup(t, resolve.Offline(), "A.example.", resolve.TypeA); got.RCode != resolve.NotAsked || got.Name != "a.example" {
		t.Errorf("%+v", got)
	}
	if got := lookup(t, resolve.Offline(), "a..example", resolve.TypeA); got.RCode != resolve.FormErr || got.Name != "a..example" {
		t.Errorf("%+v", got)
	}
	trace := resolve.NewTrace(mustZone(t, "a.example. IN A 192.0.2.1"))
	l := resolve.NewLimit(trace, 2)
	var codes []resolve.RCode
	for _, name := range []string{"a.example", "a..example", "b.example", "a.example", "c.example"} {
		codes = append(codes, lookup(t, l, name, resolve.TypeA).RCode)
	}
	if diff := cmp.Diff([]resolve.RCode{resolve.NoError, resolve.FormErr, resolve.NXDomain, resolve.NotAsked, resolve.NotAsked}, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2, 2, 2}, []int{l.Asked(), l.Refused(), trace.Len()}); diff != "" {
		t.Error(diff)
	}
	if got := trace.Answers(); got[0].Name != "a.example" || got[1].Name != "b.example" {
		t.Errorf("%+v", got)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, r := range []resolve.Resolver{resolve.Offline(), l, trace, mustZone(t, "")} {
		if _, err := r.Lookup(ended, "a.example", resolve.TypeA); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", r, err)
		}
	}
}

// silent never answers.
type silent struct{}

func (silent) Lookup(ctx context.Context, _ string, _ resolve.Type) (resolve.Answer, error) {
	<-ctx.Done()
	return resolve.Answer{}, ctx.Err()
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolve.Deadline(silent{}, time.Now().Add(time.Minute))
		for range 3 { // also when the time is over before the question
			if a := lookup(t, r, "A.Example.", resolve.TypeA); a.RCode != resolve.Timeout || a.Name != "a.example" {
				t.Errorf("%s %s", a.Name, a.RCode)
			}
		}
		if a := lookup(t, r, "a..example", resolve.TypeA); a.RCode != resolve.FormErr {
			t.Errorf("%s", a.RCode)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Lookup(ended, "a.example", resolve.TypeA); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestCacheKeeps(t *testing.T) {
	z := mustZone(t, `
$ORIGIN kiso.example.
@    7d IN SOA ns h 1 2 3 4 300
a    60 IN A 192.0.2.1
long 8w IN A 192.0.2.1
zero 0  IN A 192.0.2.1
; !servfail bad
; !timeout slow
$ORIGIN sato.example.
@    7d IN SOA ns h 1 2 3 4 7d
$ORIGIN kiso.example.
; !servfail bad
; !timeout slow
`)
	start := time.Date(2026, time.November, 2, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, host string
		kept, gone time.Duration // the last second that it is kept, and the first that it is not
	}{
		{"Positive", "a.kiso.example", 59 * time.Second, 60 * time.Second},
		{"AtMostOneDay", "long.kiso.example", 24*time.Hour - time.Second, 24 * time.Hour},
		{"ZeroTTL", "zero.kiso.example", -1, 0},
		{"NXDomainBySOA", "nx.kiso.example", 299 * time.Second, 300 * time.Second},
		{"NoDataBySOA", "kiso.example", 299 * time.Second, 300 * time.Second},
		{"NegativeAtMost3Hours", "nx.sato.example", 3*time.Hour - time.Second, 3 * time.Hour},
		{"ServFail", "bad.kiso.example", 4 * time.Second, 5 * time.Second},
		{"Timeout", "slow.kiso.example", 4 * time.Second, 5 * time.Second},
		{"NegativeWithoutSOA", "nx.other.example", -1, 0},
		{"NoName", "a..example", -1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			trace := resolve.NewTrace(z)
			now := start
			c := resolve.NewCache(trace, func() time.Time { return now }, nil)
			first := lookup(t, c, strings.ToUpper(tc.host), resolve.TypeA)
			asked := trace.Len()
			if tc.kept >= 0 {
				now = start.Add(tc.kept)
				if diff := cmp.Diff(first, lookup(t, c, tc.host+".", resolve.TypeA), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
					t.Error(diff)
				}
				if trace.Len() != asked {
					t.Errorf("asked again after %v", tc.kept)
				}
				if !first.At.Equal(start) {
					t.Errorf("At is %v", first.At)
				}
			}
			now = start.Add(tc.gone)
			lookup(t, c, tc.host, resolve.TypeA)
			if first.RCode != resolve.FormErr && trace.Len() != asked+1 {
				t.Errorf("not asked again after %v", tc.gone)
			}
		})
	}
}

func TestCacheTypesApart(t *testing.T) {
	c := resolve.NewCache(mustZone(t, "a.example. 60 IN A 192.0.2.1\na.example. 60 IN TXT x"), time.Now, nil)
	if n := len(lookup(t, c, "a.example", resolve.TypeA).Records); n != 1 {
		t.Errorf("%d A records", n)
	}
	if diff := cmp.Diff([]string{"x"}, lookup(t, c, "a.example", resolve.TypeTXT).Texts()); diff != "" {
		t.Error(diff)
	}
}

func TestCacheIsBounded(t *testing.T) {
	big := resolverFunc(func(_ context.Context, name string, typ resolve.Type) (resolve.Answer, error) {
		return resolve.Answer{Name: name, Type: typ, TTL: time.Hour, Records: []resolve.Record{{Type: typ, Text: strings.Repeat("x", 1000)}}}, nil
	})
	for _, tc := range []struct {
		name string
		opts resolve.CacheOptions
		want int
	}{
		{"Answers", resolve.CacheOptions{MaxAnswers: 3}, 3},
		{"Bytes", resolve.CacheOptions{MaxBytes: 6000}, 4},
		{"OneTooBig", resolve.CacheOptions{MaxBytes: 500}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			trace := resolve.NewTrace(big)
			c := resolve.NewCache(trace, time.Now, &tc.opts)
			for i := range 100 {
				lookup(t, c, fmt.Sprintf("n%d.example", i), resolve.TypeTXT)
				lookup(t, c, "n0.example", resolve.TypeTXT) // used all the time, so never the oldest
			}
			if c.Len() != tc.want {
				t.Errorf("%d answers are kept, want %d", c.Len(), tc.want)
			}
			if tc.want > 1 && trace.Len() != 100 {
				t.Errorf("%d questions, want 100: what was just used must stay", trace.Len())
			}
		})
	}
}

func TestCacheAsksOnce(t *testing.T) {
	var asked atomic.Int32
	entered, release := make(chan struct{}), make(chan struct{})
	slow := resolverFunc(func(ctx context.Context, name string, typ resolve.Type) (resolve.Answer, error) {
		if asked.Add(1) == 1 {
			close(entered)
		}
		select {
		case <-release:
			return resolve.Answer{Name: name, Type: typ, RCode: resolve.NXDomain}, nil // TTL 0: not kept
		case <-ctx.Done():
			return resolve.Answer{}, ctx.Err()
		}
	})
	c := resolve.NewCache(slow, time.Now, nil)
	first, cancel := context.WithCancel(t.Context())
	firstDone := make(chan error)
	go func() {
		_, err := c.Lookup(first, "a.example", resolve.TypeA)
		firstDone <- err
	}()
	<-entered
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if a, err := c.Lookup(t.Context(), "a.example", resolve.TypeA); err != nil || !a.NXDomain() {
				t.Errorf("%+v %v", a, err)
			}
		})
	}
	waiting, cancelWaiting := context.WithCancel(t.Context())
	cancelWaiting()
	if _, err := c.Lookup(waiting, "a.example", resolve.TypeA); !errors.Is(err, context.Canceled) {
		t.Errorf("one who gives up waiting gets %v", err)
	}
	// The one who asked gives up: one of the others must ask in its place.
	cancel()
	if err := <-firstDone; !errors.Is(err, context.Canceled) {
		t.Errorf("one who gives up asking gets %v", err)
	}
	close(release)
	wg.Wait()
	if n := asked.Load(); n < 2 || n > 11 {
		t.Errorf("asked %d times", n)
	}
}

func TestCacheSurvivesPanic(t *testing.T) {
	calls := 0
	c := resolve.NewCache(resolverFunc(func(context.Context, string, resolve.Type) (resolve.Answer, error) {
		if calls++; calls == 1 {
			panic("broken")
		}
		return resolve.Answer{}, nil
	}), time.Now, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		_, _ = c.Lookup(t.Context(), "a.example", resolve.TypeA)
	}()
	lookup(t, c, "a.example", resolve.TypeA) // would wait for ever
}
