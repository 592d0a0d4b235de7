package notify

import (
	"errors"
	"maps"
	"strings"
	"unicode/utf8"

	"github.com/sekisho/sekisho/internal/desk"
)

// ErrTooLong is for an advisory that does not fit into a message of a receiver.
var ErrTooLong = errors.New("notify: too long for a message")

// Bounds of the receivers: Slack's reference of Block Kit, and the size that an
// incoming webhook of Teams takes.
const (
	slackHeader  = 150  // characters of a header block
	slackSection = 3000 // characters of the text of a section block
	slackBlocks  = 50
	teamsBytes   = 28 << 10
)

// payload is the body for a kind of webhook.
func payload(w *desk.Webhook, n *desk.Notification) ([]byte, error) {
	switch w.Kind {
	case desk.SlackWebhook:
		return slack(n)
	case desk.TeamsWebhook:
		return teams(n)
	default:
		return encode(n)
	}
}

type object = map[string]any

// slack writes a message of Block Kit. All text is plain_text, in which neither
// links nor mentions such as @channel work, whoever wrote the words.
func slack(n *desk.Notification) ([]byte, error) {
	plain := func(s string) object { return object{"type": "plain_text", "text": s, "emoji": false} }
	section := func(s string) object { return object{"type": "section", "text": plain(s)} }
	blocks := []object{}
	for i, m := range n.Drafts {
		if i > 0 {
			blocks = append(blocks, object{"type": "divider"})
		}
		if utf8.RuneCountInString(m.Subject) <= slackHeader {
			blocks = append(blocks, object{"type": "header", "text": plain(m.Subject)})
		} else {
			blocks = append(blocks, section(m.Subject))
		}
		parts, err := split(m.Body, slackSection)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			blocks = append(blocks, section(p))
		}
	}
	blocks = append(blocks, object{"type": "context", "elements": []object{plain(n.Approved.JA), plain(n.Approved.EN)}})
	if len(blocks) > slackBlocks {
		return nil, ErrTooLong
	}
	// The words for a notification on a telephone are read as markup.
	return encode(object{"text": slackEscape(fallback(n)), "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

// slackEscape keeps Slack's control characters from being any.
func slackEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func fallback(n *desk.Notification) string {
	for _, m := range n.Drafts {
		return m.Subject
	}
	return n.Title.EN
}

// split cuts a text between lines into parts of at most most characters. A line
// that is longer is cut between characters.
func split(s string, most int) ([]string, error) {
	var out []string
	var b strings.Builder
	size := 0
	flush := func() {
		if t := strings.Trim(b.String(), "\n"); t != "" {
			out = append(out, t)
		}
		b.Reset()
		size = 0
	}
	for line := range strings.Lines(s) {
		n := utf8.RuneCountInString(line)
		if size+n > most {
			flush()
		}
		for n > most {
			r := []rune(line)
			out = append(out, string(r[:most]))
			line, n = string(r[most:]), n-most
		}
		b.WriteString(line)
		size += n
		if len(out) > slackBlocks {
			return nil, ErrTooLong
		}
	}
	flush()
	return out, nil
}

// teams writes a message with an Adaptive Card, which is all that the Workflows
// app takes. Text is a RichTextBlock, in which Markdown is no markup.
func teams(n *desk.Notification) ([]byte, error) {
	rich := func(s string, more object) object {
		run := object{"type": "TextRun", "text": s}
		maps.Copy(run, more)
		return object{"type": "RichTextBlock", "inlines": []object{run}}
	}
	body := []object{}
	for i, m := range n.Drafts {
		head := rich(m.Subject, object{"weight": "Bolder", "size": "Medium"})
		if i > 0 {
			head["separator"], head["spacing"] = true, "Large"
		}
		body = append(body, head)
		for paragraph := range strings.SplitSeq(m.Body, "\n\n") {
			if p := strings.Trim(paragraph, "\n"); p != "" {
				body = append(body, rich(p, nil))
			}
		}
	}
	for _, s := range []string{n.Approved.JA, n.Approved.EN} {
		body = append(body, rich(s, object{"isSubtle": true, "size": "Small"}))
	}
	b, err := encode(object{"type": "message", "attachments": []object{{
		"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil,
		"content": object{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"fallbackText": fallback(n), "msteams": object{"width": "Full"}, "body": body,
		},
	}}})
	if err == nil && len(b) > teamsBytes {
		return nil, ErrTooLong
	}
	return b, err
}
