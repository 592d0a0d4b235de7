package dkimtest

import (
	"fmt"
	"strings"
)

// Seal returns the message with one more ARC set on top (RFC 8617): results
// becomes the Authentication-Results of the set, cv what the sealer says of
// the chain below. The options are those of the ARC-Message-Signature, whose
// fields are the default ones of [Sign].
func Seal(msg []byte, k Key, instance int, cv, results string, o *Options) []byte {
	if o == nil {
		o = &Options{}
	}
	text := CRLF(string(msg))
	fields, body := split(text)
	names := o.covered(fields)
	i := fmt.Sprintf("i=%d", instance)
	aar := "ARC-Authentication-Results: " + i + "; " + results
	ams := seal(k, o, "ARC-Message-Signature: "+k.tags(o, names, body, []string{i}), pick(fields, names), headerCanon(o))
	ams = strings.TrimSuffix(ams, "\r\n")
	var covered []string
	for n := 1; n < instance; n++ {
		for _, name := range setFields() {
			for _, f := range fields {
				if instanceOf(f, name) == n {
					covered = append(covered, f)
				}
			}
		}
	}
	covered = append(covered, aar, ams)
	as := "ARC-Seal: " + strings.Join([]string{i, "a=" + k.Type() + "-sha256", "d=" + k.Domain, "s=" + k.Selector, "cv=" + cv}, "; ") + ";\r\n\tb="
	return []byte(seal(k, &Options{}, as, covered, "relaxed") + ams + "\r\n" + aar + "\r\n" + text)
}

// setFields are the fields of a set in the order in which they are sealed.
func setFields() []string {
	return []string{"ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"}
}

// instanceOf returns the instance of a field of that name, 0 for other fields.
func instanceOf(field, name string) int {
	n, value, _ := strings.Cut(field, ":")
	if !strings.EqualFold(n, name) {
		return 0
	}
	for tag := range strings.SplitSeq(value, ";") {
		var i int
		if _, err := fmt.Sscanf(strings.TrimSpace(tag), "i=%d", &i); err == nil {
			return i
		}
	}
	return 0
}
