package posture

import (
	"github.com/sekisho/sekisho/finding"
)

// judge says what is wrong with the whole, once all facts are there.
func (s *section) judge() {
	s.judgeMX()
	s.judgeSPF()
	s.judgeDMARC()
	s.judgeSTS()
	s.judgeTLSRPT()
	s.judgeBIMI()
	s.judgeParked()
}

func (s *section) judgeMX() {
	m := &s.out.MX
	if m.State == Absent && len(m.Implicit) > 0 && s.out.SPF.Sends == Present {
		s.fault("mx.none", finding.Medium, string(s.d), "", "address", m.Implicit[0])
	}
}

func (s *section) judgeSPF() {
	f := &s.out.SPF
	mail := s.out.Use == UseMail || s.out.Use == UseSend
	if f.State == Absent && len(f.Similar) == 0 && mail {
		s.fault("spf.none", finding.High, string(s.d), "")
	}
}

func (s *section) judgeTLSRPT() {
	f := &s.out.TLSRPT
	if f.State != Absent || s.out.Use != UseMail {
		return
	}
	sev := finding.Info
	if s.out.MTASTS.State == Present || s.out.DANE.State == Present {
		sev = finding.Low // senders are told to refuse, and nobody hears of it
	}
	s.fault("tls-rpt.none", sev, "_smtp._tls."+string(s.d), "")
}

// judgeParked says what a domain without mail lacks to be of no use to forgers:
// the four records of M3AAWG's practices for parked domains.
func (s *section) judgeParked() {
	r := s.out
	if r.Use != UseParked && r.Use != UseNone {
		return
	}
	name := string(s.d)
	if !r.MX.Null && r.MX.State == Absent {
		s.fault("parked.mx", finding.Low, name, "")
	}
	if r.SPF.State == Absent || r.SPF.State == Present && r.SPF.All != "-" {
		s.fault("parked.spf", finding.Medium, name, r.SPF.Record)
	}
	if r.DMARC.State == Present && r.DMARC.Policy != "reject" || r.DMARC.State == Absent {
		s.fault("parked.dmarc", finding.Medium, "_dmarc."+name, r.DMARC.Record)
	}
	if !revoked(r.DKIM.Wildcard) && r.DKIM.State != NotAsked && !r.DKIM.None {
		s.fault("parked.dkim", finding.Low, "*._domainkey."+name, "")
	}
}
