package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell"`
}

// Run prints the completion script of a shell. The words are those of this
// build's own grammar.
func (c *completionCmd) Run(r *run) error {
	words := completionWords(r.parser.Model)
	var script string
	switch c.Shell {
	case "bash":
		script = bashCompletion(words)
	case "zsh":
		script = "autoload -U +X bashcompinit && bashcompinit\n" + bashCompletion(words)
	case "fish":
		script = fishCompletion(words)
	case "powershell":
		script = powershellCompletion(words)
	}
	_, err := fmt.Fprint(r.Stdout, script)
	return err
}

// completion is what may follow a command: its sub-commands and flags.
type completion struct {
	command string // "", "judge", "allow add"
	words   []string
}

func completionWords(app *kong.Application) []completion {
	var out []completion
	var global []string
	for _, f := range app.Flags {
		global = append(global, "--"+f.Name)
	}
	var visit func(n *kong.Node, command string)
	visit = func(n *kong.Node, command string) {
		c := completion{command: command}
		for _, ch := range n.Children {
			c.words = append(c.words, ch.Name)
		}
		if n.Type != kong.ApplicationNode {
			for _, f := range n.Flags {
				c.words = append(c.words, "--"+f.Name)
			}
		}
		for _, p := range n.Positional {
			for e := range strings.SplitSeq(p.Tag.Enum, ",") {
				if e != "" {
					c.words = append(c.words, e)
				}
			}
		}
		c.words = append(c.words, global...)
		out = append(out, c)
		for _, ch := range n.Children {
			visit(ch, strings.TrimSpace(command+" "+ch.Name))
		}
	}
	visit(app.Node, "")
	return out
}

func bashCompletion(list []completion) string {
	var b strings.Builder
	b.WriteString("_sekisho() {\n  local cur=${COMP_WORDS[COMP_CWORD]} cmd=\"\" i w\n")
	b.WriteString("  for ((i = 1; i < COMP_CWORD; i++)); do\n    w=${COMP_WORDS[i]}\n    case \"$cmd $w\" in\n")
	for _, c := range list {
		if c.command == "" {
			continue
		}
		parent, name := "", c.command
		if i := strings.LastIndexByte(c.command, ' '); i >= 0 {
			parent, name = c.command[:i], c.command[i+1:]
		}
		fmt.Fprintf(&b, "      %q) cmd=%q ;;\n", parent+" "+name, c.command)
	}
	b.WriteString("    esac\n  done\n  case \"$cmd\" in\n")
	for _, c := range list {
		fmt.Fprintf(&b, "    %q) COMPREPLY=($(compgen -W %q -- \"$cur\")) ;;\n", c.command, strings.Join(c.words, " "))
	}
	b.WriteString("  esac\n}\ncomplete -o default -F _sekisho sekisho\n")
	return b.String()
}

func fishCompletion(list []completion) string {
	var b strings.Builder
	for _, c := range list {
		cond := "__fish_use_subcommand"
		if c.command != "" {
			var seen []string
			for w := range strings.FieldsSeq(c.command) {
				seen = append(seen, "__fish_seen_subcommand_from "+w)
			}
			cond = strings.Join(seen, "; and ")
		}
		for _, w := range c.words {
			if name, ok := strings.CutPrefix(w, "--"); ok {
				fmt.Fprintf(&b, "complete -c sekisho -n '%s' -l %s\n", cond, name)
			} else {
				fmt.Fprintf(&b, "complete -c sekisho -n '%s' -a %s\n", cond, w)
			}
		}
	}
	return b.String()
}

func powershellCompletion(list []completion) string {
	var b strings.Builder
	b.WriteString("Register-ArgumentCompleter -Native -CommandName sekisho -ScriptBlock {\n  param($word, $ast, $position)\n  $words = @{\n")
	for _, c := range list {
		fmt.Fprintf(&b, "    '%s' = '%s'\n", c.command, strings.Join(c.words, " "))
	}
	b.WriteString("  }\n  $cmd = ''\n  foreach ($e in $ast.CommandElements | Select-Object -Skip 1) {\n    $next = (\"$cmd $e\").Trim()\n    if ($words.ContainsKey($next)) { $cmd = $next }\n  }\n")
	b.WriteString("  $words[$cmd] -split ' ' | Where-Object { $_ -like \"$word*\" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }\n}\n")
	return b.String()
}
