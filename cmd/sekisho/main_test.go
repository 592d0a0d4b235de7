package main

import (
	"archive/zip"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sekisho/sekisho/eml/outlook/outlooktest"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts and in docs/cli.md")

const examples = "../../examples"

// TestMain makes this program the command "sekisho" of scripts and tests.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sekisho": main})
}

func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, surroundings(env.WorkDir)...)
			msg := outlooktest.MSG(outlooktest.Message{
				Subject: "Remittance advice 4471", From: outlooktest.Address{Name: "Accounts Payable", SMTP: "ap@supplier.test"}, Text: "See the attachment.",
			})
			if err := os.WriteFile(filepath.Join(env.WorkDir, "mail.msg"), msg, 0o600); err != nil {
				return err
			}
			return copyExamples(filepath.Join(env.WorkDir, "examples"))
		},
		Condition: func(cond string) (bool, error) {
			if cond != "devfull" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat("/dev/full")
			return err == nil, nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
			"zip":   zipFiles,
			"gzip":  gzipFile,
		},
	})
}

// surroundings are the variables of a user who has set nothing up. The clock
// is fixed by the scripts.
func surroundings(home string) []string {
	return []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + filepath.Join(home, "config"), "XDG_STATE_HOME=" + filepath.Join(home, "state"),
		"LC_ALL=", "LC_MESSAGES=", "LANG=C.UTF-8", "TZ=UTC", "NOW=2026-11-24T09:00:00+09:00",
		// What tells who the organisation of the examples is, and its beginnings in base64.
		`OURS=(?i)kiso-works\.example|kiso-works-example|木曽工業株式会社|木曽太郎|佐藤 健一|田中 美咲|経理部|総務部|情報システム担当|7f3c1c7e-5b0a`,
		`ENCODED=57WM55CG6YOo|5pyo5pu95aSq6YOO|57eP5YuZ6YOo`,
	}
}

// withoutRace skips a test that starts a process for every line of a page where
// the race detector runs. Such tests are called Conformance, which ci runs
// without it too.
func withoutRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("runs without the race detector")
	}
}

func copyExamples(to string) error { return os.CopyFS(to, os.DirFS(examples)) }

// exits runs a command that must end with a status: exits 3 sekisho judge x.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// zipFiles packs files: zip TO FILE...
func zipFiles(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	z := zip.NewWriter(f)
	for _, name := range args[1:] {
		w, err := z.Create(filepath.Base(name))
		ts.Check(err)
		_, err = w.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(f.Close())
}

// gzipFile packs one file: gzip TO FILE.
func gzipFile(ts *testscript.TestScript, _ bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	z := gzip.NewWriter(f)
	_, err = z.Write([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(f.Close())
}
