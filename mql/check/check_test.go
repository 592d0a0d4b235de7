package check_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mql/check"
	"github.com/sekisho/sekisho/mql/schema"
	"github.com/sekisho/sekisho/mql/syntax"
)

// TestType types expressions.
func TestType(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"Bool", `type.inbound`, "boolean"},
		{"String", `subject.subject`, "string"},
		{"Object", `sender.email.domain`, "Domain"},
		{"Array", `body.links`, "[Link]"},
		{"Element", `body.links[0].href_url.domain`, "Domain"},
		{"MapValue", `body.links[0].href_url.query_params_decoded["x"]`, "[string]"},
		{"MapValueElement", `body.links[0].href_url.query_params_decoded["x"][0]`, "string"},
		{"Slice", `body.links[1:2]`, "[Link]"},
		{"List", `$free_file_hosts`, "[string]"},
		{"Persons", `map($org_vips, .display_name)`, "[string]"},
		{"Declared", `$our_partners`, "[string]"},
		{"Int", `length(attachments)`, "integer"},
		{"IntSum", `length(attachments) + 1`, "integer"},
		{"FloatSum", `length(attachments) * 1.0`, "float"},
		{"Negative", `-length(attachments)`, "integer"},
		{"ArrayOfMixedNumbers", `[1, 2.0]`, "[float]"},
		{"ArrayOfMixed", `[1, "a"]`, "[any]"},
		{"ArrayWithNull", `["a", null]`, "[string]"},
		{"ArrayOfArrays", `[body.links, body.current_thread.links]`, "[[Link]]"},
		{"ArrayNothing", `[]`, "[any]"},
		{"Filter", `filter(attachments, .size > 1)`, "[Attachment]"},
		{"Map", `map(attachments, .size)`, "[integer]"},
		{"MapOfMap", `map(headers.hops, map(.fields, .value))`, "[[string]]"},
		{"Distinct", `distinct(body.links, .href_url.domain.root_domain)`, "[Link]"},
		{"Flatten", `flatten([recipients.to, recipients.cc])`, "[Mailbox]"},
		{"FlattenFlat", `flatten([1, 2])`, "[integer]"},
		{"Sum", `sum([1, 2])`, "integer"},
		{"SumEach", `sum(attachments, .size * 0.5)`, "float"},
		{"Ratio", `ratio(body.links, .visible)`, "float"},
		{"Keys", `keys(body.links[0].href_url.query_params_decoded)`, "[string]"},
		{"Values", `values(body.links[0].href_url.query_params_decoded)`, "[[string]]"},
		{"Coalesce", `coalesce(headers.auth_summary.dmarc.pass, false)`, "boolean"},
		{"CoalesceNumbers", `coalesce(length(subject.subject), 0.5)`, "float"},
		{"JSON", `strings.parse_json(subject.subject)["a"].b[0]`, "any"},
		{"Extract", `regex.extract(subject.subject, 'a')[0].named_groups["x"]`, "string"},
		{"EML", `file.parse_eml(attachments[0]).sender.email.email`, "string"},
		{"Explode", `file.explode(attachments[0])[0].scan.ocr.raw`, "string"},
		{"Alias", `beta.binexplode(attachments[0])`, "[StrelkaResponse]"},
		{"Outer", `map(headers.hops, map(.fields, ..index))`, "[[integer]]"},
		{"OuterTwo", `map(headers.hops, map(.fields, map([.name], ...index)))`, "[[[integer]]]"},
		{"FirstArgumentIsOutside", `map(headers.hops, any(.fields, .name == "x"))`, "[boolean]"},
		{"Condition", `1 of (type.inbound, subject.subject is null)`, "boolean"},
		{"Paren", `(length(attachments))`, "integer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := syntax.Parse(tc.src)
			p := check.New(&check.Options{Lists: []string{"our_partners"}}).Check(f, check.WantAny)
			if !p.OK() {
				t.Fatal(report(p))
			}
			if got := p.Result.String(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if p.Type(f.Root) != p.Result {
				t.Error("the root has another type than the program")
			}
		})
	}
}

func report(p *check.Program) string {
	var b strings.Builder
	for _, d := range p.Diagnostics {
		fmt.Fprintf(&b, "%q %s %s\n", p.File.Text(d.Span), d.Message.Key, say(p.File, d))
	}
	return b.String()
}

// TestDiagnostics marks in each source what is reported with « and ». A key
// is that of the message, without its prefix; one that begins with "?" is a
// warning. want is the name of a proposal.
func TestDiagnostics(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		keys      []string
		hint      string
	}{
		{"Syntax", `a ==«»`, []string{"end"}, ""},
		{"Root", `«sendr».email is null`, []string{"name"}, "sender"},
		{"Field", `sender.«emial».email is null`, []string{"field"}, "email"},
		{"FieldOfResult", `profile.by_sender().«solicted»`, []string{"field"}, "solicited"},
		{"FieldFar", `sender.«qqqqqqqqqq» is null`, []string{"field"}, "display_name"},
		{"ArrayField", `body.links.«href_url» is null`, []string{"array.field"}, "any(body.links, .href_url"},
		{"MapField", `any(body.links, .href_url.query_params_decoded.«url» is null)`, []string{"map.field"}, `.href_url.query_params_decoded["url"]`},
		{"ScalarField", `subject.subject.«base» is null`, []string{"scalar.field"}, ""},
		{"ForgottenDot", `any(body.links, «href_url».url == "x")`, []string{"name"}, ".href_url"},
		{"ForgottenDots", `any(body.links, any($org_domains, .«href_url».url == .))`, []string{"scalar.field"}, ""},
		{"DotsForOuter", `any(headers.hops, any(.fields, .«index» == 1))`, []string{"field"}, "..index"},
		{"DotTooMany", `any(body.links, .«subject».base == "x")`, []string{"field"}, "subject"},
		{"ItemOutside", `«.»a is null`, []string{"item.none"}, ""},
		{"ItemTooFar", `any(body.links, «...»a is null)`, []string{"item"}, ""},
		{"FunctionNotCalled", `«profile».by_sender.solicited`, []string{"name"}, "profile"},
		{"Function", `«strings.icontain»(subject.subject, "a")`, []string{"function"}, "strings.icontains"},
		{"FunctionNamespace", `«contains»(subject.subject, "a")`, []string{"function"}, "contains"},
		{"FunctionUnknown", `«foo.bar»(body.links, .a)`, []string{"function"}, ""},
		{"List", `subject.subject in «$free_email_provider»`, []string{"list"}, "$free_email_providers"},
		{"ListFar", `subject.subject in «$zzzzzzzz»`, []string{"list"}, ""},
		{"FewArguments", `«strings.contains(subject.subject)»`, []string{"few"}, "strings.contains(text, part, …)"},
		{"NoArguments", `«any()»`, []string{"count"}, "any(array, condition)"},
		{"ManyArguments", `profile.by_sender(«1»).solicited`, []string{"many"}, "profile.by_sender()"},
		{"Keyword", `any([ml.link_analysis(body.links[0], «moode»="x")], .analyzed)`, []string{"keyword"}, "mode"},
		{"KeywordTwice", `any([ml.link_analysis(body.links[0], mode="x", «mode»="y")], .analyzed)`, []string{"keyword.twice"}, ""},
		{"KeywordType", `any(strings.scan_base64(subject.subject, ignore_padding=«"yes"»), true)`, []string{"argument"}, ""},
		{"KeywordWord", `any(strings.scan_base64(subject.subject, format=«"ulr"»), . == "a")`, []string{"?word"}, `"url"`},
		{"ArgumentType", `strings.contains(«length(attachments)», "a")`, []string{"argument"}, ""},
		{"ArgumentArray", `strings.contains(«headers.references», "a")`, []string{"argument"}, "any(headers.references"},
		{"ArgumentFile", `any(file.explode(«subject»), true)`, []string{"argument"}, ""},
		{"ArgumentLink", `ml.link_analysis(«subject.subject»).analyzed`, []string{"argument"}, ""},
		{"ArgumentDomain", `network.whois(«sender.email»).found`, []string{"argument"}, ""},
		{"NotArray", `any(«subject», .a)`, []string{"argument"}, ""},
		{"Predicate", `any(body.links, «.display_text»)`, []string{"condition"}, ".display_text is not null"},
		{"PredicateJSON", `any(strings.parse_json("[]"), «.»)`, []string{"condition"}, ". == true"},
		{"Regexp", `regex.contains(subject.subject, 'a«(?=»b)')`, []string{"regexp"}, "RE2"},
		{"RegexpEscape", `regex.contains(subject.subject, 'x', 'a«\y»b')`, []string{"regexp"}, ""},
		{"RegexpBack", `regex.contains(subject.subject, '(a)«\1»')`, []string{"regexp"}, "RE2"},
		{"RegexpRepeat", `regex.contains(subject.subject, '«*».exe')`, []string{"regexp"}, ".*"},
		{"RegexpOpen", `regex.contains(subject.subject, «'(a'»)`, []string{"regexp"}, ""},
		{"CIDR", `beta.ip_in(headers.ips[0], "192.0.2.0/24", «"192.0.2.0/33"»)`, []string{"cidr"}, "192.0.2.0/24"},
		{"XPath", `any(html.xpath(body.html, «''»).nodes, true)`, []string{"xpath"}, ""},
		{"RuleIsNoCondition", `«subject.subject»`, []string{"condition"}, "is not null"},
		{"AndOfString", `type.inbound and «subject.subject» and «length(attachments)»`, []string{"condition", "condition"}, ""},
		{"NotOfArray", `not «attachments»`, []string{"condition"}, "length(attachments) > 0"},
		{"CompareTypes", `«length(subject.subject) == "5"»`, []string{"pair"}, "5"},
		{"CompareBool", `«type.inbound == "true"»`, []string{"pair"}, "true"},
		{"CompareArray", `«headers.references» == "a"`, []string{"compare"}, "any(headers.references"},
		{"CompareObject", `«sender» == "a"`, []string{"compare"}, ""},
		{"CompareFold", `«length(attachments) =~ 1»`, []string{"fold"}, ""},
		{"CompareOrder", `«type.inbound < true»`, []string{"order"}, ""},
		{"Chain", `«1 < subject.subject < 3»`, []string{"pair", "pair"}, ""},
		{"Arith", `length(attachments) + «"a"» == 1`, []string{"type"}, ""},
		{"Concat", `«subject.subject + "a"» == "b"`, []string{"concat"}, "strings.concat"},
		{"Zero", `«length(attachments) / 0» == 1`, []string{"?zero"}, ""},
		{"InString", `"a" in «subject.subject»`, []string{"in"}, "strings.contains"},
		{"InArray", `«headers.references» in ("a")`, []string{"compare"}, "any(headers.references"},
		{"InTypes", `subject.subject in ("a", «1», null)`, []string{"in.elem"}, ""},
		{"InNested", `subject.subject in («headers.references»)`, []string{"in.nested"}, "in headers.references"},
		{"InListOfPersons", `sender.email.email in «$org_vips»`, []string{"in.elem"}, ""},
		{"InFoldNumber", `«length(attachments)» in~ (1)`, []string{"fold"}, ""},
		{"IsNullArray", `«attachments is null»`, []string{"isnull"}, "length(attachments) == 0"},
		{"IndexType", `attachments[«"a"»].size == 1`, []string{"type"}, ""},
		{"IndexMapType", `any(body.links, .href_url.query_params_decoded[«0»][0] == "x")`, []string{"type"}, ""},
		{"IndexScalar", `subject.subject[«0»] == "a"`, []string{"index"}, ""},
		{"IndexNegative", `attachments[«-1»].size == 1`, []string{"?negative"}, ""},
		{"SliceType", `length(attachments[«"a"»:]) == 1`, []string{"type"}, ""},
		{"SliceScalar", `length(«subject[1:]») == 1`, []string{"index"}, ""},
		{"Word", `any(attachments, .file_type == «"pdff"»)`, []string{"?word"}, `"pdf"`},
		{"WordInTuple", `any(ml.nlu_classifier(subject.subject).intents, .name in ("bec", «"request"»))`, []string{"?word"}, "cred_theft"},
		{"Star", `strings.icontains(subject.subject, "a*", «"*invoice*"»)`, []string{"?star"}, `"invoice"`},
		{"WordFold", `any(attachments, .file_type =~ "PDF")`, nil, ""},
		{"Null", `«subject.subject == null» or type.inbound`, []string{"?null"}, "is null"},
		{"Twice", `2 of (type.inbound, length( body.links ) == 1, «length(body.links) == 1»)`, []string{"?twice"}, ""},
		{"OfAlways", `«0 of (type.inbound)» and type.inbound`, []string{"?of.always"}, ""},
		{"Contradiction", `type.inbound or (subject.subject == "a" and «subject.subject == "b"»)`, []string{"?contradiction"}, ""},
		{"OneMistakeOneReport", `«sendr».email.domain.domain == "a" and 1 < length(sendr2)`, []string{"name", "name"}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			src, spans := marked(tc.src)
			p := check.New(nil).Check(syntax.Parse(src), check.WantBool)
			var got, hints []string
			for _, d := range p.Diagnostics {
				_, key, _ := strings.Cut(strings.TrimPrefix(d.Message.Key, "mql."), ".")
				if d.Level == syntax.Warning {
					key = "?" + key
				}
				got = append(got, key)
				for _, m := range []lang.Message{d.Message, d.Hint} {
					for _, l := range []lang.Language{lang.EN, lang.JA} {
						if s := lang.Default().Say(l, m); strings.Contains(s, "[mql.") || strings.Contains(s, "{") || s == "" && !m.IsZero() {
							t.Errorf("words for %s: %q", m.Key, s)
						}
					}
				}
				hints = append(hints, lang.Default().Say(lang.EN, d.Hint))
			}
			if d := cmp.Diff(tc.keys, got); d != "" {
				t.Fatalf("%s\n%s", d, report(p))
			}
			for i, d := range p.Diagnostics {
				if i < len(spans) && d.Span != spans[i] && i == 0 {
					t.Errorf("%s is at %v, want %v", d.Message.Key, d.Span, spans[i])
				}
			}
			if tc.hint != "" && !strings.Contains(hints[0], tc.hint) {
				t.Errorf("hint %q does not propose %q", hints[0], tc.hint)
			}
		})
	}
}

func marked(s string) (string, []syntax.Span) {
	var b strings.Builder
	var spans []syntax.Span
	for s != "" {
		switch {
		case strings.HasPrefix(s, "«"):
			spans = append(spans, syntax.Span{Start: b.Len()})
			s = s[len("«"):]
		case strings.HasPrefix(s, "»"):
			spans[len(spans)-1].End = b.Len()
			s = s[len("»"):]
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String(), spans
}

// TestNever tells rules that cannot match from those that can.
func TestNever(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		why       string // part of the reason in English; "": it can match
	}{
		{"False", `false`, "it says false"},
		{"FalseInAnd", `type.inbound and (false)`, "it says false"},
		{"FalseInOr", `type.inbound or false`, ""},
		{"NotTrue", `not true`, "not true is never true"},
		{"NotFalse", `not false`, ""},
		{"Null", `type.inbound and any(attachments, .file_name == null)`, "compares with null"},
		{"NotNull", `not (subject.subject == null)`, "never true"},
		{"NullInOr", `type.inbound or subject.subject == null`, ""},
		{"NullIsNull", `null is null`, ""},
		{"NullIsNotNull", `null is not null`, "never true"},
		{"LiteralIsNull", `"a" is null`, "never true"},
		{"Unmet", `2 of (type.inbound, false)`, "2 of these 2 conditions"},
		{"TooFew", `3 of (type.inbound, type.outbound)`, "3 of these 2 conditions"},
		{"Met", `1 of (type.inbound, false)`, ""},
		{"EmptyTuple", `subject.subject in ()`, "never true"},
		{"NotInEmptyTuple", `subject.subject not in ()`, ""},
		{"TupleOfNull", `subject.subject in (null)`, "never true"},
		{"NullIn", `null not in ("a")`, "never true"},
		{"AnyOfNothing", `any([], true)`, "never true"},
		{"AllOfNothing", `not all([], false)`, "never true"},
		{"AllOfTrue", `not all(attachments, true)`, "never true"},
		{"Coalesce", `coalesce(type.inbound, false)`, ""},
		{"CoalesceFalse", `coalesce(false, type.inbound)`, "never true"},
		{"CoalesceNull", `coalesce(null, null, false)`, "never true"},
		{"TwoWords", `subject.subject == "a" and subject.subject in ("b", "c")`, "exclude each other"},
		{"TwoWordsFold", `subject.subject =~ "A" and subject.subject == "a"`, ""},
		{"TwoWordsFoldKelvin", "subject.subject =~ \"k\" and subject.subject == \"\u212a\"", ""},
		{"TwoWordsFar", `subject.subject == "a" and type.inbound and ("b" == (subject.subject))`, "exclude each other"},
		{"WordsMeet", `subject.subject in ("a", "b") and subject.subject in ("b", "c")`, ""},
		{"OtherItems", `any(attachments, .file_name == "a") and any(attachments, .file_name == "b")`, ""},
		{"SameItem", `any(attachments, .file_name == "a" and .file_name == "b")`, "exclude each other"},
		{"Numbers", `length(attachments) > 3 and length(attachments) <= 3`, "exclude each other"},
		{"NumbersMeet", `length(attachments) >= 3 and length(attachments) <= 3`, ""},
		{"NumbersChain", `5 < length(attachments) < 10 and length(attachments) == 2`, "exclude each other"},
		{"NumbersMirrored", `3 < length(attachments) and 2.5 > length(attachments)`, "exclude each other"},
		{"YesAndNo", `type.inbound and not (type.inbound)`, "exclude each other"},
		{"YesAndNoLong", `length( body.links ) == 1 and not (length(body.links) == 1)`, "exclude each other"},
		{"NullAndValue", `subject.subject is null and subject.subject == "a"`, "exclude each other"},
		{"NullAndNotNull", `subject.subject is null and subject.subject is not null`, "exclude each other"},
		{"NullAndNot", `type.inbound is null and not type.inbound`, "exclude each other"},
		{"NullAndOther", `subject.subject is null and subject.base == "a"`, ""},
		{"Unequal", `subject.subject != "a" and subject.subject != "b"`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := check.New(nil).Check(syntax.Parse(tc.src), check.WantBool)
			if !p.OK() {
				t.Fatal(report(p))
			}
			got := lang.Default().Say(lang.EN, p.Never)
			if (got == "") != (tc.why == "") || !strings.Contains(got, tc.why) {
				t.Errorf("got %q, want %q", got, tc.why)
			}
			warned := false
			for _, d := range p.Diagnostics {
				warned = warned || d.Message.Key == "mql.check.never"
			}
			if warned == p.Never.IsZero() {
				t.Errorf("warned: %v", warned)
			}
		})
	}
	// An insight that is false is an answer.
	if p := check.New(nil).Check(syntax.Parse("false"), check.WantAny); !p.Never.IsZero() {
		t.Error("a query never matches")
	}
}

func TestProgram(t *testing.T) {
	const src = `
type.inbound
and any(body.links, beta.whois(.href_url.domain).days_old < 30 and .href_url.domain.root_domain not in $tranco_1m)
and any(headers.hops, any(.fields, .name == "X" and ..index == 0 and length(attachments) > 0))
and sender.email.domain.root_domain in $free_email_providers
and not profile.by_sender().any_false_positives
`
	f := syntax.Parse(src)
	p := check.New(nil).Check(f, check.WantBool)
	if !p.OK() {
		t.Fatal(report(p))
	}
	if d := cmp.Diff([]schema.Capability{schema.History, schema.Whois}, p.Needs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"free_email_providers", "tranco_1m"}, p.Lists); d != "" {
		t.Error(d)
	}
	if len(p.Unpublished) != 1 || p.Unpublished[0].Name != "any_false_positives" {
		t.Errorf("unpublished: %v", p.Unpublished)
	}
	levels, called := map[string]int{}, map[string]string{}
	syntax.Walk(f.Root, func(e syntax.Expr) bool {
		levels[f.Text(e.Span())] = p.Level(e)
		if c, ok := e.(*syntax.Call); ok {
			called[c.Func] = p.Function(c).Name
		}
		return true
	})
	for text, want := range map[string]int{
		"type.inbound":            0,
		"length(attachments) > 0": 0,
		".name == \"X\"":          1,
		"..index == 0":            2,
		"any(.fields, .name == \"X\" and ..index == 0 and length(attachments) > 0)": 1,
		"beta.whois(.href_url.domain).days_old":                                     1,
		strings.TrimSpace(src):                                                      0,
	} {
		if got, ok := levels[text]; !ok || got != want {
			t.Errorf("level of %s: %d (known: %v), want %d", text, got, ok, want)
		}
	}
	if called["beta.whois"] != "network.whois" || called["any"] != "any" {
		t.Errorf("called: %v", called)
	}
}

func TestXPath(t *testing.T) {
	c := check.New(&check.Options{XPath: func(expr string) error {
		if expr == "//a[" {
			return errors.New("no end")
		}
		return nil
	}})
	for src, want := range map[string]int{
		`any(html.xpath(body.html, "//a").nodes, true)`:  0,
		`any(html.xpath(body.html, "//a[").nodes, true)`: 1,
	} {
		if p := c.Check(syntax.Parse(src), check.WantBool); len(p.Diagnostics) != want {
			t.Errorf("%s: %s", src, report(p))
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(`type.inbound and any(attachments, .file_type in ("pdf", 'doc') and not ..x is null)`)
	f.Add("3 of (a, -1 + 2.5 < b[0]['k'][1:], f(x, y=[1,]))")
	f.Add(`regex.icontains(subject.subject, '(?=a)', "*") == null and any($org_vips, .email =~ sender.email.email)`)
	f.Add(`flatten(map(filter(distinct(headers.hops, .index), any(.fields, ..index < 3)), .fields))[0].name`)
	f.Add(`sum(keys(values(coalesce(strings.parse_json("{}"), null, [[]])))) / 0 > length(.)`)
	f.Fuzz(func(t *testing.T, src string) {
		file := syntax.Parse(src)
		c := check.New(nil)
		for _, want := range []check.Want{check.WantBool, check.WantAny} {
			p := c.Check(file, want)
			for _, d := range p.Diagnostics {
				if d.Span.Start < 0 || d.Span.End < d.Span.Start || d.Span.End > len(src) || d.Message.IsZero() {
					t.Fatalf("diagnostic at %v of %d: %v", d.Span, len(src), d.Message)
				}
			}
			if !p.OK() {
				continue
			}
			// A program without errors is typed throughout.
			syntax.Walk(file.Root, func(e syntax.Expr) bool {
				if p.Type(e) == nil {
					t.Fatalf("%q has no type", file.Text(e.Span()))
				}
				if c, ok := e.(*syntax.Call); ok && p.Function(c) == nil {
					t.Fatalf("%q calls nothing", file.Text(e.Span()))
				}
				return true
			})
			// Formatting changes nothing that matters.
			again := c.Check(syntax.Parse(syntax.Format(file)), want)
			if !again.OK() || again.Result.String() != p.Result.String() || again.Never.IsZero() != p.Never.IsZero() {
				t.Fatalf("formatted: %v", again.Diagnostics)
			}
		}
	})
}
