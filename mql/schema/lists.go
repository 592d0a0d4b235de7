package schema

import (
	"cmp"
	"slices"
)

// Origin says where the entries of a list come from.
type Origin string

// The origins.
const (
	Published    Origin = "published"    // a file that anyone can fetch
	Organisation Origin = "organisation" // what an administrator says or a directory knows
	Seen         Origin = "history"      // who wrote to whom before
	Feed         Origin = "feed"         // abuse.ch and the like, which change by the hour
)

// List is a named list of the language.
type List struct {
	Name   string
	Elem   *Type
	Origin Origin
}

// LookupList returns a list by its name without the dollar sign.
func LookupList(name string) (*List, bool) {
	i, ok := slices.BinarySearchFunc(lists, name, func(l List, name string) int { return cmp.Compare(l.Name, name) })
	if !ok {
		return nil, false
	}
	return &lists[i], true
}

// ListNames returns the names of all lists, sorted.
func ListNames() []string {
	names := make([]string, len(lists))
	for i := range lists {
		names[i] = lists[i].Name
	}
	return names
}

// lists is sorted by name and never changed.
var lists = []List{
	{"abuse_ch_malwarebazaar_sha256_trusted_reporters", &typeString, Feed},
	{"abuse_ch_urlhaus_domains_trusted_reporters", &typeString, Feed},
	{"abuse_ch_urlhaus_urls_trusted_reporters", &typeString, Feed},
	{"alexa_1m", &typeString, Published},
	{"bulk_mailer_url_root_domains", &typeString, Published},
	{"disposable_email_providers", &typeString, Published},
	{"email_forwarding_domains", &typeString, Published},
	{"file_extensions_common_archives", &typeString, Published},
	{"file_extensions_executables", &typeString, Published},
	{"file_extensions_macros", &typeString, Published},
	{"file_extensions_suspicious", &typeString, Published},
	{"file_types_images", &typeString, Published},
	{"free_email_providers", &typeString, Published},
	{"free_file_hosts", &typeString, Published},
	{"free_subdomain_hosts", &typeString, Published},
	{"high_trust_sender_root_domains", &typeString, Published},
	{"majestic_million", &typeString, Published},
	{"org_brand_names", &typeString, Organisation},
	{"org_display_names", &typeString, Organisation},
	{"org_domains", &typeString, Organisation},
	{"org_slds", &typeString, Organisation},
	{"org_vips", &typePerson, Organisation},
	{"parked_domain_nameservers", &typeString, Published},
	{"recipient_domains", &typeString, Seen},
	{"recipient_emails", &typeString, Seen},
	{"replyto_service_domains", &typeString, Published},
	{"self_service_creation_platform_domains", &typeString, Published},
	{"sender_domains", &typeString, Seen},
	{"sender_emails", &typeString, Seen},
	{"social_landing_hosts", &typeString, Published},
	{"suspicious_content", &typeString, Published},
	{"suspicious_subjects", &typeString, Published},
	{"suspicious_subjects_regex", &typeString, Published},
	{"suspicious_tlds", &typeString, Published},
	{"tenant_domains", &typeString, Organisation},
	{"tranco_10k", &typeString, Published},
	{"tranco_1m", &typeString, Published},
	{"tranco_50k", &typeString, Published},
	{"umbrella_1m", &typeString, Published},
	{"umbrella_1m_tld", &typeString, Published},
	{"url_shorteners", &typeString, Published},
}
