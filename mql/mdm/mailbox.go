package mdm

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/extract/link"
	"github.com/sekisho/sekisho/mql/value"
)

var (
	domainShape     = value.NewShape("Domain", "domain", "root_domain", "sld", "subdomain", "tld", "punycode", "valid")
	emailShape      = value.NewShape("EmailAddress", "email", "local_part", "domain")
	mailboxShape    = value.NewShape("Mailbox", "display_name", "email")
	senderShape     = value.NewShape("SenderMailbox", "display_name", "email", "decoders")
	ownerShape      = value.NewShape("MailboxExtended", "display_name", "first_name", "last_name", "email")
	recipientsShape = value.NewShape("Recipients", "to", "cc", "bcc")
)

// domainValue reads a name as an object. The public suffix is that of a
// registry: "workers.dev" is a registered domain as every other, because rules
// compare it so.
func domainValue(name string, o value.Origin) value.Value {
	n, err := domain.Parse(name)
	if err != nil {
		return value.Of(domainShape.New(value.Text(lower(name), o), value.Null, value.Null, value.Null, value.Null, value.Null, value.False).At(o))
	}
	return nameValue(n, o)
}

func nameValue(n domain.Name, o value.Origin) value.Value {
	text := func(s string) value.Value {
		if s == "" {
			return value.Null
		}
		return value.Text(s, o)
	}
	s := string(n)
	suffix, listed := registrySuffix(s)
	punycode := ""
	if strings.HasPrefix(s, "xn--") || strings.Contains(s, ".xn--") {
		if u := n.Unicode(); u != s {
			punycode = u
		}
	}
	known := link.Registered(n) || suffix == s && listed
	root, sld, sub := "", "", ""
	if suffix != s && known {
		left := s[:len(s)-len(suffix)-1]
		i := strings.LastIndexByte(left, '.')
		sld, root = left[i+1:], s[i+1:]
		if i > 0 {
			sub = left[:i]
		}
	}
	if !known {
		suffix = ""
	}
	return value.Of(domainShape.New(text(s), text(root), text(sld), text(sub), text(suffix), text(punycode), value.Bool(root != "")).At(o))
}

// registrySuffix is the public suffix without the private section of the list,
// and whether the list has it.
func registrySuffix(s string) (suffix string, listed bool) {
	suffix, listed = publicsuffix.PublicSuffix(s)
	for !listed {
		_, parent, ok := strings.Cut(suffix, ".")
		if !ok {
			break
		}
		suffix, listed = publicsuffix.PublicSuffix(parent)
	}
	return suffix, listed
}

// emailValue returns an address as an object. Case is folded away, since mail
// systems do and rules compare addresses with "==".
func emailValue(local, host string, o value.Origin) value.Value {
	addr := lower(local)
	if host != "" {
		addr += "@" + lower(host)
	}
	return value.Of(emailShape.Lazy(func(name string) value.Value {
		switch name {
		case "email":
			return value.Text(addr, o)
		case "local_part":
			return value.Text(lower(local), o)
		}
		return domainValue(host, o)
	}).At(o))
}

// addressString reads a bare address; ok is false for what is none.
func addressString(s string) (local, host string, ok bool) {
	s = strings.Trim(strings.TrimSpace(s), "<>")
	i := strings.LastIndexByte(s, '@')
	if i <= 0 || i == len(s)-1 || strings.ContainsAny(s, " \t\r\n<>,;") {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// mailboxValue returns a mailbox of a header field.
func (m *Model) mailboxValue(f eml.Field, a eml.Address) value.Value {
	name := value.Null
	if a.Name != "" {
		name = value.Text(a.Name, m.fieldPlace(f, a.NameSpan))
	}
	o := m.fieldPlace(f, a.Span)
	return value.Of(mailboxShape.New(name, emailValue(a.Local, a.Domain, o)).At(o))
}

// sender returns the first mailbox of From. A From without an address has the
// empty one, as rules expect of the null sender.
func (m *Model) sender() value.Value {
	f, ok := m.in.Mail.Header().First("From")
	if !ok {
		return value.Of(senderShape.New())
	}
	as := f.Addresses()
	if len(as) == 0 {
		o := m.fieldPlace(f, eml.Span{})
		return value.Of(senderShape.New(value.Null, emailValue("", "", o), value.Array()).At(o))
	}
	box := m.mailboxValue(f, as[0])
	return value.Of(senderShape.New(box.Field("display_name"), box.Field("email"), value.Array()).At(box.Origin()))
}

// mailboxes returns the mailboxes of all fields of a name. A group without
// mailboxes, such as "undisclosed-recipients:;", is one with its name and no
// valid domain.
func (m *Model) mailboxes(field string) value.Value {
	return value.Of(value.LazyList(func() []value.Value {
		var out []value.Value
		for _, f := range m.in.Mail.Header().All(field) {
			for _, a := range f.Addresses() {
				out = append(out, m.mailboxValue(f, a))
			}
		}
		return out
	}))
}

// mailbox is the one in which the message was found, null where nobody said.
func (m *Model) mailbox() value.Value {
	local, host, ok := addressString(m.in.Recipient)
	if !ok {
		return value.Null
	}
	name, first, last := value.Null, value.Null, value.Null
	if m.in.Org != nil {
		for _, p := range m.in.Org.People.Value() {
			if strings.EqualFold(p.Address, m.in.Recipient) && p.DisplayName != "" {
				name = value.String(p.DisplayName)
				// Written apart only where there are exactly two words, and not
				// for scripts that put the family name first.
				if parts := strings.Fields(p.DisplayName); len(parts) == 2 && isLatin(p.DisplayName) {
					first, last = value.String(parts[0]), value.String(parts[1])
				}
			}
		}
	}
	return value.Of(ownerShape.New(name, first, last, emailValue(local, host, nil)))
}

func isLatin(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 0x24f }) < 0
}
