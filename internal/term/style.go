package term

// Role is what a piece of text means. Colour only repeats what a symbol or a
// word says already.
type Role string

// The roles. The first three are verdicts.
const (
	Malicious  Role = "malicious"  // red
	Suspicious Role = "suspicious" // yellow
	Harmless   Role = "clean"      // green
	Dim        Role = "dim"        // less important
	Bold       Role = "bold"       // more important
)

// Style paints text. The zero Style leaves it as it is.
type Style struct {
	Color bool
}

// Paint returns s as its role looks. A role that has no look, and an empty
// text, stay as they are. The text must have gone through [Clean] if a stranger
// wrote it.
func (st Style) Paint(r Role, s string) string {
	code := ""
	switch r {
	case Malicious:
		code = "1;31"
	case Suspicious:
		code = "33"
	case Harmless:
		code = "32"
	case Dim:
		code = "2"
	case Bold:
		code = "1"
	}
	if !st.Color || code == "" || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}
