package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"time"

	"github.com/sekisho/sekisho/domain/posture"
)

const (
	smtpTimeout  = 20 * time.Second // for one host, from its name to the end of the handshake
	maxSMTPBytes = 256 << 10        // that a host sends meanwhile
	smtpPort     = "25"
	maxChain     = 10 // certificates that are kept
)

// StartTLS asks the SMTP server of a host for TLS, as a sender does (RFC 3207),
// and leaves without sending anything. It implements [posture.TLSProber].
// The certificate is judged against the authorities of the client and the name
// of the host; whatever it is, it is returned. The error says that the host could
// not be asked.
func (c *Client) StartTLS(ctx context.Context, host string) (posture.TLSAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	server := net.JoinHostPort(host, smtpPort)
	conn, err := c.dial(context.WithValue(ctx, givenKey{}, server), "tcp", server)
	if err != nil {
		return posture.TLSAnswer{}, fmt.Errorf("connecting to %s: %w", server, err)
	}
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return posture.TLSAnswer{}, fmt.Errorf("connecting to %s: %w", server, err)
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s, err := smtp.NewClient(&scarce{Conn: conn, left: maxSMTPBytes}, host)
	if err != nil {
		return posture.TLSAnswer{}, fmt.Errorf("greeting %s: %w", server, err)
	}
	if err := s.Hello(c.o.Hello); err != nil {
		return posture.TLSAnswer{}, fmt.Errorf("greeting %s: %w", server, err)
	}
	out := posture.TLSAnswer{}
	if out.Offered, _ = s.Extension("STARTTLS"); !out.Offered {
		_ = s.Quit() // the answer is known
		return out, nil
	}
	// The chain is judged below, so that a bad one can be told from no TLS.
	err = s.StartTLS(&tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}) //nolint:gosec // what an old server does is the question
	if err != nil {
		out.Failed = true
		return out, nil
	}
	state, _ := s.TLSConnectionState()
	_ = s.Quit() // the answer is known
	out.Version = state.Version
	chain := state.PeerCertificates[:min(len(state.PeerCertificates), maxChain)]
	for _, cert := range chain {
		out.Chain = append(out.Chain, cert.Raw)
	}
	out.Named = len(chain) > 0 && chain[0].VerifyHostname(host) == nil
	out.Trusted = c.trusts(chain)
	return out, nil
}

// trusts reports whether an authority vouches for a certificate at the time at
// which it is valid: a date that has passed is told apart.
func (c *Client) trusts(chain []*x509.Certificate) bool {
	if len(chain) == 0 {
		return false
	}
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	at := c.o.Now()
	if at.After(chain[0].NotAfter) || at.Before(chain[0].NotBefore) {
		at = chain[0].NotBefore.Add(chain[0].NotAfter.Sub(chain[0].NotBefore) / 2)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: c.o.RootCAs, Intermediates: between, CurrentTime: at})
	return err == nil
}

var errTalkative = errors.New("fetch: the server says more than any server has to")

// scarce is a connection on which so many bytes can come in.
type scarce struct {
	net.Conn

	left int
}

// Read implements [io.Reader].
func (s *scarce) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, errTalkative
	}
	n, err := s.Conn.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}
