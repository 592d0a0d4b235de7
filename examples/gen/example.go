package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// file is one file of the output; its name is relative to the folder and has
// slashes.
type file struct {
	name string
	data []byte
}

// want is what the checkpoint should say about a mail, without any
// configuration and with sekisho.yaml.
type want struct {
	without, with     string // verdicts
	dsWithout, dsWith string // direct_send verdicts
}

// same is a want that configuration does not change.
func same(verdict, ds string) want { return want{verdict, verdict, ds, ds} }

// example is one mail of the collection.
type example struct {
	name    string // the file, with "#n" for the n-th mail of a mailbox
	shows   string // what the mail is
	decides string // what should decide the verdict
	want    want
	data    []byte // nil for a mail that stands in a mailbox
}

// generate returns all files.
func generate() ([]file, error) {
	s, err := newSigner()
	if err != nil {
		return nil, err
	}
	b := &builder{signer: s}
	var all []example
	for _, part := range []func() []example{b.directSend, b.phish, b.forward, b.ham, b.loose} {
		all = append(all, part()...)
	}
	var files []file
	for _, e := range all {
		if e.data != nil {
			files = append(files, file{e.name, e.data})
		}
	}
	mailbox := b.mailbox()
	files = append(files, file{"mailbox.mbox", mailbox}, file{"dns.zone", zone(s)},
		file{"sekisho.yaml", []byte(settings)}, file{"people.csv", []byte(people)},
		file{"expected.tsv", expected(all)}, file{"README.md", readme(all)})
	names := map[string]bool{}
	for _, f := range files {
		if names[f.name] {
			return nil, fmt.Errorf("%s is written twice", f.name)
		}
		names[f.name] = true
	}
	return files, nil
}

// expected is the machine-readable table of what should come out.
func expected(all []example) []byte {
	var w bytes.Buffer
	w.WriteString("file\tverdict_without_config\tverdict_with_config\tdirect_send_without\tdirect_send_with\n")
	for _, e := range sorted(all) {
		fmt.Fprintf(&w, "%s\t%s\t%s\t%s\t%s\n", e.name, e.want.without, e.want.with, e.want.dsWithout, e.want.dsWith)
	}
	return w.Bytes()
}

func sorted(all []example) []example {
	return slices.SortedFunc(slices.Values(all), func(a, b example) int { return strings.Compare(a.name, b.name) })
}

const introduction = `# Example mails

Mails to try sekisho on:

    go run ./cmd/sekisho judge examples/
    go run ./cmd/sekisho judge --config examples/sekisho.yaml examples/
    go run ./cmd/sekisho judge --explain examples/directsend/ds1-high.eml

**Every mail here is invented.** The people, companies and attacks do not
exist, each mail says so in an ` + "`X-Synthetic-Example`" + ` field, domains are those
that RFC 2606 and addresses those that RFC 5737 and RFC 3849 keep free. Only
Microsoft's own host names and networks are real, because the judges know
them. What the mails imitate is the order and the words in which Exchange
Online writes its header fields.

They belong to 木曽工業株式会社 (` + "`kiso-works.example`" + `), which ` + "`sekisho.yaml`" + `
and ` + "`people.csv`" + ` describe. Signatures (DKIM, ARC) are computed with one key
that the generator derives, and ` + "`dns.zone`" + ` publishes it together with the SPF
and DMARC records that the header fields speak of. Where Microsoft's own names
appear in that zone, the records are invented as well.

` + "`expected.tsv`" + ` holds the expectation as a table for programs. All of this is
written by ` + "`go run ./examples/gen`" + `; change the generator, not the files.

Beside the mails: ` + "`news/`" + ` holds articles and a draft, ` + "`digest/`" + ` an issue of the
newsletter, ` + "`trace/`" + ` message traces, ` + "`dmarc/`" + ` reports, ` + "`patch/`" + ` inventories, ` + "`rules/` and `lists/`" + ` what rules and lists look like, ` + "`domains.zone`" + ` and
` + "`lookalikes.zone`" + ` the DNS of domains with faults, ` + "`new-spf.txt`" + ` a record to check before
it is published.

In the tables, *without* and *with* mean: without any configuration, and with
` + "`--config examples/sekisho.yaml`" + `. Where both are the same, one word is given.
Direct Send verdicts are explained by ` + "`sekisho judge --explain`" + `.
`

var chapters = []struct{ prefix, title string }{
	{"directsend/", `## directsend: who may use our name

One mail for each way in which a mail with our own domain in From can reach
us: the attacks, and everything that only looks like one.`},
	{"phish/", `## phish: lures

The campaign with passing authentication, the lures that come by Direct Send,
and impersonation of Microsoft, of our people, of our domain, of banks.`},
	{"forward/", `## forward: what staff hand in

Judged is the mail inside. A mail forwarded inline has lost its original
header fields, so that it is never clean and never internal.`},
	{"ham/", `## ham: legitimate twins

Ordinary mail, and mail that resembles each lure but is what it says.`},
	{"", `## Single files`},
}

// readme describes every file.
func readme(all []example) []byte {
	var w bytes.Buffer
	w.WriteString(introduction)
	for _, c := range chapters {
		fmt.Fprintf(&w, "\n%s\n\n| file | what it is | what decides | verdict | Direct Send |\n| --- | --- | --- | --- | --- |\n", c.title)
		for _, e := range sorted(all) {
			folder, name, ok := strings.Cut(e.name, "/")
			if !ok {
				folder, name = "", e.name
			} else {
				folder += "/"
			}
			if folder != c.prefix {
				continue
			}
			fmt.Fprintf(&w, "| %s | %s | %s | %s | %s |\n", name, e.shows, e.decides,
				both(e.want.without, e.want.with), both(e.want.dsWithout, e.want.dsWith))
		}
	}
	w.WriteString(`
Beside the mails: ` + "`sekisho.yaml`" + ` (configuration), ` + "`people.csv`" + ` (names that
attackers borrow), ` + "`dns.zone`" + ` (records of the invented domains).
`)
	return w.Bytes()
}

func both(without, with string) string {
	if without == with {
		return with
	}
	return "without: " + without + "<br>with: " + with
}
