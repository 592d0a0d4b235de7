package httpapi

import (
	"net/http"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

const (
	domainTime   = 90 * time.Second
	maxSelectors = 50
)

func domainEndpoints() []endpoint {
	return []endpoint{{
		id: "checkDomain", method: http.MethodGet, path: "/domains/{domain}", scope: desk.DomainRead, summary: "What a domain publishes about its mail, and what receivers require of it",
		params: []param{
			{name: "domain", kind: "string", about: "The name of the domain."},
			{name: "selector", kind: "string", many: true, about: "A selector of its DKIM keys."},
			{name: "volume", kind: "integer", about: "Mails that it sends in a day, 0 to 1000000000."},
			{name: "fetch", kind: "boolean", about: "Also fetch the MTA-STS policy and the BIMI logo over HTTPS."},
		},
		answer: answer{schema: "domain.v1"}, time: domainTime, heavy: true, handle: (*api).checkDomain,
	}}
}

func (a *api) checkDomain(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	name, err := domain.Parse(r.PathValue("domain"))
	if err != nil {
		return noDomain(r.PathValue("domain"), err)
	}
	in := desk.DomainInput{Domains: []string{string(name)}, Selectors: q["selector"]}
	if len(in.Selectors) > maxSelectors {
		return invalid("selector", lang.M("api.error.number", "name", "selector", "least", 0, "most", maxSelectors))
	}
	if in.Volume, err = number(q, "volume", -1, 0, 1e9); err != nil {
		return err
	}
	fetch, err := flag(q, "fetch")
	if err != nil {
		return err
	}
	deps := desk.DomainDeps{Facts: a.Config.Facts, Words: a.Words, Now: a.Now, Reports: a.Reports}
	if deps.Resolver, deps.TrustAD, err = a.DNS(); err != nil {
		return err
	}
	if fetch {
		deps.Fetch = a.Fetch
	}
	list, err := desk.DomainCheck(r.Context(), in, deps)
	if err != nil {
		return err
	}
	for rep := range list {
		return write(w, http.StatusOK, rep)
	}
	return r.Context().Err()
}

func noDomain(name string, err error) error {
	return &desk.Error{Kind: desk.Invalid, Message: lang.M("dmarcpolicy.error.domain", "domain", name), Hint: lang.M("dmarcpolicy.hint.domain"), Err: err}
}
