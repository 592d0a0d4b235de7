package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/finding"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/org"
)

// How long an [Exception] holds.
const (
	DefaultExceptionDays = 90  // where nobody says
	MaxExceptionDays     = 366 // so that somebody looks at it once a year
)

const (
	day = 24 * time.Hour

	// The widest networks that are believed without anything else: what one
	// customer of a provider is usually given.
	widestIPv4 = 24
	widestIPv6 = 48

	maxOwner  = 100 // runes
	maxReason = 500 // runes
)

// Errors of an [ExceptionStore].
var (
	ErrExceptionExists = errors.New("desk: an exception with this ID exists")
	ErrNoException     = errors.New("desk: no exception has this ID")
)

// Exception sets findings about known mail aside: "this is our scanner". It
// always has an owner, a reason and an end.
//
// From, IP and DKIM are conditions; a mail must meet all that are given, and at
// least one is.
type Exception struct {
	ID      string       `json:"id"`
	From    string       `json:"from,omitempty"` // address, or domain with its sub-domains, that the mail claims
	IP      netip.Prefix `json:"ip,omitzero"`    // network that handed the mail over
	DKIM    string       `json:"dkim,omitempty"` // d= of a signature that passed
	Kind    finding.Kind `json:"kind,omitempty"` // "" is any finding
	Owner   string       `json:"owner"`
	Reason  string       `json:"reason"`
	Created time.Time    `json:"created"`
	Expires time.Time    `json:"expires"`
}

// Claim is what an exception looks at: where a mail says it is from, what was
// proven, and what was found.
type Claim struct {
	From string       // address of the From field
	IP   netip.Addr   // of the host that handed the mail over; the zero Addr if unknown
	DKIM []string     // d= of the signatures that passed
	Kind finding.Kind // of the finding
}

// ExceptionStore keeps exceptions.
type ExceptionStore interface {
	// List returns all exceptions, also those that have ended.
	List(ctx context.Context) ([]Exception, error)

	// Add keeps a new exception. It returns [ErrExceptionExists] if the ID is
	// taken.
	Add(ctx context.Context, e Exception) error

	// Remove forgets an exception. It returns [ErrNoException] if there is
	// none of that ID.
	Remove(ctx context.Context, id string) error
}

// Active reports whether the exception holds at the time now.
func (e Exception) Active(now time.Time) bool {
	return !now.Before(e.Created) && now.Before(e.Expires)
}

// Matches reports whether the claim meets every condition. It does not look at
// the time.
func (e Exception) Matches(c Claim) bool {
	if e.From == "" && !e.IP.IsValid() && e.DKIM == "" {
		return false
	}
	return (e.Kind == "" || e.Kind == c.Kind) &&
		(e.From == "" || e.matchesFrom(c.From)) &&
		(!e.IP.IsValid() || e.IP.Contains(c.IP.Unmap().WithZone(""))) &&
		(e.DKIM == "" || slices.ContainsFunc(c.DKIM, func(d string) bool {
			return strings.EqualFold(strings.TrimSuffix(d, "."), e.DKIM)
		}))
}

func (e Exception) matchesFrom(address string) bool {
	local, host := cutAddress(address)
	n, err := domain.Parse(host)
	if err != nil {
		return false
	}
	if want, name := cutAddress(e.From); want != "" {
		return strings.EqualFold(local, want) && string(n) == name
	}
	return n.IsSubdomainOf(domain.Name(e.From))
}

// cutAddress splits at the last "@". A domain alone has no local part.
func cutAddress(s string) (local, host string) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}

// Validate reports the first thing that is wrong with the exception as an
// [*Error] of kind Invalid. Stores call it for what they read, since people
// edit files.
func (e Exception) Validate() error {
	if e.ID == "" {
		return invalid(lang.M("allow.error.id"), lang.Message{})
	}
	if err := e.validateScope(); err != nil {
		return err
	}
	switch {
	case e.Created.IsZero() || e.Expires.IsZero():
		return invalid(lang.M("allow.error.no-dates"), lang.Message{})
	case !e.Expires.After(e.Created):
		return invalid(lang.M("allow.error.ends-before"), lang.Message{})
	case e.Expires.Sub(e.Created) > MaxExceptionDays*day:
		return invalid(lang.M("allow.error.too-long", "days", MaxExceptionDays), lang.M("allow.hint.renew"))
	}
	return nil
}

// validateScope checks everything but identity and time.
func (e Exception) validateScope() error {
	if e.From == "" && !e.IP.IsValid() && e.DKIM == "" {
		return invalid(lang.M("allow.error.no-condition"), lang.M("allow.hint.condition"))
	}
	for _, check := range []func() error{e.validateFrom, e.validateIP, e.validateDKIM, e.validateKind} {
		if err := check(); err != nil {
			return err
		}
	}
	if err := validateWords(e.Owner, maxOwner, "allow.error.owner", "allow.hint.owner"); err != nil {
		return err
	}
	return validateWords(e.Reason, maxReason, "allow.error.reason", "allow.hint.reason")
}

func (e Exception) validateFrom() error {
	if e.From == "" {
		return nil
	}
	local, host := cutAddress(e.From)
	n, err := domain.Parse(host)
	if err != nil || string(n) != host || n.Parent() == "" || strings.Contains(e.From, "@") && local == "" || hasControl(e.From) || strings.ContainsAny(local, " <>") {
		return invalid(lang.M("allow.error.from", "from", quote(e.From)), lang.M("allow.hint.from"))
	}
	if local == "" && isShared(n) {
		return invalid(lang.M("allow.error.shared-from", "domain", host), lang.M("allow.hint.shared-from"))
	}
	return nil
}

func (e Exception) validateIP() error {
	if !e.IP.IsValid() {
		return nil
	}
	if e.IP != e.IP.Masked() || e.IP.Addr().Is4In6() {
		return invalid(lang.M("allow.error.ip", "ip", e.IP.String()), lang.M("allow.hint.ip"))
	}
	widest := widestIPv6
	if e.IP.Addr().Is4() {
		widest = widestIPv4
	}
	if e.From == "" && e.DKIM == "" && e.IP.Bits() < widest {
		return invalid(lang.M("allow.error.wide", "ip", e.IP.String(), "bits", widest), lang.M("allow.hint.wide"))
	}
	return nil
}

func (e Exception) validateDKIM() error {
	if e.DKIM == "" {
		return nil
	}
	n, err := domain.Parse(e.DKIM)
	if err != nil || string(n) != e.DKIM || n.Parent() == "" {
		return invalid(lang.M("allow.error.dkim", "dkim", quote(e.DKIM)), lang.M("allow.hint.dkim"))
	}
	// A provider signs for everybody who has a mailbox there; the address says
	// which of them is meant.
	if isShared(n) && !strings.Contains(e.From, "@") {
		return invalid(lang.M("allow.error.shared-dkim", "domain", e.DKIM), lang.M("allow.hint.shared-dkim"))
	}
	return nil
}

func (e Exception) validateKind() error {
	if e.Kind == "" {
		return nil
	}
	for _, r := range e.Kind {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return invalid(lang.M("allow.error.kind", "kind", quote(string(e.Kind))), lang.M("allow.hint.kind"))
		}
	}
	if !strings.Contains(string(e.Kind), ".") {
		return invalid(lang.M("allow.error.kind", "kind", quote(string(e.Kind))), lang.M("allow.hint.kind"))
	}
	return nil
}

// isShared reports whether strangers have names or mailboxes in n.
func isShared(n domain.Name) bool {
	return domain.PublicSuffix(n) == n || lists.FreeMail().Has(n)
}

func validateWords(s string, most int, key, hint string) error {
	if strings.TrimSpace(s) == "" || utf8.RuneCountInString(s) > most || !utf8.ValidString(s) || hasControl(s) {
		return invalid(lang.M(key, "max", most), lang.M(hint))
	}
	return nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// quote makes text of the user fit into a sentence.
func quote(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}

func invalid(message, hint lang.Message) *Error {
	return &Error{Kind: Invalid, Message: message, Hint: hint}
}

// exceptionID is the same for the same conditions, so that nobody adds one
// twice.
func exceptionID(e Exception) string {
	h := sha256.New()
	ip := ""
	if e.IP.IsValid() {
		ip = e.IP.String()
	}
	for _, s := range []string{e.From, ip, e.DKIM, string(e.Kind)} {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return "ex-" + hex.EncodeToString(h.Sum(nil)[:4])
}

// AllowDeps is what the actions on exceptions need from outside.
type AllowDeps struct {
	Store ExceptionStore
	Facts org.Facts        // to know the organisation's own domains
	Now   func() time.Time // nil: the system's clock
}

func (d AllowDeps) now() time.Time {
	if d.Now == nil {
		return time.Now()
	}
	return d.Now()
}

// AllowAddInput is what a user says about a new exception.
type AllowAddInput struct {
	From    string // address or domain
	IP      string // address or network
	DKIM    string // signing domain
	Kind    string // of finding; "" is any
	Owner   string
	Reason  string
	Expires time.Time // zero: in DefaultExceptionDays
}

// AllowAddOutput is the exception as it was kept.
type AllowAddOutput struct {
	Exception Exception
	Cautions  []lang.Message // what the user should know about it
}

// Validate reports the first thing that is wrong with the input as an [*Error]
// of kind Invalid. The end is checked by [AllowAdd], which knows the time.
func (in AllowAddInput) Validate() error {
	_, err := in.exception()
	return err
}

// exception reads the input; identity and times are still missing.
func (in AllowAddInput) exception() (Exception, error) {
	e := Exception{
		From: strings.TrimSpace(in.From), DKIM: strings.TrimSpace(in.DKIM), Kind: finding.Kind(strings.TrimSpace(in.Kind)),
		Owner: strings.TrimSpace(in.Owner), Reason: strings.TrimSpace(in.Reason),
	}
	if local, host := cutAddress(e.From); e.From != "" {
		if n, err := domain.Parse(host); err == nil {
			e.From = string(n)
			if local != "" {
				e.From = strings.ToLower(local) + "@" + string(n)
			}
		}
	}
	if n, err := domain.Parse(e.DKIM); err == nil {
		e.DKIM = string(n)
	}
	if ip := strings.TrimSpace(in.IP); ip != "" {
		p, ok := parseNetwork(ip)
		if !ok {
			return e, invalid(lang.M("allow.error.ip", "ip", quote(ip)), lang.M("allow.hint.ip"))
		}
		e.IP = p
	}
	return e, e.validateScope()
}

// parseNetwork reads a network or an address, which is a network of one.
func parseNetwork(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}

// AllowAdd keeps a new exception. One with the same conditions that has ended
// is replaced; if it still holds, the error is of kind Conflict.
func AllowAdd(ctx context.Context, in AllowAddInput, deps AllowDeps) (*AllowAddOutput, error) {
	e, err := in.exception()
	if err != nil {
		return nil, err
	}
	e.ID = exceptionID(e)
	// Seconds are what people read and what every store keeps.
	e.Created = deps.now().UTC().Truncate(time.Second)
	e.Expires = in.Expires.UTC().Truncate(time.Second)
	if in.Expires.IsZero() {
		e.Expires = e.Created.Add(DefaultExceptionDays * day)
	}
	if !e.Expires.After(e.Created) {
		return nil, invalid(lang.M("allow.error.past"), lang.M("allow.hint.past", "days", DefaultExceptionDays))
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	out := &AllowAddOutput{Exception: e}
	if !e.IP.IsValid() && e.DKIM == "" {
		_, host := cutAddress(e.From)
		if own, ok := deps.Facts.Owns(host); ok {
			return nil, invalid(lang.M("allow.error.own-domain", "domain", own), lang.M("allow.hint.proof"))
		}
		out.Cautions = append(out.Cautions, lang.M("allow.caution.from-only", "from", e.From))
	}
	err = deps.Store.Add(ctx, e)
	if errors.Is(err, ErrExceptionExists) {
		err = replaceEnded(ctx, e, deps.Store)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

func replaceEnded(ctx context.Context, e Exception, store ExceptionStore) error {
	all, err := store.List(ctx)
	if err != nil {
		return err
	}
	for _, old := range all {
		if old.ID == e.ID && e.Created.Before(old.Expires) {
			return &Error{Kind: Conflict, Message: lang.M("allow.error.exists", "id", e.ID, "until", old.Expires), Hint: lang.M("allow.hint.remove", "id", e.ID), Err: ErrExceptionExists}
		}
	}
	if err := store.Remove(ctx, e.ID); err != nil && !errors.Is(err, ErrNoException) {
		return err
	}
	return store.Add(ctx, e)
}

// AllowListInput says which exceptions to list.
type AllowListInput struct {
	Ended bool // also those that have ended
}

// Validate accepts every input.
func (in AllowListInput) Validate() error { return nil }

// AllowListOutput is the exceptions, those that end soonest first.
type AllowListOutput struct {
	Exceptions []Exception
	Ended      int // how many have ended, whether they are listed or not
}

// AllowList returns the exceptions.
func AllowList(ctx context.Context, in AllowListInput, deps AllowDeps) (*AllowListOutput, error) {
	all, err := deps.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &AllowListOutput{Exceptions: []Exception{}}
	now := deps.now()
	for _, e := range all {
		ended := !now.Before(e.Expires)
		if ended {
			out.Ended++
		}
		if !ended || in.Ended {
			out.Exceptions = append(out.Exceptions, e)
		}
	}
	slices.SortFunc(out.Exceptions, func(a, b Exception) int {
		return cmp.Or(a.Expires.Compare(b.Expires), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// AllowRemoveInput names an exception.
type AllowRemoveInput struct {
	ID string
}

// Validate asks for an ID.
func (in AllowRemoveInput) Validate() error {
	if strings.TrimSpace(in.ID) == "" {
		return invalid(lang.M("allow.error.id"), lang.M("allow.hint.list"))
	}
	return nil
}

// AllowRemoveOutput is the exception that was removed.
type AllowRemoveOutput struct {
	Exception Exception
}

// AllowRemove forgets an exception. The error is of kind NotFound if there is
// none of that ID.
func AllowRemove(ctx context.Context, in AllowRemoveInput, deps AllowDeps) (*AllowRemoveOutput, error) {
	if err := in.Validate(); err != nil {
		return nil, err
	}
	id := strings.TrimSpace(in.ID)
	all, err := deps.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(e Exception) bool { return e.ID == id })
	err = ErrNoException
	if i >= 0 {
		err = deps.Store.Remove(ctx, id)
	}
	if errors.Is(err, ErrNoException) {
		return nil, &Error{Kind: NotFound, Message: lang.M("allow.error.no-such", "id", quote(id)), Hint: lang.M("allow.hint.list"), Err: err}
	}
	if err != nil {
		return nil, err
	}
	return &AllowRemoveOutput{Exception: all[i]}, nil
}
