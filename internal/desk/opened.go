package desk

import (
	"github.com/sekisho/sekisho/budget"
	"github.com/sekisho/sekisho/eml"
)

// Opened is a message taken out of an input, to be shown beside its verdict.
type Opened struct {
	Message *eml.Message // the one that was judged
	Outer   bool         // it is the input itself, so that its offsets count in the bytes of that

	aside *eml.Message // the content of its winmail.dat, if it has one
}

// OpenMail takes the message out of an input to which a verdict on it belongs:
// part is [Judged.Part]. Where there is none of that ID, it is the outermost.
func OpenMail(raw []byte, form Form, part string) *Opened {
	b := budget.New(nil)
	all := candidates(eml.Parse(raw, &eml.Options{Budget: b}), form, b)
	chosen := all[0]
	for _, c := range all {
		if c.part == part {
			chosen = c
		}
	}
	return &Opened{Message: chosen.msg, Outer: chosen == all[0], aside: chosen.aside}
}

// Part returns the part of the message with that ID, nil if there is none.
func (o *Opened) Part(id string) *eml.Part {
	if p := o.Message.Part(id); p != nil {
		return p
	}
	if o.aside != nil {
		return o.aside.Part(id)
	}
	return nil
}
