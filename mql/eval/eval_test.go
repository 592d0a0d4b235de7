package eval_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/eval"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/syntax"
	"github.com/sekisho/sekisho/mql/value"
)

const mail = `Received: from mail.login.test (mail.login.test [192.0.2.9]) by mx.kiso.example with ESMTPS id 1; Tue, 2 Jun 2026 09:00:05 +0900
From: "Kiso HR" <payroll@kiso-works.example>
To: Hanako Sato <hanako@kiso.example>, undisclosed-recipients:;
Reply-To: box@free.test
Subject: Re: [External] Payroll UPDATE 2026
Date: Tue, 2 Jun 2026 09:00:00 +0900
Message-ID: <1@login.test>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Please verify your account today.</p>
<p><a href="https://login.kiso.test/a/dXNlckBraXNvLmV4YW1wbGU/?user=hanako%40kiso.example&amp;n=1#frag">View document</a>
<a href="https://www.test/x">https://kiso.example/</a></p>
--b
Content-Type: application/pdf; name="policy.PDF"
Content-Disposition: attachment; filename="policy.PDF"
Content-Transfer-Encoding: base64

JVBERi0xLjQK
--b
Content-Type: application/json; name="data.json"
Content-Disposition: attachment; filename="data.json"

{"a":[1,2,{"b":"x"}],"t":true}
--b--
`

// many makes a list long enough to be looked for at once.
var many = func() (out []string) {
	for i := range 200 {
		out = append(out, fmt.Sprintf("provider%d.test", i))
	}
	return out
}()

// compile checks and compiles one source.
func compile(tb testing.TB, source string) (*eval.Rules, bool) {
	tb.Helper()
	p := check.New(&check.Options{Lists: []string{"mine"}}).Check(syntax.Parse(source), check.WantAny)
	if !p.OK() {
		return nil, false
	}
	rules, err := eval.Compile([]*check.Program{p})
	if err != nil {
		tb.Fatal(err)
	}
	return rules, true
}

func env(tb testing.TB) eval.Env {
	tb.Helper()
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(mail), nil)})
	return eval.Env{Root: m.Root(), Functions: m.Functions(nil), Lists: map[string]*value.List{
		"mine": value.NewSet([]string{"kiso.example", "Other"}), "suspicious_tlds": value.NewSet([]string{"test"}),
		"free_email_providers": value.NewSet(slices.Concat(many, []string{"verify your"})),
	}}
}

// show writes a value: JSON, "null", or "?" with what is missing and "!" if
// that could make it true.
func show(v value.Value) string {
	if !v.IsMissing() {
		return string(v.AppendJSON(nil))
	}
	var gaps []string
	for _, g := range v.Gaps() {
		gaps = append(gaps, g.String())
	}
	s := "?" + strings.Join(gaps, ",")
	if v.CanBeTrue() {
		s += "!"
	}
	return s
}

func TestExpressions(t *testing.T) {
	for _, tt := range []struct{ source, want string }{
		// Literals, operators, precedence.
		{`null`, `null`}, {`1 + 2 * 3`, `7`}, {`(1 + 2) * 3`, `9`}, {`7 / 2`, `3`}, {`7 / 2.0`, `3.5`}, {`7 % 4`, `3`}, {`1 / 0`, `null`}, {`-3 + 1`, `-2`},
		{`true or false and false`, `true`}, {`(true or false) and false`, `false`}, {`not true == false`, `true`},
		{`"a" == "A"`, `false`}, {`"a" =~ "A"`, `true`}, {`"a" !~ "A"`, `false`}, {`"a" != "b"`, `true`}, {`1 == 1.0`, `true`},
		{`1 < 2 <= 2`, `true`}, {`1 < 2 < 2`, `false`}, {`3 >= 3`, `true`}, {`3 > 3`, `false`},
		// Null.
		{`subject.subject is null`, `false`}, {`mailbox is null`, `true`}, {`mailbox.display_name is null`, `true`}, {`headers.in_reply_to is not null`, `false`},
		{`headers.in_reply_to == "x"`, `null`}, {`headers.in_reply_to != "x"`, `null`}, {`not (headers.in_reply_to == "x")`, `null`},
		{`headers.in_reply_to == "x" and false`, `false`}, {`headers.in_reply_to == "x" or true`, `true`},
		{`headers.in_reply_to in ("x")`, `null`}, {`headers.in_reply_to not in ("x")`, `null`},
		{`coalesce(headers.in_reply_to, "none")`, `"none"`}, {`coalesce(headers.in_reply_to == "x", false)`, `false`},
		{`2 of (true, headers.in_reply_to == "x", true)`, `true`}, {`2 of (true, headers.in_reply_to == "x", false)`, `null`}, {`2 of (true, false, false)`, `false`},
		// Membership.
		{`"a" in ("a", "b")`, `true`}, {`"A" in ("a", "b")`, `false`}, {`"A" in~ ("a", "b")`, `true`}, {`"c" not in ("a", "b")`, `true`},
		{`"Kiso.Example" in $mine`, `false`}, {`"Kiso.Example" in~ $mine`, `true`}, {`any($mine, . == "Other")`, `true`}, {`length($mine)`, `2`},
		{`recipients.to[0].email.domain.domain in $mine`, `true`}, {`sender.email.domain.tld in $suspicious_tlds`, `false`},
		{`sender.email.domain.domain in $org_domains`, `?list org_domains!`}, {`sender.email.domain.domain in $org_domains and false`, `false`},
		{`not sender.email.domain.domain in $org_domains`, `?list org_domains!`},
		// Fields, indexes, slices.
		{`sender.email.email`, `"payroll@kiso-works.example"`}, {`sender.display_name`, `"Kiso HR"`}, {`recipients.to[1].display_name`, `null`},
		{`recipients.to[7].display_name`, `null`}, {`length(recipients.to)`, `1`}, {`headers.reply_to[0].email.domain.root_domain`, `"free.test"`},
		{`subject.base`, `"Payroll UPDATE 2026"`}, {`subject.is_reply`, `true`}, {`subject.tags`, `["[External]"]`},
		{`[1, 2, 3][1:]`, `[2,3]`}, {`[1, 2, 3][:2]`, `[1,2]`}, {`[1, 2, 3][5:9]`, `[]`},
		{`body.links[0].href_url.query_params_decoded["user"]`, `["hanako@kiso.example"]`}, {`body.links[0].href_url.query_params_decoded["none"]`, `null`},
		{`body.links[0].href_url.domain.subdomain`, `"login"`}, {`body.links[0].href_url.port`, `443`}, {`body.links[0].href_url.fragment`, `"frag"`},
		{`body.links[1].mismatched`, `true`}, {`body.links[0].display_text`, `"View document"`}, {`body.links[1].display_url.domain.domain`, `"kiso.example"`},
		{`headers.hops[0].received.server.raw`, `"mx.kiso.example"`}, {`type.inbound`, `true`},
		// Loops.
		{`any(body.links, .href_url.domain.tld == "test")`, `true`}, {`any(body.links, .href_url.scheme == "ftp")`, `false`}, {`all(body.links, .visible)`, `true`},
		{`any([], true)`, `false`}, {`all([], false)`, `true`}, {`any(mailbox.email.domain.valid, true)`, `error`},
		{`any([true, null], .)`, `true`}, {`any([false, null], .)`, `null`}, {`all([true, null], .)`, `null`}, {`all([false, null], .)`, `false`},
		{`filter([1, 2, 3], . > 1)`, `[2,3]`}, {`map([1, 2], . + 1)`, `[2,3]`}, {`map(["a", null], strings.concat(., "b"))`, `["ab",null]`},
		{`any(strings.parse_json("null"), . == 1)`, `null`}, {`all(strings.parse_json("null"), . == 1)`, `true`}, {`filter(strings.parse_json("null"), . == 1)`, `[]`},
		{`map(strings.parse_json("null"), .)`, `null`}, {`distinct(strings.parse_json("null"))`, `[]`}, {`sum(strings.parse_json("null"))`, `0`}, {`flatten(strings.parse_json("null"))`, `[]`},
		{`distinct(["a", "b", "a"])`, `["a","b"]`}, {`distinct(["a", "B", "A"], . =~ "a")`, `["a","B"]`}, {`flatten([[1], [2, 3]])`, `[1,2,3]`}, {`sum([1, 2, 3])`, `6`},
		{`sum([1, null, 2])`, `3`}, {`ratio([1, 2, 3, 4], . > 3)`, `0.25`}, {`ratio([], true)`, `null`},
		{`any(recipients.to, any(body.links, strings.icontains(.href_url.url, ..email.domain.domain)))`, `true`},
		{`map(filter(body.links, .display_text is null), .href_url.domain.domain)`, `["www.test"]`},
		{`keys(body.links[0].href_url.query_params_decoded)`, `["user","n"]`}, {`values(body.links[0].href_url.query_params_decoded)`, `[["hanako@kiso.example"],["1"]]`},
		{`any($free_email_providers, strings.contains("<1@provider77.test>", .))`, `true`}, {`any($free_email_providers, strings.contains("<1@Provider77.test>", .))`, `false`},
		{`any($free_email_providers, strings.contains(body.html.raw, .))`, `true`}, {`any($free_email_providers, strings.icontains("<1@PROVIDER77.test>", .))`, `true`}, {`any($free_email_providers, strings.contains(headers.in_reply_to, .))`, `null`},
		{`map(recipients.to, any($free_email_providers, strings.icontains(..email.email, .)))`, `[false]`}, {`any(body.links, any(recipients.to, strings.concat("x", ..display_text) == "xView document"))`, `true`},
		{`map([1, 2], map([3, 3], .. + 1))`, `[[2,2],[3,3]]`}, {`map([[1], [2]], map(., map([0], .. + 10)))`, `[[[11]],[[12]]]`},
		// Strings.
		{`length("日本")`, `2`}, {`length(headers.in_reply_to)`, `null`},
		{`strings.contains("abc", "x", "b")`, `true`}, {`strings.contains("ABC", "b")`, `false`}, {`strings.icontains("ABC", "b")`, `true`},
		{`strings.contains(null, "a")`, `null`}, {`strings.contains("a", null)`, `null`}, {`strings.contains("a", null, "a")`, `true`}, {`strings.contains("a", null, "b")`, `false`},
		{`strings.starts_with("abc", "ab")`, `true`}, {`strings.istarts_with("ABC", "ab")`, `true`}, {`strings.ends_with("abc", "ab", "bc")`, `true`}, {`strings.iends_with("ABC", "bc")`, `true`},
		{`strings.like("payroll update", "pay*update")`, `true`}, {`strings.like("payroll update!", "pay*update")`, `false`}, {`strings.ilike("Payroll", "p?yroll")`, `true`}, {`strings.ilike("a\nb", "a*b")`, `true`},
		{`strings.count("aXaXa", "aX")`, `2`}, {`strings.icount("aaAa", "aa")`, `2`}, {`strings.concat("a", "b", "c")`, `"abc"`}, {`strings.concat("a", headers.in_reply_to)`, `null`},
		{`strings.levenshtein("kitten", "sitting")`, `3`}, {`strings.ilevenshtein("KITTEN", "kitten")`, `0`}, {`strings.levenshtein("日本語", "日本")`, `1`},
		{`strings.replace_confusables("pаypal")`, `"paypal"`}, {`strings.replace_confusables("modern 0O ノ 東京")`, `"modern 0O ノ 東京"`}, {`strings.replace_confusables("ｍｉｃｒｏ")`, `"micro"`},
		{`strings.icontains("abc", sender.display_name)`, `false`}, {`strings.icontains("from kiso hr today", sender.display_name)`, `true`},
		{`strings.starts_with(sender.email.email, strings.concat("pay", "roll"))`, `true`},
		{`strings.parse_url("https://a.kiso.example/x?y=1").domain.root_domain`, `"kiso.example"`}, {`strings.parse_url("a.kiso.example/x").url`, `null`},
		{`strings.parse_url("a.kiso.example/x", strict=false).path`, `"/x"`}, {`strings.parse_domain("a.kiso.example").sld`, `"kiso"`}, {`strings.parse_domain("not a domain").domain`, `null`},
		{`strings.parse_email("A@Kiso.Example").email`, `"a@kiso.example"`}, {`strings.parse_email("nobody").email`, `null`},
		{`strings.parse_json('{"a":[1,{"b":true}]}')["a"][1]["b"] == true`, `true`}, {`strings.parse_json("{")`, `null`},
		{`strings.scan_base64("x=aGFuYWtvQGtpc28uZXhhbXBsZQ==&y")`, `["hanako@kiso.example"]`}, {`strings.scan_base64("nothing")`, `[]`},
		{`strings.scan_base64("aGFuYWtvQGtpc28uZXhhbXBsZQ")`, `[]`}, {`strings.scan_base64("aGFuYWtvQGtpc28uZXhhbXBsZQ", ignore_padding=true)`, `["hanako@kiso.example"]`},
		{`strings.decode_base64("a2lzbw==")`, `"kiso"`}, {`hash.sha256("kiso")`, `"` + sum + `"`},
		{`strings.parse_html("<p>a <b>b</b></p>").display_text`, `"a b"`},
		// Regular expressions.
		{`regex.contains("abc", "b.?")`, `true`}, {`regex.contains("ABC", "b")`, `false`}, {`regex.icontains("ABC", "x", "b")`, `true`}, {`regex.match("abc", "b")`, `false`}, {`regex.match("abc", "a|abc")`, `true`},
		{`regex.imatch("ABC", "a.c")`, `true`}, {`regex.match("a\nb", "a.b")`, `false`}, {`regex.count("a1b22", '\d+')`, `2`}, {`regex.icount("aA", "a")`, `2`},
		{`map(regex.extract("k=1&j=2", '(?P<key>\w)=(\d)'), .named_groups["key"])`, `["k","j"]`}, {`map(regex.extract("k=1", '(\w)=(\d)'), .groups[1])`, `["1"]`},
		{`regex.extract("ab", '(a)|(b)')[1].groups`, `["","b"]`}, {`regex.extract("ab", 'x')`, `[]`}, {`regex.iextract("KISO", 'k.')[0].full_match`, `"KI"`}, {`regex.extract("a", '(?P<n>a)')[0].named_groups["z"]`, `null`},
		// Addresses.
		{`any(headers.ips, beta.ip_in(.ip, "192.0.2.0/24"))`, `true`}, {`any(headers.ips, beta.ip_in(., "198.51.100.0/24", "192.0.2.9"))`, `true`}, {`beta.ip_in("2001:db8::1", "2001:db8::/32")`, `true`}, {`beta.ip_in("x", "192.0.2.0/24")`, `null`},
		// Attachments.
		{`map(attachments, .file_type)`, `["pdf","unknown"]`}, {`attachments[0].file_extension`, `"pdf"`}, {`length(attachments)`, `2`},
		{`strings.parse_json(file.parse_text(attachments[1]).text)["a"][2]["b"]`, `"x"`},
		// What is missing.
		{`profile.by_sender().solicited`, `?history!`}, {`not profile.by_sender().solicited`, `?history!`}, {`coalesce(profile.by_sender().solicited, false)`, `?history!`},
		{`any(ml.nlu_classifier(body.current_thread.text).intents, .name == "cred_theft")`, `?classifier!`},
		{`not any(ml.nlu_classifier(body.current_thread.text).topics, .name == "Newsletters and Digests")`, `?classifier!`},
		{`length(filter(ml.nlu_classifier(body.current_thread.text).topics, .name == "x")) == 0`, `?classifier!`},
		{`all(ml.nlu_classifier(body.current_thread.text).topics, .name == "x")`, `?classifier!`}, {`length(distinct(ml.nlu_classifier(subject.subject).topics, .name)) == 0`, `?classifier!`},
		{`false and profile.by_sender().solicited`, `false`}, {`true or profile.by_sender().solicited`, `true`}, {`headers.in_reply_to == "x" and profile.by_sender().solicited`, `?history`},
		{`1 of (profile.by_sender().solicited, sender.email.domain.domain in $org_domains)`, `?history,list org_domains!`}, {`2 of (true, true, profile.by_sender().solicited)`, `true`},
		{`any(body.links, ml.link_analysis(.).credphish.disposition == "phishing")`, `?link_analysis!`}, {`any([], ml.link_analysis(.).submitted)`, `false`},
		{`ml.link_analysis(headers.in_reply_to) is null`, `error`},
	} {
		t.Run(tt.source, func(t *testing.T) {
			rules, ok := compile(t, tt.source)
			if !ok {
				if tt.want != "error" {
					p := check.New(&check.Options{Lists: []string{"mine"}}).Check(syntax.Parse(tt.source), check.WantAny)
					t.Fatalf("refused: %v", p.Diagnostics)
				}
				return
			}
			if tt.want == "error" {
				t.Fatal("not refused")
			}
			if got := show(rules.Start(env(t)).Rule(0).Value); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

const sum = "7d44c9932639445dde366ab0fc0880d36cbdb98177c33b497a5bf7ba4fcf8525"

func TestVerdict(t *testing.T) {
	for _, tt := range []struct {
		source string
		want   eval.Verdict
		needs  string
	}{
		{`type.inbound and sender.display_name == "Kiso HR"`, eval.Match, ""},
		{`type.outbound`, eval.NoMatch, ""},
		{`headers.in_reply_to == "x"`, eval.NoMatch, ""},
		{`type.inbound and profile.by_sender().solicited`, eval.Undecided, "history"},
		// Whatever the history says, a null stays a null.
		{`headers.in_reply_to == "x" and profile.by_sender().solicited`, eval.NoMatch, ""},
		{`strings.icontains(subject.subject, "payroll")`, eval.Match, ""},
		{`map(attachments, .file_name)`, eval.Match, ""},
		{`filter(attachments, .file_name == "none")`, eval.NoMatch, ""},
		{`headers.message_id`, eval.Match, ""},
		{`sender.email.domain.domain in $org_domains or any(body.links, ml.link_analysis(.).submitted)`, eval.Undecided, "link_analysis list"},
	} {
		t.Run(tt.source, func(t *testing.T) {
			rules, ok := compile(t, tt.source)
			if !ok {
				t.Fatal("refused")
			}
			res := rules.Start(env(t)).Rule(0)
			var needs []string
			for _, n := range res.Needs() {
				needs = append(needs, n.Capability)
				if n.Cause != finding.NotConfigured || n.Detail.IsZero() {
					t.Errorf("need %+v", n)
				}
			}
			if res.Verdict != tt.want || strings.Join(needs, " ") != tt.needs {
				t.Errorf("got %s (%v), want %s (%s)", res.Verdict, needs, tt.want, tt.needs)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	rules, ok := compile(t, `type.inbound
and 2 of (strings.icontains(body.current_thread.text, "verify your"), regex.icontains(subject.subject, 'pay\w+'), false)
and any(body.links, .href_url.domain.tld in $suspicious_tlds and not .display_text in ("x"))
and not strings.contains(sender.display_name, "Kiso Payroll")
and length(filter(attachments, .file_extension == "pdf")) == 1`)
	if !ok {
		t.Fatal("refused")
	}
	m := eml.Parse([]byte(mail), nil)
	var got []string
	for _, r := range rules.Start(env(t)).Explain(0) {
		line := r.Expr
		if !r.Holds {
			line = "not " + line
		}
		var quotes strings.Builder
		for _, e := range r.Evidence {
			source := m.Quote(eml.Span{Offset: e.Where.Offset, Length: e.Where.Length})
			if e.Where.Header == "" {
				text := m.Part(e.Where.Part).Text()
				source = text[e.Where.Offset:min(len(text), e.Where.Offset+e.Where.Length)]
			}
			quotes.WriteString(" | " + e.Quote + " @ " + e.Where.Header + e.Where.Part + " " + source)
		}
		line += quotes.String()
		got = append(got, line)
	}
	want := []string{
		`strings.icontains(body.current_thread.text, "verify your") | verify your @ 1.1 verify your`,
		`regex.icontains(subject.subject, 'pay\w+') | Payroll @ Subject1 Payroll`,
		`.href_url.domain.tld in $suspicious_tlds | test @ 1.1 https://login.kiso.test/a/dXNlckBraXNvLmV4YW1wbGU/?user=hanako%40kiso.example&amp;n=1#frag`,
		`not .display_text in ("x") | View document @ 1.1 View document`,
		`not strings.contains(sender.display_name, "Kiso Payroll") | Kiso HR @ From1 "Kiso HR"`,
		`length(filter(attachments, .file_extension == "pdf")) == 1`,
		`.file_extension == "pdf" | pdf @ 1.2 `,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rules, _ := compile(t, `type.outbound`); rules.Start(env(t)).Explain(0) != nil {
		t.Error("a rule that does not match has reasons")
	}
}

func TestTrace(t *testing.T) {
	rules, ok := compile(t, `length(attachments) == 2 and (any(body.links, .href_url.domain.tld == "test" and .visible) or subject.is_reply)
		and strings.icontains(body.current_thread.text, "verify your") and profile.by_sender().solicited`)
	if !ok {
		t.Fatal("refused")
	}
	var got []string
	var tell func(s eval.Step, indent string)
	tell = func(s eval.Step, indent string) {
		line := indent + strings.Join(strings.Fields(s.Expr), " ") + " = "
		switch {
		case s.Value.List() != nil:
			line += fmt.Sprint(s.Value.List().Len(), " items")
		case s.Value.Object() != nil:
			line += "object"
		default:
			line += show(s.Value)
		}
		var quotes strings.Builder
		for _, e := range s.Evidence {
			quotes.WriteString(" @ " + e.Quote)
		}
		got = append(got, line+quotes.String())
		for _, p := range s.Parts {
			tell(p, indent+"  ")
		}
		for _, turn := range s.Turns {
			got = append(got, fmt.Sprintf("%s  [%d of %d]", indent, turn.Index, s.Items))
			tell(turn.Step, indent+"    ")
		}
	}
	root := rules.Start(env(t)).Trace(0)
	root.Expr = "..."
	tell(root, "")
	want := []string{
		"... = ?history!",
		"  length(attachments) == 2 = true",
		"    length(attachments) = 2",
		"      attachments = 2 items",
		`  any(body.links, .href_url.domain.tld == "test" and .visible) or subject.is_reply = true`,
		`    any(body.links, .href_url.domain.tld == "test" and .visible) = true`,
		"      body.links = 2 items",
		"      [0 of 2]",
		`        .href_url.domain.tld == "test" and .visible = true`,
		`          .href_url.domain.tld == "test" = true`,
		`            .href_url.domain.tld = "test"`,
		"          .visible = true",
		"      [1 of 2]",
		`        .href_url.domain.tld == "test" and .visible = true`,
		`          .href_url.domain.tld == "test" = true`,
		`            .href_url.domain.tld = "test"`,
		"          .visible = true",
		"    subject.is_reply = true",
		`  strings.icontains(body.current_thread.text, "verify your") = true @ verify your`,
		`    body.current_thread.text = "Please verify your account today.\n\nView document https://kiso.example/"`,
		"  profile.by_sender().solicited = ?history!",
		"    profile.by_sender() = ?history!",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A rule that costs too much is undecided, and takes nothing from the others.
func TestBudget(t *testing.T) {
	long := strings.Repeat("<a href='https://kiso.test/x'>x</a> ", 10)
	raw := strings.Replace(mail, "<p>Please", long+"<p>Please", 1)
	heavy, ok := compile(t, `any(attachments, any(attachments, any(attachments, any(attachments, false))))`)
	if !ok {
		t.Fatal("refused")
	}
	e := env(t)
	e.Budget = budget.New(nil)
	e.Budget.Cost = 100
	res := heavy.Start(e).Rule(0)
	if res.Verdict != eval.Undecided || res.Missing[0].Cause != finding.Budget {
		t.Errorf("got %+v", res)
	}
	e.Budget = budget.New(nil)
	before := e.Budget.Cost
	if res := heavy.Start(e).Rule(0); res.Verdict != eval.NoMatch || e.Budget.Cost == before {
		t.Errorf("got %+v at no cost", res)
	}
	// Two long texts are too much for a table of both.
	m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(raw), nil)})
	both, _ := compile(t, `strings.levenshtein(strings.concat(body.html.raw, body.html.raw), sender.display_name) > 3`)
	if res := both.Start(eval.Env{Root: m.Root()}).Rule(0); res.Verdict != eval.Match {
		t.Errorf("got %+v", res)
	}
}

func TestUnchecked(t *testing.T) {
	p := check.New(nil).Check(syntax.Parse("sender.nothing"), check.WantBool)
	if _, err := eval.Compile([]*check.Program{p}); err == nil {
		t.Error("a program with errors was compiled")
	}
}

func FuzzEval(f *testing.F) {
	for _, s := range []string{
		`type.inbound and any(body.links, .href_url.domain.root_domain not in $mine)`, `2 of (true, null, profile.by_sender().solicited)`,
		`length(filter(map(attachments, .size), . > 1)) < 3 <= 4`, `regex.iextract(body.html.raw, '(?P<x>h.)')[0].named_groups["x"]`, `strings.scan_base64(body.html.raw, format="url")`,
		`any(attachments, any(file.explode(.), .depth == 0))`, `[1,2][0:1]`, `sender.email.email[1:3]`, `strings.ilevenshtein(body.html.raw, subject.subject)`, `distinct(body.links, .href_url.domain)`,
		`html.xpath(body.html, "//a[@href]").nodes`, `-9223372036854775807 - 2`,
	} {
		f.Add(s)
	}
	m := eml.Parse([]byte(mail), nil)
	f.Fuzz(func(t *testing.T, source string) {
		rules, ok := compile(t, source)
		if !ok {
			return
		}
		model := mdm.New(mdm.Input{Mail: m})
		b := budget.New(nil)
		b.Cost = 1 << 20
		r := rules.Start(eval.Env{Root: model.Root(), Functions: model.Functions(nil), Budget: b})
		first := r.Rule(0)
		if b.Cost < 0 {
			t.Fatalf("%d units were spent that were not there", -b.Cost)
		}
		r.Explain(0)
		if again := r.Rule(0); again.Verdict != first.Verdict && !b.Exhausted() && again.Verdict != eval.Undecided {
			t.Fatalf("first %s, then %s", first.Verdict, again.Verdict)
		}
	})
}

// Rules and lists are shared by all messages.
func TestConcurrent(t *testing.T) {
	rules, ok := compile(t, `any($free_email_providers, strings.icontains(body.html.raw, .)) and regex.icontains(subject.subject, 'pay\w+') and sender.email.domain.domain not in~ $mine`)
	if !ok {
		t.Fatal("refused")
	}
	lists := env(t).Lists
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			m := mdm.New(mdm.Input{Mail: eml.Parse([]byte(mail), nil)})
			if res := rules.Start(eval.Env{Root: m.Root(), Lists: lists}).Rule(0); res.Verdict != eval.Match {
				t.Errorf("got %s", res.Verdict)
			}
		})
	}
	wg.Wait()
}
