package architecture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNothingOfAMachine looks for what works on one machine only.
func TestNothingOfAMachine(t *testing.T) {
	for _, name := range tracked(t) {
		if ext := path.Ext(name); ext == ".eml" || ext == ".msg" {
			continue // a mail may quote whatever path a phisher writes
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range machineTraces(b) {
			t.Errorf("%s:%s", name, p)
		}
	}
}

// TestFixtureHosts keeps real domains and addresses out of the mails that the
// repository carries.
func TestFixtureHosts(t *testing.T) {
	for _, name := range tracked(t) {
		if path.Ext(name) != ".eml" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range realNames(b) {
			t.Errorf("%s: %s", name, p)
		}
	}
}

// The folders are put together so that this file does not report itself.
var (
	machinePath  = regexp.MustCompile("(?:^|[\\s\"'`(=:,])(/(?:work|root|home|Users|tmp" + `)/[\w.-]+)`)
	registryHost = regexp.MustCompile(`(?i)\b(proxy\.golang\.org|sum\.golang\.org|registry\.npmjs\.org|files\.pythonhosted\.org|deb\.debian\.org)\b`)
)

func machineTraces(b []byte) []string {
	if bytes.IndexByte(b, 0) >= 0 {
		return nil
	}
	var problems []string
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if m := machinePath.FindSubmatch(line); m != nil {
			problems = append(problems, fmt.Sprintf("%d: a path of one machine: %s", n, m[1]))
		}
		if m := registryHost.Find(line); m != nil {
			problems = append(problems, fmt.Sprintf("%d: the host of a registry: %s", n, m))
		}
	}
	return problems
}

// reserved are the names of RFC 2606 and RFC 6761.
var reserved = []string{"example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"}

// microsoft are real names that a mail through Exchange Online carries, and
// whose forms the judges know, with the namespaces that Office writes into
// HTML.
var microsoft = []string{
	"outlook.com", "microsoft.com", "microsoftonline.com", "onmicrosoft.com", "office.com", "office365.com",
	"office.net", "sharepoint.com", "live.com", "aka.ms", "windows.net", "cloud.microsoft", "w3.org",
}

// placed are the contexts in which a word with dots is a host and not the name
// of a file.
var placed = regexp.MustCompile(`(?i)(?:@|://|\b(?:d|header\.d|header\.i|header\.from|smtp\.mailfrom|smtp\.helo|helo|domain of)[= ]|^Received: from |^\s+by )((?:[\p{L}\p{N}_-]+\.)+[\p{L}][\p{L}\p{N}-]+)`)

// address is an IP address where mail servers write one.
var address = regexp.MustCompile(`(?i)(?:[\[(]|CIP:|IPv6:|client-ip=|sender IP is |designates )(\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:]+:[0-9a-f:]+)`)

// networks are those for documentation (RFC 5737, RFC 3849), private use, and
// Exchange Online's own hops.
var networks = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("fc00::/7"),
	netip.MustParsePrefix("40.92.0.0/15"), netip.MustParsePrefix("40.107.0.0/16"), netip.MustParsePrefix("52.100.0.0/14"), netip.MustParsePrefix("104.47.0.0/17"),
	netip.MustParsePrefix("2603:1000::/24"), netip.MustParsePrefix("2a01:111::/32"),
}

func realNames(b []byte) []string {
	var problems []string
	for _, text := range layers(b) {
		for line := range strings.Lines(text) {
			for _, m := range placed.FindAllStringSubmatch(line, -1) {
				if host := strings.ToLower(strings.TrimRight(m[1], ".")); !inAny(host, reserved) && !inAny(host, microsoft) {
					problems = append(problems, "a name that may be real: "+host)
				}
			}
			for _, m := range address.FindAllStringSubmatch(line, -1) {
				ip, err := netip.ParseAddr(m[1])
				if err == nil && !slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) }) {
					problems = append(problems, "an address that may be real: "+m[1])
				}
			}
		}
	}
	slices.Sort(problems)
	return slices.Compact(problems)
}

func inAny(host string, list []string) bool {
	return slices.ContainsFunc(list, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

var base64Lines = regexp.MustCompile(`(?m)(?:^[A-Za-z0-9+/]{40,76}\r?\n)+(?:^[A-Za-z0-9+/]+={0,2}\r?$)?|(?m)^[A-Za-z0-9+/]{16,76}={0,2}\r?$`)

// layers returns the mail with soft line breaks taken out, and what its base64
// lines hold.
func layers(b []byte) []string {
	text := strings.ReplaceAll(strings.ReplaceAll(string(b), "=\r\n", ""), "=\n", "")
	text = strings.ReplaceAll(text, "=3D", "=")
	all := []string{text}
	for _, run := range base64Lines.FindAllString(string(b), -1) {
		run = strings.NewReplacer("\r", "", "\n", "").Replace(run)
		if dec, err := base64.StdEncoding.DecodeString(run); err == nil {
			all = append(all, string(dec))
		}
	}
	return all
}

func TestMachineTraces(t *testing.T) {
	in := "ok https://kiso.example/home/page\nsee " + "/root" + "/x\nopen(\"" + "/tmp" + "/dump\")\nGOPROXY=https://proxy." + "golang.org\n"
	want := []string{
		"2: a path of one machine: /root" + "/x",
		"3: a path of one machine: /tmp" + "/dump",
		"4: the host of a registry: proxy." + "golang.org",
	}
	if diff := cmp.Diff(want, machineTraces([]byte(in))); diff != "" {
		t.Error(diff)
	}
}

func TestRealNames(t *testing.T) {
	hidden := base64.StdEncoding.EncodeToString([]byte("visit https://login.bank.test-bank.jp/ to sign in again"))
	in := "Received: from mail.real-sender.de ([8.8.8.8]) by x.prod.outlook.com id 15.20.77.13\r\n" +
		"Received: from WIN-8K2 (198.51.100.77) by kiso.mail.protection.outlook.com\r\n" +
		"Authentication-Results: spf=fail (sender IP is 198.51.100.9)\r\n smtp.mailfrom=real.co.jp; dkim=none\r\n" +
		"From: a@kiso-works.example\r\nSubject: invoice.pdf and image.png\r\n\r\n" +
		"<a href=3D\"https://split.re=\r\nal-host.com/x\">https://kiso.example.com/ http://[2001:db8::1]/</a>\r\n" + hidden + "\r\n"
	want := []string{
		"a name that may be real: login.bank.test-bank.jp",
		"a name that may be real: mail.real-sender.de",
		"a name that may be real: real.co.jp",
		"a name that may be real: split.real-host.com",
		"an address that may be real: 8.8.8.8",
	}
	if diff := cmp.Diff(want, realNames([]byte(in))); diff != "" {
		t.Error(diff)
	}
}
