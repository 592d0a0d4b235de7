package desk_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/intake/mailbox"
	"github.com/sekisho/sekisho/org"
)

const examples = "../../examples"

func exampleFacts(t testing.TB) org.Facts {
	t.Helper()
	c, err := config.Load(&config.Options{Path: filepath.Join(examples, "sekisho.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return c.Facts
}

func now() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)) }

func judge(t testing.TB, facts org.Facts, raw []byte) *desk.Verdict {
	t.Helper()
	return judgeWith(t, desk.JudgeDeps{Facts: facts, Now: now}, desk.Item{File: "mail.eml", Raw: raw})
}

func judgeWith(t testing.TB, deps desk.JudgeDeps, items ...desk.Item) *desk.Verdict {
	t.Helper()
	for v := range desk.Judge(context.Background(), slices.Values(items), deps) {
		return v
	}
	t.Fatal("no verdict")
	return nil
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type expectation struct{ Verdict, DirectSend string }

// TestExamples holds the program to what the examples say of themselves.
func TestExamples(t *testing.T) {
	f, err := os.Open(filepath.Join(examples, "expected.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	without, with := map[string]expectation{}, map[string]expectation{}
	for s := bufio.NewScanner(f); s.Scan(); {
		c := strings.Split(s.Text(), "\t")
		if len(c) != 5 || c[0] == "file" {
			continue
		}
		without[c[0]] = expectation{c[1], c[3]}
		with[c[0]] = expectation{c[2], c[4]}
	}
	for _, tc := range []struct {
		name  string
		facts org.Facts
		want  map[string]expectation
	}{
		{"WithoutConfiguration", org.Facts{}, without},
		{"WithConfiguration", exampleFacts(t), with},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := map[string]expectation{}
			items := mailbox.Walk(t.Context(), []string{examples}, nil, nil)
			for v := range desk.Judge(t.Context(), items, desk.JudgeDeps{Facts: tc.facts, Now: now, Rules: builtin(t)}) {
				name, err := filepath.Rel(examples, v.File)
				if err != nil {
					t.Fatal(err)
				}
				name = filepath.ToSlash(name)
				if v.Index > 0 {
					name += "#" + strconv.Itoa(v.Index)
				}
				e := expectation{Verdict: string(v.Verdict)}
				if v.DirectSend != nil {
					e.DirectSend = v.DirectSend.Verdict
				}
				got[name] = e
				if len(v.NotChecked) == 0 {
					t.Errorf("%s: the verdict does not say what was not checked", name)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
		})
	}
}

// lure is a mail with one finding that needs no header: a link whose text
// names the organisation's portal.
const lure = "From: Desk <desk@sender.test>\r\nTo: it@kiso-works.example\r\nSubject: inner\r\nDate: Tue, 10 Nov 2026 09:00:00 +0900\r\n" +
	"Content-Type: text/html; charset=utf-8\r\n\r\n<a href=\"https://evil.test/\">https://portal.kiso-works.example/</a>\r\n"

// wrap is a mail of a colleague who asks about what is attached.
func wrap(part string) []byte { return wrapAs("b", part) }

// wrapAs is wrap with another boundary, for a mail that is attached to another.
func wrapAs(boundary, part string) []byte {
	return []byte("From: Sato <sato@kiso-works.example>\r\nTo: it@kiso-works.example\r\nSubject: FW: inner\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary + "\r\nContent-Type: text/plain\r\n\r\nIs this real?\r\n" +
		"--" + boundary + "\r\n" + part + "\r\n--" + boundary + "--\r\n")
}

// attached is the part that carries a mail as it is.
func attached(mail string) string { return "Content-Type: message/rfc822\r\n\r\n" + mail }

func encoded(header string, b []byte) string {
	return header + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(b) + "\r\n"
}

// TestUnwraps judges what was handed in rather than its wrapper, in every form
// in which people hand mail in.
func TestUnwraps(t *testing.T) {
	msg := outlooktest.MSG(outlooktest.Message{
		Subject: "inner", HTML: []byte("<a href=\"https://evil.test/\">https://portal.kiso-works.example/</a>"),
		Headers: "From: Desk <desk@sender.test>\r\nTo: it@kiso-works.example\r\nSubject: inner\r\n",
	})
	for _, tc := range []struct {
		name string
		raw  []byte
		part string
	}{
		{"MessageRFC822", wrap(attached(lure)), "1.2.1"},
		{"MessageRFC822InBase64", wrap(encoded("Content-Type: message/rfc822", []byte(lure))), "1.2.1"},
		{"SavedFile", wrap(encoded("Content-Type: application/octet-stream; name=mail.eml", []byte(lure))), "1.2.1"},
		{"OutlookItem", wrap(encoded("Content-Type: application/vnd.ms-outlook; name=mail.msg", msg)), "1.2.1"},
		{"OutlookItemUnderAnotherName", wrap(encoded("Content-Type: application/octet-stream; name=mail.dat", msg)), "1.2.1"},
		{"TwiceForwarded", wrapAs("outer", attached(string(wrapAs("inner", attached(lure))))), "1.2.1.2.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := judge(t, exampleFacts(t), tc.raw)
			if v.Judged.How != "attached" || v.Judged.Part != tc.part || v.Subject != "inner" {
				t.Errorf("judged %+v, subject %q; want the attached mail %s", v.Judged, v.Subject, tc.part)
			}
			if v.Verdict != desk.Malicious || v.From == nil || v.From.Address != "desk@sender.test" {
				t.Errorf("verdict %s on %v; want malicious on desk@sender.test", v.Verdict, v.From)
			}
			if v.Wrapper == nil || v.Wrapper.From.Address != "sato@kiso-works.example" {
				t.Errorf("wrapper %+v", v.Wrapper)
			}
			for _, f := range v.Findings {
				for _, e := range f.Evidence {
					if !strings.HasPrefix(e.Where.Part, tc.part) {
						t.Errorf("evidence of %s stands in part %q, outside of %s", f.Kind, e.Where.Part, tc.part)
					}
				}
			}
		})
	}
}

func TestWinmailDat(t *testing.T) {
	tnef := outlooktest.TNEF(outlooktest.Message{
		Subject: "inner", Text: "see the attachment",
		Attachments: []outlooktest.Attachment{{Name: "invoice.pdf.exe", Data: []byte("MZ\x90\x00")}},
	})
	v := judge(t, org.Facts{}, wrap(encoded("Content-Type: application/ms-tnef; name=winmail.dat", tnef)))
	names := []string{}
	for _, a := range v.Attachments {
		names = append(names, a.Name)
	}
	if !slices.Contains(names, "invoice.pdf.exe") || slices.Contains(names, "winmail.dat") {
		t.Errorf("attachments %q; want those inside winmail.dat", names)
	}
	if v.Verdict != desk.Suspicious {
		t.Errorf("verdict %s; want suspicious for a program in disguise", v.Verdict)
	}
}

// TestWrapperWorseThanItsContent is an attack that carries a harmless mail.
func TestWrapperWorseThanItsContent(t *testing.T) {
	harmless := "From: a@partner.example\r\nSubject: harmless\r\n\r\nhello\r\n"
	raw := strings.Replace(string(wrap(attached(harmless))), "Sato <sato@kiso-works.example>", "Accounts <a@kiso-w0rks.test>", 1)
	v := judge(t, exampleFacts(t), []byte(raw))
	if v.Verdict != desk.Malicious || v.Judged.How != "message" || v.Subject != "FW: inner" {
		t.Errorf("verdict %s on %q (%s); want malicious on the outer mail", v.Verdict, v.Subject, v.Judged.How)
	}
}

func TestInlineForwardIsNeverClean(t *testing.T) {
	for _, header := range []string{
		"差出人: 山田 <yamada@partner.example>\n送信日時: 2026年11月4日 9:15\n宛先: 佐藤 <sato@kiso-works.example>\n件名: お礼\n",
		"From: Yamada <yamada@partner.example>\nSent: Wednesday, November 4, 2026 9:15 AM\nTo: Sato <sato@kiso-works.example>\nSubject: Thanks\n",
		"-----Original Message-----\nFrom: Yamada <yamada@partner.example>\nSent: Wednesday, November 4, 2026 9:15 AM\nTo: Sato\nSubject: Thanks\n",
	} {
		raw := "From: sato@kiso-works.example\r\nTo: it@kiso-works.example\r\nSubject: FW: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nfyi\r\n\r\n" +
			strings.ReplaceAll(header, "\n", "\r\n") + "\r\nThank you for yesterday.\r\n"
		for _, facts := range []org.Facts{{}, exampleFacts(t)} {
			v := judge(t, facts, []byte(raw))
			if v.Verdict != desk.Undecided || v.DirectSend.Verdict != "not-decidable" {
				t.Errorf("%q: %s, %s; want undecided, not-decidable", header, v.Verdict, v.DirectSend.Verdict)
			}
			if v.From == nil || v.From.Address != "yamada@partner.example" {
				t.Errorf("%q: speaks of %v, want the inner sender", header, v.From)
			}
			if !strings.Contains(v.Findings[0].Title.EN, "sekisho help export") {
				t.Errorf("%q: does not say how to get the original: %q", header, v.Findings[0].Title.EN)
			}
		}
	}
}

func TestPresumedDomain(t *testing.T) {
	v := judge(t, org.Facts{}, example(t, "directsend/ds1-high.eml"))
	want := &desk.Organisation{Domains: []string{"kiso-works.example"}, Presumed: true, Confirm: "sekisho init --domain kiso-works.example"}
	if diff := cmp.Diff(want, v.Organisation); diff != "" {
		t.Errorf("organisation (-want +got):\n%s", diff)
	}
}

func TestExceptionSetsAside(t *testing.T) {
	raw := example(t, "directsend/ds1-unknown-device.eml")
	facts := exampleFacts(t)
	before := judge(t, facts, raw)
	if before.Verdict != desk.Suspicious {
		t.Fatalf("the example is %s", before.Verdict)
	}
	store := &shelf{}
	out, err := desk.AllowAdd(t.Context(), desk.AllowAddInput{
		From: "kiso-works.example", IP: clientIP(t, before), Owner: "sato", Reason: "scanner",
	}, desk.AllowDeps{Store: store, Facts: facts, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	deps := desk.JudgeDeps{Facts: facts, Now: now, Exceptions: store.list}
	v := judgeWith(t, deps, desk.Item{File: "x", Raw: raw})
	if v.Verdict != desk.Clean || len(v.Exceptions) != 1 || v.Exceptions[0].ID != out.Exception.ID {
		t.Errorf("verdict %s with exceptions %+v; want clean with the exception shown", v.Verdict, v.Exceptions)
	}
	deps.Now = func() time.Time { return now().AddDate(2, 0, 0) }
	if v := judgeWith(t, deps, desk.Item{File: "x", Raw: raw}); v.Verdict != desk.Suspicious || len(v.Exceptions) != 0 {
		t.Errorf("an exception that ended still works: %s, %+v", v.Verdict, v.Exceptions)
	}
}

func clientIP(t *testing.T, v *desk.Verdict) string {
	t.Helper()
	for _, s := range v.DirectSend.Steps {
		if s.Step == "S0" {
			if _, ip, ok := strings.Cut(strings.TrimSuffix(s.Text.EN, "."), " from "); ok {
				return ip
			}
		}
	}
	t.Fatal("no client address in step S0")
	return ""
}

type shelf struct{ list []desk.Exception }

func (m *shelf) List(context.Context) ([]desk.Exception, error) { return m.list, nil }
func (m *shelf) Add(_ context.Context, e desk.Exception) error {
	m.list = append(m.list, e)
	return nil
}

func (m *shelf) Remove(_ context.Context, id string) error {
	m.list = slices.DeleteFunc(m.list, func(e desk.Exception) bool { return e.ID == id })
	return nil
}

func TestOrderAndErrors(t *testing.T) {
	var items []desk.Item
	for i := range 300 {
		it := desk.Item{File: strconv.Itoa(i), Raw: []byte("From: a@b.example\r\n\r\n" + strings.Repeat("x", (i%7)*9000))}
		if i%10 == 3 {
			it = desk.Item{File: strconv.Itoa(i), Err: fmt.Errorf("broken")}
		}
		items = append(items, it)
	}
	n := 0
	for v := range desk.Judge(t.Context(), slices.Values(items), desk.JudgeDeps{Now: now, Workers: 4}) {
		if v.File != strconv.Itoa(n) || (v.Error != nil) != (n%10 == 3) {
			t.Fatalf("verdict %d is about %s, error %v", n, v.File, v.Error)
		}
		n++
	}
	if n != len(items) {
		t.Errorf("%d verdicts for %d items", n, len(items))
	}
}

// TestConsumerStops leaves no goroutine blocked when the consumer has had
// enough.
func TestConsumerStops(t *testing.T) {
	stopped := make(chan struct{})
	items := iter.Seq[desk.Item](func(yield func(desk.Item) bool) {
		defer close(stopped)
		for yield(desk.Item{File: "x", Raw: []byte("From: a@b.example\r\n\r\n")}) {
		}
	})
	for range desk.Judge(t.Context(), items, desk.JudgeDeps{Now: now}) {
		break
	}
	select {
	case <-stopped:
	case <-time.After(5 * time.Second):
		t.Error("reading goes on after the consumer stopped")
	}
}

// TestTruncated cuts an example at every byte: each is judged or is an error,
// and none takes long.
func TestTruncated(t *testing.T) {
	raw := example(t, "phish/conduct-case-1.eml")
	step := 1
	if testing.Short() {
		step = 37
	}
	for n := 0; n <= len(raw); n += step {
		start := time.Now()
		v := judge(t, org.Facts{}, raw[:n])
		if d := time.Since(start); d > time.Second {
			t.Errorf("cut at %d: %v", n, d)
		}
		if v.Error != nil {
			t.Fatalf("cut at %d: %v", n, v.Error.Text.EN)
		}
	}
}

// TestHostile judges inputs made to break a reader. How long they may take is
// measured by [TestCorpusHostile], without the race detector.
func TestHostile(t *testing.T) { hostile(t, 1<<20, time.Minute) }

// TestCorpusHostile judges larger ones: each in a second.
func TestCorpusHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("large inputs: not in short runs")
	}
	hostile(t, 4<<20, time.Second)
}

func hostile(t *testing.T, size int, limit time.Duration) {
	t.Helper()
	deep := func(n int) []byte {
		var b bytes.Buffer
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		b.WriteString("\r\nx\r\n")
		return b.Bytes()
	}
	html := "From: a@b.example\r\nContent-Type: text/html\r\n\r\n"
	for _, tc := range []struct {
		name string
		raw  []byte
	}{
		{"Empty", nil},
		{"Binary", bytes.Repeat([]byte{0, 1, 2, 0xff, '\n'}, size/5)},
		{"EndlessHeader", append([]byte("Subject: "), bytes.Repeat([]byte("a"), size)...)},
		{"EndlessFrom", append([]byte("From: "), bytes.Repeat([]byte("a@b.example, "), size/13)...)},
		{"EndlessReceived", append([]byte("Received: "), bytes.Repeat([]byte("from ("), size/6)...)},
		{"ManyReceived", bytes.Repeat([]byte("Received: from a (192.0.2.1) by b; Tue, 10 Nov 2026 09:00:00 +0900\r\n"), size/70)},
		{"ManyResults", bytes.Repeat([]byte("Authentication-Results: spf=pass smtp.mailfrom=a.example; dkim=pass header.d=a.example\r\n"), size/90)},
		{"ManyParts", append([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n"), bytes.Repeat([]byte("--b\r\n\r\nx\r\n"), 100_000)...)},
		{"DeepParts", deep(1000)},
		{"DeepTags", []byte(html + strings.Repeat("<div>", size/5))},
		{"ManyLinks", []byte(html + strings.Repeat("<a href=https://a.example/>https://b.example/</a>", size/50))},
		{"ManyAngles", []byte(html + strings.Repeat("<", size))},
		{"ManyURLs", []byte("From: a@b.example\r\n\r\n" + strings.Repeat("https://a.example/ ", size/19))},
		{"ManyQuotes", []byte("From: a@b.example\r\nSubject: FW: x\r\n\r\n" + strings.Repeat("From: a\r\nSubject: b\r\n", size/20))},
		{"ManyMessages", append([]byte("Content-Type: multipart/digest; boundary=b\r\n\r\n"), bytes.Repeat([]byte("--b\r\n\r\nFrom: a@b.example\r\n\r\nx\r\n"), 20_000)...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			best := time.Hour // of three: other work on the machine must not fail the test
			for range 3 {
				start := time.Now()
				v := judge(t, org.Facts{}, tc.raw)
				best = min(best, time.Since(start))
				if v.Error != nil {
					t.Fatal(v.Error.Text.EN)
				}
				if v.Verdict == desk.Clean && v.Row == "budget" {
					t.Error("clean although the budget ran out")
				}
				if best < limit {
					break
				}
			}
			if best > limit {
				t.Errorf("%v", best)
			}
		})
	}
}

func TestRedact(t *testing.T) {
	facts := exampleFacts(t)
	for _, name := range []string{"directsend/ds1-high.eml", "forward/attached-malicious-ja.eml", "phish/payroll-en.eml", "phish/president-freemail-ja.eml"} {
		v := judge(t, facts, example(t, name))
		desk.Redact(v, &facts)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"kiso-works.example", "kiso-works-example", facts.TenantID.Value(), "木曽工業", "木曽太郎", "keiri@", "tanaka@"} {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(secret))) {
				i := bytes.Index(bytes.ToLower(b), []byte(strings.ToLower(secret)))
				t.Errorf("%s: %q is left: …%s…", name, secret, b[max(0, i-60):min(len(b), i+60)])
			}
		}
	}
	if diff := cmp.Diff(exampleFacts(t).Domains.Value(), facts.Domains.Value()); diff != "" {
		t.Errorf("redacting a verdict changed the organisation's facts:\n%s", diff)
	}
}

func TestFindingsAreStable(t *testing.T) {
	raw := example(t, "directsend/ds1-high.eml")
	a, b := judge(t, org.Facts{}, raw), judge(t, org.Facts{}, raw)
	ids := func(v *desk.Verdict) (out []string) {
		for _, f := range v.Findings {
			out = append(out, f.ID)
		}
		return out
	}
	if diff := cmp.Diff(ids(a), ids(b)); diff != "" || len(ids(a)) == 0 {
		t.Errorf("IDs differ between runs: %s", diff)
	}
	for _, f := range a.Findings {
		if f.Severity >= finding.Medium && len(f.Actions) == 0 {
			t.Errorf("%s has no action", f.Kind)
		}
	}
}
