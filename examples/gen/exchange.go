package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	version = "15.20.9343.14"
	cipher  = "(version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384)"
)

// mailboxServer, frontServer and protectionServer are hosts as Exchange Online
// names them in its Japanese region.
func (m *mail) mailboxServer(what string) string {
	return fmt.Sprintf("%sP286MB%04d.JPNP286.PROD.OUTLOOK.COM", pick(m, what, "TYC", "OS3", "TYW", "OSZ"), m.number(what, 1000, 3999))
}

func (m *mail) frontServer() string {
	return fmt.Sprintf("TY%dPR01CA%04d", m.number("front", 2, 4), m.number("front host", 10, 250))
}

func (m *mail) protectionServer() string {
	return fmt.Sprintf("TY%dPEPF0000%04X", m.number("eop", 1, 3), m.number("eop host", 0xa000, 0xbfff))
}

func pick(m *mail, what string, choices ...string) string {
	return choices[m.number(what+" of", 0, len(choices)-1)]
}

// network is an address of Exchange Online's inside.
func (m *mail) network(what string) string {
	return fmt.Sprintf("2603:1096:%x:%x::%x", m.number(what+" a", 0x400, 0x4ff), m.number(what+" b", 0x10, 0x2ff), m.number(what+" c", 2, 0x20))
}

func clock(t time.Time) string { return t.UTC().Format("Mon, 2 Jan 2006 15:04:05 +0000") }

// arrival is the time of arrival as delivery stamps it.
func (m *mail) arrival() string {
	t := m.at.Add(time.Duration(m.number("arrival", 0, 9999)) * 100 * time.Microsecond)
	return t.UTC().Format("02 Jan 2006 15:04:05.0000") + " (UTC)"
}

// arrive writes what Exchange Online adds to a mail that comes from another
// server: the trace above the sender's fields, and below them the block that
// delivery appends after Return-Path.
func (b *builder) arrive(m *mail, fields, sets []field) []field {
	a := m.authenticate()
	box, transport := m.mailboxServer("box"), m.mailboxServer("transport")
	front, eop := m.frontServer(), m.protectionServer()
	eopHost := eop + ".JPNP286.PROD.OUTLOOK.COM"
	if m.noID {
		fields = append(fields, field{"Message-ID", "<" + m.guid("message id") + "@" + eopHost + ">"})
	}
	mailFrom := "smtp.mailfrom=" + a.spfDomain
	if m.mailFrom == "" {
		mailFrom = "smtp.helo=" + a.spfDomain
	}
	cat, sfv, scl := m.filter()
	compauth := ""
	if m.stamps.compauth != "" {
		compauth = ";compauth=" + m.stamps.compauth
	}
	with := "with Microsoft SMTP Server"
	if m.tls {
		with += " " + cipher
	}
	trace := []field{
		{"Received", fmt.Sprintf("from %s (%s) by %s with HTTPS; %s", transport, m.network("transport"), box, clock(m.at.Add(3*time.Second)))},
	}
	inner := []field{
		{"Received", fmt.Sprintf("from %s.jpnprd01.prod.outlook.com (%s) by %s (%s) with Microsoft SMTP Server %s id %s; %s",
			front, m.network("front"), transport, m.network("transport"), cipher, version, clock(m.at.Add(2*time.Second)))},
		{"Received", fmt.Sprintf("from %s (%s:cafe::%x) by %s.outlook.office365.com (%s) with Microsoft SMTP Server %s id %s via Frontend Transport; %s",
			eopHost, strings.SplitN(m.network("front"), "::", 2)[0], m.number("cafe", 0x10, 0xff), front, m.network("front"), cipher, version, clock(m.at.Add(2*time.Second)))},
	}
	inner = append(inner, m.stamps.skipped...)
	inner = append(inner,
		field{"Authentication-Results", fmt.Sprintf("spf=%s (sender IP is %s) %s; %s;dmarc=%s action=%s header.from=%s%s",
			a.spf, m.ip, mailFrom, a.dkim, a.dmarc, a.action, m.from.domain(), compauth)},
		field{"Received-SPF", m.receivedSPF(a)},
		field{"Received", fmt.Sprintf("from %s (%s) by %s.mail.protection.outlook.com (10.167.%d.%d) %s id %s via Frontend Transport; %s",
			m.helo, m.ip, eop, m.number("ten", 240, 249), m.number("ten b", 2, 250), with, version, clock(m.at))},
	)
	results := fmt.Sprintf("mx.microsoft.com 1; spf=%s (sender ip is %s) smtp.rcpttodomain=%s smtp.mailfrom=%s; dmarc=%s action=%s header.from=%s; %s; arc=%s",
		a.spf, m.ip, own, a.spfDomain, a.dmarc, a.action, m.from.domain(), strings.Replace(a.dkim, " header.d=none", "", 1), arcState(sets))
	whole := slices.Concat(inner, fields)
	seal := b.signer.arc("microsoft.com", sealSelector, results, sets, whole, m.body.body)
	trace = append(trace, seal[2], seal[1], seal[0])
	trace = append(trace, whole...)
	return append(trace, m.delivered(a, eop, eopHost, transport, sfv, cat, scl)...)
}

func arcState(sets []field) string {
	if len(sets) == 0 {
		return "none (0)"
	}
	return "pass (0 oda=0 ltdi=0)"
}

func (m *mail) filter() (cat, sfv string, scl int) {
	cat, sfv, scl = "NONE", "NSPM", 1
	if m.stamps.cat != "" {
		cat, sfv, scl = m.stamps.cat, "SPM", 5
	}
	if m.stamps.sfv != "" {
		sfv = m.stamps.sfv
	}
	if m.stamps.scl != 0 {
		scl = m.stamps.scl
	}
	return cat, sfv, scl
}

func (m *mail) receivedSPF(a authentication) string {
	tail := fmt.Sprintf(" receiver=protection.outlook.com; client-ip=%s; helo=%s;", m.ip, m.helo)
	switch a.spf {
	case "pass":
		return fmt.Sprintf("Pass (protection.outlook.com: domain of %s designates %s as permitted sender)%s pr=C", a.spfDomain, m.ip, tail)
	case "fail":
		return fmt.Sprintf("Fail (protection.outlook.com: domain of %s does not designate %s as permitted sender)%s", a.spfDomain, m.ip, tail)
	case "softfail":
		return fmt.Sprintf("SoftFail (protection.outlook.com: domain of transitioning %s discourages use of %s as permitted sender)", a.spfDomain, m.ip)
	}
	return fmt.Sprintf("None (protection.outlook.com: %s does not designate permitted sender hosts)", a.spfDomain)
}

// delivered is the block after the sender's fields.
func (m *mail) delivered(a authentication, eop, eopHost, transport, sfv, cat string, scl int) []field {
	s := m.stamps
	authAs, direction, tenant := orDefault(s.authAs, "Anonymous"), orDefault(s.direction, "Incoming"), orDefault(s.crossTenant, tenantID)
	ptr := orDefault(m.ptr, "InfoDomainNonexistent")
	id := m.guid("network")
	returnPath := m.mailFrom
	if returnPath == "" {
		returnPath = "<>"
	}
	entity := "Internet"
	if s.hosted {
		entity = "Hosted"
	} else if authAs == "Internal" {
		entity = "HybridOnPrem"
	}
	safety := ""
	if s.safety != "" {
		safety = "SFTY:" + s.safety + ";"
	}
	f := []field{
		{"Return-Path", returnPath},
		{"X-MS-Exchange-Organization-ExpirationStartTime", m.arrival()},
		{"X-MS-Exchange-Organization-ExpirationStartTimeReason", "OriginalSubmit"},
		{"X-MS-Exchange-Organization-ExpirationInterval", "1:00:00:00.0000000"},
		{"X-MS-Exchange-Organization-ExpirationIntervalReason", "OriginalSubmit"},
		{"X-MS-Exchange-Organization-Network-Message-Id", id},
		{"X-EOPAttributedMessage", "0"},
		{"X-EOPTenantAttributedMessage", tenantID + ":0"},
		{"X-MS-Exchange-Organization-MessageDirectionality", direction},
		{"X-MS-PublicTrafficType", "Email"},
		{"X-MS-TrafficTypeDiagnostic", fmt.Sprintf("%s:EE_|%s:EE_", eop, strings.SplitN(transport, ".", 2)[0])},
		{"X-MS-Exchange-Organization-AuthSource", eopHost},
		{"X-MS-Exchange-Organization-AuthAs", authAs},
		{"X-MS-Office365-Filtering-Correlation-Id", id},
		{"X-MS-Exchange-AtpMessageProperties", "SA|SL"},
	}
	if s.ownFrom {
		f = append(f, field{"X-MS-Exchange-Organization-InternalOrgSender", "True"})
	}
	if s.directSend {
		f = append(f, field{"X-MS-Exchange-Organization-IsAnonymousDirectSend", "True"})
	}
	if s.mxElsewhere {
		f = append(f, field{"X-MS-Exchange-Organization-MxPointsToUs", "false"})
	}
	f = append(f, s.extra...)
	dest, override := "I", ""
	if s.junk {
		dest, override = "J", "OFR:SpamFilterAuthJ;"
	}
	return append(f,
		field{"X-MS-Exchange-Organization-SCL", strconv.Itoa(scl)},
		field{"X-Microsoft-Antispam", "BCL:0;ARA:13230040|82310400026;"},
		field{"X-Forefront-Antispam-Report", fmt.Sprintf("CIP:%s;CTRY:%s;LANG:%s;SCL:%d;SRV:;IPV:NLI;SFV:%s;H:%s;PTR:%s;CAT:%s;%sSFS:(13230040)(82310400026);DIR:INB;",
			m.ip, orDefault(m.country, "JP"), m.language(), scl, sfv, m.helo, ptr, cat, safety)},
		field{"X-MS-Exchange-CrossTenant-OriginalArrivalTime", m.arrival()},
		field{"X-MS-Exchange-CrossTenant-Network-Message-Id", id},
		field{"X-MS-Exchange-CrossTenant-Id", tenant},
		field{"X-MS-Exchange-CrossTenant-AuthSource", eopHost},
		field{"X-MS-Exchange-CrossTenant-AuthAs", authAs},
		field{"X-MS-Exchange-CrossTenant-FromEntityHeader", entity},
		field{"X-MS-Exchange-Transport-CrossTenantHeadersStamped", strings.SplitN(transport, ".", 2)[0]},
		field{"X-MS-Exchange-Transport-EndToEndLatency", fmt.Sprintf("00:00:03.%07d", m.number("latency", 1000, 9999)*97)},
		field{"X-MS-Exchange-Processed-By-BccFoldering", "15.20.9343.011"},
		field{"X-Microsoft-Antispam-Mailbox-Delivery", fmt.Sprintf("ucf:0;jmr:0;auth:%d;dest:%s;%sENG:(910005)(944506478)(944626604)(920097)(930097);", b2i(a.dmarc == "pass"), dest, override)},
	)
}

// language is what the filter takes the mail to be written in.
func (m *mail) language() string {
	switch {
	case m.lang != "":
		return m.lang
	case isASCII(m.subject):
		return "en"
	}
	return "ja"
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func orDefault(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// submit writes what Exchange Online adds to a mail that a signed-in user of
// the tenant sends to another one.
func (m *mail) submit(fields []field) []field {
	from, to := m.mailboxServer("sender"), m.mailboxServer("box")
	local := fmt.Sprintf("fe80::%x:%x:%x:%x", m.number("l1", 0x1000, 0xffff), m.number("l2", 0x1000, 0xffff), m.number("l3", 0x1000, 0xffff), m.number("l4", 0x1000, 0xffff))
	id := m.guid("network")
	trace := []field{
		{"Received", fmt.Sprintf("from %s (%s) by %s with HTTPS; %s", from, m.network("sender"), to, clock(m.at.Add(2*time.Second)))},
		{"Received", fmt.Sprintf("from %s (%s) by %s (%s) with Microsoft SMTP Server %s id %s; %s",
			from, m.network("sender"), to, m.network("box"), cipher, version, clock(m.at.Add(time.Second)))},
		{"Received", fmt.Sprintf("from %s ([%s]) by %s ([%s%%5]) with mapi id %s; %s", from, local, from, local, version, clock(m.at))},
	}
	// These stand among the fields that the mailbox server wrote when the mail
	// was submitted, not in the block of delivery.
	stamped := []field{
		{"Thread-Topic", words(m.charset, m.subject)},
		{"Thread-Index", "Adx" + strings.ToUpper(m.hash("thread")[:19]) + "=="},
		{"Accept-Language", "ja-JP, en-US"},
		{"Content-Language", "ja-JP"},
		{"X-MS-Exchange-Organization-AuthAs", "Internal"},
		{"X-MS-Exchange-Organization-AuthMechanism", "04"},
		{"X-MS-Exchange-Organization-AuthSource", from},
		{"X-MS-Has-Attach", map[bool]string{true: "yes"}[strings.Contains(string(m.body.body), "\r\nContent-Disposition: attachment")]},
		{"X-MS-TNEF-Correlator", ""},
		{"X-MS-Exchange-Organization-RecordReviewCfmType", "0"},
	}
	trace = append(trace, fields...)
	trace = append(trace, stamped...)
	return append(trace,
		field{"Return-Path", m.from.addr},
		field{"X-MS-Exchange-Organization-ExpirationStartTime", m.arrival()},
		field{"X-MS-Exchange-Organization-ExpirationStartTimeReason", "OriginalSubmit"},
		field{"X-MS-Exchange-Organization-ExpirationInterval", "1:00:00:00.0000000"},
		field{"X-MS-Exchange-Organization-ExpirationIntervalReason", "OriginalSubmit"},
		field{"X-MS-Exchange-Organization-Network-Message-Id", id},
		field{"X-MS-Exchange-Organization-MessageDirectionality", "Originating"},
		field{"X-MS-PublicTrafficType", "Email"},
		field{"X-MS-TrafficTypeDiagnostic", strings.SplitN(from, ".", 2)[0] + ":EE_|" + strings.SplitN(to, ".", 2)[0] + ":EE_"},
		field{"X-MS-Office365-Filtering-Correlation-Id", id},
		field{"X-MS-Exchange-Organization-SCL", "-1"},
		field{"X-Microsoft-Antispam", "BCL:0;ARA:13230040|366016;"},
		field{"X-Forefront-Antispam-Report", fmt.Sprintf("CIP:255.255.255.255;CTRY:;LANG:%s;SCL:-1;SRV:;IPV:NLI;SFV:SKI;H:%s;PTR:;CAT:NONE;SFS:(13230040)(366016);DIR:INT;SFP:1501;", m.language(), from)},
		field{"X-MS-Exchange-CrossTenant-AuthAs", "Internal"},
		field{"X-MS-Exchange-CrossTenant-AuthSource", from},
		field{"X-MS-Exchange-CrossTenant-Network-Message-Id", id},
		field{"X-MS-Exchange-CrossTenant-OriginalArrivalTime", m.arrival()},
		field{"X-MS-Exchange-CrossTenant-FromEntityHeader", "Hosted"},
		field{"X-MS-Exchange-CrossTenant-Id", tenantID},
		field{"X-MS-Exchange-CrossTenant-MailboxType", "HOSTED"},
		field{"X-MS-Exchange-Transport-CrossTenantHeadersStamped", strings.SplitN(to, ".", 2)[0]},
		field{"X-MS-Exchange-Transport-EndToEndLatency", fmt.Sprintf("00:00:01.%07d", m.number("latency", 1000, 9999)*97)},
		field{"X-MS-Exchange-Processed-By-BccFoldering", "15.20.9343.011"},
		field{"X-Microsoft-Antispam-Mailbox-Delivery", "ucf:0;jmr:0;auth:0;dest:I;ENG:(910005)(944506478)(944626604)(920097)(930097);"},
	)
}
