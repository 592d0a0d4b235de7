package cli

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// usageError says in the user's words what the parser of the command line says
// in English. What it says in a way that is not known here is quoted.
func usageError(err error, command string) *desk.Error {
	help := strings.TrimSpace("sekisho help " + command)
	said, meant, _ := strings.Cut(err.Error(), ", did you mean ")
	meant = strings.NewReplacer(`"`, "", "one of ", "").Replace(strings.TrimSuffix(meant, "?"))
	hint := lang.M("cli.hint.usage", "help", help)
	if meant != "" {
		hint = lang.M("cli.hint.meant", "name", meant, "help", help)
	}
	return &desk.Error{Kind: desk.Invalid, Message: usageMessage(said, command), Hint: hint, Err: err}
}

func usageMessage(said, command string) lang.Message {
	if name, ok := strings.CutPrefix(said, "unknown flag "); ok {
		return lang.M("cli.error.unknown-flag", "flag", name)
	}
	if name, ok := strings.CutPrefix(said, "unexpected argument "); ok {
		if command == "" || command == "allow" || command == "rules" {
			return lang.M("cli.error.no-command", "name", strings.TrimSpace(command+" "+name))
		}
		return lang.M("cli.error.extra", "command", command, "argument", name)
	}
	if flag, rest, ok := strings.Cut(said, " must be one of "); ok {
		choices, got, _ := strings.Cut(rest, " but got ")
		choices = strings.NewReplacer(`"`, "", ",", ", ").Replace(choices)
		return lang.M("cli.error.choice", "flag", strings.Trim(flag, "<>"), "value", strings.Trim(got, `"`), "choices", choices)
	}
	if strings.HasPrefix(said, "expected one of ") {
		return lang.M("cli.error.command-missing")
	}
	if name, ok := strings.CutPrefix(said, `expected "<`); ok {
		name, _, _ = strings.Cut(name, ">")
		return lang.M("cli.error.argument-missing", "command", command, "argument", strings.ToUpper(name))
	}
	if flag, rest, ok := strings.Cut(said, ": expected "); ok && strings.HasPrefix(flag, "-") {
		if strings.Contains(rest, "EOL") {
			return lang.M("cli.error.value-missing", "flag", flag)
		}
		if strings.Contains(rest, "int") {
			return lang.M("cli.error.number", "flag", flag)
		}
	}
	return lang.M("cli.error.usage", "error", said)
}

// commandOf returns the command that the parser had come to: "allow add".
func commandOf(err error) string {
	p, ok := errors.AsType[*kong.ParseError](err)
	if !ok || p.Context == nil {
		return ""
	}
	name := ""
	for _, step := range p.Context.Path {
		if step.Command != nil {
			name = commandName(step.Command)
		}
	}
	return name
}

// commandName is how a command is typed, without the program: "allow add".
func commandName(n *kong.Node) string {
	name := ""
	for ; n != nil && n.Type != kong.ApplicationNode; n = n.Parent {
		name = n.Name + " " + name
	}
	return strings.TrimSpace(name)
}
