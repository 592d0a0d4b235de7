package main

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml"
)

var generated = sync.OnceValues(generate)

func files(t *testing.T) []file {
	t.Helper()
	all, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestUpToDate compares the checked-in examples with what the source gives.
func TestUpToDate(t *testing.T) {
	root := ".."
	var want []string
	for _, f := range files(t) {
		if strings.Contains(f.name, "/") {
			want = append(want, f.name)
		}
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(f.name)))
		if err != nil {
			t.Errorf("%v; run: go run ./examples/gen", err)
			continue
		}
		if !bytes.Equal(got, f.data) {
			t.Errorf("%s is not what the generator writes; run: go run ./examples/gen", f.name)
		}
	}
	got, err := onDisk(root)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files of the generated folders (-want +got):\n%s", diff)
	}
}

// TestReadable reads every mail and expects no defect but the one intended.
func TestReadable(t *testing.T) {
	for _, f := range files(t) {
		if !strings.HasSuffix(f.name, ".eml") {
			continue
		}
		t.Run(f.name, func(t *testing.T) {
			m := eml.Parse(f.data, nil)
			var got []string
			for _, d := range m.Defects() {
				got = append(got, string(d.Code))
			}
			if want := f.name == "broken.eml"; (len(got) > 0) != want {
				t.Errorf("defects: %v", got)
			}
			if !bytes.Contains(f.data, []byte("\r\nX-Synthetic-Example: written for sekisho, not a real message\r\n")) {
				t.Error("the mail does not say that it is an example")
			}
			if bytes.Contains(bytes.ReplaceAll(f.data, []byte("\r\n"), nil), []byte("\n")) {
				t.Error("a line does not end with CRLF")
			}
			if len(f.data) > 32<<10 {
				t.Errorf("%d bytes are too many for an example", len(f.data))
			}
		})
	}
}

// TestExpectations checks the words of the table and that it has a row for
// every mail.
func TestExpectations(t *testing.T) {
	verdicts := []string{"malicious", "suspicious", "clean", "undecided"}
	paths := []string{
		"ds-1", "ds-2", "ds-3", "internal", "authenticated-external", "via-connector", "authorised-device",
		"gateway-broke-auth", "spoof-through-gateway", "list-or-forward", "ndr", "out-of-scope", "not-decidable",
	}
	rows := map[string]bool{}
	seen := map[string]bool{}
	for _, f := range files(t) {
		if f.name != "expected.tsv" {
			continue
		}
		for i, line := range strings.Split(strings.TrimSpace(string(f.data)), "\n") {
			c := strings.Split(line, "\t")
			if len(c) != 5 {
				t.Fatalf("line %d has %d columns", i+1, len(c))
			}
			if i == 0 {
				continue
			}
			rows[c[0]] = true
			if !slices.Contains(verdicts, c[1]) || !slices.Contains(verdicts, c[2]) || !slices.Contains(paths, c[3]) || !slices.Contains(paths, c[4]) {
				t.Errorf("a word that the command line does not know: %s", line)
			}
			seen[c[4]] = true
		}
	}
	for _, p := range paths {
		if !seen[p] {
			t.Errorf("no example for the Direct Send verdict %s", p)
		}
	}
	for _, f := range files(t) {
		if strings.HasSuffix(f.name, ".eml") && !rows[f.name] {
			t.Errorf("%s has no row in expected.tsv", f.name)
		}
	}
}

var tag = regexp.MustCompile(`(?:^|;\s*)(\w+)=([^;]*)`)

func tags(value string) map[string]string {
	m := map[string]string{}
	for _, s := range tag.FindAllStringSubmatch(value, -1) {
		m[s[1]] = strings.Join(strings.Fields(s[2]), "")
	}
	return m
}

var lastTag = regexp.MustCompile(`(?s)b=[A-Za-z0-9+/=\s]*$`)

// TestSignatures verifies DKIM and ARC signatures against what the fields of
// Exchange Online say about them.
func TestSignatures(t *testing.T) {
	s, err := newSigner()
	if err != nil {
		t.Fatal(err)
	}
	verified := 0
	for _, f := range files(t) {
		if !strings.HasSuffix(f.name, ".eml") || f.name == "broken.eml" {
			continue
		}
		head, body, _ := bytes.Cut(f.data, []byte("\r\n\r\n"))
		fields := unfold(string(head))
		said := ""
		for _, h := range fields {
			if h.name == "Authentication-Results" {
				said = h.value
				break
			}
		}
		for i, h := range fields {
			if h.name != "DKIM-Signature" && h.name != "ARC-Message-Signature" {
				continue
			}
			verified++
			v := tags(h.value)
			broken := v["bh"] != bodyHash(body)
			if says := strings.Contains(said, "body hash did not verify"); h.name == "DKIM-Signature" && broken != says {
				t.Errorf("%s: body hash broken: %v; Authentication-Results: %s", f.name, broken, said)
			}
			if h.name == "ARC-Message-Signature" && broken {
				t.Errorf("%s: the seal of %s is broken", f.name, v["d"])
			}
			if err := verify(s, h, v, fields[i+1:]); err != nil {
				t.Errorf("%s: %s of %s: %v", f.name, h.name, v["d"], err)
			}
		}
	}
	if verified < 50 {
		t.Errorf("only %d signatures were looked at", verified)
	}
}

func verify(s *signer, h field, v map[string]string, below []field) error {
	var b strings.Builder
	for name := range strings.SplitSeq(v["h"], ":") {
		for _, f := range below {
			if strings.EqualFold(f.name, name) {
				b.WriteString(relaxed(f) + "\r\n")
				break
			}
		}
	}
	b.WriteString(relaxed(field{h.name, lastTag.ReplaceAllString(h.value, "b=")}))
	sig, err := base64.StdEncoding.DecodeString(v["b"])
	if err != nil {
		return fmt.Errorf("reading b=: %w", err)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return rsa.VerifyPKCS1v15(&s.key.PublicKey, crypto.SHA256, sum[:], sig)
}

func unfold(head string) []field {
	var fields []field
	for line := range strings.SplitSeq(head, "\r\n") {
		if line != "" && (line[0] == ' ' || line[0] == '\t') {
			fields[len(fields)-1].value += line
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		fields = append(fields, field{name, value})
	}
	return fields
}

func TestPDF(t *testing.T) {
	const link = "https://review.conduct-notice.test/a(b)"
	doc := string(pdf(link, "First line", "Last line"))
	if !strings.HasPrefix(doc, "%PDF-1.4\n") || !strings.HasSuffix(doc, "%%EOF\n") {
		t.Error("no PDF frame")
	}
	if !strings.Contains(doc, `/URI (https://review.conduct-notice.test/a\(b\))`) {
		t.Error("the link is not there")
	}
	at := regexp.MustCompile(`startxref\n(\d+)\n`).FindStringSubmatch(doc)
	var xref int
	if _, err := fmt.Sscan(at[1], &xref); err != nil || !strings.HasPrefix(doc[xref:], "xref\n0 7\n") {
		t.Fatalf("startxref leads to %q", doc[xref:xref+10])
	}
	for i, line := range strings.Split(doc[xref:], "\n")[3:9] {
		var offset int
		if _, err := fmt.Sscanf(line, "%d", &offset); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d 0 obj\n", i+1); !strings.HasPrefix(doc[offset:], want) {
			t.Errorf("object %d: the table leads to %q", i+1, doc[offset:offset+10])
		}
	}
}

func TestWords(t *testing.T) {
	tests := map[string]struct{ charset, in, want string }{
		"ASCII":    {utf8, "Re: drawings", "Re: drawings"},
		"UTF8":     {utf8, "経理部", "=?utf-8?B?57WM55CG6YOo?="},
		"ISO2022":  {jis, "佐藤", "=?iso-2022-jp?B?GyRCOjRGIxsoQg==?="},
		"Latin1":   {latin1, "Jäger", "=?iso-8859-1?B?SuRnZXI=?="},
		"TwoWords": {utf8, strings.Repeat("関", 20), "=?utf-8?B?" + strings.Repeat("6Zai", 15) + "?= =?utf-8?B?" + strings.Repeat("6Zai", 5) + "?="},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, words(tt.charset, tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
