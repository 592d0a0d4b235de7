package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// host is one invented domain and what it publishes.
type host struct {
	name    string
	senders []string // networks of its SPF record; nil for none
	all     string   // qualifier of the final "all"; "" where there is no record
	include bool     // its SPF record includes Exchange Online
	dmarc   string   // policy; "" where there is no record
	signs   bool     // publishes a DKIM key
}

// eop are the networks that spf.protection.outlook.com lists, by Microsoft's
// page "Microsoft 365 URLs and IP address ranges", row 10 (IPv4).
var eop = [...]string{"40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17"}

var hosts = [...]host{
	{name: own, senders: []string{"198.51.100.25/32"}, all: "-", include: true, dmarc: "none", signs: true},
	{name: "kisobuhin.onmicrosoft.com", include: true, all: "-", signs: true},
	{name: "partner.example", senders: []string{"203.0.113.10/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "werk.example", senders: []string{"203.0.113.11/32"}, all: "-", dmarc: "none", signs: true},
	{name: "oficina.example", senders: []string{"203.0.113.12/32"}, all: "~"},
	{name: "survey.example", senders: []string{"203.0.113.30/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "hr-cloud.example", senders: []string{"203.0.113.31/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "payroll.example", senders: []string{"203.0.113.60/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "lists.example", senders: []string{"203.0.113.40/32"}, all: "-", dmarc: "none", signs: true},
	{name: "university.example", senders: []string{"203.0.113.41/32"}, all: "~", dmarc: "none", signs: true},
	{name: "hosting.example", senders: []string{"203.0.113.50/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "weekly.example", senders: []string{"203.0.113.51/32"}, all: "-", dmarc: "quarantine", signs: true},
	{name: "kiso-shinkin.example", senders: []string{"203.0.113.52/32"}, all: "-", dmarc: "reject", signs: true},
	{name: "freemail.example", senders: []string{"203.0.113.80/32"}, all: "~", dmarc: "none", signs: true},
	{name: "conduct-notice.test", senders: []string{"203.0.113.120/32"}, all: "-", dmarc: "none", signs: true},
	{name: "workforce-comm.test", senders: []string{"203.0.113.120/32"}, all: "-", dmarc: "none", signs: true},
	{name: "bulk-relay.test", senders: []string{"203.0.113.130/32"}, all: "-", dmarc: "none", signs: true},
	{name: "kiso-w0rks.test", senders: []string{"203.0.113.131/32"}, all: "-", dmarc: "none", signs: true},
	{name: "kiso-works-login.test", senders: []string{"203.0.113.132/32"}, all: "-", dmarc: "none", signs: true},
	{name: "rnicrosoft-security.test", senders: []string{"203.0.113.133/32"}, all: "-", dmarc: "none", signs: true},
	{name: "supplier.test", senders: []string{"203.0.113.135/32"}, all: "~"},
	{name: "mail-service.test"},
	{name: "microsoft.com", include: true, all: "-", dmarc: "reject", signs: true},
	{name: "messaging.microsoft.com", include: true, all: "-"},
	{name: "email.teams.microsoft.com", include: true, all: "-"},
}

// find returns what name publishes; nothing for a name that is not listed.
func find(name string) host {
	for _, h := range hosts {
		if h.name == name {
			return h
		}
	}
	return host{name: name}
}

// organizational is the last two labels: all names here are of that kind.
func organizational(name string) string {
	labels := strings.Split(name, ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// spf evaluates the record of domain for ip.
func spf(domain, ip string) string {
	h := find(domain)
	if h.all == "" {
		return "none"
	}
	addr := netip.MustParseAddr(ip)
	networks := h.senders
	if h.include {
		networks = slices.Concat(networks, eop[:])
	}
	for _, n := range networks {
		if netip.MustParsePrefix(n).Contains(addr) {
			return "pass"
		}
	}
	return map[string]string{"-": "fail", "~": "softfail", "?": "neutral"}[h.all]
}

// spfRecord writes networks as the SPF record of h.
func spfRecord(h host) string {
	var b strings.Builder
	b.WriteString("v=spf1")
	if h.include {
		b.WriteString(" include:spf.protection.outlook.com")
	}
	for _, n := range h.senders {
		b.WriteString(" ip4:" + strings.TrimSuffix(n, "/32"))
	}
	return b.String() + " " + h.all + "all"
}

// zone writes what the invented domains publish, in master file format.
func zone(s *signer) []byte {
	var w bytes.Buffer
	w.WriteString("; Records of the invented domains in the example mails, written by examples/gen.\n" +
		"; Names of Microsoft stand here so that the mails can be evaluated without a\n" +
		"; network; their keys are invented, too.\n$TTL 3600\n")
	txt := func(name, value string) {
		fmt.Fprintf(&w, "%s. IN TXT", name)
		for len(value) > 255 {
			fmt.Fprintf(&w, " %q", value[:255])
			value = value[255:]
		}
		fmt.Fprintf(&w, " %q\n", value)
	}
	apexes := map[string]bool{}
	for _, h := range hosts {
		if apex := organizational(h.name); !apexes[apex] {
			apexes[apex] = true
			fmt.Fprintf(&w, "\n%s. IN SOA ns.%s. hostmaster.%s. 1 3600 600 86400 300\n%[1]s. IN NS ns.%[2]s.\n", apex, apex, apex)
		}
		if h.all != "" {
			txt(h.name, spfRecord(h))
		}
		if h.dmarc != "" {
			txt("_dmarc."+h.name, "v=DMARC1; p="+h.dmarc)
		}
		if h.signs {
			txt(selector+"._domainkey."+h.name, s.record())
		}
		switch h.name {
		case own:
			fmt.Fprintf(&w, "%s. IN MX 0 %s.\n", own, ownMX)
		case "microsoft.com":
			txt(sealSelector+"._domainkey."+h.name, s.record())
		}
	}
	fmt.Fprint(&w, "\noutlook.com. IN SOA ns.outlook.com. hostmaster.outlook.com. 1 3600 600 86400 300\noutlook.com. IN NS ns.outlook.com.\n")
	txt("spf.protection.outlook.com", "v=spf1 ip4:"+strings.Join(eop[:], " ip4:")+" -all")
	return w.Bytes()
}
