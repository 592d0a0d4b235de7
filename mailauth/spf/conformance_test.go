package spf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/mailauth/spf"
	"github.com/sekisho/sekisho/resolve"
	"github.com/sekisho/sekisho/resolve/zone"
)

// scenario is one document of the suite.
type scenario struct {
	Description string
	Tests       map[string]struct {
		Helo, Host, MailFrom string
		Result               oneOrMore
		Explanation          string
	}
	ZoneData yaml.Node
}

// oneOrMore is a string or a list of them, the first of which is preferred.
type oneOrMore []string

func (o *oneOrMore) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(o))
	}
	*o = oneOrMore{n.Value}
	return nil
}

// TestConformanceRFC7208 runs the suite of the authors of the RFC, which is not
// part of the repository.
func TestConformanceRFC7208(t *testing.T) {
	shared := os.Getenv("SEKISHO_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	if fi, err := os.Stat(filepath.Join(shared, "data")); err == nil && fi.IsDir() {
		shared = filepath.Join(shared, "data")
	}
	b, err := os.ReadFile(filepath.Join(shared, "spf", "rfc7208-tests.yml"))
	if err != nil {
		t.Skipf("the suite is absent: %v", err)
	}
	total, passed, preferred, explained, explanations := 0, 0, 0, 0, 0
	for d := yaml.NewDecoder(bytes.NewReader(b)); ; {
		var s scenario
		if err := d.Decode(&s); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		z, err := suiteZone(&s.ZoneData)
		if err != nil {
			t.Fatalf("%s: %v", s.Description, err)
		}
		for name, tc := range s.Tests {
			in := spf.Input{IP: netip.MustParseAddr(tc.Host), MailFrom: tc.MailFrom, Helo: tc.Helo}
			r := spf.Check(t.Context(), z, in, nil)
			total++
			if slices.Contains(tc.Result, string(r.Status)) {
				passed++
			} else {
				t.Errorf("%s: %s: got %s, want %v; problem: %+v", s.Description, name, r.Status, tc.Result, r.Problem)
			}
			if tc.Result[0] == string(r.Status) {
				preferred++
			}
			if q := spf.Check(t.Context(), z, in, &spf.Options{NoTrace: true}); q.Status != r.Status || q.Explanation != r.Explanation {
				t.Errorf("%s: %s: without a trace the result is %s", s.Description, name, q.Status)
			}
			// The suite writes DEFAULT for "whatever the receiver says by
			// itself", which is no explanation of the domain.
			if tc.Explanation == "" {
				continue
			}
			want := tc.Explanation
			if want == "DEFAULT" {
				want = ""
			} else {
				explanations++
			}
			if r.Explanation != want {
				t.Errorf("%s: %s: explanation %q, want %q", s.Description, name, r.Explanation, want)
			} else if want != "" {
				explained++
			}
		}
	}
	t.Logf("RFC 7208 suite: %d of %d (%d with the preferred result), explanations: %d of %d", passed, total, preferred, explained, explanations)
	if total != 203 {
		t.Errorf("the suite has %d cases, want 203", total)
	}
}

// suiteZone turns the zone data of the suite into a zone. An SPF entry stands
// for a TXT record, unless the name has TXT entries of its own; TIMEOUT means
// that every type without an entry times out.
func suiteZone(n *yaml.Node) (*zone.Zone, error) {
	z := zone.New()
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := strings.ReplaceAll(n.Content[i].Value, `\`, `\\`)
		var txt, fromSPF []string
		hasTXT, timeout := false, false
		listed := map[resolve.Type]bool{}
		for _, e := range n.Content[i+1].Content {
			if e.Kind == yaml.ScalarNode {
				timeout = timeout || e.Value == "TIMEOUT"
				continue
			}
			value := e.Content[1]
			r := resolve.Record{Name: name}
			switch key := e.Content[0].Value; key {
			case "SPF":
				fromSPF = append(fromSPF, joined(value))
				continue
			case "TXT":
				hasTXT = true
				if value.Value != "NONE" {
					txt = append(txt, joined(value))
				}
				continue
			case "A", "AAAA":
				r.Type, _ = resolve.ParseType(key)
				r.Addr = netip.MustParseAddr(value.Value)
			case "MX":
				r.Type = resolve.TypeMX
				r.Host = rootIfEmpty(value.Content[1].Value)
				if _, err := fmt.Sscan(value.Content[0].Value, &r.Pref); err != nil {
					return nil, err
				}
			case "PTR", "CNAME":
				r.Type, _ = resolve.ParseType(key)
				r.Host = value.Value
			default:
				return nil, fmt.Errorf("unknown entry %q", key)
			}
			listed[r.Type] = true
			if err := z.Add(r); err != nil {
				return nil, err
			}
		}
		if !hasTXT {
			txt = fromSPF
		}
		for _, s := range txt {
			listed[resolve.TypeTXT] = true
			if err := z.Add(resolve.Record{Name: name, Type: resolve.TypeTXT, Text: s}); err != nil {
				return nil, err
			}
		}
		if !timeout {
			continue
		}
		for _, t := range []resolve.Type{resolve.TypeTXT, resolve.TypeA, resolve.TypeAAAA, resolve.TypeMX, resolve.TypePTR} {
			if !listed[t] {
				z.Fail(name, t, resolve.Timeout)
			}
		}
	}
	return z, nil
}

func rootIfEmpty(s string) string {
	if s == "" {
		return resolve.Root
	}
	return s
}

// joined returns the strings of a TXT record as one. What the suite writes as
// "\xEF" is an octet, which YAML reads as a code point.
func joined(n *yaml.Node) string {
	var b strings.Builder
	for _, part := range append([]*yaml.Node{n}, n.Content...) {
		for _, r := range part.Value {
			b.WriteByte(byte(r))
		}
	}
	return b.String()
}
