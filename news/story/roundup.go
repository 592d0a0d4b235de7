package story

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/news"
	"github.com/sekisho/sekisho/news/fact"
)

// roundupTitles stand in titles of items about many stories, folded.
var roundupTitles = []string{
	"weekly report", "week in review", "weekly recap", "recap", "round-up", "roundup", "month in security", "this week in", "vulnerability summary", "digest", "threat report", "statistics",
	"週間", "毎週", "今週の", "まとめ", "要約", "四半期", "相談状況", "報告状況", "情勢", "統計", "年間", "月間", "活動報告", "動向",
}

// isRoundup reports whether an item is about many stories.
func isRoundup(it *news.Item, facts *fact.Facts) bool {
	t := strings.ToLower(norm.NFKC.String(it.Title))
	for _, w := range roundupTitles {
		if strings.Contains(t, w) {
			return true
		}
	}
	if strings.Contains(t, "cisa adds") && !strings.Contains(t, "adds one") || strings.Contains(t, "known exploited") && strings.Contains(t, "vulnerabilities to catalog") {
		return true
	}
	if strings.Contains(t, "カタログに追加") && len(it.CVEs) > 1 {
		return true
	}
	// A list behind a colon: "patch day: A, B, C".
	if _, list, ok := strings.Cut(t, ": "); ok && len(news.CVEs(it.Title)) == 0 {
		named := 0
		for part := range strings.SplitSeq(list, ", ") {
			if part != "" && part[0] >= 'a' && part[0] <= 'z' {
				named++
			}
		}
		if named >= 3 {
			return true
		}
	}
	// Several makers in the title, and several vulnerabilities.
	makers := map[string]bool{}
	for _, p := range facts.Of(fact.Product) {
		if p.Evidence[0].Sentence == 0 {
			makers[p.Vendor] = true
		}
	}
	return len(makers) >= 3
}

// monthly are words in titles of the updates of a month, folded.
var monthly = []string{
	"patch tuesday", "patch day", "security updates", "critical patch update", "monthly", "月例", "定例", "月度", "クリティカルパッチアップデート", "セキュリティ更新プログラム", "月パッチ", "月のパッチ", "の脆弱性対策について", "security patch update",
}

// releaseOf returns maker and month of an item about the updates of a month, and
// the day or month that its title carries.
func releaseOf(it *news.Item, facts *fact.Facts) (release, edition string) {
	month := ""
	for _, d := range facts.Of(fact.Date) {
		for _, e := range d.Evidence {
			if e.Sentence != 0 || d.From.IsZero() {
				continue
			}
			if edition == "" {
				edition = d.Value
			}
			if month == "" {
				month = d.From.Format("2006-01")
			}
		}
	}
	// An update between the months is a matter of its own.
	t := strings.NewReplacer("定例外", "", "out-of-band", "").Replace(strings.ToLower(norm.NFKC.String(it.Title)))
	squeezed := strings.ReplaceAll(t, " ", "")
	found := false
	for _, w := range monthly {
		// 「2月パッチで修正済み」 speaks of another matter.
		if i := strings.Index(squeezed, strings.ReplaceAll(w, " ", "")); i >= 0 && !strings.HasPrefix(squeezed[i+len(strings.ReplaceAll(w, " ", "")):], "で") {
			found = true
			break
		}
	}
	if !found || len(news.CVEs(it.Title)) > 0 {
		return "", edition
	}
	maker := makerOf(it, facts)
	if month == "" {
		month = monthInTitle(t, it)
	}
	if maker == "" || month == "" {
		return "", edition
	}
	return strings.ToLower(maker) + " " + month, edition
}

// makerOf returns the maker whose updates an item is about: the only one of the
// title, else of the first sentences.
func makerOf(it *news.Item, facts *fact.Facts) string {
	for _, last := range [...]int{0, 2} {
		makers := map[string]int{}
		for _, p := range facts.Of(fact.Product) {
			for _, e := range p.Evidence {
				if e.Sentence <= last {
					makers[p.Vendor]++
				}
			}
		}
		if len(makers) == 1 {
			for m := range makers {
				return m
			}
		}
		if len(makers) > 1 && last == 0 {
			return ""
		}
		if makers["Microsoft"] > 0 {
			return "Microsoft"
		}
	}
	t := []rune(norm.NFKC.String(it.Title))
	if len(t) > 3 && t[0] == 'M' && t[1] == 'S' && !unicode.IsLetter(t[2]) {
		return "Microsoft"
	}
	return ""
}

// monthInTitle reads "3月パッチ" and "March" without a year, from the day of
// publication.
func monthInTitle(t string, it *news.Item) string {
	at := it.Published
	if at.IsZero() {
		return ""
	}
	for m := time.January; m <= time.December; m++ {
		if strings.Contains(t, strings.ToLower(m.String())+" ") || strings.Contains(t, fmt.Sprintf("%d月", int(m))) && !strings.Contains(t, fmt.Sprintf("1%d月", int(m))) {
			y := at.Year()
			if m == time.December && at.Month() == time.January {
				y--
			}
			return fmt.Sprintf("%d-%02d", y, int(m))
		}
	}
	return ""
}
