package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/dnsclient"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func domainsZone(t testing.TB) *zone.Zone {
	t.Helper()
	f, err := os.Open(filepath.Join(examples, "domains.zone"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zone.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func checkDomains(t testing.TB, in desk.DomainInput, deps desk.DomainDeps) []*desk.DomainReport {
	t.Helper()
	if in.Volume == 0 {
		in.Volume = -1
	}
	seq, err := desk.DomainCheck(context.Background(), in, deps)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(seq)
}

func TestDomainCheckKeepsOrder(t *testing.T) {
	names := []string{"good.example", "not a name", "spf-two.example", "例え.example", "good-parked.example", "GOOD.example."}
	list := checkDomains(t, desk.DomainInput{Domains: names}, desk.DomainDeps{Resolver: domainsZone(t), TrustAD: true})
	var got []string
	for _, rep := range list {
		s := rep.Domain + " " + rep.Worst
		if rep.Error != nil {
			s = rep.Domain + " " + string(rep.Error.Kind)
		}
		got = append(got, s)
	}
	want := []string{"good.example info", "not a name invalid", "spf-two.example high", "xn--r8jz45g.example ", "good-parked.example info", "good.example info"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if list[3].Unicode != "例え.example" || list[3].Use != posture.UseMissing {
		t.Errorf("%s, %s", list[3].Unicode, list[3].Use)
	}
	for _, rep := range list {
		b, err := json.Marshal(rep)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, []byte(":null")); i >= 0 && !bytes.HasSuffix(b[:i], []byte(`"per_day"`)) {
			t.Errorf("%s: null in the record: …%s", rep.Domain, b[max(0, i-40):i+5])
		}
	}
}

func TestDomainCheckNeedsADomain(t *testing.T) {
	_, err := desk.DomainCheck(context.Background(), desk.DomainInput{}, desk.DomainDeps{})
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Invalid {
		t.Errorf("%v", err)
	}
	own := desk.DomainDeps{Facts: org.Facts{Domains: org.Of([]string{"good.example"})}, Resolver: domainsZone(t)}
	if list := checkDomains(t, desk.DomainInput{}, own); len(list) != 1 || list[0].Domain != "good.example" {
		t.Errorf("%v", list)
	}
}

func TestDomainCheckOffline(t *testing.T) {
	rep := checkDomains(t, desk.DomainInput{Domains: []string{"good.example"}}, desk.DomainDeps{})[0]
	if len(rep.Faults) > 0 || len(rep.Unknown) == 0 || rep.Use != posture.UseUnasked {
		t.Errorf("%s: %v, %v", rep.Use, rep.Faults, rep.Unknown)
	}
}

// TestDomainCheckBeforePublishing looks at records that are not published.
func TestDomainCheckBeforePublishing(t *testing.T) {
	codes := func(rep *desk.DomainReport) []string {
		var out []string
		for _, f := range rep.Faults {
			out = append(out, f.Code)
		}
		return out
	}
	for _, tc := range []struct {
		name, domain, record, selector string
		gone, come                     string
	}{
		{"Mends", "spf-two.example", "v=spf1 ip4:192.0.2.25 -all", "", "spf.multiple", ""},
		{"Breaks", "good.example", "v=spf1 +all", "", "", "spf.plus-all"},
		{"Policy", "dmarc-none.example", `_dmarc IN TXT "v=DMARC1; p=reject"`, "", "dmarc.none", "dmarc.no-rua"},
		{"Key", "dkim-absent.example", "v=DKIM1; k=dsa; p=AAAA", "s1", "dmarc.none", "dkim.type"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := desk.DomainInput{Domains: []string{tc.domain}, Records: tc.record}
			if tc.selector != "" {
				in.Selectors = []string{tc.selector}
			}
			rep := checkDomains(t, in, desk.DomainDeps{Resolver: domainsZone(t)})[0]
			if rep.Error != nil {
				t.Fatal(rep.Error.Text.EN)
			}
			if got := codes(rep); tc.gone != "" && slices.Contains(got, tc.gone) || tc.come != "" && !slices.Contains(got, tc.come) {
				t.Errorf("%v", got)
			}
			if len(rep.Preview) != 1 {
				t.Errorf("%v", rep.Preview)
			}
		})
	}
	for _, bad := range []string{"v=DKIM1; p=AAAA", "hello", "# nothing\n", "@ IN MX"} {
		rep := checkDomains(t, desk.DomainInput{Domains: []string{"good.example"}, Records: bad}, desk.DomainDeps{Resolver: domainsZone(t)})[0]
		if rep.Error == nil || rep.Error.Kind != desk.Invalid {
			t.Errorf("%q: %+v", bad, rep.Error)
		}
	}
}

// TestDomainCheckSample finds the selector that DNS does not tell.
func TestDomainCheckSample(t *testing.T) {
	raw := []byte("From: a@dkim-hidden.example\r\nDKIM-Signature: v=1; a=rsa-sha256; d=dkim-hidden.example; s=x7f3q; h=from; bh=AAAA; b=AAAA\r\nSubject: x\r\n\r\nx\r\n")
	rep := checkDomains(t, desk.DomainInput{Domains: []string{"dkim-hidden.example"}, Samples: []desk.Item{{File: "a.eml", Raw: raw}}}, desk.DomainDeps{Resolver: domainsZone(t)})[0]
	if rep.DKIM.State != posture.Present || len(rep.DKIM.Keys) != 1 || rep.DKIM.Keys[0].Source != posture.SelectorSample {
		t.Errorf("%+v", rep.DKIM)
	}
	if rep.Requirements.Sample != "used" {
		t.Errorf("the sample is %s", rep.Requirements.Sample)
	}
}

// reportStore has rows of DMARC reports.
type reportStore struct {
	desk.ReportStore
	rows []dmarcreport.Row
}

func (s reportStore) ReportRows(context.Context, desk.ReportQuery) iter.Seq2[dmarcreport.Row, error] {
	return func(yield func(dmarcreport.Row, error) bool) {
		for _, r := range s.rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestDomainCheckReports(t *testing.T) {
	row := func(day int, count int64, dkim, selector, result string) dmarcreport.Row {
		return dmarcreport.Row{
			Record: dmarcreport.Record{Count: count, DKIM: dkim, HeaderFrom: "dkim-hidden.example", DKIMResults: []dmarcreport.DKIMResult{{Domain: "dkim-hidden.example", Selector: selector, Result: result}}},
			Domain: "dkim-hidden.example", Begin: time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC),
		}
	}
	store := reportStore{rows: []dmarcreport.Row{row(1, 4000, "pass", "x7f3q", "pass"), row(1, 2500, "pass", "x7f3q", "pass"), row(2, 90_000, "fail", "forged", "fail")}}
	rep := checkDomains(t, desk.DomainInput{Domains: []string{"dkim-hidden.example"}}, desk.DomainDeps{Resolver: domainsZone(t), Reports: store})[0]
	if rep.DKIM.State != posture.Present || rep.DKIM.Keys[0].Source != posture.SelectorReport {
		t.Errorf("%+v", rep.DKIM)
	}
	if slices.Contains(rep.DKIM.Tried, "forged") {
		t.Error("a selector of a forged mail was tried")
	}
	if rep.Requirements.Volume.AtLeast != 6500 {
		t.Errorf("at least %d", rep.Requirements.Volume.AtLeast)
	}
}

// dnsServer answers from a zone over UDP on this machine.
func dnsServer(t testing.TB, z *zone.Zone) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := answerDNS(z, buf[:n]); out != nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	})
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	return conn.LocalAddr().String()
}

func answerDNS(z *zone.Zone, query []byte) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	a, err := z.Lookup(context.Background(), strings.ToLower(strings.TrimSuffix(q.Name.String(), ".")), resolve.Type(q.Type))
	if err != nil {
		return nil
	}
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: h.ID, Response: true, RecursionDesired: true, RecursionAvailable: true, RCode: dnsmessage.RCode(a.RCode)})
	b.EnableCompression()
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	must(b.StartQuestions())
	must(b.Question(q))
	must(b.StartAnswers())
	name := func(s string) dnsmessage.Name { return dnsmessage.MustNewName(strings.TrimSuffix(s, ".") + ".") }
	owner := q.Name
	for _, c := range a.Chain {
		must(b.CNAMEResource(dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET, TTL: 60}, dnsmessage.CNAMEResource{CNAME: name(c)}))
		owner = name(c)
	}
	for _, r := range a.Records {
		rh := dnsmessage.ResourceHeader{Name: owner, Class: dnsmessage.ClassINET, TTL: 60}
		switch r.Type {
		case resolve.TypeA:
			must(b.AResource(rh, dnsmessage.AResource{A: r.Addr.As4()}))
		case resolve.TypeMX:
			must(b.MXResource(rh, dnsmessage.MXResource{Pref: r.Pref, MX: name(r.Host)}))
		case resolve.TypePTR:
			must(b.PTRResource(rh, dnsmessage.PTRResource{PTR: name(r.Host)}))
		case resolve.TypeNS:
			must(b.NSResource(rh, dnsmessage.NSResource{NS: name(r.Host)}))
		case resolve.TypeTXT:
			var parts []string
			for s := r.Text; ; s = s[min(len(s), 255):] {
				if parts = append(parts, s[:min(len(s), 255)]); len(s) <= 255 {
					break
				}
			}
			must(b.TXTResource(rh, dnsmessage.TXTResource{TXT: parts}))
		default: // not in the zone of the test
		}
	}
	out, err := b.Finish()
	must(err)
	return out
}

// TestDomainCheckIsQuick holds 150 domains, asked for over the network of this
// machine, to two seconds.
func TestDomainCheckIsQuick(t *testing.T) {
	const count = 150
	var b strings.Builder
	var names []string
	key := strings.Repeat("A", 20)
	for i := range count {
		n := fmt.Sprintf("d%d.example", i)
		names = append(names, n)
		fmt.Fprintf(&b, `%[1]s. IN NS ns.%[1]s.
%[1]s. IN MX 10 mx.%[1]s.
mx.%[1]s. IN A 192.0.2.%[2]d
%[1]s. IN TXT "v=spf1 mx include:_spf.%[1]s ip4:192.0.2.%[2]d -all"
_spf.%[1]s. IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
_dmarc.%[1]s. IN TXT "v=DMARC1; p=reject; rua=mailto:d@%[1]s"
selector1._domainkey.%[1]s. IN CNAME k.%[1]s.
k.%[1]s. IN TXT "v=DKIM1; k=rsa; p=%[3]s"
_mta-sts.%[1]s. IN TXT "v=STSv1; id=1"
%[2]d.2.0.192.in-addr.arpa. IN PTR mx.%[1]s.
`, n, i, key)
	}
	z, err := zone.ParseString(b.String())
	if err != nil {
		t.Fatal(err)
	}
	server := dnsServer(t, z)
	dns, err := dnsclient.New(&dnsclient.Options{Servers: []string{server}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	list := checkDomains(t, desk.DomainInput{Domains: names}, desk.DomainDeps{Resolver: resolve.NewCache(dns, time.Now, nil)})
	took := time.Since(start)
	questions := 0
	for i, rep := range list {
		questions += rep.Questions
		if rep.Domain != names[i] || rep.DMARC.Policy != "reject" || rep.SPF.Lookups != 2 || len(rep.Unknown) > 3 {
			t.Fatalf("%s: %+v, unknown: %+v", rep.Domain, rep.SPF, rep.Unknown)
		}
	}
	t.Logf("%d domains, %d questions, %s", len(list), questions, took)
	const limit = 2 * time.Second
	if len(list) != count || took > limit && !raceEnabled {
		t.Errorf("%d domains took %s", len(list), took)
	}
}

func TestDomainCheckStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	seq, err := desk.DomainCheck(ctx, desk.DomainInput{Domains: slices.Repeat([]string{"good.example"}, 50), Volume: -1}, desk.DomainDeps{Resolver: domainsZone(t)})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range seq {
		if n++; n == 3 {
			cancel()
		}
	}
	cancel()
	if n < 3 || n == 50 {
		t.Errorf("%d reports", n)
	}
	for range seqOf(t) { // leaving early must not hang
		break
	}
}

func seqOf(t *testing.T) iter.Seq[*desk.DomainReport] {
	t.Helper()
	seq, err := desk.DomainCheck(context.Background(), desk.DomainInput{Domains: slices.Repeat([]string{"good.example"}, 50), Volume: -1}, desk.DomainDeps{Resolver: domainsZone(t)})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}
