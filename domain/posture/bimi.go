package posture

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"encoding/xml"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// Bounds on what BIMI names.
const (
	goodLogo = 32 << 10 // what receivers advise
	maxLogo  = 512 << 10
	maxMark  = 1 << 20
)

// bimi finds out which logo belongs to the domain.
func (s *section) bimi() {
	f := &s.out.BIMI
	name := "default._bimi." + string(s.d)
	a := s.ask(AreaBIMI, name, resolve.TypeTXT)
	f.State, f.Fetch = stateOf(a), NotAsked
	list := texts(a, "BIMI1")
	if org := s.out.Org; len(list) == 0 && !a.Temporary() && org != "" && org != s.d {
		// A domain without a record takes that of its organizational domain.
		name = "default._bimi." + string(org)
		a = s.ask(AreaBIMI, name, resolve.TypeTXT)
		f.State, list = stateOf(a), texts(a, "BIMI1")
	}
	f.Records = len(list)
	if f.State == Present && len(list) == 0 {
		f.State = Absent
	}
	if len(list) == 0 {
		return
	}
	f.Record = list[0]
	if len(list) > 1 {
		s.fault("bimi.multiple", finding.Medium, name, strings.Join(list, "\n"), "n", len(list))
		return
	}
	t, whole := tags(f.Record)
	logo, ok := valueOf(t, "l")
	if !whole || !ok || !strings.HasPrefix(f.Record, "v=BIMI1") {
		s.fault("bimi.syntax", finding.Medium, name, f.Record)
	}
	f.Logo = logo
	f.Certificate, _ = valueOf(t, "a")
	if f.Logo == "" && f.Certificate == "" {
		f.Declined = ok
		return
	}
	for _, u := range []string{f.Logo, f.Certificate} {
		if u == "" {
			continue
		}
		if p, err := url.Parse(u); err != nil || p.Scheme != "https" || p.Host == "" {
			s.fault("bimi.uri", finding.Medium, name, u, "uri", u)
		}
	}
	if f.Certificate == "" {
		s.fault("bimi.no-certificate", finding.Info, name, f.Record)
	}
	if s.o.Fetch == nil {
		s.needs = append(s.needs, Need{AreaBIMI, finding.NotConfigured, f.Logo, lang.M("posture.need.fetch", "url", f.Logo)})
		return
	}
	s.fetchLogo()
	s.fetchMark()
}

func (s *section) fetchLogo() {
	f := &s.out.BIMI
	if !strings.HasPrefix(f.Logo, "https://") {
		return
	}
	got, err := s.o.Fetch.Get(s.ctx, f.Logo, maxLogo)
	switch {
	case s.ctx.Err() != nil:
		s.ended.Store(true)
	case err != nil || got.Status != 200:
		f.Fetch = Unknown
		s.fault("bimi.unreachable", finding.Medium, f.Logo, "", "uri", f.Logo)
	default:
		f.Fetch = Present
		f.SVG = CheckLogo(got.Body)
		for _, word := range f.SVG {
			s.fault("bimi.logo", finding.Medium, f.Logo, word, "what", word)
		}
	}
}

func (s *section) fetchMark() {
	f := &s.out.BIMI
	if !strings.HasPrefix(f.Certificate, "https://") {
		return
	}
	got, err := s.o.Fetch.Get(s.ctx, f.Certificate, maxMark)
	switch {
	case s.ctx.Err() != nil:
		s.ended.Store(true)
	case err != nil || got.Status != 200:
		s.fault("bimi.unreachable", finding.Medium, f.Certificate, "", "uri", f.Certificate)
	default:
		m := checkMark(got.Body, string(s.d), string(s.out.Org), s.o.Now)
		f.Mark = &m
		for _, word := range m.Errors {
			s.fault("bimi.certificate", finding.Medium, f.Certificate, word, "what", word)
		}
	}
}

// CheckLogo says what keeps a file from being a logo in the profile SVG Tiny
// Portable/Secure (draft-svg-tiny-ps-abrotman), in stable words: "not-svg",
// "profile", "version", "title", "script", "external", "square", "large".
func CheckLogo(b []byte) []string {
	const maxElements, maxDepth = 20_000, 100
	var out []string
	wrong := func(word string) {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	if len(b) > goodLogo {
		wrong("large")
	}
	d := xml.NewDecoder(bytes.NewReader(b))
	d.Strict = true
	depth, count, title := 0, 0, false
	for {
		tok, err := d.Token()
		if err != nil {
			break
		}
		switch e := tok.(type) {
		case xml.StartElement:
			depth++
			if count++; count > maxElements || depth > maxDepth {
				wrong("large")
				return out
			}
			if count == 1 {
				if e.Name.Local != "svg" {
					return []string{"not-svg"}
				}
				logoRoot(e, wrong)
			}
			switch e.Name.Local {
			case "title":
				title = title || depth == 2
			case "script", "foreignObject", "animate", "animateTransform", "animateMotion", "set", "image", "a":
				wrong("script")
			}
			for _, a := range e.Attr {
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					wrong("external")
				}
				if strings.HasPrefix(strings.ToLower(a.Name.Local), "on") {
					wrong("script")
				}
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			if strings.Contains(strings.ToUpper(string(e)), "ENTITY") {
				wrong("external")
			}
		}
	}
	if count == 0 {
		return []string{"not-svg"}
	}
	if !title {
		wrong("title")
	}
	return out
}

func logoRoot(e xml.StartElement, wrong func(string)) {
	attr := map[string]string{}
	for _, a := range e.Attr {
		attr[a.Name.Local] = a.Value
	}
	if attr["baseProfile"] != "tiny-ps" {
		wrong("profile")
	}
	if attr["version"] != "1.2" {
		wrong("version")
	}
	box := strings.FieldsFunc(attr["viewBox"], func(r rune) bool { return r == ' ' || r == ',' })
	if len(box) == 4 {
		w, err1 := strconv.ParseFloat(box[2], 64)
		h, err2 := strconv.ParseFloat(box[3], 64)
		const near = 0.01
		if err1 != nil || err2 != nil || math.Abs(w-h) > near*math.Max(math.Abs(w), math.Abs(h)) {
			wrong("square")
		}
	}
}

// checkMark reads the certificate for a logo. Whether it was issued by an
// authority that a receiver takes is not checked: each has a list of its own.
func checkMark(b []byte, name, org string, now time.Time) BIMIMark {
	const usage = "1.3.6.1.5.5.7.3.31" // id-kp-BrandIndicatorforMessageIdentification
	var m BIMIMark
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		m.Errors = append(m.Errors, "pem")
		return m
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		m.Errors = append(m.Errors, "certificate")
		return m
	}
	m.Subject, m.Issuer, m.Until = clip(c.Subject.String()), clip(c.Issuer.String()), c.NotAfter.UTC().Format(time.RFC3339)
	for _, x := range []struct {
		word  string
		wrong bool
	}{
		{"usage", !slices.ContainsFunc(c.UnknownExtKeyUsage, func(o asn1.ObjectIdentifier) bool { return o.String() == usage })},
		{"name", !slices.ContainsFunc(c.DNSNames, func(n string) bool {
			return n == name || n == org || n == "default._bimi."+name || n == "default._bimi."+org
		})},
		{"expired", !now.IsZero() && now.After(c.NotAfter)},
		{"early", !now.IsZero() && now.Before(c.NotBefore)},
	} {
		if x.wrong {
			m.Errors = append(m.Errors, x.word)
		}
	}
	return m
}

// judgeBIMI says what keeps a logo from being shown, once the policy is known.
func (s *section) judgeBIMI() {
	f, d := &s.out.BIMI, &s.out.DMARC
	if f.State != Present || f.Declined || len(f.Record) == 0 {
		return
	}
	if strictness(d.Policy) < strictness("quarantine") || d.Subdomains != "" && strictness(d.Subdomains) < strictness("quarantine") {
		s.fault("bimi.policy", finding.Medium, "_dmarc."+string(s.d), d.Record)
	}
}
