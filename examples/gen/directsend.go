package main

import "fmt"

// systemUpdateMail is a Direct Send attack on the accounting clerk.
func systemUpdateMail() mail {
	return mail{
		at: november(17, 9, 12), ip: "203.0.113.77", helo: "WIN-8K2D0T1", country: "NL",
		mailFrom: itDesk.addr, rcpt: keiri, from: person{"情報システム部", itDesk.addr},
		subject: "【重要】システムアップデートのお知らせ(経理部)", charset: utf8, zone: 0, noID: true,
		body:   htmlUTF8(page("ja", systemUpdate)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true, directSend: true, sfv: "NSPM"},
	}
}

// eml makes the example name from m.
func (b *builder) eml(name, shows, decides string, w want, m mail) example {
	m.seed = name
	return example{name: name, shows: shows, decides: decides, want: w, data: b.write(&m)}
}

// scan is what a multifunction printer sends.
func scan(name string) part {
	return multipart("mixed", boundary(name, 1),
		plain("This E-mail was sent from \"MFP-3F\" (Floor 3).\n\nScan Date: 18.11.2026 10:22:31 (+0900)\n"),
		attachment("20261118102231.pdf", "application/pdf", pdf("", "Scanned document", "Page 1 of 1")))
}

func scanner(name, ip string) mail {
	return mail{
		at: november(18, 10, 22), ip: ip, helo: "mfp-3f", ptr: "", mailFrom: "scanner@" + own,
		rcpt: sato, from: person{"MFP-3F", "scanner@" + own}, subject: "Message from MFP-3F", charset: ascii, zone: 9,
		mailer: "MFP Scan to E-mail", body: scan(name),
	}
}

func (b *builder) directSend() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("directsend/"+name+".eml", shows, decides, w, m))
	}
	all = append(all, b.attacks()...)

	m := scanner("unknown-mfp", "198.51.100.23")
	m.stamps = stamps{compauth: "pass reason=701"}
	add("ds1-unknown-device", "a printer of ours, or somebody who looks like it: its address is in no connector and not in SPF",
		"claim, anonymous, SPF fail; no sign of ill will, so confidence medium: ask for a connector",
		want{"clean", "suspicious", "out-of-scope", "ds-1"}, m)

	m = scanner("via-connector", "198.51.100.10")
	m.stamps = stamps{compauth: "none reason=451"}
	add("via-connector", "a scan by the printer of the connector \"printers\"", "address of a connector (S4)",
		want{"clean", "clean", "out-of-scope", "via-connector"}, m)

	m = scanner("authorised-device", "198.51.100.25")
	m.stamps = stamps{compauth: "pass reason=100"}
	add("authorised-device", "a printer without a connector whose address our SPF record names", "own MAIL FROM and SPF pass (S5): a device for the inventory",
		want{"clean", "clean", "out-of-scope", "authorised-device"}, m)

	all = append(all, b.outsiders()...)
	all = append(all, b.detours()...)
	return all
}

// outsiders send in our name with our knowledge, or are not ours at all.
func (b *builder) outsiders() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("directsend/"+name+".eml", shows, decides, w, m))
	}
	add("internal", "a colleague, signed in", "AuthAs Internal in our own tenant (S2)",
		want{"clean", "clean", "out-of-scope", "internal"}, mail{
			at: november(18, 13, 5), path: submitted, rcpt: sato, from: tanaka,
			subject: "明日の打ち合わせ資料", charset: jis, zone: 0,
			body: plainJIS("佐藤さん\n\nお疲れさまです。田中です。\n明日の打ち合わせの資料は、共有フォルダの「営業会議」に置きました。\n目を通しておいていただけると助かります。\n\n田中\n"),
		})
	add("authenticated-external", "our payroll service, which signs with our own key", "DKIM pass by our own domain (S3)",
		want{"clean", "clean", "out-of-scope", "authenticated-external"}, mail{
			at: november(20, 8, 0), ip: "203.0.113.60", helo: "mail.payroll.example", ptr: "mail.payroll.example", tls: true,
			mailFrom: "bounce+kiso@payroll.example", rcpt: sato, from: person{"総務部(給与明細)", soumu.addr},
			subject: "11月分の給与明細を公開しました", charset: utf8, zone: 9, sign: []string{own},
			body:   plainUTF8("佐藤 健一 様\n\n11月分の給与明細を公開しました。\nいつもの給与明細サービスにサインインしてご覧ください。\n\n木曽工業株式会社 総務部\n"),
			stamps: stamps{compauth: "pass reason=100"},
		})
	add("saas-allowed", "a survey service with our From, excepted in sekisho.yaml", "exception: From of ours with a DKIM signature of survey.example",
		want{"clean", "clean", "out-of-scope", "authenticated-external"}, mail{
			at: november(19, 15, 30), ip: "203.0.113.30", helo: "out1.survey.example", ptr: "out1.survey.example", tls: true,
			mailFrom: "bounces@survey.example", rcpt: tanaka, from: soumu,
			subject: "従業員アンケートのお願い", charset: utf8, zone: 9, sign: []string{"survey.example"},
			body: htmlUTF8(page("ja", `<p>社員の皆さま</p>
<p>今年度の従業員アンケートにご協力ください。回答は5分ほどで終わります。</p>
<p><a href="https://kiso.survey.example/r/8f2c">アンケートに回答する</a></p>
<p class="small">このアンケートは総務部が survey.example のサービスで実施しています。</p>`)),
			stamps: stamps{compauth: "pass reason=702"},
		})
	add("ds2-saas-unaligned", "a personnel service with our From and its own envelope and signature, which nobody has registered",
		"claim, anonymous, foreign MAIL FROM, nothing aligned; confidence medium",
		want{"clean", "suspicious", "out-of-scope", "ds-2"}, mail{
			at: november(19, 9, 0), ip: "203.0.113.31", helo: "o4.hr-cloud.example", ptr: "o4.hr-cloud.example", tls: true,
			mailFrom: "bounce-7712@hr-cloud.example", rcpt: sato, from: soumu,
			subject: "年末調整の書類が届いています", charset: utf8, zone: 9, sign: []string{"hr-cloud.example"},
			body: htmlUTF8(page("ja", `<p>佐藤 健一 様</p>
<p>年末調整の申告書の入力をお願いします。期限は11月30日です。</p>
<p><a href="https://kiso.hr-cloud.example/yea/2026">申告書を入力する</a></p>
<p class="small">木曽工業株式会社 総務部</p>`)),
			stamps: stamps{compauth: "pass reason=702"},
		})
	add("m365-service", "a quarantine notice of Microsoft 365 itself", "From is Microsoft's, not ours (S1)",
		want{"clean", "clean", "out-of-scope", "out-of-scope"}, quarantineNotice())
	add("shared-tenant", "our parts subsidiary, another tenant that shares our domain", "compauth 115: the sending tenant owns the domain as well",
		want{"clean", "clean", "out-of-scope", "authenticated-external"}, mail{
			at: november(19, 16, 45), ip: "40.107.44.57", helo: "TYVP286CU002.outbound.protection.outlook.com",
			ptr: "mail-japaneastazon11010057.outbound.protection.outlook.com", tls: true,
			mailFrom: "buhin@" + own, rcpt: sato, from: person{"木曽部品 鈴木", "buhin@" + own},
			subject: "部品在庫のご連絡", charset: jis, zone: 0, sign: []string{"kisobuhin.onmicrosoft.com"},
			sealer: "microsoft.com", sealed: "mx.microsoft.com 1; spf=pass smtp.mailfrom=" + own + "; dmarc=pass action=none header.from=" + own + "; dkim=pass header.d=" + own + "; arc=none",
			hops: []string{
				"from TYWP286MB2211.JPNP286.PROD.OUTLOOK.COM (2603:1096:400:2b2::9) by OSZP286MB1805.JPNP286.PROD.OUTLOOK.COM (2603:1096:604:18a::5) with Microsoft SMTP Server " + cipher + " id " + version + "; Thu, 19 Nov 2026 07:45:05 +0000",
				"from TYWP286MB2211.JPNP286.PROD.OUTLOOK.COM ([fe80::3c1a:92ff:fe10:7d21]) by TYWP286MB2211.JPNP286.PROD.OUTLOOK.COM ([fe80::3c1a:92ff:fe10:7d21%4]) with mapi id " + version + "; Thu, 19 Nov 2026 07:45:04 +0000",
			},
			body:   plainJIS("佐藤様\n\n木曽部品の鈴木です。\nお問い合わせの部品は、在庫が12個あります。\n来週火曜日の便でお送りできます。\n\n鈴木\n"),
			stamps: stamps{compauth: "pass reason=115", hosted: true, crossTenant: subsidiary},
		})
	return all
}

// detours are mails that went another way than straight to us.
func (b *builder) detours() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("directsend/"+name+".eml", shows, decides, w, m))
	}
	gateway := func(m mail) mail {
		m.ip, m.helo, m.ptr, m.tls = "192.0.2.40", "filter1.gateway.example", "filter1.gateway.example", true
		return m
	}
	payroll := plain("Your payslip for November is ready. Sign in to the payroll service as usual.\n\nKiso Works, General Affairs\n")
	add("gateway-broke-auth", "our payroll service again, through our mail gateway, which added a line to the text",
		"before the gateway it passed (S6)",
		want{"clean", "clean", "out-of-scope", "gateway-broke-auth"}, gateway(mail{
			at: november(20, 8, 4), mailFrom: "bounce+kiso@payroll.example", rcpt: tanaka, from: person{"Kiso Works General Affairs", soumu.addr},
			subject: "Your payslip for November", charset: ascii, zone: 9, sign: []string{own}, signed: &payroll,
			body: plain("[Checked by the mail gateway]\n\nYour payslip for November is ready. Sign in to the payroll service as usual.\n\nKiso Works, General Affairs\n"),
			hops: []string{"from mail.payroll.example (mail.payroll.example [203.0.113.60]) by filter1.gateway.example (Postfix) with ESMTPS id 4Kq2Yz1bVxz2Xq for <tanaka@kiso-works.example>; Fri, 20 Nov 2026 08:04:03 +0900 (JST)"},
			above: []field{{"Authentication-Results-Original",
				"filter1.gateway.example; spf=pass smtp.mailfrom=payroll.example; dkim=pass (2048-bit key) header.d=" + own + "; dmarc=pass (p=none) header.from=" + own}},
			stamps: stamps{compauth: "none reason=905", skipped: []field{
				{"X-MS-Exchange-SkipListedInternetSender", "ip=[203.0.113.60];domain=mail.payroll.example"},
				{"X-MS-Exchange-ExternalOriginalInternetSender", "ip=[203.0.113.60];domain=mail.payroll.example"}}},
		}))
	add("spoof-through-gateway", "our own address forged, through our mail gateway", "before the gateway it failed as well (S6)",
		want{"malicious", "malicious", "ds-1", "spoof-through-gateway"}, gateway(mail{
			at: november(20, 11, 19), country: "JP", mailFrom: keiri.addr, rcpt: tanaka, from: keiri,
			subject: "至急:未払い請求書のご確認", charset: utf8, zone: 1,
			hops: []string{"from WIN-LIVFRVQ (unknown [203.0.113.99]) by filter1.gateway.example (Postfix) with ESMTP id 4Kq7Rp0Jc1z2Xq for <tanaka@kiso-works.example>; Fri, 20 Nov 2026 11:19:02 +0900 (JST)"},
			above: []field{{"Authentication-Results-Original",
				"filter1.gateway.example; spf=fail smtp.mailfrom=" + own + "; dkim=none; dmarc=fail (p=none) header.from=" + own}},
			body: htmlUTF8(page("ja", `<p>田中さん</p><p>添付漏れのため再送します。未払いの請求書を至急ご確認ください。</p>
<p><a class="button" href="https://documents.kiso-works-login.test/inv/20261120">請求書を表示</a></p><p>経理部</p>`)),
			stamps: stamps{compauth: "none reason=905", ownFrom: true, skipped: []field{
				{"X-MS-Exchange-SkipListedInternetSender", "ip=[203.0.113.99];domain=WIN-LIVFRVQ"},
				{"X-MS-Exchange-ExternalOriginalInternetSender", "ip=[203.0.113.99];domain=WIN-LIVFRVQ"}}},
		}))
	add("ds1-mx-bypass", "our own address forged and handed straight to Exchange Online, past the gateway to which our MX led", "as ds1-high; the MX pointed elsewhere",
		same("malicious", "ds-1"), mail{
			at: november(20, 4, 51), ip: "203.0.113.88", helo: "[127.0.0.1]", country: "US", mailFrom: soumu.addr, rcpt: sato, from: soumu,
			subject: "【総務部】就業規則の改定について(要確認)", charset: utf8, zone: -5, noID: true,
			body: htmlUTF8(page("ja", `<p>社員各位</p><p>就業規則を改定しました。内容を確認し、本日中に同意の手続きをしてください。</p>
<p><a href="https://kiso-works.sharedocs.test/policy">改定内容を確認する</a></p>`)),
			stamps: stamps{compauth: "none reason=905", ownFrom: true, directSend: true, mxElsewhere: true},
		})
	posted := plainUTF8("みなさま\n\n木曽工業の田中です。\n次回の研究会は12月3日(木)15時からです。\n会場は前回と同じです。\n")
	add("list-post", "a colleague's post to a mailing list, which added its footer", "ARC by the list says DMARC passed, Exchange Online accepted it (compauth 130, S7)",
		want{"clean", "clean", "out-of-scope", "list-or-forward"}, mail{
			at: november(18, 17, 2), ip: "203.0.113.40", helo: "mx.lists.example", ptr: "mx.lists.example", tls: true,
			mailFrom: "seizo-bounces@lists.example", rcpt: sato, to: []person{{"", "seizo@lists.example"}}, from: tanaka,
			subject: "[seizo:412] 次回の研究会について", charset: utf8, zone: 9, sign: []string{own}, signed: &posted,
			body: plainUTF8("みなさま\n\n木曽工業の田中です。\n次回の研究会は12月3日(木)15時からです。\n会場は前回と同じです。\n\n_______________________________________________\nseizo メーリングリスト\nhttps://www.lists.example/mailman/listinfo/seizo\n"),
			extra: []field{{"List-Id", "<seizo.lists.example>"}, {"List-Post", "<mailto:seizo@lists.example>"},
				{"List-Unsubscribe", "<https://www.lists.example/mailman/options/seizo>"}, {"Precedence", "list"}},
			sealer: "lists.example", sealed: "mx.lists.example; spf=pass smtp.mailfrom=" + tanaka.addr + "; dkim=pass header.d=" + own + "; dmarc=pass (p=none) header.from=" + own,
			stamps: stamps{compauth: "pass reason=130"},
		})
	sent := plain("Hello Yamada-san,\n\nThe drawings are finished. I will bring them on Thursday.\n\nSato\n")
	add("forward-srs", "our own mail to a partner, whose server forwards it back to us", "MAIL FROM rewritten (SRS), and it passes SPF for the forwarder (S7)",
		want{"clean", "clean", "out-of-scope", "list-or-forward"}, mail{
			at: november(18, 9, 41), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
			mailFrom: "SRS0=pV3k=7Q=" + own + "=sato@partner.example", rcpt: tanaka, to: []person{yamada}, from: sato,
			subject: "Drawings", charset: utf8, zone: 9, sign: []string{own}, signed: &sent,
			body: plain("[external mail]\n\nHello Yamada-san,\n\nThe drawings are finished. I will bring them on Thursday.\n\nSato\n"),
			extra: []field{{"Resent-From", yamada.addr}, {"Resent-To", tanaka.addr},
				{"Resent-Date", "Wed, 18 Nov 2026 09:41:04 +0900"}, {"Auto-Submitted", "auto-forwarded"}},
			stamps: stamps{compauth: "pass reason=701"},
		})
	add("calendar-forward", "a meeting of ours that a partner forwarded; calendars keep the organiser in From", "Sender differs from From, and its domain passes DKIM: only low confidence",
		want{"clean", "clean", "out-of-scope", "ds-2"}, mail{
			at: november(19, 11, 8), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
			mailFrom: yamada.addr, rcpt: sato, from: tanaka, before: []field{{"Sender", yamada.addr}},
			subject: "FW: 定例会議", charset: jis, zone: 9, sign: []string{"partner.example"},
			body:   calendar("directsend/calendar-forward.eml", tanaka, sato, "定例会議", "20261125T050000Z", "20261125T060000Z"),
			stamps: stamps{compauth: "pass reason=702"},
		})
	hybrid := mail{
		at: november(19, 14, 20), ip: "198.51.100.20", helo: "mail." + own, ptr: "mail." + own, tls: true,
		mailFrom: "koujou@" + own, rcpt: sato, from: person{"工場 日報", "koujou@" + own},
		subject: "11月19日の日報", charset: jis, zone: 9,
		hops: []string{"from koujou-pc.kiso-works.example (10.1.20.31) by mail.kiso-works.example (10.1.10.5) with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.2.1748.10; Thu, 19 Nov 2026 14:20:05 +0900"},
		body: plainJIS("本日の日報です。\n\n  生産数  1,240\n  不良    3\n  設備    異常なし\n"),
	}
	good := hybrid
	good.stamps = stamps{compauth: "none reason=451", authAs: "Internal", direction: "Originating", extra: []field{
		{"X-OriginatorOrg", own}, {"X-MS-Exchange-CrossPremises-AuthAs", "Internal"},
		{"X-MS-Exchange-CrossPremises-AuthSource", "mail." + own}, {"X-CrossPremisesHeadersPromoted", "TY2PEPF0000A5D1.JPNP286.PROD.OUTLOOK.COM"}}}
	add("hybrid-relay", "our Exchange Server on premises, over its connector", "AuthAs Internal (S2)",
		want{"clean", "clean", "out-of-scope", "internal"}, good)
	broken := hybrid
	broken.stamps = stamps{compauth: "none reason=451", extra: []field{
		{"X-CrossPremisesHeadersFiltered", "TY2PEPF0000A5D1.JPNP286.PROD.OUTLOOK.COM"}}}
	add("hybrid-broken-certificate", "the same server after its certificate ran out", "address of a connector (S4), but anonymous: the connector is broken",
		want{"clean", "clean", "out-of-scope", "via-connector"}, broken)
	all = append(all, b.notices()...)
	return all
}

// delivery is a report on a mail that did not arrive (RFC 3464).
func delivery(name, human, server, recipient string, original mail) part {
	var head []field
	head = append(head, field{"From", original.from.addr}, field{"To", recipient},
		field{"Subject", words(utf8, original.subject)}, field{"Message-ID", "<20261118.0915@" + own + ">"})
	p := multipart("report", boundary(name, 1),
		plain(human),
		part{fields: []field{{"Content-Type", "message/delivery-status"}},
			body: []byte("Reporting-MTA: dns; " + server + "\r\nArrival-Date: Wed, 18 Nov 2026 09:15:22 +0900\r\n\r\n" +
				"Final-Recipient: rfc822; " + recipient + "\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\r\n")},
		part{fields: []field{{"Content-Type", "text/rfc822-headers"}}, body: block(head)})
	p.fields[0].value = "multipart/report; report-type=delivery-status;" + p.fields[0].value[len("multipart/report;"):]
	return p
}

// notices are reports that mail servers write, and one mail that is no such.
func (b *builder) notices() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("directsend/"+name+".eml", shows, decides, w, m))
	}
	lost := mail{from: sato, subject: "見積もりの件"}
	human := "This is the mail system at host %s.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<suzuki@partner.example>: 550 5.1.1 User unknown\n"
	add("ndr", "our own relay could not deliver a mail that we sent", "null sender, multipart/report, compauth 501 (S7)",
		want{"clean", "clean", "out-of-scope", "ndr"}, mail{
			at: november(18, 9, 16), ip: "198.51.100.26", helo: "relay." + own, ptr: "relay." + own, tls: true,
			rcpt: sato, from: person{"Mail Delivery System", "mailer-daemon@" + own}, subject: "Undelivered Mail Returned to Sender", charset: ascii, zone: 9,
			extra:  []field{{"Auto-Submitted", "auto-replied"}},
			body:   delivery("directsend/ndr.eml", fmt.Sprintf(human, "relay."+own), "relay."+own, "suzuki@partner.example", lost),
			stamps: stamps{compauth: "none reason=501"},
		})
	add("bounce", "a partner's server could not deliver a mail that we sent", "From is the partner's, not ours (S1)",
		same("clean", "out-of-scope"), mail{
			at: november(18, 9, 17), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
			rcpt: sato, from: person{"Mail Delivery System", "mailer-daemon@partner.example"}, subject: "Undelivered Mail Returned to Sender", charset: ascii, zone: 9,
			extra: []field{{"Auto-Submitted", "auto-replied"}}, sign: []string{"partner.example"},
			body:   delivery("directsend/bounce.eml", fmt.Sprintf(human, "mail.partner.example"), "mail.partner.example", "suzuki@partner.example", lost),
			stamps: stamps{compauth: "pass reason=100"},
		})
	add("not-decidable", "a mail with our From, saved by a program that does not use Exchange Online", "no hop into Exchange Online (S0)",
		want{"clean", "clean", "not-decidable", "not-decidable"}, mail{
			at: november(18, 9, 30), path: elsewhere, rcpt: yamada, from: sato, subject: "Re: drawings", charset: ascii, zone: 9,
			hops: []string{"from mail-out.kiso-works.example (mail-out.kiso-works.example [198.51.100.25]) by mail.partner.example (Postfix) with ESMTPS id 4Kp1Lx3Dn9z1pQ for <yamada@partner.example>; Wed, 18 Nov 2026 09:30:09 +0900 (JST)"},
			body: plain("Hello Yamada-san,\n\nThursday is fine for me. See you at two.\n\nSato\n"),
		})
	return all
}
