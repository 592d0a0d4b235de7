package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/sekisho/sekisho/internal/config"
	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/term"
	"github.com/sekisho/sekisho/lang"
)

type initCmd struct {
	Domain   []string `short:"d" sep:"," placeholder:"DOMAIN"`
	Name     string   `placeholder:"NAME"`
	TenantID string   `placeholder:"GUID"`
	File     string   `default:"sekisho.yaml" placeholder:"FILE"`
	Force    bool
}

// Run writes sekisho.yaml, asking for what was not given.
func (c *initCmd) Run(r *run) error {
	answers := config.Answers{Name: c.Name, Domains: c.Domain, TenantID: c.TenantID}
	if len(answers.Domains) == 0 {
		if f, ok := r.Stdin.(*os.File); !ok || !term.IsTerminal(f) {
			return &desk.Error{Kind: desk.Invalid, Message: lang.M("cli.init.no-domain"), Hint: lang.M("cli.init.no-domain-hint")}
		}
		in := bufio.NewReader(r.Stdin)
		answers.Domains = splitList(r.ask(in, "cli.init.ask-domains"))
		if answers.Name == "" {
			answers.Name = r.ask(in, "cli.init.ask-name")
		}
		if answers.TenantID == "" {
			answers.TenantID = r.ask(in, "cli.init.ask-tenant")
		}
	}
	file := c.File
	if !filepath.IsAbs(file) {
		file = filepath.Join(r.WorkDir, file)
	}
	if err := config.Write(file, answers, r.lang, c.Force); err != nil {
		return err
	}
	fmt.Fprintln(r.Stdout, r.say("cli.init.written", "file", c.File))
	fmt.Fprintln(r.Stdout, r.say("cli.init.next"))
	return nil
}

func (r *run) ask(in *bufio.Reader, key string) string {
	fmt.Fprint(r.Stdout, r.say(key)+" ")
	line, err := in.ReadString('\n')
	if err != nil && err != io.EOF {
		return ""
	}
	return strings.TrimSpace(line)
}

func splitList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '、' || r == '\t' })
}
