package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/store/sqlite"
	"github.com/sekisho/sekisho/lang"
)

// shell runs a command line as a user of that home types it.
func shell(t *testing.T, home, line string) (stdout, stderr string, err error) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the examples are written for a POSIX shell")
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell")
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(sh, "-c", line)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), surroundings(home)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// TestConformanceHelp runs every example of the help, in both languages, as they
// stand.
func TestConformanceHelp(t *testing.T) {
	withoutRace(t)
	words := lang.Default()
	for _, l := range []lang.Language{lang.EN, lang.JA} {
		for _, key := range words.Keys() {
			command, isHelp := strings.CutPrefix(key, "cli.help.")
			command, isExample := strings.CutSuffix(command, ".examples")
			if !isHelp || !isExample {
				continue
			}
			t.Run(string(l)+"/"+command, func(t *testing.T) {
				t.Parallel()
				home := t.TempDir()
				if err := copyExamples(filepath.Join(home, "examples")); err != nil {
					t.Fatal(err)
				}
				template, _ := words.Template(key)
				hash := "" // of an advisory
				for line := range strings.SplitSeq(template.In(l), "\n") {
					if !strings.HasPrefix(line, "sekisho "+strings.ReplaceAll(command, ".", " ")) {
						t.Errorf("an example of another command: %s", line)
						continue
					}
					if command == "completion" { // writes to folders of the system
						line, _, _ = strings.Cut(line, " >")
					}
					if command == "allow.remove" {
						line = strings.Replace(line, "ex-3f2a91c0", someException(t, home), 1)
					}
					if command == "serve" && !strings.Contains(line, "--reset-admin") { // answers until it is stopped
						if out, errs := served(t, home, line+" --listen 127.0.0.1:0"); !strings.Contains(out, "http://127.0.0.1:") || errs != "" {
							t.Errorf("%s: %s%s", line, out, errs)
						}
						continue
					}
					if command == "backup" || command == "restore" {
						before := "sekisho serve --reset-admin --data sekisho-data"
						if command == "restore" {
							before += " && sekisho backup --data sekisho-data sekisho-backup.tar"
						}
						if _, errs, err := shell(t, home, before); err != nil {
							t.Fatalf("%v: %s", err, errs)
						}
					}
					if command == "digest.show" {
						if _, errs, err := shell(t, home, "sekisho digest make --config examples/sekisho.yaml --month 2025-04 --number 1 --items examples/digest/april-2025.yaml"); err != nil {
							t.Fatalf("%v: %s", err, errs)
						}
					}
					if command == "token.revoke" {
						if _, errs, err := shell(t, home, "sekisho token add siem --scope mail:read"); err != nil {
							t.Fatalf("%v: %s", err, errs)
						}
					}
					if command == "news.show" {
						if _, errs, err := shell(t, home, "sekisho news add examples/news/conduct-campaign.html"); err != nil {
							t.Fatalf("%v: %s", err, errs)
						}
					}
					if strings.HasPrefix(command, "outbox.") {
						// What is approved has to have a way out.
						line = "SEKISHO_OUTGOING_SMTP_SERVER=mail.kiso-works.example:587 SEKISHO_OUTGOING_SMTP_FROM=it@kiso-works.example " + strings.Replace(line, "3f2a91c04b5d6e7f", aLetter(t, home), 1)
					}
					if step, ok := strings.CutPrefix(command, "advisory."); ok {
						if hash == "" {
							hash = anAdvisory(t, home, step)
						}
						line = strings.Replace(line, "3f2a91c0", hash, 1)
					}
					if out, errs, err := shell(t, home, line); err != nil || out == "" {
						t.Errorf("%s: %v\n%s%s", line, err, out, errs)
					}
				}
			})
		}
	}
}

// served runs a command that answers until it is stopped, and stops it once it
// has said where.
func served(t *testing.T, home, line string) (stdout, stderr string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to stop it with")
	}
	words := strings.Fields(line)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Dir = home
	cmd.Env = append(os.Environ(), surroundings(home)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "Ctrl-C") {
			cancel()
		}
	}
	if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("%s: %v", line, err)
	}
	return said.String(), strings.Join(slices.DeleteFunc(strings.Split(errs.String(), "\n"), func(l string) bool { return l == "" || strings.Contains(l, "level=INFO") }), "\n")
}

// someException adds an exception and returns its ID.
func someException(t *testing.T, home string) string {
	t.Helper()
	out, errs, err := shell(t, home, "sekisho allow add --from survey.example --ip 192.0.2.7 --owner sato --reason survey --output ndjson")
	_, id, _ := strings.Cut(out, `"id":"`)
	id, _, ok := strings.Cut(id, `"`)
	if err != nil || !ok {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	return id
}

// aLetter puts a mail that waits for approval into the outbox and returns its ID.
func aLetter(t *testing.T, home string) string {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(home, "state", "sekisho", sqlite.FileName))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	m := &desk.OutMail{ID: desk.OutID("a"), Key: "a", Kind: desk.OutReply, State: desk.OutWaiting, To: "sato@kiso-works.example", Subject: "Your report", Made: now, Due: now, Raw: []byte("Subject: Your report\r\n\r\nThank you.\r\n")}
	if _, err := db.AddOut(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return m.ID
}

// anAdvisory keeps the advisories of the examples, brings them to where the step can
// be done, and returns the hash of the first.
func anAdvisory(t *testing.T, home, step string) string {
	t.Helper()
	run := func(line string) string {
		t.Helper()
		out, errs, err := shell(t, home, "sekisho "+line+" --config examples/sekisho.yaml")
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, errs)
		}
		return out
	}
	hash := ""
	for _, a := range []struct{ id, file string }{{"ab10db5a5b4a3afa5", "voice-phishing.ja.txt"}, {"a6bd3bb1cee638d66", "conduct-campaign.html"}} {
		run("advise --keep --audience card examples/news/" + a.file)
		_, hash, _ = strings.Cut(run("advisory show --output ndjson "+a.id), `"hash":"`)
		hash = hash[:min(len(hash), 64)]
		steps := []string{"submit --as sato", "approve --as tanaka --hash " + hash, "send --as sato --by-hand"}
		switch step {
		case "list", "show", "edit", "submit", "history":
			steps = nil
		case "return", "approve":
			steps = steps[:1]
		case "export", "send", "withdraw":
			steps = steps[:2]
		}
		for _, s := range steps {
			run("advisory " + s + " " + a.id)
		}
	}
	return hash
}
