package mdm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mailauth"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

const mail = `Delivered-To: hanako@kiso.example
Received: from edge.kiso.example (edge.kiso.example [198.51.100.7]) by mx.kiso.example (Postfix) with ESMTPS id A1 for <hanako@kiso.example>; Tue, 2 Jun 2026 09:00:07 +0900
Authentication-Results: mx.kiso.example; spf=fail (mx.kiso.example: domain of a@login.test does not designate 192.0.2.9 as permitted sender) smtp.mailfrom=a@login.test; dmarc=fail (p=REJECT sp=NONE dis=NONE) header.from=kiso.example
Received: from mail.login.test (unknown [192.0.2.9]) by edge.kiso.example with ESMTP id B2; Mon, 1 Jun 2026 20:00:05 -0400
Authentication-Results: forged.test; spf=pass smtp.mailfrom=a@kiso.example; dmarc=pass header.from=kiso.example
Return-Path: <a@login.test>
From: =?utf-8?B?5pyo5pu96YOo6ZW3?= <Boss@KISO.example>
To: Hanako Sato <hanako@kiso.example>, "Taro" <taro@other.test>
Cc: undisclosed-recipients:;
Subject: [EXTERNAL] Fwd: Re: (Urgent) invoice
Date: Mon, 1 Jun 2026 20:00:00 -0400
Message-ID: <1@login.test>
References: <a@x.test> <b@y.test>
X-Mailer: Kiso Mailer 1
X-Originating-IP: [203.0.113.5]
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain; charset=utf-8

CAUTION: External sender. Be careful.

Please pay: https://nam01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fpay.login.test%2Fa%3Fx%3D1%26x%3D2%23f&data=05
--c
Content-Type: text/html; charset=utf-8

<html><head><title>t</title><style>p{}</style></head><body><p>CAUTION: External sender. Be careful.</p>
<p>Please pay caf&eacute; <a href="https://xn--ksio-0na.test:8443/p?q=%61">https://kiso.example/pay</a> from 192.0.2.77.</p>
<p style="display:none">hidden words</p>
<div>From: Clerk &lt;clerk@kiso.example&gt;<br>Sent: Monday, 1 June 2026 10:00<br>To: Hanako Sato &lt;hanako@kiso.example&gt;<br>Subject: RE: invoice</div><p>Earlier <a href="https://old.test/">text</a></p></body></html>
--c--
--b
Content-Type: image/png; name="a.png"
Content-ID: <img1>
Content-Disposition: inline; filename="a.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--b
Content-Type: message/rfc822

From: inner@kiso.example
Subject: inner subject
Content-Type: text/plain

inner text
--b
Content-Type: text/calendar; charset=utf-8

BEGIN:VCALENDAR
END:VCALENDAR
--b--
`

// at returns a member of a model by a path such as "recipients.to.0.email".
func at(v value.Value, path string) value.Value {
	for name := range strings.SplitSeq(path, ".") {
		if v.List() != nil {
			i := int64(0)
			for _, c := range name {
				i = i*10 + int64(c-'0')
			}
			v = v.List().At(i)
			continue
		}
		v = v.Field(name)
	}
	return v
}

func facts() *org.Facts {
	return &org.Facts{
		Domains: org.Of([]string{"kiso.example"}),
		People:  org.Of([]org.Person{{DisplayName: "Hanako Sato", Address: "hanako@kiso.example", Role: "vip"}, {DisplayName: "木曽部長", Address: "boss@kiso.example"}}),
	}
}

func TestModel(t *testing.T) {
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(strings.ReplaceAll(mail, "\n", "\r\n")), nil), Org: facts(), Recipient: "hanako@kiso.example"})
	for _, tt := range []struct{ path, want string }{
		{"type", `{"inbound":true,"internal":false,"outbound":false}`},
		{"sender.display_name", `"木曽部長"`}, {"sender.email.email", `"boss@kiso.example"`}, {"sender.email.domain.valid", `true`}, {"sender.email.domain.subdomain", `null`},
		{"recipients.to.1.email.domain.root_domain", `"other.test"`}, {"recipients.cc.0.display_name", `"undisclosed-recipients"`}, {"recipients.cc.0.email.domain.valid", `false`}, {"recipients.bcc", `[]`},
		{"mailbox", `{"display_name":"Hanako Sato","first_name":"Hanako","last_name":"Sato","email":{"email":"hanako@kiso.example","local_part":"hanako","domain":{"domain":"kiso.example","root_domain":"kiso.example","sld":"kiso","tld":"example","valid":true}}}`},
		{"subject", `{"subject":"[EXTERNAL] Fwd: Re: (Urgent) invoice","base":"invoice","tags":["[EXTERNAL]","(Urgent)"],"is_reply":false,"is_forward":true}`},
		{"headers.date", `"2026-06-02T00:00:00Z"`}, {"headers.date_original_offset", `"-4"`}, {"headers.delivered_to.email", `"hanako@kiso.example"`}, {"headers.in_reply_to", `null`},
		{"headers.message_id", `"<1@login.test>"`}, {"headers.references", `["a@x.test","b@y.test"]`}, {"headers.mailer", `"Kiso Mailer 1"`}, {"headers.return_path.domain.domain", `"login.test"`},
		{"headers.x_originating_ip", `{"ip":"203.0.113.5","version":4}`}, {"headers.reply_to", `[]`},
		{"headers.ips", `[{"ip":"192.0.2.9","version":4},{"ip":"198.51.100.7","version":4}]`}, {"headers.domains.0.domain", `"mail.login.test"`}, {"headers.domains.2.domain", `"mx.kiso.example"`},
		{"headers.hops.0.index", `0`}, {"headers.hops.0.received.server.raw", `"edge.kiso.example"`}, {"headers.hops.0.received.time", `"2026-06-02T00:00:05Z"`}, {"headers.hops.0.received.zone_offset", `"-4"`},
		{"headers.hops.0.fields.0", `{"name":"Content-Type","position":0,"value":"multipart/mixed; boundary=b"}`},
		{"headers.hops.1.received.mailbox.raw", `"<hanako@kiso.example>"`}, {"headers.hops.1.received.source.raw", `"edge.kiso.example (edge.kiso.example [198.51.100.7])"`},
		// The results that count are those above the hop of the sender, not those that he wrote.
		{"headers.auth_summary.dmarc.pass", `false`}, {"headers.auth_summary.spf.pass", `false`}, {"headers.auth_summary.spf.received_hop", `0`}, {"headers.auth_summary.dmarc.details.policy", `"REJECT"`},
		{"headers.auth_summary.dmarc.details.from.domain", `"kiso.example"`}, {"headers.auth_summary.spf.details.designator", `"a@login.test"`}, {"headers.auth_summary.spf.details.client_ip.ip", `"192.0.2.9"`},
		{"body.current_thread.banners.0.text", `"CAUTION: External sender. Be careful."`},
		{"body.previous_threads.0.sender.email.email", `"clerk@kiso.example"`}, {"body.previous_threads.0.subject.base", `"invoice"`}, {"body.previous_threads.0.recipients.to.0.display_name", `"Hanako Sato"`},
		{"body.previous_threads.0.links.0.href_url.url", `"https://old.test/"`},
		{"body.current_thread.links.0.href_url.domain.punycode", `"kàsio.test"`}, {"body.current_thread.links.0.mismatched", `true`}, {"body.current_thread.links.0.href_url.port", `8443`}, {"body.current_thread.links.0.href_url.path", `"/p"`},
		{"body.ips.0.ip", `"192.0.2.77"`}, {"body.plain.charset", `"utf-8"`},
		{"attachments.0.file_type", `"png"`}, {"attachments.0.content_id", `"img1"`}, {"attachments.0.size", `8`}, {"attachments.0.raw", `"iVBORw0KGgo="`}, {"attachments.0.md5", `"e9dd2797018cad79186e03e8c5aec8dc"`},
		{"attachments.1.content_type", `"message/rfc822"`}, {"attachments.1.file_type", `"unknown"`}, {"attachments.2.content_type", `"text/calendar"`}, {"attachments.2.file_type", `"ics"`},
		{"external", `null`}, {"nothing", `null`},
	} {
		t.Run(tt.path, func(t *testing.T) {
			if got := string(at(m.Root(), tt.path).AppendJSON(nil)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	var safelink value.Value
	for _, l := range m.Root().Field("body").Field("links").List().Items() {
		if !l.Field("href_url").Field("rewrite").Field("encoders").List().At(0).IsNull() {
			safelink = l.Field("href_url")
		}
	}
	const want = `{"url":"https://pay.login.test/a?x=1&x=2#f","scheme":"https","domain":{"domain":"pay.login.test","root_domain":"login.test","sld":"login","subdomain":"pay","tld":"test","valid":true},"port":443,"path":"/a","query_params":"x=1&x=2","query_params_decoded":{"x":["1","2"]},"fragment":"f","rewrite":{"encoders":["azure_safelink"],"original":"https://nam01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fpay.login.test%2Fa%3Fx%3D1%26x%3D2%23f&data=05"}}`
	if diff := cmp.Diff(want, string(safelink.AppendJSON(nil))); diff != "" {
		t.Error(diff)
	}
	html := m.Root().Field("body").Field("html")
	if s, _ := html.Field("display_text").Str(); strings.Contains(s, "hidden") || !strings.Contains(s, "pay caf  https") {
		t.Errorf("display_text: %q", s)
	}
	if s, _ := html.Field("inner_text").Str(); !strings.Contains(s, "hidden words") || strings.Contains(s, "p{}") || !strings.Contains(s, "pay café https") {
		t.Errorf("inner_text: %q", s)
	}
	if s, _ := at(m.Root(), "body.current_thread.text").Str(); !strings.HasPrefix(s, "Please pay") || strings.Contains(s, "Earlier") {
		t.Errorf("current thread: %q", s)
	}
}

func TestType(t *testing.T) {
	const top = "Authentication-Results: mx.kiso.example; spf=pass smtp.mailfrom=a@kiso.example\nReceived: from a.test by mx.kiso.example; Tue, 2 Jun 2026 09:00:00 +0900\n"
	for _, tt := range []struct{ name, header, want string }{
		{"Outside", top + "From: a@other.test\nTo: b@kiso.example\n", `{"inbound":true,"internal":false,"outbound":false}`},
		{"Internal", top + "From: a@kiso.example\nTo: b@kiso.example\n", `{"inbound":false,"internal":true,"outbound":false}`},
		{"Outbound", top + "From: a@kiso.example\nTo: b@other.test\n", `{"inbound":false,"internal":false,"outbound":true}`},
		{"Both", top + "From: a@kiso.example\nTo: b@other.test, c@kiso.example\n", `{"inbound":false,"internal":true,"outbound":true}`},
		{"Unauthenticated", "Received: from a.test by mx.kiso.example; Tue, 2 Jun 2026 09:00:00 +0900\nFrom: a@kiso.example\nTo: b@kiso.example\n", `{"inbound":true,"internal":false,"outbound":false}`},
		{"NothingKnown", "To: b@kiso.example\n", `{"inbound":true,"internal":false,"outbound":false}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(tt.header+"\nx\n"), nil), Org: facts()})
			if got := string(m.Root().Field("type").AppendJSON(nil)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// Our own verification answers only where nobody wrote results that count.
func TestOwnVerification(t *testing.T) {
	report := &mailauth.Report{SPF: &spf.Result{Status: spf.StatusTemperror, Domain: "kiso.example"}, DMARC: dmarc.Result{Status: dmarc.StatusPass, Author: "kiso.example"}}
	bare := mdm.New(mdm.Input{Mail: eml.Parse([]byte("From: a@kiso.example\n\nx"), nil), Auth: report})
	for path, want := range map[string]string{
		"headers.auth_summary.dmarc.pass": "true", "headers.auth_summary.dmarc.details.from.domain": `"kiso.example"`,
		"headers.auth_summary.spf.pass": "false", "headers.auth_summary.spf.error": "true", "headers.auth_summary.spf.received_hop": "null",
	} {
		if got := string(at(bare.Root(), path).AppendJSON(nil)); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	stamped := mdm.New(mdm.Input{Mail: eml.Parse([]byte(mail), nil), Auth: report})
	if v := at(stamped.Root(), "headers.auth_summary.dmarc.pass"); !v.IsFalse() {
		t.Errorf("the receiving server's word does not count: %s", v.AppendJSON(nil))
	}
	none := mdm.New(mdm.Input{Mail: eml.Parse([]byte("From: a@kiso.example\n\nx"), nil)})
	if v := at(none.Root(), "headers.auth_summary.dmarc.pass"); !v.IsPlainNull() {
		t.Errorf("without any result, pass is %s", v.AppendJSON(nil))
	}
}

// A mail without anything must give nulls and no arrays that are null.
func TestEmpty(t *testing.T) {
	for _, raw := range []string{"", "\n", "From:\nSubject:\n\n", "x"} {
		m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(raw), nil)})
		for _, path := range []string{"recipients.to", "headers.hops", "headers.references", "headers.domains", "body.links", "body.previous_threads", "body.current_thread.links", "attachments"} {
			if at(m.Root(), path).List() == nil {
				t.Errorf("%q: %s is no array", raw, path)
			}
		}
		m.Root().AppendJSON(nil)
	}
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte("To: a@b.test\n\nx"), nil)})
	if v := at(m.Root(), "subject.subject"); !v.IsNull() {
		t.Errorf("a subject that is not there is %s", v.AppendJSON(nil))
	}
	m = mdm.New(mdm.Input{Mail: eml.Parse([]byte("Subject:\nFrom: <>\n\nx"), nil)})
	if v := at(m.Root(), "subject.subject"); string(v.AppendJSON(nil)) != `""` {
		t.Errorf("an empty subject is %s", v.AppendJSON(nil))
	}
	if v := at(m.Root(), "sender.email.email"); string(v.AppendJSON(nil)) != `""` {
		t.Errorf("the null sender is %s", v.AppendJSON(nil))
	}
}

func TestDomain(t *testing.T) {
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte("\n"), nil)})
	parse := m.Functions(nil)["strings.parse_domain"]
	for name, want := range map[string]string{
		"A.B.kiso.co.jp":              `{"domain":"a.b.kiso.co.jp","root_domain":"kiso.co.jp","sld":"kiso","subdomain":"a.b","tld":"co.jp","valid":true}`,
		"x.workers.dev":               `{"domain":"x.workers.dev","root_domain":"workers.dev","sld":"workers","subdomain":"x","tld":"dev","valid":true}`,
		"co.jp":                       `{"domain":"co.jp","tld":"co.jp","valid":false}`,
		"pot":                         `{"domain":"pot","valid":false}`,
		"a.pot":                       `{"domain":"a.pot","valid":false}`,
		"192.0.2.1":                   `{"domain":"192.0.2.1","valid":false}`,
		"münchen.example":             `{"domain":"xn--mnchen-3ya.example","root_domain":"xn--mnchen-3ya.example","sld":"xn--mnchen-3ya","tld":"example","punycode":"münchen.example","valid":true}`,
		strings.Repeat("a.", 200):     `{"domain":"` + strings.Repeat("a.", 200) + `","valid":false}`,
		"fra1.cdn.digitalocean.co.uk": `{"domain":"fra1.cdn.digitalocean.co.uk","root_domain":"digitalocean.co.uk","sld":"digitalocean","subdomain":"fra1.cdn","tld":"co.uk","valid":true}`,
	} {
		got := string(parse(&value.Call{Args: []value.Value{value.String(name)}}).AppendJSON(nil))
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

type history map[string]mdm.Profile

func (h history) Address(a string) (mdm.Profile, bool) { p, ok := h[a]; return p, ok }
func (h history) Domain(d string) (mdm.Profile, bool)  { p, ok := h["@"+d]; return p, ok }

func TestProfile(t *testing.T) {
	raw := []byte("From: a@kiso.example\nReply-To: b@free.test\n\nx")
	known := history{"a@kiso.example": {Prevalence: mdm.PrevalenceRare, Solicited: true, DaysKnown: 12, LastInbound: 2, LastOutbound: -1}, "@kiso.example": {Prevalence: mdm.PrevalenceCommon}, "b@free.test": {Prevalence: mdm.PrevalenceNew}}
	free := func(d string) bool { return d == "free.test" }
	call := func(h mdm.History, name string) string {
		v := mdm.New(mdm.Input{Mail: eml.Parse(raw, nil), History: h}).Functions(free)[name](&value.Call{})
		if v.IsMissing() {
			return "missing " + v.Gaps()[0].Capability
		}
		return string(v.AppendJSON(nil))
	}
	for _, tt := range []struct {
		h          mdm.History
		name, want string
	}{
		{nil, "profile.by_sender", "missing history"},
		{history{}, "profile.by_sender", "missing history"},
		{known, "profile.by_sender_email", `{"prevalence":"rare","solicited":true,"any_messages_benign":false,"any_false_positives":false,"any_messages_malicious_or_spam":false,"days_known":12,"days_since":{"first_contact":12,"last_contact":2,"last_inbound":2},"auth_failed":false}`},
	} {
		if got := call(tt.h, tt.name); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := call(known, "profile.by_sender"); !strings.Contains(got, `"common"`) {
		t.Errorf("a company's sender is known by the domain: %s", got)
	}
	if got := call(known, "beta.profile.by_reply_to"); !strings.Contains(got, `"new"`) {
		t.Errorf("a free mailbox is known by its address: %s", got)
	}
}

func TestLists(t *testing.T) {
	l := mdm.Lists(facts())
	for name, want := range map[string]string{
		"org_domains": `["kiso.example"]`, "org_slds": `["kiso"]`, "org_display_names": `["Hanako Sato","木曽部長"]`,
		"org_vips": `[{"display_name":"Hanako Sato","email":"hanako@kiso.example","role":"vip"}]`,
	} {
		if got := string(value.Of(l[name]).AppendJSON(nil)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := mdm.Lists(&org.Facts{}); len(got) != 0 {
		t.Errorf("lists of an organisation of which nothing is known: %v", got)
	}
}

// walk visits every string of a model.
func walk(v value.Value, depth int, visit func(value.Value)) {
	if depth == 0 {
		return
	}
	switch {
	case v.List() != nil:
		for _, item := range v.List().Items() {
			walk(item, depth-1, visit)
		}
	case v.Map() != nil:
		walk(v.Map().Values(), depth-1, visit)
	case v.Object() != nil:
		for _, f := range v.Object().Shape().Fields() {
			walk(v.Field(f), depth-1, visit)
		}
	default:
		if _, ok := v.Str(); ok {
			visit(v)
		}
	}
}

// quoted checks that places of a model lie in the message: a stretch of a
// header in its bytes, and a stretch of a body in the text of its part.
func quoted(t *testing.T, m *eml.Message, v value.Value) {
	t.Helper()
	s, _ := v.Str()
	for _, r := range [][2]int{{0, len(s)}, {len(s) / 3, len(s) / 4}} {
		w, ok := v.Where(r[0], r[1])
		if !ok || w == (finding.Where{Part: w.Part}) {
			continue
		}
		size := len(m.Raw())
		if w.Header == "" {
			p := m.Part(w.Part)
			if p == nil {
				t.Fatalf("%q stands in part %q, which is not there", s, w.Part)
			}
			size = len(p.Text())
		}
		if w.Offset < 0 || w.Length < 0 || w.Offset+w.Length > size {
			t.Fatalf("%q is said to stand at %+v of %d bytes", s, w, size)
		}
	}
}

func TestEvidence(t *testing.T) {
	raw := []byte(mail)
	m := eml.Parse(raw, nil)
	n := 0
	walk(mdm.New(mdm.Input{Mail: m}).Root(), 12, func(v value.Value) { n++; quoted(t, m, v) })
	if n < 200 {
		t.Errorf("only %d strings", n)
	}
	root := mdm.New(mdm.Input{Mail: m}).Root()
	text := at(root, "body.current_thread.text")
	s, _ := text.Str()
	i := strings.Index(s, "pay caf")
	w, _ := text.Where(i, len("pay café"))
	if got := m.Part(w.Part).Text()[w.Offset : w.Offset+w.Length]; got != "pay caf&eacute;" {
		t.Errorf("found %q", got)
	}
	shown := at(root, "body.html.display_text")
	s, _ = shown.Str()
	i = strings.Index(s, "https://kiso")
	w, _ = shown.Where(i, len("https://kiso"))
	if got := m.Part(w.Part).Text()[w.Offset : w.Offset+w.Length]; got != "https://kiso" {
		t.Errorf("after a replaced character, found %q", got)
	}
}

// TestCorpus builds whole models of real mail.
func TestCorpus(t *testing.T) {
	n := 0
	for _, folder := range []string{"phish", "ham", "commercial", "torture"} {
		root := shared(t, "mail", folder)
		i := 0
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if i++; i%97 != 1 {
				return nil
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			m := eml.Parse(raw, nil)
			root := mdm.New(mdm.Input{Mail: m}).Root()
			if b := root.AppendJSON(nil); !utf8.Valid(b) {
				t.Errorf("%s: the model is no UTF-8", path)
			}
			walk(root, 12, func(v value.Value) { quoted(t, m, v) })
			n++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d models", n)
}

func FuzzModel(f *testing.F) {
	f.Add([]byte(mail))
	f.Add([]byte("Received: from (a [IPv6:2001:db8::1]) by b.test with x; y\nARC-Authentication-Results: i=1; a; dkim=pass header.d=\nFrom: <@>\nSubject: [] (\n\n<a href=//x?a&b=%>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := budget.New(nil)
		b.Cost = 8 << 20
		m := eml.Parse(raw, &eml.Options{Budget: b})
		model := mdm.New(mdm.Input{Mail: m, Org: facts(), Budget: b})
		if out := model.Root().AppendJSON(nil); !utf8.Valid(out) {
			t.Fatal("the model is no UTF-8")
		}
		walk(model.Root(), 12, func(v value.Value) { quoted(t, m, v) })
		fn := model.Functions(nil)
		for _, a := range model.Root().Field("attachments").List().Items() {
			for _, name := range []string{"file.parse_eml", "file.parse_html", "file.parse_text"} {
				fn[name](&value.Call{Args: []value.Value{a}, Budget: b}).AppendJSON(nil)
			}
		}
	})
}
