package config

import (
	"strconv"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// Retro says how stored mail is judged again when rules change.
type Retro struct {
	Days int // handed in not longer ago
}

// retroDays reads a number of days without a unit.
func (v value) retroDays() (int, bool) {
	s, ok := v.text()
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > desk.MaxRetroDays {
		v.bad(lang.M("config.why.range", "min", "1", "max", strconv.Itoa(desk.MaxRetroDays)), lang.Message{})
		return 0, false
	}
	return n, true
}
