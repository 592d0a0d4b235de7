package triage

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"sync"

	_ "embed" // the table of the directive
)

// BOD is what CISA's Binding Operational Directive 26-04 asks of a federal
// agency, which is a yardstick for everybody else. It took the place of BOD
// 22-01, whose due dates in the KEV catalogue no longer bind.
type BOD struct {
	Days     int  // calendar days; 0 for the fix at the next upgrade
	Forensic bool // look for an intrusion too: the fix alone does not close the matter
}

//go:embed bod2604.csv
var bodTable []byte

// bodKey are the four inputs: in KEV, publicly exposed, automatable, impact.
type bodKey [4]string

var bodRows = sync.OnceValue(func() map[bodKey]BOD {
	c := csv.NewReader(bytes.NewReader(bodTable))
	c.Comment = '#'
	recs, err := c.ReadAll()
	if err != nil {
		panic(err) // the tests read it
	}
	m := map[bodKey]BOD{}
	for _, rec := range recs[1:] {
		b := BOD{Forensic: rec[5] == "yes"}
		if rec[4] != "" {
			if b.Days, err = strconv.Atoi(rec[4]); err != nil {
				panic(fmt.Errorf("triage: bod2604.csv: %w", err))
			}
		}
		m[bodKey(rec[:4])] = b
	}
	return m
})

// BOD2604 returns the remediation timeline of BOD 26-04, and false if one of
// the four inputs is not known.
func BOD2604(kev, exposed, automatable Answer, impact TechnicalImpact) (BOD, bool) {
	b, ok := bodRows()[bodKey{string(kev), string(exposed), string(automatable), string(impact)}]
	return b, ok
}

// bod reads the four inputs from the facts.
func (f *Facts) bod() (BOD, bool) {
	if f.Kind != Vulnerability {
		return BOD{}, false
	}
	return BOD2604(f.KEV, Answer(f.Exposure), f.Automatable, f.TechnicalImpact)
}
