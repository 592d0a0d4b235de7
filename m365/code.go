package m365

import (
	"slices"
	"strings"

	"github.com/sekisho/sekisho/lang"
)

// CompAuthReason is a reason code of composite authentication.
type CompAuthReason struct {
	Code       string
	Documented bool // Microsoft's table explains this very code
	Message    lang.Message
}

// documentedReasons are the codes that Microsoft's table explains one by one:
// https://learn.microsoft.com/defender-office-365/message-headers-eop-mdo
// (2026-07-27).
func documentedReasons() []string {
	return []string{
		"000", "001", "002", "010",
		"100", "101", "102", "103", "104", "108", "109", "111", "112", "115", "116", "130",
		"201", "202", "501", "502", "601", "701", "702", "704", "905",
	}
}

// ReasonOf explains a reason code of composite authentication. A code that
// Microsoft has not explained is said to be undocumented, with what Microsoft
// says of its family of codes where it says anything; the meaning is never
// guessed.
func ReasonOf(code string) CompAuthReason {
	r := CompAuthReason{Code: code}
	switch {
	case code == "703":
		// The table gives a range, 701 to 704, and blogs differ on this one.
		r.Message = lang.M("compauth.undocumented", "code", code, "family", lang.M("compauth.family.7xx"))
	case slices.Contains(documentedReasons(), code):
		r.Documented = true
		r.Message = lang.M("compauth.reason." + code)
	case len(code) == 3 && isDigits(code) && strings.ContainsRune("1234679", rune(code[0])):
		r.Message = lang.M("compauth.undocumented", "code", code, "family", lang.M("compauth.family."+code[:1]+"xx"))
	default:
		r.Message = lang.M("compauth.unknown", "code", code)
	}
	return r
}

func isDigits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// Code names a table of codes that Exchange Online stamps.
type Code string

// The tables, from the page named at [ReasonOf].
const (
	CodeSFV    Code = "sfv"    // X-Forefront-Antispam-Report: what the spam filter did
	CodeCAT    Code = "cat"    // the policy that took hold
	CodeSFTY   Code = "sfty"   // the safety tip
	CodeIPV    Code = "ipv"    // the connecting address on lists
	CodeAuthAs Code = "authas" // X-MS-Exchange-Organization-AuthAs
	CodeDest   Code = "dest"   // X-Microsoft-Antispam-Mailbox-Delivery: where it went
)

func codes(c Code) []string {
	switch c {
	case CodeSFV:
		return []string{"BLK", "NSPM", "SFE", "SKA", "SKB", "SKI", "SKN", "SKQ", "SKS", "SPM"}
	case CodeCAT:
		return []string{
			"AMP", "BIMP", "BULK", "DIMP", "FTBP", "GIMP", "HPHISH", "HPHSH", "HSPM", "INTOS", "MALW",
			"NONE", "OSPM", "PHSH", "SAP", "SPM", "SPOOF", "UIMP",
		}
	case CodeSFTY:
		return []string{"9.11", "9.19", "9.20", "9.22", "9.25"}
	case CodeIPV:
		return []string{"CAL", "NLI"}
	case CodeAuthAs:
		return []string{"ANONYMOUS", "EXTERNAL", "INTERNAL", "PARTNER"}
	case CodeDest:
		return []string{"I", "J"}
	}
	return nil
}

// Explain says what a code means in plain words. It reports false, with a
// message that says so, where the code is not documented.
func Explain(c Code, value string) (lang.Message, bool) {
	value = strings.ToUpper(strings.TrimSpace(value))
	if slices.Contains(codes(c), value) {
		return lang.M("m365.code." + string(c) + "." + strings.ToLower(value)), true
	}
	return lang.M("m365.unknown-code", "table", strings.ToUpper(string(c)), "value", value), false
}
