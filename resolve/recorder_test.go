package resolve_test

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

type asked struct {
	name string
	t    resolve.Type
}

// repeat records the questions against r and asks them again of what was
// written.
func repeat(t *testing.T, r resolve.Resolver, questions []asked) (first, second []resolve.Answer, text string) {
	t.Helper()
	rec := resolve.NewRecorder(r)
	for _, q := range questions {
		first = append(first, lookup(t, rec, q.name, q.t))
	}
	var b bytes.Buffer
	if err := rec.WriteZone(&b); err != nil {
		t.Fatal(err)
	}
	z := mustZone(t, b.String())
	for _, q := range questions {
		second = append(second, lookup(t, z, q.name, q.t))
	}
	return first, second, b.String()
}

func TestRecorderRepeats(t *testing.T) {
	z := mustZone(t, `
$ORIGIN kiso.example.
@      3600 IN SOA ns h 1 2 3 4 300
@        60 IN TXT "v=spf1 mx -all"
@        60 IN TXT "second \"text\" \255"
@        60 IN MX 10 mail
@        60 IN MX 20 .
mail    120 IN A 192.0.2.1
mail    120 IN AAAA 2001:db8::1
www      30 IN CNAME mail
alias    20 IN CNAME www
broken   20 IN CNAME gone
a.b.c    60 IN TXT deep
*.wild   60 IN TXT any
round    60 IN CNAME round2
round2   60 IN CNAME round
odd\;\.na\ me 60 IN TXT odd
_25._tcp.mail 60 IN TLSA 3 1 1 ab
; !servfail dead
; !timeout slow TXT
; !ad kiso.example. TXT
`)
	questions := []asked{
		{"KISO.example.", resolve.TypeTXT}, {"kiso.example", resolve.TypeMX}, {"kiso.example", resolve.TypeA}, {"kiso.example", resolve.TypeSOA},
		{"alias.kiso.example", resolve.TypeA}, {"www.kiso.example", resolve.TypeA}, {"www.kiso.example", resolve.TypeCNAME}, {"mail.kiso.example", resolve.TypeA},
		{"alias.kiso.example", resolve.TypeTXT}, {"broken.kiso.example", resolve.TypeA}, {"gone.kiso.example", resolve.TypeA},
		{"c.kiso.example", resolve.TypeTXT}, {"a.b.c.kiso.example", resolve.TypeTXT}, {"x.wild.kiso.example", resolve.TypeTXT}, {"x.wild.kiso.example", resolve.TypeA},
		{"*.wild.kiso.example", resolve.TypeTXT}, {"*.kiso.example", resolve.TypeTXT}, {"y.kiso.example", resolve.TypeTXT},
		{"dead.kiso.example", resolve.TypeA}, {"slow.kiso.example", resolve.TypeTXT}, {"slow.kiso.example", resolve.TypeA}, {"round.kiso.example", resolve.TypeA},
		{`odd;\.na\ me.kiso.example`, resolve.TypeTXT}, {"_25._tcp.mail.kiso.example", resolve.TypeTLSA}, {"a..example", resolve.TypeA},
	}
	first, second, text := repeat(t, z, questions)
	// Sources are not kept, nor the names through which a loop led.
	for i := range first {
		first[i].Source, second[i].Source = "", ""
		if first[i].RCode == resolve.Loop {
			first[i].Chain, first[i].TTL, second[i].TTL = nil, 0, 0
		}
	}
	if diff := cmp.Diff(first, second, cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
}

// TestRecorderContradictions: servers that give another alias for another type,
// or another order at the second time.
func TestRecorderContradictions(t *testing.T) {
	address := func(s string) []resolve.Record {
		return []resolve.Record{{Type: resolve.TypeA, TTL: time.Minute, Addr: netip.MustParseAddr(s)}}
	}
	answers := map[asked]resolve.Answer{
		{"a.example", resolve.TypeA}:    {Chain: []string{"b.example"}, Records: address("192.0.2.1")},
		{"a.example", resolve.TypeAAAA}: {Chain: []string{"c.example"}},
		{"a.example", resolve.TypeTXT}:  {Chain: []string{"d.example"}, RCode: resolve.NXDomain},
		{"b.example", resolve.TypeA}:    {Records: address("192.0.2.2")},
		{"e.example", resolve.TypeA}:    {RCode: resolve.NXDomain},
		{"x.e.example", resolve.TypeA}:  {Records: address("192.0.2.3")}, // below a name that does not exist
	}
	var questions []asked
	for _, q := range []asked{
		{"a.example", resolve.TypeA}, {"a.example", resolve.TypeAAAA}, {"a.example", resolve.TypeTXT}, {"b.example", resolve.TypeA}, {"e.example", resolve.TypeA}, {"x.e.example", resolve.TypeA},
	} {
		questions = append(questions, q)
		a := answers[q]
		a.Name, a.Type = q.name, q.t
		answers[q] = a
	}
	first, second, text := repeat(t, resolverFunc(func(_ context.Context, name string, typ resolve.Type) (resolve.Answer, error) {
		return answers[asked{name, typ}], nil
	}), questions)
	for i := range first {
		if first[i].RCode != second[i].RCode {
			t.Errorf("%v: %v, then %v\n%s", questions[i], first[i].RCode, second[i].RCode, text)
		}
		if diff := cmp.Diff(first[i].Addrs(), second[i].Addrs(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%v: %s\n%s", questions[i], diff, text)
		}
	}
}

func TestRecorderSaysTheSameAgain(t *testing.T) {
	n := 0
	rec := resolve.NewRecorder(resolverFunc(func(_ context.Context, name string, typ resolve.Type) (resolve.Answer, error) {
		n++
		return resolve.Answer{Name: name, Type: typ, Source: strings.Repeat("x", n)}, nil
	}))
	a, b := lookup(t, rec, "a.example", resolve.TypeA), lookup(t, rec, "A.example.", resolve.TypeA)
	if a.Source != "x" || b.Source != "x" || n != 1 {
		t.Errorf("%q %q %d", a.Source, b.Source, n)
	}
}

// TestRecorderKeepsTheFirst: of two that ask at the same time, both get the
// answer that was there first.
func TestRecorderKeepsTheFirst(t *testing.T) {
	var rec *resolve.Recorder
	n := 0
	rec = resolve.NewRecorder(resolverFunc(func(_ context.Context, name string, typ resolve.Type) (resolve.Answer, error) {
		if n++; n == 1 {
			lookup(t, rec, name, typ) // overtakes
			return resolve.Answer{Name: name, Type: typ, Source: "late"}, nil
		}
		return resolve.Answer{Name: name, Type: typ, Source: "first"}, nil
	}))
	for range 2 {
		if got := lookup(t, rec, "a.example", resolve.TypeA).Source; got != "first" {
			t.Errorf("got the %s answer", got)
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestRecorderReportsTheWriter(t *testing.T) {
	if err := resolve.NewRecorder(zone.New()).WriteZone(brokenWriter{}); !errors.Is(err, errBroken) {
		t.Error(err)
	}
}
