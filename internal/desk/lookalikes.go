package desk

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/domain/lookalike"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// LookalikesSchema names the record of [Lookalikes].
const LookalikesSchema = "sekisho.lookalikes/v1"

// Bounds on one run of [Lookalikes].
const (
	maxLookalikeDomains  = 50
	maxLookalikes        = 20_000 // candidates of one domain
	lookalikeWorkers     = 24
	DefaultDNSQuestions  = 5_000 // of one run, where the user does not say
	suggestRegistrations = 5
)

// LookalikesInput says whose look-alikes to look for.
type LookalikesInput struct {
	Domains   []string // as the user wrote them; empty means the organisation's
	Own       []string // names that the organisation holds beside its accepted domains
	Max       int      // candidates of each domain; 0 is [lookalike.DefaultMax]
	Questions int      // DNS questions in all; 0 is [DefaultDNSQuestions]
	All       bool     // list also those that nobody has registered
}

// LookalikesDeps is what [Lookalikes] needs from outside.
type LookalikesDeps struct {
	Resolver resolve.Resolver // nil asks nothing: candidates alone
	Facts    org.Facts
	Words    *lang.Catalogue       // nil: the built-in one
	Now      func() time.Time      // nil: the system's clock
	Progress func(done, total int) // may be nil; called by one goroutine at a time
}

// LookalikeState says whether a name is registered.
type LookalikeState string

// The states.
const (
	LookalikeRegistered LookalikeState = "registered" // it is delegated, or has records
	LookalikeFree       LookalikeState = "free"       // DNS knows no such name
	LookalikeUnknown    LookalikeState = "unknown"    // DNS did not answer
	LookalikeNotAsked   LookalikeState = "not-asked"  // offline, or over the limit of questions
)

// LookalikesReport is what is known of the names like one domain.
type LookalikesReport struct {
	Schema     string          `json:"schema"`
	Domain     string          `json:"domain"`
	Checked    *time.Time      `json:"checked,omitempty"` // nil where DNS was not asked
	Candidates int             `json:"candidates"`
	Registered int             `json:"registered"`
	Mail       int             `json:"mail"` // registered by others and able to receive mail
	Free       int             `json:"free"`
	Unknown    int             `json:"unknown"`
	NotAsked   int             `json:"not_asked"`
	Summary    lang.Text       `json:"summary"`
	Lookalikes []LookalikeView `json:"lookalikes"`
	Advice     []Action        `json:"advice"`
	NotChecked []Unchecked     `json:"not_checked"`
}

// LookalikeView is one name that could be taken for the domain.
type LookalikeView struct {
	Name      string           `json:"name"`
	Unicode   string           `json:"unicode,omitempty"` // where it differs
	Way       string           `json:"way"`
	Reason    lang.Text        `json:"reason"`
	Weight    int              `json:"weight"`
	State     LookalikeState   `json:"state"`
	Severity  finding.Severity `json:"severity"`
	Ours      bool             `json:"ours"` // its mail or its name servers are the organisation's
	Receives  string           `json:"receives,omitempty"`
	Sends     string           `json:"sends,omitempty"`
	NS        []string         `json:"ns,omitempty"`
	MX        []string         `json:"mx,omitempty"`
	Addresses []string         `json:"addresses,omitempty"`
	SPF       string           `json:"spf,omitempty"`
	DMARC     string           `json:"dmarc,omitempty"`
	Meaning   lang.Text        `json:"meaning"`
	Note      lang.Text        `json:"note,omitzero"` // what it has in common with the organisation
	Actions   []Action         `json:"actions"`
}

// Lookalikes makes the names that could be taken for a domain and asks DNS
// which of them exist and what mail they are set up for. What DNS did not tell
// is counted as unknown and never as free. A name that is registered without
// being delegated cannot be seen this way.
//
// The error is an [Error] of kind [Invalid] for a name that is none and where
// there is no domain at all, and that of ctx.
func Lookalikes(ctx context.Context, in LookalikesInput, deps LookalikesDeps) ([]*LookalikesReport, error) {
	if deps.Words == nil {
		deps.Words = lang.Default()
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	targets, own, err := lookalikeTargets(in, &deps.Facts)
	if err != nil {
		return nil, err
	}
	l := &lookalikeRun{renderer: renderer{words: deps.Words, now: deps.Now()}, own: own, all: in.All}
	if deps.Resolver != nil {
		l.resolver = resolve.NewLimit(deps.Resolver, cmp.Or(max(in.Questions, 0), DefaultDNSQuestions))
	}
	lists := make([][]lookalike.Candidate, len(targets))
	total := 0
	for i, t := range targets {
		lists[i] = lookalike.Candidates(t, &lookalike.Options{Max: min(max(in.Max, 0), maxLookalikes), Except: own})
		total += len(lists[i])
	}
	out := make([]*LookalikesReport, 0, len(targets))
	done := 0
	for i, t := range targets {
		rep, err := l.report(ctx, t, lists[i], func() {
			if done++; deps.Progress != nil {
				deps.Progress(done, total)
			}
		})
		if err != nil {
			return out, err
		}
		out = append(out, rep)
	}
	return out, nil
}

// lookalikeTargets returns the domains to imitate and all that are the
// organisation's own.
func lookalikeTargets(in LookalikesInput, facts *org.Facts) (targets, own []domain.Name, err error) {
	parse := func(s string) (domain.Name, error) {
		n, err := domain.Parse(strings.TrimSpace(s))
		if err != nil || domain.SLD(n) == "" {
			return "", &Error{Kind: Invalid, Message: lang.M("lookalike.error.name", "name", s), Hint: lang.M("lookalike.hint.name"), Err: err}
		}
		return n, nil
	}
	for _, s := range append(slices.Clone(facts.Domains.Value()), in.Own...) {
		n, err := parse(s)
		if err != nil {
			return nil, nil, err
		}
		own = append(own, n)
	}
	names := in.Domains
	if len(names) == 0 {
		for _, s := range facts.Domains.Value() {
			// Every tenant has such a name, and nobody writes it on a card.
			if !strings.HasSuffix(s, ".onmicrosoft.com") {
				names = append(names, s)
			}
		}
	}
	if len(names) == 0 {
		return nil, nil, &Error{Kind: Invalid, Message: lang.M("lookalike.error.none"), Hint: lang.M("lookalike.hint.none")}
	}
	if len(names) > maxLookalikeDomains {
		return nil, nil, &Error{Kind: Limit, Message: lang.M("lookalike.error.many", "n", len(names), "max", maxLookalikeDomains), Hint: lang.M("lookalike.hint.many")}
	}
	seen := map[domain.Name]bool{}
	for _, s := range names {
		n, err := parse(s)
		if err != nil {
			return nil, nil, err
		}
		own = append(own, domain.Organizational(n))
		if reg := domain.Organizational(n); !seen[reg] {
			seen[reg] = true
			targets = append(targets, n)
		}
	}
	return targets, own, nil
}

// lookalikeRun is one run.
type lookalikeRun struct {
	renderer
	resolver *resolve.Limit // nil asks nothing
	own      []domain.Name
	all      bool
	mx, ns   []string // of the target, sorted
}

// registration is what DNS says of a candidate.
type registration struct {
	state          LookalikeState
	ns, mx         []string
	addresses      []string
	spf, dmarc     string
	nullMX, silent bool // it says that it receives, that it sends no mail
	partly         bool // some of the questions were not answered
}

func (l *lookalikeRun) report(ctx context.Context, target domain.Name, list []lookalike.Candidate, step func()) (*LookalikesReport, error) {
	out := &LookalikesReport{
		Schema: LookalikesSchema, Domain: string(domain.Organizational(target)), Candidates: len(list),
		Lookalikes: []LookalikeView{}, Advice: []Action{}, NotChecked: []Unchecked{},
	}
	found := make([]registration, len(list))
	if l.resolver == nil {
		for i := range found {
			found[i].state = LookalikeNotAsked
		}
		out.NotChecked = append(out.NotChecked, Unchecked{Capability: "dns", Cause: finding.NotConfigured, Text: l.words.Render(lang.M("lookalike.need.dns"))})
	} else {
		out.Checked = timeOf(l.now)
		if err := l.lookup(ctx, domain.Organizational(target), list, found, step); err != nil {
			return nil, err
		}
	}
	var free []string
	for i := range list {
		v := l.view(&list[i], &found[i])
		switch v.State {
		case LookalikeRegistered:
			out.Registered++
			if !v.Ours && v.Receives == "yes" {
				out.Mail++
			}
		case LookalikeFree:
			out.Free++
			if len(free) < suggestRegistrations {
				free = append(free, v.Name)
			}
		case LookalikeUnknown:
			out.Unknown++
		case LookalikeNotAsked:
			out.NotAsked++
		}
		if v.State == LookalikeRegistered || v.State == LookalikeUnknown || l.all || l.resolver == nil {
			out.Lookalikes = append(out.Lookalikes, v)
		}
	}
	slices.SortStableFunc(out.Lookalikes, func(a, b LookalikeView) int {
		return cmp.Or(cmp.Compare(stateOrder(a.State), stateOrder(b.State)), cmp.Compare(b.Severity, a.Severity), cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Name, b.Name))
	})
	if l.resolver != nil && out.NotAsked > 0 {
		out.NotChecked = append(out.NotChecked, Unchecked{Capability: "dns", Cause: finding.Budget, Text: l.words.Render(lang.M("lookalike.need.questions", "n", out.NotAsked))})
	}
	if l.resolver != nil && out.Unknown > 0 {
		out.NotChecked = append(out.NotChecked, Unchecked{Capability: "dns", Cause: finding.Failed, Text: l.words.Render(lang.M("lookalike.need.unknown", "n", out.Unknown))})
	}
	l.advise(out, free)
	return out, nil
}

func stateOrder(s LookalikeState) int {
	return slices.Index([]LookalikeState{LookalikeRegistered, LookalikeUnknown, LookalikeFree, LookalikeNotAsked}, s)
}

// advise sums up and says what to do about all of them together.
func (l *lookalikeRun) advise(out *LookalikesReport, free []string) {
	summary := lang.M("lookalike.summary", "domain", out.Domain, "n", out.Registered, "all", out.Candidates, "mail", out.Mail)
	if l.resolver == nil {
		summary = lang.M("lookalike.summary.offline", "domain", out.Domain, "n", out.Candidates)
	}
	out.Summary = l.words.Render(summary)
	add := func(m lang.Message, within finding.Within, commands ...string) {
		out.Advice = append(out.Advice, Action{Text: l.words.Render(m), Audience: finding.Admin, Within: within, Due: l.due(within), Commands: commands})
	}
	var block []string
	for _, v := range out.Lookalikes {
		if v.State == LookalikeRegistered && !v.Ours && v.Severity >= finding.Medium && len(block) < 20 {
			block = append(block, `"`+v.Name+`"`) // a name holds no quotation mark
		}
	}
	if len(block) > 0 {
		add(lang.M("lookalike.do.block"), finding.Week, "New-TenantAllowBlockListItems -ListType Sender -Block -NoExpiration -Entries "+strings.Join(block, ","))
		add(lang.M("lookalike.do.own"), finding.Week)
	}
	if l.resolver != nil {
		add(lang.M("lookalike.do.watch"), finding.Month, "sekisho domain lookalikes "+out.Domain)
	}
	if len(free) > 0 {
		add(lang.M("lookalike.do.register", "names", free), finding.None)
	}
}

// lookup asks DNS about all candidates.
func (l *lookalikeRun) lookup(ctx context.Context, target domain.Name, list []lookalike.Candidate, found []registration, step func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var err error
	if l.mx, l.ns, err = l.ours(ctx, target); err != nil {
		return err
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	jobs := make(chan int)
	for range min(lookalikeWorkers, max(len(list), 1)) {
		wait.Go(func() {
			for i := range jobs {
				r, e := l.ask(ctx, string(list[i].Name))
				mu.Lock()
				if found[i] = r; e != nil && err == nil {
					err = e
					cancel()
				}
				step()
				mu.Unlock()
			}
		})
	}
	for i := range list {
		select {
		case jobs <- i: // the most likely ones get the questions that there are
		case <-ctx.Done():
		}
	}
	close(jobs)
	wait.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// ours returns the mail and name servers of the target.
func (l *lookalikeRun) ours(ctx context.Context, target domain.Name) (mx, ns []string, err error) {
	for _, q := range []struct {
		t  resolve.Type
		to *[]string
	}{{resolve.TypeMX, &mx}, {resolve.TypeNS, &ns}} {
		a, err := l.resolver.Lookup(ctx, string(target), q.t)
		if err != nil {
			return nil, nil, err
		}
		*q.to = slices.Sorted(slices.Values(a.Hosts()))
	}
	return mx, ns, nil
}

// ask asks about one candidate: first whether it exists, which for nearly all
// of them is the only question.
func (l *lookalikeRun) ask(ctx context.Context, name string) (registration, error) {
	r := registration{state: LookalikeUnknown}
	a, err := l.resolver.Lookup(ctx, name, resolve.TypeNS)
	switch {
	case err != nil:
		return r, err
	case a.RCode == resolve.NotAsked:
		r.state = LookalikeNotAsked
		return r, nil
	case a.NXDomain():
		r.state = LookalikeFree
		return r, nil
	case a.Temporary() || a.RCode == resolve.FormErr:
		return r, nil
	}
	r.ns = slices.Sorted(slices.Values(a.Hosts()))
	mx, err := l.resolver.Lookup(ctx, name, resolve.TypeMX)
	if err != nil {
		return r, err
	}
	addr, err := l.resolver.Lookup(ctx, name, resolve.TypeA)
	if err == nil && addr.NoData() {
		addr, err = l.resolver.Lookup(ctx, name, resolve.TypeAAAA)
	}
	if err != nil {
		return r, err
	}
	r.partly = mx.Temporary() || addr.Temporary()
	r.mx = slices.Sorted(slices.Values(mx.Hosts()))
	for _, ip := range addr.Addrs() {
		r.addresses = append(r.addresses, ip.String())
	}
	slices.Sort(r.addresses)
	if len(r.mx) == 1 && r.mx[0] == resolve.Root {
		r.mx, r.nullMX = nil, true
	}
	if len(r.ns) == 0 && len(r.mx) == 0 && len(r.addresses) == 0 && !r.nullMX {
		// It exists as a part of other names, and nobody holds it.
		if r.state = LookalikeFree; r.partly {
			r.state = LookalikeUnknown
		}
		return r, nil
	}
	r.state = LookalikeRegistered
	if r.spf, err = l.text(ctx, name, "v=spf1"); err != nil {
		return r, err
	}
	if r.dmarc, err = l.text(ctx, "_dmarc."+name, "v=DMARC1"); err != nil {
		return r, err
	}
	r.silent = strings.EqualFold(strings.Join(strings.Fields(r.spf), " "), "v=spf1 -all")
	return r, nil
}

// text returns the TXT record that begins with a version, empty for none.
func (l *lookalikeRun) text(ctx context.Context, name, version string) (string, error) {
	a, err := l.resolver.Lookup(ctx, name, resolve.TypeTXT)
	if err != nil {
		return "", err
	}
	for _, t := range a.Texts() {
		if rest, ok := cutFold(t, version); ok && (rest == "" || rest[0] == ' ' || rest[0] == ';') {
			return t[:min(len(t), 500)], nil
		}
	}
	return "", nil
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// view judges one candidate.
func (l *lookalikeRun) view(c *lookalike.Candidate, r *registration) LookalikeView {
	v := LookalikeView{
		Name: string(c.Name), Way: string(c.Way), Weight: c.Weight, State: r.state, NS: r.ns, MX: r.mx, Addresses: r.addresses,
		SPF: r.spf, DMARC: r.dmarc, Actions: []Action{},
		Reason: l.words.Render(lang.M("lookalike.way."+string(c.Way), "piece", c.Piece, "instead", c.Instead)),
	}
	if u := c.Name.Unicode(); u != v.Name {
		v.Unicode = u
	}
	meaning := "lookalike.meaning." + string(r.state)
	if r.state == LookalikeRegistered {
		meaning = l.judge(&v, c, r)
		l.whatToDo(&v)
	}
	v.Meaning = l.words.Render(lang.M(meaning))
	return v
}

// judge weighs what a registered name is set up for.
func (l *lookalikeRun) judge(v *LookalikeView, c *lookalike.Candidate, r *registration) (meaning string) {
	v.Receives, v.Sends = "no", "possible"
	switch {
	case len(r.mx) > 0:
		v.Receives = "yes"
	case r.partly:
		v.Receives = "unknown"
	case len(r.addresses) > 0 && !r.nullMX:
		v.Receives = "possible" // RFC 5321 section 5.1: the address stands in for a missing MX
	}
	switch {
	case r.silent:
		v.Sends = "no"
	case r.spf != "":
		v.Sends = "yes"
	}
	likely := c.Weight >= 60
	if l.belongs(v, r) {
		v.Ours = true
		return "lookalike.meaning.ours"
	}
	switch {
	case v.Receives == "yes" && v.Sends != "no":
		if v.Severity = finding.Medium; likely {
			v.Severity = finding.High
		}
		return "lookalike.meaning.mail"
	case v.Receives == "yes":
		v.Severity = finding.Medium
		return "lookalike.meaning.inbox"
	case v.Sends == "yes":
		v.Severity = finding.Medium
		return "lookalike.meaning.sender"
	case len(r.addresses) > 0:
		if v.Severity = finding.Low; likely {
			v.Severity = finding.Medium
		}
		return "lookalike.meaning.web"
	}
	v.Severity = finding.Low
	return "lookalike.meaning.parked"
}

// belongs reports whether the name is the organisation's: its mail comes to the
// organisation, or the organisation's name servers answer for it. Servers of a
// provider that both use prove nothing and are only noted.
func (l *lookalikeRun) belongs(v *LookalikeView, r *registration) bool {
	inside := func(host string) bool {
		return slices.ContainsFunc(l.own, domain.Name(host).IsSubdomainOf)
	}
	for _, h := range r.mx {
		if inside(h) || slices.Contains(l.mx, h) && l.namedAfterUs(h) {
			v.Note = l.words.Render(lang.M("lookalike.note.mx", "host", h))
			return true
		}
	}
	for _, h := range r.ns {
		if inside(h) {
			v.Note = l.words.Render(lang.M("lookalike.note.ns", "host", h))
			return true
		}
	}
	switch {
	case len(r.mx) > 0 && slices.Equal(r.mx, l.mx):
		v.Note = l.words.Render(lang.M("lookalike.note.same-mx"))
	case len(r.ns) > 0 && slices.Equal(r.ns, l.ns):
		v.Note = l.words.Render(lang.M("lookalike.note.same-ns"))
	}
	return false
}

// namedAfterUs reports whether a host carries one of the organisation's domains
// in its first label, as the inbound hosts of Exchange Online do. Such a host
// takes mail for that tenant alone.
func (l *lookalikeRun) namedAfterUs(host string) bool {
	first, _, _ := strings.Cut(host, ".")
	for _, o := range l.own {
		if first == strings.ReplaceAll(string(o), ".", "-") {
			return true
		}
	}
	return false
}

// whatToDo says what to do about one name.
func (l *lookalikeRun) whatToDo(v *LookalikeView) {
	add := func(m lang.Message, within finding.Within, commands ...string) {
		v.Actions = append(v.Actions, Action{Text: l.words.Render(m), Audience: finding.Admin, Within: within, Due: l.due(within), Commands: commands})
	}
	if v.Ours {
		add(lang.M("lookalike.do.ours"), finding.None)
		return
	}
	if v.Severity >= finding.Medium {
		add(lang.M("lookalike.do.block-one"), finding.Week, `New-TenantAllowBlockListItems -ListType Sender -Block -NoExpiration -Entries "`+v.Name+`"`)
		if v.Name == "jp" || strings.HasSuffix(v.Name, ".jp") {
			add(lang.M("lookalike.do.report-jp", "name", v.Name), finding.Month)
		} else {
			add(lang.M("lookalike.do.report", "name", v.Name), finding.Month)
		}
		return
	}
	add(lang.M("lookalike.do.watch-one"), finding.Month)
}
