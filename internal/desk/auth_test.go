package desk_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

func exampleZone(t testing.TB) *zone.Zone {
	t.Helper()
	f, err := os.Open(filepath.Join(examples, "dns.zone"))
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

func auth(t testing.TB, in desk.AuthInput, raw []byte) *desk.AuthReport {
	t.Helper()
	in.Items = slices.Values([]desk.Item{{File: "mail.eml", Raw: raw, Form: desk.FormMessage}})
	for r := range desk.Auth(t.Context(), in, desk.AuthDeps{Resolver: exampleZone(t), Facts: exampleFacts(t), Now: now}) {
		return r
	}
	t.Fatal("no report")
	return nil
}

// TestAuthExamples verifies every example with the records of its invented
// domains: what was stamped is what is found, but where the example is about a
// difference.
func TestAuthExamples(t *testing.T) {
	want := map[string]string{
		"broken.eml":                        "the body of this file is not what was signed",
		"directsend/gateway-broke-auth.eml": "today's record gives pass",
	}
	n := 0
	in := desk.AuthInput{Items: mailbox.Walk(t.Context(), []string{examples}, nil, nil)}
	for r := range desk.Auth(t.Context(), in, desk.AuthDeps{Resolver: exampleZone(t), Facts: exampleFacts(t), Now: now}) {
		n++
		name, err := filepath.Rel(examples, r.File)
		if err != nil {
			t.Fatal(err)
		}
		name = filepath.ToSlash(name)
		expected := want[name]
		switch {
		case expected == "" && len(r.Differs) > 0:
			t.Errorf("%s: %s", name, r.Differs[0].Text.EN)
		case expected != "" && (len(r.Differs) != 1 || !strings.Contains(r.Differs[0].Text.EN, expected)):
			t.Errorf("%s: differs %v, want %q", name, r.Differs, expected)
		}
		if r.Summary.EN == "" || r.Summary.JA == "" {
			t.Errorf("%s: no summary", name)
		}
	}
	if n < 80 {
		t.Errorf("%d reports", n)
	}
}

// TestJudgeVerifies judges the examples with DNS: the verdicts are the same,
// and rest on our own verification.
func TestJudgeVerifies(t *testing.T) {
	deps := desk.JudgeDeps{Facts: exampleFacts(t), Now: now, Resolver: exampleZone(t)}
	v := judgeWith(t, deps, desk.Item{File: "x", Raw: example(t, "ham/partner-invoice-ja.eml")})
	if v.Authentication == nil || v.Authentication.Verified == nil {
		t.Fatal("nothing was verified")
	}
	got := v.Authentication.Verified
	if got.SPF.Result != "pass" || got.DMARC.Result != "pass" || len(got.DKIM) != 1 || got.DKIM[0].Result != "pass" {
		t.Errorf("verified SPF %v, DKIM %v, DMARC %v; want all to pass", got.SPF, got.DKIM, got.DMARC)
	}
	for _, n := range v.NotChecked {
		if n.Capability == "dns" {
			t.Error("says that DNS was not asked")
		}
	}
	broken := judgeWith(t, deps, desk.Item{File: "x", Raw: example(t, "broken.eml")})
	if len(broken.Authentication.Differs) != 1 {
		t.Errorf("differs %v, want the changed body", broken.Authentication.Differs)
	}
}

func TestAuthEnvelope(t *testing.T) {
	raw := example(t, "ham/partner-invoice-ja.eml")
	r := auth(t, desk.AuthInput{}, raw)
	if diff := cmp.Diff("203.0.113.10 yamada@partner.example", r.Envelope.IP+" "+r.Envelope.MailFrom); diff != "" {
		t.Errorf("envelope of the header (-want +got):\n%s", diff)
	}
	r = auth(t, desk.AuthInput{IP: netip.MustParseAddr("192.0.2.99"), MailFrom: "yamada@partner.example", Helo: "x.test"}, raw)
	if r.SPF == nil || r.SPF.Result != "fail" || r.Envelope.IP != "192.0.2.99" {
		t.Errorf("a given envelope is not used: %+v", r.SPF)
	}
	if len(r.SPF.Tree.Terms) == 0 {
		t.Error("SPF without its tree")
	}
	bare := []byte("From: a@partner.example\r\n\r\nhello\r\n")
	if r := auth(t, desk.AuthInput{}, bare); r.SPF != nil || !strings.Contains(r.Envelope.Source.EN, "--ip") {
		t.Errorf("SPF %v without an envelope; source %q", r.SPF, r.Envelope.Source.EN)
	}
}

// TestAuthUnknownSender is a mail whose header names the client and not MAIL
// FROM: its HELO name must not authenticate it as that of a bounce would.
func TestAuthUnknownSender(t *testing.T) {
	const received = "Received: from mail.partner.example (203.0.113.10) by\r\n TY1PEPF00000001.mail.protection.outlook.com (10.1.1.1) with Microsoft SMTP\r\n Server id 15.20.1; Tue, 24 Nov 2026 01:00:00 +0000\r\n"
	r := auth(t, desk.AuthInput{}, []byte(received+"From: a@partner.example\r\n\r\nhello\r\n"))
	if r.SPF != nil || r.DMARC.Result == "pass" || !strings.Contains(r.Envelope.Source.EN, "MAIL FROM") {
		t.Errorf("SPF %+v, DMARC %s, source %q", r.SPF, r.DMARC.Result, r.Envelope.Source.EN)
	}
	r = auth(t, desk.AuthInput{}, []byte(received+"From: a@partner.example\r\nReturn-Path: <>\r\n\r\nhello\r\n"))
	if r.SPF == nil || r.SPF.Identity != "helo" {
		t.Errorf("a null sender is checked as %+v, want HELO", r.SPF)
	}
}

func TestAuthMethodAndStamp(t *testing.T) {
	raw := example(t, "ham/partner-invoice-ja.eml")
	r := auth(t, desk.AuthInput{Method: dmarc.MethodPSL, StampAs: "desk.kiso-works.example"}, raw)
	if r.DMARC.Method != dmarc.MethodPSL {
		t.Errorf("method %s", r.DMARC.Method)
	}
	for _, want := range []string{"desk.kiso-works.example", "spf=pass", "dkim=pass", "dmarc=pass"} {
		if !strings.Contains(r.Stamp, want) {
			t.Errorf("stamp lacks %q: %s", want, r.Stamp)
		}
	}
	if strings.Contains(strings.ReplaceAll(r.Stamp, "\r\n ", ""), "\n\n") {
		t.Errorf("stamp breaks the header: %q", r.Stamp)
	}
}

// silent is a resolver that nobody answers.
type silent struct{}

func (silent) Lookup(ctx context.Context, _ string, _ resolve.Type) (resolve.Answer, error) {
	<-ctx.Done()
	return resolve.Answer{}, ctx.Err()
}

// TestSilentDNS verifies what can be verified when no server answers, says that
// the rest is missing, and does not wait for ever.
func TestSilentDNS(t *testing.T) {
	raw, facts := example(t, "ham/partner-invoice-ja.eml"), exampleFacts(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		items := slices.Values([]desk.Item{{File: "mail.eml", Raw: raw}})
		n := 0
		for r := range desk.Auth(t.Context(), desk.AuthInput{Items: items}, desk.AuthDeps{Resolver: silent{}, Facts: facts, Now: now}) {
			n++
			if r.SPF.Result != "temperror" || r.DKIM[0].Result != "temperror" || r.ARC.Result != "temperror" || r.DMARC.Result != "temperror" {
				t.Errorf("SPF %s, DKIM %s, ARC %s, DMARC %s; want temperror for each", r.SPF.Result, r.DKIM[0].Result, r.ARC.Result, r.DMARC.Result)
			}
			if len(r.Differs) > 0 {
				t.Errorf("differs %v from what was never answered", r.Differs)
			}
		}
		if n != 1 {
			t.Fatalf("%d reports", n)
		}
		v := judgeWith(t, desk.JudgeDeps{Facts: facts, Now: now, Resolver: silent{}}, desk.Item{File: "mail.eml", Raw: raw})
		if !slices.ContainsFunc(v.NotChecked, func(u desk.Unchecked) bool { return u.Capability == "dns" && u.Cause == finding.Failed }) {
			t.Errorf("not checked %v; want DNS among it", v.NotChecked)
		}
		if d := time.Since(start); d > time.Minute {
			t.Errorf("waited %v for two mails", d)
		}
	})
}

// counter counts the questions that reach it.
type counter struct {
	resolve.Resolver
	n int
}

func (c *counter) Lookup(ctx context.Context, name string, t resolve.Type) (resolve.Answer, error) {
	c.n++
	return c.Resolver.Lookup(ctx, name, t)
}

// TestQuestionsAreBounded judges a mail that carries many, each of which would
// make the program ask much.
func TestQuestionsAreBounded(t *testing.T) {
	const signature = "DKIM-Signature: v=1; a=rsa-sha256; d=%s; s=%s; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=QUJD\r\n"
	var parts []string
	for i := range 20 {
		host := fmt.Sprintf("a.b.c.d.e.f.g.h%d.example", i)
		mail := "Received-SPF: none (x) client-ip=192.0.2.1; envelope-from=a@" + host + "; helo=" + host + "\r\n" +
			fmt.Sprintf(signature+signature, host, "x", host, "y") + "From: a@" + host + "\r\n\r\nhello\r\n"
		parts = append(parts, attached(mail))
	}
	r := &counter{Resolver: exampleZone(t)}
	judgeWith(t, desk.JudgeDeps{Facts: exampleFacts(t), Now: now, Resolver: r}, desk.Item{File: "x", Raw: wrap(strings.Join(parts, "\r\n--b\r\n"))})
	if r.n < 100 || r.n > 200 {
		t.Errorf("%d questions, want many and at most 200", r.n)
	}
}
