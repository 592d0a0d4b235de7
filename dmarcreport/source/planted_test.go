package source_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"testing"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
)

// planted is a sender whose nature is known, as it would show in reports.
type planted struct {
	truth source.Class
	ips   []string
	rows  []*dmarcreport.Row
}

// world invents the senders of one domain, from what each kind of sender does
// and without a look at how the classifier decides.
func world(r *rand.Rand) ([]planted, map[netip.Addr]domain.Name) {
	const days = 45
	var out []planted
	names := map[netip.Addr]domain.Name{}
	next := 0
	address := func() string {
		next++
		return fmt.Sprintf("2001:db8:%x::%x", next, 1+r.IntN(200))
	}
	host := func(ip, name string) { names[netip.MustParseAddr(ip)] = domain.Name(name) }
	emit := func(truth source.Class, ips []string, every, from, until, count int, quirk float64, what, odd string) {
		p := planted{truth: truth, ips: ips}
		for d := from; d < until; d++ {
			if every > 1 && (d-from)%every != 0 {
				continue
			}
			for _, ip := range ips {
				n := 1 + r.IntN(count)
				if r.Float64() < quirk {
					p.rows = append(p.rows, mail(ip, d, n, odd))
				} else {
					p.rows = append(p.rows, mail(ip, d, n, what))
				}
			}
		}
		out = append(out, p)
	}
	// The company's own: a mail server, now and then with a broken signature;
	// an application that signs but is not in SPF; a machine with a name of the
	// company that does neither.
	a := address()
	host(a, "mail.kiso.example")
	emit(source.Own, []string{a}, 1, 0, days, 300, 0.05, "spf=pass:kiso.example dkim=pass:kiso.example/s1", "spf=pass:kiso.example dkim=fail:kiso.example/s1")
	for i := range 1 + r.IntN(2) {
		emit(source.Own, []string{address()}, 1+r.IntN(3), 0, days, 20, 0.1, fmt.Sprintf("spf=fail:kiso.example dkim=pass:kiso.example/app%d", i), fmt.Sprintf("spf=softfail:kiso.example dkim=pass:kiso.example/app%d", i))
	}
	a = address()
	host(a, "scan.kiso.example")
	emit(source.Own, []string{a}, 2, 0, days, 4, 0, "spf=fail:kiso.example", "")
	emit(source.Own, []string{address(), address()}, 1, 0, days, 40, 0.02, "spf=pass:bounce.kiso.example", "spf=temperror:bounce.kiso.example")

	// Services: well set up, half set up, forgotten; one that is in no list.
	emit(source.Service, []string{address(), address()}, 3, 0, days, 200, 0.02, "spf=pass:em.kiso.example dkim=pass:kiso.example/letters dkim=pass:letters.example/k", "spf=pass:em.kiso.example dkim=fail:kiso.example/letters dkim=pass:letters.example/k")
	emit(source.Service, []string{address()}, 1, r.IntN(20), days, 15, 0.3, "spf=pass:tickets.example dkim=pass:kiso.example/tk", "spf=pass:tickets.example dkim=pass:tickets.example/z")
	emit(source.Service, []string{address()}, 14, 0, days, 90, 0, "spf=pass:bounce.letters.example dkim=pass:letters.example/k", "")
	emit(source.Service, []string{address()}, 2, 0, days, 30, 0.1, "spf=pass:mta.survey.example dkim=pass:kiso.example/sv dkim=pass:survey.example/s", "spf=pass:mta.survey.example dkim=pass:survey.example/s")
	emit(source.Service, []string{"203.0.113.70", "203.0.113.71"}, 1, 0, days, 120, 0.02, "spf=pass:kiso.example dkim=pass:kiso.example/selector1", "spf=pass:kiso.example dkim=temperror:kiso.example/selector1")

	// Passed on: with and without a new envelope, by lists, by a provider, with
	// the reporter saying so.
	emit(source.Forwarder, []string{address()}, 3, 0, days, 5, 0.1, "spf=fail:kiso.example dkim=pass:kiso.example/s1", "spf=fail:kiso.example dkim=fail:kiso.example/s1")
	emit(source.Forwarder, []string{address()}, 2, 0, days, 6, 0.1, "spf=pass:university.example dkim=pass:kiso.example/s1", "spf=pass:university.example dkim=fail:kiso.example/s1")
	emit(source.Forwarder, []string{address()}, 4, 0, days, 12, 0.5, "spf=pass:club.example dkim=fail:kiso.example/s1 dkim=pass:club.example/l", "spf=pass:club.example dkim=fail:kiso.example/selector1 override=mailing_list")
	emit(source.Forwarder, []string{"203.0.113.90"}, 2, 0, days, 5, 0.2, "spf=pass:friend.example dkim=pass:kiso.example/selector1", "spf=pass:friend.example dkim=fail:kiso.example/selector1")
	emit(source.Forwarder, []string{address()}, 5, 0, days, 5, 0.5, "spf=softfail:kiso.example override=forwarded", "spf=softfail:kiso.example dkim=pass:kiso.example/s1 override=forwarded")
	emit(source.Forwarder, []string{address()}, 3, 0, days, 9, 0, "spf=pass:groups.example dkim=pass:groups.example/g dkim=fail:kiso.example/s1", "")

	// Nobody can tell: an old application somewhere, a supplier that sends in
	// the company's name from its own server once a month, a partner's system.
	a = address()
	host(a, "app7.datacentre.example")
	emit(source.Unknown, []string{a}, 1+r.IntN(2), 0, days, 12, 0, "spf=fail:kiso.example", "")
	a = address()
	host(a, "out.printer-lease.example")
	emit(source.Unknown, []string{a}, 28, 2, days, 40, 0, "spf=pass:printer-lease.example", "")
	emit(source.Unknown, []string{address()}, 4, 0, days, 10, 0, "spf=pass:partner.example dkim=pass:partner.example/p", "")
	emit(source.Unknown, []string{"203.0.113.100"}, 3, 0, days, 6, 0, "spf=pass:agency.example", "")

	// Forgers: bots for a day, a rented server for a week, throw-away domains,
	// a signature copied from elsewhere, names that do not exist.
	var bots []string
	for range 15 {
		b := address()
		if r.Float64() < 0.5 {
			names[netip.MustParseAddr(b)] = ""
		}
		bots = append(bots, b)
	}
	start := r.IntN(30)
	for i, b := range bots {
		emit(source.Threat, []string{b}, 1, start+i%5, start+i%5+1+r.IntN(2), 80, 0.3, "spf=fail:kiso.example", "spf=none:x"+strconv.Itoa(i)+".example")
	}
	a = address()
	host(a, "vps9.rent.example")
	emit(source.Threat, []string{a}, 1, start, start+6, 400, 0, "spf=softfail:kiso.example", "")
	emit(source.Threat, []string{address()}, 1, start, start+3, 500, 0, "spf=pass:throwaway.example", "")
	emit(source.Threat, []string{address()}, 1, start, start+2, 60, 0, "spf=fail:kiso.example dkim=fail:kiso.example/default", "")
	emit(source.Threat, []string{address()}, 1, start, start+4, 30, 0, "from=payroll-ceo.kiso.example spf=none:kiso.example", "")
	a = address()
	host(a, "mx.bulk-shop.example")
	emit(source.Threat, []string{a}, 1, start, start+1, 900, 0, "spf=pass:bulk-shop.example dkim=pass:bulk-shop.example/b", "")
	return out, names
}

// TestPlanted prints how well the classes are told on planted senders, and
// refuses that a forger is ever taken for the owner.
func TestPlanted(t *testing.T) {
	right, said, is := map[source.Class]int{}, map[source.Class]int{}, map[source.Class]int{}
	for seed := range 12 {
		senders, names := world(rand.New(rand.NewPCG(uint64(seed), 9989)))
		if seed%2 == 0 {
			names = nil // offline
		}
		c := source.NewCollector("kiso.example")
		for _, p := range senders {
			for _, r := range p.rows {
				c.Add(r)
			}
		}
		report := c.Classify(&source.Options{Services: catalogue(t), Names: names})
		by := map[netip.Addr]map[source.Class]int64{}
		for i := range report.Sources {
			s := &report.Sources[i]
			if s.Networks > source.MaxListed {
				t.Fatalf("%s has too many addresses for this test", s)
			}
			for _, ip := range s.Addresses {
				if by[ip] == nil {
					by[ip] = map[source.Class]int64{}
				}
				by[ip][s.Class] += s.Messages
			}
		}
		for _, p := range senders {
			for _, ip := range p.ips {
				got, most := source.Class(""), int64(-1)
				for _, c := range source.Classes() {
					if n := by[netip.MustParseAddr(ip)][c]; n > 0 && n > most {
						got, most = c, n
					}
				}
				is[p.truth]++
				said[got]++
				if got == p.truth {
					right[got]++
				} else if seed < 2 {
					t.Logf("seed %d: %s is %s, said %s: %v", seed, ip, p.truth, got, p.rows[0].SPFResults)
				}
				if p.truth == source.Threat && by[netip.MustParseAddr(ip)][source.Own] > 0 {
					t.Errorf("seed %d: the forger at %s is called own", seed, ip)
				}
			}
		}
	}
	macro := 0.0
	for _, c := range source.Classes() {
		precision, recall := float64(right[c])/float64(max(1, said[c])), float64(right[c])/float64(max(1, is[c]))
		f1 := 2 * precision * recall / max(1e-9, precision+recall)
		macro += f1 / float64(len(source.Classes()))
		t.Logf("%-9s of %3d: precision %.3f, recall %.3f, F1 %.3f", c, is[c], precision, recall, f1)
	}
	t.Logf("macro-F1 %.3f", macro)
	if macro < 0.9 {
		t.Errorf("macro-F1 %.3f is below 0.9", macro)
	}
}
