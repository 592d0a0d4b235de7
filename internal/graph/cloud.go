package graph

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Cloud is where Microsoft runs a tenant
// (https://learn.microsoft.com/graph/deployments).
type Cloud struct {
	Name    string
	Login   string // root of the addresses of Microsoft Entra ID
	Graph   string // root of the addresses of Microsoft Graph; "" where it has no delta query for mail
	Outlook string // resource of Exchange Online for people, for IMAP
	Apps    string // the same for applications
	IMAP    string // host and port of its IMAP server
}

// Clouds returns the clouds that sekisho knows, the worldwide one first.
func Clouds() []Cloud {
	return []Cloud{
		{"global", "https://login.microsoftonline.com", "https://graph.microsoft.com", "https://outlook.office.com", "https://outlook.office365.com", "outlook.office365.com:993"},
		{"us-gov", "https://login.microsoftonline.us", "https://graph.microsoft.us", "https://outlook.office365.us", "https://outlook.office365.us", "outlook.office365.us:993"},
		{"us-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "https://webmail.apps.mil", "https://webmail.apps.mil", "webmail.apps.mil:993"},
		{"china", "https://login.chinacloudapi.cn", "", "https://partner.outlook.cn", "https://partner.outlook.cn", "partner.outlook.cn:993"},
	}
}

// CloudNamed returns the cloud of that name; "" is the worldwide one.
func CloudNamed(name string) (Cloud, bool) {
	all := Clouds()
	if name == "" {
		return all[0], true
	}
	i := slices.IndexFunc(all, func(c Cloud) bool { return c.Name == name })
	if i < 0 {
		return Cloud{}, false
	}
	return all[i], true
}

// GraphScopes are what somebody who signs in with a code lets sekisho do: read
// mail, their own and that of shared mailboxes, and go on without them.
func (c Cloud) GraphScopes() []string {
	return []string{c.Graph + "/Mail.Read", c.Graph + "/Mail.Read.Shared", "offline_access"}
}

// IMAPScopes are the same for IMAP, which has no permission only for reading.
func (c Cloud) IMAPScopes() []string {
	return []string{c.Outlook + "/IMAP.AccessAsUser.All", "offline_access"}
}

// GraphDefault is the scope of an application that signs in by itself.
func (c Cloud) GraphDefault() []string { return []string{c.Graph + "/.default"} }

// IMAPDefault is the same for IMAP.
func (c Cloud) IMAPDefault() []string { return []string{c.Apps + "/.default"} }

// errRoot is for an address that credentials must not go to.
var errRoot = errors.New("graph: not an address of Microsoft")

// root checks the root of addresses to which tokens or secrets go: one of those
// above or, for tests, one on this machine.
func root(address string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("%w: %q", errRoot, address)
	}
	for _, c := range Clouds() {
		if address == c.Login || address == c.Graph {
			return u, nil
		}
	}
	if a, err := netip.ParseAddr(u.Hostname()); loopback && err == nil && a.IsLoopback() {
		return u, nil
	}
	return nil, fmt.Errorf("%w: %q", errRoot, address)
}
