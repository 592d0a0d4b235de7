package cli

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/lang"
)

func model(t *testing.T) *kong.Application {
	t.Helper()
	p, err := kong.New(&grammar{}, kong.Name("sekisho"), kong.NoDefaultHelp())
	if err != nil {
		t.Fatal(err)
	}
	return p.Model
}

// helpKeys are the keys that help asks for.
func helpKeys(app *kong.Application) []string {
	keys := map[string]bool{}
	for _, k := range []string{"about", "usage", "commands", "flags", "global", "examples", "for-example", "more"} {
		keys["cli.help."+k] = true
	}
	for _, f := range app.Flags {
		keys["cli.help.flag."+f.Name] = true
	}
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		for _, c := range n.Children {
			key := helpKey(c)
			keys[key], keys[key+".short"] = true, true
			if len(c.Children) == 0 {
				keys[key+".examples"] = true
			}
			for _, f := range c.Flags {
				keys[key+".flag."+f.Name] = true
			}
			visit(c)
		}
	}
	visit(app.Node)
	return slices.Sorted(maps.Keys(keys))
}

// TestHelpKeys holds the catalogue to the grammar: every command and flag is
// explained, every command has examples, and nothing else is.
func TestHelpKeys(t *testing.T) {
	var have []string
	for _, k := range lang.Default().Keys() {
		if strings.HasPrefix(k, "cli.help.") {
			have = append(have, k)
		}
	}
	if diff := cmp.Diff(helpKeys(model(t)), have); diff != "" {
		t.Errorf("what the grammar needs (-) and what the catalogue has (+):\n%s", diff)
	}
}

// TestChoicesAreNamed keeps the words that a flag takes in its help.
func TestChoicesAreNamed(t *testing.T) {
	words := lang.Default()
	var visit func(n *kong.Node)
	visit = func(n *kong.Node) {
		key := helpKey(n)
		for _, f := range n.Flags {
			text, _ := words.Template(key + ".flag." + f.Name)
			for choice := range strings.SplitSeq(f.Enum, ",") {
				if f.Name == "only" {
					continue // the same words as --fail-on
				}
				if !strings.Contains(text.EN, choice) || !strings.Contains(text.JA, choice) && choice != "never" {
					t.Errorf("the help of --%s does not name %q", f.Name, choice)
				}
			}
		}
		for _, c := range n.Children {
			visit(c)
		}
	}
	visit(model(t).Node)
}

func TestUsageError(t *testing.T) {
	for _, tc := range []struct{ name, said, command, want, hint string }{
		{"Flag", `unknown flag --rules`, "judge", "there is no flag --rules", "sekisho help judge explains how"},
		{"FlagMeant", `unknown flag --explan, did you mean "--explain"?`, "judge", "there is no flag --explan", "did you mean --explain? sekisho help judge explains how"},
		{"Command", `unexpected argument jugde, did you mean "judge"?`, "", "there is no command jugde", "did you mean judge? sekisho help explains how"},
		{"SubCommand", `unexpected argument ad`, "allow", "there is no command allow ad", "sekisho help allow explains how"},
		{"Extra", `unexpected argument x`, "version", "version: x is one argument too many", "sekisho help version explains how"},
		{"Choice", `--output must be one of "text","json" but got "xml"`, "judge", "--output: xml is none of text, json", "sekisho help judge explains how"},
		{"NoCommand", `expected one of "judge", "init"`, "", "which command?", "sekisho help explains how"},
		{"NoArgument", `expected "<path> ..."`, "judge", "judge needs PATH", "sekisho help judge explains how"},
		{"NoValue", `--index: expected int value but got "EOL" (<EOL>)`, "judge", "--index needs a value", "sekisho help judge explains how"},
		{"Number", `--index: expected a valid 64 bit int but got "a"`, "judge", "--index needs a whole number", "sekisho help judge explains how"},
		{"Unknown", `something new`, "judge", "something new", "sekisho help judge explains how"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := usageError(textError(tc.said), tc.command)
			words := lang.Default()
			if diff := cmp.Diff([]string{tc.want, tc.hint}, []string{words.Say(lang.EN, e.Message), words.Say(lang.EN, e.Hint)}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type textError string

func (e textError) Error() string { return string(e) }

func TestShellQuote(t *testing.T) {
	for _, tc := range []struct{ name, file, system, want string }{
		{"Plain", "a/b.eml", "linux", "a/b.eml"},
		{"Japanese", "受信/請求書.eml", "linux", "受信/請求書.eml"},
		{"Space", "a b.eml", "linux", "'a b.eml'"},
		{"Quote", "a'b.eml", "linux", `'a'\''b.eml'`},
		{"Substitution", "$(id).eml", "darwin", "'$(id).eml'"},
		{"Dash", "-x.eml", "linux", "./-x.eml"},
		{"Stdin", "-", "linux", "-"},
		{"Backslash", `C:\mail\a.eml`, "windows", `C:\mail\a.eml`},
		{"WindowsSpace", `C:\my mail\a.eml`, "windows", `"C:\my mail\a.eml"`},
		{"WindowsAmpersand", `a&b.eml`, "windows", `"a&b.eml"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := shellQuote(tc.file, tc.system); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}
