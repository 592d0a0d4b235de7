package config_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

func TestOutgoing(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", `
outgoing:
  smtp: {server: "smtp.kiso-works.example:465", tls: implicit, user: sekisho, secret_file: pw, from: Sekisho@Kiso-Works.example}
replies:
  mode: approve
  only: [malicious, suspicious]
  per_reporter: 3
`)
	c, err := config.Load(&config.Options{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckOutgoing(); err != nil {
		t.Error(err)
	}
	want := config.Outgoing{Server: "smtp.kiso-works.example:465", TLS: config.SMTPImplicit, User: "sekisho", SecretFile: dir + "/pw", From: "sekisho@kiso-works.example"}
	if diff := cmp.Diff(want, c.Outgoing); diff != "" {
		t.Error(diff)
	}
	replies := desk.ReplyRules{Mode: desk.ReplyApprove, Only: []desk.Word{desk.Malicious, desk.Suspicious}, PerReporter: 3}
	if diff := cmp.Diff(replies, c.Replies); diff != "" {
		t.Error(diff)
	}
}

func TestCheckOutgoing(t *testing.T) {
	for _, tc := range []struct {
		name, yaml, want string
	}{
		{"RepliesWithoutServer", "replies: {mode: auto}", "outgoing.smtp lacks server"},
		{"NoFrom", `outgoing: {smtp: {server: "mx.kiso-works.example:25"}}`, "lacks from"},
		{"NoSecret", `outgoing: {smtp: {server: "mx.kiso-works.example:25", from: a@kiso-works.example, user: x}}`, "lacks secret_env"},
		{"PlainAway", `outgoing: {smtp: {server: "192.0.2.25:25", from: a@kiso-works.example, tls: none}}`, "without TLS"},
		{"NoPort", `outgoing: {smtp: {server: mx.kiso-works.example}}`, "no mail server"},
		{"Mode", "replies: {mode: always}", "off, approve, auto"},
		{"SummaryWithoutServer", "summary: {to: it@kiso-works.example}", "outgoing.smtp lacks server"},
		{"NoTime", "summary: {at: half past eight}", "no time of the day"},
		{"Count", "replies: {per_hour: 0}", "no number from 1"},
		{"Loopback", `outgoing: {smtp: {server: "[::1]:25", from: a@kiso-works.example, tls: none}}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sekisho.yaml", tc.yaml)
			c, err := config.Load(&config.Options{WorkDir: dir})
			if err == nil {
				err = c.CheckOutgoing()
			}
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e, ok := errors.AsType[*desk.Error](err)
			if !ok {
				t.Fatal(err)
			}
			if text := lang.Default().Say(lang.EN, e.Message) + "\n" + lang.Default().Say(lang.EN, e.Hint); !strings.Contains(text, tc.want) {
				t.Error(text)
			}
		})
	}
}
