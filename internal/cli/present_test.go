package cli

import (
	"bytes"
	"context"
	"flag"
	"io"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

var update = flag.Bool("update", false, "rewrite testdata")

func clock() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)) }

// newRun is a command on a terminal of that width, 0 for a pipe.
func newRun(l lang.Language, width int) (*run, *bytes.Buffer) {
	var b bytes.Buffer
	out := &output{w: &b}
	return &run{
		Env: Env{Stdout: out, Stderr: io.Discard, Now: clock}, ctx: context.Background(), out: out,
		flags: &grammar{Output: "text"}, lang: l, words: lang.Default(), width: width, config: &config.Config{},
	}, &b
}

// both is a sentence in both languages.
func both(en, ja string) lang.Text { return lang.Text{EN: en, JA: ja} }

// verdicts are as wide and as narrow as they come.
func verdicts() []*desk.Verdict {
	date := time.Date(2026, 11, 17, 0, 12, 0, 0, time.UTC)
	evidence := []desk.Evidence{{
		Where: desk.Where{Header: "From", Index: 10}, Quote: "From: =?utf-8?B?57WM55CG6YOo?= <keiri@kiso-works.example>",
		Note: both("Written by the sender or a server before yours; can be forged.", "送信者、または受信前のサーバーが記録。偽造できます。"),
	}}
	reason := both("From claims your own domain kiso-works.example, but it was sent from outside without signing in.", "自社ドメイン kiso-works.example を名乗っていますが、社外から未認証で送信されています。")
	none := both("No sign of danger was found in what was checked.", "確認した範囲では、危険な兆候は見つかりませんでした。")
	return []*desk.Verdict{
		{
			File: "受信/請求書の確認.eml", From: &desk.Mailbox{Name: "経理部(代表アドレス)", Address: "keiri@kiso-works.example"},
			To: []desk.Mailbox{{Name: "佐藤", Address: "sato@kiso-works.example"}}, Date: &date,
			Subject: "【至急・要確認】未払い請求書のご確認をお願いいたします(第3四半期分)", Verdict: desk.Malicious, Reason: reason,
			Findings: []desk.Finding{
				{Title: reason, Evidence: evidence, Actions: []desk.Action{
					{Text: both("Keep the mail.", "メールを保存します。"), Audience: "admin", Within: "now", Due: "2026-11-24", Commands: []string{"Get-MessageTraceV2 -SenderAddress keiri@kiso-works.example -StartDate 2026-11-10 -EndDate 2026-11-24"}},
					{Text: both("Reject Direct Send.", "Direct Send を拒否します。"), Audience: "admin", Within: "week", Due: "2026-12-01"},
					{Text: both("Do not open it.", "開かないでください。"), Audience: "staff", Within: "now", Due: "2026-11-24"},
				}},
				{Title: both("The text of a link names another host.", "リンクの文字が別の名前です。"), Evidence: evidence},
			},
			Links: []desk.Link{
				{URL: "https://login.evil.test/very/long/path/that/goes/on?and=on&and=on&and=on", Visible: "https://portal.kiso-works.example/", Deceptive: true},
				{URL: "https://login.evil.test/very/long/path/that/goes/on?and=on&and=on&and=on", Visible: "https://portal.kiso-works.example/"},
			},
			Attachments: []desk.Attachment{{Name: "請求書.pdf.html", Found: "html", Size: 1234567, SHA256: strings.Repeat("0", 64)}},
			NotChecked:  []desk.Unchecked{{Capability: "dns", Text: both("DNS.", "DNS。")}},
		},
		{File: "a.mbox", Index: 12, From: &desk.Mailbox{Address: "a@b.test"}, Subject: "Hi", Verdict: desk.Clean, Reason: none},
		{File: "b.eml", Verdict: desk.Undecided, Reason: both("It could not be read whole.", "全体を読み取れませんでした。")},
	}
}

func present(t *testing.T, p presenter, r *run, list []*desk.Verdict) {
	t.Helper()
	s := &summary{words: map[desk.Word]int{}, elapsed: 40 * time.Millisecond}
	for _, v := range list {
		s.add(v)
		if err := p.verdict(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.end(s); err != nil {
		t.Fatal(err)
	}
}

// TestLayout compares whole screens: columns of East Asian text, line breaks,
// and what moves where on a narrow terminal.
func TestLayout(t *testing.T) {
	for _, tc := range []struct {
		name  string
		lang  lang.Language
		width int
		table bool
	}{
		{"table.ja.80", lang.JA, 80, true},
		{"table.en.80", lang.EN, 80, true},
		{"table.ja.160", lang.JA, 160, true},
		{"table.en.40", lang.EN, 40, true},
		{"table.ja.pipe", lang.JA, 0, true},
		{"explain.ja.80", lang.JA, 80, false},
		{"explain.en.60", lang.EN, 60, false},
		{"explain.en.120", lang.EN, 120, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, b := newRun(tc.lang, tc.width)
			var p presenter = &explainPresenter{r: r}
			if tc.table {
				p = &tablePresenter{r: r}
			}
			present(t, p, r, verdicts())
			golden := filepath.Join("testdata", "layout", tc.name+".txt")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Error(diff)
			}
			for line := range strings.Lines(b.String()) {
				line = strings.TrimRight(line, "\n")
				if strings.HasSuffix(line, " ") {
					t.Errorf("white space at the end: %q", line)
				}
				// What is to be copied is never broken.
				if tc.width >= 60 && term.Width(line) > tc.width && !strings.Contains(line, "sekisho judge ") && !strings.Contains(line, "Get-Message") && !strings.Contains(line, "sha256") {
					t.Errorf("%d columns of %d: %q", term.Width(line), tc.width, line)
				}
			}
		})
	}
}

// TestPipe keeps the text on a pipe plain and whole: no colour, no cut reason,
// one line for each message.
func TestPipe(t *testing.T) {
	r, b := newRun(lang.EN, 0)
	list := verdicts()
	list[0].Reason.EN = strings.Repeat("a long reason ", 100)
	present(t, &tablePresenter{r: r}, r, list)
	lines := strings.Split(b.String(), "\n")
	if !strings.Contains(lines[0], strings.TrimSpace(list[0].Reason.EN)) || !strings.HasSuffix(lines[0], list[0].File) {
		t.Errorf("cut: %q", lines[0])
	}
	if strings.Contains(b.String(), "\x1b") || strings.Contains(b.String(), "0.04 s") {
		t.Errorf("colour or time on a pipe: %q", b.String())
	}
}

func TestColour(t *testing.T) {
	r, b := newRun(lang.EN, 80)
	r.style.Color = true
	present(t, &tablePresenter{r: r}, r, verdicts())
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(b.String(), "")
	r, want := newRun(lang.EN, 80)
	present(t, &tablePresenter{r: r}, r, verdicts())
	if !strings.Contains(b.String(), "\x1b[1;31m●") {
		t.Error("no colour")
	}
	if diff := cmp.Diff(want.String(), plain); diff != "" {
		t.Errorf("colour moves the text: %s", diff)
	}
}

// hostile is what an attacker may write: a new title for the terminal, a clear
// screen, a forged line of output, a text turned around.
const hostile = "\x1b]0;owned\x07\x1b[2J\r\n  ○ clean  \u202egpj.exe\u009b31m\u2028\x00\ue0001"

// hostileMail puts it wherever a mail has words.
func hostileMail() []byte {
	word := func(s string) string { // any byte, as an encoded word
		var b strings.Builder
		for _, c := range []byte(s) {
			b.WriteString("=" + strings.ToUpper(string("0123456789abcdef"[c>>4])+string("0123456789abcdef"[c&15])))
		}
		return "=?utf-8?Q?" + b.String() + "?="
	}
	h := word(hostile)
	return []byte("From: " + h + " <a\x1b[2J@supplier.test>\r\nTo: " + h + " <b@kiso-works.example>\r\nReply-To: " + h + " <c@other.test>\r\nSubject: " + h + "\r\n" +
		"Message-ID: <\x1b[2J\u202e@supplier.test>\r\nDate: Mon, 9 Nov 2026 10:00:00 +0900\r\nMIME-Version: 1.0\r\n" +
		"Authentication-Results: spf=\x1b[31mfail (\x1b[2J\u202e) smtp.mailfrom=\x1b[2Jx.test; dmarc=fail action=\x1b[2J header.from=supplier.test;compauth=fail reason=\u202e001\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
		"<a href=\"https://evil.test/\x1b[2J\u202e\">https://www.microsoft.com/" + hostile + "</a>\r\n" +
		"--b\r\nContent-Type: application/octet-stream; name=\"" + h + ".pdf.exe\"\r\nContent-Disposition: attachment; filename=\"" + h + "\u202efdp.exe\"\r\n\r\nMZ\x90\r\n--b--\r\n")
}

// TestHostileText judges such a mail, from a file with such a name, and looks
// at every byte that is printed in every format.
func TestHostileText(t *testing.T) {
	items := func(context.Context, []string, io.Reader, WalkOptions) iter.Seq[desk.Item] {
		return slices.Values([]desk.Item{
			{File: "evil" + hostile + ".eml", Raw: hostileMail()},
			{File: "box" + hostile, Index: 1, Raw: hostileMail()},
			{File: "broken" + hostile, Err: &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.error.now", "value", hostile)}},
		})
	}
	for _, args := range [][]string{
		{"judge", "x"}, {"judge", "-e", "x"}, {"judge", "--lang", "ja", "-e", "x"}, {"judge", "--redact", "-e", "x"},
		{"judge", "--output", "json", "x"}, {"judge", "--output", "ndjson", "x"}, {"judge", "--output", "csv", "x"},
		{"judge", "--" + hostile}, {hostile}, {"help", hostile}, {"judge", "--config", hostile, "x"}, {"judge", "--now", hostile, "x"},
	} {
		t.Run(strings.Join(args[:min(3, len(args))], "_"), func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			Main(t.Context(), args, Env{Stdout: &stdout, Stderr: &stderr, Now: clock, Walk: items, WorkDir: t.TempDir()})
			if stdout.Len()+stderr.Len() == 0 {
				t.Fatal("nothing was printed")
			}
			for _, r := range stdout.String() + stderr.String() {
				if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
					t.Fatalf("%U is printed: %q", r, stdout.String()+stderr.String())
				}
			}
			if strings.Contains(stdout.String()+stderr.String(), "\n  ○ clean  ") {
				t.Error("a line of the attacker's own")
			}
		})
	}
}
