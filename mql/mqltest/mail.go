package mqltest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime/quotedprintable"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/lang"
)

// mail is how to make a mail of a test.
type mail struct {
	name   string
	at     place
	file   string // of "load file", as the file system has it
	raw    bool
	whole  bool // is a multipart that its author wrote
	fields []field
	body   string
	html   string // "" for none
	files  []attachment
	stamps stamps
	facts  *facts // that hold where it was loaded
}

type field struct{ name, value string }

// attachment is a file that a mail carries.
type attachment struct {
	name    string
	kind    string // its type
	content []byte
	file    string // read from here; "" for none
	mail    *mail  // that is attached; nil: none
	inline  bool
	cid     string
	at      place
}

// failure is why a mail cannot be made.
type failure struct {
	at      place
	message lang.Message
}

// defaultTime is when a mail comes that says nothing else: Monday, 16 November
// 2026, 10:00 in Japan.
func defaultTime() time.Time {
	return time.Date(2026, time.November, 16, 10, 0, 0, 0, time.FixedZone("", 9*60*60))
}

func (p *parser) load(first word, args []word) {
	if len(args) < 2 || !args[0].is("mail") && !args[0].is("file") {
		p.fail(first, lang.M("mqltest.error.load"))
		return
	}
	m := &mail{name: args[1].text, at: place{p.line, first.column}, facts: p.world.facts, stamps: stamps{at: defaultTime()}}
	if !isName(m.name, "-_") || m.name == "on" {
		p.fail(args[1], lang.M("mqltest.error.mail-name", "name", m.name))
		return
	}
	if len(p.world.mails) == MaxMails {
		p.fail(first, lang.M("mqltest.error.mails", "max", MaxMails))
		return
	}
	p.world.mails[m.name] = m
	p.mail = m
	if args[0].is("file") {
		m.raw = true
		if p.plain(first, args, 3, 3) {
			m.file, _ = p.path(args[2])
		}
		return
	}
	if p.below == nil {
		p.fail(first, lang.M("mqltest.error.text", "word", "load mail "+m.name))
		return
	}
	for i := 2; i < len(args); i++ {
		switch w := args[i]; {
		case w.is("raw") && len(args) == 3:
			m.raw = true
		case w.is("stamped") && i+1 < len(args):
			i++
			if kinds := stampKinds(); !p.choice(args[i], kinds...) {
				return
			}
			m.stamps.kind = args[i].text
		case strings.Contains(w.text, "="):
			if why := m.stamps.set(w.text); !why.IsZero() {
				p.fail(w, why)
				return
			}
		default:
			p.fail(w, lang.M("mqltest.error.mail-word", "word", w.text))
			return
		}
	}
	if m.raw {
		m.body = p.below.body
		return
	}
	p.header(m)
}

// header reads the header fields of a mail, up to the first empty line.
func (p *parser) header(m *mail) {
	rest, n := p.below.body, 0
	for rest != "" {
		l, after, _ := strings.Cut(rest, "\n")
		rest = after
		l = strings.TrimSuffix(l, "\r")
		if strings.TrimSpace(l) == "" {
			break
		}
		if isSpace(l[0]) && len(m.fields) > 0 {
			m.fields[len(m.fields)-1].value += "\r\n" + l
			n++
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			p.at(p.below.line+n, 1, utf8.RuneCountInString(l), lang.M("mqltest.error.header"))
			return
		}
		m.fields = append(m.fields, field{name, strings.TrimSpace(value)})
		n++
	}
	m.body = rest
	if t := m.get("Content-Type"); strings.HasPrefix(strings.ToLower(t), "multipart/") {
		m.whole = true
	}
}

func (m *mail) get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

func (m *mail) has(name string) bool {
	return slices.ContainsFunc(m.fields, func(f field) bool { return strings.EqualFold(f.name, name) })
}

// path returns the path of a file that the test names.
func (p *parser) path(w word) (string, bool) {
	name, ok := within(p.script.file, w.text)
	if !ok || w.text == "" {
		p.fail(w, lang.M("mqltest.error.outside", "path", w.text))
	}
	return name, ok
}

// detail reads a part of the mail above.
func (p *parser) detail(first word, args []word) {
	m := p.mail
	switch {
	case m == nil:
		return // its line has a mistake, which was told
	case m.raw:
		p.fail(first, lang.M("mqltest.error.raw", "word", first.text))
		return
	case m.whole:
		p.fail(first, lang.M("mqltest.error.multipart", "word", first.text))
		return
	}
	if first.is("html") {
		if p.below == nil || len(args) > 0 || m.html != "" {
			p.fail(first, lang.M("mqltest.error.html"))
			return
		}
		m.html = p.below.body
		return
	}
	a := attachment{at: place{p.line, first.column}}
	args, ok := p.settings(args, &a)
	if !ok {
		return
	}
	switch {
	case len(args) == 0:
		p.fail(first, lang.M("mqltest.error.few", "word", first.text))
		return
	case args[0].is("file"):
		ok = p.attachFile(first, args[1:], &a)
	case args[0].is("mail"):
		ok = p.attachMail(first, args[1:], &a)
	default:
		a.name = args[0].text
		ok = p.attachText(first, args[1:], &a)
	}
	if !ok {
		return
	}
	if a.kind == "" {
		a.kind = typeOf(a.name)
	}
	m.files = append(m.files, a)
}

// settings takes the words that all attachments have in common.
func (p *parser) settings(args []word, a *attachment) ([]word, bool) {
	var rest []word
	for _, w := range args {
		switch name, v, set := strings.Cut(w.text, "="); {
		case w.quoted:
			rest = append(rest, w)
		case w.is("inline"):
			a.inline = true
		case set && name == "cid":
			a.cid = v
		case set && name == "type":
			a.kind = v
		default:
			rest = append(rest, w)
		}
	}
	for _, v := range []string{a.cid, a.kind} {
		if strings.ContainsAny(v, "\"<>;") {
			p.fail(args[0], lang.M("mqltest.error.setting", "word", v))
			return nil, false
		}
	}
	return rest, true
}

func (p *parser) attachFile(first word, args []word, a *attachment) bool {
	if len(args) != 1 && !(len(args) == 3 && args[1].is("as")) || p.below != nil {
		p.fail(first, lang.M("mqltest.error.attach-file"))
		return false
	}
	a.name = path.Base(args[0].text)
	if len(args) == 3 {
		a.name = args[2].text
	}
	var ok bool
	a.file, ok = p.path(args[0])
	return ok
}

func (p *parser) attachMail(first word, args []word, a *attachment) bool {
	if !p.plain(first, args, 1, 1) {
		return false
	}
	a.mail = p.world.mails[args[0].text]
	if a.mail == nil || a.mail == p.mail {
		p.fail(args[0], lang.M("mqltest.error.attach-mail", "name", args[0].text))
		return false
	}
	a.name, a.kind = args[0].text+".eml", "message/rfc822"
	return true
}

func (p *parser) attachText(first word, args []word, a *attachment) bool {
	if p.below == nil || a.name == "" {
		p.fail(first, lang.M("mqltest.error.text", "word", "attach"))
		return false
	}
	how := ""
	for i := 0; i < len(args); i++ {
		switch w := args[i]; {
		case strings.Contains(w.text, "/") && !w.quoted:
			a.kind = w.text
		case how == "" && (w.is("base64") || w.is("pdf")):
			how = w.text
		case how == "" && w.is("zip") && i+1 < len(args):
			how = "zip"
			i++
			b, err := archive(args[i].text, p.below.body)
			if err != nil {
				p.fail(args[i], lang.M("mqltest.error.zip", "why", err.Error()))
				return false
			}
			a.content = b
		default:
			p.fail(w, lang.M("mqltest.error.attach-word", "word", w.text))
			return false
		}
	}
	switch how {
	case "":
		a.content = []byte(p.below.body)
	case "base64":
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(p.below.body), ""))
		if err != nil {
			p.at(p.below.line, 1, 1, lang.M("mqltest.error.base64"))
			return false
		}
		a.content = b
	case "pdf":
		a.content = document(p.below.body)
	}
	return true
}

// archive returns a ZIP file with one file.
func archive(name, text string) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("writing an archive: %w", err)
	}
	return b.Bytes(), nil
}

// typeOf tells the type of a file by the end of its name.
func typeOf(name string) string {
	switch strings.ToLower(strings.TrimPrefix(path.Ext(name), ".")) {
	case "html", "htm", "shtml", "xhtml":
		return "text/html"
	case "txt":
		return "text/plain"
	case "csv":
		return "text/csv"
	case "ics":
		return "text/calendar"
	case "svg":
		return "image/svg+xml"
	case "png":
		return "image/png"
	case "jpg", "jpeg":
		return "image/jpeg"
	case "gif":
		return "image/gif"
	case "pdf":
		return "application/pdf"
	case "zip":
		return "application/zip"
	case "eml":
		return "message/rfc822"
	case "doc":
		return "application/msword"
	case "xls":
		return "application/vnd.ms-excel"
	case "docx":
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	case "xlsx":
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	case "pptx":
		return "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	}
	return "application/octet-stream"
}

// post makes the mails of a test, each once.
type post struct {
	fsys fs.FS
	made map[*mail]*letter
	size int // bytes of all letters
}

// letter is a mail as it stands in a mailbox, or why there is none.
type letter struct {
	raw   []byte
	wrong *failure
}

func (o *post) letter(m *mail) *letter {
	if l := o.made[m]; l != nil {
		return l
	}
	l := &letter{}
	switch {
	case m.file != "":
		l.raw, l.wrong = o.read(m.file, m.at)
	case m.raw:
		l.raw = []byte(crlf(m.body))
	default:
		l.raw, l.wrong = m.compose(o)
	}
	// Mails that carry mails grow fast.
	if o.size += len(l.raw); o.size > maxPost {
		l = &letter{wrong: &failure{m.at, lang.M("mqltest.error.mails-size", "max", maxPost)}}
	}
	o.made[m] = l
	return l
}

func (o *post) read(name string, at place) ([]byte, *failure) {
	b, err := readFile(o.fsys, name, MaxMail)
	if err != nil {
		return nil, &failure{at, lang.M("mqltest.error.read", "path", name, "why", reason(err))}
	}
	return b, nil
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

// part is a MIME entity: its fields and its body.
type part struct {
	fields []field
	body   string
}

func (p *part) write(b *strings.Builder) {
	for _, f := range p.fields {
		fmt.Fprintf(b, "%s: %s\r\n", f.name, f.value)
	}
	b.WriteString("\r\n")
	b.WriteString(p.body)
}

func (m *mail) compose(o *post) ([]byte, *failure) {
	kind := m.get("Content-Type")
	if kind == "" {
		kind = "text/plain"
		if strings.HasPrefix(strings.TrimSpace(m.body), "<") {
			kind = "text/html"
		}
	}
	if strings.HasPrefix(strings.ToLower(kind), "text/") && !strings.Contains(strings.ToLower(kind), "charset") {
		kind += "; charset=utf-8"
	}
	whole := textPart(kind, m.body)
	if cte := m.get("Content-Transfer-Encoding"); cte != "" || m.whole {
		whole = part{[]field{{"Content-Type", kind}}, crlf(m.body)}
		if cte != "" {
			whole.fields = append(whole.fields, field{"Content-Transfer-Encoding", cte})
		}
	}
	if m.html != "" {
		whole = multipart("alternative", 1, whole, textPart("text/html; charset=utf-8", m.html))
	}
	related, mixed := []part{whole}, []part(nil)
	size := 0
	for i := range m.files {
		p, wrong := m.files[i].part(o)
		if wrong != nil {
			return nil, wrong
		}
		if size += len(p.body); size > MaxMade {
			return nil, &failure{m.files[i].at, lang.M("mqltest.error.mail-size", "max", MaxMade)}
		}
		if m.files[i].inline {
			related = append(related, p)
		} else {
			mixed = append(mixed, p)
		}
	}
	if len(related) > 1 {
		whole = multipart("related", 2, related...)
	}
	if len(mixed) > 0 {
		whole = multipart("mixed", 3, append([]part{whole}, mixed...)...)
	}
	var b strings.Builder
	entity := part{m.stamps.around(m, append(m.sent(), whole.fields...)), whole.body}
	entity.write(&b)
	return []byte(b.String()), nil
}

// sent are the fields of the sender, those included that a test need not say.
func (m *mail) sent() []field {
	var out []field
	for _, f := range m.fields {
		if !strings.EqualFold(f.name, "Content-Type") && !strings.EqualFold(f.name, "Content-Transfer-Encoding") {
			out = append(out, f)
		}
	}
	give := func(name, value string) {
		if !m.has(name) {
			out = append(out, field{name, value})
		}
	}
	give("From", "sender@sender.test")
	give("To", "reader@"+m.facts.home())
	give("Date", m.stamps.at.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	give("Message-ID", fmt.Sprintf("<%s.%d@mail.test>", m.name, m.stamps.at.Unix()))
	give("MIME-Version", "1.0")
	return out
}

// from is the first author.
func (m *mail) from() eml.Address {
	var b strings.Builder
	for _, f := range m.sent() {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
	}
	if all := eml.Parse([]byte(b.String()+"\r\n"), nil).From(); len(all) > 0 {
		return all[0]
	}
	return eml.Address{}
}

// textPart is a text, quoted so that every line is as long as mail allows.
func textPart(kind, body string) part {
	p := part{fields: []field{{"Content-Type", kind}, {"Content-Transfer-Encoding", "8bit"}}, body: crlf(body)}
	for l := range strings.SplitSeq(p.body, "\r\n") {
		if len(l) > 998 { // RFC 5322 section 2.1.1
			var b strings.Builder
			w := quotedprintable.NewWriter(&b)
			_, err := w.Write([]byte(p.body))
			if cerr := w.Close(); err == nil && cerr == nil {
				p.fields[1].value, p.body = "quoted-printable", b.String()
			}
			break
		}
	}
	return p
}

// multipart joins parts. The boundary occurs in none of them.
func multipart(kind string, n int, parts ...part) part {
	var written []string
	for i := range parts {
		var b strings.Builder
		parts[i].write(&b)
		written = append(written, b.String())
	}
	boundary := fmt.Sprintf("----=_Part_%d", n)
	for i := 0; slices.ContainsFunc(written, func(s string) bool { return strings.Contains(s, boundary) }); i++ {
		boundary = fmt.Sprintf("----=_Part_%d_%d", n, i)
	}
	var b strings.Builder
	for _, w := range written {
		fmt.Fprintf(&b, "--%s\r\n%s\r\n", boundary, w)
	}
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return part{[]field{{"Content-Type", fmt.Sprintf("multipart/%s; boundary=%q", kind, boundary)}}, b.String()}
}

func (a *attachment) part(o *post) (part, *failure) {
	content := a.content
	switch {
	case a.mail != nil:
		l := o.letter(a.mail)
		if l.wrong != nil {
			return part{}, l.wrong
		}
		return part{[]field{{"Content-Type", "message/rfc822"}, {"Content-Disposition", disposition("attachment", a.name)}}, string(l.raw)}, nil
	case a.file != "":
		b, wrong := o.read(a.file, a.at)
		if wrong != nil {
			return part{}, wrong
		}
		content = b
	}
	kind := a.kind
	if strings.HasPrefix(kind, "text/") && utf8.Valid(content) {
		kind += "; charset=utf-8"
	}
	how := "attachment"
	if a.inline {
		how = "inline"
	}
	fields := []field{{"Content-Type", kind}, {"Content-Transfer-Encoding", "base64"}, {"Content-Disposition", disposition(how, a.name)}}
	if a.cid != "" {
		fields = append(fields, field{"Content-ID", "<" + a.cid + ">"})
	}
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(content)), 76) {
		b.Write(chunk)
		b.WriteString("\r\n")
	}
	return part{fields, b.String()}, nil
}

// disposition names a file as RFC 2183 has it, and RFC 2231 for what is not
// ASCII.
func disposition(how, name string) string {
	plain := true
	for i := range len(name) {
		plain = plain && name[i] >= 0x20 && name[i] < 0x7f
	}
	if plain {
		return how + `; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; isName(string(rune(c)), ".-_") && c < 0x80 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return how + "; filename*=UTF-8''" + b.String()
}
