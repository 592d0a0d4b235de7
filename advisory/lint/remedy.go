package lint

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// remedy is advice by the words with which it is given. An advice is meant where
// one of the words stands in a line and none of the words that qualify it.
type remedy struct {
	id    string
	words []string
	but   []string
}

// remedies are the words for the ids under no_remedy of the catalogue. What
// stops an attack and what does not is said there, by technique.
var remedies = []remedy{
	{
		"plain-mfa",
		[]string{"多要素認証を有効", "多要素認証の有効", "多要素認証を導入", "多要素認証の導入", "多要素認証を設定", "多要素認証を必須", "多要素認証を徹底", "mfaを有効", "mfa を有効", "mfaの導入", "mfa の導入", "mfaを導入", "mfa を導入", "二段階認証を", "enable mfa", "enable multi", "introduce mfa", "turn on mfa", "require mfa", "enforce mfa", "use mfa", "deploy mfa", "turn on multi", "require multi", "introduce multi", "enforce multi", "set up mfa"},
		[]string{"フィッシング耐性", "フィッシングに強い", "パスキー", "止まりません", "防げません", "止められません", "fido", "phishing-resistant", "resists phishing", "passkey", "does not stop", "windows hello"},
	},
	{
		"password-change-alone",
		[]string{"パスワードを変更してください", "パスワードを変更します", "パスワードの変更を", "パスワード変更を", "パスワードをリセット", "change your password", "change the password", "reset the password", "reset your password", "change passwords", "reset passwords"},
		[]string{"セッション", "失効", "トークン", "だけでは", "session", "revoke", "token", "alone does not"},
	},
	{
		"check-url",
		[]string{"urlを確認", "url を確認", "アドレスを確認", "アドレスバーを", "check the url", "check the address", "address bar"},
		[]string{"見分けられません", "does not help"},
	},
	{
		"authentication-check",
		[]string{"spfに合格していれば", "dmarcに合格していれば", "認証に合格したメールは安全", "認証結果を確認すれば", "if spf passes", "if dmarc passes", "passes dmarc is safe", "passes spf is safe"},
		[]string{"見分けられません", "does not"},
	},
	{
		"spelling",
		[]string{"差出人のアドレスを確認", "差出人アドレスを確認", "差出人のドメインを確認", "check the sender", "check the sender's address", "誤字", "不自然な日本語", "spelling"},
		[]string{"見分けられません", "does not help", "電話"},
	},
	{
		"reject-direct-send",
		[]string{"rejectdirectsend を有効", "rejectdirectsendを有効", "direct send の拒否を有効", "-rejectdirectsend $true", "turn on rejectdirectsend", "enable rejectdirectsend", "reject direct send"},
		[]string{"効きません", "止まりません", "does not stop"},
	},
	{
		"attachment-filter",
		[]string{"添付ファイルの検査を", "添付ファイルのフィルタ", "scan attachments", "attachment filter", "block attachments"},
		[]string{"止まりません", "does not stop"},
	},
}

// useless is advice that lulls, whatever the attack.
var useless = []string{
	"vpnを使えば安全", "vpn を使えば安全", "vpnなら安全", "vpn で通信を暗号化すれば", "ウイルス対策ソフトがあれば安全", "ウイルス対策ソフトを入れていれば", "鍵マークがあれば安全", "https なら安全", "httpsなら安全", "日本語が不自然", "不自然な日本語", "誤字脱字", "誤字や脱字", "スペルミス", "文法の誤り",
	"a vpn keeps you safe", "vpn protects you", "antivirus will protect", "antivirus protects", "the padlock means", "https means", "check for spelling", "look for spelling", "spelling mistakes", "typos", "poor grammar", "bad grammar", "grammatical errors",
}

// remedies finds advice that does not stop the attack: L10 and L12.
func (l *linter) remedies(where at) {
	text := strings.ToLower(where.text)
	for _, id := range l.doc.Techniques {
		t, ok := advisory.Default().Technique(id)
		if !ok {
			continue
		}
		for _, no := range t.NoRemedy {
			i := slices.IndexFunc(remedies, func(r remedy) bool { return r.id == no.ID })
			if i < 0 {
				continue
			}
			if w := remedies[i].given(text); w != "" && l.fits(no.ID) {
				l.report("L10", where, w, "")
				l.more(lang.Text{JA: no.JA, EN: no.EN})
			}
		}
	}
	for _, w := range useless {
		if strings.Contains(text, w) {
			l.report("L12", where, w, "")
			return
		}
	}
}

// fits reports whether a remedy is useless against all techniques of the
// matter: what stops one of them may be named beside another.
func (l *linter) fits(id string) bool {
	if id != "reject-direct-send" {
		return true
	}
	return !slices.Contains(l.doc.Techniques, "direct-send")
}

func (r *remedy) given(text string) string {
	for _, b := range r.but {
		if strings.Contains(text, b) {
			return ""
		}
	}
	for _, w := range r.words {
		if strings.Contains(text, w) {
			return w
		}
	}
	return ""
}

// required finds actions that a technique asks for and the document lacks: L11.
func (l *linter) required() {
	for _, id := range l.doc.Techniques {
		t, ok := advisory.Default().Technique(id)
		if !ok {
			continue
		}
		for _, act := range t.Requires {
			if l.says(act) || l.instead(act) {
				continue
			}
			l.report("L11", at{line: "steps"}, act, "")
			l.more(lang.Text{JA: t.JA, EN: t.EN})
		}
	}
}

func (l *linter) says(act string) bool {
	return slices.ContainsFunc(l.doc.Steps, func(s advisory.Step) bool { return s.ID == act })
}

// instead reports whether another action of the document does what one asks
// for, or the organisation has it already.
func (l *linter) instead(act string) bool {
	switch act {
	case "act.revoke-sessions":
		return l.says("act.contain-account")
	case "act.list-direct-senders", "act.reject-direct-send":
		on := l.o.Org != nil && l.o.Org.RejectDirectSend.Value()
		return on || l.says("act.dmarc-enforce") || !l.says("act.reject-direct-send") && l.doc.Template == "direct-send" && l.doc.Reason.Facts["exposed"] == "no" || l.doc.Reason.Facts["exposure"] == "no"
	}
	return false
}
