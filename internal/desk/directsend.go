package desk

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/m365/trace"
	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/org"
	"github.com/sekisho/sekisho/resolve"
)

// The schemas of the records about Direct Send, in docs/schema.
const (
	ImpactSchema       = "sekisho.direct-send-impact/v1"
	ImpactSourceSchema = "sekisho.direct-send-source/v1"
)

// ImpactDeps is what [DirectSendImpact] needs from outside.
type ImpactDeps struct {
	Facts    org.Facts
	Resolver resolve.Resolver // nil asks nothing
	Words    *lang.Catalogue  // nil: the built-in one
	Now      func() time.Time
}

// ImpactAnswer is whether RejectDirectSend can be turned on.
type ImpactAnswer string

// The answers.
const (
	ImpactReady      ImpactAnswer = "ready"       // nothing that is ours, or may be, would be stopped
	ImpactPrepare    ImpactAnswer = "prepare"     // sources of ours would be stopped
	ImpactAsk        ImpactAnswer = "ask"         // sources would be stopped of which nobody knows whose they are
	ImpactCannotTell ImpactAnswer = "cannot-tell" // the exports do not tell enough
)

// ImpactReport is what turning RejectDirectSend on would stop.
type ImpactReport struct {
	Schema    string            `json:"schema"`
	AsOf      time.Time         `json:"as_of"`
	Answer    ImpactAnswer      `json:"answer"`
	Sentence  lang.Text         `json:"sentence"`
	On        *bool             `json:"reject_direct_send,omitempty"` // as configured
	Domains   []string          `json:"domains"`
	Files     []TraceFileRecord `json:"files"`
	From      *time.Time        `json:"from,omitempty"`
	Until     *time.Time        `json:"until,omitempty"`
	Messages  int               `json:"messages"`
	SignedIn  int               `json:"signed_in"` // in an own name, by somebody who signed in
	Foreign   int               `json:"foreign"`   // in the name of others
	Over      int               `json:"over"`      // of sources beyond those that are told apart
	Counts    []ImpactCount     `json:"counts"`
	Sources   []ImpactSource    `json:"sources"`
	Steps     []ImpactStep      `json:"steps"`   // to turn it on
	Caveats   []lang.Text       `json:"caveats"` // what no trace shows
	Unchecked []lang.Text       `json:"unchecked"`
}

// ImpactCount is how much has an effect.
type ImpactCount struct {
	Effect   trace.Effect `json:"effect"`
	Messages int          `json:"messages"`
	Sources  int          `json:"sources"`
}

// ImpactSource is where mail in an own name came from.
type ImpactSource struct {
	Schema     string         `json:"schema"`
	Source     string         `json:"source"` // an address, or for IPv6 a /64; empty where the export has none
	Effect     trace.Effect   `json:"effect"`
	Doubts     []ImpactDoubt  `json:"doubts"`
	Kind       trace.Kind     `json:"kind"`
	Care       trace.Care     `json:"care"`
	Reason     lang.Text      `json:"reason"` // for the kind
	Service    string         `json:"service,omitempty"`
	Host       string         `json:"host,omitempty"` // name of the address, confirmed
	Called     []string       `json:"called"`         // names that it gave itself, or the export has, unproven
	SPF        string         `json:"spf,omitempty"`  // of today, for the domain of its MAIL FROM; absent where it was not asked
	Connector  string         `json:"connector,omitempty"`
	Messages   int            `json:"messages"`
	Deliveries int            `json:"deliveries"`
	Recipients int            `json:"recipients"`
	Self       int            `json:"to_themselves"` // mails to their own sender
	Held       int            `json:"held"`          // deliveries that a filter kept from the inbox
	Delivered  int            `json:"delivered"`
	Failing    int            `json:"failing_authentication"`
	Null       int            `json:"null_sender"`
	First      *time.Time     `json:"first,omitempty"`
	Last       *time.Time     `json:"last,omitempty"`
	Senders    []ImpactSender `json:"senders"` // MAIL FROM, or what the export calls the sender
	Authors    []ImpactSender `json:"authors"` // From, where it differs
	Subjects   []string       `json:"subjects"`
	Advice     []ImpactStep   `json:"advice"`
}

// ImpactDoubt is why an effect is not certain.
type ImpactDoubt struct {
	Code trace.Doubt `json:"code"`
	Text lang.Text   `json:"text"`
}

// ImpactSender is an address that a source sent as.
type ImpactSender struct {
	Address  string     `json:"address"`
	Messages int        `json:"messages"`
	First    *time.Time `json:"first,omitempty"`
	Last     *time.Time `json:"last,omitempty"`
}

// ImpactStep is something to do, with the command if there is one.
type ImpactStep struct {
	Text    lang.Text `json:"text"`
	Command string    `json:"command,omitempty"`
}

// Bounds of what is asked and listed.
const (
	maxAskedSources   = 200
	maxImpactSources  = 5000
	maxImpactSenders  = 50
	shortTrace        = 30 * 24 * time.Hour
	impactQuestioners = 8
)

// DirectSendImpact says what turning RejectDirectSend on would stop, by what
// message traces show.
func DirectSendImpact(ctx context.Context, files iter.Seq[ReportFile], deps ImpactDeps) (*ImpactReport, error) {
	words := deps.Words
	if words == nil {
		words = lang.Default()
	}
	if len(deps.Facts.Domains.Value()) == 0 {
		return nil, &Error{Kind: Invalid, Message: lang.M("directsend.error.domains"), Hint: lang.M("directsend.hint.domains")}
	}
	w := impactWriter{words: words, deps: &deps, services: newMailServices(), out: &ImpactReport{
		Schema: ImpactSchema, AsOf: deps.Now().UTC(), Domains: slices.Clone(deps.Facts.Domains.Value()), Files: []TraceFileRecord{},
		Counts: []ImpactCount{}, Sources: []ImpactSource{}, Steps: []ImpactStep{}, Caveats: []lang.Text{}, Unchecked: []lang.Text{},
	}}
	if on, ok := deps.Facts.RejectDirectSend.Get(); ok {
		w.out.On = &on
	}
	c := trace.NewImpact(&deps.Facts)
	for f := range files {
		w.out.Files = append(w.out.Files, *readTrace(ctx, f, words, func(r *trace.Reader, row *trace.Row) { c.Add(r.Knows, row) }))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.out.Messages, w.out.SignedIn, w.out.Foreign, w.out.Over = c.Messages, c.SignedIn, c.Foreign, c.Over
	w.out.From, w.out.Until = timeOf(c.First), timeOf(c.Last)
	w.sources(ctx, c.Sources())
	w.answer()
	w.steps()
	w.caveats(c)
	return w.out, nil
}

type impactWriter struct {
	words    *lang.Catalogue
	deps     *ImpactDeps
	services *mailServices
	out      *ImpactReport
}

func (w *impactWriter) say(key string, pairs ...any) lang.Text {
	return w.words.Render(lang.M(key, pairs...))
}

// asked is what DNS says of a source.
type asked struct{ spf, host string }

func (w *impactWriter) sources(ctx context.Context, list []*trace.Source) {
	for _, e := range trace.Effects() {
		n := ImpactCount{Effect: e}
		for _, s := range list {
			if s.Effect == e {
				n.Sources++
				n.Messages += s.Messages
			}
		}
		w.out.Counts = append(w.out.Counts, n)
	}
	list = list[:min(len(list), maxImpactSources)]
	answers := make([]asked, len(list))
	if w.deps.Resolver == nil {
		w.out.Unchecked = append(w.out.Unchecked, w.say("directsend.unchecked.dns"))
	} else {
		w.ask(ctx, list, answers)
	}
	kinds := make([]trace.Kind, len(list))
	for i, s := range list {
		kinds[i] = s.Kind(&w.deps.Facts, w.known(s, answers[i]))
	}
	for i, s := range list {
		w.out.Sources = append(w.out.Sources, w.source(s, answers[i], kinds[i], kinds[i] == trace.Unknown && besideAttack(i, list, kinds)))
	}
}

// besideAttack reports whether a source that nobody knows sends as the same
// sender as an attack from the same network.
func besideAttack(at int, list []*trace.Source, kinds []trace.Kind) bool {
	s := list[at]
	near, err := s.Network.Addr().Prefix(min(24, s.Network.Bits()))
	if err != nil || !s.Network.Addr().Is4() {
		return false
	}
	for i, o := range list {
		if kinds[i] != trace.Attack || o.Effect != s.Effect || !near.Contains(o.Network.Addr()) || len(s.Senders) == 0 {
			continue
		}
		if !slices.ContainsFunc(s.Senders, func(x trace.Sender) bool {
			return !slices.ContainsFunc(o.Senders, func(y trace.Sender) bool { return x.Address == y.Address })
		}) {
			return true
		}
	}
	return false
}

// known is what DNS and the table of services say of a source.
func (w *impactWriter) known(s *trace.Source, a asked) trace.Known {
	ip := s.Network.Addr()
	return trace.Known{SPF: a.spf, Service: w.service(s, a), Shared: ip.IsValid() && m365.IsMicrosoftOutbound(ip)}
}

// service names the service that a source belongs to.
func (w *impactWriter) service(s *trace.Source, a asked) string {
	if ip := s.Network.Addr(); ip.IsValid() && w.services.at(ip) != "" {
		return w.services.at(ip)
	}
	if n, err := domain.Parse(a.host); err == nil && w.services.named(n) != "" {
		return w.services.named(n)
	}
	if s.Effect == trace.NotStopped {
		for _, x := range s.Senders {
			if n, err := domain.Parse(trace.DomainOf(x.Address)); err == nil && w.services.named(n) != "" {
				return w.services.named(n)
			}
		}
	}
	return ""
}

// ask asks DNS about the busiest sources that the switch concerns.
func (w *impactWriter) ask(ctx context.Context, list []*trace.Source, answers []asked) {
	var wg sync.WaitGroup
	places := make(chan struct{}, impactQuestioners)
	n := 0
	for i, s := range list {
		ip := s.Network.Addr()
		if s.Effect == trace.ViaConnector || !ip.IsValid() || ip.IsPrivate() {
			continue
		}
		if n++; n > maxAskedSources {
			w.out.Unchecked = append(w.out.Unchecked, w.say("directsend.unchecked.over", "n", maxAskedSources))
			break
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if host, ok := confirmedName(ctx, w.deps.Resolver, ip); ok {
				answers[i].host = string(host)
			}
			for _, x := range s.Senders {
				if own, ok := w.deps.Facts.Owns(trace.DomainOf(x.Address)); ok {
					name := trace.DomainOf(x.Address)
					res := spf.Check(ctx, w.deps.Resolver, spf.Input{IP: ip, MailFrom: "postmaster@" + name, Helo: own, Now: w.deps.Now()}, nil)
					answers[i].spf = string(res.Status)
					break
				}
			}
		})
	}
	wg.Wait()
}

func (w *impactWriter) source(s *trace.Source, a asked, kind trace.Kind, beside bool) ImpactSource {
	out := ImpactSource{
		Schema: ImpactSourceSchema, Effect: s.Effect, Doubts: []ImpactDoubt{}, SPF: a.spf, Host: a.host, Connector: s.Connector, Called: nonNil(s.Hosts),
		Messages: s.Messages, Deliveries: s.Deliveries, Recipients: s.Recipients, Self: s.Self, Held: s.Held, Delivered: s.Delivered, Failing: s.Failing, Null: s.Null,
		First: timeOf(s.First), Last: timeOf(s.Last), Senders: senders(s.Senders), Authors: senders(s.Authors), Subjects: nonNil(s.Subjects), Advice: []ImpactStep{},
	}
	ip := s.Network.Addr()
	if ip.IsValid() {
		out.Source = ip.String()
		if !s.Network.IsSingleIP() {
			out.Source = s.Network.String()
		}
	}
	out.Service = w.service(s, a)
	for _, d := range s.Doubts {
		out.Doubts = append(out.Doubts, ImpactDoubt{d, w.say("directsend.doubt." + string(d))})
	}
	out.Kind = kind
	reason := string(kind)
	if beside {
		out.Kind, reason = trace.Attack, "beside-attack"
	}
	out.Care = out.Kind.Care()
	out.Reason = w.say("directsend.kind."+reason, "service", out.Service, "n", s.Held, "of", s.Deliveries)
	w.advise(&out, s)
	return out
}

func senders(list []trace.Sender) []ImpactSender {
	out := []ImpactSender{}
	for _, x := range list[:min(len(list), maxImpactSenders)] {
		out = append(out, ImpactSender{x.Address, x.Messages, timeOf(x.First), timeOf(x.Last)})
	}
	return out
}

// stops reports whether the switch would, or may, stop mail of a source.
func stops(e trace.Effect) bool {
	return e == trace.Stopped || e == trace.Likely || e == trace.CannotTell
}

// advise says what to do about a source. Nothing that a mail says of itself gets
// into a command.
func (w *impactWriter) advise(out *ImpactSource, s *trace.Source) {
	add := func(command, key string, pairs ...any) {
		out.Advice = append(out.Advice, ImpactStep{w.say("directsend.do."+key, pairs...), command})
	}
	if out.Effect == trace.NotStopped {
		if out.Kind == trace.Attack {
			add("", "foreign-attack")
		} else {
			add("", "foreign")
		}
		return
	}
	if !stops(out.Effect) {
		return
	}
	own := ""
	for _, x := range s.Senders {
		if d, ok := w.deps.Facts.Owns(trace.DomainOf(x.Address)); ok {
			own = d
			break
		}
	}
	if n, err := domain.Parse(own); err != nil || string(n) != own {
		own = ""
	}
	ip := s.Network.Addr()
	connector := func(kind string) string {
		if !ip.IsValid() || own == "" || ip.IsPrivate() || s.Network.Bits() != ip.BitLen() {
			return ""
		}
		// https://learn.microsoft.com/powershell/module/exchange/new-inboundconnector
		c := fmt.Sprintf("New-InboundConnector -Name 'from %s' -ConnectorType %s -SenderDomains '%s' -SenderIPAddresses %s", ip, kind, own, ip)
		if kind == "Partner" {
			c += " -RequireTls $false" // scanners that cannot do TLS
		}
		return c
	}
	switch out.Kind {
	case trace.Gateway:
		add(connector("OnPremises"), "gateway")
	case trace.Allowed:
		add("", "allowed")
	case trace.Authorised, trace.OwnNetwork:
		if ip.IsPrivate() {
			add("", "private")
		} else {
			add(connector("OnPremises"), "connector")
		}
		add("", "sign-in")
	case trace.Service:
		add("", "service", "service", out.Service)
	case trace.Tenant:
		add("", "tenant")
	case trace.Attack:
		add("", "attack")
	case trace.Device:
		add("", "device")
		add(connector("OnPremises"), "then-connector")
	case trace.Unknown:
		add("", "unknown")
		add(connector("Partner"), "then-partner")
	}
	if slices.Contains(s.Doubts, trace.NoMailFrom) {
		add("", "mail-from")
	}
}

func (w *impactWriter) answer() {
	care := map[trace.Care]int{}
	messages := map[trace.Care]int{}
	unclear, foreign := 0, 0
	for i := range w.out.Sources {
		s := &w.out.Sources[i]
		switch s.Effect {
		case trace.Stopped, trace.Likely:
			care[s.Care]++
			messages[s.Care] += s.Messages
		case trace.CannotTell:
			if s.Care != trace.LetGo {
				unclear++
			}
		case trace.NotStopped:
			if s.Kind == trace.Attack {
				foreign++
			}
		case trace.ViaConnector:
		}
	}
	usable := slices.ContainsFunc(w.out.Files, func(f TraceFileRecord) bool { return f.Error == nil })
	switch {
	case care[trace.Prepare] > 0:
		w.out.Answer = ImpactPrepare
	case care[trace.Ask] > 0:
		w.out.Answer = ImpactAsk
	case unclear > 0 || !usable || w.out.Messages == 0:
		w.out.Answer = ImpactCannotTell
	default:
		w.out.Answer = ImpactReady
	}
	w.out.Sentence = w.say("directsend.answer."+string(w.out.Answer),
		"prepare", care[trace.Prepare], "ask", care[trace.Ask], "attack", care[trace.LetGo], "unclear", unclear,
		"messages", messages[trace.Prepare]+messages[trace.Ask], "stopped", messages[trace.LetGo], "foreign", foreign)
}

// steps is the way to turn it on.
func (w *impactWriter) steps() {
	if w.out.On != nil && *w.out.On {
		w.out.Steps = append(w.out.Steps, ImpactStep{w.say("directsend.step.on"), "Get-OrganizationConfig | Format-List RejectDirectSend"})
		return
	}
	for _, s := range []struct{ key, command string }{
		{"connect", "Connect-ExchangeOnline"},
		{"look", "Get-OrganizationConfig | Format-List RejectDirectSend; Get-InboundConnector | Format-List Name,ConnectorType,SenderIPAddresses,TlsSenderCertificateName"},
		{"turn", "Set-OrganizationConfig -RejectDirectSend $true"},
		{"watch", ""},
		{"back", "Set-OrganizationConfig -RejectDirectSend $false"},
	} {
		w.out.Steps = append(w.out.Steps, ImpactStep{w.say("directsend.step." + s.key), s.command})
	}
}

func (w *impactWriter) caveats(c *trace.Impact) {
	add := func(key string, pairs ...any) {
		w.out.Caveats = append(w.out.Caveats, w.say("directsend.caveat."+key, pairs...))
	}
	if span := c.Last.Sub(c.First); !c.First.IsZero() && span < shortTrace {
		add("short", "n", int(span.Hours()/24)+1)
	}
	add("rejects")
	add("forwarders")
	add("header")
	if !w.deps.Facts.Connectors.Configured() {
		add("connectors")
	}
	if c.Over > 0 {
		add("over", "n", c.Over)
	}
}

// RedactImpact replaces in a report what tells who the organisation and its
// people are: senders, authors, subjects and the own domains. Addresses of
// sources stay, since the report is about them.
func RedactImpact(rep *ImpactReport) {
	var r redaction
	seen := map[string]bool{}
	n := 0
	for i := range rep.Sources {
		s := &rep.Sources[i]
		for _, list := range [][]ImpactSender{s.Senders, s.Authors} {
			for _, x := range list {
				if !seen[x.Address] && strings.ContainsRune(x.Address, '@') {
					seen[x.Address] = true
					n++
					local, host, _ := strings.Cut(x.Address, "@")
					if local != "" {
						r.pairs = append(r.pairs, [2]string{x.Address, fmt.Sprintf("sender-%d@%s", n, host)})
					}
				}
			}
		}
		for j := range s.Subjects {
			s.Subjects[j] = fmt.Sprintf("(%d)", len([]rune(s.Subjects[j])))
		}
		if s.Connector != "" {
			r.replace(s.Connector, "connector")
		}
	}
	for i, f := range rep.Files {
		for j := range f.Problems {
			f.Problems[j].Row = ""
		}
		rep.Files[i].File = fmt.Sprintf("file-%d", i+1)
	}
	for _, d := range rep.Domains {
		r.replace(d, "organisation.example")
		if tenant, ok := strings.CutSuffix(d, ".onmicrosoft.com"); ok {
			r.replace(tenant, "organisation")
		}
	}
	slices.SortStableFunc(r.pairs, func(a, b [2]string) int { return cmp.Compare(len(b[0]), len(a[0])) })
	byWhole := map[string]string{}
	var domains [][2]string
	for _, p := range r.pairs {
		if strings.Contains(p[0], "@") {
			byWhole[p[0]] = p[1]
		} else {
			domains = append(domains, p)
		}
	}
	// Thousands of senders: each is looked up whole, and only domains are searched.
	walkStrings(reflect.ValueOf(rep).Elem(), func(s string) string {
		if to, ok := byWhole[s]; ok {
			s = to
		}
		for _, p := range domains {
			s = replaceFold(s, p[0], p[1])
		}
		return s
	})
}
