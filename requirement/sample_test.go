package requirement_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/dkim/dkimtest"
	"github.com/sekisho/sekisho/packs/requirements"
	"github.com/sekisho/sekisho/requirement"
	"github.com/sekisho/sekisho/resolve/zone"
)

const (
	https = "List-Unsubscribe: <mailto:u@kiso-works.example>, <https://kiso-works.example/u>\r\n"
	post  = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
	head  = "From: news@kiso-works.example\r\nTo: a@mail.test\r\nSubject: News\r\nDate: Mon, 23 Nov 2026 09:00:00 +0900\r\nMessage-ID: <1@kiso-works.example>\r\n"
)

// sample signs and verifies a mail and reads it as a sample.
func sample(t *testing.T, fields string, signed []string) *requirement.Sample {
	t.Helper()
	key := dkimtest.RSA2048("kiso-works.example", "s1")
	raw := []byte(head + fields + "\r\nHello\r\n")
	if signed != nil {
		raw = dkimtest.Sign(raw, key, &dkimtest.Options{Headers: signed})
	}
	z, err := zone.FromMap(map[string][]string{key.Name(): {"TXT " + key.Record()}, "_dmarc.kiso-works.example": {"TXT v=DMARC1; p=none"}, "kiso-works.example": {"MX 10 mx.kiso-works.example"}})
	if err != nil {
		t.Fatal(err)
	}
	m := eml.Parse(raw, nil)
	r, err := mailauth.Verify(context.Background(), z, mailauth.Input{Message: m, Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return requirement.ReadSample(m, r, requirement.Delivery{})
}

// cell evaluates one rule of Gmail with a sample.
func cell(t *testing.T, s *requirement.Sample, id string) requirement.Cell {
	t.Helper()
	p := &posture.Report{Domain: "kiso-works.example", Use: posture.UseMail}
	res := requirements.Table().Evaluate(requirement.Input{Posture: p, Sample: s})
	for _, c := range res.Verdicts[1].Cells {
		if c.Rule.ID == id {
			return c
		}
	}
	t.Fatalf("no rule %s", id)
	return requirement.Cell{}
}

// TestOneClick follows RFC 8058: both fields, and a signature over both.
func TestOneClick(t *testing.T) {
	all := []string{"From", "Subject", "List-Unsubscribe", "List-Unsubscribe-Post"}
	type found struct {
		State  requirement.State
		Reason string
	}
	for _, tc := range []struct {
		name, fields string
		signed       []string
		want         found
	}{
		{"Signed", https + post, all, found{requirement.Met, "ok"}},
		{"NotSigned", https + post, nil, found{requirement.Unmet, "unsigned"}},
		{"PostNotCovered", https + post, []string{"From", "List-Unsubscribe"}, found{requirement.Unmet, "unsigned"}},
		{"FieldNotCovered", https + post, []string{"From", "List-Unsubscribe-Post"}, found{requirement.Unmet, "unsigned"}},
		{"MailtoOnly", "List-Unsubscribe: <mailto:u@kiso-works.example>\r\n" + post, all, found{requirement.Unmet, "no-https"}},
		{"HTTPOnly", "List-Unsubscribe: <http://kiso-works.example/u>\r\n" + post, all, found{requirement.Unmet, "no-https"}},
		{"NoPost", https, all, found{requirement.Unmet, "no-post"}},
		{"WrongPost", https + "List-Unsubscribe-Post: yes\r\n", all, found{requirement.Unmet, "wrong-post"}},
		{"PostTwice", https + post + post, all, found{requirement.Unmet, "wrong-post"}},
		{"ListWithout", "List-Id: <news.kiso-works.example>\r\n", all, found{requirement.Unmet, "none"}},
		{"Letter", "", all, found{requirement.Unknown, "not-bulk"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cell(t, sample(t, tc.fields, tc.signed), "one-click")
			if diff := cmp.Diff(tc.want, found{c.State, strings.TrimPrefix(c.Reason.Key, "requirement.one-click.")}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSampleDKIM(t *testing.T) {
	for _, tc := range []struct {
		name   string
		signed []string
		id     string
		want   requirement.State
	}{
		{"Signed", []string{"From"}, "spf-or-dkim", requirement.Met},
		{"KeySize", []string{"From"}, "dkim-2048", requirement.Met},
		{"Aligned", []string{"From"}, "aligned", requirement.Met},
		{"NotSigned", nil, "spf-and-dkim", requirement.Unmet},
		{"NoKey", nil, "dkim-1024", requirement.Exempt},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if c := cell(t, sample(t, "", tc.signed), tc.id); c.State != tc.want {
				t.Errorf("%s: %s", c.State, c.Reason.Key)
			}
		})
	}
}

func TestForeignSample(t *testing.T) {
	p := &posture.Report{Domain: "other.example", Use: posture.UseMail}
	res := requirements.Table().Evaluate(requirement.Input{Posture: p, Sample: sample(t, "", []string{"From"})})
	if !res.Foreign || res.Verdicts[1].Cells[5].State != requirement.Unknown {
		t.Errorf("foreign %v, %s", res.Foreign, res.Verdicts[1].Cells[5].State)
	}
}

func TestTransport(t *testing.T) {
	for _, tc := range []struct {
		name, received string
		want           requirement.State
	}{
		{"ESMTPS", "from a.example by mx.test with ESMTPS id 1; date", requirement.Met},
		{"ESMTPSA", "from a.example by mx.test with ESMTPSA id 1; date", requirement.Met},
		{"Microsoft", "from a.example (192.0.2.1) by b.prod.outlook.com with Microsoft SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 1; date", requirement.Met},
		{"Postfix", "from a.example (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384) by mx.test with ESMTP id 1", requirement.Met},
		{"Clear", "from a.example by mx.test with ESMTP id 1; date", requirement.Unmet},
		{"MicrosoftClear", "from a.example by b.outlook.com with Microsoft SMTP Server id 1; date", requirement.Unmet},
		{"Silent", "from a.example by mx.test; date", requirement.Unknown},
		{"None", "", requirement.Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := requirement.ReadSample(eml.Parse([]byte(head+"\r\n"), nil), nil, requirement.Delivery{Received: tc.received})
			if c := cell(t, s, "tls"); c.State != tc.want {
				t.Errorf("%s: %s", c.State, c.Reason.Key)
			}
		})
	}
}
