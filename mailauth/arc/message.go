package arc

import (
	"strconv"

	"github.com/sekisho/sekisho/lang"
)

// Explain says in a sentence what came of the chain.
func (c *Chain) Explain() lang.Message {
	key := string(c.Reason)
	switch {
	case c.Status == "":
		return lang.Message{}
	case c.Status == StatusNone:
		key = "no-sets"
	case c.Reason == "":
		key = "none"
	}
	var sealer string
	var why lang.Message
	if s := c.set(c.Instance); s != nil {
		// A signature of the message may be by another domain than the seal,
		// and a seal that cannot be read names nobody.
		sealer = string(s.Seal.Domain)
		if sealer == "" {
			sealer = string(s.Message.Domain)
		}
		why = s.Seal.Explain()
		if c.Reason == MessageFails {
			why = s.Message.Explain()
		}
	}
	if sealer == "" {
		sealer = "?"
	}
	return lang.M("arc.reason."+key, "n", len(c.Sets), "i", strconv.Itoa(c.Instance), "field", c.Field, "sealer", sealer, "why", why)
}

// set returns the set of that instance, nil if there is none.
func (c *Chain) set(instance int) *Set {
	for i := range c.Sets {
		if c.Sets[i].Instance == instance {
			return &c.Sets[i]
		}
	}
	return nil
}

// Explain says in a sentence what the violation is.
func (v Violation) Explain() lang.Message {
	return lang.M("arc.rule."+string(v.Rule), "i", strconv.Itoa(v.Instance), "detail", v.Detail)
}
