// Package impersonation finds whom a message pretends to be: the organisation
// that received it, one of its people, or a brand whose name opens doors.
//
// It compares what a person sees, the display name and the visible text of a
// link, with what the message really is: the address behind the name and the
// host behind the link. It keeps no list of suspicious words; what a lure says
// is the business of rules.
package impersonation

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/org"
)

// The kinds of finding that [Check] returns.
const (
	LookalikeSender  finding.Kind = "mail.lookalike-sender"   // the From domain imitates a domain
	LookalikeReplyTo finding.Kind = "mail.lookalike-reply-to" // the Reply-To domain imitates a domain
	LookalikeLink    finding.Kind = "mail.lookalike-link"     // a link's host imitates a domain
	PersonName       finding.Kind = "mail.person-impersonation"
	OrganisationName finding.Kind = "mail.organisation-impersonation"
	BrandName        finding.Kind = "mail.brand-impersonation"
	AddressInName    finding.Kind = "mail.address-in-display-name" // the name shows another address than the one used
	DeceptiveLink    finding.Kind = "mail.deceptive-link"          // the text of a link names another domain than its target
	SeveralFrom      finding.Kind = "mail.several-from"            // more than one author: programs show different ones
	ForeignReplyTo   finding.Kind = "mail.foreign-reply-to"        // a forged own domain whose answers go to a third party
)

// Brand is a name that attackers borrow.
type Brand struct {
	Name  string   // as people know it
	Words []string // words that claim to be it wherever they stand in a display name
	Names []string // ordinary words that claim to be it only as the whole display name

	// Sends reports whether mail from that domain is the brand's own. Shows
	// reports whether a page at that host is. They differ for a brand that gives
	// addresses or pages to its customers.
	Sends func(domain.Name) bool
	Shows func(domain.Name) bool

	// Hosts reports whether customers of the brand have names there: a name
	// below it that resembles the organisation's may well be its own.
	Hosts func(domain.Name) bool

	Imitated *domain.Targets // domains of the brand that others imitate
	Main     domain.Name     // the best known of them
}

// imitates reports whether a match means the brand. Brands own their name under
// many suffixes, and some of their domains are ordinary words ("outlook"), which
// others put into names of their own.
func (b Brand) imitates(m domain.Match) bool {
	switch m.Kind {
	case domain.SwappedTLD:
		return false
	case domain.Subdomain:
		return strings.Contains(m.Piece, ".")
	case domain.Affix, domain.Edit:
		return strings.Contains(domain.SLD(m.Target), strings.ToLower(b.Name))
	default:
		return true
	}
}

// Link is a link of the message as [Check] needs it.
type Link struct {
	URL     string
	Host    domain.Name // of the target behind all rewriters; empty if it has none
	Actual  string      // the same for people to read; an address where there is no name
	Shown   domain.Name // domain that the visible text names, if it names another than Host
	Visible string
	Where   finding.Where
}

// Input is what [Check] looks at.
type Input struct {
	Part       string // ID of the root part of the message
	Message    *eml.Message
	From       []eml.Address // of the message, or of a forward that it quotes
	FromWhere  func(eml.Span) finding.Where
	ReplyTo    []eml.Address
	Links      []Link
	Own        []string // the organisation's domains, configured or presumed
	Facts      org.Facts
	Brands     []Brand
	FreeMail   func(domain.Name) bool // domains where anybody gets an address; nil: none is known
	Aligned    bool                   // the From domain is authenticated (DMARC pass, or aligned SPF or DKIM)
	AuthFailed bool                   // the From domain is known not to be authenticated
	Forged     bool                   // From is a forged own domain, as the Direct Send decision found
	MailFrom   string                 // domain of MAIL FROM
	Subject    finding.Subject
}

// Check returns what the message pretends. It never calls anything safe.
func Check(in Input) []finding.Finding {
	c := checker{Input: in}
	for _, d := range in.Own {
		if n, err := domain.Parse(d); err == nil {
			c.own = append(c.own, n)
		}
	}
	c.imitated = domain.NewTargets(c.own...)
	c.severalFrom()
	for _, a := range in.From {
		c.sender(a)
	}
	c.replyTo()
	c.links()
	return c.out
}

type checker struct {
	Input
	own      []domain.Name
	imitated *domain.Targets // the organisation's own domains
	out      []finding.Finding
}

func (c *checker) ownsName(n domain.Name) bool {
	return slices.ContainsFunc(c.own, func(d domain.Name) bool { return n == d || n.IsSubdomainOf(d) })
}

func (c *checker) add(kind finding.Kind, sev finding.Severity, title lang.Message, ev ...finding.Evidence) {
	c.out = append(c.out, finding.Finding{
		Kind: kind, Severity: sev, Title: title, Subject: c.Subject, Evidence: ev,
		Actions: actions(kind),
		Rule:    finding.Rule{ID: finding.RuleID("sekisho/" + strings.TrimPrefix(string(kind), "mail.")), Name: strings.TrimPrefix(string(kind), "mail."), Source: "sekisho"},
	})
}

func actions(kind finding.Kind) []finding.Action {
	staff := finding.Action{Message: lang.M("impersonation.do.staff"), Audience: finding.Staff, Within: finding.Today}
	admin := finding.Action{Message: lang.M("impersonation.do.admin"), Audience: finding.Admin, Within: finding.Today}
	switch kind {
	case PersonName, LookalikeReplyTo, ForeignReplyTo:
		staff.Message = lang.M("impersonation.do.call-back")
	case DeceptiveLink, LookalikeLink:
		staff.Message = lang.M("impersonation.do.not-open")
	case SeveralFrom:
		return []finding.Action{admin}
	}
	return []finding.Action{staff, admin}
}

func (c *checker) severalFrom() {
	for _, a := range c.From[min(1, len(c.From)):] {
		if a.Domain != "" && a.Domain != c.From[0].Domain {
			c.add(SeveralFrom, finding.Medium, lang.M("impersonation.several-from", "n", len(c.From)), c.senderEvidence(c.From[0]), c.senderEvidence(a))
			return
		}
	}
}

func (c *checker) senderEvidence(a eml.Address) finding.Evidence {
	return finding.Evidence{Where: c.FromWhere(a.Span), Quote: a.String()}
}

// sender checks one author of the message.
func (c *checker) sender(a eml.Address) {
	from, err := domain.Parse(a.Domain)
	if err != nil {
		from = ""
	}
	if from != "" && c.ownsName(from) {
		return // a claim to be the organisation itself: the Direct Send decision
	}
	if from != "" {
		if b, m, ok := c.lookalike(from); ok {
			sev := imitation(m)
			if c.AuthFailed && sev < finding.High {
				sev = finding.High
			}
			c.add(LookalikeSender, sev, lookalikeMessage("impersonation.lookalike-sender", from, b, m), c.senderEvidence(a))
		}
	}
	if a.Name == "" {
		return
	}
	c.nameShowsAddress(a, from)
	if c.person(a, from) {
		return
	}
	if c.organisation(a, from) {
		return
	}
	c.brand(a, from)
}

// imitation rates how sure an imitation is: characters chosen to look alike
// are never a coincidence, similar words may be.
func imitation(m domain.Match) finding.Severity {
	switch m.Kind {
	case domain.Confusable, domain.DigitSwap, domain.Subdomain:
		return finding.High
	default:
		return finding.Medium
	}
}

func lookalikeMessage(key string, n domain.Name, target string, m domain.Match) lang.Message {
	return lang.M(key, "domain", n.Unicode(), "target", target, "how", lang.M("impersonation.how."+string(m.Kind)))
}

// lookalike finds the own or brand domain that n imitates.
func (c *checker) lookalike(n domain.Name) (target string, m domain.Match, ok bool) {
	for _, b := range c.Brands {
		if b.Shows(n) || b.Sends(n) || b.Hosts(n) {
			return "", domain.Match{}, false
		}
	}
	for _, m := range c.imitated.Lookalikes(n) {
		switch {
		case m.Kind == domain.SwappedTLD && c.Aligned:
			// The same name under another suffix is often the same company.
		case m.Kind == domain.Subdomain && !strings.Contains(m.Piece, "."):
			// Services name their customers like this: kiso-works.service.example.
		default:
			return m.Target.Unicode(), m, true
		}
	}
	for _, b := range c.Brands {
		var best domain.Match
		for _, m := range b.Imitated.Lookalikes(n) {
			if !b.imitates(m) {
				continue
			}
			if best.Target == "" || m.Target == b.Main {
				best = m
			}
		}
		if best.Target != "" {
			return best.Target.Unicode(), best, true
		}
	}
	return "", domain.Match{}, false
}

// nameShowsAddress finds a display name that is an address, or names a domain,
// other than the one the message comes from: phones show the name alone.
func (c *checker) nameShowsAddress(a eml.Address, from domain.Name) {
	name := norm.NFKC.String(a.Name)
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return
	}
	rest := name[at+1:]
	end := strings.IndexFunc(rest, func(r rune) bool {
		return r != '.' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end >= 0 {
		rest = rest[:end]
	}
	shown, err := domain.Parse(strings.Trim(rest, "."))
	if err != nil || !strings.Contains(string(shown), ".") || domain.Organizational(shown) == domain.Organizational(from) {
		return
	}
	sev := finding.Low
	if c.ownsName(shown) || slices.ContainsFunc(c.Brands, func(b Brand) bool { return b.Sends(shown) }) {
		sev = finding.High
	}
	c.add(AddressInName, sev, lang.M("impersonation.address-in-name", "shown", shown.Unicode(), "actual", a.Addr()),
		finding.Evidence{Where: c.FromWhere(a.NameSpan), Quote: a.Name}, c.senderEvidence(a))
}

// person finds the display name of one of the organisation's people over an
// address that is not the organisation's.
func (c *checker) person(a eml.Address, from domain.Name) bool {
	if c.Aligned && slices.ContainsFunc(c.Brands, func(b Brand) bool { return b.Sends(from) }) {
		return false // "Hanako Tanaka in Teams", from Microsoft itself
	}
	name := foldName(a.Name)
	for _, p := range c.Facts.People.Value() {
		if strings.EqualFold(p.Address, a.Addr()) {
			return false
		}
		full := foldName(p.DisplayName)
		if len([]rune(full)) < 3 || !namesPerson(name, full) {
			continue
		}
		sev := finding.Medium
		if c.AuthFailed || (p.Role == "vip" && c.FreeMail != nil && from != "" && c.FreeMail(from)) {
			sev = finding.High
		}
		c.add(PersonName, sev, lang.M("impersonation.person", "name", p.DisplayName, "address", a.Addr()),
			finding.Evidence{Where: c.FromWhere(a.NameSpan), Quote: a.Name}, c.senderEvidence(a))
		return true
	}
	return false
}

// foldName brings a person's name into a form to compare: compatibility forms
// and spaces make no difference ("木曽　太郎", "木曽太郎").
func foldName(s string) string {
	s = strings.ToLower(norm.NFKC.String(s))
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == '.' || r == '・' }), " ")
}

// namesPerson reports whether the display name is that person's, in either
// order of the words, possibly with a title beside it.
func namesPerson(name, full string) bool {
	if joined := strings.ReplaceAll(full, " ", ""); !isASCII(joined) {
		// In Japanese a title or department stands beside the name without space.
		return strings.Contains(strings.ReplaceAll(name, " ", ""), joined)
	}
	have, want := strings.Fields(name), strings.Fields(full)
	if len(want) < 2 {
		return slices.Equal(have, want)
	}
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return len(have) <= len(want)+2
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// organisation finds the organisation's own name over a foreign address.
func (c *checker) organisation(a eml.Address, from domain.Name) bool {
	name := foldName(a.Name)
	claims := func(s string) bool { return s != "" && containsWord(name, foldName(s)) }
	what := ""
	n := c.Facts.Name.Value()
	short := n
	for _, legal := range []string{"株式会社", "有限会社", "合同会社", "(株)", "（株）", "一般社団法人", "K.K.", "Co., Ltd.", "Inc.", "Ltd."} {
		short = strings.ReplaceAll(short, legal, "")
	}
	short = strings.TrimSpace(short)
	if claims(n) || (len([]rune(short)) >= 3 && claims(short)) {
		what = n
	}
	for _, d := range c.own {
		sld := domain.SLD(d)
		if what == "" && len(sld) >= 5 && (claims(sld) || claims(string(d))) {
			what = string(d)
		}
	}
	if what == "" || c.Aligned && c.fromAllowed(from) {
		return false
	}
	sev := finding.Medium
	if c.AuthFailed {
		sev = finding.High
	}
	c.add(OrganisationName, sev, lang.M("impersonation.organisation", "name", what, "address", a.Addr()),
		finding.Evidence{Where: c.FromWhere(a.NameSpan), Quote: a.Name}, c.senderEvidence(a))
	return true
}

// fromAllowed reports whether the organisation said that this domain sends in
// its name.
func (c *checker) fromAllowed(from domain.Name) bool {
	return slices.ContainsFunc(c.Facts.Allow.Value(), func(p org.AllowPair) bool {
		return string(from) == p.From || strings.HasSuffix(string(from), "."+p.From)
	})
}

// brand finds a brand's name over an address that is not the brand's.
func (c *checker) brand(a eml.Address, from domain.Name) {
	name := foldName(a.Name)
	drawn := foldName(domain.Skeleton(strings.ToLower(name)))
	for _, b := range c.Brands {
		if from != "" && b.Sends(from) {
			return
		}
		claimed, disguised := claims(name, drawn, b)
		if !claimed {
			continue
		}
		sev := finding.Medium
		if c.AuthFailed || disguised {
			sev = finding.High
		}
		c.add(BrandName, sev, lang.M("impersonation.brand", "brand", b.Name, "address", a.Addr()),
			finding.Evidence{Where: c.FromWhere(a.NameSpan), Quote: a.Name}, c.senderEvidence(a))
		return
	}
}

// claims reports whether a display name claims to be the brand, and whether it
// is written with characters that only look like the brand's name.
func claims(name, drawn string, b Brand) (claimed, disguised bool) {
	for _, w := range b.Names {
		if name == foldName(w) {
			return true, false
		}
	}
	for _, w := range b.Words {
		if containsWord(name, foldName(w)) {
			return true, false
		}
	}
	for _, w := range b.Words {
		if containsWord(drawn, foldName(domain.Skeleton(foldName(w)))) {
			return true, true
		}
	}
	return false, false
}

// containsWord reports whether word stands in s as a word of its own. In a
// script without spaces any occurrence is one.
func containsWord(s, word string) bool {
	if word == "" {
		return false
	}
	for i := 0; ; {
		j := strings.Index(s[i:], word)
		if j < 0 {
			return false
		}
		start, end := i+j, i+j+len(word)
		before, after := lastRune(s[:start]), firstRune(s[end:])
		if !sameWord(before, firstRune(word)) && !sameWord(lastRune(word), after) {
			return true
		}
		i = start + 1
		for i < len(s) && s[i]&0xC0 == 0x80 {
			i++
		}
	}
}

// sameWord reports whether two neighbouring characters belong to one word.
func sameWord(a, b rune) bool {
	word := func(r rune) bool { return r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	return word(a) && word(b)
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func lastRune(s string) rune {
	r := []rune(s[max(0, len(s)-4):])
	if len(r) == 0 {
		return 0
	}
	return r[len(r)-1]
}

func (c *checker) replyTo() {
	for _, a := range c.ReplyTo {
		n, err := domain.Parse(a.Domain)
		if err != nil || c.ownsName(n) {
			continue
		}
		f, _ := c.Message.Header().First("Reply-To")
		ev := finding.Evidence{
			Where: finding.Where{Part: c.Part, Header: "Reply-To", Index: f.Index(), Offset: a.Span.Offset, Length: a.Span.Length},
			Quote: a.String(),
		}
		if target, m, ok := c.lookalike(n); ok {
			c.add(LookalikeReplyTo, imitation(m), lookalikeMessage("impersonation.lookalike-reply-to", n, target, m), ev)
		}
		if from, err := domain.Parse(c.MailFrom); c.Forged && (err != nil || domain.Organizational(from) != domain.Organizational(n)) {
			c.add(ForeignReplyTo, finding.Medium, lang.M("impersonation.foreign-reply-to", "address", a.Addr()), ev)
		}
	}
}

// maxLinkFindings bounds the findings of one kind about links: a mail with a
// hundred forged links is no clearer than one with three.
const maxLinkFindings = 3

func (c *checker) links() {
	alikes, deceits := 0, 0
	seen := map[string]bool{}
	for _, l := range c.Links {
		if l.Actual == "" || c.ownsName(l.Host) || seen[l.Actual+" "+string(l.Shown)] {
			continue
		}
		seen[l.Actual+" "+string(l.Shown)] = true
		ev := finding.Evidence{Where: l.Where, Quote: quoteLink(l)}
		if target, m, ok := c.lookalike(l.Host); ok && alikes < maxLinkFindings {
			alikes++
			c.add(LookalikeLink, imitation(m), lookalikeMessage("impersonation.lookalike-link", l.Host, target, m), ev)
		}
		if l.Shown == "" || deceits == maxLinkFindings || c.tracked(l) {
			continue
		}
		deceits++
		sev := finding.Medium
		if c.ownsName(l.Shown) || slices.ContainsFunc(c.Brands, func(b Brand) bool { return b.Shows(l.Shown) }) {
			sev = finding.High
		}
		c.add(DeceptiveLink, sev, lang.M("impersonation.deceptive-link", "shown", l.Shown.Unicode(), "actual", l.Actual), ev)
	}
}

func quoteLink(l Link) string {
	if l.Visible == "" {
		return l.URL
	}
	return l.Visible + " → " + l.URL
}

// tracked reports whether an authenticated sender counts the clicks on its own
// links: the text names the sender's own domain, or the target is the
// sender's. Either way nobody is led away from whom the mail comes from.
func (c *checker) tracked(l Link) bool {
	if !c.Aligned {
		return false
	}
	for _, a := range c.From {
		from, err := domain.Parse(a.Domain)
		if err != nil {
			continue
		}
		o := domain.Organizational(from)
		if o == domain.Organizational(l.Shown) || o == domain.Organizational(l.Host) {
			return true
		}
	}
	return false
}
