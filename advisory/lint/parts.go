package lint

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
)

// parts finds what a draft lacks: L15.
func (l *linter) parts(d *advisory.Draft, lines []advisory.Line) {
	need := []advisory.Kind{advisory.KindReview, advisory.KindDeadline, advisory.KindContact}
	switch d.Audience {
	case advisory.Staff:
		need = append(need, advisory.KindGreeting, advisory.KindNumber)
	case advisory.Admin:
		need = append(need, advisory.KindGreeting, advisory.KindNumber, advisory.KindPriority)
		if len(l.doc.Sources) > 0 {
			need = append(need, advisory.KindSource)
		}
	case advisory.Manager:
	}
	for _, k := range need {
		if !slices.ContainsFunc(lines, func(x advisory.Line) bool { return x.Kind == k }) {
			l.report("L15", at{draft: d}, "", "", "part", lang.M("lint.part."+string(k)))
		}
	}
	if d.Audience == advisory.Staff && !slices.ContainsFunc(lines, func(x advisory.Line) bool { return tells(x.Text) }) {
		l.report("L15", at{draft: d}, "", "", "part", lang.M("lint.part.report"))
	}
}

// tells reports whether a line says how to report or whom to tell.
func tells(s string) bool {
	low := strings.ToLower(s)
	return slices.ContainsFunc([]string{"連絡", "報告", "知らせ", "相談", "report", "tell ", "contact", "ask "}, func(w string) bool { return strings.Contains(low, w) })
}

// holes finds facts of the organisation that nobody gave: L16.
func (l *linter) holes(where at) {
	for _, m := range [][2]string{{"【要記入", "】"}, {"[FILL IN", "]"}} {
		i := strings.Index(where.text, m[0])
		if i < 0 {
			continue
		}
		quote := where.text[i:]
		if j := strings.Index(quote, m[1]); j >= 0 {
			quote = quote[:j+len(m[1])]
		}
		l.report("L16", where, quote, "")
	}
}

// Bounds of a notice to staff, in characters, without the reviewer's note.
const (
	maxStaffJA = 700
	maxStaffEN = 1500
	maxAsks    = 3
	maxLine    = 160 // characters of a request in Japanese
)

// measure finds notices that nobody reads to the end: L17.
func (l *linter) measure(d *advisory.Draft, lines []advisory.Line) {
	if d.Audience != advisory.Staff {
		return
	}
	n, asks := 0, 0
	for _, x := range lines {
		if x.Kind == advisory.KindReview {
			continue
		}
		n += utf8.RuneCountInString(x.Text)
		if x.Kind != advisory.KindNumber {
			continue
		}
		asks++
		where := at{d, x.ID, x.Text}
		if strings.Count(x.Text, "ください") > 2 || d.Lang == lang.JA && utf8.RuneCountInString(x.Text) > maxLine {
			l.report("L17", where, "", "", "what", lang.M("lint.length.request"))
		}
	}
	if asks > maxAsks {
		l.report("L17", at{draft: d}, "", "", "what", lang.M("lint.length.asks", "n", asks, "max", maxAsks))
	}
	limit := maxStaffEN
	if d.Lang == lang.JA {
		limit = maxStaffJA
	}
	if n > limit {
		l.report("L17", at{draft: d}, "", "", "what", lang.M("lint.length.whole", "n", n, "max", limit))
	}
}

// jargon are words that staff cannot be expected to know.
var jargon = []string{"AiTM", "中間者攻撃", "EPSS", "CVSS", "IoC", "TTP", "C2サーバー", "DMARC", "DKIM", "SPF", "RejectDirectSend", "条件付きアクセス", "conditional access", "adversary in the middle", "Direct Send", "OAuth", "リバースプロキシ", "reverse proxy", "認証トークン", "session token", "ペイロード", "payload", "エクスプロイト", "ゼロデイ", "zero-day"}

// blame are words that put the reader down.
var blame = []string{"処分の対象", "処分します", "厳罰", "不注意な", "自己責任", "責任を問います", "怠った方", "油断した", "your fault", "careless", "disciplinary action", "will be punished", "you failed", "negligent"}

// lures are requests that make a notice look like the mail it warns of.
var lures = []string{"下記のリンクからログイン", "以下のリンクからログイン", "下記のリンクからサインイン", "以下のリンクからサインイン", "こちらからサインイン", "こちらからログイン", "リンクをクリックしてパスワード", "下記urlからログイン", "パスワードを返信", "パスワードを入力してください", "パスワードを教えて", "click the link below", "click here", "sign in here", "log in here", "log in with the link", "sign in with the link", "enter your password here", "reply with your password", "enter your password below"}

// wording finds jargon (L18), a wrong tone (L19), requests that look like
// phishing (L22) and characters that do not arrive everywhere (L23).
func (l *linter) wording(where at, kind advisory.Kind) {
	low := strings.ToLower(where.text)
	if where.draft.Audience == advisory.Staff && kind != advisory.KindReview {
		for _, w := range jargon {
			if i := strings.Index(low, strings.ToLower(w)); i >= 0 && !explained(low[i+len(w):]) && !l.isLure(w) {
				l.report("L18", where, w, "")
			}
		}
		for _, w := range lures {
			if strings.Contains(low, w) {
				l.report("L22", where, w, "")
			}
		}
	}
	for _, w := range blame {
		if strings.Contains(low, w) && !strings.Contains(low, "ものではありません") {
			l.report("L19", where, w, "")
		}
	}
	if where.draft.Lang == lang.JA && kind == advisory.KindText {
		for _, end := range []string{"である。", "なのだ。", "べきだ。", "したのだ。", "せよ。", "すること。", "されたい。"} {
			if strings.Contains(where.text, end) {
				l.report("L19", where, end, "")
			}
		}
	}
	for _, r := range where.text {
		if emoji(r) {
			l.report("L23", where, string(r), "")
			break
		}
	}
}

func explained(after string) bool {
	return strings.HasPrefix(after, "(") || strings.HasPrefix(after, "（") || strings.HasPrefix(after, " (") || strings.HasPrefix(after, "、つまり") || strings.HasPrefix(after, "」(")
}

// isLure reports whether a word belongs to what a mail poses as.
func (l *linter) isLure(w string) bool {
	for _, f := range l.doc.Facts {
		if (f.Slot == "lure" || f.Slot == "service") && (strings.Contains(f.Words.JA, w) || strings.Contains(f.Words.EN, w)) {
			return true
		}
	}
	return false
}

func emoji(r rune) bool {
	return r >= 0x1f000 && r <= 0x1faff || r >= 0x2600 && r <= 0x27bf || r >= 0x2460 && r <= 0x24ff || r == 0xfe0f || unicode.Is(unicode.Co, r) || r >= 0x3220 && r <= 0x33ff
}
