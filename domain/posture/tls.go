package posture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/resolve"
)

// TLSProber asks the SMTP server of a host for TLS (RFC 3207). It is safe for
// concurrent use. The error says that the host could not be asked.
type TLSProber interface {
	StartTLS(ctx context.Context, host string) (TLSAnswer, error)
}

// TLSAnswer is what a server did when it was asked for TLS.
type TLSAnswer struct {
	Offered bool     // it announced STARTTLS
	Failed  bool     // it did, and then no connection came about
	Version uint16   // as crypto/tls numbers them
	Chain   [][]byte // certificates in DER, that of the host first
	Named   bool     // the certificate is for the host
	Trusted bool     // an authority that everybody knows vouches for it, leaving dates aside
}

// TLS is whether mail to the domain can travel encrypted.
type TLS struct {
	State State     `json:"state"`
	Hosts []TLSHost `json:"hosts"`
}

// TLSHost is what the server of a host did.
type TLSHost struct {
	Host    string `json:"host"`
	State   State  `json:"state"`   // whether it offers TLS
	Version string `json:"version"` // "TLS 1.3"
	Named   bool   `json:"named"`   // the certificate is for the host
	Trusted bool   `json:"trusted"` // an authority that everybody knows vouches for it
	Until   string `json:"until"`   // RFC 3339, when the certificate ends
	Issuer  string `json:"issuer"`
	DANE    State  `json:"dane"` // whether a TLSA record of the host is for this certificate; not-asked without such records
}

// The versions of TLS (RFC 8446 section 4.2.1, RFC 5246).
const (
	tls10 = 0x0301
	tls12 = 0x0303
)

// tls finds out whether the hosts that receive offer TLS, and with what
// certificate.
func (s *section) tls() {
	f := &s.out.TLS
	f.State, f.Hosts = NotAsked, []TLSHost{}
	hosts := s.out.MX.Hosts
	if s.out.MX.State != Present || len(hosts) == 0 {
		return
	}
	if s.o.TLS == nil {
		s.needs = append(s.needs, Need{AreaTLS, finding.NotConfigured, string(s.d), lang.M("posture.need.tls")})
		return
	}
	f.State = Present
	for _, h := range hosts[:min(len(hosts), maxHosts)] {
		if h.Literal {
			continue
		}
		t := TLSHost{Host: h.Host, State: Unknown, DANE: NotAsked}
		a, err := s.o.TLS.StartTLS(s.ctx, h.Host)
		switch {
		case s.ctx.Err() != nil:
			s.ended.Store(true)
			return
		case err != nil:
			s.needs = append(s.needs, Need{AreaTLS, finding.Failed, h.Host, lang.M("posture.need.smtp", "host", h.Host)})
		case !a.Offered:
			t.State = Absent
			s.fault("tls.none", finding.High, h.Host, "", "host", h.Host)
		case a.Failed:
			t.State = Absent
			s.fault("tls.failed", finding.High, h.Host, "", "host", h.Host)
		default:
			t.State, t.Named, t.Trusted = Present, a.Named, a.Trusted
			s.certificate(&t, &a)
		}
		if t.State != Present && f.State != Absent {
			f.State = t.State
		}
		f.Hosts = append(f.Hosts, t)
	}
}

// certificate judges what a host showed. A bad certificate costs mail only where
// senders were told to look at it (RFC 8461 section 5, RFC 7672 section 2.2).
func (s *section) certificate(t *TLSHost, a *TLSAnswer) {
	t.Version = versionName(a.Version)
	if a.Version < tls12 {
		s.fault("tls.old", finding.Medium, t.Host, t.Version, "host", t.Host, "version", t.Version)
	}
	severity := finding.Low
	if p := s.out.MTASTS.Policy; p != nil && p.Mode == "enforce" {
		severity = finding.High
	}
	records := s.pins[t.Host]
	if len(a.Chain) > 0 {
		if leaf, err := x509.ParseCertificate(a.Chain[0]); err == nil {
			t.Until, t.Issuer = leaf.NotAfter.UTC().Format(time.RFC3339), clip(leaf.Issuer.String())
			if now := s.o.Now; !now.IsZero() && now.After(leaf.NotAfter) {
				s.fault("tls.expired", severity, t.Host, t.Until, "host", t.Host, "on", leaf.NotAfter)
			}
		}
	}
	if !t.Named {
		s.fault("tls.name", severity, t.Host, "", "host", t.Host)
	}
	if !t.Trusted && len(records) == 0 {
		s.fault("tls.untrusted", severity, t.Host, t.Issuer, "host", t.Host)
	}
	if len(records) == 0 {
		return
	}
	t.DANE = Absent
	if slices.ContainsFunc(records, func(r *resolve.TLSA) bool { return matches(r, a.Chain) }) {
		t.DANE = Present
		return
	}
	s.fault("dane.mismatch", finding.High, "_25._tcp."+t.Host, "", "host", t.Host)
}

// matches reports whether a record is for one of the certificates (RFC 6698
// section 2.1; RFC 7672 section 3.1).
func matches(r *resolve.TLSA, chain [][]byte) bool {
	if r.Usage == 3 { // DANE-EE: that of the host alone
		chain = chain[:min(len(chain), 1)]
	}
	for _, der := range chain {
		data := der
		if r.Selector == 1 {
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				continue
			}
			data = cert.RawSubjectPublicKeyInfo
		}
		switch r.MatchingType {
		case 1:
			sum := sha256.Sum256(data)
			data = sum[:]
		case 2:
			sum := sha512.Sum512(data)
			data = sum[:]
		}
		if bytes.Equal(data, r.Data) {
			return true
		}
	}
	return false
}

func versionName(v uint16) string {
	if v < tls10 || v > tls12+1 {
		return fmt.Sprintf("0x%04x", v)
	}
	return fmt.Sprintf("TLS 1.%d", v-tls10)
}
