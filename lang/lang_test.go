package lang_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
)

// say renders a sentence through the one template that is in every catalogue:
// its argument is shown as any other.
func say(l lang.Language, v any) string {
	return lang.Default().Say(l, lang.M(lang.LiteralKey, "text", v))
}

func TestSayArgument(t *testing.T) {
	friday := time.Date(2026, time.May, 29, 23, 59, 0, 0, time.FixedZone("JST", 9*60*60))
	for _, tc := range []struct {
		name   string
		arg    any
		ja, en string
	}{
		{"String", "kiso-works.example", "kiso-works.example", "kiso-works.example"},
		{"Empty", "", "", ""},
		{"Braces", "{text} {", "{text} {", "{text} {"},
		{"SmallInt", 7, "7", "7"},
		{"Thousand", 1000, "1,000", "1,000"},
		{"Hundreds", 999, "999", "999"},
		{"Million", 1234567, "1,234,567", "1,234,567"},
		{"Negative", -123456, "-123,456", "-123,456"},
		{"NegativeHundreds", -123, "-123", "-123"},
		{"Smallest", math.MinInt64, "-9,223,372,036,854,775,808", "-9,223,372,036,854,775,808"},
		{"Int64", int64(1000), "1,000", "1,000"},
		{"Uint64", uint64(math.MaxUint64), "18,446,744,073,709,551,615", "18,446,744,073,709,551,615"},
		{"Date", friday, "2026年5月29日(金)", "Friday, 29 May 2026"},
		{"List", []string{"SPF", "DKIM"}, "SPF、DKIM", "SPF, DKIM"},
		{"Message", lang.Literal("inner"), "inner", "inner"},
		{"ZeroMessage", lang.Message{}, "", ""},
		{"Duration", 90 * time.Second, "1m30s", "1m30s"},
		{"Float", 0.5, "0.5", "0.5"},
		{"Nil", nil, "<nil>", "<nil>"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.ja, say(lang.JA, tc.arg)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.en, say(lang.EN, tc.arg)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSayTemplate(t *testing.T) {
	c, err := lang.Parse([]byte(`{
		"plural": {"ja": "{n}件のメール", "en": "{n} {n:mail|mails}"},
		"two":    {"ja": "{a}から{b}", "en": "{b} from {a}"},
		"open":   {"ja": "開く{", "en": "open {a"},
		"plain":  {"ja": "平文", "en": "plain"}
	}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		msg    lang.Message
		ja, en string
	}{
		{"One", lang.M("plural", "n", 1), "1件のメール", "1 mail"},
		{"None", lang.M("plural", "n", 0), "0件のメール", "0 mails"},
		{"Many", lang.M("plural", "n", 2000), "2,000件のメール", "2,000 mails"},
		{"OneInt64", lang.M("plural", "n", int64(1)), "1件のメール", "1 mail"},
		{"NotCounted", lang.M("plural", "n", "1"), "1件のメール", "1 mails"},
		{"OrderOfLanguage", lang.M("two", "a", "A", "b", "B"), "AからB", "B from A"},
		{"ArgumentIsNoTemplate", lang.M("two", "a", "{b}", "b", "{a}"), "{b}から{a}", "{a} from {b}"},
		{"MissingArgument", lang.M("two", "a", "A"), "Aから{b}", "{b} from A"},
		{"OpenBrace", lang.M("open", "a", "A"), "開く{", "open {a"},
		{"NoArguments", lang.M("plain"), "平文", "plain"},
		{"UnknownKey", lang.M("nothing.here"), "[nothing.here]", "[nothing.here]"},
		{"Zero", lang.Message{}, "", ""},
		{"Literal", lang.Literal("規則 {x}"), "規則 {x}", "規則 {x}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(lang.Text{JA: tc.ja, EN: tc.en}, c.Render(tc.msg)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, one, two, want string }{
		{"NotJSON", `{`, `{}`, "unexpected"},
		{"Twice", `{"a": {"ja": "あ", "en": "a"}}`, `{"a": {"ja": "い", "en": "b"}}`, `key "a" is defined twice`},
		{"Literal", `{"literal": {"ja": "あ", "en": "a"}}`, `{}`, `key "literal" is defined twice`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := lang.Parse([]byte(tc.one), []byte(tc.two))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestDefaultCatalogue(t *testing.T) {
	c := lang.Default()
	keys := c.Keys()
	if !slices.IsSorted(keys) || !slices.Contains(keys, lang.LiteralKey) {
		t.Errorf("Keys: %q", keys)
	}
	for _, k := range keys {
		if text, ok := c.Template(k); !c.Has(k) || !ok || text.JA == "" || text.EN == "" {
			t.Errorf("%s: %+v, %v", k, text, ok)
		}
	}
	if _, ok := c.Template("nothing.here"); ok || c.Has("nothing.here") {
		t.Error("an unknown key is known")
	}
}

func TestMPanics(t *testing.T) {
	for _, tc := range []struct {
		name  string
		pairs []any
	}{
		{"Odd", []any{"n"}},
		{"NameIsNoString", []any{1, 2}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			lang.M("key", tc.pairs...)
		})
	}
}

func TestTextIn(t *testing.T) {
	text := lang.Text{JA: "日本語", EN: "English"}
	for l, want := range map[lang.Language]string{lang.JA: "日本語", lang.EN: "English", "fr": "English", "": "English"} {
		if got := text.In(l); got != want {
			t.Errorf("In(%q) = %q, want %q", l, got, want)
		}
	}
	b, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"ja":"日本語","en":"English"}`, string(b)); diff != "" {
		t.Error(diff)
	}
}

func TestDateKeepsLocation(t *testing.T) {
	instant := time.Date(2026, time.May, 29, 20, 0, 0, 0, time.UTC)
	if diff := cmp.Diff("Friday, 29 May 2026", lang.Date(lang.EN, instant)); diff != "" {
		t.Error(diff)
	}
	jst := time.FixedZone("JST", 9*60*60)
	if diff := cmp.Diff("2026年5月30日(土)", lang.Date(lang.JA, instant.In(jst))); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse renders whatever a catalogue may hold: it must end, and an
// argument must come out as it went in.
func FuzzParse(f *testing.F) {
	f.Add("{a}", "x")
	f.Add("{a:one|many} {", "{a}")
	f.Add("}{a}{", "")
	f.Fuzz(func(t *testing.T, template, arg string) {
		file, err := json.Marshal(map[string]lang.Text{"k": {JA: template, EN: "<{a}>"}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := lang.Parse(file)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Render(lang.M("k", "a", arg))
		if got.EN != "<"+arg+">" {
			t.Errorf("%q rendered as %q", arg, got.EN)
		}
	})
}
