package app

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sekisho/sekisho/internal/desk"
	"github.com/sekisho/sekisho/internal/web"
)

// TestRetroPages has stored mail judged by a new rule, as the background does,
// and looks at what the pages say of it.
func TestRetroPages(t *testing.T) {
	s, _, _ := testServer(t)
	raw := []byte("From: Aoi <aoi@supplier.test>\r\nTo: sato@kiso-works.example\r\nSubject: Fresh <b>grapes</b>\r\nDate: Mon, 23 Nov 2026 09:00:00 +0900\r\n\r\nSee you on Friday.\r\n")
	keep := func(raw []byte) desk.MailID {
		t.Helper()
		in := desk.KeepMailInput{Items: func(yield func(desk.Item) bool) { yield(desk.Item{Raw: raw}) }, Source: desk.SourceUpload, Who: desk.WhoAdmin}
		got, err := desk.KeepMail(t.Context(), in, s.mail)
		if err != nil || got[0].Verdict.Verdict != desk.Clean {
			t.Fatal(got, err)
		}
		return got[0].ID
	}
	id, twin := keep(raw), keep(append([]byte("X-Other: 1\r\n"), raw...))
	dir := t.TempDir()
	rule := "name: Grapes <i>\nid: 6b0a2c1e-0000-4000-8000-000000000001\ntype: rule\nseverity: high\nsource: strings.icontains(subject.subject, 'grapes')\n"
	if err := os.WriteFile(filepath.Join(dir, "rule.yml"), []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := desk.LoadRules(t.Context(), []string{dir}, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.mail.Judge = func(context.Context) (desk.JudgeDeps, error) {
		return desk.JudgeDeps{Facts: s.Config.Facts, Rules: rules}, nil
	}
	s.rejudge(t.Context())
	m, err := s.db.Mail(t.Context(), id)
	if err != nil || m.Verdict == desk.Clean {
		t.Fatalf("%+v %v", m, err)
	}
	changes, err := s.db.RetroChanges(t.Context(), &desk.RetroQuery{Limit: 10})
	if err != nil || len(changes) != 2 {
		t.Fatalf("%+v %v", changes, err)
	}
	page := pageOf(t, s, "/rules/changes", "")
	for _, want := range []string{"/mail/" + string(id), "Fresh &lt;b&gt;grapes", "Grapes &lt;i&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of changes lacks %q", want)
		}
	}
	if page := pageOf(t, s, "/mail/{id}/similar", id); !strings.Contains(page, "/mail/"+string(twin)) {
		t.Error("the page of similar mails lacks the twin")
	}
}

// pageOf asks for a page past the door.
func pageOf(t *testing.T, s *server, pattern string, id desk.MailID) string {
	t.Helper()
	_, routes, err := s.routes("")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(routes, func(r web.Route) bool { return r.Method == http.MethodGet && r.Pattern == pattern })
	if i < 0 {
		t.Fatalf("no route for %s", pattern)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetPathValue("id", string(id))
	w := httptest.NewRecorder()
	routes[i].Handler(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", pattern, w.Code, w.Body)
	}
	return w.Body.String()
}
