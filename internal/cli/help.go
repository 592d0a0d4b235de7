package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type helpCmd struct {
	Topic []string `arg:"" optional:"" name:"command"`
}

// Run prints the help of a command or a topic.
func (c *helpCmd) Run(r *run) error {
	node := r.parser.Model.Node
	for i, name := range c.Topic {
		next := child(node, name)
		if next == nil {
			if i == 0 && r.words.Has("cli.topic."+name) {
				r.paragraphs(r.say("cli.topic." + name))
				return nil
			}
			return &desk.Error{
				Kind: desk.NotFound, Message: lang.M("cli.error.no-command", "name", strings.Join(c.Topic, " ")),
				Hint: lang.M("cli.hint.usage", "help", "sekisho help"),
			}
		}
		node = next
	}
	r.help(node)
	return nil
}

func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// wantsHelp finds -h or --help anywhere before "--", and the command it is
// about.
func (r *run) wantsHelp(args []string) (*kong.Node, bool) {
	node, asked := r.parser.Model.Node, false
	for _, a := range args {
		if a == "--" {
			break
		}
		if a == "-h" || a == "--help" {
			asked = true
		}
		if c := child(node, a); c != nil {
			node = c
		}
	}
	return node, asked
}

// welcome is what the program says when it is started without arguments.
func (r *run) welcome() {
	r.paragraphs(r.say("cli.welcome"))
}

func (r *run) paragraphs(s string) {
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		if strings.HasPrefix(line, " ") { // an example: never wrapped
			fmt.Fprintln(r.Stdout, line)
			continue
		}
		for _, l := range term.Wrap(line, r.columns()) {
			fmt.Fprintln(r.Stdout, l)
		}
	}
}

// columns is the width to wrap prose at.
func (r *run) columns() int {
	if r.width == 0 {
		return 100
	}
	return min(r.width, 110)
}

// helpKey is the catalogue key of a command's help: "cli.help.allow.add".
func helpKey(n *kong.Node) string {
	return "cli.help" + strings.Join(append([]string{""}, strings.Fields(commandName(n))...), ".")
}

// help prints what a command does, its flags and its examples.
func (r *run) help(n *kong.Node) {
	key := helpKey(n)
	if n.Type == kong.ApplicationNode {
		r.paragraphs(r.say("cli.help.about"))
	} else {
		r.paragraphs(r.say(key))
		fmt.Fprintf(r.Stdout, "\n%s  sekisho %s\n", r.say("cli.help.usage"), usage(n))
	}
	if len(n.Children) > 0 {
		fmt.Fprintf(r.Stdout, "\n%s\n", r.say("cli.help.commands"))
		for _, c := range n.Children {
			r.entry(c.Name, r.say(helpKey(c)+".short"))
		}
	}
	flags, of := n.Flags, key
	if len(flags) == 0 && n.DefaultCmd != nil { // what is done without a word in between
		flags, of = n.DefaultCmd.Flags, helpKey(n.DefaultCmd)
	}
	if len(flags) > 0 && n.Type != kong.ApplicationNode {
		fmt.Fprintf(r.Stdout, "\n%s\n", r.say("cli.help.flags"))
		for _, f := range flags {
			r.entry(flagSummary(f), r.say(of+".flag."+f.Name))
		}
	}
	fmt.Fprintf(r.Stdout, "\n%s\n", r.say("cli.help.global"))
	for _, f := range r.parser.Model.Flags {
		r.entry(flagSummary(f), r.say("cli.help.flag."+f.Name))
	}
	if ex := of + ".examples"; r.words.Has(ex) {
		fmt.Fprintf(r.Stdout, "\n%s\n", r.say("cli.help.for-example"))
		for line := range strings.SplitSeq(r.say(ex), "\n") {
			fmt.Fprintln(r.Stdout, "  "+line)
		}
	}
	if n.Type == kong.ApplicationNode {
		fmt.Fprintf(r.Stdout, "\n%s\n", r.say("cli.help.more"))
	}
}

func usage(n *kong.Node) string {
	words := []string{commandName(n)}
	for _, p := range n.Positional {
		words = append(words, strings.ToUpper(strings.NewReplacer("<", "", ">", "").Replace(p.Summary())))
	}
	if len(n.Children) > 0 {
		words = append(words, "COMMAND")
	}
	if len(n.Flags) > 0 {
		words = append(words, "[flags]")
	}
	return strings.Join(words, " ")
}

func flagSummary(f *kong.Flag) string {
	s := "--" + f.Name
	if f.Short != 0 {
		s = "-" + string(f.Short) + ", " + s
	}
	if !f.IsBool() {
		s += " " + strings.ToUpper(strings.Trim(f.FormatPlaceHolder(), `"`))
	}
	return s
}

// entry prints a name and its explanation in two columns.
func (r *run) entry(name, text string) {
	const column = 26
	lines := term.Wrap(text, max(30, r.columns()-column-2))
	if len(lines) == 0 {
		lines = []string{""}
	}
	if term.Width(name) > column-2 {
		fmt.Fprintf(r.Stdout, "  %s\n", name)
	} else {
		fmt.Fprintf(r.Stdout, "  %s%s\n", term.Pad(name, column-2), lines[0])
		lines = lines[1:]
	}
	for _, l := range lines {
		fmt.Fprintf(r.Stdout, "  %s%s\n", strings.Repeat(" ", column-2), l)
	}
}
