package advisory

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/triage"
)

// pair is a value whose words are ready.
type pair struct {
	text  lang.Text
	brief lang.Text // zero: the same
	name  string    // kind
	note  func(*record)
}

func (p pair) kind() string { return p.name }

func (p pair) say(l lang.Language, brief bool, r *record) string {
	if p.note != nil {
		p.note(r)
	}
	if brief && p.brief != (lang.Text{}) {
		return p.brief.In(l)
	}
	return p.text.In(l)
}

// slots fills what the templates name.
type slots struct {
	values map[string]Value
	holds  map[string]bool // conditions
}

func newSlots(in *Input, t *template, c *Catalogue) *slots {
	s := &slots{values: map[string]Value{}, holds: map[string]bool{}}
	s.fromSubject(&in.Subject, c)
	s.fromOrg(in.Org)
	s.fromDecision(in.Decision)
	s.holds["not-found"] = !in.Subject.Checked.IsZero() && !s.holds["found"]
	// What the caller gave by name comes before what was derived, but only under the names of
	// the template: a slot from an article must not replace our own contact.
	// The dates of the decision stand, for the grade rests on them.
	for name, v := range in.Subject.Slots {
		_, fact := facts[name]
		if strings.HasPrefix(name, "vendor_") && s.values[name] != nil {
			continue
		}
		if v != nil && (fact || slices.ContainsFunc(t.Slots, func(o slot) bool { return o.ID == name })) {
			s.values[name] = v
		}
	}
	for _, o := range t.Slots {
		if s.values[o.ID] == nil {
			s.values[o.ID] = Hole{What: lang.Text{JA: o.JA, EN: o.EN}}
		} else {
			s.holds[o.ID] = true
		}
	}
	for name, what := range facts {
		if s.values[name] == nil {
			s.values[name] = Hole{What: what}
		} else {
			s.holds[name] = true
		}
	}
	return s
}

// all reports whether every condition holds.
func (s *slots) all(when []string) bool {
	for _, w := range when {
		name, not := strings.CutPrefix(w, "!")
		if s.holds[name] == not {
			return false
		}
	}
	return true
}

// maxListed is how many names stand in a sentence before the rest is counted.
const maxListed = 5

func (s *slots) fromSubject(sub *Subject, c *Catalogue) {
	if sub.Lure != (Words{}) {
		s.values["lure"] = sub.Lure
	}
	if !sub.Seen.From.IsZero() {
		s.values["seen"] = sub.Seen
		s.values["seen_from"] = Period{From: sub.Seen.From, To: sub.Seen.From, Month: sub.Seen.Month}
	}
	if len(sub.Counts) > 0 || !sub.Seen.From.IsZero() {
		s.values["extent"] = extent(sub, false)
		s.values["extent_short"] = extent(sub, true)
	}
	for _, n := range sub.Counts {
		if n.Claim == Targeted {
			s.holds["targeted"] = true
		}
	}
	var cves []Value
	for _, id := range sub.CVEs {
		cves = append(cves, Name(id))
	}
	if len(cves) > 0 {
		s.values["cves"] = listed(cves)
	}
	var names, updates []Value
	for _, p := range sub.Products {
		names = append(names, p.Name)
		updates = append(updates, p.update())
	}
	if len(names) > 0 {
		s.values["products"] = listed(names)
		s.values["updates"] = List(updates)
	}
	if !sub.Checked.IsZero() {
		s.values["checked"] = Day(sub.Checked)
	}
	s.route(sub.Techniques, c)
}

// listed shortens a list: the first few, then how many more.
func listed(vs []Value) List {
	if len(vs) <= maxListed+1 {
		return vs
	}
	more := len(vs) - maxListed
	return append(slices.Clone(vs[:maxListed]), pair{name: "count", text: lang.Text{JA: "ほか" + number(more) + "件", EN: number(more) + " more"}})
}

// update is a product with what mends it, for a list.
func (p Product) update() Value {
	ja, en := []string{}, []string{}
	add := func(j, e string) { ja, en = append(ja, j), append(en, e) }
	if p.KB != "" {
		add(clean(p.KB), clean(p.KB))
	}
	if p.Version != "" {
		add(clean(p.Version)+" 以降", clean(p.Version)+" or later")
	}
	var r record
	t := lang.Text{JA: p.Name.say(lang.JA, false, &r), EN: p.Name.say(lang.EN, false, &r)}
	if len(ja) > 0 {
		t.JA += ": " + strings.Join(ja, "、")
		t.EN += ": " + strings.Join(en, ", ")
	}
	if p.Build != "" {
		t.JA += "(ビルド " + clean(p.Build) + ")"
		t.EN += " (build " + clean(p.Build) + ")"
	}
	return pair{name: "product", text: t, note: func(to *record) { to.untranslated = append(to.untranslated, r.untranslated...) }}
}

// route puts the techniques that the victim meets in their order.
func (s *slots) route(ids []string, c *Catalogue) {
	var on []*Technique
	for _, id := range ids {
		t := c.techniques[id]
		if t == nil {
			continue
		}
		s.holds["technique:"+id] = true
		if t.RouteJA != "" && !slices.Contains(on, t) {
			on = append(on, t)
		}
	}
	// One station says nothing about the way.
	if len(on) < 2 {
		return
	}
	slices.SortStableFunc(on, func(a, b *Technique) int { return a.Stage - b.Stage })
	var ja, en []string
	for _, t := range on {
		ja, en = append(ja, t.RouteJA), append(en, t.RouteEN)
	}
	s.values["route"] = pair{name: "route", text: lang.Text{JA: strings.Join(ja, " → "), EN: strings.Join(en, " → ")}}
}

func (s *slots) fromDecision(d *triage.Decision) {
	s.values["grade"] = Name(d.Grade)
	s.values["label"] = Words(d.Label)
	s.values["today"] = Day(d.Today)
	// Grade D has no dates; what a text asks for waits for the next occasion.
	none := pair{name: "date", text: lang.Text{JA: "次の定例の機会", EN: "the next regular occasion"}}
	for name, at := range map[string]time.Time{"due": d.Due, "check_by": d.Clocks.AdminCheck, "notice_by": d.Clocks.StaffNotice, "setting_by": d.Clocks.SettingChange} {
		s.values[name] = none
		if !at.IsZero() {
			s.values[name] = Day(at)
		}
	}
	f := &d.Facts
	if !f.VendorDate.IsZero() {
		s.values["vendor_date"] = Day(f.VendorDate)
		s.values["vendor_day"] = Period{From: f.VendorDate, To: f.VendorDate}
	}
	maps.Copy(s.holds, map[string]bool{
		"found":            f.Proximity == triage.Tenant,
		"japan":            f.Proximity == triage.Japan,
		"ours":             f.Relevance == triage.RelevanceExact,
		"unsure":           f.Relevance == triage.RelevanceUnknown,
		"active":           f.Activity == triage.ActivityActive,
		"ended":            f.Activity == triage.ActivityEnded,
		"exposed":          f.Exposure == triage.ExposedYes,
		"not-exposed":      f.Exposure == triage.ExposedNo,
		"exposure-unknown": f.Exposure == triage.ExposedUnknown,
		"exploited":        f.Kind == triage.Vulnerability && f.Activity == triage.ActivityActive,
		"forensic":         d.Forensic,
		"ransomware":       f.Ransomware,
		"urgent":           d.Grade == triage.A,
		"has-due":          !d.Due.IsZero(),
		"vendor-passed":    !f.VendorDate.IsZero() && !f.VendorDate.After(d.Today),
	})
}

func (s *slots) fromOrg(f *org.Facts) {
	if f == nil {
		f = &org.Facts{}
	}
	it := f.Contacts.Value()["it"]
	name := both(it.Name, lang.Text{JA: "情報システム担当", EN: "the IT team"})
	s.values["it"] = name
	s.values["ask"] = asked(name, it)
	s.values["officer"] = both(f.Contacts.Value()["security_officer"].Name, lang.Text{JA: "セキュリティ責任者", EN: "the security officer"})
	s.values["org"] = pair{name: "words", text: lang.Text{JA: "当社", EN: "our organisation"}}
	s.values["report"] = report(f.Report)
	s.holds["gateway"] = len(f.Gateways.Value()) > 0
	for slot, names := range map[string][]string{"banks": f.Banks.Value(), "systems": f.Systems.Value()} {
		var vs []Value
		for _, n := range names {
			vs = append(vs, Name(n))
		}
		if len(vs) > 0 {
			s.values[slot] = listed(vs)
		}
	}
}

// both returns a name for both languages: a Japanese name means nothing to who
// reads English only, so that the usual words stand there.
func both(name string, usual lang.Text) Value {
	name = clean(name)
	switch {
	case name == "":
		return pair{name: "words", text: usual}
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) }):
		return pair{name: "words", text: lang.Text{JA: name, EN: usual.EN}}
	}
	return Name(name)
}

// asked is whom staff ask and how.
func asked(name Value, c org.Contact) Value {
	var r record
	text := lang.Text{JA: name.say(lang.JA, false, &r), EN: name.say(lang.EN, false, &r)}
	switch {
	case c.Extension != "":
		ext := clean(c.Extension)
		return pair{name: "contact", text: lang.Text{JA: text.JA + "(内線 " + ext + ")", EN: text.EN + " (ext. " + ext + ")"}}
	case c.Mail != "":
		mail := clean(c.Mail)
		return pair{name: "contact", text: lang.Text{JA: text.JA + "(" + mail + ")", EN: text.EN + " (" + mail + ")"}}
	}
	h := Hole{Field: "organisation.contacts.it", What: lang.Text{JA: "内線番号または連絡先", EN: "extension or address"}}
	return pair{name: "contact", text: lang.Text{
		JA: text.JA + "(" + h.say(lang.JA, false, &r) + ")",
		EN: text.EN + " (" + h.say(lang.EN, false, &r) + ")",
	}, note: func(to *record) { to.holes = append(to.holes, h) }}
}

// report is the request to report a suspicious mail, as the organisation does
// it.
func report(s org.Setting[org.Report]) Value {
	how := s.Value()
	to := clean(how.To)
	switch {
	case how.How == "outlook-button":
		return pair{name: "report", text: lang.Text{
			JA: "不審なメールは転送せず、Outlook の「報告」ボタンでお知らせください。",
			EN: "Do not forward suspicious mail; use the Report button in Outlook.",
		}}
	case how.How == "forward-as-attachment" && to != "":
		return pair{name: "report", text: lang.Text{
			JA: "不審なメールは、「添付ファイルとして転送」で " + to + " へお送りください。ふつうの転送では、調べるための情報が失われます。",
			EN: "Send suspicious mail to " + to + " with \"Forward as attachment\". An ordinary forward loses what is needed to examine it.",
		}}
	}
	h := Hole{Field: "organisation.report", What: lang.Text{JA: "不審なメールの報告方法", EN: "how to report suspicious mail"}}
	var r record
	return pair{name: "report", text: lang.Text{
		JA: "不審なメールの報告方法: " + h.say(lang.JA, false, &r),
		EN: "To report suspicious mail: " + h.say(lang.EN, false, &r),
	}, note: func(to *record) { to.holes = append(to.holes, h) }}
}

// claims are the verbs for what a source says of those whom it counts.
var claims = map[Claim]struct{ once, since, noun lang.Text }{
	Targeted: {
		lang.Text{JA: "が標的になりました", EN: "were targeted"},
		lang.Text{JA: "が標的になっています", EN: "have been targeted"}, lang.Text{JA: "が標的", EN: "were targeted"},
	},
	Clicked: {
		lang.Text{JA: "がリンクを開きました", EN: "opened the link"},
		lang.Text{JA: "がリンクを開いています", EN: "have opened the link"}, lang.Text{JA: "がリンクを開いた", EN: "opened the link"},
	},
	Entered: {
		lang.Text{JA: "が情報を入力しました", EN: "entered their credentials"},
		lang.Text{JA: "が情報を入力しています", EN: "have entered their credentials"}, lang.Text{JA: "が情報を入力", EN: "entered their credentials"},
	},
	Received: {
		lang.Text{JA: "に届きました", EN: "received it"},
		lang.Text{JA: "に届いています", EN: "have received it"}, lang.Text{JA: "に配信", EN: "received it"},
	},
	Affected: {
		lang.Text{JA: "が影響を受けました", EN: "were affected"},
		lang.Text{JA: "が影響を受けています", EN: "have been affected"}, lang.Text{JA: "に影響", EN: "were affected"},
	},
	Leaked: {
		lang.Text{JA: "の情報が漏えいしました", EN: "had data leaked"},
		lang.Text{JA: "の情報が漏えいしています", EN: "have had data leaked"}, lang.Text{JA: "の情報が漏えい", EN: "had data leaked"},
	},
	Compromised: {
		lang.Text{JA: "が侵害されました", EN: "were compromised"},
		lang.Text{JA: "が侵害されています", EN: "have been compromised"}, lang.Text{JA: "が侵害", EN: "were compromised"},
	},
	"": {
		lang.Text{JA: "で確認されました", EN: "were reported"},
		lang.Text{JA: "で確認されています", EN: "have been reported"}, lang.Text{JA: "で確認", EN: "were reported"},
	},
}

// extent says how many were attacked and when. In brief form only the countries
// and the first other count stand, and shares are rounded.
func extent(sub *Subject, brief bool) Value {
	var r record
	var ja, en []string
	countries := ""
	countriesEN := ""
	type group struct {
		claim  Claim
		ja, en []string
	}
	var groups []*group
	for _, c := range sub.Counts {
		if c.Unit == Countries {
			countries, countriesEN = c.say(lang.JA, brief, &r), c.say(lang.EN, brief, &r)
			continue
		}
		i := slices.IndexFunc(groups, func(g *group) bool { return g.claim == c.Claim })
		if i < 0 {
			groups = append(groups, &group{claim: c.Claim})
			i = len(groups) - 1
		}
		if brief && (i > 0 || len(groups[i].ja) > 0) {
			continue
		}
		groups[i].ja = append(groups[i].ja, c.say(lang.JA, brief, &r))
		groups[i].en = append(groups[i].en, c.say(lang.EN, brief, &r))
	}
	for i, g := range groups {
		if len(g.ja) == 0 {
			continue
		}
		j, e := strings.Join(g.ja, "・"), joinEN(g.en)
		if i == 0 && countries != "" {
			j, e = countries+"の"+j, e+" in "+countriesEN
		}
		said, ok := claims[g.claim]
		if !ok {
			said = claims[""] // a claim that is not known is not made
		}
		verb := said.once
		switch {
		case brief:
			verb = said.noun
		case !sub.Seen.From.IsZero() && sub.Seen.To.IsZero():
			verb = said.since
		}
		ja, en = append(ja, j+verb.JA), append(en, e+" "+verb.EN)
	}
	if len(ja) == 0 && countries != "" {
		ja, en = []string{countries + "で確認"}, []string{"it was reported in " + countriesEN}
	}
	text := lang.Text{JA: strings.Join(ja, "。"), EN: strings.Join(en, "; ")}
	if !sub.Seen.From.IsZero() {
		text = within(text, sub.Seen, &r)
	}
	if sub.Share.Percent > 0 {
		ja, en := sub.Share.say(lang.JA, brief, &r), sub.Share.say(lang.EN, brief, &record{})
		// The brief form stands in brackets already.
		if brief {
			text.JA, text.EN = text.JA+"、"+ja, text.EN+", "+en
		} else {
			text.JA, text.EN = text.JA+"("+ja+")", text.EN+" ("+en+")"
		}
	}
	return pair{name: "extent", text: text, note: func(to *record) {
		to.roundings = append(to.roundings, r.roundings...)
		to.untranslated = append(to.untranslated, r.untranslated...)
	}}
}

// within adds the time to what happened then.
func within(what lang.Text, p Period, r *record) lang.Text {
	ja, en := p.say(lang.JA, false, r), p.say(lang.EN, false, r)
	since := p.To.IsZero()
	if what == (lang.Text{}) {
		if since {
			return lang.Text{JA: ja + "に観測", EN: "it has been seen " + en}
		}
		return lang.Text{JA: ja + "に観測", EN: "it was seen " + preposition(p) + en}
	}
	if since {
		return lang.Text{JA: ja + "、" + what.JA, EN: what.EN + " " + en}
	}
	return lang.Text{JA: ja + "に" + what.JA, EN: what.EN + " " + preposition(p) + en}
}

func preposition(p Period) string {
	if p.Month {
		return "in "
	}
	return "on "
}
