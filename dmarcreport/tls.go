package dmarcreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The reasons for which a TLS report is refused.
var (
	ErrJSON   = errors.New("dmarcreport: damaged JSON")
	ErrNotTLS = errors.New("dmarcreport: JSON, but no report on SMTP TLS: it has neither policies nor an organization")
)

// Bounds on one TLS report.
const (
	MaxTLSReport   = 16 << 20 // bytes
	MaxTLSPolicies = 1000
	MaxTLSFailures = 10_000 // of all policies together
)

// TLS is a report on SMTP TLS (RFC 8460).
type TLS struct {
	OrgName     string
	ContactInfo string
	ReportID    string
	Begin, End  time.Time // UTC; zero if not given
	Policies    []TLSPolicy
	Faults      []Fault
}

// TLSPolicy says how sessions went under one policy of a domain.
type TLSPolicy struct {
	Type    string // sts, tlsa, no-policy-found; in lower case, as written
	Domain  string // lower case
	Strings []string
	MXHosts []string // the patterns of MTA-STS

	Succeeded, Failed int64 // sessions
	Failures          []TLSFailure
}

// TLSFailure is a way in which sessions failed.
type TLSFailure struct {
	ResultType          string // RFC 8460 section 4.3, as written
	SendingIP           netip.Addr
	ReceivingIP         netip.Addr
	ReceivingMXHostname string
	ReceivingMXHelo     string
	Sessions            int64
	ReasonCode          string
	Additional          string
}

// Sessions returns the sessions that succeeded and that failed.
func (t *TLS) Sessions() (succeeded, failed int64) {
	for i := range t.Policies {
		succeeded += t.Policies[i].Succeeded
		failed += t.Policies[i].Failed
	}
	return succeeded, failed
}

// TLSKey identifies a TLS report.
type TLSKey struct {
	Org, ReportID string
	Begin, End    int64
}

// Key returns the identity of the report.
func (t *TLS) Key() TLSKey { return TLSKey{t.OrgName, t.ReportID, unix(t.Begin), unix(t.End)} }

// The JSON of RFC 8460 section 4.4, with what reporters write instead.
type (
	tlsJSON struct {
		Org     looseText `json:"organization-name"`
		Contact looseText `json:"contact-info"`
		ID      looseText `json:"report-id"`
		Range   struct {
			Begin looseText `json:"start-datetime"`
			End   looseText `json:"end-datetime"`
		} `json:"date-range"`
		Policies []tlsPolicyJSON `json:"policies"`
	}
	tlsPolicyJSON struct {
		Policy struct {
			Type    looseText  `json:"policy-type"`
			Domain  looseText  `json:"policy-domain"`
			Strings looseTexts `json:"policy-string"`
			MX      looseTexts `json:"mx-host"`
			// The name of the field in section 4.2, which the format's own
			// definition does not have.
			Pattern looseTexts `json:"mx-host-pattern"`
		} `json:"policy"`
		Summary struct {
			Succeeded looseCount `json:"total-successful-session-count"`
			Failed    looseCount `json:"total-failure-session-count"`
		} `json:"summary"`
		Failures []tlsFailureJSON `json:"failure-details"`
	}
	tlsFailureJSON struct {
		Type      looseText  `json:"result-type"`
		Sending   looseText  `json:"sending-mta-ip"`
		Receiving looseText  `json:"receiving-ip"`
		MX        looseText  `json:"receiving-mx-hostname"`
		Helo      looseText  `json:"receiving-mx-helo"`
		Sessions  looseCount `json:"failed-session-count"`
		Reason    looseText  `json:"failure-reason-code"`
		More      looseText  `json:"additional-information"`
	}
)

// looseText takes a string, and leaves other values aside.
type looseText string

func (t *looseText) UnmarshalJSON(b []byte) error {
	var s string
	if len(b) > 0 && b[0] == '"' && json.Unmarshal(b, &s) == nil {
		*t = looseText(clip(strings.TrimSpace(s)))
	} else if len(b) > 0 && b[0] >= '0' && b[0] <= '9' {
		*t = looseText(clip(string(b))) // an identifier that is a number
	}
	return nil
}

// looseTexts takes a list of strings, or one.
type looseTexts []string

func (t *looseTexts) UnmarshalJSON(b []byte) error {
	var list []looseText
	if len(b) > 0 && b[0] == '"' {
		var one looseText
		_ = one.UnmarshalJSON(b) // never fails
		list = []looseText{one}
	} else if json.Unmarshal(b, &list) != nil {
		return nil
	}
	for _, s := range list[:min(len(list), MaxResults)] {
		if s != "" {
			*t = append(*t, string(s))
		}
	}
	return nil
}

// looseCount takes a number, or one in quotes.
type looseCount struct {
	n   int64
	set bool
	bad bool
}

func (c *looseCount) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	switch {
	case string(b) == "null":
	case err != nil || n < 0 || n > maxSessions:
		c.bad = true
	default:
		c.n, c.set = n, true
	}
	return nil
}

// maxSessions bounds a count of sessions: sums of those of all policies and many
// reports stay far from an overflow.
const maxSessions = 1_000_000_000_000

// ParseTLS reads a report on SMTP TLS. The error is [ErrJSON], [ErrNotTLS] or
// [ErrTooLarge].
func ParseTLS(data []byte) (*TLS, error) {
	if len(data) > MaxTLSReport {
		return nil, ErrTooLarge
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var in tlsJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&in); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return nil, ErrNotTLS
		}
		return nil, ErrJSON
	}
	if in.Org == "" && len(in.Policies) == 0 || in.ID == "" && in.Range.Begin == "" {
		return nil, ErrNotTLS
	}
	t := &TLS{OrgName: string(in.Org), ContactInfo: string(in.Contact), ReportID: string(in.ID)}
	t.Begin, t.End = t.time(in.Range.Begin, "start-datetime"), t.time(in.Range.End, "end-datetime")
	for _, x := range []struct{ name, value string }{{"organization-name", t.OrgName}, {"report-id", t.ReportID}} {
		if x.value == "" {
			t.fault(FaultMissing, x.name)
		}
	}
	failures := 0
	for i := range in.Policies {
		if i >= MaxTLSPolicies {
			t.fault(FaultTooMany, "policies")
			break
		}
		t.Policies = append(t.Policies, t.policy(&in.Policies[i], &failures))
	}
	if len(t.Policies) == 0 {
		t.fault(FaultNoRecord, "")
	}
	if rest := bytes.TrimSpace(data[dec.InputOffset():]); len(rest) > 0 {
		t.fault(FaultMarkup, "")
	}
	return t, nil
}

func (t *TLS) policy(in *tlsPolicyJSON, failures *int) TLSPolicy {
	p := TLSPolicy{
		Type: strings.ToLower(string(in.Policy.Type)), Domain: strings.TrimSuffix(strings.ToLower(string(in.Policy.Domain)), "."),
		Strings: in.Policy.Strings, MXHosts: in.Policy.MX,
	}
	if len(p.MXHosts) == 0 {
		p.MXHosts = in.Policy.Pattern
	}
	for i, h := range p.MXHosts {
		// Some put the line of the policy there.
		if name, ok := strings.CutPrefix(h, "mx:"); ok {
			p.MXHosts[i] = strings.TrimSpace(name)
		}
	}
	switch p.Type {
	case "sts", "tlsa", "no-policy-found":
	default:
		t.fault(FaultValue, "policy-type")
	}
	if p.Domain == "" {
		t.fault(FaultMissing, "policy-domain")
	}
	p.Succeeded, p.Failed = t.count(in.Summary.Succeeded, "total-successful-session-count"), t.count(in.Summary.Failed, "total-failure-session-count")
	for i := range in.Failures {
		if *failures++; *failures > MaxTLSFailures {
			t.fault(FaultTooMany, "failure-details")
			break
		}
		f := &in.Failures[i]
		p.Failures = append(p.Failures, TLSFailure{
			ResultType: string(f.Type), SendingIP: t.addr(f.Sending), ReceivingIP: t.addr(f.Receiving),
			ReceivingMXHostname: strings.ToLower(string(f.MX)), ReceivingMXHelo: string(f.Helo),
			Sessions: t.count(f.Sessions, "failed-session-count"), ReasonCode: string(f.Reason), Additional: string(f.More),
		})
	}
	return p
}

func (t *TLS) count(c looseCount, name string) int64 {
	switch {
	case c.bad:
		t.fault(FaultCount, name)
	case !c.set:
		t.fault(FaultMissing, name)
	}
	return c.n
}

func (t *TLS) addr(s looseText) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	ip, err := netip.ParseAddr(string(s))
	if err != nil || ip.Zone() != "" {
		t.fault(FaultSource, string(s))
		return netip.Addr{}
	}
	return ip.Unmap()
}

func (t *TLS) time(s looseText, name string) time.Time {
	if s == "" {
		t.fault(FaultMissing, name)
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.Parse(layout, string(s)); err == nil && at.Unix() >= minTime && at.Unix() <= maxTime {
			return at.UTC()
		}
	}
	t.fault(FaultTime, name)
	return time.Time{}
}

func (t *TLS) fault(code Code, detail string) { t.Faults = addFault(t.Faults, code, detail) }
