package advisory

import (
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// HowToReport is the request to report suspicious mail in the way of the
// organisation. ok is false if it did not say how.
func HowToReport(f *org.Facts) (request lang.Text, ok bool) {
	if f == nil {
		return lang.Text{}, false
	}
	v, isPair := report(f.Report).(pair)
	if !isPair || v.note != nil {
		return lang.Text{}, false // it would be a hole
	}
	return v.text, true
}
