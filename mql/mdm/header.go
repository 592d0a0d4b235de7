package mdm

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/mailauth/authres"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	headersShape = value.NewShape("Headers", "auth_summary", "date", "date_original_offset", "delivered_to", "domains", "hops",
		"in_reply_to", "ips", "mailer", "message_id", "references", "reply_to", "return_path", "x_authenticated_domain",
		"x_authenticated_sender", "x_client_ip", "x_originating_ip", "x_secure_server_account", "x_sender", "from")
	hopShape      = value.NewShape("Hop", "index", "authentication_results", "fields", "received", "received_spf", "signature")
	hopFieldShape = value.NewShape("HopField", "name", "position", "value")
	receivedShape = value.NewShape("Received", "additional", "id", "link", "mailbox", "protocol", "server", "source", "time", "zone_offset")
	clauseShape   = value.NewShape("ReceivedClause", "raw")
	signShape     = value.NewShape("Signature", "algorithm", "body_hash", "domain", "headers", "instance", "selector", "signature", "type", "version")
)

// Limits on what one header gives.
const (
	maxReceived  = 8 << 10 // bytes that are read of one Received field
	maxDomains   = 500
	maxReference = 1000
)

// header builds a member of headers.
func (m *Model) header(name string) value.Value {
	h := m.in.Mail.Header()
	switch name {
	case "auth_summary":
		return m.authSummary()
	case "date", "date_original_offset":
		f, ok := h.First("Date")
		if !ok {
			return value.Null
		}
		t, ok := eml.ParseDate(f.Value())
		if !ok {
			return value.Null
		}
		s := t.UTC().Format(time.RFC3339)
		if name != "date" {
			s = zone(t)
		}
		return value.Text(s, m.fieldPlace(f, eml.Span{}))
	case "delivered_to":
		return m.addressOf("Delivered-To")
	case "return_path":
		return m.addressOf("Return-Path")
	case "x_authenticated_sender":
		return m.addressOf("X-Authenticated-Sender")
	case "x_sender":
		return m.addressOf("X-Sender")
	case "x_authenticated_domain":
		if f, ok := h.First("X-Authenticated-Domain"); ok && strings.TrimSpace(f.Value()) != "" {
			return domainValue(strings.TrimSpace(f.Value()), m.fieldPlace(f, eml.Span{}))
		}
		return value.Null
	case "x_client_ip":
		return m.addressIP("X-Client-IP")
	case "x_originating_ip":
		return m.addressIP("X-Originating-IP")
	case "x_secure_server_account":
		return m.text("X-SecureServer-Acct")
	case "mailer":
		if v := m.text("X-Mailer"); !v.IsNull() {
			return v
		}
		return m.text("User-Agent")
	case "message_id":
		return m.text("Message-ID")
	case "in_reply_to":
		return m.text("In-Reply-To")
	case "references":
		f, ok := h.First("References")
		if !ok {
			return value.Array()
		}
		return value.Of(value.LazyList(func() []value.Value { return references(f.Value(), m.fieldPlace(f, eml.Span{})) }))
	case "reply_to":
		return m.mailboxes("Reply-To")
	case "from":
		s := m.sender()
		return value.Of(mailboxShape.New(s.Field("display_name"), s.Field("email")).At(s.Origin()))
	case "hops":
		return value.Of(value.LazyList(m.hops))
	case "domains":
		return value.Of(value.LazyList(m.receivedDomains))
	case "ips":
		return value.Of(value.LazyList(m.receivedIPs))
	}
	return value.Null
}

// zone writes the offset of a time in hours: "-4", "5.5".
func zone(t time.Time) string {
	_, seconds := t.Zone()
	return strconv.FormatFloat(float64(seconds)/3600, 'f', -1, 64)
}

// text returns the decoded text of a field, null where there is no such field.
func (m *Model) text(name string) value.Value {
	f, ok := m.in.Mail.Header().First(name)
	if !ok {
		return value.Null
	}
	return m.fieldText(f, f.Text().TrimSpace())
}

// addressOf returns the address in a field, null where it holds none.
func (m *Model) addressOf(name string) value.Value {
	f, ok := m.in.Mail.Header().First(name)
	if !ok {
		return value.Null
	}
	for _, a := range f.Addresses() {
		if a.Domain != "" {
			return emailValue(a.Local, a.Domain, m.fieldPlace(f, a.Span))
		}
	}
	return value.Null
}

func (m *Model) addressIP(name string) value.Value {
	f, ok := m.in.Mail.Header().First(name)
	if !ok {
		return value.Null
	}
	a, err := netip.ParseAddr(strings.Trim(f.Value(), " []"))
	if err != nil {
		return value.Null
	}
	return ipValue(a, m.fieldPlace(f, eml.Span{}))
}

// references are Message-IDs without their angle brackets, as rules compare
// their ends.
func references(s string, o value.Origin) []value.Value {
	var out []value.Value
	for id := range strings.FieldsSeq(strings.NewReplacer("><", "> <", ",", " ").Replace(s)) {
		if id = strings.Trim(id, "<>"); id != "" {
			out = append(out, value.Text(id, o))
		}
		if len(out) == maxReference {
			break
		}
	}
	return out
}

// block is one hop: its fields from the bottom of the header to the top.
type block struct {
	fields   []eml.Field
	start    int // place of the first one, counted from the bottom of the header
	received int // index in fields of the Received field, -1 if there is none
}

// hopBlocks cuts the header at its Received fields, from the sender to the
// recipient: the first block is what the author wrote, the earliest Received
// field, and the fields that were put above it up to the next one. Fields that
// a host writes below its own Received field (as Gmail does) count for the hop
// before, except for those of the author's block, which cannot be told apart.
func (m *Model) hopBlocks() []block {
	if m.blocks != nil {
		return m.blocks
	}
	fields := m.in.Mail.Header().Fields()
	cur := block{received: -1}
	for i, f := range slices.Backward(fields) {
		if f.Is("Received") {
			if cur.received >= 0 {
				m.blocks = append(m.blocks, cur)
				cur = block{start: len(fields) - 1 - i, received: -1}
			}
			cur.received = len(cur.fields)
		}
		cur.fields = append(cur.fields, f)
	}
	m.blocks = append(m.blocks, cur)
	return m.blocks
}

func (m *Model) hops() []value.Value {
	blocks := m.hopBlocks()
	out := make([]value.Value, len(blocks))
	for i, b := range blocks {
		out[i] = value.Of(hopShape.Lazy(func(name string) value.Value {
			switch name {
			case "index":
				return value.Int(int64(i))
			case "fields":
				return value.Of(value.LazyList(func() []value.Value { return m.hopFields(b) }))
			case "received":
				if b.received < 0 {
					return value.Null
				}
				return m.received(b.fields[b.received])
			case "authentication_results":
				return m.hopResults(i)
			case "received_spf":
				return m.receivedSPF(b)
			}
			return m.signature(b)
		}))
	}
	return out
}

func (m *Model) hopFields(b block) []value.Value {
	out := make([]value.Value, len(b.fields))
	for i, f := range b.fields {
		out[i] = value.Of(hopFieldShape.Lazy(func(name string) value.Value {
			switch name {
			case "name":
				return value.Text(f.Name(), m.fieldPlace(f, f.Span()))
			case "position":
				return value.Int(int64(b.start + i))
			}
			return m.fieldText(f, f.Text().TrimSpace())
		}).At(m.fieldPlace(f, f.Span())))
	}
	return out
}

// clauses are the parts of a Received field (RFC 5321 section 4.4) by the word
// that begins each.
func clauses(s string) (parts map[string]string, date string) {
	s = s[:min(len(s), maxReceived)]
	parts = map[string]string{}
	key, from, semicolon := "", 0, -1
	end := func(at int) {
		if v := strings.TrimSpace(s[from:max(at, from)]); v != "" {
			if _, ok := parts[key]; !ok {
				parts[key] = v
			}
		}
	}
	last := strings.LastIndexByte(s, ';')
	for i := 0; i < len(s) && semicolon < 0; {
		switch {
		case s[i] == '(':
			i = eml.SkipComment(s, i)
		case i == last:
			semicolon = i
		case s[i] == ' ' || s[i] == '\t':
			i++
		default:
			to := i
			for to < len(s) && s[to] != ' ' && s[to] != '\t' && s[to] != '(' && to != last {
				to++
			}
			switch word := lower(s[i:to]); word {
			case "from", "by", "with", "id", "for", "via":
				if _, seen := parts[word]; !seen && word != key {
					end(i)
					key, from = word, to
				}
			}
			i = max(to, i+1)
		}
	}
	if semicolon < 0 {
		end(len(s))
		return parts, ""
	}
	end(semicolon)
	return parts, s[semicolon+1:]
}

func (m *Model) received(f eml.Field) value.Value {
	parts, date := clauses(f.Value())
	o := m.fieldPlace(f, eml.Span{})
	clause := func(word string) value.Value {
		s, ok := parts[word]
		if !ok {
			return value.Null
		}
		return value.Of(clauseShape.New(value.Text(s, o)))
	}
	when, offset := value.Null, value.Null
	if t, ok := eml.ParseDate(strings.TrimSpace(date)); ok {
		when, offset = value.Text(t.UTC().Format(time.RFC3339), o), value.Text(zone(t), o)
	}
	return value.Of(receivedShape.New(clause(""), clause("id"), clause("via"), clause("for"), clause("with"), clause("by"), clause("from"), when, offset).At(o))
}

// receivedDomains are the names in all Received fields, the oldest first, each
// once.
func (m *Model) receivedDomains() []value.Value {
	var out []value.Value
	seen := map[domain.Name]bool{}
	for _, b := range m.hopBlocks() {
		if b.received < 0 {
			continue
		}
		f := b.fields[b.received]
		s := f.Value()
		s = s[:min(len(s), maxReceived)]
		if i := strings.LastIndexByte(s, ';'); i >= 0 {
			s = s[:i]
		}
		for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" \t()[]<>@;,=\"'", r) }) {
			w = strings.TrimRight(w, ".:")
			if !strings.Contains(w, ".") || len(out) == maxDomains {
				continue
			}
			n, err := domain.Parse(w)
			if err != nil || seen[n] || !link.Registered(n) {
				continue
			}
			seen[n] = true
			out = append(out, nameValue(n, m.fieldPlace(f, eml.Span{})))
		}
	}
	return out
}

// receivedIPs are the addresses in brackets in all Received fields, the oldest
// field first, each once.
func (m *Model) receivedIPs() []value.Value {
	var out []value.Value
	seen := map[netip.Addr]bool{}
	for _, b := range m.hopBlocks() {
		if b.received < 0 {
			continue
		}
		f := b.fields[b.received]
		s := f.Value()
		s = s[:min(len(s), maxReceived)]
		for i := range len(s) {
			if s[i] != '(' && s[i] != '[' {
				continue
			}
			w := strings.TrimPrefix(s[i+1:], "IPv6:")
			if end := strings.IndexAny(w, ")] ;"); end > 0 && end < 64 {
				a, err := netip.ParseAddr(w[:end])
				if err == nil && !seen[a] && len(out) < maxDomains {
					seen[a] = true
					out = append(out, ipValue(a, m.fieldPlace(f, eml.Span{})))
				}
			}
		}
	}
	return out
}

// signature reads the first DKIM or ARC signature of a hop.
func (m *Model) signature(b block) value.Value {
	for _, f := range b.fields {
		kind := ""
		switch {
		case f.Is("DKIM-Signature"):
			kind = "dkim"
		case f.Is("ARC-Message-Signature"):
			kind = "arc-message"
		default:
			continue
		}
		o := m.fieldPlace(f, eml.Span{})
		tags := map[string]value.Value{}
		for t := range strings.SplitSeq(f.Value(), ";") {
			if k, v, ok := strings.Cut(t, "="); ok {
				tags[lower(strings.TrimSpace(k))] = value.Text(strings.TrimSpace(v), o)
			}
		}
		return value.Of(signShape.New(tags["a"], tags["bh"], tags["d"], tags["h"], tags["i"], tags["s"], tags["b"], value.String(kind), tags["v"]).At(o))
	}
	return value.Null
}

func (m *Model) receivedSPF(b block) value.Value {
	for _, f := range b.fields {
		if !f.Is("Received-SPF") {
			continue
		}
		r, err := authres.ParseReceivedSPF(f)
		if err != nil {
			continue
		}
		return m.spfValue(f, spfDetails{verdict: r.Result.Text, comment: r.Comment.Text, designator: r.Domain, ip: r.ClientIP, helo: r.Helo})
	}
	return value.Null
}
