package desk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365/trace"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve/zone"
)

func traceFile(name, text string) desk.ReportFile {
	return desk.ReportFile{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

const eventsHead = "Timestamp,NetworkMessageId,InternetMessageId,SenderMailFromAddress,SenderFromAddress,SenderIPv4,RecipientEmailAddress,Subject,EmailDirection,DeliveryLocation,AuthenticationDetails,Connectors\n"

// event is a row of EmailEvents.
func event(n int, mailFrom, from, ip, to, subject, location string) string {
	return fmt.Sprintf("2026-11-%02dT01:00:00Z,1341ac7b-13fb-42ab-4d44-%012d,<%d@x.test>,%s,%s,%s,%s,%s,Inbound,%s,\"{\"\"SPF\"\":\"\"fail\"\",\"\"DKIM\"\":\"\"none\"\",\"\"DMARC\"\":\"\"fail\"\"}\",\n", 1+n%28, n, n, mailFrom, from, ip, to, subject, location)
}

func tracedFacts() org.Facts {
	return org.Facts{
		Domains: org.Of([]string{"kiso-works.example"}), Gateways: org.Of([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}),
		Connectors: org.Of([]org.Connector{{Name: "printers", IPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.10/32")}}}),
	}
}

func impact(t *testing.T, edit func(*desk.ImpactDeps), files ...desk.ReportFile) *desk.ImpactReport {
	t.Helper()
	deps := desk.ImpactDeps{Facts: tracedFacts(), Now: func() time.Time { return end }}
	if edit != nil {
		edit(&deps)
	}
	rep, err := desk.DirectSendImpact(context.Background(), slices.Values(files), deps)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestImpact(t *testing.T) {
	own := "x@kiso-works.example"
	for _, tc := range []struct {
		name   string
		rows   string
		answer desk.ImpactAnswer
		want   []string // effect, kind, source
	}{
		{"Nothing", event(1, "a@partner.example", "a@partner.example", "203.0.113.10", own, "Hello", "Inbox"), desk.ImpactReady, nil},
		{"Printer", event(1, own, own, "198.51.100.77", own, "Scan", "Inbox"), desk.ImpactPrepare, []string{"stopped own-network 198.51.100.77"}},
		{"SPF", event(1, own, own, "203.0.113.25", own, "Scan", "Inbox"), desk.ImpactPrepare, []string{"stopped authorised 203.0.113.25"}},
		{"Gateway", event(1, own, own, "192.0.2.9", own, "Scan", "Inbox"), desk.ImpactPrepare, []string{"stopped gateway 192.0.2.9"}},
		{"Unknown", event(1, own, own, "203.0.113.200", "y@kiso-works.example", "Hello", "Inbox"), desk.ImpactAsk, []string{"stopped unknown 203.0.113.200"}},
		{"Attack", event(1, own, own, "203.0.113.200", own, "Hello", "Quarantine"), desk.ImpactReady, []string{"stopped attack 203.0.113.200"}},
		{
			"BesideAttack", event(1, own, own, "203.0.113.200", "y@kiso-works.example", "Hello", "Quarantine") + event(2, own, own, "203.0.113.201", "y@kiso-works.example", "Hello", "Inbox") +
				event(3, "else@kiso-works.example", "else@kiso-works.example", "203.0.113.202", "y@kiso-works.example", "Hello", "Inbox"),
			desk.ImpactAsk, []string{"stopped attack 203.0.113.200", "stopped attack 203.0.113.201", "stopped unknown 203.0.113.202"},
		},
		{"Foreign", event(1, "x@lure.test", own, "203.0.113.200", "y@kiso-works.example", "Hello", "Inbox"), desk.ImpactReady, []string{"not-stopped unknown 203.0.113.200"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			z, err := zone.Parse(strings.NewReader("$TTL 60\nkiso-works.example. IN SOA a. b. 1 2 3 4 5\nkiso-works.example. IN TXT \"v=spf1 ip4:203.0.113.25 -all\"\n"))
			if err != nil {
				t.Fatal(err)
			}
			rep := impact(t, func(d *desk.ImpactDeps) { d.Resolver = z }, traceFile("a.csv", eventsHead+tc.rows))
			var got []string
			for _, s := range rep.Sources {
				got = append(got, fmt.Sprint(s.Effect, " ", s.Kind, " ", s.Source))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if rep.Answer != tc.answer {
				t.Errorf("%s, want %s: %s", rep.Answer, tc.answer, rep.Sentence.EN)
			}
		})
	}
}

// TestImpactCommands lets nothing of a mail into a command.
func TestImpactCommands(t *testing.T) {
	evil := "x'; Remove-Mailbox -Identity y #@a'b.kiso-works.example"
	rep := impact(t, nil, traceFile("a.csv", eventsHead+event(1, evil, evil, "203.0.113.200", "y@kiso-works.example", "'; rm -rf /", "Inbox")))
	n := 0
	for _, s := range rep.Sources {
		for _, a := range s.Advice {
			if a.Command == "" {
				continue
			}
			n++
			if want := "New-InboundConnector -Name 'from 203.0.113.200' -ConnectorType Partner -SenderDomains 'kiso-works.example' -SenderIPAddresses 203.0.113.200 -RequireTls $false"; a.Command != want {
				t.Error(a.Command)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d commands", n)
	}
}

func TestImpactFiles(t *testing.T) {
	rep := impact(t, nil, traceFile("good.csv", eventsHead+event(1, "x@kiso-works.example", "", "203.0.113.200", "y@kiso-works.example", "a", "Inbox")+"x\n"), traceFile("mail.eml", "From: a@b.example\n\nHello\n"),
		desk.ReportFile{Name: "gone.csv", Err: &desk.Error{Kind: desk.NotFound, Message: lang.M("trace.error.empty", "file", "gone.csv")}})
	var got []string
	for _, f := range rep.Files {
		s := fmt.Sprint(f.File, " ", f.Format, " ", f.Rows, " ", f.Unread)
		if f.Error != nil {
			s += " " + string(f.Error.Kind)
		}
		got = append(got, s)
	}
	if diff := cmp.Diff([]string{"good.csv email-events 1 1", "mail.eml  0 0 invalid", "gone.csv  0 0 not_found"}, got); diff != "" {
		t.Error(diff)
	}
	_, err := desk.DirectSendImpact(context.Background(), slices.Values([]desk.ReportFile{}), desk.ImpactDeps{Now: time.Now})
	if e, ok := errors.AsType[*desk.Error](err); !ok || e.Kind != desk.Invalid {
		t.Errorf("without domains: %v", err)
	}
}

// TestRedactImpact leaves no name of ours in a report.
func TestRedactImpact(t *testing.T) {
	rep := impact(t, nil, traceFile("kiso-works.example.csv", eventsHead+event(1, "tanaka@kiso-works.example", "sato@kiso-works.example", "203.0.113.200", "y@kiso-works.example", "給与 tanaka", "Inbox")+"broken tanaka\n"))
	desk.RedactImpact(rep)
	b, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"kiso-works", "tanaka", "sato", "給与", "printers"} {
		if bytes.Contains(b, []byte(word)) {
			t.Errorf("%s is left in %s", word, b)
		}
	}
	if len(rep.Sources) != 1 || rep.Sources[0].Source != "203.0.113.200" || rep.Sources[0].Senders[0].Address != "sender-1@organisation.example" {
		t.Errorf("%+v", rep.Sources)
	}
}

// lureMail is a mail of a campaign as Exchange Online keeps it.
func lureMail(n int, subject, link, ip string) string {
	return fmt.Sprintf("Received: from AB1PR01MB0001.jpnprd01.prod.outlook.com (2603:1096:400:1::1) by AB1PR01MB0002.jpnprd01.prod.outlook.com with HTTPS; Mon, 23 Nov 2026 01:00:00 +0000\r\n"+
		"Authentication-Results: spf=fail (sender IP is %[4]s) smtp.mailfrom=lure.test; dkim=none; dmarc=fail header.from=lure.test; compauth=fail reason=001\r\n"+
		"Received: from mail.lure.test (%[4]s) by TY2PEPF0001.mail.protection.outlook.com (10.167.1.1) with Microsoft SMTP Server; Mon, 23 Nov 2026 01:00:00 +0000\r\n"+
		"From: Desk <desk@lure.test>\r\nTo: p%[1]d@kiso-works.example\r\nSubject: %[2]s\r\nMessage-ID: <%[1]d@lure.test>\r\nDate: Mon, 23 Nov 2026 01:00:00 +0000\r\n"+
		"Content-Type: text/html; charset=utf-8\r\nReturn-Path: desk@lure.test\r\nX-MS-Exchange-Organization-Network-Message-Id: 1341ac7b-13fb-42ab-4d44-%012[1]d\r\n\r\n<a href=\"%[3]s\">open</a>\r\n", n, subject, link, ip)
}

func similar(t *testing.T, least campaign.Level, probe string, indexes ...desk.MailIndex) *desk.SimilarReport {
	t.Helper()
	rep, err := desk.FindSimilar(context.Background(), desk.SimilarInput{Mails: messages(probe), Indexes: indexes, Least: least},
		desk.SimilarDeps{Facts: tracedFacts(), Words: lang.Default(), Now: func() time.Time { return end }})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestSimilarMail(t *testing.T) {
	facts := tracedFacts()
	probe := lureMail(1, "Case 4711: your answer is due today", "https://login.lure-pages.test/session/start/a1b2c3d4", "203.0.113.66")
	folder := &desk.FolderIndex{Facts: &facts, Words: lang.Default(), Items: messages(
		probe,
		lureMail(2, "Case 99: your answer is due today", "https://login.lure-pages.test/session/start/ffff0000", "203.0.113.99"),
		lureMail(3, "Your answer is due today, p3 (case 5)", "https://other.test/session/start/11112222", "198.51.100.1"),
		lureMail(4, "Minutes of the meeting", "https://www.lure.test/about", "203.0.113.66"),
		letter("yamada@partner.example", 5, end),
		strings.Replace(letter("yamada@partner.example", 6, end), "Subject: No. 6", "Subject: Case 1: your answer is due today", 1),
	)}
	rep := similar(t, campaign.SameSender, probe, folder)
	var got []string
	for _, m := range rep.Mails {
		got = append(got, fmt.Sprint(m.Level, " ", m.Index, " ", m.NetworkID))
	}
	want := []string{"same 2 1341ac7b-13fb-42ab-4d44-000000000002", "same 3 1341ac7b-13fb-42ab-4d44-000000000003", "same-sender 4 1341ac7b-13fb-42ab-4d44-000000000004"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rep.Compared != 6 || folder.Mails != 6 {
		t.Errorf("%d compared, %d read", rep.Compared, folder.Mails)
	}
	var kinds []string
	for _, s := range rep.Searches {
		kinds = append(kinds, s.Kind)
	}
	if diff := cmp.Diff([]string{"hunting", "explorer", "compliance", "purge"}, kinds); diff != "" {
		t.Error(diff)
	}
	if c := rep.Searches[0].Command; strings.Contains(c, "000000000004") || !strings.Contains(c, "000000000003") {
		t.Errorf("the mail of the same sender must not be in %s", c)
	}
}

// TestSimilarTrace puts the rows of a mail together.
func TestSimilarTrace(t *testing.T) {
	facts := tracedFacts()
	probe := lureMail(1, "Case 4711: your answer is due today", "https://login.lure-pages.test/session/start/a1b2c3d4", "203.0.113.66")
	rows := event(7, "desk@lure.test", "desk@lure.test", "203.0.113.66", "a@kiso-works.example", "Case 8: your answer is due today", "Junk folder") +
		event(7, "desk@lure.test", "desk@lure.test", "203.0.113.66", "b@kiso-works.example", "Case 8: your answer is due today", "Inbox") +
		event(8, "x@partner.example", "x@partner.example", "203.0.113.10", "b@kiso-works.example", "Case", "Inbox")
	index := &desk.TraceIndex{File: traceFile("a.csv", eventsHead+rows), Facts: &facts, Words: lang.Default()}
	rep := similar(t, "", probe, index)
	if len(rep.Mails) != 1 || rep.Compared != 3 {
		t.Fatalf("%d of %d: %+v", len(rep.Mails), rep.Compared, rep.Mails)
	}
	want := []desk.SimilarDelivery{{Address: "a@kiso-works.example", Outcome: trace.Junked}, {Address: "b@kiso-works.example", Outcome: trace.Delivered}}
	if diff := cmp.Diff(want, rep.Mails[0].Recipients); diff != "" {
		t.Error(diff)
	}
	var who []string
	for _, r := range rep.Recipients {
		who = append(who, fmt.Sprint(r.Address, " ", r.Outcome, " ", r.Own))
	}
	if diff := cmp.Diff([]string{"b@kiso-works.example delivered true", "a@kiso-works.example junk true"}, who); diff != "" {
		t.Error(diff)
	}
}

// TestSimilarCommands lets only letters of a subject into a command.
func TestSimilarCommands(t *testing.T) {
	facts := tracedFacts()
	probe := lureMail(1, "Urgent'; Remove-Mailbox \u2019 $(x) `y` OR answer due", "https://a.test/", "203.0.113.66")
	rep := similar(t, "", probe, &desk.FolderIndex{Facts: &facts, Words: lang.Default(), Items: messages(strings.Replace(probe, "<1@", "<2@", 1))})
	for _, s := range rep.Searches {
		if s.Kind != "compliance" {
			continue
		}
		_, rest, _ := strings.Cut(s.Command, "ContentMatchQuery '")
		query, _, _ := strings.Cut(rest, "'; Start")
		if want := "subject:(urgent AND remove AND mailbox AND or AND answer AND due) AND received>=2026-11-23 AND received<=2026-11-24"; query != want {
			t.Errorf("%s", query)
		}
		return
	}
	t.Errorf("no search: %+v", rep.Searches)
}
