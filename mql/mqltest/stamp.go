package mqltest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/lang"
)

// stamps is what Exchange Online writes around a mail.
type stamps struct {
	kind     string // "" for none
	at       time.Time
	settings map[string]string
}

func stampKinds() []string {
	return []string{"pass", "none", "fail", "direct-send", "internal", "received"}
}

// set reads a setting of the form NAME=VALUE. The message says what is wrong.
func (s *stamps) set(text string) lang.Message {
	name, v, _ := strings.Cut(text, "=")
	switch name {
	case "at":
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return lang.M("mqltest.error.time", "time", v)
		}
		s.at = t
		return lang.Message{}
	case "ip":
		if _, err := netip.ParseAddr(v); err != nil {
			return lang.M("mqltest.error.network", "address", v)
		}
	case "scl":
		if _, err := strconv.Atoi(v); err != nil {
			return lang.M("mqltest.error.setting", "word", text)
		}
	case "helo", "mailfrom", "spf", "dkim", "dmarc", "action", "compauth", "cat", "sfv", "country", "lang":
		if v == "" || strings.ContainsAny(v, "\r\n;()") {
			return lang.M("mqltest.error.setting", "word", text)
		}
	default:
		return lang.M("mqltest.error.choice", "word", name, "known", "at, ip, helo, mailfrom, spf, dkim, dmarc, action, compauth, scl, cat, sfv, country, lang")
	}
	if s.kind == "" {
		return lang.M("mqltest.error.stamp-first", "word", text)
	}
	if s.settings == nil {
		s.settings = map[string]string{}
	}
	s.settings[name] = v
	return lang.Message{}
}

func (s *stamps) get(name, otherwise string) string {
	if v, ok := s.settings[name]; ok {
		return v
	}
	return otherwise
}

// What the servers in the fields are called. Exchange Online names them so in
// its Japanese region.
const (
	mailboxServer   = "TYCP286MB2560.JPNP286.PROD.OUTLOOK.COM"
	transportServer = "OS3P286MB3167.JPNP286.PROD.OUTLOOK.COM"
	edge            = "TY2PEPF0000AAF0"
	edgeServer      = edge + ".JPNP286.PROD.OUTLOOK.COM"
	inside          = "2603:1096:457:77::6"
	serverVersion   = "15.20.9343.14"
	ciphers         = "(version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384)"
	networkID       = "3ba0b595-bdee-4ff1-97d9-6fa2a544e158"
)

// envelope is how a mail came.
type envelope struct {
	ip, helo, sender  string // sender is MAIL FROM without brackets
	spfDomain, author string // domains
	spf, dkim, dmarc  string // results
	signer, action    string
	compauth, reason  string
}

// envelope fills in what the settings leave out.
func (s *stamps) envelope(m *mail) envelope {
	from := m.from()
	e := envelope{author: from.Domain, ip: s.get("ip", "203.0.113.7")}
	e.sender = strings.Trim(s.get("mailfrom", from.Addr()), "<>")
	_, e.spfDomain, _ = strings.Cut(e.sender, "@")
	if e.spfDomain == "" {
		e.spfDomain = e.author
	}
	e.helo = s.get("helo", "mail."+e.spfDomain)
	if e.sender == "" {
		e.spfDomain = e.helo
	}
	e.spf, e.dkim, e.dmarc, e.compauth = "pass", "pass:"+e.author, "pass", "pass:100"
	e.action = "none"
	switch s.kind {
	case "none":
		e.spf, e.dkim, e.dmarc, e.compauth = "none", "none", "none", "fail:001"
	case "fail":
		e.spf, e.dkim, e.dmarc, e.compauth, e.action = "fail", "none", "fail", "fail:000", "oreject"
	case "direct-send":
		e.spf, e.dkim, e.dmarc, e.compauth = "fail", "none", "fail", "fail:601"
	}
	e.spf, e.dmarc, e.action = s.get("spf", e.spf), s.get("dmarc", e.dmarc), s.get("action", e.action)
	e.dkim, e.signer, _ = strings.Cut(s.get("dkim", e.dkim), ":")
	if e.signer == "" {
		e.signer = e.author
	}
	e.compauth, e.reason, _ = strings.Cut(s.get("compauth", e.compauth), ":")
	return e
}

// results is the value of Authentication-Results.
func (e *envelope) results() string {
	mailFrom := "smtp.mailfrom=" + e.spfDomain
	if e.sender == "" {
		mailFrom = "smtp.helo=" + e.helo
	}
	dkim := "dkim=none (message not signed) header.d=none"
	switch e.dkim {
	case "none":
	case "pass":
		dkim = "dkim=pass (signature was verified) header.d=" + e.signer
	case "fail":
		dkim = "dkim=fail (body hash did not verify) header.d=" + e.signer
	default:
		dkim = "dkim=" + e.dkim + " header.d=" + e.signer
	}
	compauth := "compauth=" + e.compauth
	if e.reason != "" {
		compauth += " reason=" + e.reason
	}
	return fmt.Sprintf("spf=%s (sender IP is %s)\r\n %s; %s;dmarc=%s action=%s\r\n header.from=%s;%s", e.spf, e.ip, mailFrom, dkim, e.dmarc, e.action, e.author, compauth)
}

func (e *envelope) receivedSPF() string {
	tail := fmt.Sprintf("\r\n receiver=protection.outlook.com; client-ip=%s; helo=%s;", e.ip, e.helo)
	switch e.spf {
	case "pass":
		return fmt.Sprintf("Pass (protection.outlook.com: domain of %s\r\n designates %s as permitted sender)%s pr=C", e.spfDomain, e.ip, tail)
	case "fail":
		return fmt.Sprintf("Fail (protection.outlook.com: domain of %s\r\n does not designate %s as permitted sender)%s", e.spfDomain, e.ip, tail)
	case "softfail":
		return fmt.Sprintf("SoftFail (protection.outlook.com: domain of transitioning\r\n %s discourages use of %s as permitted sender)", e.spfDomain, e.ip)
	}
	return fmt.Sprintf("None (protection.outlook.com: %s does not\r\n designate permitted sender hosts)", e.spfDomain)
}

func clock(t time.Time) string { return t.UTC().Format("Mon, 2 Jan 2006 15:04:05 +0000") }

// around returns the fields of a mail with the stamps above and below those of
// the sender.
func (s *stamps) around(m *mail, sent []field) []field {
	switch s.kind {
	case "":
		return sent
	case "internal":
		return s.internal(m, sent)
	}
	e := s.envelope(m)
	out := []field{
		{"Received", fmt.Sprintf("from %s (%s) by\r\n %s with HTTPS; %s", transportServer, inside, mailboxServer, clock(s.at.Add(3*time.Second)))},
		{"Received", fmt.Sprintf("from %s (%s) by\r\n %s (%s) with Microsoft SMTP Server\r\n %s id\r\n %s; %s",
			edgeServer, "2603:1096:4ff:123:cafe::bf", transportServer, inside, ciphers, serverVersion, clock(s.at.Add(2*time.Second)))},
	}
	if s.kind != "received" {
		out = append(out, field{"Authentication-Results", e.results()}, field{"Received-SPF", e.receivedSPF()})
	}
	out = append(out, field{"Received", fmt.Sprintf("from %s (%s) by\r\n %s.mail.protection.outlook.com (10.167.241.170) with Microsoft\r\n SMTP Server id %s via Frontend Transport; %s",
		e.helo, e.ip, edge, serverVersion, clock(s.at))})
	out = append(out, sent...)
	returnPath := e.sender
	if returnPath == "" {
		returnPath = "<>"
	}
	own := s.kind == "direct-send"
	out = append(out, field{"Return-Path", returnPath})
	out = append(out, s.delivered(m, "Anonymous", "Incoming", edgeServer)...)
	if own {
		out = append(out, field{"X-MS-Exchange-Organization-InternalOrgSender", "True"}, field{"X-MS-Exchange-Organization-IsAnonymousDirectSend", "True"})
	}
	scl := s.get("scl", "1")
	return append(out,
		field{"X-MS-Exchange-Organization-SCL", scl},
		field{"X-Microsoft-Antispam", "BCL:0;ARA:13230040|82310400026;"},
		field{"X-Forefront-Antispam-Report", fmt.Sprintf("CIP:%s;CTRY:%s;LANG:%s;SCL:%s;SRV:;IPV:NLI;SFV:%s;H:%s;PTR:InfoDomainNonexistent;CAT:%s;SFS:(13230040)(82310400026);DIR:INB;",
			e.ip, s.get("country", "JP"), s.language(m), scl, s.get("sfv", "NSPM"), e.helo, s.get("cat", "NONE"))},
		field{"X-MS-Exchange-CrossTenant-Id", m.facts.tenant()},
		field{"X-MS-Exchange-CrossTenant-AuthSource", edgeServer},
		field{"X-MS-Exchange-CrossTenant-AuthAs", "Anonymous"},
		field{"X-MS-Exchange-CrossTenant-FromEntityHeader", "Internet"},
		field{"X-MS-Exchange-Transport-CrossTenantHeadersStamped", strings.SplitN(transportServer, ".", 2)[0]},
	)
}

// delivered is the beginning of the block that delivery writes below the
// sender's fields.
func (s *stamps) delivered(m *mail, authAs, direction, source string) []field {
	return []field{
		{"X-MS-Exchange-Organization-ExpirationStartTime", s.at.UTC().Format("02 Jan 2006 15:04:05.0000") + "\r\n (UTC)"},
		{"X-MS-Exchange-Organization-ExpirationStartTimeReason", "OriginalSubmit"},
		{"X-MS-Exchange-Organization-Network-Message-Id", networkID},
		{"X-EOPAttributedMessage", "0"},
		{"X-EOPTenantAttributedMessage", m.facts.tenant() + ":0"},
		{"X-MS-Exchange-Organization-MessageDirectionality", direction},
		{"X-MS-PublicTrafficType", "Email"},
		{"X-MS-Exchange-Organization-AuthSource", source},
		{"X-MS-Exchange-Organization-AuthAs", authAs},
		{"X-MS-Office365-Filtering-Correlation-Id", networkID},
	}
}

// internal is a mail that a signed-in user of the tenant sent to another.
func (s *stamps) internal(m *mail, sent []field) []field {
	out := []field{
		{"Received", fmt.Sprintf("from %s (%s) by\r\n %s with HTTPS; %s", transportServer, inside, mailboxServer, clock(s.at.Add(2*time.Second)))},
		{"Received", fmt.Sprintf("from %s ([fe80::1:2:3:4]) by\r\n %s ([fe80::1:2:3:4%%5]) with mapi id\r\n %s; %s", transportServer, transportServer, serverVersion, clock(s.at))},
	}
	out = append(out, sent...)
	out = append(out, field{"X-MS-Exchange-Organization-AuthMechanism", "04"}, field{"Return-Path", m.from().Addr()})
	out = append(out, s.delivered(m, "Internal", "Originating", transportServer)...)
	return append(out,
		field{"X-MS-Exchange-Organization-SCL", "-1"},
		field{"X-Forefront-Antispam-Report", fmt.Sprintf("CIP:255.255.255.255;CTRY:;LANG:%s;SCL:-1;SRV:;IPV:NLI;SFV:SKI;H:%s;PTR:;CAT:NONE;SFS:(13230040)(366016);DIR:INT;SFP:1501;", s.language(m), transportServer)},
		field{"X-MS-Exchange-CrossTenant-AuthAs", "Internal"},
		field{"X-MS-Exchange-CrossTenant-AuthSource", transportServer},
		field{"X-MS-Exchange-CrossTenant-FromEntityHeader", "Hosted"},
		field{"X-MS-Exchange-CrossTenant-Id", m.facts.tenant()},
		field{"X-MS-Exchange-CrossTenant-MailboxType", "HOSTED"},
	)
}

// language is what the filter takes the mail to be written in.
func (s *stamps) language(m *mail) string {
	otherwise := "en"
	for _, r := range m.get("Subject") + m.body {
		if r >= 0x3040 && r <= 0x9fff {
			otherwise = "ja"
			break
		}
	}
	return s.get("lang", otherwise)
}
