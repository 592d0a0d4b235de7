package campaign_test

import (
	"math/rand/v2"
	"testing"

	"github.com/sekisho/sekisho/campaign"
)

// TestKeys holds the keys to what comparing finds: an index by them loses hardly
// any mail that is like another.
func TestKeys(t *testing.T) {
	w := &world{rnd: rand.New(rand.NewPCG(1, 2))}
	all := append(w.campaigns(12), w.harmless()...)
	keys := make([]map[uint64]bool, len(all))
	for i := range all {
		keys[i] = map[uint64]bool{}
		for _, k := range campaign.Keys(&all[i].Mail, options()) {
			if keys[i][k.Sum] || k.Weight <= 0 || k.Weight > 1 {
				t.Fatalf("key %+v of %q", k, all[i].Subject)
			}
			keys[i][k.Sum] = true
		}
	}
	like, lost, candidates, probes := 0, 0, 0, 0
	for i := range all {
		if all[i].campaign == 0 || i > 0 && all[i-1].campaign == all[i].campaign {
			continue
		}
		probes++
		probe := campaign.NewProbe(&all[i].Mail, options())
		for j := range all {
			if i == j {
				continue
			}
			common := false
			for k := range keys[j] {
				common = common || keys[i][k]
			}
			if common {
				candidates++
			}
			if l := probe.Compare(&all[j].Mail); l.Level == campaign.Same || l.Level == campaign.Alike {
				like++
				if !common {
					lost++
					t.Logf("lost: %q and %q, %d %+v", all[i].Subject, all[j].Subject, l.Score, l.Reasons)
				}
			}
		}
	}
	t.Logf("%d mails, %d like another, %d of them lost, %d candidates for a mail", len(all), like, lost, candidates/probes)
	if lost*50 > like || like == 0 {
		t.Errorf("%d of %d are lost", lost, like)
	}
	if candidates/probes > len(all)/4 {
		t.Errorf("%d of %d mails are candidates", candidates/probes, len(all))
	}
}

// What many have in common is no key.
func TestKeysShared(t *testing.T) {
	a := campaign.Mail{From: "someone@freemail.example", MailFrom: "someone@freemail.example", Subject: "Hi"}
	b := campaign.Mail{From: "other@freemail.example", MailFrom: "other@freemail.example", Subject: "Lunch"}
	have := map[uint64]bool{}
	for _, k := range campaign.Keys(&a, options()) {
		have[k.Sum] = true
	}
	for _, k := range campaign.Keys(&b, options()) {
		if have[k.Sum] {
			t.Errorf("a key in common: %+v", k)
		}
	}
	if len(campaign.Keys(&campaign.Mail{}, nil)) != 0 {
		t.Error("an empty mail has keys")
	}
}
