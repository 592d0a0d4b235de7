package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// raceSystems are the ones that the race detector knows; see the requirements
// in https://go.dev/doc/articles/race_detector.
var raceSystems = []string{
	"darwin/amd64", "darwin/arm64", "freebsd/amd64", "linux/amd64", "linux/arm64", "linux/loong64",
	"linux/ppc64le", "linux/riscv64", "linux/s390x", "netbsd/amd64", "windows/amd64",
}

// noRace returns why the race detector cannot run here, or "". It needs a C
// compiler, which is installed where that is possible.
func (c *check) noRace(ctx context.Context) string {
	if system := runtime.GOOS + "/" + runtime.GOARCH; !slices.Contains(raceSystems, system) {
		return "it does not know " + system
	}
	cc, err := c.output(ctx, "go", "env", "CC")
	if err != nil {
		return err.Error()
	}
	if words := strings.Fields(cc); len(words) > 0 {
		cc = words[0]
	}
	if _, err := exec.LookPath(cc); err == nil {
		return ""
	}
	if why := cannotInstall(); why != "" {
		return fmt.Sprintf("there is no C compiler (%s), and %s", cc, why)
	}
	if err := c.install(ctx, "gcc", "libc6-dev"); err != nil {
		return fmt.Sprintf("a C compiler could not be installed: %v", err)
	}
	if _, err := exec.LookPath(cc); err != nil {
		return fmt.Sprintf("the C compiler of CC is not there: %s", cc)
	}
	return ""
}

// partners are programs of others that tests talk to, by the Debian package that
// has them. A test whose partner is missing says so and is skipped.
var partners = []struct{ program, pkg string }{
	{"/usr/bin/chromium", "chromium"},
	{"/usr/sbin/dovecot", "dovecot-imapd"},
	{"/usr/sbin/postfix", "postfix"},
	{"/usr/bin/miltertest", "miltertest"},
}

// invite installs the partners that are missing, where that is possible.
func (c *check) invite(ctx context.Context) {
	var missing []string
	for _, p := range partners {
		if _, err := os.Stat(p.program); err != nil {
			missing = append(missing, p.pkg)
		}
	}
	if len(missing) == 0 {
		return
	}
	why := cannotInstall()
	if why == "" {
		if err := c.install(ctx, missing...); err != nil {
			why = err.Error()
		}
	}
	if why != "" {
		fmt.Fprintf(c.out, "   tests with %s are skipped: %s\n", strings.Join(missing, ", "), why)
	}
}

// install installs Debian packages. No service that comes with one is started.
func (c *check) install(ctx context.Context, packages ...string) error {
	fmt.Fprintf(c.out, "   apt-get install %s\n", strings.Join(packages, " "))
	install := append([]string{"install", "-y", "--no-install-recommends"}, packages...)
	err := c.apt(ctx, install...)
	if err != nil {
		// A fresh image has no list of packages.
		if err = c.apt(ctx, "update"); err == nil {
			err = c.apt(ctx, install...)
		}
	}
	return err
}

func cannotInstall() string {
	if runtime.GOOS != "linux" {
		return "ci installs packages on Debian only"
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return "ci installs packages on Debian only"
	}
	if os.Geteuid() != 0 {
		return "only root may install packages"
	}
	return ""
}

func (c *check) apt(ctx context.Context, args ...string) error {
	cmd := c.command(ctx, "apt-get", append([]string{"-qq"}, args...)...)
	cmd.Env = append(cmd.Env, "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	return cmd.Run()
}
