package desk

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sekisho/sekisho/history"
)

// TestAlarms measures what rules, lists and a history change in the verdicts on
// good and bad mail, and holds alarms to bounds. It takes minutes and runs only
// with SEKISHO_MAILS=all. SEKISHO_VIEW names a folder with the folders ham,
// commercial and phish of another view of the same mail.
func TestAlarms(t *testing.T) {
	if os.Getenv("SEKISHO_MAILS") != "all" {
		t.Skip("takes minutes: set SEKISHO_MAILS=all")
	}
	facts := atDesk()
	bare := publicRules(t, &facts)
	lists, err := OpenLists([]string{sharedData(t, "mql", "lists")})
	if err != nil {
		t.Fatal(err)
	}
	past := invented(t, 7, "ham")
	for _, folder := range []string{"ham", "commercial", "phish"} {
		var files []string
		for _, name := range mailFiles(t, folder) {
			if view := os.Getenv("SEKISHO_VIEW"); view != "" {
				name = filepath.Join(view, folder, filepath.Base(name))
			}
			files = append(files, name)
		}
		for _, c := range []struct {
			name string
			deps JudgeDeps
		}{
			{"no rules", JudgeDeps{}},
			{"rules", JudgeDeps{Rules: bare.set}},
			{"rules and lists", JudgeDeps{Rules: bare.set, Lists: lists}},
			{"rules and history", JudgeDeps{Rules: bare.set, History: past}},
			{"rules, lists, history", JudgeDeps{Rules: bare.set, Lists: lists, History: past}},
		} {
			c.deps.Facts, c.deps.Now = facts, func() time.Time { return testNow }
			n, suspicious, malicious, met, metAlarm := 0, 0, 0, 0, 0
			hits := map[string]int{}
			for v := range Judge(t.Context(), items(t, files), c.deps) {
				n++
				alarm := rankOf(v.Verdict) >= rankOf(Suspicious)
				if alarm {
					suspicious++
					for _, f := range v.Findings {
						if f.Kind == RuleMatch && f.Severity >= 2 {
							hits[f.Title.EN]++
						}
					}
				}
				if v.Verdict == Malicious {
					malicious++
				}
				if v.Sender != nil && v.Sender.Prevalence != history.New && v.Sender.Prevalence != history.Unknown {
					met++
					if alarm {
						metAlarm++
					}
				}
			}
			t.Logf("%-10s %-22s %4d mails: %4d (%.2f %%) suspicious or worse, %4d malicious; of %d from known senders %d", folder, c.name, n, suspicious, 100*float64(suspicious)/float64(n), malicious, met, metAlarm)
			if folder != "phish" && len(hits) > 0 {
				t.Logf("    %s", counts(hits))
			}
			if folder != "phish" && (100*suspicious > 6*n || malicious > 0) || folder == "phish" && c.deps.History != nil && 100*suspicious < 20*n {
				t.Errorf("%s, %s: %d of %d suspicious or worse, %d malicious", folder, c.name, suspicious, n, malicious)
			}
		}
	}
}

func items(t *testing.T, files []string) func(func(Item) bool) {
	return func(yield func(Item) bool) {
		for _, f := range slices.Clone(files) {
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Error(err)
				continue
			}
			if !yield(Item{File: f, Raw: raw}) {
				return
			}
		}
	}
}
