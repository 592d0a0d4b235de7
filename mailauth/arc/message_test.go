package arc_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/lang"
	"github.com/sekisho/sekisho/mailauth/arc"
)

// TestExplain renders every reason and rule in both languages.
func TestExplain(t *testing.T) {
	check := func(m lang.Message) {
		t.Helper()
		for _, l := range []lang.Language{lang.EN, lang.JA} {
			if text := lang.Default().Say(l, m); text == "" || strings.ContainsAny(text, "{}[]") {
				t.Errorf("%s in %s: %q", m.Key, l, text)
			}
		}
	}
	broken := validate(t, keys(t), bytes.Replace(chain(2), []byte("Hello"), []byte("Hullo"), 1), nil)
	want := "The mail was changed after the last ARC record (relay.example), or its signature does not hold: " +
		"The text was changed after relay.example signed the mail; the signed header fields are as they were. " +
		"Mailing lists, gateways and some export programs do this."
	if got := lang.Default().Say(lang.EN, broken.Explain()); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range []arc.Reason{
		arc.TooManySets, arc.BadInstance, arc.DuplicateField, arc.MissingField, arc.MissingSet, arc.BadSeal, arc.BadMessage, arc.BadResults,
		arc.SealedAsFailed, arc.WrongCV, arc.MessageFails, arc.SealFails, arc.KeyUnavailable, arc.NotAsked, arc.OutOfBudget,
	} {
		broken.Reason = r
		check(broken.Explain())
	}
	for _, r := range []arc.Rule{
		arc.CoversARC, arc.CoversResults, arc.FromNotCovered, arc.EmptyHeaders, arc.CanonDefault, arc.VersionTag, arc.SealTag, arc.ResultsSyntax,
	} {
		check(arc.Violation{Instance: 1, Rule: r, Detail: "x"}.Explain())
	}
	good := validate(t, keys(t), chain(2), nil)
	if got, want := lang.Default().Say(lang.EN, good.Explain()), "The ARC chain holds: 2 forwarders recorded what they saw, and no record was altered."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	none := validate(t, keys(t), []byte(plain), nil)
	check(none.Explain())
}
