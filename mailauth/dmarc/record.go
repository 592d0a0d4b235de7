package dmarc

import (
	"errors"
	"slices"
	"strings"
)

// Errors of [ParseRecord]: the text is no DMARC policy record.
var (
	// ErrVersion means that the text does not begin with the tag "v=DMARC1",
	// in exactly these letters (RFC 9989 section 4.7).
	ErrVersion = errors.New("dmarc: not a DMARC record")
	// ErrTooLong means that the text is longer than DNS can carry.
	ErrTooLong = errors.New("dmarc: record too long")
)

// Bounds on what is read of one record. Honest records stay far below.
const (
	maxRecord   = 64 << 10 // DNS cannot carry more in one record
	maxURIs     = 20       // of rua and of ruf
	maxWarnings = 50
)

// Policy is what a domain asks receivers to do with mail that fails, the
// Domain Owner Assessment Policy of RFC 9989 section 4.7. Empty means that none
// was published.
type Policy string

// The policies.
const (
	PolicyNone       Policy = "none"       // nothing is asked for
	PolicyQuarantine Policy = "quarantine" // treat it as suspicious
	PolicyReject     Policy = "reject"     // the use of the domain is not valid
)

// strength orders policies from none to reject.
func (p Policy) strength() int {
	switch p {
	case PolicyQuarantine:
		return 1
	case PolicyReject:
		return 2
	default:
		return 0
	}
}

// Lowered returns the policy one step below p, as t=y asks for (RFC 9989
// section 4.7).
func (p Policy) Lowered() Policy {
	switch p {
	case PolicyReject:
		return PolicyQuarantine
	case PolicyQuarantine:
		return PolicyNone
	default:
		return p
	}
}

// Mode says how alike two domains have to be (RFC 9989 section 4.4).
type Mode string

// The modes, as adkim= and aspf= write them.
const (
	ModeRelaxed Mode = "r" // the same organizational domain
	ModeStrict  Mode = "s" // the same domain
)

// PSD says what kind of domain publishes a record.
type PSD string

// The kinds, as psd= writes them.
const (
	PSDYes     PSD = "y" // a public suffix domain: others register names below it
	PSDNo      PSD = "n" // the organizational domain for itself and everything below
	PSDUnknown PSD = "u" // no public suffix; whether it is an organizational domain, the walk tells
)

// Record is a DMARC policy record (RFC 9989 section 4.7).
type Record struct {
	Text string // as published

	P  Policy // for the domain itself
	SP Policy // for subdomains that exist
	NP Policy // for subdomains that do not exist

	// Invalid names the tags of p, sp and np that are there with a value that
	// is no policy. Their fields are empty.
	Invalid []string

	ADKIM Mode
	ASPF  Mode
	FO    []string // when to send failure reports: 0, 1, d, s
	RUA   []URI    // where aggregate reports go; only those that are valid
	RUF   []URI    // where failure reports go; only those that are valid
	PSD   PSD
	Test  bool // t=y: apply what is one step below the policy
}

// ParseRecord reads a DMARC policy record: the text of one TXT record, its
// strings joined (RFC 9989 section 4.5).
//
// Names of tags and words such as "reject" may be in any case, the version may
// not. Tags other than v come in any order. Unknown tags are ignored, and so is
// whatever has a mistake in it, in favour of the default (RFC 9989 section
// 4.7); of a tag that is given twice the first counts. Each is a warning. The
// error is [ErrVersion] or [ErrTooLong].
func ParseRecord(txt string) (*Record, []Warning, error) {
	if len(txt) > maxRecord {
		return nil, nil, ErrTooLong
	}
	first, rest, _ := strings.Cut(txt, ";")
	name, value, ok := strings.Cut(first, "=")
	if !ok || !strings.EqualFold(trim(name), "v") || trim(value) != "DMARC1" {
		return nil, nil, ErrVersion
	}
	p := parser{record: Record{Text: txt, ADKIM: ModeRelaxed, ASPF: ModeRelaxed, FO: []string{"0"}, PSD: PSDUnknown}}
	if name[0] == ' ' || name[0] == '\t' {
		p.warn(WarnLeadingSpace, "", "", 0)
	}
	for offset := len(first) + 1; offset < len(txt); {
		var part string
		part, rest, _ = strings.Cut(rest, ";")
		p.tag(part, offset)
		offset += len(part) + 1
	}
	p.finish()
	return &p.record, p.warnings, nil
}

type parser struct {
	record   Record
	warnings []Warning
	seen     [numTags]bool
	tags     int // that were read after v
}

func (p *parser) warn(code WarningCode, tag, text string, offset int) {
	if len(p.warnings) < maxWarnings {
		p.warnings = append(p.warnings, Warning{Code: code, Tag: tag, Text: clip(text), Offset: offset})
	}
}

// The known tags, those that RFC 9989 removed included.
const (
	tagV = iota
	tagP
	tagSP
	tagNP
	tagADKIM
	tagASPF
	tagFO
	tagRUA
	tagRUF
	tagPSD
	tagT
	tagPct
	tagRF
	tagRI
	numTags
)

func knownTag(name string) int {
	return slices.Index([]string{"v", "p", "sp", "np", "adkim", "aspf", "fo", "rua", "ruf", "psd", "t", "pct", "rf", "ri"}, name)
}

// tag takes one "name=value", which starts at offset.
func (p *parser) tag(part string, offset int) {
	text := trim(part)
	if text == "" {
		return
	}
	offset += strings.Index(part, text)
	name, value, ok := strings.Cut(text, "=")
	name, value = strings.ToLower(trim(name)), trim(value)
	if !ok || !isAlpha(name) {
		p.warn(WarnSyntax, "", text, offset)
		return
	}
	t := knownTag(name)
	if t < 0 {
		p.warn(WarnUnknownTag, name, text, offset)
		return
	}
	if p.seen[t] || t == tagV {
		p.warn(WarnDuplicate, name, text, offset)
		return
	}
	p.seen[t] = true
	p.tags++
	r := &p.record
	switch t {
	case tagP:
		if p.tags > 1 {
			p.warn(WarnPosition, name, text, offset)
		}
		p.policy(&r.P, name, value, offset)
	case tagSP:
		p.policy(&r.SP, name, value, offset)
	case tagNP:
		p.policy(&r.NP, name, value, offset)
	case tagADKIM:
		p.mode(&r.ADKIM, name, value, offset)
	case tagASPF:
		p.mode(&r.ASPF, name, value, offset)
	case tagFO:
		p.failureOptions(value, offset)
	case tagRUA:
		r.RUA = p.uris(name, value, offset)
	case tagRUF:
		r.RUF = p.uris(name, value, offset)
	case tagPSD:
		switch v := PSD(strings.ToLower(value)); v {
		case PSDYes, PSDNo, PSDUnknown:
			r.PSD = v
		default:
			p.warn(WarnValue, name, value, offset)
		}
	case tagT:
		switch strings.ToLower(value) {
		case "y":
			r.Test = true
		case "n":
		default:
			p.warn(WarnValue, name, value, offset)
		}
	case tagPct, tagRF, tagRI:
		p.warn(WarnRemovedTag, name, text, offset)
	}
}

func (p *parser) policy(to *Policy, name, value string, offset int) {
	switch v := Policy(strings.ToLower(value)); v {
	case PolicyNone, PolicyQuarantine, PolicyReject:
		*to = v
	default:
		p.record.Invalid = append(p.record.Invalid, name)
		p.warn(WarnPolicy, name, value, offset)
	}
}

func (p *parser) mode(to *Mode, name, value string, offset int) {
	switch v := Mode(strings.ToLower(value)); v {
	case ModeRelaxed, ModeStrict:
		*to = v
	default:
		p.warn(WarnValue, name, value, offset)
	}
}

// failureOptions reads fo=, a list such as "1:d".
func (p *parser) failureOptions(value string, offset int) {
	var options []string
	bad := false
	for o := range strings.SplitSeq(value, ":") {
		switch o = strings.ToLower(trim(o)); o {
		case "0", "1", "d", "s":
			if !slices.Contains(options, o) {
				options = append(options, o)
			}
		default:
			bad = true
		}
	}
	if bad {
		p.warn(WarnValue, "fo", value, offset)
	}
	if len(options) > 0 {
		p.record.FO = options
	}
}

// uris reads a list of URIs and returns those that are valid.
func (p *parser) uris(name, value string, offset int) []URI {
	var out []URI
	for s := range strings.SplitSeq(value, ",") {
		s = trim(s)
		u, ok := ParseURI(s)
		if !ok {
			p.warn(WarnURI, name, s, offset)
			continue
		}
		if len(out) == maxURIs {
			p.warn(WarnTooManyURIs, name, s, offset)
			break
		}
		if u.Size != "" {
			p.warn(WarnSizeLimit, name, s, offset)
		}
		if u.Scheme != "mailto" {
			p.warn(WarnScheme, name, s, offset)
		}
		out = append(out, u)
	}
	return out
}

// finish reports what only the whole record shows.
func (p *parser) finish() {
	if !p.seen[tagP] {
		p.warn(WarnNoPolicy, "p", "", len(p.record.Text))
	}
	if p.seen[tagFO] && !p.seen[tagRUF] {
		p.warn(WarnUnusedFO, "fo", "", len(p.record.Text))
	}
	// p, sp and np come in any order; the order of Invalid shall not say which.
	slices.SortFunc(p.record.Invalid, func(a, b string) int { return knownTag(a) - knownTag(b) })
}

// Defective reports whether the record lacks a valid p or has an sp or np that
// is no policy. RFC 9989 section 4.10.1 then reads it as p=none if it asks for
// aggregate reports, and as no record to apply otherwise. The same goes for a
// record without p: section 4.7 says that it is read as p=none, and refers to
// section 4.10.1 for how.
func (r *Record) Defective() bool { return r.P == "" || len(r.Invalid) > 0 }

// Applicable reports whether the record can be applied to a message at all; see
// [Record.Defective].
func (r *Record) Applicable() bool { return !r.Defective() || len(r.RUA) > 0 }

// String writes the record anew: tags in a fixed order, defaults left out. A
// policy tag that has no valid value is written without one. Reading the result
// gives the same record, save for its Text.
func (r *Record) String() string {
	var b strings.Builder
	b.WriteString("v=DMARC1")
	add := func(name, value string) { b.WriteString("; " + name + "=" + value) }
	for _, t := range []struct {
		name  string
		value Policy
	}{{"p", r.P}, {"sp", r.SP}, {"np", r.NP}} {
		if t.value != "" || slices.Contains(r.Invalid, t.name) {
			add(t.name, string(t.value))
		}
	}
	if r.ADKIM == ModeStrict {
		add("adkim", string(r.ADKIM))
	}
	if r.ASPF == ModeStrict {
		add("aspf", string(r.ASPF))
	}
	for _, t := range []struct {
		name string
		uris []URI
	}{{"rua", r.RUA}, {"ruf", r.RUF}} {
		if len(t.uris) == 0 {
			continue
		}
		var list []string
		for _, u := range t.uris {
			list = append(list, u.String())
		}
		add(t.name, strings.Join(list, ","))
	}
	if len(r.FO) > 0 && !slices.Equal(r.FO, []string{"0"}) {
		add("fo", strings.Join(r.FO, ":"))
	}
	if r.PSD == PSDYes || r.PSD == PSDNo {
		add("psd", string(r.PSD))
	}
	if r.Test {
		add("t", "y")
	}
	return b.String()
}

// trim takes off white space at both ends. Line ends are none in RFC 9989, and
// stand in records that were pasted from somewhere.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

func isAlpha(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}
