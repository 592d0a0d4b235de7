package domain_test

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/domain"
)

var list = flag.Bool("list", false, "print every look-alike found in the corpus")

// shared returns a folder of the data that is not ours to ship, and skips the
// test where it is absent.
func shared(t *testing.T, elem ...string) string {
	t.Helper()
	base := os.Getenv("SEKISHO_SHARED")
	if base == "" {
		base = filepath.Join("..", "..", "shared")
	}
	dir := filepath.Join(append([]string{base, "data"}, elem...)...)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no shared data (set SEKISHO_SHARED): %v", err)
	}
	return dir
}

// hosts returns the names of senders and links of every mail in dir, with the
// number of mails that each occurs in. It reads as roughly as counting allows.
func hosts(t *testing.T, dir string) map[domain.Name]int {
	t.Helper()
	counts := make(map[domain.Name]int)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for n := range mailHosts(raw) {
			counts[n]++
		}
	}
	return counts
}

func mailHosts(raw []byte) map[domain.Name]bool {
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	names := make(map[domain.Name]bool)
	add := func(host []byte) {
		if n, err := domain.Parse(string(host)); err == nil {
			names[n] = true
		}
	}
	header, body, _ := bytes.Cut(raw, []byte("\n\n"))
	for line := range bytes.Lines(header) {
		field, value, _ := bytes.Cut(line, []byte(":"))
		switch strings.ToLower(string(field)) {
		case "from", "sender", "reply-to", "return-path":
			if at := bytes.LastIndexByte(value, '@'); at >= 0 {
				add(untilAny(value[at+1:], "> \t\r\n)\"'"))
			}
		}
	}
	var block []byte
	var decoded [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) >= 60 && !bytes.ContainsAny(line, " <>=:\"") {
			block = append(block, line...)
			continue
		}
		if len(block) > 0 {
			block = append(block, line...)
			text := make([]byte, base64.StdEncoding.DecodedLen(len(block)))
			n, _ := base64.StdEncoding.Decode(text, block)
			decoded = append(decoded, text[:n])
			block = nil
		}
	}
	for _, text := range append(decoded, bytes.ReplaceAll(body, []byte("=\n"), nil)) {
		for {
			var found bool
			if _, text, found = bytes.Cut(text, []byte("://")); !found {
				break
			}
			add(untilAny(text, "/:?#\"'<>()\\ \t\r\n="))
		}
	}
	return names
}

func untilAny(b []byte, chars string) []byte {
	if i := bytes.IndexAny(b, chars); i >= 0 {
		return b[:i]
	}
	return b
}

// corpusTargets are names that attackers borrow, well known and small, with
// the other names of their owners.
var corpusTargets = map[domain.Name][]string{
	"microsoft.com":       {"microsoftonline.com", "microsoftemail.com", "microsoft365.com", "windows.net", "office.net", "microsoftproductionemails.com", "microsoftstore.com", "microsoft-my.sharepoint.com"},
	"office.com":          {"office365.com", "office.net", "officeapps.live.com"},
	"outlook.com":         {"outlook.office.com", "outlook.office365.com", "outlook.live.com"},
	"docusign.com":        {"docusign.net"},
	"google.com":          {"googlegroups.com", "googlemail.com", "googleapis.com", "googleusercontent.com", "google-analytics.com", "googletagmanager.com", "googleadservices.com", "google.de", "google.co.uk"},
	"paypal.com":          {"paypal.de", "paypalobjects.com", "paypal-communication.com"},
	"amazon.com":          {"amazon.de", "amazon.co.uk", "amazon.co.jp", "amazonaws.com", "amazonses.com"},
	"apple.com":           nil,
	"adobe.com":           nil,
	"dropbox.com":         {"dropboxmail.com"},
	"linkedin.com":        nil,
	"facebook.com":        {"facebookmail.com"},
	"netflix.com":         nil,
	"github.com":          {"github.io", "githubusercontent.com"},
	"dhl.com":             {"dhl.de"},
	"kiso-works.example":  nil,
	"sato.example":        nil,
	"abc.example":         nil,
	"sakura.example":      nil,
	"mail.example":        nil,
	"tanaka-shop.example": nil,
	"nexus.example":       nil,
}

// lookalikes returns what in names seems to imitate one of corpusTargets, in
// lines for people to look at.
func lookalikes(names iter.Seq[domain.Name], kinds ...domain.Kind) []string {
	targets := domain.NewTargets(slices.Collect(maps.Keys(corpusTargets))...)
	var found []string
	for n := range names {
		for _, m := range targets.Lookalikes(n) {
			family := slices.ContainsFunc(corpusTargets[m.Target], func(f string) bool { return n.IsSubdomainOf(domain.Name(f)) })
			if !family && slices.Contains(kinds, m.Kind) {
				found = append(found, fmt.Sprintf("%s %s %s %q %q", m.Target, m.Kind, n, m.Piece, m.Instead))
			}
		}
	}
	slices.Sort(found)
	return found
}

var allKinds = []domain.Kind{domain.DigitSwap, domain.Confusable, domain.Hyphenation, domain.Affix, domain.Edit, domain.SwappedTLD, domain.Subdomain}

// report prints what was found if asked, and fails for more than most, which is
// what was found when the list was last looked through.
func report(t *testing.T, names int, found []string, most int) {
	t.Helper()
	t.Logf("%d names, %d targets: %d look-alikes", names, len(corpusTargets), len(found))
	if *list {
		t.Log("\n" + strings.Join(found, "\n"))
	}
	if len(found) > most {
		t.Errorf("%d names seem to imitate somebody, want at most %d (go test -run Corpus -v . -args -list)", len(found), most)
	}
}

// TestCorpusFalsePositives counts the names of senders and links in legitimate
// mail that seem to imitate somebody.
func TestCorpusFalsePositives(t *testing.T) {
	for _, c := range []struct {
		folder string
		most   int
	}{
		{"ham", 3},
		{"commercial", 0},
	} {
		t.Run(c.folder, func(t *testing.T) {
			counts := hosts(t, shared(t, "mail", c.folder))
			report(t, len(counts), lookalikes(maps.Keys(counts), allKinds...), c.most)
		})
	}
}

// TestCorpusPopular counts them among the most visited domains of the world.
// Names under another suffix are left out: there they are mostly the owner's.
func TestCorpusPopular(t *testing.T) {
	f, err := os.ReadFile(filepath.Join(shared(t, "mql", "lists"), "tranco_top_50k.csv"))
	if err != nil {
		t.Skip(err)
	}
	var names []domain.Name
	for line := range strings.Lines(string(f)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), ",")
		if n, err := domain.Parse(name); err == nil {
			names = append(names, n)
		}
	}
	kinds := slices.DeleteFunc(slices.Clone(allKinds), func(k domain.Kind) bool { return k == domain.SwappedTLD })
	report(t, len(names), lookalikes(slices.Values(names), kinds...), 25)
}
