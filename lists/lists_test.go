package lists_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lists"
)

func TestEveryListLoads(t *testing.T) {
	ms := lists.MicrosoftDomains()
	for name, n := range map[string]int{
		"MicrosoftOwned":        ms.Owned.Len(),
		"MicrosoftTenant":       ms.Tenant.Len(),
		"MicrosoftProductNames": lists.MicrosoftProductNames().Len(),
		"FreeMail":              lists.FreeMail().Len(),
		"URLShorteners":         lists.URLShorteners().Len(),
		"FileHosts":             lists.FileHosts().Len(),
		"SafeLinkHosts":         lists.SafeLinkHosts().Len(),
	} {
		if n == 0 {
			t.Errorf("%s is empty", name)
		}
	}
}

// TestFiles holds the files to their form and the README to the files.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("*.txt")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if !strings.Contains(string(readme), "`"+name+"`") {
			t.Errorf("README.md does not tell of %s", name)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(b), "# ") {
			t.Errorf("%s does not begin with what it is", name)
		}
		for line := range strings.Lines(string(b)) {
			if strings.TrimSpace(line) != strings.TrimSuffix(line, "\n") {
				t.Errorf("%s: spaces around %q", name, line)
			}
		}
	}
}

func TestMicrosoft(t *testing.T) {
	ms := lists.MicrosoftDomains()
	for _, c := range []struct {
		name         string
		host, sender lists.Control
	}{
		{"microsoft.com", lists.Owned, lists.Owned},
		{"accountprotection.microsoft.com", lists.Owned, lists.Owned},
		{"login.microsoftonline.com", lists.Owned, lists.Owned},
		{"teams.cloud.microsoft", lists.Owned, lists.Owned},
		{"office.com", lists.Owned, lists.Owned},
		{"forms.office.com", lists.Tenant, lists.Tenant},
		{"kiso-works.onmicrosoft.com", lists.Tenant, lists.Tenant},
		{"kiso-works.sharepoint.com", lists.Tenant, lists.Tenant},
		{"kiso.z11.web.core.windows.net", lists.Tenant, lists.Tenant},
		{"login.windows.net", lists.Owned, lists.Owned},
		{"kiso.crm7.dynamics.com", lists.Tenant, lists.Tenant},
		{"outlook.com", lists.Owned, lists.Tenant},
		{"hotmail.co.jp", lists.Foreign, lists.Foreign},
		{"kiso-works.example", lists.Foreign, lists.Foreign},
		{"microsoft.com.login.test", lists.Foreign, lists.Foreign},
		{"notmicrosoft.com", lists.Foreign, lists.Foreign},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := domain.Name(c.name)
			if got := ms.Host(n); got != c.host {
				t.Errorf("Host: %s, want %s", got, c.host)
			}
			if got := ms.Sender(n); got != c.sender {
				t.Errorf("Sender: %s, want %s", got, c.sender)
			}
		})
	}
}

// TestTenantNamesAreApart holds the list to package domain: where customers of
// Microsoft get names, two names have two owners.
func TestTenantNamesAreApart(t *testing.T) {
	for _, suffix := range []domain.Name{"onmicrosoft.com", "sharepoint.com", "azurewebsites.net", "b2clogin.com", "powerappsportals.com"} {
		if !lists.MicrosoftDomains().Tenant.Has(suffix) {
			t.Errorf("%s is not in the list", suffix)
		}
		if n := "kiso." + suffix; domain.Organizational(n) != n {
			t.Errorf("%s is taken for a name of %s", n, domain.Organizational(n))
		}
	}
}

// TestNoEntryBelowAnother keeps the lists that take in what is below an entry
// free of lines that change nothing.
func TestNoEntryBelowAnother(t *testing.T) {
	for name, d := range map[string]lists.Domains{
		"MicrosoftOwned":  lists.MicrosoftDomains().Owned,
		"MicrosoftTenant": lists.MicrosoftDomains().Tenant,
		"URLShorteners":   lists.URLShorteners(),
		"FileHosts":       lists.FileHosts(),
		"SafeLinkHosts":   lists.SafeLinkHosts(),
	} {
		for n := range d.All() {
			if above, ok := d.Match(n.Parent()); ok {
				t.Errorf("%s: %s is below %s", name, n, above)
			}
		}
	}
}

func TestDomainsMatch(t *testing.T) {
	d := lists.SafeLinkHosts()
	got, ok := d.Match("nam01.safelinks.protection.outlook.com")
	if want := domain.Name("safelinks.protection.outlook.com"); got != want || !ok {
		t.Errorf("Match: %s, %v", got, ok)
	}
	if d.Has("nam01.safelinks.protection.outlook.com") {
		t.Error("Has takes in what is below")
	}
	for _, n := range []domain.Name{"protection.outlook.com", "xsafelinks.protection.outlook.com", ""} {
		if e, ok := d.Match(n); ok {
			t.Errorf("Match(%q) = %s", n, e)
		}
	}
	if !slices.IsSorted(slices.Collect(d.All())) {
		t.Error("All is not in order")
	}
}

func TestWords(t *testing.T) {
	w := lists.MicrosoftProductNames()
	got := map[string]bool{}
	for _, s := range []string{"microsoft 365", "ＭＩＣＲＯＳＯＦＴ", "ﾏｲｸﾛｿﾌﾄ", "Office  365", "Kiso Works", ""} {
		got[s] = w.Has(s)
	}
	want := map[string]bool{"microsoft 365": true, "ＭＩＣＲＯＳＯＦＴ": true, "ﾏｲｸﾛｿﾌﾄ": true, "Office  365": true, "Kiso Works": false, "": false}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// All promises that the longer name comes first.
	all := slices.Collect(w.All())
	for i, a := range all {
		for _, b := range all[i+1:] {
			if strings.Contains(strings.ToLower(b), strings.ToLower(a)) {
				t.Errorf("%q stands before %q", a, b)
			}
		}
	}
}

// TestFreeMailIsNotMicrosoftOnly keeps the free mail of Microsoft in both
// lists, which Sender relies on.
func TestFreeMailIsNotMicrosoftOnly(t *testing.T) {
	for _, n := range []domain.Name{"outlook.com", "hotmail.com", "live.com", "msn.com"} {
		if !lists.FreeMail().Has(n) || !lists.MicrosoftDomains().Owned.Has(n) {
			t.Errorf("%s is missing in a list", n)
		}
	}
}
