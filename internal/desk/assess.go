package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract"
	"github.com/sekisho/sekisho/extract/filetype"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/extract/text"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/impersonation"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth/dmarc"
)

// The kinds of finding that the desk makes itself.
const (
	InlineForward       finding.Kind = "mail.inline-forward"       // what is judged is quoted in another mail
	DisguisedAttachment finding.Kind = "mail.disguised-attachment" // a file that hides what it is
	DangerousAttachment finding.Kind = "mail.dangerous-attachment" // a file that opening it runs
	FilterVerdict       finding.Kind = "mail.filter-verdict"       // what Microsoft's own filter made of it
)

// assessment is everything that was found out about one message.
type assessment struct {
	*candidate

	path     *m365.Path
	stamps   *m365.Stamps
	auth     *m365.Authentication
	decision *m365.Decision

	verification *verification // our own; nil where DNS is off

	presumed string // domain taken for an own one, from this message or the one that carries it
	content  *extract.Content
	coverage *coverage // of the rules; nil if none were asked
	past     *past     // the history before the message; nil without
	sender   *SenderHistory
	body     *extract.Body
	forward  *text.Forward // a message handed on as text; nil if there is none
	links    []extract.Link
	files    []extract.Attachment

	findings []finding.Finding // kept
	applied  []Applied         // exceptions that set others aside
	needs    []finding.Need
	tally    tally
	row      row
	reason   lang.Message
}

// assess looks at one message. presumed is the domain that the message carrying
// it gave away as an own one.
func assess(ctx context.Context, c *candidate, b *budget.Budget, presumed string, deps JudgeDeps) *assessment {
	a := &assessment{candidate: c, presumed: presumed}
	a.readHeader(ctx, b, deps)
	a.readBody(b, deps)
	a.find(deps)
	a.recall(deps)
	a.applyRules(b, deps)
	a.except(deps)
	a.need(deps)
	a.tally.findings = a.findings
	a.tally.headerOnly = c.form == FormHeader
	a.tally.forward = a.forward != nil
	a.tally.budget = b.Exhausted()
	cut := cutOff(c.msg)
	a.tally.unread = cut
	for p := range c.msg.Parts() {
		for _, d := range p.Defects() {
			a.tally.budget = a.tally.budget || d.Code == eml.BudgetExhausted
			a.tally.unread = a.tally.unread || d.Lost()
		}
	}
	a.row, a.reason = decide(&a.tally)
	a.findings = a.tally.findings // now the worst first
	if cut && a.row.name == "unread" {
		a.reason = lang.M("judge.cut-off")
	}
	if m, ok := a.familiar(deps.Now().Location()); ok && a.row.verdict == Clean {
		a.reason = m
	}
	return a
}

func (a *assessment) readHeader(ctx context.Context, b *budget.Budget, deps JudgeDeps) {
	m := a.msg
	a.path = m365.NewPath(m.Header(), &deps.Facts)
	a.stamps = m365.ReadStamps(m, a.path)
	a.auth = m365.Authenticate(m, a.path)
	in := m365.Input{Message: m, Facts: &deps.Facts}
	if deps.Resolver != nil && a.form != FormHeader {
		a.verification = verify(ctx, m, deps.Resolver, deps.Facts, deps.Now(), a.handover.given(&deps.Facts), b)
		in.Verified = a.verification.verified()
	}
	if len(deps.Facts.Domains.Value()) == 0 {
		if p, ok := m365.PresumedDomain(m, a.auth, a.stamps, ""); ok {
			// The name goes into a command that a person will run.
			if n, err := domain.Parse(p.Domain); err == nil {
				a.presumed = string(n)
			}
		}
		if a.presumed != "" {
			in.Presumed = []string{a.presumed}
		}
	}
	a.decision = m365.DirectSend(in)
}

// givenAway returns the domain of whoever handed a mail on from inside the
// organisation: Exchange Online says that they signed in.
func (a *assessment) givenAway() string {
	if a.presumed != "" {
		return a.presumed
	}
	from := a.msg.From()
	if len(from) != 1 || !a.stamps.AuthAs.Is("Internal") || m365.IsConsumerDomain(from[0].Domain) {
		return ""
	}
	n, err := domain.Parse(from[0].Domain)
	if err != nil {
		return ""
	}
	return string(n)
}

func (a *assessment) readBody(b *budget.Budget, deps JudgeDeps) {
	content := extract.Read(a.msg, b)
	a.content = content
	a.body, a.links, a.files = content.Body, content.Links, content.Attachments
	if a.aside != nil {
		// The content of a winmail.dat is the content of the mail.
		inner := extract.Read(a.aside, b)
		a.links = append(a.links, inner.Links...)
		a.files = append(slices.DeleteFunc(a.files, func(f extract.Attachment) bool { return f.Type == filetype.TNEF }), inner.Attachments...)
		if a.body.Part == "" {
			a.body = inner.Body
		}
	}
	if t := a.body.Thread; t != nil && t.Forward != nil {
		a.forward = t.Forward
		if len(deps.Facts.Domains.Value()) == 0 {
			a.presumed = a.givenAway()
		}
	}
}

func (a *assessment) subject() finding.Subject {
	return finding.Subject{Type: "message", ID: a.msg.MessageID()}
}

// find collects the findings.
func (a *assessment) find(deps JudgeDeps) {
	a.findings = append(a.findings, m365.Findings(a.msg, a.decision)...)
	if f, ok := m365.AllowListFinding(a.msg, a.stamps); ok && a.decision.Verdict != m365.Internal && !a.stamps.AuthAs.Is("Internal") {
		a.findings = append(a.findings, f)
	}
	a.findings = append(a.findings, impersonation.Check(a.pretence(deps, a.msg.From(), a.headerPlace("From")))...)
	if a.forward != nil {
		a.findings = append(a.findings, a.forwarded(deps)...)
	}
	a.attachments()
	a.filter()
	a.bounces()
}

// headerPlace says where a span of a field of the message is.
func (a *assessment) headerPlace(name string) func(eml.Span) finding.Where {
	return func(s eml.Span) finding.Where {
		w := finding.Where{Part: a.part, Header: name, Offset: s.Offset, Length: s.Length}
		for _, f := range a.msg.Header().All(name) {
			if v := f.Span(); s.Offset >= v.Offset && s.End() <= v.End() {
				w.Index = f.Index()
			}
		}
		return w
	}
}

// pretence is what the check for impersonation looks at, for the given
// authors.
func (a *assessment) pretence(deps JudgeDeps, from []eml.Address, place func(eml.Span) finding.Where) impersonation.Input {
	in := impersonation.Input{
		Part: a.part, Message: a.msg, From: from, FromWhere: place, ReplyTo: a.msg.Addresses("Reply-To"),
		Own: deps.Facts.Domains.Value(), Facts: deps.Facts, Brands: deps.brands, FreeMail: lists.FreeMail().Has, Subject: a.subject(),
	}
	if a.presumed != "" {
		in.Own = []string{a.presumed}
	}
	in.Forged = a.decision.Verdict.IsSpoof()
	_, in.MailFrom = cutAddress(a.decision.MailFrom)
	if len(from) > 0 {
		in.Aligned, in.AuthFailed = a.authenticated(from[0].Domain)
	}
	for i := range a.links {
		l := &a.links[i]
		il := impersonation.Link{URL: l.URL, Host: l.Target.Host, Actual: l.Target.Hostname(), Visible: l.Visible, Where: l.Where()}
		il.Shown = shownHost(l)
		in.Links = append(in.Links, il)
	}
	return in
}

// shownHost returns the host that a link pretends to lead to, if that is
// another than the one it leads to.
func shownHost(l *extract.Link) domain.Name {
	shown := ""
	if d, ok := l.Deceptive(); ok {
		shown = d.Shown
	} else if l.Target.Odd(link.HasUser) {
		// https://login.contoso.example@evil.test/: what looks like the host is
		// a user name.
		shown, _, _ = strings.Cut(l.Target.User, ":")
		if !strings.Contains(shown, ".") {
			return ""
		}
	}
	n, err := domain.Parse(shown)
	if err != nil || domain.Organizational(n) == l.Target.Organizational() {
		return ""
	}
	return n
}

// authenticated reports whether the From domain is known to be authenticated,
// and whether it is known not to be.
func (a *assessment) authenticated(from string) (aligned, failed bool) {
	if v := a.verification; v != nil && v.report.DMARC.Status == dmarc.StatusPass {
		return true, false
	}
	_, dkim := a.auth.AlignedDKIM(from)
	aligned = a.auth.DMARC.Passed() || dkim || a.auth.SPF.Passed() && m365.Aligned(a.auth.SPF.Domain, from)
	if !aligned && !a.path.Exported && a.auth.DMARC.Result == "pass" {
		aligned = true // another receiver's word: good enough to explain a tracked link
	}
	failed = !aligned && (a.auth.DMARC.Trusted && a.auth.DMARC.Result == "fail" || a.auth.CompAuth.Trusted && a.auth.CompAuth.Result == "fail")
	return aligned, failed
}

// forwarded judges a message that was handed on as text by what the text says
// of it.
func (a *assessment) forwarded(deps JudgeDeps) []finding.Finding {
	quotes := append([]text.Quote{a.forward.Quote}, a.forward.Nested...)
	var from []eml.Address
	var evidence []finding.Evidence
	for _, q := range quotes {
		for _, f := range q.Header {
			s := f.Value.Span(0, len(f.Value.Text))
			if f.Name == text.From {
				addr := eml.Address{Name: q.From.Name, Span: s, NameSpan: s}
				addr.Local, addr.Domain = cutAddress(strings.ToLower(q.From.Addr))
				from = append(from, addr)
			}
			if f.Name == text.From || f.Name == text.Subject {
				evidence = append(evidence, finding.Evidence{Where: a.bodyPlace(s), Quote: f.Value.Text})
			}
		}
	}
	out := impersonation.Check(a.pretenceOfForward(deps, from))
	named := lang.M("judge.inline-forward.unknown")
	if inner := a.forward.Innermost(); inner.From.Addr != "" || inner.From.Name != "" {
		named = lang.Literal(strings.TrimSpace(inner.From.Name + " <" + inner.From.Addr + ">"))
	}
	return append(out, finding.Finding{
		Kind: InlineForward, Severity: finding.Info, Title: lang.M("judge.inline-forward", "from", named),
		Subject: a.subject(), Evidence: evidence,
		Actions: []finding.Action{{Message: lang.M("judge.do.original"), Audience: finding.Admin, Within: finding.Today}},
		Rule:    finding.Rule{ID: "sekisho/inline-forward", Name: "inline-forward", Source: "sekisho"},
	})
}

// pretenceOfForward leaves out what was found about the mail that carries the
// forward: its links were checked once.
func (a *assessment) pretenceOfForward(deps JudgeDeps, from []eml.Address) impersonation.Input {
	in := a.pretence(deps, from, a.bodyPlace)
	in.Links, in.ReplyTo = nil, nil
	in.Aligned, in.AuthFailed = false, false
	return in
}

func (a *assessment) bodyPlace(s eml.Span) finding.Where {
	return finding.Where{Part: a.body.Part, Offset: s.Offset, Length: s.Length}
}

// attachments finds files that are not what they say, and programs.
func (a *assessment) attachments() {
	for _, f := range a.files {
		var kind finding.Kind
		var title lang.Message
		switch {
		case disguised(f):
			kind, title = DisguisedAttachment, lang.M("judge.disguised-attachment", "name", f.Name, "found", string(f.Type))
		case slices.Contains(f.Flags, filetype.Dangerous):
			kind, title = DangerousAttachment, lang.M("judge.dangerous-attachment", "name", f.Name, "found", string(f.Type))
		default:
			continue
		}
		a.findings = append(a.findings, finding.Finding{
			Kind: kind, Severity: finding.Medium, Title: title, Subject: a.subject(),
			Evidence: []finding.Evidence{{Where: finding.Where{Part: f.Part}, Quote: f.Name + " (" + string(f.Type) + ", sha256 " + f.SHA256 + ")"}},
			Actions: []finding.Action{
				{Message: lang.M("judge.do.attachment"), Audience: finding.Staff, Within: finding.Today},
			},
			Rule: finding.Rule{ID: finding.RuleID("sekisho/" + strings.TrimPrefix(string(kind), "mail.")), Name: strings.TrimPrefix(string(kind), "mail."), Source: "sekisho"},
		})
	}
}

// disguised reports whether the name of a file is made to mislead: it hides
// what opening the file does.
func disguised(f extract.Attachment) bool {
	has := func(flag filetype.Flag) bool { return slices.Contains(f.Flags, flag) }
	if has(filetype.Reversed) || has(filetype.Padded) || has(filetype.DoubleExtension) {
		return true
	}
	// A picture that is another kind of picture is a slip, and so is a script in
	// another language; a document that is a page or a program is none.
	if !has(filetype.WrongExtension) || !poses(filetype.Extension(f.Name)) {
		return false
	}
	switch f.Type.Class() {
	case filetype.Executable, filetype.Script, filetype.Disk:
		return true
	default:
		return f.Type == filetype.HTML
	}
}

// poses reports whether files with that extension are opened without a second
// thought.
func poses(ext string) bool {
	everyday := []filetype.Class{filetype.Document, filetype.Image, filetype.Audio, filetype.Video, filetype.Archive, filetype.Mail}
	for _, t := range filetype.Types() {
		if slices.Contains(t.Extensions(), ext) && slices.Contains(everyday, t.Class()) {
			return t != filetype.Text
		}
	}
	return false
}

// filter reads what Microsoft's own filter made of the message.
func (a *assessment) filter() {
	switch strings.ToUpper(a.stamps.CAT.Text) {
	case "PHSH", "HPHSH", "HPHISH", "MALW", "AMP", "BIMP", "DIMP", "GIMP", "UIMP":
		a.tally.filterPhish = true
		f := a.stamps.CAT.Field
		s := a.stamps.CAT.Span
		a.findings = append(a.findings, finding.Finding{
			Kind: FilterVerdict, Severity: finding.Info, Title: lang.M("judge.filter.phish", "category", a.stamps.CAT.Text),
			Subject:  a.subject(),
			Evidence: []finding.Evidence{{Where: finding.Where{Part: a.part, Header: f.Name(), Index: f.Index(), Offset: s.Offset, Length: s.Length}, Quote: a.msg.Quote(s)}},
			Rule:     finding.Rule{ID: "sekisho/filter-verdict", Name: "filter-verdict", Source: "sekisho"},
		})
	case "SPM", "HSPM", "OSPM", "BULK":
		a.tally.filterSpam = true
	}
	if scl, ok := a.stamps.SCL.Int(); ok && scl >= 5 {
		a.tally.filterSpam = true
	}
	if strings.EqualFold(a.stamps.SFV.Text, "SPM") {
		a.tally.filterSpam = true
	}
}

// claim is what exceptions look at, but for the kind of finding.
func (a *assessment) claim() Claim {
	claim := Claim{IP: a.decision.ClientIP}
	if from := a.decision.From; from.Domain != "" {
		claim.From = from.Addr()
	}
	for _, d := range a.auth.DKIM {
		if d.Passed() {
			claim.DKIM = append(claim.DKIM, d.Domain)
		}
	}
	return claim
}

// except sets aside the findings that an exception in force covers.
func (a *assessment) except(deps JudgeDeps) {
	claim := a.claim()
	now := deps.Now()
	a.findings = slices.DeleteFunc(a.findings, func(f finding.Finding) bool {
		claim.Kind = f.Kind
		for _, e := range deps.Exceptions {
			if e.Active(now) && e.Matches(claim) {
				a.applied = append(a.applied, Applied{ID: e.ID, Kind: f.Kind, Owner: e.Owner, Reason: e.Reason, Expires: e.Expires.Format(time.DateOnly)})
				return true
			}
		}
		return false
	})
}

// need lists what was not looked at.
func (a *assessment) need(deps JudgeDeps) {
	add := func(capability string) {
		a.needs = append(a.needs, finding.Need{Capability: capability, Detail: lang.M("judge.need." + capability), Cause: finding.NotConfigured})
	}
	if len(deps.Facts.Domains.Value()) == 0 {
		add("organisation")
	}
	if a.forward != nil {
		add("header")
	}
	if a.form == FormHeader {
		add("body")
	}
	if deps.rules == nil {
		add("rules")
	}
	switch {
	case deps.History == nil:
		add("history")
	case a.past != nil && !a.past.view.Full():
		a.needs = append(a.needs, finding.Need{Capability: "history", Detail: lang.M("judge.need.history-reach"), Cause: finding.NotConfigured})
	case a.past != nil && !a.past.sent:
		a.needs = append(a.needs, finding.Need{Capability: "history", Detail: lang.M("judge.need.history-sent"), Cause: finding.NotConfigured})
	}
	switch {
	case deps.Resolver == nil:
		add("dns")
	case a.verification != nil && a.verification.late:
		a.needs = append(a.needs, finding.Need{Capability: "dns", Detail: lang.M("judge.need.dns-ended"), Cause: finding.Failed})
	}
	if len(a.links) > 0 {
		add("http")
	}
	a.needs = append(a.needs, a.inside()...)
}
