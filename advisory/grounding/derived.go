package grounding

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/news/fact"
)

// lasts reports whether a length of time follows from two days of a source.
func (c *check) lasts(n *numeral, unit string) bool {
	days := n.value * inDays[unit]
	if unit == "minutes" || unit == "hours" {
		list := clocks(c.g.texts)
		for _, a := range list[:min(len(list), 20)] {
			for _, b := range list[:min(len(list), 20)] {
				if d := float64(b.minute - a.minute); d > 0 && math.Abs(d-days*1440) < 0.5 {
					return true
				}
			}
		}
	}
	if days < 2 {
		return false
	}
	fits := func(from, to time.Time) bool {
		d := to.Sub(from).Hours() / 24
		return d > 0 && (math.Abs(d-days) <= 1 || n.bound != exact && math.Abs(d-days) <= 0.15*d)
	}
	for i := range c.g.sentences {
		var ends []time.Time
		for _, f := range c.g.sentences[i].facts {
			if f.Type == fact.Date && !f.From.IsZero() && len(ends) < 8 {
				ends = append(ends, f.From, f.To)
			}
		}
		for _, a := range ends {
			if slices.ContainsFunc(ends, func(b time.Time) bool { return fits(a, b) }) {
				return true
			}
		}
	}
	return false
}

// dayOfMonth reports whether a source has a date on that day of some month.
func (c *check) dayOfMonth(day int) bool {
	return c.anyDate(func(f *fact.Fact) bool {
		return !f.From.IsZero() && (f.From.Day() == day || f.To.Day() == day)
	})
}

// clock is a time of day in a folded text.
type clock struct {
	span
	minute int // of the day
}

// clocks returns the times of day that are written 16:40, 16時40分 or 16時.
func clocks(s string) []clock {
	var out []clock
	for i := 0; i < len(s) && len(out) < maxNumerals; i++ {
		if !isDigit(s[i]) || i > 0 && (isWord(s[i-1]) || s[i-1] == ':' || s[i-1] == '.') {
			continue
		}
		j := i
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		h, err := strconv.Atoi(s[i:j])
		if err != nil || j-i > 2 || h > 24 {
			i = j - 1
			continue
		}
		rest, end, m := s[j:], 0, 0
		switch {
		case len(rest) >= 3 && rest[0] == ':' && isDigit(rest[1]) && isDigit(rest[2]) && (len(rest) == 3 || !isWord(rest[3]) && rest[3] != ':'):
			m, end = int(rest[1]-'0')*10+int(rest[2]-'0'), j+3
		case strings.HasPrefix(rest, "時") && !strings.HasPrefix(rest, "時間"):
			end = j + len("時")
			k := end
			for k < len(s) && isDigit(s[k]) {
				k++
			}
			if k > end && k-end <= 2 && strings.HasPrefix(s[k:], "分") {
				m, _ = strconv.Atoi(s[end:k])
				end = k + len("分")
			} else if strings.HasPrefix(s[end:], "半") {
				m, end = 30, end+len("半")
			}
			if strings.HasSuffix(s[:i], "午後") && h < 12 {
				h += 12
			}
		default:
			i = j - 1
			continue
		}
		if after := strings.TrimLeft(s[end:], " "); h < 12 && (strings.HasPrefix(after, "pm") || strings.HasPrefix(after, "p.m.")) {
			h += 12
		}
		out = append(out, clock{span{i, end}, h*60 + m})
		i = end - 1
	}
	return out
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// times compares times of day, where the source has any.
func (c *check) times() {
	for _, t := range clocks(c.folded) {
		c.use(t.from, t.to)
		is := func(x clock) bool { return x.minute%720 == t.minute%720 }
		if !slices.ContainsFunc(clocks(c.g.texts), is) && !slices.ContainsFunc(clocks(c.g.own), is) {
			c.flag(Number, c.folded[t.from:t.to], "")
		}
	}
}

var thirds = []struct {
	ja   string
	en   []string
	from int // day of the month
}{
	{"上旬", []string{"early "}, 1},
	{"中旬", []string{"mid-", "mid ", "middle of "}, 11},
	{"下旬", []string{"late ", "end of "}, 21},
}

// third is ten days of a month.
type third struct {
	span
	month, from int
}

// thirdsOf returns what is written 7月上旬 or "early July".
func thirdsOf(s string) []third {
	var out []third
	for _, x := range thirds {
		for from := 0; len(out) < 200; {
			i := strings.Index(s[from:], "月"+x.ja)
			if i < 0 {
				break
			}
			i += from
			from = i + len("月"+x.ja)
			j := i
			for j > 0 && isDigit(s[j-1]) {
				j--
			}
			if m, err := strconv.Atoi(s[j:i]); err == nil && m >= 1 && m <= 12 {
				out = append(out, third{span{j, from}, m, x.from})
			}
		}
		for _, w := range x.en {
			for from := 0; len(out) < 200; {
				i := strings.Index(s[from:], w)
				if i < 0 {
					break
				}
				i += from
				from = i + len(w)
				for m := time.January; m <= time.December; m++ {
					if strings.HasPrefix(s[from:], strings.ToLower(m.String())) {
						out = append(out, third{span{i, from + len(m.String())}, int(m), x.from})
					}
				}
			}
		}
	}
	return out
}

// monthParts compares ten days of a month with those and with the days of the
// source.
func (c *check) monthParts() {
	for _, t := range thirdsOf(c.folded) {
		c.use(t.span.from, t.to)
		is := func(x third) bool { return x.month == t.month && x.from == t.from }
		if slices.ContainsFunc(thirdsOf(c.g.texts), is) || slices.ContainsFunc(thirdsOf(c.g.own), is) {
			continue
		}
		if c.anyDate(func(f *fact.Fact) bool {
			for _, d := range []time.Time{f.From, f.To} {
				if !d.IsZero() && int(d.Month()) == t.month && d.Day() >= t.from-1 && (d.Day() <= t.from+10 || t.from == 21) {
					return true
				}
			}
			return false
		}) {
			continue
		}
		c.flag(Date, c.folded[t.span.from:t.span.to], "")
	}
}

// gazetteer are prefectures and larger cities of Japan, which are written with
// characters that have no one sound.
const gazetteer = "北海道 hokkaido|青森 aomori|岩手 iwate|宮城 miyagi|秋田 akita|山形 yamagata|福島 fukushima|茨城 ibaraki|栃木 tochigi|群馬 gunma|埼玉 saitama|千葉 chiba|東京 tokyo|神奈川 kanagawa|新潟 niigata|富山 toyama|石川 ishikawa|福井 fukui|山梨 yamanashi|長野 nagano|岐阜 gifu|静岡 shizuoka|愛知 aichi|三重 mie|滋賀 shiga|京都 kyoto|大阪 osaka|兵庫 hyogo|奈良 nara|和歌山 wakayama|鳥取 tottori|島根 shimane|岡山 okayama|広島 hiroshima|山口 yamaguchi|徳島 tokushima|香川 kagawa|愛媛 ehime|高知 kochi|福岡 fukuoka|佐賀 saga|長崎 nagasaki|熊本 kumamoto|大分 oita|宮崎 miyazaki|鹿児島 kagoshima|沖縄 okinawa|札幌 sapporo|仙台 sendai|横浜 yokohama|川崎 kawasaki|相模原 sagamihara|名古屋 nagoya|浜松 hamamatsu|堺 sakai|神戸 kobe|姫路 himeji|北九州 kitakyushu|金沢 kanazawa|松山 matsuyama|高松 takamatsu|那覇 naha|宇都宮 utsunomiya|前橋 maebashi|高崎 takasaki|水戸 mito|盛岡 morioka|豊田 toyota|豊橋 toyohashi|四日市 yokkaichi|大津 otsu|倉敷 kurashiki|福山 fukuyama|久留米 kurume|函館 hakodate|旭川 asahikawa|八王子 hachioji|横須賀 yokosuka|松本 matsumoto|関東 kanto|関西 kansai|東北 tohoku|九州 kyushu|四国 shikoku|北陸 hokuriku|中国地方 chugoku"

// placeName returns the characters of a place that is written in Latin letters.
func placeName(w string) (string, bool) {
	for line := range strings.SplitSeq(gazetteer, "|") {
		if ja, en, _ := strings.Cut(line, " "); en == w {
			return ja, true
		}
	}
	return "", false
}

// kinds of organisations, as they end their names in Japanese, with the words of
// English.
var endings = []struct {
	ja string
	en []string
}{
	{"銀行", []string{"bank"}},
	{"信用金庫", []string{"credit union", "shinkin", "credit association"}},
	{"信用組合", []string{"credit union", "credit cooperative"}},
	{"研究所", []string{"institut", "lab", "research"}},
	{"財団", []string{"foundation"}},
	{"協会", []string{"association", "society"}},
	{"大学", []string{"universit", "college"}},
	{"県警", []string{"police"}},
	{"証券", []string{"securities", "broker"}},
	{"保険", []string{"insur"}},
	{"新聞", []string{"newspaper", "news", "times"}},
}
