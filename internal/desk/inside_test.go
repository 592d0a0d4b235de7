package desk_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/org"
)

// withFiles is a mail that carries these files: names and contents in turn.
func withFiles(files ...string) []byte {
	var b strings.Builder
	b.WriteString("From: a@sender.example\r\nTo: b@kiso-works.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n")
	for i := 0; i < len(files); i += 2 {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/octet-stream; name=%q\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n", files[i], base64.StdEncoding.EncodeToString([]byte(files[i+1])))
	}
	b.WriteString("--b--\r\n")
	return []byte(b.String())
}

func zipped(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What was not looked at in attachments is told, and nothing else.
func TestAttachmentsNotChecked(t *testing.T) {
	locked := []byte(zipped(t, "a.txt", "x"))
	locked[6] |= 1
	locked[bytes.Index(locked, []byte("PK\x01\x02"))+8] |= 1
	picture := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x00\x00\x02\x00\x08\x00\x00\x00\x00"
	for _, c := range []struct {
		name string
		in   []byte
		want []string
	}{
		{"ReadWhole", withFiles("a.zip", zipped(t, "b.txt", "https://inside.example/")), nil},
		{"NeedsAPassword", withFiles("a.zip", string(locked)), []string{"What is in a.zip: it needs a password, or is packed in a way that is not unpacked."}},
		{"PackedInRAR", withFiles("a.rar", "Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x03\x04\x00\x00"), []string{"What is in a.rar: it needs a password, or is packed in a way that is not unpacked."}},
		{"Picture", withFiles("a.png", picture), []string{"What the pictures in the attachments show: text in pictures is not read (QR codes are)."}},
		{"TooMuch", withFiles("a.zip", zipped(t, "zeros", strings.Repeat("\x00", 20<<20))), []string{"All that is inside the attachments: they unfold into more than one mail may cost."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := judge(t, org.Facts{}, c.in)
			var got []string
			for _, n := range v.NotChecked {
				if n.Capability == "attachment_content" {
					got = append(got, n.Text.EN)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLinksInAttachments(t *testing.T) {
	v := judge(t, org.Facts{}, withFiles("a.zip", zipped(t, "d/b.txt", "https://inside.example/x")))
	if len(v.Links) != 1 || v.Links[0].In != "a.zip/d/b.txt" || v.Links[0].Where.Inside != v.Links[0].In || v.Links[0].Source != "attachment" {
		t.Errorf("%+v", v.Links)
	}
}
