package requirement

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
)

// Reply is what a receiver says when it refuses mail, and what that means.
type Reply struct {
	ID       string    `yaml:"id"`
	Receiver string    `yaml:"receiver"` // ID of a receiver of the table, or a word of its own
	System   lang.Text `yaml:"system"`   // who says so, where it is no receiver of the table
	Hosts    []string  `yaml:"hosts"`    // likewise, the domains of its servers
	Codes    []string  `yaml:"codes"`    // enhanced status codes (RFC 3463) without the class: "7.26"
	Words    []string  `yaml:"words"`    // one of which stands in the text, in lower case; none is needed where empty
	Rules    []string  `yaml:"rules"`    // of the receiver, that are not met
	Meaning  lang.Text `yaml:"meaning"`
	Fix      lang.Text `yaml:"fix"`
	Source   string    `yaml:"source"`
	Read     string    `yaml:"read"`
}

// Refusal is one reply that a server gave, as a bounce reports it.
type Refusal struct {
	Code      string // of SMTP: "550"; empty where only the status is known
	Status    string // RFC 3463: "5.7.515"; empty where the reply has none
	Text      string // the reply on one line
	Recipient string
	Remote    string // the server that said so
	Sender    domain.Name
}

// Temporary reports whether the sending server tries again.
func (r *Refusal) Temporary() bool {
	return strings.HasPrefix(r.Status, "4") || r.Status == "" && strings.HasPrefix(r.Code, "4")
}

// Explanation is what a refusal means.
type Explanation struct {
	Refusal
	Reply    *Reply          // nil: the table does not know it
	Receiver *Receiver       // nil: another system
	Rules    []*Rule         // that are not met
	Results  []Authenticated // what the receiver says of SPF, DKIM and DMARC
}

// Authenticated is a result that a reply names, such as Spf=Fail.
type Authenticated struct {
	Mechanism string // spf, dkim, dmarc
	Pass      bool
}

// Bounds on reading a bounce.
const (
	maxBounceText = 256 << 10
	maxRefusals   = 20
	maxReply      = 700
	maxFieldLine  = 2000
)

// ReadBounce reads the refusals that a report of delivery (RFC 3464) holds.
// Where the report has no part for programs, or one that tells nothing, the
// text for people is read. It returns none for a message that is no bounce.
func ReadBounce(m *eml.Message) []Refusal {
	var out []Refusal
	sender := domain.Name("")
	text := ""
	n := 0
	for p := range m.Parts() {
		if n++; n > 50 {
			break
		}
		switch t := strings.ToLower(p.MediaType()); t {
		case "message/delivery-status", "message/global-delivery-status":
			out = append(out, readStatus(string(p.Content()[:min(len(p.Content()), maxBounceText)]))...)
		case "text/rfc822-headers", "message/global-headers":
			sender = authorOf(eml.Parse(p.Content(), nil), sender)
		case "text/plain", "text/html":
			if text == "" {
				text = p.Text()
			}
		default:
			if inner := p.Embedded(); inner != nil {
				sender = authorOf(inner, sender)
			}
		}
	}
	out = out[:min(len(out), maxRefusals)]
	known := slices.ContainsFunc(out, func(r Refusal) bool { return r.Status != "" && r.Text != "" })
	if len(out) > 0 && !known || len(out) == 0 && isBounce(m) {
		if found := ReadRefusals(text); len(found) > 0 {
			for i := range found {
				if len(out) > 0 && found[i].Recipient == "" {
					found[i].Recipient, found[i].Remote = out[0].Recipient, out[0].Remote
				}
			}
			out = found
		}
	}
	for i := range out {
		if out[i].Sender == "" {
			out[i].Sender = sender
		}
	}
	return out
}

func authorOf(m *eml.Message, have domain.Name) domain.Name {
	if from := m.From(); have == "" && len(from) > 0 {
		if n, err := domain.Parse(from[0].Domain); err == nil {
			return n
		}
	}
	return have
}

// isBounce reports whether a message without a part for programs is a report
// all the same: it comes from nobody or from a mail server.
func isBounce(m *eml.Message) bool {
	h := m.Header()
	if strings.EqualFold(m.Root().MediaType(), "multipart/report") {
		return strings.EqualFold(m.Root().Param("report-type"), "delivery-status")
	}
	if h.Value("X-Failed-Recipients") != "" {
		return true
	}
	for _, a := range m.From() {
		if l := strings.ToLower(a.Local); l == "mailer-daemon" || l == "postmaster" {
			return true
		}
	}
	return false
}

// readStatus reads the fields of a delivery status (RFC 3464 section 2): those
// of the message, and after an empty line those of each recipient.
func readStatus(s string) []Refusal {
	var out []Refusal
	for group := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		fields := statusFields(group)
		if fields["final-recipient"] == "" && fields["original-recipient"] == "" && fields["diagnostic-code"] == "" {
			continue
		}
		if a := strings.ToLower(fields["action"]); a == "delivered" || a == "relayed" || a == "expanded" {
			continue
		}
		r := Refusal{Recipient: typed(fields["final-recipient"]), Remote: strings.ToLower(typed(fields["remote-mta"]))}
		if r.Recipient == "" {
			r.Recipient = typed(fields["original-recipient"])
		}
		diagnostic := typed(fields["diagnostic-code"])
		r.Text = oneReply(diagnostic)
		code, status, _ := nextStatus(diagnostic, 0)
		r.Code = code
		if r.Status = firstStatus(fields["status"]); status != "" {
			r.Status = status // of the remote server; Status is often the sending server's own
		}
		r.Sender = senderIn(r.Text)
		if out = append(out, r); len(out) == maxRefusals {
			break
		}
	}
	return out
}

func firstStatus(s string) string {
	_, status, _ := nextStatus(s, 0)
	return status
}

// statusFields reads a group of fields, their lines unfolded.
func statusFields(group string) map[string]string {
	fields := map[string]string{}
	last := ""
	for line := range strings.Lines(group) {
		line = strings.TrimRight(line, "\r\n")
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			if last != "" && len(fields[last]) < maxFieldLine {
				fields[last] += " " + strings.TrimSpace(line)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		last = ""
		if name = strings.ToLower(strings.TrimSpace(name)); ok && len(fields) < 40 && fields[name] == "" {
			last = name
			fields[name] = strings.TrimSpace(value[:min(len(value), maxFieldLine)])
		}
	}
	return fields
}

// typed returns the value behind its type: "smtp; 550 ..." (RFC 3464 section
// 2.1.2).
func typed(s string) string {
	if _, v, ok := strings.Cut(s, ";"); ok {
		return strings.Trim(strings.TrimSpace(v), "<>")
	}
	return strings.Trim(strings.TrimSpace(s), "<>")
}

// ReadRefusals finds the replies of servers in a text, as people paste it from a
// bounce or a log.
func ReadRefusals(text string) []Refusal {
	text = text[:min(len(text), maxBounceText)]
	var out []Refusal
	for at := 0; at < len(text) && len(out) < maxRefusals; {
		code, status, i := nextStatus(text, at)
		if i < 0 {
			break
		}
		at = i + len(status)
		if slices.ContainsFunc(out, func(r Refusal) bool { return r.Status == status }) {
			continue
		}
		begin := i - len(code) - 1
		if code == "" {
			begin = i
		}
		r := Refusal{Code: code, Status: status, Text: oneReply(text[max(begin, 0):min(len(text), i+2*maxReply)])}
		r.Sender = senderIn(r.Text)
		around := text[max(0, i-400):min(len(text), i+2*maxReply)]
		r.Remote = hostIn(around)
		out = append(out, r)
	}
	return out
}

// nextStatus finds the next enhanced status code of class 4 or 5 at or after an
// offset, and the SMTP code in front of it. It returns -1 if there is none.
func nextStatus(s string, at int) (code, status string, i int) {
	for i := at; i < len(s); i++ {
		if s[i] != '4' && s[i] != '5' {
			continue
		}
		if i > 0 && (isDigit(s[i-1]) || s[i-1] == '.') {
			continue
		}
		end := i + 1
		parts := 0
		for parts < 2 && end < len(s) && s[end] == '.' {
			digits := end + 1
			for digits < len(s) && isDigit(s[digits]) && digits-end <= 3 {
				digits++
			}
			if digits == end+1 {
				break
			}
			end = digits
			parts++
		}
		if parts < 2 || end < len(s) && isDigit(s[end]) || end+1 < len(s) && s[end] == '.' && isDigit(s[end+1]) {
			continue
		}
		status = s[i:end]
		if j := i - 1; j >= 3 && (s[j] == ' ' || s[j] == '-' || s[j] == '#' || s[j] == ';') {
			for j > 0 && (s[j] == ' ' || s[j] == '#' || s[j] == ';') {
				j--
			}
			if j > 0 && s[j] == '-' {
				j--
			}
			if j >= 2 && isDigit(s[j]) && isDigit(s[j-1]) && (s[j-2] == '4' || s[j-2] == '5') && (j == 2 || !isDigit(s[j-3])) {
				code = s[j-2 : j+1]
			}
		}
		return code, status, i
	}
	return "", "", -1
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// oneReply puts a reply of several lines on one: a server repeats the code and
// the status at the beginning of each (RFC 5321 section 4.2.1).
func oneReply(s string) string {
	code, status, i := nextStatus(s, 0)
	words := strings.Fields(s[:min(len(s), 2*maxReply)])
	out := words[:0]
	for n, w := range words {
		again := w == code+"-"+status || w == status || w == code
		if i >= 0 && n > 1 && again {
			continue
		}
		out = append(out, w)
	}
	joined := strings.Join(out, " ")
	if len(joined) > maxReply {
		joined = strings.ToValidUTF8(joined[:maxReply], "")
	}
	return joined
}

// senderIn returns the domain of ours that a reply names.
func senderIn(text string) domain.Name {
	low := strings.ToLower(text)
	for _, lead := range []string{"sending domain ", "unauthenticated email from ", "domain of "} {
		_, rest, ok := strings.Cut(low, lead)
		if !ok {
			continue
		}
		word, _, _ := strings.Cut(strings.TrimLeft(rest, " <[("), " ")
		if at := strings.LastIndexByte(word, '@'); at >= 0 {
			word = word[at+1:]
		}
		if n, err := domain.Parse(strings.Trim(word, "<>[]().,;:'\"")); err == nil && strings.Contains(string(n), ".") {
			return n
		}
	}
	return ""
}

// hostIn returns a host that a text names and that looks like a mail server of
// somebody: it has at least three labels.
func hostIn(text string) string {
	for w := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '@' && r != '/'
	}) {
		if len(w) > 253 || strings.Count(w, ".") < 2 || strings.ContainsAny(w, "@/") || isDigit(w[len(w)-1]) {
			continue
		}
		if n, err := domain.Parse(w); err == nil {
			return string(n)
		}
	}
	return ""
}

// Explain looks a refusal up. The reply of the receiver who gave it wins over
// that of another with the same code.
func (t *Table) Explain(r Refusal) Explanation {
	out := Explanation{Refusal: r, Results: resultsIn(r.Text)}
	by := t.who(&r)
	low := strings.ToLower(r.Text)
	suffix := ""
	if len(r.Status) > 2 {
		suffix = r.Status[2:]
	}
	best := 0
	for i := range t.Replies {
		p := &t.Replies[i]
		switch {
		case len(p.Codes) > 0 && !slices.Contains(p.Codes, suffix):
			continue
		case len(p.Words) > 0 && !slices.ContainsFunc(p.Words, func(w string) bool { return strings.Contains(low, w) }):
			continue
		case by != p.Receiver && !unmistakable(p) && (by != "" || len(p.Words) == 0):
			continue
		}
		// What says more of the reply wins: the server's name, then its words.
		score := 1
		if by == p.Receiver {
			score += 4
		}
		if len(p.Words) > 0 {
			score += 2
		}
		if len(p.Codes) > 0 {
			score++
		}
		if score > best {
			best, out.Reply = score, p
		}
	}
	name := by
	if out.Reply != nil {
		name = out.Reply.Receiver
	}
	if out.Receiver = t.Receiver(name); out.Receiver != nil && out.Reply != nil {
		for _, id := range out.Reply.Rules {
			if rule := out.Receiver.Rule(id); rule != nil {
				out.Rules = append(out.Rules, rule)
			}
		}
	}
	return out
}

// unmistakable reports whether the codes of a reply are used by one system
// alone: those beyond what RFC 3463 and RFC 7372 register.
func unmistakable(p *Reply) bool {
	return slices.ContainsFunc(p.Codes, func(c string) bool { return strings.HasPrefix(c, "7.") && len(c) >= 5 })
}

// who returns the ID of the receiver or system that gave a reply.
func (t *Table) who(r *Refusal) string {
	host := domain.Name(r.Remote)
	best, by := 0, ""
	consider := func(id string, hosts []string) {
		for _, h := range hosts {
			if len(h) > best && host.IsSubdomainOf(domain.Name(h)) {
				best, by = len(h), id
			}
		}
	}
	for i := range t.Receivers {
		consider(t.Receivers[i].ID, t.Receivers[i].Hosts)
	}
	for i := range t.Replies {
		consider(t.Replies[i].Receiver, t.Replies[i].Hosts)
	}
	if by != "" {
		return by
	}
	if at := strings.LastIndexByte(r.Recipient, '@'); at >= 0 {
		for i := range t.Receivers {
			if slices.Contains(t.Receivers[i].Domains, strings.ToLower(r.Recipient[at+1:])) {
				return t.Receivers[i].ID
			}
		}
	}
	if strings.Contains(r.Text, "gsmtp") {
		return "gmail"
	}
	return ""
}

// resultsIn reads "Spf= Fail , Dkim= Pass , DMARC= Fail", as Outlook.com writes.
func resultsIn(text string) []Authenticated {
	low := strings.ToLower(text)
	var out []Authenticated
	for _, m := range []string{"spf", "dkim", "dmarc"} {
		_, rest, ok := strings.Cut(low, m+"=")
		if !ok {
			if _, rest, ok = strings.Cut(low, m+" ="); !ok {
				continue
			}
		}
		rest = strings.TrimLeft(rest, " ")
		switch {
		case strings.HasPrefix(rest, "pass"):
			out = append(out, Authenticated{Mechanism: m, Pass: true})
		case strings.HasPrefix(rest, "fail"), strings.HasPrefix(rest, "none"), strings.HasPrefix(rest, "did not pass"):
			out = append(out, Authenticated{Mechanism: m})
		}
	}
	return out
}
