package desk

import "time"

// TOTPAt is the code that an authenticator app shows.
func TOTPAt(secret []byte, at time.Time) string { return totpAt(secret, at.Unix()/totpPeriod) }

// Inert is for tests.
func Inert(s string) string { return inert(s) }
