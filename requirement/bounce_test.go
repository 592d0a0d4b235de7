package requirement_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/packs/requirements"
	"github.com/sekisho/sekisho/requirement"
)

// report is a report of delivery about one recipient.
func report(remote, recipient, diagnostic string) string {
	return "From: MAILER-DAEMON@mx.kiso-works.example\r\nTo: news@kiso-works.example\r\nSubject: Undelivered\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nYour mail could not be delivered.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.kiso-works.example\r\n\r\n" +
		"Final-Recipient: rfc822; " + recipient + "\r\nAction: failed\r\nStatus: 5.0.0\r\nRemote-MTA: dns; " + remote + "\r\nDiagnostic-Code: smtp; " + diagnostic + "\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: news@kiso-works.example\r\nSubject: News\r\n\r\n--b--\r\n"
}

func TestExplain(t *testing.T) {
	type means struct {
		Reply, Receiver, Status, Code, Sender string
		Rules                                 int
	}
	outlook := "550 5.7.515 Access denied, sending domain kiso-works.example does not meet the required authentication level. Spf= Fail , Dkim= Pass , DMARC= Fail"
	for _, tc := range []struct {
		name, raw string
		pasted    bool
		want      means
	}{
		{"Outlook", report("outlook-com.olc.protection.outlook.com", "a@outlook.com", outlook), false, means{"outlook-authentication", "outlook", "5.7.515", "550", "kiso-works.example", 4}},
		{"OutlookThroughOwnTenant", report("AB1.prod.outlook.com", "a@outlook.com", outlook), false, means{"outlook-authentication", "outlook", "5.7.515", "550", "kiso-works.example", 4}},
		{"OutlookPasted", "Remote server returned '" + outlook + "'", true, means{"outlook-authentication", "outlook", "5.7.515", "550", "kiso-works.example", 4}},
		{"Gmail", report("gmail-smtp-in.l.google.com", "a@gmail.com", "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\r\n 550-5.7.26 Gmail requires all senders to authenticate\r\n 550 5.7.26 with either SPF or DKIM. x - gsmtp"), false, means{"gmail-unauthenticated", "gmail", "5.7.26", "550", "kiso-works.example", 1}},
		{"GmailPolicy", report("gmail-smtp-in.l.google.com", "a@gmail.com", "550-5.7.26 Unauthenticated email from shop.example is not accepted due to\r\n 550 5.7.26 domain's DMARC policy. x - gsmtp"), false, means{"gmail-dmarc-policy", "gmail", "5.7.26", "550", "shop.example", 1}},
		{"GmailDeferred", "421-4.7.27 Your email has been rate limited because SPF authentication didn't pass - gsmtp", true, means{"gmail-spf", "gmail", "4.7.27", "421", "", 1}},
		{"GmailPTR", report("gmail-smtp-in.l.google.com", "a@gmail.com", "550 5.7.25 [192.0.2.25] The IP address sending this message does not have a PTR record - gsmtp"), false, means{"gmail-ptr", "gmail", "5.7.25", "550", "kiso-works.example", 1}},
		{"GmailDomainOfRecipient", report("mx.relay.test", "a@gmail.com", "550 5.7.30 DKIM"), false, means{"gmail-dkim", "gmail", "5.7.30", "550", "kiso-works.example", 1}},
		{"Exchange509", report("kiso-works-example.mail.protection.outlook.com", "a@partner.example", "550 5.7.509 Access denied, sending domain KISO-WORKS.EXAMPLE does not pass DMARC verification and has a DMARC policy of reject."), false, means{"exchange-dmarc", "exchange-online", "5.7.509", "550", "kiso-works.example", 0}},
		{"ExchangePasted", "550 5.7.509: Access denied, sending domain kiso-works.example does not pass DMARC verification", true, means{"exchange-dmarc", "exchange-online", "5.7.509", "550", "kiso-works.example", 0}},
		{"Exchange1", report("partner-example.mail.protection.outlook.com", "a@partner.example", "550 5.7.1 Service unavailable"), false, means{"exchange-refused", "exchange-online", "5.7.1", "550", "kiso-works.example", 0}},
		{"Yahoo", report("mta5.am0.yahoodns.net", "a@yahoo.com", "554 5.7.9 Message not accepted for policy reasons. See https://senders.yahooinc.com/error-codes"), false, means{"yahoo-authentication", "yahoo", "5.7.9", "554", "kiso-works.example", 1}},
		{"YahooDeferred", report("mta5.am0.yahoodns.net", "a@yahoo.com", "421 4.7.0 [TSS04] Messages from 192.0.2.25 temporarily deferred"), false, means{"yahoo-deferred", "yahoo", "4.7.0", "421", "kiso-works.example", 1}},
		{"OtherSystem", report("mx.partner.example", "a@partner.example", "550 5.7.1 rejected"), false, means{"", "", "5.7.1", "550", "kiso-works.example", 0}},
		{"StatusOnly", report("mx.partner.example", "a@partner.example", "mailbox full"), false, means{"", "", "5.0.0", "", "kiso-works.example", 0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var list []requirement.Refusal
			if tc.pasted {
				list = requirement.ReadRefusals(tc.raw)
			} else {
				list = requirement.ReadBounce(eml.Parse([]byte(tc.raw), nil))
			}
			if len(list) != 1 {
				t.Fatalf("%d refusals: %+v", len(list), list)
			}
			x := requirements.Table().Explain(list[0])
			got := means{Status: x.Status, Code: x.Code, Sender: string(x.Sender), Rules: len(x.Rules)}
			if x.Reply != nil {
				got.Reply, got.Receiver = x.Reply.ID, x.Reply.Receiver
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if tc.name == "Outlook" {
				want := []requirement.Authenticated{{Mechanism: "spf"}, {Mechanism: "dkim", Pass: true}, {Mechanism: "dmarc"}}
				if diff := cmp.Diff(want, x.Results); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestReadBounceNone(t *testing.T) {
	for _, tc := range []struct{ name, raw string }{
		{"Mail", "From: a@kiso-works.example\r\nSubject: about error 550 5.7.515\r\n\r\nWe had 550 5.7.515 again.\r\n"},
		{"Delivered", strings.Replace(report("mx.partner.example", "a@partner.example", "250 2.0.0 ok"), "Action: failed\r\nStatus: 5.0.0", "Action: delivered\r\nStatus: 2.0.0", 1)},
		{"Empty", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if list := requirement.ReadBounce(eml.Parse([]byte(tc.raw), nil)); len(list) > 0 {
				t.Errorf("%+v", list)
			}
		})
	}
}

func TestReadBounceText(t *testing.T) {
	raw := "From: Mail Delivery Subsystem <mailer-daemon@mx.kiso-works.example>\r\nX-Failed-Recipients: a@gmail.com\r\nContent-Type: text/plain\r\n\r\n" +
		"host gmail-smtp-in.l.google.com [192.0.2.26] said: 550-5.7.1 [192.0.2.25] has no\n550 5.7.1 PTR record\n"
	list := requirement.ReadBounce(eml.Parse([]byte(raw), nil))
	if len(list) != 1 || list[0].Status != "5.7.1" || list[0].Remote != "gmail-smtp-in.l.google.com" {
		t.Fatalf("%+v", list)
	}
	if x := requirements.Table().Explain(list[0]); x.Reply == nil || x.Reply.ID != "gmail-ptr-ipv6" {
		t.Errorf("%+v", x.Reply)
	}
}

func TestReadRefusalsAddresses(t *testing.T) {
	for _, text := range []string{"195.7.1.2 said no", "version 15.5.7.1", "5.7.1.2", "it was 5.7"} {
		if list := requirement.ReadRefusals(text); len(list) > 0 {
			t.Errorf("%q: %+v", text, list)
		}
	}
}

func FuzzReadRefusals(f *testing.F) {
	f.Add("550 5.7.515 Access denied, sending domain a.example does not")
	f.Add("550-5.7.26 a\n550 5.7.26 b - gsmtp")
	f.Add("5.7.1 4.7.1 5.7.26 #5.1.1 smtp;550 5.7.1")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range requirement.ReadRefusals(s) {
			if len(r.Status) < 5 || r.Status[1] != '.' || len(r.Text) > 700 || len(r.Code) != 0 && len(r.Code) != 3 {
				t.Fatalf("%+v", r)
			}
			requirements.Table().Explain(r)
		}
	})
}

func FuzzReadBounce(f *testing.F) {
	f.Add([]byte(report("mx.a.test", "a@b.test", "550 5.7.1 no")))
	f.Add([]byte("Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822;a\r\n b\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list := requirement.ReadBounce(eml.Parse(b, nil))
		if len(list) > 20 {
			t.Fatal(len(list))
		}
	})
}
