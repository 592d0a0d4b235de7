package desk

import (
	"strings"

	"github.com/sekisho/sekisho/advisory"
)

// lure is a pretext that mails use, as people tell it to each other in both
// languages, and whom such mails pose as.
type lure struct {
	words []string // any of them in a text, in lower case
	name  advisory.Words
	poses advisory.Words
}

// lures are the pretexts that are told by name. The first whose words a text has
// most often is meant.
func lures() []lure {
	w := func(ja, en string) advisory.Words { return advisory.Words{JA: ja, EN: en} }
	hr, it := w("人事部門や社内規定の担当", "the human resources or compliance department"), w("社内の情報システム部門", "the organisation's own IT department")
	return []lure{
		{[]string{"code of conduct", "conduct policy", "conduct case", "non-compliance case", "行動規範", "行動指針", "コンプライアンス違反"}, w("行動規範違反の通知", "code of conduct notices"), hr},
		{[]string{"system update", "システム更新", "システムの更新", "システムアップデート"}, w("社内システムの更新", "internal system updates"), it},
		{[]string{"security alert", "suspicious access", "セキュリティ警告", "セキュリティアラート", "不審なアクセス"}, w("セキュリティ警告", "security alerts"), advisory.Words{}},
		{[]string{"voicemail", "voice message", "missed call", "ボイスメール", "留守番電話"}, w("留守番電話の通知", "voicemail notices"), advisory.Words{}},
		{[]string{"fax notification", "fax message", "fax通知", "faxの通知", "fax 通知"}, w("FAX 受信の通知", "fax notices"), advisory.Words{}},
		{[]string{"payroll", "salary", "bonus", "給与", "賞与"}, w("給与・賞与の通知", "payroll notices"), hr},
		{[]string{"password expir", "mailbox quota", "パスワードの有効期限", "メールボックスの容量"}, w("パスワードやメールボックスの期限", "expiring passwords or mailboxes"), it},
		{[]string{"shared document", "shared a file", "sharepoint", "docusign", "共有ファイル", "共有ドキュメント"}, w("共有文書の通知", "notices of shared documents"), advisory.Words{}},
		{[]string{"unpaid invoice", "fake invoice", "invoice", "請求書"}, w("請求書", "invoices"), advisory.Words{}},
		{[]string{"parcel", "delivery notice", "不在通知", "配達", "宅配"}, w("荷物の配達通知", "parcel notices"), advisory.Words{}},
		{[]string{"tax refund", "国税", "納税", "還付"}, w("税金の通知", "tax notices"), advisory.Words{}},
		{[]string{"account suspen", "account lock", "アカウント停止", "利用停止"}, w("アカウント停止の通知", "notices of suspended accounts"), advisory.Words{}},
	}
}

// lureOf is the pretext that a text tells of, in words of both languages. ok is
// false if none is told by name.
func lureOf(title, text string) (name, poses advisory.Words, ok bool) {
	title, text = strings.ToLower(title), strings.ToLower(text)
	best := 0
	for _, l := range lures() {
		n := 0
		for _, w := range l.words {
			n += 5*strings.Count(title, w) + strings.Count(text, w)
		}
		if n > best {
			best, name, poses = n, l.name, l.poses
		}
	}
	return name, poses, best > 0
}
