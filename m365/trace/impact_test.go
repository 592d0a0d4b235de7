package trace_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/m365/trace"
	"github.com/sekisho/sekisho/org"
)

func facts() *org.Facts {
	return &org.Facts{
		Domains:    org.Of([]string{"kiso-works.example"}),
		Gateways:   org.Of([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}),
		Connectors: org.Of([]org.Connector{{Name: "printers", Type: "on-premises", IPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.10/32")}}}),
		Allow:      org.Of([]org.AllowPair{{From: "kiso-works.example", IPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.30/32")}}}),
	}
}

func TestEffect(t *testing.T) {
	all := trace.Knows{MailFrom: true, From: true, IP: true, Connector: true, Direction: true, Authentication: true}
	plain := trace.Knows{Sender: true, IP: true}
	outside, printer := netip.MustParseAddr("203.0.113.66"), netip.MustParseAddr("198.51.100.10")
	noConnectors := facts()
	noConnectors.Connectors = org.Setting[[]org.Connector]{}
	certificate := facts()
	certificate.Connectors = org.Of([]org.Connector{{Name: "hybrid", Certificates: []string{"mail.kiso-works.example"}}})
	for _, tc := range []struct {
		name   string
		facts  *org.Facts
		knows  trace.Knows
		row    trace.Row
		effect trace.Effect
		doubts []trace.Doubt
	}{
		{"OwnMailFrom", nil, all, trace.Row{MailFrom: "a@kiso-works.example", From: "a@kiso-works.example", IP: outside, Direction: trace.Inbound}, trace.Stopped, nil},
		{"OwnMailFromForeignFrom", nil, all, trace.Row{MailFrom: "a@kiso-works.example", From: "a@else.example", IP: outside}, trace.Stopped, nil},
		{"SubDomain", nil, all, trace.Row{MailFrom: "a@mail.kiso-works.example", IP: outside}, trace.Stopped, nil},
		{"ForeignMailFrom", nil, all, trace.Row{MailFrom: "b@survey.example", From: "a@kiso-works.example", IP: outside}, trace.NotStopped, nil},
		{"NullSender", nil, all, trace.Row{Null: true, From: "a@kiso-works.example", IP: outside}, trace.NotStopped, nil},
		{"NamedConnector", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: outside, Connector: "scanners"}, trace.ViaConnector, nil},
		{"ServersOwnConnector", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: outside, Connector: `PROD01\Default PROD01`}, trace.Stopped, nil},
		{"ConfiguredConnector", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: printer}, trace.ViaConnector, nil},
		{"Outbound", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: outside, Direction: trace.Outbound}, "", nil},
		{"Inside", nil, all, trace.Row{MailFrom: "a@kiso-works.example", From: "a@kiso-works.example", Direction: trace.Intra}, "", nil},
		{"IntraFailing", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: outside, Direction: trace.Intra, Authentication: trace.Authentication{SPF: "fail"}}, trace.Stopped, nil},
		{"IntraUnchecked", nil, all, trace.Row{MailFrom: "a@kiso-works.example", IP: outside, Direction: trace.Intra, Authentication: trace.Authentication{SPF: "none"}}, trace.CannotTell, []trace.Doubt{trace.MaybeSignedIn}},
		{"AuthorOnly", nil, trace.Knows{From: true, IP: true}, trace.Row{From: "a@kiso-works.example", IP: outside}, trace.CannotTell, []trace.Doubt{trace.NoMailFrom}},
		{"NoAddresses", nil, trace.Knows{Sender: true}, trace.Row{Sender: "a@kiso-works.example"}, trace.CannotTell, []trace.Doubt{trace.NoAddress}},
		{"MessageTrace", nil, plain, trace.Row{Sender: "a@kiso-works.example", IP: outside}, trace.Likely, []trace.Doubt{trace.SenderUnclear}},
		{"ConnectorsUnknown", noConnectors, plain, trace.Row{Sender: "a@kiso-works.example", IP: outside}, trace.Likely, []trace.Doubt{trace.NoConnector, trace.SenderUnclear}},
		{"ByCertificate", certificate, plain, trace.Row{Sender: "a@kiso-works.example", IP: outside}, trace.Likely, []trace.Doubt{trace.ByCertificate, trace.SenderUnclear}},
		{"MessageTraceInside", nil, plain, trace.Row{Sender: "a@kiso-works.example"}, "", nil},
		{"Foreign", nil, all, trace.Row{MailFrom: "a@else.example", From: "a@else.example", IP: outside}, "", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := tc.facts
			if f == nil {
				f = facts()
			}
			c := trace.NewImpact(f)
			c.Add(tc.knows, &tc.row)
			var got trace.Effect
			var doubts []trace.Doubt
			if list := c.Sources(); len(list) > 0 {
				got, doubts = list[0].Effect, list[0].Doubts
			}
			if got != tc.effect {
				t.Errorf("%q, want %q", got, tc.effect)
			}
			if diff := cmp.Diff(tc.doubts, doubts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCounts puts rows of one mail together, and mails of one source.
func TestCounts(t *testing.T) {
	c := trace.NewImpact(facts())
	k := trace.Knows{MailFrom: true, From: true, IP: true, Connector: true, Outcome: true}
	row := func(id, from, to, ip, day string, o trace.Outcome) {
		c.Add(k, &trace.Row{
			NetworkID: id, MailFrom: from, From: from, IP: netip.MustParseAddr(ip), Time: at("2026-11-" + day + "T00:00:00Z"),
			Subject: "s" + id, Recipients: []trace.Recipient{{Address: to, Outcome: o}},
		})
	}
	row("1", "a@kiso-works.example", "a@kiso-works.example", "203.0.113.66", "05", trace.Delivered)
	row("1", "a@kiso-works.example", "b@kiso-works.example", "203.0.113.66", "05", trace.Junked)
	row("2", "b@kiso-works.example", "b@kiso-works.example", "203.0.113.66", "03", trace.Blocked)
	row("3", "c@kiso-works.example", "b@kiso-works.example", "2001:db8:0:1::5", "04", trace.Delivered)
	row("4", "c@kiso-works.example", "b@kiso-works.example", "2001:db8:0:1::6", "04", trace.Delivered)
	type summary struct {
		Network                                           string
		Messages, Deliveries, Recipients, Self, Held, In2 int
		First, Last                                       string
		Senders                                           int
	}
	var got []summary
	for _, s := range c.Sources() {
		got = append(got, summary{s.Network.String(), s.Messages, s.Deliveries, s.Recipients, s.Self, s.Held, s.Delivered, s.First.Format("02"), s.Last.Format("02"), len(s.Senders)})
	}
	want := []summary{
		{"203.0.113.66/32", 2, 3, 2, 2, 2, 1, "03", "05", 2},
		{"2001:db8:0:1::/64", 2, 2, 1, 0, 0, 2, "04", "04", 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Messages != 4 {
		t.Errorf("%d mails", c.Messages)
	}
}

func TestKind(t *testing.T) {
	source := func(ip string, edit func(*trace.Source)) *trace.Source {
		p := netip.MustParseAddr(ip)
		s := &trace.Source{Network: netip.PrefixFrom(p, p.BitLen()), Messages: 10, Deliveries: 10}
		if edit != nil {
			edit(s)
		}
		return s
	}
	for _, tc := range []struct {
		name  string
		s     *trace.Source
		known trace.Known
		want  trace.Kind
		care  trace.Care
	}{
		{"Gateway", source("192.0.2.7", nil), trace.Known{}, trace.Gateway, trace.Prepare},
		{"Allowed", source("203.0.113.30", nil), trace.Known{}, trace.Allowed, trace.Prepare},
		{"BesideConnector", source("198.51.100.77", nil), trace.Known{}, trace.OwnNetwork, trace.Prepare},
		{"Private", source("10.1.2.3", nil), trace.Known{}, trace.OwnNetwork, trace.Prepare},
		{"SPF", source("203.0.113.66", nil), trace.Known{SPF: "pass"}, trace.Authorised, trace.Prepare},
		{"ServiceInSPF", source("203.0.113.66", nil), trace.Known{SPF: "pass", Service: "Mailer"}, trace.Service, trace.Ask},
		{"Tenant", source("203.0.113.66", nil), trace.Known{SPF: "pass", Shared: true}, trace.Tenant, trace.Ask},
		{"Held", source("203.0.113.66", func(s *trace.Source) { s.Held = 6 }), trace.Known{Service: "Mailer"}, trace.Attack, trace.LetGo},
		{"ToThemselves", source("203.0.113.66", func(s *trace.Source) { s.Self, s.Failing = 9, 10 }), trace.Known{SPF: "fail"}, trace.Attack, trace.LetGo},
		{"Scanner", source("203.0.113.66", func(s *trace.Source) { s.Senders = []trace.Sender{{Address: "scanner@kiso-works.example"}} }), trace.Known{}, trace.Device, trace.Ask},
		{"ScannerJapanese", source("203.0.113.66", func(s *trace.Source) { s.Subjects = []string{"複合機からの送信"} }), trace.Known{}, trace.Device, trace.Ask},
		{"Unknown", source("203.0.113.66", nil), trace.Known{SPF: "fail"}, trace.Unknown, trace.Ask},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := tc.s.Kind(facts(), tc.known)
			if k != tc.want || k.Care() != tc.care {
				t.Errorf("%s, %s; want %s, %s", k, k.Care(), tc.want, tc.care)
			}
		})
	}
}
