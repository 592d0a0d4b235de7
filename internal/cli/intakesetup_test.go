package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/lang"
)

// TestIntakeSetup signs in to mailboxes that are not there.
func TestIntakeSetup(t *testing.T) {
	const client = "00000000-0000-0000-0000-000000000002"
	graph := []string{"intake", "setup", "graph", "reports", "--address", "Report@kiso-works.example", "--tenant", "kiso-works.example", "--client", client}
	imap := []string{"intake", "setup", "imap", "old", "--address", "old@kiso-works.example", "--host", "imap.kiso-works.example", "--tls", "starttls", "--secret-env", "OLD_SECRET"}
	denied := &desk.Error{Kind: desk.Denied, Message: lang.M("graph.error.declined"), Hint: lang.M("graph.hint.again")}
	for _, tc := range []struct {
		name    string
		args    []string
		tooMuch []string
		signIn  error
		check   error
		want    []string // in this order
		never   []string
		calls   []string
		status  int
	}{
		{
			name: "Graph", args: graph, calls: []string{"open", "sign in", "check", "close"},
			want: []string{
				"enter the code", "https://login.microsoft.com/device", "ABCD-1234", "Signed in", "report@kiso-works.example can be read: folder Inbox, 5 mails",
				"- name: reports\n", "kind: graph\n", "address: report@kiso-works.example\n", "tenant: kiso-works.example\n", "client: " + client + "\n",
			},
			never: []string{"more than sekisho needs", "folder:", "tls:", "every:", "days:"},
		},
		{
			name: "TooMuch", args: append(graph, "--secret-env", "GRAPH_SECRET"), tooMuch: []string{"Mail.ReadWrite"}, calls: []string{"open", "check", "close"},
			want: []string{"can be read", "more than sekisho needs: Mail.ReadWrite", "secret_env: GRAPH_SECRET"}, never: []string{"code"},
		},
		{name: "Check", args: append(graph, "--check"), calls: []string{"open", "check", "close"}, want: []string{"can be read"}, never: []string{"code"}},
		{name: "Declined", args: graph, signIn: denied, calls: []string{"open", "sign in", "close"}, want: []string{"ABCD-1234", "the sign-in was declined"}, never: []string{"can be read"}, status: exitUsage},
		{name: "NoPermission", args: graph, check: denied, calls: []string{"open", "sign in", "check", "close"}, never: []string{"can be read", "- name"}, status: exitUsage},
		{
			name: "IMAP", args: imap, calls: []string{"open", "check", "close"},
			want: []string{"old@kiso-works.example can be read", "server: imap.kiso-works.example:143", "tls: starttls", "secret_env: OLD_SECRET"}, never: []string{"code", "auth:"},
		},
		{name: "Forget", args: []string{"intake", "setup", "graph", "reports", "--forget"}, calls: []string{"open", "forget", "close"}, want: []string{"reports is deleted"}},
		{name: "BadAddress", args: append(graph, "--address", "nobody"), want: []string{"nobody"}, status: exitUsage},
		{name: "Guide", args: []string{"intake", "setup", "graph", "--address", "o'brien@kiso-works.example"}, want: []string{"Allow public client flows", "PrimarySmtpAddress -eq 'o''brien@kiso-works.example'", "--forget"}},
		{name: "GuideJA", args: []string{"--lang", "ja", "intake", "setup", "graph"}, want: []string{"アプリの登録", "New-ManagementScope"}},
		{name: "GuideIMAP", args: []string{"intake", "setup", "imap"}, want: []string{"--secret-file FILE"}},
		{name: "GuideOAuth", args: []string{"intake", "setup", "imap", "--auth", "oauth"}, want: []string{"IMAP.AccessAsUser.All"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var calls []string
			var out bytes.Buffer
			env := Env{
				Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, WorkDir: t.TempDir(), StateDir: t.TempDir(), Now: time.Now, Environ: []string{"LANG=en"},
				Mailbox: func(context.Context, MailboxOptions) (*MailboxAccess, error) {
					calls = append(calls, "open")
					return &MailboxAccess{
						SignIn: func(_ context.Context, show func(SignInCode)) error {
							calls = append(calls, "sign in")
							show(SignInCode{"https://login.microsoft.com/device", "ABCD-1234", time.Now().Add(15 * time.Minute)})
							return tc.signIn
						},
						Check: func(context.Context) (*desk.MailboxFolderInfo, []string, error) {
							calls = append(calls, "check")
							return &desk.MailboxFolderInfo{Folder: "Inbox", Mails: 5}, tc.tooMuch, tc.check
						},
						Forget: func(context.Context) error {
							calls = append(calls, "forget")
							return nil
						},
						Close: func() error {
							calls = append(calls, "close")
							return nil
						},
					}, nil
				},
			}
			if status := Main(t.Context(), tc.args, env); status != tc.status {
				t.Errorf("exit status %d, not %d", status, tc.status)
			}
			if diff := cmp.Diff(tc.calls, calls); diff != "" {
				t.Error(diff)
			}
			rest := out.String()
			for _, w := range tc.want {
				_, after, ok := strings.Cut(rest, w)
				if !ok {
					t.Errorf("%q is missing in:\n%s", w, out.String())
					break
				}
				rest = after
			}
			for _, w := range tc.never {
				if strings.Contains(out.String(), w) {
					t.Errorf("%q is in:\n%s", w, out.String())
				}
			}
		})
	}
}
