package lists

import "github.com/sekisho/sekisho/domain"

// Control says who decides what is at a name.
type Control string

// Who decides.
const (
	// Foreign is a name that is not known to be Microsoft's.
	Foreign Control = "foreign"
	// Owned is a name where only Microsoft decides.
	Owned Control = "owned"
	// Tenant is a name of Microsoft's where a customer or anybody decides.
	Tenant Control = "tenant"
)

// Microsoft knows the domains of Microsoft.
type Microsoft struct {
	Owned  Domains // and what is below, unless Tenant says otherwise
	Tenant Domains // and what is below, unless Owned says otherwise
}

// MicrosoftDomains returns the domains of Microsoft.
func MicrosoftDomains() Microsoft {
	return Microsoft{Owned: microsoftOwned(), Tenant: microsoftTenant()}
}

// Host says who decides what a link to n shows. The longest entry wins:
// office.com is Owned and forms.office.com is Tenant.
func (m Microsoft) Host(n domain.Name) Control {
	owned, isOwned := m.Owned.Match(n)
	tenant, isTenant := m.Tenant.Match(n)
	switch {
	case isTenant && len(tenant) >= len(owned):
		return Tenant
	case isOwned:
		return Owned
	}
	return Foreign
}

// Sender says who decides who writes from an address at n. It differs from
// [Microsoft.Host] for Microsoft's free mail: the pages of outlook.com are
// Microsoft's, and its mailboxes are anybody's.
func (m Microsoft) Sender(n domain.Name) Control {
	c := m.Host(n)
	if c == Owned && FreeMail().Has(n) {
		return Tenant
	}
	return c
}
