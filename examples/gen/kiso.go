package main

import "time"

// The organisation that receives the mails.
const (
	own      = "kiso-works.example"
	ownMX    = "kiso-works-example.mail.protection.outlook.com"
	tenantID = "7f3c1c7e-5b0a-4d26-9c41-2e8d6a90b7f5"

	subsidiary      = "c2d94f10-6a3e-4b8f-8d15-90e7b35a1c64" // the tenant of 木曽部品
	microsoftTenant = "a41f0b6d-93c7-4e2a-b058-1d6f7c8e2390" // invented, not the real one
)

var (
	sato      = person{"佐藤 健一", "sato@" + own}
	tanaka    = person{"田中 美咲", "tanaka@" + own}
	keiri     = person{"経理部", "keiri@" + own}
	soumu     = person{"総務部", "soumu@" + own}
	itDesk    = person{"情報システム担当", "it@" + own}
	president = person{"木曽太郎", "kiso@" + own}
	yamada    = person{"山田 大輔", "yamada@partner.example"}
)

const settings = `# The organisation of the example mails. Try:
#   sekisho judge --config examples/sekisho.yaml examples/
organisation:
  name: 木曽工業株式会社
  domains: [kiso-works.example]
  tenant_id: ` + tenantID + `
  people: people.csv
  products: [microsoft-365, windows-11]
  bulk_sender: "no"
  contacts:
    it: {name: 情報システム担当, extension: "1234", mail: it@kiso-works.example}
  report: {how: forward-as-attachment, to: it@kiso-works.example}
  banks: [木曽信用金庫]
  country: JP
  mail:
    mx: [` + ownMX + `]
    gateways: [192.0.2.0/24]
    connectors:
      - {name: printers, type: on-premises, ips: [198.51.100.10]}
      - {name: exchange-server, type: on-premises, ips: [198.51.100.20]}
    allow: [{from: kiso-works.example, dkim: survey.example}]
    reject_direct_send: false
    trusted_arc_sealers: [microsoft.com]
`

const people = `display_name,email,role
木曽太郎,kiso@kiso-works.example,vip
佐藤 健一,sato@kiso-works.example,staff
田中 美咲,tanaka@kiso-works.example,staff
経理部,keiri@kiso-works.example,finance
総務部,soumu@kiso-works.example,hr
情報システム担当,it@kiso-works.example,it
`

// november is a time in Japan in November 2026.
func november(day, hour, minute int) time.Time {
	return time.Date(2026, time.November, day, hour, minute, 7, 0, time.FixedZone("JST", 9*3600))
}
