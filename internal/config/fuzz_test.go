package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// FuzzLoad reads any bytes as the file: what loads has values that hold what
// the types promise, what does not is an error with a place.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("organisation:\n  domains: [kiso-works.example]\n  mail:\n    gateways: [192.0.2.0/24]\n    connectors: [{name: printers, type: on-premises, ips: [198.51.100.10]}]\n    allow: [{from: survey.example, dkim: survey.example}]\nlanguage: ja\n"))
	f.Add([]byte("dns: {server: 192.0.2.1, timeout: 3s}\nlimits: {message_size: 1MiB}\nrules: [{feed: 'https://example.com/', pin: ''}]\ndata: x\n"))
	f.Add([]byte("? [a]\n: *b"))
	f.Add([]byte("rules: [{path: a}, {path: a, <<: *x}]"))
	f.Add([]byte("\xff\xfel\x00a\x00"))
	f.Add([]byte("dns: !!binary aGVsbG8=\ndata: !!int x\n"))
	f.Add([]byte("---\n...\n---\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l := &loader{config: newConfig(), settings: settings()}
		l.readFile(FileName, b)
		if err := l.finish(); err != nil {
			checkError(t, err, FileName)
			return
		}
		c := l.config
		for _, d := range c.Facts.Domains.Value() {
			if d != strings.ToLower(d) || !strings.Contains(d, ".") {
				t.Errorf("domain %q", d)
			}
		}
		for _, p := range c.Facts.Gateways.Value() {
			if !p.IsValid() || p != p.Masked() || p.Bits() == 0 {
				t.Errorf("gateway %v", p)
			}
		}
		for _, a := range c.Facts.Allow.Value() {
			if a.From == "" || a.DKIM == "" && len(a.IPs) == 0 {
				t.Errorf("an allow pair without proof: %+v", a)
			}
		}
		for _, r := range c.Rules {
			if (r.Path == "") == (r.Feed == "") {
				t.Errorf("rules from %+v", r)
			}
		}
		if c.DNS.Timeout < minTimeout || c.Limits.MessageSize < minSize {
			t.Errorf("%+v %+v", c.DNS, c.Limits)
		}
	})
}

// FuzzPeople reads any bytes as the list of people.
func FuzzPeople(f *testing.F) {
	f.Add([]byte("display_name,email,role\n佐藤,sato@kiso-works.example,vip\n"))
	f.Add([]byte("\ufeffemail;display_name\n\"a\nb\",\"\"\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, e := parsePeople("people.csv", b)
		if e != nil {
			checkError(t, e, "people.csv")
			return
		}
		for _, p := range all {
			if p.DisplayName == "" || p.Address != "" && !strings.Contains(p.Address, "@") {
				t.Errorf("%+v", p)
			}
		}
	})
}

// checkError asks for one line that names the place.
func checkError(t *testing.T, err error, place string) {
	t.Helper()
	e, ok := errors.AsType[*desk.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	for _, l := range []lang.Language{lang.EN, lang.JA} {
		text := lang.Default().Say(l, e.Message)
		if !strings.HasPrefix(text, place) || strings.ContainsAny(text, "\n\x1b") {
			t.Errorf("an error without a place or on several lines: %q", text)
		}
	}
}

// TestLoadIsLinear takes a moment; with anything quadratic it takes minutes.
func TestLoadIsLinear(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"ManyKeys", keys(20_000)},
		{"DeepFlow", strings.Repeat("[", 9000)},
		{"DeepMapping", "organisation: " + strings.Repeat("{a: ", 9000)},
		{"LongLine", "organisation: {name: " + strings.Repeat("x", maxFile-100) + "}"},
		{"ManyEntries", "organisation: {banks: [" + strings.Repeat("a,", 50_000) + "]}"},
		{"ManyAnchors", strings.Repeat("- &a x\n", 20_000)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := &loader{config: newConfig(), settings: settings()}
			l.readFile(FileName, []byte(tc.text)[:min(len(tc.text), maxFile)])
			checkError(t, l.finish(), FileName)
		})
	}
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("k")
		b.WriteString(strings.Repeat("x", i%7))
		b.WriteByte(byte('a' + i%26))
		b.WriteString(": 1\n")
	}
	return b.String()
}
