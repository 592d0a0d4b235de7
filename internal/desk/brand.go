package desk

import (
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/lists"
)

// microsoft is Microsoft as attackers borrow it.
func microsoft() impersonation.Brand {
	domains := lists.MicrosoftDomains()
	b := impersonation.Brand{
		Name:  "Microsoft",
		Sends: func(n domain.Name) bool { return domains.Sender(n) == lists.Owned },
		Shows: func(n domain.Name) bool { return domains.Host(n) == lists.Owned },
		Hosts: func(n domain.Name) bool { return domains.Host(n) == lists.Tenant },
	}
	for w := range lists.MicrosoftProductNames().All() {
		lower := strings.ToLower(w)
		if strings.Contains(lower, "microsoft") || strings.Contains(w, "マイクロソフト") || strings.Contains(w, "365") || strings.Contains(w, " Online") {
			b.Words = append(b.Words, w)
		} else {
			b.Names = append(b.Names, w) // "Teams" is an ordinary word
		}
	}
	var names []domain.Name
	for n := range domains.Owned.All() {
		names = append(names, n)
	}
	b.Imitated, b.Main = domain.NewTargets(names...), "microsoft.com"
	return b
}
