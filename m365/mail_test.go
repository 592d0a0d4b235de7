package m365_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/org"
)

const (
	tenant = "7f3c1c7e-0000-4000-8000-000000000001"
	sister = "7f3c1c7e-0000-4000-8000-000000000002"
)

// attack is a synthetic mail as Exchange Online hands it out of the recipient's
// mailbox: Direct Send abuse with everything that goes with it. The other mails
// of the tests are made from it by changing words.
const attack = `Received: from TY0PR01MB0001.apcprd01.prod.outlook.com (::1) by
 OS0PR01MB0002.apcprd01.prod.outlook.com with HTTPS; Mon, 2 Nov 2026 01:00:03
 +0000
Received: from TYAPR01CA0003.jpnprd01.prod.outlook.com (2603:1096:404:28::15)
 by TY0PR01MB0001.apcprd01.prod.outlook.com (2603:1096:400:33a::7) with
 Microsoft SMTP Server (version=TLS1_2,
 cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9000.1; Mon, 2 Nov 2026
 01:00:02 +0000
Received: from TY1PEPF00000004.apcprd01.prod.outlook.com
 (2603:1096:404:28:cafe::d1) by TYAPR01CA0003.outlook.office365.com
 (2603:1096:404:28::15) with Microsoft SMTP Server (version=TLS1_2,
 cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.9000.1 via Frontend
 Transport; Mon, 2 Nov 2026 01:00:01 +0000
Authentication-Results: spf=fail (sender IP is 198.51.100.77)
 smtp.mailfrom=kiso-works.example; dkim=none (message not signed)
 header.d=none;dmarc=fail action=none
 header.from=kiso-works.example;compauth=fail reason=601
Received-SPF: Fail (protection.outlook.com: domain of kiso-works.example does
 not designate 198.51.100.77 as permitted sender)
 receiver=protection.outlook.com; client-ip=198.51.100.77; helo=WIN-8K2;
Received: from WIN-8K2 (198.51.100.77) by
 TY1PEPF00000004.mail.protection.outlook.com (10.167.241.4) with Microsoft SMTP
 Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id
 15.20.9000.1 via Frontend Transport; Mon, 2 Nov 2026 01:00:00 +0000
From: "Keiri" <keiri@kiso-works.example>
To: <sato@kiso-works.example>
Subject: Voice message
Date: Mon, 2 Nov 2026 00:59:58 +0000
Message-ID: <m1@kiso-works.example>
Content-Type: text/plain; charset=utf-8
Return-Path: keiri@kiso-works.example
X-EOPAttributedMessage: 0
X-EOPTenantAttributedMessage: ` + tenant + `:0
X-MS-PublicTrafficType: Email
X-MS-Office365-Filtering-Correlation-Id: 11111111-2222-4333-8444-555555555555
X-Forefront-Antispam-Report:
 CIP:198.51.100.77;CTRY:US;LANG:en;SCL:1;SRV:;IPV:NLI;SFV:NSPM;H:WIN-8K2;PTR:InfoDomainNonexistent;CAT:NONE;SFS:(13230040);DIR:INB;
X-Microsoft-Antispam: BCL:0;
X-MS-Exchange-Organization-ExpirationStartTime: 02 Nov 2026 01:00:00.5000
 (UTC)
X-MS-Exchange-Organization-Network-Message-Id:
 11111111-2222-4333-8444-555555555555
X-MS-Exchange-Organization-MessageDirectionality: Incoming
X-MS-Exchange-Organization-AuthSource:
 TY1PEPF00000004.apcprd01.prod.outlook.com
X-MS-Exchange-Organization-AuthAs: Anonymous
X-MS-Exchange-CrossTenant-Id: ` + tenant + `
X-MS-Exchange-CrossTenant-AuthAs: Anonymous
X-MS-Exchange-CrossTenant-FromEntityHeader: Internet
X-Microsoft-Antispam-Mailbox-Delivery: ucf:0;jmr:0;auth:0;dest:I;ENG:(1)
MIME-Version: 1.0

Please sign in.
`

// internalMail is a mail between two colleagues.
const internalMail = `Received: from TY0PR01MB0001.apcprd01.prod.outlook.com (::1) by
 OS0PR01MB0002.apcprd01.prod.outlook.com with HTTPS; Mon, 2 Nov 2026 01:00:03
 +0000
Received: from OS0PR01MB0002.apcprd01.prod.outlook.com
 ([fe80::1:2:3:4%5]) by OS0PR01MB0002.apcprd01.prod.outlook.com
 ([fe80::1:2:3:4%5]) with mapi id 15.20.9000.001; Mon, 2 Nov 2026 01:00:00
 +0000
From: "Keiri" <keiri@kiso-works.example>
To: <sato@kiso-works.example>
Subject: lunch
Date: Mon, 2 Nov 2026 00:59:58 +0000
Message-ID: <m2@OS0PR01MB0002.apcprd01.prod.outlook.com>
X-MS-Has-Attach:
X-MS-Exchange-Organization-SCL: -1
X-MS-TNEF-Correlator:
X-MS-Exchange-Organization-MessageDirectionality: Originating
X-MS-Exchange-Organization-AuthSource: OS0PR01MB0002.apcprd01.prod.outlook.com
X-MS-Exchange-Organization-AuthAs: Internal
X-MS-Exchange-Organization-AuthMechanism: 04
X-MS-Exchange-Organization-Network-Message-Id: 11111111-2222-4333-8444-666666666666
Content-Type: text/plain; charset=utf-8
MIME-Version: 1.0

Hello
`

const ingressLine = "Received: from WIN-8K2 (198.51.100.77)"

// edit replaces old by new. It fails the test where old is missing, so that no
// case silently tests another mail.
type edit struct{ old, new string }

func apply(t testing.TB, mail string, edits ...edit) string {
	t.Helper()
	for _, e := range edits {
		if !strings.Contains(mail, e.old) {
			t.Fatalf("the mail has no %q", e.old)
		}
		mail = strings.ReplaceAll(mail, e.old, e.new)
	}
	return mail
}

// results sets the results of SPF, DKIM, DMARC and compauth.
func results(spf, mailfrom, dkim, dmarc, compauth string) []edit {
	return []edit{
		{"spf=fail (sender IP is 198.51.100.77)\n smtp.mailfrom=kiso-works.example", "spf=" + spf + " (sender IP is 198.51.100.77)\n " + mailfrom},
		{"dkim=none (message not signed)\n header.d=none", dkim},
		{"dmarc=fail action=none", dmarc},
		{"compauth=fail reason=601", compauth},
		{"Received-SPF: Fail", "Received-SPF: " + strings.ToUpper(spf[:1]) + spf[1:]},
	}
}

// mailFrom sets MAIL FROM in Return-Path and Received-SPF.
func mailFrom(address, host string) []edit {
	return []edit{{"Return-Path: keiri@kiso-works.example", "Return-Path: " + address}, {"domain of kiso-works.example", "domain of " + host}}
}

// client sets the address and the name of the client.
func client(ip, helo string) []edit {
	return []edit{{"198.51.100.77", ip}, {"WIN-8K2", helo}, {"PTR:InfoDomainNonexistent", "PTR:" + helo}}
}

func edits(groups ...any) []edit {
	var out []edit
	for _, g := range groups {
		switch g := g.(type) {
		case edit:
			out = append(out, g)
		case []edit:
			out = append(out, g...)
		}
	}
	return out
}

// below puts fields among the sender's own, directly under the ingress hop.
func below(fields string) edit { return edit{"From: \"Keiri\"", fields + "\nFrom: \"Keiri\""} }

func facts() *org.Facts {
	return &org.Facts{
		Domains:    org.Of([]string{"kiso-works.example", "kiso-works.onmicrosoft.com"}),
		TenantID:   org.Of(tenant),
		MX:         org.Of([]string{"kiso-works-example.mail.protection.outlook.com"}),
		Gateways:   org.Of([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}),
		Connectors: org.Of([]org.Connector{{Name: "printers", Type: "on-premises", IPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")}}}),
	}
}

func parse(mail string) *eml.Message {
	return eml.Parse([]byte(strings.ReplaceAll(mail, "\n", "\r\n")), nil)
}

func decide(mail string, f *org.Facts) *m365.Decision {
	return m365.DirectSend(m365.Input{Message: parse(mail), Facts: f})
}
