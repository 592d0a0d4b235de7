package domain_test

import (
	"strings"
	"testing"

	"github.com/sekisho/sekisho/domain"
)

func TestOrganizational(t *testing.T) {
	for _, c := range []struct {
		name, in         domain.Name
		suffix, org, sld string
	}{
		{"Plain", "mail.kiso-works.example", "example", "kiso-works.example", "kiso-works"},
		{"Itself", "kiso-works.example", "example", "kiso-works.example", "kiso-works"},
		{"TwoLabelSuffix", "a.b.kiso-works.co.jp", "co.jp", "kiso-works.co.jp", "kiso-works"},
		{"Prefecture", "kiso.chiyoda.tokyo.jp", "chiyoda.tokyo.jp", "kiso.chiyoda.tokyo.jp", "kiso"},
		{"PrivateSection", "a.kiso.github.io", "github.io", "kiso.github.io", "kiso"},
		{"TenantName", "kiso.onmicrosoft.com", "onmicrosoft.com", "kiso.onmicrosoft.com", "kiso"},
		{"TenantMailName", "kiso.mail.onmicrosoft.com", "mail.onmicrosoft.com", "kiso.mail.onmicrosoft.com", "kiso"},
		{"TenantSite", "kiso-my.sharepoint.com", "sharepoint.com", "kiso-my.sharepoint.com", "kiso-my"},
		{"TenantRegion", "kiso.japaneast.cloudapp.azure.com", "japaneast.cloudapp.azure.com", "kiso.japaneast.cloudapp.azure.com", "kiso"},
		{"SuffixOfRegistry", "co.jp", "co.jp", "co.jp", ""},
		{"SuffixOfCompany", "github.io", "github.io", "github.io", "github"},
		{"SuffixOfCompanyInSuffix", "mail.onmicrosoft.com", "mail.onmicrosoft.com", "mail.onmicrosoft.com", "onmicrosoft"},
		{"SuffixOfCompanyDeep", "blob.core.windows.net", "blob.core.windows.net", "blob.core.windows.net", "windows"},
		{"SharePointItself", "sharepoint.com", "sharepoint.com", "sharepoint.com", "sharepoint"},
		{"UnknownTopLevel", "localhost", "localhost", "localhost", ""},
		{"IDN", "www.xn--wgv71a.example", "example", "xn--wgv71a.example", "xn--wgv71a"},
		{"None", "", "", "", ""},
	} {
		t.Run(string(c.name), func(t *testing.T) {
			if got := domain.PublicSuffix(c.in); string(got) != c.suffix {
				t.Errorf("PublicSuffix: %q, want %q", got, c.suffix)
			}
			if got := domain.Organizational(c.in); string(got) != c.org {
				t.Errorf("Organizational: %q, want %q", got, c.org)
			}
			if got := domain.SLD(c.in); got != c.sld {
				t.Errorf("SLD: %q, want %q", got, c.sld)
			}
		})
	}
}

// TestManyLabels has a name of as many labels as fit answered like any other.
func TestManyLabels(t *testing.T) {
	n, err := domain.Parse(strings.Repeat("a.", 123) + "example")
	if err != nil {
		t.Fatal(err)
	}
	if got := domain.Organizational(n); got != "a.example" {
		t.Errorf("got %q", got)
	}
}
