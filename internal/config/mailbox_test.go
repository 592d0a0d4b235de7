package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
)

const client = "00000000-0000-0000-0000-000000000002"

func TestMailboxes(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", `
intake:
  mailboxes:
    - {name: Reports, kind: graph, address: Report@Kiso-Works.example, client: `+client+`, tenant: kiso-works.example, folder: Inbox/Reported, every: 5m, days: 0}
    - {name: old, kind: imap, address: old@kiso-works.example, server: imap.kiso-works.example, secret_file: old.secret, tls: starttls}
    - {name: exo, kind: imap, address: exo@kiso-works.example, server: "outlook.office365.com:993", auth: oauth, client: `+client+`, secret_env: EXO_SECRET}
`)
	c, err := config.Load(&config.Options{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	common := desk.MailboxSetting{Folder: "inbox", Every: time.Minute, Days: 7, TLS: desk.MailboxTLSImplicit, Auth: desk.MailboxPassword}
	with := func(edit func(*desk.MailboxSetting)) desk.MailboxSetting {
		m := common
		edit(&m)
		return m
	}
	want := []desk.MailboxSetting{
		with(func(m *desk.MailboxSetting) {
			m.Name, m.Kind, m.Address, m.Client, m.Tenant = "reports", desk.MailboxGraph, "report@kiso-works.example", client, "kiso-works.example"
			m.Folder, m.Every, m.Days = "Inbox/Reported", 5*time.Minute, 0
		}),
		with(func(m *desk.MailboxSetting) {
			m.Name, m.Kind, m.Address, m.Server, m.TLS, m.SecretFile = "old", desk.MailboxIMAP, "old@kiso-works.example", "imap.kiso-works.example:143", desk.MailboxStartTLS, dir+"/old.secret"
		}),
		with(func(m *desk.MailboxSetting) {
			m.Name, m.Kind, m.Address, m.Server, m.Auth, m.Client, m.SecretEnv = "exo", desk.MailboxIMAP, "exo@kiso-works.example", "outlook.office365.com:993", desk.MailboxOAuth, client, "EXO_SECRET"
		}),
	}
	if diff := cmp.Diff(want, c.Intake.Mailboxes); diff != "" {
		t.Error(diff)
	}
	if m, ok := c.MailboxAt("old"); !ok || m.Name != "old" {
		t.Errorf("old: %v %v", m, ok)
	}
}

func TestMailboxErrors(t *testing.T) {
	graph := "name: a, kind: graph, address: a@kiso-works.example"
	imap := "name: a, kind: imap, address: a@kiso-works.example"
	for _, tc := range []struct{ name, yaml, want string }{
		{"NoName", "{kind: graph, address: a@kiso-works.example, client: " + client + "}", "lacks name"},
		{"NoClient", "{" + graph + "}", "lacks client"},
		{"NoAddress", "{name: a, kind: graph, client: " + client + "}", "lacks address"},
		{"NoServer", "{" + imap + ", secret_env: A}", "lacks server"},
		{"NoSecret", "{" + imap + ", server: imap.kiso-works.example}", "lacks secret_env"},
		{"TwoSecrets", "{" + imap + ", server: imap.kiso-works.example, secret_env: A, secret_file: b}", "both"},
		{"Plain", "{" + imap + ", server: imap.kiso-works.example, secret_env: A, tls: none}", "without encryption"},
		{"Server", "{" + imap + ", server: \"imap://x\", secret_env: A}", "no host"},
		{"China", "{" + graph + ", cloud: china, client: " + client + "}", "Graph"},
		{"Every", "{" + graph + ", every: 1s, client: " + client + "}", "10 seconds"},
		{"Days", "{" + graph + ", days: -1, client: " + client + "}", "days"},
		{"Twice", "{" + graph + ", client: " + client + "}, {" + graph + ", client: " + client + "}", "twice"},
		{"SecretInline", "{" + imap + ", server: imap.kiso-works.example, secret_env: hunter2!}", "variable"},
		{"Password", "{" + imap + ", password: hunter2!}", "intake.mailboxes.password"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Load(&config.Options{Environ: []string{"SEKISHO_INTAKE_MAILBOXES=[" + tc.yaml + "]"}})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v, not %s", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the secret is in the error: %v", err)
			}
		})
	}
}
