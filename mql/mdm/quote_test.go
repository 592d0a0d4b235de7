package mdm_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
	"github.com/sekisho/sekisho/mql/mdm"
	"github.com/sekisho/sekisho/mql/value"
)

const handedOn = "From: Sato <sato@kiso-works.example>\r\nTo: it@kiso-works.example\r\nSubject: Fwd: Parcel\r\nX-Mailer: Test\r\nReply-To: x@kiso-works.example\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n\r\nIs this real? https://own.example/\r\n\r\n---------- Forwarded message ---------\r\n" +
	"From: Desk <a@sender.test>\r\nDate: Mon, Nov 23, 2026 at 9:00 AM\r\nSubject: Parcel held\r\nTo: <sato@kiso-works.example>\r\n\r\nPay here: https://landing.test/\r\n"

// field follows a path of names and counts ("links.0.href_url").
func field(t *testing.T, v value.Value, path string) value.Value {
	t.Helper()
	for name := range strings.SplitSeq(path, ".") {
		if l := v.List(); l != nil {
			v = l.At(int64(name[0] - '0'))
			continue
		}
		v = v.Field(name)
	}
	return v
}

func TestQuotedMessage(t *testing.T) {
	m := eml.Parse([]byte(handedOn), nil)
	paths := []string{
		"type.inbound", "sender.display_name", "sender.email.domain.domain", "subject.subject", "recipients.to.0.email.email", "body.current_thread.text",
		"body.links.0.href_url.url", "body.links.1", "body.current_thread.links.0.href_url.url", "headers.reply_to", "headers.hops", "headers.mailer", "headers.message_id",
	}
	for _, tc := range []struct {
		name   string
		quoted bool
		want   []string
	}{
		{"Inner", true, []string{
			"true", `"Desk"`, `"sender.test"`, `"Parcel held"`, `"sato@kiso-works.example"`, `"Pay here: https://landing.test/"`,
			`"https://landing.test/"`, "null", `"https://landing.test/"`, "[]", "[]", "null", "null",
		}},
		{"Outer", false, []string{
			"true", `"Sato"`, `"kiso-works.example"`, `"Fwd: Parcel"`, `"it@kiso-works.example"`, `"Is this real? https://own.example/"`,
			`"https://own.example/"`, "", `"https://own.example/"`, "", "", `"Test"`, "null",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			root := mdm.New(mdm.Input{Mail: m, Quoted: tc.quoted}).Root()
			got := make([]string, len(paths))
			for i, p := range paths {
				if tc.want[i] != "" {
					got[i] = string(field(t, root, p).AppendJSON(nil))
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestQuotedMessagePlaces checks that what is read of the message inside leads
// to where it stands in the mail.
func TestQuotedMessagePlaces(t *testing.T) {
	m := eml.Parse([]byte(handedOn), nil)
	root := mdm.New(mdm.Input{Mail: m, Quoted: true}).Root()
	for path, want := range map[string]string{"body.current_thread.text": "Pay here", "subject.subject": "Parcel held", "sender.display_name": "Desk <a@sender.test>"} {
		v := field(t, root, path)
		s, _ := v.Str()
		w, ok := v.Where(0, min(len(s), len("Pay here")))
		if !ok {
			t.Errorf("%s has no place", path)
			continue
		}
		if got := m.Part(w.Part).Text()[w.Offset : w.Offset+w.Length]; !strings.HasPrefix(want, got) {
			t.Errorf("%s leads to %q, want %q", path, got, want)
		}
	}
}

// TestQuotedMessageNone has a mail that hands nothing on.
func TestQuotedMessageNone(t *testing.T) {
	m := eml.Parse([]byte("From: a@sender.test\r\nSubject: x\r\n\r\nHello\r\n"), nil)
	if got := string(field(t, mdm.New(mdm.Input{Mail: m, Quoted: true}).Root(), "sender.email.email").AppendJSON(nil)); got != `"a@sender.test"` {
		t.Errorf("the sender is %s", got)
	}
}
