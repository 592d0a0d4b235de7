package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

var cmpFacts = cmp.Options{
	cmp.AllowUnexported(
		org.Setting[string]{}, org.Setting[bool]{}, org.Setting[[]string]{}, org.Setting[[]org.Person]{}, org.Setting[[]netip.Prefix]{},
		org.Setting[[]org.Connector]{}, org.Setting[[]org.AllowPair]{}, org.Setting[org.Report]{}, org.Setting[map[string]org.Contact]{},
	),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// say returns the two lines that a user sees, with the folder of the test
// taken out.
func say(t *testing.T, err error, l lang.Language, dir string) string {
	t.Helper()
	e, ok := errors.AsType[*desk.Error](err)
	if !ok {
		t.Fatalf("got %v, want a desk.Error", err)
	}
	c := lang.Default()
	s := c.Say(l, e.Message)
	if !e.Hint.IsZero() {
		s += "\n" + c.Say(l, e.Hint)
	}
	return strings.ReplaceAll(s, dir+string(filepath.Separator), "")
}

const whole = `
organisation:
  name: 木曽工業株式会社
  domains: [KISO-works.example, kiso-works.onmicrosoft.com, 木曽.example]
  tenant_id: 8C1F3A52-0B7E-4D11-9A50-6D0C4B1E2F77
  shared_tenants: ["{8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2f78}"]
  people: staff/people.csv
  products: [microsoft-365, Windows-11]
  bulk_sender: no
  contacts:
    it: {name: 情報システム担当, extension: 0123, mail: IT@kiso-works.example}
    security_officer: {name: "", mail: ""}
  report: {how: outlook-button}
  banks: []
  systems:
    - 会計クラウド
    - Payroll
  country: no
  mail:
    mx: [Kiso-Works-Example.mail.protection.outlook.com.]
    gateways: [192.0.2.0/24, "2001:db8::5", "::ffff:192.0.2.9"]
    connectors:
      - {name: printers, type: OnPremises, ips: [198.51.100.10]}
      - name: partner
        type: partner
        certificates: ["*.partner.example"]
    allow: [{from: survey.example, dkim: survey.example}]
    reject_direct_send: off
    trusted_arc_sealers: [microsoft.com]
rules: [{path: rules/}, {feed: "https://example.com/rules.git", pin: "sha256:` + digits + `"}]
dns: {server: "2001:db8::53", timeout: 1500ms}
limits: {message_size: 20MB}
retention: {mail: 90d, reports: 400d}
data: store
language: JA
`

const digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestLoadWhole(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "staff"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "staff/people.csv", "\ufeffemail,display_name,role,department\r\nSato@Kiso-Works.example,\"佐藤, 花子\",VIP,\r\n,社長,\r\n,,\r\n")
	write(t, dir, "sekisho.yaml", whole)
	c, err := config.Load(&config.Options{WorkDir: dir, StateDir: "unused"})
	if err != nil {
		t.Fatal(err)
	}
	want := org.Facts{
		Name:          org.Of("木曽工業株式会社"),
		Domains:       org.Of([]string{"kiso-works.example", "kiso-works.onmicrosoft.com", "xn--wovqd.example"}),
		TenantID:      org.Of("8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2f77"),
		SharedTenants: org.Of([]string{"8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2f78"}),
		People: org.Of([]org.Person{
			{DisplayName: "佐藤, 花子", Address: "sato@kiso-works.example", Role: "vip"},
			{DisplayName: "社長"},
		}),
		Products:   org.Of([]string{"microsoft-365", "windows-11"}),
		BulkSender: org.Of("no"),
		Contacts:   org.Of(map[string]org.Contact{"it": {Name: "情報システム担当", Extension: "0123", Mail: "it@kiso-works.example"}}),
		Report:     org.Of(org.Report{How: "outlook-button"}),
		Banks:      org.Of([]string{}),
		Systems:    org.Of([]string{"会計クラウド", "Payroll"}),
		Country:    org.Of("NO"),
		MX:         org.Of([]string{"kiso-works-example.mail.protection.outlook.com"}),
		Gateways:   org.Of([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::5/128"), netip.MustParsePrefix("192.0.2.9/32")}),
		Connectors: org.Of([]org.Connector{
			{Name: "printers", Type: "on-premises", IPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.10/32")}},
			{Name: "partner", Type: "partner", Certificates: []string{"*.partner.example"}},
		}),
		Allow:            org.Of([]org.AllowPair{{From: "survey.example", DKIM: "survey.example"}}),
		RejectDirectSend: org.Of(false),
		ARCSealers:       org.Of([]string{"microsoft.com"}),
	}
	if diff := cmp.Diff(want, c.Facts, cmpFacts); diff != "" {
		t.Error(diff)
	}
	type rest struct {
		Language lang.Language
		DataDir  string
		DNS      config.DNS
		Rules    []config.RuleSource
		Limits   config.Limits
		File     string
	}
	wantRest := rest{
		Language: lang.JA,
		DataDir:  filepath.Join(dir, "store"),
		DNS:      config.DNS{Server: "[2001:db8::53]:53", Timeout: 1500 * time.Millisecond},
		Rules:    []config.RuleSource{{Path: filepath.Join(dir, "rules")}, {Feed: "https://example.com/rules.git", Pin: "sha256:" + digits}},
		Limits:   config.Limits{MessageSize: 20_000_000},
		File:     filepath.Join(dir, "sekisho.yaml"),
	}
	if diff := cmp.Diff(wantRest, rest{c.Language, c.DataDir, c.DNS, c.Rules, c.Limits, c.File}); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(filepath.Join(dir, "sekisho.yaml")+":3:9", c.Source("organisation.name")); diff != "" {
		t.Error(diff)
	}
}

func TestLoadNothing(t *testing.T) {
	for _, tc := range []struct{ name, file string }{
		{"NoFile", ""},
		{"Empty", "\n"},
		{"CommentsOnly", "# nothing\n"},
		{"EmptyMapping", "{}"},
		{"ByteOrderMark", "\ufefflanguage: auto\n"},
		{"NullSections", "organisation:\n  mail:\n  domains:\ndns:\nrules: ~\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.file != "" {
				write(t, dir, "sekisho.yaml", tc.file)
			}
			state := t.TempDir()
			c, err := config.Load(&config.Options{WorkDir: dir, StateDir: state})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(org.Facts{}, c.Facts, cmpFacts); diff != "" {
				t.Error(diff)
			}
			if c.DataDir != filepath.Join(state, "sekisho") || c.DNS.Timeout != 3*time.Second || c.DNS.Server != "" || c.Limits.MessageSize != 48<<20 || c.Language != "" || c.Rules != nil {
				t.Errorf("defaults: %+v", c)
			}
			if (c.File == "") != (tc.file == "") {
				t.Errorf("file %q", c.File)
			}
		})
	}
	if _, err := config.Load(nil); err != nil {
		t.Error(err)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"UnknownKey", "organisation:\n  naem: x\n", "sekisho.yaml:2:3: there is no setting organisation.naem\ndid you mean name?"},
		{"UnknownCamelCase", "organisation:\n  tenantId: x\n", "sekisho.yaml:2:3: there is no setting organisation.tenantId\ndid you mean tenant_id?"},
		{"UnknownElsewhere", "organisation:\n  mx: [a.example]\n", "sekisho.yaml:2:3: there is no setting organisation.mx\nthe setting is organisation.mail.mx: put it into that section"},
		{"SectionElsewhere", "mail: {mx: []}\n", "sekisho.yaml:1:1: there is no setting mail\nthe setting is organisation.mail: put it into that section"},
		{"UnknownAtAll", "colour: blue\n", "sekisho.yaml:1:1: there is no setting colour\nthe settings here are: organisation, rules, lists, news, advisory, webhooks, dmarc, intake, outgoing, replies, summary, dns, limits, retention, retro, server, data, language"},
		{"UnknownInEntry", "organisation:\n  mail:\n    connectors:\n      - {naem: x}\n", "sekisho.yaml:4:10: there is no setting organisation.mail.connectors.naem\ndid you mean name?"},
		{"DuplicateKey", "language: ja\ndns:\nlanguage: en\n", "sekisho.yaml:3:1: language is given twice (first in line 1)\nkeep one of the two lines"},
		{"DuplicateSection", "dns: {server: 192.0.2.1}\ndns: {timeout: 3s}\n", "sekisho.yaml:2:1: dns is given twice (first in line 1)\nkeep one of the two lines"},
		{"TextForList", "organisation:\n  domains: kiso-works.example\n", "sekisho.yaml:2:12: organisation.domains must be a list\nwrite a list in brackets: [kiso-works.example]"},
		{"MappingForList", "organisation:\n  domains: {a: b}\n", "sekisho.yaml:2:12: organisation.domains must be a list"},
		{"ListForText", "organisation:\n  name: [a]\n", "sekisho.yaml:2:9: organisation.name must be a single value"},
		{"TextForSection", "organisation: kiso\n", "sekisho.yaml:1:15: organisation must be a section with settings below it"},
		{"TextForEntry", "rules: [rules/]\n", "sekisho.yaml:1:9: rules must be a list of entries with keys"},
		{"NullEntry", "organisation:\n  domains: [~]\n", "sekisho.yaml:2:13: organisation.domains must be a single value"},
		{"EmptyEntry", "organisation:\n  banks: ['']\n", `sekisho.yaml:2:11: organisation.banks: "" is an empty entry`},
		{"NoSettings", "just words\n", "sekisho.yaml:1:1: this is no settings file: it holds no \"key: value\" lines\nsekisho init writes a settings file with explanations"},
		{"TwoDocuments", "language: ja\n---\nlanguage: en\n", "sekisho.yaml:2:1: a second document starts here (\"---\"); the file holds one"},
		{"Alias", "organisation: &a\n  name: x\ndns: *a\n", "sekisho.yaml:3:6: *a: YAML anchors and aliases cannot be used here"},
		{"MergeKey", "organisation:\n  <<: {name: x}\n", "sekisho.yaml:2:3: there is no setting organisation.<<"},
		{"KeyIsList", "? [a]\n: b\n", "sekisho.yaml:1:3: this key is not a plain word\ncheck the indentation, the colons and the quotes near this line"},
		{"Syntax", "organisation:\n  name: 'x\n", "sekisho.yaml:2: not valid YAML (found unexpected end of stream)\ncheck the indentation, the colons and the quotes near this line"},
		{"Tab", "organisation:\n\tname: x\n", "sekisho.yaml:2: not valid YAML (found character that cannot start any token)\nYAML is indented with spaces, and this file has a tab"},
		{"ShiftJIS", "organisation:\n  name: \x96\xd8\x91\x5d\n", "sekisho.yaml:2: not UTF-8 text\nsave the file as UTF-8 (in Notepad: Save as, Encoding)"},
		{"Domain", "organisation:\n  domains: [kiso works.example]\n", `sekisho.yaml:2:13: organisation.domains: "kiso works.example" is not a domain name`},
		{"DomainIsMail", "organisation:\n  domains: [it@kiso-works.example]\n", "sekisho.yaml:2:13: organisation.domains: \"it@kiso-works.example\" is not a domain name\nwrite the domain alone: kiso-works.example"},
		{"DomainIsURL", "organisation:\n  domains: ['https://kiso-works.example/']\n", "sekisho.yaml:2:13: organisation.domains: \"https://kiso-works.example/\" is not a domain name\nwrite the domain alone, without https:// and path"},
		{"DomainIsAddress", "organisation:\n  domains: [192.0.2.1]\n", `sekisho.yaml:2:13: organisation.domains: "192.0.2.1" is an IP address, not a domain`},
		{"DomainOneLabel", "organisation:\n  domains: [kiso]\n", `sekisho.yaml:2:13: organisation.domains: "kiso" is not a domain name`},
		{"DomainPublicSuffix", "organisation:\n  domains: [onmicrosoft.com]\n", "sekisho.yaml:2:13: organisation.domains: \"onmicrosoft.com\" belongs to many organisations or people, not to one\n"},
		{"DomainFreeMail", "organisation:\n  domains: [gmail.com]\n", "sekisho.yaml:2:13: organisation.domains: \"gmail.com\" belongs to many organisations or people, not to one\n"},
		{"TenantID", "organisation:\n  tenant_id: 1234\n", "sekisho.yaml:2:14: organisation.tenant_id: \"1234\" is not a tenant ID\n"},
		{"TenantIDNoHex", "organisation:\n  tenant_id: 8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2g77\n", "sekisho.yaml:2:14: organisation.tenant_id: \"8c1f3a52-0b7e-4d11-9a50-6d0c4b1e2g77\" is not a tenant ID\n"},
		{"Product", "organisation:\n  products: [Windows 11]\n", "sekisho.yaml:2:14: organisation.products: \"Windows 11\" is not a product identifier\n"},
		{"BulkSender", "organisation:\n  bulk_sender: maybe\n", "sekisho.yaml:2:16: organisation.bulk_sender: \"maybe\" is not one of the choices\nchoose one of: yes, no, unknown"},
		{"Mail", "organisation:\n  contacts: {it: {mail: kiso-works.example}}\n", `sekisho.yaml:2:25: organisation.contacts.it.mail: "kiso-works.example" is not a mail address`},
		{"ReportNoWay", "organisation:\n  report: {to: it@kiso-works.example}\n", "sekisho.yaml:2:16: organisation.report lacks how\nchoose one of: forward-as-attachment, outlook-button"},
		{"ReportNoAddress", "organisation:\n  report: {how: forward-as-attachment}\n", "sekisho.yaml:2:17: organisation.report lacks to\n"},
		{"Country", "organisation:\n  country: Japan\n", "sekisho.yaml:2:12: organisation.country: \"Japan\" is not a country code\n"},
		{"CountryUnassigned", "organisation:\n  country: ZZ\n", "sekisho.yaml:2:12: organisation.country: \"ZZ\" is not a country code\n"},
		{"Network", "organisation:\n  mail: {gateways: [192.0.2.0/33]}\n", "sekisho.yaml:2:21: organisation.mail.gateways: \"192.0.2.0/33\" is neither an IP address nor a network\n"},
		{"NetworkHostBits", "organisation:\n  mail: {gateways: [192.0.2.5/24]}\n", "sekisho.yaml:2:21: organisation.mail.gateways: \"192.0.2.5/24\" is an address inside a network, not the network\ndid you mean 192.0.2.0/24?"},
		{"NetworkEverybody", "organisation:\n  mail: {gateways: [0.0.0.0/0]}\n", "sekisho.yaml:2:21: organisation.mail.gateways: \"0.0.0.0/0\" covers the whole internet\n"},
		{"NetworkZone", "organisation:\n  mail: {gateways: ['fe80::1%eth0']}\n", "sekisho.yaml:2:21: organisation.mail.gateways: \"fe80::1%eth0\" is neither an IP address nor a network\n"},
		{"ConnectorNoType", "organisation:\n  mail: {connectors: [{ips: [192.0.2.1]}]}\n", "sekisho.yaml:2:23: organisation.mail.connectors lacks type\nchoose one of: on-premises, partner"},
		{"ConnectorNoProof", "organisation:\n  mail: {connectors: [{type: partner}]}\n", "sekisho.yaml:2:23: organisation.mail.connectors lacks ips\n"},
		{"ConnectorType", "organisation:\n  mail: {connectors: [{type: printer, ips: [192.0.2.1]}]}\n", "sekisho.yaml:2:30: organisation.mail.connectors.type: \"printer\" is not one of the choices\nchoose one of: on-premises, partner"},
		{"Certificate", "organisation:\n  mail: {connectors: [{type: partner, certificates: ['*']}]}\n", "sekisho.yaml:2:54: organisation.mail.connectors.certificates: \"*\" is not a domain name\n"},
		{"AllowNoProof", "organisation:\n  mail: {allow: [{from: survey.example}]}\n", "sekisho.yaml:2:18: organisation.mail.allow lacks dkim\n"},
		{"AllowNoFrom", "organisation:\n  mail: {allow: [{dkim: survey.example}]}\n", "sekisho.yaml:2:18: organisation.mail.allow lacks from\n"},
		{"AllowSharedSigner", "organisation:\n  mail: {allow: [{from: survey.example, dkim: gmail.com}]}\n", "sekisho.yaml:2:47: organisation.mail.allow.dkim: \"gmail.com\" belongs to many organisations or people, not to one\n"},
		{"RejectDirectSend", "organisation:\n  mail: {reject_direct_send: maybe}\n", "sekisho.yaml:2:30: organisation.mail.reject_direct_send: \"maybe\" is not one of the choices\nchoose one of: true, false"},
		{"RuleNoSource", "rules: [{pin: 'sha256:" + digits + "'}]\n", "sekisho.yaml:1:9: rules lacks path\n"},
		{"RulePackAndPath", "rules: [{pack: sekisho, path: a}]\n", "sekisho.yaml:1:9: rules: pack stands alone, with off\n"},
		{"RuleOffAlone", "rules: [{path: a, off: true}]\n", "sekisho.yaml:1:9: rules: pack stands alone, with off\n"},
		{"RulePackUnknown", "rules: [{pack: other}]\n", "sekisho.yaml:1:16: rules.pack: \"other\" is not one of the choices\n"},
		{"RulePathAndFeed", "rules: [{path: a, feed: 'https://example.com/'}]\n", "sekisho.yaml:1:9: rules: an entry has either path or feed\n"},
		{"RuleFeedHTTP", "rules: [{feed: 'http://example.com/'}]\n", `sekisho.yaml:1:16: rules.feed: "http://example.com/" is not an https address`},
		{"RuleFeedPassword", "rules: [{feed: 'https://me:pw@example.com/'}]\n", `sekisho.yaml:1:16: rules.feed: "https://me:pw@example.com/" holds a user name or a password; those do not belong in this file`},
		{"RulePin", "rules: [{feed: 'https://example.com/', pin: 'sha256:12'}]\n", `sekisho.yaml:1:45: rules.pin: "sha256:12" is no pin: sha256: and 64 hex digits`},
		{"Server", "dns: {server: 'a b'}\n", "sekisho.yaml:1:15: dns.server: \"a b\" is not the address of a DNS server\nwrite 192.0.2.53 or 192.0.2.53:5353"},
		{"ServerPort", "dns: {server: '192.0.2.53:99999'}\n", "sekisho.yaml:1:15: dns.server: \"192.0.2.53:99999\" is not the address of a DNS server\nwrite 192.0.2.53 or 192.0.2.53:5353"},
		{"TimeoutNoUnit", "dns: {timeout: 3}\n", "sekisho.yaml:1:16: dns.timeout: \"3\" is not a length of time\ndid you mean 3s?"},
		{"TimeoutRange", "dns: {timeout: 1h}\n", `sekisho.yaml:1:16: dns.timeout: "1h" is not between 100ms and 1m0s`},
		{"Days", "retention: {mail: 3 months}\n", "sekisho.yaml:1:19: retention.mail: \"3 months\" is not a number of days\nwrite days as 90d"},
		{"DaysUnit", "retention: {mail: 90}\n", "sekisho.yaml:1:19: retention.mail: \"90\" is not a number of days\ndid you mean 90d?"},
		{"DaysRange", "retention: {news: 0d}\n", `sekisho.yaml:1:19: retention.news: "0d" is not between 1d and 10000d`},
		{"Size", "limits: {message_size: big}\n", "sekisho.yaml:1:24: limits.message_size: \"big\" is not a size\nwrite a number with its unit: 48MiB"},
		{"SizeRange", "limits: {message_size: 2GiB}\n", "sekisho.yaml:1:24: limits.message_size: \"2GiB\" is not a size\n"},
		{"SizeSmall", "limits: {message_size: 1k}\n", `sekisho.yaml:1:24: limits.message_size: "1k" is not between 64KiB and 1GiB`},
		{"Language", "language: fr\n", "sekisho.yaml:1:11: language: \"fr\" is not one of the choices\nchoose one of: auto, en, ja"},
		{"ControlCharacter", "data: \"a\\x1b[31m\"\n", `sekisho.yaml:1:7: data: ""a\x1b[31m"" holds a line break or a control character`},
		{"Long", "organisation: {name: " + strings.Repeat("x", 501) + "}\n", `sekisho.yaml:1:22: organisation.name: "` + strings.Repeat("x", 80) + `…" is longer than 500 characters`},
		{"FirstOfSeveral", "dns: {timeout: x}\nlanguage: fr\ncolour: x\n", "sekisho.yaml:1:16: dns.timeout: \"x\" is not a length of time\n"},
		{"PeopleMissing", "organisation:\n  people: none.csv\n", "sekisho.yaml:2:11: the list of people none.csv does not exist\na CSV file whose first line is display_name,email,role"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sekisho.yaml", tc.file)
			_, err := config.Load(&config.Options{WorkDir: dir})
			if err == nil {
				t.Fatal("no error")
			}
			got := say(t, err, lang.EN, dir)
			// A want that ends in a line feed leaves the hint's words open.
			if strings.HasSuffix(tc.want, "\n") {
				got = got[:strings.IndexByte(got+"\n", '\n')] + "\n"
			} else if !strings.Contains(tc.want, "\n") {
				got, _, _ = strings.Cut(got, "\n")
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
			if e, _ := errors.AsType[*desk.Error](err); e.Kind != desk.Invalid {
				t.Errorf("kind %s", e.Kind)
			}
		})
	}
}

func TestErrorInJapanese(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", "organisation:\n  domains: [gmail.com]\n")
	_, err := config.Load(&config.Options{WorkDir: dir})
	want := "sekisho.yaml:2:13: organisation.domains: 「gmail.com」は多くの組織や個人が共用するドメインです\n" +
		"Microsoft 365 管理センターの「設定→ドメイン」にある自社のドメインを書いてください"
	if diff := cmp.Diff(want, say(t, err, lang.JA, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestPeopleErrors(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"Empty", "", "people.csv:1: the column display_name is missing"},
		{"NoEmail", "display_name,emial\n", "people.csv:1: the column email is missing"},
		{"ColumnTwice", "display_name,email,Email\n", "people.csv:1: the column email is there twice"},
		{"NoName", "display_name,email\n佐藤,sato@kiso-works.example\n,x@kiso-works.example\n", "people.csv:3: display_name is empty"},
		{"NoMail", "display_name,email\n\n佐藤,sato\n", `people.csv:3: "sato" is not a mail address`},
		{"Quote", "display_name,email\n\"佐藤,sato@kiso-works.example\n", "people.csv:2: not valid CSV"},
		{"ShiftJIS", "display_name,email\n\x8d\xb2\x93\xa1,sato@kiso-works.example\n", "people.csv:2: not UTF-8 text"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "people.csv", tc.file)
			write(t, dir, "sekisho.yaml", "organisation: {people: people.csv}\n")
			_, err := config.Load(&config.Options{WorkDir: dir})
			if err == nil {
				t.Fatal("no error")
			}
			got, _, _ := strings.Cut(say(t, err, lang.EN, dir), "\n")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSearch(t *testing.T) {
	work, user, other := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(user, "sekisho"), 0o700); err != nil {
		t.Fatal(err)
	}
	load := func(o config.Options) string {
		t.Helper()
		o.WorkDir, o.ConfigDir = work, user
		c, err := config.Load(&o)
		if err != nil {
			t.Fatal(err)
		}
		return c.Facts.Name.Value()
	}
	env := []string{"SEKISHO_CONFIG=" + filepath.Join(other, "env.yaml")}
	if got := load(config.Options{}); got != "" {
		t.Errorf("found %q in empty folders", got)
	}
	write(t, user, "sekisho/sekisho.yaml", "organisation: {name: user}")
	if got := load(config.Options{}); got != "user" {
		t.Errorf("got %q, want the user's", got)
	}
	write(t, work, "sekisho.yaml", "organisation: {name: work}")
	if got := load(config.Options{}); got != "work" {
		t.Errorf("got %q, want the working folder's", got)
	}
	write(t, other, "env.yaml", "organisation: {name: env}")
	if got := load(config.Options{Environ: env}); got != "env" {
		t.Errorf("got %q, want the environment's", got)
	}
	write(t, work, "my.yaml", "organisation: {name: flag}")
	if got := load(config.Options{Path: "my.yaml", Environ: env}); got != "flag" {
		t.Errorf("got %q, want the flag's", got)
	}
}

func TestNamedFile(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "big.yaml", strings.Repeat("#", 1<<20+1))
	for _, tc := range []struct {
		name, path string
		want       desk.ErrorKind
	}{
		{"Missing", "missing.yaml", desk.NotFound},
		{"Folder", ".", desk.Invalid},
		{"TooBig", "big.yaml", desk.Limit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Load(&config.Options{WorkDir: dir, Path: tc.path})
			e, ok := errors.AsType[*desk.Error](err)
			if !ok || e.Kind != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", "organisation: {name: file, domains: [file.example]}\ndns: {server: 192.0.2.1}\nlanguage: ja\n")
	c, err := config.Load(&config.Options{
		WorkDir: dir,
		Environ: []string{
			"SEKISHO_ORGANISATION_DOMAINS= A.example , b.example,",
			"SEKISHO_ORGANISATION_BANKS=[]",
			"SEKISHO_ORGANISATION_CONTACTS_SECURITY_OFFICER_NAME=佐藤: 花子",
			"SEKISHO_ORGANISATION_MAIL_CONNECTORS=[{name: printers, type: on-premises, ips: [198.51.100.10]}]",
			"SEKISHO_DNS_SERVER=192.0.2.2:5353",
			"SEKISHO_LANGUAGE=", // as good as unset
			"SEKISHO_DATA=store",
			"SEKISHO_SHARED=/elsewhere",
			"SEKISHO_SERVICE_HOST=192.0.2.9", // Kubernetes
			"OTHER=x",
		},
		Overrides: []config.Override{{Key: "dns.server", Value: "resolver.example", From: "--dns"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := org.Facts{
		Name:       org.Of("file"),
		Domains:    org.Of([]string{"a.example", "b.example"}),
		Banks:      org.Of([]string{}),
		Contacts:   org.Of(map[string]org.Contact{"security_officer": {Name: "佐藤: 花子"}}),
		Connectors: org.Of([]org.Connector{{Name: "printers", Type: "on-premises", IPs: []netip.Prefix{netip.MustParsePrefix("198.51.100.10/32")}}}),
	}
	if diff := cmp.Diff(want, c.Facts, cmpFacts); diff != "" {
		t.Error(diff)
	}
	got := []string{c.DNS.Server, string(c.Language), c.DataDir, c.Source("dns.server"), c.Source("data"), c.Source("organisation.banks"), c.Source("rules")}
	if diff := cmp.Diff([]string{"resolver.example:53", "ja", filepath.Join(dir, "store"), "--dns", "SEKISHO_DATA", "SEKISHO_ORGANISATION_BANKS", ""}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironmentErrors(t *testing.T) {
	for _, tc := range []struct{ name, variable, want string }{
		{"BadValue", "SEKISHO_LANGUAGE=fr", "SEKISHO_LANGUAGE: language: \"fr\" is not one of the choices\nchoose one of: auto, en, ja"},
		{"Misspelled", "SEKISHO_LANGUAG=ja", "SEKISHO_LANGUAG: there is no setting SEKISHO_LANGUAG\ndid you mean SEKISHO_LANGUAGE?"},
		{"BadEntry", "SEKISHO_ORGANISATION_DOMAINS=a.example,b", "SEKISHO_ORGANISATION_DOMAINS: organisation.domains: \"b\" is not a domain name"},
		{"BadYAML", "SEKISHO_RULES=[{path: 'x", "SEKISHO_RULES: not valid YAML (found unexpected end of stream)\ncheck the indentation, the colons and the quotes near this line"},
		{"NoUTF8", "SEKISHO_ORGANISATION_NAME=\x8d\xb2", "SEKISHO_ORGANISATION_NAME: not UTF-8 text\nsave the file as UTF-8 (in Notepad: Save as, Encoding)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			_, err := config.Load(&config.Options{WorkDir: dir, Environ: []string{tc.variable}})
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(tc.want, say(t, err, lang.EN, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := config.Load(&config.Options{WorkDir: t.TempDir(), Overrides: []config.Override{{Key: "dns.timeout", Value: "0", From: "--dns-timeout"}}})
	if got := say(t, err, lang.EN, ""); got != `--dns-timeout: dns.timeout: "0" is not between 100ms and 1m0s` {
		t.Error(got)
	}
}

func TestDirs(t *testing.T) {
	home := filepath.Join(t.TempDir(), "home")
	abs := filepath.Join(t.TempDir(), "x")
	for _, tc := range []struct {
		name, goos    string
		env           map[string]string
		config, state string
	}{
		{"Linux", "linux", map[string]string{"HOME": home}, filepath.Join(home, ".config"), filepath.Join(home, ".local", "state")},
		{"XDG", "freebsd", map[string]string{"HOME": home, "XDG_CONFIG_HOME": abs, "XDG_STATE_HOME": "relative"}, abs, filepath.Join(home, ".local", "state")},
		{"MacOS", "darwin", map[string]string{"HOME": home}, filepath.Join(home, "Library", "Application Support"), filepath.Join(home, "Library", "Application Support")},
		{"Windows", "windows", map[string]string{"AppData": "a", "LocalAppData": "b"}, "a", "b"},
		{"Nothing", "linux", nil, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, s := config.Dirs(tc.goos, func(k string) string { return tc.env[k] })
			if diff := cmp.Diff([]string{tc.config, tc.state}, []string{c, s}); diff != "" {
				t.Error(diff)
			}
		})
	}
}
