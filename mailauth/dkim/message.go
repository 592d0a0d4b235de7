package dkim

import (
	"strconv"

	"github.com/sekisho/sekisho/lang"
)

// Explain says in a sentence what came of the signature.
func (s *Signature) Explain() lang.Message {
	key := string(s.Reason)
	switch {
	case s.Reason == "" && s.Status == "":
		return lang.Message{} // not checked yet
	case s.Reason == "":
		key = "none"
	case s.Reason == BodyHashMismatch && s.HeaderHash == Mismatch:
		key = "body-and-header"
	case s.Reason == SyntaxError && s.Detail == "":
		key = "syntax-anywhere"
	}
	return lang.M("dkim.reason."+key,
		"domain", string(s.Domain), "name", s.query, "identity", s.Identity, "algorithm", s.Algorithm,
		"bits", strconv.Itoa(s.KeyBits), "detail", s.Detail, "date", s.Expiration, "rcode", s.Answer.RCode.String())
}

// Explain says in a sentence what the warning w of the signature means.
func (w Warning) Explain(s *Signature) lang.Message {
	return lang.M("dkim.warning."+string(w),
		"domain", string(s.Domain), "name", s.query, "bits", strconv.Itoa(s.KeyBits), "date", s.Timestamp,
		"covered", s.BodyLength, "total", s.BodyTotal, "fields", s.Unsigned)
}
