package mdm

import (
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

var vipShape = value.NewShape("VIP", "display_name", "email", "role")

// Lists returns the named lists that follow from what the organisation told:
// org_domains, org_slds, org_display_names, org_vips and tenant_domains. The
// last are the hosts of the organisation at services that give each customer
// one: those of its tenant at Microsoft, where a name under onmicrosoft.com
// tells them. One that was not
// configured is left out, so that asking for it is a missing value: no list is
// not an empty list. The lists are safe for concurrent use.
func Lists(f *org.Facts) map[string]*value.List {
	out := map[string]*value.List{}
	if f == nil {
		return out
	}
	if domains, ok := f.Domains.Get(); ok {
		out["org_domains"] = value.NewSet(domains)
		var slds []string
		for _, d := range domains {
			if n, err := domain.Parse(d); err == nil {
				if s := domain.SLD(n); s != "" {
					slds = append(slds, s)
				}
			}
		}
		out["org_slds"] = value.NewSet(slds)
		if hosts := tenantHosts(domains); len(hosts) > 0 {
			out["tenant_domains"] = value.NewSet(hosts)
		}
	}
	if people, ok := f.People.Get(); ok {
		var names []string
		var vips []value.Value
		for _, p := range people {
			if p.DisplayName != "" {
				names = append(names, p.DisplayName)
			}
			if p.Role == "vip" {
				vips = append(vips, value.Of(vipShape.New(value.OptString(p.DisplayName), value.OptString(lower(p.Address)), value.String(p.Role))))
			}
		}
		out["org_display_names"] = value.NewSet(names)
		out["org_vips"] = value.NewList(vips...)
	}
	return out
}

// tenantHosts returns the hosts of Microsoft's services that belong to the
// tenants of the own domains: contoso.onmicrosoft.com also has
// contoso.sharepoint.com and contoso-my.sharepoint.com. See
// https://learn.microsoft.com/en-us/microsoft-365/enterprise/urls-and-ip-address-ranges.
func tenantHosts(domains []string) []string {
	var out []string
	for _, d := range domains {
		name, ok := strings.CutSuffix(lower(d), ".onmicrosoft.com")
		if !ok || name == "" || strings.Contains(name, ".") {
			continue
		}
		out = append(out, lower(d), name+".mail.onmicrosoft.com", name+".sharepoint.com", name+"-my.sharepoint.com", name+"-admin.sharepoint.com")
	}
	return out
}
