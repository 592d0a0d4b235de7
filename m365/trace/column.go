package trace

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// column is what a column holds.
type column uint8

const (
	cNone column = iota
	cTime
	cMailFrom
	cMailFromDomain
	cFrom
	cFromDomain
	cSender
	cName
	cRecipient
	cRecipientStatus // recipient and status in one: "a@b##Receive, Deliver;..."
	cSubject
	cStatus
	cIP
	cIP6
	cOriginalIP
	cToIP
	cHost
	cMessageID
	cNetworkID
	cSize
	cDirection
	cConnector
	cAuthentication
	cAction
	cLocation
	cEvent
	cSource
	cReturnPath
	nColumns
)

// headings are how the columns are headed, in the form of [plain]: Get-MessageTrace
// and the reports of the admin centre, advanced hunting, and the lists that the
// portals show in English and Japanese.
func headings() map[string]column {
	m := map[string]column{}
	for c, names := range map[column]string{
		cTime:            "received|timestamp|origin_timestamp_utc|origin_timestamp|date_time_utc|date_time|date|date (UTC)|date (UTC+0)|email date|received (UTC)|datetime|日付|日付(UTC)|日時|受信日時|受信日時(UTC)|受信日|タイムスタンプ|日付と時刻|電子メールの日付",
		cMailFrom:        "SenderMailFromAddress|mail from|mailfrom|mail from address|sender mail from address|envelope from|envelope sender|p1 sender|エンベロープ送信者|エンベロープ From|メール From アドレス",
		cReturnPath:      "return_path|return path",
		cMailFromDomain:  "SenderMailFromDomain|sender mail from domain",
		cFrom:            "SenderFromAddress|sender from address|header from|from|from address|差出人|差出人アドレス|送信元アドレス(From)",
		cFromDomain:      "SenderFromDomain|sender from domain",
		cSender:          "SenderAddress|sender_address|sender|送信者|送信者アドレス|送信者のアドレス|送信元",
		cName:            "SenderDisplayName|sender display name|display name|送信者の表示名|差出人名|表示名",
		cRecipient:       "RecipientAddress|recipient_address|recipient|recipients|RecipientEmailAddress|to|受信者|受信者アドレス|受信者のアドレス|宛先",
		cRecipientStatus: "recipient_status",
		cSubject:         "subject|message_subject|件名",
		cStatus:          "status|delivery status|状態|ステータス|配信状態|配信ステータス",
		cIP:              "FromIP|SenderIPv4|sender ip|sender ip address|client_ip|from ip|送信元 IP|送信元IPアドレス|送信者 IP|送信者の IP",
		cIP6:             "SenderIPv6",
		cOriginalIP:      "original_client_ip",
		cToIP:            "ToIP|to ip|server_ip|送信先 IP",
		cHost:            "client_hostname",
		cMessageID:       "MessageId|message_id|message id|InternetMessageId|internet message id|メッセージ ID|インターネット メッセージ ID",
		cNetworkID:       "MessageTraceId|NetworkMessageId|network_message_id|network message id|ネットワーク メッセージ ID|メッセージ追跡 ID",
		cSize:            "size|total_bytes|EmailSize|サイズ|サイズ(バイト)",
		cDirection:       "directionality|EmailDirection|direction|email direction|方向|メールの方向",
		cConnector:       "connector_id|connectors|connector|コネクタ|コネクター",
		cAuthentication:  "AuthenticationDetails|authentication details|認証の詳細",
		cAction:          "DeliveryAction|delivery action|配信アクション",
		cLocation:        "DeliveryLocation|LatestDeliveryLocation|delivery location|latest delivery location|配信場所|最新の配信場所",
		cEvent:           "event_id",
		cSource:          "source",
	} {
		for n := range strings.SplitSeq(names, "|") {
			m[plain(n)] = c
		}
	}
	return m
}

// plain makes headings comparable: width, case, spaces and signs do not count.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0\t_-./:()[]・'\"#*", r) {
			return -1
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s[:min(len(s), 200)])))
}

// layout is where the columns of a table are; -1 where there is none.
type layout struct {
	at    [nColumns]int
	width int
}

func newLayout(width int) layout {
	l := layout{width: width}
	for i := range l.at {
		l.at[i] = -1
	}
	return l
}

func (l *layout) has(c column) bool { return l.at[c] >= 0 }

func (l *layout) get(row []string, c column) string {
	i := l.at[c]
	if i < 0 || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

// layoutOf reads headings; ok is false if they are none of a trace.
func layoutOf(row []string, known map[string]column) (l layout, ok bool) {
	l = newLayout(len(row))
	n := 0
	for i, h := range row {
		if c := known[plain(h)]; c != cNone && l.at[c] < 0 {
			l.at[c] = i
			n++
		}
	}
	return l, l.usable() && n >= 3
}

func (l *layout) usable() bool {
	sender := l.has(cSender) || l.has(cMailFrom) || l.has(cFrom) || l.has(cFromDomain) || l.has(cMailFromDomain) || l.has(cReturnPath)
	about := l.has(cRecipient) || l.has(cRecipientStatus) || l.has(cSubject) || l.has(cIP) || l.has(cOriginalIP) || l.has(cNetworkID)
	return sender && about
}

func (l *layout) format() Format {
	switch {
	case l.has(cEvent):
		return Extended
	case l.has(cRecipientStatus) || l.has(cOriginalIP):
		return Summary
	case l.has(cFrom) || l.has(cMailFrom) || l.has(cFromDomain) || l.has(cMailFromDomain) || l.has(cAuthentication) || l.has(cAction):
		return EmailEvents
	}
	return MessageTrace
}

func (l *layout) knows() Knows {
	return Knows{
		MailFrom: l.has(cMailFrom) || l.has(cMailFromDomain) || l.has(cReturnPath), From: l.has(cFrom) || l.has(cFromDomain),
		Sender: l.has(cSender), IP: l.has(cIP) || l.has(cOriginalIP), Connector: l.has(cConnector), Direction: l.has(cDirection),
		Authentication: l.has(cAuthentication), NetworkID: l.has(cNetworkID),
		Outcome: l.has(cStatus) || l.has(cRecipientStatus) || l.has(cAction) || l.has(cLocation) || l.has(cEvent),
	}
}
