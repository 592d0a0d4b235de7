package main

import "strings"

// calendar is an invitation (RFC 5545, RFC 6047).
func calendar(seed string, organizer, attendee person, summary, start, end string) part {
	ics := strings.Join([]string{
		"BEGIN:VCALENDAR", "PRODID:-//Example//Calendar 1.0//EN", "VERSION:2.0", "METHOD:REQUEST", "BEGIN:VEVENT",
		"UID:" + boundary(seed, 9)[5:] + "@kiso-works.example", "DTSTAMP:20261118T000000Z", "DTSTART:" + start, "DTEND:" + end,
		"SUMMARY:" + summary, "ORGANIZER;CN=" + organizer.name + ":mailto:" + organizer.addr,
		"ATTENDEE;ROLE=REQ-PARTICIPANT;RSVP=TRUE;CN=" + attendee.name + ":mailto:" + attendee.addr,
		"STATUS:CONFIRMED", "END:VEVENT", "END:VCALENDAR", "",
	}, "\n")
	p := text("calendar", utf8, "base64", ics)
	p.fields[0].value += "; method=REQUEST"
	return multipart("alternative", boundary(seed, 1), plainUTF8(summary+"\n"), p)
}

func quarantineNotice() mail {
	return mail{
		at: november(19, 7, 0), ip: "40.107.44.90", helo: "TYVP286CU001.outbound.protection.outlook.com",
		ptr: "mail-japaneastazon11010090.outbound.protection.outlook.com", tls: true,
		mailFrom: "quarantine@messaging.microsoft.com", rcpt: sato, from: person{"", "quarantine@messaging.microsoft.com"},
		subject: "Microsoft 365 security: You have messages in quarantine", charset: ascii, zone: 0, sign: []string{"microsoft.com"},
		body: html(page("en", `<p>Review these messages</p><p>1 message is held in quarantine.</p>
<p>Sender: sales@bulk-relay.test<br>Subject: Special offer</p>
<p><a class="button" href="https://security.microsoft.com/quarantine">Review message</a></p><p class="small">Privacy statement: https://privacy.microsoft.com/</p>`)),
		stamps: stamps{compauth: "pass reason=100", hosted: true, crossTenant: microsoftTenant},
	}
}

// partnerInvoice is a genuine invoice.
func partnerInvoice() mail {
	return mail{
		at: november(5, 10, 12), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
		mailFrom: yamada.addr, rcpt: keiri, from: yamada, subject: "10月分請求書の送付", charset: jis, zone: 9, sign: []string{"partner.example"},
		body: multipart("mixed", boundary("partner invoice", 1), plainJIS(invoiceText),
			attachment("請求書_2026-10.pdf", "application/pdf", pdf("", "Invoice 2026-1031", "JPY 184,800", "Due 2026-11-30"))),
		stamps: stamps{compauth: "pass reason=100"},
	}
}

func meetingNote() mail {
	return mail{
		at: november(6, 17, 30), path: submitted, rcpt: sato, from: tanaka, subject: "営業会議の議事録", charset: utf8, zone: 0,
		body: multipart("alternative", boundary("meeting note", 1),
			plainUTF8("佐藤さん\n\n今日の会議の議事録です。\n宿題は金曜日までにお願いします。\n\n田中\n"),
			htmlUTF8(office(`<p class="MsoNormal">佐藤さん</p><p class="MsoNormal">今日の会議の議事録です。<br>宿題は金曜日までにお願いします。</p><p class="MsoNormal">田中</p>`))),
	}
}

func (b *builder) ham() []example {
	var all []example
	clean := func(with string) want { return want{"clean", "clean", "out-of-scope", with} }
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("ham/"+name+".eml", shows, decides, w, m))
	}
	internal := "AuthAs Internal"
	add("internal-note-ja", "a colleague's mail, text and HTML", internal, clean("internal"), meetingNote())
	add("president-ja", "the president's own mail", internal, clean("internal"), mail{
		at: november(9, 8, 30), path: submitted, rcpt: keiri, from: president, subject: "来期の予算について", charset: utf8, zone: 0,
		body: plainUTF8("お疲れさまです。木曽です。\n\n来期の予算案を、来週の会議までにまとめてください。\n急ぎではありません。\n\n木曽\n"),
	})
	add("conduct-reminder-ja", "twin of the campaign: the yearly reminder of the code of conduct, really by our personnel department", internal, clean("internal"), mail{
		at: november(10, 10, 0), path: submitted, rcpt: sato, from: soumu, subject: "行動規範の確認のお願い / Reminder: code of conduct", charset: utf8, zone: 0,
		body: htmlUTF8(office(`<p class="MsoNormal">社員の皆さま</p><p class="MsoNormal">年に一度の行動規範の確認をお願いします。社内ポータルの「規程」からご覧ください。期限は11月30日です。</p>
<p class="MsoNormal"><a href="https://portal.kiso-works.example/rules/">https://portal.kiso-works.example/rules/</a></p>
<p class="MsoNormal">Please read the code of conduct on the portal by 30 November.</p><p class="MsoNormal">総務部</p>`)),
	})
	add("password-change-ja", "twin of the lures: our IT desk really asks for a new password", internal, clean("internal"), mail{
		at: november(12, 9, 0), path: submitted, rcpt: tanaka, from: itDesk, subject: "パスワード変更のお願い", charset: jis, zone: 0,
		body: plainJIS("社員の皆さま\n\nお疲れさまです。情報システム担当です。\n11月30日(月)までに、パスワードの変更をお願いします。\n\n手順: パソコンで Ctrl+Alt+Del を押し、「パスワードの変更」を選ぶ\n\nこのメールにリンクはありません。不明な点は内線1234まで。\n"),
	})
	add("partner-invoice-ja", "a partner's invoice", "DKIM and DMARC pass for the partner", clean("out-of-scope"), partnerInvoice())
	add("newsletter-en", "a newsletter with counting links", "one organisation behind sender and links", clean("out-of-scope"), mail{
		at: november(6, 6, 30), ip: "203.0.113.51", helo: "mta4.weekly.example", ptr: "mta4.weekly.example", tls: true,
		mailFrom: "bounce-99@mta.weekly.example", rcpt: sato, from: person{"Machine Tool Weekly", "news@weekly.example"},
		subject: "Five trends in milling, and more", charset: ascii, zone: 0, sign: []string{"weekly.example"},
		extra: []field{{"List-Unsubscribe", "<https://click.weekly.example/u/99>"}, {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}, {"List-Id", "<weekly.weekly.example>"}},
		body: html(page("en", `<h1>Machine Tool Weekly</h1><p>Five trends in milling that we saw this autumn.</p>
<p><a href="https://click.weekly.example/c/99/1">Read the article</a> &middot; <a href="https://click.weekly.example/c/99/2">www.weekly.example</a></p>
<img src="https://click.weekly.example/o/99.gif" width="1" height="1" alt=""><p class="small"><a href="https://click.weekly.example/u/99">Unsubscribe</a></p>`)),
		stamps: stamps{compauth: "pass reason=100"},
	})
	hosted := func(m mail) mail {
		m.ip, m.helo, m.ptr, m.tls = "40.107.44.91", "TYVP286CU003.outbound.protection.outlook.com", "mail-japaneastazon11010091.outbound.protection.outlook.com", true
		m.stamps = stamps{compauth: "pass reason=100", hosted: true, crossTenant: microsoftTenant}
		m.mailFrom = m.from.addr
		m.sign = []string{"microsoft.com"}
		return m
	}
	add("microsoft-service-en", "twin of the impersonations: Microsoft's own notice", "DMARC pass for Microsoft's domain", clean("out-of-scope"), hosted(mail{
		at: november(10, 15, 0), rcpt: itDesk, from: person{"Microsoft 365 Message center", "no-reply@microsoft.com"}, subject: "Message center: weekly digest", charset: ascii, zone: 0,
		body: html(page("en", `<p>Major updates from Message center</p><p>Changes to sign-in pages. <a href="https://admin.cloud.microsoft/#/MessageCenter">View more</a></p><p class="small">Microsoft Corporation</p>`)),
	}))
	add("teams-notice-en", "a genuine notice by Teams", "DMARC pass for Microsoft's domain", clean("out-of-scope"), hosted(mail{
		at: november(10, 16, 20), rcpt: sato, from: person{"田中 美咲 in Teams", "noreply@email.teams.microsoft.com"}, subject: "Tanaka sent a message", charset: utf8, zone: 0,
		body: html(page("en", `<p>Your teammates are trying to reach you in Microsoft Teams.</p><p>Tanaka: The drawings are in the folder.</p><p><a class="button" href="https://teams.microsoft.com/l/chat/0/0">Reply in Teams</a></p>`)),
	}))
	add("password-reset-en", "twin: a reset that the user asked for", "DKIM and DMARC pass, the link stays with the sender", clean("out-of-scope"), mail{
		at: november(11, 11, 11), ip: "203.0.113.50", helo: "mail.hosting.example", ptr: "mail.hosting.example", tls: true,
		mailFrom: "bounce@hosting.example", rcpt: itDesk, from: person{"Hosting Support", "support@hosting.example"}, subject: "Reset your password", charset: ascii, zone: 0, sign: []string{"hosting.example"},
		body: html(page("en", `<p>Somebody asked to reset the password of it@kiso-works.example.</p><p><a href="https://panel.hosting.example/reset/1a2b">Reset password</a></p>
<p>If it was not you, ignore this mail. The link works for one hour.</p>`)),
		stamps: stamps{compauth: "pass reason=100"},
	})
	add("calendar-invitation", "a partner's invitation", "DKIM and DMARC pass for the partner", clean("out-of-scope"), mail{
		at: november(12, 14, 0), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
		mailFrom: yamada.addr, rcpt: sato, from: yamada, subject: "納品打ち合わせ", charset: utf8, zone: 9, sign: []string{"partner.example"},
		body:   calendar("ham/calendar-invitation.eml", yamada, sato, "納品打ち合わせ", "20261126T010000Z", "20261126T020000Z"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	m := scanner("mfp", "198.51.100.10")
	m.stamps = stamps{compauth: "none reason=451"}
	add("mfp-scan", "twin of the fax lures: our printer", "address of a connector", clean("via-connector"), m)
	add("bank-notice-ja", "twin: our bank's genuine notice", "DKIM and DMARC pass for the bank, links stay with it", clean("out-of-scope"), mail{
		at: november(13, 10, 0), ip: "203.0.113.52", helo: "mx1.kiso-shinkin.example", ptr: "mx1.kiso-shinkin.example", tls: true,
		mailFrom: "info@kiso-shinkin.example", rcpt: keiri, from: person{"木曽信用金庫", "info@kiso-shinkin.example"},
		subject: "年末年始の営業のご案内", charset: jis, zone: 9, sign: []string{"kiso-shinkin.example"},
		body:   plainJIS("いつも木曽信用金庫をご利用いただき、ありがとうございます。\n\n年末は12月30日まで、年始は1月4日から営業いたします。\n詳しくはホームページをご覧ください。\nhttps://www.kiso-shinkin.example/news/\n\n当金庫がメールで暗証番号をお尋ねすることはありません。\n"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	add("mailing-list-en", "an outsider's post to a mailing list", "From is not ours (S1); ARC by the list says DMARC passed", clean("out-of-scope"), mail{
		at: november(8, 22, 10), ip: "203.0.113.40", helo: "mx.lists.example", ptr: "mx.lists.example", tls: true,
		mailFrom: "seizo-bounces@lists.example", rcpt: sato, to: []person{{"", "seizo@lists.example"}}, from: person{"Mori Akira", "mori@university.example"},
		subject: "[seizo:409] Slides of the last meeting", charset: ascii, zone: 9, sign: []string{"lists.example"},
		extra:  []field{{"List-Id", "<seizo.lists.example>"}, {"List-Post", "<mailto:seizo@lists.example>"}, {"Precedence", "list"}},
		body:   plain("Dear all,\n\nthe slides are on the web now.\n\nMori\n_______________________________________________\nseizo mailing list\nhttps://www.lists.example/mailman/listinfo/seizo\n"),
		sealer: "lists.example", sealed: "mx.lists.example; spf=pass smtp.mailfrom=mori@university.example; dkim=none; dmarc=pass (p=none) header.from=university.example",
		stamps: stamps{compauth: "pass reason=130"},
	})
	all = append(all, b.ordinary()...)
	return all
}

// ordinary mails in several languages, and answers that quote.
func (b *builder) ordinary() []example {
	var all []example
	add := func(name, shows string, m mail) {
		with := "out-of-scope"
		if m.path == submitted {
			with = "internal"
		}
		all = append(all, b.eml("ham/"+name+".eml", shows, "nothing remarkable", want{"clean", "clean", "out-of-scope", with}, m))
	}
	add("ordinary-ja", "an ordinary mail in Japanese, quoted-printable", mail{
		at: november(4, 9, 15), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
		mailFrom: yamada.addr, rcpt: sato, cc: []person{tanaka}, from: yamada, subject: "お打ち合わせのお礼", charset: utf8, zone: 9, sign: []string{"partner.example"},
		body:   text("plain", utf8, "quoted-printable", "木曽工業株式会社\n佐藤様、田中様\n\nお世話になっております。パートナー精機の山田です。\n昨日はお時間をいただき、ありがとうございました。\n図面の修正版は、来週お送りします。\n\n山田\n"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	add("ordinary-en", "an ordinary mail in English", mail{
		at: november(4, 17, 2), ip: "203.0.113.41", helo: "smtp.university.example", ptr: "smtp.university.example", tls: true,
		mailFrom: "mori@university.example", rcpt: tanaka, from: person{"Mori Akira", "mori@university.example"}, subject: "Visit next week", charset: ascii, zone: 9, sign: []string{"university.example"},
		body:   plain("Dear Ms Tanaka,\n\nthank you for the invitation. Three of us will come on Tuesday at ten.\nWe will take the bus from the station.\n\nBest regards,\nMori\n"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	add("ordinary-de", "an ordinary mail in German, ISO-8859-1", mail{
		at: november(4, 18, 40), ip: "203.0.113.11", helo: "mail.werk.example", ptr: "mail.werk.example", country: "DE", tls: true,
		mailFrom: "jaeger@werk.example", rcpt: person{"Kenichi Sato", sato.addr}, from: person{"Jürgen Jäger", "jaeger@werk.example"}, subject: "Rückfrage zur Lieferung", charset: latin1, lang: "de", zone: 1, sign: []string{"werk.example"},
		body:   text("plain", latin1, "quoted-printable", "Guten Tag Herr Sato,\n\nkönnen Sie uns die Maße der Welle bestätigen? In der Zeichnung fehlen sie.\nWir würden gern nächste Woche prüfen.\n\nMit freundlichen Grüßen\nJürgen Jäger\n"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	add("ordinary-pt", "an ordinary mail in Portuguese, from a domain without DMARC", mail{
		at: november(4, 23, 5), ip: "203.0.113.12", helo: "mail.oficina.example", ptr: "mail.oficina.example", country: "BR", tls: true,
		mailFrom: "joao@oficina.example", rcpt: person{"Kenichi Sato", sato.addr}, from: person{"João Conceição", "joao@oficina.example"}, subject: "Confirmação da reunião de amanhã", charset: utf8, lang: "pt", zone: -3,
		body:   text("plain", utf8, "quoted-printable", "Bom dia, Sr. Sato,\n\nconfirmo a reunião de amanhã às dez horas. Levo as peças de reposição comigo.\n\nAtenciosamente,\nJoão Conceição\n"),
		stamps: stamps{compauth: "pass reason=109"},
	})
	add("reply-quoted-ja", "an answer that quotes the earlier mail with its header lines: no forward", mail{
		at: november(5, 13, 22), path: submitted, rcpt: tanaka, from: sato, subject: "RE: 営業会議の議事録", charset: utf8, zone: 0,
		extra: []field{{"In-Reply-To", "<TYCP286MB2001A1B2@TYCP286MB2001.JPNP286.PROD.OUTLOOK.COM>"}, {"References", "<TYCP286MB2001A1B2@TYCP286MB2001.JPNP286.PROD.OUTLOOK.COM>"}},
		body:  plainUTF8("田中さん\n\n議事録をありがとうございました。\n宿題の件は承知しました。木曜日には出せると思います。\nグラフの2枚目だけ、数字をもう一度見てもらえますか。\n\n佐藤\n\n________________________________\n差出人: 田中 美咲 <tanaka@kiso-works.example>\n送信日時: 2026年11月5日 11:50\n宛先: 佐藤 健一 <sato@kiso-works.example>\n件名: 営業会議の議事録\n\n佐藤さん\n\n今日の会議の議事録です。\n宿題は金曜日までにお願いします。\n\n田中\n"),
	})
	add("reply-quoted-en", "the same in English, with quote marks", mail{
		at: november(5, 15, 48), ip: "203.0.113.41", helo: "smtp.university.example", ptr: "smtp.university.example", tls: true,
		mailFrom: "mori@university.example", rcpt: tanaka, from: person{"Mori Akira", "mori@university.example"}, subject: "Re: Visit next week", charset: ascii, zone: 9, sign: []string{"university.example"},
		extra:  []field{{"In-Reply-To", "<TYCP286MB2001C3D4@TYCP286MB2001.JPNP286.PROD.OUTLOOK.COM>"}},
		body:   plain("Dear Ms Tanaka,\n\nthen let us say half past ten, at the north gate.\nOne more question: may we take photographs in the hall?\n\nMori\n\nOn Thu, 5 Nov 2026 at 14:10, Tanaka Misaki <tanaka@kiso-works.example> wrote:\n> Dear Mr Mori,\n>\n> ten is a little early for us. Would half past ten suit you?\n>\n> Tanaka\n"),
		stamps: stamps{compauth: "pass reason=100"},
	})
	return all
}
