package source_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/dmarcreport/source"
	"github.com/sekisho/sekisho/domain"
)

const services = `id,name,kind,dkim,spf,ptr,networks,source,date
# a comment
letters,Letters,sender,letters.example,bounce.letters.example,out.letters.example,203.0.113.0/28,https://letters.example/ips,2026-11-25
tickets,Tickets,sender,tickets.example,tickets.example,,,https://tickets.example,2026-11-25
cloud,Cloud Mail,mailbox,tenant.cloud.example,tenant.cloud.example,out.cloud.example,203.0.113.64/26,https://cloud.example,2026-11-25
filter,Filter,gateway,,,filter.example,,https://filter.example,2026-11-25
groups,Groups,list,groups.example,groups.example,,,https://groups.example,2026-11-25
rent,Rent-a-Server,hosting,,,rent.example,,https://rent.example,2026-11-25
`

func catalogue(t testing.TB) *source.Catalogue {
	t.Helper()
	c, err := source.ParseCatalogue(strings.NewReader(services))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var day0 = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

// mail is a row in short: "from=news.kiso.example spf=pass:mail.example
// dkim=pass:kiso.example/s1 override=forwarded".
func mail(ip string, day, count int, what string) *dmarcreport.Row {
	r := &dmarcreport.Row{Domain: "kiso.example", Begin: day0.AddDate(0, 0, day), Org: "Receiver", Carrier: dmarcreport.CarrierUnknown}
	r.End = r.Begin.Add(24*time.Hour - time.Second)
	r.Source, r.Count = netip.MustParseAddr(ip), int64(count)
	r.HeaderFrom, r.DKIM, r.SPF, r.Disposition = "kiso.example", "fail", "fail", "none"
	for w := range strings.FieldsSeq(what) {
		k, v, _ := strings.Cut(w, "=")
		result, name, _ := strings.Cut(v, ":")
		ours := strings.HasSuffix(strings.SplitN(name, "/", 2)[0], "kiso.example")
		switch k {
		case "from":
			r.HeaderFrom = v
		case "override":
			r.Reasons = append(r.Reasons, dmarcreport.Reason{Type: v})
		case "comment":
			r.Reasons = append(r.Reasons, dmarcreport.Reason{Type: "local_policy", Comment: v})
		case "carrier":
			r.Carrier = dmarcreport.Carrier(v)
		case "org":
			r.Org = v
		case "disposition":
			r.Disposition = v
		case "spf":
			r.SPFResults = append(r.SPFResults, dmarcreport.SPFResult{Domain: name, Scope: "mfrom", Result: result})
			r.EnvelopeFrom = name
			if result == "pass" && ours {
				r.SPF = "pass"
			}
		case "dkim":
			d, sel, _ := strings.Cut(name, "/")
			r.DKIMResults = append(r.DKIMResults, dmarcreport.DKIMResult{Domain: d, Selector: sel, Result: result})
			if result == "pass" && ours {
				r.DKIM = "pass"
			}
		default:
			panic(w)
		}
	}
	r.Aligned = (&dmarcreport.Aligner{}).Align(&r.Policy, &r.Record)
	return r
}

func classify(t *testing.T, rows []*dmarcreport.Row, o *source.Options) *source.Report {
	t.Helper()
	c := source.NewCollector("kiso.example")
	for _, r := range rows {
		c.Add(r)
	}
	return c.Classify(o)
}

func lines(r *source.Report) string {
	var b strings.Builder
	for i := range r.Sources {
		s := &r.Sources[i]
		b.WriteString(s.String() + " " + string(s.Confidence))
		for _, x := range s.Reasons {
			b.WriteString(" " + x.Code)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// direct is the domain's own server, so that its selector is known.
func direct() []*dmarcreport.Row {
	var out []*dmarcreport.Row
	for d := range 30 {
		out = append(out, mail("192.0.2.10", d, 100, "spf=pass:kiso.example dkim=pass:kiso.example/s1"))
	}
	return out
}

const own = "own 192.0.2.0/24 3000/3000 high spf-aligned\n"

func TestClassify(t *testing.T) {
	many := func(days, count int, ip, what string) []*dmarcreport.Row {
		var out []*dmarcreport.Row
		for d := range days {
			out = append(out, mail(ip, d, count, what))
		}
		return out
	}
	const ours = "spf=fail:kiso.example"
	for _, tc := range []struct {
		name string
		rows []*dmarcreport.Row
		opts source.Options
		want string
	}{
		{"Own", nil, source.Options{}, own},
		{"ServiceAligned", many(3, 5, "203.0.113.3", "spf=pass:news.kiso.example dkim=pass:letters.example/x"), source.Options{}, own + "service Letters 15/15 high service-aligned\n"},
		{"ServiceNever", many(3, 5, "198.51.100.3", "spf=pass:bounce.letters.example dkim=pass:letters.example/x"), source.Options{}, own + "service Letters 0/15 medium service-never\n"},
		{"ServiceByNetwork", many(3, 5, "203.0.113.3", "spf=none:nothing.example"), source.Options{}, own + "service Letters 0/15 low service-never\n"},
		{"UnlistedService", many(3, 5, "198.51.100.3", "spf=pass:bounce.mailer.example dkim=pass:kiso.example/mailer dkim=pass:mailer.example/a"), source.Options{}, own + "service mailer.example 15/15 medium unlisted-signs\n"},
		{"OwnWithoutSPF", many(3, 5, "198.51.100.3", ours+" dkim=pass:kiso.example/app"), source.Options{}, own + "own 198.51.100.0/24 15/15 medium only-home\n"},
		{"ForwarderPlain", many(3, 5, "198.51.100.3", ours+" dkim=pass:kiso.example/s1"), source.Options{}, own + "forwarder 198.51.100.0/24 15/15 medium signature-survived\n"},
		{"ForwarderSRS", many(3, 5, "198.51.100.3", "spf=pass:alumni.example dkim=pass:kiso.example/s1"), source.Options{}, own + "forwarder alumni.example 15/15 medium signature-survived\n"},
		{"ForwarderSaid", many(3, 5, "198.51.100.3", ours+" override=forwarded"), source.Options{}, own + "forwarder 198.51.100.0/24 0/15 high reporter-says\n"},
		{"ARC", many(3, 5, "198.51.100.3", ours+" comment=arc=pass"), source.Options{}, own + "forwarder 198.51.100.0/24 0/15 high reporter-says\n"},
		{"ListBreaks", many(3, 5, "198.51.100.3", "spf=pass:club.example dkim=fail:kiso.example/s1"), source.Options{}, own + "forwarder club.example 0/15 medium signature-broken\n"},
		{"BrokenWithUnknownSelector", many(3, 5, "198.51.100.3", "spf=pass:club.example dkim=fail:kiso.example/nosuch"), source.Options{}, own + "threat club.example 0/15 low foreign\n"},
		{"MailboxForward", many(3, 5, "203.0.113.70", "spf=pass:friend.example dkim=pass:kiso.example/s1"), source.Options{}, own + "forwarder Cloud Mail (friend.example) 15/15 medium signature-survived\n"},
		{"MailboxOwn", many(3, 5, "203.0.113.70", "spf=pass:kiso.example dkim=pass:kiso.example/c1"), source.Options{}, own + "service Cloud Mail 15/15 high service-aligned\n"},
		{"Threat", many(1, 50, "198.51.100.3", ours), source.Options{}, own + "threat 198.51.100.0/24 0/50 medium nothing\n"},
		{"ThreatNameless", many(1, 50, "198.51.100.3", ours), source.Options{Names: map[netip.Addr]domain.Name{netip.MustParseAddr("198.51.100.3"): ""}}, own + "threat 198.51.100.0/24 0/50 high nameless\n"},
		{"ThreatInvented", many(28, 5, "198.51.100.3", "from=ceo.kiso.example spf=none:x.example"), source.Options{Missing: map[domain.Name]bool{"ceo.kiso.example": true}}, own + "threat 198.51.100.0/24 0/140 high no-such-name\n"},
		{"Steady", many(28, 5, "198.51.100.3", ours), source.Options{}, own + "unknown 198.51.100.0/24 0/140 medium steady\n"},
		{"OwnHost", many(2, 5, "198.51.100.3", ours), source.Options{Names: map[netip.Addr]domain.Name{netip.MustParseAddr("198.51.100.3"): "fax.kiso.example"}}, own + "own kiso.example 0/10 high own-host\n"},
		{"OwnNetwork", many(2, 5, "198.51.100.3", ours), source.Options{Networks: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/28")}}, own + "own 198.51.100.0/24 0/10 high own-network\n"},
		{"OwnServerBroken", many(2, 5, "192.0.2.10", ours), source.Options{}, "own 192.0.2.0/24 3000/3010 high spf-aligned same-server\n"},
		{"Neighbour", many(1, 5, "192.0.2.11", ours), source.Options{}, "own 192.0.2.0/24 3000/3000 high spf-aligned\nthreat 192.0.2.0/24 0/5 medium nothing\n"},
		{"Replay", append(many(1, 500, "198.51.100.3", "spf=pass:replay.example dkim=pass:kiso.example/s1"), mail("198.51.100.3", 1, 50, ours)), source.Options{}, own + "forwarder replay.example 500/500 medium signature-survived\nforwarder 198.51.100.0/24 0/50 low passes-on\n"},
		{"OwnerSays", many(1, 50, "198.51.100.3", ours), source.Options{Verdicts: []source.Verdict{{By: source.ByAddress, Prefix: netip.MustParsePrefix("198.51.100.0/24"), Class: source.Own, Label: "Fax"}}}, own + "own Fax 0/50 high owner-says\n"},
		{"OtherDomain", []*dmarcreport.Row{mail("198.51.100.3", 1, 50, "from=other.example")}, source.Options{}, own},
		{"Unproven", many(1, 5000, "198.51.100.3", ours+" carrier=fail"), source.Options{}, own},
		{"SPFNames", many(2, 5, "198.51.100.3", "spf=pass:bounce.host.example dkim=pass:kiso.example/s1"), source.Options{Authorised: func(ip netip.Addr) bool { return ip == netip.MustParseAddr("198.51.100.3") }}, own + "own host.example 10/10 high spf-names\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.opts.Services = catalogue(t)
			if diff := cmp.Diff(tc.want, lines(classify(t, append(direct(), tc.rows...), &tc.opts))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A report of several days counts for each of them, and its sum stays.
func TestLongReport(t *testing.T) {
	r := mail("192.0.2.10", 0, 10, "spf=pass:kiso.example")
	r.End = r.Begin.AddDate(0, 0, 3)
	got := classify(t, []*dmarcreport.Row{r}, nil)
	var n []int64
	for _, d := range got.Sources[0].Days {
		n = append(n, d.Messages)
	}
	if diff := cmp.Diff([]int64{4, 3, 3}, n); diff != "" {
		t.Error(diff)
	}
	if len(got.Reporters) != 1 || len(got.Reporters[0].Days) != 3 || got.Messages != 10 {
		t.Errorf("%+v", got.Reporters)
	}
}

func TestCatalogueRefuses(t *testing.T) {
	head := strings.SplitAfter(services, "\n")[0]
	for _, tc := range []struct{ name, text string }{
		{"Header", "id,name\n"},
		{"Kind", head + "a,A,robot,,,,,,\n"},
		{"Twice", head + "a,A,sender,,,,,,\na,B,sender,,,,,,\n"},
		{"NameTwice", head + "a,A,sender,x.example,,,,,\nb,B,sender,x.example,,,,,\n"},
		{"Network", head + "a,A,sender,,,,192.0.2.0,,\n"},
		{"Fields", head + "a,A\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := source.ParseCatalogue(strings.NewReader(tc.text)); !errors.Is(err, source.ErrCatalogue) {
				t.Error(err)
			}
		})
	}
}

func TestVerdicts(t *testing.T) {
	const head = "match,class,name\n"
	got, err := source.ParseVerdicts(strings.NewReader("\ufeff" + head + "# ours\nip:192.0.2.7,own,Fax\ndkim:mailer.example,service,Mailer\nfrom:old.kiso.example,threat,\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Verdict{
		{By: source.ByAddress, Prefix: netip.MustParsePrefix("192.0.2.7/32"), Class: source.Own, Label: "Fax"},
		{By: source.BySigner, Name: "mailer.example", Class: source.Service, Label: "Mailer"},
		{By: source.ByFrom, Name: "old.kiso.example", Class: source.Threat},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"ip:nowhere,own,x", "name:a.example,own,x", "ip:192.0.2.1,mine,x", "dkim:,own,x"} {
		if _, err := source.ParseVerdicts(strings.NewReader(head + bad + "\n")); !errors.Is(err, source.ErrCatalogue) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzVerdicts(f *testing.F) {
	f.Add("match,class,name\nip:192.0.2.7,own,Fax\n")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := source.ParseVerdicts(strings.NewReader(s))
		if err != nil && !errors.Is(err, source.ErrCatalogue) {
			t.Error(err)
		}
		for _, v := range list {
			if v.Name == "" && !v.Prefix.IsValid() {
				t.Errorf("%+v matches nothing", v)
			}
		}
	})
}
