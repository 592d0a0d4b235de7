package triage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/triage"
)

func say(l lang.Language, ms []lang.Message) string {
	var parts []string
	for _, m := range ms {
		parts = append(parts, lang.Default().Say(l, m))
	}
	if l == lang.JA {
		return strings.Join(parts, "")
	}
	return strings.Join(parts, " ")
}

func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		name    string
		facts   triage.Facts
		today   time.Time
		matched string
		why     []string // ja, en
		changes []string // ja, en
		confirm int
	}{
		{
			"CampaignAsPublished", campaign, on(2026, 5, 8),
			"kind=campaign relevance=exact impact=takeover",
			[]string{
				"当社も該当します。成功すると認証情報や金銭の窃取、乗っ取りにつながります。攻撃が観測されたのは2026年4月16日(木)までです。国内・自社での検出は確認していません。",
				"It concerns us. Success means stolen credentials or money, or full control. The attack was observed until Thursday, 16 April 2026. No case in our country or in our own systems is known.",
			},
			[]string{
				"自社で検出された場合は A に引き上げます。攻撃の継続が確認されたうえ、国内でも報告された場合は B に引き上げます。当社に該当しないと確認できた場合は D に下がります。",
				"It becomes A if it is found in our own mail, logs or devices. It becomes B if attacks are confirmed to go on and it is reported in our country. It drops to D if it turns out not to concern us.",
			}, 0,
		},
		{
			"DirectSendUnknown", with(directSend, func(f *triage.Facts) { f.Exposure = triage.ExposedUnknown }), on(2025, 7, 7),
			"kind=campaign relevance=exact activity=active impact=takeover exposed=yes",
			[]string{
				"当社も該当します。成功すると認証情報や金銭の窃取、乗っ取りにつながります。攻撃が続いています。国内・自社での検出は確認していません。攻撃に使われる経路が開いているかは未確認のため、開いているものとして判定しました。",
				"It concerns us. Success means stolen credentials or money, or full control. The attack is going on. No case in our country or in our own systems is known. Whether the way in that it uses is open with us is not confirmed; it is graded as if it were.",
			},
			[]string{
				"自社で検出された場合は A に引き上げます。攻撃の終息が確認された場合は C に下がります。当社に該当しないと確認できた場合は D に下がります。",
				"It becomes A if it is found in our own mail, logs or devices. It drops to C if the attacks are confirmed to be over. It drops to D if it turns out not to concern us.",
			}, 1,
		},
		{
			"SenderRuleSoon", senderRule, on(2025, 4, 28),
			"kind=policy relevance=exact",
			[]string{
				"当社も該当します。2025年5月5日(月)から適用されるため、遅くともその前の営業日までに対応します。",
				"It concerns us. It applies from Monday, 5 May 2025, so the work is due on the business day before at the latest.",
			},
			[]string{"当社が要件を満たしていると確認できた場合は D に下がります。", "It drops to D if we are confirmed to meet it."}, 0,
		},
		{
			"WindowsExploited", windows, on(2025, 4, 9),
			"kind=vuln relevance=exact activity=active",
			[]string{
				"当社も該当します。成功すると認証情報や金銭の窃取、乗っ取りにつながります。攻撃が続いています。攻撃に使われる経路は、当社では閉じています。CISA の「悪用が確認された脆弱性」一覧(KEV)に載っています。ランサムウェア攻撃での使用が確認されています。",
				"It concerns us. Success means stolen credentials or money, or full control. The attack is going on. The way in that it uses is closed with us. CISA lists it among the known exploited vulnerabilities (KEV). It has been used for ransomware.",
			},
			[]string{
				"自社で検出された場合は A に引き上げます。当社の利用が同種のものにとどまると確認できた場合は C に下がります。当社に該当しないと確認できた場合は D に下がります。",
				"It becomes A if it is found in our own mail, logs or devices. It drops to C if it turns out to concern only something similar to what we use. It drops to D if it turns out not to concern us.",
			}, 0,
		},
		{
			"Tenant", with(campaign, func(f *triage.Facts) { f.Proximity = triage.Tenant }), on(2026, 5, 8),
			"proximity=tenant",
			[]string{
				"当社も該当します。成功すると認証情報や金銭の窃取、乗っ取りにつながります。攻撃が観測されたのは2026年4月16日(木)までです。自社で検出されています。",
				"It concerns us. Success means stolen credentials or money, or full control. The attack was observed until Thursday, 16 April 2026. It was found in our own mail, logs or devices.",
			},
			[]string{"", ""}, 0,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := decide(t, tc.facts, tc.today)
			var matched []string
			for _, m := range d.Matched {
				matched = append(matched, m.Point+"="+m.Value)
			}
			var changes []lang.Message
			for _, c := range d.Changes {
				changes = append(changes, c.Message())
			}
			if diff := cmp.Diff(tc.matched, strings.Join(matched, " ")); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.why, []string{say(lang.JA, d.Why()), say(lang.EN, d.Why())}); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.changes, []string{say(lang.JA, changes), say(lang.EN, changes)}); diff != "" {
				t.Error(diff)
			}
			if got := len(d.ToConfirm()); got != tc.confirm {
				t.Errorf("%d to confirm, want %d", got, tc.confirm)
			}
		})
	}
}

func TestPoints(t *testing.T) {
	f := with(directSend, func(f *triage.Facts) { f.Relevance, f.Exposure = "", triage.ExposedUnknown })
	want := []triage.Fact{
		{Point: "kind", Value: "campaign"}, {Point: "relevance", Value: "unknown"}, {Point: "activity", Value: "active"},
		{Point: "proximity", Value: "elsewhere"}, {Point: "impact", Value: "takeover"}, {Point: "exposed", Value: "unknown"},
	}
	if diff := cmp.Diff(want, decide(t, f, on(2025, 7, 7)).Points()); diff != "" {
		t.Error(diff)
	}
}

func TestEPSSIsDated(t *testing.T) {
	f := with(acrobat, func(f *triage.Facts) { f.EPSS = triage.EPSS{Probability: 0.123, Date: on(2025, 4, 8)} })
	if got, want := say(lang.JA, decide(t, f, on(2025, 4, 9)).Why()), "30日以内に悪用される確率(EPSS)は12%です(2025年4月8日(火)時点)。"; !strings.Contains(got, want) {
		t.Errorf("no %s in %s", want, got)
	}
}

// TestChangesAreTrue makes each change that is announced and looks at the grade.
func TestChangesAreTrue(t *testing.T) {
	for _, f := range []triage.Facts{campaign, directSend, senderRule, voice, windows, acrobat} {
		d := decide(t, f, on(2026, 5, 8))
		for _, c := range d.Changes {
			g := f
			for _, fact := range c.Facts {
				switch fact.Point {
				case "relevance":
					g.Relevance = triage.Relevance(fact.Value)
				case "activity":
					g.Activity = triage.Activity(fact.Value)
				case "proximity":
					g.Proximity = triage.Proximity(fact.Value)
				case "exposed":
					g.Exposure = triage.Exposure(fact.Value)
				default:
					t.Errorf("%s does not change", fact.Point)
				}
			}
			if got := decide(t, g, on(2026, 5, 8)).Grade; got != c.Grade {
				t.Errorf("%+v: %s, announced %s", c.Facts, got, c.Grade)
			}
		}
	}
}

// TestSentencesExist renders every sentence that some facts lead to.
func TestSentencesExist(t *testing.T) {
	for _, k := range []triage.Kind{triage.Vulnerability, triage.Campaign, triage.Policy} {
		for _, r := range []triage.Relevance{triage.RelevanceNone, triage.RelevanceCategory, triage.RelevanceExact, triage.RelevanceUnknown} {
			for _, a := range []triage.Activity{triage.ActivityNone, triage.ActivityPoC, triage.ActivityEnded, triage.ActivityActive} {
				for _, p := range []triage.Proximity{triage.Elsewhere, triage.Japan, triage.Tenant} {
					for _, i := range []triage.Impact{triage.ImpactLow, triage.ImpactPartial, triage.ImpactTakeover} {
						for _, e := range []triage.Exposure{"", triage.ExposedNo, triage.ExposedYes, triage.ExposedUnknown} {
							f := triage.Facts{
								Kind: k, Relevance: r, Activity: a, Proximity: p, Impact: i, Exposure: e, Ransomware: true,
								KEV: triage.Yes, Automatable: triage.Yes, TechnicalImpact: triage.ImpactOfWhole, VendorDate: on(2026, 5, 12),
							}
							d := decide(t, f, on(2026, 5, 8))
							ms := append(d.Why(), d.ToConfirm()...)
							for _, c := range d.Changes {
								ms = append(ms, c.Message())
							}
							for _, l := range []lang.Language{lang.JA, lang.EN} {
								if s := say(l, ms); strings.ContainsAny(s, "[{") {
									t.Fatalf("a sentence is missing: %s", s)
								}
							}
						}
					}
				}
			}
		}
	}
}
