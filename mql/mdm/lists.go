package mdm

import (
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/mql/value"
	"github.com/sekisho/sekisho/org"
)

var vipShape = value.NewShape("VIP", "display_name", "email", "role")

// Lists returns the named lists that follow from what the organisation told:
// org_domains, org_slds, org_display_names and org_vips. One that was not
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
