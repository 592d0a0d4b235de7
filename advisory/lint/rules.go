package lint

import (
	"slices"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// Rule is what the linter looks for. Its title and reason are the messages
// "lint.title.<id>" and "lint.why.<id>".
type Rule struct {
	ID       string
	Severity Severity
	Example  Example
}

// Example is a line of a draft as the rule finds it and as it should be. It
// stands in an advisory of grade C about stolen session tokens, issued on Friday,
// 8 May 2026.
type Example struct {
	Audience advisory.Audience
	Lang     lang.Language
	Line     string // id of the line, "subject" or "label"
	Bad      string
	Good     string
}

// Rules returns all rules, by id.
func Rules() []Rule {
	staff, admin := advisory.Staff, advisory.Admin
	ja, en := lang.JA, lang.EN
	return []Rule{
		{"L01", Error, Example{staff, ja, "deadline", "対応期限: 本日中", "対応期限: なし(該当する方は、気づいた時点でただちに)"}},
		{"L02", Error, Example{admin, ja, "priority", "対応優先度: 高", "対応優先度: 中"}},
		{"L03", Error, Example{admin, en, "deadline", "Deadline: Thursday, 29 May 2026", "Deadline: Friday, 29 May 2026"}},
		{"L04", Error, Example{admin, ja, "deadline", "対応期限: 2026年5月10日(日)", "対応期限: 2026年5月15日(金)"}},
		{"L05", Error, Example{admin, en, "deadline", "Deadline: Friday, 1 May 2026", "Deadline: Friday, 15 May 2026"}},
		{"L06", Error, Example{admin, ja, "deadline", "対応期限: 2026年6月5日(金)", "対応期限: 2026年5月29日(金)"}},
		{"L07", Error, Example{"", "", "label", "即日", "月内に"}},
		{"L08", Error, Example{staff, en, "why.what", "About 62,000 people in 62 countries were targeted.", "More than 35,000 people in 26 countries were targeted."}},
		{"L09", Error, Example{staff, en, "why.what", "More than 35,000 people were compromised.", "More than 35,000 people were targeted."}},
		{"L10", Error, Example{admin, ja, "act.require-phishing-resistant", "全社員に多要素認証を導入します。", "フィッシング耐性のある多要素認証(パスキーなど)を導入します。"}},
		{"L11", Error, Example{admin, ja, "act.revoke-sessions", "", "該当者がいれば、サインインを止め、セッションを失効させます。"}},
		{"L12", Warning, Example{staff, ja, "ask.open-not-lure", "日本語が不自然なメールに注意してください。", "心当たりのないメールは、添付ファイルもリンクも開かないでください。"}},
		{"L13", Error, Example{staff, en, "why.what", "The mails lead to https://conduct-case.example/signin.", "The mails lead to hxxps://conduct-case[.]example/signin."}},
		{"L14", Error, Example{staff, ja, "why.what", "経理の hanako@kiso-works.example さんに届いたメールです。", "社員に届いたメールです。"}},
		{"L15", Error, Example{staff, ja, "contact", "", "問い合わせ先: 情報システム担当(内線 1234)"}},
		{"L16", Error, Example{staff, ja, "contact", "問い合わせ先: 【要記入: 連絡先】", "問い合わせ先: 情報システム担当(内線 1234)"}},
		{"L17", Warning, Example{staff, ja, "ask.open-not-lure", "メールは開かないでください。リンクも開かないでください。返信もしないでください。", "心当たりのないメールは、添付ファイルもリンクも開かないでください。"}},
		{"L18", Warning, Example{staff, ja, "why.what", "AiTM 型のフィッシングメールが確認されています。", "偽のサインイン画面へ誘導するメールが確認されています。"}},
		{"L19", Warning, Example{staff, ja, "ask.tell-opened", "開いた方は処分の対象となりますので、ご連絡ください。", "開いた方は、すぐにご連絡ください。責任を問うものではありません。"}},
		{"L20", Error, Example{staff, ja, "why.what", "当社では3名の社員がこのメールを受信しました。", "2026年5月8日(金)時点で、当社での受信は確認していません。"}},
		{"L21", Warning, Example{admin, ja, "scope.text", "26カ国の90,000人が標的になりました。", ""}},
		{"L22", Error, Example{staff, en, "ask.open-not-lure", "To confirm that you have read this, click the link below and sign in.", "Open neither the attachment nor the links of such a mail."}},
		{"L23", Warning, Example{staff, ja, "subject", "⚠【注意喚起】偽メールにご注意ください", "【注意喚起】偽メールにご注意ください"}},
		{"L24", Error, Example{staff, en, "deadline", "Deadline: Friday, 29 May 2026", "Deadline: none (if it concerns you: as soon as you notice)"}},
		{"L25", Warning, Example{staff, en, "why.what", "The attackers have been arrested.", "How many accounts were compromised is not known."}},
	}
}

func ruleOf(id string) (Rule, bool) {
	list := Rules()
	i := slices.IndexFunc(list, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return list[i], true
}
