package config_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
)

func TestIntake(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "sekisho.yaml", `
intake:
  smtp:
    listen: "[::1]:2525"
    recipients: [Report@Kiso-Works.example, "@lists.kiso-works.example"]
    allow: [192.0.2.25, 198.51.100.0/24]
    tls: {cert: tls/cert.pem, key: tls/key.pem}
  milter:
    listen: unix:milter.sock
    name: MX.kiso-works.example
    policy: {malicious: reject, suspicious: quarantine}
    on_failure: tempfail
    keep: all
    timeout: 3s
  watch: drop
`)
	c, err := config.Load(&config.Options{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckIntake(); err != nil {
		t.Error(err)
	}
	want := config.Intake{
		SMTP: config.SMTPIntake{
			Listen: "[::1]:2525", Recipients: []string{"report@kiso-works.example", "@lists.kiso-works.example"},
			Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.25/32"), netip.MustParsePrefix("198.51.100.0/24")},
			Cert:  dir + "/tls/cert.pem", Key: dir + "/tls/key.pem",
		},
		Milter: config.MilterIntake{
			Listen: "unix:" + dir + "/milter.sock", Name: "mx.kiso-works.example", Malicious: config.MilterReject, Suspicious: config.MilterQuarantine,
			OnFailure: config.MilterTempfail, Keep: config.KeepAll, Timeout: 3 * time.Second,
		},
		Watch: []string{dir + "/drop"},
	}
	if diff := cmp.Diff(want, c.Intake, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

func TestIntakeLacks(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"Nothing", "", ""},
		{"Recipients", "intake: {smtp: {listen: \"127.0.0.1:25\"}}", "sekisho.yaml:1:25: intake.smtp lacks recipients"},
		{"Key", "intake: {smtp: {tls: {cert: c.pem}}}", "sekisho.yaml:1:29: intake.smtp.tls lacks key"},
		{"Name", "intake: {milter: {listen: \"unix:m.sock\"}}", "sekisho.yaml:1:27: intake.milter lacks name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sekisho.yaml", tc.text)
			c, err := config.Load(&config.Options{WorkDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := c.CheckIntake(); err != nil {
				got = err.Error()
			}
			if len(got) < len(tc.want) || got[len(got)-len(tc.want):] != tc.want || tc.want == "" && got != "" {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
