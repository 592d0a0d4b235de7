package cli

import (
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/sekisho/sekisho/domain/posture"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/requirement"
)

type domainCmd struct {
	Check      domainCheckCmd `cmd:""`
	Lookalikes lookalikesCmd  `cmd:""`
}

type domainCheckCmd struct {
	Domains    []string `arg:"" name:"domain" optional:""`
	File       string   `placeholder:"FILE"`
	Selector   []string `sep:"none" placeholder:"NAME"`
	Sample     []string `sep:"none" placeholder:"PATH"`
	Volume     int      `default:"-1" placeholder:"N"`
	Subdomain  []string `sep:"none" placeholder:"NAME"`
	RecordFile string   `placeholder:"FILE"`
	Bounce     string   `placeholder:"FILE"`
	Fetch      bool
	SMTP       bool   `name:"smtp"`
	Questions  int    `default:"400" placeholder:"N"`
	Explain    bool   `short:"e"`
	For        string `enum:"admin,manager" default:"admin" placeholder:"READER"`
	Format     string `enum:"text,html" default:"text" placeholder:"FORM"`
	FailOn     string `enum:"never,low,medium,high,not-met" default:"never" placeholder:"WORD"`
}

const (
	maxDomainFile = 4 << 20
	maxRecordFile = 1 << 20
	maxBounceFile = 16 << 20
	maxSamples    = 20
)

// Run looks at what domains publish and what receivers require of them.
func (c *domainCheckCmd) Run(r *run) error {
	if r.flags.Output == "csv" {
		return formatError("domain check", r.flags.Output)
	}
	if c.Questions <= 0 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.number", "flag", "--questions"), Hint: lang.M("cli.hint.usage", "help", "sekisho help domain check")}
	}
	if c.Bounce != "" {
		if err := c.explainBounce(r); err != nil || len(c.Domains) == 0 && c.File == "" {
			return err
		}
	}
	in := desk.DomainInput{Domains: c.Domains, Selectors: c.Selector, Subdomains: c.Subdomain, Volume: c.Volume, Questions: c.Questions}
	bar := r.countProgress("")
	reports, done, err := c.check(r, &in, func(n, total int) {
		if n == 1 {
			bar.SetTotal(total)
		}
		bar.Add(1)
	})
	if err != nil {
		return err
	}
	defer done()
	list := []*desk.DomainReport{}
	unread, failed := 0, false
	for rep, failure := range reports {
		if failure != nil {
			bar.Close()
			return failure
		}
		if rep.Error != nil {
			unread++
			bar.Interrupt(func() { r.warnAbout(rep.Domain, rep.Error) })
		}
		failed = failed || c.fails(rep)
		if r.flags.Output != "ndjson" {
			list = append(list, rep)
		} else if err := r.writeRecord(rep); err != nil {
			return err
		}
	}
	bar.Close()
	switch r.flags.Output {
	case "json":
		err = r.writeRecord(list)
		if len(list) == 1 && len(in.Domains) == 1 && c.File == "" {
			err = r.writeRecord(list[0])
		}
	case "text":
		err = c.text(r, list)
	}
	if err == nil {
		err = r.saveDNS()
	}
	switch {
	case err != nil:
		return err
	case unread > 0 || r.ctx.Err() != nil:
		return statusError(exitUnread)
	case failed:
		return statusError(exitFindings)
	}
	return nil
}

// check yields the reports: made here, or by a server that is asked. An error
// beside a report ends it. done closes what was opened.
func (c *domainCheckCmd) check(r *run, in *desk.DomainInput, progress func(done, total int)) (reports iter.Seq2[*desk.DomainReport, error], done func(), err error) {
	if c.File != "" {
		text, err := r.readText(c.File, maxDomainFile)
		if err != nil {
			return nil, nil, err
		}
		for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				in.Domains = append(in.Domains, line)
			}
		}
	}
	if r.server != nil {
		err := r.notElsewhere(map[string]bool{
			"--sample": len(c.Sample) > 0, "--subdomain": len(c.Subdomain) > 0, "--record-file": c.RecordFile != "", "--smtp": c.SMTP,
			"--dns": r.flags.DNS != "", "--dns-zone": r.flags.DNSZone != "", "--dns-record": r.flags.DNSRecord != "",
		})
		if err != nil {
			return nil, nil, err
		}
		reports, err := r.askDomains(in, c.Fetch, progress)
		return reports, func() {}, err
	}
	deps, done, err := c.prepare(r, in)
	if err != nil {
		return nil, nil, err
	}
	deps.Progress = progress
	list, err := desk.DomainCheck(r.ctx, *in, *deps)
	if err != nil {
		done()
		return nil, nil, err
	}
	return func(yield func(*desk.DomainReport, error) bool) {
		for rep := range list {
			if !yield(rep, nil) {
				return
			}
		}
	}, done, nil
}

// prepare reads the files that flags name and opens what the check needs. done
// closes it.
func (c *domainCheckCmd) prepare(r *run, in *desk.DomainInput) (deps *desk.DomainDeps, done func(), err error) {
	done = func() {}
	if c.RecordFile != "" {
		if in.Records, err = r.readText(c.RecordFile, maxRecordFile); err != nil {
			return nil, nil, err
		}
	}
	if len(c.Sample) > 0 {
		for it := range r.Walk(r.ctx, c.Sample, newInterruptible(r.ctx, r.Stdin), WalkOptions{MaxMessage: r.config.Limits.MessageSize}) {
			if it.Err != nil {
				return nil, nil, it.Err
			}
			if in.Samples = append(in.Samples, it); len(in.Samples) == maxSamples {
				break
			}
		}
	}
	dns, err := r.resolver(true)
	if err != nil {
		return nil, nil, err
	}
	deps = &desk.DomainDeps{Resolver: dns, TrustAD: r.trustsDNSSEC(), Facts: r.config.Facts, Words: r.words, Now: r.Now}
	if c.Fetch && !r.flags.Offline && r.Fetch != nil {
		deps.Fetch, _ = r.Fetch()
	}
	if c.SMTP && !r.flags.Offline && r.AskTLS != nil {
		deps.TLS = r.AskTLS()
	}
	if r.hasStore() {
		s, err := r.store()
		if err != nil {
			return nil, nil, err
		}
		deps.Reports = s
		done = func() { _ = s.Close() } // it was only read
	}
	return deps, done, nil
}

// trustsDNSSEC reports whether the word of the resolver on DNSSEC counts: the
// user named it, it answers from a file, or it runs on this machine. What the
// servers of an office or a hotel say may come from anybody on the way.
func (r *run) trustsDNSSEC() bool {
	if r.flags.DNSZone != "" {
		return true
	}
	server := r.flags.DNS
	if server == "" {
		server = r.config.DNS.Server
	}
	if server != "" && server != "system" {
		return true
	}
	dns, err := r.DNS(DNSOptions{})
	if err != nil {
		return false
	}
	s, ok := dns.(interface{ Servers() []string })
	if !ok {
		return false
	}
	list := s.Servers()
	return len(list) > 0 && !slices.ContainsFunc(list, func(a string) bool {
		p, err := netip.ParseAddrPort(a)
		return err != nil || !p.Addr().IsLoopback()
	})
}

// readText reads a file of the user's, or standard input.
func (r *run) readText(name string, limit int64) (string, error) {
	in := newInterruptible(r.ctx, r.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return "", &desk.Error{Kind: desk.NotFound, Message: lang.M("domain.error.file", "file", name, "error", err.Error()), Hint: lang.M("domain.hint.file"), Err: err}
		}
		defer func() { _ = f.Close() }() // nothing was written
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return "", &desk.Error{Kind: desk.Denied, Message: lang.M("domain.error.file", "file", name, "error", err.Error()), Hint: lang.M("domain.hint.file"), Err: err}
	}
	if int64(len(b)) > limit {
		return "", &desk.Error{Kind: desk.Limit, Message: lang.M("domain.error.large", "file", name, "max", int(limit>>10)), Hint: lang.M("domain.hint.file")}
	}
	return string(b), nil
}

func (c *domainCheckCmd) fails(rep *desk.DomainReport) bool {
	switch {
	case c.FailOn == "never":
		return false
	case c.FailOn == "not-met":
		return rep.Requirements != nil && slices.ContainsFunc(rep.Requirements.Receivers, func(v desk.ReceiverView) bool { return v.State == requirement.Unmet })
	case rep.Worst == "":
		return false
	}
	worst, err := finding.ParseSeverity(rep.Worst)
	least, err2 := finding.ParseSeverity(c.FailOn)
	return err == nil && err2 == nil && worst >= least
}

// explainBounce says what a bounce means.
func (c *domainCheckCmd) explainBounce(r *run) error {
	text, err := r.readText(c.Bounce, maxBounceFile)
	if err != nil {
		return err
	}
	list, err := desk.Bounces(c.Bounce, []byte(text), desk.BounceDeps{Words: r.words, Now: r.Now})
	if err != nil {
		return err
	}
	return writeRecords(r, list, func() {
		(&explainPresenter{r: r, said: map[string]bool{}}).bounces(list)
		if len(c.Domains) > 0 || c.File != "" {
			fmt.Fprintln(r.Stdout)
		}
	})
}

// text writes one domain at length, and several in a line each.
func (c *domainCheckCmd) text(r *run, list []*desk.DomainReport) error {
	list = slices.DeleteFunc(list, func(rep *desk.DomainReport) bool { return rep.Error != nil })
	if c.For == "manager" || c.Format == "html" {
		return c.sheets(r, list)
	}
	if len(list) > 1 && !c.Explain {
		for _, rep := range list {
			r.domainLine(rep)
		}
		fmt.Fprintln(r.Stdout, "\n"+r.say("cli.domain.next"))
		return nil
	}
	for i, rep := range list {
		if i > 0 {
			fmt.Fprintln(r.Stdout, "\n"+strings.Repeat("─", min(72, r.columns())))
		}
		(&domainPresenter{explainPresenter{r: r, said: map[string]bool{}}}).report(rep)
	}
	return nil
}

// sheets writes a page for a manager for each domain. A page of HTML is one
// document, and so for one domain.
func (c *domainCheckCmd) sheets(r *run, list []*desk.DomainReport) error {
	if c.Format == "html" && len(list) > 1 {
		return &desk.Error{Kind: desk.Invalid, Message: lang.M("domain.error.html"), Hint: lang.M("domain.hint.html")}
	}
	for i, rep := range list {
		sheet := rep.Requirements.Manager(r.lang, r.Now(), r.words)
		if c.Format == "html" {
			page, err := sheet.HTML()
			if err != nil {
				return err
			}
			fmt.Fprint(r.Stdout, page)
			continue
		}
		if i > 0 {
			fmt.Fprintln(r.Stdout)
		}
		fmt.Fprint(r.Stdout, sheet.Text())
	}
	return nil
}

// severityMark carries a severity without colour.
func (r *run) severityMark(s finding.Severity) string {
	switch {
	case s >= finding.High:
		return r.style.Paint(term.Malicious, "✕")
	case s >= finding.Low:
		return r.style.Paint(term.Suspicious, "!")
	}
	return r.style.Paint(term.Dim, "i")
}

func (r *run) domainLine(rep *desk.DomainReport) {
	mark := r.style.Paint(term.Harmless, "✓")
	if s, err := finding.ParseSeverity(rep.Worst); rep.Worst != "" && err == nil && s > finding.Info {
		mark = r.severityMark(s)
	} else if len(rep.Unknown) > 0 {
		mark = r.style.Paint(term.Suspicious, "?")
	}
	const nameColumns = 36
	fmt.Fprintf(r.Stdout, "  %s %s  %s\n", mark, term.Pad(term.Truncate(term.Clean(rep.Unicode), nameColumns), nameColumns), term.Clean(rep.Summary.In(r.lang)))
}

// domainPresenter writes one report at length.
type domainPresenter struct{ explainPresenter }

func (p *domainPresenter) report(rep *desk.DomainReport) {
	r := p.r
	head := rep.Domain
	if rep.Unicode != rep.Domain {
		head = rep.Unicode + " (" + rep.Domain + ")"
	}
	fmt.Fprintln(r.Stdout, r.style.Paint(term.Bold, term.Clean(head))+"  "+r.style.Paint(term.Dim, r.say("posture.use."+string(rep.Use))))
	p.text(2, "  ", rep.Summary.In(r.lang))
	if len(rep.Preview) > 0 {
		p.text(2, "  ", r.say("cli.domain.preview"))
		for _, line := range rep.Preview {
			p.dim(4, line)
		}
	}
	if rep.Requirements != nil {
		p.section("cli.domain.receivers")
		p.verdicts(rep.Requirements)
	}
	p.section("cli.domain.published")
	for _, a := range posture.Areas() {
		p.area(rep, a)
	}
	if rep.Requirements != nil {
		p.requirements(rep.Requirements)
	}
	if len(rep.Unknown) > 0 {
		p.section("cli.domain.unknown")
		for _, u := range rep.Unknown {
			p.text(4, "  ? ", u.Text.In(r.lang))
		}
	}
}

// area writes what is published for one area, and what is wrong with it.
func (p *domainPresenter) area(rep *desk.DomainReport, a posture.Area) {
	r := p.r
	var faults []desk.DomainFault
	mark := ""
	for _, f := range rep.Faults {
		if f.Area == a {
			if mark == "" {
				mark = r.severityMark(f.Severity)
			}
			faults = append(faults, f)
		}
	}
	lines, state := p.facts(rep, a)
	if len(lines) == 0 && len(faults) == 0 {
		return
	}
	if mark == "" {
		switch state {
		case posture.Present:
			mark = r.style.Paint(term.Harmless, "✓")
		case posture.Absent:
			mark = r.style.Paint(term.Dim, "－")
		default:
			mark = r.style.Paint(term.Suspicious, "?")
		}
	}
	fmt.Fprintln(r.Stdout, "  "+mark+" "+r.style.Paint(term.Bold, r.say("posture.area."+string(a))))
	for _, l := range lines {
		p.text(8, "      ", l)
	}
	if a == posture.AreaSPF {
		p.tree(rep.SPF.Tree, "      ")
	}
	for _, f := range faults {
		p.text(8, "      "+r.severityMark(f.Severity)+" ", f.Text.In(r.lang))
		if f.Quote != "" && !strings.Contains(f.Text.In(r.lang), f.Quote) {
			for line := range strings.Lines(f.Quote) {
				p.dim(8, term.Truncate(strings.TrimRight(line, "\n"), 200))
			}
		}
		if m := f.Mend.In(r.lang); !p.said[m] {
			p.said[m] = true
			p.text(10, "        → ", m)
		}
	}
}

// facts says in lines what is published for one area.
func (p *domainPresenter) facts(rep *desk.DomainReport, a posture.Area) ([]string, posture.State) {
	switch a {
	case posture.AreaMX:
		return p.mx(&rep.MX), rep.MX.State
	case posture.AreaPTR:
		return p.reverse(rep.Reverse)
	case posture.AreaSPF:
		return p.spfFacts(&rep.SPF), rep.SPF.State
	case posture.AreaDKIM:
		return p.keys(&rep.DKIM), rep.DKIM.State
	case posture.AreaDMARC:
		return p.policy(rep), rep.DMARC.State
	case posture.AreaMTASTS:
		return oneLine(rep.MTASTS.Record), rep.MTASTS.State
	case posture.AreaTLSRPT:
		return oneLine(rep.TLSRPT.Record), rep.TLSRPT.State
	case posture.AreaBIMI:
		return oneLine(rep.BIMI.Record), rep.BIMI.State
	case posture.AreaDNSSEC:
		if rep.DNSSEC.State == posture.Present {
			key := "cli.domain.signed"
			if rep.DNSSEC.Validated {
				key = "cli.domain.validated"
			}
			return []string{p.r.say(key)}, posture.Present
		}
		return nil, rep.DNSSEC.State
	case posture.AreaTLS:
		return p.tls(&rep.TLS), rep.TLS.State
	case posture.AreaDANE:
		var out []string
		for _, h := range rep.DANE.Hosts {
			for _, x := range h.Records {
				out = append(out, h.Name+"  "+x)
			}
		}
		return out, rep.DANE.State
	default: // parked: only its faults are told
		return nil, posture.Absent
	}
}

func (p *domainPresenter) tls(t *posture.TLS) []string {
	var out []string
	for _, h := range t.Hosts {
		line := h.Host + "  " + p.r.say("posture.state."+string(h.State))
		if h.State == posture.Present {
			line = h.Host + "  " + h.Version + "  " + h.Issuer
		}
		out = append(out, line)
	}
	return out
}

func oneLine(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func (p *domainPresenter) mx(m *posture.MX) []string {
	var out []string
	if m.Null {
		out = append(out, p.r.say("cli.domain.null-mx"))
	}
	for _, h := range m.Hosts {
		out = append(out, strings.TrimSpace(strconv.Itoa(h.Preference)+" "+h.Host+"  "+strings.Join(h.Addresses, " ")))
	}
	if len(out) == 0 {
		out = append(out, p.r.say("posture.state."+string(m.State)))
	}
	return out
}

func (p *domainPresenter) reverse(list []posture.Reverse) ([]string, posture.State) {
	var out []string
	state := posture.Present
	for _, v := range list {
		name := strings.Join(v.Names, " ")
		if name == "" {
			name = p.r.say("posture.state." + string(v.State))
		}
		if v.Confirmed != posture.Present {
			state = v.Confirmed
		}
		out = append(out, v.Address+" → "+name)
	}
	return out, state
}

func (p *domainPresenter) spfFacts(f *posture.SPF) []string {
	r := p.r
	if f.State != posture.Present {
		return []string{r.say("posture.state." + string(f.State))}
	}
	out := oneLine(f.Record)
	if f.Tree != nil {
		key := "cli.domain.spf-cost"
		if f.Depends {
			key = "cli.domain.spf-least"
		}
		out = append(out, r.say(key, "lookups", f.Lookups, "voids", f.Voids, "addresses", strconv.FormatUint(f.Addresses, 10)))
	}
	return out
}

// tree writes the records that an SPF record includes, with their cost.
func (p *domainPresenter) tree(n *posture.SPFNode, indent string) {
	r := p.r
	if n == nil || len(indent) > maxSPFDepth*2 {
		return
	}
	for _, t := range n.Terms {
		if t.Cost == 0 {
			continue
		}
		line := indent + strconv.Itoa(t.Cost) + "  " + term.Clean(t.Text)
		if t.Void > 0 && t.Include == nil {
			line += "  " + r.say("cli.domain.void")
		}
		fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, term.Truncate(line, max(40, r.columns()))))
		if t.Include != nil && t.Include.Record != "" {
			fmt.Fprintln(r.Stdout, r.style.Paint(term.Dim, term.Truncate(indent+"   "+term.Clean(t.Include.Record), max(40, r.columns()))))
			p.tree(t.Include, indent+"  ")
		}
	}
}

func (p *domainPresenter) keys(f *posture.DKIM) []string {
	r := p.r
	var out []string
	for _, k := range f.Keys {
		s := k.Selector + "  "
		switch {
		case k.State != posture.Present:
			s += r.say("posture.state." + string(k.State))
		case k.Revoked:
			s += r.say("cli.domain.revoked")
		case k.Bits > 0:
			s += k.Type + " " + strconv.Itoa(k.Bits)
		default:
			s += k.Type
		}
		if len(k.Alias) > 0 {
			s += "  → " + k.Alias[len(k.Alias)-1]
		}
		out = append(out, s+"  "+r.say("cli.domain.selector."+string(k.Source)))
	}
	switch {
	case f.None:
		out = append(out, r.say("cli.domain.no-keys"))
	case len(out) == 0 && f.State != posture.Present && f.Wildcard == "":
		out = append(out, r.say("posture.state."+string(f.State)))
	}
	if f.Wildcard != "" {
		out = append(out, "*  "+f.Wildcard)
	}
	return out
}

func (p *domainPresenter) policy(rep *desk.DomainReport) []string {
	r, d := p.r, &rep.DMARC
	out := oneLine(d.Record)
	if d.State != posture.Present {
		if len(out) == 0 {
			out = append(out, r.say("posture.state."+string(d.State)))
		}
		return out
	}
	if d.At != rep.Domain {
		out = append(out, r.say("cli.domain.inherited", "domain", d.At))
	}
	if d.Policy != "" {
		sub, none := d.Subdomains, d.Nonexistent
		if sub == "" {
			sub, none = "?", "?"
		}
		out = append(out, r.say("cli.domain.policy", "policy", d.Policy, "subdomains", sub, "nonexistent", none))
	}
	for _, s := range rep.Subdomains {
		pol := s.Policy
		if pol == "" {
			pol = "－"
		}
		out = append(out, string(s.Name)+"  "+pol+"  "+s.From)
	}
	return out
}
