package fact

import "strings"

// role says what happens on the date: what stands next to it decides, then the
// nearest word of its clause.
func (x *extractor) role(d span) Role {
	s := x.f.text
	front := strings.TrimRight(window(s, d.from, 24), " (")
	from, to := x.clause(d.from)
	h := hit{from: d.from, to: d.to}
	local := Role("")
	for _, w := range [...]struct {
		word string
		role Role
	}{
		{"no later than", Deadline}, {"deadline of", Deadline}, {"deadline is", Deadline}, {"due on", Deadline}, {"due by", Deadline}, {"due", Deadline},
		{"by", Deadline}, {"before", Deadline}, {"until", Deadline}, {"prior to", Deadline},
		{"from", Effective}, {"starting", Effective}, {"starting on", Effective}, {"beginning", Effective}, {"beginning on", Effective}, {"effective", Effective},
		{"as of", Effective}, {"on or after", Effective}, {"since", Observed},
	} {
		if strings.HasSuffix(front, w.word) && !isLatin(before(front, len(front)-len(w.word))) {
			local = w.role
			break
		}
	}
	behind := strings.TrimLeft(s[d.to:], " ")
	switch {
	case d.ended:
		if local == Effective || local == Deadline {
			local = ""
		}
	case strings.HasPrefix(behind, "まで"), strings.HasPrefix(behind, "が期限"), strings.HasPrefix(behind, "を期限"), strings.HasPrefix(behind, "締"):
		local = Deadline
	case strings.HasPrefix(behind, "から"), strings.HasPrefix(behind, "より"), strings.HasPrefix(behind, "以降"), strings.HasPrefix(behind, "以後"):
		local = Effective
	}
	if local == Deadline || local == Observed {
		return local
	}
	entries := x.lex.words[tRole].entries
	isRole := func(r Role) func(hit) bool {
		return func(w hit) bool { return entries[w.entry].value == string(r) && (w.to <= d.from || w.from >= d.to) }
	}
	list := x.within(tRole, from, to)
	if local == Effective {
		// "from April, attacks were seen" is no rule that takes effect.
		for _, near := range [...][]hit{list, x.hits[tRole]} {
			if nearest(near, h, isRole(Effective)) != nil {
				break
			}
			if nearest(near, h, isRole(Observed)) != nil {
				return Observed
			}
		}
		return Effective
	}
	any := func(w hit) bool { return w.to <= d.from || w.from >= d.to }
	if d.ended {
		if nearest(list, h, isRole(Observed)) != nil {
			return Observed
		}
	}
	if w := nearest(list, h, any); w != nil {
		return Role(entries[w.entry].value)
	}
	if strings.HasPrefix(s[d.to:], "、") || strings.HasPrefix(s[d.to:], "に、") {
		// The verb of a Japanese sentence is its last word.
		if all := x.hits[tRole]; len(all) > 0 && all[len(all)-1].from > d.to {
			return Role(entries[all[len(all)-1].entry].value)
		}
	}
	if w := nearest(x.hits[tRole], h, any); w != nil && d.ended {
		return Role(entries[w.entry].value)
	}
	return ""
}
