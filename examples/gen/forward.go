package main

import (
	"bytes"
	"strings"

	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

// handedIn is a mail of a member of staff to the IT desk.
func handedIn(from person, day, hour int, subject string, body part) mail {
	return mail{at: november(day, hour, 25), path: submitted, rcpt: itDesk, from: from, subject: subject, charset: utf8, zone: 0, body: body}
}

func (b *builder) forward() []example {
	all := b.attachedForwards()
	return append(all, b.inlineForwards()...)
}

// original is the mail m as it lay in the mailbox of its recipient.
func (b *builder) original(seed string, m mail) []byte {
	m.seed = seed
	return b.write(&m)
}

func (b *builder) attachedForwards() []example {
	var all []example
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("forward/"+name+".eml", shows, decides, w, m))
	}
	bad := b.original("original system update", systemUpdateMail())
	good := b.original("original invoice", partnerInvoice())
	lookalike := b.original("original look-alike", lookalikeMicrosoft())
	with := func(name, note string, inner ...[]byte) part {
		parts := []part{plainUTF8(note)}
		for _, raw := range inner {
			parts = append(parts, attached(raw))
		}
		return multipart("mixed", boundary("forward/"+name+".eml", 1), parts...)
	}
	add("attached-malicious-ja", "a Direct Send attack, forwarded as an attachment", "the attached mail: Direct Send abuse",
		same("malicious", "ds-1"),
		handedIn(keiri, 17, 9, "FW: 【重要】システムアップデートのお知らせ(経理部)", with("attached-malicious-ja", "情報システム担当 さま\n\nこのメールは本物でしょうか。まだ開いていません。\n\n経理部\n", bad)))
	add("attached-harmless-en", "a partner's invoice, forwarded as an attachment", "the attached mail: nothing remarkable",
		same("clean", "out-of-scope"),
		handedIn(keiri, 5, 11, "FW: 10月分請求書の送付", with("attached-harmless-en", "Hi,\n\nis this one all right? It looks normal to me.\n", good)))
	add("attached-two-ja", "two attached mails, one of them an attack", "the worse of the two",
		same("malicious", "ds-1"),
		handedIn(keiri, 17, 10, "不審なメール2通", with("attached-two-ja", "2通届いています。確認をお願いします。\n", good, bad)))
	add("attached-msg-ja", "an attack, forwarded as an Outlook item (.msg)", "the attached item: look-alike of Microsoft",
		same("malicious", "out-of-scope"),
		handedIn(sato, 11, 9, "FW: Microsoft account unusual sign-in activity", multipart("mixed", boundary("forward/attached-msg-ja.eml", 1),
			plainUTF8("怪しいメールが届いたので、添付します。\n\n佐藤\n"),
			attachment("Microsoft account unusual sign-in activity.msg", "application/vnd.ms-outlook", item(lookalikeMicrosoft(), lookalike)))))
	report := handedIn(sato, 16, 8, "3|"+(&mail{seed: "report"}).guid("network")+"|203.0.113.70|"+itDesk.addr+"|(【重要】不審なアクセスが検出されました)",
		multipart("mixed", boundary("forward/report-button.eml", 1), plain("\n"), reported("【重要】不審なアクセスが検出されました.eml",
			b.original("original alert", alertMail()))))
	report.extra = []field{{"X-MS-Exchange-UserReported", "Phish"}}
	add("report-button", "Outlook's report button: subject in its format, the mail attached", "the attached mail: Direct Send abuse", same("malicious", "ds-1"), report)
	feedback := multipart("report", boundary("forward/feedback-report.eml", 1),
		plain("This is an email abuse report for an email message received from IP\n203.0.113.133 on Wed, 11 Nov 2026 04:30:07 +0900.\n"),
		part{fields: []field{{"Content-Type", "message/feedback-report"}},
			body: []byte("Feedback-Type: fraud\r\nUser-Agent: ExampleReporter/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <account@rnicrosoft-security.test>\r\nArrival-Date: Wed, 11 Nov 2026 04:30:07 +0900\r\nSource-IP: 203.0.113.133\r\n")},
		attached(lookalike))
	feedback.fields[0].value = "multipart/report; report-type=feedback-report;" + strings.TrimPrefix(feedback.fields[0].value, "multipart/report;")
	add("feedback-report", "an abuse report (ARF, RFC 5965) from a provider", "the attached mail: look-alike of Microsoft",
		same("malicious", "out-of-scope"), mail{
			at: november(11, 12, 0), ip: "203.0.113.50", helo: "mail.hosting.example", ptr: "mail.hosting.example", tls: true,
			mailFrom: "bounce@hosting.example", rcpt: itDesk, from: person{"Abuse desk", "abuse@hosting.example"}, subject: "FW: Microsoft account unusual sign-in activity",
			charset: ascii, zone: 0, sign: []string{"hosting.example"}, body: feedback, stamps: stamps{compauth: "pass reason=100"},
		})
	return all
}

// alertMail is the security alert as in the phish folder.
func alertMail() mail {
	return mail{
		at: november(16, 3, 2), ip: "203.0.113.70", helo: "WIN-8K2D0T1", country: "NL", mailFrom: itDesk.addr, rcpt: sato, from: itDesk,
		subject: "【重要】不審なアクセスが検出されました", charset: utf8, zone: 0, noID: true, body: htmlUTF8(page("ja", securityAlert)),
		stamps: stamps{compauth: "fail reason=601", ownFrom: true, directSend: true},
	}
}

// reported is a mail as a file that has a name.
func reported(name string, raw []byte) part {
	p := attached(raw)
	p.fields[0].value += `; name="` + words(utf8, name) + `"`
	return p
}

// item makes an Outlook item of a mail.
func item(m mail, raw []byte) []byte {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return outlooktest.MSG(outlooktest.Message{
		Headers: string(head) + "\r\n\r\n", Subject: m.subject,
		From: outlooktest.Address{Name: m.from.name, SMTP: m.from.addr}, Sender: outlooktest.Address{Name: m.from.name, SMTP: m.from.addr},
		To: []outlooktest.Address{{Name: m.rcpt.name, SMTP: m.rcpt.addr}}, Date: m.at.UTC(),
		HTML: lookalikeHTML, HTMLCodepage: 65001,
	})
}

var lookalikeHTML = []byte(`<p><b>Unusual sign-in activity</b></p><p>We detected something unusual about a recent sign-in.</p>` +
	`<p><a href="https://login.rnicrosoft-security.test/recent">Review recent activity</a></p>`)

const inlineJA = `情報システム担当 さま

このメール、開いて大丈夫でしょうか。

________________________________
差出人: 情報システム部 <it@kiso-works.example>
送信日時: 2026年11月17日 9:12
宛先: 経理部 <keiri@kiso-works.example>
件名: 【重要】システムアップデートのお知らせ(経理部)

経理部 各位

情報システム担当です。
会計システムの認証方式の変更に伴い、システムアップデートを実施します。
経理部の皆さまは、本日中に下記のページから一度サインインし、アップデートを完了してください。

https://portal.kiso-works.example/update/<https://sso.kiso-works-login.test/update/>
`

func (b *builder) inlineForwards() []example {
	var all []example
	lost := "; the original header fields are missing"
	add := func(name, shows, decides string, w want, m mail) {
		all = append(all, b.eml("forward/"+name+".eml", shows, decides+lost, w, m))
	}
	ds := "not-decidable"
	add("inline-text-ja", "an attack, forwarded inline by Outlook in Japanese, plain text", "the quoted sender is ours, the link shows our portal and leads to a look-alike",
		same("suspicious", ds), handedIn(keiri, 17, 11, "FW: 【重要】システムアップデートのお知らせ(経理部)", plainJIS(inlineJA)))
	add("inline-html-ja", "the same as HTML", "as inline-text-ja; the visible address and the target of the link differ", same("malicious", ds),
		handedIn(keiri, 17, 12, "転送: 【重要】システムアップデートのお知らせ(経理部)", htmlUTF8(office(`<p class="MsoNormal">確認をお願いします。</p>
<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0mm 0mm 0mm">
<p class="MsoNormal"><b>差出人:</b> 情報システム部 &lt;it@kiso-works.example&gt;<br>
<b>送信日時:</b> 2026年11月17日 9:12<br>
<b>宛先:</b> 経理部 &lt;keiri@kiso-works.example&gt;<br>
<b>件名:</b> 【重要】システムアップデートのお知らせ(経理部)</p></div>
`+systemUpdate))))
	add("inline-outlook-en", "an attack, forwarded inline by Outlook in English", "look-alike of Microsoft in the quoted sender and in the link", same("malicious", ds),
		handedIn(sato, 11, 13, "FW: Microsoft account unusual sign-in activity", html(office(`<p class="MsoNormal">Is this real?</p>
<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in">
<p class="MsoNormal"><b>From:</b> Microsoft account team &lt;account@rnicrosoft-security.test&gt;<br>
<b>Sent:</b> Wednesday, November 11, 2026 4:30 AM<br>
<b>To:</b> sato@kiso-works.example<br>
<b>Subject:</b> Microsoft account unusual sign-in activity</p></div>
<p class="MsoNormal">We detected something unusual about a recent sign-in to the account sato@kiso-works.example.</p>
<p class="MsoNormal"><a href="https://login.rnicrosoft-security.test/recent">Review recent activity</a></p>`))))
	add("inline-gmail", "an attack, forwarded inline by a partner from Gmail", "look-alike of Microsoft in the quoted sender and in the link", same("malicious", ds), mail{
		at: november(11, 14, 0), ip: "203.0.113.10", helo: "mail.partner.example", ptr: "mail.partner.example", tls: true,
		mailFrom: yamada.addr, rcpt: sato, from: yamada, subject: "Fwd: Microsoft account unusual sign-in activity", charset: utf8, zone: 9, sign: []string{"partner.example"},
		body: multipart("alternative", boundary("forward/inline-gmail.eml", 1),
			plainUTF8("佐藤さん、こんなメールが来ました。そちらにも届いていますか。\n\n---------- Forwarded message ---------\nFrom: Microsoft account team <account@rnicrosoft-security.test>\nDate: Wed, Nov 11, 2026 at 4:31 AM\nSubject: Microsoft account unusual sign-in activity\nTo: <yamada@partner.example>\n\n\nWe detected something unusual about a recent sign-in.\n\nReview recent activity <https://login.rnicrosoft-security.test/recent>\n"),
			htmlUTF8(`<div dir="ltr">佐藤さん、こんなメールが来ました。そちらにも届いていますか。<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>From: <strong class="gmail_sendername" dir="auto">Microsoft account team</strong> <span dir="auto">&lt;<a href="mailto:account@rnicrosoft-security.test">account@rnicrosoft-security.test</a>&gt;</span><br>Date: Wed, Nov 11, 2026 at 4:31 AM<br>Subject: Microsoft account unusual sign-in activity<br>To:  &lt;<a href="mailto:yamada@partner.example">yamada@partner.example</a>&gt;<br></div><br><br>
<p>We detected something unusual about a recent sign-in.</p><p><a href="https://login.rnicrosoft-security.test/recent">Review recent activity</a></p></div></div>
`)),
		stamps: stamps{compauth: "pass reason=100"},
	})
	iphone := handedIn(sato, 11, 19, "Fwd: メールボックスの容量が上限に達しました", plainUTF8("これは本物ですか?\n\niPhoneから送信\n\nBegin forwarded message:\n\n> From: Microsoft 365 チーム <notice@mail-service.test>\n> Date: November 11, 2026 at 18:22:07 GMT+9\n> To: sato@kiso-works.example\n> Subject: メールボックスの容量が上限に達しました\n> \n> \n> お客様のメールボックスは、容量の上限に達しました。\n> 無料で容量を追加する <https://mailbox.mail-service.test/upgrade>\n"))
	iphone.mailer = "iPhone Mail (23B85)"
	add("inline-iphone", "an attack, forwarded inline from an iPhone", "name of Microsoft in the quoted sender, domain of somebody else; a full mailbox as the reason", same("malicious", ds), iphone)
	add("inline-harmless-ja", "a harmless mail, forwarded inline in Japanese", "nothing found, but never clean", same("undecided", ds),
		handedIn(sato, 4, 10, "FW: お打ち合わせのお礼", plainJIS("念のため共有します。\n\n-----Original Message-----\n差出人: 山田 大輔 <yamada@partner.example>\n送信日時: 2026年11月4日 9:15\n宛先: 佐藤 健一 <sato@kiso-works.example>\n件名: お打ち合わせのお礼\n\n木曽工業株式会社 佐藤様\n\nお世話になっております。パートナー精機の山田です。\n昨日はお時間をいただき、ありがとうございました。\n図面の修正版は、来週お送りします。\n")))
	add("inline-harmless-en", "a harmless mail, forwarded inline in English", "nothing found, but never clean", same("undecided", ds),
		handedIn(tanaka, 5, 9, "FW: Visit next week", plain("For your information.\n\n-----Original Message-----\nFrom: Mori Akira <mori@university.example>\nSent: Wednesday, November 4, 2026 5:02 PM\nTo: Tanaka Misaki <tanaka@kiso-works.example>\nSubject: Visit next week\n\nDear Ms Tanaka,\n\nthank you for the invitation. Three of us will come on Tuesday at ten.\n\nBest regards,\nMori\n")))
	return all
}
