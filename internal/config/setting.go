package config

import (
	"net/netip"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/news/source"
	"github.com/sekisho/sekisho/org"
)

// Form says how a setting is written.
type Form string

// The forms of settings.
const (
	One       Form = "one"       // a single value
	Many      Form = "many"      // a list of values; separated by commas in the environment
	Structure Form = "structure" // a list of entries with keys; YAML in one line in the environment
)

// Setting is a key of sekisho.yaml that takes a value.
type Setting struct {
	Key     string       // with its sections: "organisation.mail.mx"
	Env     string       // the variable that means the same
	Form    Form         // how the environment spells it
	Example string       // a value in YAML
	Doc     lang.Message // what it is for
}

// Settings lists all settings in the order of the file.
func Settings() []Setting {
	var all []Setting
	for _, s := range settings() {
		all = append(all, Setting{Key: s.key, Env: envName(s.key), Form: s.form, Example: s.example, Doc: doc(s.key)})
	}
	return all
}

func doc(key string) lang.Message { return lang.M("config.doc." + key) }

const (
	envPrefix = "SEKISHO_"
	envConfig = "SEKISHO_CONFIG"
)

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// setting is a row of the schema.
type setting struct {
	key     string
	form    Form
	example string
	read    func(v value, c *Config)
}

// value is a node with who reads it.
type value struct {
	*reader
	node *yaml.Node
	key  string
}

// settings is the schema: file, environment, flags and template follow it.
func settings() []setting {
	return []setting{
		{"organisation.name", One, "Kiso Works", fact(func(f *org.Facts) *org.Setting[string] { return &f.Name }, value.text)},
		{"organisation.domains", Many, "[kiso-works.example, kiso-works.onmicrosoft.com]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.Domains }, list(value.ownDomain))},
		{"organisation.tenant_id", One, "00000000-0000-0000-0000-000000000000", fact(func(f *org.Facts) *org.Setting[string] { return &f.TenantID }, value.guid)},
		{"organisation.shared_tenants", Many, "[00000000-0000-0000-0000-000000000001]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.SharedTenants }, list(value.guid))},
		{"organisation.people", One, "people.csv", fact(func(f *org.Facts) *org.Setting[[]org.Person] { return &f.People }, value.people)},
		{"organisation.products", Many, "[microsoft-365, windows-11, acrobat, zoom]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.Products }, list(value.slug))},
		{"organisation.bulk_sender", One, "unknown", fact(func(f *org.Facts) *org.Setting[string] { return &f.BulkSender }, choice("yes", "no", "unknown"))},
		{"organisation.contacts.it.name", One, "IT desk", contact("it", func(p *org.Contact) *string { return &p.Name }, value.text)},
		{"organisation.contacts.it.extension", One, `"1234"`, contact("it", func(p *org.Contact) *string { return &p.Extension }, value.text)},
		{"organisation.contacts.it.mail", One, "it@kiso-works.example", contact("it", func(p *org.Contact) *string { return &p.Mail }, value.mail)},
		{"organisation.contacts.security_officer.name", One, "Hanako Sato", contact("security_officer", func(p *org.Contact) *string { return &p.Name }, value.text)},
		{"organisation.contacts.security_officer.extension", One, `"1235"`, contact("security_officer", func(p *org.Contact) *string { return &p.Extension }, value.text)},
		{"organisation.contacts.security_officer.mail", One, "sato@kiso-works.example", contact("security_officer", func(p *org.Contact) *string { return &p.Mail }, value.mail)},
		{"organisation.report.how", One, "forward-as-attachment", report(func(r *org.Report) *string { return &r.How }, choice(reportForward, reportButton))},
		{"organisation.report.to", One, "it@kiso-works.example", report(func(r *org.Report) *string { return &r.To }, value.mail)},
		{"organisation.banks", Many, "[Kiso Bank, Kiso Card]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.Banks }, list(value.text))},
		{"organisation.systems", Many, "[Accounting, Payroll]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.Systems }, list(value.text))},
		{"organisation.country", One, "JP", fact(func(f *org.Facts) *org.Setting[string] { return &f.Country }, value.country)},
		{"organisation.mail.mx", Many, "[kiso-works-example.mail.protection.outlook.com]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.MX }, list(value.domain))},
		{"organisation.mail.gateways", Many, "[192.0.2.0/24]", fact(func(f *org.Facts) *org.Setting[[]netip.Prefix] { return &f.Gateways }, list(value.prefix))},
		{"organisation.mail.connectors", Structure, "[{name: printers, type: on-premises, ips: [198.51.100.10]}]", fact(func(f *org.Facts) *org.Setting[[]org.Connector] { return &f.Connectors }, list(value.connector))},
		{"organisation.mail.allow", Structure, "[{from: survey.example, dkim: survey.example}]", fact(func(f *org.Facts) *org.Setting[[]org.AllowPair] { return &f.Allow }, list(value.allowPair))},
		{"organisation.mail.reject_direct_send", One, "false", fact(func(f *org.Facts) *org.Setting[bool] { return &f.RejectDirectSend }, value.yesNo)},
		{"organisation.mail.trusted_arc_sealers", Many, "[microsoft.com]", fact(func(f *org.Facts) *org.Setting[[]string] { return &f.ARCSealers }, list(value.domain))},
		{"rules", Structure, "[{path: rules/}]", plain(func(c *Config) *[]RuleSource { return &c.Rules }, list(value.ruleSource))},
		{"lists", Many, "[lists/]", plain(func(c *Config) *[]string { return &c.Lists }, oneOrMany(value.path))},
		{"news.sources", Structure, "[{id: northwind, url: \"https://northwind.example/security.xml\", format: rss}]", plain(func(c *Config) *[]source.Source { return &c.News }, value.newsSources)},
		{"advisory.approvals", One, "1", plain(func(c *Config) *int { return &c.Approval.Approvals }, value.approvals)},
		{"advisory.editors", Many, "[Kenichi Sato]", plain(func(c *Config) *[]string { return &c.Approval.Editors }, list(value.person))},
		{"advisory.approvers", Many, "[Misaki Tanaka, Hanako Sato]", plain(func(c *Config) *[]string { return &c.Approval.Approvers }, list(value.person))},
		{"webhooks", Structure, "[{name: it-team, url: \"https://hooks.example/services/xyz\", kind: slack}]", plain(func(c *Config) *[]desk.Webhook { return &c.Webhooks }, value.webhooks)},
		{"dmarc.sources", One, "senders.csv", plain(func(c *Config) *string { return &c.DMARC.Sources }, value.path)},
		{"intake.smtp.listen", One, "127.0.0.1:2525", plain(func(c *Config) *string { return &c.Intake.SMTP.Listen }, value.listen)},
		{"intake.smtp.recipients", Many, "[report@kiso-works.example]", plain(func(c *Config) *[]string { return &c.Intake.SMTP.Recipients }, list(value.recipient))},
		{"intake.smtp.allow", Many, "[192.0.2.25/32]", plain(func(c *Config) *[]netip.Prefix { return &c.Intake.SMTP.Allow }, list(value.prefix))},
		{"intake.smtp.tls.cert", One, "tls/cert.pem", plain(func(c *Config) *string { return &c.Intake.SMTP.Cert }, value.path)},
		{"intake.smtp.tls.key", One, "tls/key.pem", plain(func(c *Config) *string { return &c.Intake.SMTP.Key }, value.path)},
		{"intake.milter.listen", One, "127.0.0.1:8894", plain(func(c *Config) *string { return &c.Intake.Milter.Listen }, value.listen)},
		{"intake.milter.name", One, "mx.kiso-works.example", plain(func(c *Config) *string { return &c.Intake.Milter.Name }, value.domain)},
		{"intake.milter.policy.malicious", One, "quarantine", plain(func(c *Config) *string { return &c.Intake.Milter.Malicious }, choice(MilterTag, MilterQuarantine, MilterReject))},
		{"intake.milter.policy.suspicious", One, "tag", plain(func(c *Config) *string { return &c.Intake.Milter.Suspicious }, choice(MilterTag, MilterQuarantine, MilterReject))},
		{"intake.milter.on_failure", One, "accept", plain(func(c *Config) *string { return &c.Intake.Milter.OnFailure }, choice(MilterAccept, MilterTempfail))},
		{"intake.milter.keep", One, "suspicious", plain(func(c *Config) *string { return &c.Intake.Milter.Keep }, choice(KeepNone, KeepMalicious, KeepSuspicious, KeepAll))},
		{"intake.milter.timeout", One, "10s", plain(func(c *Config) *time.Duration { return &c.Intake.Milter.Timeout }, value.timeout)},
		{"intake.milter.allow", Many, "[192.0.2.25/32]", plain(func(c *Config) *[]netip.Prefix { return &c.Intake.Milter.Allow }, list(value.prefix))},
		{"intake.watch", Many, "[drop/]", plain(func(c *Config) *[]string { return &c.Intake.Watch }, oneOrMany(value.path))},
		{"intake.mailboxes", Structure, "[{name: reports, kind: graph, address: report@kiso-works.example, client: 00000000-0000-0000-0000-000000000002}]", plain(func(c *Config) *[]desk.MailboxSetting { return &c.Intake.Mailboxes }, value.mailboxes)},
		{"outgoing.smtp.server", One, "smtp.kiso-works.example:587", plain(func(c *Config) *string { return &c.Outgoing.Server }, value.smtpServer)},
		{"outgoing.smtp.tls", One, "starttls", plain(func(c *Config) *string { return &c.Outgoing.TLS }, choice(SMTPStartTLS, SMTPImplicit, SMTPNoTLS))},
		{"outgoing.smtp.user", One, "sekisho@kiso-works.example", plain(func(c *Config) *string { return &c.Outgoing.User }, value.text)},
		{"outgoing.smtp.secret_env", One, "SMTP_PASSWORD", plain(func(c *Config) *string { return &c.Outgoing.SecretEnv }, value.variable)},
		{"outgoing.smtp.secret_file", One, "smtp-password", plain(func(c *Config) *string { return &c.Outgoing.SecretFile }, value.path)},
		{"outgoing.smtp.from", One, "sekisho@kiso-works.example", plain(func(c *Config) *string { return &c.Outgoing.From }, value.mail)},
		{"replies.mode", One, "approve", plain(func(c *Config) *desk.ReplyMode { return &c.Replies.Mode }, value.replyMode)},
		{"replies.only", Many, "[malicious, suspicious, clean]", plain(func(c *Config) *[]desk.Word { return &c.Replies.Only }, list(value.verdict))},
		{"replies.per_reporter", One, "5", plain(func(c *Config) *int { return &c.Replies.PerReporter }, value.count)},
		{"replies.per_hour", One, "60", plain(func(c *Config) *int { return &c.Replies.PerHour }, value.count)},
		{"summary.to", Many, "[it@kiso-works.example]", plain(func(c *Config) *[]string { return &c.Summary.To }, oneOrMany(value.mail))},
		{"summary.at", One, `"08:30"`, plain(func(c *Config) *int { return &c.Summary.At }, value.timeOfDay)},
		{"summary.lang", One, "ja", plain(func(c *Config) *lang.Language { return &c.Summary.Lang }, value.language)},
		{"dns.server", One, "192.0.2.53", plain(func(c *Config) *string { return &c.DNS.Server }, value.server)},
		{"dns.timeout", One, "3s", plain(func(c *Config) *time.Duration { return &c.DNS.Timeout }, value.timeout)},
		{"limits.message_size", One, "48MiB", plain(func(c *Config) *int { return &c.Limits.MessageSize }, value.size)},
		{"retention.mail", One, "90d", plain(func(c *Config) *time.Duration { return &c.Keep.Mail }, value.days)},
		{"retention.reports", One, "400d", plain(func(c *Config) *time.Duration { return &c.Keep.Reports }, value.days)},
		{"retention.news", One, "400d", plain(func(c *Config) *time.Duration { return &c.Keep.News }, value.days)},
		{"retro.days", One, "30", plain(func(c *Config) *int { return &c.Retro.Days }, value.retroDays)},
		{"server.url", One, "https://desk.kiso-works.example/", plain(func(c *Config) *string { return &c.Server.URL }, value.serverURL)},
		{"server.token_env", One, "SEKISHO_TOKEN", plain(func(c *Config) *string { return &c.Server.TokenEnv }, value.variable)},
		{"data", One, "sekisho-data", plain(func(c *Config) *string { return &c.DataDir }, value.path)},
		{"language", One, "auto", plain(func(c *Config) *lang.Language { return &c.Language }, value.language)},
	}
}

// exampleIn returns the example of a setting for readers of language l.
func exampleIn(l lang.Language, s setting) string {
	if l == lang.JA {
		switch s.key {
		case "organisation.name":
			return "木曽工業株式会社"
		case "organisation.contacts.it.name":
			return "情報システム担当"
		case "organisation.contacts.security_officer.name":
			return "佐藤 花子"
		case "organisation.banks":
			return "[木曽銀行, 木曽カード]"
		case "organisation.systems":
			return "[会計クラウド, 給与明細]"
		case "advisory.editors":
			return "[佐藤 健一]"
		case "advisory.approvers":
			return "[田中 美咲, 佐藤 花子]"
		}
	}
	return s.example
}

// The ways in which staff report a mail.
const (
	reportForward = "forward-as-attachment"
	reportButton  = "outlook-button"
)

// fact reads into a setting of the organisation.
func fact[T any](place func(*org.Facts) *org.Setting[T], read func(value) (T, bool)) func(value, *Config) {
	return func(v value, c *Config) {
		if x, ok := read(v); ok {
			*place(&c.Facts) = org.Of(x)
		}
	}
}

// plain reads into a field of the configuration.
func plain[T any](place func(*Config) *T, read func(value) (T, bool)) func(value, *Config) {
	return func(v value, c *Config) {
		if x, ok := read(v); ok {
			*place(c) = x
		}
	}
}

func contact(role string, place func(*org.Contact) *string, read func(value) (string, bool)) func(value, *Config) {
	return func(v value, c *Config) {
		x, ok := read(v)
		if !ok {
			return
		}
		all, set := c.Facts.Contacts.Get()
		if !set {
			all = map[string]org.Contact{}
			c.Facts.Contacts = org.Of(all)
		}
		who := all[role]
		*place(&who) = x
		all[role] = who
	}
}

func report(place func(*org.Report) *string, read func(value) (string, bool)) func(value, *Config) {
	return func(v value, c *Config) {
		if x, ok := read(v); ok {
			r := c.Facts.Report.Value()
			*place(&r) = x
			c.Facts.Report = org.Of(r)
		}
	}
}
