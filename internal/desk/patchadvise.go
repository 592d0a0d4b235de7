package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/patch"
	"github.com/sekisho/sekisho/triage"
)

// freshDays is how long before a planned day an update may have come that is told
// of with it.
const freshDays = 14

// andList joins names as an English sentence has them.
func andList(names []string) string {
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

// AdvisePatches writes an advisory, with its drafts, about the newest planned day
// of updates and what of the organisation is behind. It is an error of kind
// NotFound if nothing is behind.
func AdvisePatches(report *PatchReport, deps *PatchDeps) (*advisory.Document, error) {
	var worst *PatchResult
	for i := range report.Results {
		r := &report.Results[i]
		if r.Status == patch.Behind && (worst == nil || len(r.Exploited) > 0 && len(worst.Exploited) == 0) {
			worst = r
		}
	}
	if worst == nil {
		return nil, &Error{Kind: NotFound, Message: lang.M("patch.error.none-behind"), Hint: lang.M("patch.hint.none-behind")}
	}
	now := deps.Now()
	facts := triage.Facts{Kind: triage.Vulnerability, Relevance: triage.RelevanceExact, Impact: triage.ImpactPartial, Exposure: triage.ExposedNo}
	var cves []string
	for i := range report.Results {
		for _, id := range report.Results[i].Exploited {
			if !slices.Contains(cves, id) {
				cves = append(cves, id)
			}
		}
	}
	if len(cves) > 0 {
		facts.Activity, facts.Impact = triage.ActivityActive, triage.ImpactTakeover
	}
	// The dates of the advisory are counted from the day of release, as those of
	// the devices are, unless that is long past.
	day := localDay(now)
	if s := report.Story; s != nil && now.Sub(s.Here.Time).Hours() < 7*24 {
		y, m, d := s.Here.Date()
		day = localDay(now).AddDate(y-now.Year(), int(m)-int(now.Month()), d-now.Day())
	}
	cal := triage.CalendarFor(&deps.Facts)
	decision, err := triage.Decide(facts, day, &triage.Options{Table: deps.Table, Calendar: &cal})
	if err != nil {
		return nil, fmt.Errorf("grading the updates: %w", err)
	}
	sub := advisory.Subject{CVEs: cves, Slots: map[string]advisory.Value{}}
	vendors := []string{}
	for i := range report.Products {
		p := &report.Products[i]
		if !slices.ContainsFunc(p.Counts, func(c PatchCount) bool { return c.Status == patch.Behind }) {
			continue
		}
		out := advisory.Product{Name: advisory.Words{JA: p.Product, EN: p.Product}, KB: p.KB}
		if p.Vendor == "Microsoft" {
			out.Build = p.Version
		} else {
			out.Version = p.Version
		}
		// Who released something weeks before did not release it on this day.
		fresh := report.Story == nil || !p.Released.Before(report.Story.Released.AddDate(0, 0, -freshDays))
		if fresh && !slices.Contains(vendors, p.Vendor) {
			vendors = append(vendors, p.Vendor)
		}
		sub.Products = append(sub.Products, out)
	}
	if len(vendors) > 0 {
		sub.Slots["vendors"] = advisory.Words{JA: strings.Join(vendors, "、"), EN: andList(vendors)}
	}
	var sources []advisory.Source
	if s := report.Story; s != nil {
		y, m, d := s.Here.Date()
		sub.Slots["released"] = advisory.Words{JA: fmt.Sprintf("%d年%d月%d日", y, int(m), d), EN: s.Here.Format("2 January 2006")}
		if len(s.Exploited) > 0 {
			sub.Slots["exploited_count"] = advisory.Count{N: len(s.Exploited), Unit: advisory.Vulnerabilities}
		}
		sub.Slots["critical_count"] = advisory.Count{N: s.Critical, Unit: advisory.Vulnerabilities}
		sub.Slots["population"] = advisory.Words(s.Population)
		for _, id := range s.Sources {
			for _, src := range report.Sources {
				if src.ID == id {
					sources = append(sources, advisory.Source{Title: src.Name, URL: src.URL, Published: src.AsOf.String()})
				}
			}
		}
	}
	doc, err := advisory.Write(&advisory.Input{
		Template: "patch-day", Decision: decision, Subject: sub, Org: &deps.Facts, Sources: sources, Words: deps.Words,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the advisory: %w", err)
	}
	return doc, nil
}
