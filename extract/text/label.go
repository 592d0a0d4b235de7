package text

import (
	"strings"
	"unicode/utf8"
)

// FieldName is the name of a field in the header block that mail programs put
// above a message they quote or forward.
type FieldName string

// The fields, under their names in English Outlook.
const (
	From    FieldName = "From"
	Sent    FieldName = "Sent"
	To      FieldName = "To"
	Cc      FieldName = "Cc"
	Subject FieldName = "Subject"
	Other   FieldName = "Other" // attachments, importance and the like
)

// labels are the words for the fields in Outlook, Gmail, Apple Mail and
// Thunderbird, in lower case.
var labels = map[string]FieldName{
	"from": From, "von": From, "de": From, "da": From, "van": From, "från": From, "fra": From, "lähettäjä": From, "od": From, "от": From,
	"差出人": From, "送信者": From, "送信元": From, "发件人": From, "寄件者": From, "寄件人": From, "보낸 사람": From, "보낸사람": From, "expéditeur": From, "absender": From, "remitente": From, "remetente": From, "mittente": From,

	"sent": Sent, "date": Sent, "gesendet": Sent, "datum": Sent, "envoyé": Sent, "envoyé le": Sent, "enviado": Sent, "enviado el": Sent, "enviado em": Sent, "enviada": Sent, "enviada em": Sent,
	"fecha": Sent, "data": Sent, "inviato": Sent, "verzonden": Sent, "skickat": Sent, "sendt": Sent, "dato": Sent, "lähetetty": Sent, "wysłano": Sent, "дата": Sent, "отправлено": Sent,
	"送信日時": Sent, "日時": Sent, "日付": Sent, "送信日": Sent, "发送时间": Sent, "日期": Sent, "寄件日期": Sent, "時間": Sent, "보낸 날짜": Sent, "날짜": Sent, "gesendet am": Sent,

	"to": To, "an": To, "à": To, "a": To, "para": To, "aan": To, "till": To, "til": To, "vastaanottaja": To, "do": To, "кому": To, "destinataire": To, "empfänger": To,
	"宛先": To, "収件人": To, "收件人": To, "收件者": To, "받는 사람": To, "받는사람": To,

	"cc": Cc, "kopie": Cc, "copie": Cc, "cópia": Cc, "c/c": Cc, "copia": Cc, "copie à": Cc, "kopia": Cc, "抄送": Cc, "副本": Cc, "참조": Cc, "копия": Cc, "ｃｃ": Cc,

	"subject": Subject, "betreff": Subject, "objet": Subject, "asunto": Subject, "assunto": Subject, "oggetto": Subject, "onderwerp": Subject, "ämne": Subject, "emne": Subject,
	"aihe": Subject, "temat": Subject, "тема": Subject, "件名": Subject, "题名": Subject, "主题": Subject, "主旨": Subject, "제목": Subject, "sujet": Subject,

	"attachments": Other, "attachment": Other, "importance": Other, "reply-to": Other, "reply to": Other, "bcc": Other, "sensitivity": Other, "organization": Other, "priority": Other,
	"anlagen": Other, "wichtigkeit": Other, "pièces jointes": Other, "pièce jointe": Other, "adjuntos": Other, "anexos": Other, "importância": Other, "répondre à": Other, "antwort an": Other,
	"添付ファイル": Other, "重要度": Other, "返信先": Other, "allegati": Other, "bijlagen": Other, "message-id": Other, "resent-from": Other, "sender": Other, "優先度": Other,
}

// maxLabel is the longest label in bytes.
const maxLabel = 24

// label reads the label at the start of a line and returns where its value
// starts. Gmail and Outlook.com write "*From:*" for a bold label.
func label(line string) (name FieldName, value int, ok bool) {
	i := 0
	for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == '*') {
		i++
	}
	head := line[i:min(len(line), i+maxLabel+8)]
	k := strings.IndexByte(head, ':')
	n := 1
	if w := strings.Index(head, "："); w >= 0 && (k < 0 || w < k) {
		k, n = w, len("：")
	}
	if k <= 0 {
		return "", 0, false
	}
	word := strings.ToLower(strings.Trim(strings.TrimSpace(head[:k]), "*\u00a0\u3000 "))
	if name, ok = labels[word]; !ok {
		return "", 0, false
	}
	value = i + k + n
	for value < len(line) && (line[value] == ' ' || line[value] == '\t' || line[value] == '*') {
		value++
	}
	if strings.HasPrefix(line[value:], "\u3000") || strings.HasPrefix(line[value:], "\u00a0") {
		_, w := utf8.DecodeRuneInString(line[value:])
		value += w
	}
	return name, value, true
}

// marker is a line with which a program separates a message below.
type marker struct {
	words   string // in lower case, without dashes
	forward bool
	program Program
}

// Program is the mail program that wrote a quotation, as far as its layout
// tells.
type Program string

// The programs.
const (
	Outlook     Program = "outlook" // and whatever imitates it
	Gmail       Program = "gmail"
	AppleMail   Program = "apple-mail"
	Thunderbird Program = "thunderbird"
	YahooMail   Program = "yahoo-mail"
)

var markers = []marker{
	{"forwarded message", true, Gmail},
	{"original message", false, Outlook},
	{"weitergeleitete nachricht", true, Gmail},
	{"weitergeleitete e-mail", true, ""},
	{"ursprüngliche nachricht", false, Outlook},
	{"message transféré", true, Thunderbird},
	{"message transmis", true, ""},
	{"message d'origine", false, Outlook},
	{"message d’origine", false, Outlook},
	{"mensaje reenviado", true, Thunderbird},
	{"mensaje original", false, Outlook},
	{"mensagem encaminhada", true, Thunderbird},
	{"mensagem original", false, Outlook},
	{"messaggio inoltrato", true, Thunderbird},
	{"messaggio originale", false, Outlook},
	{"doorgestuurd bericht", true, Thunderbird},
	{"oorspronkelijk bericht", false, Outlook},
	{"転送されたメッセージ", true, Gmail},
	{"転送メッセージ", true, Thunderbird},
	{"転送メール", true, ""},
	{"元のメッセージ", false, Outlook},
	{"original mail", false, ""},
	{"オリジナルメッセージ", false, Outlook},
	{"forward message", true, ""},
	{"forwarded mail", true, ""},
	{"begin forwarded text", true, ""},
	{"转发的邮件", true, ""},
	{"转发邮件信息", true, ""},
	{"原始邮件", false, ""},
}

// openings are whole lines that say the same without dashes.
var openings = []marker{
	{"begin forwarded message", true, AppleMail},
	{"forwarded message", true, ""},
	{"forwarded by", true, ""},
	{"début du message réexpédié", true, AppleMail},
	{"début du message transféré", true, AppleMail},
	{"anfang der weitergeleiteten nachricht", true, AppleMail},
	{"anfang der weitergeleiteten e-mail", true, AppleMail},
	{"inicio del mensaje reenviado", true, AppleMail},
	{"início da mensagem encaminhada", true, AppleMail},
	{"início da mensagem reencaminhada", true, AppleMail},
	{"inizio messaggio inoltrato", true, AppleMail},
	{"begin doorgestuurd bericht", true, AppleMail},
	{"転送されたメッセージ", true, AppleMail},
	{"転送メッセージ", true, ""},
	{"original message", false, ""},
}

// markerLine reads a line that separates two messages.
func markerLine(line string) (marker, bool) {
	line = strings.TrimSpace(line)
	if len(line) > 120 || line == "" {
		return marker{}, false
	}
	inner := strings.Trim(line, "-=_*＊―ー－─━~ \u00a0\u3000")
	dashes := len(line) - len(inner)
	inner = strings.ToLower(inner)
	if dashes >= 4 && inner != "" {
		for _, m := range markers {
			if rest, ok := strings.CutPrefix(inner, m.words); ok && (rest == "" || strings.Trim(rest, " :-：") == "" || strings.HasPrefix(rest, " from") || strings.HasPrefix(rest, " follows")) {
				return m, true
			}
		}
	}
	inner, colon := strings.CutSuffix(inner, ":")
	if !colon {
		inner, colon = strings.CutSuffix(inner, "：")
	}
	inner = strings.TrimSpace(inner)
	for _, m := range openings {
		if inner == m.words && (colon || m.program == AppleMail) {
			return m, true
		}
	}
	return marker{}, false
}

// attributions are the ways in which a program introduces what it quotes: how
// the line starts and how it ends, in lower case. Either may be empty.
var attributions = []struct{ start, end string }{
	{"on ", "wrote:"}, {"on ", "writes:"}, {"", " wrote:"}, {"am ", "schrieb:"}, {"am ", ":"}, {"le ", "a écrit :"}, {"le ", "a écrit:"}, {"el ", "escribió:"},
	{"em ", "escreveu:"}, {"il ", "ha scritto:"}, {"il giorno ", ":"}, {"op ", "schreef:"}, {"op ", ":"}, {"den ", "skrev:"}, {"", "のメール:"}, {"", "のメール："},
	{"", "さんは書きました:"}, {"", "は書きました:"}, {"", "wrote："}, {"", ">:"}, {"", "> wrote:"}, {"", "写道："}, {"", "写道:"}, {"", "님이 작성:"},
}

// isAttribution reports whether line introduces a quotation.
func isAttribution(line string) bool {
	line = strings.ToLower(strings.TrimSpace(line))
	if len(line) < 12 || len(line) > 400 {
		return false
	}
	if c := line[len(line)-1]; c != ':' && !strings.HasSuffix(line, "：") {
		return false
	}
	for _, a := range attributions {
		if !strings.HasPrefix(line, a.start) || !strings.HasSuffix(line, a.end) {
			continue
		}
		// A bare colon at the end introduces many things; a quotation names
		// who is quoted and when.
		if strings.HasSuffix(a.end, "wrote:") && a.start == "" || len(a.end) > 2 {
			if a.start != "" || len(a.end) > 8 || strings.ContainsAny(line, "0123456789@") {
				return true
			}
			continue
		}
		if strings.Contains(line, "@") && strings.ContainsAny(line, "0123456789") {
			return true
		}
	}
	return false
}
