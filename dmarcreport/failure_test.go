package dmarcreport_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sekisho/sekisho/dmarcreport"
	"github.com/sekisho/sekisho/eml"
)

var equal = cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}

func arfFailure() *dmarcreport.Failure {
	return &dmarcreport.Failure{
		FeedbackType: "auth-failure", AuthFailure: "dmarc", UserAgent: "test/1", Reporter: "receiver.example", Domain: "kiso-works.example",
		Source: netip.MustParseAddr("192.0.2.7"), Arrival: time.Date(2023, 11, 14, 10, 0, 0, 0, time.UTC), Incidents: 3,
		MailFrom: "bounce+sato=kiso-works.example@mail-service.example", RcptTo: "suzuki@receiver.example", DeliveryResult: "reject", IdentityAlignment: "none",
		Results:      []string{`receiver.example; dkim=fail header.i=@kiso-works.example; spf=pass smtp.mailfrom="a b"@mail-service.example; arc=none smtp.mailfrom=bounce+sato=kiso-works.example@mail-service.example`},
		DKIMIdentity: "sato@kiso-works.example", From: "sato@kiso-works.example", Subject: "hello", MessageID: "1@kiso-works.example",
	}
}

func TestFailure(t *testing.T) {
	f, err := dmarcreport.ParseFailure(eml.Parse([]byte(arf), nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(arfFailure(), f, equal); d != "" {
		t.Error(d)
	}
}

func TestFailureRedact(t *testing.T) {
	f := arfFailure()
	f.Redact()
	want := arfFailure()
	want.MailFrom, want.RcptTo, want.From, want.DKIMIdentity = "***@mail-service.example", "***@receiver.example", "***@kiso-works.example", "***@kiso-works.example"
	want.Results = []string{`receiver.example; dkim=fail header.i=@kiso-works.example; spf=pass smtp.mailfrom=***@mail-service.example; arc=none smtp.mailfrom=***@mail-service.example`}
	want.Subject, want.Redacted = "", true
	if d := cmp.Diff(want, f, equal); d != "" {
		t.Error(d)
	}
}

// Reports of gateways that write for people alone, and others that are odd.
func TestFailureOdd(t *testing.T) {
	plain := "From: no-reply@gateway.example\r\nSubject: DMARC Forensic Report for kiso-works.example from IP 203.0.113.68\r\nContent-Type: text/plain\r\n\r\n" +
		"A message claiming to be from you has failed.\r\n\r\n  Sender Domain: kiso-works.example\r\n  Sender IP Address: 203.0.113.68\r\n  Received date: Mon, 07 Apr 2025 23:16:09 +0200\r\n\r\n" +
		"------ This is a copy of the headers.\r\n\r\nReceived: from x\r\nFrom: <sato@kiso-works.example>\r\nSubject: pay\r\nMessage-Id: <2@kiso-works.example>\r\n"
	replace := func(from, to string) string {
		s := strings.Replace(arf, from, to, 1)
		if s == arf {
			panic(from)
		}
		return s
	}
	for _, tc := range []struct{ name, data, want string }{
		{"Plain", plain, "kiso-works.example 203.0.113.68 pay !missing:message/feedback-report"},
		{"PlainWithoutDomain", strings.Replace(plain, "Sender Domain", "Somebody", 1), "refused"},
		{"HeadersOnly", replace("message/rfc822", "text/rfc822-headers"), "kiso-works.example 192.0.2.7 hello"},
		{"NoDomain", replace("Reported-Domain: Kiso-Works.example\r\n", ""), "kiso-works.example 192.0.2.7 hello"},
		{"IPv6", replace("192.0.2.7", "IPv6:2001:DB8::1"), "kiso-works.example 2001:db8::1 hello"},
		{"Brackets", replace("192.0.2.7", "[192.0.2.7]"), "kiso-works.example 192.0.2.7 hello"},
		{"BadIP", replace("192.0.2.7", "unknown"), "kiso-works.example invalid IP hello !source:unknown !missing:Source-IP"},
		{"BadIncidents", replace("Incidents: 3", "Incidents: many"), "kiso-works.example 192.0.2.7 hello !count:Incidents"},
		{"Mail", "From: a@b.example\r\nSubject: hi\r\n\r\nhello\r\n", "refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := "refused"
			if f, err := dmarcreport.ParseFailure(eml.Parse([]byte(tc.data), nil)); err == nil {
				got = f.Domain + " " + f.Source.String() + " " + f.Subject + faultText(f.Faults)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzFailure(f *testing.F) {
	f.Add([]byte(arf))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := dmarcreport.ParseFailure(eml.Parse(data, nil))
		if err != nil {
			return
		}
		if x.Domain == "" && !x.Source.IsValid() {
			t.Error("a report about nothing")
		}
		x.Redact()
		for _, s := range append(x.Results, x.MailFrom, x.RcptTo, x.From, x.DKIMIdentity) {
			if i := strings.IndexByte(s, '@'); i > 0 && !strings.HasSuffix(s[:i], "***") && !strings.ContainsRune(" \t<>()[],;:\"=", rune(s[i-1])) {
				t.Errorf("not redacted: %q", s)
			}
		}
	})
}
