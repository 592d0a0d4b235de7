package desk

import (
	"bytes"
	"testing"

	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// FuzzJournal holds what is taken out of a journal report to be bytes of it, and
// its envelope to the bounds of envelopes.
func FuzzJournal(f *testing.F) {
	head := "X-MS-Journal-Report:\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
	f.Add([]byte(head + "Sender: a@sender.test\r\nTo: b@kiso-works.example, Expanded: all@kiso-works.example\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"))
	f.Add([]byte(head + "Bcc: <>\r\nCc: ,\r\n:\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n--b--\r\n"))
	f.Add([]byte("X-MS-Journal-Report:\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		inside, e, ok := journal(eml.Parse(raw, &eml.Options{Budget: budget.New(nil)}))
		if !ok {
			return
		}
		if len(inside) == 0 || !bytes.Contains(raw, inside) {
			t.Errorf("%q is not in the report", inside)
		}
		if err := (&Delivery{Raw: inside, Envelope: e}).validate(len(raw)); err != nil {
			t.Error(err)
		}
	})
}
