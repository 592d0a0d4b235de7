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
	fmt.Fprintln(c.out, "   installing a C compiler: apt-get install gcc libc6-dev")
	install := []string{"install", "-y", "--no-install-recommends", "gcc", "libc6-dev"}
	err = c.apt(ctx, install...)
	if err != nil {
		// A fresh image has no list of packages.
		if err = c.apt(ctx, "update"); err == nil {
			err = c.apt(ctx, install...)
		}
	}
	if err != nil {
		return fmt.Sprintf("a C compiler could not be installed: %v", err)
	}
	if _, err := exec.LookPath(cc); err != nil {
		return fmt.Sprintf("the C compiler of CC is not there: %s", cc)
	}
	return ""
}

func cannotInstall() string {
	if runtime.GOOS != "linux" {
		return "ci installs one on Debian only"
	}
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return "ci installs one on Debian only"
	}
	if os.Geteuid() != 0 {
		return "only root may install one: apt-get install gcc libc6-dev"
	}
	return ""
}

func (c *check) apt(ctx context.Context, args ...string) error {
	cmd := c.command(ctx, "apt-get", append([]string{"-qq"}, args...)...)
	cmd.Env = append(cmd.Env, "DEBIAN_FRONTEND=noninteractive")
	return cmd.Run()
}
