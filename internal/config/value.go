package config

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sekisho/sekisho/domain"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/lists"
	"github.com/sekisho/sekisho/org"
)

const (
	maxText     = 500 // runes of a value
	minTimeout  = 100 * time.Millisecond
	maxTimeout  = time.Minute
	minSize     = 64 << 10
	maxSize     = 1 << 30
	defaultPort = "53"
	pinPrefix   = "sha256:"
	pinDigits   = 64
)

// bad reports that v cannot be a setting's value, and why.
func (v value) bad(why lang.Message, hint lang.Message) {
	v.fail(v.node, lang.M("config.bad-value", "at", v.at(v.node), "key", show(v.key), "value", show(v.node.Value), "why", why), hint)
}

// scalar returns a value as it is written. Numbers and the like count as
// text, so that an extension such as 0123 keeps its zero.
func (v value) scalar() (string, bool) {
	if !v.is(v.node, yaml.ScalarNode, v.key, wantText) {
		return "", false
	}
	if isNull(v.node) {
		v.wrongType(v.node, v.key, wantText, lang.Message{})
		return "", false
	}
	s := strings.TrimSpace(v.node.Value)
	if utf8.RuneCountInString(s) > maxText {
		v.bad(lang.M("config.why.long", "max", maxText), lang.Message{})
		return "", false
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		v.bad(lang.M("config.why.control"), lang.Message{})
		return "", false
	}
	return s, true
}

// text reads a value that may be anything. An empty one is not configured.
func (v value) text() (string, bool) {
	s, ok := v.scalar()
	return s, ok && s != ""
}

// list reads the entries of a list with read.
func list[T any](read func(value) (T, bool)) func(value) ([]T, bool) {
	return func(v value) ([]T, bool) {
		if v.node.Kind == yaml.ScalarNode {
			v.wrongType(v.node, v.key, wantList, lang.M("config.hint.list", "value", show(v.node.Value)))
			return nil, false
		}
		if !v.is(v.node, yaml.SequenceNode, v.key, wantList) {
			return nil, false
		}
		if len(v.node.Content) > maxItems {
			v.fail(v.node, lang.M("config.too-many", "at", v.at(v.node), "key", show(v.key), "max", maxItems), lang.Message{})
			return nil, false
		}
		all := make([]T, 0, len(v.node.Content))
		good := true
		for _, n := range v.node.Content {
			if len(v.loader.problems) >= maxProblems {
				return nil, false
			}
			entry := value{v.reader, n, v.key}
			if n.Kind == yaml.ScalarNode && strings.TrimSpace(n.Value) == "" {
				entry.bad(lang.M("config.why.empty"), lang.Message{})
				good = false
				continue
			}
			x, ok := read(entry)
			if !ok {
				good = false
				continue
			}
			all = append(all, x)
		}
		return all, good
	}
}

// oneOrMany reads a list, or a single entry of one.
func oneOrMany[T any](read func(value) (T, bool)) func(value) ([]T, bool) {
	return func(v value) ([]T, bool) {
		if v.node.Kind != yaml.ScalarNode {
			return list(read)(v)
		}
		x, ok := read(v)
		return []T{x}, ok
	}
}

// choice reads one of the names.
func choice(names ...string) func(value) (string, bool) {
	return func(v value) (string, bool) {
		s, ok := v.text()
		if !ok {
			return "", false
		}
		if i := slices.Index(names, strings.ToLower(s)); i >= 0 {
			return names[i], true
		}
		v.bad(lang.M("config.why.choice"), lang.M("config.hint.choices", "names", names))
		return "", false
	}
}

func (v value) yesNo() (bool, bool) {
	s, ok := v.text()
	if !ok {
		return false, false
	}
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return true, true
	case "false", "no", "off":
		return false, true
	}
	v.bad(lang.M("config.why.choice"), lang.M("config.hint.choices", "names", []string{"true", "false"}))
	return false, false
}

// name reads a domain with at least two labels.
func (v value) name() (domain.Name, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	n, err := domain.Parse(s)
	switch {
	case errors.Is(err, domain.ErrIP):
		v.bad(lang.M("config.why.address-not-name"), lang.Message{})
		return "", false
	case err != nil || n.Parent() == "":
		hint := lang.Message{}
		if _, after, found := strings.Cut(s, "@"); found {
			hint = lang.M("config.hint.without-at", "name", show(after))
		} else if strings.Contains(s, "://") {
			hint = lang.M("config.hint.name-only")
		}
		v.bad(lang.M("config.why.no-domain"), hint)
		return "", false
	}
	return n, true
}

func (v value) domain() (string, bool) {
	n, ok := v.name()
	return string(n), ok
}

// ownDomain refuses domains in which others live too: taking one for ours
// would make every stranger in it a colleague.
func (v value) ownDomain() (string, bool) {
	return v.exclusive(lang.M("config.hint.own-domain"))
}

// signer refuses domains that sign for whoever has an account there.
func (v value) signer() (string, bool) {
	return v.exclusive(lang.M("config.hint.signer"))
}

func (v value) exclusive(hint lang.Message) (string, bool) {
	n, ok := v.name()
	if !ok {
		return "", false
	}
	if domain.PublicSuffix(n) == n || lists.FreeMail().Has(n) {
		v.bad(lang.M("config.why.shared-domain"), hint)
		return "", false
	}
	return string(n), true
}

// mail reads an address, in lower case with an A-label domain.
func (v value) mail() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	a, ok := mailAddress(s)
	if !ok {
		v.bad(lang.M("config.why.no-mail"), lang.Message{})
	}
	return a, ok
}

func mailAddress(s string) (string, bool) {
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || strings.ContainsAny(s, " \t<>\",;") {
		return "", false
	}
	n, err := domain.Parse(s[at+1:])
	if err != nil {
		return "", false
	}
	return strings.ToLower(s[:at]) + "@" + string(n), true
}

// guid reads the textual form of RFC 9562 section 4, in lower case.
func (v value) guid() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	s = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(s, "{"), "}"))
	good := len(s) == 36
	for i := 0; good && i < len(s); i++ {
		switch i {
		case 8, 13, 18, 23:
			good = s[i] == '-'
		default:
			good = isHex(s[i])
		}
	}
	if !good {
		v.bad(lang.M("config.why.no-guid"), lang.M("config.hint.guid"))
	}
	return s, good
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

// slug reads an identifier such as "windows-11".
func (v value) slug() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	s = strings.ToLower(s)
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			v.bad(lang.M("config.why.no-slug"), lang.M("config.hint.slug"))
			return "", false
		}
	}
	return s, true
}

func (v value) country() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	s = strings.ToUpper(s)
	if len(s) != 2 || !slices.Contains(strings.Fields(countries), s) {
		v.bad(lang.M("config.why.no-country"), lang.M("config.hint.country"))
		return "", false
	}
	return s, true
}

// countries are the officially assigned codes of ISO 3166-1 alpha-2, and XK,
// which is in common use for Kosovo.
const countries = `AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP
KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ
NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ
UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW`

// prefix reads a network; a bare address is a network of one.
func (v value) prefix() (netip.Prefix, bool) {
	s, ok := v.text()
	if !ok {
		return netip.Prefix{}, false
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		v.bad(lang.M("config.why.no-network"), lang.M("config.hint.network"))
		return netip.Prefix{}, false
	}
	if p.Bits() == 0 {
		v.bad(lang.M("config.why.everybody"), lang.M("config.hint.network"))
		return netip.Prefix{}, false
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	if m := p.Masked(); m != p {
		v.bad(lang.M("config.why.host-bits"), lang.M("config.hint.did-you-mean", "name", m.String()))
		return netip.Prefix{}, false
	}
	return p, true
}

// entry reads the keys of an entry of a structure. It reports a key that is
// none of them.
func (v value) entry(keys map[string]func(value)) bool {
	before := len(v.loader.problems)
	if !v.is(v.node, yaml.MappingNode, v.key, wantEntries) {
		return false
	}
	names := make([]string, 0, len(keys))
	for k := range keys {
		names = append(names, k)
	}
	slices.Sort(names)
	v.fields(v.key, v.node, func(key string, k, n *yaml.Node) {
		read, ok := keys[key]
		if !ok {
			hint := lang.M("config.hint.keys", "names", names)
			if name, ok := nearest(key, names); ok {
				hint = lang.M("config.hint.did-you-mean", "name", name)
			}
			v.fail(k, lang.M("config.unknown", "at", v.at(k), "key", show(joinKey(v.key, key))), hint)
			return
		}
		if !isNull(n) {
			read(value{v.reader, n, joinKey(v.key, key)})
		}
	})
	return len(v.loader.problems) == before
}

// lacks reports that an entry has no value for field.
func (v value) lacks(field string, hint lang.Message) {
	v.fail(v.node, lang.M("config.lacks", "at", v.at(v.node), "key", show(v.key), "field", field), hint)
}

// into makes read store what it read.
func into[T any](place *T, read func(value) (T, bool)) func(value) {
	return func(v value) {
		if x, ok := read(v); ok {
			*place = x
		}
	}
}

func (v value) connector() (org.Connector, bool) {
	var c org.Connector
	if !v.entry(map[string]func(value){
		"name":         into(&c.Name, value.text),
		"type":         into(&c.Type, value.connectorType),
		"ips":          into(&c.IPs, list(value.prefix)),
		"certificates": into(&c.Certificates, list(value.certificate)),
	}) {
		return c, false
	}
	if c.Type == "" {
		v.lacks("type", lang.M("config.hint.choices", "names", []string{onPremises, partner}))
		return c, false
	}
	if len(c.IPs) == 0 && len(c.Certificates) == 0 {
		v.lacks("ips", lang.M("config.hint.connector"))
		return c, false
	}
	return c, true
}

// The types of connectors.
const (
	onPremises = "on-premises"
	partner    = "partner"
)

// connectorType also reads "OnPremises" and "Partner", as
// Get-InboundConnector prints them.
func (v value) connectorType() (string, bool) {
	if strings.EqualFold(strings.TrimSpace(v.node.Value), "OnPremises") {
		return onPremises, true
	}
	return choice(onPremises, partner)(v)
}

func (v value) certificate() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	bare, wild := strings.CutPrefix(s, "*.")
	n, err := domain.Parse(bare)
	if err != nil || n.Parent() == "" {
		v.bad(lang.M("config.why.no-domain"), lang.M("config.hint.certificate"))
		return "", false
	}
	if wild {
		return "*." + string(n), true
	}
	return string(n), true
}

func (v value) allowPair() (org.AllowPair, bool) {
	var a org.AllowPair
	if !v.entry(map[string]func(value){
		"from": into(&a.From, value.domain),
		"dkim": into(&a.DKIM, value.signer),
		"ips":  into(&a.IPs, list(value.prefix)),
	}) {
		return a, false
	}
	if a.From == "" {
		v.lacks("from", lang.M("config.hint.allow"))
		return a, false
	}
	// Without proof, whoever writes the name into From would be let in.
	if a.DKIM == "" && len(a.IPs) == 0 {
		v.lacks("dkim", lang.M("config.hint.allow"))
		return a, false
	}
	return a, true
}

func (v value) ruleSource() (RuleSource, bool) {
	var s RuleSource
	if !v.entry(map[string]func(value){
		"path": into(&s.Path, value.path),
		"feed": into(&s.Feed, value.feed),
		"pin":  into(&s.Pin, value.pin),
		"pack": into(&s.Pack, choice("sekisho")),
		"off":  into(&s.Off, value.yesNo),
	}) {
		return s, false
	}
	switch {
	case s.Pack != "" && s.Path == "" && s.Feed == "" && s.Pin == "":
		return s, true
	case s.Pack != "" || s.Off:
		v.fail(v.node, lang.M("config.pack-alone", "at", v.at(v.node), "key", show(v.key)), lang.M("config.hint.rules"))
		return s, false
	case s.Path == "" && s.Feed == "":
		v.lacks("path", lang.M("config.hint.rules"))
		return s, false
	case s.Path != "" && (s.Feed != "" || s.Pin != ""):
		v.fail(v.node, lang.M("config.path-and-feed", "at", v.at(v.node), "key", show(v.key)), lang.M("config.hint.rules"))
		return s, false
	}
	return s, true
}

func (v value) feed() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	u, err := url.Parse(s)
	if err == nil && !strings.Contains(s, "://") && desk.IsFeed(s) {
		return s, true // a name that is known, or that was given when it was fetched
	}
	if err != nil || u.Scheme != "https" || u.Host == "" {
		v.bad(lang.M("config.why.no-https"), lang.Message{})
		return "", false
	}
	if u.User != nil {
		v.bad(lang.M("config.why.password"), lang.Message{})
		return "", false
	}
	return s, true
}

func (v value) pin() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	s = strings.ToLower(s)
	digits, found := strings.CutPrefix(s, pinPrefix)
	good := found && len(digits) == pinDigits
	for i := 0; good && i < len(digits); i++ {
		good = isHex(digits[i])
	}
	if !good {
		v.bad(lang.M("config.why.no-pin"), lang.Message{})
	}
	return s, good
}

// path reads a file or folder, seen from the folder of the source.
func (v value) path() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	return inDir(v.dir, filepath.FromSlash(s)), true
}

// server reads an address or a name with an optional port.
func (v value) server() (string, bool) {
	s, ok := v.text()
	if !ok {
		return "", false
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return net.JoinHostPort(a.String(), defaultPort), true
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = s, defaultPort
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		v.bad(lang.M("config.why.no-server"), lang.M("config.hint.server"))
		return "", false
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return net.JoinHostPort(a.String(), port), true
	}
	name, err := domain.Parse(host)
	if err != nil {
		v.bad(lang.M("config.why.no-server"), lang.M("config.hint.server"))
		return "", false
	}
	return net.JoinHostPort(string(name), port), true
}

func (v value) timeout() (time.Duration, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		hint := lang.M("config.hint.duration")
		if n, err := strconv.Atoi(s); err == nil && n > 0 {
			hint = lang.M("config.hint.did-you-mean", "name", s+"s")
		}
		v.bad(lang.M("config.why.no-duration"), hint)
		return 0, false
	}
	if d < minTimeout || d > maxTimeout {
		v.bad(lang.M("config.why.range", "min", minTimeout, "max", maxTimeout), lang.Message{})
		return 0, false
	}
	return d, true
}

// maxDays bounds how long things are kept.
const maxDays = 10_000

// days reads a number of days with their unit.
func (v value) days() (time.Duration, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	number, hasUnit := strings.CutSuffix(s, "d")
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || strings.HasPrefix(number, "+"):
		v.bad(lang.M("config.why.no-days"), lang.M("config.hint.days"))
		return 0, false
	case !hasUnit:
		v.bad(lang.M("config.why.no-days"), lang.M("config.hint.did-you-mean", "name", s+"d"))
		return 0, false
	case n < 1 || n > maxDays:
		v.bad(lang.M("config.why.range", "min", "1d", "max", strconv.Itoa(maxDays)+"d"), lang.Message{})
		return 0, false
	}
	return time.Duration(n) * 24 * time.Hour, true
}

// size reads a number of bytes with an optional unit.
func (v value) size() (int, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	n, ok := parseSize(s)
	if !ok {
		v.bad(lang.M("config.why.no-size"), lang.M("config.hint.size"))
		return 0, false
	}
	if n < minSize || n > maxSize {
		v.bad(lang.M("config.why.range", "min", "64KiB", "max", "1GiB"), lang.Message{})
		return 0, false
	}
	return n, true
}

func parseSize(s string) (int, bool) {
	digits := strings.TrimRightFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	var factor uint64
	switch strings.ToLower(strings.TrimSpace(s[len(digits):])) {
	case "", "b":
		factor = 1
	case "kb":
		factor = 1e3
	case "k", "kib":
		factor = 1 << 10
	case "mb":
		factor = 1e6
	case "m", "mib":
		factor = 1 << 20
	case "gb":
		factor = 1e9
	case "g", "gib":
		factor = 1 << 30
	default:
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || n*factor > math.MaxInt32 {
		return 0, false
	}
	return int(n * factor), true
}

// language reads "auto" as none.
func (v value) language() (lang.Language, bool) {
	s, ok := choice("auto", string(lang.EN), string(lang.JA))(v)
	if s == "auto" {
		s = ""
	}
	return lang.Language(s), ok
}

// show makes text of the user fit into a sentence.
func show(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
