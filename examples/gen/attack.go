package main

import "bytes"

// block is a header block.
func block(fields []field) []byte {
	var w bytes.Buffer
	writeFields(&w, fields)
	return w.Bytes()
}

// attacks are the ways in which strangers use our domain.
func (b *builder) attacks() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("directsend/"+name+".eml", shows, decides, w, m))
	}
	add("ds1-high", "Direct Send abuse: From and MAIL FROM are ours, a rented server handed it in", "claim, anonymous, SPF and DMARC fail, compauth 601",
		same("malicious", "ds-1"), systemUpdateMail())
	add("ds1-subdomain", "the same with a sub-domain of ours in From", "a sub-domain counts as ours",
		same("malicious", "ds-1"), mail{
			at: november(17, 22, 3), ip: "203.0.113.78", helo: "vps-4471", country: "DE", mailFrom: "alerts@mail." + own, rcpt: tanaka,
			from: person{"Kiso Works IT", "alerts@mail." + own}, subject: "Mailbox storage 98% full", charset: ascii, zone: 0, noID: true,
			body: html(page("en", `<p>Dear Tanaka,</p><p>Your mailbox has used 98% of its space. Incoming mail will be held from today.</p>
<p><a class="button" href="https://storage.mail-quota.test/kiso">Increase storage</a></p><p class="small">Kiso Works IT service</p>`)),
			stamps: stamps{compauth: "fail reason=601", ownFrom: true},
		})
	forged := mail{
		at: november(17, 3, 33), ip: "203.0.113.79", helo: "localhost", country: "US", mailFrom: itDesk.addr, rcpt: sato, from: itDesk,
		subject: "パスワードの有効期限のお知らせ", charset: jis, zone: 9, noID: true,
		before: []field{
			{"Authentication-Results", "spf=pass (sender IP is 198.51.100.25) smtp.mailfrom=" + own + "; dkim=pass (signature was verified) header.d=" + own + ";dmarc=pass action=none header.from=" + own + ";compauth=pass reason=100"},
			{"X-MS-Exchange-Organization-AuthAs", "Internal"},
			{"X-MS-Exchange-Organization-AuthSource", "TYCP286MB1543.JPNP286.PROD.OUTLOOK.COM"},
			{"X-MS-Exchange-Organization-MessageDirectionality", "Originating"},
			{"X-MS-Exchange-CrossTenant-AuthAs", "Internal"},
			{"X-MS-Exchange-CrossTenant-Id", tenantID},
		},
		body: htmlJIS(page("ja", `<p>佐藤様</p><p>パスワードの有効期限が本日で切れます。<br>引き続きお使いになる場合は、下記から更新してください。</p>
<p><a href="https://kiso-works.password-keep.test/">現在のパスワードを継続する</a></p><p>情報システム担当</p>`)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true},
	}
	add("ds1-forged-stamps", "Direct Send abuse whose sender wrote the stamps of an internal mail himself", "a stamp among the sender's fields is never believed",
		same("malicious", "ds-1"), forged)
	add("ds2-foreign-mail-from", "the president's address in From, another domain in MAIL FROM; RejectDirectSend would not stop it", "claim, anonymous, foreign MAIL FROM, compauth 601",
		same("malicious", "ds-2"), mail{
			at: november(18, 8, 47), ip: "203.0.113.130", helo: "srv9.bulk-relay.test", ptr: "srv9.bulk-relay.test", country: "SG", tls: true,
			mailFrom: "u9912@bulk-relay.test", rcpt: keiri, from: president, subject: "至急お願いしたい件", charset: utf8, zone: 8,
			before: []field{{"Reply-To", "kiso.taro@freemail.example"}},
			body:   plainUTF8("お疲れさまです。木曽です。\n\n今、会議中で電話に出られません。\n本日中に振り込みをお願いしたい案件があります。\n手続きを進められるか、まずこのメールに返信してください。\n\n木曽\n"),
			stamps: stamps{compauth: "fail reason=601", ownFrom: true, safety: "9.11"},
		})
	add("ds3-null-sender", "our address in From and an empty MAIL FROM, but no delivery report", "claim, anonymous, null sender",
		same("malicious", "ds-3"), mail{
			at: november(18, 1, 20), ip: "203.0.113.91", helo: "host91.vps.test", country: "FR", rcpt: sato,
			from: person{"Kiso Works IT Support", "it-support@" + own}, subject: "[Action required] Unusual sign-in activity", charset: ascii, zone: 0, noID: true,
			body: html(page("en", `<div class="box"><p><b>Unusual sign-in activity</b></p><p>We noticed a sign-in to your work account from a new device.</p>
<p><a class="button" href="https://secure.kiso-works.sign-in-check.test/">Review activity</a></p></div>`)),
			stamps: stamps{compauth: "fail reason=601", ownFrom: true},
		})
	fake := delivery("directsend/ds3-fake-report.eml",
		"3 messages could not be delivered to your mailbox.\n\nRelease them here within 24 hours:\nhttps://kiso-works.mail-release.test/hold?id=3\n",
		"mail."+own, sato.addr, mail{from: tanaka, subject: "Contract"})
	add("ds3-fake-report", "a lure in the dress of a delivery report", "null sender and multipart/report, but no compauth 501 or 502",
		same("malicious", "ds-3"), mail{
			at: november(19, 2, 12), ip: "203.0.113.92", helo: "host92.vps.test", country: "FR", rcpt: sato,
			from: person{"Mail Delivery System", "postmaster@" + own}, subject: "Undelivered: 3 messages are on hold", charset: ascii, zone: 0,
			body: fake, stamps: stamps{compauth: "fail reason=601", ownFrom: true},
		})
	return all
}
