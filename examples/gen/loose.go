package main

import (
	"bytes"
	"fmt"
	"regexp"
)

// boxed are the mails of the mailbox.
func (b *builder) boxed() []mail {
	return []mail{alertMail(), lookalikeMicrosoft(), partnerInvoice(), meetingNote()}
}

// loose are the files beside the folders.
func (b *builder) loose() []example {
	update := systemUpdateMail()
	update.seed = "header-only.txt"
	head, _ := b.headBody(&update)
	cut := b.eml("broken.eml", "a partner's invoice, cut off in the middle of its attachment", "could not be read whole", same("undecided", "out-of-scope"), partnerInvoice())
	cut.data = cut.data[:bytes.Index(cut.data, []byte("\r\nJVBER"))+600]
	all := []example{
		cut,
		{name: "header-only.txt", shows: "a header block as pasted from Outlook", decides: "Direct Send abuse; the text and the links are not there", want: same("malicious", "ds-1"), data: head},
	}
	kinds := []struct {
		shows, decides string
		want           want
	}{
		{"the security alert", "Direct Send abuse", same("malicious", "ds-1")},
		{"the look-alike of Microsoft", "look-alike", same("malicious", "out-of-scope")},
		{"the partner's invoice", "nothing remarkable", same("clean", "out-of-scope")},
		{"a colleague's mail", "AuthAs Internal", want{"clean", "clean", "out-of-scope", "internal"}},
	}
	for i, k := range kinds {
		all = append(all, example{name: fmt.Sprintf("mailbox.mbox#%d", i+1), shows: k.shows, decides: k.decides, want: k.want})
	}
	return all
}

var fromLine = regexp.MustCompile(`(?m)^(>*From )`)

// mailbox is a mailbox in the mboxrd format, with line feeds.
func (b *builder) mailbox() []byte {
	var w bytes.Buffer
	for i, m := range b.boxed() {
		m.seed = fmt.Sprintf("mailbox.mbox#%d", i+1)
		raw := bytes.ReplaceAll(b.write(&m), []byte("\r\n"), []byte("\n"))
		fmt.Fprintf(&w, "From %s %s\n%s\n", m.from.addr, m.at.UTC().Format("Mon Jan _2 15:04:05 2006"), fromLine.ReplaceAll(raw, []byte(">$1")))
	}
	return w.Bytes()
}
