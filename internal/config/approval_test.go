package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

func TestApproval(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", `
advisory: {approvals: 2, editors: [佐藤], approvers: [" Tanaka  Misaki ", 鈴木]}
webhooks:
  - {name: it-team, url: "https://hooks.example/a", kind: slack}
  - {name: soc, url: "http://192.0.2.7/b", kind: generic, secret: 0123456789abcdef, private: true}
`)
	c, err := config.Load(&config.Options{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(desk.ApprovalRules{Approvals: 2, Editors: []string{"佐藤"}, Approvers: []string{"Tanaka Misaki", "鈴木"}}, c.Approval); d != "" {
		t.Error(d)
	}
	want := []desk.Webhook{
		{Name: "it-team", URL: "https://hooks.example/a", Kind: desk.SlackWebhook},
		{Name: "soc", URL: "http://192.0.2.7/b", Kind: desk.GenericWebhook, Secret: "0123456789abcdef", Private: true},
	}
	if d := cmp.Diff(want, c.Webhooks); d != "" {
		t.Error(d)
	}
}

func TestApprovalRefused(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ name, file, want string }{
		{"Approvals", `advisory: {approvals: 0}`, "choices"},
		{"NoKind", `webhooks: [{name: a, url: "https://hooks.example/"}]`, "lacks kind"},
		{"NoName", `webhooks: [{url: "https://hooks.example/", kind: slack}]`, "lacks name"},
		{"Kind", `webhooks: [{name: a, url: "https://hooks.example/", kind: irc}]`, "choices"},
		{"NoSecret", `webhooks: [{name: a, url: "https://hooks.example/", kind: generic}]`, "lacks secret"},
		{"ShortSecret", `webhooks: [{name: a, url: "https://hooks.example/", kind: generic, secret: short}]`, "lacks secret"},
		{"PlainHTTP", `webhooks: [{name: a, url: "http://hooks.example/", kind: slack}]`, "lacks private"},
		{"Password", `webhooks: [{name: a, url: "https://u:p@hooks.example/", kind: slack}]`, "password"},
		{"Twice", `webhooks: [{name: a, url: "https://hooks.example/1", kind: slack}, {name: a, url: "https://hooks.example/2", kind: slack}]`, "two webhooks"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, dir, "sekisho.yaml", tc.file)
			_, err := config.Load(&config.Options{WorkDir: dir})
			if err == nil {
				t.Fatal("no error")
			}
			if s := say(t, err, lang.EN, dir); !strings.Contains(s, tc.want) {
				t.Errorf("the error is %s", s)
			}
		})
	}
}
