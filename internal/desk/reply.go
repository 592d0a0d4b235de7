package desk

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sekisho/sekisho/advisory"
	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/m365"
	"github.com/sekisho/sekisho/mailauth/dmarc"
	"github.com/sekisho/sekisho/org"
)

// ReplyMode says whether those who report a mail get an answer.
type ReplyMode string

// The modes.
const (
	ReplyOff     ReplyMode = "off"
	ReplyApprove ReplyMode = "approve" // once somebody approved it
	ReplyAuto    ReplyMode = "auto"
)

// ReplyRules is what the user wants of replies.
type ReplyRules struct {
	Mode        ReplyMode // "" is off
	Only        []Word    // verdicts that are answered; none is all
	PerReporter int       // replies to one reporter within an hour; 0 is [DefaultPerReporter]
	PerHour     int       // replies to all within an hour; 0 is [DefaultPerHour]
}

// How many replies leave within an hour, unless the user says otherwise.
const (
	DefaultPerReporter = 5
	DefaultPerHour     = 60
)

// ReplyDeps is what answering a reporter needs from outside.
type ReplyDeps struct {
	Store    OutboxStore
	Blobs    Blobs
	Judge    func(ctx context.Context) (JudgeDeps, error) // for the facts, the words and the resolver
	Rules    ReplyRules
	From     string        // address of ours, with or without a name
	Own      []string      // further addresses at which we get mail
	Language lang.Language // for reporters whose language nobody knows; "" by the country
	Now      func() time.Time
}

// Replied is what became of a report: whether there is a reply, and if not, why.
type Replied string

// What may become of a report.
const (
	ReplyKept      Replied = "kept"      // the reply is in the outbox
	ReplyThere     Replied = "there"     // it was before
	ReplyNone      Replied = "no-report" // nobody handed the mail in
	ReplyUnwanted  Replied = "unwanted"  // by the rules
	ReplyAutomatic Replied = "automatic" // a program sent the report
	ReplyStranger  Replied = "stranger"  // the reporter is not of the organisation
	ReplyUnproven  Replied = "unproven"  // anybody could have sent it in the name of the reporter
	ReplyLimited   Replied = "limited"   // there were too many
)

// ReplyToReporter answers whoever reported a mail that was judged and kept: by
// forwarding it or with a report button. The reply goes into the outbox, one for
// each report.
//
// It goes to nobody but a person of the organisation whose report is authentic,
// and never to a program: a reply that goes astray tells an attacker what is
// recognised, and two programs that answer each other do not stop.
func ReplyToReporter(ctx context.Context, e *QueueEntry, k *KeptMail, deps *ReplyDeps) (Replied, error) {
	v := k.Verdict
	switch {
	case deps.Rules.Mode != ReplyApprove && deps.Rules.Mode != ReplyAuto:
		return ReplyUnwanted, nil
	case v == nil || v.Error != nil || v.Wrapper == nil || k.ID != e.ID, // a journal copy has another ID than what is in it
		e.Source != SourceSMTP && e.Source != SourceIMAP && e.Source != SourceGraph:
		return ReplyNone, nil
	case len(deps.Rules.Only) > 0 && !slices.Contains(deps.Rules.Only, v.Verdict):
		return ReplyUnwanted, nil
	}
	raw, err := deps.Blobs.Blob(ctx, e.Blob)
	if err != nil {
		return "", err
	}
	m := eml.Parse(raw, &eml.Options{Budget: budget.New(nil)})
	to, ok := onlyAuthor(m)
	if !ok {
		return ReplyStranger, nil
	}
	if isAutomatic(m, e.Envelope, to) || deps.isOwn(to) {
		return ReplyAutomatic, nil
	}
	judging, err := deps.Judge(ctx)
	if err != nil {
		return "", err
	}
	if _, ok := judging.Facts.Owns(to[strings.LastIndexByte(to, '@')+1:]); !ok {
		return ReplyStranger, nil
	}
	if !isProven(ctx, m, e, &judging, deps.Now()) {
		return ReplyUnproven, nil
	}
	out, err := deps.reply(m, to, k, &judging)
	if err != nil {
		return "", err
	}
	hour := out.Made.Add(-time.Hour)
	added, err := deps.Store.AddOut(ctx, out,
		OutLimit{Kind: OutReply, To: to, Since: hour, Most: positive(deps.Rules.PerReporter, DefaultPerReporter)},
		OutLimit{Kind: OutReply, Since: hour, Most: positive(deps.Rules.PerHour, DefaultPerHour)})
	switch {
	case err != nil:
		return "", err
	case added == OutThere:
		return ReplyThere, nil
	case added == OutLimited:
		return ReplyLimited, nil
	}
	return ReplyKept, nil
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// onlyAuthor returns the address of the only author of a message, in lower case.
func onlyAuthor(m *eml.Message) (string, bool) {
	from := m.From()
	if len(m.Header().All("From")) != 1 || len(from) != 1 || from[0].Local == "" || from[0].Domain == "" {
		return "", false
	}
	a := strings.ToLower(from[0].Addr())
	plain := len(a) <= 254 && !strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`"<>(),:;[]\`, r) })
	return a, plain && strings.Count(a, "@") == 1
}

func (d *ReplyDeps) isOwn(address string) bool {
	own := append([]string{d.From}, d.Own...)
	return slices.ContainsFunc(own, func(s string) bool {
		if i := strings.LastIndexByte(s, '<'); i >= 0 {
			s = strings.TrimSuffix(s[i+1:], ">")
		}
		return strings.EqualFold(s, address)
	})
}

// isRobot reports whether an address is one behind which nobody reads (RFC 3834 section 2, RFC 2142).
func isRobot(address string) bool {
	local, _, _ := strings.Cut(address, "@")
	plain := strings.NewReplacer("-", "", "_", "", ".", "").Replace(local)
	for _, name := range []string{"noreply", "donotreply", "mailerdaemon"} {
		if strings.Contains(plain, name) {
			return true
		}
	}
	return slices.Contains([]string{"postmaster", "listserv", "majordomo", "bounce", "bounces", "root", "daemon"}, local) ||
		strings.HasPrefix(local, "owner-") || strings.HasSuffix(local, "-request") || strings.HasSuffix(local, "-bounces") || strings.HasPrefix(local, "bounces+") ||
		strings.HasPrefix(local, "prvs=") || strings.HasPrefix(local, "srs0=")
}

// isAutomatic reports whether a program sent a message, as far as RFC 3834 section
// 2 and RFC 2369 let it be seen, or whether nobody is to be answered.
func isAutomatic(m *eml.Message, e *MailEnvelope, from string) bool {
	if isRobot(from) || e != nil && e.From == "" || e != nil && isRobot(strings.ToLower(e.From)) {
		return true
	}
	if root := m.Root(); root.MediaType() == "multipart/report" {
		return true
	}
	for _, f := range m.Header().Fields() {
		name, value := strings.ToLower(f.Name()), strings.ToLower(strings.TrimSpace(f.Value()))
		word := strings.TrimSpace(value)
		if i := strings.IndexAny(word, "; \t("); i >= 0 {
			word = word[:i]
		}
		switch {
		case name == "auto-submitted" && word != "no",
			name == "precedence" && slices.Contains([]string{"bulk", "list", "junk", "auto_reply"}, word),
			strings.HasPrefix(name, "list-"),
			name == "return-path" && strings.Trim(value, " \t<>") == "",
			name == "x-loop", name == "x-autoreply", name == "x-autorespond", name == "x-autogenerated",
			// A rule of a mailbox forwarded it (MS-OXORULE).
			name == "x-ms-exchange-inbox-rules-loop", name == "x-ms-exchange-generated-message-source":
			return true
		}
	}
	return false
}

// isProven reports whether a report comes from its author. What was delivered by
// SMTP has to pass DMARC: by our own verification, or where there is no DNS, as
// Exchange Online wrote. Into a mailbox the mail server of the organisation lets
// its own people write; there, nothing must say that it was somebody else.
func isProven(ctx context.Context, m *eml.Message, e *QueueEntry, judging *JudgeDeps, now time.Time) bool {
	decision := m365.DirectSend(m365.Input{Message: m, Facts: &judging.Facts})
	if decision.Verdict.IsSpoof() {
		return false
	}
	a := m365.Authenticate(m, m365.NewPath(m.Header(), &judging.Facts))
	if e.Source == SourceSMTP {
		if judging.Resolver == nil {
			return a.DMARC.Passed()
		}
		var h *Handover
		if e.Remote.IsValid() && e.Envelope != nil {
			h = &Handover{IP: e.Remote, HELO: e.HELO, MailFrom: e.Envelope.From}
		}
		v := verify(ctx, m, bounded(judging.Resolver), judging.Facts, now, h.given(&judging.Facts), budget.New(nil))
		return v.report.DMARC.Status == dmarc.StatusPass
	}
	if decision.Verdict == m365.Internal {
		return true
	}
	denied := func(r m365.Result) bool {
		return r.Trusted && (strings.HasSuffix(r.Result, "fail") || strings.HasSuffix(r.Result, "error"))
	}
	return !denied(a.DMARC) && !denied(a.CompAuth)
}

// reply writes the reply.
func (d *ReplyDeps) reply(m *eml.Message, to string, k *KeptMail, judging *JudgeDeps) (*OutMail, error) {
	words := judging.Words
	if words == nil {
		words = lang.Default()
	}
	l := d.languageOf(m, to, &judging.Facts)
	say := func(key string, pairs ...any) string { return words.Say(l, lang.M(key, pairs...)) }
	now := d.Now()
	key := "reply/" + string(k.ID)
	out := &OutMail{
		ID: OutID(key), Key: key, Kind: OutReply, State: OutReady, To: to, About: k.ID, Verdict: k.Verdict.Verdict, Made: now, Due: now,
		Subject: say("reply.subject." + string(k.Verdict.Verdict)),
	}
	if d.Rules.Mode == ReplyApprove {
		out.State = OutWaiting
	}
	var b bytes.Buffer
	err := advisory.WriteMail(&b, &advisory.Mail{
		From: d.From, To: to, Subject: out.Subject, Text: replyText(k.Verdict, say, l, &judging.Facts), Date: now, MessageID: messageID("reply", out.ID, d.From),
		InReplyTo: m.MessageID(), References: threadOf(m), Lang: string(l), Submitted: advisory.AutoReplied,
	})
	if err != nil {
		return nil, &Error{Kind: Invalid, Message: lang.M("outbox.error.write", "error", err.Error()), Err: err}
	}
	out.Raw = b.Bytes()
	return out, nil
}

// messageID is the Message-ID of a mail of ours, in the domain of its sender.
func messageID(kind, id, from string) string {
	host := strings.TrimRight(from[strings.LastIndexByte(from, '@')+1:], "> ")
	return fmt.Sprintf("sekisho.%s.%s@%s", kind, id, host)
}

// maxThread bounds what is read of References.
const maxThread = 8 << 10

func threadOf(m *eml.Message) []string {
	f, ok := m.Header().First("References")
	if !ok {
		return nil
	}
	v := f.Value()
	var out []string
	for id := range strings.FieldsSeq(v[:min(len(v), maxThread)]) {
		out = append(out, strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">"))
	}
	return out
}

// maxLanguage bounds how much of a report is looked at for its language.
const maxLanguage = 16 << 10

// languageOf finds the language of a reporter: what is known of the person, else
// Japanese for whoever writes kana, which no other language has, else what is
// configured. What was reported says nothing of who reported it.
func (d *ReplyDeps) languageOf(m *eml.Message, to string, facts *org.Facts) lang.Language {
	for _, p := range facts.People.Value() {
		if p.Lang != "" && strings.EqualFold(p.Address, to) {
			return lang.Language(p.Lang)
		}
	}
	look := func(s string) bool {
		return strings.ContainsFunc(s[:min(len(s), maxLanguage)], func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) })
	}
	for p := range m.Parts() {
		if p.IsText() && !p.IsAttachment() && look(p.Text()) {
			return lang.JA
		}
	}
	if look(m.From()[0].Name) {
		return lang.JA
	}
	switch {
	case d.Language != "":
		return d.Language
	case facts.Country.Value() == "JP":
		return lang.JA
	}
	return lang.EN
}

// maxReplyQuote is how many characters a reply repeats of what others wrote.
const maxReplyQuote = 120

// replyText is the body of a reply: thanks, the verdict in plain words, what to
// do. Of the reported mail it has subject and sender, and nothing of them is a
// link.
func replyText(v *Verdict, say func(string, ...any) string, l lang.Language, facts *org.Facts) string {
	word := string(v.Verdict)
	from := ""
	if v.From != nil {
		from = v.From.String()
	}
	quote := func(s string) string {
		if s = inert(cutRunes(s, maxReplyQuote)); s == "" {
			return "-"
		}
		return s
	}
	lines := []string{
		say("reply.greeting"), "", say("reply.thanks"), "",
		say("reply.about.subject", "subject", quote(v.Subject)), say("reply.about.from", "from", quote(from)), "",
		say("reply.verdict." + word),
	}
	if v.Verdict == Malicious || v.Verdict == Suspicious {
		if reason := inert(cutRunes(v.Reason.In(l), 3*maxReplyQuote)); reason != "" {
			lines = append(lines, say("reply.reason", "reason", reason))
		}
	}
	lines = append(lines, "", say("reply.do."+word))
	if it, ok := facts.Contacts.Value()["it"]; ok && (it.Name != "" || it.Mail != "" || it.Extension != "") {
		lines = append(lines, "", say("reply.contact"))
		if it.Name != "" {
			lines = append(lines, "  "+it.Name)
		}
		if it.Extension != "" {
			lines = append(lines, "  "+say("reply.extension", "extension", it.Extension))
		}
		if it.Mail != "" {
			lines = append(lines, "  "+it.Mail)
		}
	}
	return strings.Join(append(lines, "", say("reply.footer"), ""), "\n")
}

// inert makes one line of what others wrote, in which no mail program finds a
// link, an address or a hidden character.
func inert(s string) string {
	runes := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " "))
	runes = slices.DeleteFunc(runes, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar
	})
	inWord := func(i int) bool {
		return i >= 0 && i < len(runes) && !unicode.IsSpace(runes[i]) && !strings.ContainsRune(")]}>\"'、。」", runes[i])
	}
	var b strings.Builder
	for i, r := range runes {
		switch {
		case strings.ContainsRune(".．｡。", r) && inWord(i-1) && inWord(i+1) && (r != '。' || asciiWord(runes, i-1) && asciiWord(runes, i+1)):
			b.WriteString("[.]")
		case r == '@' || r == '＠':
			b.WriteString("[@]")
		case (r == ':' || r == '：') && inWord(i+1) && (i > 0 && unicode.IsLetter(runes[i-1]) || runes[i+1] == '/'):
			b.WriteString("[:]")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// asciiWord reports whether a character could stand in a host name; a Japanese
// sentence ends in the same character that some programs take for a dot.
func asciiWord(runes []rune, i int) bool {
	return i >= 0 && i < len(runes) && runes[i] < unicode.MaxASCII && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
}

// cutRunes cuts a text after n characters.
func cutRunes(s string, n int) string {
	i := 0
	for at := range s {
		if i == n {
			return s[:at] + "…"
		}
		i++
	}
	return s
}

// cutText cuts a text to n bytes of whole characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// bodyText is the text of a mail of ours.
func bodyText(raw []byte) string {
	return strings.ReplaceAll(eml.Parse(raw, &eml.Options{Budget: budget.New(nil)}).Root().Text(), "\r\n", "\n")
}
