package config

import (
	"net/url"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory/workflow"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// approvals reads how many people have to approve.
func (v value) approvals() (int, bool) {
	s, ok := choice("1", "2")(v)
	if !ok {
		return 0, false
	}
	return int(s[0] - '0'), true
}

// person reads a name as an approver gives it.
func (v value) person() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	return workflow.CleanName(s), true
}

// webhooks reads the addresses that take what was approved; names are unique.
func (v value) webhooks() ([]desk.Webhook, bool) {
	all, ok := list(value.webhook)(v)
	if !ok {
		return nil, false
	}
	for i, w := range all {
		if slices.ContainsFunc(all[:i], func(o desk.Webhook) bool { return o.Name == w.Name }) {
			v.bad(lang.M("config.why.webhook-twice", "name", w.Name), lang.Message{})
			return nil, false
		}
	}
	return all, true
}

func (v value) webhook() (desk.Webhook, bool) {
	var w desk.Webhook
	var kind string
	if !v.entry(map[string]func(value){
		"name":    into(&w.Name, value.slug),
		"url":     into(&w.URL, value.hookURL),
		"kind":    into(&kind, choice(string(desk.SlackWebhook), string(desk.TeamsWebhook), string(desk.GenericWebhook))),
		"secret":  into(&w.Secret, value.text),
		"private": into(&w.Private, value.yesNo),
	}) {
		return w, false
	}
	w.Kind = desk.WebhookKind(kind)
	for _, x := range []struct{ field, value string }{{"name", w.Name}, {"url", w.URL}, {"kind", kind}} {
		if x.value == "" {
			v.lacks(x.field, lang.M("config.hint.webhook"))
			return w, false
		}
	}
	switch {
	case w.Kind == desk.GenericWebhook && len(w.Secret) < minSecret:
		v.lacks("secret", lang.M("config.hint.webhook-secret", "n", minSecret))
		return w, false
	case strings.HasPrefix(w.URL, "http:") && !w.Private:
		v.lacks("private", lang.M("config.hint.webhook-private"))
		return w, false
	}
	return w, true
}

// minSecret is how long the key of a signature has to be.
const minSecret = 16

func (v value) hookURL() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		v.bad(lang.M("config.why.no-https"), lang.Message{})
		return "", false
	case u.User != nil:
		v.bad(lang.M("config.why.password"), lang.Message{})
		return "", false
	}
	return s, true
}
