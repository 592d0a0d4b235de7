package desk

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/campaign"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/m365/trace"
	"github.com/sekisho/sekisho/org"
)

// SimilarSchema names the JSON form of a [SimilarReport], and SimilarMailSchema
// that of one mail in it.
const (
	SimilarSchema     = "sekisho.similar/v1"
	SimilarMailSchema = "sekisho.similar-mail/v1"
)

// SimilarDeps is what [FindSimilar] needs from outside.
type SimilarDeps struct {
	Facts org.Facts
	Words *lang.Catalogue // nil: the built-in one
	Now   func() time.Time
}

// SimilarInput is what to look for, and where.
type SimilarInput struct {
	Mails   iter.Seq[Item] // that others are compared with
	Indexes []MailIndex
	Least   campaign.Level // the loosest level that counts; empty is Alike

	// Unread is told of each of Mails that could not be read. It may be nil.
	Unread func(file string, index int, f *Failure)
}

// SimilarReport is who else got mails like some.
type SimilarReport struct {
	Schema     string             `json:"schema"`
	AsOf       time.Time          `json:"as_of"`
	Probes     []SimilarProbe     `json:"probes"`
	Places     []SimilarPlace     `json:"places"`
	Compared   int                `json:"compared"` // mails, and rows of traces
	Counts     []SimilarCount     `json:"counts"`
	Mails      []SimilarMail      `json:"mails"`
	Over       int                `json:"over"` // mails beyond those that are listed
	Recipients []SimilarRecipient `json:"recipients"`
	Searches   []SimilarSearch    `json:"searches"`
}

// SimilarProbe is a mail that others were compared with.
type SimilarProbe struct {
	File      string `json:"file"`
	Index     int    `json:"index,omitempty"`
	Part      string `json:"part,omitempty"` // where it is attached to another
	MessageID string `json:"message_id,omitempty"`
	Subject   string `json:"subject"`
	From      string `json:"from"`
	MailFrom  string `json:"mail_from,omitempty"`
	IP        string `json:"ip,omitempty"`
}

// SimilarPlace is where was looked.
type SimilarPlace struct {
	Mails int              `json:"mails"`           // in folders and mailboxes
	Trace *TraceFileRecord `json:"trace,omitempty"` // of a message trace
}

// SimilarCount is how many mails have a level.
type SimilarCount struct {
	Level campaign.Level `json:"level"`
	Mails int            `json:"mails"`
}

// SimilarMail is a mail like one of the probes.
type SimilarMail struct {
	Schema     string            `json:"schema"`
	Level      campaign.Level    `json:"level"`
	Score      int               `json:"score"`
	Probe      int               `json:"probe"` // place in the list of probes, from 1
	Reasons    []SimilarReason   `json:"reasons"`
	File       string            `json:"file"`
	Index      int               `json:"index,omitempty"`
	Line       int               `json:"line,omitempty"`
	Part       string            `json:"part,omitempty"`
	Time       *time.Time        `json:"time,omitempty"`
	From       string            `json:"from"`
	Name       string            `json:"name,omitempty"`
	MailFrom   string            `json:"mail_from,omitempty"`
	IP         string            `json:"ip,omitempty"`
	Subject    string            `json:"subject"`
	Recipients []SimilarDelivery `json:"recipients"`
	MessageID  string            `json:"message_id,omitempty"`
	NetworkID  string            `json:"network_message_id,omitempty"`
}

// SimilarReason is something that two mails have in common.
type SimilarReason struct {
	Code  campaign.Code `json:"code"`
	Value string        `json:"value"`
	Text  lang.Text     `json:"text"`
}

// SimilarDelivery is a recipient of a mail.
type SimilarDelivery struct {
	Address string        `json:"address"`
	Outcome trace.Outcome `json:"outcome,omitempty"`
}

// SimilarRecipient is somebody who got one of the mails.
type SimilarRecipient struct {
	Address string         `json:"address"`
	Own     bool           `json:"own"`   // in a domain of the organisation
	Level   campaign.Level `json:"level"` // the surest
	Mails   int            `json:"mails"`
	First   *time.Time     `json:"first,omitempty"`
	Outcome trace.Outcome  `json:"outcome,omitempty"` // the worst: in the inbox before junk
}

// SimilarSearch finds the mails in Microsoft 365, so that they can be removed.
type SimilarSearch struct {
	Kind    string    `json:"kind"` // hunting, explorer, compliance, purge
	Text    lang.Text `json:"text"`
	Command string    `json:"command"`
}

// Bounds of what is compared and listed.
const (
	maxProbes       = 50
	maxSimilarMails = 20_000
	maxDeliveries   = 5000 // of one mail
	maxSearchIDs    = 200
)

// shared are names under which many send and publish.
type shared struct {
	free, shorteners, hosts, safe lists.Domains
	microsoft                     lists.Microsoft
}

func sharedHosts() *shared {
	return &shared{lists.FreeMail(), lists.URLShorteners(), lists.FileHosts(), lists.SafeLinkHosts(), lists.MicrosoftDomains()}
}

func (s *shared) mail(n domain.Name) bool {
	_, free := s.free.Match(n)
	return free || s.microsoft.Host(n) != lists.Foreign && !strings.HasSuffix(string(n), ".onmicrosoft.com")
}

func (s *shared) web(n domain.Name) bool {
	for _, d := range []lists.Domains{s.shorteners, s.hosts, s.safe, s.free} {
		if _, ok := d.Match(n); ok {
			return true
		}
	}
	return s.microsoft.Host(n) != lists.Foreign
}

// FindSimilar finds the mails that are like some, and who got them.
func FindSimilar(ctx context.Context, in SimilarInput, deps SimilarDeps) (*SimilarReport, error) {
	words := deps.Words
	if words == nil {
		words = lang.Default()
	}
	f := similarFinder{words: words, deps: &deps, in: &in, byID: map[string]int{}, out: &SimilarReport{
		Schema: SimilarSchema, AsOf: deps.Now().UTC(), Probes: []SimilarProbe{}, Places: []SimilarPlace{}, Counts: []SimilarCount{},
		Mails: []SimilarMail{}, Recipients: []SimilarRecipient{}, Searches: []SimilarSearch{},
	}}
	if err := f.probe(ctx); err != nil {
		return nil, err
	}
	for _, x := range in.Indexes {
		f.search(ctx, x)
	}
	f.finish()
	return f.out, nil
}

type similarFinder struct {
	words  *lang.Catalogue
	deps   *SimilarDeps
	in     *SimilarInput
	out    *SimilarReport
	probes []*campaign.Probe
	own    []campaign.Mail
	hashes []string       // of the probes' files: the mail itself is none that is like it
	byID   map[string]int // place in Mails of a mail whose rows are put together
}

// probe reads the mails to compare with. Of a mail that carries others, as
// reports do, it is these.
func (f *similarFinder) probe(ctx context.Context) error {
	o := campaignOptions(&f.deps.Facts)
	for it := range f.in.Mails {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var mails []*IndexedMail
		if fail := onItem(it, f.words, func() { mails = mailsOf(it, &f.deps.Facts) }); fail != nil {
			if f.in.Unread != nil {
				f.in.Unread(it.File, it.Index, fail)
			}
			continue
		}
		if len(mails) > 1 {
			mails = mails[1:]
		}
		for _, m := range mails {
			if len(f.probes) == maxProbes {
				return &Error{Kind: Limit, Message: lang.M("similar.error.many", "n", maxProbes), Hint: lang.M("similar.hint.many")}
			}
			f.probes, f.own, f.hashes = append(f.probes, campaign.NewProbe(&m.Mail, o)), append(f.own, m.Mail), append(f.hashes, m.SHA256)
			p := SimilarProbe{File: m.File, Index: m.Index, Part: m.Part, MessageID: m.MessageID, Subject: m.Subject, From: m.From, MailFrom: m.MailFrom}
			if m.IP.IsValid() {
				p.IP = m.IP.String()
			}
			f.out.Probes = append(f.out.Probes, p)
		}
	}
	if len(f.probes) == 0 {
		return &Error{Kind: NotFound, Message: lang.M("similar.error.no-mail"), Hint: lang.M("similar.hint.no-mail")}
	}
	return nil
}

func rankOfLevel(l campaign.Level) int {
	return slices.Index([]campaign.Level{campaign.Same, campaign.Alike, campaign.SameSender, campaign.Different}, l)
}

// search compares the mails of an index.
func (f *similarFinder) search(ctx context.Context, x MailIndex) {
	least := rankOfLevel(cmp.Or(f.in.Least, campaign.Alike))
	before := f.out.Compared
	for m := range x.LikeMails(ctx, f.own) {
		f.out.Compared++
		if i, ok := f.byID[idOf(m)]; ok && m.Line > 0 {
			f.deliver(&f.out.Mails[i], m)
			continue
		}
		best, at := campaign.Likeness{Level: campaign.Different}, 0
		for i, p := range f.probes {
			if f.itself(i, m) {
				best, at = campaign.Likeness{}, i // the probe, or its own row of a trace
				if m.Line > 0 {
					best = campaign.Likeness{Level: campaign.Same, Score: 100, Reasons: []campaign.Reason{{Code: itself, Value: m.MessageID, Weight: 1}}}
				}
				break
			}
			if l := p.Compare(&m.Mail); l.Score > best.Score {
				best, at = l, i
			}
		}
		if best.Level == "" || rankOfLevel(best.Level) > least {
			continue
		}
		if len(f.out.Mails) == maxSimilarMails {
			f.out.Over++
			continue
		}
		if id := idOf(m); id != "" {
			f.byID[id] = len(f.out.Mails)
		}
		f.add(m, best, at)
	}
	switch x := x.(type) {
	case *TraceIndex:
		if x.Record != nil {
			f.out.Places = append(f.out.Places, SimilarPlace{Trace: x.Record})
		}
	case *FolderIndex:
		f.out.Places = append(f.out.Places, SimilarPlace{Mails: x.Mails})
	case *StoreIndex:
		f.out.Places = append(f.out.Places, SimilarPlace{Mails: x.Mails})
		f.out.Compared = max(f.out.Compared, before+x.Mails) // those that were left out cannot be like it
	}
}

// itself says that a row of a trace is about the very mail.
const itself campaign.Code = "itself"

// itself reports whether a mail is the probe.
func (f *similarFinder) itself(i int, m *IndexedMail) bool {
	if m.SHA256 != "" {
		return m.SHA256 == f.hashes[i] && m.Part == f.out.Probes[i].Part
	}
	return m.MessageID != "" && m.MessageID == f.own[i].MessageID
}

// idOf is by what the rows of a mail are put together.
func idOf(m *IndexedMail) string {
	if m.Line == 0 {
		return ""
	}
	if m.NetworkID != "" {
		return m.NetworkID
	}
	return m.MessageID
}

func (f *similarFinder) add(m *IndexedMail, l campaign.Likeness, probe int) {
	out := SimilarMail{
		Schema: SimilarMailSchema, Level: l.Level, Score: l.Score, Probe: probe + 1, Reasons: []SimilarReason{},
		File: m.File, Index: m.Index, Line: m.Line, Part: m.Part, Time: timeOf(m.Time), From: strings.Clone(m.From), Name: strings.Clone(m.Name), MailFrom: strings.Clone(m.MailFrom),
		Subject: strings.Clone(m.Subject), Recipients: []SimilarDelivery{}, MessageID: strings.Clone(m.MessageID), NetworkID: guidOf(m.NetworkID),
	}
	if m.IP.IsValid() {
		out.IP = m.IP.String()
	}
	for _, r := range l.Reasons {
		out.Reasons = append(out.Reasons, SimilarReason{r.Code, r.Value, f.words.Render(lang.M("similar.reason."+string(r.Code), "value", r.Value))})
	}
	f.deliver(&out, m)
	f.out.Mails = append(f.out.Mails, out)
}

// deliver adds the recipients of a row.
func (f *similarFinder) deliver(out *SimilarMail, m *IndexedMail) {
	list := m.Outcomes
	if m.Line == 0 {
		list = nil
		for _, a := range m.Recipients {
			list = append(list, trace.Recipient{Address: a})
		}
	}
	for _, r := range list {
		i := slices.IndexFunc(out.Recipients, func(d SimilarDelivery) bool { return d.Address == r.Address })
		switch {
		case i >= 0 && (out.Recipients[i].Outcome == "" || r.Outcome != "" && outcomeRank(r.Outcome) < outcomeRank(out.Recipients[i].Outcome)):
			out.Recipients[i].Outcome = r.Outcome
		case i < 0 && len(out.Recipients) < maxDeliveries:
			out.Recipients = append(out.Recipients, SimilarDelivery{strings.Clone(r.Address), r.Outcome})
		}
	}
}

// guidOf lets through what is a GUID: it goes into commands.
func guidOf(s string) string {
	if len(s) != 36 {
		return ""
	}
	for i, c := range s {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && !strings.ContainsRune("0123456789abcdef", c) {
			return ""
		}
	}
	return s
}

func (f *similarFinder) finish() {
	slices.SortStableFunc(f.out.Mails, func(a, b SimilarMail) int {
		return cmp.Or(cmp.Compare(rankOfLevel(a.Level), rankOfLevel(b.Level)), cmp.Compare(b.Score, a.Score), compareTimes(a.Time, b.Time))
	})
	by := map[string]*SimilarRecipient{}
	counts := map[campaign.Level]int{}
	for i := range f.out.Mails {
		m := &f.out.Mails[i]
		counts[m.Level]++
		for _, d := range m.Recipients {
			r := by[d.Address]
			if r == nil {
				r = &SimilarRecipient{Address: d.Address, Level: m.Level, Outcome: d.Outcome}
				_, r.Own = f.deps.Facts.Owns(trace.DomainOf(d.Address))
				by[d.Address] = r
			}
			r.Mails++
			if outcomeRank(d.Outcome) < outcomeRank(r.Outcome) && d.Outcome != "" || r.Outcome == "" {
				r.Outcome = d.Outcome
			}
			if m.Time != nil && (r.First == nil || m.Time.Before(*r.First)) {
				r.First = m.Time
			}
		}
	}
	for _, l := range []campaign.Level{campaign.Same, campaign.Alike, campaign.SameSender} {
		if rankOfLevel(l) <= rankOfLevel(cmp.Or(f.in.Least, campaign.Alike)) {
			f.out.Counts = append(f.out.Counts, SimilarCount{l, counts[l]})
		}
	}
	for _, a := range slices.Sorted(maps.Keys(by)) {
		f.out.Recipients = append(f.out.Recipients, *by[a])
	}
	slices.SortStableFunc(f.out.Recipients, func(a, b SimilarRecipient) int {
		return cmp.Or(cmp.Compare(rankOfLevel(a.Level), rankOfLevel(b.Level)), cmp.Compare(outcomeRank(a.Outcome), outcomeRank(b.Outcome)), cmp.Compare(a.Address, b.Address))
	})
	f.searches()
}

func compareTimes(a, b *time.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(*b)
}

// searches writes the queries that find the mails again.
func (f *similarFinder) searches() {
	var ids []string
	first := time.Time{}
	last := time.Time{}
	for _, m := range f.out.Mails {
		if m.Level == campaign.SameSender {
			continue
		}
		if m.NetworkID != "" && !slices.Contains(ids, m.NetworkID) {
			ids = append(ids, m.NetworkID)
		}
		if m.Time != nil {
			first = earliest(first, *m.Time)
			if m.Time.After(last) {
				last = *m.Time
			}
		}
	}
	add := func(kind, command string, pairs ...any) {
		f.out.Searches = append(f.out.Searches, SimilarSearch{kind, f.words.Render(lang.M("similar.search."+kind, pairs...)), command})
	}
	if len(ids) > 0 {
		shown := ids[:min(len(ids), maxSearchIDs)]
		add("hunting", "EmailEvents\n| where NetworkMessageId in ('"+strings.Join(shown, "', '")+"')\n| project Timestamp, NetworkMessageId, RecipientEmailAddress, Subject, DeliveryLocation, ReportId", "n", len(shown), "of", len(ids))
		add("explorer", strings.Join(shown, ","), "n", len(shown), "of", len(ids))
	}
	for i, p := range f.out.Probes {
		var subjects []string
		for _, m := range f.out.Mails {
			if m.Probe == i+1 && m.Level != campaign.SameSender {
				subjects = append(subjects, m.Subject)
			}
		}
		q := contentQuery(p.Subject, subjects, first, last)
		if q == "" || i == 3 {
			break
		}
		name := fmt.Sprintf("similar-%s-%d", f.deps.Now().UTC().Format("20060102-1504"), i+1)
		add("compliance", fmt.Sprintf("New-ComplianceSearch -Name '%s' -ExchangeLocation All -ContentMatchQuery '%s'; Start-ComplianceSearch -Identity '%s'", name, q, name))
		add("purge", fmt.Sprintf("New-ComplianceSearchAction -SearchName '%s' -Purge -PurgeType SoftDelete", name))
	}
}

// contentQuery is a query in the language of eDiscovery (KQL). Only letters,
// digits and spaces of a subject get into it: an attacker wrote it, and a person
// will paste it into PowerShell. Of its words only those count that most of the
// mails like it have.
func contentQuery(subject string, others []string, first, last time.Time) string {
	have := map[string]int{}
	for _, o := range others {
		for word := range wordsOf(o) {
			have[word]++
		}
	}
	var b strings.Builder
	words := 0
	for word := range wordsOf(subject) {
		if have[word]*10 < len(others)*8 || strings.Contains(b.String(), word) {
			continue
		}
		if words++; words > 8 {
			break
		}
		if b.Len() > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(word)
	}
	if words < 2 && len([]rune(b.String())) < 6 {
		return "" // would find too much
	}
	q := "subject:(" + b.String() + ")"
	if !first.IsZero() {
		q += " AND received>=" + first.Format(time.DateOnly) + " AND received<=" + last.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	return q
}

// wordsOf yields the words of a subject that do not change from mail to mail, in
// lower case: AND, OR and NOT are operators.
func wordsOf(subject string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.FieldsFuncSeq(subject, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) }) {
			if strings.IndexFunc(word, unicode.IsDigit) >= 0 || len(word) < 2 {
				continue
			}
			if !yield(strings.ToLower(word)) {
				return
			}
		}
	}
}
