package main

import "fmt"

// page is HTML as an office mail has it.
func page(lang, inner string) string {
	return fmt.Sprintf(`<!DOCTYPE html>
<html lang="%s">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<style>
body { font-family: "Yu Gothic UI", "Segoe UI", sans-serif; font-size: 11pt; color: #222; }
.box { border: 1px solid #ddd; padding: 16px 20px; max-width: 560px; }
.button { background: #0067b8; color: #fff; padding: 8px 18px; text-decoration: none; }
.small { color: #666; font-size: 9pt; }
</style>
</head>
<body>
%s
</body>
</html>
`, lang, inner)
}

// office is HTML as Outlook writes it.
func office(inner string) string {
	return `<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns="http://www.w3.org/TR/REC-html40">
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<style><!--
p.MsoNormal { margin: 0; font-size: 10.5pt; font-family: "游ゴシック", sans-serif; }
a:link { color: #0563C1; text-decoration: underline; }
--></style>
</head>
<body lang="JA" link="#0563C1">
<div class="WordSection1">
` + inner + `
</div>
</body>
</html>
`
}

// The lures as text. Mails of several kinds carry them.
const (
	securityAlert = `<div class="box">
<p><b>不審なアクセスが検出されました</b></p>
<p>お使いの Microsoft 365 アカウントに、通常と異なる場所からのサインインがありました。</p>
<table>
<tr><td>日時</td><td>2026年11月16日 2:41</td></tr>
<tr><td>場所</td><td>不明(海外)</td></tr>
<tr><td>アドレス</td><td>203.0.113.201</td></tr>
</table>
<p>本日 18:00 までにご本人の確認が取れない場合、アカウントを停止します。</p>
<p><a class="button" href="https://kiso-works.account-verify.test/signin?u=sato">アクティビティを確認する</a></p>
<p class="small">本メールは情報システム担当から自動で送信しています。</p>
</div>`

	systemUpdate = `<p>経理部 各位</p>
<p>情報システム担当です。<br>会計システムの認証方式の変更に伴い、<b>システムアップデート</b>を実施します。</p>
<p>経理部の皆さまは、本日中に下記のページから一度サインインし、アップデートを完了してください。<br>
完了しない場合、明日から会計システムを利用できません。</p>
<p><a href="https://sso.kiso-works-login.test/update/">https://portal.kiso-works.example/update/</a></p>
<p>ご不明な点は、本メールへの返信でお問い合わせください。</p>`

	invoiceText = `木曽工業株式会社
経理部 御中

いつもお世話になっております。
パートナー精機の山田です。

10月分の請求書をお送りします。
ご確認のほど、よろしくお願いいたします。

  請求書番号  2026-1031
  金額        184,800円(税込)
  お支払期限  2026年11月30日

振込先に変更はございません。
--
パートナー精機株式会社 営業部
山田 大輔
https://www.partner.example/
`
)
